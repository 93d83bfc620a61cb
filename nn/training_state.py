"""The state of a Trainer, out and in: all that going on depends on, as a nest for `nn.save`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_lite.errors import a_kind, kind
from nn.evaluation import generators_of
from nn.names import nearest

if TYPE_CHECKING:
    from nn.training import Trainer

ASKED = "Trainer.load_state_dict"


def state_of(trainer: Trainer) -> dict[str, Any]:
    """What `put` puts into another Trainer."""
    schedule = trainer.schedule
    return {
        "module": trainer.module.state_dict(),
        "optimiser": _state("optimiser", trainer.optimiser),
        "schedule": None if schedule is None else _state("schedule", schedule),
        "callbacks": [
            {"kind": type(callback).__name__, "state": callback.state_dict()}
            for callback in trainer.callbacks
        ],
        "generators": {path: g.bit_generator.state for path, g in _generators(trainer)},
        "history": {name: list(values) for name, values in trainer.history.items()},
        "batch_losses": np.array(trainer.batch_losses, float),
        "stop": trainer.stop,
    }


def put(trainer: Trainer, state: Any) -> None:
    """Let a Trainer go on from a state, which is checked before, and taken whole or not at all."""
    before = state_of(trainer)
    _check_entries(state, before)
    _check_generators(before["generators"], state["generators"])
    _check_callbacks(before["callbacks"], state["callbacks"])
    if (trainer.schedule is None) != (state["schedule"] is None):
        _refuse(
            f"{'the state has a schedule' if state['schedule'] else 'here is one'}, and "
            f"{'here is none' if trainer.schedule is None else 'the state has none'}; make the "
            f"Trainer in the same way"
        )
    history = {name: _numbers(name, values) for name, values in state["history"].items()}
    losses = _numbers("batch_losses", state["batch_losses"])
    _check_lengths(history)
    try:
        for what, take, part in _parts(trainer, state):
            _taken(what, take, part)
    except BaseException:
        for _, take, part in _parts(trainer, before):
            take(part)
        raise
    # the same object as before, for a network may keep it, too
    trainer.record.history, trainer.record.batch_losses = history, losses
    trainer.stop = bool(state["stop"])


def _parts(trainer: Trainer, state: Any) -> Iterator[tuple[str, Callable[[Any], Any], Any]]:
    """What takes which part of a state."""
    yield "the module", trainer.module.load_state_dict, state["module"]
    optimiser: Any = trainer.optimiser
    yield "the optimiser", optimiser.load_state_dict, state["optimiser"]
    if trainer.schedule is not None:
        yield "the schedule", trainer.schedule.load_state_dict, state["schedule"]
    for callback, saved in zip(trainer.callbacks, state["callbacks"], strict=True):
        yield f"the callback {saved['kind']}", callback.load_state_dict, saved["state"]
    for path, generator in _generators(trainer):
        take = _setter(generator.bit_generator)
        yield f"the generator {path}", take, state["generators"][path]


def _setter(bit_generator: Any) -> Callable[[Any], None]:
    return lambda state: setattr(bit_generator, "state", state)


def _taken(what: str, take: Callable[[Any], Any], part: Any) -> None:
    """Let a part of the Trainer take its state; whatever goes wrong is a refusal."""
    try:
        take(part)
    except Exception as error:
        reason = str(error)
        if isinstance(error, KeyError):
            reason = f"it has no {error}"
        elif not isinstance(error, ValueError | TypeError):
            reason = f"{type(error).__name__}: {error}"
        _refuse(f"the state of {what} does not fit: {reason}", error)


def _refuse(reason: str, cause: Exception | None = None) -> None:
    end = "" if reason.endswith("?") else "."
    raise ValueError(f"{ASKED}: {reason}{end} Nothing was changed") from cause


def _check_entries(state: Any, before: Mapping[str, Any]) -> None:
    """All that `state_of` gives, nothing else, and each of the right kind."""
    if not isinstance(state, Mapping):
        raise TypeError(f"{ASKED}: expected what state_dict() gives, received: {kind(state)}")
    missing = [name for name in before if name not in state]
    if missing:
        _refuse(f"the state lacks {', '.join(missing)}; is it a Trainer's?")
    for name in state:
        if name not in before:
            near = nearest(str(name), before)
            _refuse(
                f"the state has an entry {name!r}, which a Trainer's has not"
                f"{f'; is {near!r} meant?' if near else ''}"
            )
    kinds: dict[str, tuple[Any, str]] = {
        "module": (Mapping, "a dict"),
        "optimiser": (Mapping, "a dict"),
        "schedule": (Mapping | None, "a dict, or None"),
        "callbacks": (list | tuple, "a list"),
        "generators": (Mapping, "a dict"),
        "history": (Mapping, "a dict"),
        "batch_losses": (list | tuple | np.ndarray, "an array"),
        "stop": (bool | np.bool_, "True or False"),
    }
    for name, (wanted, text) in kinds.items():
        if not isinstance(state[name], wanted):
            _refuse(f"{name} is {a_kind(state[name])} in the state; it must be {text}")


def _check_generators(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    if ours.keys() != theirs.keys():
        _refuse(
            f"there are random generators at {', '.join(ours)}, and the state has them at "
            f"{', '.join(map(str, theirs)) or 'no place'}; make the module in the same way"
        )


def _check_callbacks(ours: list[Any], theirs: Any) -> None:
    for each in theirs:
        if (
            not isinstance(each, Mapping)
            or set(each) != {"kind", "state"}
            or not isinstance(each["state"], Mapping)
        ):
            _refuse(
                f"a callback is {a_kind(each)} in the state; it must be a dict of 'kind' and "
                f"'state', the second a dict"
            )
    here, there = (", ".join(str(each["kind"]) for each in of) or "none" for of in (ours, theirs))
    if here != there:
        _refuse(
            f"the callbacks are {here}, and those of the state {there}; pass the same ones in the "
            f"same order"
        )


def _numbers(name: str, values: Any) -> list[float]:
    try:
        array = np.asarray(values)
    except ValueError:  # lists of different lengths
        array = np.empty(())
    if array.ndim != 1 or array.dtype.kind not in "fiub":
        _refuse(f"{name} is {a_kind(values)} in the state; it must be a list of numbers")
    return [*map(float, array)]


def _check_lengths(history: Mapping[str, list[float]]) -> None:
    """One number for every epoch."""
    lengths = {name: len(values) for name, values in history.items()}
    if len(set(lengths.values())) > 1 or (lengths and "loss" not in lengths):
        counts = ", ".join(f"{count} of {name!r}" for name, count in lengths.items())
        _refuse(f"the history has {counts}; it must have one number of each for every epoch")


def _generators(trainer: Trainer) -> Iterator[tuple[str, np.random.Generator]]:
    """The generator of the order of rows, and those of the layers."""
    yield "rows", trainer.rng
    yield from generators_of(trainer.module)


def _state(what: str, thing: Any) -> Any:
    if not hasattr(thing, "state_dict"):
        raise TypeError(
            f"Trainer.state_dict: the {what} is {a_kind(thing)}, and has no state_dict(); give it "
            f"one, with load_state_dict(), to go on where it stopped"
        )
    return thing.state_dict()
