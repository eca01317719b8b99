"""Clipping, vectors of parameters, calls with other parameters."""

from __future__ import annotations

import math

import pytest

import kagari
from kagari import nn
from kagari.nn.utils.stateless import _functional_call


def with_grads(*values):
    parameters = []
    for value in values:
        parameters.append(nn.Parameter(kagari.zeros(len(value))))
        parameters[-1].grad = kagari.tensor(value)
    return parameters


def test_clip_grad_norm():
    parameters = [*with_grads([3.0], [0.0, 4.0]), nn.Parameter(kagari.zeros(1))]
    assert nn.utils.clip_grad_norm_(iter(parameters), 10.0).item() == 5.0
    assert parameters[0].grad.tolist() == [3.0]  # short enough: left as it is
    nn.utils.clip_grad_norm_(parameters, 1.0)
    assert nn.utils.get_total_norm([p.grad for p in parameters[:2]]).item() == pytest.approx(1.0)
    assert nn.utils.clip_grad_norm_(parameters, 1.0, math.inf).item() == pytest.approx(0.8)


def test_clip_grad_norm_of_nothing():
    assert nn.utils.clip_grad_norm_([], 1.0).item() == 0.0
    with pytest.warns(UserWarning, match="empty generator"):
        nn.utils.clip_grad_norm_((p for p in ()), 1.0)
    with pytest.warns(FutureWarning, match="clip_grad_norm_"):
        nn.utils.clip_grad_norm(nn.Linear(1, 1).parameters(), 1.0)


def test_clip_grad_norm_not_finite():
    parameters = with_grads([math.inf])
    with pytest.raises(
        RuntimeError, match=r"order 2\.0 for gradients from `parameters` is non-finite"
    ):
        nn.utils.clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
    assert nn.utils.clip_grad_norm_(parameters, 1.0).item() == math.inf


def test_clip_grad_value():
    (parameter,) = with_grads([3.0, -4.0, 0.5])
    nn.utils.clip_grad_value_(parameter, 1)
    assert parameter.grad.tolist() == [1.0, -1.0, 0.5]


def test_vectors():
    a, b = nn.Linear(2, 3), nn.Linear(2, 3)
    vector = nn.utils.parameters_to_vector(a.parameters())
    nn.utils.vector_to_parameters(vector, b.parameters())
    assert (a.weight == b.weight).all()
    assert (a.bias == b.bias).all()
    assert isinstance(b.weight, nn.Parameter)
    with pytest.raises(TypeError, match=r"expected kagari\.Tensor, but got: int"):
        nn.utils.vector_to_parameters(3, b.parameters())


def test_skip_init():
    assert tuple(nn.utils.skip_init(nn.Linear, 2, 3).weight.shape) == (3, 2)
    with pytest.raises(RuntimeError, match="Expected a Module"):
        nn.utils.skip_init(int)
    with pytest.raises(RuntimeError, match="must support a 'device' arg"):
        nn.utils.skip_init(nn.ReLU)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2, bias=False)
        self.b = nn.Linear(2, 2, bias=False)
        self.b.weight = self.a.weight
        self.register_buffer("count", kagari.zeros(1))

    def forward(self, x, factor=1):
        self.count = self.count + 1
        return self.b(self.a(x)) * factor


def test_functional_call():
    m = Tied()
    before = m.a.weight
    eye = kagari.eye(2)
    given = {"a.weight": 2 * eye, "count": kagari.zeros(1)}
    x = kagari.ones(1, 2)
    assert _functional_call(m, given, x, {"factor": 3}).tolist() == [[12.0, 12.0]]
    assert m.a.weight is before
    assert m.b.weight is before
    assert m.count.item() == 0
    assert given["count"].item() == 1  # what the module assigned is the caller's
    untied = _functional_call(m, {"a.weight": eye, "b.weight": 3 * eye}, (x,), tie_weights=False)
    assert untied.tolist() == [[3.0, 3.0]]
    with pytest.warns(FutureWarning, match="func.functional_call"):
        nn.utils.stateless.functional_call(m, {"a.weight": eye}, x)


def test_functional_call_gives_gradients_to_the_given():
    m = nn.Linear(2, 1)
    weight = kagari.ones(1, 2, requires_grad=True)
    _functional_call(m, {"weight": weight}, kagari.ones(3, 2)).sum().backward()
    assert weight.grad.tolist() == [[3.0, 3.0]]
    assert m.weight.grad is None


FUNCTIONAL_ERRORS = [
    ({"a.weight": 1}, {}, TypeError, "expected a Tensor for 'a.weight'"),
    ({"nope": kagari.zeros(1)}, {}, AttributeError, "Tied has no attribute 'nope'"),
    ({"c.weight": kagari.zeros(1)}, {}, AttributeError, "no attribute `c`"),
    ({"a.weight": kagari.zeros(2, 2)}, {"strict": True}, RuntimeError, "missing key"),
    (
        {"a.weight": kagari.zeros(2, 2), "b.weight": kagari.zeros(2, 2)},
        {},
        ValueError,
        "multiple values for keys",
    ),
]


@pytest.mark.parametrize(("given", "options", "kind", "text"), FUNCTIONAL_ERRORS)
def test_functional_call_errors(given, options, kind, text):
    m = Tied()
    before = m.a.weight
    with pytest.raises(kind, match=text):
        _functional_call(m, given, kagari.ones(1, 2), **options)
    assert m.a.weight is before


def test_consume_prefix():
    state = nn.Sequential(nn.BatchNorm1d(2)).state_dict(prefix="module.")
    nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
    assert next(iter(state)) == "0.weight"
    assert state._metadata["0"] == {"version": 2}
