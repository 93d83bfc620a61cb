"""A model of the tape that works forwards: what was recorded, as functions of arrays.

Its derivatives come from the dual numbers of tests/test_programs.py, which NumPy carries through
object arrays: no rule, no sweep, no tape, and any order of recording gives the same.
"""

import numpy as np

import autograd_lite as ag
from tests.test_programs import Dual, cos, dual, sin, tanh

SHAPES = [(), (2,), (2, 2)]  # all broadcast with each other
MATRIX = np.array([[0.5, -1.0], [2.0, 0.25]])


def on_objects(function, *arrays):
    return np.frompyfunc(function, 1, 1)(*arrays)


def written(x, y):
    result = np.array(x, dtype=object)
    result[..., 0] = y
    return result


# name: (the least number of axes of each operand, on Variables and arrays, on arrays of duals)
STEPS = {
    "add": ((0, 0), lambda x, y: x + y, None),
    "subtract": ((0, 0), lambda x, y: x - y, None),
    "multiply": ((0, 0), lambda x, y: x * y, None),
    "negative": ((0,), lambda x: -x, None),
    "scale": ((0,), lambda x: x * 0.5, None),
    "sin": ((0,), np.sin, lambda x: on_objects(sin, x)),
    "cos": ((0,), np.cos, lambda x: on_objects(cos, x)),
    "tanh": ((0,), np.tanh, lambda x: on_objects(tanh, x)),
    "matmul": ((1,), lambda x: x @ MATRIX, None),
    "sum": ((0,), np.sum, lambda x: np.array(np.sum(x), object)),
    "sum over an axis": ((2,), lambda x: np.sum(x, axis=0), None),
    "row": ((2,), lambda x: x[1], None),
    "reversed": ((1,), lambda x: x[::-1], None),
    "repeated": ((1,), lambda x: x[..., [1, 1]], None),
    "number": ((1,), lambda x: x[(0,) * len(x.shape)], lambda x: np.array(x[(0,) * x.ndim])),
    "stack": ((1, 1), lambda x, y: np.stack([x, y]), None),
    "put": ((1, 0), lambda x, y: ag.put(x, (..., 0), y), written),
}


class Node:
    """What the model knows of a Variable: its value, and the function and operands it came from.

    `operands`: (node, its value then, its version then). `handle`: the Variable, while it is held.
    """

    def __init__(self, handle, value, function=None, operands=(), scope=None):
        self.handle, self.value, self.function, self.operands = handle, value, function, operands
        self.number, self.scope, self.tracked = handle.number, scope, True
        self.version, self.grad, self.size = 0, None, 0.0
        self.recorded = function is not None
        self.weak = self.elsewhere = False

    @property
    def is_leaf(self):
        return not self.recorded and self.value.dtype == float

    @property
    def stale(self):
        return any(x.version != version for x, _, version in self.operands)

    def before(self, lowest=0):
        """It and all that gradients flow to from it, as old as `lowest` at most."""
        found, waiting = {}, [self]
        while waiting:
            node = waiting.pop()
            if node.tracked and node.number >= lowest and node not in found:
                found[node] = None
                waiting.extend(x for x, _, _ in node.operands)
        return list(found)


def changes(node, moved, memo):
    """By what the value of `node` moves, as an array of duals, or None for not at all."""
    if node in memo:
        return memo[node]
    change = moved.get(node)
    steps = [changes(x, moved, memo) if x.tracked else None for x, _, _ in node.operands]
    if node.tracked and any(step is not None for step in steps):
        arrays = [
            x if step is None else each(lambda p, q: p.astype(object) + q, x, step)
            for (_, x, _), step in zip(node.operands, steps, strict=True)
        ]
        result = each(lambda z, v: z - v, node.function(*arrays), node.value)
        change = result if change is None else each(lambda p, q: p + q, result, change)
    memo[node] = change
    return change


def each(function, first, second):
    """Of two arrays, or of the parts of two tuples; NumPy makes 0-d arrays of objects scalars."""
    if type(first) is tuple:
        return tuple(each(function, *pair) for pair in zip(first, second, strict=True))
    return np.asarray(function(np.asarray(first), np.asarray(second)), object)


def seeds(nodes, dual_of):
    """For each node an array of duals, each moving along a direction of its own."""
    total = sum(node.value.size for node in nodes)
    directions = iter(np.eye(total))
    return {
        node: np.array([dual_of(next(directions)) for _ in range(node.value.size)], object).reshape(
            node.value.shape
        )
        for node in nodes
    }


def divided(nodes, vector):
    """A vector over the directions of `seeds`, cut into an array per node."""
    cuts = np.cumsum([node.value.size for node in nodes])
    return [p.reshape(n.value.shape) for n, p in zip(nodes, np.split(vector, cuts), strict=False)]


def slopes(output, nodes, cotangent):
    """The gradients of Σ cotangent·output, one array per node."""
    moved = seeds(nodes, lambda direction: Dual(0.0, direction))
    change = changes(output, moved, {})
    total = np.zeros(sum(node.value.size for node in nodes))
    if change is not None:
        for weight, entry in zip(cotangent.ravel(), np.ravel(change), strict=True):
            total = total + weight * dual(entry).slope
    return divided(nodes, total)


def slopes_of_penalty(output, target, leaves, cotangent):
    """The gradients of Σ sin(∂output/∂target), one array per leaf."""
    outer = seeds(leaves, lambda direction: Dual(Dual(0.0, 0.0), Dual(direction, 0.0)))
    total = np.zeros(sum(leaf.value.size for leaf in leaves))
    for entry in np.ndindex(target.value.shape):
        inner = np.full(target.value.shape, Dual(Dual(0.0, 0.0), Dual(0.0, 0.0)), object)
        inner[entry] = Dual(Dual(0.0, 1.0), Dual(0.0, 0.0))
        moved = {**outer, target: inner + outer[target] if target in outer else inner}
        change = changes(output, moved, {})
        if change is None:
            continue
        first, second = 0.0, np.zeros(total.size)
        for weight, number in zip(cotangent.ravel(), np.ravel(change), strict=True):
            number = dual(number)
            first = first + weight * dual(number.value).slope
            second = second + weight * dual(number.slope).slope
        total = total + np.cos(first) * second
    return divided(leaves, total)
