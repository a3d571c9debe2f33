"""``diascope bids``: a mapping proposed for a folder, and what a mapping lacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from diascope.errors import BadRequest, DiascopeError

if TYPE_CHECKING:
    from diascope.arrangements.arranged import Arranged
    from diascope.arrangements.bids.findings import Finding
    from diascope.arrangements.facts import Table
    from diascope.arrangements.seen import Seen
    from diascope.image.image import Image

COLOURS = {"error": "red", "warning": "yellow"}
MOST = 1000
"""How many findings are printed."""


def checked(mapping: Path, folder: Path | None) -> Iterator[tuple[str, bool]]:
    """A line for each thing that is wrong, the errors first, and whether it is an error; the last line counts.

    Raises Malformed where the mapping itself says something wrong.
    """
    from diascope.arrangements.bids.dataset import arrangement, laid_out
    from diascope.arrangements.seen import Seen

    made = _arranged(mapping, folder)
    kind, written = made.read()
    if kind is not arrangement:
        raise BadRequest(f"{mapping} is of the kind {kind.name}: `diascope check` looks at all kinds")
    contents, findings = laid_out(Seen(made.tree, made.allowed()), written)
    findings = sorted(findings, key=lambda each: each.weight)
    for finding in findings[:MOST]:
        yield _line(finding), finding.weight == "error"
    if len(findings) > MOST:
        yield f"… and {len(findings) - MOST} more", False
    files = sum(1 for _ in contents.leaves())
    counts = [(files, "file"), *((sum(each.weight == weight for each in findings), weight) for weight in COLOURS)]
    yield ", ".join(f"{count} {what}{'s' * (count != 1)}" for count, what in counts), False


def _line(finding: Finding) -> str:
    place = f"{finding.where}{f':{finding.line}' if finding.line else ''}"
    return f"{place}: {click.style(finding.weight, fg=COLOURS[finding.weight], bold=True)}: {finding.reason}"


def _arranged(mapping: Path, folder: Path | None) -> Arranged:
    """What a mapping makes of a folder; without one of the repositories of the settings, or of where it lies."""
    from diascope.commands.arranged import arranged
    from diascope.settings import Settings

    return arranged(mapping, folder or (None if Settings().repositories else mapping.absolute().parent))


def proposed(folder: Path, target: Path) -> Iterator[str]:
    """Write a mapping for a folder; a line for each thing that its writer has to see to.

    Raises BadRequest where there is a file already.
    """
    from diascope.arrangements.bids.proposal import proposal
    from diascope.arrangements.by_name import ByName
    from diascope.arrangements.seen import Seen, natural
    from diascope.catalogue.catalogue import catalogue
    from diascope.catalogue.opening import image_suffixes
    from diascope.settings import RepositorySettings, Settings

    if target.exists():
        raise BadRequest(f"{str(target)!r} is there already: name another file with --output")
    full = folder.resolve()
    name = full.name or "root"
    images = catalogue(Settings(repositories={name: RepositorySettings(path=full, follow_links=True)}))
    seen = Seen(ByName(images), (name,))
    repository = seen.repository(name)
    files = seen.files(repository)
    paths = sorted((each.path for each in files if each.what == "image"), key=natural)
    tables = dict(_tables(full, [each.path for each in files if each.what == "file"]))
    made = proposal(name, paths, image_suffixes(), lambda path: _opened(seen, f"{name}/{path}"), tables)
    target.write_text(made.text, encoding="utf-8")
    yield from made.notes
    yield f"{target} is written; look at it, then: diascope bids check {target}"


def _opened(seen: Seen, path: str) -> Image | None:
    """None where it cannot be read, or is several images."""
    try:
        return seen.image(path)
    except DiascopeError:
        return None


def _tables(folder: Path, paths: list[str]) -> Iterator[tuple[str, Table]]:
    """The tables that lie in the folder itself."""
    from diascope.arrangements.facts import LARGEST, table

    for path in paths:
        if "/" in path or not path.lower().endswith((".csv", ".tsv")) or (folder / path).stat().st_size > LARGEST:
            continue
        try:
            yield path, table((folder / path).read_bytes(), path)
        except DiascopeError:
            continue
