"""Transforms inside transforms: each minds its own Variables, and arrays come out at last."""

import math
import threading

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.nests import leaves
from tests.test_transforms import ROUNDED, W, assert_arrays, cube, d, is_variable, x3

# --- perturbation confusion -----------------------------------------------------------------------


def along_1(f):
    """The derivative by jvp instead."""
    return lambda x: ag.jvp(f, x, np.ones_like(x) if type(x) is ag.Variable else 1.0)[1]


def pulled_1(f):
    return lambda x: ag.vjp(f, x)[1](1.0)


WAYS = [
    d,
    along_1,
    pulled_1,
    ag.jacobian,
    ag.elementwise_grad,
    lambda f: lambda x: ag.value_and_grad(f)(x)[1],
]
two_ways = pytest.mark.parametrize("outer", WAYS)


@two_ways
@pytest.mark.parametrize("inner", WAYS)
def test_classics(outer, inner):
    assert_arrays(outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0), 1.0)
    assert_arrays(outer(lambda x: x * inner(lambda y: x * y)(2.0))(3.0), 6.0)
    # inner functions that use their own argument again, so that it stays in the recording
    assert_arrays(outer(lambda x: inner(lambda y: x * y * y)(3.0))(2.0), 6.0)
    assert_arrays(
        outer(lambda x: inner(lambda y: np.sin(x * y))(x))(0.5),
        math.cos(0.25) - 0.5 * math.sin(0.25),
    )
    # the inner one differentiates the outer one's argument itself
    assert_arrays(outer(lambda x: inner(lambda y: y**3)(x) * x)(2.0), 36.0)
    assert_arrays(outer(inner(lambda x: x**4))(2.0), 48.0)
    # and what does not depend on the outer one
    assert_arrays(outer(lambda x: inner(lambda y: x + y * y)(3.0))(2.0), 0.0)


def test_closures_at_three_levels():
    def f(x):
        def g(y):
            def h(z):
                return x**3 * y**2 * z + x * y * z**3

            return ag.grad(h)(y) * x  # (x³y² + 3xy³)·x

        return ag.grad(g)(x) * x  # (2x⁴·y + 9x²y²)·x at y = x: 2x⁶ + 9x⁵

    assert_arrays(ag.grad(f)(1.5), 12 * 1.5**5 + 45 * 1.5**4)
    assert_arrays(ag.hvp(f, 1.5, 1.0), 60 * 1.5**4 + 180 * 1.5**3)


def test_grad_inside_jvp_inside_hessian():
    # jvp along a·x of (y ↦ ∂/∂z (x·y²·z²) at z = y) = 2xy³ → 6xy²·(a·x); at y = x: 6a·x⁴
    def f(x):
        change = ag.jvp(lambda y: ag.grad(lambda z: np.sum(x * y**2 * z**2))(y), x, 2.0 * x)[1]
        return np.sum(change)

    assert_arrays(ag.hessian(f)(x3), np.diag(12 * 12 * x3**2))


def test_transforms_over_different_arguments():
    mixed = ag.jacobian(ag.grad(lambda a, b: np.sum(a**2 * b**3), 0), 1)
    assert_arrays(mixed(x3, 2 * x3), np.diag(6 * x3 * (2 * x3) ** 2))
    inner = ag.grad(lambda a, b: a**2 * b**3, (0, 1))
    outer = ag.jacobian(inner, (1, 0))(2.0, 3.0)  # [which gradient][b, a]
    assert_arrays(outer, ((2 * 2 * 27.0, 2 * 27.0), (4 * 6 * 3.0, 4 * 3 * 9.0)))


def test_a_pulled_cotangent_is_differentiated_in_the_cotangent():
    _, pull = ag.vjp(lambda y: y**3, 2.0)
    w = ag.Variable(3.0)
    pulled = pull(w * w)
    assert type(pulled) is ag.Variable
    assert ag.gradients(pulled, w) == 12 * 2 * 3
    assert ag.grad(lambda z: pull(z * z))(3.0).item() == 12 * 2 * 3


