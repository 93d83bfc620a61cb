import re

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn.recurrent import GRU, LSTM, RNN
from tests.nn.nn_checks import assert_derivatives, central_differences

KINDS = [RNN, LSTM, GRU]
X = np.random.default_rng(1).standard_normal((2, 4, 3))  # 2 sequences, 4 steps, 3 features


def layer(kind, inputs=3, units=2, seed=0, **settings):
    """A layer whose biases are not zero, so that they are seen to take part."""
    made = kind(inputs, units, np.random.default_rng(seed), **settings)
    rng = np.random.default_rng(5)
    for name, parameter in made.named_parameters():
        if "bias" in name:
            parameter.data = rng.uniform(-1, 1, parameter.shape).astype(parameter.dtype)
    return made


def sigma(x):
    return 1 / (1 + np.exp(-x))


def one_step(kind, weights, x, h, c):
    """One sequence, one step, unit by unit of the formula, with vectors and no stacking."""
    W, U, b = (v.data for v in (weights.input_weight, weights.state_weight, weights.bias))
    if kind is RNN:
        return np.tanh(x @ W[0] + h @ U[0] + b[0]), None
    if kind is LSTM:
        i, f, o, g = (x @ W[k] + h @ U[k] + b[k] for k in range(4))
        c = sigma(f) * c + sigma(i) * np.tanh(g)
        return sigma(o) * np.tanh(c), c
    r, z = (sigma(x @ W[k] + h @ U[k] + b[k]) for k in range(2))
    n = np.tanh(x @ W[2] + b[2] + r * (h @ U[2] + weights.state_bias.data))
    return (1 - z) * n + z * h, None


def states(result, kind):
    return list(result) if kind is LSTM else [result]


def in_form(parts, kind):
    return tuple(parts) if kind is LSTM else parts[0]


def recorded_since(variable):
    """How many operations were recorded after this Variable, and are alive."""
    return sum(v.number > variable.number for v in ag.tape())


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_formula_step_by_step(kind):
    made = layer(kind)
    rng = np.random.default_rng(2)
    start = [rng.standard_normal((1, 2, 2)) for _ in made.states]
    y, final = made(X, in_form(start, kind))
    for row in range(2):
        h, c = start[0][0, row], start[-1][0, row]
        for t in range(4):
            h, c = one_step(kind, made.directions[0], X[row, t], h, c)
            np.testing.assert_allclose(y.data[row, t], h, rtol=1e-13)
        ends = [part.data[0, row] for part in states(final, kind)]
        np.testing.assert_allclose(ends, [h, c][: len(ends)], rtol=1e-13)


def test_numbers_worked_out_by_hand():
    rnn, lstm, gru = (kind(1, 1, np.random.default_rng(0)) for kind in KINDS)
    for made in (rnn, lstm, gru):
        for parameter in made.parameters():
            parameter.data = np.zeros(parameter.shape)
    rnn.directions[0].input_weight.data = [[[1.0]]]
    rnn.directions[0].state_weight.data = [[[2.0]]]
    y, _ = rnn([[[0.5], [0.0]]])
    np.testing.assert_allclose(y.data.ravel(), [np.tanh(0.5), np.tanh(2 * np.tanh(0.5))])
    # all gates half open, nothing new: the cell is halved, and so is what is read of it
    _, (h, c) = lstm([[[7.0]]], (np.zeros((1, 1, 1)), np.full((1, 1, 1), 4.0)))
    np.testing.assert_allclose([h.item(), c.item()], [np.tanh(2.0) / 2, 2.0])
    _, h = gru([[[7.0]]], np.full((1, 1, 1), 4.0))
    assert h.item() == 2.0  # half of the state, half of n = 0


