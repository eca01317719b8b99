"""Layers and functions beside PyTorch's: state, printing, initial values, results, gradients."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import kagari

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.conformance

# Float32 results of sums in another order; float64 gradients.
CLOSE32 = {"rtol": 2e-5, "atol": 2e-6}
CLOSE64 = {"rtol": 1e-9, "atol": 1e-11}


def randn(*shape):
    return ("randn", shape)


def rand(*shape):
    return ("rand", shape)


def ints(high, *shape):
    return ("ints", (high, *shape))


def signs(*shape):
    return ("signs", shape)


def const(value, dtype="float"):
    return ("const", (value, dtype))


def arrays(inputs, dtype):
    """Inputs as arrays: the same numbers whatever the row's place in the table."""
    rng = np.random.default_rng(7)
    result = []
    for kind, arg in inputs:
        if kind == "randn":
            result.append(rng.standard_normal(arg).astype(dtype))
        elif kind == "rand":
            result.append(rng.uniform(0.05, 0.95, arg).astype(dtype))
        elif kind == "signs":
            result.append((rng.integers(0, 2, arg) * 2 - 1).astype(dtype))
        elif kind == "ints":
            result.append(rng.integers(0, arg[0], arg[1:]))
        else:
            result.append(np.array(arg[0], dtype=dtype if arg[1] == "float" else arg[1]))
    return result


