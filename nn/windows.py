"""Windows: what convolution and pooling read, a copy of space for every place in the kernel.

Arrays are (batch, channels, *space), as in the field's papers. In memory the batch comes last, so
that whatever slides along space copies and adds long runs: for 5×5 windows over 64 images of 8
channels, there and back, that is four to five times as fast as having either space or the channels
last. Results lie in memory in that order, and inputs are brought into it.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import autograd_lite as ag
from autograd_lite.errors import kind
from nn.module import here

Setting: TypeAlias = int | Sequence[int]
"""One number for every axis of space, or one for each."""

Lengths: TypeAlias = tuple[int, ...]


class Sliding(NamedTuple):
    """How windows slide over space, axis by axis: entry k of window p is at stride·p + dilation·k.

    That place is counted from where the padding, (before, after), begins; `space` is how many
    windows there are.
    """

    size: Lengths
    stride: Lengths
    padding: tuple[tuple[int, int], ...]
    dilation: Lengths
    space: Lengths


def sliding(
    asked: str, x: Any, size: Any, stride: Setting, padding: Setting | str, dilation: Setting
) -> Sliding:
    """How windows of this size slide over x, (batch, channels, *space); or what is wrong with it.

    padding="same" makes ⌈n / stride⌉ windows over n entries, with an odd one padded at the end.
    """
    axes = x.ndim - 2
    return _sliding(
        asked,
        x.shape[2:],
        per_axis(asked, "size", size, axes),
        per_axis(asked, "stride", stride, axes),
        known_padding(asked, padding, axes),
        per_axis(asked, "dilation", dilation, axes),
    )


@functools.lru_cache  # a network asks the same again and again, which should cost it nothing
def _sliding(
    asked: str, lengths: Lengths, size: Lengths, stride: Lengths, padding: Any, dilation: Lengths
) -> Sliding:
    reach = tuple([d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True)])
    if padding == "same":
        pads = []
        for n, s, r in zip(lengths, stride, reach, strict=True):
            missing = max((-(-n // s) - 1) * s + r - n, 0)
            pads.append((missing // 2, missing - missing // 2))
    else:
        pads = [(n, n) for n in padding]
    padded = tuple([n + sum(pad) for n, pad in zip(lengths, pads, strict=True)])
    if any(r > n for r, n in zip(reach, padded, strict=True)):
        with_padding = f", with padding {_times(padded)}" if padded != lengths else ""
        raise ValueError(
            f"{asked}: expected an input of at least {_times(reach)}, which is how far a window "
            f"reaches, received {_times(lengths)}{with_padding}{here()}; pad it, or take smaller "
            f"windows"
        )
    space = tuple([(n - r) // s + 1 for n, r, s in zip(padded, reach, stride, strict=True)])
    return Sliding(size, stride, tuple(pads), dilation, space)


def per_axis(asked: str, name: str, value: Any, axes: int, least: int = 1) -> Lengths:
    """A setting as a whole number for each axis of space, none of them below `least`."""
    try:
        numbers = (operator.index(value),) * axes
    except TypeError:
        try:
            numbers = tuple([operator.index(n) for n in value])
        except TypeError:
            raise TypeError(
                f"{asked}: {name} takes whole numbers, received: {value!r}{here()}"
            ) from None
    if len(numbers) != axes or min(numbers, default=least) < least:
        raise ValueError(
            f"{asked}: {name} takes a number from {least} on{f', or {axes} of them' * (axes > 1)}, "
            f"received: {value!r}{here()}"
        )
    return numbers


def known_padding(asked: str, padding: Setting | str, axes: int) -> Lengths | str:
    """The padding on both sides of each axis, or "same" as it is."""
    if not isinstance(padding, str):
        return per_axis(asked, "padding", padding, axes, 0)
    if padding != "same":
        raise ValueError(
            f"{asked}: padding is 'same' or a number for each axis, received: {padding!r}{here()}"
        )
    return padding


def known_settings(
    asked: str, size: Setting, stride: Setting, padding: Setting | str, dilation: Setting
) -> None:
    """Refuse settings that are wrong for any number of axes of space, or do not fit each other."""
    given = {"size": size, "stride": stride, "padding": padding, "dilation": dilation}
    lengths = {name: len(value) for name, value in given.items() if isinstance(value, tuple | list)}
    axes = max(lengths.values(), default=1)
    known_padding(asked, given.pop("padding"), axes)
    for name, value in given.items():
        per_axis(asked, name, value, axes)


def refuse_unlike(asked: str, x: Any, axes: int | None = None) -> None:
    """Refuse what is not (batch, channels, *space), with this many axes of space, and not empty."""
    names = {1: ", length", 2: ", height, width"}.get(axes or 0, ", *space")
    if x.ndim != axes + 2 if axes else x.ndim < 3:
        raise ValueError(
            f"{asked}: expected an array (batch, channels{names}), received: {kind(x)}{here()}; "
            f"reshape it, or add an axis with [:, None]"
        )
    if math.prod(x.shape) == 0:
        raise ValueError(
            f"{asked}: expected at least one sample, channel and entry, received: {kind(x)}"
            f"{here()}; leave empty batches out"
        )


def windows(x: Any, how: Sliding, position: int, fill: float = 0) -> Any:
    """All windows over x, the places in a window merged into one axis at this position of z.

    x: (batch, channels, *space); z: (*rows, channels, row, batch) with how.space in place of space
    (rows and row: all its axes but the last, and the last), and one axis more, of ∏ how.size, in
    row-major order. Padding has the value `fill`.
    """
    count = x.ndim - 2
    axes = (*range(count - 1), count)  # of space, once the batch is last
    x = np.transpose(x, _batch_last(x.ndim))
    if any(map(any, how.padding)):
        widths = [(0, 0)] * x.ndim
        for axis, width in zip(axes, how.padding, strict=True):
            widths[axis] = width
        x = np.pad(x, widths, constant_values=fill)
    elif not _contiguous(x):
        x = np.copy(x, order="C")
    if max(how.dilation) == 1 and max(how.stride) == 1:
        view = sliding_window_view(x, how.size, axes)
        inside: Any = range(x.ndim, x.ndim + count)
    elif max(how.dilation) == 1 and how.stride == how.size:  # side by side: nothing overlaps
        view, inside = _tiles(x, how, axes)
    else:
        return _slices(x, how, axes, position)
    rest = [axis for axis in range(view.ndim) if axis not in inside]
    view = np.transpose(view, (*rest[:position], *inside, *rest[position:]))
    shape = view.shape
    return np.reshape(view, (*shape[:position], -1, *shape[position + count :]))


def _tiles(x: Any, how: Sliding, axes: Lengths) -> tuple[Any, list[int]]:
    """Each axis of space as two: which window, and which place in it."""
    used = [slice(None)] * x.ndim
    shape, inside = [], []
    for axis, n in enumerate(x.shape):
        shape.append(n)
        if axis in axes:
            i = axes.index(axis)
            used[axis] = slice(how.size[i] * how.space[i])
            shape[-1:] = [how.space[i], how.size[i]]
            inside.append(len(shape) - 1)
    if math.prod(shape) != math.prod(x.shape):
        x = x[tuple(used)]
    return np.reshape(x, shape), inside


def _slices(x: Any, how: Sliding, axes: Lengths, position: int) -> Any:
    """The stretch of space that each place in the window meets on its way."""
    index = [slice(None)] * x.ndim
    copies = []
    with ag.scope("windows"):  # one frame in a picture, of many slices
        for at in np.ndindex(how.size):
            for axis, k, s, d, n in zip(axes, at, how.stride, how.dilation, how.space, strict=True):
                index[axis] = slice(k * d, k * d + s * (n - 1) + 1, s)
            copies.append(x[tuple(index)])
        return np.stack(copies, axis=position)


def batch_first(z: Any) -> Any:
    """(*rows, channels, row, batch), as it lies in memory, seen as (batch, channels, *space)."""
    count = z.ndim - 2
    return np.transpose(z, (count + 1, count - 1, *range(count - 1), count))


def _batch_last(ndim: int) -> Lengths:
    """The order of axes in memory: each row of space is a matrix product that fits the cache."""
    return (*range(2, ndim - 1), 1, ndim - 1, 0)


def _contiguous(x: Any) -> bool:
    flags = getattr(x.data if isinstance(x, ag.Variable) else x, "flags", None)
    return flags is None or bool(flags.c_contiguous)


@functools.lru_cache
def counts(how: Sliding, lengths: Lengths) -> list[Any]:
    """How many places of each window are no padding, one array for each axis of space."""
    numbers = []
    for n, k, s, (before, _), d, m in zip(lengths, *how, strict=True):
        places = s * np.arange(m)[:, None] + d * np.arange(k) - before
        numbers.append(np.count_nonzero((places >= 0) & (places < n), axis=1))
    return numbers


def _times(lengths: Lengths) -> str:
    return "×".join(map(str, lengths))


def short(setting: Any) -> Any:
    """One number for a setting that is the same on all axes."""
    return setting[0] if isinstance(setting, tuple) and len(set(setting)) == 1 else setting


def unusual(**settings: tuple[Any, Any]) -> str:
    """Those of a layer's settings, (value, usual value), that are not as usual, for its repr."""
    pairs = {name: (short(value), usual) for name, (value, usual) in settings.items()}
    return "".join(f", {name}={v!r}" for name, (v, usual) in pairs.items() if v != usual)
