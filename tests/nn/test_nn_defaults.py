"""Defaults: the documented numbers, in what is computed when nothing is said."""

import inspect
import math
import re

import numpy as np
import pytest

import autograd_lite as ag
import nn

# --- optimisers: two steps by hand, from θ = 1, and one with a gradient of the size of ε ----------

# name → optimiser, where it is after the gradients 2 and −1
TWO_STEPS = {
    # no momentum, no decay: 1 − ½·2, and + ½
    "SGD": (lambda x: nn.SGD(x, 0.5), [0.0, 0.5]),
    # η = 0.01: 2/√4, and then 1/√5
    "Adagrad": (lambda x: nn.Adagrad(x), [0.99, 0.99 + 0.01 / math.sqrt(5)]),
    # η = 0.001, ρ = 0.9 (Hinton): r = 0.1·4, and then 0.9·0.4 + 0.1
    "RMSProp": (
        lambda x: nn.RMSProp(x),
        [1 - 0.002 / math.sqrt(0.4), 1 - 0.002 / math.sqrt(0.4) + 0.001 / math.sqrt(0.46)],
    ),
    # α = 0.001, β₁ = 0.9, β₂ = 0.999 (Kingma and Ba, algorithm 1): m̂ = 2, v̂ = 4, and then
    # m̂ = (0.9·0.2 − 0.1) / (1 − 0.81), v̂ = (0.999·0.004 + 0.001) / (1 − 0.998001)
    "Adam": (
        lambda x: nn.Adam(x),
        [0.999, 0.999 - 0.001 * (0.08 / 0.19) / math.sqrt(0.004996 / 0.001999)],
    ),
    # the same behind θ ← θ·(1 − α·0.01)
    "AdamW": (
        lambda x: nn.AdamW(x),
        [
            0.99999 - 0.001,
            0.99899 * 0.99999 - 0.001 * (0.08 / 0.19) / math.sqrt(0.004996 / 0.001999),
        ],
    ),
}
# name → optimiser, gradient, and the step that it makes
SMALL = {
    "Adagrad": (nn.Adagrad, 1e-10, 0.01 / 2),  # ε = 1e-10, as PyTorch: g / (g + ε)
    "RMSProp": (nn.RMSProp, 1e-8, 0.001 / (math.sqrt(0.1) + 1)),  # ε = 1e-8: g / (√0.1·g + ε)
    "Adam": (nn.Adam, 1e-8, 0.001 / 2),  # ε = 1e-8, as the paper
    "AdamW": (nn.AdamW, 1e-8, 0.001 / 2 + 1e-5),
}


@pytest.mark.parametrize("name", TWO_STEPS)
def test_two_steps(name):
    make, expected = TWO_STEPS[name]
    x = ag.Variable(1.0)
    optimiser, places = make([x]), []
    for g in (2.0, -1.0):
        x.grad = np.array(g)
        optimiser.step()
        places.append(x.item())
    np.testing.assert_allclose(places, expected, rtol=0, atol=1e-10)  # ε, on steps of 1e-3


@pytest.mark.parametrize("name", SMALL)
def test_a_gradient_of_the_size_of_epsilon(name):
    make, g, expected = SMALL[name]
    x = ag.Variable(1.0)
    x.grad = np.array(g)
    make([x]).step()
    assert 1 - x.item() == pytest.approx(expected, rel=1e-9)


# --- schedules ------------------------------------------------------------------------------------


def test_shapes_of_schedules():
    assert nn.StepDecay(3)(5) == 0.1
    assert nn.CosineDecay(4)(4) == 0
    assert nn.WarmUp(3)(0) == 0.25  # 1 / (steps + 1)
    assert nn.WarmUp(3)(7) == 1


def rates(losses, **settings):
    sgd = nn.SGD(ag.Variable(1.0), 1.0)
    plateau = nn.ReduceOnPlateau(sgd, **settings)
    found = []
    for loss in losses:
        plateau.step(loss)
        found.append(sgd.learning_rate)
    return found


def test_plateau_waits_ten_times_then_takes_a_tenth():
    """And counts again at once, down to any rate: no cooldown, no least."""
    found = rates([1.0] * (1 + 11 + 11))
    assert found[:11] == [1.0] * 11
    assert found[11:22] == [0.1] * 11
    assert found[22] == pytest.approx(0.01)


@pytest.mark.parametrize(("share", "counts"), [(0.9e-4, False), (1.1e-4, True)])
@pytest.mark.parametrize("size", [1.0, 1e3])
def test_plateau_takes_no_notice_of_less_than_a_ten_thousandth(share, counts, size):
    """Of the best: it is a share, not a difference."""
    losses = [size] + [size * (1 - share)] + [size] * 10
    assert rates(losses) == [1.0] * 11 + [1.0 if counts else 0.1]


# --- layers and functions: a value that is another with another default ---------------------------

X = np.array([[-2.0, 1.0], [3.0, -4.0]])
IMAGE = np.arange(2.0 * 1 * 4 * 4).reshape(2, 1, 4, 4)
RNG = lambda: np.random.default_rng(0)


