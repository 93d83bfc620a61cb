"""What every loss keeps to: derivatives, reductions, dtypes, settings, and what it refuses."""

import re

import numpy as np
import pytest

import autograd_lite as ag
import nn
from tests.nn.nn_checks import assert_derivatives

rng = np.random.default_rng(5)
LOGITS = rng.uniform(-2, 2, (3, 4))
LABELS = np.array([0, 3, 1])
ONE_HOT = np.eye(4)[LABELS]
SOFT = nn.softmax(rng.uniform(-1, 1, (3, 4)))
ANSWERS = np.array([[0.0, 1.0, 1.0, 0.0], [1.0, 0.3, 0.0, 0.9], [0.5, 0.0, 0.0, 1.0]])


# every loss, with predictions and targets that it takes
LOSSES = {
    nn.mean_squared_error: (LOGITS, SOFT),
    nn.half_squared_error: (LOGITS, SOFT),
    nn.mean_absolute_error: (LOGITS, SOFT),
    nn.huber: (LOGITS, SOFT),
    nn.binary_cross_entropy: (SOFT, ANSWERS),
    nn.binary_cross_entropy_from_logits: (LOGITS, ANSWERS),
    nn.cross_entropy: (SOFT, LABELS),
    nn.cross_entropy_from_logits: (LOGITS, LABELS),
    nn.negative_log_likelihood: (nn.log_softmax(LOGITS), LABELS),
    nn.hinge: (LOGITS, LABELS),
    nn.kl_divergence: (nn.softmax(LOGITS), SOFT),
}
LAYERS = {
    nn.MeanSquaredError: nn.mean_squared_error,
    nn.HalfSquaredError: nn.half_squared_error,
    nn.MeanAbsoluteError: nn.mean_absolute_error,
    nn.Huber: nn.huber,
    nn.BinaryCrossEntropy: nn.binary_cross_entropy,
    nn.BinaryCrossEntropyFromLogits: nn.binary_cross_entropy_from_logits,
    nn.CrossEntropy: nn.cross_entropy,
    nn.CrossEntropyFromLogits: nn.cross_entropy_from_logits,
    nn.NegativeLogLikelihood: nn.negative_log_likelihood,
    nn.Hinge: nn.hinge,
    nn.KLDivergence: nn.kl_divergence,
}
BY_ENTRY = {
    nn.mean_squared_error,
    nn.mean_absolute_error,
    nn.huber,
    nn.binary_cross_entropy,
    nn.binary_cross_entropy_from_logits,
}
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)


def gradient(loss, x, t):
    v = ag.Variable(x)
    return ag.gradients(loss(v, t), v)


# --- what only some classes or rows count for -----------------------------------------------------


def test_label_smoothing_mixes_with_the_uniform_distribution():
    smooth = nn.cross_entropy_from_logits(LOGITS, LABELS, label_smoothing=0.2)
    mixed = 0.8 * ONE_HOT + 0.2 / 4
    expected = nn.cross_entropy_from_logits(LOGITS, mixed)
    np.testing.assert_allclose(smooth, expected, rtol=1e-15)
    again = nn.cross_entropy_from_logits(LOGITS, ONE_HOT, label_smoothing=0.2)
    np.testing.assert_allclose(again, expected, rtol=1e-15)
    # spread over all classes, no logits are better than equal ones
    even = nn.cross_entropy_from_logits(np.zeros((3, 4)), LABELS, label_smoothing=1.0)
    np.testing.assert_allclose(even, np.log(4), rtol=1e-15)


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_ignored_rows_count_for_nothing_whatever_they_hold(share):
    x = np.array([LOGITS[0], [np.nan, -np.inf, np.inf, 0], LOGITS[1], [-np.inf] * 4])
    labels = np.array([0, -100, 3, -100])

    def loss(x, t, **settings):
        return nn.cross_entropy_from_logits(x, t, label_smoothing=share, **settings)

    kept = x[[0, 2]], labels[[0, 2]]
    np.testing.assert_allclose(loss(x, labels, ignored_index=-100), loss(*kept), rtol=1e-15)
    losses = loss(x, labels, ignored_index=-100, reduction="none")
    np.testing.assert_array_equal(losses[[1, 3]], 0)
    np.testing.assert_allclose(losses[[0, 2]], loss(*kept, reduction="none"), rtol=1e-15)
    g = gradient(lambda a, b: loss(a, b, ignored_index=-100), x, labels)
    np.testing.assert_array_equal(g[[1, 3]], 0)
    np.testing.assert_allclose(g[[0, 2]], gradient(loss, *kept), rtol=1e-14)
    # a label within range may be ignored, too
    np.testing.assert_allclose(
        loss(LOGITS, LABELS, ignored_index=3), loss(LOGITS[[0, 2]], LABELS[[0, 2]]), rtol=1e-15
    )
    assert loss(x[[1, 3]], labels[[1, 3]], ignored_index=-100, reduction="sum") == 0


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_a_weight_of_two_is_as_if_the_row_were_there_twice(share):
    weights = np.array([2, 1, 1, 0])
    loss = nn.cross_entropy_from_logits(LOGITS, LABELS, class_weights=weights)
    twice = nn.cross_entropy_from_logits(LOGITS[[0, 0, 2]], LABELS[[0, 0, 2]])
    np.testing.assert_allclose(loss, twice, rtol=1e-15)
    losses = nn.cross_entropy_from_logits(
        LOGITS, LABELS, class_weights=weights, label_smoothing=share, reduction="none"
    )
    rows = ((1 - share) * ONE_HOT + share / 4) * weights
    np.testing.assert_allclose(losses, -(rows * nn.log_softmax(LOGITS)).sum(axis=1), rtol=1e-14)
    np.testing.assert_allclose(
        nn.cross_entropy_from_logits(
            LOGITS, ONE_HOT, class_weights=weights, label_smoothing=share, reduction="none"
        ),
        losses,
        rtol=1e-14,
    )


