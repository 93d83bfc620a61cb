"""Settings that are no numbers, or out of range: each layer, loss and schedule names its own."""

import re

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn.settings import number, whole_number

X = np.ones((2, 3))
SGD = nn.SGD(ag.Variable(1.0), 0.1)

SIZES = [
    (lambda n: nn.FullyConnected(n, 2, name="fc1"), "fc1: inputs"),
    (lambda n: nn.FullyConnected(2, n), "FullyConnected: outputs"),
    (lambda n: nn.RBF(n, 2), "RBF: inputs"),
    (lambda n: nn.RBF(2, n), "RBF: bumps"),
    (lambda n: nn.RBF(2, 2, n), "RBF: outputs"),
    (lambda n: nn.Embedding(n, 2), "Embedding: entries"),
    (lambda n: nn.Embedding(2, n, name="words"), "words: features"),
    (lambda n: nn.RNN(n, 2), "RNN: inputs"),
    (lambda n: nn.LSTM(2, n, name="lstm1"), "lstm1: units"),
    (lambda n: nn.GRU(2, 2, layers=n), "GRU: layers"),
    (lambda n: nn.BatchNorm(n), "BatchNorm: channels"),
    (lambda n: nn.LayerNorm((2, n)), "LayerNorm: shape"),
    (lambda n: nn.Standardiser(n), "Standardiser: features"),
    (lambda n: nn.ParametricReLU(n), "ParametricReLU: features"),
    (lambda n: nn.Convolution1D(n, 2, 3), "Convolution1D: channels"),
    (lambda n: nn.Convolution2D(2, n, 3), "Convolution2D: outputs"),
    (lambda n: nn.TransposedConvolution2D(2, 2, 3, groups=n), "TransposedConvolution2D: groups"),
    (lambda n: nn.StepDecay(n), "StepDecay: every"),
    (lambda n: nn.CosineDecay(n), "CosineDecay: steps"),
    (lambda n: nn.WarmUp(n), "WarmUp: steps"),
]
# what is made, what it says, and a number that is out of range
NUMBERS = [
    (lambda x: nn.Dropout(x), "Dropout: the rate of dropout must be from 0 up to", 1.0),
    (
        lambda x: nn.LSTM(2, 3, layers=2, dropout=x),
        "LSTM: the rate of dropout must be from 0",
        -0.1,
    ),
    (lambda x: nn.ELU(x), "ELU: alpha must be at least 0", -1),
    (lambda x: nn.LeakyReLU(x), "LeakyReLU: the slope must be a number", np.nan),
    (lambda x: nn.Huber(delta=x), "Huber: delta must be above 0", 0),
    (lambda x: nn.Hinge(margin=x), "Hinge: the margin must be a finite number", np.inf),
    (
        lambda x: nn.CrossEntropyFromLogits(label_smoothing=x),
        "CrossEntropyFromLogits: label_smoothing must be from 0 to 1",
        1.1,
    ),
    (lambda x: nn.BatchNorm(3, epsilon=x), "BatchNorm: epsilon must be above 0, and finite", 0),
    (lambda x: nn.LayerNorm(3, epsilon=x), "LayerNorm: epsilon must be above 0", np.inf),
    (lambda x: nn.BatchNorm(3, momentum=x), "BatchNorm: momentum must be from 0 to 1, or None", 2),
    (lambda x: nn.StepDecay(3, x), "StepDecay: factor must be a positive number", 0),
    (lambda x: nn.ExponentialDecay(x), "ExponentialDecay: factor must be a positive number", -1),
    (lambda x: nn.CosineDecay(3, x), "CosineDecay: least must be from 0 to 1", -0.5),
    (lambda x: nn.WarmUp(3, start=x), "WarmUp: start must be from 0 to 1", 1.5),
    (lambda x: nn.ReduceOnPlateau(SGD, x), "ReduceOnPlateau: factor must be between 0 and 1", 1),
    (lambda x: nn.ReduceOnPlateau(SGD, threshold=x), "ReduceOnPlateau: threshold must be", -1),
    (lambda x: nn.ReduceOnPlateau(SGD, least=x), "ReduceOnPlateau: least must be at least 0", -1),
]


@pytest.mark.parametrize(("make", "asked"), SIZES, ids=[row[1] for row in SIZES])
def test_sizes(make, asked):
    make(np.int64(2))
    for value, kind in [(0, ValueError), (-1, ValueError), (2.0, TypeError), ("2", TypeError)]:
        message = f"{asked} must be a whole number of at least 1, received: {value!r}"
        with pytest.raises(kind, match="^" + re.escape(message)):
            make(value)


@pytest.mark.parametrize(("make", "asked", "wrong"), NUMBERS, ids=[row[1] for row in NUMBERS])
def test_numbers(make, asked, wrong):
    lists = [[0.5, 0.5], np.array([0.5])]
    for value, kind in [(wrong, ValueError), ("a", TypeError), *[(x, TypeError) for x in lists]]:
        with pytest.raises(kind, match=f"^{asked}.*, received: {re.escape(repr(value))}"):
            make(value)


def test_numbers_become_pythons():
    """A NumPy scalar would turn float32 into float64."""
    assert type(whole_number("", "", np.int64(3))) is int
    assert type(number("", "", np.float64(0.5), "", lambda x: x > 0)) is float


def test_an_ignored_index_is_a_label():
    message = "cross_entropy_from_logits: ignored_index must be a label, an integer, received: 1.0"
    with pytest.raises(TypeError, match="^" + re.escape(message)):
        nn.cross_entropy_from_logits(X, [0, 1], ignored_index=1.0)


@pytest.mark.parametrize("loss", [nn.CrossEntropyFromLogits, nn.NegativeLogLikelihood])
def test_losses_of_classes_know_their_settings_when_they_are_made(loss):
    asked = f"^{loss.__name__}: "
    with pytest.raises(TypeError, match=asked + "ignored_index must be a label, an integer, rec"):
        loss(ignored_index=1.0)
    with pytest.raises(ValueError, match=asked + "class weights must be .* received: -2 for class"):
        loss(class_weights=[1, -2, 1])
    with pytest.raises(ValueError, match=asked + ".*; pass one number for each class, shape .clas"):
        loss(class_weights=1.0)


def test_what_is_called_later_can_be_called():
    message = "rnn: the activation must be a function, such as nn.relu, received: str 'tanh'"
    with pytest.raises(TypeError, match="^" + re.escape(message)):
        nn.RNN(2, 3, activation="tanh", name="rnn")
    for make in (nn.FullyConnected, lambda *sizes, **more: nn.Convolution1D(*sizes, 3, **more)):
        with pytest.raises(TypeError, match=r"^layer: expected an initialiser, such as .*'glorot'"):
            make(2, 3, initialiser="glorot", name="layer")


def test_labels_with_nan_are_not_to_be_converted_as_they_are():
    with pytest.raises(TypeError, match=r"fill in the NaN in it, then write labels\.astype\(int\)"):
        nn.cross_entropy_from_logits(X, [np.nan, 0])
