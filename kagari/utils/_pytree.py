"""Trees of containers: taking the leaves out, putting them back, mapping over them."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import json
import threading
import types
import warnings
from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

__all__ = [
    "Context",
    "FlattenFunc",
    "LeafSpec",
    "PyTree",
    "PyTreeSpec",
    "TreeSpec",
    "UnflattenFunc",
    "key_get",
    "keystr",
    "register_constant",
    "register_dataclass",
    "register_pytree_node",
    "tree_all",
    "tree_all_only",
    "tree_any",
    "tree_any_only",
    "tree_flatten",
    "tree_flatten_with_path",
    "tree_is_leaf",
    "tree_iter",
    "tree_leaves",
    "tree_leaves_with_path",
    "tree_map",
    "tree_map_",
    "tree_map_only",
    "tree_map_only_",
    "tree_map_with_path",
    "tree_structure",
    "tree_unflatten",
    "treespec_dumps",
    "treespec_loads",
    "treespec_pprint",
]

PyTree: TypeAlias = Any
Context: TypeAlias = Any
FlattenFunc: TypeAlias = Callable[[Any], tuple[Sequence[Any], Context]]
UnflattenFunc: TypeAlias = Callable[[Iterable[Any], Context], Any]
FlattenWithKeysFunc: TypeAlias = Callable[[Any], tuple[Sequence[tuple["KeyEntry", Any]], Context]]
IsLeaf: TypeAlias = Callable[[Any], bool] | None
TypeOrPredicate: TypeAlias = (
    type[Any] | tuple[type[Any], ...] | types.UnionType | Callable[[Any], bool]
)
FlattenFn, UnflattenFn, FlattenWithKeysFn = FlattenFunc, UnflattenFunc, FlattenWithKeysFunc

T = TypeVar("T")
_NO_NAME = "NO_SERIALIZED_TYPE_NAME_FOUND"


class KeyEntry(Protocol):
    """One step of a path into a tree."""

    def get(self, parent: Any) -> Any: ...


KeyPath: TypeAlias = tuple[KeyEntry, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class SequenceKey:
    """A position of a list or tuple."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"

    def get(self, parent: Any) -> Any:
        return parent[self.idx]


@dataclasses.dataclass(frozen=True, slots=True)
class MappingKey:
    """A key of a dict."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"

    def get(self, parent: Any) -> Any:
        return parent[self.key]


@dataclasses.dataclass(frozen=True, slots=True)
class GetAttrKey:
    """An attribute."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"

    def get(self, parent: Any) -> Any:
        return getattr(parent, self.name)


class NodeDef(NamedTuple):
    """How a class of containers is taken apart and put together."""

    type: type[Any]
    flatten_fn: FlattenFunc
    unflatten_fn: UnflattenFunc
    flatten_with_keys_fn: FlattenWithKeysFunc | None


class _SerializeNodeDef(NamedTuple):
    typ: type[Any]
    serialized_type_name: str
    to_dumpable_context: Callable[[Context], Any] | None
    from_dumpable_context: Callable[[Any], Context] | None


SUPPORTED_NODES: dict[Any, NodeDef] = {}
SUPPORTED_SERIALIZED_TYPES: dict[Any, _SerializeNodeDef] = {}
SERIALIZED_TYPE_TO_PYTHON_TYPE: dict[str, Any] = {}
CONSTANT_NODES: set[type[Any]] = set()
_lock = threading.RLock()


# ---- registering -------------------------------------------------------------------------------


def register_pytree_node(
    cls: type[Any],
    flatten_fn: FlattenFunc,
    unflatten_fn: UnflattenFunc,
    *,
    serialized_type_name: str | None = None,
    to_dumpable_context: Callable[[Context], Any] | None = None,
    from_dumpable_context: Callable[[Any], Context] | None = None,
    flatten_with_keys_fn: FlattenWithKeysFunc | None = None,
) -> None:
    """Makes the instances of a class containers instead of leaves.

    Args:
        cls: the class itself; subclasses are registered on their own.
        flatten_fn: returns ``(children, context)`` of an instance.
        unflatten_fn: builds an instance from ``(children, context)``.
        serialized_type_name: name of the class in ``treespec_dumps``.
        to_dumpable_context: turns the context into something that JSON can hold.
        from_dumpable_context: turns it back.
        flatten_with_keys_fn: returns ``([(key, child), ...], context)``, for the functions with
            paths.

    Raises:
        ValueError: the class is registered already.

    Example:
        >>> class Pair:
        ...     def __init__(self, a, b):
        ...         self.a, self.b = a, b
        >>> register_pytree_node(Pair, lambda p: ([p.a, p.b], None), lambda c, _: Pair(*c))
        >>> tree_leaves([Pair(1, 2), 3])
        [1, 2, 3]
    """
    with _lock:
        if cls in SUPPORTED_NODES:
            raise ValueError(f"{cls} is already registered as pytree node.")
        _private_register_pytree_node(
            cls,
            flatten_fn,
            unflatten_fn,
            serialized_type_name=serialized_type_name,
            to_dumpable_context=to_dumpable_context,
            from_dumpable_context=from_dumpable_context,
            flatten_with_keys_fn=flatten_with_keys_fn,
        )


