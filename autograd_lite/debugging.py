"""`ag.debug()`: remembers the line behind each operation, and stops where numbers go wrong.

While it is on, the state of recording holds a `_Watch` in place of True. The gate shows it every
result and the sweep every cotangent; when it is off, neither does anything for it.
"""

from __future__ import annotations

import linecache
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from autograd_lite import errors
from autograd_lite.recomputing import Checkpoint
from autograd_lite.sweep import sweep
from autograd_lite.tape import Scope, _StateChange
from autograd_lite.variable import Variable

OWN_PACKAGES = {"autograd_lite", "nn", "viz", "numpy"}
"""A line in one of these is not the user's: who called it is."""


class Origin(NamedTuple):
    """Where an operation was called, and checksums of the arrays that its rules will read."""

    file: str
    line: int
    checksums: tuple[int | None, ...]

    def __str__(self) -> str:
        source = linecache.getline(self.file, self.line).strip()
        return f"{Path(self.file).name}:{self.line}{f': {source}' if source else ''}"


class debug(_StateChange):  # noqa: N801 - a statement-like name, as no_grad
    """Look closely while recording and differentiating: slow, and off it costs nothing.

    A context manager and a decorator; the backward pass must be inside, too. It
    remembers the line of your program behind each operation (`v.origin`, and in messages);
    stops with FloatingPointError at the first NaN or infinity in a value or a gradient, and names
    operation, scope and line;
    stops with ChangedArrayError if an array that an operation was computed from, or its result, was
    written to before the backward pass.

    Infinities in constants are taken for masks: they, and what they make infinite, may pass. So may
    NaN in constants, as long as the operation that meets it leaves it out (`np.where`). Within
    `no_grad` nothing is recorded, and nothing is looked at.

    >>> import numpy as np, autograd_lite as ag
    >>> x = ag.Variable([1.0, 0.0], name="x")
    >>> with ag.debug(), np.errstate(divide="ignore"), ag.scope("entropy"):
    ...     y = x * np.log(x)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    FloatingPointError: log: the result is -inf at [1] (1 of 2 entries), from x = 0.0 ...
    """

    __slots__ = ()

    def __init__(self, *misplaced: Any):
        if misplaced:
            raise TypeError("debug: it takes no arguments; write @ag.debug()")

    def _changed(self, recording: Any, scope: Scope | None) -> tuple[Any, Scope | None]:
        return recording and _WATCH, scope


class _Watch:
    """What the gate and the sweep call while debugging."""

    def computed(self, z: Variable) -> None:
        """A new entry of the tape: remember where it came from, and look at its numbers."""
        z._origin, in_a_rule = _origin(z, sys._getframe(2))
        # what a rule computes on its way it may mask, and the sweep shows what it returns; what a
        # checkpointed function computed on its way has been shown, and may hold masks
        if not in_a_rule and not isinstance(z._primitive, Checkpoint):
            self._look_at_operands(z)
            for result in _floats(z._array):
                bad = np.isnan(result)
                advice = "it is not defined there: keep the operands within its domain"
                if not bad.any():
                    bad = _new_infinities(z, result)
                    advice = "it has a pole there, or overflows: keep the operands away from there"
                if bad.any():
                    raise FloatingPointError(
                        f"{z._primitive.name}: the result {_first(result, bad)}"
                        f"{_operands_there(z, result, bad)}{_where(z)}; {advice}, by np.clip or "
                        f"np.where before it, not after"
                    )

    def _look_at_operands(self, z: Variable) -> None:
        """Those that no operation has been blamed for: leaves, constants, and what is older."""
        nan_came_out = any(np.isnan(result).any() for result in _floats(z._array))
        for position, (x, value) in enumerate(zip(z._inputs, z._values, strict=True)):
            variable = type(x) is Variable
            if variable and x.origin is not None:
                continue
            for array in _floats(value):
                bad = np.isnan(array) if nan_came_out else np.zeros(array.shape, bool)
                if variable and x._tracked:
                    bad = ~np.isfinite(array)
                if bad.any():
                    name = x.label if variable else "a constant"
                    advice = "clean the data, or leave the entry out by np.where"
                    if variable and x._primitive is not None:
                        advice = "it was computed before ag.debug() was on: begin earlier"
                    elif variable and x._tracked:
                        advice = "look at where it was assigned: was a step of training too long?"
                    raise FloatingPointError(
                        f"{z._primitive.name}: operand {position}, {name}, {_first(array, bad)}"
                        f"{_where(z)}; {advice}"
                    )

    def visited(self, z: Variable, g: Any) -> None:
        """The sweep is about to use the rules of z: its arrays must be what they were.

        Every part of its cotangent g has been looked at, but for one that was handed in.
        """
        for part in g if type(g) is tuple else (g,):
            for array in _floats(part.data if type(part) is Variable else part):
                bad = ~np.isfinite(array)
                if bad.any():
                    raise FloatingPointError(
                        f"backward: the cotangent of {z.label} {_first(array, bad)}{_where(z)}; "
                        f"it was handed in so, or is a sum that overflows: make it smaller"
                    )
        if z.origin is None:  # recorded before debugging began
            return
        for (name, value), checksum in zip(_read(z), z.origin.checksums, strict=True):
            if _checksum(value) != checksum:
                raise errors.ChangedArrayError(
                    f"{z._primitive.name}: {name} was written to after {z.label} was computed"
                    f"{_where(z)}; the gradient would be wrong: write to a copy, or differentiate "
                    f"first"
                )

    def pulled(self, z: Variable, position: int, piece: Any) -> None:
        """A rule of z has given a cotangent: look at its numbers."""
        is_part = type(piece) is tuple and len(piece) == 2
        part = piece[1] if is_part else piece
        for array in _floats(part.data if type(part) is Variable else part):
            bad = ~np.isfinite(array)
            if bad.any():
                x = z._inputs[position]
                in_result = is_part or array.shape != x.shape  # not yet summed over axes
                advice = "its slope is infinite there, or overflows"
                if np.isnan(array[bad][0]):
                    advice = (
                        "most often 0·∞: its slope is infinite there, and np.where after it lets "
                        "only 0 come back"
                    )
                raise FloatingPointError(
                    f"{z._primitive.name}: the gradient for {x.label} "
                    f"{_first(array, bad, ' of the result' if in_result else '')}"
                    f"{_operands_there(z, array, bad)}{_where(z)}; {advice}: keep the operand away "
                    f"from there, by np.clip or np.where before it"
                )


