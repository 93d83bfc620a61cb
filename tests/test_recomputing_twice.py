"""`ag.checkpoint`: a function that is not the same when it is called again is refused."""

import inspect

import numpy as np
import pytest

import autograd_lite as ag
from tests.test_recomputing import rng, same


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_random_function_is_refused(create_graph):
    generator = rng()
    x = ag.Variable([1.0, 2.0])

    @ag.checkpoint
    def dropout(x):
        return x * generator.random(2)

    y = np.sum(dropout(x))
    with pytest.raises(ag.errors.RuleError) as caught:
        y.backward(create_graph=create_graph)
    assert str(caught.value) == (
        "checkpoint(dropout): called again, the function gave another result, or read other "
        "Variables or constants; pass the generators that it draws from as generators=[…], "
        "and let it depend on nothing else that changes"
    )
    assert x.grad is None
    seeded = ag.checkpoint(lambda x, seed: x * np.random.default_rng(seed).random(2))
    same(ag.gradients(np.sum(seeded(x, 7)), x), np.random.default_rng(7).random(2))


@pytest.mark.parametrize("create_graph", [False, True])
def test_generators_that_are_named_give_the_same_again_and_then_go_on(create_graph):
    def two_blocks(wrapped, generator):
        x = ag.Variable([0.5, -1.0, 2.0])
        blocks = [wrapped(lambda x: np.sin(x * generator.random(3))) for _ in range(2)]
        y = blocks[1](blocks[0](x) + generator.random(3))
        (slope,) = ag.gradients(np.sum(y), [x], create_graph=True)
        x.zero_grad()
        (np.sum(slope**2) if create_graph else np.sum(y)).backward()
        return [y.data, slope.data, x.grad, generator.random(3)]

    plain, ours = rng(), rng()
    expected = two_blocks(lambda f: f, plain)
    found = two_blocks(lambda f: ag.checkpoint(f, generators=[ours]), ours)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13)


def test_generators_are_put_back_after_an_error_and_inside_one_another():
    generator = rng()
    x = ag.Variable([1.0, 2.0])
    inner = ag.checkpoint(lambda x: np.sin(x) * generator.random(2), generators=[generator])
    outer = ag.checkpoint(lambda x: inner(inner(x) + generator.random()), generators=[generator])
    plainly = rng()
    y = np.sin(np.sin(x) * plainly.random(2) + plainly.random()) * plainly.random(2)
    same(ag.gradients(np.sum(outer(x)), x), ag.gradients(np.sum(y), x))
    assert generator.random() == plainly.random()

    calls = iter([1.0])
    once = ag.checkpoint(lambda x: x * next(calls) * generator.random(2), generators=[generator])
    z = np.sum(once(x))
    state = generator.bit_generator.state
    with pytest.raises(StopIteration):
        z.backward()
    assert generator.bit_generator.state == state


@pytest.mark.parametrize("given", [np.random.default_rng(0), [3], 5, "ab", [np.random]])
def test_what_is_no_list_of_generators_is_refused(given):
    message = f"^checkpoint: generators must be a list of .*, received: {type(given).__name__}; "
    with pytest.raises(TypeError, match=message):
        ag.checkpoint(np.sin, generators=given)


def changing(first, second):
    """A function that computes otherwise when it is called again."""
    calls = iter([first, second])
    return ag.checkpoint(lambda x: next(calls)(x))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (lambda x: (x * 2.0, x * 3.0), lambda x: x * 2.0),
        (lambda x: x * 2.0, lambda x: (x * 2.0, x * 3.0)),
        (lambda x: x * 2.0, lambda x: (x * 2.0)[:1]),
        (lambda x: x * 2.0, lambda x: None),
        (lambda x: x * 2.0, lambda x: (x * 2.0).astype(np.float32)),
        (lambda x: x * 2.0, lambda x: x.detach() * 2.0),
        (lambda x: x * 2.0, lambda x: x * ag.Variable(2.0)),
    ],
    ids=["fewer", "more", "shape", "nothing", "dtype", "detached", "another read"],
)
def test_other_outputs_are_refused(first, second):
    x = ag.Variable([1.0, 2.0])
    y = changing(first, second)(x)
    y = y[0] if isinstance(y, tuple) else y
    with pytest.raises(ag.errors.RuleError, match=r"^checkpoint\(<lambda>\): called again, the "):
        y.backward(np.ones(2))


def test_untracked_the_second_time_is_refused():
    """The same numbers from the same Variables, and no way for the gradient."""
    x = ag.Variable([1.0, 2.0])

    def half(x):
        with ag.no_grad():
            constant = x * 2.0
        return constant, x * 3.0

    f = changing(lambda x: (x * 2.0, x * 3.0), half)
    with pytest.raises(ag.errors.RuleError, match=r"^checkpoint\(<lambda>\): called again, the "):
        ag.gradients(np.sum(f(x)[0]), x)


def test_results_with_nan_are_the_same():
    x = ag.Variable([1.0, -1.0])
    with np.errstate(invalid="ignore"):
        y = ag.checkpoint(np.sqrt)(x)
        np.testing.assert_array_equal(ag.gradients(y, x, np.ones(2)), [0.5, np.nan])


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("tracked", [True, False])
def test_assigned_in_between(create_graph, tracked):
    x, w = ag.Variable([1.0, 2.0]), ag.Variable([0.0, 0.0], name="w", requires_grad=tracked)
    y = np.sum(ag.checkpoint(lambda: np.tanh(x * 0.0) * w + x)())
    w.data = [5.0, 5.0]  # the result would be the same, and the gradient another
    with pytest.raises(ag.errors.StaleVariableError, match="the data of w was assigned after"):
        y.backward(create_graph=create_graph)
    assert x.grad is None


