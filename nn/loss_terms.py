"""What losses share: checks of predictions and targets, careful logarithms, and the reduction."""

from __future__ import annotations

import difflib
import math
import operator
from typing import Any, Literal

import numpy as np

import autograd_lite as ag
from autograd_lite.errors import kind
from autograd_lite.variable import plain
from nn.module import Operand, first, floating, operand
from nn.settings import number

Reduction = Literal["mean", "sum", "none"]
"""What becomes of the losses of a batch: their mean, their sum, or nothing."""

# --- reduction ------------------------------------------------------------------------------------


def known_reduction(asked: str, reduction: Reduction) -> Reduction:
    """The reduction, if it is one; ValueError otherwise."""
    choices = ("mean", "sum", "none")
    if reduction not in choices:
        near = difflib.get_close_matches(str(reduction).lower(), choices, n=1, cutoff=0.4)
        advice = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(choices)}"
        raise ValueError(f"{asked}: there is no reduction {reduction!r}; {advice}")
    return reduction


def reduced(asked: str, losses: Any, reduction: Reduction, total: Any = None) -> Any:
    """The losses as one number, or as they are; a mean divides by `total` where that is given."""
    known_reduction(asked, reduction)
    if reduction == "none":
        return losses
    if reduction == "sum":
        return np.sum(losses)
    return np.mean(losses) if total is None else np.sum(losses) / total


def reduced_rows(asked: str, logs: Any, t: Any, reduction: Reduction, total: Any = None) -> Any:
    """The losses −Σᵢ tᵢ·logᵢ of each row, reduced likewise: a mean divides the targets instead."""
    if known_reduction(asked, reduction) != "mean":
        terms = logs * -t
        return terms.sum(axis=-1) if reduction == "none" else terms.sum()
    rows = math.prod(t.shape[:-1]) if total is None else total
    return (logs * (t / -rows)).sum()


def row_sums(entries: Any) -> Any:
    """The sum over the last axis, which a scalar does not have."""
    return np.sum(entries, axis=-1) if entries.ndim else entries


# --- predictions and targets ----------------------------------------------------------------------


def paired(asked: str, x: Operand, t: Operand) -> tuple[Any, Any]:
    """Predictions and targets of one shape, not empty, and targets that are numbers."""
    x, t = floating(x), operand(t)
    if x.shape != t.shape:
        raise ValueError(
            f"{asked}: predictions: {kind(x)}, targets: {kind(t)}; they must have one "
            f"shape: reshape the targets, or turn labels into one-hot rows"
        )
    refuse_empty(asked, x)
    return x, target_rows(asked, x, t)


def target_rows(asked: str, x: Any, t: Any) -> Any:
    """The targets as numbers of a floating dtype, that of x if they were integers; none is NaN."""
    t = t.astype(x.dtype) if t.dtype.kind in "iub" else floating(t)
    wrong = np.isnan(plain(t))
    if np.count_nonzero(wrong):
        raise ValueError(
            f"{asked}: the targets hold NaN, first at position {first(wrong)}; fill these in, or "
            f"leave their rows out"
        )
    return t


def are_labels(asked: str, x: Any, t: Any, ignored: int | None = None) -> bool:
    """Whether t is a label per row of x; False if it is a row per row. Refuses anything else."""
    if x.ndim and t.shape == x.shape:
        refuse_empty(asked, x)
        return False
    if not x.ndim or t.shape != x.shape[:-1]:
        raise ValueError(
            f"{asked}: predictions: {kind(x)}, targets: {kind(t)}; pass one integer label per row, "
            f"shape {x.shape[:-1]}, or one row of targets per row, shape {x.shape}"
        )
    if t.dtype.kind not in "iu":
        nan = t.dtype.kind == "f" and bool(np.isnan(plain(t)).any())
        advice = "fill in the NaN in it, then write" if nan else "write"
        raise TypeError(
            f"{asked}: labels must be integers, received: {kind(t)}; {advice} labels.astype(int), "
            f"or pass one row of targets per row, shape {x.shape}"
        )
    refuse_empty(asked, x)
    labels, classes = plain(t), x.shape[-1]
    wrong = (labels < 0) | (labels >= classes)
    if ignored is not None:
        wrong &= labels != ignored
    if wrong.any():
        raise ValueError(
            f"{asked}: label {labels[wrong].flat[0]} at position {first(wrong)} "
            f"is out of range: {classes} classes have the labels 0 to {classes - 1}"
        )
    return True


def refuse_empty(asked: str, x: Any) -> None:
    """Raise ValueError for a batch without entries."""
    if x.size == 0:
        raise ValueError(
            f"{asked}: the batch is empty (predictions: {kind(x)}) and has no mean; pass at least "
            f"one row"
        )


