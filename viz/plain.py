"""Child process: a graph as JSON on standard input, a plain picture on standard output.

matplotlib draws: the engine of last resort, which needs nothing but pip. The colours are those of
`viz.dot`, the layout is that of `viz.layered`, and every length is in points.
"""

from __future__ import annotations

import io
import itertools
import json
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

# Figure and canvas directly: pyplot would look for a display
import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from viz.layered import Item, arrange, port

PADDING, LINE = 7.0, 1.3
"""Around the text of a node; the distance of lines, in font sizes."""
FRAME, LABEL = 9.0, 17.0
"""Around the nodes of a cluster; the height of its name."""
HEAD = 9.0
"""The length of an arrowhead."""
BLACK, GREY, RED = "#000000", "#454545", "#A01050"


class Run(NamedTuple):
    """Text in one style."""

    text: str
    size: float
    color: str = BLACK
    bold: bool = False


class Box(NamedTuple):
    """A rectangle."""

    left: float
    bottom: float
    right: float
    top: float

    def grown(self, margin: float, above: float = 0.0) -> Box:
        """With a margin on every side, and more of it above."""
        left, bottom, right, top = self
        return Box(left - margin, bottom - margin, right + margin, top + margin + above)


def draw(graph: dict[str, Any], suffix: str) -> bytes:
    """The picture of a graph in the form of `dataclasses.asdict(viz.nodes.Graph)`, with a style."""
    down = graph["direction"] == "down"
    nodes, clusters, edges = graph["nodes"], graph["clusters"], graph["edges"]
    texts = [_lines(node, down) for node in nodes]
    sizes = [_size(lines) for lines in texts]
    members = _members(nodes, clusters)
    items, legs = arrange(
        sizes if down else [(height, width) for width, height in sizes],
        [(edge["source"], edge["target"]) for edge in edges],
        [node["cluster"] for node in nodes],
        [(inside, LABEL + FRAME if down else FRAME) for inside in members],
    )

    def at(across: float, along: float) -> tuple[float, float]:
        return (across, -along) if down else (along, -across)

    boxes = []
    for item, (width, height) in zip(items, sizes, strict=False):  # points of edges have no box
        x, y = at(item.across, item.along)
        boxes.append(Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    frames, frame_names, node_names = _frames(boxes, nodes, clusters, members)
    whole = _around([*boxes, *(frame for frame in frames if frame)]).grown(16.0)
    width, height = whole.right - whole.left, whole.top - whole.bottom

    figure = Figure(figsize=(width / 72, height / 72))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(whole.left, whole.right), ylim=(whole.bottom, whole.top))
    axes.axis("off")
    for cluster, frame, names in zip(clusters, frames, frame_names, strict=True):
        if frame:
            _draw_frame(axes, frame, "/".join(names), cluster["formula"])
    _draw_edges(axes, edges, items, legs, len(nodes), at)
    for node, lines, box, names in zip(nodes, texts, boxes, node_names, strict=True):
        _draw_node(axes, graph["looks"][node["kind"]], lines, box)
        if names:
            _write(axes, box.left, box.bottom - 6, [Run("/".join(names), 8, GREY)], centred=False)

    dpi = min(graph["dpi"], graph["side"] * 72 / max(width, height))
    # without a date and with fixed names, the same graph gives the same bytes
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(suffix, {})
    picture = io.BytesIO()
    with rc_context({"svg.hashsalt": "viz"}):
        figure.savefig(picture, format=suffix, dpi=dpi, metadata=metadata)
    return picture.getvalue()


# --- texts and their sizes ---------------------------------------------------------------------


def _lines(node: dict[str, Any], down: bool) -> list[list[Run]]:
    """What a node says: in few lines where layers are stacked, in short ones otherwise."""
    title = Run(node["title"], 14, BLACK, bold=True)
    facts = Run(f"{node['detail']} {node['shape']}".strip(), 10, GREY)
    value = [Run(row, 11) for row in node["value"].split("\n")]
    rows = (node["gradient"] or "").split("\n")
    gradient = [Run(f"grad {row}" if row else "", 11, RED) for row in rows]
    if down:
        pairs = itertools.zip_longest(value, gradient, fillvalue=Run("", 11))
        lines = [[title, facts], *([left, right] for left, right in pairs)]
    else:
        lines = [[title], [facts], *([run] for run in value + gradient)]
    visible = [[run for run in line if run.text] for line in lines]
    return [line for line in visible if line]


