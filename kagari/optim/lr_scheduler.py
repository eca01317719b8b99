"""Learning rate schedulers: what sets ``group['lr']`` from epoch to epoch."""

from __future__ import annotations

import functools
import math
import types
import warnings
import weakref
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, SupportsFloat, TypeAlias, TypedDict

from kagari.optim.optimizer import Group, Optimizer, _is_tensor

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]

Rate: TypeAlias = Any  # float, or a one-element tensor that is updated in place
LrLambda: TypeAlias = Callable[[int], float]

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where "
    "possible. Please use `scheduler.step()` to step the scheduler. With an epoch, the closed form "
    "is used instead of the chainable form, where available."
)
_ORDER_WARNING = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. You should call them in the "
    "opposite order: `optimizer.step()` before `lr_scheduler.step()`. Failure to do this skips the "
    "first value of the learning rate schedule."
)
_OVERRIDDEN_WARNING = (
    "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
    "initialization. Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`."
)
_GET_LR_WARNING = (
    "To get the last learning rate computed by the scheduler, please use `get_last_lr()`."
)


def _values(optimizer: Optimizer, key: str) -> list[Rate]:
    """The option of all groups; copies of tensors, for those change in place."""
    return [g[key].clone() if _is_tensor(g[key]) else g[key] for g in optimizer.param_groups]


def _set(group: Group, key: str, value: Rate) -> None:
    if _is_tensor(group[key]):
        group[key].fill_(float(value))
    else:
        group[key] = value


def _per_group(name: str, optimizer: Optimizer, value: Any) -> list[Rate]:
    """A value for each group."""
    n = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        value = [value] * n
    elif len(value) != n:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(value)} values, param_groups has {n}."
        )
    return [v.clone() if _is_tensor(v) else v for v in value]


def _check_optimizer(optimizer: object) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def _state_of(function: Callable[..., Any]) -> dict[str, Any] | None:
    """What can be saved of a callable: the attributes of an object, nothing of a function."""
    return None if isinstance(function, types.FunctionType) else function.__dict__.copy()