def test_directions_are_differentiated():
    w = ag.Variable(x3)
    for result, expected in (
        (ag.jvp(np.sin, x3, w)[1], np.cos(x3)),
        (ag.hvp(cube, x3, w), 6 * x3),
    ):
        assert type(result) is ag.Variable
        np.testing.assert_allclose(ag.gradients(np.sum(result), w), expected, rtol=ROUNDED)
    assert is_variable(ag.jvp(np.sin, x3, w)) == [False, True]


def test_with_backward_on_an_outer_variable():
    w = ag.Variable(2.0)
    loss = ag.grad(lambda x: w**2 * x**3)(3.0)  # 27w²
    loss.backward()
    assert_arrays(w.grad, 108.0)
    ag.hvp(lambda x: w**2 * x**3, 3.0, 1.0).backward()  # 18w²
    assert_arrays(w.grad, 108.0 + 72.0)
    w.zero_grad()
    ag.grad(lambda x: w**2 * x**3)(3.0).backward(create_graph=True)
    assert ag.gradients(w.grad, w) == 54


# --- when Variables come out ----------------------------------------------------------------------


CONSTANT = ag.Variable(2.0, requires_grad=False)

ARRAYS_OR_VARIABLES = {
    "nothing outside": (lambda: ag.value_and_grad(lambda x: x * x)(3.0), [False, False]),
    "an untracked Variable outside": (
        lambda: ag.value_and_grad(lambda x: x * CONSTANT)(3.0),
        [False] * 2,
    ),
    "an untracked Variable as argument": (lambda: ag.grad(np.square)(CONSTANT), [False]),
    "a tracked Variable as argument": (lambda: ag.value_and_grad(np.square)(W), [True, True]),
    "only the value depends": (lambda: ag.value_and_grad(lambda x: x * x + W)(3.0), [True, False]),
    "only the gradient depends, by detach": (
        lambda: ag.value_and_grad(lambda x: x * W - (x * W).detach())(3.0),
        [True, True],
    ),
    "cancelled by detach": (lambda: ag.value_and_grad(lambda x: x * W.detach())(3.0), [False] * 2),
    "one of two gradients": (
        lambda: ag.grad(lambda a, b: a * W + b * b, (0, 1))(1.0, 2.0),
        [True, False],
    ),
    "one of two outputs": (lambda: ag.jvp(lambda x: (x * x, x * W), 1.0, 1.0), [False, True] * 2),
    "one of two blocks": (lambda: ag.jacobian(lambda x: (x * x, x * W * x))(1.0), [False, True]),
    "the Jacobian by rows": (lambda: ag.jacobian(lambda x: np.sum(x * W))(x3), [True]),
    "a hessian": (lambda: ag.hessian(lambda x: np.sum(x * x * W))(x3), [True]),
    "a hessian of what is linear outside": (
        lambda: ag.hessian(lambda x: x * x + W * x)(1.0),
        [False],
    ),
    "an hvp": (lambda: ag.hvp(lambda x: x * x * W, 1.0, 1.0), [True]),
    "a cotangent": (lambda: ag.vjp(np.square, 1.0)[1](W), [True]),
    "aux alone": (lambda: ag.grad(lambda x: (x * x, x * W), has_aux=True)(1.0), [False, True]),
    "the outer Variable itself": (lambda: ag.value_and_grad(lambda x: W)(1.0), [True, False]),
    "a leaf that the function makes": (
        lambda: ag.grad(lambda x: x * ag.Variable(5.0))(1.0),
        [True],
    ),
    "an inner transform": (lambda: ag.grad(lambda x: d(lambda y: x * y * y)(3.0))(1.0), [False]),
    "an inner transform's value": (
        lambda: ag.value_and_grad(lambda x: ag.vjp(lambda y: x * y * y, 3.0)[0])(1.0),
        [False] * 2,
    ),
    "an inner transform over the outside": (
        lambda: ag.grad(lambda x: x * x * d(lambda y: W * y * y)(3.0))(1.0),
        [True],
    ),
}


@pytest.mark.parametrize(("run", "expected"), ARRAYS_OR_VARIABLES.values(), ids=ARRAYS_OR_VARIABLES)
def test_variables_come_out_exactly_where_something_outside_goes_in(run, expected):
    assert is_variable(run()) == expected


