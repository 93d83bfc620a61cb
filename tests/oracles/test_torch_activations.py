"""PyTorch as an oracle for the activations: the far ends, and where nn has more, or less.

python -m pytest tests/oracles/test_torch_activations.py -o addopts=""

Its own samples of them are run by test_torch_modules.py.
"""

import numpy as np
import pytest
import torch

import autograd_lite as ag
import nn
from tests.oracles.torch_module_names import ACTIVATIONS
from tests.oracles.torch_modules import ENTRIES, compare, samples_of

# PyTorch's of names that will go; other tests see to our own
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_far_out(name: str):
    """From −1000 to 1000, with 0, where some have a kink."""
    x = torch.cat([torch.linspace(-1000, 1000, 41), torch.linspace(-15, 15, 61)]).double()
    settings = {"dim": 0} if "oftmax" in name else {}
    settings |= {"approximate": "tanh"} if name == "GELU" else {}
    theirs = ENTRIES[name].module_cls(**settings).double()
    # at 0, PyTorch's second derivative by x and the slope is not that of its first, the slope
    orders = 1 if name == "PReLU" else 2
    compare(theirs, ACTIVATIONS[name], (x.requires_grad_(),), orders)


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
