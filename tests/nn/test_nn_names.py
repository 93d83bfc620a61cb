"""Names in settings: found, and the nearest one suggested for others."""

import pytest

import nn
from nn.names import named, nearest
from nn.network import LOSSES, OPTIMISERS


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("mse", "mean_squared_error"),
        ("MSE", "mean_squared_error"),
        ("mae", "mean_absolute_error"),
        ("bce", "binary_cross_entropy"),
        ("ce", "cross_entropy"),
        ("nll", "negative_log_likelihood"),
        ("kl", "kl_divergence"),
        ("hube", "huber"),
        ("crossentropy", "cross_entropy"),
        ("BCE_from_logits", "cross_entropy_from_logits"),
        ("zzz", None),
        ("", None),
    ],
)
def test_the_nearest_loss(name, meant):
    assert nearest(name, LOSSES) == meant
    message = f"did you mean '{meant}'\\?$" if meant else "choose one of binary_cross_entropy, "
    with pytest.raises(ValueError, match=f"there is no loss '{name}'; {message}"):
        named("compile", "loss", name, LOSSES)


@pytest.mark.parametrize(
    ("name", "meant"), [("rms", "rmsprop"), ("ada", "adagrad"), ("Adam", "adam")]
)
def test_the_nearest_optimiser(name, meant):
    assert nearest(name, OPTIMISERS) == meant


def test_what_is_no_text_is_no_name():
    with pytest.raises(ValueError, match="there is no data set None; choose one of breast_cancer"):
        nn.load_dataset(None)
    with pytest.raises(ValueError, match=r"there is no data set \['iris'\]; choose one of"):
        nn.load_dataset(["iris"])


def test_names_of_ones_own_may_begin_and_end_with_an_underscore():
    assert nearest("rmse", ["loss", "_rmse", "rmse_", "__"]) == "rmse_"
