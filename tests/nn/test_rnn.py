"""Recurrent layers and cells: results beside PyTorch's, second derivatives, what they refuse."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import kagari
from kagari import nn
from kagari.autograd import gradcheck, gradgradcheck
from kagari.nn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
)

LAYERS = [
    ("LSTM", {}),
    ("LSTM", {"num_layers": 2, "bidirectional": True}),
    ("LSTM", {"num_layers": 2, "bias": False, "batch_first": True}),
    ("LSTM", {"num_layers": 2, "bidirectional": True, "proj_size": 2}),
    ("LSTM", {"proj_size": 2, "bias": False}),
    ("GRU", {}),
    ("GRU", {"num_layers": 2, "bidirectional": True, "batch_first": True}),
    ("GRU", {"bias": False}),
    ("RNN", {"num_layers": 2, "bidirectional": True}),
    ("RNN", {"nonlinearity": "relu", "bias": False}),
]
CELLS = [
    ("LSTMCell", {}),
    ("LSTMCell", {"bias": False}),
    ("GRUCell", {}),
    ("RNNCell", {}),
    ("RNNCell", {"nonlinearity": "relu", "bias": False}),
]
LENGTHS = [3, 5, 1, 3]


def tensors(result):
    """All tensors of nested tuples, in order."""
    if isinstance(result, tuple):
        return [t for r in result for t in tensors(r)]
    return [] if result is None else [result]


def states(m, net, batch, rng_seed=3):
    rng = np.random.default_rng(rng_seed)
    count = net.num_layers * (2 if net.bidirectional else 1)
    shapes = [(count, batch, net.proj_size or net.hidden_size)]
    if net.mode == "LSTM":
        shapes.append((count, batch, net.hidden_size))
    made = [m.tensor(rng.standard_normal(s), requires_grad=True) for s in shapes]
    return made, tuple(made) if len(made) > 1 else made[0]


def layer_run(m, name, kwargs, packed, given_state):
    """Outputs and gradients of a layer: of one recipe, in either library."""
    m.manual_seed(5)
    net = getattr(m.nn, name)(3, 4, dtype=m.float64, **kwargs)
    x = m.tensor(np.random.default_rng(1).standard_normal((5, 4, 3)), requires_grad=True)
    leaves, hx = states(m, net, 4) if given_state else ([], None)
    y = x.transpose(0, 1) if net.batch_first else x
    if packed:
        y = m.nn.utils.rnn.pack_padded_sequence(y, LENGTHS, net.batch_first, enforce_sorted=False)
    results = [t for t in tensors(net(y, hx)) if t.is_floating_point()]
    # Every element counts differently.
    loss = sum(
        (t * m.arange(1.0, t.numel() + 1, dtype=m.float64).reshape(t.shape)).sum() * 0.1
        for t in results
    )
    grads = m.autograd.grad(loss, [x, *leaves, *net.parameters()])
    numbers = [t.detach().numpy() for t in [*results, *grads]]
    return (
        [*numbers, *(p.detach().numpy() for p in net.parameters())],
        repr(net),
        list(net.state_dict()),
    )


@pytest.mark.conformance
@pytest.mark.parametrize("given_state", [False, True])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("name", "kwargs"), LAYERS)
def test_layer_as_torch(name, kwargs, packed, given_state):
    torch = pytest.importorskip("torch")
    ours, text, keys = layer_run(kagari, name, kwargs, packed, given_state)
    theirs, their_text, their_keys = layer_run(torch, name, kwargs, packed, given_state)
    assert (text, keys) == (their_text, their_keys)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.conformance
@pytest.mark.parametrize(("name", "kwargs"), CELLS)
@pytest.mark.parametrize("batched", [True, False])
def test_cell_as_torch(name, kwargs, batched):
    torch = pytest.importorskip("torch")

    def run(m):
        m.manual_seed(2)
        cell = getattr(m.nn, name)(3, 4, dtype=m.float64, **kwargs)
        x = m.tensor(np.random.default_rng(1).standard_normal((6, 2, 3)), requires_grad=True)
        hx, results = None, []
        for t in range(6):
            hx = cell(x[t] if batched else x[t, 0], hx)
            results += tensors(hx)
        m.stack(results).square().sum().backward()
        grads = [x.grad, *(p.grad for p in cell.parameters())]
        numbers = [t.detach().numpy() for t in [*results, *grads, *cell.parameters()]]
        return numbers, repr(cell), list(cell.state_dict())

    (ours, *said), (theirs, *their_said) = run(kagari), run(torch)
    assert said == their_said
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.conformance
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_other_dtypes_as_torch(dtype):
    torch = pytest.importorskip("torch")

    def run(m):
        m.manual_seed(2)
        net = m.nn.GRU(3, 37).to(getattr(m, dtype))
        return net(m.ones(3, 2, 3, dtype=getattr(m, dtype)))[0].detach().float().numpy()

    eps = {"bfloat16": 2e-2, "float16": 2e-3, "float32": 1e-5}[dtype]
    np.testing.assert_allclose(run(kagari), run(torch), rtol=eps, atol=eps)


# ---- standing alone -----------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("name", "kwargs"), [LAYERS[0], LAYERS[4], *LAYERS[5:6], *LAYERS[8:]])
def test_derivatives_to_second_order(name, kwargs, packed):
    kagari.manual_seed(1)
    kwargs = {**kwargs, "num_layers": 1}
    net = getattr(nn, name)(2, 3, dtype=kagari.float64, **kwargs)
    leaves, _ = states(kagari, net, 2)
    x = kagari.randn(3, 2, 2, dtype=kagari.float64, requires_grad=True)
    parameters = list(net.parameters())

    def f(x, *rest):
        hx = tuple(rest[: len(leaves)]) if len(leaves) > 1 else rest[0]
        y = pack_padded_sequence(x, [3, 2]) if packed else x
        names = [n for n, _ in net.named_parameters()]
        given = dict(zip(names, rest[len(leaves) :], strict=True))
        result = nn.utils.stateless._functional_call(net, given, (y, hx))
        return tuple(t for t in tensors(result) if t.is_floating_point())

    inputs = (x, *leaves, *parameters)
    assert gradcheck(f, inputs)
    assert gradgradcheck(f, inputs)


@pytest.mark.parametrize("mode", ["lstm", "gru", "tanh", "relu"])
@pytest.mark.parametrize("reverse", [False, True])
def test_kernel_equals_formula(mode, reverse):
    """The fused backward kernel and the recorded formula give the same gradients."""
    kagari.manual_seed(4)
    gates = {"lstm": 4, "gru": 3}.get(mode, 1)
    f64 = {"dtype": kagari.float64, "requires_grad": True}
    x, h = kagari.randn(9, gates * 3, **f64), kagari.randn(4, 3, **f64)
    c = kagari.randn(4, 3, **f64) if mode == "lstm" else None
    w, b = kagari.randn(gates * 3, 3, **f64), kagari.randn(gates * 3, **f64)
    outputs = kagari._core.ops._rnn_scan(x, h, c, w, b, mode, [4, 3, 2], reverse)
    loss = sum(o.sin().sum() for o in outputs)
    leaves = [t for t in (x, h, c, w, b) if t is not None]
    fused = kagari.autograd.grad(loss, leaves, retain_graph=True)
    formula = kagari.autograd.grad(loss, leaves, create_graph=True)
    for a, e in zip(fused, formula, strict=True):
        assert kagari.allclose(a, e.detach(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN"])
def test_same_bits_for_any_number_of_threads(name):
    kagari.manual_seed(0)
    net, x = getattr(nn, name)(8, 33, 2), kagari.randn(7, 70, 8)
    before, found = kagari.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            kagari.set_num_threads(threads)
            net.zero_grad()
            y = net(x)[0]
            y.square().sum().backward()
            found.append([y.detach(), *(p.grad.clone() for p in net.parameters())])
    finally:
        kagari.set_num_threads(before)
    for other in found[1:]:
        assert all(kagari.equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_a_sequence_alone_equals_it_in_a_batch():
    kagari.manual_seed(0)
    net, x = nn.LSTM(4, 19), kagari.randn(6, 40, 4)
    whole = net(x)[0]
    assert kagari.equal(net(x[:, 7:8])[0][:, 0], whole[:, 7])
    assert kagari.equal(net(x[:, 7])[0], whole[:, 7])


def test_attributes():
    net = nn.LSTM(3, 4, 2, bidirectional=True)
    assert [len(w) for w in net.all_weights] == [4] * 4
    assert net.all_weights[1][0] is net.weight_ih_l0_reverse
    assert net.flatten_parameters() is None
    net.weight_hh_l0 = nn.Parameter(kagari.zeros(16, 4))
    assert net._flat_weights[1] is net.weight_hh_l0


def test_dropout_falls_between_layers_in_training_only():
    kagari.manual_seed(0)
    net, x = nn.LSTM(3, 4, 2, dropout=1.0), kagari.randn(5, 2, 3)
    whole = net.eval()(x)[0]
    bare = nn.LSTM(3, 4, 2)
    bare.load_state_dict(net.state_dict())
    assert kagari.equal(whole, bare(x)[0])
    # With all of the first layer's outputs gone the second one sees zeros.
    top = nn.LSTM(4, 4)
    top.load_state_dict({k[:-1] + "0": v for k, v in net.state_dict().items() if k[-1] == "1"})
    assert kagari.equal(net.train()(x)[0], top(kagari.zeros(5, 2, 4))[0])


def test_empty_batch():
    y, h = nn.GRU(3, 4)(kagari.zeros(5, 0, 3))
    assert tuple(y.shape) == (5, 0, 4)
    assert tuple(h.shape) == (1, 0, 4)
    y.sum().backward()


def test_packing():
    rows = [kagari.arange(n, dtype=kagari.float32) for n in LENGTHS]
    packed = pack_sequence(rows, enforce_sorted=False)
    assert packed.batch_sizes.tolist() == [4, 3, 3, 1, 1]
    assert [r.tolist() for r in unpack_sequence(packed)] == [r.tolist() for r in rows]
    padded, lengths = pad_packed_sequence(packed, True, -1.0, 6)
    assert lengths.tolist() == LENGTHS
    assert padded[2].tolist() == [0, -1, -1, -1, -1, -1]
    assert isinstance(packed.double(), PackedSequence)
    assert packed.double().data.dtype == kagari.float64
    assert packed.to(kagari.float32) is packed
    assert pad_sequence(rows, padding_side="left")[0].tolist() == [0, 0, 0, 0]


def test_packing_is_differentiable():
    x = kagari.randn(4, 3, 2, dtype=kagari.float64, requires_grad=True)
    assert gradgradcheck(
        lambda x: pad_packed_sequence(pack_padded_sequence(x, [4, 2, 1]))[0].square(), (x,)
    )


ERRORS = [
    (lambda: nn.LSTM(3, 4, dropout=2), ValueError, "dropout should be a number in range"),
    (lambda: nn.LSTM(3, 4, bias=1), TypeError, "bias should be of type bool, got: int"),
    (lambda: nn.GRU(3.0, 4), TypeError, "input_size should be of type int, got: float"),
    (lambda: nn.GRU(0, 4), ValueError, "input_size must be greater than zero"),
    (lambda: nn.RNN(3, 4, 0), ValueError, "num_layers must be greater than zero"),
    (lambda: nn.LSTM(3, 4, proj_size=4), ValueError, "proj_size has to be smaller"),
    (lambda: nn.LSTM(3, 4, proj_size=-1), ValueError, "proj_size should be a positive"),
    (lambda: nn.GRU(3, 4, proj_size=2), ValueError, "proj_size argument is only supported"),
    (lambda: nn.RNN(3, 4, nonlinearity="elu"), ValueError, "Unknown nonlinearity 'elu'"),
    (lambda: nn.LSTM(3, 4)(kagari.zeros(2)), ValueError, "LSTM: Expected input to be 2D or 3D"),
    (lambda: nn.RNN(3, 4)(kagari.zeros(2)), ValueError, "got 1D tensor instead"),
    (
        lambda: nn.GRU(3, 4)(kagari.zeros(5, 2, 2)),
        RuntimeError,
        r"must be equal to input_size. Expected 3, got 2",
    ),
    (
        lambda: nn.GRU(3, 4)(kagari.zeros(5, 2, 3), kagari.zeros(1, 3, 4)),
        RuntimeError,
        r"Expected hidden size \(1, 2, 4\), got \[1, 3, 4\]",
    ),
    (
        lambda: nn.LSTM(3, 4)(
            kagari.zeros(5, 2, 3), (kagari.zeros(1, 2, 4), kagari.zeros(1, 2, 3))
        ),
        RuntimeError,
        r"Expected hidden\[1\] size \(1, 2, 4\)",
    ),
    (
        lambda: nn.LSTM(3, 4)(kagari.zeros(5, 3), (kagari.zeros(1, 2, 4),) * 2),
        RuntimeError,
        "For unbatched 2-D input, hx and cx should also be 2-D",
    ),
    (
        lambda: nn.GRU(3, 4)(kagari.zeros(5, 2, 3), kagari.zeros(1, 4)),
        RuntimeError,
        "For batched 3-D input, hx should also be 3-D but got 2-D",
    ),
    (
        lambda: nn.GRU(3, 4)(kagari.zeros(5, 2, 3, dtype=kagari.float64)),
        ValueError,
        "does not match weight dtype",
    ),
    (lambda: nn.GRU(3, 4)(kagari.zeros(0, 2, 3)), RuntimeError, "sequence length to be larger"),
    (lambda: nn.GRUCell(3, 4)(kagari.zeros(1, 1, 1)), ValueError, "GRUCell: Expected input to be"),
    (
        lambda: nn.RNNCell(3, 4)(kagari.zeros(2, 3), kagari.zeros(1, 2, 4)),
        ValueError,
        "RNNCell: Expected hidden to be 1D or 2D, got 3D",
    ),
    (
        lambda: nn.LSTMCell(3, 4)(kagari.zeros(2, 3), (kagari.zeros(1, 2, 4),) * 2),
        ValueError,
        r"LSTMCell: Expected hx\[0\] to be 1D or 2D",
    ),
    (
        lambda: nn.GRUCell(3, 4)(kagari.zeros(2, 5)),
        RuntimeError,
        "inconsistent input_size: got 5 expected 3",
    ),
    (
        lambda: nn.GRUCell(3, 4)(kagari.zeros(2, 3), kagari.zeros(3, 4)),
        RuntimeError,
        "Input batch size 2 doesn't match hidden0 batch size 3",
    ),
    (
        lambda: nn.GRUCell(3, 4)(kagari.zeros(2, 3), kagari.zeros(2, 5)),
        RuntimeError,
        "hidden0 has inconsistent hidden_size: got 5, expected 4",
    ),
    (
        lambda: nn.RNNCell(3, 4, nonlinearity="elu")(kagari.zeros(2, 3)),
        RuntimeError,
        "Unknown nonlinearity: elu",
    ),
    (
        lambda: kagari._core.ops._rnn_scan(
            kagari.zeros(3, 4),
            kagari.zeros(2, 4),
            None,
            kagari.zeros(4, 4),
            None,
            "tanh",
            [1, 2],
            False,
        ),
        RuntimeError,
        "batch sizes that fall",
    ),
    (
        lambda: kagari._core.ops._rnn_scan(
            kagari.zeros(3, 4),
            kagari.zeros(2, 4),
            None,
            kagari.zeros(4, 4),
            None,
            "tanh",
            [],
            False,
        ),
        RuntimeError,
        "a multiple of 2 rows, got 3",
    ),
    (
        lambda: pack_padded_sequence(kagari.zeros(3, 2), [1, 2]),
        RuntimeError,
        "must be sorted in decreasing order",
    ),
    (lambda: pack_padded_sequence(kagari.zeros(3, 2), [2]), RuntimeError, "equal to batch_size"),
    (lambda: pack_padded_sequence(kagari.zeros(3, 2), [2, 0]), RuntimeError, "greater than 0"),
    (lambda: pack_padded_sequence(kagari.zeros(3, 2), [4, 1]), RuntimeError, "up to the input's 3"),
    (lambda: pack_padded_sequence(kagari.zeros(0, 2), [4, 1]), RuntimeError, "empty tensors"),
    (
        lambda: pad_packed_sequence(pack_sequence([kagari.zeros(3)]), total_length=2),
        ValueError,
        "Expected total_length to be at least",
    ),
    (lambda: pad_sequence(3), RuntimeError, "pad_sequence: Expected iterable"),
    (lambda: pad_sequence([]), RuntimeError, "empty list of sequences"),
    (lambda: pad_sequence([kagari.zeros(1)], padding_side="up"), RuntimeError, "padding_side"),
    (
        lambda: pad_sequence([kagari.zeros(1, 2), kagari.zeros(1, 3)]),
        RuntimeError,
        "differ in length only",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
def test_errors(call, error, text):
    with pytest.raises(error, match=text), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call()


def test_dropout_of_one_layer_warns():
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last"):
        nn.LSTM(3, 4, dropout=0.5)
