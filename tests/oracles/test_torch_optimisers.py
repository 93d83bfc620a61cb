"""PyTorch as an oracle: its optimisers over the settings it tests itself with, and its schedules.

    python -m pytest tests/oracles/test_torch_optimisers.py -o addopts=""

`optim_db` lists PyTorch's optimisers, each with settings that somebody found worth trying. Where nn
has the same, both take 20 steps on one problem in float64, each with its own derivatives. What is
not compared is listed with its reason, and a test sees that nothing is in neither list.
"""

import warnings

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

import autograd_lite as ag
from nn import initialisers
from nn.clipping import clip_gradients_by_norm, clip_gradients_by_value
from nn.optimisers import SGD, Adagrad, Adam, AdamW, RMSProp
from nn.schedules import (
    CosineDecay,
    ExponentialDecay,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
    WarmUp,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what PyTorch's test tools import is their affair
    from torch.testing._internal.common_optimizers import optim_db

MAPPED = {"SGD": SGD, "Adagrad": Adagrad, "RMSprop": RMSProp, "Adam": Adam, "AdamW": AdamW}
NOT_MAPPED = {
    "nn has no such optimiser": "Adadelta Adafactor Adamax ASGD Muon NAdam RAdam Rprop",
    "it calls the loss several times in a step": "LBFGS",
    "gradients here are never sparse": "SparseAdam",
}
SETTINGS = {
    "lr": "learning_rate",
    "momentum": "momentum",
    "nesterov": "nesterov",
    "weight_decay": "weight_decay",
    "alpha": "decay",
    "eps": "epsilon",
    "centered": "centred",
    "amsgrad": "amsgrad",
    "initial_accumulator_value": "initial",
}
# how it is computed, not what
WITHOUT_MEANING = {
    "capturable",
    "decoupled_weight_decay",  # AdamW is a class of its own here, too
    "differentiable",
    "foreach",
    "fused",
}
NOT_MAPPED_SETTINGS = {
    "dampening": "from the second step on it scales the gradient: no paper, and a rate does that",
}
STEPS = 20

ENTRIES = {entry.optim_cls.__name__: entry for entry in optim_db}
INPUTS = [
    pytest.param(name, given.kwargs, id=f"{name}-{given.desc}")
    for name in MAPPED
    for given in ENTRIES[name].optim_inputs_func(device="cpu")
    if not set(given.kwargs) & set(NOT_MAPPED_SETTINGS)
]


def test_every_entry_is_mapped_or_has_a_reason():
    reasons = [name for names in NOT_MAPPED.values() for name in names.split()]
    assert sorted([*MAPPED, *reasons]) == sorted(ENTRIES)
    left_out = [
        given.kwargs
        for name in MAPPED
        for given in ENTRIES[name].optim_inputs_func(device="cpu")
        if set(given.kwargs) & set(NOT_MAPPED_SETTINGS)
    ]
    assert left_out == [{"momentum": 0.9, "dampening": 0.5}]
    assert len(INPUTS) == 33


def translated(defaults):
    """PyTorch's settings as nn's, and what is done outside of the optimiser: sign and decay."""
    settings, sign, decay = {}, 1.0, 0.0
    for name, value in defaults.items():
        value = value.item() if isinstance(value, torch.Tensor) else value
        if name in SETTINGS:
            settings[SETTINGS[name]] = value
        elif name == "betas":
            settings["beta1"], settings["beta2"] = value
        elif name == "maximize":
            sign = -1.0 if value else 1.0  # of the loss
        elif name == "lr_decay":
            decay = value  # a schedule
        else:
            assert name in WITHOUT_MEANING or (name == "dampening" and value == 0), name
    return settings, sign, decay


def problem():
    """A small regression, its start, and its loss for either library."""
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((12, 4)), rng.standard_normal((12, 3))

    def loss(tanh, X, Y, W, b):
        return ((tanh(X @ W + b) - Y) ** 2).sum() / 12

    return X, Y, [rng.standard_normal((4, 3)), rng.standard_normal(3)], loss


@pytest.mark.parametrize(("name", "kwargs"), INPUTS)
def test_optimisers(name, kwargs):
    X, Y, start, loss = problem()
    theirs = [torch.tensor(array, requires_grad=True) for array in start]
    reference = ENTRIES[name].optim_cls(theirs, **kwargs, foreach=False)
    settings, sign, decay = translated(reference.defaults)
    ours = [ag.Variable(array) for array in start]
    optimiser = MAPPED[name](ours, **settings)
    schedule = Schedule(optimiser, lambda t: 1 / (1 + t * decay))
    for step in range(STEPS):
        optimiser.zero_grad()
        (sign * loss(np.tanh, X, Y, *ours)).backward()
        optimiser.step()
        schedule.step()
        reference.zero_grad()
        loss(torch.tanh, torch.tensor(X), torch.tensor(Y), *theirs).backward()
        reference.step()
        for one, other, before in zip(ours, theirs, start, strict=True):
            expected = other.detach().numpy()
            # roundings of some ten operations a step; of the way gone, not of where it started
            gone = np.abs(expected - before).max()
            np.testing.assert_allclose(
                one.data, expected, rtol=1e-12, atol=1e-12 * gone, err_msg=f"step {step}"
            )
    assert gone > 1e-4


def test_groups():
    X, Y, start, loss = problem()
    theirs = [torch.tensor(array, requires_grad=True) for array in start]
    reference = torch.optim.AdamW(
        [{"params": theirs[:1], "lr": 0.1}, {"params": theirs[1:], "weight_decay": 0.5}], lr=0.03
    )
    ours = [ag.Variable(array) for array in start]
    groups = [
        {"parameters": ours[:1], "learning_rate": 0.1},
        {"parameters": ours[1:], "weight_decay": 0.5},
    ]
    optimiser = AdamW(groups, 0.03)
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss(np.tanh, X, Y, *ours).backward()
        optimiser.step()
        reference.zero_grad()
        loss(torch.tanh, torch.tensor(X), torch.tensor(Y), *theirs).backward()
        reference.step()
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.data, other.detach().numpy(), rtol=1e-12)


