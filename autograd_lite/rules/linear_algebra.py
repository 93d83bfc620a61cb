"""Products of vectors, matrices and stacks of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_lite.primitive import primitive


def _transposed(x: Any) -> Any:
    """Each matrix of a stack transposed."""
    return np.transpose(x) if x.ndim == 2 else np.transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _matmul_left(g: Any, z: Any, x: Any, y: Any) -> Any:
    """δX = δZ·Yᵀ, with a vector on either side read as the matrix that it stands for."""
    if y.ndim == 1:
        return g[..., None] * y
    if x.ndim == 1:  # g[..., n] and y[..., m, n]: a row vector times each matrix
        return np.matmul(y, g[..., None])[..., 0]
    return np.matmul(g, _transposed(y))


def _matmul_right(g: Any, z: Any, x: Any, y: Any) -> Any:
    """δY = Xᵀ·δZ."""
    if x.ndim == 1:
        return x[:, None] * g[..., None, :] if y.ndim > 1 else g * x
    if y.ndim == 1:
        rows = math.prod(x.shape[:-1])
        return np.matmul(np.reshape(g, (rows,)), np.reshape(x, (rows, x.shape[-1])))
    return np.matmul(_transposed(x), g)


primitive(np.matmul, _matmul_left, _matmul_right)
