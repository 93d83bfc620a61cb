"""What the tests of optimisers share: one of every kind, and something to go down."""

import numpy as np
import pytest

import autograd_lite as ag
from nn.optimisers import SGD, Adagrad, Adam, AdamW, RMSProp

# every kind of update there is, with rates that suit the quadratic below
KINDS = {
    "SGD": lambda parameters, **more: SGD(parameters, **{"learning_rate": 0.1, **more}),
    "momentum": lambda parameters, **more: SGD(
        parameters, **{"learning_rate": 0.05, "momentum": 0.8, **more}
    ),
    "nesterov": lambda parameters, **more: SGD(
        parameters, **{"learning_rate": 0.05, "momentum": 0.8, "nesterov": True, **more}
    ),
    "Adagrad": lambda parameters, **more: Adagrad(parameters, **{"learning_rate": 1.0, **more}),
    "RMSProp": lambda parameters, **more: RMSProp(parameters, **{"learning_rate": 0.003, **more}),
    "RMSProp, all": lambda parameters, **more: RMSProp(
        parameters,
        **{
            "learning_rate": 0.001,
            "decay": 0.99,
            "momentum": 0.5,
            "centred": True,
            "epsilon": 0.1,
            **more,
        },
    ),
    "Adam": lambda parameters, **more: Adam(parameters, **{"learning_rate": 0.1, **more}),
    "AMSGrad": lambda parameters, **more: Adam(
        parameters, **{"learning_rate": 0.1, "amsgrad": True, **more}
    ),
    "AdamW": lambda parameters, **more: AdamW(parameters, **{"learning_rate": 0.1, **more}),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def quadratic(x, y):
    """½·(x − target)ᵀA(x − target) + (y − 1)², curvatures from 1 to 4."""
    away = x - np.array([2.0, -1.0], x.dtype)
    A = np.array([[2.0, 1.0], [1.0, 3.0]], x.dtype)
    return away @ (A @ away) / 2 + (y - 1) ** 2


def start(dtype=float):
    return [ag.Variable(np.array([-1.0, 0.5], dtype), name="x"), ag.Variable(dtype(3.0), name="y")]


def steps(optimiser, parameters, count):
    for _ in range(count):
        optimiser.zero_grad()
        quadratic(*parameters).backward()
        optimiser.step()


def values(parameters):
    return [parameter.data.copy() for parameter in parameters]


def with_gradient(value, gradient, dtype=float):
    x = ag.Variable(np.array(value, dtype))
    x.grad = gradient
    return x
