"""The recorded operations behind some outputs, in order, and their values computed again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autograd_lite.variable import Variable


def behind(
    outputs: Iterable[Variable], opened: Callable[[Variable], bool], only_tracked: bool = False
) -> list[Variable]:
    """The outputs and every Variable that they were computed from, in order of recording.

    What lies behind a Variable is looked at if it is `opened`; with `only_tracked`, only what is
    tracked of it.

    >>> import autograd_lite as ag
    >>> from autograd_lite.replay import behind
    >>> x = ag.Variable(3.0, name="x")
    >>> [v.name or v.operation.name for v in behind([x * x + 1], lambda v: v.operation is not None)]
    ['x', 'multiply', 'add']
    """
    found = {v._number: v for v in outputs}
    waiting = list(found.values())
    while waiting:
        v = waiting.pop()
        if opened(v):
            for x in v._inputs:
                if type(x) is Variable and x._number not in found:
                    if only_tracked and not x._tracked:
                        continue
                    found[x._number] = x
                    waiting.append(x)
    return [found[number] for number in sorted(found)]


def operands(v: Variable, known: Mapping[int, Any]) -> list[Any]:
    """The operands of a recorded operation: known by a Variable's number, or as recorded."""
    return [
        known.get(x._number, value) if type(x) is Variable else value
        for x, value in zip(v._inputs, v._values, strict=True)
    ]


def compute(v: Variable, values: list[Any], **settings: Any) -> Any:
    """The operation that v is the result of, of these operands; `settings` replace its own."""
    given = [values] if v._primitive.variadic else values
    return v._primitive.function(*given, **{**v._settings, **settings})
