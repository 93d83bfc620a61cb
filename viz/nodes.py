"""From the tape to nodes, edges and clusters: what a picture shows, before anything is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from autograd_lite import Scope, Variable
from viz import values

Kind = Literal["parameter", "constant", "operation", "untracked", "output"]
"""A tracked leaf; data; a recorded operation; one that no gradient passes; the root."""

COMMUTATIVE = {
    *("add", "multiply", "maximum", "minimum", "equal", "not_equal", "logaddexp", "hypot"),
    *("bitwise_and", "bitwise_or", "bitwise_xor", "logical_and", "logical_or", "logical_xor"),
}
"""Operations whose operands need no numbers, because their order does not matter."""


@dataclass(frozen=True, slots=True)
class Node:
    """One box: everything in it is text. `cluster` is an index into `Graph.clusters`, or None."""

    kind: Kind
    title: str
    detail: str
    shape: str
    value: str
    gradient: str | None
    cluster: int | None


@dataclass(frozen=True, slots=True)
class Edge:
    """One use of a node as an operand: `x * x` has two. `place` is "1", "2", … where it matters."""

    source: int
    target: int
    place: str
    tracked: bool


@dataclass(frozen=True, slots=True)
class Cluster:
    """One scope. Its parent is an index into `Graph.clusters`, always a smaller one, or None."""

    name: str
    formula: str
    parent: int | None


@dataclass(frozen=True, slots=True)
class Graph:
    """The picture as data: nodes in the order of creation, edges in the order of operands."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...]


def read(output: Variable) -> Graph:
    """The graph that `output` was computed by: all of it, once, in time linear in its size.

    The values and gradients are those of this moment. A leaf or an array that is used twice is one
    node with two edges; a Python or NumPy scalar is a node for each use, since equal numbers are
    not the same thing, and one far-away "2" with many edges would hide the structure.

    Raises TypeError if `output` is not a Variable and ValueError if nothing was recorded for it.
    """
    if not isinstance(output, Variable):
        raise TypeError(f"viz.graph: expected a Variable, got {type(output).__name__}")
    if output.operation is None:
        raise ValueError(
            f"viz.graph: nothing is recorded for {output.label}: it is a leaf, or was computed "
            f"under no_grad or from constants alone; pass the result of operations on Variables"
        )
    operations = _operations(output)
    homes = _homes(operations)
    clusters, cluster_of = _clusters([v.scope for v in operations])
    nodes: list[Node] = []
    edges: list[Edge] = []
    numbers: dict[Any, int] = {}  # what is drawn → the index of its node

    def number(key: Any, x: Any, scope: Scope | None) -> int:
        if key not in numbers:
            numbers[key] = len(nodes)
            nodes.append(_node(x, x is output, cluster_of[id(scope)]))
        return numbers[key]

    for v in operations:
        operands = list(_operands(v))
        ordered = len(operands) > 1 and v.operation.name not in COMMUTATIVE
        # operands first: sources that are not operations appear just before their first use
        sources = [number(key, x, homes.get(key)) for _, key, x in operands]
        target = number(id(v), v, v.scope)
        for source, (place, _, x) in zip(sources, operands, strict=True):
            tracked = v.requires_grad and isinstance(x, Variable) and x.requires_grad
            edges.append(Edge(source, target, str(place) if ordered else "", tracked))
    return Graph(tuple(nodes), tuple(edges), tuple(clusters))


def _operations(output: Variable) -> list[Variable]:
    """Every recorded Variable that `output` depends on, in the order of creation."""
    seen = {id(output)}
    pending = [output]
    found = []
    while pending:
        v = pending.pop()
        found.append(v)
        for x in v.inputs:
            if isinstance(x, Variable) and x.operation is not None and id(x) not in seen:
                seen.add(id(x))
                pending.append(x)
    return sorted(found, key=lambda v: v.number)


def _operands(v: Variable) -> Iterator[tuple[int, Any, Any]]:
    """(place from 1, key, operand) of each operand; None, as in `np.clip`, means there is none."""
    for place, x in enumerate(v.inputs, start=1):
        if x is not None:
            own_node = np.isscalar(x)
            yield place, (id(v), place) if own_node else id(x), x


def _homes(operations: list[Variable]) -> dict[Any, Scope | None]:
    """The scope to draw each leaf and constant in: the innermost that holds all of its uses."""
    homes: dict[Any, Scope | None] = {}
    for v in operations:
        for _, key, x in _operands(v):
            if isinstance(x, Variable) and x.operation is not None:
                continue
            homes[key] = _common(homes[key], v.scope) if key in homes else v.scope
    return homes


def _ancestry(scope: Scope | None) -> list[Scope]:
    """The scope and those around it, innermost first."""
    scopes = []
    while scope is not None:
        scopes.append(scope)
        scope = scope.parent
    return scopes


def _common(a: Scope | None, b: Scope | None) -> Scope | None:
    """The innermost scope that both lie in."""
    if a is b:
        return a
    around_a = {id(scope) for scope in _ancestry(a)}
    return next((scope for scope in _ancestry(b) if id(scope) in around_a), None)


def _clusters(scopes: list[Scope | None]) -> tuple[list[Cluster], dict[int, int | None]]:
    """One cluster per scope in use, parents before children; id of a scope → its index."""
    clusters: list[Cluster] = []
    index: dict[int, int | None] = {id(None): None}
    for scope in scopes:
        if id(scope) in index:
            continue
        for outer in reversed(_ancestry(scope)):
            if id(outer) not in index:
                index[id(outer)] = len(clusters)
                formula = values.cut(outer.formula or "", values.FORMULA_LENGTH)
                clusters.append(Cluster(values.cut(outer.name), formula, index[id(outer.parent)]))
    return clusters, index


def _node(x: Any, is_output: bool, cluster: int | None) -> Node:
    if not isinstance(x, Variable):
        shown = values.value(x)
        if np.isscalar(x):  # the number is its name
            return Node("constant", shown, "", "", "", None, cluster)
        shape = str(getattr(x, "shape", ""))
        return Node("constant", "constant", "", shape, shown, None, cluster)
    kind: Kind
    words: list[str]
    if x.operation is None:
        kind = "parameter" if x.requires_grad else "constant"
        words = [kind]
    else:
        kind = "output" if is_output else "operation" if x.requires_grad else "untracked"
        words = [values.cut(x.operation.name), values.settings(x.settings)]
    title = values.cut(x.name) if x.name else words.pop(0)
    if kind in ("output", "untracked"):
        words.insert(0, kind)
    return Node(
        kind=kind,
        title=title,
        detail=" ".join(word for word in words if word),
        shape=str(x.shape),
        value=values.value(x.data),
        gradient=None if x.grad is None else values.value(x.grad),
        cluster=cluster,
    )
