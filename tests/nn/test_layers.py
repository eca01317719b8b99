"""What layers and functions refuse, and behaviour that needs no other library to compare with."""

from __future__ import annotations

import pytest

import kagari
from kagari import nn
from kagari.nn import functional as F
from kagari.nn import init

ERRORS = [
    (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, "in_channels must be divisible by groups"),
    (lambda: nn.Conv2d(4, 3, 3, groups=2), ValueError, "out_channels must be divisible by groups"),
    (lambda: nn.Conv2d(4, 4, 3, groups=0), ValueError, "groups must be a positive integer"),
    (lambda: nn.Conv2d(4, 4, 3, padding="big"), ValueError, "Invalid padding string 'big'"),
    (lambda: nn.Conv2d(4, 4, 3, 2, padding="same"), ValueError, "not supported for strided"),
    (lambda: nn.Conv2d(4, 4, 3, padding_mode="x"), ValueError, "padding_mode must be one of"),
    (lambda: nn.ConvTranspose1d(4, 4, 3, padding_mode="reflect"), ValueError, 'Only "zeros"'),
    (
        lambda: nn.ConvTranspose1d(2, 2, 3, 2)(kagari.zeros(1, 2, 4), [20]),
        ValueError,
        "valid sizes range from",
    ),
    (
        lambda: nn.ConvTranspose1d(2, 2, 3, 2)(kagari.zeros(1, 2, 4), [1, 2]),
        ValueError,
        "output_size must have 1 or 3 elements",
    ),
    (lambda: nn.Bilinear(0, 2, 3), ValueError, "in1_features must be > 0"),
    (
        lambda: nn.Bilinear(2, 2, 3)(kagari.zeros(1, 2), kagari.zeros(1, 3)),
        RuntimeError,
        "bilinear: expected weight",
    ),
    (
        lambda: nn.BatchNorm1d(2)(kagari.zeros(2, 2, 2, 2)),
        ValueError,
        r"expected 2D or 3D input \(got 4D input\)",
    ),
    (
        lambda: nn.BatchNorm2d(2)(kagari.zeros(2, 2)),
        ValueError,
        r"expected 4D input \(got 2D input\)",
    ),
    (
        lambda: nn.BatchNorm3d(2)(kagari.zeros(2, 2)),
        ValueError,
        r"expected 5D input \(got 2D input\)",
    ),
    (lambda: nn.BatchNorm1d(2)(kagari.zeros(1, 2)), ValueError, "more than 1 value per channel"),
    (
        lambda: nn.SyncBatchNorm(2, process_group=3),
        NotImplementedError,
        "expected process_group=None",
    ),
    (
        lambda: F.batch_norm(kagari.zeros(2, 2), None, None, training=True, eps=0.0),
        ValueError,
        "eps must be positive",
    ),
    (lambda: nn.GroupNorm(2, 3), ValueError, "must be divisible by num_groups"),
    (lambda: F.group_norm(kagari.zeros(2), 1), RuntimeError, "at least 2 dimensions"),
    (lambda: nn.InstanceNorm1d(2)(kagari.zeros(1)), ValueError, "expected 2D or 3D input"),
    (
        lambda: nn.InstanceNorm1d(2)(kagari.zeros(1, 2, 1)),
        ValueError,
        "more than 1 spatial element",
    ),
    (
        lambda: nn.InstanceNorm1d(2, affine=True)(kagari.zeros(1, 3, 4)),
        ValueError,
        "to match num_features",
    ),
    (lambda: F.local_response_norm(kagari.zeros(2, 2), 1), ValueError, "Expected 3D or higher"),
    (lambda: nn.Dropout(1.5), ValueError, "has to be between 0 and 1, but got 1.5"),
    (lambda: F.dropout(kagari.zeros(1), -0.1), ValueError, "has to be between 0 and 1"),
    (lambda: F.dropout1d(kagari.zeros(1)), RuntimeError, "dropout1d: Expected 2D or 3D input"),
    (lambda: nn.Embedding(3, 2, padding_idx=3), AssertionError, "Padding_idx must be within"),
    (
        lambda: nn.Embedding(3, 2, _weight=kagari.zeros(2, 2)),
        AssertionError,
        "Shape of weight does not match",
    ),
    (lambda: nn.Embedding.from_pretrained(kagari.zeros(2)), AssertionError, "2-dimensional"),
    (
        lambda: F.embedding(kagari.tensor([0]), kagari.zeros(2, 2), 5),
        AssertionError,
        "Padding_idx must be within",
    ),
    (lambda: nn.Unflatten(1, 3), TypeError, "must be a tuple of ints, but found type int"),
    (lambda: nn.Unflatten(1, (2, "a")), TypeError, "found element of type str at pos 1"),
    (lambda: F.glu(kagari.zeros(3)), RuntimeError, "dimension 0 is size 3"),
    (lambda: F.glu(kagari.zeros(())), RuntimeError, "does not support scalars"),
    (lambda: nn.Hardtanh(1.0, 0.0), AssertionError, "must be greater than min_val"),
    (lambda: F.hardtanh(kagari.zeros(1), 1.0, 0.0), ValueError, "min_val cannot be greater"),
    (lambda: F.rrelu(kagari.zeros(1), 1.0, 0.0), RuntimeError, "rrelu: expected lower <= upper"),
    (lambda: nn.Softmax2d()(kagari.zeros(1)), ValueError, "expected input to be 3D or 4D"),
    (lambda: F.pad(kagari.zeros(2), (1,)), RuntimeError, "must be divisible by 2"),
    (lambda: F.pad(kagari.zeros(2), (1, 1, 1, 1)), RuntimeError, "two times the input dimension"),
    (
        lambda: F.pad(kagari.zeros(2), (1, 1), "what"),
        NotImplementedError,
        "Unrecognised padding mode what",
    ),
    (lambda: F.pad(kagari.zeros(2), (1, 1), "reflect"), NotImplementedError, "Only 2D, 3D, 4D, 5D"),
    (
        lambda: F.pad(kagari.zeros(1, 2), (1, 1), "reflect", 3.0),
        ValueError,
        "doesn't take in value",
    ),
    (
        lambda: F.pad(kagari.zeros(1, 2), (2, 0), "reflect"),
        RuntimeError,
        "Padding size should be less than",
    ),
    (
        lambda: F.pad(kagari.zeros(1, 2), (3, 0), "circular"),
        RuntimeError,
        "wrapping around more than once",
    ),
    (lambda: nn.CircularPad1d(1)(kagari.zeros(2)), ValueError, "expected 2D or 3D input"),
    (lambda: F.pixel_shuffle(kagari.zeros(1, 3, 2, 2), 2), RuntimeError, "divisible by the square"),
    (lambda: F.pixel_shuffle(kagari.zeros(2, 2), 2), RuntimeError, "at least 3 dimensions"),
    (
        lambda: F.pixel_unshuffle(kagari.zeros(1, 3, 3, 2), 2),
        RuntimeError,
        "divisible by downscale_factor",
    ),
    (lambda: F.channel_shuffle(kagari.zeros(1, 3, 2), 2), RuntimeError, "divisible by groups"),
    (lambda: F.pdist(kagari.zeros(2)), RuntimeError, "pdist only supports 2D tensors"),
    (
        lambda: F.mse_loss(kagari.zeros(1), kagari.zeros(1), reduction="all"),
        ValueError,
        "all is not a valid value for reduction",
    ),
    (
        lambda: F.mse_loss(kagari.zeros(1), kagari.zeros(1), weight=kagari.zeros(2)),
        ValueError,
        "Weights and input must have the same size",
    ),
    (
        lambda: F.smooth_l1_loss(kagari.zeros(1), kagari.zeros(1), beta=-1.0),
        RuntimeError,
        "negative values for beta",
    ),
    (
        lambda: F.huber_loss(kagari.zeros(1), kagari.zeros(1), delta=0.0),
        RuntimeError,
        "non-positive values for delta",
    ),
    (lambda: nn.HuberLoss(delta="a"), TypeError, "delta must be a float or int"),
    (
        lambda: F.binary_cross_entropy(kagari.zeros(1), kagari.zeros(2)),
        ValueError,
        "different to the input size",
    ),
    (
        lambda: F.binary_cross_entropy(kagari.full((1,), 2.0), kagari.zeros(1)),
        RuntimeError,
        "should be between 0 and 1",
    ),
    (
        lambda: F.binary_cross_entropy_with_logits(kagari.zeros(1), kagari.zeros(2)),
        ValueError,
        "must be the same as input size",
    ),
    (
        lambda: F.gaussian_nll_loss(kagari.zeros(2), kagari.zeros(2), -1.0),
        ValueError,
        "negative entry",
    ),
    (
        lambda: F.gaussian_nll_loss(kagari.zeros(2), kagari.zeros(2), kagari.ones(3)),
        ValueError,
        "var is of incorrect size",
    ),
    (
        lambda: F.margin_ranking_loss(kagari.zeros(1), kagari.zeros(1, 1), kagari.zeros(1)),
        RuntimeError,
        "should have same dimension",
    ),
    (
        lambda: F.cosine_embedding_loss(kagari.zeros(2), kagari.zeros(2), kagari.zeros(2)),
        RuntimeError,
        "1D target tensor expects 2D",
    ),
    (
        lambda: F.multi_margin_loss(kagari.zeros(1, 2), kagari.tensor([0]), p=3),
        ValueError,
        "only p == 1 and p == 2",
    ),
    (
        lambda: F.multi_margin_loss(kagari.zeros(2, 2), kagari.tensor([0])),
        RuntimeError,
        "multi_margin_loss: expected input",
    ),
    (
        lambda: F.multilabel_margin_loss(kagari.zeros(2), kagari.tensor([0])),
        RuntimeError,
        "multilabel_margin_loss: expected",
    ),
    (lambda: nn.TripletMarginLoss(margin=0.0), ValueError, "expected margin to be greater than 0"),
    (
        lambda: F.triplet_margin_loss(kagari.zeros(1, 2), kagari.zeros(2), kagari.zeros(2)),
        RuntimeError,
        "same number of dimensions",
    ),
    (
        lambda: F.linear_cross_entropy(kagari.zeros(1, 3), kagari.zeros(2, 4), kagari.tensor([0])),
        RuntimeError,
        "last dimensions",
    ),
    (
        lambda: nn.LinearCrossEntropyLoss(2, 3, options=1)(
            kagari.ones(1, 2), kagari.zeros(1).long()
        ),
        TypeError,
        "expected options to be LinearCrossEntropyOptions, got int",
    ),
    (lambda: nn.factory_kwargs({"x": 1}), TypeError, "unexpected kwargs"),
    (
        lambda: nn.factory_kwargs({"dtype": 1, "factory_kwargs": {"dtype": 2}}),
        TypeError,
        "dtype specified twice",
    ),
    (lambda: init.calculate_gain("what"), ValueError, "Unsupported nonlinearity what"),
    (
        lambda: init.calculate_gain("leaky_relu", True),
        ValueError,
        "negative_slope True not a valid number",
    ),
    (lambda: init.xavier_uniform_(kagari.zeros(2)), ValueError, "fewer than 2 dimensions"),
    (
        lambda: init.kaiming_normal_(kagari.zeros(2, 2), mode="x"),
        ValueError,
        "Mode x not supported",
    ),
    (lambda: init.eye_(kagari.zeros(2)), ValueError, "Only tensors with 2 dimensions"),
    (lambda: init.dirac_(kagari.zeros(2, 2)), ValueError, "Only tensors with 3, 4, or 5"),
    (lambda: init.dirac_(kagari.zeros(3, 2, 2), groups=2), ValueError, "divisible by groups"),
    (lambda: init.orthogonal_(kagari.zeros(2)), ValueError, "2 or more dimensions"),
    (lambda: init.sparse_(kagari.zeros(2), 0.5), ValueError, "Only tensors with 2 dimensions"),
]