# name, constructor arguments, inputs
MODULES = [
    ("Identity", (), {}, [randn(2, 3)]),
    ("Linear", (4, 3), {}, [randn(5, 4)]),
    ("Linear", (4, 3), {"bias": False}, [randn(2, 5, 4)]),
    ("Bilinear", (3, 4, 2), {}, [randn(5, 3), randn(5, 4)]),
    ("Bilinear", (3, 4, 2), {"bias": False}, [randn(2, 5, 3), randn(2, 5, 4)]),
    ("Conv1d", (4, 6, 3), {"stride": 2, "padding": 1, "groups": 2}, [randn(2, 4, 9)]),
    ("Conv1d", (2, 3, 4), {"padding": "same", "dilation": 2}, [randn(2, 2, 9)]),
    ("Conv1d", (2, 3, 3), {"padding": 2, "padding_mode": "circular"}, [randn(2, 2, 9)]),
    ("Conv2d", (2, 3, (3, 2)), {"padding": (1, 2), "dilation": (1, 2)}, [randn(2, 2, 9, 8)]),
    ("Conv2d", (4, 4, 3), {"groups": 4, "bias": False}, [randn(2, 4, 6, 6)]),
    ("Conv2d", (2, 3, 3), {"padding": 1, "padding_mode": "reflect"}, [randn(2, 2, 6, 6)]),
    ("Conv2d", (2, 3, 3), {"padding": 1, "padding_mode": "replicate"}, [randn(2, 6, 6)]),
    (
        "Conv2d",
        (2, 3, (4, 3)),
        {"padding": "same", "padding_mode": "circular"},
        [randn(1, 2, 7, 6)],
    ),
    ("Conv2d", (2, 3, 3), {"padding": "valid"}, [randn(1, 2, 7, 6)]),
    ("Conv3d", (2, 4, (1, 3, 2)), {"groups": 2}, [randn(1, 2, 3, 5, 4)]),
    ("ConvTranspose1d", (4, 6, 3), {"stride": 2, "output_padding": 1}, [randn(2, 4, 5)]),
    ("ConvTranspose2d", (4, 2, 3), {"stride": 2, "padding": 1, "groups": 2}, [randn(2, 4, 5, 4)]),
    ("ConvTranspose3d", (2, 3, 2), {"stride": 2}, [randn(1, 2, 3, 3, 2)]),
    ("LazyLinear", (3,), {}, [randn(5, 4)]),
    ("LazyConv1d", (3, 2), {}, [randn(2, 4, 5)]),
    ("LazyConv2d", (3, 2), {"bias": False}, [randn(2, 4, 5, 5)]),
    ("LazyConvTranspose2d", (3, 2), {}, [randn(2, 4, 5, 5)]),
    ("LazyBatchNorm1d", (), {}, [randn(4, 5)]),
    ("LazyBatchNorm2d", (), {"affine": False}, [randn(4, 3, 2, 2)]),
    ("LazyInstanceNorm1d", (), {}, [randn(4, 3, 5)]),
    ("MaxPool1d", (3,), {"stride": 2, "padding": 1}, [randn(2, 3, 9)]),
    ("MaxPool1d", (3,), {"return_indices": True, "dilation": 2}, [randn(2, 3, 9)]),
    ("MaxPool2d", (3,), {"stride": 2, "padding": 1, "ceil_mode": True}, [randn(1, 2, 9, 8)]),
    ("MaxPool2d", (2,), {"return_indices": True}, [randn(1, 2, 6, 8)]),
    ("MaxPool3d", (2,), {}, [randn(1, 2, 4, 4, 5)]),
    ("AvgPool1d", (3,), {"stride": 2, "padding": 1}, [randn(2, 3, 9)]),
    (
        "AvgPool2d",
        (3,),
        {"stride": 2, "padding": 1, "count_include_pad": False},
        [randn(1, 2, 7, 8)],
    ),
    ("AvgPool2d", ((2, 3),), {"divisor_override": 5, "ceil_mode": True}, [randn(1, 2, 7, 8)]),
    ("AvgPool3d", (2,), {}, [randn(1, 2, 4, 4, 5)]),
    ("LPPool1d", (2, 3), {}, [randn(2, 3, 9)]),
    ("LPPool2d", (2, (3, 2)), {"stride": 2}, [randn(2, 3, 9, 6)]),
    ("LPPool2d", (math.inf, 2), {}, [randn(2, 3, 4, 6)]),
    ("AdaptiveAvgPool1d", (4,), {}, [randn(2, 3, 10)]),
    ("AdaptiveAvgPool2d", ((3, None),), {}, [randn(2, 3, 10, 7)]),
    ("AdaptiveMaxPool1d", (4,), {"return_indices": True}, [randn(2, 3, 10)]),
    ("AdaptiveMaxPool2d", ((3, None),), {}, [randn(2, 3, 10, 7)]),
    ("BatchNorm1d", (5,), {}, [randn(4, 5)]),
    ("BatchNorm1d", (5,), {"momentum": None}, [randn(4, 5, 3)]),
    ("BatchNorm2d", (3,), {"affine": False, "momentum": 0.3}, [randn(4, 3, 2, 5)]),
    ("BatchNorm2d", (3,), {"track_running_stats": False}, [randn(4, 3, 2, 5)]),
    ("BatchNorm2d", (3,), {"bias": False}, [randn(4, 3, 2, 5)]),
    ("BatchNorm3d", (3,), {"eps": 1e-3}, [randn(2, 3, 2, 2, 2)]),
    ("SyncBatchNorm", (3,), {}, [randn(4, 3, 2)]),
    ("LayerNorm", (6,), {}, [randn(2, 3, 6)]),
    ("LayerNorm", ((3, 6),), {"bias": False}, [randn(2, 3, 6)]),
    ("LayerNorm", (6,), {"elementwise_affine": False}, [randn(2, 3, 6)]),
    ("GroupNorm", (2, 6), {}, [randn(2, 6, 3)]),
    ("GroupNorm", (2, 6), {"affine": False}, [randn(2, 6, 3)]),
    ("InstanceNorm1d", (3,), {}, [randn(2, 3, 5)]),
    ("InstanceNorm1d", (3,), {"affine": True, "track_running_stats": True}, [randn(2, 3, 5)]),
    ("InstanceNorm2d", (3,), {"track_running_stats": True}, [randn(3, 4, 5)]),
    ("InstanceNorm3d", (3,), {}, [randn(2, 3, 2, 2, 2)]),
    ("RMSNorm", (6,), {}, [randn(2, 3, 6)]),
    ("RMSNorm", ((3, 6),), {"eps": 1e-2, "elementwise_affine": False}, [randn(2, 3, 6)]),
    ("LocalResponseNorm", (3,), {}, [randn(2, 5, 4)]),
    ("LocalResponseNorm", (2,), {"alpha": 0.5, "k": 2.0}, [randn(2, 5, 4, 3)]),
    ("Dropout", (0.4,), {}, [randn(4, 50)]),
    ("Dropout", (1.0,), {}, [randn(4, 5)]),
    ("Dropout1d", (0.4,), {}, [randn(3, 8, 2)]),
    ("Dropout1d", (0.4,), {}, [randn(8, 2)]),
    ("Dropout2d", (0.4,), {}, [randn(3, 8, 2, 2)]),
    ("Dropout3d", (0.4,), {}, [randn(3, 8, 2, 2, 2)]),
    ("AlphaDropout", (0.4,), {}, [randn(4, 50)]),
    ("FeatureAlphaDropout", (0.4,), {}, [randn(4, 8, 3)]),
    ("Embedding", (10, 4), {}, [ints(10, 3, 5)]),
    ("Embedding", (10, 4), {"padding_idx": -2}, [ints(10, 3, 5)]),
    ("Embedding", (10, 4), {"max_norm": 1.5, "norm_type": 1.0}, [ints(10, 3, 5)]),
    ("Embedding", (10, 4), {"scale_grad_by_freq": True}, [ints(4, 3, 5)]),
    ("Flatten", (), {}, [randn(2, 3, 4)]),
    ("Unflatten", (1, (2, 3)), {}, [randn(2, 6, 4)]),
    ("PixelShuffle", (2,), {}, [randn(2, 8, 3, 3)]),
    ("PixelUnshuffle", (2,), {}, [randn(2, 2, 6, 4)]),
    ("ChannelShuffle", (2,), {}, [randn(1, 4, 3, 3)]),
    ("CosineSimilarity", (), {}, [randn(4, 5), randn(4, 5)]),
    ("PairwiseDistance", (1,), {"keepdim": True}, [randn(4, 5), randn(4, 5)]),
    ("CircularPad1d", (2,), {}, [randn(2, 3, 4)]),
    ("CircularPad2d", ((1, 2, 0, 1),), {}, [randn(2, 3, 4, 5)]),
    ("CircularPad3d", (1,), {}, [randn(2, 3, 4, 5, 2)]),
    ("ConstantPad1d", ((1, -1), 0.5), {}, [randn(2, 3, 4)]),
    ("ConstantPad2d", (1, 0.5), {}, [randn(2, 3, 4)]),
    ("ReflectionPad1d", ((2, 1),), {}, [randn(2, 3, 4)]),
    ("ReflectionPad2d", ((1, 2, 3, 0),), {}, [randn(3, 4, 5)]),
    ("ReflectionPad3d", (1,), {}, [randn(2, 3, 4, 5, 2)]),
    ("ReplicationPad1d", ((5, -1),), {}, [randn(2, 3, 4)]),
    ("ReplicationPad2d", (2,), {}, [randn(2, 3, 4, 5)]),
    ("ZeroPad1d", (1,), {}, [randn(2, 3, 4)]),
    ("ZeroPad2d", ((1, 0, 2, 1),), {}, [randn(2, 3, 4)]),
    ("ZeroPad3d", (1,), {}, [randn(2, 3, 4, 2)]),
    ("Threshold", (0.1, -2.0), {}, [randn(3, 4)]),
    ("ReLU", (), {}, [randn(3, 4)]),
    ("ReLU6", (), {}, [randn(3, 4)]),
    ("RReLU", (), {}, [randn(3, 40)]),
    ("Hardtanh", (-0.5, 0.7), {}, [randn(3, 4)]),
    ("Sigmoid", (), {}, [randn(3, 4)]),
    ("Tanh", (), {}, [randn(3, 4)]),
    ("Hardsigmoid", (), {}, [randn(3, 4)]),
    ("Hardswish", (), {}, [randn(3, 4)]),
    ("SiLU", (), {}, [randn(3, 4)]),
    ("Mish", (), {}, [randn(3, 4)]),
    ("SELU", (), {}, [randn(3, 4)]),
    ("ELU", (0.7,), {}, [randn(3, 4)]),
    ("CELU", (0.7,), {}, [randn(3, 4)]),
    ("GLU", (1,), {}, [randn(3, 4)]),
    ("GELU", (), {}, [randn(3, 4)]),
    ("GELU", ("tanh",), {}, [randn(3, 4)]),
    ("Hardshrink", (), {}, [randn(3, 4)]),
    ("Softshrink", (), {}, [randn(3, 4)]),
    ("LeakyReLU", (0.2,), {}, [randn(3, 4)]),
    ("LogSigmoid", (), {}, [randn(3, 4)]),
    ("Softplus", (2.0, 1.0), {}, [randn(3, 4)]),
    ("PReLU", (), {}, [randn(3, 4)]),
    ("PReLU", (4,), {}, [randn(3, 4, 2)]),
    ("Softsign", (), {}, [randn(3, 4)]),
    ("Tanhshrink", (), {}, [randn(3, 4)]),
    ("Softmax", (1,), {}, [randn(3, 4)]),
    ("Softmin", (1,), {}, [randn(3, 4)]),
    ("LogSoftmax", (1,), {}, [randn(3, 4)]),
    ("Softmax2d", (), {}, [randn(2, 3, 4, 2)]),
]

