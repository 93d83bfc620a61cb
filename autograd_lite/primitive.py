"""The one gate of the forward pass, and how an operation is added to the library.

A Primitive is one row: a NumPy function and one vector-Jacobian rule per array argument. Calling it
computes on plain arrays and, if a tracked Variable took part, records. A composition is a Python
function of Variables that stands in for a NumPy function; it has no rule of its own.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

import numpy as np

from autograd_lite import errors
from autograd_lite.operators import OPERATIONS
from autograd_lite.tape import LOCAL, NUMBERS, STATE, STRETCH
from autograd_lite.variable import Variable, guarded

Rule = Callable[..., Any]

KINDS: dict[Any, str] = {}
"""NumPy function → "primitive", "composition" or "untracked": how its derivative comes about."""

NOTHING = object()
"""What a rule returns where nothing comes back, not even zero: zero could meet a slope ∞."""

_NO_SETTINGS: dict[str, Any] = {}  # shared by all recorded ufuncs, and never written to
_FLOAT64 = np.dtype(np.float64)
_SCALARS = (np.generic, float, int)
_new = object.__new__
_ndarray = np.ndarray


class Primitive:
    """An operation with derivative rules; call it on arrays and Variables like its function.

    `name`: what tapes, pictures and messages call it. `function`: computes the value on arrays.
    `rules`: one per array argument, or None where no gradient flows. `variadic`: the function takes
    one list of arrays, and so does its one rule, which is told by `index=` which of them is meant.
    `weak`: the result holds its inputs weakly (`detach`). `parameters`: the names of the function's
    arguments in order, for binding a caller's spelling; empty for ufuncs, which have arrays alone.
    """

    __slots__ = (
        "arrays",
        "defaults",
        "elementwise",
        "fresh",
        "function",
        "name",
        "parameters",
        "rules",
        "settings",
        "tracks",
        "variadic",
        "weak",
    )

    def __init__(
        self,
        function: Callable[..., Any],
        rules: tuple[Rule | None, ...],
        name: str,
        variadic: bool = False,
        weak: bool = False,
    ):
        self.function, self.rules, self.name = function, rules, name
        self.variadic, self.weak = variadic, weak
        self.tracks = any(rule is not None for rule in rules)
        # the library's own rules return views, what they were given, or new arrays; of others it
        # cannot be known whether they keep what they return
        self.fresh = all(
            rule is None or rule.__module__.startswith("autograd_lite.") for rule in rules
        )
        # then a cotangent has its one argument's shape, and the sweep need not look
        self.elementwise = self.fresh and isinstance(function, np.ufunc) and len(rules) == 1
        self.parameters: tuple[str, ...] = ()
        self.defaults: dict[str, Any] = {}
        # how many arrays it takes by position: any number, if the function does
        self.arrays: float = math.inf
        if not isinstance(function, np.ufunc):
            try:
                signature = list(inspect.signature(function).parameters.values())
            except ValueError:  # compiled, and does not tell: arrays by position, settings by name
                signature = []
            if (
                signature
                and not variadic
                and all(p.kind is not p.VAR_POSITIONAL for p in signature)
            ):
                self.arrays = len(rules)
            self.parameters = tuple(p.name for p in signature)
            self.defaults = {p.name: p.default for p in signature if p.default is not p.empty}
        # what a rule takes by keyword is what the operation supports
        self.settings = {
            p.name
            for rule in rules
            for p in (inspect.signature(rule).parameters.values() if rule else ())
            if p.kind is p.KEYWORD_ONLY
        }
        if not self.tracks:
            self.settings = set(self.parameters[len(rules) :]) - {"out"}

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        """Compute, and record for a tracked Variable. Arrays by position, settings by name."""
        for setting, value in settings.items():
            if type(value) is Variable:
                settings[setting] = _plain_setting(self.name, setting, value)
        if len(inputs) > self.arrays and not any(
            type(x) is Variable for x in inputs[len(self.rules) :]
        ):
            return self.spelled(*inputs, **settings)  # settings by position
        if len(inputs) == 1 and type(inputs[0]) is Variable and not self.variadic:
            (x,) = inputs  # a reduction, a shape: spelt out like ufuncs, and for the same reason
            try:
                z = self.function(x._array if self.fresh else guarded(x._array), **settings)
            except (ValueError, TypeError, IndexError) as error:
                raise _restated(error, self, (x._array,)) from error
            recorded = x._primitive is not None
            return self.record(z, inputs, (x._array,), settings, x._tracked, recorded)
        values = []
        tracked = recorded = any_variable = False
        for position, x in enumerate(inputs):
            if type(x) is Variable:
                any_variable = True
                values.append(x._array)
                if x._tracked:
                    tracked = True
                    if position >= len(self.rules) and self.tracks and not self.variadic:
                        raise errors.RuleError(
                            f"{self.name}: argument {position} is tracked, and the operation has "
                            f"{errors.counted(len(self.rules), 'rule')} only; add one, or detach it"
                        )
                elif x._primitive is not None:
                    recorded = True
            elif type(x) is list or type(x) is tuple:
                return self(*[_constant(x) for x in inputs], **settings)
            else:
                values.append(x)
        given = values if self.fresh else [guarded(value) for value in values]
        try:
            z = (
                self.function(given, **settings)
                if self.variadic
                else self.function(*given, **settings)
            )
        except (ValueError, TypeError, IndexError) as error:
            raise _restated(error, self, values) from error
        return self.record(z, inputs, values, settings, tracked, recorded) if any_variable else z

    def record(
        self,
        z: Any,
        inputs: tuple[Any, ...],
        values: Sequence[Any],
        settings: dict[str, Any],
        tracked: bool,
        recorded: bool,
    ) -> Any:
        """The result as a Variable, on the tape if it depends on something tracked.

        Several results make one entry whose value is a tuple, and a selection from it for each.
        """
        if type(z) is not _ndarray:
            z = _as_array(z, self.name)
            if type(z) is not _ndarray and not all(
                hasattr(part, "dtype") for part in (z if type(z) is tuple else (z,))
            ):
                raise TypeError(
                    f"{self.name}: the function returned {errors.a_kind(z)}; it must return an "
                    f"array, or a tuple of arrays"
                )
        several = type(z) is tuple
        recording, scope, _ = STATE.get()
        if not several and z.dtype.kind == "c":
            raise TypeError(
                f"{self.name}: the result would be {z.dtype}, and Variables are real"
                f"{errors.place(scope)}; keep complex arrays out of it"
            )
        result = _new(Variable)
        result._array = z
        result._grad = None
        result.name = None
        result._number = next(NUMBERS)
        if recording and (tracked or recorded):
            if tracked and self.tracks:
                if not several and z.dtype.kind != "f":
                    raise TypeError(
                        f"{self.name}: the result would be {z.dtype}, and only floating point can "
                        f"be tracked{errors.place(scope)}; keep object arrays out of it"
                    )
                result._tracked = True
            else:
                result._tracked = False
            result._primitive = self
            result._inputs = inputs if not self.weak else tuple([ref(x) for x in inputs])
            result._values = values
            result._settings = settings
            result._scope = scope
            newest = LOCAL.tape.newest
            newest.append(ref(result))
            if len(newest) >= STRETCH:
                LOCAL.tape.turn()
            if recording is not True:
                recording.computed(result)  # ag.debug() looks at it
        else:
            result._tracked = False
            result._primitive = None
            result._inputs = ()
            result._values = ()
            result._settings = _NO_SETTINGS
            result._scope = None
        return tuple([select(result, i) for i in range(len(z))]) if several else result

    def rules_for(self, count: int) -> list[Rule | None]:
        """The rule of each of the arrays that a variadic operation was given."""
        rule = self.rules[0]
        return [rule and functools.partial(rule, index=index) for index in range(count)]

    def spelled(self, *args: Any, **kwargs: Any) -> Any:
        """Call in the function's own spelling: settings by position, arrays by name, too."""
        if len(args) == len(self.rules) and (not kwargs or kwargs.keys() <= self.settings):
            return self(*(args[0] if self.variadic else args), **kwargs)  # as most people write it
        bound = dict(zip(self.parameters, args, strict=False))
        missing = [
            p for p in self.parameters[: len(self.rules)] if p not in bound and p not in kwargs
        ]
        if len(args) > len(self.parameters) or bound.keys() & kwargs.keys() or missing:
            raise TypeError(
                f"{self.name}: it takes ({', '.join(self.parameters)}), and was called with "
                f"{len(args)} positional arguments and {', '.join(kwargs) or 'no keywords'}"
            )
        bound.update(kwargs)
        arrays = [bound.pop(name) for name in self.parameters[: len(self.rules)]]
        settings = {}
        for name, value in bound.items():
            if name in self.settings:
                settings[name] = _held(value)
            elif name not in self.defaults or value is not self.defaults[name]:
                raise errors.MissingRuleError(
                    f"{self.name}: {name}= is not supported on a Variable; supported are "
                    f"{', '.join(sorted(self.settings)) or 'the arrays alone'}"
                )
        return self(*(arrays[0] if self.variadic else arrays), **settings)

    def __repr__(self) -> str:
        return f"Primitive({self.name!r})"


