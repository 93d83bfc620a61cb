"""An array's attributes: a Variable has each, or refuses it, or the reason for neither is here."""

import copy
import operator
import pickle

import numpy as np
import pytest

import autograd_lite as ag

# what a Variable has not, and why
ABSENT = {
    "what NumPy would take the array by, past the tape": {
        "__array_interface__",
        "__array_struct__",
        "__buffer__",
    },
    "for subclasses of arrays, which a Variable is not": {
        "__array_finalize__",
        "__array_priority__",
        "__array_wrap__",
        "__class_getitem__",
    },
    "x += 1 is x = x + 1 without it": {
        "__iadd__",
        "__iand__",
        "__ifloordiv__",
        "__ilshift__",
        "__imatmul__",
        "__imod__",
        "__imul__",
        "__ior__",
        "__ipow__",
        "__irshift__",
        "__isub__",
        "__itruediv__",
        "__ixor__",
    },
    "copying and pickling go through __reduce__": {"__copy__", "__deepcopy__", "__setstate__"},
    "no entry can be deleted, of arrays neither": {"__delitem__"},
}
# the result is no array of the tape: on an untracked Variable only
LEAVING = {
    "byteswap": (),
    "ctypes": None,
    "dumps": (),
    "flat": None,
    "getfield": (np.float32, 4),
    "tobytes": (),
    "tolist": (),
    "__dlpack_device__": (),
}
IN_PLACE = {
    "fill": ("np.full_like(x, value)", (1.0,)),
    "partition": ("np.partition(x, kth)", (1,)),
    "put": ("ag.put(x, index, value)", ([0], [1.0])),
    "resize": ("np.resize(x, shape)", ((3, 2),)),
    "setfield": ("a Variable for every field", (1.0, np.float32)),
    "setflags": ("np.array(x.data)", ()),
    "sort": ("np.sort(x)", ()),
}
FACTS = ["device", "dtype", "itemsize", "nbytes", "ndim", "shape", "size", "strides"]


def x(**options):
    return ag.Variable(np.arange(1.0, 7.0).reshape(2, 3), name="x", **options)


def use(v, name, arguments):
    return getattr(v, name) if arguments is None else getattr(v, name)(*arguments)


def test_every_attribute_is_sorted():
    absent = set().union(*ABSENT.values())
    unsorted = set(dir(np.ndarray)) - set(dir(ag.Variable)) - absent
    assert not unsorted, f"add to autograd_lite/attributes.py, or to ABSENT: {sorted(unsorted)}"


def test_what_is_said_to_be_absent_is():
    assert not set().union(*ABSENT.values()) & set(dir(ag.Variable))


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.parametrize("order", ["C", "F"])
def test_facts_are_the_arrays(name, order):
    array = np.ones((2, 3), np.float32, order=order)
    assert getattr(ag.Variable(array), name) == getattr(array, name)


def test_flags_are_read_only():
    v = x()
    assert v.flags.c_contiguous
    assert not v.flags.writeable
    assert v.base is None


@pytest.mark.parametrize("name", LEAVING)
def test_leaving_is_refused_when_tracked(name):
    with pytest.raises(TypeError, match=f"{name}: x is tracked and would silently leave the tape"):
        use(x(), name, LEAVING[name])


@pytest.mark.parametrize("name", LEAVING)
def test_leaving_is_allowed_when_untracked(name):
    v, array = x(requires_grad=False), x().data
    actual, expected = use(v, name, LEAVING[name]), use(array, name, LEAVING[name])
    assert type(actual) is type(expected)
    if name == "dumps":
        actual, expected = pickle.loads(actual), pickle.loads(expected)
    if name == "flat":
        actual, expected = list(actual), list(expected)
    if name != "ctypes":
        np.testing.assert_array_equal(actual, expected)


def test_messages_name_what_to_write():
    for name, advice in {"tolist": ".data.tolist()", "flat": ".ravel()", "ctypes": ".data"}.items():
        with pytest.raises(TypeError, match="; use ") as caught:
            use(x(), name, LEAVING[name])
        assert advice in str(caught.value)


@pytest.mark.parametrize("name", ["tofile", "dump"])
def test_files_are_written_from_untracked_variables_only(name, tmp_path):
    path = tmp_path / "x"
    with pytest.raises(TypeError, match=f"{name}: x is tracked"):
        getattr(x(), name)(path)
    assert not path.exists()
    getattr(x(requires_grad=False), name)(path)
    read = np.fromfile(path) if name == "tofile" else pickle.loads(path.read_bytes())
    assert read.ravel().tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("name", IN_PLACE)
def test_writing_into_it_is_refused(name, tracked):
    v = x(requires_grad=tracked)
    advice, arguments = IN_PLACE[name]
    with pytest.raises(TypeError, match=f"{name}: x is on the tape and its value never") as caught:
        getattr(v, name)(*arguments)
    assert advice in str(caught.value)
    assert v.data.ravel().tolist() == [1, 2, 3, 4, 5, 6]


def test_dlpack_does_not_go_round_the_tape():
    with pytest.raises(
        TypeError, match=r"x is tracked and would silently leave the tape; use \.data"
    ):
        np.from_dlpack(x())
    np.testing.assert_array_equal(np.from_dlpack(x(requires_grad=False)), x().data)


