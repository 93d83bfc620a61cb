"""Neural networks on the tape: modules, layers, losses, SGD, a Network, and the cheat sheets.

Every layer and loss is a composition of recorded operations, with no derivative rule of its own.
"""

from nn import cheat_sheets
from nn.activations import (
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    log_softmax,
    logsumexp,
    relu,
    sigmoid,
    softmax,
)
from nn.layers import FullyConnected
from nn.losses import (
    CrossEntropy,
    MeanSquaredError,
    cross_entropy,
    cross_entropy_from_logits,
    mean_squared_error,
)
from nn.module import Module
from nn.network import Evaluation, Network
from nn.optimisers import SGD, Optimiser

__all__ = [
    "SGD",
    "CrossEntropy",
    "Evaluation",
    "FullyConnected",
    "MeanSquaredError",
    "Module",
    "Network",
    "Optimiser",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "cheat_sheets",
    "cross_entropy",
    "cross_entropy_from_logits",
    "log_softmax",
    "logsumexp",
    "mean_squared_error",
    "relu",
    "sigmoid",
    "softmax",
]
