"""The functions of expressions, in double precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

Values: TypeAlias = Any
"""A number or a row of numbers of float64."""


def _compared(function: Callable[[Values, Values], Values]) -> Callable[..., Values]:
    """1 where it holds, else 0."""
    return lambda left, right: function(left, right).astype(np.float64)


FUNCTIONS: Mapping[str, Callable[..., Values]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.mod,
    "pow": np.power,
    "neg": np.negative,
    "lt": _compared(np.less),
    "le": _compared(np.less_equal),
    "gt": _compared(np.greater),
    "ge": _compared(np.greater_equal),
    "eq": _compared(np.equal),
    "ne": _compared(np.not_equal),
    "where": lambda condition, then, other: np.where(condition != 0, then, other),
    "min": lambda *each: reduce(np.minimum, each),
    "max": lambda *each: reduce(np.maximum, each),
    "clip": lambda value, low, high: np.minimum(np.maximum(value, low), high),
    "abs": np.abs,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,
}
"""Each of the value of a pixel by itself."""

MOST = 16
_SEVERAL = {"min": (1, MOST), "max": (1, MOST), "where": (3, 3), "clip": (3, 3)}
_TWO = {"add", "sub", "mul", "div", "floordiv", "mod", "pow", "lt", "le", "gt", "ge", "eq", "ne"}

ARGUMENTS = {name: _SEVERAL.get(name, (2, 2) if name in _TWO else (1, 1)) for name in FUNCTIONS}
"""How many arguments each takes, at least and at most."""
