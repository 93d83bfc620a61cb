"""Schedules: how the learning rate changes during training.

A shape, such as `nn.CosineDecay`, is a function of the step alone: the factor by which the rate of
the beginning is multiplied at step t = 0, 1, 2, …. `nn.Schedule` binds a shape to an optimiser.
`nn.ReduceOnPlateau` has no shape: it goes by the losses it is told.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autograd_lite.errors import kind
from nn.settings import number, whole_number


@dataclass(frozen=True)
class StepDecay:
    """factor^⌊t / every⌋: times `factor` after every so many steps.

    `StepDecay(every, factor=0.1)`. Raises ValueError for less than one step, and a factor that is
    not above 0.

    >>> import nn
    >>> [nn.StepDecay(every=2, factor=0.5)(t) for t in range(6)]
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """

    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        whole_number("StepDecay", "every", self.every)
        _positive("StepDecay", "factor", self.factor)

    def __call__(self, step: int) -> float:
        """The factor at this step."""
        return float(self.factor ** (step // self.every))


@dataclass(frozen=True)
class ExponentialDecay:
    """factor^t: times `factor` at every step.

    `ExponentialDecay(factor)`. Raises ValueError for a factor that is not above 0.

    >>> import nn
    >>> [nn.ExponentialDecay(0.5)(t) for t in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """

    factor: float

    def __post_init__(self) -> None:
        _positive("ExponentialDecay", "factor", self.factor)

    def __call__(self, step: int) -> float:
        """The factor at this step."""
        return float(self.factor**step)


@dataclass(frozen=True)
class CosineDecay:
    """Half a cosine from 1 to `least` in so many steps (Loshchilov and Hutter 2017, equation 5).

    `CosineDecay(steps, least=0.0)`: least + (1 − least)·(1 + cos(π·t / steps)) / 2 for t ≤ steps,
    and `least` from there on. There are no restarts. Raises ValueError for less than one step, and
    for `least` outside [0, 1].

    >>> import nn
    >>> [round(nn.CosineDecay(steps=4)(t), 3) for t in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """

    steps: int
    least: float = 0.0

    def __post_init__(self) -> None:
        whole_number("CosineDecay", "steps", self.steps)
        _share("CosineDecay", "least", self.least)

    def __call__(self, step: int) -> float:
        """The factor at this step."""
        wave = (1 + math.cos(math.pi * min(step / self.steps, 1.0))) / 2
        return self.least + (1 - self.least) * wave


@dataclass(frozen=True)
class WarmUp:
    """A straight line up to 1 in so many steps, and then another shape (Goyal et al. 2017, 2.2).

    `WarmUp(steps, then=None, start=None)`: start + (1 − start)·t / steps for t < steps;
    then(t − steps) from there on, or 1. `start` is 1 / (steps + 1) unless said, so that no step is
    taken with a rate of 0. Raises ValueError for less than one step, and `start` outside [0, 1];
    TypeError for `then` that cannot be called.

    >>> import nn
    >>> shape = nn.WarmUp(3, then=nn.CosineDecay(4))
    >>> [round(shape(t), 3) for t in range(8)]
    [0.25, 0.5, 0.75, 1.0, 0.854, 0.5, 0.146, 0.0]
    """

    steps: int
    then: Callable[[int], float] | None = None
    start: float | None = None

    def __post_init__(self) -> None:
        whole_number("WarmUp", "steps", self.steps)
        if self.start is not None:
            _share("WarmUp", "start", self.start)
        if not (self.then is None or callable(self.then)):
            raise TypeError(
                f"WarmUp: then must be a function of the step, received: {self.then!r}; pass for "
                f"instance nn.CosineDecay(1000)"
            )

    def __call__(self, step: int) -> float:
        """The factor at this step."""
        if step < self.steps:
            start = 1 / (self.steps + 1) if self.start is None else self.start
            return start + (1 - start) * step / self.steps
        return 1.0 if self.then is None else self.then(step - self.steps)


class Schedule:
    """An optimiser's learning rate as a function of the step: rate(t) = shape(t)·rate at first.

    `Schedule(optimiser, shape)`. `shape` is `nn.CosineDecay` and the like, or any function of the
    number of steps taken that gives a factor. It sets the rate for the first step at once; call
    `step()` after each of the optimiser's, or after each epoch: that is what t counts then. Rates
    of groups are all multiplied by the same. What sets `learning_rate` otherwise is overridden.

    Raises TypeError for an optimiser without a learning rate and a shape that cannot be called;
    ValueError when a factor is negative or not finite, naming the step.

    >>> import autograd_lite as ag, nn
    >>> x = ag.Variable(1.0)
    >>> sgd = nn.SGD([x], learning_rate=0.5)
    >>> schedule = nn.Schedule(sgd, nn.WarmUp(1, then=nn.ExponentialDecay(0.5)))
    >>> for _ in range(4):
    ...     (x**2).backward()
    ...     sgd.step()
    ...     sgd.zero_grad()
    ...     print(sgd.learning_rate, x.item())
    ...     schedule.step()
    0.25 0.5
    0.5 0.0
    0.25 0.0
    0.125 0.0
    """

    def __init__(self, optimiser: Any, shape: Callable[[int], float]):
        self._rates = _rates("Schedule", optimiser)
        if not callable(shape):
            raise TypeError(
                f"Schedule: the shape must be a function of the step, received {kind(shape)}; pass "
                f"for instance nn.CosineDecay(1000)"
            )
        self.optimiser, self.shape, self.steps = optimiser, shape, 0
        self._apply()

    def step(self) -> None:
        """Count a step, and set the learning rate for the next."""
        self.steps += 1
        self._apply()

    def state_dict(self) -> dict[str, Any]:
        """The steps taken, and the rates at first; not the shape."""
        return {"steps": self.steps, "rates": dict(self._rates)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken. Raises ValueError for other groups of rates."""
        rates = _taken_rates("Schedule", state, self.state_dict())
        self.steps = whole_number("Schedule.load_state_dict", "steps", state["steps"], 0)
        self._rates = rates
        self._apply()

    def _apply(self) -> None:
        try:
            factor = float(self.shape(self.steps))
        except OverflowError:  # a power of Python's numbers
            factor = math.inf
        if not 0 <= factor < math.inf:
            raise ValueError(
                f"Schedule: a factor must be a number of at least 0, received {factor} from "
                f"{self.shape!r} at step {self.steps}"
            )
        _set_rates(self.optimiser, {key: factor * rate for key, rate in self._rates.items()})


class ReduceOnPlateau:
    """Learning rates times `factor` when the loss has stopped falling.

    `ReduceOnPlateau(optimiser, factor=0.1, patience=10, threshold=1e-4, cooldown=0, least=0.0)`.
    Call `step(loss)` after each epoch, with the loss on data set aside. A loss counts as better if
    it is below the best by more than threshold·|best|. After more than `patience` in a row that are
    not, every rate becomes max(rate·factor, least), in the rate's own unit, and counting starts
    again after `cooldown` more. For something that is to grow, such as accuracy, pass its negative.

    Raises TypeError for an optimiser without a learning rate, ValueError for settings out of range
    and for a loss that is NaN.

    >>> import autograd_lite as ag, nn
    >>> sgd = nn.SGD([ag.Variable(1.0)], learning_rate=1.0)
    >>> plateau = nn.ReduceOnPlateau(sgd, factor=0.5, patience=1)
    >>> for loss in [3.0, 2.0, 2.0, 2.0, 1.9]:
    ...     plateau.step(loss)
    ...     print(sgd.learning_rate)
    1.0
    1.0
    1.0
    0.5
    0.5
    """

    def __init__(
        self,
        optimiser: Any,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        cooldown: int = 0,
        least: float = 0.0,
    ):
        _rates("ReduceOnPlateau", optimiser)
        asked = "ReduceOnPlateau"
        self.optimiser = optimiser
        self.factor = number(asked, "factor", factor, "between 0 and 1", lambda x: 0 < x < 1)
        self.patience = whole_number(asked, "patience", patience, 0)
        self.threshold = _share(asked, "threshold", threshold)
        self.cooldown = whole_number(asked, "cooldown", cooldown, 0)
        self.least = number(asked, "least", least, "at least 0", lambda x: 0 <= x < math.inf)
        self.best, self._not_better, self._cooling = math.inf, 0, 0

    def step(self, loss: float) -> None:
        """Take notice of a loss, and reduce the learning rates if it is time."""
        loss = float(loss)
        if math.isnan(loss):
            raise ValueError("ReduceOnPlateau: the loss is nan; lower the learning rate")
        margin = self.threshold * abs(self.best) if math.isfinite(self.best) else 0.0
        if loss < self.best - margin:
            self.best, self._not_better = loss, 0
        else:
            self._not_better += 1
        if self._cooling:
            self._cooling -= 1
            self._not_better = 0
        if self._not_better > self.patience:
            rates = _rates("ReduceOnPlateau", self.optimiser)
            # a rate that is below `least` already is not to grow
            _set_rates(
                self.optimiser,
                {k: min(r, max(r * self.factor, self.least)) for k, r in rates.items()},
            )
            self._not_better, self._cooling = 0, self.cooldown

    def state_dict(self) -> dict[str, Any]:
        """The best loss, the two counters, and the rates; not the settings."""
        return {
            "best": self.best,
            "not_better": self._not_better,
            "cooling": self._cooling,
            "rates": _rates("ReduceOnPlateau", self.optimiser),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken. Raises ValueError for other groups of rates."""
        rates = _taken_rates("ReduceOnPlateau", state, self.state_dict())
        self.best = float(state["best"])
        self._not_better, self._cooling = int(state["not_better"]), int(state["cooling"])
        _set_rates(self.optimiser, rates)


def _rates(asked: str, optimiser: Any) -> dict[str, float]:
    """The optimiser's rate, and those that groups have of their own, by their position."""
    if not hasattr(optimiser, "learning_rate"):
        raise TypeError(
            f"{asked}: the optimiser has no learning_rate, received {kind(optimiser)}; pass for "
            f"instance nn.SGD(parameters, 0.1)"
        )
    groups = enumerate(getattr(optimiser, "groups", ()))
    own = {str(i): float(g["learning_rate"]) for i, g in groups if "learning_rate" in g}
    return {"optimiser": float(optimiser.learning_rate), **own}


def _set_rates(optimiser: Any, rates: Mapping[str, float]) -> None:
    for key, rate in rates.items():
        if key == "optimiser":
            optimiser.learning_rate = rate
        else:
            optimiser.groups[int(key)]["learning_rate"] = rate


def _taken_rates(asked: str, state: Any, own: Mapping[str, Any]) -> dict[str, float]:
    """The rates of a state, if its entries are one's own, and its rates the optimiser's."""
    asked = f"{asked}.load_state_dict"
    if not isinstance(state, Mapping) or set(state) != set(own):
        entries = ", ".join(map(str, state)) if isinstance(state, Mapping) else kind(state)
        raise (ValueError if isinstance(state, Mapping) else TypeError)(
            f"{asked}: expected what state_dict gave, with {', '.join(own)}, received: "
            f"{entries or 'nothing'}"
        )
    rates = state["rates"]
    if not isinstance(rates, Mapping) or set(rates) != set(own["rates"]):
        received = ", ".join(sorted(map(str, rates))) if isinstance(rates, Mapping) else kind(rates)
        raise ValueError(
            f"{asked}: expected the rates of {', '.join(sorted(own['rates']))}, received "
            f"{received}; load it with the same groups of parameters"
        )
    return {
        key: number(asked, f"the rate of {key}", rate, "at least 0", lambda x: 0 <= x < math.inf)
        for key, rate in rates.items()
    }


def _positive(asked: str, name: str, value: Any) -> float:
    return number(asked, name, value, "a positive number", lambda x: 0 < x < math.inf)


def _share(asked: str, name: str, value: Any) -> float:
    return number(asked, name, value, "from 0 to 1", lambda x: 0 <= x <= 1)