_WATCH = _Watch()


def _origin(z: Variable, frame: FrameType) -> tuple[Origin, bool]:
    """The user's line among the callers of this frame, and whether a derivative rule is, too."""
    outer: FrameType | None = frame
    in_a_rule = False
    while outer is not None and not in_a_rule:
        in_a_rule = outer.f_code is sweep.__code__
        outer = outer.f_back
    while (
        frame.f_back is not None
        and str(frame.f_globals.get("__name__")).partition(".")[0] in OWN_PACKAGES
    ):
        frame = frame.f_back
    checksums = tuple(_checksum(value) for _, value in _read(z))
    return Origin(frame.f_code.co_filename, frame.f_lineno, checksums), in_a_rule


def _read(z: Variable) -> Iterator[tuple[str, Any]]:
    """What the rules of z read, each with a name."""
    for position, (x, value) in enumerate(zip(z._inputs, z._values, strict=True)):
        yield f"operand {position} ({x.label if type(x) is Variable else 'a constant'})", value
    for name, value in z._settings.items():
        yield f"its {name}", value
    yield "its result", z._array


def _checksum(value: Any) -> int | None:
    """Of an array, or of several; None for what cannot change."""
    if isinstance(value, tuple | list):
        return sum(_checksum(part) or 0 for part in value)
    return zlib.crc32(value.tobytes()) if isinstance(value, np.ndarray) else None


def _floats(value: Any) -> Iterator[Any]:
    """The floating-point arrays that a value is or holds."""
    if isinstance(value, tuple | list):
        for part in value:
            yield from _floats(part)
    elif isinstance(getattr(value, "dtype", None), np.dtype):
        if value.dtype.kind in "fc":
            yield np.asarray(value)
    elif isinstance(value, float):
        yield np.asarray(value)


def _elementwise(z: Variable) -> bool:
    function = z._primitive.function
    return isinstance(function, np.ufunc) and function.signature is None


def _new_infinities(z: Variable, result: Any) -> Any:
    """Where a result is infinite though what it was computed from is not."""
    bad = np.isinf(result)
    if not bad.any():
        return bad
    if _elementwise(z):
        for value in z._values:
            bad &= np.isfinite(value)
        return bad
    operands = _floats([*z._values, *z._settings.values()])
    return bad & all(np.isfinite(array).all() for array in operands)


def _first(array: Any, bad: Any, of: str = "") -> str:
    """What is wrong, and where first: "is -inf at [1] (1 of 2 entries)"."""
    place = np.unravel_index(int(np.argmax(bad)), array.shape)
    if not place:
        return f"is {array[()]}"
    index = ", ".join(str(int(i)) for i in place)
    return f"is {array[place]} at [{index}]{of} ({np.count_nonzero(bad)} of {array.size} entries)"


def _operands_there(z: Variable, array: Any, bad: Any) -> str:
    """The operands' numbers at the first bad place, of an operation on each entry alone."""
    place = np.unravel_index(int(np.argmax(bad)), array.shape)
    if not _elementwise(z):
        return ""
    there = []
    for x, value in zip(z._inputs, z._values, strict=True):
        try:
            number = np.broadcast_to(value, array.shape)[place]
        except ValueError:  # a cotangent may be smaller than the operands
            return ""
        there.append(f"{x.label} = {number}" if type(x) is Variable else f"{number}")
    return f", from {' and '.join(there)}"


def _where(z: Variable) -> str:
    """Scope and line, as the end of a clause."""
    return f"{errors.place(z._scope)}{f', at {z.origin}' if z.origin else ''}"
