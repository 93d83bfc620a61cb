"""The chain rule: the tape in reverse.

`sweep` pops the pending Variable with the highest number, so that every use of it has been seen,
and asks each rule of its operation for the cotangent of one operand. Summing over broadcast axes,
keeping the dtype, checking the shape, accumulating and merging pieces happen here and nowhere else.
Run on arrays it computes; run on Variables (`create_graph`) the same rules are recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from autograd_lite import errors
from autograd_lite.rules.indexing import scatter
from autograd_lite.tape import recording
from autograd_lite.variable import Array, Variable


def sweep(
    output: Variable,
    cotangent: Any,
    wanted: Callable[[Variable], bool],
    lowest: int = 0,
    create_graph: bool = False,
) -> list[tuple[Variable, Any, bool]]:
    """Cotangents of the wanted Variables, as (variable, cotangent, whether nobody else holds it).

    Nothing older than the number `lowest` is visited.
    """
    found = []
    number = output._number
    variables = {number: output}  # those with something pending
    pending = {number: cotangent}  # their cotangents so far
    pieces: dict[int, list[Any]] = {}  # cotangents of parts of them, (index, piece)
    owned: set[int] = set()  # pending sums that may be added to in place
    heap = [-number]
    while heap:
        number = -heappop(heap)
        z = variables.pop(number)
        g = pending.pop(number, None)
        if number in pieces:
            merged = scatter(pieces.pop(number), z._data.shape, create_graph)
            g = merged if g is None else g + merged
            owned.add(number)
        if wanted(z):
            found.append((z, g, number in owned))
        primitive = z._primitive
        if primitive is None:
            continue
        inputs = z._inputs
        settings = z._settings
        if create_graph:
            _refuse_stale(z)
            own, values = z, inputs
        else:
            own, values = z._data, z._values
        for i, x in enumerate(inputs):
            if type(x) is not Variable or not x.requires_grad or x._number < lowest:
                continue
            rule = primitive.rules[0 if primitive.variadic else i]
            if rule is None:
                continue
            if primitive.variadic:
                settings = {**z._settings, "index": i}
            try:
                piece = rule(g, own, *values, **settings) if settings else rule(g, own, *values)
            except Exception as error:
                error.add_note(f"in the derivative rule of '{z.label}' for argument {i}{errors.place(z._scope)}")
                raise
            data = x._data
            k = x._number
            if type(piece) is tuple:
                pieces.setdefault(k, []).append(piece)
            else:
                try:
                    if piece.shape != data.shape:
                        piece = _unbroadcast(piece, data.shape)
                    if piece.dtype != data.dtype:
                        piece = piece.astype(data.dtype)
                except (AttributeError, ValueError):
                    raise errors.RuleError(
                        f"{primitive.name}: the derivative rule for argument {i} returned a "
                        f"{errors.kind(piece)}, the argument is a {errors.kind(data)}"
                        f"{errors.place(z._scope)}; a rule returns a cotangent of its argument's shape"
                    ) from None
                if k not in pending:
                    pending[k] = piece
                    if x._primitive is None and _is_fresh(piece, g, own, values):
                        owned.add(k)
                elif k in owned:
                    pending[k] += piece
                else:
                    pending[k] = pending[k] + piece
                    owned.add(k)
            if k not in variables:
                variables[k] = x
                heappush(heap, -k)
    return found


def _is_fresh(piece: Any, *given: Any) -> bool:
    """Whether a rule's result is a new array, not one it was given or a view: then a leaf keeps it.

    Spares a copy of every weight's gradient.
    """
    g, own, values = given
    return (
        type(piece) is np.ndarray
        and piece.base is None
        and piece is not g
        and piece is not own
        and all(piece is not value for value in values)
    )


def _unbroadcast(piece: Any, shape: tuple[int, ...]) -> Any:
    """Sum a cotangent over the axes along which its operand of this shape was broadcast."""
    extra = piece.ndim - len(shape)
    stretched = [
        extra + i for i, n in enumerate(shape) if n == 1 and piece.shape[extra + i] != 1
    ]
    if extra < 0 or any(
        n != m and n != 1 for n, m in zip(shape, piece.shape[extra:], strict=True)
    ):
        raise ValueError("not a broadcast of the operand's shape")
    summed = np.add.reduce(piece, axis=(*range(extra), *stretched))
    return summed if summed.shape == shape else np.reshape(summed, shape)


def _refuse_stale(z: Variable) -> None:
    """A recorded sweep reads its operands anew, so none may have been assigned since."""
    for x, value in zip(z._inputs, z._values, strict=True):
        if type(x) is Variable and x._data is not value:
            raise errors.StaleVariableError(
                f"create_graph: the data of {x.label} was assigned after '{z.label}' was computed "
                f"from it{errors.place(z._scope)}; compute the output again, or take the gradient first"
            )


def _seed(output: Any, cotangent: Any, asked: str) -> Any:
    """The cotangent of the output: given, or 1 for a single element. Refuses what has no gradient."""
    if type(output) is not Variable:
        raise TypeError(f"{asked}: the output is a {errors.kind(output)}, not a Variable")
    if not output.requires_grad:
        reason = (
            f"the result of '{output._primitive.name}', which has no derivative or tracked input"
            if output._primitive is not None
            else "a constant, or was computed under no_grad or from constants alone"
        )
        raise errors.NotRecordedError(
            f"{asked}: {output.label} is not recorded: it is {reason}; compute it from a tracked "
            f"Variable with recording on"
        )
    data = output._data
    if cotangent is None:
        if data.size != 1:
            raise ValueError(
                f"{asked}: {output.label} has shape {data.shape}, and only a single element has a "
                f"gradient of its own; pass a cotangent of that shape, or reduce it with .sum()"
            )
        return np.ones_like(data)
    if type(cotangent) is not Variable:
        cotangent = np.asarray(cotangent)
    if cotangent.shape != data.shape or cotangent.dtype.kind not in "fiub":
        raise ValueError(
            f"{asked}: {output.label} is a {errors.kind(data)}, the cotangent is a "
            f"{errors.kind(cotangent)}; it must be real and of the same shape"
        )
    return cotangent if cotangent.dtype == data.dtype else cotangent.astype(data.dtype)


def _own_array(g: Any, owned: bool) -> Array:
    """A cotangent as an array that nobody else holds."""
    return np.asarray(g) if owned else np.array(g)


def backward(
    output: Variable, cotangent: ArrayLike | None = None, *, retain_grads: bool = False
) -> None:
    """Add ∂L/∂v to `v.grad` for every leaf v that `output` was computed from.

    What `Variable.backward` calls; see there. Nothing is stored if anything fails on the way.
    """
    seed = _seed(output, cotangent, "backward")
    if type(seed) is Variable:
        seed = seed._data
    found = sweep(output, seed, lambda v: v._primitive is None or retain_grads)
    for variable, g, owned in found:
        old = variable._grad
        variable._grad = _own_array(g, owned) if old is None else np.asarray(old + g)


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
    `create_graph=True` they are Variables, recorded, to be differentiated again. Raises
    NotRecordedError for an untracked output or input, StaleVariableError if a leaf was assigned
    since and a recorded sweep was asked for.

    >>> import numpy as np, autograd_lite as ag
    >>> x = ag.Variable(0.5)
    >>> slope = ag.gradients(np.sin(x), x, create_graph=True)
    >>> ag.gradients(slope, [x])[0] == -np.sin(0.5)
    np.True_
    """
    single = type(inputs) is Variable
    variables: Any = [inputs] if single else list(inputs)
    seed = _seed(output, cotangent, "gradients")
    for v in variables:
        if type(v) is not Variable or not v.requires_grad:
            raise errors.NotRecordedError(
                f"gradients: the input {v.label if type(v) is Variable else errors.kind(v)} is not "
                f"a tracked Variable, so nothing was recorded about it"
            )
    if type(seed) is Variable and not create_graph:
        seed = seed._data
    numbers = {v._number for v in variables}
    lowest = min(numbers, default=output._number + 1)
    if create_graph:
        with recording():
            found = sweep(output, seed, lambda v: v._number in numbers, lowest, create_graph)
    else:
        found = sweep(output, seed, lambda v: v._number in numbers, lowest)
    by_number = {v._number: (g, owned) for v, g, owned in found}
    results: list[Any] = []
    for v in variables:
        g, owned = by_number.get(v._number, (np.zeros_like(v._data), True))
        if create_graph:
            results.append(g if type(g) is Variable else Variable(g, requires_grad=False))
        else:
            results.append(_own_array(g, owned and len(numbers) == len(variables)))
    return results[0] if single else results