@pytest.mark.parametrize(("call", "kind", "text"), ERRORS)
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


WARNINGS = [
    (lambda: nn.Hardtanh(min_value=-2.0), FutureWarning, "renamed to `min_val`"),
    (lambda: nn.NLLLoss2d(), FutureWarning, "deprecated"),
    (lambda: nn.L1Loss(size_average=False), UserWarning, "reduction='sum'"),
    (lambda: F.softmax(kagari.zeros(2, 2)), UserWarning, "Implicit dimension choice for softmax"),
    (lambda: F.mse_loss(kagari.zeros(2), kagari.zeros(1)), UserWarning, "Using a target size"),
    (lambda: F.kl_div(kagari.zeros(1), kagari.ones(1)), UserWarning, "batchmean"),
    (lambda: F.dropout2d(kagari.zeros(1, 2, 3)), UserWarning, "Received a 3D input to dropout2d"),
    (lambda: F.gumbel_softmax(kagari.zeros(2), eps=1.0), UserWarning, "has no effect"),
    (lambda: init.uniform(kagari.zeros(2)), FutureWarning, "in favor of `nn.init.uniform_`"),
    (lambda: init.kaiming_uniform_(kagari.zeros(0, 2)), UserWarning, "zero-element tensors"),
    (lambda: init.trunc_normal_(kagari.zeros(2), mean=9.0), UserWarning, "more than 2 std"),
    (
        lambda: nn.InstanceNorm1d(2)(kagari.zeros(1, 3, 4)),
        UserWarning,
        "does not match num_features",
    ),
]


