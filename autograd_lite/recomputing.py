"""`ag.checkpoint`: remember what a function was given, and compute the rest again when needed."""

from __future__ import annotations

import functools
import sys
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar, Token
from typing import Any, TypeVar

import numpy as np

from autograd_lite import errors
from autograd_lite.backward import pulled_back
from autograd_lite.nests import leaves, rebuilt
from autograd_lite.primitive import NOTHING, Primitive, Rule, select
from autograd_lite.replay import behind, compute, operands
from autograd_lite.tape import NUMBERS, STATE, Scope, _StateChange, runs_later
from autograd_lite.variable import Variable

F = TypeVar("F", bound=Callable[..., Any])


_AGAIN: ContextVar[bool] = ContextVar("autograd_lite.recomputing", default=False)


def recomputing() -> bool:
    """Whether a checkpointed function is being called again: who counts calls leaves this one out.

    >>> import numpy as np, autograd_lite as ag
    >>> calls = []
    >>> def block(x):
    ...     calls.append("again" if ag.recomputing() else "first")
    ...     return np.sin(x)
    >>> ag.checkpoint(block)(ag.Variable(0.5)).backward()
    >>> calls
    ['first', 'again']
    """
    return _AGAIN.get()


def checkpoint(function: F, generators: Iterable[np.random.Generator] = ()) -> F:
    """The same function, whose inner operations are not kept but computed again in the sweep.

    It costs one more forward pass and saves the memory of everything inside: a chain of n
    operations in √n blocks of √n needs memory for about 2√n results (T. Chen et al., "Training deep
    nets with sublinear memory cost", 2016). Gradients flow to the arguments and to every tracked
    Variable that the function reads, such as a layer's parameters, to any order.

    The function must do the same when it is called again. `generators` are those that it draws
    from, such as the `rng` of an `nn.Dropout`: called again, it finds them as they were, and
    afterwards they go on where they had come to. What it changes besides, it changes once more,
    unless it asks `ag.recomputing()`, as `nn.BatchNorm` does. The sweep raises RuleError if its
    second result differs, StaleVariableError if a Variable that it reads was assigned in between.
    It returns a Variable, or lists, tuples and dicts of them; inside any other object they are
    recorded as without `checkpoint`.

    >>> import numpy as np, autograd_lite as ag
    >>> W = ag.Variable(np.eye(2), name="W")
    >>> block = ag.checkpoint(lambda x: np.tanh(np.tanh(x @ W) @ W))
    >>> y = block(block(np.ones(2)))
    >>> len([v for v in ag.tape() if v.operation.name == "tanh"])
    0
    >>> y.backward(np.ones(2))
    >>> W.grad.shape
    (2, 2)
    """
    if not callable(function):
        raise TypeError(f"checkpoint: it takes a function, this is {errors.a_kind(function)}")
    if runs_later(function):
        raise TypeError(
            f"checkpoint: the body of the generator or coroutine {function!r} runs later, outside "
            f"of it; checkpoint a function that returns its result"
        )
    drawn_from = _generators(generators)
    name = f"checkpoint({getattr(function, '__name__', type(function).__name__)})"

    @functools.wraps(function)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        recording, scope, _ = STATE.get()
        if not recording:
            return function(*args, **kwargs)
        states = [generator.state for generator in drawn_from]
        with _Stack(name):
            run = _Run(name, functools.partial(function, *args, **kwargs), scope)
        if states:
            run.call = functools.partial(_redrawn, run.call, drawn_from, states)
        if not any(v._tracked for v in run.read):
            return run.result
        return Checkpoint(run).entry(run)

    return checkpointed  # type: ignore[return-value]  # a wrapper has its function's signature


def _generators(given: Any) -> list[Any]:
    """What numpy.random.Generators keep their states in."""
    generators: list[Any] = list(given) if isinstance(given, Iterable) else [None]
    for generator in generators:
        if not isinstance(generator, np.random.Generator):
            raise TypeError(
                f"checkpoint: generators must be a list of numpy.random.Generator, received: "
                f"{type(given).__name__}; pass for instance [dropout.rng]"
            )
    return [generator.bit_generator for generator in generators]


def _redrawn(call: Callable[[], Any], generators: list[Any], states: list[Any]) -> Any:
    """What is called again, with its generators as they were; they are put back afterwards."""
    now = [generator.state for generator in generators]
    try:
        for generator, state in zip(generators, states, strict=True):
            generator.state = state
        return call()
    finally:
        for generator, state in zip(generators, now, strict=True):
            generator.state = state


