"""Products of vectors, matrices and tensors: sums over the indices that they share."""

from __future__ import annotations

import math
import string
from collections import Counter
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from autograd_lite.primitive import Primitive, composition, primitive
from autograd_lite.rules.operands import operand, without_out
from autograd_lite.variable import plain

# --- matrices and vectors -------------------------------------------------------------------------


def transposed(x: Any) -> Any:
    """Each matrix of a stack transposed."""
    return np.transpose(x) if x.ndim == 2 else np.matrix_transpose(x)


def _rows(x: Any) -> Any:
    """The rows of a stack of matrices, in one matrix."""
    return np.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def _matmul_left(g: Any, z: Any, x: Any, y: Any) -> Any:
    """δX = δZ·Yᵀ, with a vector on either side read as the matrix that it stands for."""
    if y.ndim == 1:
        return g[..., None] * y
    if x.ndim == 1:  # g[..., n] and y[..., m, n]: a row vector times each matrix
        return np.matmul(y, g) if y.ndim == 2 else np.matmul(y, g[..., None])[..., 0]
    if 2 <= x.ndim < y.ndim:  # one X for a stack of Y: BLAS likes its few rows better as columns
        return transposed(np.matmul(y, transposed(g)))
    if type(g) is np.ndarray and g.ndim == y.ndim and g.shape[-2] < y.shape[-1]:
        # (Y·δZᵀ)ᵀ, with the smaller of the two copied: BLAS is slow in reading a transposed Y
        return transposed(np.matmul(y, np.ascontiguousarray(transposed(g))))
    return np.matmul(g, transposed(y))


def _matmul_right(g: Any, z: Any, x: Any, y: Any) -> Any:
    """δY = Xᵀ·δZ."""
    if x.ndim == 1:
        return x[:, None] * g[..., None, :] if y.ndim > 1 else g * x
    if y.ndim == 1:
        return np.matmul(np.reshape(g, (g.size,)), _rows(x))
    if y.ndim == 2 < x.ndim:  # one product, where the stack's would be as many matrices to add up
        return np.matmul(np.transpose(_rows(x)), _rows(g))
    return np.matmul(transposed(x), g)


primitive(np.matmul, _matmul_left, _matmul_right)
primitive(
    np.vecdot,
    lambda g, z, x, y: g[..., None] * y,
    lambda g, z, x, y: g[..., None] * x,
)
primitive(
    np.matvec,
    lambda g, z, x, y: g[..., :, None] * y[..., None, :],
    lambda g, z, x, y: np.vecmat(g, x),
)
primitive(
    np.vecmat,
    lambda g, z, x, y: np.matvec(y, g),
    lambda g, z, x, y: x[..., :, None] * g[..., None, :],
)

composition(np.linalg.matmul)(lambda x1, x2, /: np.matmul(x1, x2))


