"""Training: the one loop over epochs and mini-batches that all doors lead to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

import autograd_lite as ag
from autograd_lite.nests import leaves
from autograd_lite.variable import Array, plain
from nn import training_checks as checks
from nn import training_state
from nn.callbacks import Callback
from nn.data import batches, refuse_less_than_one
from nn.evaluation import measured, modes_kept, number, out_of_training, predicted, prepared
from nn.files import PathLike
from nn.finiteness import ADVICE, gradients_not_finite, leaves_of, not_finite, why_not_finite
from nn.first_order import FirstOrderOptimiser
from nn.initialisers import generator
from nn.interruptions import Interruptions
from nn.metrics import Metrics, by_name
from nn.module import Module
from nn.optimisers import Optimiser
from nn.progress import progress_lines
from nn.saving import load
from nn.schedules import ReduceOnPlateau
from nn.training_checks import Loss, Validation


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

    `metrics`: names of `nn.metrics.METRICS`, functions of (predictions, targets) or pairs (name,
    function), taken over all rows of an epoch. `schedule`, with a `step()`, is told of every
    optimiser's step; `nn.ReduceOnPlateau` of every epoch's loss. `callbacks`: see `nn.Callback`.
    `rng`, a `numpy.random.Generator`, orders the rows of each epoch.

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
        metrics: Metrics = (),
        schedule: Any = None,
        callbacks: Callback | Iterable[Callback] = (),
        rng: np.random.Generator | None = None,
        _asked: str = "fit",  # what the user called, for messages
    ):
        checks.refuse_no_module(_asked, module)
        checks.refuse_no_loss(_asked, loss)
        checks.refuse_no_optimiser(_asked, optimiser)
        checks.refuse_foreign_optimiser(_asked, optimiser, module)
        if schedule is not None:
            checks.refuse_no_schedule(_asked, schedule, optimiser)
        self.module, self.loss, self.optimiser, self.schedule = module, loss, optimiser, schedule
        self.metrics = by_name(_asked, metrics)
        checks.refuse_taken_names(_asked, self.metrics)
        self.callbacks = checks.checked_callbacks(_asked, callbacks)
        self.rng = generator(_asked, rng)
        self.stop = False
        self.record = Record()
        self.measured: list[str] = []
        self._asked = _asked
        self._interruptions = Interruptions()
        self._latest: dict[str, float] = {}
        self._leaves = leaves_of(module)
        self._before = self._values()

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
        resume: PathLike | None = None,
        progress: bool = True,
    ) -> Self:
        """Train for so many epochs more on the rows of X and y; gives itself back.

        X: (rows, …); y: (rows, …), whatever the loss takes. Both are converted to the dtype of the
        parameters; integers stay what they are in y, and in X if a layer such as nn.Embedding takes
        them. Every epoch goes through all rows, `batch_size` to a step, the rest in the last one.
        `validation`: a pair (X, y), or a share of the rows, between 0 and 1, which are then not
        trained on: the same ones at every call. `progress` prints a line per epoch to stderr, and
        moves a bar where somebody looks on.

        `resume`: a file of `nn.Checkpoint`, to go on from, bit for bit. `epochs` are then those of
        the file and those to come: the call that was cut off, made again with resume=, ends where
        it would have ended. Data, settings and parts must be as they were; parts are compared.

        Metrics and validation data, these with the loss, too, are tried once before the first step,
        which changes nothing. An interruption keeps what was learned, and every epoch that was
        finished; it comes before a step or after it, never between. Modules go back to the mode,
        training or not, that they were in.

        Raises ValueError for data that are empty, of different lengths or not finite, for settings
        out of range, and for a file that does not fit or has more epochs; FloatingPointError when
        the loss, a gradient or a parameter is not finite, naming epoch, batch and layer. The module
        is then as it was before the last step whose loss was finite, or when `fit` began.
        """
        asked, module = self._asked, self.module
        X, y = prepared(asked, module, X, y)
        refuse_less_than_one(asked, epochs=epochs, batch_size=batch_size)
        X, y, held_out = checks.with_validation(asked, module, X, y, validation)
        names = ["loss", *self.metrics]
        self.measured = names + ([f"validation_{name}" for name in names] if held_out else [])
        if self.metrics:
            what = "metrics on the training data"
            checks.tried(asked, what, module, None, self.metrics, X, y)
        if held_out is not None:
            checks.tried(asked, "validation data", module, self.loss, self.metrics, *held_out)
        if resume is None:
            last, self.stop = self.epoch + epochs, False
        else:
            self.load_state_dict(load(resume))
            last = epochs
            if self.epoch > last:
                raise ValueError(
                    f"{asked}: the file is at epoch {self.epoch}, and epochs={epochs} counts those "
                    f"of the file; pass epochs={self.epoch + epochs} for {epochs} more"
                )
        # an overflow on the way shows in the loss, and is reported there, with its place
        with (
            progress_lines(asked, progress, self.epoch, last) as report,
            modes_kept(module),
            np.errstate(all="ignore"),
            self._interruptions,
        ):
            self._leaves = leaves_of(module)
            self._before = self._values()
            self._tell("on_begin")
            try:
                while self.epoch < last and not self.stop:
                    self._epoch(X, y, batch_size, held_out)
                    report(self.epoch, self.latest_line())
            finally:
                self._tell("on_end")
        return self

    def step(self, X: Array, y: Array) -> Any:
        """One step of gradient descent on a batch; gives the predictions it was computed from.

        Raises FloatingPointError for a loss that is not finite; no step is taken then.
        """
        before = self._values()
        predictions = self.module(X)
        loss = self.loss(predictions, y)
        value = number(self._asked, loss)
        if not math.isfinite(value):
            raise _NotFinite(f"{self._asked}: the loss is {value}")
        self._before = before
        self.optimiser.zero_grad()
        loss.backward()
        self._tell("on_gradients")
        with self._interruptions.whole:  # or parameters would have moved, and the schedule not
            try:
                self.optimiser.step()
            except BaseException:  # it may have come between two parameters
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
                reason = gradients_not_finite(self.module) if not_finite(self.module) else ""
                reason = reason or why_not_finite(self.module, inputs)
                self._go_back()
                raise FloatingPointError(
                    f"{signal} in epoch {epoch}, batch {batch}: {reason}"
                ) from None
            except Exception as error:
                if isinstance(error, FloatingPointError):  # BatchNorm looks at its means itself
                    self._go_back()
                error.add_note(
                    f"{self._asked}: in epoch {epoch}, batch {batch}; positions are those in the "
                    f"batch, whose rows are in an order drawn for this epoch"
                )
                raise
            total += self.batch_losses[-1] * len(inputs)
            if self.metrics:
                outputs.append(plain(predictions))
                targets.append(wanted)
            del predictions  # and with them the graph, before the next one is made
            self._tell("on_batch_end")
        broken = not_finite(self.module)
        if broken:  # no loss came after the last step to show it
            reason = gradients_not_finite(self.module) or ADVICE
            self._go_back()
            raise FloatingPointError(
                f"{self._asked}: {broken} after the last step of epoch {epoch}; {reason}"
            )
        found = {"loss": total / len(X)}
        if self.metrics:
            p, t = np.concatenate(outputs), np.concatenate(targets)
            found |= measured(self._asked, self.metrics, p, t)
        return found

    def _validate(self, X: Array, y: Array) -> dict[str, float]:
        predictions = predicted(self.module, X)
        with out_of_training(self.module), ag.no_grad():
            found = {"loss": number(self._asked, self.loss(predictions, y))}
        found |= measured(self._asked, self.metrics, predictions, y)
        return {f"validation_{name}": value for name, value in found.items()}

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
            f"{self._asked}: there is no {' or '.join(map(repr, names))} among what is measured, "
            f"{', '.join(self._latest) or 'nothing yet'}; pass metrics= or validation="
        )

    def latest_line(self) -> str:
        """What was measured in the latest epoch, as a line: "loss 0.123  accuracy 0.98"."""
        return "  ".join(f"{name.replace('_', ' ')} {v:.4g}" for name, v in self._latest.items())

    # --- state out and in ------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """All that going on depends on: module, optimiser, schedule, callbacks, generators, epoch.

        A nest of dicts and lists for `nn.save`. Another Trainer of the same make that takes it by
        `load_state_dict` goes on bit for bit. Raises TypeError for an optimiser or schedule without
        `state_dict`.
        """
        return training_state.state_of(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was taken.

        Raises ValueError where it does not fit (entries that are missing, not expected or of
        another kind), and TypeError for what is no state; then nothing is changed.
        """
        training_state.put(self, state)


class _NotFinite(FloatingPointError):  # noqa: N818 - to its user it is the class it comes from
    """The loss of a step is not finite: `fit` adds where, and why."""
