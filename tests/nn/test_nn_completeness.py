"""Whatever nn exports has derivatives to second order, or a reason; and a documented example."""

import inspect
import re
import sys

import numpy as np
import pytest

import autograd_lite as ag
import nn
from tests.nn.nn_checks import assert_derivatives

RNG = np.random.default_rng(0)
VECTORS = RNG.standard_normal((3, 4))  # no entry is near 0, where some have a kink
IMAGES = RNG.standard_normal((2, 2, 5, 5))
SIGNALS = RNG.standard_normal((2, 2, 6))
SEQUENCES = RNG.standard_normal((2, 3, 4))
PROBABLE = nn.softmax(VECTORS / 3)  # differences need room above 0
TARGETS = nn.softmax(RNG.standard_normal((3, 4)))
LABELS = np.array([0, 3, 1])


def rng():
    return np.random.default_rng(1)


def each(names, x, *constants):
    """The functions or modules of these names, with what they are called with."""
    return {name: (getattr(nn, name), x, *constants) for name in names.split()}


# name → a function, the array by which it is differentiated, and what follows it
FUNCTIONS = {
    **each("elu gelu leaky_relu linear relu sigmoid softplus swish tanh", VECTORS),
    **each("log_softmax logsumexp softmax l1_normalisation l2_normalisation augmented", VECTORS),
    **each("mean_squared_error half_squared_error euclidean mean_absolute_error", VECTORS, TARGETS),
    **each("huber binary_cross_entropy_from_logits", VECTORS, TARGETS),
    **each("cross_entropy_from_logits", VECTORS, TARGETS),
    **each("binary_cross_entropy cross_entropy kl_divergence", PROBABLE, TARGETS),
    **each("negative_log_likelihood", np.log(PROBABLE), LABELS),
    **each("hinge", VECTORS, LABELS),
    **each("max_pool average_pool", IMAGES, 2),
    **each("global_max_pool global_average_pool", IMAGES),
    "dropout": (lambda x: nn.dropout(x, 0.3, rng()), VECTORS),
    "noisy_relu": (lambda x: nn.noisy_relu(x, rng()), VECTORS),
    "parametric_relu": (lambda b: nn.parametric_relu(VECTORS, b), RNG.uniform(0.1, 0.9, 4)),
    "l1_penalty": (lambda x: nn.l1_penalty(x * ag.Variable(1.0)), VECTORS),
    "l2_penalty": (lambda x: nn.l2_penalty(x * ag.Variable(1.0)), VECTORS),
    "convolution": (
        lambda w: nn.convolution(IMAGES, w, stride=2),
        RNG.standard_normal((3, 2, 3, 3)),
    ),
    "transposed_convolution": (
        lambda w: nn.transposed_convolution(IMAGES, w, stride=2),
        RNG.standard_normal((2, 3, 3, 3)),
    ),
}
# name → how a module is made, and what it is called with
MODULES = {
    **each("ELU GELU L1Normalisation L2Normalisation LeakyReLU Linear LogSoftmax", VECTORS),
    **each("ParametricReLU ReLU Sigmoid Softmax Softplus Swish Tanh CosinePlusPi", VECTORS),
    **each("BinaryCrossEntropyFromLogits CrossEntropyFromLogits Euclidean", VECTORS, TARGETS),
    **each("HalfSquaredError Huber MeanAbsoluteError MeanSquaredError", VECTORS, TARGETS),
    **each("BinaryCrossEntropy CrossEntropy KLDivergence", PROBABLE, TARGETS),
    **each("NegativeLogLikelihood", np.log(PROBABLE), LABELS),
    **each("Hinge", VECTORS, LABELS),
    **each("Flatten GlobalMaxPool GlobalAveragePool", IMAGES),
    "FullyConnected": (lambda: nn.FullyConnected(4, 3, rng()), VECTORS),
    "RBF": (lambda: nn.RBF(4, 3, 2, rng()), VECTORS),
    "BatchNorm": (lambda: nn.BatchNorm(4), VECTORS),
    "LayerNorm": (lambda: nn.LayerNorm(4), VECTORS),
    "Convolution1D": (lambda: nn.Convolution1D(2, 3, 3, rng()), SIGNALS),
    "Convolution2D": (lambda: nn.Convolution2D(2, 3, 3, rng()), IMAGES),
    "TransposedConvolution1D": (lambda: nn.TransposedConvolution1D(2, 3, 3, rng()), SIGNALS),
    "TransposedConvolution2D": (lambda: nn.TransposedConvolution2D(2, 3, 2, rng()), IMAGES),
    "MaxPool": (lambda: nn.MaxPool(2), IMAGES),
    "AveragePool": (lambda: nn.AveragePool(2), IMAGES),
    "Embedding": (lambda: nn.Embedding(4, 3, rng()), LABELS),
    "RNN": (lambda: nn.RNN(4, 2, rng(), return_state=False), SEQUENCES),
    "LSTM": (lambda: nn.LSTM(4, 2, rng(), return_state=False), SEQUENCES),
    "GRU": (lambda: nn.GRU(4, 2, rng(), return_state=False), SEQUENCES),
    "Function": (lambda: nn.Function(np.exp), VECTORS),
    "Sequential": (lambda: nn.Sequential(nn.FullyConnected(4, 3, rng()), nn.Tanh()), VECTORS),
    "Residual": (lambda: nn.Residual(nn.FullyConnected(4, 4, rng()), nn.Tanh()), VECTORS),
    "Parallel": (lambda: nn.Parallel(nn.FullyConnected(4, 4, rng()), nn.Tanh()), VECTORS),
    "NetworkInNetwork": (lambda: nn.NetworkInNetwork(2, (3, 2), 3, rng()), IMAGES),
    "Network": (lambda: nn.Network(nn.FullyConnected(4, 3, rng()), nn.Tanh()), VECTORS),
    "InputLayer": (lambda: nn.InputLayer(4), VECTORS),
}
NO_DERIVATIVE = {
    "slope 0 everywhere, tested in test_nn_activations.py": "binary_step BinaryStep",
    "another draw at every call: their functions, with one generator, are in the table": ""
    "Dropout NoisyReLU",
    "its mean and deviation are numbers, not learned": "Standardiser",
    "the base of all modules": "Module",
    "they change parameters": "SGD Adagrad RMSProp Adam AdamW FirstOrderOptimiser Optimiser "
    "clip_gradients_by_norm clip_gradients_by_value",
    "numbers for an optimiser": "StepDecay ExponentialDecay CosineDecay WarmUp Schedule "
    "ReduceOnPlateau",
    "training, data and reports": "SGDTrainer Trainer Callback BestModel Checkpoint EarlyStopping "
    "GradientNorms LearningRateLog Batches batches Dataset Split split load_dataset one_hot "
    "read_idx write_idx save load LoadError Evaluation Summary summary",
    "counts": "accuracy accuracy_from_logits top_k_accuracy confusion_matrix ConfusionMatrix",
    "a measure, not a loss": "r_squared",
}


