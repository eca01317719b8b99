"""Containers: indexing, slices, growth, printing, and their errors."""

from __future__ import annotations

from collections import OrderedDict

import pytest

import kagari
from kagari import nn


def kinds(modules):
    return [type(m).__name__ for m in modules]


def test_sequential():
    net = nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh()))
    assert net.a is net[0]
    assert net[-1] is net.b
    assert list(net[1:]._modules) == ["b"]
    net[0] = nn.Sigmoid()
    assert kinds(net) == ["Sigmoid", "Tanh"]
    assert len(net) == 2
    assert isinstance(net.pop(0), nn.Sigmoid)
    assert list(net._modules) == ["0"]
    assert net(kagari.zeros(1)).item() == 0.0


def test_sequential_grows():
    net = nn.Sequential(nn.ReLU())
    assert net.append(nn.Tanh()) is net
    net.extend([nn.Sigmoid()])
    net.insert(1, nn.ELU())
    net.insert(-1, nn.SELU())
    assert kinds(net) == ["ReLU", "ELU", "Tanh", "SELU", "Sigmoid"]
    del net[1:3]
    assert list(net._modules) == ["0", "1", "2"]
    assert kinds(net + nn.Sequential(nn.Tanh())) == ["ReLU", "SELU", "Sigmoid", "Tanh"]
    assert kinds(nn.Sequential(nn.ReLU(), nn.Tanh()) * 2) == ["ReLU", "Tanh"] * 2
    assert kinds(2 * nn.Sequential(nn.ReLU())) == ["ReLU"] * 2
    twice = nn.Sequential(nn.ReLU(), nn.Tanh())
    twice *= 2
    twice += nn.Sequential(nn.ELU())
    assert list(twice._modules) == ["0", "1", "2", "3", "4"]


def test_module_list():
    layers = nn.ModuleList([nn.ReLU(), nn.Tanh()])
    layers += [nn.Sigmoid()]
    layers.append(nn.ELU())
    layers.insert(0, nn.SELU())
    assert kinds(layers) == ["SELU", "ReLU", "Tanh", "Sigmoid", "ELU"]
    assert kinds(layers[1:3]) == ["ReLU", "Tanh"]
    assert kinds([*layers, nn.Tanh()])[-1] == "Tanh"
    del layers[0]
    del layers[1:]
    layers[-1] = nn.Tanh()
    assert kinds(layers) == ["Tanh"]
    assert "0" not in dir(layers)
    assert kinds([layers.pop(0)]) == ["Tanh"]
    assert repr(layers) == "ModuleList()"


def test_module_list_prints_runs_once():
    layers = nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Tanh(), nn.ReLU()])
    assert repr(layers) == ("ModuleList(\n  (0-1): 2 x ReLU()\n  (2): Tanh()\n  (3): ReLU()\n)")


def test_module_dict():
    acts = nn.ModuleDict([("b", nn.ReLU()), ["a", nn.Tanh()]])
    assert list(acts) == list(acts.keys()) == ["b", "a"]
    acts.update({"c": nn.ELU()})
    assert "c" in acts
    assert kinds(acts.values()) == ["ReLU", "Tanh", "ELU"]
    assert [k for k, _ in acts.items()] == ["b", "a", "c"]
    del acts["b"]
    assert kinds([acts.pop("a")]) == ["Tanh"]
    acts.clear()
    assert len(acts) == 0


def test_parameter_list():
    weights = nn.ParameterList([kagari.zeros(2), nn.Parameter(kagari.ones(1)), "text"])
    assert isinstance(weights[0], nn.Parameter)
    assert [n for n, _ in weights.named_parameters()] == ["0", "1"]
    weights[0] = kagari.ones(3)
    weights.append(kagari.ones(1))
    weights += [kagari.ones(1)]
    assert len(weights) == len(list(weights)) == 5
    assert isinstance(weights[1:3], nn.ParameterList)
    assert len(weights[1:3]) == 2
    assert "(2): Object of type: str" in repr(weights)
    assert "(0): Parameter containing: [" in repr(weights)
    assert "of size 3]" in repr(weights)
    with pytest.raises(RuntimeError, match="should not be called"):
        weights(1)


def test_parameter_dict():
    weights = nn.ParameterDict({"b": kagari.zeros(2), "a": kagari.ones(1)})
    assert list(weights) == ["a", "b"]  # a plain mapping is sorted
    assert list(reversed(weights)) == ["b", "a"]
    weights["c"] = kagari.ones(2)
    assert weights.get("x", 3) == 3
    assert weights.setdefault("d", kagari.ones(4)).numel() == 4
    assert list(weights.copy()) == ["a", "b", "c", "d"]
    key, value = weights.popitem()
    assert (key, value.numel()) == ("d", 4)
    assert weights.pop("c").numel() == 2
    assert [k for k, _ in weights.items()] == ["a", "b"]
    both = weights | nn.ParameterDict({"z": kagari.ones(1)})
    assert list(both) == ["a", "b", "z"]
    weights |= nn.ParameterDict({"y": kagari.ones(1)})
    assert "y" in weights
    assert list(weights.fromkeys(["p", "q"], 1)) == ["p", "q"]
    assert "(a): Parameter containing: [" in repr(weights)
    weights.clear()
    assert len(weights) == 0
    with pytest.raises(RuntimeError, match="should not be called"):
        weights(1)


ERRORS = [
    (lambda: nn.Sequential()[0], IndexError, "index 0 is out of range"),
    (lambda: nn.Sequential() + 3, ValueError, "supports only objects of Sequential class"),
    (lambda: nn.Sequential() * "a", TypeError, "unsupported operand"),
    (lambda: nn.Sequential() * 0, ValueError, "Non-positive multiplication factor 0"),
    (lambda: nn.Sequential().insert(0, 3), AssertionError, "module should be of type"),
    (lambda: nn.Sequential().insert(2, nn.ReLU()), IndexError, "Index out of range: 2"),
    (lambda: nn.ModuleList()[0], IndexError, "index 0 is out of range"),
    (lambda: nn.ModuleList().extend(3), TypeError, "should be called with an iterable"),
    (lambda: nn.ModuleList([3]), TypeError, "int is not a Module subclass"),
    (lambda: nn.ModuleDict(3), TypeError, "ModuleDict.update should be called with"),
    (lambda: nn.ModuleDict([3]), TypeError, "element #0 should be Iterable; is int"),
    (lambda: nn.ModuleDict([(1, 2, 3)]), ValueError, "element #0 has length 3; 2 is required"),
    (lambda: nn.ParameterList(kagari.zeros(2)), TypeError, "ParameterList.extend should be"),
    (lambda: nn.ParameterDict()[3], TypeError, "it is not a string"),
    (lambda: nn.ParameterDict(3), TypeError, "ParametersDict.update should be called with"),
    (lambda: nn.ParameterDict().popitem(), KeyError, "dictionary is empty"),
]


@pytest.mark.parametrize(("call", "kind", "text"), ERRORS)
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


def test_container_is_deprecated():
    with pytest.warns(FutureWarning, match="deprecated"):
        assert kinds(nn.Container(a=nn.ReLU()).children()) == ["ReLU"]
