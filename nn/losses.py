"""Losses: how far predictions x are from targets t, as one number, the mean over the batch.

The batch is every axis but the last; x without it, one sample, is a batch of one. Each loss is
NumPy calls on Variables; a function, and a module that wraps it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.errors import kind
from nn import cheat_sheets
from nn.activations import log_softmax
from nn.module import Module, Operand, floating, operand


def cross_entropy(x: Operand, t: Operand) -> Any:
    """The surprise at targets t under probabilities x: the mean over the batch of −Σᵢ tᵢ·log xᵢ.

    x: probabilities, (…, classes), rows that sum to 1, as `nn.softmax` gives them. t: one-hot or
    soft targets of the same shape, or integer labels of shape (…). A term with t = 0 is 0, also
    where x = 0; a true class of probability 0 gives inf, with the slope −inf. Where probabilities
    come from a softmax, `nn.cross_entropy_from_logits` is finite at any confidence.

    Raises ValueError for shapes that do not fit, an empty batch and labels out of range, TypeError
    for labels that are not integers. Lecture 1, cheat sheet "Cross Entropy".

    >>> import numpy as np, nn
    >>> x = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
    >>> round(float(nn.cross_entropy(x, [0, 1])), 4)  # (log 2 + 0) / 2
    0.3466
    >>> round(float(nn.cross_entropy(x, [[1, 0, 0], [0, 1, 0]])), 4)
    0.3466
    """
    x, t = operand(x), operand(t)
    if _are_labels("cross_entropy", x, t):
        return -np.mean(_log(_picked(x, t)))
    # log(x + 1) in place of log x where t = 0: finite, so that 0·log 0 is 0, with the slope 0
    return (_log(x + _idle(t, x, 0)) * (t / -_rows(x))).sum()


def cross_entropy_from_logits(x: Operand, t: Operand) -> Any:
    """`cross_entropy` of softmax(x), from the logits x: the mean of −Σᵢ tᵢ·(xᵢ − log Σⱼ e^(xⱼ)).

    x: any real numbers, (…, classes); −∞ masks a class out. t: integer labels of shape (…), or
    one-hot or soft targets of the shape of x. Value and derivative are finite unless a class with
    t > 0 is masked; the value is exact to rounding at the size of the logits.

    Raises ValueError for shapes that do not fit, an empty batch and labels out of range, TypeError
    for labels that are not integers. Lectures 1 and 4, shifted as lecture 4 does.

    >>> import numpy as np, nn
    >>> x = np.array([[1000.0, 0.0], [0.0, 0.0]])
    >>> round(float(nn.cross_entropy_from_logits(x, [1, 0])), 4)  # (1000 + log 2) / 2
    500.3466
    """
    x, t = operand(x), operand(t)
    if _are_labels("cross_entropy_from_logits", x, t):
        return -np.mean(_picked(log_softmax(x), t))
    logs = log_softmax(x)
    return (np.where(_idle(t, logs, -np.inf), 0, logs) * (t / -_rows(x))).sum()


def mean_squared_error(x: Operand, t: Operand) -> Any:
    """The mean over all entries of (x − t)².

    x, t: any one shape; they are not broadcast, as (n, 1) against (n,) is a mistake that would go
    unnoticed. The lecture's sheet (`nn.cheat_sheets.MeanSquaredError`) is ½ Σ (x − t)² per sample:
    for n entries in all, this is 2/n times its sum, and so is the gradient.

    Raises ValueError for different shapes and for an empty batch.

    >>> import numpy as np, nn
    >>> float(nn.mean_squared_error(np.array([[3.0], [1.0]]), np.array([[1.0], [1.0]])))
    2.0
    """
    x, t = floating(x), floating(t)
    if x.shape != t.shape:
        raise ValueError(
            f"mean_squared_error: predictions: {kind(x)}, targets: {kind(t)}; they must have one "
            f"shape: reshape the targets, or turn labels into one-hot rows"
        )
    _refuse_empty("mean_squared_error", x)
    return np.mean(np.square(x - t))


def _are_labels(asked: str, x: Any, t: Any) -> bool:
    """Whether t is a label per row of x; False if it is a row per row. Refuses anything else."""
    if x.ndim and t.shape == x.shape:
        _refuse_empty(asked, x)
        return False
    if not x.ndim or t.shape != x.shape[:-1]:
        raise ValueError(
            f"{asked}: predictions: {kind(x)}, targets: {kind(t)}; pass one integer label per row, "
            f"shape {x.shape[:-1]}, or one row of targets per row, shape {x.shape}"
        )
    if t.dtype.kind not in "iu":
        raise TypeError(
            f"{asked}: labels must be integers, received: {kind(t)}; write labels.astype(int), or "
            f"pass one row of targets per row, shape {x.shape}"
        )
    _refuse_empty(asked, x)
    labels = t.data if isinstance(t, ag.Variable) else t
    classes = x.shape[-1]
    wrong = (labels < 0) | (labels >= classes)
    if wrong.any():
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(
            f"{asked}: label {labels[first]} at position {first[0] if len(first) == 1 else first} "
            f"is out of range: {classes} classes have the labels 0 to {classes - 1}"
        )
    return True


def _refuse_empty(asked: str, x: Any) -> None:
    if x.size == 0:
        raise ValueError(
            f"{asked}: the batch is empty (predictions: {kind(x)}) and has no mean; pass at least "
            f"one row"
        )


def _rows(x: Any) -> int:
    """The size of the batch."""
    return math.prod(x.shape[:-1])


def _picked(x: Any, labels: Any) -> Any:
    """The entry of each row of x that its label names."""
    return x[(*np.indices(labels.shape, sparse=True), labels)]


def _idle(t: Any, x: Any, impossible: float) -> Any:
    """Where a term of Σ t·log x must be kept from becoming 0·(−∞), because its t is 0.

    For constant targets that may be every t = 0. Where targets are learned, an idle term still has
    a slope, −log x, and only impossible ones, whose slope is infinite, are left out.
    """
    if isinstance(t, ag.Variable) and t.requires_grad:
        return (t == 0) & (x == impossible)
    return t == 0


def _log(x: Any) -> Any:
    """The logarithm, with log 0 = −∞ and the slope +∞ there, without NumPy's warnings.

    The longer way is the same function with the same slope: it matters not which of the two a
    replay goes. Its curvature at 0, which is infinite, is left out.
    """
    data = x.data if isinstance(x, ag.Variable) else x
    if np.count_nonzero(data) == data.size:
        return np.log(x)
    zero = x == 0
    return np.log(np.where(zero, 1, x)) - np.where(zero, np.inf, x.dtype.type(0)) * (1 - x)


class CrossEntropy(Module):
    """The loss layer of `nn.cross_entropy`: probabilities (…, classes) and targets.

    >>> import numpy as np, nn
    >>> round(float(nn.CrossEntropy()(np.array([0.5, 0.5]), 0)), 4)
    0.6931
    """

    formula = cheat_sheets.CrossEntropy.formulas["forward"]

    def forward(self, x: Operand, t: Operand) -> Any:
        """cross_entropy(x, t)."""
        return cross_entropy(x, t)


class MeanSquaredError(Module):
    """The loss layer of `nn.mean_squared_error`: predictions and targets of one shape.

    >>> import numpy as np, nn
    >>> float(nn.MeanSquaredError()(np.array([1.0, 3.0]), np.array([1.0, 1.0])))
    2.0
    """

    formula = "L = mean of (x − t)²"

    def forward(self, x: Operand, t: Operand) -> Any:
        """mean_squared_error(x, t)."""
        return mean_squared_error(x, t)
