"""Losses as modules, to be given to a network as its loss; `losses` has the functions.

Called with predictions and targets; settings are given once, when the module is made. They raise
what the functions do, and ValueError for settings out of range when they are made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from nn import cheat_sheets, losses
from nn.loss_terms import (
    Reduction,
    known_class_weights,
    known_label,
    known_reduction,
    known_share,
)
from nn.module import Module, Operand


class Loss(Module):
    """What the losses share: a function of predictions, targets and reduction, called in forward.

    A subclass names its `function`, and as `formula` that of one entry or row, "L = …"; one with
    more settings has them in `settings`. Made with a reduction, its formula says so.
    """

    function: ClassVar[Callable[..., Any]]

    def __init__(self, *, reduction: Reduction = "mean"):
        self.reduction = known_reduction(type(self).__name__, reduction)
        if self.formula and reduction != "none":
            self.formula = self.formula.replace("L = ", f"L = {reduction} of ", 1)

    def settings(self) -> dict[str, Any]:
        """The settings of the function beside the reduction."""
        return {}

    def forward(self, x: Operand, t: Operand) -> Any:
        """The loss of predictions x and targets t."""
        return type(self).function(x, t, **self.settings(), reduction=self.reduction)

    def __repr__(self) -> str:
        settings = {**self.settings(), "reduction": self.reduction}
        if self.reduction == "mean":
            del settings["reduction"]
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in settings.items())})"


class MeanSquaredError(Loss):
    """The loss layer of `nn.mean_squared_error`: predictions and targets of one shape.

    >>> import numpy as np, nn
    >>> float(nn.MeanSquaredError()(np.array([1.0, 3.0]), np.array([1.0, 1.0])))
    2.0
    """

    formula = "L = (x − t)²"
    function = staticmethod(losses.mean_squared_error)


class HalfSquaredError(Loss):
    """The loss layer of `nn.half_squared_error`: predictions and targets of one shape.

    >>> import numpy as np, nn
    >>> float(nn.HalfSquaredError()(np.array([1.0, 3.0]), np.array([1.0, 1.0])))
    2.0
    """

    formula = cheat_sheets.MeanSquaredError.formulas["forward"]
    function = staticmethod(losses.half_squared_error)


Euclidean = HalfSquaredError
"""Lecture 2's name for `HalfSquaredError`."""


class MeanAbsoluteError(Loss):
    """The loss layer of `nn.mean_absolute_error`: predictions and targets of one shape.

    >>> import numpy as np, nn
    >>> float(nn.MeanAbsoluteError()(np.array([1.0, 3.0]), np.array([1.0, 1.0])))
    1.0
    """

    formula = "L = |x − t|"
    function = staticmethod(losses.mean_absolute_error)


class Huber(Loss):
    """The loss layer of `nn.huber`: predictions and targets of one shape.

    Raises ValueError for a delta that is not above 0.

    >>> import numpy as np, nn
    >>> float(nn.Huber(delta=2.0)(np.array([1.0, 4.0]), np.array([1.0, 1.0])))
    2.0
    """

    formula = "L = ½d² where |d| ≤ δ, else δ·(|d| − ½δ); d = x − t"
    function = staticmethod(losses.huber)

    def __init__(self, *, delta: float = 1.0, reduction: Reduction = "mean"):
        super().__init__(reduction=reduction)
        self.delta = losses.known_delta("Huber", delta)

    def settings(self) -> dict[str, Any]:
        """The delta."""
        return {"delta": self.delta}


class BinaryCrossEntropy(Loss):
    """The loss layer of `nn.binary_cross_entropy`: probabilities of yes, and 1 or 0.

    >>> import numpy as np, nn
    >>> round(float(nn.BinaryCrossEntropy()(np.array([0.5, 1.0]), np.array([1, 1]))), 4)
    0.3466
    """

    formula = "L = −(t·log x + (1 − t)·log(1 − x))"
    function = staticmethod(losses.binary_cross_entropy)


