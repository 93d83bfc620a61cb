"""Arrays padded at their edges, and seen through sliding windows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autograd_lite.errors import MissingRuleError
from autograd_lite.primitive import composition, primitive
from autograd_lite.rules.indexing import put
from autograd_lite.rules.operands import along
from autograd_lite.variable import Variable

_pad = primitive(
    np.pad,
    lambda g, z, x, *, pad_width, mode, constant_values=0: g[
        tuple(
            [slice(before, before + n) for (before, _), n in zip(pad_width, x.shape, strict=True)]
        )
    ],
)


_PAD_BY_INDEX = ("edge", "reflect", "symmetric", "wrap")


@composition(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    """Constants around the array, or the array read at the places that NumPy's pad would copy."""
    if array.ndim == 0:
        return np.copy(array)
    if isinstance(pad_width, dict):
        widths = [(0, 0)] * array.ndim
        for axis, width in pad_width.items():
            widths[axis] = width
        pad_width = [np.broadcast_to(width, 2) for width in widths]
    widths = np.broadcast_to(pad_width, (array.ndim, 2)).tolist()
    value = options.get("constant_values")
    if mode == "constant" and type(value) is Variable and value.requires_grad:
        return _around(array, widths, value)
    if mode == "constant":
        return _pad(array, pad_width=tuple(map(tuple, widths)), mode=mode, **options)
    if mode not in _PAD_BY_INDEX:
        raise MissingRuleError(
            f"pad: mode={mode!r} with {options or 'no options'} is not supported on a Variable; "
            f"supported are constant, {', '.join(_PAD_BY_INDEX)}"
        )
    if not any(map(any, widths)):
        return np.copy(array)
    odd = options.get("reflect_type") == "odd"
    for axis, width in enumerate(widths):
        if any(width) and odd:
            array = _mirrored(array, axis, width, mode)
        elif any(width):
            places = np.pad(np.arange(array.shape[axis]), width, mode, **options)
            array = array[along(axis, places)]
    return array


def _around(x: Any, widths: Any, value: Any) -> Any:
    """The array within a tracked number, the same on all sides."""
    if value.ndim:
        raise MissingRuleError(
            f"pad: constant_values={value.label} is tracked and has shape {value.shape}; a tracked "
            f"one must be a single number, or write np.concatenate"
        )
    inside = tuple(slice(b, b + n) for (b, _), n in zip(widths, x.shape, strict=True))
    shape = [n + b + a for (b, a), n in zip(widths, x.shape, strict=True)]
    return put(np.broadcast_to(np.astype(value, x.dtype), shape), inside, x)


def _mirrored(x: Any, axis: int, width: Any, mode: Any) -> Any:
    """Reflected in the point of its edges, 2·edge − x, again and again: which is linear in x."""
    n, (before, _) = x.shape[axis], width
    unit: Any = np.eye(n, dtype=x.dtype)
    weights = np.pad(unit, (width, (0, 0)), mode, reflect_type="odd")
    ends = [
        np.moveaxis(np.tensordot(w, x, (1, axis)), 0, axis)
        for w in (weights[:before], weights[before + n :])
    ]
    return np.concatenate([ends[0], x, ends[1]], axis=axis)


def _windows_last(window_shape: Any, axis: Any, ndim: int) -> tuple[tuple[int, ...], list[int]]:
    """Lengths of the windows, and the axes that they slide along."""
    lengths = tuple(window_shape) if np.ndim(window_shape) else (window_shape,)
    if axis is None:
        return lengths, list(range(ndim))
    return lengths, list(normalize_axis_tuple(axis, ndim, allow_duplicate=True))


def _overlap_add(g: Any, *, shape: tuple[int, ...], window_shape: Any, axis: Any = None) -> Any:
    """Every window's entries added where they were read: one sum per place in the window."""
    lengths, axes = _windows_last(window_shape, axis, len(shape))
    total = np.zeros(shape, g.dtype)
    for place in np.ndindex(*lengths):
        index = [slice(None)] * len(shape)
        for i, a in zip(place, axes, strict=True):  # an axis may slide twice: the places add up
            start = (index[a].start or 0) + i
            index[a] = slice(start, start + g.shape[a])
        total[tuple(index)] += g[(..., *place)]
    return total


_overlap = primitive(
    _overlap_add,
    lambda g, z, x, *, shape, window_shape, axis=None: np.lib.stride_tricks.sliding_window_view(
        g, window_shape, axis
    ),
    name="overlap_add",
)
primitive(
    np.lib.stride_tricks.sliding_window_view,
    lambda g, z, x, *, window_shape, axis=None: _overlap(
        g, shape=x.shape, window_shape=window_shape, axis=axis
    ),
)
