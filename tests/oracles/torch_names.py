"""Which of PyTorch's operations NumPy has a name for, how it is spelt, and where meanings differ.

Tables only, and the few functions that they are made of; `test_torch_samples.py` runs them. Names
are those of `op_db`, with the variant after a slash. What stands in MAPPED is called with a
sample's arguments, in which tensors have become arrays and Variables, and dim= is axis=.
"""

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view

import autograd_lite as ag
import nn

# --- what the adapters are made of ---------------------------------------------------------------


def at(axis: int, part: Any, x: Any) -> tuple[Any, ...]:
    """The index [:, :, part], with `part` at this axis."""
    return (*[slice(None)] * (axis % x.ndim), part)


def cut(x: Any, sizes: Any, axis: int = 0) -> Any:
    """Pieces of these sizes; or all of one size, and the last one smaller."""
    ends = range(sizes, x.shape[axis], sizes) if isinstance(sizes, int) else np.cumsum(sizes)[:-1]
    return np.split(x, ends, axis)


def chunk(x: Any, n: int, axis: int = 0) -> Any:
    return cut(x, math.ceil(x.shape[axis] / n), axis)


def padded(x: Any, pad: Any, mode: str = "constant", value: float | None = 0) -> Any:
    """PyTorch counts pairs from the last axis, and has names of its own for the modes."""
    pairs = list(zip(pad[::2], pad[1::2], strict=True))
    widths = [(0, 0)] * (x.ndim - len(pairs)) + pairs[::-1]
    if mode == "constant":
        return np.pad(x, widths, constant_values=value or 0)
    return np.pad(x, widths, {"replicate": "edge", "circular": "wrap"}.get(mode, mode))


def expanded(x: Any, *shape: Any) -> Any:
    """Broadcast, where −1 leaves an axis as it is."""
    shape = shape[0] if isinstance(shape[0], tuple | list) else shape
    known = (1,) * (len(shape) - x.ndim) + x.shape
    return np.broadcast_to(x, [k if n == -1 else n for n, k in zip(shape, known, strict=True)])


def squeezed(x: Any, axis: Any = None) -> Any:
    """PyTorch leaves named axes alone that are not 1."""
    if axis is None:
        return np.squeeze(x)
    axes = axis if isinstance(axis, tuple) else (axis,)
    return np.squeeze(x, tuple(i for i in axes if x.ndim and x.shape[i] == 1))