def test_a_masked_class_may_have_the_weight_zero():
    x, weights = np.array([[1.0, -np.inf, 2.0], [0.0, 1.0, 2.0]]), [1, 0, 1]
    for t in (np.array([1, 0]), np.eye(3)[[1, 0]]):
        losses = nn.cross_entropy_from_logits(x, t, class_weights=weights, reduction="none")
        np.testing.assert_allclose(losses, [0, nn.logsumexp(x[1])], rtol=1e-15)
        g = gradient(lambda a, b: nn.cross_entropy_from_logits(a, b, class_weights=weights), x, t)
        np.testing.assert_array_equal(g[0], 0)


def test_negative_log_likelihood_of_log_softmax_is_cross_entropy_from_logits():
    logs = nn.log_softmax(LOGITS)
    for t in (LABELS, ONE_HOT, SOFT):
        for settings in ({}, {"class_weights": [1, 2, 0, 3]}, {"reduction": "none"}):
            np.testing.assert_array_equal(
                nn.negative_log_likelihood(logs, t, **settings),
                nn.cross_entropy_from_logits(LOGITS, t, **settings),
            )


# --- what all have in common -------------------------------------------------------------------


@every_loss
def test_derivatives_of_every_loss_to_second_order(loss):
    x, t = LOSSES[loss]
    if loss in (nn.binary_cross_entropy, nn.cross_entropy, nn.kl_divergence):
        x = 0.3 + x / 2  # not small: the error of the finite difference grows with 1/x⁶
    for reduction in ("mean", "sum", "none"):
        assert_derivatives(lambda v, r=reduction: loss(v, t, reduction=r), x, tolerance=1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {"label_smoothing": 0.2},
        {"class_weights": np.array([1, 2, 0, 0.5])},
        {"ignored_index": 3},
        {"label_smoothing": 0.2, "class_weights": [1, 2, 0, 0.5], "ignored_index": 1},
    ],
    ids=lambda settings: " ".join(settings),
)
def test_derivatives_with_settings_to_second_order(settings):
    assert_derivatives(lambda x: nn.cross_entropy_from_logits(x, LABELS, **settings), LOGITS)
    if "ignored_index" not in settings:
        assert_derivatives(lambda x: nn.cross_entropy_from_logits(x, SOFT, **settings), LOGITS)


@every_loss
def test_derivatives_by_the_targets(loss):
    x, t = LOSSES[loss]
    if t.dtype.kind != "i":
        t = 0.1 + 0.8 * t
        x = x + 0.01 if loss is nn.mean_absolute_error else x
        assert_derivatives(lambda v: loss(x, v), t, tolerance=1e-8)  # t·log t bends near 0


