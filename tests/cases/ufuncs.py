"""A ufunc's other ways of being called: keywords, and the methods reduce, accumulate, outer."""

import numpy as np

from tests.cases.case import Case

ROUNDED = {"exact": False, "empty": False}
HERE = np.array([[True, False, True], [False, True, True]])

CASES = [
    # --- with keywords
    Case("exp, NumPy's defaults spelt out", np.exp, lambda x: np.exp(x, where=True, order="K")),
    Case("add in another dtype", np.add, lambda x: np.add(x, 1, dtype=np.longdouble), exact=False),
    Case(
        "clip in another dtype",
        np.clip,
        lambda x: np.clip(x, -1, 1, dtype=np.longdouble),
        avoid=[-1, 1],
        exact=False,
    ),
    Case(
        "matmul along axes",
        np.matmul,
        lambda x, y: [
            np.matmul(x, y, axes=[(0, 2), (1, 0), (-1, 0)]),
            np.matmul(x, y[0, :, 0], axes=[(0, 2), 0, 0]),
        ],
        [(3, 2, 4), (3, 4, 2)],
        **ROUNDED,
    ),
    Case(
        "vecdot along axes",
        np.vecdot,
        lambda x, y: [
            np.vecdot(x, y, axis=0),
            np.vecdot(x, y, axes=[0, 0, ()]),
            np.vecdot(x, y, keepdims=True),
            np.vecdot(x, y, axis=1, keepdims=True),
        ],
        [(3, 2), (3, 2)],
        **ROUNDED,
    ),
    Case(
        "matvec and vecmat along axes",
        (np.matvec, np.vecmat),
        lambda x, y: [
            np.matvec(x, y, axes=[(0, 2), 0, 1]),
            np.vecmat(y[:2], x, axes=[0, (1, 0), 1]),
        ],
        [(3, 2, 4), (4,)],
        **ROUNDED,
    ),
    # --- reduce
    Case("np.logaddexp.reduce", np.logaddexp, np.logaddexp.reduce, [(5, 2)], order=3, **ROUNDED),
    Case(
        "np.logaddexp.reduce over axes",
        np.logaddexp,
        lambda x: [
            np.logaddexp.reduce(x, axis=(0, -1), keepdims=True),
            np.logaddexp.reduce(x, axis=None, initial=0.3),
            np.logaddexp.reduce(x, 1, where=HERE[:, :, None][0]),
        ],
        [(2, 3, 3)],
        **ROUNDED,
    ),
    Case("np.logaddexp2.reduce", np.logaddexp2, lambda x: np.logaddexp2.reduce(x, 1), **ROUNDED),
    Case("np.hypot.reduce", np.hypot, lambda x: np.hypot.reduce(x, 1), domain=(0.5, 2), **ROUNDED),
    Case("np.fmax.reduce", np.fmax, lambda x: np.fmax.reduce(x, -1), distinct=True, empty=False),
    Case("np.fmin.reduce", np.fmin, lambda x: np.fmin.reduce(x, None), distinct=True, empty=False),
    Case(
        "np.maximum.reduce in another dtype",
        np.max,
        lambda x: np.maximum.reduce(x, 1, np.longdouble, None, True, -1.0, HERE),
        distinct=True,
        avoid=[-1],
        **ROUNDED,
    ),
    # --- accumulate
    Case("np.add.accumulate", np.cumsum, np.add.accumulate),
    Case("np.multiply.accumulate", np.cumprod, lambda x: np.multiply.accumulate(x, axis=1)),
    Case(
        "np.maximum.accumulate",
        np.maximum,
        lambda x: [np.maximum.accumulate(x), np.maximum.accumulate(x, 1)],
        [(3, 5)],
        distinct=True,
        zero_strides=False,
    ),
    Case(
        "np.minimum.accumulate",
        np.minimum,
        lambda x: np.minimum.accumulate(x, axis=-1, dtype=np.longdouble),
        [(2, 6)],
        distinct=True,
        exact=False,
    ),
    Case("np.logaddexp.accumulate", np.logaddexp, np.logaddexp.accumulate, [(5,)], **ROUNDED),
    # --- outer
    Case("np.add.outer", np.add, np.add.outer, [(2, 3), (2,)]),
    Case("np.subtract.outer", np.subtract, lambda x: np.subtract.outer(x, x), [(3,)]),
    Case("np.multiply.outer", np.multiply, lambda x: np.multiply.outer([1.0, 2.0], x), [(3,)]),
    Case("np.divide.outer", np.divide, np.divide.outer, [(2,), ()], domain=(0.5, 2)),
    Case("np.less.outer", np.less, np.less.outer, [(2,), (3,)], untracked=True),
]