def refuse_no_probability(
    asked: str, what: str, x: Any, advice: str, rounded: bool = False
) -> None:
    """Raise ValueError for entries outside [0, 1]. NaN passes: what makes it reports it.

    With `rounded`, 1 may be exceeded by as much as sums of a few hundred terms are rounded by.
    """
    numbers = plain(x)
    most = 1 + 64 * float(np.finfo(numbers.dtype).eps) if rounded else 1
    # two reductions, without a mask unless there is something to point at; they leave out NaN
    if np.fmin.reduce(numbers, axis=None) < 0 or np.fmax.reduce(numbers, axis=None) > most:
        wrong = (numbers < 0) | (numbers > most)
        raise ValueError(
            f"{asked}: the {what} must be probabilities, from 0 to 1, received: "
            f"{numbers[wrong].flat[0]} at position {first(wrong)}; {advice}"
        )


def refuse_no_log_probability(asked: str, x: Any) -> None:
    """Raise ValueError for predictions above 0, by more than rounding. NaN passes, as above."""
    numbers = plain(x)
    most = 64 * float(np.finfo(numbers.dtype).eps)
    if np.fmax.reduce(numbers, axis=None) > most:
        wrong = numbers > most
        raise ValueError(
            f"{asked}: the predictions must be logarithms of probabilities, at most 0, received: "
            f"{numbers[wrong].flat[0]} at position {first(wrong)}; nn.log_softmax makes them of "
            f"logits, for which there is nn.cross_entropy_from_logits, too"
        )


def known_class_weights(asked: str, weights: Operand | None, classes: int | None = None) -> Any:
    """The weights of the classes, or None for none; refuses what are none."""
    if weights is None:
        return None
    weights = operand(weights)
    fits = weights.ndim == 1 and classes in (None, weights.size)
    if not fits or weights.dtype.kind not in "iuf":
        each, shape = (
            ("class", "(classes,)")
            if classes is None
            else (f"of the {classes} classes", f"({classes},)")
        )
        raise ValueError(
            f"{asked}: class_weights: {kind(weights)}; pass one number for each {each}, shape "
            f"{shape}"
        )
    wrong = ~((plain(weights) >= 0) & np.isfinite(plain(weights)))
    if wrong.any():
        raise ValueError(
            f"{asked}: class weights must be finite and at least 0, received: "
            f"{plain(weights)[wrong].flat[0]} for class {first(wrong)}"
        )
    return weights


def known_label(asked: str, ignored_index: int | None) -> int | None:
    """The label to be ignored as Python's number, or None for none; TypeError for no label."""
    if ignored_index is None:
        return None
    try:
        return operator.index(ignored_index)
    except TypeError:
        raise TypeError(
            f"{asked}: ignored_index must be a label, an integer, received: {ignored_index!r}"
        ) from None


def known_share(asked: str, label_smoothing: float) -> float:
    """The share that label smoothing takes from the label, if it is one; ValueError otherwise."""
    return number(asked, "label_smoothing", label_smoothing, "from 0 to 1", lambda s: 0 <= s <= 1)


# --- terms ----------------------------------------------------------------------------------------


def picked(x: Any, labels: Any) -> Any:
    """The entry of each row of x that its label names."""
    return x[(*np.indices(labels.shape, sparse=True), labels)]


def idle(t: Any, x: Any, impossible: float) -> Any:
    """Where a term of Σ t·log x must be kept from becoming 0·(−∞), because its t is 0.

    For constant targets that may be every t = 0. Where targets are learned, an idle term still has
    a slope, −log x, and only impossible ones, whose slope is infinite, are left out.
    """
    if isinstance(t, ag.Variable) and t.requires_grad:
        return (t == 0) & (x == impossible)
    return t == 0


def log(x: Any) -> Any:
    """The logarithm, with log 0 = −∞ and the slope +∞ there, without NumPy's warnings.

    The longer way is the same function with the same slope: it matters not which of the two a
    replay goes. Its curvature at 0, which is infinite, is left out.
    """
    numbers = plain(x)
    if np.count_nonzero(numbers) == numbers.size:
        return np.log(x)
    zero = x == 0
    return np.log(np.where(zero, 1, x)) - np.where(zero, np.inf, x.dtype.type(0)) * (1 - x)


def log_of_rest(x: Any) -> Any:
    """The logarithm of 1 − x, likewise, also for x so small that 1 − x would be rounded to 1."""
    if not np.any(plain(x) == 1):
        return np.log1p(-x)
    one = x == 1
    return np.log1p(-np.where(one, 0, x)) - np.where(one, np.inf, x.dtype.type(0)) * x


def label_rows(labels: Any, like: Any) -> Any:
    """`nn.one_hot` of labels that were checked, with the classes and the dtype of `like`."""
    return (np.arange(like.shape[-1]) == labels[..., None]).astype(like.dtype)
