"""`ag.debug()` on and off: the same bits, nothing of it left, and together with `ag.checkpoint`."""

import gc
import inspect
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
import nn
from autograd_lite import debugging
from tests.debugging_tools import here, quiet, stops  # noqa: F401 - a fixture for every test
from tests.test_debug_numbers import AWAY, ZERO

HERE = Path(__file__).name


# --- on and off ----------------------------------------------------------------------------------


def test_nested_with_no_grad():
    x = ag.Variable(0.0, name="x")
    with ag.debug():
        with ag.no_grad():
            assert np.log(x).item() == -np.inf
            with ag.debug():
                assert np.log(x).item() == -np.inf
        with ag.debug(), ag.scope("inner"):
            assert np.exp(x).origin is not None
            assert np.exp(x).scope.path == "inner"
        with pytest.raises(FloatingPointError):
            np.log(x)
    with ag.no_grad(), ag.debug():
        y = np.exp(x)
        assert (y.requires_grad, y.origin) == (False, None)
    assert np.exp(x).origin is None


def test_state_is_restored_after_the_exception():
    x = ag.Variable(0.0)

    @ag.debug()
    def fails():
        return np.log(x)

    for _ in range(2):
        with pytest.raises(FloatingPointError, match=r"^log: "):
            fails()
        assert np.log(x).item() == -np.inf
        assert np.log(x).origin is None


def test_decorated_function():
    @ag.debug()
    def f(x):
        """Square it."""
        return x * x

    assert (f.__name__, f.__doc__) == ("f", "Square it.")
    assert f(ag.Variable(2.0)).origin.line == f.__wrapped__.__code__.co_firstlineno + 3
    with pytest.raises(TypeError, match=r"^debug: it takes no arguments; write @ag.debug\(\)$"):

        @ag.debug
        def g(x):
            return x

    with pytest.raises(TypeError, match=r"^debug: cannot decorate the generator"):

        @ag.debug()
        def h(x):
            yield x


def program(x, w):
    """Some of everything that the gates do: ufuncs, reductions, indices, several results, masks."""
    with ag.scope("program"):
        h = np.tanh(x @ w)
        a, b = np.split(np.concatenate([h, h * 2.0, -h]), [3])
        u, s, _ = np.linalg.svd(w)
        gain = np.where(a > 0, a, 0.1 * a)[:, [0, 1, 1]]
        return np.sum(gain) + np.mean(b**3) + np.max(s) + np.sum(u * u[0])


def test_the_same_bits_and_the_same_record():
    rng = np.random.default_rng(0)
    x, w = ag.Variable(rng.normal(size=(4, 3))), ag.Variable(rng.normal(size=(3, 3)))

    def everything():
        loss = program(x, w)
        entries, waiting = {}, [loss]
        while waiting:
            v = waiting.pop()
            entries[v.number] = v
            waiting += [u for u in v.inputs if isinstance(u, ag.Variable)]
        first = min(v.number for v in entries.values() if v.operation)
        record = [
            (
                n - first if v.operation else n,
                v.operation and v.operation.name,
                v.shape,
                v.requires_grad,
                dict(v.settings).keys(),
                v.scope and v.scope.path,
            )
            for n, v in sorted(entries.items())
        ]
        slopes = ag.gradients(loss, [x, w], create_graph=True)
        second = ag.gradients(np.sum(slopes[0] ** 2), [x, w])
        arrays = [loss.data, *(g.data for g in slopes), *second]
        return record, [a.tobytes() for a in arrays]

    plain = everything()
    with ag.debug():
        watched = everything()
    assert plain == watched
    assert len(plain[0]) > 20


STEPS = [
    lambda a, b: a + b,
    lambda a, b: a * b,
    lambda a, b: np.sin(a) - b,
    lambda a, b: np.where(a > b, a, b * 0.5),
    lambda a, b: a[::-1] / (1.0 + b * b),
    lambda a, b: np.cumsum(np.tanh(a)) + b[[0, 2, 1]],
    lambda a, b: np.stack([a, b])[1] * np.max(a),
]


