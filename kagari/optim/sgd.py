"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import kagari
from kagari._core import ops
from kagari.optim.optimizer import (
    Group,
    Number,
    Optimizer,
    ParamsT,
    State,
    Tensor,
    _batches,
    _check,
    _check_lr,
    _scalar,
)

__all__ = ["SGD"]


class SGD(Optimizer):
    r"""Stochastic gradient descent, optionally with (Nesterov) momentum.

    With :math:`g_t = \nabla f(\theta_{t-1}) + \lambda\theta_{t-1}`:

    .. math::
        b_1 = g_1, \quad b_t = \mu b_{t-1} + (1 - \tau) g_t, \quad
        \theta_t = \theta_{t-1} - \gamma \cdot
        \begin{cases} g_t & \mu = 0 \\ b_t & \\ g_t + \mu b_t & \text{Nesterov} \end{cases}

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dicts that define groups.
        lr: learning rate γ.
        momentum: μ.
        dampening: τ; it does not touch the first step.
        weight_decay: λ, an L2 penalty.
        nesterov: looks ahead along the momentum.
        maximize: ascends instead.
        foreach, fused: accepted for PyTorch's sake; every step is one fused call per group.
        differentiable: records the step on the tape.

    Raises:
        ValueError: an option out of range; Nesterov without momentum or with dampening.

    Example:
        >>> import kagari
        >>> w = kagari.nn.Parameter(kagari.tensor([4.0]))
        >>> opt = kagari.optim.SGD([w], lr=0.25, momentum=0.5)
        >>> for _ in range(2):
        ...     opt.zero_grad()
        ...     (w * w).sum().backward()
        ...     opt.step()
        >>> w.item()
        0.0

    Reference:
        Sutskever et al., On the importance of initialization and momentum in deep learning, 2013;
        their :math:`\gamma` stands inside of :math:`b_t`.
    """

    _like_param = ("momentum_buffer",)
    _late_options: ClassVar[dict[str, Any]] = {
        "nesterov": False,
        "maximize": False,
        "foreach": None,
        "differentiable": False,
        "fused": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: Number = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        _check_lr(lr)
        _check(momentum >= 0.0, "momentum value", momentum)
        _check(bool(weight_decay >= 0.0), "weight_decay value", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        self._check_flags()

    def _begin(self, p: Tensor, state: State, group: Group) -> None:
        """Checks only: without momentum nothing is remembered."""
        if group["fused"]:
            self._check_fused(p)

    def _update(self, group: Group) -> None:
        if group["differentiable"]:
            self._update_recorded(group)
            return
        if not group["momentum"]:
            # No state to look up, and none is to be created.
            params = [p for p in group["params"] if p.grad is not None]
            if group["fused"]:
                for p in params:
                    self._check_fused(p)
            if params:
                self._run(group, params, [p.grad for p in params], [], False)
            return
        params, grads, states = self._gather(group)
        if not params:
            return
        buffers: list[Any] = [s.get("momentum_buffer") for s in states]
        if all(b is not None for b in buffers):
            self._run(group, params, grads, buffers, False)
            return
        new = [i for i, b in enumerate(buffers) if b is None]
        old = [i for i, b in enumerate(buffers) if b is not None]
        for i in new:
            buffers[i] = states[i]["momentum_buffer"] = kagari.empty_like(grads[i])
        for first, index in ((True, new), (False, old)):
            if index:
                p, g, b = _pick(index, params, grads, buffers)
                self._run(group, p, g, b, first)
        if self.found_inf is not None and self.found_inf.item():
            # The step was skipped, and the new buffers hold nothing.
            for i in new:
                del states[i]["momentum_buffer"]

    def _run(
        self,
        group: Group,
        params: list[Tensor],
        grads: list[Tensor],
        buffers: list[Tensor],
        first: bool,
    ) -> None:
        for p, g, b in _batches(params, grads, buffers):
            ops._fused_sgd_(
                p,
                g,
                b,
                weight_decay=_scalar(group["weight_decay"]),
                momentum=group["momentum"],
                lr=_scalar(group["lr"]),
                dampening=group["dampening"],
                nesterov=group["nesterov"],
                maximize=group["maximize"],
                is_first_step=first,
                grad_scale=self.grad_scale,
                found_inf=self.found_inf,
            )

    def _update_recorded(self, group: Group) -> None:
        """The formula out of place, so that the tape keeps every value it needs."""
        momentum: Any = group["momentum"]
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            if group["maximize"]:
                grad = -grad
            if _scalar(group["weight_decay"]) != 0:
                grad = grad + group["weight_decay"] * p
            if momentum:
                state = self.state[p]
                buf = state.get("momentum_buffer")
                # As in PyTorch, what the first buffer starts from is not recorded.
                buf = (
                    grad.detach().clone()
                    if buf is None
                    else momentum * buf + (1 - group["dampening"]) * grad
                )
                state["momentum_buffer"] = buf
                grad = grad + momentum * buf if group["nesterov"] else buf
            p.add_(-group["lr"] * grad)


def _pick(index: list[int], *lists: list[Tensor]) -> Iterator[list[Tensor]]:
    return ([values[i] for i in index] for values in lists)
