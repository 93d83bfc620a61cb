"""Layers: fully connected, flattening, dropout, radial basis functions and a cosine."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import autograd_lite as ag
from autograd_lite.errors import kind
from nn import cheat_sheets, initialisers
from nn.module import Module, Operand, floating, operand, refuse_empty


class FullyConnected(Module):
    """Every output sees every input: Y = X·W + bias (lecture 1).

    `FullyConnected(inputs, outputs, rng=None, bias=True, dtype=float, name=None,
    initialiser=nn.initialisers.glorot_uniform)`. X: (…, inputs), a row per sample; Y: (…, outputs).
    `weight` has shape (inputs, outputs) and is `initialiser((inputs, outputs), rng)`, drawn with
    the `numpy.random.Generator`: by default uniformly between ±√(6 / (inputs + outputs)), which
    keeps the size of signals in both directions (Glorot and Bengio 2010, equation 16); `bias` has
    shape (outputs,) and starts at zero, or is None with `bias=False`. `augmented_weight()` has both
    in one matrix.

    Raises ValueError for X with another number of features or no rows, for sizes below 1, and for
    an initialiser that gives another shape.

    >>> import numpy as np, nn
    >>> layer = nn.FullyConnected(2, 3, rng=np.random.default_rng(0))
    >>> layer(np.ones((5, 2))).shape
    (5, 3)
    """

    formula = cheat_sheets.FullyConnected.formulas["forward"]
    short_name = "fc"
    symbols = {"weight": "W", "bias": "bias"}  # noqa: RUF012 - annotated as a ClassVar in Module

    def __init__(
        self,
        inputs: int,
        outputs: int,
        rng: np.random.Generator | None = None,
        bias: bool = True,
        dtype: DTypeLike = float,
        name: str | None = None,
        initialiser: Callable[..., Any] = initialisers.glorot_uniform,
    ):
        inputs, outputs = operator.index(inputs), operator.index(outputs)
        if inputs < 1 or outputs < 1:
            raise ValueError(
                f"FullyConnected: it needs at least one input and one output, received "
                f"{inputs} and {outputs}"
            )
        rng = initialisers.generator(name or "FullyConnected", rng)
        weight = np.asarray(initialiser((inputs, outputs), rng))
        if weight.shape != (inputs, outputs):
            raise ValueError(
                f"{name or 'FullyConnected'}: expected an initialiser that gives an array of shape "
                f"{(inputs, outputs)}, received: {kind(weight)}"
            )
        self.name = name
        prefix = f"{name}." if name else ""
        self.weight = ag.Variable(weight.astype(dtype), name=f"{prefix}W")
        self.bias = ag.Variable(np.zeros(outputs, dtype), name=f"{prefix}bias") if bias else None

    def forward(self, x: Operand) -> Any:
        """X·W + bias."""
        x = operand(x)
        if x.shape[-1:] != self.weight.shape[:1]:
            self._refuse(x)
        refuse_empty(self.name or "FullyConnected", f"rows of {x.shape[-1]} features", x)
        y = x @ self.weight
        return y if self.bias is None else y + self.bias

    def augmented_weight(self) -> Any:
        """Lecture 4's W′, with the bias as a last row: X·W + bias = X′·W′, X′ = nn.augmented(X).

        (inputs + 1, outputs), recorded, so that gradients reach `weight` and `bias`; without a
        bias, its row is zero. The lecture's backward pass in this layout is E′ₙ₋₁ = E′ₙ·W′ᵀ, whose
        last column is that of the ones, and W′ ← W′ − η·X′ᵀ·E′ₙ.

        >>> import numpy as np, nn
        >>> layer, X = nn.FullyConnected(2, 3), np.ones((5, 2))
        >>> np.allclose((nn.augmented(X) @ layer.augmented_weight()).data, layer(X).data)
        True
        """
        outputs = self.weight.shape[1]
        bias = np.zeros(outputs, self.weight.dtype) if self.bias is None else self.bias
        return np.concatenate([self.weight, np.reshape(bias, (1, outputs))])

    def _refuse(self, x: Any) -> None:
        inputs, outputs = self.weight.shape
        advice = f"make it FullyConnected({x.shape[-1]}, {outputs})" if x.ndim else "pass an array"
        raise ValueError(
            f"{self.name or 'FullyConnected'}: expected rows of {inputs} features, received: "
            f"{kind(x)}; the last axis is the features, so pass shape (…, {inputs}) or {advice}"
        )

    def __repr__(self) -> str:
        inputs, outputs = self.weight.shape
        return f"FullyConnected({inputs}, {outputs}{', bias=False' if self.bias is None else ''})"


def augmented(x: Operand) -> Any:
    """Lecture 4's X′: X with a column of ones behind the features, for a bias as a row of W′.

    x: (…, features); z: (…, features + 1). Raises ValueError for a single number.

    >>> import numpy as np, nn
    >>> nn.augmented(np.array([[2.0, 3.0], [4.0, 5.0]]))
    array([[2., 3., 1.],
           [4., 5., 1.]])
    """
    x = operand(x)
    if not x.ndim:
        raise ValueError(f"augmented: expected rows of features, received: {kind(x)}")
    return np.concatenate([x, np.ones((*x.shape[:-1], 1), x.dtype)], axis=-1)


class Flatten(Module):
    """Everything of a sample in one row: (batch, …) becomes (batch, ∏ …).

    It stands between layers on images and `FullyConnected`. Raises ValueError for x without an axis
    of samples and another behind it.

    >>> import numpy as np, nn
    >>> nn.Flatten()(np.zeros((5, 3, 8, 8))).shape
    (5, 192)
    """

    formula = "Y = X, every sample as one row"

    def forward(self, x: Operand) -> Any:
        """The same with the axes behind the first merged."""
        x = operand(x)
        if x.ndim < 2:
            raise ValueError(
                f"{self.name or 'Flatten'}: expected an array (batch, …), received: {kind(x)}; "
                f"write x[None] for one sample"
            )
        return np.reshape(x, (x.shape[0], math.prod(x.shape[1:])))


class Dropout(Module):
    """In training, entries are zero with probability `rate`, and the others larger by 1/(1 − rate).

    `Dropout(rate=0.5, rng=None)`. x: any shape, z: the same, with mean x (lecture 2; Srivastava and
    others 2014, in the scaled form that leaves x as it is outside of training: `eval()`). Every
    call draws a new mask from `rng`, a `numpy.random.Generator`: one number in [0, 1) for each
    entry, kept from `rate` on; so gradients are checked with a generator made anew each time.

    Raises ValueError for a rate outside 0 ≤ rate < 1.

    >>> import numpy as np, nn
    >>> layer = nn.Dropout(0.5, np.random.default_rng(0))
    >>> layer(np.ones(6))
    array([2., 0., 0., 0., 2., 2.])
    >>> layer.eval()(np.ones(6))
    array([1., 1., 1., 1., 1., 1.])
    """

    formula = "Y = X ⊙ mask / (1 − rate)"

    def __init__(self, rate: float = 0.5, rng: np.random.Generator | None = None):
        if not 0 <= rate < 1:  # NaN, too
            raise ValueError(
                f"Dropout: expected a rate from 0 up to but not including 1, received: {rate!r}; "
                f"it is the share of entries that become zero"
            )
        self.rate = float(rate)
        self.rng = initialisers.generator("Dropout", rng)

    def forward(self, x: Operand) -> Any:
        """The masked and scaled x in training, otherwise x as it is."""
        x = floating(x)
        if not self.training or self.rate == 0:
            return x
        mask = self.rng.random(x.shape) >= self.rate
        return x * (mask.astype(x.dtype) / (1 - self.rate))

    def __repr__(self) -> str:
        return f"Dropout({self.rate:g})"


class RBF(Module):
    """A sum of Gaussian bumps: Y = Σⱼ uⱼ·exp(−βⱼ·‖X − wⱼ‖²) (lecture 2).

    `RBF(inputs, bumps, outputs=1, rng=None, beta=1.0, dtype=float, name=None)`. X: (…, inputs), a
    row per sample; Y: (…, outputs). `centres`, the wⱼ: (bumps, inputs), drawn from `rng` with mean
    0 and deviation 1, and better assigned, from k-means for instance: `layer.centres.data = found`;
    `beta`: (bumps,), how narrow the bumps are, from the number given or an array; `weight`, the uⱼ:
    (bumps, outputs), drawn uniformly between ±√(6 / (bumps + outputs)). All three are parameters.

    Source: lecture 2, which computes it in four modules: a₁ = (x − w)², a₂ = exp(−β·a₁), a₃ = u·a₂,
    a₄ = Σⱼ a₃; Broomhead and Lowe 1988. Raises ValueError for X with another number of features
    or no rows, for sizes below 1 and for beta that is negative or NaN.

    >>> import numpy as np, nn
    >>> layer = nn.RBF(1, 2)
    >>> layer.centres.data, layer.weight.data = [[-1.0], [1.0]], [[3.0], [5.0]]
    >>> layer(np.array([[-1.0], [1.0]])).data.round(2)
    array([[3.09],
           [5.05]])
    """

    formula = "Y = Σⱼ uⱼ·exp(−βⱼ·‖X − wⱼ‖²)"
    # what a ClassVar in Module is
    symbols = {"centres": "w", "beta": "β", "weight": "u"}  # noqa: RUF012

    def __init__(
        self,
        inputs: int,
        bumps: int,
        outputs: int = 1,
        rng: np.random.Generator | None = None,
        beta: ArrayLike = 1.0,
        dtype: DTypeLike = float,
        name: str | None = None,
    ):
        inputs, bumps, outputs = map(operator.index, (inputs, bumps, outputs))
        if min(inputs, bumps, outputs) < 1:
            raise ValueError(
                f"{name or 'RBF'}: it needs at least one input, bump and output, received "
                f"{inputs}, {bumps} and {outputs}"
            )
        widths = np.asarray(beta, dtype)
        if widths.shape not in [(), (bumps,)] or not np.all(widths >= 0):
            raise ValueError(
                f"{name or 'RBF'}: expected beta as one number, or {bumps}, none of them negative, "
                f"received: {beta!r}"
            )
        rng = initialisers.generator(name or "RBF", rng)
        centres = rng.standard_normal((bumps, inputs))
        weight = initialisers.glorot_uniform((bumps, outputs), rng)
        self.name = name
        prefix = f"{name}." if name else ""
        self.centres = ag.Variable(centres.astype(dtype), name=f"{prefix}w")
        self.beta = ag.Variable(np.broadcast_to(widths, (bumps,)), name=f"{prefix}β")
        self.weight = ag.Variable(weight.astype(dtype), name=f"{prefix}u")

    def forward(self, x: Operand) -> Any:
        """Σⱼ uⱼ·exp(−βⱼ·‖x − wⱼ‖²)."""
        x = operand(x)
        if x.shape[-1:] != self.centres.shape[1:]:
            raise ValueError(
                f"{self.name or 'RBF'}: expected rows of {self.centres.shape[1]} features, "
                f"received: {kind(x)}; the last axis is the features"
            )
        refuse_empty(self.name or "RBF", f"rows of {x.shape[-1]} features", x)
        distance = np.sum((x[..., None, :] - self.centres) ** 2, axis=-1)
        return np.exp(-self.beta * distance) @ self.weight

    def __repr__(self) -> str:
        bumps, inputs = self.centres.shape
        return f"RBF({inputs}, {bumps}, {self.weight.shape[1]})"


class CosinePlusPi(Module):
    """Lecture 2's module of one's own: Y = cos(θ·X) + π, with θ learned.

    `CosinePlusPi(theta=1.0, dtype=float, name=None)`. `theta` is a number, or an array that
    broadcasts against X; Y has the shape of their product. The derivatives that the lecture finds
    by hand, ∂Y/∂X = −θ·sin(θ·X) and ∂Y/∂θ = −X·sin(θ·X), are what the tape gives:

    >>> import numpy as np, autograd_lite as ag, nn
    >>> layer, x = nn.CosinePlusPi(2.0), ag.Variable(0.5)
    >>> y = layer(x)
    >>> print(ag.compare(y, {x: -2 * np.sin(1.0), layer.theta: -0.5 * np.sin(1.0)}).agree)
    True
    """

    formula = "Y = cos(θ·X) + π"
    symbols = {"theta": "θ"}  # noqa: RUF012 - annotated as a ClassVar in Module

    def __init__(self, theta: ArrayLike = 1.0, dtype: DTypeLike = float, name: str | None = None):
        self.name = name
        self.theta = ag.Variable(np.asarray(theta, dtype), name=f"{name}.θ" if name else "θ")

    def forward(self, x: Operand) -> Any:
        """cos(θ·x) + π."""
        return np.cos(self.theta * operand(x)) + np.pi

    def __repr__(self) -> str:
        theta = self.theta.data
        return f"CosinePlusPi({theta.item() if not theta.ndim else f'shape {theta.shape}'})"