def ufunc_gate(row: Primitive, ufunc: np.ufunc) -> Callable[..., Any]:
    """What calling `row` does for one or two arrays and no settings, spelt out and inlined.

    Most of a program's operations come through here, and it halves what recording one costs;
    whatever is unusual goes the general way.
    """
    function: Callable[..., Any] = ufunc

    def unary(x: Any, /) -> Any:
        recording, scope, _ = STATE.get()
        if type(x) is not Variable or not x._tracked or recording is not True:
            return row(x)
        a = x._array
        try:
            z = function(a)
        except (ValueError, TypeError) as error:
            raise _restated(error, row, (a,)) from error
        if type(z) is not _ndarray:
            z = _as_array(z, row.name)
        if z.dtype is not _FLOAT64 and z.dtype.kind != "f":
            return row(x)  # which says what is wrong with it
        result = _new(Variable)
        result._array = z
        result._grad = None
        result._number = next(NUMBERS)
        result._primitive = row
        result._inputs = (x,)
        result._values = (a,)
        result._settings = _NO_SETTINGS
        result._scope = scope
        result.name = None
        result._tracked = True
        newest = LOCAL.tape.newest
        newest.append(ref(result))
        if len(newest) >= STRETCH:
            LOCAL.tape.turn()
        return result

    def binary(x: Any, y: Any, /) -> Any:
        recording, scope, _ = STATE.get()
        if type(x) is Variable:
            a = x._array
            tracked = x._tracked
        elif type(x) is list or type(x) is tuple:
            return row(x, y)
        else:
            a = x
            tracked = False
        if type(y) is Variable:
            b = y._array
            tracked = tracked or y._tracked
        elif type(y) is list or type(y) is tuple:
            return row(x, y)
        else:
            b = y
        if not tracked or recording is not True:
            return row(x, y)
        try:
            z = function(a, b)
        except (ValueError, TypeError) as error:
            raise _restated(error, row, (a, b)) from error
        if type(z) is not _ndarray:
            z = _as_array(z, row.name)
        if z.dtype is not _FLOAT64 and z.dtype.kind != "f":
            return row(x, y)  # which says what is wrong with it
        result = _new(Variable)
        result._array = z
        result._grad = None
        result._number = next(NUMBERS)
        result._primitive = row
        result._inputs = (x, y)
        result._values = (a, b)
        result._settings = _NO_SETTINGS
        result._scope = scope
        result.name = None
        result._tracked = True
        newest = LOCAL.tape.newest
        newest.append(ref(result))
        if len(newest) >= STRETCH:
            LOCAL.tape.turn()
        return result

    gates: dict[tuple[int, int], Callable[..., Any]] = {(1, 1): unary, (2, 1): binary}
    return gates.get((ufunc.nin, ufunc.nout), row) if row.tracks else row


