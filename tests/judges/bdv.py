"""pybdv and z5py as judges: readers of BigDataViewer's XML and of N5 that are none of TensorStore's or Zarr's.

Run as a program it reads the XML or the N5 folder at each path that it is given on a line, and answers as ``programs``
says. What else they import (h5py) comes with the judges' own packages.
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
    found = all((PACKAGES / name).is_dir() for name in ("pybdv", "z5py", "h5py"))
    return None if found else "pybdv and z5py are not here: make judges"


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
    """Facts and arrays."""
    facts, arrays = _views(where) if where.endswith(".xml") else ({}, list(_levels(where)))
    heads = [{"shape": array.shape, "dtype": array.dtype.str} for array in arrays]
    return {**facts, "arrays": heads}, b"".join(array.tobytes() for array in arrays)


def _views(xml: str) -> tuple[dict[str, Any], list[Any]]:
    """What the XML says of each setup, and every level of each at every time, all as z, y and x."""
    import z5py
    from pybdv import metadata, util

    path = metadata.get_data_path(xml, return_absolute_path=True)
    setups, arrays = [], []
    with z5py.File(path, "r") as file:
        for setup in metadata.get_setup_ids(xml):
            times = metadata.get_timepoints(xml, setup)
            scales = util.get_scale_factors(path, setup)
            setups.append(
                {
                    "name": metadata.get_name(xml, setup),
                    "size": metadata.get_size(xml, setup),
                    "unit": metadata.get_unit(xml, setup),
                    "voxel": metadata.get_resolution(xml, setup),
                    "scales": scales,
                    "affines": [list(metadata.get_affine(xml, setup, time).values()) for time in times],
                    "attributes": metadata.get_attributes(xml, setup),
                }
            )
            for time in times:
                arrays += [file[util.get_key(False, time, setup, level)][:] for level in range(len(scales))]
    return {"format": metadata.get_bdv_format(xml), "setups": setups}, arrays


def _levels(folder: str) -> Any:
    """The levels of a group, its axes the other way round."""
    import z5py

    with z5py.File(folder, "r") as file:
        for level in range(len(file.attrs["downsamplingFactors"])):
            yield file[f"s{level}"][:]


if __name__ == "__main__":
    main()
