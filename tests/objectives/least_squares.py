"""Linear least squares, ½·‖X·w − y‖²."""

import numpy as np


def objective(w, X, y):
    """Half the squared residual; the gradient in w is Xᵀ(X·w − y), the Hessian XᵀX."""
    return 0.5 * np.sum((X @ w - y) ** 2)


def problem(rng, n, d):
    """`n` equations in `d` unknowns."""
    X, w = rng.standard_normal((n, d)), rng.standard_normal(d)
    return [np.zeros(d)], (X, X @ w + 0.1 * rng.standard_normal(n))
