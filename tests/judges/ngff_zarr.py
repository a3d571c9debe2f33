"""ngff-zarr as a judge, which reads OME-Zarr 0.6 and brings its schemas, as a program in an environment of its own.

Run as a program it reads the image at each path that it is given on a line, and answers as ``programs`` says.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

PYTHON = Path(__file__).parents[2] / ".judges" / "ngff-zarr" / "bin" / "python"


def missing() -> str | None:
    """What this machine lacks, with the command that mends it."""
    return None if PYTHON.exists() else "ngff-zarr is not here: make judges"


@cache
def program() -> Any:
    """Itself as a program, running."""
    from tests.judges.programs import Program

    return Program([str(PYTHON), "-W", "ignore", __file__])


def main() -> None:
    # The folder of this file would hide the package of the same name.
    sys.path.pop(0)
    for line in sys.stdin:
        try:
            head, body = answer(line.strip())
        except Exception as error:  # noqa: BLE001 — whatever it is, it is the answer
            head, body = {"error": f"{type(error).__name__}: {error}"[:300]}, b""
        sys.stdout.buffer.write(json.dumps({**head, "size": len(body)}).encode() + b"\n" + body)
        sys.stdout.buffer.flush()


def answer(where: str) -> tuple[dict[str, Any], bytes]:
    """Every level, where its pixels lie, and the maps into other systems, found valid against the schemas.

    A map is the name of its system, and the twelve numbers of ITK: a matrix of x, y and z, and a shift.
    """
    import ngff_zarr
    import numpy as np

    found = ngff_zarr.from_ome_zarr(where, validate=True)
    arrays = [np.asarray(image.data) for image in found.images]
    heads = [{"shape": array.shape, "dtype": array.dtype.str} for array in arrays]
    metadata = found.metadata
    dims = [str(axis.name) for axis in metadata.axes]
    placed = [[[image.scale[d], image.translation[d]] for d in dims] for image in found.images]
    maps = {
        step.output.name: np.asarray(ngff_zarr.ngff_transform_to_itk_transform(step, dims)[0].parameters).tolist()
        for step in metadata.coordinateTransformations or ()
    }
    facts = {"axes": dims, "arrays": heads, "placed": placed, "maps": maps}
    return facts, b"".join(array.tobytes() for array in arrays)


if __name__ == "__main__":
    main()
