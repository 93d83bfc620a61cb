"""Whatever is raised, and wherever: nothing is stored, and everything can be used as before."""

from typing import ClassVar

import numpy as np
import pytest

import autograd_lite as ag


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("sweep", ["backward", "retained", "gradients", "recorded"])
def test_in_a_rule(error, sweep):
    """The first two calls of the rule go well, so that gradients are under way."""
    calls, failing_call = [], 3

    def rule(g, z, x):
        calls.append(1)
        if len(calls) == failing_call:
            raise error("in a rule")
        return 2 * g

    double = ag.Primitive(lambda x: 2 * x, (rule,), "double")
    x, w = ag.Variable([1.0, 2.0]), ag.Variable([3.0, 4.0])
    parts = [double(x * float(k)) * w for k in range(1, 5)]
    y = sum(np.sum(part) for part in parts)
    run = {
        "backward": y.backward,
        "retained": lambda: y.backward(retain_grads=True),
        "gradients": lambda: ag.gradients(y, [x, w]),
        "recorded": lambda: ag.gradients(y, [x, w], create_graph=True),
    }[sweep]
    with pytest.raises(error, match="in a rule"), ag.no_grad(), ag.scope("sweep"):
        run()
    assert [v.grad for v in (x, w, y, *parts)] == [None] * 7
    z = x * 1.0
    assert (z.requires_grad, z.scope) == (True, None)
    y.backward()  # the same graph, the whole of it
    assert x.grad.tolist() == [20 * 3.0, 20 * 4.0]
    assert w.grad.tolist() == [20 * 1.0, 20 * 2.0]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_in_the_function_of_an_operation(error):
    def function(x):
        raise error("in the function")

    failing = ag.Primitive(function, (lambda g, z, x: g,), "failing")
    x = ag.Variable([1.0, 2.0])
    before = len(ag.tape())
    with pytest.raises(error, match="in the function"), ag.scope("forward"):
        failing(x)
    assert len(ag.tape()) == before
    z = x * 1.0
    assert (z.requires_grad, z.scope) == (True, None)


def test_keeps_the_gradients_that_were_there():
    failing = ag.Primitive(lambda x: 2 * x, (lambda g, z, x: 1 / 0,), "failing")
    x, w = ag.Variable(2.0), ag.Variable(3.0)
    (x * w).backward()
    kept = x.grad, w.grad
    with pytest.raises(ZeroDivisionError):
        (x * w + failing(x)).backward()
    assert x.grad is kept[0]
    assert w.grad is kept[1]
    assert (x.grad, w.grad) == (3, 2)


@pytest.mark.parametrize("retain_grads", [False, True])
def test_in_adding_up(retain_grads):
    """The last of the leaves overflows: the others have not been added to either."""
    x, y, w = ag.Variable(1.0), ag.Variable(1.0), ag.Variable(1.0)
    w.grad = 1.7e308
    y.grad = 5.0
    z = (x + y) + w * 1e308
    for leaves_first in (z, w * 1e308 + (x + y)):
        with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow"):
            leaves_first.backward(retain_grads=retain_grads)
        assert (x.grad, y.grad, w.grad, leaves_first.grad) == (None, 5, 1.7e308, None)
    w.zero_grad()
    z.backward()
    assert (x.grad, y.grad, w.grad) == (1, 6, 1e308)


