import re

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn.containers import Function, NetworkInNetwork, Parallel, Residual, Sequential
from nn.dropout import Dropout
from nn.layers import Flatten
from nn.normalisation import BatchNorm
from tests.nn.nn_checks import assert_derivatives

RNG = np.random.default_rng(2)
X, IMAGES = RNG.standard_normal((5, 3)), RNG.standard_normal((2, 3, 4, 5))


TWO = ag.Variable(2.0)


def fc(inputs, outputs, seed=0):
    return nn.FullyConnected(inputs, outputs, np.random.default_rng(seed))


def paths(module):
    return [path for path, _ in module.named_parameters()]


# --- any function ---------------------------------------------------------------------------------


def test_a_function_is_a_module_that_is_recorded():
    square, v = Function(np.square, formula="Y = X²"), ag.Variable(X)
    y = square(v)
    np.testing.assert_array_equal(y.data, X**2)
    np.testing.assert_array_equal(ag.gradients(np.sum(y), v), 2 * X)
    assert (y.scope.path, y.scope.formula) == ("square", "Y = X²")
    assert Function(np.add)(X, v).scope.path == "add"
    np.testing.assert_array_equal(Function(np.sum)(X, axis=0), X.sum(0))
    assert_derivatives(Function(np.tanh), X)


def test_names_and_repr_of_functions():
    assert Function(lambda x: x * TWO)(X).scope.path == "Function"
    assert Function(lambda x: x * TWO, name="twice")(X).scope.path == "twice"
    assert repr(Function(np.tanh)) == "Function(tanh)"
    assert repr(Function(lambda x: x)) == "Function(<lambda>)"
    assert repr(Function(np.vectorize(abs))) == "Function(abs)"
    with pytest.raises(TypeError, match=r"^Function: expected a function, received: int 3"):
        Function(3)


# --- in a row -------------------------------------------------------------------------------------


def test_sequential_calls_one_module_with_the_result_of_the_other():
    first, second = fc(3, 4), fc(4, 2, 1)
    row = Sequential(first, nn.Tanh(), second)
    np.testing.assert_array_equal(row(X).data, second(np.tanh(first(X))).data)
    assert paths(row) == [f"layers.{n}.{p}" for n in (0, 2) for p in ("weight", "bias")]
    assert_derivatives(row, X)
    assert row(X).scope.path == "Sequential/FullyConnected"
    inner = Sequential(Function(np.multiply), nn.Tanh(), name="product")
    np.testing.assert_array_equal(inner(X, X), np.tanh(X * X))
    assert inner(ag.Variable(X), X).scope.path == "product/Tanh"


def test_sequential_passes_float32_and_modes_on():
    row = Sequential(nn.FullyConnected(3, 2, dtype=np.float32), Dropout(0.5), nn.Tanh())
    assert row(X.astype(np.float32)).dtype == np.float32
    row.eval()
    np.testing.assert_array_equal(row(X).data, row(X).data)


def test_a_module_used_twice_counts_once_and_its_gradients_add_up():
    shared = fc(3, 3)
    row = Sequential(shared, nn.Tanh(), shared)
    assert paths(row) == ["layers.0.weight", "layers.0.bias"]
    assert len(list(row.named_modules())) == 2
    np.sum(row(X)).backward()
    copies = fc(3, 3), fc(3, 3)
    np.sum(copies[1](np.tanh(copies[0](X)))).backward()
    both = copies[0].weight.grad + copies[1].weight.grad
    np.testing.assert_allclose(shared.weight.grad, both, rtol=1e-13)


def test_a_row_has_the_paths_of_a_network():
    row = Sequential(fc(3, 4), nn.Tanh(), fc(4, 2, 1))
    network = nn.Network(fc(3, 4, 2), nn.Tanh(), fc(4, 2, 3), loss=nn.MeanSquaredError())
    network.load_state_dict(row.state_dict())
    np.testing.assert_array_equal(network(X).data, row(X).data)


# --- around a shortcut ----------------------------------------------------------------------------


