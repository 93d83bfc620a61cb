import copy
import gc
import pickle
import re
import weakref

import numpy as np
import pytest

import autograd_lite as ag
import nn


class Block(nn.Module):
    formula = "z = fc(σ(x)) + shift"

    def __init__(self):
        self.late = None
        self.fc = nn.FullyConnected(2, 2, np.random.default_rng(0))
        self.shift = ag.Variable(np.zeros(2), name="shift")
        self.constant = ag.Variable(np.ones(2), requires_grad=False)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x, scale=1.0):
        return self.fc(self.sigmoid(x)) * scale + self.shift


class Tree(nn.Module):
    def __init__(self):
        self.blocks = [Block(), Block()]
        self.branches = {"left": (nn.ReLU(), nn.FullyConnected(2, 1)), 2: ag.Variable(1.0)}
        self.again = self.blocks[0]
        self.tied = self.blocks[1].fc.weight
        self.text = "W"


def names(module):
    return [name for name, _ in module.named_parameters()]


def test_parameters_come_in_the_order_of_definition_and_each_once():
    assert names(Block()) == ["fc.weight", "fc.bias", "shift"]
    tree = Tree()
    assert names(tree) == [
        "blocks.0.fc.weight",
        "blocks.0.fc.bias",
        "blocks.0.shift",
        "blocks.1.fc.weight",
        "blocks.1.fc.bias",
        "blocks.1.shift",
        "branches.left.1.weight",
        "branches.left.1.bias",
        "branches.2",
    ]
    assert len({id(p) for p in tree.parameters()}) == len(tree.parameters()) == 9
    assert tree.parameters()[0] is tree.blocks[0].fc.weight


def test_the_order_is_that_of_definition_not_of_assignment():
    block = Block()
    block.late = ag.Variable(1.0)
    assert names(block) == ["late", "fc.weight", "fc.bias", "shift"]


def test_modules_inside_are_found_at_any_depth():
    paths = [path for path, _ in Tree().named_modules()]
    assert paths[:3] == ["blocks.0", "blocks.0.fc", "blocks.0.sigmoid"]
    assert paths[-2:] == ["branches.left.0", "branches.left.1"]


def test_a_module_that_contains_itself_is_walked_once():
    block = Block()
    block.parent = {"back": [block]}
    loop = []
    loop.append(loop)
    block.loop = loop
    assert names(block) == ["fc.weight", "fc.bias", "shift"]


def test_frozen_parameters_are_not_parameters():
    block = Block()
    block.fc.bias.requires_grad = False
    assert names(block) == ["fc.weight", "shift"]


def test_calling_opens_a_scope_with_name_and_formula():
    block = Block()
    z = block(np.zeros((1, 2)), scale=2.0)
    assert z.scope.path == "Block"
    assert z.scope.formula == "z = fc(σ(x)) + shift"
    inner = [
        v.scope.path for v in ag.tape() if v.operation.name == "matmul" and v.number < z.number
    ]
    assert inner[-1] == "Block/FullyConnected"
    block.name = "encoder"
    assert block(np.zeros((1, 2))).scope.path == "encoder"


def test_the_scope_ends_where_forward_fails():
    with pytest.raises(ValueError, match="expected rows of 2 features"):
        Block()(np.zeros((1, 3)))
    assert (ag.Variable(1.0) + 1).scope is None


def test_zero_grad_forgets_all_gradients():
    block = Block()
    block(np.ones((1, 2))).sum().backward()
    assert all(p.grad is not None for p in block.parameters())
    block.zero_grad()
    assert all(p.grad is None for p in block.parameters())


def test_a_module_without_forward_says_so():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match="Empty: a module must define forward"):
        Empty()(1.0)


def test_a_module_is_freed_at_once_without_the_cycle_collector():
    gc.disable()
    try:
        block = Block()
        output = block(np.ones((1, 2)))
        gone = weakref.ref(block), weakref.ref(output)
        del block, output
        assert [ref() for ref in gone] == [None, None]
    finally:
        gc.enable()


def test_everything_public_is_listed():
    assert sorted(nn.__all__) == sorted(set(nn.__all__))
    assert all(hasattr(nn, name) for name in nn.__all__)


# --- training and buffers -------------------------------------------------------------------------


def test_train_and_eval_reach_everything_inside_and_return_the_module():
    tree = Tree()
    assert tree.training
    assert tree.eval() is tree
    assert {module.training for _, module in tree.named_modules()} == {False} == {tree.training}
    assert tree.train() is tree
    assert {module.training for _, module in tree.named_modules()} == {True} == {tree.training}
    assert not tree.train(False).blocks[0].fc.training


