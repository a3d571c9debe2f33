"""@allmaps/iiif-parser as the judge of manifests: the strict one among the parsers."""

from __future__ import annotations

import json
from typing import Any

from tests.judges import node


def missing() -> str | None:
    """What this machine lacks, with the command that mends it."""
    return node.missing("@allmaps/iiif-parser")


def parsed(manifest: dict[str, Any]) -> dict[str, Any]:
    """What the parser understood; raises Rejected where it refused."""
    return node.program("iiif_manifest.mjs").asked(json.dumps(manifest)).facts
