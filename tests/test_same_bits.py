"""The same bits for any number of threads, in any order of the ops, and for a row alone or in a batch."""

from __future__ import annotations

import hashlib
import random
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import kagari
import kagari.nn.functional as F
from kagari import nn

THREADS = (1, 2, 3, 4, 8)
Work = Callable[[], list[Any]]


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = kagari.get_num_threads()
    yield
    kagari.set_num_threads(before)


def digest(tensors: list[Any]) -> str:
    """A name for the exact bits of some tensors."""
    h = hashlib.sha256()
    for t in tensors:
        t = t.detach().contiguous()
        h.update(f"{t.dtype}{tuple(t.shape)}".encode())
        h.update(bytes(t.untyped_storage())[t.storage_offset() * t.element_size() :][: t.nbytes])
    return h.hexdigest()


def data(*shape: int, dtype: Any = kagari.float32, seed: int = 0) -> Any:
    g = kagari.Generator().manual_seed(1000 * len(shape) + sum(shape) + seed)
    return kagari.randn(shape, generator=g).to(dtype)


def gradients(f: Callable[..., Any], *inputs: Any) -> list[Any]:
    """What f gives, and the gradients of its inputs for a cotangent that is not the same everywhere."""
    inputs = tuple(t.detach().requires_grad_() for t in inputs)
    y = f(*inputs)
    cotangent = data(*y.shape, dtype=y.dtype, seed=7)
    return [y, *kagari.autograd.grad(y, inputs, cotangent)]


def linear(n: int, k: int, m: int, dtype: Any = kagari.float32) -> Work:
    x, w, b = (data(*s, dtype=dtype) for s in ((n, k), (m, k), (m,)))
    return lambda: gradients(F.linear, x, w, b)


def conv(
    shape: tuple[int, ...], weight: tuple[int, ...], dtype: Any = kagari.float32, **how: Any
) -> Work:
    f = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}[len(shape)]
    x, w, b = (data(*s, dtype=dtype) for s in (shape, weight, weight[:1]))
    return lambda: gradients(lambda x, w, b: f(x, w, b, **how), x, w, b)


def conv_transpose(
    shape: tuple[int, ...], weight: tuple[int, ...], dtype: Any = kagari.float32, **how: Any
) -> Work:
    f = {3: F.conv_transpose1d, 4: F.conv_transpose2d, 5: F.conv_transpose3d}[len(shape)]
    x, w, b = (data(*s, dtype=dtype) for s in (shape, weight, weight[1:2]))
    return lambda: gradients(lambda x, w, b: f(x, w, b, **how), x, w, b)


def of(f: Callable[[Any], Any], *shape: int, dtype: Any = kagari.float32) -> Work:
    """f and its gradient."""
    x = data(*shape, dtype=dtype)
    return lambda: gradients(f, x)


def just(f: Callable[[Any], Any], *shape: int, dtype: Any = kagari.float32) -> Work:
    """f alone."""
    x = data(*shape, dtype=dtype)
    return lambda: list(_tensors(f(x)))


def _tensors(value: Any) -> list[Any]:
    return [value] if isinstance(value, kagari.Tensor) else list(value)


def _indices(n: int, limit: int) -> Any:
    return (data(n).abs() * 1e4).long() % limit


def _symmetric(x: Any) -> Any:
    return x + x.mT


