import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn import cheat_sheets
from tests.nn.nn_checks import central_differences

rng = np.random.default_rng(11)
X = rng.uniform(-2, 2, (5, 3))
W, BIAS = rng.standard_normal((3, 4)), rng.standard_normal(4)
P = nn.softmax(X / 4)  # not small: the fifth derivative of log x is 24/x⁵
T = nn.softmax(rng.standard_normal((5, 3)))
FULLY_CONNECTED = cheat_sheets.FullyConnected(W, BIAS)
LAYERS = [FULLY_CONNECTED, cheat_sheets.Sigmoid(), cheat_sheets.Softmax()]
LOSSES = [cheat_sheets.CrossEntropy(), cheat_sheets.MeanSquaredError()]


def cotangent(shape):
    return np.random.default_rng(2).standard_normal(shape)


def title(sheet):
    return sheet.title


@pytest.mark.parametrize("sheet", LAYERS, ids=title)
@pytest.mark.parametrize("data", [X, X[0]], ids=["batch", "sample"])
def test_backward_is_the_derivative_of_forward(sheet, data):
    dY = cotangent(sheet.forward(data).shape)
    numeric = central_differences(lambda at: float(np.sum(sheet.forward(at) * dY)), data)
    np.testing.assert_allclose(sheet.backward(data, dY), numeric, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("data", [X, X[0]], ids=["batch", "sample"])
def test_update_is_the_derivative_by_the_parameters(data):
    dY = cotangent((*data.shape[:-1], 4))

    def loss(weight, bias):
        return float(np.sum(cheat_sheets.FullyConnected(weight, bias).forward(data) * dY))

    dW, dbias = FULLY_CONNECTED.update(data, dY)
    for found, numeric in [
        (dW, central_differences(lambda w: loss(w, BIAS), W)),
        (dbias, central_differences(lambda b: loss(W, b), BIAS)),
    ]:
        np.testing.assert_allclose(found, numeric, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("sheet", LOSSES, ids=title)
@pytest.mark.parametrize("one", [slice(None), 0], ids=["batch", "sample"])
def test_backward_of_a_loss_is_its_derivative(sheet, one):
    data, targets = P[one], T[one]
    numeric = central_differences(lambda at: float(np.mean(sheet.forward(at, targets))), data)
    rows = data.size // 3
    np.testing.assert_allclose(sheet.backward(data, targets, dL=1 / rows), numeric, rtol=1e-8)
    dL = cotangent(data.shape[:-1])
    np.testing.assert_allclose(
        sheet.backward(data, targets, dL), sheet.backward(data, targets) * dL[..., None]
    )


def test_softmax_backward_is_the_full_jacobian_row_by_row():
    sheet = cheat_sheets.Softmax()
    dY = cotangent(X.shape)
    J = sheet.jacobian(X)
    assert J.shape == (5, 3, 3)
    y = sheet.forward(X)
    for row in range(5):
        np.testing.assert_allclose(J[row], np.diag(y[row]) - np.outer(y[row], y[row]), atol=1e-16)
        np.testing.assert_allclose(dY[row] @ J[row], sheet.backward(X, dY)[row], atol=1e-15)


def test_the_lectures_numbers():
    softmax = cheat_sheets.Softmax().forward(np.array([2.0, 1.0, 0.1]))
    np.testing.assert_array_equal(softmax.round(1), [0.7, 0.2, 0.1])
    assert cheat_sheets.Sigmoid().forward(np.zeros(1)) == 0.5
    assert cheat_sheets.MeanSquaredError().forward(np.array([3.0, 1.0]), np.zeros(2)) == 5.0


def test_cross_entropy_of_a_term_with_t_zero_is_zero():
    sheet = cheat_sheets.CrossEntropy()
    x, t = np.array([0.0, 1.0]), np.array([0, 1])
    assert sheet.forward(x, t) == 0.0
    np.testing.assert_array_equal(sheet.backward(x, t), [0, -1])


def test_the_sheets_agree_with_the_tape_on_every_step_of_a_batch():
    layer = nn.FullyConnected(3, 4, np.random.default_rng(0))
    x = ag.Variable(X)
    y = layer(x)
    z = nn.sigmoid(y)
    e = nn.softmax(z)
    t = np.eye(4)[[0, 1, 2, 3, 0]]
    loss = nn.cross_entropy(e, t)
    loss.backward(retain_grads=True)

    fully_connected = cheat_sheets.FullyConnected(layer.weight.data, layer.bias.data)
    de = LOSSES[0].backward(e.data, t, dL=1 / 5)
    dz = LAYERS[2].backward(z.data, de)
    dy = LAYERS[1].backward(y.data, dz)
    dx = fully_connected.backward(X, dy)
    dW, dbias = fully_connected.update(X, dy)
    for variable, formula in [
        (e, de),
        (z, dz),
        (y, dy),
        (x, dx),
        (layer.weight, dW),
        (layer.bias, dbias),
    ]:
        largest = np.abs(formula).max()
        np.testing.assert_allclose(variable.grad, formula, rtol=0, atol=1e-14 * largest)


@pytest.mark.parametrize("sheet", LAYERS + LOSSES, ids=title)
def test_a_sheet_prints_its_title_and_every_formula(sheet):
    text = str(sheet)
    assert text.startswith(sheet.title)
    assert len(text.splitlines()) == 1 + len(sheet.formulas)
    assert all(step in text and formula in text for step, formula in sheet.formulas.items())
    assert set(sheet.formulas) >= {"forward", "backward"}
    assert ("update" in sheet.formulas) == hasattr(sheet, "update")


def test_layers_show_the_formula_of_their_sheet():
    for layer in ("FullyConnected", "Sigmoid", "Softmax", "CrossEntropy"):
        assert getattr(nn, layer).formula == getattr(cheat_sheets, layer).formulas["forward"]
