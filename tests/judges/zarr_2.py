"""zarr-python 2 as a judge: the last one that reads N5, in an environment of its own, as the suite has zarr-python 3.

Run as a program it reads the N5 group at each URL or path that it is given on a line, and answers as ``programs`` says.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

PYTHON = Path(__file__).parents[2] / ".judges" / "zarr-2" / "bin" / "python"


def missing() -> str | None:
    """What this machine lacks, with the command that mends it."""
    return None if PYTHON.is_file() else "zarr-python 2 is not here: make judges"


@cache
def program() -> Any:
    """Itself as a program, running."""
    from tests.judges.programs import Program

    return Program([str(PYTHON), "-W", "ignore", __file__], {"PYTHONPATH": ""})


def main() -> None:
    for line in sys.stdin:
        try:
            head, body = answer(line.strip())
        except Exception as error:  # noqa: BLE001 — whatever it is, it is the answer
            head, body = {"error": f"{type(error).__name__}: {error}"[:300]}, b""
        sys.stdout.buffer.write(json.dumps({**head, "size": len(body)}).encode() + b"\n" + body)
        sys.stdout.buffer.flush()


def answer(where: str) -> tuple[dict[str, Any], bytes]:
    """Every level, its axes in the order of the image's."""
    import zarr

    group = zarr.open_group(zarr.N5FSStore(where), mode="r")
    count = len(group.attrs["downsamplingFactors"])
    arrays = [group[f"s{level}"][...] for level in range(count)]
    heads = [{"shape": array.shape, "dtype": array.dtype.str} for array in arrays]
    return {"arrays": heads}, b"".join(array.tobytes() for array in arrays)


if __name__ == "__main__":
    main()
