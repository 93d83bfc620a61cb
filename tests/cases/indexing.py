"""Reading parts of an array, and writing parts functionally."""

import operator
from typing import Any

import numpy as np

import autograd_lite as ag
from tests.cases.case import Case

LISTS = ([0, 1, 0], [1, 1, 2])
MASK = np.array([[True, False, True], [False, False, True]])


def whole_and_part(x):
    y = x * x
    return y[0] * y * y[1, 1]


def read(name: str, index: Any, shape: tuple[int, ...] = (2, 3), **options: Any) -> Case:
    """The row of x[index]."""
    return Case(f"x[{name}]", operator.getitem, lambda x: x[index], [shape], **options)


def write(name: str, index: Any, value: tuple[int, ...], **options: Any) -> Case:
    """The row of x with x[index] replaced, x of shape (2, 3) and the value of the shape given."""

    def assign(x: Any, y: Any) -> Any:
        x = np.array(x)
        x[index] = y
        return x

    return Case(
        f"put [{name}]",
        ag.put,
        lambda x, y: ag.put(x, index, y),
        [(2, 3), value],
        reference=assign,
        empty=False,
        **options,
    )


CASES = [
    # --- basic
    read("1", 1),
    read("-1, 2", (-1, 2)),
    read("numpy integer", (np.int64(1), 0)),
    read(":", slice(None)),
    read("1:, ::2", np.s_[1:, ::2]),
    read("::-1, 2:0:-1", np.s_[::-1, 2:0:-1]),
    read("None, ..., 1", np.s_[None, ..., 1]),
    read("..., None, None", np.s_[..., None, None]),
    read("()", (), ()),
    read("0:0", slice(0, 0)),
    # --- advanced
    read("list", [1, 0, 1]),
    read("empty list", []),
    read("array, repeated", np.array([0, 0, 1, 0])),
    read("negative and positive twice the same", np.array([-1, 1])),
    read("two lists", LISTS),
    read("two arrays, broadcast", (np.array([[0], [1]]), np.array([0, 2]))),
    read("matrix of indices", np.array([[0, 1], [1, 1]])),
    read("list and slice", np.s_[[1, 1], 1:]),
    read("slice, array, None", np.s_[:, np.array([2, 2, 0]), None]),
    read("array, slice, integer", np.s_[np.array([0, 1]), :, 1], (2, 3, 2)),
    read("integer array of shape ()", np.array(1)),
    read("mask", MASK),
    read("mask of rows", np.array([True, False])),
    read("mask and integer", (np.array([False, True]), 1)),
    read("True", True),
    read("no True", np.zeros((2, 3), bool)),
    # --- by untracked Variables
    Case("x[x > 0]", operator.getitem, lambda x: x[x > 0], avoid=[0], distinct=True),
    Case(
        "x[argmax]",
        operator.getitem,
        lambda x: x[np.argmax(x, axis=0), [0, 1, 2]],
        distinct=True,
        empty=False,
    ),
    Case(
        "x[argmax] * x[argmin]",
        operator.getitem,
        lambda x: x[np.argmax(x)] * x[np.argmin(x)],
        [(4,)],
        distinct=True,
    ),
    # --- many readings of one array
    Case("rows, unpacked", operator.getitem, lambda x: [row * row for row in x]),
    Case("overlapping slices", operator.getitem, lambda x: x[:, 1:] * x[:, :-1]),
    Case("whole and part", operator.getitem, lambda x: x * x[0], empty=False),
    Case("whole and part of a result", operator.getitem, whole_and_part, empty=False),
    Case("of a slice", operator.getitem, lambda x: x[1][1:] * x[0, 0], empty=False),
    # --- writing
    write("1", 1, (3,)),
    write("1, broadcast", 1, ()),
    write("0, 2", (0, 2), ()),
    write("::-1, :2", np.s_[::-1, :2], (2, 2)),
    write("..., 1", np.s_[..., 1], (2,)),
    write("two lists", LISTS, (3,)),
    write("list, written twice", [0, 0], (2, 3)),
    write("mask", MASK, (3,)),
    write("mask, one value", MASK, ()),
    write("row, with an axis more", 1, (1, 3)),
]
