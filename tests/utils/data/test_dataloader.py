"""DataLoader: what it gives, in this process and from workers, and what it refuses."""

from __future__ import annotations

import collections
import gc
import glob
import os
import pickle
import random
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

import kagari
from kagari.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    Sampler,
    StackDataset,
    Subset,
    TensorDataset,
    default_collate,
    default_convert,
    get_worker_info,
)

Point = collections.namedtuple("Point", "x y")


def plain(value):
    """A batch as nested lists."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple) and not isinstance(value, str):
        return [plain(v) for v in value]
    return value.tolist() if hasattr(value, "tolist") else value


def rows(n=10):
    return TensorDataset(kagari.arange(n), kagari.arange(2.0 * n).reshape(n, 2))


class Samples(Dataset):
    """Samples computed from the index."""

    def __init__(self, n=10, sample=lambda i: kagari.tensor([i, i + 1])):
        self.n = n
        self.sample = sample

    def __getitem__(self, i):
        return self.sample(i)

    def __len__(self):
        return self.n


class Stream(IterableDataset):
    """Each worker's own part of a range."""

    def __init__(self, n=10, claim=None):
        self.n = n
        self.claim = n if claim is None else claim

    def __iter__(self):
        info = get_worker_info()
        return iter(range(self.n) if info is None else range(info.id, self.n, info.num_workers))

    def __len__(self):
        return self.claim


# ---- collating ---------------------------------------------------------------------------------

BATCHES = {
    "ints": [1, 2, 3],
    "floats": [1.5, 2.5],
    "bools": [True, False],
    "text": ["a", "b"],
    "bytes": [b"a", b"b"],
    "arrays": [np.array([1, 2]), np.array([3, 4])],
    "halves": [np.float16([1]), np.float16([2])],
    "numbers of NumPy": [np.float32(1.5), np.float32(2.5)],
    "doubles of NumPy": [np.float64(1.5), np.float64(2.5)],
    "bools of NumPy": [np.bool_(True), np.bool_(False)],
    "dicts": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
    "tuples": [(1, 2.0), (3, 4.0)],
    "lists": [[1, [2, 3]], [4, [5, 6]]],
    "named": [Point(1, 2.0), Point(3, 4.0)],
    "ordered": [collections.OrderedDict(a=1), collections.OrderedDict(a=2)],
    "defaults": [collections.defaultdict(int, a=1), collections.defaultdict(int, a=2)],
    "user lists": [collections.UserList([1]), collections.UserList([2])],
    "deep": [{"a": [(1, {"b": 2.0})]}, {"a": [(3, {"b": 4.0})]}],
}


def assert_like(got, expected):
    """The same structure, with tensors of the same values and dtypes."""
    if hasattr(expected, "untyped_storage"):
        assert str(got.dtype).rpartition(".")[2] == str(expected.dtype).rpartition(".")[2]
        assert got.tolist() == expected.tolist()
        return
    assert type(got) is type(expected)
    if isinstance(expected, dict):
        assert list(got) == list(expected)
        for key in expected:
            assert_like(got[key], expected[key])
    elif isinstance(expected, list | tuple | collections.UserList):
        assert len(got) == len(expected)
        for g, e in zip(got, expected, strict=True):
            assert_like(g, e)
    else:
        assert got == expected


@pytest.mark.conformance
@pytest.mark.parametrize("name", BATCHES)
def test_collate(name):
    torch = pytest.importorskip("torch")
    batch = BATCHES[name]
    assert_like(default_collate(batch), torch.utils.data.default_collate(batch))
    assert_like(default_convert(batch), torch.utils.data.default_convert(batch))


def test_collate_tensors():
    got = default_collate([kagari.tensor([1, 2]), kagari.tensor([3, 4])])
    assert got.tolist() == [[1, 2], [3, 4]]
    with pytest.raises(TypeError, match="found <class 'object'>"):
        default_collate([object()])
    with pytest.raises(TypeError, match="found <U1"):
        default_collate([np.array(["a"])])
    with pytest.raises(RuntimeError, match="should be of equal size"):
        default_collate([[1], [1, 2]])
    with pytest.raises(RuntimeError):
        default_collate([kagari.ones(1), kagari.ones(2)])


# ---- one process -------------------------------------------------------------------------------

OPTIONS = [
    {},
    {"batch_size": 3},
    {"batch_size": 3, "drop_last": True},
    {"batch_size": None},
    {"batch_size": 4, "shuffle": True},
    {"batch_size": 2, "sampler": [3, 1, 4, 1, 5]},
    {"batch_sampler": [[0, 1], [5], [2, 2, 2]]},
    {"batch_size": 3, "collate_fn": len},
]


