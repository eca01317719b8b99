"""Autocast: which ops change their dtype, regions within regions, and the cache of casts."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import pytest

import kagari
from kagari import nn
from kagari.nn import functional as F

A, V = kagari.ones(2, 2), kagari.ones(2)
IMAGE = kagari.ones(1, 2, 4, 4)
HALF, FULL = kagari.bfloat16, kagari.float32

LOWER = {
    "mm": lambda a: kagari.mm(a, a),
    "@": lambda a: a @ a,
    "matmul method": lambda a: a.matmul(a),
    "bmm": lambda a: kagari.bmm(a[None], a[None]),
    "addmm": lambda a: kagari.addmm(a[0], a, a),
    "linear": lambda a: F.linear(a, a, a[0]),
    "conv2d": lambda a: F.conv2d(IMAGE, kagari.ones(1, 2, 2, 2)),
    "attention": lambda a: F.scaled_dot_product_attention(a[None], a[None], a[None]),
    "einsum": lambda a: kagari.einsum("ij,jk->ik", a, a),
}
FP32 = {
    "cross_entropy": lambda h: F.cross_entropy(h, kagari.tensor([0, 1])),
    "nll_loss": lambda h: F.nll_loss(h, kagari.tensor([0, 1])),
    "mse_loss": lambda h: F.mse_loss(h, h),
    "l1_loss": lambda h: F.l1_loss(h, h),
    "smooth_l1_loss": lambda h: F.smooth_l1_loss(h, h),
    "huber_loss": lambda h: F.huber_loss(h, h),
    "kl_div": lambda h: F.kl_div(h, h, reduction="sum"),
    "bce with logits": lambda h: F.binary_cross_entropy_with_logits(h, h),
    "prod": lambda h: h.prod(),
}
SAME = {
    "add": lambda x: x + x,
    "exp": lambda x: x.exp(),
    "sum": lambda x: x.sum(),
    "softmax": lambda x: x.softmax(1),
    "layer_norm": lambda x: F.layer_norm(x, (2,)),
    "relu": lambda x: F.relu(x),
}


@pytest.mark.parametrize("dtype", [kagari.bfloat16, kagari.float16])
@pytest.mark.parametrize("name", LOWER)
def test_low_precision(name: str, dtype: Any) -> None:
    with kagari.autocast("cpu", dtype=dtype):
        assert LOWER[name](A).dtype is dtype
        assert LOWER[name](A.double()).dtype is not dtype or name == "conv2d"
    assert LOWER[name](A).dtype is FULL


@pytest.mark.parametrize("name", FP32)
def test_full_precision(name: str) -> None:
    with kagari.autocast("cpu"):
        assert FP32[name](A.to(HALF)).dtype is FULL


@pytest.mark.parametrize("name", SAME)
def test_as_given(name: str) -> None:
    with kagari.autocast("cpu"):
        assert SAME[name](A).dtype is FULL
        assert SAME[name](A.to(HALF)).dtype is HALF


def test_widest_of_the_arguments() -> None:
    with kagari.autocast("cpu"):
        assert kagari.cat([A, A.to(HALF)]).dtype is FULL
        assert kagari.stack([A.to(HALF), A.to(HALF)]).dtype is HALF


def test_in_place_and_out_are_left_alone() -> None:
    with kagari.autocast("cpu"):
        out = kagari.empty(2, 2)
        assert kagari.mm(A, A, out=out).dtype is FULL
        assert A.clone().addmm_(A, A).dtype is FULL


def test_regions() -> None:
    assert not kagari.is_autocast_enabled()
    with kagari.autocast("cpu"):
        assert kagari.is_autocast_enabled() and kagari.is_autocast_enabled("cpu")
        with kagari.autocast("cpu", enabled=False):
            assert (A @ A).dtype is FULL
        with kagari.autocast("cpu", dtype=kagari.float16):
            assert (A @ A).dtype is kagari.float16
        assert (A @ A).dtype is HALF
    assert not kagari.is_autocast_enabled()
    region = kagari.amp.autocast("cpu")
    with region, region:
        pass
    assert not kagari.is_autocast_enabled()
    with pytest.raises(ZeroDivisionError), region:
        raise ZeroDivisionError
    assert not kagari.is_autocast_enabled()


def test_decorator() -> None:
    @kagari.autocast("cpu")
    def product(a: Any) -> Any:
        return a @ a

    assert product(A).dtype is HALF and product.__name__ == "product"


def test_of_this_thread_only() -> None:
    seen: list[bool] = []
    with kagari.autocast("cpu"):
        other = threading.Thread(target=lambda: seen.append(kagari.is_autocast_enabled()))
        other.start()
        other.join()
    assert seen == [False]


def test_other_devices_warn() -> None:
    with pytest.warns(UserWarning, match="'cuda', but cuda is not available"):
        region = kagari.autocast("cuda")
    with region:
        assert (A @ A).dtype is FULL
    with pytest.warns(UserWarning, match="is not supported"), kagari.autocast("cpu", kagari.int32):
        assert (A @ A).dtype is FULL
    with pytest.raises(ValueError, match="type `str`"):
        kagari.autocast(kagari.bfloat16)  # type: ignore[arg-type]


def test_gradients_come_back_in_the_parameters_dtype() -> None:
    kagari.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), kagari.randn(3, 4)
    with kagari.autocast("cpu"):
        y = model(x)
        loss = y.float().square().mean()
    loss.backward()
    assert y.dtype is HALF
    rough = [p.grad.clone() for p in model.parameters()]
    assert all(g.dtype is FULL for g in rough)
    model.zero_grad()
    model(x).square().mean().backward()
    for g, p in zip(rough, model.parameters(), strict=True):
        assert kagari.allclose(g, p.grad, rtol=0.1, atol=0.02)


def test_casts_of_parameters_are_kept_within_the_region() -> None:
    w = nn.Parameter(kagari.ones(2, 2))
    with kagari.autocast("cpu"):
        first, second = kagari.mm(A, w), kagari.mm(A, w)
        assert first.grad_fn.next_functions[1][0] is second.grad_fn.next_functions[1][0]
        with kagari.no_grad():
            w.mul_(2)
        assert kagari.mm(A, w)[0, 0] == 4
    with kagari.autocast("cpu", cache_enabled=False):
        first, second = kagari.mm(A, w), kagari.mm(A, w)
        assert first.grad_fn.next_functions[1][0] is not second.grad_fn.next_functions[1][0]


def test_functions_of_ones_own() -> None:
    class Product(kagari.autograd.Function):
        @staticmethod
        @kagari.amp.custom_fwd(device_type="cpu", cast_inputs=kagari.float32)
        def forward(ctx: Any, a: Any) -> Any:
            ctx.save_for_backward(a)
            return a @ a

        @staticmethod
        @kagari.amp.custom_bwd(device_type="cpu")
        def backward(ctx: Any, g: Any) -> Any:
            (a,) = ctx.saved_tensors
            return g @ a.T + a.T @ g

    a = A.to(HALF).requires_grad_()
    with kagari.autocast("cpu"):
        y = Product.apply(a)
    assert y.dtype is FULL
    y.sum().backward()
    assert a.grad.dtype is HALF and a.grad.tolist() == [[4.0, 4.0], [4.0, 4.0]]


def test_no_warnings_in_the_plain_case() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with kagari.autocast(device_type="cpu", dtype=kagari.bfloat16, enabled=True):
            pass
