"""The three-way comparison: who is the odd one out, and is the finite difference trustworthy?"""

import numpy as np
import pytest

import autograd_lite as ag


@pytest.fixture
def recorded():
    """A small recorded computation, its parts by name, and their gradients by hand."""
    rng = np.random.default_rng(0)
    X = ag.Variable(rng.standard_normal((5, 4)), name="X")
    W = ag.Variable(rng.standard_normal((4, 3)), name="W")
    b = ag.Variable(rng.standard_normal(3), name="b")
    y = np.tanh(X @ W + b)
    loss = np.mean(y**2)
    dy = 2 * y.data / y.size
    da = dy * (1 - y.data**2)
    return loss, {X: da @ W.data.T, W: X.data.T @ da, b: da.sum(axis=0), y: dy}


def row_of(report: ag.Comparison, variable: ag.Variable):
    return next(row for row in report.rows if row.label == variable.label)


def test_right_formulas_agree_for_leaves_and_intermediates(recorded):
    loss, formulas = recorded
    report = ag.compare(loss, formulas)
    assert report.agree
    assert [row.verdict for row in report.rows] == ["agree"] * 4
    for row, (variable, formula) in zip(report.rows, formulas.items(), strict=True):
        assert row.shape == variable.shape
        assert row.entries.size == variable.size
        np.testing.assert_allclose(row.tape, formula.reshape(-1), rtol=1e-12)
        # a central difference loses half of the digits of its step: about ε^(2/3) = 4e-11
        np.testing.assert_allclose(row.numeric, formula.reshape(-1), rtol=1e-8, atol=1e-10)
    assert str(report).endswith(": tape, formula and finite difference agree on all 4")


def wrong(gradient: np.ndarray, how: str) -> np.ndarray:
    return {
        "sign": -gradient,
        "factor": gradient * 5,
        "one entry": gradient + np.eye(1, gradient.size, 2).reshape(gradient.shape) * 1e-3,
        "NaN": np.where(np.arange(gradient.size).reshape(gradient.shape) == 1, np.nan, gradient),
    }[how]


@pytest.mark.parametrize("how", ["sign", "factor", "one entry", "NaN"])
@pytest.mark.parametrize("which", range(4))
def test_wrong_formula_is_the_odd_one_out(recorded, which, how):
    loss, formulas = recorded
    variable = list(formulas)[which]
    report = ag.compare(loss, {**formulas, variable: wrong(formulas[variable], how)})
    assert not report.agree
    for row in report.rows:
        assert row.verdict == ("odd: formula" if row.label == variable.label else "agree")
    assert "1 of 4 do not agree" in str(report)


def test_the_worst_entry_is_named_with_its_three_numbers():
    x = ag.Variable([1.0, 2.0, 3.0], name="x")
    report = ag.compare(np.sum(x**2), {x: [2.0, 4.0, 60.0]})
    assert str(report).splitlines()[-4:-1] == [
        "",
        "where they differ most:",
        "  x[2]: tape 6, formula 60, finite difference 6",
    ]


def test_formula_of_another_shape_is_reported_not_raised(recorded):
    loss, formulas = recorded
    W = next(v for v in formulas if v.name == "W")
    report = ag.compare(loss, {W: formulas[W].T})
    assert report.rows[0].verdict == "formula: shape (3, 4)"
    assert "W: shape (4, 3), the formula has (3, 4)" in str(report)


def test_wrong_rule_makes_the_tape_the_odd_one_out():
    cube = ag.primitive(lambda x: x**3, lambda g, z, x: g * 2 * x**2, name="cube")
    x = ag.Variable([1.0, 2.0])
    report = ag.compare(np.sum(cube(x)), {x: 3 * x.data**2})
    assert report.rows[0].verdict == "odd: tape"


def test_the_tape_is_the_odd_one_out_of_many_entries():
    """The difference is doubted everywhere, and must stay as good as it was."""
    doubled = ag.primitive(lambda x: x * 1.0, lambda g, z, x: 2 * g, name="doubled")
    rng = np.random.default_rng(0)
    x = ag.Variable(rng.standard_normal((20, 10)))
    w = rng.standard_normal((10, 10))
    loss = np.sum(np.tanh(doubled(x) @ w) ** 2)
    report = ag.compare(loss, {x: ag.gradients(loss, x) / 2})
    assert report.rows[0].verdict == "odd: tape"
    assert report.rows[0].formula_numeric < 1e-7  # one quick step; the doubt is settled by two


def test_infinite_slopes_are_compared_too():
    x = ag.Variable([0.0, 4.0])
    with np.errstate(divide="ignore"):
        loss = np.sum(np.sqrt(x))
        right = ag.compare(loss, {x: [np.inf, 0.25]})
        wrong = ag.compare(loss, {x: [np.inf, 0.5]})
    # left of 0 there is no root, and no difference
    assert right.rows[0].verdict == "odd: finite difference"
    assert right.rows[0].tape_formula == 0
    assert wrong.rows[0].verdict == "all three differ"
    assert wrong.rows[0].tape_formula == 0.5


def test_kink_makes_the_finite_difference_the_odd_one_out():
    x = ag.Variable([0.0, 1.0])
    # at 0 both say 0, and the central difference of max(x, 0) says one half
    report = ag.compare(np.sum(np.clip(x, 0, None)), {x: [0.0, 1.0]})
    assert report.rows[0].verdict == "odd: finite difference"


