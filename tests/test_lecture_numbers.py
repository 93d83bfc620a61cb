"""Numbers printed in the lectures, from the tape."""

import numpy as np
import pytest

import autograd_lite as ag


def test_sine_and_product():
    """∇(sin x₁ + x₁x₂) = (cos x₁ + x₂, x₁)."""
    x1, x2 = ag.Variable(2.0), ag.Variable(5.0)
    (np.sin(x1) + x1 * x2).backward()
    assert x1.grad == np.cos(2.0) + 5.0
    assert x2.grad == 2.0


def test_one_step_of_gradient_descent_reaches_the_minimum():
    """f(x) = x² + 2x − 2, η = 0.5, from 0: x = −1, f = −3, gradient 0."""

    def f(x):
        return x**2 + 2 * x - 2

    x = ag.Variable(0.0)
    f(x).backward()
    x.data = x.data - 0.5 * x.grad
    x.zero_grad()
    assert x.item() == -1.0
    y = f(x)
    assert y.item() == -3.0
    y.backward()
    assert x.grad == 0.0


def test_gradient_of_a_loss_surface():
    """f(x, y) = xy + 3x² at (−2, −2): (−14, −2)."""
    x, y = ag.Variable(-2.0), ag.Variable(-2.0)
    assert ag.gradients(x * y + 3 * x**2, [x, y]) == [-14.0, -2.0]


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: np.cos(x) ** 2, lambda x: -2 * np.sin(x) * np.cos(x)),
        (lambda x: np.sin(0.5 * x**2), lambda x: x * np.cos(0.5 * x**2)),
    ],
    ids=["(cos x)²", "sin(0.5x²)"],
)
def test_chain_rule(f, slope):
    x = ag.Variable(np.linspace(-3, 3, 13))
    np.sum(f(x)).backward()
    np.testing.assert_allclose(x.grad, slope(x.data), rtol=1e-15, atol=1e-16)


def softmax(d):
    exponentials = np.exp(d)
    return exponentials / np.sum(exponentials)


def test_softmax():
    """softmax([2.0, 1.0, 0.1]) ≈ [0.7, 0.2, 0.1], and ∂eᵢ/∂dⱼ = eᵢ(δᵢⱼ − eⱼ)."""
    d = ag.Variable([2.0, 1.0, 0.1])
    e = softmax(d)
    np.testing.assert_allclose(e.data, [0.7, 0.2, 0.1], atol=0.05)
    jacobian = [ag.gradients(e, d, row) for row in np.eye(3)]
    np.testing.assert_allclose(jacobian, np.diag(e.data) - np.outer(e.data, e.data), atol=1e-16)


def test_dimension_analysis():
    """15, 10 and 5 neurons: ∂L/∂a has 10 entries, ∂L/∂θ is 15×10."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=15)
    theta = ag.Variable(0.1 * rng.normal(size=(15, 10)))
    weights = ag.Variable(rng.normal(size=(10, 5)))
    a = np.tanh(x @ theta)
    loss = np.sum((a @ weights) ** 2)
    to_a, to_theta = ag.gradients(loss, [a, theta])
    assert to_a.shape == (10,)
    assert to_theta.shape == (15, 10)
    np.testing.assert_allclose(to_theta, np.outer(x, to_a * (1 - a.data**2)), rtol=1e-12)


class TestIrisWalkThrough:
    """Lecture 5's network and numbers, which the slide differentiates wrongly."""

    x, y = np.array([1.8, 0.5]), np.array([1.0, 0.0, 0.0])

    def forward(self):
        self.W1 = ag.Variable([[0.1, -0.2], [0.4, 0.6]])
        self.b1 = ag.Variable([0.2, -0.3])
        self.W2 = ag.Variable([[0.3, -0.3], [0.2, 0.1], [0.3, -0.2]])
        self.b2 = ag.Variable([-0.1, -0.5, -0.4])
        self.a1 = np.clip(self.W1 @ self.x + self.b1, 0, None)
        self.logits = self.W2 @ self.a1 + self.b2
        self.probabilities = softmax(self.logits)
        return self.probabilities

    def test_forward(self):
        p = self.forward()
        np.testing.assert_allclose(self.a1.data, [0.28, 0.72], rtol=1e-12)
        np.testing.assert_allclose(self.logits.data, [-0.23, -0.37, -0.46], atol=0.005)
        np.testing.assert_allclose(p.data, [0.38, 0.32, 0.30], atol=0.01)  # cut, not rounded

    def test_both_signs_of_the_loss(self):
        p = self.forward()
        loss = -np.sum(self.y * np.log(p) + (1 - self.y) * np.log(1 - p))
        assert loss.item() == pytest.approx(1.73, abs=0.005)
        to_p, to_w2 = ag.gradients(loss, [p, self.W2])
        np.testing.assert_allclose(to_p, [-2.67, 1.48, 1.43], atol=0.005)
        np.testing.assert_allclose(
            to_w2, [[-0.271, -0.696], [0.144, 0.370], [0.127, 0.325]], atol=0.0015
        )

    def test_plain_cross_entropy(self):
        p = self.forward()
        to_logits, to_w2 = ag.gradients(-np.sum(self.y * np.log(p)), [self.logits, self.W2])
        np.testing.assert_allclose(to_logits, p.data - self.y, rtol=1e-12)
        np.testing.assert_allclose(
            to_w2, [[-0.175, -0.450], [0.091, 0.235], [0.084, 0.215]], atol=0.0006
        )


class TestLectureOneWithoutLayers:
    """2 → 3 → sigmoid → 2 → softmax → cross entropy, one sample: every δ as on the sheets."""

    def test_every_delta(self):
        rng = np.random.default_rng(1)
        x, t = rng.normal(size=(1, 2)), np.array([[0.0, 1.0]])
        W1, b1 = ag.Variable(rng.normal(size=(2, 3))), ag.Variable(rng.normal(size=3))
        W2, b2 = ag.Variable(rng.normal(size=(3, 2))), ag.Variable(rng.normal(size=2))
        a = x @ W1 + b1
        b = 1 / (1 + np.exp(-a))
        c = b @ W2 + b2
        d = np.exp(c) / np.sum(np.exp(c))
        e = -np.sum(t * np.log(d))
        e.backward(retain_grads=True)

        to_d = -t / d.data
        to_c = d.data * (to_d - np.sum(to_d * d.data))
        to_b = to_c @ W2.data.T
        to_a = to_b * b.data * (1 - b.data)
        expected = {
            e: np.array(1.0),
            d: to_d,
            c: to_c,
            b: to_b,
            a: to_a,
            W2: b.data.T @ to_c,
            b2: to_c.sum(0),
            W1: x.T @ to_a,
            b1: to_a.sum(0),
        }
        for variable, delta in expected.items():
            np.testing.assert_allclose(variable.grad, delta, rtol=1e-12, atol=1e-15)
