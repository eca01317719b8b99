"""Averaged stochastic gradient descent."""

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
    _is_tensor,
    _scalar,
    _scalar_dtype,
)

__all__ = ["ASGD"]


class ASGD(Optimizer):
    r"""Averaged stochastic gradient descent: keeps the mean of the iterates in ``state["ax"]``.

    .. math::
        \theta_t = (1 - \lambda \eta_t)\,\theta_{t-1} - \eta_t g_t, \quad
        a_t = a_{t-1} + \frac{\theta_t - a_{t-1}}{\max(1, t - t_0)}, \quad
        \eta_t = \frac{\gamma}{(1 + \lambda\gamma t)^{\alpha}}

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dicts that define groups.
        lr: learning rate γ.
        lambd: λ, decay.
        alpha: α, power of the decay of the rate.
        t0: t₀, step at which the averaging starts.
        weight_decay: an L2 penalty added to the gradient.
        foreach: accepted for PyTorch's sake.
        maximize: ascends instead.
        differentiable: records the step on the tape.
        capturable: only for parameters on an accelerator.

    Raises:
        ValueError: an option out of range.

    Example:
        >>> import kagari
        >>> w = kagari.nn.Parameter(kagari.tensor([4.0]))
        >>> opt = kagari.optim.ASGD([w], lr=0.25)
        >>> (w * w).sum().backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        1.9999

    Reference:
        Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992.
    """

    _like_param = ("ax",)
    _late_options: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        _check_lr(lr)
        _check(weight_decay >= 0.0, "weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _init_state(self, p: Tensor, group: Group) -> State:
        return {
            "step": self._new_number(p, 0.0),
            "eta": self._new_number(p, _scalar(group["lr"])),
            "mu": self._new_number(p, 1.0),
            "ax": kagari.zeros_like(p, memory_format=kagari.preserve_format),
        }

    @staticmethod
    def _new_number(p: Tensor, value: float) -> Tensor:
        return kagari.tensor(value, dtype=_scalar_dtype(), device=p.device)

    def _upgrade_state(self, state: State, p: Tensor, group: Group) -> None:
        for key in ("step", "eta", "mu"):
            if key in state and not _is_tensor(state[key]):
                state[key] = self._new_number(p, float(state[key]))

    def _apply(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        lr, lambd, mean = _scalar(group["lr"]), group["lambd"], state["ax"]
        eta, mu, t = state["eta"].item(), state["mu"].item(), state["step"].item()
        if group["weight_decay"] != 0:
            grad = grad.add(p, alpha=group["weight_decay"])
        p.mul_(1 - lambd * eta).add_(grad, alpha=-eta)
        if mu != 1:
            mean.add_(p.sub(mean).mul_(mu))
        else:
            mean.copy_(p)
        # PyTorch rounds both to the default dtype, and with `foreach` computes the rate in the
        # step's; the rounding shows in the parameters.
        if group["foreach"]:
            rate = ((1 + lambd * lr * state["step"]) ** group["alpha"]).reciprocal() * lr
        else:
            rate = kagari.as_tensor(lr / (1 + lambd * lr * t) ** group["alpha"])
        state["eta"].copy_(rate)
        state["mu"].copy_(kagari.as_tensor(1 / max(1, t - group["t0"])))