class BinaryCrossEntropyFromLogits(Loss):
    """The loss layer of `nn.binary_cross_entropy_from_logits`: logits of yes, and 1 or 0.

    >>> import numpy as np, nn
    >>> loss = nn.BinaryCrossEntropyFromLogits()
    >>> round(float(loss(np.array([0.0, 1000.0]), np.array([1, 1]))), 4)
    0.3466
    """

    formula = "L = t·log(1 + e^(−x)) + (1 − t)·log(1 + e^x)"
    function = staticmethod(losses.binary_cross_entropy_from_logits)


class CrossEntropy(Loss):
    """The loss layer of `nn.cross_entropy`: probabilities (…, classes) and targets.

    >>> import numpy as np, nn
    >>> round(float(nn.CrossEntropy()(np.array([0.5, 0.5]), 0)), 4)
    0.6931
    """

    formula = cheat_sheets.CrossEntropy.formulas["forward"]
    function = staticmethod(losses.cross_entropy)


class NegativeLogLikelihood(Loss):
    """The loss layer of `nn.negative_log_likelihood`: log-probabilities (…, classes) and targets.

    >>> import numpy as np, nn
    >>> loss = nn.NegativeLogLikelihood()
    >>> round(float(loss(nn.log_softmax(np.array([1000.0, 1000.0])), 0)), 4)
    0.6931
    """

    formula = "L = −Σᵢ tᵢ·xᵢ"
    function = staticmethod(losses.negative_log_likelihood)

    def __init__(
        self,
        *,
        class_weights: Operand | None = None,
        ignored_index: int | None = None,
        reduction: Reduction = "mean",
    ):
        super().__init__(reduction=reduction)
        known_class_weights(type(self).__name__, class_weights)
        self.class_weights = class_weights
        self.ignored_index = known_label(type(self).__name__, ignored_index)

    def settings(self) -> dict[str, Any]:
        """Those that were given."""
        settings = {"class_weights": self.class_weights, "ignored_index": self.ignored_index}
        return {key: value for key, value in settings.items() if value is not None}


class CrossEntropyFromLogits(NegativeLogLikelihood):
    """The loss layer of `nn.cross_entropy_from_logits`: logits (…, classes) and targets.

    >>> import numpy as np, nn
    >>> round(float(nn.CrossEntropyFromLogits()(np.array([1000.0, 1000.0]), 0)), 4)
    0.6931
    >>> nn.CrossEntropyFromLogits(label_smoothing=0.1, ignored_index=-1)
    CrossEntropyFromLogits(label_smoothing=0.1, ignored_index=-1)
    """

    formula = "L = −Σᵢ tᵢ·(xᵢ − log Σⱼ e^(xⱼ))"
    function = staticmethod(losses.cross_entropy_from_logits)

    def __init__(
        self,
        *,
        label_smoothing: float = 0.0,
        class_weights: Operand | None = None,
        ignored_index: int | None = None,
        reduction: Reduction = "mean",
    ):
        super().__init__(
            class_weights=class_weights, ignored_index=ignored_index, reduction=reduction
        )
        self.label_smoothing = known_share("CrossEntropyFromLogits", label_smoothing)

    def settings(self) -> dict[str, Any]:
        """Those that were given."""
        smoothing = {"label_smoothing": self.label_smoothing} if self.label_smoothing else {}
        return {**smoothing, **super().settings()}


class Hinge(Loss):
    """The loss layer of `nn.hinge`: scores (…, classes) and integer labels.

    >>> import numpy as np, nn
    >>> float(nn.Hinge()(np.array([2.0, 1.5, 0.0]), 0))
    0.5
    """

    formula = "L = Σ_{j≠t} max(0, xⱼ − x_t + margin)"
    function = staticmethod(losses.hinge)

    def __init__(self, *, margin: float = 1.0, reduction: Reduction = "mean"):
        super().__init__(reduction=reduction)
        self.margin = losses.known_margin("Hinge", margin)

    def settings(self) -> dict[str, Any]:
        """The margin."""
        return {"margin": self.margin}


class KLDivergence(Loss):
    """The loss layer of `nn.kl_divergence`: probabilities predicted, and those aimed at.

    >>> import numpy as np, nn
    >>> round(float(nn.KLDivergence()(np.array([0.5, 0.5]), np.array([1.0, 0.0]))), 4)
    0.6931
    """

    formula = "L = Σᵢ tᵢ·log(tᵢ / xᵢ)"
    function = staticmethod(losses.kl_divergence)
