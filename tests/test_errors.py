"""Every misuse is told what was asked, what arrived, where, and what to do; the tape goes on."""

import math

import numpy as np
import pytest
import scipy.special

import autograd_lite as ag


def x(shape=(2, 3)):
    return ag.Variable(np.ones(shape), name="x")


def assign(variable, data):
    variable.data = data


def assign_grad(variable, grad):
    variable.grad = grad


def assign_item(target, index, value):
    target[index] = value


def add_in_place(array, variable):
    array += variable


def without_recording():
    with ag.no_grad():
        return x(()) * 2.0


# what is done, the program, the class of the error, and what its message must contain
MISUSES = [
    # --- shapes and axes
    (
        "matmul of shapes that do not align",
        lambda: x((4, 3)) @ np.ones((2, 5)),
        ValueError,
        ["matmul: shapes (4, 3) and (2, 5) do not align: 3 ≠ 2", "transpose one operand?"],
    ),
    (
        "matmul with a scalar",
        lambda: x((2, 2)) @ np.float64(3),
        ValueError,
        [
            "matmul: shapes (2, 2) and () do not align: a scalar has no axis to sum over",
            "; use * for scaling",
        ],
    ),
    (
        "matmul of stacks of other lengths",
        lambda: x((2, 3, 3)) @ np.ones((4, 3, 3)),
        ValueError,
        ["matmul: shapes (2, 3, 3) and (4, 3, 3) do not broadcast: 2 ≠ 4 on axis -3"],
    ),
    (
        "shapes that do not broadcast",
        lambda: x((2, 3)) + np.ones((2, 4)),
        ValueError,
        ["add: shapes (2, 3) and (2, 4) do not broadcast: 3 ≠ 4 on axis -1", "[:, None]"],
    ),
    (
        "shapes that do not broadcast, from the left",
        lambda: np.ones((4, 3)) * x((2, 3)),
        ValueError,
        ["multiply: shapes (4, 3) and (2, 3) do not broadcast: 4 ≠ 2 on axis -2"],
    ),
    (
        "axis that is not there",
        lambda: np.sum(x(), axis=2),
        np.exceptions.AxisError,
        ["sum: axis 2 is out of bounds", "float64 array of shape (2, 3)"],
    ),
    (
        "reshape to another size",
        lambda: x().reshape(4),
        ValueError,
        ["reshape: cannot reshape array of size 6 into shape (4,)"],
    ),
    (
        "arrays that do not join",
        lambda: np.concatenate([x((2, 3)), x((2, 4))], axis=0),
        ValueError,
        ["concatenate: all the input array dimensions", "(2, 3)", "(2, 4)"],
    ),
    (
        "index out of bounds",
        lambda: x()[5],
        IndexError,
        ["getitem: index 5 is out of bounds for axis 0 with size 2"],
    ),
    (
        "maximum of nothing",
        lambda: np.max(x((0, 3))),
        ValueError,
        ["max: zero-size array", "shape (0, 3)"],
    ),
    # --- what can be tracked
    (
        "an integer as a Variable",
        lambda: ag.Variable(3),
        TypeError,
        ["only floating point can be tracked", "int64 scalar", "write 3.0"],
    ),
    (
        "integers as a Variable",
        lambda: ag.Variable([1, 2]),
        TypeError,
        ["int64 array of shape (2,)", ".astype(float)", "requires_grad=False"],
    ),
    (
        "booleans as a Variable",
        lambda: ag.Variable([True, False]),
        TypeError,
        ["bool array of shape (2,)", ".astype(float)"],
    ),
    (
        "complex numbers as a Variable",
        lambda: ag.Variable([1j]),
        TypeError,
        ["complex128 array of shape (1,)", "real and imaginary parts"],
    ),
    (
        "text as a Variable",
        lambda: ag.Variable("abc"),
        TypeError,
        ["only floating point can be tracked"],
    ),
    (
        "objects as a Variable",
        lambda: ag.Variable([None, 1.0]),
        TypeError,
        ["object array of shape (2,)"],
    ),
    (
        "complex numbers met on the way",
        lambda: x() * 1j,
        TypeError,
        ["multiply: the result would be complex128, and Variables are real"],
    ),
    # --- leaving the tape
    (
        "np.asarray",
        lambda: np.asarray(x()),
        TypeError,
        ["np.asarray: x is tracked and would silently leave the tape", ".data"],
    ),
    (
        "np.array of Variables",
        lambda: np.array([x(()), x(())]),
        TypeError,
        ["x is tracked", "np.stack([v, w])"],
    ),
    (
        "np.full with a Variable",
        lambda: np.full(3, x(())),
        TypeError,
        ["x is tracked", "np.broadcast_to(v, shape)"],
    ),
    ("float", lambda: float(x(())), TypeError, ["float", "x is tracked", ".item()"]),
    ("math.sqrt", lambda: math.sqrt(x(())), TypeError, ["math.*", "x is tracked", ".item()"]),
    ("int", lambda: int(x(())), TypeError, ["int: x is tracked", ".item()"]),
    ("complex", lambda: complex(x(())), TypeError, ["complex: x is tracked", ".item()"]),
    ("bool", lambda: bool(x(())), TypeError, ["bool: x is tracked", ".item()"]),
    ("list index", lambda: [1, 2][x(())], TypeError, ["index: x is tracked", ".item()"]),
    # --- arrays with an arithmetic of their own
    (
        "a matrix as a constant",
        lambda: x((2, 2)) * np.ones((2, 2)).view(np.matrix),
        TypeError,
        ["multiply: a matrix took part", "np.asarray(matrix)"],
    ),
    (
        "a masked array as a constant",
        lambda: x(3) * np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]),
        TypeError,
        ["multiply: a MaskedArray took part", "masked.filled(value)"],
    ),
    (
        "a masked array as a Variable",
        lambda: ag.Variable(np.ma.array([1.0, 2.0], mask=[0, 1])),
        TypeError,
        ["Variable: this array has masked entries", "data.filled(value)"],
    ),
    (
        "a masked array as data",
        lambda: setattr(ag.Variable([1.0, 2.0]), "data", np.ma.array([1.0, 2.0], mask=[0, 1])),
        TypeError,
        ["data: this array has masked entries", "data.filled(value)"],
    ),
    (
        "a masked array to assign",
        lambda: ag.Variable([1.0, 2.0]).assign(np.ma.array([1.0, 2.0], mask=[0, 1])),
        TypeError,
        ["data: this array has masked entries", "data.filled(value)"],
    ),
    (
        "a masked array as a gradient",
        lambda: setattr(ag.Variable([1.0, 2.0]), "grad", np.ma.array([1.0, 2.0], mask=[0, 1])),
        TypeError,
        ["grad: this array has masked entries", "data.filled(value)"],
    ),
    (
        "an error of NumPy's own class",
        lambda: np.linalg.cholesky(ag.Variable([[1.0, 2.0], [2.0, 1.0]])),
        np.linalg.LinAlgError,
        ["cholesky: Matrix is not positive definite", "float64 array of shape (2, 2)"],
    ),
    # --- writing
    (
        "item assignment",
        lambda: assign_item(x(), 0, 1.0),
        TypeError,
        ["x[index] = value: x is on the tape", "x = ag.put(x, index, value)"],
    ),
    (
        "adding a Variable to an array in place",
        lambda: add_in_place(np.ones(3), x(3)),
        ag.errors.MissingRuleError,
        ["add: out= is not supported on a Variable, and x is tracked", "use the returned value"],
    ),
    (
        "out=",
        lambda: np.exp(x(), out=np.ones((2, 3))),
        ag.errors.MissingRuleError,
        ["exp: out= is not supported on a Variable, and x is tracked"],
    ),
    (
        "ufunc where=",
        lambda: np.exp(x(), where=np.ones((2, 3), bool)),
        ag.errors.MissingRuleError,
        ["exp: where=", "np.where"],
    ),
    (
        "clip with out=",
        lambda: np.clip(x(), 0, 1, out=np.ones((2, 3))),
        ag.errors.MissingRuleError,
        ["clip: out="],
    ),
    (
        "assigning data of another shape",
        lambda: assign(x(), np.ones((3, 2))),
        ValueError,
        ["data: x has shape (2, 3), the new data has shape (3, 2)", "make a new Variable"],
    ),
    (
        "assigning complex data",
        lambda: assign(x(), np.ones((2, 3)) * 1j),
        TypeError,
        ["data: x has dtype float64, the new data has dtype complex128"],
    ),
    (
        "assigning data to an intermediate",
        lambda: assign(x() * 2.0, np.ones((2, 3))),
        ValueError,
        ["is the result of 'multiply' and cannot be assigned", "leaves"],
    ),
    (
        "assigning a gradient of another shape",
        lambda: assign_grad(x(), np.ones(2)),
        ValueError,
        ["grad: x is a float64 array of shape (2, 3)", "float64 array of shape (2,)"],
    ),
    (
        "partition in place",
        lambda: x().partition(1),
        TypeError,
        ["; np.partition(x, kth) gives a partitioned copy"],
    ),
    (
        "put in place",
        lambda: x().put([0], 1.0),
        TypeError,
        ["put: x is on the tape and its value never changes; write x = ag.put(x, index, value)"],
    ),
    (
        "resize in place",
        lambda: x().resize((3, 2)),
        TypeError,
        ["; x.reshape(shape) or np.resize(x, shape) gives a new Variable"],
    ),
    (
        "fields of an array",
        lambda: x().setfield(1, int),
        TypeError,
        ["; keep a Variable for every field"],
    ),
    (
        "flags of an array",
        lambda: x().setflags(write=True),
        TypeError,
        ["; np.array(x.data) is a copy to write into"],
    ),
    (
        "the bits of a tracked Variable",
        lambda: x().view(int),
        TypeError,
        ["view: x is tracked", "; use .astype(dtype) to convert, .data.view for the bits"],
    ),
    # --- functions and uses without a rule
    (
        "a NumPy function without a rule",
        lambda: np.fft.fft(x()),
        ag.errors.MissingRuleError,
        ["fft: complex results cannot be tracked, and x is tracked"],
    ),
    (
        "a ufunc without a rule",
        lambda: scipy.special.gammaln(x()),
        ag.errors.MissingRuleError,
        [
            "gammaln: there is no derivative rule for it, and x is tracked; add one with "
            "ag.primitive(gammaln, rule), or take .data or .detach() if no gradient should flow"
        ],
    ),
    (
        "ufunc.at",
        lambda: np.add.at(x(), 0, 1.0),
        ag.errors.MissingRuleError,
        ["add.at: ", "x is tracked"],
    ),
    (
        "ufunc.reduceat",
        lambda: np.add.reduceat(x(), [0, 1]),
        ag.errors.MissingRuleError,
        ["add.reduceat: ", "x is tracked; reduce each of the parts that np.split gives"],
    ),
    (
        "ufunc.reduce of an operation that is not associative",
        lambda: np.arctan2.reduce(x()),
        ag.errors.MissingRuleError,
        [
            "arctan2.reduce: this way of calling arctan2 has no derivative rule, and x is tracked; "
            "use the returned value, or write the calls out"
        ],
    ),
    (
        "ufunc.accumulate of an operation that is not associative",
        lambda: np.arctan2.accumulate(x()),
        ag.errors.MissingRuleError,
        ["arctan2.accumulate: this way", "; use the returned value, or write the calls out"],
    ),
    (
        "ufunc.outer with a setting",
        lambda: np.add.outer(x(), x(), out=np.ones((2, 3, 2, 3))),
        ag.errors.MissingRuleError,
        ["add.outer: ", "; use the returned value of a plain call, with a[:, None] to broadcast"],
    ),
    (
        "a setting that is not supported",
        lambda: np.sum(x(), out=np.zeros(())),
        ag.errors.MissingRuleError,
        ["sum: out= is not supported on a Variable"],
    ),
    (
        "a ufunc's setting that is not supported",
        lambda: np.add(x(), 1.0, signature="dd->d"),
        ag.errors.MissingRuleError,
        ["add: signature="],
    ),
    (
        "a keyword that NumPy does not know either",
        lambda: np.sum(x(), axes=0),
        TypeError,
        ["axes"],
    ),
    # --- asking for gradients
    (
        "backward of a non-scalar without a cotangent",
        lambda: (x() * 2.0).backward(),
        ValueError,
        ["backward: multiply #", "has shape (2, 3)", "pass a cotangent", ".sum()"],
    ),
    (
        "gradients of a non-scalar without a cotangent",
        lambda: ag.gradients(x() * 2.0, []),
        ValueError,
        ["gradients: multiply #", "has shape (2, 3)"],
    ),
    (
        "a cotangent of another shape",
        lambda: (x() * 2.0).backward(np.ones(3)),
        ValueError,
        ["backward: multiply #", "float64 array of shape (2, 3)", "float64 array of shape (3,)"],
    ),
    (
        "a complex cotangent",
        lambda: (x() * 2.0).backward(np.ones((2, 3)) * 1j),
        ValueError,
        ["complex128 array of shape (2, 3)", "must be real"],
    ),
    (
        "backward of a constant",
        lambda: ag.Variable(1.0, requires_grad=False).backward(),
        ag.errors.NotRecordedError,
        ["backward: Variable #", "is not recorded", "a constant"],
    ),
    (
        "backward of what was computed under no_grad",
        lambda: without_recording().backward(),
        ag.errors.NotRecordedError,
        ["is not recorded", "under no_grad"],
    ),
    (
        "backward of a comparison",
        lambda: (x(()) > 0).backward(),
        ag.errors.NotRecordedError,
        ["is not recorded", "'greater', which has no derivative"],
    ),
    (
        "gradients of an array",
        lambda: ag.gradients(np.ones(3), [x()]),
        TypeError,
        ["gradients: the output is a float64 array of shape (3,), not a Variable"],
    ),
    (
        "gradients for an untracked Variable",
        lambda: ag.gradients(x(()) * 1.0, ag.Variable(1.0, name="c", requires_grad=False)),
        ag.errors.NotRecordedError,
        ["gradients: the input c is not a tracked Variable"],
    ),
    (
        "gradients for an array",
        lambda: ag.gradients(x(()) * 1.0, [np.ones(3)]),
        ag.errors.NotRecordedError,
        ["gradients: the input float64 array of shape (3,) is not a tracked Variable"],
    ),
]


