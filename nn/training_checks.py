"""What is checked before a training begins: its parts, its settings, and one try of all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import autograd_lite as ag
from autograd_lite.errors import a_kind, kind
from autograd_lite.variable import Array
from nn.callbacks import Callback
from nn.data import split
from nn.evaluation import measured, number, out_of_training, predicted, prepared, unchanged
from nn.metrics import Metric
from nn.module import Module

Loss = Callable[[Any, Any], Any]
Validation = float | tuple[ArrayLike, ArrayLike] | None

TRIED = 32
"""How many rows a module is tried on before it is trained."""

# --- the parts of a Trainer -----------------------------------------------------------------------


def refuse_no_module(asked: str, module: Any) -> None:
    """Raise TypeError for what is no Module."""
    if not isinstance(module, Module):
        raise TypeError(f"{asked}: expected a Module to train, received: {kind(module)}")


def refuse_no_loss(asked: str, loss: Any) -> None:
    """Raise TypeError for what is no function of predictions and targets, such as a class."""
    if isinstance(loss, type):
        raise TypeError(
            f"{asked}: the loss is the class {loss.__name__}; make one: {loss.__name__}()"
        )
    if not callable(loss):
        raise TypeError(
            f"{asked}: the loss is {a_kind(loss)}; pass a function of predictions and targets, "
            f"such as nn.mean_squared_error"
        )


def refuse_no_optimiser(asked: str, optimiser: Any) -> None:
    """Raise TypeError for what cannot take steps, such as a class in the place of an object."""
    if isinstance(optimiser, type) or not (
        hasattr(optimiser, "step") and hasattr(optimiser, "zero_grad")
    ):
        raise TypeError(
            f"{asked}: the optimiser is {a_kind(optimiser)}; pass for instance "
            f"nn.Adam(network.parameters())"
        )


def refuse_foreign_optimiser(asked: str, optimiser: Any, module: Module) -> None:
    """Raise ValueError for an optimiser that has none of the module's parameters."""
    parameters = module.parameters()
    theirs = getattr(optimiser, "parameters", parameters)
    if not {id(p) for p in parameters} & {id(p) for p in theirs}:
        raise ValueError(
            f"{asked}: the optimiser has none of this network's parameters, and would change "
            f"nothing; make it with network.parameters()"
        )


def checked_callbacks(asked: str, callbacks: Any) -> list[Callback]:
    """One callback or several, as a list; TypeError for what are none."""
    if isinstance(callbacks, Callback):
        return [callbacks]
    if isinstance(callbacks, str | type) or not isinstance(callbacks, Iterable):
        raise TypeError(
            f"{asked}: callbacks is {a_kind(callbacks)}; pass a list such as "
            f"[nn.EarlyStopping()], or leave it out"
        )
    found = list(callbacks)
    for callback in found:
        if not isinstance(callback, Callback):
            raise TypeError(
                f"{asked}: a callback is {a_kind(callback)}; pass objects such as "
                f"nn.EarlyStopping()"
            )
    return found


def refuse_taken_names(asked: str, metrics: Mapping[str, Metric]) -> None:
    """Raise ValueError for metrics that are called as another number in the history."""
    for name in metrics:
        if name == "loss" or name.startswith("validation_"):
            raise ValueError(
                f"{asked}: the metric {name!r} has the name of another number in the history; "
                f"pass it as a pair, (another name, function)"
            )


def refuse_no_schedule(asked: str, schedule: Any, optimiser: Any) -> None:
    """Raise for what is no schedule, and for that of another optimiser."""
    if isinstance(schedule, type) or not hasattr(schedule, "step"):
        raise TypeError(
            f"{asked}: the schedule is {a_kind(schedule)}, which has no step(); pass for "
            f"instance nn.Schedule(optimiser, nn.CosineDecay(1000))"
        )
    if getattr(schedule, "optimiser", optimiser) is not optimiser:
        raise ValueError(
            f"{asked}: the schedule is that of another optimiser, and would change nothing; "
            f"make it with the one that is passed"
        )


# --- the data -------------------------------------------------------------------------------------


def with_validation(
    asked: str, module: Module, X: Array, y: Array, validation: Validation
) -> tuple[Array, Array, tuple[Array, Array] | None]:
    """X and y to train on, and those for validation, given or held out, or None."""
    if validation is None:
        return X, y, None
    if isinstance(validation, tuple | list):
        if len(validation) != 2:
            raise ValueError(
                f"{asked}: validation is a pair (X, y) or a share of the rows, received "
                f"{len(validation)} arrays"
            )
        return X, y, prepared(f"{asked}: validation", module, *validation)
    if not isinstance(validation, int | float | np.number) or not 0 < validation < 1:
        raise ValueError(
            f"{asked}: validation must be a pair (X, y), or a share of the rows between 0 "
            f"and 1, received: {kind(validation)}"
        )
    share = float(validation)
    if not 0 < round(share * len(X)) < len(X):
        raise ValueError(
            f"{asked}: validation takes {share:g} of {len(X)} rows, which leaves none for "
            f"one of the two parts; pass another share, or a pair (X, y)"
        )
    seeded = np.random.default_rng(0)  # so that training goes on with the same rows
    (X, y), held_out = split(X, y, fraction=share, rng=seeded)
    return X, y, (held_out[0], held_out[1])


# --- one try --------------------------------------------------------------------------------------


def tried(
    asked: str, what: str, module: Module, loss: Loss | None, metrics: Any, X: Array, y: Array
) -> None:
    """Let what the end of an epoch would refuse be refused now: data, loss and metrics.

    The first rows are predicted, out of training mode, and these predictions stand for those of
    all rows: so every target is looked at, at the cost of a few predictions. Nothing changes by it,
    also where a layer draws numbers or keeps means in any mode. An error says where it came from.
    """
    with unchanged(module), np.errstate(all="ignore"):
        try:
            p = predicted(module, X[:TRIED])
            if not np.isfinite(p).all():
                return  # the first step says more, and which layer it is
            rows = min(TRIED, len(X))
            # an output without a row for each row of the data cannot be repeated
            p = np.resize(p, (len(X), *p.shape[1:])) if len(p) == rows else predicted(module, X)
            if loss is not None:
                with out_of_training(module), ag.no_grad():
                    number(asked, loss(p, y))
            measured(asked, metrics, p, y)
        except Exception as error:
            error.add_note(
                f"{asked}: found by trying the {what} before the first step; nothing was changed"
            )
            raise
