"""Averaged models and their schedule."""

from __future__ import annotations

import numpy as np
import pytest

import kagari
from kagari.optim import swa_utils


def models(n=3):
    out = []
    for i in range(n):
        model = kagari.nn.Linear(2, 1)
        with kagari.no_grad():
            model.weight.fill_(float(i))
            model.bias.fill_(-float(i))
        out.append(model)
    return out


AVERAGES = [
    ({}, 1.0),
    ({"avg_fn": swa_utils.get_swa_avg_fn()}, 1.0),
    ({"multi_avg_fn": swa_utils.get_swa_multi_avg_fn()}, 1.0),
    ({"avg_fn": swa_utils.get_ema_avg_fn(0.5)}, 1.25),
    ({"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.5)}, 1.25),
]


@pytest.mark.parametrize(("options", "expected"), AVERAGES)
def test_averages(options, expected):
    parts = models()
    mean = swa_utils.AveragedModel(parts[0], **options)
    for model in parts:
        mean.update_parameters(model)
    assert mean.n_averaged.item() == 3
    assert mean.module.weight.tolist() == [[expected, expected]]
    assert mean.module.bias.tolist() == [-expected]
    x = kagari.ones(1, 2)
    assert mean(x).item() == expected
    assert parts[0].weight.tolist() == [[0.0, 0.0]]


def test_refuses():
    with pytest.raises(AssertionError, match="Only one of"):
        swa_utils.AveragedModel(models(1)[0], avg_fn=max, multi_avg_fn=max)
    with pytest.raises(ValueError, match="Invalid decay value 2"):
        swa_utils.get_ema_avg_fn(2)
    opt = kagari.optim.SGD(models(1)[0].parameters(), lr=0.1)
    with pytest.raises(ValueError, match="instead got step"):
        swa_utils.SWALR(opt, 0.1, anneal_strategy="step")
    with pytest.raises(ValueError, match="equal or greater than 0, got -1"):
        swa_utils.SWALR(opt, 0.1, anneal_epochs=-1)


def test_batch_norm_statistics_are_equal_means():
    model = kagari.nn.Sequential(kagari.nn.BatchNorm1d(2))
    batches = [kagari.tensor([[0.0, 1.0], [2.0, 3.0]]), kagari.tensor([[4.0, 4.0], [6.0, 8.0]])]
    swa_utils.update_bn([(b, 0) for b in batches], model)
    assert model[0].running_mean.tolist() == [3.0, 4.0]
    assert model[0].momentum == 0.1
    assert model.training


@pytest.mark.conformance
@pytest.mark.parametrize("options", [{}, {"anneal_strategy": "linear"}, {"anneal_epochs": 0}])
def test_swalr(options):
    torch = pytest.importorskip("torch")

    def run(lib):
        params = [lib.nn.Parameter(lib.ones(1)) for _ in range(2)]
        opt = lib.optim.SGD([{"params": params[:1]}, {"params": params[1:], "lr": 0.4}], lr=0.1)
        sched = lib.optim.swa_utils.SWALR(opt, [0.05, 0.01], **{"anneal_epochs": 4, **options})
        out = []
        for _ in range(8):
            opt.step()
            sched.step()
            out.append(sched.get_last_lr())
        return out

    np.testing.assert_allclose(run(kagari), run(torch), rtol=1e-13)
