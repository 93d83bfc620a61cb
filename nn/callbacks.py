"""Callbacks: what looks on while a Trainer works, and may stop it."""

from __future__ import annotations

import math
import os
import weakref
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from autograd_lite.errors import a_kind, kind
from autograd_lite.variable import Array
from nn.data import finite, refuse_less_than_one
from nn.files import PathLike, container, replacing
from nn.names import named
from nn.saving import save

if TYPE_CHECKING:
    from nn.module import Module
    from nn.training import Trainer


class Callback:
    """What a Trainer calls on its way; each method may be left out, and gets the Trainer.

    A callback reads `trainer.epoch`, `trainer.history`, `trainer.module`, `trainer.optimiser`, and
    may set `trainer.stop`. What it remembers belongs into `state_dict`, for going on later.

    >>> import numpy as np, nn
    >>> class Patience(nn.Callback):
    ...     def on_epoch_end(self, trainer):
    ...         trainer.stop = trainer.history["loss"][-1] < 0.1
    >>> layer = nn.FullyConnected(1, 1, np.random.default_rng(0))
    >>> sgd = nn.SGD(layer.parameters(), learning_rate=0.1)
    >>> X = np.ones((4, 1))
    >>> trainer = nn.Trainer(layer, nn.mean_squared_error, sgd, callbacks=[Patience()])
    >>> trainer.fit(X, X, epochs=100, batch_size=4, progress=False).epoch
    2
    """

    def on_begin(self, trainer: Trainer) -> None:
        """Before the first epoch of a `fit`."""

    def on_gradients(self, trainer: Trainer) -> None:
        """When the gradients of a batch are there, before the step."""

    def on_batch_end(self, trainer: Trainer) -> None:
        """After a step."""

    def on_epoch_end(self, trainer: Trainer) -> None:
        """After an epoch and its validation, when the history has its numbers."""

    def on_checkpoint(self, trainer: Trainer) -> None:
        """When all callbacks are done with the epoch, and the state is whole."""

    def on_end(self, trainer: Trainer) -> None:
        """At the end of a `fit`, also when it is interrupted."""

    def state_dict(self) -> dict[str, Any]:
        """What it remembers, for `nn.save`."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what another one remembered."""


Mode = Literal["min", "max"]

_BETTER: dict[str, Mode] = {
    "loss": "min",
    "mean_absolute_error": "min",
    "mean_squared_error": "min",
    "accuracy": "max",
    "accuracy_from_logits": "max",
    "r_squared": "max",
    "top_k_accuracy": "max",
}
"""Which way the numbers that have names become better."""


class _Best(Callback):
    """What `monitor`, a name in the history, has been at its best: lowest, or highest."""

    def __init__(self, monitor: str, mode: Mode | None):
        if mode is None:
            mode = _BETTER.get(monitor.removeprefix("validation_"))
        if mode not in ("min", "max", None):
            raise ValueError(
                f"{type(self).__name__}: mode is 'min' or 'max', whichever is better, received "
                f"{mode!r}"
            )
        self.monitor, self.mode = monitor, mode
        self._module: weakref.ref[Module] | None = None
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.best = math.inf if self.mode == "min" else -math.inf

    def on_begin(self, trainer: Trainer) -> None:
        """Refuse a monitor that will not be measured; begin anew with another module."""
        known = dict.fromkeys(trainer.measured)
        without = self.monitor.removeprefix("validation_")
        if self.monitor not in known and without != self.monitor and without in known:
            raise ValueError(
                f"{type(self).__name__}: it watches {self.monitor!r}, and there are no validation "
                f"data; pass for instance validation=0.2 to fit, or monitor={without!r}"
            )
        named(type(self).__name__, "number to monitor called", self.monitor, known)
        if self.mode is None:
            raise ValueError(
                f"{type(self).__name__}: is more or less of {self.monitor!r} better? pass "
                f"mode='min' or mode='max'"
            )
        if self._module is not None and self._module() is not trainer.module:
            self._begin_anew()
        self._module = weakref.ref(trainer.module)

    def _improved(self, trainer: Trainer, by: float = 0.0) -> bool:
        value = trainer.latest(self.monitor)
        gain = self.best - value if self.mode == "min" else value - self.best
        if not gain > by:
            return False
        self.best = value
        return True

    def state_dict(self) -> dict[str, Any]:
        """The best so far."""
        return {"best": self.best}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.best = float(state["best"])
        self._module = None  # it is that of the training to come


