"""PyTorch's samples of its modules, `module_db`, and the comparison of its modules with nn's."""

from __future__ import annotations

import random
import warnings
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import autograd_lite as ag
import nn
from tests.oracles.test_torch_samples import (
    TOLERANCE,
    array,
    assert_equal,
    flat,
    mapped,
    pulled_back,
    pulled_back_by_torch,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what PyTorch's test tools import is their affair
    from torch.testing._internal.common_modules import module_db

Made = Callable[[Any, dict[str, ag.Variable], np.dtype], nn.Module]
"""Our module of the meaning of theirs, with Variables of its parameters, by their names and in
their layout, in the place of its own."""

ENTRIES = {entry.module_cls.__name__: entry for entry in module_db}
BUFFERS = {
    "running_mean": "running_mean",
    "running_var": "running_variance",
    "num_batches_tracked": "batches",
}


def samples_of(name: str, dtype: torch.dtype, training: bool = True) -> list[Any]:
    """The same numbers in every run and in any order of tests."""
    seed = zlib.crc32(name.encode())
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (PyTorch's samples draw from the global generators)
    random.seed(seed)
    entry = ENTRIES[name]
    settings = {"device": "cpu", "dtype": dtype, "requires_grad": True, "training": training}
    return list(entry.module_inputs_func(entry, **settings))


def made_with(sample: Any) -> dict[str, Any]:
    """What PyTorch's module of this sample is made with; positions become keys: 0, 1, …"""
    settings = sample.constructor_input
    return {**{str(i): value for i, value in enumerate(settings.args)}, **settings.kwargs}


def inputs_of(sample: Any) -> tuple[Any, ...]:
    """What PyTorch's module of this sample is called with; ours take no names."""
    return (*sample.forward_input.args, *sample.forward_input.kwargs.values())


def module_of_torch(name: str, sample: Any, dtype: torch.dtype, training: bool) -> torch.nn.Module:
    """PyTorch's module; normalisation with parameters and statistics that are not 0 and 1."""
    settings = sample.constructor_input
    torch.manual_seed(0)
    theirs = ENTRIES[name].module_cls(*settings.args, **settings.kwargs).to(dtype).train(training)
    if "Norm" in name:
        rng = np.random.default_rng(1)
        for tensor in theirs.state_dict().values():
            if tensor.is_floating_point():  # positive, for the variance
                tensor.copy_(torch.from_numpy(rng.uniform(0.5, 2.0, tuple(tensor.shape))))
    return theirs


def compare(
    theirs: torch.nn.Module,
    made: Made,
    inputs: Any,
    orders: int = 2,
    after: Callable[[Any], Any] = lambda z: z,
) -> None:
    """Assert that both modules agree about values, buffers and so many orders of derivative.

    Those are by all inputs that PyTorch tracks, and by the parameters, which are PyTorch's.
    The second order is left out in float32, where the first is what it starts from. What they give
    is compared with `after` of what PyTorch's gives.
    """
    numbers = [x for x in (*flat(inputs), *theirs.parameters()) if x.is_floating_point()]
    dtype = numbers[0].dtype
    leaves, variables, parameters = [], [], {}
    for name, parameter in theirs.named_parameters():
        parameters[name] = ag.Variable(parameter.detach().numpy())
        leaves.append(parameter)
        variables.append(parameters[name])
    ours = made(theirs, parameters, array(numbers[0]).dtype).train(theirs.training)

    def of_torch(tensor: torch.Tensor) -> torch.Tensor:
        copy = tensor.detach().clone()
        if tensor.requires_grad:
            leaves.append(copy.requires_grad_())
        return copy

    def of_ours(tensor: torch.Tensor) -> Any:
        if tensor.requires_grad:
            variables.append(ag.Variable(tensor.detach().numpy()))
            return variables[-1]
        return tensor.numpy()

    expected = flat(after(theirs(*mapped(of_torch, inputs))))
    actual = flat(ours(*mapped(of_ours, inputs)))
    tolerance = TOLERANCE[dtype]
    buffers = dict(ours.named_buffers())
    for name, tensor in theirs.named_buffers():
        if name in BUFFERS:
            assert_equal(buffers[BUFFERS[name]], tensor, tolerance, name)
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        assert_equal(a, e, tolerance, "value")
    for order in range(1, 1 + (orders if dtype is torch.float64 else 1)):
        rng = np.random.default_rng(0)
        cotangents = [rng.standard_normal(np.shape(array(z))).astype(z.dtype) for z in actual]
        expected = pulled_back_by_torch(expected, leaves, cotangents)
        actual = pulled_back(actual, variables, cotangents)
        for a, e in zip(actual, expected, strict=True):
            assert_equal(a, e, tolerance, f"derivative {order}")