class LRScheduler:
    """Base class: a subclass computes the rates of all groups in ``get_lr``.

    ``get_lr`` finds the epoch in ``last_epoch``, the first rates in ``base_lrs`` and the present
    ones in the groups. A closed form, ``_get_closed_form_lr``, serves ``step(epoch)``.

    Args:
        optimizer: whose groups are scheduled.
        last_epoch: the epoch to resume after; -1 starts anew and notes ``initial_lr`` in the
            groups.

    Raises:
        TypeError: `optimizer` is none.
        KeyError: resuming without ``initial_lr`` in the groups.

    Example:
        >>> import kagari
        >>> class Halve(LRScheduler):
        ...     def get_lr(self):
        ...         return [lr * 0.5**self.last_epoch for lr in self.base_lrs]
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0)
        >>> sched = Halve(opt)
        >>> opt.step(), sched.step()
        (None, None)
        >>> sched.get_last_lr()
        [0.5]
    """

    _get_lr_called_within_step: bool = False
    _is_initial: bool = False
    # Attributes that state_dict leaves out.
    _unsaved: tuple[str, ...] = ("optimizer",)
    _last_lr: list[Rate]

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        _check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                lr = group["lr"]
                group.setdefault("initial_lr", lr.clone() if _is_tensor(lr) else lr)
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming "
                    "scheduler with last_epoch >= 0; load the optimizer's state first"
                )
        self.base_lrs: list[Rate] = _values(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _watch_step(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """Returns everything but the optimizer, as a dict."""
        return {k: v for k, v in self.__dict__.items() if k not in self._unsaved}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over a state made by ``state_dict``."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Rate]:
        """Returns the rates that the last step set, one per group."""
        return self._last_lr

    def get_lr(self) -> list[Rate]:
        """Computes the rates for ``last_epoch``, one per group."""
        raise NotImplementedError(f"{type(self).__name__}: define get_lr")

    def step(self, epoch: int | None = None) -> None:
        """Moves on by an epoch and sets the rates.

        Args:
            epoch: deprecated: moves to this epoch.
        """
        if self._step_count == 1:
            if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
                warnings.warn(_OVERRIDDEN_WARNING, UserWarning, stacklevel=2)
            elif not getattr(self.optimizer, "_opt_called", False):
                warnings.warn(_ORDER_WARNING, UserWarning, stacklevel=2)
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        with self._inside_step():
            if epoch is None:
                self.last_epoch += 1
                rates = self.get_lr()
            else:
                self.last_epoch = epoch
                closed = getattr(self, "_get_closed_form_lr", self.get_lr)
                rates = closed()
        self._set_rates(rates)

    def _set_rates(self, rates: list[Rate]) -> None:
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            _set(group, "lr", lr)
        self._last_lr = self._rates()

    @contextmanager
    def _inside_step(self) -> Iterator[None]:
        self._get_lr_called_within_step = True
        try:
            yield
        finally:
            self._get_lr_called_within_step = False

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(_GET_LR_WARNING, UserWarning, stacklevel=3)

    def _rates(self) -> list[Rate]:
        return _values(self.optimizer, "lr")

    def _scaled(self, factor: float) -> list[Rate]:
        return [group["lr"] * factor for group in self.optimizer.param_groups]


class _LRScheduler(LRScheduler):
    """The base class's old name."""


def _watch_step(optimizer: Any) -> None:
    """Notes whether the optimizer has stepped, for the warning about the order."""
    if hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        return
    # Weak, or the optimizer would hold itself through its own attribute.
    ref = weakref.ref(optimizer)
    function = optimizer.step.__func__

    @functools.wraps(function)
    def step(*args: Any, **kwargs: Any) -> Any:
        target: Any = ref()
        target._opt_called = True
        return function(target, *args, **kwargs)

    step._wrapped_by_lr_sched = True  # type: ignore[attr-defined]
    optimizer.step = step


class _LambdaScheduler(LRScheduler):
    """What LambdaLR and MultiplicativeLR share: a function per group."""

    _unsaved = ("optimizer", "lr_lambdas")

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: LrLambda | list[LrLambda],
        last_epoch: int = -1,
    ) -> None:
        n = len(optimizer.param_groups)
        if not isinstance(lr_lambda, list | tuple):
            lr_lambda = [lr_lambda] * n
        elif len(lr_lambda) != n:
            raise ValueError(f"Expected {n} lr_lambdas, but got {len(lr_lambda)}")
        for function in lr_lambda:
            if not callable(function):
                raise TypeError(
                    f"lr_lambda should be a function, but got {type(function).__name__}"
                )
        self.lr_lambdas: list[LrLambda] = list(lr_lambda)
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Returns the state; callable objects are saved by their attributes, functions not."""
        return super().state_dict() | {"lr_lambdas": [_state_of(f) for f in self.lr_lambdas]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over a state made by ``state_dict``."""
        saved = state_dict["lr_lambdas"]
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for function, attributes in zip(self.lr_lambdas, saved, strict=True):
            if attributes is not None:
                function.__dict__.update(attributes)


class LambdaLR(_LambdaScheduler):
    r"""Sets the rate to the first one times a function of the epoch.

    .. math:: \gamma_t = \gamma_0 f(t)

    Args:
        optimizer: whose groups are scheduled.
        lr_lambda: f, or a list with one for each group.
        last_epoch: the epoch to resume after.

    Example:
        >>> import kagari
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0)
        >>> sched = LambdaLR(opt, lambda epoch: 1 / (1 + epoch))
        >>> opt.step(), sched.step()
        (None, None)
        >>> sched.get_last_lr()
        [0.5]
    """

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        return [
            lr * f(self.last_epoch) for f, lr in zip(self.lr_lambdas, self.base_lrs, strict=True)
        ]


class MultiplicativeLR(_LambdaScheduler):
    r"""Multiplies the rate by a function of the epoch.

    .. math:: \gamma_t = \gamma_{t-1} f(t)

    Args:
        optimizer: whose groups are scheduled.
        lr_lambda: f, or a list with one for each group.
        last_epoch: the epoch to resume after.

    Example:
        >>> import kagari
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0)
        >>> sched = MultiplicativeLR(opt, lambda epoch: 0.5)
        >>> opt.step(), sched.step()
        (None, None)
        >>> sched.get_last_lr()
        [0.5]
    """

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        if self._is_initial:
            return self._rates()
        groups = self.optimizer.param_groups
        return [g["lr"] * f(self.last_epoch) for f, g in zip(self.lr_lambdas, groups, strict=True)]


class StepLR(LRScheduler):
    r"""Multiplies the rate by γ every ``step_size`` epochs.

    Args:
        optimizer: whose groups are scheduled.
        step_size: epochs between two changes.
        gamma: γ.
        last_epoch: the epoch to resume after.

    Example:
        >>> import kagari
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0)
        >>> sched = StepLR(opt, step_size=2, gamma=0.5)
        >>> for _ in range(4):
        ...     opt.step()
        ...     sched.step()
        >>> sched.get_last_lr()
        [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return self._rates()
        return self._scaled(self.gamma)

    def _get_closed_form_lr(self) -> list[Rate]:
        return [lr * self.gamma ** (self.last_epoch // self.step_size) for lr in self.base_lrs]


class MultiStepLR(LRScheduler):
    r"""Multiplies the rate by γ at each milestone.

    Args:
        optimizer: whose groups are scheduled.
        milestones: epochs; one given twice counts twice.
        gamma: γ.
        last_epoch: the epoch to resume after.

    Example:
        >>> import kagari
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0)
        >>> sched = MultiStepLR(opt, milestones=[1, 3], gamma=0.5)
        >>> for _ in range(3):
        ...     opt.step()
        ...     sched.step()
        >>> sched.get_last_lr()
        [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        if self.last_epoch not in self.milestones:
            return self._rates()
        return self._scaled(self.gamma ** self.milestones[self.last_epoch])

    def _get_closed_form_lr(self) -> list[Rate]:
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return [lr * self.gamma**passed for lr in self.base_lrs]


class ConstantLR(LRScheduler):
    r"""Multiplies the rate by a factor until ``total_iters`` epochs have passed.

    Args:
        optimizer: whose groups are scheduled.
        factor: between 0 and 1.
        total_iters: epochs after which the rate is its own again.
        last_epoch: the epoch to resume after.

    Raises:
        ValueError: `factor` out of range.

    Example:
        >>> import kagari
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0)
        >>> sched = ConstantLR(opt, factor=0.5)
        >>> sched.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if factor > 1.0 or factor < 0:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        if self.last_epoch == 0:
            return self._scaled(self.factor)
        if self.last_epoch != self.total_iters:
            return self._rates()
        return self._scaled(1.0 / self.factor)

    def _get_closed_form_lr(self) -> list[Rate]:
        factor = 1.0 if self.last_epoch >= self.total_iters else self.factor
        return [lr * factor for lr in self.base_lrs]


class LinearLR(LRScheduler):
    r"""Moves the rate's factor linearly from one value to another.

    Args:
        optimizer: whose groups are scheduled.
        start_factor: factor of the first epoch, in (0, 1].
        end_factor: factor from ``total_iters`` on, in [0, 1].
        total_iters: epochs in between.
        last_epoch: the epoch to resume after.

    Raises:
        ValueError: a factor out of range.

    Example:
        >>> import kagari
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0)
        >>> sched = LinearLR(opt, start_factor=0.5, total_iters=2)
        >>> opt.step(), sched.step()
        (None, None)
        >>> sched.get_last_lr()
        [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal "
                "to 1."
            )
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        if self.last_epoch == 0:
            return self._scaled(self.start_factor)
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._rates()
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return self._scaled(1.0 + rise / before)

    def _get_closed_form_lr(self) -> list[Rate]:
        rise = self.end_factor - self.start_factor
        done = min(self.total_iters, self.last_epoch) / self.total_iters
        return [lr * (self.start_factor + rise * done) for lr in self.base_lrs]


