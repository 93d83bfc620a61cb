"""Every NumPy function that can meet a Variable is in one group, and behaves as its group says."""

import inspect
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from numpy.testing import overrides

import autograd_lite as ag
from autograd_lite.census import HEADINGS, as_markdown, census
from autograd_lite.operators import OPERATIONS
from autograd_lite.primitive import KINDS
from autograd_lite.variable import REFUSED, qualified_name
from tests.cases import ALL_CASES

ROWS = census()
NAMES = {kind: [row.name for row in ROWS if row.kind == kind] for kind in HEADINGS}
OVERRIDABLE = {
    *overrides.get_overridable_numpy_ufuncs(),
    *overrides.get_overridable_numpy_array_functions(),
}
CALLABLE = {qualified_name(function): function for function in OVERRIDABLE}


def numpys(table) -> set:
    """Its NumPy functions: others are methods, operators, and the library's own."""
    return {f for f in table if isinstance(f, np.ufunc) or f.__module__.startswith("numpy")}


# what the library itself has registered: docstrings and other tests add theirs when they run
REGISTERED, SORTED = numpys(OPERATIONS), numpys(KINDS)


# --- the table -----------------------------------------------------------------------------------


def test_every_function_is_sorted():
    assert not NAMES["unsorted"], (
        f"NumPy {np.__version__} has functions that are in no group: "
        f"{', '.join(NAMES['unsorted'])}. Add a row to a room of autograd_lite/rules, or a reason "
        f"for refusing it to autograd_lite/rules/refused.py"
    )


def test_every_function_is_in_one_group_only():
    twice = [name for name, count in Counter(row.name for row in ROWS).items() if count > 1]
    assert not twice, f"both supported and refused: {', '.join(twice)}"


def test_no_refusal_is_stale():
    stale = REFUSED.keys() - CALLABLE
    assert not stale, (
        f"NumPy {np.__version__} does not ask about {', '.join(sorted(stale))}: remove them from "
        f"autograd_lite/rules/refused.py, or correct the name"
    )


def test_every_operation_is_within_reach():
    """A function that NumPy does not hand over would never get here: it would raise, or lose us."""
    unreachable = SORTED - OVERRIDABLE
    assert not unreachable, f"NumPy does not hand over {', '.join(map(str, unreachable))}"


def test_a_function_nobody_has_sorted_is_seen(monkeypatch):
    monkeypatch.delitem(REFUSED, "numpy.unique")
    monkeypatch.delitem(KINDS, np.exp)
    new = [row.name for row in census() if row.kind == "unsorted"]
    assert {"numpy.unique", "numpy.exp"} <= set(new)


def test_a_function_in_both_tables_is_seen(monkeypatch):
    monkeypatch.setitem(REFUSED, "numpy.exp", ("of a whim", "ask again"))
    assert [row.kind for row in census() if row.name == "numpy.exp"] == ["primitive", "refused"]


def test_reasons_are_clauses():
    for reason, advice in REFUSED.values():
        for text in (reason, advice):
            assert text == text.strip(" .;,")
            assert "|" not in text  # they stand in a Markdown table


# --- supported: what the rows of tests/cases show -------------------------------------------------


def results_of(case) -> list:
    z = case.call(*[ag.Variable(x) for x in case.arrays()])
    return list(z) if isinstance(z, tuple | list) else [z]


def is_tracked(z) -> bool:
    return type(z) is ag.Variable and z.requires_grad


@pytest.mark.parametrize("kind", ["primitive", "composition", "untracked"])
def test_results_are_tracked_or_not_as_their_group_says(kind):
    wrong = []
    for name in NAMES[kind]:
        cases = [case for case in ALL_CASES if CALLABLE[name] in case.covers]
        tracked = any(is_tracked(z) for case in cases for z in results_of(case))
        if cases and tracked is (kind == "untracked"):
            wrong.append(name)
    assert not wrong, f"not {kind}: {', '.join(wrong)}"


def test_a_primitive_is_an_entry_of_its_name():
    wrong = []
    for name in NAMES["primitive"]:
        entry = {"numpy.amax": "max", "numpy.amin": "min"}.get(name, CALLABLE[name].__name__)
        cases = [case for case in ALL_CASES if CALLABLE[name] in case.covers and not case.untracked]
        if cases and not any(entry in entries_of(z) for case in cases for z in results_of(case)):
            wrong.append(name)
    assert not wrong, f"the tape shows no entry of that name: {', '.join(wrong)}"


