"""Losses: how far predictions x are from targets t, by default the mean over the batch.

Functions of Variables and arrays alike; `loss_layers` has the modules. The batch is every axis but
the last; x without it, one sample, is a batch of one. `reduction="mean"` is the mean over the
batch, "sum" the sum, and "none" leaves one loss for each entry or row, as each loss says.
All raise ValueError for shapes that do not fit, an empty batch, NaN among the targets and an
unknown reduction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.errors import kind
from autograd_lite.variable import plain
from nn.activations import log_softmax, softplus
from nn.loss_terms import (
    Reduction,
    are_labels,
    idle,
    known_class_weights,
    known_label,
    known_share,
    label_rows,
    log,
    log_of_rest,
    paired,
    picked,
    reduced,
    reduced_rows,
    refuse_no_log_probability,
    refuse_no_probability,
    row_sums,
    target_rows,
)
from nn.module import Operand, floating, operand
from nn.settings import number

# --- numbers --------------------------------------------------------------------------------------


def mean_squared_error(x: Operand, t: Operand, *, reduction: Reduction = "mean") -> Any:
    """The mean over all entries of (x − t)² (lecture 5).

    x, t: any one shape; they are not broadcast, as (n, 1) against (n,) is a mistake that would go
    unnoticed. "none": the shape of x. Half of it, summed over each row, is
    `nn.half_squared_error`: for n entries in all, this is 2/n times the sum of that.

    >>> import numpy as np, nn
    >>> float(nn.mean_squared_error(np.array([[3.0], [1.0]]), np.array([[1.0], [1.0]])))
    2.0
    """
    x, t = paired("mean_squared_error", x, t)
    return reduced("mean_squared_error", np.square(x - t), reduction)


def half_squared_error(x: Operand, t: Operand, *, reduction: Reduction = "mean") -> Any:
    """Half the squared distance, the mean over the batch of ½ Σᵢ (xᵢ − tᵢ)².

    x, t: (…, outputs), one shape; "none": (…). Its derivative for each row is x − t. Lecture 1,
    cheat sheet "Mean Squared Error" (`nn.cheat_sheets.MeanSquaredError`); lecture 2 calls it the
    Euclidean loss, and so it has the name `nn.euclidean`, too.

    >>> import numpy as np, nn
    >>> float(nn.half_squared_error(np.array([[3.0, 0.0], [1.0, 1.0]]), np.ones((2, 2))))
    1.25
    """
    x, t = paired("half_squared_error", x, t)
    return reduced("half_squared_error", row_sums(0.5 * np.square(x - t)), reduction)


euclidean = half_squared_error
"""Lecture 2's name for `half_squared_error`."""


def mean_absolute_error(x: Operand, t: Operand, *, reduction: Reduction = "mean") -> Any:
    """The mean over all entries of |x − t|, with slope 0 where x = t (lecture 5).

    x, t: any one shape; "none": the same.

    >>> import numpy as np, nn
    >>> float(nn.mean_absolute_error(np.array([3.0, 1.0]), np.array([1.0, 2.0])))
    1.5
    """
    x, t = paired("mean_absolute_error", x, t)
    return reduced("mean_absolute_error", np.abs(x - t), reduction)


def huber(x: Operand, t: Operand, *, delta: float = 1.0, reduction: Reduction = "mean") -> Any:
    """Squared near the target, absolute far from it: the mean over all entries of ½d² for |d| ≤ δ,
    else δ·(|d| − ½δ), where d = x − t and δ = delta.

    x, t: any one shape; "none": the same. The derivative is d, kept between −δ and δ. Huber 1964.

    Raises ValueError, too, for a delta that is not above 0.

    >>> import numpy as np, nn
    >>> nn.huber(np.array([0.5, -3.0]), np.zeros(2), reduction="none")
    array([0.125, 2.5  ])
    """
    x, t = paired("huber", x, t)
    difference, delta = x - t, known_delta("huber", delta)
    inner = np.clip(difference, -delta, delta)
    return reduced("huber", inner * (difference - 0.5 * inner), reduction)


def known_delta(asked: str, delta: float) -> float:
    """The `delta` of Huber's loss as Python's number, or a ValueError where it is not above 0."""
    return number(asked, "delta", delta, "above 0", lambda d: d > 0)


# --- two classes ----------------------------------------------------------------------------------


