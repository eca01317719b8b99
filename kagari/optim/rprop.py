"""Rprop: steps whose size depends on the signs of the gradients only."""

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

__all__ = ["Rprop"]


class Rprop(Optimizer):
    r"""Resilient backpropagation: a step size per element, grown while the gradient keeps its sign.

    .. math::
        s_t = \operatorname{clamp}\bigl(s_{t-1} \cdot
        \begin{cases} \eta_+ & g_t g_{t-1} > 0 \\ \eta_- & g_t g_{t-1} < 0 \\ 1 & \end{cases},
        s_{\min}, s_{\max}\bigr), \quad
        \theta_t = \theta_{t-1} - s_t \operatorname{sign}(g_t)

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dicts that define groups.
        lr: first step size.
        etas: η₋ and η₊; after a change of sign the gradient counts as zero.
        step_sizes: bounds of the step size.
        capturable: only for parameters on an accelerator.
        foreach: accepted for PyTorch's sake.
        maximize: ascends instead.
        differentiable: records the step on the tape.

    Raises:
        ValueError: an option out of range.

    Example:
        >>> import kagari
        >>> w = kagari.nn.Parameter(kagari.tensor([4.0]))
        >>> opt = kagari.optim.Rprop([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        3.5

    Reference:
        Riedmiller and Braun, A direct adaptive method for faster backpropagation learning:
        the RPROP algorithm, 1993.
    """

    _like_param = ("prev", "step_size")
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
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_lr(lr)
        _check(0.0 < etas[0] < 1.0 < etas[1], "eta values", f"{etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _init_state(self, p: Tensor, group: Group) -> State:
        lr = _scalar(group["lr"])
        return {
            "step": self._new_step(p, group),
            "prev": kagari.zeros_like(p, memory_format=kagari.preserve_format),
            "step_size": kagari.full_like(p, complex(lr, lr) if p.is_complex() else lr),
        }

    def _apply(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        shrink, grow = group["etas"]
        size = state["step_size"]
        # The clone keeps the value for the tape.
        sign = grad.mul(state["prev"].clone() if group["differentiable"] else state["prev"]).sign()
        turned = sign < 0
        factor = (
            sign.masked_fill(sign > 0, grow).masked_fill(turned, shrink).masked_fill(sign == 0, 1)
        )
        size.mul_(factor).clamp_(*group["step_sizes"])
        grad = grad.masked_fill(turned, 0)
        p.addcmul_(grad.sign(), size.clone() if group["differentiable"] else size, value=-1)
        state["prev"].copy_(grad)
