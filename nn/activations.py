"""Activations, as functions of Variables and arrays alike; `activation_layers` has the modules.

They are NumPy calls, and the core's logistic function, so that the tape differentiates them to
every order. What needs care is the range: their values and derivatives are right, and no warning is
raised, from −1000 to 1000 and for −∞, which masks an entry out. NaN is passed on. All raise
TypeError for what is not real numbers, and those along an axis ValueError (NumPy's AxisError) for
one that x does not have.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from autograd_lite.errors import kind
from autograd_lite.rules.elementwise import logistic
from nn.initialisers import known_generator
from nn.module import Operand, floating, held_constant
from nn.settings import number


def sigmoid(x: Operand) -> Any:
    """The logistic function, z = σ(x) = 1 / (1 + e^(−x)), elementwise (lecture 1).

    x: any shape, z: the same. σ and its derivatives keep their digits in both tails, as far as the
    dtype holds e^(−|x|) as a normal number: |x| < 708 in float64, 87 in float32.

    >>> import numpy as np, autograd_lite as ag, nn
    >>> nn.sigmoid(np.array([-1000.0, 0.0, 1000.0])).round(6)
    array([0. , 0.5, 1. ])
    >>> x = ag.Variable(0.0)
    >>> nn.sigmoid(x).backward()
    >>> x.grad
    array(0.25)
    """
    # The core's logistic function, the slope of np.logaddexp. Spelt out in NumPy, the derivative
    # would pass through 1/(1 + e^(−x))², which is 0 below −372; by way of tanh, σ itself has no
    # digits below −37; and e^(−logaddexp(0, −x)) is right, and takes up to three times as long.
    return logistic(floating(x))


def tanh(x: Operand) -> Any:
    """The hyperbolic tangent, z = tanh(x), elementwise: `np.tanh` (lecture 2).

    x: any shape, z: the same.

    >>> import numpy as np, nn
    >>> nn.tanh(np.array([-100.0, 0.0, 100.0]))
    array([-1.,  0.,  1.])
    """
    return np.tanh(floating(x))


def linear(x: Operand) -> Any:
    """No activation at all, z = x (lecture 5); a layer that multiplies is `nn.FullyConnected`.

    x: any shape, z: the same. In hidden layers it is of no use: linear maps of linear maps are
    linear.

    >>> import numpy as np, nn
    >>> nn.linear(np.array([-2.0, 3.0]))
    array([-2.,  3.])
    """
    return np.positive(floating(x))


def binary_step(x: Operand) -> Any:
    """On or off, z = 1 where x ≥ 0 and 0 elsewhere, with slope 0 everywhere (lecture 5).

    x: any shape, z: the same. No gradient comes through it, so what lies below cannot learn.

    >>> import numpy as np, nn
    >>> nn.binary_step(np.array([-2.0, 0.0, 3.0]))
    array([0., 1., 1.])
    """
    return np.heaviside(floating(x), 1)


def relu(x: Operand) -> Any:
    """The rectifier, z = max(x, 0), elementwise, with slope 0 at 0 (lecture 4).

    x: any shape, z: the same.

    >>> import numpy as np, nn
    >>> nn.relu(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """
    return np.clip(floating(x), 0, None)


def leaky_relu(x: Operand, slope: float = 0.01) -> Any:
    """A rectifier that lets a little through, z = x for x > 0, slope·x below (lecture 2).

    x: any shape, z: the same. At 0 the derivative is that of smallest norm between `slope` and 1:
    `slope` itself if it lies between 0 and 1. Maas, Hannun and Ng 2013. Raises ValueError, too, for
    a slope of NaN.

    >>> import numpy as np, nn
    >>> nn.leaky_relu(np.array([-2.0, 0.0, 3.0]))
    array([-0.02,  0.  ,  3.  ])
    """
    return parametric_relu(x, known_slope("leaky_relu", slope))


def known_slope(asked: str, slope: float) -> float:
    """The slope below 0 as Python's number, or a ValueError where it is NaN."""
    return number(asked, "the slope", slope, "a number", lambda s: not np.isnan(s))


def parametric_relu(x: Operand, slope: Operand) -> Any:
    """A rectifier with slopes that can be learned, z = x for x > 0, slope·x below (lecture 2's β).

    x: any shape; slope: one number, or an array that broadcasts against x; z: the shape of x. At 0
    the derivative is that of smallest norm between the slope and 1. He and others 2015, equation 1.

    Raises ValueError for slopes that would broadcast x to another shape.

    >>> import numpy as np, nn
    >>> nn.parametric_relu(np.array([[-2.0, -2.0], [4.0, -4.0]]), np.array([0.5, 0.25]))
    array([[-1. , -0.5],
           [ 4. , -1. ]])
    """
    x = floating(x)
    slope = _one_or_several("parametric_relu", x, "slope", slope)
    at_or_below = np.where(x < 0, slope, np.clip(slope, 0, 1))
    return x * np.where(x > 0, x.dtype.type(1), at_or_below)


def _one_or_several(asked: str, x: Any, name: str, value: Operand) -> Any:
    """A setting that may be learned and leaves x its shape; numbers take on the dtype of x."""
    is_number = not hasattr(value, "dtype") or isinstance(value, np.generic)
    value = floating(value)
    along = x.shape[x.ndim - value.ndim :]
    if value.ndim > x.ndim or any(n not in (1, m) for n, m in zip(value.shape, along, strict=True)):
        raise ValueError(
            f"{asked}: x: {kind(x)}, {name}: {kind(value)}; pass one {name}, or one for each place "
            f"along some axes of x"
        )
    return value.astype(x.dtype) if is_number else value


def noisy_relu(x: Operand, rng: np.random.Generator) -> Any:
    """The rectifier of a noisy input, z = max(0, x + ε), ε ~ N(0, σ(x)) (lecture 2).

    x: any shape, z: the same. ε = √σ(x)·n, with n drawn from `rng`, one standard normal number for
    each entry: σ(x), the logistic function, is the variance (Nair and Hinton 2010). The derivative
    is that of z for these n. `nn.NoisyReLU` adds noise in training alone. Raises TypeError, too,
    for `rng` that is not a `numpy.random.Generator`.

    >>> import numpy as np, nn
    >>> nn.noisy_relu(np.full(3, 2.0), np.random.default_rng(0)).round(3)
    array([2.118, 1.876, 2.601])
    """
    x = floating(x)
    noise = known_generator("noisy_relu", rng).standard_normal(x.shape).astype(x.dtype)
    # the square root of σ(x) as an exponential: the root's own slope at σ(−1000) = 0 is infinite
    return relu(x + np.exp(-0.5 * np.logaddexp(0, -x)) * noise)


def elu(x: Operand, alpha: float = 1.0) -> Any:
    """A rectifier with a smooth bend, z = x for x > 0, alpha·(e^x − 1) below (lecture 5).

    x: any shape, z: the same. At 0 the derivative is the smaller of alpha and 1, that of smallest
    norm; with alpha = 1 there is no kink. Clevert, Unterthiner and Hochreiter 2016, equation 15.

    Raises ValueError for alpha below 0.

    >>> import numpy as np, nn
    >>> nn.elu(np.array([-1000.0, 0.0, 3.0]))
    array([-1.,  0.,  3.])
    """
    x, alpha = floating(x), known_alpha("elu", alpha)
    straight = x > 0 if alpha < 1 else x >= 0
    # e^x is kept from overflowing where it is not wanted
    return np.where(straight, x, alpha * np.expm1(np.where(straight, 0, x)))


def known_alpha(asked: str, alpha: float) -> float:
    """The `alpha` of ELU as Python's number, or a ValueError where it is negative or NaN."""
    return number(asked, "alpha", alpha, "at least 0", lambda a: a >= 0)


def softplus(x: Operand) -> Any:
    """A smooth rectifier, z = log(1 + e^x), elementwise; its derivative is `sigmoid` (lecture 2).

    x: any shape, z: the same, exact relative to its own size.

    >>> import numpy as np, nn
    >>> nn.softplus(np.array([-1000.0, 0.0, 1000.0])).round(4)
    array([0.000e+00, 6.931e-01, 1.000e+03])
    """
    return np.logaddexp(0, floating(x))


def swish(x: Operand, beta: Operand = 1.0) -> Any:
    """The input times its own gate, z = x·σ(βx) (lecture 5); with β = 1 also called SiLU.

    x: any shape, z: the same; beta: one number, or an array that broadcasts against x, which may be
    a Variable to be learned. −∞ gives 0, the limit, for β > 0. Ramachandran, Zoph and Le 2017.

    Raises ValueError for β that would broadcast x to another shape.

    >>> import numpy as np, nn
    >>> nn.swish(np.array([-1000.0, 0.0, 2.0])).round(4)
    array([-0.    ,  0.    ,  1.7616])
    """
    x = floating(x)
    if type(beta) is not float:  # which is fine as it is, and usual
        beta = _one_or_several("swish", x, "beta", beta)
    x = np.where((x == -np.inf) & (beta > 0), 0, x)  # −∞·σ(−∞) would be −∞·0
    return x * sigmoid(x * beta)


def gelu(x: Operand) -> Any:
    """The input times the chance that a normal number is below it, z ≈ x·Φ(x), by way of tanh.

    z = ½x·(1 + tanh(√(2/π)·(x + 0.044715·x³))), which is within 5e-4 of x·Φ(x): the approximation
    of Hendrycks and Gimpel 2016, section 2, as used in BERT and GPT-2. Φ itself needs the error
    function, which NumPy does not have. x: any shape, z: the same; −∞ gives 0, the limit.

    >>> import numpy as np, nn
    >>> nn.gelu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1588,  0.    ,  0.8412])
    """
    # ½·(1 + tanh u) = σ(2u), which keeps its digits where tanh u is near −1. Beyond ±25 it is 0
    # or 1 in any dtype, and x³ is kept from overflowing.
    inside = np.clip(floating(x), -25, None)
    bounded = np.clip(inside, None, 25)
    return inside * sigmoid(math.sqrt(8 / math.pi) * bounded * (1 + 0.044715 * np.square(bounded)))


def softmax(x: Operand, axis: int = -1) -> Any:
    """Positive numbers that sum to 1 along an axis, zᵢ = e^(xᵢ) / Σⱼ e^(xⱼ) (lectures 1 and 4).

    x: any shape with at least one axis, z: the same. An entry of −∞ gets 0, and so does every entry
    of a row that is nothing but −∞. x is shifted by its maximum, which does not change z. z and its
    slopes ∂zᵢ/∂xⱼ are exact relative to their own size; but that of zᵢ by its own xᵢ has the factor
    1 − zᵢ, exact to rounding of 1. A row with +∞ is NaN.

    >>> import numpy as np, nn
    >>> nn.softmax(np.array([2.0, 1.0, 0.1])).round(1)
    array([0.7, 0.2, 0.1])
    """
    x = floating(x)
    _refuse_no_axis("softmax", axis, x)
    lowest, never = _limits(x.dtype)
    e = np.exp(x - held_constant(x).max(axis=axis, keepdims=True, initial=lowest))
    return e / e.sum(axis=axis, keepdims=True, initial=never)


def log_softmax(x: Operand, axis: int = -1) -> Any:
    """The logarithm of `softmax`, zᵢ = xᵢ − log Σⱼ e^(xⱼ), finite where softmax underflows to 0.

    x: any shape with at least one axis, z: the same. −∞ stays −∞; a row with +∞ is NaN. z and its
    slopes are exact to rounding at their own size or 1, whichever is more: next to an entry that
    outweighs all others, z and 1 − p are 0 below that.

    >>> import numpy as np, nn
    >>> nn.log_softmax(np.array([1000.0, 0.0]))
    array([    0., -1000.])
    """
    x = floating(x)
    _refuse_no_axis("log_softmax", axis, x)
    lowest, never = _limits(x.dtype)
    shifted = x - held_constant(x).max(axis=axis, keepdims=True, initial=lowest)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True, initial=never))