@given(
    st.lists(
        st.tuples(st.sampled_from(range(len(STEPS))), st.integers(0, 99), st.integers(0, 99)),
        max_size=12,
    )
)
def test_random_programs_have_the_same_bits(steps):
    rng = np.random.default_rng(len(steps))
    leaves = [ag.Variable(rng.normal(size=3)) for _ in range(2)]

    def run():
        values = list(leaves)
        for step, i, j in steps:
            values.append(STEPS[step](values[i % len(values)], values[j % len(values)]))
        loss = np.sum(values[-1] * values[-1])
        slopes = ag.gradients(loss, leaves, create_graph=True)
        second = ag.gradients(np.sum(slopes[0] ** 2) + np.sum(slopes[1]), leaves)
        return [a.tobytes() for a in (loss.data, *(g.data for g in slopes), *second)]

    plain = run()
    with ag.debug():
        assert run() == plain


def test_off_nothing_of_it_runs(monkeypatch):
    """Every function of debugging.py counts its calls: none while off, and some while on."""
    calls = []
    for name in ("computed", "visited", "pulled"):
        original = getattr(debugging._Watch, name)

        def counted(*args, name=name, original=original):
            calls.append(name)
            return original(*args)

        monkeypatch.setattr(debugging._Watch, name, counted)
    code = {
        f.__code__
        for f in vars(debugging).values()
        if inspect.isfunction(f) and f.__module__ == debugging.__name__
    }

    def profile(frame, event, argument):
        if event == "call" and frame.f_code in code:
            calls.append(frame.f_code.co_name)

    x, w = ag.Variable(np.ones((4, 3))), ag.Variable(np.diag([1.0, 2.0, 3.0]))

    def everything():
        loss = program(x, w)
        slopes = ag.gradients(loss, [x, w], create_graph=True)
        ag.gradients(np.sum(slopes[0] ** 2), [x, w])

    sys.setprofile(profile)
    try:
        everything()
        assert calls == []
        with ag.debug():
            everything()
    finally:
        sys.setprofile(None)
    assert {"computed", "visited", "pulled", "_origin", "_checksum"} <= set(calls)
    before = len(calls)
    everything()
    assert len(calls) == before


def test_graphs_are_freed_while_it_is_on():
    x = ag.Variable([1.0, 2.0])
    gc.disable()
    try:
        with ag.debug():
            y = np.sum(np.exp(x) * x)
            inner = weakref.ref(y.inputs[0])
            y.backward()
            del y
            assert inner() is None
    finally:
        gc.enable()


# --- together with checkpoint --------------------------------------------------------------------


def test_a_checkpointed_function_is_looked_into():
    x = ag.Variable([1.0, 0.0], name="x")

    @ag.checkpoint
    def roots(x):
        with ag.scope("inner"):
            return np.where(x > 0, np.sqrt(x), 0.0)

    with ag.debug():
        with ag.scope("outer"):
            y = np.sum(roots(x))
        line = roots.__wrapped__.__code__.co_firstlineno + 3
        message = (
            f"sqrt: the gradient for x is nan at [1] (1 of 2 entries), from x = 0.0 (in scope "
            f"'outer/inner'), at {HERE}:{line}: return np.where(…; {ZERO}: {AWAY}\n"
            f"in the derivative rule of checkpoint(roots) #… for argument 0 (in scope 'outer'), …"
        )
        with stops(message):
            y.backward()
        with stops(f"log: the result is -inf at [1] … at {HERE}:…"):
            ag.checkpoint(lambda x: np.log(x))(x)


def test_a_mask_inside_a_checkpointed_function_passes():
    x = ag.Variable([1.0, 2.0])
    block = ag.checkpoint(lambda x: x + np.array([0.0, -np.inf]))
    with ag.debug():
        y = np.sum(nn.softmax(block(x)) * np.array([2.0, 1.0]))
        y.backward()
    assert y.item() == 2.0
    np.testing.assert_array_equal(x.grad, [0.0, 0.0])