def _size(lines: list[list[Run]]) -> tuple[float, float]:
    """Width and height of a box around the lines."""
    height = sum(max(run.size for run in line) * LINE for line in lines)
    return max(_length(line) for line in lines) + 2 * PADDING, height + 2 * PADDING


def _length(line: Sequence[Run]) -> float:
    """Runs of a line stand half a font size apart."""
    return sum(_width(run) + run.size / 2 for run in line) - line[-1].size / 2


@lru_cache(maxsize=4096)
def _width(run: Run) -> float:
    font = FontProperties(size=run.size, weight="bold" if run.bold else "normal")
    pixels: float = _renderer().get_text_width_height_descent(run.text, font, ismath=False)[0]
    return pixels / 4


@lru_cache
def _renderer() -> Any:
    return FigureCanvasAgg(Figure(dpi=4 * 72)).get_renderer()  # type: ignore[no-untyped-call]


def _write(axes: Axes, x: float, y: float, line: Sequence[Run], *, centred: bool = True) -> None:
    if centred:
        x -= _length(line) / 2
    for run in line:
        axes.text(
            x,
            y,
            run.text,
            fontsize=run.size,
            color=run.color,
            fontweight="bold" if run.bold else "normal",
            verticalalignment="center_baseline",
            parse_math=False,  # a "$" in a name is a "$"
        )
        x += _width(run) + run.size / 2


# --- clusters -----------------------------------------------------------------------------------


def _members(nodes: list[dict[str, Any]], clusters: list[dict[str, Any]]) -> list[list[int]]:
    """The nodes of each cluster, those of the clusters inside it included."""
    members: list[list[int]] = [[] for _ in clusters]
    for i, node in enumerate(nodes):
        if node["cluster"] is not None:
            members[node["cluster"]].append(i)
    for c, parent in _inwards(clusters):
        if parent is not None:
            members[parent] += members[c]
    return members


def _inwards(clusters: list[dict[str, Any]]) -> list[tuple[int, int | None]]:
    """(cluster, parent), every cluster before the one around it."""
    return [(c, clusters[c]["parent"]) for c in reversed(range(len(clusters)))]


def _frames(
    boxes: list[Box],
    nodes: list[dict[str, Any]],
    clusters: list[dict[str, Any]],
    members: list[list[int]],
) -> tuple[list[Box | None], list[list[str]], list[list[str]]]:
    """A frame for each cluster whose nodes stand together, else its name on each thing inside it.

    The layout knows little of clusters, so a frame might run over nodes that are not in it. Returns
    the frames, the names to write on each frame, and those on each node, outermost first.
    """
    frames: list[Box | None] = [None] * len(clusters)
    frame_names = [[cluster["name"]] for cluster in clusters]
    node_names: list[list[str]] = [[] for _ in nodes]
    content = [[boxes[i] for i in inside] for inside in members]
    named: list[list[list[str]]] = [[] for _ in clusters]  # the names of what is directly inside
    for node, names in zip(nodes, node_names, strict=True):
        if node["cluster"] is not None:
            named[node["cluster"]].append(names)
    left, bottom, right, top = np.array(boxes).T
    for c, parent in _inwards(clusters):
        frame = _around(content[c]).grown(FRAME, above=LABEL)
        across = (left < frame.right) & (frame.left < right)
        covered = np.count_nonzero(across & (bottom < frame.top) & (frame.bottom < top))
        if covered == len(members[c]):
            frames[c] = frame
            named[c] = [frame_names[c]]
            if parent is not None:
                content[parent].append(frame)
        else:
            for names in named[c]:
                names.insert(0, clusters[c]["name"])
        if parent is not None:
            named[parent] += named[c]
    return frames, frame_names, node_names


def _around(boxes: list[Box]) -> Box:
    """The smallest box that holds all of them."""
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return Box(min(lefts), min(bottoms), max(rights), max(tops))


# --- strokes --------------------------------------------------------------------------------------


