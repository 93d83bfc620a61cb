"""Variable: a NumPy array that remembers how it was made.

The class holds the value, the gradient and the record of the operation. NumPy's functions reach it
through the two dispatch protocols (NEP 13 `__array_ufunc__`, NEP 18 `__array_function__`).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd_lite.errors import MissingRuleError, a_kind
from autograd_lite.operators import OPERATIONS, Operators
from autograd_lite.tape import NUMBERS, Scope

Array = NDArray[Any]

REFUSED: dict[str, tuple[str, str]] = {}
"""Name of a NumPy function that has no rule for good → the reason, and what to write instead."""

WAYS: dict[str, Callable[..., Any]] = {}
"""How else a ufunc is called ("reduce", "outer", or "__call__" with keywords) → what does it."""


@final
class Variable(Operators):
    """An array on the tape: `Variable(data, name=None, requires_grad=True)`.

    `data` is copied; it must be floating point when gradients are wanted (TypeError otherwise).
    NumPy's functions, operators and methods on a Variable compute as on its array and record what
    they did, so that `backward()` can fill in `.grad`, an array of the Variable's shape and dtype,
    or None before the first backward pass.

    >>> import numpy as np, autograd_lite as ag
    >>> x = ag.Variable([1.0, 2.0], name="x")
    >>> loss = np.sum(x ** 2)
    >>> loss.backward()
    >>> x.grad
    array([2., 4.])

    How it was made can be read, not written: `operation` (None for a leaf), `inputs`, `settings`,
    `scope`, `number`.
    """

    __slots__ = (
        "__weakref__",
        "_array",
        "_grad",
        "_inputs",
        "_number",
        "_origin",
        "_primitive",
        "_scope",
        "_settings",
        "_tracked",
        "_values",
        "name",
    )

    name: str | None
    _tracked: bool
    _array: Any
    _grad: Any
    _number: int
    _primitive: Any
    _inputs: tuple[Any, ...]
    _values: Sequence[Any]
    _settings: dict[str, Any]
    _scope: Scope | None
    _origin: Any

    def __init__(self, data: ArrayLike, name: str | None = None, requires_grad: bool = True):
        if type(data) is Variable:
            if data._tracked and data._primitive is not None:
                raise TypeError(
                    f"Variable: {data.label} is tracked and would silently leave the tape; it is a "
                    f"Variable already, and .detach() or .data gives its value as a constant"
                )
            data = data.data
        _refuse_masked("Variable", data)
        array = np.array(data)
        if (requires_grad and array.dtype.kind != "f") or array.dtype.kind == "c":
            raise TypeError(_not_floating(array))
        array.flags.writeable = False
        self._array = array
        self._grad = None
        self._number = next(NUMBERS)
        self._primitive, self._inputs, self._values, self._settings = None, (), (), {}
        self._scope = None
        self.name, self._tracked = name, requires_grad

    # the slot must not be called _data: numpy.ma would take an attribute of that name for the array
    # --- value and gradient -----------------------------------------------------------------

    @property
    def data(self) -> Array:
        """The value, as a read-only view (a tuple of them for an operation with several results).

        Assigning copies, keeps the dtype, and leaves every recorded graph as it was.
        """
        if type(self._array) is tuple:
            return tuple(_read_only(array) for array in self._array)  # type: ignore[return-value]
        return _read_only(self._array)

    @data.setter
    def data(self, new: ArrayLike) -> None:
        _refuse_masked("data", new)
        self.assign(np.array(new))

    def assign(self, new: Array) -> None:
        """`v.data = new` for an array that nobody else will use: it is taken over, not copied.

        For optimisers: it spares a pass over every weight. The array becomes read-only. Raises
        ValueError for another shape and for a Variable that is the result of an operation,
        TypeError for a dtype that does not convert safely.

        >>> import numpy as np, autograd_lite as ag
        >>> v = ag.Variable([1.0, 2.0])
        >>> v.assign(v.data * 3.0)
        >>> v.data
        array([3., 6.])
        """
        if self._primitive is not None:
            raise ValueError(
                f"data: {self.label} is the result of '{self._primitive.name}' and cannot be "
                f"assigned, or its record would be wrong; assign to the leaves it was computed from"
            )
        _refuse_masked("data", new)
        old = self._array
        new = np.asarray(new)  # a scalar, from NumPy's arithmetic on 0-d arrays
        if new.shape != old.shape:
            raise ValueError(
                f"data: {self.label} has shape {old.shape}, the new data has shape {new.shape}; "
                f"make a new Variable to change the shape"
            )
        if new.dtype != old.dtype and not np.can_cast(new.dtype, old.dtype, "same_kind"):
            raise TypeError(
                f"data: {self.label} has dtype {old.dtype}, the new data has dtype {new.dtype}, "
                f"which cannot be converted safely; use .astype yourself"
            )
        if new.base is not None or new.dtype != old.dtype:  # a view has an owner who may write
            new = np.array(new, dtype=old.dtype)
        new.flags.writeable = False
        self._array = new

    @property
    def grad(self) -> Any:
        """The gradient that backward passes have accumulated, or None.

        An array; a Variable after `backward(create_graph=True)`.
        """
        return self._grad

    @grad.setter
    def grad(self, new: ArrayLike | None) -> None:
        if new is None:
            self._grad = None
            return
        _refuse_masked("grad", new)
        array = np.asarray(new)
        if array.shape != self._array.shape or array.dtype.kind not in "fiub":
            raise ValueError(
                f"grad: {self.label} is {a_kind(self._array)}, the new gradient is "
                f"{a_kind(array)}; assign None or a real array of the same shape"
            )
        self._grad = np.array(array, dtype=self._array.dtype)

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to it. A leaf's may be assigned, to freeze it and to go on.

        A backward pass goes by what it is then, not by what it was when something was recorded.
        """
        return self._tracked

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self._primitive is not None:
            raise ValueError(
                f"requires_grad: {self.label} is the result of '{self._primitive.name}', and it "
                f"follows from its operands; take .detach() for a constant, or make a leaf with "
                f"ag.Variable(v.data)"
            )
        if wanted and self._array.dtype.kind != "f":
            raise TypeError(_not_floating(self._array))
        self._tracked = bool(wanted)

    def zero_grad(self) -> None:
        """Forget the gradient: `.grad` is None again, and the next backward pass starts anew."""
        self._grad = None

    def backward(
        self,
        cotangent: ArrayLike | None = None,
        *,
        retain_grads: bool = False,
        create_graph: bool = False,
    ) -> None:
        """Add the gradient of this Variable to `.grad` of every leaf it was computed from.

        `cotangent`, ∂L/∂self for some scalar L, may be left out when there is one element (it is 1
        then). `retain_grads=True` fills `.grad` of the intermediate Variables too. With
        `create_graph=True` gradients are recorded Variables, to be differentiated again; a Variable
        and its recorded gradient hold each other until `zero_grad()`. See `ag.gradients` and
        `ag.grad` for gradients without storing them.

        >>> import numpy as np, autograd_lite as ag
        >>> x = ag.Variable(2.0)
        >>> (x**3).backward(create_graph=True)
        >>> penalty = x.grad**2  # (3x²)²
        >>> x.zero_grad()
        >>> penalty.backward()
        >>> x.grad  # 36x³
        array(288.)
        """
        from autograd_lite.backward import backward  # the one late import: backward stands on rules

        backward(self, cotangent, retain_grads=retain_grads, create_graph=create_graph)

    def detach(self) -> Variable:
        """The same value as an untracked Variable: a constant for every derivative from here on.

        It remembers its source only as long as others keep that alive, so that a state carried
        from step to step does not drag its history along.
        """
        return OPERATIONS[Variable.detach](self)  # type: ignore[no-any-return]

    def item(self, *index: Any) -> float | int | bool:
        """One value as a Python number: that of a one-element Variable, or the one at the index."""
        return self._array.item(*index)  # type: ignore[no-any-return]

    # --- how it was made --------------------------------------------------------------------

    @property
    def number(self) -> int:
        """The place in the process-wide order of creation."""
        return self._number

    @property
    def operation(self) -> Any:
        """The Primitive that computed this, or None for a leaf."""
        return self._primitive

    @property
    def inputs(self) -> tuple[Any, ...]:
        """The operands, in order: Variables, and constants as they were passed."""
        if self._primitive is not None and self._primitive.weak:
            return tuple(source for source in (ref() for ref in self._inputs) if source is not None)
        return self._inputs

    @property
    def settings(self) -> Mapping[str, Any]:
        """The keyword settings of the operation: axis, keepdims and their like."""
        return self._settings

    @property
    def scope(self) -> Scope | None:
        """The innermost `ag.scope` it was recorded in."""
        return self._scope

    @property
    def origin(self) -> Any:
        """The file and line that called the operation; None unless `ag.debug()` was on."""
        return getattr(self, "_origin", None)

    @property
    def label(self) -> str:
        """The name, or the operation and number: what messages call it."""
        if self.name:
            return self.name
        return f"{self._primitive.name if self._primitive else 'Variable'} #{self._number}"

    # --- NumPy's two protocols ---------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        implementation = OPERATIONS.get(ufunc)
        if implementation is not None:
            if method == "__call__" and not kwargs:
                return implementation(*inputs)
            if method in WAYS:
                z = WAYS[method](ufunc, *inputs, **kwargs)
                if z is not NotImplemented:
                    return z
        return _without_rule(ufunc, method, inputs, kwargs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        implementation = OPERATIONS.get(function)
        if implementation is None:
            return _without_rule(function, "__call__", args, kwargs)
        return implementation(*args, **kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self._tracked:
            raise TypeError(
                f"np.asarray: {self.label} is tracked and would silently leave the tape; use .data "
                f"for its value (np.stack([v, w]) joins Variables, np.broadcast_to(v, shape) fills)"
            )
        return np.array(self.data, dtype=dtype, copy=copy)

    # --- Python's conversions: allowed where nothing can get lost ----------------------------

    def _untracked(self, asked: str) -> Any:
        if self._tracked:
            raise TypeError(
                f"{asked}: {self.label} is tracked and would silently leave the tape; "
                f"use .item() for a Python number, .data for the array, or NumPy's functions"
            )
        return self._array

    def __float__(self) -> float:
        return float(self._untracked("float (and math.*)"))

    def __int__(self) -> int:
        return int(self._untracked("int"))

    def __complex__(self) -> complex:
        return complex(self._untracked("complex"))

    def __bool__(self) -> bool:
        return bool(self._untracked("bool"))

    def __index__(self) -> int:
        return operator.index(self._untracked("index"))

    def __len__(self) -> int:
        return len(self._array)

    def __iter__(self) -> Iterator[Variable]:
        return (self[i] for i in range(len(self)))  # len raises for 0-d, as NumPy does

    def __contains__(self, element: Any) -> bool:
        return (element._array if type(element) is Variable else element) in self._array

    def __format__(self, specification: str) -> str:
        if not specification:
            return str(self)
        return format(self.item() if self.size == 1 else self._array, specification)

    def __reduce__(self) -> Any:
        """Copying and pickling: a leaf exactly, as a Variable of its own; what is recorded, not."""
        if self._primitive is not None and self._tracked:
            raise TypeError(
                f"copy: {self.label} is the result of '{self._primitive.name}', and a copy would "
                f"lose its place on the tape; copy .detach(), or the leaves it was computed from"
            )
        return _restored, (np.array(self._array), self.name, self._tracked, plain(self._grad))

    def __repr__(self) -> str:
        if type(self._array) is tuple:
            return f"Variable(of {len(self._array)} results, operation={self._primitive.name!r})"
        text = np.array2string(self._array, separator=", ", prefix="Variable(", threshold=20)
        parts = [text]
        if self._array.dtype != np.float64:
            parts.append(f"dtype={self._array.dtype}")
        if self.name:
            parts.append(f"name={self.name!r}")
        if self._primitive is not None:
            parts.append(f"operation={self._primitive.name!r}")
        elif not self._tracked:
            parts.append("requires_grad=False")
        return f"Variable({', '.join(parts)})"

    __hash__ = object.__hash__

    # --- attributes of the array ---------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value (a tuple of them for an operation with several results)."""
        data = self._array
        return data.shape if type(data) is not tuple else tuple(part.shape for part in data)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the value (of the first one for an operation with several results)."""
        data = self._array
        return data.dtype if type(data) is not tuple else data[0].dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)


def _restored(data: Array, name: str | None, requires_grad: bool, grad: Any) -> Variable:
    """A copied or unpickled leaf."""
    leaf = Variable(data, name, requires_grad)
    leaf.grad = grad
    return leaf


def _read_only(array: Any) -> Array:
    view: Array = array.view()
    if view.flags.writeable:  # a leaf's array is not, so that no view of it can be made so
        view.flags.writeable = False
    return view


def guarded(value: Any) -> Any:
    """A view that cannot be written to, for functions and rules that are not the library's."""
    if type(value) is tuple:
        return tuple([guarded(part) for part in value])
    return _read_only(value) if isinstance(value, np.ndarray) else value


def _refuse_masked(asked: str, data: Any) -> None:
    if type(data) is not np.ndarray and np.ma.is_masked(data):
        raise TypeError(
            f"{asked}: this array has masked entries, and they would count; pass "
            f"data.filled(value), and the mask to np.where"
        )


def _not_floating(array: Array) -> str:
    advice = "pass requires_grad=False for a constant"
    if array.dtype.kind in "iub":
        advice = (
            f"write {array.item()}.0 or .astype(float), or {advice}"
            if array.size == 1
            else (f"convert with .astype(float), or {advice}")
        )
    elif array.dtype.kind == "c":
        advice = "split it into real and imaginary parts, .real and .imag of the array"
    return f"Variable: only floating point can be tracked, this is {a_kind(array)}; {advice}"


_HARMLESS = {"axes", "axis", "casting", "dtype", "keepdims", "order", "subok"}
"""The keywords of a ufunc that are supported on Variables."""

_ADVICE = {
    "at": "it writes into its argument: write ag.put(x, index, value), or add up with np.bincount",
    "reduceat": "reduce each of the parts that np.split gives",
    "reduce": "use the returned value, or write the calls out",
    "accumulate": "use the returned value, or write the calls out",
    "outer": "use the returned value of a plain call, with a[:, None] to broadcast",
}


def _without_rule(function: Any, method: str, args: Any, kwargs: Any) -> Any:
    """Run a function without a rule on plain arrays, if no tracked Variable would get lost."""
    name = function.__name__ + ("" if method == "__call__" else f".{method}")
    tracked = [v for v in _variables((args, kwargs)) if v._tracked]
    if tracked and method == "__call__" and function in OPERATIONS:
        refused = [key for key in kwargs if key not in _HARMLESS] or list(kwargs)
        raise MissingRuleError(
            f"{name}: {', '.join(refused)}= is not supported on a Variable, and {tracked[0].label} "
            f"is tracked; use the returned value, and np.where for where="
        )
    if tracked and method != "__call__":
        raise MissingRuleError(
            f"{name}: this way of calling {function.__name__} has no derivative rule, and "
            f"{tracked[0].label} is tracked; {_ADVICE[method]}"
        )
    if tracked:
        reason, advice = REFUSED.get(qualified_name(function)) or (
            "there is no derivative rule for it",
            f"add one with ag.primitive({name}, rule), or take .data or .detach() if no gradient "
            f"should flow",
        )
        raise MissingRuleError(f"{name}: {reason}, and {tracked[0].label} is tracked; {advice}")
    call = function if method == "__call__" else getattr(function, method)
    return call(*plain(args), **plain(kwargs))


def qualified_name(function: Any) -> str:
    """What tables call a NumPy function: "numpy.linalg.norm"; some ufuncs know no module."""
    return f"{getattr(function, '__module__', None) or 'ufunc'}.{function.__name__}"


def _variables(nested: Any) -> Iterator[Variable]:
    if type(nested) is Variable:
        yield nested
    elif isinstance(nested, list | tuple):
        for element in nested:
            yield from _variables(element)
    elif isinstance(nested, dict):
        yield from _variables(list(nested.values()))


def plain(nested: Any) -> Any:
    """The same nest of lists, tuples and dicts, with its Variables' arrays in their place."""
    if type(nested) is Variable:
        return nested.data
    if type(nested) in (list, tuple):
        return type(nested)(plain(element) for element in nested)
    if isinstance(nested, dict):
        return {key: plain(element) for key, element in nested.items()}
    return nested
