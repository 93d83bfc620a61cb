"""`ag.checkpoint`: what it keeps, and what it does not."""

import gc
import math
import tracemalloc
import weakref

import numpy as np
import pytest

import autograd_lite as ag
from tests.test_recomputing import block, leaves, same

WIDTH = 4096


def peak(n: int, blocks: bool) -> float:
    """The most memory held, in arrays, by forward and backward pass of n operations."""
    size = math.isqrt(n)

    def part(h):
        for _ in range(size):
            h = np.sin(h)
        return h

    whole = ag.checkpoint(part) if blocks else part
    x = ag.Variable(np.full(WIDTH, 0.5))
    gc.collect()
    tracemalloc.start()
    try:
        h = x
        for _ in range(n // size):
            h = whole(h)
        ag.gradients(h, x, np.ones(WIDTH))
        return tracemalloc.get_traced_memory()[1] / (8 * WIDTH)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("n", [100, 400, 1600])
def test_a_chain_in_the_root_of_its_memory(n):
    """√n inputs of blocks, and one block of √n computed again; a tenth more for the records."""
    plain, blocks = peak(n, False), peak(n, True)
    assert n <= plain <= 1.1 * n
    assert blocks <= 2.2 * math.sqrt(n) + 8  # a few beside them within a rule


@pytest.mark.parametrize("finish", ["nothing", "backward", "recorded"])
def test_freed_without_the_cycle_collector(finish):
    gc.collect()
    gc.disable()
    try:
        x, w = leaves()
        f = ag.checkpoint(block)
        h = f(x, w)
        y = np.sum(f(h, w))
        dying = [weakref.ref(v) for v in (h, y, h.inputs[0])] + [weakref.ref(h.data.base)]
        if finish != "nothing":
            slopes = ag.gradients(y, [x, w, h], create_graph=finish == "recorded")
            if finish == "recorded":
                ag.gradients(np.sum(slopes[0]), x)
                dying += [weakref.ref(s) for s in slopes]
            del slopes
        del h, y
        assert [ref() for ref in dying if isinstance(ref(), ag.Variable)] == []
    finally:
        gc.enable()


def test_nothing_inside_is_on_the_tape():
    x, w = leaves()
    before = len(ag.tape())
    y = ag.checkpoint(block)(x, w)
    assert len(ag.tape()) == before + 2, "the call, and the selection of its result"
    ag.gradients(y, x, np.ones(3))
    assert len(ag.tape()) == before + 2


def test_without_recording_it_is_the_function():
    x, w = leaves()
    calls = []

    def f(x):
        calls.append(1)
        return x @ w

    with ag.no_grad():
        y = ag.checkpoint(f)(x)
    assert (y.requires_grad, len(calls)) == (False, 1)
    z = ag.checkpoint(f)(x)
    with ag.no_grad():
        same(ag.gradients(z, x, np.ones(3)), w.data.sum(axis=1))
    assert len(calls) == 3, "once again for all that it read"