def _private_register_pytree_node(
    cls: Any,
    flatten_fn: FlattenFunc,
    unflatten_fn: UnflattenFunc,
    *,
    serialized_type_name: str | None = None,
    to_dumpable_context: Callable[[Context], Any] | None = None,
    from_dumpable_context: Callable[[Any], Context] | None = None,
    flatten_with_keys_fn: FlattenWithKeysFunc | None = None,
) -> None:
    with _lock:
        if cls in SUPPORTED_NODES:
            warnings.warn(
                f"{cls} is already registered as pytree node. "
                "Overwriting the previous registration.",
                stacklevel=2,
            )
        if (to_dumpable_context is None) != (from_dumpable_context is None):
            raise ValueError(
                f"Both to_dumpable_context and from_dumpable_context for {cls} must be None or "
                "registered."
            )
        name = _NO_NAME if serialized_type_name is None else serialized_type_name
        SUPPORTED_NODES[cls] = NodeDef(cls, flatten_fn, unflatten_fn, flatten_with_keys_fn)
        SUPPORTED_SERIALIZED_TYPES[cls] = _SerializeNodeDef(
            cls, name, to_dumpable_context, from_dumpable_context
        )
        SERIALIZED_TYPE_TO_PYTHON_TYPE[name] = cls


def _register_pytree_node(
    cls: type[Any], flatten_fn: FlattenFunc, unflatten_fn: UnflattenFunc, **kwargs: Any
) -> None:
    """The old spelling of register_pytree_node; takes a second registration with a warning."""
    warnings.warn(
        "`_register_pytree_node` is deprecated; use `register_pytree_node` instead.",
        FutureWarning,
        stacklevel=2,
    )
    _private_register_pytree_node(cls, flatten_fn, unflatten_fn, **kwargs)


def _deregister_pytree_node(cls: type[Any]) -> None:
    with _lock:
        del SUPPORTED_NODES[cls]
        name = SUPPORTED_SERIALIZED_TYPES.pop(cls).serialized_type_name
        SERIALIZED_TYPE_TO_PYTHON_TYPE.pop(name, None)
        CONSTANT_NODES.discard(cls)


def _register_namedtuple(cls: type[Any], *, serialized_type_name: str) -> None:
    """Gives a named tuple class a name for ``treespec_dumps``."""
    _private_register_pytree_node(
        cls,
        _namedtuple_flatten,
        _namedtuple_unflatten,
        serialized_type_name=serialized_type_name,
        to_dumpable_context=_namedtuple_serialize,
        from_dumpable_context=_namedtuple_deserialize,
        flatten_with_keys_fn=_namedtuple_flatten_with_keys,
    )


