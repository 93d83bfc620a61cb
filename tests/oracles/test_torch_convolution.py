"""PyTorch as an oracle of convolution and pooling: values, gradients, and gradients of gradients.

    python -m pytest tests/oracles/test_torch_convolution.py -o addopts=""

Every combination of sizes, strides, paddings, dilations and groups that PyTorch takes, in float64;
sums of a few hundred products of numbers near 1 agree to 1e-10 or better. In float32, to 1e-4.
"""

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional

import autograd_lite as ag
from nn.convolution import convolution, transposed_convolution
from nn.pooling import average_pool, global_average_pool, global_max_pool, max_pool

TOLERANCE = {"float64": 1e-10, "float32": 1e-4}
CONVOLUTIONS = {1: functional.conv1d, 2: functional.conv2d}
TRANSPOSED = {1: functional.conv_transpose1d, 2: functional.conv_transpose2d}
MAXIMA = {1: functional.max_pool1d, 2: functional.max_pool2d}
MEANS = {1: functional.avg_pool1d, 2: functional.avg_pool2d}


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Arrays this small only make PyTorch's threads wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def agree(ours, theirs, arrays, dtype="float64", orders=2):
    """Values, gradients for a random cotangent, and the gradients of what they are at random."""
    rng = np.random.default_rng(1)
    arrays = [np.asarray(a, dtype) for a in arrays]
    variables = [ag.Variable(a) for a in arrays]
    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    z, expected = ours(*variables), theirs(*tensors)

    def close(a, b):
        assert a.dtype == dtype
        np.testing.assert_allclose(
            a, b.detach().numpy(), rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
        )

    assert z.shape == tuple(expected.shape)
    close(z.data, expected)
    g = rng.standard_normal(z.shape).astype(dtype)
    first = ag.gradients(z, variables, g, create_graph=orders > 1)
    second = torch.autograd.grad(expected, tensors, torch.tensor(g), create_graph=orders > 1)
    for a, b in zip(first, second, strict=True):
        close(a.data if orders > 1 else a, b)
    if orders < 2:
        return
    directions = [rng.standard_normal(a.shape) for a in arrays]
    slope = sum(np.sum(a * u) for a, u in zip(first, directions, strict=True))
    total = sum((b * torch.tensor(u)).sum() for b, u in zip(second, directions, strict=True))
    if not total.requires_grad:
        return
    again = torch.autograd.grad(total, tensors, allow_unused=True)
    for a, b in zip(ag.gradients(slope, variables), again, strict=True):
        close(a, torch.zeros(a.shape) if b is None else b)


def sweep(axes):
    """Stride, padding, dilation and groups; for two axes also some that differ between them."""
    settings = list(itertools.product((1, 2, 3), (0, 1, 2), (1, 2), (1, 2)))
    if axes == 1:
        return settings
    uneven = [((2, 1), (0, 2), (1, 2), 1), ((1, 3), (2, 1), (3, 1), 2), ((3, 2), (1, 0), (2, 2), 1)]
    return settings + uneven


CASES = [(axes, *settings) for axes in (1, 2) for settings in sweep(axes)]


@pytest.mark.parametrize("size", [(3, 2), (4, 5)])
@pytest.mark.parametrize(("axes", "stride", "padding", "dilation", "groups"), CASES)
def test_convolution(axes, stride, padding, dilation, groups, size):
    rng = np.random.default_rng(0)
    size = size[:axes]
    x = rng.standard_normal((2, 4, 13, 14)[: 2 + axes])
    weight = rng.standard_normal((6, 4 // groups, *size))
    bias = rng.standard_normal(6)
    agree(
        lambda *a: convolution(*a, stride, padding, dilation, groups),
        lambda *a: CONVOLUTIONS[axes](*a, stride, padding, dilation, groups),
        [x, weight, bias],
    )


@pytest.mark.parametrize("size", [(3, 2), (4, 5)])
@pytest.mark.parametrize(("axes", "stride", "padding", "dilation", "groups"), CASES)
def test_transposed_convolution(axes, stride, padding, dilation, groups, size):
    # 0 and 1 in turn, where it may be 1
    output_padding = min(np.sum(padding) % 2, np.min(np.maximum(stride, dilation)) - 1)
    rng = np.random.default_rng(0)
    size = size[:axes]
    x = rng.standard_normal((2, 4, 6, 5)[: 2 + axes])
    weight = rng.standard_normal((4, 6 // groups, *size))
    bias = rng.standard_normal(6)
    agree(
        lambda *a: transposed_convolution(*a, stride, padding, dilation, groups, output_padding),
        lambda *a: TRANSPOSED[axes](*a, stride, padding, output_padding, groups, dilation),
        [x, weight, bias],
    )


@pytest.mark.filterwarnings("ignore:Using padding='same'")  # PyTorch's, of a copy that it makes
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("axes", [1, 2])
def test_the_same_padding(axes, size, dilation):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, 7, 9)[: 2 + axes])
    weight = rng.standard_normal((4, 3, *(size, 3)[:axes]))
    agree(
        lambda x, w: convolution(x, w, padding="same", dilation=dilation),
        lambda x, w: CONVOLUTIONS[axes](x, w, padding="same", dilation=dilation),
        [x, weight],
    )


POOLS = [
    (axes, size, stride, padding)
    for axes in (1, 2)
    for size in (1, 2, 3, (3, 2)[:axes])
    for stride in (None, 1, 2, 3, (2, 1)[:axes])
    for padding in (0, 1)
    if padding <= np.min(size) // 2
]


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize(("axes", "size", "stride", "padding"), POOLS)
def test_max_pool(axes, size, stride, padding, dilation):
    x = np.random.default_rng(0).standard_normal((2, 3, 9, 8)[: 2 + axes])
    agree(
        lambda x: max_pool(x, size, stride, padding, dilation),
        lambda x: MAXIMA[axes](x, size, stride, padding, dilation),
        [x],
    )


@pytest.mark.parametrize("count_padding", [False, True])
@pytest.mark.parametrize(("axes", "size", "stride", "padding"), POOLS)
def test_average_pool(axes, size, stride, padding, count_padding):
    x = np.random.default_rng(0).standard_normal((2, 3, 9, 8)[: 2 + axes])
    agree(
        lambda x: average_pool(x, size, stride, padding, count_padding=count_padding),
        lambda x: MEANS[axes](x, size, stride, padding, False, count_padding),
        [x],
    )


def test_global_pools():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    agree(global_average_pool, lambda x: x.mean((2, 3)), [x])
    agree(global_max_pool, lambda x: x.amax((2, 3)), [x])


@pytest.mark.parametrize("stride", [1, 2])
def test_float32(stride):
    rng = np.random.default_rng(0)
    x, bias = rng.standard_normal((2, 4, 13, 14)), rng.standard_normal(6)
    weight = rng.standard_normal((6, 4, 3, 3))
    agree(
        lambda *a: max_pool(convolution(*a, stride, 1), 2),
        lambda *a: functional.max_pool2d(functional.conv2d(*a, stride, 1), 2),
        [x, weight, bias],
        "float32",
        1,
    )
    weight = rng.standard_normal((4, 6, 3, 3))
    agree(
        lambda *a: average_pool(transposed_convolution(*a, stride, 1), 2),
        lambda *a: functional.avg_pool2d(functional.conv_transpose2d(*a, stride, 1), 2),
        [x, weight, bias],
        "float32",
        1,
    )
