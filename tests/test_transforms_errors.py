"""Transforms of what cannot be differentiated, or interrupted: an error, and nothing is left."""

import math

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import runs
from autograd_lite.tape import STATE
from tests.test_transforms import assert_arrays, assert_usable, cube, identity, x3

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
    "a masked argument": (
        lambda: ag.grad(lambda p: np.sum(p["a"]))({"a": np.ma.array([1.0, 2.0], mask=[0, 1])}),
        TypeError,
        "grad: argument 0['a'] is a MaskedArray, and its own arithmetic has no derivative here; "
        "pass a plain array: np.asarray(matrix), or masked.filled(value) with np.where",
    ),
    "a matrix, whose products are others": (
        lambda: ag.hessian(np.sum)(np.eye(2).view(np.matrix)),
        TypeError,
        "hessian: argument 0 is a matrix, and its own arithmetic has no derivative here",
    ),
    "a masked output": (
        lambda: ag.vjp(lambda x: np.ma.array([1.0, 2.0], mask=[0, 1]), 1.0),
        TypeError,
        "vjp: the function's output is a MaskedArray",
    ),
    "a masked direction": (
        lambda: ag.hvp(np.sum, np.ones(2), np.ma.array([1.0, 2.0], mask=[0, 1])),
        TypeError,
        "hvp: the direction is a MaskedArray",
    ),
    "a masked cotangent": (
        lambda: ag.vjp(identity, np.ones(2))[1](np.ma.array([1.0, 2.0], mask=[0, 1])),
        TypeError,
        "vjp: the cotangent is a MaskedArray",
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
