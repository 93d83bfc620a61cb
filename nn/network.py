"""Network: layers in a row and a loss, trained in mini-batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

import autograd_lite as ag
from autograd_lite.errors import kind
from autograd_lite.variable import Array
from nn.module import Module, Operand
from nn.optimisers import SGD, Optimiser


class Evaluation(NamedTuple):
    """What `Network.evaluate` found: the loss, and the accuracy if the targets are classes."""

    loss: float
    accuracy: float | None


class Network(Module):
    """Layers in a row and a loss: `Network(*layers, loss=…)` (lectures 1 and 4).

    A layer is a Module; calling the network calls them in order. `loss(predictions, targets)` gives
    one number, the mean over the batch. Layers without a name get one ("fc1", "fc2", "softmax"),
    and their parameters get it in front ("fc1.W"), so that pictures and messages can be read.

    `batch_losses` holds the loss of every batch seen in training, before its step; `loss_history`
    their mean over each epoch, weighted by the rows of the batch.

    Raises ValueError for no layers, TypeError for a layer that is not a Module.

    >>> import numpy as np, nn
    >>> rng = np.random.default_rng(0)
    >>> network = nn.Network(
    ...     nn.FullyConnected(2, 8, rng),
    ...     nn.Tanh(),
    ...     nn.FullyConnected(8, 2, rng),
    ...     nn.Softmax(),
    ...     loss=nn.CrossEntropy(),
    ... )
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> y = np.array([0, 1, 1, 0])
    >>> network.fit(X, y, epochs=300, batch_size=2, learning_rate=0.5, rng=rng, progress=False)
    >>> network.predict(X).argmax(axis=1)
    array([0, 1, 1, 0])
    >>> network.evaluate(X, y).accuracy
    1.0
    """

    def __init__(self, *layers: Module, loss: Callable[[Any, Any], Any]):
        if not layers:
            raise ValueError("Network: there are no layers; pass at least one before loss=")
        for position, layer in enumerate(layers):
            if not isinstance(layer, Module):
                raise TypeError(
                    f"Network: layer {position} is a {kind(layer)}, not a Module; pass layers such "
                    f"as nn.Sigmoid()"
                )
        self.layers = layers
        self.loss = loss
        self.loss_history: list[float] = []
        self.batch_losses: list[float] = []
        _name([module for _, module in self.named_modules() if module is not loss])

    def forward(self, x: Operand) -> Any:
        """The output of the last layer."""
        for layer in self.layers:
            x = layer(x)
        return x

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        epochs: int,
        batch_size: int,
        learning_rate: float | None = None,
        optimiser: Optimiser | None = None,
        rng: np.random.Generator | None = None,
        progress: bool = True,
    ) -> None:
        """Train on the rows of X and y. Calling it again goes on from there.

        X: (rows, …); y: (rows, …), whatever the loss takes. Every epoch goes through all rows, in
        an order drawn from `rng`, `batch_size` rows to a step, the rest in the last one. The steps
        are those of `optimiser`, or of SGD with `learning_rate`: pass one of the two. `progress`
        shows a bar of epochs. Interrupting keeps what was learned so far.

        Raises ValueError for X and y that are empty, of different lengths or not finite, and for
        settings out of range; ImportError if a bar is wanted and tqdm is missing;
        FloatingPointError when the loss is not finite, naming epoch, batch and layer. The
        parameters are then back at the values with which it was finite last.
        """
        X, y = self._rows("fit", X, y)
        _refuse_less_than_one(epochs=epochs, batch_size=batch_size)
        parameters = self.parameters()
        if learning_rate is not None and optimiser is None:
            optimiser = SGD(parameters, learning_rate)
        elif optimiser is None or learning_rate is not None:
            raise ValueError("fit: pass either learning_rate, for SGD, or optimiser")
        theirs = getattr(optimiser, "parameters", parameters)
        if not {id(p) for p in parameters} & {id(p) for p in theirs}:
            raise ValueError(
                "fit: the optimiser has none of this network's parameters, and would change "
                "nothing; make it with network.parameters()"
            )
        rng = np.random.default_rng() if rng is None else rng
        before: list[Array] = []  # the parameters of the last finite loss
        # an overflow on the way shows in the loss, and is reported there, with its place
        with _progress(epochs, progress) as report, np.errstate(all="ignore"):
            for epoch in range(1, epochs + 1):
                order = rng.permutation(len(X))
                total = 0.0
                for batch, start in enumerate(range(0, len(X), batch_size), 1):
                    rows = order[start : start + batch_size]
                    loss = self.loss(self(X[rows]), y[rows])
                    value = _number(loss)
                    if not np.isfinite(value):
                        reason = self._why_not_finite(X[rows])
                        _assign(parameters, before)
                        raise FloatingPointError(
                            f"fit: the loss is {value} in epoch {epoch}, batch {batch}: {reason}"
                        )
                    before = [parameter.data for parameter in parameters]
                    optimiser.zero_grad()
                    loss.backward()
                    optimiser.step()
                    self.batch_losses.append(value)
                    total += value * len(rows)
                self.loss_history.append(total / len(X))
                report(self.loss_history[-1])
        broken = _not_finite(parameters)
        if broken:  # no loss came after the last step to show it
            _assign(parameters, before)
            raise FloatingPointError(f"fit: {broken} after the last step; {_ADVICE}")

    def evaluate(self, X: ArrayLike, y: ArrayLike) -> Evaluation:
        """The loss over all rows, and the accuracy if y holds classes: labels or one-hot rows.

        The accuracy is the share of rows whose largest output is the true class; None otherwise.
        Raises ValueError for X and y that are empty, of different lengths or not finite.
        """
        X, y = self._rows("evaluate", X, y)
        with ag.no_grad():
            output = self(X)
            loss = self.loss(output, y)
        return Evaluation(_number(loss), _accuracy(np.asarray(output), y))

    def predict(self, X: ArrayLike) -> Array:
        """The output for the rows of X, or for one sample, as a plain array.

        Raises ValueError for data that are not finite.
        """
        with ag.no_grad():
            return np.array(self(self._floating(_finite("predict", "X", X))))

    def _rows(self, asked: str, X: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """X and y as arrays that can be trained on, or an error that says why not."""
        X, y = _finite(asked, "X", X), _finite(asked, "y", y)
        if X.ndim < 2:
            raise ValueError(
                f"{asked}: X is a {kind(X)}, and rows of features are expected; write X[:, None] "
                f"for one feature, or X[None] for one sample"
            )
        if not y.ndim or len(X) != len(y):
            raise ValueError(
                f"{asked}: X has {len(X)} rows, y has {len(y) if y.ndim else 'none'}; pass one "
                f"target for every row"
            )
        if not len(X):
            raise ValueError(f"{asked}: X and y have no rows; pass at least one")
        return self._floating(X), self._floating(y)

    def _floating(self, data: Array) -> Array:
        """Floating point data in the parameters' dtype: float32 layers compute in float32."""
        dtype = next((parameter.dtype for parameter in self.parameters()), data.dtype)
        return data.astype(dtype, copy=False) if data.dtype.kind == "f" else data

    def _why_not_finite(self, x: Any) -> str:
        """The first layer at which the data x stop being finite, found by looking."""
        with ag.no_grad():
            for position, layer in enumerate(self.layers):
                x = layer(x)
                if not np.isfinite(np.asarray(x)).all():
                    broken = _not_finite(layer.parameters())
                    return (
                        f"the first output that is not finite is that of layer {position}, "
                        f"{layer.name}{f', as {broken}' if broken else ''}; {_ADVICE}"
                    )
        return (
            f"every layer's output is finite, but the loss is not: predictions far off, or a true "
            f"class of probability 0; {_ADVICE}, or compute cross entropy from logits"
        )

    def __repr__(self) -> str:
        layers = "".join(f"    {layer!r},  # {layer.name}\n" for layer in self.layers)
        loss = self.loss if isinstance(self.loss, Module) else getattr(self.loss, "__name__", "…")
        return f"Network(\n{layers}    loss={loss},\n)"


