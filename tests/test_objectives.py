"""Objectives of real size against finite differences, closed forms and sensitivity equations."""

import math

import numpy as np
import pytest
from scipy import special, stats
from scipy.spatial.transform import Rotation

import autograd_lite as ag
from tests import numeric
from tests.objectives import (
    bundle_adjustment,
    least_squares,
    log_sum_exp,
    lotka_volterra,
    lstm,
    mixture,
)

# sizes at which every entry of the gradient is checked, and sizes checked along directions
MODERATE = {
    log_sum_exp: (50,),
    least_squares: (30, 8),
    mixture: (40, 4, 3),
    bundle_adjustment: (3, 8, 20),
    lotka_volterra: (60, 3),
    lstm: (10, 2, 6),
}
LARGE = {
    log_sum_exp: (100_000,),
    least_squares: (2_000, 200),
    mixture: (1_000, 10, 10),
    bundle_adjustment: (30, 500, 3_000),
    lotka_volterra: (500, 10),
    lstm: (100, 3, 14),
}


def name(value):
    return getattr(value, "__name__", "").rpartition(".")[2] or None


def seeded():
    return np.random.default_rng(0)


def problem(module, size):
    parameters, data = module.problem(seeded(), *size)
    if module is bundle_adjustment:
        parameters[0][0, :3] = 0  # a camera that is not turned: θ = 0, where Rodrigues is 0/0
    return parameters, data


def recorded(module, parameters, data):
    """The Variables and the objective, which must have the bits of the one on arrays."""
    variables = [ag.Variable(p) for p in parameters]
    value = module.objective(*variables, *data)
    assert value.shape == ()
    assert value.item() == module.objective(*parameters, *data)
    return variables, value


def gradient(module, parameters, data):
    variables, value = recorded(module, parameters, data)
    value.backward()
    return [v.grad for v in variables]


def largest(arrays):
    return max(np.max(np.abs(a)) for a in arrays)


def inner(arrays, others):
    return sum(np.sum(a * b) for a, b in zip(arrays, others, strict=True))


def direction(rng, parameters):
    """Of length 1 in all parameters together."""
    u = [rng.standard_normal(p.shape) for p in parameters]
    length = math.sqrt(inner(u, u))
    return [a / length for a in u]


@pytest.mark.parametrize(("module", "size"), MODERATE.items(), ids=name)
def test_every_entry_of_the_gradient(module, size):
    parameters, data = problem(module, size)
    ours = gradient(module, parameters, data)
    theirs = numeric.gradients(lambda *p: [module.objective(*p, *data)], parameters, [1.0])
    # the stencil's error is h⁴·f⁽⁵⁾/30 + ε·|f|/h; the first is 2e-10 of the gradient for the
    # mixture's logarithms and the interactions of species, and 2e-11 or less elsewhere
    value = abs(module.objective(*parameters, *data))
    tolerance = 1e-9 * largest(theirs) + 1e-12 * value
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("module", "size"), LARGE.items(), ids=name)
def test_directions_at_full_size(module, size):
    parameters, data = problem(module, size)
    ours = gradient(module, parameters, data)
    rng = seeded()
    for _ in range(3):
        u = direction(rng, parameters)
        (theirs,) = numeric.along(lambda *p: [module.objective(*p, *data)], parameters, u)
        # relative to the whole gradient: a random direction may be nearly orthogonal to it
        scale = math.sqrt(inner(ours, ours))
        value = abs(module.objective(*parameters, *data))
        assert abs(inner(ours, u) - theirs) <= 1e-10 * scale + 1e-12 * value


@pytest.mark.parametrize(("module", "size"), MODERATE.items(), ids=name)
def test_curvature_along_a_direction(module, size):
    """Hessian times u, the gradient of ⟨gradient, u⟩, against the difference of gradients."""
    parameters, data = problem(module, size)
    u = direction(seeded(), parameters)
    variables, value = recorded(module, parameters, data)
    slopes = ag.gradients(value, variables, create_graph=True)
    ours = ag.gradients(sum(np.sum(s * d) for s, d in zip(slopes, u, strict=True)), variables)
    theirs = numeric.along(lambda *p: gradient(module, p, data), parameters, u)
    for a, b in zip(ours, theirs, strict=True):
        # seen: 2e-11, the stencil's first term
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9 * largest(theirs))


# --- log-sum-exp ---------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [5 * seeded().standard_normal(20), np.array([1000.0, 999, -1000, 3])])
def test_log_sum_exp_closed_form(x):
    p = special.softmax(x)
    (v,), value = recorded(log_sum_exp, [x], ())
    assert value.item() == pytest.approx(special.logsumexp(x), rel=1e-15)
    slope = ag.gradients(value, v, create_graph=True)
    np.testing.assert_allclose(slope.data, p, rtol=1e-13, atol=1e-16)
    hessian = np.stack([ag.gradients(s, v) for s in slope])
    np.testing.assert_allclose(hessian, np.diag(p) - np.outer(p, p), rtol=1e-13, atol=1e-15)


