"""The modules of one's own in lecture 2: radial basis functions, and a cosine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import autograd_lite as ag
from autograd_lite.errors import kind
from nn import initialisers
from nn.module import Module, Operand, operand, refuse_empty
from nn.settings import whole_number


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
        self.name = name
        inputs = whole_number(self._label, "inputs", inputs)
        bumps = whole_number(self._label, "bumps", bumps)
        outputs = whole_number(self._label, "outputs", outputs)
        widths = np.asarray(beta, dtype)
        if widths.shape not in [(), (bumps,)] or not np.all(widths >= 0):
            raise ValueError(
                f"{self._label}: expected beta as one number, or {bumps}, none of them negative, "
                f"received: {beta!r}"
            )
        rng = initialisers.generator(self._label, rng)
        centres = rng.standard_normal((bumps, inputs))
        weight = initialisers.glorot_uniform((bumps, outputs), rng)
        self.centres = ag.Variable(centres.astype(dtype), self._named("w"))
        self.beta = ag.Variable(np.broadcast_to(widths, (bumps,)), self._named("β"))
        self.weight = ag.Variable(weight.astype(dtype), self._named("u"))

    def forward(self, x: Operand) -> Any:
        """Σⱼ uⱼ·exp(−βⱼ·‖x − wⱼ‖²)."""
        x = operand(x)
        if x.shape[-1:] != self.centres.shape[1:]:
            raise ValueError(
                f"{self._label}: expected rows of {self.centres.shape[1]} features, "
                f"received: {kind(x)}; the last axis is the features"
            )
        refuse_empty(self._label, f"rows of {x.shape[-1]} features", x)
        distance = np.sum((x[..., None, :] - self.centres) ** 2, axis=-1)
        return np.exp(-self.beta * distance) @ self.weight

    def __repr__(self) -> str:
        bumps, inputs = self.centres.shape
        return f"RBF({inputs}, {bumps}, {self.weight.shape[1]})"


class CosinePlusPi(Module):
    """Lecture 2's module of one's own: Y = cos(θ·X) + π, with θ learned.

    `CosinePlusPi(theta=1.0, dtype=float, name=None)`. `theta` is a number, or an array that
    broadcasts against X; Y has the shape of their product. Raises ValueError for X that does not
    broadcast. The derivatives that the lecture finds
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
        self.theta = ag.Variable(np.asarray(theta, dtype), self._named("θ"))

    def forward(self, x: Operand) -> Any:
        """cos(θ·x) + π."""
        return np.cos(self.theta * operand(x)) + np.pi

    def __repr__(self) -> str:
        theta = self.theta.data
        return f"CosinePlusPi({theta.item() if not theta.ndim else f'shape {theta.shape}'})"