class ExponentialLR(LRScheduler):
    r"""Multiplies the rate by γ every epoch.

    Args:
        optimizer: whose groups are scheduled.
        gamma: γ.
        last_epoch: the epoch to resume after.

    Example:
        >>> import kagari
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0)
        >>> sched = ExponentialLR(opt, gamma=0.5)
        >>> opt.step(), sched.step()
        (None, None)
        >>> sched.get_last_lr()
        [0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        return self._rates() if self._is_initial else self._scaled(self.gamma)

    def _get_closed_form_lr(self) -> list[Rate]:
        return [lr * self.gamma**self.last_epoch for lr in self.base_lrs]


class PolynomialLR(LRScheduler):
    r"""Lets the rate fall to zero along a polynomial.

    .. math:: \gamma_t = \gamma_0 (1 - \min(t, T) / T)^p

    Args:
        optimizer: whose groups are scheduled.
        total_iters: T.
        power: p.
        last_epoch: the epoch to resume after.

    Example:
        >>> import kagari
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0)
        >>> sched = PolynomialLR(opt, total_iters=2, power=2.0)
        >>> opt.step(), sched.step()
        (None, None)
        >>> sched.get_last_lr()
        [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._rates()
        left = 1.0 - self.last_epoch / self.total_iters
        left_before = 1.0 - (self.last_epoch - 1) / self.total_iters
        return self._scaled((left / left_before) ** self.power)

    def _get_closed_form_lr(self) -> list[Rate]:
        left = 1.0 - min(self.total_iters, self.last_epoch) / self.total_iters
        return [lr * left**self.power for lr in self.base_lrs]


class CosineAnnealingLR(LRScheduler):
    r"""Lets the rate swing between its first value and a minimum along a cosine.

    .. math::
        \gamma_t = \gamma_{\min} + (\gamma_0 - \gamma_{\min}) \frac{1 + \cos(\pi t / T)}{2}

    computed from the present rate, so that other schedulers may change it in between.

    Args:
        optimizer: whose groups are scheduled.
        T_max: T, half a period.
        eta_min: the minimum.
        last_epoch: the epoch to resume after.

    Example:
        >>> import kagari
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0)
        >>> sched = CosineAnnealingLR(opt, T_max=2)
        >>> opt.step(), sched.step()
        (None, None)
        >>> round(sched.get_last_lr()[0], 6)
        0.5

    Reference:
        Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, 2017.
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        t, half, low = self.last_epoch, self.T_max, self.eta_min
        groups = self.optimizer.param_groups
        if self._is_initial:
            return self._rates()
        if self._step_count == 1 and t > 0:
            return self._get_closed_form_lr()
        if (t - 1 - half) % (2 * half) == 0:
            # The present rate is the minimum: no ratio leads out of it.
            rise = (1 - math.cos(math.pi / half)) / 2
            return [
                g["lr"] + (base - low) * rise for base, g in zip(self.base_lrs, groups, strict=True)
            ]
        ratio = (1 + math.cos(math.pi * t / half)) / (1 + math.cos(math.pi * (t - 1) / half))
        return [ratio * (g["lr"] - low) + low for g in groups]

    def _get_closed_form_lr(self) -> list[Rate]:
        height = (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2
        return [self.eta_min + (lr - self.eta_min) * height for lr in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    r"""Lets the rate fall along a cosine again and again.

    .. math::
        \gamma_t = \gamma_{\min} + (\gamma_0 - \gamma_{\min}) \frac{1 + \cos(\pi T_{cur} / T_i)}{2}

    Args:
        optimizer: whose groups are scheduled.
        T_0: epochs until the first restart.
        T_mult: factor between the lengths of two runs.
        eta_min: the minimum.
        last_epoch: the epoch to resume after.

    Raises:
        ValueError: a number out of range.

    Example:
        >>> import kagari
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0)
        >>> sched = CosineAnnealingWarmRestarts(opt, T_0=2)
        >>> for _ in range(2):
        ...     opt.step()
        ...     sched.step()
        >>> sched.get_last_lr()
        [1.0]

    Reference:
        Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, 2017.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, float | int):
            raise ValueError(
                f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}"
            )
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        height = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (lr - self.eta_min) * height for lr in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Moves on by an epoch, or to `epoch`, which may be a fraction, and sets the rates."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        elif epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        else:
            self._move_to(epoch)
        self.last_epoch = math.floor(epoch)
        with self._inside_step():
            self._set_rates(self.get_lr())

    def _move_to(self, epoch: float) -> None:
        first, factor = self.T_0, self.T_mult
        if epoch < first:
            self.T_i, passed = first, epoch
        elif factor == 1:
            passed = epoch % first
        else:
            n = int(math.log(epoch / first * (factor - 1) + 1, factor))
            passed = epoch - first * (factor**n - 1) / (factor - 1)
            self.T_i = first * factor**n
        self.T_cur = passed