# --- schedules --------------------------------------------------------------------------------

RATES = [0.3, 0.02]


def reference_sgd():
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in RATES]
    return torch.optim.SGD(groups, lr=1.0)


def own_sgd():
    return SGD([{"parameters": ag.Variable(0.0), "learning_rate": rate} for rate in RATES], 1.0)


def rates_of_both(ours, theirs):
    expected = [group["lr"] for group in theirs.param_groups]
    return [group["learning_rate"] for group in ours.groups], expected


def warm_cosine(optimiser):
    """5 steps of warming up, as nn's WarmUp without a start, and then a cosine of 20."""
    warm = lr_scheduler.LinearLR(optimiser, start_factor=1 / 6, total_iters=5)
    cosine = lr_scheduler.CosineAnnealingLR(optimiser, 20)
    return lr_scheduler.SequentialLR(optimiser, [warm, cosine], [5])


@pytest.mark.parametrize(
    ("shape", "reference", "count"),
    [
        (StepDecay(7, 0.3), lambda o: lr_scheduler.StepLR(o, 7, 0.3), 50),
        (StepDecay(1), lambda o: lr_scheduler.StepLR(o, 1), 8),
        (ExponentialDecay(0.9), lambda o: lr_scheduler.ExponentialLR(o, 0.9), 50),
        # from there on PyTorch's goes up again, and nn's stays
        (CosineDecay(40), lambda o: lr_scheduler.CosineAnnealingLR(o, 40), 41),
        (WarmUp(9, start=0.25), lambda o: lr_scheduler.LinearLR(o, 0.25, 1.0, 9), 20),
        (WarmUp(5, then=CosineDecay(20)), warm_cosine, 26),
    ],
    ids=["StepLR", "StepLR-1", "ExponentialLR", "CosineAnnealingLR", "LinearLR", "SequentialLR"],
)
@pytest.mark.filterwarnings("ignore")  # SequentialLR calls PyTorch's deprecated ways
def test_schedules(shape, reference, count):
    ours, theirs = own_sgd(), reference_sgd()
    schedule, reference = Schedule(ours, shape), reference(theirs)
    for step in range(count):
        # PyTorch multiplies from step to step: roundings of up to 50, near a cosine's end of 0
        np.testing.assert_allclose(
            *rates_of_both(ours, theirs), rtol=1e-12, atol=1e-15, err_msg=step
        )
        theirs.step()
        schedule.step()
        reference.step()