def binary_cross_entropy(x: Operand, t: Operand, *, reduction: Reduction = "mean") -> Any:
    """The surprise at yes or no, the mean over all entries of −(t·log x + (1 − t)·log(1 − x)).

    x: probabilities of yes, any shape, as `nn.sigmoid` gives them; t: 1 or 0, or what lies between,
    of the same shape; "none": the same. A term with the factor 0 is 0; certainty of the wrong
    answer gives inf. `nn.binary_cross_entropy_from_logits` is finite at any confidence. Lecture 5.

    Raises ValueError, too, for x or t outside [0, 1].

    >>> import numpy as np, nn
    >>> nn.binary_cross_entropy(np.array([0.75, 0.5]), np.array([1, 0]), reduction="none").round(4)
    array([0.2877, 0.6931])
    """
    asked = "binary_cross_entropy"
    x, t = paired(asked, x, t)
    refuse_no_probability(asked, "predictions", x, f"for logits there is nn.{asked}_from_logits")
    refuse_no_probability(asked, "targets", t, "yes is 1 and no is 0")
    # log(x + 1) in place of log x where t = 0, and log(1 − 0) in place of log(1 − x) where t = 1
    hit = log(x + idle(t, x, 0)) * t
    no = 1 - t
    miss = log_of_rest(np.where(idle(no, x, 1), 0, x)) * no
    return reduced(asked, -(hit + miss), reduction)


def binary_cross_entropy_from_logits(
    x: Operand, t: Operand, *, reduction: Reduction = "mean"
) -> Any:
    """`binary_cross_entropy` of σ(x), the mean of t·log(1 + e^(−x)) + (1 − t)·log(1 + e^x).

    x: any real numbers, any shape; t: 1 or 0, or what lies between, of the same shape; "none": the
    same. Exact relative to its own size. ±∞ is certainty, which costs nothing where it is right.

    Raises ValueError, too, for t outside [0, 1].

    >>> import numpy as np, nn
    >>> x, t = np.array([1000.0, -1000.0, 0.0]), np.array([1, 1, 0])
    >>> nn.binary_cross_entropy_from_logits(x, t, reduction="none").round(4)
    array([0.000e+00, 1.000e+03, 6.931e-01])
    """
    asked = "binary_cross_entropy_from_logits"
    x, t = paired(asked, x, t)
    refuse_no_probability(asked, "targets", t, "yes is 1 and no is 0")
    # two terms that are at least 0: softplus(x) − t·x would lose the digits of a small difference
    hit = np.where(idle(t, x, -np.inf), 0, softplus(-x)) * t
    no = 1 - t
    miss = np.where(idle(no, x, np.inf), 0, softplus(x)) * no
    return reduced(asked, hit + miss, reduction)


# --- classes --------------------------------------------------------------------------------------


def cross_entropy(x: Operand, t: Operand, *, reduction: Reduction = "mean") -> Any:
    """The surprise at targets t under probabilities x: the mean over the batch of −Σᵢ tᵢ·log xᵢ.

    x: probabilities, (…, classes), rows that sum to 1, as `nn.softmax` gives them. t: one-hot or
    soft targets of the same shape, or integer labels of shape (…); "none": (…). A term with t = 0
    is 0, also where x = 0; a true class of probability 0 gives inf, with the slope −inf. Where
    probabilities come from a softmax, `nn.cross_entropy_from_logits` is finite at any confidence.

    Raises ValueError, too, for x or t outside [0, 1], but for rounding, and labels out of range;
    TypeError for labels that are not integers. That rows sum to 1 is not looked at. Lecture 1,
    cheat sheet "Cross Entropy".

    >>> import numpy as np, nn
    >>> x = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
    >>> round(float(nn.cross_entropy(x, [0, 1])), 4)  # (log 2 + 0) / 2
    0.3466
    >>> round(float(nn.cross_entropy(x, [[1, 0, 0], [0, 1, 0]])), 4)
    0.3466
    """
    asked = "cross_entropy"
    x, t = floating(x), operand(t)
    labelled = are_labels(asked, x, t)
    advice = "for logits there is nn.cross_entropy_from_logits"
    refuse_no_probability(asked, "predictions", x, advice, rounded=True)
    if labelled:
        return reduced(asked, -log(picked(x, t)), reduction)
    t = _probable_rows(asked, x, t)
    # log(x + 1) in place of log x where t = 0: finite, so that 0·log 0 is 0, with the slope 0
    return reduced_rows(asked, log(x + idle(t, x, 0)), t, reduction)


