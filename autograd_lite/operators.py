"""Operators and methods of an array, one line each: they hand over to an entry of OPERATIONS."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from autograd_lite.attributes import Attributes

OPERATIONS: dict[Any, Callable[..., Any]] = {}
"""NumPy function (or operator.getitem) → what to call in its place when a Variable takes part."""


class Operators(Attributes):
    """What Variable has of an array's operators, methods and attributes: NumPy's, and recorded."""

    __slots__ = ()

    @property
    def T(self) -> Any:
        """The transpose: all axes reversed."""
        return OPERATIONS[np.transpose](self)

    @property
    def mT(self) -> Any:
        """Each matrix of a stack transposed."""
        return OPERATIONS[np.matrix_transpose](self)

    @property
    def real(self) -> Any:
        """The real part: the array's value."""
        return OPERATIONS[np.real](self)

    @property
    def imag(self) -> Any:
        """The imaginary part: a constant, 0."""
        return OPERATIONS[np.imag](self)

    # --- operators -----------------------------------------------------------------------------

    def __add__(self, other: Any) -> Any:
        return OPERATIONS[np.add](self, other)

    def __radd__(self, other: Any) -> Any:
        return OPERATIONS[np.add](other, self)

    def __sub__(self, other: Any) -> Any:
        return OPERATIONS[np.subtract](self, other)

    def __rsub__(self, other: Any) -> Any:
        return OPERATIONS[np.subtract](other, self)

    def __mul__(self, other: Any) -> Any:
        return OPERATIONS[np.multiply](self, other)

    def __rmul__(self, other: Any) -> Any:
        return OPERATIONS[np.multiply](other, self)

    def __truediv__(self, other: Any) -> Any:
        return OPERATIONS[np.divide](self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return OPERATIONS[np.divide](other, self)

    def __floordiv__(self, other: Any) -> Any:
        return OPERATIONS[np.floor_divide](self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return OPERATIONS[np.floor_divide](other, self)

    def __mod__(self, other: Any) -> Any:
        return OPERATIONS[np.remainder](self, other)

    def __rmod__(self, other: Any) -> Any:
        return OPERATIONS[np.remainder](other, self)

    def __divmod__(self, other: Any) -> Any:
        return OPERATIONS[np.divmod](self, other)

    def __rdivmod__(self, other: Any) -> Any:
        return OPERATIONS[np.divmod](other, self)

    def __round__(self, digits: int | None = None) -> Any:
        return OPERATIONS[np.round](self, digits or 0)

    def __pow__(self, other: Any) -> Any:
        return OPERATIONS[np.power](self, other)

    def __rpow__(self, other: Any) -> Any:
        return OPERATIONS[np.power](other, self)

    def __matmul__(self, other: Any) -> Any:
        return OPERATIONS[np.matmul](self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return OPERATIONS[np.matmul](other, self)

    def __neg__(self) -> Any:
        return OPERATIONS[np.negative](self)

    def __abs__(self) -> Any:
        return OPERATIONS[np.absolute](self)

    def __pos__(self) -> Any:
        return OPERATIONS[np.positive](self)

    def __invert__(self) -> Any:
        return OPERATIONS[np.invert](self)

    def __and__(self, other: Any) -> Any:
        return OPERATIONS[np.bitwise_and](self, other)

    def __rand__(self, other: Any) -> Any:
        return OPERATIONS[np.bitwise_and](other, self)

    def __or__(self, other: Any) -> Any:
        return OPERATIONS[np.bitwise_or](self, other)

    def __ror__(self, other: Any) -> Any:
        return OPERATIONS[np.bitwise_or](other, self)

    def __xor__(self, other: Any) -> Any:
        return OPERATIONS[np.bitwise_xor](self, other)

    def __rxor__(self, other: Any) -> Any:
        return OPERATIONS[np.bitwise_xor](other, self)

    def __lshift__(self, other: Any) -> Any:
        return OPERATIONS[np.left_shift](self, other)

    def __rlshift__(self, other: Any) -> Any:
        return OPERATIONS[np.left_shift](other, self)

    def __rshift__(self, other: Any) -> Any:
        return OPERATIONS[np.right_shift](self, other)

    def __rrshift__(self, other: Any) -> Any:
        return OPERATIONS[np.right_shift](other, self)

    def __lt__(self, other: Any) -> Any:
        return OPERATIONS[np.less](self, other)

    def __le__(self, other: Any) -> Any:
        return OPERATIONS[np.less_equal](self, other)

    def __gt__(self, other: Any) -> Any:
        return OPERATIONS[np.greater](self, other)

    def __ge__(self, other: Any) -> Any:
        return OPERATIONS[np.greater_equal](self, other)

    def __eq__(self, other: Any) -> Any:
        return False if other is None else OPERATIONS[np.equal](self, other)

    def __ne__(self, other: Any) -> Any:
        return True if other is None else OPERATIONS[np.not_equal](self, other)

    def __getitem__(self, index: Any) -> Any:
        return OPERATIONS[operator.getitem](self, index)

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError(
            f"x[index] = value: {self.label} is on the tape and its value never changes; write "
            f"x = ag.put(x, index, value) for a new Variable with these entries replaced"
        )

    # --- methods, as NumPy's -------------------------------------------------------------------

    def sum(self, *args: Any, **kwargs: Any) -> Any:
        """`np.sum` of the array."""
        return OPERATIONS[np.sum](self, *args, **kwargs)

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        """`np.mean` of the array."""
        return OPERATIONS[np.mean](self, *args, **kwargs)

    def prod(self, *args: Any, **kwargs: Any) -> Any:
        """`np.prod` of the array."""
        return OPERATIONS[np.prod](self, *args, **kwargs)

    def var(self, *args: Any, **kwargs: Any) -> Any:
        """`np.var` of the array."""
        return OPERATIONS[np.var](self, *args, **kwargs)

    def std(self, *args: Any, **kwargs: Any) -> Any:
        """`np.std` of the array."""
        return OPERATIONS[np.std](self, *args, **kwargs)

    def cumsum(self, *args: Any, **kwargs: Any) -> Any:
        """`np.cumsum` of the array."""
        return OPERATIONS[np.cumsum](self, *args, **kwargs)

    def cumprod(self, *args: Any, **kwargs: Any) -> Any:
        """`np.cumprod` of the array."""
        return OPERATIONS[np.cumprod](self, *args, **kwargs)

    def max(self, *args: Any, **kwargs: Any) -> Any:
        """`np.max` of the array."""
        return OPERATIONS[np.max](self, *args, **kwargs)

    def min(self, *args: Any, **kwargs: Any) -> Any:
        """`np.min` of the array."""
        return OPERATIONS[np.min](self, *args, **kwargs)

    def argmax(self, *args: Any, **kwargs: Any) -> Any:
        """`np.argmax` of the array: untracked."""
        return OPERATIONS[np.argmax](self, *args, **kwargs)

    def argmin(self, *args: Any, **kwargs: Any) -> Any:
        """`np.argmin` of the array: untracked."""
        return OPERATIONS[np.argmin](self, *args, **kwargs)

    def argsort(self, *args: Any, **kwargs: Any) -> Any:
        """`np.argsort` of the array: untracked."""
        return OPERATIONS[np.argsort](self, *args, **kwargs)

    def round(self, *args: Any, **kwargs: Any) -> Any:
        """`np.round` of the array: untracked."""
        return OPERATIONS[np.round](self, *args, **kwargs)

    def any(self, *args: Any, **kwargs: Any) -> Any:
        """`np.any` of the array: untracked."""
        return OPERATIONS[np.any](self, *args, **kwargs)

    def all(self, *args: Any, **kwargs: Any) -> Any:
        """`np.all` of the array: untracked."""
        return OPERATIONS[np.all](self, *args, **kwargs)

    def clip(self, *args: Any, **kwargs: Any) -> Any:
        """`np.clip` of the array."""
        return OPERATIONS[np.clip](self, *args, **kwargs)

    def conjugate(self) -> Any:
        """`np.conjugate` of the array: itself, for it is real."""
        return OPERATIONS[np.conjugate](self)

    def conj(self) -> Any:
        """`np.conjugate` of the array: itself, for it is real."""
        return OPERATIONS[np.conjugate](self)

    def reshape(self, *shape: Any, **kwargs: Any) -> Any:
        """`np.reshape` of the array: `v.reshape(2, 3)` or `v.reshape((2, 3))`."""
        return OPERATIONS[np.reshape](self, shape[0] if len(shape) == 1 else shape, **kwargs)

    def transpose(self, *axes: Any) -> Any:
        """`np.transpose` of the array: `v.transpose(1, 0)`, `v.transpose((1, 0))` or all axes."""
        return OPERATIONS[np.transpose](self, (axes[0] if len(axes) == 1 else axes) or None)

    def copy(self, order: str = "C") -> Any:
        """`np.copy` of the array: one more operation, for values never change."""
        return OPERATIONS[np.copy](self, order)

    def ravel(self, order: str = "C") -> Any:
        """`np.ravel` of the array."""
        return OPERATIONS[np.ravel](self, order)

    def flatten(self, order: str = "C") -> Any:
        """`np.ravel` of the array."""
        return OPERATIONS[np.ravel](self, order)

    def squeeze(self, axis: Any = None) -> Any:
        """`np.squeeze` of the array."""
        return OPERATIONS[np.squeeze](self, axis)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """`np.swapaxes` of the array."""
        return OPERATIONS[np.swapaxes](self, axis1, axis2)

    def repeat(self, repeats: Any, axis: int | None = None) -> Any:
        """`np.repeat` of the array."""
        return OPERATIONS[np.repeat](self, repeats, axis)

    def dot(self, b: Any, out: None = None) -> Any:
        """`np.dot` of the array and b."""
        return OPERATIONS[np.dot](self, b, out)

    def diagonal(self, *args: Any, **kwargs: Any) -> Any:
        """`np.diagonal` of the array."""
        return OPERATIONS[np.diagonal](self, *args, **kwargs)

    def trace(self, *args: Any, **kwargs: Any) -> Any:
        """`np.trace` of the array."""
        return OPERATIONS[np.trace](self, *args, **kwargs)

    def take(self, *args: Any, **kwargs: Any) -> Any:
        """`np.take` of the array."""
        return OPERATIONS[np.take](self, *args, **kwargs)

    def compress(self, condition: Any, *args: Any, **kwargs: Any) -> Any:
        """`np.compress` of the array."""
        return OPERATIONS[np.compress](condition, self, *args, **kwargs)

    def choose(self, choices: Any, *args: Any, **kwargs: Any) -> Any:
        """`np.choose` by the array, which is untracked."""
        return OPERATIONS[np.choose](self, choices, *args, **kwargs)

    def nonzero(self) -> Any:
        """`np.nonzero` of the array: untracked."""
        return OPERATIONS[np.nonzero](self)

    def argpartition(self, *args: Any, **kwargs: Any) -> Any:
        """`np.argpartition` of the array: untracked."""
        return OPERATIONS[np.argpartition](self, *args, **kwargs)

    def searchsorted(self, v: Any, *args: Any, **kwargs: Any) -> Any:
        """`np.searchsorted` in the array: untracked."""
        return OPERATIONS[np.searchsorted](self, v, *args, **kwargs)

    def view(self, dtype: Any = None, type: Any = None) -> Any:  # noqa: A002 - NumPy's name
        """The same value; for another dtype its bits, which have no derivative: untracked only."""
        if type is None and (dtype in (None, np.ndarray) or dtype == self.data.dtype):
            return OPERATIONS[np.positive](self)
        plain = self.off_the_tape("view", ".astype(dtype) to convert, .data.view for the bits")
        return plain.view(dtype) if type is None else plain.view(dtype or plain.dtype, type)

    def astype(
        self,
        dtype: Any,
        order: str = "K",
        casting: Any = "unsafe",
        subok: bool = True,
        copy: bool = True,
    ) -> Any:
        """`np.astype` of the array: to a floating dtype it stays tracked, to others it does not.

        `order` and `subok` have nothing to say: values never change, and there are no subclasses.
        """
        if not np.can_cast(self.data.dtype, dtype, casting):
            raise TypeError(
                f"astype: {self.label} is {self.data.dtype}, and casting={casting!r} does not let "
                f"it become {np.dtype(dtype)}; leave casting= out"
            )
        return OPERATIONS[np.astype](self, dtype, copy=copy)
