"""Network: layers in a row and a loss, and two lectures' ways to train it."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, count
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from autograd_lite.errors import a_kind, kind
from autograd_lite.variable import Array
from nn import losses
from nn.callbacks import Callback
from nn.containers import Sequential
from nn.data import finite, is_one_hot
from nn.evaluation import inputs_for, measured, number, predicted, prepared
from nn.files import PathLike
from nn.loss_layers import Loss as LossLayer
from nn.metrics import Metrics, accuracy, by_name
from nn.module import Module, Operand, operand
from nn.names import named
from nn.optimisers import SGD, Adagrad, Adam, AdamW, Optimiser, RMSProp
from nn.training import Record, Trainer
from nn.training_checks import Loss, Validation, refuse_no_loss, refuse_no_optimiser

LOSSES: dict[str, Loss] = {
    function.__name__: function
    for function in (
        losses.binary_cross_entropy,
        losses.binary_cross_entropy_from_logits,
        losses.cross_entropy,
        losses.cross_entropy_from_logits,
        losses.half_squared_error,
        losses.hinge,
        losses.huber,
        losses.kl_divergence,
        losses.mean_absolute_error,
        losses.mean_squared_error,
        losses.negative_log_likelihood,
    )
}
"""The losses that have a name in `compile(loss="cross_entropy")`."""

OPTIMISERS: dict[str, tuple[Callable[..., Optimiser], float]] = {
    "sgd": (SGD, 0.01),
    "adagrad": (Adagrad, 0.01),
    "rmsprop": (RMSProp, 0.001),
    "adam": (Adam, 0.001),
    "adamw": (AdamW, 0.001),
}
"""The optimisers that have a name in `compile(optimiser="adam")`, and their learning rates."""


class InputLayer(Module):
    """What a network expects: samples of this shape (lecture 1). It changes nothing.

    `InputLayer(*shape)`. X: (rows, *shape), or one sample, (*shape); Y: X. Raises ValueError for
    samples of another shape.

    >>> import numpy as np, nn
    >>> nn.InputLayer(8, 8)(np.zeros((5, 8, 8))).shape
    (5, 8, 8)
    """

    formula = "Y = X"

    def __init__(self, *shape: int, name: str | None = None):
        self.shape, self.name = shape, name

    def forward(self, x: Operand) -> Any:
        """x, if its samples have the shape."""
        x = operand(x)
        if self.shape not in (x.shape[1:], x.shape):
            expected = f"({', '.join(map(str, ('rows', *self.shape)))})"
            raise ValueError(
                f"{self.name or 'InputLayer'}: expected an array {expected}, received: {kind(x)}"
            )
        return x

    def __repr__(self) -> str:
        return f"InputLayer({', '.join(map(str, self.shape))})"


class Evaluation(NamedTuple):
    """What `Network.evaluate` found: the loss, and the accuracy if the targets are classes.

    `metrics`: name → number, of those that `compile` was given.
    """

    loss: float
    accuracy: float | None
    metrics: Mapping[str, float]


class Network(Sequential):
    """Layers in a row and a loss: `Network(*layers, loss=…)` (lectures 1, 4 and 5).

    A layer is a Module; calling the network calls them in order. `loss(predictions, targets)` gives
    one number, the mean over the batch. Lecture 1's order, `Network(InputLayer(…), loss, *layers)`,
    is the same; lecture 5's `compile` may bring the loss later. Layers without a name get one
    ("fc1", "fc2", "softmax"), and their parameters get it in front ("fc1.W"), so that pictures and
    messages can be read.

    `history` holds, name by name, a number for every epoch of training: "loss", metrics, and what
    validation gave; `loss_history` is that of the loss, the mean over each epoch, weighted by the
    rows of the batches; `batch_losses` has the loss of every batch before its step.

    Raises ValueError for no layers, TypeError for a layer that is not a Module, a loss among the
    layers, and a loss that cannot be called.

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

    def __init__(self, *layers: Module, loss: Loss | None = None):
        if loss is None and len(layers) > 2 and isinstance(layers[0], InputLayer):
            first, second, *rest = layers
            if isinstance(second, LossLayer) or not isinstance(second, Module):
                loss, layers = second, (first, *rest)
        if not layers:
            raise ValueError("Network: there are no layers; pass at least one before loss=")
        for position, layer in enumerate(layers):
            if not isinstance(layer, Module):
                advice = "pass layers such as nn.Sigmoid()"
                if isinstance(layer, type):
                    advice = f"make one: {layer.__name__}(…)"
                raise TypeError(
                    f"Network: layer {position} is {a_kind(layer)}, not a Module; {advice}"
                )
            if isinstance(layer, LossLayer):
                raise TypeError(
                    f"Network: layer {position} is the loss {layer!r}; pass it as loss=, or as the "
                    f"second after an InputLayer"
                )
        if loss is not None:
            refuse_no_loss("Network", loss)
        super().__init__(*layers)
        self.loss = loss
        self.optimiser: Optimiser | None = None
        self.metrics: Metrics = []
        self._record = Record()
        _name([module for _, module in self.named_modules() if module is not loss])

    @property
    def history(self) -> dict[str, list[float]]:
        """Name → a number for every epoch of training, NaN where it was not measured."""
        return self._record.history

    @property
    def batch_losses(self) -> list[float]:
        """The loss of every batch, before its step."""
        return self._record.batch_losses

    @property
    def loss_history(self) -> list[float]:
        """The loss of each epoch."""
        return self.history.get("loss", [])

    # --- training: lecture 5 ---------------------------------------------------------------------

    def compile(
        self,
        optimiser: str | Optimiser = "sgd",
        loss: str | Loss | None = None,
        metrics: Metrics = (),
    ) -> Self:
        """Say once what `fit` and `evaluate` use; gives the network back.

        `optimiser`: an optimiser of the network's parameters, or a name of `OPTIMISERS`, with the
        learning rate there. `loss`: a function or module, or a name of `LOSSES`; by default the
        network's own. `metrics`: names of `nn.metrics.METRICS`, functions, or pairs (name,
        function). Raises ValueError for unknown names, and suggests the nearest; TypeError for what
        is neither.

        >>> import numpy as np, nn
        >>> network = nn.Network(nn.FullyConnected(2, 2), nn.Softmax())
        >>> network.compile("adam", "cross_entropi")
        Traceback (most recent call last):
        ValueError: compile: there is no loss 'cross_entropi'; did you mean 'cross_entropy'?
        """
        metrics = list(by_name("compile", metrics).items())
        if isinstance(loss, str):
            loss = named("compile", "loss", loss, LOSSES)
        if isinstance(optimiser, str):
            make, rate = named("compile", "optimiser", optimiser, OPTIMISERS)
            optimiser = make(self.parameters(), learning_rate=rate)
        if loss is None and self.loss is None:
            raise ValueError(f"compile: the network has no loss; pass one of {', '.join(LOSSES)}")
        if loss is not None:
            refuse_no_loss("compile", loss)
        refuse_no_optimiser("compile", optimiser)
        self.loss = self.loss if loss is None else loss
        self.optimiser, self.metrics = optimiser, metrics
        return self

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        epochs: int,
        batch_size: int = 32,
        learning_rate: float | None = None,
        optimiser: Optimiser | None = None,
        validation: Validation = None,
        schedule: Any = None,
        callbacks: Callback | Iterable[Callback] = (),
        rng: np.random.Generator | None = None,
        resume: PathLike | None = None,
        progress: bool = True,
    ) -> None:
        """Train on the rows of X and y. Calling it again goes on from there.

        The steps are those of `optimiser`, or of what `compile` was given, or, without either, of
        SGD with `learning_rate`. For everything else, and for what is raised, see `nn.Trainer.fit`,
        which does it. With `resume`, a file of `nn.Checkpoint`, a call that was cut off goes on bit
        for bit, in another process, too, and ends where it would have ended.
        """
        if learning_rate is not None and optimiser is None and self.optimiser is not None:
            raise ValueError(
                "fit: compile was given the optimiser, and learning_rate would make another; set "
                "network.optimiser.learning_rate, or pass optimiser="
            )
        chosen = self.optimiser if optimiser is None else optimiser
        if (learning_rate is None) == (chosen is None):
            raise ValueError(
                "fit: pass either learning_rate, for SGD, or optimiser, or call compile before"
            )
        if learning_rate is not None:
            chosen = SGD(self.parameters(), learning_rate)
        assert chosen is not None
        trainer = Trainer(
            self,
            self._known_loss("fit"),
            chosen,
            metrics=self.metrics,
            schedule=schedule,
            callbacks=callbacks,
            rng=rng,
        )
        trainer.record = self._record  # an interruption keeps it, too
        trainer.fit(
            X,
            y,
            epochs=epochs,
            batch_size=batch_size,
            validation=validation,
            resume=resume,
            progress=progress,
        )

    def _known_loss(self, asked: str) -> Loss:
        if self.loss is None:
            raise ValueError(f"{asked}: the network has no loss; pass loss= to Network or compile")
        return self.loss

    def evaluate(self, X: ArrayLike, y: ArrayLike) -> Evaluation:
        """The loss over all rows, and the accuracy if y holds classes: labels or one-hot rows.

        The accuracy is the share of rows whose largest output is the true class; None otherwise.
        Layers are out of training mode meanwhile, and get 1024 rows at a time. Raises ValueError
        for X and y that are empty, of different lengths or not finite.
        """
        loss = self._known_loss("evaluate")
        X, y = prepared("evaluate", self, X, y)
        output = predicted(self, X)
        metrics = by_name("evaluate", self.metrics)
        return Evaluation(
            number("evaluate", loss(output, y)),
            accuracy(output, y) if _classes(output, y) else None,
            measured("evaluate", metrics, output, y),
        )

    def predict(self, X: ArrayLike) -> Array:
        """The output for the rows of X, or for one sample, as a plain array.

        X is converted as by `fit`. Layers are out of training mode meanwhile, and get 1024 rows at
        a time. Raises ValueError for data that are not finite.
        """
        return predicted(self, inputs_for("predict", self, finite("predict", "X", X)))

    def __repr__(self) -> str:
        layers = [f"{layer!r},  # {layer.name}" for layer in self.layers]
        loss = self.loss if isinstance(self.loss, Module) else getattr(self.loss, "__name__", "…")
        inside = textwrap.indent("\n".join([*layers, f"loss={loss},"]), "    ")
        return f"Network(\n{inside}\n)"


