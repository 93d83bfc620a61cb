"""Normalisation: of a vector's length, over a batch, and over a sample's features."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import DTypeLike

import autograd_lite as ag
from autograd_lite.errors import kind
from autograd_lite.variable import plain
from nn.module import Module, Operand, floating, held_constant, refuse_empty
from nn.settings import number, whole_number


def l1_normalisation(x: Operand, axis: int = -1) -> Any:
    """A vector divided by the sum of its entries' sizes, z = x / Σ|xᵢ|, along an axis (lecture 2).

    x: any shape with that axis, z: the same. The zero vector has no direction: z is zero there, and
    so is its gradient. Nothing overflows or vanishes on the way. Raises ValueError (NumPy's
    AxisError) for an axis that x does not have.

    >>> import numpy as np, nn
    >>> nn.l1_normalisation(np.array([[1.0, -3.0], [0.0, 0.0]]))
    array([[ 0.25, -0.75],
           [ 0.  ,  0.  ]])
    """
    return _of_length_one(x, 1, axis)


def l2_normalisation(x: Operand, axis: int = -1) -> Any:
    """A vector divided by its length, z = x / √Σxᵢ², along an axis (lecture 2).

    x: any shape with that axis, z: the same. The zero vector has no direction: z is zero there, and
    so is its gradient. Nothing overflows or vanishes on the way. Raises ValueError (NumPy's
    AxisError) for an axis that x does not have.

    >>> import numpy as np, nn
    >>> nn.l2_normalisation(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    return _of_length_one(x, 2, axis)


def _of_length_one(x: Operand, order: int, axis: int) -> Any:
    x = floating(x)
    axis = normalize_axis_index(axis, x.ndim, f"l{order}_normalisation")
    # The largest entry is 1 before the norm is taken, or squares would overflow and vanish. x / ∞
    # keeps zero vectors, and their gradients, zero.
    largest = np.max(np.abs(held_constant(x)), axis=axis, keepdims=True, initial=0)
    x = x / np.where(largest == 0, np.inf, largest)
    norm = np.linalg.norm(x, order, axis=axis, keepdims=True)
    return x / np.where(norm == 0, 1, norm)


class L1Normalisation(Module):
    """The layer of `nn.l1_normalisation` along `axis`, by default the last.

    >>> import numpy as np, nn
    >>> nn.L1Normalisation()(np.array([1.0, -3.0]))
    array([ 0.25, -0.75])
    """

    formula = "Y = X / Σ|xᵢ|"

    def __init__(self, axis: int = -1):
        self.axis = axis

    def forward(self, x: Operand) -> Any:
        """l1_normalisation(x) along the axis."""
        return l1_normalisation(x, self.axis)

    def __repr__(self) -> str:
        return f"L1Normalisation({'' if self.axis == -1 else f'axis={self.axis}'})"


class L2Normalisation(Module):
    """The layer of `nn.l2_normalisation` along `axis`, by default the last.

    >>> import numpy as np, nn
    >>> nn.L2Normalisation()(np.array([3.0, 4.0]))
    array([0.6, 0.8])
    """

    formula = "Y = X / √Σxᵢ²"

    def __init__(self, axis: int = -1):
        self.axis = axis

    def forward(self, x: Operand) -> Any:
        """l2_normalisation(x) along the axis."""
        return l2_normalisation(x, self.axis)

    def __repr__(self) -> str:
        return f"L2Normalisation({'' if self.axis == -1 else f'axis={self.axis}'})"


class _Standardising(Module):
    """What BatchNorm and LayerNorm share: mean 0 and deviation 1, then γ and β, if any."""

    symbols = {"weight": "γ", "bias": "β"}  # noqa: RUF012 - annotated as a ClassVar in Module
    short_name = "norm"

    def __init__(
        self,
        shape: tuple[int, ...],
        epsilon: float,
        affine: bool,
        bias: bool,
        dtype: DTypeLike,
        name: str | None,
    ):
        self.name = name
        self.epsilon = number(
            self._label, "epsilon", epsilon, "above 0, and finite", lambda e: 0 < e < math.inf
        )
        self.weight = ag.Variable(np.ones(shape, dtype), self._named("γ")) if affine else None
        self.bias = (
            ag.Variable(np.zeros(shape, dtype), self._named("β")) if affine and bias else None
        )

    def _standardised(self, centred: Any, variance: Any, shape: tuple[int, ...]) -> Any:
        """γ·centred / √(variance + ε) + β, with γ and β in this shape."""
        y = centred / np.sqrt(variance + self.epsilon)
        if self.weight is not None:
            y = _shaped(self.weight, shape) * y
        return y if self.bias is None else y + _shaped(self.bias, shape)

    def _said(self, *settings: str) -> str:
        """The class with these settings, and with `affine` or `bias` if they are unusual."""
        if self.weight is None:
            settings = (*settings, "affine=False")
        elif self.bias is None:
            settings = (*settings, "bias=False")
        return f"{type(self).__name__}({', '.join(settings)})"


def _shaped(v: ag.Variable, shape: tuple[int, ...]) -> Any:
    """The Variable in this shape, recording nothing where it has that shape already."""
    return v if v.shape == shape else np.reshape(v, shape)


class BatchNorm(_Standardising):
    """Every channel with mean 0 and deviation 1 over the batch: Y = γ·(X − μ) / √(σ² + ε) + β.

    `BatchNorm(channels, momentum=0.1, epsilon=1e-5, affine=True, bias=True, axis=1, dtype=float,
    name=None)`. X: (batch, channels), or (batch, channels, *space) as for convolutions; `axis` says
    where the channels are. Y has the shape of X. γ is `weight`, β is `bias`, both (channels,), from
    1 and 0 on; `affine=False` leaves both out, `bias=False` the second.

    In training μ and σ² are those of the batch, over all axes but that of the channels, σ² with
    divisor m, for m values per channel. Outside of training (`eval()`) they are the buffers
    `running_mean` and `running_variance`, which every call in training moves by momentum·(μ − old),
    and towards σ²·m/(m − 1), the estimate without bias; with `momentum=None` they are plain means
    over the `batches` seen, as in the paper.

    Source: Ioffe and Szegedy 2015, algorithms 1 and 2. Raises ValueError for X with another number
    of channels, for empty batches, in training for less than two values per channel, for sizes
    below 1 and settings out of range; FloatingPointError in training where a mean or variance is
    not finite, which the buffers would never lose again. Outside of training NaN is passed on.

    >>> import numpy as np, nn
    >>> layer = nn.BatchNorm(1)
    >>> layer(np.array([[0.0], [2.0]])).data.round(3)
    array([[-1.],
           [ 1.]])
    >>> layer.running_mean.data, layer.running_variance.data
    (array([0.1]), array([1.1]))
    """

    formula = "Y = γ·(X − μ) / √(σ² + ε) + β"

    def __init__(
        self,
        channels: int,
        momentum: float | None = 0.1,
        epsilon: float = 1e-5,
        affine: bool = True,
        bias: bool = True,
        axis: int = 1,
        dtype: DTypeLike = float,
        name: str | None = None,
    ):
        self.name = name
        channels = whole_number(self._label, "channels", channels)
        super().__init__((channels,), epsilon, affine, bias, dtype, name)
        if momentum is not None:
            expected = "from 0 to 1, or None for plain means"
            momentum = number(self._label, "momentum", momentum, expected, lambda m: 0 <= m <= 1)
        self.momentum = momentum
        self.axis = operator.index(axis)
        self.running_mean = ag.Variable(
            np.zeros(channels, dtype), self._named("running_mean"), requires_grad=False
        )
        self.running_variance = ag.Variable(
            np.ones(channels, dtype), self._named("running_variance"), requires_grad=False
        )
        self.batches = ag.Variable(0, self._named("batches"), requires_grad=False)

    def forward(self, x: Operand) -> Any:
        """γ·(x − μ) / √(σ² + ε) + β."""
        x = floating(x)
        axis, shape = self._axis_and_shape(x)
        if not self.training:
            centred = x - _shaped(self.running_mean, shape)
            return self._standardised(centred, _shaped(self.running_variance, shape), shape)
        others = tuple(n for n in range(x.ndim) if n != axis)
        values = math.prod(x.shape[n] for n in others)
        if values < 2:
            raise ValueError(
                f"{self._label}: expected at least two values per channel in training, received: "
                f"{kind(x)}; a batch of one has no deviation: take larger batches, or eval()"
            )
        mean = np.mean(x, axis=others, keepdims=True)
        self._refuse_not_finite(plain(mean), "mean")
        centred = x - mean
        variance = np.mean(centred**2, axis=others, keepdims=True)
        unbiased = plain(variance) * (values / (values - 1))
        self._refuse_not_finite(unbiased, "variance")
        self._remember(plain(mean), unbiased)
        return self._standardised(centred, variance, shape)

    def _refuse_not_finite(self, seen: Any, what: str) -> None:
        if not np.isfinite(seen).all():
            channel = int(np.flatnonzero(~np.isfinite(seen))[0])
            raise FloatingPointError(
                f"{self._label}: expected finite numbers in training, received NaN or infinity, or "
                f"numbers too large for {seen.dtype}, in channel {channel}, which the running "
                f"{what} would never lose again; look for where they come from, with ag.debug() "
                f"for instance"
            )

    def _axis_and_shape(self, x: Any) -> tuple[int, tuple[int, ...]]:
        """The axis of the channels, counted from 0, and a shape that broadcasts along it."""
        (channels,) = self.running_mean.shape
        fits = -x.ndim <= self.axis < x.ndim and x.shape[self.axis] == channels
        if x.ndim < 2 or not fits:
            raise ValueError(
                f"{self._label}: expected an array with {channels} channels on axis {self.axis}, "
                f"(batch, channels) or (batch, channels, *space), received: {kind(x)}; make it "
                f"BatchNorm with as many channels as there are, or pass axis="
            )
        refuse_empty(self._label, f"samples of {channels} channels", x)
        axis = self.axis % x.ndim
        return axis, (channels,) + (1,) * (x.ndim - 1 - axis)

    def _remember(self, mean: Any, variance: Any) -> None:
        """Move the running statistics towards those of a batch, which counts once."""
        if ag.recomputing():
            return
        batches = self.batches.item() + 1
        rate = 1 / batches if self.momentum is None else self.momentum
        for running, seen in ((self.running_mean, mean), (self.running_variance, variance)):
            old = running.data
            running.assign(old + rate * (np.reshape(seen, old.shape) - old))
        self.batches.assign(np.asarray(batches))

    def __repr__(self) -> str:
        usual = {"momentum": 0.1, "epsilon": 1e-5, "axis": 1}
        unusual = [f"{k}={getattr(self, k)!r}" for k, v in usual.items() if getattr(self, k) != v]
        return self._said(str(self.running_mean.size), *unusual)


class LayerNorm(_Standardising):
    """Every sample with mean 0 and deviation 1 over its features: Y = γ·(X − μ) / √(σ² + ε) + β.

    `LayerNorm(shape, epsilon=1e-5, affine=True, bias=True, dtype=float, name=None)`. X: (…,
    *shape), where `shape` is the number of features, or the last few lengths; Y has the shape of X.
    μ and σ² (with divisor m, the number of values) are taken over those axes, for each sample by
    itself, in training and out of it. γ is `weight`, β is `bias`, both of this shape, from 1 and 0
    on; `affine=False` leaves both out, `bias=False` the second.

    Source: Ba, Kiros and Hinton 2016, "Layer normalization". Raises ValueError for X with other
    last lengths, for empty batches, for sizes below 1 and for epsilon that is not positive.

    >>> import numpy as np, nn
    >>> nn.LayerNorm(2)(np.array([[0.0, 2.0], [7.0, 5.0]])).data.round(3)
    array([[-1.,  1.],
           [ 1., -1.]])
    """

    formula = "Y = γ·(X − μ) / √(σ² + ε) + β"

    def __init__(
        self,
        shape: int | Sequence[int],
        epsilon: float = 1e-5,
        affine: bool = True,
        bias: bool = True,
        dtype: DTypeLike = float,
        name: str | None = None,
    ):
        self.name = name
        lengths = np.atleast_1d(shape).tolist() or [0]  # a sample without axes has nothing to mean
        self.shape = tuple([whole_number(self._label, "shape", n) for n in lengths])
        super().__init__(self.shape, epsilon, affine, bias, dtype, name)

    def forward(self, x: Operand) -> Any:
        """γ·(x − μ) / √(σ² + ε) + β."""
        x = floating(x)
        if x.shape[-len(self.shape) :] != self.shape:
            raise ValueError(
                f"{self._label}: expected an array (…, {', '.join(map(str, self.shape))}), "
                f"received: {kind(x)}; the last lengths are those of the layer"
            )
        refuse_empty(self._label, f"samples of shape {self.shape}", x)
        axes = tuple(range(-len(self.shape), 0))
        centred = x - np.mean(x, axis=axes, keepdims=True)
        variance = np.mean(centred**2, axis=axes, keepdims=True)
        return self._standardised(centred, variance, self.shape)

    def __repr__(self) -> str:
        shape = str(self.shape[0] if len(self.shape) == 1 else self.shape)
        return self._said(shape, *([] if self.epsilon == 1e-5 else [f"epsilon={self.epsilon!r}"]))
