"""ome-zarr-py as a judge, the reference reader, as a program of its own: its dependencies contradict boto3's.

Run as a program it reads the image at each URL or path that it is given on a line, and answers as ``programs`` says.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

PACKAGES = Path(__file__).parents[2] / ".judges" / "python"


def missing() -> str | None:
    """What this machine lacks, with the command that mends it."""
    return None if (PACKAGES / "ome_zarr").is_dir() else "ome-zarr-py is not here: make judges"


@cache
def program() -> Any:
    """Itself as a program, running."""
    from tests.judges.programs import Program

    return Program([sys.executable, "-W", "ignore", __file__], {"PYTHONPATH": str(PACKAGES)})


def main() -> None:
    for line in sys.stdin:
        try:
            head, body = answer(line.strip())
        except Exception as error:  # noqa: BLE001 — whatever it is, it is the answer
            head, body = {"error": f"{type(error).__name__}: {error}"[:300]}, b""
        sys.stdout.buffer.write(json.dumps({**head, "size": len(body)}).encode() + b"\n" + body)
        sys.stdout.buffer.flush()


def answer(where: str) -> tuple[dict[str, Any], bytes]:
    """Every level of the first image, and the names of its axes."""
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    node = next(iter(Reader(parse_url(where))()))
    arrays = [level.compute() for level in node.data]
    heads = [{"shape": array.shape, "dtype": array.dtype.str} for array in arrays]
    axes = [axis["name"] for axis in node.metadata["axes"]]
    return {"axes": axes, "arrays": heads}, b"".join(array.tobytes() for array in arrays)


if __name__ == "__main__":
    main()
