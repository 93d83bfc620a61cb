"""Transforms against closed forms, each other, and whatever might confuse them.

Derivatives here are short products of NumPy's functions, so they are right to a few roundings:
1e-14 relative, unless a test says why not.
"""

from collections import namedtuple

import numpy as np
import pytest

import autograd_lite as ag
import nn
from autograd_lite import runs
from autograd_lite.nests import leaves
from autograd_lite.tape import STATE

Pair = namedtuple("Pair", "u v")
x3 = np.array([1.0, 2.0, 3.0])
W = ag.Variable(2.0)
ROUNDED = 1e-14


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def assert_arrays(actual, expected, relative=ROUNDED):
    """The same nest of plain arrays, of the same shapes and dtypes, and close."""
    assert [p for p, _ in leaves(actual)] == [p for p, _ in leaves(expected)]
    for (_, a), (_, e) in zip(leaves(actual), leaves(expected), strict=True):
        assert type(a) is np.ndarray
        assert (a.shape, a.dtype) == (np.shape(e), np.asarray(e).dtype)
        np.testing.assert_allclose(a, e, rtol=relative, atol=relative)


def identity(x):
    return x


def assert_usable(state):
    """Nothing is left behind: the state, the running functions, the tape."""
    assert STATE.get() is state
    assert not runs.RUNNING
    assert_arrays(ag.grad(lambda x: d(lambda y: x * y * y)(3.0))(1.0), 6.0)
    x = ag.Variable(2.0)
    (x * x).backward()
    assert_arrays(x.grad, 4.0)


def d(f):
    return ag.grad(f)


def is_variable(result):
    return [type(leaf) is ag.Variable for _, leaf in leaves(result)]


def cube(x):
    return np.sum(x**3)


