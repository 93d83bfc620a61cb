"""Does the tape differentiate this function right? Its gradients against finite differences.

Each argument is shifted by itself, so that a large gradient of one cannot hide a wrong one of
another. An order above the first asks the same of the gradient, which is a function like any other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from autograd_lite import errors
from autograd_lite.backward import gradients
from autograd_lite.checked_call import (
    CheckedCall,
    Program,
    gradient_of,
    random_weights,
    value_of,
)
from autograd_lite.finite_differences import EPSILON, Slopes, rounding_tolerance, slopes
from autograd_lite.gradient_report import (
    AGREE,
    KINK,
    MISMATCH,
    NOISY,
    NOT_FINITE,
    GradientCheckError,
    GradientReport,
    GradientRow,
    indexed,
)
from autograd_lite.tape import recording
from autograd_lite.variable import Array, Variable

MOST_NAMED = 8
"""At so many entries without a derivative the search through one argument ends."""


def check_grads(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    by: Literal["directions", "entries", "whole"] = "directions",
    samples: int = 4,
    rng: np.random.Generator | None = None,
    rtol: float | None = None,
    raise_exception: bool = True,
) -> GradientReport:
    """Hold the tape's derivatives of `f(*args)` against finite differences, order by order.

    `args` and the result may be nested lists, tuples and dicts; floating-point arrays, floats and
    tracked Variables are differentiated, everything else is constant. f is called with Variables.
    An argument is differentiated in its dtype; the finite differences run in float64.

    `by="directions"` compares uᵀ·J·v for `samples` random directions v of each argument and a
    random u, cheap in any dimension. `by="entries"` shifts single entries, `samples` of each
    argument whatever its size, so that a bias is looked at as closely as a weight (lecture 2).
    `by="whole"` compares every entry of the Jacobian. Order k + 1 is the same check of the gradient
    of order k, of a random weighted sum if that has several entries.

    The step is found by itself (see `finite_differences.slopes`). Two numbers agree within `rtol`
    times the sum of the absolute terms, by default 1e-9, and 1e-4 for float32, which is some
    thousand roundings, and what the finite difference itself is uncertain by. The verdict is
    "agree", "mismatch", "not differentiable near here", "not finite near here", or "too noisy to
    tell" where fewer than three digits are known. Whatever does not agree is traced to one entry.

    Returns the report, which prints as a table. Without agreement raises GradientCheckError, an
    AssertionError that prints the same: a check in a test cannot pass unread. In a lecture,
    `raise_exception=False` returns that report too. Raises ValueError if f is not deterministic or
    has no floating-point result, or no argument has an entry to shift, TypeError if none is
    floating point. f's keywords are set by `lambda x: f(x, key=value)` or `functools.partial`.

    >>> import numpy as np, autograd_lite as ag
    >>> ag.check_grads(lambda x, W: np.tanh(x @ W), np.ones(2), np.eye(2)).agree
    True
    >>> wrong = ag.primitive(lambda x: x**2, lambda g, z, x: g * x, name="wrong")
    >>> print(ag.check_grads(wrong, 3.0, order=1, raise_exception=False))
    order  derivative  tried     tape  finite difference  apart
    1      ∂wrong/∂x   all of 1  3     6                  5e-01  mismatch
    wrong, order 1: 1 × mismatch
    """
    if by not in ("directions", "entries", "whole"):
        raise ValueError(f"check_grads: by={by!r}; it is 'directions', 'entries' or 'whole'")
    for name, number in {"order": order, "samples": samples}.items():
        if not isinstance(number, int | np.integer) or number < 1:
            raise ValueError(f"check_grads: {name}={number!r}; it is a whole number from 1 on")
    if not callable(f):
        raise TypeError(f"check_grads: it takes a function, this is {errors.a_kind(f)}")
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"check_grads: rng is {errors.a_kind(rng)}; pass a generator, "
            f"np.random.default_rng(seed)"
        )
    if rtol is not None and not (isinstance(rtol, float | int | np.floating) and rtol >= 0):
        raise ValueError(f"check_grads: rtol={rtol!r}; it is a number from 0 on")
    generator = np.random.default_rng(0) if rng is None else rng
    with np.errstate(all="ignore"), recording():  # a shift may leave the domain
        call = CheckedCall(f, args)
        program: Program = call.program
        outputs = call.outputs
        rows: list[GradientRow] = []
        for k in range(1, order + 1):
            derivative = _Derivative(k, program, call, outputs, by, samples, generator, rtol)
            rows += [row for i in range(len(call.arrays)) for row in derivative.rows(i)]
            if k < order:
                weights = [random_weights(z, generator) for z in derivative.recorded]
                program = gradient_of(program, weights)
                outputs = [f"∂{call.name}/∂{argument}" for argument in call.arguments]
    report = GradientReport(call.name, tuple(rows))
    if raise_exception and not report.agree:
        raise GradientCheckError(report)
    return report


def _halves(v: Array) -> list[Array]:
    """Two directions that add up to v, each with half of its entries; none if v has only one."""
    moving = np.flatnonzero(v)
    if len(moving) < 2:
        return []
    first = np.zeros_like(v)
    first.reshape(-1)[moving[: len(moving) // 2]] = v.reshape(-1)[moving[: len(moving) // 2]]
    return [first, v - first]


def _finite(x: float) -> float:
    return x if math.isfinite(x) else 0.0


@dataclass(frozen=True)
class _Finding:
    """One uᵀ·J·v by both ways."""

    verdict: str
    tape: float
    numeric: float
    below: float
    above: float
    tolerance: float

    @property
    def excess(self) -> float:
        """How many times the tolerance they are apart."""
        apart = abs(self.tape - self.numeric)
        return apart / self.tolerance if self.tolerance else (math.inf if apart else 0.0)


_WORST_FIRST = (MISMATCH, NOT_FINITE, KINK, NOISY, AGREE)


def _rank(finding: _Finding) -> tuple[int, float]:
    excess = finding.excess
    return -_WORST_FIRST.index(finding.verdict), math.inf if math.isnan(excess) else excess


class _Derivative:
    """One order at the given arguments: the tape's Jacobian by rows, the numeric one by columns."""

    def __init__(
        self,
        order: int,
        program: Program,
        call: CheckedCall,
        outputs: list[str],
        by: str,
        samples: int,
        generator: np.random.Generator,
        rtol: float | None,
    ):
        self.order, self.program, self.call, self.outputs = order, program, call, outputs
        self.by, self.samples, self.generator, self.rtol = by, samples, generator, rtol
        self.variables = call.variables()
        self.recorded = program(self.variables)
        self.shapes = [value_of(z).shape for z in self.recorded]
        ends = np.cumsum([math.prod(shape) for shape in self.shapes])
        self.parts = [slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True)]
        self.exact = [np.array(x, np.float64) for x in call.arrays]
        self.fixed = [Variable(x) for x in self.exact]
        self.values = [value_of(z).astype(np.float64).reshape(-1) for z in self.recorded]
        self.cotangents = [
            list(self._units(shape)) if by == "whole" else [random_weights(z, generator)]
            for z, shape in zip(self.recorded, self.shapes, strict=True)
        ]
        self.pulled = [[self.pull(o, u) for u in us] for o, us in enumerate(self.cotangents)]

    # --- both sides ------------------------------------------------------------------------------

    def pull(self, o: int, u: Array) -> list[Array]:
        """The tape's uᵀ·J of result o, one array for each argument; zeros if nothing is tracked."""
        z = self.recorded[o]
        if type(z) is not Variable or not z.requires_grad or not z.size:
            return [np.zeros(x.shape) for x in self.exact]
        return [g.astype(np.float64) for g in gradients(z, self.variables, u.astype(z.dtype))]

    def push(self, i: int, v: Array) -> Slopes:
        """The numeric J·v for argument i, all results in one vector."""

        def function(moved: Array) -> Array:
            variables = [*self.fixed[:i], Variable(moved), *self.fixed[i + 1 :]]
            return np.concatenate(
                [value_of(z).astype(np.float64).reshape(-1) for z in self.program(variables)]
            )

        return slopes(function, self.exact[i], v)

    def judge(self, i: int, v: Array, o: int, u: Array, s: Slopes, row: Array) -> _Finding:
        """Compare uᵀ·(J·v) with (uᵀ·J)·v, of which `row` is the tape's uᵀ·J."""
        part = self.parts[o]
        infinite = np.isinf(self.values[o]) & s.finite[part]  # all around: -inf is a mask
        overflown = infinite & (self.values[o] > 0)
        if infinite.any():
            lost = self.pull(o, np.where(overflown.reshape(u.shape), u, 0.0))[i]
            overflown &= bool(np.any(lost[v != 0] != 0))  # of what v moves, NaN included
            u = np.where(infinite.reshape(u.shape), 0.0, u)
            row = self.pull(o, u)[i]
        used = u.reshape(-1) != 0
        weights, values = u.reshape(-1)[used], self.values[o][used]

        def total(component: Array) -> float:
            return float(np.sum(weights * component[part][used]))

        def spread(component: Array) -> float:
            return float(np.sum(np.abs(weights * component[part][used])))

        terms = (row * v)[v != 0]
        tape, numeric = float(np.sum(terms)), total(s.value)
        scale = max(_finite(float(np.sum(np.abs(terms)))), _finite(spread(s.value)))
        dtypes = [x.dtype for x in (self.call.arrays[i], value_of(self.recorded[o]))]
        relative = max(map(rounding_tolerance, dtypes)) if self.rtol is None else self.rtol
        # a slope that cancels is as rough as what it cancelled from, or f itself was computed from
        size = max(_finite(float(np.sum(np.abs(weights * values)))), self.call.size)
        if size == 0:  # at a zero of f, what it becomes nearby
            size = spread(s.reach)
        size /= max(1.0, float(np.max(np.abs(self.exact[i]))))
        rounding = 16 * max(float(np.finfo(d).eps) for d in dtypes) * size
        uncertain = 4 * spread(s.error)
        tolerance = relative * scale + uncertain + rounding
        if overflown.any() or not s.finite[part][used].all():
            verdict = NOT_FINITE
        elif s.kink[part][used].any():
            verdict = KINK
        elif not abs(tape - numeric) <= tolerance:
            verdict = MISMATCH
        elif uncertain > 1e-3 * scale + 1e4 * EPSILON * (spread(s.unit) + size):
            verdict = NOISY
        else:
            verdict = AGREE
        return _Finding(verdict, tape, numeric, total(s.below), total(s.above), tolerance)

    # --- directions ------------------------------------------------------------------------------

    @staticmethod
    def _units(shape: tuple[int, ...], entries: Sequence[int] | None = None) -> Iterator[Array]:
        size = math.prod(shape)
        for j in range(size) if entries is None else entries:
            unit = np.zeros(size)
            unit[j] = 1.0
            yield unit.reshape(shape)

    def _directions(self, i: int) -> tuple[str, list[Array]]:
        """What to shift argument i along, and how to call that."""
        x = self.exact[i]
        if self.by == "directions" and x.size > 1:
            kinds = [self._direction(x, relative=bool(k % 2)) for k in range(self.samples)]
            return f"{self.samples} direction{'s' if self.samples > 1 else ''}", kinds
        if self.by == "whole" or x.size <= self.samples:
            return f"all of {x.size}", list(self._units(x.shape))
        chosen = np.sort(self.generator.choice(x.size, self.samples, replace=False))
        return f"{self.samples} of {x.size}", list(self._units(x.shape, chosen.tolist()))

    def _direction(self, x: Array, *, relative: bool) -> Array:
        """Random signs and sizes, every entry moving in proportion to its size, or to at least 1.

        The first shows what small entries do that must not change sign, the second what zeros do.
        Few bits, so that x ± h·v is exact.
        """
        size = np.abs(x) if relative else np.maximum(np.abs(x), 1.0)
        size = np.where((size > 0) & np.isfinite(size), size, 1.0)
        octave = np.floor(np.log2(size))
        few_bits = self.generator.integers(8, 16, x.shape) / 8
        signs = self.generator.choice([-1.0, 1.0], x.shape)
        direction: Array = signs * few_bits * 2.0 ** (octave - octave.max())
        return direction

    # --- the rows of an argument -----------------------------------------------------------------

    def rows(self, i: int) -> list[GradientRow]:
        """The worst finding for argument i; of entries without a derivative, each that is found."""
        tried, directions = self._directions(i)
        found: list[GradientRow] = []
        worst: tuple[tuple[int, float], GradientRow] | None = None
        blocked: set[int] = set()  # entries without a derivative
        for v in directions:
            while True:
                v = v.copy()
                v.reshape(-1)[list(blocked)] = 0.0
                if not v.any():
                    break
                finding, o, u = self._worst(i, v)
                if finding.verdict in (KINK, NOT_FINITE, MISMATCH):
                    located = self._locate(i, v, o, u, finding)
                else:
                    located = v, u, finding
                at = self._row(i, o, *located, tried)
                if finding.verdict in (KINK, NOT_FINITE):
                    found.append(at)
                    blocked |= set(np.flatnonzero(located[0]).tolist())
                    if len(found) < MOST_NAMED:
                        continue
                elif worst is None or _rank(located[2]) > worst[0]:
                    worst = _rank(located[2]), at
                break
            if len(found) >= MOST_NAMED or (worst and worst[1].verdict == MISMATCH):
                break
        if worst and (not found or worst[1].verdict == MISMATCH):
            found.insert(0, worst[1])
        return found

    def _worst(self, i: int, v: Array) -> tuple[_Finding, int, Array]:
        """The worst finding along one direction, over all results and cotangents."""
        s = self.push(i, v)
        findings = [
            (self.judge(i, v, o, u, s, rows[i]), o, u)
            for o in range(len(self.recorded))
            for u, rows in zip(self.cotangents[o], self.pulled[o], strict=True)
        ]
        return max(findings, key=lambda finding: _rank(finding[0]))

    def _locate(
        self, i: int, v: Array, o: int, u: Array, finding: _Finding
    ) -> tuple[Array, Array, _Finding]:
        """Halve the direction, then the cotangent, as long as one half shows the same."""
        row = self.pull(o, u)[i]
        while halves := _halves(v):
            tries = [(half, self.judge(i, half, o, u, self.push(i, half), row)) for half in halves]
            same = [t for t in tries if t[1].verdict == finding.verdict]
            if not same:
                parts = sum(t[1].numeric for t in tries)
                allowed = finding.tolerance + sum(t[1].tolerance for t in tries)
                if finding.verdict == MISMATCH and abs(finding.numeric - parts) > allowed:
                    # the slopes of a differentiable function add up
                    finding = replace(finding, verdict=KINK)
                break
            v, finding = max(same, key=lambda t: _rank(t[1]))
        s = self.push(i, v)
        while halves := _halves(u):
            tries = [(half, self.judge(i, v, o, half, s, self.pull(o, half)[i])) for half in halves]
            same = [t for t in tries if t[1].verdict == finding.verdict]
            if not same:
                break
            u, finding = max(same, key=lambda t: _rank(t[1]))
        if np.count_nonzero(v) == 1 and np.count_nonzero(u) == 1:  # an entry, no multiple of it
            v, u = np.sign(np.abs(v)), np.sign(np.abs(u))
            finding = self.judge(i, v, o, u, self.push(i, v), self.pull(o, u)[i])
        return v, u, finding

    def _row(
        self, i: int, o: int, v: Array, u: Array, finding: _Finding, tried: str
    ) -> GradientRow:
        def entry(x: Array) -> tuple[int, ...] | None:
            if np.count_nonzero(x) != 1:
                return None
            return tuple(int(k) for k in np.unravel_index(np.flatnonzero(x)[0], x.shape))

        output = indexed(self.outputs[o], entry(u) or ())
        z, note = self.recorded[o], ""
        if finding.verdict == MISMATCH and not (type(z) is Variable and z.requires_grad):
            note = (
                f"{self.outputs[o]} left the tape: no tracked operation recorded this "
                f"{errors.kind(value_of(z))}; was .data, .detach or no_grad used inside?"
            )
        return GradientRow(
            self.order,
            self.call.arguments[i],
            entry(v),
            output,
            finding.tape,
            finding.numeric,
            finding.below,
            finding.above,
            finding.tolerance,
            tried,
            finding.verdict,
            note,
        )