def cross_entropy_from_logits(
    x: Operand,
    t: Operand,
    *,
    label_smoothing: float = 0.0,
    class_weights: Operand | None = None,
    ignored_index: int | None = None,
    reduction: Reduction = "mean",
) -> Any:
    """`cross_entropy` of softmax(x), from the logits x: the mean of −Σᵢ tᵢ·(xᵢ − log Σⱼ e^(xⱼ)).

    x: any real numbers, (…, classes); −∞ masks a class out. t: integer labels of shape (…), or
    one-hot or soft targets of the shape of x; "none": (…). Value and derivative are finite unless a
    class with t > 0 is masked; the value is exact to rounding at the size of the logits.

    `label_smoothing` s: t becomes (1 − s)·t + s/classes (Szegedy and others 2016, section 7).
    `class_weights` w, (classes,): each term is wᵢ·tᵢ·…; with labels, the mean is Σ losses / Σ w of
    the labels. `ignored_index`: rows with this label, which may be out of range, count for nothing.

    Raises ValueError, too, for labels, targets and settings out of range, and a batch in which
    nothing counts; TypeError for labels that are not integers. Lectures 1 and 4, shifted as lecture
    4 does.

    >>> import numpy as np, nn
    >>> x = np.array([[1000.0, 0.0], [0.0, 0.0]])
    >>> round(float(nn.cross_entropy_from_logits(x, [1, 0])), 4)  # (1000 + log 2) / 2
    500.3466
    >>> round(float(nn.cross_entropy_from_logits(x, [-1, 0], ignored_index=-1)), 4)
    0.6931
    """
    settings = label_smoothing, class_weights, ignored_index
    return _surprise("cross_entropy_from_logits", x, t, log_softmax, *settings, reduction)


def negative_log_likelihood(
    x: Operand,
    t: Operand,
    *,
    class_weights: Operand | None = None,
    ignored_index: int | None = None,
    reduction: Reduction = "mean",
) -> Any:
    """The surprise at targets t under log-probabilities x: the mean over the batch of −Σᵢ tᵢ·xᵢ.

    x: logarithms of probabilities, (…, classes), as `nn.log_softmax` gives them: with these, it is
    `nn.cross_entropy_from_logits`, whose t, settings and errors it shares.

    Raises ValueError, too, for x above 0, but for rounding: that is no logarithm of a probability.
    That the probabilities of a row sum to 1 is not looked at.

    >>> import numpy as np, nn
    >>> x = np.log(np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]]))
    >>> nn.negative_log_likelihood(x, np.array([0, 2]), reduction="none").round(4)
    array([0.6931, 1.3863])
    """
    settings = 0.0, class_weights, ignored_index
    return _surprise("negative_log_likelihood", x, t, _known_logs, *settings, reduction)


def _known_logs(x: Any) -> Any:
    """The predictions as they are, if none of them is above 0."""
    refuse_no_log_probability("negative_log_likelihood", x)
    return x


def _surprise(
    asked: str,
    x: Operand,
    t: Operand,
    to_logs: Callable[[Any], Any],
    label_smoothing: float,
    class_weights: Operand | None,
    ignored_index: int | None,
    reduction: Reduction,
) -> Any:
    """−Σᵢ wᵢ·tᵢ·logᵢ of each row, reduced."""
    x, t, ignored_index = floating(x), operand(t), known_label(asked, ignored_index)
    labelled = are_labels(asked, x, t, ignored_index)
    weights = known_class_weights(asked, class_weights, x.shape[-1])
    weights = None if weights is None else weights.astype(x.dtype)
    share = known_share(asked, label_smoothing)
    if not labelled:
        if ignored_index is not None:
            raise ValueError(
                f"{asked}: ignored_index is for integer labels, received targets: {kind(t)}; set "
                f"the rows to be ignored to 0"
            )
        rows = _smoothed(_probable_rows(asked, x, t), share, weights)
        return reduced_rows(asked, _possible(to_logs(x), rows), rows, reduction)
    if ignored_index is None and weights is None and not share:
        return reduced(asked, -picked(to_logs(x), t), reduction)
    return _counted(asked, x, t, to_logs, share, weights, ignored_index, reduction)


