"""Along an axis: cumulative sums and products, differences, integrals, convolutions."""

import numpy as np

from tests.cases.case import Case

ROUNDED = {"exact": False}
WITH_ZEROS = np.array([[0.0, 1.5, 0.0, -2.0], [0.5, 0.0, 1.2, 0.7]])
HOLES = np.array([[0.0, np.nan, 0.0], [np.nan, 0.0, 0.0]])


def cumulative(name, function, nan_function, new_function):
    """The rows of a running sum or product."""
    return [
        Case(name, function),
        Case(f"{name} along axis 0", function, lambda x: function(x, 0)),
        Case(f"{name} along axis -1", function, lambda x: function(x, axis=-1), [(2, 3, 5)]),
        Case(f"{name} by method", function, lambda x: getattr(x, name)(axis=1)),
        Case(f"{name} of a scalar", function, inputs=[()]),
        Case(f"{name}, wider", function, lambda x: function(x, 1, np.longdouble), exact=False),
        Case(f"{name} of zeros", function, lambda x: function(x, axis=1), [WITH_ZEROS], order=3),
        Case(f"nan{name}", nan_function, lambda x: nan_function(x + HOLES, axis=1), empty=False),
        Case(new_function.__name__, new_function, inputs=[(5,)]),
        Case(
            f"{new_function.__name__} from the start",
            new_function,
            lambda x: new_function(x, axis=-2, include_initial=True),
        ),
    ]


CASES = [
    *cumulative("cumsum", np.cumsum, np.nancumsum, np.cumulative_sum),
    *cumulative("cumprod", np.cumprod, np.nancumprod, np.cumulative_prod),
    # --- differences and integrals
    Case("diff", np.diff),
    Case("diff twice along axis 0", np.diff, lambda x: np.diff(x, 2, 0), [(4, 3)]),
    Case("diff, no times", np.diff, lambda x: np.diff(x * 1.0, 0)),
    Case(
        "diff with ends", np.diff, lambda x, y: np.diff(x, prepend=1.0, append=y), [(2, 3), (2, 1)]
    ),
    Case("diff of a constant", np.diff, lambda y: np.diff([1.0, 4.0, 2.0], append=y), [()]),
    Case("diff of a mask", np.diff, lambda x: np.diff(x > 0), untracked=True),
    Case("ediff1d", np.ediff1d),
    Case("ediff1d with ends", np.ediff1d, lambda x: np.ediff1d(x, [9.0, 8.0], 7.0), [(4,)]),
    Case("trapezoid", np.trapezoid),
    Case("trapezoid by steps", np.trapezoid, lambda y, dx: np.trapezoid(y, dx=dx), [(4,), ()]),
    Case("trapezoid over x", np.trapezoid, lambda y, x: np.trapezoid(y, x, axis=0), [(3, 2), (3,)]),
    Case("trapezoid over rows of x", np.trapezoid, inputs=[(2, 3), (2, 3)]),
    Case("trapezoid of constants", np.trapezoid, lambda x: np.trapezoid([1, 2, 4], x), [(3,)]),
    Case("gradient", np.gradient, lambda f: np.gradient(f, 0.5), [(4,)], **ROUNDED),
    Case("gradient of a matrix", np.gradient, inputs=[(3, 4)], **ROUNDED),
    Case(
        "gradient over x",
        np.gradient,
        lambda f, x: np.gradient(f, x + np.array([0.0, 1, 3, 4]), axis=-1),
        [(2, 4), (4,)],
        domain=(-0.3, 0.3),
        **ROUNDED,
    ),
    Case(
        "gradient with parabolas at the edges",
        np.gradient,
        lambda f, x: np.gradient(f, x + np.array([0.0, 1, 3, 4]), axis=1, edge_order=2),
        [(3, 4), (4,)],
        domain=(-0.3, 0.3),
        **ROUNDED,
    ),
    # --- convolutions
    Case("convolve", np.convolve, inputs=[(5,), (3,)], **ROUNDED),
    Case("convolve, the longer one second", np.convolve, inputs=[(2,), (5,)], **ROUNDED),
    Case(
        "convolve same",
        np.convolve,
        lambda x, y: np.convolve(x, y, "same"),
        [(5,), (4,)],
        **ROUNDED,
    ),
    Case(
        "convolve valid",
        np.convolve,
        lambda x, y: np.convolve(x, y, "valid"),
        [(3,), (5,)],
        **ROUNDED,
    ),
    Case(
        "convolve with a list", np.convolve, lambda y: np.convolve([1, 2, 3], y), [(4,)], **ROUNDED
    ),
    Case("correlate", np.correlate, inputs=[(5,), (3,)], **ROUNDED),
    Case("correlate, the longer one second", np.correlate, inputs=[(3,), (5,)], **ROUNDED),
    Case(
        "correlate full",
        np.correlate,
        lambda x, y: np.correlate(x, y, "full"),
        [(5,), (3,)],
        **ROUNDED,
    ),
    Case(
        "correlate same",
        np.correlate,
        lambda x, y: np.correlate(x, y, "same"),
        [(4,), (3,)],
        **ROUNDED,
    ),
    *[
        Case(
            f"correlate same, {n} and {m}",
            np.correlate,
            lambda x, y: np.correlate(x, y, mode="same"),
            [(n,), (m,)],
            **ROUNDED,
        )
        for n, m in ((2, 5), (3, 4), (5, 2))
    ],
]
