"""The summary of a model: its table, its counts against formulas, and that it changes nothing."""

import math

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn.containers import Function, Parallel, Residual, Sequential
from nn.dropout import Dropout
from nn.embedding import Embedding
from nn.layers import Flatten
from nn.normalisation import BatchNorm
from nn.recurrent import LSTM
from nn.saving import load, save
from nn.summary import summary

RNG = np.random.default_rng(0)


def lenet():
    return nn.Network(
        nn.Convolution2D(3, 8, 5, RNG, padding="same"),
        BatchNorm(8),
        nn.ReLU(),
        nn.MaxPool(2),
        Flatten(),
        nn.FullyConnected(2048, 10, RNG),
        nn.Softmax(),
        loss=nn.CrossEntropy(),
    )


def lines(text):
    return [line.strip() for line in text.strip().splitlines()]


def test_the_table():
    expected = """
    layer      kind                                    output          parameters  multiply-adds
    Network    Network                                 (2, 10)         21,114      1,269,760
      conv     Convolution2D(3, 8, 5, padding='same')  (2, 8, 32, 32)  608         1,228,800
      norm     BatchNorm(8)                            (2, 8, 32, 32)  16          0
      relu     ReLU()                                  (2, 8, 32, 32)  0           0
      pool     MaxPool(2)                              (2, 8, 16, 16)  0           0
      flatten  Flatten()                               (2, 2048)       0           0
      fc       FullyConnected(2048, 10)                (2, 10)         20,490      40,960
      softmax  Softmax()                               (2, 10)         0           0
    for an input of shape (2, 3, 32, 32), float64
    parameters: 21,114; frozen and buffers: 17; multiply-adds: 1,269,760
    """
    found = summary(lenet(), (2, 3, 32, 32))
    assert lines(str(found)) == lines(expected)
    assert found.total_parameters == 8 * 3 * 25 + 8 + 16 + 2048 * 10 + 10
    assert found.total_buffers == 8 + 8 + 1  # two running statistics and how many batches they saw
    assert found.total_multiply_adds == 2 * (8 * 32 * 32 * 3 * 25 + 2048 * 10)
    assert found.error is None


def test_it_stops_at_the_layer_that_fails():
    expected = """
    layer      kind                                    output             parameters  multiply-adds
    Network    Network                                 –                  21,114      –
      conv     Convolution2D(3, 8, 5, padding='same')  (1, 8, 16, 16)     608         153,600
      norm     BatchNorm(8)                            (1, 8, 16, 16)     16          0
      relu     ReLU()                                  (1, 8, 16, 16)     0           0
      pool     MaxPool(2)                              (1, 8, 8, 8)       0           0
      flatten  Flatten()                               (1, 512)           0           0
      fc       FullyConnected(2048, 10)                fails on (1, 512)  20,490      –
    for an input of shape (1, 3, 16, 16), float64
    parameters: 21,114; frozen and buffers: 17
    ValueError: fc: expected rows of 2048 features, received: float64 array of shape (1, 512); the
    """
    found = summary(lenet(), (1, 3, 16, 16))
    *table, error = lines(str(found))
    *expected, begin = lines(expected)
    assert table == expected
    assert error.startswith(begin)
    assert isinstance(found.error, ValueError)
    assert found.total_multiply_adds is None
    assert found.total_parameters == 21_114


def test_where_an_error_began_is_said_once():
    class Restating(nn.Module):
        def __init__(self, inner):
            self.inner = inner

        def forward(self, x):
            try:
                return self.inner(x)
            except ValueError as error:
                raise RuntimeError("restated") from error

    found = summary(Restating(nn.FullyConnected(2, 3)), (1, 5))
    assert [call.failed for _, call in found.rows] == [False, True]
    assert str(found).splitlines()[-1] == "RuntimeError: restated"
    found = summary(Residual(nn.FullyConnected(2, 3)), (1, 2))  # in its own sum
    assert [call.failed for _, call in found.rows] == [True, False]
    assert "fails on (1, 2)" in str(found)


def test_an_interruption_is_no_failure_of_a_layer():
    def interrupted(x):
        raise KeyboardInterrupt

    module = Function(interrupted)
    with pytest.raises(KeyboardInterrupt):
        summary(module, (1,))
    assert "forward" not in vars(module)


# --- multiply-adds, against formulas --------------------------------------------------------------


