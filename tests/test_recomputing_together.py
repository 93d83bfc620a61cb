"""`ag.checkpoint` with threads, debugging, scopes, pictures and checks."""

import contextvars
import inspect
import sys
import threading

import numpy as np
import pytest

import autograd_lite as ag
import viz
from tests.test_recomputing import block, leaves, same


def test_threads():
    """Forward here and backward in workers, all of one block at once."""
    x, w = leaves()
    f = ag.checkpoint(block)
    y = np.sum(f(f(x, w), w))
    expected = ag.gradients(np.sum(block(block(x, w), w)), w)
    found = []

    def work():
        found.append(ag.gradients(y, w))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for g in found:
        same(g, expected)
    made = []
    thread = threading.Thread(
        target=contextvars.copy_context().run, args=(lambda: made.append(np.sum(f(x, w))),)
    )
    thread.start()
    thread.join()
    same(ag.gradients(made[0], w), ag.gradients(np.sum(block(x, w)), w))


def test_compare_replays_it():
    x, w = leaves()
    outer = ag.checkpoint(lambda x: ag.checkpoint(block)(block(x, w), w))
    h = np.tanh(x)
    loss = np.sum(outer(h) ** 2)
    reference = np.sum(block(block(h, w), w) ** 2)
    formulas = {v: ag.gradients(reference, v) for v in (x, w, h)}
    report = ag.compare(loss, formulas)
    assert report.agree, report
    wrong = ag.compare(loss, {w: 1.01 * formulas[w]})
    assert [row.verdict for row in wrong.rows] == ["odd: formula"]


def test_compare_replays_what_is_read_through_a_mask_from_outside():
    """An older untracked Variable is an operand: a replay computes it anew."""
    x = ag.Variable([1.0, -2.0, 3.0], name="x")
    order = np.argsort(x)
    y = ag.checkpoint(lambda: x[order] * np.arange(3.0))()
    assert any(v is order for v in y.inputs[0].inputs)
    assert ag.compare(np.sum(y * y), {x: ag.gradients(np.sum(y * y), x)}).agree


def test_what_is_detached_inside_stays_so_in_a_replay():
    x = ag.Variable([1.0, 2.0], name="x")
    y = np.sum(ag.checkpoint(lambda x: x.detach() * x)(x))
    np.testing.assert_array_equal(ag.gradients(y, x), [1.0, 2.0])
    assert ag.compare(y, {x: np.array([1.0, 2.0])}).agree


def test_check_grads():
    ag.check_grads(ag.checkpoint(lambda x: np.sum(np.tanh(x) ** 2 * x)), np.array([0.3, -1.0]))


def test_a_picture():
    x, w = leaves()
    loss = np.sum(ag.checkpoint(block)(x, w))
    dot = str(viz.graph(loss).dot)
    assert "checkpoint(block)" in dot
    assert "tanh" not in dot


def test_scopes_inside_are_as_they_were():
    x, seen = ag.Variable(1.0), []

    @ag.checkpoint
    def f(x):
        with ag.scope("inner"):
            y = np.exp(x)
        seen.append(y.scope.path)
        return y

    with ag.scope("outer"):
        y = f(x)
    with ag.scope("elsewhere"):
        y.backward()
        after = np.exp(x)
    assert seen == ["outer/inner", "outer/inner"]
    assert y.inputs[0].scope.path == "outer"
    assert after.scope.path == "elsewhere"


@pytest.mark.parametrize("inside", [False, True])
def test_debugging_changes_nothing(inside):
    x, w = leaves()
    f = ag.checkpoint(ag.debug()(block)) if inside else ag.checkpoint(block)
    expected = [ag.gradients(np.sum(block(block(x, w), w)), v) for v in (x, w)]
    with ag.debug():
        y = np.sum(f(f(x, w), w))
        for create_graph in (False, True):
            slopes = ag.gradients(y, [x, w], create_graph=create_graph)
            for s, e in zip(slopes, expected, strict=True):
                same(getattr(s, "data", s), e)


def test_debugging_inside_alone():
    x = ag.Variable([1.0, 0.0], name="x")

    @ag.checkpoint
    @ag.debug()
    def logs(x):
        return np.log(x)

    with np.errstate(divide="ignore"), pytest.raises(FloatingPointError, match=r"^log: the result"):
        logs(x)
    assert np.exp(x).origin is None


TOO_DEEP = r"^checkpoint\(nested\): Python's stack of \d+ calls was not enough; each checkpoint"


def nested(x, depth):
    """That many checkpoints inside one another."""
    return ag.checkpoint(nested)(x, depth - 1) * 1.0 if depth else np.square(x)


def test_inside_one_another_too_deep_at_once():
    x = ag.Variable(3.0)
    with pytest.raises(RecursionError, match=TOO_DEEP):
        nested(x, sys.getrecursionlimit())
    assert not ag.recomputing()
    nested(x, 20).backward()
    assert x.grad == 6


def test_inside_one_another_too_deep_in_the_sweep():
    """Called from so far down that a hundred calls are left; said once, by the outermost."""
    x = ag.Variable(3.0)
    y = nested(x, 40)

    def backward_from_below(calls):
        return backward_from_below(calls - 1) if calls else y.backward()

    with pytest.raises(RecursionError, match=TOO_DEEP) as caught:
        backward_from_below(sys.getrecursionlimit() - len(inspect.stack(0)) - 100)
    assert len(caught.value.__notes__) == 1
    assert x.grad is None
    assert not ag.recomputing()
    y.backward()
    assert x.grad == 6
