"""What transforms cost: runs of the function, passes, recorded operations; never a time."""

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import runs, transforms
from tests.test_transforms import (
    assert_arrays,
    rosenbrock,
    x3,
)


def operations(run):
    """How many results are computed: recorded ones take a number each."""
    before = ag.Variable(0.0).number
    run()
    return ag.Variable(0.0).number - before


@pytest.mark.parametrize("f", [rosenbrock, lambda x: np.sum(np.tanh(np.tanh(x) * 2.0)) ** 2])
def test_hvp_costs_a_small_multiple_of_a_gradient_whatever_the_dimension(f):
    counts = {}
    for n in (10, 10_000):
        x = np.linspace(0.0, 1.0, n)
        counts[n] = operations(lambda x=x: ag.grad(f)(x)), operations(lambda x=x: ag.hvp(f, x, x))
    assert counts[10] == counts[10_000]
    gradient, product = counts[10]
    # f is recorded once in both; the gradient, which takes about as many operations, once more
    assert gradient < product <= 2 * gradient + 1


def test_a_linear_sweep_records_cotangents_alone():
    """jvp differentiates uᵀ·J by u: operands come as arrays, and are not recorded with it."""
    seen = []

    def rule(g, z, x):
        seen.append((type(g), type(z), type(x)))
        return 2 * g * x

    square = ag.Primitive(lambda x: x * x, (rule,), "square")
    assert_arrays(ag.jvp(square, 3.0, 10.0), (9.0, 60.0))
    assert seen == [(ag.Variable, np.ndarray, np.ndarray)]


def test_jvp_costs_no_pass_per_dimension():
    small, large = (
        operations(lambda n=n: ag.jvp(np.tanh, np.ones(n), np.ones(n))) for n in (3, 3000)
    )
    assert small == large


def counting():
    """A square that notes each call of its function and of its rule."""
    calls = []

    def square(x):
        calls.append("function")
        return x * x

    def rule(g, z, x):
        calls.append("rule")
        return 2 * g * x

    return ag.Primitive(square, (rule,), "square"), calls


@pytest.fixture
def passes(monkeypatch):
    """A list with an entry for every backward pass of a transform, recorded or on arrays."""
    found = []
    original = transforms.pulled_back
    for room in (transforms, runs):
        monkeypatch.setattr(
            room, "pulled_back", lambda *a, **k: found.append(1) or original(*a, **k)
        )
    return found


@pytest.mark.parametrize("n", [1, 1000])
@pytest.mark.parametrize("transform", [ag.hvp, ag.jvp])
def test_hvp_and_jvp_run_the_function_once_and_take_two_passes(passes, transform, n):
    square, calls = counting()
    found = transform(lambda x: np.sum(square(x)), np.ones(n), np.full(n, 3.0))
    assert_arrays(found, np.full(n, 6.0) if transform is ag.hvp else (float(n), 6.0 * n))
    assert calls == ["function", "rule"]
    assert len(passes) == 2


def test_the_function_runs_once_however_often_its_derivatives_are_pulled():
    square, calls = counting()
    value, slope = ag.value_and_grad(square)(3.0)
    assert (value, slope) == (9, 6)
    assert calls == ["function", "rule"]
    calls.clear()
    value, pull = ag.vjp(square, 3.0)
    assert (value, pull(1.0), pull(10.0)) == (9, 6, 60)
    assert calls == ["function", "rule", "rule"]
    calls.clear()
    assert_arrays(ag.jacobian(square)(x3), np.diag(2 * x3))
    assert calls == ["function", "rule", "rule", "rule"]


def test_jacobian_takes_the_shorter_way(passes):
    ag.jacobian(lambda x: np.stack([np.sum(x), np.prod(x)]))(np.ones(50))
    assert len(passes) == 2
    passes.clear()
    ag.jacobian(lambda x: np.ones(50) * np.sum(x))(np.ones(2))
    assert len(passes) == 3  # one to make the linear map, one per column
    passes.clear()
    ag.jacobian(lambda x: np.sum(np.ones((60, 50)) * x, axis=0))(np.ones(50))
    assert len(passes) == 50


def test_nested_runs_look_at_their_recording_once_and_no_further(monkeypatch):
    """Not at the history of what is outside, however long, nor once per gradient."""
    w = ag.Variable(1.0)
    for _ in range(3000):
        w = w * 1.0
    looked = []
    original = ag.Variable._inputs

    class Spy:
        def __get__(self, v, kind=None):
            looked.append(v)
            return original.__get__(v, kind)

        def __set__(self, v, value):
            original.__set__(v, value)

    def f(*xs):
        total = sum(x * w for x in xs)
        for _ in range(10):
            total = total + total  # as many ways to the beginning as there are leaves in a tree
        return total

    run = runs.Run("grad", f, [1.0] * 40, {}, range(40))
    slopes = run.pulled(run.ones(), True)
    monkeypatch.setattr(ag.Variable, "_inputs", Spy())
    assert len(run.dependent(slopes)) > 40
    assert len(looked) < 400
    looked.clear()
    assert run.dependent(run.outputs) == run.outside
    assert len(looked) < 600
