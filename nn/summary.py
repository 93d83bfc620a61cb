"""The summary of a model: what its layers give, hold and cost for an input of some shape."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag
from autograd_lite.errors import kind
from autograd_lite.tape import STATE
from autograd_lite.text import table
from autograd_lite.variable import plain
from nn.evaluation import unchanged
from nn.module import Module


def summary(module: Module, *inputs: Any, dtype: DTypeLike | None = None) -> Summary:
    """What the layers of a module give, hold and cost: a table of the calls in one run of it.

    Each of `inputs`, one for each argument of `forward`, is a shape, the batch included, which
    stands for zeros of the dtype: (1, 3, 32, 32) for one image. It may also be an array. `dtype` is
    by default that of the first parameter, or float64; layers that count on whole numbers need
    dtype=int. A row stands for a module that was called, below the one that called it; calls of
    the same module with the same shapes share a row. Its numbers include all that is inside of it:

    - output: the shape, or those of several results;
    - parameters: how many numbers the parameters hold. What is in two rows is once in the total;
    - multiply-adds: those of the matrix products that ran, for this batch: n·m·k for (n, k) times
      (k, m). Products in matmul, dot, tensordot, einsum (as one sum over all of its letters) and
      convolve count, and so convolutions and layers built of them; what is done entry by entry,
      sums, and the algorithms of np.linalg do not. A bias that is added does not count either.

    Where a layer fails, the table ends with it and says what it was given, the error below; then
    `error` is the exception, and the totals of what would have run are None.

    The module runs once, with `training` off and recorded, not differentiated. Afterwards its
    modes, parameters, buffers and generators are what they were. Raises TypeError for what is no
    module and for inputs that are no shapes and no arrays.

    >>> import numpy as np, nn
    >>> network = nn.Sequential(nn.FullyConnected(4, 8), nn.ReLU(), nn.FullyConnected(8, 2))
    >>> print(nn.summary(network, (10, 4)))
    layer       kind                  output   parameters  multiply-adds
    Sequential  Sequential            (10, 2)  58          480
      layers.0  FullyConnected(4, 8)  (10, 8)  40          320
      layers.1  ReLU()                (10, 8)  0           0
      layers.2  FullyConnected(8, 2)  (10, 2)  18          160
    for an input of shape (10, 4), float64
    parameters: 58; frozen and buffers: 0; multiply-adds: 480
    """
    if not isinstance(module, Module):
        raise TypeError(
            f"summary: expected a module, received: {kind(module)}; wrap a function in nn.Function"
        )
    if not inputs:
        raise TypeError("summary: pass the shape of the input, (1, 3, 32, 32) for one image")
    if dtype is None:
        dtype = next((p.dtype for p in module.parameters()), np.dtype(float))
    arrays = [_array(x, np.dtype(dtype)) for x in inputs]
    calls = _Calls(module)
    error = None
    try:
        with calls.watched():
            module(*map(_recorded, arrays))
    except Exception as failure:
        error = failure
    try:
        return Summary(module, arrays, calls.first, error)
    finally:
        del error  # or it would hold itself, and all arrays, by the frames that it passed


class Summary:
    """What `nn.summary` found; printing it gives the table.

    `total_parameters` and `total_buffers` count the numbers in parameters, and in what is frozen or
    only kept, each once; `total_multiply_adds` is None after an `error`. `rows` are those of the
    table from above, each with how deep it is, as a `Call`.
    """

    def __init__(
        self, module: Module, arrays: Sequence[Any], first: Call | None, error: Exception | None
    ):
        self.error = error
        self.rows = [] if first is None else list(first.with_depth())
        self.total_parameters = _numbers(module.named_parameters())
        self.total_buffers = _numbers(module.named_buffers())
        self.total_multiply_adds = None if first is None or error else first.multiply_adds
        self._arrays = arrays

    def __str__(self) -> str:
        head = ("layer", "kind", "output", "parameters", "multiply-adds")
        lines = table(head, [call.cells(depth) for depth, call in self.rows])
        given = " and ".join(f"shape {array.shape}, {array.dtype}" for array in self._arrays)
        lines.append(f"for an input of {given}")
        totals = {
            "parameters": self.total_parameters,
            "frozen and buffers": self.total_buffers,
            "multiply-adds": self.total_multiply_adds,
        }
        lines.append("; ".join(f"{what}: {n:,}" for what, n in totals.items() if n is not None))
        if self.error is not None:
            lines.append(f"{type(self.error).__name__}: {self.error}")
        return "\n".join(lines)

    __repr__ = __str__


class Call:
    """A call of a module, or several with the same shapes: one row of a summary.

    `name` is the module's, or its path in the one around it. `inputs` and `output` are texts of
    shapes, `output` None if it did not end, `failed` whether the error began here; `times` is how
    often it was called; `inside` are the calls that it made.
    """

    def __init__(self, module: Module, inputs: str):
        self.module, self.inputs = module, inputs
        self.name = module._label
        self.output: str | None = None
        self.failed = False
        self.times = 1
        self.multiply_adds = 0
        self.inside: list[Call] = []

    @property
    def parameters(self) -> int:
        """How many numbers the parameters of the module hold, those inside of it included."""
        return _numbers(self.module.named_parameters())

    def is_like(self, other: Call) -> bool:
        """Whether both are calls of one module, with the same shapes all the way down."""
        return (
            self.module is other.module
            and self.output is not None
            and (self.inputs, self.output) == (other.inputs, other.output)
            and len(self.inside) == len(other.inside)
            and all(a.is_like(b) for a, b in zip(self.inside, other.inside, strict=True))
        )

    def add(self, other: Call) -> None:
        """Count a call that is like this one."""
        self.times += other.times
        self.multiply_adds += other.multiply_adds
        for mine, theirs in zip(self.inside, other.inside, strict=True):
            mine.add(theirs)

    def with_depth(self, depth: int = 0) -> Iterator[tuple[int, Call]]:
        """The call and those inside of it, in order, each with how deep it is."""
        yield depth, self
        for call in self.inside:
            yield from call.with_depth(depth + 1)

    def cells(self, depth: int) -> list[str]:
        """The row of the table."""
        what, *more = repr(self.module).splitlines()
        times = f" ×{self.times}" if self.times > 1 else ""
        cells = ["  " * depth + self.name + times, type(self.module).__name__ if more else what]
        output = self.output or (f"fails on {self.inputs}" if self.failed else "–")
        cost = f"{self.multiply_adds:,}" if self.output else "–"
        return [*cells, output, f"{self.parameters:,}", cost]


class _Calls:
    """Looks on while a module runs, and puts down its calls in a tree that begins at `first`."""

    def __init__(self, module: Module):
        self.module = module
        self.first: Call | None = None
        self._open: list[Call] = []

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Notice all calls and operations in the block, and put the module back afterwards."""
        modules = [self.module, *[module for _, module in self.module.named_modules()]]
        with unchanged(self.module), np.errstate(all="ignore"):
            self.module.eval()
            for module in modules:
                # what Module.__call__ finds before the class's
                vars(module)["forward"] = self._noticed(module, module.forward)
            state = STATE.get()
            token = STATE.set((self, state[1], state))
            try:
                yield
            finally:
                STATE.reset(token)

    def _noticed(self, module: Module, forward: Callable[..., Any]) -> Any:
        """`forward` with its call put down."""

        def noticed(*inputs: Any, **settings: Any) -> Any:
            outer = self._open[-1] if self._open else None
            call = Call(module, ", ".join(map(_shapes, [*inputs, *settings.values()])))
            if outer is None:
                self.first = call
            else:
                outer.inside.append(call)
                call.name = module.name or _path(module, outer.module) or call.name
            self._open.append(call)
            try:
                output = forward(*inputs, **settings)
            except BaseException:
                call.failed = not call.inside or call.inside[-1].output is not None
                raise
            finally:
                self._open.pop()
                if outer is not None:
                    outer.multiply_adds += call.multiply_adds
            call.output = _shapes(output)
            if outer is not None:
                same = next((c for c in outer.inside[:-1] if c.is_like(call)), None)
                if same is not None:
                    same.add(outer.inside.pop())
            return output

        return noticed

    def computed(self, z: ag.Variable) -> None:
        """The tape shows every operation that it records."""
        if self._open:
            self._open[-1].multiply_adds += _multiply_adds(z)

    def visited(self, z: ag.Variable, g: Any) -> None:
        """And the sweep every step, where a module differentiates: its operations count by then."""

    def pulled(self, z: ag.Variable, position: int, piece: Any) -> None:
        """And every cotangent."""


