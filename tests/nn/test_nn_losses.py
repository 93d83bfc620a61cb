import re

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
import nn
from nn.loss_terms import log, log_of_rest
from tests.nn.nn_checks import assert_derivatives, central_differences, exactly

rng = np.random.default_rng(5)
LOGITS = rng.uniform(-2, 2, (3, 4))
LABELS = np.array([0, 3, 1])
ONE_HOT = np.eye(4)[LABELS]
SOFT = nn.softmax(rng.uniform(-1, 1, (3, 4)))
ANSWERS = np.array([[0.0, 1.0, 1.0, 0.0], [1.0, 0.3, 0.0, 0.9], [0.5, 0.0, 0.0, 1.0]])

cross_entropies = pytest.mark.parametrize(
    "loss", [nn.cross_entropy, nn.cross_entropy_from_logits], ids=lambda loss: loss.__name__
)


def gradient(loss, x, t):
    v = ag.Variable(x)
    return ag.gradients(loss(v, t), v)


# --- cross entropy of probabilities ---------------------------------------------------------------


def test_cross_entropy_of_a_uniform_guess_is_log_n():
    x = np.full((3, 4), 0.25)
    for t in (LABELS, ONE_HOT, SOFT):
        np.testing.assert_allclose(nn.cross_entropy(x, t), np.log(4), rtol=1e-15)


def test_cross_entropy_of_certainty_is_zero_and_that_of_the_truth_is_its_entropy():
    assert nn.cross_entropy(ONE_HOT, ONE_HOT) == 0.0
    assert nn.cross_entropy(ONE_HOT, LABELS) == 0.0
    entropy = -(SOFT * np.log(SOFT)).sum(axis=1).mean()
    np.testing.assert_allclose(nn.cross_entropy(SOFT, SOFT), entropy, rtol=1e-15)


def test_a_term_with_t_zero_is_zero_whatever_its_probability():
    x = ag.Variable([[0.0, 1.0, 0.0], [0.0, 0.5, 0.5]])
    loss = nn.cross_entropy(x, np.array([[0.0, 1.0, 0.0], [0.0, 0.5, 0.5]]))
    np.testing.assert_allclose(loss.item(), np.log(2) / 2, rtol=1e-15)
    loss.backward()
    np.testing.assert_array_equal(x.grad, [[0, -0.5, 0], [0, -0.5, -0.5]])


@pytest.mark.parametrize("t", [np.array([0, 1]), np.array([[1.0, 0.0], [0.0, 1.0]])])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_true_class_of_probability_zero_is_infinitely_surprising(t, dtype):
    x = ag.Variable(np.array([[0.0, 1.0], [0.5, 0.5]], dtype))
    t = t if t.ndim == 1 else t.astype(dtype)
    loss = nn.cross_entropy(x, t)
    assert loss.item() == np.inf
    assert loss.dtype == dtype
    loss.backward()
    np.testing.assert_array_equal(x.grad, [[-np.inf, 0], [0, -1]])
    assert x.grad.dtype == dtype
    assert nn.cross_entropy(x.data, t) == np.inf


def test_a_learned_target_has_the_slope_minus_log_x_also_where_it_is_zero():
    x = np.array([[0.25, 0.75, 0.0]])
    t = ag.Variable([[0.0, 1.0, 0.0]])
    nn.cross_entropy(x, t).backward()
    np.testing.assert_allclose(t.grad, [[np.log(4), -np.log(0.75), 0]], rtol=1e-15)
    t.zero_grad()
    logits = np.array([[1.0, 2.0, -np.inf]])
    nn.cross_entropy_from_logits(logits, t).backward()
    np.testing.assert_allclose(t.grad[0, :2], -nn.log_softmax(logits)[0, :2], rtol=1e-15)
    assert t.grad[0, 2] == 0.0


# --- cross entropy from logits --------------------------------------------------------------------


@pytest.mark.parametrize("t", [LABELS, ONE_HOT, SOFT], ids=["labels", "one-hot", "soft"])
def test_from_logits_is_cross_entropy_of_the_softmax(t):
    expected = nn.cross_entropy(nn.softmax(LOGITS), t)
    np.testing.assert_allclose(nn.cross_entropy_from_logits(LOGITS, t), expected, rtol=1e-14)
    rows = ONE_HOT if t is LABELS else t
    np.testing.assert_allclose(
        gradient(nn.cross_entropy_from_logits, LOGITS, t),
        (nn.softmax(LOGITS) - rows) / 3,  # as rows of t sum to 1
        rtol=1e-14,
        atol=1e-16,
    )