class TestRulesThatReturnSomethingElse:
    """Reported with the operation's name; nothing is stored, and the tape goes on."""

    CASES: ClassVar = {
        "one tuple": lambda g, z, x: (g,),
        "a pair": lambda g, z, x: (g, g),
        "a pair for a function of two": lambda g, z, x: (g, 2 * g),
        "three": lambda g, z, x: (g, g, g),
        "a list": lambda g, z, x: [g, g],
        "nothing": lambda g, z, x: None,
        "no tuple at all": lambda g, z, x: (),
        "a shorter array": lambda g, z, x: g[:1],
        "a longer array": lambda g, z, x: np.concatenate([g, g]),
        "a column": lambda g, z, x: g[:, None],
        "complex numbers": lambda g, z, x: g * 1j,
        "objects": lambda g, z, x: g.astype(object),
    }

    @pytest.mark.parametrize("sweep", ["backward", "gradients"])
    @pytest.mark.parametrize("of", ["a leaf", "a result"])
    @pytest.mark.parametrize("rule", CASES.values(), ids=CASES)
    def test_wrong_number_or_shape(self, rule, of, sweep):
        careless = ag.Primitive(lambda x: 2 * x, (rule,), "careless")
        leaf, other = ag.Variable([1.0, 2.0, 3.0]), ag.Variable(1.0)
        x = leaf if of == "a leaf" else leaf * 1.0
        with ag.scope("layer"):
            y = np.sum(careless(x)) + other
        with pytest.raises(ag.errors.RuleError, match=r"careless: .*rule for argument 0") as caught:
            y.backward() if sweep == "backward" else ag.gradients(y, [leaf, other])
        assert "(in scope 'layer')" in str(caught.value)
        assert (leaf.grad, other.grad) == (None, None)
        np.sum(leaf * 2.0).backward()
        assert leaf.grad.tolist() == [2, 2, 2]

    def test_a_tracked_variable_that_the_rule_knows_of(self):
        """Its gradient would be lost: the operation does not depend on it."""
        w = ag.Variable(3.0)
        closed = ag.Primitive(lambda x: 3 * x, (lambda g, z, x: g * w,), "closed")
        other, x = ag.Variable(1.0), ag.Variable(2.0)
        with pytest.raises(ag.errors.RuleError, match=r"closed: .*rule for argument 0.*tracked"):
            (other + closed(x)).backward()
        assert (other.grad, x.grad, w.grad) == (None, None, None)

    def test_too_many_and_too_few_rules(self):
        rule = lambda g, z, *arrays: g
        with pytest.raises(TypeError, match=r"many takes \(x\), it was given 2 rules"):
            ag.primitive(lambda x: 2 * x, rule, rule, name="many")
        few = ag.primitive(lambda x, y: x + y, rule, name="few")
        with pytest.raises(ag.errors.RuleError, match="few: argument 1 is tracked"):
            few(ag.Variable(1.0), ag.Variable(2.0))


class TestRulesThatAreNotTheLibrarys:
    """What they may do to arrays and shapes without anybody noticing: nothing."""

    @pytest.mark.parametrize(
        "rule",
        [
            lambda g, z, x, w: (None, g * w),
            lambda g, z, x, w: (x > 0, g * w),
            lambda g, z, x, w: (np.array([0]), g * w),
            lambda g, z, x, w: np.array([5.0, 6.0, 7.0]),
        ],
        ids=["one for each", "mask", "integers", "larger than the result"],
    )
    def test_what_only_looks_like_a_cotangent(self, rule):
        f = ag.primitive(lambda x, w: x * w, rule, lambda g, z, x, w: g * x, name="f")
        x, w = ag.Variable(3.0), ag.Variable(1.0)
        with pytest.raises(ag.errors.RuleError, match="f: the derivative rule for argument 0"):
            f(x, w).backward()
        assert (x.grad, w.grad) == (None, None)

    def test_larger_than_the_result_along_an_axis(self):
        f = ag.primitive(lambda x: 2 * x, lambda g, z, x: np.ones((5, 3)), name="f")
        with pytest.raises(
            ag.errors.RuleError, match=r"returned a float64 array of shape \(5, 3\)"
        ):
            f(ag.Variable(np.ones((1, 3)))).backward(np.ones((1, 3)))

    def test_broadcast_with_the_result(self):
        f = ag.primitive(lambda x: x + np.ones((5, 3)), lambda g, z, x: g, name="f")
        x = ag.Variable(np.ones((1, 3)))
        f(x).backward(np.ones((5, 3)))
        assert x.grad.tolist() == [[5, 5, 5]]

    def test_a_rule_that_writes(self):
        def rule(g, z, x):
            g *= 2
            return g

        f = ag.primitive(lambda x: x * 2, rule, name="f")
        y, seed = ag.Variable([1.0]), np.ones(1)
        with pytest.raises(ValueError, match="read-only"):
            (f(y) + y).backward(seed)
        assert seed.tolist() == [1]
        assert y.grad is None

    @pytest.mark.parametrize("variadic", [False, True])
    def test_a_function_that_writes(self, variadic):
        def function(a):
            (a[0] if variadic else a).__imul__(2)

        f = ag.primitive(function, lambda g, z, x, **_: g, name="f", variadic=variadic)
        y = ag.Variable([1.0]) * 1.0
        with pytest.raises(ValueError, match=r"f: .*read-only"):
            f(y)
        assert y.data.tolist() == [1]
