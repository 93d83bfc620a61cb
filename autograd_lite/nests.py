"""Nests: lists, tuples and dicts of arrays, flattened to a list and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

Keys = tuple[Any, ...]
"""The way to a leaf: the keys of dicts and the positions in lists and tuples, outermost first."""


def leaves(nest: Any) -> list[tuple[str, Any]]:
    """What a nest of lists, tuples and dicts holds, in order, each with its path: `["W"][0]`.

    >>> from autograd_lite.nests import leaves
    >>> leaves({"W": 1.0, "rest": (2.0, [3.0])})
    [("['W']", 1.0), ("['rest'][0]", 2.0), ("['rest'][1][0]", 3.0)]
    """
    return [(_path(keys), leaf) for keys, leaf in _flat(nest)]


def _flat(nest: Any, keys: Keys = ()) -> list[tuple[Keys, Any]]:
    if isinstance(nest, dict):
        return [leaf for key in nest for leaf in _flat(nest[key], (*keys, key))]
    if isinstance(nest, list | tuple):
        return [leaf for i, part in enumerate(nest) for leaf in _flat(part, (*keys, i))]
    return [(keys, nest)]


def _path(keys: Keys) -> str:
    return "".join(f"[{key!r}]" for key in keys)


def rebuilt(nest: Any, new: Sequence[Any]) -> Any:
    """The same nest with other leaves, given in order.

    >>> from autograd_lite.nests import rebuilt
    >>> rebuilt({"W": 1.0, "rest": (2.0, [3.0])}, "abc")
    {'W': 'a', 'rest': ('b', ['c'])}
    """
    return _rebuilt(nest, iter(new))


def _rebuilt(nest: Any, new: Iterator[Any]) -> Any:
    if isinstance(nest, dict):
        return {key: _rebuilt(nest[key], new) for key in nest}
    if isinstance(nest, list | tuple):
        parts = [_rebuilt(part, new) for part in nest]
        # a named tuple takes its fields one by one
        return type(nest)(*parts) if hasattr(nest, "_fields") else type(nest)(parts)
    return next(new)


def mapped(function: Callable[[Any], Any], nest: Any) -> Any:
    """The same nest with `function` applied to every leaf.

    >>> from autograd_lite.nests import mapped
    >>> mapped(lambda x: 10 * x, (1, [2]))
    (10, [20])
    """
    return rebuilt(nest, [function(leaf) for _, leaf in leaves(nest)])


def aligned(what: str, given: Any, wanted: Any) -> list[tuple[str, Any]]:
    """The leaves of `given` with their paths, in the order of a nest that it must be nested like.

    By their keys, for the entries of dicts may come in another order. `what` begins the message of
    the ValueError for another nesting.

    >>> from autograd_lite.nests import aligned
    >>> aligned("the direction", {"b": 1, "a": 2}, {"a": 0.0, "b": 0.0})
    [("['a']", 2), ("['b']", 1)]
    """
    found = dict(_flat(given))
    places = [keys for keys, _ in _flat(wanted)]
    if found.keys() != set(places):
        raise ValueError(
            f"{what} must be nested as {_nesting(places)}, it is nested as {_nesting(list(found))}"
        )
    return [(_path(keys), found[keys]) for keys in places]


def _nesting(places: Sequence[Keys]) -> str:
    paths = ", ".join(map(_path, places))
    return "one array" if list(places) == [()] else f"arrays at {paths or 'no place'}"