def register_dataclass(
    cls: type[Any],
    *,
    field_names: list[str] | None = None,
    drop_field_names: list[str] | None = None,
    serialized_type_name: str | None = None,
) -> None:
    """Makes the instances of a dataclass containers of their fields.

    Args:
        cls: the class; not a dataclass needs `field_names`.
        field_names: the arguments of its constructor.
        drop_field_names: fields that are left out.
        serialized_type_name: name of the class in ``treespec_dumps``.

    Raises:
        ValueError: `field_names` is missing, or are not the dataclass' fields.
    """
    dropped = drop_field_names or []
    if dataclasses.is_dataclass(cls):
        fields = [f.name for f in dataclasses.fields(cls) if f.init and f.name not in dropped]
        names = fields if field_names is None else field_names
        if set(fields) != set(names):
            raise ValueError(
                f"field_names does not include all dataclass fields: missing "
                f"{set(fields) - set(names)}, unexpected {set(names) - set(fields)}; "
                "name them in `field_names` or `drop_field_names`"
            )
    elif field_names is None:
        raise ValueError(
            "field_names must be specified with a list of all fields used to initialize "
            f"{cls}, as it is not a dataclass."
        )
    else:
        names = field_names

    def flatten(obj: Any) -> tuple[list[Any], Context]:
        values = {name: getattr(obj, name) for name in names}
        given = [name for name, v in values.items() if v is not None]
        return [values[n] for n in given], [given, [n for n in names if n not in given]]

    def unflatten(values: Iterable[Any], context: Context) -> Any:
        given, none = context
        return cls(**dict(zip(given, values, strict=True)), **dict.fromkeys(none))

    def flatten_with_keys(obj: Any) -> tuple[list[tuple[KeyEntry, Any]], Context]:
        values, context = flatten(obj)
        return [(GetAttrKey(k), v) for k, v in zip(context[0], values, strict=True)], context

    _private_register_pytree_node(
        cls,
        flatten,
        unflatten,
        serialized_type_name=serialized_type_name,
        flatten_with_keys_fn=flatten_with_keys,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class ConstantNode(Generic[T]):
    """The context of a node without children: the object itself."""

    value: T


def register_constant(cls: type[Any]) -> None:
    """Makes the instances of a class part of the tree's structure, with no leaves.

    Args:
        cls: a class with its own ``__eq__`` and ``__hash__``.

    Raises:
        TypeError: it has not.
    """
    if getattr(cls, "__eq__", None) is object.__eq__:
        raise TypeError(
            "register_constant(cls) expects `cls` to have a non-default `__eq__` implementation."
        )
    if cls.__hash__ is None:
        raise TypeError(
            "register_constant(cls) expects `cls` to have a non-default `__hash__` implementation."
        )
    with _lock:
        _private_register_pytree_node(
            cls,
            lambda x: ([], ConstantNode(x)),
            lambda _, context: context.value,
            flatten_with_keys_fn=lambda x: ([], ConstantNode(x)),
        )
        CONSTANT_NODES.add(cls)


# ---- built-in containers -----------------------------------------------------------------------


def is_namedtuple_class(cls: Any) -> bool:
    """Whether a class comes from ``namedtuple`` or ``NamedTuple``."""
    if not (isinstance(cls, type) and issubclass(cls, tuple)):
        return False
    fields = getattr(cls, "_fields", None)
    return (
        isinstance(fields, tuple)
        and all(type(f) is str for f in fields)
        and callable(getattr(cls, "_make", None))
        and callable(getattr(cls, "_asdict", None))
    )


def is_namedtuple_instance(obj: object) -> bool:
    """Whether an object is a named tuple."""
    return is_namedtuple_class(type(obj))


def is_namedtuple(obj: object) -> bool:
    """Whether an object is a named tuple, or a class of them."""
    return is_namedtuple_class(obj if isinstance(obj, type) else type(obj))


def is_structseq_class(cls: Any) -> bool:
    """Whether a class is a struct sequence, the C interpreter's kind of named tuple."""
    return (
        isinstance(cls, type)
        and cls.__bases__ == (tuple,)
        and all(
            isinstance(getattr(cls, name, None), int)
            for name in ("n_fields", "n_sequence_fields", "n_unnamed_fields")
        )
    )


def is_structseq_instance(obj: object) -> bool:
    """Whether an object is a struct sequence."""
    return is_structseq_class(type(obj))


def is_structseq(obj: object) -> bool:
    """Whether an object is a struct sequence, or a class of them."""
    return is_structseq_class(obj if isinstance(obj, type) else type(obj))


def _tuple_flatten(d: tuple[Any, ...]) -> tuple[list[Any], Context]:
    return list(d), None


def _list_flatten(d: list[Any]) -> tuple[list[Any], Context]:
    return d, None


def _sequence_flatten_with_keys(d: Any) -> tuple[list[tuple[KeyEntry, Any]], Context]:
    return [(SequenceKey(i), v) for i, v in enumerate(d)], getattr(d, "maxlen", None)


def _tuple_unflatten(values: Iterable[Any], context: Context) -> tuple[Any, ...]:
    return tuple(values)


def _list_unflatten(values: Iterable[Any], context: Context) -> list[Any]:
    return list(values)


def _dict_flatten(d: Mapping[Any, Any]) -> tuple[list[Any], Context]:
    return list(d.values()), list(d)


def _dict_flatten_with_keys(
    d: Mapping[Any, Any],
) -> tuple[list[tuple[KeyEntry, Any]], Context]:
    return [(MappingKey(k), v) for k, v in d.items()], list(d)


def _dict_unflatten(values: Iterable[Any], context: Context) -> dict[Any, Any]:
    return dict(zip(context, values, strict=True))


def _odict_unflatten(values: Iterable[Any], context: Context) -> OrderedDict[Any, Any]:
    return OrderedDict(zip(context, values, strict=True))


def _namedtuple_flatten(d: Any) -> tuple[list[Any], Context]:
    return list(d), type(d)


def _namedtuple_flatten_with_keys(d: Any) -> tuple[list[tuple[KeyEntry, Any]], Context]:
    return [(GetAttrKey(f), v) for f, v in zip(d._fields, d, strict=True)], type(d)


def _namedtuple_unflatten(values: Iterable[Any], context: Context) -> Any:
    return context(*values)


def _namedtuple_serialize(context: Context) -> str:
    definition = SUPPORTED_SERIALIZED_TYPES.get(context)
    if definition is None or definition.serialized_type_name == _NO_NAME:
        raise NotImplementedError(
            f"Can't serialize TreeSpec of namedtuple class {context} because it has no "
            "serialized_type_name; register it using `_register_namedtuple`"
        )
    return definition.serialized_type_name


def _namedtuple_deserialize(name: str) -> Context:
    if name not in SERIALIZED_TYPE_TO_PYTHON_TYPE:
        raise NotImplementedError(
            f"Can't deserialize TreeSpec of namedtuple class {name}: no class has this name; "
            "register it using `_register_namedtuple`"
        )
    return SERIALIZED_TYPE_TO_PYTHON_TYPE[name]


def _defaultdict_flatten(d: defaultdict[Any, Any]) -> tuple[list[Any], Context]:
    return list(d.values()), [d.default_factory, list(d)]


def _defaultdict_flatten_with_keys(
    d: defaultdict[Any, Any],
) -> tuple[list[tuple[KeyEntry, Any]], Context]:
    return _dict_flatten_with_keys(d)[0], [d.default_factory, list(d)]


def _defaultdict_unflatten(values: Iterable[Any], context: Context) -> defaultdict[Any, Any]:
    factory, keys = context
    return defaultdict(factory, _dict_unflatten(values, keys))


def _defaultdict_serialize(context: Context) -> dict[str, Any]:
    factory, keys = context
    return {
        "default_factory_module": factory.__module__,
        "default_factory_name": factory.__qualname__,
        "dict_context": keys,
    }


def _defaultdict_deserialize(dumped: dict[str, Any]) -> Context:
    module = importlib.import_module(dumped["default_factory_module"])
    return [getattr(module, dumped["default_factory_name"]), dumped["dict_context"]]


def _deque_flatten(d: deque[Any]) -> tuple[list[Any], Context]:
    return list(d), d.maxlen


def _deque_unflatten(values: Iterable[Any], context: Context) -> deque[Any]:
    return deque(values, maxlen=context)


_odict_flatten = _dict_flatten
for _cls, _flatten, _unflatten, _with_keys in (
    (tuple, _tuple_flatten, _tuple_unflatten, _sequence_flatten_with_keys),
    (list, _list_flatten, _list_unflatten, _sequence_flatten_with_keys),
    (dict, _dict_flatten, _dict_unflatten, _dict_flatten_with_keys),
    (OrderedDict, _dict_flatten, _odict_unflatten, _dict_flatten_with_keys),
    (deque, _deque_flatten, _deque_unflatten, _sequence_flatten_with_keys),
):
    _private_register_pytree_node(
        _cls,
        _flatten,
        _unflatten,
        serialized_type_name=f"{_cls.__module__}.{_cls.__qualname__}",
        flatten_with_keys_fn=_with_keys,
    )
_private_register_pytree_node(
    namedtuple,  # stands for all classes of named tuples
    _namedtuple_flatten,
    _namedtuple_unflatten,
    serialized_type_name="collections.namedtuple",
    to_dumpable_context=_namedtuple_serialize,
    from_dumpable_context=_namedtuple_deserialize,
    flatten_with_keys_fn=_namedtuple_flatten_with_keys,
)
_private_register_pytree_node(
    defaultdict,
    _defaultdict_flatten,
    _defaultdict_unflatten,
    serialized_type_name="collections.defaultdict",
    to_dumpable_context=_defaultdict_serialize,
    from_dumpable_context=_defaultdict_deserialize,
    flatten_with_keys_fn=_defaultdict_flatten_with_keys,
)

STANDARD_DICT_TYPES: frozenset[Any] = frozenset({dict, OrderedDict, defaultdict})
BUILTIN_TYPES: frozenset[Any] = frozenset(
    {tuple, list, dict, namedtuple, OrderedDict, defaultdict, deque}
)


def _get_node_type(tree: Any) -> Any:
    kind = type(tree)
    # Tuples only, and seldom: the test of a named tuple is long.
    if kind is not tuple and isinstance(tree, tuple) and is_namedtuple_class(kind):
        return namedtuple
    return kind


# ---- structure ---------------------------------------------------------------------------------


class TreeSpec:
    """The structure of a tree without its leaves.

    Args:
        type: the class of the root's container; None for a leaf.
        context: what its flatten function gave besides the children.
        children_specs: the structures of the children.

    Example:
        >>> tree_structure([1, {"a": 2}])
        TreeSpec(list, None, [*,
          TreeSpec(dict, ['a'], [*])])
    """

    __slots__ = ("_children", "_context", "num_children", "num_leaves", "num_nodes", "type")
    num_leaves: int
    num_nodes: int

    def __init__(self, type: Any, context: Context, children_specs: list[TreeSpec]) -> None:
        self.type = type
        self._context = context
        self._children = children_specs
        self.num_children = len(children_specs)
        self.num_nodes = 1 + sum(c.num_nodes for c in children_specs)
        self.num_leaves = 1 if type is None else sum(c.num_leaves for c in children_specs)

    @property
    def context(self) -> Context:
        """What the root's flatten function gave besides the children."""
        return self._context

    @property
    def children_specs(self) -> list[TreeSpec]:
        """The structures of the children."""
        return self._children

    def children(self) -> list[TreeSpec]:
        """Returns the structures of the children."""
        return self._children.copy()

    def child(self, index: int) -> TreeSpec:
        """Returns the structure of one child."""
        return self._children[index]

    def is_leaf(self) -> bool:
        """Whether the tree is a leaf."""
        return self.type is None

    def flatten_up_to(self, tree: PyTree) -> list[PyTree]:
        """Returns the subtrees of `tree` that stand where this structure has leaves.

        Raises:
            ValueError: `tree` differs from this structure before that.
        """
        out: list[PyTree] = []
        self._flatten_up_to(tree, out)
        return out

    def _flatten_up_to(self, tree: PyTree, out: list[PyTree]) -> None:
        if self.type is None:
            out.append(tree)
            return
        for spec, child in zip(self._children, self._split(tree), strict=True):
            spec._flatten_up_to(child, out)

    def _split(self, tree: PyTree) -> Sequence[Any]:
        """The children of a tree whose root must be like this one."""
        kind = _get_node_type(tree)
        dicts = self.type in STANDARD_DICT_TYPES and kind in STANDARD_DICT_TYPES
        if not dicts and kind != self.type:
            raise ValueError(f"Node type mismatch; expected {self.type!r}, but got {kind!r}.")
        if dicts:
            keys = self._context[1] if self.type is defaultdict else self._context
            self._check_arity(len(tree))
            if set(tree) != set(keys):
                missing, extra = set(keys) - set(tree), set(tree) - set(keys)
                raise ValueError(
                    "Node keys mismatch"
                    + (f"; missing key(s): {missing}" if missing else "")
                    + (f"; extra key(s): {extra}" if extra else "")
                    + "."
                )
            return [tree[key] for key in keys]
        children, context = SUPPORTED_NODES[kind].flatten_fn(tree)
        self._check_arity(len(children))
        # The bound of a deque is no structure.
        if kind is not deque and context != self._context:
            raise ValueError(
                f"Node context mismatch for node type {self.type!r}; "
                f"expected {self._context!r}, but got {context!r}."
            )
        return children

    def _check_arity(self, n: int) -> None:
        if n != self.num_children:
            raise ValueError(f"Node arity mismatch; expected {self.num_children}, but got {n}.")

    def unflatten(self, leaves: Iterable[Any]) -> PyTree:
        """Builds a tree of this structure from leaves.

        Raises:
            ValueError: too many or too few leaves.
        """
        leaves = leaves if isinstance(leaves, list | tuple) else list(leaves)
        if len(leaves) != self.num_leaves:
            raise ValueError(
                f"treespec.unflatten(leaves): `leaves` has length {len(leaves)} but the spec "
                f"refers to a pytree that holds {self.num_leaves} items ({self})."
            )
        return self._build(iter(leaves))

    def _build(self, leaves: Iterator[Any]) -> PyTree:
        if self.type is None:
            return next(leaves)
        children = [spec._build(leaves) for spec in self._children]
        return SUPPORTED_NODES[self.type].unflatten_fn(children, self._context)

    def __repr__(self, indent: int = 0) -> str:
        if self.type is None:
            return "*"
        indent += 2
        parts = [spec.__repr__(indent) for spec in self._children]
        return f"TreeSpec({self.type.__name__}, {self._context}, [" + (
            (",\n" + " " * indent).join(parts) + "])"
        )

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, TreeSpec):
            return NotImplemented
        return bool(
            self.type == other.type
            and self._context == other._context
            and self._children == other._children
        )

    def __hash__(self) -> int:
        context: Any = None
        if self.type is defaultdict:
            context = (self._context[0], tuple(self._context[1]))
        elif self.type in (dict, OrderedDict):
            context = tuple(self._context)
        elif self.type in BUILTIN_TYPES:
            context = self._context
        elif isinstance(self._context, ConstantNode):
            context = self._context.value
        return hash((self.type, context, tuple(self._children)))

    def __reduce__(self) -> tuple[Any, ...]:
        return TreeSpec, (self.type, self._context, self._children)


