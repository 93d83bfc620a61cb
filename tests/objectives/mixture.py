"""Gaussian mixture with a Wishart prior on the inverse covariances: ADBench's GMM.

Component k has the weight softmax(alphas)ₖ, the mean μₖ and the inverse covariance QₖᵀQₖ, where
Qₖ is lower triangular. `factors` has a row per component: the logarithms of the diagonal of Q, then
what stands below the diagonal, column by column.
"""

import math

import numpy as np

from tests.objectives.log_sum_exp import logsumexp


def triangles(factors, d):
    """The matrices Q, (k, d, d), of rows of d(d + 1)/2 numbers."""
    columns, rows = np.triu_indices(d, 1)  # of the transpose, so that they go column by column
    place = np.zeros((d, d), int)
    place[rows, columns] = d + np.arange(len(rows))
    below = np.where(np.tri(d, k=-1) > 0, factors[:, place], 0.0)
    return below + np.exp(factors[:, :d, None]) * np.eye(d)


def log_gamma(a, p):
    """The logarithm of the multivariate gamma function Γₚ(a)."""
    return p * (p - 1) / 4 * math.log(math.pi) + sum(math.lgamma(a - j / 2) for j in range(p))


def log_prior(Q, factors, gamma, m):
    """½γ²·‖Q‖² − m·log det Q less its constant, summed over components, with ADBench's signs."""
    k, d, _ = Q.shape
    n = d + m + 1
    constant = n * d * (math.log(gamma) - 0.5 * math.log(2)) - log_gamma(0.5 * n, d)
    return 0.5 * gamma**2 * np.sum(Q**2) - m * np.sum(factors[:, :d]) - k * constant


def log_likelihood(alphas, means, factors, x):
    """Σᵢ log Σₖ wₖ·N(xᵢ; μₖ, (QₖᵀQₖ)⁻¹) for the rows of x, (n, d)."""
    n, d = x.shape
    whitened = (x - means[:, None]) @ np.swapaxes(triangles(factors, d), 1, 2)
    log_weights = alphas + np.sum(factors[:, :d], axis=1)
    terms = log_weights[:, None] - 0.5 * np.sum(whitened**2, axis=2)
    total = np.sum(logsumexp(terms, axis=0)) - n * logsumexp(alphas)
    return total - n * d * 0.5 * math.log(2 * math.pi)


def objective(alphas, means, factors, x, gamma, m):
    """Log-likelihood and prior."""
    Q = triangles(factors, x.shape[1])
    return log_likelihood(alphas, means, factors, x) + log_prior(Q, factors, gamma, m)


def problem(rng, n, d, k):
    """`n` points in `d` dimensions, `k` components."""
    alphas, means = rng.standard_normal(k), rng.standard_normal((k, d))
    factors = 0.3 * rng.standard_normal((k, d * (d + 1) // 2))
    return [alphas, means, factors], (2 * rng.standard_normal((n, d)), 1.0, 0)
