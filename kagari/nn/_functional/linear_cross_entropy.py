"""Cross entropy of a linear layer's logits, at once or in chunks."""

from __future__ import annotations

import warnings
from typing import Any

import kagari
from kagari import Tensor
from kagari.amp._precision import full_precision
from kagari.autograd import Function
from kagari.nn._functional.linear import linear
from kagari.nn._functional.loss import cross_entropy
from kagari.nn.modules.linear_cross_entropy_options import LinearCrossEntropyOptions
from kagari.overrides import overridable


class _ChunkedLosses(Function):
    """The losses of all inputs; for the gradient each chunk is computed again."""

    @staticmethod
    def forward(
        ctx: Any,
        input: Tensor,
        linear_weight: Tensor,
        linear_bias: Tensor | None,
        target: Tensor,
        weight: Tensor | None,
        ignore_index: int,
        chunk: int,
        sum_dtype: kagari.dtype,
    ) -> Tensor:
        ctx.save_for_backward(input, linear_weight, linear_bias, target, weight)
        ctx.options = (ignore_index, chunk, sum_dtype)
        return kagari.cat(
            [
                cross_entropy(
                    linear(x, linear_weight, linear_bias),
                    y,
                    weight=weight,
                    reduction="none",
                    ignore_index=ignore_index,
                )
                for x, y in zip(input.split(chunk), target.split(chunk), strict=True)
            ]
        )

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        input, linear_weight, linear_bias, target, weight = ctx.saved_tensors
        ignore_index, chunk, sum_dtype = ctx.options
        options = {"weight": weight, "reduction": "none", "ignore_index": ignore_index}
        needs = ctx.needs_input_grad[:3]
        leaves = (input, linear_weight, linear_bias)
        wanted = [x for x, need in zip(leaves, needs, strict=True) if need]
        if kagari.is_grad_enabled():
            loss = cross_entropy(linear(input, linear_weight, linear_bias), target, **options)
            found = kagari.autograd.grad(loss, wanted, grads[0], create_graph=True)
        else:
            found = tuple(_sums(leaves, needs, target, grads[0], options, chunk, sum_dtype))
        results = iter(found)
        return (*(next(results) if need else None for need in needs), *[None] * 5)


def _sums(
    leaves: tuple[Tensor, Tensor, Tensor | None],
    needs: tuple[bool, ...],
    target: Tensor,
    grad: Tensor,
    options: dict[str, Any],
    chunk: int,
    sum_dtype: kagari.dtype,
) -> list[Tensor]:
    """The gradients that are needed: joined over chunks for the input, added up for parameters."""
    input, *parameters = leaves
    parts: list[Tensor] = []
    sums: dict[int, Tensor] = {}
    pieces = zip(input.split(chunk), target.split(chunk), grad.split(chunk), strict=True)
    for x, y, g in pieces:
        with kagari.enable_grad():
            local = [
                None if leaf is None else leaf.detach().requires_grad_(need)
                for leaf, need in zip((x, *parameters), needs, strict=True)
            ]
            loss = cross_entropy(linear(*local), y, **options)
        wanted = [i for i in range(3) if needs[i]]
        found = kagari.autograd.grad(loss, [local[i] for i in wanted], g)
        for i, part in zip(wanted, found, strict=True):
            if i == 0:
                parts.append(part)
            elif i in sums:
                sums[i] += part
            else:
                sums[i] = part.to(sum_dtype)
    result = [kagari.cat(parts)] if needs[0] else []
    for i, parameter in enumerate(parameters, 1):
        if needs[i] and parameter is not None:
            result.append(sums[i].to(parameter.dtype))
    return result


