"""What a module makes of data when it is not trained: predictions, the loss, and metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import autograd_lite as ag
from autograd_lite.errors import a_kind
from autograd_lite.variable import Array, plain
from nn.data import batches, checked_rows
from nn.metrics import Metric
from nn.module import Module

AT_ONCE = 1024
"""How many rows are predicted together: what layers compute on the way takes memory."""


def prepared(asked: str, module: Module, X: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    """X and y that a module can be trained on: checked, and in the dtype of its parameters."""
    X, y = checked_rows(asked, X, y)
    X = inputs_for(module, X)
    return X, y.astype(_dtype(module, y), copy=False) if y.dtype.kind == "f" else y


def inputs_for(module: Module, X: Array) -> Array:
    """Data in the parameters' dtype, so that float32 layers compute in float32 whatever they get.

    Integers and booleans, too: NumPy's promotion would make float64 of them. They stay what they
    are for a module with a layer that takes integers, such as nn.Embedding.
    """
    if X.dtype.kind != "f" and any(
        m.takes_integers for m in (module, *(m for _, m in module.named_modules()))
    ):
        return X
    return X.astype(_dtype(module, X), copy=False)


def _dtype(module: Module, data: Array) -> Any:
    """That of the module's first parameter, frozen or not; of the data where there is none."""
    leaves = chain(module.named_parameters(), module.named_buffers())  # looked for until found
    return next((leaf.dtype for _, leaf in leaves if leaf.dtype.kind == "f"), data.dtype)


def predicted(module: Module, X: Array) -> Array:
    """The module's output out of training mode, unrecorded, as a plain array."""
    with out_of_training(module), ag.no_grad():
        if X.ndim < 2 or len(X) <= AT_ONCE:
            return np.array(plain(module(X)))
        parts = [plain(module(rows)) for (rows,) in batches(X, batch_size=AT_ONCE)]
        return np.concatenate(parts)


@contextmanager
def modes_kept(module: Module) -> Iterator[None]:
    """Afterwards each module is in the mode, training or not, that it had before."""
    modes = [(m, m.training) for m in (module, *(m for _, m in module.named_modules()))]
    try:
        yield
    finally:
        for found, training in modes:
            found.training = training


@contextmanager
def out_of_training(module: Module) -> Iterator[None]:
    """Out of training mode for a while."""
    with modes_kept(module):
        module.eval()
        yield


def number(asked: str, loss: Any) -> float:
    """The value of a loss, which must be one number."""
    if getattr(loss, "shape", None) != ():
        raise ValueError(
            f"{asked}: the loss is {a_kind(loss)}, and one number is needed; take its mean"
        )
    return float(loss.item())


def measured(asked: str, metrics: Mapping[str, Metric], p: Array, t: Array) -> dict[str, float]:
    """Name → value of every metric, which must be one number."""
    values = {name: metric(p, t) for name, metric in metrics.items()}
    for name, value in values.items():
        if np.ndim(plain(value)) or not isinstance(plain(value), int | float | np.generic | Array):
            raise TypeError(
                f"{asked}: the metric {name!r} gives {a_kind(value)}, and one number is needed"
            )
    return {name: float(plain(value)) for name, value in values.items()}
