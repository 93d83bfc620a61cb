"""Pictures by each engine, the order of engines, the time limit, and files written at once."""

import io
import logging
import os
import stat
import struct
import sys
import time

import numpy as np
import pytest

import autograd_lite as ag
import viz
from viz import engines


@pytest.fixture
def view():
    x = ag.Variable([[0.5, -1.0]], name="x")
    with ag.scope("layer", formula="Y = X·W"):
        y = np.tanh(x @ ag.Variable(np.ones((2, 3)), name="W"))
    loss = (y * y).mean()
    loss.backward(retain_grads=True)
    return viz.graph(loss)


@pytest.fixture(autouse=True)
def no_dot(monkeypatch, tmp_path_factory):
    """Whatever this machine has, there is no `dot`, and nothing has been announced."""
    empty = tmp_path_factory.mktemp("bin")
    monkeypatch.setenv("PATH", str(empty))
    monkeypatch.setattr(engines, "_SAID", set())
    return empty


def program(directory, body):
    """A `dot` on PATH that runs these lines of Python."""
    path = directory / "dot"
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
    path.chmod(0o755)


def without(monkeypatch, directory, *modules):
    """These modules cannot be imported, here and in child processes."""
    for module in modules:
        (directory / f"{module}.py").write_text("raise ImportError('libgobject is missing')\n")
    monkeypatch.syspath_prepend(directory)


DRAWS = "import pygraphviz as p; g = p.AGraph(string=sys.stdin.buffer.read().decode())\n" + (
    "sys.stdout.buffer.write(g.draw(None, format=sys.argv[1][2:], prog='dot'))"
)
posix = pytest.mark.skipif(os.name != "posix", reason="the fake dot is a script with a #! line")


@pytest.mark.parametrize("engine", ["pygraphviz", "matplotlib"])
@pytest.mark.parametrize("direction", ["down", "right"])
def test_each_engine_draws_a_png_of_sensible_size(view, engine, direction):
    view = viz.View(view.graph, direction)
    png = view.render("png", engine=engine)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert 300 < width < 3000
    assert 300 < height < 3000
    assert (width > 2 * height) == (direction == "right")


@pytest.mark.parametrize("engine", ["pygraphviz", "matplotlib"])
def test_each_engine_draws_pdf(view, engine):
    assert view.render("pdf", engine=engine).startswith(b"%PDF-")


@pytest.mark.parametrize("engine", ["pygraphviz", "matplotlib"])
def test_each_engine_draws_the_same_svg_every_time(view, engine):
    svg = view.render("svg", engine=engine)
    assert svg.rstrip().endswith(b"</svg>")
    assert view.render("svg", engine=engine) == svg


@posix
def test_dot_is_used_where_it_is(view, no_dot, caplog):
    program(no_dot, DRAWS)
    saved = view.save(no_dot / "x.png")
    assert saved.engine == "dot"
    assert str(saved) == f"{no_dot / 'x.png'} (drawn by dot)"
    assert caplog.records == []


def test_without_dot_pygraphviz_draws_and_it_is_said_once(view, tmp_path, caplog):
    assert view.save(tmp_path / "x.svg").engine == "pygraphviz"
    view.save(tmp_path / "x.svg")
    (record,) = caplog.records
    assert record.name == "viz"
    assert "drawn by pygraphviz (dot: there is no such program on PATH)" in record.getMessage()
    assert "apt install graphviz" in record.getMessage()


@posix
def test_after_a_failing_dot_and_a_broken_pygraphviz_matplotlib_draws(
    view, no_dot, tmp_path, monkeypatch, caplog
):
    program(no_dot, "sys.exit('no layout plugin')")
    without(monkeypatch, tmp_path, "pygraphviz")
    saved = view.save(tmp_path / "x.png")
    assert saved.engine == "matplotlib"
    message = caplog.records[0].getMessage()
    assert "dot: no layout plugin; pygraphviz: ImportError: libgobject is missing" in message
    assert "pip install pygraphviz" in message


@posix
def test_what_is_no_picture_does_not_count(view, no_dot):
    program(no_dot, "print('hello')")
    with pytest.raises(viz.DrawingError, match="dot: ended with status 0"):
        view.render("png", engine="dot")


