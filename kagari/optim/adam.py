"""Adam: steps scaled by running moments of the gradient."""

from __future__ import annotations

from operator import itemgetter
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
    _advance,
    _batches,
    _check,
    _check_betas,
    _check_lr,
    _is_tensor,
    _scalar,
)

__all__ = ["Adam"]

_exp_avg, _exp_avg_sq = itemgetter("exp_avg"), itemgetter("exp_avg_sq")
_max_exp_avg_sq, _step = itemgetter("max_exp_avg_sq"), itemgetter("step")


class Adam(Optimizer):
    r"""Adam: steps along the mean gradient, scaled by its root mean square.

    With :math:`g_t = \nabla f(\theta_{t-1}) + \lambda\theta_{t-1}`:

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t, \qquad
        v_t = \beta_2 v_{t-1} + (1 - \beta_2) g_t^2, \\
        \theta_t &= \theta_{t-1} - \gamma\,
        \frac{m_t / (1 - \beta_1^t)}{\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    AMSGrad divides by the largest :math:`v` so far.

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dicts that define groups.
        lr: learning rate γ, a number or a one-element tensor.
        betas: decay of the two moments.
        eps: ε, keeps the division finite.
        weight_decay: λ.
        amsgrad: keeps the maximum of the second moment.
        foreach, fused: accepted for PyTorch's sake; every step is one fused call per group.
        maximize: ascends instead.
        capturable: only for parameters on an accelerator.
        differentiable: records the step on the tape.
        decoupled_weight_decay: shrinks the parameters by γλ instead of adding λθ to the gradient.

    Raises:
        ValueError: an option out of range.

    Example:
        >>> import kagari
        >>> w = kagari.nn.Parameter(kagari.tensor([4.0]))
        >>> opt = kagari.optim.Adam([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> opt.step()
        >>> w.item()
        3.5

    Reference:
        Kingma and Ba, Adam: a method for stochastic optimization, 2015; Reddi et al., On the
        convergence of Adam and beyond, 2018.
    """

    _like_param = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    _late_options: ClassVar[dict[str, Any]] = {
        "amsgrad": False,
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "decoupled_weight_decay": False,
        "fused": None,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        betas: tuple[Number, Number] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        _check_lr(lr)
        _check(eps >= 0.0, "epsilon value", eps)
        _check_betas(betas)
        _check(weight_decay >= 0.0, "weight_decay value", weight_decay)
        if _is_tensor(betas[0]) != _is_tensor(betas[1]) or not all(
            _is_tensor(b) or isinstance(b, float) for b in betas
        ):
            raise ValueError("betas must be either both floats or both Tensors")
        named = {"lr": lr, "betas[0]": betas[0], "betas[1]": betas[1]}
        for name, value in named.items():
            if not _is_tensor(value):
                continue
            if foreach and not capturable:
                raise ValueError(
                    f"{name} as a Tensor is not supported for capturable=False and foreach=True"
                )
            if value.numel() != 1:  # type: ignore[union-attr]
                raise ValueError(f"Tensor {name} must be 1-element")
        defaults = {
            "lr": lr,
            "betas": tuple(b.squeeze() if _is_tensor(b) else b for b in betas),  # type: ignore[union-attr]
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
        self._check_flags()

    def _init_state(self, p: Tensor, group: Group) -> State:
        state = {
            "step": self._new_step(p, group),
            "exp_avg": kagari.zeros_like(p, memory_format=kagari.preserve_format),
            "exp_avg_sq": kagari.zeros_like(p, memory_format=kagari.preserve_format),
        }
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = kagari.zeros_like(p, memory_format=kagari.preserve_format)
        return state

    def _sparse_refusal(self) -> str:
        return "Adam does not support sparse gradients, please consider SparseAdam instead"

    def _update(self, group: Group) -> None:
        if group["differentiable"]:
            self._update_recorded(group)
            return
        params, grads, states = self._gather(group)
        if not params:
            return
        steps = list(map(_step, states))
        maxima = list(map(_max_exp_avg_sq, states)) if group["amsgrad"] else []
        means, squares = list(map(_exp_avg, states)), list(map(_exp_avg_sq, states))
        beta1, beta2 = group["betas"]
        update = ops._fused_adamw_ if group["decoupled_weight_decay"] else ops._fused_adam_
        _advance(steps)
        for lists in _batches(params, grads, means, squares, maxima, steps):
            update(
                *lists,
                lr=_scalar(group["lr"]),
                beta1=_scalar(beta1),
                beta2=_scalar(beta2),
                weight_decay=_scalar(group["weight_decay"]),
                eps=group["eps"],
                amsgrad=group["amsgrad"],
                maximize=group["maximize"],
                grad_scale=self.grad_scale,
                found_inf=self.found_inf,
            )
        if self.found_inf is not None:
            # A skipped step does not count.
            for step in steps:
                step.sub_(self.found_inf)

    def _update_recorded(self, group: Group) -> None:
        """The formula out of place, so that the tape keeps every value it needs."""
        lr, (beta1, beta2) = group["lr"], group["betas"]
        decay = group["weight_decay"]
        params, grads, states = self._gather(group)
        for p, grad, state in zip(params, grads, states, strict=True):
            if state["step"].requires_grad:
                raise RuntimeError(
                    "`requires_grad` is not supported for `step` in differentiable mode"
                )
            state["step"] += 1
            t = state["step"].item()
            if group["maximize"]:
                grad = -grad
            if _scalar(decay) != 0:
                if group["decoupled_weight_decay"]:
                    p.mul_(1 - lr * decay)
                else:
                    grad = grad + decay * p
            if p.is_complex():
                p, grad = kagari.view_as_real(p), kagari.view_as_real(grad)
            mean = _real(state["exp_avg"])
            mean = _keep(state, "exp_avg", mean + (grad - mean) * (1 - beta1))
            square = beta2 * _real(state["exp_avg_sq"]) + (1 - beta2) * grad * grad
            square = _keep(state, "exp_avg_sq", square)
            if group["amsgrad"]:
                largest = kagari.maximum(_real(state["max_exp_avg_sq"]), square)
                square = _keep(state, "max_exp_avg_sq", largest)
            scale = (1 - beta2**t) ** 0.5
            p.add_(-lr / (1 - beta1**t) * mean / (square.sqrt() / scale + group["eps"]))


def _real(value: Tensor) -> Tensor:
    """Complex numbers as pairs of real ones."""
    return kagari.view_as_real(value) if value.is_complex() else value


def _keep(state: State, key: str, new: Tensor) -> Tensor:
    """Replaces a value of the state by what ``_real`` makes of the new one."""
    state[key] = kagari.view_as_complex(new) if state[key].is_complex() else new
    return new