BF16, F64, C64 = kagari.bfloat16, kagari.float64, kagari.complex64
WORK: dict[str, Callable[[], Work]] = {
    "linear 64x64, 4096 rows": lambda: linear(4096, 64, 64),
    "linear 4096 to 1": lambda: linear(64, 4096, 1),
    "linear 1 row": lambda: linear(1, 4096, 64),
    "linear 64 to 192, 512 rows": lambda: linear(512, 64, 192),
    "linear 256 to 64, 1024 rows": lambda: linear(1024, 256, 64),
    "linear float64": lambda: linear(777, 65, 33, F64),
    "linear bfloat16": lambda: linear(4096, 64, 64, BF16),
    "matmul 33x777x65 float64": lambda: just(
        lambda x: x @ data(777, 65, dtype=F64), 33, 777, dtype=F64
    ),
    "matmul complex": lambda: just(lambda x: x @ x.mT, 65, 333, dtype=C64),
    "matmul int64": lambda: just(lambda x: x.long() @ x.long().mT, 40, 300),
    "bmm": lambda: of(lambda x: x @ x.mT, 17, 33, 65),
    "mv": lambda: of(lambda x: x @ data(5000), 65, 5000),
    "dot": lambda: of(lambda x: x @ data(200_000), 200_000),
    "transposed weight": lambda: of(lambda x: x.mT @ data(4096, 64), 4096, 64),
    "conv 3x3": lambda: conv((16, 16, 28, 28), (16, 16, 3, 3), padding=1),
    "conv 1x1": lambda: conv((16, 16, 28, 28), (16, 16, 1, 1)),
    "conv stride 2": lambda: conv((8, 3, 33, 33), (8, 3, 3, 3), stride=2),
    "conv groups": lambda: conv((8, 8, 20, 20), (8, 1, 3, 3), groups=8),
    "conv float64": lambda: conv((4, 8, 20, 20), (8, 8, 3, 3), F64),
    "conv bfloat16": lambda: conv((8, 16, 20, 20), (16, 16, 3, 3), BF16),
    "conv1d": lambda: conv((16, 8, 500), (8, 8, 5)),
    "conv3d": lambda: conv((2, 4, 9, 9, 9), (4, 4, 3, 3, 3)),
    "conv transposed": lambda: conv_transpose((4, 16, 14, 14), (16, 8, 4, 4), stride=2, padding=1),
    "conv transposed 1d": lambda: conv_transpose((8, 16, 300), (16, 8, 5), stride=3),
    "conv transposed 3d": lambda: conv_transpose((2, 8, 7, 7, 7), (8, 4, 3, 3, 3), F64, stride=2),
    "sum": lambda: of(lambda x: x.sum(), 1_000_003),
    "sum of rows": lambda: of(lambda x: x.sum(0), 4096, 65),
    "sum of columns": lambda: of(lambda x: x.sum(1), 65, 4097),
    "sum of the middle": lambda: of(lambda x: x.sum(1), 17, 501, 33),
    "sum of wide rows": lambda: of(lambda x: x.sum(0), 1030, 4099),
    "sum of few long rows": lambda: of(lambda x: x.sum(1), 3, 70_003),
    "sum of many short rows": lambda: of(lambda x: x.sum(1), 70_003, 7),
    "sum of both sides": lambda: of(lambda x: x.sum((0, 2)), 17, 33, 501),
    "sum float64": lambda: of(lambda x: x.sum(), 300_001, dtype=F64),
    "sum bfloat16": lambda: of(lambda x: x.sum(0), 3000, 65, dtype=BF16),
    "sum float16": lambda: of(lambda x: x.sum(1), 65, 9001, dtype=kagari.float16),
    "mean of bfloat16 columns": lambda: of(lambda x: x.mean(0), 700, 5001, dtype=BF16),
    "prod of bytes": lambda: just(lambda x: (x.abs() * 3).byte().prod(0), 300, 5001),
    "mean and var": lambda: of(lambda x: x.var(0) + x.mean(0), 5000, 33),
    "prod": lambda: of(lambda x: (x / 10 + 1).prod(1), 65, 500),
    "prod of columns": lambda: of(lambda x: (x / 10 + 1).prod(0), 500, 301),
    "prod that underflows": lambda: of(lambda x: x.prod(0) + x.prod(), 500, 301),
    "prod of all": lambda: of(lambda x: (x / 100 + 1).prod(), 70_003),
    "amax of columns": lambda: just(lambda x: x.amax(0), 500, 1501),
    "norm": lambda: of(lambda x: x.norm(), 500_001),
    "logsumexp": lambda: of(lambda x: x.logsumexp(1), 300, 1001),
    "max": lambda: of(lambda x: x.max(0).values, 5000, 33),
    "softmax": lambda: of(lambda x: x.softmax(-1), 300, 1001),
    "softmax of columns": lambda: of(lambda x: x.softmax(0), 3001, 33),
    "log_softmax bfloat16": lambda: of(lambda x: x.log_softmax(-1), 300, 1001, dtype=BF16),
    "cumsum": lambda: of(lambda x: x.cumsum(0), 20_001, 9),
    "cumsum of rows": lambda: of(lambda x: x.cumsum(1), 131, 301),
    "cumprod": lambda: just(lambda x: (x / 100 + 1).cumprod(1), 65, 5001),
    "layer_norm": lambda: (lambda w: of(lambda x: F.layer_norm(x, (129,), w), 3000, 129))(
        data(129)
    ),
    "layer_norm weights": lambda: (
        lambda x: (
            lambda: gradients(
                lambda w, b: F.layer_norm(x, (129,), w, b), data(129), data(129, seed=1)
            )
        )
    )(data(3000, 129)),
    "batch_norm": lambda: of(lambda x: F.batch_norm(x, None, None, training=True), 64, 17, 15, 15),
    "batch_norm of rows": lambda: of(
        lambda x: F.batch_norm(x, None, None, training=True), 3001, 33
    ),
    "batch_norm of small images": lambda: of(
        lambda x: F.batch_norm(x, None, None, training=True), 40, 65, 7, 7
    ),
    "batch_norm of pixels": lambda: of(
        lambda x: F.batch_norm(x.to(memory_format=kagari.channels_last), None, None, training=True),
        9,
        17,
        33,
        33,
    ),
    "norm 3": lambda: of(lambda x: x.norm(3, dim=1), 300, 101),
    "group_norm": lambda: of(lambda x: F.group_norm(x, 4), 32, 16, 15, 15),
    "rms_norm": lambda: of(lambda x: F.rms_norm(x, (129,)), 3000, 129),
    "cross_entropy": lambda: (lambda t: of(lambda x: F.cross_entropy(x, t), 5000, 33))(
        _indices(5000, 33)
    ),
    "mse_loss": lambda: of(lambda x: F.mse_loss(x, data(4000, 65, seed=1)), 4000, 65),
    "embedding": lambda: (lambda i: of(lambda w: F.embedding(i, w), 100, 65))(
        _indices(20_000, 100)
    ),
    "embedding of a large table": lambda: (
        lambda i: of(lambda w: F.embedding(i, w, 3, scale_grad_by_freq=True), 4200, 260)
    )(_indices(5_000, 4200)),
    "index_select": lambda: (lambda i: just(lambda x: x.index_select(0, i), 300, 260))(
        _indices(5_000, 300)
    ),
    "index_add": lambda: (
        lambda i: of(lambda s: kagari.zeros(50, 33).index_add(0, i, s), 9000, 33)
    )(_indices(9000, 50)),
    "index_put accumulate": lambda: (
        lambda i: just(lambda x: kagari.zeros(50).index_put((i,), x, accumulate=True), 90_000)
    )(_indices(90_000, 50)),
    "scatter_add": lambda: (
        lambda i: just(lambda x: kagari.zeros(50).scatter_add(0, i, x), 90_000)
    )(_indices(90_000, 50)),
    "index": lambda: (lambda i: of(lambda x: x[i], 300, 65))(_indices(20_000, 300)),
    "optimiser": lambda: lambda: _steps(kagari.optim.AdamW, amsgrad=True),
    "optimiser with momentum": lambda: lambda: _steps(kagari.optim.SGD, lr=0.1, momentum=0.9),
    "histogram with weights": lambda: just(
        lambda x: kagari.histogram(x, 50, weight=data(90_001, seed=1)), 90_001
    ),
    "adaptive_avg_pool to one": lambda: of(lambda x: F.adaptive_avg_pool2d(x, 1), 65, 33, 7, 7),
    "adaptive_avg_pool": lambda: of(lambda x: F.adaptive_avg_pool2d(x, (1, 3)), 16, 33, 50, 70),
    "fold": lambda: of(lambda x: F.fold(x, (30, 30), 3, padding=1), 8, 72, 900),
    "cosine_similarity": lambda: of(
        lambda x: F.cosine_similarity(x, data(501, seed=1), dim=-1), 301, 501
    ),
    "pairwise_distance": lambda: of(lambda x: F.pairwise_distance(x, data(501, seed=1)), 301, 501),
    "avg_pool": lambda: of(lambda x: F.avg_pool2d(x, 3, 2, 1), 16, 8, 33, 33),
    "max_pool": lambda: of(lambda x: F.max_pool2d(x, 3, 2, 1), 16, 8, 33, 33),
    "attention": lambda: of(lambda x: F.scaled_dot_product_attention(x, x, x), 4, 4, 65, 16),
    "gelu": lambda: of(F.gelu, 100_003),
    "gelu tanh": lambda: of(lambda x: F.gelu(x, approximate="tanh"), 100_003),
    "sin of strided": lambda: of(lambda x: x.t().sin(), 301, 403),
    "kron": lambda: of(lambda x: kagari.kron(x, data(33, 17)), 65, 31),
    "vander": lambda: just(lambda x: kagari.linalg.vander(x, N=40), 5001),
    "quantile": lambda: of(lambda x: x.quantile(0.3, dim=1), 30, 5001),
    "sort": lambda: just(lambda x: x.sort(-1), 30, 5001),
    "topk": lambda: just(lambda x: x.topk(20, -1), 30, 5001),
    "lu_factor": lambda: just(kagari.linalg.lu_factor, 300, 300),
    "solve": lambda: just(lambda x: kagari.linalg.solve(x, data(300, 3)), 300, 300),
    "cholesky": lambda: just(lambda x: kagari.linalg.cholesky(x @ x.mT), 300, 310),
    "qr": lambda: just(kagari.linalg.qr, 300, 300),
    "eigh": lambda: just(lambda x: kagari.linalg.eigh(_symmetric(x)), 300, 300),
    "svd": lambda: just(lambda x: kagari.linalg.svd(x), 200, 150),
}


