"""Where NumPy minds an edge, the same call on a Variable does: equal values, or the same error.

Tracked and untracked operands, for integers can only be untracked.
"""

import numpy as np
import pytest

import autograd_lite as ag

LINE = np.array([1.0, 2.0, 4.0])
LARGE = np.array([2**62] * 3)  # three of them are no int64
SINGULAR = {
    "zeros": np.zeros((3, 3)),
    "ones": np.ones((2, 2)),
    "a stack": np.stack([np.diag([1.0, 2]), np.ones((2, 2))]),
}
POINTS = np.array([-1, 0, 0.5, 1, 1.5, 2, 3, np.nan, np.inf])
INFINITE = [
    [0, 1, np.inf],
    [np.inf, 1, 0],
    [np.inf, np.inf, 1],
    [np.inf, -np.inf, 2],
    [-np.inf, 3, -np.inf],
    [np.nan, 1, 1],
]

# what is said, the function, its operand
EDGES = [
    *[
        (f"{name} of a scalar over axis 0", lambda x, f=f: f(x, axis=0), np.array(2.0))
        for name, f in [
            *((f.__name__, f) for f in (np.sum, np.prod, np.max, np.mean, np.var, np.std)),
            *((f.__name__, f) for f in (np.average, np.median, np.linalg.norm, np.nanmean)),
        ]
    ],
    ("average over a list of axes", lambda x: np.average(x, axis=[0, 1]), np.ones((2, 3))),
    *[
        (f"{f.__name__} of large integers", f, LARGE)
        for f in (np.mean, np.var, np.std, np.average, np.nanmean, np.nanvar, np.nanstd)
    ],
    *[
        (f"cond {p} of {name}", lambda x, p=p: np.linalg.cond(x, p), x)
        for p in (None, -2, 1, "fro", np.inf)
        for name, x in SINGULAR.items()
    ],
    ("cond of an empty matrix", np.linalg.cond, np.zeros((0, 0))),
    ("cond of NaN", lambda x: np.linalg.cond(x, 1), np.full((2, 2, 2), [[np.nan, 1], [1, 2]])),
    *[
        (f"interp through {fp}", lambda fp: np.interp(POINTS, [0, 1, 2], fp), np.array(fp, float))
        for fp in INFINITE
    ],
    ("corrcoef is at most 1", np.corrcoef, np.stack([LINE, 3 * LINE, -0.7 * LINE])),
    ("lstsq of a stack", lambda x: np.linalg.lstsq(x, x)[0], np.ones((2, 3, 3))),
]
ids = [edge[0] for edge in EDGES]


@pytest.mark.parametrize("requires_grad", [True, False], ids=["tracked", "untracked"])
@pytest.mark.parametrize(("function", "x"), [edge[1:] for edge in EDGES], ids=ids)
def test_as_numpy(function, x, requires_grad):
    """No warnings where NumPy has none, for warnings are errors here."""
    v = ag.Variable(x, requires_grad=requires_grad and x.dtype.kind == "f")
    try:
        expected = np.asarray(function(x))
    except (ValueError, IndexError) as error:  # AxisError is both, LinAlgError is a ValueError
        with pytest.raises(type(error)):
            function(v)
        return
    z = function(v)
    assert z.dtype == expected.dtype
    np.testing.assert_allclose(z.data, expected, rtol=1e-15)


def test_corrcoef_does_not_exceed_1_by_rounding():
    """On numbers whose quotients do."""
    rows = np.stack([LINE, 3 * LINE, -0.7 * LINE])
    c = np.cov(rows)
    deviation = np.sqrt(np.diag(c))
    assert np.max(np.abs(c / deviation[:, None] / deviation)) > 1
    assert np.max(np.abs(np.corrcoef(ag.Variable(rows)).data)) == 1


def test_an_infinite_neighbour_takes_nothing_from_the_points_of_a_line():
    """Neither their values nor their gradients, on either side of it."""
    fp = ag.Variable([0.0, 1.0, np.inf, 3.0, 5.0])
    z = np.interp([1.0, 3.0, 3.5], np.arange(5.0), fp)
    assert z.data.tolist() == [1, 3, 4]
    z.backward(np.ones(3))
    assert fp.grad.tolist() == [0, 1, 0, 1.5, 0.5]


def test_the_condition_of_regular_matrices_beside_a_singular_one():
    x = ag.Variable(SINGULAR["a stack"])
    slope = ag.gradients(np.linalg.cond(x, 1)[0], x)  # of 2 · 1, at [[1, 0], [0, 2]]
    assert slope.tolist() == [[[-2, 0], [0, 1]], [[0, 0], [0, 0]]]


@pytest.mark.parametrize(
    "index",
    [
        lambda m: slice(m),
        lambda m: (slice(None, m), slice(None)),
        lambda m: (slice(0, m), [0, 1]),
    ],
    ids=["a slice", "two slices", "beside an array"],
)
def test_a_bound_that_is_assigned_before_the_backward_pass(index):
    """The record holds what it was."""
    x = ag.Variable(np.ones((3, 2)))
    m = ag.Variable(np.array(2), requires_grad=False)
    z = x[index(m)]
    m.data = np.array(1)
    np.sum(z).backward()
    assert x.grad.tolist() == [[1, 1], [1, 1], [0, 0]]


MASKED = np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0])


@pytest.mark.parametrize(
    "call",
    [
        lambda v: np.where([True, False, True], v, MASKED),
        lambda v: np.where(MASKED > 1, v, 0),
        lambda v: ag.put(v, [0, 1, 2], MASKED),
        lambda v: np.average(v, weights=MASKED),
        lambda v: np.average(MASKED, weights=v),
        lambda v: np.einsum("i,i", v, MASKED),
        lambda v: np.interp(v, [0, 1, 2], MASKED),
        lambda v: np.polyval(MASKED, v),
        lambda v: np.polyadd(v, MASKED),
        lambda v: np.trapezoid(v, MASKED),
        lambda v: np.convolve(v, MASKED),
        lambda v: np.cov(v, MASKED),
        lambda v: np.tensordot(v, MASKED, 1),
    ],
)
def test_no_mask_is_lost(call):
    with pytest.raises(TypeError, match=r"masked array of shape \(3,\) took part"):
        call(ag.Variable([1.0, 2.0, 3.0]))