def batch_norm_after_one_batch():
    layer = nn.BatchNorm(1)
    layer(np.array([[0.0], [2.0]]))
    return [layer.running_mean.item(), layer.running_variance.item()]


def within(limit, drawn):
    """The bound of many uniform numbers, to a hundredth."""
    return round(float(np.abs(drawn).max()) / limit, 2)


# what is computed, and what it is by hand
VALUES = [
    ("leaky_relu: slope 0.01", lambda: nn.leaky_relu(-2.0), -0.02),
    ("LeakyReLU: slope 0.01", lambda: nn.LeakyReLU()(-2.0), -0.02),
    ("ParametricReLU: β = 0.25", lambda: nn.ParametricReLU()(-2.0), -0.5),
    ("elu: α = 1", lambda: nn.elu(-2.0), math.exp(-2) - 1),
    ("ELU: α = 1", lambda: nn.ELU()(-2.0), math.exp(-2) - 1),
    ("swish: β = 1", lambda: nn.swish(2.0), 2 / (1 + math.exp(-2))),
    ("Swish: β = 1", lambda: nn.Swish()(2.0), 2 / (1 + math.exp(-2))),
    ("softmax: last axis", lambda: nn.softmax(X).sum(axis=1), [1, 1]),
    ("Softmax: last axis", lambda: nn.Softmax()(X).sum(axis=1), [1, 1]),
    ("log_softmax: last axis", lambda: np.exp(nn.log_softmax(X)).sum(axis=1), [1, 1]),
    ("LogSoftmax: last axis", lambda: np.exp(nn.LogSoftmax()(X)).sum(axis=1), [1, 1]),
    ("logsumexp: last axis", lambda: nn.logsumexp(np.zeros((3, 2))), [math.log(2)] * 3),
    ("l1_normalisation: last axis", lambda: nn.l1_normalisation(X)[1], [3 / 7, -4 / 7]),
    ("L1Normalisation: last axis", lambda: nn.L1Normalisation()(X)[1], [3 / 7, -4 / 7]),
    ("l2_normalisation: last axis", lambda: nn.l2_normalisation(X)[1], [0.6, -0.8]),
    ("L2Normalisation: last axis", lambda: nn.L2Normalisation()(X)[1], [0.6, -0.8]),
    ("BatchNorm: momentum 0.1", batch_norm_after_one_batch, [0.1, 0.9 + 0.1 * 2]),
    # a deviation of 0.001 beside ε = 1e-5
    (
        "BatchNorm: ε = 1e-5",
        lambda: nn.BatchNorm(1)(np.array([[0.0], [0.002]]))[1],
        [1e-3 / math.sqrt(1.1e-5)],
    ),
    ("LayerNorm: ε = 1e-5", lambda: nn.LayerNorm(2)([0, 0.002])[1], 1e-3 / math.sqrt(1.1e-5)),
    ("BatchNorm: axis 1", lambda: nn.BatchNorm(1)(IMAGE).data.mean(), 0),
    ("Dropout: rate 0.5", lambda: np.unique(nn.Dropout(rng=RNG())(np.ones(50))), [0, 2]),
    ("huber: δ = 1", lambda: nn.huber([3.0], [0.0]), 2.5),
    ("Huber: δ = 1", lambda: nn.Huber()([3.0], [0.0]), 2.5),
    ("hinge: margin 1", lambda: nn.hinge([2.0, 1.5, 0.0], 0), 0.5),
    ("Hinge: margin 1", lambda: nn.Hinge()([2.0, 1.5, 0.0], 0), 0.5),
    (
        "cross_entropy_from_logits: no smoothing, no weights, the mean",
        lambda: nn.cross_entropy_from_logits([[0.0, 0.0], [0.0, math.log(3)]], [0, 1]),
        (math.log(2) + math.log(4 / 3)) / 2,
    ),
    ("max_pool: stride is size, no padding", lambda: nn.max_pool(IMAGE, 2)[0, 0, 1], [13, 15]),
    ("MaxPool: the same", lambda: nn.MaxPool(2)(IMAGE)[0, 0, 1], [13, 15]),
    ("average_pool: the same", lambda: nn.average_pool(IMAGE, 2)[0, 0, 1], [10.5, 12.5]),
    ("AveragePool: the same", lambda: nn.AveragePool(2)(IMAGE)[0, 0, 1], [10.5, 12.5]),
    (
        "average_pool: padding does not count",
        lambda: nn.average_pool(np.ones((1, 1, 4)), 3, padding=1),
        [[[1, 1]]],
    ),
    (
        "AveragePool: padding does not count",
        lambda: nn.AveragePool(3, padding=1)(np.ones((1, 1, 4))),
        [[[1, 1]]],
    ),
    (
        "convolution: stride 1, no padding",
        lambda: nn.convolution([[[1.0, 2, 4]]], np.array([[[-1.0, 1]]])),
        [[[1, 2]]],
    ),
    (
        "transposed_convolution: stride 1, no padding, none behind",
        lambda: nn.transposed_convolution([[[1.0, 10]]], np.array([[[1.0, 2]]])),
        [[[1, 12, 20]]],
    ),
    ("Convolution1D: bias, from 0 on", lambda: nn.Convolution1D(1, 2, 3).bias, [0, 0]),
    ("TransposedConvolution2D: likewise", lambda: nn.TransposedConvolution2D(1, 2, 3).bias, [0, 0]),
    ("FullyConnected: bias, from 0 on", lambda: nn.FullyConnected(3, 2).bias, [0, 0]),
    # Glorot and Bengio, equation 16
    (
        "FullyConnected: between ±√(6 / (inputs + outputs))",
        lambda: within(math.sqrt(6 / 150), nn.FullyConnected(100, 50, RNG()).weight.data),
        1,
    ),
    (
        "Convolution2D: between ±√(6 / ((channels + outputs)·size))",
        lambda: within(math.sqrt(6 / (30 * 9)), nn.Convolution2D(20, 10, 3, RNG()).weight.data),
        1,
    ),
    (
        "RNN: between ±1/√units",
        lambda: within(0.1, nn.RNN(20, 100, RNG()).directions[0].state_weight.data),
        1,
    ),
    ("RNN: tanh", lambda: abs(nn.RNN(1, 1, RNG())(np.full((1, 1, 1), 1e9))[0].item()), 1),
    ("LSTM: forget gate from 1 on", lambda: nn.LSTM(2, 3).directions[0].bias.data[1], [1, 1, 1]),
    (
        "GRU: batch first, one way, one layer",
        lambda: nn.GRU(2, 3)(np.ones((5, 7, 2)))[0].shape,
        (5, 7, 3),
    ),
    ("Embedding: deviation 1", lambda: round(nn.Embedding(100, 99, RNG()).weight.data.std(), 2), 1),
    ("RBF: β = 1, one output", lambda: nn.RBF(2, 3).beta, [1, 1, 1]),
    ("RBF: one output", lambda: nn.RBF(2, 3).weight.shape, (3, 1)),
    ("CosinePlusPi: θ = 1", lambda: nn.CosinePlusPi()(2.0), math.cos(2) + math.pi),
    ("Parallel: the sum", lambda: nn.Parallel(nn.ReLU(), nn.Linear())(X), [[-2, 2], [6, -4]]),
    (
        "Parallel: along axis 1",
        lambda: nn.Parallel(nn.ReLU(), nn.Linear(), merge="concatenate")(X).shape,
        (2, 4),
    ),
    ("Residual: around is the input", lambda: nn.Residual(nn.ReLU())(X), [[-2, 2], [6, -4]]),
    ("initialisers.constant: 0", lambda: nn.initialisers.constant(2), [0, 0]),
    (
        "initialisers.he_uniform: slope 0",
        lambda: within(math.sqrt(6 / 100), nn.initialisers.he_uniform((100, 50), RNG())),
        1,
    ),
    (
        "initialisers.orthogonal: gain 1",
        lambda: np.linalg.norm(nn.initialisers.orthogonal((4, 2), RNG()), axis=0),
        [1, 1],
    ),
]


