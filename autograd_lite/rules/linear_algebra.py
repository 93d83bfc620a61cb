"""numpy.linalg: inverses, determinants, factorisations; norms have a room of their own.

All of it works on stacks of matrices. A factorisation has a derivative only where it is unique, up
to signs that stay what they are; each rule says where that is and checks it. What LAPACK reads of a
symmetric matrix is one triangle: so the other one has no gradient, as finite differences confirm.
"""

from __future__ import annotations

import functools
import math
import operator
from typing import Any

import numpy as np
from numpy import linalg

from autograd_lite.errors import MissingRuleError
from autograd_lite.primitive import Primitive, composition, primitive
from autograd_lite.rules.indexing import put, scatter
from autograd_lite.rules.operands import without_out
from autograd_lite.rules.products import transposed
from autograd_lite.rules.reductions import others
from autograd_lite.variable import Variable, plain

# NumPy names the fields of its results, and does not export the classes
QRResult = type(linalg.qr(np.eye(1)))
SlogdetResult = type(linalg.slogdet(np.eye(1)))


# --- inverses and solutions -----------------------------------------------------------------------

primitive(linalg.inv, lambda g, z, x: -transposed(z) @ g @ transposed(z))


def _pinv_rule(g: Any, z: Any, x: Any, *, rcond: Any = None, rtol: Any = None) -> Any:
    """Golub and Pereyra (1973). For changes that keep the rank; others make z jump."""
    gT, zT = transposed(g), transposed(z)
    beside = gT @ z @ zT  # what x does not reach, and what it does not see
    beyond = zT @ z @ gT
    return beside - x @ (z @ beside) + beyond - (beyond @ z) @ x - zT @ g @ zT


_pinv = primitive(linalg.pinv, _pinv_rule)


@composition(linalg.pinv)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, **options: Any) -> Any:
    """Of a hermitian matrix the lower triangle is read, and mirrored."""
    if hermitian:
        a = np.tril(a) + transposed(np.tril(a, -1))
    return _pinv(a, **({} if rcond is None else {"rcond": rcond}), **options)


def _solve_columns(a: Any, b: Any, like: Any) -> Any:
    """solve(a, b), where b has the shape of a right-hand side `like`: vectors, or matrices."""
    return linalg.solve(a, b) if like.ndim > 1 else linalg.solve(a, b[..., None])[..., 0]


def _solve_matrix_rule(g: Any, z: Any, a: Any, b: Any) -> Any:
    """−δB·Zᵀ with δB = A⁻ᵀ·δZ."""
    right = _solve_columns(transposed(a), g, b)
    if b.ndim == 1:
        return -right[..., :, None] * z[..., None, :]
    return -right @ transposed(z)


primitive(
    linalg.solve,
    _solve_matrix_rule,
    lambda g, z, a, b: _solve_columns(transposed(a), g, b),
)