@pytest.mark.parametrize("kind", KINDS)
def test_layers_read_the_outputs_of_the_layer_below(kind):
    both = layer(kind, layers=2)
    lower, upper = layer(kind), layer(kind, inputs=2)
    lower.directions, upper.directions = both.directions[:1], both.directions[1:]
    y, final = both(X)
    below, first = lower(X)
    above, second = upper(below)
    np.testing.assert_array_equal(y.data, above.data)
    for part, one, two in zip(
        states(final, kind), states(first, kind), states(second, kind), strict=True
    ):
        np.testing.assert_array_equal(part.data, np.concatenate([one.data, two.data]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_second_direction_reads_backwards_from_a_state_of_its_own(kind):
    both = layer(kind, bidirectional=True)
    forward, reverse = layer(kind), layer(kind)
    forward.directions, reverse.directions = both.directions[:1], both.directions[1:]
    start = [np.random.default_rng(2).standard_normal((2, 2, 2)) for _ in both.states]
    y, final = both(X, in_form(start, kind))
    there, first = forward(X, in_form([part[:1] for part in start], kind))
    back, second = reverse(X[:, ::-1], in_form([part[1:] for part in start], kind))
    np.testing.assert_array_equal(y.data[..., :2], there.data)
    np.testing.assert_array_equal(y.data[..., 2:], back.data[:, ::-1])
    for part, one, two in zip(
        states(final, kind), states(first, kind), states(second, kind), strict=True
    ):
        np.testing.assert_array_equal(part.data, np.concatenate([one.data, two.data]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_axes_is_a_setting_and_the_state_does_not_change(kind):
    y, final = layer(kind, layers=2, bidirectional=True)(X)
    turned, same = layer(kind, layers=2, bidirectional=True, batch_first=False)(X.swapaxes(0, 1))
    np.testing.assert_array_equal(y.data, turned.data.swapaxes(0, 1))
    for a, b in zip(states(final, kind), states(same, kind), strict=True):
        assert a.shape == (4, 2, 2)
        np.testing.assert_array_equal(a.data, b.data)


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_carried_over_goes_on_as_if_never_cut(kind):
    made = layer(kind, layers=2)
    whole, end = made(X)
    first, state = made(X[:, :1])
    rest, cut_end = made(X[:, 1:], state)
    np.testing.assert_allclose(np.concatenate([first.data, rest.data], 1), whole.data, rtol=1e-14)
    for a, b in zip(states(end, kind), states(cut_end, kind), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-14)
    # undetached, the gradient is that of the whole
    expected = ag.gradients(np.sum(whole[:, -1] ** 2), made.parameters())
    carried = ag.gradients(np.sum(rest[:, -1] ** 2), made.parameters())
    for a, b in zip(expected, carried, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_a_detached_state_lets_the_past_go(kind):
    made = layer(kind)
    past = ag.Variable(X[:, :2], name="past")
    _, state = made(past)
    detached = in_form([part.detach() for part in states(state, kind)], kind)
    rest, _ = made(X[:, 2:], detached)
    constant = in_form([part.data for part in states(state, kind)], kind)
    other, _ = made(X[:, 2:], constant)
    assert not ag.gradients(np.sum(rest), past).any()
    expected = ag.gradients(np.sum(other), made.parameters())
    for a, b in zip(ag.gradients(np.sum(rest), made.parameters()), expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_carrying_a_detached_state_does_not_grow_the_tape(kind):
    made, state, lengths = layer(kind), None, []
    start = ag.Variable(0.0)
    for _ in range(4):
        y, state = made(X, state)
        np.sum(y).backward()
        state = in_form([part.detach() for part in states(state, kind)], kind)
        del y
        lengths.append(recorded_since(start))
    assert lengths == [len(made.states)] * 4  # the detaching, which remembers its source weakly


@pytest.mark.parametrize("settings", [{}, {"layers": 2, "bidirectional": True}], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_to_second_order(kind, settings):
    made = layer(kind, **settings)
    count = len(made.directions)

    def of_inputs(x):
        y, final = made(x)
        parts = [np.ravel(y), *(np.ravel(part) for part in states(final, kind))]
        return np.concatenate(parts)

    assert_derivatives(of_inputs, X[:, :3])

    def of_state(h):
        start = in_form([h] + [2 * h] * (len(made.states) - 1), kind)
        return made(X[:, :2], start)[0]

    assert_derivatives(of_state, np.random.default_rng(3).standard_normal((count, 2, 2)))


@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_by_every_parameter(kind):
    made = layer(kind, layers=2, bidirectional=True)
    weights = np.random.default_rng(4).standard_normal((2, 4, 4))
    np.sum(made(X)[0] * weights).backward()
    for name, parameter in made.named_parameters():
        start = np.array(parameter.data)

        def value(at, parameter=parameter):
            parameter.data = at
            with ag.no_grad():
                return float(np.sum(made(X)[0].data * weights))

        expected = central_differences(value, start)
        parameter.data = start
        np.testing.assert_allclose(
            parameter.grad, expected, rtol=1e-10, atol=1e-10, err_msg=f"{kind.__name__} {name}"
        )


def test_another_activation():
    made = layer(RNN, units=20, activation=nn.relu)
    y, _ = made(X[:, :1])
    W, bias = made.directions[0].input_weight.data[0], made.directions[0].bias.data[0]
    np.testing.assert_allclose(y.data[:, 0], np.maximum(X[:, 0] @ W + bias, 0), rtol=1e-14)
    assert (y.data == 0).any()
    assert (y.data > 0).any()


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_acts_between_layers_while_training(kind):
    made = layer(kind, units=50, layers=2, dropout=0.5)
    made.rng = np.random.default_rng(0)
    seen = []
    step = type(made).step

    class Watching(kind):
        def _run(self, x, state, weights, reverse):
            y, final = super()._run(x, state, weights, reverse)
            seen.append((np.asarray(x if isinstance(x, np.ndarray) else x.data), y.data))
            return y, final

    made.__class__ = Watching
    assert made.step.__func__ is step
    y, _ = made(X)
    (first, below), (second, _) = seen
    np.testing.assert_array_equal(first, X.swapaxes(0, 1))
    kept = second != 0
    np.testing.assert_array_equal(second[kept], 2 * below[kept])
    # 400 draws: the share is good to 0.025
    np.testing.assert_allclose(kept.mean(), 0.5, atol=0.1)

    made.rng = np.random.default_rng(0)
    np.testing.assert_array_equal(made(X)[0].data, y.data)  # the generator decides
    assert (made(X)[0].data != y.data).any()
    plain = layer(kind, units=50, layers=2)
    np.testing.assert_array_equal(made.eval()(X)[0].data, plain(X)[0].data)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_throughout(kind):
    settings = {"layers": 2, "bidirectional": True, "dropout": 0.2}
    single = layer(kind, dtype=np.float32, **settings).eval()
    y, final = single(X.astype(np.float32))
    assert {v.dtype for v in (y, *states(final, kind))} == {np.dtype(np.float32)}
    expected = layer(kind, **settings).eval()(X)[0].data
    np.testing.assert_allclose(y.data, expected, rtol=1e-5, atol=1e-6)
    since = ag.Variable(0.0)
    y, _ = single.train()(X.astype(np.float32))
    np.sum(y).backward()
    operations = [v for v in ag.tape() if v.number > since.number]
    assert len(operations) > 50
    assert {v.dtype for v in operations} == {np.dtype(np.float32)}
    assert {p.grad.dtype for p in single.parameters()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("kind", KINDS)
def test_initial_weights_and_names(kind):
    made = kind(3, 100, np.random.default_rng(0), layers=2, bidirectional=True, name="net")
    for direction in made.directions:
        for weight in (direction.input_weight, direction.state_weight):
            assert np.abs(weight.data).max() <= 0.1
            # the variance of a uniform number is limit²/3; 300 draws at least, good to 6 %
            np.testing.assert_allclose(weight.data.var(), 0.01 / 3, rtol=0.2)
        expected = np.zeros_like(direction.bias.data)
        if kind is LSTM:
            expected[1] = 1.0
        np.testing.assert_array_equal(direction.bias.data, expected)
    names = [direction.input_weight.name for direction in made.directions]
    assert names == ["net.0.W", "net.0.reversed.W", "net.1.W", "net.1.reversed.W"]
    assert kind(3, 2).directions[0].bias.name == "bias"
    y, _ = made(X)
    assert (y.scope.path, y.scope.formula) == ("net", kind.formula)
    same = kind(3, 100, np.random.default_rng(0), layers=2, bidirectional=True)
    np.testing.assert_array_equal(
        made.directions[3].state_weight.data, same.directions[3].state_weight.data
    )
    assert repr(made) == f"{kind.__name__}(3, 100, layers=2, bidirectional=True)"


def test_a_long_sequence_stays_finite_and_costs_what_its_steps_cost():
    lstm = LSTM(3, 4, np.random.default_rng(0))
    x = np.random.default_rng(1).standard_normal((2, 1000, 3))

    def recorded(steps):
        since = ag.Variable(0.0)
        y, state = lstm(x[:, :steps])
        return recorded_since(since), y, state

    counts = [recorded(steps)[0] for steps in (10, 11, 510, 1000)]
    each = counts[1] - counts[0]
    assert [n - counts[0] for n in counts] == [0, each, 500 * each, 990 * each]
    _, y, (h, c) = recorded(1000)
    np.sum(y**2).backward()
    for array in (y.data, h.data, c.data, *(p.grad for p in lstm.parameters())):
        assert np.isfinite(array).all()
        assert array.any()
    assert np.abs(y.data).max() < 1  # o·tanh(c)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [None, "net"])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("shape", [(2, 4, 5), (4, 3), (2, 4, 3, 1), (), (0, 4, 3), (2, 0, 3)])
def test_inputs_of_another_shape_name_layer_expected_and_received(kind, name, batch_first, shape):
    order = "batch, steps" if batch_first else "steps, batch"
    received = f"float64 array of shape {shape}" if shape else "float64 scalar"
    message = (
        f"{name or kind.__name__}: expected sequences of shape ({order}, 3), received: {received};"
    )
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        kind(3, 2, name=name, batch_first=batch_first)(np.zeros(shape))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(2, 2, 2), (1, 3, 2), (1, 2, 3), (2, 2), ()])
def test_a_state_of_another_shape_names_layer_expected_and_received(kind, shape):
    made = kind(3, 2, name="net")
    good, bad = np.zeros((1, 2, 2)), np.zeros(shape)
    symbol = made.states[-1]
    received = f"float64 array of shape {shape}" if shape else "float64 scalar"
    message = f"net: expected the state {symbol} of shape (1, 2, 2), "
    with pytest.raises(ValueError, match="^" + re.escape(message)) as caught:
        made(X, (good, bad) if kind is LSTM else bad)
    assert f"received: {received};" in str(caught.value)


@pytest.mark.parametrize("state", [np.zeros((1, 2, 2)), (np.zeros((1, 2, 2)),), "hc"])
def test_an_lstm_wants_both_states(state):
    with pytest.raises(TypeError, match=r"^LSTM: expected the state as a tuple \(h, c\), received"):
        LSTM(3, 2)(X, state)


@pytest.mark.parametrize("kind", KINDS)
def test_settings_out_of_range_are_refused(kind):
    for sizes in ((0, 2), (3, 0), (3, -1)):
        with pytest.raises(
            ValueError, match=f"^{kind.__name__}: (inputs|units) must be a whole number"
        ):
            kind(*sizes)
    with pytest.raises(
        ValueError, match="layers must be a whole number of at least 1, received: 0"
    ):
        kind(3, 2, layers=0)
    for rate in (1.0, -0.1, np.nan):
        with pytest.raises(
            ValueError, match="the rate of dropout must be from 0 up to but not inc"
        ):
            kind(3, 2, layers=2, dropout=rate)
    with pytest.raises(ValueError, match=r"dropout acts between layers, received 0\.5 for 1"):
        kind(3, 2, dropout=0.5)
    with pytest.raises(TypeError):
        kind(3, 2, unheard_of=1)
    with pytest.raises(TypeError, match="expected real numbers"):
        kind(3, 2)(X.astype(complex))


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_state_it_stands_in_a_row(kind):
    made = [kind(3, 5, np.random.default_rng(0), return_state=state) for state in (True, False)]
    y = made[1](X)
    np.testing.assert_array_equal(y.data, made[0](X)[0].data)
    assert repr(made[1]) == f"{kind.__name__}(3, 5, return_state=False)"
    assert nn.Sequential(made[1], nn.FullyConnected(5, 2))(X).shape == (*X.shape[:2], 2)


def test_the_formula_is_what_is_computed():
    relu = RNN(3, 2, activation=nn.relu)
    assert relu(X)[0].scope.formula == "hₜ = relu(xₜ·W + hₜ₋₁·U + bias)"
    assert repr(relu) == "RNN(3, 2, activation=relu)"
    assert RNN(3, 2)(X)[0].scope.formula == "hₜ = tanh(xₜ·W + hₜ₋₁·U + bias)"
    assert RNN(3, 2, activation=nn.ReLU()).formula == "hₜ = ReLU(xₜ·W + hₜ₋₁·U + bias)"
    # the state first, where a picture's frame has no room for the gates
    assert LSTM.formula.startswith("hₜ = o⊙tanh(cₜ), cₜ = f⊙cₜ₋₁ + i⊙g; ")
    assert "n = tanh(xₜ·W + bias + r⊙(hₜ₋₁·U + state_bias))" in GRU.formula


def test_another_kind_of_numbers_is_refused_by_name():
    with pytest.raises(TypeError, match=r"expected real numbers, .* \(in scope 'speech'\)$"):
        LSTM(3, 2, name="speech")(X + 1j)
