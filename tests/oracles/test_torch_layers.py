"""PyTorch as an oracle for layers, where its own samples of modules do not reach.

    python -m pytest tests/oracles/test_torch_layers.py -o addopts=""

Those are run by test_torch_modules.py.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import autograd_lite as ag
from nn.dropout import Dropout
from nn.layers import Flatten
from nn.normalisation import BatchNorm, l1_normalisation, l2_normalisation

# a few hundred terms are added up in another order
TOLERANCE = {torch.float64: 1e-11, torch.float32: 2e-4}


def close(ours: Any, theirs: torch.Tensor, dtype: torch.dtype, what: str) -> None:
    expected = theirs.detach().numpy()
    found = ours.data if isinstance(ours, ag.Variable) else np.asarray(ours)
    assert found.dtype == expected.dtype, what
    tolerance = TOLERANCE[dtype]
    scale = max(1.0, float(np.abs(expected).max(initial=0)))
    np.testing.assert_allclose(
        found, expected, rtol=tolerance, atol=tolerance * scale, err_msg=what
    )


@pytest.mark.parametrize("momentum", [0.1, None])
def test_running_statistics_over_many_batches(momentum: float | None):
    rng = np.random.default_rng(0)
    theirs, ours = torch.nn.BatchNorm2d(3, momentum=momentum).double(), BatchNorm(3, momentum)
    for n in (2, 5, 3, 1):
        batch = rng.standard_normal((n, 3, 2, 4)) * 3 + 5
        close(ours(batch), theirs(torch.from_numpy(batch)), torch.float64, "value")
    close(ours.running_mean, theirs.running_mean, torch.float64, "mean")
    close(ours.running_variance, theirs.running_var, torch.float64, "variance")
    batch = rng.standard_normal((4, 3, 2, 4))
    close(ours.eval()(batch), theirs.eval()(torch.from_numpy(batch)), torch.float64, "eval")


@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 4, 5), (0, 3, 2), (1, 1)])
def test_flatten(shape: tuple[int, ...]):
    x = np.random.default_rng(0).standard_normal(shape)
    close(Flatten()(x), torch.nn.Flatten()(torch.from_numpy(x)), torch.float64, "flatten")


def test_dropout_outside_of_training():
    x = np.random.default_rng(0).standard_normal((4, 3))
    close(Dropout(0.7).eval()(x), torch.nn.Dropout(0.7).eval()(torch.from_numpy(x)), torch.float64,
          "dropout")  # fmt: skip


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_dropout_in_training_obeys_the_same_law(rate: float):
    """The bits differ; the values, the share of zeros and the mask of the gradient do not."""
    n = 200_000
    torch.manual_seed(0)
    tensor = torch.ones(n, dtype=torch.float64, requires_grad=True)
    theirs = torch.nn.Dropout(rate)(tensor)
    (their_slope,) = torch.autograd.grad(theirs.sum(), [tensor])
    v = ag.Variable(np.ones(n))
    ours = Dropout(rate, np.random.default_rng(0))(v)
    values = [0.0, 1 / (1 - rate)] if rate else [1.0]
    for y in (ours.data, theirs.detach().numpy()):
        np.testing.assert_allclose(np.unique(y), values, rtol=1e-15)
    # each share has a deviation of √(p(1−p)/n); their difference √2 of that: five of them
    bound = 5 * np.sqrt(2 * rate * (1 - rate) / n)
    assert abs(np.mean(ours.data == 0) - np.mean(theirs.detach().numpy() == 0)) <= bound
    np.testing.assert_array_equal(ag.gradients(np.sum(ours), v), ours.data)
    np.testing.assert_array_equal(their_slope.numpy(), theirs.detach().numpy())


@pytest.mark.parametrize(("function", "p"), [(l1_normalisation, 1), (l2_normalisation, 2)])
@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_normalize(function: Callable[..., Any], p: int, axis: int, dtype: torch.dtype):
    rng = np.random.default_rng(0)
    array = rng.standard_normal((4, 3, 5)).astype(torch.zeros((), dtype=dtype).numpy().dtype)
    tensor, x = torch.from_numpy(array).requires_grad_(), ag.Variable(array)
    z, y = torch.nn.functional.normalize(tensor, p, axis), function(x, axis)
    close(y, z, dtype, "value")
    g = rng.standard_normal(array.shape).astype(array.dtype)
    (expected,) = torch.autograd.grad(z, [tensor], torch.from_numpy(g), create_graph=True)
    found = ag.gradients(y, x, g, create_graph=True)
    close(found, expected, dtype, "first order")
    (expected,) = torch.autograd.grad((expected**2).sum(), [tensor])
    close(ag.gradients(np.sum(found**2), x), expected, dtype, "second order")