@composition(linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """solve, for axes merged into those of a matrix."""
    if axes is not None:
        a = np.moveaxis(a, axes, range(np.ndim(a) - len(axes), np.ndim(a)))
    shape = np.shape(a)[np.ndim(b) :]
    size = math.prod(shape)
    return np.reshape(linalg.solve(np.reshape(a, (size, size)), np.ravel(b)), shape)


@composition(linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    """inv, for axes merged into those of a matrix."""
    rows, columns = a.shape[:ind], a.shape[ind:]
    if ind <= 0:
        raise ValueError(f"tensorinv: ind={ind} must be positive")
    matrix = np.reshape(a, (math.prod(rows), math.prod(columns)))
    return np.reshape(linalg.inv(matrix), (*columns, *rows))


@composition(linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, Any, Any]:
    """Solve by x = A⁺·b; squared residuals where NumPy gives them; the rank; singular values."""
    if np.ndim(a) != 2 or np.ndim(b) not in (1, 2):
        raise linalg.LinAlgError(
            f"lstsq: it takes a matrix and a vector or matrix, not stacks of shapes {np.shape(a)} "
            f"and {np.shape(b)}; write np.linalg.pinv(a) @ b"
        )
    rows, columns = np.shape(a)
    s = linalg.svdvals(a)
    if rcond is None:
        rcond = np.finfo(s.dtype).eps * max(rows, columns)
    rank = np.int32(np.sum(plain(s) > rcond * np.max(plain(s), initial=0)))
    x = linalg.pinv(a, rcond) @ b
    residuals = np.zeros(0, x.dtype)
    if rank == columns < rows:
        residuals = np.atleast_1d(np.sum(np.square(b - a @ x), axis=0))
    return x, residuals, rank, s


@composition(linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """By squaring; for n < 0, of the inverse."""
    n = operator.index(n)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise linalg.LinAlgError(f"matrix_power: the matrix must be square, not of shape {a.shape}")
    if n == 0:  # as x**0: a function of a, of slope 0
        return put(a, ..., np.eye(a.shape[-1]))
    if n < 0:
        a, n = linalg.inv(a), -n
    z = None
    while n:
        if n % 2:
            z = a if z is None else z @ a
        n //= 2
        a = a @ a if n else a
    return z


@composition(linalg.multi_dot)
def multi_dot(arrays: Any, *, out: Any = None) -> Any:
    """A product of many matrices, in the order that takes the fewest multiplications."""
    without_out("multi_dot", out)
    shapes = [np.shape(a) for a in arrays]
    if len(arrays) < 2 or any(len(shape) != 2 for shape in shapes[1:-1]):
        raise ValueError("multi_dot: it takes two or more arrays, all but the ends matrices")
    first = shapes[0] if len(shapes[0]) == 2 else (1, *shapes[0])
    sizes = [*first, *(shape[1] if len(shape) == 2 else 1 for shape in shapes[1:])]

    @functools.cache
    def cheapest(i: int, k: int) -> tuple[int, int]:
        """The cost of the product of arrays i to k, and where to cut it."""
        if i == k:
            return 0, i
        costs = (
            (cheapest(i, j)[0] + cheapest(j + 1, k)[0] + sizes[i] * sizes[j + 1] * sizes[k + 1], j)
            for j in range(i, k)
        )
        return min(costs)

    def product(i: int, k: int) -> Any:
        j = cheapest(i, k)[1]
        return arrays[i] if i == k else product(i, j) @ product(j + 1, k)

    return product(0, len(arrays) - 1)


# --- determinants ---------------------------------------------------------------------------------


def _cofactors(x: Any) -> Any:
    """The derivative of det, whatever the rank of x: U·diag(∏ of the other s)·Vᵀ·det U·det V."""
    u, s, vT = linalg.svd(x)
    sign = linalg.slogdet(u).sign * linalg.slogdet(vT).sign
    return (u * (others(s) * sign[..., None])[..., None, :]) @ vT


def _cofactors_rule(g: Any, z: Any, x: Any) -> Any:
    """Each cofactor is a signed minor, and the derivative of that is made of cofactors. O(n⁵)."""
    n = x.shape[-1]
    rest = np.array([np.delete(np.arange(n), i) for i in range(n)], int).reshape(n, max(n - 1, 0))
    index = (..., rest[:, None, :, None], rest[None, :, None, :])
    signs = (-1.0) ** np.add.outer(np.arange(n), np.arange(n))
    piece = (g * signs.astype(x.dtype))[..., None, None] * cofactors(x[index])
    return scatter([(index, piece)], x.shape, type(piece) is Variable)


cofactors: Primitive = Primitive(_cofactors, (_cofactors_rule,), "cofactors")


def _det_rule(g: Any, z: Any, x: Any) -> Any:
    """det·X⁻ᵀ; where X has no trustworthy inverse, or det no digits, the matrix of cofactors.

    The choice looks at the numbers, and may: both are the derivative of det, of every order.
    """
    limits, size = np.finfo(x.dtype), np.abs(plain(z))
    held = (size >= limits.tiny) & (size <= limits.max)
    if x.size and np.all(held) and np.all(linalg.cond(plain(x), 1) < float(limits.eps) ** -0.5):
        return (g * z)[..., None, None] * transposed(linalg.inv(x))
    return g[..., None, None] * cofactors(x)


primitive(linalg.det, _det_rule)

_slogdet = primitive(
    linalg.slogdet, lambda g, z, x: g[1][..., None, None] * transposed(linalg.inv(x))
)


@composition(linalg.slogdet)
def slogdet(a: Any) -> Any:
    """log|det A|, whose derivative is A⁻ᵀ, and the sign, which has none."""
    sign, logabsdet = _slogdet(a)
    return SlogdetResult(sign.detach(), logabsdet)


# --- triangular factors ---------------------------------------------------------------------------


def as_read(s: Any, UPLO: str) -> Any:
    """The cotangent of a symmetric matrix as that of the one triangle that was read."""
    if UPLO.upper() == "U":
        return np.triu(s) + np.triu(transposed(s), 1)
    return np.tril(s) + np.tril(transposed(s), -1)


def _cholesky_rule(g: Any, z: Any, x: Any) -> Any:
    """L⁻ᵀ·Φ(Lᵀ·δL)·L⁻¹; Φ takes the lower triangle and half of the diagonal."""
    lT = transposed(z)
    inner = lT @ g
    inner = linalg.solve(lT, 0.5 * (np.tril(inner) + np.tril(inner, -1)))
    return as_read(transposed(linalg.solve(lT, transposed(inner))), "L")


_cholesky = primitive(linalg.cholesky, _cholesky_rule)


@composition(linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """A = L·Lᵀ, of the lower triangle; with upper=True A = Uᵀ·U, of the upper one."""
    return transposed(_cholesky(transposed(a))) if upper else _cholesky(a)


def _qr_rule(g: Any, z: Any, x: Any) -> Any:
    """(δQ + Q·sym(R·δRᵀ − δQᵀ·Q))·R⁻ᵀ; sym mirrors the lower triangle. Wants full column rank."""
    (gq, gr), (q, r) = (g[0], g[1]), (z[0], z[1])
    diagonal = np.abs(linalg.diagonal(plain(r)))
    rounding = 8 * np.finfo(x.dtype).eps * np.sum(diagonal, axis=-1, keepdims=True)
    if np.any(diagonal <= rounding):
        raise ValueError(
            "qr: the columns are linearly dependent, and Q is not unique then; its derivative "
            "exists only for a matrix of full column rank"
        )
    m = r @ transposed(gr) - transposed(gq) @ q
    total = gq + q @ (np.tril(m) + transposed(np.tril(m, -1)))
    return transposed(linalg.solve(r, transposed(total)))


_qr = primitive(linalg.qr, _qr_rule)


@composition(linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """The reduced factors, of the leading square part if there are more columns than rows."""
    rows, columns = a.shape[-2:]
    if mode not in ("reduced", "r") and not (mode == "complete" and rows <= columns):
        raise MissingRuleError(
            f"qr: mode={mode!r} is not supported on a Variable of shape {a.shape}; use 'reduced' "
            f"or 'r': the further columns of a complete Q are not unique"
        )
    q, r = _qr(a[..., :rows] if columns > rows else a)
    if columns > rows:
        r = np.concatenate([r, transposed(q) @ a[..., rows:]], axis=-1)
    return r if mode == "r" else QRResult(q, r)
