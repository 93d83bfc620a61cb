"""NetworkClassifier and NetworkRegressor: networks as scikit-learn estimators (`nn.sklearn`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from autograd_lite.errors import a_kind
from autograd_lite.variable import Array
from nn import initialisers
from nn.activation_layers import ReLU
from nn.activations import softmax
from nn.data import refuse_less_than_one
from nn.evaluation import inputs_for, predicted
from nn.layers import FullyConnected
from nn.losses import cross_entropy_from_logits, mean_squared_error
from nn.module import Module
from nn.names import named
from nn.network import OPTIMISERS, Network
from nn.optimisers import Optimiser
from nn.training import Trainer
from nn.training_checks import Loss

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "nn.sklearn: the estimators need scikit-learn 1.6 or later; pip install "
        "autograd_lite[sklearn]"
    ) from error

Build = Callable[[int, int, np.random.Generator], Module]


class _NetworkEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What the two share: parameters, the network they describe, and its training."""

    network_: Module
    loss_curve_: list[float]
    _each: str
    """What each output is for."""

    def __init__(
        self,
        build: Build | None = None,
        *,
        hidden: tuple[int, ...] = (32,),
        learning_rate: float = 0.01,
        epochs: int = 100,
        batch_size: int = 32,
        optimiser: str | Callable[..., Optimiser] = "adam",
        random_state: int | np.random.Generator | np.random.RandomState | None = None,
    ):
        self.build = build
        self.hidden = hidden
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimiser = optimiser
        self.random_state = random_state

    def _train(self, X: Array, y: Array, outputs: int, loss: Loss) -> None:
        """Build a new network and train it on checked data."""
        asked = type(self).__name__
        rng = self._generator()
        network: Any
        if self.build is None:
            network = _perceptron(asked, X.shape[1], self.hidden, outputs, rng)
        else:
            network = _built(asked, self.build, X.shape[1], outputs, rng)
            self._refuse_unfit(_outputs(asked, network, X[:2]), (len(X[:2]), outputs))
        make: Any = self.optimiser
        if isinstance(make, str):
            make, _ = named(asked, "optimiser", make, OPTIMISERS)
        elif not callable(make):
            raise TypeError(
                f"{asked}: optimiser is {a_kind(make)}; pass one of {', '.join(OPTIMISERS)}, or a "
                f"class such as nn.Adam, which is called with the parameters and learning_rate="
            )
        optimiser = make(network.parameters(), learning_rate=self.learning_rate)
        trainer = Trainer(network, loss, optimiser, rng=rng, _asked=asked)
        trainer.fit(X, y, epochs=self.epochs, batch_size=self.batch_size, progress=False)
        network.zero_grad()  # the gradients of the last batch need not be copied and pickled
        self.network_, self.loss_curve_ = network, trainer.history["loss"]

    def _refuse_unfit(self, output: Array, expected: tuple[int, int]) -> None:
        """Raise ValueError for outputs that are not those which the loss expects."""
        if output.shape != expected:
            raise ValueError(
                f"{type(self).__name__}: the network that build made has outputs of shape "
                f"{output.shape} for {expected[0]} rows, expected {expected}, one for each "
                f"{self._each}; give its last layer build's second argument, the number of outputs"
            )

    def _predicted(self, X: ArrayLike) -> Array:
        """The network's output for rows that must have the features of `fit`."""
        check_is_fitted(self, "network_")
        rows = validate_data(self, X, dtype=float, reset=False)
        return _outputs(type(self).__name__, self.network_, rows)

    def _generator(self) -> np.random.Generator:
        """The generator that `random_state` names: an int gives the same one at every fit."""
        if self.random_state is None or isinstance(self.random_state, np.random.Generator):
            return np.random.default_rng(self.random_state)
        try:
            legacy = check_random_state(self.random_state)
        except ValueError as error:
            raise ValueError(
                f"{type(self).__name__}: random_state is {self.random_state!r} ({error}); pass a "
                f"whole number from 0 to 2**32 - 1, a generator, or None for another draw each time"
            ) from error
        return np.random.default_rng(legacy.randint(2**32, size=4, dtype=np.uint32))


