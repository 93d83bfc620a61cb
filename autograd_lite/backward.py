"""The chain rule: the tape in reverse.

`sweep` pops the pending Variable with the highest number, so that every use of it has been seen,
and asks each rule of its operation for the cotangent of one operand. Summing over broadcast axes,
keeping the dtype, checking the shape, accumulating and merging pieces happen here and nowhere else.
Run on arrays it computes; run on Variables (`create_graph`) the same rules are recorded.
"""

from __future__ import annotations

import threading
from collections.abc import Container, Sequence
from heapq import heappop, heappush, heappushpop
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
    wanted: Container[int] | None = None,
    lowest: int = 0,
    create_graph: bool = False,
) -> list[tuple[Variable, Any, bool]]:
    """Cotangents of Variables, as (variable, cotangent, whether nobody else holds that array).

    Of those whose numbers are `wanted`, or of all leaves. Nothing older than `lowest` is visited.
    """
    found = []
    pending: dict[int, Any] = {}  # cotangents so far; None where there are only pieces
    pieces: dict[int, list[Any]] = {}  # cotangents of parts, (index, piece)
    owned: set[int] = set()  # sums that nobody else holds, so that they may be added to in place
    heap: list[
        tuple[int, Variable]
    ] = []  # (−number, Variable) of the results with something pending
    leaves: list[Variable] = []  # wait outside the heap: nothing comes after them
    pending[output._number] = cotangent
    upcoming: Variable | None = None  # what was reached when nothing else waited skips the heap
    if output._primitive is None:
        leaves.append(output)
    else:
        upcoming = output
    own: Any
    values: Any
    while upcoming is not None or heap:
        if upcoming is None:
            z = heappop(heap)[1]
        elif not heap:
            z = upcoming
        else:
            z = heappushpop(heap, (-upcoming._number, upcoming))[1]
        upcoming = None
        number = z._number
        g = pending.pop(number)
        if pieces and number in pieces:
            g = _merge(g, pieces.pop(number), z, create_graph)
            owned.add(number)
        if wanted is not None and number in wanted:
            found.append((z, g, number in owned))
        primitive = z._primitive
        settings = z._settings
        if create_graph:
            _refuse_stale(z)
            own, values = z, z._inputs
        else:
            own, values = z._array, z._values
        rules = primitive.rules if not primitive.variadic else primitive.rules_for(len(values))
        position = -1
        for x in z._inputs:
            position += 1
            if type(x) is not Variable or not x._tracked:
                continue
            rule = rules[position]
            number = x._number
            if rule is None or number < lowest:
                continue
            try:
                # spelt out, for calling with *values costs as much as a small rule
                if primitive.variadic:
                    piece = rule(g, own, values, **settings)
                elif settings:
                    piece = rule(g, own, *values, **settings)
                elif len(values) == 1:
                    piece = rule(g, own, values[0])
                elif len(values) == 2:
                    piece = rule(g, own, values[0], values[1])
                else:
                    piece = rule(g, own, *values)
            except Exception as error:
                error.add_note(
                    f"in the derivative rule of {z.label} for argument {position}"
                    f"{errors.place(z._scope)}"
                )
                raise
            if type(piece) is tuple and len(piece) == 2:  # (index, cotangent of that part of x)
                pieces.setdefault(number, []).append(piece)
                piece = None
            else:
                data = x._array
                try:
                    if piece.shape != data.shape:
                        piece = _unbroadcast(piece, data.shape)
                    if piece.dtype is not data.dtype:
                        piece = _real(piece).astype(data.dtype)
                except (AttributeError, ValueError):
                    raise _wrong_shape(z, position, piece) from None
            if number in pending:
                so_far = pending[number]
                if piece is None:
                    continue
                if so_far is None:
                    pending[number] = piece
                elif number in owned and type(piece) is not Variable:
                    pending[number] += piece
                else:
                    pending[number] = so_far + piece
                    owned.add(number)
                continue
            pending[number] = piece
            if x._primitive is None:
                leaves.append(x)
                if primitive.fresh and _is_fresh(piece, g, own, values):
                    owned.add(number)
            elif upcoming is None:
                upcoming = x
            else:
                heappush(heap, (-number, x))
    for z in leaves:
        number = z._number
        g = pending[number]
        if number in pieces:
            g = _merge(g, pieces[number], z, create_graph)
            owned.add(number)
        if wanted is None or number in wanted:
            found.append((z, g, number in owned))
    return found


def _merge(g: Any, pieces: list[Any], z: Variable, create_graph: bool) -> Any:
    """The cotangent of z: what came for all of it, if anything, and what came for parts."""
    if type(z._array) is tuple:  # several results: each has had its own cotangents, or none
        parts = [np.zeros_like(part) for part in z._array]
        for position, piece in pieces:
            parts[position] = parts[position] + piece
        return tuple(parts)
    try:
        merged = scatter(pieces, z._array.shape, create_graph)
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise errors.RuleError(
            f"a derivative rule for {z.label}, a {errors.kind(z._array)}, returned a tuple that is "
            f"no (index, cotangent of that part): {error}; a rule returns one cotangent"
        ) from error
    return merged if g is None else g + merged


