"""The same entries in another shape, order or floating dtype; facts about shapes; detach."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from autograd_lite.errors import MissingRuleError, kind
from autograd_lite.operators import OPERATIONS
from autograd_lite.primitive import Primitive, composition, primitive
from autograd_lite.variable import Variable, plain

Shape = tuple[int, ...]

# --- another shape --------------------------------------------------------------------------------

_reshape = primitive(
    np.reshape, lambda g, z, x, *, shape, order="C": np.reshape(g, x.shape, order=order)
)
primitive(np.expand_dims, lambda g, z, x, *, axis: np.reshape(g, x.shape))
primitive(np.squeeze, lambda g, z, x, *, axis=None: np.reshape(g, x.shape))
_broadcast_to = primitive(np.broadcast_to, lambda g, z, x, *, shape: g)  # the sweep sums


@composition(np.broadcast_to, kind="primitive")
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    """`subok` has nothing to say: there are no subclasses."""
    return _broadcast_to(array, shape=shape)


@composition(np.reshape)
def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Any:
    """order="A" asks for the layout of the data; what it is now is what gets recorded."""
    if order == "A":
        order = "F" if a.data.flags.fnc else "C"
    return _reshape(a, shape=shape, **({} if order == "C" else {"order": order}))


@composition(np.ravel)
def ravel(a: Any, order: Any = "C") -> Any:
    """order="K" reads in the order of memory: by axes of falling stride."""
    if order == "K":
        a = np.transpose(a, sorted(range(a.ndim), key=lambda axis: -abs(a.data.strides[axis])))
        order = "C"
    return np.reshape(a, (-1,), order=order)


def _reshaped(arrays: tuple[Any, ...], shape_for: Callable[[Shape], Shape]) -> Any:
    """One array for one, a tuple for several: what the atleast functions return."""
    results = tuple([np.reshape(a, shape_for(np.shape(a))) for a in arrays])
    return results[0] if len(results) == 1 else results


def _three_axes(shape: Shape) -> Shape:
    return (1, *shape, 1) if len(shape) == 1 else shape + (1,) * (3 - len(shape))


composition(np.atleast_1d)(lambda *arys: _reshaped(arys, lambda shape: shape or (1,)))
composition(np.atleast_2d)(lambda *arys: _reshaped(arys, lambda s: (1,) * (2 - len(s)) + s))
composition(np.atleast_3d)(lambda *arys: _reshaped(arys, _three_axes))


@composition(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    """Each array broadcast to the shape of all."""
    shape = np.broadcast_shapes(*[np.shape(a) for a in args])
    return tuple([np.broadcast_to(a, shape) for a in args])


# --- another order of the axes, or along them -----------------------------------------------------


def _inverse(axes: Any) -> Any:
    """The permutation that undoes `axes`; None, all axes reversed, undoes itself."""
    if axes is None:
        return None
    places = [axis % len(axes) for axis in axes]
    return tuple(sorted(range(len(axes)), key=places.__getitem__))  # np.argsort takes ten times it


primitive(np.transpose, lambda g, z, x, *, axes=None: np.transpose(g, _inverse(axes)))
primitive(np.matrix_transpose, lambda g, z, x: np.matrix_transpose(g))
primitive(np.swapaxes, lambda g, z, x, *, axis1, axis2: np.swapaxes(g, axis1, axis2))
primitive(
    np.moveaxis,
    lambda g, z, x, *, source, destination: np.moveaxis(g, destination, source),
)
primitive(np.flip, lambda g, z, x, *, axis=None: np.flip(g, axis))
primitive(np.roll, lambda g, z, x, *, shift, axis=None: np.roll(g, np.negative(shift), axis))

composition(np.linalg.matrix_transpose)(lambda x, /: np.matrix_transpose(x))
composition(np.fliplr)(lambda m: np.flip(m, 1))
composition(np.flipud)(lambda m: np.flip(m, 0))


@composition(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """The axis moved to stand before the axis `start`, as it was counted until then."""
    axis = normalize_axis_index(axis, a.ndim)
    start = start + a.ndim if start < 0 else start
    return np.moveaxis(a, axis, start - 1 if axis < start else start)


@composition(np.rot90)
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """A quarter turn is a transpose and a flip."""
    first, second = axes
    if m.ndim < 2 or first % m.ndim == second % m.ndim:
        raise ValueError(f"rot90: axes={axes} must be two different axes of the {kind(m)}")
    if k % 4 == 2:
        return np.flip(m, (first, second))
    if k % 2:
        m = np.swapaxes(m, first, second)
    return np.flip(m, first if k % 4 == 1 else second) if k % 4 else np.positive(m)


# --- another dtype, or none of the history --------------------------------------------------------

_copy = primitive(np.copy, lambda g, z, x, *, order="K": g)


@composition(np.copy, kind="primitive")
def copy(a: Any, order: Any = "K", subok: bool = False) -> Any:
    """`subok` has nothing to say: there are no subclasses."""
    return _copy(a, order=order)


def _convert(x: Any, *, dtype: Any) -> Any:
    return x.astype(dtype)


_to_floating = Primitive(_convert, (lambda g, z, x, *, dtype: g,), "astype")  # the sweep converts g
_to_other = Primitive(_convert, (None,), "astype")


@composition(np.astype)
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """A floating dtype is one more operation; integers and booleans have no derivative."""
    dtype = np.dtype(dtype)
    if dtype.kind == "c" and x.requires_grad:
        raise TypeError(
            f"astype: {x.label} is tracked, and only real numbers can be, not {dtype}; "
            f"keep the real and the imaginary part as two Variables"
        )
    return _to_floating(x, dtype=dtype) if dtype.kind == "f" else _to_other(x, dtype=dtype)


composition(np.real)(lambda val: np.positive(val))
composition(np.real_if_close)(lambda a, tol=100: np.positive(a))
composition(np.imag, kind="untracked")(lambda val: np.zeros_like(val))

_detach = primitive(lambda x: x, None, name="detach", weak=True)
OPERATIONS[Variable.detach] = _detach

# --- constants and facts: plain arrays, numbers and texts -----------------------------------------


def _of_the_data(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*plain(args), **plain(kwargs))


for _function in (
    np.shape,
    np.ndim,
    np.size,
    np.result_type,
    np.common_type,
    np.min_scalar_type,
    np.can_cast,
    np.iscomplexobj,
    np.isrealobj,
    np.shares_memory,
    np.may_share_memory,
    np.zeros_like,
    np.ones_like,
    np.empty_like,
    np.diag_indices_from,
    np.tril_indices_from,
    np.triu_indices_from,
    np.array_repr,
    np.array_str,
    np.array2string,
):
    composition(_function, kind="untracked")(functools.partial(_of_the_data, _function))


@composition(np.full_like, kind="untracked")
def full_like(a: Any, fill_value: Any, *args: Any, **kwargs: Any) -> Any:
    """A constant; a tracked fill value would be lost in it."""
    if type(fill_value) is Variable and fill_value.requires_grad:
        raise MissingRuleError(
            f"full_like: the fill value {fill_value.label} is tracked, and full_like makes a "
            f"constant; write np.broadcast_to({fill_value.name or 'value'}, shape)"
        )
    return np.full_like(plain(a), plain(fill_value), *args, **kwargs)
