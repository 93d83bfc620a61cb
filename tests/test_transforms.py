"""Transforms against closed forms, each other, and whatever might confuse them.

Derivatives here are short products of NumPy's functions, so they are right to a few roundings:
1e-14 relative, unless a test says why not.
"""

import gc
import math
import weakref
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


def d(f):
    return ag.grad(f)


def is_variable(result):
    return [type(leaf) is ag.Variable for _, leaf in leaves(result)]


# --- what each gives ------------------------------------------------------------------------------


def cube(x):
    return np.sum(x**3)


KNOWN = {
    "grad": (lambda: ag.grad(cube)(x3), 3 * x3**2),
    "value_and_grad": (lambda: ag.value_and_grad(cube)(x3), (36.0, 3 * x3**2)),
    "elementwise_grad": (lambda: ag.elementwise_grad(np.sin)(x3), np.cos(x3)),
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


def test_names_and_docstrings():
    assert ag.grad(np.tanh).__name__ == "grad(tanh)"
    assert ag.hessian(ag.value_and_grad).__doc__ == "The `hessian` of `value_and_grad`."
    assert ag.grad(nn.FullyConnected(1, 1)).__name__ == "grad(FullyConnected)"


# --- errors ---------------------------------------------------------------------------------------


def identity(x):
    return x


ERRORS = {
    "no function": (
        lambda: ag.grad(3),
        TypeError,
        "grad: it takes a function, this is an int 3",
    ),
    "no function, at once": (
        lambda: ag.hessian(ag.Variable(x3)),
        TypeError,
        "hessian: it takes a function, this is a float64 array of shape (3,)",
    ),
    "no function, vjp": (lambda: ag.vjp(1.0, 2.0), TypeError, "vjp: it takes a function, this is"),
    "an integer": (
        lambda: ag.grad(identity)(3),
        TypeError,
        "grad: argument 0 is an int 3, and only floating point can be differentiated; write 3.0 "
        "for 3, convert with .astype(float), or leave it out of argnums",
    ),
    "an integer in a nest": (
        lambda: ag.grad(lambda a, p: a, 1)(1.0, {"W": [1.0, {"n": np.arange(2)}]}),
        TypeError,
        "grad: argument 1['W'][1]['n'] is an int64 array of shape (2,), and only floating point",
    ),
    "a text": (
        lambda: ag.jacobian(identity)("ab"),
        TypeError,
        "jacobian: argument 0 is a str 'ab'",
    ),
    "nothing": (
        lambda: ag.grad(identity)([None]),
        TypeError,
        "grad: argument 0[0] is None",
    ),
    "complex": (
        lambda: ag.grad(identity)(1j),
        TypeError,
        "grad: argument 0 is a complex 1j, and only",
    ),
    "an untracked integer": (
        lambda: ag.grad(identity)(ag.Variable([1], requires_grad=False)),
        TypeError,
        "grad: argument 0 is an int64 array of shape (1,)",
    ),
    "hessian says its name": (
        lambda: ag.hessian(identity)(3),
        TypeError,
        "hessian: argument 0 is an int 3",
    ),
    "hessian of several": (
        lambda: ag.hessian(identity)(x3),
        ValueError,
        "hessian: the function must return one number, it returned a float64 array of shape (3,)",
    ),
    "argnums beyond": (
        lambda: ag.grad(identity, 1)(1.0),
        ValueError,
        "grad: argnums=1 asks for argument 1, and the function was called with 1 by position; pass "
        "by position what is differentiated",
    ),
    "argnums before": (
        lambda: ag.grad(identity, (0, -2))(1.0),
        ValueError,
        "argnums=(0, -2) asks for argument -2",
    ),
    "by keyword": (
        lambda: ag.grad(identity)(x=1.0),
        ValueError,
        "grad: argnums=0 asks for argument 0",
    ),
    "argnums twice": (
        lambda: ag.grad(lambda a, b: a, (1, -1))(1.0, 2.0),
        ValueError,
        "grad: argnums=(1, -1) names an argument twice",
    ),
    "argnums of no kind": (
        lambda: ag.grad(identity, "x")(1.0),
        TypeError,
        "grad: argnums='x' must be the position of an argument, or a tuple of them",
    ),
    "argnums a fraction": (
        lambda: ag.grad(identity, 0.0)(1.0),
        TypeError,
        "argnums=0.0 must be the position",
    ),
    "argnums True": (
        lambda: ag.grad(identity, True)(1.0),
        TypeError,
        "argnums=True must be the position",
    ),
    "argnums None": (
        lambda: ag.grad(identity, None)(1.0),
        TypeError,
        "argnums=None must be the position",
    ),
    "several numbers": (
        lambda: ag.grad(identity)(x3),
        ValueError,
        "grad: the function must return one number, it returned a float64 array of shape (3,); "
        "reduce it with np.sum, return more with has_aux=True, or take ag.jacobian or "
        "ag.elementwise_grad",
    ),
    "a list of one": (
        lambda: ag.value_and_grad(lambda x: [x])(1.0),
        ValueError,
        "value_and_grad: the function must return one number, it returned a list",
    ),
    "no numbers": (
        lambda: ag.hvp(lambda x: x[:0], x3, x3),
        ValueError,
        "hvp: the function must return one number, it returned a float64 array of shape (0,)",
    ),
    "no output": (
        lambda: ag.grad(lambda x: None)(1.0),
        TypeError,
        "grad: the function's output is None, not a number or an array of numbers",
    ),
    "an output in a nest": (
        lambda: ag.jvp(lambda x: {"a": [x, "t"]}, 1.0, 1.0),
        TypeError,
        "jvp: the function's output['a'][1] is a str 't', not a number",
    ),
    "a complex output": (
        lambda: ag.jacobian(lambda x: np.array([1j]))(1.0),
        TypeError,
        "jacobian: the function's output is a complex128 array of shape (1,)",
    ),
    "no aux": (
        lambda: ag.grad(identity, has_aux=True)(1.0),
        TypeError,
        "grad: with has_aux=True the function returns (output, auxiliary), this one returned a "
        "float64 scalar",
    ),
    "no direction": (
        lambda: ag.jvp(identity, 1.0),
        TypeError,
        "jvp: it takes the function, its arguments, and a direction: jvp(f, x, v)",
    ),
    "a direction of another shape": (
        lambda: ag.jvp(identity, x3, np.ones(2)),
        ValueError,
        "jvp: the direction is a float64 array of shape (2,), it must be real and of shape (3,)",
    ),
    "a direction of one number": (lambda: ag.hvp(np.sum, x3, 1.0), ValueError, "of shape (3,)"),
    "a complex direction": (
        lambda: ag.jvp(lambda p: p["a"], {"a": 1.0}, {"a": 1j}),
        ValueError,
        "jvp: the direction['a'] is a complex 1j, it must be real and of shape ()",
    ),
    "a direction of another nesting": (
        lambda: ag.hvp(lambda p: p["a"], {"a": 1.0, "b": 2.0}, {"a": 1.0}),
        ValueError,
        "hvp: the direction must be nested as arrays at ['a'], ['b'], it is nested as arrays at "
        "['a']",
    ),
    "a list for an array": (
        lambda: ag.jvp(identity, x3, [1.0, 2.0, 3.0]),
        ValueError,
        "jvp: the direction must be nested as one array, it is nested as arrays at [0], [1], [2]",
    ),
    "a cotangent of another shape": (
        lambda: ag.vjp(identity, x3)[1](np.ones((1, 3))),
        ValueError,
        "vjp: the cotangent is a float64 array of shape (1, 3), it must be real and of shape (3,)",
    ),
    "a cotangent of another nesting": (
        lambda: ag.vjp(lambda x: (), 1.0)[1](1.0),
        ValueError,
        "vjp: the cotangent must be nested as arrays at no place, it is nested as one array",
    ),
    "inside the function": (
        lambda: ag.grad(lambda x: x @ np.ones(2))(x3),
        ValueError,
        "matmul: shapes",
    ),
    "off the tape": (lambda: ag.grad(math.sin)(1.0), TypeError, "argument #"),
}


@pytest.mark.parametrize(("run", "kind", "message"), ERRORS.values(), ids=ERRORS)
def test_error(run, kind, message):
    state = STATE.get()
    with pytest.raises(kind) as caught:
        run()
    assert message in str(caught.value)
    assert_usable(state)


def assert_usable(state):
    """Nothing is left behind: the state, the running functions, the tape."""
    assert STATE.get() is state
    assert not runs.RUNNING
    assert_arrays(ag.grad(lambda x: d(lambda y: x * y * y)(3.0))(1.0), 6.0)
    x = ag.Variable(2.0)
    (x * x).backward()
    assert_arrays(x.grad, 4.0)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ZeroDivisionError, SystemExit])
@pytest.mark.parametrize("outer", [lambda run: run, ag.no_grad()])
def test_interrupted(kind, outer):
    def stop(x):
        with ag.scope("deep"):
            ag.grad(lambda y: raised())(x)

    def raised():
        assert len(runs.RUNNING) == 3  # hessian has two runs of its own
        raise kind

    state = STATE.get()
    with pytest.raises(kind):
        outer(ag.hessian(stop))(1.0)
    assert_usable(state)


def test_functions_run_with_recording_on():
    with ag.no_grad():
        assert_arrays(ag.grad(np.square)(3.0), 6.0)
        assert_arrays(ag.hvp(cube, x3, x3), 6 * x3**2)
        assert_arrays(ag.hessian(cube)(ag.Variable(x3)), np.diag(6 * x3))
        assert STATE.get()[0] is False


# --- no side effects ------------------------------------------------------------------------------


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


# --- containers of the caller -----------------------------------------------------------------


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