@pytest.mark.parametrize("shape", [(7,), (5, 7), (2, 3, 7)])
def test_fully_connected(shape):
    found = summary(nn.FullyConnected(7, 4, RNG), shape)
    assert found.total_multiply_adds == math.prod(shape) * 4
    assert found.total_parameters == 7 * 4 + 4


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(
    ("settings", "space"),
    [
        ({}, (8, 7)),
        ({"padding": 1}, (10, 9)),
        ({"padding": "same"}, (10, 9)),
        ({"stride": 2}, (4, 4)),
        ({"dilation": 2}, (6, 5)),
    ],
)
def test_convolution(groups, settings, space):
    layer = nn.Convolution2D(4, 6, 3, RNG, groups=groups, **settings)
    found = summary(layer, (5, 4, 10, 9))
    assert found.rows[0][1].output == str((5, 6, *space))
    # every entry of the output is a sum over a window of its group's channels
    assert found.total_multiply_adds == 5 * 6 * math.prod(space) * (4 // groups) * 3 * 3


def test_convolution_over_one_axis_and_its_transpose():
    assert summary(nn.Convolution1D(2, 3, 4, RNG), (5, 2, 9)).total_multiply_adds == 90 * 2 * 4
    found = summary(nn.TransposedConvolution1D(2, 3, 4, RNG), (5, 2, 9))
    assert found.total_multiply_adds == 5 * 3 * (9 + 4 - 1) * 2 * 4


def test_a_recurrent_layer():
    found = summary(LSTM(3, 4, RNG), (2, 5, 3))
    # 5 steps of a matrix of 4 gates times 4 units, and 3 inputs, 1 for the bias and 4 states
    assert found.total_multiply_adds == 5 * 2 * 16 * (3 + 1 + 4)
    assert found.rows[0][1].output == "((2, 5, 4), ((1, 2, 4), (1, 2, 4)))"


A, B, V = np.ones((4, 5)), np.ones((5, 6)), np.ones(5)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: x @ B, 4 * 5 * 6),
        (lambda x: np.dot(x, V), 4 * 5),
        (lambda x: V @ x.T, 4 * 5),
        (lambda x: np.inner(x, x), 4 * 5 * 4),
        (lambda x: np.tensordot(x, x), 4 * 5),
        (lambda x: np.vdot(x, A), 4 * 5),
        (lambda x: np.vecdot(x, A), 4 * 5),
        (lambda x: np.matvec(x, V), 4 * 5),
        (lambda x: np.vecmat(V, x.T), 4 * 5),
        (lambda x: np.linalg.multi_dot([x, B, B.T]), 2 * 4 * 5 * 6),
        (lambda x: np.einsum("ij,jk->ik", x, B), 4 * 5 * 6),
        (lambda x: np.einsum("...j,...j->...", x, A), 4 * 5),
        (lambda x: np.einsum("ij,j,jk->", x, V, B), 2 * 4 * 5 * 6),
        (lambda x: np.einsum("ij,ij->ij", x[:1], A), 4 * 5),
        (lambda x: np.einsum("ij,ij->ij", A, x[:1]), 4 * 5),
        (lambda x: np.einsum("ij->i", x), 0),
        (lambda x: np.convolve(x[0], V[:3]), 5 * 3),
        (lambda x: np.correlate(x[0], V[:3]), 5 * 3),  # as a convolution, of which a part is kept
        (lambda x: np.sum(x * A), 0),
        (lambda x: np.broadcast_to(x, (3, 4, 5)) @ B, 3 * 4 * 5 * 6),
    ],
)
def test_products_in_numpy(function, expected):
    assert summary(Function(function), (4, 5)).total_multiply_adds == expected


def test_a_checkpoint_is_counted_once_and_a_derivative_counts():
    W = np.ones((5, 5))
    twice = ag.checkpoint(lambda x: x @ W @ W)
    assert summary(Function(twice), (4, 5)).total_multiply_adds == 2 * 4 * 5 * 5

    def slope(function):
        def of(x):
            x = ag.Variable(x.data)
            return ag.gradients(np.sum(function(x) ** 2), x, create_graph=True)

        return Function(of)

    assert summary(slope(lambda x: x @ W), (4, 5)).total_multiply_adds == 2 * 4 * 5 * 5
    # 7 entries of the convolution, 3 terms for each of the 5 of its derivative
    found = summary(slope(lambda x: np.convolve(x, np.ones(3))), (5,))
    assert found.total_multiply_adds == 5 * 3 + 5 * 3