@every_loss
def test_reductions(loss):
    x, t = LOSSES[loss]
    losses = loss(x, t, reduction="none")
    assert losses.shape == (x.shape if loss in BY_ENTRY else x.shape[:-1])
    np.testing.assert_allclose(loss(x, t), losses.mean(), rtol=1e-15)
    np.testing.assert_allclose(loss(x, t, reduction="sum"), losses.sum(), rtol=1e-15)
    assert loss(x, t, reduction="mean") == loss(x, t)
    assert loss(x, t) > 0


@every_loss
def test_reductions_that_do_not_exist_are_refused(loss):
    message = f"^{loss.__name__}: there is no reduction 'Mean'; did you mean 'mean'\\?"
    with pytest.raises(ValueError, match=message):
        loss(*LOSSES[loss], reduction="Mean")
    with pytest.raises(ValueError, match="there is no reduction None; did you mean 'none'"):
        loss(*LOSSES[loss], reduction=None)


@every_loss
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_small_floats_stay_small(loss, dtype):
    x, t = LOSSES[loss]
    x = ag.Variable(x.astype(dtype))
    for targets in (t if t.dtype.kind == "i" else t.astype(dtype), np.round(t).astype(int)):
        for reduction in ("mean", "sum", "none"):
            z = loss(x, targets, reduction=reduction)
            assert z.dtype == dtype
            assert ag.gradients(np.sum(z), x).dtype == dtype
            np.testing.assert_allclose(
                z.data,
                loss(x.data.astype(float), targets.astype(t.dtype), reduction=reduction),
                rtol=30 * np.finfo(dtype).eps,
                atol=10 * np.finfo(dtype).eps,
            )


@pytest.mark.parametrize("share", [0.0, 0.1])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_small_floats_stay_small_with_settings(share, dtype):
    settings = {"class_weights": np.arange(4.0), "ignored_index": 1, "label_smoothing": share}
    for reduction in ("mean", "sum", "none"):
        z = nn.cross_entropy_from_logits(
            ag.Variable(LOGITS.astype(dtype)), LABELS, **settings, reduction=reduction
        )
        assert z.dtype == dtype


@every_loss
def test_nothing_warns_or_overflows_far_out(loss):
    """From −1000 to 1000, or, for probabilities, from 0 to 1."""
    if loss in (nn.binary_cross_entropy, nn.cross_entropy, nn.kl_divergence):
        x = np.array([[0.0, 1e-300, 0.25, 0.75], [1.0, 0, 0, 0], [0.5, 0.5, 0, 0]])
        t = np.array([[0.0, 0, 0.5, 0.5], [1.0, 0, 0, 0], [0, 1.0, 0, 0]])
    else:
        x = np.array([[-1000.0, 0, 1000, 1], [1000.0] * 4, [0.0, 1, 0, -1000]])
        t = LABELS if LOSSES[loss][1].dtype.kind == "i" else np.round(SOFT)
        if loss is nn.negative_log_likelihood:
            x = -np.abs(x)
    v = ag.Variable(x)
    z = loss(v, t)
    first = ag.gradients(z, v, create_graph=True)
    assert np.isfinite([z.item(), *first.data.flat]).all()
    if first.requires_grad:
        assert np.isfinite(ag.gradients(first.sum(), v)).all()


def test_layers_are_their_functions():
    for layer, function in LAYERS.items():
        x, t = LOSSES[function]
        for reduction in ("mean", "none"):
            made = layer(reduction=reduction)
            np.testing.assert_array_equal(made(x, t), function(x, t, reduction=reduction))
            z = made(ag.Variable(x), t)
            assert z.scope.path == layer.__name__
            start = {"mean": "L = mean of ", "none": "L = "}[reduction]
            assert z.scope.formula == layer.formula.replace("L = ", start)
            assert layer.formula.startswith("L = ")
            assert layer(reduction="sum").formula.startswith("L = sum of ")
        with pytest.raises(ValueError, match=f"^{layer.__name__}: there is no reduction 'avg'"):
            layer(reduction="avg")
    assert set(LAYERS.values()) == set(LOSSES)


