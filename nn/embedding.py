"""Embedding: rows of a table, looked up by number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag
from autograd_lite.errors import kind
from autograd_lite.variable import plain
from nn.initialisers import generator
from nn.module import Module, Operand, operand
from nn.settings import whole_number


class Embedding(Module):
    """A vector for each of finitely many things, such as words: Y = W[X] (Bengio and others 2003).

    `Embedding(entries, features, rng=None, dtype=float, name=None)`. X: whole numbers from 0 to
    entries − 1, any shape; Y: X's shape with one more axis of length `features`. `weight`, the
    table W of shape (entries, features), is drawn from `rng`, a `numpy.random.Generator`, with mean
    0 and standard deviation 1. Its gradient is, in each row, the sum over the places in X that name
    this row.

    Raises TypeError for X that is not of an integer dtype; IndexError for a
    number below 0 or above entries − 1; ValueError for empty X and for sizes below 1.

    >>> import numpy as np, nn
    >>> embedding = nn.Embedding(10, 3, np.random.default_rng(0))
    >>> embedding(np.array([[1, 2, 2], [0, 9, 1]])).shape
    (2, 3, 3)
    """

    formula = "Y = W[X]"
    takes_integers = True
    symbols = {"weight": "W"}  # noqa: RUF012 - annotated as a ClassVar in Module

    def __init__(
        self,
        entries: int,
        features: int,
        rng: np.random.Generator | None = None,
        dtype: DTypeLike = float,
        name: str | None = None,
    ):
        self.name = name
        entries = whole_number(self._label, "entries", entries)
        features = whole_number(self._label, "features", features)
        rng = generator(self._label, rng)
        table = rng.standard_normal((entries, features)).astype(dtype)
        self.weight = ag.Variable(table, self._named("W"))

    def forward(self, x: Operand) -> Any:
        """The row of each number."""
        x = operand(x)
        self._check(plain(x))
        return self.weight[x]

    def _check(self, x: Any) -> None:
        last = self.weight.shape[0] - 1
        expected = f"{self._label}: expected whole numbers from 0 to {last}, received"
        if not x.size:
            raise ValueError(f"{expected}: an empty {kind(x)}; pass at least one number")
        if x.dtype.kind not in "iu":
            raise TypeError(
                f"{expected}: {kind(x)}; convert it with .astype(int) if it holds whole numbers"
            )
        wrong = (x < 0) | (x > last)
        if wrong.any():
            place = tuple([int(i) for i in np.argwhere(wrong)[0]])
            raise IndexError(
                f"{expected}: {x[place]}{f' at {list(place)}' if place else ''}; the table has "
                f"{last + 1} rows, and negative numbers do not count from its end here"
            )

    def __repr__(self) -> str:
        entries, features = self.weight.shape
        return f"Embedding({entries}, {features})"