KNOWN = {
    "grad": (lambda: ag.grad(cube)(x3), 3 * x3**2),
    "value_and_grad": (lambda: ag.value_and_grad(cube)(x3), (36.0, 3 * x3**2)),
    "elementwise_grad": (lambda: ag.elementwise_grad(np.sin)(x3), np.cos(x3)),
    "elementwise_grad, argnums": (
        lambda: ag.elementwise_grad(np.multiply, 1)(x3, np.ones(3)),
        x3,
    ),
    "vjp": (
        lambda: ag.vjp(np.cumsum, x3)[1](np.array([1.0, 10, 100])),
        np.array([111.0, 110, 100]),
    ),
    "vjp, value": (lambda: ag.vjp(np.cumsum, x3)[0], np.array([1.0, 3, 6])),
    "jvp": (
        lambda: ag.jvp(np.cumsum, x3, np.array([1.0, 10, 100])),
        (np.array([1.0, 3, 6]), np.array([1.0, 11, 111])),
    ),
    "hvp": (lambda: ag.hvp(cube, x3, np.array([1.0, 0, 2])), np.array([6.0, 0, 36])),
    "jacobian": (lambda: ag.jacobian(np.cumsum)(x3), np.tri(3)),
    "jacobian, tall": (
        lambda: ag.jacobian(lambda x: np.stack([x, x * x]))(2.0),
        np.array([1.0, 4]),
    ),
    "jacobian, wide": (lambda: ag.jacobian(np.sum)(x3), np.ones(3)),
    "hessian": (lambda: ag.hessian(cube)(x3), np.diag(6 * x3)),
    "of a matrix": (
        lambda: ag.jacobian(np.transpose)(np.ones((2, 3))),
        np.einsum("ik,jl->jikl", np.eye(2), np.eye(3)),
    ),
    "hessian of a matrix": (
        lambda: ag.hessian(lambda X: np.sum(X @ X))(np.ones((2, 2))),
        # ∂²ΣX² / ∂X[a,b]∂X[c,d] = [b=c] + [d=a]
        np.einsum("bc,ad->abcd", np.eye(2), np.ones((2, 2)))
        + np.einsum("da,bc->abcd", np.eye(2), np.ones((2, 2))),
    ),
    "several arguments": (lambda: ag.grad(lambda a, b: a * b, (0, 1))(2.0, 5.0), (5.0, 2.0)),
    "several, a list": (lambda: ag.grad(lambda a, b: a * b, [1, 0])(2.0, 5.0), (2.0, 5.0)),
    "one in a tuple": (lambda: ag.grad(lambda a, b: a * b, (1,))(2.0, 5.0), (2.0,)),
    "none": (lambda: ag.grad(lambda a: a, ())(2.0), ()),
    "jacobian of none": (lambda: ag.jacobian(lambda a: a, ())(2.0), ()),
    "counted from the end": (lambda: ag.grad(lambda a, b: a * b, -1)(2.0, 5.0), 2.0),
    "the first, from the end": (lambda: ag.grad(lambda a, b, c: a * b, -3)(2.0, 5.0, 1.0), 5.0),
    "argnums of NumPy's": (lambda: ag.grad(lambda a, b: a * b, np.int64(1))(2.0, 5.0), 2.0),
    "vjp, argnums": (
        lambda: ag.vjp(lambda a, b: a * b, 2.0, 5.0, argnums=(0, 1))[1](1.0),
        (5.0, 2.0),
    ),
    "jvp, argnums": (
        lambda: ag.jvp(lambda a, b: a * b, 2.0, 5.0, (1.0, 10.0), argnums=(0, 1)),
        (10.0, 25.0),
    ),
    "hvp, argnums": (
        lambda: ag.hvp(lambda a, b: a * b * b, 2.0, 5.0, (1.0, 10.0), argnums=(0, 1)),
        (100.0, 50.0),  # [[0, 2b], [2b, 2a]]·(1, 10)
    ),
    "hessian, argnums": (
        lambda: ag.hessian(lambda a, b: a * b * b, (0, 1))(2.0, 5.0),
        ((0.0, 10.0), (10.0, 4.0)),
    ),
    "hessian, from the end": (lambda: ag.hessian(lambda a, b: a * b * b, -1)(2.0, 5.0), 4.0),
    "keywords": (lambda: ag.grad(lambda x, *, k: k * x)(1.0, k=7.0), 7.0),
    "aux": (lambda: ag.grad(lambda x: (x * x, "text"), has_aux=True)(3.0)[0], 6.0),
    "a number of one entry": (
        lambda: ag.grad(lambda x: x * x)(np.array([[3.0]])),
        np.array([[6.0]]),
    ),
    "mixed dtypes": (
        lambda: ag.grad(lambda a, b: np.sum(a * b), (0, 1))(x3.astype("f4"), x3),
        (x3.astype("f4"), x3),
    ),
    "float32": (lambda: ag.hessian(cube)(x3.astype("f4")), np.diag(6 * x3.astype("f4"))),
    "a nest of dtypes": (
        lambda: ag.grad(lambda p: p["a"] * 2.0 + p["b"])({"a": np.float32(1), "b": np.float16(1)}),
        {"a": np.float32(2), "b": np.float16(1)},
    ),
    "jacobian's dtype is the argument's": (
        lambda: ag.jacobian(lambda x: x.astype(float) * 2)(x3.astype("f4")),
        2 * np.eye(3, dtype="f4"),
    ),
    "jacobian's dtype, tall": (
        lambda: ag.jacobian(lambda x: x * x3)(np.float32(2)),
        x3.astype("f4"),
    ),
    "jvp's dtypes are the outputs'": (
        lambda: ag.jvp(lambda x: (2 * x, x.astype(float)), x3.astype("f4"), x3),
        ((2 * x3.astype("f4"), x3), (2 * x3.astype("f4"), x3)),
    ),
    "vjp's dtype is the argument's": (
        lambda: ag.vjp(lambda x: x.astype(float), x3.astype("f4"))[1](x3),
        x3.astype("f4"),
    ),
    "empty": (lambda: ag.grad(np.sum)(np.zeros((0, 2))), np.zeros((0, 2))),
    "jacobian of empty": (lambda: ag.jacobian(np.exp)(np.zeros(0)), np.zeros((0, 0))),
    "jacobian of empty, wide": (
        lambda: ag.jacobian(lambda x: x3 * np.sum(x))(np.zeros(0)),
        np.zeros((3, 0)),
    ),
    "jacobian to empty": (lambda: ag.jacobian(lambda x: x[:0])(x3), np.zeros((0, 3))),
    "not contiguous": (lambda: ag.grad(cube)(np.arange(6.0)[::-2]), 3 * np.array([5.0, 3, 1]) ** 2),
    "a list is a nest": (lambda: ag.grad(lambda p: p[0] * p[1])([2.0, 5.0]), [5.0, 2.0]),
    "a named tuple": (
        lambda: ag.grad(lambda p, k: k * p.u * p.v**2)(Pair(3.0, 2.0), 1.0),
        Pair(4.0, 12.0),
    ),
    "deep": (
        lambda: ag.grad(lambda p: p["l"][0] * p["l"][1]["z"][0])(
            {"l": [2.0, {"z": (5.0,)}], "n": 1.0}
        ),
        {"l": [5.0, {"z": (2.0,)}], "n": 0.0},
    ),
    "outputs in a nest": (
        lambda: ag.jacobian(lambda x: {"s": x * x, "p": Pair(x, 1.0)})(3.0),
        {"s": 6.0, "p": Pair(1.0, 0.0)},
    ),
    "jacobian, nest of nests": (
        lambda: ag.jacobian(lambda p: (p["a"] * x3, p["b"]))({"a": 2.0, "b": np.ones(2)}),
        ({"a": x3, "b": np.zeros((3, 2))}, {"a": np.zeros(2), "b": np.eye(2)}),
    ),
    "jvp of nests": (
        lambda: ag.jvp(
            lambda p: [p["a"] * p["b"], p["a"]], {"a": 2.0, "b": 5.0}, {"b": 10.0, "a": 1}
        ),
        ([10.0, 2.0], [25.0, 1.0]),
    ),
    "vjp of nests": (
        lambda: ag.vjp(lambda p: {"s": p[0] + p[1], "m": p[0] * p[1]}, (2.0, 5.0))[1](
            {"m": 10.0, "s": 1.0}
        ),
        (51.0, 21.0),
    ),
    "a constant output": (lambda: ag.grad(lambda x: 3)(x3), np.zeros(3)),
    "a constant output, jvp": (
        lambda: ag.jvp(lambda x: [x3, 2.5], x3, x3),
        ([x3, 2.5], [0 * x3, 0.0]),
    ),
    "a constant output, hvp": (lambda: ag.hvp(lambda x: 3.0, x3, x3), np.zeros(3)),
    "a constant output, jacobian": (
        lambda: ag.jacobian(lambda x: np.ones(2))(x3),
        np.zeros((2, 3)),
    ),
    "an integer output": (lambda: ag.jvp(np.argmax, x3, x3), (np.int64(2), 0.0)),
    "an untracked output": (lambda: ag.value_and_grad(lambda x: x.detach() * 2)(3.0), (6.0, 0.0)),
    "the argument itself": (lambda: ag.jvp(lambda x: x, x3, 2 * x3), (x3, 2 * x3)),
    "the argument itself, vjp": (lambda: ag.vjp(lambda x: x, x3)[1](2 * x3), 2 * x3),
    "the argument twice": (lambda: ag.jvp(lambda x: (x, x), 2.0, 3.0), ((2.0, 2.0), (3.0, 3.0))),
    "the argument twice, vjp": (lambda: ag.vjp(lambda x: (x, x), x3)[1]((x3, 10 * x3)), 11 * x3),
    "the same result twice": (lambda: ag.vjp(lambda x: [x * x] * 2, 3.0)[1]([1.0, 10.0]), 66.0),
    "many uses": (lambda: ag.grad(lambda x: x * x * x + x - x / x)(2.0), 13.0),
    "an argument not used": (lambda: ag.grad(lambda a, b: b * b, (0, 1))(x3, 3.0), (0 * x3, 6.0)),
    "a linear function's hessian": (lambda: ag.hessian(np.sum)(x3), np.zeros((3, 3))),
    "third derivative of x²": (lambda: ag.grad(ag.grad(ag.grad(np.square)))(3.0), 0.0),
    "fifth derivative of x²": (
        lambda: ag.grad(ag.grad(ag.grad(ag.grad(ag.grad(lambda x: x * x)))))(3.0),
        0.0,
    ),
    "a method": (lambda: ag.grad(ag.Variable.sum)(x3), np.ones(3)),
}


