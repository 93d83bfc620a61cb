"""One contract, generated for every row of `tests/cases`: what every operation keeps.

Tolerances. Finite differences are good to about 1e-11 (tests/numeric.py), times the size of the
higher derivatives in the row's domain: RELATIVE = 1e-7 leaves room for that and no room for a
mistake in a formula. Layouts change only the order of sums: 1e-12. float32 carries 6e-8 per
operation, and a derivative is a few of them: 1e-4 of the largest entry.
"""

import operator
from collections.abc import Callable, Sequence

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import rules
from autograd_lite.operators import OPERATIONS
from tests import numeric
from tests.cases import ALL_CASES, PLAIN, TRACKED, UNTRACKED, Case

RELATIVE = 1e-7

# what the library itself has registered: docstrings and other tests add theirs when they run
REGISTERED = dict(OPERATIONS)

each = pytest.mark.parametrize("case", TRACKED, ids=str)


# --- running a row -------------------------------------------------------------------------------


def listed(result) -> list:
    """The outputs of a row: one array, or a tuple or list of them, as a list."""
    return list(result) if isinstance(result, tuple | list) else [result]


def reference(case: Case, *arrays: np.ndarray) -> list[np.ndarray]:
    """What NumPy computes, as plain arrays."""
    return [np.asarray(z) for z in listed(case.reference(*arrays))]


def is_tracked(output) -> bool:
    """Of several outputs, some may not depend on what is tracked, and be plain arrays then."""
    return isinstance(output, ag.Variable) and output.requires_grad


def weights_for(case: Case, outputs: Sequence) -> list[np.ndarray]:
    """Random cotangents for a row's outputs: they stay the same for every call."""
    rng = case.random()
    return [np.asarray(rng.uniform(0.5, 1.5, z.shape), z.dtype) for z in outputs]


def total_gradient(outputs, cotangents, xs, create_graph: bool = False) -> list:
    """The gradient of Σ cotangent·output, as a list with one entry per x."""
    parts = [
        ag.gradients(z, xs, w, create_graph=create_graph)
        for z, w in zip(outputs, cotangents, strict=True)
        if is_tracked(z)
    ]
    if not parts:  # nothing depends on x any more: a linear function's second order
        zeros = [np.zeros(x.shape, x.dtype) for x in xs]
        return [ag.Variable(x, requires_grad=False) for x in zeros] if create_graph else zeros
    totals = [sum(column[1:], start=column[0]) for column in zip(*parts, strict=True)]
    if create_graph:
        return totals
    # NumPy's sums are scalars and in native byte order, whatever is added
    return [np.asarray(total, part.dtype) for total, part in zip(totals, parts[0], strict=True)]


def gradients(case: Case, arrays: Sequence, weights: Sequence | None = None) -> list[np.ndarray]:
    xs = [ag.Variable(a) for a in arrays]
    outputs = listed(case.call(*xs))
    return total_gradient(outputs, weights or weights_for(case, outputs), xs)


def derivative(case: Case, arrays: Sequence, directions: Sequence) -> list[np.ndarray]:
    """The gradient of the gradient of …: each round differentiates along the next direction."""
    xs = [ag.Variable(a) for a in arrays]
    outputs = listed(case.call(*xs))
    cotangents = weights_for(case, outputs)
    for direction in (*directions, None):
        outputs = total_gradient(outputs, cotangents, xs, create_graph=True)
        cotangents = direction
    return [g.data for g in outputs]


def random_directions(case: Case, arrays: Sequence, count: int) -> list[list[np.ndarray]]:
    rng = case.random()
    return [[rng.uniform(-1, 1, x.shape) for x in arrays] for _ in range(count)]


def assert_close(actual: Sequence, expected: Sequence, relative: float = RELATIVE) -> None:
    """Equal shapes; entries equal up to a fraction of the largest (of 1, if that is less)."""
    for a, e in zip(actual, expected, strict=True):
        assert a.shape == e.shape
        size = max(1.0, np.max(np.abs(e), initial=0, where=np.isfinite(e)))
        np.testing.assert_allclose(a, e, rtol=0, atol=relative * size)


def assert_same_bits(actual: np.ndarray, expected: np.ndarray) -> None:
    assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype)
    assert actual.tobytes() == expected.tobytes(), f"{actual} is not {expected}"


