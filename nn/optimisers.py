"""Optimisers: how parameters follow their gradients."""

from __future__ import annotations

from math import sqrt
from typing import Any, Protocol

import numpy as np

from autograd_lite.variable import Array
from nn.first_order import (
    FLAG,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    FirstOrderOptimiser,
    Parameters,
    remembered,
)


class Optimiser(Protocol):
    """What training needs of an optimiser; anything with these two methods will do."""

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""

    def step(self) -> None:
        """Change every parameter that has a gradient."""


class SGD(FirstOrderOptimiser):
    """Stochastic gradient descent, with momentum and weight decay if wanted.

    `SGD(parameters, learning_rate, momentum=0.0, nesterov=False, weight_decay=0.0)`. With η the
    learning rate, in units of θ² per unit of loss, μ the momentum and λ the weight decay:

        g ← ∂L/∂θ + λ·θ                the gradient of L + λ/2·‖θ‖²
        θ ← θ − η·g                    without momentum (lectures 1 and 4)
        v ← μ·v + g,  θ ← θ − η·v      momentum (Polyak 1964; Sutskever et al. 2013, equations 1, 2)
        θ ← θ − η·(g + μ·v)            nesterov (Nesterov 1983; ibid., equations 3, 4)

    v is 0 at first. As in PyTorch it sums gradients, so that a change of η acts at once; in the
    paper of 2013 it sums −η·g, which is the same as long as η stays. With `nesterov`, θ is the
    place ahead, to where momentum alone would go and where the paper takes the gradient.

    A parameter without a gradient stays as it is. Settings are attributes that may be changed
    between steps, and may differ between groups of parameters: `nn.FirstOrderOptimiser` says how,
    and what is refused. Raises ValueError for `nesterov` without momentum, too.

    >>> import autograd_lite as ag, nn
    >>> x = ag.Variable(0.0)
    >>> sgd = nn.SGD([x], learning_rate=0.5)
    >>> (x ** 2 + 2 * x - 2).backward()
    >>> sgd.step()
    >>> x.item()
    -1.0
    """

    settings = {  # noqa: RUF012 - annotated as a ClassVar in FirstOrderOptimiser
        "learning_rate": NOT_NEGATIVE,
        "momentum": FRACTION,
        "nesterov": FLAG,
        "weight_decay": NOT_NEGATIVE,
    }
    also_remembered = ("v",)

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ):
        self.learning_rate, self.momentum = learning_rate, momentum
        self.nesterov, self.weight_decay = nesterov, weight_decay
        super().__init__(parameters)
        if any(s["nesterov"] and not s["momentum"] for s in map(self._settings_of, self.groups)):
            raise ValueError("SGD: nesterov needs momentum; pass for instance momentum=0.9")

    def _update(
        self,
        theta: Array,
        g: Array,
        state: dict[str, Any],
        learning_rate: float,
        momentum: float,
        nesterov: bool,
        weight_decay: float,
    ) -> Array:
        if weight_decay:
            g = g + weight_decay * theta
        if momentum:
            v = remembered(state, "v", theta)
            v *= momentum
            v += g
            g = g + momentum * v if nesterov else v
        change = np.asarray(learning_rate * g)
        return np.subtract(theta, change, change)  # in place; out= takes longer to say so


class Adagrad(FirstOrderOptimiser):
    """A learning rate for every entry, smaller the more its gradients were (Duchi et al. 2011).

    `Adagrad(parameters, learning_rate=0.01, epsilon=1e-10, initial=0.0, weight_decay=0.0)`. With
    η the learning rate, in units of θ, and λ the weight decay, all entry by entry (their figure 1,
    with diagonal matrices):

        g ← ∂L/∂θ + λ·θ
        G ← G + g²                     G = `initial` at first
        θ ← θ − η·g / (√G + ε)

    Groups, settings, parameters without gradient and errors are as for `nn.SGD`.

    >>> import autograd_lite as ag, nn
    >>> x = ag.Variable([3.0, 0.01])
    >>> adagrad = nn.Adagrad([x], learning_rate=0.5)
    >>> (x ** 2).sum().backward()
    >>> adagrad.step()
    >>> x.data.round(6)  # the first step is ±η, whatever the size of the gradient
    array([ 2.5 , -0.49])
    """

    settings = {  # noqa: RUF012
        "learning_rate": NOT_NEGATIVE,
        "epsilon": POSITIVE,
        "initial": NOT_NEGATIVE,
        "weight_decay": NOT_NEGATIVE,
    }
    always_remembered = ("G",)

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 0.01,
        epsilon: float = 1e-10,
        initial: float = 0.0,
        weight_decay: float = 0.0,
    ):
        self.learning_rate, self.epsilon = learning_rate, epsilon
        self.initial, self.weight_decay = initial, weight_decay
        super().__init__(parameters)

    def _update(
        self,
        theta: Array,
        g: Array,
        state: dict[str, Any],
        learning_rate: float,
        epsilon: float,
        initial: float,
        weight_decay: float,
    ) -> Array:
        if weight_decay:
            g = g + weight_decay * theta
        new = np.empty_like(theta)
        G = remembered(state, "G", theta, initial)
        G += np.square(g, out=new)
        return _scaled_step(theta, g, G, 1.0, epsilon, learning_rate, new)


