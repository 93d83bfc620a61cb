"""PyTorch as an oracle: its own samples of its operations, computed by NumPy's names on Variables.

    python -m pytest tests/oracles -o addopts=""

`op_db` is what PyTorch tests itself with: some 700 entries, each with inputs somebody found worth
trying. An entry that NumPy has a name for stands in MAPPED, any other in NOT_MAPPED with the
reason. For every sample the values, shapes, dtypes and the gradients for a random cotangent are
compared, and the gradients of those gradients: all samples in float64, the first few in float32.
Where the two libraries mean different things, a row of SKIPPED or OTHER_GRADIENT says what and why.
"""

import math
import operator
import random
import warnings
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
import nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what PyTorch's test tools import is their affair
    import torch
    from torch.testing._internal.common_methods_invocations import op_db

FLOAT32_SAMPLES = 4
"""How many samples of an entry are run in float32 too. In float64 all are: none has above 220."""

KEYWORDS = {"dim": "axis", "keepdim": "keepdims"}
WITHOUT_MEANING = {"memory_format", "device", "layout", "pin_memory", "requires_grad", "out_int32"}

# --- what the adapters below are made of -----------------------------------------------------------


def along(x: Any, axis: int, part: Any) -> Any:
    """x[:, :, part], with `part` at this axis."""
    return x[(*[slice(None)] * (axis % x.ndim), part)]


def cut(x: Any, sizes: Any, axis: int) -> Any:
    """Pieces of these sizes, or all of this size and the last one smaller."""
    if isinstance(sizes, int):
        ends = range(sizes, x.shape[axis], sizes) if sizes else []
    else:
        ends = np.cumsum(sizes)[:-1]
    return np.split(x, ends, axis)


def pad_widths(x: Any, pad: Any) -> list[tuple[int, int]]:
    """PyTorch counts from the last axis, and says nothing about the first ones."""
    pairs = list(zip(pad[::2], pad[1::2], strict=True))
    return [(0, 0)] * (x.ndim - len(pairs)) + pairs[::-1]


def expanded(x: Any, *shape: Any) -> Any:
    shape = shape[0] if isinstance(shape[0], tuple | list) else shape
    known = (1,) * (len(shape) - x.ndim) + x.shape
    return np.broadcast_to(x, [k if n == -1 else n for n, k in zip(shape, known, strict=True)])


def squeezed(x: Any, axis: Any = None) -> Any:
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


def spread_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """std or var, which PyTorch calls with dim or unbiased first and corrects by 1 if not told."""

    def adapted(
        x: Any, axis: Any = None, unbiased: Any = True, keepdims: Any = False, correction: Any = None
    ) -> Any:
        if isinstance(axis, bool):
            axis, unbiased = None, axis
        by = unbiased if correction is None else correction
        return function(x, axis=axis, correction=float(by), keepdims=keepdims)

    return adapted


def classes_last(x: Any) -> Any:
    return np.moveaxis(x, 1, -1) if x.ndim > 1 else x


def cross_entropy(x: Any, t: Any, **settings: Any) -> Any:
    labels = t.ndim < x.ndim
    return nn.cross_entropy_from_logits(classes_last(x), t if labels else classes_last(t))


def lower_median(function: Callable[..., Any]) -> Callable[..., Any]:
    """PyTorch's median of an even count is the lower of the two in the middle."""
    return lambda x, axis=None, keepdims=False: function(
        x, 0.5, axis=axis, keepdims=keepdims, method="lower"
    )


# --- PyTorch's name → the same with NumPy's names ---------------------------------------------------

