"""Arrays put together, taken apart and repeated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from autograd_lite.primitive import Primitive, composition, primitive
from autograd_lite.rules.operands import along, without_out
from autograd_lite.variable import plain

Axis = int | None


# --- together -------------------------------------------------------------------------------------


def _join(arrays: list[Any], *, axis: int, starts: list[int], **options: Any) -> Any:
    return np.concatenate(arrays, axis, **options)


_concatenate = Primitive(
    _join,
    (
        lambda g, z, arrays, *, index, axis, starts, **options: g[
            along(axis, slice(starts[index], starts[index + 1]))
        ],
    ),
    "concatenate",
    variadic=True,
)


@composition(np.concatenate, kind="primitive")
def concatenate(
    arrays: Any, /, axis: Axis = 0, out: Any = None, *, dtype: Any = None, casting: Any = None
) -> Any:
    """Where each array starts is counted once, here: in a rule, n arrays would take n² steps."""
    without_out("concatenate", out)
    if axis is None:
        arrays, axis = [np.ravel(a) for a in arrays], 0
    arrays = list(arrays)
    # the attributes, where there are any: np.shape would go through NumPy's dispatch to get them
    shapes = [a.shape if hasattr(a, "shape") else np.shape(a) for a in arrays]
    axis = normalize_axis_index(axis, len(shapes[0]))
    lengths = [sum(shape[axis : axis + 1]) for shape in shapes]  # NumPy says if an axis lacks
    settings: dict[str, Any] = {"axis": axis, "starts": list(accumulate(lengths, initial=0))}
    if dtype is not None:
        settings["dtype"] = dtype
    if casting is not None:
        settings["casting"] = casting
    return _concatenate(*arrays, **settings)


def _stack_rule(
    g: Any,
    z: Any,
    arrays: list[Any],
    *,
    index: int,
    axis: int = 0,
    dtype: Any = None,
    casting: str = "same_kind",
) -> Any:
    return g[along(axis % z.ndim, index)]


primitive(np.stack, _stack_rule, variadic=True)


@composition(np.vstack)
def vstack(tup: Sequence[Any], **options: Any) -> Any:
    """Joined as rows."""
    return np.concatenate([np.atleast_2d(a) for a in tup], axis=0, **options)


@composition(np.hstack)
def hstack(tup: Sequence[Any], **options: Any) -> Any:
    """Joined along the second axis, vectors along their only one."""
    arrays = [np.atleast_1d(a) for a in tup]
    return np.concatenate(arrays, axis=0 if arrays and arrays[0].ndim == 1 else 1, **options)


@composition(np.dstack)
def dstack(tup: Sequence[Any]) -> Any:
    """Joined along the third axis."""
    return np.concatenate([np.atleast_3d(a) for a in tup], axis=2)


@composition(np.column_stack)
def column_stack(tup: Sequence[Any]) -> Any:
    """Vectors and matrices joined as columns."""
    return np.concatenate([a if np.ndim(a) > 1 else np.reshape(a, (-1, 1)) for a in tup], axis=1)


@composition(np.block)
def block(arrays: Any) -> Any:
    """A matrix of blocks: the innermost lists are joined along the last axis."""

    def depth(nested: Any) -> int:
        if not isinstance(nested, list):
            return 0
        depths = {depth(a) for a in nested}
        if len(depths) != 1:
            raise ValueError("block: the lists are not equally deep everywhere, or one is empty")
        return 1 + depths.pop()

    def axes(nested: Any) -> int:
        return max(map(axes, nested)) if isinstance(nested, list) else np.ndim(nested)

    levels = depth(arrays)
    ndim = max(axes(arrays), levels)

    def join(nested: Any, level: int) -> Any:
        if isinstance(nested, list):
            return np.concatenate([join(a, level - 1) for a in nested], axis=-level)
        return np.reshape(nested, (1,) * (ndim - np.ndim(nested)) + np.shape(nested))

    return join(arrays, levels)


@composition(np.append)
def append(arr: Any, values: Any, axis: Axis = None) -> Any:
    """The values after the array's; both flattened if no axis is given."""
    return np.concatenate([arr, values], axis=axis)


@composition(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: Axis = None) -> Any:
    """Array and values joined, and read in the order that NumPy's insert gives to their places."""
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = normalize_axis_index(axis, arr.ndim)
    obj, count = plain(obj), arr.shape[axis]
    one_place = not isinstance(obj, slice) and np.ndim(obj) == 0
    many = len(np.insert(np.zeros(count), obj, 0)) - count
    values = np.reshape(values, (1,) * (arr.ndim - np.ndim(values)) + np.shape(values))
    if one_place:  # NumPy then counts the inserted entries along the first axis of the values
        values = np.moveaxis(values, 0, axis)
    if one_place or many == 1:
        many = values.shape[axis]
    shape = (*arr.shape[:axis], many, *arr.shape[axis + 1 :])
    joined = np.concatenate(
        [arr, np.broadcast_to(values, shape)], axis=axis, dtype=arr.dtype, casting="unsafe"
    )
    order = np.insert(np.arange(count), obj, count + np.arange(many))
    return joined[along(axis, order)]


@composition(np.delete)
def delete(arr: Any, obj: Any, axis: Axis = None) -> Any:
    """The entries that are left, by index."""
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = normalize_axis_index(axis, arr.ndim)
    return arr[along(axis, np.delete(np.arange(arr.shape[axis]), plain(obj)))]


