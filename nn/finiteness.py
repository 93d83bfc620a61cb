"""Where numbers stop being finite in a module: what training says when a loss is NaN."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.errors import counted
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
                broken = not_finite(layer)
                return (
                    f"the first output that is not finite is that of layer {position}, "
                    f"{layer._label}{f', as {broken}' if broken else ''}; "
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
            broken = not_finite(module)
            assert z.scope is not None  # calling a module opens one
            return (
                f"the first result that is not finite is that of {z.operation.name} in "
                f"{z.scope.path}{f', as {broken}' if broken else ''}; {ADVICE}"
            )
    return ONLY_THE_LOSS


def gradients_not_finite(module: Module) -> str:
    """Which gradients are not finite, as a clause with their layer, or nothing.

    Of several layers it is the one nearest to the loss, where the backward pass met them first.
    """
    broken = [
        (_layer_of(module, path), p)
        for path, p in module.named_parameters()
        if p.grad is not None and not np.isfinite(plain(p.grad)).all()
    ]
    if not broken:
        return ""
    last, _ = broken[-1]
    names = [p.label for layer, p in broken if layer == last]
    before = len(broken) - len(names)
    others = f" and of {counted(before, 'parameter')} before it," if before else ""
    several = len(broken) > 1
    return (
        f"the {'gradients' if len(names) > 1 else 'gradient'} of {' and '.join(names)}"
        f"{f' in {last},' if last else ''}{others} {'were' if several else 'was'} not finite in "
        f"the last step, though its loss was: a slope is infinite, as that of sqrt or log at 0, or "
        f"too large; ag.debug() around a step of the plain loop names the operation"
    )


def _layer_of(module: Module, path: str) -> str:
    """The layer that holds the parameter at a path: "layer 2, fc", or where else it stands."""
    if isinstance(module, Sequential) and path.startswith("layers."):
        position = int(path.split(".")[1])
        layer = module.layers[position]
        return f"layer {position}, {layer._label}"
    return path.rpartition(".")[0]


def _all_finite(x: Any) -> bool:
    """Whether all numbers are, of an array or of what a layer such as nn.LSTM gives."""
    return all(map(_all_finite, x)) if isinstance(x, tuple) else bool(np.isfinite(plain(x)).all())


def not_finite(module: Module) -> str:
    """Which parameters and buffers are not finite, as a clause ("fc1.W is not finite"), or nothing.

    Those whose name does not begin with that of their layer are told with it.
    """
    broken = [
        leaf.label if "." in leaf.label or not place else f"{leaf.label} in {place}"
        for path, leaf in (*module.named_parameters(), *module.named_buffers())
        if not np.isfinite(leaf.data).all()
        for place in [_layer_of(module, path)]
    ]
    verb = "are" if len(broken) > 1 else "is"
    return f"{' and '.join(broken)} {verb} not finite" if broken else ""


def leaves_of(module: Module) -> list[ag.Variable]:
    """Parameters and buffers."""
    return [*module.parameters(), *(buffer for _, buffer in module.named_buffers())]
