"""The table of kinks: where a function has no derivative, the subgradient of smallest norm.

One row per promise; the docs print the same table.
"""

import warnings

import numpy as np
import pytest

import autograd_lite as ag

X = [-1.0, 0.0, 2.0]

# what is said, the function, its inputs, the gradient of the sum of its values for each input
KINKS = [
    ("abs is 0 at 0", np.abs, [X], [[-1, 0, 1]]),
    ("relu is 0 at 0", lambda x: np.clip(x, 0, None), [X], [[0, 0, 1]]),
    ("clip is 0 at its lower bound", lambda x: np.clip(x, -1, 3), [X], [[0, 1, 1]]),
    ("clip is 0 at its upper bound", lambda x: np.clip(x, None, 2), [X], [[1, 1, 0]]),
    ("clip is 0 at both bounds", lambda x: np.clip(x, -1, 2), [X], [[0, 1, 0]]),
    ("clip is 0 between equal bounds", lambda x: np.clip(x, 0, 0), [X], [[0, 0, 0]]),
    (
        "clip between crossed bounds is the upper one",
        np.clip,
        [X, [1, 1, 1], [0.5, 0.5, 0.5]],
        [[0, 0, 0], [0, 0, 0], [1, 1, 1]],
    ),
    (
        "clip gives a bound the slope where it holds, and none where x touches it",
        np.clip,
        [[-1, 0, 1, 2, 3], [0, 0, 0, 0, 0], [2, 2, 2, 2, 2]],
        [[0, 0, 1, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1]],
    ),
    ("maximum shares a tie ½–½", np.maximum, [X, [-1, 1, 1]], [[0.5, 0, 1], [0.5, 1, 0]]),
    ("minimum shares a tie ½–½", np.minimum, [X, [-1, 1, 1]], [[0.5, 1, 0], [0.5, 0, 1]]),
    ("maximum with a constant: ½ at a tie", lambda x: np.maximum(x, 0), [X], [[0, 0.5, 1]]),
    ("minimum with a constant: ½ at a tie", lambda x: np.minimum(0, x), [X], [[1, 0.5, 0]]),
    ("maximum of x and x is x", lambda x: np.maximum(x, x), [X], [[1, 1, 1]]),
    ("max is shared by all ties", np.max, [[3, 1, 3, 3]], [[1 / 3, 0, 1 / 3, 1 / 3]]),
    (
        "max shares a tie with initial",
        lambda x: np.max(x, initial=2),
        [[1, 2, 2]],
        [[0, 1 / 3, 1 / 3]],
    ),
    (
        "min shares a tie with initial, and nothing with what where= leaves out",
        lambda x: np.min(x, initial=2, where=[True, True, False]),
        [[3, 2, 2]],
        [[0, 0.5, 0]],
    ),
    ("min is shared by all ties", np.min, [[3, 1, 3, 1]], [[0, 0.5, 0, 0.5]]),
    (
        "max over an axis is shared within each row",
        lambda x: np.max(x, axis=1),
        [[[1, 1, 0], [2, 2, 2]]],
        [[[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]]],
    ),
    (
        "min over two axes is shared across both",
        lambda x: np.min(x, axis=(0, 1), keepdims=True),
        [[[1, 1, 5], [2, 2, 1]]],
        [[[1 / 3, 1 / 3, 0], [0, 0, 1 / 3]]],
    ),
    ("x**0 is 0, also at 0", lambda x: x**0, [X], [[0, 0, 0]]),
    ("x**y is 0 for y = 0", np.power, [[2, 0], [0, 0]], [[0, 0], [np.log(2), 0]]),
    ("x**1 is 1, also at 0", lambda x: x**1, [X], [[1, 1, 1]]),
    ("x**2 is 2x, also at 0", lambda x: x**2, [X], [[-2, 0, 4]]),
    ("0**y is 0 for y > 0", lambda y: 0**y, [[0.5, 1, 3]], [[0, 0, 0]]),
    ("fabs is 0 at 0", np.fabs, [X], [[-1, 0, 1]]),
    ("fmax shares a tie ½–½", np.fmax, [X, [-1, 1, 1]], [[0.5, 0, 1], [0.5, 1, 0]]),
    ("fmin shares a tie ½–½", np.fmin, [X, [-1, 1, 1]], [[0.5, 1, 0], [0.5, 0, 1]]),
    (
        "fmax goes to the number, not to the NaN",
        lambda x, y: np.nan_to_num(np.fmax(x, y)),
        [[np.nan, 1, np.nan], [2, np.nan, np.nan]],
        [[0, 1, 0], [1, 0, 0]],
    ),
    ("nanmax is shared by all ties", np.nanmax, [[3, np.nan, 3, 1]], [[0.5, 0, 0.5, 0]]),
    ("ptp of a constant is 0", np.ptp, [[2, 2]], [[0, 0]]),
    ("median is shared by all ties", np.median, [[1, 5, 1, 1]], [[1 / 3, 0, 1 / 3, 1 / 3]]),
    (
        "quantile is shared by all ties",
        lambda x: np.quantile(x, 0.5),
        [[0, 7, 3, 3]],
        [[0, 0, 0.5, 0.5]],
    ),
    ("median between two values: ½–½", np.median, [[4, 1, 2, 0]], [[0, 0.5, 0.5, 0]]),
    ("std of a constant is 0", np.std, [[3, 3, 3]], [[0, 0, 0]]),
    ("nanstd of a constant is 0", np.nanstd, [[3, np.nan, 3]], [[0, 0, 0]]),
    ("hypot is 0 at the origin", np.hypot, [[0, 3], [0, -4]], [[0, 0.6], [0, -0.8]]),
    ("arctan2 is 0 at the origin", np.arctan2, [[0, 2], [0, 0]], [[0, 0], [0, -0.5]]),
    ("prod of zeros is exact", np.prod, [[2, 0, 3]], [[0, 6, 0]]),
    ("prod of two zeros is exact", np.prod, [[2, 0, 0]], [[0, 0, 0]]),
    ("cumprod of zeros is exact", np.cumprod, [[2, 0, 3, 4]], [[1, 2 + 6 + 24, 0, 0]]),
    ("copysign is 0 at 0", lambda x: np.copysign(x, -1.0), [X], [[1, 0, -1]]),
    ("copysign does not depend on its sign", np.copysign, [X, [-1, 1, 1]], [[1, 0, 1], [0, 0, 0]]),
    ("heaviside is 0 in x, and 1 in its value at 0", np.heaviside, [X, X], [[0, 0, 0], [0, 1, 0]]),
    ("remainder has slope 1, also at a jump", lambda x: x % 2, [X], [[1, 1, 1]]),
    ("remainder by y has slope −⌊x/y⌋", lambda y: -5.0 % y, [[2, 3, -2]], [[3, 2, -2]]),
    ("fmod by y has slope −trunc(x/y)", lambda y: np.fmod(-5, y), [[2, 3, -2]], [[2, 1, -2]]),
    ("fmod by y counts what it subtracts", lambda y: np.fmod(1, y), [[0.1]], [[-9]]),
    ("modf has slope 1", lambda x: np.modf(x)[0], [X], [[1, 1, 1]]),
    ("x**3 is 3x², also at 0", lambda x: x**3, [X], [[3, 0, 12]]),
    ("nan_to_num is 0 where it replaces", np.nan_to_num, [[np.nan, 1, 2]], [[0, 1, 1]]),
    (
        "masked by −∞: no gradient, and no NaN",
        np.logaddexp,
        [[-np.inf, 0, -np.inf], [0, -np.inf, 1]],
        [[0, 1, 0], [1, 0, 1]],
    ),
    (
        "both masked by −∞: ½–½",
        lambda x, y: np.exp(np.logaddexp(x, y)) + np.logaddexp(y, x)[1],
        [[-np.inf, 0.0], [-np.inf, 0.0]],
        [[0, 2], [0, 2]],
    ),
    ("sign is a constant", lambda x: x * np.sign(x), [X], [[-1, 0, 1]]),
    ("where has the slope of its branch", lambda x: np.where(x > 0, x, 3 * x), [X], [[3, 3, 1]]),
    ("norm is 0 at the zero vector", np.linalg.norm, [[0, 0]], [[0, 0]]),
    *[
        (
            f"norm of order {p} is 0 at the zero vector",
            lambda x, p=p: np.linalg.norm(x, p),
            [[0, 0]],
            [[0, 0]],
        )
        for p in (-2, -1, -0.5, 0.5, 1, 1.5, 2, 3, 4, np.inf)
    ],
    *[
        (
            f"norm of order {p} is 0 where an entry is",
            lambda x, p=p: np.linalg.norm(x, p),
            [[0, 1, 2]],
            [[0, 0, 0]],
        )
        for p in (-2, -1, -0.5)
    ],
    *[
        (f"matrix norm {p} is 0 at 0", lambda x, p=p: np.linalg.norm(x, p), [[[0, 0]]], [[[0, 0]]])
        for p in ("fro", "nuc", 1, 2, np.inf)
    ],
    (
        "norm of one zero row",
        lambda x: np.linalg.norm(x, axis=1),
        [[[0, 0], [3, 4]]],
        [[[0, 0], [0.6, 0.8]]],
    ),
    (
        "sort leaves equal entries in order",
        lambda x: np.sort(x) * [1, 2, 3],
        [[7, 7, 5]],
        [[2, 3, 1]],
    ),
    (
        "sort leaves equal entries in order, however many",  # below 17, any of NumPy's sorts does
        lambda x: np.sort(x) * np.arange(100),
        [np.tile([1, 0], 50)],
        [np.stack([np.arange(50, 100), np.arange(50)], axis=1).ravel()],
    ),
    (
        "interp has the slope to the right of a point, of the last one to the left",
        lambda x, fp: np.interp(x, [0, 1, 2], fp),
        [[0, 1, 2, 3], [0, 1, 5]],
        [[1, 4, 4, 0], [1, 1, 2]],
    ),
]


