"""PyTorch's modules, sorted: which of nn's has the same meaning, or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import autograd_lite as ag
import nn
from tests.oracles.torch_modules import Made, inputs_of, made_with

Parameters = dict[str, ag.Variable]


def put(layer: nn.Module, **parameters: Any) -> nn.Module:
    """The layer with these in the place of its own parameters; None stays None."""
    for name, value in parameters.items():
        assert (getattr(layer, name) is None) == (value is None)
        setattr(layer, name, value)
    return layer


class Spelt(nn.Module):
    """A module of nn, called and answering the way PyTorch lays things out."""

    def __init__(
        self,
        module: nn.Module,
        before: Callable[..., Any] = lambda *inputs: inputs,
        after: Callable[..., Any] = lambda z, *inputs: z,
    ):
        self.module, self.before, self.after = module, before, after

    def forward(self, *inputs: Any) -> Any:
        return self.after(self.module(*self.before(*inputs)), *inputs)


class Batched(nn.Module):
    """A layer of arrays with so many axes, which is also called with a single sample."""

    def __init__(self, layer: nn.Module, ndim: int):
        self.layer, self.ndim = layer, ndim

    def forward(self, x: Any) -> Any:
        return self.layer(x) if x.ndim == self.ndim else self.layer(x[None])[0]


# --- activations ----------------------------------------------------------------------------------


def parametric_relu(theirs: Any, p: Parameters, dtype: Any) -> nn.Module:
    if theirs.num_parameters == 1:
        return put(nn.ParametricReLU(), slope=p["weight"][0])
    layer = nn.ParametricReLU(theirs.num_parameters, axis=1)  # PyTorch's channels
    return put(layer, slope=p["weight"])


ACTIVATIONS: dict[str, Made] = {
    "ELU": lambda theirs, *_: nn.ELU(theirs.alpha),
    "GELU": lambda theirs, *_: nn.GELU(),
    "LeakyReLU": lambda theirs, *_: nn.LeakyReLU(theirs.negative_slope),
    "LogSoftmax": lambda theirs, *_: nn.LogSoftmax(theirs.dim),
    "PReLU": parametric_relu,
    "ReLU": lambda theirs, *_: nn.ReLU(),
    "Sigmoid": lambda theirs, *_: nn.Sigmoid(),
    "SiLU": lambda theirs, *_: nn.Swish(),
    "Softmax": lambda theirs, *_: nn.Softmax(theirs.dim),
    "Softplus": lambda theirs, *_: nn.Softplus(),
    "Tanh": lambda theirs, *_: nn.Tanh(),
}


# --- losses ---------------------------------------------------------------------------------------


def classes_last(x: Any, t: Any) -> tuple[Any, Any]:
    """PyTorch has them on axis 1, where there is a batch."""
    if x.ndim > 1:
        t = np.moveaxis(t, 1, -1) if t.ndim == x.ndim else t
        x = np.moveaxis(x, 1, -1)
    return x, t


def entries(loss: type[nn.Module], **names: str) -> Made:
    """A loss of entries: name of a setting here → name there."""
    return lambda theirs, *_: loss(
        reduction=theirs.reduction, **{ours: getattr(theirs, name) for ours, name in names.items()}
    )


def classes(loss: type[nn.Module], **names: str) -> Made:
    def made(theirs: Any, *_: Any) -> nn.Module:
        weights = None if theirs.weight is None else theirs.weight.detach().numpy()
        settings = {ours: getattr(theirs, name) for ours, name in names.items()}
        if theirs.ignore_index != -100:  # what stands for none
            settings["ignored_index"] = theirs.ignore_index
        ours = loss(class_weights=weights, reduction=theirs.reduction, **settings)
        return Spelt(ours, classes_last)

    return made


def kl_divergence(theirs: Any, *_: Any) -> nn.Module:
    """PyTorch takes logarithms of predictions; "batchmean" is our mean, "mean" divides further."""
    reduction = theirs.reduction
    loss = nn.KLDivergence(reduction={"batchmean": "mean"}.get(reduction, reduction))
    to_targets = np.exp if theirs.log_target else lambda t: t

    def further(z: Any, x: Any, t: Any) -> Any:
        return z / (x.shape[-1] if x.ndim else 1) if reduction == "mean" else z

    return Spelt(loss, lambda x, t: (np.exp(x), to_targets(t)), further)


def hinge(theirs: Any, *_: Any) -> nn.Module:
    """PyTorch divides by the number of classes."""
    loss = nn.Hinge(margin=theirs.margin, reduction=theirs.reduction)
    return Spelt(loss, after=lambda z, x, t: z / x.shape[-1])


LOSSES: dict[str, Made] = {
    "BCELoss": entries(nn.BinaryCrossEntropy),
    "BCEWithLogitsLoss": entries(nn.BinaryCrossEntropyFromLogits),
    "CrossEntropyLoss": classes(nn.CrossEntropyFromLogits, label_smoothing="label_smoothing"),
    "HuberLoss": entries(nn.Huber, delta="delta"),
    "KLDivLoss": kl_divergence,
    "L1Loss": entries(nn.MeanAbsoluteError),
    "MSELoss": entries(nn.MeanSquaredError),
    "MultiMarginLoss": hinge,
    "NLLLoss": classes(nn.NegativeLogLikelihood),
    "SmoothL1Loss": entries(nn.Huber, delta="beta"),  # the same as long as these are 1
}


# --- layers ---------------------------------------------------------------------------------------


def linear(theirs: Any, p: Parameters, dtype: Any) -> nn.Module:
    layer = nn.FullyConnected(theirs.in_features, theirs.out_features, bias="bias" in p)
    return put(layer, weight=p["weight"].T, bias=p.get("bias"))  # theirs is the transpose


def batch_norm(theirs: Any, p: Parameters, dtype: Any) -> nn.Module:
    affine = theirs.affine, "bias" in p
    layer = nn.BatchNorm(theirs.num_features, theirs.momentum, theirs.eps, *affine, dtype=dtype)
    if theirs.track_running_stats:
        layer.running_mean.data = theirs.running_mean.numpy()
        layer.running_variance.data = theirs.running_var.numpy()
    return put(layer, weight=p.get("weight"), bias=p.get("bias"))


def layer_norm(theirs: Any, p: Parameters, dtype: Any) -> nn.Module:
    affine = theirs.elementwise_affine, "bias" in p
    layer = nn.LayerNorm(theirs.normalized_shape, theirs.eps, *affine)
    return put(layer, weight=p.get("weight"), bias=p.get("bias"))


def embedding(theirs: Any, p: Parameters, dtype: Any) -> nn.Module:
    return put(nn.Embedding(theirs.num_embeddings, theirs.embedding_dim), weight=p["weight"])


class Convolution3D(nn.Convolution2D):
    """All that the layers of one, two and three axes differ in."""

    axes = 3


class TransposedConvolution3D(nn.TransposedConvolution2D):
    axes = 3


def convolution(kind: type[nn.Module]) -> Made:
    def made(theirs: Any, p: Parameters, dtype: Any) -> nn.Module:
        settings = {
            name: getattr(theirs, name)
            for name in ("stride", "padding", "dilation", "groups", "output_padding")
            if name != "output_padding" or theirs.transposed
        }
        sizes = theirs.in_channels, theirs.out_channels, theirs.kernel_size
        layer = kind(*sizes, bias="bias" in p, **settings)
        return Batched(put(layer, weight=p["weight"], bias=p.get("bias")), 2 + kind.axes)

    return made


def max_pool(axes: int) -> Made:
    def made(theirs: Any, *_: Any) -> nn.Module:
        settings = theirs.kernel_size, theirs.stride, theirs.padding, theirs.dilation
        return Batched(nn.MaxPool(*settings), 2 + axes)

    return made


def average_pool(axes: int) -> Made:
    def made(theirs: Any, *_: Any) -> nn.Module:
        settings = theirs.kernel_size, theirs.stride, theirs.padding
        layer = nn.AveragePool(*settings, count_padding=theirs.count_include_pad)
        return Batched(layer, 2 + axes)

    return made


def global_average_pool(theirs: Any, *_: Any) -> nn.Module:
    """PyTorch keeps the axes of space."""

    def kept(z: Any, x: Any) -> Any:
        return np.reshape(z, z.shape + (1,) * (x.ndim - 2))

    return Spelt(nn.GlobalAveragePool(), after=kept)


# where in our gates each of theirs is: i, f, g, o there; i, f, o, g here
GATES = {nn.RNN: [0], nn.LSTM: [0, 1, 3, 2], nn.GRU: [0, 1, 2]}


def recurrent(kind: type[nn.Module]) -> Made:
    """A layer of theirs, or a cell, which is a layer of one step."""

    def made(theirs: Any, p: Parameters, dtype: Any) -> nn.Module:
        settings: dict[str, Any] = {"dtype": dtype}
        suffixes = [""]
        if isinstance(theirs, torch.nn.RNNBase):
            ways = ("", "_reverse") if theirs.bidirectional else ("",)
            suffixes = [f"_l{layer}{way}" for layer in range(theirs.num_layers) for way in ways]
            settings |= {
                "layers": theirs.num_layers,
                "bidirectional": theirs.bidirectional,
                "batch_first": theirs.batch_first,
            }
        if getattr(theirs, "nonlinearity", "tanh") == "relu":
            settings["activation"] = nn.relu
        layer = kind(theirs.input_size, theirs.hidden_size, **settings)

        def gates(name: str) -> Any:
            """Their (gates·units, …) as our (gates, …, units), in our order of gates."""
            if name not in p:  # a bias
                return np.zeros(layer.directions[0].bias.shape, dtype)
            blocks = np.reshape(p[name], (len(GATES[kind]), -1, *p[name].shape[1:]))
            return np.moveaxis(blocks, 1, -1)[GATES[kind]]

        for direction, suffix in zip(layer.directions, suffixes, strict=True):
            direction.input_weight = gates(f"weight_ih{suffix}")
            direction.state_weight = gates(f"weight_hh{suffix}")
            bias, second = gates(f"bias_ih{suffix}"), gates(f"bias_hh{suffix}")
            if kind is nn.GRU:  # their second bias of n is inside of the reset gate's product
                direction.state_bias = second[2]
                second = np.stack([second[0], second[1], np.zeros_like(second[2])])
            direction.bias = bias + second
        if not isinstance(theirs, torch.nn.RNNBase):
            return Cell(layer)
        return Sequences(layer, 0 if theirs.batch_first else 1)

    return made


class Sequences(nn.Module):
    """A recurrent layer that is also called with a single sequence, without an axis of batches."""

    def __init__(self, layer: nn.Module, axis: int):
        self.layer, self.axis = layer, axis

    def forward(self, x: Any, state: Any = None) -> Any:
        if x.ndim == 3:
            return self.layer(x, state)
        y, end = self.layer(np.expand_dims(x, self.axis), each(state, lambda s: s[:, None]))
        return np.squeeze(y, self.axis), each(end, lambda s: s[:, 0])


class Cell(nn.Module):
    """A recurrent layer that is called for a single step of a single sequence."""

    def __init__(self, layer: nn.Module):
        self.layer = layer

    def forward(self, x: Any, state: Any) -> Any:
        _, end = self.layer(x[None, None], each(state, lambda s: s[None, None]))
        return each(end, lambda s: s[0, 0])


def each(state: Any, change: Callable[[Any], Any]) -> Any:
    """The parts of a state changed: h, or h and c, or none."""
    if isinstance(state, tuple):
        return tuple([change(part) for part in state])
    return None if state is None else change(state)


LAYERS: dict[str, Made] = {
    "AdaptiveAvgPool1d": global_average_pool,
    "AdaptiveAvgPool2d": global_average_pool,
    **{f"AvgPool{n}d": average_pool(n) for n in (1, 2, 3)},
    **{f"BatchNorm{n}d": batch_norm for n in (1, 2, 3)},
    "Conv1d": convolution(nn.Convolution1D),
    "Conv2d": convolution(nn.Convolution2D),
    "Conv3d": convolution(Convolution3D),
    "ConvTranspose1d": convolution(nn.TransposedConvolution1D),
    "ConvTranspose2d": convolution(nn.TransposedConvolution2D),
    "ConvTranspose3d": convolution(TransposedConvolution3D),
    "Embedding": embedding,
    "GRU": recurrent(nn.GRU),
    "GRUCell": recurrent(nn.GRU),
    "LSTM": recurrent(nn.LSTM),
    "LSTMCell": recurrent(nn.LSTM),
    "LayerNorm": layer_norm,
    "Linear": linear,
    **{f"MaxPool{n}d": max_pool(n) for n in (1, 2, 3)},
    "RNN": recurrent(nn.RNN),
    "RNNCell": recurrent(nn.RNN),
}

MAPPED = {**ACTIVATIONS, **LOSSES, **LAYERS}

NOT_MAPPED = {
    "an activation that nn does not have": "CELU GLU Hardshrink Hardswish Hardtanh LogSigmoid Mish "
    "ReLU6 SELU Softmax2d Softmin Softshrink Softsign Tanhshrink Threshold",
    "a loss that nn does not have": "CTCLoss CosineEmbeddingLoss GaussianNLLLoss "
    "HingeEmbeddingLoss MarginRankingLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss "
    "PoissonNLLLoss SoftMarginLoss",
    "a layer and its loss in one, which nn composes": "LinearCrossEntropyLoss",
    "attention, which no lecture has": "MultiheadAttention Transformer TransformerDecoderLayer "
    "TransformerEncoder TransformerEncoderLayer",
    "its samples have several windows for each channel, and nn's global pools have one": ""
    "AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d",
    "a pooling that nn does not have": "FractionalMaxPool2d FractionalMaxPool3d LPPool1d LPPool2d "
    "LPPool3d",
    "a normalisation that nn does not have": "GroupNorm InstanceNorm1d InstanceNorm2d "
    "InstanceNorm3d LocalResponseNorm RMSNorm",
    "a product of two inputs, which nn leaves to NumPy": "Bilinear",
    "np.pad, which needs no module": "CircularPad1d CircularPad2d CircularPad3d ConstantPad1d "
    "ConstantPad2d ConstantPad3d ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d "
    "ReplicationPad2d ReplicationPad3d ZeroPad1d ZeroPad2d ZeroPad3d",
    "the samples of the same without Lazy, whose sizes come from its first input": "LazyConv1d "
    "LazyConv2d LazyConv3d LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d",
}


def is_empty(sample: Any) -> bool:
    return inputs_of(sample)[0].numel() == 0


# names, why, and which of their samples, in training or not
SKIPPED: list[tuple[str, str, Callable[[Any, bool], bool]]] = [
    (
        "Softplus",
        "nn.softplus has no sharpness: it is np.logaddexp(0, beta·x) / beta",
        lambda sample, training: made_with(sample).get("0", 1) != 1,
    ),
    (
        "BCELoss BCEWithLogitsLoss",
        "nn weighs classes and rows, not entries",
        lambda sample, training: "weight" in made_with(sample),
    ),
    (
        "MultiMarginLoss",
        "lecture 5's hinge is not squared, and has no weights",
        lambda sample, training: bool(made_with(sample).keys() & {"p", "weight"}),
    ),
    (
        "BatchNorm1d BatchNorm2d BatchNorm3d LayerNorm",
        "an empty batch, of which PyTorch makes NaN, or nothing: nn refuses it",
        lambda sample, training: is_empty(sample),
    ),
    (
        "BatchNorm1d BatchNorm2d BatchNorm3d",
        "without running statistics, which nn always has",
        lambda sample, training: sample.desc == "not_tracking_stats" and not training,
    ),
    (
        "AdaptiveAvgPool1d AdaptiveAvgPool2d",
        "several windows for each channel: nn's global pool has one",
        lambda sample, training: made_with(sample)["0"] != 1,
    ),
    (
        "AvgPool2d AvgPool3d",
        "a divisor that is not the number of entries: a sum, times a number",
        lambda sample, training: "divisor_override" in made_with(sample),
    ),
    (
        "MaxPool1d MaxPool2d MaxPool3d",
        "nn gives no positions of the maxima",
        lambda sample, training: "return_indices" in made_with(sample),
    ),
    (
        "LSTM",
        "nn.LSTM has no smaller h than c",
        lambda sample, training: bool(made_with(sample).get("proj_size")),
    ),
]
FIRST_ORDER = {
    "PyTorch has no second derivative of it": "MultiMarginLoss",
    "it takes long; test_torch_recurrent.py has the second of one of each": "GRU LSTM RNN",
}
