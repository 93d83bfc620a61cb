"""From many entries to few: sum, product, mean, extrema; any, all, argmax."""

from typing import Any

import numpy as np

from tests.cases.case import Case

HOLES = np.array([[0.0, np.nan, 0.0], [np.nan, 0.0, 0.0]])
MASK = np.array([[True, False, True], [False, False, True]])
WITH_ZEROS = np.array([[0.0, 1.5, 0.0], [0.5, 0.0, 1.2]])


def over_axes(
    name: str, function: Any, *, method: bool = True, scalar: bool = True, **options: Any
) -> list[Case]:
    """The rows of a reduction: no axis, one, negative, several, none at all; with keepdims."""
    rows = {
        "": lambda x: function(x),
        " over axis 0": lambda x: function(x, axis=0),
        " over axis -1, by position": lambda x: function(x, -1),
        " over axes 0 and 2": lambda x: function(x, axis=(0, 2)),
        " over axes -1 and 0": lambda x: function(x, axis=(-1, 0), keepdims=True),
        ", keepdims": lambda x: function(x, keepdims=True),
        " over axis 1, keepdims": lambda x: function(x, axis=1, keepdims=True),
    }
    if method:
        rows[" by method"] = lambda x: getattr(x, function.__name__)(axis=1)
    if scalar:
        rows[" over no axis"] = lambda x: function(x, axis=())
    cases = [Case(name + how, function, call, [(2, 3, 2)], **options) for how, call in rows.items()]
    return [*cases, *([Case(f"{name} of a scalar", function, inputs=[()], **options)] * scalar)]


def masked(name: str, function: Any, **options: Any) -> list[Case]:
    """The rows of NumPy's where= and initial=, the mask an array and an untracked Variable."""
    return [
        Case(
            f"{name} where, from an initial value",
            function,
            lambda x: function(x, axis=1, where=MASK, initial=0.3),
            exact=False,
            empty=False,
            **options,
        ),
        Case(
            f"{name} where it is itself large",
            function,
            lambda x: function(x, initial=0.25, where=abs(x) > 0.5),
            exact=False,
            avoid=[-0.5, 0.5],
            **options,
        ),
        Case(f"{name} from an initial value", function, lambda x: function(x, 0, initial=0.3)),
    ]


CASES = [
    *over_axes("sum", np.sum),
    *over_axes("prod", np.prod),
    *over_axes("mean", np.mean),
    *over_axes("max", np.max, distinct=True),
    *over_axes("min", np.min, distinct=True),
    *masked("sum", np.sum),
    *masked("prod", np.prod),
    *masked("max", np.max, distinct=True),
    *masked("min", np.min, distinct=True),
    Case("mean where", np.mean, lambda x: np.mean(x, 1, where=MASK), exact=False, empty=False),
    Case("sum, wider", np.sum, lambda x: np.sum(x, dtype=np.longdouble), exact=False),
    Case("mean, wider", np.mean, lambda x: np.mean(x, 0, np.longdouble), exact=False),
    Case("prod of zeros", np.prod, inputs=[WITH_ZEROS], order=4),
    Case("prod of zeros over axis 1", np.prod, lambda x: np.prod(x, 1), [WITH_ZEROS], order=4),
    *[
        Case(f"{f.__name__} of a scalar over axis 0", f, lambda x, f=f: f(x, axis=0), [()])
        for f in (np.sum, np.prod, np.max)
    ],
    Case("amax", np.amax, distinct=True),
    Case("amin", np.amin, distinct=True),
    Case("ptp", np.ptp, lambda x: np.ptp(x, axis=1, keepdims=True), distinct=True),
    Case("nansum", np.nansum, lambda x: np.nansum(x + HOLES, axis=1), empty=False),
    Case("nanprod", np.nanprod, lambda x: np.nanprod(x + HOLES, 0), empty=False),
    Case("nanmax", np.nanmax, lambda x: np.nanmax(x + HOLES, 1), distinct=True, empty=False),
    Case("nanmin", np.nanmin, lambda x: np.nanmin(x + HOLES), distinct=True, empty=False),
    Case("np.add.reduce", np.sum, np.add.reduce),
    Case("np.multiply.reduce", np.prod, np.multiply.reduce),
    Case("np.maximum.reduce", np.max, lambda x: np.maximum.reduce(x, axis=1), distinct=True),
    Case("np.minimum.reduce", np.min, lambda x: np.minimum.reduce(x, 1), distinct=True),
    Case("nanargmax", np.nanargmax, lambda x: np.nanargmax(x + HOLES, 1), untracked=True),
    Case("nanargmin", np.nanargmin, lambda x: np.nanargmin(x + HOLES), untracked=True),
    Case("any where", np.any, lambda x: np.any(x > 0, 1, where=MASK), untracked=True),
    Case("all where", np.all, lambda x: np.all(x > 0, where=x > 1), untracked=True),
    Case("argmax", np.argmax, untracked=True, distinct=True),
    Case("argmax by method", np.argmax, lambda x: x.argmax(axis=1, keepdims=True), untracked=True),
    Case("argmin", np.argmin, lambda x: np.argmin(x, 0), untracked=True, distinct=True),
    Case("argmin by method", np.argmin, lambda x: x.argmin(axis=-1), untracked=True),
    Case("any", np.any, lambda x: np.any(x > 1, axis=0), untracked=True),
    Case("any by method", np.any, lambda x: (x > 1).any(), untracked=True),
    Case("all", np.all, lambda x: np.all(x > 1, 0, keepdims=True), untracked=True),
    Case("all by method", np.all, lambda x: (x > -1).all(axis=1), untracked=True),
    Case("count_nonzero", np.count_nonzero, lambda x: np.count_nonzero(x > 0), untracked=True),
    Case(
        "count_nonzero over an axis",
        np.count_nonzero,
        lambda x: np.count_nonzero(x > 0, axis=1),
        untracked=True,
    ),
]
