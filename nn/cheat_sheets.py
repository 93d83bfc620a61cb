"""Lecture 1's five cheat sheets in plain NumPy: what a person derives by hand.

Each sheet has `forward` (Y from X), `backward` (δX from δY) and, where there are parameters,
`update` (∂L/∂W and ∂L/∂bias); `formulas` holds the same as text, and `print(sheet)` shows it. They
know nothing of the tape, so that `ag.compare` can hold one against the other:

>>> import numpy as np, autograd_lite as ag, nn
>>> from nn import cheat_sheets
>>> X, T = np.array([[1.0, -2.0]]), np.array([[0.0, 1.0]])
>>> x = ag.Variable(X)
>>> nn.cross_entropy(nn.softmax(x), T).backward()
>>> softmax, loss = cheat_sheets.Softmax(), cheat_sheets.CrossEntropy()
>>> dY = loss.backward(softmax.forward(X), T)
>>> np.allclose(x.grad, softmax.backward(X, dY), rtol=1e-14)
True

A row of X is a sample. A single sample without the axis of rows works as well. Symbols as in the
lecture: X, Y, T; dX stands for δX = ∂L/∂X.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from autograd_lite.variable import Array


class Sheet:
    """What the sheets share: the formulas as text, and how they are printed."""

    title: ClassVar[str]
    formulas: ClassVar[Mapping[str, str]]

    def __str__(self) -> str:
        width = max(map(len, self.formulas))
        lines = (f"  {step:<{width}}   {formula}" for step, formula in self.formulas.items())
        return "\n".join([self.title, *lines])


@dataclass(frozen=True, eq=False)
class FullyConnected(Sheet):
    """Every output sees every input: Y = X·W + bias. W: (inputs, outputs), bias: (outputs,).

    >>> import numpy as np
    >>> from nn import cheat_sheets
    >>> print(cheat_sheets.FullyConnected(np.ones((2, 3)), np.zeros(3)))
    Fully connected
      forward    Y = X·W + bias
      backward   δX = δY·Wᵀ
      update     ∂L/∂W = Xᵀ·δY   ∂L/∂bias = Σ over rows of δY
    """

    W: Array
    bias: Array

    title = "Fully connected"
    formulas = {  # noqa: RUF012 - annotated as a ClassVar in Sheet
        "forward": "Y = X·W + bias",
        "backward": "δX = δY·Wᵀ",
        "update": "∂L/∂W = Xᵀ·δY   ∂L/∂bias = Σ over rows of δY",
    }

    def forward(self, X: Array) -> Array:
        """Y (rows, outputs) from X (rows, inputs)."""
        Y: Array = X @ self.W + self.bias
        return Y

    def backward(self, X: Array, dY: Array) -> Array:
        """δX (rows, inputs) from δY (rows, outputs); X itself is not needed."""
        dX: Array = dY @ self.W.T
        return dX

    def update(self, X: Array, dY: Array) -> tuple[Array, Array]:
        """∂L/∂W (inputs, outputs) and ∂L/∂bias (outputs,), summed over the rows."""
        rows, d_rows = np.atleast_2d(X), np.atleast_2d(dY)
        return rows.T @ d_rows, d_rows.sum(axis=0)


class Sigmoid(Sheet):
    """The logistic function, elementwise.

    >>> from nn import cheat_sheets
    >>> print(cheat_sheets.Sigmoid())
    Sigmoid
      forward    Y = σ(X) = 1 / (1 + e^(−X))
      backward   δX = σ(X)·(1 − σ(X)) ⊙ δY
    """

    title = "Sigmoid"
    formulas = {  # noqa: RUF012 - annotated as a ClassVar in Sheet
        "forward": "Y = σ(X) = 1 / (1 + e^(−X))",
        "backward": "δX = σ(X)·(1 − σ(X)) ⊙ δY",
    }

    def forward(self, X: Array) -> Array:
        """Y, of the shape of X."""
        Y: Array = 1 / (1 + np.exp(-X))
        return Y

    def backward(self, X: Array, dY: Array) -> Array:
        """δX, of the shape of X."""
        Y = self.forward(X)
        dX: Array = Y * (1 - Y) * dY
        return dX


class Softmax(Sheet):
    """Each row made positive and summing to 1.

    The lecture's sheet prints its Jacobian with x and y exchanged; it is ∂yᵢ/∂xⱼ = yᵢ(δᵢⱼ − yⱼ).

    >>> import numpy as np
    >>> from nn import cheat_sheets
    >>> cheat_sheets.Softmax().forward(np.array([2.0, 1.0, 0.1])).round(1)
    array([0.7, 0.2, 0.1])
    """

    title = "Softmax"
    formulas = {  # noqa: RUF012 - annotated as a ClassVar in Sheet
        "forward": "yᵢ = e^(xᵢ) / Σⱼ e^(xⱼ)",
        "backward": "δX = δY·(diag(y) − y·yᵀ) = y ⊙ (δY − Σⱼ δYⱼ·yⱼ)",
    }

    def forward(self, X: Array) -> Array:
        """Y, of the shape of X; each row is shifted by its maximum, which leaves Y unchanged."""
        e = np.exp(X - X.max(axis=-1, keepdims=True))
        Y: Array = e / e.sum(axis=-1, keepdims=True)
        return Y

    def jacobian(self, X: Array) -> Array:
        """∂yᵢ/∂xⱼ = yᵢ(δᵢⱼ − yⱼ) of each row: (…, n) gives (…, n, n)."""
        Y = self.forward(X)
        J: Array = Y[..., :, None] * (np.eye(Y.shape[-1]) - Y[..., None, :])
        return J

    def backward(self, X: Array, dY: Array) -> Array:
        """δX, of the shape of X: δY times the Jacobian, row by row, without building it."""
        Y = self.forward(X)
        dX: Array = Y * (dY - (dY * Y).sum(axis=-1, keepdims=True))
        return dX


class CrossEntropy(Sheet):
    """How surprising the targets T are, under the probabilities X. One number per row.

    A term with t = 0 is 0, also where x = 0.

    >>> import numpy as np
    >>> from nn import cheat_sheets
    >>> sheet = cheat_sheets.CrossEntropy()
    >>> X, T = np.array([[0.5, 0.25, 0.25]]), np.array([[0.0, 1.0, 0.0]])
    >>> sheet.forward(X, T) == np.log(4)
    array([ True])
    >>> sheet.backward(X, T)
    array([[-0., -4., -0.]])
    """

    title = "Cross entropy"
    formulas = {  # noqa: RUF012 - annotated as a ClassVar in Sheet
        "forward": "L = −Σᵢ tᵢ·log xᵢ",
        "backward": "δxᵢ = −tᵢ/xᵢ · δL",
    }

    def forward(self, X: Array, T: Array) -> Array:
        """L of each row, (rows,) from (rows, classes)."""
        logs = np.log(X, out=np.zeros_like(X), where=T != 0)
        L: Array = -(T * logs).sum(axis=-1)
        return L

    def backward(self, X: Array, T: Array, dL: Any = 1.0) -> Array:
        """δX from δL, one number per row or for all: 1/rows for the mean over the batch."""
        ratio = np.divide(T, X, out=np.zeros_like(X), where=T != 0)
        dX: Array = -ratio * np.asarray(dL)[..., None]
        return dX


class MeanSquaredError(Sheet):
    """Half the squared distance between X and the targets T, as in the lecture. One number per row.

    `nn.mean_squared_error` has the field's meaning, the mean of (x − t)² over all entries: 2/n
    times the sum of these over the rows, for n entries.

    >>> import numpy as np
    >>> from nn import cheat_sheets
    >>> sheet = cheat_sheets.MeanSquaredError()
    >>> X, T = np.array([[3.0, 1.0]]), np.array([[1.0, 1.0]])
    >>> sheet.forward(X, T), sheet.backward(X, T)
    (array([2.]), array([[2., 0.]]))
    """

    title = "Mean squared error"
    formulas = {  # noqa: RUF012 - annotated as a ClassVar in Sheet
        "forward": "L = Σᵢ ½·(xᵢ − tᵢ)²",
        "backward": "δxᵢ = (xᵢ − tᵢ) · δL",
    }

    def forward(self, X: Array, T: Array) -> Array:
        """L of each row, (rows,) from (rows, outputs)."""
        L: Array = 0.5 * ((X - T) ** 2).sum(axis=-1)
        return L

    def backward(self, X: Array, T: Array, dL: Any = 1.0) -> Array:
        """δX from δL, one number per row or for all: 1/rows for the mean over the batch."""
        dX: Array = (X - T) * np.asarray(dL)[..., None]
        return dX
