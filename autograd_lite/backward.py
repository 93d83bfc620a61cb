"""What is asked of the sweep: gradients of leaves or of anything, arrays or recorded Variables.

Seeds are checked here, and what the sweep finds becomes arrays that nobody else holds, added up in
`.grad` or returned.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from autograd_lite import errors
from autograd_lite.primitive import Primitive
from autograd_lite.rules.operands import refuse_mask
from autograd_lite.sweep import sweep
from autograd_lite.tape import recording
from autograd_lite.variable import Array, Variable, plain


def _seed(output: Any, cotangent: Any, asked: str, create_graph: bool) -> Any:
    """The cotangent of the output: given, or 1 for one element. Refuses what has no gradient."""
    if type(output) is not Variable:
        raise TypeError(f"{asked}: the output is {errors.a_kind(output)}, not a Variable")
    if not output._tracked:
        reason = (
            f"the result of '{output._primitive.name}', which has no derivative or tracked input"
            if output._primitive is not None
            else "a constant, or was computed under no_grad or from constants alone"
        )
        raise errors.NotRecordedError(
            f"{asked}: {output.label} is not recorded: it is {reason}; compute it from a tracked "
            f"Variable with recording on"
        )
    data = _one_array(output, asked)
    if cotangent is None:
        if data.size != 1:
            raise ValueError(
                f"{asked}: {output.label} has shape {data.shape}, and only a single element has a "
                f"gradient of its own; pass a cotangent of that shape, or reduce it with .sum()"
            )
        return np.array(1, data.dtype).reshape(data.shape)
    refuse_mask(cotangent)
    if type(cotangent) is not Variable:
        # a recording keeps it, and its owner may write to it
        cotangent = np.array(cotangent) if create_graph else np.asarray(cotangent)
    if cotangent.shape != data.shape or cotangent.dtype.kind not in "fiub":
        raise ValueError(
            f"{asked}: {output.label} is {errors.a_kind(data)}, the cotangent is "
            f"{errors.a_kind(cotangent)}; it must be real and of the same shape"
        )
    return cotangent if cotangent.dtype == data.dtype else cotangent.astype(data.dtype)


def _one_array(v: Variable, asked: str) -> Any:
    """The Variable's array; the entry of several results has several, and is refused."""
    if type(v._array) is tuple:
        raise TypeError(
            f"{asked}: {v.label} stands for {len(v._array)} results; take one of them, {v.label}[0]"
        )
    return v._array


def _own_array(g: Any, variable: Variable, owned: bool) -> Array:
    """A cotangent as an array of the Variable's dtype that nobody else holds."""
    return (np.asarray if owned else np.array)(g, dtype=variable._array.dtype)


_ACCUMULATING = threading.Lock()
"""Held while gradients are added up: threads may share a leaf."""


class _Everything:
    """The container of all numbers."""

    def __contains__(self, number: object) -> bool:
        return True


def backward(
    output: Variable,
    cotangent: ArrayLike | None = None,
    *,
    retain_grads: bool = False,
    create_graph: bool = False,
) -> None:
    """Add ∂L/∂v to `v.grad` for every leaf v that `output` was computed from.

    What `Variable.backward` calls; see there. Nothing is stored if anything fails on the way.
    """
    seed = _seed(output, cotangent, "backward", create_graph)
    wanted = _Everything() if retain_grads else None
    if create_graph:
        with recording():
            found = sweep([(output, seed)], wanted, create_graph=True)
            with _ACCUMULATING:
                recorded = [
                    (v, _recorded(g if v._grad is None else v._grad + g, v))
                    for v, g, _ in found
                    if type(g) is not tuple
                ]
                for variable, gradient in recorded:
                    variable._grad = gradient
        return
    found = sweep([(output, seed._array if type(seed) is Variable else seed)], wanted)
    with _ACCUMULATING:
        totals = []
        for variable, g, owned in found:
            if type(g) is tuple:
                continue  # the entry of several results; each of them has a gradient of its own
            old = variable._grad
            old = old._array if type(old) is Variable else old
            total = g if old is None else old + g
            totals.append((variable, _own_array(total, variable, owned or old is not None)))
        for variable, total in totals:
            variable._grad = total


