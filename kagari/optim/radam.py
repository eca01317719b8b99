"""RAdam: Adam that begins as momentum until its second moment can be trusted."""

from __future__ import annotations

from typing import Any, ClassVar

import kagari
from kagari.optim.optimizer import (
    Group,
    Number,
    Optimizer,
    ParamsT,
    State,
    Tensor,
    _check,
    _check_betas,
    _check_lr,
    _scalar,
)

__all__ = ["RAdam"]


class RAdam(Optimizer):
    r"""RAdam: Adam with the variance of its step rectified.

    .. math::
        \rho_\infty &= \frac{2}{1 - \beta_2} - 1, \quad
        \rho_t = \rho_\infty - \frac{2 t \beta_2^t}{1 - \beta_2^t}, \quad
        \hat m_t = \frac{m_t}{1 - \beta_1^t}, \\
        \theta_t &= \theta_{t-1} - \gamma \hat m_t \begin{cases}
        \sqrt{\frac{(\rho_t - 4)(\rho_t - 2)\rho_\infty}{(\rho_\infty - 4)(\rho_\infty - 2)\rho_t}}
        \frac{\sqrt{1 - \beta_2^t}}{\sqrt{v_t} + \epsilon} & \rho_t > 5 \\ 1 & \end{cases}

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dicts that define groups.
        lr: learning rate γ.
        betas: decay of the two moments.
        eps: ε, keeps the division finite.
        weight_decay: λ, an L2 penalty.
        decoupled_weight_decay: shrinks the parameters by γλ instead of adding λθ to the gradient.
        foreach: accepted for PyTorch's sake.
        maximize: ascends instead.
        capturable: only for parameters on an accelerator.
        differentiable: records the step on the tape.

    Raises:
        ValueError: an option out of range.

    Example:
        >>> import kagari
        >>> w = kagari.nn.Parameter(kagari.tensor([4.0]))
        >>> opt = kagari.optim.RAdam([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        0.0

    Reference:
        Liu et al., On the variance of the adaptive learning rate and beyond, 2020.
    """

    _like_param = ("exp_avg", "exp_avg_sq")
    _late_options: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
        "decoupled_weight_decay": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_lr(lr)
        _check(eps >= 0.0, "epsilon value", eps)
        _check_betas(betas)
        _check(weight_decay >= 0.0, "weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _init_state(self, p: Tensor, group: Group) -> State:
        return {
            "step": self._new_step(p, group),
            "exp_avg": kagari.zeros_like(p, memory_format=kagari.preserve_format),
            "exp_avg_sq": kagari.zeros_like(p, memory_format=kagari.preserve_format),
        }

    def _apply(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        lr, (beta1, beta2) = _scalar(group["lr"]), group["betas"]
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        t = state["step"].item()
        if group["weight_decay"] != 0:
            if group["decoupled_weight_decay"]:
                p.mul_(1 - lr * group["weight_decay"])
            else:
                grad = grad.add(p, alpha=group["weight_decay"])
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        correction2 = 1 - beta2**t
        # The length of the second moment's memory; below 5 its variance is not finite.
        full = 2 / (1 - beta2) - 1
        length = full - 2 * t * beta2**t / correction2
        step = mean * (lr / (1 - beta1**t))
        if length > 5.0:
            rectify = (
                (length - 4) * (length - 2) * full / ((full - 4) * (full - 2) * length)
            ) ** 0.5
            step = step * (rectify * correction2**0.5) / (square.sqrt() + group["eps"])
        p.sub_(step)