def primitive(
    function: Callable[..., Any],
    *rules: Rule | None,
    name: str | None = None,
    variadic: bool = False,
    weak: bool = False,
) -> Primitive:
    """Add an operation: a function on arrays, and one vector-Jacobian rule per array argument.

    A rule is `lambda g, z, x, y, *, setting=default: ∂L/∂(its array)`, with g = ∂L/∂z the cotangent
    of the result z, the arrays in order, and every keyword that the function takes besides them.
    Write it in NumPy: run on Variables, the same rule gives the next order. It need not sum over
    broadcast axes or mind the dtype; it must have the array's shape otherwise. None stands for "no
    gradient flows"; with None alone, results are untracked. A `variadic` function takes one list of
    arrays, and so does its one rule, which is told by `index=` which of them is meant.

    If `function` is a NumPy ufunc or has a NumPy dispatcher (SciPy's special functions are ufuncs),
    calling it on a Variable from now on records; in any case the returned Primitive can be called.

    >>> import numpy as np, autograd_lite as ag
    >>> def softsign(x):
    ...     return x / (1 + abs(x))
    >>> softsign = ag.primitive(softsign, lambda g, z, x: g / (1 + abs(x)) ** 2)
    >>> x = ag.Variable(1.0)
    >>> softsign(x).backward()
    >>> x.grad
    array(0.25)
    """
    if isinstance(function, np.ufunc) and len(rules) != function.nin:
        raise TypeError(
            f"primitive: {function.__name__} takes {errors.counted(function.nin, 'array')}, it was "
            f"given {errors.counted(len(rules), 'rule')}; pass one for each, or None where no "
            f"gradient flows"
        )
    row = Primitive(function, rules, name or function.__name__, variadic, weak)
    if row.arrays < math.inf and len(rules) > len(row.parameters):
        raise TypeError(
            f"primitive: {row.name} takes ({', '.join(row.parameters)}), it was given "
            f"{errors.counted(len(rules), 'rule')}; pass one for each array"
        )
    if isinstance(function, np.ufunc):
        OPERATIONS[function] = ufunc_gate(row, function)
    elif hasattr(function, "_implementation"):  # one of NumPy's, which ask Variable what to do
        OPERATIONS[function] = row.spelled
    else:
        return row
    KINDS[function] = "primitive" if row.tracks else "untracked"
    return row


