"""Recurrent layers: a state that is carried along a sequence, with or without gates.

A step is one product: the input, a 1 and the state, side by side, times W, bias and U on top of
each other. Products of the inputs for all steps at once, and of the state for each, would be as
fast, and keep twice the memory. Gates are stacked along the first axis of the weights, so that each
is one block of memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag
from autograd_lite.errors import kind
from nn.activations import sigmoid
from nn.dropout import dropout, known_rate
from nn.initialisers import generator
from nn.module import Module, Operand, floating, operand
from nn.settings import whole_number

State = tuple[Any, ...]


class Direction(Module):
    """The weights of one layer in one direction: W for the inputs, U for the state, and bias.

    `input_weight` has shape (gates, inputs, units), `state_weight` (gates, units, units) and `bias`
    (gates, units).
    """

    symbols = {"input_weight": "W", "state_weight": "U", "bias": "bias"}  # noqa: RUF012 - annotated as a ClassVar in Module

    def __init__(
        self,
        gates: int,
        inputs: int,
        units: int,
        rng: np.random.Generator,
        dtype: DTypeLike,
        name: str | None,
    ):
        limit = 1 / np.sqrt(units)
        self.name = name
        W = rng.uniform(-limit, limit, (gates, inputs, units))
        U = rng.uniform(-limit, limit, (gates, units, units))
        self.input_weight = ag.Variable(W.astype(dtype), self._named("W"))
        self.state_weight = ag.Variable(U.astype(dtype), self._named("U"))
        self.bias = ag.Variable(np.zeros((gates, units), dtype), self._named("bias"))


class Recurrent(Module):
    """What RNN, LSTM and GRU share: layers, directions, the order of axes, and the state.

    A subclass names its `gates`, in the order in which its weights have them, and its `states`, and
    writes `step`.
    """

    gates: ClassVar[tuple[str, ...]]
    states: ClassVar[tuple[str, ...]] = ("h",)

    def __init__(
        self,
        inputs: int,
        units: int,
        rng: np.random.Generator | None = None,
        layers: int = 1,
        bidirectional: bool = False,
        batch_first: bool = True,
        dropout: float = 0.0,
        dtype: DTypeLike = float,
        name: str | None = None,
        return_state: bool = True,
    ):
        self.name = name
        self.inputs = whole_number(self._label, "inputs", inputs)
        self.units = whole_number(self._label, "units", units)
        self.layers = whole_number(self._label, "layers", layers)
        self.dropout = known_rate(self._label, dropout)
        if self.dropout and self.layers == 1:
            raise ValueError(
                f"{self._label}: dropout acts between layers, received {dropout} for 1 layer; "
                f"leave it out, or take more layers"
            )
        self.bidirectional, self.batch_first = bidirectional, batch_first
        self.return_state = return_state
        self.rng = generator(self._label, rng)
        ways = ("", ".reversed") if bidirectional else ("",)
        self.directions = [
            Direction(
                len(self.gates),
                self.units * len(ways) if layer else self.inputs,
                self.units,
                self.rng,
                dtype,
                f"{name}.{layer}{way}" if name else None,
            )
            for layer in range(self.layers)
            for way in ways
        ]

    def prepared(self, weights: Direction) -> Any:
        """The weights as `step` takes them: of each gate W with the bias as its last row, and U."""
        W, bias = weights.input_weight, weights.bias
        return np.concatenate([W, bias[:, None]], axis=1), weights.state_weight

    def step(self, x: Any, state: State, weights: Any) -> State:
        """The next state, from the input of one step with a 1 behind it, and the last state.

        The first entry of the state is the output of the step.
        """
        raise NotImplementedError(f"{type(self).__name__}: a recurrent layer must define step")

    def forward(self, x: Operand, state: Any = None) -> Any:
        """Y, the outputs of the last layer for every step, and the final state of every layer.

        With `return_state=False`, Y alone.
        """
        x = self._checked(x)
        x = np.swapaxes(x, 0, 1) if self.batch_first else x
        starts = self._starts(state, x.shape[1])
        ways = 2 if self.bidirectional else 1
        finals = []
        for layer in range(self.layers):
            if layer and self.dropout and self.training:
                x = dropout(x, self.dropout, self.rng)
            outputs = []
            for k in range(layer * ways, (layer + 1) * ways):
                y, final = self._run(x, starts[k], self.directions[k], reverse=k % ways == 1)
                outputs.append(y)
                finals.append(final)
            x = np.concatenate(outputs, axis=-1) if self.bidirectional else outputs[0]
        y = np.swapaxes(x, 0, 1) if self.batch_first else x
        if not self.return_state:
            return y
        ends = tuple([np.stack(parts) for parts in zip(*finals, strict=True)])
        return y, ends if len(ends) > 1 else ends[0]

    def _run(self, x: Any, state: State, weights: Direction, reverse: bool) -> tuple[Any, State]:
        """One layer in one direction: x (steps, batch, features) gives (steps, batch, units)."""
        steps, batch, _ = x.shape
        x = np.concatenate([x, np.ones((steps, batch, 1), x.dtype)], axis=2)
        ready = self.prepared(weights)
        outputs = []
        for t in range(steps - 1, -1, -1) if reverse else range(steps):
            state = self.step(x[t], state, ready)
            outputs.append(state[0])
        return np.stack(outputs[::-1] if reverse else outputs), state

    def _starts(self, state: Any, batch: int) -> list[State]:
        """The state that each layer and direction begins with."""
        count = len(self.directions)
        shape = (count, batch, self.units)
        if state is None:
            zeros = np.zeros(shape[1:], self.directions[0].bias.dtype)
            return [(zeros,) * len(self.states)] * count
        parts = (state,) if len(self.states) == 1 else state
        if not (len(self.states) == 1 or (isinstance(state, tuple | list) and len(state) == 2)):
            raise TypeError(
                f"{self._label}: expected the state as a tuple ({', '.join(self.states)}), "
                f"received: {kind(state)}; pass both, each of shape {shape}"
            )
        parts = [operand(part) for part in parts]
        for symbol, part in zip(self.states, parts, strict=True):
            if part.shape != shape:
                raise ValueError(
                    f"{self._label}: expected the state {symbol} of shape {shape}, (layers × "
                    f"directions, batch, units), received: {kind(part)}; without a state it "
                    f"begins with zeros"
                )
        return [tuple([part[k] for part in parts]) for k in range(count)]

    def _checked(self, x: Operand) -> Any:
        x = floating(x)
        order = "batch, steps" if self.batch_first else "steps, batch"
        expected = f"{self._label}: expected sequences of shape ({order}, {self.inputs})"
        if x.ndim != 3:
            raise ValueError(
                f"{expected}, received: {kind(x)}; give a single sequence a batch of its own with "
                f"x[{'None' if self.batch_first else ':, None'}]"
            )
        if x.shape[2] != self.inputs:
            raise ValueError(
                f"{expected}, received: {kind(x)}; the last axis is the features, so make it "
                f"{type(self).__name__}({x.shape[2]}, {self.units})"
            )
        if not x.size:
            raise ValueError(
                f"{expected}, received: {kind(x)}; pass at least one sequence of at least one step"
            )
        return x

    def __repr__(self) -> str:
        settings = [
            f"layers={self.layers}" if self.layers > 1 else "",
            "bidirectional=True" if self.bidirectional else "",
            "" if self.batch_first else "batch_first=False",
            f"dropout={self.dropout}" if self.dropout else "",
            "" if self.return_state else "return_state=False",
        ]
        sizes = [str(self.inputs), str(self.units)]
        return f"{type(self).__name__}({', '.join(sizes + [s for s in settings if s])})"


class RNN(Recurrent):
    """The simple recurrent layer: hₜ = tanh(xₜ·W + hₜ₋₁·U + bias) (Elman 1990).

    `RNN(inputs, units, rng=None, layers=1, bidirectional=False, batch_first=True, dropout=0.0,
    dtype=float, name=None, return_state=True, activation=np.tanh)`. Called as `Y, h = rnn(X, h)`.

    X: (batch, steps, inputs), or (steps, batch, inputs) with `batch_first=False`; Y: the same with
    units·directions in the place of inputs, the states of the last layer at every step. h, the
    state of every layer and direction, has shape (layers·directions, batch, units) however X is
    ordered: layer by layer, in each forward and then reversed. It begins with zeros if none is
    given, and is returned as it is after the last step (of the reversed direction: after the first
    entry of X). To carry it over to the next stretch of a long sequence without differentiating
    through the past, detach it: `h = h.detach()`.

    `layers` stand on each other, each reading the outputs of the one below. `bidirectional` adds to
    each layer a second one that reads the sequence backwards; their outputs are joined. `dropout`
    is the probability with which, in training, an output is zero on its way to the next layer.
    `rng`, a `numpy.random.Generator`, draws the weights and then what is dropped. `activation` is
    any elementwise function, for instance `nn.relu`. With `return_state=False` the result is Y
    alone, as it takes for a place in `nn.Sequential`.

    `directions` lists the weights: `input_weight` W (gates, inputs, units), `state_weight` U
    (gates, units, units), both uniform between ±1/√units, and `bias` (gates, units), which is zero.
    Here there is one gate, the state itself.

    Raises ValueError for X of another number of axes or features, empty X, a state of another
    shape, sizes below 1, and dropout that is not a probability below 1 or has no next layer.

    >>> import numpy as np, nn
    >>> rnn = nn.RNN(2, 3, np.random.default_rng(0), layers=2)
    >>> Y, h = rnn(np.ones((5, 7, 2)))
    >>> Y.shape, h.shape
    ((5, 7, 3), (2, 5, 3))
    >>> Y, h = rnn(np.ones((5, 7, 2)), h.detach())  # the next stretch
    """

    formula = "hₜ = tanh(xₜ·W + hₜ₋₁·U + bias)"
    gates = ("state",)

    def __init__(
        self,
        inputs: int,
        units: int,
        *args: Any,
        activation: Callable[[Any], Any] = np.tanh,
        **settings: Any,
    ):
        super().__init__(inputs, units, *args, **settings)
        if not callable(activation):
            raise TypeError(
                f"{self._label}: the activation must be a function, such as nn.relu, received: "
                f"{kind(activation)}"
            )
        self.activation = activation
        self._called = getattr(activation, "__name__", type(activation).__name__)
        self.formula = f"hₜ = {self._called}(xₜ·W + hₜ₋₁·U + bias)"

    def step(self, x: Any, state: State, weights: Any) -> State:
        """The next h is activation(x·W + bias + h·U)."""
        (h,), (W, U) = state, weights
        return (self.activation((x @ W + h @ U)[0]),)

    def __repr__(self) -> str:
        usual = self._called == "tanh"
        return super().__repr__()[:-1] + ("" if usual else f", activation={self._called}") + ")"


class LSTM(Recurrent):
    """Long short-term memory: a cell c that gates write to, keep and read.

    iₜ, fₜ, oₜ = σ(xₜ·W + hₜ₋₁·U + bias), a block of the weights for each,
    gₜ = tanh(xₜ·W + hₜ₋₁·U + bias), with the last block,
    cₜ = fₜ ⊙ cₜ₋₁ + iₜ ⊙ gₜ and hₜ = oₜ ⊙ tanh(cₜ)
    (Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000).

    `LSTM(inputs, units, rng=None, layers=1, bidirectional=False, batch_first=True, dropout=0.0,
    dtype=float, name=None, return_state=True)`. Called as `Y, (h, c) = lstm(X, (h, c))`; settings,
    shapes and errors are those of `nn.RNN`, and c has the shape of h. To carry the state over to
    the next stretch of a long sequence without differentiating through the past, detach both.

    The gates are in the order input, forget, output, cell: `directions[0].bias[1]` is that of the
    forget gate. It begins at 1, so that at first the cell keeps what is in it (Gers and others
    2000; Jozefowicz, Zaremba and Sutskever 2015); the other weights begin as in `nn.RNN`.

    >>> import numpy as np, nn
    >>> lstm = nn.LSTM(2, 3, np.random.default_rng(0), bidirectional=True)
    >>> Y, (h, c) = lstm(np.ones((5, 7, 2)))
    >>> Y.shape, h.shape, c.shape
    ((5, 7, 6), (2, 5, 3), (2, 5, 3))
    >>> Y, (h, c) = lstm(np.ones((5, 7, 2)), (h.detach(), c.detach()))  # the next stretch
    """

    # the state first: a picture may have no room for all of it
    formula = "hₜ = o⊙tanh(cₜ), cₜ = f⊙cₜ₋₁ + i⊙g; i, f, o = σ(xₜ·W + hₜ₋₁·U + bias), g = tanh(…)"
    gates = ("input", "forget", "output", "cell")
    states = ("h", "c")

    def __init__(self, *args: Any, **settings: Any):
        super().__init__(*args, **settings)
        for direction in self.directions:
            bias = np.array(direction.bias.data)
            bias[self.gates.index("forget")] = 1
            direction.bias.data = bias

    def step(self, x: Any, state: State, weights: Any) -> State:
        """The gates, then c ← f⊙c + i⊙g and h ← o⊙tanh(c)."""
        (h, c), (W, U) = state, weights
        a = x @ W + h @ U
        i, f, o = sigmoid(a[:3])
        c = f * c + i * np.tanh(a[3])
        return o * np.tanh(c), c


class GRU(Recurrent):
    """The gated recurrent unit: one gate decides how much of the state is made new.

    rₜ, zₜ = σ(xₜ·W + hₜ₋₁·U + bias), a block of the weights for each,
    nₜ = tanh(xₜ·W + bias + rₜ ⊙ (hₜ₋₁·U + state_bias)), with the last block,
    hₜ = (1 − zₜ) ⊙ nₜ + zₜ ⊙ hₜ₋₁
    (Cho and others 2014; with the reset gate r applied after the product with U, as in PyTorch and
    cuDNN, where the paper has (rₜ ⊙ hₜ₋₁)·U).

    `GRU(inputs, units, rng=None, layers=1, bidirectional=False, batch_first=True, dropout=0.0,
    dtype=float, name=None, return_state=True)`. Called as `Y, h = gru(X, h)`; settings, shapes,
    errors and the initial weights are those of `nn.RNN`. The gates are in the order reset, update,
    new. Each direction has one more bias, `state_bias` (units,), which begins at zero.

    >>> import numpy as np, nn
    >>> gru = nn.GRU(2, 3, np.random.default_rng(0), batch_first=False)
    >>> Y, h = gru(np.ones((7, 5, 2)))
    >>> Y.shape, h.shape
    ((7, 5, 3), (1, 5, 3))
    """

    formula = (
        "hₜ = (1−z)⊙n + z⊙hₜ₋₁; n = tanh(xₜ·W + bias + r⊙(hₜ₋₁·U + state_bias)), "
        "r, z = σ(xₜ·W + hₜ₋₁·U + bias)"
    )
    gates = ("reset", "update", "new")

    def __init__(self, *args: Any, **settings: Any):
        super().__init__(*args, **settings)
        for direction in self.directions:
            zeros = np.zeros(self.units, direction.bias.dtype)
            direction.state_bias = ag.Variable(zeros, direction._named("state_bias"))

    def prepared(self, weights: Direction) -> Any:
        """As for the others, with the bias that is added where r is in front."""
        return *super().prepared(weights), weights.state_bias

    def step(self, x: Any, state: State, weights: Any) -> State:
        """The gates, then h ← (1 − z)⊙n + z⊙h."""
        (h,), (W, U, state_bias) = state, weights
        a, b = x @ W, h @ U
        r, z = sigmoid(a[:2] + b[:2])
        n = np.tanh(a[2] + r * (b[2] + state_bias))
        return (n + z * (h - n),)