@pytest.mark.parametrize(("run", "expected"), KNOWN.values(), ids=KNOWN)
def test_known_answer(run, expected):
    assert_arrays(run(), expected)


def test_auxiliary():
    mask = np.array([True, False])
    flag = object()

    def f(x):
        return np.sum(x * x), {
            "twice": 2 * x,
            "above": x > 1,
            "other": [flag, None, "t", 3],
            "m": mask,
        }

    for result in (
        ag.grad(f, has_aux=True)(x3)[1],
        ag.value_and_grad(f, has_aux=True)(x3)[0][1],
        ag.vjp(f, x3, has_aux=True)[2],
        ag.jacobian(f, has_aux=True)(x3)[1],
        ag.elementwise_grad(f, has_aux=True)(x3)[1],
        ag.jvp(f, x3, x3, has_aux=True)[2],
        ag.hvp(f, x3, x3, has_aux=True)[1],
        ag.hessian(f, has_aux=True)(x3)[1],
    ):
        assert_arrays(result["twice"], 2 * x3)
        assert_arrays(result["above"], x3 > 1)
        assert result["other"] == [flag, None, "t", 3]
        assert result["m"] is mask
    value, pull, _ = ag.vjp(f, x3, has_aux=True)
    assert_arrays((value, pull(1.0)), (14.0, 2 * x3))
    (value, _), slope = ag.value_and_grad(f, has_aux=True)(x3)
    assert_arrays((value, slope), (14.0, 2 * x3))
    assert_arrays(ag.jacobian(f, has_aux=True)(x3)[0], 2 * x3)
    assert_arrays(ag.elementwise_grad(f, has_aux=True)(x3)[0], 2 * x3)
    assert_arrays(ag.jvp(f, x3, x3, has_aux=True)[:2], (14.0, 28.0))
    assert_arrays(ag.hvp(f, x3, x3, has_aux=True)[0], 2 * x3)
    assert_arrays(ag.hessian(f, has_aux=True)(x3)[0], 2 * np.eye(3))