def test_frozen_layers_count():
    embedding, fc = Embedding(10, 3, RNG), nn.FullyConnected(3, 4, RNG)
    for leaf in [*embedding.parameters(), *fc.parameters()]:
        leaf.requires_grad = False
    found = summary(Sequential(embedding, fc), (2, 5), dtype=int)
    assert found.total_multiply_adds == 2 * 5 * 3 * 4
    assert (found.total_parameters, found.total_buffers) == (0, 30 + 16)
    assert not fc.weight.requires_grad
    assert summary(fc, (2, 3)).total_multiply_adds == 2 * 3 * 4


# --- rows -----------------------------------------------------------------------------------------


def rows(found):
    assert found.error is None
    return [(depth, call.name, call.times, call.multiply_adds) for depth, call in found.rows]


def test_modules_inside_modules_are_indented():
    shared = nn.FullyConnected(3, 3, RNG, name="shared")
    model = Sequential(
        shared,
        Sequential(nn.ReLU(), nn.FullyConnected(3, 2, RNG)),
        Parallel(nn.FullyConnected(2, 3, RNG), Sequential(nn.FullyConnected(2, 3, RNG))),
        shared,
    )
    found = summary(model, (2, 3))
    assert rows(found) == [
        (0, "Sequential", 1, 18 + 12 + 24 + 18),
        (1, "shared", 2, 36),  # both calls, with the same shapes
        (1, "layers.1", 1, 12),
        (2, "layers.0", 1, 0),
        (2, "layers.1", 1, 12),
        (1, "layers.2", 1, 24),
        (2, "branches.0", 1, 12),
        (2, "branches.1", 1, 12),
        (3, "layers.0", 1, 12),
    ]
    assert "shared ×2" in str(found)
    assert found.total_parameters == sum(p.size for p in model.parameters()) == 12 + 8 + 9 + 9


def test_calls_with_other_shapes_have_rows_of_their_own():
    relu = nn.ReLU()
    model = Sequential(relu, nn.FullyConnected(3, 2, RNG), relu, relu)
    assert rows(summary(model, (1, 3))) == [
        (0, "Sequential", 1, 6),
        (1, "layers.0", 1, 0),
        (1, "layers.1", 1, 6),
        (1, "layers.0", 2, 0),
    ]


def test_a_cell_called_at_every_step_is_one_row():
    class Cell(nn.Module):
        def __init__(self):
            self.fc = nn.FullyConnected(4, 4, RNG)

        def forward(self, h):
            return np.tanh(self.fc(h))

    class Steps(nn.Module):
        def __init__(self):
            self.cell = Cell()

        def forward(self, h):
            for _ in range(100):
                h = self.cell(h)
            return h

    assert rows(summary(Steps(), (3, 4))) == [
        (0, "Steps", 1, 100 * 48),
        (1, "cell", 100, 100 * 48),
        (2, "fc", 100, 100 * 48),
    ]


def test_calls_that_did_other_things_have_rows_of_their_own():
    class Growing(nn.Module):
        def __init__(self):
            self.times, self.fc = 1, nn.FullyConnected(2, 2, RNG)

        def forward(self, x):
            for _ in range(self.times):
                x = self.fc(x[:, :, None] * np.ones(2))[..., self.times % 2]
            self.times -= 1
            return x

    growing = Growing()
    assert rows(summary(Sequential(growing, growing), (3, 4))) == [
        (0, "Sequential", 1, 48),
        (1, "layers.0", 1, 48),
        (2, "fc", 1, 48),
        (1, "layers.0", 1, 0),
    ]


def test_several_inputs_and_nested_results():
    module = Function(lambda a, b: {"sum": a + b, "parts": [a, (b, 3)]})
    (row,) = summary(module, (2, 3), np.ones(3, np.float32)).rows
    assert row[1].inputs == "(2, 3), (3,)"
    assert row[1].output == "{'sum': (2, 3), 'parts': ((2, 3), ((3,), int 3))}"


# --- what it is run on, and what is left behind ---------------------------------------------------