def _steps(rule: Any, **options: Any) -> Any:
    """Parameters after three steps: large ones, which threads share, and many small ones."""
    params = [data(*shape) for shape in [(700, 301), (5,), (40_001,), *[(33, 7)] * 40]]
    update = rule(params, **options)
    for step in range(3):
        for i, p in enumerate(params):
            p.grad = data(*p.shape, seed=step * 100 + i + 1)
        update.step()
    return params


def _work(name: str) -> Work:
    return WORK[name]()


@pytest.mark.parametrize("name", WORK)
def test_threads_do_not_change_bits(name: str) -> None:
    work = _work(name)
    kagari.set_num_threads(1)
    want = digest(work())
    for n in THREADS[1:]:
        kagari.set_num_threads(n)
        assert digest(work()) == want, f"{n} threads"


@pytest.mark.slow
def test_linear_784_to_10_on_60000_rows() -> None:
    work = linear(60_000, 784, 10)
    kagari.set_num_threads(1)
    want = digest(work())
    for n in THREADS[1:]:
        kagari.set_num_threads(n)
        assert digest(work()) == want, f"{n} threads"


def test_the_order_of_ops_does_not_change_bits() -> None:
    """A cache that returns what another shape has left, or another number of threads, shows here."""
    names = [
        n for n in WORK if n.startswith(("linear", "conv", "matmul", "transposed", "sum", "bmm"))
    ]
    work = {n: _work(n) for n in names}
    kagari.set_num_threads(2)
    want = {n: digest(work[n]()) for n in names}
    order = random.Random(0)
    for _ in range(2):
        order.shuffle(names)
        for n in names:
            kagari.set_num_threads(order.choice(THREADS))
            assert digest(work[n]()) == want[n], n


