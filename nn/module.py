"""Module: a function with parameters, which it finds in its own attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, TypeAlias

import numpy as np

import autograd_lite as ag
from autograd_lite.errors import kind

Operand: TypeAlias = Any
"""A Variable, or what NumPy takes as an array. A type checker sees anything: it does not know that
NumPy's functions and operators take both."""


def operand(x: Operand) -> Any:
    """Variables and arrays as they are, so that foreign arrays stay foreign; lists as arrays."""
    return x if hasattr(x, "dtype") else np.asarray(x)


def floating(x: Operand) -> Any:
    """As `operand`, with integers and booleans converted, for what depends on the dtype's range."""
    x = operand(x)
    if x.dtype.kind == "f":
        return x
    if x.dtype.kind not in "iub":
        raise TypeError(f"nn: expected real numbers, received: {kind(x)}")
    return x.astype(float)


class Module:
    """A function with parameters: write `forward`, call the module.

    Parameters are the tracked Variables among the attributes, and those of the modules among the
    attributes; lists, tuples and dicts of either count too. Calling opens an `ag.scope` with the
    module's `name` (its class's name until it has one) and `formula`, for pictures and messages.

    >>> import numpy as np, autograd_lite as ag, nn
    >>> class Scale(nn.Module):
    ...     formula = "z = s·x"
    ...     def __init__(self, start):
    ...         self.s = ag.Variable(start, name="s")
    ...     def forward(self, x):
    ...         return self.s * x
    >>> scale = Scale(3.0)
    >>> scale(np.array([1.0, 2.0])).data
    array([3., 6.])
    >>> [name for name, _ in scale.named_parameters()]
    ['s']
    """

    name: str | None = None
    """What pictures and messages call this module. A Network names those that have none."""

    formula: ClassVar[str | None] = None
    """The formula that `forward` computes, as text."""

    short_name: ClassVar[str | None] = None
    """What a Network builds a name from: "fc" gives fc1, fc2; by default the class's name."""

    symbols: ClassVar[Mapping[str, str]] = {}
    """Attribute → the letter that the formula uses for it; a Network prefixes it: "fc1.W"."""

    def forward(self, *inputs: Any, **settings: Any) -> Any:
        """Compute the output from the inputs: for a subclass to write."""
        raise NotImplementedError(f"{type(self).__name__}: a module must define forward")

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        """Forward, inside a scope of the module's name."""
        with ag.scope(self.name or type(self).__name__, self.formula):
            return self.forward(*inputs, **settings)

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """The modules inside this one, at any depth, each once: ("layers.0", module), in order."""
        return ((path, found) for path, found in _walk(self) if isinstance(found, Module))

    def named_parameters(self) -> Iterator[tuple[str, ag.Variable]]:
        """The tracked Variables, each once, in the order of definition: ("layers.0.weight", W)."""
        return (
            (path, found)
            for path, found in _walk(self)
            # the result of an operation, kept for looking at, is no parameter
            if isinstance(found, ag.Variable) and found.requires_grad and found.operation is None
        )

    def parameters(self) -> list[ag.Variable]:
        """The tracked Variables, each once, in the order of definition."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _walk(module: Module) -> Iterator[tuple[str, Module | ag.Variable]]:
    """Everything of interest inside a module, depth first, each object once even in a cycle."""
    seen: set[int] = set()

    def visit(path: str, value: Any) -> Iterator[tuple[str, Module | ag.Variable]]:
        children: Iterator[tuple[Any, Any]] | None = None
        if isinstance(value, Module):
            children = iter(list(vars(value).items()))
        elif isinstance(value, list | tuple):
            children = iter(enumerate(value))
        elif isinstance(value, dict):
            children = iter(value.items())
        elif not isinstance(value, ag.Variable):
            return
        if id(value) in seen:
            return
        seen.add(id(value))
        if value is not module and isinstance(value, Module | ag.Variable):
            yield path, value
        for key, child in children or ():
            yield from visit(f"{path}.{key}" if path else str(key), child)

    return visit("", module)
