"""Data on the way to training: checks, mini-batches, a split in two parts, one-hot rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from autograd_lite.errors import a_kind, kind
from autograd_lite.variable import Array
from nn.initialisers import generator, known_generator
from nn.module import first

# --- checks ---------------------------------------------------------------------------------------


def checked_rows(asked: str, X: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    """X and y as arrays of finite numbers with a row per sample, or an error that says why not.

    X: (rows, …) with at least two axes; y: (rows, …). Messages begin with `asked`, the caller's
    name. Raises ValueError for entries that are not finite, different lengths and no rows;
    TypeError for what is not real numbers.
    """
    X, y = finite(asked, "X", X), finite(asked, "y", y)
    if X.ndim < 2:
        raise ValueError(
            f"{asked}: X is {a_kind(X)}, and rows of features are expected; write X[:, None] "
            f"for one feature, or X[None] for one sample"
        )
    if not y.ndim or len(X) != len(y):
        raise ValueError(
            f"{asked}: X has {len(X)} rows, y has {len(y) if y.ndim else 'none'}; pass one "
            f"target for every row"
        )
    if not len(X):
        raise ValueError(f"{asked}: X and y have no rows; pass at least one")
    return X, y


def finite(asked: str, name: str, data: ArrayLike) -> Array:
    """Data as an array of finite real numbers, or an error that says which entry is not."""
    array = as_array(asked, name, data)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{asked}: {name} is {a_kind(array)}; pass an array of real numbers")
    wrong = ~np.isfinite(array)
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        place = ", ".join(f"{axis} {i}" for axis, i in zip(("row", "column"), at, strict=False))
        raise ValueError(
            f"{asked}: {name} has {np.count_nonzero(wrong)} of {array.size} entries that are not "
            f"finite, the first is {array[at]} at {place if len(at) < 3 else at}; "
            f"remove or replace them"
        )
    return array


def as_array(asked: str, name: str, data: ArrayLike) -> Array:
    """Data as an array of any kind; ValueError for nested lists of different lengths."""
    if np.ma.is_masked(data):
        raise TypeError(
            f"{asked}: {name} has masked entries, and they would count; pass data.filled(value)"
        )
    try:
        return np.asarray(data)
    except ValueError as error:
        raise ValueError(
            f"{asked}: {name} is no array ({error}); give all its rows one length"
        ) from error


def refuse_less_than_one(asked: str, **counts: Any) -> None:
    """Raise ValueError for counts that are not whole numbers of at least 1."""
    for name, value in counts.items():
        if not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(
                f"{asked}: {name} must be a whole number of at least 1, received {value!r}"
            )


def is_one_hot(rows: Array) -> bool:
    """Whether the last axis holds rows with one 1, and 0 otherwise."""
    return bool(
        rows.ndim > 1 and np.all((rows == 0) | (rows == 1)) and np.all(rows.sum(axis=-1) == 1)
    )


def _of_one_length(asked: str, data: Sequence[ArrayLike]) -> tuple[Array, ...]:
    """Arrays with the same number of rows, at least one of each."""
    if not data:
        raise ValueError(f"{asked}: there are no arrays; pass for instance X and y")
    arrays = tuple(as_array(asked, f"array {n}", each) for n, each in enumerate(data))
    for n, array in enumerate(arrays):
        if not array.ndim:
            raise ValueError(
                f"{asked}: array {n} is {a_kind(array)}, which has no rows; settings are passed "
                f"by their name"
            )
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"{asked}: the arrays have {', '.join(map(str, lengths[:-1]))} and {lengths[-1]} rows; "
            f"pass arrays of one length"
        )
    if not lengths[0]:
        raise ValueError(f"{asked}: the arrays have no rows; pass at least one")
    return arrays


# --- mini-batches ---------------------------------------------------------------------------------


class Batches:
    """The mini-batches of arrays, as `nn.batches` makes them; iterating is one epoch."""

    def __init__(self, arrays: tuple[Array, ...], batch_size: int, rng: np.random.Generator | None):
        self.arrays = arrays
        self.batch_size = batch_size
        self.rng = rng

    def __len__(self) -> int:
        return math.ceil(len(self.arrays[0]) / self.batch_size)

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        rows = len(self.arrays[0])
        order = None if self.rng is None else self.rng.permutation(rows)
        for start in range(0, rows, self.batch_size):
            part = slice(start, start + self.batch_size)
            chosen = part if order is None else order[part]
            yield tuple(array[chosen] for array in self.arrays)


def batches(*arrays: ArrayLike, batch_size: int, rng: np.random.Generator | None = None) -> Batches:
    """The mini-batches of arrays of one length: `batch_size` rows at a time, the rest at the end.

    Iterating over the result is one epoch, in which every row comes once; `len()` is the number of
    batches, ⌈rows / batch_size⌉. A batch is a tuple with a part of every array, for one array,
    too. With `rng`, every epoch draws a new order, and batches are copies; without, they are views
    of the arrays in their order: writing to them changes your data. Entries are not looked at.

    Raises ValueError for no arrays, no rows, different lengths, and a size below 1; TypeError for
    an rng that is no `numpy.random.Generator`.

    >>> import numpy as np, nn
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]]), np.array([0, 1, 2, 3, 4])
    >>> [labels.tolist() for _, labels in nn.batches(X, y, batch_size=2)]
    [[0, 1], [2, 3], [4]]
    >>> shuffled = nn.batches(X, y, batch_size=2, rng=np.random.default_rng(0))
    >>> for epoch in range(2):
    ...     print([labels.tolist() for _, labels in shuffled])
    [[2, 4], [3, 0], [1]]
    [[4, 1], [2, 0], [3]]
    """
    checked = _of_one_length("batches", arrays)
    refuse_less_than_one("batches", batch_size=batch_size)
    return Batches(checked, batch_size, None if rng is None else known_generator("batches", rng))


# --- training and validation ----------------------------------------------------------------------


class Split(NamedTuple):
    """The two parts that `nn.split` makes: each a tuple with the rows it took of every array."""

    training: tuple[Array, ...]
    validation: tuple[Array, ...]


def split(
    *arrays: ArrayLike,
    fraction: float,
    rng: np.random.Generator | None = None,
    stratify: ArrayLike | None = None,
) -> Split:
    """Divide the rows of arrays at random: `fraction` of them for validation, the rest to train on.

    The validation part has the whole number of rows nearest to fraction · rows. The order is drawn
    from `rng`, a `numpy.random.Generator` (a fresh one by default), and both parts are copies in
    that order. With `stratify`, labels or one-hot rows for every row, the parts have the same
    shares of every class, but for rounding, and at least one row of each. For a test part, split
    twice.

    Raises ValueError for a fraction outside 0 < fraction < 1 or that leaves a part empty, for no
    arrays, no rows, different lengths, and for a class with one row in `stratify`; TypeError for
    labels that are numbers with a fraction, and an rng that is no generator.

    >>> import numpy as np, nn
    >>> X, y = np.arange(12.0).reshape(6, 2), np.array([0, 0, 0, 0, 1, 1])
    >>> rng = np.random.default_rng(0)
    >>> train, (X_val, y_val) = nn.split(X, y, fraction=0.5, rng=rng, stratify=y)
    >>> X_val.shape, sorted(y_val.tolist())
    ((3, 2), [0, 0, 1])
    """
    checked = _of_one_length("split", arrays)
    rows = len(checked[0])
    if not isinstance(fraction, int | float | np.number) or not 0 < fraction < 1:
        raise ValueError(
            f"split: fraction must lie between 0 and 1, received {fraction!r}; it is the share of "
            f"rows for validation, for instance 0.2"
        )
    held = round(float(fraction) * rows)
    if not 0 < held < rows:
        raise ValueError(
            f"split: {fraction} of {rows} rows leaves no row for "
            f"{'training' if held else 'validation'}; pass another fraction or more rows"
        )
    rng = generator("split", rng)
    order = rng.permutation(rows)
    chosen = np.zeros(rows, bool)  # by position in the order
    if stratify is None:
        chosen[:held] = True
    else:
        classes = _classes(stratify, rows)[order]
        for label, count in enumerate(_shares(np.bincount(classes), float(fraction), held)):
            chosen[np.flatnonzero(classes == label)[:count]] = True
    training, validation = order[~chosen], order[chosen]
    return Split(
        tuple(array[training] for array in checked), tuple(array[validation] for array in checked)
    )


def _classes(labels: ArrayLike, rows: int) -> Array:
    """The number of every row's class, out of labels of any discrete kind or one-hot rows."""
    labels = as_array("split", "stratify", labels)
    if is_one_hot(labels):
        labels = labels.argmax(axis=-1)
    if labels.shape != (rows,):
        raise ValueError(
            f"split: stratify is {a_kind(labels)}; pass one label, or one one-hot row, for each of "
            f"the {rows} rows"
        )
    if labels.dtype.kind not in "iubUS":
        raise TypeError(
            f"split: stratify takes labels, whole numbers or words, received: {kind(labels)}; "
            f"leave it out for targets that are not classes"
        )
    names, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        raise ValueError(
            f"split: class {names[counts.argmin()]} has one row, and cannot be in both parts; add "
            f"rows of it, leave it out, or do not stratify"
        )
    return classes


