"""A colour profile of three primaries and one gamma (ICC.1:2001-04), made by hand.

::

    header 128 │ number of tags 4 │ name 4, start 4, size 4 of each │ their data
"""

from __future__ import annotations

import struct

import numpy as np

PRIMARIES = np.array([[0.6097, 0.2053, 0.1492], [0.3111, 0.6257, 0.0632], [0.0195, 0.0609, 0.7446]])
"""X, Y and Z (rows) of red, green and blue (columns) for the light D50: those of Adobe RGB (1998)."""

GAMMA = 2 + 51 / 256

D50 = (0.9642, 1.0, 0.8249)
SRGB_OF_XYZ = np.linalg.inv(
    np.array([[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]])
)
"""Of sRGB's primaries for D50, by Bradford's adaptation."""


def profile(colours: bytes = b"RGB ") -> bytes:
    """The bytes of a profile with these primaries."""
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"wide\0" + bytes(78),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": _xyz(D50),
        **{name: _xyz(PRIMARIES[:, k]) for k, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), b"curv\0\0\0\0" + struct.pack(">IH", 1, round(GAMMA * 256))),
    }
    table, data, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        padded = content + bytes(-len(content) % 4)
        table += name + struct.pack(">II", at + len(data), len(content))
        data += padded
    body = struct.pack(">I", len(tags)) + table + data
    header = struct.pack(
        ">I4sI4s4s4s12s4s", 128 + len(body), b"none", 0x02100000, b"mntr", colours, b"XYZ ", bytes(12), b"acsp"
    )
    return header + bytes(28) + struct.pack(">III", *(round(v * 65536) for v in D50)) + bytes(48) + body


def _xyz(values: object) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(float(v) * 65536) for v in values))  # type: ignore[attr-defined]


def in_srgb(pixels: np.ndarray) -> np.ndarray:
    """Bytes (…, 3) of the profile in sRGB, by the formulas of both, before they are rounded."""
    linear = (pixels / 255.0) ** GAMMA @ PRIMARIES.T @ SRGB_OF_XYZ.T
    linear = linear.clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
