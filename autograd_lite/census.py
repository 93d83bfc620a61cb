"""Every NumPy function that can meet a Variable, sorted: `python -m autograd_lite.census`.

NumPy itself says which functions hand over to another array type; the table of operations and the
table of refusals say what happens then. Nothing here is needed to differentiate.
"""

from __future__ import annotations

import importlib
import textwrap
from typing import NamedTuple

from numpy.testing import overrides

from autograd_lite.primitive import KINDS
from autograd_lite.variable import REFUSED, qualified_name

HEADINGS = {
    "primitive": ("Primitives", "Recorded, with a derivative rule of their own."),
    "composition": ("Compositions", "Computed by functions of this table; those are recorded."),
    "untracked": (
        "Untracked by nature",
        "Facts, truths, integers, constants, and what is constant piece by piece: no result has a "
        "derivative other than 0.",
    ),
    "refused": (
        "Refused",
        "On a tracked Variable these raise MissingRuleError, saying why and what to write instead.",
    ),
    "unsorted": ("Unsorted", "Neither in a table of autograd_lite/rules nor refused by it."),
}
"""The groups, in order: a title for each, and a sentence."""


class Row(NamedTuple):
    """One function: "numpy.linalg.norm", its group, and for a refused one why and what to do."""

    name: str
    kind: str
    reason: str = ""
    advice: str = ""


def census() -> list[Row]:
    """A row for every overridable function of the installed NumPy, by name.

    A function that is in both tables gets two.
    """
    for module in ("char", "fft", "polynomial", "strings"):  # NumPy imports these on first use
        importlib.import_module(f"numpy.{module}")
    functions = {
        *overrides.get_overridable_numpy_ufuncs(),
        *overrides.get_overridable_numpy_array_functions(),
    }
    rows = set()  # a creation function and its variant for like= are two functions of one name
    for function in functions:
        name = qualified_name(function)
        if function in KINDS:
            rows.add(Row(name, KINDS[function]))
        if name in REFUSED:
            rows.add(Row(name, "refused", *REFUSED[name]))
        elif function not in KINDS:
            rows.add(Row(name, "unsorted"))
    return sorted(rows)


def as_markdown(rows: list[Row]) -> str:
    """The census as a page: a heading for every group, and its functions as they are called."""
    lines = ["# NumPy's functions on a Variable"]
    for kind, (title, sentence) in HEADINGS.items():
        members = [row for row in rows if row.kind == kind]
        if not members:
            continue
        lines += ["", f"## {title} ({len(members)})", "", sentence, ""]
        if kind == "refused":
            lines += ["| functions | because | instead |", "|---|---|---|"]
            for reason, advice in dict.fromkeys(REFUSED.values()):
                names = _listed([row for row in members if row[2:] == (reason, advice)])
                lines.append(f"| {names} | {reason} | {advice} |")
        else:
            lines += textwrap.wrap(_listed(members), 100)
    return "\n".join(lines) + "\n"


def _listed(rows: list[Row]) -> str:
    return ", ".join(f"`{row.name.replace('numpy.', 'np.', 1)}`" for row in rows)


if __name__ == "__main__":
    print(as_markdown(census()), end="")
