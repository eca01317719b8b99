"""Masked ops: equal to the plain op on what the mask leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kagari
from kagari import masked
from kagari.autograd import gradcheck, gradgradcheck

RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 6))
MASK = RNG.random((4, 6)) < 0.6
MASK[:, 0] = True
MASK[:, 1] = True


def kept(row: int) -> np.ndarray:
    return X[row][MASK[row]]


def each(f: Callable[[np.ndarray], Any]) -> np.ndarray:
    return np.stack([f(kept(i)) for i in range(4)])


REDUCTIONS: dict[str, tuple[Callable[..., Any], Callable[[np.ndarray], Any]]] = {
    "sum": (masked.sum, np.sum),
    "prod": (masked.prod, np.prod),
    "mean": (masked.mean, np.mean),
    "amax": (masked.amax, np.max),
    "amin": (masked.amin, np.min),
    "var": (masked.var, lambda x: np.var(x, ddof=1)),
    "std": (masked.std, lambda x: np.std(x, ddof=1)),
    "logsumexp": (masked.logsumexp, lambda x: np.logaddexp.reduce(x)),
    "median": (masked.median, lambda x: np.sort(x)[(len(x) - 1) // 2]),
    "norm": (
        lambda x, dim, **k: masked.norm(x, 3.0, dim, **k),
        lambda x: (abs(x) ** 3).sum() ** (1 / 3),
    ),
    "smallest": (lambda x, dim, **k: masked.norm(x, -kagari.inf, dim, **k), lambda x: abs(x).min()),
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name: str) -> None:
    f, reference = REDUCTIONS[name]
    x, mask = kagari.tensor(X), kagari.tensor(MASK)
    np.testing.assert_allclose(f(x, 1, mask=mask).numpy(), each(reference))
    np.testing.assert_allclose(f(x.t(), 0, mask=mask.t(), keepdim=True).numpy()[0], each(reference))
    full = np.stack([reference(r) for r in X])
    np.testing.assert_allclose(f(x, 1).numpy(), full)
    row = kagari.tensor(MASK[0])  # a mask that broadcasts
    np.testing.assert_allclose(
        f(x, 1, mask=row).numpy(), np.stack([reference(r[MASK[0]]) for r in X])
    )
    x.requires_grad_()
    assert gradcheck(lambda x: f(x, 1, mask=mask), (x,))
    assert gradgradcheck(lambda x: f(x, 1, mask=mask), (x,))


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin", "normalize"])
def test_normalisations(name: str) -> None:
    x, mask = kagari.tensor(X, requires_grad=True), kagari.tensor(MASK)
    arguments = (2.0, 1) if name == "normalize" else (1,)
    f: Any = getattr(masked, name)
    got = f(x, *arguments, mask=mask).detach().numpy()
    for i in range(4):
        v = -kept(i) if name == "softmin" else kept(i)
        e = np.exp(v) / np.exp(v).sum()
        expected = {"normalize": v / np.sqrt((v * v).sum()), "log_softmax": np.log(e)}.get(name, e)
        np.testing.assert_allclose(got[i][MASK[i]], expected)
        left_out = -np.inf if name == "log_softmax" else 0
        assert (got[i][~MASK[i]] == left_out).all()
    assert gradcheck(lambda x: f(x, *arguments, mask=mask)[mask], (x,))


def test_scans_and_places() -> None:
    x, mask = kagari.tensor(X), kagari.tensor(MASK)
    np.testing.assert_allclose(
        masked.cumsum(x, 1, mask=mask).numpy(), np.cumsum(np.where(MASK, X, 0), 1)
    )
    np.testing.assert_allclose(
        masked.cumprod(x, 1, mask=mask).numpy(), np.cumprod(np.where(MASK, X, 1), 1)
    )
    high = masked.argmax(x, 1, mask=mask)
    assert high.dtype == x.dtype
    np.testing.assert_array_equal(high.numpy(), np.where(MASK, X, -np.inf).argmax(1))
    low = masked.argmin(x, mask=mask, dtype=kagari.int64)
    assert low.item() == np.where(MASK, X, np.inf).argmin()


def test_logaddexp() -> None:
    x, y, mask = kagari.tensor(X), kagari.tensor(X[::-1].copy()), kagari.tensor(MASK)
    got = masked.logaddexp(x, y, input_mask=mask, other_mask=~mask).numpy()
    np.testing.assert_allclose(got, np.where(MASK, X, X[::-1]))


def test_of_nothing() -> None:
    x, none = kagari.tensor([[1.0, 2.0]]), kagari.tensor([False])
    inf = kagari.inf
    assert masked.sum(x, 1, mask=none).item() == 0
    assert masked.prod(x, 1, mask=none).item() == 1
    assert masked.amax(x, 1, mask=none).item() == -inf
    assert masked.amin(x.long(), 1, mask=none).item() == kagari.iinfo(kagari.int64).max
    assert np.isnan(masked.mean(x, 1, mask=none).item())
    assert np.isnan(masked.median(x, 1, mask=none).item())
    assert masked.sum(kagari.tensor(3), mask=kagari.tensor(True)).item() == 3


def test_dtypes() -> None:
    x = kagari.tensor([[1, 2, 4]])
    assert masked.sum(x.to(kagari.int8), 1).dtype == kagari.int64
    assert masked.sum(x, 1, dtype=kagari.float64).dtype == kagari.float64
    assert masked.var(x, 1).dtype == kagari.float32
    assert masked.median(x, 1, mask=kagari.tensor([True, True, False])).item() == 1
    assert masked.std(x.float(), 1, False).item() == pytest.approx(np.std([1, 2, 4]))
    assert masked.var(x.float(), 1, correction=0).item() == pytest.approx(np.var([1, 2, 4]))


T = kagari.ones(2, 3)
ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: masked.sum(T, 1, mask=kagari.ones(1, 2, 3) > 0), IndexError, "broadcastable mask"),
    (lambda: masked.sum(T, (0, 0)), RuntimeError, "dim=0 appears multiple times"),
    (lambda: masked.sum(T, 3), IndexError, "Dimension out of range"),
    (lambda: masked.mean(T.long(), 1), ValueError, "Could not infer output dtype"),
    (
        lambda: masked.amax(T > 0, 1, mask=T > 0),
        NotImplementedError,
        "identity of amax on kagari.bool",
    ),
    (lambda: masked.median(T.long(), 1, mask=T < 0), ValueError, "no fully masked out rows"),
    (lambda: masked.var(T, 1, True, correction=1), ValueError, "Only one of unbiased"),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
def test_errors(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()