@pytest.mark.parametrize(
    "x", [[1000.0, 0.0, -1000.0], [0.0, 800.0, 799.0], [-1000.0, -1000.0, -999.5]]
)
def test_from_logits_is_exact_far_out(x):
    for label in range(3):
        surprise = exactly(lambda a, k=label: sum((b - a[k]).exp() for b in a).ln(), x)
        softmax = exactly(lambda a: [1 / sum((b - c).exp() for b in a) for c in a], x)
        t = np.eye(3)[label]
        for target in (label, t):
            loss = nn.cross_entropy_from_logits(x, target)
            # near 0, a sum of exponentials near 1 has been rounded
            np.testing.assert_allclose(loss, surprise, rtol=1e-15, atol=3e-16)
            np.testing.assert_allclose(
                gradient(nn.cross_entropy_from_logits, np.array(x), target),
                softmax - t,
                rtol=1e-14,
                atol=3e-16,
            )


def test_a_masked_class_costs_nothing_unless_it_is_the_true_one():
    x = np.array([[1.0, -np.inf, 2.0]])
    without = nn.cross_entropy_from_logits(x[:, [0, 2]], [1])
    for t in ([2], [[0, 0, 1]], [[0.0, 0.0, 1.0]]):
        assert nn.cross_entropy_from_logits(x, t) == without
        g = gradient(nn.cross_entropy_from_logits, x, np.array(t))
        assert g[0, 1] == 0.0
        assert np.isfinite(g).all()
    assert nn.cross_entropy_from_logits(x, [1]) == np.inf
    assert nn.cross_entropy_from_logits(x, [[0, 1, 0]]) == np.inf


@given(
    hnp.arrays(float, (3, 4), elements=st.floats(-100, 100)),
    st.integers(-1000, 1000),
)
def test_a_shift_of_all_logits_changes_nothing(x, shift):
    for t in (LABELS, ONE_HOT, SOFT):
        np.testing.assert_allclose(
            nn.cross_entropy_from_logits(x + shift, t),
            nn.cross_entropy_from_logits(x, t),
            rtol=0,
            atol=1e-12,  # adding 1000 rounds by up to 1.2e-13 per entry
        )


# --- mean squared error ---------------------------------------------------------------------------


def test_mean_squared_error_and_its_factor_to_the_sheet():
    x, t = LOGITS, SOFT
    loss = nn.mean_squared_error(x, t)
    squares = [(x[i] - t[i]) ** 2 for i in np.ndindex(3, 4)]
    np.testing.assert_allclose(loss, sum(squares) / 12, rtol=1e-15)
    sheet = nn.cheat_sheets.MeanSquaredError()
    np.testing.assert_allclose(loss, 2 / 12 * sheet.forward(x, t).sum(), rtol=1e-15)
    np.testing.assert_allclose(
        gradient(nn.mean_squared_error, x, t), 2 / 12 * sheet.backward(x, t), rtol=1e-14
    )
    assert nn.mean_squared_error(t, t) == 0.0
    assert nn.MeanSquaredError()(x, t) == loss


# --- numbers --------------------------------------------------------------------------------------


def test_half_squared_error_is_the_sheet():
    x, t = LOGITS, SOFT
    sheet = nn.cheat_sheets.MeanSquaredError()
    np.testing.assert_allclose(
        nn.half_squared_error(x, t, reduction="none"), sheet.forward(x, t), rtol=1e-15
    )
    np.testing.assert_allclose(
        nn.half_squared_error(x, t), sheet.forward(x, t).sum() / 3, rtol=1e-15
    )
    np.testing.assert_allclose(
        gradient(nn.half_squared_error, x, t), sheet.backward(x, t, 1 / 3), rtol=1e-14
    )
    assert nn.euclidean(x[0], t[0]) == 0.5 * np.square(x[0] - t[0]).sum()  # lecture 2
    assert nn.half_squared_error(3.0, 1.0) == 2.0
    assert nn.Euclidean()(x, t) == nn.half_squared_error(x, t)


