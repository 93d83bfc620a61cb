"""A ufunc's other ways of being called: with keywords, and its methods reduce, accumulate, outer.

All of it is composed of plain calls. What NumPy writes in place (`out=`, `.at`), what would leave
entries of the result undefined (`where=`), and `reduceat` are refused by `Variable`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from autograd_lite.operators import OPERATIONS
from autograd_lite.rules.operands import operand, part
from autograd_lite.rules.reductions import ABSENT, Axis
from autograd_lite.variable import WAYS

# --- with keywords --------------------------------------------------------------------------------


def _call(
    ufunc: np.ufunc,
    *inputs: Any,
    where: Any = True,
    casting: Any = "same_kind",
    order: str = "K",
    subok: bool = True,
    dtype: Any = None,
    axes: Any = None,
    axis: Any = None,
    keepdims: bool = False,
    **others: Any,
) -> Any:
    """`dtype` converts before; `axes` moves before and after.

    `order`, how the result lies in memory, and `subok`, for subclasses, have nothing to say here.
    """
    if where is not True or any(value is not None for value in others.values()):
        return NotImplemented
    if dtype is not None or casting != "same_kind":
        inputs = _converted(ufunc, inputs, dtype, casting)
    if axes is None and axis is None and not keepdims:
        return OPERATIONS[ufunc](*inputs)
    return _along(ufunc, inputs, axes, axis, keepdims)


def _converted(ufunc: np.ufunc, inputs: tuple[Any, ...], dtype: Any, casting: Any) -> Any:
    """The operands in the dtypes that NumPy would compute in; it raises where that is no cast."""
    weak = [type(x) in (int, float, complex) for x in inputs]  # Python's numbers follow the arrays
    inputs = tuple([x if w else operand(x) for x, w in zip(inputs, weak, strict=True)])
    given: Any = [type(x) if w else x.dtype for x, w in zip(inputs, weak, strict=True)]
    asked: dict[str, Any] = {"casting": casting}
    if dtype is not None:
        asked["signature"] = (*[None] * ufunc.nin, *[np.dtype(dtype)] * ufunc.nout)
    resolved: Any = ufunc.resolve_dtypes((*given, *[None] * ufunc.nout), **asked)
    return tuple(
        [
            x if w or x.dtype == d else np.astype(x, d)
            for x, w, d in zip(inputs, weak, resolved, strict=False)
        ]
    )


def _along(ufunc: np.ufunc, inputs: Any, axes: Any, axis: Any, keepdims: bool) -> Any:
    """A product of vectors or matrices along other axes than the last: moved there, and back."""
    signature: Any = ufunc.signature  # NumPy lets these keywords pass for products alone
    result = signature.split("->")[1]
    if (axis is not None or keepdims) and result != "()":
        raise TypeError(f"{ufunc.__name__}: axis= and keepdims= are for products of vectors alone")
    if axes is None:  # NumPy lets one of the two pass
        axes = [-1 if axis is None else axis] * ufunc.nin
    axes = [tuple(a) if np.ndim(a) else (a,) for a in axes]
    if len(axes) != ufunc.nin + 1 and not (len(axes) == ufunc.nin and result == "()"):
        raise ValueError(
            f"{ufunc.__name__}: axes= must list the axes of {ufunc.nin} operands and the result, "
            f"and lists {len(axes)}"
        )
    last = [tuple(range(-len(a), 0)) for a in axes]
    moved = [np.moveaxis(operand(x), a, b) for x, a, b in zip(inputs, axes, last, strict=False)]
    z = OPERATIONS[ufunc](*moved)
    if keepdims:
        return np.moveaxis(z[..., None], -1, axes[ufunc.nin if len(axes) > ufunc.nin else 0])
    return np.moveaxis(z, last[ufunc.nin], axes[ufunc.nin]) if len(axes) > ufunc.nin else z


# --- reduce and accumulate ------------------------------------------------------------------------

_REDUCTIONS: dict[np.ufunc, Any] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
}
"""`np.add.reduce` and its like mean these functions."""

_ACCUMULATIONS: dict[np.ufunc, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}

_ASSOCIATIVE = {
    np.maximum,
    np.minimum,
    np.fmax,
    np.fmin,
    np.hypot,
    np.logaddexp,
    np.logaddexp2,
}
"""Applied in any order of brackets they give one result: so a tree will do, log₂ n calls deep.

