"""What a row of the tables is; `tests/cases/__init__.py` says how to write one."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Shape = tuple[int, ...]
MARGIN = 0.05
"""Distance kept from numbers to avoid: far more than a finite difference's step of 0.002."""


@dataclass(frozen=True, eq=False)
class Case:
    """One way of using one operation; every option of a row."""

    name: str
    covers: Any
    call: Callable[..., Any] | None = None
    inputs: Sequence[Shape | np.ndarray] = ((2, 3),)
    domain: tuple[float, float] | Sequence[tuple[float, float]] = (-2, 2)
    avoid: Sequence[float] = ()
    distinct: bool = False
    untracked: bool = False
    # whether the result is no Variable at all: shapes, constants, texts
    plain: bool = False
    # how many orders of derivative are held against finite differences
    order: int = 2
    # the same computation in NumPy alone, for what is not NumPy's own (ag.put) or what NumPy
    # computes with other roundings (then exact=False: equal up to 16 roundings of the dtype)
    reference: Callable[..., Any] | None = None
    exact: bool = True
    # shapes for the check on empty arrays; None: the first axis of the inputs with most axes
    # becomes 0 (NumPy may refuse that, then so must we); False: not meaningful
    empty: Sequence[Shape] | bool | None = None
    # whether an input whose rows are all one row (zero strides) is meaningful: False for inverses
    zero_strides: bool = True

    def __post_init__(self) -> None:
        covers = self.covers if isinstance(self.covers, tuple) else (self.covers,)
        call = self.call or covers[0]
        # frozen for readers; filled in once here
        object.__setattr__(self, "covers", covers)
        object.__setattr__(self, "call", call)
        object.__setattr__(self, "reference", self.reference or call)

    def random(self) -> np.random.Generator:
        """A generator of this row's own: adding a row leaves every other row's numbers alone."""
        return np.random.default_rng(zlib.crc32(self.name.encode()))

    def arrays(self, dtype: Any = np.float64) -> list[np.ndarray]:
        """Fresh input arrays: the same numbers in every call, rounded to `dtype`."""
        rng = self.random()
        domains = self.domain if isinstance(self.domain, list) else [self.domain] * len(self.inputs)
        if self.distinct:
            total = sum(np.prod(s, dtype=int) for s in self.inputs if isinstance(s, tuple))
            grid = iter(rng.permutation(np.linspace(*domains[0], total)))
        made = []
        for shape, (low, high) in zip(self.inputs, domains, strict=True):
            if not isinstance(shape, tuple):
                x = np.array(shape)
            elif self.distinct:
                x = np.array([next(grid) for _ in range(np.prod(shape, dtype=int))]).reshape(shape)
            else:
                x = rng.uniform(low, high, shape)
                while (close := self._too_close(x)).any():
                    x = np.where(close, rng.uniform(low, high, shape), x)
            made.append(np.asarray(x, dtype))
        return made

    def _too_close(self, x: np.ndarray) -> np.ndarray:
        return np.any([abs(x - point) < MARGIN for point in self.avoid] or [x != x], axis=0)

    def empty_arrays(self) -> list[np.ndarray] | None:
        """Inputs with no entries, or None where the row says that there are none to check."""
        shapes = self.empty
        if shapes is None and all(isinstance(s, tuple) for s in self.inputs):
            most = max(map(len, self.inputs))
            shapes = [(0, *s[1:]) if s and len(s) == most else s for s in self.inputs]
        return [np.ones(s) for s in shapes] if isinstance(shapes, list) else None

    def __str__(self) -> str:
        return self.name


BROADCASTS: dict[str, list[Shape]] = {
    "": [(2, 3), (2, 3)],
    " with a row": [(2, 3), (3,)],
    " with a scalar": [(), (2, 3)],
    " of column and row": [(2, 1), (1, 3)],
    " in three axes": [(2, 1, 2), (3, 1)],
}


def broadcasting(name: str, covers: Any, call: Any = None, **options: Any) -> list[Case]:
    """The rows of a function of two arrays: equal shapes, and every kind of broadcasting."""
    row = Case(name, covers, call, BROADCASTS[""], **options)
    return [replace(row, name=name + how, inputs=shapes) for how, shapes in BROADCASTS.items()]
