"""Averages of weights over training: SWA, exponential means, and their schedule."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, Literal

import kagari
from kagari.nn import Module
from kagari.optim.lr_scheduler import _GET_LR_WARNING, LRScheduler, Rate, _per_group
from kagari.optim.optimizer import Optimizer, Tensor

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

AvgFn = Callable[[Any, Any, Any], Any]
MultiAvgFn = Callable[[Any, Any, Any], None]


def _check_decay(decay: float) -> None:
    if decay < 0.0 or decay > 1.0:
        raise ValueError(
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        )


def get_ema_avg_fn(decay: float = 0.999) -> AvgFn:
    """Returns the exponential mean of a parameter: ``decay * mean + (1 - decay) * new``.

    Args:
        decay: in [0, 1].

    Example:
        >>> import kagari
        >>> get_ema_avg_fn(0.75)(kagari.ones(1), kagari.zeros(1), 1).item()
        0.75
    """
    _check_decay(decay)

    def ema_update(mean: Tensor, new: Tensor, num_averaged: Any) -> Tensor:
        with kagari.no_grad():
            return decay * mean + (1 - decay) * new

    return ema_update


def get_swa_avg_fn() -> AvgFn:
    """Returns the equal mean of a parameter: ``mean + (new - mean) / (n + 1)``.

    Example:
        >>> import kagari
        >>> get_swa_avg_fn()(kagari.ones(1), kagari.zeros(1), 1).item()
        0.5
    """

    def swa_update(mean: Tensor, new: Tensor, num_averaged: Any) -> Tensor:
        with kagari.no_grad():
            moved: Tensor = mean + (new - mean) / (num_averaged + 1)
        return moved

    return swa_update


def _for_all(avg_fn: AvgFn) -> MultiAvgFn:
    def update(means: list[Tensor], news: list[Tensor], num_averaged: Any) -> None:
        with kagari.no_grad():
            for mean, new in zip(means, news, strict=True):
                mean.copy_(avg_fn(mean, new, num_averaged))

    return update


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAvgFn:
    """Returns the exponential mean, in place, for lists of parameters.

    Args:
        decay: in [0, 1].

    Example:
        >>> import kagari
        >>> average = kagari.optim.swa_utils.get_ema_multi_avg_fn(0.9)
        >>> kept = [kagari.zeros(1)]
        >>> average(kept, [kagari.ones(1)], 1)
        >>> kept
        [tensor([0.1000])]
    """
    return _for_all(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> MultiAvgFn:
    """Returns the equal mean, in place, for lists of parameters.

    Example:
        >>> import kagari
        >>> average = kagari.optim.swa_utils.get_swa_multi_avg_fn()
        >>> kept = [kagari.zeros(1)]
        >>> average(kept, [kagari.ones(1)], kagari.tensor(1))
        >>> kept
        [tensor([0.5000])]
    """
    return _for_all(get_swa_avg_fn())


class AveragedModel(Module):
    """Keeps a copy of a model whose parameters are means over training.

    Args:
        model: the model to average.
        device: where the copy is kept; default the model's.
        avg_fn: ``avg_fn(mean, new, n)`` returns the new mean of one parameter; default SWA's.
        multi_avg_fn: the same in place for lists of parameters.
        use_buffers: averages the buffers too; otherwise they are copied.

    Raises:
        AssertionError: both functions given.

    Example:
        >>> import kagari
        >>> model = kagari.nn.Linear(1, 1)
        >>> mean = AveragedModel(model)
        >>> mean.update_parameters(model)
        >>> mean.n_averaged.item()
        1

    Reference:
        Izmailov et al., Averaging weights leads to wider optima and better generalization, 2018.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: AvgFn | None = None,
        multi_avg_fn: MultiAvgFn | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", kagari.tensor(0, dtype=kagari.long, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Takes the model's present parameters into the means."""
        means = [t.detach() for t in self._averaged(self.module)]
        news = [
            t.detach().to(mean.device) for t, mean in zip(self._averaged(model), means, strict=True)
        ]
        if self.n_averaged == 0:
            for mean, new in zip(means, news, strict=True):
                mean.copy_(new)
        else:
            update = self.multi_avg_fn or _for_all(self.avg_fn or get_swa_avg_fn())
            # A function for lists gets tensors of one dtype, as it may use one fused call.
            for dtype in dict.fromkeys(t.dtype for t in means):
                index = [i for i, t in enumerate(means) if t.dtype == dtype]
                update([means[i] for i in index], [news[i] for i in index], self.n_averaged)
        if not self.use_buffers:
            for mine, other in zip(self.module.buffers(), model.buffers(), strict=True):
                mine.detach().copy_(other.detach().to(mine.device))
        self.n_averaged += 1

    def _averaged(self, module: Module) -> Iterable[Tensor]:
        if self.use_buffers:
            return itertools.chain(module.parameters(), module.buffers())
        return module.parameters()


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Recomputes the running statistics of a model's batch norms in one pass over data.

    Args:
        loader: batches; of a list or tuple the first element is the input.
        model: the model, for example an :class:`AveragedModel`.
        device: where batches are moved before they go through the model.

    Example:
        >>> import kagari
        >>> model = kagari.nn.BatchNorm1d(1)
        >>> kagari.optim.swa_utils.update_bn([kagari.tensor([[1.0], [3.0]])], model)
        >>> model.running_mean
        tensor([2.])
    """
    from kagari.nn.modules.batchnorm import _BatchNorm

    momenta = {m: m.momentum for m in model.modules() if isinstance(m, _BatchNorm)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.reset_running_stats()
        # None: the equal mean over all batches.
        module.momentum = None
    with kagari.no_grad():
        for batch in loader:
            if isinstance(batch, list | tuple):
                batch = batch[0]
            if device is not None:
                batch = batch.to(device)
            model(batch)
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    r"""Anneals the rate to a fixed value, at which weights are averaged.

    Args:
        optimizer: whose groups are scheduled.
        swa_lr: the value, or a list with one for each group.
        anneal_epochs: epochs until it is reached.
        anneal_strategy: ``'cos'`` or ``'linear'``.
        last_epoch: the epoch to resume after.

    Raises:
        ValueError: an option out of range.

    Example:
        >>> import kagari
        >>> opt = kagari.optim.SGD([kagari.ones(1)], lr=1.0)
        >>> sched = SWALR(opt, swa_lr=0.5, anneal_epochs=1)
        >>> opt.step(), sched.step()
        (None, None)
        >>> sched.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ) -> None:
        for lr, group in zip(
            _per_group("swa_lr", optimizer, swa_lr), optimizer.param_groups, strict=True
        ):
            group["swa_lr"] = lr
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal_func(self, t: float) -> float:
        """How far the rate has come when a part t of the epochs has passed."""
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def _progress(self, step: int) -> float:
        return self.anneal_func(max(0, min(1, step / max(1, self.anneal_epochs))))

    def get_lr(self) -> list[Rate]:
        if not self._get_lr_called_within_step:
            warnings.warn(_GET_LR_WARNING, UserWarning, stacklevel=2)
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._progress(step - 1), self._progress(step)
        rates = []
        for group in self.optimizer.param_groups:
            lr, end = group["lr"], group["swa_lr"]
            # The rate at which the annealing began, found back from the present one.
            start = end if before == 1 else (lr - before * end) / (1 - before)
            rates.append(end * now + start * (1 - now))
        return rates
