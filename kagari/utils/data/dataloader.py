"""DataLoader: batches of a dataset, in this process or from worker processes."""

from __future__ import annotations

import itertools
import math
import os
import pickle
import time
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import kagari
from kagari.utils.data._utils import transport, worker
from kagari.utils.data._utils.collate import default_collate, default_convert
from kagari.utils.data._utils.fetch import _IterableDatasetFetcher, _MapDatasetFetcher
from kagari.utils.data._utils.worker import get_worker_info
from kagari.utils.data.dataset import Dataset, IterableDataset
from kagari.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    _draw_seed,
    _InfiniteConstantSampler,
)

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)

# Seconds that workers have to end by themselves.
_PATIENCE = 1.0


class _DatasetKind:
    Map = 0
    Iterable = 1

    @staticmethod
    def create_fetcher(
        kind: int,
        dataset: Any,
        auto_collation: bool,
        collate_fn: Callable[[Any], Any],
        drop_last: bool,
    ) -> Any:
        """Returns what turns indices into batches."""
        make = _MapDatasetFetcher if kind == _DatasetKind.Map else _IterableDatasetFetcher
        return make(dataset, auto_collation, collate_fn, drop_last)


class DataLoader(Generic[T_co]):
    """Iterates over a dataset in batches.

    Args:
        dataset: samples by index, or an :class:`IterableDataset`.
        batch_size: samples per batch; None gives single samples.
        shuffle: visits the dataset in random order.
        sampler: order of the indices, instead of `shuffle`.
        batch_sampler: lists of indices, instead of `batch_size`, `shuffle`, `sampler`, `drop_last`.
        num_workers: processes that load batches ahead; 0 loads in this one.
        collate_fn: makes a batch of a list of samples; default stacks tensors.
        pin_memory: for accelerators only; warns without one.
        drop_last: leaves a smaller last batch out.
        timeout: seconds to wait for a worker's batch; 0 waits as long as it lives.
        worker_init_fn: called in each worker with its number.
        multiprocessing_context: how workers are started: a context, or its name.
        generator: source of randomness for the order and the workers' seeds.
        prefetch_factor: batches that each worker loads ahead; default 2.
        persistent_workers: keeps the workers from one epoch to the next.
        pin_memory_device: deprecated.
        in_order: gives batches in the order of the indices, also when a later one is ready first.

    Raises:
        ValueError: options that contradict each other.
        TypeError: a context that is none.

    Example:
        >>> import kagari
        >>> from kagari.utils.data import DataLoader, TensorDataset
        >>> data = TensorDataset(kagari.arange(5), kagari.arange(5) * 10)
        >>> for x, y in DataLoader(data, batch_size=2):
        ...     print(x.tolist(), y.tolist())
        [0, 1] [0, 10]
        [2, 3] [20, 30]
        [4] [40]
    """

    __initialized = False
    _iterator: _MultiProcessingDataLoaderIter | None
    _fixed = (
        "batch_size",
        "batch_sampler",
        "sampler",
        "drop_last",
        "dataset",
        "persistent_workers",
    )

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: kagari.Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        self._check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        if num_workers > 0 and prefetch_factor is None:
            prefetch_factor = 2
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        iterable = isinstance(dataset, IterableDataset)
        self._dataset_kind = _DatasetKind.Iterable if iterable else _DatasetKind.Map
        if iterable:
            self._check_iterable(shuffle, sampler, batch_sampler)
        shuffle = bool(shuffle)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, "
                    "and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with "
                "drop_last"
            )
        if sampler is None:
            if iterable:
                sampler = _InfiniteConstantSampler()
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)  # type: ignore[arg-type]
            else:
                sampler = SequentialSampler(dataset)  # type: ignore[arg-type]
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        if collate_fn is None:
            collate_fn = default_collate if self._auto_collation else default_convert
        self.collate_fn = collate_fn
        self.persistent_workers = persistent_workers
        self.__initialized = True
        self._IterableDataset_len_called: int | None = None
        self._iterator = None
        self.check_worker_number_rationality()

    @staticmethod
    def _check_workers(
        num_workers: int, timeout: float, prefetch: int | None, persistent: bool
    ) -> None:
        if num_workers < 0:
            raise ValueError(
                "num_workers option should be non-negative; "
                "use num_workers=0 to disable multiprocessing."
            )
        if timeout < 0:
            raise ValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch is not None:
            raise ValueError(
                "prefetch_factor option could only be specified in multiprocessing. "
                "Let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to "
                "None."
            )
        if prefetch is not None and prefetch <= 0:
            raise ValueError(f"prefetch_factor option should be positive, got {prefetch}")
        if persistent and num_workers == 0:
            raise ValueError("persistent_workers option needs num_workers > 0")

    @staticmethod
    def _check_iterable(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
        given = {
            "shuffle": shuffle or None,
            "sampler": sampler,
            "batch_sampler": batch_sampler,
        }
        for name, value in given.items():
            if value is not None:
                raise ValueError(
                    f"DataLoader with IterableDataset: expected unspecified {name} option, "
                    f"but got {name}={value}"
                )

    def __setattr__(self, attr: str, val: Any) -> None:
        if self.__initialized and attr in self._fixed:
            raise ValueError(
                f"{attr} attribute should not be set after {type(self).__name__} is initialized"
            )
        super().__setattr__(attr, val)

    @property
    def multiprocessing_context(self) -> Any:
        """How workers are started."""
        return self.__context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None:
            import multiprocessing
            import multiprocessing.context

            if self.num_workers <= 0:
                raise ValueError(
                    "multiprocessing_context can only be used with multi-process loading "
                    f"(num_workers > 0), but got num_workers={self.num_workers}"
                )
            if isinstance(context, str):
                methods = multiprocessing.get_all_start_methods()
                if context not in methods:
                    raise ValueError(
                        "multiprocessing_context option should specify a valid start method in "
                        f"{methods!r}, but got multiprocessing_context={context!r}"
                    )
                context = multiprocessing.get_context(context)
            if not isinstance(context, multiprocessing.context.BaseContext):
                raise TypeError(
                    "multiprocessing_context option should be a valid context object or a string "
                    "specifying the start method, but got "
                    f"multiprocessing_context={context}"
                )
        self.__context = context

    def _get_iterator(self) -> _BaseDataLoaderIter:
        if self.num_workers == 0:
            return _SingleProcessDataLoaderIter(self)
        return _MultiProcessingDataLoaderIter(self)

    def __iter__(self) -> _BaseDataLoaderIter:
        if not (self.persistent_workers and self.num_workers > 0):
            return self._get_iterator()
        if self._iterator is None:
            self._iterator = _MultiProcessingDataLoaderIter(self)
        else:
            self._iterator._reset(self)
        return self._iterator

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def __len__(self) -> int:
        if self._dataset_kind != _DatasetKind.Iterable:
            return len(self._index_sampler)
        n = self._IterableDataset_len_called = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else math.ceil(n / self.batch_size)

    def check_worker_number_rationality(self) -> None:
        """Warns of more workers than processors."""
        if not self.num_workers:
            return
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
        suggested = available or os.cpu_count()
        if suggested is None or self.num_workers > suggested:
            warnings.warn(
                f"This DataLoader will create {self.num_workers} worker processes in total. Our "
                f"suggested max number of worker in current system is {suggested}, which is "
                "smaller than what this DataLoader is going to create. Please be aware that "
                "excessive worker creation might get DataLoader running slow or even freeze, lower "
                "the worker number to avoid potential slowness/freeze if necessary.",
                stacklevel=3,
            )


class _BaseDataLoaderIter:
    """One pass over a loader."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._dataset = loader.dataset
        self._dataset_kind = loader._dataset_kind
        self._drop_last = loader.drop_last
        self._index_sampler = loader._index_sampler
        self._num_workers = loader.num_workers
        self._timeout = loader.timeout
        self._fetcher_args = (loader._auto_collation, loader.collate_fn, loader.drop_last)
        if loader.pin_memory:
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device "
                "pinned memory won't be used.",
                stacklevel=4,
            )
        self._begin(loader)
        # Before the sampler draws anything, as in PyTorch: the same seed gives the same order.
        self._base_seed = _draw_seed(loader.generator)

    def _begin(self, loader: DataLoader[Any]) -> None:
        self._sampler_iter = iter(self._index_sampler)
        self._num_yielded = 0
        self._promised = loader._IterableDataset_len_called

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        data = self._next_data()
        self._num_yielded += 1
        if (
            self._promised is not None
            and self._dataset_kind == _DatasetKind.Iterable
            and self._num_yielded > self._promised
        ):
            warnings.warn(
                f"Length of IterableDataset {self._dataset} was reported to be {self._promised} "
                f"(when accessing len(dataloader)), but {self._num_yielded} samples have been "
                "fetched. "
                + (
                    "With workers, each of them has to yield its own part: see get_worker_info."
                    if self._num_workers
                    else ""
                ),
                stacklevel=2,
            )
        return data

    def _next_data(self) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __getstate__(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} cannot be pickled")


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """Loads every batch when it is asked for."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        self._fetcher = _DatasetKind.create_fetcher(
            self._dataset_kind, self._dataset, *self._fetcher_args
        )

    def _next_data(self) -> Any:
        return self._fetcher.fetch(next(self._sampler_iter))