@pytest.mark.parametrize(("call", "kind", "text"), WARNINGS)
def test_warnings(call, kind, text):
    with pytest.warns(kind, match=text):
        call()


def test_inplace_activations_write_into_their_input():
    x = kagari.tensor([-1.0, 2.0])
    assert nn.ReLU(inplace=True)(x) is x
    assert x.tolist() == [0.0, 2.0]
    y = kagari.tensor([-1.0, 9.0])
    assert F.relu6(y, inplace=True) is y
    assert y.tolist() == [0.0, 6.0]


def test_dropout_in_place_and_in_evaluation():
    x = kagari.ones(100)
    layer = nn.Dropout(0.5, inplace=True)
    assert layer(x) is x
    assert set(x.tolist()) == {0.0, 2.0}
    y = kagari.ones(3)
    assert layer.eval()(y).tolist() == [1.0] * 3


def test_channel_dropout_drops_whole_channels():
    y = F.dropout2d(kagari.ones(8, 8, 3, 3), 0.5)
    means = y.mean((2, 3)).flatten().tolist()
    assert set(means) == {0.0, 2.0}


def test_embedding_max_norm_shortens_only_used_rows():
    m = nn.Embedding.from_pretrained(kagari.full((3, 4), 2.0), max_norm=1.0)
    m(kagari.tensor([0, 0, 2]))
    norms = m.weight.norm(2, 1).tolist()
    assert norms == pytest.approx([1.0, 4.0, 1.0], abs=1e-5)


