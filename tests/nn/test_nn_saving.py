"""Saving: what comes back, what cannot be saved, and that training resumes."""

import json
import struct
import sys
from collections import OrderedDict

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd_lite as ag
import nn
from nn.dropout import Dropout
from nn.normalisation import BatchNorm
from nn.optimisers import Adam
from nn.saving import load, save
from nn.schedules import ExponentialDecay, Schedule

SUFFIXES = (".npz", ".safetensors")


@pytest.fixture(params=SUFFIXES)
def path(request, tmp_path):
    return tmp_path / f"state{request.param}"


def same(a, b):
    """Equal to the last bit, of the same types, and with axes in the same order in memory."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray | np.generic):
        alike = a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        many = [i for i, n in enumerate(a.shape) if n > 1] if a.size else []
        order = [sorted(many, key=lambda axis: -abs(x.strides[axis])) for x in (a, b)]
        return alike and order[0] == order[1]
    if isinstance(a, float):
        return struct.pack(">d", a) == struct.pack(">d", b)
    if isinstance(a, complex):
        return same((a.real, a.imag), (b.real, b.imag))
    return a == b


# --- what comes back ------------------------------------------------------------------------------

EVERYTHING = {
    "integers": [0, -1, 2**53, -(2**53), 2**127 + 1, -(2**63), 10**5000],
    "floats": [0.1, -0.0, 5e-324, float("inf"), float("-inf"), float("nan"), -float("nan")],
    "others": (True, False, None, "", "ü\0\ud800", 1 - 2j, [], (), {}, [[()]], {"": {"": ""}}),
    "dtypes": [np.arange(3).astype(d) for d in "?bBhHiIlLqQefdF"],
    "big-endian": [np.arange(3, dtype=d) for d in (">i2", ">u8", ">f2", ">f4", ">f8", ">c8")],
    "scalars": [np.float32(0.1), np.float64(0.1), np.bool(True), np.int8(-1), np.uint64(2**64 - 1)],
    "shapes": [np.array(2.5), np.zeros(0), np.zeros((2, 0, 3)), np.ones((1, 1, 1)), np.array(True)],
    "layouts": [
        np.arange(6.0).reshape(2, 3).T,
        np.arange(24.0).reshape(2, 3, 4).transpose(1, 2, 0),
        np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1)[::2],
        np.arange(12.0)[::-2],
        np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)),
    ],
    "odd.names": {
        "a.b": np.ones(1),
        "a": {"b": np.zeros(1)},
        "../..": np.ones(2),
        "..": np.ones(3),
    },
    "more names": {"/etc/x": np.ones(1), "a\\b\0": np.ones(2), "β" * 200: np.ones(3)},
    "__metadata__": np.ones(2),
}


def test_a_bit_of_everything_comes_back_bit_for_bit(path):
    save(path, EVERYTHING)
    assert same(load(path), EVERYTHING)
    save(path, np.arange(3.0))  # without a nest
    assert same(load(path), np.arange(3.0))
    save(path, {"__metadata__": np.arange(3.0)})  # the one name that the format keeps for itself
    assert same(load(path), {"__metadata__": np.arange(3.0)})


def test_npz_also_holds_what_safetensors_has_not(tmp_path):
    for array in (np.array([1 + 2j]), np.array([np.longdouble(1) / 3]), np.array([1j], ">c16")):
        save(tmp_path / "x.npz", array)
        assert same(load(tmp_path / "x.npz"), array)


@pytest.mark.parametrize("name", ["PCG64", "MT19937", "Philox", "SFC64"])
def test_generators_go_on(name, path):
    rng = np.random.Generator(getattr(np.random, name)(7))
    rng.integers(10, size=3, dtype=np.uint32)  # leaves half a number over
    save(path, rng.bit_generator.state)
    expected = rng.random(5)
    other = np.random.Generator(getattr(np.random, name)(8))
    other.bit_generator.state = load(path)
    assert np.array_equal(other.random(5), expected)


numbers = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**200), 2**200)
    | st.floats()
    | st.complex_numbers()
    | st.text()
)
dtypes = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes(endianness="?")
    | hnp.unsigned_integer_dtypes(endianness="?")
    | hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64))
)
arrays = st.tuples(hnp.arrays(dtypes, hnp.array_shapes(min_dims=0, min_side=0)), st.randoms()).map(
    lambda pair: pair[0].transpose(pair[1].sample(range(pair[0].ndim), pair[0].ndim))
)
nests = st.recursive(
    numbers | arrays,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
)


@given(nests, st.sampled_from(SUFFIXES))
def test_nests_come_back(tmp_path_factory, nest, suffix):
    path = tmp_path_factory.getbasetemp() / f"nest{suffix}"
    save(path, nest)
    assert same(load(path), nest)


def test_loaded_arrays_are_new_and_writable(path):
    save(path, [np.ones(2), np.ones(())])
    first, scalar = load(path)
    first[0], scalar[()] = 5, 6
    assert same(load(path), [np.ones(2), np.ones(())])


def test_numpy_and_safetensors_read_the_arrays(tmp_path):
    columns_first = np.arange(6.0).reshape(2, 3).T
    state = {"fc": {"weight": columns_first}, "big": np.arange(3, dtype=">f4")}
    save(tmp_path / "x.npz", state)
    with np.load(tmp_path / "x.npz", allow_pickle=False) as found:
        assert np.array_equal(found["fc.weight"], columns_first)
        assert json.loads(found["description.json"])["format"] == "autograd_lite state"
    save(tmp_path / "x.safetensors", state)
    found = safetensors.numpy.load_file(tmp_path / "x.safetensors")
    assert np.array_equal(found["fc.weight"], columns_first)
    assert np.array_equal(found["big"], [0.0, 1.0, 2.0])


class Model:
    """All that training changes: parameters, running means, optimiser, schedule, generator."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.network = nn.Network(
            nn.FullyConnected(30, 50, self.rng, dtype=np.float32),
            BatchNorm(50, dtype=np.float32),
            Dropout(0.3, self.rng),
            nn.Tanh(),
            nn.FullyConnected(50, 3, self.rng, dtype=np.float32),
            nn.Softmax(),
            loss=nn.CrossEntropy(),
        )
        weight = self.network.layers[0].weight  # columns first: BLAS rounds otherwise
        weight.assign(np.asfortranarray(weight.data))
        self.optimiser = Adam(self.network.parameters(), 0.01, amsgrad=True)
        self.schedule = Schedule(self.optimiser, ExponentialDecay(0.7))
        self.epoch = 0

    def train(self, epochs):
        data = np.random.default_rng(0)
        X, y = data.standard_normal((64, 30)).astype(np.float32), data.integers(3, size=64)
        for _ in range(epochs):
            self.network.fit(
                X,
                y,
                epochs=1,
                batch_size=13,
                optimiser=self.optimiser,
                rng=self.rng,
                progress=False,
            )
            self.schedule.step()
            self.epoch += 1

    def state(self):
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "generator": self.rng.bit_generator.state,
            "epoch": self.epoch,
        }

    def resume(self, state):
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.rng.bit_generator.state = state["generator"]
        self.epoch = state["epoch"]