def test_buffers_are_the_untracked_variables():
    block = Block()
    assert [name for name, _ in block.named_buffers()] == ["constant"]
    block.result = block.shift > 0  # of an operation, kept for looking at
    block.fc.bias.requires_grad = False
    assert [name for name, _ in block.named_buffers()] == ["fc.bias", "constant"]


# --- the state ------------------------------------------------------------------------------------


def random_state(module, seed=0):
    rng = np.random.default_rng(seed)
    return {path: rng.standard_normal(array.shape) for path, array in module.state_dict().items()}


def assert_state(module, state):
    found = module.state_dict()
    assert list(found) == list(state)
    for path, array in state.items():
        np.testing.assert_array_equal(found[path], array, err_msg=path)


def test_the_state_is_every_parameter_and_buffer_once_in_order():
    block = Block()
    assert list(block.state_dict()) == ["fc.weight", "fc.bias", "shift", "constant"]
    tree = Tree()
    buffers = ["blocks.0.constant", "blocks.1.constant"]
    assert set(tree.state_dict()) == set(names(tree)) | set(buffers)
    np.testing.assert_array_equal(tree.state_dict()["blocks.0.fc.weight"], tree.tied.data)


def test_the_state_holds_copies_that_nobody_shares():
    block = Block()
    state = block.state_dict()
    state["shift"][:] = 5
    np.testing.assert_array_equal(block.shift.data, 0)
    block.load_state_dict(state)
    state["shift"][:] = 7
    np.testing.assert_array_equal(block.shift.data, 5)
    block.shift.data = np.zeros(2)
    np.testing.assert_array_equal(state["shift"], 7)


def test_a_state_goes_back_to_where_it_was():
    tree, other = Tree(), Tree()
    state = random_state(tree)
    tree.load_state_dict(state)
    assert_state(tree, state)
    other.load_state_dict(tree.state_dict())
    assert_state(other, state)
    x = np.ones((1, 2))
    np.testing.assert_array_equal(other.blocks[1](x).data, tree.blocks[1](x).data)


def test_frozen_parameters_stay_in_the_state_and_stay_frozen():
    block = Block()
    paths = list(block.state_dict())
    block.fc.weight.requires_grad = False
    assert list(block.state_dict()) == paths
    state = random_state(block)
    block.load_state_dict(state)
    assert_state(block, state)
    assert not block.fc.weight.requires_grad
    assert names(block) == ["fc.bias", "shift"]


def test_loading_leaves_what_was_recorded_before_as_it_was():
    block = Block()
    loss = np.sum(block(np.ones((1, 2))))
    expected = ag.gradients(loss, block.fc.weight)
    block.load_state_dict(random_state(block))
    np.testing.assert_array_equal(ag.gradients(loss, block.fc.weight), expected)


def test_variables_and_lists_can_be_loaded():
    block = Block()
    state = dict(block.state_dict(), shift=ag.Variable([1.0, 2.0]), constant=[3, 4])
    block.load_state_dict(state)
    np.testing.assert_array_equal(block.shift.data, [1, 2])
    np.testing.assert_array_equal(block.constant.data, [3, 4])


def test_values_are_converted_to_the_dtype_of_what_they_replace():
    single, double = (nn.FullyConnected(2, 3, dtype=dtype) for dtype in (np.float32, float))
    state = random_state(double)
    single.load_state_dict(state)
    assert single.weight.dtype == np.float32
    np.testing.assert_array_equal(single.weight.data, state["weight"].astype(np.float32))
    double.load_state_dict(single.state_dict())
    assert double.weight.dtype == np.float64
    np.testing.assert_array_equal(double.weight.data, single.weight.data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fc.weight": None}, "'fc.weight' is missing"),
        ({"extra": [1.0]}, "'extra' is not expected;|'extra' is not expected."),
        (
            {"fc.weight": None, "fc.weigth": np.ones((2, 2))},
            r"'fc.weigth' is not expected \(did you mean 'fc.weight'\?\)",
        ),
        (
            {"shift": np.ones(3)},
            r"'shift' is a float64 array of shape \(3,\), expected: float64 array of shape \(2,\)",
        ),
        (
            {"shift": np.ones(2, complex)},
            r"'shift' is a complex128 array of shape \(2,\), expected: float64 array",
        ),
        ({"shift": ["a", "b"]}, r"'shift' is a <U1 array of shape \(2,\), expected: float64 array"),
    ],
    ids=["missing", "unexpected", "misspelt", "shape", "complex", "text"],
)
def test_a_state_that_does_not_fit_changes_nothing_and_says_why(change, message):
    block = Block()
    before = block.state_dict()
    state = {path: array for path, array in random_state(block).items() if path not in change}
    state.update({path: value for path, value in change.items() if value is not None})
    with pytest.raises(ValueError, match=r"^load_state_dict: the state does not fit Block: ") as e:
        block.load_state_dict(state)
    assert_state(block, before)
    assert re.search(message, str(e.value))
    assert "Nothing was changed" in str(e.value)


