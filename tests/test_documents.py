"""The Markdown pages run: every ```python block of a file, in order, in one namespace.

A block fenced as ```output right after one is what it prints. Pages run in a directory of their
own, with warnings as errors; what they add to the tables of operations is taken out again.
"""

import contextlib
import io
import re
from pathlib import Path

import pytest

from autograd_lite.operators import OPERATIONS
from autograd_lite.primitive import KINDS

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        ROOT / "README.md",
        *(ROOT / "autograd_lite").rglob("*.md"),
        *(ROOT / "tutorials").rglob("*.md"),
    ]
)
BLOCK = re.compile(r"^```(python|output)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(page: Path) -> None:
    """Run a page. Tracebacks and messages give its lines."""
    text = page.read_text(encoding="utf-8")
    namespace = {"__name__": page.stem}
    printed = ""
    for block in BLOCK.finditer(text):
        language, body = block.groups()
        line = text.count("\n", 0, block.start()) + 1
        if language == "output":
            assert printed == body, f"{page.name}, line {line}: it printed\n{printed}"
            continue
        code = compile("\n" * line + body, page, "exec")
        with contextlib.redirect_stdout(io.StringIO()) as stdout:
            exec(code, namespace)
        printed = stdout.getvalue()


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """Another directory, and tables of operations that are as before afterwards."""
    monkeypatch.chdir(tmp_path)
    before = [(table, dict(table)) for table in (OPERATIONS, KINDS)]
    yield
    for table, content in before:
        table.clear()
        table.update(content)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page):
    run(page)


def test_the_pages_are_found():
    names = {page.name for page in PAGES}
    assert {"README.md", "conventions.md", "own_operation.md"} <= names


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("```python\nassert False\n```\n", AssertionError),
        ("```python\nprint(1)\n```\n\n```output\n2\n```\n", AssertionError),
        ("```python\nx = 1\n```\n\nand\n\n```python\nx / 0\n```\n", ZeroDivisionError),
        ("```python\nimport numpy\nnumpy.log(0)\n```\n", RuntimeWarning),
    ],
    ids=["assertion", "output", "second block", "warning"],
)
def test_a_page_that_is_wrong_fails(text, error, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(error):
        run(page)


def test_a_traceback_gives_the_line_of_the_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n```python\nx = 1\nx / 0\n```\n")
    with pytest.raises(ZeroDivisionError) as caught:
        run(page)
    last = caught.traceback[-1]
    assert (Path(last.path).name, last.lineno + 1) == ("page.md", 5)