class SGDTrainer:
    """Lecture 1's trainer: it optimises a network on data, by an update rule that is exchangeable.

    `SGDTrainer(learning_rate, epochs, batch_size, update_rule=SGD, callbacks=(), rng=None,
    progress=True)`.
    `update_rule(parameters, learning_rate=…)` makes an optimiser: `nn.SGD`, `nn.Adagrad`,
    `nn.Adam`, or one of your own. It runs `nn.Trainer`, as `Network.fit` does.

    >>> import numpy as np, nn
    >>> rng = np.random.default_rng(0)
    >>> network = nn.Network(
    ...     nn.InputLayer(2), nn.CrossEntropy(), nn.FullyConnected(2, 2, rng), nn.Softmax()
    ... )
    >>> X, y = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0, 1])
    >>> trainer = nn.SGDTrainer(0.5, epochs=20, batch_size=2, update_rule=nn.Adam, progress=False)
    >>> trainer.optimize((X, y), network)
    >>> network.predict(X).argmax(axis=1)
    array([0, 1])
    """

    def __init__(
        self,
        learning_rate: float,
        *,
        epochs: int,
        batch_size: int = 32,
        update_rule: Callable[..., Optimiser] = SGD,
        callbacks: Callback | Iterable[Callback] = (),
        rng: np.random.Generator | None = None,
        progress: bool = True,
    ):
        if not callable(update_rule):
            raise TypeError(
                f"SGDTrainer: the update rule is {a_kind(update_rule)}; pass a class such as "
                f"nn.SGD, which is called with the parameters and learning_rate="
            )
        self.learning_rate, self.update_rule = learning_rate, update_rule
        self.epochs, self.batch_size = epochs, batch_size
        self.callbacks, self.rng, self.progress = callbacks, rng, progress

    def optimize(
        self, data: tuple[ArrayLike, ArrayLike], network: Network, resume: PathLike | None = None
    ) -> None:
        """Train the network on data, the pair (X, y).

        See `nn.Trainer.fit` for what is raised, and for `resume`.
        """
        if not isinstance(data, tuple | list) or len(data) != 2:
            raise TypeError("optimize: data is the pair (X, y), received: " + kind(data))
        if not isinstance(network, Network):
            raise TypeError("optimize: expected a Network to train, received: " + kind(network))
        optimiser = self.update_rule(network.parameters(), learning_rate=self.learning_rate)
        loss = network._known_loss("optimize")
        trainer = Trainer(
            network, loss, optimiser, callbacks=self.callbacks, rng=self.rng, _asked="optimize"
        )
        trainer.record = network._record
        X, y = data
        trainer.fit(
            X,
            y,
            epochs=self.epochs,
            batch_size=self.batch_size,
            resume=resume,
            progress=self.progress,
        )


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
            if getattr(parameter, "name", None) == symbol:  # the user gave no other
                parameter.name = f"{module.name}.{symbol}"


def _classes(output: Array, y: Array) -> bool:
    """Whether y holds a class for every row of scores: labels, or one-hot rows."""
    if output.ndim < 2 or output.shape[-1] < 2 or not output.size:
        return False
    if y.dtype.kind in "iu" and y.shape == output.shape[:-1]:
        return bool(y.min() >= 0 and y.max() < output.shape[-1])  # others are left out by the loss
    return y.shape == output.shape and is_one_hot(y)