def _draw_frame(axes: Axes, frame: Box, name: str, formula: str) -> None:
    _rectangle(axes, frame, rounded=True, facecolor="#40406009", edgecolor="#A0A0AC", linewidth=0.8)
    label = [Run(name, 12, BLACK, bold=True), Run(formula, 11, GREY)]
    _write(axes, frame.left + FRAME, frame.top - LABEL * 0.65, label, centred=False)


def _draw_node(axes: Axes, look: dict[str, str], lines: list[list[Run]], box: Box) -> None:
    style = look.get("style", "")
    for outline in (3.0, 0.0) if "peripheries" in look else (0.0,):
        _rectangle(
            axes,
            box.grown(outline),
            rounded="rounded" in style,
            facecolor=look["fillcolor"],
            edgecolor=look["color"],
            linewidth=1.4,
            linestyle="--" if "dashed" in style else "-",
        )
    y = box.top - PADDING
    for line in lines:
        height = max(run.size for run in line) * LINE
        _write(axes, (box.left + box.right) / 2, y - height / 2, line)
        y -= height


def _rectangle(axes: Axes, box: Box, *, rounded: bool, **style: Any) -> None:
    shape = "round,pad=0,rounding_size=7" if rounded else "square,pad=0"
    left, bottom, right, top = box
    axes.add_patch(
        FancyBboxPatch((left, bottom), right - left, top - bottom, boxstyle=shape, **style)
    )


def _draw_edges(
    axes: Axes,
    edges: list[dict[str, Any]],
    items: list[Item],
    legs: list[int],
    count: int,
    at: Callable[[float, float], tuple[float, float]],
) -> None:
    """Draw the lines through the points, which `items` has from `count` on, and the last legs."""
    passes = [False] * len(items)  # whether a gradient does, from this node or point
    for edge in edges:
        passes[edge["source"]] |= edge["tracked"]
    strokes: dict[bool, list[Stroke]] = {True: [], False: []}
    heads: dict[bool, list[list[tuple[float, float]]]] = {True: [], False: []}
    for i, point in enumerate(items[count:], start=count):
        source = point.before[0][0]
        passes[i] = passes[source]
        top, bottom = (point.along + sign * point.size_along / 2 for sign in (-1, 1))
        strokes[passes[i]] += _curve(items[source], point.across, top)
        strokes[passes[i]].append((Path.LINETO, (point.across, bottom)))
    arrived = [0] * count
    for edge, leg in zip(edges, legs, strict=True):
        tracked, target = edge["tracked"], items[edge["target"]]
        where = port(arrived[edge["target"]], len(target.before))
        arrived[edge["target"]] += 1
        x, y = target.across + where * target.size_across, target.along - target.size_along / 2
        strokes[tracked] += _curve(items[leg], x, y - HEAD)
        heads[tracked].append([at(x - HEAD / 3, y - HEAD), at(x + HEAD / 3, y - HEAD), at(x, y)])
        if edge["place"]:
            _write(axes, *at(x + HEAD, y - HEAD), [Run(edge["place"], 9, GREY)])
    # one artist for all lines of a style: one for each edge would take seconds
    for tracked, color, style in ((True, "#505050", "-"), (False, "#808080", "--")):
        if heads[tracked]:
            codes, points = zip(*strokes[tracked], strict=True)
            path = Path([at(*point) for point in points], codes)
            axes.add_patch(PathPatch(path, fill=False, edgecolor=color, linestyle=style))
            axes.add_collection(PolyCollection(heads[tracked], color=color), autolim=False)


Stroke = tuple[Any, tuple[float, float]]
"""A code of matplotlib's Path and its point (across, along)."""


def _curve(start: Item, x: float, y: float) -> list[Stroke]:
    """An S from where an item ends to a point further along."""
    x0, y0 = start.across, start.along + start.size_along / 2
    middle = (y0 + y) / 2
    bend = [(Path.CURVE4, point) for point in ((x0, middle), (x, middle), (x, y))]
    return [(Path.MOVETO, (x0, y0)), *bend]


if __name__ == "__main__":
    sys.stdout.buffer.write(draw(json.load(sys.stdin), sys.argv[1]))
