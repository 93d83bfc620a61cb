"""Settings of layers, losses and schedules: numbers in their range, or an error that names it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any


def whole_number(asked: str, name: str, value: Any, least: int = 1) -> int:
    """The setting as Python's whole number; TypeError for what is none, ValueError below `least`.

    >>> from nn.settings import whole_number
    >>> whole_number("Embedding", "entries", 0)
    Traceback (most recent call last):
    ValueError: Embedding: entries must be a whole number of at least 1, received: 0
    """
    whole = hasattr(value, "__index__") and not isinstance(value, bool)
    if not whole or operator.index(value) < least:
        raise (ValueError if whole else TypeError)(
            f"{asked}: {name} must be a whole number of at least {least}, received: {value!r}"
        )
    return operator.index(value)


def number(asked: str, name: str, value: Any, expected: str, holds: Callable[[Any], bool]) -> float:
    """The setting as Python's number, which leaves float32 as it is; `expected` says what `holds`.

    Raises TypeError for what is no number, ValueError for one that is not as expected. A test by
    comparison refuses NaN.

    >>> from nn.settings import number
    >>> number("huber", "delta", -1, "above 0", lambda delta: delta > 0)
    Traceback (most recent call last):
    ValueError: huber: delta must be above 0, received: -1
    """
    message = f"{asked}: {name} must be {expected}, received: {value!r}"
    try:
        fits, plain = bool(holds(value)), float(value)
    except (TypeError, ValueError):
        raise TypeError(message) from None
    if not fits:
        raise ValueError(message)
    return plain
