"""Where factorisations have derivatives and where not; determinants of singular matrices."""

import numpy as np
import pytest
from numpy import linalg

import autograd_lite as ag

RNG = np.random.default_rng(0)
UNIQUE = "these vectors are not unique"


def symmetric(values):
    """A matrix with these eigenvalues (and singular values, where they are not negative)."""
    q = linalg.qr(RNG.standard_normal((len(values), len(values)))).Q
    return (q * values) @ q.T


def gradient(function, x):
    return ag.gradients(np.sum(function(v := ag.Variable(x))), v)


# --- results as NumPy's


@pytest.mark.parametrize(
    ("function", "fields"),
    [
        (linalg.eigh, ("eigenvalues", "eigenvectors")),
        (linalg.qr, ("Q", "R")),
        (linalg.slogdet, ("sign", "logabsdet")),
        (linalg.svd, ("U", "S", "Vh")),
    ],
)
def test_named_results(function, fields):
    x = np.eye(2) + 1
    result, expected = function(ag.Variable(x)), function(x)
    assert type(result) is type(expected)
    for field in fields:
        np.testing.assert_array_equal(getattr(result, field).data, getattr(expected, field))


def test_matrix_power_1_is_the_matrix():
    x = ag.Variable(np.eye(2))
    assert linalg.matrix_power(x, 1) is x


def test_multi_dot_takes_the_cheapest_order():
    x, y = ag.Variable(np.ones((1, 50))), ag.Variable(np.ones((50, 50)))
    z = linalg.multi_dot([x, y, y, y])
    assert [v.shape for v in z.inputs] == [(1, 50), (50, 50)]  # from the left: no 50×50 products


# --- determinants


def test_gradient_of_det_is_the_adjugate_transposed():
    """By hand: of the singular [[a, b], [c, d]] it is [[d, −c], [−b, a]]."""
    np.testing.assert_allclose(gradient(linalg.det, [[1.0, 2.0], [2.0, 4.0]]), [[4, -2], [-2, 1]])


@pytest.mark.parametrize("smallest", [0, 1e-17, 1e-12, 1e-3])
def test_gradient_of_det_near_a_singular_matrix(smallest):
    """From the singular values, without a division: U·diag(∏ of the others)·Vᵀ·det U·det V."""
    x = symmetric([2.0, 1.0, 0.5, -3.0, smallest]) @ symmetric([1.0, 2.0, 3.0, 4.0, 5.0])
    u, s, vT = linalg.svd(x)
    others = np.array([np.prod(np.delete(s, i)) for i in range(5)])
    expected = (u * others) @ vT * linalg.det(u) * linalg.det(vT)
    np.testing.assert_allclose(gradient(linalg.det, x), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("size", "count"), [(1e-200, 2), (1e-110, 3), (1e200, 2)])
def test_gradient_of_det_where_det_is_no_float(size, count):
    with np.errstate(over="ignore"):
        slope = gradient(linalg.det, size * np.eye(count))
    np.testing.assert_allclose(slope, size ** (count - 1) * np.eye(count))


def test_cofactors_of_a_large_matrix_cost_no_minors():
    """They would be n⁴ numbers, 13 GB at this size."""
    x = RNG.standard_normal((200, 200)) * 0.1
    x[:, 0] = x[:, 1]
    slope = gradient(linalg.det, x)
    np.testing.assert_allclose(slope[:, 0], -slope[:, 1], rtol=1e-6, atol=1e-9 * np.max(slope))


def test_third_derivatives_of_det_at_0():
    """det of a 3×3 matrix is a sum over permutations: ∂³det/∂x₀₀∂x₁₁∂x₂₂ = 1, whatever x is."""
    x = ag.Variable(np.zeros((3, 3)))
    z = linalg.det(x)
    for i in range(3):
        z = ag.gradients(z, x, create_graph=True)[i, i]
    assert z.data == pytest.approx(1)


def test_one_singular_matrix_in_a_stack_leaves_the_others_right():
    x = np.stack([np.diag([2.0, 3.0]), np.zeros((2, 2)), np.diag([1.0, 0.0])])
    expected = [np.diag([3.0, 2.0]), np.zeros((2, 2)), np.diag([0.0, 1.0])]
    np.testing.assert_allclose(gradient(linalg.det, x), expected, atol=1e-15)


def test_logarithm_of_a_vanishing_determinant_has_no_derivative():
    x = ag.Variable(np.ones((2, 2)))
    with pytest.raises(linalg.LinAlgError, match="Singular matrix") as caught:
        linalg.slogdet(x).logabsdet.backward()
    assert "in the derivative rule of slogdet" in caught.value.__notes__[0]


# --- equal eigenvalues and singular values