def test_absolute_and_huber_and_their_kinks():
    x, t = np.array([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 4.0]), np.zeros(7)
    np.testing.assert_array_equal(nn.mean_absolute_error(x, t, reduction="none"), np.abs(x))
    np.testing.assert_array_equal(
        gradient(lambda a, b: nn.mean_absolute_error(a, b, reduction="sum"), x, t), np.sign(x)
    )
    np.testing.assert_array_equal(
        nn.huber(x, t, reduction="none"), [2.5, 0.5, 0.125, 0, 0.125, 0.5, 3.5]
    )
    np.testing.assert_array_equal(
        gradient(lambda a, b: nn.huber(a, b, delta=0.75, reduction="sum"), x, t),
        np.clip(x, -0.75, 0.75),
    )
    # far below delta it is half of the mean squared error, far above that of the absolute one
    np.testing.assert_allclose(
        nn.huber(x, t, delta=100), nn.mean_squared_error(x, t) / 2, rtol=1e-15
    )
    np.testing.assert_allclose(
        nn.huber(x, t, delta=1e-9) / 1e-9, nn.mean_absolute_error(x, t), rtol=1e-9
    )


# --- yes or no ------------------------------------------------------------------------------------


def test_binary_cross_entropy_of_known_answers():
    for t in (0, 1, 0.25):
        assert nn.binary_cross_entropy(0.5, t) == np.log(2)
        assert nn.binary_cross_entropy_from_logits(0.0, t) == np.log(2)
    certain = np.array([0.0, 1.0])
    np.testing.assert_array_equal(nn.binary_cross_entropy(certain, [0, 1], reduction="none"), 0)
    np.testing.assert_array_equal(
        nn.binary_cross_entropy(certain, [1, 0], reduction="none"), np.inf
    )
    x, t = SOFT, ANSWERS
    np.testing.assert_allclose(
        nn.binary_cross_entropy(x, t), nn.binary_cross_entropy(1 - x, 1 - t), rtol=1e-14
    )
    # two classes of a softmax
    pairs, rows = np.stack([1 - x, x], axis=-1), np.stack([1 - t, t], axis=-1)
    np.testing.assert_allclose(
        nn.binary_cross_entropy(x, t), nn.cross_entropy(pairs, rows), rtol=1e-15
    )
    # next to certainty
    np.testing.assert_allclose(nn.binary_cross_entropy(1e-30, 0), 1e-30, rtol=1e-15)


def test_slopes_of_binary_cross_entropy_at_certainty():
    x = np.array([0.0, 1.0, 0.0, 1.0, 0.5])
    t = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    slopes = gradient(lambda a, b: nn.binary_cross_entropy(a, b, reduction="sum"), x, t)
    np.testing.assert_array_equal(slopes, [1, -1, -np.inf, np.inf, -2])


def test_binary_cross_entropy_from_logits_is_that_of_the_sigmoid():
    x = np.array([-30.0, -2.0, 0.0, 1.5, 5.0])
    for t in (np.zeros(5), np.ones(5), np.linspace(0, 1, 5)):
        # σ(5) is 0.993, and 1 − σ(5) has lost two digits
        np.testing.assert_allclose(
            nn.binary_cross_entropy_from_logits(x, t, reduction="none"),
            nn.binary_cross_entropy(nn.sigmoid(x), t, reduction="none"),
            rtol=1e-13,
        )
        np.testing.assert_allclose(
            gradient(nn.binary_cross_entropy_from_logits, x, t),
            (nn.sigmoid(x) - t) / 5,
            rtol=1e-13,
            atol=1e-16,
        )


@pytest.mark.parametrize("x", [-1000.0, -50.0, 3.0, 50.0, 1000.0])
def test_binary_cross_entropy_from_logits_is_exact_far_out(x):
    def tail(a):  # log(1 + e^a), within e^−120 of it, relatively
        return a.exp() if a < -60 else (1 + a.exp()).ln()

    for t in (0, 1):
        expected = exactly(lambda a, t=t: tail(a if t == 0 else -a), x)
        np.testing.assert_allclose(nn.binary_cross_entropy_from_logits(x, t), expected, rtol=1e-15)
        slope = gradient(nn.binary_cross_entropy_from_logits, np.array(x), t)
        sign = 1 if t == 0 else -1
        np.testing.assert_allclose(slope, sign * nn.sigmoid(sign * x), rtol=1e-15)


def test_infinite_logits_are_certainty():
    x, t = np.array([-np.inf, np.inf, np.inf]), np.array([0.0, 1.0, 0.0])
    losses = nn.binary_cross_entropy_from_logits(x, t, reduction="none")
    np.testing.assert_array_equal(losses, [0, 0, np.inf])
    np.testing.assert_array_equal(
        gradient(nn.binary_cross_entropy_from_logits, x[:2], t[:2]), [0, 0]
    )