REDUCED = [
    ("L1Loss", {}, [randn(3, 4), randn(3, 4)]),
    ("MSELoss", {}, [randn(3, 4), randn(3, 4)]),
    ("SmoothL1Loss", {"beta": 0.5}, [randn(3, 4), randn(3, 4)]),
    ("SmoothL1Loss", {"beta": 0.0}, [randn(3, 4), randn(3, 4)]),
    ("HuberLoss", {"delta": 0.5}, [randn(3, 4), randn(3, 4)]),
    ("NLLLoss", {}, [randn(5, 4), ints(4, 5)]),
    ("NLLLoss", {"ignore_index": 1}, [randn(2, 4, 3), ints(4, 2, 3)]),
    ("CrossEntropyLoss", {}, [randn(5, 4), ints(4, 5)]),
    (
        "CrossEntropyLoss",
        {"label_smoothing": 0.1, "ignore_index": 2},
        [randn(2, 4, 3), ints(4, 2, 3)],
    ),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, [randn(5, 4), rand(5, 4)]),
    ("CrossEntropyLoss", {}, [randn(4), const(2, "int64")]),
    ("BCELoss", {}, [rand(3, 4), rand(3, 4)]),
    ("BCEWithLogitsLoss", {}, [randn(3, 4), rand(3, 4)]),
    ("KLDivLoss", {}, [randn(3, 4), rand(3, 4)]),
    ("KLDivLoss", {"log_target": True}, [randn(3, 4), randn(3, 4)]),
    ("PoissonNLLLoss", {}, [randn(3, 4), rand(3, 4)]),
    ("PoissonNLLLoss", {"log_input": False}, [rand(3, 4), rand(3, 4)]),
    ("PoissonNLLLoss", {"full": True}, [randn(3), const([0.5, 1.0, 3.0])]),
    ("GaussianNLLLoss", {}, [randn(3, 4), randn(3, 4), rand(3, 4)]),
    ("GaussianNLLLoss", {"full": True}, [randn(3, 4), randn(3, 4), rand(3)]),
    ("HingeEmbeddingLoss", {"margin": 0.5}, [randn(3, 4), signs(3, 4)]),
    ("MarginRankingLoss", {"margin": 0.5}, [randn(5), randn(5), signs(5)]),
    ("CosineEmbeddingLoss", {"margin": 0.1}, [randn(5, 3), randn(5, 3), signs(5)]),
    ("SoftMarginLoss", {}, [randn(3, 4), signs(3, 4)]),
    ("MultiLabelSoftMarginLoss", {}, [randn(3, 4), rand(3, 4)]),
    ("MultiLabelMarginLoss", {}, [randn(2, 4), const([[3, 0, -1, 1], [-1, 2, 1, 0]], "int64")]),
    ("MultiLabelMarginLoss", {}, [randn(4), const([1, 2, 3, -1], "int64")]),
    ("MultiMarginLoss", {}, [randn(5, 4), ints(4, 5)]),
    ("MultiMarginLoss", {"p": 2, "margin": 0.3}, [randn(5, 4), ints(4, 5)]),
    ("TripletMarginLoss", {"swap": True, "p": 1.5}, [randn(5, 4), randn(5, 4), randn(5, 4)]),
    ("TripletMarginWithDistanceLoss", {"margin": 0.7}, [randn(5, 4), randn(5, 4), randn(5, 4)]),
]
LOSSES = [
    (name, (), {**kwargs, "reduction": reduction}, inputs)
    for name, kwargs, inputs in REDUCED
    for reduction in ("none", "mean", "sum")
]

