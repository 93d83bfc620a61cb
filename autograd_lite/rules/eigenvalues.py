"""Eigenvalues and singular values, of symmetric and of all matrices, and their vectors.

Vectors have a derivative where no two of their values are equal, up to signs that stay what they
are; each rule checks that, and says which values it found equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import linalg

from autograd_lite.errors import MissingRuleError
from autograd_lite.primitive import Primitive, composition, primitive
from autograd_lite.rules.linear_algebra import as_read
from autograd_lite.rules.products import transposed
from autograd_lite.variable import plain

# NumPy names the fields of its results, and does not export the classes
EighResult = type(linalg.eigh(np.eye(1)))
SVDResult = type(linalg.svd(np.eye(1)))


def _diagonal_matrices(d: Any) -> Any:
    """Each vector of a stack as a diagonal matrix."""
    return d[..., None] * np.eye(d.shape[-1], dtype=d.dtype)


def _refuse(closed: Any, asked: Any, values: Any, of: str) -> None:
    """Say which vectors have no derivative, and why; `of` is the operation, "eigh" or "svd"."""
    closed, values = plain(closed), plain(values)
    refused = closed & plain(asked)
    if not np.any(refused):
        return
    *matrix, i, j = np.argwhere(refused)[0].tolist()
    row, where = values[tuple(matrix)], f" of matrix {tuple(matrix)}" if matrix else ""
    vectors, kind, alone = {
        "eigh": ("eigenvectors", "eigenvalue", "np.linalg.eigvalsh"),
        "svd": ("singular vectors", "singular value", "np.linalg.svdvals"),
    }[of]
    if closed.shape[-2] == 1:  # not a gap between two values, but one to 0
        found = f"{kind} {j}{where} is 0 up to rounding, {row[j]:.6g}"
    else:
        found = (
            f"{kind}s {i} and {j}{where} are equal up to rounding, {row[i]:.6g} and {row[j]:.6g}"
        )
    raise ValueError(
        f"{of}: the derivative of {vectors} was asked for, and {found}: these vectors are not "
        f"unique, and have no derivative. The first derivative of the {kind}s alone, of {alone}, "
        f"does without, the second one asks for the vectors again. Write the function without "
        f"them, with np.trace, np.linalg.det or products of x, or move the values apart by adding "
        f"np.diag of small different numbers"
    )


def _quotient(k: Any, gap: Any, closed: Any, asked: Any, values: Any, *, of: str) -> Any:
    """k/gap, and 0 where the gap is closed; that must not be `asked` for."""
    _refuse(closed, asked, values, of)
    return np.where(closed, 0, k / np.where(closed, 1, gap))


def divided(k: Any, gap: Any, closed: Any, asked: Any, values: Any, of: str) -> Any:
    """Call `quotient`; what it refuses is said here already, in the words of the rule."""
    _refuse(closed, asked, values, of)
    return quotient(k, gap, closed, asked, values, of=of)


# an operation of its own: at a closed gap the next order may ask for what this one did not
quotient: Primitive = primitive(
    _quotient,
    lambda g, z, k, gap, closed, asked, values, *, of: divided(g, gap, closed, g != 0, values, of),
    lambda g, z, k, gap, closed, asked, values, *, of: (
        -divided(g * z, gap, closed, g * z != 0, values, of)
    ),
    None,
    None,
    None,
    name="quotient",
)


def _rounding(values: Any) -> Any:
    """How far eigenvalues or singular values may be off."""
    return 8 * np.finfo(values.dtype).eps * np.sum(np.abs(values), axis=-1)


def _over(k: Any, gap: Any, values: Any, asked: Any, of: str) -> Any:
    """k/gap; a gap is closed if it is no more than the rounding of the values around it."""
    closed = np.abs(gap) <= _rounding(values)[..., None, None]
    return divided(k, gap, closed, asked, values, of)


def _pairs(w: Any, sign: int) -> Any:
    """wⱼ ± wᵢ, with something else on the diagonal, where what it divides is 0 by construction."""
    return w[..., None, :] + sign * w[..., :, None] + np.eye(w.shape[-1], dtype=w.dtype)


def _skew(k: Any) -> Any:
    return 0.5 * (k - transposed(k))


def _eigh_rule(g: Any, z: Any, x: Any, *, UPLO: Any = "L") -> Any:
    """V·(diag(δw) + skew(Vᵀ·δV)/(wⱼ − wᵢ))·Vᵀ."""
    (gw, gv), (w, v) = (g[0], g[1]), (z[0], z[1])
    k = transposed(v) @ gv
    turn = _over(_skew(k), _pairs(w, -1), w, (k != 0) | (transposed(k) != 0), "eigh")
    return as_read(v @ (turn + _diagonal_matrices(gw)) @ transposed(v), UPLO)


def _eigvalsh_rule(g: Any, z: Any, x: Any, *, UPLO: Any = "L") -> Any:
    """V·diag(δw)·Vᵀ."""
    v = linalg.eigh(x, UPLO).eigenvectors
    return as_read((v * g[..., None, :]) @ transposed(v), UPLO)


_eigh = primitive(linalg.eigh, _eigh_rule)
primitive(linalg.eigvalsh, _eigvalsh_rule)


@composition(linalg.eigh)
def eigh(a: Any, UPLO: Any = "L") -> Any:
    """Eigenvalues and eigenvectors, of one triangle of a."""
    return EighResult(*_eigh(a, UPLO=UPLO))


def _svd_rule(g: Any, z: Any, x: Any, *, full_matrices: bool) -> Any:
    """U·(diag(δs) + (K + M)/(sⱼ − sᵢ) + (K − M)/(sⱼ + sᵢ))·Vᵀ, K = skew(Uᵀ·δU), M = skew(Vᵀ·δV).

    And, divided by s, what leaves the spaces that U and V span.
    """
    (gu, gs, gv), (u, s, v) = (g[0], g[1], transposed(g[2])), (z[0], z[1], transposed(z[2]))
    ku, kv = transposed(u) @ gu, transposed(v) @ gv
    asked = (ku != 0) | (kv != 0)
    asked = asked | transposed(asked)
    inner = (
        _diagonal_matrices(gs)
        + _over(_skew(ku) + _skew(kv), _pairs(s, -1), s, asked, "svd")
        + _over(_skew(ku) - _skew(kv), _pairs(s, 1), s, asked, "svd")
    )
    dx = u @ inner @ transposed(v)
    rows, columns = x.shape[-2:]
    if rows > columns:
        dx = dx + _over(gu - u @ ku, s[..., None, :], s, gu != 0, "svd") @ transposed(v)
    if columns > rows:
        dx = dx + u @ transposed(_over(gv - v @ kv, s[..., None, :], s, gv != 0, "svd"))
    return dx


def _svdvals_rule(g: Any, z: Any, x: Any) -> Any:
    """U·diag(δs)·Vᵀ; like |x|, a singular value has slope 0 where it is 0, up to rounding."""
    u, s, vT = linalg.svd(x, full_matrices=False)
    return (u * np.where(s <= _rounding(s)[..., None], 0, g)[..., None, :]) @ vT


_svd = primitive(linalg.svd, _svd_rule)
primitive(linalg.svdvals, _svdvals_rule)
primitive(linalg.matrix_rank, None)


@composition(linalg.svd)
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    """The reduced factors, or the singular values alone; of a hermitian matrix by its eigenvalues.

    A = V·diag(w)·Vᵀ = V·diag(|w|)·(V·diag(±1))ᵀ, in order of falling |w|.
    """
    if hermitian:
        w, v = linalg.eigh(a) if compute_uv else (linalg.eigvalsh(a), None)
        order = np.argsort(np.abs(w))[..., ::-1]
        w = np.take_along_axis(w, order, -1)
        if v is None:
            return np.abs(w)
        v = np.take_along_axis(v, order[..., None, :], -1)
        return SVDResult(v, np.abs(w), transposed(np.where(np.signbit(w)[..., None, :], -v, v)))
    if not compute_uv:
        return linalg.svdvals(a)
    if full_matrices and a.shape[-2] != a.shape[-1] and a.requires_grad:
        raise MissingRuleError(
            f"svd: the further vectors of full_matrices=True are not unique for a matrix of shape "
            f"{a.shape}, and have no derivative; use np.linalg.svd(x, full_matrices=False)"
        )
    return SVDResult(*_svd(a, full_matrices=full_matrices))


@composition(linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    """The largest singular value over the smallest; in another norm, ‖x‖·‖x⁻¹‖."""
    if x.size == 0:
        raise linalg.LinAlgError(f"cond: an empty matrix has none, and the shape is {x.shape}")
    with np.errstate(all="ignore"):  # of a singular matrix it is ∞, and no warning
        if p is None or p in (2, -2):
            s = linalg.svdvals(x)
            z = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
        else:
            singular = linalg.slogdet(plain(x)).sign == 0
            if np.any(singular):  # others of the stack are not
                x = np.where(singular[..., None, None], np.eye(x.shape[-1], dtype=x.dtype), x)
            z = linalg.norm(x, p, (-2, -1)) * linalg.norm(linalg.inv(x), p, (-2, -1))
            z = np.where(singular, np.inf, z) if np.any(singular) else z
        missing = np.isnan(plain(z)) & ~np.any(np.isnan(plain(x)), axis=(-2, -1))
        return np.where(missing, np.inf, z) if np.any(missing) else z