class _Momentum:
    """Lets momentum, or Adam's first beta, move against the rate."""

    use_beta1: bool
    optimizer: Optimizer

    def _init_momentum(self, maxima: list[float], bases: list[float], last_epoch: int) -> None:
        if last_epoch != -1:
            return
        groups = self.optimizer.param_groups
        for high, low, group in zip(maxima, bases, groups, strict=True):
            self._set_momentum(group, high)
            group["max_momentum"] = high
            group["base_momentum"] = low

    def _find_momentum(self) -> None:
        defaults = self.optimizer.defaults
        if "momentum" not in defaults and "betas" not in defaults:
            raise ValueError(
                "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
            )
        self.use_beta1 = "betas" in defaults

    def _set_momentum(self, group: Group, value: float) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


class CyclicLR(_Momentum, LRScheduler):
    r"""Lets the rate go up and down between two bounds; step it after every batch.

    Args:
        optimizer: whose groups are scheduled.
        base_lr: lower bound, or a list with one for each group.
        max_lr: upper bound, or a list with one for each group.
        step_size_up: batches of the way up.
        step_size_down: batches of the way down; default as up.
        mode: ``'triangular'``; ``'triangular2'``: half as high each cycle; ``'exp_range'``: scaled
            by ``gamma ** batch``.
        gamma: factor of ``'exp_range'``.
        scale_fn: own scale, in place of the mode's.
        scale_mode: whether ``scale_fn`` is given the ``'cycle'`` or the ``'iterations'``.
        cycle_momentum: moves momentum (or beta1) the other way.
        base_momentum: its lower bound, or a list with one for each group.
        max_momentum: its upper bound, or a list with one for each group.
        last_epoch: the batch to resume after.

    Raises:
        TypeError: `optimizer` is none.
        ValueError: an unknown mode; an optimiser without momentum.

    Example:
        >>> import kagari
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0, momentum=0.9)
        >>> sched = CyclicLR(opt, base_lr=0.5, max_lr=1.0, step_size_up=2)
        >>> opt.step(), sched.step()
        (None, None)
        >>> sched.get_last_lr()
        [0.75]

    Reference:
        Smith, Cyclical learning rates for training neural networks, 2017.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        _check_optimizer(optimizer)
        self.optimizer = optimizer
        base_lrs = _per_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for lr, group in zip(base_lrs, optimizer.param_groups, strict=True):
                _set(group, "lr", lr)
        self.max_lrs = _per_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        down = float(step_size_down) if step_size_down is not None else up
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._find_momentum()
            self.base_momentums = _per_group("base_momentum", optimizer, base_momentum)
            self.max_momentums = _per_group("max_momentum", optimizer, max_momentum)
            self._init_momentum(self.max_momentums, self.base_momentums, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The height of a cycle, relative to the bounds."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        if self.mode == "triangular2":
            return float(1 / (2.0 ** (x - 1)))
        return float(self.gamma**x)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        if x <= self.step_ratio:
            height = x / self.step_ratio
        else:
            height = (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            bounds = zip(self.base_momentums, self.max_momentums, strict=True)
            groups = self.optimizer.param_groups
            for group, (low, high) in zip(groups, bounds, strict=True):
                self._set_momentum(group, high - (high - low) * height * scale)
        return [
            low + (high - low) * height * scale
            for low, high in zip(self.base_lrs, self.max_lrs, strict=True)
        ]

    def state_dict(self) -> dict[str, Any]:
        """Returns the state; a callable object is saved by its attributes, a function not."""
        state = super().state_dict()
        custom = self._scale_fn_custom
        state["_scale_fn_custom"] = None if custom is None else _state_of(custom)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over a state made by ``state_dict``."""
        state = dict(state_dict)
        attributes = state.pop("_scale_fn_custom")
        super().load_state_dict(state)
        if attributes is not None and self._scale_fn_custom is not None:
            self._scale_fn_custom.__dict__.update(attributes)