WEIGHTED = [
    ("NLLLoss", "weight", 4, [randn(5, 4), ints(4, 5)]),
    ("CrossEntropyLoss", "weight", 4, [randn(5, 4), ints(4, 5)]),
    ("BCELoss", "weight", 4, [rand(3, 4), rand(3, 4)]),
    ("BCEWithLogitsLoss", "weight", 4, [randn(3, 4), rand(3, 4)]),
    ("BCEWithLogitsLoss", "pos_weight", 4, [randn(3, 4), rand(3, 4)]),
    ("MultiLabelSoftMarginLoss", "weight", 4, [randn(3, 4), rand(3, 4)]),
    ("MultiMarginLoss", "weight", 4, [randn(5, 4), ints(4, 5)]),
]


def row_id(row):
    name, args, kwargs, inputs = row
    told = [*map(str, args), *(f"{k}={v}" for k, v in kwargs.items())]
    shape = "x".join(str(s) for s in arrays(inputs[:1], np.float64)[0].shape)
    return f"{name}({','.join(told)})-{shape}"


def quietly(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


def pair_of(name, args, kwargs, inputs, dtype=np.float32):
    """The layer in both libraries, made after the same seed, lazy ones called once."""
    result = []
    for lib in (torch, kagari):
        lib.manual_seed(11)
        module = quietly(getattr(lib.nn, name), *args, **kwargs)
        if name.startswith("Lazy"):
            with lib.no_grad():
                quietly(module, *(lib.tensor(a) for a in arrays(inputs, np.float32)))
        result.append(module.double() if dtype == np.float64 else module)
    return result


def flat(output):
    return output if isinstance(output, tuple) else (output,)


def numpy_of(t):
    return t.detach().numpy()


def assert_same_state(theirs, ours, tolerance):
    theirs, ours = theirs.state_dict(), ours.state_dict()
    assert list(ours) == list(theirs)
    for key, value in theirs.items():
        np.testing.assert_allclose(numpy_of(ours[key]), numpy_of(value), err_msg=key, **tolerance)
        assert str(ours[key].dtype).split(".")[-1] == str(value.dtype).split(".")[-1]


def drop_doubles(channels, alpha):
    """PyTorch's dropout with its mask drawn as ``rand(dtype=float64) < 1 - p``.

    That is what its generator gives everywhere but on Intel's processors, where its own
    ``bernoulli_`` takes the numbers of MKL.
    """

    def drop(input, p=0.5, training=True, inplace=False):
        if not training or p == 0:
            return input
        if p == 1:
            return input * 0
        shape = list(input.shape)
        if channels:  # (N, C, ...), or (C, ...) of as many dimensions as the layer has
            whole = 2 if alpha or input.dim() > channels + 1 else 1
            shape = shape[:whole] + [1] * (input.dim() - whole)
        noise = (torch.rand(shape, dtype=torch.float64) < 1 - p).to(input.dtype)
        if not alpha:
            return input * noise.div_(1 - p)
        limit = 1.7580993408473766
        scale = 1.0 / ((limit * limit * p + 1) * (1 - p)) ** 0.5
        return input * (noise * scale) + (noise - 1) * (limit * scale) + limit * scale * p

    return drop


@pytest.fixture(autouse=True)
def portable_dropout(monkeypatch):
    for name, channels, alpha in (
        ("dropout", 0, False),
        ("dropout1d", 1, False),
        ("dropout2d", 2, False),
        ("dropout3d", 3, False),
        ("alpha_dropout", 0, True),
        ("feature_alpha_dropout", 1, True),
    ):
        monkeypatch.setattr(torch.nn.functional, name, drop_doubles(channels, alpha))


# Layers whose constants PyTorch keeps in float32 (1/6, 1/alpha), also for float64.
FLOAT_CONSTANTS = {"Hardsigmoid", "CELU"}


@pytest.mark.parametrize("row", MODULES + LOSSES, ids=row_id)
def test_state_and_repr(row):
    theirs, ours = pair_of(*row)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert ours.state_dict()._metadata == theirs.state_dict()._metadata
    # Initial values bit for bit.
    for key, value in theirs.named_parameters():
        np.testing.assert_array_equal(numpy_of(ours.get_parameter(key)), numpy_of(value), key)
    assert_same_state(theirs, ours, CLOSE32)


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("row", MODULES + LOSSES, ids=row_id)
def test_forward(row, training):
    theirs, ours = pair_of(*row)
    outputs = []
    for lib, module in ((torch, theirs), (kagari, ours)):
        module.train(training)
        lib.manual_seed(3)
        for _ in range(2):  # running statistics move twice
            output = quietly(module, *(lib.tensor(a) for a in arrays(row[3], np.float32)))
        outputs.append(flat(output))
    assert len(outputs[0]) == len(outputs[1])
    for want, got in zip(*outputs, strict=True):
        assert tuple(got.shape) == tuple(want.shape)
        assert str(got.dtype).split(".")[-1] == str(want.dtype).split(".")[-1]
        np.testing.assert_allclose(numpy_of(got), numpy_of(want), **CLOSE32)
    assert_same_state(theirs, ours, CLOSE32)


@pytest.mark.parametrize("row", MODULES + LOSSES, ids=row_id)
def test_gradients(row):
    theirs, ours = pair_of(*row, dtype=np.float64)
    gradients = []
    for lib, module in ((torch, theirs), (kagari, ours)):
        lib.manual_seed(3)
        inputs = [lib.tensor(a) for a in arrays(row[3], np.float64)]
        # Targets: the last input of a loss takes no gradient.
        wanted = inputs if len(inputs) == 1 or not row[0].endswith("Loss") else inputs[:-1]
        for t in wanted:
            if t.is_floating_point():
                t.requires_grad_()
        output = flat(quietly(module, *inputs))[0]
        if not output.requires_grad:
            return
        weights = lib.tensor(arrays([randn(*output.shape)], np.float64)[0])
        (output * weights).sum().backward()
        gradients.append(
            [numpy_of(t.grad) for t in [*wanted, *module.parameters()] if t.grad is not None]
        )
    assert len(gradients[0]) == len(gradients[1]) > 0
    for want, got in zip(*gradients, strict=True):
        np.testing.assert_allclose(
            got, want, **({"rtol": 1e-7} if row[0] in FLOAT_CONSTANTS else CLOSE64)
        )


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize(("name", "argument", "size", "inputs"), WEIGHTED)
def test_weighted_losses(name, argument, size, inputs, reduction):
    weights = np.linspace(0.5, 2.0, size).astype(np.float32)
    results = []
    for lib in (torch, kagari):
        loss = getattr(lib.nn, name)(**{argument: lib.tensor(weights)}, reduction=reduction)
        results.append(numpy_of(loss(*(lib.tensor(a) for a in arrays(inputs, np.float32)))))
    np.testing.assert_allclose(results[1], results[0], **CLOSE32)


FUNCTIONS = [
    ("normalize", [randn(3, 4)], {}),
    ("normalize", [randn(3, 4)], {"p": 1.0, "dim": 0}),
    ("softmax", [randn(2, 3, 4)], {}),  # implicit dim
    ("log_softmax", [randn(2, 3)], {"dim": 1, "dtype": "float64"}),
    ("gumbel_softmax", [randn(3, 4)], {"tau": 0.7}),
    ("gumbel_softmax", [randn(3, 4)], {"hard": True}),
    ("l1_loss", [randn(3, 4), randn(3, 4)], {"weight": [randn(3, 4)]}),
    ("mse_loss", [randn(3, 4), randn(3, 4)], {"weight": [rand(3, 4)]}),
    ("huber_loss", [randn(3, 4), randn(3, 4)], {"weight": [rand(3, 4)], "reduction": "sum"}),
    ("kl_div", [randn(3, 4), rand(3, 4)], {"reduction": "batchmean"}),
    ("mse_loss", [randn(3, 4), randn(3, 4)], {"size_average": False}),
    ("mse_loss", [randn(3, 4), randn(3, 4)], {"reduce": False}),
    ("pdist", [randn(4, 3)], {}),
    ("pdist", [randn(4, 3)], {"p": 1.0}),
    ("cosine_similarity", [randn(2, 3, 4), randn(3, 4)], {"dim": -1}),
    ("lp_pool2d", [randn(1, 2, 5, 5)], {"norm_type": 3, "kernel_size": 2}),
    ("pad", [randn(2, 3, 4)], {"pad": (1, 2, 0, 3, 1, 0), "value": 2.0}),
    ("pad", [randn(2, 3, 4)], {"pad": (-1, 1)}),
    ("pad", [randn(2, 3, 6)], {"pad": (-2, 3), "mode": "circular"}),
    ("rrelu", [randn(30)], {"training": True}),
    ("linear_cross_entropy", [randn(5, 3), randn(4, 3), ints(4, 5)], {}),
    ("glu", [randn(4, 6)], {"dim": 0}),
    ("local_response_norm", [randn(1, 4, 3, 2, 2)], {"size": 3}),
]


@pytest.mark.parametrize(("name", "inputs", "kwargs"), FUNCTIONS)
def test_functions(name, inputs, kwargs):
    results = []
    for lib in (torch, kagari):
        lib.manual_seed(5)
        given = dict(kwargs)
        for key, value in kwargs.items():
            if key == "weight":
                given[key] = lib.tensor(arrays(value, np.float32)[0])
            if key == "dtype":
                given[key] = getattr(lib, value)
        tensors = [lib.tensor(a) for a in arrays(inputs, np.float32)]
        results.append(quietly(getattr(lib.nn.functional, name), *tensors, **given))
    want, got = results
    assert tuple(got.shape) == tuple(want.shape)
    np.testing.assert_allclose(numpy_of(got), numpy_of(want), **CLOSE32)


INITS = [
    ("uniform_", (3, 5), {"a": -1.0, "b": 2.0}),
    ("normal_", (40, 5), {"mean": 1.0, "std": 0.5}),
    ("normal_", (3, 1), {}),
    ("trunc_normal_", (40, 25), {}),
    ("trunc_normal_", (40, 25), {"std": 0.02, "a": 0.04, "b": 0.1}),
    ("trunc_normal_", (40, 25), {"mean": 1.0, "a": -0.5, "b": 1.5}),
    ("constant_", (3, 2), {"val": 0.3}),
    ("ones_", (3, 2), {}),
    ("zeros_", (3, 2), {}),
    ("eye_", (3, 5), {}),
    ("dirac_", (6, 2, 3), {"groups": 2}),
    ("dirac_", (3, 4, 3, 2), {}),
    ("dirac_", (3, 4, 3, 2, 4), {}),
    ("xavier_uniform_", (3, 5, 2), {"gain": 2.0}),
    ("xavier_normal_", (30, 5), {}),
    ("kaiming_uniform_", (3, 5, 2, 2), {"a": 0.2, "mode": "fan_out"}),
    ("kaiming_normal_", (30, 5), {"nonlinearity": "relu"}),
    ("sparse_", (10, 4), {"sparsity": 0.3}),
]


@pytest.mark.parametrize(("name", "shape", "kwargs"), INITS)
def test_init_bit_for_bit(name, shape, kwargs):
    results = []
    for lib in (torch, kagari):
        lib.manual_seed(23)
        tensor = lib.zeros(shape)
        assert getattr(lib.nn.init, name)(tensor, **kwargs) is tensor
        results.append(numpy_of(tensor))
    np.testing.assert_array_equal(results[1], results[0])


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 2, 3)])
def test_orthogonal_to_tolerance(shape):
    results = []
    for lib in (torch, kagari):
        lib.manual_seed(23)
        results.append(numpy_of(lib.nn.init.orthogonal_(lib.zeros(shape), gain=2.0)))
    np.testing.assert_allclose(results[1], results[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("norm_type", [1.0, 2.0, math.inf])
def test_clip_grad_norm(norm_type):
    results = []
    for lib in (torch, kagari):
        parameters = []
        for a in arrays([randn(3, 4), randn(5)], np.float32):
            parameters.append(lib.nn.Parameter(lib.zeros(a.shape)))
            parameters[-1].grad = lib.tensor(a)
        total = lib.nn.utils.clip_grad_norm_(parameters, 0.7, norm_type)
        results.append([numpy_of(total), *(numpy_of(p.grad) for p in parameters)])
    for want, got in zip(*results, strict=True):
        np.testing.assert_allclose(got, want, **CLOSE32)


def hooked_gradients(lib, change):
    """The gradients that full backward hooks see, and those that arrive."""
    seen = []

    class Two(lib.nn.Module):
        def forward(self, x, number, y):
            return x * number + y, x.detach() * 2, y * y

    module = Two()

    def pre(module, grad_output):
        seen.append([None if g is None else numpy_of(g) for g in grad_output])
        return tuple(None if g is None else g * 3 for g in grad_output) if change else None

    def post(module, grad_input, grad_output):
        seen.append([None if g is None else numpy_of(g) for g in (*grad_input, *grad_output)])
        return tuple(None if g is None else g + 1 for g in grad_input) if change else None

    module.register_full_backward_pre_hook(pre)
    module.register_full_backward_hook(post)
    x = lib.ones(2, requires_grad=True)
    y = lib.full((2,), 3.0, requires_grad=True)
    outputs = module(x, 2.0, y)
    (outputs[0].sum() * 5).backward()
    seen.append([numpy_of(x.grad), numpy_of(y.grad)])
    return seen


@pytest.mark.parametrize("change", [False, True])
def test_full_backward_hooks(change):
    want, got = (hooked_gradients(lib, change) for lib in (torch, kagari))
    assert len(want) == len(got)
    for w, g in zip(want, got, strict=True):
        assert len(w) == len(g)
        for a, b in zip(w, g, strict=True):
            if a is None or b is None:
                # A gradient that nothing asked for: None, or zeros.
                assert a is None or not a.any()
                assert b is None or not b.any()
            else:
                np.testing.assert_array_equal(b, a)


def test_mlp_state_loads_from_torch():
    def build(lib):
        lib.manual_seed(0)
        return lib.nn.Sequential(
            lib.nn.Linear(4, 8), lib.nn.BatchNorm1d(8), lib.nn.ReLU(), lib.nn.Linear(8, 2)
        )

    theirs, ours = build(torch), build(kagari)
    x = arrays([randn(6, 4)], np.float32)[0]
    theirs(torch.tensor(x))
    state = {k: kagari.tensor(numpy_of(v)) for k, v in theirs.state_dict().items()}
    assert repr(ours.load_state_dict(state)) == "<All keys matched successfully>"
    want = numpy_of(theirs.eval()(torch.tensor(x)))
    np.testing.assert_allclose(numpy_of(ours.eval()(kagari.tensor(x))), want, **CLOSE32)


ATTENTION = [
    ({}, {}),
    ({"bias": False, "batch_first": True}, {"need_weights": False}),
    ({"add_bias_kv": True, "add_zero_attn": True}, {"average_attn_weights": False}),
    ({"kdim": 5, "vdim": 3}, {}),
    ({"add_zero_attn": True}, {"attn_mask": "bool", "key_padding_mask": "bool"}),
    ({"batch_first": True}, {"attn_mask": "float3", "key_padding_mask": "float"}),
    ({}, {"attn_mask": "bool", "is_causal": True, "need_weights": False}),
    ({}, {"unbatched": True}),
    ({}, {"self": True}),
]


@pytest.mark.parametrize(("made", "called"), ATTENTION)
@pytest.mark.parametrize("training", [True, False])
def test_multihead_attention(made, called, training):
    called = dict(called)
    unbatched, itself = called.pop("unbatched", False), called.pop("self", False)
    causal = np.triu(np.ones((4, 4), bool), 1)
    padding = np.zeros((2, 4), bool)
    padding[1, -1] = True
    masks = {
        ("attn_mask", "bool"): causal,
        ("attn_mask", "float3"): arrays([randn(4, 4, 4)], np.float32)[0],
        ("key_padding_mask", "bool"): padding,
        ("key_padding_mask", "float"): padding.astype(np.float32) * 2,
    }
    sizes = (8, made.get("kdim", 8), made.get("vdim", 8))
    lead = (4,) if unbatched else (2, 4) if made.get("batch_first") else (4, 2)
    values = arrays([randn(*lead, size) for size in sizes], np.float32)
    results = []
    for lib in (torch, kagari):
        lib.manual_seed(3)
        m = lib.nn.MultiheadAttention(8, 2, **made).train(training)
        inputs = [lib.tensor(v).requires_grad_() for v in values]
        if itself:
            inputs = inputs[:1] * 3
        given = {k: lib.tensor(masks[k, v]) if (k, v) in masks else v for k, v in called.items()}
        output, weights = m(*inputs, **given)
        output.square().sum().backward()
        grads = [p.grad for p in m.parameters()] + [t.grad for t in inputs]
        results.append((repr(m), list(m.state_dict()), [output, weights, *grads]))
    assert results[0][:2] == results[1][:2]
    for want, got in zip(results[0][2], results[1][2], strict=True):
        assert (want is None) == (got is None)
        if want is not None:
            assert tuple(got.shape) == tuple(want.shape)
            np.testing.assert_allclose(numpy_of(got), numpy_of(want), rtol=1e-4, atol=1e-5)
