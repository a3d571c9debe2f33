"""Data types and fill values of Zarr v2 and v3.

https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html (data type encoding, fill value encoding),
https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html (data types, fill value).
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from diascope.errors import Unreadable
from diascope.sources.reading.documents import shown

DType: TypeAlias = np.dtype[Any]

NUMBERS = {"b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8), "c": (8, 16)}

V3 = {
    "bool": "?", "int8": "i1", "int16": "i2", "int32": "i4", "int64": "i8", "uint8": "u1", "uint16": "u2",
    "uint32": "u4", "uint64": "u8", "float16": "f2", "float32": "f4", "float64": "f8", "complex64": "c8",
    "complex128": "c16",
}  # fmt: skip

WORDS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def dtype_v2(value: Any, path: str) -> DType:
    """A type of numbers as v2 writes it, in the byte order that is stored."""
    match = re.fullmatch(r"([<>|=]?)([biufc])(\d{1,2})", value) if isinstance(value, str) else None
    if match is None or int(match[3]) not in NUMBERS[match[2]]:
        raise Unreadable(f"{path}: pixels of the data type {shown(value)} are no numbers that can be shown")
    return np.dtype(f"{match[1].replace('|', '<')}{match[2]}{match[3]}")


def dtype_v3(value: Any, path: str) -> DType:
    """A type of numbers as v3 names it, in the byte order of the machine."""
    if not isinstance(value, str) or value not in V3:
        raise Unreadable(f"{path}: pixels of the data type {shown(value)} are no numbers that can be shown")
    return np.dtype(V3[value])


def fill(value: Any, dtype: DType, path: str) -> NDArray[Any]:
    """What a missing chunk is full of, as an array without axes in native byte order; null is zero."""
    try:
        with np.errstate(all="ignore"):
            return _fill(value, dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise Unreadable(f"{path}: {shown(value)} is no fill value of {dtype} pixels") from error


def _fill(value: Any, dtype: DType) -> NDArray[Any]:
    native = dtype.newbyteorder("=")
    if value is None:
        return np.zeros((), native)
    if native.kind == "c" and isinstance(value, list):
        real, imaginary = (complex(_fill(part, np.dtype(f"f{native.itemsize // 2}"))) for part in value)
        return np.array(complex(real.real, imaginary.real), native)
    if isinstance(value, str):
        word = WORDS.get(value, _decimal(value))
        return _bits(value, dtype) if word is None else np.array(_number(word, native), native)
    return np.array(_number(value, native), native)


def _number(value: Any, dtype: DType) -> Any:
    if not isinstance(value, bool | int | float):
        raise TypeError(value)
    if dtype.kind in "iub":
        if int(value) != value:
            raise ValueError(value)
        return int(value)
    return value


def _decimal(value: str) -> float | None:
    """A number in a string, as jzarr and hence bioformats2raw wrote it."""
    if not re.fullmatch(r"-?\d{1,20}(\.\d{0,20})?", value):
        return None
    return float(value) if "." in value else int(value)


def _bits(value: str, dtype: DType) -> NDArray[Any]:
    """Written as its bits: in hexadecimal, most significant first, or as its bytes in base64."""
    if value.startswith("0x"):
        data, order = bytes.fromhex(value[2:]), dtype.newbyteorder(">")
    else:
        data, order = base64.b64decode(value, validate=True), dtype
    if len(data) != dtype.itemsize:
        raise binascii.Error(value)
    return np.frombuffer(data, order).astype(dtype.newbyteorder("=")).reshape(())