class _Phase(TypedDict):
    """A stretch of OneCycleLR, with the names of the options between which it moves."""

    end_step: float
    start_lr: str
    end_lr: str
    start_momentum: str
    end_momentum: str


class OneCycleLR(_Momentum, LRScheduler):
    r"""Lets the rate go up once and come down to far below its start; step it after every batch.

    Args:
        optimizer: whose groups are scheduled.
        max_lr: the peak, or a list with one for each group.
        total_steps: length of the cycle; or
        epochs, steps_per_epoch: its two factors.
        pct_start: part of the cycle on the way up.
        anneal_strategy: ``'cos'`` or ``'linear'``.
        cycle_momentum: moves momentum (or beta1) the other way.
        base_momentum: its lower bound, or a list with one for each group.
        max_momentum: its upper bound, or a list with one for each group.
        div_factor: peak over start.
        final_div_factor: start over end.
        three_phase: comes down as it went up, then falls to the end.
        last_epoch: the batch to resume after.

    Raises:
        TypeError: `optimizer` is none.
        ValueError: a length or an option out of range; more steps than the cycle has.

    Example:
        >>> import kagari
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0, momentum=0.9)
        >>> sched = OneCycleLR(opt, max_lr=1.0, total_steps=10)
        >>> round(sched.get_last_lr()[0], 6)
        0.04

    Reference:
        Smith and Topin, Super-convergence: very fast training of neural networks using large
        learning rates, 2018.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        _check_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = self._length(total_steps, epochs, steps_per_epoch)
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._schedule_phases = self._phases(float(pct_start * self.total_steps), three_phase)
        self._anneal_func_type = anneal_strategy
        max_lrs = _per_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, peak in zip(optimizer.param_groups, max_lrs, strict=True):
                group["initial_lr"] = peak / div_factor
                group["max_lr"] = peak
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._find_momentum()
            maxima = _per_group("max_momentum", optimizer, max_momentum)
            bases = _per_group("base_momentum", optimizer, base_momentum)
            self._init_momentum(maxima, bases, last_epoch)
        super().__init__(optimizer, last_epoch)

    @staticmethod
    def _length(total: int | None, epochs: int | None, per_epoch: int | None) -> int:
        if total is not None:
            named = {"total_steps": total}
        elif epochs is not None and per_epoch is not None:
            named = {"epochs": epochs, "steps_per_epoch": per_epoch}
        else:
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
        for name, value in named.items():
            if not isinstance(value, int) or value <= 0:
                raise ValueError(f"Expected positive integer {name}, but got {value}")
        return math.prod(named.values())

    def _phases(self, up: float, three: bool) -> list[_Phase]:
        ends: list[tuple[float, str, str, str, str]] = [
            (up - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
        ]
        last = self.total_steps - 1
        if three:
            ends += [
                (2 * up - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
                (last, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
            ]
        else:
            ends.append((last, "max_lr", "min_lr", "base_momentum", "max_momentum"))
        return [
            _Phase(end_step=e, start_lr=a, end_lr=b, start_momentum=c, end_momentum=d)
            for e, a, b, c, d in ends
        ]

    def _anneal(self, start: Rate, end: Rate, done: float) -> Rate:
        if self._anneal_func_type == "linear":
            return (end - start) * done + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * done) + 1)

    def get_lr(self) -> list[Rate]:
        self._warn_outside_step()
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(
                f"Tried to step {step} times. "
                f"The specified number of total steps is {self.total_steps}"
            )
        start = 0.0
        for phase in self._schedule_phases:
            end = phase["end_step"]
            if step <= end:
                break
            if phase is not self._schedule_phases[-1]:
                start = end
        done = (step - start) / (end - start)
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._anneal(group[phase["start_lr"]], group[phase["end_lr"]], done))
            if self.cycle_momentum:
                bounds = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._set_momentum(group, self._anneal(*bounds, done))
        return rates


def _check_parts(owner: object, optimizer: Optimizer, schedulers: Sequence[Any]) -> None:
    name = type(owner).__name__
    for i, scheduler in enumerate(schedulers):
        if not hasattr(scheduler, "optimizer"):
            raise TypeError(f"{name} at index {i} should have `optimizer` as its attribute.")
        if isinstance(scheduler, ReduceLROnPlateau):
            raise ValueError(
                f"{name} does not support `ReduceLROnPlateau` scheduler as it requires additional "
                f"kwargs to be specified when calling `step`, but got one at index {i} in the "
                "given schedulers sequence."
            )
        if optimizer is not scheduler.optimizer:
            raise ValueError(
                f"{name} expects all schedulers to belong to the same optimizer, but got "
                f"scheduler {type(scheduler).__name__} at index {i} has {scheduler.optimizer}, "
                f"which is different from {type(optimizer).__name__}."
            )


class _Composite(LRScheduler):
    """What the schedulers made of schedulers share."""

    _unsaved = ("optimizer", "_schedulers")
    _schedulers: Sequence[LRScheduler]

    def state_dict(self) -> dict[str, Any]:
        """Returns the state, with those of the parts in ``'_schedulers'``."""
        return super().state_dict() | {"_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over a state made by ``state_dict``."""
        parts = state_dict["_schedulers"]
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_schedulers"})
        for scheduler, state in zip(self._schedulers, parts, strict=True):
            scheduler.load_state_dict(state)


