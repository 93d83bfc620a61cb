"""numpy.linalg: inverses, determinants, factorisations."""

from typing import Any

import numpy as np
from numpy import linalg

from tests.cases.case import Case

# stacks of matrices with distinct singular values far from 0, so that everything is defined
SQUARE = np.array([[[2.0, 0.3, -0.5], [0.1, -1.2, 0.4], [0.6, 0.2, 0.7]]])
SQUARE = np.concatenate([SQUARE, SQUARE.mT + np.diag([0.5, 0.2, -0.1])])
TALL = np.concatenate([SQUARE, [[[0.3, -0.8, 0.2]], [[1.1, 0.4, -0.3]]]], axis=1)
WIDE = TALL.mT.copy()
POSITIVE = SQUARE @ SQUARE.mT + 0.1 * np.tril(SQUARE, -1)  # not quite symmetric, as NumPy allows
RANK_2 = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [5.0, 7.0, 9.0]])


def of(name: str, covers: Any, call: Any = None, inputs: Any = (SQUARE,), **options: Any) -> Case:
    """A row whose inputs are the matrices above: equal rows would be singular."""
    options = {"exact": False, "zero_strides": False, "empty": [(0, 3, 3)], **options}
    return Case(name, covers, call, inputs, **options)


CASES = [
    of("inv", linalg.inv, exact=True),
    of("inv of an empty matrix", linalg.inv, empty=[(0, 0)]),
    of("pinv", linalg.pinv, inputs=[TALL], empty=[(0, 3)]),
    of(
        "pinv of a wide matrix",
        linalg.pinv,
        lambda x: linalg.pinv(x, rcond=1e-6),
        [WIDE[0]],
        empty=False,
    ),
    of(
        "pinv of a hermitian matrix",  # of its lower triangle
        linalg.pinv,
        lambda x: linalg.pinv(x, hermitian=True),
        [POSITIVE],
        empty=False,
    ),
    of("pinv with rtol", linalg.pinv, lambda x: linalg.pinv(x, rtol=1e-6), empty=False),
    of("solve", linalg.solve, inputs=[SQUARE, (3, 2)], empty=[(0, 3, 3), (3, 2)]),
    of("solve for a vector", linalg.solve, inputs=[SQUARE[0], (3,)], empty=[(0, 0), (0,)]),
    of("solve a stack for a vector", linalg.solve, inputs=[SQUARE, (3,)], empty=[(0, 3, 3), (3,)]),
    of("solve for a stack", linalg.solve, inputs=[SQUARE[0], (2, 3, 1)], empty=False),
    of(
        "tensorsolve",
        linalg.tensorsolve,
        lambda x, y: [
            linalg.tensorsolve(x.reshape(3, 1, 3), y),
            linalg.tensorsolve(x.reshape(3, 3, 1), y, axes=(0,)),
        ],
        [SQUARE[0], (3, 1)],
        empty=False,
    ),
    of(
        "tensorsolve, with two axes moved",  # 2 and 3: of the result, in this order
        linalg.tensorsolve,
        lambda x, y: linalg.tensorsolve(x, y, axes=(2, 0)),
        [(np.eye(6) + np.arange(36).reshape(6, 6) % 5 / 5).reshape(3, 2, 2, 3), (2, 3)],
        empty=False,
    ),
    of(
        "tensorinv",
        linalg.tensorinv,
        lambda x: linalg.tensorinv(x.reshape(3, 1, 3)),
        [SQUARE[0]],
        empty=False,
    ),
    of(
        "tensorinv, ind=1",
        linalg.tensorinv,
        lambda x: linalg.tensorinv(x, ind=1),
        [SQUARE[0]],
        empty=False,
    ),
    of(
        "lstsq",
        linalg.lstsq,
        lambda a, b: [linalg.lstsq(a, b)[i] for i in (0, 1, 3)],
        [TALL[0], (4, 2)],
        empty=False,
    ),
    of(
        "lstsq for a vector",
        linalg.lstsq,
        lambda a, b: linalg.lstsq(a, b)[:2],
        [TALL[0], (4,)],
        empty=False,
    ),
    of(
        "lstsq of a wide matrix",
        linalg.lstsq,
        lambda a, b: linalg.lstsq(a, b)[0],
        [WIDE[0], (3,)],
        empty=False,
    ),
    of(
        "lstsq's rank",
        linalg.lstsq,
        lambda a: linalg.lstsq(a, np.ones(3))[2].item(),
        [RANK_2],
        plain=True,
    ),
    of(
        "matrix_power",
        linalg.matrix_power,
        lambda x: [linalg.matrix_power(x, n) for n in (2, 5)],
    ),
    of("matrix_power, negative", linalg.matrix_power, lambda x: linalg.matrix_power(x, -3)),
    of("matrix_power 0", linalg.matrix_power, lambda x: linalg.matrix_power(x, 0)),
    of(
        "multi_dot",
        linalg.multi_dot,
        lambda x, y: [
            linalg.multi_dot([x, y, x, y]),
            linalg.multi_dot([x[0], y, x.T[1]]),
            linalg.multi_dot([y, x]),
        ],
        [(3, 2), (2, 3)],
        zero_strides=True,
        empty=False,
    ),
    # --- determinants
    of("det", linalg.det, exact=True),
    of("det of an empty matrix", linalg.det, inputs=[(1, 1)], empty=[(0, 0)]),
    of("det of rank n - 1", linalg.det, inputs=[RANK_2], order=3, zero_strides=True, empty=False),
    of(
        "det of rank n - 2",
        linalg.det,
        inputs=[np.ones((3, 3))],
        order=3,
        zero_strides=True,
        empty=False,
    ),
    of(
        "det of 0",
        linalg.det,
        inputs=[np.zeros((2, 3, 3))],
        order=3,
        zero_strides=True,
        empty=False,
    ),
    of("slogdet", linalg.slogdet, lambda x: linalg.slogdet(x).logabsdet),
    of("slogdet's sign", linalg.slogdet, lambda x: linalg.slogdet(x)[0], untracked=True),
    # --- factors
    of("cholesky", linalg.cholesky, inputs=[POSITIVE]),
    of("cholesky, upper", linalg.cholesky, lambda x: linalg.cholesky(x, upper=True), [POSITIVE]),
    of("qr", linalg.qr, lambda x: [*linalg.qr(x)], [TALL]),
    of("qr of a square matrix", linalg.qr, lambda x: [*linalg.qr(x, mode="complete")]),
    of("qr of a wide matrix", linalg.qr, lambda x: [*linalg.qr(x)], [WIDE], empty=False),
    of("qr, R alone", linalg.qr, lambda x: linalg.qr(x, "r"), [TALL]),
    of("eigh", linalg.eigh, lambda x: [*linalg.eigh(x)], [POSITIVE]),
    of(
        "eigh of the upper triangle", linalg.eigh, lambda x: [*linalg.eigh(x, UPLO="u")], [POSITIVE]
    ),
    of(
        "eigvalsh",
        linalg.eigvalsh,
        lambda x: [linalg.eigvalsh(x), linalg.eigvalsh(x, "U")],
        [POSITIVE],
    ),
    of("svd", linalg.svd, lambda x: [*linalg.svd(x)]),
    of("svd of a tall matrix", linalg.svd, lambda x: [*linalg.svd(x, full_matrices=False)], [TALL]),
    of("svd of a wide matrix", linalg.svd, lambda x: [*linalg.svd(x, False)], [WIDE], empty=False),
    of("svd, hermitian", linalg.svd, lambda x: [*linalg.svd(x, hermitian=True)], [POSITIVE]),
    of(
        "svd, hermitian, of values alone",
        linalg.svd,
        lambda x: linalg.svd(x, compute_uv=False, hermitian=True),
        [SQUARE + SQUARE.mT],  # not positive
    ),
    of("svd of values alone", linalg.svd, lambda x: linalg.svd(x, compute_uv=False), [TALL]),
    of("svdvals", linalg.svdvals, inputs=[WIDE], empty=False),
    of("matrix_rank", linalg.matrix_rank, untracked=True),
    of(
        "cond",
        linalg.cond,
        lambda x: [linalg.cond(x, p) for p in (None, -2, "fro", 1)],
        empty=False,
    ),
]
