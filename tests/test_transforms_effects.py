"""What transforms give belongs to nobody else, and what they were given stays as it was."""

import gc
import weakref

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.nests import leaves
from tests.test_transforms import (
    W,
    assert_arrays,
    x3,
)


def each_transform(f, x):
    return [
        ag.grad(f)(x),
        ag.value_and_grad(f)(x),
        ag.elementwise_grad(f)(x),
        ag.vjp(f, x)[0],
        ag.vjp(f, x)[1](1.0),
        ag.jvp(f, x, x),
        ag.hvp(f, x, x),
        ag.jacobian(f)(x),
        ag.hessian(f)(x),
    ]


def test_gradients_of_others_are_left_alone():
    w, x = ag.Variable(2.0), ag.Variable(3.0)
    w.grad = 7.0
    each_transform(lambda a: w * a * a, 3.0)
    each_transform(lambda a: w * a * a, x)
    assert w.grad == 7
    assert x.grad is None


HELD = np.ones(3)
FORWARDED = {
    "itself": lambda x: x,
    "a constant": lambda x: HELD,
    "both twice": lambda x: [x, x, HELD, HELD],
    "a view": lambda x: x[::-1],
    "a sum": lambda x: [x + 1.0, (x + 1.0).T],
}


@pytest.mark.parametrize("f", FORWARDED.values(), ids=FORWARDED)
def test_results_are_writable_and_nobody_elses(f):
    x, v = x3.copy(), np.array([1.0, 10.0, 100.0])
    given = [x, v, HELD]
    before = [a.copy() for a in given]
    value, pull = ag.vjp(f, x)
    cotangent = [v] * len(value) if isinstance(value, list) else v
    results = [
        leaf
        for result in (
            value,
            pull(cotangent),
            pull(cotangent),
            ag.jvp(f, x, v),
            ag.jacobian(f)(x),
            ag.elementwise_grad(f, (0,))(x),
            ag.grad(lambda a, b: np.sum(a + b), (0, 1))(x, v),
            ag.grad(lambda a: np.sum(a[0]) + np.sum(a[1]))([x, x]),
            ag.hvp(lambda a: np.sum(a * a), x, v),
        )
        for _, leaf in leaves(result)
    ]
    for i, result in enumerate(results):
        assert type(result) is np.ndarray
        assert result.flags.writeable
        for other in (*results[:i], *given):
            assert not np.shares_memory(result, other)
        result[...] = np.nan
    for a, b in zip(given, before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.isfinite(np.sum([np.sum(leaf) for _, leaf in leaves(pull(cotangent))]))


def test_the_argument_may_change_after_vjp():
    x = x3.copy()
    _, pull = ag.vjp(np.square, x)
    x[...] = 0
    assert_arrays(pull(np.ones(3)), 2 * x3)


def test_runs_are_freed_without_the_cycle_collector():
    kept = []

    def f(x):
        kept.append(weakref.ref(x))
        kept.append(weakref.ref(y := x * x * W))
        return np.sum(y)

    gc.disable()
    try:
        each_transform(f, 3.0)
        each_transform(f, ag.Variable(3.0))
        assert len(kept) >= 36
        assert [r() for r in kept] == [None] * len(kept)
        # a recorded gradient of what is outside makes no cycle with what is inside
        slope = ag.grad(f)(3.0)
        slope.backward(create_graph=True)
        W.zero_grad()
        del slope
        assert [r() for r in kept] == [None] * len(kept)
    finally:
        gc.enable()
        W.zero_grad()


def test_a_function_that_reorders_its_caller_s_dict():
    given = {"a": 1.0, "b": 5.0}

    def f(p):
        given["a"] = given.pop("a")
        return p["a"] * p["b"] ** 2

    slope = ag.grad(f)(given)
    assert_arrays(slope["a"], 25.0)
    assert_arrays(slope["b"], 10.0)


def test_containers_that_change_between_vjp_and_pull():
    given, result = [1.0, 2.0], []

    def f(p):
        result[:] = [p[0] * p[1]]
        return result

    _, pull = ag.vjp(f, given)
    given.append(3.0)
    result.append(4.0)
    first, second = pull([1.0])
    assert_arrays(first, 2.0)
    assert_arrays(second, 1.0)
