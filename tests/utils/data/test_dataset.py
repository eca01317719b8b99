"""Datasets, and how they are split."""

from __future__ import annotations

import pytest

import kagari
from kagari.utils.data import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)


class Count(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self):
        return self.n


class Batched(Dataset):
    """Remembers how it was asked."""

    def __init__(self, n, wrong=0):
        self.n = n
        self.wrong = wrong
        self.asked = []

    def __getitem__(self, i):
        return i

    def __getitems__(self, indices):
        self.asked.append(list(indices))
        return list(indices) + [0] * self.wrong

    def __len__(self):
        return self.n


def test_tensor_dataset():
    data = TensorDataset(kagari.arange(4), kagari.arange(8).reshape(4, 2))
    assert len(data) == 4
    assert [t.tolist() for t in data[2]] == [2, [4, 5]]
    assert [t.tolist() for t in data[1:3]] == [[1, 2], [[2, 3], [4, 5]]]
    with pytest.raises(AssertionError, match=r"Size mismatch between tensors: lengths \[2, 3\]"):
        TensorDataset(kagari.ones(2), kagari.ones(3))


def test_base_class():
    with pytest.raises(NotImplementedError, match="should implement __getitem__"):
        Dataset()[0]
    assert Dataset[int] is not None


def test_stack():
    pairs = StackDataset([1, 2, 3], "abc")
    assert pairs[1] == (2, "b")
    assert pairs.__getitems__([2, 0]) == [(3, "c"), (1, "a")]
    named = StackDataset(x=[1, 2], y=Batched(2))
    assert named[0] == {"x": 1, "y": 0}
    assert named.__getitems__([1]) == [{"x": 2, "y": 1}]
    assert named.datasets["y"].asked == [[1]]
    assert len(named) == 2
    with pytest.raises(ValueError, match="Expected 1, got 2"):
        StackDataset(Batched(2, wrong=1)).__getitems__([0])
    with pytest.raises(ValueError, match="both types are given"):
        StackDataset([1], x=[1])
    with pytest.raises(ValueError, match="At least one"):
        StackDataset()
    with pytest.raises(ValueError, match=r"Size mismatch between datasets: lengths \[1, 2\]"):
        StackDataset([1], [1, 2])


def test_concat():
    data = ConcatDataset([[0, 1], [], [2, 3, 4]])
    assert [data[i] for i in range(5)] == [0, 1, 2, 3, 4]
    assert data[-5] == 0
    assert data.cumulative_sizes == [2, 2, 5]
    assert len(Batched(2) + Batched(3)) == 5
    with pytest.raises(ValueError, match="should not exceed dataset length"):
        data[-6]
    with pytest.raises(AssertionError, match="empty iterable"):
        ConcatDataset([])
    with pytest.raises(AssertionError, match="does not support IterableDataset"):
        ConcatDataset([Count(1)])


def test_chain():
    data = Count(2) + Count(3)
    assert list(data) == [0, 1, 0, 1, 2]
    assert len(data) == 5
    with pytest.raises(AssertionError, match="only supports IterableDataset"):
        list(ChainDataset([[1]]))


def test_subset():
    data = Subset(Batched(9), [5, 7, 2])
    assert len(data) == 3
    assert data[1] == 7
    assert data.__getitems__([2, 0]) == [2, 5]
    assert data.dataset.asked == [[2, 5]]
    assert Subset("abc", [2, 0]).__getitems__([0]) == ["c"]

    class Half(Subset):
        def __getitem__(self, i):
            return super().__getitem__(i)

    with pytest.raises(NotImplementedError, match="Half overrides __getitem__ but not __getitem"):
        Half([1], [0])


@pytest.mark.conformance
@pytest.mark.parametrize("lengths", [[3, 7], [0.3, 0.7], [0.5, 0.25, 0.25], [1 / 3] * 3, [10]])
def test_random_split(lengths):
    torch = pytest.importorskip("torch")
    n = 10
    if lengths[0] == 1 / 3:
        n = 11
    theirs = torch.utils.data.random_split(
        range(n), lengths, generator=torch.Generator().manual_seed(3)
    )
    ours = random_split(range(n), lengths, generator=kagari.Generator().manual_seed(3))
    assert [list(part.indices) for part in ours] == [list(part.indices) for part in theirs]


def test_random_split_refuses():
    with pytest.raises(ValueError, match=r"does not equal .* \(9 and 10\)"):
        random_split(range(10), [4, 5])
    with pytest.raises(ValueError, match="index 0 is not between 0 and 1"):
        random_split(range(10), [1.5, -0.5])
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        random_split(range(1), [0.5, 0.5])