def _counted(
    asked: str,
    x: Any,
    t: Any,
    to_logs: Callable[[Any], Any],
    share: float,
    weights: Any,
    ignored_index: int | None,
    reduction: Reduction,
) -> Any:
    """The same for labels of which some count more than others, or not at all."""
    ignored = np.zeros(t.shape, bool) if ignored_index is None else t == ignored_index
    x = np.where(ignored[..., None], 0, x)  # whatever is in such a row, NaN included
    t = np.where(ignored, 0, t)
    counts = np.where(ignored, 0, x.dtype.type(1) if weights is None else np.take(weights, t))
    total = np.sum(counts)
    if reduction == "mean" and not plain(total) > 0:
        raise ValueError(
            f"{asked}: every label is ignored or has the weight 0, and there is no mean; pass at "
            f"least one row that counts"
        )
    if share:
        rows = np.where(ignored[..., None], 0, _smoothed(label_rows(t, x), share, weights))
        return reduced_rows(asked, _possible(to_logs(x), rows), rows, reduction, total)
    # a class of weight 0 may be masked out: 0·∞
    losses = np.where(counts > 0, picked(to_logs(x), t), 0) * -counts
    return reduced(asked, losses, reduction, total)


def _probable_rows(asked: str, x: Any, t: Any) -> Any:
    """Rows of targets as numbers from 0 to 1."""
    t = target_rows(asked, x, t)
    advice = "pass one-hot rows, the shares of the classes, or integer labels"
    refuse_no_probability(asked, "targets", t, advice, rounded=True)
    return t


def _smoothed(rows: Any, share: float, weights: Any = None) -> Any:
    """The targets of all classes, with a share of them spread evenly, times the class weights."""
    if share:
        rows = (1 - share) * rows + share / rows.shape[-1]
    return rows if weights is None else rows * weights


def _possible(logs: Any, rows: Any) -> Any:
    """The logarithms, with 0 for the −∞ of a class that no target asks for: 0·∞ is NaN."""
    return np.where(idle(rows, logs, -np.inf), 0, logs)


def hinge(x: Operand, t: Operand, *, margin: float = 1.0, reduction: Reduction = "mean") -> Any:
    """By how much other classes come too near: the mean of Σ_{j≠t} max(0, xⱼ − x_t + margin).

    x: scores, (…, classes); t: integer labels, (…); "none": (…). At a kink the slope is 0.
    Lecture 5; Weston and Watkins 1999.

    Raises ValueError, too, for labels out of range and a margin that is not finite, TypeError for
    labels that are not integers.

    >>> import numpy as np, nn
    >>> float(nn.hinge(np.array([[2.0, 1.5, 0.0]]), np.array([0])))
    0.5
    """
    x, t = floating(x), operand(t)
    if not are_labels("hinge", x, t):
        raise ValueError(
            f"hinge: targets: {kind(t)}; pass one integer label per row, shape {x.shape[:-1]}: "
            f"one-hot rows have theirs at t.argmax(axis=-1)"
        )
    # without a margin, the class itself is at the kink of max(0, 0), and counts for nothing
    margins = known_margin("hinge", margin) * (1 - label_rows(t, x))
    excess = np.clip(x - picked(x, t)[..., None] + margins, 0, None)
    return reduced("hinge", excess.sum(axis=-1), reduction)


def known_margin(asked: str, margin: float) -> float:
    """The margin as Python's number, or a ValueError where it is not finite."""
    return number(asked, "the margin", margin, "a finite number", np.isfinite)


# --- distributions --------------------------------------------------------------------------------


def kl_divergence(x: Operand, t: Operand, *, reduction: Reduction = "mean") -> Any:
    """How much x is surprised by t beyond t's own entropy: the mean of Σᵢ tᵢ·log(tᵢ / xᵢ).

    x, t: probabilities, (…, outcomes), one shape, rows that sum to 1; "none": (…). As in all
    losses, predictions come first: for lecture 5's KL(P, Q) pass Q as x and P as t. A term with
    t = 0 is 0; t > 0 where x = 0 gives inf. Kullback and Leibler 1951.

    Raises ValueError, too, for x or t outside [0, 1].

    >>> import numpy as np, nn
    >>> round(float(nn.kl_divergence(np.array([0.5, 0.5]), np.array([1.0, 0.0]))), 4)
    0.6931
    """
    asked = "kl_divergence"
    x, t = paired(asked, x, t)
    advice = "make them so with nn.softmax, or divide each row by its sum"
    refuse_no_probability(asked, "predictions", x, advice)
    refuse_no_probability(asked, "targets", t, advice)
    surprise = (log(t + (t == 0)) - log(x + idle(t, x, 0))) * t
    return reduced(asked, row_sums(surprise), reduction)
