"""Every condition that a rule's function checks itself is told in words, with what arrived.

NumPy checks the same conditions of arrays; `test_error_catalogue` sees to it that none is missing.
"""

import numpy as np
import pytest

import autograd_lite as ag

linalg = np.linalg
X = ag.Variable(2.0, name="x")
V = ag.Variable([1.0, 2.0], name="v")
M = ag.Variable([[2.0, 1.0], [1.0, 3.0]], name="m")


def ones(*shape):
    return ag.Variable(np.ones(shape))


# a program, and the error that it ends with
CONDITIONS = [
    (
        lambda: np.take_along_axis(V, np.ones((1, 1), int), 0),
        "ValueError: take_along_axis: the indices have 2 axes and the array has 1",
    ),
    (
        lambda: np.select([V > 1], [V, V]),
        "ValueError: select: 1 conditions and 2 choices; there must be one choice for each "
        "condition, and at least one",
    ),
    (
        lambda: np.select([np.ones(2)], [V]),
        "TypeError: select: a condition is float64, and must be bool",
    ),
    (
        lambda: np.piecewise(V, [V > 1], [V, V, V]),
        "ValueError: piecewise: 3 functions for 1 conditions; there is one for each, and "
        "possibly one more for everywhere else",
    ),
    (
        lambda: np.sort(V, order="name"),
        "MissingRuleError: sort: order= names fields of records, and a Variable has none",
    ),
    (
        lambda: np.diagonal(V),
        "ValueError: diagonal: it needs two or more axes, and the array has 1",
    ),
    (
        lambda: np.diag(ones(2, 2, 2)),
        "ValueError: diag: the array must have one or two axes, and has 3",
    ),
    (
        lambda: np.linspace(X, 1.0, -1),
        "ValueError: linspace: -1 points cannot be made; num must be 0 or more",
    ),
    (
        lambda: np.geomspace(X * 0, 1.0, 3),
        "ValueError: geomspace: a geometric sequence cannot include 0; move start or stop",
    ),
    (
        lambda: np.interp(X, [0.0, 1.0], V[:1]),
        "ValueError: interp: xp has shape (2,) and fp has shape (1,); these are the coordinates"
        " of points: one axis each, equally many, at least one",
    ),
    (
        lambda: np.polyder(V, -1),
        "ValueError: polyder: m is -1; np.polyint integrates",
    ),
    (
        lambda: np.polyint(V, -1),
        "ValueError: polyint: m is -1; np.polyder differentiates",
    ),
    (
        lambda: np.polyint(V, 3, k=[1.0, 2.0]),
        "ValueError: polyint: k has 2 constants for 3 integrals; give 3",
    ),
    (
        lambda: np.vander(M),
        "ValueError: vander: x must be one-dimensional, and has shape (2, 2)",
    ),
    (
        lambda: np.sum(linalg.eigh(ag.Variable(np.eye(2)))[1]).backward(),
        "ValueError: eigh: the derivative of eigenvectors was asked for, and eigenvalues 0 and "
        "1 are equal up to rounding, 1 and 1: these vectors are not unique, and have no "
        "derivative. The first derivative of the eigenvalues alone, of np.linalg.eigvalsh, does"
        " without, the second one asks for the vectors again. Write the function without them, "
        "with np.trace, np.linalg.det or products of x, or move the values apart by adding "
        "np.diag of small different numbers",
    ),
    (
        lambda: linalg.svd(ones(3, 2)),
        "MissingRuleError: svd: the further vectors of full_matrices=True are not unique for a "
        "matrix of shape (3, 2), and have no derivative; use np.linalg.svd(x, "
        "full_matrices=False)",
    ),
    (
        lambda: np.meshgrid(V, V, indexing="ik"),
        "ValueError: meshgrid: indexing='ik' is neither 'xy' nor 'ij'",
    ),
    (
        lambda: np.split(V, 3),
        "ValueError: split: axis 0 of length 2 has no 3 equal parts; use np.array_split",
    ),
    (
        lambda: np.dsplit(M, 2),
        "ValueError: dsplit: it needs 3 or more axes, and the array has 2",
    ),
    (
        lambda: np.unstack(X),
        "ValueError: unstack: a scalar has no axis to unstack",
    ),
    (
        lambda: np.apply_along_axis(np.sum, 0, ones(2, 0)),
        "ValueError: apply_along_axis: there is no vector to apply the function to",
    ),
    (
        lambda: np.resize(V, (-1,)),
        "ValueError: resize: the new shape (-1,) has a negative length",
    ),
    (
        lambda: np.block([[V], V]),
        "ValueError: block: the lists are not equally deep everywhere, or one is empty",
    ),
    (
        lambda: np.array_split(V, 0),
        "ValueError: array_split: the number of sections must be positive, not 0",
    ),
    (
        lambda: linalg.tensorinv(M, ind=0),
        "ValueError: tensorinv: ind=0 must be positive",
    ),
    (
        lambda: linalg.matrix_power(ones(2, 3), 2),
        "LinAlgError: matrix_power: the matrix must be square, not of shape (2, 3)",
    ),
    (
        lambda: linalg.multi_dot([M]),
        "ValueError: multi_dot: it takes two or more arrays, all but the ends matrices",
    ),
    (
        lambda: np.sum(linalg.qr(ones(2, 2))[0]).backward(),
        "ValueError: qr: the columns are linearly dependent, and Q is not unique then; its "
        "derivative exists only for a matrix of full column rank",
    ),
    (
        lambda: linalg.qr(ones(3, 2), mode="complete"),
        "MissingRuleError: qr: mode='complete' is not supported on a Variable of shape (3, 2); "
        "use 'reduced' or 'r': the further columns of a complete Q are not unique",
    ),
    (
        lambda: linalg.norm(M, 3),
        "ValueError: norm: order 3 is not defined for matrices; use None, 'fro', 'nuc', ±1, ±2 "
        "or ±inf",
    ),
    (
        lambda: linalg.norm(V, "fro"),
        "ValueError: norm: order 'fro' is for matrices, and the axes are those of vectors",
    ),
    (
        lambda: linalg.norm(ones(2, 2, 2), axis=(0, 1, 2)),
        "ValueError: norm: 3 axes, where vectors have one and matrices two",
    ),
    (
        lambda: np.pad(V, 1, mode="linear_ramp"),
        "MissingRuleError: pad: mode='linear_ramp' with no options is not supported on a "
        "Variable; supported are constant, edge, reflect, symmetric, wrap",
    ),
    (
        lambda: np.pad(V, 1, constant_values=V),
        "MissingRuleError: pad: constant_values=v is tracked and has shape (2,); a tracked one "
        "must be a single number, or write np.concatenate",
    ),
    (
        lambda: np.clip(V, 0, 1, out=np.ones(2)),
        "MissingRuleError: clip: out= is not supported on a Variable; use the returned value",
    ),
    (
        lambda: np.tensordot(V, np.ones(3), 1),
        "ValueError: tensordot: axes [0] of shape (2,) and [0] of shape (3,) do not align: [2] "
        "≠ [3]",
    ),
    (
        lambda: linalg.outer(M, V),
        "ValueError: outer: it takes two vectors, not shapes (2, 2) and (2,)",
    ),
    (
        lambda: linalg.cross(V, V),
        "ValueError: cross: it takes vectors of length 3, not 2 and 2; NumPy's product of "
        "vectors of length 2 is deprecated, write x[0] * y[1] - x[1] * y[0]",
    ),
    (
        lambda: np.einsum("ij", V),
        "ValueError: einsum: 'ij' names 2 axes, the operand has 1",
    ),
    (
        lambda: np.einsum("i,i", V),
        "ValueError: einsum: 'i,i' is not for 1 operands",
    ),
    (
        lambda: np.einsum("...i->i", M),
        "ValueError: einsum: the result of '...i->i' must have an ellipsis, too",
    ),
    (
        lambda: np.einsum("ii", ones(2, 3)),
        "ValueError: einsum: 'i' stands for axes of lengths 2 and 3",
    ),
    (
        lambda: np.einsum("i", V, dtype=np.float32, casting="safe"),
        "TypeError: einsum: casting='safe' does not let float64 become float32; write "
        "casting='same_kind'",
    ),
    (
        lambda: np.sum(V, initial=X),
        "MissingRuleError: sum: initial= takes a number, and was given x; combine it with the "
        "result: np.sum(x) + initial, np.maximum(np.max(x), initial)",
    ),
    (
        lambda: np.max(V, where=[True, False]),
        "ValueError: max: where= needs initial=, the result where it is all False",
    ),
    (
        lambda: np.sum(V, where=np.ones((3, 2), bool)),
        "ValueError: sum: where= of shape (3, 2) does not broadcast to the array's (2,)",
    ),
    (
        lambda: np.diff(V, -1),
        "ValueError: diff: n = -1 differences cannot be taken; n must be 0 or more",
    ),
    (
        lambda: np.diff(X),
        "ValueError: diff: a scalar has no axis to take differences along",
    ),
    (
        lambda: np.gradient(V, 1.0, 1.0),
        "TypeError: gradient: 2 spacings were given for 1 axes; give one number, or a number or"
        " coordinates for each axis",
    ),
    (
        lambda: np.gradient(V, edge_order=3),
        "ValueError: gradient: edge_order must be 1 or 2, not 3",
    ),
    (
        lambda: np.gradient(V, edge_order=2),
        "ValueError: gradient: at least 3 entries are needed along axis 0, not 2",
    ),
    (
        lambda: np.convolve(V, []),
        "ValueError: convolve: neither array may be empty; the shapes are (2,), (0,)",
    ),
    (
        lambda: np.convolve(V, V, "all"),
        "ValueError: convolve: mode must be 'full', 'same' or 'valid', not 'all'",
    ),
    (
        lambda: np.gradient(V, [0.0, 1.0, 2.0]),
        "ValueError: gradient: coordinates of shape (3,) do not fit the 2 entries along axis 0;"
        " give one number, or 2 coordinates",
    ),
    (
        lambda: np.cumulative_sum(M),
        "ValueError: cumulative_sum: axis= is needed, for x has shape (2, 2), not one axis",
    ),
    (
        lambda: np.rot90(M, axes=(0, 0)),
        "ValueError: rot90: axes=(0, 0) must be two different axes of the float64 array of "
        "shape (2, 2)",
    ),
    (
        lambda: V.astype(complex),
        "TypeError: astype: v is tracked, and only real numbers can be, not complex128; keep "
        "the real and the imaginary part as two Variables",
    ),
    (
        lambda: np.full_like(V, X),
        "MissingRuleError: full_like: the fill value x is tracked, and full_like makes a "
        "constant; write np.broadcast_to(x, shape)",
    ),
    (
        lambda: np.var(V, ddof=1, correction=1),
        "ValueError: var: ddof and correction are two names of one number; give one of them",
    ),
    (
        lambda: np.average(V, weights=[1.0, -1.0]),
        "ZeroDivisionError: average: the weights sum to zero and cannot be normalised",
    ),
    (
        lambda: np.average(M, weights=np.ones(3)),
        "TypeError: average: weights of shape (3,) do not match the array of shape (2, 2); say "
        "with axis= which of its axes they belong to",
    ),
    (
        lambda: np.average(M, axis=0, weights=np.ones(3)),
        "ValueError: average: weights of shape (3,) do not match axes (0,) of the array of "
        "shape (2, 2)",
    ),
    (
        lambda: np.cov(ones(2, 2, 2)),
        "ValueError: cov: more than two axes in an array of shape (2, 2, 2)",
    ),
    (
        lambda: np.cov(V, aweights=np.ones(3)),
        "ValueError: cov: weights of shape (3,) for 2 samples; give 2",
    ),
    (
        lambda: np.quantile(V, 0.5, weights=[1.0, 2.0]),
        "ValueError: quantile: weights= are for method='inverted_cdf' only, not 'linear'",
    ),
    (
        lambda: np.quantile(V, X),
        "MissingRuleError: quantile: there is no derivative rule for q, and x is tracked; "
        "detach it",
    ),
    (
        lambda: np.matmul(M, M, axis=0),
        "TypeError: matmul: axis= and keepdims= are for products of vectors alone",
    ),
    (
        lambda: np.matmul(M, M, axes=[(0, 1)]),
        "ValueError: matmul: axes= must list the axes of 2 operands and the result, and lists 1",
    ),
    (
        lambda: np.fmax.reduce(V, where=[True, False]),
        "ValueError: fmax.reduce: where= needs initial=, for want of a zero",
    ),
    (
        lambda: np.fmax.reduce(ones(0)),
        "ValueError: fmax.reduce: nothing to reduce in shape (0,)",
    ),
    (
        lambda: linalg.cond(ones(0, 0)),
        "LinAlgError: cond: an empty matrix has none, and the shape is (0, 0)",
    ),
    (
        lambda: linalg.lstsq(ones(2, 2, 2), np.ones((2, 2))),
        "LinAlgError: lstsq: it takes a matrix and a vector or matrix, not stacks of shapes (2,"
        " 2, 2) and (2, 2); write np.linalg.pinv(a) @ b",
    ),
    (
        lambda: np.cov(V, np.ma.array([1.0, 2.0], mask=[0, 1])),
        "TypeError: a masked array of shape (2,) took part, and its mask would be lost; pass "
        "masked.filled(value), and the mask to np.where",
    ),
]


@pytest.mark.parametrize(
    ("program", "message"),
    CONDITIONS,
    ids=[f"{k} {message.split(': ')[1]}" for k, (_, message) in enumerate(CONDITIONS)],
)
def test_condition(program, message):
    with pytest.raises((ValueError, TypeError, ArithmeticError)) as caught:
        program()
    assert f"{type(caught.value).__name__}: {caught.value}" == message
