"""Optimisers: known answers, and what all of them do in a step."""

import numpy as np
import pytest

import autograd_lite as ag
from nn.optimisers import SGD, Adagrad, Adam, AdamW, RMSProp
from tests.nn.optimiser_kinds import (
    KINDS,
    each_kind,
    quadratic,
    start,
    steps,
    values,
    with_gradient,
)

# --- known answers ----------------------------------------------------------------------------


def test_gradient_descent_of_the_lecture():
    x = ag.Variable(0.0)
    sgd = SGD([x], learning_rate=0.5)

    def f():
        return x**2 + 2 * x - 2

    f().backward()
    sgd.step()
    assert x.item() == -1.0
    assert f().item() == -3.0
    sgd.zero_grad()
    f().backward()
    assert x.grad == 0.0


def test_momentum_sums_gradients_and_nesterov_looks_ahead():
    x = with_gradient(0.0, 1.0)
    sgd = SGD(x, 0.5, momentum=0.5)
    sgd.step()  # v = 1
    sgd.step()  # v = 1.5
    sgd.learning_rate = 0.25  # acts on the whole of v at once
    sgd.step()  # v = 1.75
    assert x.item() == -(0.5 * 1 + 0.5 * 1.5 + 0.25 * 1.75)
    x = with_gradient(0.0, 1.0)
    sgd = SGD(x, 0.5, momentum=0.5, nesterov=True)
    sgd.step()  # 1 + 0.5·1
    sgd.step()  # 1 + 0.5·1.5
    assert x.item() == -(0.5 * 1.5 + 0.5 * 1.75)


def test_nesterov_is_momentum_with_the_gradient_where_momentum_leads():
    """Sutskever et al. 2013, equations 3 and 4, in the place that they look at: θ + μ·v."""
    eta, mu = 0.05, 0.8
    theta, v = np.array([-1.0, 0.5]), np.zeros(2)
    x, y = start()
    sgd = SGD([x], eta, momentum=mu, nesterov=True)
    for _ in range(15):
        ahead = ag.Variable(theta + mu * v)
        v = mu * v - eta * ag.gradients(quadratic(ahead, y), ahead)
        theta = theta + v
        steps(sgd, [x, y], 1)
        # what the optimiser holds is the place ahead
        np.testing.assert_allclose(x.data, theta + mu * v, rtol=1e-12)


def test_weight_decay_in_the_gradient_and_beside_it():
    x = with_gradient(3.0, 1.0)
    SGD(x, 0.1, weight_decay=0.5).step()
    assert x.item() == pytest.approx(3 - 0.1 * (1 + 0.5 * 3), rel=1e-15)
    x = with_gradient(3.0, 0.0)
    Adam(x, 0.1, weight_decay=0.5).step()  # the decay is all of the gradient: ±α
    assert x.item() == pytest.approx(2.9, rel=1e-8)  # ε
    x = with_gradient(3.0, 0.0)
    AdamW(x, 0.1, weight_decay=0.5).step()  # a share of the weight
    assert x.item() == pytest.approx(3 * (1 - 0.05), rel=1e-15)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e6])
def test_first_steps_do_not_depend_on_the_size_of_gradients(size):
    for optimiser, expected in [
        (lambda x: Adam(x, 0.25), 0.25),
        (lambda x: AdamW(x, 0.25, weight_decay=0.0), 0.25),
        (lambda x: Adam(x, 0.25, amsgrad=True), 0.25),
        (lambda x: Adagrad(x, 0.25), 0.25),
        (lambda x: RMSProp(x, 0.25, decay=0.75), 0.5),  # η / √(1 − ρ)
    ]:
        x = with_gradient([0.0, 0.0], [size, -size])
        optimiser(x).step()
        # ε = 1e-8 beside a gradient of 1e-3
        np.testing.assert_allclose(x.data, [-expected, expected], rtol=3e-5)


def sgd(θ, gradients, η, μ, λ, nesterov):
    v = 0
    for g in gradients:
        g = g + λ * θ
        v = μ * v + g
        θ = θ - η * (g + μ * v if nesterov else v)
    return θ


def adagrad(θ, gradients, η, ε, G, λ):
    for g in gradients:
        g = g + λ * θ
        G = G + g**2
        θ = θ - η * g / (np.sqrt(G) + ε)
    return θ


def rmsprop(θ, gradients, η, ρ, ε, μ, λ, centred):
    r = m = v = 0
    for g in gradients:
        g = g + λ * θ
        r, m = ρ * r + (1 - ρ) * g**2, ρ * m + (1 - ρ) * g
        v = μ * v + g / (np.sqrt(r - m**2 if centred else r) + ε)
        θ = θ - η * v
    return θ


