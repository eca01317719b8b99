"""Batches from lists of samples, and NumPy's arrays turned into tensors."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any, TypeAlias

import kagari

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]

CollateMap: TypeAlias = dict[type[Any] | tuple[type[Any], ...], Callable[..., Any]]

_UNKNOWN = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
)


def _is_numpy(kind: type[Any]) -> bool:
    return kind.__module__ == "numpy" and kind.__name__ not in ("str_", "bytes_")


def _holds_text(array: Any) -> bool:
    return array.dtype.kind in "SaUO"


def _map_mapping(f: Callable[[Any], Any], data: Mapping[Any, Any]) -> Any:
    """`f` of each key; the result is of the mapping's class where that can be built."""
    changed = {key: f(key) for key in data}
    try:
        if isinstance(data, MutableMapping):
            # A copy keeps what the class holds besides its items.
            clone = copy.copy(data)
            clone.update(changed)
            return clone
        return type(data)(changed)  # type: ignore[call-arg]
    except TypeError:
        return changed


def _map_sequence(values: list[Any], data: Sequence[Any]) -> Any:
    """`values` as a sequence of the class of `data`, where that can be built."""
    try:
        if isinstance(data, MutableSequence):
            clone = copy.copy(data)
            for i, value in enumerate(values):
                clone[i] = value
            return clone
        return type(data)(values)  # type: ignore[call-arg]
    except TypeError:
        return values


def default_convert(data: Any) -> Any:
    """Turns the NumPy arrays in nested containers into tensors; the rest stays.

    Args:
        data: any value.

    Example:
        >>> import numpy as np
        >>> default_convert({"x": np.array([0, 1]), "name": "a"})
        {'x': tensor([0, 1]), 'name': 'a'}
    """
    kind = type(data)
    if isinstance(data, kagari.Tensor):
        return data
    if _is_numpy(kind):
        if kind.__name__ == "ndarray" and _holds_text(data):
            return data
        return kagari.as_tensor(data)
    if isinstance(data, Mapping):
        return _map_mapping(lambda key: default_convert(data[key]), data)
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return kind(*(default_convert(d) for d in data))
    if isinstance(data, tuple):
        return [default_convert(d) for d in data]
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _map_sequence([default_convert(d) for d in data], data)
    return data


def collate(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Makes a batch of samples, with a function for each class of values.

    Args:
        batch: list of samples of one structure.
        collate_fn_map: functions by class, or by tuple of classes; each is called as
            ``f(values, collate_fn_map=...)``.

    Returns:
        The samples' structure, with collated values.

    Raises:
        RuntimeError: lists of several lengths.
        TypeError: a value of another class.

    Example:
        >>> collate([{"a": 1}, {"a": 2}], collate_fn_map={int: lambda v, collate_fn_map: sum(v)})
        {'a': 3}
    """
    elem = batch[0]
    kind = type(elem)
    if collate_fn_map is not None:
        if collate_fn_map is default_collate_fn_map and _is_numpy(kind):
            _add_numpy()
        if kind in collate_fn_map:
            return collate_fn_map[kind](batch, collate_fn_map=collate_fn_map)
        for collate_type, function in collate_fn_map.items():
            if isinstance(elem, collate_type):
                return function(batch, collate_fn_map=collate_fn_map)

    def part(values: Any) -> Any:
        return collate(values, collate_fn_map=collate_fn_map)

    if isinstance(elem, Mapping):
        return _map_mapping(lambda key: part([d[key] for d in batch]), elem)
    if isinstance(elem, tuple) and hasattr(elem, "_fields"):
        return kind(*(part(values) for values in zip(*batch, strict=True)))
    if isinstance(elem, Sequence):
        if len({len(sample) for sample in batch}) != 1:
            raise RuntimeError("each element in list of batch should be of equal size")
        values = [part(column) for column in zip(*batch, strict=True)]
        return values if isinstance(elem, tuple) else _map_sequence(values, elem)
    raise TypeError(_UNKNOWN.format(kind))


def collate_tensor_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Stacks tensors."""
    return kagari.stack(batch, 0)


def collate_numpy_array_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Stacks arrays, as tensors."""
    if _holds_text(batch[0]):
        raise TypeError(_UNKNOWN.format(batch[0].dtype))
    return collate([kagari.as_tensor(b) for b in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Makes a tensor of NumPy's numbers."""
    import numpy as np

    return kagari.as_tensor(np.stack(batch))


def collate_float_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Makes a tensor of numbers, in double precision."""
    return kagari.tensor(batch, dtype=kagari.float64)


def collate_int_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Makes a tensor of integers, or of bools."""
    return kagari.tensor(batch)


def collate_str_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Leaves text in a list."""
    return batch


default_collate_fn_map: CollateMap = {
    kagari.Tensor: collate_tensor_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def _add_numpy() -> None:
    """Done when the first array comes, for NumPy is imported late."""
    import numpy as np

    if np.ndarray not in default_collate_fn_map:
        # Before the others: NumPy's float64 is a float, and would lose its own rule.
        others = dict(default_collate_fn_map)
        default_collate_fn_map.clear()
        default_collate_fn_map[np.ndarray] = collate_numpy_array_fn
        default_collate_fn_map[np.bool_, np.number, np.object_] = collate_numpy_scalar_fn
        default_collate_fn_map.update(others)


def default_collate(batch: Any) -> Any:
    """Makes a batch: tensors are stacked along a new first dimension, numbers become tensors.

    Args:
        batch: list of samples of one structure: tensors, arrays, numbers, text, and dicts, lists,
            tuples of them.

    Returns:
        The samples' structure; tuples become lists.

    Raises:
        RuntimeError: tensors of several shapes, or lists of several lengths.
        TypeError: a value of another class.

    Example:
        >>> default_collate([(1, "a"), (2, "b")])
        [tensor([1, 2]), ('a', 'b')]
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
