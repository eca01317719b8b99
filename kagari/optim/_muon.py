"""Muon: momentum of a matrix, made orthogonal."""

from __future__ import annotations

import kagari
from kagari.optim.optimizer import (
    Group,
    Number,
    Optimizer,
    ParamsT,
    State,
    Tensor,
    _check_lr,
    _scalar,
)

__all__ = ["Muon"]


def _orthogonal(
    m: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Tensor:
    """Drives the singular values of a matrix towards one by Newton-Schulz steps in bfloat16."""
    if steps >= 100:
        raise ValueError(
            f"Number of steps must be less than 100 for computational efficiency, got {steps}"
        )
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    x = m.bfloat16()
    tall = m.size(0) > m.size(1)
    if tall:
        x = x.mT
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.mT
        gram = kagari.addmm(gram, gram, gram, beta=b, alpha=c)
        x = kagari.addmm(x, gram, x, beta=a)
    return x.mT if tall else x


class Muon(Optimizer):
    r"""Muon: moves matrices along the orthogonal factor of their momentum.

    .. math::
        b_t = \mu b_{t-1} + (1 - \mu) g_t, \quad
        O_t = \mathrm{NS}(\mu b_t + (1 - \mu) g_t), \quad
        \theta_t = (1 - \gamma\lambda)\theta_{t-1} - \gamma' O_t

    Args:
        params: parameters of two dimensions, ``(name, parameter)`` pairs, or dicts that define
            groups. Other parameters want another optimiser.
        lr: learning rate γ.
        weight_decay: λ.
        momentum: μ.
        nesterov: looks ahead along the momentum.
        ns_coefficients: polynomial of a Newton-Schulz step.
        eps: keeps the normalisation finite.
        ns_steps: number of Newton-Schulz steps.
        adjust_lr_fn: γ' of an (A, B) matrix; None or ``'original'``:
            :math:`\gamma\sqrt{\max(1, A/B)}`; ``'match_rms_adamw'``:
            :math:`0.2\gamma\sqrt{\max(A, B)}`.

    Raises:
        ValueError: an option out of range; a parameter that is no matrix.

    Example:
        >>> import kagari
        >>> w = kagari.nn.Parameter(kagari.eye(2))
        >>> opt = kagari.optim.Muon([w], lr=0.5)
        >>> w.sum().backward()
        >>> opt.step()
        >>> w.shape
        kagari.Size([2, 2])

    Reference:
        Jordan, Muon: an optimizer for the hidden layers of neural networks, 2024; Liu et al., Muon
        is scalable for LLM training, 2025.
    """

    _like_param = ("momentum_buffer",)

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        _check_lr(lr)
        if not momentum >= 0.0:
            raise ValueError(f"momentum should be >= 0 but is: {momentum}")
        if not weight_decay >= 0.0:
            raise ValueError(f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise ValueError(
                        "Muon only supports 2D parameters whereas we found a parameter with "
                        f"size: {p.size()}"
                    )

    def _init_state(self, p: Tensor, group: Group) -> State:
        if p.is_complex():
            raise RuntimeError("Muon does not support complex parameters")
        assert p.grad is not None  # parameters without one are left out
        return {"momentum_buffer": kagari.zeros_like(p.grad, memory_format=kagari.preserve_format)}

    def _apply(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        lr, momentum = _scalar(group["lr"]), group["momentum"]
        buf = state["momentum_buffer"]
        buf.lerp_(grad, 1 - momentum)
        update = grad.lerp(buf, momentum) if group["nesterov"] else buf
        update = _orthogonal(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = p.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            rate = 0.2 * max(rows, columns) ** 0.5
        else:
            rate = max(1, rows / columns) ** 0.5
        p.mul_(1 - lr * group["weight_decay"])
        p.add_(update, alpha=-lr * rate)
