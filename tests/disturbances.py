"""What disturbs a tape: rules that go wrong, and other threads and tasks."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autograd_lite as ag


def fails(error, program):
    """The message; no traceback is kept, for it would keep Variables alive."""
    try:
        program()
    except error as caught:
        return f"{caught} {getattr(caught, '__notes__', '')}"
    pytest.fail(f"{error.__name__} was expected")


def interrupted(*_):
    raise KeyboardInterrupt


# what goes wrong in a rule, the error, and what its message must contain
WRONG_RULES = {
    "raises": (lambda g, z, x: 1 / 0, ZeroDivisionError, "rule of careless"),
    "is interrupted": (interrupted, KeyboardInterrupt, ""),
    "a shape that is wrong": (lambda g, z, x: np.ones((3, 5)), ag.errors.RuleError, "careless"),
    "three gradients": (lambda g, z, x: (g, g, g), ag.errors.RuleError, "careless"),
    "two gradients": (lambda g, z, x: (g, g), ag.errors.RuleError, "careless"),
    "nothing": (lambda g, z, x: None, ag.errors.RuleError, "careless"),
}


def in_a_worker(program):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(program).result()


def beside_a_silent_thread(program):
    """Here, while another thread is in a no_grad block; afterwards that thread records again."""
    entered, leave = threading.Event(), threading.Event()

    def silent():
        x = ag.Variable(1.0)
        with ag.no_grad(), ag.scope("elsewhere"):
            entered.set()
            leave.wait(10)
        (x * 2.0).backward()

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(silent)
        try:
            assert entered.wait(10)
            return program()
        finally:
            leave.set()
            other.result()


def in_a_task(program):
    """In one of three tasks, while the others are in no_grad blocks."""

    async def quiet():
        with ag.no_grad(), ag.scope("quiet"):
            await asyncio.sleep(0)

    async def task():
        await asyncio.sleep(0)
        return program()

    async def together():
        return (await asyncio.gather(quiet(), task(), quiet()))[1]

    return asyncio.run(together())


WAYS = {
    "here": lambda program: program(),
    "in a worker": in_a_worker,
    "beside a silent thread": beside_a_silent_thread,
    "in a task": in_a_task,
}
