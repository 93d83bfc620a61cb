"""Adding an operation of one's own, in the public way."""

import numpy as np
import pytest
import scipy.special

import autograd_lite as ag
from autograd_lite.operators import OPERATIONS
from tests import numeric
from tests import test_contract as contract
from tests.cases.case import Case, broadcasting


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    """What a test registers is forgotten after it."""
    before = dict(OPERATIONS)
    yield
    OPERATIONS.clear()
    OPERATIONS.update(before)


def full_contract(case):
    contract.test_value(case, np.float64)
    contract.test_first_order(case)
    contract.test_higher_orders(case)
    contract.test_rules_are_recorded_in_their_cotangent(case)
    contract.test_float32_gradient_is_close_to_the_float64_one(case)
    contract.test_gradients_share_no_memory(case)
    contract.test_inputs_stay_untouched(case)


def test_numpy_forward():
    softsign = ag.primitive(
        lambda x: x / (1 + np.abs(x)),
        lambda g, z, x: g / np.square(1 + np.abs(x)),
        name="softsign",
    )
    full_contract(
        Case("softsign", (), softsign, avoid=[0], reference=lambda x: x / (1 + np.abs(x)))
    )
    assert softsign(ag.Variable(1.0)).label.startswith("softsign #")


def test_two_arguments_with_broadcasting():
    """The sweep sums over broadcast axes; the rules say nothing about it."""
    weighted = ag.primitive(
        lambda x, w: 3 * x * w, lambda g, z, x, w: 3 * g * w, lambda g, z, x, w: 3 * g * x, name="w"
    )
    for case in broadcasting("weighted", (), weighted, reference=lambda x, w: 3 * x * w):
        full_contract(case)


def test_scipy_ufunc():
    """erf is a ufunc, so SciPy's own name records from then on."""
    ag.primitive(
        scipy.special.erf, lambda g, z, x: g * (2 / np.sqrt(np.pi)) * np.exp(-np.square(x))
    )
    full_contract(Case("erf", scipy.special.erf))
    x = ag.Variable([0.0, 1.0])
    z = scipy.special.erf(x)
    assert z.operation.name == "erf"
    np.testing.assert_allclose(
        ag.gradients(np.sum(z), x), 2 / np.sqrt(np.pi) * np.exp([0.0, -1.0]), rtol=1e-15
    )


def test_forward_that_is_not_numpy():
    """A forward in pure Python, number by number: Horner's rule for 1 + x + x²/2 + x³/6."""

    def polynomial(x):
        results = []
        for number in x.ravel().tolist():
            value = 1.0
            for k in (3, 2, 1):
                value = 1.0 + value * number / k
            results.append(value)
        return np.array(results, x.dtype).reshape(x.shape)

    taylor = ag.primitive(polynomial, lambda g, z, x: g * (1 + x + np.square(x) / 2))
    assert taylor.name == "polynomial"
    x = ag.Variable([[0.0, 1.0], [-1.0, 2.0]])
    z = taylor(x)
    np.testing.assert_allclose(z.data, polynomial(x.data), rtol=0)
    expected = numeric.gradients(lambda a: [polynomial(a)], [x.data], [np.ones((2, 2))])
    np.testing.assert_allclose(ag.gradients(z, x, np.ones((2, 2))), expected[0], atol=1e-10)


def test_settings_are_keywords_of_the_rules():
    scaled = ag.primitive(
        lambda x, power=1, scale=1.0: scale * x**power,
        lambda g, z, x, *, power=1, scale=1.0: g * (scale * power * x ** (power - 1)),
        name="scaled",
    )
    x = ag.Variable(3.0)
    z = scaled(x, power=2, scale=5.0)
    assert (z.item(), ag.gradients(z, x)) == (45, 30)
    assert dict(z.settings) == {"power": 2, "scale": 5.0}
    assert ag.gradients(scaled(x), x) == 1


def test_argument_without_a_rule_lets_no_gradient_flow():
    gated = ag.primitive(
        lambda x, gate: x * gate, lambda g, z, x, gate: g * gate, None, name="gated"
    )
    x, gate = ag.Variable(2.0), ag.Variable(3.0)
    assert ag.gradients(gated(x, gate), [x, gate]) == [3, 0]


def test_operation_without_any_rule_is_untracked():
    rounded = ag.primitive(lambda x: np.round(x), None, name="rounded")
    x = ag.Variable(2.6)
    z = rounded(x)
    assert (z.item(), z.requires_grad, z.operation) == (3, False, rounded)
    assert ag.gradients(x * z, x) == 3


