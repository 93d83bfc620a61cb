"""The same entries in another shape, order, number or floating dtype; detach."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.primitive import composition, primitive
from autograd_lite.variable import OPERATIONS, Variable


def _inverse(axes: Any) -> Any:
    """The permutation that undoes `axes`; None, all axes reversed, undoes itself."""
    return None if axes is None else tuple(np.argsort([axis % len(axes) for axis in axes]))


primitive(np.reshape, lambda g, z, x, *, shape, order="C": np.reshape(g, x.shape, order=order))
primitive(np.transpose, lambda g, z, x, *, axes=None: np.transpose(g, _inverse(axes)))
primitive(np.broadcast_to, lambda g, z, x, *, shape: g)  # the sweep sums what was broadcast


def _piece(start: int, stop: int, axis: int) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(start, stop),)


def _concatenate_rule(g: Any, z: Any, *arrays: Any, index: int, axis: int | None = 0) -> Any:
    if axis is None:  # everything was flattened first
        start = sum(x.size for x in arrays[:index])
        return np.reshape(g[start : start + arrays[index].size], arrays[index].shape)
    axis %= z.ndim
    start = sum(x.shape[axis] for x in arrays[:index])
    return g[_piece(start, start + arrays[index].shape[axis], axis)]


def _stack_rule(g: Any, z: Any, *arrays: Any, index: int, axis: int = 0) -> Any:
    return g[(slice(None),) * (axis % z.ndim) + (index,)]


primitive(np.concatenate, _concatenate_rule, variadic=True)
primitive(np.stack, _stack_rule, variadic=True)

_astype = primitive(np.astype, lambda g, z, x, *, dtype: g)  # the sweep converts cotangents
_astype_untracked = primitive(np.astype, None, name="astype")


@composition(np.astype)
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """A floating dtype is one more operation; integers and booleans have no derivative."""
    to_floating = np.dtype(dtype).kind == "f"
    return (_astype if to_floating else _astype_untracked)(x, dtype=np.dtype(dtype))


_detach = primitive(lambda x: x, None, name="detach", weak=True)
OPERATIONS[Variable.detach] = _detach
