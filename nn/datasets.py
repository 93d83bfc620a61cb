"""The small data sets that come with scikit-learn, as arrays that can be trained on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from autograd_lite.variable import Array
from nn.names import named

DATASETS = ("breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine")


class Dataset(NamedTuple):
    """What `nn.load_dataset` gives: rows of features, targets, and what the columns are called.

    X: (rows, features), floats; y: (rows,), integer labels where there are `classes`, the names in
    the order of the labels, and otherwise floats, (rows,) or (rows, targets). `features` has a name
    for each column of X; `image_shape` is the shape of a row that is an image, otherwise None.
    """

    X: Array
    y: Array
    features: tuple[str, ...]
    classes: tuple[str, ...] | None
    image_shape: tuple[int, int] | None


def load_dataset(name: str) -> Dataset:
    """One of scikit-learn's bundled data sets: nothing is downloaded, and the arrays are yours.

    Classes: "digits" (1797 images of 8×8, 10 classes), "iris" (150 rows of 4, 3), "wine" (178 of
    13, 3), "breast_cancer" (569 of 30, 2). Numbers: "diabetes" (442 of 10, which scikit-learn has
    standardised over all rows and divided by √442), "linnerud" (20 of 3, with 3 targets).

    Raises ValueError for another name, ImportError where scikit-learn is missing.

    >>> import nn
    >>> iris = nn.load_dataset("iris")
    >>> iris.X.shape, iris.classes
    ((150, 4), ('setosa', 'versicolor', 'virginica'))
    >>> iris.features[0]
    'sepal length (cm)'
    >>> nn.load_dataset("digits").image_shape
    (8, 8)
    """
    named("load_dataset", "data set", name, dict.fromkeys(DATASETS))
    try:
        from sklearn import datasets
    except ImportError as error:
        raise ImportError(
            "load_dataset: the data sets come with scikit-learn; pip install "
            "autograd_lite[tutorials], or scikit-learn"
        ) from error
    bunch = getattr(datasets, f"load_{name}")()
    labelled = bunch.target.dtype.kind in "iu"
    return Dataset(
        np.array(bunch.data, float),
        np.array(bunch.target, int if labelled else float),
        tuple(map(str, bunch.feature_names)),
        tuple(map(str, bunch.target_names)) if labelled else None,
        bunch.images.shape[1:] if "images" in bunch else None,
    )
