"""Loss scaling: keeps small gradients of float16 from vanishing."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kagari import Tensor
    from kagari.optim import Optimizer

__all__ = ["GradScaler", "OptState"]


class OptState(Enum):
    """Where an optimiser stands within an iteration."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


def _fresh() -> dict[str, Any]:
    return {"stage": OptState.READY, "found_inf": None}


class GradScaler:
    """Multiplies the loss by a factor, so that gradients keep their digits in float16.

    ``step`` divides the gradients by the factor again and leaves the step out when one of them is
    infinite or NaN. ``update`` then shrinks the factor; after ``growth_interval`` good steps in a
    row it grows.

    Args:
        device (str): the kind of device of the losses.
        init_scale (float): the first factor.
        growth_factor (float): what the factor is multiplied by after good steps; above 1.
        backoff_factor (float): what it is multiplied by after a step left out; below 1.
        growth_interval (int): how many good steps in a row make it grow.
        enabled (bool): False makes every method do nothing but the plain step.

    Raises:
        ValueError: a factor is on the wrong side of 1.

    Example:
        >>> import kagari
        >>> w = kagari.nn.Parameter(kagari.ones(2))
        >>> optimizer = kagari.optim.SGD([w], lr=0.5)
        >>> scaler = kagari.amp.GradScaler("cpu")
        >>> scaler.scale((w * w).sum()).backward()
        >>> scaler.step(optimizer)
        >>> scaler.update()
        >>> w.tolist()
        [0.0, 0.0]

    Reference: Micikevicius et al., "Mixed Precision Training", 2018;
        https://pytorch.org/docs/stable/amp.html
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = device
        self._enabled = enabled
        if enabled and device == "cuda":
            warnings.warn(
                "GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=2
            )
            self._enabled = False
        if not self._enabled:
            return
        if growth_factor <= 1.0:
            raise ValueError(f"The growth factor must be > 1.0, got {growth_factor}")
        if backoff_factor >= 1.0:
            raise ValueError(f"The backoff factor must be < 1.0, got {backoff_factor}")
        self._init_scale = init_scale
        self._scale: Tensor | None = None
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._init_growth_tracker = 0
        self._growth_tracker: Tensor | None = None
        self._per_optimizer_states: dict[int, dict[str, Any]] = defaultdict(_fresh)

    def _factor(self, function: str) -> Tensor:
        if self._scale is None:
            raise RuntimeError(
                f"Attempted {function} but _scale is None.  This may indicate your script did not "
                "use scaler.scale(loss or outputs) earlier in the iteration."
            )
        return self._scale

    def _start(self) -> Tensor:
        import kagari

        if self._scale is None:
            self._scale = kagari.full((), self._init_scale, dtype=kagari.float32)
            self._growth_tracker = kagari.full((), self._init_growth_tracker, dtype=kagari.int32)
        return self._scale

    def scale(self, outputs: Any) -> Any:
        """Multiplies a tensor, or each tensor of a list or tuple, by the factor.

        Raises:
            ValueError: ``outputs`` is neither a tensor nor an iterable of them.
        """
        from kagari import Tensor

        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._start()
        if isinstance(outputs, Iterable):
            scaled = map(self.scale, outputs)
            return type(outputs)(scaled) if isinstance(outputs, list | tuple) else scaled
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: Optimizer) -> None:
        """Divides the gradients of an optimiser's parameters by the factor, for clipping them.

        Raises:
            RuntimeError: called twice since ``update``, or after ``step``.
            ValueError: the gradients are float16.
        """
        if not self._enabled:
            return
        factor = self._factor("unscale_")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.UNSCALED:
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        state["found_inf"] = self._divide(optimizer, factor)
        state["stage"] = OptState.UNSCALED

    def _divide(self, optimizer: Optimizer, factor: Tensor) -> float:
        import kagari

        bad = 0.0
        inverse = factor.double().reciprocal().float().item()
        with kagari.no_grad():
            for group in optimizer.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    if p.grad.dtype is kagari.float16:
                        raise ValueError("Attempting to unscale FP16 gradients.")
                    values = p.grad._values() if p.grad.is_sparse else p.grad
                    if not kagari.isfinite(values).all():
                        bad = 1.0
                    p.grad.mul_(inverse)
        return bad

    def step(self, optimizer: Optimizer, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step(*args, **kwargs)`` on unscaled gradients, unless one is not finite.

        Returns:
            What the optimiser's step returned, or None when it was left out.

        Raises:
            RuntimeError: called twice since ``update``, or with a closure.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._factor("step")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if state["stage"] is OptState.READY:
            self.unscale_(optimizer)
        if state["found_inf"] is None:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        result = None if state["found_inf"] else optimizer.step(*args, **kwargs)
        state["stage"] = OptState.STEPPED
        return result

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Moves the factor after the steps of an iteration, or sets it to ``new_scale``."""
        from kagari import Tensor

        if not self._enabled:
            return
        factor, tracker = self._factor("update"), self._growth_tracker
        assert tracker is not None
        if new_scale is not None:
            factor.fill_(new_scale.item() if isinstance(new_scale, Tensor) else new_scale)
        else:
            found = [s["found_inf"] for s in self._per_optimizer_states.values()]
            found = [f for f in found if f is not None]
            if not found:
                raise AssertionError("No inf checks were recorded prior to update.")
            if any(found):
                factor.mul_(self._backoff_factor)
                tracker.zero_()
            elif int(tracker.item()) + 1 == self._growth_interval:
                factor.mul_(self._growth_factor)
                tracker.zero_()
            else:
                tracker.add_(1)
        self._per_optimizer_states = defaultdict(_fresh)

    def get_scale(self) -> float:
        """The factor, as a number: 1.0 when the scaler is not enabled."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else float(self._scale.item())

    def get_growth_factor(self) -> float:
        """What the factor is multiplied by after good steps."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Sets what the factor is multiplied by after good steps."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the factor is multiplied by after a step left out."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Sets what the factor is multiplied by after a step left out."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """How many good steps in a row make the factor grow."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Sets how many good steps in a row make the factor grow."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        if not self._enabled:
            return 0
        tracker = self._growth_tracker
        return self._init_growth_tracker if tracker is None else int(tracker.item())

    def is_enabled(self) -> bool:
        """Whether the scaler does anything."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """What ``load_state_dict`` takes; empty when the scaler is not enabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes the state of another scaler.

        Raises:
            RuntimeError: the state is that of a scaler which was not enabled.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled "
                "instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        if self._scale is not None:
            self._scale.fill_(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._init_growth_tracker = state_dict["_growth_tracker"]
        if self._growth_tracker is not None:
            self._growth_tracker.fill_(state_dict["_growth_tracker"])