# --- linear least squares ------------------------------------------------------------------------


def test_least_squares_closed_forms():
    """Xᵀ(Xw − y) in w, (Xw − y)wᵀ in X, y − Xw in y; the Hessian in w is XᵀX."""
    _, (X, y) = least_squares.problem(seeded(), 200, 30)
    w = seeded().standard_normal(30)
    residual = X @ w - y
    variables, value = recorded(least_squares, [w, X, y], ())
    slopes = ag.gradients(value, variables, create_graph=True)
    expected = [X.T @ residual, np.outer(residual, w), -residual]
    for slope, formula in zip(slopes, expected, strict=True):
        # rounding of sums of 200 terms
        np.testing.assert_allclose(slope.data, formula, rtol=1e-12, atol=1e-11)
    hessian = np.stack([ag.gradients(s, variables[0]) for s in slopes[0]])
    np.testing.assert_allclose(hessian, X.T @ X, rtol=1e-12, atol=1e-11)


# --- Gaussian mixture ----------------------------------------------------------------------------


def test_mixture_is_the_mixture():
    """The value, against SciPy's normal densities and its Wishart constant."""
    parameters, (x, gamma, m) = problem(mixture, (50, 4, 3))
    gamma, m = 1.3, 2
    alphas, means, factors = parameters
    Q = mixture.triangles(factors, 4)
    assert np.array_equal(Q[1, :, 0], [np.exp(factors[1, 0]), *factors[1, 4:7]])
    assert np.array_equal(Q[1, 2:, 1], factors[1, 7:9])
    assert np.array_equal(Q, np.tril(Q))
    densities = [
        stats.multivariate_normal(mean, np.linalg.inv(q.T @ q)).pdf(x)
        for mean, q in zip(means, Q, strict=True)
    ]
    likelihood = np.sum(np.log(special.softmax(alphas) @ densities))
    n = 4 + m + 1
    prior = 0.0
    for q in Q:
        prior += 0.5 * gamma**2 * np.trace(q.T @ q) - m * np.log(np.linalg.det(q))
        prior -= n * 4 * math.log(gamma / math.sqrt(2)) - special.multigammaln(n / 2, 4)
    value = mixture.objective(*parameters, x, gamma, m)
    assert value == pytest.approx(likelihood + prior, rel=1e-12)


def test_mixture_gradient_by_responsibilities():
    """The formulas behind expectation maximisation, at full size."""
    parameters, (x, _, _) = problem(mixture, LARGE[mixture])
    gamma, m = 1.3, 2
    alphas, means, factors = parameters
    n, d = x.shape
    Q = mixture.triangles(factors, d)
    offsets = x - means[:, None]
    whitened = np.einsum("kij,knj->kni", Q, offsets)
    terms = alphas + factors[:, :d].sum(axis=1) - 0.5 * (whitened**2).sum(axis=2).T
    r = special.softmax(terms, axis=1)
    in_alphas = r.sum(axis=0) - n * special.softmax(alphas)
    in_means = np.einsum("nk,kij,kni->kj", r, Q, whitened)
    in_Q = -np.einsum("nk,kni,knj->kij", r, whitened, offsets) + gamma**2 * Q
    in_diagonal = np.einsum("kii,kii->ki", in_Q, Q) + r.sum(axis=0)[:, None] - m
    columns, rows = np.triu_indices(d, 1)
    in_factors = np.concatenate([in_diagonal, in_Q[:, rows, columns]], axis=1)
    ours = gradient(mixture, parameters, (x, gamma, m))
    for a, b in zip(ours, [in_alphas, in_means, in_factors], strict=True):
        # sums of 1000 terms, and responsibilities that come out of exponents of a few hundred
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * np.max(np.abs(b)))


# --- bundle adjustment ---------------------------------------------------------------------------

ANGLES = [0.0, 1e-300, 1e-12, 1e-8, 1e-4, 1e-2, 1.0, 3.0, math.pi, 7.0]


