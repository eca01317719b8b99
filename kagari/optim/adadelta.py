"""Adadelta: steps in the units of the parameters."""

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
    _check_lr,
    _scalar,
)

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    r"""Adadelta: steps scaled by the ratio of past steps to past gradients.

    .. math::
        v_t = \rho v_{t-1} + (1 - \rho) g_t^2, \quad
        \Delta_t = \frac{\sqrt{u_{t-1} + \epsilon}}{\sqrt{v_t + \epsilon}}\, g_t, \quad
        u_t = \rho u_{t-1} + (1 - \rho) \Delta_t^2, \quad
        \theta_t = \theta_{t-1} - \gamma \Delta_t

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dicts that define groups.
        lr: learning rate γ.
        rho: ρ, decay of the running means.
        eps: ε, keeps the division finite.
        weight_decay: λ, an L2 penalty.
        foreach: accepted for PyTorch's sake.
        capturable: only for parameters on an accelerator.
        maximize: ascends instead.
        differentiable: records the step on the tape.

    Raises:
        ValueError: an option out of range.

    Example:
        >>> import kagari
        >>> w = kagari.nn.Parameter(kagari.tensor([4.0]))
        >>> opt = kagari.optim.Adadelta([w])
        >>> (w * w).sum().backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        3.9968

    Reference:
        Zeiler, ADADELTA: an adaptive learning rate method, 2012.
    """

    _like_param = ("square_avg", "acc_delta")
    _late_options: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_lr(lr)
        _check(0.0 <= rho <= 1.0, "rho value", rho)
        _check(eps >= 0.0, "epsilon value", eps)
        _check(weight_decay >= 0.0, "weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _init_state(self, p: Tensor, group: Group) -> State:
        return {
            "step": self._new_step(p, group),
            "square_avg": kagari.zeros_like(p, memory_format=kagari.preserve_format),
            "acc_delta": kagari.zeros_like(p, memory_format=kagari.preserve_format),
        }

    def _apply(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        rho, eps = group["rho"], group["eps"]
        square, delta_square = state["square_avg"], state["acc_delta"]
        if group["weight_decay"] != 0:
            grad = grad.add(p, alpha=group["weight_decay"])
        square.mul_(rho).addcmul_(grad, grad, value=1 - rho)
        delta = (delta_square + eps).sqrt() / (square + eps).sqrt() * grad
        delta_square.mul_(rho).addcmul_(delta, delta, value=1 - rho)
        p.add_(delta, alpha=-_scalar(group["lr"]))
