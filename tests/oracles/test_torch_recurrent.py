"""PyTorch as an oracle for the recurrent layers and the embedding: values, states and gradients.

    python -m pytest tests/oracles/test_torch_recurrent.py -o addopts=""

Both get the same weights. PyTorch's own samples of its modules are run as well.
"""

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import autograd_lite as ag
import nn
from nn.embedding import Embedding
from nn.recurrent import GRU, LSTM, RNN

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what PyTorch's test tools import is their affair
    from torch.testing._internal.common_modules import module_db

THEIRS = {RNN: torch.nn.RNN, LSTM: torch.nn.LSTM, GRU: torch.nn.GRU}
# where in our gates each of theirs is: i, f, g, o there; i, f, o, g here
ORDER = {RNN: [0], LSTM: [0, 1, 3, 2], GRU: [0, 1, 2]}
TOLERANCE = {np.float64: 1e-11, np.float32: 2e-4}
DTYPES = {torch.float64: np.float64, torch.float32: np.float32}


def blocks(kind: type, weight: torch.Tensor) -> np.ndarray:
    """Their (gates·units, …) as our (gates, …, units), in our order of gates."""
    array = weight.detach().numpy().reshape(len(ORDER[kind]), -1, *weight.shape[1:])
    array = np.moveaxis(array, 1, -1)
    result = np.empty_like(array)
    result[ORDER[kind]] = array
    return result


def suffixes(theirs: Any) -> list[str]:
    ways = ("", "_reverse") if theirs.bidirectional else ("",)
    return [f"_l{layer}{way}" for layer in range(theirs.num_layers) for way in ways]


def ours_like(kind: type, theirs: Any, dtype: type) -> Any:
    settings = {"activation": nn.relu} if getattr(theirs, "nonlinearity", "") == "relu" else {}
    ours = kind(
        theirs.input_size,
        theirs.hidden_size,
        layers=theirs.num_layers,
        bidirectional=theirs.bidirectional,
        batch_first=theirs.batch_first,
        dtype=dtype,
        **settings,
    )
    for direction, suffix in zip(ours.directions, suffixes(theirs), strict=True):
        direction.input_weight.data = blocks(kind, getattr(theirs, f"weight_ih{suffix}"))
        direction.state_weight.data = blocks(kind, getattr(theirs, f"weight_hh{suffix}"))
        if not theirs.bias:
            direction.bias.data = np.zeros(direction.bias.shape)
            continue
        bias = blocks(kind, getattr(theirs, f"bias_ih{suffix}"))
        second = blocks(kind, getattr(theirs, f"bias_hh{suffix}"))
        if kind is GRU:  # their second bias of n is inside the reset gate's product, others add up
            direction.state_bias.data = second[2].copy()
            second[2] = 0
        direction.bias.data = bias + second
    return ours


def compare(kind: type, theirs: Any, x: torch.Tensor, state: Any, dtype: type) -> None:
    """Outputs, final states, and the gradients of inputs, states and weights."""
    ours = ours_like(kind, theirs, dtype)
    close = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    x = x.detach().requires_grad_()
    starts = [] if state is None else list(state) if kind is LSTM else [state]
    starts = [s.detach().requires_grad_() for s in starts]

    def form(parts: list) -> Any:
        return None if not parts else tuple(parts) if kind is LSTM else parts[0]

    def results(returned: Any) -> list:
        return [returned[0], *(returned[1] if kind is LSTM else [returned[1]])]

    expected = results(theirs(x, form(starts)))
    inputs = [ag.Variable(v.detach().numpy()) for v in (x, *starts)]
    found = results(ours(inputs[0], form(inputs[1:])))
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(z.shape).astype(dtype) for z in expected]
    for ours_z, theirs_z in zip(found, expected, strict=True):
        assert ours_z.dtype == dtype
        np.testing.assert_allclose(ours_z.data, theirs_z.detach().numpy(), **close)
    sum((z * torch.from_numpy(w)).sum() for z, w in zip(expected, weights, strict=True)).backward()
    sum(np.sum(z * w) for z, w in zip(found, weights, strict=True)).backward()
    for v, t in zip(inputs, (x, *starts), strict=True):
        np.testing.assert_allclose(v.grad, t.grad.numpy(), **close)
    for direction, suffix in zip(ours.directions, suffixes(theirs), strict=True):
        pairs = [(direction.input_weight, "weight_ih"), (direction.state_weight, "weight_hh")]
        pairs += [(direction.bias, "bias_ih")] if theirs.bias else []
        for parameter, name in pairs:
            gradient = blocks(kind, getattr(theirs, name + suffix).grad)
            np.testing.assert_allclose(parameter.grad, gradient, **close)
        if theirs.bias and kind is GRU:
            gradient = blocks(kind, getattr(theirs, f"bias_hh{suffix}").grad)[2]
            np.testing.assert_allclose(direction.state_bias.grad, gradient, **close)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("with_state", [False, True], ids=["zeros", "state"])