@pytest.mark.parametrize("angle", ANGLES)
def test_rotation(angle):
    """Value, gradient and curvature at every angle; the differences step across θ = 0."""
    axis, X, weight, u = seeded().standard_normal((4, 5, 3))
    r = angle * axis / np.linalg.norm(axis, axis=1, keepdims=True)

    def slope(r, **how):
        v = ag.Variable(r)
        return v, ag.gradients(bundle_adjustment.rotate(v, X), v, weight, **how)

    # a few roundings, of θ² where it is large
    turned = bundle_adjustment.rotate(r, X)
    np.testing.assert_allclose(turned, Rotation.from_rotvec(r).apply(X), rtol=0, atol=1e-14)
    # derivatives of every order are a few units: h⁴/30 + ε/h is a few 1e-13
    theirs = numeric.gradients(lambda r: [bundle_adjustment.rotate(r, X)], [r], [weight])
    np.testing.assert_allclose(slope(r)[1], theirs[0], rtol=0, atol=1e-11)
    v, first = slope(r, create_graph=True)
    theirs = numeric.along(lambda r: [slope(r)[1]], [r], [u])
    np.testing.assert_allclose(ag.gradients(first, v, u), theirs[0], rtol=0, atol=1e-11)


def test_rotation_by_nothing():
    """R·X = X + r × X + ½·r × (r × X) up to third order in r."""
    rng = seeded()
    X, g, u = rng.standard_normal((3, 4, 3))
    zero, V = ag.Variable(np.zeros((4, 3))), ag.Variable(X)
    turned = bundle_adjustment.rotate(zero, V)
    assert np.array_equal(turned.data, X)
    in_r, in_X = ag.gradients(turned, [zero, V], g, create_graph=True)
    np.testing.assert_allclose(in_r.data, np.cross(X, g), rtol=1e-15, atol=1e-16)
    assert np.array_equal(in_X.data, g)
    second = ag.gradients(in_r, zero, u)
    dot = lambda a, b: np.sum(a * b, axis=1, keepdims=True)
    formula = 0.5 * (dot(X, u) * g + dot(g, u) * X) - dot(X, g) * u
    np.testing.assert_allclose(second, formula, rtol=1e-13, atol=1e-14)


def blocks(module_problem):
    """The Jacobian of the residuals, (p, 3, 11 + 3 + 1), by one sweep per kind of residual.

    A residual sees only its own row of the gathered arrays: all observations go in one sweep.
    """
    (cameras, points, weights), (observations, features) = module_problem
    gathered = [
        ag.Variable(p) for p in (cameras[observations[:, 0]], points[observations[:, 1]], weights)
    ]
    errors, weight_errors = bundle_adjustment.rows(*gathered, features)
    rows = []
    for kind in (errors[:, 0], errors[:, 1], weight_errors):
        slopes = ag.gradients(np.sum(kind), gathered)
        rows.append(np.concatenate([s.reshape(len(weights), -1) for s in slopes], axis=1))
    return np.stack(rows, axis=1)


def test_sparse_jacobian_of_bundle_adjustment():
    """Gradients of single residuals: zero outside their own camera, point and weight."""
    parameters, data = problem(bundle_adjustment, MODERATE[bundle_adjustment])
    observations, _ = data
    variables = [ag.Variable(p) for p in parameters]
    errors, weight_errors = bundle_adjustment.residuals(*variables, *data)
    compressed = blocks((parameters, data))
    for i in (0, 7, 19):
        camera, point = observations[i]
        for kind, residual in enumerate([errors[i, 0], errors[i, 1], weight_errors[i]]):
            row = ag.gradients(residual, variables)

            def plain(*p, i=i, kind=kind):
                moved, moved_weights = bundle_adjustment.residuals(*p, *data)
                return [moved[i, kind] if kind < 2 else moved_weights[i]]

            theirs = numeric.gradients(plain, parameters, [1.0])
            for a, b in zip(row, theirs, strict=True):
                # ε/h is 2e-13, and fifth derivatives of projections reach a few thousand
                np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)
            own = [row[0][camera], row[1][point], row[2][i : i + 1]]
            np.testing.assert_allclose(np.concatenate(own), compressed[i, kind], rtol=1e-13)
            row[0][camera] = row[1][point] = row[2][i] = 0
            assert not any(np.any(part) for part in row)


def test_gradient_of_bundle_adjustment_is_jacobian_times_residuals():
    parameters, data = problem(bundle_adjustment, LARGE[bundle_adjustment])
    observations, _ = data
    errors, weight_errors = bundle_adjustment.residuals(*parameters, *data)
    residuals = np.concatenate([errors, weight_errors[:, None]], axis=1)
    per_observation = np.einsum("pk,pkj->pj", residuals, blocks((parameters, data)))
    cameras, points, weights = (np.zeros_like(p) for p in parameters)
    for (camera, point), part in zip(observations, per_observation, strict=True):
        cameras[camera] += part[:11]
        points[point] += part[11:14]
    weights[:] = per_observation[:, 14]
    for a, b in zip(
        gradient(bundle_adjustment, parameters, data), [cameras, points, weights], strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)  # sums of a hundred terms


