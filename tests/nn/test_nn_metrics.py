"""Metrics: known answers, scikit-learn's on the same rows, every form of input, and refusals."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as theirs

import autograd_lite as ag
from nn.metrics import (
    METRICS,
    accuracy,
    by_name,
    confusion_matrix,
    r_squared,
    top_k_accuracy,
)

SCORES = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3], [0.4, 0.3, 0.3]])
LABELS = np.array([0, 2, 2, 1])  # predicted: 0, 2, 1, 0


def refuses(error, message):
    return pytest.raises(error, match="^" + re.escape(message))


# --- every form that predictions and targets of one truth may have --------------------------------

ONE_HOT = np.eye(3)[LABELS]
SAME = {
    "probabilities": (SCORES, LABELS),
    "logits": (np.log(SCORES) * 10 - 4, LABELS),
    "one-hot targets": (SCORES, ONE_HOT),
    "one-hot integers": (SCORES, ONE_HOT.astype(int)),
    "float32": (SCORES.astype(np.float32), LABELS.astype(np.uint8)),
    "labels": (SCORES.argmax(axis=1), LABELS),
    "labels and one-hot": (SCORES.argmax(axis=1), ONE_HOT),
    "lists": (SCORES.tolist(), LABELS.tolist()),
    "Variables": (ag.Variable(SCORES), ag.Variable(ONE_HOT)),
    "two axes": (SCORES.reshape(2, 2, 3), LABELS.reshape(2, 2)),
    "labels, two axes": (SCORES.argmax(axis=1).reshape(2, 2), LABELS.reshape(2, 2)),
    "masked": (np.where(SCORES < 0.15, -np.inf, SCORES), LABELS),
}


@pytest.mark.parametrize("form", SAME)
def test_accuracy_and_confusion_of_every_form(form):
    assert accuracy(*SAME[form]) == 0.5
    found = confusion_matrix(*SAME[form])
    assert found.counts.tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 1]]
    assert found.accuracy == 0.5
    assert type(found.accuracy) is type(accuracy(*SAME[form])) is float


COLUMN = np.array([0.2, 0.5, 0.51, 0.9])  # predicted: 0, 0, 1, 1
TRUE = np.array([0, 1, 1, 0])
TWO = {
    "probabilities": (COLUMN, TRUE, {}),
    "a column": (COLUMN[:, None], TRUE, {}),
    "two columns": (COLUMN[:, None], TRUE[:, None], {}),
    "float targets": (COLUMN[:, None], TRUE[:, None].astype(float), {}),
    "true or false": (COLUMN, TRUE == 1, {}),
    "predicted true or false": (COLUMN > 0.5, TRUE, {}),
    "logits": (np.log(COLUMN / (1 - COLUMN)), TRUE, {"threshold": 0}),
    "another threshold": (COLUMN / 2, TRUE, {"threshold": 0.25}),
    "a row for either class": (np.stack([1 - COLUMN, COLUMN], axis=1), TRUE, {}),
}


@pytest.mark.parametrize("form", TWO)
def test_two_classes_in_every_form(form):
    predictions, targets, settings = TWO[form]
    assert accuracy(predictions, targets, **settings) == 0.5
    found = confusion_matrix(predictions, targets, **settings)
    assert found.counts.tolist() == [[1, 1], [1, 1]]


def test_the_threshold_decides():
    assert accuracy(COLUMN, TRUE, threshold=0.6) == 0.25
    assert accuracy(COLUMN, TRUE, threshold=0.4) == 0.75
    assert accuracy(COLUMN - 0.5, [0, 0, 1, 1], threshold=0) == 1


def test_of_equal_scores_the_first_is_predicted():
    equal = np.zeros((3, 3))
    assert accuracy(equal, [0, 1, 2]) == 1 / 3
    assert [top_k_accuracy(equal, [0, 1, 2], k=k) for k in (1, 2, 3)] == [1 / 3, 2 / 3, 1]


# --- scikit-learn's on the same rows --------------------------------------------------------------


@given(seed=st.integers(0, 99), classes=st.integers(3, 7), rows=st.integers(1, 40))
def test_classes_agree_with_scikit_learn(seed, classes, rows):
    rng = np.random.default_rng(seed)
    scores, labels = rng.standard_normal((rows, classes)), rng.integers(0, classes, rows)
    predicted, every = scores.argmax(axis=1), np.arange(classes)
    assert accuracy(scores, labels) == pytest.approx(theirs.accuracy_score(labels, predicted))
    for k in range(1, classes):
        expected = theirs.top_k_accuracy_score(labels, scores, k=k, labels=every)
        assert top_k_accuracy(scores, labels, k=k) == pytest.approx(expected)
        assert top_k_accuracy(scores, np.eye(classes)[labels], k=k) == pytest.approx(expected)
    found = confusion_matrix(scores, labels)
    assert np.array_equal(found, theirs.confusion_matrix(labels, predicted, labels=every))
    expected = theirs.precision_recall_fscore_support(
        labels, predicted, labels=every, zero_division=np.nan
    )
    for ours, scikit in zip((found.precision, found.recall, found.f1), expected, strict=False):
        np.testing.assert_allclose(ours, scikit, rtol=1e-15)


@given(seed=st.integers(0, 99), rows=st.integers(2, 40), columns=st.sampled_from([None, 1, 3]))
def test_r_squared_agrees_with_scikit_learn(seed, rows, columns):
    rng = np.random.default_rng(seed)
    shape = (rows,) if columns is None else (rows, columns)
    t, noise = rng.normal(5, 3, shape), rng.standard_normal(shape)
    for p in (t, t + noise, -t):
        # R² of −t is about −10, of few rows −1000 and less: roundings are relative to that
        assert r_squared(p, t) == pytest.approx(theirs.r2_score(t, p), rel=1e-10, abs=1e-12)


# --- top k ----------------------------------------------------------------------------------------


def test_top_k_counts_true_classes_among_the_largest():
    # ranks of the true classes, from 0: 0, 0, 1, 1
    assert [top_k_accuracy(SCORES, LABELS, k=k) for k in (1, 2, 3)] == [0.5, 1, 1]
    scores = np.array([[4.0, 3, 2, 1], [1, 2, 3, 4], [3, 1, 2, 4]])
    assert [top_k_accuracy(scores, [3, 1, 0], k=k) for k in (1, 2, 3, 4)] == [0, 1 / 3, 2 / 3, 1]
    assert (
        top_k_accuracy(np.eye(6)[:, ::-1], np.arange(6)) == 5 / 6
    )  # k is 5; class 5 scores 0, too
    masked = np.array([[-np.inf, 1.0, -np.inf]])
    assert [top_k_accuracy(masked, [2], k=k) for k in (1, 2, 3)] == [0, 0, 1]


@pytest.mark.parametrize("k", [0, 4, -1, 1.0, None])
def test_k_out_of_range_is_refused(k):
    message = (
        "top_k_accuracy: k must be a whole number from 1 to 3, the number of classes, received"
    )
    with refuses(ValueError, message):
        top_k_accuracy(SCORES, LABELS, k=k)


@pytest.mark.parametrize("scores", [COLUMN, COLUMN[:, None], LABELS, np.array(0.5)])
def test_top_k_needs_a_score_for_each_class(scores):
    with refuses(ValueError, "top_k_accuracy: predictions: "):
        top_k_accuracy(scores, TRUE, k=1)


# --- confusion matrix -----------------------------------------------------------------------------


def test_rows_are_true_and_columns_predicted():
    found = confusion_matrix([1, 1, 1, 0], [0, 0, 1, 0])
    assert np.asarray(found).tolist() == [[1, 2], [0, 1]]
    assert found.recall.tolist() == [1 / 3, 1]
    assert found.precision.tolist() == [1, 1 / 3]
    assert found.f1.tolist() == [0.5, 0.5]


def test_it_prints_with_the_names_of_the_classes():
    found = confusion_matrix(SCORES, LABELS, classes=["setosa", "versicolor", "virginica"])
    assert str(found).splitlines() == [
        "true ↓ predicted →  setosa  versicolor  virginica",
        "setosa              1       0           0",
        "versicolor          1       0           0",
        "virginica           0       1           1",
    ]
    assert str(confusion_matrix([0, 1], [0, 1])).splitlines()[1:] == [
        "0                   1  0",
        "1                   0  1",
    ]


def test_the_number_of_classes_is_that_of_the_scores_the_largest_label_or_the_one_given():
    assert confusion_matrix(SCORES, [0, 0, 0, 0]).counts.shape == (3, 3)
    assert confusion_matrix([0, 1], np.eye(4)[[0, 0]]).counts.shape == (4, 4)
    assert confusion_matrix([0, 2], [0, 1]).counts.shape == (3, 3)
    assert confusion_matrix([0, 2], [0, 1], classes=5).counts.shape == (5, 5)
    assert confusion_matrix([0, 2], [0, 1], classes=list("abcd")).names == ("a", "b", "c", "d")
    assert confusion_matrix(COLUMN / 4, [0, 0, 0, 0]).counts.tolist() == [[4, 0], [0, 0]]


def test_what_nothing_is_known_about_is_nan():
    found = confusion_matrix([0, 0], [0, 1], classes=3)
    np.testing.assert_array_equal(found.precision, [0.5, np.nan, np.nan])
    np.testing.assert_array_equal(found.recall, [1, 0, np.nan])
    np.testing.assert_array_equal(found.f1, [2 / 3, 0, np.nan])


@pytest.mark.parametrize(
    ("predictions", "classes", "message"),
    [
        (SCORES, 2, "classes gives 2, but the data have 3; pass a name for each label from 0"),
        (SCORES, ["a"] * 4, "classes gives 4, but the data have 3"),
        (SCORES.argmax(axis=1), 2, "classes gives 2, but the data have 3"),
        (SCORES.argmax(axis=1), [], "classes gives 0, but the data have 3"),
        (SCORES.argmax(axis=1), -3, "classes gives 0, but the data have 3"),
    ],
)
def test_classes_that_do_not_fit_are_refused(predictions, classes, message):
    with refuses(ValueError, f"confusion_matrix: {message}"):
        confusion_matrix(predictions, LABELS, classes=classes)


def test_as_an_array_it_converts_and_copies_as_asked():
    found = confusion_matrix([0, 1], [0, 1])
    assert np.asarray(found, dtype=float).dtype == float
    copy = np.array(found)
    copy[:] = 9
    assert found.counts.tolist() == [[1, 0], [0, 1]]
    with pytest.raises(ValueError, match="copy"):
        np.asarray(found, dtype=float, copy=False)


# --- refusals -------------------------------------------------------------------------------------

BAD = SCORES.copy()
BAD[2, 1] = np.nan


@pytest.mark.parametrize("metric", [accuracy, top_k_accuracy, confusion_matrix])
@pytest.mark.parametrize(
    ("predictions", "targets", "error", "message"),
    [
        (
            SCORES,
            LABELS[:3],
            ValueError,
            "predictions: float64 array of shape (4, 3), targets: int",
        ),
        (SCORES, LABELS + 1, ValueError, "label 3 at position 1 is out of range: 3 classes have"),
        (SCORES, LABELS - 1, ValueError, "label -1 at position 0 is out of range"),
        (SCORES, LABELS * 1.0, TypeError, "labels must be integers, received: float64 array of s"),
        (SCORES, list("abca"), TypeError, "labels must be integers, received: <U1 array of shape "),
        (SCORES, SCORES, ValueError, "the targets are rows that are not one-hot: a single 1, and"),
        (SCORES, 0 * SCORES, ValueError, "the targets are rows that are not one-hot"),
        (SCORES[:0], LABELS[:0], ValueError, "the batch is empty"),
        (BAD, LABELS, ValueError, "the predictions hold NaN, first at position (2, 1); find out "),
        (SCORES + 0j, LABELS, TypeError, "predictions: complex128 array of shape (4, 3); pass an"),
        (list("abca"), list("abca"), TypeError, "predictions: <U1 array of shape (4,); pass an a"),
    ],
)
def test_bad_scores_and_targets_are_refused(metric, predictions, targets, error, message):
    settings = {"k": 1} if metric is top_k_accuracy else {}
    with refuses(error, f"{metric.__name__}: {message}"):
        metric(predictions, targets, **settings)


@pytest.mark.parametrize(
    ("predictions", "targets", "error", "message"),
    [
        ([0, 1], [0, 1, 1], ValueError, "predictions: int64 array of shape (2,), targets: int64 "),
        (SCORES.astype(int), LABELS, ValueError, "predictions: int64 array of shape (4, 3), targ"),
        ([0, -1], [0, 1], ValueError, "prediction -1 at position 1 is out of range: labels count"),
        ([0, 1], [0, -1], ValueError, "label -1 at position 1 is out of range: labels count from"),
        ([0, 3], np.eye(3)[:2], ValueError, "prediction 3 at position 1 is out of range: labels "),
        ([0, 1], [0.0, 1.0], TypeError, "labels must be integers, received: float64 array of sha"),
        (COLUMN, TRUE[:, None], ValueError, "predictions: float64 array of shape (4,), targets: "),
        (COLUMN, TRUE[:3], ValueError, "predictions: float64 array of shape (4,), targets: int64"),
        (COLUMN, LABELS, ValueError, "target 2 at position 1; with one column of predictions"),
        (COLUMN, [0, 1, np.nan, 1], ValueError, "target nan at position 2; with one column of pr"),
        (COLUMN, [-1, 1, 1, -1], ValueError, "target -1 at position 0; with one column of predic"),
        (
            COLUMN * 4,
            TRUE,
            ValueError,
            "the one column of predictions must be probabilities, from 0 to 1, received: 2.0 at "
            "position 1; for logits, pass threshold=0",
        ),
        (
            COLUMN.reshape(2, 2, 1),
            TRUE.reshape(2, 2, 1),
            ValueError,
            "predictions: float64 array of shape (2, 2, 1)",
        ),
    ],
)
def test_bad_labels_and_columns_are_refused(predictions, targets, error, message):
    for metric in (accuracy, confusion_matrix):
        with refuses(error, f"{metric.__name__}: {message}"):
            metric(predictions, targets)


@pytest.mark.parametrize("threshold", [1, -0.5, np.nan, 2.5])
def test_a_threshold_out_of_range_is_refused(threshold):
    with refuses(ValueError, "accuracy: the threshold of a probability lies between 0 and 1, rec"):
        accuracy(COLUMN, TRUE, threshold=threshold)


# --- R² -------------------------------------------------------------------------------------------


def test_r_squared_is_one_zero_and_below():
    t = np.array([1.0, 2.0, 6.0])
    assert r_squared(t, t) == 1
    assert r_squared(np.full(3, 3.0), t) == 0
    assert r_squared(t[::-1], t) == 1 - 50 / 14
    both = r_squared(np.stack([t, np.full(3, 3.0)], axis=1), np.stack([t, t], axis=1))
    assert both == 0.5  # the mean over the columns
    assert r_squared(ag.Variable(t), t.astype(int)) == 1
    assert type(r_squared(t, t)) is float


def test_float32_is_summed_in_float64():
    t = (1000 + np.arange(1000)).astype(np.float32)
    assert r_squared(t, t) == 1
    expected = 1 - 1000 / np.sum((np.arange(1000) - 499.5) ** 2)
    assert r_squared(t + 1, t) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_squares_neither_overflow_nor_vanish(scale):
    t = scale * np.array([1.0, 2.0, 6.0])
    assert r_squared(t[::-1], t) == pytest.approx(1 - 50 / 14, rel=1e-14)
    assert r_squared(t + 1e250 if scale < 1 else t, t) == (-np.inf if scale < 1 else 1)


@pytest.mark.parametrize(
    ("predictions", "targets", "message"),
    [
        ([1.0, 2.0], [[1.0], [2.0]], "predictions: float64 array of shape (2,), targets: float64 "),
        ([1.0, 2.0], [1.0, 2.0, 3.0], "predictions: float64 array of shape (2,), targets: float"),
        ([], [], "the batch is empty"),
        ([1.0, np.nan], [1.0, 2.0], "the predictions hold NaN, first at position 1"),
        ([1.0, 2.0], [1.0, np.nan], "targets has 1 of 2 entries that are not finite, the "),
        ([1.0, 2.0], [np.inf, 2.0], "targets has 1 of 2 entries that are not finite, the first "),
        ([1.0, 2.0], [0.1, 0.1], "all 2 targets are 0.1, and have no variance to explain; pass"),
        ([1.0], [3.0], "all 1 targets are 3, and have no variance"),
        ([[1.0, 2.0]] * 2, [[1.0, 5.0], [2.0, 5.0]], "all 2 targets are 5 in column 1, and have"),
        (1.0, 1.0, "one number has no variance; pass an array of rows"),
    ],
)
def test_what_r_squared_refuses(predictions, targets, message):
    with refuses(ValueError, f"r_squared: {message}"):
        r_squared(predictions, targets)


# --- by name --------------------------------------------------------------------------------------


def test_metrics_are_found_by_name_in_the_order_asked():
    def own(predictions, targets):
        return 0.0

    found = by_name("fit", ["r_squared", own, "accuracy", top_k_accuracy])
    assert list(found.items()) == [
        ("r_squared", r_squared),
        ("own", own),
        ("accuracy", accuracy),
        ("top_k_accuracy", top_k_accuracy),
    ]
    assert by_name("fit", []) == {}


@pytest.mark.parametrize("name", METRICS)
def test_every_name_gives_one_number(name):
    numbers = name in ("mean_absolute_error", "mean_squared_error", "r_squared")
    data = (np.arange(6.0), np.arange(6.0)[::-1]) if numbers else (np.eye(6), np.arange(6))
    assert METRICS[name](*data) == pytest.approx(
        {"mean_absolute_error": 3, "mean_squared_error": 35 / 3, "r_squared": -3}.get(name, 1)
    )


@pytest.mark.parametrize(
    ("metrics", "error", "message"),
    [
        (["acuracy"], ValueError, "there is no metric 'acuracy'; did you mean 'accuracy'?"),
        (["Accuracy"], ValueError, "there is no metric 'Accuracy'; did you mean 'accuracy'?"),
        (["xyz"], ValueError, "there is no metric 'xyz'; choose one of accuracy, accuracy_from"),
        (
            "accuracy",
            TypeError,
            "metrics is a list of names, received: str 'accuracy'; write ['acc",
        ),
        ([3], TypeError, "a metric is a name, a function of predictions and targets, or a pair (n"),
        (["accuracy", accuracy], ValueError, "there are two metrics called 'accuracy'; pass it o"),
    ],
)
def test_what_is_no_metric_is_refused(metrics, error, message):
    with refuses(error, f"fit: {message}"):
        by_name("fit", metrics)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int64])
def test_labels_of_any_width_are_counted_right(dtype):
    """Bytes, as IDX files have them, would wrap at 17 classes."""
    labels = np.arange(47).astype(dtype)
    assert confusion_matrix(np.eye(47), labels).accuracy == 1.0
    assert accuracy(np.eye(47), labels) == 1.0