def test_one_rule_for_a_list_of_arrays():
    total = ag.primitive(
        lambda arrays: sum((k + 1) * x for k, x in enumerate(arrays)),
        lambda g, z, arrays, *, index: (index + 1) * g,
        name="total",
        variadic=True,
    )
    xs = [ag.Variable(1.0), ag.Variable(2.0), ag.Variable(3.0)]
    z = total(*xs)
    assert (z.item(), ag.gradients(z, xs)) == (14, [1, 2, 3])


class TestSeveralResults:
    """One entry on the tape whose value is a tuple, and a selection from it for each result."""

    @pytest.fixture
    def sine_and_cosine(self):
        return ag.primitive(
            lambda x: (np.sin(x), np.cos(x)),
            lambda g, z, x: g[0] * z[1] - g[1] * z[0],
            name="sine_and_cosine",
        )

    def test_keeps_the_contract(self, sine_and_cosine):
        full_contract(
            Case("both", (), sine_and_cosine, reference=lambda x: (np.sin(x), np.cos(x)), order=3)
        )

    def test_one_result_alone_has_its_gradient(self, sine_and_cosine):
        x = ag.Variable([0.5, 1.0])
        _, cosine = sine_and_cosine(x)
        cosine.backward(np.ones(2))
        np.testing.assert_allclose(x.grad, -np.sin(x.data), rtol=1e-15)

    def test_rule_runs_once_for_all_results(self):
        calls = []

        def rule(g, z, x):
            calls.append(1)
            return g[0] + 2 * g[1] + 3 * g[2]

        thrice = ag.primitive(lambda x: (x, 2 * x, 3 * x), rule, name="thrice")
        x = ag.Variable(1.0)
        a, b, c = thrice(x)
        (a * b + c + a).backward()
        assert calls == [1]
        assert x.grad == 2 + 2 * 1 + 3 * 1 + 1

    def test_retained_gradients_of_the_results(self, sine_and_cosine):
        sine, cosine = sine_and_cosine(ag.Variable(0.5))
        (3.0 * sine + 4.0 * cosine).backward(retain_grads=True)
        assert (sine.grad, cosine.grad) == (3, 4)

    def test_can_be_looked_at(self, sine_and_cosine):
        sine, _ = sine_and_cosine(ag.Variable(0.5, name="x"))
        entry = sine.inputs[0]
        assert entry.operation.name == "sine_and_cosine"
        assert "sine_and_cosine(x)" in str(ag.tape())
        assert "sine_and_cosine" in repr(entry)

    def test_on_arrays_and_untracked_variables(self, sine_and_cosine):
        sine, _ = sine_and_cosine(np.float64(0.5))
        assert sine == np.sin(0.5)
        assert not isinstance(sine, ag.Variable)
        with ag.no_grad():
            sine, _ = sine_and_cosine(ag.Variable(0.5))
        assert (sine.requires_grad, sine.item()) == (False, np.sin(0.5))


def test_composition_stands_in_for_a_numpy_function():
    @ag.composition(np.cbrt)
    def cube_root(x):
        return np.sign(x) * np.abs(x) ** (1 / 3)

    x = ag.Variable([8.0, -27.0])
    np.testing.assert_allclose(ag.gradients(np.sum(np.cbrt(x)), x), [1 / 12, 1 / 27], rtol=1e-14)


def test_plain_arrays_are_not_disturbed_by_registration():
    ag.primitive(scipy.special.erf, lambda g, z, x: g)
    assert type(scipy.special.erf(np.ones(3))) is np.ndarray


@pytest.mark.parametrize(
    ("piece", "arrived"),
    [
        (np.ones(2), "float64 array of shape (2,)"),
        (np.ones((3, 3)), "float64 array of shape (3, 3)"),
        (np.ones(()), "float64 scalar"),
        (None, "returned None, the argument"),
        (1.0, "float 1.0"),
        ("abc", "str 'abc'"),
    ],
    ids=["another length", "an axis more", "an axis less", "None", "number", "text"],
)
def test_rule_with_a_wrong_result_is_named(piece, arrived):
    careless = ag.primitive(lambda x: 2 * x, lambda g, z, x: piece, name="careless")
    x = ag.Variable(np.ones(3), name="x")
    with ag.scope("layer"):
        z = careless(x)
    with pytest.raises(ag.errors.RuleError) as caught:
        z.backward(np.ones(3))
    message = str(caught.value)
    for part in ("careless: ", "argument 0", arrived, "(3,)", "(in scope 'layer')"):
        assert part in message
    assert x.grad is None


