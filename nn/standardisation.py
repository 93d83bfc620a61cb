"""Standardisation: features with mean 0 and deviation 1, as the training part has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import autograd_lite as ag
from autograd_lite.errors import kind
from nn.data import finite
from nn.module import Module, Operand, first, floating, operand
from nn.settings import whole_number


class Standardiser(Module):
    """Z = (X − mean) / deviation: features with mean 0 and deviation 1 over the rows of `fit`.

    `Standardiser(features, dtype=float, name=None)`. X: (rows, …), Z: the same shape, and dtype
    where that is floating; `features` is the number behind the rows, or their shape: 64, (28, 28),
    or () for targets. Fit it on the training part alone, and call it on all parts: what is known
    of validation data must not reach training. `invert(Z)` is the way back. A feature that is the
    same in all rows becomes 0. The deviation divides by the number of rows, as `np.std` does.

    It is a layer with the buffers `mean` and `deviation` of shape `features`: it may stand in front
    of a Network's layers, and `state_dict()` saves it. Both are NaN until `fit` or
    `load_state_dict`.

    Raises ValueError for X of another shape, for use before it is fitted, and in `fit` for no rows
    and for entries that are not finite.

    >>> import numpy as np, nn
    >>> X = np.array([[1.0, 7.0], [3.0, 7.0]])
    >>> standardiser = nn.Standardiser(2).fit(X)
    >>> standardiser(X)
    array([[-1.,  0.],
           [ 1.,  0.]])
    >>> standardiser.invert(standardiser(X))
    array([[1., 7.],
           [3., 7.]])
    """

    formula = "Z = (X − mean) / deviation"

    def __init__(
        self,
        features: int | Sequence[int],
        dtype: DTypeLike = float,
        name: str | None = None,
    ):
        sizes = features if isinstance(features, Sequence) else (features,)
        self.name = name
        shape = tuple([whole_number(self._label, "features", size) for size in sizes])
        unknown = np.full(shape, np.nan, dtype)
        self.mean = ag.Variable(unknown, self._named("mean"), requires_grad=False)
        self.deviation = ag.Variable(unknown, self._named("deviation"), requires_grad=False)

    def fit(self, X: ArrayLike) -> Self:
        """Take mean and deviation from the rows of X, the training part; returns itself."""
        X = self._shaped(finite(self._asked("fit"), "X", X)).astype(float, copy=False)
        if not len(X):
            raise ValueError(f"{self._asked('fit')}: X has no rows; pass at least one")
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            constant = (X[:1] == X).all(axis=0)  # their mean may be rounded, and they seem to vary
            mean = np.where(constant, X[0], X.mean(axis=0))
            away = X - mean  # squared as shares of the largest: that neither overflows nor vanishes
            largest = np.where(constant, 1, np.abs(away).max(axis=0))
            deviation = largest * np.sqrt(np.square(away / largest).mean(axis=0))
            deviation = np.where(constant, 1, deviation)
            found = [value.astype(self.mean.dtype) for value in (mean, deviation)]
        wrong = ~(np.isfinite(found[0]) & np.isfinite(found[1]) & (found[1] > 0))
        if wrong.any():
            raise ValueError(
                f"{self._asked('fit')}: feature {first(wrong) if wrong.ndim else 0} has mean "
                f"{mean[wrong].flat[0]:.3g} and deviation {deviation[wrong].flat[0]:.3g}, beyond "
                f"what {self.mean.dtype} holds; scale it, or pass another dtype"
            )
        self.mean.assign(found[0])
        self.deviation.assign(found[1])
        return self

    def forward(self, x: Operand) -> Any:
        """(x − mean) / deviation, of arrays an array, of Variables a Variable."""
        x, dtype = self._fitted(x)
        z = (x - self.mean.data) / self.deviation.data
        return z if z.dtype == dtype else z.astype(dtype)

    def invert(self, z: Operand) -> Any:
        """The way back: z·deviation + mean."""
        z, dtype = self._fitted(z)
        x = z * self.deviation.data + self.mean.data
        return x if x.dtype == dtype else x.astype(dtype)

    def _fitted(self, x: Operand) -> tuple[Any, Any]:
        """x, and the dtype of what is made of it, or an error that says why neither is possible."""
        if np.isnan(self.mean.data).any():
            raise ValueError(
                f"{self._asked()}: it has neither mean nor deviation yet; call fit(X) with the "
                f"training part, or load_state_dict"
            )
        x = self._shaped(operand(x))
        whole = x.dtype.kind in "iub"
        return x, self.mean.dtype if whole else floating(x).dtype

    def _shaped(self, x: Any) -> Any:
        if not x.ndim or x.shape[1:] != self.mean.shape:
            sizes = "".join(f", {size}" for size in self.mean.shape)
            raise ValueError(
                f"{self._asked()}: expected rows of shape {self.mean.shape}, received: {kind(x)}; "
                f"pass shape (rows{sizes or ','})"
            )
        return x

    def _asked(self, method: str = "") -> str:
        return ".".join(filter(None, (self._label, method)))

    def __repr__(self) -> str:
        shape = self.mean.shape
        return f"Standardiser({shape[0] if len(shape) == 1 else shape})"
