"""The fully connected layer, and Flatten, which makes rows for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag
from autograd_lite.errors import kind
from nn import cheat_sheets, initialisers
from nn.module import Module, Operand, operand, refuse_empty
from nn.settings import whole_number


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
        self.name = name
        inputs = whole_number(self._label, "inputs", inputs)
        outputs = whole_number(self._label, "outputs", outputs)
        rng = initialisers.generator(self._label, rng)
        weight = initialisers.drawn(self._label, initialiser, (inputs, outputs), rng)
        self.weight = ag.Variable(weight.astype(dtype), self._named("W"))
        self.bias = ag.Variable(np.zeros(outputs, dtype), self._named("bias")) if bias else None

    def forward(self, x: Operand) -> Any:
        """X·W + bias."""
        x = operand(x)
        if x.shape[-1:] != self.weight.shape[:1]:
            self._refuse(x)
        refuse_empty(self._label, f"rows of {x.shape[-1]} features", x)
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
            f"{self._label}: expected rows of {inputs} features, received: "
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
                f"{self._label}: expected an array (batch, …), received: {kind(x)}; "
                f"write x[None] for one sample"
            )
        return np.reshape(x, (x.shape[0], math.prod(x.shape[1:])))