class LeafSpec(TreeSpec):
    """The structure of a leaf."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(None, None, [])

    def __reduce__(self) -> tuple[Any, ...]:
        return LeafSpec, ()


PyTreeSpec = TreeSpec
_LEAF_SPEC = LeafSpec()


def treespec_leaf() -> LeafSpec:
    """Returns the structure of a leaf."""
    return _LEAF_SPEC


def treespec_tuple(iterable: Iterable[TreeSpec] = ()) -> TreeSpec:
    """Returns the structure of a tuple with these children."""
    return TreeSpec(tuple, None, _only_specs(list(iterable)))


def treespec_dict(
    mapping: Mapping[Any, TreeSpec] | Iterable[tuple[Any, TreeSpec]] = (), **kwargs: TreeSpec
) -> TreeSpec:
    """Returns the structure of a dict with these children."""
    children: dict[Any, TreeSpec] = dict(mapping, **kwargs)
    return TreeSpec(dict, list(children), _only_specs(list(children.values())))


def _only_specs(children: list[TreeSpec]) -> list[TreeSpec]:
    for child in children:
        if not isinstance(child, TreeSpec):
            raise ValueError(f"Expected TreeSpec values, got: {child!r}.")
    return children


# ---- flattening and mapping --------------------------------------------------------------------


def tree_is_leaf(tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether a tree is a leaf: not a registered container, or one that `is_leaf` takes for one.

    Example:
        >>> tree_is_leaf(1), tree_is_leaf([1])
        (True, False)
    """
    if is_leaf is not None and is_leaf(tree):
        return True
    return _get_node_type(tree) not in SUPPORTED_NODES


