"""The three engines that turn a graph into the bytes of a picture, each in a process of its own.

A process can be stopped when its time is up, and when it crashes it takes nothing with it: no
state of matplotlib or of an embedded C library is shared with the caller.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from viz import dot
from viz.nodes import Graph

Engine = Literal["dot", "pygraphviz", "matplotlib"]
"""Graphviz's program; the Graphviz inside the pygraphviz wheel; a plain layered drawing."""

DPI = 150
PNG_SIDE = 16_000
"""Pixels that no side of a PNG exceeds: larger drawings are made at a lower resolution.

Graphviz itself would stop at 32 767, which few viewers open."""

LOGGER = logging.getLogger("viz")
_SAID: set[str] = set()
"""Engines whose use has been announced: once per process is enough."""

_GRAPHVIZ = (
    "Graphviz (apt install graphviz, brew install graphviz, or https://graphviz.org/download)"
)
_BETTER = {
    "pygraphviz": f"{_GRAPHVIZ} would do as well",
    "matplotlib": f"for a better layout, pip install pygraphviz, or install {_GRAPHVIZ}",
}


class DrawingError(RuntimeError):
    """No engine could draw, or the one that was asked for could not; the message says why."""


def draw(
    graph: Graph,
    suffix: str,
    *,
    direction: str = "down",
    engine: Engine | None = None,
    time_limit: float = 60.0,
) -> tuple[bytes, Engine]:
    """A picture ("png", "svg" or "pdf") as bytes, and the engine that drew it.

    Without `engine`, the first of dot, pygraphviz and matplotlib that works. `time_limit` is in
    seconds and holds for all attempts together: TimeoutError when it is over. DrawingError, with
    the reason of each attempt, when none succeeds.
    """
    if engine is not None and engine not in get_args(Engine):
        raise ValueError(f"engine: one of {', '.join(get_args(Engine))}, not {engine!r}")
    deadline = time.monotonic() + time_limit
    reasons = []
    for name in [engine] if engine else get_args(Engine):
        try:
            picture = _run(*COMMANDS[name](graph, suffix, direction), suffix, deadline)
        except subprocess.TimeoutExpired:
            raise TimeoutError(
                f"viz: {name} did not draw {len(graph.nodes)} nodes within {time_limit:g} s; raise "
                f"time_limit, take engine='matplotlib', whose layout is plainer, or save as .dot"
            ) from None
        except _EngineError as failure:
            reasons.append(f"{name}: {failure}")
            continue
        if reasons and name not in _SAID:
            _SAID.add(name)
            LOGGER.warning("viz: drawn by %s (%s); %s", name, "; ".join(reasons), _BETTER[name])
        if suffix == "png" and max(struct.unpack(">II", picture[16:24])) >= PNG_SIDE - 1:
            LOGGER.warning(
                "viz: the PNG was reduced to %d pixels; .svg and .pdf stay sharp", PNG_SIDE
            )
        return picture, name
    raise DrawingError(
        f"viz: cannot draw. {'; '.join(reasons)}. Any of these helps: pip install pygraphviz; "
        f"pip install matplotlib; {_GRAPHVIZ}. A .dot file needs none of them"
    )


class _EngineError(Exception):
    """An engine is not there or did not succeed."""


def _dot(graph: Graph, suffix: str, direction: str) -> tuple[list[str], str]:
    program = shutil.which("dot")
    if program is None:
        raise _EngineError("there is no such program on PATH")
    return [program, f"-T{suffix}"], _source(graph, suffix, direction)


def _pygraphviz(graph: Graph, suffix: str, direction: str) -> tuple[list[str], str]:
    return _script("embedded.py", suffix), _source(graph, suffix, direction)


def _matplotlib(graph: Graph, suffix: str, direction: str) -> tuple[list[str], str]:
    looks = {"direction": direction, "dpi": DPI, "side": PNG_SIDE, "looks": dot.LOOKS}
    return _script("plain.py", suffix), json.dumps(dataclasses.asdict(graph) | looks)


COMMANDS: dict[str, Callable[[Graph, str, str], tuple[list[str], str]]] = {
    "dot": _dot,
    "pygraphviz": _pygraphviz,
    "matplotlib": _matplotlib,
}
"""Engine → the command to run and what to write to its standard input."""


def _source(graph: Graph, suffix: str, direction: str) -> str:
    """DOT text, for a PNG with its resolution and its largest size in inches."""
    digraph = dot.digraph(graph, direction)
    if suffix == "png":
        inches = f"{PNG_SIDE / DPI:g}"
        digraph.attr(dpi=str(DPI), size=f"{inches},{inches}")
    return str(digraph.source)


def _script(name: str, suffix: str) -> list[str]:
    # -P: the directory of the script is not where modules are looked for.
    # -W: whatever PYTHONWARNINGS says, a missing glyph is no reason not to draw
    script = str(Path(__file__).with_name(name))
    return [sys.executable, "-P", "-W", "ignore", script, suffix]


def _run(command: list[str], source: str, suffix: str, deadline: float) -> bytes:
    # a child finds the modules that its parent finds, however the parent came to find them
    roots = [*sys.path, str(Path(__file__).parents[1])]
    search = os.pathsep.join(path or os.getcwd() for path in roots)
    try:
        done = subprocess.run(
            command,
            input=source.encode(),
            capture_output=True,
            timeout=max(0.0, deadline - time.monotonic()),
            env={**os.environ, "PYTHONPATH": search},
        )
    except OSError as error:
        raise _EngineError(str(error)) from error
    if done.returncode != 0 or not done.stdout.startswith(SIGNATURES[suffix]):
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise _EngineError(lines[-1] if lines else f"ended with status {done.returncode}")
    return done.stdout


SIGNATURES = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<?xml", "pdf": b"%PDF-"}
"""Suffix → what its files begin with: an engine that wrote anything else has failed."""
