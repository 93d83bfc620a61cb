"""PyTorch as an oracle for the recurrent layers and the embedding, in all their settings.

    python -m pytest tests/oracles/test_torch_recurrent.py -o addopts=""

Outputs, final states, and the gradients of inputs, states and weights. PyTorch's own samples are
run by test_torch_modules.py.
"""

import numpy as np
import pytest
import torch

from tests.oracles.torch_module_names import LAYERS
from tests.oracles.torch_modules import ENTRIES, compare

KINDS = ["RNN", "LSTM", "GRU"]
DTYPES = [torch.float64, torch.float32]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Arrays this small only make PyTorch's threads wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def random(*shape, dtype):
    return torch.randn(shape, dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("with_state", [False, True], ids=["zeros", "state"])
@pytest.mark.parametrize("batch_first", [False, True], ids=["steps first", "batch first"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_settings(kind, layers, bidirectional, batch_first, with_state, dtype):
    torch.manual_seed(layers)
    theirs = ENTRIES[kind].module_cls(
        4, 5, layers, bidirectional=bidirectional, batch_first=batch_first, dtype=dtype
    )
    inputs = [random(3, 6, 4, dtype=dtype)]
    if with_state:
        shape = layers * (1 + bidirectional), 3 if batch_first else 6, 5
        parts = tuple(random(*shape, dtype=dtype) for _ in range(2))
        inputs.append(parts if kind == "LSTM" else parts[0])
    compare(theirs, LAYERS[kind], tuple(inputs), orders=1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_longer_and_wider_one(kind):
    torch.manual_seed(0)
    theirs = ENTRIES[kind].module_cls(16, 32, 2, batch_first=True, dtype=torch.float64)
    compare(theirs, LAYERS[kind], (random(8, 60, 16, dtype=torch.float64),), orders=1)


@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives(kind):
    torch.manual_seed(0)
    settings = {"bidirectional": True, "batch_first": True, "dtype": torch.float64}
    theirs = ENTRIES[kind].module_cls(3, 4, 2, **settings)
    compare(theirs, LAYERS[kind], (random(2, 5, 3, dtype=torch.float64),))


@pytest.mark.parametrize("kind", [torch.int32, torch.int64], ids=str)
@pytest.mark.parametrize("shape", [(1,), (7,), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_embedding(dtype, shape, kind):
    torch.manual_seed(0)
    theirs = torch.nn.Embedding(6, 5, dtype=dtype)
    compare(theirs, LAYERS["Embedding"], (torch.randint(6, shape, dtype=kind),))


def test_an_embedding_is_the_rows_bit_for_bit():
    theirs = torch.nn.Embedding(6, 5, dtype=torch.float64)
    x = torch.randint(6, (2, 3))
    ours = LAYERS["Embedding"](theirs, {"weight": theirs.weight.detach().numpy()}, np.float64)
    np.testing.assert_array_equal(ours(x.numpy()), theirs(x).detach().numpy())