class EarlyStopping(_Best):
    """Stop when `monitor` has not become better for `patience` epochs in a row.

    `EarlyStopping(patience=10, monitor="validation_loss", mode=None, least_change=0.0,
    restore_best=True)`. Better is lower for mode "min", higher for "max", by more than
    `least_change`; None knows it for the loss and the metrics that have names.
    With `restore_best`, parameters and buffers go back to the best epoch's when training ends, also
    by an interruption.

    It goes on counting when `fit` is called again, and begins anew with another module. Raises
    ValueError for settings out of range and, when training begins, for an unknown `monitor`.
    """

    def __init__(
        self,
        patience: int = 10,
        monitor: str = "validation_loss",
        mode: Mode | None = None,
        least_change: float = 0.0,
        restore_best: bool = True,
    ):
        refuse_less_than_one("EarlyStopping", patience=patience)
        if not 0 <= least_change < math.inf:
            raise ValueError(
                f"EarlyStopping: least_change must be a number of at least 0, received "
                f"{least_change!r}"
            )
        self.patience, self.least_change, self.restore_best = patience, least_change, restore_best
        super().__init__(monitor, mode)

    def _begin_anew(self) -> None:
        super()._begin_anew()
        self.waited = 0
        self._state: dict[str, Array] | None = None

    def on_begin(self, trainer: Trainer) -> None:
        """Refuse a best module, out of a file, that could not be gone back to."""
        super().on_begin(trainer)
        if self._state is not None:
            now = trainer.module.state_dict()
            if {p: np.shape(a) for p, a in self._state.items()} != {
                p: a.shape for p, a in now.items()
            }:
                raise ValueError(
                    "EarlyStopping: the best parameters that it remembers are those of another "
                    "module; make the module as it was, or a new EarlyStopping"
                )

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Wait, remember, or stop."""
        if self._improved(trainer, self.least_change):
            self.waited = 0
            if self.restore_best:
                self._state = trainer.module.state_dict()
        else:
            self.waited += 1
            trainer.stop = trainer.stop or self.waited >= self.patience

    def on_end(self, trainer: Trainer) -> None:
        """Go back to the best."""
        if self.restore_best and self._state is not None:
            trainer.module.load_state_dict(self._state)

    def state_dict(self) -> dict[str, Any]:
        """The best so far, how long ago it was, and its parameters."""
        return {**super().state_dict(), "waited": self.waited, "module": self._state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        waited, module = int(state["waited"]), state["module"]
        if module is not None:
            if not isinstance(module, Mapping):
                raise TypeError(
                    f"EarlyStopping: the best module is {a_kind(module)}; it must be a dict"
                )
            module = {path: finite("EarlyStopping", path, value) for path, value in module.items()}
        super().load_state_dict(state)
        self.waited, self._state = waited, module


class BestModel(_Best):
    """Save the module's state to `path` whenever `monitor` is better than ever before.

    `BestModel(path, monitor="validation_loss", mode=None)`. Read it with
    `module.load_state_dict(nn.load(path))`. When training begins it raises OSError if the file
    cannot be written, and ValueError for an unknown `monitor`.
    """

    def __init__(
        self,
        path: PathLike,
        monitor: str = "validation_loss",
        mode: Mode | None = None,
    ):
        super().__init__(monitor, mode)
        self.path = path
        container("BestModel", path)

    def on_begin(self, trainer: Trainer) -> None:
        """Refuse what would fail at the end of the first epoch."""
        super().on_begin(trainer)
        _refuse_unwritable("BestModel", self.path)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Save, if this is the best."""
        if self._improved(trainer):
            save(self.path, trainer.module.state_dict())


class Checkpoint(Callback):
    """Save all of the Trainer's state to `path` after every so many epochs, to go on from there.

    `Checkpoint(path, every=1)`. To go on: make everything as before, and pass `resume=path` to
    `fit` or `optimize`; or `trainer.load_state_dict(nn.load(path))`. It saves when all callbacks
    are done with the epoch, wherever it stands among them. When training begins it raises OSError
    if the file cannot be written, and TypeError for an optimiser or schedule without `state_dict`.
    """

    def __init__(self, path: PathLike, every: int = 1):
        refuse_less_than_one("Checkpoint", every=every)
        self.path, self.every = path, every
        container("Checkpoint", path)

    def on_begin(self, trainer: Trainer) -> None:
        """Refuse what would fail at the end of the first epoch."""
        trainer.state_dict()
        _refuse_unwritable("Checkpoint", self.path)

    def on_checkpoint(self, trainer: Trainer) -> None:
        """Save, if it is time."""
        if trainer.epoch % self.every == 0:
            save(self.path, trainer.state_dict())


class _Enough(Exception):  # noqa: N818 - a signal, never seen outside
    """A file was opened, and is not to be made."""


def _refuse_unwritable(asked: str, path: PathLike) -> None:
    """Raise OSError where no file can be made: found by trying, which leaves nothing behind."""
    try:
        with suppress(_Enough), replacing(path):
            raise _Enough
    except OSError as error:
        reason = str(error.strerror).removeprefix("save: ")
        raise type(error)(error.errno, f"{asked}: {reason}", os.fspath(path)) from None


class _Log(Callback):
    """A list of numbers."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def state_dict(self) -> dict[str, Any]:
        """The numbers so far."""
        return {"values": np.array(self.values, float)}  # files take arrays fast

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.values = [float(value) for value in state["values"]]


class LearningRateLog(_Log):
    """The learning rate that each step was taken with, in `values`.

    Rates of groups of parameters are not looked at. Raises TypeError, when training begins, for an
    optimiser without `learning_rate`.
    """

    def on_begin(self, trainer: Trainer) -> None:
        """Refuse an optimiser without a rate."""
        if not hasattr(trainer.optimiser, "learning_rate"):
            raise TypeError(
                f"LearningRateLog: the optimiser has no learning_rate, received: "
                f"{kind(trainer.optimiser)}; leave the log out"
            )

    def on_gradients(self, trainer: Trainer) -> None:
        """Note the rate of the coming step."""
        self.values.append(float(trainer.optimiser.learning_rate))  # type: ignore[attr-defined]


class GradientNorms(_Log):
    """The Euclidean norm of all gradients together before each step, in `values`."""

    def on_gradients(self, trainer: Trainer) -> None:
        """Note the norm of the batch's gradients."""
        gradients = [p.grad for p in trainer.module.parameters() if p.grad is not None]
        self.values.append(math.hypot(*(float(np.linalg.norm(g)) for g in gradients)))
