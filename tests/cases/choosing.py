"""Entries chosen by index, mask, rank or place."""

import numpy as np

import autograd_lite as ag
from tests.cases.case import Case

MASK = np.array([[True, False, True], [False, False, True]])
NUMBERS = np.array([[0, 1, 1], [2, 0, 1]])


def variable(x):
    """An untracked Variable, where rules of indices are concerned."""
    return ag.Variable(x, requires_grad=False)


CASES = [
    # --- where things are
    Case("argsort", np.argsort, lambda x: [np.argsort(x), x.argsort(axis=0)], untracked=True),
    Case("argpartition", np.argpartition, lambda x: np.argpartition(x, 1), untracked=True),
    Case("argpartition by method", np.argpartition, lambda x: x.argpartition(1), untracked=True),
    Case("lexsort", np.lexsort, lambda x, y: np.lexsort((x, y)), [(3,), (3,)], untracked=True),
    Case("nonzero", np.nonzero, lambda x: [*np.nonzero(x > 0), *x.nonzero()], untracked=True),
    Case("flatnonzero", np.flatnonzero, lambda x: np.flatnonzero(x > 0), untracked=True),
    Case("argwhere", np.argwhere, lambda x: np.argwhere(x > 0), untracked=True),
    Case("searchsorted", np.searchsorted, inputs=[np.arange(3.0), (2,)], untracked=True),
    Case(
        "searchsorted by method",
        np.searchsorted,
        lambda x: x.searchsorted([0.5, 2], side="right"),
        [np.arange(3.0)],
        untracked=True,
    ),
    Case("digitize", np.digitize, lambda x: np.digitize(x, [0, 1]), untracked=True),
    Case("isin", np.isin, lambda x: np.isin(x, [0.0, 1.0]), untracked=True),
    # --- by index
    Case("take", np.take, lambda x: [np.take(x, [5, 0, 0]), x.take(1), x.take([[0, -1]], axis=-1)]),
    Case("take, beyond the end", np.take, lambda x: np.take(x, [3, -4], 1, mode="wrap")),
    Case("take, clipped", np.take, lambda x: np.take(x, [3, -4], 1, mode="clip")),
    Case("take by booleans", np.take, lambda x: np.take(x, [True, False, False])),
    Case(
        "take, at a Variable",
        np.take,
        lambda x: [np.take(x, np.argmax(x, axis=1)), np.take(x, variable([7, 1]), mode="wrap")],
        distinct=True,
        reference=lambda x: [np.take(x, np.argmax(x, axis=1)), np.take(x, [7, 1], mode="wrap")],
        empty=False,
    ),
    Case(
        "take_along_axis",
        np.take_along_axis,
        lambda x: [
            np.take_along_axis(x, NUMBERS, 1),
            np.take_along_axis(x, np.array([[1, 0, 1]]), axis=0),
            np.take_along_axis(x, np.array([0, 5, 0]), None),
            np.take_along_axis(x, np.argsort(x, axis=0), 0),
        ],
        distinct=True,
        empty=False,
    ),
    Case(
        "compress",
        np.compress,
        lambda x: [
            np.compress([False, True], x, axis=0),
            x.compress([True, False, True, True]),
            np.compress(x[0] > 0, x, axis=-1),
        ],
        distinct=True,
        avoid=[0],
        empty=False,
    ),
    Case("extract", np.extract, lambda x: [np.extract(MASK, x), np.extract(x > 0, x)], avoid=[0]),
    Case(
        "select",
        np.select,
        lambda x, y: np.select([x > 1, MASK], [x * x, y], default=-1.0),
        [(2, 3), (3,)],
        avoid=[1],
        empty=False,
    ),
    Case(
        "choose",
        np.choose,
        lambda x, y: [np.choose(NUMBERS, [x, y, 2.0]), np.choose(NUMBERS - 1, (x, y), mode="wrap")],
        [(2, 3), (3,)],
        empty=False,
    ),
    Case(
        "choose, at a Variable",
        np.choose,
        lambda x: np.choose(variable(NUMBERS), [x, 0.0], mode="clip"),
        reference=lambda x: np.choose(NUMBERS, [x, 0.0], mode="clip"),
        empty=False,
    ),
    Case(
        "choose by method",
        np.choose,
        lambda x: variable(NUMBERS).choose([x, 2.0, x]),
        reference=lambda x: NUMBERS.choose([x, 2.0, x]),
        empty=False,
    ),
    Case(
        "piecewise",
        np.piecewise,
        lambda x: [
            np.piecewise(x, [x < 0, x > 1], [np.sin, lambda v: v * v]),
            np.piecewise(x, [x < 0], [np.negative, 2.0]),
        ],
        avoid=[0, 1],
    ),
    # --- by rank
    Case("sort", np.sort, lambda x: [np.sort(x), np.sort(x, axis=0)], [(3, 4)], distinct=True),
    Case("sort flat", np.sort, lambda x: np.sort(x, axis=None, kind="heapsort"), distinct=True),
    # NumPy leaves open in what order entries stand beside the k-th
    Case(
        "partition",
        np.partition,
        lambda x: [np.partition(x, 1, axis=0), np.partition(x, (0, 2), None)],
        [(3, 4)],
        distinct=True,
        reference=lambda x: [
            np.take_along_axis(x, np.argpartition(x, 1, axis=0), 0),
            np.ravel(x)[np.argpartition(x, (0, 2), axis=None)],
        ],
        empty=False,
    ),
    # --- by place
    Case("tril", np.tril, lambda x: [np.tril(x), np.tril(x, -1), np.tril(x, k=1)], [(2, 3, 3)]),
    Case("triu", np.triu, lambda x: [np.triu(x), np.triu(x, 1), np.triu(x[0])]),
    Case("diag", np.diag, lambda x: [np.diag(x), np.diag(x, k=-1), np.diag(np.diag(x, 1))]),
    Case(
        "diagonal",
        np.diagonal,
        lambda x: [
            np.diagonal(x),
            np.diagonal(x, -1, axis1=2, axis2=1),
            x.diagonal(1),
            np.diagonal(x, 7),
        ],
        [(2, 3, 3)],
    ),
    Case(
        "linalg.diagonal",
        np.linalg.diagonal,
        lambda x: np.linalg.diagonal(x, offset=1),
        [(2, 3, 3)],
    ),
    Case("diagflat", np.diagflat, lambda x: np.diagflat(x, k=-1)),
    Case("trace", np.trace, lambda x: [np.trace(x), x.trace(1, -2, -1)], [(2, 3, 3)]),
    Case("trace with a dtype", np.trace, lambda x: np.trace(x, dtype=np.float64)),
    Case(
        "linalg.trace",
        np.linalg.trace,
        lambda x: [np.linalg.trace(x), np.linalg.trace(x, offset=-1)],
        [(2, 3, 3)],
        exact=False,  # float16, added up in another order
    ),
    # --- counted
    Case(
        "bincount",
        np.bincount,
        lambda x: [np.bincount([0, 2, 0], x), np.bincount([1, 1, 1], weights=x, minlength=4)],
        [(3,)],
        empty=False,
    ),
    Case(
        "bincount without weights",
        np.bincount,
        lambda x: np.bincount(variable([0, 2])),
        reference=lambda x: np.bincount([0, 2]),
        plain=True,
    ),
]
