"""The elements of a file's XML: folders and images in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diascope.errors import Unreadable
from diascope.sources.reading.names.safe_names import safe_names
from diascope.sources.reading.xml import MOST_MARKS

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

DEEPEST = 64
MOST_IMAGES = 1 << 18


@dataclass(frozen=True, slots=True)
class Named:
    """An element that has an image, and the folders that it lies in."""

    folders: tuple[str, ...]
    name: str
    element: Element

    @property
    def memory(self) -> str:
        """The name of its memory block."""
        found = self.element.find("Memory")
        return found.get("MemoryBlockID", "") if found is not None else ""


def parsed(text: str | bytes) -> Element:
    """The root of the XML; raises Unreadable where it is none that can be read, or declares entities."""
    from defusedxml.ElementTree import fromstring

    marks = text.count("<") + text.count("=") if isinstance(text, str) else text.count(b"<") + text.count(b"=")
    if marks > MOST_MARKS:
        raise Unreadable(f"its XML has more than {MOST_MARKS} elements and attributes")
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except (ValueError, SyntaxError, LookupError) as error:
        raise Unreadable(f"its XML cannot be read ({error})") from error
    return root


def version(root: Element) -> int:
    """1 or 2: how the sizes of memory blocks are written."""
    text = root.get("Version", "2")
    if text not in {"1", "2"}:
        raise Unreadable(f"version {text[:20]!r} of the format is not supported")
    return int(text)


def images(root: Element, folders: tuple[str, ...] = ()) -> Iterator[Named]:
    """Every image, in the order of the file; the outermost element stands for the file itself."""
    tops = [root] if root.tag == "Element" else root.findall("Element")
    if not tops and root.find("Image") is not None:
        # Some LOF files have no header around what belongs to the image.
        yield Named(folders, "", _wrapped(root))
    waiting = [(folders, each, 0) for each in reversed(tops)]
    count = 0
    while waiting:
        above, element, depth = waiting.pop()
        name = element.get("Name", "")
        count += 1
        if depth > DEEPEST or count > MOST_IMAGES:
            raise Unreadable(f"its elements are more than {MOST_IMAGES}, or more than {DEEPEST} deep")
        if element.find("Data/Image") is not None:
            yield Named(above, name, element)
        inner = above if depth == 0 else (*above, name)
        waiting += [(inner, each, depth + 1) for each in reversed(element.findall("Children/Element"))]


def _wrapped(data: Element) -> Element:
    from xml.etree.ElementTree import Element as Made

    element = Made("Element")
    element.append(data)
    return element


def titles(found: list[Named]) -> list[str]:
    """A name for each: its folders and its own, where no folder is an image as well."""
    folders = {each.folders[: k + 1] for each in found for k in range(len(each.folders))}
    is_plain = not folders & {(*each.folders, each.name) for each in found}
    parts = [(*each.folders, each.name or f"image {k + 1}") for k, each in enumerate(found)]
    if not is_plain:
        return safe_names(" - ".join(each) for each in parts)
    safe = {folder: _joined(folder) for folder in folders}
    by_folder: dict[str, list[int]] = {}
    for k, each in enumerate(found):
        by_folder.setdefault(safe.get(each.folders, ""), []).append(k)
    names = [""] * len(found)
    for folder, places in by_folder.items():
        for k, name in zip(places, safe_names(parts[k][-1] for k in places), strict=True):
            names[k] = f"{folder}/{name}" if folder else name
    return names if not _clash(names) else safe_names(" - ".join(each) for each in parts)


def _joined(folder: tuple[str, ...]) -> str:
    return "/".join(safe_names([each])[0] for each in folder)


def _clash(names: list[str]) -> bool:
    """Whether an image has the name of a folder."""
    above = {name[:k] for name in names for k, letter in enumerate(name) if letter == "/"}
    return bool(above & set(names)) or len(set(names)) < len(names)
