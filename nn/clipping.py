"""Clipping: gradients made smaller before a step, so that a single steep place does not ruin it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_lite.variable import Array, Variable, plain
from nn.module import distinct_variables
from nn.settings import number


def clip_gradients_by_norm(parameters: Variable | Iterable[Variable], largest: float) -> float:
    """Shorten all gradients together to a length of `largest`, if it is more (Pascanu et al. 2013).

    ‖g‖ = √Σ g² over all entries of all parameters' gradients; where ‖g‖ > largest,
    g ← g·largest/‖g‖ (their algorithm 1). The direction stays. Returns ‖g‖ as it was before, in the
    unit of gradients, as `largest` is. Parameters without a gradient are left out; recorded
    gradients become arrays.

    Raises ValueError for a bound that is not positive and a parameter given twice, TypeError for
    what is no Variable, and FloatingPointError for gradients that are not finite, naming the first.

    >>> import autograd_lite as ag, nn
    >>> x, y = ag.Variable(3.0), ag.Variable(4.0)
    >>> (x**2 + y**2).backward()
    >>> nn.clip_gradients_by_norm([x, y], 1.0)
    10.0
    >>> x.grad, y.grad
    (array(0.6), array(0.8))
    """
    asked = "clip_gradients_by_norm"
    found = _with_gradients(asked, parameters, largest)
    norm = math.hypot(*(_norm(asked, parameter, g) for parameter, g in found))
    if not math.isfinite(norm):
        raise FloatingPointError(
            f"{asked}: the norm of the gradients is more than a float can hold; scale the loss"
        )
    if norm > largest:
        for parameter, g in found:
            # in float64: the quotient can be less than float32 has digits for
            parameter.grad = np.multiply(g, largest / norm, dtype=float)
    return norm


def clip_gradients_by_value(parameters: Variable | Iterable[Variable], largest: float) -> None:
    """Bring every entry of the gradients to between ±largest: g ← min(max(g, −largest), largest).

    It changes the direction, which `nn.clip_gradients_by_norm` does not. Infinite entries become
    the bound. Parameters without a gradient are left out; recorded gradients become arrays.

    Raises ValueError for a bound that is not positive and a parameter given twice, TypeError for
    what is no Variable, and FloatingPointError for NaN.

    >>> import autograd_lite as ag, nn
    >>> x = ag.Variable([3.0, -0.1])
    >>> (x**2).sum().backward()
    >>> nn.clip_gradients_by_value([x], 1.0)
    >>> x.grad
    array([ 1. , -0.2])
    """
    asked = "clip_gradients_by_value"
    found = _with_gradients(asked, parameters, largest)
    for parameter, g in found:
        _refuse(asked, parameter, np.isnan(g), "NaN")
    for parameter, g in found:
        bound = min(largest, float(np.finfo(g.dtype).max))
        parameter.grad = np.clip(g, -bound, bound)


def _norm(asked: str, parameter: Variable, g: Array) -> float:
    """‖g‖ without overflow and underflow of squares on the way."""
    peak = float(max(g.max(), -g.min())) if g.size else 0.0
    if not math.isfinite(peak):
        _refuse(asked, parameter, ~np.isfinite(g), "not finite")
    return peak * float(np.linalg.norm(np.divide(g, peak, dtype=float).ravel())) if peak else 0.0


def _refuse(asked: str, parameter: Variable, wrong: Array, what: str) -> None:
    count = np.count_nonzero(wrong)
    if count:
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        place = f", the first at index {first}" if first else ""
        raise FloatingPointError(
            f"{asked}: the gradient of {parameter.label} has {count} of {wrong.size} entries that "
            f"are {what}{place}; lower the learning rate, or look for where the loss or its slope "
            f"is not finite"
        )


def _with_gradients(asked: str, parameters: Any, largest: float) -> list[tuple[Variable, Array]]:
    """The parameters that have a gradient, and that as an array."""
    number(asked, "the bound", largest, "a positive number", lambda b: 0 < b < math.inf)
    return [
        (parameter, plain(parameter.grad))
        for parameter in distinct_variables(asked, parameters)
        if parameter.grad is not None
    ]