def test_learned_answers_have_slopes():
    t = ag.Variable([0.0, 1.0, 0.25])
    x = np.array([0.5, 0.25, 0.75])
    nn.binary_cross_entropy(x, t, reduction="sum").backward()
    np.testing.assert_allclose(t.grad, np.log1p(-x) - np.log(x), rtol=1e-15)
    t.zero_grad()
    nn.binary_cross_entropy_from_logits(x, t, reduction="sum").backward()
    np.testing.assert_allclose(t.grad, -x, rtol=1e-15)


# --- hinge, divergence ----------------------------------------------------------------------------


def test_hinge_of_the_lecture():
    x = np.array([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])
    losses = nn.hinge(x, np.array([0, 1, 2]), reduction="none")
    # max(0, 5.1 − 3.2 + 1) + max(0, −1.7 − 3.2 + 1) and so on
    np.testing.assert_allclose(losses, [2.9, 0, 12.9], rtol=1e-14)
    g = gradient(lambda a, b: nn.hinge(a, b, reduction="sum"), x, np.array([0, 1, 2]))
    np.testing.assert_array_equal(g, [[-1, 1, 0], [0, 0, 0], [1, 1, -2]])
    np.testing.assert_allclose(nn.hinge(np.zeros((2, 5)), np.array([4, 0])), 4, rtol=1e-15)
    assert nn.hinge(np.zeros((2, 5)), np.array([4, 0]), margin=0.5) == 2
    assert nn.hinge(np.array([1.0, -np.inf, 0.0]), 0) == 0  # at the kink, with one masked out
    np.testing.assert_array_equal(gradient(nn.hinge, np.array([1.0, -np.inf, 0.0]), 0), 0)


def test_divergence_is_cross_entropy_without_the_entropy_of_the_truth():
    x, t = nn.softmax(LOGITS), SOFT
    entropy = nn.cross_entropy(t, t)
    np.testing.assert_allclose(nn.kl_divergence(x, t), nn.cross_entropy(x, t) - entropy, rtol=1e-14)
    np.testing.assert_allclose(
        gradient(nn.kl_divergence, x, t), gradient(nn.cross_entropy, x, t), rtol=1e-15
    )
    assert nn.kl_divergence(t, t) == 0
    assert (nn.kl_divergence(x, t, reduction="none") > 0).all()
    # lecture 5: KL(P, Q) = Σ P·log(P/Q), with P = (¼, ¾) and Q = (½, ½)
    expected = 0.25 * np.log(0.5) + 0.75 * np.log(1.5)
    np.testing.assert_allclose(nn.kl_divergence([0.5, 0.5], [0.25, 0.75]), expected, rtol=1e-15)


def test_divergence_where_a_probability_is_zero():
    assert nn.kl_divergence([1.0, 0.0], [1.0, 0.0]) == 0
    assert nn.kl_divergence([0.0, 1.0], [1.0, 0.0]) == np.inf
    slopes = gradient(nn.kl_divergence, np.array([0.5, 0.0, 0.5]), np.array([0.5, 0.0, 0.5]))
    np.testing.assert_array_equal(slopes, [-1, 0, -1])


# --- what cross entropies have in common ----------------------------------------------------------


@pytest.mark.parametrize("t", [LABELS, ONE_HOT, SOFT], ids=["labels", "one-hot", "soft"])
def test_derivatives_to_second_order(t):
    assert_derivatives(lambda x: nn.cross_entropy_from_logits(x, t), LOGITS)
    assert_derivatives(lambda x: nn.cross_entropy(nn.softmax(x), t), LOGITS)
    # not small: the error of the finite difference grows with 1/x⁵
    assert_derivatives(lambda x: nn.cross_entropy(x, t), np.full((3, 4), 0.8))


def test_derivatives_of_mean_squared_error_to_second_order():
    assert_derivatives(lambda x: nn.mean_squared_error(x, SOFT), LOGITS)


@cross_entropies
def test_the_mean_does_not_depend_on_how_often_a_batch_is_repeated(loss):
    x = nn.softmax(LOGITS)
    for t in (LABELS, ONE_HOT):
        twice = loss(np.concatenate([x, x]), np.concatenate([t, t]))
        np.testing.assert_allclose(twice, loss(x, t), rtol=1e-15)


@cross_entropies
def test_a_sample_without_batch_axis_is_a_batch_of_one(loss):
    x = nn.softmax(LOGITS[0])
    for t in (2, np.int8(2), [0, 0, 1, 0], np.eye(4)[2]):
        assert loss(x, t) == loss(x[None], np.array(t)[None])


