"""Is the gradient right? The tape, a formula derived by hand, and finite differences, side by side.

The finite difference comes from the recording itself: the operations between a Variable and the
output are computed again, in float64, with one entry of the Variable shifted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from autograd_lite import errors
from autograd_lite.backward import gradients
from autograd_lite.finite_differences import (
    NUMERIC_TOLERANCE,
    STEP,
    central_differences,
    rounding_tolerance,
)
from autograd_lite.replay import behind, compute, operands
from autograd_lite.text import table
from autograd_lite.variable import Array, Variable

MOST_ENTRIES = 2000
"""Of a Variable with more entries than this, a random sample is shifted."""


def _float64(x: Any) -> Any:
    """Floating-point data in float64; everything else as it is."""
    is_float = getattr(x, "dtype", None) is not None and x.dtype.kind == "f"
    return x.astype(np.float64, copy=False) if is_float else x


class Replay:
    """The recorded computation of `output`, to be run again in float64 with other inputs.

    What was detached stays at its recorded value: it is a constant for every derivative.
    """

    def __init__(self, output: Variable):
        self.output = output
        self.order = [v for v in behind([output], self._moves) if self._moves(v)]
        self.base: dict[int, Any] = {}
        for v in self.order:
            self.base[v._number] = self._compute(v, self._operands(v))

    @staticmethod
    def _moves(v: Variable) -> bool:
        """Whether v is computed again when an operand is shifted."""
        return v._primitive is not None and not v._primitive.weak

    def _operands(self, v: Variable) -> list[Any]:
        """The float64 values of v's operands: computed again, or as recorded for a leaf."""
        return [_float64(value) for value in operands(v, self.base)]

    @staticmethod
    def _compute(v: Variable, values: list[Any]) -> Any:
        in_float = np.dtype(v._settings.get("dtype", bool)).kind == "f"
        return compute(v, values, dtype=np.dtype(float)) if in_float else compute(v, values)

    def value_of(self, variable: Variable) -> Array:
        """The float64 value of a Variable that takes part, as a new array."""
        if variable._number in self.base:
            return np.array(self.base[variable._number])
        if variable is self.output:
            return np.array(variable._array, dtype=np.float64)
        for v in self.order:
            for x, value in zip(v._inputs, v._values, strict=True):
                if x is variable:
                    return np.array(value, dtype=np.float64)
        raise errors.NotRecordedError(
            f"{self.output.label} does not depend on {variable.label}: its gradient is zero, and "
            f"there is nothing to compare; was it replaced, detached, or computed under no_grad?"
        )

    def from_variable(self, variable: Variable) -> Callable[[Array], float]:
        """The output as a function of the value of one Variable, leaf or intermediate."""
        steps: list[tuple[Variable, list[Any], list[tuple[int, int]]]] = []
        changed = {variable._number}
        for v in self.order:
            moving = [
                (position, x._number)
                for position, x in enumerate(v._inputs)
                if type(x) is Variable and x._number in changed
            ]
            if moving and v._number not in changed:
                steps.append((v, self._operands(v), moving))
                changed.add(v._number)

        def function(value: Array) -> float:
            values: dict[int, Any] = {variable._number: value}
            for v, recorded, moving in steps:
                for position, number in moving:
                    recorded[position] = values[number]
                values[v._number] = self._compute(v, recorded)
            return float(np.asarray(values[self.output._number]).item())

        return function


@dataclass(frozen=True)
class Row:
    """One Variable's three gradients. Deviations are relative to the largest absolute entry."""

    label: str
    shape: tuple[int, ...]
    formula_shape: tuple[int, ...]
    tape: Array
    """The tape's gradient at the entries compared."""
    formula: Array
    numeric: Array
    entries: Array
    """The flat positions compared, all of them or a sample."""
    tape_formula: float
    tape_numeric: float
    formula_numeric: float
    tape_is_formula: bool
    """Whether the two agree, as far as the dtype can tell; and so on for the other pairs."""
    tape_is_numeric: bool
    formula_is_numeric: bool

    @property
    def verdict(self) -> str:
        """Who is the odd one out, or "agree"."""
        if self.formula_shape != self.shape:
            return f"formula: shape {self.formula_shape}"
        if self.tape_is_formula:
            confirmed = self.tape_is_numeric and self.formula_is_numeric
            return "agree" if confirmed else "odd: finite difference"
        if self.tape_is_numeric and self.formula_is_numeric:
            return "tape and formula differ"  # by less than a finite difference can tell
        if self.tape_is_numeric:
            return "odd: formula"
        return "odd: tape" if self.formula_is_numeric else "all three differ"

    @property
    def agree(self) -> bool:
        """Whether all three tell the same."""
        return self.verdict == "agree"

    def worst(self) -> str:
        """The entry where they differ most, with its three numbers."""
        if not self.entries.size or self.formula_shape != self.shape:
            return f"{self.label}: shape {self.shape}, the formula has {self.formula_shape}"
        spread = np.ptp(np.stack([self.tape, self.formula, self.numeric]), axis=0)
        k = int(np.argmax(np.where(np.isnan(spread), np.inf, spread)))
        index = tuple(int(i) for i in np.unravel_index(int(self.entries[k]), self.shape))
        where = f"{self.label}[{', '.join(map(str, index))}]" if index else self.label
        return (
            f"{where}: tape {self.tape[k]:.6g}, formula {self.formula[k]:.6g}, "
            f"finite difference {self.numeric[k]:.6g}"
        )


