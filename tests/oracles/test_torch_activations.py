"""PyTorch as an oracle for the activations: its modules, its own samples of them, and the far ends.

python -m pytest tests/oracles -o addopts=""
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import autograd_lite as ag
import nn
from tests.oracles.test_torch_samples import TOLERANCE, array
from tests.oracles.torch_modules import ENTRIES, compare, excepted, made_with, samples_of

# PyTorch's of names that will go; other tests see to our own
pytestmark = pytest.mark.filterwarnings("ignore")


def parametric_relu(settings: dict[str, Any]) -> nn.ParametricReLU:
    features = settings.get("0", 1)  # PyTorch's channels are on axis 1
    dtype = settings.get("dtype", np.float64)
    return nn.ParametricReLU(features=None if features == 1 else features, axis=1, dtype=dtype)


# name → our module of the same meaning, given the settings of PyTorch's
MAPPED: dict[str, Callable[[dict[str, Any]], nn.Module]] = {
    "ELU": lambda settings: nn.ELU(settings.get("alpha", 1.0)),
    "GELU": lambda settings: nn.GELU(),
    "LeakyReLU": lambda settings: nn.LeakyReLU(settings.get("0", 0.01)),
    "LogSoftmax": lambda settings: nn.LogSoftmax(settings["0"]),
    "PReLU": parametric_relu,
    "ReLU": lambda settings: nn.ReLU(),
    "Sigmoid": lambda settings: nn.Sigmoid(),
    "SiLU": lambda settings: nn.Swish(),
    "Softmax": lambda settings: nn.Softmax(settings["0"]),
    "Softplus": lambda settings: nn.Softplus(),
    "Tanh": lambda settings: nn.Tanh(),
}
NOT_MAPPED = {
    "an activation that nn does not have": "CELU GLU Hardshrink Hardswish Hardtanh LogSigmoid Mish "
    "ReLU6 SELU Softmax2d Softmin Softshrink Softsign Tanhshrink Threshold",
    "no activation, but a layer": "MultiheadAttention",
}
SKIPPED = [
    (
        "Softplus",
        "nn.softplus has no sharpness: it is np.logaddexp(0, beta·x) / beta",
        lambda sample: made_with(sample).get("0", 1) != 1,
    ),
]
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)


def module_of_torch(name: str, sample: Any) -> torch.nn.Module:
    if name == "GELU":  # ours is the approximation by tanh, whatever the sample asks for
        return torch.nn.GELU(approximate="tanh")
    settings = sample.constructor_input
    return ENTRIES[name].module_cls(*settings.args, **settings.kwargs)


def test_every_activation_is_mapped_or_has_a_reason():
    reasons = [name for names in NOT_MAPPED.values() for name in names.split()]
    theirs = [
        name
        for name, entry in ENTRIES.items()
        if entry.module_cls.__module__.endswith("activation")
    ]
    assert sorted([*MAPPED, *reasons]) == sorted(theirs)


@DTYPES
@pytest.mark.parametrize("name", MAPPED)
def test_samples(name: str, dtype: torch.dtype):
    samples = [s for s in samples_of(name, dtype) if not excepted(SKIPPED, name, s)]
    assert samples, "every sample is skipped"
    for sample in samples:
        ours = MAPPED[name](
            {**made_with(sample), "dtype": array(sample.forward_input.args[0]).dtype}
        )
        try:
            compare(module_of_torch(name, sample), ours, sample.forward_input.args)
        except Exception as error:
            error.add_note(f"{name}: {sample.desc} {made_with(sample)}")
            raise


@pytest.mark.parametrize("row", SKIPPED, ids=lambda row: row[0])
def test_exceptions_are_needed(row: tuple[str, str, Callable]):
    names, _, which = row
    for name in names.split():
        samples = [s for s in samples_of(name, torch.float64) if which(s)]
        assert samples
        for sample in samples:
            ours = MAPPED[name](made_with(sample))
            with pytest.raises(AssertionError):
                compare(module_of_torch(name, sample), ours, sample.forward_input.args)


@pytest.mark.parametrize("name", sorted(MAPPED))
def test_far_out(name: str):
    """From −1000 to 1000, with 0, where some have a kink."""
    x = torch.cat([torch.linspace(-1000, 1000, 41), torch.linspace(-15, 15, 61)]).double()
    settings = {"0": 0} if "oftmax" in name else {}
    if name == "GELU":
        theirs = torch.nn.GELU(approximate="tanh")
    else:
        theirs = ENTRIES[name].module_cls(*settings.values())
    # at 0, PyTorch's second derivative by x and the slope is not that of its first, the slope
    orders = 1 if name == "PReLU" else 2
    compare(theirs, MAPPED[name](settings), [x.requires_grad_()], orders)


def test_the_gradient_of_swish_by_its_beta():
    x = torch.linspace(-5, 5, 21).double()
    beta = torch.tensor(1.5).double().requires_grad_()
    (expected,) = torch.autograd.grad((x * torch.sigmoid(beta * x)).sum(), beta)
    learned = ag.Variable(1.5)
    nn.Swish(learned)(x.numpy()).sum().backward()
    np.testing.assert_allclose(learned.grad, expected.item(), rtol=1e-13)


def test_gelu_is_near_the_one_with_the_error_function():
    for sample in samples_of("GELU", torch.float64):
        x = sample.forward_input.args[0].detach()
        exact = torch.nn.functional.gelu(x, approximate="none")
        np.testing.assert_allclose(nn.gelu(x.numpy()), exact.numpy(), rtol=0, atol=5e-4)
