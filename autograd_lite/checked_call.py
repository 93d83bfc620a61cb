"""A function and its arguments, nested as they may be, as a program from leaves to leaves.

A leaf is a floating-point array; the rest of the arguments is held constant. The gradient of a
program is a program again, which is how a check goes from one order to the next.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite import errors
from autograd_lite.backward import gradients
from autograd_lite.nests import leaves, rebuilt
from autograd_lite.primitive import Primitive
from autograd_lite.rules.operands import refuse_mask
from autograd_lite.variable import Array, Variable

Program = Callable[[list[Variable]], list[Any]]
"""From the leaves among the arguments to the leaves of the result."""


def is_floating(x: Any) -> bool:
    """Whether this is a floating-point number, array or Variable."""
    dtype = x.dtype if isinstance(x, np.ndarray | np.generic | Variable) else None
    return type(x) is float or (dtype is not None and dtype.kind == "f")


def value_of(z: Any) -> Array:
    """The value of a Variable, an array or a number, as an array."""
    return np.asarray(z.data if type(z) is Variable else z)


def random_weights(z: Any, generator: np.random.Generator) -> Array:
    """Random weights of size 1 to 2, none near 0; 1 for a single element, which needs none."""
    shape = value_of(z).shape
    if math.prod(shape) == 1:
        return np.ones(shape)
    weights: Array = generator.uniform(1, 2, shape) * generator.choice([-1.0, 1.0], shape)
    return weights


def gradient_of(program: Program, weights: Sequence[Array]) -> Program:
    """The gradient of the weighted sum of a program's results, as a program."""

    def gradient(variables: list[Variable]) -> list[Any]:
        terms = [
            np.sum(w.astype(z.dtype) * z)
            for w, z in zip(weights, program(variables), strict=True)
            if type(z) is Variable and z.requires_grad
        ]
        if not terms:  # constant: nothing was recorded, and the slope is zero
            return [np.zeros(v.shape, v.dtype) for v in variables]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return gradients(total, variables, create_graph=True)

    return gradient


class CheckedCall:
    """f and its arguments: the leaves to differentiate, their names, and f as a function of them.

    `arguments` and `outputs` are names; `arrays` the values of the arguments; `size` the largest
    entry of the result.
    """

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...]):
        name = f.name if isinstance(f, Primitive) else getattr(f, "__name__", "f")
        self.f, self.args = f, args
        self.name = name if name.isidentifier() else "f"  # "<lambda>" is none
        found = leaves(list(args))
        self.constants = [leaf for _, leaf in found]
        self.moving = [
            i
            for i, (_, leaf) in enumerate(found)
            if is_floating(leaf) and (type(leaf) is not Variable or leaf.requires_grad)
        ]
        names = [
            name + path
            for name, arg in zip(_parameters(f, len(args)), args, strict=True)
            for path, _ in leaves(arg)
        ]
        if not self.moving:
            kinds = ", ".join(errors.kind(leaf) for leaf in self.constants) or "nothing"
            raise TypeError(
                f"check_grads: no argument of {self.name} can be differentiated; it was given "
                f"{kinds}; write 2.0 or .astype(float), and requires_grad=True for a Variable"
            )
        for i in self.moving:
            refuse_mask(self.constants[i])
        if not any(value_of(self.constants[i]).size for i in self.moving):
            kinds = ", ".join(errors.kind(self.constants[i]) for i in self.moving)
            raise ValueError(
                f"check_grads: no argument of {self.name} has an entry to shift; it was given "
                f"{kinds}; check it on arrays that are not empty"
            )
        self.arguments = [names[i] for i in self.moving]
        self.arrays = [np.array(value_of(self.constants[i])) for i in self.moving]

        results = self._results(self.variables())
        self.outputs = [f"{self.name}{path}" for path, _ in results]
        first = [np.array(value_of(z)) for _, z in results]
        second = [value_of(z) for z in self.program(self.variables())]
        if not first:
            raise ValueError(f"check_grads: {self.name} returned nothing that is floating point")
        same = len(first) == len(second) and all(
            a.shape == b.shape and np.array_equal(a, b, equal_nan=True)
            for a, b in zip(first, second, strict=True)
        )
        if not same:
            raise ValueError(
                f"check_grads: {self.name} gave two different results for the same arguments, so "
                f"it has no difference to take; make its random numbers anew from one seed inside"
            )
        self.size = max(float(np.max(np.abs(z[np.isfinite(z)]), initial=0.0)) for z in first)

    def _results(self, variables: list[Variable]) -> list[tuple[str, Any]]:
        everything = list(self.constants)
        for i, v in zip(self.moving, variables, strict=True):
            everything[i] = v
        results = self.f(*rebuilt(list(self.args), everything))
        return [(path, z) for path, z in leaves(results) if is_floating(z)]

    def program(self, variables: list[Variable]) -> list[Any]:
        """The floating-point leaves of f's result."""
        return [z for _, z in self._results(variables)]

    def variables(self) -> list[Variable]:
        """The arguments as new Variables of their own dtype."""
        return [Variable(x, name) for x, name in zip(self.arrays, self.arguments, strict=True)]


def _parameters(f: Callable[..., Any], count: int) -> list[str]:
    """What f calls its arguments, where that can be found out."""
    try:
        function = f.function if isinstance(f, Primitive) else f
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = [
        p.name
        for p in parameters
        if p.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    ]
    rest = [p.name for p in parameters if p.kind is inspect.Parameter.VAR_POSITIONAL]
    names = plain[:count]
    for i in range(count - len(names)):
        names.append(f"{rest[0]}[{i}]" if rest else f"argument {len(names)}")
    return names
