"""Modules of modules: in a row, side by side, around a shortcut; and any function as a module."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_lite.errors import kind
from nn.activation_layers import ReLU
from nn.convolution_layers import Convolution2D
from nn.initialisers import generator
from nn.module import Module, Operand, nested_repr
from nn.windows import Setting


class Function(Module):
    """Any function of arrays as a module: `Function(function, name=None, formula=None)`.

    It is called with what the module is called with, and should use NumPy's functions, so that the
    tape records them. `name`, by default the function's, and `formula` are for pictures. A module
    with parameters of its own is better written as a class, see `nn.Module`.

    Raises TypeError for what cannot be called.

    >>> import numpy as np, nn
    >>> square = nn.Function(np.square, formula="Y = X²")
    >>> nn.Sequential(square, nn.ReLU())(np.array([-3.0, 1.0]))
    array([9., 1.])
    """

    def __init__(
        self, function: Callable[..., Any], name: str | None = None, formula: str | None = None
    ):
        if not callable(function):
            raise TypeError(f"Function: expected a function, received: {kind(function)}")
        known = getattr(function, "__name__", None)
        self.function = function
        self.name = name or (known if known != "<lambda>" else None)
        self.formula = formula

    def forward(self, *inputs: Any, **settings: Any) -> Any:
        """function(*inputs)."""
        return self.function(*inputs, **settings)

    def __repr__(self) -> str:
        known = getattr(self.function, "__name__", type(self.function).__name__)
        return f"Function({self.name or known})"


class Sequential(Module):
    """Modules in a row, each called with the result of the one before: `Sequential(*layers)`.

    The first may take several inputs. `layers` holds them; `name=` is what pictures call the whole.
    Raises ValueError for no modules, TypeError for what is not a Module.

    >>> import numpy as np, nn
    >>> rng = np.random.default_rng(0)
    >>> nn.Sequential(nn.FullyConnected(2, 3, rng), nn.Tanh(), nn.FullyConnected(3, 1, rng))
    Sequential(
        FullyConnected(2, 3),
        Tanh(),
        FullyConnected(3, 1),
    )
    """

    formula: str | None = "Y = fₙ(… f₂(f₁(X)))"

    def __init__(self, *layers: Module, name: str | None = None):
        self.name = name
        self.layers = _known_modules(self, layers)

    def forward(self, *inputs: Any) -> Any:
        """The result of the last module."""
        first, *others = self.layers
        x = first(*inputs)
        for layer in others:
            x = layer(x)
        return x

    def __repr__(self) -> str:
        return nested_repr(self, map(repr, self.layers))


class Residual(Sequential):
    """Modules in a row around which the input is carried: Y = F(X) + X, or F(X) + S(X).

    `Residual(*layers, shortcut=None, name=None)`. X: what the first layer takes; Y: the shape of
    F(X), which must be that of X, or of S(X) for a module S as `shortcut`: a 1×1 convolution, for
    instance, where the number of channels changes. An activation of the sum comes behind it.

    Source: He and others 2016, equations 1 and 2 (lecture 2). Raises ValueError for shapes that
    differ, and as `Sequential` does.

    >>> import numpy as np, nn
    >>> nn.Residual(nn.ReLU())(np.array([-1.0, 2.0]))
    array([-1.,  4.])
    """

    formula = "Y = F(X) + S(X)"

    def __init__(self, *layers: Module, shortcut: Module | None = None, name: str | None = None):
        super().__init__(*layers, name=name)
        self.shortcut = shortcut
        if shortcut is None:
            self.formula = "Y = F(X) + X"
        else:
            _known_modules(self, [shortcut], "as shortcut")

    def forward(self, x: Operand) -> Any:
        """F(x) + x, or F(x) + shortcut(x)."""
        y = super().forward(x)
        carried = x if self.shortcut is None else self.shortcut(x)
        if np.shape(y) != np.shape(carried):
            raise ValueError(
                f"{self._label}: the layers give shape {np.shape(y)}, and "
                f"{'the input' if self.shortcut is None else 'the shortcut'} has "
                f"{np.shape(carried)}; pass as shortcut= a module that gives the shape of the first"
            )
        return y + carried

    def __repr__(self) -> str:
        shortcut = [] if self.shortcut is None else [f"shortcut={self.shortcut!r}"]
        return nested_repr(self, [*map(repr, self.layers), *shortcut])


class Parallel(Module):
    """Branches side by side, all called with the same inputs, and their results merged into one.

    `Parallel(*branches, merge="sum", axis=1, name=None)`. `merge` is "sum", for results of one
    shape, "concatenate", along `axis`, which is that of channels in images and of features in rows,
    or a function or module that is called with the results, one after the other. A branch that
    changes nothing is `nn.Linear()`.

    With `Sequential` inside of branches, and a Parallel inside of a row, this gives graphs that
    branch and join (lecture 2's interweaved connections); for any other acyclic graph write a
    Module whose `forward` calls its modules in order. Raises ValueError for no branches, another
    word as `merge`, and results that do not fit each other, TypeError for what is not a Module.

    >>> import numpy as np, nn
    >>> nn.Parallel(nn.ReLU(), nn.Linear(), merge="concatenate")(np.array([[-1.0, 2.0]]))
    array([[ 0.,  2., -1.,  2.]])
    """

    def __init__(
        self,
        *branches: Module,
        merge: str | Callable[..., Any] = "sum",
        axis: int = 1,
        name: str | None = None,
    ):
        self.name = name
        self.branches = _known_modules(self, branches)
        if not callable(merge) and merge not in list(_MERGED):  # a list cannot be hashed
            raise ValueError(
                f"{self._label}: merge must be 'sum', 'concatenate' or a function, "
                f"received: {merge!r}"
            )
        self.merge, self.axis = merge, operator.index(axis)
        if isinstance(merge, str):
            self.formula = _MERGED[merge]

    def forward(self, *inputs: Any) -> Any:
        """The merged results of all branches."""
        results = [branch(*inputs) for branch in self.branches]
        if callable(self.merge):
            return self.merge(*results)
        shapes = [np.shape(result) for result in results]
        joined = self.axis if self.merge == "concatenate" else None
        if not _fit(shapes, joined):
            wanted = "one shape" if joined is None else f"equal lengths but on axis {joined}"
            raise ValueError(
                f"{self._label}: to {self.merge} the branches, expected {wanted}, "
                f"received shapes {' and '.join(map(str, shapes))}; change the branches, or pass "
                f"a function as merge="
            )
        if joined is None:
            return functools.reduce(operator.add, results)
        return np.concatenate(results, axis=joined)

    def __repr__(self) -> str:
        axis = self.merge == "concatenate" and self.axis != 1
        settings = [f"merge={self.merge!r}", *([f"axis={self.axis}"] if axis else [])]
        return nested_repr(self, [*map(repr, self.branches), *settings])


_MERGED = {"sum": "Y = Σᵢ fᵢ(X)", "concatenate": "Y = [f₁(X), f₂(X), …]"}


class NetworkInNetwork(Sequential):
    """A small network slid over an image: a convolution, then 1×1 convolutions, each with ReLU.

    `NetworkInNetwork(channels, outputs, size, rng=None, stride=1, padding=0, dtype=float,
    name=None)`. `outputs` names the channels behind each of the convolutions, the first of which
    has the kernel `size`: (192, 160, 96), for instance. X: (batch, channels, height, width), Y:
    (batch, outputs[-1], *space) with the space that `nn.convolution` gives. A 1×1 convolution is
    one fully connected layer applied at every place: so all windows pass through the same
    perceptron of several layers.

    Source: Lin, Chen and Yan 2013, "Network in network", section 3.1 (lecture 2). Raises ValueError
    for no outputs, and as `nn.Convolution2D` does.

    >>> import numpy as np, nn
    >>> nn.NetworkInNetwork(3, (8, 4), size=5, padding="same")
    NetworkInNetwork(
        Convolution2D(3, 8, 5, padding='same'),
        ReLU(),
        Convolution2D(8, 4, 1),
        ReLU(),
    )
    """

    formula = "Y = max(W₂·max(W₁ ∗ X + b₁, 0) + b₂, 0), …"

    def __init__(
        self,
        channels: int,
        outputs: Sequence[int],
        size: Setting,
        rng: np.random.Generator | None = None,
        stride: Setting = 1,
        padding: Setting | str = 0,
        dtype: DTypeLike = float,
        name: str | None = None,
    ):
        self.name = name
        if not np.ndim(outputs) or not len(outputs):
            raise ValueError(
                f"{self._label}: expected as outputs the channels behind each of "
                f"the convolutions, such as (192, 160, 96), received: {outputs!r}"
            )
        rng = generator(self._label, rng)
        first, *widths = outputs
        layers: list[Module] = [
            Convolution2D(channels, first, size, rng, stride, padding, dtype=dtype),
            ReLU(),
        ]
        for before, after in zip(outputs, widths, strict=False):
            layers += [Convolution2D(before, after, 1, rng, dtype=dtype), ReLU()]
        super().__init__(*layers, name=name)


def _known_modules(
    container: Module, modules: Sequence[Module], place: str = "at position {}"
) -> tuple[Module, ...]:
    """The modules as a tuple, or an error that says what is wrong with them."""
    if not modules:
        raise ValueError(f"{container._label}: there are no modules; pass at least one")
    for position, module in enumerate(modules):
        if not isinstance(module, Module):
            advice = "wrap a function in nn.Function"
            if isinstance(module, list | tuple):
                advice = f"write {type(container).__name__}(*modules)"
            elif isinstance(module, type) and issubclass(module, Module):
                advice = f"make one: {module.__name__}(…)"
            raise TypeError(
                f"{container._label}: expected modules, received {place.format(position)}: "
                f"{kind(module)}; {advice}"
            )
    return tuple(modules)


def _fit(shapes: list[tuple[int, ...]], joined: int | None) -> bool:
    """Whether all shapes are equal, except in the length of one axis, which all of them have."""
    if joined is None:
        return len(set(shapes)) == 1
    if not all(-len(shape) <= joined < len(shape) for shape in shapes):
        return False
    rests = {(len(s), *(n for i, n in enumerate(s) if i != joined % len(s))) for s in shapes}
    return len(rests) == 1
