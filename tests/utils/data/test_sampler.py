"""Samplers against PyTorch's, with the same seeds."""

from __future__ import annotations

import pytest

import kagari
from kagari.utils.data import (
    BatchSampler,
    DistributedSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)


def generator(lib):
    return lib.Generator().manual_seed(11)


SEEDED = {
    "permutation": lambda lib, d: d.RandomSampler(range(50), generator=generator(lib)),
    "part": lambda lib, d: d.RandomSampler(range(50), num_samples=20, generator=generator(lib)),
    "more": lambda lib, d: d.RandomSampler(range(5), num_samples=17, generator=generator(lib)),
    "replacement": lambda lib, d: d.RandomSampler(
        range(50), replacement=True, num_samples=75, generator=generator(lib)
    ),
    "subset": lambda lib, d: d.SubsetRandomSampler(list("abcdefg"), generator=generator(lib)),
    "weights": lambda lib, d: d.WeightedRandomSampler(
        [0.1, 0.5, 2.0, 0.0], 30, generator=generator(lib)
    ),
    "weights once": lambda lib, d: d.WeightedRandomSampler(
        [0.1, 0.5, 2.0, 1.0], 3, replacement=False, generator=generator(lib)
    ),
}


@pytest.mark.conformance
@pytest.mark.parametrize("name", SEEDED)
def test_same_seed_same_order(name):
    torch = pytest.importorskip("torch")
    if name == "weights once":
        torch.manual_seed(0)
        drawn = torch.zeros(8, dtype=torch.float64).exponential_()
        torch.manual_seed(0)
        if not torch.allclose(drawn, -torch.log1p(-torch.rand(8, dtype=torch.float64))):
            pytest.skip("here PyTorch draws exponential numbers with MKL's generator")
    ours = SEEDED[name](kagari, kagari.utils.data)
    theirs = SEEDED[name](torch, torch.utils.data)
    assert list(ours) == list(theirs)
    assert list(ours) == list(theirs)
    assert len(ours) == len(theirs)


@pytest.mark.conformance
def test_default_generator_gives_the_same_order():
    torch = pytest.importorskip("torch")
    torch.manual_seed(5)
    expected = list(torch.utils.data.RandomSampler(range(20)))
    kagari.manual_seed(5)
    assert list(RandomSampler(range(20))) == expected


@pytest.mark.conformance
@pytest.mark.parametrize(
    ("n", "drop_last"),
    # PyTorch divides by the length when it drops nothing.
    [(0, True), *((n, drop) for n in (1, 7, 8, 23) for drop in (False, True))],
)
@pytest.mark.parametrize("shuffle", [False, True])
def test_distributed(n, drop_last, shuffle):
    torch = pytest.importorskip("torch")
    for rank in range(4):
        options = {"num_replicas": 4, "rank": rank, "shuffle": shuffle, "drop_last": drop_last}
        try:
            theirs = torch.utils.data.DistributedSampler(range(n), **options)
            theirs.set_epoch(2)
            expected = list(theirs)
        except (AssertionError, ValueError):
            # With less data than processes PyTorch's own check fails.
            assert n < 4
            continue
        ours = DistributedSampler(range(n), **options)
        ours.set_epoch(2)
        assert list(ours) == expected
        assert len(ours) == len(theirs)


def test_distributed_refuses():
    with pytest.raises(ValueError, match=r"Invalid rank 3, .* interval \[0, 1\]"):
        DistributedSampler(range(5), num_replicas=2, rank=3)


@pytest.mark.parametrize(
    ("n", "size", "drop_last", "expected"),
    [
        (5, 2, False, [[0, 1], [2, 3], [4]]),
        (5, 2, True, [[0, 1], [2, 3]]),
        (4, 2, True, [[0, 1], [2, 3]]),
        (1, 3, True, []),
        (0, 3, False, []),
    ],
)
def test_batches(n, size, drop_last, expected):
    sampler = BatchSampler(SequentialSampler(range(n)), size, drop_last)
    assert list(sampler) == expected
    assert len(sampler) == len(expected)


ERRORS = [
    (lambda: RandomSampler([]), ValueError, "num_samples=0"),
    (lambda: RandomSampler([1], replacement=1), TypeError, "replacement=1"),
    (lambda: RandomSampler([1], num_samples=-1), ValueError, "num_samples=-1"),
    (lambda: WeightedRandomSampler([1.0], 0), ValueError, "num_samples=0"),
    (lambda: WeightedRandomSampler([1.0], True), ValueError, "num_samples=True"),
    (lambda: WeightedRandomSampler([1.0], 1, 1), ValueError, "replacement=1"),
    (lambda: WeightedRandomSampler([[1.0]], 1), ValueError, r"have shape \(1, 1\)"),
    (lambda: BatchSampler([1], 0, False), ValueError, "batch_size=0"),
    (lambda: BatchSampler([1], 2, 0), ValueError, "drop_last=0"),
    (lambda: iter(Sampler()), NotImplementedError, "Sampler: define __iter__"),
]


@pytest.mark.parametrize(("make", "error", "message"), ERRORS)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_subset_sampler_covers_its_indices():
    assert sorted(SubsetRandomSampler([9, 4, 6])) == [4, 6, 9]
