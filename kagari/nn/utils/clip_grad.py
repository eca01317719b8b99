"""Clipping of gradients."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import kagari
from kagari import Tensor
from kagari._core import ops

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
]

# `foreach` chooses between two ways to the same result in PyTorch. There is one way here.


def _as_list(tensors: Any) -> list[Any]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of several tensors as if they were one vector.

    Args:
        tensors (Tensor or iterable): the tensors.
        norm_type (float): the norm's exponent; ``inf`` for the maximum.
        error_if_nonfinite (bool): raise if the norm is not finite.
        foreach (bool): accepted as in PyTorch; the result does not depend on it.

    Returns:
        A scalar.

    Raises:
        RuntimeError: the norm is not finite and ``error_if_nonfinite`` is set.

    Example:
        >>> import kagari
        >>> get_total_norm([kagari.tensor([3.0]), kagari.tensor([4.0])]).item()
        5.0
    """
    tensors = _as_list(tensors)
    norm_type = float(norm_type)
    if not tensors:
        return kagari.tensor(0.0)
    with kagari.no_grad():
        device = tensors[0].device
        norms = [ops.linalg_vector_norm(t, norm_type).to(device) for t in tensors]
        total = ops.linalg_vector_norm(kagari.stack(norms), norm_type)
    if error_if_nonfinite and not bool(total.isfinite()):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, "
            "so it cannot be clipped. To disable this error and scale the gradients by the "
            "non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    r"""Multiplies gradients by :math:`\min(\text{max\_norm} / (\text{total\_norm} + 10^{-6}), 1)`.

    Args:
        parameters (Tensor or iterable): their gradients are changed in place.
        max_norm (float): the norm that is allowed.
        total_norm (Tensor): the norm they have.
        foreach (bool): accepted as in PyTorch; the result does not depend on it.

    Example:
        >>> import kagari
        >>> x = kagari.zeros(2, requires_grad=True)
        >>> x.grad = kagari.tensor([3.0, 4.0])
        >>> kagari.nn.utils.clip_grads_with_norm_([x], 1.0, kagari.tensor(5.0))
        >>> x.grad
        tensor([0.6000, 0.8000])
    """
    grads = [p.grad for p in _as_list(parameters) if p.grad is not None]
    if not grads:
        return
    with kagari.no_grad():
        # Multiplying by one leaves bits as they are, and needs no look at the norm's value.
        factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        for grad in grads:
            grad.mul_(factor.to(grad.device))


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scales gradients in place so that their common norm is at most ``max_norm``.

    Args:
        parameters (Tensor or iterable): the parameters.
        max_norm (float): the norm that is allowed.
        norm_type (float): the norm's exponent; ``inf`` for the maximum.
        error_if_nonfinite (bool): raise if the norm is not finite.
        foreach (bool): accepted as in PyTorch; the result does not depend on it.

    Returns:
        The norm before clipping.

    Raises:
        RuntimeError: the norm is not finite and ``error_if_nonfinite`` is set.

    Example:
        >>> import kagari
        >>> p = kagari.zeros(2, requires_grad=True)
        >>> p.grad = kagari.tensor([3.0, 4.0])
        >>> clip_grad_norm_([p], 1.0).item()
        5.0
        >>> round(p.grad.norm().item(), 4)
        1.0

    Reference: Pascanu et al. 2012, https://arxiv.org/abs/1211.5063
    """
    generator = isinstance(parameters, Iterator)
    parameters = _as_list(parameters)
    if generator and not parameters:
        warnings.warn(
            "`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2
        )
    grads = [p.grad for p in parameters if p.grad is not None]
    total = get_total_norm(grads, norm_type, error_if_nonfinite)
    clip_grads_with_norm_(parameters, max_norm, total)
    return total


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Deprecated name of :func:`clip_grad_norm_`."""
    warnings.warn(
        "`nn.utils.clip_grad_norm` is now deprecated in favor of `nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Cuts every element of the gradients to ``[-clip_value, clip_value]``, in place.

    Args:
        parameters (Tensor or iterable): the parameters.
        clip_value (float): the value that is allowed.
        foreach (bool): accepted as in PyTorch; the result does not depend on it.

    Example:
        >>> import kagari
        >>> p = kagari.zeros(2, requires_grad=True)
        >>> p.grad = kagari.tensor([3.0, -4.0])
        >>> clip_grad_value_(p, 1.0)
        >>> p.grad.tolist()
        [1.0, -1.0]
    """
    clip_value = float(clip_value)
    with kagari.no_grad():
        for parameter in _as_list(parameters):
            if parameter.grad is not None:
                parameter.grad.clamp_(min=-clip_value, max=clip_value)
