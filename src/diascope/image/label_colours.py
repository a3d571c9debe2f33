"""The colour of each label, which its number alone decides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def label_colours(labels: NDArray[np.unsignedinteger]) -> NDArray[np.uint8]:
    """Red, green and blue as a further last axis: 0 is black, the others are scattered and bright.

    They are the three highest bytes of a multiplicative hash (Knuth, TAOCP 6.4), each raised to at least 64.
    """
    mixed = labels.astype(np.uint64)
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    bytes_ = np.stack([(mixed >> np.uint64(shift)) & np.uint64(0xFF) for shift in (56, 48, 40)], axis=-1)
    colours = (64 + bytes_ * np.uint64(192) // np.uint64(256)).astype(np.uint8)
    colours[labels == 0] = 0
    return colours
