"""Child process: DOT on standard input, a picture on standard output, by pygraphviz's Graphviz."""

from __future__ import annotations

import sys


def main(suffix: str) -> None:
    """Draw; an error ends the process with its message as the last line of standard error."""
    import pygraphviz  # type: ignore[import-untyped]

    source = sys.stdin.buffer.read().decode()
    sys.stdout.buffer.write(pygraphviz.AGraph(string=source).draw(None, format=suffix, prog="dot"))


if __name__ == "__main__":
    main(sys.argv[1])
