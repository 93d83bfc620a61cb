"""The order of things: numbers, recording on and off, scopes, and the visible tape of each thread.

A recorded Variable carries a number from one process-wide counter, and creation order is
topological order: whatever an operation reads was made before it. So the backward pass needs no
list. The tape kept here is for people to look at; it holds its Variables weakly, and an operation
whose result was dropped vanishes from it.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from autograd_lite.text import table

if TYPE_CHECKING:
    from autograd_lite.variable import Variable

F = TypeVar("F", bound=Callable[..., Any])

NUMBERS = itertools.count(1)
"""The process-wide counter: `next()` on it is atomic, so numbers are unique across threads."""


class Scope:
    """A named stretch of the tape: `name`, the scope around it, and the formula it stands for.

    Every `with ag.scope(...)` makes a new Scope, so two layers of the same name stay two.
    """

    __slots__ = ("formula", "name", "parent")

    def __init__(self, name: str, parent: Scope | None = None, formula: str | None = None):
        self.name, self.parent, self.formula = name, parent, formula

    @property
    def path(self) -> str:
        """Names from the outermost scope inwards, `"encoder/attention"`."""
        return f"{self.parent.path}/{self.name}" if self.parent else self.name

    def __repr__(self) -> str:
        return f"Scope({self.path!r})"


State = tuple[Any, Scope | None, "State | None"]

STATE: ContextVar[State] = ContextVar("autograd_lite", default=(True, None, None))
"""(recording, scope, the state to go back to): immutable, so per thread and asyncio task.

Recording is True or False; while `ag.debug()` is on, it is what looks at every result, and true.
"""


def runs_later(function: Any) -> bool:
    """Whether calling it only makes a generator or coroutine, whose body runs afterwards."""
    body = function if inspect.isroutine(function) else type(function).__call__
    return (
        inspect.isgeneratorfunction(body)
        or inspect.iscoroutinefunction(body)
        or inspect.isasyncgenfunction(body)
    )


class _StateChange:
    """A context manager, also a decorator, that holds another STATE for a while.

    What to go back to is in the state itself, so threads and tasks may share the object.
    """

    __slots__ = ()

    def _changed(self, recording: Any, scope: Scope | None) -> tuple[Any, Scope | None]:
        raise AssertionError("every subclass says which state it holds")

    def __enter__(self) -> None:
        state = STATE.get()
        STATE.set((*self._changed(state[0], state[1]), state))

    def __exit__(self, *exception: object) -> None:
        outer = STATE.get()[2]
        assert outer is not None
        STATE.set(outer)

    def __call__(self, function: F) -> F:
        name = type(self).__name__
        if not callable(function) or inspect.isclass(function):
            raise TypeError(f"{name}: it decorates functions, this is {function!r}")
        if runs_later(function):
            raise TypeError(
                f"{name}: cannot decorate the generator or coroutine {function!r}, whose body runs "
                f"later; use 'with' inside it"
            )

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]  # a wrapper has its function's signature


class no_grad(_StateChange):  # noqa: N801 - a statement-like name, as in the field
    """Compute without recording: results are untracked Variables and nothing is kept alive.

    A context manager and a decorator. Leaves stay tracked; only recording stops. A generator that
    yields inside it takes its consumer along: do not.

    >>> import numpy as np, autograd_lite as ag
    >>> x = ag.Variable(2.0)
    >>> with ag.no_grad():
    ...     y = x * 3.0
    >>> y.requires_grad, float(y)
    (False, 6.0)
    """

    __slots__ = ()

    def __init__(self, *misplaced: Any):
        if misplaced:
            raise TypeError("no_grad: it takes no arguments; write @ag.no_grad()")

    def _changed(self, recording: Any, scope: Scope | None) -> tuple[Any, Scope | None]:
        return False, scope


class recording(_StateChange):  # noqa: N801 - the counterpart of no_grad, used by the sweep
    """Record, even inside `no_grad`: what a sweep with `create_graph=True` needs."""

    __slots__ = ()

    def _changed(self, recording: Any, scope: Scope | None) -> tuple[Any, Scope | None]:
        return recording or True, scope


class scope(_StateChange):  # noqa: N801 - used as a statement
    """Name a stretch of the tape, for pictures, messages and explanations. Scopes nest.

    `formula` is the text of the composite that the stretch computes, for instance "Y = X·W + b".

    >>> import numpy as np, autograd_lite as ag
    >>> x = ag.Variable(2.0)
    >>> with ag.scope("model"), ag.scope("square", formula="z = x·x"):
    ...     y = x * x
    >>> y.scope.path, y.scope.formula
    ('model/square', 'z = x·x')
    """

    __slots__ = ("_formula", "_name")

    def __init__(self, name: str, formula: str | None = None):
        if not isinstance(name, str):
            raise TypeError(f"scope: the name must be a text, this is {name!r}")
        self._name, self._formula = name, formula

    def _changed(self, recording: Any, scope: Scope | None) -> tuple[Any, Scope | None]:
        return recording, Scope(self._name, scope, self._formula)


STRETCH = 1024
"""How many recordings go by between two clean-ups of a tape's list."""