@composition(np.linalg.vecdot)
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The inner products of the vectors along an axis."""
    return np.vecdot(np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1))


@composition(np.dot)
def dot(a: Any, b: Any, out: None = None) -> Any:
    """The sum over the last axis of a and the last but one of b (or its only one)."""
    without_out("dot", out)
    if not np.ndim(a) or not np.ndim(b):
        return np.multiply(operand(a), operand(b))
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        return np.matmul(a, b)
    return np.tensordot(a, b, (-1, -2 if np.ndim(b) > 1 else -1))


@composition(np.inner)
def inner(a: Any, b: Any, /) -> Any:
    """The sum over the last axis of each."""
    if not np.ndim(a) or not np.ndim(b):
        return np.multiply(operand(a), operand(b))
    return np.tensordot(a, b, (-1, -1))


@composition(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """The sum over pairs of axes: a matrix product, once those that are summed stand together."""
    a, b = operand(a), operand(b)
    if np.ndim(axes) == 0:
        axes = range(a.ndim - axes, a.ndim), range(axes)
    left, right = (
        [normalize_axis_index(int(i), x.ndim) for i in np.atleast_1d(ax)]
        for x, ax in zip((a, b), axes, strict=True)
    )
    summed = [a.shape[i] for i in left]
    if summed != [b.shape[i] for i in right]:
        raise ValueError(
            f"tensordot: axes {left} of shape {a.shape} and {right} of shape {b.shape} do not "
            f"align: {summed} ≠ {[b.shape[i] for i in right]}"
        )
    free_left = [i for i in range(a.ndim) if i not in left]
    free_right = [i for i in range(b.ndim) if i not in right]
    rows, columns = [a.shape[i] for i in free_left], [b.shape[i] for i in free_right]
    x = np.reshape(np.transpose(a, free_left + left), (math.prod(rows), math.prod(summed)))
    y = np.reshape(np.transpose(b, right + free_right), (math.prod(summed), math.prod(columns)))
    return np.reshape(np.matmul(x, y), (*rows, *columns))


composition(np.linalg.tensordot)(lambda x1, x2, /, *, axes=2: np.tensordot(x1, x2, axes))
composition(np.vdot)(lambda a, b, /: np.matmul(np.ravel(a), np.ravel(b)))


@composition(np.outer)
def outer(a: Any, b: Any, out: None = None) -> Any:
    """Every entry of one times every entry of the other."""
    without_out("outer", out)
    return np.ravel(a)[:, None] * np.ravel(b)


@composition(np.linalg.outer)
def linalg_outer(x1: Any, x2: Any, /) -> Any:
    """np.outer, of vectors only."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(
            f"outer: it takes two vectors, not shapes {np.shape(x1)} and {np.shape(x2)}"
        )
    return np.outer(x1, x2)


@composition(np.kron)
def kron(a: Any, b: Any) -> Any:
    """Blocks a[i, j]·b: the axes of a and b in turn, and each pair merged."""
    ndim = max(np.ndim(a), np.ndim(b))
    m, n = ((1,) * (ndim - np.ndim(x)) + np.shape(x) for x in (a, b))
    blocks = np.reshape(a, [length for i in m for length in (i, 1)]) * np.reshape(
        b, [length for j in n for length in (1, j)]
    )
    return np.reshape(blocks, [i * j for i, j in zip(m, n, strict=True)])


@composition(np.cross)
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """z₁ = x₂y₃ − x₃y₂, and its two rotations."""
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise ValueError(
            f"cross: it takes vectors of length 3, not {x.shape[-1]} and {y.shape[-1]}; NumPy's "
            f"product of vectors of length 2 is deprecated, write x[0] * y[1] - x[1] * y[0]"
        )
    z = np.roll(x, -1, -1) * np.roll(y, -2, -1) - np.roll(x, -2, -1) * np.roll(y, -1, -1)
    return np.moveaxis(z, -1, axisc)


composition(np.linalg.cross)(lambda x1, x2, /, *, axis=-1: np.cross(x1, x2, axis=axis))

# --- Einstein's notation --------------------------------------------------------------------------


_LETTERS = string.ascii_uppercase + string.ascii_lowercase  # in the order that sorts them


def _einsum(operands: list[Any], *, subscripts: str, optimize: Any) -> Any:
    return np.einsum(subscripts, *operands, optimize=optimize)


def _einsum_rule(
    g: Any, z: Any, operands: list[Any], *, index: int, subscripts: str, optimize: Any
) -> Any:
    """The same sum with g in the operand's place, and the operand's letters for the result's."""
    left, result = subscripts.split("->")
    letters = left.split(",")
    x, own = operands[index], letters[index]
    others = [(result, g), *zip(letters, operands, strict=True)]
    del others[1 + index]
    known = "".join(letter for letter in own if any(letter in have for have, _ in others))
    piece = np.einsum(
        f"{','.join(have for have, _ in others)}->{known}",
        *[operand for _, operand in others],
        optimize=bool(optimize),  # an order for the operands of before would not fit these
    )
    if known != own:  # summed over nothing but x: every entry along that axis gets the same
        piece = piece[tuple([slice(None) if letter in known else None for letter in own])]
    if any(n == 1 != m for n, m in zip(piece.shape, x.shape, strict=True)):
        piece = np.broadcast_to(piece, np.broadcast_shapes(piece.shape, x.shape))
    return piece


