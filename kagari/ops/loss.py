"""Losses on class indices and class probabilities, and normalisation over a batch."""

from __future__ import annotations

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kagari import Tensor

_NONE, _MEAN, _SUM = 0, 1, 2


@composite(
    "nll_loss(Tensor input, Tensor target, Tensor? weight=None, int reduction=1, "
    "int ignore_index=-100) -> Tensor",
    function=False,
    autocast="fp32",
)
def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: int, ignore_index: int
) -> Tensor:
    """The negative log likelihood of class indices; reduction 0: none, 1: mean, 2: sum."""
    loss: Tensor = ops._nll_loss(input, target, weight, reduction, ignore_index)[0]
    return loss


@composite(
    "cross_entropy_loss(Tensor input, Tensor target, Tensor? weight=None, int reduction=1, "
    "int ignore_index=-100, float label_smoothing=0.0) -> Tensor",
    function=False,
    autocast="fp32",
)
def cross_entropy_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    reduction: int,
    ignore_index: int,
    label_smoothing: float,
) -> Tensor:
    """Cross entropy of logits with class indices, or with probabilities of the input's shape."""
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
    if input.shape == target.shape:
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        return _with_probabilities(input, target, weight, reduction, label_smoothing)
    loss: Tensor = ops._cross_entropy(
        input, target, weight, reduction, ignore_index, label_smoothing
    )[0]
    return loss


def _with_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: int, label_smoothing: float
) -> Tensor:
    if not target.is_floating_point():
        raise RuntimeError(
            "Expected floating point type for target with class probabilities, got "
            f"{target.dtype}; class indices lack the dimension of the classes"
        )
    dim = 0 if input.dim() == 1 else 1
    classes = input.shape[dim]
    if weight is not None and tuple(weight.shape) != (classes,):
        raise RuntimeError(
            f"cross_entropy: weight tensor should be defined either for all {classes} classes or "
            f"no classes but got weight tensor of shape: {list(weight.shape)}"
        )
    terms = input.log_softmax(dim)
    if label_smoothing > 0:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    terms = terms * target
    if weight is not None:
        shape = [1] * input.dim()
        shape[dim] = classes
        terms = terms * weight.reshape(shape)
    if reduction == _NONE:
        return -terms.sum(dim)
    total = -terms.sum()
    if reduction == _SUM:
        return total
    if reduction != _MEAN:
        raise RuntimeError(f"Invalid reduction type encountered in cross_entropy: {reduction}")
    return total / (input.numel() // classes) if input.numel() else total * float("nan")


def _move(running: Tensor | None, seen: Tensor, momentum: float) -> None:
    if running is not None:
        from kagari import no_grad

        with no_grad():
            running.mul_(1 - momentum).add_(seen, alpha=momentum)


@composite(
    "batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
    "Tensor? running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor"
)
def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Tensor:
    r"""Normalises channels over the batch: :math:`\gamma (x - \mu) / \sqrt{v + \epsilon} + \beta`.

    Args:
        input (Tensor): ``(N, C, ...)``.
        weight (Tensor, optional): gamma, ``(C,)``.
        bias (Tensor, optional): beta, ``(C,)``.
        running_mean (Tensor, optional): ``(C,)``; moved in place in training.
        running_var (Tensor, optional): ``(C,)``; moved in place in training.
        training (bool): take the mean and variance from the batch, not the running ones.
        momentum (float): how far the running statistics move.
        eps (float): epsilon.
        cudnn_enabled (bool): has no effect on the CPU.

    Raises:
        RuntimeError: running statistics are missing outside of training, or shapes do not fit.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([[1.0], [3.0]])
        >>> kagari.batch_norm(x, None, None, None, None, True, 0.1, 0.0, False).tolist()
        [[-1.0], [1.0]]

    Reference: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
    """
    if not training:
        if running_mean is None or running_var is None:
            name = "running_mean" if running_mean is None else "running_var"
            raise RuntimeError(f"{name} must be defined in evaluation mode")
        return ops.batch_norm_eval(input, weight, bias, running_mean, running_var, eps)
    result: Tensor
    result, mean, var = ops.batch_norm_train(input, weight, bias, eps)
    if input.numel():
        count = input.numel() // input.shape[1]
        _move(running_mean, mean, momentum)
        _move(running_var, var * (count / max(count - 1, 1)), momentum)
    return result
