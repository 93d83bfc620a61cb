"""NetworkClassifier and NetworkRegressor: scikit-learn's own checks, its tools, and refusals."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import nn
from nn.sklearn import NetworkClassifier, NetworkRegressor

IRIS = nn.load_dataset("iris")
RNG = np.random.default_rng(0)
X = RNG.standard_normal((20, 3))
LABELS = np.array(["no", "yes"])[(X[:, 0] > 0).astype(int)]
NUMBERS = X[:, 0] - 2 * X[:, 1]
BOTH = [(NetworkClassifier, LABELS), (NetworkRegressor, NUMBERS)]


def single(inputs, outputs, rng):
    """A network without hidden layers: a function of a module, which can be pickled."""
    return nn.FullyConnected(inputs, outputs, rng)


def single_precision(inputs, outputs, rng):
    return nn.FullyConnected(inputs, outputs, rng, dtype=np.float32)


# --- scikit-learn's own checks --------------------------------------------------------------------


@parametrize_with_checks([NetworkClassifier(), NetworkRegressor()])
def test_scikit_learn_finds_nothing_wrong(estimator, check):
    check(estimator)


# --- its tools ------------------------------------------------------------------------------------


def test_cross_validation_in_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), NetworkClassifier(epochs=30, random_state=0))
    scores = cross_val_score(pipeline, IRIS.X, IRIS.y, cv=5)
    assert scores.shape == (5,)
    assert scores.mean() >= 0.93


def test_pipeline_gives_names_and_probabilities():
    names = np.array(IRIS.classes)[IRIS.y]
    pipeline = make_pipeline(StandardScaler(), NetworkClassifier(epochs=30, random_state=0))
    pipeline.fit(IRIS.X, names)
    assert pipeline.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    probabilities = pipeline.predict_proba(IRIS.X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-14)  # one division a row
    predicted = pipeline.classes_[probabilities.argmax(axis=1)]
    np.testing.assert_array_equal(pipeline.predict(IRIS.X), predicted)
    assert pipeline.score(IRIS.X, names) == np.mean(predicted == names) >= 0.95


def test_search_over_learning_rates_and_sizes():
    grid = {"learning_rate": [1e-5, 0.03], "hidden": [(), (8,), (8, 4)]}
    search = GridSearchCV(NetworkClassifier(epochs=20, random_state=0), grid, cv=3)
    search.fit(StandardScaler().fit_transform(IRIS.X), IRIS.y)
    assert len(search.cv_results_["params"]) == 6
    assert search.best_params_["learning_rate"] == 0.03  # the other one learns nothing
    assert search.best_score_ >= 0.9
    layers = len(search.best_estimator_.network_.layers)
    assert layers == 2 * len(search.best_params_["hidden"]) + 1


def test_regressor_with_scaled_targets():
    diabetes = nn.load_dataset("diabetes")
    network = NetworkRegressor(hidden=(), epochs=20, random_state=0)
    regressor = TransformedTargetRegressor(network, transformer=StandardScaler())
    scores = cross_val_score(make_pipeline(StandardScaler(), regressor), diabetes.X, diabetes.y)
    # scikit-learn's LinearRegression, of which this is an estimate, has 0.48 on these folds
    assert scores.mean() == pytest.approx(0.48, abs=0.03)


# --- what is learned ------------------------------------------------------------------------------


def test_regressor_without_hidden_layers_is_least_squares():
    regressor = NetworkRegressor(single, epochs=600, learning_rate=0.05, batch_size=20)
    regressor.fit(X, NUMBERS + 3)
    np.testing.assert_allclose(regressor.network_.weight.data.ravel(), [1, -2, 0], atol=1e-6)
    np.testing.assert_allclose(regressor.network_.bias.data, [3], atol=1e-6)
    np.testing.assert_allclose(regressor.predict(X), NUMBERS + 3, atol=1e-5)
    assert len(regressor.loss_curve_) == 600
    assert regressor.loss_curve_[-1] < 1e-10 < regressor.loss_curve_[0]


@pytest.mark.parametrize("shape", [(20,), (20, 1), (20, 2)])
def test_predictions_have_the_shape_of_the_targets(shape):
    y = np.arange(np.prod(shape)).reshape(shape)
    assert NetworkRegressor(epochs=1).fit(X, y).predict(X[:7]).shape == (7, *shape[1:])


@pytest.mark.parametrize("labels", [["b", "a"], [7, -3], [True, False], [2.0, 1.0]], ids=repr)
def test_labels_of_any_kind_come_back(labels):
    y = np.array(labels)[(X[:, 0] > 0).astype(int)]
    classifier = NetworkClassifier(single, learning_rate=0.1, random_state=0).fit(X, y)
    np.testing.assert_array_equal(classifier.classes_, sorted(labels))
    predicted = classifier.predict(X)
    assert predicted.dtype == y.dtype
    np.testing.assert_array_equal(predicted, y)


def test_one_class_is_certain():
    classifier = NetworkClassifier(epochs=1).fit(X, ["all"] * 20)
    assert set(classifier.predict(X)) == {"all"}
    np.testing.assert_array_equal(classifier.predict_proba(X), np.ones((20, 1)))


@pytest.mark.parametrize(("kind", "y"), BOTH)
def test_networks_in_single_precision_stay_there(kind, y):
    estimator = kind(single_precision, epochs=2).fit(X, y)
    assert estimator.network_.weight.dtype == np.float32
    predict = getattr(estimator, "predict_proba", estimator.predict)
    assert predict(X).dtype == np.float32


def test_build_gets_sizes_and_a_generator():
    received = []

    def build(*arguments):
        received.append(arguments)
        return single(*arguments)

    NetworkClassifier(build, epochs=1).fit(IRIS.X, IRIS.y)
    [(inputs, outputs, rng)] = received
    assert (inputs, outputs) == (4, 3)
    assert isinstance(rng, np.random.Generator)


def test_default_network_has_the_hidden_sizes():
    network = NetworkClassifier(hidden=(5, 4), epochs=1).fit(IRIS.X, IRIS.y).network_
    assert repr(network.layers) == (
        "(FullyConnected(4, 5), ReLU(), FullyConnected(5, 4), ReLU(), FullyConnected(4, 3))"
    )


@pytest.mark.parametrize("optimiser", [*nn.network.OPTIMISERS, nn.Adagrad])
def test_optimisers_by_name_and_as_classes(optimiser):
    regressor = NetworkRegressor(optimiser=optimiser, epochs=5, random_state=0).fit(X, NUMBERS)
    assert regressor.loss_curve_[-1] < regressor.loss_curve_[0]


# --- the same again -------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "y"), BOTH)
def test_a_seed_gives_the_same_network_at_every_fit(kind, y):
    estimator = kind(epochs=3, random_state=1, batch_size=6)
    curves = [estimator.fit(X, y).loss_curve_ for _ in range(2)]
    assert curves[0] == curves[1] == clone(estimator).fit(X, y).loss_curve_
    assert estimator.set_params(random_state=2).fit(X, y).loss_curve_ != curves[0]


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
def test_a_generator_goes_on_with_every_fit(make):
    first, second = (NetworkRegressor(epochs=2, random_state=make(5)) for _ in range(2))
    curves = [first.fit(X, NUMBERS).loss_curve_ for _ in range(2)]
    assert curves[0] != curves[1]
    assert [second.fit(X, NUMBERS).loss_curve_ for _ in range(2)] == curves


def test_no_seed_leaves_the_global_generator_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the very thing
    a, b = (NetworkRegressor(epochs=1).fit(X, NUMBERS).loss_curve_ for _ in range(2))
    assert a != b
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize(("kind", "y"), BOTH)
def test_fitted_estimators_are_pickled_exactly(kind, y):
    estimator = kind(single, epochs=2, random_state=0).fit(X, y)
    assert all(parameter.grad is None for parameter in estimator.network_.parameters())
    copy = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(copy.predict(X), estimator.predict(X))
    assert copy.loss_curve_ == estimator.loss_curve_
    assert copy.get_params() == estimator.get_params()


def test_clone_and_set_params():
    estimator = NetworkClassifier(single, epochs=7, random_state=0).fit(X, LABELS)
    fresh = clone(estimator).set_params(learning_rate=0.5, hidden=(3,))
    assert not hasattr(fresh, "network_")
    assert fresh.get_params() == {
        **estimator.get_params(),
        "learning_rate": 0.5,
        "hidden": (3,),
    }


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "NetworkClassifier: epochs must be a whole number"),
        ({"batch_size": 0}, ValueError, "NetworkClassifier: batch_size must be a whole number"),
        ({"learning_rate": -1}, ValueError, "the learning rate must be a positive number"),
        ({"hidden": 32}, TypeError, r"a tuple of sizes such as \(32,\), received 32"),
        ({"hidden": "ab"}, TypeError, r"a tuple of sizes such as \(32,\), received 'ab'"),
        ({"hidden": (8, 0)}, ValueError, "NetworkClassifier: hidden: size must be .* received 0"),
        ({"optimiser": "adm"}, ValueError, "no optimiser 'adm'; did you mean 'adam'"),
        ({"optimiser": 3}, TypeError, "optimiser is an int 3; pass one of sgd, .* nn.Adam"),
        ({"random_state": "a"}, ValueError, "random_state is 'a' .* pass a whole number from 0"),
        ({"random_state": -1}, ValueError, "random_state is -1 .* pass a whole number from 0"),
        ({"build": 32}, TypeError, "build is an int 32; pass a function .* as hidden="),
        ({"build": lambda *_: 3}, TypeError, "gave an int 3, not a Module; return a network"),
        (
            {"build": lambda inputs, _, rng: nn.FullyConnected(inputs, 5, rng)},
            ValueError,
            r"outputs of shape \(2, 5\) for 2 rows, expected \(2, 2\), one for each class; give",
        ),
        (
            {"build": lambda *sizes: nn.Network(nn.FullyConnected(*sizes), nn.Softmax())},
            ValueError,
            "gives probabilities, .* leave out its softmax",
        ),
    ],
)
def test_settings_that_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        NetworkClassifier(**settings).fit(X, LABELS)


def test_regressor_refuses_outputs_that_do_not_fit():
    regressor = NetworkRegressor(lambda inputs, _, rng: nn.FullyConnected(inputs, 5, rng))
    with pytest.raises(ValueError, match=r"\(2, 5\) for 2 rows, expected \(2, 1\), one for each"):
        regressor.fit(X, NUMBERS)


def test_data_that_are_refused():
    classifier = NetworkClassifier()
    with pytest.raises(TypeError, match=r"Sparse data was passed for X.*toarray"):
        classifier.fit(scipy.sparse.csr_array(X), LABELS)
    with pytest.raises(ValueError, match=r"contains NaN.\nNetworkClassifier does not accept"):
        classifier.fit(np.full((20, 3), np.nan), LABELS)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        classifier.fit(X, NUMBERS)
    with pytest.raises(TypeError, match="labels must be of one kind, received int, str"):
        classifier.fit(X, np.array(["a", 1] * 10, object))
    with pytest.raises(NotFittedError, match="This NetworkClassifier instance is not fitted yet"):
        classifier.predict(X)
    classifier.set_params(epochs=1).fit(X, LABELS)
    with pytest.raises(ValueError, match="NetworkClassifier is expecting 3 features"):
        classifier.predict(X[:, :2])


def test_a_fit_that_fails_leaves_the_last_one():
    classifier = NetworkClassifier(epochs=1, random_state=0).fit(X, LABELS)
    before = classifier.predict(X)
    with pytest.raises(ValueError, match="epochs"):
        classifier.set_params(epochs=0).fit(X, LABELS == "yes")
    np.testing.assert_array_equal(classifier.predict(X), before)


def test_diverging_names_the_estimator_and_what_to_do():
    regressor = NetworkRegressor(optimiser="sgd", learning_rate=1e6, random_state=0)
    with pytest.raises(FloatingPointError, match=r"NetworkRegressor: .* lower the learning rate"):
        regressor.fit(X, NUMBERS)


# --- the extra ------------------------------------------------------------------------------------


def python(program):
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(nn.__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )


def test_nn_does_not_import_scikit_learn():
    run = python("import sys, nn; assert 'sklearn' not in sys.modules, 'imported'")
    assert run.returncode == 0, run.stderr


def test_without_scikit_learn_the_message_names_the_extra():
    run = python("import sys; sys.modules['sklearn'] = None; import nn, nn.sklearn")
    assert run.stderr.splitlines()[-1] == (
        "ImportError: nn.sklearn: the estimators need scikit-learn 1.6 or later; pip install "
        "autograd_lite[sklearn]"
    )


def test_scikit_learn_is_found_from_inside_the_package():
    run = python(
        "import nn.sklearn, sklearn; assert nn.sklearn is not sklearn; sklearn.__version__"
    )
    assert run.returncode == 0, run.stderr