@pytest.mark.parametrize("left_out", [None, "network", "optimiser", "schedule", "generator"])
def test_training_resumes_bit_for_bit(path, left_out):
    whole = Model(1)
    whole.train(3)
    save(path, whole.state())
    whole.train(3)
    resumed, state = Model(2), load(path)
    if left_out:
        state[left_out] = resumed.state()[left_out]
    resumed.resume(state)
    resumed.train(3)
    # every part matters: without one of them it is another training
    assert same(resumed.state(), whole.state()) == (left_out is None)


# --- what is refused ------------------------------------------------------------------------------


def cyclic():
    nest = []
    nest.append(nest)
    return nest


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({1, 2}, r"state\['a'\]\['1'\] is a set \{1, 2\}, which cannot be saved"),
        (object(), "is an object"),
        (b"bytes", "is a bytes"),
        (np.array([None]), "it has dtype object"),
        (np.array(["a"]), r"it has dtype <U1; convert it, .* texts to a list by .tolist\(\)"),
        (np.zeros(2, "M8[s]"), r"it has dtype datetime64\[s\]"),
        (np.zeros(2, [("x", float)]), "it has dtype"),
        (np.ma.masked_array([1.0]), "make it|is a float64 array"),
        (ag.Variable(1.0), "pass its .data"),
        (nn.Tanh(), r"pass its state_dict\(\)"),
        (np.random.default_rng(0), "pass its bit_generator.state"),
        (OrderedDict(), "make it a plain dict"),
        ({1: 2}, r"keys of dicts must be texts, state\['a'\]\['1'\] has int 1; write str\(key\)"),
    ],
)
def test_what_cannot_be_saved_is_named_before_anything_is_written(path, part, message):
    with pytest.raises(TypeError, match=message):
        save(path, {"a": [1, part]})
    assert not list(path.parent.iterdir())


def test_dtypes_that_safetensors_has_not_are_named(tmp_path):
    for dtype in (complex, np.longdouble):
        message = rf"state\['a'\] is a {np.dtype(dtype)} array .*: a .safetensors file has no"
        with pytest.raises(TypeError, match=message):
            save(tmp_path / "x.safetensors", {"a": np.ones(2, dtype)})


def test_nests_that_contain_themselves(path):
    with pytest.raises(ValueError, match=r"more than 100 levels at state\['0'\].*contain itself"):
        save(path, cyclic())


def test_without_safetensors_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for asked in (lambda p: save(p, 1), load):
        with pytest.raises(ImportError, match=r"pip install autograd_lite\[saving\]"):
            asked(tmp_path / "x.safetensors")
    save(tmp_path / "x.npz", 1)
