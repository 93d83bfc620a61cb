"""Bundle adjustment, ADBench's BA: cameras, points and weights from where points were seen.

A camera is [r₁ r₂ r₃ | C₁ C₂ C₃ | f | u₀ v₀ | κ₁ κ₂]: rotation vector, centre, focal length,
principal point, radial distortion.
"""

import numpy as np


def rotate(r, X):
    """Rows of X turned by the angle ‖r‖ about the axis r/‖r‖ of the same row (Rodrigues).

    As I + (sin θ)/θ·K + (1 − cos θ)/θ²·K² with K·X = r × X: nothing is divided by θ, so that value,
    gradient and Hessian are right at θ = 0 too.
    """
    angle = np.linalg.norm(r, axis=-1, keepdims=True)
    turned = np.cross(r, X)
    half = np.sinc(angle / (2 * np.pi))
    return X + np.sinc(angle / np.pi) * turned + 0.5 * half**2 * np.cross(r, turned)


def project(cameras, X):
    """Where the points, (n, 3), appear in the pictures of their cameras, (n, 11)."""
    seen = rotate(cameras[:, 0:3], X - cameras[:, 3:6])
    flat = seen[:, 0:2] / seen[:, 2:3]
    squared = np.sum(flat**2, axis=1, keepdims=True)
    distortion = 1 + cameras[:, 9:10] * squared + cameras[:, 10:11] * squared**2
    return flat * distortion * cameras[:, 6:7] + cameras[:, 7:9]


def residuals(cameras, points, weights, observations, features):
    """The weighted errors, (p, 2), and 1 − w², (p,); an observation is (camera, point)."""
    return rows(cameras[observations[:, 0]], points[observations[:, 1]], weights, features)


def rows(cameras, points, weights, features):
    """The same with the camera and the point of every observation in its row."""
    return weights[:, None] * (project(cameras, points) - features), 1 - weights**2


def objective(cameras, points, weights, observations, features):
    """Half the sum of all squared residuals."""
    errors, weight_errors = residuals(cameras, points, weights, observations, features)
    return 0.5 * (np.sum(errors**2) + np.sum(weight_errors**2))


def problem(rng, n, m, p):
    """`n` cameras, `m` points in front of them, `p` observations with noise."""
    cameras = np.empty((n, 11))
    cameras[:, 0:3] = 0.2 * rng.standard_normal((n, 3))
    cameras[:, 3:6] = 0.3 * rng.standard_normal((n, 3)) - [0, 0, 5]
    cameras[:, 6] = 1 + rng.random(n)
    cameras[:, 7:9] = 0.1 * rng.standard_normal((n, 2))
    cameras[:, 9:11] = 0.05 * rng.standard_normal((n, 2))
    points = rng.standard_normal((m, 3))
    observations = np.stack([rng.integers(0, n, p), rng.integers(0, m, p)], axis=1)
    features = project(cameras[observations[:, 0]], points[observations[:, 1]])
    features += 0.1 * rng.standard_normal((p, 2))
    return [cameras, points, rng.random(p) + 0.5], (observations, features)