def test_everything_exported_is_checked_or_has_a_reason():
    reasons = [name for names in NO_DERIVATIVE.values() for name in names.split()]
    sorted_out = [*FUNCTIONS, *MODULES, *reasons]
    assert len(sorted_out) == len(set(sorted_out))
    exported = {name for name in nn.__all__ if callable(getattr(nn, name))}
    assert exported - set(sorted_out) == set()
    assert set(sorted_out) - exported == set()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    function, x, *constants = FUNCTIONS[name]
    assert_derivatives(lambda at: function(at, *constants), x)


@pytest.mark.parametrize("name", MODULES)
def test_modules(name):
    """By what they are called with, and by each of their parameters."""
    make, x, *constants = MODULES[name]
    module = make()
    if x.dtype.kind == "f":
        assert_derivatives(lambda at: module(at, *constants), x)
    for path, parameter in module.named_parameters():
        *way, last = path.split(".")
        owner = module
        for step in way:
            owner = owner[int(step)] if step.isdigit() else getattr(owner, step)
        at_first = np.array(parameter.data)

        def with_parameter(value, owner=owner, last=last):
            setattr(owner, last, value)
            return module(x, *constants)

        # biases begin at 0, where rectifiers in a row have their kinks
        away = RNG.uniform(0.1, 0.2, at_first.shape)
        assert_derivatives(with_parameter, at_first + away)
        setattr(owner, last, parameter)


# --- documentation --------------------------------------------------------------------------------

DOCUMENTED = [
    name
    for name in (*FUNCTIONS, *MODULES, *" ".join(NO_DERIVATIVE.values()).split())
    if getattr(nn, name).__module__ not in ("nn.network", "nn.training", "nn.metrics")
    and name not in NO_DERIVATIVE["training, data and reports"].split()
    and name != "Optimiser"  # a protocol
]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_docstrings_have_an_example_and_say_what_is_refused(name):
    thing = getattr(nn, name)
    text = thing.__doc__
    assert ">>> " in text
    families = sys.modules[thing.__module__].__doc__
    others = r"(as|those of|of) `nn\.\w+`"  # "Raises as `nn.convolution` does"
    assert re.search(r"\b[Rr]aise|\b[Ee]rrors\b", text + families) or re.search(others, text)


@pytest.mark.parametrize("name", MODULES)
def test_modules_have_a_formula(name):
    """But for what is only as good as what is put inside."""
    assert MODULES[name][0]().formula or name in ("Function", "Network", "InputLayer")


# InputLayer hands on what it gets, and records nothing
@pytest.mark.parametrize("name", [name for name in MODULES if name != "InputLayer"])
def test_modules_open_a_scope_with_their_name_and_formula(name):
    """For pictures and explanations, around all that they record."""
    make, x, *constants = MODULES[name]
    module = make()
    module.name = "of mine"
    z = module(ag.Variable(x, requires_grad=x.dtype.kind == "f"), *constants)
    scope = z.scope
    while scope.parent is not None:  # those of modules inside
        scope = scope.parent
    assert (scope.name, scope.formula) == ("of mine", module.formula)


@pytest.mark.parametrize("name", [n for n in DOCUMENTED if inspect.isfunction(getattr(nn, n))])
def test_functions_are_lower_case_and_modules_camel_case(name):
    assert name == name.lower()
