"""The DOT text: the same every time, in linear time, and safe against every name."""

import html
import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest

import autograd_lite as ag
import viz

PROGRAM = """
import numpy as np, autograd_lite as ag, viz
def dot():
    x = ag.Variable([[0.5, -1.0]], name="x")
    with ag.scope("layer", formula="Y = X·W"):
        y = np.tanh(x @ ag.Variable(np.ones((2, 3)), name="W"))
    loss = (y * y).mean(axis=1).sum()
    loss.backward(retain_grads=True)
    return viz.graph(loss).dot
"""


def test_the_same_program_gives_the_same_bytes():
    here = {}
    exec(PROGRAM, here)
    first = here["dot"]()
    ag.Variable(1.0) * 2.0  # the process-wide numbers have moved on
    assert here["dot"]() == first
    for seed in ("1", "2"):
        printed = subprocess.run(
            [sys.executable, "-X", "utf8", "-c", PROGRAM + "print(dot(), end='')"],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        assert printed.replace(b"\r\n", b"\n") == first.encode()


def test_nodes_edges_and_nested_clusters():
    x = ag.Variable(3.0, name="x")
    with ag.scope("outer"), ag.scope("inner", formula="y = x·x"):
        y = x * x
    dot = viz.graph(y).dot
    assert re.findall(r"\tn(\d+) -> n(\d+)", dot) == [("0", "1"), ("0", "1")]
    assert dot.index("subgraph cluster0 {") < dot.index("subgraph cluster1 {") < dot.index("n0 [")
    assert dot.count("y = x·x") == 1
    assert re.search(r"n0 \[.*shape=box3d\]", dot)
    assert re.search(r"n1 \[.*peripheries=2\]", dot)


def test_untracked_edges_are_dashed_and_operands_numbered():
    x = ag.Variable(3.0, name="x")
    dot = viz.graph(x / 2.0).dot
    assert re.search(r"n0 -> n2 \[headlabel=1 ", dot)
    assert re.search(r"n1 -> n2 \[.*headlabel=2 .*style=dashed\]", dot)


def test_direction():
    x = ag.Variable(3.0) * 2.0
    assert "rankdir=TB" in viz.graph(x).dot
    assert "rankdir=LR" in viz.graph(x, direction="right").dot


def test_to_graphviz_is_the_package_s_own_object():
    digraph = viz.graph(ag.Variable(3.0) * 2.0).to_graphviz()
    digraph.node("mine")
    assert type(digraph).__module__.startswith("graphviz.")
    assert "mine" in digraph.source


def test_without_the_package_the_message_names_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ImportError, match=r'pip install "autograd_lite\[viz\]"'):
        viz.graph(ag.Variable(3.0) * 2.0).to_graphviz()


def test_importing_viz_imports_no_drawing_library():
    code = "import viz, sys; print({'pygraphviz', 'matplotlib', 'graphviz'} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert printed.strip() == b"set()"


def test_twenty_thousand_operations_in_linear_time():
    x = ag.Variable(1.0)
    start = time.perf_counter()
    spent = {}
    for count in (5_000, 20_000):
        y = x
        for _ in range(count):
            y = np.negative(y)
        start = time.perf_counter()
        dot = viz.graph(y).dot
        spent[count] = time.perf_counter() - start
        assert dot.count(" -> ") == count
    assert spent[20_000] < 12 * spent[5_000] + 0.5  # squared, it would be 16 times


NAMES = [
    'a<b>"\n{|}',
    "<b>",
    "<<TABLE>>",
    r"\N \G \l \\",
    "back\\",
    "&amp; &",
    "σ∂ 日本",
    "]]> <!-- -->",
    "$\\frac$ \x00 \ud800",
    " ",
]


@pytest.mark.parametrize("engine", ["pygraphviz", "matplotlib"])
def test_names_are_drawn_as_they_are(engine, monkeypatch):
    """In the SVG of Graphviz texts stay texts, so that they can be read back."""
    monkeypatch.setenv("PYTHONWARNINGS", "error")  # matplotlib warns of glyphs that its font lacks
    total = 0.0
    for name in NAMES:
        with ag.scope(name, formula=name):
            total = total + ag.Variable(1.0, name=name)
    svg = viz.graph(total).render("svg", engine=engine).decode()
    assert svg.rstrip().endswith("</svg>")
    if engine == "pygraphviz":
        text = "".join(html.unescape(t) for t in re.findall(r"<text[^>]*>([^<]*)</text>", svg))
        for name in NAMES:
            shown = name.replace("\n", r"\n").replace("\x00", r"\x00").replace("\ud800", r"\ud800")
            # once on the node, twice on the cluster
            assert text.replace("\xa0", " ").count(shown) >= 3, name


def test_a_cluster_begins_below_the_end_of_the_one_before():
    x = ag.Variable(np.ones((1, 2)), name="x")
    W, V = ag.Variable(np.ones((2, 2)), name="W"), ag.Variable(np.ones((2, 2)), name="V")
    with ag.scope("first"):
        y = x @ W
    y.name = "y"
    with ag.scope("second"):
        z = y @ V
    lines = viz.graph(z).dot.splitlines()
    names = {name: line.split()[0] for line in lines for name in "Vy" if f">{name}<" in line}
    assert [line.split("[")[0].split() for line in lines if "invis" in line] == [
        [names["y"], "->", names["V"]]
    ]