@pytest.mark.parametrize(
    ("found", "expected"), [row[1:] for row in VALUES], ids=[r[0] for r in VALUES]
)
def test_values(found, expected):
    value = found()
    value = value.data if isinstance(value, ag.Variable) else value
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)


# --- what docstrings say of it --------------------------------------------------------------------


def constructors():
    """Where a docstring has a line such as `Adam(parameters, learning_rate=0.001, …)`."""
    kinds = (nn.Module, nn.FirstOrderOptimiser)
    for name in nn.__all__:
        thing = getattr(nn, name)
        if isinstance(thing, type) and (
            issubclass(thing, kinds) or thing.__module__ == "nn.schedules"
        ):
            line = re.search(rf"`{name}\((.*?)\)`", " ".join(thing.__doc__.split()))
            if line and "…" not in line[1]:
                yield name, line[1]


def known_parameters(kind):
    """Of all constructors behind *args and **settings, the nearest first."""
    known = {}
    for base in kind.__mro__:
        if "__init__" in vars(base) and base is not object:
            for name, parameter in inspect.signature(base.__init__).parameters.items():
                known.setdefault(name, parameter)
    return known


@pytest.mark.parametrize(("name", "line"), list(constructors()), ids=lambda value: value[:20])
def test_docstrings_give_the_defaults_there_are(name, line):
    known = known_parameters(getattr(nn, name))
    for part in line.split(", "):
        argument, equals, value = part.partition("=")
        if argument.startswith("*"):
            continue
        assert argument in known, f"{name} has no {argument}"
        default = known[argument].default
        if not equals:
            assert default is inspect.Parameter.empty, (
                f"{name}: {argument} has the default {default}"
            )
        else:
            assert default == eval(value, {"nn": nn, "np": np}), f"{name}: {argument}"


def test_enough_docstrings_are_read():
    """Optimisers, schedules, layers with weights."""
    wanted = "SGD Adam AdamW RMSProp Adagrad ReduceOnPlateau StepDecay LSTM BatchNorm Convolution1D"
    assert set(wanted.split()) <= dict(constructors()).keys()