@pytest.mark.parametrize("x", [np.eye(3), np.zeros((3, 3)), symmetric([2.0, 2.0, 1.0])])
@pytest.mark.parametrize(
    "values", [linalg.eigvalsh, lambda x: linalg.eigh(x)[0], lambda x: linalg.eigh(x, "U")[0]]
)
def test_sum_of_equal_eigenvalues_is_the_trace(values, x):
    np.testing.assert_allclose(gradient(values, x), np.eye(3), atol=1e-14)


@pytest.mark.parametrize("x", [np.eye(3), -np.eye(3), symmetric([2.0, 2.0, 1.0])])
@pytest.mark.parametrize("values", [linalg.svdvals, lambda x: linalg.svd(x).S])
def test_sum_of_equal_singular_values(values, x):
    """The nearest orthogonal matrix, U·Vᵀ."""
    expected = -np.eye(3) if x[0, 0] == -1 else np.eye(3)
    np.testing.assert_allclose(gradient(values, x), expected, atol=1e-14)


def test_singular_value_0_has_slope_0_as_the_norm_has():
    for function in (linalg.svdvals, lambda x: linalg.norm(x, "nuc"), lambda x: linalg.norm(x, 2)):
        assert not gradient(function, np.zeros((2, 3))).any()


def test_singular_value_0_up_to_rounding():
    """Of a matrix of rank 1, the slope of the nuclear norm is u·vᵀ, and no rounding noise."""
    x = np.outer([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    np.testing.assert_allclose(gradient(lambda x: linalg.norm(x, "nuc"), x), x / 14, atol=1e-14)
    np.testing.assert_array_equal(gradient(lambda x: linalg.norm(x, -2), x), np.zeros((3, 3)))


@pytest.mark.parametrize("x", [np.eye(3), symmetric([2.0, 2.0, 1.0])])
@pytest.mark.parametrize(
    "vectors",
    [
        lambda x: linalg.eigh(x).eigenvectors,
        lambda x: linalg.svd(x).U,
        lambda x: linalg.svd(x).Vh,
        # the same for every choice of vectors, and yet the rule would have to divide 0 by 0
        lambda x: (linalg.eigh(x)[1] * linalg.eigh(x)[0]) @ linalg.eigh(x)[1].T,
    ],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_vectors_of_equal_values_have_no_derivative(vectors, x, dtype):
    with pytest.raises(ValueError, match=UNIQUE):
        gradient(vectors, x.astype(dtype))


@pytest.mark.parametrize(
    ("function", "x", "order", "parts"),
    [
        (
            lambda x: linalg.eigh(x).eigenvectors,
            np.diag([1.0, 3.0, 3.0]),
            1,
            ["eigh: the derivative of eigenvectors", "eigenvalues 1 and 2 are equal", ", 3 and 3:"],
        ),
        (
            lambda x: linalg.eigvalsh(x) ** 2,
            np.eye(2),
            2,
            ["eigh: ", "eigenvalues 0 and 1", ", 1 and 1:", "np.linalg.eigvalsh", "the second one"],
        ),
        (
            lambda x: linalg.svd(x).U,
            np.stack([np.diag([2.0, 1.0]), np.eye(2)]),
            1,
            ["svd: the derivative of singular vectors", "singular values 0 and 1 of matrix (1,)"],
        ),
        (
            lambda x: linalg.svd(x, full_matrices=False).U,
            np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]),
            1,
            ["svd: ", "singular value 1 is 0 up to rounding, 0:"],
        ),
        (
            lambda x: linalg.svdvals(x) ** 2,
            np.eye(2),
            2,
            ["svd: ", "np.linalg.svdvals", "1 and 1:"],
        ),
    ],
)
def test_equal_values_are_named(function, x, order, parts):
    """The operation, the condition, the two values, and what to do."""

    def differentiate(x):
        slope = ag.gradients(np.sum(function(x)), x, create_graph=True)
        return ag.gradients(slope, x, np.ones(x.shape)) if order == 2 else slope

    with pytest.raises(ValueError, match=UNIQUE) as caught:
        differentiate(ag.Variable(x))
    message = str(caught.value)
    for part in [*parts, "move the values apart"]:
        assert part in message
    assert "quotient" not in message  # an inner name


def test_vectors_of_a_singular_value_0():
    tall = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match=UNIQUE):
        gradient(lambda x: linalg.svd(x, full_matrices=False).U, tall)
    square = np.diag([2.0, 0.0])  # here the second vectors are unique, up to a sign
    assert np.isfinite(gradient(lambda x: linalg.svd(x).U, square)).all()


def test_a_vector_of_its_own_value_has_a_derivative_beside_equal_ones():
    """∂v/∂A = Σ vⱼ vⱼᵀ·dA·v/(w − wⱼ): only differences to w are asked for."""
    x, tilt = np.diag([1.0, 1.0, 3.0]), np.array([1.0, 2.0, 5.0])
    actual = gradient(lambda x: tilt * linalg.eigh(x).eigenvectors[:, 2], x)
    sign = linalg.eigh(x).eigenvectors[2, 2]
    np.testing.assert_allclose(actual, [[0, 0, 0], [0, 0, 0], [sign / 2, sign * 2 / 2, 0]])