def test_layers_have_their_settings():
    assert repr(nn.MeanSquaredError()) == "MeanSquaredError()"
    assert repr(nn.CrossEntropy(reduction="sum")) == "CrossEntropy(reduction='sum')"
    assert repr(nn.Huber(delta=2.0)) == "Huber(delta=2.0)"
    assert nn.Huber(delta=0.5)(LOGITS, SOFT) == nn.huber(LOGITS, SOFT, delta=0.5)
    assert nn.Hinge(margin=2.0)(LOGITS, LABELS) == nn.hinge(LOGITS, LABELS, margin=2.0)
    settings = {"class_weights": [1, 2, 3, 4], "ignored_index": 3}
    logs = nn.log_softmax(LOGITS)
    assert nn.NegativeLogLikelihood(**settings)(logs, LABELS) == nn.negative_log_likelihood(
        logs, LABELS, **settings
    )
    settings["label_smoothing"] = 0.1
    assert nn.CrossEntropyFromLogits(**settings)(LOGITS, LABELS) == nn.cross_entropy_from_logits(
        LOGITS, LABELS, **settings
    )


@every_loss
def test_empty_batches_nan_and_other_shapes_are_refused(loss):
    x, t = LOSSES[loss]
    name = f"^{loss.__name__}: "
    with pytest.raises(ValueError, match=name + "the batch is empty"):
        loss(x[:0], t[:0])
    with pytest.raises(
        ValueError, match=name + r"predictions: float64 array of shape \(3, 4\), ta"
    ):
        loss(x, t[:2])
    if t.ndim == 2:
        broken = t.copy()
        broken[1, 2] = np.nan
        for targets in (broken, ag.Variable(broken, requires_grad=False)):
            with pytest.raises(
                ValueError, match=name + r"the targets hold NaN, first at position \(1, 2\)"
            ):
                loss(x, targets)
        with pytest.raises(ValueError, match=name):
            loss(x, t[:, :1])
    with pytest.raises(TypeError, match="expected real numbers"):
        loss(x.astype(complex), t)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: nn.binary_cross_entropy(LOGITS, ANSWERS), ValueError, "the predictions must be"),
        (
            lambda: nn.binary_cross_entropy(np.array([0.5, 1.5]), [0, 1]),
            ValueError,
            "received: 1.5 at position 1; for logits there is nn.binary_cross_entropy_from_logits",
        ),
        (lambda: nn.binary_cross_entropy(SOFT, ANSWERS * 2), ValueError, "the targets must be"),
        (
            lambda: nn.binary_cross_entropy_from_logits(LOGITS, ANSWERS - 1),
            ValueError,
            "the targets must be probabilities, from 0 to 1, received: -1.0 at position (0, 0)",
        ),
        (lambda: nn.kl_divergence(LOGITS, SOFT), ValueError, "with nn.softmax"),
        (lambda: nn.kl_divergence(SOFT, SOFT - 1), ValueError, "the targets must be"),
        (lambda: nn.cross_entropy(SOFT, SOFT * np.nan), ValueError, "hold NaN"),
        (lambda: nn.hinge(LOGITS, ONE_HOT), ValueError, "at t.argmax(axis=-1)"),
        (lambda: nn.hinge(LOGITS, [0, 4, 1]), ValueError, "label 4 at position 1 is out of"),
        (lambda: nn.hinge(LOGITS, [0.0, 3.0, 1.0]), TypeError, "labels must be integers"),
        (lambda: nn.huber(LOGITS, SOFT, delta=0), ValueError, "delta must be above 0"),
        (lambda: nn.Huber(delta=-1), ValueError, "Huber: delta must be above 0, received: -1"),
        (lambda: smoothed(1.5), ValueError, "label_smoothing must be from 0 to 1, received: 1.5"),
        (lambda: smoothed(np.nan), ValueError, "label_smoothing must be"),
        (
            lambda: nn.CrossEntropyFromLogits(label_smoothing=-0.1),
            ValueError,
            "CrossEntropyFromLogits: label_smoothing",
        ),
        (lambda: weighted([1, -2, 1, 1]), ValueError, "at least 0, received: -2 for class 1"),
        (lambda: weighted([1, np.nan, 1, 1]), ValueError, "received: nan for class 1"),
        (lambda: weighted([1, 2, 3]), ValueError, "each of the 4 classes, shape (4,)"),
        (lambda: weighted(2.0), ValueError, "each of the 4 classes, shape (4,)"),
        (lambda: weighted([0, 0, 1, 0]), ValueError, "is ignored or has the weight 0"),
        (lambda: ignoring(7, LABELS + 4), ValueError, "label 4 at position 0 is out of range"),
        (lambda: ignoring(-1, np.full(3, -1)), ValueError, "every label is ignored"),
        (lambda: ignoring(-1, ONE_HOT), ValueError, "ignored_index is for integer labels"),
        (lambda: ignoring(1.5, LABELS), TypeError, "integer"),
    ],
)
def test_bad_settings_and_numbers_are_refused(call, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        call()


def smoothed(share):
    return nn.cross_entropy_from_logits(LOGITS, LABELS, label_smoothing=share)


def weighted(weights):
    return nn.cross_entropy_from_logits(LOGITS, LABELS, class_weights=weights)


def ignoring(index, labels):
    return nn.negative_log_likelihood(LOGITS, labels, ignored_index=index)


@pytest.mark.parametrize("t", [LABELS, ONE_HOT], ids=["labels", "rows"])
@pytest.mark.parametrize("wrong", [2.0, 1e-9, np.inf])
def test_negative_log_likelihood_refuses_what_is_no_log_probability(t, wrong):
    """The loss would be below 0, and minimised to −∞."""
    x = nn.log_softmax(LOGITS)
    x[1, 2] = wrong
    message = (
        f"^negative_log_likelihood: the predictions must be logarithms of probabilities, at most "
        rf"0, received: {re.escape(str(wrong))} at position \(1, 2\); .*cross_entropy_from_logits"
    )
    with pytest.raises(ValueError, match=message):
        nn.negative_log_likelihood(ag.Variable(x), t)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_negative_log_likelihood_takes_rounded_zeros_and_what_is_ignored(dtype):
    x = np.array([[4 * np.finfo(dtype).eps, -np.inf], [7, 7]], dtype)
    assert nn.negative_log_likelihood(x, [0, -1], ignored_index=-1) == -4 * np.finfo(dtype).eps


PROBABLE = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])


