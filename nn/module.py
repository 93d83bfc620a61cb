"""Module: a function with parameters, which it finds in its own attributes."""

from __future__ import annotations

import difflib
import reprlib
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np

import autograd_lite as ag
from autograd_lite.errors import a_kind, kind, place
from autograd_lite.tape import STATE
from autograd_lite.variable import Array, plain

Operand: TypeAlias = Any
"""A Variable, or what NumPy takes as an array. A type checker sees anything: it does not know that
NumPy's functions and operators take both."""


def operand(x: Operand) -> Any:
    """Variables and arrays as they are, so that foreign arrays stay foreign; lists as arrays.

    Raises TypeError for a tuple or list with Variables in it, ValueError for what is no array.
    """
    if hasattr(x, "dtype"):
        return x
    if isinstance(x, tuple | list) and any(isinstance(entry, ag.Variable) for entry in x):
        advice = (
            "a recurrent layer gives (Y, state): take the first, or make it with return_state=False"
            if isinstance(x, tuple)
            else "join them with np.stack or np.concatenate"
        )
        raise TypeError(
            f"nn: expected an array, received a {type(x).__name__} of {len(x)} with Variables in "
            f"it{here()}; {advice}"
        )
    try:
        return np.asarray(x)
    except ValueError as error:  # rows of several lengths
        raise ValueError(f"nn: expected an array, received: {kind(x)}{here()}: {error}") from None


def floating(x: Operand) -> Any:
    """As `operand`, with integers and booleans converted, for what depends on the dtype's range."""
    x = operand(x)
    if x.dtype.kind == "f":
        return x
    if x.dtype.kind not in "iub":
        raise TypeError(f"nn: expected real numbers, received: {kind(x)}{here()}")
    return x.astype(float)


def held_constant(x: Any) -> Any:
    """The same without its part in the derivative, for a shift or scale on which no result depends.

    By `detach` it stays on the record, and a replay with other numbers finds its own.
    """
    return x.detach() if isinstance(x, ag.Variable) else x


def here() -> str:
    """Where something went wrong: the layer, whose scope is open."""
    return place(STATE.get()[1])


def refuse_empty(asked: str, expected: str, x: Any) -> None:
    """Raise ValueError for a batch of no samples: its mean, and that of any loss, is not there."""
    if not x.size:
        raise ValueError(
            f"{asked}: expected {expected}, at least one of them, received: {kind(x)}; leave empty "
            f"batches out"
        )


def first(wrong: Any) -> int | tuple[int, ...]:
    """Where a mask is first true: a number for one axis, otherwise a tuple."""
    position = tuple(int(i) for i in np.argwhere(wrong)[0])
    return position[0] if len(position) == 1 else position


def _refuse_nan(asked: str, x: Any) -> None:
    """Raise ValueError for NaN in data: in an array, a list or a tuple that comes in."""
    if type(x) in (list, tuple):
        if any(isinstance(part, ag.Variable) for part in x):  # such as a state
            for part in x:
                _refuse_nan(asked, part)
            return
        try:
            x = np.asarray(x)
        except (TypeError, ValueError):  # no array: for the layer to refuse, or to take
            return
    if type(x) is np.ndarray and x.dtype.kind == "f" and x.size:
        least = x.min()  # NaN if there is one, in half the time of asking every entry
        if least != least:
            raise ValueError(
                f"{asked}: expected numbers, received: {kind(x)}, with NaN in it, first at "
                f"position {first(np.isnan(x))}; fill it in, or leave that sample out"
            )


def listed(asked: str, parameters: Any) -> list[Any]:
    """One parameter or several, as a list; TypeError for a module, and what has no entries."""
    if isinstance(parameters, ag.Variable):
        return [parameters]
    if not isinstance(parameters, Iterable):
        its = "its " if isinstance(parameters, Module) else "for instance a module's "
        raise TypeError(
            f"{asked}: expected Variables, received: {kind(parameters)}; pass {its}parameters()"
        )
    return list(parameters)


def distinct_variables(asked: str, parameters: Any) -> list[ag.Variable]:
    """The Variables given, one or several, each of them once."""
    chosen, seen = listed(asked, parameters), set[int]()
    for position, parameter in enumerate(chosen):
        if not isinstance(parameter, ag.Variable):
            raise TypeError(
                f"{asked}: parameter {position} is {a_kind(parameter)}, not a Variable; pass for "
                f"instance module.parameters()"
            )
        if id(parameter) in seen:
            raise ValueError(
                f"{asked}: parameter {position}, {parameter.label}, was given twice and would "
                f"count twice; pass each parameter once"
            )
        seen.add(id(parameter))
    return chosen


