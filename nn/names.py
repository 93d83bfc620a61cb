"""Names in settings, such as `metrics=["accuracy"]`: looked up, with the nearest one suggested."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


def named(asked: str, what: str, name: str, known: Mapping[str, T]) -> T:
    """What goes by this name; ValueError, with the nearest name, if nothing does.

    >>> from nn.names import named
    >>> named("fit", "metric", "acuracy", {"accuracy": 1})
    Traceback (most recent call last):
    ValueError: fit: there is no metric 'acuracy'; did you mean 'accuracy'?
    """
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.4)
    advice = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(known)}"
    raise ValueError(f"{asked}: there is no {what} {name!r}; {advice}")
