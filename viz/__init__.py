"""Pictures of the tape.

`viz.graph(loss).save("loss.png")` draws what was recorded, before or after `backward`. It reads the
tape and changes nothing. The rooms, in the order of their work: `values` (numbers in few
characters), `nodes` (tape → nodes and edges), `dot` (→ DOT text), `engines` (→ the bytes of a
picture, by one of three programs; two of them stand in `embedded` and `plain`, the last with its
layout in `layered`), `drawing` (what users see).
"""

from viz.drawing import Saved, View, graph
from viz.engines import DrawingError

__all__ = ["DrawingError", "Saved", "View", "graph"]
