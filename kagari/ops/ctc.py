"""Connectionist temporal classification: the likelihood of labels over all their alignments."""

from __future__ import annotations

import math
from functools import cache

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor

Lengths = tuple[int, ...]

_LOW = -1e30  # stands for log 0 where gradients must stay finite
_MEAN, _SUM = 1, 2


def _label_matrix(targets: Tensor, lengths: Lengths, batch: int) -> Tensor:
    """Labels ``(N, S)`` from such a matrix or from all sequences in one dimension."""
    import kagari

    targets = targets.long()
    longest = max(lengths, default=0)
    if targets.dim() == 2:
        if targets.shape[0] != batch:
            raise RuntimeError(
                f"ctc_loss: Expected tensor to have size {batch} at dimension 0, but got size "
                f"{targets.shape[0]} for argument #2 'targets'"
            )
        if targets.shape[1] < longest:
            raise RuntimeError(
                f"ctc_loss: Expected tensor to have size at least {longest} at dimension 1, but "
                f"got size {targets.shape[1]} for argument #2 'targets'"
            )
        return targets
    if targets.dim() != 1:
        raise RuntimeError(
            f"ctc_loss: expected targets of 1 or 2 dimensions, got {tuple(targets.shape)}"
        )
    if targets.shape[0] != sum(lengths):
        raise RuntimeError(
            f"ctc_loss: Expected tensor to have size {sum(lengths)} at dimension 0, but got size "
            f"{targets.shape[0]} for argument #2 'targets'"
        )
    if longest == 0:
        return targets.new_zeros((batch, 0))
    return kagari.stack(
        [
            kagari.nn.functional.pad(piece, (0, longest - length))
            for piece, length in zip(targets.split(list(lengths)), lengths, strict=True)
        ]
    )


def _states(targets: Tensor, blank: int) -> Tensor:
    """The labels with blanks between and around them, ``(N, 2 S + 1)``."""
    import kagari

    batch, length = targets.shape
    states = kagari.full((batch, 2 * length + 1), blank, dtype=kagari.int64, device=targets.device)
    states[:, 1::2] = targets
    return states


def _moved(alpha: Tensor, by: int) -> Tensor:
    """Each state's value put ``by`` states further."""
    import kagari

    return kagari.nn.functional.pad(alpha[:, : max(alpha.shape[1] - by, 0)], (by, 0), value=_LOW)[
        :, : alpha.shape[1]
    ]


def _log_sum(x: Tensor, dim: int) -> Tensor:
    most = x.detach().amax(dim, keepdim=True)
    return (x - most).exp().sum(dim).log() + most.squeeze(dim)


def _losses(
    log_probs: Tensor, targets: Tensor, input_lengths: Lengths, target_lengths: Lengths, blank: int
) -> Tensor:
    r"""The losses in tensor operations: the recurrence over alignments in log space.

    A :math:`\sum_{tc} e^{\log p_{tc}}`, less its value, is added: zero where ``log_probs`` are
    normalised, it makes the gradient :math:`p_{tc}` less the probability of passing label c at
    step t.
    """
    import kagari

    time, batch, _ = log_probs.shape
    states = _states(targets, blank)
    width = states.shape[1]
    place = kagari.arange(width)
    ends = kagari.tensor(target_lengths).unsqueeze(1) * 2  # the last state, a blank
    steps = kagari.tensor(input_lengths).unsqueeze(1)
    jumps = kagari.zeros_like(states, dtype=kagari.bool)
    jumps[:, 2:] = (states[:, 2:] != states[:, :-2]) & (place[2:] % 2 == 1)
    emitted = log_probs.gather(2, states.expand(time, batch, width)).clamp(min=_LOW)
    alpha = emitted[0].masked_fill((place > 1) | (place > ends), _LOW)
    for t in range(1, time):
        ways = [alpha, _moved(alpha, 1), _moved(alpha, 2).masked_fill(~jumps, _LOW)]
        longer = _log_sum(kagari.stack(ways), 0) + emitted[t]
        alpha = kagari.where(steps > t, longer, alpha)
    final = kagari.cat([alpha.gather(1, ends), alpha.gather(1, (ends - 1).clamp(min=0))], 1)
    final = final.masked_fill(kagari.cat([ends < 0, ends == 0], 1), _LOW)
    loss = -_log_sum(final, 1)
    # Where nothing fits, infinity without a gradient that means anything; elsewhere untouched.
    loss = loss * kagari.where(loss.detach() > -_LOW / 2, math.inf, 1.0).to(loss.dtype)
    nothing = kagari.tensor([n == 0 for n in input_lengths])
    if bool(nothing.any()):
        of_nothing = [math.inf if n else 0.0 for n in target_lengths]
        loss = kagari.where(nothing, kagari.tensor(of_nothing, dtype=loss.dtype), loss)
    within = (kagari.arange(time).unsqueeze(1) < steps.squeeze(1)).unsqueeze(2)
    total = log_probs.exp().masked_fill(~within, 0).sum((0, 2))
    return loss + (total - total.detach())


