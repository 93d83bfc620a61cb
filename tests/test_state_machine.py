"""Everything that can be done to a tape, in any order, against the model of tests/tape_model.py."""

import copy
import gc
import itertools
import pickle
from contextlib import ExitStack
from unittest import mock

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import autograd_lite as ag
from tests.disturbances import WAYS, WRONG_RULES, fails
from tests.tape_model import SHAPES, STEPS, Node, on_objects, slopes, slopes_of_penalty
from tests.test_programs import sin

LARGE = 50.0  # results beyond it are not kept, so that a tolerance means something
MANY = 14  # Variables held at a time
OFTEN = [*["add", "subtract", "multiply"] * 4, *["reversed", "repeated", "number"] * 2]

both = ag.Primitive(
    lambda x: (np.sin(x), 2 * x), (lambda g, z, x: g[0] * np.cos(x) + 2 * g[1],), "both"
)


def collect_young():
    gc.collect(1)  # all would take most of the test's time


PICK = st.integers(0, 3) | st.integers(0, MANY)  # counted from the newest: the last ones often
SEED = st.integers(0, 2**16)
WAY = st.sampled_from(["here", "here", *WAYS])


SOME = st.lists(
    st.tuples(st.sampled_from(OFTEN + sorted(STEPS)), PICK, PICK, WAY), min_size=2, max_size=6
)