class Tape:
    """The operations recorded by this thread whose results are still alive, in order.

    `len(tape)`, iteration and indexing give Variables; `print(tape)` lists them with shapes and
    scopes. Get it with `ag.tape()`.
    """

    def __init__(self) -> None:
        self.newest: list[weakref.ref[Variable]] = []
        self._turns = 0
        self._older: deque[list[weakref.ref[Variable]]] = deque()

    def turn(self) -> None:
        """Forget what has died in the newest stretch, and every second time in an older one.

        Called once in STRETCH recordings, so that it costs each of them the same however long the
        tape is. Looking at the newest first keeps a loop that drops its results from growing.
        """
        stretches = [self.newest]
        self.newest = []
        self._turns += 1
        if self._older and self._turns % 2 == 0:
            stretches.append(self._older.popleft())
        alive = [[entry for entry in stretch if entry() is not None] for stretch in stretches]
        if sum(map(len, alive)) <= STRETCH:
            alive = [list(chain(*alive))]
        self._older.extend(stretch for stretch in alive if stretch)

    def __iter__(self) -> Iterator[Variable]:
        entries = chain(*tuple(self._older), tuple(self.newest))
        alive = [variable for variable in (entry() for entry in entries) if variable is not None]
        return iter(sorted(alive, key=lambda variable: variable.number))

    @property
    def held(self) -> int:
        """How many entries the list holds, those of dropped results included."""
        return len(self.newest) + sum(map(len, self._older))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, index: int) -> Variable:
        return list(self)[index]

    def __str__(self) -> str:
        variables = list(self)
        rows = [
            (
                f"#{v.number}",
                v.label if v.name else "",
                f"{v.operation.name if v.operation else ''}({', '.join(map(_operand, v.inputs))})",
                f"{v.shape}",
                f"{v.dtype}",
                v.scope.path if v.scope else "",
            )
            for v in variables
        ]
        title = f"tape: {len(rows)} operation{'s' if len(rows) != 1 else ''}"
        head = ("number", "name", "operation", "shape", "dtype", "scope")
        return "\n".join([title, *(table(head, rows) if rows else [])])

    __repr__ = __str__


def _operand(x: Any) -> str:
    """How an operand is written in the listing: a Variable's label, a constant's shape."""
    if hasattr(x, "label"):
        return str(x.label)
    shape = getattr(x, "shape", ())
    if shape:
        return f"array{shape}"
    text = f"{x}"
    return f"{x:.4g}" if isinstance(x, float) and len(text) > 8 else text


class _Local(threading.local):
    def __init__(self) -> None:
        self.tape = Tape()


LOCAL = _Local()


def tape() -> Tape:
    """The visible tape of the current thread.

    >>> import numpy as np, autograd_lite as ag
    >>> x = ag.Variable([1.0, 2.0], name="x")
    >>> y = np.exp(x)
    >>> ag.tape()[-1] is y
    True
    """
    return LOCAL.tape