class SequentialLR(_Composite):
    r"""Follows one scheduler after another.

    Args:
        optimizer: whose groups are scheduled.
        schedulers: the schedulers, in their order.
        milestones: the epochs at which the next one takes over.
        last_epoch: the epoch to resume after.

    Raises:
        ValueError: no schedulers, of several optimisers, or not one more than milestones.
        TypeError: something that is no scheduler.

    Example:
        >>> import kagari
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0)
        >>> warm_up = ConstantLR(opt, factor=0.5, total_iters=2)
        >>> sched = SequentialLR(opt, [warm_up, ExponentialLR(opt, gamma=0.5)], milestones=[2])
        >>> sched.get_last_lr()
        [0.5]
        >>> for _ in range(3):
        ...     opt.step()
        ...     sched.step()
        >>> sched.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        if len(schedulers) < 1:
            raise ValueError(
                f"{type(self).__name__} expects at least one scheduler, but got no scheduler."
            )
        _check_parts(self, optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than "
                f"the number of milestone points, but got number of schedulers {len(schedulers)} "
                f"and the number of milestones to be equal to {len(milestones)}"
            )
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        self.optimizer = optimizer
        # Each part took a first step when it was made: undo them, then take that of the first.
        for group in optimizer.param_groups:
            _set(group, "lr", group["initial_lr"])
        self.recursive_undo()
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def recursive_undo(self, sched: LRScheduler | None = None) -> None:
        """Takes the first step of all parts back."""
        sched = self if sched is None else sched
        if isinstance(sched, _Composite):
            for part in sched._schedulers:
                self.recursive_undo(part)
        elif hasattr(sched, "last_epoch"):
            sched.last_epoch -= 1

    def step(self) -> None:  # type: ignore[override]
        """Moves on by an epoch and sets the rates."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(_Composite):
    r"""Steps several schedulers at once, each on what the one before has set.

    Args:
        schedulers: the schedulers, in their order.
        optimizer: theirs; default that of the first.

    Raises:
        ValueError: no schedulers, or of several optimisers.
        TypeError: something that is no scheduler.

    Example:
        >>> import kagari
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0)
        >>> parts = [ConstantLR(opt, factor=0.5), ExponentialLR(opt, gamma=0.5)]
        >>> sched = ChainedScheduler(parts)
        >>> opt.step(), sched.step()
        (None, None)
        >>> sched.get_last_lr()
        [0.25]
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        if len(schedulers) < 1:
            raise ValueError(
                f"{type(self).__name__} expects at least one scheduler to be chained, "
                "but got no scheduler."
            )
        if optimizer is None:
            optimizer = getattr(schedulers[0], "optimizer", None)
        _check_parts(self, optimizer, schedulers)  # type: ignore[arg-type]
        self._schedulers = schedulers
        self.optimizer = optimizer  # type: ignore[assignment]
        self._last_lr = self._rates()

    def step(self) -> None:  # type: ignore[override]
        """Moves all parts on by an epoch."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._rates()