@composition(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    """Each vector along an axis of its own; the first two change places for indexing="xy"."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing={indexing!r} is neither 'xy' nor 'ij'")
    axes = list(range(len(xi)))
    if indexing == "xy" and len(xi) > 1:
        axes[:2] = [1, 0]
    grids = [
        np.reshape(x, (*[1] * axis, -1, *[1] * (len(xi) - axis - 1)))
        for x, axis in zip(xi, axes, strict=True)
    ]
    return tuple(grids) if sparse else np.broadcast_arrays(*grids)


# --- apart ----------------------------------------------------------------------------------------


@composition(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Slices: the sweep merges their cotangents in one array."""
    axis = normalize_axis_index(axis, ary.ndim)
    length = ary.shape[axis]
    if np.ndim(indices_or_sections) == 0:
        count = int(indices_or_sections)
        if count <= 0:
            raise ValueError(f"array_split: the number of sections must be positive, not {count}")
        small, extra = divmod(length, count)
        bounds = [small * i + min(i, extra) for i in range(count + 1)]
    else:
        bounds = [0, *indices_or_sections, length]
    return [ary[along(axis, slice(a, b))] for a, b in pairwise(bounds)]


@composition(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """As array_split, into equal parts."""
    axis = normalize_axis_index(axis, ary.ndim)
    if np.ndim(indices_or_sections) == 0 and ary.shape[axis] % indices_or_sections:
        raise ValueError(
            f"split: axis {axis} of length {ary.shape[axis]} has no {indices_or_sections} equal "
            f"parts; use np.array_split"
        )
    return np.array_split(ary, indices_or_sections, axis)


def _split_along(name: str, ary: Any, indices_or_sections: Any, axis: int, ndim: int) -> list[Any]:
    if ary.ndim < ndim:
        raise ValueError(f"{name}: it needs {ndim} or more axes, and the array has {ary.ndim}")
    return np.split(ary, indices_or_sections, axis)


@composition(np.hsplit)
def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Along the second axis, vectors along their only one."""
    return _split_along("hsplit", ary, indices_or_sections, int(ary.ndim > 1), 1)


@composition(np.vsplit)
def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Along the first axis."""
    return _split_along("vsplit", ary, indices_or_sections, 0, 2)


@composition(np.dsplit)
def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Along the third axis."""
    return _split_along("dsplit", ary, indices_or_sections, 2, 3)


@composition(np.unstack)
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """What np.stack put together."""
    if not x.ndim:
        raise ValueError("unstack: a scalar has no axis to unstack")
    axis = normalize_axis_index(axis, x.ndim)
    return tuple([x[along(axis, i)] for i in range(x.shape[axis])])


@composition(np.apply_along_axis)
def apply_along_axis(func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """`func1d` of each vector along the axis, its results in the axis's place."""
    rows = np.moveaxis(arr, axis, -1)
    results = [func1d(rows[place], *args, **kwargs) for place in np.ndindex(rows.shape[:-1])]
    if not results:
        raise ValueError("apply_along_axis: there is no vector to apply the function to")
    z = np.reshape(np.stack(results), rows.shape[:-1] + np.shape(results[0]))
    added, first = z.ndim - rows.ndim + 1, rows.ndim - 1
    axis = normalize_axis_index(axis, arr.ndim)
    return np.moveaxis(z, range(first, first + added), range(axis, axis + added))


@composition(np.apply_over_axes)
def apply_over_axes(func: Any, a: Any, axes: Any) -> Any:
    """`func(a, axis)` over one axis after the other; reduced axes are kept with length 1."""
    ndim = np.ndim(a)
    for axis in np.atleast_1d(axes):
        axis = normalize_axis_index(int(axis), ndim)
        z = func(a, axis)
        a = z if np.ndim(z) == np.ndim(a) else np.expand_dims(z, axis)
    return a


# --- repeated -------------------------------------------------------------------------------------


@composition(np.tile)
def tile(A: Any, reps: Any) -> Any:
    """Copies side by side: broadcast along new axes, which are then merged into the old ones."""
    reps = tuple(reps) if np.ndim(reps) else (reps,)
    shape = (1,) * (len(reps) - np.ndim(A)) + np.shape(A)
    reps = (1,) * (len(shape) - len(reps)) + reps
    A = np.reshape(A, [length for n in shape for length in (1, n)])
    A = np.broadcast_to(A, [length for r, n in zip(reps, shape, strict=True) for length in (r, n)])
    return np.reshape(A, [r * n for r, n in zip(reps, shape, strict=True)])


@composition(np.repeat)
def repeat(a: Any, repeats: Any, axis: Axis = None) -> Any:
    """Each entry several times in a row: broadcast for one count, read by index for many."""
    if axis is None:
        a, axis = np.ravel(a), 0
    axis = normalize_axis_index(axis, a.ndim)
    count = a.shape[axis]
    if np.size(repeats) != 1:
        return a[along(axis, np.repeat(np.arange(count), plain(repeats)))]
    times = int(np.reshape(repeats, ()))
    head, tail = a.shape[:axis], a.shape[axis + 1 :]
    wide = np.broadcast_to(np.expand_dims(a, axis + 1), (*head, count, times, *tail))
    return np.reshape(wide, (*head, count * times, *tail))


@composition(np.resize)
def resize(a: Any, new_shape: Any) -> Any:
    """The entries over and over, until the new shape is full."""
    shape = tuple(new_shape) if np.ndim(new_shape) else (int(new_shape),)
    flat = np.ravel(a)
    if any(n < 0 for n in shape):
        raise ValueError(f"resize: the new shape {shape} has a negative length")
    size = math.prod(shape)
    if flat.size:
        copies = np.tile(flat, -(-size // flat.size))
    else:  # nothing to repeat: NumPy fills with 0
        copies = np.concatenate([flat, np.zeros(size, flat.dtype)])
    return np.reshape(copies[:size], shape)