class Module:
    """A function with parameters: write `forward`, call the module.

    Parameters are the tracked Variables among the attributes, and those of the modules among the
    attributes; lists, tuples and dicts of either count too. Untracked Variables are its buffers:
    what it keeps beside parameters, such as running means. Calling opens an `ag.scope` with the
    module's name (its `name`, or its class's) and `formula`, for pictures and messages. Raises
    NotImplementedError where `forward` is missing, and ValueError for NaN in data, that is, in an
    input that is an array, a list or a tuple. Variables are not looked at: where NaN came from in a
    computation, `ag.debug()` tells, and a module that is to see it gets it as a Variable.

    >>> import numpy as np, autograd_lite as ag, nn
    >>> class Scale(nn.Module):
    ...     formula = "z = s·x"
    ...     def __init__(self, start):
    ...         self.s = ag.Variable(start, name="s")
    ...     def forward(self, x):
    ...         return self.s * x
    >>> scale = Scale(3.0)
    >>> scale(np.array([1.0, 2.0])).data
    array([3., 6.])
    >>> [name for name, _ in scale.named_parameters()]
    ['s']
    """

    training: bool = True
    """Whether layers that differ between training and use, such as Dropout, are training."""

    name: str | None = None
    """What pictures and messages call this module. A Network names those that have none."""

    formula: str | None = None
    """The formula that `forward` computes, as text."""

    takes_integers: bool = False
    """Whether integers count things here, as in Embedding: training then leaves them integers."""

    short_name: ClassVar[str | None] = None
    """What a Network builds a name from: "fc" gives fc1, fc2; by default the class's name."""

    symbols: ClassVar[Mapping[str, str]] = {}
    """Attribute → the letter that the formula uses for it; a Network prefixes it: "fc1.W"."""

    def forward(self, *inputs: Any, **settings: Any) -> Any:
        """Compute the output from the inputs: for a subclass to write."""
        raise NotImplementedError(f"{type(self).__name__}: a module must define forward")

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        """Forward, inside a scope of the module's name."""
        for x in (*inputs, *settings.values()):
            _refuse_nan(self._label, x)
        with ag.scope(self._label, self.formula):
            return self.forward(*inputs, **settings)

    @property
    def _label(self) -> str:
        """What pictures and messages call this module: its name, or its class's."""
        return self.name or type(self).__name__

    def _named(self, symbol: str) -> str:
        """The name of a Variable of this module: its letter, behind the module's name if any."""
        return f"{self.name}.{symbol}" if self.name else symbol

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """The modules inside this one, at any depth, each once: ("layers.0", module), in order."""
        return ((path, found) for path, found in _walk(self) if isinstance(found, Module))

    def named_parameters(self) -> Iterator[tuple[str, ag.Variable]]:
        """The tracked Variables, each once, in the order of definition: ("layers.0.weight", W)."""
        return (
            (path, found)
            for path, found in _walk(self)
            # the result of an operation, kept for looking at, is no parameter
            if isinstance(found, ag.Variable) and found.requires_grad and found.operation is None
        )

    def named_buffers(self) -> Iterator[tuple[str, ag.Variable]]:
        """The untracked Variables, each once: ("layers.1.running_mean", v). Frozen ones, too."""
        return (
            (path, found)
            for path, found in _walk(self)
            if isinstance(found, ag.Variable)
            and not found.requires_grad
            and found.operation is None
        )

    def parameters(self) -> list[ag.Variable]:
        """The tracked Variables, each once, in the order of definition."""
        return [parameter for _, parameter in self.named_parameters()]

    def train(self, training: bool = True) -> Self:
        """Put this module and all inside it in training mode, or out of it; returns itself."""
        self.training = training
        for _, module in self.named_modules():
            module.training = training
        return self

    def eval(self) -> Self:
        """Put this module and all inside it out of training mode; returns itself."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def state_dict(self) -> dict[str, Array]:
        """What has been learned: a copy of every parameter and buffer, under its path.

        Frozen parameters are part of it; one that stands in several places is there once, under
        the first. Generators and settings, such as a rate of dropout, are not part of it. Raises
        ValueError where two Variables have the same path.

        >>> import numpy as np, nn
        >>> {path: array.shape for path, array in nn.FullyConnected(2, 3).state_dict().items()}
        {'weight': (2, 3), 'bias': (3,)}
        """
        return {path: np.array(leaf.data) for path, leaf in _leaves(self).items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the arrays of a `state_dict()` in place of this module's own, as copies.

        Every path must be there, none else, and all shapes equal. A value is converted to the dtype
        of what it replaces where NumPy's "same_kind" casting allows it: float64 to float32, not
        float to integer. Everything is checked before anything is changed. What was recorded
        before keeps its values, and what is frozen stays so.

        Raises ValueError for paths that are missing or not expected, and for arrays of another
        shape or of a dtype that does not convert, naming the first ten; TypeError for what is no
        mapping.

        >>> import numpy as np, nn
        >>> first, second = nn.FullyConnected(2, 3), nn.FullyConnected(2, 3)
        >>> second.load_state_dict(first.state_dict())
        >>> np.array_equal(first.weight.data, second.weight.data)
        True
        """
        if not isinstance(state, Mapping):
            raise TypeError(
                f"load_state_dict: it takes the mapping from paths to arrays that state_dict() "
                f"gives, received: {kind(state)}"
            )
        own = _leaves(self)
        arrays = {path: np.asarray(plain(state[path])) for path in own if path in state}
        missing = [path for path in own if path not in state]
        problems = [f"{path!r} is missing" for path in missing]
        problems += [_unexpected(path, missing) for path in state if path not in own]
        for path, array in arrays.items():
            leaf = own[path]
            converts = np.can_cast(array.dtype, leaf.dtype, "same_kind")
            if array.shape != leaf.shape or not converts:
                problems.append(f"{path!r} is {a_kind(array)}, expected: {kind(leaf.data)}")
        if problems:
            if len(problems) > 10:
                problems[10:] = [f"and {len(problems) - 10} more"]
            raise ValueError(
                f"load_state_dict: the state does not fit {self._label}: "
                f"{'; '.join(problems)}. Nothing was changed; load it into a module that was made "
                f"with the same layers and sizes"
            )
        # converting may warn, and warnings may be errors: so all of them before the first is put
        copies = {path: np.array(array, own[path].dtype) for path, array in arrays.items()}
        for path, copy in copies.items():
            own[path].assign(copy)

    @reprlib.recursive_repr("…")
    def __repr__(self) -> str:
        modules = _modules_among("", vars(self))
        return nested_repr(self, [f"{path}={module!r}" for path, module in modules])