@pytest.mark.conformance
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("workers", [0, 2])
def test_gives_pytorchs_batches(options, workers):
    torch = pytest.importorskip("torch")
    theirs = torch.utils.data.TensorDataset(
        torch.arange(10), torch.arange(20.0, dtype=torch.float32).reshape(10, 2)
    )
    torch.manual_seed(3)
    loader = torch.utils.data.DataLoader(theirs, **options)
    expected = [plain(batch) for _ in range(2) for batch in loader]
    kagari.manual_seed(3)
    ours = DataLoader(rows(), num_workers=workers, **options)
    got = [plain(batch) for _ in range(2) for batch in ours]
    assert got == expected
    assert len(ours) == len(loader)


@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("drop_last", [False, True])
def test_iterable(batch_size, drop_last):
    if batch_size is None and drop_last:
        return
    got = [plain(b) for b in DataLoader(Stream(), batch_size=batch_size, drop_last=drop_last)]
    whole = list(range(10))
    if batch_size is None:
        assert got == whole
    else:
        batches = [whole[i : i + 3] for i in range(0, 10, 3)]
        assert got == (batches[:-1] if drop_last else batches)


def test_rows_of_tensors_are_taken_at_once():
    """Tensors are indexed once per batch, with the results of collating single samples."""
    data = rows()
    part = Subset(data, [7, 3, 5, 1])
    for dataset in (data, part, StackDataset(data, data), StackDataset(a=data, b=part.dataset)):
        fast = DataLoader(dataset, batch_size=3, shuffle=True, generator=_seeded())
        slow = DataLoader(
            dataset,
            batch_size=3,
            shuffle=True,
            generator=_seeded(),
            collate_fn=lambda batch: default_collate(batch),
        )
        for a, b in zip(fast, slow, strict=True):
            assert_like(a, b)
    batch = next(iter(DataLoader(data, batch_size=2)))
    batch[0].fill_(77)
    assert data.tensors[0].tolist() == list(range(10))
    with pytest.raises(IndexError):
        list(DataLoader(data, batch_sampler=[[10]]))
    assert plain(list(DataLoader(data, batch_sampler=[[-1]]))) == [[[9], [[18.0, 19.0]]]]


def _seeded():
    return kagari.Generator().manual_seed(1)


def test_a_subclass_keeps_its_own_samples():
    class Shifted(TensorDataset):
        def __getitem__(self, i):
            return super().__getitem__(i)[0] + 100

    loader = DataLoader(Shifted(kagari.arange(4)), batch_size=4)
    assert plain(next(iter(loader))) == [100, 101, 102, 103]


def test_getitems_is_used():
    class Batched(Samples):
        def __getitems__(self, indices):
            return [i * 10 for i in indices]

    assert plain(list(DataLoader(Batched(4), batch_size=2))) == [[0, 10], [20, 30]]


ERRORS = [
    ({"num_workers": -1}, ValueError, "num_workers option should be non-negative"),
    ({"timeout": -1}, ValueError, "timeout option should be non-negative"),
    ({"prefetch_factor": 2}, ValueError, "prefetch_factor option could only"),
    ({"prefetch_factor": -1, "num_workers": 1}, ValueError, "should be positive, got -1"),
    ({"persistent_workers": True}, ValueError, "needs num_workers > 0"),
    ({"sampler": [0], "shuffle": True}, ValueError, "sampler option is mutually exclusive"),
    ({"batch_sampler": [[0]], "shuffle": True}, ValueError, "batch_sampler option is mutually"),
    ({"batch_sampler": [[0]], "batch_size": 2}, ValueError, "batch_sampler option is mutually"),
    ({"batch_size": None, "drop_last": True}, ValueError, "disables auto-batching"),
    ({"batch_size": 0}, ValueError, "batch_size=0"),
    ({"multiprocessing_context": "fork"}, ValueError, "only be used with multi-process"),
    (
        {"multiprocessing_context": "bad", "num_workers": 1},
        ValueError,
        "should specify a valid start method",
    ),
    ({"multiprocessing_context": 1, "num_workers": 1}, TypeError, "valid context object"),
]


@pytest.mark.parametrize(("options", "error", "message"), ERRORS, ids=str)
def test_options_refused(options, error, message):
    with pytest.raises(error, match=message):
        DataLoader(rows(), **options)


