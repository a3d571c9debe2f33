"""Every representation of an image: where it is served and how tools open it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from diascope.arrangements.by_name import layouts
from diascope.catalogue.catalogue import Catalogue
from diascope.catalogue.located import scene_viewed
from diascope.errors import Unsupported
from diascope.image.image import Image
from diascope.layouts.layout import Layout
from diascope.operations.view import view
from diascope.stores.http import SAFE

RENDER = "render"


def representations(catalogue: Catalogue, path: str, steps: str, host: str) -> dict[str, Any]:
    """Of the image at a path, in every layout; a picture layout that refuses the view is offered of the render of it.

    ``host`` is the beginning of absolute URLs, such as ``http://localhost:8400``, without a slash at its end.
    """
    within, applied = scene_viewed(catalogue, path, steps)
    viewed = applied.applied(within.image)
    rows = [_row(layout, viewed, path, str(applied), host) for layout in layouts().values()]
    return {"path": path, "view": str(applied), "representations": rows}


def _row(layout: Layout, viewed: Image, path: str, steps: str, host: str) -> dict[str, Any]:
    reason = layout.refuses(viewed)
    if reason and layout.picture:
        viewed, steps, reason = _rendered(viewed, steps, layout, reason)
    url = quote(f"/data/{path}/{steps}/{viewed.name}{layout.suffix}{'/' * layout.is_folder}", safe=SAFE)
    return {
        "layout": layout.name,
        "title": layout.title,
        "view": steps,
        "url": url,
        "is_folder": layout.is_folder,
        "picture": layout.picture,
        "refused": reason,
        "steps": []
        if reason
        else [{"tool": tool, "text": text.replace("{url}", host + url)} for tool, text in layout.steps.items()],
    }


def _rendered(viewed: Image, steps: str, layout: Layout, reason: str) -> tuple[Image, str, str | None]:
    """The render of the view in its place, where there is one and the layout takes it."""
    longer = RENDER if steps == "original" else f"{steps}~{RENDER}"
    try:
        rendered = view(RENDER).applied(viewed)
    except Unsupported:
        return viewed, steps, reason
    return rendered, longer, layout.refuses(rendered)
