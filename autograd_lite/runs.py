"""Runs: one call of a function on Variables of a transform's own, and what may leave it.

What comes out are arrays; but Variables where a result depends on a tracked Variable that no
transform made, or one whose function is still running, such as the transform around this one.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite import errors
from autograd_lite.backward import pulled_back
from autograd_lite.nests import aligned, leaves, mapped, rebuilt
from autograd_lite.primitive import Primitive
from autograd_lite.replay import behind
from autograd_lite.tape import NUMBERS, STATE, recording
from autograd_lite.variable import Variable

ArgNums = int | Sequence[int]
Function = Callable[..., Any]

_argument = Primitive(lambda x: x, (lambda g, z, x: g,), "argument")
"""Makes a transform's own Variables: no leaves, so that nobody takes them for a user's."""

RUNNING: Counter[int] = Counter()
"""How many calls are at work with each of the Variables, by number, that transforms have made."""

_COUNTING = threading.Lock()


class Run:
    """One call of a function on Variables of our own, its `inputs`, and what came of it.

    `chosen` is what `argnums` selects of the arguments, `result` what the function returned, both
    in their nesting; `outputs` are the leaves of `result`. `outside` are the numbers of what
    depends, in the result, on tracked Variables that are not ours. `with run:`, while it is
    differentiated, says that ours are in use: other transforms, in a rule for instance, mind them.
    """

    def __init__(
        self,
        asked: str,
        function: Function,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        argnums: ArgNums,
        has_aux: bool = False,
    ):
        self.asked = asked
        require_callable(asked, function)
        positions = _positions(asked, argnums, len(args))
        chosen = tuple(args[position] for position in positions)
        # rebuilt, here and below: the caller's own lists and dicts may change
        self.chosen = mapped(_itself, chosen if isinstance(argnums, Sequence) else chosen[0])
        self.first = next(NUMBERS)
        with recording():
            arguments = list(args)
            self.inputs: list[Variable] = []
            for position in positions:
                own = [
                    _own(f"{asked}: argument {position}{path}", leaf)
                    for path, leaf in leaves(args[position])
                ]
                arguments[position] = rebuilt(args[position], own)
                self.inputs += own
            self.own = {v._number for v in self.inputs}
            with self:
                self.result = function(*arguments, **kwargs)
        self.aux: Any = None
        if has_aux:
            if not isinstance(self.result, tuple) or len(self.result) != 2:
                raise TypeError(
                    f"{asked}: with has_aux=True the function returns (output, auxiliary), this "
                    f"one returned {errors.a_kind(self.result)}"
                )
            self.result, self.aux = self.result
        self.result = mapped(_itself, self.result)
        self.outputs = [
            _output(f"{asked}: the function's output{path}", leaf)
            for path, leaf in leaves(self.result)
        ]
        self.outside = self.dependent([*self.outputs, *(x for _, x in leaves(self.aux))])

    def __enter__(self) -> Run:
        with _COUNTING:
            RUNNING.update(self.own)
        return self

    def __exit__(self, *exception: object) -> None:
        with _COUNTING:
            RUNNING.subtract(self.own)
            for number in self.own:
                if not RUNNING[number]:
                    del RUNNING[number]

    def dependent(self, results: Sequence[Any]) -> set[int]:
        """The numbers of what depends on tracked Variables not ours, of results and what made them.

        Those are what is older than our arguments, leaves, and what other transforms work with;
        what they have worked with is no concern of anybody any more.
        """
        if not STATE.get()[0]:  # under no_grad, nobody wants to differentiate
            return set()
        found: set[int] = set()

        def ours(v: Variable) -> bool:
            number = v._number
            in_use = number in RUNNING and number not in self.own
            if in_use or number < self.first or v._primitive is None:
                found.add(number)
                return False
            return True

        reached = behind([v for v in results if _is_tracked(v)], ours, only_tracked=True)
        if found:
            for v in reached:  # operands come before their results
                if any(type(x) is Variable and x._number in found for x in v._inputs):
                    found.add(v._number)
        return found

    def value(self) -> Any:
        """The function's result as the caller gets it."""
        return rebuilt(self.result, [_handed_out(x, self.outside) for x in self.outputs])

    def auxiliary(self) -> Any:
        """What the function returned beside it: its Variables as the caller gets them."""
        return mapped(
            lambda x: _handed_out(x, self.outside) if type(x) is Variable else x, self.aux
        )

    def require_one_number(self) -> None:
        """Refuse a function that does not return one number."""
        if isinstance(self.result, list | tuple | dict) or np.size(self.outputs[0]) != 1:
            raise ValueError(
                f"{self.asked}: the function must return one number, it returned "
                f"{errors.a_kind(self.result)}; reduce it with np.sum, return more with "
                f"has_aux=True, or take ag.jacobian or ag.elementwise_grad"
            )

    def pulled(
        self, cotangents: Sequence[Any], create_graph: bool, linear: bool = False
    ) -> list[Any]:
        """Cotangents of the inputs from those of the outputs; None and constants take no part."""
        seeds = [
            (output, cotangent)
            for output, cotangent in zip(self.outputs, cotangents, strict=True)
            if cotangent is not None and _is_tracked(output)
        ]
        return pulled_back(seeds, self.inputs, create_graph, linear=linear)

    @property
    def nested(self) -> bool:
        """Whether the derivative may depend on the outside."""
        return any(type(x) is Variable and x._number in self.outside for x in self.outputs)

    def gradient(self, cotangents: Sequence[Any]) -> Any:
        """What `pulled` gives, as the caller gets it, in the nesting of what was chosen."""
        create_graph = self.nested or bool(self.dependent(cotangents))
        found = self.pulled(cotangents, create_graph, linear=not self.nested)
        return self.handed_out(self.chosen, found)

    def handed_out(self, nest: Any, found: Sequence[Any]) -> Any:
        """Derivatives as the caller gets them, in the nesting of `nest`."""
        outside = self.dependent(found)
        return rebuilt(nest, [_handed_out(x, outside) for x in found])

    def ones(self) -> list[Any]:
        """A cotangent of 1 for every entry of every output."""
        return [np.ones(np.shape(output), cotangent_dtype(output)) for output in self.outputs]

    def linear(self) -> tuple[list[Variable], list[Variable]]:
        """Cotangents u of the outputs that are Variables, and those of the inputs, recorded."""
        with recording():
            u = [_own("", one) for one in self.ones()]
        numbers = {cotangent._number for cotangent in u}
        with _COUNTING:  # until we leave
            self.own |= numbers
            RUNNING.update(numbers)
        return u, self.pulled(u, create_graph=True, linear=not self.nested)

    def matching(self, name: str, given: Any, wanted: Any, like: Sequence[Any]) -> list[Any]:
        """The leaves of `given`, a nest that must have the nesting and shapes of another."""
        cast = []
        found = aligned(f"{self.asked}: the {name}", given, wanted)
        for (path, leaf), x in zip(found, like, strict=True):
            array = (
                leaf if type(leaf) is Variable else _array(f"{self.asked}: the {name}{path}", leaf)
            )
            if array.shape != np.shape(x) or array.dtype.kind not in "fiub":
                raise ValueError(
                    f"{self.asked}: the {name}{path} is {errors.a_kind(leaf)}, it must be real and "
                    f"of shape {np.shape(x)}"
                )
            cast.append(array.astype(cotangent_dtype(x)))
        return cast