# --- the table is complete, and says what it does ------------------------------------------------


def test_every_operation_has_a_row():
    covered = {function for case in ALL_CASES for function in case.covers}
    # a function of the library's own stands behind a composition: the next test looks for it
    missing = [
        function.__name__
        for function in REGISTERED
        if function not in covered and not function.__module__.startswith("autograd_lite")
    ]
    assert not missing, f"add a row in tests/cases for: {', '.join(missing)}"


def test_every_primitive_of_the_library_appears_on_the_tape_of_some_row():
    seen = set()
    for case in TRACKED + UNTRACKED:
        xs = [ag.Variable(a) for a in case.arrays()]
        outputs = listed(case.call(*xs))
        if not (case.untracked or case.plain):
            outputs += total_gradient(outputs, weights_for(case, outputs), xs, create_graph=True)
        while outputs:
            z = outputs.pop()
            if isinstance(z, ag.Variable) and z.operation is not None:
                seen.add(z.operation)
                outputs.extend(z.inputs)
    named = {
        value
        for room in rules.__all__
        for value in vars(getattr(rules, room)).values()
        if type(value) is ag.Primitive
    }
    assert {row.name for row in named - seen} == set()


def test_names_are_unique():
    names = [case.name for case in ALL_CASES]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("case", ALL_CASES, ids=str)
def test_row_reaches_what_it_covers(case, monkeypatch):
    reached = set()

    def spy(function: Callable) -> Callable:
        original = OPERATIONS[function]

        def implementation(*args, **kwargs):
            reached.add(function)
            return original(*args, **kwargs)

        return implementation

    looked_up = {function for function in case.covers if function in OPERATIONS}
    for function in looked_up:
        monkeypatch.setitem(OPERATIONS, function, spy(function))
    case.call(*[ag.Variable(a) for a in case.arrays()])
    assert reached == looked_up


# --- values --------------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_value(case, dtype):
    arrays = case.arrays(dtype)
    try:
        expected = reference(case, *arrays)
    except TypeError:  # numpy.linalg knows no float16; then neither do we
        assert dtype is np.float16
        with pytest.raises(TypeError):
            case.call(*[ag.Variable(a) for a in arrays])
        return
    outputs = listed(case.call(*[ag.Variable(a) for a in arrays]))
    assert len(outputs) == len(expected)
    for z, e in zip(outputs, expected, strict=True):
        assert type(z) is ag.Variable
        assert z.requires_grad
        if case.exact:
            assert_same_bits(z.data, e)
        else:
            assert z.dtype == e.dtype
            assert_close([z.data], [e], 16 * np.finfo(dtype).eps)


@pytest.mark.parametrize("case", UNTRACKED, ids=str)
def test_untracked_value(case):
    arrays = case.arrays()
    outputs = listed(case.call(*[ag.Variable(a) for a in arrays]))
    for z, e in zip(outputs, reference(case, *arrays), strict=True):
        assert type(z) is ag.Variable
        assert_same_bits(z.data, e)
        assert not z.requires_grad
        assert any(entry is z for entry in ag.tape()), "recorded, for replay and pictures"


@pytest.mark.parametrize("case", PLAIN, ids=str)
def test_plain_value(case):
    """No Variable comes out, and nothing is recorded: NumPy's result, in its type."""
    arrays = case.arrays()
    expected = case.reference(*arrays)
    result = case.call(*[ag.Variable(a) for a in arrays])
    assert type(result) is type(expected)
    for z, e in zip(listed(result), listed(expected), strict=True):
        assert type(z) is type(e)
        np.testing.assert_array_equal(z, e)


# --- derivatives ---------------------------------------------------------------------------------


@each
def test_first_order(case):
    arrays = case.arrays()
    outputs = reference(case, *arrays)
    weights = weights_for(case, outputs)
    expected = numeric.gradients(lambda *xs: reference(case, *xs), arrays, weights)
    actual = gradients(case, arrays, weights)
    assert_close(actual, expected)
    assert [g.dtype for g in actual] == [x.dtype for x in arrays]


