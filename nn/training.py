"""Training: the one loop over epochs and mini-batches that all doors lead to."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

import autograd_lite as ag
from autograd_lite.errors import a_kind, kind
from autograd_lite.nests import leaves
from autograd_lite.variable import Array, plain
from nn.callbacks import Callback
from nn.data import batches, checked_rows, refuse_less_than_one, split
from nn.finiteness import ADVICE, leaves_of, not_finite, why_not_finite
from nn.first_order import FirstOrderOptimiser
from nn.initialisers import _generator as known_generator
from nn.metrics import Metric, by_name
from nn.module import Module
from nn.optimisers import Optimiser
from nn.progress import progress_lines
from nn.schedules import ReduceOnPlateau

Validation = float | tuple[ArrayLike, ArrayLike] | None
Loss = Callable[[Any, Any], Any]

AT_ONCE = 1024
"""How many rows are predicted together: what layers compute on the way takes memory."""


@dataclass(eq=False)
class Record:
    """What was measured in training: `history`, epoch by epoch, and `batch_losses`.

    An object of its own, so that a Module that keeps it does not look for parameters among numbers.
    """

    history: dict[str, list[float]] = field(default_factory=dict)
    batch_losses: list[float] = field(default_factory=list)


class Trainer:
    """A module, a loss and an optimiser, and how far they have come: `Trainer(module, loss, …)`.

    `Network.fit`, `SGDTrainer.optimize` and a loop of one's own all do what `step` does, batch
    after batch:

        value = loss(module(X), y)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()

    `metrics`: names of `nn.metrics.METRICS` or functions of (predictions, targets), taken over all
    rows of an epoch. `schedule`, with a `step()`, is told of every optimiser's step;
    `nn.ReduceOnPlateau` of every epoch's loss. `callbacks`: see `nn.Callback`. `rng`, a
    `numpy.random.Generator`, orders the rows of each epoch.

    `epoch` counts finished epochs; `history` has a list for "loss", each metric, and the same for
    validation data ("validation_loss"), one number per epoch, NaN where it was not measured;
    `batch_losses` has one per step, taken before it. A callback may set `stop` to end the training
    after this epoch.

    Raises TypeError and ValueError for parts that are not what they should be, or do not belong
    together, such as the schedule of another optimiser.

    >>> import numpy as np, nn
    >>> layer = nn.FullyConnected(1, 1, np.random.default_rng(0))
    >>> sgd = nn.SGD(layer.parameters(), learning_rate=0.1)
    >>> trainer = nn.Trainer(layer, nn.mean_squared_error, sgd, rng=np.random.default_rng(0))
    >>> X = np.linspace(-1, 1, 20)[:, None]
    >>> trainer.fit(X, 3 * X + 1, epochs=100, batch_size=5, progress=False).epoch
    100
    >>> layer.weight.data.round(3), layer.bias.data.round(3)
    (array([[3.]]), array([1.]))
    """

    def __init__(
        self,
        module: Module,
        loss: Loss,
        optimiser: Optimiser,
        *,
        metrics: Iterable[str | Metric] = (),
        schedule: Any = None,
        callbacks: Iterable[Callback] = (),
        rng: np.random.Generator | None = None,
        asked: str = "fit",
    ):
        self.asked, self.module, self.loss, self.optimiser = asked, module, loss, optimiser
        self.metrics = by_name(asked, metrics)
        self.schedule = schedule
        self.callbacks = [callbacks] if isinstance(callbacks, Callback) else list(callbacks)
        self.rng = np.random.default_rng() if rng is None else known_generator(asked, rng)
        self.stop = False
        self.record = Record()
        self.measured: list[str] = []
        self._latest: dict[str, float] = {}
        self._check()
        self._leaves = leaves_of(module)
        self._before = self._values()

    def _check(self) -> None:
        """Refuse parts that are not what they should be, or do not belong together."""
        asked, optimiser = self.asked, self.optimiser
        if not isinstance(self.module, Module):
            raise TypeError(f"{asked}: expected a Module to train, received: {kind(self.module)}")
        if not callable(self.loss):
            raise TypeError(
                f"{asked}: the loss is {a_kind(self.loss)}; pass a function of predictions and "
                f"targets"
            )
        refuse_no_optimiser(asked, optimiser)
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(
                    f"{asked}: a callback is {a_kind(callback)}; pass objects such as "
                    f"nn.EarlyStopping()"
                )
        for name in self.metrics:
            if name == "loss" or name.startswith("validation_"):
                raise ValueError(
                    f"{asked}: the metric {name!r} has the name of another number in the history; "
                    f"rename the function"
                )
        parameters = self.module.parameters()
        theirs = getattr(optimiser, "parameters", parameters)
        if not {id(p) for p in parameters} & {id(p) for p in theirs}:
            raise ValueError(
                f"{asked}: the optimiser has none of this network's parameters, and would change "
                f"nothing; make it with network.parameters()"
            )
        if self.schedule is None:
            return
        if isinstance(self.schedule, type) or not hasattr(self.schedule, "step"):
            raise TypeError(
                f"{asked}: the schedule is {a_kind(self.schedule)}, which has no step(); pass for "
                f"instance nn.Schedule(optimiser, nn.CosineDecay(1000))"
            )
        if getattr(self.schedule, "optimiser", optimiser) is not optimiser:
            raise ValueError(
                f"{asked}: the schedule is that of another optimiser, and would change nothing; "
                f"make it with the one that is passed"
            )

    @property
    def history(self) -> dict[str, list[float]]:
        """Name → a number for every epoch, NaN where it was not measured."""
        return self.record.history

    @property
    def batch_losses(self) -> list[float]:
        """The loss of every batch, before its step."""
        return self.record.batch_losses

    @property
    def epoch(self) -> int:
        """How many epochs are finished."""
        return len(self.history.get("loss", ()))

    # --- training --------------------------------------------------------------------------------

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        epochs: int,
        batch_size: int,
        validation: Validation = None,
        progress: bool = True,
    ) -> Self:
        """Train for so many epochs more on the rows of X and y; gives itself back.

        X: (rows, …); y: (rows, …), whatever the loss takes. Every epoch goes through all rows,
        `batch_size` to a step, the rest in the last one. `validation`: a pair (X, y), or a share of
        the rows, between 0 and 1, which are then not trained on: the same ones at every call.
        `progress` prints a line per epoch to stderr, and moves a bar where somebody looks on.

        An interruption keeps what was learned, and every epoch that was finished; parameters are
        as before a step or after it, never between. Modules go back to the mode, training or not,
        that they were in. Raises ValueError for data that are empty, of different lengths or not
        finite, and for settings out of range; FloatingPointError when the loss or a parameter is
        not finite, naming epoch, batch and layer. The module is then as it was before the last step
        whose loss was finite, or when `fit` began.
        """
        X, y = prepared(self.asked, self.module, X, y)
        refuse_less_than_one(self.asked, epochs=epochs, batch_size=batch_size)
        X, y, held_out = self._validation(X, y, validation)
        names = ["loss", *self.metrics]
        self.measured = names + ([f"validation_{name}" for name in names] if held_out else [])
        last = self.epoch + epochs
        self.stop = False
        self._leaves = leaves_of(self.module)
        self._before = self._values()
        # an overflow on the way shows in the loss, and is reported there, with its place
        with (
            progress_lines(self.asked, progress, epochs) as report,
            modes_kept(self.module),
            np.errstate(all="ignore"),
        ):
            self._tell("on_begin")
            try:
                while self.epoch < last and not self.stop:
                    self._epoch(X, y, batch_size, held_out)
                    report(f"epoch {self.epoch}/{last}", self.latest_line())
            finally:
                self._tell("on_end")
        return self

    def step(self, X: Array, y: Array) -> Any:
        """One step of gradient descent on a batch; gives the predictions it was computed from."""
        before = self._values()
        predictions = self.module(X)
        loss = self.loss(predictions, y)
        value = number(self.asked, loss)
        if not math.isfinite(value):
            raise _NotFinite(value)
        self._before = before
        self.optimiser.zero_grad()
        loss.backward()
        self._tell("on_gradients")
        try:
            self.optimiser.step()
        except BaseException:  # an interruption, too, may have come between two parameters
            self._go_back()
            raise
        if self.schedule is not None and not isinstance(self.schedule, ReduceOnPlateau):
            self.schedule.step()
        self.batch_losses.append(value)
        return predictions

    def _epoch(self, X: Array, y: Array, batch_size: int, held_out: Any) -> None:
        found = self._train(X, y, batch_size)
        if held_out is not None:
            found |= self._validate(*held_out)
        self._note(found)
        if isinstance(self.schedule, ReduceOnPlateau):
            self.schedule.step(self.latest("validation_loss", "loss"))
        self._tell("on_epoch_end")
        self._tell("on_checkpoint")

    def _train(self, X: Array, y: Array, batch_size: int) -> dict[str, float]:
        """An epoch of steps; the loss, the mean over the rows, and the metrics."""
        self.module.train()
        epoch = self.epoch + 1
        total, outputs, targets = 0.0, [], []
        rows = batches(X, y, batch_size=batch_size, rng=self.rng)
        for batch, (inputs, wanted) in enumerate(rows, 1):
            try:
                predictions = self.step(inputs, wanted)
            except _NotFinite as signal:
                reason = why_not_finite(self.module, inputs)
                self._go_back()
                raise FloatingPointError(
                    f"{self.asked}: the loss is {signal} in epoch {epoch}, batch {batch}: {reason}"
                ) from None
            total += self.batch_losses[-1] * len(inputs)
            if self.metrics:
                outputs.append(plain(predictions))
                targets.append(wanted)
            del predictions  # and with them the graph, before the next one is made
            self._tell("on_batch_end")
        broken = not_finite(self._leaves)
        if broken:  # no loss came after the last step to show it
            self._go_back()
            raise FloatingPointError(
                f"{self.asked}: {broken} after the last step of epoch {epoch}; {ADVICE}"
            )
        found = {"loss": total / len(X)}
        if self.metrics:
            p, t = np.concatenate(outputs), np.concatenate(targets)
            found |= measured(self.asked, self.metrics, p, t)
        return found

    def _validate(self, X: Array, y: Array) -> dict[str, float]:
        predictions = predicted(self.module, X)
        with out_of_training(self.module), ag.no_grad():
            found = {"loss": number(self.asked, self.loss(predictions, y))}
        found |= measured(self.asked, self.metrics, predictions, y)
        return {f"validation_{name}": value for name, value in found.items()}

    def _validation(
        self, X: Array, y: Array, validation: Validation
    ) -> tuple[Array, Array, tuple[Array, Array] | None]:
        if validation is None:
            return X, y, None
        if isinstance(validation, tuple | list):
            if len(validation) != 2:
                raise ValueError(
                    f"{self.asked}: validation is a pair (X, y) or a share of the rows, received "
                    f"{len(validation)} arrays"
                )
            return X, y, prepared(f"{self.asked}: validation", self.module, *validation)
        if not isinstance(validation, int | float | np.number) or not 0 < validation < 1:
            raise ValueError(
                f"{self.asked}: validation must be a pair (X, y), or a share of the rows between 0 "
                f"and 1, received: {kind(validation)}"
            )
        share = float(validation)
        if not 0 < round(share * len(X)) < len(X):
            raise ValueError(
                f"{self.asked}: validation takes {share:g} of {len(X)} rows, which leaves none for "
                f"one of the two parts; pass another share, or a pair (X, y)"
            )
        seeded = np.random.default_rng(0)  # so that training goes on with the same rows
        (X, y), held_out = split(X, y, fraction=share, rng=seeded)
        return X, y, (held_out[0], held_out[1])

    def _values(self) -> list[tuple[ag.Variable, Array]]:
        """All parameters and buffers with their values: arrays are replaced, never written to."""
        return [(leaf, leaf.data) for leaf in self._leaves]

    def _go_back(self) -> None:
        """Undo the last step whose loss was finite, and all that came after."""
        for leaf, value in self._before:
            leaf.data = value
        # means of gradients that are not finite would spoil every step to come
        if isinstance(self.optimiser, FirstOrderOptimiser) and not all(
            np.isfinite(value).all()
            for _, value in leaves(self.optimiser.state_dict()["parameters"])
        ):
            self.optimiser.forget()

    def _tell(self, event: str) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self)

    # --- history ---------------------------------------------------------------------------------

    def _note(self, found: dict[str, float]) -> None:
        """An epoch is finished: all its numbers, or none, for an interruption may come anywhere."""
        names = {**self.history, **found}
        before = {name: self.history.get(name, []) for name in names}
        gap = [math.nan] * self.epoch
        self._latest = found
        self.history.update(
            {
                name: [*values, *gap[len(values) :], found.get(name, math.nan)]
                for name, values in before.items()
            }
        )

    def latest(self, *names: str) -> float:
        """The number of the latest epoch, of the first of these names that was measured in it."""
        for name in names:
            if name in self._latest:
                return self._latest[name]
        raise ValueError(
            f"{self.asked}: there is no {' or '.join(map(repr, names))} among what is measured, "
            f"{', '.join(self._latest) or 'nothing yet'}; pass metrics= or validation="
        )

    def latest_line(self) -> str:
        """What was measured in the latest epoch, as a line: "loss 0.123  accuracy 0.98"."""
        return "  ".join(f"{name.replace('_', ' ')} {v:.4g}" for name, v in self._latest.items())

    # --- state out and in ------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """All that going on depends on: module, optimiser, schedule, callbacks, generators, epoch.

        A nest of dicts and lists for `nn.save`. Another Trainer of the same make that takes it by
        `load_state_dict` goes on bit for bit.
        """
        return {
            "module": self.module.state_dict(),
            "optimiser": _state("optimiser", self.optimiser),
            "schedule": None if self.schedule is None else _state("schedule", self.schedule),
            "callbacks": [
                {"kind": type(callback).__name__, "state": callback.state_dict()}
                for callback in self.callbacks
            ],
            "generators": {path: g.bit_generator.state for path, g in self._generators()},
            "history": {name: list(values) for name, values in self.history.items()},
            "batch_losses": np.array(self.batch_losses, float),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken.

        Raises ValueError where it does not fit, and TypeError for what is no state; then nothing
        is changed.
        """
        asked = "Trainer.load_state_dict"
        if not isinstance(state, Mapping):
            raise TypeError(f"{asked}: expected what state_dict() gives, received: {kind(state)}")
        before = self.state_dict()
        missing = [name for name in before if name not in state]
        if missing:
            raise ValueError(f"{asked}: the state lacks {', '.join(missing)}; is it a Trainer's?")
        if before["generators"].keys() != state["generators"].keys():
            raise ValueError(
                f"{asked}: there are random generators at {', '.join(before['generators'])}, and "
                f"the state has them at {', '.join(state['generators'])}; make the module in the "
                f"same way"
            )
        ours, theirs = (
            ", ".join(each["kind"] for each in of["callbacks"]) or "none" for of in (before, state)
        )
        if ours != theirs:
            raise ValueError(
                f"{asked}: the callbacks are {ours}, and those of the state {theirs}; pass the "
                f"same ones in the same order"
            )
        if (self.schedule is None) != (state["schedule"] is None):
            raise ValueError(
                f"{asked}: {'the state has a schedule' if state['schedule'] else 'here is one'}, "
                f"and {'here is none' if self.schedule is None else 'the state has none'}; make "
                f"the Trainer in the same way"
            )
        try:
            self._take(state)
        except BaseException:
            self._take(before)
            raise

    def _take(self, state: Mapping[str, Any]) -> None:
        self.module.load_state_dict(state["module"])
        self.optimiser.load_state_dict(state["optimiser"])  # type: ignore[attr-defined]
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])
        for callback, saved in zip(self.callbacks, state["callbacks"], strict=True):
            callback.load_state_dict(saved["state"])
        for path, generator in self._generators():
            generator.bit_generator.state = state["generators"][path]
        self.record = Record(
            {name: list(values) for name, values in state["history"].items()},
            [float(value) for value in state["batch_losses"]],
        )

    def _generators(self) -> Iterator[tuple[str, np.random.Generator]]:
        """The generator of the order of rows, and those that layers such as Dropout draw from."""
        yield "rows", self.rng
        for path, module in (("", self.module), *self.module.named_modules()):
            for name, value in vars(module).items():
                if isinstance(value, np.random.Generator):
                    yield f"{path}.{name}" if path else name, value