@posix
def test_a_crash_falls_to_the_next_engine(view, no_dot):
    program(no_dot, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert view.save(no_dot / "x.svg").engine == "pygraphviz"


def test_an_engine_that_is_asked_for_and_missing_is_an_error(view, tmp_path, monkeypatch):
    with pytest.raises(viz.DrawingError, match="dot: there is no such program on PATH"):
        view.render("png", engine="dot")
    without(monkeypatch, tmp_path, "pygraphviz")
    with pytest.raises(viz.DrawingError, match=r"pygraphviz: ImportError.*pip install pygraphviz"):
        view.render("png", engine="pygraphviz")
    with pytest.raises(ValueError, match="one of dot, pygraphviz, matplotlib, not 'neato'"):
        view.render("png", engine="neato")


def test_without_any_engine_there_is_dot_text_and_a_notebook_says_why(view, tmp_path, monkeypatch):
    without(monkeypatch, tmp_path, "pygraphviz", "matplotlib")
    with pytest.raises(viz.DrawingError) as error:
        view.save(tmp_path / "x.png")
    for engine in ("dot: there is", "pygraphviz: ImportError", "matplotlib: ImportError"):
        assert engine in str(error.value)
    assert not (tmp_path / "x.png").exists()
    assert view.save(tmp_path / "x.dot").engine is None
    shown = view._repr_mimebundle_()
    assert shown.keys() == {"text/plain"}
    assert "viz.graph of 6 nodes" in shown["text/plain"]
    assert "cannot draw" in shown["text/plain"]


def test_a_notebook_shows_the_picture(view):
    shown = view._repr_mimebundle_(include=None, exclude=None)
    assert shown["image/svg+xml"].rstrip().endswith("</svg>")
    assert shown["text/plain"] == repr(view)


@posix
def test_drawing_has_a_time_limit(view, no_dot, tmp_path):
    program(no_dot, "time.sleep(30)")
    (tmp_path / "x.png").write_bytes(b"old")
    start = time.perf_counter()
    with pytest.raises(TimeoutError, match=r"dot did not draw 6 nodes within 0.3 s"):
        view.save(tmp_path / "x.png", time_limit=0.3)
    assert time.perf_counter() - start < 5
    assert (tmp_path / "x.png").read_bytes() == b"old"


def test_dot_text_is_saved_as_it_is(view, tmp_path):
    view.save(tmp_path / "x.dot")
    assert (tmp_path / "x.dot").read_bytes() == view.dot.encode() == view.render("dot")


def test_a_failure_while_writing_leaves_the_old_file(view, tmp_path, monkeypatch):
    path = tmp_path / "x.dot"
    path.write_text("old")

    def full(*_):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="disk full"):
            view.save(path)
    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", lambda *_: io.BytesIO(b""))  # nothing reaches the disk
        with pytest.raises(FileNotFoundError):
            view.save(path)
    assert os.listdir(tmp_path) == ["x.dot"]
    assert path.read_text() == "old"


@posix
def test_a_saved_file_has_the_permissions_of_any_other(view, tmp_path):
    (tmp_path / "other").write_text("")
    view.save(tmp_path / "x.dot")
    modes = {stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in ("other", "x.dot")}
    assert len(modes) == 1


@pytest.mark.parametrize("name", ["x.jpg", "x"])
def test_another_suffix_is_told(view, tmp_path, name):
    with pytest.raises(ValueError, match="one of png, svg, pdf, dot, not"):
        view.save(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_suffixes_in_capitals_are_the_same(view, tmp_path):
    assert view.save(tmp_path / "x.DOT").engine is None


def test_a_missing_directory_is_told(view, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere' does not exist; create it first"):
        view.save(tmp_path / "nowhere" / "x.png")


def test_a_large_png_is_reduced_and_it_is_said(monkeypatch, caplog):
    monkeypatch.setattr(engines, "PNG_SIDE", 500)
    y = ag.Variable(1.0)
    for _ in range(20):
        y = np.exp(-y)
    for engine in ("pygraphviz", "matplotlib"):
        with caplog.at_level(logging.WARNING, "viz"):
            png = viz.graph(y).render("png", engine=engine)
        assert 490 <= max(struct.unpack(">II", png[16:24])) <= 501
        assert caplog.records.pop().getMessage().startswith("viz: the PNG was reduced to 500")
