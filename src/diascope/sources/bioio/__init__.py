"""What the installed plug-ins of BioIO read, where no other source does (https://github.com/bioio-devs/bioio)."""

from __future__ import annotations

from diascope.sources.bioio.content import opened
from diascope.sources.bioio.plugins import suffixes
from diascope.sources.source import Head, Source

SUFFIXES = suffixes()


def _matches(head: Head) -> bool:
    """A file, not a folder, that a plug-in wants by its name; whether it is of that format only opening it can tell."""
    return bool(head.first) and head.name.endswith(SUFFIXES)


source = Source(
    name="bioio",
    title="BioIO",
    suffixes=SUFFIXES,
    matches=_matches,
    open=opened,
    library="BioIO",
    modules=("bioio",),
    extra="bioio",
    supports="what the installed plug-ins bioio-* read, where no other source does",
    is_isolated=True,
    needs_local_file=True,
    is_fallback=True,
)