class NetworkClassifier(ClassifierMixin, _NetworkEstimator):  # type: ignore[misc]
    """A network that tells classes apart, for scikit-learn's pipelines and searches.

    `NetworkClassifier(build=None, *, hidden=(32,), learning_rate=0.01, epochs=100, batch_size=32,
    optimiser="adam", random_state=None)`. `fit` trains a new network on cross entropy from logits.

    `build(inputs, outputs, rng)` makes a Module from rows (rows, inputs) to logits (rows, outputs),
    one output per class and no softmax; by default fully connected layers of the sizes `hidden`,
    each with a ReLU. `optimiser`: a name of `nn.network.OPTIMISERS`, or what makes one when called
    with the parameters and `learning_rate=`. `random_state`, a seed or generator, draws the
    parameters and the order of rows: an int gives the same network at every fit.

    X: (rows, features), numbers; y: (rows,), labels of any kind. The data are not scaled: put
    scikit-learn's StandardScaler in front where features differ in size. To be pickled, as a search
    with several processes does, `build` must be a function that a module defines, no lambda.

    After `fit`: `classes_`; `network_`, the trained Module; `loss_curve_`, the loss of each epoch;
    `n_features_in_`, and `feature_names_in_` if X was a data frame.

    Raises ValueError for data that scikit-learn refuses (entries that are not finite, no rows,
    other features than in `fit`), targets that are no classes, settings out of range, and a network
    whose outputs do not fit; TypeError for sparse data, labels of several kinds, and a `build` that
    makes no Module; FloatingPointError when the loss is not finite.

    >>> from nn.sklearn import NetworkClassifier
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["equal", "other", "other", "equal"]
    >>> classifier = NetworkClassifier(random_state=0).fit(X, y)
    >>> classifier.predict([[1, 1], [1, 0]])
    array(['equal', 'other'], dtype='<U5')
    >>> classifier.predict_proba([[1, 1]]).round(1)
    array([[1., 0.]])
    """

    classes_: Array
    _each = "class"

    def fit(self, X: ArrayLike, y: Any) -> Self:
        """Train a new network on rows X (rows, features) and their labels y (rows,)."""
        rows, y = validate_data(self, X, y, dtype=float)
        try:
            check_classification_targets(y)
            classes, labels = np.unique(y, return_inverse=True)
        except TypeError as error:  # there is no order of words and numbers
            kinds = sorted({type(label).__name__ for label in y})
            raise TypeError(
                f"{type(self).__name__}: labels must be of one kind, received {', '.join(kinds)}; "
                f"write for instance [str(label) for label in y]"
            ) from error
        self._train(rows, labels, len(classes), cross_entropy_from_logits)
        self.classes_ = classes  # only now: a fit that failed leaves the last one's
        return self

    def predict_proba(self, X: ArrayLike) -> Array:
        """The probability of each class, in the order of `classes_`: (rows, classes)."""
        probabilities: Array = softmax(self._predicted(X))
        return probabilities

    def predict(self, X: ArrayLike) -> Array:
        """The most probable class of each row."""
        best = self._predicted(X).argmax(axis=1)
        chosen: Array = self.classes_[best]
        return chosen

    def _refuse_unfit(self, output: Array, expected: tuple[int, int]) -> None:
        super()._refuse_unfit(output, expected)
        # one logit alone may happen to be 1
        if output.shape[1] > 1 and np.all(output >= 0) and np.allclose(output.sum(axis=1), 1):
            raise ValueError(
                f"{type(self).__name__}: the network that build made gives probabilities, rows "
                f"that sum to 1, and logits are expected; leave out its softmax, the loss has one"
            )


class NetworkRegressor(RegressorMixin, _NetworkEstimator):  # type: ignore[misc]
    """A network that predicts numbers, for scikit-learn's pipelines and searches.

    `NetworkRegressor(build=None, *, hidden=(32,), learning_rate=0.01, epochs=100, batch_size=32,
    optimiser="adam", random_state=None)`. `fit` trains a new network on the mean squared error.

    The parameters and the attributes after `fit` are those of `NetworkClassifier`, but for
    `classes_`; `build(inputs, outputs, rng)` makes a Module from rows (rows, inputs) to (rows,
    outputs). y: (rows,) or (rows, outputs), and predictions have the shape of y. Targets are not
    scaled either: scikit-learn's TransformedTargetRegressor does it where they are large.

    Raises what `NetworkClassifier` does, and ValueError for targets that are no finite numbers.

    >>> import numpy as np
    >>> from nn.sklearn import NetworkRegressor
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> regressor = NetworkRegressor(random_state=0).fit(X, np.abs(X[:, 0]))
    >>> regressor.predict([[-0.8], [0.8]]).round(1)
    array([0.8, 0.8])
    """

    _each = "target"

    def fit(self, X: ArrayLike, y: Any) -> Self:
        """Train a new network on rows X (rows, features), targets y (rows,) or (rows, outputs)."""
        rows, y = validate_data(self, X, y, dtype=float, y_numeric=True, multi_output=True)
        targets = y.astype(float).reshape(len(y), -1)
        self._train(rows, targets, targets.shape[1], mean_squared_error)
        self._target_shape = y.shape[1:]
        return self

    def predict(self, X: ArrayLike) -> Array:
        """The predicted numbers, in the shape that y had: (rows,) or (rows, outputs)."""
        output = self._predicted(X)
        return output.reshape(len(output), *self._target_shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _outputs(asked: str, network: Module, X: Array) -> Array:
    return predicted(network, inputs_for(asked, network, X))


def _built(asked: str, build: Any, inputs: int, outputs: int, rng: np.random.Generator) -> Module:
    """What the user's `build` makes, which must be a Module."""
    if not callable(build):
        raise TypeError(
            f"{asked}: build is {a_kind(build)}; pass a function (inputs, outputs, rng) that makes "
            f"a Module, and sizes of hidden layers as hidden="
        )
    network = build(inputs, outputs, rng)
    if not isinstance(network, Module):
        raise TypeError(
            f"{asked}: build(inputs, outputs, rng) gave {a_kind(network)}, not a Module; return a "
            f"network such as nn.Network(nn.FullyConnected(inputs, outputs, rng))"
        )
    return network


def _perceptron(
    asked: str, inputs: int, hidden: Iterable[int], outputs: int, rng: np.random.Generator
) -> Network:
    """Fully connected layers with ReLUs between them."""
    if isinstance(hidden, str) or not isinstance(hidden, Iterable):
        raise TypeError(
            f"{asked}: hidden must be a tuple of sizes such as (32,), received {hidden!r}"
        )
    layers: list[Module] = []
    for size in hidden:
        refuse_less_than_one(f"{asked}: hidden", size=size)
        layers += [FullyConnected(inputs, size, rng, initialiser=initialisers.he_uniform), ReLU()]
        inputs = size
    return Network(*layers, FullyConnected(inputs, outputs, rng))
