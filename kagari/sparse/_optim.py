"""The steps of optimisers for sparse gradients, where the step is one call for all parameters."""

from __future__ import annotations

from typing import Any, NoReturn, TypeAlias

import kagari
from kagari._core import ops
from kagari.sparse._convert import clone, replace
from kagari.sparse._layout import is_sparse
from kagari.sparse._table import named

Tensor: TypeAlias = "kagari.Tensor"


@named("_fused_adam_", "_fused_adamw_")
def _adam(*args: Any, **kwargs: Any) -> NoReturn:
    raise RuntimeError("Adam does not support sparse gradients, please consider SparseAdam instead")


@named("_fused_sgd_")
def _sgd(params: Any, grads: Any, buffers: Any, **options: Any) -> None:
    """Strided gradients in one call, then the sparse ones."""
    buffers = buffers or [None] * len(params)
    dense: list[Any] = []
    sparse: list[Any] = []
    for entry in zip(params, grads, buffers, strict=True):
        (sparse if is_sparse(entry[1]) else dense).append(entry)
    if options["grad_scale"] is not None or options["found_inf"] is not None:
        raise RuntimeError(
            "`fused=True` SGD does not support sparse gradients with a gradient scaler; leave "
            "`fused` unset"
        )
    if dense:
        p, g, b = (list(column) for column in zip(*dense, strict=True))
        ops._fused_sgd_(p, g, [] if b[0] is None else b, **options)
    for p, g, b in sparse:
        _sgd_one(p, g, b, options)


def _sgd_one(p: Tensor, grad: Tensor, buffer: Tensor | None, o: dict[str, Any]) -> None:
    if o["maximize"]:
        grad = -grad
    if o["weight_decay"] != 0:
        grad = grad.add(p, alpha=o["weight_decay"])
    if o["momentum"] and buffer is not None:
        if o["is_first_step"]:
            replace(buffer, clone(grad))
        else:
            buffer.mul_(o["momentum"]).add_(grad, alpha=1 - o["dampening"])
        grad = grad.add(buffer, alpha=o["momentum"]) if o["nesterov"] else buffer
    p.add_(grad, alpha=-o["lr"])