def test_the_message_of_a_stale_variable():
    x = ag.Variable(1.0, name="x")
    y = ag.checkpoint(np.exp)(x)
    x.data = 2.0
    with pytest.raises(ag.errors.StaleVariableError) as caught:
        y.backward()
    assert str(caught.value) == (
        "checkpoint(exp): the data of x was assigned after the call that is to be computed again; "
        "differentiate first, or compute anew"
    )


def test_a_function_that_assigns_what_it_used():
    """Called again it would begin with what it assigned: here the gradient would be 3, not 2."""
    x, v = ag.Variable(0.0), ag.Variable(2.0, name="v")

    def f(x):
        y = x * v
        v.data = 3.0
        return y

    for _ in range(2):
        v.data = 2.0
        with pytest.raises(ag.errors.StaleVariableError) as caught:
            ag.checkpoint(f)(x)
        assert str(caught.value).startswith(
            "checkpoint(f): the function itself assigned the data of v after it had computed 'mul"
        )
    assert ag.gradients(f(x), x) == 3.0


def test_a_function_that_counts():
    """What does not enter the result may change: it does so twice, as the docstring says."""
    x, count = ag.Variable(2.0), ag.Variable(0.0, requires_grad=False)

    def f(x):
        count.data = count.data + 1
        return x * x

    assert ag.gradients(ag.checkpoint(f)(x), x) == 4.0
    assert count.item() == 2.0


def test_a_function_that_fails_at_once():
    x = ag.Variable([1.0, 2.0])

    @ag.checkpoint
    def fails(x):
        with ag.scope("inside"):
            return x @ np.ones(3)

    with pytest.raises(ValueError, match=r"^matmul: shapes \(2,\) and \(3,\) do not align"):
        fails(x)
    y = x * x
    assert (y.scope, y.requires_grad) == (None, True)
    np.testing.assert_array_equal(ag.gradients(y, x, np.ones(2)), [2.0, 4.0])


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_function_that_fails_the_second_time(create_graph):
    x = ag.Variable([1.0, 2.0], name="x")
    trouble = [None, KeyError("lost"), None]

    @ag.checkpoint
    def f(x):
        error = trouble.pop(0)
        with ag.scope("inside"):
            y = x * x
            if error:
                raise error
        return y

    with ag.scope("outside"):
        y = f(x)
    with ag.no_grad(), pytest.raises(KeyError) as caught:
        y.backward(np.ones(2), create_graph=create_graph)
    (note,) = caught.value.__notes__
    assert note.startswith("in the derivative rule of checkpoint(f) #")
    assert x.grad is None
    assert (x * x).scope is None
    y.backward(np.ones(2), create_graph=create_graph)  # and now it works
    np.testing.assert_array_equal(np.array(getattr(x.grad, "data", x.grad)), [2.0, 4.0])


@pytest.mark.parametrize("wrong", [3, None, "exp"])
def test_what_is_no_function_is_refused(wrong):
    with pytest.raises(
        TypeError, match=r"^checkpoint: it takes a function, this is (an int 3|None|a )"
    ):
        ag.checkpoint(wrong)


def test_generators_and_coroutines_are_refused():
    def steps(x):
        yield x

    async def later(x):
        return x

    for f in (steps, later):
        with pytest.raises(TypeError, match=r"^checkpoint: the body of the generator or coroutine"):
            ag.checkpoint(f)
    assert inspect.isgeneratorfunction(steps)


def test_debugging_finds_what_was_written_to_between():
    x, c = ag.Variable([1.0, 2.0], name="x"), np.array([3.0, 4.0])
    f = ag.checkpoint(lambda x: x * c)
    y = f(x)
    c[0] = 9.0
    with pytest.raises(ag.errors.RuleError, match="called again, the function gave another result"):
        y.backward(np.ones(2))


def test_what_it_was_told_by_its_surroundings_is_compared_too():
    """Results that happen to be equal, 0 here, prove nothing."""
    x, c = ag.Variable(0.0), np.ones(1)
    y = ag.checkpoint(lambda x: x * c)(x)
    c[:] = 100
    with pytest.raises(ag.errors.RuleError, match="or read other Variables or constants"):
        y.backward()
    z = x
    for k in (1.0, 2.0, 3.0):
        z = ag.checkpoint(lambda z: z * k)(z)  # noqa: B023 - k is 3 for all when called again
    with pytest.raises(ag.errors.RuleError, match="or read other Variables or constants"):
        z.backward()
    assert x.grad is None


def test_another_variable_of_the_same_value_is_refused():
    """Its gradient would be another one's."""
    W, x = ag.Variable([2.0, 3.0], name="W"), ag.Variable([1.0, 1.0])
    layer = {"w": W}
    y = ag.checkpoint(lambda x: np.sum(x * layer["w"]))(x)
    layer["w"] = ag.Variable(W.data)
    with pytest.raises(ag.errors.RuleError, match="read other Variables or constants"):
        y.backward()
    assert W.grad is None
    layer["w"] = W
    y.backward()
    assert W.grad.tolist() == [1, 1]