@cross_entropies
def test_further_axes_belong_to_the_batch(loss):
    x = nn.softmax(np.arange(24.0).reshape(2, 3, 4) % 5)
    labels = np.array([[0, 3, 1], [2, 2, 0]])
    expected = loss(x.reshape(6, 4), labels.reshape(6))
    assert loss(x, labels) == expected
    np.testing.assert_allclose(loss(x, np.eye(4)[labels]), expected, rtol=1e-15)


@cross_entropies
def test_labels_may_be_an_untracked_variable(loss):
    labels = ag.Variable(LABELS, requires_grad=False)
    x = nn.softmax(LOGITS)
    assert loss(ag.Variable(x), labels).item() == loss(x, LABELS)


def test_float32_stays_float32():
    x, t = nn.softmax(LOGITS.astype(np.float32)), ONE_HOT.astype(np.float32)
    for loss in (nn.cross_entropy, nn.cross_entropy_from_logits, nn.mean_squared_error):
        assert loss(ag.Variable(x), t).dtype == np.float32
    assert nn.cross_entropy(ag.Variable(x), LABELS).dtype == np.float32


def test_the_log_of_zero_is_the_same_function_on_both_ways():
    away_from_zero = np.array([1e-300, 0.5, 1.0])
    with_zero = ag.Variable([0.0, *away_from_zero])
    logs = log(with_zero)
    np.testing.assert_array_equal(logs.data, [-np.inf, *np.log(away_from_zero)])
    slopes = ag.gradients(np.sum(logs), with_zero)
    np.testing.assert_array_equal(slopes, [np.inf, *(1 / away_from_zero)])


def test_the_log_of_the_rest_is_the_same_function_on_both_ways():
    away_from_one = np.array([0.0, 1e-300, 0.5])
    with_one = ag.Variable([1.0, *away_from_one])
    logs = log_of_rest(with_one)
    np.testing.assert_array_equal(logs.data, [-np.inf, *np.log1p(-away_from_one)])
    np.testing.assert_array_equal(logs.data[1:], log_of_rest(away_from_one))
    slopes = ag.gradients(np.sum(logs), with_one)
    np.testing.assert_array_equal(slopes, [-np.inf, -1, -1, -2])


# --- bad input ------------------------------------------------------------------------------------


@cross_entropies
@pytest.mark.parametrize(
    ("x", "t", "kind", "message"),
    [
        (LOGITS, [0, 4, 1], ValueError, "label 4 at position 1 is out of range: 4 classes have"),
        (LOGITS, [0, 1, -1], ValueError, "label -1 at position 2 is out of range"),
        (LOGITS[None], [[0, 1, 7]], ValueError, "label 7 at position (0, 2) is out of range"),
        (LOGITS, [0.0, 3.0, 1.0], TypeError, "labels must be integers, received: float64 array"),
        (LOGITS, [True, False, True], TypeError, "labels must be integers, received: bool array"),
        (LOGITS, [0, 1], ValueError, "pass one integer label per row, shape (3,), or one row"),
        (LOGITS, ONE_HOT[:, :3], ValueError, "targets: float64 array of shape (3, 3)"),
        (LOGITS, [[0], [3], [1]], ValueError, "targets: int64 array of shape (3, 1)"),
        (1.0, 1.0, ValueError, "predictions: float64 scalar"),
        (np.zeros((0, 4)), np.zeros((0, 4)), ValueError, "the batch is empty"),
        (np.zeros((0, 4)), np.zeros(0, int), ValueError, "the batch is empty"),
    ],
)
def test_bad_targets_are_refused(loss, x, t, kind, message):
    for predictions in (np.asarray(x, float), ag.Variable(np.asarray(x, float))):
        with pytest.raises(kind, match=f"^{loss.__name__}: .*{re.escape(message)}"):
            loss(predictions, np.asarray(t))


def test_mean_squared_error_refuses_to_broadcast():
    message = (
        "mean_squared_error: predictions: float64 array of shape (3, 1), targets: float64 array "
        "of shape (3,); they must have one shape: reshape the targets"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        nn.mean_squared_error(np.zeros((3, 1)), np.zeros(3))
    with pytest.raises(ValueError, match="mean_squared_error: the batch is empty"):
        nn.mean_squared_error(np.zeros((0, 2)), np.zeros((0, 2)))


def test_the_finite_difference_of_these_tests_sees_a_wrong_factor():
    x, t = LOGITS, SOFT
    numeric = central_differences(lambda at: float(nn.mean_squared_error(at, t)), x)
    lecture = nn.cheat_sheets.MeanSquaredError().backward(x, t)  # ½ Σ, not the mean
    assert not np.allclose(numeric, lecture)