def test_rule_that_raises_gets_a_note():
    def rule(g, z, x):
        raise ZeroDivisionError("not mine")

    failing = ag.primitive(lambda x: 2 * x, rule, name="failing")
    with ag.scope("layer"):
        z = failing(ag.Variable(1.0))
    with pytest.raises(ZeroDivisionError, match="not mine") as caught:
        z.backward()
    (note,) = caught.value.__notes__
    assert "derivative rule of failing" in note.replace("'", "")
    assert "argument 0" in note
    assert "(in scope 'layer')" in note


def test_nothing_is_stored_when_a_rule_fails():
    def rule(g, z, x):
        raise ZeroDivisionError

    failing = ag.primitive(lambda x: 2 * x, rule, name="failing")
    x, y = ag.Variable(1.0), ag.Variable(2.0)
    for z in (x * failing(y), failing(y) * x):
        with pytest.raises(ZeroDivisionError):
            z.backward(retain_grads=True)
        assert (x.grad, y.grad, z.grad) == (None, None, None)
    assert ag.gradients(x * y, [x, y]) == [2, 1]


def test_settings_are_held_as_they_were():
    x, axes = ag.Variable(np.arange(6.0).reshape(1, 2, 3)), [2, 0, 1]
    z = np.transpose(x, axes)
    axes.reverse()
    z.backward(z.data)
    np.testing.assert_array_equal(x.grad, x.data)


def test_repr():
    assert repr(ag.Primitive(np.sin, (None,), "sine")) == "Primitive('sine')"


class TestMisuse:
    def test_an_array_that_a_rule_keeps_is_neither_changed_nor_handed_out(self):
        kept = np.array([2.0, 2.0])
        linear = ag.primitive(lambda a: (a * kept).sum(), lambda g, z, a: kept, name="linear")
        x = ag.Variable([1.0, 1.0])
        (linear(x) + linear(x)).backward()
        assert kept.tolist() == [2.0, 2.0]
        assert x.grad.tolist() == [4.0, 4.0]
        x.zero_grad()
        linear(x).backward()
        assert not np.shares_memory(x.grad, kept)

    def test_settings_by_position_are_bound_to_their_names(self):
        power = ag.primitive(
            lambda x, k: x**k, lambda g, z, x, *, k: g * k * x ** (k - 1), name="power"
        )
        x = ag.Variable(2.0)
        power(x, 3).backward()
        assert x.grad == 12.0

    def test_a_tracked_setting_is_refused_and_an_untracked_one_is_its_value(self):
        scaled = ag.primitive(
            lambda x, k=1.0: x * k, lambda g, z, x, *, k=1.0: g * k, name="scaled"
        )
        x = ag.Variable(2.0)
        with pytest.raises(TypeError, match=r"scaled: k=.* is tracked, and a setting has no deriv"):
            scaled(x, k=ag.Variable(3.0))
        scaled(x, k=ag.Variable(3.0, requires_grad=False)).backward()
        assert x.grad == 3.0

    def test_as_many_rules_as_a_ufunc_has_arrays(self):
        with pytest.raises(TypeError, match="arctan2 takes 2 arrays, it was given 1 rule;"):
            ag.primitive(np.arctan2, lambda g, z, x, y: g)

    @pytest.mark.parametrize("returned", [(1.0,), (1.0, 2.0)])
    def test_a_rule_that_returns_a_tuple_of_gradients(self, returned):
        wrong = ag.primitive(lambda x: 2 * x, lambda g, z, x: returned, name="wrong")
        x = ag.Variable([1.0, 2.0])
        with pytest.raises(ag.errors.RuleError, match="rule"):
            wrong(x).backward(np.ones(2))
        np.sum(x * 2).backward()
        assert x.grad.tolist() == [2.0, 2.0]

    def test_a_complex_cotangent_is_refused(self):
        wrong = ag.primitive(lambda x: 2 * x, lambda g, z, x: g * 2j, name="wrong")
        with pytest.raises(ag.errors.RuleError, match=r"complex128.* a rule returns a real cotang"):
            wrong(ag.Variable(1.0)).backward()

    def test_a_function_of_ones_own_is_not_kept_by_the_registry(self):
        before = len(OPERATIONS)
        ag.primitive(lambda x: 2 * x, lambda g, z, x: 2 * g)
        assert len(OPERATIONS) == before