@pytest.mark.parametrize("least", [0.0, 0.1])
def test_cosine_to_a_least_rate(least):
    theirs = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    reference = lr_scheduler.CosineAnnealingLR(theirs, 25, eta_min=least * 0.3)
    shape = CosineDecay(25, least)
    for step in range(26):
        assert 0.3 * shape(step) == pytest.approx(
            theirs.param_groups[0]["lr"], rel=1e-12, abs=1e-15
        )
        theirs.step()
        reference.step()


@pytest.mark.parametrize("factor", [0.1, 0.7])
@pytest.mark.parametrize("patience", [0, 3])
@pytest.mark.parametrize("threshold", [0.0, 1e-4, 0.3])
@pytest.mark.parametrize("cooldown", [0, 2])
@pytest.mark.parametrize("least", [0.0, 0.01])
def test_plateau(factor, patience, threshold, cooldown, least):
    ours, theirs = own_sgd(), reference_sgd()
    settings = {"factor": factor, "patience": patience, "threshold": threshold}
    plateau = ReduceOnPlateau(ours, **settings, cooldown=cooldown, least=least)
    reference = lr_scheduler.ReduceLROnPlateau(
        theirs, **settings, cooldown=cooldown, min_lr=least, eps=0.0
    )
    rng = np.random.default_rng(0)
    for loss in 3 * 0.95 ** np.arange(60) + rng.exponential(0.3, 60):  # positive, as losses are
        plateau.step(loss)
        reference.step(loss)
        assert np.array_equal(*rates_of_both(ours, theirs))
    assert ours.groups[0]["learning_rate"] < RATES[0]


# --- clipping and initialisers ----------------------------------------------------------------


@pytest.mark.parametrize("largest", [1e-3, 1.0, 1e6])
def test_clipping(largest):
    rng = np.random.default_rng(0)
    gradients = [1000 * rng.standard_normal(shape) for shape in [(3, 4), (5,), ()]]
    for ours, theirs, tolerance in [
        # PyTorch divides by the norm + 1e-6, which is some 5e3
        (clip_gradients_by_norm, torch.nn.utils.clip_grad_norm_, 1e-9),
        (clip_gradients_by_value, torch.nn.utils.clip_grad_value_, 0),
    ]:
        variables = [ag.Variable(np.zeros_like(g)) for g in gradients]
        tensors = [torch.zeros(np.shape(g), dtype=torch.float64) for g in gradients]
        for v, t, g in zip(variables, tensors, gradients, strict=True):
            v.grad, t.grad = g, torch.tensor(g)
        norm, expected = ours(variables, largest), theirs(tensors, largest)
        if norm is not None:
            assert norm == pytest.approx(float(expected), rel=1e-14)
        for v, t in zip(variables, tensors, strict=True):
            np.testing.assert_allclose(v.grad, t.grad.numpy(), rtol=tolerance)


@pytest.mark.parametrize("shape", [(3, 5), (6, 4, 3), (8, 2, 3, 5), (4, 3, 2, 2, 2)])
def test_fans_and_limits(shape):
    """A matrix is (inputs, outputs) here, and the other way round in PyTorch."""
    tensor = torch.empty(shape if len(shape) > 2 else shape[::-1])
    fans = torch.nn.init._calculate_fan_in_and_fan_out(tensor)
    assert initialisers.fans(shape) == fans
    size = (2000 // int(np.prod(shape)) + 1) * 200
    draw = {
        "glorot_uniform": lambda t: torch.nn.init.xavier_uniform_(t),
        "he_uniform": lambda t: torch.nn.init.kaiming_uniform_(t, a=0.5),
        "lecun_uniform": lambda t: torch.nn.init.kaiming_uniform_(t, nonlinearity="linear"),
    }
    torch.manual_seed(0)
    for name, theirs in draw.items():
        rng = np.random.default_rng(0)
        more = {"slope": 0.5} if name == "he_uniform" else {}
        function = getattr(initialisers, name)
        limit = max(np.abs(function(shape, rng, **more)).max() for _ in range(size))
        expected = max(float(theirs(tensor).abs().max()) for _ in range(size))
        # the largest of some 4e5 uniform numbers is the limit but for 1e-5
        assert limit == pytest.approx(expected, rel=1e-3)
