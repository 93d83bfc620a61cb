"""`ag.debug()` remembers the user's line behind each operation."""

import contextvars
import threading
from pathlib import Path

import numpy as np
import pytest

import autograd_lite as ag
import nn
from tests.debugging_tools import here, quiet, stops  # noqa: F401 - a fixture for every test

HERE = Path(__file__).name


def test_origin_is_the_callers_line_and_file():
    x = ag.Variable([1.0, 2.0])
    with ag.debug():
        y, line = np.exp(x), here()
    assert (y.origin.file, y.origin.line) == (__file__, line)
    assert str(y.origin) == f"{HERE}:{line}: y, line = np.exp(x), here()"


def test_no_origin_when_off_nor_of_leaves():
    x = ag.Variable([1.0, 2.0])
    y = np.exp(x)
    assert y.origin is None
    assert not hasattr(y, "_origin"), "not even the slot is filled"
    with ag.debug():
        assert x.origin is None
        assert ag.Variable(1.0).origin is None
    assert np.exp(x).origin is None


def test_each_line_of_an_expression_over_several_lines():
    x = ag.Variable([1.0, 2.0])
    with ag.debug():
        first = here()
        y = np.sum(
            np.exp(x)
            * np.sin(x)
        )  # fmt: skip
    product = y.inputs[0]
    lines = [v.origin.line - first for v in (y, product, *product.inputs)]
    assert lines == [1, 2, 2, 3]


class Doubled(nn.Module):
    """A user's own layer, around one of the library's."""

    def __init__(self):
        self.inner = nn.FullyConnected(2, 3, rng=np.random.default_rng(0))

    def forward(self, x):
        z = self.inner(x)
        return z + z


def test_through_layers_the_line_that_called_them():
    layer = Doubled()
    with ag.debug():
        y = layer(np.ones((4, 2)))
    start = Doubled.forward.__code__.co_firstlineno
    assert y.origin.line == start + 2
    affine = y.inputs[0]
    assert affine.operation.name == "add", "X·W + b, computed in nn/layers.py"
    assert (affine.origin.file, affine.origin.line) == (__file__, start + 1)


def test_through_a_composition_of_the_library():
    x = ag.Variable([1.0, 2.0, 4.0])
    with ag.debug():
        y, line = np.std(x), here()
    waiting, seen = [y], []
    while waiting:
        v = waiting.pop()
        seen.append(v)
        waiting += [u for u in v.inputs if isinstance(u, ag.Variable) and u is not x]
    assert seen
    assert {(v.origin.file, v.origin.line) for v in seen} == {(__file__, line)}


def test_through_a_transform_the_line_in_the_function():
    found = []

    def f(x):
        found.append((np.sin(x), here()))
        return found[0][0] * 2.0

    with ag.debug():
        ag.grad(f)(1.0)
    ((y, line),) = found
    assert (y.origin.file, y.origin.line) == (__file__, line)


def test_in_a_worker_thread():
    """A thread starts with a state of its own: debug is on there if it was carried or entered."""
    x = ag.Variable(2.0)
    found = {}

    def work(key):
        found[key] = np.exp(x), here()

    def run(target, *args):
        thread = threading.Thread(target=target, args=args)
        thread.start()
        thread.join()

    with ag.debug():
        run(work, "alone")
        run(contextvars.copy_context().run, work, "carried")
    run(ag.debug()(work), "decorated")
    line = work.__code__.co_firstlineno + 1
    assert found["alone"][0].origin is None
    for key in ("carried", "decorated"):
        origin = found[key][0].origin
        assert (origin.file, origin.line) == (__file__, line), key


def test_the_backward_of_a_thread_alone_has_no_line_of_the_user_and_still_works():
    x = ag.Variable([1.0, 2.0])
    with ag.debug():
        y = np.sum(x**3.0)
        context = contextvars.copy_context()
        thread = threading.Thread(
            target=context.run, args=(y.backward,), kwargs={"create_graph": True}
        )
        thread.start()
        thread.join()
    assert Path(x.grad.origin.file).name == "threading.py"
    np.testing.assert_array_equal(x.grad.data, [3.0, 12.0])


@pytest.mark.parametrize("scope", [{}, {"__name__": "__main__"}, {"__name__": "numpy_of_mine"}])
def test_code_without_a_file(scope):
    """As in an interactive session: the line has a number and no text."""
    names = {"ag": ag, "np": np, "x": ag.Variable(1.0), **scope}
    exec("with ag.debug():\n    y = np.exp(x)\n", names)
    origin = names["y"].origin
    assert (origin.file, origin.line, str(origin)) == ("<string>", 2, "<string>:2")


@pytest.mark.parametrize("package", ["autograd_lite.rules.products", "nn", "viz.nodes", "numpy.ma"])
def test_a_module_of_the_library_is_not_the_users(package):
    names = {"np": np, "__name__": package}
    exec("def f(x):\n    return np.exp(x)\n", names)
    with ag.debug():
        y, line = names["f"](ag.Variable(1.0)), here()
    assert (y.origin.file, y.origin.line) == (__file__, line)


def test_a_failing_rule_says_the_line_too():
    broken = ag.primitive(lambda x: x + 1.0, lambda g, z, x: 1 / 0, name="broken")
    with ag.debug(), ag.scope("outer"):
        y, line = broken(ag.Variable(1.0, name="x")), here()
    with pytest.raises(ZeroDivisionError) as caught:
        y.backward()
    (note,) = caught.value.__notes__
    assert note.startswith(f"in the derivative rule of {y.label} for argument 0 (in scope 'outer')")
    assert f", at {HERE}:{line}: " in note
