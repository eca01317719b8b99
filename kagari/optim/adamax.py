"""Adamax: Adam with the largest recent gradient in the place of its mean square."""

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

__all__ = ["Adamax"]


class Adamax(Optimizer):
    r"""Adamax: Adam with the infinity norm.

    .. math::
        m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t, \quad
        u_t = \max(\beta_2 u_{t-1}, |g_t| + \epsilon), \quad
        \theta_t = \theta_{t-1} - \frac{\gamma m_t}{(1 - \beta_1^t) u_t}

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dicts that define groups.
        lr: learning rate γ.
        betas: decay of the two moments.
        eps: ε, keeps the division finite.
        weight_decay: λ, an L2 penalty.
        foreach: accepted for PyTorch's sake.
        maximize: ascends instead.
        differentiable: records the step on the tape.
        capturable: only for parameters on an accelerator.

    Raises:
        ValueError: an option out of range.

    Example:
        >>> import kagari
        >>> w = kagari.nn.Parameter(kagari.tensor([4.0]))
        >>> opt = kagari.optim.Adamax([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        3.5

    Reference:
        Kingma and Ba, Adam: a method for stochastic optimization, 2015.
    """

    _like_param = ("exp_avg", "exp_inf")
    _late_options: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
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
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _init_state(self, p: Tensor, group: Group) -> State:
        return {
            "step": self._new_step(p, group),
            "exp_avg": kagari.zeros_like(p, memory_format=kagari.preserve_format),
            "exp_inf": kagari.zeros_like(p, memory_format=kagari.preserve_format),
        }

    def _apply(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        beta1, beta2 = group["betas"]
        mean, bound = state["exp_avg"], state["exp_inf"]
        if group["weight_decay"] != 0:
            grad = grad.add(p, alpha=group["weight_decay"])
        mean.lerp_(grad, 1 - beta1)
        # The copies keep the values that the tape needs from the next step's changes.
        largest = kagari.maximum(bound * beta2, grad.abs() + group["eps"])
        bound.copy_(largest)
        rate = _scalar(group["lr"]) / (1 - beta1 ** state["step"].item())
        if group["differentiable"]:
            mean = mean.clone()
        p.addcdiv_(mean, largest, value=-rate)
