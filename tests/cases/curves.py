"""Points along a curve: evenly spaced, interpolated, unwrapped, and of polynomials."""

import numpy as np

from tests.cases.case import Case

KNOTS = np.array([0.0, 1.0, 2.5, 4.0])
PRODUCT = {"exact": False, "empty": False}
POSITIVE = {"domain": (0.5, 3), "exact": False}

CASES = [
    # --- evenly spaced points
    Case("linspace", np.linspace, lambda x, y: np.linspace(x, y, 4), [(2,), ()]),
    Case("linspace from a number", np.linspace, lambda y: np.linspace(1.0, y, num=3, axis=-1)),
    Case("linspace without its end", np.linspace, lambda x: np.linspace(x, 7, 3, False)),
    Case("linspace of one", np.linspace, lambda x: np.linspace(x, 7.0, 1)),
    Case("linspace of none", np.linspace, lambda x: np.linspace(x, 7.0, 0)),
    Case("linspace and its step", np.linspace, lambda x: np.linspace(x, 7.0, 5, retstep=True)),
    Case("linspace, wider", np.linspace, lambda x: np.linspace(x, 1, 3, dtype=float)),
    Case(
        "linspace of integers",
        np.linspace,
        lambda x: np.linspace(x, 9, 3, dtype=int),
        untracked=True,
    ),
    Case("logspace", np.logspace, lambda x, y: np.logspace(x, y, 4), [(2,), ()], **POSITIVE),
    Case(
        "logspace to several bases",
        np.logspace,
        lambda x, base: np.logspace(x, 2.0, 3, base=base, axis=-1),
        [(), (2,)],
        **POSITIVE,
    ),
    Case("geomspace", np.geomspace, lambda x, y: np.geomspace(x, y, 5), [(2,), ()], **POSITIVE),
    Case(
        "geomspace of negative ones",
        np.geomspace,
        lambda x: np.geomspace(-x, -9.0, 4, axis=1),
        **POSITIVE,
    ),
    Case(
        "geomspace without its end",
        np.geomspace,
        lambda x: np.geomspace(2, x, 4, False),
        **POSITIVE,
    ),
    # --- between given points
    Case(
        "interp",
        np.interp,
        lambda x, xp, fp: np.interp(x, xp + KNOTS, fp),
        [np.array([[-1.0, 0.7], [3.1, 5.0]]), (4,), (4,)],
        domain=(-0.2, 0.2),
        exact=False,
        zero_strides=False,
        empty=False,
    ),
    Case(
        "interp with ends of its own",
        np.interp,
        lambda x: np.interp(x * np.array([-1.0, 0.5, 9.0]), KNOTS, KNOTS**2, -7.0, right=8.0),
        [(3,)],
        domain=(0.6, 0.9),
        exact=False,
        empty=False,
    ),
    Case(
        "interp, periodic",
        np.interp,
        lambda x, fp: np.interp(x, [3.0, 0.5, 4.5], fp, period=5),
        [np.array([-1.0, 0.1, 2.0, 4.9]), (3,)],
        exact=False,
        empty=False,
    ),
    Case(
        "interp of one point",
        np.interp,
        lambda fp: np.interp([-1, 0, 1], [0.0], fp),
        [(1,)],
        exact=False,
    ),
    Case(
        "unwrap",
        np.unwrap,
        lambda x: np.unwrap(x + np.array([0.0, 1, 5, -4, 9, 2])),
        [(2, 6)],
        domain=(-0.2, 0.2),
        empty=False,
    ),
    Case(
        "unwrap with a period",
        np.unwrap,
        lambda x: np.unwrap(x + np.array([[0.0], [3], [9]]), discont=2.5, axis=0, period=4),
        [(3, 2)],
        domain=(-0.2, 0.2),
        empty=False,
    ),
    # --- polynomials
    Case("polyval", np.polyval, inputs=[(4,), (2, 3)]),
    Case("polyval of numbers", np.polyval, lambda x: np.polyval([1, -2, 3], x)),
    Case("polyadd", np.polyadd, inputs=[(2,), (4,)]),
    Case("polysub", np.polysub, lambda p: np.polysub([1.0, 2.0, 3.0], p), [()]),
    Case("polymul", np.polymul, inputs=[(3,), (2,)], **PRODUCT),
    Case("polymul, 0s first", np.polymul, lambda p: np.polymul([0, 2, 1], p), [(3,)], **PRODUCT),
    Case("polyder", np.polyder, lambda p: np.polyder(p, 2), [(4,)]),
    Case("polyint", np.polyint, lambda p: np.polyint(p, 2, 5.0), [(3,)], exact=False),
    Case("polyint, constants", np.polyint, lambda p: np.polyint(p, 2, p[:2]), [(3,)], exact=False),
    Case("vander", np.vander, inputs=[(3,)]),
    Case("vander, increasing", np.vander, lambda x: np.vander(x, 4, True), [(3,)]),
]