def flattened(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    if x.ndim == 0:
        return np.ravel(x)
    start, end = start_dim % x.ndim, end_dim % x.ndim
    merged = math.prod(x.shape[start : end + 1])
    return np.reshape(x, (*x.shape[:start], merged, *x.shape[end + 1 :]))


def unflattened(x: Any, axis: int, sizes: Any) -> Any:
    axis = axis % x.ndim
    return np.reshape(x, (*x.shape[:axis], *sizes, *x.shape[axis + 1 :]))


def deviation(function: Callable[..., Any], with_mean: bool = False) -> Callable[..., Any]:
    """std or var, which PyTorch calls with dim or unbiased first, and corrects by 1 if not told."""

    def adapted(
        x: Any, axis: Any = None, unbiased: Any = True, correction: Any = None, **kw: Any
    ) -> Any:
        if isinstance(axis, bool):
            axis, unbiased = None, axis
        z = function(x, axis, correction=unbiased if correction is None else correction, **kw)
        return (z, np.mean(x, axis, **kw)) if with_mean else z

    return adapted


def where_masked(function: Callable[..., Any], **settings: Any) -> Callable[..., Any]:
    """torch.masked's reductions are NumPy's with where=."""
    return lambda x, mask=None, **kw: function(
        x, where=True if mask is None else mask, **settings, **kw
    )


def lower_median(function: Callable[..., Any]) -> Callable[..., Any]:
    """PyTorch's median of an even count is the lower of the two in the middle."""
    return lambda x, **kw: function(x, 0.5, method="lower", **kw)


def quantile(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, q, interpolation="linear", **kw: function(x, q, method=interpolation, **kw)


def extremum(function: Callable[..., Any], where: Callable[..., Any]) -> Callable[..., Any]:
    def adapted(x: Any, axis: Any, keepdims: bool = False) -> Any:
        return function(x, axis, keepdims=keepdims), where(x, axis, keepdims=keepdims)

    return adapted


def norm(
    x: Any, order: Any = None, axis: Any = None, keepdims: Any = False, dtype: Any = None
) -> Any:
    x = x if dtype is None else np.astype(x, dtype)
    return np.linalg.norm(x, order, tuple(axis) if isinstance(axis, list) else axis, keepdims)


def old_norm(x: Any, p: Any = "fro", axis: Any = None, keepdims: bool = False) -> Any:
    """torch.norm takes a number for the order of a vector's norm, whatever the shape of x."""
    if isinstance(p, str):
        return norm(x, p, axis, keepdims)
    return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=p)


def gradient(x: Any, spacing: Any = None, axis: Any = None, edge_order: int = 1) -> Any:
    spacings = spacing if isinstance(spacing, tuple | list) else [spacing or 1]
    return np.gradient(x, *spacings, axis=axis, edge_order=edge_order)


def decomposed(x: Any, **settings: Any) -> Any:
    """The SVD but for the signs of its vectors, which are LAPACK's choice."""
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return np.abs(u), s, np.abs(vh)


def eigen(x: Any, UPLO: str = "L") -> Any:
    w, v = np.linalg.eigh(x, UPLO)
    return w, np.abs(v)


def classes_last(x: Any) -> Any:
    return np.moveaxis(x, 1, -1) if x.ndim > 1 else x


def cross_entropy(x: Any, t: Any, **settings: Any) -> Any:
    labels = t.ndim < x.ndim
    return nn.cross_entropy_from_logits(classes_last(x), t if labels else classes_last(t))


# --- PyTorch's name → the same in NumPy's names --------------------------------------------------

# one name and, once dim is axis, the same arguments
SAME = """
    all allclose amax amin any argmax argmin broadcast_to ceil column_stack copysign cos cosh
    count_nonzero cumprod cumsum deg2rad diag diff dot dsplit dstack exp exp2 expm1 fliplr flipud
    float_power floor floor_divide fmax fmin fmod frexp full_like heaviside hsplit hstack hypot
    inner isclose isfinite isin isinf isnan isneginf isposinf isreal kron log log10 log1p log2
    logaddexp logaddexp2 logical_and logical_not logical_or logical_xor matmul maximum mean minimum
    nan_to_num nanmean nansum ones_like outer positive prod rad2deg ravel real reciprocal remainder
    reshape roll rot90 round sign signbit sin sinc sinh sqrt square stack sum tan tanh tile trace
    tril triu true_divide trunc vdot vsplit vstack zeros_like
"""

MAPPED: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in SAME.split()},
    # --- element by element
    "abs": np.absolute,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "add": lambda x, y, alpha=1: np.add(x, alpha * y),
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "atanh": np.arctanh,
    "clamp": np.clip,
    "clamp_max": np.minimum,
    "clamp_min": np.maximum,
    "conj": np.conjugate,
    "conj_physical": np.conjugate,
    "div/no_rounding_mode": np.divide,
    "div/floor_rounding": lambda x, y, rounding_mode: np.floor_divide(x, y),
    "div/trunc_rounding": lambda x, y, rounding_mode: np.trunc(np.divide(x, y)),
    "eq": np.equal,
    "equal": np.array_equal,
    "frac": lambda x: np.modf(x)[0],
    "ge": np.greater_equal,
    "gt": np.greater,
    "le": np.less_equal,
    "lt": np.less,
    "max/binary": np.maximum,
    "min/binary": np.minimum,
    "mul": np.multiply,
    "ne": np.not_equal,
    "neg": np.negative,
    "pow": np.power,
    "round/decimals_0": np.round,
    "round/decimals_3": np.round,
    "round/decimals_neg_3": np.round,
    "rsub": lambda x, y, alpha=1: np.subtract(y, alpha * x),
    "sgn": np.sign,
    "sub": lambda x, y, alpha=1: np.subtract(x, alpha * y),
    "where": lambda x, condition, y: np.where(condition, x, y),
    "__radd__": lambda x, y: y + x,
    "__rdiv__": lambda x, y: y / x,
    "__rmatmul__": lambda x, y: y @ x,
    "__rmod__": lambda x, y: y % x,
    "__rmul__": lambda x, y: y * x,
    "__rpow__": lambda x, y: y**x,
    "__rsub__": lambda x, y: y - x,
    # --- reductions, scans, order
    "aminmax": lambda x, **kw: (np.min(x, **kw), np.max(x, **kw)),
    "argsort": lambda x, axis=-1, descending=False, stable=False: np.argsort(x, axis, stable=True),
    "bucketize": lambda x, boundaries, right: np.digitize(x, boundaries, right=not right),
    # cov, corrcoef and vander in the dtype of x, where NumPy would go to float64
    "corrcoef": lambda x: np.corrcoef(x, dtype=x.dtype),
    # NumPy's weights are float64, and so is the result then, whatever dtype= says
    "cov": lambda x, correction=1, **kw: np.astype(
        np.cov(x, ddof=correction, dtype=x.dtype, **kw), x.dtype
    ),
    "gradient": gradient,
    "cummax": np.maximum.accumulate,
    "cummin": np.minimum.accumulate,
    "logcumsumexp": np.logaddexp.accumulate,
    "kthvalue": lambda x, k, axis=-1, keepdims=False: np.partition(x, k - 1, axis)[
        at(axis, slice(k - 1, k) if keepdims else k - 1, x)
    ],
    "linalg.norm": norm,
    "linalg.norm/subgradients_at_zero": norm,
    "linalg.matrix_norm": lambda x, order="fro", axis=(-2, -1), *kept: norm(x, order, axis, *kept),
    "linalg.vector_norm": lambda x, order=2, axis=None, keepdims=False: np.linalg.vector_norm(
        x, axis=axis, keepdims=keepdims, ord=order
    ),
    "masked.amax": where_masked(np.amax, initial=-np.inf),
    "masked.amin": where_masked(np.amin, initial=np.inf),
    "masked.mean": where_masked(np.mean),
    "masked.prod": where_masked(np.prod),
    "masked.std": where_masked(deviation(np.std)),
    "masked.sum": where_masked(np.sum),
    "masked.var": where_masked(deviation(np.var)),
    "max/reduction_no_dim": np.max,
    "max/reduction_with_dim": extremum(np.max, np.argmax),
    "min/reduction_no_dim": np.min,
    "min/reduction_with_dim": extremum(np.min, np.argmin),
    "median": lower_median(np.quantile),
    "msort": lambda x: np.sort(x, axis=0),
    "nanmedian": lower_median(np.nanquantile),
    "nanquantile": quantile(np.nanquantile),
    "norm": old_norm,
    "norm/fro": old_norm,
    "norm/inf": old_norm,
    "norm/nuc": old_norm,
    "quantile": quantile(np.quantile),
    "searchsorted": lambda x, v, right=False, side="left", sorter=None: np.searchsorted(
        x, v, "right" if right else side, sorter
    ),
    "sort": lambda x, axis=-1, descending=False, stable=False: (
        np.sort(x, axis),
        np.argsort(x, axis, stable=True),
    ),
    "std": deviation(np.std),
    "std/unbiased": deviation(np.std),
    "std_mean": deviation(np.std, with_mean=True),
    "std_mean/unbiased": deviation(np.std, with_mean=True),
    "trapezoid": lambda y, x=None, axis=-1, dx=1: np.trapezoid(y, x, dx, axis),
    "trapz": lambda y, x=None, axis=-1, dx=1: np.trapezoid(y, x, dx, axis),
    "var": deviation(np.var),
    "var/unbiased": deviation(np.var),
    "var_mean": deviation(np.var, with_mean=True),
    "var_mean/unbiased": deviation(np.var, with_mean=True),
    # --- shapes
    "H": np.transpose,
    "T": np.transpose,
    "alias_copy": np.copy,
    "atleast_1d": lambda x: np.atleast_1d(*x) if isinstance(x, tuple | list) else np.atleast_1d(x),
    "atleast_2d": lambda x: np.atleast_2d(*x) if isinstance(x, tuple | list) else np.atleast_2d(x),
    "atleast_3d": lambda x: np.atleast_3d(*x) if isinstance(x, tuple | list) else np.atleast_3d(x),
    "bool": lambda x: np.astype(x, np.bool),
    "broadcast_tensors": np.broadcast_arrays,
    "cat": lambda xs, axis=0: np.concatenate(xs, axis),
    "char": lambda x: np.astype(x, np.int8),
    "chunk": chunk,
    "clone": np.copy,
    "constant_pad_nd": lambda x, pad, value=0: padded(x, pad, value=value),
    "contiguous": np.copy,
    "diagflat": lambda x, offset=0: np.diagflat(x, offset),
    "diagonal": lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
    "diagonal_copy": lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
    "double": lambda x: np.astype(x, np.float64),
    "expand": expanded,
    "expand_as": lambda x, y: np.broadcast_to(x, y.shape),
    "expand_copy": expanded,
    "flatten": flattened,
    "flip": lambda x, dims: np.flip(x, dims),
    "float": lambda x: np.astype(x, np.float32),
    "half": lambda x: np.astype(x, np.float16),
    "int": lambda x: np.astype(x, np.int32),
    "linalg.diagonal": lambda x, offset=0, dim1=-2, dim2=-1: np.diagonal(x, offset, dim1, dim2),
    "long": lambda x: np.astype(x, np.int64),
    "mH": np.matrix_transpose,
    "mT": np.matrix_transpose,
    "meshgrid/list_of_tensors": lambda xs, indexing: np.meshgrid(*xs, indexing=indexing),
    "meshgrid/variadic_tensors": np.meshgrid,
    "movedim": np.moveaxis,
    "nn.functional.pad/circular": padded,
    "nn.functional.pad/constant": padded,
    "nn.functional.pad/reflect": padded,
    "nn.functional.pad/replicate": padded,
    "permute": np.transpose,
    "permute_copy": np.transpose,
    "repeat": np.tile,
    "repeat_interleave": lambda x, repeats, axis=None, **kw: np.repeat(x, repeats, axis),
    "reshape_as": lambda x, y: np.reshape(x, y.shape),
    "short": lambda x: np.astype(x, np.int16),
    "split": cut,
    "split/list_args": cut,
    "split_with_sizes": cut,
    "split_with_sizes_copy": cut,
    "squeeze": squeezed,
    "squeeze/multiple": squeezed,
    "squeeze_copy": squeezed,
    "t": np.transpose,
    "t_copy": np.transpose,
    "tensor_split": np.array_split,
    "transpose": np.swapaxes,
    "transpose_copy": np.swapaxes,
    "unbind": lambda x, axis=0: np.unstack(x, axis=axis),
    "unbind_copy": lambda x, axis=0: np.unstack(x, axis=axis),
    "unflatten": unflattened,
    "unfold": lambda x, axis, size, step: sliding_window_view(x, size, axis)[
        at(axis, slice(None, None, step), x)
    ],
    "unfold_copy": lambda x, axis, size, step: sliding_window_view(x, size, axis)[
        at(axis, slice(None, None, step), x)
    ],
    "unsafe_chunk": chunk,
    "unsafe_split": cut,
    "unsqueeze": np.expand_dims,
    "unsqueeze_copy": np.expand_dims,
    "view": np.reshape,
    "view_as": lambda x, y: np.reshape(x, y.shape),
    "view_copy": np.reshape,
    # --- indexing
    "__getitem__": operator.getitem,
    "argwhere": np.argwhere,
    "gather": lambda x, axis, index: np.take_along_axis(x, index, axis),
    "index_copy": lambda x, axis, index, y: ag.put(x, at(axis, index, x), y),
    "index_fill": lambda x, axis, index, y: ag.put(x, at(axis, index, x), y),
    "index_put": lambda x, index, y, accumulate=False: ag.put(x, index, y),
    "index_select": lambda x, axis, index: np.take(x, index, axis),
    "masked_fill": lambda x, mask, value: np.where(mask, value, x),
    "masked_select": lambda x, mask: operator.getitem(*np.broadcast_arrays(x, mask)),
    "narrow": lambda x, axis, start, length: x[at(axis, slice(start, start + length), x)],
    "narrow_copy": lambda x, axis, start, length: x[at(axis, slice(start, start + length), x)],
    "nonzero": lambda x, as_tuple: np.nonzero(x) if as_tuple else np.argwhere(x),
    "put": lambda x, index, y, accumulate: ag.put(x, np.unravel_index(index % x.size, x.shape), y),
    "select": lambda x, axis, i: x[at(axis, i, x)],
    "select_scatter": lambda x, y, axis, i: ag.put(x, at(axis, i, x), y),
    "slice": lambda x, axis=0, start=None, end=None, step=1: x[
        at(axis, slice(start, end, step), x)
    ],
    "slice_scatter": lambda x, y, axis=0, start=None, end=None, step=1: ag.put(
        x, at(axis, slice(start, end, step), x), y
    ),
    "take": np.take,
    "take_along_dim": lambda x, index, axis=None: np.take_along_axis(x, index, axis),
    # --- linear algebra
    "bmm": np.matmul,
    "cholesky": np.linalg.cholesky,
    "cross": lambda x, y, axis=None: np.cross(
        x, y, axis=x.shape.index(3) if axis is None else axis
    ),
    "einsum": lambda operands, subscripts: np.einsum(subscripts, *operands),
    "linalg.cholesky": np.linalg.cholesky,
    "linalg.cholesky_ex": np.linalg.cholesky,
    "linalg.cond": np.linalg.cond,
    "linalg.cross": np.cross,
    "linalg.det": np.linalg.det,
    "linalg.eigh": eigen,
    "linalg.eigvalsh": np.linalg.eigvalsh,
    "linalg.inv": np.linalg.inv,
    "linalg.inv_ex": np.linalg.inv,
    "linalg.lstsq": lambda x, y, driver: np.linalg.lstsq(x, y)[0],
    "linalg.lstsq/grad_oriented": lambda x, y, driver: np.linalg.lstsq(x, y)[0],
    "linalg.matrix_power": np.linalg.matrix_power,
    "linalg.matrix_rank": lambda x, atol=None, rtol=None: np.linalg.matrix_rank(x, rtol=rtol),
    "linalg.matrix_rank/hermitian": np.linalg.matrix_rank,
    "linalg.multi_dot": np.linalg.multi_dot,
    "linalg.pinv": np.linalg.pinv,
    "linalg.pinv/hermitian": np.linalg.pinv,
    "linalg.pinv/singular": lambda x, y: np.linalg.pinv(x @ np.matrix_transpose(y), rtol=None),
    "linalg.qr": np.linalg.qr,
    "linalg.slogdet": np.linalg.slogdet,
    "linalg.solve": np.linalg.solve,
    "linalg.solve_ex": np.linalg.solve,
    "linalg.svd": decomposed,
    "linalg.svdvals": np.linalg.svdvals,
    "linalg.tensorinv": np.linalg.tensorinv,
    "linalg.tensorsolve": lambda x, y, dims=None: np.linalg.tensorsolve(x, y, dims),
    "linalg.vander": lambda x, N=None: np.astype(np.vander(x, N, increasing=True), x.dtype),
    "linalg.vecdot": np.linalg.vecdot,
    "logdet": lambda x: np.log(np.linalg.det(x)),
    "mm": np.matmul,
    "mv": np.matmul,
    "pinverse": np.linalg.pinv,
    "qr": np.linalg.qr,
    "svd": decomposed,
    "tensordot": lambda x, y, dims: np.tensordot(x, y, dims),
    # --- nn
    "log_softmax": nn.log_softmax,
    "log_softmax/with_dtype": lambda x, axis, dtype: nn.log_softmax(np.astype(x, dtype), axis),
    "logsumexp": nn.logsumexp,
    "nn.functional.cross_entropy": cross_entropy,
    "nn.functional.embedding": lambda W, rows: W[rows],
    "nn.functional.mse_loss": lambda x, t, **kw: nn.mean_squared_error(x, t),
    "nn.functional.relu": lambda x, inplace=False: nn.relu(x),
    "nn.functional.softmin": lambda x, axis: nn.softmax(-x, axis),
    "nn.functional.softmin/with_dtype": lambda x, axis, dtype: nn.softmax(
        -np.astype(x, dtype), axis
    ),
    "sigmoid": nn.sigmoid,
    "softmax": nn.softmax,
    "softmax/with_dtype": lambda x, axis, dtype: nn.softmax(np.astype(x, dtype), axis),
    "torch.ops.aten._safe_softmax.default": nn.softmax,
}

