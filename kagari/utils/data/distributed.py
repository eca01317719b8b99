"""A sampler that gives each of several processes its own part of a dataset."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import kagari
from kagari.utils.data.sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Visits every num_replicas-th index, in an order that all processes agree on.

    Args:
        dataset: with a length.
        num_replicas: number of processes; default that of the process group.
        rank: this one's number; default its rank.
        shuffle: random order, another one after each ``set_epoch``.
        seed: the same in all processes.
        drop_last: leaves indices out to make the parts equal, instead of repeating some.

    Raises:
        RuntimeError: no process group to ask.
        ValueError: `rank` out of range.

    Example:
        >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
        [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None:
            num_replicas = _process_group().get_world_size()
        if rank is None:
            rank = _process_group().get_rank()
        if rank >= num_replicas or rank < 0:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        n = len(dataset)
        self.num_samples = n // num_replicas if drop_last else math.ceil(n / num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        n = len(self.dataset)
        if self.shuffle:
            generator = kagari.Generator()
            generator.manual_seed(self.seed + self.epoch)
            indices = kagari.randperm(n, generator=generator).tolist()
        else:
            indices = list(range(n))
        # Repeated from the start until the parts are equal, or cut off.
        if n:
            indices = (indices * math.ceil(self.total_size / n))[: self.total_size]
        return iter(indices[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Chooses the order of an epoch; without it all epochs have the same."""
        self.epoch = epoch


def _process_group() -> Any:
    distributed = getattr(kagari, "distributed", None)
    if distributed is None or not distributed.is_available():
        raise RuntimeError(
            "Requires distributed package to be available; "
            "give num_replicas and rank to DistributedSampler"
        )
    return distributed