class RMSProp(FirstOrderOptimiser):
    """Gradients divided by a running root of their mean square (Hinton 2012, lecture 6e).

    `RMSProp(parameters, learning_rate=0.001, decay=0.9, epsilon=1e-8, momentum=0.0, centred=False,
    weight_decay=0.0)`. With η the learning rate, in units of θ, ρ the decay, μ the momentum and λ
    the weight decay, all entry by entry:

        g ← ∂L/∂θ + λ·θ
        r ← ρ·r + (1 − ρ)·g²           r = 0 at first
        m ← ρ·m + (1 − ρ)·g            centred: r − m² is in the place of r below
                                       (Graves 2013, equations 38 to 41, but for the place of ε)
        v ← μ·v + g / (√r + ε)
        θ ← θ − η·v

    Groups, settings, parameters without gradient and errors are as for `nn.SGD`.

    >>> import autograd_lite as ag, nn
    >>> x = ag.Variable([3.0, -0.01])
    >>> rmsprop = nn.RMSProp([x], learning_rate=0.1, decay=0.75)
    >>> (x ** 2).sum().backward()
    >>> rmsprop.step()
    >>> x.data.round(6)  # the first step is ±η / √(1 − ρ)
    array([2.8 , 0.19])
    """

    settings = {  # noqa: RUF012
        "learning_rate": NOT_NEGATIVE,
        "decay": FRACTION,
        "epsilon": POSITIVE,
        "momentum": FRACTION,
        "centred": FLAG,
        "weight_decay": NOT_NEGATIVE,
    }
    always_remembered = ("r",)
    also_remembered = ("m", "v")

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 0.001,
        decay: float = 0.9,
        epsilon: float = 1e-8,
        momentum: float = 0.0,
        centred: bool = False,
        weight_decay: float = 0.0,
    ):
        self.learning_rate, self.decay, self.epsilon = learning_rate, decay, epsilon
        self.momentum, self.centred, self.weight_decay = momentum, centred, weight_decay
        super().__init__(parameters)

    def _update(
        self,
        theta: Array,
        g: Array,
        state: dict[str, Any],
        learning_rate: float,
        decay: float,
        epsilon: float,
        momentum: float,
        centred: bool,
        weight_decay: float,
    ) -> Array:
        if weight_decay:
            g = g + weight_decay * theta
        new = np.empty_like(theta)
        r = remembered(state, "r", theta)
        _average(r, np.square(g, out=new), decay, new)
        if centred:
            m = remembered(state, "m", theta)
            _average(m, g, decay, new)
            r = np.maximum(r - m * m, 0)  # rounding can make it less
        if not momentum:
            return _scaled_step(theta, g, r, 1.0, epsilon, learning_rate, new)
        v = remembered(state, "v", theta)
        v *= momentum
        np.sqrt(r, out=new)
        new += epsilon
        v += np.divide(g, new, out=new)
        np.multiply(v, learning_rate, out=new)
        return np.subtract(theta, new, out=new)


