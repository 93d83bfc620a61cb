"""Optimisers: how parameters follow their gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np

import autograd_lite as ag
from autograd_lite.errors import kind


class Optimiser(Protocol):
    """What training needs of an optimiser; anything with these two methods will do."""

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""

    def step(self) -> None:
        """Change every parameter that has a gradient."""


class SGD:
    """Stochastic gradient descent: θ ← θ − η·∂L/∂θ (lectures 1 and 4).

    `SGD(parameters, learning_rate)`. `learning_rate` is η, in units of θ² per unit of loss; it is
    an attribute and may be changed between steps. A parameter without a gradient stays as it is.

    Raises ValueError for no parameters, a parameter given twice, and a rate that is not a positive
    number; TypeError for a parameter that is not a tracked Variable.

    >>> import autograd_lite as ag, nn
    >>> x = ag.Variable(0.0)
    >>> sgd = nn.SGD([x], learning_rate=0.5)
    >>> (x ** 2 + 2 * x - 2).backward()
    >>> sgd.step()
    >>> x.item()
    -1.0
    """

    def __init__(self, parameters: Iterable[ag.Variable], learning_rate: float):
        self.parameters = _checked("SGD", parameters)
        if not (learning_rate > 0 and np.isfinite(learning_rate)):
            raise ValueError(
                f"SGD: the learning rate must be a positive number, received {learning_rate}"
            )
        self.learning_rate = learning_rate

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters:
            parameter.zero_grad()

    def step(self) -> None:
        """θ ← θ − η·∂L/∂θ for every parameter that has a gradient."""
        for parameter in self.parameters:
            gradient = parameter.grad
            if gradient is not None:
                change = np.asarray(self.learning_rate * gradient)
                parameter.assign(np.subtract(parameter.data, change, out=change))


def _checked(asked: str, parameters: Iterable[ag.Variable]) -> list[ag.Variable]:
    """The parameters as a list: at least one, tracked, and each once."""
    if isinstance(parameters, ag.Variable):
        parameters = [parameters]
    checked = list(parameters)
    if not checked:
        raise ValueError(f"{asked}: there are no parameters; pass for instance module.parameters()")
    seen = set()
    for position, parameter in enumerate(checked):
        if not isinstance(parameter, ag.Variable):
            raise TypeError(
                f"{asked}: parameter {position} is a {kind(parameter)}, not a tracked Variable; "
                f"pass for instance module.parameters()"
            )
        if parameter.operation is not None:
            raise TypeError(
                f"{asked}: parameter {position}, {parameter.label}, is the result of "
                f"'{parameter.operation.name}', which cannot be assigned; pass the leaves it was "
                f"computed from"
            )
        if not parameter.requires_grad:
            raise TypeError(
                f"{asked}: parameter {position}, {parameter.label}, is not tracked and never gets "
                f"a gradient; leave it out, or make it a Variable with requires_grad=True"
            )
        if id(parameter) in seen:
            raise ValueError(
                f"{asked}: parameter {position}, {parameter.label}, was given twice and would be "
                f"changed twice in one step; pass each parameter once"
            )
        seen.add(id(parameter))
    return checked
