"""Pooling: a window's maximum or mean, for each channel, over any number of axes of space.

Arrays are (batch, channels, *space), with as many axes of space as x has. Padding is no data: it
wins no maximum, and does not count in a mean unless asked to. All raise ValueError for x without
space, samples or channels, and TypeError for what is not real numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nn.module import Module, Operand, floating, here
from nn.windows import (
    Setting,
    Sliding,
    batch_first,
    counts,
    known_settings,
    refuse_unlike,
    sliding,
    unusual,
    windows,
)


def max_pool(
    x: Operand,
    size: Setting,
    stride: Setting | None = None,
    padding: Setting | str = 0,
    dilation: Setting = 1,
) -> Any:
    """The largest entry of each window, z[n, c, p] = max_k x[n, c, s·p + d·k].

    x: (batch, channels, *space), z: the same with ⌊(space + 2·padding − d·(size − 1) − 1) / s⌋ + 1.
    size, stride s (by default the size: windows side by side), padding and dilation d: one number,
    or one for each axis of space; padding="same" makes ⌈space / s⌉ windows. Entries that are the
    maximum of a window share its gradient equally, as everywhere in the library.

    Source: LeCun et al. 1998; lecture 1 announces it. Raises ValueError for shapes that do not fit,
    settings out of range and windows of nothing but padding, TypeError for settings that are not
    whole numbers.

    >>> import numpy as np, nn
    >>> x = np.array([[[[1.0, 2.0, 5.0, 3.0], [4.0, 0.0, 1.0, 1.0]]]])
    >>> nn.max_pool(x, 2)
    array([[[[4., 5.]]]])
    """
    x = floating(x)
    how = _over_data("max_pool", x, size, stride, padding, dilation)
    return batch_first(np.max(windows(x, how, 0, -np.inf), axis=0))


def average_pool(
    x: Operand,
    size: Setting,
    stride: Setting | None = None,
    padding: Setting | str = 0,
    dilation: Setting = 1,
    count_padding: bool = False,
) -> Any:
    """The mean of each window, z[n, c, p] = 1/K·Σ_k x[n, c, s·p + d·k].

    Shapes, settings and errors as in `nn.max_pool`. K is how many entries of the window are data;
    with `count_padding=True`, zeros of the padding count as well, and K is the same everywhere.

    >>> import numpy as np, nn
    >>> x = np.array([[[1.0, 3.0, 5.0, 7.0]]])
    >>> nn.average_pool(x, 2)
    array([[[2., 6.]]])
    >>> nn.average_pool(x, 3, stride=3, padding=1)
    array([[[2., 6.]]])
    >>> nn.average_pool(x, 3, stride=3, padding=1, count_padding=True).round(2)
    array([[[1.33, 4.  ]]])
    """
    x = floating(x)
    how = _over_data("average_pool", x, size, stride, padding, dilation)
    read = windows(x, how, 0)
    if count_padding or not any(map(any, how.padding)):
        return batch_first(np.mean(read, axis=0))
    number: Any = math.prod(np.ix_(*counts(how, x.shape[2:])))
    return batch_first(np.sum(read, axis=0) / number[..., None, :, None].astype(x.dtype))


def global_max_pool(x: Operand) -> Any:
    """The largest entry of each channel: (batch, channels, *space) → (batch, channels).

    >>> import numpy as np, nn
    >>> nn.global_max_pool(np.array([[[1.0, 3.0], [5.0, 4.0]]]))
    array([[3., 5.]])
    """
    return _over_space("global_max_pool", np.max, x)


def global_average_pool(x: Operand) -> Any:
    """The mean of each channel: (batch, channels, *space) → (batch, channels) (Lin et al. 2013).

    >>> import numpy as np, nn
    >>> nn.global_average_pool(np.array([[[1.0, 3.0], [5.0, 4.0]]]))
    array([[2. , 4.5]])
    """
    return _over_space("global_average_pool", np.mean, x)


def _over_space(asked: str, reduction: Callable[..., Any], x: Operand) -> Any:
    x = floating(x)
    refuse_unlike(asked, x)
    return reduction(x, axis=tuple(range(2, x.ndim)))


def _over_data(
    asked: str, x: Any, size: Setting, stride: Any, padding: Any, dilation: Setting
) -> Sliding:
    """How windows slide over x, each of them over data."""
    refuse_unlike(asked, x)
    how = sliding(asked, x, size, size if stride is None else stride, padding, dilation)
    if any(map(any, how.padding)) and not all(c.all() for c in counts(how, x.shape[2:])):
        raise ValueError(
            f"{asked}: expected data in every window, received padding={padding!r} for windows of "
            f"size {size!r}: some hold nothing but padding{here()}; pad less"
        )
    return how


class _Pool(Module):
    """What the pooling layers share: their settings."""

    def __init__(
        self,
        size: Setting,
        stride: Setting | None = None,
        padding: Setting | str = 0,
        dilation: Setting = 1,
        name: str | None = None,
    ):
        self.size, self.padding, self.dilation = size, padding, dilation
        self.stride = size if stride is None else stride
        self.name = name
        known_settings(self._label, self.size, self.stride, padding, dilation)

    def __repr__(self) -> str:
        said = unusual(
            stride=(self.stride, self.size),
            padding=(self.padding, 0),
            dilation=(self.dilation, 1),
        )
        return f"{type(self).__name__}({self.size!r}{said})"


class MaxPool(_Pool):
    """The layer of `nn.max_pool`, for any number of axes of space.

    `MaxPool(size, stride=None, padding=0, dilation=1, name=None)`. Settings are checked when it is
    made, as far as they do not depend on x.

    >>> import numpy as np, nn
    >>> nn.MaxPool(2)(np.ones((10, 8, 24, 24))).shape
    (10, 8, 12, 12)
    """

    formula = "z = max over the window"
    short_name = "pool"

    def forward(self, x: Operand) -> Any:
        """max_pool(x)."""
        return max_pool(x, self.size, self.stride, self.padding, self.dilation)


class AveragePool(_Pool):
    """The layer of `nn.average_pool`, for any number of axes of space.

    `AveragePool(size, stride=None, padding=0, dilation=1, name=None, count_padding=False)`,
    the last by its keyword. Settings are checked when it is made, as far as they do not depend on
    x.

    >>> import numpy as np, nn
    >>> nn.AveragePool(2)(np.ones((10, 8, 24, 24))).shape
    (10, 8, 12, 12)
    """

    formula = "z = mean of the window"
    short_name = "pool"

    def __init__(self, size: Setting, *settings: Any, count_padding: bool = False, **more: Any):
        super().__init__(size, *settings, **more)
        self.count_padding = count_padding

    def forward(self, x: Operand) -> Any:
        """average_pool(x)."""
        return average_pool(
            x, self.size, self.stride, self.padding, self.dilation, self.count_padding
        )


class GlobalMaxPool(Module):
    """The layer of `nn.global_max_pool`: (batch, channels, *space) → (batch, channels).

    >>> import numpy as np, nn
    >>> nn.GlobalMaxPool()(np.ones((10, 8, 24, 24))).shape
    (10, 8)
    """

    formula = "z = max over space"
    short_name = "pool"

    def forward(self, x: Operand) -> Any:
        """global_max_pool(x)."""
        return global_max_pool(x)


class GlobalAveragePool(Module):
    """The layer of `nn.global_average_pool`: (batch, channels, *space) → (batch, channels).

    >>> import numpy as np, nn
    >>> nn.GlobalAveragePool()(np.ones((10, 8, 24, 24))).shape
    (10, 8)
    """

    formula = "z = mean over space"
    short_name = "pool"

    def forward(self, x: Operand) -> Any:
        """global_average_pool(x)."""
        return global_average_pool(x)
