"""Tables of rows: every operation with its derivative rules. Importing this registers them."""

from autograd_lite.rules import (
    choosing,
    curves,
    elementwise,
    indexing,
    joining,
    linear_algebra,
    norms,
    piecewise,
    products,
    reductions,
    refused,
    scans,
    shapes,
    sinc,
    statistics,
)

__all__ = [
    "choosing",
    "curves",
    "elementwise",
    "indexing",
    "joining",
    "linear_algebra",
    "norms",
    "piecewise",
    "products",
    "reductions",
    "refused",
    "scans",
    "shapes",
    "sinc",
    "statistics",
]
