"""PyTorch as an oracle: its own samples of its operations, computed by NumPy's names on Variables.

    python -m pytest tests/oracles -o addopts=""

`op_db` is what PyTorch tests itself with: some 700 entries, each with inputs that somebody found
worth trying. `torch_names.py` sorts them. For every sample of an entry that NumPy has a name for,
values, shapes, dtypes and the gradients for random cotangents are compared, and in float64 the
gradients of those gradients. In float64 all samples are run, in float32 a few.
"""

import random
import warnings
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

import autograd_lite as ag
from tests.oracles.torch_names import (
    FLOAT64_ONLY,
    MAPPED,
    NOT_MAPPED,
    OTHER_GRADIENT,
    RESULT,
    SETTINGS,
    SKIPPED,
    SYMMETRIC,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what PyTorch's test tools import is their affair
    from torch.testing._internal.common_methods_invocations import op_db

ENTRIES = {"/".join(filter(None, (op.name, op.variant_test_name))): op for op in op_db}
KEYWORDS = {"dim": "axis", "keepdim": "keepdims", "ord": "order"}
WITHOUT_MEANING = {"device", "layout", "memory_format", "out_int32", "pin_memory", "requires_grad"}
FLOAT32_SAMPLES = 5  # of each entry; in float64 it is all of them, for none has more than 220
TOLERANCE = {torch.float64: 1e-9, torch.float32: 2e-4}

# PyTorch's of names that will go, NumPy's of means of nothing; other tests see to our own
pytestmark = pytest.mark.filterwarnings("ignore")


def test_every_entry_is_mapped_or_has_a_reason():
    reasons = [name for names in NOT_MAPPED.values() for name in names.split()]
    assert len(reasons) == len(set(reasons))
    assert sorted([*MAPPED, *reasons]) == sorted(ENTRIES)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        pytest.param(name, dtype, id=f"{name}-{str(dtype).removeprefix('torch.')}")
        for name in MAPPED
        for dtype in TOLERANCE
        if dtype in ENTRIES[name].dtypes and (dtype is torch.float64 or name not in FLOAT64_ONLY)
    ],
)
def test_samples(name: str, dtype: torch.dtype):
    samples = [s for s in samples_of(name, dtype) if not excepted(SKIPPED, name, s)]
    assert samples, "every sample is skipped"
    orders = 1 + (ENTRIES[name].supports_gradgrad and dtype is torch.float64)
    for sample in samples if dtype is torch.float64 else samples[:FLOAT32_SAMPLES]:
        exception = excepted(OTHER_GRADIENT, name, sample)
        try:
            compare(name, sample, dtype, min(orders, exception[1] - 1) if exception else orders)
        except Exception as error:
            error.add_note(f"{name} of {sample.summary()}")
            raise


@pytest.mark.parametrize(
    ("name", "row"),
    [(name, row) for row in (*SKIPPED, *OTHER_GRADIENT) for name in row[0].split()],
    ids=lambda value: value if isinstance(value, str) else value[-2],
)
def test_exceptions_are_needed(name: str, row: tuple[Any, ...]):
    """That is, some sample that the row is about fails."""
    for sample in samples_of(name, torch.float64):
        if row[-1](sample):
            try:
                compare(name, sample, torch.float64, orders=2)
            except Exception:
                return
    pytest.fail(f"{name}: without this exception, all samples pass")


