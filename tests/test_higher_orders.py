"""Derivatives of derivatives: against closed forms, SciPy and each other, and what they cost."""

import copy
import gc
import math
import pickle
import weakref
from decimal import Context, Decimal, localcontext

import numpy as np
import pytest
from numpy.polynomial import Polynomial
from scipy.optimize import rosen, rosen_der, rosen_hess, rosen_hess_prod

import autograd_lite as ag
import nn
from autograd_lite import runs, transforms
from autograd_lite.errors import StaleVariableError
from autograd_lite.tape import STATE
from tests import numeric
from tests.cases import TRACKED
from tests.test_contract import assert_close, listed, random_directions, reference
from tests.test_transforms import (
    assert_arrays,
    assert_usable,
    cube,
    rosenbrock,
    x3,
)

# --- orders ---------------------------------------------------------------------------------------


DIGITS = Context(prec=60)
"""More than enough for polynomials whose terms cancel in the tails."""


def exact_sigmoid(x):
    return 1 / (1 + (-Decimal(x)).exp())


def chain_of(function, slope):
    """Derivatives 1 to 6 of f with f′ = p(f), a polynomial: f″ = p′(f)·p(f), and so on."""

    def derivatives(x):
        with localcontext(DIGITS):
            value, found, current = function(x), [], Polynomial(slope)
            for _ in range(6):
                total = Decimal(0)
                for coefficient in reversed(current.coef):
                    total = total * value + int(coefficient)
                found.append(float(total))
                current = current.deriv() * Polynomial(slope)
        return found

    return derivatives


def power(n):
    """Derivatives of xⁿ: falling factorials."""
    return lambda x: [
        math.prod(n - i for i in range(k)) * x ** (n - k) if n != 5 or k <= 5 else 0.0
        for k in range(1, 7)
    ]


FUNCTIONS = {
    "tanh": (
        np.tanh,
        chain_of(lambda x: 2 * exact_sigmoid(2 * x) - 1, [1, 0, -1]),
        [-3.0, -0.5, 0.0, 1e-8, 0.7, 2.0, 20.0],
    ),
    "sigmoid": (
        nn.sigmoid,
        chain_of(exact_sigmoid, [0, 1, -1]),
        [-30.0, -1.0, 0.0, 0.5, 4.0],
    ),
    "exp": (np.exp, lambda x: [math.exp(x)] * 6, [-50.0, 0.0, 3.0]),
    "sin": (
        np.sin,
        lambda x: [math.cos(x), -math.sin(x), -math.cos(x), math.sin(x), math.cos(x), -math.sin(x)],
        [-2.0, 0.0, 1.0, 10.0],
    ),
    "log1p": (
        np.log1p,
        lambda x: [-math.factorial(k - 1) * (-1 / (1 + x)) ** k for k in range(1, 7)],
        [-0.9, 0.0, 1e-10, 5.0],
    ),
    "x**5": (lambda x: x**5, power(5), [-2.0, 0.0, 0.5]),
    "x**2.5": (lambda x: x**2.5, power(2.5), [0.1, 4.0]),
    "1/x": (lambda x: 1 / x, power(-1), [-2.0, 0.01, 3.0]),
}


@pytest.mark.parametrize(
    ("function", "exactly", "at"),
    [(f, exactly, at) for f, exactly, points in FUNCTIONS.values() for at in points],
    ids=[f"{name} at {at}" for name, row in FUNCTIONS.items() for at in row[2]],
)
def test_six_derivatives(function, exactly, at):
    for n, truth in enumerate(exactly(at), start=1):
        function = ag.grad(function)
        # what an exact 0 may be missed by: the roundings of terms of the order of 1
        absolute = 0 if abs(truth) > 1e-30 else 1e-15
        assert math.isclose(function(at), truth, rel_tol=1e-9, abs_tol=absolute), n