def test_second_derivative_of_equal_eigenvalues_is_not_made_up():
    """Of Σw² = Σx² it exists, but the way through the vectors does not lead there."""
    x = ag.Variable(np.eye(2))
    slope = ag.gradients(np.sum(linalg.eigvalsh(x) ** 2), x, create_graph=True)
    np.testing.assert_allclose(slope.data, 2 * np.eye(2))
    with pytest.raises(ValueError, match=UNIQUE):
        ag.gradients(slope, x, np.ones((2, 2)))


# --- the other conditions


@pytest.mark.parametrize("function", [linalg.cholesky, linalg.eigvalsh])
def test_the_triangle_that_is_not_read_has_no_gradient(function):
    x = symmetric([1.0, 2.0, 4.0])
    assert not np.triu(gradient(function, x), 1).any()
    upper = {"upper": True} if function is linalg.cholesky else {"UPLO": "U"}
    assert not np.tril(gradient(lambda x: function(x, **upper), x), -1).any()


def test_symmetric_gradients_add_up_where_the_argument_is_symmetric():
    """log det of X·Xᵀ through its Cholesky factor: the gradient is 2·X⁻ᵀ."""
    x = RNG.standard_normal((3, 3))
    actual = gradient(lambda x: 2 * np.log(linalg.diagonal(linalg.cholesky(x @ x.T))), x)
    np.testing.assert_allclose(actual, 2 * linalg.inv(x).T)


@pytest.mark.parametrize("x", [np.ones((3, 2)), np.zeros((2, 2))])
def test_qr_of_dependent_columns(x):
    with pytest.raises(ValueError, match="exists only for a matrix of full column rank"):
        gradient(lambda x: linalg.qr(x).Q, x)


def test_pinv_for_changes_that_keep_the_rank():
    """u·vᵀ has the pseudoinverse v·uᵀ/(|u|²|v|²)."""
    u, v = ag.Variable([1.0, 2.0, 3.0]), np.array([2.0, 1.0])
    np.sum(linalg.pinv(np.outer(u, v))).backward()
    norm = 14.0
    expected = 3 / 5 * (1 / norm - 6 * 2 * u.data / norm**2)
    np.testing.assert_allclose(u.grad, expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: linalg.svd(x), "use np.linalg.svd.x, full_matrices=False."),
        (lambda x: linalg.qr(x, "complete"), "not unique"),
        (lambda x: linalg.qr(x, "raw"), "use 'reduced' or 'r'"),
        (lambda x: linalg.eig(x @ x.T), "use np.linalg.eigh"),
        (lambda x: linalg.eigvals(x @ x.T), "use np.linalg.eigh"),
        (lambda x: np.nextafter(x, 0), "no derivative"),
        (lambda x: np.ones((3, 2)).clip(x, 5), "write np.clip"),
        (lambda x: np.dot(x, x.T, out=np.zeros((3, 3))), "use the returned value"),
    ],
)
def test_refusals_say_what_to_do(call, message):
    with pytest.raises(ag.errors.MissingRuleError, match=message):
        call(ag.Variable(np.arange(6.0).reshape(3, 2)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: np.tensordot(x, x, 1), r"shape \(3, 2\) do not align: \[2\] ≠ \[3\]"),
        (lambda x: linalg.outer(x, x), "it takes two vectors"),
        (lambda x: np.cross(x, x), "vectors of length 3, not 2 and 2; NumPy's .* is deprecated"),
        (lambda x: np.einsum("ii", x), "'i' stands for axes of lengths 3 and 2"),
        (lambda x: np.einsum("ij,jk", x), "is not for 1 operands"),
        (lambda x: np.einsum("ijk->i", x), "names 3 axes, the operand has 2"),
        (lambda x: np.einsum("i...->i", x), "must have an ellipsis, too"),
        (lambda x: linalg.multi_dot([x]), "two or more arrays"),
        (lambda x: linalg.tensorinv(x, 0), "must be positive"),
        (lambda x: linalg.norm(x, "fro", axis=0), "is for matrices"),
        (lambda x: linalg.norm(x, 3), "is not defined for matrices"),
        (lambda x: linalg.norm(x[None], 2), "3 axes"),
        (lambda x: linalg.inv(x), "must be square"),
        (lambda x: linalg.matrix_power(x, 1), "must be square"),
        (lambda x: np.vander(x), "must be one-dimensional"),
        (lambda x: np.vander(x[0, 0]), "must be one-dimensional"),
        (lambda x: np.sum(x[0], where=np.ones((3, 2), bool)), "does not broadcast"),
    ],
)
def test_errors_say_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call(ag.Variable(np.arange(6.0).reshape(3, 2)))
