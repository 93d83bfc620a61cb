"""The import order of the rooms, read from the files; what importing leaves alone."""

import ast
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# each may import what stands above it, and not its neighbours
ORDER = [
    [
        "autograd_lite.errors",
        "autograd_lite.text",
        "autograd_lite.nests",
        "autograd_lite.attributes",
        "autograd_lite.finite_differences",
    ],
    ["autograd_lite.tape", "autograd_lite.operators"],
    ["autograd_lite.variable"],
    ["autograd_lite.primitive"],
    ["autograd_lite.rules"],
    ["autograd_lite.sweep", "autograd_lite.replay"],
    ["autograd_lite.backward"],
    ["autograd_lite.recomputing", "autograd_lite.runs"],
    ["autograd_lite.debugging", "autograd_lite.transforms"],
    ["autograd_lite.checked_call", "autograd_lite.gradient_report"],
    [
        "autograd_lite.checking",
        "autograd_lite.comparison",
        "autograd_lite.explain",
        "autograd_lite.compile",
        "autograd_lite.census",
    ],
    ["autograd_lite"],
    ["nn"],
    ["viz"],
]
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}

# function-level imports of a later room: (file, imported module)
LATE = {("autograd_lite/variable.py", "autograd_lite.backward")}


def files(*packages):
    return sorted(p for package in packages for p in (ROOT / package).rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str | None:
    """The name in ORDER that the module is, or lies in; None for others.

    A module of the core stands in ORDER itself: it is not in the room of the whole package.
    """
    parts = module.split(".")
    names = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return next((n for n in names if n in RANK and (n != "autograd_lite" or n == module)), None)


def only_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(path: Path):
    """Every module that the file imports when it runs, and whether inside a function."""

    def visit(node, late):
        for child in ast.iter_child_nodes(node):
            if only_for_types(child):
                continue
            if isinstance(child, ast.Import):
                yield from ((alias.name, late) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path.name}: imports are absolute"
                for alias in child.names:
                    # `from package import module` imports the module, not only the package
                    full = f"{child.module}.{alias.name}"
                    is_module = (ROOT / full.replace(".", "/")).with_suffix(".py").exists()
                    is_package = (ROOT / full.replace(".", "/")).is_dir()
                    yield (full if is_module or is_package else child.module), late
            else:
                inner = late or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
                yield from visit(child, inner)

    return list(visit(ast.parse(path.read_text(encoding="utf-8")), False))


@pytest.mark.parametrize("path", files("autograd_lite", "nn", "viz"), ids=module_of)
def test_imports_only_earlier_rooms(path):
    own = room_of(module_of(path))
    assert own is not None, f"{module_of(path)} has no place in ORDER"
    for module, late in imports(path):
        room = room_of(module)
        if room is None or room == own:
            continue
        if RANK[room] > RANK[own]:
            relative = path.relative_to(ROOT).as_posix()
            assert late, f"{relative} imports {module}, a later room"
            assert (relative, module) in LATE, (
                f"{relative}: one late import is allowed, not {module}"
            )
        else:
            assert RANK[room] < RANK[own], f"{module_of(path)} imports its neighbour {module}"


def test_the_late_import_is_still_there():
    found = {
        (p.relative_to(ROOT).as_posix(), m)
        for p in files("autograd_lite")
        for m, late in imports(p)
        if late and room_of(m)
    }
    assert found == LATE


@pytest.mark.parametrize("path", files("autograd_lite"), ids=module_of)
def test_core_imports_numpy_and_the_standard_library_alone(path):
    foreign = {module.split(".")[0] for module, _ in imports(path)}
    assert foreign <= {"numpy", "autograd_lite"} | sys.stdlib_module_names


def test_rooms_of_rules_import_each_other_without_a_circle():
    rooms = {module_of(p): p for p in files("autograd_lite/rules") if p.stem != "__init__"}
    needs = {room: {m for m, _ in imports(path)} & rooms.keys() for room, path in rooms.items()}
    placed: set[str] = set()
    while ready := {room for room in needs.keys() - placed if needs[room] <= placed}:
        placed |= ready
    assert placed == rooms.keys(), f"a circle among {sorted(rooms.keys() - placed)}"


def test_the_order_can_fail():
    assert all(RANK[a[0]] < RANK[b[0]] for a, b in pairwise(ORDER))
    assert room_of("autograd_lite.rules.shapes") == "autograd_lite.rules"
    assert room_of("numpy.linalg") is None
    assert room_of("autograd_lite.unplanned") is None
    assert ("autograd_lite.backward", True) in imports(ROOT / "autograd_lite/variable.py")
    assert ("autograd_lite.rules.indexing", False) in imports(ROOT / "autograd_lite/sweep.py")


# --- what importing and using the package leaves alone -------------------------------------------


def run_python(program: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


STATE = """
import random, sys, warnings
import numpy as np

def state():
    generator = np.random.get_state()
    return (np.geterr(), np.geterrcall(), np.getbufsize(), np.get_printoptions(),
            generator[1].tobytes(), generator[2:], random.getstate(), warnings.filters[:],
            sys.getrecursionlimit(), sys.getswitchinterval())

before = state()
import autograd_lite as ag
assert state() == before, "import"
x = ag.Variable(np.array([0.5, -1000.0, 0.0]))
y = np.sum(np.tanh(x * x) + np.maximum(x, 0.0)[1:].sum() + x**3)
y.backward(retain_grads=True)
slope = ag.gradients(y, x, create_graph=True)
ag.gradients(np.sum(slope), x)
for misuse in (lambda: x @ np.ones(2), lambda: float(x), lambda: x.backward()):
    try:
        misuse()
    except (TypeError, ValueError):
        pass
    else:
        raise AssertionError("a misuse went through")
str(ag.tape())
assert state() == before, "use"
print("untouched")
"""


def test_import_and_use_leave_global_state_alone():
    assert run_python(STATE) == "untouched\n"


def test_core_alone_imports_neither_nn_nor_viz_nor_their_dependencies():
    program = "import sys, autograd_lite; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = set(run_python(program).split())
    assert "autograd_lite" in loaded
    assert not loaded & {"nn", "viz", "scipy", "matplotlib", "graphviz", "tqdm", "sklearn"}


DETERMINISM = """
import hashlib
import numpy as np, autograd_lite as ag
rng = np.random.default_rng(0)
parameters = {name: ag.Variable(rng.normal(size=(4, 4))) for name in "abcdef"}
h = rng.normal(size=(3, 4))
for v in parameters.values():
    h = np.tanh(h @ v + h[:, :1] * np.max(v, axis=0)) + h[[0, 0, 1]]
loss = np.sum(h * h) + sum(np.mean(v) for v in parameters.values())
first = ag.gradients(loss, list(parameters.values()), create_graph=True)
second = ag.gradients(sum(np.sum(g * g) for g in first), list(parameters.values()))
digest = hashlib.sha256()
for array in [g.data for g in first] + second:
    digest.update(array.tobytes())
print(digest.hexdigest(), hash("str") % 1000)
"""


def test_same_bits_whatever_the_hash_seed():
    runs = [run_python(DETERMINISM, PYTHONHASHSEED=seed).split() for seed in ("0", "1", "12345")]
    digests, hashes = zip(*runs, strict=True)
    assert len(set(hashes)) > 1, "the seeds made a difference to something"
    assert len(set(digests)) == 1