class Adam(FirstOrderOptimiser):
    """Adaptive moments: a running mean of gradients over the root of that of their squares.

    `Adam(parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0,
    amsgrad=False)`. Entry by entry (Kingma and Ba 2015, algorithm 1), where α is the learning rate,
    in units of θ, t counts the steps of a parameter, and λ is the weight decay:

        g ← ∂L/∂θ + λ·θ
        m ← β₁·m + (1 − β₁)·g,   m̂ = m / (1 − β₁ᵗ)
        v ← β₂·v + (1 − β₂)·g²,  v̂ = v / (1 − β₂ᵗ)
        θ ← θ − α·m̂ / (√v̂ + ε)

    m and v are 0 at first. With `amsgrad`, the largest v so far stands in v̂, so that rates never
    grow (Reddi et al. 2018, algorithm 2). Groups, settings, parameters without gradient and errors
    are as for `nn.SGD`.

    >>> import autograd_lite as ag, nn
    >>> x = ag.Variable([3.0, -0.01])
    >>> adam = nn.Adam([x], learning_rate=0.1)
    >>> (x ** 2).sum().backward()
    >>> adam.step()
    >>> x.data.round(6)  # the first step is ±α, whatever the size of the gradient
    array([2.9 , 0.09])
    """

    settings = {  # noqa: RUF012
        "learning_rate": NOT_NEGATIVE,
        "beta1": FRACTION,
        "beta2": FRACTION,
        "epsilon": POSITIVE,
        "weight_decay": NOT_NEGATIVE,
        "amsgrad": FLAG,
    }
    always_remembered = ("t", "m", "v")
    also_remembered = ("largest",)

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ):
        self.learning_rate, self.beta1, self.beta2 = learning_rate, beta1, beta2
        self.epsilon, self.weight_decay, self.amsgrad = epsilon, weight_decay, amsgrad
        super().__init__(parameters)

    def _update(
        self,
        theta: Array,
        g: Array,
        state: dict[str, Any],
        learning_rate: float,
        beta1: float,
        beta2: float,
        epsilon: float,
        weight_decay: float,
        amsgrad: bool,
    ) -> Array:
        if weight_decay:
            g = g + weight_decay * theta
        new = np.empty_like(theta)
        t = state["t"] = state.get("t", 0) + 1
        m, v = remembered(state, "m", theta), remembered(state, "v", theta)
        _average(m, g, beta1, new)
        _average(v, np.square(g, out=new), beta2, new)
        if amsgrad:
            largest = remembered(state, "largest", theta)
            v = np.maximum(largest, v, out=largest)
        rate = learning_rate / (1 - beta1**t)
        return _scaled_step(theta, m, v, 1 - beta2**t, epsilon, rate, new)


class AdamW(Adam):
    """Adam with weight decay of its own, not through the gradient (Loshchilov and Hutter 2019).

    `AdamW(parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01,
    amsgrad=False)`. Their algorithm 2: weights shrink by a share of themselves that the size of
    gradients does not change,

        θ ← θ − α·λ·θ − α·m̂ / (√v̂ + ε),

    where m̂ and v̂ are those of `nn.Adam` without λ. As in PyTorch, λ is a share per unit of α, and
    follows its schedule. Groups, settings, parameters without gradient and errors are as for
    `nn.SGD`.

    >>> import autograd_lite as ag, nn
    >>> x = ag.Variable([3.0, -1.0])
    >>> adam = nn.AdamW([x], learning_rate=0.1, weight_decay=0.5)
    >>> x.sum().backward()
    >>> adam.step()
    >>> x.data.round(6)  # 0.95·3 − 0.1 and 0.95·(−1) − 0.1
    array([ 2.75, -1.05])
    """

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
    ):
        super().__init__(parameters, learning_rate, beta1, beta2, epsilon, weight_decay, amsgrad)

    def _update(
        self, theta: Array, g: Array, state: dict[str, Any], *_: Any, **settings: Any
    ) -> Array:
        shrunk = theta * (1 - settings["learning_rate"] * settings["weight_decay"])
        return super()._update(shrunk, g, state, **{**settings, "weight_decay": 0.0})


# What follows works in arrays that are there already: a step is a matter of passes over memory.


def _average(mean: Array, value: Array, decay: float, free: Array) -> None:
    """In place: mean ← decay·mean + (1 − decay)·value. The array `free` may be `value`."""
    mean *= decay
    mean += np.multiply(value, 1 - decay, out=free)


def _scaled_step(
    theta: Array, m: Array, v: Array, share: float, epsilon: float, rate: float, new: Array
) -> Array:
    """θ − rate·m / (√(v / share) + ε), in the array `new`."""
    np.sqrt(v, out=new)
    if share != 1:
        new /= sqrt(share)
    new += epsilon
    np.divide(m, new, out=new)
    new *= rate
    return np.subtract(theta, new, out=new)
