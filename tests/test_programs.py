"""Random broadcasting, indices and programs, against NumPy and a naive engine of another kind."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd_lite as ag

# --- broadcasting --------------------------------------------------------------------------------


def one_by_one(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The cotangent of an operand that was broadcast: each entry's copies found and added."""
    owner = np.broadcast_to(np.arange(math.prod(shape)).reshape(shape), g.shape)
    total = np.zeros(math.prod(shape))
    for k, value in zip(owner.ravel(), g.ravel(), strict=True):
        total[k] += value
    return total.reshape(shape)


@given(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=4, min_side=0, max_side=3))
def test_cotangents_of_broadcast_operands(shapes):
    rng = np.random.default_rng(0)
    xs = [ag.Variable(rng.normal(size=shape)) for shape in shapes.input_shapes]
    a, b, c = xs
    z = a * b + c
    g = rng.normal(size=shapes.result_shape)
    assert z.shape == shapes.result_shape
    grads = ag.gradients(z, xs, g)
    expected = [g * b.data, g * a.data, g]
    for x, grad, full in zip(xs, grads, expected, strict=True):
        assert grad.shape == x.shape
        full = np.broadcast_to(full, shapes.result_shape)
        np.testing.assert_allclose(grad, one_by_one(full, x.shape), rtol=1e-12, atol=1e-13)


@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
def test_broadcast_to_any_shape(shapes):
    source, result = shapes.input_shapes[0], shapes.result_shape
    x = ag.Variable(np.ones(source))
    g = np.random.default_rng(0).normal(size=result)
    to_x = ag.gradients(np.broadcast_to(x, result), x, g)
    np.testing.assert_allclose(to_x, one_by_one(g, source), rtol=1e-12, atol=1e-13)


@given(
    hnp.mutually_broadcastable_shapes(
        signature=np.matmul.signature, max_dims=2, max_side=3, min_side=0
    )
)
def test_matmul_of_every_shape(shapes):
    """δX = δZ·Yᵀ and δY = Xᵀ·δZ, read off Σ G·(X·Y) by einsum."""
    rng = np.random.default_rng(0)
    x, y = (ag.Variable(rng.normal(size=shape)) for shape in shapes.input_shapes)
    z = x @ y
    g = rng.normal(size=z.shape)
    actual = ag.gradients(z, [x, y], g)
    # with a vector on either side read as a matrix of one row or column
    left = x.data[None] if x.ndim == 1 else x.data
    right = y.data[:, None] if y.ndim == 1 else y.data
    grid = g[..., None] if y.ndim == 1 else g
    grid = grid[..., None, :] if x.ndim == 1 else grid
    full_left = np.einsum("...ik,...jk->...ij", grid, right)
    full_right = np.einsum("...ki,...kj->...ij", left, grid)
    for grad, full, operand, matrix in zip(
        actual, (full_left, full_right), (x, y), (left, right), strict=True
    ):
        expected = one_by_one(full, matrix.shape).reshape(operand.shape)
        np.testing.assert_allclose(grad, expected, rtol=1e-12, atol=1e-13)


# --- indices -------------------------------------------------------------------------------------

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


def indices_of(shape):
    """Every kind of index that NumPy takes for this shape: basic, integer arrays, masks, mixed."""
    basic = hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True)
    integers = hnp.integer_array_indices(shape)
    masks = hnp.arrays(bool, shape)
    first = st.lists(st.integers(-shape[0], shape[0] - 1), min_size=1, max_size=4)
    with_slice = st.tuples(st.just(Ellipsis), st.integers(-shape[-1], shape[-1] - 1))
    return st.one_of(basic, integers, masks, first, with_slice)


def entries_read(shape, index) -> np.ndarray:
    """The flat position of every entry that x[index] reads."""
    return np.arange(math.prod(shape)).reshape(shape)[index]