def adam(θ, gradients, α, β1, β2, ε, λ, amsgrad, decoupled=False):
    m = v = largest = 0
    for t, g in enumerate(gradients, 1):
        θ, g = (θ - α * λ * θ, g) if decoupled else (θ, g + λ * θ)
        m, v = β1 * m + (1 - β1) * g, β2 * v + (1 - β2) * g**2
        largest = np.maximum(largest, v)
        corrected = (largest if amsgrad else v) / (1 - β2**t)
        θ = θ - α * m / (1 - β1**t) / (np.sqrt(corrected) + ε)
    return θ


def adamw(θ, gradients, *settings, amsgrad):
    return adam(θ, gradients, *settings, amsgrad, decoupled=True)


@pytest.mark.parametrize("flag", [False, True])
@pytest.mark.parametrize(
    ("made", "formula", "settings", "name_of_flag"),
    [
        (SGD, sgd, {"momentum": 0.8}, "nesterov"),
        (Adagrad, adagrad, {"epsilon": 0.01, "initial": 0.5}, None),
        (RMSProp, rmsprop, {"decay": 0.7, "epsilon": 0.01, "momentum": 0.0}, "centred"),
        (RMSProp, rmsprop, {"decay": 0.7, "epsilon": 0.01, "momentum": 0.6}, "centred"),
        (Adam, adam, {"beta1": 0.8, "beta2": 0.9, "epsilon": 0.01}, "amsgrad"),
        (AdamW, adamw, {"beta1": 0.8, "beta2": 0.9, "epsilon": 0.01}, "amsgrad"),
    ],
)
def test_every_step_is_the_formula_with_all_settings(made, formula, settings, name_of_flag, flag):
    """The documented formulas, letter by letter, with new arrays at every line."""
    settings = {**settings, "weight_decay": 0.3}
    flags = {name_of_flag: flag} if name_of_flag else {}
    rng = np.random.default_rng(0)
    gradients = rng.standard_normal((6, 3, 2)) * np.array([4, 2, 1, 1, 1, 1])[:, None, None]
    θ = rng.standard_normal((3, 2))
    x = ag.Variable(θ)
    optimiser = made(x, 0.1, **settings, **flags)
    for g in gradients:
        x.grad = g
        optimiser.step()
    expected = formula(θ, gradients, 0.1, *settings.values(), **flags)
    # a dozen roundings in each of six steps
    np.testing.assert_allclose(x.data, expected, rtol=1e-13, atol=1e-14)


def test_adagrad_divides_by_all_squares():
    x = with_gradient(0.0, 3.0)
    adagrad = Adagrad(x, 1.0, epsilon=1e-300, initial=7.0)
    adagrad.step()  # √(7 + 9) = 4
    assert x.item() == -3 / 4
    x.grad = 4.0
    adagrad.step()  # √(7 + 9 + 16)
    assert x.item() == pytest.approx(-3 / 4 - 4 / 32**0.5, rel=1e-15)


def test_amsgrad_keeps_the_largest():
    """One large gradient, then small ones: v falls, and its largest value does not."""
    settings = {"learning_rate": 1.0, "beta1": 0.0, "beta2": 0.5}
    plain, ams = with_gradient(0.0, 8.0), with_gradient(0.0, 8.0)
    pair = Adam(plain, **settings), Adam(ams, **settings, amsgrad=True)
    for optimiser in pair:
        optimiser.step()
    plain.grad, ams.grad = 2.0, 2.0
    before = plain.item(), ams.item()
    for optimiser in pair:
        optimiser.step()
    # v: 32, then 18; corrected by 1 − β₂² = ¾
    assert before[0] - plain.item() == pytest.approx(2 / (18 / 0.75) ** 0.5, rel=1e-8)
    assert before[1] - ams.item() == pytest.approx(2 / (32 / 0.75) ** 0.5, rel=1e-8)


def test_a_centred_mean_square_does_not_fall_below_zero_by_rounding():
    x = with_gradient(np.zeros(200), np.random.default_rng(0).standard_normal(200))
    rmsprop = RMSProp(x, 1e-9, decay=0.5, centred=True)
    for _ in range(200):  # r − m² is 0 but for rounding, and less in a quarter of the places
        rmsprop.step()
    assert np.isfinite(x.data).all()


@each_kind
def test_it_finds_the_lowest_place(kind):
    parameters = start()
    more = {"weight_decay": 0.0} if kind == "AdamW" else {}
    optimiser = KINDS[kind](parameters, **more)
    steps(optimiser, parameters, 2000)
    # RMSProp keeps stepping about ±η around it
    tolerance = 5e-3 if kind == "RMSProp" else 1e-6
    np.testing.assert_allclose(parameters[0].data, [2, -1], atol=tolerance)
    assert parameters[1].item() == pytest.approx(1, abs=tolerance)


