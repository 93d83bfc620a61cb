"""Copying and pickling: leaves exactly, in any container; what is recorded is refused."""

import copy
import pickle
from collections import namedtuple

import numpy as np
import pytest

import autograd_lite as ag
import nn

DUPLICATES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle, protocol {protocol}": lambda v, p=protocol: pickle.loads(pickle.dumps(v, p))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}
DEEP = {name: duplicate for name, duplicate in DUPLICATES.items() if name != "copy"}

Pair = namedtuple("Pair", "first second")

every_way = pytest.mark.parametrize("duplicate", DUPLICATES.values(), ids=DUPLICATES)
every_deep_way = pytest.mark.parametrize("duplicate", DEEP.values(), ids=DEEP)


def leaves():
    """Of every kind: dtype, shape, memory layout, name, constant, frozen."""
    arrays = [
        np.float64(2.5),
        np.array([1.0, np.nan, -0.0, np.inf], np.float32),
        np.arange(6, dtype=np.float16).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.zeros((0, 3)),
        np.array([1.0, 2.0], np.longdouble) / 3,
    ]
    for array in arrays:
        yield ag.Variable(array, name="named")
        yield ag.Variable(array)
    yield ag.Variable([1, 2], requires_grad=False)
    yield ag.Variable([True, False], requires_grad=False, name="mask")
    frozen = ag.Variable([1.0, 2.0], name="frozen")
    frozen.requires_grad = False
    yield frozen


@every_way
def test_leaf_is_copied_exactly(duplicate):
    for leaf in leaves():
        again = duplicate(leaf)
        assert type(again) is ag.Variable
        assert (again.name, again.dtype, again.shape) == (leaf.name, leaf.dtype, leaf.shape)
        assert again.requires_grad == leaf.requires_grad
        assert again.data.tobytes() == leaf.data.tobytes()
        assert again.data.flags.f_contiguous == leaf.data.flags.f_contiguous
        assert (again.operation, again.inputs, again.scope, again.grad) == (None, (), None, None)
        assert not np.shares_memory(again.data, leaf.data)
        assert again.number > leaf.number


@every_way
def test_gradient_is_copied_and_goes_its_own_way(duplicate):
    x = ag.Variable(np.array([1.0, 2.0], np.float32), name="x")
    np.sum(3 * x).backward()
    y = duplicate(x)
    assert (y.grad.dtype, y.grad.tolist()) == (np.float32, [3, 3])
    assert not np.shares_memory(x.grad, y.grad)
    np.sum(x * x * y).backward()
    assert x.grad.tolist() == [3 + 2, 3 + 8]
    assert y.grad.tolist() == [3 + 1, 3 + 4]
    y.grad[0] = 7
    y.zero_grad()
    assert x.grad.tolist() == [5, 11]


@every_way
def test_a_copied_gradient_that_was_recorded_is_a_plain_array(duplicate):
    x = ag.Variable(2.0)
    (x**3).backward(create_graph=True)
    y = duplicate(x)
    assert (type(y.grad), y.grad) == (np.ndarray, 12)
    x.zero_grad()  # a leaf and its recorded gradient hold each other


@every_way
def test_copy_is_as_read_only_as_any_leaf(duplicate):
    y = duplicate(ag.Variable([1.0, 2.0]))
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 7
    y.data = [3.0, 4.0]
    assert y.data.tolist() == [3, 4]


@every_way
@pytest.mark.parametrize(
    "make",
    [
        lambda x: x * 2.0,
        lambda x: x[0],
        lambda x: np.sum(x),
        lambda x: ag.gradients(np.sum(x * x), x, create_graph=True),
        lambda x: np.linalg.qr(np.outer(x, x) + np.eye(2))[1],
    ],
    ids=["result", "reading", "sum", "recorded gradient", "one of several results"],
)
def test_recorded_result_is_refused_by_name(make, duplicate):
    y = make(ag.Variable([1.0, 2.0]))
    for whole in (y, [y], {"deep": (y,)}):
        if duplicate is copy.copy and whole is not y:
            continue  # a shallow copy of a container holds the same Variable
        with pytest.raises(TypeError, match=r"copy: .* is the result of '.*copy \.detach\(\)") as e:
            duplicate(whole)
        assert y.label in str(e.value)
        assert y.operation.name in str(e.value)
    np.sum(y * 1.0).backward()  # and it can still be used


