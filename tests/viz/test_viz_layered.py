"""The plain layered layout: layers, order, no overlaps, groups apart, linear."""

import itertools
import time

from viz.layered import GAP_ACROSS, GAP_ALONG, arrange


def boxes(items, count):
    return [(i.across, i.along, i.size_across, i.size_along) for i in items[:count]]


def test_boxes_do_not_overlap_and_edges_lead_along():
    sizes = [(30.0, 10.0), (50.0, 20.0), (10.0, 10.0), (40.0, 10.0), (80.0, 10.0)]
    edges = [(0, 3), (1, 3), (2, 4), (3, 4), (0, 4)]
    items, _ = arrange(sizes, edges, [None] * 5)
    for source, target in edges:
        assert items[source].layer < items[target].layer
        assert items[source].along + 5 + GAP_ALONG <= items[target].along
    for layer in {item.layer for item in items}:
        row = sorted((i for i in items if i.layer == layer), key=lambda i: i.across)
        for a, b in itertools.pairwise(row):
            assert b.across - a.across >= (a.size_across + b.size_across) / 2 + GAP_ACROSS - 1e-9


def test_a_chain_is_straight():
    items, _ = arrange([(10.0, 10.0)] * 4, [(0, 1), (1, 2), (2, 3)], [None] * 4)
    assert len({round(item.across, 9) for item in items}) == 1


def test_operands_stand_in_their_order():
    items, _ = arrange([(10.0, 10.0)] * 4, [(2, 3), (0, 3), (1, 3)], [None] * 4)
    assert items[2].across < items[0].across < items[1].across


def test_the_edges_of_one_source_share_their_points():
    count = 300
    chain = [(i, i + 1) for i in range(count - 1)]
    items, legs = arrange(
        [(10.0, 10.0)] * count, chain + [(0, i) for i in range(2, count)], [None] * count
    )
    assert len(items) == 2 * count - 2  # and not count² / 2
    assert legs[-1] == len(items) - 1


def test_sources_of_a_group_come_after_what_enters_it():
    # x → a (group 0) → b (group 1), and b's weight 2 must not stand beside a
    edges = [(0, 1), (1, 3), (2, 3)]
    items, _ = arrange([(10.0, 10.0)] * 4, edges, [0, 0, 1, 1])
    assert [item.layer for item in items[:4]] == [0, 1, 2, 3]
    items, _ = arrange([(10.0, 10.0)] * 4, edges, [None] * 4)
    assert [item.layer for item in items] == [0, 1, 1, 2]


def test_headroom_moves_the_first_layer_of_a_group():
    sizes, edges = [(10.0, 10.0)] * 3, [(0, 1), (1, 2)]
    plain, _ = arrange(sizes, edges, [None] * 3)
    moved, _ = arrange(sizes, edges, [None] * 3, [([2, 1], 17.0)])
    assert [b.along - a.along for a, b in zip(plain, moved, strict=True)] == [0.0, 17.0, 17.0]


def test_one_node_and_long_chains():
    assert boxes(arrange([(8.0, 6.0)], [], [None])[0], 1) == [(0.0, 3.0, 8.0, 6.0)]
    count = 5000
    start = time.perf_counter()
    arrange([(10.0, 10.0)] * count, [(i, i + 1) for i in range(count - 1)], [None] * count)
    assert time.perf_counter() - start < 3