@cache
def _loss_function() -> Any:
    """The fused op: a kernel each for value and gradient, tensor operations for more of them."""
    import kagari
    from kagari.autograd import Function

    class CtcLoss(Function):
        @staticmethod
        def forward(
            ctx: Any,
            log_probs: Tensor,
            targets: Tensor,
            input_lengths: Lengths,
            target_lengths: Lengths,
            blank: int,
            zero_infinity: bool,
        ) -> Tensor:
            loss, log_alpha = ops._ctc_alpha(
                log_probs, targets, input_lengths, target_lengths, blank
            )
            ctx.save_for_backward(log_probs, targets, loss, log_alpha)
            ctx.options = (input_lengths, target_lengths, blank)
            ctx.zero_infinity = zero_infinity
            return loss

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            log_probs, targets, loss, log_alpha = ctx.saved_tensors
            (g,) = grads
            if kagari.is_grad_enabled():
                losses = _losses(log_probs, targets, *ctx.options)
                if ctx.zero_infinity:
                    losses = losses.masked_fill(losses.detach() == math.inf, 0)
                (result,) = kagari.autograd.grad(losses, log_probs, g, create_graph=True)
            else:
                input_lengths, target_lengths, blank = ctx.options
                result = ops._ctc_grad(
                    g.contiguous(),
                    log_probs,
                    targets,
                    input_lengths,
                    target_lengths,
                    blank,
                    loss,
                    log_alpha,
                    ctx.zero_infinity,
                )
            return result, None, None, None, None, None

    return CtcLoss


def _ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Lengths,
    target_lengths: Lengths,
    blank: int,
    reduction: int,
    zero_infinity: bool,
) -> Tensor:
    import kagari

    if log_probs.dim() not in (2, 3):
        raise RuntimeError(
            "ctc_loss: Expected 3-dimensional tensor, but got "
            f"{log_probs.dim()}-dimensional tensor for argument #1 'log_probs'"
        )
    if log_probs.numel() == 0:
        raise RuntimeError(
            f"ctc_loss: log_probs tensor must not be empty, got {tuple(log_probs.shape)}"
        )
    single = log_probs.dim() == 2
    if single:
        log_probs = log_probs.unsqueeze(1)
    batch = log_probs.shape[1]
    for name, lengths in (("input_lengths", input_lengths), ("target_lengths", target_lengths)):
        if len(lengths) != batch:
            raise RuntimeError(
                f"ctc_loss: {name} must be of size batch_size, got {len(lengths)} lengths of "
                f"{batch} sequences"
            )
        if min(lengths) < 0:
            raise RuntimeError(
                f"ctc_loss: Expected {name} to have value at least 0, but got value {min(lengths)}"
            )
    labels = _label_matrix(targets, target_lengths, batch)
    loss: Tensor = _loss_function().apply(
        log_probs, labels, input_lengths, target_lengths, blank, zero_infinity
    )
    if zero_infinity:
        loss = loss.masked_fill(loss.detach() == math.inf, 0)
    if reduction == _MEAN:
        counts = kagari.tensor(target_lengths, dtype=loss.dtype, device=loss.device)
        return (loss / counts.clamp(min=1)).mean()
    if reduction == _SUM:
        return loss.sum()
    return loss.squeeze(0) if single else loss


@composite(
    "ctc_loss.int_list(Tensor log_probs, Tensor targets, int[] input_lengths, "
    "int[] target_lengths, int blank=0, int reduction=1, bool zero_infinity=False) -> Tensor"
)
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Lengths,
    target_lengths: Lengths,
    blank: int,
    reduction: int,
    zero_infinity: bool,
) -> Tensor:
    """Negative log likelihoods of label sequences; see ``nn.functional.ctc_loss``.

    Args:
        log_probs (Tensor): ``(T, N, C)`` or ``(T, C)``.
        targets (Tensor): ``(N, S)`` or all sequences in one dimension.
        input_lengths (tuple of ints or Tensor): ``(N,)``.
        target_lengths (tuple of ints or Tensor): ``(N,)``.
        blank (int): the class of no label.
        reduction (int): 0 none, 1 mean, 2 sum.
        zero_infinity (bool): count impossible alignments as zero.

    Returns:
        A scalar, or ``(N,)`` without reduction.

    Raises:
        RuntimeError: shapes or lengths do not fit.

    Example:
        >>> import kagari
        >>> log_probs = kagari.full((1, 1, 2), 0.5).log()
        >>> round(kagari.ctc_loss(log_probs, kagari.tensor([[1]]), (1,), (1,)).item(), 4)
        0.6931

    Reference: Graves et al. 2006, "Connectionist temporal classification".
    """
    return _ctc_loss(
        log_probs, targets, input_lengths, target_lengths, blank, reduction, zero_infinity
    )


@composite(
    "ctc_loss.tensor(Tensor log_probs, Tensor targets, Tensor input_lengths, "
    "Tensor target_lengths, int blank=0, int reduction=1, bool zero_infinity=False) -> Tensor"
)
def _ctc_loss_tensor(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor,
    target_lengths: Tensor,
    blank: int,
    reduction: int,
    zero_infinity: bool,
) -> Tensor:
    """The same with lengths in tensors."""
    for name, lengths in (("input_lengths", input_lengths), ("target_lengths", target_lengths)):
        if lengths.is_floating_point() or lengths.is_complex():
            raise RuntimeError(f"ctc_loss: {name} must be integral, got {lengths.dtype}")
    inputs = tuple(input_lengths.reshape(-1).tolist())
    labels = tuple(target_lengths.reshape(-1).tolist())
    return _ctc_loss(log_probs, targets, inputs, labels, blank, reduction, zero_infinity)
