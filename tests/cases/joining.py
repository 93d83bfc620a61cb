"""Arrays put together, taken apart, repeated, padded and seen through sliding windows."""

from typing import Any

import numpy as np

from tests.cases.case import Case

windows = np.lib.stride_tricks.sliding_window_view


def padded(name: str, *widths: Any, **options: Any) -> Case:
    """The row of np.pad for several widths, with the options of a mode."""
    return Case(
        f"pad {name}",
        np.pad,
        lambda x: [np.pad(x, w, **options) for w in widths],
        exact="odd" not in options.values(),
        empty=False,
    )


CASES = [
    # --- together
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
    Case(
        "concatenate with a dtype",
        np.concatenate,
        lambda x, y: np.concatenate([x, y], dtype=np.float64, casting="safe"),
        [(2, 3), (1, 3)],
    ),
    Case("concatenate of rows", np.concatenate, np.concatenate, [(2, 3, 2)]),
    Case("stack", np.stack, lambda x, y: np.stack([x, y]), [(2, 3), (2, 3)]),
    Case("stack last", np.stack, lambda x, y: np.stack((x, y, x), axis=-1), [(2, 3), (2, 3)]),
    Case("stack of scalars", np.stack, lambda x, y: np.stack([x, 1.0, y]), [(), ()]),
    Case("vstack", np.vstack, lambda x, y: np.vstack([x, y, np.ones(3)]), [(2, 3), (3,)]),
    Case(
        "vstack with a dtype", np.vstack, lambda x, y: np.vstack([x, y], dtype="f8"), [(2,), (2,)]
    ),
    Case("hstack", np.hstack, lambda x, y: np.hstack((x, y)), [(2, 3), (2, 1)]),
    Case("hstack of vectors", np.hstack, lambda x, y: np.hstack((x, 1.0, y)), [(2,), ()]),
    Case("dstack", np.dstack, lambda x, y: np.dstack((x, y)), [(2, 3), (2, 3)]),
    Case("dstack of vectors", np.dstack, lambda x, y: np.dstack((x, y)), [(3,), (3,)]),
    Case("column_stack", np.column_stack, lambda x, y: np.column_stack((x, y)), [(2,), (2, 3)]),
    Case(
        "block",
        np.block,
        lambda x, y: np.block([[x, np.eye(2)], [y, np.zeros(2)]]),
        [(2, 3), (3,)],
        empty=False,
    ),
    Case("block of a list", np.block, lambda x, y: np.block([x, y, 2.0]), [(2,), ()]),
    Case(
        "append",
        np.append,
        lambda x, y: [np.append(x, y), np.append(y, [1.0]), np.append(x, y[None], axis=0)],
        [(2, 3), (3,)],
    ),
    Case(
        "insert",
        np.insert,
        lambda x, y: [
            np.insert(x, 1, y, axis=0),
            np.insert(x, -1, 5.0, axis=1),
            np.insert(x, [1], y[None], axis=0),
            np.insert(x, [3, 0, 3], y),
            np.insert(y, slice(0, 2), [7.0, 8.0]),
            np.insert(np.arange(4.0), 1, y),
        ],
        [(2, 3), (3,)],
        empty=False,
    ),
    Case(
        "insert where searchsorted says",
        np.insert,
        lambda x: np.insert(x, np.searchsorted(x, 0.5), 0.5),
        [np.arange(3.0)],
        zero_strides=False,
    ),
    Case(
        "delete",
        np.delete,
        lambda x: [
            np.delete(x, 1, axis=0),
            np.delete(x, [0, -1], axis=-1),
            np.delete(x, slice(None, None, 2)),
            np.delete(x, [True, False], axis=0),
        ],
        empty=False,
    ),
    Case("meshgrid", np.meshgrid, lambda x, y: np.meshgrid(x, y), [(2,), (3,)]),
    Case(
        "meshgrid, sparse and three",
        np.meshgrid,
        lambda x, y: [
            *np.meshgrid(x, y, indexing="ij"),
            *np.meshgrid(x, y, sparse=True),
            *np.meshgrid(x, y, x),
            *np.meshgrid(x),
        ],
        [(2,), (3,)],
    ),
    # --- apart
    Case("split", np.split, lambda x: np.split(x, 3, axis=1)),
    Case("split at places", np.split, lambda x: np.split(x, [1, 4, 2, -1, 9]), [(5, 2)]),
    Case("array_split", np.array_split, lambda x: np.array_split(x, 3), [(5, 2)]),
    Case("array_split, more than there is", np.array_split, lambda x: np.array_split(x, 4, -1)),
    Case("hsplit", np.hsplit, lambda x, y: [*np.hsplit(x, 3), *np.hsplit(y, 2)], [(2, 3), (4,)]),
    Case("vsplit", np.vsplit, lambda x: np.vsplit(x, [1])),
    Case("dsplit", np.dsplit, lambda x: np.dsplit(x, 2), [(1, 2, 2)]),
    *[
        Case(
            f"{f.__name__} by keyword",
            f,
            lambda x, f=f: f(indices_or_sections=2, ary=x),
            [(2, 2, 2)],
        )
        for f in (np.hsplit, np.vsplit, np.dsplit)
    ],
    Case("pad of a scalar", np.pad, lambda x: np.pad(x, 1), [()]),
    Case("unstack", np.unstack, lambda x: [*np.unstack(x), *np.unstack(x, axis=-1)]),
    Case(
        "apply_along_axis",
        np.apply_along_axis,
        lambda x: [
            np.apply_along_axis(lambda v: v[0] * v, 1, x),
            np.apply_along_axis(lambda v: v[0] * v[1], 0, x),
            np.apply_along_axis(np.outer, 1, x, np.ones(2)),
        ],
        [(2, 3, 2)],
    ),
    Case(
        "apply_over_axes",
        np.apply_over_axes,
        lambda x: np.apply_over_axes(np.sum, x, [0, -1]),
        [(2, 3, 2)],
    ),
    # --- repeated
    Case("tile", np.tile, lambda x: [np.tile(x, 2), np.tile(x, (2, 1, 2)), np.tile(x, [3])]),
    Case("tile of a scalar", np.tile, lambda x: np.tile(x, (2, 3)), [()]),
    Case(
        "repeat",
        np.repeat,
        lambda x: [np.repeat(x, 2), np.repeat(x, [2], axis=0), x.repeat(3, axis=-1)],
    ),
    Case("repeat, each its number", np.repeat, lambda x: np.repeat(x, [0, 2, 1], axis=1)),
    Case("resize", np.resize, lambda x: [np.resize(x, (2, 5)), np.resize(x, 4)]),
    Case("resize to a part", np.resize, lambda x: np.resize(x, (0, 3)), empty=False),
    # --- padded
    padded("", 1, (1, 2), ((1, 0), (0, 2)), ((1,), (2,)), [[1, 2]]),
    padded("by axis", {1: 2}, {0: (1, 0), -1: (0, 2)}, {}),
    padded("with values", 1, (0, 2), constant_values=3.0),
    padded("with four values", 1, constant_values=((1.0, 2.0), (3.0, 4.0))),
    padded("edge", (2, 1), mode="edge"),
    padded("reflect", ((1, 1), (2, 5)), mode="reflect"),
    padded("symmetric", ((3, 1), (0, 5)), mode="symmetric"),
    padded("wrap", ((3, 0), (0, 4)), mode="wrap"),
    padded("with nothing", 0, mode="edge"),
    padded("reflect, odd", 0, (2, 0), ((1, 1), (2, 9)), mode="reflect", reflect_type="odd"),
    padded("symmetric, odd", 1, ((3, 7), (0, 5)), mode="symmetric", reflect_type="odd"),
    # --- windows
    Case("sliding windows", windows, lambda x: windows(x, 3), [(5,)], empty=False),
    Case("sliding windows, squared", windows, lambda x: windows(x, 3) ** 2, [(5,)], empty=False),
    Case(
        "sliding windows in both axes", windows, lambda x: windows(x, (2, 3)), [(3, 4)], empty=False
    ),
    Case(
        "sliding windows along an axis",
        windows,
        lambda x: [windows(x, 2, axis=0), windows(x, (2,), -1), windows(x, (2, 2), axis=(1, 1))],
        [(3, 4)],
        empty=False,
    ),
]
