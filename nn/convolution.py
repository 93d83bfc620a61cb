"""Convolution and its transpose, over any number of axes of space: windows and a matrix product.

Arrays are (batch, channels, *space). As everywhere in the field, the kernel is not flipped:
mathematicians call it cross-correlation.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_lite.errors import kind
from nn.module import Operand, here, operand
from nn.windows import Lengths, Setting, batch_first, per_axis, refuse_unlike, sliding, windows


def convolution(
    x: Operand,
    weight: Operand,
    bias: Operand | None = None,
    stride: Setting = 1,
    padding: Setting | str = 0,
    dilation: Setting = 1,
    groups: int = 1,
) -> Any:
    """Every window times the kernel, z[n, o, p] = Σ_c Σ_k W[o, c, k]·x[n, c, s·p + d·k] + bias[o].

    x: (batch, channels, *space), weight: (outputs, channels / groups, *size), bias: (outputs,), z:
    (batch, outputs, *⌊(space + 2·padding − d·(size − 1) − 1) / s⌋ + 1). Space has as many axes as
    the weight says: one or two, for instance. stride s, padding with zeros and dilation d: one
    number, or one for each axis; padding="same" makes ⌈space / s⌉ outputs, with an odd zero at the
    end. With groups, each group of channels makes its share of the outputs.

    Source: LeCun et al. 1989, lecture 1; Dumoulin and Visin 2016, "A guide to convolution
    arithmetic". Raises ValueError for shapes that do not fit and settings out of range, TypeError
    for settings that are not whole numbers.

    >>> import numpy as np, nn
    >>> x = np.array([[[1.0, 2.0, 4.0, 8.0]]])
    >>> nn.convolution(x, np.array([[[-1.0, 1.0]]]))
    array([[[1., 2., 4.]]])
    >>> nn.convolution(x, np.array([[[-1.0, 1.0]]]), stride=2)
    array([[[1., 4.]]])
    """
    x, weight = operand(x), operand(weight)
    groups = _groups("convolution", x, weight, bias, groups)
    how = sliding("convolution", x, weight.shape[2:], stride, padding, dilation)
    outputs, batch = weight.shape[0], x.shape[0]
    *rows, row = how.space
    columns = windows(x, how, x.ndim - 2)  # (*rows, channels, places, row, batch)
    columns = np.reshape(columns, (*rows, groups, -1, row * batch))
    z = np.reshape(weight, (groups, outputs // groups, -1)) @ columns
    if bias is not None:
        z = z + np.reshape(bias, (groups, -1, 1))
    return batch_first(np.reshape(z, (*rows, outputs, row, batch)))


def transposed_convolution(
    x: Operand,
    weight: Operand,
    bias: Operand | None = None,
    stride: Setting = 1,
    padding: Setting = 0,
    dilation: Setting = 1,
    groups: int = 1,
    output_padding: Setting = 0,
) -> Any:
    """What `convolution` is the transpose of: z[n, o, s·p + d·k] = Σ_c W[c, o, k]·x[n, c, p] + ….

    The terms that meet at a place are added up. x: (batch, channels, *space), weight: (channels,
    outputs / groups, *size), z: (batch, outputs, *(space − 1)·s − 2·padding + d·(size − 1) + 1 +
    output_padding): padding is cut off on both sides, `output_padding` is added at the end, for the
    lengths that a stride of the convolution rounded down. It has the shape of a convolution's
    input, and is its vector-Jacobian product.

    Computed as a convolution by one kernel for each of the s phases of the output, which are then
    interleaved: so no zeros between the entries of x are multiplied (Shi et al. 2016).

    Source: Dumoulin and Visin 2016, chapter 4. Raises as `convolution` does.

    >>> import numpy as np, nn
    >>> nn.transposed_convolution(np.array([[[1.0, 10.0]]]), np.array([[[1.0, 2.0, 3.0]]]))
    array([[[ 1., 12., 23., 30.]]])
    >>> nn.transposed_convolution(np.array([[[1.0, 10.0]]]), np.array([[[1.0, 2.0]]]), stride=2)
    array([[[ 1.,  2., 10., 20.]]])
    """
    asked = "transposed_convolution"
    x, weight = operand(x), operand(weight)
    groups = _groups(asked, x, weight, bias, groups, transposed=True)
    axes = x.ndim - 2
    stride = per_axis(asked, "stride", stride, axes)
    padding = per_axis(asked, "padding", padding, axes, 0)
    dilation = per_axis(asked, "dilation", dilation, axes)
    extra = per_axis(asked, "output_padding", output_padding, axes, 0)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ValueError(
            f"{asked}: expected an output_padding below the stride or the dilation, received: "
            f"{output_padding!r}{here()}; what no window reaches is nothing but bias"
        )
    weight = _dilated(weight, dilation)
    lengths = _transposed_lengths(asked, x.shape[2:], weight.shape[2:], stride, padding, extra)
    phases, steps = _phases(weight, stride, groups)
    z = convolution(x, phases, padding=[n - 1 for n in steps], groups=groups)
    z = _interleaved(z, stride)
    after = [max(p + n - m, 0) for p, n, m in zip(padding, lengths, z.shape[2:], strict=True)]
    if any(after):
        z = np.pad(z, [(0, 0), (0, 0), *[(0, n) for n in after]])
    z = z[(..., *[slice(p, p + n) for p, n in zip(padding, lengths, strict=True)])]
    return z if bias is None else z + np.reshape(bias, (-1,) + (1,) * axes)


def _transposed_lengths(
    asked: str, space: Lengths, reach: Lengths, stride: Lengths, padding: Lengths, extra: Lengths
) -> list[int]:
    """(space − 1)·stride + reach − 2·padding + extra, of which something must be left."""
    lengths = [
        (n - 1) * s + r - 2 * p + e
        for n, s, r, p, e in zip(space, stride, reach, padding, extra, strict=True)
    ]
    if min(lengths) < 1:
        raise ValueError(
            f"{asked}: padding {padding} leaves nothing of the output for an input of {space}"
            f"{here()}; expected less padding or a larger kernel"
        )
    return lengths


def _dilated(weight: Any, dilation: tuple[int, ...]) -> Any:
    """The kernel with dilation − 1 zeros between its entries."""
    for axis, d in enumerate(dilation, 2):
        if d > 1:
            n = weight.shape[axis]
            widths = [(0, 0)] * weight.ndim
            widths.insert(axis + 1, (0, d - 1))
            weight = np.pad(np.expand_dims(weight, axis + 1), widths)
            shape = weight.shape
            weight = np.reshape(weight, (*shape[:axis], n * d, *shape[axis + 2 :]))
            weight = weight[(slice(None),) * axis + (slice(n * d - d + 1),)]
    return weight


def _phases(weight: Any, stride: tuple[int, ...], groups: int) -> tuple[Any, list[int]]:
    """The kernel that makes each of the ∏ stride phases of the output, and how long each is.

    (channels, outputs / groups, *size) → (outputs·∏ stride, channels / groups, *steps).
    """
    channels, outputs, *size = weight.shape
    axes = len(size)
    steps = [-(-k // s) for k, s in zip(size, stride, strict=True)]
    short = [n * s - k for n, s, k in zip(steps, stride, size, strict=True)]
    if any(short):
        weight = np.pad(weight, [(0, 0), (0, 0), *[(0, n) for n in short]])
    split = [n for pair in zip(steps, stride, strict=True) for n in pair]
    weight = np.reshape(weight, (groups, channels // groups, outputs, *split))
    weight = np.flip(weight, tuple(range(3, 3 + 2 * axes, 2)))
    order = (0, 2, *range(4, 4 + 2 * axes, 2), 1, *range(3, 3 + 2 * axes, 2))
    shape = (groups * outputs * math.prod(stride), channels // groups, *steps)
    return np.reshape(np.transpose(weight, order), shape), steps


def _interleaved(z: Any, stride: tuple[int, ...]) -> Any:
    """Phases among the channels put in their places: (batch, o·∏ stride, *n) → (batch, o, *n·s)."""
    if max(stride) == 1:
        return z
    batch, channels, *space = z.shape
    axes = len(stride)
    outputs = channels // math.prod(stride)
    z = np.reshape(z, (batch, outputs, *stride, *space))
    pairs = [(2 + axes + i, 2 + i) for i in range(axes)]
    rows = [axis for pair in pairs[:-1] for axis in pair]
    z = np.transpose(z, (*rows, 1, *pairs[-1], 0))  # the batch last, as windows have it
    *rows, row = [n * s for n, s in zip(space, stride, strict=True)]
    return batch_first(np.reshape(z, (*rows, outputs, row, batch)))


def _groups(
    asked: str, x: Any, weight: Any, bias: Any, groups: Any, transposed: bool = False
) -> int:
    """The number of groups, once x, weight and bias fit each other."""
    if weight.ndim < 3 or math.prod(weight.shape) == 0:
        names = "channels, outputs / groups" if transposed else "outputs, channels / groups"
        raise ValueError(
            f"{asked}: expected a weight ({names}, *size) without empty axes, received: "
            f"{kind(weight)}{here()}"
        )
    refuse_unlike(asked, x, weight.ndim - 2)
    (groups,) = per_axis(asked, "groups", groups, 1)
    first, second = weight.shape[:2]
    if first % groups:
        raise ValueError(
            f"{asked}: expected groups that divide the {first} "
            f"{'channels' if transposed else 'outputs'} of the weight, received: groups={groups}"
            f"{here()}"
        )
    channels = first if transposed else second * groups
    if x.shape[1] != channels:
        raise ValueError(
            f"{asked}: expected {channels} channels, on axis 1, for a weight of shape "
            f"{weight.shape}{f' and groups={groups}' if groups > 1 else ''}, received: {kind(x)}"
            f"{here()}; arrays are (batch, channels, *space)"
        )
    outputs = second * groups if transposed else first
    if bias is not None and np.shape(bias) != (outputs,):
        raise ValueError(
            f"{asked}: expected a bias of shape ({outputs},), received: {kind(operand(bias))}"
            f"{here()}"
        )
    return int(groups)