@dataclass(frozen=True)
class Comparison:
    """What `ag.compare` found: `rows`, one per Variable, `agree`, and a table when printed."""

    output: str
    rows: tuple[Row, ...]

    @property
    def agree(self) -> bool:
        """Whether tape, formula and finite difference agree for every Variable."""
        return all(row.agree for row in self.rows)

    def __str__(self) -> str:
        head = ("∂/∂", "shape", "entries", "tape–formula", "tape–numeric", "formula–numeric", "")
        lines = table(
            head,
            [
                (
                    row.label,
                    str(row.shape),
                    f"{row.entries.size} of {np.prod(row.shape, dtype=int)}",
                    *(
                        f"{deviation:.1e}"
                        for deviation in (row.tape_formula, row.tape_numeric, row.formula_numeric)
                    ),
                    row.verdict,
                )
                for row in self.rows
            ],
        )
        wrong = [row for row in self.rows if not row.agree]
        if wrong:
            lines += ["", "where they differ most:", *(f"  {row.worst()}" for row in wrong)]
        lines.append(
            f"{self.output}: tape, formula and finite difference agree on all {len(self.rows)}"
            if not wrong
            else f"{self.output}: {len(wrong)} of {len(self.rows)} do not agree"
        )
        return "\n".join(lines)

    __repr__ = __str__


def _apart(a: Array, b: Array) -> Array:
    """|a − b|, where equal infinities are no difference."""
    with np.errstate(invalid="ignore"):
        return np.where(a == b, 0.0, np.abs(a - b))


def _deviation(a: Array, b: Array) -> float:
    """The largest difference over the largest finite absolute value; NaN counts as infinite."""
    difference = float(np.max(_apart(a, b), initial=0.0))
    sizes = np.abs(np.stack([a, b]))
    scale = float(np.max(sizes[np.isfinite(sizes)], initial=0.0))
    ratio = difference / scale if scale else difference
    return ratio if np.isfinite(ratio) else float("inf")


def _same(a: Array, b: Array, tolerance: float, floor: float) -> bool:
    """Whether two gradients agree: relative to the largest entry, or as well as can be known."""
    return bool(_deviation(a, b) <= tolerance or np.max(_apart(a, b), initial=0.0) <= floor)


def compare(
    loss: Variable,
    formulas: Mapping[Variable, ArrayLike],
    *,
    entries: int = MOST_ENTRIES,
    rng: np.random.Generator | None = None,
) -> Comparison:
    """Hold gradients derived by hand against the tape and against finite differences.

    `formulas` maps Variables, leaves or intermediates, to what a formula says ∂loss/∂variable is.
    The finite difference is central, in float64, from replaying the recording with the Variable
    shifted; of a Variable with more than `entries` entries, that many are drawn from `rng` (seed 0
    by default). The report says of each Variable who is the odd one out. `loss` has one element.

    >>> import numpy as np, autograd_lite as ag
    >>> x = ag.Variable([1.0, 2.0], name="x")
    >>> loss = np.sum(x ** 2)
    >>> ag.compare(loss, {x: 2 * x.data}).agree
    True
    >>> print(ag.compare(loss, {x: x.data}).rows[0].verdict)
    odd: formula
    """
    if not isinstance(formulas, Mapping):
        raise TypeError(
            f"compare: the formulas must be a dict of Variable: array, this is "
            f"{errors.a_kind(formulas)}"
        )
    if entries < 1:
        raise ValueError(f"compare: at least one entry must be shifted, entries={entries} is none")
    if type(loss) is not Variable or loss._array.size != 1:
        arrived = errors.a_kind(loss._array if type(loss) is Variable else loss)
        raise ValueError(f"compare: the loss must be a Variable of one element, this is {arrived}")
    size = abs(float(loss._array.item()))
    # what rounding in a loss of this size comes to: a gradient is known no better
    rounding = 4 * float(np.finfo(loss.dtype).eps) * size
    noise = rounding + 4 * float(np.finfo(np.float64).eps) * size / STEP
    variables = list(formulas)
    tape = gradients(loss, variables)
    replay = Replay(loss)
    generator = np.random.default_rng(0) if rng is None else rng
    rows = []
    for v, of_tape in zip(variables, tape, strict=True):
        formula = np.asarray(formulas[v])
        if formula.dtype.kind not in "fiub":
            raise TypeError(
                f"compare: the formula for {v.label} is {errors.a_kind(formula)}; it must be real"
            )
        shape = of_tape.shape
        everything = np.arange(of_tape.size)
        chosen = (
            everything
            if of_tape.size <= entries
            else np.sort(generator.choice(everything, entries, replace=False))
        )
        if formula.shape == shape and of_tape.size:
            apart = _apart(of_tape.astype(np.float64), formula).reshape(-1)
            chosen = np.union1d(chosen, np.argmax(apart))  # where formula and tape differ most
        at = of_tape.reshape(-1)[chosen].astype(np.float64)
        numeric = central_differences(replay.from_variable(v), replay.value_of(v), chosen, at)
        if formula.shape == shape:
            by_hand = formula.reshape(-1)[chosen].astype(np.float64)
            whole = _deviation(of_tape.astype(np.float64), formula.astype(np.float64))
        else:
            by_hand, whole = np.full(len(chosen), np.nan), float("inf")
        tolerance = rounding_tolerance(of_tape.dtype)
        rows.append(
            Row(
                label=v.label,
                shape=shape,
                formula_shape=formula.shape,
                tape=at,
                formula=by_hand,
                numeric=numeric,
                entries=chosen,
                tape_formula=whole,
                tape_numeric=_deviation(at, numeric),
                formula_numeric=_deviation(by_hand, numeric),
                tape_is_formula=_same(at, by_hand, tolerance, rounding) and np.isfinite(whole),
                tape_is_numeric=_same(at, numeric, NUMERIC_TOLERANCE + tolerance, noise),
                formula_is_numeric=_same(by_hand, numeric, NUMERIC_TOLERANCE + tolerance, noise),
            )
        )
    return Comparison(loss.label, tuple(rows))