def test_binary_cross_entropy_at_the_ends():
    x = kagari.tensor([0.0, 1.0, 0.0], requires_grad=True)
    target = kagari.tensor([1.0, 0.0, 0.0])
    loss = F.binary_cross_entropy(x, target, reduction="none")
    assert loss.tolist() == pytest.approx([100.0, 100.0, 0.0], rel=1e-5)
    loss.sum().backward()
    assert x.grad.tolist()[:2] == pytest.approx([-1e12, 1e12], rel=1e-3)


def test_batchnorm_of_nothing_moves_nothing():
    m = nn.BatchNorm1d(2)
    assert tuple(m(kagari.zeros(0, 2)).shape) == (0, 2)
    assert m.running_mean.tolist() == [0.0, 0.0]
    assert m.running_var.tolist() == [1.0, 1.0]


def test_convert_sync_batchnorm_shares_everything():
    net = nn.Sequential(nn.BatchNorm1d(2), nn.Sequential(nn.BatchNorm2d(3))).eval()
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(net)
    assert type(converted[1][0]) is nn.SyncBatchNorm
    assert not converted[0].training
    assert list(converted.state_dict()) == list(net.state_dict())


def test_factory_kwargs():
    assert nn.factory_kwargs(None) == {}
    given = {"device": "cpu", "factory_kwargs": {"dtype": kagari.float64}}
    assert nn.factory_kwargs(given) == {"device": "cpu", "dtype": kagari.float64}


def test_dtype_and_device_reach_the_parameters():
    m = nn.BatchNorm1d(2, dtype=kagari.float64)
    assert {t.dtype for t in (m.weight, m.bias, m.running_mean)} == {kagari.float64}
    assert nn.Conv1d(1, 1, 1, device="meta").weight.is_meta


def test_missing_primitives_say_so():
    from kagari.nn._functional._primitive import primitive

    with pytest.raises(NotImplementedError, match="no_such_op: expected a kernel in the core"):
        primitive("no_such_op")(1)


def attend(embed_dim=4, heads=2, query=(3, 1, 4), key=(3, 1, 4), value=(3, 1, 4), **kwargs):
    inputs = [kagari.zeros(shape) for shape in (query, key, value)]
    return nn.MultiheadAttention(embed_dim, heads)(*inputs, **kwargs)


ATTENTION_ERRORS = [
    ({"embed_dim": 0}, ValueError, "must be greater than 0"),
    ({"heads": 3}, AssertionError, "embed_dim must be divisible by num_heads"),
    ({"query": (4,)}, AssertionError, "unbatched 2D or batched 3D"),
    ({"key": (3, 4)}, AssertionError, "`key` and `value` to be 3-D but found 2-D"),
    ({"value": (2, 1, 4)}, AssertionError, "does not match value shape"),
    ({"query": (3, 1, 6)}, AssertionError, "was expecting embedding dimension of 4, but got 6"),
    ({"is_causal": True}, RuntimeError, "Need attn_mask if specifying the is_causal hint"),
    ({"attn_mask": (2, 2)}, RuntimeError, "The shape of the 2D attn_mask"),
    ({"attn_mask": (4,)}, AssertionError, "`attn_mask` to be `None`, 2-D or 3-D"),
    ({"key_padding_mask": (1, 7)}, AssertionError, "Expected key_padding_mask of shape"),
    ({"key_padding_mask": (3,)}, AssertionError, "`key_padding_mask` to be `None` or 2-D"),
]


@pytest.mark.parametrize(("arguments", "kind", "text"), ATTENTION_ERRORS)
def test_attention_errors(arguments, kind, text):
    arguments = {k: kagari.zeros(v) if k.endswith("mask") else v for k, v in arguments.items()}
    with pytest.raises(kind, match=text):
        attend(**arguments)


def test_attention_refuses_integer_masks():
    with pytest.raises(AssertionError, match="only bool and floating types of attn_mask"):
        attend(attn_mask=kagari.zeros(3, 3, dtype=kagari.int64))
