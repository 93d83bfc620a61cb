"""Names in settings, such as `metrics=["accuracy"]`: looked up, with the nearest one suggested."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is probably meant: by initials ("mse"), its beginning, or its letters."""
    name, known = name.lower(), list(known)
    initials = {"".join(word[:1] for word in each.split("_")): each for each in reversed(known)}
    begins = [each for each in known if len(name) > 1 and each.startswith(name)]
    if name in initials and "_" in initials[name]:
        return initials[name]
    return next(iter(begins or difflib.get_close_matches(name, known, n=1, cutoff=0.4)), None)


def named(asked: str, what: str, name: str, known: Mapping[str, T]) -> T:
    """What goes by this name; ValueError, with the nearest name, if nothing does.

    >>> from nn.names import named
    >>> named("fit", "metric", "acuracy", {"accuracy": 1})
    Traceback (most recent call last):
    ValueError: fit: there is no metric 'acuracy'; did you mean 'accuracy'?
    >>> named("compile", "loss", "mse", {"hinge": 1, "mean_squared_error": 2})
    Traceback (most recent call last):
    ValueError: compile: there is no loss 'mse'; did you mean 'mean_squared_error'?
    """
    if isinstance(name, str) and name in known:
        return known[name]
    near = nearest(name, known) if isinstance(name, str) else None
    advice = f"did you mean {near!r}?" if near else f"choose one of {', '.join(known)}"
    raise ValueError(f"{asked}: there is no {what} {name!r}; {advice}")
