"""Layers with parameters."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag
from autograd_lite.errors import kind
from nn import cheat_sheets
from nn.module import Module, Operand, operand


class FullyConnected(Module):
    """Every output sees every input: Y = X·W + bias (lecture 1).

    `FullyConnected(inputs, outputs, rng=None, bias=True, dtype=float, name=None)`. X: (…, inputs),
    a row per sample; Y: (…, outputs). `weight` has shape (inputs, outputs) and is drawn from `rng`,
    a `numpy.random.Generator`, uniformly between ±√(6 / (inputs + outputs)), which keeps the size
    of signals in both directions (Glorot and Bengio 2010, equation 16); `bias` has shape (outputs,)
    and starts at zero, or is None with `bias=False`.

    Raises ValueError for X with another number of features, and for sizes below 1.

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
    ):
        inputs, outputs = operator.index(inputs), operator.index(outputs)
        if inputs < 1 or outputs < 1:
            raise ValueError(
                f"FullyConnected: it needs at least one input and one output, received "
                f"{inputs} and {outputs}"
            )
        rng = np.random.default_rng() if rng is None else rng
        limit = np.sqrt(6 / (inputs + outputs))
        weight = rng.uniform(-limit, limit, (inputs, outputs))
        self.name = name
        prefix = f"{name}." if name else ""
        self.weight = ag.Variable(weight.astype(dtype), name=f"{prefix}W")
        self.bias = ag.Variable(np.zeros(outputs, dtype), name=f"{prefix}bias") if bias else None

    def forward(self, x: Operand) -> Any:
        """X·W + bias."""
        x = operand(x)
        if x.shape[-1:] != self.weight.shape[:1]:
            self._refuse(x)
        y = x @ self.weight
        return y if self.bias is None else y + self.bias

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