each_kink = pytest.mark.parametrize(
    ("function", "inputs", "expected"),
    [kink[1:] for kink in KINKS],
    ids=[kink[0] for kink in KINKS],
)


@each_kink
@pytest.mark.parametrize("create_graph", [False, True], ids=["plain", "recorded"])
def test_subgradient(function, inputs, expected, create_graph):
    """Also where the rules run on Variables."""
    xs = [ag.Variable(np.array(x, float)) for x in inputs]
    slopes = ag.gradients(np.sum(function(*xs)), xs, create_graph=create_graph)
    for slope, e in zip(slopes, expected, strict=True):
        np.testing.assert_allclose(slope.data if create_graph else slope, e, rtol=1e-15)


def test_sqrt_has_an_infinite_slope_at_0():
    x = ag.Variable([0.0, 4.0])
    with np.errstate(divide="ignore"):  # truly infinite, and NumPy says so
        np.sum(np.sqrt(x)).backward()
    assert x.grad.tolist() == [np.inf, 0.25]


@pytest.mark.parametrize("count", [3, 10_001])
@pytest.mark.parametrize(
    ("function", "others"),
    [
        (lambda x: np.sum(np.sqrt(np.clip(x[1:], 0, None))), (-1, -1)),
        (lambda x: np.sqrt(np.max(x)), (-1, -2)),
        (lambda x: np.sqrt(np.min(x)), (1, 2)),
        (lambda x: np.sqrt(np.nanmax(x)), (-1, -2)),
        (lambda x: np.sqrt(np.median(x)), (-1, 1)),
        (lambda x: np.sqrt(np.quantile(x, 0)), (1, 2)),
        (lambda x: np.sqrt(np.std(x[1:])), (1, 1)),
    ],
    ids=["clip", "max", "min", "nanmax", "median", "quantile", "std"],
)
def test_what_takes_no_part_stops_an_infinite_slope(function, others, count):
    """Its slope 0 is no factor: 0·∞ would be NaN. Large arrays go another way."""
    x = ag.Variable(np.concatenate([[0], np.tile(others, count // 2)]).astype(float))
    z = function(x)
    with np.errstate(divide="ignore"):
        slopes = ag.gradients(z, x), ag.gradients(z, x, create_graph=True).data
    np.testing.assert_array_equal(np.delete(slopes, 0, axis=1), np.zeros((2, count - 1)))


@pytest.mark.parametrize("count", [4, 10_000])
@pytest.mark.parametrize("create_graph", [False, True], ids=["plain", "recorded"])
def test_an_infinite_slope_is_shared_by_all_that_attain_the_maximum(count, create_graph):
    x = ag.Variable(np.tile([0.0, -1.0], count // 2))
    with np.errstate(divide="ignore"):
        slope = ag.gradients(np.sqrt(np.max(x)), x, create_graph=create_graph)
    slope = slope.data if create_graph else slope
    np.testing.assert_array_equal(slope, np.tile([np.inf, 0], count // 2))


@pytest.mark.parametrize("function", [np.abs, np.square, lambda x: np.maximum(x, 0)])
def test_second_derivative_away_from_the_kink_is_untouched_by_it(function):
    x = ag.Variable([-1.0, 0.5])
    slope = ag.gradients(np.sum(function(x) * x), x, create_graph=True)
    second = ag.gradients(slope, x, np.ones(2))
    step = 1e-4
    expected = [
        (f(v + step) - 2 * f(v) + f(v - step)) / step**2
        for v in x.data
        for f in [lambda v: v * function(v)]
    ]
    np.testing.assert_allclose(second, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: np.nanmean(x, axis=1), [[0.5, 0, 0.5], [0, 0, 0], [0, 1, 0]]),
        (lambda x: np.nanvar(x, axis=1), [[-1, 0, 1], [0, 0, 0], [0, 0, 0]]),
        (lambda x: np.nanvar(x, axis=1, ddof=1), [[-2, 0, 2], [0, 0, 0], [0, 0, 0]]),
        (lambda x: np.nanvar(x, axis=1, ddof=2), [[0, 0, 0], [0, 0, 0], [0, 0, 0]]),
        (lambda x: np.nanstd(x, axis=1, correction=3), [[0, 0, 0], [0, 0, 0], [0, 0, 0]]),
        (lambda x: np.nanmax(x, axis=1), [[0, 0, 1], [0, 0, 0], [0, 1, 0]]),
        (lambda x: np.nanmedian(x, axis=1), [[0.5, 0, 0.5], [0, 0, 0], [0, 1, 0]]),
    ],
)
@pytest.mark.parametrize("create_graph", [False, True], ids=["plain", "recorded"])
def test_nan_for_want_of_entries_is_a_constant(function, expected, create_graph):
    """NaN with NumPy's warning, not ∞; the other slices have the slopes that they always have."""
    values = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan], [np.nan, 7.0, np.nan]])
    x = ag.Variable(values)
    with pytest.warns(RuntimeWarning):
        z = function(x)
    with pytest.warns(RuntimeWarning):
        np.testing.assert_allclose(z.data, function(values))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nanmedian's rule asks NumPy again
        slope = ag.gradients(np.sum(z), x, create_graph=create_graph)
    np.testing.assert_allclose(slope.data if create_graph else slope, expected, atol=1e-15)


def test_nan_attains_no_maximum():
    x = ag.Variable([1.0, np.nan, 2.0])
    np.max(x).backward()
    assert x.grad.tolist() == [0, 0, 0]