def test_no_memory_is_lent():
    for read in (memoryview, bytearray):
        with pytest.raises(TypeError):
            read(x())


def test_to_device():
    v = x()
    assert v.to_device("cpu") is v
    with pytest.raises(ValueError, match="Unsupported device"):
        v.to_device("gpu")


def test_array_namespace_is_numpy():
    assert x().__array_namespace__() is np
    assert x().__array_namespace__(api_version="2023.12") is np


def test_conjugate_is_recorded():
    v = x()
    v.conjugate().backward(np.ones((2, 3)))
    assert (v.grad == 1).all()


@pytest.mark.parametrize("arguments", [(), (np.ndarray,), (np.float64,), ("f8",)])
def test_view_of_the_same_kind_stays_on_the_tape(arguments):
    v = x()
    v.view(*arguments).backward(v.data)
    np.testing.assert_array_equal(v.grad, v.data)


def test_view_of_the_bits():
    with pytest.raises(TypeError, match=r"view: x is tracked .*\.astype\(dtype\) to convert"):
        x().view(np.int64)
    assert x(requires_grad=False).view(np.int64).dtype == np.int64
    assert type(x(requires_grad=False).view(type=np.ma.MaskedArray)) is np.ma.MaskedArray


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.astype(np.float32, "F", "same_kind", False, False),
        lambda v: v.astype(dtype="f4", order="C", casting="unsafe", subok=True, copy=True),
    ],
)
def test_astype_takes_all_of_numpys_arguments(change):
    v = x()
    z = change(v)
    assert (z.dtype, z.requires_grad) == (np.float32, True)
    np.sum(z).backward()
    assert v.grad.dtype == np.float64


def test_astype_minds_casting():
    with pytest.raises(TypeError, match="astype: x is float64, and casting='safe' does not let"):
        x().astype(np.float32, casting="safe")


@pytest.mark.parametrize(
    ("in_place", "plain"),
    [
        (operator.iadd, operator.add),
        (operator.isub, operator.sub),
        (operator.imul, operator.mul),
        (operator.itruediv, operator.truediv),
        (operator.ifloordiv, operator.floordiv),
        (operator.imod, operator.mod),
        (operator.ipow, operator.pow),
        (operator.imatmul, operator.matmul),
    ],
)
def test_augmented_assignment_rebinds(in_place, plain):
    """x += 1 makes a new Variable, and leaves the old one and its graph as they were."""
    v, other = x(), np.eye(3) if plain is operator.matmul else 2.0
    z = in_place(v, other)
    np.testing.assert_array_equal(z.data, plain(v.data, other))
    assert z is not v
    assert v.data.ravel().tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("shift", [operator.ilshift, operator.irshift])
def test_augmented_shifts_rebind(shift):
    v = ag.Variable([8, 4], requires_grad=False)
    assert shift(v, 1).data.tolist() == ([16, 8] if shift is operator.ilshift else [4, 2])
    assert v.data.tolist() == [8, 4]


def test_copies_are_leaves():
    for duplicate in (copy.copy, copy.deepcopy):
        assert duplicate(x()).operation is None


# --- memory layouts and byte order ---------------------------------------------------------------


@pytest.mark.parametrize("dtype", [">f2", ">f4", ">f8"])
@pytest.mark.parametrize(
    "function",
    [np.sum, lambda v: np.sum(v * v), lambda v: v[1], lambda v: np.sum(v[[0, 0]]) + v[2] ** 2],
    ids=["whole", "twice", "a part", "parts"],
)
def test_a_gradient_has_its_variables_byte_order(function, dtype):
    v = ag.Variable(np.array([1.0, 2.0, 3.0], dtype))
    assert v.dtype.str == dtype
    function(v).backward()
    (slope,) = ag.gradients(function(v), [v])
    assert (v.grad.dtype.str, slope.dtype.str) == (dtype, dtype)
    # recorded, it is what NumPy's arithmetic makes of it: the native order, but for a single use
    recorded = ag.gradients(function(v), v, create_graph=True)
    assert recorded.dtype.newbyteorder("=") == v.dtype.newbyteorder("=")
    np.testing.assert_array_equal(recorded.data, slope)


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.ones((2, 3))),
        np.broadcast_to(1.0, (2, 3)),
        np.ones((4, 6))[::-2, ::2],
        np.frombuffer(np.ones(6).tobytes()).reshape(2, 3),
    ],
    ids=["Fortran", "zero strides", "gaps", "read-only"],
)
@pytest.mark.parametrize("create_graph", [False, True], ids=["plain", "recorded"])
def test_a_gradient_is_whole_and_writable_whatever_the_layout(array, create_graph):
    v = ag.Variable(array)
    slope = ag.gradients(np.sum(v * np.arange(6.0).reshape(2, 3)), v, create_graph=create_graph)
    values = slope.data if create_graph else slope
    np.testing.assert_array_equal(values, np.arange(6.0).reshape(2, 3))
    if not create_graph:
        slope[0, 0] = 7
        assert np.count_nonzero(slope == 7) == 1