def test_all_three_can_differ():
    wrong_square = ag.primitive(lambda x: x**2, lambda g, z, x: g * x, name="wrong_square")
    x = ag.Variable([1.0, 2.0])
    report = ag.compare(np.sum(wrong_square(x)), {x: [7.0, 7.0]})
    assert report.rows[0].verdict == "all three differ"


def test_less_than_a_finite_difference_can_tell():
    x = ag.Variable([1.0, 2.0])
    report = ag.compare(np.sum(x**2), {x: [2.0, 4.0 + 1e-7]})
    assert report.rows[0].verdict == "tape and formula differ"


def test_a_sample_of_entries_is_stated_and_holds_the_worst():
    x = ag.Variable(np.linspace(1, 2, 500), name="x")
    formula = 2 * x.data
    formula[321] += 1
    report = ag.compare(np.sum(x**2), {x: formula}, entries=20)
    assert report.rows[0].entries.size in (20, 21)
    assert 321 in report.rows[0].entries
    assert f"{report.rows[0].entries.size} of 500" in str(report)
    assert "x[321]" in str(report)
    again = ag.compare(np.sum(x**2), {x: formula}, entries=20)
    assert np.array_equal(report.rows[0].entries, again.rows[0].entries), "seeded"


def test_finite_difference_is_taken_in_float64_for_float32():
    x = ag.Variable(np.float32([0.5, 1.5]), name="x")
    loss = np.sum(np.exp(np.sin(x)).astype(np.float32))
    exact = np.exp(np.sin(x.data.astype(float))) * np.cos(x.data.astype(float))
    report = ag.compare(loss, {x: exact})
    assert report.agree
    # in float32 a difference quotient would be good to 1e-3
    np.testing.assert_allclose(report.rows[0].numeric, exact, rtol=1e-8)


def test_leaf_assigned_since_is_replayed_with_its_recorded_value():
    x = ag.Variable([1.0, 2.0])
    loss = np.sum(x**3)
    x.data = [100.0, 100.0]
    assert ag.compare(loss, {x: [3.0, 12.0]}).agree


def test_masks_choices_and_indices_are_replayed():
    x = ag.Variable([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])
    best = x[np.arange(2), np.argmax(x, axis=1)]
    loss = np.sum(np.where(x > 0, x, 0.1 * x)) + np.sum(best**2) + np.sum(np.stack([x, x * 2]))
    formula = np.where(x.data > 0, 1, 0.1) + 3
    formula[0, 2] += 6
    formula[1, 1] += 8
    assert ag.compare(loss, {x: formula}).agree


def test_detached_values_are_held_constant():
    x = ag.Variable([1.0, 2.0])
    loss = np.sum(x * x.detach())
    assert ag.compare(loss, {x: [1.0, 2.0]}).agree


class TestBadInput:
    def test_loss_with_several_elements(self):
        x = ag.Variable([1.0, 2.0])
        with pytest.raises(ValueError, match=r"one element, this is a float64 array of shape \(2,"):
            ag.compare(x * 2, {x: [2.0, 2.0]})

    def test_loss_that_is_no_variable(self):
        with pytest.raises(ValueError, match="must be a Variable of one element, this is a float"):
            ag.compare(3.0, {})

    def test_variable_that_does_not_take_part(self):
        x, q = ag.Variable(1.0), ag.Variable(1.0, name="q")
        with pytest.raises(ag.errors.NotRecordedError, match="does not depend on q"):
            ag.compare(x * 2, {q: 0.0})

    def test_formulas_that_are_no_dict(self):
        with pytest.raises(TypeError) as caught:
            ag.compare(ag.Variable(1.0) * 2, [2.0])
        assert str(caught.value) == (
            "compare: the formulas must be a dict of Variable: array, this is a list [2.0]"
        )

    def test_no_entries(self):
        x = ag.Variable(1.0)
        with pytest.raises(ValueError, match="one entry must be shifted, entries=0 is none"):
            ag.compare(x * 2, {x: 2.0}, entries=0)

    def test_formula_that_is_not_real(self):
        x = ag.Variable(1.0, name="x")
        with pytest.raises(TypeError) as caught:
            ag.compare(x * 2, {x: 2j})
        assert str(caught.value) == (
            "compare: the formula for x is a complex128 scalar; it must be real"
        )

    def test_loss_that_is_not_recorded(self):
        x = ag.Variable(1.0)
        with ag.no_grad():
            loss = x * 2
        with pytest.raises(ag.errors.NotRecordedError, match="not recorded"):
            ag.compare(loss, {x: 2.0})


def test_gradient_that_is_zero_agrees_with_its_rounding():
    x = ag.Variable(np.linspace(0, 1, 4))
    e = np.exp(x)
    assert ag.compare(np.sum(e / np.sum(e)), {x: np.zeros(4)}).agree


def test_the_loss_itself():
    x = ag.Variable(2.0)
    assert ag.compare(x, {x: 1.0}).agree
    assert ag.compare(x, {x: 3.0}).rows[0].verdict == "odd: formula"


@pytest.mark.parametrize("at", [1e-12, 1e-9, 1e-6, 1e-5, 1e-4])
def test_step_stays_inside_the_domain(at):
    x = ag.Variable([at, 0.5])
    report = ag.compare(np.sum(np.log(x)), {x: 1 / x.data})
    assert report.agree
    np.testing.assert_allclose(report.rows[0].numeric, 1 / x.data, rtol=1e-6)


def test_step_is_short_for_a_fast_function():
    x = ag.Variable(1e6)
    assert ag.compare(np.sin(x), {x: np.cos(x.data)}).agree
