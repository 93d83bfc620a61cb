"""Activations: functions of Variables and arrays alike, and the modules that wrap them.

The functions are NumPy calls, so that the tape differentiates them to every order. What needs care
is the range: their values and derivatives are right, and no warning is raised, from −1000 to 1000
and for −∞, which masks an entry out.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.rules.elementwise import exp_bound
from nn import cheat_sheets
from nn.module import Module, Operand, floating, operand


def sigmoid(x: Operand) -> Any:
    """The logistic function, z = σ(x) = 1 / (1 + e^(−x)), elementwise (lecture 1).

    x: any shape, z: the same. σ is accurate relative to its size while it is a normal number of the
    dtype (x > −708 in float64, −87 in float32), and σ' while σ² is one (x > −354, −43); below, they
    are off by less than 1e-150 in float64.

    >>> import numpy as np, autograd_lite as ag, nn
    >>> nn.sigmoid(np.array([-1000.0, 0.0, 1000.0])).round(6)
    array([0. , 0.5, 1. ])
    >>> x = ag.Variable(0.0)
    >>> nn.sigmoid(x).backward()
    >>> x.grad
    array(0.25)
    """
    x = floating(x)
    return 1 / (1 + np.exp(-x.clip(-exp_bound(x.dtype))))


def relu(x: Operand) -> Any:
    """The rectifier, z = max(x, 0), elementwise, with slope 0 at 0 (lecture 4).

    x: any shape, z: the same.

    >>> import numpy as np, nn
    >>> nn.relu(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """
    return np.clip(operand(x), 0, None)


def softmax(x: Operand, axis: int = -1) -> Any:
    """Positive numbers that sum to 1 along an axis, zᵢ = e^(xᵢ) / Σⱼ e^(xⱼ) (lectures 1 and 4).

    x: any shape with at least one axis, z: the same. An entry of −∞ gets 0, and so does every entry
    of a row that is nothing but −∞. x is shifted by its maximum, which does not change z.

    >>> import numpy as np, nn
    >>> nn.softmax(np.array([2.0, 1.0, 0.1])).round(1)
    array([0.7, 0.2, 0.1])
    """
    x = floating(x)
    lowest, never = _limits(x.dtype)
    e = np.exp(x - _constant(x).max(axis=axis, keepdims=True, initial=lowest))
    return e / e.sum(axis=axis, keepdims=True, initial=never)


def log_softmax(x: Operand, axis: int = -1) -> Any:
    """The logarithm of `softmax`, zᵢ = xᵢ − log Σⱼ e^(xⱼ), finite where softmax underflows to 0.

    x: any shape with at least one axis, z: the same. −∞ stays −∞.

    >>> import numpy as np, nn
    >>> nn.log_softmax(np.array([1000.0, 0.0]))
    array([    0., -1000.])
    """
    x = floating(x)
    lowest, never = _limits(x.dtype)
    shifted = x - _constant(x).max(axis=axis, keepdims=True, initial=lowest)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True, initial=never))


def logsumexp(x: Operand, axis: int = -1, keepdims: bool = False) -> Any:
    """A smooth maximum along an axis, z = log Σⱼ e^(xⱼ); its derivative is `softmax`.

    x: any shape with at least one axis, z: without that axis, or with 1 in its place (`keepdims`).
    The result for nothing but −∞ is −∞.

    >>> import numpy as np, nn
    >>> nn.logsumexp(np.array([[0.0, 0.0], [1000.0, -np.inf]])).round(4)
    array([6.931e-01, 1.000e+03])
    """
    x = floating(x)
    lowest, never = _limits(x.dtype)
    top = _constant(x).max(axis=axis, keepdims=True)
    e = np.exp(x - np.maximum(top, lowest))
    z = np.log(e.sum(axis=axis, keepdims=True, initial=never)) + top
    return z if keepdims else np.sum(z, axis=axis)


def _constant(x: Any) -> Any:
    """x, of which a maximum may be taken that is subtracted and has no part in the derivative.

    Holding it constant is exact, since no result depends on what is subtracted; doing so by
    `detach` keeps it on the record, and a replay with other numbers finds its own maximum.
    """
    return x.detach() if isinstance(x, ag.Variable) else x


@functools.cache
def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """What a row of nothing but −∞ is shifted by, and what no sum of exponentials can be below.

    A finite shift, as −∞ − (−∞) is NaN; and a quarter of the rounding unit, which makes a sum of
    zeros a harmless divisor: every other sum is at least 1, and so much more changes nothing.
    """
    limits = np.finfo(dtype)
    return float(limits.min), float(limits.eps) / 4


class Sigmoid(Module):
    """The layer of `nn.sigmoid`: σ elementwise, any shape.

    >>> import numpy as np, nn
    >>> nn.Sigmoid()(np.zeros(2))
    array([0.5, 0.5])
    """

    formula = cheat_sheets.Sigmoid.formulas["forward"]

    def forward(self, x: Operand) -> Any:
        """σ(x)."""
        return sigmoid(x)


class Tanh(Module):
    """The layer of `np.tanh`: the hyperbolic tangent elementwise, any shape.

    >>> import numpy as np, nn
    >>> nn.Tanh()(np.array([-100.0, 0.0, 100.0]))
    array([-1.,  0.,  1.])
    """

    formula = "Y = tanh(X)"

    def forward(self, x: Operand) -> Any:
        """tanh(x)."""
        return np.tanh(operand(x))


class ReLU(Module):
    """The layer of `nn.relu`: max(x, 0) elementwise, any shape.

    >>> import numpy as np, nn
    >>> nn.ReLU()(np.array([-1.0, 1.0]))
    array([0., 1.])
    """

    formula = "Y = max(X, 0)"

    def forward(self, x: Operand) -> Any:
        """max(x, 0)."""
        return relu(x)


class Softmax(Module):
    """The layer of `nn.softmax` along `axis`, by default the last: each row sums to 1.

    >>> import numpy as np, nn
    >>> nn.Softmax()(np.zeros((2, 4)))
    array([[0.25, 0.25, 0.25, 0.25],
           [0.25, 0.25, 0.25, 0.25]])
    """

    formula = cheat_sheets.Softmax.formulas["forward"]

    def __init__(self, axis: int = -1):
        self.axis = axis

    def forward(self, x: Operand) -> Any:
        """softmax(x) along the axis."""
        return softmax(x, self.axis)

    def __repr__(self) -> str:
        return f"Softmax({'' if self.axis == -1 else f'axis={self.axis}'})"
