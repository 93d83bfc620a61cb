"""Data: checks, mini-batches, splits, one-hot rows."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from nn.data import batches, checked_rows, finite, one_hot, refuse_less_than_one, split

X = np.arange(14.0).reshape(7, 2)
Y = np.array([0, 1, 2, 0, 1, 2, 0])


def generator(seed=0):
    return np.random.default_rng(seed)


def refuses(error, message):
    return pytest.raises(error, match="^" + re.escape(message))


# --- checks ---------------------------------------------------------------------------------------

HOLE = X.copy()
HOLE[[1, 3], [1, 0]] = np.nan, -np.inf


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ((X, Y[:3]), ValueError, "X has 7 rows, y has 3; pass one target for every row"),
        ((X, 1), ValueError, "X has 7 rows, y has none; pass one target"),
        ((X[:0], Y[:0]), ValueError, "X and y have no rows; pass at least one"),
        ((X[0], Y[:2]), ValueError, "X is a float64 array of shape (2,), and rows of features are"),
        (
            (HOLE, Y),
            ValueError,
            "X has 2 of 14 entries that are not finite, the first is nan at row 1, column 1; ",
        ),
        (
            (X, HOLE[:, 0]),
            ValueError,
            "y has 1 of 7 entries that are not finite, the first is -inf ",
        ),
        (
            (HOLE[:, None], Y),
            ValueError,
            "X has 2 of 14 entries that are not finite, the first is ",
        ),
        ((X, list("abcabca")), TypeError, "y is a <U1 array of shape (7,); pass an array of real"),
        ((X + 1j, Y), TypeError, "X is a complex128 array of shape (7, 2); pass an array of real"),
        (([[1, 2], [3]], [0, 1]), ValueError, "X is no array (setting an array element"),
    ],
)
def test_rows_that_cannot_be_trained_on_are_refused(data, error, message):
    with refuses(error, f"fit: {message}"):
        checked_rows("fit", *data)


def test_the_place_of_a_bad_entry_is_its_row_and_column_or_its_index():
    with pytest.raises(ValueError, match=r"the first is -inf at row 3; remove"):
        finite("fit", "y", HOLE[:, 0])
    with pytest.raises(ValueError, match=r"the first is nan at \(1, 0, 1\); remove"):
        finite("fit", "X", HOLE[:, None])


def test_good_rows_pass_as_arrays_of_their_dtype():
    x, y = checked_rows("fit", [[1, 2], [3, 4]], ag.Variable([0.5, 1.5]).detach())
    assert x.dtype == int
    assert x.tolist() == [[1, 2], [3, 4]]
    assert y.tolist() == [0.5, 1.5]
    assert checked_rows("fit", X, Y)[0] is X


@pytest.mark.parametrize("bad", [0, -1, 1.0, "3", None, np.nan])
def test_counts_below_one_are_refused(bad):
    with refuses(ValueError, f"fit: epochs must be a whole number of at least 1, received {bad!r}"):
        refuse_less_than_one("fit", batch_size=np.int64(1), epochs=bad)


# --- mini-batches ---------------------------------------------------------------------------------


def test_batches_in_order_are_views_with_a_partial_one_at_the_end():
    found = batches(X, Y, batch_size=3)
    assert len(found) == 3
    for _ in range(2):  # iterating again is the same again
        parts = list(found)
        assert [len(x) for x, _ in parts] == [3, 3, 1]
        assert np.array_equal(np.concatenate([x for x, _ in parts]), X)
        assert np.array_equal(np.concatenate([y for _, y in parts]), Y)
    assert all(np.shares_memory(x, X) and np.shares_memory(y, Y) for x, y in parts)


@given(
    rows=st.integers(1, 30),
    size=st.one_of(st.integers(1, 40), st.just(10**12)),
    shuffled=st.booleans(),
)
def test_every_row_comes_once_and_with_its_target(rows, size, shuffled):
    numbers = np.arange(rows)
    found = batches(numbers[:, None], -numbers, 2 * numbers, batch_size=size, rng=generator())
    if not shuffled:
        found = batches(numbers[:, None], -numbers, 2 * numbers, batch_size=size)
    parts = list(found)
    assert len(parts) == len(found)
    assert [len(part[0]) for part in parts[:-1]] == [size] * (len(parts) - 1)
    x, minus, double = (np.concatenate(pieces) for pieces in zip(*parts, strict=True))
    assert sorted(x[:, 0]) == numbers.tolist()
    assert np.array_equal(x[:, 0], -minus)
    assert np.array_equal(2 * x[:, 0], double)


def test_every_epoch_has_its_own_order_which_the_seed_decides():
    def epochs(seed):
        found = batches(Y * 10 + X[:, 0], batch_size=2, rng=generator(seed))
        return [np.concatenate([rows for (rows,) in found]).tolist() for _ in range(4)]

    assert epochs(1) == epochs(1)
    assert epochs(1) != epochs(2)
    assert len({tuple(order) for order in epochs(1)}) == 4
    # the same draws as rng.permutation, one each epoch
    rng = generator(1)
    assert epochs(1) == [(Y * 10 + X[:, 0])[rng.permutation(7)].tolist() for _ in range(4)]


def test_shuffled_batches_are_copies():
    data = X.copy()
    for (rows,) in batches(data, batch_size=3, rng=generator()):
        rows[:] = -1
    assert np.array_equal(data, X)


@pytest.mark.parametrize(
    ("arrays", "settings", "error", "message"),
    [
        ((), {}, ValueError, "there are no arrays; pass for instance X and y"),
        ((X, Y, Y[:2]), {}, ValueError, "the arrays have 7, 7 and 2 rows; pass arrays of one"),
        ((X, 32), {}, ValueError, "array 1 is an int64 scalar, which has no rows; settings are"),
        ((X[:0], Y[:0]), {}, ValueError, "the arrays have no rows; pass at least one"),
        ((X,), {"batch_size": 0}, ValueError, "batch_size must be a whole number of at least 1"),
        ((X,), {"batch_size": 2.5}, ValueError, "batch_size must be a whole number of at least 1"),
        ((X,), {"rng": 0}, TypeError, "rng must be a numpy.random.Generator, received int 0; pass"),
        (([[1], [2, 3]],), {}, ValueError, "array 0 is no array (setting an array element"),
    ],
)
def test_what_batches_refuse(arrays, settings, error, message):
    with refuses(error, f"batches: {message}"):
        batches(*arrays, **({"batch_size": 2} | settings))


# --- split ----------------------------------------------------------------------------------------


@given(rows=st.integers(2, 60), fraction=st.floats(0.02, 0.98), seed=st.integers(0, 9))
def test_a_split_takes_every_row_once_and_the_nearest_number(rows, fraction, seed):
    numbers = np.arange(rows)
    held = round(fraction * rows)
    if held in (0, rows):
        missing = "training" if held else "validation"
        with refuses(ValueError, f"split: {fraction} of {rows} rows leaves no row for {missing}"):
            split(numbers, fraction=fraction)
        return
    training, validation = split(numbers, -numbers, fraction=fraction, rng=generator(seed))
    assert len(validation[0]) == held
    assert sorted([*training[0], *validation[0]]) == numbers.tolist()
    for x, y in (training, validation):
        assert np.array_equal(x, -y)


def test_the_seed_decides_the_split_and_sorted_rows_are_mixed():
    def held(seed):
        return split(np.arange(100), fraction=0.3, rng=generator(seed)).validation[0].tolist()

    assert held(0) == held(0)
    assert held(0) != held(1)
    assert held(0) != sorted(held(0))
    assert min(held(0)) < 50 < max(held(0))
    fresh = [split(np.arange(100), fraction=0.3).validation[0].tolist() for _ in range(2)]
    assert fresh[0] != fresh[1]


@given(
    counts=st.lists(st.integers(2, 20), min_size=1, max_size=5),
    fraction=st.floats(0.1, 0.9),
    seed=st.integers(0, 9),
)
def test_stratified_parts_have_the_shares_of_every_class(counts, fraction, seed):
    labels = generator(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    rows = np.arange(len(labels))
    if not 0 < round(fraction * len(rows)) < len(rows):
        return
    training, validation = split(
        rows, labels, fraction=fraction, rng=generator(seed), stratify=labels
    )
    assert sorted([*training[0], *validation[0]]) == rows.tolist()
    assert np.array_equal(labels[validation[0]], validation[1])
    held = np.bincount(validation[1], minlength=len(counts))
    exact = fraction * np.array(counts)
    assert np.all((held >= 1) & (held < counts))
    # rounded up or down, unless a class would be missing from one part
    assert np.all((np.abs(held - exact) < 1) | (held == 1) | (held == np.array(counts) - 1))
    if np.all((np.floor(exact) >= 1) & (np.ceil(exact) < counts)):
        assert held.sum() == round(fraction * len(rows))


def test_stratified_shares_are_exact_where_they_can_be():
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    (y_train,), (y_val,) = split(labels, fraction=0.2, rng=generator(), stratify=labels)
    assert np.bincount(y_val).tolist() == [12, 6, 2]
    assert np.bincount(y_train).tolist() == [48, 24, 8]
    assert y_val.tolist() != sorted(y_val)  # mixed, not class by class
    # 3.9 and 2.1 of 6 rows: the larger remainder is rounded up
    labels = np.repeat([0, 1], [13, 7])
    (y_val,) = split(labels, fraction=0.3, rng=generator(), stratify=labels).validation
    assert np.bincount(y_val).tolist() == [4, 2]


def test_labels_may_be_words_one_hot_rows_and_truth_values():
    labels = np.repeat([0, 1], [8, 4])
    kinds = [labels, np.array(["no", "yes"])[labels], np.eye(2)[labels], labels == 1, list(labels)]
    parts = [split(labels, fraction=0.25, rng=generator(3), stratify=each) for each in kinds]
    assert np.bincount(parts[0].validation[0]).tolist() == [2, 1]
    for part in parts:
        assert part.validation[0].tolist() == parts[0].validation[0].tolist()
        assert part.training[0].tolist() == parts[0].training[0].tolist()


@pytest.mark.parametrize("fraction", [0, 1, -0.2, 1.5, 20, np.nan, "0.2", None, True])
def test_a_fraction_out_of_range_is_refused(fraction):
    message = f"split: fraction must lie between 0 and 1, received {fraction!r}; it is the share"
    with refuses(ValueError, message):
        split(X, Y, fraction=fraction)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"stratify": Y[:3]}, ValueError, "stratify is an int64 array of shape (3,); pass one"),
        ({"stratify": X}, ValueError, "stratify is a float64 array of shape (7, 2); pass one"),
        ({"stratify": X[:, 0]}, TypeError, "stratify takes labels, whole numbers or words, rec"),
        (
            {"stratify": [5, 7, 5, 5, 5, 5, 5]},
            ValueError,
            "class 7 has one row, and cannot be in both parts; add rows of it, leave it out, or",
        ),
        ({"rng": 3}, TypeError, "rng must be a numpy.random.Generator, received int 3"),
        ({"fraction": 0.01}, ValueError, "0.01 of 7 rows leaves no row for validation; pass"),
    ],
)
def test_what_a_split_refuses(settings, error, message):
    with refuses(error, f"split: {message}"):
        split(X, Y, **({"fraction": 0.4} | settings))
    with refuses(ValueError, "split: the arrays have 7 and 6 rows"):
        split(X, Y[1:], fraction=0.4)


# --- one-hot rows ---------------------------------------------------------------------------------


def test_one_hot_rows_have_a_one_at_the_label():
    assert one_hot([2, 0]).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert one_hot([2, 0]).dtype == float
    assert one_hot(np.array([1], np.uint8), classes=3, dtype=np.float32).dtype == np.float32
    assert one_hot([1], classes=3).tolist() == [[0, 1, 0]]
    assert np.array_equal(one_hot([[0, 1], [2, 1]]), np.eye(3)[[[0, 1], [2, 1]]])
    assert one_hot([], classes=3).shape == (0, 3)
    assert one_hot(1).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("labels", "classes", "error", "message"),
    [
        ([0, 3], 3, ValueError, "label 3 at position 1 is out of range: 3 classes have the labels"),
        ([[0], [-1]], None, ValueError, "label -1 at position (1, 0) is out of range: 1 classes"),
        ([0.0, 1.0], None, TypeError, "labels must be integers, received: float64 array of shape "),
        ([True], None, TypeError, "labels must be integers, received: bool array of shape (1,); "),
        (["a"], None, TypeError, "labels must be integers, received: <U1 array of shape (1,); wri"),
        ([], None, ValueError, "there are no labels to count classes by; pass classes"),
        ([0], 0, ValueError, "classes must be a whole number of at least 1, received 0"),
    ],
)
def test_what_one_hot_refuses(labels, classes, error, message):
    with refuses(error, f"one_hot: {message}"):
        one_hot(labels, classes)


def test_words_are_turned_into_labels_as_the_message_says():
    words = np.array(["b", "a", "b"])
    with pytest.raises(TypeError, match=r"write np\.unique\(labels, return_inverse=True\)\[1\]$"):
        one_hot(words)
    assert one_hot(np.unique(words, return_inverse=True)[1]).tolist() == [[0, 1], [1, 0], [0, 1]]


def test_masked_entries_are_refused():
    masked = np.ma.array([[1.0, 2.0], [999.0, 3.0]], mask=[[0, 0], [1, 0]])
    with pytest.raises(TypeError, match="array 0 has masked entries, and they would count"):
        split(masked, fraction=0.5)