_is_leaf = tree_is_leaf
_is_namedtuple_instance = is_namedtuple_instance


def tree_flatten(tree: PyTree, is_leaf: IsLeaf = None) -> tuple[list[Any], TreeSpec]:
    """Takes the leaves out of a tree.

    Args:
        tree: nested containers.
        is_leaf: makes leaves of containers for which it returns True.

    Returns:
        The leaves, and the structure from which ``tree_unflatten`` builds the tree again.

    Example:
        >>> leaves, spec = tree_flatten({"a": [1, 2], "b": 3})
        >>> leaves
        [1, 2, 3]
        >>> tree_unflatten([x * 10 for x in leaves], spec)
        {'a': [10, 20], 'b': 30}
    """
    leaves: list[Any] = []

    def visit(node: PyTree) -> TreeSpec:
        if is_leaf is None or not is_leaf(node):
            kind = _get_node_type(node)
            definition = SUPPORTED_NODES.get(kind)
            if definition is not None:
                children, context = definition.flatten_fn(node)
                return TreeSpec(kind, context, [visit(child) for child in children])
        leaves.append(node)
        return _LEAF_SPEC

    return leaves, visit(tree)


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> PyTree:
    """Builds a tree from leaves and a structure.

    Raises:
        TypeError: `treespec` is no TreeSpec.
        ValueError: too many or too few leaves.
    """
    if not isinstance(treespec, TreeSpec):
        if not isinstance(leaves, TreeSpec):
            raise TypeError(
                "Expected `treespec` to be an instance of PyTreeSpec but got item of type "
                f"{type(treespec)}."
            )
        leaves, treespec = treespec, leaves
    return treespec.unflatten(leaves)


