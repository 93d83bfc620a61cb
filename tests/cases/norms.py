"""Norms of vectors and matrices, of every order."""

import numpy as np

from tests.cases.case import Case

norm = np.linalg.norm


def vectors(p, **options):
    return Case(
        f"norm of order {p}",
        norm,
        lambda x: [norm(x, p, axis=0), norm(x, p, -1, keepdims=True)],
        exact=False,
        **options,
    )


def matrices(p, **options):
    return Case(
        f"matrix norm of order {p}",
        norm,
        lambda x: [
            norm(x[0], p),
            norm(x, p, axis=(-2, -1)),
            norm(x, p, axis=(2, 0), keepdims=True),
        ],
        [(2, 3, 2)],
        exact=False,
        **options,
    )


DISTINCT = {"domain": (-1.93, 2), "distinct": True, "avoid": [0]}

CASES = [
    Case("norm", norm, lambda x: [norm(x), norm(x, keepdims=True)], exact=False),
    Case("norm of a vector", norm, lambda x: [norm(x), norm(x, 2)], [(3,)], exact=False),
    vectors(None),
    vectors(1, domain=(0.1, 2)),
    vectors(2),
    vectors(3),
    vectors(4, order=3),
    vectors(0.5, domain=(0.3, 2)),
    vectors(-1, domain=(0.3, 2)),
    vectors(np.inf, **DISTINCT),
    vectors(-np.inf, **DISTINCT),
    Case("norm of order 0", norm, lambda x: norm(x, 0, axis=1), untracked=True),
    matrices(None),
    matrices("fro"),
    matrices("nuc", zero_strides=False),
    matrices(2, zero_strides=False),
    matrices(-2, zero_strides=False),
    matrices(1, **DISTINCT),
    matrices(-1, **DISTINCT),
    matrices(np.inf, **DISTINCT),
    matrices(-np.inf, **DISTINCT),
    Case(
        "vector_norm",
        np.linalg.vector_norm,
        lambda x: [
            np.linalg.vector_norm(x),
            np.linalg.vector_norm(x, axis=(0, 2), ord=3),
            np.linalg.vector_norm(x, keepdims=True),
        ],
        [(2, 3, 2)],
        exact=False,
    ),
    Case("vector_norm of a scalar", np.linalg.vector_norm, inputs=[()], exact=False),
    Case(
        "matrix_norm",
        np.linalg.matrix_norm,
        lambda x: [np.linalg.matrix_norm(x), np.linalg.matrix_norm(x, ord=2, keepdims=True)],
        [(2, 3, 2)],
        exact=False,
        zero_strides=False,
    ),
]
