"""Parameters, buffers and their placeholders."""

from __future__ import annotations

import copy
import pickle

import pytest

import kagari
from kagari import nn
from kagari.nn.parameter import UninitializedBuffer, is_lazy


def test_parameter():
    data = kagari.ones(2)
    p = nn.Parameter(data)
    assert isinstance(p, nn.Parameter)
    assert isinstance(p, kagari.Tensor)
    assert not isinstance(data, nn.Parameter)
    assert p.requires_grad
    assert p.is_leaf
    data.fill_(3)
    assert p.tolist() == [3.0, 3.0]  # shared
    assert type(p * 2) is kagari.Tensor
    assert type(p.detach()) is kagari.Tensor
    assert not nn.Parameter(data, requires_grad=False).requires_grad
    assert nn.Parameter().shape == (0,)
    assert repr(p).startswith("Parameter containing:\n")


def test_parameter_of_a_subclass():
    class Mine(kagari.Tensor):
        pass

    mine = kagari.ones(2).as_subclass(Mine)
    p = nn.Parameter(mine)
    assert type(p) is Mine
    assert isinstance(p, nn.Parameter)
    m = nn.Module()
    m.p = p
    assert "p" in m._parameters


def test_copies():
    p = nn.Parameter(kagari.ones(2), requires_grad=False)
    p.note = "kept by pickle"
    for other in (copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        assert type(other) is nn.Parameter
        assert not other.requires_grad
        assert other.tolist() == [1.0, 1.0]
    assert pickle.loads(pickle.dumps(p)).note == "kept by pickle"
    twice = copy.deepcopy([p, p])
    assert twice[0] is twice[1]


def test_buffer():
    b = nn.Buffer(kagari.ones(2), persistent=False)
    assert isinstance(b, nn.Buffer)
    assert isinstance(b, kagari.Tensor)
    assert not isinstance(b, nn.Parameter)
    assert not b.persistent
    assert not isinstance(kagari.ones(2), nn.Buffer)


def test_placeholder():
    p = nn.UninitializedParameter()
    assert is_lazy(p)
    assert isinstance(p, nn.Parameter)
    assert repr(p) == "<UninitializedParameter>"
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized"):
        _ = p.shape
    with pytest.raises(RuntimeError, match="Can't share memory"):
        p.share_memory_()
    with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
        p + 1
    assert is_lazy(copy.deepcopy(p))
    p.materialize((2, 3))
    assert type(p) is nn.Parameter
    assert tuple(p.shape) == (2, 3)
    assert p.requires_grad


def test_buffer_placeholder():
    b = UninitializedBuffer(dtype=kagari.float64)
    assert isinstance(b, nn.Buffer)
    b.materialize((2,))
    assert b.dtype == kagari.float64
    assert not b.requires_grad


def test_lazy_layers_become_plain_ones():
    m = nn.LazyLinear(3)
    assert m.has_uninitialized_params()
    assert repr(m) == "LazyLinear(in_features=0, out_features=3, bias=True)"
    assert m(kagari.zeros(2, 5)).shape == (2, 3)
    assert type(m) is nn.Linear
    assert not m._forward_pre_hooks
    assert not m._load_state_dict_pre_hooks


def test_lazy_layers_load_states():
    m = nn.LazyLinear(3)
    m.load_state_dict(nn.Linear(5, 3).state_dict())
    assert tuple(m.weight.shape) == (3, 5)
    m(kagari.zeros(1, 5))
    assert m.in_features == 5
    lazy = nn.LazyLinear(3)
    other = nn.LazyLinear(3)
    other.load_state_dict(lazy.state_dict())
    assert other.has_uninitialized_params()
    with pytest.raises(RuntimeError, match="uninitialized"):
        nn.Linear(5, 3).load_state_dict(lazy.state_dict())


def test_lazy_convolution_checks_its_input():
    with pytest.raises(RuntimeError, match=r"Expected 3D \(unbatched\) or 4D \(batched\)"):
        nn.LazyConv2d(3, 2)(kagari.zeros(2, 3))
    with pytest.raises(ValueError, match="in_channels must be divisible by groups"):
        nn.LazyConv2d(4, 2, groups=2)(kagari.zeros(1, 3, 4, 4))


def test_data_is_a_plain_tensor() -> None:
    p = kagari.nn.Parameter(kagari.ones(2))
    assert type(p.data) is kagari.Tensor and not p.data.requires_grad
    assert p.data.data_ptr() == p.data_ptr()
    p.data.zero_()
    assert p.tolist() == [0, 0]