Two operands that tie share the gradient by halves, at each knot of the tree.
"""


def _is_given(out: Any) -> bool:
    """Whether `out=` says something; NumPy makes a tuple of it."""
    return any(array is not None for array in (out if isinstance(out, tuple) else (out,)))


def _reduce(
    ufunc: np.ufunc,
    x: Any,
    /,
    axis: Axis = 0,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = ABSENT,
    where: Any = True,
    array: Any = None,  # NumPy hands x over twice if it was passed by this name
) -> Any:
    if _is_given(out):
        return NotImplemented
    x = x if dtype is None or x.dtype == dtype else np.astype(x, dtype)
    settings: dict[str, Any] = {} if initial is ABSENT or initial is None else {"initial": initial}
    if ufunc in _REDUCTIONS:
        if where is not True:
            settings["where"] = where
        return OPERATIONS[_REDUCTIONS[ufunc]](x, axis=axis, keepdims=keepdims, **settings)
    if ufunc not in _ASSOCIATIVE:
        return NotImplemented
    if where is not True:
        empty = settings.get("initial", ufunc.identity)
        if empty is None:
            raise ValueError(f"{ufunc.__name__}.reduce: where= needs initial=, for want of a zero")
        x = np.where(where, x, empty)
    axes = range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim)
    for i in axes:
        x = _folded(ufunc, x, i, settings.get("initial", ufunc.identity))
    if "initial" in settings:
        x = ufunc(settings["initial"], x)
    return x if keepdims else np.squeeze(x, tuple(axes))


def _folded(ufunc: np.ufunc, x: Any, axis: int, empty: Any) -> Any:
    """All entries along an axis made one, which has length 1 then."""
    n = x.shape[axis]
    if n == 0:
        if empty is None:
            raise ValueError(f"{ufunc.__name__}.reduce: nothing to reduce in shape {x.shape}")
        return np.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), empty, x.dtype)
    while n > 1:
        half = n // 2
        pairs = ufunc(x[part(axis, None, half)], x[part(axis, half, 2 * half)])
        x = np.concatenate([pairs, x[part(axis, 2 * half, None)]], axis=axis) if n % 2 else pairs
        n -= half
    return x


def _accumulate(
    ufunc: np.ufunc,
    x: Any,
    /,
    axis: int = 0,
    dtype: Any = None,
    out: Any = None,
    array: Any = None,
) -> Any:
    """A running sum or product; of what is associative, in log₂ n rounds that double the reach."""
    if _is_given(out) or ufunc not in _ASSOCIATIVE | _ACCUMULATIONS.keys():
        return NotImplemented
    axis = normalize_axis_index(axis, x.ndim)  # raises for a scalar, as NumPy does
    x = x if dtype is None or x.dtype == dtype else np.astype(x, dtype)
    if ufunc in _ACCUMULATIONS:
        return OPERATIONS[_ACCUMULATIONS[ufunc]](x, axis=axis)
    reach = 1
    while reach < x.shape[axis]:
        start = x[part(axis, None, reach)]
        rest = ufunc(x[part(axis, None, -reach)], x[part(axis, reach, None)])
        x = np.concatenate([start, rest], axis=axis)
        reach *= 2
    return x


# --- outer ----------------------------------------------------------------------------------------


def _outer(ufunc: np.ufunc, a: Any, b: Any, **settings: Any) -> Any:
    """Every entry of one with every entry of the other: broadcasting."""
    a, b = operand(a), operand(b)
    return _call(ufunc, np.reshape(a, a.shape + (1,) * b.ndim), b, **settings)


WAYS.update({"__call__": _call, "reduce": _reduce, "accumulate": _accumulate, "outer": _outer})
