"""Initialisers: the arrays that parameters start with, drawn from a generator that is passed in.

Each is called `initialiser(shape, rng)` and gives an array; `dtype=` is float64 unless said. Draws
are made in float64 and then converted, so that float32 starts from the same numbers. How large they
are depends on how many entries a weight sums over, in both directions: see `fans`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from math import prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_lite.errors import kind
from autograd_lite.variable import Array
from nn.settings import number


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """How many inputs an output of a weight is summed over, and how many outputs an input reaches.

    (inputs, outputs) for the weight of `nn.FullyConnected`, which has this shape. For the kernels
    of a convolution, (outputs, inputs, *size): inputs·∏size and outputs·∏size; inputs are those of
    one group, and where there are groups, outputs are divided by their number before.

    Raises ValueError for less than two axes.

    >>> import nn
    >>> nn.initialisers.fans((784, 10)), nn.initialisers.fans((16, 3, 5, 5))
    ((784, 10), (75, 400))
    """
    shape = _sizes("fans", shape)
    if len(shape) < 2:
        raise ValueError(
            f"initialisers: the shape of a weight has two axes or more, received {shape}; start a "
            f"bias with zeros"
        )
    if len(shape) == 2:
        return shape[0], shape[1]
    size = prod(shape[2:])
    return shape[1] * size, shape[0] * size


def glorot_uniform(shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike = float) -> Any:
    """Uniform between ±√(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, equation 16).

    It keeps the size of signals in both directions, for activations of slope 1 at 0, such as tanh.
    This is what `nn.FullyConnected` starts with.

    >>> import numpy as np, nn
    >>> W = nn.initialisers.glorot_uniform((200, 100), np.random.default_rng(0))
    >>> bool(abs(W).max() <= np.sqrt(6 / 300)), bool(abs(W.var() * 150 - 1) < 0.05)
    (True, True)
    """
    return _uniform("glorot_uniform", shape, rng, dtype, sqrt(6 / sum(fans(shape))))


def glorot_normal(shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike = float) -> Any:
    """Normal, with the variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010, equation 12)."""
    return _normal("glorot_normal", shape, rng, dtype, sqrt(2 / sum(fans(shape))))


def he_uniform(
    shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike = float, slope: float = 0.0
) -> Any:
    """Uniform, with the variance of `he_normal`: between ±√(6 / ((1 + slope²)·fan_in))."""
    return _uniform("he_uniform", shape, rng, dtype, sqrt(6 / _rectified(slope) / fans(shape)[0]))


def he_normal(
    shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike = float, slope: float = 0.0
) -> Any:
    """Normal, with the variance 2 / ((1 + slope²)·fan_in) (He et al. 2015, equations 10 and 15).

    It keeps the size of signals through rectifiers: `slope` is that of `nn.leaky_relu` below 0.

    >>> import numpy as np, nn
    >>> W = nn.initialisers.he_normal((200, 100), np.random.default_rng(0))
    >>> bool(abs(W.var() * 100 - 1) < 0.05)
    True
    """
    return _normal("he_normal", shape, rng, dtype, sqrt(2 / _rectified(slope) / fans(shape)[0]))


def lecun_uniform(shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike = float) -> Any:
    """Uniform between ±√(3 / fan_in), which has the variance of `lecun_normal`."""
    return _uniform("lecun_uniform", shape, rng, dtype, sqrt(3 / fans(shape)[0]))


def lecun_normal(shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike = float) -> Any:
    """Normal, with the variance 1 / fan_in (LeCun et al. 1998, Efficient BackProp, equation 16)."""
    return _normal("lecun_normal", shape, rng, dtype, sqrt(1 / fans(shape)[0]))


def orthogonal(
    shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike = float, gain: float = 1.0
) -> Any:
    """`gain` times a random matrix with orthonormal columns, or rows if there are fewer of these.

    It keeps lengths and angles of signals, not only their mean size (Saxe et al. 2014). All such
    matrices are equally likely (Mezzadri 2007): Q of a QR decomposition of normal numbers, with the
    signs that make the diagonal of R positive. Kernels (outputs, inputs, *size) count as a matrix
    (outputs, inputs·∏size).

    >>> import numpy as np, nn
    >>> W = nn.initialisers.orthogonal((4, 2), np.random.default_rng(0))
    >>> np.allclose(W.T @ W, np.eye(2), atol=1e-14)
    True
    """
    fans(shape)
    shape = _sizes("orthogonal", shape)
    rows, columns = shape[0], prod(shape[1:])
    normal = known_generator("orthogonal", rng).standard_normal(
        (max(rows, columns), min(rows, columns))
    )
    Q, R = np.linalg.qr(normal)
    Q *= np.where(np.diagonal(R) < 0, -1.0, 1.0)
    matrix = Q if rows >= columns else Q.T
    return _converted("orthogonal", _finite("the gain", gain) * matrix.reshape(shape), dtype)


def constant(
    shape: Sequence[int] | int,
    rng: np.random.Generator | None = None,
    dtype: DTypeLike = float,
    value: float = 0.0,
) -> Any:
    """The same number everywhere. `rng` is there so that it is called as the others are.

    >>> import nn
    >>> nn.initialisers.constant(3, value=0.1)
    array([0.1, 0.1, 0.1])
    """
    return _converted(
        "constant", np.full(_sizes("constant", shape), _finite("the value", value)), dtype
    )


def zeros(
    shape: Sequence[int] | int, rng: np.random.Generator | None = None, dtype: DTypeLike = float
) -> Any:
    """0 everywhere, for biases: weights of a layer that all start with the same stay the same."""
    return _converted("zeros", np.zeros(_sizes("zeros", shape)), dtype)


def _uniform(
    asked: str, shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike, limit: float
) -> Array:
    numbers = known_generator(asked, rng).uniform(-limit, limit, _sizes(asked, shape))
    return _converted(asked, numbers, dtype)


def _normal(
    asked: str, shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike, deviation: float
) -> Array:
    numbers = deviation * known_generator(asked, rng).standard_normal(_sizes(asked, shape))
    return _converted(asked, numbers, dtype)


def _rectified(slope: float) -> float:
    """1 + slope²: twice the share of a signal's mean square that a leaky rectifier lets through."""
    return 1 + _finite("the slope", slope) ** 2


