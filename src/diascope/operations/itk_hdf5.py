"""ITK's transform files in HDF5, which h5py reads in a process of its own.

Groups 0, 1, … have each a type, parameters and fixed parameters; the first may be a composite, which has the others.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from io import BytesIO
from typing import Any

import numpy as np

from diascope.errors import Unavailable
from diascope.operations.itk_transform import COMPOSITE, MOST, Matrix, Member, Numbers, composed

MAGIC = b"\x89HDF\r\n\x1a\n"

PATIENCE = 10
"""Seconds that a file may take to be read."""

MEMORY = 4 << 30
"""Bytes of address space meanwhile."""

GROUP = "TransformGroup"

SPELLINGS = "Transform", "Tranform"
"""Files of ITK before 5.0 lack a letter."""

LONGEST = 64
"""How many numbers an array has at most; all linear transformations have fewer."""


def matrix_of(data: bytes) -> Matrix:
    """From fixed to moving points; raises ValueError, and Unavailable where h5py is missing."""
    if find_spec("h5py") is None:
        raise Unavailable("h5py is not installed: pip install 'diascope[transforms]'")
    # A damaged file may keep the HDF5 library busy for ever, or crash it: it is read where that harms nobody.
    command = [sys.executable, "-P", "-m", __name__]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=PATIENCE, check=True)  # noqa: S603
        told = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise ValueError("its HDF5 is damaged: it could not be read") from error
    if isinstance(told, str):
        raise ValueError(told)  # noqa: TRY004
    return composed(Member(kind, tuple(numbers), tuple(fixed), where) for kind, numbers, fixed, where in told)


def main() -> None:
    """Writes what the file on standard input says, as JSON: its members, or a text with what is wrong."""
    import h5py

    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    told: Any
    try:
        with h5py.File(BytesIO(sys.stdin.buffer.read()), "r") as file:
            told = list(_members(_own(file, GROUP)))
    except ValueError as error:
        told = str(error)
    except Exception as error:  # noqa: BLE001
        told = f"its HDF5 cannot be read: {error}"
    sys.stdout.write(json.dumps(told))


def _members(group: Any) -> Iterator[Member]:
    names = [name for name in group if re.fullmatch(r"\d{1,4}", name)] if len(group) <= MOST + 1 else None
    if names is None:
        raise ValueError(f"it holds more than {MOST} transformations")
    for name in sorted(names, key=int):
        member, where = _own(group, name), f"/{GROUP}/{name}"
        kind = _type(_own(member, "TransformType"), where)
        if kind.startswith(COMPOSITE):
            yield Member(kind, (), (), where)
        else:
            yield Member(kind, _numbers(member, "Parameters", where), _numbers(member, "FixedParameters", where), where)


def _own(group: Any, name: str) -> Any:
    """What the file itself holds: a link may lead to any other file."""
    import h5py

    if name not in (group if isinstance(group, h5py.Group) else ()):
        raise ValueError(f"it has no {name} in {getattr(group, 'name', '/')}")
    if isinstance(group.get(name, getlink=True), h5py.SoftLink | h5py.ExternalLink):
        raise ValueError(f"{name} is a link")  # noqa: TRY004
    return group[name]


def _type(dataset: Any, where: str) -> str:
    _check(dataset, where)
    if dataset.shape not in {(), (1,)} or dataset.dtype.itemsize > 256:
        raise ValueError(f"{where}: its type is no text")
    told = np.ravel(dataset[()])[0]
    return told.decode("ascii", "replace") if isinstance(told, bytes) else str(told)


def _numbers(group: Any, name: str, where: str) -> Numbers:
    dataset = next((_own(group, first + name) for first in SPELLINGS if first + name in group), None)
    if dataset is None:
        return ()
    _check(dataset, where)
    if dataset.shape == (0,) or dataset.shape is None:
        return ()
    if dataset.dtype.kind != "f" or len(dataset.shape) != 1 or dataset.shape[0] > LONGEST:
        raise ValueError(f"{where}: its {name} are not a row of at most {LONGEST} numbers")
    return tuple(float(number) for number in dataset[()])


def _check(dataset: Any, where: str) -> None:
    """Nothing is read that lies in another file, or is larger than the numbers that are wanted."""
    import h5py

    if not isinstance(dataset, h5py.Dataset) or dataset.external or dataset.is_virtual:
        raise ValueError(f"{where}: what should be numbers lies elsewhere")
    if dataset.chunks and (np.prod(dataset.chunks, dtype=float) > 1 << 16 or dataset.compression not in {None, "gzip"}):
        raise ValueError(f"{where}: numbers are compressed in a way that ITK does not use")


if __name__ == "__main__":
    main()