@pytest.mark.parametrize("batch_first", [False, True], ids=["steps first", "batch first"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("kind", THEIRS)
def test_settings(kind, layers, bidirectional, batch_first, with_state, dtype):
    torch.manual_seed(layers)
    theirs = THEIRS[kind](
        4, 5, layers, bidirectional=bidirectional, batch_first=batch_first, dtype=dtype
    )
    x = torch.randn(3, 6, 4, dtype=dtype)
    batch = 3 if batch_first else 6
    parts = [torch.randn(len(suffixes(theirs)), batch, 5, dtype=dtype) for _ in range(2)]
    state = (tuple(parts) if kind is LSTM else parts[0]) if with_state else None
    compare(kind, theirs, x, state, DTYPES[dtype])


def samples(module: type, dtype: torch.dtype = torch.float64) -> list[Any]:
    (info,) = [info for info in module_db if info.module_cls is module]
    return info.module_inputs_func(info, "cpu", dtype, requires_grad=False, training=True)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("kind", THEIRS)
def test_samples_of_pytorch(kind, dtype):
    torch.manual_seed(0)
    count = 0
    for sample in samples(THEIRS[kind], dtype):
        settings, inputs = sample.constructor_input.kwargs, sample.forward_input.args
        if settings.get("proj_size"):
            continue  # a smaller h than c, which nn.LSTM has not
        theirs = THEIRS[kind](**settings, dtype=dtype)
        axis = 0 if theirs.batch_first else 1
        x = inputs[0].unsqueeze(axis)  # theirs are single sequences, without an axis of the batch
        state = inputs[1] if len(inputs) > 1 else None
        if state is not None:
            state = tuple(s.unsqueeze(1) for s in state) if kind is LSTM else state.unsqueeze(1)
        compare(kind, theirs, x, state, DTYPES[dtype])
        count += 1
    assert count >= 16


@pytest.mark.parametrize("kind", THEIRS)
def test_a_longer_and_wider_one(kind):
    torch.manual_seed(0)
    theirs = THEIRS[kind](16, 32, 2, batch_first=True, dtype=torch.float64)
    compare(kind, theirs, torch.randn(8, 60, 16, dtype=torch.float64), None, np.float64)


@pytest.mark.parametrize("kind", THEIRS)
def test_second_derivatives(kind):
    torch.manual_seed(0)
    theirs = THEIRS[kind](3, 4, 2, bidirectional=True, batch_first=True, dtype=torch.float64)
    ours = ours_like(kind, theirs, np.float64)
    x = torch.randn(2, 5, 3, dtype=torch.float64, requires_grad=True)
    v = torch.randn(2, 5, 3, dtype=torch.float64)
    (first,) = torch.autograd.grad((theirs(x)[0] ** 2).sum(), x, create_graph=True)
    (expected,) = torch.autograd.grad((first * v).sum(), x)
    ours_x = ag.Variable(x.detach().numpy())
    slope = ag.gradients(np.sum(ours(ours_x)[0] ** 2), ours_x, create_graph=True)
    found = ag.gradients(np.sum(slope * v.numpy()), ours_x)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_embedding(dtype):
    torch.manual_seed(0)
    cases = [
        (sample.constructor_input.kwargs, sample.forward_input.args[0])
        for sample in samples(torch.nn.Embedding, dtype)
    ]
    shapes = itertools.product([(1,), (7,), (2, 3, 4)], [torch.int32, torch.int64])
    cases += [
        ({"num_embeddings": 6, "embedding_dim": 5}, torch.randint(6, shape, dtype=kind))
        for shape, kind in shapes
    ]
    for settings, x in cases:
        theirs = torch.nn.Embedding(**settings, dtype=dtype)
        ours = Embedding(*settings.values(), dtype=DTYPES[dtype])
        ours.weight.data = theirs.weight.detach().numpy()
        expected, found = theirs(x), ours(x.numpy())
        np.testing.assert_array_equal(found.data, expected.detach().numpy())
        cotangent = torch.randn(expected.shape, dtype=dtype)
        expected.backward(cotangent)
        found.backward(cotangent.numpy())
        tolerance = TOLERANCE[DTYPES[dtype]]
        np.testing.assert_allclose(
            ours.weight.grad, theirs.weight.grad.numpy(), rtol=tolerance, atol=tolerance
        )