@each
def test_one_operand_tracked_and_the_others_constant(case):
    """Rules see constants as plain arrays: the same gradient for each operand alone."""
    arrays = case.arrays()
    expected = gradients(case, arrays)
    for i, e in enumerate(expected):
        xs = [ag.Variable(a) if i == k else a for k, a in enumerate(arrays)]
        outputs = listed(case.call(*xs))
        actual = total_gradient(outputs, weights_for(case, outputs), [xs[i]])
        assert_close(actual, [e], 1e-12)


@each
def test_higher_orders(case):
    """Order n is the finite difference of order n − 1: its Jacobian is symmetric, so J·u = Jᵀ·u."""
    arrays = case.arrays()
    directions = random_directions(case, arrays, case.order - 1)
    for n in range(1, case.order):
        expected = numeric.along(
            lambda *xs, n=n: derivative(case, xs, directions[: n - 1]), arrays, directions[n - 1]
        )
        assert_close(derivative(case, arrays, directions[:n]), expected)


@each
def test_rules_are_recorded_in_their_cotangent(case):
    """∂⟨gradient(w), u⟩/∂w is the derivative of the outputs along u: backward twice is forward."""
    arrays = case.arrays()
    (directions,) = random_directions(case, arrays, 1)
    expected = numeric.along(lambda *xs: reference(case, *xs), arrays, directions)
    xs = [ag.Variable(a) for a in arrays]
    outputs = listed(case.call(*xs))
    weights = [ag.Variable(w) for w in weights_for(case, outputs)]
    slopes = total_gradient(outputs, weights, xs, create_graph=True)
    assert_close(total_gradient(slopes, directions, weights), expected)


@each
def test_recorded_gradient_equals_the_plain_one(case):
    arrays = case.arrays()
    assert_close(derivative(case, arrays, []), gradients(case, arrays), 1e-12)


# --- dtypes and memory layouts -------------------------------------------------------------------


@each
def test_float32_gradient_is_close_to_the_float64_one(case):
    narrow = case.arrays(np.float32)
    wide = [x.astype(np.float64) for x in narrow]
    weights = weights_for(case, reference(case, *narrow))
    actual = gradients(case, narrow, weights)
    assert [g.dtype for g in actual] == [np.float32] * len(narrow)
    assert_close(actual, gradients(case, wide, weights), 1e-4)


@each
def test_mixed_precision_gradients_have_their_variables_dtype(case):
    dtypes = [np.float32 if i % 2 else np.float64 for i in range(len(case.inputs))]
    wide = [x.astype(np.float64) for x in case.arrays(np.float32)]
    mixed = [x.astype(dtype) for x, dtype in zip(wide, dtypes, strict=True)]
    for actual in (gradients(case, mixed), derivative(case, mixed, [])):  # plain and recorded
        assert [g.dtype for g in actual] == dtypes
        assert_close(actual, gradients(case, wide), 1e-4)


@each
def test_float16_gradient_stays_float16(case):
    arrays = case.arrays(np.float16)
    try:
        reference(case, *arrays)
    except TypeError:
        with pytest.raises(TypeError):
            gradients(case, arrays)
        return
    actual = gradients(case, arrays)
    assert [g.dtype for g in actual] == [np.float16] * len(arrays)
    assert all(np.isfinite(g).all() for g in actual)


def fortran(x):
    return x.copy(order="F")


def negative_strides(x):
    everywhere_reversed = (slice(None, None, -1),) * x.ndim
    return x[everywhere_reversed].copy()[everywhere_reversed]


def gaps(x):
    wide = np.full((*x.shape, 2), np.nan, x.dtype)
    wide[..., 0] = x
    return wide[..., 0]


def zero_strides(x):
    return np.broadcast_to(x[:1], x.shape) if x.ndim else x


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def big_endian(x):
    return x.astype(x.dtype.newbyteorder(">"))


LAYOUTS = [fortran, negative_strides, gaps, zero_strides, read_only, big_endian]


