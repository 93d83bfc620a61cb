"""What `ag.check_grads` found, as rows that can be read and a table that can be printed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from autograd_lite.text import table

AGREE, MISMATCH = "agree", "mismatch"
KINK, NOT_FINITE = "not differentiable near here", "not finite near here"
NOISY = "too noisy to tell"


@dataclass(frozen=True)
class GradientRow:
    """What one order of derivative said of one argument, at the place where it fits worst."""

    order: int
    argument: str
    """As the function calls it, with the path into a nest: `params['W']`."""
    entry: tuple[int, ...] | None
    """Which entry of the argument; None for a sum over a random direction."""
    output: str
    """What was differentiated: `f`, `f[0, 2]`, and above the first order `∂f/∂x[0]`."""
    tape: float
    numeric: float
    below: float
    """The slopes from below and above, which differ at a kink and are `numeric` elsewhere."""
    above: float
    tolerance: float
    """How far `tape` and `numeric` may lie apart."""
    tried: str
    """How much of the argument was shifted: "4 of 12", "4 directions"."""
    verdict: str
    """agree, mismatch, not differentiable near here, not finite near here, too noisy to tell."""
    note: str = ""

    @property
    def agree(self) -> bool:
        """Whether tape and finite difference tell the same, and could tell a difference."""
        return self.verdict == AGREE

    @property
    def derivative(self) -> str:
        """What both numbers are, as it is written: `∂²f/∂b[1]∂W[0, 2]`."""
        argument = indexed(self.argument, self.entry or ())
        if self.order == 1:
            return f"∂{self.output}/∂{argument}"
        function, earlier = self.output.removeprefix("∂").split("/", 1)
        between = "…" if self.order > 2 else ""
        return (
            f"∂{str(self.order).translate(_SUPERSCRIPTS)}{function}/{between}{earlier}∂{argument}"
        )

    @property
    def apart(self) -> float:
        """The distance of the two numbers, relative to the larger."""
        largest = max(abs(self.tape), abs(self.numeric))
        return abs(self.tape - self.numeric) / largest if largest else 0.0


@dataclass(frozen=True)
class GradientReport:
    """What `ag.check_grads` found: `rows`, `agree`, and a table when printed."""

    function: str
    rows: tuple[GradientRow, ...]

    @property
    def agree(self) -> bool:
        """Whether every row agrees."""
        return all(row.agree for row in self.rows)

    def __str__(self) -> str:
        head = ("order", "derivative", "tried", "tape", "finite difference", "apart", "")
        lines = table(head, [_cells(row) for row in self.rows])
        notes = [f"{row.derivative}: {row.note}" for row in self.rows if row.note]
        if notes:
            lines += ["", *notes]
        wrong = Counter(row.verdict for row in self.rows if not row.agree)
        said = ", ".join(f"{count} × {verdict}" for verdict, count in wrong.items())
        last = max(row.order for row in self.rows)
        orders = f"orders 1 to {last}" if last > 1 else "order 1"
        lines.append(f"{self.function}, {orders}: {said or 'tape and finite difference agree'}")
        return "\n".join(lines)

    __repr__ = __str__


class GradientCheckError(AssertionError):
    """`ag.check_grads` did not find agreement; `report` says where, and the message prints it."""

    def __init__(self, report: GradientReport):
        super().__init__(f"\n{report}")
        self.report = report


def indexed(name: str, entry: tuple[int, ...]) -> str:
    """The name of an entry: `W[0, 2]`; of a scalar, the name alone."""
    return f"{name}[{', '.join(map(str, entry))}]" if entry else name


_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _cells(row: GradientRow) -> tuple[str, ...]:
    # enough digits to see where two numbers part
    digits = 7 if row.agree else 10
    numeric, apart = f"{row.numeric:.{digits}g}", f"{row.apart:.0e}"
    if row.verdict == KINK:
        numeric, apart = f"{row.below:.4g} below, {row.above:.4g} above", ""
    elif row.verdict == NOT_FINITE:
        apart = ""
    tape = f"{row.tape:.{digits}g}"
    return (str(row.order), row.derivative, row.tried, tape, numeric, apart, row.verdict)
