"""Species that eat each other, ẋ = x·(r + A·x), by the Runge–Kutta method of order four."""

import numpy as np


def growth(x, rates, matrix):
    """ẋ for populations x, (d,), growth rates, (d,), and interactions, (d, d)."""
    return x * (rates + matrix @ x)


def step(field, x, h):
    """One step of length h of ẋ = field(x), of the classical method of order four."""
    k1 = field(x)
    k2 = field(x + h / 2 * k1)
    k3 = field(x + h / 2 * k2)
    k4 = field(x + h * k3)
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def trajectory(start, rates, matrix, h, steps):
    """The populations after each step, (steps, d)."""
    states = [start]
    for _ in range(steps):
        states.append(step(lambda x: growth(x, rates, matrix), states[-1], h))
    return np.stack(states[1:])


def objective(start, rates, matrix, h, observed):
    """Half the mean squared distance from what was observed after each step."""
    return 0.5 * np.mean((trajectory(start, rates, matrix, h, len(observed)) - observed) ** 2)


def problem(rng, steps, d, h=0.02):
    """`d` species, each eating the one before it, over `steps` steps."""
    start, rates = 0.5 + rng.random(d), np.where(np.arange(d) % 2, -0.8, 0.9)
    matrix = np.diag(0.5 + rng.random(d - 1), -1)
    matrix = matrix - 1.2 * matrix.T - 0.05 * np.eye(d)
    observed = trajectory(start * 1.1, rates, matrix, h, steps)
    return [start, rates, matrix], (h, observed + 0.05 * rng.standard_normal((steps, d)))
