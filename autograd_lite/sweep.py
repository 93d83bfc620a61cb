"""The chain rule: the tape in reverse.

`sweep` pops the pending Variable with the highest number, so that every use of it has been seen,
and asks each rule of its operation for the cotangent of one operand. Summing over broadcast axes,
keeping the dtype, checking the shape, accumulating and merging pieces happen here and nowhere else.
Run on arrays it computes; run on Variables (`create_graph`) the same rules are recorded.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from heapq import heappop, heappush, heappushpop
from typing import Any

import numpy as np

from autograd_lite import errors
from autograd_lite.primitive import NOTHING
from autograd_lite.rules.indexing import scatter
from autograd_lite.tape import STATE
from autograd_lite.variable import Variable, guarded, plain


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