def scaled_cube(x, /, *, function, k):
    """Its first keyword is what the transforms call their own first argument."""
    return k * function(x**3)


def test_keywords_are_the_functions_own():
    keywords = {"function": np.sum, "k": 2.0}
    slope, v = 6 * x3**2, np.array([1.0, 0, 2])
    assert_arrays(ag.grad(scaled_cube)(x3, **keywords), slope)
    assert_arrays(ag.value_and_grad(scaled_cube)(x3, **keywords), (72.0, slope))
    assert_arrays(ag.elementwise_grad(scaled_cube)(x3, **keywords), slope)
    assert_arrays(ag.jacobian(scaled_cube)(x3, **keywords), slope)
    assert_arrays(ag.hessian(scaled_cube)(x3, **keywords), np.diag(12 * x3))
    value, pull = ag.vjp(scaled_cube, x3, **keywords)
    assert_arrays((value, pull(1.0)), (72.0, slope))
    assert_arrays(ag.jvp(scaled_cube, x3, v, **keywords), (72.0, slope @ v))
    assert_arrays(ag.hvp(scaled_cube, x3, v, **keywords), 12 * x3 * v)


def test_keys_of_a_dict_that_print_alike():
    """Variables of one value do: each has its own direction, cotangent and derivative."""
    a, b = ag.Variable(0.0), ag.Variable(0.0)

    def f(p):
        return {a: p[a] * p[b], b: p[b]}

    at = {a: 2.0, b: 3.0}
    _, change = ag.jvp(f, at, {b: 10.0, a: 1.0})
    assert (change[a], change[b]) == (3 * 1 + 2 * 10, 10)
    found = ag.vjp(f, at)[1]({b: 100.0, a: 1.0})
    assert (found[a], found[b]) == (3, 2 + 100)


def test_names_and_docstrings():
    assert ag.grad(np.tanh).__name__ == "grad(tanh)"
    assert ag.hessian(ag.value_and_grad).__doc__ == "The `hessian` of `value_and_grad`."
    assert ag.grad(nn.FullyConnected(1, 1)).__name__ == "grad(FullyConnected)"
