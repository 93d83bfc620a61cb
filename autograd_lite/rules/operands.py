"""What the rows make of what they are called with: operands as arrays, and parts along one axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.errors import MissingRuleError
from autograd_lite.variable import Variable


def operand(x: Any, dtype: Any = None) -> Any:
    """Something to calculate with, of this dtype if one is given: a Variable, or a plain array."""
    if type(x) is not Variable:
        refuse_mask(x)
        x = np.asarray(x)
    return x if dtype is None or x.dtype == dtype else np.astype(x, dtype)


def refuse_mask(*arrays: Any) -> None:
    """Refuse masked arrays among the constants: as plain arrays their hidden entries would count.

    What NumPy computes with them by its own arithmetic is refused where it is recorded.
    """
    for x in arrays:
        if isinstance(x, np.ma.MaskedArray):
            raise TypeError(
                f"a masked array of shape {x.shape} took part, and its mask would be lost; pass "
                f"masked.filled(value), and the mask to np.where"
            )


def without_out(name: str, out: Any) -> None:
    """Refuse `out=`: a result that is written into an array is lost to the tape."""
    if out is not None:
        raise MissingRuleError(
            f"{name}: out= is not supported on a Variable; use the returned value"
        )


def along(axis: int, index: Any) -> tuple[Any, ...]:
    """The index that applies `index` to one axis (≥ 0) and leaves the others whole."""
    return (*[slice(None)] * axis, index)


def part(axis: int, start: int | None, stop: int | None, step: int | None = None) -> Any:
    """The index of x[start:stop:step] along one axis, counted from the front."""
    return (slice(None),) * axis + (slice(start, stop, step),)
