"""Reading parts of an array, writing parts functionally, and merging many parts' cotangents."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.primitive import Primitive, composition, select
from autograd_lite.rules.operands import refuse_mask
from autograd_lite.variable import Variable


class Slot(NamedTuple):
    """The place, in an index, of the k-th array operand: an index is data too, and is recorded."""

    k: int


_BASIC = {int, slice, type(None), type(Ellipsis)}


def is_basic(index: Any) -> bool:
    """Whether an index is whole numbers, slices, None and ... alone, and so names nothing twice."""
    return _BASIC.issuperset(map(type, index)) if type(index) is tuple else type(index) in _BASIC


_BOUND = {int, type(None)}


def _is_fixed(index: Any) -> bool:
    """Whether an index is basic, and no bound of its slices is anything that could change."""
    for element in index if type(index) is tuple else (index,):
        kind = type(element)
        if kind is slice:
            if not (
                type(element.start) in _BOUND
                and type(element.stop) in _BOUND
                and type(element.step) in _BOUND
            ):
                return False
        elif kind not in _BASIC:
            return False
    return True


def _fixed(bound: Any) -> int | None:
    """A slice's bound as it is now: an untracked Variable there may be assigned."""
    return None if bound is None else operator.index(bound)


def split(index: Any, first: int = 0) -> tuple[Any, list[Any]]:
    """An index as a template of plain settings, and the untracked Variables that stood in it."""
    operands: list[Any] = []
    if _is_fixed(index):
        return index, operands

    def visit(element: Any) -> Any:
        if type(element) is Variable:
            operands.append(element)
            return Slot(first + len(operands) - 1)
        if isinstance(element, list):  # the caller may change a list; an empty one selects nothing
            return np.array(element, dtype=None if element else int)
        if type(element) is slice:
            return slice(_fixed(element.start), _fixed(element.stop), _fixed(element.step))
        return element

    if type(index) is tuple:
        return tuple([visit(element) for element in index]), operands
    return visit(index), operands


def fill(template: Any, operands: Any) -> Any:
    """The index with its operands in their slots again."""
    if type(template) is tuple:
        return tuple([operands[e.k] if type(e) is Slot else e for e in template])
    return operands[template.k] if type(template) is Slot else template


def may_repeat(index: Any) -> bool:
    """Whether an index could name one entry twice: only integer arrays can."""
    return any(
        not isinstance(e, int | slice | np.integer | type(None) | type(Ellipsis))
        and np.asarray(e).dtype.kind in "iu"
        for e in (index if type(index) is tuple else (index,))
    )


def _getitem(x: Any, *operands: Any, index: Any) -> Any:
    return x[fill(index, operands) if operands else index]


_index = Primitive(
    _getitem,
    (lambda g, z, x, *operands, index: (fill(index, operands) if operands else index, g),),
    "getitem",
)


@composition(operator.getitem)
def getitem(x: Any, index: Any) -> Any:
    """Read x[index], for every index of NumPy's; untracked Variables in it are operands."""
    if type(x) is Variable and type(x._array) is tuple:
        return select(x, index)
    template, operands = split(index)
    return _index(x, *operands, index=template)


def _scatter(values: list[Any], *, indices: list[Any], shape: tuple[int, ...]) -> Any:
    """Zeros of this shape, with every piece added at its index: what reading the pieces undoes."""
    pieces = values[: len(indices)]
    operands = values[len(indices) :]
    total = np.zeros(shape, pieces[0].dtype)
    for template, piece in zip(indices, pieces, strict=True):
        index = fill(template, operands) if operands else template
        if is_basic(index) or not may_repeat(index):
            total[index] += piece
        else:
            np.add.at(total, index, piece)
    return total


def _scatter_rule(
    g: Any, z: Any, values: list[Any], *, index: int, indices: list[Any], shape: Any
) -> Any:
    return g[fill(indices[index], values[len(indices) :])]


_merge = Primitive(_scatter, (_scatter_rule,), "scatter", variadic=True)


def scatter(pieces: list[tuple[Any, Any]], shape: tuple[int, ...], record: bool) -> Any:
    """Merge (index, piece) pairs into one array of `shape`, recorded if asked."""
    indices: list[Any] = []
    operands: list[Any] = []
    for index, _ in pieces:
        template, found = split(index, len(operands))
        indices.append(template)
        operands.extend(found)
    values = [piece for _, piece in pieces] + operands
    if record:
        return _merge(*values, indices=indices, shape=shape)
    return _scatter(values, indices=indices, shape=shape)


def _put(x: Any, value: Any, *operands: Any, index: Any) -> Any:
    result = np.array(x)
    result[fill(index, operands)] = value
    return result


def _put_value_rule(g: Any, z: Any, x: Any, value: Any, *operands: Any, index: Any) -> Any:
    """The cotangent of the entries written; of several writes to one entry, the last one counts."""
    index = fill(index, operands)
    if not may_repeat(index):
        return _with_leading_axes(g[index], value)
    position = np.zeros(x.shape, int)
    order = np.arange(position[index].size).reshape(position[index].shape)
    position[index] = order
    return _with_leading_axes(np.where(position[index] == order, g[index], 0), value)


def _with_leading_axes(piece: Any, value: Any) -> Any:
    """Assignment drops leading axes of length 1 that the target has not; give them back."""
    missing = np.ndim(value) - piece.ndim
    return np.reshape(piece, (1,) * missing + piece.shape) if missing > 0 else piece


_put_primitive = Primitive(
    _put,
    (
        lambda g, z, x, value, *operands, index: put(g, fill(index, operands), 0),
        _put_value_rule,
    ),
    "put",
)


def put(x: Any, index: Any, value: Any) -> Any:
    """Replace x[index] by value, in a new array or Variable: the form of `x[index] = value`.

    As in NumPy's assignment, `value` broadcasts to the shape of `x[index]`, the dtype stays x's,
    and of several values written to one entry the last one stays, and gets the gradient.

    >>> import numpy as np, autograd_lite as ag
    >>> x = ag.Variable([1.0, 2.0, 3.0])
    >>> y = ag.put(x, 0, 9.0)
    >>> y.data
    array([9., 2., 3.])
    >>> np.sum(y).backward()
    >>> x.grad
    array([0., 1., 1.])
    """
    refuse_mask(value)
    template, operands = split(index)
    return _put_primitive(x, value, *operands, index=template)
