"""What the tests of nn share: derivatives to second order, and formulas in exact decimals."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

import autograd_lite as ag
from tests import numeric


def central_differences(f: Callable[[Any], float], x: Any) -> Any:
    """∂f/∂x entry by entry. For values and derivatives near 1 the error is about 1e-12."""
    return numeric.gradients(lambda at: [f(at)], [x], [1.0])[0]


def assert_derivatives(f: Callable[[Any], Any], x: Any, tolerance: float = 1e-10) -> None:
    """First and second derivatives of f at x agree with finite differences, in every direction."""
    rng = np.random.default_rng(7)
    weights = rng.standard_normal(f(ag.Variable(x)).shape)
    direction = rng.standard_normal(x.shape)

    def value(at: Any) -> float:
        with ag.no_grad():
            return float(np.sum(f(at) * weights))

    def gradient(at: Any) -> Any:
        v = ag.Variable(at)
        return ag.gradients(np.sum(f(v) * weights), v)

    expected = central_differences(value, x)
    np.testing.assert_allclose(gradient(x), expected, rtol=tolerance, atol=tolerance)

    v = ag.Variable(x)
    recorded = ag.gradients(np.sum(f(v) * weights), v, create_graph=True)
    slope = np.sum(recorded * direction)
    second = ag.gradients(slope, v) if slope.requires_grad else np.zeros_like(x)
    expected = central_differences(lambda at: float(np.sum(gradient(at) * direction)), x)
    np.testing.assert_allclose(second, expected, rtol=tolerance, atol=tolerance)


def exactly(f: Callable[..., Any], *numbers: Any) -> Any:
    """The value of f on these numbers in decimals of 60 digits and no limits, rounded once."""
    with localcontext() as context:
        context.prec, context.Emin, context.Emax = 60, -(10**6), 10**6
        result = f(*(_decimal(number) for number in numbers))
        return float(result) if isinstance(result, Decimal) else [float(r) for r in result]


def _decimal(number: Any) -> Any:
    return [Decimal(float(n)) for n in number] if np.ndim(number) else Decimal(float(number))
