"""What is not finite in training is told with its place, and what it spoilt is undone."""

import re

import numpy as np
import pytest

import autograd_lite as ag
import nn
from tests.nn.training_models import assert_same, fit, line, model, trainer


def test_nan_in_the_first_batch_leaves_parameters_and_buffers_as_they_were():
    module = model()
    before = module.state_dict()
    found = trainer(module, lambda x, t: nn.cross_entropy_from_logits(x, t) * np.inf)
    with pytest.raises(
        FloatingPointError, match=r"^fit: the loss is inf in epoch 1, batch 1: every"
    ):
        fit(found)
    assert_same(module.state_dict(), before)


def test_nan_later_goes_back_to_where_the_loss_was_finite_buffers_too():
    module, states = model(dropout=0), []
    forward = module.forward

    def watched(x):
        states.append(module.state_dict())
        return forward(x)

    def loss(x, t):
        return nn.cross_entropy_from_logits(x, t) * (np.nan if len(states) == 4 else 1)

    module.forward = watched

    found = trainer(module, loss)
    with pytest.raises(
        FloatingPointError, match=r"^fit: the loss is nan in epoch 1, batch 4: every"
    ):
        fit(found)
    assert_same(module.state_dict(), states[2])  # the third step is undone, the second is not
    assert (states[2]["layers.1.running_mean"] != states[1]["layers.1.running_mean"]).all()
    assert found.history == {}
    assert len(found.batch_losses) == 3


def test_what_was_assigned_between_two_trainings_is_what_it_goes_back_to():
    found = line()
    X = np.ones((4, 1))
    fit(found, X, X)
    found.module.weight.data = [[5.0]]
    found.loss = lambda x, t: np.mean(x) * np.nan
    with pytest.raises(FloatingPointError, match="loss is nan in epoch 3, batch 1"):
        fit(found, X, X)
    assert found.module.weight.item() == 5.0


def test_a_step_that_breaks_the_parameters_is_noticed_before_anybody_is_told(tmp_path):
    class Log(nn.Callback):
        def on_epoch_end(self, trainer):
            raise AssertionError("it was told")

    found = line(lambda x, t: np.mean(np.sqrt(x - x)), callbacks=[Log()])
    before = found.module.state_dict()
    with pytest.raises(
        FloatingPointError,
        match=r"^fit: fc\.W and fc\.bias are not finite after the last step of e",
    ):
        fit(found, np.ones((4, 1)), np.ones((4, 1)), validation=0.5)
    assert_same(found.module.state_dict(), before)
    assert found.history == {}


def test_a_buffer_that_overflows_is_noticed():
    class Summing(nn.Module):
        def __init__(self):
            self.total = ag.Variable(1.0, "sums.total", requires_grad=False)

        def forward(self, x):
            self.total.data = self.total.data + np.sum(x**2)
            return x / 1e160

    module = nn.Sequential(Summing(), nn.FullyConnected(1, 1))
    X = np.array([[-1e160], [1e160]])
    with pytest.raises(FloatingPointError, match=r"sums\.total is not finite after the"):
        fit(trainer(module, nn.mean_squared_error), X, X / 1e160, batch_size=2)
    assert module.layers[0].total.item() == 1.0


def test_what_a_layer_finds_itself_takes_the_module_back_as_well():
    rng = np.random.default_rng(0)
    module = nn.Sequential(nn.FullyConnected(1, 2, rng), nn.BatchNorm(2), nn.FullyConnected(2, 1))
    before = module.state_dict()

    class Spoil(nn.Callback):
        def on_batch_end(self, trainer):
            module.layers[0].weight.data = np.full((1, 2), 1e300)

    found = trainer(module, nn.mean_squared_error, callbacks=[Spoil()])
    X = np.array([[-1e10], [1e10]])
    with pytest.raises(FloatingPointError, match=r"^BatchNorm: expected finite") as caught:
        fit(found, X, X / 1e10, batch_size=2, epochs=2)
    assert caught.value.__notes__[-1].startswith("fit: in epoch 2, batch 1; ")
    assert_same(module.state_dict(), before)


def test_a_buffer_is_named_with_its_layer():
    network = nn.Network(nn.FullyConnected(1, 1), nn.BatchNorm(1), loss=nn.mean_squared_error)
    network.layers[1].running_mean.data = [np.inf]
    message = "running_mean in layer 1, norm is not finite after the last step of epoch 1; lower"
    with pytest.raises(FloatingPointError, match=message):
        fit(trainer(network, nn.mean_squared_error), np.ones((4, 1)), np.ones((4, 1)))


