"""What a picture shows: nodes, edges and clusters, before anything is drawn."""

import gc
import time
import weakref

import numpy as np
import pytest

import autograd_lite as ag
import viz
from viz.nodes import Edge, read


def titles(graph):
    return [node.title for node in graph.nodes]


def node(graph, title):
    (found,) = (node for node in graph.nodes if node.title == title)
    return found


def test_x_times_x_has_two_edges():
    x = ag.Variable(3.0, name="x")
    graph = read(x * x)
    assert titles(graph) == ["x", "multiply"]
    assert graph.edges == (Edge(0, 1, "", True), Edge(0, 1, "", True))


def test_operands_keep_their_order_and_are_numbered_where_it_matters():
    x, y = ag.Variable(3.0, name="x"), ag.Variable(2.0, name="y")
    graph = read(y - x)
    assert titles(graph) == ["y", "x", "subtract"]
    assert [(edge.source, edge.place) for edge in graph.edges] == [(0, "1"), (1, "2")]
    assert [edge.place for edge in read(x + y).edges] == ["", ""]
    assert [edge.place for edge in read(np.exp(x)).edges] == [""]
    stacked = read(np.stack([y, x, y]))
    assert [(edge.source, edge.place) for edge in stacked.edges] == [(0, "1"), (1, "2"), (0, "3")]


def test_kinds_are_told_apart():
    x = ag.Variable([1.0, -2.0], name="x")
    mean = ag.Variable(0.5, name="mean", requires_grad=False)
    mask = x > 0.0
    mask.name = "mask"
    loss = (np.where(mask, x - mean, np.array([7.0, 8.0])) * 2.0).sum()
    loss.name = "loss"
    graph = read(loss)
    kinds = {node.title: node.kind for node in graph.nodes}
    assert kinds == {
        "x": "parameter",
        "0": "constant",
        "mask": "untracked",
        "mean": "constant",
        "subtract": "operation",
        "constant": "constant",
        "where": "operation",
        "2": "constant",
        "multiply": "operation",
        "loss": "output",
    }
    assert node(graph, "mask").detail == "untracked greater"
    assert node(graph, "loss").detail == "output sum"
    assert node(graph, "x").detail == "parameter"


def test_edges_say_whether_a_gradient_passes():
    x = ag.Variable([1.0, -2.0], name="x")
    graph = read(np.where(x > 0.0, x, 0.0))
    passes = {
        (graph.nodes[edge.source].title, graph.nodes[edge.target].title, edge.place): edge.tracked
        for edge in graph.edges
    }
    assert passes == {
        ("x", "greater", "1"): False,
        ("0", "greater", "2"): False,
        ("greater", "where", "1"): False,
        ("x", "where", "2"): True,
        ("0", "where", "3"): False,
    }


def test_before_and_after_backward():
    x = ag.Variable([1.0, 2.0], name="x")
    loss = (x * 3.0).sum()
    assert [node.gradient for node in read(loss).nodes] == [None] * 4
    loss.backward()
    assert [node.gradient for node in read(loss).nodes] == ["[3 3]", None, None, None]
    x.zero_grad()
    loss.backward(retain_grads=True)
    assert [node.gradient for node in read(loss).nodes] == ["[3 3]", None, "[1 1]", "1"]


def test_shapes_settings_and_values_are_shown():
    x = ag.Variable(np.arange(12.0).reshape(3, 4), name="x")
    graph = read(np.sum(x[1:, None, 0], axis=0, keepdims=True))
    assert node(graph, "x").shape == "(3, 4)"
    assert node(graph, "x").value == "0 … 11"
    assert node(graph, "getitem").detail == "[1:, None, 0]"
    assert graph.nodes[-1].detail == "output axis=0, keepdims=True"
    assert graph.nodes[-1].value == "[12]"


def test_scopes_nest_and_two_of_the_same_name_stay_two():
    x = ag.Variable(1.0, name="x")
    with ag.scope("model"):
        for _ in range(2):
            with ag.scope("layer", formula="y = exp x"):
                x = np.exp(x)
    clusters = read(np.exp(x)).clusters
    assert [(c.name, c.formula, c.parent) for c in clusters] == [
        ("model", "", None),
        ("layer", "y = exp x", 0),
        ("layer", "y = exp x", 0),
    ]


def test_leaves_stand_in_the_innermost_scope_of_all_their_uses():
    own, shared, outer = (ag.Variable(1.0, name=name) for name in ("own", "shared", "outer"))
    with ag.scope("model"):
        with ag.scope("a"):
            y = own * shared + outer
        with ag.scope("b"):
            y = y * shared
    graph = read(y * outer)
    names = [cluster.name for cluster in graph.clusters]
    place = {n.title: None if n.cluster is None else names[n.cluster] for n in graph.nodes}
    assert (place["own"], place["shared"], place["outer"]) == ("a", "model", None)


def test_the_same_array_is_one_node_and_the_same_number_is_one_for_each_use():
    x, data = ag.Variable([1.0, 2.0], name="x"), np.array([5.0, 6.0])
    graph = read(((x + data) * data + 2.0) * 2.0)
    assert titles(graph) == ["x", "constant", "add", "multiply", "2", "add", "2", "multiply"]
    assert sum(edge.source == 1 for edge in graph.edges) == 2


def test_detach_shows_its_source_while_that_is_alive():
    x = ag.Variable(2.0, name="x")
    y = x * 3.0
    held = y.detach()
    assert titles(read(held * x)) == ["x", "3", "multiply", "detach", "multiply"]
    del y
    assert titles(read(held * x)) == ["detach", "x", "multiply"]
    assert node(read(held * x), "detach").kind == "untracked"


def test_an_absent_operand_is_not_drawn():
    # None stands where np.clip has no bound
    clip = ag.Primitive(np.clip, (lambda g, z, x, low, high: g, None, None), "clip")
    graph = read(clip(ag.Variable(1.0, name="x"), 0.0, None))
    assert titles(graph) == ["x", "0", "clip"]
    assert [edge.place for edge in graph.edges] == ["1", "2"]


def test_sixty_doublings_are_61_nodes():
    x = ag.Variable(1.0)
    for _ in range(60):
        x = x + x
    start = time.perf_counter()
    graph = read(x)
    assert (len(graph.nodes), len(graph.edges)) == (61, 120)
    assert time.perf_counter() - start < 0.5


def test_a_view_keeps_no_variable_alive():
    x = ag.Variable(np.ones(3))
    loss = x.sum()
    alive = weakref.ref(loss)
    gc.disable()
    try:
        view = viz.graph(loss)
        del loss
        assert alive() is None
    finally:
        gc.enable()
    assert len(view.graph.nodes) == 2


@pytest.mark.parametrize(
    ("output", "error", "message"),
    [
        (np.ones(2), TypeError, "expected a Variable, got ndarray"),
        (ag.Variable(1.0, name="w"), ValueError, "nothing is recorded for w: it is a leaf"),
    ],
)
def test_what_cannot_be_drawn_is_told(output, error, message):
    with pytest.raises(error, match=message):
        viz.graph(output)


def test_results_under_no_grad_have_no_graph():
    with ag.no_grad():
        y = ag.Variable(1.0) * 2.0
    with pytest.raises(ValueError, match="computed under no_grad"):
        viz.graph(y)


def test_a_wrong_direction_is_told():
    with pytest.raises(ValueError, match="'down' or 'right', not 'left'"):
        viz.graph(ag.Variable(1.0) * 2.0, direction="left")
