"""The same program gives the same bits: whatever hashes, addresses, garbage collection, threads."""

import gc
import hashlib
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import autograd_lite as ag
import nn

ROOT = Path(__file__).parents[1]


def program() -> str:
    """A digest of a network's training steps, of second orders and of many-piece readings.

    Sums of floating-point numbers depend on their order, so that any other order of visiting,
    merging or accumulating would show in the last bits of some of these thousands of numbers.
    """
    rng = np.random.default_rng(0)
    digest = hashlib.sha256()

    def note(*arrays):
        for array in arrays:
            digest.update(np.ascontiguousarray(array).tobytes())

    # training: a network, minibatches, an optimiser
    inputs, labels = rng.normal(size=(48, 5)), rng.integers(0, 3, 48)
    network = nn.Network(
        nn.FullyConnected(5, 16, rng),
        nn.Tanh(),
        nn.FullyConnected(16, 3, rng),
        loss=nn.cross_entropy_from_logits,
    )
    parameters = [parameter for _, parameter in network.named_parameters()]
    optimiser = nn.SGD(parameters, learning_rate=0.1)
    for batch in np.split(rng.permutation(48), 3):
        for v in parameters:
            v.zero_grad()
        nn.cross_entropy_from_logits(network(inputs[batch]), labels[batch]).backward()
        optimiser.step()
        note(*[v.grad for v in parameters], *[v.data for v in parameters])

    # one graph in which everything is used many times, in whole and in parts
    weights = {name: ag.Variable(rng.normal(size=(6, 6)), name=name) for name in "abcdefgh"}
    h = rng.normal(size=(5, 6))
    for w in weights.values():
        mask = h > 0.3
        parts = [w[i] * float(i) + w[[0, i, 0]].sum(axis=0) + w[:, i] for i in range(6)]
        mixed = np.stack(parts) + sum(parts[::-1]) * 0.1 + ag.put(w, (slice(None), 2), parts[3])
        h = np.tanh(h @ mixed / 7) + np.where(mask, h, 0.1 * h) + h[:, :1] * np.max(w, axis=0)
        h = h + np.linalg.qr(w.T @ w + np.eye(6))[1][:5]
    loss = np.sum(h * h) + sum(np.mean(w) for w in weights.values())
    leaves = list(weights.values())
    first = ag.gradients(loss, leaves, create_graph=True)
    second = ag.gradients(sum(np.sum(g * g) for g in first), leaves)
    for _ in range(2):
        loss.backward(retain_grads=True)
    note(loss.data, h.grad, *[g.data for g in first], *second, *[w.grad for w in leaves])
    return digest.hexdigest()


@pytest.fixture(scope="module")
def expected():
    return program()


@pytest.fixture
def collector():
    """The settings of the garbage collector are put back."""
    before, enabled = gc.get_threshold(), gc.isenabled()
    yield
    gc.set_threshold(*before)
    (gc.enable if enabled else gc.disable)()


def test_once_more(expected):
    assert program() == expected


@pytest.mark.parametrize("seed", ["0", "1", "random"])
def test_whatever_the_hash_seed(seed, expected):
    """In a process of its own; addresses differ, too, where the system randomises them."""
    run = subprocess.run(
        [sys.executable, "-c", "from tests.test_determinism import program; print(program())"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == expected


@pytest.mark.parametrize("setting", ["at every chance", "often", "never"])
def test_whenever_garbage_is_collected(setting, expected, collector):
    if setting == "never":
        gc.disable()
    else:
        gc.set_threshold(*{"at every chance": (1, 1, 1000), "often": (100, 2, 1000)}[setting])
    assert program() == expected


@pytest.mark.parametrize("count", [1, 2, 8])
def test_in_any_number_of_threads_at_once(count, expected):
    with ThreadPoolExecutor(count) as pool:
        runs = [pool.submit(program) for _ in range(count)]
    assert [run.result() for run in runs] == [expected] * count


def test_whatever_the_addresses_and_numbers(expected):
    """Objects of many sizes, kept and dropped at random, move what comes after them in memory."""
    rng = random.Random(0)
    kept = [bytearray(rng.randrange(1, 4000)) for _ in range(5_000)]
    kept += [ag.Variable(np.zeros(rng.randrange(1, 30))) for _ in range(500)]
    rng.shuffle(kept)
    del kept[::2]
    assert program() == expected


def test_while_other_threads_record_and_collect(expected):
    """Numbers in between are taken by others, and cycles are collected at any moment."""
    stop = []

    def noise():
        x, leftovers = ag.Variable(np.ones(3)), []
        while not stop:
            y = np.sum(np.sin(x) * x)
            y.backward(retain_grads=True)
            leftovers = [leftovers, y]  # a chain that dies now and then, at any moment
            if len(ag.tape()) > 60:
                leftovers = []
                gc.collect(0)
        return True

    with ThreadPoolExecutor(2) as pool:
        others = [pool.submit(noise) for _ in range(2)]
        try:
            result = program()
        finally:
            stop.append(True)
    assert [other.result() for other in others] == [True, True]
    assert result == expected
