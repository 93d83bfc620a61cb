"""The few error classes of the library, and the sentences that say what went wrong.

A message says what was asked, what arrived, where, and what to do. ValueError and TypeError stand
for bad values and wrong kinds; the classes here are for what a caller may want to catch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class MissingRuleError(TypeError):
    """A NumPy function, or a use of one, that has no derivative rule met a tracked Variable."""


class NotRecordedError(RuntimeError):
    """A gradient was asked of something that the tape did not record."""


class StaleVariableError(RuntimeError):
    """A recorded sweep met a Variable whose data was assigned after it was recorded."""


class ChangedArrayError(RuntimeError):
    """`ag.debug()` found that an array was written to between its use and the backward pass."""


class RuleError(RuntimeError):
    """A derivative rule failed, or returned the wrong shape or the wrong number of gradients."""


def place(scope: Any) -> str:
    """Where it happened, as the end of a clause: " (in scope 'encoder')", or nothing."""
    return f" (in scope '{scope.path}')" if scope is not None else ""


def kind(x: Any) -> str:
    """What a value is, in a few words: "float64 array of shape (2, 3)", "str 'abc'"."""
    shape, dtype = getattr(x, "shape", None), getattr(x, "dtype", None)
    if shape is not None and dtype is not None:
        return f"{dtype} array of shape {shape}" if shape else f"{dtype} scalar"
    text = repr(x)
    if x is None:
        return text
    return f"{type(x).__name__} {text if len(text) <= 40 else text[:37] + '...'}"


def a_kind(x: Any) -> str:
    """The same with an article, as the object of a sentence: "an int64 scalar", "None"."""
    text = kind(x)
    return text if x is None else f"{'an' if text[0] in 'aeiouAEIOU' else 'a'} {text}"


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 rule", "2 rules"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def operation_failed(
    name: str, values: Sequence[Any], scope: Any, error: Exception, broadcasts: bool
) -> str:
    """The message for an operation that NumPy refused: shapes named where shapes are the cause."""
    shapes = [getattr(value, "shape", ()) for value in values]
    reason = None
    if broadcasts and isinstance(error, ValueError) and len(shapes) == 2:
        a, b = shapes
        reason = _matmul_reason(a, b) if name == "matmul" else _broadcast_reason(a, b)
    if reason is not None:
        first, advice = reason
        return f"{name}: shapes {shapes[0]} and {shapes[1]} {first}{place(scope)}; {advice}"
    arrived = ", ".join(kind(value) for value in values)
    return f"{name}: {error}{place(scope)}; it was given {arrived}"


def _matmul_reason(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[str, str] | None:
    if not a or not b:
        return "do not align: a scalar has no axis to sum over", "use * for scaling"
    columns, rows = a[-1], b[-2] if len(b) > 1 else b[0]
    if columns != rows:
        return f"do not align: {columns} ≠ {rows}", "transpose one operand?"
    return _broadcast_reason(a, b, first=3)


def _broadcast_reason(
    a: tuple[int, ...], b: tuple[int, ...], first: int = 1
) -> tuple[str, str] | None:
    for axis in range(first, min(len(a), len(b)) + 1):
        if a[-axis] != b[-axis] and 1 not in (a[-axis], b[-axis]):
            reason = f"do not broadcast: {a[-axis]} ≠ {b[-axis]} on axis -{axis}"
            return reason, "reshape one operand, or insert an axis with [:, None]?"
    return None