@pytest.mark.parametrize("options", [{"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}])
def test_options_refused_for_iterables(options):
    with pytest.raises(ValueError, match=f"expected unspecified {next(iter(options))} option"):
        DataLoader(Stream(), **options)


def test_what_is_fixed():
    loader = DataLoader(rows())
    for name in ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset"):
        with pytest.raises(ValueError, match=f"{name} attribute should not be set after DataLoad"):
            setattr(loader, name, None)
    with pytest.raises(NotImplementedError, match="cannot be pickled"):
        pickle.dumps(iter(loader))


def test_warnings():
    loader = DataLoader(Stream(10, claim=2), batch_size=None)
    assert len(loader) == 2
    with pytest.warns(UserWarning, match=r"was reported to be 2 .* but \d+ samples") as caught:
        list(loader)
    assert len(caught) == 8
    with pytest.warns(UserWarning, match="no accelerator is found"):
        list(DataLoader(rows(), pin_memory=True))
    with pytest.warns(UserWarning, match="will create 999 worker processes"):
        DataLoader(rows(), num_workers=999)


def test_lengths():
    assert len(DataLoader(Stream(10), batch_size=3)) == 4
    assert len(DataLoader(Stream(10), batch_size=3, drop_last=True)) == 3
    assert len(iter(DataLoader(rows(), batch_size=3))) == 4

    class Endless(Sampler):
        def __iter__(self):
            return iter(range(3))

    with pytest.raises(TypeError):
        len(DataLoader(rows(), sampler=Endless()))


# ---- workers -----------------------------------------------------------------------------------


def slow_first(i):
    if i == 0:
        time.sleep(0.3)
    return i


def whose(i):
    info = get_worker_info()
    return info.id, info.num_workers, info.seed, len(info.dataset)


def fail(i):
    if i == 3:
        raise KeyError(f"no sample {i}")
    return i


def fail_oddly(i):
    class Odd(Exception):
        def __init__(self, a, b):
            super().__init__(a, b)

    raise Odd(1, 2)


def die(i):
    os._exit(17)


def draw(i):
    return random.random(), float(np.random.rand()), float(kagari.rand(1).item())


def big(i):
    return kagari.full((300, 300), float(i)), kagari.ones(3, dtype=kagari.bfloat16)


def sleep_long(i):
    time.sleep(60)


def bad_init(i):
    raise ValueError("not today")


def rename(i):
    get_worker_info().dataset.sample = lambda k: -k


def shared_files():
    return glob.glob(f"/dev/shm/kagari-{os.getpid()}-*")


def children():
    import multiprocessing

    return multiprocessing.active_children()


@pytest.fixture(autouse=True)
def nothing_left_behind():
    yield
    gc.collect()
    assert shared_files() == []
    assert children() == []


def test_workers_keep_the_order():
    loader = DataLoader(Samples(8, slow_first), batch_size=2, num_workers=2)
    assert plain(list(loader)) == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_workers_that_are_spawned(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        "import kagari\n"
        "from kagari.utils.data import DataLoader, TensorDataset\n"
        "if __name__ == '__main__':\n"
        "    data = TensorDataset(kagari.arange(40000).reshape(4, 10000))\n"
        "    loader = DataLoader(data, 2, num_workers=1, multiprocessing_context='spawn')\n"
        "    print([x.sum(1).tolist() for x, in loader])\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[[49995000, 149995000], [249995000, 349995000]]\n", done.stderr


def test_out_of_order():
    options = {"batch_size": 1, "num_workers": 2, "prefetch_factor": 2}
    got = plain(list(DataLoader(Samples(6, slow_first), in_order=False, **options)))
    assert sorted(got) == [[i] for i in range(6)]
    assert got[0] != [0]


def test_worker_info_and_seeds():
    kagari.manual_seed(0)
    loader = DataLoader(Samples(4, whose), batch_size=None, num_workers=2)
    got = plain(list(loader))
    assert [(g[0], g[1], g[3]) for g in got] == [(0, 2, 4), (1, 2, 4)] * 2
    assert got[1][2] == got[0][2] + 1
    assert get_worker_info() is None


@pytest.mark.conformance
def test_random_numbers_in_workers():
    torch = pytest.importorskip("torch")

    class Draws(torch.utils.data.Dataset):
        def __getitem__(self, i):
            return random.random(), float(np.random.rand()), float(torch.rand(1).item())

        def __len__(self):
            return 6

    torch.manual_seed(4)
    expected = list(torch.utils.data.DataLoader(Draws(), batch_size=None, num_workers=2))
    kagari.manual_seed(4)
    got = list(DataLoader(Samples(6, draw), batch_size=None, num_workers=2))
    assert plain(got) == plain(expected)


def test_large_batches_come_through_shared_memory():
    loader = DataLoader(Samples(6, big), batch_size=2, num_workers=2)
    seen = []
    for x, y in loader:
        assert x.shape == (2, 300, 300)
        assert y.dtype == kagari.bfloat16
        x.add_(1)
        seen.append(x)
    assert [x[0, 0, 0].item() for x in seen] == [1.0, 3.0, 5.0]


@pytest.mark.parametrize("persistent", [False, True])
def test_iterable_in_workers(persistent):
    loader = DataLoader(Stream(11), batch_size=2, num_workers=2, persistent_workers=persistent)
    for _ in range(3):
        got = plain(list(loader))
        assert sorted(i for batch in got for i in batch) == list(range(11))
        assert got[:2] == [[0, 2], [1, 3]]


def test_persistent_workers_stay():
    loader = DataLoader(rows(), batch_size=2, num_workers=2, persistent_workers=True)
    first = plain(list(loader))
    pids = {p.pid for p in children()}
    assert len(pids) == 2
    assert plain(list(loader)) == first
    assert {p.pid for p in children()} == pids
    # An epoch that is broken off leaves nothing for the next one.
    next(iter(loader))
    assert plain(list(loader)) == first


def test_an_epoch_broken_off():
    for _ in range(2):
        iterator = iter(DataLoader(Samples(50, big), batch_size=2, num_workers=2))
        next(iterator)
        del iterator


def test_worker_init_fn():
    loader = DataLoader(Samples(4), batch_size=None, num_workers=1, worker_init_fn=rename)
    assert plain(list(loader)) == [0, -1, -2, -3]
    with pytest.raises(ValueError, match=r"Caught ValueError in DataLoader worker process 0"):
        list(DataLoader(rows(), num_workers=1, worker_init_fn=bad_init))


def test_exceptions_travel_with_their_traceback():
    loader = DataLoader(Samples(8, fail), batch_size=2, num_workers=2)
    iterator = iter(loader)
    assert plain(next(iterator)) == [0, 1]
    with pytest.raises(KeyError) as caught:
        next(iterator)
    text = str(caught.value)
    assert "Caught KeyError in DataLoader worker process 1" in text
    assert "in fail" in text
    assert "no sample 3" in text
    # The others are still to be had.
    assert plain(next(iterator)) == [4, 5]
    with pytest.raises(RuntimeError, match=r"Caught Odd(.|\n)*in fail_oddly"):
        list(DataLoader(Samples(2, fail_oddly), num_workers=1))


def test_a_worker_that_dies():
    start = time.monotonic()
    with pytest.raises(
        RuntimeError, match=r"\(pid\(s\) \d+\) exited unexpectedly with exit code 17"
    ):
        list(DataLoader(Samples(4, die), num_workers=2))
    assert time.monotonic() - start < 20


def test_timeout():
    with pytest.raises(RuntimeError, match=r"DataLoader timed out after 0\.2 seconds"):
        list(DataLoader(Samples(2, sleep_long), num_workers=1, timeout=0.2))


def test_tensors_with_a_tape_stay():
    w = kagari.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"carries a gradient's tape.*detach\(\) it"):
        list(DataLoader(Samples(2, lambda i: w * i), batch_size=None, num_workers=1))


def test_a_batch_that_cannot_be_pickled():
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError), match="worker process 0"):
        list(
            DataLoader(
                Samples(2, lambda i: lambda: i),
                batch_size=None,
                num_workers=1,
                collate_fn=lambda x: x,
            )
        )


def test_no_warning_in_ordinary_use():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(DataLoader(rows(), batch_size=4, shuffle=True))
        list(DataLoader(rows(), batch_size=4, num_workers=2))


def test_an_interrupt_ends_the_workers(tmp_path):
    """Ctrl-C reaches the whole process group; only the main process answers it."""
    script = tmp_path / "train.py"
    script.write_text(
        "import signal, sys, time\n"
        "import kagari\n"
        "from kagari.utils.data import DataLoader, Dataset\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # may be ignored, in a job\n"
        "class Slow(Dataset):\n"
        "    def __getitem__(self, i):\n"
        "        time.sleep(0.05)\n"
        "        return i\n"
        "    def __len__(self):\n"
        "        return 10**6\n"
        "for n, batch in enumerate(DataLoader(Slow(), num_workers=2)):\n"
        "    if n == 2:\n"
        "        print('running', flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline() == "running\n"
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode != 0
    assert errors.count("Traceback") == 1
    assert errors.rstrip().endswith("KeyboardInterrupt")
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
