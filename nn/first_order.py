"""What first-order optimisers share: parameters in groups, settings, and state out and in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter, is_
from typing import Any, ClassVar, NamedTuple

import numpy as np

from autograd_lite.errors import a_kind, counted, kind
from autograd_lite.variable import Array, Variable
from nn.module import listed

Parameters = Variable | Iterable[Variable] | Iterable[dict[str, Any]]
"""Variables, or groups of them: {"parameters": Variables, …settings of their own}."""


Groups = tuple[dict[str, Any], ...]
"""Settings may be changed in them; tuples, or a parameter added later would never be trained."""


class Range(NamedTuple):
    """What a setting may be, as a test and in words."""

    holds: Callable[[Any], bool]
    text: str


NOT_NEGATIVE = Range(lambda x: 0 <= x < np.inf, "a number of at least 0")
POSITIVE = Range(lambda x: 0 < x < np.inf, "a positive number")
FRACTION = Range(lambda x: 0 <= x < 1, "a number from 0 to below 1")
FLAG = Range(lambda x: x in (False, True), "True or False")


class FirstOrderOptimiser:
    """Parameters that follow their gradients, each by a rule that looks at it alone.

    The base of `nn.SGD`, `nn.Adam` and the others, and of rules of one's own. A subclass lists its
    `settings`, each with the range it may have; its constructor puts their values into attributes
    of these names, and then calls this one. `_update` computes a parameter's new array.

    `parameters` is Variables, or groups of them: dicts with "parameters" and settings of their own.
    What a group does not set is the optimiser's attribute. Attributes and the settings in `groups`
    may be changed between steps; a learning rate of 0 is allowed then, though not to begin with.
    Which parameters there are stays as it is.

    Raises ValueError for no parameters, a parameter given twice, a setting that there is not and
    one out of its range; TypeError for a parameter that is not a tracked Variable. So does `step`,
    for what was changed since.

    >>> import numpy as np, autograd_lite as ag, nn
    >>> from nn.first_order import NOT_NEGATIVE
    >>> class SignDescent(nn.FirstOrderOptimiser):
    ...     settings = {"learning_rate": NOT_NEGATIVE}
    ...     def __init__(self, parameters, learning_rate):
    ...         self.learning_rate = learning_rate
    ...         super().__init__(parameters)
    ...     def _update(self, theta, g, state, learning_rate):
    ...         return theta - learning_rate * np.sign(g)
    >>> x, y = ag.Variable(3.0), ag.Variable(3.0)
    >>> groups = [{"parameters": [x]}, {"parameters": [y], "learning_rate": 1.0}]
    >>> optimiser = SignDescent(groups, learning_rate=0.5)
    >>> (x**2 + y**2).backward()
    >>> optimiser.step()
    >>> x.item(), y.item()
    (2.5, 2.0)
    >>> optimiser
    SignDescent(2 parameters, learning_rate=0.5)
    """

    settings: ClassVar[Mapping[str, Range]]
    """The names of the settings, which are attributes, and what each may be."""

    always_remembered: ClassVar[tuple[str, ...]] = ()
    """What is kept of every parameter that was ever changed: arrays of its shape, or "t"."""

    also_remembered: ClassVar[tuple[str, ...]] = ()
    """What is kept with some settings only."""

    def __init__(self, parameters: Parameters):
        name = type(self).__name__
        self.groups = _groups(name, parameters, self.settings)
        self.parameters = tuple([p for group in self.groups for p in group["parameters"]])
        self._states: list[dict[str, Any]] = [{} for _ in self.parameters]
        for group in self.groups:
            _check(name, "learning_rate", self._setting(group, "learning_rate"), POSITIVE)
            self._settings_of(group)
        self._own = attrgetter("groups", "_states", *self.settings)
        self._plan: list[tuple[Variable, dict[str, Any], dict[str, Any]]] = []
        self._planned_for: list[Any] = []

    def __repr__(self) -> str:
        settings = "".join([f", {name}={getattr(self, name)!r}" for name in self.settings])
        return f"{type(self).__name__}({counted(len(self.parameters), 'parameter')}{settings})"

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters:
            parameter.zero_grad()

    def step(self) -> None:
        """Change every parameter that has a gradient, once."""
        for parameter, state, settings in self._planned():
            g = parameter.grad
            if g is None:
                continue
            if type(g) is Variable:  # from backward(create_graph=True)
                g = g.data
            parameter.assign(self._update(parameter.data, g, state, **settings))

    def _planned(self) -> list[tuple[Variable, dict[str, Any], dict[str, Any]]]:
        """Every parameter with its state and settings, checked again where something changed.

        A small model's step takes microseconds, and checks would be half of it: so it is only
        looked whether groups and settings are the objects that they were.
        """
        now = [*self._own(self)]
        for group in self.groups:
            now += group
            now += group.values()
        if len(now) == len(self._planned_for) and all(map(is_, now, self._planned_for)):
            return self._plan
        self.groups = _unchanged(type(self).__name__, self.groups, self.parameters, self.settings)
        each = [
            settings
            for settings, group in [(self._settings_of(group), group) for group in self.groups]
            for _ in group["parameters"]
        ]
        self._plan = list(zip(self.parameters, self._states, each, strict=True))
        # what can be written to in place may differ though it is the same object
        in_place = any(isinstance(value, np.ndarray) for value in now)
        self._planned_for = [] if in_place else now
        return self._plan

    def forget(self) -> None:
        """Begin anew: forget what is kept of earlier steps, such as means of gradients."""
        self._states = [{} for _ in self.parameters]

    def _update(self, *given: Any, **settings: Any) -> Array:
        """A new array for θ: `_update(theta, g, state, **settings)`, for a subclass to write.

        θ and its gradient g are not to be written to. `state` is what this parameter left there at
        its last step, {} at its first.
        """
        raise NotImplementedError(f"{type(self).__name__}: an optimiser must define _update")

    def _settings_of(self, group: Mapping[str, Any]) -> dict[str, Any]:
        """The group's own settings, and the optimiser's for the rest, as Python's numbers."""
        settings = {}
        for name, allowed in self.settings.items():
            value = self._setting(group, name)
            if type(value) not in _PLAIN or not allowed.holds(value):
                _check(type(self).__name__, name, value, allowed)
                value = float(value)  # a NumPy scalar would turn float32 into float64
            settings[name] = value
        return settings

    def _setting(self, group: Mapping[str, Any], name: str) -> Any:
        return group[name] if name in group else getattr(self, name)

    # --- state out and in --------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """All that the next steps depend on, beside parameters and gradients: a nest of dicts.

        {"optimiser": name of the class, "settings": {name: number}, "groups": {"0": {"parameters":
        how many, …settings of its own}}, "parameters": {"0": {name: array or number}}}. Groups and
        parameters are counted in the order in which they were given; parameters of which nothing is
        remembered are left out. Arrays are copies.
        """
        return {
            "optimiser": type(self).__name__,
            "settings": {name: _number(getattr(self, name)) for name in self.settings},
            "groups": {
                str(i): {"parameters": len(group["parameters"]), **_own(group, self.settings)}
                for i, group in enumerate(self.groups)
            },
            "parameters": {
                str(i): {
                    name: np.array(value) if isinstance(value, np.ndarray) else value
                    for name, value in state.items()
                }
                for i, state in enumerate(self._states)
                if state
            },
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave: the steps from here on are those it would have taken.

        The parameters' values are not part of it. Numbers may come as arrays without axes. Raises
        ValueError, and changes nothing, for the state of another optimiser, of other groups, or of
        parameters of other shapes or dtypes; TypeError for what is no such state.

        >>> import autograd_lite as ag, nn
        >>> x = ag.Variable(0.0)
        >>> adam, other = nn.Adam([x], 0.1), nn.Adam([x])
        >>> other.load_state_dict(adam.state_dict())
        >>> other.learning_rate
        0.1
        """
        asked = f"{type(self).__name__}.load_state_dict"
        _mapping(asked, "state", state)
        _same(asked, "entries", set(state), _ENTRIES)
        _same(asked, "optimiser", str(state["optimiser"]), type(self).__name__)
        for name in sorted(set(state) - {"optimiser"}):
            _mapping(asked, f"entry {name!r}", state[name])
            for i, part in state[name].items() if name != "settings" else ():
                _mapping(asked, f"entry {name!r}, {i!r},", part)
        settings = {name: _number(value) for name, value in state["settings"].items()}
        _same(asked, "settings", set(settings), set(self.settings))
        _same(asked, "groups", sorted(state["groups"]), sorted(map(str, range(len(self.groups)))))
        groups = []
        for i, group in enumerate(self.groups):
            own = {name: _number(value) for name, value in state["groups"][str(i)].items()}
            size = own.pop("parameters", None)
            _same(asked, f"number of parameters in group {i}", size, len(group["parameters"]))
            groups.append({"parameters": group["parameters"], **own})
            for name, value in {**settings, **own}.items():
                if name not in self.settings:
                    raise ValueError(f"{asked}: group {i} sets {name!r}, which is no setting here")
                _check(asked, name, value, self.settings[name])
        states = self._checked_states(asked, state["parameters"])
        for name, value in settings.items():
            setattr(self, name, value)
        self.groups, self._states = tuple(groups), states

    def _checked_states(self, asked: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Copies of what is remembered of each parameter, or what does not fit."""
        always, known = (
            set(self.always_remembered),
            {*self.always_remembered, *self.also_remembered},
        )
        positions = [str(i) for i in range(len(self.parameters))]
        if not set(given) <= set(positions):
            raise ValueError(
                f"{asked}: expected the state of {len(positions)} parameters, received "
                f"entries {', '.join(sorted(given))}; load it into an optimiser of the same model"
            )
        states: list[dict[str, Any]] = []
        for i, parameter in zip(positions, self.parameters, strict=True):
            place = f"{asked}: parameter {i}, {parameter.label},"
            taken: dict[str, Any] = {}
            names = set(given.get(i, ()))
            if names and not always <= names <= known:
                raise ValueError(
                    f"{place} expected {_listed(always or known)}, received {_listed(names)}; load "
                    f"what state_dict of the same optimiser gave"
                )
            for name, value in given.get(i, {}).items():
                if name == "t":
                    taken[name] = _number(value)
                    if not (isinstance(taken[name], int) and taken[name] >= 1):
                        raise ValueError(f"{place} has taken {value!r} steps; it must be 1 or more")
                    continue
                array = np.array(value)
                if (array.shape, array.dtype) != (parameter.shape, parameter.dtype):
                    raise ValueError(
                        f"{place} is {a_kind(parameter)}, the {name} in the state is "
                        f"{a_kind(array)}; load it into an optimiser of the same model"
                    )
                taken[name] = array
            states.append(taken)
        return states


_PLAIN = (float, bool, int)
_ENTRIES = {"optimiser", "settings", "groups", "parameters"}


def remembered(state: dict[str, Any], name: str, like: Array, start: float = 0.0) -> Array:
    """The array of this name that a parameter's state keeps: at first `start` everywhere."""
    array: Array | None = state.get(name)
    if array is None:
        array = state[name] = np.full_like(like, start)
    return array


def _groups(asked: str, parameters: Parameters, known: Mapping[str, Range]) -> Groups:
    """The parameters as groups: every setting known, every parameter tracked, and there once."""
    given = listed(asked, parameters)
    if not any(isinstance(group, dict) for group in given):
        return ({"parameters": _checked(asked, "", given, set())},)
    groups, seen = [], set[int]()
    for position, group in enumerate(given):
        if not isinstance(group, dict) or "parameters" not in group:
            raise TypeError(
                f"{asked}: group {position} must be a dict with 'parameters', received "
                f"{kind(group)}; pass Variables alone, or groups alone"
            )
        _refuse_unknown(asked, position, group, known)
        members = listed(f"{asked}: group {position}", group["parameters"])
        checked = _checked(asked, f" of group {position}", members, seen)
        groups.append({**group, "parameters": checked})
    return tuple(groups)


def _refuse_unknown(
    asked: str, position: int, group: Mapping[str, Any], known: Mapping[str, Range]
) -> None:
    unknown = set(group) - {"parameters", *known}
    if unknown:
        raise ValueError(
            f"{asked}: group {position} sets {_listed(unknown)}, which it does not have; "
            f"its settings are {', '.join(known)}"
        )


def _unchanged(
    asked: str, groups: Any, parameters: tuple[Variable, ...], known: Mapping[str, Range]
) -> Groups:
    """The groups after their settings may have changed, with the parameters that they had."""
    groups = tuple(groups)
    for position, group in enumerate(groups):
        _refuse_unknown(asked, position, group, known)
        group["parameters"] = tuple(group.get("parameters", ()))
    members = [parameter for group in groups for parameter in group["parameters"]]
    if len(members) != len(parameters) or not all(map(is_, members, parameters)):
        raise ValueError(
            f"{asked}: its groups hold {len(members)} parameters that are not, one by one, the "
            f"{len(parameters)} it was made with; to train others, make a new optimiser"
        )
    return groups


def _checked(asked: str, place: str, given: list[Any], seen: set[int]) -> tuple[Variable, ...]:
    """The parameters: at least one, tracked, and each once, counting those seen before."""
    if not given:
        raise ValueError(
            f"{asked}: there are no parameters{place.replace('of', 'in', 1)}; pass for instance "
            f"module.parameters()"
        )
    for position, parameter in enumerate(given):
        which = f"{asked}: parameter {position}{place}"
        if not isinstance(parameter, Variable):
            raise TypeError(
                f"{which} is {a_kind(parameter)}, not a tracked Variable; pass for instance "
                f"module.parameters()"
            )
        if parameter.operation is not None:
            raise TypeError(
                f"{which}, {parameter.label}, is the result of '{parameter.operation.name}', which "
                f"cannot be assigned; pass the leaves it was computed from"
            )
        if not parameter.requires_grad:
            raise TypeError(
                f"{which}, {parameter.label}, is not tracked and never gets a gradient; leave it "
                f"out, or make it a Variable with requires_grad=True"
            )
        if id(parameter) in seen:
            raise ValueError(
                f"{which}, {parameter.label}, was given twice and would be changed twice in one "
                f"step; pass each parameter once"
            )
        seen.add(id(parameter))
    return tuple(given)


def _check(asked: str, name: str, value: Any, allowed: Range) -> None:
    """Refuse a setting that is no number, or out of its range."""
    try:
        holds = bool(allowed.holds(value))
    except (TypeError, ValueError):
        raise TypeError(
            f"{asked}: the {name.replace('_', ' ')} must be {allowed.text}, received {kind(value)}"
        ) from None
    if not holds:
        raise ValueError(
            f"{asked}: the {name.replace('_', ' ')} must be {allowed.text}, received {value}"
        )


def _mapping(asked: str, what: str, received: Any) -> None:
    """Refuse a state in which there is something else where a dict should be."""
    if not isinstance(received, Mapping):
        raise TypeError(
            f"{asked}: the {what} must be a dict, received: {kind(received)}; load what state_dict "
            f"gave"
        )


def _same(asked: str, what: str, received: Any, expected: Any) -> None:
    """Refuse a state whose outline is another than that of this optimiser."""
    if received != expected:
        raise ValueError(
            f"{asked}: the {what} must be {_listed(expected)}, received {_listed(received)}; load "
            f"what state_dict of the same optimiser over the same parameters gave"
        )


def _listed(names: Any) -> str:
    if isinstance(names, set | list):
        return ", ".join(map(str, sorted(names))) or "nothing"
    return str(names)


def _number(value: Any) -> Any:
    """A setting as Python's number, also if it comes out of an array without axes."""
    return value.item() if isinstance(value, np.ndarray | np.generic) else value


def _own(group: Mapping[str, Any], settings: Mapping[str, Range]) -> dict[str, Any]:
    """The settings that a group has of its own."""
    return {name: _number(group[name]) for name in settings if name in group}
