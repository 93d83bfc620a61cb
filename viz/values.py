"""Numbers, settings and names in the few characters that a node of a picture has room for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

ENTRIES = 6
"""Arrays up to this size are written out, a matrix in lines; larger ones are summarised."""

LENGTH = 48
"""Names and settings are cut after this many characters."""

FORMULA_LENGTH = 120
"""Formulas after so many, which stand above a whole frame: an LSTM's has four equations."""


def value(x: Any) -> str:
    """A number with 4 significant digits, a small array row by row, or the range of a large one.

    Entries that are not finite are counted instead, because they are what one is looking for.

    >>> import numpy as np
    >>> value(2 / 3)
    '0.6667'
    >>> print(value(np.array([[1.0, -0.25, 0.5], [0.0, 1e-6, 2.0]])))
    [1 -0.25 0.5]
    [0 1e-06 2]
    >>> value(np.linspace(-1.0, 2.0, 100))
    '-1 … 2'
    >>> value(np.log(np.arange(1.0, 11.0)) * [np.nan, *[1.0] * 9])
    '1 nan, 0 inf of 10'
    """
    if not isinstance(x, np.ndarray):
        # an array of another library may be lazy or on another device: reading it is not ours to do
        return _number(x, 4) if np.isscalar(x) else cut(type(x).__name__)
    if x.size == 0:
        return "empty"
    if x.ndim == 0:
        return _number(x[()], 4)
    if x.size <= ENTRIES:
        rows = x.reshape(-1, x.shape[-1])
        return "\n".join(f"[{' '.join(_number(entry, 3) for entry in row)}]" for row in rows)
    if x.dtype.kind == "b":
        return f"{np.count_nonzero(x)} of {x.size} true"
    if x.dtype.kind not in "fiu":
        return str(x.dtype)
    if not np.isfinite(x).all():
        return f"{np.isnan(x).sum()} nan, {np.isinf(x).sum()} inf of {x.size}"
    low, high = x.min(), x.max()
    if low == high:
        return f"all {_number(low, 3)}"
    return f"{_number(low, 3)} … {_number(high, 3)}"


def settings(given: Mapping[str, Any]) -> str:
    """Keyword settings as they would be typed, without those that are off.

    >>> settings({"axis": 1, "keepdims": True, "dtype": None})
    'axis=1, keepdims=True'
    >>> settings({"index": (slice(None), slice(1, None, 2), 0, ...)})
    '[:, 1::2, 0, ...]'
    """
    words = [
        f"[{_index(x)}]" if name == "index" else f"{name}={_index(x, nested=True)}"
        for name, x in given.items()
        if x is not None and x is not False
    ]
    return cut(", ".join(words))


def cut(text: str, length: int = LENGTH) -> str:
    r"""At most so many characters, all of them printable: others are written as Python escapes.

    >>> cut("two\nlines"), cut("σ(x)"), len(cut("long" * 100))
    ('two\\nlines', 'σ(x)', 48)
    """
    if len(text) > length:
        text = text[: length - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _number(x: Any, digits: int) -> str:
    if isinstance(x, float | np.floating):
        return f"{float(x) + 0.0:.{digits}g}"  # + 0.0 drops the sign of −0
    return cut(str(x))


def _index(x: Any, nested: bool = False) -> str:
    """An index or a setting as it would be typed; an array by its shape."""
    if isinstance(x, slice):
        parts = ["" if part is None else _index(part) for part in (x.start, x.stop)]
        return ":".join(parts if x.step is None else [*parts, _index(x.step)])
    if isinstance(x, tuple):
        inside = ", ".join(_index(part) for part in x)
        return f"({inside}{',' * (len(x) == 1)})" if nested else inside
    if x is Ellipsis:
        return "..."
    shape = getattr(x, "shape", ())
    return f"array{shape}" if shape else _number(x, 3)
