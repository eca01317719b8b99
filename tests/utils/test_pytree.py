"""Trees of containers, against PyTorch's where it is installed."""

from __future__ import annotations

import collections
import dataclasses
import enum
import pickle
import time

import pytest

from kagari.utils import _pytree as pytree

Point = collections.namedtuple("Point", "x y")


class Colour(enum.Enum):
    RED = 1


TREES = {
    "leaf": 1,
    "none": None,
    "list": [1, 2],
    "tuple": (1, (2,), ()),
    "dict": {"b": 1, "a": [2, 3]},
    "ordered": collections.OrderedDict(b=1, a=2),
    "default": collections.defaultdict(list, a=[1], b=[2]),
    "deque": collections.deque([1, (2, 3)], maxlen=5),
    "named": Point(1, [2]),
    "deep": [{"a": (1, [2, {"b": 3}])}, 4],
    "empty": [{}, [], ()],
    "struct": time.gmtime(0),
}


@pytest.mark.parametrize("name", TREES)
def test_flatten_and_back(name):
    tree = TREES[name]
    leaves, spec = pytree.tree_flatten(tree)
    back = pytree.tree_unflatten(leaves, spec)
    assert back == tree
    assert type(back) is type(tree)
    assert spec.num_leaves == len(leaves)
    assert pytree.tree_leaves(tree) == leaves
    assert pytree.tree_structure(tree) == spec
    assert hash(pytree.tree_structure(tree)) == hash(spec)
    assert pickle.loads(pickle.dumps(spec)) == spec


@pytest.mark.conformance
@pytest.mark.parametrize("name", TREES)
def test_agrees_with_pytorch(name):
    pytest.importorskip("torch")
    from torch.utils import _pytree as oracle

    tree = TREES[name]
    leaves, spec = pytree.tree_flatten(tree)
    expected, theirs = oracle.tree_flatten(tree)
    assert leaves == expected
    assert repr(spec) == repr(theirs)
    assert pytree.treespec_pprint(spec) == oracle.treespec_pprint(theirs)
    paths = [pytree.keystr(path) for path, _ in pytree.tree_leaves_with_path(tree)]
    assert paths == [oracle.keystr(path) for path, _ in oracle.tree_leaves_with_path(tree)]
    if name not in ("named", "default"):
        text = oracle.treespec_dumps(theirs)
        assert pytree.treespec_dumps(spec) == text
        assert pytree.treespec_loads(text) == spec


def test_map():
    assert pytree.tree_map(lambda a, b: a + b, [1, {"a": 2}], [10, {"a": 20}]) == [11, {"a": 22}]
    assert pytree.tree_map(lambda a, b: (a, b), {"x": 1}, {"x": [1, 2]}) == {"x": (1, [1, 2])}
    # Dicts match whatever their order and kind.
    ordered = collections.OrderedDict(b=10, a=20)
    assert pytree.tree_map(lambda a, b: a + b, {"a": 1, "b": 2}, ordered) == {"a": 21, "b": 12}
    seen = []
    tree = [1, (2,)]
    assert pytree.tree_map_(seen.append, tree) is tree
    assert seen == [1, 2]
    assert pytree.tree_map_only(str, str.upper, ["a", 1]) == ["A", 1]
    assert pytree.tree_map_only((str, int), lambda x: x * 2, ["a", 1, 1.5]) == ["aa", 2, 1.5]
    assert pytree.tree_map_only(int | float, lambda x: -x, ["a", 1, 1.5]) == ["a", -1, -1.5]
    assert pytree.tree_map_only(lambda x: x == 1, lambda x: 0, [1, 2]) == [0, 2]
    assert pytree.tree_map_only_(int, seen.append, [3, "b"]) == [3, "b"]
    assert seen == [1, 2, 3]
    with_path = pytree.tree_map_with_path(lambda p, x: f"{pytree.keystr(p)}={x}", {"a": [1, 2]})
    assert with_path == {"a": ["['a'][0]=1", "['a'][1]=2"]}
    with pytest.raises(TypeError, match="must be a type"):
        pytree.tree_map_only(1, abs, [1])


def test_is_leaf():
    def pair(x):
        return isinstance(x, tuple)

    assert pytree.tree_leaves([(1, 2), 3], is_leaf=pair) == [(1, 2), 3]
    assert pytree.tree_map(len, [(1, 2), (3,)], is_leaf=pair) == [2, 1]
    assert pytree.tree_is_leaf(1)
    assert not pytree.tree_is_leaf([])
    assert pytree.tree_is_leaf((1,), is_leaf=pair)


def test_predicates():
    tree = [1, {"a": 2, "b": "x"}]
    assert pytree.tree_any(lambda x: x == "x", tree)
    assert not pytree.tree_all(lambda x: x == "x", tree)
    assert pytree.tree_all_only(int, lambda x: x > 0, tree)
    assert not pytree.tree_any_only(int, lambda x: x > 2, tree)
    assert pytree.arg_tree_leaves(1, [2], a=(3,)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("tree", "other", "message"),
    [
        ([1, 2], [1], "arity mismatch; expected 2, but got 1"),
        ([1], (1,), "Node type mismatch"),
        ({"a": 1}, {"b": 1}, r"missing key\(s\): {'a'}; extra key\(s\): {'b'}"),
        (Point(1, 2), (1, 2), "Node type mismatch"),
        ([[1]], [1], "Node type mismatch"),
    ],
)
def test_structures_that_differ(tree, other, message):
    with pytest.raises(ValueError, match=message):
        pytree.tree_map(lambda a, b: a, tree, other)


