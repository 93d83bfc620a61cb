"""PyTorch's samples of its modules, `module_db`, and the comparison of its modules with nn's."""

from __future__ import annotations

import random
import warnings
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

import autograd_lite as ag
from tests.oracles.test_torch_samples import (
    TOLERANCE,
    array,
    assert_equal,
    pulled_back,
    pulled_back_by_torch,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what PyTorch's test tools import is their affair
    from torch.testing._internal.common_modules import module_db

ENTRIES = {entry.module_cls.__name__: entry for entry in module_db}


def samples_of(name: str, dtype: torch.dtype) -> list[Any]:
    """The same numbers in every run and in any order of tests."""
    seed = zlib.crc32(name.encode())
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (PyTorch's samples draw from the global generators)
    random.seed(seed)
    entry = ENTRIES[name]
    settings = {"device": "cpu", "dtype": dtype, "requires_grad": True, "training": True}
    return list(entry.module_inputs_func(entry, **settings))


def made_with(sample: Any) -> dict[str, Any]:
    """What PyTorch's module of this sample is made with; positions become keys: 0, 1, …"""
    settings = sample.constructor_input
    return {**{str(i): value for i, value in enumerate(settings.args)}, **settings.kwargs}


def excepted(table: Sequence[tuple[str, str, Callable]], name: str, sample: Any) -> bool:
    """Whether some row of (names, reason, which samples) is about this sample."""
    return any(name in names.split() and which(sample) for names, _, which in table)


def compare(theirs: torch.nn.Module, ours: Any, inputs: Any, orders: int = 2) -> None:
    """Assert that both modules agree about values and so many orders of derivative.

    Those are by all inputs that PyTorch tracks, and by the parameters, which start as PyTorch's.
    The second order is left out in float32, where the first is what it starts from.
    """
    theirs = theirs.to(inputs[0].dtype)
    leaves, variables, tensors, operands = [], [], [], []
    for tensor in inputs:
        tensors.append(tensor.detach().clone())
        operands.append(tensor.detach().numpy())
        if tensor.requires_grad:
            leaves.append(tensors[-1].requires_grad_())
            operands[-1] = ag.Variable(operands[-1])
            variables.append(operands[-1])
    for parameter, variable in zip(theirs.parameters(), ours.parameters(), strict=True):
        variable.data = parameter.detach().numpy().reshape(variable.shape)
        leaves.append(parameter)
        variables.append(variable)
    expected, actual = [theirs(*tensors)], [ours(*operands)]
    dtype = inputs[0].dtype
    tolerance = TOLERANCE[dtype]
    assert_equal(actual[0], expected[0], tolerance, "value")
    for order in range(1, 1 + (orders if dtype is torch.float64 else 1)):
        rng = np.random.default_rng(0)
        cotangents = [rng.standard_normal(np.shape(array(z))) for z in expected]
        expected = pulled_back_by_torch(expected, leaves, cotangents)
        actual = pulled_back(
            actual, variables, [c.reshape(z.shape) for c, z in zip(cotangents, actual, strict=True)]
        )
        for a, e in zip(actual, expected, strict=True):
            assert_equal(np.reshape(array(a), e.shape), e, tolerance, f"derivative {order}")