@pytest.mark.parametrize("n", [2, 3, 7])
def test_rosenbrock(n):
    rng = np.random.default_rng(n)
    for x in (np.ones(n), np.zeros(n), rng.uniform(-2, 2, n)):
        v = rng.standard_normal(n)
        np.testing.assert_allclose(rosenbrock(x), rosen(x), rtol=1e-13)
        # entries are differences of terms up to 1e4
        close = {"rtol": 1e-12, "atol": 1e-11}
        np.testing.assert_allclose(ag.grad(rosenbrock)(x), rosen_der(x), **close)
        np.testing.assert_allclose(ag.hessian(rosenbrock)(x), rosen_hess(x), **close)
        np.testing.assert_allclose(ag.hvp(rosenbrock, x, v), rosen_hess_prod(x, v), **close)


def mlp(parameters):
    W, b, V = parameters["W"], parameters["b"], parameters["V"]
    return np.sum(np.tanh(X_MLP @ W + b) @ V) ** 2


X_MLP = np.random.default_rng(0).standard_normal((4, 3))


def mlp_parameters():
    rng = np.random.default_rng(1)
    return {name: rng.standard_normal(s) for name, s in {"W": (3, 2), "b": 2, "V": 2}.items()}


def test_every_way_to_second_derivatives():
    p, v = mlp_parameters(), {k: np.cos(x) for k, x in mlp_parameters().items()}
    hessian = ag.hessian(mlp)(p)
    for a in p:
        for b in p:
            pairs = np.reshape(hessian[a][b], (p[a].size, p[b].size))
            np.testing.assert_allclose(
                pairs, np.reshape(hessian[b][a], (p[b].size, p[a].size)).T, rtol=1e-12, atol=1e-12
            )
    product = {a: sum(np.tensordot(hessian[a][b], v[b], v[b].ndim) for b in p) for a in p}

    def along(q):
        slope = ag.grad(mlp)(q)
        return sum(np.sum(slope[k] * v[k]) for k in q)

    for way in (
        ag.hvp(mlp, p, v),
        ag.jvp(ag.grad(mlp), p, v)[1],  # forward over reverse
        ag.grad(along)(p),  # reverse over reverse
        ag.grad(lambda q: ag.jvp(mlp, q, v)[1])(p),  # reverse over forward
        ag.vjp(ag.grad(mlp), p)[1](v),
    ):
        assert_arrays(way, product, 1e-12)
    curvature = sum(np.sum(product[k] * v[k]) for k in p)
    twice = ag.jvp(lambda q: ag.jvp(mlp, q, v)[1], p, v)[1]  # forward over forward
    np.testing.assert_allclose(twice, curvature, rtol=1e-12)


# --- duality, for every operation -----------------------------------------------------------------


each = pytest.mark.parametrize("case", TRACKED, ids=str)


@each
def test_jvp_is_the_finite_difference_and_the_dual_of_vjp(case):
    arrays = case.arrays()
    (v,) = random_directions(case, arrays, 1)
    argnums = tuple(range(len(arrays)))

    def f(*xs):
        return [z for z in listed(case.call(*xs)) if z.dtype.kind == "f"]

    expected = numeric.along(lambda *xs: reference(case, *xs), arrays, v)
    values, changes = ag.jvp(f, *arrays, tuple(v), argnums=argnums)
    assert_close(changes, [e for e in expected if e.dtype.kind == "f"])
    again, pull = ag.vjp(f, *arrays, argnums=argnums)
    assert_close(values, again, 0)
    rng = case.random()
    u = [rng.uniform(-1, 1, z.shape) for z in values]
    pulled = pull(u)
    assert [g.shape for g in pulled] == [x.shape for x in arrays]
    forward = sum(np.sum(a * b) for a, b in zip(u, changes, strict=True))
    backward = sum(np.sum(a * b) for a, b in zip(pulled, v, strict=True))
    # each side is a sum of some hundred products: its own roundings, 1e-12 of the largest
    size = max(np.max(np.abs(p), initial=1) for p in [*changes, *pulled])
    np.testing.assert_allclose(forward, backward, rtol=0, atol=1e-12 * size)


def test_directions_and_cotangents_are_rounded_to_the_dtype_they_meet():
    """Float32 stays float32 on the way: the same bits as from rounded numbers."""
    rng = np.random.default_rng(0)
    x, a, b = rng.standard_normal((3, 100), np.float32)
    v = rng.standard_normal(100)
    expected = v.astype("f4") * a * b
    assert_arrays(ag.jvp(lambda x: x * a * b, x, v)[1], expected, 0)
    assert_arrays(ag.vjp(lambda x: x * b * a, x)[1](v), expected, 0)


