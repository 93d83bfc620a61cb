"""From many entries to few: sum, mean, max, min; argmax and its like, untracked."""

from typing import Any

import numpy as np

from tests.cases.case import Case


def over_axes(name: str, function: Any, **options: Any) -> list[Case]:
    """The rows of a reduction: no axis, one, negative, several, none at all; with keepdims."""
    rows = {
        "": lambda x: function(x),
        " over axis 0": lambda x: function(x, axis=0),
        " over axis -1, by position": lambda x: function(x, -1),
        " over axes 0 and 2": lambda x: function(x, axis=(0, 2)),
        " over axes -1 and 0": lambda x: function(x, axis=(-1, 0), keepdims=True),
        " over no axis": lambda x: function(x, axis=()),
        ", keepdims": lambda x: function(x, keepdims=True),
        " over axis 1, keepdims": lambda x: function(x, axis=1, keepdims=True),
        " by method": lambda x: getattr(x, function.__name__)(axis=1),
    }
    cases = [Case(name + how, function, call, [(2, 3, 2)], **options) for how, call in rows.items()]
    return [*cases, Case(f"{name} of a scalar", function, inputs=[()], **options)]


CASES = [
    *over_axes("sum", np.sum),
    *over_axes("mean", np.mean),
    *over_axes("max", np.max, distinct=True),
    *over_axes("min", np.min, distinct=True),
    Case("np.add.reduce", np.sum, np.add.reduce),
    Case("np.maximum.reduce", np.max, lambda x: np.maximum.reduce(x, axis=1), distinct=True),
    Case("np.minimum.reduce", np.min, lambda x: np.minimum.reduce(x, 1), distinct=True),
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
