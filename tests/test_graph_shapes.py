"""Graphs of extreme shape cost what their entries cost: counted, never timed.

Deep ones, and that every graph is freed without the cycle collector: tests/test_memory.py.
"""

import cProfile
import gc
import pstats
import sys
import tracemalloc
import weakref

import numpy as np
import pytest

import autograd_lite as ag


@pytest.fixture
def without_collector():
    """No cycle collector: what dies here, dies by reference counting alone."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def work(run) -> int:
    """How many lines of Python run, inside loops and comprehensions, too: work, without a clock.

    A loop over n things for each of n things shows here, however cheap its body is.
    """
    lines = 0

    def count(frame, event, arg):
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        run()
    finally:
        sys.settrace(before)
    return lines


def calls(run) -> int:
    """How many functions are called, those written in C included."""
    profile = cProfile.Profile()
    profile.runcall(run)
    return pstats.Stats(profile).total_calls


def peak(run) -> int:
    """The most memory held at once, in bytes, beyond what was held before."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# --- wide ----------------------------------------------------------------------------------------


def uses(x, n):
    return [x * float(i) for i in range(n)]


def readings(x, n):
    return [x[i % 3] for i in range(n)]


def repeated_readings(x, n):
    return [np.sum(x[[0, i % 3, 0]]) for i in range(n)]


def unpacked(x, n):
    wide = np.repeat(x, n)
    return list(wide)


def parts_of_one_operation(x, n):
    return ag.Primitive(
        lambda x: tuple(np.array(x[i % 3]) for i in range(n)),
        (lambda g, z, x: x * sum(g),),
        "parts",
    )(x)


def masked(x, n):
    return [np.sum(x[x > float(i)]) for i in range(n)]


def joined(x, n):
    return [np.concatenate([x[i % 3 : i % 3 + 1] for i in range(n)])]


def stacked(x, n):
    return [np.stack(uses(x, n))]


def leaves_joined(x, n):
    return [np.concatenate([ag.Variable([1.0]) for _ in range(n)])]


WIDE = [uses, readings, repeated_readings, unpacked, parts_of_one_operation, masked]
WIDE += [joined, stacked, leaves_joined]


def total(parts):
    """Two entries per part, whatever their shapes: a chain of sums."""
    result = np.sum(parts[0])
    for part in parts[1:]:
        result = result + np.sum(part)
    return result


def steps(make, n):
    """The stages of a program with n outputs on one Variable, each to be run once, in order."""
    x = ag.Variable([0.5, 1.5, 2.5])
    made = {}

    def forward():
        made["y"] = total(make(x, n))

    def plain():
        made["y"].backward()

    def recorded():
        made["slope"] = np.sum(ag.gradients(made["y"], x, create_graph=True) ** 2)

    def second():
        ag.gradients(made["slope"], x)

    def free():
        made.clear()

    return {
        "forward": forward,
        "backward": plain,
        "recorded": recorded,
        "second": second,
        "free": free,
    }


@pytest.mark.parametrize("measure", [work, calls, peak], ids=["lines", "calls", "memory"])
@pytest.mark.parametrize("make", WIDE, ids=lambda make: make.__name__)
def test_outputs_on_one_node_cost_in_proportion(make, measure, without_collector):
    """Four times the outputs, four times the work at most: what is quadratic takes sixteen times.

    A constant part makes it less than four; lists that grow by doubling may hold a quarter more.
    """
    few, many = (
        {stage: measure(run) for stage, run in steps(make, n).items()} for n in (250, 1000)
    )
    for stage in few:
        assert many[stage] <= 5 * few[stage] + 1000, stage


def test_4000_outputs_on_one_node():
    """Every rule runs once: counted at 1000 and at 4000."""

    def rule_calls(n):
        seen = []

        def rule(g, z, x):
            seen.append(1)
            return g * 2

        double = ag.Primitive(lambda x: 2 * x, (rule,), "double")
        x = ag.Variable([0.5, 1.5, 2.5])
        hub = double(x)
        total([double(hub) for _ in range(n)]).backward()
        assert x.grad.tolist() == [4 * n] * 3
        return len(seen)

    assert [rule_calls(n) for n in (1000, 4000)] == [1001, 4001]


