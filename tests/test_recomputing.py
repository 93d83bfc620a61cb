"""`ag.checkpoint`: the same gradients, whatever goes in and comes out."""

import numpy as np
import pytest

import autograd_lite as ag
import nn


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def same(actual, expected) -> None:
    """Bits may differ: a checkpoint adds up what comes to one Variable in another order."""
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=1e-13, atol=1e-15)


def block(x, w):
    """Everything that a block may do: products, a mask, an index, a reduction, a use of x twice."""
    h = np.tanh(x @ w)
    h = np.where(x > 0, h, 0.1 * h * x)
    return h + np.sum(h[..., ::-1] * x) / 7.0


def leaves():
    return ag.Variable(rng().normal(size=3), name="x"), ag.Variable(
        rng().normal(size=(3, 3)), name="w"
    )


# --- the same gradients --------------------------------------------------------------------------


def test_value_and_first_order():
    x, w = leaves()
    plain = block(block(x, w), w)
    f = ag.checkpoint(block)
    y = f(f(x, w), w)
    assert y.data.tobytes() == plain.data.tobytes()
    g = np.array([1.0, -2.0, 3.0])
    for a, b in zip(ag.gradients(y, [x, w], g), ag.gradients(plain, [x, w], g), strict=True):
        same(a, b)
    assert y.inputs[0].operation.name == "checkpoint(block)"


def test_second_and_third_order():
    x, w = leaves()

    def orders(f):
        found, y = [], np.sum(f(f(x, w), w) ** 2)
        for _ in range(2):
            slopes = ag.gradients(y, [x, w], create_graph=True)
            found += [s.data for s in slopes]
            y = np.sum(slopes[0] ** 2) + np.sum(slopes[1] ** 3)
        return found + ag.gradients(y, [x, w])

    for a, b in zip(orders(ag.checkpoint(block)), orders(block), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11)


@pytest.mark.parametrize(
    "transform",
    [
        lambda f: ag.jacobian(f)(np.ones(3), np.eye(3)),
        lambda f: ag.jacobian(f, 1)(np.ones(3), np.eye(3)),
        lambda f: ag.hessian(lambda x, w: np.sum(f(x, w) ** 2))(np.ones(3), np.eye(3)),
        lambda f: ag.hvp(lambda x: np.sum(f(x, np.eye(3)) ** 3), np.ones(3), np.arange(3.0)),
        lambda f: ag.jvp(lambda x: f(x, np.eye(3)), np.ones(3), np.arange(3.0))[1],
        lambda f: ag.vjp(lambda x: f(x, np.eye(3)), np.ones(3))[1](np.arange(3.0)),
        lambda f: ag.grad(
            lambda x: np.sum(ag.grad(lambda x: np.sum(f(x, np.eye(3)) ** 3))(x) ** 2)
        )(np.ones(3)),
        lambda f: ag.elementwise_grad(ag.elementwise_grad(lambda x: f(x, np.eye(3))))(np.ones(3)),
    ],
    ids=["jacobian", "of w", "hessian", "hvp", "jvp", "vjp", "grad of grad", "elementwise"],
)
def test_through_transforms(transform):
    np.testing.assert_allclose(transform(ag.checkpoint(block)), transform(block), rtol=1e-12)


def test_nested():
    x, w = leaves()
    inner = ag.checkpoint(block)
    outer = ag.checkpoint(lambda x: inner(inner(x, w), w))
    y, plain = outer(outer(x)), block(block(block(block(x, w), w), w), w)
    assert y.data.tobytes() == plain.data.tobytes()
    for create_graph in (False, True):
        for a, b in zip(
            ag.gradients(np.sum(y), [x, w], create_graph=create_graph),
            ag.gradients(np.sum(plain), [x, w]),
            strict=True,
        ):
            same(a.data if create_graph else a, b)


def test_backward_with_retained_gradients():
    x, w = leaves()
    f = ag.checkpoint(block)
    h = f(x, w)
    loss = np.sum(f(h, w) ** 2)
    loss.backward(retain_grads=True)
    x2, w2 = leaves()
    h2 = block(x2, w2)
    np.sum(block(h2, w2) ** 2).backward(retain_grads=True)
    for a, b in ((x, x2), (w, w2), (h, h2)):
        same(a.grad, b.grad)
    loss.backward()
    same(x.grad, 2 * x2.grad)
    assert not np.shares_memory(x.grad, w.grad)