def tree_iter(tree: PyTree, is_leaf: IsLeaf = None) -> Iterator[Any]:
    """Iterates over the leaves of a tree."""
    if tree_is_leaf(tree, is_leaf):
        yield tree
        return
    for child in SUPPORTED_NODES[_get_node_type(tree)].flatten_fn(tree)[0]:
        yield from tree_iter(child, is_leaf)


def tree_leaves(tree: PyTree, is_leaf: IsLeaf = None) -> list[Any]:
    """Returns the leaves of a tree.

    Example:
        >>> tree_leaves([1, (2, {"a": 3})])
        [1, 2, 3]
    """
    return list(tree_iter(tree, is_leaf))


def tree_structure(tree: PyTree, is_leaf: IsLeaf = None) -> TreeSpec:
    """Returns the structure of a tree."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(
    func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None
) -> PyTree:
    """Returns a tree of the same structure with `func` of each leaf.

    Args:
        func: takes a leaf of `tree` and the subtrees of `rests` at its place.
        tree: nested containers.
        rests: trees whose structure begins like that of `tree`.
        is_leaf: makes leaves of containers for which it returns True.

    Raises:
        ValueError: the structures differ.

    Example:
        >>> tree_map(lambda a, b: a + b, [1, (2,)], [10, (20,)])
        [11, (22,)]
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    return spec.unflatten(map(func, leaves, *(spec.flatten_up_to(r) for r in rests)))


def tree_map_(
    func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None
) -> PyTree:
    """Calls `func` with each leaf and returns the tree itself."""
    leaves, spec = tree_flatten(tree, is_leaf)
    for args in zip(leaves, *(spec.flatten_up_to(r) for r in rests), strict=True):
        func(*args)
    return tree


def _predicate(type_or_types_or_pred: TypeOrPredicate) -> Callable[[Any], bool]:
    if isinstance(type_or_types_or_pred, type | tuple | types.UnionType):
        kinds = type_or_types_or_pred
        return lambda x: isinstance(x, kinds)
    if callable(type_or_types_or_pred):
        return type_or_types_or_pred
    raise TypeError("Argument must be a type, a tuple of types, or a callable.")


