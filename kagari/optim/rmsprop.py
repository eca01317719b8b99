"""RMSprop: steps scaled by the root mean square of the gradient."""

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

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    r"""RMSprop: divides the gradient by its running root mean square.

    .. math::
        v_t &= \alpha v_{t-1} + (1 - \alpha) g_t^2, \quad
        \tilde v_t = v_t - \bar g_t^2 \text{ if centered, with }
        \bar g_t = \alpha \bar g_{t-1} + (1 - \alpha) g_t, \\
        b_t &= \mu b_{t-1} + \frac{g_t}{\sqrt{\tilde v_t} + \epsilon}, \quad
        \theta_t = \theta_{t-1} - \gamma b_t

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dicts that define groups.
        lr: learning rate γ.
        alpha: α, decay of the running mean.
        eps: ε, keeps the division finite.
        weight_decay: λ, an L2 penalty.
        momentum: μ.
        centered: subtracts the squared mean: the variance instead of the mean square.
        capturable: only for parameters on an accelerator.
        foreach: accepted for PyTorch's sake.
        maximize: ascends instead.
        differentiable: records the step on the tape.

    Raises:
        ValueError: an option out of range.

    Example:
        >>> import kagari
        >>> w = kagari.nn.Parameter(kagari.tensor([4.0]))
        >>> opt = kagari.optim.RMSprop([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        3.0

    Reference:
        Hinton, Neural networks for machine learning, lecture 6e, 2012; Graves, Generating
        sequences with recurrent neural networks, 2013 (centered).
    """

    _like_param = ("square_avg", "momentum_buffer", "grad_avg")
    _late_options: ClassVar[dict[str, Any]] = {
        "momentum": 0,
        "centered": False,
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_lr(lr)
        _check(eps >= 0.0, "epsilon value", eps)
        _check(momentum >= 0.0, "momentum value", momentum)
        _check(weight_decay >= 0.0, "weight_decay value", weight_decay)
        _check(alpha >= 0.0, "alpha value", alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _init_state(self, p: Tensor, group: Group) -> State:
        keys = ["square_avg"]
        if group["momentum"] > 0:
            keys.append("momentum_buffer")
        if group["centered"]:
            keys.append("grad_avg")
        zeros = {key: kagari.zeros_like(p, memory_format=kagari.preserve_format) for key in keys}
        return {"step": self._new_step(p, group), **zeros}

    def _apply(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        lr, alpha, square = _scalar(group["lr"]), group["alpha"], state["square_avg"]
        if group["weight_decay"] != 0:
            grad = grad.add(p, alpha=group["weight_decay"])
        square.mul_(alpha).addcmul_(grad, grad, value=1 - alpha)
        if group["centered"]:
            mean = state["grad_avg"]
            mean.lerp_(grad, 1 - alpha)
            copy = mean.clone() if group["differentiable"] else mean
            scale = square.addcmul(copy, copy, value=-1).sqrt() + group["eps"]
        else:
            scale = square.sqrt() + group["eps"]
        if group["momentum"] > 0:
            p.add_(
                state["momentum_buffer"].mul_(group["momentum"]).addcdiv_(grad, scale), alpha=-lr
            )
        else:
            p.addcdiv_(grad, scale, value=-lr)