@pytest.mark.parametrize(
    ("layout", "case"),
    [
        pytest.param(layout, case, id=f"{layout.__name__}-{case}")
        for layout in LAYOUTS
        for case in TRACKED
        if layout is not zero_strides or case.zero_strides  # else equal rows are no input for it
    ],
)
def test_memory_layout_makes_no_difference(case, layout):
    odd = [layout(x) for x in case.arrays()]
    plain = [np.array(x, np.float64, order="C") for x in odd]
    values = reference(case, *odd)
    odd_weights = [layout(w) for w in weights_for(case, values)]
    expected = gradients(case, plain, [np.array(w, np.float64, order="C") for w in odd_weights])

    xs = [ag.Variable(x) for x in odd]
    outputs = listed(case.call(*xs))
    assert_close([z.data for z in outputs], values, 1e-12)
    actual = total_gradient(outputs, odd_weights, xs)
    assert_close(actual, expected, 1e-12)
    assert [g.dtype for g in actual] == [x.dtype for x in odd]
    for i, e in enumerate(expected):  # constants are held as they are, in their layout
        xs = [ag.Variable(x) if k == i else x for k, x in enumerate(odd)]
        assert_close(total_gradient(listed(case.call(*xs)), odd_weights, [xs[i]]), [e], 1e-12)


@pytest.mark.parametrize(
    "case", [case for case in TRACKED if case.empty_arrays() is not None], ids=str
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the mean of nothing is NumPy's to warn of
def test_empty_arrays(case):
    arrays = case.empty_arrays()
    try:
        expected = reference(case, *arrays)
    except (ValueError, IndexError) as error:
        with pytest.raises(type(error)):
            case.call(*[ag.Variable(x) for x in arrays])
        return
    xs = [ag.Variable(x) for x in arrays]
    outputs = listed(case.call(*xs))
    for z, e in zip(outputs, expected, strict=True):
        assert_same_bits(z.data, e)
    weights = weights_for(case, outputs)
    assert_close(
        total_gradient(outputs, weights, xs),
        numeric.gradients(lambda *xs: reference(case, *xs), arrays, weights),
    )


# --- sharing and accumulation --------------------------------------------------------------------


@each
def test_inputs_stay_untouched(case):
    arrays = case.arrays()
    before = [x.tobytes() for x in arrays]
    derivative(case, arrays, random_directions(case, arrays, 1))
    for i in range(len(arrays)):
        xs = [ag.Variable(x) if k == i else x for k, x in enumerate(arrays)]
        outputs = [z for z in listed(case.call(*xs)) if is_tracked(z)]
        values = [z.data.tobytes() for z in outputs]
        weights = weights_for(case, outputs)
        seeds = [w.tobytes() for w in weights]
        for z, w in zip(outputs, weights, strict=True):
            z.backward(w)
        assert xs[i].data.tobytes() == before[i]
        assert [z.data.tobytes() for z in outputs] == values
        assert [w.tobytes() for w in weights] == seeds
    assert [x.tobytes() for x in arrays] == before


@each
def test_gradients_share_no_memory(case):
    xs = [ag.Variable(x) for x in case.arrays()]
    outputs = listed(case.call(*xs))
    weights = weights_for(case, outputs)
    for z, w in zip(outputs, weights, strict=True):
        z.backward(w, retain_grads=True)
    grads = [v.grad for v in (*xs, *outputs)]
    others = [v.data for v in (*xs, *outputs)] + weights
    for i, g in enumerate(grads):
        assert type(g) is np.ndarray
        assert g.flags.writeable
        low, high = np.lib.array_utils.byte_bounds(g)
        assert g.size == 0 or high - low >= g.nbytes, "every entry has memory of its own"
        assert g.base is None or g.base.nbytes == g.nbytes, "a gradient keeps no larger array alive"
        for other in grads[:i] + others:
            assert not np.shares_memory(g, other)


@each
def test_second_backward_adds_exactly_once_more(case):
    xs = [ag.Variable(x) for x in case.arrays()]
    outputs = listed(case.call(*xs))
    weights = weights_for(case, outputs)
    once = total_gradient(outputs, weights, xs)
    for _ in range(2):
        for z, w in zip(outputs, weights, strict=True):
            z.backward(w)
    assert_close([x.grad for x in xs], [2 * g for g in once], 1e-15)


@each
def test_gradient_of_a_result_used_twice(case):
    """Cotangents that meet at the operation's own result are added, not replaced."""
    xs = [ag.Variable(x) for x in case.arrays()]
    outputs = listed(case.call(*xs))
    weights = weights_for(case, outputs)
    doubled = [operator.add(z, z) for z in outputs]
    expected = [2 * g for g in total_gradient(outputs, weights, xs)]
    assert_close(total_gradient(doubled, weights, xs), expected, 1e-14)