_ADVICE = "lower the learning rate, or scale the data"


def _name(modules: list[Module]) -> None:
    """Give modules without a name one, and put it in front of their parameters' symbols."""
    kinds = {module: module.short_name or type(module).__name__.lower() for module in modules}
    unnamed = Counter(kinds[module] for module in modules if module.name is None)
    taken = {module.name for module in modules}
    for module, short in kinds.items():
        if module.name is None:
            numbered = (f"{short}{number}" for number in count(1))
            candidates = chain([short], numbered) if unnamed[short] == 1 else numbered
            module.name = next(name for name in candidates if name not in taken)
            taken.add(module.name)
        for attribute, symbol in module.symbols.items():
            parameter = getattr(module, attribute)
            if parameter is not None and parameter.name == symbol:  # the user gave no other
                parameter.name = f"{module.name}.{symbol}"


@contextmanager
def _progress(epochs: int, wanted: bool) -> Iterator[Callable[[float], None]]:
    """A function to call with the loss after every epoch, which moves a bar if one is wanted."""
    if not wanted:
        yield lambda loss: None
        return
    try:
        from tqdm.auto import tqdm  # type: ignore[import-untyped]  # its stubs are a package
    except ImportError as error:
        raise ImportError(
            "fit: the progress bar needs tqdm; pip install autograd_lite[nn], or pass "
            "progress=False"
        ) from error
    with tqdm(total=epochs, unit="epoch") as bar:

        def report(loss: float) -> None:
            bar.set_postfix_str(f"loss {loss:.4g}", refresh=False)
            bar.update()

        yield report