def nested_repr(module: Module, lines: Iterable[str]) -> str:
    """The class's name and, in its brackets, these lines, each indented."""
    inside = "".join(textwrap.indent(f"{line},\n", "    ") for line in lines)
    return f"{type(module).__name__}({f'{chr(10)}{inside}' if inside else ''})"


def _leaves(module: Module) -> dict[str, ag.Variable]:
    """Parameters and buffers, frozen or not, by path, in the order of definition."""
    leaves: dict[str, ag.Variable] = {}
    for path, found in _walk(module):
        if isinstance(found, ag.Variable) and found.operation is None:
            if path in leaves:
                raise ValueError(
                    f"state_dict: two Variables have the path {path!r}; rename one of the "
                    f"attributes or keys that it is made of"
                )
            leaves[path] = found
    return leaves


def _unexpected(path: Any, missing: list[str]) -> str:
    nearest = difflib.get_close_matches(str(path), missing, 1)
    meant = f" (did you mean {nearest[0]!r}?)" if nearest else ""
    return f"{path!r} is not expected{meant}"


def _children(value: Any) -> Iterator[tuple[Any, Any]]:
    """What a module looks through: attributes, the entries of lists, tuples and dicts."""
    if isinstance(value, Module):
        return iter(list(vars(value).items()))
    if isinstance(value, list | tuple):
        return iter(enumerate(value))
    return iter(list(value.items()) if isinstance(value, dict) else ())


def _modules_among(path: str, value: Any, seen: frozenset[int] = frozenset()) -> Iterator[Any]:
    """The modules in a nest of lists, tuples and dicts, by path, not those inside of them."""
    if id(value) in seen:
        return
    for key, child in _children(value):
        inner = f"{path}.{key}" if path else str(key)
        if isinstance(child, Module):
            yield inner, child
        else:
            yield from _modules_among(inner, child, seen | {id(value)})


def _walk(module: Module) -> Iterator[tuple[str, Module | ag.Variable]]:
    """Everything of interest inside a module, depth first, each object once even in a cycle."""
    seen: set[int] = set()

    def visit(path: str, value: Any) -> Iterator[tuple[str, Module | ag.Variable]]:
        if not isinstance(value, Module | ag.Variable | list | tuple | dict):
            return
        if id(value) in seen:
            return
        seen.add(id(value))
        if value is not module and isinstance(value, Module | ag.Variable):
            yield path, value
        for key, child in _children(value):
            yield from visit(f"{path}.{key}" if path else str(key), child)

    return visit("", module)
