"""Penalties on parameters, λ·Ω(θ): numbers to be added to a loss, and recorded with it.

The penalty is a part of what is differentiated, so it shows in pictures and derivations, and every
optimiser sees it in the gradients (lecture 5: J = L(ŷ, y) + λ·Ω(θ)).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.module import distinct_variables


def l2_penalty(parameters: ag.Variable | Iterable[ag.Variable]) -> Any:
    """The sum of squares of all entries of some parameters, Ω(θ) = Σ θ² (lecture 5).

    Its derivative is 2θ: λ·Ω is what Keras calls l2(λ), and a weight decay of 2λ elsewhere.
    `parameters`: a Variable, or several, such as the weights alone; all of a module's are
    `module.parameters()`.

    Raises ValueError for no parameters and one given twice, TypeError for what is no Variable.

    >>> import numpy as np, autograd_lite as ag, nn
    >>> W1, W2 = ag.Variable([[1.0, -2.0]]), ag.Variable([3.0])
    >>> loss = 0.1 * nn.l2_penalty([W1, W2])
    >>> loss.backward()
    >>> W1.grad
    array([[ 0.2, -0.4]])
    """
    return _sum_over("l2_penalty", parameters, np.square)


def l1_penalty(parameters: ag.Variable | Iterable[ag.Variable]) -> Any:
    """The sum of sizes of all entries of some parameters, Ω(θ) = Σ |θ|, with slope 0 at 0.

    It pulls every parameter towards 0 at the same rate, so that many end there. Arguments and
    errors are those of `nn.l2_penalty`.

    >>> import autograd_lite as ag, nn
    >>> w = ag.Variable([1.0, -2.0, 0.0])
    >>> nn.l1_penalty(w).item()
    3.0
    """
    return _sum_over("l1_penalty", parameters, np.abs)


def _sum_over(asked: str, parameters: Any, function: np.ufunc) -> Any:
    """Σ function(θ) over all entries of all parameters."""
    chosen = distinct_variables(asked, parameters)
    if not chosen:
        raise ValueError(f"{asked}: there are no parameters; pass at least one")
    first, *rest = [np.sum(function(parameter)) for parameter in chosen]
    for term in rest:
        first = first + term
    return first