def test_residual_adds_the_input():
    layer = fc(3, 3)
    block, x = Residual(layer, nn.Tanh()), ag.Variable(X)
    y = block(x)
    np.testing.assert_array_equal(y.data, np.tanh(layer(X).data) + X)
    assert (y.scope.path, y.scope.formula) == ("Residual", "Y = F(X) + X")
    J = ag.jacobian(Residual(layer))(X[0])  # a Variable, as it depends on the weight
    np.testing.assert_allclose(J.data, layer.weight.data.T + np.eye(3), rtol=1e-15)
    assert_derivatives(block, X)


def test_the_shortcut_may_be_a_module():
    layer, shortcut = fc(3, 2), fc(3, 2, 1)
    block = Residual(layer, shortcut=shortcut, name="block")
    np.testing.assert_array_equal(block(X).data, layer(X).data + shortcut(X).data)
    assert paths(block) == ["layers.0.weight", "layers.0.bias", "shortcut.weight", "shortcut.bias"]
    assert block(X).scope.formula == "Y = F(X) + S(X)"
    assert block(X).scope.path == "block"


def test_residual_block_of_images_with_another_number_of_channels():
    rng = np.random.default_rng(0)
    block = Residual(
        nn.Convolution2D(3, 4, 3, rng, padding="same"),
        BatchNorm(4),
        nn.ReLU(),
        shortcut=nn.Convolution2D(3, 4, 1, rng),
    )
    first, norm, _ = block.layers
    expected = np.maximum(norm(first(IMAGES)).data, 0) + block.shortcut(IMAGES).data
    np.testing.assert_allclose(block(IMAGES).data, expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        # broadcasting would go through both
        (Residual(fc(3, 1)), "Residual: the layers give shape (5, 1), and the input has (5, 3)"),
        (
            Residual(fc(3, 3), shortcut=fc(3, 1), name="r"),
            "r: the layers give shape (5, 3), and the shortcut has (5, 1)",
        ),
    ],
)
def test_shapes_that_differ_are_not_broadcast_over_a_shortcut(block, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        block(X)


# --- side by side ---------------------------------------------------------------------------------


def test_branches_are_added():
    left, right = fc(3, 2), fc(3, 2, 1)
    both = Parallel(left, Sequential(right, nn.Tanh()))
    y = both(X)
    np.testing.assert_array_equal(y.data, left(X).data + both.branches[1](X).data)
    assert (y.scope.path, y.scope.formula) == ("Parallel", "Y = Σᵢ fᵢ(X)")
    assert_derivatives(both, X)


def test_branches_are_concatenated_along_features_or_channels():
    left, right = fc(3, 2), fc(3, 4, 1)
    both = Parallel(left, right, merge="concatenate")
    np.testing.assert_array_equal(both(X).data, np.hstack([left(X).data, right(X).data]))
    assert paths(both)[2] == "branches.1.weight"
    assert both(X).scope.formula == "Y = [f₁(X), f₂(X), …]"
    assert_derivatives(lambda x: np.tanh(both(x)), X)
    rng = np.random.default_rng(0)
    inception = Parallel(
        nn.Convolution2D(3, 2, 1, rng),
        nn.Convolution2D(3, 4, 3, rng, padding="same"),
        nn.Linear(),
        merge="concatenate",
    )
    assert inception(IMAGES).shape == (2, 9, 4, 5)
    np.testing.assert_array_equal(inception(IMAGES).data[:, 6:], IMAGES)
    last = Parallel(nn.Linear(), nn.Linear(), merge="concatenate", axis=-1)
    assert last(IMAGES).shape == (2, 3, 4, 10)


def test_branches_are_merged_by_any_function_or_module():
    gate = Parallel(Sequential(fc(3, 2), nn.Sigmoid()), fc(3, 2, 1), merge=np.multiply)
    left, right = gate.branches
    np.testing.assert_array_equal(gate(X).data, left(X).data * right(X).data)
    assert gate(X).scope.formula is None
    with_parameters = Parallel(nn.Linear(), merge=fc(3, 2))
    np.testing.assert_array_equal(with_parameters(X).data, fc(3, 2)(X).data)
    assert paths(with_parameters) == ["merge.weight", "merge.bias"]
    two = Parallel(Function(np.add), Function(np.multiply))
    np.testing.assert_array_equal(two(X, 3.0), X + 3 + X * 3)
    np.testing.assert_array_equal(Parallel(nn.Linear())(X), X)


def test_a_graph_that_branches_and_joins_has_the_gradient_of_all_paths():
    """Lecture 2: dz/dxᵢ = Σⱼ dz/dyⱼ·dyⱼ/dxᵢ, over all paths."""
    a, b, c = fc(3, 3), fc(3, 3, 1), fc(6, 2, 2)
    graph = Sequential(
        Parallel(Sequential(a, nn.Tanh()), Residual(b), merge="concatenate"),
        c,
    )
    x = X[0]
    C = c.weight.data
    slope_a = (1 - np.tanh(a(x).data) ** 2)[:, None] * a.weight.data.T
    expected = C[:3].T @ slope_a + C[3:].T @ (b.weight.data.T + np.eye(3))
    joined = ag.jacobian(lambda x: graph(x[None])[0])(x)
    np.testing.assert_allclose(joined.data, expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("branches", "settings", "message"),
    [
        (
            [fc(3, 1), fc(3, 2)],
            {},
            "Parallel: to sum the branches, expected one shape, received shapes (5, 1) and (5, 2)",
        ),
        (
            [fc(3, 2), Function(lambda x: np.zeros((4, 2)))],
            {"merge": "concatenate", "name": "split"},
            "split: to concatenate the branches, expected equal lengths but on axis 1, received "
            "shapes (5, 2) and (4, 2)",
        ),
        (
            [nn.Linear(), Function(lambda x: np.zeros(5))],
            {"merge": "concatenate"},
            "Parallel: to concatenate the branches, expected equal lengths but on axis 1, received "
            "shapes (5, 3) and (5,)",
        ),
        (
            [nn.Linear(), Function(lambda x: x[None])],
            {"merge": "concatenate", "axis": -1},
            "Parallel: to concatenate the branches, expected equal lengths but on axis -1",
        ),
    ],
)
def test_results_that_do_not_fit_are_refused(branches, settings, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        Parallel(*branches, **settings)(X)


def test_other_words_for_merging_are_refused():
    with pytest.raises(ValueError, match="merge must be 'sum', 'concatenate' or a function, recei"):
        Parallel(nn.Linear(), merge="mean")
    with pytest.raises(ValueError, match="merge must be 'sum', 'concatenate' or a function, recei"):
        Parallel(nn.Linear(), merge=["sum"])


# --- network in network ---------------------------------------------------------------------------


def test_network_in_network_is_a_perceptron_at_every_window():
    mlp = NetworkInNetwork(3, (4, 2), 3, np.random.default_rng(0))
    first, _, second, _ = mlp.layers
    first.bias.data, second.bias.data = RNG.standard_normal(4), RNG.standard_normal(2)
    y = mlp(IMAGES)
    assert y.shape == (2, 2, 2, 3)
    for n, i, j in np.ndindex(2, 2, 3):
        window = IMAGES[n, :, i : i + 3, j : j + 3].ravel()
        hidden = np.maximum(first.weight.data.reshape(4, -1) @ window + first.bias.data, 0)
        out = np.maximum(second.weight.data.reshape(2, 4) @ hidden + second.bias.data, 0)
        np.testing.assert_allclose(y.data[n, :, i, j], out, rtol=1e-12, atol=1e-14)


def test_a_1x1_convolution_is_a_fully_connected_layer_at_every_place():
    conv, layer = nn.Convolution2D(3, 4, 1, np.random.default_rng(0)), fc(3, 4)
    layer.weight.data = conv.weight.data[:, :, 0, 0].T
    expected = np.moveaxis(layer(np.moveaxis(IMAGES, 1, -1)).data, -1, 1)
    np.testing.assert_allclose(conv(IMAGES).data, expected, rtol=1e-13, atol=1e-15)


def test_network_in_network_settings():
    mlp = NetworkInNetwork(3, [4, 3, 2], 3, stride=2, padding=1, dtype=np.float32, name="mlpconv")
    y = mlp(IMAGES.astype(np.float32))
    assert (y.shape, y.dtype) == ((2, 2, 2, 3), np.float32)
    assert y.scope.path == "mlpconv/ReLU"
    assert [layer.weight.shape for layer in mlp.layers[::2]] == [
        (4, 3, 3, 3),
        (3, 4, 1, 1),
        (2, 3, 1, 1),
    ]
    for outputs in ((), 8):
        with pytest.raises(ValueError, match=r"^NetworkInNetwork: expected as outputs"):
            NetworkInNetwork(3, outputs, 3)


def test_derivatives_of_network_in_network():
    mlp = NetworkInNetwork(2, (3, 2), 2, np.random.default_rng(3))
    mlp.layers[0].bias.data = np.full(3, 0.5)  # the rectifiers are far from their kinks
    mlp.layers[2].bias.data = np.full(2, 0.7)
    assert_derivatives(lambda x: np.tanh(mlp(x)), IMAGES[:1, :2, :3, :3] * 0.3)


# --- of all containers ----------------------------------------------------------------------------


@pytest.mark.parametrize("container", [Sequential, Residual, Parallel])
def test_only_modules_are_contained(container):
    name = container.__name__
    with pytest.raises(ValueError, match=f"^{name}: there are no modules; pass at least one"):
        container()
    for wrong, advice in (
        (np.tanh, "wrap a function in nn.Function"),
        ([nn.Tanh()], f"write {name}(*modules)"),
        (nn.Tanh, "make one: Tanh(…)"),
    ):
        message = f"^{name}: expected modules, received at position 1: .*; {re.escape(advice)}$"
        with pytest.raises(TypeError, match=message):
            container(nn.Linear(), wrong)
    with pytest.raises(TypeError, match=r"^Residual: expected modules, received as shortcut: "):
        Residual(nn.Linear(), shortcut=np.tanh)


def test_containers_show_what_they_contain():
    module = Sequential(
        Flatten(),
        Residual(fc(3, 3), nn.Tanh(), shortcut=Sequential(fc(3, 3))),
        Parallel(nn.Linear(), nn.ReLU(), merge="concatenate", axis=-1),
        Parallel(nn.Linear()),
    )
    assert repr(module) == (
        "Sequential(\n"
        "    Flatten(),\n"
        "    Residual(\n"
        "        FullyConnected(3, 3),\n"
        "        Tanh(),\n"
        "        shortcut=Sequential(\n"
        "            FullyConnected(3, 3),\n"
        "        ),\n"
        "    ),\n"
        "    Parallel(\n"
        "        Linear(),\n"
        "        ReLU(),\n"
        "        merge='concatenate',\n"
        "        axis=-1,\n"
        "    ),\n"
        "    Parallel(\n"
        "        Linear(),\n"
        "        merge='sum',\n"
        "    ),\n"
        ")"
    )


def test_a_residual_network_learns_and_goes_back_to_its_state():
    rng = np.random.default_rng(0)
    network = nn.Network(
        nn.FullyConnected(2, 8, rng),
        Residual(nn.FullyConnected(8, 8, rng), BatchNorm(8), nn.Tanh(), Dropout(0.1, rng)),
        nn.FullyConnected(8, 2, rng),
        loss=nn.CrossEntropyFromLogits(),
    )
    x = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    y = np.array([0, 1, 1, 0])
    start = network.state_dict()
    network.train().fit(x, y, epochs=150, batch_size=4, learning_rate=0.5, rng=rng, progress=False)
    network.eval()
    assert network.evaluate(x, y).accuracy == 1.0
    assert start["layers.1.layers.1.batches"] == 0
    assert network.state_dict()["layers.1.layers.1.batches"] == 150
    other = nn.Network(*network.layers, loss=network.loss)
    other.load_state_dict(start)
    for path, array in other.state_dict().items():
        np.testing.assert_array_equal(array, start[path])
