"""PyTorch as an oracle for layers: its own samples of its modules, computed by ours.

    python -m pytest tests/oracles/test_torch_layers.py -o addopts=""

`module_db` is what PyTorch tests its modules with: how to construct each, and what to call it with.
A layer of ours gets the same parameters and buffers; compared are values, buffers afterwards, and
the gradients of input and parameters for random cotangents; in float64 those of a sum of squares of
the gradients as well, which is the second order.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import autograd_lite as ag
from nn.layers import Dropout, Flatten, FullyConnected
from nn.normalisation import BatchNorm, LayerNorm, l1_normalisation, l2_normalisation

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what PyTorch's test tools import is their affair
    from torch.testing._internal.common_modules import module_db

# a few hundred terms are added up in another order
TOLERANCE = {torch.float64: 1e-11, torch.float32: 2e-4}
MODULES = {info.name: info for info in module_db}


def linear(inputs: int, outputs: int, **settings: Any) -> FullyConnected:
    return FullyConnected(inputs, outputs, **settings)


def batch_norm(
    channels: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
    track_running_stats: bool = True, bias: bool = True, **settings: Any,
) -> BatchNorm:  # fmt: skip
    return BatchNorm(channels, momentum, eps, affine, bias, **settings)


def layer_norm(
    shape: list[int], eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True,
    **settings: Any,
) -> LayerNorm:  # fmt: skip
    return LayerNorm(shape, eps, elementwise_affine, bias, **settings)


OURS: dict[str, Callable[..., Any]] = {
    "nn.Linear": linear,
    "nn.BatchNorm1d": batch_norm,
    "nn.BatchNorm2d": batch_norm,
    "nn.BatchNorm3d": batch_norm,
    "nn.LayerNorm": layer_norm,
}
NAMES = {"running_var": "running_variance", "num_batches_tracked": "batches"}


def samples(name: str, dtype: torch.dtype, training: bool) -> list[Any]:
    info = MODULES[name]
    torch.manual_seed(0)
    return info.module_inputs_func(
        info, device="cpu", dtype=dtype, requires_grad=True, training=training
    )


def build(name: str, sample: Any, dtype: torch.dtype, training: bool) -> tuple[Any, Any]:
    """PyTorch's module with random parameters and buffers, and ours with the same."""
    arguments = sample.constructor_input
    theirs = MODULES[name].module_cls(*arguments.args, **arguments.kwargs).to(dtype)
    numpy_dtype = torch.zeros((), dtype=dtype).numpy().dtype
    ours = OURS[name](*arguments.args, **arguments.kwargs, dtype=numpy_dtype)
    rng = np.random.default_rng(1)
    for tensor in theirs.state_dict().values():
        if tensor.is_floating_point():  # positive, for the variance
            tensor.copy_(torch.from_numpy(rng.uniform(0.5, 2.0, tuple(tensor.shape))))
    state = {NAMES.get(n, n): as_ours(name, n, t) for n, t in theirs.state_dict().items()}
    if "running_mean" not in state and name.startswith("nn.BatchNorm"):  # not tracked by theirs
        state.update({n: v.data for n, v in ours.named_buffers()})
    ours.load_state_dict(state)
    return theirs.train(training), ours.train(training)


def as_ours(module: str, name: str, tensor: torch.Tensor) -> Any:
    """Their Linear holds the transpose."""
    array = tensor.detach().numpy()
    return array.T if (module, name) == ("nn.Linear", "weight") else array


def close(ours: Any, theirs: torch.Tensor, dtype: torch.dtype, what: str) -> None:
    expected = theirs.detach().numpy()
    found = ours.data if isinstance(ours, ag.Variable) else np.asarray(ours)
    assert found.dtype == expected.dtype, what
    tolerance = TOLERANCE[dtype]
    scale = max(1.0, float(np.abs(expected).max(initial=0)))
    np.testing.assert_allclose(
        found, expected, rtol=tolerance, atol=tolerance * scale, err_msg=what
    )


def compare(name: str, sample: Any, dtype: torch.dtype, training: bool) -> None:
    theirs, ours = build(name, sample, dtype, training)
    (data,) = [*sample.forward_input.args, *sample.forward_input.kwargs.values()]
    x = ag.Variable(data.detach().numpy())
    y, z = ours(x), theirs(data)
    close(y, z, dtype, "value")
    mine = dict(ours.named_parameters())
    cotangent = np.random.default_rng(2).standard_normal(y.shape).astype(x.dtype)
    wanted = dict(theirs.named_parameters())
    leaves, tensors = [x, *(mine[n] for n in wanted)], [data, *wanted.values()]
    second = dtype is torch.float64
    found = ag.gradients(y, leaves, cotangent, create_graph=second)
    expected = torch.autograd.grad(z, tensors, torch.from_numpy(cotangent), create_graph=second)
    for label, g, e in zip(["x", *wanted], found, expected, strict=True):
        close(g, e.T if (name, label) == ("nn.Linear", "weight") else e, dtype, f"∂/∂{label}")
    buffers = dict(ours.named_buffers())
    for label, tensor in theirs.named_buffers():
        close(buffers[NAMES.get(label, label)], tensor, dtype, label)
    if second:
        # x is added for layers that are linear in it, and have gradients that do not depend on it
        slope = ag.gradients(sum((np.sum(g**2) for g in found), np.sum(x)), x)
        (e,) = torch.autograd.grad(sum(((g**2).sum() for g in expected), data.sum()), [data])
        close(slope, e, dtype, "second order")


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", OURS)
def test_samples_of_modules(name: str, dtype: torch.dtype, training: bool):
    compared = 0
    for sample in samples(name, dtype, training):
        if is_empty(sample):
            _, ours = build(name, sample, dtype, training)
            with pytest.raises(ValueError, match=r"expected samples of .*, at least one of them"):
                ours(sample.forward_input.args[0].detach().numpy())
            continue
        if sample.desc == "not_tracking_stats" and not training:
            continue  # a layer without running statistics: ours always has them
        try:
            compare(name, sample, dtype, training)
        except Exception as error:
            error.add_note(f"{name}, sample {sample.desc!r}")
            raise
        compared += 1
    assert compared >= 3


def is_empty(sample: Any) -> bool:
    """A batch of no samples, of which PyTorch makes NaN, or nothing."""
    (data,) = [*sample.forward_input.args, *sample.forward_input.kwargs.values()]
    return bool(data.numel() == 0)


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
