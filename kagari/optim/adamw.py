"""AdamW: Adam whose weight decay does not pass through the moments."""

from __future__ import annotations

from typing import Any

from kagari.optim.adam import Adam
from kagari.optim.optimizer import Number, ParamsT

__all__ = ["AdamW"]


class AdamW(Adam):
    r"""Adam with decoupled weight decay.

    .. math::
        \theta_t = (1 - \gamma\lambda)\,\theta_{t-1} - \gamma\,
        \frac{m_t / (1 - \beta_1^t)}{\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    with the moments of :class:`Adam` of the gradient alone.

    Args:
        params: parameters, ``(name, parameter)`` pairs, or dicts that define groups.
        lr: learning rate γ, a number or a one-element tensor.
        betas: decay of the two moments.
        eps: ε, keeps the division finite.
        weight_decay: λ.
        amsgrad: keeps the maximum of the second moment.
        maximize: ascends instead.
        foreach, fused: accepted for PyTorch's sake; every step is one fused call per group.
        capturable: only for parameters on an accelerator.
        differentiable: records the step on the tape.

    Raises:
        ValueError: an option out of range.

    Example:
        >>> import kagari
        >>> w = kagari.nn.Parameter(kagari.tensor([4.0]))
        >>> opt = kagari.optim.AdamW([w], lr=0.5, weight_decay=0.25)
        >>> (w * w).sum().backward()
        >>> opt.step()
        >>> w.item()
        3.0

    Reference:
        Loshchilov and Hutter, Decoupled weight decay regularization, 2019.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        betas: tuple[Number, Number] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            # States of the days when AdamW was a formula of its own, or saved by Adam.
            group["decoupled_weight_decay"] = True
