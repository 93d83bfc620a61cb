"""Frames of the plain drawing: around what stands together, and never over anything else."""

import subprocess
import sys

from viz.plain import Box, _frames, _members

CLUSTERS = [{"name": "model", "parent": None}, {"name": "layer", "parent": 0}]
BOXES = [Box(0, 0, 10, 10), Box(0, -40, 10, -30), Box(0, -80, 10, -70)]


def frames(boxes, clusters):
    nodes = [{"cluster": cluster} for cluster in clusters]
    return _frames(boxes, nodes, CLUSTERS, _members(nodes, CLUSTERS))


def test_a_frame_holds_the_frames_inside_it():
    (model, layer), names, tags = frames(BOXES, [0, 1, 1])
    assert (layer.left, layer.bottom, layer.right) == (-9, -89, 19)
    assert (model.left, model.bottom, model.right) == (-18, -98, 28)
    assert (names, tags) == ([["model"], ["layer"]], [[], [], []])


def test_a_frame_that_would_cover_a_stranger_becomes_names():
    stranger = Box(12, 0, 16, 4)  # beside node 0 of the model, clear of the layer
    (model, layer), names, tags = frames([*BOXES, stranger], [0, 1, 1, None])
    assert model is None
    assert layer is not None
    assert names == [["model"], ["model", "layer"]]
    assert tags == [["model"], [], [], []]


def test_nobody_touches_pyplot():
    code = "import viz.plain, sys; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