class ReduceLROnPlateau(LRScheduler):
    r"""Multiplies the rate by a factor when a metric has stopped improving.

    Args:
        optimizer: whose groups are scheduled.
        mode: whether the metric should get ``'min'`` or ``'max'``.
        factor: below 1.
        patience: epochs without improvement that are let pass.
        threshold: what counts as an improvement.
        threshold_mode: whether it is meant ``'rel'`` to the best or ``'abs'``.
        cooldown: epochs after a reduction in which none is counted.
        min_lr: lower bound of the rate, or a list with one for each group.
        eps: smaller changes of the rate are not made.

    Raises:
        TypeError: `optimizer` is none.
        ValueError: an option out of range.

    Example:
        >>> import kagari
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0)
        >>> sched = ReduceLROnPlateau(opt, factor=0.5, patience=0)
        >>> for loss in (3.0, 2.0, 2.0):
        ...     sched.step(loss)
        >>> sched.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: list[float] | float = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ValueError("Factor should be < 1.0.")
        self.factor = factor
        _check_optimizer(optimizer)
        self.optimizer = optimizer
        n = len(optimizer.param_groups)
        if isinstance(min_lr, list | tuple):
            if len(min_lr) != n:
                raise ValueError(f"expected {n} min_lrs, got {len(min_lr)}")
            self.default_min_lr = None
            self.min_lrs = list(min_lr)
        else:
            self.default_min_lr = min_lr
            self.min_lrs = [min_lr] * n
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.last_epoch = 0
        self._last_lr = self._rates()
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown!")
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self._reset()

    def _reset(self) -> None:
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]
        """Looks at the metric and, when it is time, reduces the rates.

        Args:
            metrics: the metric's new value.
            epoch: deprecated: moves to this epoch.
        """
        current = float(metrics)
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current, self.best):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = self._rates()

    def _reduce_lr(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"The number of param groups in the `optimizer` ({len(groups)}) differs from "
                    f"when `ReduceLROnPlateau` was initialized ({len(self.min_lrs)}), usually due "
                    "to a new param group being added to the optimizer. Please modify the "
                    "`min_lrs` field to match the length of the `optimizer` param groups."
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, low in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, low)
            if old - new > self.eps:
                _set(group, "lr", new)

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs are not counted at the moment."""
        return self.cooldown_counter > 0

    def _is_better(self, a: float, best: float) -> bool:
        if self.mode == "min":
            bar = best * (1.0 - self.threshold)
            return a < (bar if self.threshold_mode == "rel" else best - self.threshold)
        bar = best * (1.0 + self.threshold)
        return a > (bar if self.threshold_mode == "rel" else best + self.threshold)
