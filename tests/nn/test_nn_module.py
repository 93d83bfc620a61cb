import gc
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
