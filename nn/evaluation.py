"""What a module makes of data when it is not trained, and how it stays as it was meanwhile."""

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
from nn.data import batches, checked_rows, finite
from nn.finiteness import leaves_of
from nn.metrics import Metric
from nn.module import Module, operand

AT_ONCE = 1024
"""How many rows are predicted together: what layers compute on the way takes memory."""


def prepared(asked: str, module: Module, X: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    """X and y that a module can be trained on: checked, and in the dtype of its parameters."""
    X, y = checked_rows(asked, X, y)
    X = inputs_for(asked, module, X)
    return X, _converted(asked, "y", y, _dtype(module, y)) if y.dtype.kind == "f" else y


def inputs_for(asked: str, module: Module, X: Array) -> Array:
    """Data in the parameters' dtype, so that float32 layers compute in float32 whatever they get.

    Integers and booleans, too: NumPy's promotion would make float64 of them. They stay what they
    are for a module with a layer that takes integers, such as nn.Embedding. Raises ValueError for
    entries that are too large for the dtype.
    """
    if X.dtype.kind != "f" and any(
        m.takes_integers for m in (module, *(m for _, m in module.named_modules()))
    ):
        return X
    return _converted(asked, "X", X, _dtype(module, X))


def _converted(asked: str, name: str, data: Array, dtype: Any) -> Array:
    if data.dtype == dtype:
        return data
    with np.errstate(over="ignore"):
        return finite(asked, f"{name} as {dtype}", data.astype(dtype))


def _dtype(module: Module, data: Array) -> Any:
    """That of the module's first parameter, frozen or not; of the data where there is none."""
    leaves = chain(module.named_parameters(), module.named_buffers())  # looked for until found
    return next((leaf.dtype for _, leaf in leaves if leaf.dtype.kind == "f"), data.dtype)


def predicted(module: Module, X: Array) -> Array:
    """The module's output out of training mode, unrecorded, as a plain array."""
    with out_of_training(module), ag.no_grad():
        if X.ndim < 2 or len(X) <= AT_ONCE:
            return np.array(plain(operand(module(X))))
        parts = [plain(operand(module(rows))) for (rows,) in batches(X, batch_size=AT_ONCE)]
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


@contextmanager
def unchanged(module: Module) -> Iterator[None]:
    """Attributes, parameters, buffers and generators are as before afterwards."""
    modules = (module, *(found for _, found in module.named_modules()))
    attributes = [(found, vars(found).copy()) for found in modules]
    values = [(leaf, leaf.data) for leaf in leaves_of(module)]
    states = [(g.bit_generator, g.bit_generator.state) for _, g in generators_of(module)]
    try:
        yield
    finally:
        for found, kept in attributes:
            found.__dict__ = kept
        for leaf, value in values:
            if not np.shares_memory(leaf.data, value):  # what is as it was stays the same object
                leaf.data = value
        for generator, state in states:
            generator.state = state


def generators_of(module: Module) -> Iterator[tuple[str, np.random.Generator]]:
    """The generators that layers such as Dropout draw from, by path."""
    for path, found in (("", module), *module.named_modules()):
        yield from _generators_in(path, vars(found), frozenset())


def _generators_in(path: str, value: Any, around: frozenset[int]) -> Iterator[Any]:
    """Those in a nest of lists, tuples and dicts, which may contain itself."""
    if isinstance(value, np.random.Generator):
        yield path, value
    elif isinstance(value, dict | list | tuple) and id(value) not in around:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            place = f"{path}.{key}" if path else str(key)
            yield from _generators_in(place, inner, around | {id(value)})


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
        found = np.asarray(plain(value))
        if found.shape or found.dtype.kind not in "fiub":
            raise TypeError(
                f"{asked}: the metric {name!r} gives {a_kind(value)}, and one number is needed"
            )
    return {name: float(plain(value)) for name, value in values.items()}