def _in_chunks(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    linear_bias: Tensor | None,
    weight: Tensor | None,
    reduction: str,
    ignore_index: int | None,
    options: LinearCrossEntropyOptions,
) -> Tensor:
    if target.dim() != 1 or target.shape[0] != input.shape[0]:
        raise RuntimeError(
            f"linear_cross_entropy: expected target {(input.shape[0],)}, got {tuple(target.shape)}"
        )
    ignored = -100 if ignore_index is None else ignore_index
    classes, features = linear_weight.shape
    losses: Tensor = _ChunkedLosses.apply(
        input,
        linear_weight,
        linear_bias,
        target,
        weight,
        ignored,
        options._chunk(input.shape[0], features, classes),
        options._sum_dtype(linear_weight.dtype),
    )
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    if reduction != "mean":
        raise ValueError(f"{reduction} is not a valid value for reduction")
    counted = target != ignored
    if weight is None:
        return losses.sum() / counted.sum()
    return losses.sum() / weight[target.masked_fill(~counted, 0)].masked_fill(~counted, 0).sum()


@overridable
@full_precision
def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: LinearCrossEntropyOptions | None = None,
) -> Tensor:
    r"""Cross entropy of the logits :math:`x A^T + b`.

    Args:
        input (Tensor): ``(N, in_features)`` or ``(in_features,)``.
        linear_weight (Tensor): ``(C, ..., in_features)``.
        target (Tensor): as for :func:`cross_entropy` of logits ``(N, C, ...)``.
        linear_bias (Tensor): ``(C, ...)``.
        weight (Tensor): weights of classes ``(C,)``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.
        ignore_index (int): a target class that counts for nothing; -100 by default.
        label_smoothing (float): the part of the target spread evenly over the classes.
        options (LinearCrossEntropyOptions): compute the logits of a few inputs at a time; for
            class indices without smoothing and without further sizes of the logits, else ignored
            with a warning.

    Returns:
        A scalar, or the shape of the classes with ``"none"``.

    Raises:
        RuntimeError: the shapes do not fit.
        TypeError: ``options`` is of another class.

    Example:
        >>> import kagari
        >>> x, w = kagari.zeros(1, 3), kagari.zeros(2, 3)
        >>> round(linear_cross_entropy(x, w, kagari.tensor([1])).item(), 4)
        0.6931
    """
    if input.dim() not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.dim()}")
    if linear_weight.dim() < 2:
        raise RuntimeError(
            f"expected linear_weight with dimensionality at least 2, got {linear_weight.dim()}"
        )
    classes, *more, features = linear_weight.shape
    if input.shape[-1] != features:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{input.shape[-1]} and {features}, respectively"
        )
    if linear_bias is not None and tuple(linear_bias.shape) != (classes, *more):
        raise RuntimeError(
            f"expected linear_bias shape {(classes, *more)}, got {tuple(linear_bias.shape)}"
        )
    if more and input.dim() == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(linear_weight.shape)} "
            f"requires batched input, (N, {features}), got unbatched input with shape "
            f"{tuple(input.shape)}"
        )
    logits_shape = (*input.shape[:-1], classes, *more)
    if ignore_index is not None and tuple(target.shape) == logits_shape:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    if options is not None:
        if not isinstance(options, LinearCrossEntropyOptions):
            raise TypeError(
                "linear_cross_entropy: expected options to be LinearCrossEntropyOptions, got "
                f"{type(options).__name__}"
            )
        if target.dtype == kagari.int64 and label_smoothing == 0 and not more and input.dim() == 2:
            return _in_chunks(
                input, linear_weight, target, linear_bias, weight, reduction, ignore_index, options
            )
        if input.dim() == 2:
            warnings.warn(
                "linear_cross_entropy: ``options`` ignored; chunks need label_smoothing == 0, "
                "target.dtype == int64 and out_features == ()",
                stacklevel=2,
            )
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    logits = linear(input, linear_weight.reshape(-1, features), bias).reshape(logits_shape)
    return cross_entropy(
        logits,
        target,
        weight=weight,
        reduction=reduction,
        ignore_index=-100 if ignore_index is None else ignore_index,
        label_smoothing=label_smoothing,
    )
