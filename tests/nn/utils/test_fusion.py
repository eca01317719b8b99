"""Fusing batch normalization into layers, and the memory format of weights."""

from __future__ import annotations

import pytest

import kagari
from kagari import nn
from kagari.nn import utils

LAYERS = [
    (lambda: nn.Conv1d(2, 4, 3, dtype=kagari.float64), nn.BatchNorm1d, (3, 2, 7), False),
    (lambda: nn.Conv2d(2, 4, 3, bias=False, dtype=kagari.float64), nn.BatchNorm2d, (3, 2, 7, 7), 0),
    (lambda: nn.Conv3d(2, 4, 2, dtype=kagari.float64), nn.BatchNorm3d, (3, 2, 4, 4, 4), False),
    (
        lambda: nn.ConvTranspose2d(2, 4, 3, dtype=kagari.float64),
        nn.BatchNorm2d,
        (3, 2, 5, 5),
        True,
    ),
]


def trained(norm, size, shape, **kwargs):
    """A normalization with statistics and parameters that are not the first ones."""
    bn = norm(size, dtype=kagari.float64, **kwargs)
    bn(kagari.randn(*shape, dtype=kagari.float64) * 2 + 1)
    if bn.affine:
        nn.init.uniform_(bn.weight)
        nn.init.uniform_(bn.bias)
    return bn.eval()


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize(("make", "norm", "shape", "transpose"), LAYERS)
def test_convolutions(make, norm, shape, transpose, affine):
    kagari.manual_seed(0)
    conv, x = make().eval(), kagari.randn(*shape, dtype=kagari.float64)
    bn = trained(norm, 4, conv(x).shape, affine=affine)
    fused = utils.fuse_conv_bn_eval(conv, bn, transpose)
    assert type(fused) is type(conv)
    assert kagari.allclose(fused(x), bn(conv(x)), atol=1e-12)
    assert fused.weight.requires_grad


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [4, 1])
def test_linear(bias, size):
    kagari.manual_seed(0)
    linear = nn.Linear(3, 4, bias=bias, dtype=kagari.float64).eval()
    bn = trained(nn.BatchNorm1d, size, (5, size))
    x = kagari.randn(6, 3, dtype=kagari.float64)
    fused = utils.fuse_linear_bn_eval(linear, bn)
    want = nn.functional.batch_norm(
        linear(x),
        *(t.detach().expand(4) for t in (bn.running_mean, bn.running_var, bn.weight, bn.bias)),
    )
    assert kagari.allclose(fused(x), want, atol=1e-12)


ERRORS = [
    (lambda: utils.fuse_conv_bn_eval(nn.Conv1d(1, 1, 1), nn.BatchNorm1d(1).eval()), "for eval"),
    (lambda: utils.fuse_linear_bn_eval(nn.Linear(1, 1).eval(), nn.BatchNorm1d(1)), "for eval"),
    (
        lambda: utils.fuse_conv_bn_eval(
            nn.Conv1d(1, 1, 1).eval(), nn.BatchNorm1d(1, track_running_stats=False).eval()
        ),
        "must not be None",
    ),
    (
        lambda: utils.fuse_linear_bn_eval(nn.Linear(1, 4).eval(), nn.BatchNorm1d(3).eval()),
        "linear.out_features=4 and bn.num_features=3",
    ),
]


@pytest.mark.parametrize(("call", "text"), ERRORS)
def test_errors(call, text):
    with pytest.raises(AssertionError, match=text):
        call()


def test_memory_format_of_weights():
    net = nn.Sequential(nn.Conv2d(3, 4, 2), nn.Conv3d(3, 4, 2), nn.ConvTranspose2d(3, 4, 2))
    before = [p.detach().clone() for p in net.parameters()]
    assert utils.convert_conv2d_weight_memory_format(net, kagari.channels_last) is net
    assert net[0].weight.is_contiguous(memory_format=kagari.channels_last)
    assert net[2].weight.is_contiguous(memory_format=kagari.channels_last)
    assert net[1].weight.is_contiguous()
    utils.convert_conv3d_weight_memory_format(net, kagari.channels_last_3d)
    assert net[1].weight.is_contiguous(memory_format=kagari.channels_last_3d)
    assert all(kagari.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