def test_wrong_number_of_leaves():
    spec = pytree.tree_structure([1, 2])
    with pytest.raises(ValueError, match=r"has length 1 but the spec refers to .* 2 items"):
        pytree.tree_unflatten([1], spec)
    with pytest.raises(TypeError, match="to be an instance of PyTreeSpec"):
        pytree.tree_unflatten([1], None)


def test_broadcast():
    spec = pytree.tree_structure({"a": [0, 0], "b": 0})
    assert pytree._broadcast_to_and_flatten({"a": 1, "b": 2}, spec) == [1, 1, 2]
    assert pytree._broadcast_to_and_flatten(5, spec) == [5, 5, 5]
    assert pytree._broadcast_to_and_flatten([1, 2], spec) is None


def test_paths():
    tree = {"a": [1, Point(2, 3)]}
    pairs, spec = pytree.tree_flatten_with_path(tree)
    assert [pytree.keystr(p) for p, _ in pairs] == ["['a'][0]", "['a'][1].x", "['a'][1].y"]
    assert [pytree.key_get(tree, p) for p, _ in pairs] == [1, 2, 3]
    assert spec == pytree.tree_structure(tree)


@pytest.fixture
def registered():
    classes = []

    def add(cls, *args, register=pytree.register_pytree_node, **kwargs):
        register(cls, *args, **kwargs)
        classes.append(cls)
        return cls

    yield add
    for cls in classes:
        pytree._deregister_pytree_node(cls)


class Box:
    def __init__(self, *items, tag=None):
        self.items = items
        self.tag = tag


def test_own_nodes(registered):
    registered(
        Box,
        lambda b: (list(b.items), b.tag),
        lambda items, tag: Box(*items, tag=tag),
        serialized_type_name="tests.Box",
    )
    tree = [Box(1, (2,), tag=Colour.RED)]
    leaves, spec = pytree.tree_flatten(tree)
    assert leaves == [1, 2]
    assert spec.unflatten([3, 4])[0].items == (3, (4,))
    assert pytree.treespec_loads(pytree.treespec_dumps(spec)) == spec
    with pytest.raises(ValueError, match="Node context mismatch"):
        pytree.tree_map(lambda a, b: a, tree, [Box(1, (2,))])
    with pytest.raises(ValueError, match="already registered"):
        pytree.register_pytree_node(Box, list, list)
    with pytest.raises(ValueError, match="Did not find a flatten_with_keys_fn"):
        pytree.tree_leaves_with_path(tree)
    with pytest.raises(ValueError, match="must be None or registered"):
        pytree.register_pytree_node(int, list, list, to_dumpable_context=str)


def test_dataclasses(registered):
    @dataclasses.dataclass
    class Options:
        a: object
        b: object = None
        note: str = ""

    registered(Options, register=pytree.register_dataclass, drop_field_names=["note"])
    tree = Options([1, 2])
    leaves, spec = pytree.tree_flatten(tree)
    assert leaves == [1, 2]
    assert spec.unflatten([3, 4]) == Options([3, 4])
    assert [pytree.keystr(p) for p, _ in pytree.tree_leaves_with_path(tree)] == [".a[0]", ".a[1]"]
    with pytest.raises(ValueError, match=r"missing {'note'}"):
        pytree.register_dataclass(Options, field_names=["a", "b"])
    with pytest.raises(ValueError, match="as it is not a dataclass"):
        pytree.register_dataclass(Box)


def test_constants(registered):
    @dataclasses.dataclass(frozen=True)
    class Unit:
        name: str

    registered(Unit, register=pytree.register_constant)
    leaves, spec = pytree.tree_flatten([1, Unit("m")])
    assert leaves == [1]
    assert spec.unflatten([2]) == [2, Unit("m")]
    assert spec != pytree.tree_structure([1, Unit("s")])
    with pytest.raises(TypeError, match="non-default `__eq__`"):
        pytree.register_constant(Box)


def test_text_refuses():
    with pytest.raises(NotImplementedError, match="has no serialized_type_name"):
        pytree.treespec_dumps(pytree.tree_structure(Point(1, 2)))
    with pytest.raises(ValueError, match="Unknown protocol 7"):
        pytree.treespec_dumps(pytree.tree_structure([1]), protocol=7)
    with pytest.raises(
        NotImplementedError, match=r"Deserializing a\.B in pytree is not registered"
    ):
        pytree.treespec_loads('[1, {"type": "a.B", "context": "1", "children_spec": [1]}]')
    with pytest.raises(ValueError, match="is no enumeration"):
        pytree.treespec_loads(
            '[1, {"type": "builtins.dict", "children_spec": [],'
            ' "context": "{\\"__enum__\\": true, \\"fqn\\": \\"os:path\\", \\"name\\": \\"x\\"}"}]'
        )
