"""Adam for sparse gradients: only the places that a gradient has are touched."""

from __future__ import annotations

import math

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
    _is_tensor,
    _scalar,
)

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    r"""Adam whose moments and parameters change only where the sparse gradient has values.

    At those places, with :math:`g_t` the values of the gradient:

    .. math::
        m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t, \quad
        v_t = \beta_2 v_{t-1} + (1 - \beta_2) g_t^2, \quad
        \theta_t = \theta_{t-1} - \gamma
        \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} \frac{m_t}{\sqrt{v_t} + \epsilon}

    Elsewhere the moments do not decay, which Adam's would.

    Args:
        params: strided parameters, ``(name, parameter)`` pairs, or dicts that define groups.
        lr: learning rate γ.
        betas: β₁ and β₂.
        eps: ε, keeps the division finite.
        maximize: ascends instead.

    Raises:
        ValueError: an option out of range; sparse or complex parameters.
        RuntimeError: a strided gradient.

    Example:
        >>> import kagari
        >>> table = kagari.nn.Embedding(3, 1, sparse=True)
        >>> before = table.weight.detach().clone()
        >>> opt = kagari.optim.SparseAdam(table.parameters(), lr=0.5)
        >>> table(kagari.tensor([1])).sum().backward()
        >>> opt.step()
        >>> (before - table.weight.detach()).round(decimals=4).flatten().tolist()
        [0.0, 0.5, 0.0]

    Reference:
        Kingma and Ba, Adam: a method for stochastic optimization, 2015; the bias correction stands
        as in its section 2, end.
    """

    _like_param = ("exp_avg", "exp_avg_sq")
    _takes_sparse = True

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        if _is_tensor(lr) and lr.numel() != 1:  # type: ignore[union-attr]
            raise ValueError("Tensor lr must be 1-element")
        _check(bool(lr > 0.0), "learning rate", lr)
        _check(eps > 0.0, "epsilon value", eps)
        _check_betas(betas)
        defaults = {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize}
        super().__init__(params, defaults)
        where = [
            ([i, j], p) for i, g in enumerate(self.param_groups) for j, p in enumerate(g["params"])
        ]
        sparse = [place for place, p in where if p.is_sparse]
        if sparse:
            raise ValueError(
                f"Sparse params at indices {sparse}: SparseAdam requires dense parameter tensors"
            )
        complexes = [place for place, p in where if p.is_complex()]
        if complexes:
            raise ValueError(
                f"Complex params at indices {complexes}: SparseAdam does not support complex "
                "parameters"
            )

    def _upgrade_state(self, state: State, p: Tensor, group: Group) -> None:
        """The step is a number, as in PyTorch's files."""

    def _update(self, group: Group) -> None:
        if any(p.grad is not None and not p.grad.is_sparse for p in group["params"]):
            raise RuntimeError(
                "SparseAdam does not support dense gradients, please consider Adam instead"
            )
        super()._update(group)

    def _init_state(self, p: Tensor, group: Group) -> State:
        return {
            "step": 0,
            "exp_avg": kagari.zeros_like(p, memory_format=kagari.preserve_format),
            "exp_avg_sq": kagari.zeros_like(p, memory_format=kagari.preserve_format),
        }

    def _apply(self, p: Tensor, grad: Tensor, state: State, group: Group) -> None:
        grad = grad.coalesce()
        values = grad.values()
        if values.numel() == 0:
            return
        beta1, beta2 = group["betas"]
        mean = self._moved(state["exp_avg"], grad, values, 1 - beta1)
        square = self._moved(state["exp_avg_sq"], grad, values.square(), 1 - beta2)
        correction = math.sqrt(1 - beta2 ** state["step"]) / (1 - beta1 ** state["step"])
        step = -_scalar(group["lr"]) * correction * (mean / (square.sqrt() + group["eps"]))
        p.add_(self._at(grad, step))

    @staticmethod
    def _at(grad: Tensor, values: Tensor) -> Tensor:
        made: Tensor = kagari.sparse_coo_tensor(
            grad.indices(), values, grad.shape, is_coalesced=True
        )
        return made

    def _moved(self, moment: Tensor, grad: Tensor, target: Tensor, weight: float) -> Tensor:
        """Moves a moment towards the target at the gradient's places; its values there."""
        old: Tensor = moment.sparse_mask(grad).values()
        change = (target - old) * weight
        moment.add_(self._at(grad, change))
        return old + change