RESULT: dict[str, Callable[..., Any]] = {
    "cummax": lambda z: z.values,  # NumPy has no indices to go with it
    "cummin": lambda z: z.values,
    "kthvalue": lambda z: z.values,  # NumPy has no index to go with it
    "median": lambda z: z if isinstance(z, torch.Tensor) else z.values,
    "nanmedian": lambda z: z if isinstance(z, torch.Tensor) else z.values,
    "linalg.cholesky_ex": lambda z: z.L,  # the rest is an error code
    "linalg.inv_ex": lambda z: z.inverse,
    "linalg.lstsq": lambda z: z.solution,
    "linalg.lstsq/grad_oriented": lambda z: z[0],
    "linalg.solve_ex": lambda z: z.result,
    "linalg.eigh": lambda z: (z[0], z[1].abs()),
    "linalg.svd": lambda z: (z[0].abs(), z[1], z[2].abs()),
    "svd": lambda z: (z[0].abs(), z[1], z[2].mT.abs()),
}
"""What of PyTorch's result is compared, where NumPy's has fewer parts or other signs."""

SETTINGS = {"quantile", "nanquantile"}
"""Where all arguments but the first are settings: q has a derivative in PyTorch, and not here."""

FLOAT64_ONLY = {"logcumsumexp"}
"""Where PyTorch's float32 is too coarse: this derivative goes by logarithms, and loses 4 digits."""