def _shares(counts: Array, fraction: float, held: int) -> Array:
    """How many rows of every class are held out: `held` in all, each class's share rounded.

    The largest remainders are rounded up. Small classes may add to or take from `held`, because
    one row of every class stays in either part.
    """
    exact = fraction * counts
    shares = np.floor(exact).astype(int)
    largest = np.argsort(shares - exact, kind="stable")  # first classes first, for equal remainders
    shares[largest[: held - shares.sum()]] += 1
    return np.clip(shares, 1, counts - 1)


# --- one-hot rows ---------------------------------------------------------------------------------


def one_hot(labels: ArrayLike, classes: int | None = None, dtype: DTypeLike = float) -> Array:
    """A row for each label: 1 at the label, 0 elsewhere.

    labels: integers of any shape, from 0 to classes − 1; result: (…, classes). `classes` is by
    default one more than the largest label: pass it where some may be missing, as in a batch.

    Raises TypeError for labels that are not integers, ValueError for labels out of range and, where
    `classes` is not given, for no labels.

    >>> import numpy as np, nn
    >>> nn.one_hot([0, 2, 1])
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]])
    """
    labels = as_array("one_hot", "labels", labels)
    if classes is None and not labels.size:
        raise ValueError("one_hot: there are no labels to count classes by; pass classes")
    if labels.dtype.kind not in "iu" and labels.size:  # an empty list is an array of floats
        words = labels.dtype.kind in "US"
        advice = "np.unique(labels, return_inverse=True)[1]" if words else "labels.astype(int)"
        raise TypeError(
            f"one_hot: labels must be integers, received: {kind(labels)}; write {advice}"
        )
    if classes is None:
        classes = int(labels.max()) + 1
    else:
        refuse_less_than_one("one_hot", classes=classes)
    wrong = (labels < 0) | (labels >= classes)
    if wrong.any():
        raise ValueError(
            f"one_hot: label {labels[wrong].flat[0]} at position {first(wrong)} is out of range: "
            f"{classes} classes have the labels 0 to {classes - 1}"
        )
    return (labels[..., None] == np.arange(classes)).astype(dtype)
