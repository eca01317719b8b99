"""Samplers: the order in which a dataset is visited."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import kagari

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """Base class: iterates over indices, or over lists of them; ``__len__`` is optional.

    Example:
        >>> class Evens(Sampler):
        ...     def __iter__(self):
        ...         return iter(range(0, 6, 2))
        >>> list(Evens())
        [0, 2, 4]
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__}: define __iter__")


def _check_count(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} should be a positive integer value, but got {name}={value}")


class SequentialSampler(Sampler[int]):
    """Visits a dataset in its order.

    Args:
        data_source: the dataset.

    Example:
        >>> list(SequentialSampler("abc"))
        [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Visits a dataset in random order.

    Args:
        data_source: the dataset.
        replacement: draws every index anew, so that some come twice and some never.
        num_samples: how many indices to draw; default the dataset's length.
        generator: source of randomness; default one seeded from the default generator.

    Raises:
        TypeError: `replacement` is no bool.
        ValueError: `num_samples` is not positive.

    Example:
        >>> sorted(RandomSampler("abc"))
        [0, 1, 2]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: kagari.Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(
                f"replacement should be a boolean value, but got replacement={replacement}"
            )
        _check_count("num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many indices are drawn."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n = len(self.data_source)
        generator = self.generator
        if generator is None:
            generator = kagari.Generator()
            generator.manual_seed(_draw_seed())
        if self.replacement:
            # In pieces of 32: a long epoch that ends early costs little, and PyTorch's numbers.
            whole, rest = divmod(self.num_samples, 32)
            for size in (*itertools.repeat(32, whole), rest):
                drawn = kagari.randint(
                    high=n, size=(size,), dtype=kagari.int64, generator=generator
                )
                yield from drawn.tolist()
        else:
            for _ in range(self.num_samples // n):
                yield from kagari.randperm(n, generator=generator).tolist()
            last = kagari.randperm(n, generator=generator).tolist()
            yield from last[: self.num_samples % n]

    def __len__(self) -> int:
        return self.num_samples


def _draw_seed(generator: kagari.Generator | None = None) -> int:
    drawn = kagari.empty((), dtype=kagari.int64).random_(generator=generator)
    return int(drawn.item())


class SubsetRandomSampler(Sampler[int]):
    """Visits given indices in random order.

    Args:
        indices: the indices.
        generator: source of randomness.

    Example:
        >>> sorted(SubsetRandomSampler([5, 7]))
        [5, 7]
    """

    def __init__(self, indices: Sequence[int], generator: kagari.Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in kagari.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Draws indices with given probabilities.

    Args:
        weights: one per index; they need not add up to one.
        num_samples: how many indices to draw.
        replacement: lets an index come more than once.
        generator: source of randomness.

    Raises:
        ValueError: an option of another kind; weights that are no sequence.

    Example:
        >>> list(WeightedRandomSampler([0.0, 1.0], 3))
        [1, 1, 1]
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: kagari.Generator | None = None,
    ) -> None:
        _check_count("num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise ValueError(
                f"replacement should be a boolean value, but got replacement={replacement}"
            )
        self.weights = kagari.as_tensor(weights, dtype=kagari.float64)
        if self.weights.dim() != 1:
            raise ValueError(
                "weights should be a 1d sequence but given weights have shape "
                f"{tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = kagari.multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Collects another sampler's indices in lists.

    Args:
        sampler: the sampler, or any iterable of indices.
        batch_size: length of the lists.
        drop_last: leaves a shorter last list out.

    Raises:
        ValueError: an option of another kind.

    Example:
        >>> list(BatchSampler(range(5), 2, drop_last=False))
        [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool
    ) -> None:
        _check_count("batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


class _InfiniteConstantSampler(Sampler[Any]):
    """Stands for the order of a dataset that has its own."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)