def test_dtypes_and_examples_arrive_as_they_are():
    seen = []

    class Look(nn.Module):
        def __init__(self, dtype):
            self.scale = ag.Variable(np.ones((), dtype))

        def forward(self, x):
            seen.append((x.dtype, np.asarray(x).tolist(), self.training))  # as on data
            return x * self.scale

    example = np.array([2**60 + 1, -3])
    summary(Look(np.float32), (2,))
    summary(Look(float), [2], dtype=bool)
    summary(Look(float), example)
    summary(Look(float), ag.Variable([1.5, np.nan]))
    summary(nn.ReLU(), ())
    assert [dtype.name for dtype, _, _ in seen] == ["float32", "bool", "int64", "float64"]
    assert [values for _, values, _ in seen[:3]] == [[0, 0], [False, False], [2**60 + 1, -3]]
    assert not any(training for _, _, training in seen)


class Restless(nn.Module):
    """It changes all that it can, in training or not."""

    def __init__(self):
        self.rng = np.random.default_rng(3)
        self.fc = nn.FullyConnected(3, 3, RNG)
        self.norm = BatchNorm(3).eval()
        self.drop = Dropout(0.5, self.rng)
        self.count = ag.Variable(0.0, requires_grad=False)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        self.last = x
        self.count.data = self.count.data + 1
        self.fc.weight.data = self.fc.weight.data + 1
        self.norm.train()(np.ones((4, 3)))
        self.rng.random()
        return self.drop.train()(self.fc(x))


@pytest.mark.parametrize("shape", [(2, 3), (2, 4)])
def test_the_module_is_afterwards_what_it_was(shape, tmp_path):
    module = Restless()
    module.fc.weight.grad = np.ones((3, 3))
    weight = module.fc.weight.data
    state = {"module": module.state_dict(), "rng": module.rng.bit_generator.state}
    save(tmp_path / "before.npz", state)
    names = list(vars(module))
    length = len(ag.tape())
    found = summary(module, shape)
    assert (found.error is None) == (shape == (2, 3))
    assert list(vars(module)) == names
    assert module.calls == 0
    assert [m.training for m in (module, module.fc, module.norm, module.drop)] == [1, 1, 0, 1]
    assert not any("forward" in vars(m) for m in (module, module.fc, module.norm, module.drop))
    assert np.array_equal(module.fc.weight.grad, np.ones((3, 3)))
    assert np.array_equal(module.fc.weight.data, weight)
    del found
    assert len(ag.tape()) == length
    before = load(tmp_path / "before.npz")
    assert module.rng.bit_generator.state == before["rng"]
    for name, array in module.state_dict().items():
        assert np.array_equal(array, before["module"][name]), name


def test_what_was_recorded_before_can_still_be_differentiated():
    """Parameters that did not change are not assigned, not even themselves."""
    fc = nn.FullyConnected(3, 1, RNG)
    loss = np.sum(fc(np.ones((2, 3))) ** 2)
    summary(fc, (2, 3))
    (gradient,) = ag.gradients(loss, [fc.weight], create_graph=True)
    assert gradient.shape == (3, 1)


def test_a_forward_of_the_module_s_own_is_kept():
    module = nn.ReLU()
    own = module.forward = lambda x: x @ B
    assert summary(module, (4, 5)).total_multiply_adds == 120
    assert module.forward is own


def test_it_counts_whatever_is_on_around_it():
    fc = nn.FullyConnected(3, 2, RNG)
    with ag.no_grad():
        assert summary(fc, (1, 3)).total_multiply_adds == 6
        assert not fc(np.ones(3)).requires_grad
    with ag.debug(), ag.scope("outer"):
        assert summary(fc, (1, 3)).total_multiply_adds == 6
        assert fc(np.ones(3)).origin is not None  # debugging goes on
    assert fc(np.ones(3)).requires_grad


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.tanh, (1,)), "expected a module, received: ufunc .*; wrap a function in nn.Function"),
        ((nn.ReLU(),), r"pass the shape of the input, \(1, 3, 32, 32\) for one image"),
        ((nn.ReLU(), 5), r"expected a shape such as \(1, 784\), the batch first, .*: int 5"),
        ((nn.ReLU(), (1, 2.5)), r"received: tuple \(1, 2.5\)"),
        ((nn.ReLU(), (1, -2)), r"received: tuple \(1, -2\)"),
        ((nn.ReLU(), np.array(["a"])), "received: <U1 array"),
        ((nn.ReLU(), "(1, 2)"), "received: str"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(TypeError, match=message):
        summary(*arguments)