@given(SHAPES.flatmap(lambda shape: st.tuples(st.just(shape), indices_of(shape))))
def test_reading_by_any_index(shape_and_index):
    shape, index = shape_and_index
    rng = np.random.default_rng(0)
    x = ag.Variable(rng.normal(size=shape))
    z = x[index]
    assert np.array_equal(z.data, x.data[index])
    g = rng.normal(size=z.shape)
    expected = np.zeros(x.size)
    for position, value in zip(entries_read(shape, index).ravel(), g.ravel(), strict=True):
        expected[position] += value
    np.testing.assert_allclose(
        ag.gradients(z, x, g), expected.reshape(shape), rtol=1e-12, atol=1e-13
    )
    # and once more, recorded: the gradient of ⟨gradient(g), u⟩ in g reads u by the same index
    cotangent, u = ag.Variable(g), rng.normal(size=shape)
    slope = ag.gradients(z, x, cotangent, create_graph=True)
    assert np.array_equal(ag.gradients(slope, cotangent, u), u[index])


@given(SHAPES.flatmap(lambda shape: st.tuples(st.just(shape), indices_of(shape))))
def test_writing_by_any_index(shape_and_index):
    shape, index = shape_and_index
    rng = np.random.default_rng(0)
    x = ag.Variable(rng.normal(size=shape))
    value = ag.Variable(rng.normal(size=entries_read(shape, index).shape))
    z = ag.put(x, index, value)
    expected = x.data.copy()
    expected[index] = value.data
    assert np.array_equal(z.data, expected)

    g = rng.normal(size=shape)
    to_x, to_value = ag.gradients(z, [x, value], g)
    # who wrote last: −1 where x shows through
    writer = np.full(x.size, -1)
    for k, position in enumerate(entries_read(shape, index).ravel()):
        writer[position] = k
    expected_value = np.zeros(value.size)
    for position, k in enumerate(writer):
        if k >= 0:
            expected_value[k] = g.ravel()[position]
    assert np.array_equal(to_x, np.where(writer.reshape(shape) < 0, g, 0))
    assert np.array_equal(to_value, expected_value.reshape(value.shape))


# --- programs ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dual:
    """A number and its derivative along one direction: forward mode, scalar by scalar.

    Both may be Dual again, for the second order.
    """

    value: object
    slope: object

    def __add__(self, other):
        other = dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other):
        other = dual(other)
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    def __neg__(self):
        return Dual(-self.value, -self.slope)

    def __sub__(self, other):
        return self + -dual(other)

    def __truediv__(self, other):
        other = dual(other)
        quotient = self.value / other.value
        return Dual(quotient, (self.slope - quotient * other.slope) / other.value)

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return dual(other) - self

    def __rtruediv__(self, other):
        return dual(other) / self


def dual(x):
    return x if isinstance(x, Dual) else Dual(x, 0.0)


def lifted(function, slope):
    """A function of one number for floats and, by the chain rule, for Duals of any depth."""

    def lift(x):
        if isinstance(x, Dual):
            return Dual(lift(x.value), slope(x.value) * x.slope)
        return function(x)

    return lift


sin = lifted(math.sin, lambda x: cos(x))
cos = lifted(math.cos, lambda x: -sin(x))
tanh = lifted(math.tanh, lambda x: 1.0 - tanh(x) * tanh(x))
exp = lifted(math.exp, lambda x: exp(x))
root = lifted(math.sqrt, lambda x: 0.5 / root(x))


def plain(x) -> float:
    return plain(x.value) if isinstance(x, Dual) else x


# name: (number of operands, on Variables, on numbers); bounded, so that programs stay small
STEPS = {
    "add": (2, lambda x, y: x + y, lambda x, y: x + y),
    "subtract": (2, lambda x, y: x - y, lambda x, y: x - y),
    "multiply": (2, lambda x, y: np.sin(x) * y, lambda x, y: sin(x) * y),
    "divide": (2, lambda x, y: x / (np.square(y) + 1.0), lambda x, y: x / (y * y + 1.0)),
    "sin": (1, np.sin, sin),
    "cos": (1, np.cos, cos),
    "tanh": (1, np.tanh, tanh),
    "exp of tanh": (1, lambda x: np.exp(np.tanh(x)), lambda x: exp(tanh(x))),
    "root": (1, lambda x: np.sqrt(np.square(x) + 1.0), lambda x: root(x * x + 1.0)),
    "power": (1, lambda x: np.tanh(x) ** 3, lambda x: tanh(x) * tanh(x) * tanh(x)),
    "maximum": (
        2,
        lambda x, y: np.maximum(x, y + 0.1),
        lambda x, y: x if plain(x) > plain(y + 0.1) else y + 0.1,
    ),
    "absolute": (
        1,
        lambda x: np.abs(x + 0.1),
        lambda x: x + 0.1 if plain(x + 0.1) > 0 else -(x + 0.1),
    ),
    "where": (
        2,
        lambda x, y: np.where(x > 0.2, x, y),
        lambda x, y: x if plain(x) > 0.2 else y,
    ),
}