class _NotFinite(Exception):  # noqa: N818 - a signal between step and epoch, never seen outside
    """The loss of a step is not finite."""


def prepared(asked: str, module: Module, X: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    """X and y that a module can be trained on: checked, and in the dtype of its parameters."""
    X, y = checked_rows(asked, X, y)
    return in_its_dtype(module, X), in_its_dtype(module, y)


def in_its_dtype(module: Module, data: Array) -> Array:
    """Floating point data in the parameters' dtype: float32 layers compute in float32."""
    dtype = next((parameter.dtype for parameter in module.parameters()), data.dtype)
    return data.astype(dtype, copy=False) if data.dtype.kind == "f" else data


def predicted(module: Module, X: Array) -> Array:
    """The module's output out of training mode, unrecorded, as a plain array."""
    with out_of_training(module), ag.no_grad():
        if X.ndim < 2 or len(X) <= AT_ONCE:
            return np.array(plain(module(X)))
        parts = [plain(module(rows)) for (rows,) in batches(X, batch_size=AT_ONCE)]
        return np.concatenate(parts)


@contextmanager
def modes_kept(module: Module) -> Iterator[None]:
    """Afterwards each module is in the mode, training or not, that it had before."""
    modes = [(m, m.training) for m in (module, *(m for _, m in module.named_modules()))]
    try:
        yield
    finally:
        for found, training in modes:
            found.training = training


@contextmanager
def out_of_training(module: Module) -> Iterator[None]:
    """Out of training mode for a while."""
    with modes_kept(module):
        module.eval()
        yield


def number(asked: str, loss: Any) -> float:
    """The value of a loss, which must be one number."""
    if getattr(loss, "shape", None) != ():
        raise ValueError(
            f"{asked}: the loss is {a_kind(loss)}, and one number is needed; take its mean"
        )
    return float(loss.item())


def measured(asked: str, metrics: Mapping[str, Metric], p: Array, t: Array) -> dict[str, float]:
    """Name → value of every metric, which must be one number."""
    values = {name: metric(p, t) for name, metric in metrics.items()}
    for name, value in values.items():
        if np.ndim(plain(value)) or not isinstance(plain(value), int | float | np.generic | Array):
            raise TypeError(
                f"{asked}: the metric {name!r} gives {a_kind(value)}, and one number is needed"
            )
    return {name: float(plain(value)) for name, value in values.items()}


def refuse_no_optimiser(asked: str, optimiser: Any) -> None:
    """Raise TypeError for what cannot take steps, such as a class in the place of an object."""
    if isinstance(optimiser, type) or not (
        hasattr(optimiser, "step") and hasattr(optimiser, "zero_grad")
    ):
        raise TypeError(
            f"{asked}: the optimiser is {a_kind(optimiser)}; pass for instance "
            f"nn.Adam(network.parameters())"
        )


def _state(what: str, thing: Any) -> Any:
    if not hasattr(thing, "state_dict"):
        raise TypeError(
            f"Trainer.state_dict: the {what} is {a_kind(thing)}, and has no state_dict(); give it "
            f"one, with load_state_dict(), to go on where it stopped"
        )
    return thing.state_dict()
