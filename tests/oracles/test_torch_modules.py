"""PyTorch as an oracle: its own samples of its modules, computed by those of nn.

    python -m pytest tests/oracles/test_torch_modules.py -o addopts=""

`module_db` is what PyTorch tests its modules with: how to construct each, and what to call it with.
`torch_module_names.py` sorts them. A module of nn gets PyTorch's parameters and buffers; compared
are values, buffers afterwards, and the gradients of inputs and parameters for random cotangents;
in float64 the gradients of those gradients as well.
"""

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch

import nn
from tests.oracles import torch_module_names
from tests.oracles.test_torch_samples import TOLERANCE
from tests.oracles.torch_module_names import FIRST_ORDER, MAPPED, NOT_MAPPED, SKIPPED
from tests.oracles.torch_modules import (
    ENTRIES,
    compare,
    inputs_of,
    made_with,
    module_of_torch,
    samples_of,
)

# PyTorch's of names that will go; other tests see to our own
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Arrays this small only make PyTorch's threads wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_every_module_is_mapped_or_has_a_reason():
    reasons = [name for names in NOT_MAPPED.values() for name in names.split()]
    assert sorted([*MAPPED, *reasons]) == sorted(ENTRIES)


def compare_sample(name: str, sample: Any, dtype: torch.dtype, training: bool) -> None:
    theirs, inputs = module_of_torch(name, sample, dtype, training), inputs_of(sample)
    after = lambda z: z
    if name == "GELU":  # ours is the approximation by tanh, whatever the sample asks for
        theirs.approximate = "tanh"
    if name == "CrossEntropyLoss" and theirs.weight is not None:
        theirs.weight = theirs.weight.detach().abs()  # some are negative, and ours never are
    if name == "KLDivLoss":  # its samples are logarithms of negative numbers, NaN
        inputs = [torch.log_softmax(torch.randn_like(a), -1).detach() for a in inputs]
        if not theirs.log_target:
            inputs[1] = torch.exp(inputs[1])
        inputs = tuple(x.requires_grad_() for x in inputs)
        if theirs.reduction == "none":  # PyTorch leaves the terms of a row's divergence alone
            after = lambda z: z.sum(-1) if z.ndim else z
    compare(theirs, MAPPED[name], inputs, orders_of(name), after)


def orders_of(name: str) -> int:
    return 1 if any(name in names.split() for names in FIRST_ORDER.values()) else 2


def excepted(name: str, sample: Any, training: bool) -> bool:
    return any(name in names.split() and which(sample, training) for names, _, which in SKIPPED)


CASES = [
    pytest.param(name, dtype, training, id=f"{name}-{dtype}{'' if training else '-eval'}")
    for name in MAPPED
    for dtype in TOLERANCE
    # the others do the same in training and out of it: no sample has dropout
    for training in ([True, False] if "BatchNorm" in name else [True])
]


@pytest.mark.parametrize(("name", "dtype", "training"), CASES)
def test_samples(name: str, dtype: torch.dtype, training: bool):
    samples = [s for s in samples_of(name, dtype, training) if not excepted(name, s, training)]
    assert samples, "every sample is skipped"
    for sample in samples:
        try:
            compare_sample(name, sample, dtype, training)
        except Exception as error:
            error.add_note(f"{name}: {sample.desc} {made_with(sample)}")
            raise


@pytest.mark.parametrize(
    ("name", "which"),
    [
        pytest.param(name, which, id=f"{name}: {reason}")
        for names, reason, which in SKIPPED
        for name in names.split()
    ],
)
def test_exceptions_are_needed(name: str, which: Callable[[Any, bool], bool]):
    """That is, every sample that the row is about fails."""
    found = 0
    for training in (True, False):
        for sample in samples_of(name, torch.float64, training):
            if which(sample, training):
                found += 1
                try:
                    compare_sample(name, sample, torch.float64, training)
                except Exception:
                    continue
                pytest.fail(f"{name}: without this exception, {sample.desc!r} passes")
    assert found


# what nn has beyond PyTorch's modules → the same in PyTorch's functions
X = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
P, T = X.softmax(-1), torch.flip(X, [0]).softmax(-1)
LABELS = torch.tensor([0, 2, 1, 1])
FURTHER = {
    "BinaryStep": (nn.BinaryStep(), lambda x: torch.heaviside(x.detach(), x.new_ones(())), (X,)),
    "Linear": (nn.Linear(), lambda x: x * 1, (X,)),
    "CrossEntropy": (
        nn.CrossEntropy(),
        lambda x, t: torch.nn.functional.nll_loss(x.log(), t),
        (P, LABELS),
    ),
    "HalfSquaredError": (
        nn.HalfSquaredError(),
        lambda x, t: torch.nn.functional.mse_loss(x, t, reduction="sum") / (2 * len(x)),
        (X, T),
    ),
    "L1Normalisation": (
        nn.L1Normalisation(),
        lambda x: torch.nn.functional.normalize(x, 1, -1),
        (X,),
    ),
    "L2Normalisation": (
        nn.L2Normalisation(),
        lambda x: torch.nn.functional.normalize(x, 2, -1),
        (X,),
    ),
    "GlobalMaxPool": (
        nn.GlobalMaxPool(),
        lambda x: torch.nn.functional.adaptive_max_pool1d(x, 1)[..., 0],
        (X[None],),
    ),
    "Sequential": (nn.Sequential(nn.Tanh(), nn.ReLU()), lambda x: x.tanh().relu(), (X,)),
    "Residual": (nn.Residual(nn.Tanh(), nn.Softplus()), lambda x: x.tanh().exp().log1p() + x, (X,)),
    "Parallel": (nn.Parallel(nn.Tanh(), nn.ReLU()), lambda x: x.tanh() + x.relu(), (X,)),
    "Flatten": (nn.Flatten(), lambda x: x.flatten(1), (X[None],)),
}
NO_ORACLE = {
    "another name of HalfSquaredError": "Euclidean",
    "PyTorch has none; formulas by hand in tests/nn": "RBF CosinePlusPi NoisyReLU Standardiser",
    "Convolution2D and ReLU in a row": "NetworkInNetwork",
    "whatever is put inside": "Module Function Network InputLayer",
    "test_torch_layers.py compares it, in training and out of it": "Dropout",
}


def test_every_module_of_nn_is_compared_or_has_a_reason():
    reasons = [name for names in NO_ORACLE.values() for name in names.split()]
    mapped = re.findall(r"\bnn\.([A-Z]\w+)", inspect.getsource(torch_module_names))
    compared = {*mapped, *FURTHER} - {"Module"}
    assert compared & set(reasons) == set()
    for name in set(nn.__all__) - compared - set(reasons):
        thing = getattr(nn, name)
        assert not (isinstance(thing, type) and issubclass(thing, nn.Module)), name


@pytest.mark.parametrize("name", FURTHER)
def test_further_modules(name: str):
    ours, function, inputs = FURTHER[name]
    theirs = torch.nn.Module()
    theirs.forward = function
    first, *others = inputs
    compare(theirs, lambda *_: ours, (first.clone().requires_grad_(), *others))