def _attention(x: Any) -> Any:
    return F.scaled_dot_product_attention(x, x, x)


def _norm_gradient(x: Any) -> Any:
    y = x.detach().requires_grad_()
    return kagari.autograd.grad(F.layer_norm(y, y.shape[-1:], data(129)), y, x * 2 - 1)[0]


def _prod_gradient(x: Any) -> Any:
    y = x.detach().requires_grad_()
    return kagari.autograd.grad(y.prod(-1).sum(), y)[0]


ROWS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "linear": (lambda x: F.linear(x, data(64, 64), data(64)), (300, 64)),
    "linear narrow": (lambda x: F.linear(x, data(1, 777)), (65, 777)),
    "linear wide": (lambda x: F.linear(x, data(500, 33)), (65, 33)),
    "linear float64": (lambda x: F.linear(x.double(), data(64, 65, dtype=F64)), (300, 65)),
    "linear bfloat16": (lambda x: F.linear(x.bfloat16(), data(64, 65, dtype=BF16)), (300, 65)),
    "layer_norm": (lambda x: F.layer_norm(x, x.shape[-1:], data(129), data(129)), (300, 129)),
    "layer_norm gradient": (_norm_gradient, (303, 129)),
    "rms_norm": (lambda x: F.rms_norm(x, x.shape[-1:]), (300, 129)),
    "softmax": (lambda x: x.softmax(-1), (300, 101)),
    "log_softmax": (lambda x: x.log_softmax(-1), (300, 101)),
    "softmax bfloat16": (lambda x: x.bfloat16().softmax(-1), (300, 101)),
    "attention": (_attention, (9, 4, 33, 16)),
    "gelu": (F.gelu, (300, 17)),
    "sum": (lambda x: x.sum(-1), (300, 1001)),
    "sum of short rows": (lambda x: x.sum(-1), (300, 5)),
    "sum of long rows": (lambda x: x.sum(-1), (70, 5001)),
    "cumsum": (lambda x: x.cumsum(-1), (300, 101)),
    "prod": (lambda x: (x / 10 + 1).prod(-1), (300, 129)),
    "prod gradient": (_prod_gradient, (300, 129)),
    "cosine_similarity": (lambda x: F.cosine_similarity(x, data(1, 129), dim=-1), (300, 129)),
    "adaptive_avg_pool2d": (lambda x: F.adaptive_avg_pool2d(x, 1), (9, 4, 7, 7)),
    "conv2d": (lambda x: F.conv2d(x, data(8, 3, 3, 3), padding=1), (9, 3, 20, 20)),
    "group_norm": (lambda x: F.group_norm(x, 2), (9, 4, 10, 10)),
    "max_pool2d": (lambda x: F.max_pool2d(x, 2), (9, 4, 10, 10)),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_alone_is_the_row_in_its_batch(name: str) -> None:
    f, shape = ROWS[name]
    x = data(*shape)
    for threads in (1, 2):
        kagari.set_num_threads(threads)
        whole = f(x)
        for i in (0, 1, shape[0] // 2, shape[0] - 1):
            assert digest([f(x[i : i + 1])[0]]) == digest([whole[i]]), f"row {i}"
        for first, last in ((0, 2), (3, shape[0] - 1)):
            assert digest([f(x[first:last])]) == digest([whole[first:last]]), (
                f"rows {first} to {last}"
            )


def _mlp() -> Any:
    return nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.LayerNorm(64), nn.Linear(64, 10))


