"""Variance, deviation, weighted averages, medians, quantiles, and their NaN-skipping forms."""

import numpy as np

from tests.cases.case import Case
from tests.cases.reductions import MASK, over_axes

HOLES = np.array([[0.0, np.nan, 0.0, 0.0], [np.nan, 0.0, np.nan, 0.0], [0.0, 0.0, 0.0, np.nan]])
METHODS = [
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "median_unbiased",
    "normal_unbiased",
    "lower",
    "higher",
    "midpoint",
    "nearest",
]
ORDERED = {"distinct": True, "zero_strides": False, "empty": False}


def skipping(function, call, **options):
    """The row of a NaN-skipping function, on entries of which some are NaN."""
    return Case(
        function.__name__, function, lambda x: call(x + HOLES), [(3, 4)], empty=False, **options
    )


def spreads(name, function):
    """The rows of var or std."""
    return [
        *over_axes(name, function, zero_strides=False, scalar=False),
        Case(f"{name} with ddof", function, lambda x: function(x, axis=1, ddof=1)),
        Case(f"{name} with correction", function, lambda x: function(x, correction=1.5)),
        Case(f"{name}, wider", function, lambda x: function(x, dtype=np.longdouble), exact=False),
        Case(
            f"{name} where",
            function,
            lambda x: function(x, 1, where=MASK, keepdims=True),
            exact=False,
            empty=False,
            zero_strides=False,
        ),
        Case(
            f"{name} about a mean", function, lambda x, m: function(x, 1, mean=m), [(2, 3), (2, 1)]
        ),
        Case(
            f"{name} of constants about a mean",
            function,
            lambda m: function(np.arange(3.0), mean=m),
            [()],
        ),
    ]


CASES = [
    *spreads("var", np.var),
    *spreads("std", np.std),
    skipping(np.nanmean, lambda x: np.nanmean(x, axis=1)),
    skipping(np.nanvar, lambda x: np.nanvar(x, 0, ddof=0.5, keepdims=True)),
    skipping(np.nanstd, lambda x: np.nanstd(x, axis=1)),
    Case("average", np.average, lambda x: np.average(x, axis=1), empty=False),
    Case(
        "average, weighted", np.average, lambda x, w: np.average(x, 0, w), [(2, 3), (2,)], (0.5, 2)
    ),
    Case(
        "average over two axes",
        np.average,
        lambda x, w: np.average(x, (2, 0), w, keepdims=True),
        [(2, 3, 4), (4, 2)],
        (0.5, 2),
        exact=False,
    ),
    Case(
        "average of constants",
        np.average,
        lambda w: np.average([[1.0, 2.0], [4.0, 3.0]], weights=w, returned=True),
        [(2, 2)],
        (0.5, 2),
        empty=False,
    ),
    # --- covariance
    Case("cov", np.cov, inputs=[(2, 4)], exact=False, zero_strides=False),
    Case("cov of columns", np.cov, lambda x, y: np.cov(x, y, False), [(4, 2), (4, 1)], exact=False),
    Case("cov of one row", np.cov, lambda x: np.cov(x, bias=True), [(5,)], exact=False),
    Case(
        "cov, weighted",
        np.cov,
        lambda x, a: np.cov(x, fweights=[1, 2, 1], aweights=a),
        [(2, 3), (3,)],
        [(-2, 2), (0.5, 2)],
        exact=False,
    ),
    Case(
        "cov by frequency",
        np.cov,
        lambda x: np.cov(x, fweights=[1, 2, 1], ddof=2),
        exact=False,
    ),
    Case("corrcoef", np.corrcoef, inputs=[(3, 5)], exact=False, zero_strides=False, empty=False),
    Case("corrcoef of one row", np.corrcoef, np.corrcoef, [(4,)], zero_strides=False),
    # --- medians and quantiles
    *over_axes("median", np.median, method=False, **ORDERED),
    Case(
        "median of an even number", np.median, lambda x: np.median(x, axis=1), [(2, 4)], **ORDERED
    ),
    Case("nanmedian", np.nanmedian, lambda x: np.nanmedian(x + HOLES, 1), [(3, 4)], **ORDERED),
    Case("quantile", np.quantile, lambda x: np.quantile(x, 0.3, axis=1), [(2, 5)], **ORDERED),
    Case(
        "quantiles",
        np.quantile,
        lambda x: np.quantile(x, [[0.1, 0.5, 1], [0, 0.4, 0.9]], (0, 2), keepdims=True),
        [(2, 3, 3)],
        **ORDERED,
    ),
    *[
        Case(
            f"quantile, {method}",
            np.quantile,
            lambda x, method=method: np.quantile(x, [0.1, 0.5, 0.72], method=method),
            [(7,)],
            **ORDERED,
        )
        for method in METHODS
    ],
    Case(
        "quantile, weighted",
        np.quantile,
        lambda x: [
            np.quantile(x, [0.3, 0.8], 1, weights=[1, 2, 1, 1], method="inverted_cdf"),
            np.quantile(x, 0.4, weights=np.ones((3, 4)), method="inverted_cdf", keepdims=True),
        ],
        [(3, 4)],
        **ORDERED,
    ),
    Case(
        "nanpercentile, weighted",
        np.nanpercentile,
        lambda x: np.nanpercentile(
            x + HOLES[:2], [30, 80], weights=np.ones((2, 4)), method="inverted_cdf"
        ),
        [(2, 4)],
        **ORDERED,
    ),
    Case("percentile", np.percentile, lambda x: np.percentile(x, [15, 50], 0), [(5, 2)], **ORDERED),
    skipping(np.nanquantile, lambda x: np.nanquantile(x, [0.2, 0.9], axis=1), distinct=True),
    skipping(np.nanpercentile, lambda x: np.nanpercentile(x, 40, axis=0), distinct=True),
]
