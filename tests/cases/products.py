"""Products of vectors, matrices and tensors."""

import operator

import numpy as np

from tests.cases.case import Case


def product(name, left, right, empty):
    return Case(f"matmul: {name}", np.matmul, operator.matmul, [left, right], empty=empty)


def einsum(subscripts, *shapes, **options):
    return Case(
        f"einsum {subscripts}",
        np.einsum,
        lambda *xs: np.einsum(subscripts, *xs),
        shapes,
        exact=False,
        **options,
    )


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
    Case("linalg.matmul", np.linalg.matmul, inputs=[(2, 3), (3, 2)], empty=False),
    Case("vecdot", np.vecdot, inputs=[(2, 1, 3), (4, 3)]),
    Case(
        "linalg.vecdot",
        np.linalg.vecdot,
        lambda x, y: np.linalg.vecdot(x, y, axis=0),
        [(3, 2), (3, 2)],
        exact=False,
    ),
    Case("matvec", np.matvec, inputs=[(2, 3), (4, 3)]),
    Case("matvec of a stack", np.matvec, inputs=[(4, 2, 3), (3,)]),
    Case("vecmat", np.vecmat, inputs=[(4, 3), (3, 2)]),
    Case("vecmat of a stack", np.vecmat, inputs=[(3,), (4, 3, 2)]),
    # --- NumPy's other products
    Case("dot of vectors", np.dot, inputs=[(3,), (3,)]),
    Case("dot by method", np.dot, lambda x: x.dot([1.0, 2.0, 3.0])),
    Case("dot of matrices", np.dot, inputs=[(2, 3), (3, 2)], empty=False),
    Case("dot with a scalar", np.dot, lambda x, y: [np.dot(x, y), np.dot(2.0, y)], [(), (2, 3)]),
    Case("dot, many axes", np.dot, inputs=[(2, 1, 3), (2, 3, 2)], exact=False, empty=False),
    Case("dot, many axes and a vector", np.dot, inputs=[(2, 2, 3), (3,)], exact=False),
    Case("inner", np.inner, inputs=[(2, 3), (4, 3)], exact=False, empty=[(0, 3), (4, 3)]),
    Case("inner of vectors", np.inner, inputs=[(3,), (3,)], exact=False),
    Case("inner with a scalar", np.inner, inputs=[(), (3,)]),
    Case("vdot", np.vdot, inputs=[(2, 3), (2, 3)], exact=False),
    Case("outer", np.outer, inputs=[(2, 2), (3,)]),
    Case("linalg.outer", np.linalg.outer, inputs=[(2,), (3,)]),
    Case("tensordot", np.tensordot, inputs=[(2, 3, 2), (3, 2, 2)], exact=False, empty=False),
    Case(
        "tensordot over axes",
        (np.tensordot, np.linalg.tensordot),
        lambda x, y: [
            np.tensordot(x, y, axes=([0, 1], [1, 0])),
            np.tensordot(x, y, (1, 0)),
            np.linalg.tensordot(x, y, axes=0),
        ],
        [(2, 3), (3, 2)],
        exact=False,
        empty=False,
    ),
    Case("kron", np.kron, inputs=[(2, 2), (2, 3)]),
    Case("kron with another number of axes", np.kron, inputs=[(2,), (2, 1, 2)]),
    Case("cross", np.cross, inputs=[(2, 3), (3,)]),
    Case(
        "cross along axes",
        np.cross,
        lambda x, y: [np.cross(x, y, axisa=0, axisc=0), np.cross(x, y.T, axis=0)],
        [(3, 2), (2, 3)],
        empty=False,
    ),
    Case("linalg.cross", np.linalg.cross, inputs=[(2, 3), (2, 3)]),
    # --- Einstein's notation
    einsum("ij,jk->ik", (2, 3), (3, 4), empty=[(2, 0), (0, 4)]),
    einsum("ij,jk", (2, 3), (3, 4), empty=[(2, 0), (0, 4)]),
    einsum("ba", (2, 3)),
    einsum("i,i", (3,), (3,), empty=[(0,), (0,)]),
    einsum("i,j,k->kij", (2,), (3,), (2,)),
    einsum("ij->", (2, 3)),
    einsum("ij,k->i", (2, 3), (4,)),
    einsum("ii", (3, 3), empty=[(0, 0)]),
    einsum("ii->i", (3, 3), empty=[(0, 0)]),
    einsum("iji,jj->ij", (2, 3, 2), (3, 3), empty=[(0, 3, 0), (3, 3)]),
    einsum("...ij,...jk->...ik", (2, 1, 2, 3), (4, 3, 2), empty=False),
    einsum("i...,i...", (2, 3), (2,), empty=False),
    einsum("...i->...", (2, 3)),
    einsum("ij,ij->ij", (2, 1), (2, 3)),
    einsum("ij,ij", (2, 1), (1, 3)),
    einsum("i,i->i", (1,), (3,), empty=[(1,), (0,)]),
    Case(
        "einsum, optimized",
        np.einsum,
        lambda x, y, w: [
            np.einsum("ij,jk,kl->il", x, y, w, optimize=True),
            np.einsum("ij, jk, kl", x, y, w, optimize=["einsum_path", (1, 2), (0, 1)]),
        ],
        [(2, 3), (3, 2), (2, 2)],
        exact=False,
        empty=False,
    ),
    Case(
        "einsum, NumPy's defaults spelt out",
        np.einsum,
        lambda x: np.einsum("ij->j", x, dtype=None, order="K", casting="safe"),
        exact=False,
    ),
    Case(
        "einsum by numbers",
        np.einsum,
        lambda x, y: [
            np.einsum(x, [0, 1], y, [1, 30]),
            np.einsum(x, [..., 1], y, [1, 0], [0, ...]),
        ],
        [(2, 3), (3, 2)],
        exact=False,
        empty=False,
    ),
    Case(
        "einsum_path",
        np.einsum_path,
        lambda x, y: np.einsum_path("ij,jk", x, y, optimize="greedy")[1],
        [(2, 3), (3, 2)],
        plain=True,
    ),
]