# --- what all of them do ----------------------------------------------------------------------


def test_a_step_goes_against_the_gradient_and_keeps_dtype_and_shape():
    w = ag.Variable(np.ones((2, 3), np.float32))
    np.sum(w * w).backward()
    sgd = SGD((p for p in [w]), 0.25)
    sgd.step()
    assert w.dtype == np.float32
    np.testing.assert_array_equal(w.data, np.full((2, 3), 0.5))
    sgd.learning_rate = 0.5
    sgd.step()  # the gradient is still there: 2
    np.testing.assert_array_equal(w.data, np.full((2, 3), -0.5))
    sgd.zero_grad()
    assert w.grad is None


@each_kind
def test_float32_stays_float32(kind):
    """State, too, and with settings that are NumPy's float64."""
    parameters, doubles = start(np.float32), start()
    optimiser = KINDS[kind](parameters, weight_decay=np.float64(0.01))
    optimiser.learning_rate = np.float64(optimiser.learning_rate)
    steps(optimiser, parameters, 5)
    assert {p.dtype for p in parameters} == {np.dtype(np.float32)}
    arrays = [v for s in optimiser._states for v in s.values() if isinstance(v, np.ndarray)]
    assert {a.dtype for a in arrays} <= {np.dtype(np.float32)}
    steps(KINDS[kind](doubles, weight_decay=0.01), doubles, 5)
    for single, double in zip(parameters, doubles, strict=True):
        np.testing.assert_allclose(single.data, double.data, rtol=1e-5)  # 5 steps of 1e-7


@each_kind
def test_a_parameter_without_gradient_stays_as_it_is(kind):
    w, unused = ag.Variable(1.0), ag.Variable(2.0)
    optimiser = KINDS[kind]([w, unused], weight_decay=0.5)
    for _ in range(3):
        (3 * w).backward()
        optimiser.step()
    assert unused.item() == 2.0
    assert w.item() < 1.0
    assert "1" not in optimiser.state_dict()["parameters"]


def test_steps_are_counted_for_each_parameter():
    """One that gets its first gradient late is not late in its correction for the start."""
    x, y = with_gradient(0.0, 1.0), ag.Variable(0.0)
    adam = Adam([x, y], 0.1)
    for _ in range(5):
        adam.step()
    y.grad = 1.0
    adam.step()
    assert y.item() == pytest.approx(-0.1, rel=1e-7)


@each_kind
def test_arrays_that_others_see_are_not_written_to(kind):
    parameters = start()
    optimiser = KINDS[kind](parameters, weight_decay=0.1)
    steps(optimiser, parameters, 1)
    for _ in range(2):
        data, before = [p.data for p in parameters], values(parameters)
        gradients = [p.grad for p in parameters]
        kept = [np.array(g) for g in gradients]
        optimiser.step()
        for array, expected in zip([*data, *gradients], [*before, *kept], strict=True):
            np.testing.assert_array_equal(array, expected)
        for p, old in zip(parameters, before, strict=True):
            assert not np.array_equal(p.data, old)


@each_kind
def test_memory_layouts_may_differ(kind):
    start_at = np.arange(6.0).reshape(2, 3)
    rows, columns = ag.Variable(start_at), ag.Variable(np.asfortranarray(start_at))
    for _ in range(3):
        for w in (rows, columns):
            w.grad = start_at.T.copy().T - 2.5
    for w in (rows, columns):
        optimiser = KINDS[kind](w)
        for _ in range(3):
            optimiser.step()
    np.testing.assert_array_equal(rows.data, columns.data)


@each_kind
def test_recorded_gradients_are_taken_by_value(kind):
    parameters, twins = start(), start()
    optimiser = KINDS[kind](parameters)
    for _ in range(3):
        optimiser.zero_grad()
        quadratic(*parameters).backward(create_graph=True)
        assert isinstance(parameters[0].grad, ag.Variable)
        optimiser.step()
    steps(KINDS[kind](twins), twins, 3)
    for one, other in zip(parameters, twins, strict=True):
        np.testing.assert_array_equal(one.data, other.data)
    optimiser.zero_grad()


def test_a_recorded_graph_is_left_as_it_was():
    w = ag.Variable(3.0)
    loss = w * w
    loss.backward()
    SGD([w], 0.1).step()
    w.zero_grad()
    loss.backward()
    assert w.grad == 6.0


def test_nan_is_passed_on():
    x = with_gradient([1.0, 1.0], [np.nan, 1.0])
    Adam(x, 0.1).step()
    assert np.isnan(x.data[0])
    assert x.data[1] == pytest.approx(0.9)