def test_nests_of_outputs():
    x, w = leaves()

    def f(x, w):
        h = np.tanh(x)
        return {"twice": (h, h), "rest": [x @ w, 3.0, np.arange(2), None, "text"], "w": w}

    y = ag.checkpoint(f)(x, w)
    assert y["rest"][1:2] + y["rest"][3:] == [3.0, None, "text"]
    np.testing.assert_array_equal(y["rest"][2], [0, 1])
    assert list(y) == ["twice", "rest", "w"]
    assert isinstance(y["twice"], tuple)

    def loss(y):
        return np.sum(y["twice"][0] * y["twice"][1] * y["rest"][0]) + np.sum(y["w"] ** 2)

    same(loss(y).data, loss(f(x, w)).data)
    for a, b in zip(
        ag.gradients(loss(y), [x, w]), ag.gradients(loss(f(x, w)), [x, w]), strict=True
    ):
        same(a, b)


def test_only_one_of_several_outputs_is_used():
    """The others take no part: 0 coming back from them would meet the infinite slope of sqrt."""
    x = ag.Variable([0.0, 4.0])
    f = ag.checkpoint(lambda x: (x * 2.0, np.sqrt(x)))
    for create_graph in (False, True):
        (slope,) = ag.gradients(np.sum(f(x)[0]), [x], create_graph=create_graph)
        np.testing.assert_array_equal(np.array(getattr(slope, "data", slope)), [2.0, 2.0])
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(ag.gradients(np.sum(f(x)[1]), x), [np.inf, 0.25])


@pytest.mark.parametrize("create_graph", [False, True])
def test_nothing_comes_to_an_input_of_an_unused_output(create_graph):
    """As without: no zeros that would meet the infinite slope of sqrt."""
    a, w = ag.Variable([1.0, 2.0]), ag.Variable([0.0, 1.0])
    y = ag.checkpoint(lambda a, b: (a * 2.0, b * 3.0))(a, np.sqrt(w))[0]
    y.backward(np.ones(2), create_graph=create_graph)
    assert w.grad is None
    np.testing.assert_array_equal(np.array(getattr(a.grad, "data", a.grad)), [2.0, 2.0])


def test_a_zero_that_came_back_is_not_nothing():
    """As without: 0·∞ is NaN, and not hidden."""
    x = ag.Variable([0.0, 4.0])
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = ag.gradients(np.sum(ag.checkpoint(np.sqrt)(x) * 0.0), x)
    np.testing.assert_array_equal(slope, [np.nan, 0.0])


def test_untracked_integer_and_mask_outputs_stay_untracked():
    x = ag.Variable([3.0, 1.0, 2.0])

    def f(x):
        return np.argmax(x), x > 1.5, x.detach(), np.sort(x), np.argsort(x)

    largest, mask, detached, ordered, order = ag.checkpoint(f)(x)
    tracked = [v.requires_grad for v in (largest, mask, detached, ordered, order)]
    assert tracked == [False, False, False, True, False]
    assert (largest.dtype.kind, mask.dtype, order.dtype.kind) == ("i", bool, "i")
    assert int(largest) == 0

    def loss(largest, mask, detached, ordered, order):
        return np.sum(x[order] * ordered * 2.0) + np.sum(np.where(mask, ordered * detached, 0.0))

    mixed = loss(largest, mask, detached, ordered, order)
    same(ag.gradients(mixed, x), ag.gradients(loss(*f(x)), x))


def test_an_output_that_is_an_input():
    x, w = leaves()
    first, h = ag.checkpoint(lambda x, w: (x, x @ w))(x, w)
    np.testing.assert_array_equal(first.data, x.data)
    loss = np.sum(first * 2.0) + np.sum(h)
    same(ag.gradients(loss, x), 2.0 + w.data.sum(axis=1))
    (alone,) = ag.checkpoint(lambda x: [x])(x)
    same(ag.gradients(np.sum(alone * alone), x), 2 * x.data)


def test_an_argument_used_twice():
    x = ag.Variable([1.0, 2.0])
    f = ag.checkpoint(lambda a, b, *, c: a * b + c)
    same(ag.gradients(np.sum(f(x, x, c=x)), x), 2 * x.data + 1)


def test_keywords_lists_and_dicts_of_variables():
    parts = [ag.Variable([k + 1.0]) for k in range(3)]
    scale = ag.Variable(2.0)
    f = ag.checkpoint(lambda xs, *, by: np.concatenate(xs) * by["scale"])
    y = np.sum(f(parts, by={"scale": scale}) ** 2)
    found = ag.gradients(y, [*parts, scale])
    for g, k in zip(found, (1.0, 2.0, 3.0), strict=False):
        same(g, [8 * k])
    same(found[-1], 2 * 2.0 * (1 + 4 + 9))


