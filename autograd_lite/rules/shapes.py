"""The same entries in another shape, order, number or floating dtype; detach."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.primitive import Primitive, composition, primitive
from autograd_lite.variable import OPERATIONS, Variable


def _inverse(axes: Any) -> Any:
    """The permutation that undoes `axes`; None, all axes reversed, undoes itself."""
    return None if axes is None else tuple(np.argsort([axis % len(axes) for axis in axes]))


_reshape = primitive(
    np.reshape, lambda g, z, x, *, shape, order="C": np.reshape(g, x.shape, order=order)
)


@composition(np.reshape)
def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Any:
    """order="A" asks for the layout of the data; what it is now is what gets recorded."""
    if order == "A":
        order = "F" if a.data.flags.fnc else "C"
    return _reshape(a, shape=shape, **({} if order == "C" else {"order": order}))


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

def _convert(x: Any, *, dtype: Any) -> Any:
    return x.astype(dtype)


_to_floating = Primitive(_convert, (lambda g, z, x, *, dtype: g,), "astype")  # the sweep converts g
_to_other = Primitive(_convert, (None,), "astype")


@composition(np.astype)
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """A floating dtype is one more operation; integers and booleans have no derivative."""
    dtype = np.dtype(dtype)
    return _to_floating(x, dtype=dtype) if dtype.kind == "f" else _to_other(x, dtype=dtype)


_detach = primitive(lambda x: x, None, name="detach", weak=True)
OPERATIONS[Variable.detach] = _detach

# --- facts about the shape: plain Python numbers ----------------------------------------------------

composition(np.shape)(lambda a: a.shape)
composition(np.ndim)(lambda a: a.ndim)


@composition(np.size)
def size(a: Any, axis: int | None = None) -> int:
    """The number of elements, in all or along an axis."""
    return int(a.size if axis is None else a.shape[axis])