SYMMETRIC = {"cholesky", "linalg.cholesky", "linalg.cholesky_ex", "linalg.eigh", "linalg.eigvalsh"}
"""NumPy reads one triangle of these, and the other has no gradient; PyTorch gives each a half."""

# --- samples that NumPy says differently or not at all -------------------------------------------

Predicate = Callable[[Any], bool]


def scalar(s: Any) -> bool:
    return bool(s.input.ndim == 0)


def setting(name: str, *values: Any) -> Predicate:
    return lambda s: s.kwargs.get(name) in values


def descending(s: Any) -> bool:
    return bool(s.kwargs.get("descending")) or s.args[1:2] == (True,)


def accumulating(s: Any) -> bool:
    return bool(s.kwargs.get("accumulate")) or s.args[2:3] == (True,)


def vectors_for_a_stack(s: Any) -> bool:
    a, b = s.input, s.args[0]
    return bool(a.ndim > 2 and b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])


def with_further_vectors(s: Any) -> bool:
    whole = s.kwargs.get("full_matrices") or s.kwargs.get("some") is False
    return bool(whole and s.input.shape[-1] != s.input.shape[-2])


SKIPPED: list[tuple[str, str, Predicate]] = [
    (
        """
        argsort cummax cummin cumprod cumsum gather index_copy index_fill index_select kthvalue
        logcumsumexp logsumexp nonzero put sort transpose transpose_copy unfold unfold_copy""",
        "NumPy's 0-d arrays have no axis 0",
        scalar,
    ),
    (
        "masked.mean mean median nanmedian nanquantile quantile",
        "NumPy's 0-d arrays have no axis 0",
        lambda s: scalar(s) and "dim" in s.kwargs,
    ),
    ("argsort sort", "NumPy sorts upwards only", descending),
    ("searchsorted", "NumPy's is for one row of numbers", lambda s: s.input.ndim > 1),
    ("bucketize searchsorted", "NumPy has no int32 result", setting("out_int32", True)),
    ("index_put put", "NumPy's assignment does not add", accumulating),
    (
        "put",
        "NumPy's assignment wants the shape of the index",
        lambda s: s.args[0].shape != s.args[1].shape,
    ),
    (
        "gather",
        "NumPy's indices have as many axes as the array",
        lambda s: s.input.ndim != s.args[1].ndim,
    ),
    ("take_along_dim", "NumPy takes flat indices where no axis is given", lambda s: not s.args[1:]),
    ("cat", "NumPy joins no empty vector to a matrix", lambda s: s.input[0].shape == (0,)),
    (
        """
        constant_pad_nd nn.functional.pad/circular nn.functional.pad/constant
        nn.functional.pad/reflect nn.functional.pad/replicate""",
        "NumPy does not crop by padding",
        lambda s: min(s.args[0], default=0) < 0,
    ),
    (
        "einsum",
        "NumPy wants the ellipsis in the result, too",
        lambda s: "..." in s.args[0].split("->")[0] and "..." not in s.args[0].split("->")[-1],
    ),
    (
        "linalg.matrix_rank",
        "NumPy's absolute tolerance is not an option beside the relative one",
        lambda s: s.kwargs.get("atol") is not None,
    ),
    (
        "linalg.solve linalg.solve_ex",
        "NumPy reads one vector per matrix as one matrix",
        vectors_for_a_stack,
    ),
    (
        "linalg.lstsq linalg.lstsq/grad_oriented",
        "NumPy's is for one matrix",
        lambda s: s.input.ndim > 2,
    ),
    (
        "tensordot",
        "NumPy does not broadcast the axes it sums over",
        lambda s: s.input.shape == (1, 1, 1),
    ),
    ("linalg.vander", "NumPy's is for one vector", lambda s: s.input.ndim != 1),
    ("linalg.svd svd", "further vectors are refused: they are not unique", with_further_vectors),
    (
        "nn.functional.cross_entropy nn.functional.mse_loss",
        "nn has the mean over the batch, no sum and no single losses",
        setting("reduction", "sum", "none"),
    ),
    (
        "nn.functional.cross_entropy",
        "nn has no weights, ignored labels and smoothing",
        lambda s: {"weight", "ignore_index", "label_smoothing"} & s.kwargs.keys(),
    ),
]

