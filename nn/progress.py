"""The lines and the bar that a training shows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_lines(
    asked: str, wanted: bool, first: int, last: int
) -> Iterator[Callable[[int, str], None]]:
    """A function to call after every epoch: it prints a line, under which a bar moves.

    The bar is for those who look on; a log gets the lines alone, and nobody anything where there is
    no stderr. It begins with the epochs that are done already.
    """
    if not wanted or sys.stderr is None:
        yield lambda epoch, line: None
        return
    try:
        from tqdm import tqdm  # type: ignore[import-untyped]  # its stubs are a package
    except ImportError as error:
        raise ImportError(
            f"{asked}: the progress bar needs tqdm; pip install autograd_lite[nn], or pass "
            f"progress=False"
        ) from error
    settings = {"unit": "epoch", "leave": False, "disable": None, "file": sys.stderr}
    with tqdm(initial=first, total=last, **settings) as bar:

        def report(epoch: int, line: str) -> None:
            tqdm.write(f"epoch {epoch}/{last}  {line}", file=sys.stderr)
            bar.update()

        yield report