_WITHIN: ContextVar[bool] = ContextVar("autograd_lite.within_a_checkpoint", default=False)


class _Stack:
    """Says, at the outermost checkpoint, where Python's stack went if it was not deep enough.

    A context manager, for a function around every call would need more of the stack.
    """

    __slots__ = ("name", "token")

    def __init__(self, name: str):
        self.name = name
        self.token: Token[bool] | None = None

    def __enter__(self) -> None:
        self.token = None if _WITHIN.get() else _WITHIN.set(True)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self.token is None:
            return
        _WITHIN.reset(self.token)
        if isinstance(error, RecursionError):
            raise RecursionError(
                f"{self.name}: Python's stack of {sys.getrecursionlimit()} calls was not enough; "
                f"each checkpoint inside another takes about five of them: put them one after the "
                f"other, or allow more with sys.setrecursionlimit"
            ) from error


class _Recording(_StateChange):
    """Record in a scope that was entered before: so the second call is where the first one was."""

    __slots__ = ("_scope",)

    def __init__(self, scope: Scope | None):
        self._scope = scope

    def _changed(self, recording: Any, scope: Scope | None) -> tuple[Any, Scope | None]:
        return recording or True, self._scope


class _Run:
    """One recorded call: its `result`, the `outputs` among it, and what they `read`.

    Read are the tracked Variables that a gradient flows to and that the call did not compute, its
    own leaves among them, and older untracked ones: they may be recorded, and whoever replays the
    recording computes them anew.
    """

    def __init__(self, name: str, call: Callable[[], Any], scope: Scope | None):
        self.name, self.call, self.scope = name, call, scope
        self.first = next(NUMBERS)
        with _Recording(scope):
            self.result = call()
        self.outputs = [x for _, x in leaves(self.result) if type(x) is Variable]
        self.behind = self._reached(self.outputs)
        tracked = [v for v in self.outputs if v._tracked]
        flowing = {v._number for v in self._reached(tracked, only_tracked=True)}
        self.read = [
            v
            for v in self.behind
            if (v._number in flowing and not self._computed(v))
            or (not v._tracked and v._number < self.first)
        ]
        self._refuse_assigned()
        self.constants = self._checksum()

    def _checksum(self) -> int:
        """What all constants of the call come to: they may be another time's values when called."""
        total = 0
        for v in self.behind:
            if self._computed(v) and not v._primitive.weak:
                operands = zip(v._inputs, v._values, strict=True)
                read = [value for x, value in operands if type(x) is not Variable]
                total = _checksum([v._primitive.name, *read, *v._settings.values()], total)
        return total

    def _computed(self, v: Variable) -> bool:
        """Whether v is an operation of this call."""
        return v._number >= self.first and v._primitive is not None

    def _reached(self, outputs: Sequence[Variable], only_tracked: bool = False) -> list[Variable]:
        """Every Variable that these depend on within the call, and what it read, in order."""
        return behind(outputs, lambda v: self._computed(v) and not v._primitive.weak, only_tracked)

    def _refuse_assigned(self) -> None:
        """Called again, the function would begin with what it assigned at its end."""
        for v in self.behind:
            if self._computed(v) and not v._primitive.weak:
                for x, value in zip(v._inputs, v._values, strict=True):
                    if type(x) is Variable and x._array is not value:
                        raise errors.StaleVariableError(
                            f"{self.name}: the function itself assigned the data of {x.label} "
                            f"after it had computed '{v.label}' from it"
                            f"{errors.place(v._scope)}; assign it outside"
                        )

    def values_for(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """The outputs' values, had what was read had these values."""
        known = {x._number: value for x, value in zip(self.read, values, strict=True)}
        for v in self.behind:
            if v._number not in known and self._computed(v):
                known[v._number] = compute(v, operands(v, known))
        return tuple(known.get(v._number, v._array) for v in self.outputs)

    def repeats(self, first: Checkpoint, outputs: Sequence[Any]) -> bool:
        """Whether this call read and gave the same as the first one did."""
        if len(self.read) != len(first.read) or len(self.outputs) != len(outputs):
            return False
        if self.constants != first.constants:
            return False
        same_read = all(
            x is y or (x._number >= self.first and y._number >= first.first)  # leaves made inside
            for x, y in zip(self.read, first.read, strict=True)
        )
        return same_read and all(
            v._tracked == tracked
            and v._array.dtype == array.dtype
            and np.array_equal(v._array, array, equal_nan=array.dtype.kind == "f")
            for v, tracked, array in zip(self.outputs, first.tracked, outputs, strict=True)
        )


class Checkpoint(Primitive):
    """The operation that a checkpointed call is on the tape: from what it read to its outputs.

    It must not hold itself, by a bound method, nor the run: both would outlive the graph.
    """

    __slots__ = ("again", "constants", "first", "read", "tracked")

    def __init__(self, run: _Run):
        self.again = functools.partial(_run_again, run.name, run.call, run.scope)
        self.first, self.read, self.constants = run.first, run.read, run.constants
        self.tracked = [v._tracked for v in run.outputs]
        function = functools.partial(_values, self.again)
        super().__init__(function, (_cotangents,), run.name, variadic=True)

    def entry(self, run: _Run) -> Any:
        """Put it on the tape, and give the call's result with outputs that come from there."""
        values = [x._array for x in self.read]
        arrays = tuple(v._array for v in run.outputs)
        results = self.record(arrays, tuple(self.read), values, {}, True, True)
        whole = results[0]._inputs[0]
        position = iter(range(len(results)))
        new = []
        for _, x in leaves(run.result):
            if type(x) is Variable:
                x = select(whole, next(position), tracked=x._tracked)
            new.append(x)
        return rebuilt(run.result, new)

    def rules_for(self, count: int) -> list[Rule | None]:
        """One rule per Variable read; the first that is called computes all the cotangents."""
        found: list[Any] = []

        def rule(index: int, g: Any, z: Any, values: Any) -> Any:
            if not found:
                found.extend(_cotangents(self, g, z, values))
            return found[index]

        return [functools.partial(rule, index) for index in range(count)]


def _checksum(value: Any, so_far: int = 0) -> int:
    """Of an array, or of what else an operation takes as a constant, in lists and tuples too."""
    if isinstance(value, list | tuple):
        return functools.reduce(lambda total, part: _checksum(part, total), value, so_far)
    is_array = isinstance(value, np.ndarray)
    return zlib.crc32(value.tobytes() if is_array else repr(value).encode(), so_far)


def _run_again(name: str, call: Callable[[], Any], scope: Scope | None) -> _Run:
    token = _AGAIN.set(True)
    try:
        return _Run(name, call, scope)
    finally:
        _AGAIN.reset(token)


def _values(again: Callable[[], _Run], values: Sequence[Any]) -> tuple[Any, ...]:
    return again().values_for(values)


def _cotangents(
    checkpoint: Checkpoint, g: tuple[Any, ...], z: Any, values: Sequence[Any]
) -> list[Any]:
    """The cotangents of all that was read, from those of the outputs: the call, and its sweep."""
    name, read = checkpoint.name, checkpoint.read
    linear = type(z) is not Variable  # recorded, if at all, as a function of g alone
    create_graph = not linear or any(type(part) is Variable for part in g)
    for x, value in zip(read, values, strict=True):
        if linear and x._array is not value:  # a recorded sweep has looked already
            raise errors.StaleVariableError(
                f"{name}: the data of {x.label} was assigned after the call that is to be computed "
                f"again; differentiate first, or compute anew"
            )
    with _Stack(name):
        run = checkpoint.again()
    if not run.repeats(checkpoint, z if linear else z._array):
        raise errors.RuleError(
            f"{name}: called again, the function gave another result, or read other Variables or "
            f"constants; pass the generators that it draws from as generators=[…], and let it "
            f"depend on nothing else that changes"
        )
    own = [x for x in run.read if x._number >= run.first]
    if create_graph and own:
        raise errors.RuleError(
            f"{name}: the function makes the tracked Variable {own[0].label}, and makes another "
            f"one when it is called again: there is no second derivative for the first one; make "
            f"it outside, and pass it in"
        )
    seeds = [
        (v, part)
        for v, part in zip(run.outputs, g, strict=True)
        if v._tracked and not _is_unused(part, g)
    ]
    with _Stack(name):
        return pulled_back(
            seeds, run.read, create_graph, through=False, linear=linear, absent=NOTHING
        )


def _is_unused(part: Any, g: tuple[Any, ...]) -> bool:
    """Whether nothing came back for one of several outputs: 0·∞ on its way would be NaN."""
    return len(g) > 1 and type(part) is not Variable and not part.any()