def test_all_that_is_wrong_with_a_state_is_said_at_once_but_not_without_end():
    with pytest.raises(ValueError, match=r"'fc\.weight' is missing; .*'a' is not expected"):
        Block().load_state_dict({"a": 1.0})
    tree = Tree()
    with pytest.raises(ValueError, match=r"missing; and 10 more\. ") as error:
        tree.load_state_dict({f"no.{n}": 0.0 for n in range(9)})
    assert str(error.value).count("is missing") == 10


def test_a_conversion_that_warns_changes_nothing():
    block = nn.FullyConnected(1, 1, dtype=np.float32)
    before = block.state_dict()
    with pytest.raises(RuntimeWarning, match="overflow"):  # warnings are errors here
        block.load_state_dict({"weight": [[1.0]], "bias": [1e300]})
    assert_state(block, before)


def test_only_mappings_are_loaded():
    with pytest.raises(TypeError, match=r"^load_state_dict: it takes the mapping .*: list \[1\]"):
        Block().load_state_dict([1])


def test_two_variables_of_one_path_are_refused():
    class Twice(nn.Module):
        def __init__(self):
            self.by_name = {"a.b": ag.Variable(1.0), "a": {"b": ag.Variable(2.0)}}

    with pytest.raises(ValueError, match=r"two Variables have the path 'by_name\.a\.b'"):
        Twice().state_dict()


def test_modules_are_copied_whole():
    tree = Tree()
    other = copy.deepcopy(tree)
    assert_state(other, tree.state_dict())
    other.blocks[0].shift.data = np.ones(2)
    np.testing.assert_array_equal(tree.blocks[0].shift.data, 0)
    assert other.tied is other.blocks[1].fc.weight
    assert_state(pickle.loads(pickle.dumps(Block())), Block().state_dict())


# --- how it is printed ----------------------------------------------------------------------------


def test_the_repr_shows_what_is_inside():
    block = "(\n        fc=FullyConnected(2, 2),\n        sigmoid=Sigmoid(),\n    ),\n"
    assert repr(Tree()) == (
        f"Tree(\n    blocks.0=Block{block}    blocks.1=Block{block}"
        f"    branches.left.0=ReLU(),\n    branches.left.1=FullyConnected(2, 1),\n"
        f"    again=Block{block})"
    )
    assert repr(nn.Sigmoid()) == "Sigmoid()"


def test_the_repr_of_a_module_that_contains_itself_ends():
    block = Block()
    block.parent = loop = [block]
    loop.append(loop)
    assert repr(block).endswith("    parent.0=…,\n)")


@pytest.mark.parametrize("data", [[[np.nan, 1.0]], ((np.nan, 1.0),), np.array([[np.nan, 1.0]])])
def test_nan_in_data_is_refused_however_it_comes_in(data):
    fc = nn.FullyConnected(2, 3, name="fc1")
    message = r"^fc1: expected numbers, .* with NaN in it, first at position \(0, 0\)"
    with pytest.raises(ValueError, match=message):
        fc(data)
    with pytest.raises(ValueError, match=message):
        fc(x=data)
    state = np.zeros((1, 1, 2)), np.full((1, 1, 2), np.nan)
    with pytest.raises(ValueError, match=r"^LSTM: expected numbers, .* position \(1, 0, 0, 0\)"):
        nn.LSTM(2, 2)(np.zeros((1, 3, 2)), state)
    carried = tuple([ag.Variable(part, requires_grad=False) for part in state])  # is not looked at
    y, _ = nn.LSTM(2, 2)(np.zeros((1, 3, 2)), carried)
    assert np.isnan(y.data[..., 0]).all()
    with pytest.raises(ValueError, match=r"^LSTM: expected numbers, .* position \(0, 0, 0\)"):
        nn.LSTM(2, 2)(np.zeros((1, 3, 2)), (carried[0], state[1]))


def test_rows_of_several_lengths_are_told_where_they_came_in():
    message = "^nn: expected an array, received: list .* .in scope 'fc1'.: .* inhomogeneous shape"
    with pytest.raises(ValueError, match=message):
        nn.FullyConnected(2, 3, name="fc1")([[1.0], [2.0, 3.0]])