MAPPED: dict[str, Callable[..., Any]] = {
    # the same name, and the same arguments once dim is axis
    **{
        name: getattr(np, name)
        for name in """
        all allclose amax amin any argmax argmin atleast_1d atleast_2d atleast_3d broadcast_to ceil
        column_stack copysign cos cosh count_nonzero cov corrcoef cumprod cumsum deg2rad diag
        diagflat diff dot dsplit dstack exp exp2 expm1 float_power floor floor_divide fmax fmin fmod
        frexp heaviside hsplit hstack hypot inner isclose isfinite isinf isnan isneginf isposinf
        isreal kron ldexp log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not
        logical_or logical_xor matmul maximum mean minimum nan_to_num nanmean nansum ones_like outer
        positive prod rad2deg ravel real reciprocal remainder reshape rot90 round sign signbit
        sin sinc sinh sqrt square stack sum tan tanh tile trace tril triu true_divide trunc vdot
        vsplit vstack zeros_like full_like nextafter
        """.split()
    },
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
    "clamp": lambda x, min=None, max=None: np.clip(x, min, max),
    "clamp_max": np.minimum,
    "clamp_min": np.maximum,
    "conj": np.conjugate,
    "conj_physical": np.conjugate,
    "div/no_rounding_mode": np.divide,
    "div/floor_rounding": lambda x, y, rounding_mode: np.floor_divide(x, y),
    "div/trunc_rounding": lambda x, y, rounding_mode: np.trunc(x / y),
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
    # --- reductions and scans
    "aminmax": lambda x, **kw: (np.min(x, **kw), np.max(x, **kw)),
    "gradient": lambda x, spacing=1, axis=None, edge_order=1: np.gradient(
        x, *(spacing if isinstance(spacing, tuple) else [spacing]), axis=axis, edge_order=edge_order
    ),
    "kthvalue": lambda x, k, axis=-1, keepdims=False: along(
        np.partition(x, k - 1, axis), axis, slice(k - 1, k) if keepdims else k - 1
    ),
    "linalg.norm": lambda x, ord=None, axis=None, keepdims=False, dtype=None: np.linalg.norm(
        x if dtype is None else np.astype(x, dtype), ord, axis, keepdims
    ),
    "linalg.norm/subgradients_at_zero": np.linalg.norm,
    "linalg.matrix_norm": lambda x, ord="fro", axis=(-2, -1), keepdims=False: np.linalg.norm(
        x, ord, axis, keepdims
    ),
    "linalg.vector_norm": lambda x, ord=2, axis=None, keepdims=False: np.linalg.vector_norm(
        x, axis=axis, keepdims=keepdims, ord=ord
    ),
    "logsumexp": nn.logsumexp,
    "max/reduction_no_dim": np.max,
    "max/reduction_with_dim": lambda x, *where: (np.max(x, *where), np.argmax(x, *where)),
    "min/reduction_no_dim": np.min,
    "min/reduction_with_dim": lambda x, *where: (np.min(x, *where), np.argmin(x, *where)),
    "median": lower_median(np.quantile),
    "nanmedian": lower_median(np.nanquantile),
    "msort": lambda x: np.sort(x, axis=0),
    "norm": np.linalg.norm,
    "norm/fro": np.linalg.norm,
    "norm/inf": np.linalg.norm,
    "norm/nuc": np.linalg.norm,
    "nanquantile": lambda x, q, axis=None, keepdims=False, interpolation="linear": np.nanquantile(
        x, q, axis, keepdims=keepdims, method=interpolation
    ),
    "quantile": lambda x, q, axis=None, keepdims=False, interpolation="linear": np.quantile(
        x, q, axis, keepdims=keepdims, method=interpolation
    ),
    "sort": lambda x, axis=-1, stable=False, descending=False: (
        np.sort(x, axis),
        np.argsort(x, axis, stable=True),
    ),
    "argsort": lambda x, axis=-1, descending=False, stable=False: np.argsort(x, axis, stable=True),
    "std": spread_of(np.std),
    "std/unbiased": spread_of(np.std),
    "std_mean": lambda x, axis=None, **kw: (spread_of(np.std)(x, axis, **kw), np.mean(x, axis)),
    "std_mean/unbiased": lambda x, axis: (spread_of(np.std)(x, axis), np.mean(x)),
    "trapezoid": lambda y, x=None, axis=-1, dx=1: np.trapezoid(y, x, dx, axis),
    "trapz": lambda y, x=None, axis=-1, dx=1: np.trapezoid(y, x, dx, axis),
    "var": spread_of(np.var),
    "var/unbiased": spread_of(np.var),
    "var_mean": lambda x, axis=None, **kw: (spread_of(np.var)(x, axis, **kw), np.mean(x, axis)),
    "var_mean/unbiased": lambda x, axis: (spread_of(np.var)(x, axis), np.mean(x)),
    # --- shapes
    "alias_copy": np.copy,
    "broadcast_tensors": lambda *xs: np.broadcast_arrays(*xs),
    "bool": lambda x: np.astype(x, np.bool),
    "cat": lambda xs, axis=0: np.concatenate(xs, axis),
    "char": lambda x: np.astype(x, np.int8),
    "chunk": lambda x, n, axis=0: cut(x, math.ceil(x.shape[axis] / n), axis),
    "clone": np.copy,
    "constant_pad_nd": lambda x, pad, value=0: np.pad(x, pad_widths(x, pad), constant_values=value),
    "contiguous": np.copy,
    "diagonal": lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
    "diagonal_copy": lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
    "double": lambda x: np.astype(x, np.float64),
    "expand": expanded,
    "expand_as": lambda x, y: np.broadcast_to(x, y.shape),
    "expand_copy": expanded,
    "flatten": flattened,
    "flip": lambda x, dims: np.flip(x, dims),
    "fliplr": np.fliplr,
    "flipud": np.flipud,
    "float": lambda x: np.astype(x, np.float32),
    "half": lambda x: np.astype(x, np.float16),
    "int": lambda x: np.astype(x, np.int32),
    "linalg.diagonal": lambda x, offset=0, dim1=-2, dim2=-1: np.diagonal(x, offset, dim1, dim2),
    "long": lambda x: np.astype(x, np.int64),
    "meshgrid/list_of_tensors": lambda xs, indexing: np.meshgrid(*xs, indexing=indexing),
    "meshgrid/variadic_tensors": np.meshgrid,
    "movedim": np.moveaxis,
    "nn.functional.pad/circular": lambda x, pad, mode: np.pad(x, pad_widths(x, pad), "wrap"),
    "nn.functional.pad/constant": lambda x, pad, mode, value=0: np.pad(
        x, pad_widths(x, pad), constant_values=value
    ),
    "nn.functional.pad/reflect": lambda x, pad, mode: np.pad(x, pad_widths(x, pad), "reflect"),
    "nn.functional.pad/replicate": lambda x, pad, mode: np.pad(x, pad_widths(x, pad), "edge"),
    "permute": np.transpose,
    "permute_copy": np.transpose,
    "repeat": lambda x, *reps: np.tile(x, reps),
    "repeat_interleave": lambda x, repeats, axis=None, **kw: np.repeat(x, repeats, axis),
    "reshape_as": lambda x, y: np.reshape(x, y.shape),
    "roll": lambda x, shifts, dims=None: np.roll(x, shifts, dims),
    "short": lambda x: np.astype(x, np.int16),
    "split": lambda x, sizes, axis=0: cut(x, sizes, axis),
    "split/list_args": lambda x, sizes, axis=0: cut(x, sizes, axis),
    "split_with_sizes": lambda x, sizes, axis=0: cut(x, sizes, axis),
    "split_with_sizes_copy": lambda x, sizes, axis=0: cut(x, sizes, axis),
    "squeeze": squeezed,
    "squeeze/multiple": squeezed,
    "squeeze_copy": squeezed,
    "t": np.transpose,
    "t_copy": np.transpose,
    "T": np.transpose,
    "H": np.transpose,
    "mT": np.matrix_transpose,
    "mH": np.matrix_transpose,
    "tensor_split": lambda x, parts, axis=0: np.array_split(x, parts, axis),
    "transpose": np.swapaxes,
    "transpose_copy": np.swapaxes,
    "unbind": lambda x, axis=0: np.unstack(x, axis=axis),
    "unbind_copy": lambda x, axis=0: np.unstack(x, axis=axis),
    "unflatten": unflattened,
    "unfold": lambda x, axis, size, step: along(
        np.lib.stride_tricks.sliding_window_view(x, size, axis), axis, slice(None, None, step)
    ),
    "unfold_copy": lambda x, axis, size, step: along(
        np.lib.stride_tricks.sliding_window_view(x, size, axis), axis, slice(None, None, step)
    ),
    "unsafe_chunk": lambda x, n, axis=0: cut(x, math.ceil(x.shape[axis] / n), axis),
    "unsafe_split": lambda x, sizes, axis=0: cut(x, sizes, axis),
    "unsqueeze": np.expand_dims,
    "unsqueeze_copy": np.expand_dims,
    "view": np.reshape,
    "view_as": lambda x, y: np.reshape(x, y.shape),
    "view_copy": np.reshape,
    # --- indexing
    "__getitem__": operator.getitem,
    "argwhere": np.argwhere,
    "gather": lambda x, axis, index: np.take_along_axis(x, index, axis),
    "index_copy": lambda x, axis, index, y: ag.put(x, (*[slice(None)] * axis, index), y),
    "index_fill": lambda x, axis, index, y: ag.put(x, (*[slice(None)] * axis, index), y),
    "index_put": lambda x, index, y, accumulate=False: ag.put(x, index, y),
    "index_select": lambda x, axis, index: np.take(x, index, axis),
    "isin": np.isin,
    "masked_fill": lambda x, mask, value: np.where(mask, value, x),
    "masked_select": lambda x, mask: operator.getitem(*np.broadcast_arrays(x, mask)),
    "narrow": lambda x, axis, start, length: along(x, axis, slice(start, start + length)),
    "narrow_copy": lambda x, axis, start, length: along(x, axis, slice(start, start + length)),
    "nonzero": np.nonzero,
    "put": lambda x, index, y, accumulate: ag.put(x, np.unravel_index(index, x.shape), y),
    "searchsorted": np.searchsorted,
    "select": along,
    "select_scatter": lambda x, y, axis, index: ag.put(x, (*[slice(None)] * axis, index), y),
    "slice": lambda x, axis, start, end, step=1: along(x, axis, slice(start, end, step)),
    "slice_scatter": lambda x, y, axis=0, start=None, end=None, step=1: ag.put(
        x, (*[slice(None)] * axis, slice(start, end, step)), y
    ),
    "take": np.take,
    "take_along_dim": np.take_along_axis,
    # --- linear algebra
    "bmm": np.matmul,
    "cholesky": lambda x, upper=False: np.linalg.cholesky(x, upper=upper),
    "cross": lambda x, y, axis=None: np.cross(
        x, y, axis=next(i for i, n in enumerate(x.shape) if n == 3) if axis is None else axis
    ),
    "einsum": lambda operands, subscripts: np.einsum(subscripts, *operands),
    "linalg.cholesky": np.linalg.cholesky,
    "linalg.cholesky_ex": np.linalg.cholesky,
    "linalg.cond": np.linalg.cond,
    "linalg.cross": np.cross,
    "linalg.det": np.linalg.det,
    "linalg.eigh": np.linalg.eigh,
    "linalg.eigvalsh": np.linalg.eigvalsh,
    "linalg.inv": np.linalg.inv,
    "linalg.inv_ex": np.linalg.inv,
    "linalg.matrix_power": np.linalg.matrix_power,
    "linalg.matrix_rank": np.linalg.matrix_rank,
    "linalg.multi_dot": np.linalg.multi_dot,
    "linalg.pinv": np.linalg.pinv,
    "linalg.pinv/hermitian": np.linalg.pinv,
    "linalg.pinv/singular": np.linalg.pinv,
    "linalg.qr": np.linalg.qr,
    "linalg.slogdet": np.linalg.slogdet,
    "linalg.solve": np.linalg.solve,
    "linalg.solve_ex": np.linalg.solve,
    "linalg.svd": np.linalg.svd,
    "linalg.svdvals": np.linalg.svdvals,
    "linalg.tensorinv": np.linalg.tensorinv,
    "linalg.tensorsolve": np.linalg.tensorsolve,
    "linalg.vander": np.vander,
    "linalg.vecdot": np.vecdot,
    "logdet": lambda x: np.log(np.linalg.det(x)),
    "mm": np.matmul,
    "mv": np.matmul,
    "pinverse": np.linalg.pinv,
    "qr": np.linalg.qr,
    "svd": np.linalg.svd,
    "tensordot": lambda x, y, dims: np.tensordot(x, y, dims),
    # --- nn
    "nn.functional.cross_entropy": cross_entropy,
    "nn.functional.mse_loss": lambda x, t, **kw: nn.mean_squared_error(x, t),
    "nn.functional.relu": lambda x, inplace=False: nn.relu(x),
    "nn.functional.softmin": lambda x, axis: nn.softmax(-x, axis),
    "nn.functional.softmin/with_dtype": lambda x, axis, dtype: nn.softmax(-np.astype(x, dtype), axis),
    "sigmoid": nn.sigmoid,
    "softmax": nn.softmax,
    "softmax/with_dtype": lambda x, axis, dtype: nn.softmax(np.astype(x, dtype), axis),
    "torch.ops.aten._safe_softmax.default": nn.softmax,
    "log_softmax": nn.log_softmax,
    "log_softmax/with_dtype": lambda x, axis, dtype: nn.log_softmax(np.astype(x, dtype), axis),
}