OTHER_GRADIENT: list[tuple[str, int, str, Predicate]] = [
    (
        "linalg.pinv/hermitian",
        1,
        "PyTorch takes the matrix for symmetric, and its samples are not",
        lambda s: s.input.numel() > 0,
    ),
    (
        "linalg.norm/subgradients_at_zero",
        1,
        "a norm by singular values at the zero matrix: 0 is smaller than PyTorch's U·Vᵀ",
        lambda s: s.input.ndim == 2 and s.args[0] in (2, -2, "nuc"),
    ),
    (
        "linalg.norm/subgradients_at_zero",
        2,
        "PyTorch's second order where the norm is 0 is NaN, ours 0",
        lambda s: s.args[0] in (None, -3.5, -2, -1, -0.5, 0.5, 2, "fro"),
    ),
]
"""The order from which on derivatives are not compared, and why."""

# --- the rest ------------------------------------------------------------------------------------

NOT_MAPPED: dict[str, str] = {
    "random: there is nothing to compare": """
        bernoulli cauchy exponential geometric log_normal multinomial native_dropout_backward
        nn.functional.alpha_dropout nn.functional.dropout nn.functional.dropout2d
        nn.functional.dropout3d nn.functional.feature_alpha_dropout/with_train
        nn.functional.feature_alpha_dropout/without_train nn.functional.fractional_max_pool2d
        nn.functional.fractional_max_pool3d nn.functional.rrelu normal normal/in_place
        normal/number_mean pca_lowrank rand_like randint randint_like randn randn_like
        svd_lowrank uniform""",
    "makes an array from numbers, and PyTorch knows no derivative": """
        arange empty empty_like empty_permuted empty_strided eye fill full linspace
        linspace/tensor_overload logspace logspace/tensor_overload new_empty new_empty_strided
        new_full new_ones new_zeros ones scalar_tensor signal.windows.bartlett
        signal.windows.blackman signal.windows.cosine signal.windows.exponential
        signal.windows.gaussian signal.windows.general_cosine signal.windows.general_hamming
        signal.windows.hamming signal.windows.hann signal.windows.kaiser signal.windows.nuttall
        zero_ zeros""",
    "for integers, bits and shapes only": """
        __rand__ __ror__ __rxor__ bincount bitwise_and bitwise_left_shift bitwise_not bitwise_or
        bitwise_right_shift bitwise_xor broadcast_shapes gcd lcm nn.functional.one_hot
        tril_indices triu_indices unravel_index""",
    "counts, hashes or picks by value: refused, or no derivative": """
        hash_tensor histc histogram histogramdd mode nextafter nonzero_static unique
        unique_consecutive""",
    "complex": """
        angle cdouble cfloat chalf complex fft.fft fft.fft2 fft.fftn fft.hfft fft.hfft2 fft.hfftn
        fft.ifft fft.ifft2 fft.ifftn fft.ihfft fft.ihfft2 fft.ihfftn fft.irfft fft.irfft2
        fft.irfftn fft.rfft fft.rfft2 fft.rfftn imag istft linalg.eig linalg.eigvals
        nn.functional.silu/complex polar resolve_conj resolve_neg stft view_as_complex
        view_as_real""",
    "refused on a Variable: np.roll is all it does": "fft.fftshift fft.ifftshift",
    "storage, devices and dtypes that NumPy lacks": """
        as_strided as_strided/partial_views as_strided_copy as_strided_scatter bfloat16 byte
        resize_ resize_as_ sparse.mm/reduce sparse.sampled_addmm to to_sparse torch._scaled_mm
        torch._scaled_mm_v2""",
    "compiled for a GPU": """
        bmm/triton_optimized jiterator_2inputs_2outputs jiterator_4inputs_with_extra_args
        jiterator_binary jiterator_binary_return_by_ref jiterator_unary
        torch.ops.aten._efficient_attention_forward torch.ops.aten._flash_attention_forward""",
    "special functions: SciPy's": """
        digamma erf erfc erfinv i0 igamma igammac lgamma logit mvlgamma/mvlgamma_p_1
        mvlgamma/mvlgamma_p_3 mvlgamma/mvlgamma_p_5 polygamma/polygamma_n_0
        polygamma/polygamma_n_1 polygamma/polygamma_n_2 polygamma/polygamma_n_3
        polygamma/polygamma_n_4 special.airy_ai special.bessel_j0 special.bessel_j1
        special.bessel_y0 special.bessel_y1 special.chebyshev_polynomial_t
        special.chebyshev_polynomial_u special.chebyshev_polynomial_v
        special.chebyshev_polynomial_w special.entr special.erfcx special.hermite_polynomial_h
        special.hermite_polynomial_he special.i0e special.i1 special.i1e
        special.laguerre_polynomial_l special.legendre_polynomial_p special.log_ndtr
        special.modified_bessel_i0 special.modified_bessel_i1 special.modified_bessel_k0
        special.modified_bessel_k1 special.ndtr special.ndtri
        special.polygamma/special_polygamma_n_0 special.scaled_modified_bessel_k0
        special.scaled_modified_bessel_k1 special.shifted_chebyshev_polynomial_t
        special.shifted_chebyshev_polynomial_u special.shifted_chebyshev_polynomial_v
        special.shifted_chebyshev_polynomial_w special.spherical_bessel_j0 special.xlog1py
        special.zeta xlogy""",
    "linear algebra that NumPy has no name for, or SciPy has": """
        block_diag cholesky_inverse cholesky_solve geqrf linalg.householder_product
        linalg.ldl_factor linalg.ldl_factor_ex linalg.ldl_solve linalg.lu linalg.lu_factor
        linalg.lu_factor_ex linalg.lu_solve linalg.solve_triangular lu lu_solve lu_unpack
        matrix_exp ormqr triangular_solve""",
    "several of NumPy's operations under one name": """
        _chunk_cat _softmax_backward_data addbmm addcdiv addcmul addmm addmm/decomposed addmv
        addr baddbmm cartesian_prod cdist combinations cumulative_trapezoid diag_embed
        diagonal_scatter dist lerp renorm rsqrt sum_to_size topk""",
    "NumPy's is a ufunc method that writes into its argument, such as np.add.at": """
        index_add index_reduce/amax index_reduce/amin index_reduce/mean
        index_reduce/prod masked_scatter scatter scatter_add scatter_reduce/amax
        scatter_reduce/amin scatter_reduce/mean scatter_reduce/prod scatter_reduce/sum""",
    "NumPy's exponents are integers, the samples' are not": "ldexp",
    "a Python number: Variable.item": "item",
    "masked: as the ones mapped with where=, but NumPy has no where= here": """
        masked.argmax masked.argmin masked.cumprod masked.cumsum masked.log_softmax
        masked.logaddexp masked.logsumexp masked.median masked.norm masked.normalize
        masked.softmax masked.softmin""",
    "internal to PyTorch": """
        _segment_reduce/lengths _segment_reduce/offsets _unsafe_masked_index
        _unsafe_masked_index_put_accumulate""",
    "crops by padding, which NumPy does not": "nn.functional.pad/replicate_negative",
    "layers, activations and losses that NumPy has no name for": """
        _batch_norm_with_update _native_batch_norm_legit _upsample_bilinear2d_aa grid_sampler_2d
        grid_sampler_3d max_pool2d_with_indices_backward native_batch_norm native_group_norm
        native_layer_norm nn.functional.adaptive_avg_pool1d nn.functional.adaptive_avg_pool2d
        nn.functional.adaptive_avg_pool3d nn.functional.adaptive_max_pool1d
        nn.functional.adaptive_max_pool2d nn.functional.adaptive_max_pool3d
        nn.functional.avg_pool1d nn.functional.avg_pool2d nn.functional.avg_pool3d
        nn.functional.batch_norm nn.functional.batch_norm/without_cudnn nn.functional.bilinear
        nn.functional.binary_cross_entropy nn.functional.binary_cross_entropy_with_logits
        nn.functional.celu nn.functional.channel_shuffle nn.functional.conv1d
        nn.functional.conv2d nn.functional.conv3d nn.functional.conv_transpose1d
        nn.functional.conv_transpose2d nn.functional.conv_transpose3d
        nn.functional.cosine_embedding_loss nn.functional.cosine_similarity
        nn.functional.ctc_loss nn.functional.elu nn.functional.embedding_bag
        nn.functional.gaussian_nll_loss nn.functional.gelu nn.functional.glu
        nn.functional.grid_sample nn.functional.group_norm nn.functional.hardshrink
        nn.functional.hardsigmoid nn.functional.hardswish nn.functional.hardtanh
        nn.functional.hinge_embedding_loss nn.functional.huber_loss nn.functional.instance_norm
        nn.functional.interpolate/area nn.functional.interpolate/bicubic
        nn.functional.interpolate/bilinear nn.functional.interpolate/linear
        nn.functional.interpolate/nearest nn.functional.interpolate/nearest-exact
        nn.functional.interpolate/trilinear nn.functional.kl_div nn.functional.l1_loss
        nn.functional.layer_norm nn.functional.leaky_relu nn.functional.linear
        nn.functional.linear_cross_entropy nn.functional.linear_cross_entropy/chunked
        nn.functional.linear_cross_entropy/chunked_none nn.functional.local_response_norm
        nn.functional.logsigmoid nn.functional.margin_ranking_loss nn.functional.max_pool1d
        nn.functional.max_pool2d nn.functional.max_pool3d nn.functional.max_unpool1d
        nn.functional.max_unpool1d/grad nn.functional.max_unpool2d
        nn.functional.max_unpool2d/grad nn.functional.max_unpool3d
        nn.functional.max_unpool3d/grad nn.functional.mish
        nn.functional.multi_head_attention_forward nn.functional.multi_margin_loss
        nn.functional.multilabel_margin_loss nn.functional.multilabel_soft_margin_loss
        nn.functional.nll_loss nn.functional.normalize nn.functional.pairwise_distance
        nn.functional.pdist nn.functional.pixel_shuffle nn.functional.pixel_unshuffle
        nn.functional.poisson_nll_loss nn.functional.prelu nn.functional.relu6
        nn.functional.rms_norm nn.functional.scaled_dot_product_attention nn.functional.selu
        nn.functional.silu nn.functional.smooth_l1_loss nn.functional.soft_margin_loss
        nn.functional.softplus nn.functional.softshrink nn.functional.softsign
        nn.functional.tanhshrink nn.functional.threshold nn.functional.triplet_margin_loss
        nn.functional.triplet_margin_with_distance_loss nn.functional.unfold
        nn.functional.upsample_bilinear nn.functional.upsample_nearest""",
}
