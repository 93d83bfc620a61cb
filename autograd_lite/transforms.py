"""Transforms: functions of functions that differentiate them, to any order.

Each runs a function of arrays, or of nested lists, tuples and dicts of arrays, on Variables of its
own. What comes out are arrays; but Variables where the result depends on a tracked Variable that
the transform did not make, such as that of another transform around it. So transforms nest, and
each differentiates with respect to its own Variables alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd_lite.backward import pulled_back
from autograd_lite.nests import rebuilt
from autograd_lite.runs import ArgNums, Function, Run, cotangent_dtype, require_callable
from autograd_lite.variable import Variable


def _named(transform: str, function: Any, wrapper: Function) -> Function:
    """Give the function that a transform returns a name and a docstring of its own."""
    require_callable(transform, function)
    name = getattr(function, "__name__", type(function).__name__)
    wrapper.__name__ = wrapper.__qualname__ = f"{transform}({name})"
    wrapper.__doc__ = f"The `{transform}` of `{name}`."
    return wrapper


def grad(function: Function, argnums: ArgNums = 0, *, has_aux: bool = False) -> Function:
    """The gradient of a function that returns one number: `grad(f)(x)` is ∂f/∂x.

    It has the nesting, shapes and dtypes of the arguments that `argnums` selects: of one argument
    for a number, a tuple for several. With `has_aux=True` the function returns (output, auxiliary)
    and the result is (gradient, auxiliary). An output that does not depend on an argument has the
    gradient zero. Raises TypeError for an argument that is not floating point, ValueError for an
    output that is not one number.

    >>> import numpy as np, autograd_lite as ag
    >>> ag.grad(np.tanh)(0.0)
    array(1.)
    >>> ag.grad(ag.grad(ag.grad(np.tanh)))(0.0)
    array(-2.)
    >>> ag.grad(lambda p, x: p["a"] * x + p["b"])({"a": 2.0, "b": 1.0}, 3.0)
    {'a': array(3.), 'b': array(1.)}
    """
    return _named("grad", function, _gradient("grad", function, argnums, has_aux))


def _gradient(asked: str, function: Function, argnums: ArgNums, has_aux: bool = False) -> Function:
    def gradient(*args: Any, **kwargs: Any) -> Any:
        run = Run(asked, function, args, kwargs, argnums, has_aux)
        run.require_one_number()
        with run:
            slope = run.gradient(run.ones())
        return (slope, run.auxiliary()) if has_aux else slope

    return gradient


def value_and_grad(function: Function, argnums: ArgNums = 0, *, has_aux: bool = False) -> Function:
    """The value and the gradient of a function that returns one number, in one pass; see `grad`.

    With `has_aux=True` the result is ((value, auxiliary), gradient).

    >>> import numpy as np, autograd_lite as ag
    >>> ag.value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    (array(5.), array([2., 4.]))
    """

    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        run = Run("value_and_grad", function, args, kwargs, argnums, has_aux)
        run.require_one_number()
        with run:
            slope = run.gradient(run.ones())
        value = run.value()
        return ((value, run.auxiliary()) if has_aux else value), slope

    return _named("value_and_grad", function, value_and_gradient)


def elementwise_grad(
    function: Function, argnums: ArgNums = 0, *, has_aux: bool = False
) -> Function:
    """The derivative of a function that works on each element alone: f′(x), of the shape of x.

    It is the gradient of the sum of all outputs: of another function, the Jacobian summed over
    them. `has_aux` as in `grad`.

    >>> import numpy as np, autograd_lite as ag
    >>> ag.elementwise_grad(np.square)(np.array([1.0, 2.0, 3.0]))
    array([2., 4., 6.])
    """

    def derivative(*args: Any, **kwargs: Any) -> Any:
        run = Run("elementwise_grad", function, args, kwargs, argnums, has_aux)
        with run:
            slope = run.gradient(run.ones())
        return (slope, run.auxiliary()) if has_aux else slope

    return _named("elementwise_grad", function, derivative)


def vjp(
    function: Function, /, *args: Any, argnums: ArgNums = 0, has_aux: bool = False, **kwargs: Any
) -> tuple[Any, ...]:
    """The value f(x), and the function u ↦ uᵀ·J that pulls a cotangent of the output back to x.

    `vjp(f, x)` runs f once; the function it returns costs a backward pass per call. u has the
    nesting and shapes of the output, the result those of the argument that `argnums` selects.
    With `has_aux=True` a third result is what f returned beside its output. Other keywords are
    f's own.

    >>> import numpy as np, autograd_lite as ag
    >>> y, pull = ag.vjp(np.square, np.array([1.0, 2.0]))
    >>> y, pull(np.array([1.0, 10.0]))
    (array([1., 4.]), array([ 2., 40.]))
    """
    run = Run("vjp", function, args, kwargs, argnums, has_aux)

    def pull(cotangent: Any) -> Any:
        """The cotangent of the argument for one of the output."""
        with run:
            return run.gradient(run.matching("cotangent", cotangent, run.result, run.outputs))

    value = run.value()
    return (value, pull, run.auxiliary()) if has_aux else (value, pull)


def jvp(
    function: Function, /, *args: Any, argnums: ArgNums = 0, has_aux: bool = False, **kwargs: Any
) -> tuple[Any, ...]:
    """The value f(x), and J·v: how it changes along a direction v of the argument.

    `jvp(f, x, v)`, with f's further arguments before v; v has the nesting and shapes of what
    `argnums` selects. With `has_aux=True` a third result is what f returned beside its output;
    other keywords are f's own. It costs a small multiple of f: uᵀ·J is linear in u, and is
    differentiated with respect to u (J. Townsend, "A new trick for calculating Jacobian vector
    products", 2017).

    >>> import numpy as np, autograd_lite as ag
    >>> ag.jvp(lambda x: np.array([2.0, 3.0]) * x, 1.0, 10.0)
    (array([2., 3.]), array([20., 30.]))
    """
    run, v = _directed("jvp", function, args, kwargs, argnums, has_aux)
    with run:
        u, rows = run.linear()
        create_graph = run.nested or bool(run.dependent(v))
        found = pulled_back(list(zip(rows, v, strict=True)), u, create_graph)
        value, change = run.value(), run.handed_out(run.result, found)
    return (value, change, run.auxiliary()) if has_aux else (value, change)


def hvp(
    function: Function, /, *args: Any, argnums: ArgNums = 0, has_aux: bool = False, **kwargs: Any
) -> Any:
    """H·v, the Hessian of a function that returns one number, times a direction v.

    `hvp(f, x, v)`, with f's further arguments before v; both have the nesting and shapes of what
    `argnums` selects. `has_aux` as in `grad`; other keywords are f's own. It costs a small multiple
    of a gradient, whatever the dimension, for it is the derivative of ∇f·v (B. Pearlmutter, "Fast
    exact multiplication by the Hessian", 1994).

    >>> import numpy as np, autograd_lite as ag
    >>> ag.hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    run, v = _directed("hvp", function, args, kwargs, argnums, has_aux)
    run.require_one_number()
    with run:
        slopes = run.pulled(run.ones(), create_graph=True)
        create_graph = run.nested or bool(run.dependent(v))
        found = pulled_back(list(zip(slopes, v, strict=True)), run.inputs, create_graph)
        product = run.handed_out(run.chosen, found)
    return (product, run.auxiliary()) if has_aux else product


def _directed(
    asked: str,
    function: Function,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    argnums: ArgNums,
    has_aux: bool,
) -> tuple[Run, list[Any]]:
    """The run of a function, and the leaves of the direction, which comes last."""
    if len(args) < 2:
        raise TypeError(
            f"{asked}: it takes the function, its arguments, and a direction: {asked}(f, x, v)"
        )
    *arguments, direction = args
    run = Run(asked, function, arguments, kwargs, argnums, has_aux)
    return run, run.matching("direction", direction, run.chosen, run.inputs)


def jacobian(function: Function, argnums: ArgNums = 0, *, has_aux: bool = False) -> Function:
    """All partial derivatives: `jacobian(f)(x)[i, j]` is ∂f(x)[i] / ∂x[j].

    Its shape is that of the output followed by that of the argument. For nests of them it is a nest
    like the output, of nests like what `argnums` selects. `has_aux` as in `grad`. It costs one
    backward pass per entry of the output or of the argument, whichever has fewer.

    >>> import numpy as np, autograd_lite as ag
    >>> ag.jacobian(np.cumprod)(np.array([2.0, 3.0]))
    array([[1., 0.],
           [3., 2.]])
    """
    return _named("jacobian", function, _jacobian("jacobian", function, argnums, has_aux))


def _jacobian(asked: str, function: Function, argnums: ArgNums, has_aux: bool = False) -> Function:
    def matrix(*args: Any, **kwargs: Any) -> Any:
        run = Run(asked, function, args, kwargs, argnums, has_aux)
        wide = sum(map(np.size, run.outputs)) <= sum(map(np.size, run.inputs))
        with run:
            blocks = (_by_rows if wide else _by_columns)(run)
            whole = rebuilt(run.result, [run.handed_out(run.chosen, row) for row in blocks])
        return (whole, run.auxiliary()) if has_aux else whole

    return matrix


def hessian(function: Function, argnums: ArgNums = 0, *, has_aux: bool = False) -> Function:
    """All second derivatives of a function that returns one number.

    `hessian(f)(x)[i, j]` is ∂²f / ∂x[i]∂x[j]: the Jacobian of the gradient. Its shape is that of
    the argument twice; for nests, a nest of nests. `has_aux` as in `grad`. See `hvp` for its
    product with a direction.

    >>> import numpy as np, autograd_lite as ag
    >>> ag.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    gradient = _gradient("hessian", function, argnums, has_aux)
    return _named("hessian", function, _jacobian("hessian", gradient, argnums, has_aux))


def _by_rows(run: Run) -> list[list[Any]]:
    """The blocks of a Jacobian, [output][input], a backward pass per entry of the outputs."""
    blocks = []
    for i, output in enumerate(run.outputs):
        cotangents: list[Any] = [None] * len(run.outputs)
        rows = []
        for cotangents[i] in _units(np.shape(output), cotangent_dtype(output)):
            rows.append(run.pulled(cotangents, run.nested))
        blocks.append(
            [_stacked([row[j] for row in rows], 0, output, x) for j, x in enumerate(run.inputs)]
        )
    return blocks


def _by_columns(run: Run) -> list[list[Any]]:
    """The same, a backward pass through uᵀ·J per entry of the inputs."""
    u, slopes = run.linear()
    blocks: list[list[Any]] = [[] for _ in run.outputs]
    for x, slope in zip(run.inputs, slopes, strict=True):
        columns = [pulled_back([(slope, v)], u, run.nested) for v in _units(x.shape, x.dtype)]
        for i, output in enumerate(run.outputs):
            blocks[i].append(_stacked([column[i] for column in columns], -1, output, x))
    return blocks


def _units(shape: tuple[int, ...], dtype: Any) -> Iterator[Any]:
    """Every array of this shape that is 1 in one place and 0 elsewhere."""
    for place in np.ndindex(shape):
        unit = np.zeros(shape, dtype)
        unit[place] = 1
        yield unit


def _stacked(parts: list[Any], axis: int, output: Any, x: Variable) -> Any:
    """Rows or columns as one block, of the output's shape followed by the input's."""
    shape = (*np.shape(output), *x.shape)
    if not parts:
        return np.zeros(shape, x.dtype)
    return np.stack(parts, axis).reshape(shape).astype(x.dtype)
