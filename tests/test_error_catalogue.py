"""No message without its entry: every `raise` of the library is in `errors.md`, or asserted whole.

A message is the pattern that its source gives: the text, with anything for what is filled in. It
must be one that a program of the page prints, or that `test_rule_conditions` expects.
"""

import ast
import re
from pathlib import Path

import pytest

from tests.test_rule_conditions import CONDITIONS

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "autograd_lite").rglob("*.py"))
OUTPUT = re.compile(r"^```output\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGE = (ROOT / "autograd_lite" / "errors.md").read_text(encoding="utf-8")

# what no user meets: (file, a part of the text) and why
INTERNAL = {
    ("attributes.py", "label"): "Variable says what its label is",
    ("tape.py", "every subclass says which state it holds"): "an assertion",
    ("sweep.py", "complex, or no number at all"): "caught: the rule is named instead",
    ("sweep.py", "fewer axes than the operand"): "caught: the rule is named instead",
    ("sweep.py", "not a broadcast of the operand's shape"): "caught: the rule is named instead",
}

# `raise helper(…)` and `raise Class(helper(…))`: what the message that the helper makes contains
HELPERS = {
    "_wrong_shape": "; a rule returns a real cotangent in the shape of its argument",
    "_not_floating": "Variable: only floating point can be tracked, this is",
    "_restated": "index 5 is out of bounds for axis 0 with size 2; it was given",
    "GradientCheckError": "GradientCheckError:",
}


def pattern(node: ast.expr) -> str:
    """A regular expression for the texts that an expression can give."""
    match node:
        case ast.Constant(value=str()):
            return re.escape(node.value)
        case ast.JoinedStr():
            return "".join(pattern(part) for part in node.values)
        case ast.BinOp(op=ast.Add()):
            return pattern(node.left) + pattern(node.right)
    return ".*"


def messages_of(tree: ast.Module):
    """(the line, the class raised, the pattern of its message) of every `raise` with one."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Raise) or node.exc is None:
            continue
        call = node.exc
        assert isinstance(call, ast.Call), f"line {node.lineno}: raise a message, not a class"
        name = ast.unparse(call.func).rpartition(".")[2]
        inner = ast.unparse(call.args[0].func) if isinstance(call.args[0], ast.Call) else ""
        if name not in HELPERS and inner not in HELPERS:
            text = pattern(call.args[0])
            assert len(text.replace(".*", "")) > 4, f"line {node.lineno}: a message of its own"
            yield node.lineno, name, text


MESSAGES = [
    (path.relative_to(ROOT / "autograd_lite").as_posix(), *message)
    for path in SOURCES
    for message in messages_of(ast.parse(path.read_text(encoding="utf-8")))
]
SHOWN = [line for block in OUTPUT.findall(PAGE) for line in block.splitlines()]
ASSERTED = [message for _, message in CONDITIONS]


def is_internal(file: str, text: str) -> bool:
    return any(file == f and re.escape(part) in text for f, part in INTERNAL)


def is_among(said: list[str], error: str, text: str) -> bool:
    """Whether one of these lines is this message, from end to end."""
    whole = re.compile(f"{error}: {text}")
    return any(whole.fullmatch(line) for line in said)


@pytest.mark.parametrize(
    ("file", "line", "error", "text"), MESSAGES, ids=[f"{f}:{n}" for f, n, *_ in MESSAGES]
)
def test_every_message_has_its_entry(file, line, error, text):
    said = [*SHOWN, *ASSERTED] if file.startswith("rules/") else SHOWN
    assert is_internal(file, text) or is_among(said, error, text), (
        f"{file}, line {line}: no program in errors.md shows {error}: {text}"
    )


@pytest.mark.parametrize("helper", HELPERS)
def test_messages_of_helpers_have_their_entry(helper):
    assert any(HELPERS[helper] in line for line in SHOWN)
    assert any(f"{helper}(" in path.read_text(encoding="utf-8") for path in SOURCES)


def test_what_is_internal_is_still_there():
    for file, part in INTERNAL:
        assert any(file == f and re.escape(part) in text for f, _, _, text in MESSAGES), part


def test_a_message_without_entry_fails():
    tree = ast.parse('def f(x):\n    raise ValueError(f"f: {x} is new" + "; do g")\n')
    [(line, error, text)] = messages_of(tree)
    assert (line, error) == (2, "ValueError")
    assert not is_internal("f.py", text)
    assert not is_among([*SHOWN, *ASSERTED], error, text)
    assert is_among(["ValueError: f: 3 is new; do g"], error, text)
    assert not is_among(["TypeError: f: 3 is new; do g"], error, text)
    assert not is_among(["ValueError: f: 3 is new"], error, text), "the cure belongs to it"


def test_the_table_of_contents_names_every_group():
    groups = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    listed = re.findall(r"\[([^]]+)\]\(#([\w-]+)\)", PAGE.split("\n## ")[0])
    assert sorted(name for name, _ in listed) == sorted(groups)
    for name, anchor in listed:
        assert anchor == re.sub(r"[^\w -]", "", name.lower()).replace(" ", "-")


def test_every_entry_has_its_cure():
    entries = re.findall(r"^\*\*.+?\*\*.*?(?=^```)", PAGE, re.MULTILINE | re.DOTALL)
    assert len(entries) >= 40
    for entry in entries:
        assert "\n*Cure:* " in entry, entry
