"""Derivatives through sparse tensors, and how sparse gradients add up."""

from __future__ import annotations

import pytest
from sparse_cases import close, coo, values

import kagari
from kagari.autograd import gradcheck, gradgradcheck

PLACES = [[3, 0, 1, 0, 0, 3], [1, 4, 2, 0, 4, 1]]


def of(v):
    return kagari.sparse_coo_tensor(PLACES, v, (4, 5))


def rows(v):
    return kagari.sparse_coo_tensor([[2, 0, 2]], v.view(3, 2), (4, 2))


OTHER = coo().coalesce()
DERIVED = [
    lambda v: of(v).to_dense(),
    lambda v: of(v).to_dense(masked_grad=False),
    lambda v: of(v).coalesce().values(),
    lambda v: of(v).coalesce().to_dense(),
    lambda v: of(v).to_sparse_csr().values(),
    lambda v: of(v).to_sparse_csc().to_dense(),
    lambda v: (of(v) * 3).to_dense(),
    lambda v: (of(v) / 3).to_dense(),
    lambda v: (-of(v)).to_dense(),
    lambda v: of(v).clone().to_dense(),
    lambda v: of(v).t().to_dense(),
    lambda v: of(v).to_sparse_csr().t().to_dense(),
    lambda v: (of(v) + OTHER).to_dense(),
    lambda v: (of(v) - of(v) * 2).to_dense(),
    lambda v: values(4, 5, seed=2) + of(v),
    lambda v: (of(v) * values(4, 5, seed=2)).to_dense(),
    lambda v: (of(v) * OTHER).to_dense(),
    lambda v: of(v).sin().to_dense(),
    lambda v: (of(v) ** 2).to_dense(),
    lambda v: of(v).sum(),
    lambda v: of(v).sum(0).to_dense(),
    lambda v: kagari.sparse.sum(of(v), (0, 1)),
    lambda v: kagari.sparse.softmax(of(v), 1).values(),
    lambda v: kagari.sparse.log_softmax(of(v), 0).values(),
    lambda v: of(v).norm(),
    lambda v: of(v)[0].to_dense(),
    lambda v: of(v)[0, 4],
    lambda v: of(v)[1:, ::2].to_dense(),
    lambda v: of(v).index_select(0, kagari.tensor([0, 0, 3])).to_dense(),
    lambda v: kagari.cat([of(v), of(v) * 2], 1).to_dense(),
    lambda v: kagari.stack([of(v), OTHER]).to_dense(),
    lambda v: of(v).sparse_mask(OTHER).values(),
    lambda v: rows(v).to_dense(),
    lambda v: rows(v).sum(1).to_dense(),
    lambda v: rows(v).sum(0),
    lambda v: kagari.sparse.softmax(rows(v), 0).to_dense(),
    lambda v: rows(v).to(kagari.complex128).to_dense(),
    lambda v: kagari.sparse_csr_tensor([0, 2, 4, 6], [0, 1, 0, 2, 1, 2], v).to_dense(),
    lambda v: v.view(2, 3).to_sparse().to_dense(),
    lambda v: v.view(2, 3).to_sparse_csr().values(),
    lambda v: v.view(2, 3).sparse_mask(kagari.eye(2, 3).to_sparse()).values(),
]


@pytest.mark.parametrize("row", range(len(DERIVED)))
def test_derivatives(row):
    v = values(6).requires_grad_()
    assert gradcheck(DERIVED[row], (v,))
    assert gradgradcheck(DERIVED[row], (v,))


SPARSE = [
    lambda x: x.to_dense(),
    lambda x: x.coalesce().values(),
    lambda x: (x * 2).to_dense(),
    lambda x: (x + x).to_dense(),
    lambda x: x.t().to_dense(),
    lambda x: kagari.sparse.sum(x),
    lambda x: x.to_sparse_csr().values(),
    lambda x: x.sin().to_dense(),
]


@pytest.mark.parametrize("row", range(len(SPARSE)))
def test_leaves_have_sparse_gradients(row):
    x = coo().requires_grad_()
    SPARSE[row](x).square().sum().backward()
    assert x.grad.layout is kagari.sparse_coo and x.grad.shape == x.shape
    full = coo().to_dense().requires_grad_()
    mask = full.detach() != 0
    same = {
        0: lambda: full,
        1: lambda: full[mask],
        2: lambda: full * 2,
        3: lambda: full + full,
        4: lambda: full.t(),
        5: lambda: full.sum(),
        6: lambda: full[mask],
        7: lambda: full.sin(),
    }[row]
    same().square().sum().backward()
    close(x.grad, full.grad * mask)


@pytest.mark.parametrize("f", [lambda x: x.sum(), lambda x: kagari.ones(4, 5) + x])
def test_some_gradients_of_leaves_are_strided(f):
    x = coo().requires_grad_()
    f(x).sum().backward()
    assert x.grad.layout is kagari.strided and x.grad.equal(kagari.ones(4, 5).double())


