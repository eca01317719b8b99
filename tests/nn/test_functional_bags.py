"""Bags of embeddings, CTC, and softmax over many classes: values, derivatives, errors."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest

import kagari
import kagari.nn.functional as F
from kagari import nn
from kagari.autograd import gradcheck, gradgradcheck

TABLE = np.random.default_rng(0).standard_normal((6, 3))
BAGS = [
    ({"input": [[1, 2], [4, 4], [0, 5]]}, {}),
    ({"input": [1, 2, 4, 0, 2], "offsets": [0, 2, 2]}, {}),
    ({"input": [1, 2, 4, 0, 2], "offsets": [0, 2, 5]}, {"include_last_offset": True}),
    ({"input": [1, 2, 4, 0, 2], "offsets": [0, 2, 2]}, {"padding_idx": 2}),
    ({"input": [], "offsets": [0, 0]}, {}),
]


@pytest.mark.conformance
@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize(("given", "options"), BAGS)
def test_embedding_bag_beside_pytorch(given, options, mode):
    torch = pytest.importorskip("torch")
    results = []
    for library in (torch, kagari):
        weight = library.tensor(TABLE, requires_grad=True)
        places = {k: library.tensor(v, dtype=library.int64) for k, v in given.items()}
        y = library.nn.functional.embedding_bag(weight=weight, mode=mode, **places, **options)
        (y * y.detach().cos()).sum().backward()
        results.append((y.detach().numpy(), weight.grad.numpy()))
    for expected, got in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [kagari.float32, kagari.float64, kagari.bfloat16])
@pytest.mark.parametrize(("rows", "width"), [(7, 5), (300, 260), (33000, 130)])
def test_embedding_gradients(rows, width, dtype):
    """Small tables and large ones, whose rows are written around the cache; gradients of any strides."""
    rng = np.random.default_rng(rows)
    places = rng.integers(0, rows, 2000)
    places[:50] = rows // 2
    index = kagari.tensor(places)
    weight = kagari.ones(rows, width, dtype=dtype, requires_grad=True)
    counts = np.bincount(places, minlength=rows)[:, None]
    (ones,) = kagari.autograd.grad(F.embedding(index, weight).sum(), weight)
    tolerance = 2**-7 if dtype == kagari.bfloat16 else 1e-6
    np.testing.assert_allclose(ones.double().numpy(), np.tile(counts, width), tolerance)
    g = rng.integers(-4, 5, (width, 2000)).astype(np.float64)  # exact in every dtype's sums
    want = np.zeros((rows, width))
    np.add.at(want, places, g.T)
    strided = kagari.tensor(g).to(dtype).t()
    for options, factor in (
        ({}, 1),
        ({"padding_idx": rows // 2}, np.arange(rows)[:, None] != rows // 2),
        ({"scale_grad_by_freq": True}, 1 / np.maximum(counts, 1)),
    ):
        y = F.embedding(index, weight, **options)
        (got,) = kagari.autograd.grad(y, weight, strided)
        np.testing.assert_allclose(got.double().numpy(), want * factor, tolerance, tolerance)


def test_embedding_bag_options():
    weight = kagari.tensor(TABLE, requires_grad=True)
    places = kagari.tensor([[1, 2, 2]])
    F.embedding_bag(places, weight, mode="sum", scale_grad_by_freq=True).sum().backward()
    assert weight.grad[:, 0].tolist() == [0, 1, 1, 0, 0, 0]
    table = kagari.full((3, 4), 2.0)
    F.embedding_bag(kagari.tensor([[1]]), table, max_norm=1.0)
    np.testing.assert_allclose(table.norm(dim=1).numpy(), [4, 1, 4], rtol=1e-5)
    with pytest.warns(UserWarning, match="Argument order of nn.functional.embedding_bag"):
        swapped = F.embedding_bag(weight, places)
    assert swapped.tolist() == F.embedding_bag(places, weight).tolist()
    half = F.embedding_bag(places, weight.bfloat16(), mode="sum")
    assert half.dtype == kagari.bfloat16


def test_embedding_bag_derivatives():
    weight = kagari.tensor(TABLE, requires_grad=True)
    factors = kagari.tensor([0.5, -1.0, 2.0, 0.3], dtype=kagari.float64, requires_grad=True)
    places, offsets = kagari.tensor([1, 2, 1, 5]), kagari.tensor([0, 3])

    def total(w, f):
        return F.embedding_bag(places, w, offsets, mode="sum", per_sample_weights=f, padding_idx=2)

    assert gradcheck(total, [weight, factors])
    assert gradgradcheck(total, [weight, factors])
    for mode in ("mean", "max"):
        assert gradcheck(lambda w, m=mode: F.embedding_bag(places, w, offsets, mode=m), [weight])
        assert gradgradcheck(
            lambda w, m=mode: F.embedding_bag(places, w, offsets, mode=m) ** 2, [weight]
        )


w, i1, off = kagari.tensor(TABLE), kagari.tensor([1, 2, 4]), kagari.tensor([0, 2])
BAG_ERRORS = [
    ((i1, w), {}, ValueError, "offsets has to be a 1D Tensor but got None"),
    ((i1.view(1, 3), w, off), {}, ValueError, "if input is 2D, then offsets has to be None"),
    ((i1.view(1, 1, 3), w), {}, ValueError, "input has to be 1D or 2D Tensor, but got Tensor of"),
    ((i1, w, off.view(1, 2)), {}, ValueError, "offsets has to be a 1D Tensor"),
    ((i1, w.view(6, 3, 1), off), {}, ValueError, "weight has to be a 2D Tensor"),
    ((i1, w, off + 1), {}, RuntimeError, r"offsets\[0\] has to be 0"),
    ((i1, w, off * 4), {}, RuntimeError, r"offsets\[-1\] can not be greater than input's length 3"),
    ((i1, w, off), {"mode": "foo"}, ValueError, "mode has to be one of sum, mean or max"),
    ((i1, w, off), {"mode": "max", "sparse": True}, ValueError, "max mode does not support sparse"),
    ((i1, w, off), {"mode": "max", "scale_grad_by_freq": True}, ValueError, "max mode does not"),
    (
        (i1, w, off),
        {"per_sample_weights": w[:3, 0]},
        NotImplementedError,
        "only supported for mode",
    ),
    ((i1, w, off), {"per_sample_weights": w[:2, 0]}, ValueError, "must have the same shape as the"),
    (
        (i1, w, off),
        {"per_sample_weights": w[:3, 0].float(), "mode": "sum"},
        RuntimeError,
        "to have the same type as tensor for argument #1 'per_sample_weights'",
    ),
    ((i1, w, off), {"padding_idx": 7}, RuntimeError, "padding_idx must be within the number of"),
    ((i1 + 3, w, off), {}, IndexError, "index out of range in self: 7 in a table of 6 rows"),
    ((i1.float(), w, off), {}, RuntimeError, "scalar types: Long, Int; but got"),
    ((i1, w.long() * 1, off), {}, RuntimeError, "Half, BFloat16, Float, Double; but got"),
    ((i1, w, off[:0]), {"include_last_offset": True}, RuntimeError, "should be at least 1"),
]


@pytest.mark.parametrize(("args", "options", "error", "text"), BAG_ERRORS)
def test_embedding_bag_errors(args, options, error, text):
    with pytest.raises(error, match=text):
        F.embedding_bag(*args, **options)


# ---- connectionist temporal classification ------------------------------------------------------

LOGITS = np.random.default_rng(0).standard_normal((7, 3, 5))
LABELS = np.array([[1, 2, 2, 3], [4, 4, 4, 4], [3, 1, 0, 0]])


@pytest.mark.conformance
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("zero_infinity", [True, False])
def test_ctc_beside_pytorch(reduction, zero_infinity):
    torch = pytest.importorskip("torch")
    # The second sequence repeats a label too often for its length, unless it is made shorter.
    for lengths in ((7, 6, 5), (7, 7, 5)):
        results = []
        for library in (torch, kagari):
            x = library.tensor(LOGITS).log_softmax(-1).requires_grad_()
            loss = library.nn.functional.ctc_loss(
                x,
                library.tensor(LABELS),
                lengths,
                (4, 4, 2),
                reduction=reduction,
                zero_infinity=zero_infinity,
            )
            loss.sum().backward()
            results.append((loss.detach().numpy(), x.grad.numpy()))
        for expected, got in zip(*results, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


def test_ctc_sums_over_alignments():
    x = kagari.tensor(LOGITS[:4, :1]).log_softmax(-1)
    total = 0.0
    for path in itertools.product(range(5), repeat=4):
        merged = [c for k, c in enumerate(path) if c != 0 and (k == 0 or path[k - 1] != c)]
        if merged == [1, 2]:
            total += np.exp(sum(x[t, 0, c].item() for t, c in enumerate(path)))
    loss = F.ctc_loss(x, kagari.tensor([[1, 2]]), (4,), (2,), reduction="sum")
    assert loss.item() == pytest.approx(-np.log(total))


def test_ctc_spellings():
    x = kagari.tensor(LOGITS).log_softmax(-1)
    labels, lengths, counts = kagari.tensor(LABELS), (7, 7, 5), (4, 2, 2)
    loss = F.ctc_loss(x, labels, lengths, counts).item()
    flat = kagari.cat([labels[n, :c] for n, c in enumerate(counts)])
    assert F.ctc_loss(x, flat, lengths, counts).item() == loss
    as_tensors = (kagari.tensor(lengths), kagari.tensor(counts, dtype=kagari.int32))
    assert F.ctc_loss(x, labels.int(), *as_tensors).item() == loss
    assert nn.CTCLoss()(x, labels, lengths, counts).item() == loss
    each = F.ctc_loss(x, labels, lengths, counts, reduction="none")
    alone = F.ctc_loss(x[:, 1], labels[1, :2], (7,), (2,), reduction="none")
    assert alone.item() == each[1].item()
    nothing = F.ctc_loss(x, labels, (0, 0, 5), (0, 1, 0), reduction="none")
    assert nothing[:2].tolist() == [0.0, kagari.inf]


def test_ctc_derivatives():
    logits = kagari.tensor(LOGITS[:5, :2], requires_grad=True)
    labels = kagari.tensor([[1, 2], [3, 3]])

    def f(x):
        return F.ctc_loss(x.log_softmax(-1), labels, (5, 4), (2, 2), reduction="none")

    assert gradcheck(f, [logits])
    assert gradgradcheck(f, [logits])
    # The kernel's gradient is that of the recurrence.
    x = logits.detach().log_softmax(-1).requires_grad_()
    loss = F.ctc_loss(x, labels, (5, 4), (2, 2))
    (kernel,) = kagari.autograd.grad(loss, x, retain_graph=True)
    (composed,) = kagari.autograd.grad(loss, x, create_graph=True)
    np.testing.assert_allclose(composed.detach().numpy(), kernel.numpy(), rtol=1e-10, atol=1e-12)


x3 = kagari.tensor(LOGITS).log_softmax(-1)
y3 = kagari.tensor(LABELS)
CTC_ERRORS = [
    (
        (x3, y3, (8, 7, 7), (4, 2, 2)),
        RuntimeError,
        "input_lengths to have value at most 7, but got",
    ),
    ((x3, y3, (7, 7, 7), (5, 2, 2)), RuntimeError, "at least 5 at dimension 1, but got size 4"),
    ((x3, y3, (7, 7), (4, 2, 2)), RuntimeError, "input_lengths must be of size batch_size, got 2"),
    ((x3, y3, (7, 7, 7), (4, 2, -1)), RuntimeError, "target_lengths to have value at least 0"),
    ((x3, y3[:1], (7, 7, 7), (4, 2, 2)), RuntimeError, "size 3 at dimension 0, but got size 1"),
    ((x3, y3.flatten(), (7, 7, 7), (4, 2, 2)), RuntimeError, "size 8 at dimension 0, but got size"),
    ((x3, y3 + 3, (7, 7, 7), (4, 2, 2)), IndexError, "expected targets below 5, got"),
    ((x3, y3, (7, 7, 7), (4, 2, 2), 5), RuntimeError, "blank must be in label range, got 5 of 5"),
    ((x3[:0], y3, (7, 7, 7), (4, 2, 2)), RuntimeError, "log_probs tensor must not be empty"),
    (
        (x3[None], y3, (7, 7, 7), (4, 2, 2)),
        RuntimeError,
        "Expected 3-dimensional tensor, but got 4",
    ),
    ((x3, y3[None], (7, 7, 7), (4, 2, 2)), RuntimeError, "targets of 1 or 2 dimensions"),
    ((x3.half(), y3, (7, 7, 7), (4, 2, 2)), NotImplementedError, "not implemented for float16"),
    (
        (x3, y3, kagari.ones(3), kagari.tensor([4, 2, 2])),
        RuntimeError,
        "input_lengths must be integral, got kagari.float32",
    ),
]


@pytest.mark.parametrize(("args", "error", "text"), CTC_ERRORS)
def test_ctc_errors(args, error, text):
    with pytest.raises(error, match=text):
        F.ctc_loss(*args)


# ---- many classes -------------------------------------------------------------------------------


def test_adaptive_softmax():
    m = nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 7], div_value=2.0, head_bias=True).double()
    x = kagari.tensor(np.random.default_rng(0).standard_normal((30, 8)))
    target = kagari.arange(30) % 12
    full = m.log_prob(x)
    np.testing.assert_allclose(full.exp().sum(1).detach().numpy(), 1.0)
    output, loss = m(x, target)
    expected = full.gather(1, target.unsqueeze(1)).squeeze(1)
    np.testing.assert_allclose(output.detach().numpy(), expected.detach().numpy())
    assert loss.item() == pytest.approx(-output.mean().item())
    assert m.predict(x).tolist() == full.argmax(1).tolist()
    assert m(x[0], target[0]).output.item() == pytest.approx(output[0].item())
    m.reset_parameters()


def test_adaptive_softmax_errors():
    for cutoffs in ([4, 4], [4, 12], [0], [5, 3]):
        with pytest.raises(ValueError, match="unique, positive integers sorted"):
            nn.AdaptiveLogSoftmaxWithLoss(8, 12, cutoffs)
    with pytest.raises(ValueError, match="length larger than 0"):
        nn.AdaptiveLogSoftmaxWithLoss(8, 12, [])
    m = nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3])
    x = kagari.ones(2, 8)
    for args, text in [
        ((x, kagari.tensor([1])), "the same size in the batch dimension"),
        ((x, kagari.tensor([[1, 2]])), "0D or 1D target tensor expected"),
        ((x, kagari.tensor(1)), "0D target tensor expects 1D input"),
        ((x[None].expand(2, 2, 8), kagari.tensor([1, 2])), "1D target tensor expects 2D input"),
        ((x, kagari.tensor([1, 12])), r"be in \[0, 11\], but values in range \[1, 12\] were found"),
    ]:
        with pytest.raises(RuntimeError, match=text):
            m(*args)


def test_linear_cross_entropy_in_chunks():
    rng = np.random.default_rng(0)
    given = [kagari.tensor(rng.standard_normal(s), requires_grad=True) for s in ((7, 3), (5, 3), 5)]
    x, weight, bias = given
    target = kagari.tensor([0, 4, 2, -100, 1, 2, 3])
    factors = kagari.tensor(rng.random(5))
    options = nn.LinearCrossEntropyOptions(batch_chunk_size=2)
    for reduction, of_classes in itertools.product(("none", "mean", "sum"), (None, factors)):
        results = []
        for chunks in (None, options):
            loss = F.linear_cross_entropy(
                x,
                weight,
                target,
                linear_bias=bias,
                weight=of_classes,
                reduction=reduction,
                options=chunks,
            )
            results.append([loss, *kagari.autograd.grad(loss.sum(), given)])
        for expected, got in zip(*results, strict=True):
            # The weight's gradient is added up in float32 at least, here in float64.
            np.testing.assert_allclose(got.detach().numpy(), expected.detach().numpy(), rtol=1e-10)

    def f(x, w, b):
        return F.linear_cross_entropy(x, w, target, linear_bias=b, options=options)

    assert gradgradcheck(f, given)


def test_linear_cross_entropy_options():
    with pytest.warns(UserWarning, match="``options`` ignored"):
        F.linear_cross_entropy(
            kagari.ones(2, 3),
            kagari.ones(4, 3),
            kagari.tensor([1, 2]),
            label_smoothing=0.1,
            options=nn.LinearCrossEntropyOptions(),
        )
    for options, text in [
        ({"batch_chunk_size": 0}, "batch_chunk_size must be positive int or None, got 0"),
        ({"chunking_method": "foo"}, "invalid chunking_method: 'foo'"),
        ({"acc_policy": "foo"}, "invalid acc_policy: 'foo'"),
        ({"acc_dtype": kagari.int64}, "acc_dtype must be one of .*, got kagari.int64"),
    ]:
        with pytest.raises(ValueError, match=text):
            nn.LinearCrossEntropyOptions(**options)


def test_options_are_values() -> None:
    options = nn.LinearCrossEntropyOptions(batch_chunk_size=2, acc_dtype=kagari.float32)
    same = pickle.loads(pickle.dumps(options))
    assert same == options and hash(same) == hash(options)
    assert options != nn.LinearCrossEntropyOptions() and options != 2
    assert repr(options) == (
        "LinearCrossEntropyOptions(allow_retain_graph=False, batch_chunk_size=2, "
        "chunking_method='auto', acc_policy='auto', acc_dtype=kagari.float32)"
    )
    with pytest.raises(AttributeError, match="make new options"):
        options.batch_chunk_size = 3  # type: ignore[misc]


@pytest.mark.parametrize("padding", [None, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_bags_to_second_order(weighted, padding):
    """Bags longer and shorter than the rows that are added up together, with an empty one."""
    rng = np.random.default_rng(3)
    places = kagari.tensor(rng.integers(0, 5, 31))
    offsets = kagari.tensor([0, 19, 19, 22])
    table = kagari.tensor(rng.standard_normal((5, 3)), requires_grad=True)
    factors = kagari.tensor(rng.standard_normal(31), requires_grad=True)

    def bags(table, factors):
        return F.embedding_bag(
            places,
            table,
            offsets,
            mode="sum",
            padding_idx=padding,
            per_sample_weights=factors if weighted else None,
        )

    want = np.zeros((4, 3))
    bag = np.repeat([0, 2, 3], [19, 3, 9])
    counts = (places.numpy() != padding) * (factors.detach().numpy() if weighted else 1)
    np.add.at(want, bag, table.detach().numpy()[places.numpy()] * counts[:, None])
    np.testing.assert_allclose(bags(table, factors).detach().numpy(), want, rtol=1e-12)
    inputs = (table, factors) if weighted else (table, factors.detach())
    assert gradcheck(bags, inputs)
    assert gradgradcheck(lambda t, f: bags(t, f).square(), inputs)
