"""The main job: lecture 1's network learns to read handwritten digits, and shows its gradients.

    python -m tutorials.digits

It trains fully connected → sigmoid → fully connected → softmax → cross entropy on scikit-learn's
1797 real digits; holds every δX, ∂W and ∂bias of one batch against lecture 1's cheat sheets and
against finite differences; and draws the graph of one forward pass and the loss curve.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import autograd_lite as ag
import nn
import viz
from nn import cheat_sheets

HIDDEN, EPOCHS, BATCH, LEARNING_RATE = 64, 60, 32, 0.5
COMPARED = 32  # samples in the batch that is compared


class Digits(NamedTuple):
    """Standardised 8×8 images as rows of 64 numbers, and labels 0 to 9."""

    X_train: np.ndarray
    X_test: np.ndarray
    y_train: np.ndarray
    y_test: np.ndarray


def load() -> Digits:
    """The digits, split 70/30 with equal shares of each class; scaled as the training part asks."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.3, stratify=y, random_state=0
    )
    scaler = StandardScaler().fit(X_train)
    return Digits(scaler.transform(X_train), scaler.transform(X_test), y_train, y_test)


def build(rng: np.random.Generator) -> nn.Network:
    """Lecture 1's shape of network, for 64 pixels and 10 classes."""
    return nn.Network(
        nn.FullyConnected(64, HIDDEN, rng),
        nn.Sigmoid(),
        nn.FullyConnected(HIDDEN, 10, rng),
        nn.Softmax(),
        loss=nn.CrossEntropy(),
    )


class Pass(NamedTuple):
    """One recorded forward pass, with lecture 1's letters: a → b → c → d → e → L."""

    a: ag.Variable
    b: ag.Variable
    c: ag.Variable
    d: ag.Variable
    e: ag.Variable
    L: ag.Variable


def forward(network: nn.Network, X: np.ndarray, T: np.ndarray) -> Pass:
    """Run the network layer by layer, keeping what the lecture gives a letter."""
    a = ag.Variable(X, name="a")
    passed = [a]
    for layer, letter in zip(network.layers, "bcde", strict=True):
        passed.append(layer(passed[-1]))
        passed[-1].name = letter
    L = network.loss(passed[-1], T)
    L.name = "L"
    return Pass(*passed, L)


def by_hand(network: nn.Network, p: Pass, T: np.ndarray) -> dict[ag.Variable, np.ndarray]:
    """Every gradient of the pass, from the cheat sheets alone."""
    fc1, _, fc2, _ = network.layers
    a, b, c, d, e = (v.data for v in p[:5])
    first = cheat_sheets.FullyConnected(fc1.weight.data, fc1.bias.data)
    second = cheat_sheets.FullyConnected(fc2.weight.data, fc2.bias.data)
    de = cheat_sheets.CrossEntropy().backward(e, T, 1 / len(T))  # the mean over the batch
    dd = cheat_sheets.Softmax().backward(d, de)
    dW2, dbias2 = second.update(c, dd)
    dc = second.backward(c, dd)
    db = cheat_sheets.Sigmoid().backward(b, dc)
    dW1, dbias1 = first.update(a, db)
    da = first.backward(a, db)
    return {
        p.a: da,
        fc1.weight: dW1,
        fc1.bias: dbias1,
        p.b: db,
        p.c: dc,
        fc2.weight: dW2,
        fc2.bias: dbias2,
        p.d: dd,
        p.e: de,
    }


def draw_losses(network: nn.Network, path: Path) -> None:
    """The loss of every epoch, on a logarithmic scale."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.semilogy(range(1, len(network.loss_history) + 1), network.loss_history, linewidth=2)
    axes.set(xlabel="epoch", ylabel="cross entropy, mean over the epoch", title="Digits: training")
    axes.grid(alpha=0.3)
    FigureCanvasAgg(figure).print_png(str(path))


def main(arguments: list[str] | None = None) -> None:
    """Train, compare, draw, and say where things are."""
    parser = argparse.ArgumentParser(prog="python -m tutorials.digits", description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=Path(), help="folder for the two pictures (default: here)"
    )
    output: Path = parser.parse_args(arguments).output
    output.mkdir(parents=True, exist_ok=True)

    digits = load()
    rng = np.random.default_rng(0)
    network = build(rng)
    start = time.perf_counter()
    network.fit(
        digits.X_train,
        digits.y_train,
        epochs=EPOCHS,
        batch_size=BATCH,
        learning_rate=LEARNING_RATE,
        rng=rng,
    )
    seconds = time.perf_counter() - start
    test = network.evaluate(digits.X_test, digits.y_test)
    print(
        f"trained on {len(digits.X_train)} digits in {seconds:.1f} s; "
        f"accuracy on {len(digits.X_test)} unseen ones: {test.accuracy:.4f}\n"
    )
    assert test.accuracy is not None
    assert test.accuracy >= 0.965

    X, T = digits.X_train[:COMPARED], np.eye(10)[digits.y_train[:COMPARED]]
    one_pass = forward(network, X, T)
    report = ag.compare(one_pass.L, by_hand(network, one_pass, T))
    print(f"every gradient of a batch of {COMPARED}: tape, cheat sheet, finite difference")
    print("(largest absolute difference over largest absolute value)\n")
    print(report)
    assert report.agree
    assert all(row.tape_formula <= 1e-12 for row in report.rows)
    assert all(row.tape_numeric <= 1e-6 for row in report.rows)

    one_pass.L.backward(retain_grads=True)
    graph, curve = output / "digits_graph.png", output / "digits_loss.png"
    viz.graph(one_pass.L).save(graph)
    draw_losses(network, curve)
    print(f"\nthe graph of one forward pass: {graph.resolve()}")
    print(f"the loss curve:                {curve.resolve()}")


if __name__ == "__main__":
    main()