def test_parameters_of_layers_and_methods():
    layer = nn.FullyConnected(3, 3, rng=rng())
    x = np.ones((2, 3))

    class Model:
        def __init__(self):
            self.w = ag.Variable(2.0, name="w")

        @ag.checkpoint
        def forward(self, x, power=2):
            """Scale."""
            return layer(x) ** power * self.w

    model = Model()
    assert (model.forward.__name__, model.forward.__doc__) == ("forward", "Scale.")
    W = next(iter(layer.parameters()))
    found = [ag.gradients(np.sum(f(x) ** 2), W) for f in (ag.checkpoint(layer), layer)]
    same(*found)
    y = model.forward(x, power=3)
    same(ag.gradients(np.sum(y), model.w), np.sum(layer(x).data ** 3))
    assert y.inputs[0].operation.name == "checkpoint(forward)"
    assert ag.checkpoint(layer)(x).inputs[0].operation.name == "checkpoint(FullyConnected)"


def test_read_directly_and_through_another_variable():
    """h depends on W outside of the block, and the block reads both: each way counts once."""
    W = ag.Variable([1.0, 2.0, 3.0], name="W")
    for create_graph in (False, True):
        h = W * W  # outside
        y = np.sum(ag.checkpoint(lambda h=h: h * W)())  # W³
        found = ag.gradients(y, [W, h], create_graph=create_graph)
        same(getattr(found[0], "data", found[0]), 3 * W.data**2)
        same(getattr(found[1], "data", found[1]), W.data)
    slope = ag.gradients(np.sum(ag.checkpoint(lambda: h * W)()), W, create_graph=True)
    same(ag.gradients(np.sum(slope), W), 6 * W.data)


def test_a_mask_is_no_way_for_gradients():
    """What only a comparison reads has no gradient, as without; and nothing comes to sqrt at 0."""
    x, w = ag.Variable([0.0, 1.0]), ag.Variable([3.0, 4.0])
    root = np.sqrt(x)
    y = ag.checkpoint(lambda: np.where(root > 0.5, w * 2.0, 0.0))()
    y.backward(np.ones(2))
    assert x.grad is None
    np.testing.assert_array_equal(w.grad, [0.0, 2.0])


def test_float32_stays():
    x = ag.Variable(np.float32([1.0, 2.0]))
    y = ag.checkpoint(lambda x: np.tanh(x * 2.0))(x)
    y.backward(np.ones(2))
    assert (y.dtype, x.grad.dtype) == (np.float32, np.float32)


def test_functions_of_constants_and_without_results():
    x = ag.Variable(1.0)
    array = np.ones(2)
    assert ag.checkpoint(lambda: array)() is array
    assert ag.checkpoint(lambda x: None)(x) is None
    assert ag.checkpoint(lambda x: x.shape)(x) == ()
    constant = ag.Variable(1.0, requires_grad=False)
    assert not ag.checkpoint(lambda: constant * 2.0)().requires_grad
    assert not ag.checkpoint(lambda x: x.detach() * 2.0)(x).requires_grad


@pytest.mark.parametrize("tracked", [False, True])
def test_a_transform_inside(tracked):
    """A gradient of its own in each call, by an array or by a Variable from outside."""
    w, t = ag.Variable([1.0, 2.0], name="w"), ag.Variable([1.0, 0.5], requires_grad=tracked)

    def slope(w):
        return ag.grad(lambda t: np.sum(np.sin(t * w)))(t if tracked else t.data)

    def second(f):
        slopes = ag.gradients(np.sum(f(w) ** 2), w, create_graph=True)
        return [slopes.data, ag.gradients(np.sum(slopes), w)]

    for a, b in zip(second(ag.checkpoint(slope)), second(slope), strict=True):
        same(a, b)
    change = ag.checkpoint(lambda w: ag.jvp(lambda t: np.sin(t * w), t.data, np.ones(2))[1])
    expected = np.cos(t.data * w.data) - t.data * w.data * np.sin(t.data * w.data)
    same(ag.gradients(np.sum(change(w)), w), expected)


def test_a_leaf_made_inside():
    """It gets its gradient; of second derivatives, the second call's leaf would get them."""
    made = []

    def f(x):
        made.append(ag.Variable(3.0, name="inner"))
        return x * made[-1]

    x = ag.Variable(2.0)
    y = ag.checkpoint(f)(x)
    y.backward()
    assert (x.grad, made[0].grad, len(made)) == (3.0, 2.0, 2)
    with pytest.raises(ag.errors.RuleError) as caught:
        ag.gradients(y, x, create_graph=True)
    assert str(caught.value).startswith(
        "checkpoint(f): the function makes the tracked Variable inner, and makes another one when "
        "it is called again: there is no second derivative for the first one; make it outside, and "
        "pass it in"
    )
