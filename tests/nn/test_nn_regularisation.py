import numpy as np
import pytest

import autograd_lite as ag
import nn
from tests.nn.nn_checks import assert_derivatives


def test_the_loss_of_lecture_5_with_a_penalty_on_both_weight_matrices():
    r = np.random.default_rng(6)
    X = r.standard_normal((5, 2))
    T = np.eye(3)[[0, 1, 2, 0, 1]]
    network = nn.Network(
        nn.FullyConnected(2, 4, r), nn.ReLU(), nn.FullyConnected(4, 3, r), loss=nn.CrossEntropy()
    )
    weights = [network.layers[0].weight, network.layers[2].weight]
    biases = [network.layers[0].bias, network.layers[2].bias]
    data = nn.cross_entropy_from_logits(network(X), T)
    without = ag.gradients(data, [*weights, *biases])
    for penalty, slope, size in [
        (nn.l2_penalty, lambda W: 2 * W, np.square),
        (nn.l1_penalty, np.sign, np.abs),
    ]:
        omega = penalty(weights)
        np.testing.assert_allclose(
            omega.item(), sum(size(W.data).sum() for W in weights), rtol=1e-15
        )
        found = ag.gradients(data + 0.01 * omega, [*weights, *biases])
        for W, g, plain in zip(weights, found, without, strict=False):
            np.testing.assert_allclose(g, plain + 0.01 * slope(W.data), rtol=1e-14, atol=1e-16)
        for g, plain in zip(found[2:], without[2:], strict=True):
            np.testing.assert_array_equal(g, plain)
        assert_derivatives(
            lambda W, p=penalty: p(ag.Variable(W) if type(W) is np.ndarray else W), X
        )


def test_penalties_take_variables():
    W = ag.Variable(np.array([1.0, -2.0], np.float32))
    assert nn.l2_penalty(W).item() == nn.l2_penalty(v for v in [W]).item() == 5
    assert nn.l1_penalty([W, ag.Variable(-3.0)]).item() == 6
    assert nn.l1_penalty([W]).dtype == np.float32
    for penalty in (nn.l1_penalty, nn.l2_penalty):
        with pytest.raises(ValueError, match=f"{penalty.__name__}: there are no parameters"):
            penalty([])
        with pytest.raises(TypeError, match="parameter 1 is a float64 array"):
            penalty([W, np.ones(2)])
        with pytest.raises(TypeError, match=r"pass its parameters\(\)"):
            penalty(nn.FullyConnected(2, 1))
        with pytest.raises(ValueError, match=r"parameter 1, .*, was given twice and would count"):
            penalty([W, W])
