"""Data sets: those of scikit-learn, whole and one's own; unknown names and a missing package."""

import re
import sys

import numpy as np
import pytest
import sklearn.datasets

from nn.data import checked_rows
from nn.datasets import DATASETS, load_dataset


def refuses(error, message):
    return pytest.raises(error, match="^" + re.escape(message))


@pytest.mark.parametrize("name", DATASETS)
def test_data_sets_are_those_of_scikit_learn(name):
    data, bunch = load_dataset(name), getattr(sklearn.datasets, f"load_{name}")()
    assert np.array_equal(data.X, bunch.data)
    assert np.array_equal(data.y, bunch.target)
    assert data.X.dtype == float
    assert data.features == tuple(bunch.feature_names)
    assert len(data.features) == data.X.shape[1]
    if name in ("diabetes", "linnerud"):
        assert data.classes is None
        assert data.y.dtype == float
    else:
        assert data.classes == tuple(map(str, bunch.target_names))
        assert data.y.dtype == int
        assert np.array_equal(np.unique(data.y), np.arange(len(data.classes)))
    assert data.image_shape == ((8, 8) if name == "digits" else None)
    checked_rows("fit", data.X, data.y)
    data.X[:] = 0  # yours: the next one is whole
    assert load_dataset(name).X.any()


def test_an_unknown_data_set_is_refused_with_the_nearest_name():
    with refuses(ValueError, "load_dataset: there is no data set 'Irises'; did you mean 'iris'?"):
        load_dataset("Irises")
    with refuses(ValueError, "load_dataset: there is no data set 'xyz'; choose one of breast_can"):
        load_dataset("xyz")


def test_without_scikit_learn_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"pip install autograd_lite\[tutorials\]"):
        load_dataset("iris")
