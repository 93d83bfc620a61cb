"""Convolutions as layers, which draw their weights; `convolution` has the functions.

They raise what the functions do, and messages name the layer; for settings when they are made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag
from nn import initialisers
from nn.convolution import convolution, transposed_convolution
from nn.module import Module, Operand
from nn.settings import whole_number
from nn.windows import Setting, known_padding, per_axis, short, unusual


class _Convolution(Module):
    """What the four layers share: their parameters and settings."""

    axes: int
    symbols = {"weight": "W", "bias": "bias"}  # noqa: RUF012 - annotated as a ClassVar in Module

    def __init__(
        self,
        channels: int,
        outputs: int,
        size: Setting,
        rng: np.random.Generator | None = None,
        stride: Setting = 1,
        padding: Setting | str = 0,
        dilation: Setting = 1,
        groups: int = 1,
        bias: bool = True,
        dtype: DTypeLike = float,
        name: str | None = None,
        initialiser: Callable[..., Any] = initialisers.glorot_uniform,
    ):
        self.name = name
        channels = whole_number(self._label, "channels", channels)
        outputs = whole_number(self._label, "outputs", outputs)
        groups = whole_number(self._label, "groups", groups)
        if channels % groups or outputs % groups:
            raise ValueError(
                f"{self._label}: expected groups that divide channels and outputs, received: "
                f"{channels} channels, {outputs} outputs, groups={groups}"
            )
        self.size = per_axis(self._label, "size", size, self.axes)
        self.stride = per_axis(self._label, "stride", stride, self.axes)
        self.dilation = per_axis(self._label, "dilation", dilation, self.axes)
        self.padding: Any = self._padding(padding)
        self.groups = groups
        rng = initialisers.generator(self._label, rng)
        # a group is a convolution of its own, and weights are drawn for its numbers of channels
        shape = (outputs // groups, channels // groups, *self.size)
        kernels = [initialisers.drawn(self._label, initialiser, shape, rng) for _ in range(groups)]
        weight = np.concatenate([self._oriented(kernel) for kernel in kernels])
        self.weight = ag.Variable(weight.astype(dtype), self._named("W"))
        self.bias = ag.Variable(np.zeros(outputs, dtype), self._named("bias")) if bias else None

    def _padding(self, padding: Setting | str) -> tuple[int, ...] | str:
        return known_padding(self._label, padding, self.axes)

    def _oriented(self, kernel: Any) -> Any:
        return kernel

    def forward(self, x: Operand) -> Any:
        """The convolution of x with the weight, plus bias."""
        return convolution(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )

    def __repr__(self) -> str:
        outputs, channels = self.weight.shape[0], self.weight.shape[1] * self.groups
        return self._repr(channels, outputs)

    def _repr(self, channels: int, outputs: int) -> str:
        said = unusual(
            stride=(self.stride, 1),
            padding=(self.padding, 0),
            dilation=(self.dilation, 1),
            groups=(self.groups, 1),
            bias=(self.bias is not None, True),
        )
        return f"{type(self).__name__}({channels}, {outputs}, {short(self.size)}{said})"


class Convolution1D(_Convolution):
    """The layer of `nn.convolution` over one axis: (batch, channels, length).

    `Convolution1D(channels, outputs, size, rng=None, stride=1, padding=0, dilation=1, groups=1,
    bias=True, dtype=float, name=None, initialiser=nn.initialisers.glorot_uniform)`. `weight`:
    (outputs, channels / groups, size), drawn from `rng`, each group by itself, by default uniformly
    between ±√(6·groups / ((channels + outputs)·size)); `bias`: (outputs,), zeros, or None with
    `bias=False`.

    >>> import numpy as np, nn
    >>> layer = nn.Convolution1D(2, 5, 3, rng=np.random.default_rng(0), padding="same")
    >>> layer(np.ones((10, 2, 20))).shape
    (10, 5, 20)
    """

    axes = 1
    formula = "Y = W ∗ X + bias"
    short_name = "conv"


class Convolution2D(_Convolution):
    """The layer of `nn.convolution` over two axes: (batch, channels, height, width).

    Constructed as `nn.Convolution1D`; `size`, `stride`, `padding` and `dilation` may be pairs.

    >>> import numpy as np, nn
    >>> layer = nn.Convolution2D(3, 8, 5, rng=np.random.default_rng(0), stride=2)
    >>> layer(np.ones((10, 3, 28, 28))).shape
    (10, 8, 12, 12)
    >>> layer
    Convolution2D(3, 8, 5, stride=2)
    """

    axes = 2
    formula = "Y = W ∗ X + bias"
    short_name = "conv"


class _Transposed(_Convolution):
    def __init__(self, *settings: Any, output_padding: Setting = 0, **more: Any):
        super().__init__(*settings, **more)
        self.output_padding = per_axis(self._label, "output_padding", output_padding, self.axes, 0)

    def _padding(self, padding: Setting | str) -> tuple[int, ...]:
        return per_axis(self._label, "padding", padding, self.axes, 0)

    def _oriented(self, kernel: Any) -> Any:
        return np.swapaxes(kernel, 0, 1)

    def forward(self, x: Operand) -> Any:
        """The transposed convolution of x with the weight, plus bias."""
        return transposed_convolution(
            x,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            self.output_padding,
        )

    def __repr__(self) -> str:
        return self._repr(self.weight.shape[0], self.weight.shape[1] * self.groups)


class TransposedConvolution1D(_Transposed):
    """The layer of `nn.transposed_convolution` over one axis: (batch, channels, length).

    Constructed as `nn.Convolution1D`, and by the keyword with `output_padding=0`. `weight`:
    (channels, outputs / groups, size).

    >>> import numpy as np, nn
    >>> rng = np.random.default_rng(0)
    >>> layer = nn.TransposedConvolution1D(2, 5, 4, rng, stride=2, padding=1)
    >>> layer(np.ones((10, 2, 20))).shape
    (10, 5, 40)
    """

    axes = 1
    formula = "Y = Wᵀ ∗ X + bias"
    short_name = "deconv"


class TransposedConvolution2D(_Transposed):
    """The layer of `nn.transposed_convolution` over two axes: (batch, channels, height, width).

    Constructed as `nn.TransposedConvolution1D`, and the settings may be pairs.

    >>> import numpy as np, nn
    >>> rng = np.random.default_rng(0)
    >>> layer = nn.TransposedConvolution2D(8, 3, 4, rng, stride=2, padding=1)
    >>> layer(np.ones((10, 8, 7, 7))).shape
    (10, 3, 14, 14)
    """

    axes = 2
    formula = "Y = Wᵀ ∗ X + bias"
    short_name = "deconv"
