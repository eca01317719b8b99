"""NAdam: Adam that looks ahead along its momentum."""

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
    _is_tensor,
    _scalar,
)

__all__ = ["NAdam"]


class NAdam(Optimizer):
    r"""NAdam: Adam with Nesterov momentum.

    .. math::
        \mu_t &= \beta_1 \left(1 - \tfrac12\, 0.96^{t\psi}\right), \quad
        m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t, \quad
        v_t = \beta_2 v_{t-1} + (1 - \beta_2) g_t^2, \\
        \hat m_t &= \frac{\mu_{t+1} m_t}{1 - \prod_{i \le t+1} \mu_i}
        + \frac{(1 - \mu_t) g_t}{1 - \prod_{i \le t} \mu_i}, \quad
        \theta_t = \theta_{t-1} - \frac{\gamma \hat m_t}{\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dicts that define groups.
        lr: learning rate γ.
        betas: decay of the two moments.
        eps: ε, keeps the division finite.
        weight_decay: λ, an L2 penalty.
        momentum_decay: ψ.
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
        >>> opt = kagari.optim.NAdam([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        3.4718

    Reference:
        Dozat, Incorporating Nesterov momentum into Adam, 2016.
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
        lr: Number = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        _check(momentum_decay >= 0.0, "momentum_decay value", momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _init_state(self, p: Tensor, group: Group) -> State:
        return {
            "step": self._new_step(p, group),
            "mu_product": self._new_step(p, group, 1.0),
            "exp_avg": kagari.zeros_like(p, memory_format=kagari.preserve_format),
            "exp_avg_sq": kagari.zeros_like(p, memory_format=kagari.preserve_format),
        }

    def _upgrade_state(self, state: State, p: Tensor, group: Group) -> None:
        super()._upgrade_state(state, p, group)
        if "mu_product" in state and not _is_tensor(state["mu_product"]):
            state["mu_product"] = self._new_step(p, group, state["mu_product"])

    def _apply(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        lr, (beta1, beta2) = _scalar(group["lr"]), group["betas"]
        mean, square, mu_product = state["exp_avg"], state["exp_avg_sq"], state["mu_product"]
        t = state["step"].item()
        if group["weight_decay"] != 0:
            if group["decoupled_weight_decay"]:
                p.mul_(1 - lr * group["weight_decay"])
            else:
                grad = grad.add(p, alpha=group["weight_decay"])
        mu, mu_next = (
            beta1 * (1.0 - 0.5 * 0.96 ** (i * group["momentum_decay"])) for i in (t, t + 1)
        )
        mu_product *= mu
        product = mu_product.item()
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        denom = square.div(1 - beta2**t).sqrt() + group["eps"]
        if group["differentiable"]:
            mean = mean.clone()
        p.addcdiv_(grad, denom, value=-lr * (1.0 - mu) / (1.0 - product))
        p.addcdiv_(mean, denom, value=-lr * mu_next / (1.0 - product * mu_next))
