"""Metrics: how good predictions are, in numbers that people read; nothing here is differentiated.

All are functions of predictions and targets, arrays or Variables alike. Where the targets are
classes, they are

- integer labels from 0, shape (…), or one-hot rows, shape (…, classes),

and the predictions one of three:

- scores, floats of shape (…, classes): probabilities or logits; the largest names the class, the
  first of several that are equally large;
- the class itself, integers or booleans of shape (…);
- for two classes, one column of floats, (rows,) or (rows, 1): the probability of class 1, which is
  predicted above a `threshold` of 0.5. For logits, the threshold is 0: `accuracy_from_logits`. The
  targets are 0 and 1 in any dtype, (rows,) or the same shape.

All raise ValueError for shapes that do not fit, no rows, NaN among the predictions, labels out of
range, and probabilities outside 0 to 1; TypeError for labels that are not integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_lite.errors import a_kind, kind
from autograd_lite.text import table
from autograd_lite.variable import Array, plain
from nn.data import finite, is_one_hot
from nn.loss_terms import are_labels, paired, refuse_empty, refuse_no_probability
from nn.losses import mean_absolute_error, mean_squared_error
from nn.module import Operand, first
from nn.names import named

# --- classes --------------------------------------------------------------------------------------


def accuracy(predictions: Operand, targets: Operand, *, threshold: float = 0.5) -> float:
    """The share of rows whose predicted class is the true one.

    Predictions and targets: see `nn.metrics`.

    >>> import numpy as np, nn
    >>> nn.accuracy(np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]]), [0, 1, 1])  # doctest: +ELLIPSIS
    0.666...
    >>> nn.accuracy(np.array([0.2, 0.7]), [0, 1])
    1.0
    >>> nn.accuracy(np.array([-3.0, 0.1]), [0, 1], threshold=0)  # logits
    1.0
    """
    predicted, true, _ = _classes("accuracy", predictions, targets, threshold)
    return float(np.mean(predicted == true))


def accuracy_from_logits(predictions: Operand, targets: Operand) -> float:
    """The share of rows whose predicted class is the true one, for logits: `nn.accuracy` above 0.

    It belongs to the losses from logits: one column of logits means class 1 where it is above 0.
    Where there is a logit for every class, the largest names it, as in `nn.accuracy`.

    >>> import numpy as np, nn
    >>> nn.accuracy_from_logits(np.array([-3.0, 0.1]), [0, 1])
    1.0
    """
    predicted, true, _ = _classes("accuracy_from_logits", predictions, targets, 0)
    return float(np.mean(predicted == true))


def top_k_accuracy(predictions: Operand, targets: Operand, *, k: int = 5) -> float:
    """The share of rows whose true class is among the k with the largest scores.

    Predictions: scores, (…, classes); targets: see `nn.metrics`. Of classes with equal scores the
    first come first, so that k = 1 is `nn.accuracy`. Raises ValueError for k outside 1 to classes.

    >>> import numpy as np, nn
    >>> scores = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
    >>> nn.top_k_accuracy(scores, [1, 2], k=2)
    0.5
    """
    scores, t = _numbers("top_k_accuracy", predictions), np.asarray(plain(targets))
    if scores.ndim < 2 or scores.shape[-1] < 2 or scores.dtype.kind != "f":
        raise ValueError(
            f"top_k_accuracy: predictions: {kind(scores)}; pass a float score for each class in "
            f"every row, shape (…, classes)"
        )
    labels, classes = _labels("top_k_accuracy", scores, t), scores.shape[-1]
    if not isinstance(k, int | np.integer) or not 1 <= k <= classes:
        raise ValueError(
            f"top_k_accuracy: k must be a whole number from 1 to {classes}, the number of classes, "
            f"received {k!r}"
        )
    score = np.take_along_axis(scores, labels[..., None], axis=-1)
    before = np.arange(classes) < labels[..., None]
    ahead = (scores > score) | ((scores == score) & before)
    return float(np.mean(np.count_nonzero(ahead, axis=-1) < k))


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """How many rows of each true class (down) were predicted as which (across).

    `counts`: (classes, classes), what `np.asarray` gives; `names` of the classes. Per class, with
    the hits on the diagonal: `precision`, hits by rows predicted so; `recall`, hits by rows that
    are so; `f1`, the harmonic mean of both, 2·hits by the sum of the two. NaN where that is 0 / 0:
    nothing can be said. `accuracy`: all hits by all rows.
    """

    counts: Array
    names: tuple[str, ...]

    @property
    def accuracy(self) -> float:
        """The share of rows on the diagonal."""
        return float(np.trace(self.counts) / self.counts.sum())

    @property
    def precision(self) -> Array:
        """For each class, the share of the rows predicted as it that are it."""
        return _shares(np.diag(self.counts), self.counts.sum(axis=0))

    @property
    def recall(self) -> Array:
        """For each class, the share of its rows that are predicted as it."""
        return _shares(np.diag(self.counts), self.counts.sum(axis=1))

    @property
    def f1(self) -> Array:
        """For each class, the harmonic mean of precision and recall."""
        both = self.counts.sum(axis=0) + self.counts.sum(axis=1)
        return _shares(2 * np.diag(self.counts), both)

    def __array__(self, dtype: DTypeLike = None, copy: bool | None = None) -> Array:
        return np.array(self.counts, dtype, copy=copy)

    def __str__(self) -> str:
        rows = [[name, *map(str, row)] for name, row in zip(self.names, self.counts, strict=True)]
        return "\n".join(table(["true ↓ predicted →", *self.names], rows))


def confusion_matrix(
    predictions: Operand,
    targets: Operand,
    *,
    classes: int | Sequence[str] | None = None,
    threshold: float = 0.5,
) -> ConfusionMatrix:
    """How often each true class (down) was predicted as which class (across).

    Predictions and targets: see `nn.metrics`. `classes` is their number, or their names in the
    order of the labels; by default as many as scores or one-hot rows have, 2 for one column, and
    otherwise up to the largest label.

    Raises ValueError for labels out of range of `classes`, too.

    >>> import nn
    >>> found = nn.confusion_matrix([0, 1, 1, 1], [0, 0, 1, 1], classes=["cat", "dog"])
    >>> print(found)
    true ↓ predicted →  cat  dog
    cat                 1    1
    dog                 0    2
    >>> found.recall
    array([0.5, 1. ])
    """
    predicted, true, known = _classes("confusion_matrix", predictions, targets, threshold)
    most = max(known or 0, int(max(predicted.max(), true.max())) + 1)
    if classes is None:
        names = tuple(map(str, range(most)))
    elif isinstance(classes, int | np.integer):
        names = tuple(map(str, range(classes)))
    else:
        names = tuple(classes)
    number = len(names)
    if number < most or number > (known or number):
        raise ValueError(
            f"confusion_matrix: classes gives {number}, but the data have {known or most}; pass a "
            f"name for each label from 0, or their number"
        )
    counts = np.bincount((number * true + predicted).ravel(), minlength=number**2)
    return ConfusionMatrix(counts.reshape(number, number), names)


# --- numbers --------------------------------------------------------------------------------------


def r_squared(predictions: Operand, targets: Operand) -> float:
    """R² = 1 − Σ (t − p)² / Σ (t − mean t)²: the share of the targets' variance that is explained.

    p, t: any one shape, (rows, …); where rows have several numbers, the mean of R² over them. 1 is
    perfect, 0 as good as always predicting the mean, and there is no lower end.

    Raises ValueError for shapes that differ, no rows, NaN, targets that are infinite, and targets
    that are the same in all rows, which have no variance.

    >>> import numpy as np, nn
    >>> nn.r_squared(np.array([1.0, 2.0, 3.5]), np.array([1.0, 2.0, 3.0]))
    0.875
    """
    p = _numbers("r_squared", predictions)
    p, t = paired("r_squared", p, finite("r_squared", "targets", plain(targets)))
    if not p.ndim:
        raise ValueError("r_squared: one number has no variance; pass an array of rows")
    p, t = (each.astype(float).reshape(len(each), -1) for each in (p, t))
    constant = (t[:1] == t).all(axis=0)
    if constant.any():
        place = f" in column {first(constant)}" if t.shape[1] > 1 else ""
        raise ValueError(
            f"r_squared: all {len(t)} targets are {t[0, first(constant)]:g}{place}, and have no "
            f"variance to explain; pass more rows, or leave R² out"
        )
    away = t - t.mean(axis=0)
    largest = np.abs(away).max(axis=0)  # squares of shares neither overflow nor vanish
    with np.errstate(over="ignore"):  # predictions that far off have R² = −∞
        unexplained = np.square((t - p) / largest).sum(axis=0)
    return float(np.mean(1 - unexplained / np.square(away / largest).sum(axis=0)))


# --- by name --------------------------------------------------------------------------------------

Metric = Callable[[Any, Any], Any]
Metrics = Iterable[str | Metric | tuple[str, Metric]]

METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "accuracy_from_logits": accuracy_from_logits,
    "mean_absolute_error": mean_absolute_error,
    "mean_squared_error": mean_squared_error,
    "r_squared": r_squared,
    "top_k_accuracy": top_k_accuracy,
}
"""The metrics that have a name in settings such as `metrics=["accuracy"]`."""


def by_name(asked: str, metrics: Metrics) -> dict[str, Metric]:
    """Name → function, for names of `METRICS` and functions of one's own, in their order.

    A function goes by its own name, or by that of a pair (name, function). Raises ValueError for an
    unknown name and for two of the same; TypeError for what is none of these.

    >>> import functools, nn
    >>> top_3 = functools.partial(nn.top_k_accuracy, k=3)
    >>> list(nn.metrics.by_name("fit", ["accuracy", ("top 3", top_3)]))
    ['accuracy', 'top 3']
    """
    if isinstance(metrics, str):
        raise TypeError(
            f"{asked}: metrics is a list of names, received: {kind(metrics)}; write [{metrics!r}]"
        )
    if not isinstance(metrics, Iterable):
        raise TypeError(
            f"{asked}: metrics is {a_kind(metrics)}; pass a list of names and functions, such as "
            f"['accuracy'], or leave it out"
        )
    found: dict[str, Metric] = {}
    for metric in metrics:
        name, function = _name_and_function(asked, metric)
        if isinstance(function, type) or not callable(function):
            raise TypeError(
                f"{asked}: a metric is a name, a function of predictions and targets, or a pair "
                f"(name, function), received: {kind(metric)}"
            )
        if name in found:
            raise ValueError(
                f"{asked}: there are two metrics called {name!r}; pass it once, or as a pair, "
                f"(another name, function)"
            )
        found[name] = function
    return found


def _name_and_function(asked: str, metric: Any) -> tuple[str, Any]:
    if isinstance(metric, str):
        return metric, named(asked, "metric", metric, METRICS)
    if isinstance(metric, tuple) and len(metric) == 2 and isinstance(metric[0], str):
        return metric
    return getattr(metric, "__name__", type(metric).__name__), metric


# --- predictions and targets as labels ------------------------------------------------------------


def _classes(
    asked: str, predictions: Operand, targets: Operand, threshold: float
) -> tuple[Array, Array, int | None]:
    """Predicted and true labels, of one shape, and the number of classes where that is known."""
    p, t = _numbers(asked, predictions), np.asarray(plain(targets))
    refuse_empty(asked, p)
    if p.dtype.kind != "f":
        return _given(asked, p, t)
    if p.ndim == 1 or p.shape[-1:] == (1,):
        return _of_two(asked, p, t, threshold)
    labels = _labels(asked, p, t)
    return p.argmax(axis=-1), labels, p.shape[-1]


def _given(asked: str, p: Array, t: Array) -> tuple[Array, Array, int | None]:
    """Labels that were predicted as such, with true labels or one-hot rows."""
    classes = None
    if t.ndim == p.ndim + 1 and is_one_hot(t):
        t, classes = t.argmax(axis=-1), t.shape[-1]
    if p.shape != t.shape:
        raise ValueError(
            f"{asked}: predictions: {kind(p)}, targets: {kind(t)}; integer predictions are labels, "
            f"and take one label or one-hot row each; pass scores as floats"
        )
    for what, labels in (("prediction", p), ("label", t)):
        if labels.dtype.kind not in "iub":
            raise TypeError(
                f"{asked}: labels must be integers, received: {kind(labels)}; write "
                f"labels.astype(int)"
            )
        wrong = labels < 0 if classes is None else (labels < 0) | (labels >= classes)
        if wrong.any():
            raise ValueError(
                f"{asked}: {what} {labels[wrong].flat[0]} at position {first(wrong)} is out of "
                f"range: labels count from 0{'' if classes is None else f' to {classes - 1}'}"
            )
    return p.astype(int), t.astype(int), classes


def _of_two(asked: str, p: Array, t: Array, threshold: float) -> tuple[Array, Array, int]:
    """Class 1 above the threshold, and class 0."""
    if t.shape not in (p.shape, p.shape[:1]) or p.size != len(p):
        raise ValueError(
            f"{asked}: predictions: {kind(p)}, targets: {kind(t)}; one column of predictions takes "
            f"one target, 0 or 1, for each row"
        )
    wrong = (t != 0) & (t != 1)
    if wrong.any():
        raise ValueError(
            f"{asked}: target {t[wrong].flat[0]} at position {first(wrong)}; with one column of "
            f"predictions there are the classes 0 and 1: pass a score for each class if there are "
            f"more, or integers if the predictions are labels"
        )
    if threshold != 0:
        advice = "for logits, pass threshold=0, or take accuracy_from_logits"
        refuse_no_probability(asked, "one column of predictions", p, advice)
        if not 0 < threshold < 1:
            raise ValueError(
                f"{asked}: the threshold of a probability lies between 0 and 1, received "
                f"{threshold!r}; {advice}"
            )
    return (p.ravel() > threshold).astype(int), t.ravel().astype(int), 2


def _labels(asked: str, scores: Array, t: Array) -> Array:
    """The true label of every row of scores, out of labels or one-hot rows."""
    if are_labels(asked, scores, t):
        return t.astype(np.intp)  # bytes, as files have them, would wrap when counted with
    if not is_one_hot(t):
        raise ValueError(
            f"{asked}: the targets are rows that are not one-hot: a single 1, and 0 elsewhere; "
            f"pass labels, for instance targets.argmax(axis=-1)"
        )
    return t.argmax(axis=-1)


def _numbers(asked: str, predictions: Operand) -> Array:
    """Predictions as an array of real numbers without NaN, which would be the largest of a row."""
    array = np.asarray(plain(predictions))
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{asked}: predictions: {kind(array)}; pass an array of real numbers")
    wrong = np.isnan(array)
    if wrong.any():
        raise ValueError(
            f"{asked}: the predictions hold NaN, first at position {first(wrong)}; find out where "
            f"the model makes it"
        )
    return array


def _shares(part: Array, whole: Array) -> Array:
    """The quotient, NaN for 0 / 0."""
    with np.errstate(invalid="ignore"):
        return part / whole