def entries_of(z) -> set[str]:
    """The names of all operations that z was computed by."""
    if not is_tracked(z) or z.operation is None:
        return set()
    return {z.operation.name}.union(*map(entries_of, z.inputs))


# --- refused -------------------------------------------------------------------------------------

# how many arguments to give where Python cannot say what is required, or the first are no arrays
COUNT = {
    "numpy.arange": 1,
    "numpy.busday_count": 2,
    "numpy.busday_offset": 2,
    "numpy.copyto": 2,
    "numpy.datetime_as_string": 1,
    "numpy.fromfile": 1,
    "numpy.is_busday": 1,
}
FIRST = {"numpy.savez": ["a file's name"], "numpy.savez_compressed": ["a file's name"]}
# a Variable to be like makes these ask us, whatever else they are given
LIKE = {name for name, (reason, _) in REFUSED.items() if reason == "it makes a plain array"} | {
    "numpy.fromfile",
    "numpy.genfromtxt",
    "numpy.loadtxt",
}
NO_ARRAYS = {"numpy.empty", "numpy.zeros", "numpy.fromstring"}  # nothing could get lost in them


def required(name: str) -> int:
    """How many positional arguments it cannot do without."""
    function = CALLABLE[name]
    if isinstance(function, np.ufunc):
        return function.nin
    if name in COUNT:
        return COUNT[name]
    parameters = inspect.signature(function).parameters.values()
    return max(1, sum(p.default is p.empty and p.kind < p.VAR_POSITIONAL for p in parameters))


@pytest.mark.parametrize("name", sorted({*NAMES["refused"]} - NO_ARRAYS))
def test_refused(name):
    """Whatever the arguments mean, a tracked Variable among them is not lost, and we hear why."""
    v = ag.Variable(np.ones(3), name="v")
    # under one name there are two functions, of which NumPy's users call the public one
    function = getattr(np, name.removeprefix("numpy.")) if name in LIKE else CALLABLE[name]
    settings = {"like": v} if name in LIKE else {}
    with pytest.raises(ag.errors.MissingRuleError) as caught:
        function(*FIRST.get(name, []), *[v] * required(name), **settings)
    reason, advice = REFUSED[name]
    assert str(caught.value) == f"{name.split('.')[-1]}: {reason}, and v is tracked; {advice}"


@pytest.mark.parametrize("name", ["numpy.unique", "numpy.histogram", "numpy.fft.fft"])
def test_refused_functions_take_an_untracked_variable(name):
    x = np.array([2.0, 1.0, 2.0])
    results = [CALLABLE[name](a) for a in (ag.Variable(x).detach(), x)]
    for a, b in zip(*[z if isinstance(z, tuple) else (z,) for z in results], strict=True):
        np.testing.assert_array_equal(a, b)


def test_creating_like_a_variable_gives_a_constant_array():
    v = ag.Variable(1.0)
    assert type(np.zeros(3, like=v)) is np.ndarray
    assert np.empty(3, like=v).shape == (3,)
    assert np.arange(2.0, like=v).tolist() == [0, 1]
    assert np.fromstring("1 2", sep=" ", like=v).tolist() == [1, 2]


def test_the_file_is_not_touched_by_a_refused_save(tmp_path):
    with pytest.raises(ag.errors.MissingRuleError):
        np.save(tmp_path / "x.npy", ag.Variable(1.0))
    assert not list(tmp_path.iterdir())


# --- the page ------------------------------------------------------------------------------------


def test_the_page_names_every_function_once():
    page = as_markdown(ROWS)
    for row in ROWS:
        assert page.count(f"`{row.name.replace('numpy.', 'np.', 1)}`") == 1
    assert all(title in page for kind, (title, _) in HEADINGS.items() if NAMES[kind])


def test_it_prints_itself():
    """In a process that has imported less of NumPy than this one."""
    command = [sys.executable, "-W", "error", "-m", "autograd_lite.census"]
    page = subprocess.run(command, capture_output=True, check=True, text=True, encoding="utf-8")
    assert page.stdout == as_markdown(census())


def test_nothing_but_the_census_needs_it():
    command = "import sys, autograd_lite; assert 'autograd_lite.census' not in sys.modules"
    subprocess.run([sys.executable, "-c", command], check=True)


def test_what_is_called_and_what_is_sorted_are_the_same():
    assert REGISTERED == SORTED
