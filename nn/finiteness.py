"""Where numbers stop being finite in a module: what training says when a loss is NaN."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.variable import plain
from nn.containers import Sequential
from nn.module import Module

ADVICE = "lower the learning rate, or scale the data"
ONLY_THE_LOSS = (
    f"every layer's output is finite, but the loss is not: predictions far off, or a true class of "
    f"probability 0; {ADVICE}, or compute cross entropy from logits"
)


def why_not_finite(module: Module, x: Any) -> str:
    """The first layer at which the data x stop being finite, found by looking."""
    if not isinstance(module, Sequential):
        return _where_not_finite(module, x)
    with ag.no_grad():
        for position, layer in enumerate(module.layers):
            x = layer(x)
            if not _all_finite(x):
                broken = not_finite(leaves_of(layer))
                return (
                    f"the first output that is not finite is that of layer {position}, "
                    f"{layer.name or type(layer).__name__}{f', as {broken}' if broken else ''}; "
                    f"{ADVICE}"
                )
    return ONLY_THE_LOSS


def _where_not_finite(module: Module, x: Any) -> str:
    """The same for a module whose way is not known: the tape knows it."""
    pending, seen = [module(x)], {}
    while pending:
        z = pending.pop()
        if isinstance(z, ag.Variable) and z.number not in seen:
            seen[z.number] = z
            pending += z.inputs
    for _, z in sorted(seen.items()):
        if z.operation is not None and not _all_finite(z.data):
            broken = not_finite(leaves_of(module))
            assert z.scope is not None  # calling a module opens one
            return (
                f"the first result that is not finite is that of {z.operation.name} in "
                f"{z.scope.path}{f', as {broken}' if broken else ''}; {ADVICE}"
            )
    return ONLY_THE_LOSS


def _all_finite(x: Any) -> bool:
    """Whether all numbers are, of an array or of what a layer such as nn.LSTM gives."""
    return all(map(_all_finite, x)) if isinstance(x, tuple) else bool(np.isfinite(plain(x)).all())


def not_finite(leaves: Iterable[ag.Variable]) -> str:
    """Which of them are not finite, as a clause ("fc1.W is not finite"), or nothing."""
    broken = [leaf.label for leaf in leaves if not np.isfinite(leaf.data).all()]
    verb = "are" if len(broken) > 1 else "is"
    return f"{' and '.join(broken)} {verb} not finite" if broken else ""


def leaves_of(module: Module) -> list[ag.Variable]:
    """Parameters and buffers."""
    return [*module.parameters(), *(buffer for _, buffer in module.named_buffers())]