class _Worker:
    """The main process' side of a worker."""

    def __init__(self, process: Any, requests: Any, answers: Any) -> None:
        self.process = process
        self.requests = requests
        self.answers = answers
        # Whether it takes requests: not after its dataset's end.
        self.active = True
        self.tasks = 0


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """Keeps workers busy with the next batches and hands them out in order.

    Requests are numbered. ``_pending`` knows which worker has which; ``_ready`` holds batches that
    came before their turn; ``_turn`` is the number to hand out next.
    """

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        import multiprocessing

        context = loader.multiprocessing_context or multiprocessing.get_context()
        assert loader.prefetch_factor is not None
        self._prefetch_factor = loader.prefetch_factor
        self._in_order = loader.in_order
        self._persistent_workers = loader.persistent_workers
        self._prefix = f"kagari-{os.getpid()}-{os.urandom(6).hex()}-"
        self._workers: list[_Worker] = []
        # Also when the iterator is dropped half-way, or the program ends.
        self._finalizer = weakref.finalize(self, _stop, self._workers, self._prefix, os.getpid())
        for i in range(self._num_workers):
            self._start(context, i, loader.worker_init_fn)
        self._reset(loader, first_iter=True)

    def _start(self, context: Any, i: int, init_fn: Callable[[int], None] | None) -> None:
        task = worker.Task(
            create_fetcher=_MapDatasetFetcher
            if self._dataset_kind == _DatasetKind.Map
            else _IterableDatasetFetcher,
            fetcher_args=self._fetcher_args,
            dataset=self._dataset,
            iterable=self._dataset_kind == _DatasetKind.Iterable,
            base_seed=self._base_seed,
            init_fn=init_fn,
            id=i,
            num_workers=self._num_workers,
            prefix=self._prefix,
        )
        requests = context.Queue()
        # Requests that nobody reads any more must not keep the program from ending.
        requests.cancel_join_thread()
        receiver, sender = context.Pipe(duplex=False)
        # A forked worker has the ends on which this process listens to the others: while it holds
        # them, those do not notice that nobody listens any more.
        forked = context.get_start_method() == "fork"
        inherited = [receiver, *(w.answers for w in self._workers)] if forked else []
        process = context.Process(
            target=worker.run, args=(task, requests, sender, inherited), daemon=True
        )
        process.start()
        # Held by the worker alone, so that its end is seen at once.
        sender.close()
        self._workers.append(_Worker(process, requests, receiver))

    def _reset(self, loader: DataLoader[Any], first_iter: bool = False) -> None:
        if not first_iter:
            self._restart()
        self._begin(loader)
        self._pending: dict[int, int] = {}
        self._ready: dict[int, Any] = {}
        self._turn = self._sent = 0
        self._cycle = itertools.cycle(range(self._num_workers))
        for w in self._workers:
            w.active, w.tasks = True, 0
        for _ in range(self._prefetch_factor * self._num_workers):
            self._request()

    def _restart(self) -> None:
        """Begins another epoch; what is left of the last one is thrown away."""
        for w in self._workers:
            w.requests.put(worker.Restart())
        waiting = len(self._workers)
        while waiting:
            number, _ = self._receive()
            waiting -= isinstance(number, worker.Restart)

    def _request(self) -> None:
        """Gives the next index to a worker whose turn it is."""
        try:
            index = next(self._sampler_iter)
        except StopIteration:
            return
        active = sum(w.active for w in self._workers)
        for _ in range(self._num_workers):
            i = next(self._cycle)
            w = self._workers[i]
            most = self._prefetch_factor * self._num_workers // max(active, 1)
            if w.active and (self._in_order or w.tasks < most):
                break
        else:
            return
        w.requests.put((self._sent, index))
        w.tasks += 1
        self._pending[self._sent] = i
        self._sent += 1

    def _next_data(self) -> Any:
        while True:
            # Numbers that a worker took with it at its dataset's end are skipped.
            while (
                self._turn < self._sent
                and self._turn not in self._pending
                and self._turn not in self._ready
            ):
                self._turn += 1
            if self._turn in self._ready:
                self._turn += 1
                return self._deliver(self._ready.pop(self._turn - 1))
            if not self._pending:
                if not self._persistent_workers:
                    self._shutdown_workers()
                raise StopIteration
            number, value = self._receive()
            if number not in self._pending:
                # Left over from an epoch that was broken off.
                continue
            i = self._pending.pop(number)
            self._workers[i].tasks -= 1
            if isinstance(value, worker.EndOfData):
                self._retire(i)
                self._request()
            elif self._in_order and number != self._turn:
                self._ready[number] = value
            else:
                return self._deliver(value)

    def _retire(self, i: int) -> None:
        """Expects nothing more of a worker whose dataset has ended."""
        w = self._workers[i]
        w.active = False
        self._pending = {n: who for n, who in self._pending.items() if who != i}
        if not self._persistent_workers:
            w.requests.put(None)

    def _deliver(self, value: Any) -> Any:
        self._request()
        if isinstance(value, transport.ExceptionWrapper):
            value.reraise()
        return value

    def _receive(self) -> tuple[Any, Any]:
        """The next answer of any worker."""
        from multiprocessing.connection import wait

        end = time.monotonic() + self._timeout if self._timeout else None
        listening = {w.answers: w for w in self._workers if w.active or self._persistent_workers}
        ready = wait(list(listening), None if end is None else max(end - time.monotonic(), 0))
        if not ready:
            raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")
        source = ready[0]
        try:
            data = source.recv_bytes()  # type: ignore[union-attr]
        except (EOFError, OSError):
            process = listening[source].process
            process.join(1)
            self._shutdown_workers()
            raise RuntimeError(
                f"DataLoader worker (pid(s) {process.pid}) exited unexpectedly with exit code "
                f"{process.exitcode}"
            ) from None
        answer: tuple[Any, Any] = pickle.loads(data)
        return answer

    def _shutdown_workers(self) -> None:
        self._finalizer()


def _stop(workers: list[_Worker], prefix: str, owner: int) -> None:
    """Ends workers, and removes what they have shared."""
    if os.getpid() != owner:
        # A fork has a copy of the iterator, but not the workers.
        return
    for w in workers:
        # Ends a worker that waits for room in its pipe.
        w.answers.close()
        w.requests.put(None)
    end = time.monotonic() + _PATIENCE
    for w in workers:
        w.process.join(max(end - time.monotonic(), 0))
        # Nothing of value is lost: a worker only reads.
        if w.process.is_alive():
            w.process.terminate()
            w.process.join(_PATIENCE)
        if w.process.is_alive():
            w.process.kill()
            w.process.join()
        w.requests.close()
    workers.clear()
    transport.sweep(prefix)
