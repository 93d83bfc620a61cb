"""Where boxes go in a plain layered drawing: pure arithmetic, without a library.

Layers by longest path, order within a layer by the mean place of the neighbours, places by
isotonic regression: each as close to its neighbours as order and widths allow (Sugiyama, Tagawa
and Toda 1981, in its simplest form). "Along" is the direction in which the graph flows, "across"
the other one; lengths are in points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

GAP_ALONG, GAP_ACROSS = 28.0, 16.0
SWEEPS = 12


@dataclass(slots=True)
class Item:
    """What has a place in a layer: a node, or a point that a long edge passes through.

    `before` and `after` hold the neighbours: (index of an item, where the edge meets it, from −½ to
    ½ of its width).
    """

    layer: int
    size_across: float = 0.0
    size_along: float = 0.0
    across: float = 0.0
    along: float = 0.0
    before: list[tuple[int, float]] = field(default_factory=list)
    after: list[tuple[int, float]] = field(default_factory=list)


def arrange(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    groups: Sequence[int | None],
    headroom: Sequence[tuple[Sequence[int], float]] = (),
) -> tuple[list[Item], list[int]]:
    """Place boxes of the given (across, along) sizes; every edge leads from a lower index.

    `groups` are numbers of groups that should stand apart. `headroom` lists (nodes, length): the
    layer of the first of the nodes is moved along by that length. Returns the items (nodes first,
    then the points of long edges), and for each edge the item that its last leg starts from.

    >>> items, legs = arrange([(10, 5)] * 3, [(0, 1), (1, 2), (0, 2)], [None] * 3)
    >>> [item.layer for item in items], legs
    ([0, 1, 2, 1], [0, 1, 3])
    """
    numbers = _layers(edges, groups)
    items = [Item(layer, *size) for layer, size in zip(numbers, sizes, strict=True)]
    legs = _legs(items, edges)
    layers: list[list[int]] = [[] for _ in range(max(numbers) + 1)]
    for i, item in enumerate(items):
        layers[item.layer].append(i)
    _order(items, layers)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for layer in layers if forward else layers[::-1]:
            _place(items, layer, forward)
    _stack(items, layers, headroom)
    return items, legs


def port(position: int, count: int) -> float:
    """Where operand `position` of `count` meets its box: operands arrive side by side, in order.

    >>> [port(0, 1), port(0, 2), port(1, 2)]
    [0.0, -0.2, 0.2]
    """
    return 0.8 * ((position + 0.5) / count - 0.5)


def _layers(edges: Sequence[tuple[int, int]], groups: Sequence[int | None]) -> list[int]:
    """The longest path to each node; a source moves to just before its first use.

    A source of a group, say the weights of a layer, comes after whatever enters the group beside
    it, so that consecutive groups share no layer and each can be framed.
    """
    layers = [0] * len(groups)
    first_use = [len(groups)] * len(groups)
    is_source = [True] * len(groups)
    operands: list[list[int]] = [[] for _ in groups]
    for source, target in edges:
        operands[target].append(source)
        is_source[target] = False
    for target, sources in enumerate(operands):
        own = any(is_source[s] and groups[s] == groups[target] is not None for s in sources)
        for s in sources:
            enters = own and not is_source[s] and groups[s] != groups[target]
            layers[target] = max(layers[target], layers[s] + (2 if enters else 1))
        for s in sources:
            first_use[s] = min(first_use[s], layers[target])
    for i, use in enumerate(first_use):
        if is_source[i] and use < len(groups):
            layers[i] = use - 1
    used = sorted(set(layers))
    dense = {layer: position for position, layer in enumerate(used)}
    return [dense[layer] for layer in layers]


def _legs(items: list[Item], edges: Sequence[tuple[int, int]]) -> list[int]:
    """Add points for long edges, one per layer, and say where the last leg of each edge starts.

    The edges of one source share their points: an input that every layer uses has one line along
    the graph with branches, not as many points as uses times layers.
    """
    count = len(items)
    reach = [item.layer for item in items]
    operands = [0] * count
    for source, target in edges:
        reach[source] = max(reach[source], items[target].layer)
        operands[target] += 1
    trunks = [[i] for i in range(count)]
    for source, trunk in enumerate(trunks):
        for layer in range(items[source].layer + 1, reach[source]):
            items.append(Item(layer, size_across=2.0))
            _connect(items, trunk[-1], len(items) - 1, 0.0)
            trunk.append(len(items) - 1)
    legs = []
    for source, target in edges:
        leg = trunks[source][items[target].layer - items[source].layer - 1]
        _connect(items, leg, target, port(len(items[target].before), operands[target]))
        legs.append(leg)
    return legs


def _connect(items: list[Item], source: int, target: int, where: float) -> None:
    items[source].after.append((target, where))
    items[target].before.append((source, 0.0))


def _order(items: list[Item], layers: list[list[int]]) -> None:
    """Sort each layer by where the neighbours stand in the layers after and before it, in turns."""
    place = [0.0] * len(items)
    for layer in layers:
        for position, i in enumerate(layer):
            place[i] = position
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 1
        for layer in layers if forward else layers[::-1]:
            wishes = {}
            for i in layer:
                near = items[i].before if forward else items[i].after
                there = [place[j] + where for j, where in near]
                wishes[i] = sum(there) / len(there) if there else place[i]
            layer.sort(key=wishes.__getitem__)
            for position, i in enumerate(layer):
                place[i] = position


def _place(items: list[Item], layer: list[int], forward: bool) -> None:
    """Bring a layer as near to its neighbours as order and widths allow, in least squares.

    With the widths subtracted, places must not decrease. That is isotonic regression: blocks that
    would overlap merge into one that stands at the mean of their wishes.
    """
    offsets = []
    end = 0.0
    for i in layer:
        offsets.append(end + items[i].size_across / 2)
        end += items[i].size_across + GAP_ACROSS
    blocks: list[tuple[float, int]] = []  # sum of wishes, count
    for i, offset in zip(layer, offsets, strict=True):
        item = items[i]
        near = (item.before if forward else item.after) or item.before or item.after
        there = [items[j].across + where * items[j].size_across for j, where in near]
        total, count = (sum(there) / len(there) if there else item.across) - offset, 1
        while blocks and blocks[-1][0] * count > total * blocks[-1][1]:
            total, count = total + blocks[-1][0], count + blocks[-1][1]
            blocks.pop()
        blocks.append((total, count))
    shifts = [total / count for total, count in blocks for _ in range(count)]
    for i, offset, shift in zip(layer, offsets, shifts, strict=True):
        items[i].across = offset + shift


def _stack(
    items: list[Item],
    layers: list[list[int]],
    headroom: Sequence[tuple[Sequence[int], float]],
) -> None:
    """One layer after the other; a point is as thick as its layer, so that edges pass straight."""
    extra = [0.0] * len(layers)
    for members, length in headroom:
        extra[min(items[i].layer for i in members)] += length
    along = 0.0
    for layer, room in zip(layers, extra, strict=True):
        along += room
        thickness = max(items[i].size_along for i in layer)
        for i in layer:
            items[i].along = along + thickness / 2
            items[i].size_along = items[i].size_along or thickness
        along += thickness + GAP_ALONG
