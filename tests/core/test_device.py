"""The meta device computes shapes and dtypes alone; devices that are not there say so; devices do not mix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import kagari
import kagari.nn.functional as F

OPS: dict[str, Callable[[Any], Any]] = {
    "add": lambda x: x + 1,
    "mul_complex": lambda x: x * 1j,
    "compare": lambda x: x > 0,
    "sum": lambda x: x.sum(1),
    "max": lambda x: x.max(0).values,
    "matmul": lambda x: x @ x.mT,
    "view": lambda x: x.view(2, 12),
    "permute": lambda x: x.permute(1, 0),
    "index": lambda x: x[1:, None, ::2],
    "cat": lambda x: kagari.cat([x, x], 1),
    "softmax": lambda x: x.softmax(-1),
    "layer_norm": lambda x: F.layer_norm(x, (6,)),
    "conv": lambda x: F.conv1d(x[None], kagari.empty(3, 4, 2, device=x.device)),
    "flip": lambda x: x.flip(0),
    "cumsum": lambda x: x.int().cumsum(1),
    "zeros_like": lambda x: kagari.zeros_like(x),
    "to": lambda x: x.to(kagari.float16),
    "in-place": lambda x: x.clone().mul_(2),
    "where": lambda x: kagari.where(x > 0, x, 0),
}


@pytest.mark.parametrize("name", OPS)
def test_meta_agrees_with_cpu(name: str) -> None:
    x = kagari.randn(4, 6)
    want, got = OPS[name](x), OPS[name](x.to("meta"))
    assert got.device.type == "meta" and got.is_meta
    assert (got.shape, got.dtype, got.stride()) == (want.shape, want.dtype, want.stride())


def test_meta_takes_no_memory() -> None:
    x = kagari.empty(1 << 40, 1 << 10, device="meta")
    y = (x * 2 + 1).sum(0)
    assert y.shape == (1 << 10,) and x.untyped_storage().nbytes() == 1 << 52
    assert "device='meta'" in repr(x) and "size=(1099511627776, 1024)" in repr(x)


def test_meta_has_gradients_of_the_right_shape() -> None:
    w = kagari.empty(3, 4, device="meta", requires_grad=True)
    (kagari.empty(5, 4, device="meta") @ w.mT).relu().sum().backward()
    assert w.grad.shape == (3, 4) and w.grad.device.type == "meta"


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: x.tolist(), (NotImplementedError, RuntimeError), "meta"),
        (lambda x: x.sum().item(), (NotImplementedError, RuntimeError), "meta"),
        (lambda x: x.numpy(), (TypeError, RuntimeError, NotImplementedError), "meta"),
        (lambda x: x.nonzero(), NotImplementedError, "meta|data"),
        (lambda x: x[x > 0], NotImplementedError, "meta|data"),
        (lambda x: x.cpu(), NotImplementedError, "meta"),
        (lambda x: bool(x.sum()), (NotImplementedError, RuntimeError), "meta"),
        (lambda x: x.__dlpack__(), BufferError, "no memory on the host"),
    ],
)
def test_meta_has_no_data(call: Callable[[Any], Any], error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call(kagari.empty(2, 3, device="meta"))


@pytest.mark.parametrize(
    "call",
    [
        lambda a, b: a + b,
        lambda a, b: a @ b.mT,
        lambda a, b: kagari.cat([a, b]),
        lambda a, b: a.mul_(b),
        lambda a, b: kagari.where(a > 0, a, b),
        lambda a, b: F.linear(a, b),
    ],
)
def test_devices_do_not_mix(call: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(RuntimeError, match="same device.*cpu.*meta.*\\.to\\(device\\)"):
        call(kagari.ones(2, 3), kagari.ones(2, 3, device="meta"))


def test_numbers_go_with_any_device() -> None:
    x = kagari.ones(2, device="meta")
    assert (x + kagari.tensor(2.0)).device.type == "meta"
    assert (kagari.tensor(2.0) * x).shape == (2,)


@pytest.mark.parametrize("name", ["cuda", "cuda:1"])
def test_a_device_that_is_not_there(name: str) -> None:
    for call in (lambda: kagari.empty(2, device=name), lambda: kagari.ones(2).to(name)):
        with pytest.raises(AssertionError, match="CUDA.*cpu"):
            call()


def test_moving_keeps_what_is_there() -> None:
    x = kagari.ones(2)
    assert x.to("cpu") is x and x.cpu() is x
    assert x.to("cpu", copy=True) is not x
    assert x.to("meta").device == kagari.device("meta")