@every_way
@pytest.mark.parametrize("kind", ["no_grad", "detached", "mask", "argmax"])
def test_untracked_result_becomes_a_constant(kind, duplicate):
    x = ag.Variable([1.0, 2.0])
    with ag.no_grad():
        silent = x * 2.0
    y = {"no_grad": silent, "detached": (x * 2.0).detach(), "mask": x > 1, "argmax": np.argmax(x)}
    y = y[kind]
    again = duplicate(y)
    assert np.array_equal(again.data, y.data)
    assert (again.dtype, again.requires_grad, again.operation) == (y.dtype, False, None)
    np.sum(x * again).backward()
    assert np.array_equal(x.grad, np.broadcast_to(y.data, 2))


@every_way
def test_copying_under_no_grad_keeps_leaves_tracked(duplicate):
    with ag.no_grad(), ag.scope("somewhere"):
        y = duplicate(ag.Variable(3.0, name="y"))
    assert y.requires_grad
    assert ag.gradients(y * y, y) == 6


@every_deep_way
def test_containers_keep_who_shares_a_leaf(duplicate):
    x, w = ag.Variable(2.0, name="x"), ag.Variable(3.0, name="w")
    nest = {"list": [x, w, x], "tuple": (x, {"inner": x}), "pair": Pair(w, x), 3: w}
    again = duplicate(nest)
    y, v = again["list"][:2]
    assert (y is x, v is w) == (False, False)
    found = [*again["list"], *again["tuple"][:1], again["tuple"][1]["inner"], *again["pair"]]
    assert [leaf is y for leaf in found] == [True, False, True, True, True, False, True]
    assert again[3] is again["pair"].first is v
    (again["list"][0] * again["tuple"][0] * again["pair"].second * v).backward()
    assert (y.grad, v.grad) == (3 * 4 * 3, 8)  # 3y²·v: one leaf, three uses
    assert (x.grad, w.grad) == (None, None)


@every_deep_way
def test_a_leaf_in_a_container_that_contains_itself(duplicate):
    nest = [ag.Variable(2.0)]
    nest.append(nest)
    again = duplicate(nest)
    assert again[1] is again
    assert again[0] is not nest[0]


def test_shallow_copy_of_a_container_holds_the_same_leaves():
    x = ag.Variable(2.0)
    assert copy.copy([x])[0] is x
    assert copy.copy({"x": x})["x"] is x


@every_deep_way
def test_layers_that_share_a_weight_share_it_afterwards(duplicate):
    rng = np.random.default_rng(0)
    first, second = nn.FullyConnected(3, 3, rng), nn.FullyConnected(3, 3, rng)
    second.weight = first.weight
    layers = duplicate([first, second])
    assert layers[0].weight is layers[1].weight
    assert layers[0].weight is not first.weight
    x = rng.normal(size=(2, 3))
    for one, other in ((first, second), layers):
        np.sum(np.tanh(other(one(x)))).backward()
    np.testing.assert_array_equal(layers[0].weight.grad, first.weight.grad)


@every_deep_way
def test_failed_copy_leaves_everything_usable(duplicate):
    x = ag.Variable(2.0)
    y = x * x
    before = [v.number for v in ag.tape()]
    with pytest.raises(TypeError, match="copy: "):
        duplicate([x, y])
    assert [v.number for v in ag.tape()] == before
    y.backward()
    assert x.grad == 4