PROGRAMS = st.lists(
    st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 30), st.integers(0, 30)),
    min_size=1,
    max_size=12,
)
INPUTS = st.lists(st.floats(-1.5, 1.5, width=16), min_size=3, max_size=3)


def run(program, inputs, on_numbers):
    """Each step takes earlier results, told by number; the last one is the result."""
    values = list(inputs)
    for name, first, second in program:
        count, *functions = STEPS[name]
        operands = [values[k % len(values)] for k in (first, second)[:count]]
        values.append(functions[on_numbers](*operands))
    return values[-1]


@given(PROGRAMS, INPUTS)
def test_program_of_scalars_in_first_and_second_order(program, numbers):
    xs = [ag.Variable(x) for x in numbers]
    y = run(program, xs, on_numbers=False)
    u = (0.3, -0.7, 0.5)
    slopes = ag.gradients(y, xs, create_graph=True)
    along_u = sum(slope * w for slope, w in zip(slopes, u, strict=True))
    second = ag.gradients(along_u, xs) if along_u.requires_grad else [0.0] * 3

    y.backward()
    for i in range(3):
        # the inner number moves along axis i, the outer one along u
        seeded = [Dual(Dual(x, float(k == i)), Dual(u[k], 0.0)) for k, x in enumerate(numbers)]
        result = run(program, seeded, on_numbers=True)
        assert y.item() == pytest.approx(result.value.value, rel=1e-12, abs=1e-12)
        assert slopes[i].item() == pytest.approx(result.value.slope, rel=1e-9, abs=1e-9)
        assert second[i] == pytest.approx(result.slope.slope, rel=1e-8, abs=1e-8)
        grad = 0.0 if xs[i].grad is None else xs[i].grad
        assert grad == pytest.approx(slopes[i].item(), rel=1e-13, abs=1e-300)


@given(PROGRAMS, hnp.array_shapes(max_dims=2, max_side=3))
def test_program_of_arrays_is_the_program_of_its_entries(program, shape):
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(-1.5, 1.5, shape) for _ in range(3)]
    xs = [ag.Variable(a) for a in arrays]
    y = run(program, xs, on_numbers=False)
    np.sum(y).backward()
    for entry in np.ndindex(shape):
        scalars = [ag.Variable(a[entry]) for a in arrays]
        z = run(program, scalars, on_numbers=False)
        z.backward()
        assert y.data[entry] == pytest.approx(z.item(), rel=1e-13, abs=1e-300)
        for x, scalar in zip(xs, scalars, strict=True):
            assert (x.grad is None) == (scalar.grad is None)
            if x.grad is not None:
                assert x.grad[entry] == pytest.approx(scalar.grad, rel=1e-12, abs=1e-300)


def test_the_naive_engine_is_right():
    """Against finite differences, so that both engines cannot be wrong together."""
    for name, function, x in [
        ("sin", sin, 0.3),
        ("tanh", tanh, 0.3),
        ("exp", exp, 0.3),
        ("root", root, 0.7),
        ("cos", cos, 0.3),
    ]:
        step = 1e-4
        twice = function(Dual(Dual(x, 1.0), Dual(1.0, 0.0)))
        first = (function(x + step) - function(x - step)) / (2 * step)
        second = (function(x + step) - 2 * function(x) + function(x - step)) / step**2
        assert twice.value.slope == pytest.approx(first, abs=1e-7), name
        assert twice.slope.slope == pytest.approx(second, abs=1e-6), name
