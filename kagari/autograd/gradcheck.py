"""Gradients against numbers: gradcheck and gradgradcheck compare with central differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import kagari

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """Raised when analytical and numerical gradients differ."""


def _as_tuple(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _is_checked(t: Any) -> bool:
    return isinstance(t, kagari.Tensor) and t.requires_grad


def _differentiable(outputs: tuple[Any, ...]) -> list[Any]:
    return [o for o in outputs if isinstance(o, kagari.Tensor) and o.requires_grad]


def _real_parts(t: Any) -> Any:
    """A flat real view of the numbers in a tensor: complex ones count as two."""
    t = t.detach()
    return kagari.view_as_real(t.resolve_conj()).reshape(-1) if t.is_complex() else t.reshape(-1)


def _numerical(
    func: Callable[..., Any], inputs: tuple[Any, ...], which: int, eps: float
) -> list[list[list[float]]]:
    """d(output)/d(input) by central differences: rows are input numbers, one table per output."""
    x = inputs[which]
    flat = _real_parts(x.clone())
    tables: list[list[list[float]]] = []

    def evaluate(values: Any) -> list[Any]:
        shaped = (
            kagari.view_as_complex(values.reshape(*x.shape, 2))
            if x.is_complex()
            else values.reshape(x.shape)
        )
        moved = shaped.to(x.dtype).requires_grad_()
        args = (*inputs[:which], moved, *inputs[which + 1 :])
        return [_real_parts(o).clone() for o in _differentiable(_as_tuple(func(*args)))]

    for i in range(flat.numel()):
        high, low = flat.clone(), flat.clone()
        high[i] += eps
        low[i] -= eps
        above, below = evaluate(high), evaluate(low)
        if not tables:
            tables = [[] for _ in above]
        for table, a, b in zip(tables, above, below, strict=True):
            table.append(((a - b) / (2 * eps)).tolist())
    return tables


def _analytical(
    func: Callable[..., Any], inputs: tuple[Any, ...], checked: list[int]
) -> list[list[Any]]:
    """The same tables from backward, one table per (input, output): rows are output numbers."""
    outputs = _differentiable(_as_tuple(func(*inputs)))
    targets = [inputs[i] for i in checked]
    rows: list[list[Any]] = [[[] for _ in outputs] for _ in checked]
    for o, out in enumerate(outputs):
        count = _real_parts(out).numel()
        for j in range(count):
            seed = kagari.zeros_like(out.detach())
            flat = _real_parts(seed)
            flat[j] = 1.0
            if out.is_complex():
                seed = kagari.view_as_complex(flat.reshape(*out.shape, 2))
            else:
                seed = flat.reshape(out.shape)
            grads = kagari.autograd.grad(
                out, targets, seed, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            for k, g in enumerate(grads):
                if not isinstance(g, kagari.Tensor) or g.shape != targets[k].shape:
                    raise GradcheckError(f"gradcheck: gradient {k} has the wrong shape: {g}")
                rows[k][o].append(_real_parts(g).tolist())
    return rows


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compares the gradients that backward gives with central differences.

    (f(x + eps) - f(x - eps)) / (2 eps) must equal the derivative within atol + rtol * |numerical|,
    for every number of every input that requires grad; complex numbers count as two.

    Args:
        func: takes Tensors, returns a Tensor or a tuple of Tensors.
        inputs: its arguments; those with requires_grad are checked and should be float64.
        eps: the step of the differences.
        atol, rtol: tolerances.
        raise_exception: whether a difference raises GradcheckError or returns False.
        nondet_tol: how much two backward runs may differ.

    Returns:
        True when all agree.

    Example:
        >>> import kagari
        >>> x = kagari.rand(3, dtype=kagari.float64, requires_grad=True)
        >>> kagari.autograd.gradcheck(kagari.exp, x)
        True
    """
    for name, wanted in (
        ("check_batched_grad", check_batched_grad),
        ("check_batched_forward_grad", check_batched_forward_grad),
        ("check_forward_ad", check_forward_ad),
    ):
        if wanted:
            raise NotImplementedError(
                f"gradcheck: {name} needs forward mode or vmap, which kagari does not have yet; "
                "leave it False"
            )
    try:
        _check(func, _as_tuple(inputs), eps, atol, rtol, nondet_tol, check_grad_dtypes)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _check(
    func: Callable[..., Any],
    inputs: tuple[Any, ...],
    eps: float,
    atol: float,
    rtol: float,
    nondet_tol: float,
    check_dtypes: bool,
) -> None:
    checked = [i for i, t in enumerate(inputs) if _is_checked(t)]
    if not checked:
        raise ValueError(
            "gradcheck: expected at least one input Tensor to require gradient, but none of them "
            "have requires_grad=True"
        )
    analytical = _analytical(func, inputs, checked)
    again = _analytical(func, inputs, checked)
    if nondet_tol == 0.0 and not _same(analytical, again):
        raise GradcheckError(
            "gradcheck: backward is not reentrant: two runs on the same input gave other gradients"
        )
    for k, i in enumerate(checked):
        numerical = _numerical(func, inputs, i, eps)
        for o, table in enumerate(numerical):
            rows = analytical[k][o]
            for a in range(len(table)):
                for b in range(len(table[a])):
                    n, v = table[a][b], rows[b][a]
                    if not abs(n - v) <= atol + rtol * abs(n) and not (n != n and v != v):
                        raise GradcheckError(
                            f"gradcheck: Jacobian mismatch for output {o} with respect to input "
                            f"{i}, element ({a}, {b}): numerical {n:.10g}, analytical {v:.10g}"
                        )


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, list):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b or (a != a and b != b))


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Sequence[Any] | Any | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Compares second derivatives with central differences of the first.

    Args:
        func, inputs, eps, atol, rtol, raise_exception, nondet_tol: as for gradcheck.
        grad_outputs: cotangents; random ones when not given.

    Example:
        >>> import kagari
        >>> x = kagari.rand(3, dtype=kagari.float64, requires_grad=True)
        >>> kagari.autograd.gradgradcheck(kagari.sin, x)
        True
    """
    inputs = _as_tuple(inputs)
    outputs = _differentiable(_as_tuple(func(*inputs)))
    if grad_outputs is None:
        cotangents = []
        for out in outputs:
            seed = kagari.randn_like(out.detach())
            if gen_non_contig_grad_outputs:
                seed = kagari.stack([seed, seed], -1)[..., 0]
            cotangents.append(seed.requires_grad_())
    else:
        cotangents = [g.detach().requires_grad_() for g in _as_tuple(grad_outputs)]
    n = len(inputs)
    checked = [i for i, t in enumerate(inputs) if _is_checked(t)]

    def first(*args: Any) -> tuple[Any, ...]:
        outs = _differentiable(_as_tuple(func(*args[:n])))
        grads: tuple[Any, ...] = kagari.autograd.grad(
            outs, [args[i] for i in checked], args[n:], create_graph=True, allow_unused=True
        )
        return tuple(g for g in grads if g is not None and g.requires_grad)

    return gradcheck(
        first,
        (*inputs, *cotangents),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_grad_dtypes=check_grad_dtypes,
    )