@overload
def gradients(
    output: Variable,
    inputs: Variable,
    cotangent: Any = None,
    *,
    create_graph: bool = False,
) -> Any: ...
@overload
def gradients(
    output: Variable,
    inputs: Sequence[Variable],
    cotangent: Any = None,
    *,
    create_graph: bool = False,
) -> list[Any]: ...
def gradients(
    output: Variable,
    inputs: Variable | Sequence[Variable],
    cotangent: Any = None,
    *,
    create_graph: bool = False,
) -> Any:
    """The gradients of `output` with respect to any Variables, leaves or not; stores nothing.

    A list of arrays, one per input, in its shape and dtype (one array for one Variable); zeros
    where `output` does not depend on the input. `cotangent` as in `Variable.backward`. With
    `create_graph=True` they are tracked Variables, to be differentiated again: a gradient that is
    constant has the gradient zero. Raises NotRecordedError for an untracked output or input,
    StaleVariableError if a leaf was assigned since and a recorded sweep was asked for.

    >>> import numpy as np, autograd_lite as ag
    >>> x = ag.Variable(0.5)
    >>> slope = ag.gradients(np.sin(x), x, create_graph=True)
    >>> ag.gradients(slope, [x])[0] == -np.sin(0.5)
    np.True_
    """
    single = type(inputs) is Variable or not isinstance(inputs, Iterable)
    variables: Any = [inputs] if single else list(inputs)
    seed = _seed(output, cotangent, "gradients", create_graph)
    for v in variables:
        if type(v) is not Variable or not v._tracked:
            raise errors.NotRecordedError(
                f"gradients: the input {v.label if type(v) is Variable else errors.kind(v)} is not "
                f"a tracked Variable, so nothing was recorded about it"
            )
        _one_array(v, "gradients")
    results = pulled_back([(output, seed)], variables, create_graph)
    return results[0] if single else results


def pulled_back(
    seeds: Sequence[tuple[Variable, Any]],
    inputs: Sequence[Variable],
    create_graph: bool = False,
    through: bool = True,
    linear: bool = False,
    absent: Any = None,
) -> list[Any]:
    """The cotangents of the inputs from those of the outputs: arrays, or recorded Variables.

    `through` and `linear` as in `sweep`. `absent`: what stands for the cotangent of an input that
    none comes to, instead of zeros.
    """
    numbers = {v._number for v in inputs}
    lowest = min(numbers, default=NEVER)
    if create_graph:
        with recording():
            found = {
                v._number: g for v, g, _ in sweep(seeds, numbers, lowest, True, through, linear)
            }
            return [
                absent
                if absent is not None and v._number not in found
                else _recorded(found.get(v._number), v)
                for v in inputs
            ]
    by_number = {
        v._number: (g, owned)
        for v, g, owned in sweep(
            [(v, plain(g)) for v, g in seeds], numbers, lowest, through=through
        )
    }
    results: list[Any] = []
    for v in inputs:
        if absent is not None and v._number not in by_number:
            results.append(absent)
            continue
        g, owned = by_number.get(v._number) or (np.zeros(v._array.shape, v._array.dtype), True)
        results.append(_own_array(g, v, owned and len(numbers) == len(inputs)))
    return results


NEVER = math.inf
"""Above every number: nothing is visited."""

_constant_slope = Primitive(
    lambda slope, x: np.array(slope),
    (None, lambda g, z, slope, x: np.zeros(x.shape, x.dtype)),
    "constant slope",
)


def _recorded(g: Any, variable: Variable) -> Variable:
    """A gradient as a tracked Variable; one that depends on nothing has the gradient zero."""
    if type(g) is Variable and g._tracked:  # arithmetic makes another byte order native
        return g if g.dtype == variable.dtype else g.astype(variable.dtype)
    if g is None:
        g = np.zeros(variable._array.shape, variable._array.dtype)
    return _constant_slope(g, variable)  # type: ignore[no-any-return]
