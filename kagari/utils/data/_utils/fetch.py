"""From indices to batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import kagari
from kagari.utils.data._utils.collate import default_collate
from kagari.utils.data.dataset import StackDataset, Subset, TensorDataset

Direct: TypeAlias = Callable[[list[int]], Any]


def _direct(dataset: Any) -> Direct | None:
    """What makes a collated batch of rows of tensors by one index, without single samples.

    Only for classes whose way to a sample is known: a subclass with its own is left to it.
    """
    kind = type(dataset)
    if kind is TensorDataset and all(type(t) is kagari.Tensor for t in dataset.tensors):

        def rows(indices: list[int]) -> Any:
            index = kagari.tensor(indices, dtype=kagari.int64)
            return [t[index] for t in dataset.tensors]

        return rows
    if kind is Subset and isinstance(dataset.indices, list | range):
        inner = _direct(dataset.dataset)
        chosen = dataset.indices
        return inner and (lambda indices: inner([chosen[i] for i in indices]))
    if kind is StackDataset:
        parts = dataset.datasets
        inners = [_direct(d) for d in (parts.values() if isinstance(parts, dict) else parts)]
        if not all(inners):
            return None
        if isinstance(parts, dict):
            keys = list(parts)
            return lambda indices: {k: f(indices) for k, f in zip(keys, inners, strict=True) if f}
        return lambda indices: [f(indices) for f in inners if f]
    return None


class _MapDatasetFetcher:
    """Batches of a dataset with indices."""

    def __init__(
        self, dataset: Any, auto_collation: bool, collate_fn: Callable[[Any], Any], drop_last: bool
    ) -> None:
        self.dataset = dataset
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        self.direct = None
        if auto_collation and collate_fn is default_collate:
            self.direct = _direct(dataset)

    def fetch(self, index: Any) -> Any:
        if not self.auto_collation:
            return self.collate_fn(self.dataset[index])
        if self.direct is not None and set(map(type, index)) == {int}:
            return self.direct(index)
        if getattr(self.dataset, "__getitems__", None):
            return self.collate_fn(self.dataset.__getitems__(index))
        return self.collate_fn([self.dataset[i] for i in index])


class _IterableDatasetFetcher:
    """Batches of a dataset that has its own order."""

    def __init__(
        self, dataset: Any, auto_collation: bool, collate_fn: Callable[[Any], Any], drop_last: bool
    ) -> None:
        self.dataset_iter = iter(dataset)
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.ended = False

    def fetch(self, index: Any) -> Any:
        if self.ended:
            raise StopIteration
        if not self.auto_collation:
            return self.collate_fn(next(self.dataset_iter))
        batch = []
        for _ in index:
            try:
                batch.append(next(self.dataset_iter))
            except StopIteration:
                self.ended = True
                break
        if not batch or (self.drop_last and len(batch) < len(index)):
            raise StopIteration
        return self.collate_fn(batch)