@pytest.mark.parametrize("target", [[0, 1], [[1, 0, 0], [0, 1, 0]]])
@pytest.mark.parametrize("wrong", [2.0, -1.0, 1.001, -1e-9, np.inf])
def test_cross_entropy_refuses_what_is_no_probability(target, wrong):
    """Its logarithm would be a loss below 0, or NaN."""
    x = PROBABLE.copy()
    x[1, 2] = wrong
    message = (
        f"^cross_entropy: the predictions must be probabilities, from 0 to 1, received: "
        rf"{re.escape(str(wrong))} at position \(1, 2\); .* nn.cross_entropy_from_logits$"
    )
    with pytest.raises(ValueError, match=message):
        nn.cross_entropy(ag.Variable(x), target)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_takes_probabilities_that_were_rounded(dtype):
    x = PROBABLE.astype(dtype)
    x[1, 1] = 1 + 4 * np.finfo(dtype).eps
    assert abs(nn.cross_entropy(x, [0, 1]) - np.log(2) / 2) < 1e-6  # 4 rounding units of float32


@pytest.mark.parametrize(
    "loss", [nn.cross_entropy, nn.cross_entropy_from_logits, nn.negative_log_likelihood]
)
def test_targets_in_rows_are_from_0_to_1(loss):
    x = np.log(PROBABLE[:1]) if loss is nn.negative_log_likelihood else PROBABLE[:1]
    for row in ([[5.0, -3.0, 0.0]], [[-1, 2, 0]]):
        with pytest.raises(ValueError, match=f"^{loss.__name__}: the targets must be probabilit"):
            loss(x, row)
    # rows that do not sum to 1 count as they are
    assert loss(x, [[0.5, 0.0, 0.0]]) == 0.5 * loss(x, [0])


def test_numpy_numbers_as_settings_of_losses_leave_float32_as_it_is():
    x, t, number = LOGITS.astype(np.float32), SOFT.astype(np.float32), np.float64(0.5)
    assert nn.huber(x, t, delta=number).dtype == np.float32
    assert nn.Huber(delta=number)(x, t).dtype == np.float32
    assert nn.hinge(x, LABELS, margin=number).dtype == np.float32
    smoothed = nn.cross_entropy_from_logits(x, t, label_smoothing=number)
    assert smoothed.dtype == np.float32


def test_a_margin_is_a_finite_number():
    for make in (lambda: nn.Hinge(margin=np.nan), lambda: nn.hinge(LOGITS, LABELS, margin=np.inf)):
        with pytest.raises(ValueError, match=r"^[Hh]inge: the margin must be a finite number"):
            make()