def _number(loss: Any) -> float:
    """The value of a loss, which must be one number."""
    if getattr(loss, "shape", None) != ():
        raise ValueError(
            f"Network: the loss is a {kind(loss)}, and one number is needed; take its mean"
        )
    return float(loss.item())


def _finite(asked: str, name: str, data: ArrayLike) -> Array:
    """Data as an array of finite real numbers, or an error that says which entry is not."""
    array = np.asarray(data)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{asked}: {name} is a {kind(array)}; pass an array of real numbers")
    wrong = ~np.isfinite(array)
    if wrong.any():
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        place = ", ".join(f"{axis} {i}" for axis, i in zip(("row", "column"), first, strict=False))
        raise ValueError(
            f"{asked}: {name} has {np.count_nonzero(wrong)} of {array.size} entries that are not "
            f"finite, the first is {array[first]} at {place if len(first) < 3 else first}; "
            f"remove or replace them"
        )
    return array


def _refuse_less_than_one(**counts: int) -> None:
    for name, value in counts.items():
        if not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(
                f"fit: {name} must be a whole number of at least 1, received {value!r}"
            )


def _accuracy(output: Array, y: Array) -> float | None:
    """The share of rows whose largest output is the true class, if y holds classes."""
    if output.ndim < 2 or output.shape[-1] < 2:
        return None
    if y.shape == output.shape[:-1] and y.dtype.kind in "iu":
        labels = y
    elif y.shape == output.shape and np.all((y == 0) | (y == 1)) and np.all(y.sum(-1) == 1):
        labels = y.argmax(axis=-1)
    else:
        return None
    return float(np.mean(output.argmax(axis=-1) == labels))


def _assign(parameters: list[ag.Variable], values: list[Array]) -> None:
    """Put earlier values back; before the first step there are none, and nothing has changed."""
    for parameter, value in zip(parameters, values, strict=bool(values)):
        parameter.data = value


def _not_finite(parameters: list[ag.Variable]) -> str:
    """Which parameters are not finite, as a clause ("fc1.W is not finite"), or nothing."""
    broken = [v.label for v in parameters if not np.isfinite(v.data).all()]
    verb = "are" if len(broken) > 1 else "is"
    return f"{' and '.join(broken)} {verb} not finite" if broken else ""
