"""The worked examples of lectures 1 and 5, with every number of their walk-throughs."""

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn import cheat_sheets

# --- lecture 1: 2 → 3 → sigmoid → 2 → softmax → cross entropy, one sample ---------------------
# The lecture has symbols only; these numbers are ours.

A = np.array([0.5, -1.5])
W1, BIAS1 = np.array([[0.1, -0.4, 0.7], [0.8, 0.3, -0.2]]), np.array([0.05, -0.1, 0.2])
W2, BIAS2 = np.array([[0.6, -0.5], [-0.3, 0.9], [0.2, 0.4]]), np.array([-0.15, 0.25])
T = np.array([1.0, 0.0])


def the_network():
    network = nn.Network(
        nn.FullyConnected(2, 3),
        nn.Sigmoid(),
        nn.FullyConnected(3, 2),
        nn.Softmax(),
        loss=nn.CrossEntropy(),
    )
    for parameter, value in zip(network.parameters(), (W1, BIAS1, W2, BIAS2), strict=True):
        parameter.data = value
    return network


def by_hand():
    """Every value and δ of the example, as the lecture derives them, without layers or sheets."""
    b = A @ W1 + BIAS1
    c = 1 / (1 + np.exp(-b))
    d = c @ W2 + BIAS2
    e = np.exp(d) / np.exp(d).sum()
    loss = -(T * np.log(e)).sum()
    de = -T / e
    dd = de @ (np.diag(e) - np.outer(e, e))
    dc = dd @ W2.T
    db = dc * c * (1 - c)
    da = db @ W1.T
    gradients = {
        "fc1.W": np.outer(A, db),
        "fc1.bias": db,
        "fc2.W": np.outer(c, dd),
        "fc2.bias": dd,
    }
    return loss, {"a": da, "b": db, "c": dc, "d": dd, "e": de}, gradients


def by_sheet():
    """The same from the five cheat sheets."""
    fc1, fc2 = cheat_sheets.FullyConnected(W1, BIAS1), cheat_sheets.FullyConnected(W2, BIAS2)
    sigmoid, softmax, entropy = (
        cheat_sheets.Sigmoid(),
        cheat_sheets.Softmax(),
        cheat_sheets.CrossEntropy(),
    )
    b = fc1.forward(A)
    c = sigmoid.forward(b)
    d = fc2.forward(c)
    e = softmax.forward(d)
    de = entropy.backward(e, T)
    dd = softmax.backward(d, de)
    dc = fc2.backward(c, dd)
    db = sigmoid.backward(b, dc)
    da = fc1.backward(A, db)
    (dW1, dbias1), (dW2, dbias2) = fc1.update(A, db), fc2.update(c, dd)
    gradients = {"fc1.W": dW1, "fc1.bias": dbias1, "fc2.W": dW2, "fc2.bias": dbias2}
    return entropy.forward(e, T), {"a": da, "b": db, "c": dc, "d": dd, "e": de}, gradients


@pytest.mark.parametrize("derivation", [by_hand, by_sheet])
def test_lecture_1_every_delta_and_every_update(derivation):
    expected_loss, deltas, gradients = derivation()
    network = the_network()
    values = {"a": ag.Variable(A)}
    for before, after, layer in zip("abcd", "bcde", network.layers, strict=True):
        values[after] = layer(values[before])
    loss = network.loss(values["e"], T)
    loss.backward(retain_grads=True)
    np.testing.assert_allclose(loss.item(), expected_loss, rtol=1e-15)
    for name, delta in deltas.items():
        np.testing.assert_allclose(values[name].grad, delta, rtol=1e-14, err_msg=f"δ{name}")
    assert [p.name for p in network.parameters()] == list(gradients)
    for parameter in network.parameters():
        gradient = gradients[parameter.name]
        np.testing.assert_allclose(parameter.grad, gradient, rtol=1e-14, err_msg=parameter.name)


def test_lecture_1_one_step_of_sgd_lowers_the_loss():
    network = the_network()
    loss = network.loss(network(A), T)
    loss.backward()
    nn.SGD(network.parameters(), 0.1).step()
    _, _, gradients = by_hand()
    np.testing.assert_allclose(network.layers[0].weight.data, W1 - 0.1 * gradients["fc1.W"])
    assert network.loss(network(A), T).item() < loss.item()


# --- lecture 5: the Iris walk-through ---------------------------------------------------------

X, Y = np.array([1.8, 0.5]), np.array([1.0, 0.0, 0.0])


def iris():
    """Hidden activation a1, logits and the second weight; the slide's columns are rows here."""
    hidden, output = nn.FullyConnected(2, 2), nn.FullyConnected(2, 3)
    hidden.weight.data = np.array([[0.1, -0.2], [0.4, 0.6]]).T
    hidden.bias.data = np.array([0.2, -0.3])
    output.weight.data = np.array([[0.3, -0.3], [0.2, 0.1], [0.3, -0.2]]).T
    output.bias.data = np.array([-0.1, -0.5, -0.4])
    a1 = nn.relu(hidden(X))
    return a1, output(a1), output.weight


def test_lecture_5_forward():
    a1, logits, _ = iris()
    np.testing.assert_allclose(a1.data, [0.28, 0.72], rtol=1e-14)
    np.testing.assert_array_equal(logits.data.round(2), [-0.23, -0.37, -0.46])
    # the slide cuts 0.326 to 0.32
    np.testing.assert_array_equal(nn.softmax(logits).data.round(3), [0.375, 0.326, 0.299])


def test_lecture_5_backward_of_its_own_loss_recomputed():
    _, logits, W = iris()
    y = nn.softmax(logits)
    loss = -np.sum(Y * np.log(y) + (1 - Y) * np.log(1 - y))
    dy, dW = ag.gradients(loss, [y, W])
    # the slide has 0.74, (−2.63, −1.47, −1.43) and other signs in ∂W: it is not this gradient
    assert round(loss.item(), 2) == 1.73
    np.testing.assert_array_equal(dy.round(2), [-2.67, 1.48, 1.43])
    np.testing.assert_array_equal(dW.T.round(3), [[-0.271, -0.696], [0.144, 0.370], [0.127, 0.326]])


def test_lecture_5_backward_of_plain_cross_entropy():
    _, logits, W = iris()
    expected = [[-0.175, -0.450], [0.091, 0.235], [0.084, 0.215]]
    for loss in (nn.cross_entropy(nn.softmax(logits), Y), nn.cross_entropy_from_logits(logits, 0)):
        np.testing.assert_array_equal(ag.gradients(loss, W).T.round(3), expected)


def test_lecture_5_the_jacobian_is_full_not_diagonal():
    _, logits, _ = iris()
    J = cheat_sheets.Softmax().jacobian(logits.data)
    # the slide has (.23, .22, .21), from factors that were rounded first
    np.testing.assert_allclose(np.diag(J), [0.23, 0.22, 0.21], atol=0.01)
    np.testing.assert_allclose(J.sum(axis=1), 0, atol=1e-16)  # so that the rest cannot be zero