def test_a_module_that_is_no_row_of_layers_is_looked_at_by_its_tape():
    class Model(nn.Module):
        layers = 3  # as in nn.LSTM, not what is called

        def __init__(self):
            self.first, self.second = nn.FullyConnected(1, 2), nn.FullyConnected(2, 1)
            self.first.name, self.second.name = "first", "second"
            self.embedded = nn.Function(np.log, name="logarithm")

        def forward(self, x):
            return self.second(self.embedded(self.first(x) * 0 - 1))

    message = "the first result that is not finite is that of log in Model/logarithm; lower the"
    with pytest.raises(FloatingPointError, match=message):
        fit(trainer(Model(), nn.mean_squared_error), np.ones((4, 1)), np.ones((4, 1)))
    broken = Model()
    broken.embedded = nn.Tanh()
    broken.second.bias.data = [np.nan]
    message = r"that of add in Model/second, as bias in second is not finite"
    with pytest.raises(FloatingPointError, match=message):
        fit(trainer(broken, nn.mean_squared_error), np.ones((4, 1)), np.ones((4, 1)))


def test_a_layer_with_several_results_is_looked_at_too():
    rng = np.random.default_rng(0)
    last = nn.Function(lambda results: np.log(results[0][:, -1] * 0), name="last")
    module = nn.Sequential(nn.LSTM(1, 2, rng), last)
    with pytest.raises(FloatingPointError, match=r"is that of layer 1, last; lower the learning"):
        fit(trainer(module, nn.mean_squared_error), np.ones((4, 3, 1)), np.ones((4, 2)))


# --- gradients ------------------------------------------------------------------------------------


def root_of_zero(x):
    """0, with an infinite slope: the loss stays finite."""
    return x + np.sqrt(x * 0)


@pytest.mark.parametrize("rows", [4, 8])
def test_a_gradient_that_is_not_finite_is_blamed_and_not_the_loss_or_the_rate(rows):
    """Noticed at the next loss, or at the end of the epoch; the layers behind the root are fine."""
    rng = np.random.default_rng(0)
    module = nn.Network(
        nn.FullyConnected(1, 2, rng),
        nn.FullyConnected(2, 2, rng),
        nn.Function(root_of_zero),
        nn.FullyConnected(2, 1, rng),
    )
    before = module.state_dict()
    where = (
        "the loss is nan in epoch 1, batch 2: "
        if rows == 8
        else "fc1.W and fc1.bias and fc2.W and fc2.bias are not finite after the last step of ep"
        "och 1; "
    )
    message = (
        f"fit: {where}the gradients of fc2.W and fc2.bias in layer 1, fc2, and of 2 parameters "
        f"before it, were not finite in the last step, though its loss was: a slope is infinite, "
        f"as that of sqrt or log at 0, or too large; ag.debug() around a step of the plain loop "
        f"names the operation"
    )
    found = trainer(module, nn.mean_squared_error, nn.Adam(module.parameters()))
    with pytest.raises(FloatingPointError, match="^" + re.escape(message) + "$"):
        fit(found, np.ones((rows, 1)), np.ones((rows, 1)), batch_size=4)
    assert_same(module.state_dict(), before)
    with ag.debug(), np.errstate(all="ignore"):  # as the message says
        loss = nn.mean_squared_error(module(np.ones((4, 1))), np.ones((4, 1)))
        with pytest.raises(FloatingPointError, match="sqrt"):
            loss.backward()


def test_a_gradient_in_a_module_that_is_no_row_of_layers_is_named_with_its_place():
    class Model(nn.Module):
        def __init__(self):
            self.inner = nn.FullyConnected(1, 1, np.random.default_rng(0), name="inner")

        def forward(self, x):
            return root_of_zero(self.inner(x))

    message = r"the gradients of inner\.W and inner\.bias in inner, were not finite in the las"
    with pytest.raises(FloatingPointError, match=message):
        fit(trainer(Model(), nn.mean_squared_error), np.ones((9, 1)), np.ones((9, 1)))


def test_a_rate_that_is_too_large_is_blamed_still():
    X = np.full((8, 1), 10.0)
    with pytest.raises(FloatingPointError, match="lower the learning rate, or scale the data"):
        fit(line(rate=1e307), X, X)


def test_a_step_of_ones_own_raises_what_fit_raises():
    found = line(lambda p, t: nn.mean_squared_error(p, t) * np.nan)
    with pytest.raises(FloatingPointError, match=r"^fit: the loss is nan$"):
        found.step(np.ones((2, 1)), np.ones((2, 1)))
