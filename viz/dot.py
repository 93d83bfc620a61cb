"""From nodes and edges to DOT: how a graph looks when Graphviz draws it."""

from __future__ import annotations

import html
from collections import Counter
from typing import TYPE_CHECKING, Any

from viz.nodes import Cluster, Graph, Node

if TYPE_CHECKING:
    import graphviz  # type: ignore[import-untyped]

GREY, RED = "#454545", "#A01050"
FONT = "Helvetica,Arial,sans-serif"

# Fill and outline after Okabe and Ito's palette, which the colour-blind can tell apart; outlines
# have a contrast of at least 4.5 to white, and every kind has its own shape too.
LOOKS = {
    "parameter": {"fillcolor": "#FFE6C2", "color": "#A85800", "shape": "box3d"},
    "constant": {"fillcolor": "#EEEEEE", "color": "#666666", "shape": "note"},
    "operation": {"fillcolor": "#DCEBF8", "color": "#0060A0", "style": "filled,rounded"},
    "untracked": {"fillcolor": "#FFFFFF", "color": "#666666", "style": "filled,rounded,dashed"},
    "output": {"fillcolor": "#CDEFE2", "color": "#00664A", "peripheries": "2"},
}
CLUSTER_FILLS = ("#F8F8FA", "#EFEFF3")
"""Scopes inside scopes alternate, so that their borders can be told apart."""


def digraph(graph: Graph, direction: str) -> graphviz.Digraph:
    """The graphviz package's own object for a graph, drawn "down" or to the "right".

    Raises ImportError, naming the remedy, if the graphviz package is not installed.
    """
    try:
        import graphviz
    except ImportError as error:
        raise ImportError(
            "viz.graph: pictures are built on the graphviz package, which is not installed; "
            'pip install "autograd_lite[viz]"'
        ) from error

    root = graphviz.Digraph(
        graph_attr={
            "rankdir": "LR" if direction == "right" else "TB",
            "fontname": FONT,
            "fontsize": "15",
            "nodesep": "0.3",
            "ranksep": "0.35",
            "pad": "0.2",
            "ordering": "in",
            "nslimit": "2",  # a node with a hundred distant uses would take minutes without
        },
        node_attr={
            "fontname": FONT,
            "fontsize": "15",
            "shape": "box",
            "style": "filled",
            "penwidth": "1.6",
            "margin": "0.1,0.04",
            "height": "0.3",
            "width": "0.3",
        },
        edge_attr={"fontname": FONT, "fontsize": "12", "color": "#505050", "arrowsize": "0.8"},
    )
    parts = [_subgraph(cluster, i, graph) for i, cluster in enumerate(graph.clusters)]
    for i, node in enumerate(graph.nodes):
        where = root if node.cluster is None else parts[node.cluster]
        where.node(f"n{i}", label=_node_label(node, direction), **LOOKS[node.kind])
    # innermost first: the package copies a subgraph's lines at the moment it is put in its parent
    for part, cluster in reversed(list(zip(parts, graph.clusters, strict=True))):
        (root if cluster.parent is None else parts[cluster.parent]).subgraph(part)
    for edge in graph.edges:
        look: dict[str, Any] = {} if edge.tracked else {"style": "dashed", "color": "#808080"}
        if edge.place:
            look["headlabel"] = edge.place
            look["labeldistance"] = "1.6"
        root.edge(f"n{edge.source}", f"n{edge.target}", **look)
    for above, below in _steps(graph):
        root.edge(f"n{above}", f"n{below}", style="invis")
    return root


def _steps(graph: Graph) -> list[tuple[int, int]]:
    """Pairs that must stand one below the other, so that a cluster begins where the last one ends.

    Graphviz puts a parameter next to the result that enters its cluster, on a line with the end of
    the cluster before. Clusters that share a line stand side by side, and a chain of them would
    become a staircase.
    """
    operands: dict[int, list[int]] = {}
    uses: Counter[int] = Counter()
    for edge in graph.edges:
        operands.setdefault(edge.target, []).append(edge.source)
        uses[edge.source] += 1
    steps = []
    for target, sources in operands.items():
        cluster = graph.nodes[target].cluster
        entering = [s for s in sources if s in operands and graph.nodes[s].cluster != cluster]
        # a leaf with other uses might stand above what enters here
        leaves = [s for s in dict.fromkeys(sources) if s not in operands and uses[s] == 1]
        if cluster is not None and entering:
            steps += [(entering[0], leaf) for leaf in leaves]
    return steps


def _subgraph(cluster: Cluster, index: int, graph: Graph) -> graphviz.Digraph:
    import graphviz

    depth, outer = 0, cluster.parent
    while outer is not None:
        depth, outer = depth + 1, graph.clusters[outer].parent
    attributes = {
        "label": _cluster_label(cluster),
        "labeljust": "l",
        "style": "rounded,filled",
        "fillcolor": CLUSTER_FILLS[depth % 2],
        "color": "#A0A0AC",
        "margin": "12",
    }
    return graphviz.Digraph(f"cluster{index}", graph_attr=attributes)


# Labels are always Graphviz's HTML, built here from escaped text: a name such as "<b>" cannot be
# taken for markup, neither by Graphviz nor by the graphviz package.


def _node_label(node: Node, direction: str) -> str:
    title = _text(node.title, 17, bold=True)
    facts = _text(f"{node.detail} {node.shape}".strip(), 13, GREY)
    value = _text(node.value, 14)
    gradient = [] if node.gradient is None else [("grad", 12), (node.gradient, 14)]
    cells = [_text(text, size, RED) for text, size in gradient]
    if direction == "down":  # ranks are stacked: few lines keep a deep graph legible
        rows = [[title + "&#160; " + facts], [value, *cells]]
    else:
        rows = [[title], [facts], [value], cells]
    columns = max(len(row) for row in rows)
    body = "".join(_row(row, columns) for row in rows if any(row))
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="1" CELLPADDING="2">{body}</TABLE>>'


def _cluster_label(cluster: Cluster) -> str:
    name, formula = _text(cluster.name, 16, bold=True), _text(cluster.formula, 14, GREY)
    return f"<{name or '&#160;'}{formula and '&#160;&#160; ' + formula}>"


def _row(cells: list[str], columns: int) -> str:
    span = f' COLSPAN="{columns}"' if len(cells) < columns else ""
    return f"<TR>{''.join(f'<TD{span}>{cell}</TD>' for cell in cells)}</TR>"


def _text(text: str, size: int, color: str = "#000000", bold: bool = False) -> str:
    if not text:
        return ""
    escaped = "<BR/>".join(_escaped(line) for line in text.split("\n"))
    if bold:
        escaped = f"<B>{escaped}</B>"
    return f'<FONT POINT-SIZE="{size}" COLOR="{color}">{escaped}</FONT>'


def _escaped(line: str) -> str:
    # Graphviz replaces \N and \G by names even here, but only within one run of text: close the run
    return html.escape(line).replace("\\", "<FONT>&#92;</FONT>")