def test_unmasked_gradient():
    x = coo().requires_grad_()
    x.to_dense(masked_grad=False).sum().backward()
    assert x.grad.layout is kagari.strided and x.grad.equal(kagari.ones(4, 5).double())


def sparse_part(w):
    return kagari.nn.functional.embedding(kagari.tensor([1, 1, 3]), w, sparse=True).sum()


def dense_part(w):
    return (w * w).sum()


@pytest.mark.parametrize(
    "parts, layout",
    [
        ([sparse_part], kagari.sparse_coo),
        ([sparse_part, sparse_part], kagari.sparse_coo),
        ([sparse_part, dense_part], kagari.strided),
        ([dense_part, sparse_part], kagari.strided),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_gradients_add_up(parts, layout, together):
    w = values(4, 2).requires_grad_()
    if together:
        sum(part(w) for part in parts).backward()
    else:
        for part in parts:
            part(w).backward()
    assert w.grad.layout is layout
    want = kagari.zeros(4, 2).double()
    for part in parts:
        one = kagari.zeros(4, 2).double()
        one[1], one[3] = 2, 1
        want += one if part is sparse_part else 2 * w.detach()
    close(w.grad, want)


def test_gradients_of_the_user_are_not_written():
    w = values(4, 2).requires_grad_()
    given = kagari.sparse_coo_tensor([[1]], [[1.0, 2.0]], (4, 2), dtype=kagari.float64)
    w.grad = given
    sparse_part(w).backward()
    assert w.grad is given and given._nnz() == 4
    x = kagari.zeros(3, 3, requires_grad=True)
    mine = kagari.eye(3).to_sparse()
    x.backward(mine)
    x.backward(mine)
    assert mine._nnz() == 3 and x.grad.to_dense().equal(2 * kagari.eye(3))


def test_hooks_see_sparse_gradients():
    seen = []
    w = values(4, 2).requires_grad_()
    w.register_hook(lambda g: seen.append(g.layout))
    sparse_part(w).backward()
    assert seen == [kagari.sparse_coo]
    x = (coo().requires_grad_() * 2).coalesce()
    x.retain_grad()
    x.values().sum().backward()
    assert x.grad.layout is kagari.sparse_coo and x.grad.values().tolist() == [1] * 4


def test_gradients_are_found_for_sparse_inputs():
    x = coo().requires_grad_()
    (g,) = kagari.autograd.grad(x.to_dense().square().sum(), x)
    close(g, 2 * coo().to_dense())
    y = x * 2
    assert y.requires_grad and y.grad_fn is not None and not y.is_leaf
    assert not y.detach().requires_grad and y.detach().layout is kagari.sparse_coo
    with kagari.no_grad():
        assert not (x * 2).requires_grad


def test_sparse_roots():
    x = coo().coalesce().requires_grad_()
    (x * 3).backward(coo().coalesce())
    close(x.grad, 3 * coo().to_dense())
    with pytest.raises(RuntimeError):
        (x * 3).backward()


def test_functions_save_sparse_tensors():
    class Product(kagari.autograd.Function):
        @staticmethod
        def forward(ctx, a, d):
            ctx.save_for_backward(a)
            return a @ d

        @staticmethod
        def backward(ctx, g):
            (a,) = ctx.saved_tensors
            return None, a.t() @ g

    d = values(5, 3).requires_grad_()
    Product.apply(coo(), d).sum().backward()
    close(d.grad, coo().to_dense().t() @ kagari.ones(4, 3).double())


def test_checkpoints_and_gradient_scaling():
    from kagari.utils.checkpoint import checkpoint

    d = values(5, 3).requires_grad_()
    a = coo()
    checkpoint(lambda t: (a @ t).sin(), d, use_reentrant=False).sum().backward()
    got, d.grad = d.grad, None
    (a @ d).sin().sum().backward()
    close(got, d.grad)

    table = kagari.nn.Embedding(4, 2, sparse=True)
    opt = kagari.optim.SGD(table.parameters(), lr=1.0)
    scaler = kagari.amp.GradScaler("cpu", init_scale=8.0)
    before = table.weight.detach().clone()
    scaler.scale(table(kagari.tensor([1, 1])).sum()).backward()
    scaler.step(opt)
    scaler.update()
    assert (before - table.weight.detach()).round(decimals=4).tolist() == [[0, 0], [2, 2]] + [
        [0, 0]
    ] * 2
    table.weight.grad = kagari.sparse_coo_tensor([[1]], [[kagari.inf, 0.0]], (4, 2))
    scaler.step(opt)  # left out
    assert table.weight.isfinite().all()


@pytest.mark.filterwarnings("ignore:Error detected")
def test_anomaly_mode_looks_at_sparse_gradients():
    w = values(4, 2).requires_grad_()
    with kagari.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="nan"):
        out = kagari.nn.functional.embedding(kagari.tensor([1]), w, sparse=True)
        (out * kagari.nan).sum().backward()
