"""Threads and tasks: numbers are shared, the tape and the recording state are not."""

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autograd_lite as ag


def in_a_thread(function):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


def test_forward_in_a_worker_and_backward_here():
    x = ag.Variable([1.0, 2.0])
    y = in_a_thread(lambda: np.exp(x) * x)
    z = np.sum(y * x)
    z.backward()
    np.testing.assert_allclose(x.grad, np.exp(x.data) * (x.data**2 + 2 * x.data), rtol=1e-15)


def test_forward_here_and_backward_in_a_worker():
    x = ag.Variable(3.0)
    y = x * x
    in_a_thread(y.backward)
    assert x.grad == 6


def test_parts_of_one_graph_from_many_workers():
    x = ag.Variable(2.0)
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda k: x ** float(k), range(3, 35)))
    total = sum(parts)
    total.backward()
    assert x.grad == sum(k * 2.0 ** (k - 1) for k in range(3, 35))


def test_numbers_are_unique_across_threads():
    x = ag.Variable(1.0)
    start = threading.Barrier(4)

    def work():
        start.wait()
        return [(x * 1.0).number for _ in range(2_000)]

    with ThreadPoolExecutor(4) as pool:
        runs = [f.result() for f in [pool.submit(work) for _ in range(4)]]
    numbers = [n for run in runs for n in run]
    assert len(set(numbers)) == len(numbers)
    assert all(run == sorted(run) for run in runs)


def test_each_thread_has_a_tape_of_its_own():
    x = ag.Variable(1.0)
    here = x * 1.0

    def work():
        there = x * 2.0
        return there, list(ag.tape())

    there, tape = in_a_thread(work)
    assert [v is there for v in tape] == [True]
    assert not any(v is there for v in ag.tape())
    assert any(v is here for v in ag.tape())


def test_recording_state_is_per_thread():
    x = ag.Variable(1.0)

    def look():
        y = x * 1.0
        return y.requires_grad, y.scope

    with ag.no_grad(), ag.scope("here"):
        assert in_a_thread(look) == (True, None)
        assert not (x * 1.0).requires_grad

    entered, done = threading.Event(), threading.Event()

    def hold():
        with ag.no_grad(), ag.scope("there"):
            entered.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert entered.wait(10)
        assert look() == (True, None)
    finally:
        done.set()
        thread.join()


def test_recording_state_is_per_task():
    x = ag.Variable(1.0)

    async def quiet():
        with ag.no_grad(), ag.scope("quiet"):
            for _ in range(3):
                await asyncio.sleep(0)
                assert not (x * 1.0).requires_grad

    async def loud():
        with ag.scope("loud"):
            for _ in range(3):
                await asyncio.sleep(0)
                y = x * 1.0
                assert y.requires_grad
                assert y.scope.path == "loud"

    async def both():
        await asyncio.gather(quiet(), loud(), quiet(), loud())

    asyncio.run(both())
    assert (x * 1.0).scope is None


def test_state_follows_a_copied_context():
    """What asyncio.to_thread does: the worker continues in the caller's state."""
    x = ag.Variable(1.0)
    with ag.scope("outer"), ag.no_grad():
        context = contextvars.copy_context()
    assert not in_a_thread(lambda: context.run(lambda: x * 1.0)).requires_grad


def test_state_is_restored_when_a_task_fails():
    x = ag.Variable(1.0)

    async def failing():
        with ag.no_grad(), ag.scope("failing"):
            await asyncio.sleep(0)
            raise KeyError

    async def run():
        with pytest.raises(KeyError):
            await failing()
        return x * 1.0

    y = asyncio.run(run())
    assert y.requires_grad
    assert y.scope is None


def test_one_decorator_shared_by_threads():
    @ag.no_grad()
    def forward(x):
        start.wait(10)
        return x * 2.0

    start = threading.Barrier(4)
    x = ag.Variable(1.0)
    with ThreadPoolExecutor(4) as pool:
        results = [f.result() for f in [pool.submit(forward, x) for _ in range(4)]]
    assert [y.requires_grad for y in results] == [False] * 4
    assert (x * 1.0).requires_grad


def test_a_leaf_shared_by_threads_gets_every_gradient():
    x = ag.Variable(np.zeros(3))

    def work():
        for _ in range(200):
            np.sum(x).backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert x.grad.tolist() == [800.0] * 3


def test_one_no_grad_object_serves_overlapping_tasks():
    quiet = ag.no_grad()
    x = ag.Variable(1.0)

    async def task(first, second):
        with quiet:
            await asyncio.sleep(first)
            assert not (x * 2).requires_grad
            await asyncio.sleep(second)
        return (x * 2).requires_grad

    async def both():
        return await asyncio.gather(task(0.01, 0.03), task(0.02, 0.001))

    assert asyncio.run(both()) == [True, True]
