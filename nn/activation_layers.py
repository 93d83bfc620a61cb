"""Activations as modules, to stand among the layers of a network; `activations` has the functions.

All take any shape and return the same. They raise what the functions do, when they are made where
a setting is at fault.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag
from autograd_lite.errors import kind
from nn import activations, cheat_sheets
from nn.initialisers import generator
from nn.module import Module, Operand, operand
from nn.settings import whole_number


class BinaryStep(Module):
    """The layer of `nn.binary_step`: 1 where x ≥ 0, else 0. No gradient comes through it.

    >>> import numpy as np, nn
    >>> nn.BinaryStep()(np.array([-1.0, 1.0]))
    array([0., 1.])
    """

    formula = "Y = 1 where X ≥ 0, else 0"

    def forward(self, x: Operand) -> Any:
        """binary_step(x)."""
        return activations.binary_step(x)


class Linear(Module):
    """The layer of `nn.linear`: x as it is. The layer with weights is `nn.FullyConnected`.

    Raises TypeError for sizes, which another library's Linear would take.

    >>> import numpy as np, nn
    >>> nn.Linear()(np.array([-1.0, 1.0]))
    array([-1.,  1.])
    """

    formula = "Y = X"

    def __init__(self, *sizes: int):
        if sizes:
            raise TypeError(
                f"Linear: this is the activation z = x and takes no sizes, received: "
                f"{', '.join(map(str, sizes))}; the layer with weights is nn.FullyConnected"
            )

    def forward(self, x: Operand) -> Any:
        """linear(x)."""
        return activations.linear(x)


class Sigmoid(Module):
    """The layer of `nn.sigmoid`: σ elementwise.

    >>> import numpy as np, nn
    >>> nn.Sigmoid()(np.zeros(2))
    array([0.5, 0.5])
    """

    formula = cheat_sheets.Sigmoid.formulas["forward"]

    def forward(self, x: Operand) -> Any:
        """σ(x)."""
        return activations.sigmoid(x)


class Tanh(Module):
    """The layer of `nn.tanh`: the hyperbolic tangent elementwise.

    >>> import numpy as np, nn
    >>> nn.Tanh()(np.array([-100.0, 0.0, 100.0]))
    array([-1.,  0.,  1.])
    """

    formula = "Y = tanh(X)"

    def forward(self, x: Operand) -> Any:
        """tanh(x)."""
        return activations.tanh(x)


class ReLU(Module):
    """The layer of `nn.relu`: max(x, 0) elementwise.

    >>> import numpy as np, nn
    >>> nn.ReLU()(np.array([-1.0, 1.0]))
    array([0., 1.])
    """

    formula = "Y = max(X, 0)"

    def forward(self, x: Operand) -> Any:
        """max(x, 0)."""
        return activations.relu(x)


class LeakyReLU(Module):
    """The layer of `nn.leaky_relu`: x for x > 0, slope·x below.

    Raises ValueError for a slope of NaN.

    >>> import numpy as np, nn
    >>> nn.LeakyReLU(slope=0.5)(np.array([-1.0, 1.0]))
    array([-0.5,  1. ])
    """

    formula = "Y = X where X > 0, else slope·X"

    def __init__(self, slope: float = 0.01):
        self.slope = activations.known_slope("LeakyReLU", slope)

    def forward(self, x: Operand) -> Any:
        """leaky_relu(x) with the slope."""
        return activations.leaky_relu(x, self.slope)

    def __repr__(self) -> str:
        return f"LeakyReLU(slope={self.slope})"


class ParametricReLU(Module):
    """The layer of `nn.parametric_relu`: x for x > 0, β·x below, with β learned (lecture 2).

    `slope` is β, a parameter: one number, or with `features` one for each along `axis`; the axis of
    channels in images is 1. It starts at `start`, 0.25 as in He and others 2015.

    Raises ValueError for `features` below 1 and for x with another number of features.

    >>> import numpy as np, nn
    >>> layer = nn.ParametricReLU(features=2)
    >>> layer(np.array([[-1.0, 1.0]])).data
    array([[-0.25,  1.  ]])
    >>> [name for name, _ in layer.named_parameters()]
    ['slope']
    """

    formula = "Y = X where X > 0, else β·X"
    symbols = {"slope": "β"}  # noqa: RUF012 - annotated as a ClassVar in Module

    def __init__(
        self,
        features: int | None = None,
        start: float = 0.25,
        axis: int = -1,
        dtype: DTypeLike = float,
        name: str | None = None,
    ):
        self.name = name
        if features is not None:
            features = whole_number(self._label, "features", features)
        self.features, self.axis = features, axis
        slope = np.full(() if features is None else (features,), start, dtype)
        self.slope = ag.Variable(slope, self._named("β"))

    def forward(self, x: Operand) -> Any:
        """parametric_relu(x) with the slopes along the axis."""
        x, slope = operand(x), operand(self.slope)
        if self.features is not None:
            if not -x.ndim <= self.axis < x.ndim or x.shape[self.axis] != self.features:
                raise ValueError(
                    f"{self._label}: expected {self.features} features along "
                    f"axis {self.axis}, received: {kind(x)}; pass axis= for the axis of features, "
                    f"or leave features out for one slope"
                )
            shape = [1] * x.ndim
            shape[self.axis] = self.features
            slope = np.reshape(slope, shape)
        return activations.parametric_relu(x, slope)

    def __repr__(self) -> str:
        features = "" if self.features is None else f"features={self.features}"
        axis = "" if self.features is None or self.axis == -1 else f", axis={self.axis}"
        return f"ParametricReLU({features}{axis})"


class NoisyReLU(Module):
    """The layer of `nn.noisy_relu` in training, and of `nn.relu` otherwise (lecture 2).

    `NoisyReLU(rng=None)`: the noise comes from `rng`, a `numpy.random.Generator`.

    >>> import numpy as np, nn
    >>> layer = nn.NoisyReLU(np.random.default_rng(0))
    >>> layer(np.full(3, 2.0)).round(3)
    array([2.118, 1.876, 2.601])
    >>> layer.eval()(np.full(3, 2.0))
    array([2., 2., 2.])
    """

    formula = "Y = max(X + ε, 0), ε ~ N(0, σ(X))"

    def __init__(self, rng: np.random.Generator | None = None):
        self.rng = generator("NoisyReLU", rng)

    def forward(self, x: Operand) -> Any:
        """noisy_relu(x) in training, otherwise relu(x)."""
        return activations.noisy_relu(x, self.rng) if self.training else activations.relu(x)


class ELU(Module):
    """The layer of `nn.elu`: x for x > 0, alpha·(e^x − 1) below.

    Raises ValueError for alpha below 0.

    >>> import numpy as np, nn
    >>> nn.ELU()(np.array([-1000.0, 1.0]))
    array([-1.,  1.])
    """

    formula = "Y = X where X > 0, else alpha·(e^X − 1)"

    def __init__(self, alpha: float = 1.0):
        self.alpha = activations.known_alpha("ELU", alpha)

    def forward(self, x: Operand) -> Any:
        """elu(x) with alpha."""
        return activations.elu(x, self.alpha)

    def __repr__(self) -> str:
        return f"ELU({'' if self.alpha == 1 else f'alpha={self.alpha}'})"


class Softplus(Module):
    """The layer of `nn.softplus`: log(1 + e^x) elementwise.

    >>> import numpy as np, nn
    >>> nn.Softplus()(np.zeros(2)).round(4)
    array([0.6931, 0.6931])
    """

    formula = "Y = log(1 + e^X)"

    def forward(self, x: Operand) -> Any:
        """softplus(x)."""
        return activations.softplus(x)


class Swish(Module):
    """The layer of `nn.swish`: x·σ(βx). A Variable as `beta` is a parameter, and learned.

    >>> import numpy as np, autograd_lite as ag, nn
    >>> nn.Swish()(np.array([0.0, 2.0])).round(4)
    array([0.    , 1.7616])
    >>> nn.Swish(beta=ag.Variable(1.0, name="β")).parameters()
    [Variable(1., name='β')]
    """

    formula = "Y = X ⊙ σ(β·X)"
    symbols = {"beta": "β"}  # noqa: RUF012 - annotated as a ClassVar in Module

    def __init__(self, beta: Operand = 1.0):
        self.beta = beta

    def forward(self, x: Operand) -> Any:
        """swish(x) with β."""
        return activations.swish(x, self.beta)

    def __repr__(self) -> str:
        return f"Swish(beta={self.beta})"


class GELU(Module):
    """The layer of `nn.gelu`: x·Φ(x), by way of tanh.

    >>> import numpy as np, nn
    >>> nn.GELU()(np.array([-1000.0, 1.0])).round(4)
    array([-0.    ,  0.8412])
    """

    formula = "Y = ½X·(1 + tanh(√(2/π)·(X + 0.044715·X³)))"

    def forward(self, x: Operand) -> Any:
        """gelu(x)."""
        return activations.gelu(x)


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
        return activations.softmax(x, self.axis)

    def __repr__(self) -> str:
        return f"Softmax({'' if self.axis == -1 else f'axis={self.axis}'})"


class LogSoftmax(Module):
    """The layer of `nn.log_softmax` along `axis`, by default the last.

    >>> import numpy as np, nn
    >>> nn.LogSoftmax()(np.array([1000.0, 0.0]))
    array([    0., -1000.])
    """

    formula = "yᵢ = xᵢ − log Σⱼ e^(xⱼ)"

    def __init__(self, axis: int = -1):
        self.axis = axis

    def forward(self, x: Operand) -> Any:
        """log_softmax(x) along the axis."""
        return activations.log_softmax(x, self.axis)

    def __repr__(self) -> str:
        return f"LogSoftmax({'' if self.axis == -1 else f'axis={self.axis}'})"
