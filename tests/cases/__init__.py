"""One row per operation and way of using it; `tests/test_contract.py` checks every row in full.

To add an operation, append a row to CASES in the module of its room. Most need one line:

    Case("cbrt", np.cbrt, domain=(0.1, 3)),
    Case("sum over axis 1", np.sum, lambda x: np.sum(x, axis=1), [(2, 3)]),
    *broadcasting("hypot", np.hypot),

A row is `Case(name, covers, call, inputs, ...)`:

- `name`: unique; it names the test, and it seeds the row's random values.
- `covers`: the NumPy function that is looked up when `call` runs on Variables (or a tuple of
  them). A function of `autograd_lite.variable.OPERATIONS` that no row covers fails the suite, and
  so does a row whose call never reaches what it says it covers.
- `call`: takes the inputs, arrays or Variables, and returns an array or a tuple or list of arrays.
  Left out, it is the covered function itself. Constants (masks, indices, axes) live in `call`.
- `inputs`: a shape, or a floating-point array, for each differentiable operand.
- `domain`: (low, high) of the random values, or a list with one pair per input. Functions with
  kinks or poles say which numbers to keep away from (`avoid`), or that no two entries of all
  inputs together may come close (`distinct`: max, sort, maximum).

The other options are explained at their fields. A result without a derivative (comparisons,
argmax, sign) takes `untracked=True`: then its value, and that it is recorded but untracked, is all
that is checked. `plain=True` is for what gives no Variable at all (np.shape, np.zeros_like).
"""

from tests.cases import (
    choosing,
    curves,
    elementwise,
    indexing,
    joining,
    linear_algebra,
    norms,
    piecewise,
    products,
    reductions,
    scans,
    shapes,
    statistics,
    ufuncs,
)
from tests.cases.case import Case

ALL_CASES: list[Case] = [
    *elementwise.CASES,
    *piecewise.CASES,
    *reductions.CASES,
    *statistics.CASES,
    *scans.CASES,
    *curves.CASES,
    *shapes.CASES,
    *joining.CASES,
    *indexing.CASES,
    *choosing.CASES,
    *products.CASES,
    *linear_algebra.CASES,
    *norms.CASES,
    *ufuncs.CASES,
]
PLAIN = [case for case in ALL_CASES if case.plain]
UNTRACKED = [case for case in ALL_CASES if case.untracked]
TRACKED = [case for case in ALL_CASES if not case.untracked and not case.plain]
