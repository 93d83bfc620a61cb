"""Dropout: entries left out at random in training, as a function and as a layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.initialisers import generator, known_generator
from nn.module import Module, Operand, floating
from nn.settings import number


def dropout(x: Operand, rate: float, rng: np.random.Generator) -> Any:
    """Entries are zero with probability `rate`, the others larger: z = x ⊙ mask / (1 − rate).

    x: any shape, z: the same, with mean x (lecture 2; Srivastava and others 2014). The mask is
    drawn from `rng`, a `numpy.random.Generator`: one number in [0, 1) for each entry, which is kept
    from `rate` on; with a rate of 0 nothing is drawn.

    Raises ValueError for a rate outside 0 ≤ rate < 1, TypeError for what is no generator.

    >>> import numpy as np, nn
    >>> nn.dropout(np.ones(6), 0.5, np.random.default_rng(0))
    array([2., 0., 0., 0., 2., 2.])
    """
    x, rate, rng = floating(x), known_rate("dropout", rate), known_generator("dropout", rng)
    if not rate:
        return x
    kept = rng.random(x.shape) >= rate
    return x * (kept * x.dtype.type(1 / (1 - rate)))


def known_rate(asked: str, rate: float) -> float:
    """The rate of dropout as Python's number, or a ValueError where it is not in 0 ≤ rate < 1."""
    expected = "from 0 up to but not including 1, as the share of entries that become zero"
    return number(asked, "the rate of dropout", rate, expected, lambda share: 0 <= share < 1)


class Dropout(Module):
    """The layer of `nn.dropout` in training; otherwise x as it is (lecture 2).

    `Dropout(rate=0.5, rng=None)`. Every call in training draws a new mask from `rng`, a
    `numpy.random.Generator`: so gradients are checked with a generator made anew each time, and in
    a checkpoint it is named, `ag.checkpoint(block, generators=[dropout.rng])`.

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
        self.rate = known_rate("Dropout", rate)
        self.rng = generator("Dropout", rng)

    def forward(self, x: Operand) -> Any:
        """dropout(x) in training, otherwise x."""
        return dropout(x, self.rate, self.rng) if self.training else floating(x)

    def __repr__(self) -> str:
        return f"Dropout({self.rate:g})"
