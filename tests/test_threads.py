"""Threads and tasks: numbers are shared, the tape and the recording state are not."""

import asyncio
import contextvars
import sys
import threading
import time
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
    """The threads take turns at every line, so that what can get lost between two lines does."""
    x = ag.Variable(np.zeros(3))
    start = threading.Barrier(4)

    def take_turns(frame, event, arg):
        time.sleep(0)
        return take_turns

    def work():
        start.wait(10)
        sys.settrace(take_turns)
        for _ in range(50):
            np.sum(x).backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert x.grad.tolist() == [200.0] * 3


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


def test_one_graph_swept_by_many_threads_at_once():
    """Each pass adds its gradient once, to leaves and to what is retained; none sees another's."""
    x = ag.Variable(np.array([1.0, 2.0, 3.0]))
    y = np.tanh(x) * x + x[::-1] * 2.0
    loss = np.sum(y * y)
    once = ag.gradients(loss, [x, y])
    start = threading.Barrier(6)

    def sweep():
        start.wait(10)
        found = []
        for _ in range(50):
            loss.backward(retain_grads=True)
            found.append(ag.gradients(loss, x))
        return found

    with ThreadPoolExecutor(6) as pool:
        results = [f.result() for f in [pool.submit(sweep) for _ in range(6)]]
    for result in (g for found in results for g in found):
        np.testing.assert_array_equal(result, once[0])
    # 300 additions of one number, each rounded
    np.testing.assert_allclose(x.grad, 300 * once[0], rtol=1e-13)
    np.testing.assert_allclose(y.grad, 300 * once[1], rtol=1e-13)


def test_forward_in_a_worker_and_every_kind_of_backward_here():
    x = ag.Variable([0.5, 1.5])
    y = in_a_thread(lambda: np.sum(x**3))
    slope = ag.gradients(y, x, create_graph=True)
    assert in_a_thread(lambda: ag.gradients(np.sum(slope), x)).tolist() == [3.0, 9.0]
    in_a_thread(lambda: y.backward(retain_grads=True))
    assert (y.grad, x.grad.tolist()) == (1, [0.75, 6.75])


def test_a_worker_that_dies_leaves_its_results():
    """The thread's tape goes with it, the graph does not."""
    x, made = ag.Variable(2.0), []
    thread = threading.Thread(target=lambda: made.append(x * x * x))
    thread.start()
    thread.join()
    made[0].backward()
    assert x.grad == 12


def test_a_worker_that_fails_disturbs_nobody():
    x = ag.Variable(2.0)

    def failing():
        with ag.no_grad(), ag.scope("worker"):
            raise KeyError("worker")

    def careless():
        ag.Primitive(lambda x: x * 1.0, (lambda g, z, x: 1 / 0,), "careless")(x).backward()

    with ThreadPoolExecutor(1) as pool:
        for work, error in ((failing, KeyError), (careless, ZeroDivisionError)) * 2:
            with pytest.raises(error):
                pool.submit(work).result()
            y = pool.submit(lambda: x * x).result()  # the very same thread
            assert (y.requires_grad, y.scope) == (True, None)
    assert x.grad is None
    y.backward()
    assert x.grad == 4


def test_backward_in_one_task_while_another_computes_without_recording():
    x = ag.Variable(2.0)

    async def learning():
        for _ in range(4):
            y = x * x
            await asyncio.sleep(0)
            assert y.requires_grad
            y.backward()
            await asyncio.sleep(0)

    async def predicting():
        with ag.no_grad():
            for _ in range(4):
                y = x * x
                await asyncio.sleep(0)
                assert not y.requires_grad

    async def all_of_them():
        await asyncio.gather(learning(), predicting(), learning(), predicting())

    asyncio.run(all_of_them())
    assert x.grad == 8 * 4


def test_a_cancelled_task_restores_its_state_and_nobody_elses():
    x = ag.Variable(1.0)

    async def waiting():
        with ag.no_grad(), ag.scope("waiting"):
            await asyncio.sleep(60)

    async def run():
        with ag.scope("outside"):
            task = asyncio.create_task(waiting())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return x * 1.0

    y = asyncio.run(run())
    assert (y.requires_grad, y.scope.path) == (True, "outside")


def test_to_thread_records_in_the_scope_of_the_task_that_asked():
    x = ag.Variable(3.0)

    async def run():
        with ag.scope("asked"):
            y = await asyncio.to_thread(lambda: x * x)
            with ag.no_grad():
                return y, await asyncio.to_thread(lambda: x * x)

    y, silent = asyncio.run(run())
    assert (y.scope.path, silent.requires_grad) == ("asked", False)
    assert ag.gradients(y, x) == 6


def test_recorded_gradients_of_several_threads_add_up():
    x = ag.Variable(np.ones(3))
    losses = [np.sum(x * 1.0) for _ in range(8)]
    threads = [
        threading.Thread(target=loss.backward, kwargs={"create_graph": True}) for loss in losses
    ]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert x.grad.data.tolist() == [8, 8, 8]