def logsumexp(x: Operand, axis: int = -1, keepdims: bool = False) -> Any:
    """A smooth maximum along an axis, z = log Σⱼ e^(xⱼ); its derivative is `softmax`.

    x: any shape with at least one axis, z: without that axis, or with 1 in its place (`keepdims`).
    The result for no entries, and for nothing but −∞, is −∞, with slopes of 0; with +∞ among them
    it is +∞, and has no slope: NaN. z is exact to rounding at the size of 1 or of the largest
    entry, whichever is more; its derivative relative to its own size.

    >>> import numpy as np, nn
    >>> nn.logsumexp(np.array([[0.0, 0.0], [1000.0, -np.inf]])).round(4)
    array([6.931e-01, 1.000e+03])
    """
    x = floating(x)
    _refuse_no_axis("logsumexp", axis, x)
    lowest, never = _limits(x.dtype)
    top = held_constant(x).max(axis=axis, keepdims=True, initial=-np.inf)
    shift = np.clip(top, lowest, -lowest)
    z = np.log(np.exp(x - shift).sum(axis=axis, keepdims=True, initial=never)) + top
    return z if keepdims else np.sum(z, axis=axis)


def _refuse_no_axis(asked: str, axis: Any, x: Any) -> None:
    """Raise NumPy's AxisError, with the name of what was asked, for an axis that x does not have.

    As for NumPy's reductions, a single number has one, and several may be given.
    """
    for each in axis if isinstance(axis, tuple) else () if axis is None else (axis,):
        normalize_axis_index(each, max(x.ndim, 1), asked)


@functools.cache
def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """What a row of nothing but −∞ is shifted by, and what no sum of exponentials can be below.

    A finite shift, as −∞ − (−∞) is NaN; and a quarter of the rounding unit, which makes a sum of
    zeros a harmless divisor: every other sum is at least 1, and so much more changes nothing.
    """
    numbers = np.finfo(dtype)
    return float(numbers.min), float(numbers.eps) / 4