def map_only(
    type_or_types_or_pred: TypeOrPredicate, /
) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Makes a function leave other values than those of a type, or of a predicate, alone."""
    applies = _predicate(type_or_types_or_pred)

    def wrap(func: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @functools.wraps(func)
        def wrapped(x: Any) -> Any:
            return func(x) if applies(x) else x

        return wrapped

    return wrap


def tree_map_only(
    type_or_types_or_pred: TypeOrPredicate,
    /,
    func: Callable[[Any], Any],
    tree: PyTree,
    is_leaf: IsLeaf = None,
) -> PyTree:
    """Maps `func` over the leaves of a type, or of a predicate; others stay as they are.

    Example:
        >>> tree_map_only(int, lambda x: -x, [1, "a"])
        [-1, 'a']
    """
    return tree_map(map_only(type_or_types_or_pred)(func), tree, is_leaf=is_leaf)


def tree_map_only_(
    type_or_types_or_pred: TypeOrPredicate,
    /,
    func: Callable[[Any], Any],
    tree: PyTree,
    is_leaf: IsLeaf = None,
) -> PyTree:
    """Calls `func` with the leaves of a type, or of a predicate, and returns the tree itself."""
    return tree_map_(map_only(type_or_types_or_pred)(func), tree, is_leaf=is_leaf)


def tree_all(pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether `pred` holds for all leaves."""
    return all(map(pred, tree_iter(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None) -> bool:
    """Whether `pred` holds for a leaf."""
    return any(map(pred, tree_iter(tree, is_leaf)))


def tree_all_only(
    type_or_types: Any, /, pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None
) -> bool:
    """Whether `pred` holds for all leaves of a type."""
    return all(pred(x) for x in tree_iter(tree, is_leaf) if isinstance(x, type_or_types))


def tree_any_only(
    type_or_types: Any, /, pred: Callable[[Any], bool], tree: PyTree, is_leaf: IsLeaf = None
) -> bool:
    """Whether `pred` holds for a leaf of a type."""
    return any(pred(x) for x in tree_iter(tree, is_leaf) if isinstance(x, type_or_types))


def arg_tree_leaves(*args: PyTree, **kwargs: PyTree) -> list[Any]:
    """Returns the leaves of a call's arguments."""
    return [leaf for tree in (*args, *kwargs.values()) for leaf in tree_iter(tree)]


def _broadcast_to_and_flatten(
    tree: PyTree, treespec: TreeSpec, is_leaf: IsLeaf = None
) -> list[Any] | None:
    """The leaves of a prefix of a structure, each as often as it stands for leaves of it."""
    full = treespec.unflatten([0] * treespec.num_leaves)
    leaves, spec = tree_flatten(tree, is_leaf)
    try:
        subtrees = spec.flatten_up_to(full)
    except ValueError:
        return None
    out = []
    for leaf, subtree in zip(leaves, subtrees, strict=True):
        out += [leaf] * tree_structure(subtree, is_leaf).num_leaves
    return out


# ---- paths -------------------------------------------------------------------------------------


def tree_flatten_with_path(
    tree: PyTree, is_leaf: IsLeaf = None
) -> tuple[list[tuple[KeyPath, Any]], TreeSpec]:
    """Takes the leaves out of a tree, each with the path that leads to it.

    Example:
        >>> pairs, spec = tree_flatten_with_path({"a": [1, 2]})
        >>> [(keystr(path), leaf) for path, leaf in pairs]
        [("['a'][0]", 1), ("['a'][1]", 2)]
    """
    return tree_leaves_with_path(tree, is_leaf), tree_structure(tree, is_leaf)


def tree_leaves_with_path(tree: PyTree, is_leaf: IsLeaf = None) -> list[tuple[KeyPath, Any]]:
    """Returns the leaves of a tree, each with the path that leads to it."""
    return list(_with_paths((), tree, is_leaf))


def _with_paths(path: KeyPath, tree: PyTree, is_leaf: IsLeaf) -> Iterator[tuple[KeyPath, Any]]:
    if tree_is_leaf(tree, is_leaf):
        yield path, tree
        return
    kind = _get_node_type(tree)
    flatten = SUPPORTED_NODES[kind].flatten_with_keys_fn
    if flatten is None:
        raise ValueError(
            f"Did not find a flatten_with_keys_fn for type: {kind}. "
            "Please pass a flatten_with_keys_fn argument to register_pytree_node."
        )
    for key, child in flatten(tree)[0]:
        yield from _with_paths((*path, key), child, is_leaf)


def tree_map_with_path(
    func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: IsLeaf = None
) -> PyTree:
    """Like ``tree_map``, with the path as the function's first argument."""
    pairs, spec = tree_flatten_with_path(tree, is_leaf)
    others = [spec.flatten_up_to(r) for r in rests]
    results = [
        func(path, leaf, *(values[i] for values in others)) for i, (path, leaf) in enumerate(pairs)
    ]
    return spec.unflatten(results)


def keystr(kp: KeyPath) -> str:
    """Returns a path as it would be written behind the tree's name."""
    return "".join(map(str, kp))


def key_get(obj: Any, kp: KeyPath) -> Any:
    """Follows a path into a tree."""
    for key in kp:
        obj = key.get(obj)
    return obj


# ---- structures as text ------------------------------------------------------------------------


class _EnumEncoder(json.JSONEncoder):
    def default(self, o: Any) -> Any:
        if isinstance(o, Enum):
            kind = type(o)
            fqn = f"{kind.__module__}:{kind.__qualname__}"
            return {"__enum__": True, "fqn": fqn, "name": o.name}
        return super().default(o)


def _enum_object_hook(obj: dict[str, Any]) -> Any:
    if "__enum__" not in obj:
        return obj
    module, _, name = obj["fqn"].partition(":")
    found = functools.reduce(getattr, name.split("."), importlib.import_module(module))
    if not (isinstance(found, type) and issubclass(found, Enum)):
        raise ValueError(f"treespec_loads: {obj['fqn']} is no enumeration")
    return found[obj["name"]]


def _to_json(spec: TreeSpec) -> dict[str, Any]:
    if spec.type is None:
        return {"type": None, "context": None, "children_spec": []}
    definition = SUPPORTED_SERIALIZED_TYPES.get(spec.type)
    if definition is None:
        raise NotImplementedError(f"Serializing {spec.type} in pytree is not registered.")
    if definition.serialized_type_name == _NO_NAME:
        raise NotImplementedError(
            f"No registered serialization name for {spec.type} found. Please update your "
            "_register_pytree_node call with a `serialized_type_name` kwarg."
        )
    if definition.to_dumpable_context is not None:
        context = definition.to_dumpable_context(spec._context)
    else:
        try:
            context = json.dumps(spec._context, cls=_EnumEncoder)
        except TypeError as e:
            raise TypeError(
                "Unable to serialize context. Please make the context json dump-able, or register "
                "a custom serializer using _register_pytree_node."
            ) from e
    return {
        "type": definition.serialized_type_name,
        "context": context,
        "children_spec": [_to_json(child) for child in spec._children],
    }


def _from_json(schema: dict[str, Any]) -> TreeSpec:
    if schema["type"] is None and schema["context"] is None and not schema["children_spec"]:
        return _LEAF_SPEC
    if schema["type"] not in SERIALIZED_TYPE_TO_PYTHON_TYPE:
        raise NotImplementedError(f"Deserializing {schema['type']} in pytree is not registered.")
    kind = SERIALIZED_TYPE_TO_PYTHON_TYPE[schema["type"]]
    restore = SUPPORTED_SERIALIZED_TYPES[kind].from_dumpable_context
    if restore is not None:
        context = restore(schema["context"])
    else:
        context = json.loads(schema["context"], object_hook=_enum_object_hook)
    return TreeSpec(kind, context, [_from_json(child) for child in schema["children_spec"]])


def treespec_dumps(treespec: TreeSpec, protocol: int | None = None) -> str:
    """Returns a structure as JSON.

    Args:
        treespec: the structure.
        protocol: version of the format; 1 is the only one.

    Raises:
        NotImplementedError: a container without a name.
        TypeError: a context that JSON cannot hold.
        ValueError: an unknown version.

    Example:
        >>> spec = tree_structure([1, (2, 3)])
        >>> treespec_loads(treespec_dumps(spec)) == spec
        True
    """
    if not isinstance(treespec, TreeSpec):
        raise TypeError(
            "Expected `treespec` to be an instance of PyTreeSpec but got item of type "
            f"{type(treespec)}."
        )
    protocol = 1 if protocol is None else protocol
    _check_protocol(protocol)
    return json.dumps((protocol, _to_json(treespec)), cls=_EnumEncoder)


def treespec_loads(serialized: str) -> TreeSpec:
    """Returns the structure that ``treespec_dumps`` has written.

    Raises:
        NotImplementedError: a container whose name is not registered.
        ValueError: an unknown version.
    """
    protocol, schema = json.loads(serialized)
    _check_protocol(protocol)
    return _from_json(schema)


def _check_protocol(protocol: Any) -> None:
    if protocol != 1:
        raise ValueError(f"Unknown protocol {protocol}. Available protocols: [1]")


class _Asterisk(str):
    """A leaf in a printed structure."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "*"


def treespec_pprint(treespec: TreeSpec) -> str:
    """Returns a structure as a tree whose leaves are asterisks.

    Example:
        >>> treespec_pprint(tree_structure({"a": [1, 2]}))
        "{'a': [*, *]}"
    """
    return repr(treespec.unflatten([_Asterisk("*")] * treespec.num_leaves))