def _cnn() -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10),
    )  # fmt: skip


class _GPT(nn.Module):
    """Two layers of 32, four heads, twenty tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.token, self.place = nn.Embedding(20, 32), nn.Embedding(24, 32)
        layer = nn.TransformerEncoderLayer(
            32, 4, 64, dropout=0.1, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(32, 20)

    def forward(self, tokens: Any) -> Any:
        length = tokens.shape[1]
        x = self.token(tokens) + self.place(kagari.arange(length))
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        return self.head(self.layers(x, mask=mask, is_causal=True))


def _images(*shape: int) -> tuple[Any, Any]:
    return kagari.randn(*shape), kagari.randint(0, 10, shape[:1])


def _text() -> tuple[Any, Any]:
    tokens = kagari.randint(0, 20, (16, 25))
    return tokens[:, :-1], tokens[:, 1:]


def train(make: Callable[[], Any], given: Callable[[], tuple[Any, Any]], steps: int) -> str:
    kagari.manual_seed(0)
    model = make()
    opt = kagari.optim.Adam(model.parameters(), lr=1e-2)
    x, t = given()
    for _ in range(steps):
        opt.zero_grad()
        F.cross_entropy(model(x).flatten(0, -2), t.flatten()).backward()
        opt.step()
    return digest([*model.state_dict().values(), model(x)])


@pytest.mark.parametrize(
    ("make", "given", "steps"),
    [
        pytest.param(_mlp, lambda: _images(256, 20), 100, id="mlp"),
        pytest.param(_cnn, lambda: _images(64, 1, 10, 10), 100, id="cnn"),
        pytest.param(_GPT, _text, 5, id="gpt, five steps"),
        pytest.param(_GPT, _text, 100, id="gpt", marks=pytest.mark.slow),
    ],
)
def test_a_hundred_training_steps(
    make: Callable[[], Any], given: Callable[[], tuple[Any, Any]], steps: int
) -> None:
    found = set()
    for n in THREADS:
        kagari.set_num_threads(n)
        found.add(train(make, given, steps))
    assert len(found) == 1


# ---- every function that takes tensors and perhaps a dimension ----------------------------------

Call = Callable[..., Any]


def _functions() -> Iterator[tuple[str, list[str]]]:
    """Public functions, and the names of the arguments that they need: tensors and `dim`."""
    for row in kagari._core._rows():
        needed = [p for p in row["params"] if p["default"] is None]
        tensors = [p for p in needed if p["type"] in ("Tensor", "Operand")]
        rest = [p["name"] for p in needed if p not in tensors]
        plain = 1 <= len(tensors) <= 3 and rest in ([], ["dim"])
        if row["function"] and plain and row["name"] not in APART:
            yield row["name"], [p["name"] for p in needed]


def _positive(*shape: int, seed: int = 0) -> Any:
    return data(*shape, seed=seed).abs() / 4 + 0.1


# Inputs of which a function takes the first that it accepts: large enough to be split.
INPUTS: list[Callable[[int], Any]] = [
    lambda i: _positive(257, 389, seed=i).requires_grad_(),
    lambda i: (_positive(257, 389, seed=i) * 100).long(),
    lambda i: _positive(257, 389, seed=i) > 0.4,
    lambda i: _positive(40_001, seed=i).requires_grad_(),
    lambda i: (_positive(64, 64, seed=i) + 8 * kagari.eye(64)).requires_grad_(),
    lambda i: _positive(9, 40, 40, seed=i).requires_grad_(),
    lambda i: _positive(2, 8, 33, 33, seed=i).requires_grad_(),
    lambda i: data(257, 389, seed=i).to(C64),
]
LARGEST = 10**7  # elements of a result
APART = {
    "combinations",  # of all the pairs, which do not fit into memory
    "empty_like",  # gives what was there
}


def _results(name: str, call: Call, given: dict[str, Any]) -> list[Any]:
    """What a function gives for a seed, and the gradients of what it can be differentiated by."""
    kagari.manual_seed(0)
    found = [t for t in _tensors(call(**given)) if isinstance(t, kagari.Tensor)]
    result: list[Any] = list(found)
    for y in found:
        if y.requires_grad:
            xs = [x for x in given.values() if isinstance(x, kagari.Tensor) and x.requires_grad]
            cotangent = data(*y.shape, dtype=y.dtype, seed=7)
            grads = kagari.autograd.grad(y, xs, cotangent, allow_unused=True, retain_graph=True)
            result += [g for g in grads if g is not None]
    return result


def _accepted(name: str, call: Call, needed: list[str], dim: int) -> dict[str, Any] | None:
    """Arguments that the function takes."""
    for make in INPUTS:
        given = {n: dim if n == "dim" else make(i) for i, n in enumerate(needed)}
        try:
            shapes = {
                n: x.detach().to("meta") if isinstance(x, kagari.Tensor) else x
                for n, x in given.items()
            }
            outs = _tensors(call(**shapes))
            if any(isinstance(t, kagari.Tensor) and t.numel() > LARGEST for t in outs):
                continue
        except NotImplementedError:
            pass  # the shape follows from the data
        except Exception:
            continue
        try:
            _results(name, call, given)
        except Exception:
            continue
        return given
    return None


@pytest.mark.parametrize("counts", [(3,), pytest.param((2, 4, 8), marks=pytest.mark.slow)])
def test_every_function_gives_the_same_bits_for_any_number_of_threads(
    counts: tuple[int, ...],
) -> None:
    tried: set[str] = set()
    wrong: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, needed in _functions():
            call = getattr(kagari, name)
            for dim in (0, 1) if "dim" in needed else (0,):
                kagari.set_num_threads(1)
                given = _accepted(name, call, needed, dim)
                if given is None:
                    continue
                tried.add(name)
                want = digest(_results(name, call, given))
                for n in counts:
                    kagari.set_num_threads(n)
                    if digest(_results(name, call, given)) != want:
                        wrong.append(f"{name}, {n} threads")
    assert not wrong
    assert len(tried) > 350