@pytest.mark.parametrize("scope", [None, "encoder"])
@pytest.mark.parametrize(
    ("program", "error", "parts"), [m[1:] for m in MISUSES], ids=[m[0] for m in MISUSES]
)
def test_message_and_the_tape_afterwards(program, error, parts, scope):
    if scope is None:
        with pytest.raises(error) as caught:
            program()
    else:
        with pytest.raises(error) as caught, ag.scope(scope):
            program()
    for part in parts:
        assert part in str(caught.value)

    v = ag.Variable([1.0, 2.0])
    y = np.sum(v * v)
    y.backward()
    assert y.scope is None
    assert v.grad.tolist() == [2, 4]
    assert ag.tape()[-1] is y


@pytest.mark.parametrize(
    "program",
    [
        lambda: x((4, 3)) @ np.ones((2, 5)),
        lambda: x((2, 3)) + np.ones((2, 4)),
        lambda: np.sum(x(), axis=2),
        lambda: x()[5],
        lambda: x() * 1j,
    ],
    ids=["matmul", "add", "sum", "getitem", "complex"],
)
def test_failed_operation_says_in_which_scope(program):
    with (
        ag.scope("model"),
        ag.scope("encoder"),
        pytest.raises(
            (ValueError, TypeError, IndexError),
            match=r"\(in scope 'model/encoder'\)",
        ),
    ):
        program()


def test_failed_operation_says_in_which_scope_also_without_recording():
    with ag.scope("encoder"), ag.no_grad(), pytest.raises(ValueError, match="in scope 'encoder'"):
        x((4, 3)) @ np.ones((2, 5))


def test_failed_operation_keeps_numpys_error_as_its_cause():
    with pytest.raises(ValueError, match="matmul: shapes") as caught:
        x((4, 3)) @ np.ones((2, 5))
    assert isinstance(caught.value.__cause__, ValueError)


def test_failing_backward_stores_nothing():
    v = x()
    y = v * 2.0
    with pytest.raises(ValueError, match="cotangent"):
        y.backward(np.ones(7))
    assert v.grad is None


def test_failed_operation_is_not_on_the_tape():
    v = x()
    before = len(ag.tape())
    with pytest.raises(ValueError, match="broadcast"):
        v + np.ones(7)
    assert len(ag.tape()) == before


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ag.errors.MissingRuleError, TypeError),
        (ag.errors.NotRecordedError, RuntimeError),
        (ag.errors.StaleVariableError, RuntimeError),
        (ag.errors.RuleError, RuntimeError),
    ],
)
def test_own_classes_are_of_the_builtin_kind(error, kind):
    assert issubclass(error, kind)
