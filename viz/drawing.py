"""`viz.graph`: the recorded graph as a picture, on disk, in a notebook or as DOT text."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from autograd_lite import Variable
from viz import dot, engines
from viz.engines import DrawingError, Engine
from viz.nodes import Graph, read

if TYPE_CHECKING:
    import graphviz  # type: ignore[import-untyped]

Direction = Literal["down", "right"]
SUFFIXES = ("png", "svg", "pdf", "dot")


def graph(output: Variable, *, direction: Direction = "down") -> View:
    """A view of the graph that `output` was computed by, with the values of this moment.

    Nodes show name or operation, settings, shape, value, and the gradient where there is one, so
    draw after `backward(retain_grads=True)` to see all of them. Parameters are orange and raised,
    constants grey notes, operations blue and rounded, untracked operations white and dashed, the
    output green with a double border; scopes are frames; dashed edges pass no gradient; operands
    are numbered where their order matters. The graph flows "down" or to the "right".

    Raises TypeError if `output` is not a Variable and ValueError if nothing is recorded for it.

    >>> import autograd_lite as ag, viz
    >>> x = ag.Variable(3.0, name="x")
    >>> viz.graph(x * x)
    <viz.graph of 2 nodes and 2 edges: .save("graph.png"), .dot, .to_graphviz()>
    """
    if direction not in get_args(Direction):
        raise ValueError(f"viz.graph: direction is 'down' or 'right', not {direction!r}")
    return View(read(output), direction)


@dataclass(frozen=True, slots=True)
class Saved(os.PathLike[str]):
    """Where a picture is, and the engine that drew it: None for DOT text, which is not drawn.

    It can be given to `open`, and printed.
    """

    path: Path
    engine: Engine | None

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return f"{self.path} ({f'drawn by {self.engine}' if self.engine else 'DOT text'})"


@dataclass(frozen=True, slots=True, repr=False)
class View:
    """A graph that can be drawn: what `viz.graph` returns. It holds text only, no Variables."""

    graph: Graph
    direction: Direction

    @property
    def dot(self) -> str:
        """The picture as DOT text: the same program gives the same text every time.

        >>> import autograd_lite as ag, viz
        >>> view = viz.graph(ag.Variable(3.0) * 2.0)
        >>> view.dot == viz.graph(ag.Variable(3.0) * 2.0).dot
        True
        """
        return str(self.to_graphviz().source)

    def to_graphviz(self) -> graphviz.Digraph:
        """The graphviz package's own object, a new one each time, for going on with it.

        Its `render` and `pipe` need the program `dot`; `save` and `render` here do not.

        >>> import autograd_lite as ag, viz
        >>> viz.graph(ag.Variable(3.0) * 2.0).to_graphviz().directed
        True
        """
        return dot.digraph(self.graph, self.direction)

    def render(
        self, suffix: str = "svg", *, engine: Engine | None = None, time_limit: float = 60.0
    ) -> bytes:
        """The picture as the bytes of a file "png", "svg", "pdf" or "dot"; otherwise as `save`.

        >>> import autograd_lite as ag, viz
        >>> viz.graph(ag.Variable(3.0) * 2.0).render("png", engine="matplotlib")[1:4]
        b'PNG'
        """
        return self._draw(suffix, engine, time_limit)[0]

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        engine: Engine | None = None,
        time_limit: float = 60.0,
    ) -> Saved:
        """Write the picture, as PNG, SVG, PDF or DOT text by the suffix, and say who drew it.

        The engine is the first that works of "dot" (Graphviz's program), "pygraphviz" (the Graphviz
        inside that package) and "matplotlib" (a plainer layout), or the one given. The file
        appears complete or not at all. `time_limit` is in seconds.

        Raises ValueError for another suffix, FileNotFoundError if the directory does not exist,
        TimeoutError, and `viz.DrawingError` if no engine can draw.

        >>> import autograd_lite as ag, tempfile, viz
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     saved = viz.graph(ag.Variable(3.0) * 2.0).save(f"{directory}/graph.dot")
        ...     saved.path.read_text(encoding="utf-8").startswith("digraph"), saved.engine
        (True, None)
        """
        path = Path(path)
        if not path.parent.is_dir():
            raise FileNotFoundError(
                f"save: the directory {str(path.parent)!r} does not exist; create it first"
            )
        picture, drawn_by = self._draw(path.suffix[1:].lower(), engine, time_limit)
        _write_at_once(path, picture)
        return Saved(path, drawn_by)

    def _draw(
        self, suffix: str, engine: Engine | None, time_limit: float
    ) -> tuple[bytes, Engine | None]:
        if suffix not in SUFFIXES:
            raise ValueError(
                f"viz: the suffix says what to write: one of {', '.join(SUFFIXES)}, not {suffix!r}"
            )
        if suffix == "dot":
            return self.dot.encode(), None
        return engines.draw(
            self.graph,
            suffix,
            direction=self.direction,
            engine=engine,
            time_limit=time_limit,
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the picture, or the reason why there is none."""
        try:
            return {"image/svg+xml": self.render("svg").decode(), "text/plain": repr(self)}
        except (DrawingError, TimeoutError, ImportError) as error:
            return {"text/plain": f"{self!r}\n{error}"}

    def __repr__(self) -> str:
        return (
            f"<viz.graph of {len(self.graph.nodes)} nodes and {len(self.graph.edges)} edges: "
            f'.save("graph.png"), .dot, .to_graphviz()>'
        )


def _write_at_once(path: Path, content: bytes) -> None:
    """Write beside the target, then rename: a reader sees the old file or the new one."""
    # opened plainly, not by tempfile, whose files only their owner may read
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(unfinished, "xb") as file:
            file.write(content)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
