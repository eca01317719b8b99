"""Sparse tensors for the tests, and their comparison with strided ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import kagari

DTYPES = ("float64", "float32", "int64", "complex128")


def values(*shape: int, dtype: str = "float64", seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    if dtype.startswith("int"):
        return kagari.tensor(rng.integers(-4, 5, shape).astype(dtype))
    made = rng.standard_normal(shape)
    if dtype.startswith("complex"):
        made = made + 1j * rng.standard_normal(shape)
    return kagari.tensor(made.astype(dtype))


def coo(dtype: str = "float64", **kwargs: Any) -> Any:
    """(4, 5), not coalesced: one place three times, rows out of order, row 2 without values."""
    places = [[3, 0, 1, 0, 0, 3], [1, 4, 2, 0, 4, 1]]
    return kagari.sparse_coo_tensor(places, values(6, dtype=dtype), (4, 5), **kwargs)


def hybrid(dtype: str = "float64", **kwargs: Any) -> Any:
    """(4, 3) with one sparse and one dense dimension, not coalesced."""
    return kagari.sparse_coo_tensor([[2, 0, 2]], values(3, 3, dtype=dtype), (4, 3), **kwargs)


def cube(dtype: str = "float64", **kwargs: Any) -> Any:
    """(2, 3, 4), coalesced."""
    places = [[0, 0, 1, 1], [0, 2, 1, 1], [3, 1, 0, 2]]
    made = kagari.sparse_coo_tensor(places, values(4, dtype=dtype), (2, 3, 4), **kwargs)
    return made if kwargs.get("requires_grad") else made.coalesce()


def csr(dtype: str = "float64") -> Any:
    return coo(dtype).to_sparse_csr()


def csc(dtype: str = "float64") -> Any:
    return coo(dtype).to_sparse_csc()


def empty(dtype: str = "float64") -> Any:
    return kagari.sparse_coo_tensor((4, 5), dtype=getattr(kagari, dtype))


KINDS: dict[str, Callable[..., Any]] = {
    "coo": coo,
    "coalesced": lambda dtype="float64": coo(dtype).coalesce(),
    "hybrid": hybrid,
    "cube": cube,
    "csr": csr,
    "csc": csc,
    "empty": empty,
}
MATRICES = ("coo", "coalesced", "csr", "csc", "empty")


def dense(x: Any) -> Any:
    return x.to_dense() if x.layout != kagari.strided else x


def close(got: Any, want: Any, rtol: float = 1e-12, atol: float = 1e-12) -> None:
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    if got.dtype == kagari.float32:
        rtol, atol = max(rtol, 2e-6), max(atol, 2e-6)
    np.testing.assert_allclose(
        dense(got).detach().numpy(), dense(want).detach().numpy(), rtol=rtol, atol=atol
    )