class TapeMachine(RuleBasedStateMachine):
    """Variables in `pool`; `blocks` are the no_grad and scope blocks entered, outermost first."""

    @initialize(stretch=st.sampled_from([2, 1024]), shapes=st.permutations(SHAPES), seed=SEED)
    def start(self, stretch, shapes, seed):
        self.cleanup = ExitStack()
        # a tape's list that is compacted at every other operation, or never here
        for module in ("primitive", "tape"):
            self.cleanup.enter_context(mock.patch(f"autograd_lite.{module}.STRETCH", stretch))
        self.cleanup.callback(gc.enable)
        self.first = ag.Variable(1.0).number
        self.pool, self.blocks, self.handed_out, self.used = [], [], [], []
        for shape in shapes:
            self.new_leaf(shape, seed)

    def teardown(self):
        while getattr(self, "blocks", None):
            self.blocks.pop()[0].__exit__(None, None, None)
        if hasattr(self, "cleanup"):
            self.cleanup.close()

    # --- the model's state

    @property
    def recording(self):
        return not any(kind == "no_grad" for _, kind in self.blocks)

    @property
    def scope(self):
        return "/".join(kind for _, kind in self.blocks if kind != "no_grad") or None

    def pick(self, number, wanted=lambda node: True):
        chosen = [node for node in self.pool if wanted(node)]
        return chosen[-1 - number % len(chosen)] if chosen else None

    def array(self, shape, seed):
        return np.random.default_rng(seed).uniform(-1.5, 1.5, shape)

    def cotangent(self, node, seed):
        """One that the model knows, and what to pass: None where there is one element."""
        if node.value.shape == () and seed % 2:
            return np.ones(()), None
        given = self.array(node.value.shape, seed)
        self.used.append(given)
        return given.copy(), given

    def hand_out(self, array):
        self.handed_out.append((array, np.array(array)))
        del self.handed_out[:-12]

    def close(self, actual, expected, size):
        """Both engines round differently: by 1e-16 for each of up to some hundred operations."""
        assert actual.shape == expected.shape
        assert np.all(np.abs(actual - expected) <= 1e-10 * (1 + size)), (actual, expected)

    # --- recording

    def new_leaf(self, shape, seed):
        value = self.array(shape, seed)
        self.pool.append(Node(ag.Variable(value), value))

    def note(self, node, tracks, recording, weak=False):
        """What the gate does with a new result."""
        operands = [x for x, _, _ in node.operands]
        node.tracked = recording and tracks and any(x.tracked for x in operands)
        node.recorded = recording and any(x.tracked or x.recorded for x in operands)
        node.weak = weak
        if not node.recorded:
            node.operands, node.function, node.scope = (), None, None
        assert node.handle.requires_grad == node.tracked
        assert (node.handle.operation is not None) == node.recorded
        path = node.handle.scope.path if node.handle.scope else None
        assert path == node.scope
        self.pool.append(node)

    def done(self, program, way):
        """Its result, whether recording was on, and in which scope."""
        result = WAYS[way](program)
        return (
            (result, True, None) if way == "in a worker" else (result, self.recording, self.scope)
        )

    def operand(self, node):
        return node, node.value, node.version

    def record_some(self, steps):
        for step in steps:
            self.record_one(*step)

    # under three names, so that one step in five records
    record = rule(steps=SOME)(record_some)
    record_more = rule(steps=SOME)(record_some)
    and_more = rule(steps=SOME)(record_some)

    def record_one(self, name, first, second, way):
        axes, _, _ = STEPS[name]
        kinds = [lambda x, n=n: x.value.ndim >= n and x.value.dtype == float for n in axes]
        nodes = [self.pick(k, kind) for k, kind in zip((first, second), kinds, strict=False)]
        if None not in nodes and (len(nodes) == 1 or self.fit(name, *nodes)):
            self.record_on(name, nodes, way)

    def record_on(self, name, nodes, way):
        _, function, of_duals = STEPS[name]
        value = np.asarray(function(*[x.value for x in nodes]))
        if np.max(np.abs(value)) > LARGE:
            return None
        z, recording, scope = self.done(lambda: function(*[x.handle for x in nodes]), way)
        node = Node(z, value, of_duals or function, [self.operand(x) for x in nodes], scope)
        node.elsewhere = way == "in a worker"
        self.note(node, True, recording)
        return node

    @rule(
        first=PICK,
        whole=st.sampled_from(["sin", "scale", "negative"]),
        part=st.sampled_from(["reversed", "repeated", "number"]),
        part_first=st.booleans(),
        way=WAY,
    )
    def in_whole_and_in_parts(self, first, whole, part, part_first, way):
        x = self.pick(first, lambda x: x.value.ndim and x.value.dtype == float)
        names = (part, whole) if part_first else (whole, part)
        uses = [self.record_on(name, [x], way) for name in names if x is not None]
        if uses and None not in uses:
            self.record_on("add", uses, "here")

    def fit(self, name, x, y):
        if name == "stack":
            return x.value.ndim == y.value.ndim == 1
        if name == "put":
            return y.value.ndim < x.value.ndim
        return True

    @rule(first=PICK, keep=st.sampled_from(["one", "two", "their product"]))
    def two_results(self, first, keep):
        x = self.pick(first, lambda x: x.value.dtype == float and np.max(np.abs(x.value)) < 9)
        parts = both(x.handle)
        value = (np.sin(x.value), np.asarray(2 * x.value))
        if not parts[0].requires_grad:  # what holds an untracked pair is not modelled: let go
            assert [np.array_equal(*pair) for pair in zip(parts, value, strict=True)] == [True] * 2
            return
        function = lambda x: (on_objects(sin, x), 2 * x)
        entry = Node(parts[0].inputs[0], value, function, [self.operand(x)], self.scope)
        entry.handle = None
        nodes = []
        for k, z in enumerate(parts[: 1 if keep == "one" else 2]):
            function = lambda values, k=k: values[k]
            nodes.append(Node(z, value[k], function, [(entry, value, 0)], self.scope))
            self.note(nodes[-1], True, True)
        if keep == "their product":
            self.record_on("multiply", nodes, "here")

    @rule(first=PICK, kind=st.sampled_from(["mask", "detached", "carried on"]))
    def untracked(self, first, kind):
        x = self.pick(first, lambda x: x.value.dtype == float)
        z = x.handle > 0.1 if kind == "mask" else x.handle.detach()
        value = np.asarray(x.value > 0.1) if kind == "mask" else x.value
        node = Node(z, value, np.negative, [self.operand(x)], self.scope)
        self.note(node, False, self.recording, weak=kind != "mask")
        if kind == "carried on" and x.recorded and x in self.pool:
            self.pool.remove(x)
            x.handle = None

    @rule(mask=PICK, first=PICK, second=PICK)
    def where(self, mask, first, second):
        mask = self.pick(mask, lambda x: x.value.dtype == bool)
        x, y = (self.pick(k, lambda x: x.value.dtype == float) for k in (first, second))
        if mask is not None:
            z = np.where(mask.handle, x.handle, y.handle)
            node = Node(
                z,
                np.where(mask.value, x.value, y.value),
                np.where,
                [self.operand(v) for v in (mask, x, y)],
                self.scope,
            )
            self.note(node, True, self.recording)

    # --- gradients

    def backward(self, output, seed, retain_grads, create_graph, way):
        known, given = self.cotangent(output, seed)
        nodes = [v for v in output.before() if type(v.value) is not tuple]
        nodes = [v for v in nodes if retain_grads or not v.recorded]
        expected = slopes(output, nodes, known)
        if create_graph and any(x.handle is None for x in nodes):
            return
        if create_graph and any(x.stale for x in output.before()):
            fails(
                ag.errors.StaleVariableError,
                lambda: output.handle.backward(given, create_graph=True),
            )
            return
        self.done(
            lambda: output.handle.backward(
                given, retain_grads=retain_grads, create_graph=create_graph
            ),
            way,
        )
        if create_graph:  # a leaf and its recorded gradient hold each other
            for node in nodes:
                assert type(node.handle.grad) is ag.Variable
                node.handle.grad = node.handle.grad.data
        for node, slope in zip(nodes, expected, strict=True):
            node.grad = slope if node.grad is None else node.grad + slope
            node.size += np.max(np.abs(slope))
            if node.handle is not None and node.handle.grad is not None:
                self.hand_out(node.handle.grad)

    @rule(
        output=PICK,
        seed=SEED,
        options=st.sampled_from([(False, False), (True, False), (False, True)]),
        way=WAY,
        times=st.integers(1, 2),
    )
    def run_backward(self, output, seed, options, way, times):
        output = self.pick(output)
        for _ in range(times):
            if output.tracked:
                self.backward(output, seed, *options, way)
            else:
                fails(ag.errors.NotRecordedError, output.handle.backward)

    @rule(
        output=PICK,
        first=PICK,
        second=PICK,
        seed=SEED,
        create_graph=st.booleans(),
        related=st.booleans(),
    )
    def run_gradients(self, output, first, second, seed, create_graph, related):
        output = self.pick(output, lambda x: x.tracked)
        if output is None:
            return
        before = output.before()
        wanted = lambda x: x in before if related else x.tracked
        self.gradients_of(
            output, [self.pick(k, wanted) for k in (first, second)], seed, create_graph
        )

    @rule(output=PICK, first=PICK, seed=SEED)
    def differentiate_after_assigning(self, output, first, seed):
        """The plain sweep knows what was computed from; the recorded one refuses."""
        output = self.pick(output, lambda x: x.tracked and x.recorded)
        before = output.before() if output else []
        leaves = [x for x in before if x.is_leaf and x.handle is not None]
        if leaves:
            leaf = leaves[first % len(leaves)]
            leaf.value, leaf.version = self.array(leaf.value.shape, seed), leaf.version + 1
            leaf.handle.data = leaf.value
            for create_graph in (False, True):
                self.gradients_of(output, [leaf], seed, create_graph)

    def gradients_of(self, output, inputs, seed, create_graph):
        known, given = self.cotangent(output, seed)
        handles = [x.handle for x in inputs]
        run = lambda: ag.gradients(output.handle, handles, given, create_graph=create_graph)
        visited = output.before(min(x.number for x in inputs))
        if create_graph and any(node.stale for node in visited):
            assert "assigned after" in fails(ag.errors.StaleVariableError, run)
            return
        expected = [slopes(output, [x], known)[0] for x in inputs]
        results = run()
        for x, result, slope in zip(inputs, results, expected, strict=True):
            array = result.data if create_graph else result
            assert array.shape == x.value.shape
            self.close(array, slope, np.max(np.abs(slope)))
            if not create_graph:
                self.hand_out(result)
            elif given is not None:
                assert not np.shares_memory(array, given)
        if create_graph and self.recording:
            self.penalty(output, inputs[0], known, results[0])

    def penalty(self, output, target, cotangent, slope):
        """A second backward pass, through the first: its gradients are added like any other."""
        reached = dict.fromkeys(output.before() + target.before())
        leaves = [v for v in reached if not v.recorded]
        expected = slopes_of_penalty(output, target, leaves, cotangent)
        np.sum(np.sin(slope)).backward()
        for leaf, add in zip(leaves, expected, strict=True):
            if leaf.grad is None and not np.any(add) and self.grad_of(leaf) is None:
                continue  # nothing flows there: what no derivative depends on is not visited
            leaf.grad = add if leaf.grad is None else leaf.grad + add
            leaf.size += np.max(np.abs(add))

    def grad_of(self, node):
        return node.handle.grad if node.handle is not None else None

    @rule(output=PICK, wrong=st.sampled_from(sorted(WRONG_RULES)), how=st.integers(0, 2))
    def fail_in_a_rule(self, output, wrong, how):
        """Nothing is stored, and the state is what it was."""
        function, error, part = WRONG_RULES[wrong]
        # any shape is a broadcast of a single number
        x = self.pick(output, lambda x: x.tracked and (x.value.ndim or "shape" not in wrong))
        if x is None or not self.recording:
            return
        careless = ag.Primitive(lambda x: 2 * x, (function,), "careless")
        with ag.scope("failing"):
            y = np.sum(careless(x.handle) * x.handle)

        def program():
            if how == 0:
                y.backward(retain_grads=True)
            else:
                ag.gradients(y, [x.handle], create_graph=how == 2)

        with ag.scope("beside"):
            assert part in fails(error, program)
            assert (x.handle * 1.0).scope.name == "beside"
            with ag.no_grad():
                fails(error, program)
                assert not (x.handle * 1.0).requires_grad

    @rule(first=PICK, kind=st.sampled_from(["shape", "index", "missing", "copy", "block"]))
    def fail_otherwise(self, first, kind):
        x = self.pick(first, lambda x: x.value.ndim and x.tracked and x.recorded)
        if x is None:
            return
        x = x.handle

        def block():
            with ag.scope("left"), ag.no_grad(), ag.scope("by an error"):
                raise KeyError("left")

        error, program = {
            "shape": (ValueError, lambda: x + np.ones(7)),
            "index": (IndexError, lambda: x[9]),
            "missing": (ag.errors.MissingRuleError, lambda: np.fft.fft(x)),
            "copy": (TypeError, lambda: copy.deepcopy([x])),
            "block": (KeyError, block),
        }[kind]
        fails(error, program)

    # --- leaves, blocks, references

    @rule(first=PICK, seed=SEED)
    def assign(self, first, seed):
        leaf = self.pick(first, lambda x: x.is_leaf)
        leaf.value = self.array(leaf.value.shape, seed)
        leaf.version += 1
        given = leaf.value.copy()
        leaf.handle.data = given
        given[...] = np.nan  # the caller's own

    @rule(first=PICK)
    def flip_requires_grad(self, first):
        """The newest leaf that is frozen goes on; if there is none, one is frozen."""
        frozen = self.pick(0, lambda x: x.is_leaf and not x.tracked)
        self.flip(frozen or self.pick(first, lambda x: x.is_leaf))

    def flip(self, leaf):
        leaf.tracked = not leaf.tracked
        leaf.handle.requires_grad = leaf.tracked

    @rule(output=PICK, first=PICK, seed=SEED)
    def freeze_for_a_backward_pass(self, output, first, seed):
        """Whether gradients flow to a leaf is asked when they would."""
        output = self.pick(output, lambda x: x.tracked and x.recorded)
        leaves = (
            [x for x in output.before() if x.is_leaf and x.handle is not None] if output else []
        )
        if leaves:
            leaf = leaves[first % len(leaves)]
            self.flip(leaf)
            self.backward(output, seed, True, False, "here")
            self.flip(leaf)

    @rule(first=PICK, what=st.sampled_from(["zero", "assign", "write"]), seed=SEED)
    def change_gradient(self, first, what, seed):
        node = self.pick(first, lambda x: x.grad is not None)
        if node is None:
            return
        if what == "zero":
            node.handle.zero_grad()
            node.grad, node.size = None, 0.0
            return
        node.grad = self.array(node.value.shape, seed)
        node.size = 1.5
        if what == "assign":
            node.handle.grad = node.grad
        else:
            node.handle.grad[...] = node.grad  # it is the user's to write to
            self.handed_out = [
                (a, np.array(a) if a is node.handle.grad else b) for a, b in self.handed_out
            ]

    @rule(first=PICK, way=st.sampled_from([copy.copy, copy.deepcopy, pickle]))
    def copy_leaf(self, first, way):
        leaf = self.pick(first, lambda x: not x.recorded)
        again = pickle.loads(pickle.dumps(leaf.handle)) if way is pickle else way(leaf.handle)
        node = Node(again, leaf.value.copy())
        node.tracked, node.size = leaf.tracked, leaf.size
        node.grad = None if leaf.grad is None else leaf.grad.copy()
        self.pool.append(node)

    @precondition(lambda self: len(self.blocks) < 3)
    @rule(kind=st.sampled_from(["encoder", "layer", "layer", "no_grad"]))
    def enter(self, kind):
        block = ag.no_grad() if kind == "no_grad" else ag.scope(kind)
        block.__enter__()
        self.blocks.append((block, kind))

    @precondition(lambda self: self.blocks)
    @rule(by_an_error=st.booleans())
    def leave(self, by_an_error):
        block, _ = self.blocks.pop()
        block.__exit__(*((KeyError, KeyError(), None) if by_an_error else (None,) * 3))

    @precondition(lambda self: len(self.pool) > 3)
    @rule(first=PICK, leaves=st.booleans())
    def drop(self, first, leaves):
        node = self.pick(first, lambda x: leaves or x.recorded)
        kept = [x for x in self.pool if x is not node and not x.recorded and x.tracked]
        if node is not None and kept:
            node.handle = None
            self.pool.remove(node)

    @rule(what=st.sampled_from([collect_young, gc.disable, gc.enable]))
    def collect(self, what):
        what()

    # --- what always holds

    @invariant()
    def room_is_made(self):
        """If there are many Variables, the oldest but for three are let go."""
        while len(self.pool) > MANY:
            self.pool.pop(3).handle = None

    @invariant()
    def values_and_gradients(self):
        for node in self.pool:
            assert np.array_equal(node.handle.data, node.value)
            assert node.handle.requires_grad == node.tracked
            assert (node.handle.grad is None) == (node.grad is None)
            if node.grad is not None:
                assert node.handle.grad.dtype == node.value.dtype
                assert node.handle.grad.flags.writeable
                self.close(node.handle.grad, node.grad, node.size)

    @invariant()
    def gradients_alias_nothing(self):
        grads = {id(x.handle.grad): x.handle.grad for x in self.pool if x.grad is not None}
        results = {id(array): array for array, _ in self.handed_out} | grads
        others = [x.handle.data for x in self.pool] + self.used[-4:]
        for first, second in itertools.combinations(results.values(), 2):
            assert not np.shares_memory(first, second)
        for array, other in itertools.product(results.values(), others):
            assert not np.shares_memory(array, other)
        for array, as_it_was in self.handed_out:
            assert np.array_equal(array, as_it_was)

    @invariant()
    def state(self):
        probe = ag.Variable(1.0) * 2.0
        assert probe.requires_grad == self.recording
        assert (probe.scope.path if probe.scope else None) == (
            self.scope if self.recording else None
        )

    @invariant()
    def tape_lists_what_is_alive(self):
        alive, waiting = set(), list(self.pool)
        while waiting:
            node = waiting.pop()
            if node not in alive:
                alive.add(node)
                waiting.extend(x for x, _, _ in node.operands if not node.weak)
        expected = sorted(x.number for x in alive if x.recorded and not x.elsewhere)
        assert [v.number for v in ag.tape() if v.number > self.first] == expected


TestTapeMachine = TapeMachine.TestCase
TestTapeMachine.settings = settings(max_examples=150, stateful_step_count=40)
