"""PyTorch as an oracle for the losses: its modules, and its own samples of them.

python -m pytest tests/oracles -o addopts=""
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import nn
from tests.oracles.test_torch_samples import TOLERANCE
from tests.oracles.torch_modules import ENTRIES, compare, excepted, made_with, samples_of

# PyTorch's of names that will go; other tests see to our own
pytestmark = pytest.mark.filterwarnings("ignore")

NAMES = {"weight": "class_weights", "ignore_index": "ignored_index"}


class Spelt(nn.Module):
    """A loss of nn, given predictions and targets the way PyTorch lays them out."""

    def __init__(self, loss: Callable, arrange: Callable = lambda *operands: operands, scale=None):
        self.loss, self.arrange, self.scale = loss, arrange, scale

    def forward(self, x: Any, t: Any) -> Any:
        z = self.loss(*self.arrange(x, t))
        return z if self.scale is None else z * self.scale(x)


def classes_last(x: Any, t: Any) -> tuple[Any, Any]:
    """PyTorch has them on axis 1, where there is a batch."""
    if x.ndim > 1:
        t = np.moveaxis(t, 1, -1) if t.ndim == x.ndim else t
        x = np.moveaxis(x, 1, -1)
    return x, t


def entries(loss: type[nn.Module]) -> Callable[[dict[str, Any]], nn.Module]:
    return lambda settings: Spelt(loss(**settings))


def classes(loss: type[nn.Module]) -> Callable[[dict[str, Any]], nn.Module]:
    def made(settings: dict[str, Any]) -> nn.Module:
        ours = {NAMES.get(key, key): value for key, value in settings.items()}
        if "class_weights" in ours:
            ours["class_weights"] = ours["class_weights"].detach().numpy()
        return Spelt(loss(**ours), classes_last)

    return made


def kl_divergence(settings: dict[str, Any]) -> nn.Module:
    """PyTorch takes logarithms of predictions; "batchmean" is our mean, "mean" divides further."""
    reduction = settings.get("reduction", "mean")
    if settings.get("log_target"):
        arrange = lambda x, t: (np.exp(x), np.exp(t))
    else:
        arrange = lambda x, t: (np.exp(x), t)
    loss = nn.KLDivergence(reduction={"batchmean": "mean"}.get(reduction, reduction))
    further = (lambda x: 1 / (x.shape[-1] if x.ndim else 1)) if reduction == "mean" else None
    return Spelt(loss, arrange, further)


def hinge(settings: dict[str, Any]) -> nn.Module:
    """PyTorch divides by the number of classes."""
    return Spelt(nn.Hinge(**settings), scale=lambda x: 1 / x.shape[-1])


# name → our module of the same meaning, given the settings of PyTorch's
MAPPED: dict[str, Callable[[dict[str, Any]], nn.Module]] = {
    "BCELoss": entries(nn.BinaryCrossEntropy),
    "BCEWithLogitsLoss": entries(nn.BinaryCrossEntropyFromLogits),
    "CrossEntropyLoss": classes(nn.CrossEntropyFromLogits),
    "HuberLoss": entries(nn.Huber),
    "KLDivLoss": kl_divergence,
    "L1Loss": entries(nn.MeanAbsoluteError),
    "MSELoss": entries(nn.MeanSquaredError),
    "MultiMarginLoss": hinge,
    "NLLLoss": classes(nn.NegativeLogLikelihood),
    "SmoothL1Loss": entries(nn.Huber),  # the same as long as beta and delta are 1
}
NOT_MAPPED = {
    "a loss that nn does not have": "CTCLoss CosineEmbeddingLoss GaussianNLLLoss "
    "HingeEmbeddingLoss MarginRankingLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss "
    "PoissonNLLLoss SoftMarginLoss",
    "a layer and its loss in one": "LinearCrossEntropyLoss",
}
SKIPPED = [
    (
        "BCELoss BCEWithLogitsLoss",
        "nn weighs classes and rows, not entries",
        lambda sample: "weight" in made_with(sample),
    ),
    (
        "MultiMarginLoss",
        "lecture 5's hinge is not squared, and has no weights",
        lambda sample: made_with(sample).keys() & {"p", "weight"},
    ),
]
FIRST_ORDER = {"MultiMarginLoss": "PyTorch has no second derivative of it"}
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)


def settings_of(name: str, sample: Any) -> dict[str, Any]:
    """The sample's; but some of its weights of classes are negative, and ours never are."""
    settings = made_with(sample)
    if name == "CrossEntropyLoss" and "weight" in settings:
        settings["weight"] = settings["weight"].detach().abs()
    return settings


def inputs_of(name: str, sample: Any) -> tuple[torch.Tensor, ...]:
    """The sample's; but those for divergences are logarithms of negative numbers, NaN."""
    x, t = sample.forward_input.args
    if name == "KLDivLoss":
        x, t = (torch.log_softmax(torch.randn_like(a), -1).detach() for a in (x, t))
        if not made_with(sample).get("log_target"):
            t = torch.exp(t)
        x.requires_grad_()
        t.requires_grad_()
    return x, t


def module_of_torch(name: str, settings: dict[str, Any]) -> torch.nn.Module:
    module = ENTRIES[name].module_cls(**settings)
    if name == "KLDivLoss" and settings.get("reduction") == "none":
        return RowSums(module)
    return module


class RowSums(torch.nn.Module):
    """PyTorch leaves the terms of a divergence alone; one number for each row is their sum."""

    def __init__(self, module: torch.nn.Module):
        super().__init__()
        self.module = module

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        terms = self.module(x, t)
        return terms.sum(-1) if terms.ndim else terms


def test_every_loss_is_mapped_or_has_a_reason():
    reasons = [name for names in NOT_MAPPED.values() for name in names.split()]
    theirs = [name for name in ENTRIES if name.endswith("Loss")]
    assert sorted([*MAPPED, *reasons]) == sorted(theirs)


@DTYPES
@pytest.mark.parametrize("name", MAPPED)
def test_samples(name: str, dtype: torch.dtype):
    samples = [s for s in samples_of(name, dtype) if not excepted(SKIPPED, name, s)]
    assert samples, "every sample is skipped"
    for sample in samples:
        try:
            settings = settings_of(name, sample)
            orders = 1 if name in FIRST_ORDER else 2
            theirs, ours = module_of_torch(name, settings), MAPPED[name](settings)
            compare(theirs, ours, inputs_of(name, sample), orders)
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
            with pytest.raises(TypeError, match="unexpected keyword"):
                MAPPED[name](made_with(sample))