# --- Lotka and Volterra --------------------------------------------------------------------------

CLASSIC = (np.array([1.5, 1.0]), np.array([2 / 3, -1.0]), np.array([[0.0, -4 / 3], [1.0, 0.0]]))


def test_the_integrator_is_of_order_four():
    """Half the step, 1/16 of the error; x − ln x + (4/3)y − (2/3)·ln y stays what it was."""

    def end(h):
        return lotka_volterra.trajectory(*CLASSIC, h, round(8 / h))[-1]

    def constant_of_motion(x, y):
        return x - np.log(x) + 4 / 3 * y - 2 / 3 * np.log(y)

    exact = end(0.005)  # its own error is 10⁴ times smaller than the next one's
    errors = [np.linalg.norm(end(h) - exact) for h in (0.1, 0.05)]
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.15)  # up to order h
    assert np.linalg.norm(exact - CLASSIC[0]) > 0.1, "something happens"
    # the method's global error at h = 0.005, (0.005/0.05)⁴ of errors[1]
    assert constant_of_motion(*exact) == pytest.approx(constant_of_motion(*CLASSIC[0]), rel=1e-10)


def sensitivities(start, rates, matrix, h, steps):
    """∂(state)/∂(start, rates, matrix) after each step, (steps, d, 2d + d²).

    Ṡ = J·S + ∂f/∂θ beside ẋ = f(x, θ), written by hand and integrated by the same method.
    """
    d = len(start)

    def field(joint):
        x, S = joint[:, 0], joint[:, 1:]
        jacobian = np.diag(rates + matrix @ x) + x[:, None] * matrix
        by_matrix = np.einsum("i,ik,j->ikj", x, np.eye(d), x).reshape(d, d * d)
        direct = np.concatenate([np.zeros((d, d)), np.diag(x), by_matrix], axis=1)
        growth = x * (rates + matrix @ x)
        return np.concatenate([growth[:, None], jacobian @ S + direct], axis=1)

    joint = np.concatenate([start[:, None], np.eye(d), np.zeros((d, d + d * d))], axis=1)
    states = []
    for _ in range(steps):
        joint = lotka_volterra.step(field, joint, h)
        states.append(joint)
    return np.stack(states)


@pytest.mark.parametrize(("d", "steps"), [(2, 1000), (6, 200)])
def test_gradient_through_the_solver_is_the_sensitivity(d, steps):
    parameters, (h, observed) = lotka_volterra.problem(seeded(), steps, d)
    if d == 2:
        parameters = list(CLASSIC)
    joint = sensitivities(*parameters, h, steps)
    path, S = joint[:, :, 0], joint[:, :, 1:]
    assert np.max(np.ptp(path, axis=0)) > 0.5, "something happens"
    theirs = np.einsum("td,tdp->p", path - observed, S) / observed.size
    ours = gradient(lotka_volterra, parameters, (h, observed))
    # differentiating commutes with the method, so that rounding over the steps is all that is left
    np.testing.assert_allclose(
        np.concatenate([g.ravel() for g in ours]),
        theirs,
        rtol=1e-10,
        atol=1e-11 * np.max(np.abs(theirs)),
    )


# --- LSTM ----------------------------------------------------------------------------------------


def test_lstm_is_the_lstm():
    """The value, number by number with Python's floats, as the definition loops."""
    parameters, (sequence,) = problem(lstm, (10, 2, 6))
    main, extra, state = (p.tolist() for p in parameters)
    c, b = sequence.shape
    sigmoid = lambda a: 1 / (1 + math.exp(-a))
    total = 0.0
    for t in range(c - 1):
        x = [s * w for s, w in zip(sequence[t].tolist(), extra[0], strict=True)]
        for layer in range(2):
            w, bias = main[2 * layer], main[2 * layer + 1]
            hidden, memory = state[2 * layer], state[2 * layer + 1]
            for i in range(b):
                forget = sigmoid(x[i] * w[i] + bias[i])
                write = sigmoid(hidden[i] * w[b + i] + bias[b + i])
                read = sigmoid(x[i] * w[2 * b + i] + bias[2 * b + i])
                change = math.tanh(hidden[i] * w[3 * b + i] + bias[3 * b + i])
                memory[i] = memory[i] * forget + write * change
                hidden[i] = read * math.tanh(memory[i])
            x = hidden
        y = [a * w + v for a, w, v in zip(x, extra[1], extra[2], strict=True)]
        log_sum = math.log(2 + sum(math.exp(a) for a in y))
        total += sum(t * (a - log_sum) for t, a in zip(sequence[t + 1].tolist(), y, strict=True))
    expected = -total / (b * (c - 1))
    assert lstm.objective(*parameters, sequence) == pytest.approx(expected, rel=1e-14)