def _is_fresh(piece: Any, g: Any, own: Any, values: Any) -> bool:
    """Whether a rule's result is a new array, not one it was given or a view: then a leaf keeps it.

    Spares a copy of every weight's gradient.
    """
    if type(piece) is not np.ndarray or piece.base is not None or piece is g or piece is own:
        return False
    for value in values:  # noqa: SIM110 - a generator would cost more than the rest
        if piece is value:
            return False
    return True


class _Everything:
    """The container of all numbers."""

    def __contains__(self, number: object) -> bool:
        return True


def _real(piece: Any) -> Any:
    if piece.dtype.kind not in "fiub":
        raise ValueError("complex, or no number at all")
    return piece


def _wrong_shape(z: Variable, position: int, piece: Any) -> errors.RuleError:
    return errors.RuleError(
        f"{z._primitive.name}: the derivative rule for argument {position} returned a "
        f"{errors.kind(piece)}, the argument is a {errors.kind(z._inputs[position]._array)}"
        f"{errors.place(z._scope)}; a rule returns a real cotangent in the shape of its argument"
    )


def _unbroadcast(piece: Any, shape: tuple[int, ...]) -> Any:
    """Sum a cotangent over the axes along which its operand of this shape was broadcast."""
    extra = piece.ndim - len(shape)
    if extra < 0:
        raise ValueError("fewer axes than the operand")
    if extra:
        piece = np.add.reduce(piece, tuple(range(extra)))
    for axis, n in enumerate(shape):
        if piece.shape[axis] != n:
            if n != 1:
                raise ValueError("not a broadcast of the operand's shape")
            piece = np.add.reduce(piece, axis, keepdims=True)
    return piece


def _refuse_stale(z: Variable) -> None:
    """A recorded sweep reads its operands anew, so none may have been assigned since."""
    for x, value in zip(z._inputs, z._values, strict=True):
        if type(x) is Variable and x._array is not value:
            raise errors.StaleVariableError(
                f"create_graph: the data of {x.label} was assigned after '{z.label}' was computed "
                f"from it{errors.place(z._scope)}; compute it again, or differentiate first"
            )


def _seed(output: Any, cotangent: Any, asked: str) -> Any:
    """The cotangent of the output: given, or 1 for one element. Refuses what has no gradient."""
    if type(output) is not Variable:
        raise TypeError(f"{asked}: the output is a {errors.kind(output)}, not a Variable")
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
    data = output._array
    if cotangent is None:
        if data.size != 1:
            raise ValueError(
                f"{asked}: {output.label} has shape {data.shape}, and only a single element has a "
                f"gradient of its own; pass a cotangent of that shape, or reduce it with .sum()"
            )
        return np.array(1, data.dtype).reshape(data.shape)
    if type(cotangent) is not Variable:
        cotangent = np.asarray(cotangent)
    if cotangent.shape != data.shape or cotangent.dtype.kind not in "fiub":
        raise ValueError(
            f"{asked}: {output.label} is a {errors.kind(data)}, the cotangent is a "
            f"{errors.kind(cotangent)}; it must be real and of the same shape"
        )
    return cotangent if cotangent.dtype == data.dtype else cotangent.astype(data.dtype)


def _own_array(g: Any, variable: Variable, owned: bool) -> Array:
    """A cotangent as an array of the Variable's dtype that nobody else holds."""
    return (np.asarray if owned else np.array)(g, dtype=variable._array.dtype)


_ACCUMULATING = threading.Lock()
"""Held while gradients are added up: threads may share a leaf."""


def backward(
    output: Variable, cotangent: ArrayLike | None = None, *, retain_grads: bool = False
) -> None:
    """Add ∂L/∂v to `v.grad` for every leaf v that `output` was computed from.

    What `Variable.backward` calls; see there. Nothing is stored if anything fails on the way.
    """
    seed = _seed(output, cotangent, "backward")
    if type(seed) is Variable:
        seed = seed._array
    found = sweep(output, seed, _Everything() if retain_grads else None)
    with _ACCUMULATING:
        for variable, g, owned in found:
            if type(g) is tuple:
                continue  # the entry of several results; each of them has a gradient of its own
            old = variable._grad
            variable._grad = _own_array(
                g if old is None else old + g, variable, owned or old is not None
            )


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
        if type(v) is not Variable or not v._tracked:
            raise errors.NotRecordedError(
                f"gradients: the input {v.label if type(v) is Variable else errors.kind(v)} is not "
                f"a tracked Variable, so nothing was recorded about it"
            )
    if type(seed) is Variable and not create_graph:
        seed = seed._array
    numbers = {v._number for v in variables}
    lowest = min(numbers, default=output._number + 1)
    if create_graph:
        with recording():
            found = sweep(output, seed, numbers, lowest, create_graph)
    else:
        found = sweep(output, seed, numbers, lowest)
    by_number = {v._number: (g, owned) for v, g, owned in found}
    results: list[Any] = []
    for v in variables:
        g, owned = by_number.get(v._number) or (np.zeros(v._array.shape, v._array.dtype), True)
        if create_graph:
            results.append(g if type(g) is Variable else Variable(g, requires_grad=False))
        else:
            results.append(_own_array(g, v, owned and len(numbers) == len(variables)))
    return results[0] if single else results
