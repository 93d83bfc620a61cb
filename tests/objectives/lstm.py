"""A small LSTM that predicts the next character: ADBench's LSTM.

Its weights are vectors, not matrices: every unit sees its own entry of the input and of its hidden
state. A character is a vector of b bits.
"""

import numpy as np


def sigmoid(x):
    """1/(1 + e⁻ˣ)."""
    return 1 / (1 + np.exp(-x))


def cell(weight, bias, hidden, memory, x):
    """The next hidden state and memory, (b,), of one layer; weight and bias are (4b,)."""
    b = len(x)
    gates = np.concatenate([x, hidden, x, hidden]) * weight + bias
    forget, write, read = (sigmoid(gates[i * b : (i + 1) * b]) for i in range(3))
    memory = memory * forget + write * np.tanh(gates[3 * b :])
    return read * np.tanh(memory), memory


def predict(main, extra, state, x):
    """Logits of the next character and the new state, a list of hidden and memory by layers."""
    x = x * extra[0]
    after = []
    for layer in range(len(state) // 2):
        hidden, memory = state[2 * layer : 2 * layer + 2]
        hidden, memory = cell(main[2 * layer], main[2 * layer + 1], hidden, memory, x)
        after += [hidden, memory]
        x = hidden
    return x * extra[1] + extra[2], after


def objective(main, extra, state, sequence):
    """The mean of −t·(y − log(2 + Σ exp y)) over bits and characters; the 2 is ADBench's.

    `main`, (2l, 4b): weight and bias by layers. `extra`, (3, b): weight of the input, weight and
    bias of the output. `state`, (2l, b): where it begins. `sequence`, (c, b).
    """
    state, outputs = list(state), []
    main, extra = list(main), list(extra)
    for x in sequence[:-1]:
        y, state = predict(main, extra, state, x)
        outputs.append(y)
    y = np.stack(outputs)
    log_probabilities = y - np.log(2 + np.sum(np.exp(y), axis=1, keepdims=True))
    return -np.mean(sequence[1:] * log_probabilities)


def problem(rng, c, layers, b):
    """`c` characters of `b` bits; `layers` layers."""
    main = 0.5 * rng.standard_normal((2 * layers, 4 * b))
    extra = 0.5 * rng.standard_normal((3, b))
    state = 0.5 * rng.standard_normal((2 * layers, b))
    return [main, extra, state], (rng.integers(0, 2, (c, b)).astype(float),)
