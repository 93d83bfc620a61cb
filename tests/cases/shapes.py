"""The same entries in another shape, order, number or floating dtype; detach."""

import numpy as np

import autograd_lite as ag
from tests.cases.case import Case


def detached(x):
    return x.detach() if isinstance(x, ag.Variable) else x


CASES = [
    Case("reshape", np.reshape, lambda x: np.reshape(x, (3, 2))),
    Case("reshape to a length", np.reshape, lambda x: x.reshape(-1)),
    Case("reshape by method", np.reshape, lambda x: x.reshape(3, -1)),
    Case("reshape by tuple", np.reshape, lambda x: x.reshape((1, 6, 1))),
    Case("reshape in Fortran order", np.reshape, lambda x: np.reshape(x, (3, 2), order="F")),
    Case("reshape of a scalar", np.reshape, lambda x: np.reshape(x, (1, 1)), [()]),
    Case("transpose", np.transpose),
    Case("transpose by attribute", np.transpose, lambda x: x.T),
    Case("transpose of axes", np.transpose, lambda x: np.transpose(x, (1, 2, 0)), [(2, 3, 2)]),
    Case("transpose of negative axes", np.transpose, lambda x: x.transpose(-1, 0, 1), [(2, 3, 4)]),
    Case("transpose of a tuple", np.transpose, lambda x: x.transpose((2, 0, 1)), [(2, 3, 4)]),
    Case("permute_dims", np.permute_dims, lambda x: np.permute_dims(x, (1, 0))),
    Case("reshape, by name", np.reshape, lambda x: np.reshape(x, shape=(3, 2), order="F")),
    Case("ravel", np.ravel, lambda x: [np.ravel(x), x.ravel(), x.flatten("F")]),
    Case("expand_dims", np.expand_dims, lambda x: np.expand_dims(x, (0, -1))),
    Case("squeeze", np.squeeze, lambda x: [np.squeeze(x), x.squeeze(axis=1)], [(2, 1, 3, 1)]),
    Case("atleast_1d", np.atleast_1d, lambda x, y: np.atleast_1d(x, y), [(), (2,)]),
    Case("atleast_2d", np.atleast_2d, lambda x, y: np.atleast_2d(x, y, 1.0)[:2], [(), (2,)]),
    Case("atleast_3d", np.atleast_3d, lambda *xs: np.atleast_3d(*xs), [(), (2,), (2, 3)]),
    Case("atleast_3d of three axes", np.atleast_3d, inputs=[(2, 1, 2)]),
    Case("matrix_transpose", np.matrix_transpose, lambda x: x.mT, [(2, 3, 2)]),
    Case("linalg.matrix_transpose", np.linalg.matrix_transpose, inputs=[(2, 3, 2)]),
    Case("swapaxes", np.swapaxes, lambda x: np.swapaxes(x, 0, -1), [(2, 3, 2)]),
    Case("swapaxes by method", np.swapaxes, lambda x: x.swapaxes(0, 1)),
    Case("moveaxis", np.moveaxis, lambda x: np.moveaxis(x, [0, 1], [-1, 0]), [(2, 3, 4)]),
    Case(
        "rollaxis",
        np.rollaxis,
        lambda x: [np.rollaxis(x, 2), np.rollaxis(x, 0, -1), np.rollaxis(x, -3, start=3)],
        [(2, 3, 4)],
    ),
    Case("flip", np.flip, lambda x: [np.flip(x), np.flip(x, 1), np.flip(x, axis=(0, -1))]),
    Case("fliplr", np.fliplr),
    Case("flipud", np.flipud),
    Case(
        "roll",
        np.roll,
        lambda x: [np.roll(x, 2), np.roll(x, -1, axis=1), np.roll(x, (1, 2), (0, 1))],
    ),
    Case("rot90", np.rot90, lambda x: [np.rot90(x, k) for k in (-1, 0, 1, 2, 3)]),
    Case("rot90 of other axes", np.rot90, lambda x: np.rot90(x, axes=(2, 1)), [(2, 3, 2)]),
    Case(
        "broadcast_arrays",
        np.broadcast_arrays,
        lambda x, y: np.broadcast_arrays(x, y, 1.0)[:2],
        [(2, 1), (3,)],
    ),
    Case("broadcast_to", np.broadcast_to, lambda x: np.broadcast_to(x, (4, 2, 3)), empty=False),
    Case("broadcast_to, column", np.broadcast_to, lambda x: np.broadcast_to(x, (2, 3)), [(2, 1)]),
    Case("broadcast_to, scalar", np.broadcast_to, lambda x: np.broadcast_to(x, (3,)), [()]),
    # long double has bytes that say nothing, and may differ
    Case("astype, wider", np.astype, lambda x: np.astype(x, np.longdouble), exact=False),
    Case("astype, by method", np.astype, lambda x: x.astype(np.float64)),
    Case("astype, to integers", np.astype, lambda x: x.astype(int), untracked=True),
    Case("detach", ag.Variable.detach, detached, untracked=True),
    Case("copy", np.copy, lambda x: [np.copy(x), x.copy()]),
    Case("real", np.real, lambda x: [np.real(x), np.real(val=x), x.real]),
    Case("real_if_close", np.real_if_close),
    # --- constants and facts
    Case("shape", np.shape, plain=True),
    Case("ndim", np.ndim, plain=True),
    Case("size", np.size, lambda x: (np.size(x), np.size(x, axis=1)), plain=True),
    Case("imag", np.imag, lambda x: [np.imag(x), x.imag], plain=True),
    Case("zeros_like", np.zeros_like, lambda x: np.zeros_like(x, dtype=int), plain=True),
    Case("ones_like", np.ones_like, plain=True),
    Case("empty_like", np.empty_like, lambda x: np.empty_like(x, shape=(0, 2)), plain=True),
    Case("full_like", np.full_like, lambda x: np.full_like(x, 2.0), plain=True),
    Case("result_type", np.result_type, lambda x: np.result_type(x, np.float32), plain=True),
    Case("common_type", np.common_type, plain=True),
    Case("min_scalar_type", np.min_scalar_type, plain=True),
    Case("can_cast", np.can_cast, lambda x: np.can_cast(x, np.longdouble), plain=True),
    Case("iscomplexobj", np.iscomplexobj, plain=True),
    Case("isrealobj", np.isrealobj, plain=True),
    Case("shares_memory", np.shares_memory, lambda x: np.shares_memory(x, x), plain=True),
    Case("may_share_memory", np.may_share_memory, lambda x: np.may_share_memory(x, x), plain=True),
    Case("diag_indices_from", np.diag_indices_from, inputs=[(2, 2)], plain=True),
    Case("tril_indices_from", np.tril_indices_from, plain=True),
    Case("triu_indices_from", np.triu_indices_from, plain=True),
    Case("array_repr", np.array_repr, plain=True),
    Case("array_str", np.array_str, plain=True),
    Case("array2string", np.array2string, plain=True),
]
