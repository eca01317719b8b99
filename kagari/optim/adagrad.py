"""Adagrad: steps scaled by the sum of all squared gradients so far."""

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

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    r"""Adagrad: divides the gradient by the root of the sum of its past squares.

    .. math::
        s_t = s_{t-1} + g_t^2, \quad
        \theta_t = \theta_{t-1} - \frac{\gamma}{1 + (t - 1)\eta} \frac{g_t}{\sqrt{s_t} + \epsilon}

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dicts that define groups.
        lr: learning rate γ.
        lr_decay: η.
        weight_decay: λ, an L2 penalty.
        initial_accumulator_value: s₀.
        eps: ε, keeps the division finite.
        foreach: accepted for PyTorch's sake.
        maximize: ascends instead.
        differentiable: records the step on the tape.
        fused: accepted for PyTorch's sake, for floating point parameters.

    Raises:
        ValueError: an option out of range.

    Example:
        >>> import kagari
        >>> w = kagari.nn.Parameter(kagari.tensor([4.0]))
        >>> opt = kagari.optim.Adagrad([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> opt.step()
        >>> round(w.item(), 4)
        3.5

    Reference:
        Duchi et al., Adaptive subgradient methods for online learning and stochastic
        optimization, 2011.
    """

    _like_param = ("sum",)
    _takes_sparse = True
    _late_options: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "fused": None,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        _check_lr(lr)
        _check(lr_decay >= 0.0, "lr_decay value", lr_decay)
        _check(weight_decay >= 0.0, "weight_decay value", weight_decay)
        _check(
            initial_accumulator_value >= 0.0,
            "initial_accumulator_value value",
            initial_accumulator_value,
        )
        _check(eps >= 0.0, "epsilon value", eps)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        self._check_flags()
        # The accumulator exists before the first step, so that share_memory can move it.
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p].update(self._init_state(p, group))

    def share_memory(self) -> None:
        """Moves the accumulators into shared memory, for training from several processes."""
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["sum"].share_memory_()

    def _init_state(self, p: Tensor, group: Group) -> State:
        start = self.defaults["initial_accumulator_value"]
        if p.is_complex():
            start = complex(start, start)
        return {
            "step": self._new_step(p, group),
            "sum": kagari.full_like(p, start, memory_format=kagari.preserve_format),
        }

    def _apply(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        if grad.is_sparse:
            self._apply_sparse(p, grad.coalesce(), state, group)
            return
        if group["weight_decay"] != 0:
            grad = grad.add(p, alpha=group["weight_decay"])
        rate = self._rate(state, group)
        state["sum"].addcmul_(grad, grad)
        p.addcdiv_(grad, state["sum"].sqrt() + group["eps"], value=-rate)

    @staticmethod
    def _rate(state: State, group: Group) -> Any:
        return _scalar(group["lr"]) / (1 + (state["step"].item() - 1) * group["lr_decay"])

    def _apply_sparse(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        """The formula at the places of the gradient alone."""
        if group["weight_decay"] != 0:
            raise RuntimeError("weight_decay option is not compatible with sparse gradients")
        state["sum"].add_(grad.square())
        root = state["sum"].sparse_mask(grad).values().sqrt() + group["eps"]
        step = kagari.sparse_coo_tensor(
            grad.indices(), grad.values() / root, grad.shape, is_coalesced=True
        )
        p.add_(step, alpha=-self._rate(state, group))