def _finite(name: str, value: float) -> float:
    return number("initialisers", name, value, "a finite number", np.isfinite)


def _sizes(asked: str, shape: Sequence[int] | int) -> tuple[int, ...]:
    given: Any = shape if np.ndim(shape) else (shape,)
    try:
        sizes = tuple([operator.index(n) for n in given])
    except TypeError:
        raise TypeError(
            f"{asked}: a shape is whole numbers, received {shape!r}; pass for instance (2, 3)"
        ) from None
    if min(sizes, default=1) < 1:
        raise ValueError(f"{asked}: sizes are at least 1, received {shape!r}")
    return sizes


def generator(asked: str, rng: Any) -> np.random.Generator:
    """The generator that was passed in, or a fresh one where that is None; TypeError otherwise."""
    return np.random.default_rng() if rng is None else known_generator(asked, rng)


def known_generator(asked: str, rng: Any) -> np.random.Generator:
    """The same where there must be one."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"{asked}: rng must be a numpy.random.Generator, received {kind(rng)}; pass for "
            f"instance np.random.default_rng(0)"
        )
    return rng


def drawn(
    asked: str, initialiser: Callable[..., Any], shape: tuple[int, ...], rng: np.random.Generator
) -> Array:
    """What a layer's initialiser gives, if that is an array of this shape; an error otherwise."""
    if not callable(initialiser):
        raise TypeError(
            f"{asked}: expected an initialiser, such as nn.initialisers.he_normal, received: "
            f"{kind(initialiser)}"
        )
    array = np.asarray(initialiser(shape, rng))
    if array.shape != shape:
        raise ValueError(
            f"{asked}: expected an initialiser that gives an array of shape {shape}, received: "
            f"{kind(array)}"
        )
    return array


def _converted(asked: str, array: Array, dtype: DTypeLike) -> Array:
    if np.dtype(dtype).kind != "f":
        raise TypeError(
            f"{asked}: parameters are floating point, received dtype {np.dtype(dtype)}; pass "
            f"float or np.float32"
        )
    return array.astype(dtype, copy=False)
