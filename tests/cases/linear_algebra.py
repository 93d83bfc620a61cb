"""Products of vectors, matrices and stacks of them."""

import operator

import numpy as np

from tests.cases.case import Case


def product(name, left, right, empty):
    return Case(f"matmul: {name}", np.matmul, operator.matmul, [left, right], empty=empty)


CASES = [
    product("matrix, matrix", (2, 3), (3, 4), [(2, 0), (0, 4)]),
    product("matrix, vector", (2, 3), (3,), [(2, 0), (0,)]),
    product("vector, matrix", (3,), (3, 2), [(0,), (0, 2)]),
    product("vector, vector", (3,), (3,), [(0,), (0,)]),
    product("stack, stack", (2, 2, 3), (2, 3, 2), [(0, 2, 3), (0, 3, 2)]),
    product("stack, matrix", (2, 2, 3), (3, 2), [(0, 2, 3), (3, 2)]),
    product("matrix, stack", (2, 3), (2, 3, 2), [(0, 3), (2, 3, 2)]),
    product("stack, vector", (2, 2, 3), (3,), [(2, 0, 3), (3,)]),
    product("vector, stack", (3,), (2, 3, 2), [(3,), (2, 3, 0)]),
    product("stacks, broadcast", (2, 1, 2, 3), (3, 3, 1), [(2, 1, 2, 0), (3, 0, 1)]),
    Case("matmul: array, x", np.matmul, lambda x: np.ones((2, 2)) @ x),
    Case("matmul: x, array", np.matmul, lambda x: x @ np.arange(6.0).reshape(3, 2), empty=False),
    Case("matmul: X Xᵀ", np.matmul, lambda x: x @ x.T),
]
