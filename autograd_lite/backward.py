"""The chain rule: the tape in reverse.

`sweep` pops the pending Variable with the highest number, so that every use of it has been seen,
and asks each rule of its operation for the cotangent of one operand. Summing over broadcast axes,
keeping the dtype, checking the shape, accumulating and merging pieces happen here and nowhere else.
Run on arrays it computes; run on Variables (`create_graph`) the same rules are recorded.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Container, Iterable, Sequence
from heapq import heappop, heappush, heappushpop
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from autograd_lite import errors
from autograd_lite.primitive import NOTHING, Primitive
from autograd_lite.rules.indexing import scatter
from autograd_lite.rules.operands import refuse_mask
from autograd_lite.tape import STATE, recording
from autograd_lite.variable import Array, Variable, guarded, plain


def sweep(
    seeds: Iterable[tuple[Variable, Any]],
    wanted: Container[int] | None = None,
    lowest: float = 0,
    create_graph: bool = False,
    through: bool = True,
    linear: bool = False,
) -> list[tuple[Variable, Any, bool]]:
    """Cotangents of Variables, as (variable, cotangent, whether nobody else holds that array).

    `seeds` are the outputs with their cotangents. Of the Variables whose numbers are `wanted`, or
    of all leaves. Nothing older than `lowest` is visited; nor, without `through`, what is behind
    those that are wanted. What `create_graph` records is a function of cotangents and operands; if
    `linear`, of the cotangents alone.
    """
    found = []
    pending: dict[int, Any] = {}  # cotangents so far; None where there are only pieces
    pieces: dict[int, list[Any]] = {}  # cotangents of parts, (index, piece)
    owned: set[int] = set()  # sums that nobody else holds, so that they may be added to in place
    heap: list[
        tuple[int, Variable]
    ] = []  # (−number, Variable) of the results with something pending
    leaves: list[Variable] = []  # wait outside the heap: nothing comes after them
    # what was reached when nothing else waited skips the heap, and its cotangent what is pending
    upcoming: Variable | None = None
    ahead: Any = None
    for output, cotangent in seeds:
        number = output._number
        if number < lowest:
            continue
        if number in pending:
            pending[number] = pending[number] + cotangent
            continue
        pending[number] = cotangent
        if output._primitive is None:
            leaves.append(output)
        else:
            heappush(heap, (-number, output))
    mode = STATE.get()[0]
    watch = None if type(mode) is bool else mode  # what ag.debug() looks with
    own: Any
    values: Any
    while upcoming is not None or heap:
        if upcoming is not None and not heap:
            z, g = upcoming, ahead
            number = z._number
        else:
            if upcoming is None:
                z = heappop(heap)[1]
            else:
                pending[upcoming._number] = ahead
                z = heappushpop(heap, (-upcoming._number, upcoming))[1]
            number = z._number
            g = pending.pop(number)
        upcoming = None
        if pieces and number in pieces:
            g = _merge(g, pieces.pop(number), z, create_graph)
            owned.add(number)
        if wanted is not None and number in wanted:
            found.append((z, g, number in owned))
            if not through:
                continue
        primitive = z._primitive
        settings = z._settings
        elementwise = primitive.elementwise
        if watch is not None:
            watch.visited(z, g)
        if create_graph and not linear:
            _refuse_stale(z)
            own, values = z, z._inputs
        else:
            own, values = z._array, z._values
        if not primitive.fresh and not create_graph:
            g, own, values = guarded(g), guarded(own), [guarded(value) for value in values]
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
                    f"{errors.place(z._scope)}{f', at {z.origin}' if z.origin else ''}"
                )
                raise
            if watch is not None:
                watch.pulled(z, position, piece)
            if not primitive.fresh:
                _look_at(piece, z, position, create_graph)
            if type(piece) is tuple and len(piece) == 2:  # (index, cotangent of that part of x)
                pieces.setdefault(number, []).append(piece)
                piece = None
            else:
                data = x._array
                try:
                    if not elementwise and piece.shape != data.shape:
                        piece = _unbroadcast(piece, data.shape)
                    if piece.dtype is not data.dtype:
                        piece = _real(piece).astype(data.dtype)
                except (AttributeError, ValueError):
                    if piece is NOTHING:
                        continue
                    raise _wrong_shape(z, position, piece) from None
            if x is upcoming:
                if piece is not None:
                    ahead = piece if ahead is None else ahead + piece
                continue
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
            if x._primitive is not None and upcoming is None:
                upcoming, ahead = x, piece
                continue
            pending[number] = piece
            if x._primitive is not None:
                heappush(heap, (-number, x))
            else:
                leaves.append(x)
                if primitive.fresh and _is_fresh(piece, g, own, values):
                    owned.add(number)
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
    merged = scatter(pieces, z._array.shape, create_graph)
    return merged if g is None else g + merged


def _look_at(piece: Any, z: Variable, position: int, create_graph: bool) -> None:
    """What a rule that is not the library's returned: it may be anything."""
    if type(piece) is Variable and not create_graph:
        raise errors.RuleError(
            f"{z._primitive.name}: the derivative rule for argument {position} used a tracked "
            f"Variable, {piece.label} came of it, and its gradient would be lost"
            f"{errors.place(z._scope)}; pass what the operation depends on as an argument"
        )
    x = z._inputs[position]
    if type(piece) is tuple and len(piece) == 2:
        index, part = piece
        try:
            inserts = any(e is None for e in (index if type(index) is tuple else (index,)))
            fits = not inserts and np.empty(x.shape)[plain(index)].shape == _real(part).shape
        except (AttributeError, IndexError, TypeError, ValueError):
            fits = False
        if not fits:
            raise errors.RuleError(
                f"{z._primitive.name}: the derivative rule for argument {position} returned a pair "
                f"that is no (index, cotangent of that part){errors.place(z._scope)}; "
                f"a rule returns one cotangent"
            )
    elif type(z._array) is not tuple and getattr(piece, "shape", None) not in (None, x.shape):
        try:  # it may have been broadcast with the result, and no further
            fits = np.broadcast_shapes(piece.shape, z.shape) == z.shape
        except ValueError:
            fits = False
        if not fits:
            raise _wrong_shape(z, position, piece)


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
        f"{z._primitive.name}: the derivative rule for argument {position} returned "
        f"{errors.a_kind(piece)}, the argument is {errors.a_kind(z._inputs[position]._array)}"
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

    `through` and `linear` as in `sweep`. `absent`: what stands for the
    cotangent of an input that none comes to, instead of zeros.
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