def samples_of(name: str, dtype: torch.dtype) -> list[Any]:
    """The same numbers in every run and in any order of tests."""
    seed = zlib.crc32(name.encode())
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (PyTorch's samples draw from the global generators)
    random.seed(seed)
    op = ENTRIES[name]
    return list(op.sample_inputs("cpu", dtype, requires_grad=op.supports_autograd))


def excepted(table: Sequence[tuple[Any, ...]], name: str, sample: Any) -> tuple[Any, ...] | None:
    """The row of the table that is about this sample, if any."""
    return next((row for row in table if name in row[0].split() and row[-1](sample)), None)


def compare(name: str, sample: Any, dtype: torch.dtype, orders: int) -> None:
    """Assert that PyTorch and the tape agree about one sample, and so many orders of derivative."""
    op = ENTRIES[name]
    leaves: list[torch.Tensor] = []
    variables: list[ag.Variable] = []
    arguments = (sample.input, *sample.args)

    def is_leaf(t: torch.Tensor) -> bool:
        if name in SETTINGS and t is not sample.input:
            return False
        return t.requires_grad if op.supports_autograd else t.dtype == dtype

    def theirs(atom: Any) -> Any:
        if not isinstance(atom, torch.Tensor):
            return atom
        copy = atom.detach().clone()
        if is_leaf(atom):
            leaves.append(copy.requires_grad_(op.supports_autograd))
        return copy

    def ours(atom: Any) -> Any:
        if isinstance(atom, torch.dtype):
            return np.dtype(str(atom).removeprefix("torch."))
        if not isinstance(atom, torch.Tensor):
            return atom
        if not is_leaf(atom):
            return atom.detach().numpy()
        variables.append(ag.Variable(atom.detach().numpy()))
        return variables[-1]

    z = op.op(*mapped(theirs, arguments), **mapped(theirs, sample.kwargs))
    expected = flat(RESULT.get(name, lambda z: z)(z))
    tolerance = max([TOLERANCE[x.dtype] for x in leaves], default=TOLERANCE[dtype])
    arrays = mapped(ours, arguments)
    settings = {
        KEYWORDS.get(key, key): mapped(ours, value)
        for key, value in sample.kwargs.items()
        if key not in WITHOUT_MEANING
    }
    with np.errstate(all="ignore"):
        actual = flat(MAPPED[name](*arrays, **settings))
        assert len(actual) == len(expected)
        for a, e in zip(actual, expected, strict=True):
            assert_equal(a, e, tolerance, "value")
        for order in ("gradient", "second order")[:orders]:
            rng = np.random.default_rng(0)
            cotangents = [rng.standard_normal(np.shape(array(z))) for z in expected]
            expected = pulled_back_by_torch(expected, leaves, cotangents)
            actual = pulled_back(actual, variables, cotangents)
            if name in SYMMETRIC:
                actual = [(g + np.matrix_transpose(g)) / 2 for g in actual]
            for a, e in zip(actual, expected, strict=True):
                assert_equal(a, e, tolerance, order)


def pulled_back_by_torch(zs: list[Any], xs: list[torch.Tensor], cotangents: list[Any]) -> list[Any]:
    """The gradient for each x of Σ cotangent·z, recorded; 0 where no z depends on it."""
    tracked = [
        (z, torch.from_numpy(np.asarray(c)).to(z.dtype))
        for z, c in zip(zs, cotangents, strict=True)
        if isinstance(z, torch.Tensor) and z.requires_grad
    ]
    if not tracked or not xs:
        return [torch.zeros_like(x) for x in xs]
    outputs, weights = zip(*tracked, strict=True)
    return list(
        torch.autograd.grad(
            outputs, xs, weights, create_graph=True, allow_unused=True, materialize_grads=True
        )
    )


def pulled_back(zs: list[Any], xs: list[ag.Variable], cotangents: list[Any]) -> list[Any]:
    """The same on our tape."""
    total: list[Any] = [np.zeros(x.shape, x.dtype) for x in xs]
    for z, c in zip(zs, cotangents, strict=True):
        if isinstance(z, ag.Variable) and z.requires_grad:
            slopes = ag.gradients(z, xs, c, create_graph=True)
            total = [t + g for t, g in zip(total, slopes, strict=True)]
    return total


def mapped(change: Callable[[Any], Any], value: Any) -> Any:
    """`value` with every atom of its nested lists, tuples and dicts changed."""
    if isinstance(value, dict):
        return {key: mapped(change, v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([mapped(change, v) for v in value])
    return change(value)


def flat(z: Any) -> list[Any]:
    """The results of an operation, one or several, as a list."""
    return [part for some in z for part in flat(some)] if isinstance(z, list | tuple) else [z]


def array(z: Any) -> np.ndarray:
    """A tensor, Variable, array or number as an array."""
    if isinstance(z, torch.Tensor):
        return z.numpy(force=True)
    return z.data if isinstance(z, ag.Variable) else np.asarray(z)


def assert_equal(actual: Any, expected: Any, tolerance: float, what: str) -> None:
    a, e = array(actual), array(expected)
    assert a.shape == e.shape, f"{what}: shape {a.shape}, PyTorch has {e.shape}"
    assert a.dtype == e.dtype, f"{what}: dtype {a.dtype}, PyTorch has {e.dtype}"
    if a.dtype.kind != "f":
        np.testing.assert_array_equal(a, e, what)
        return
    largest = np.max(np.abs(e), where=np.isfinite(e), initial=1)
    np.testing.assert_allclose(a, e, rtol=tolerance, atol=tolerance * largest, err_msg=what)