def _itself(leaf: Any) -> Any:
    return leaf


def require_callable(asked: str, function: Any) -> None:
    """Refuse what is no function."""
    if not callable(function):
        raise TypeError(f"{asked}: it takes a function, this is {errors.a_kind(function)}")


def _positions(asked: str, argnums: ArgNums, count: int) -> list[int]:
    """Which positional arguments are differentiated."""
    positions = []
    for position in argnums if isinstance(argnums, Sequence) else [argnums]:
        if not isinstance(position, int | np.integer) or isinstance(position, bool):
            raise TypeError(
                f"{asked}: argnums={argnums!r} must be the position of an argument, or a tuple of "
                f"them"
            )
        if not -count <= position < count:
            raise ValueError(
                f"{asked}: argnums={argnums} asks for argument {position}, and the function was "
                f"called with {count} by position; pass by position what is differentiated"
            )
        positions.append(int(position) % count)
    if len(set(positions)) < len(positions):
        raise ValueError(f"{asked}: argnums={argnums} names an argument twice")
    return positions


def _own(name: str, leaf: Any) -> Variable:
    """A Variable of our own for an argument; one that is tracked stays connected to it."""
    if _is_tracked(leaf):
        return _argument(leaf)  # type: ignore[no-any-return]
    array = _array(name, leaf)
    if array.dtype.kind != "f":
        raise TypeError(
            f"{name} is {errors.a_kind(leaf)}, and only floating point can be differentiated; "
            f"write 3.0 for 3, convert with .astype(float), or leave it out of argnums"
        )
    return _argument.record(array, (array,), (array,), {}, True, False)  # type: ignore[no-any-return]


def _array(name: str, leaf: Any) -> Any:
    """A leaf as an array that nobody else holds; what has an arithmetic of its own is refused."""
    if isinstance(leaf, np.ma.MaskedArray | np.matrix):
        raise TypeError(
            f"{name} is a {type(leaf).__name__}, and its own arithmetic has no derivative here; "
            f"pass a plain array: np.asarray(matrix), or masked.filled(value) with np.where"
        )
    return np.array(leaf)


def _is_tracked(leaf: Any) -> bool:
    return type(leaf) is Variable and leaf._tracked


def _output(name: str, leaf: Any) -> Any:
    """An output: a Variable, or an array of numbers that nobody else holds."""
    array = leaf if type(leaf) is Variable else _array(name, leaf)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} is {errors.a_kind(leaf)}, not a number or an array of numbers")
    return array


def _handed_out(leaf: Any, outside: set[int]) -> Any:
    """A result as the caller gets it: an array, or a Variable that depends on the outside."""
    if type(leaf) is not Variable or leaf._number in outside:
        return leaf
    return np.array(leaf.data)


def cotangent_dtype(leaf: Any) -> Any:
    """What a cotangent of it is computed in."""
    return leaf.dtype if leaf.dtype.kind == "f" else np.dtype(float)