_einsum_primitive = Primitive(_einsum, (_einsum_rule,), "einsum", variadic=True)


def _lettered(operands: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """`einsum("ij,jk", x, y)` or `einsum(x, [0, 1], y, [1, 2])` as subscripts and operands."""
    if isinstance(operands[0], str):
        return operands[0].replace(" ", ""), list(operands[1:])

    def text(numbers: Any) -> str:
        return "".join("..." if i is Ellipsis else _LETTERS[i] for i in numbers)

    pairs = len(operands) // 2
    subscripts = ",".join(text(numbers) for numbers in operands[1 : 2 * pairs : 2])
    if len(operands) % 2:
        subscripts += "->" + text(operands[-1])
    return subscripts, list(operands[: 2 * pairs : 2])


def _spelled_out(subscripts: str, ndims: list[int]) -> tuple[list[str], str]:
    """A letter for every axis of every operand, those under an ellipsis too, and of the result."""
    left, arrow, result = subscripts.partition("->")
    letters = left.split(",")
    free = [letter for letter in _LETTERS if letter not in subscripts]
    hidden = [
        n - len(t.replace("...", "")) if "..." in t else 0
        for t, n in zip(letters, ndims, strict=True)
    ]
    covered = "".join(free[: max(hidden, default=0)])
    if not arrow:  # what stands once, in the order of the alphabet
        count = Counter(left.replace(",", "").replace(".", ""))
        result = "..." + "".join(sorted(letter for letter, n in count.items() if n == 1))
    elif covered and "..." not in result:
        raise ValueError(f"einsum: the result of '{subscripts}' must have an ellipsis, too")
    spelled = [
        t.replace("...", covered[len(covered) - n :]) for t, n in zip(letters, hidden, strict=True)
    ]
    return spelled, result.replace("...", covered)


def _diagonals(x: Any, letters: str) -> tuple[Any, str]:
    """The axes of each repeated letter replaced by their diagonal, as a last axis."""
    if len(letters) != x.ndim:
        raise ValueError(f"einsum: '{letters}' names {len(letters)} axes, the operand has {x.ndim}")
    for letter in letters:
        while letters.count(letter) > 1:
            i = letters.index(letter)
            k = letters.index(letter, i + 1)
            if x.shape[i] != x.shape[k]:
                raise ValueError(
                    f"einsum: '{letter}' stands for axes of lengths {x.shape[i]} and {x.shape[k]}"
                )
            x = np.diagonal(x, 0, i, k)
            letters = letters[:i] + letters[i + 1 : k] + letters[k + 1 :] + letter
    return x, letters


@composition(np.einsum, kind="primitive")
def einsum(
    *operands: Any,
    out: Any = None,
    dtype: Any = None,
    order: str = "K",
    casting: Any = "safe",
    optimize: Any = False,
) -> Any:
    """A sum of products, a letter for each index; repeated in one operand, it is a diagonal.

    `dtype` converts the operands, as `casting` allows; `order`, how the result lies in memory, has
    nothing to say here.
    """
    without_out("einsum", out)
    subscripts, arrays = _lettered(operands)
    arrays = [operand(x) for x in arrays]
    if dtype is not None:
        for x in arrays:
            if not np.can_cast(x.dtype, dtype, casting):
                raise TypeError(
                    f"einsum: casting={casting!r} does not let {x.dtype} become {np.dtype(dtype)}; "
                    f"write casting='same_kind'"
                )
        arrays = [np.astype(x, dtype) for x in arrays]
    if subscripts.partition("->")[0].count(",") + 1 != len(arrays):
        raise ValueError(f"einsum: '{subscripts}' is not for {len(arrays)} operands")
    letters, result = _spelled_out(subscripts, [x.ndim for x in arrays])
    pairs = [_diagonals(x, own) for x, own in zip(arrays, letters, strict=True)]
    return _einsum_primitive(
        *[x for x, _ in pairs],
        subscripts=f"{','.join(own for _, own in pairs)}->{result}",
        optimize=optimize,
    )


composition(np.einsum_path, kind="untracked")(
    lambda *operands, **kw: np.einsum_path(*plain(operands), **kw)
)
