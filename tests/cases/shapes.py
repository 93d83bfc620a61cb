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
    Case("broadcast_to", np.broadcast_to, lambda x: np.broadcast_to(x, (4, 2, 3)), empty=False),
    Case("broadcast_to, column", np.broadcast_to, lambda x: np.broadcast_to(x, (2, 3)), [(2, 1)]),
    Case("broadcast_to, scalar", np.broadcast_to, lambda x: np.broadcast_to(x, (3,)), [()]),
    Case("concatenate", np.concatenate, lambda x, y: np.concatenate([x, y]), [(2, 3), (1, 3)]),
    Case(
        "concatenate along the last axis",
        np.concatenate,
        lambda x, y: np.concatenate((x, np.ones((2, 2)), y, x), axis=-1),
        [(2, 3), (2, 1)],
    ),
    Case(
        "concatenate flat",
        np.concatenate,
        lambda x, y: np.concatenate([x, y], axis=None),
        [(2, 3), (2,)],
    ),
    Case("concatenate of rows", np.concatenate, np.concatenate, [(2, 3, 2)]),
    Case("stack", np.stack, lambda x, y: np.stack([x, y]), [(2, 3), (2, 3)]),
    Case("stack last", np.stack, lambda x, y: np.stack((x, y, x), axis=-1), [(2, 3), (2, 3)]),
    Case("stack of scalars", np.stack, lambda x, y: np.stack([x, 1.0, y]), [(), ()]),
    Case("astype", np.astype, lambda x: np.astype(x, np.float64, copy=False)),
    Case("astype, by method", np.astype, lambda x: x.astype(np.float64)),
    Case("astype, to integers", np.astype, lambda x: x.astype(int), untracked=True),
    Case("shape", np.shape, plain=True),
    Case("ndim", np.ndim, plain=True),
    Case("size", np.size, plain=True),
    Case("size of an axis", np.size, lambda x: np.size(x, axis=1), plain=True),
    Case("detach", ag.Variable.detach, detached, untracked=True),
]
