"""GradScaler: the factor, steps left out, and the order of calls."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import kagari
from kagari.amp import GradScaler


def parts(**options: Any) -> tuple[Any, Any, Any]:
    w = kagari.nn.Parameter(kagari.ones(2))
    return w, kagari.optim.SGD([w], lr=0.5), GradScaler("cpu", **options)


def test_a_good_step_equals_the_plain_one() -> None:
    w, optimizer, scaler = parts()
    scaler.scale((w * w).sum()).backward()
    assert w.grad.tolist() == [2.0**17, 2.0**17]
    scaler.step(optimizer)
    scaler.update()
    assert w.tolist() == [0.0, 0.0] and scaler.get_scale() == 2.0**16


def test_a_bad_step_is_left_out_and_the_factor_shrinks() -> None:
    w, optimizer, scaler = parts(init_scale=8.0)
    scaler.scale(w.sum() * float("inf")).backward()
    assert scaler.step(optimizer) is None
    scaler.update()
    assert w.tolist() == [1.0, 1.0] and scaler.get_scale() == 4.0


def test_the_factor_grows() -> None:
    w, optimizer, scaler = parts(init_scale=8.0, growth_interval=2, growth_factor=4.0)
    for expected in (8.0, 32.0, 32.0, 128.0):
        optimizer.zero_grad()
        scaler.scale(w.sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        assert scaler.get_scale() == expected
    scaler.update(3.0)
    assert scaler.get_scale() == 3.0


def test_unscale_before_clipping() -> None:
    w, optimizer, scaler = parts()
    scaler.scale(w.sum()).backward()
    scaler.unscale_(optimizer)
    assert w.grad.tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match="already been called on this optimizer"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(RuntimeError, match=r"step\(\) has already been called"):
        scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="after step"):
        scaler.unscale_(optimizer)


def test_lists_and_state() -> None:
    w, optimizer, scaler = parts(init_scale=2.0)
    both = scaler.scale([w, (w, w)])
    assert both[0].tolist() == [2.0, 2.0] and isinstance(both[1], tuple)
    other = GradScaler("cpu")
    other.load_state_dict(scaler.state_dict())
    assert other.state_dict() == scaler.state_dict()
    with pytest.raises(RuntimeError, match="source state dict is empty"):
        other.load_state_dict({})
    with pytest.raises(ValueError, match="Tensor or an iterable"):
        scaler.scale(3)
    with pytest.raises(RuntimeError, match="_scale is None"):
        GradScaler("cpu").step(optimizer)


def test_disabled() -> None:
    w, optimizer, scaler = parts(enabled=False)
    scaler.scale(w.sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    assert w.tolist() == [0.5, 0.5] and scaler.state_dict() == {} and scaler.get_scale() == 1.0
    with pytest.warns(UserWarning, match="CUDA is not available"):
        assert not GradScaler().is_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GradScaler("cpu")


def test_factors_are_checked() -> None:
    with pytest.raises(ValueError, match="growth factor must be > 1"):
        GradScaler("cpu", growth_factor=1.0)
    with pytest.raises(ValueError, match="backoff factor must be < 1"):
        GradScaler("cpu", backoff_factor=1.0)