_ROWS_TIMES_COLUMNS = {np.matmul, np.vecdot, np.matvec, np.vecmat}


def _multiply_adds(z: ag.Variable) -> int:
    """Those of an operation, if it is a matrix product or a sum of products."""
    operation = z.operation
    shapes = [np.shape(x) for x in z.inputs]
    if operation.function in _ROWS_TIMES_COLUMNS:
        return int(z.size * shapes[0][-1])
    if operation.name == "einsum":
        letters = z.settings["subscripts"].partition("->")[0].split(",")
        lengths: dict[str, int] = {}
        for letter, n in zip("".join(letters), itertools.chain(*shapes), strict=True):
            lengths[letter] = n if lengths.get(letter, 1) == 1 else lengths[letter]  # 1 broadcasts
        return (len(shapes) - 1) * math.prod(lengths.values())
    if operation.name == "convolve":
        return math.prod(map(math.prod, shapes))
    if operation.name == "correlate":
        return z.size * min(map(math.prod, shapes))
    return 0


def _path(module: Module, outer: Module) -> str | None:
    return next((path for path, found in outer.named_modules() if found is module), None)


def _numbers(named: Iterable[tuple[str, ag.Variable]]) -> int:
    return sum(variable.size for _, variable in named)


def _array(x: Any, dtype: np.dtype) -> Any:
    """An example as an array; zeros for a shape."""
    if isinstance(x, list | tuple) and all(hasattr(n, "__index__") and n >= 0 for n in x):
        return np.zeros([operator.index(n) for n in x], dtype)
    x = plain(x)
    if not hasattr(x, "dtype") or x.dtype.kind not in "biuf":
        raise TypeError(
            f"summary: expected a shape such as (1, 784), the batch first, or an array of real "
            f"numbers, received: {kind(x)}"
        )
    return x


def _recorded(array: Any) -> Any:
    """The array as a result on the tape without a gradient: so is all that comes of it, too.

    From data and frozen weights nothing would be recorded, and a tracked Variable is refused by
    what a module may do with data, such as float(x).
    """
    zero: Any = ag.Variable(0.0).detach()
    return array + np.astype(zero, array.dtype)


def _shapes(x: Any) -> str:
    """The shape of an array, or those in a nest of them."""
    if hasattr(x, "shape"):
        return str(x.shape)
    if isinstance(x, Mapping):
        return f"{{{', '.join(f'{key!r}: {_shapes(value)}' for key, value in x.items())}}}"
    if isinstance(x, list | tuple):
        return f"({', '.join(map(_shapes, x))})"
    return kind(x)