@pytest.mark.parametrize(("run", "expected"), ARRAYS_OR_VARIABLES.values(), ids=ARRAYS_OR_VARIABLES)
def test_under_no_grad_arrays_come_out(run, expected):
    recorded = run()
    with ag.no_grad():
        result = run()
    assert not any(is_variable(result))
    for (_, a), (_, b) in zip(leaves(result), leaves(recorded), strict=True):
        np.testing.assert_array_equal(a, b.data if type(b) is ag.Variable else b)


def test_no_grad_between_two_transforms_makes_a_constant():
    def f(x):
        with ag.no_grad():
            slope = ag.grad(lambda y: y**3)(x)
        assert type(slope) is np.ndarray
        return x * slope

    assert_arrays(ag.grad(f)(2.0), 12.0)


def test_pull_minds_the_state_it_is_called_in():
    with ag.no_grad():
        _, quiet = ag.vjp(np.square, 3.0)
    _, pull = ag.vjp(lambda x: x * W, 3.0)
    with ag.no_grad():
        assert is_variable(pull(1.0)) == [False]
    w = ag.Variable(1.0)
    assert ag.gradients(quiet(w), w) == 6


def test_gradients_of_what_comes_out():
    w = ag.Variable(2.0)
    value, slope = ag.value_and_grad(lambda x: np.sum(x**2 * w**3))(x3)
    assert ag.gradients(value, w) == 14 * 12
    assert ag.gradients(np.sum(slope), w) == 12 * 12
    blocks = ag.jacobian(lambda x: np.stack([x, x * x]) * w)(3.0)
    assert ag.gradients(blocks[1], w) == 6
    hessian = ag.hessian(lambda x: np.sum(x**3 * w**2))(x3)
    assert ag.gradients(hessian[2, 2], w) == 6 * 3 * 4


def test_other_threads():
    """A transform in a thread of its own, inside a function that another transform runs."""

    def f(x):
        found = []
        thread = threading.Thread(target=lambda: found.append(ag.grad(lambda y: x * y * y)(3.0)))
        thread.start()
        thread.join()
        return found[0] * x

    assert_arrays(ag.grad(f)(2.0), 24.0)

    def work(k, results):
        for _ in range(20):
            results.append(ag.grad(lambda x: x * d(lambda y: x * y * y)(float(k)))(1.0))

    results = [[] for _ in range(4)]
    threads = [threading.Thread(target=work, args=(k, r)) for k, r in enumerate(results)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, found in enumerate(results):
        assert_arrays(found, [4.0 * k] * 20)


def test_inside_generators():
    """Generators that take turns inside functions under transforms."""

    def slopes(x):
        for k in range(1, 4):
            yield ag.grad(lambda y, k=k: x * y ** float(k))(2.0)  # x·k·2^(k−1)

    def f(x):
        return sum(a * b for a, b in zip(slopes(x), slopes(x * x), strict=True))

    assert_arrays(ag.grad(f)(3.0), 3 * 3.0**2 * (1 + 16 + 144))


# --- a pull in other hands ------------------------------------------------------------------------


def pulling():
    """An operation whose rule is a pull made earlier: z = cos(1)·x."""
    _, pull = ag.vjp(np.sin, 1.0)
    return ag.primitive(lambda a: np.cos(1.0) * a, lambda g, z, a: pull(g), name="pulling")


def test_a_pull_in_a_derivative_rule():
    f, slope = pulling(), np.cos(1.0)
    assert_arrays(ag.jvp(f, 2.0, 1.0)[1], slope)
    assert_arrays(ag.jacobian(lambda x: f(x) * np.ones(3))(2.0), np.full(3, slope))
    assert_arrays(ag.hvp(lambda x: f(x) ** 2, 2.0, 1.0), 2 * slope**2)


def test_a_pull_is_differentiated_by_its_cotangent_alone():
    _, pull = ag.vjp(np.sin, 1.0)
    assert_arrays(ag.grad(lambda u: pull(u) * u)(2.0), 4 * np.cos(1.0))
    assert_arrays(ag.grad(ag.checkpoint(lambda u: pull(u) * u))(2.0), 4 * np.cos(1.0))
    assert_arrays(ag.grad(lambda u: pull(u * u))(3.0), 6 * np.cos(1.0))
