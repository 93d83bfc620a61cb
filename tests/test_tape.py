"""The tape as people see it: order, listing, scopes, recording on and off."""

import gc

import numpy as np
import pytest

import autograd_lite as ag


@pytest.fixture(autouse=True)
def empty_tape():
    """Variables that other tests keep alive stay out of the listing: they were made before."""
    gc.collect()
    return len(ag.tape())


def listed_after(count):
    return list(ag.tape())[count:]


class TestListing:
    def test_holds_the_results_in_order(self, empty_tape):
        x = ag.Variable([1.0, 2.0])
        y = np.exp(x)
        z = np.sum(y)
        recorded = listed_after(empty_tape)
        assert [v is w for v, w in zip(recorded, [y, z], strict=True)] == [True, True]
        assert len(ag.tape()) == empty_tape + 2
        assert ag.tape()[-1] is z
        assert [v.number for v in ag.tape()] == sorted(v.number for v in ag.tape())

    def test_forgets_what_was_dropped(self, empty_tape):
        x = ag.Variable(1.0)
        y = x * 2.0
        z = y * 3.0
        del y
        assert len(listed_after(empty_tape)) == 2, "z still holds y"
        del z
        assert listed_after(empty_tape) == []

    def test_text(self, empty_tape):
        x = ag.Variable(np.ones((2, 3)), name="x")
        with ag.scope("encoder"):
            y = np.tanh(x @ np.ones((3, 4), np.float32) + 1.5)
        y.name = "y"
        text = str(ag.tape())
        title, _, *lines = text.split("\n")
        assert title == f"tape: {empty_tape + 3} operations"
        matmul, add, tanh = (line.split() for line in lines[-3:])
        assert matmul[1:] == ["matmul(x,", "array(3,", "4))", "(2,", "4)", "float64", "encoder"]
        assert add[1].startswith("add(matmul")
        assert add[3:] == ["1.5)", "(2,", "4)", "float64", "encoder"]
        assert tanh[1] == "y"
        assert tanh[-1] == "encoder"
        assert repr(ag.tape()) == text

    def test_text_of_an_operation_on_a_list(self):
        x, y = ag.Variable([1.0], name="x"), ag.Variable([2.0], name="y")
        z = np.concatenate([x, y])
        assert "concatenate(x, y)" in str(ag.tape())
        assert z.inputs[0] is x

    def test_gradients_with_create_graph_are_on_the_tape(self, empty_tape):
        x = ag.Variable(2.0)
        slope = ag.gradients(x * x, x, create_graph=True)
        assert any(v is slope for v in ag.tape())

    def test_plain_backward_records_nothing(self, empty_tape):
        x = ag.Variable(2.0)
        y = x * x
        y.backward()
        ag.gradients(y, x)
        assert len(ag.tape()) == empty_tape + 1


class TestScope:
    def test_nests(self):
        x = ag.Variable(1.0)
        with ag.scope("outer", formula="Y = f(X)"):
            y = x * 1.0
            with ag.scope("inner"):
                z = x * 2.0
            w = x * 3.0
        v = x * 4.0
        assert (y.scope.path, y.scope.formula) == ("outer", "Y = f(X)")
        assert (z.scope.path, z.scope.name, z.scope.formula) == ("outer/inner", "inner", None)
        assert z.scope.parent is y.scope
        assert w.scope is y.scope
        assert v.scope is None

    def test_two_of_one_name_are_two(self):
        x, seen = ag.Variable(1.0), []
        for _ in range(2):
            with ag.scope("layer"):
                seen.append((x * 1.0).scope)
        assert seen[0].path == seen[1].path
        assert seen[0] is not seen[1]

    def test_decorates(self):
        @ag.scope("layer")
        def layer(x):
            """Twice x."""
            return x * 2.0

        x = ag.Variable(1.0)
        assert layer(x).scope.path == "layer"
        assert layer(x).scope is not layer(x).scope
        assert (layer.__name__, layer.__doc__) == ("layer", "Twice x.")

    def test_one_object_can_be_entered_again(self):
        scope, x = ag.scope("s"), ag.Variable(1.0)
        with scope, scope:
            assert (x * 1.0).scope.path == "s/s"
        assert (x * 1.0).scope is None

    def test_is_restored_on_exceptions(self):
        with pytest.raises(KeyError), ag.scope("a"), ag.scope("b"):
            raise KeyError
        assert (ag.Variable(1.0) * 1.0).scope is None

    def test_stays_when_recording_stops(self):
        x = ag.Variable(1.0)
        with ag.scope("s"):
            with ag.no_grad():
                pass
            assert (x * 1.0).scope.path == "s"


class TestNoGrad:
    def test_records_nothing(self, empty_tape):
        x = ag.Variable(1.0)
        with ag.no_grad():
            y = np.exp(x) * 2.0
        assert (y.requires_grad, y.operation, y.inputs) == (False, None, ())
        assert len(ag.tape()) == empty_tape
        assert x.requires_grad

    def test_nests_and_is_restored(self):
        x = ag.Variable(1.0)
        with ag.no_grad():
            with ag.no_grad():
                pass
            assert not (x * 1.0).requires_grad
        assert (x * 1.0).requires_grad

    def test_is_restored_on_exceptions(self):
        with pytest.raises(KeyError), ag.no_grad():
            raise KeyError
        assert (ag.Variable(1.0) * 1.0).requires_grad

    def test_decorates(self):
        @ag.no_grad()
        def double(x):
            return double(x * 1.0) if x.requires_grad else x * 2.0

        x = ag.Variable(1.0)
        assert not double(x).requires_grad
        assert (x * 1.0).requires_grad

    @pytest.mark.parametrize("change", [ag.no_grad(), ag.scope("s")], ids=["no_grad", "scope"])
    def test_refuses_bodies_that_run_later(self, change):
        def generator():
            yield

        async def coroutine():
            pass

        for function in (generator, coroutine):
            with pytest.raises(TypeError, match="runs later; use 'with' inside it"):
                change(function)

    def test_backward_works_inside(self):
        x = ag.Variable(3.0)
        y = x * x
        with ag.no_grad():
            y.backward()
            slope = ag.gradients(y, x, create_graph=True)
        assert x.grad == 6
        assert ag.gradients(slope, x) == 2

    def test_new_leaves_inside_are_tracked(self):
        with ag.no_grad():
            x = ag.Variable(3.0)
        assert ag.gradients(x * x, x) == 6
