"""Nests: what flattening lists, putting together restores."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest

from autograd_lite.nests import aligned, leaves, mapped, rebuilt

Point = namedtuple("Point", "x y")


class Row(list):
    """A list of somebody's own."""


NESTS = [
    1.0,
    [],
    (),
    {},
    [1.0, (2.0, {"a": 3.0})],
    {"b": [1.0], "a": (), 3: 2.0},
    Point(1.0, [2.0, Point(3.0, 4.0)]),
    Row([1.0, 2.0]),
    ([], {}, ((),)),
]


@pytest.mark.parametrize("nest", NESTS, ids=repr)
def test_leaves_and_rebuilt_are_inverse(nest):
    found = [leaf for _, leaf in leaves(nest)]
    again = rebuilt(nest, found)
    assert again == nest
    assert type(again) is type(nest)


@pytest.mark.parametrize("nest", NESTS, ids=repr)
def test_a_path_is_how_python_reaches_the_leaf(nest):
    for path, leaf in leaves(nest):
        assert eval(f"nest{path}", {"nest": nest}) is leaf


def test_order_is_that_of_the_nest():
    assert leaves({"b": 1, "a": [2, 3]}) == [("['b']", 1), ("['a'][0]", 2), ("['a'][1]", 3)]
    assert list(rebuilt({"b": 1, "a": 2}, "xy").items()) == [("b", "x"), ("a", "y")]


def test_kinds_inside_are_kept():
    new = mapped(lambda x: 10 * x, {"p": Point(1, (2, [3])), "r": Row([4])})
    assert new == {"p": Point(10, (20, [30])), "r": [40]}
    assert type(new["p"]) is Point
    assert type(new["p"].y) is tuple
    assert type(new["r"]) is Row


def test_dicts_of_other_kinds_become_dicts():
    assert mapped(lambda x: x + 1, OrderedDict(a=1)) == {"a": 2}


def test_what_is_no_list_tuple_or_dict_is_a_leaf():
    array, words = np.zeros((2, 2)), "ab"
    found = [leaf for _, leaf in leaves([array, words, None, {1, 2}])]
    assert found[0] is array
    assert found[1:] == ["ab", None, {1, 2}]


class Key:
    """Equal to itself alone, as a Variable is, and printed like the others."""

    def __repr__(self):
        return "Key"


def test_keys_that_print_alike_are_different_places():
    a, b = Key(), Key()
    wanted = {a: 0.0, b: [0.0]}
    assert aligned("v", {b: [2], a: 1}, wanted) == [("[Key]", 1), ("[Key][0]", 2)]
    assert aligned("v", {b: 2, a: 1}, {a: 0.0, b: 0.0}) == [("[Key]", 1), ("[Key]", 2)]
    with pytest.raises(ValueError, match=r"^v must be nested as arrays at \[Key\], \[Key\], it is"):
        aligned("v", {a: 1}, {a: 0.0, b: 0.0})


def test_a_place_counts_and_not_what_holds_it():
    assert aligned("v", (1, {0: 2}), [0.0, [0.0]]) == [("[0]", 1), ("[1][0]", 2)]