def composition(
    *functions: Callable[..., Any], kind: str = "composition"
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a function of Variables that stands in for these NumPy functions.

    `kind`, for the census: "untracked" if no result has a derivative; "primitive" if the function
    only minds NumPy's further arguments for one row, which then is all that the tape shows.
    """

    def register(implementation: Callable[..., Any]) -> Callable[..., Any]:
        for function in functions:
            OPERATIONS[function] = implementation
            KINDS.setdefault(function, kind)  # with a row of its own, it is what the row is
        return implementation

    return register


def _take(values: Any, *, position: int) -> Any:
    return values[position]


_SELECT = Primitive(_take, (lambda g, z, values, *, position: (position, g),), "select")
_SELECT_UNTRACKED = Primitive(_take, (None,), "select")


def select(several: Variable, position: int, tracked: bool = True) -> Any:
    """One of the results of an operation that has several; integers among them are untracked."""
    position = range(len(several._array))[position]
    tracked = tracked and several._array[position].dtype.kind == "f"
    return (_SELECT if tracked else _SELECT_UNTRACKED)(several, position=position)


def _held(value: Any) -> Any:
    """A setting as it is now: the caller may change a list or an array before the backward pass."""
    if type(value) is list:
        return tuple([_held(element) for element in value])
    return value.copy() if type(value) is _ndarray else value


def _plain_setting(name: str, setting: str, value: Variable) -> Any:
    """The value of an untracked Variable that was passed by keyword; a tracked one is refused."""
    if value._tracked:
        raise TypeError(
            f"{name}: {setting}={value.label} is tracked, and a setting has no derivative; pass a "
            f"number, or .data if no gradient should flow"
        )
    return value.data


def _constant(x: Any) -> Any:
    return np.array(x) if type(x) is list or type(x) is tuple else x


def _as_array(z: Any, name: str) -> Any:
    """What a function returned, as an array: NumPy's scalars and subclasses become plain arrays."""
    if isinstance(z, _SCALARS):
        return np.asarray(z)
    if isinstance(z, tuple):
        return tuple([_as_array(part, name) for part in z])
    if isinstance(z, np.ma.MaskedArray | np.matrix):
        raise TypeError(
            f"{name}: a {type(z).__name__} took part, and its own arithmetic has no derivative "
            f"here; pass a plain array: np.asarray(matrix), or masked.filled(value) with np.where"
        )
    return z.view(_ndarray) if isinstance(z, _ndarray) else z


def _restated(error: Exception, row: Primitive, values: Sequence[Any]) -> Exception:
    """The same kind of error, saying which operation met what and where."""
    broadcasts = isinstance(row.function, np.ufunc)
    message = errors.operation_failed(row.name, values, STATE.get()[1], error, broadcasts)
    for kind in (np.exceptions.AxisError, np.linalg.LinAlgError, IndexError, ValueError, TypeError):
        if isinstance(error, kind):
            return kind(message)
    return error