@each
def test_jacobian_by_rows_is_the_jacobian_by_columns(case):
    arrays = case.arrays()

    def run():
        return runs.Run(
            "jacobian", lambda *xs: listed(case.call(*xs)), arrays, {}, tuple(range(len(arrays)))
        )

    rows = transforms._by_rows(run())
    with run() as entered:
        columns = transforms._by_columns(entered)
    for by_rows, by_columns in zip(rows, columns, strict=True):
        assert_close(by_rows, by_columns, 1e-12)


# --- backward(create_graph=True) ------------------------------------------------------------------


def test_recorded_gradients_accumulate():
    x = ag.Variable(2.0)
    (x**3).backward(create_graph=True)
    assert type(x.grad) is ag.Variable
    assert x.grad.item() == 12
    (x**2).backward(create_graph=True)
    assert x.grad.item() == 16
    assert ag.gradients(x.grad, x) == 12 + 2


def test_recorded_and_plain_gradients_add_up():
    x = ag.Variable(x3)
    cube(x).backward()
    cube(x).backward(create_graph=True)
    np.testing.assert_array_equal(x.grad.data, 6 * x3**2)
    np.testing.assert_array_equal(ag.gradients(np.sum(x.grad), x), 6 * x3)
    cube(x).backward()
    assert_arrays(x.grad, 9 * x3**2)
    assert x.grad.flags.writeable


def test_gradient_penalty():
    """‖∂L/∂w‖² added to the loss, as in Gulrajani et al., 2017; against the closed form."""
    A, b = np.random.default_rng(0).standard_normal((4, 3)), np.array([1.0, 2, 3, 4])
    w = ag.Variable(x3)
    loss = np.sum((A @ w - b) ** 2)
    loss.backward(create_graph=True)
    slope = 2 * A.T @ (A @ x3 - b)
    total = loss + np.sum(w.grad**2)
    w.zero_grad()
    total.backward()
    assert_arrays(w.grad, slope + 4 * A.T @ A @ slope, 1e-13)


def test_recorded_under_no_grad_and_for_intermediates():
    x = ag.Variable(2.0)
    y = x * x
    z = y * y
    with ag.no_grad():
        z.backward(create_graph=True, retain_grads=True)
    assert ag.gradients(x.grad, x) == 12 * 4
    assert y.grad.item() == 8


def test_zero_grad_frees_leaf_and_recorded_gradient():
    gc.disable()
    try:
        x = ag.Variable(2.0)
        (x**3).backward(create_graph=True)
        leaf, slope = weakref.ref(x), weakref.ref(x.grad)
        x.zero_grad()
        assert slope() is None
        del x
        assert leaf() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))]
)
def test_copies_of_a_leaf_have_the_value_of_its_recorded_gradient(copied):
    x = ag.Variable(2.0)
    (x**3).backward(create_graph=True)
    twin = copied(x)
    assert_arrays(twin.grad, 12.0)
    assert type(x.grad) is ag.Variable
    (twin * twin).backward()
    assert_arrays(twin.grad, 16.0)


def test_a_failed_recorded_sweep_stores_nothing():
    x, w = ag.Variable(2.0), ag.Variable(3.0)
    y = x * x * w
    x.data = 5.0
    state = STATE.get()
    with pytest.raises(StaleVariableError, match="create_graph: the data of Variable"):
        y.backward(create_graph=True)
    assert x.grad is None
    assert w.grad is None
    assert_usable(state)


def test_what_is_newer_than_the_output_has_the_gradient_zero_though_a_leaf_was_assigned():
    """Nothing is visited for it, so nothing stale is either: a fault once found by the model."""
    x = ag.Variable([1.0, 2.0])
    output = np.sum(x)
    newer = x * 3.0
    x.data = [5.0, 6.0]
    slope = ag.gradients(output, newer, create_graph=True)
    assert slope.data.tolist() == [0.0, 0.0]
