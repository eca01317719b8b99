"""Adafactor: the second moment of a matrix kept as a row and a column."""

from __future__ import annotations

import kagari
from kagari.optim.optimizer import (
    Group,
    Number,
    Optimizer,
    ParamsT,
    State,
    Tensor,
    _check_lr,
    _scalar,
)

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    r"""Adafactor: scaled by a second moment of rank one, with steps relative to the parameters.

    .. math::
        \hat\beta_t &= 1 - t^{\tau}, \quad
        R_t = \hat\beta_t R_{t-1} + (1 - \hat\beta_t)\operatorname{mean}_{col} g_t^2, \quad
        C_t = \hat\beta_t C_{t-1} + (1 - \hat\beta_t)\operatorname{mean}_{row} g_t^2, \\
        u_t &= g_t / \sqrt{\max(R_t C_t / \operatorname{mean} R_t, \epsilon_1^2)}, \quad
        \theta_t = (1 - \gamma\lambda)\theta_{t-1} -
        \frac{\max(\epsilon_2, \operatorname{rms}\theta_{t-1}) \min(\gamma, 1/\sqrt t)}
        {\max(1, \operatorname{rms}(u_t) / d)} u_t

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dicts that define groups.
        lr: upper bound γ of the relative step.
        beta2_decay: τ.
        eps: ε₁ (None: the dtype's) and ε₂.
        d: bound of the update's root mean square.
        weight_decay: λ.
        foreach: accepted for PyTorch's sake.
        maximize: ascends instead.

    Raises:
        ValueError: an option out of range.

    Example:
        >>> import kagari
        >>> w = kagari.nn.Parameter(kagari.ones(2, 2))
        >>> opt = kagari.optim.Adafactor([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> opt.step()
        >>> w.tolist()
        [[0.5, 0.5], [0.5, 0.5]]

    Reference:
        Shazeer and Stern, Adafactor: adaptive learning rates with sublinear memory cost, 2018.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        _check_lr(lr)
        if not beta2_decay <= 0.0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not eps[0] >= 0.0:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not eps[1] >= 0.0:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not d >= 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not weight_decay >= 0.0:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _init_state(self, p: Tensor, group: Group) -> State:
        if p.is_complex():
            raise RuntimeError("Adafactor does not support complex parameters")
        state = {"step": self._new_step(p, group)}
        if p.dim() > 1:
            *lead, rows, columns = p.shape
            state["row_var"] = p.new_zeros((*lead, rows, 1))
            state["col_var"] = p.new_zeros((*lead, 1, columns))
        else:
            state["variance"] = kagari.zeros_like(p)
        return state

    def _apply(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        lr, (eps1, eps2) = _scalar(group["lr"]), group["eps"]
        if eps1 is None:
            eps1 = kagari.finfo(p.dtype).eps
        t = state["step"].item()
        fresh = t ** group["beta2_decay"]
        rate = max(eps2, p.norm(2).item() / p.numel() ** 0.5) * min(lr, 1 / t**0.5)
        if group["weight_decay"] != 0:
            p.mul_(1 - lr * group["weight_decay"])
        square = grad * grad
        if grad.dim() > 1:
            row, column = state["row_var"], state["col_var"]
            row.lerp_(square.mean(dim=-1, keepdim=True), fresh)
            column.lerp_(square.mean(dim=-2, keepdim=True), fresh)
            estimate = (row @ column).div_(row.mean(dim=-2, keepdim=True).clamp_(min=eps1))
        else:
            estimate = state["variance"].lerp_(square, fresh).clone()
        update = estimate.clamp_(min=eps1 * eps1).rsqrt_().mul_(grad)
        excess = max(1.0, update.norm(2).item() / (update.numel() ** 0.5 * group["d"]))
        p.add_(update, alpha=-rate / excess)
