"""Tables of rows: every operation with its derivative rules. Importing this package registers them."""

from autograd_lite.rules import elementwise, indexing, linear_algebra, reductions, shapes

__all__ = ["elementwise", "indexing", "linear_algebra", "reductions", "shapes"]