def test_4000_results_of_one_operation():
    """One rule call for all of them, and each gets the cotangent of its own."""
    seen = []

    def rule(g, z, x):
        seen.append(len(g))
        return np.array(g)

    n = 4000
    apart = ag.Primitive(lambda x: tuple(np.array(entry) for entry in x), (rule,), "apart")
    x = ag.Variable(np.ones(n))
    total([part * float(i) for i, part in enumerate(apart(x))]).backward()
    assert seen == [n]
    assert np.array_equal(x.grad, np.arange(n))


def test_one_result_of_many_costs_no_other_sums():
    """The results that nobody used get zeros: one array each, nothing larger."""
    apart = ag.Primitive(
        lambda x: tuple(np.array(row) for row in x), (lambda g, z, x: np.stack(g),), "apart"
    )
    x = ag.Variable(np.ones((100, 1000)))
    y = np.sum(apart(x)[7])
    assert peak(y.backward) < 4 * x.data.nbytes
    assert x.grad.sum() == x.grad[7].sum() == 1000


# --- doubled -------------------------------------------------------------------------------------


def doubling():
    seen = []

    def rule(g, z, x, y):
        seen.append(1)
        return 1 * g

    return ag.Primitive(lambda x, y: x + y, (rule, rule), "sum of two"), seen


@pytest.mark.parametrize("finish", ["backward", "retained", "gradients", "recorded"])
def test_60_doublings_visit_60_entries(finish):
    """x = x + x: 2⁶⁰ paths, and each of the two rules of the 60 entries runs once."""
    add, seen = doubling()
    x = y = ag.Variable([1.0, 3.0])
    for _ in range(60):
        y = add(y, y)
    g = np.array([1.0, 2.0])
    if finish in ("backward", "retained"):
        y.backward(g, retain_grads=finish == "retained")
        result = x.grad
    else:
        result = np.array(ag.gradients(y, x, g, create_graph=finish == "recorded").data)
    assert len(seen) == 120
    assert result.tolist() == [2.0**60, 2.0**61]


def test_squares_of_squares_in_second_order_visit_each_entry_once():
    """x^(2¹⁰) by ten squarings; its recorded gradient is a graph of the same kind."""
    seen = []

    def rule(g, z, x):
        seen.append(1)
        return g * (2 * x)

    square = ag.Primitive(lambda x: x * x, (rule,), "squared")
    x = y = ag.Variable(1.0)
    for _ in range(10):
        y = square(y)
    slope = ag.gradients(y, x, create_graph=True)
    assert (slope.item(), len(seen)) == (2.0**10, 10)
    assert ag.gradients(slope, x) == 2.0**10 * (2.0**10 - 1)
    # once more each, but for the last squaring, on whose result no slope depends; the rest of the
    # recorded graph is NumPy's
    assert len(seen) == 10 + 9


# --- deep ----------------------------------------------------------------------------------------


halves = ag.Primitive(lambda x: (x * 1.0, -x), (lambda g, z, x: g[0] - g[1],), "halves")

LINKS = {
    "two operands": lambda y, x: y + x,
    "readings": lambda y, x: y[::-1],
    "several results": lambda y, x: halves(y)[0],
    "joined": lambda y, x: np.concatenate([y[:1], y[1:]]),
    "masks": lambda y, x: np.where(y > 9.0, x, y),
    "detached": lambda y, x: y * y.detach() ** 0.0,
}


@pytest.mark.parametrize("kind", LINKS)
def test_depth_is_no_limit_for_any_kind_of_entry(kind, without_collector):
    """Ten times the recursion limit; freed at once, down to the first."""
    limit = sys.getrecursionlimit()
    x = ag.Variable([1.0, 2.0])
    y = x * 1.0
    first = weakref.ref(y)
    for _ in range(10 * limit):
        y = LINKS[kind](y, x)
    y.backward(np.ones(2))
    assert x.grad.tolist() == [1 + 10 * limit * (kind == "two operands")] * 2
    assert first() is not None
    del y
    assert first() is None
    assert sys.getrecursionlimit() == limit
