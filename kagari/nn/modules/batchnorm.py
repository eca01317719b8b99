"""Batch normalization."""

from __future__ import annotations

from typing import Any

import kagari
from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn import init
from kagari.nn.modules.lazy import LazyModuleMixin
from kagari.nn.modules.module import Module
from kagari.nn.parameter import Parameter, UninitializedBuffer, UninitializedParameter

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "SyncBatchNorm",
]


class _NormBase(Module):
    """What batch and instance normalization share."""

    _version = 2  # 2: num_batches_tracked came in
    __constants__ = [  # noqa: RUF012
        "track_running_stats",
        "momentum",
        "eps",
        "num_features",
        "affine",
    ]
    weight: Any
    bias: Any
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            value = None
            if wanted:
                value = Parameter(kagari.empty(num_features, device=device, dtype=dtype))
            self.register_parameter(name, value)
        mean = var = count = None
        if track_running_stats:
            mean = kagari.zeros(num_features, device=device, dtype=dtype)
            var = kagari.ones(num_features, device=device, dtype=dtype)
            count = kagari.tensor(0, dtype=kagari.int64, device=device)
        self.register_buffer("running_mean", mean)
        self.register_buffer("running_var", var)
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Sets the running mean to 0, the running variance to 1 and the count to 0."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Sets the statistics back, the weight to 1 and the bias to 0."""
        self.reset_running_stats()
        if self.affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        raise NotImplementedError

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *args: Any
    ) -> None:
        version = local_metadata.get("version")
        if (version is None or version < 2) and self.track_running_stats:
            key = prefix + "num_batches_tracked"
            if key not in state_dict:
                count = self.num_batches_tracked
                if count is None or count.is_meta:
                    count = kagari.tensor(0, dtype=kagari.int64)
                state_dict[key] = count
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


class _BatchNorm(_NormBase):
    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        training = self.training
        momentum = self.momentum
        running_mean, running_var = self.running_mean, self.running_var
        if training and self.track_running_stats:
            count = self.num_batches_tracked
            if count is not None:
                count.add_(1)
                if momentum is None:  # the plain mean of all batches
                    momentum = 1.0 / float(count)
        elif training:
            # Statistics that are not tracked are not to be moved either.
            running_mean = running_var = None
        return F.batch_norm(
            input,
            running_mean,
            running_var,
            self.weight,
            self.bias,
            training or (running_mean is None and running_var is None),
            0.0 if momentum is None else momentum,
            self.eps,
        )


class _LazyNormBase(LazyModuleMixin, _NormBase):
    """A normalization that takes ``num_features`` from its first input."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, False, False)
        self.affine = affine
        self.track_running_stats = track_running_stats
        if affine:
            self.weight = UninitializedParameter(device=device, dtype=dtype)
            if bias:
                self.bias = UninitializedParameter(device=device, dtype=dtype)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = kagari.tensor(0, dtype=kagari.int64, device=device)

    def reset_parameters(self) -> None:
        if not self.has_uninitialized_params() and self.num_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        if not self.has_uninitialized_params():
            return
        self.num_features = input.shape[1]
        for value in (self.weight, self.bias, self.running_mean, self.running_var):
            if value is not None:
                value.materialize((self.num_features,))
        self.reset_parameters()


class _Batch1d:
    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.dim()}D input)")


class _Batch2d:
    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 4:
            raise ValueError(f"expected 4D input (got {input.dim()}D input)")


class _Batch3d:
    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 5:
            raise ValueError(f"expected 5D input (got {input.dim()}D input)")


class BatchNorm1d(_Batch1d, _BatchNorm):
    r"""Normalizes channels over the batch: :math:`\gamma (x - \mu) / \sqrt{v + \epsilon} + \beta`.

    In training :math:`\mu, v` are the batch's and the running ones move towards them; in
    evaluation they are the running ones.

    Args:
        num_features (int): C.
        eps (float): :math:`\epsilon`.
        momentum (float): how far the running statistics move; ``None`` for their plain mean.
        affine (bool): whether there are :math:`\gamma` and :math:`\beta`.
        track_running_stats (bool): ``False`` uses the batch's statistics always.
        device: where parameters and buffers lie.
        dtype: their element type.
        bias (bool): whether there is :math:`\beta`.

    Shape:
        ``(N, C)`` or ``(N, C, L)`` to the same.

    Raises:
        ValueError: the input has another number of dimensions.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.BatchNorm1d(3)
        >>> tuple(m(kagari.randn(20, 3)).shape)
        (20, 3)

    Reference: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
    """


class BatchNorm2d(_Batch2d, _BatchNorm):
    """:class:`BatchNorm1d` for pictures.

    Args:
        num_features (int): C.
        eps (float): added to the variance.
        momentum (float): how far the running statistics move; ``None`` for their plain mean.
        affine (bool): whether there are weight and bias.
        track_running_stats (bool): ``False`` uses the batch's statistics always.
        device: where parameters and buffers lie.
        dtype: their element type.
        bias (bool): whether there is a bias.

    Shape:
        ``(N, C, H, W)`` to the same.

    Raises:
        ValueError: the input has another number of dimensions.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.BatchNorm2d(3)(kagari.randn(2, 3, 4, 4)).shape)
        (2, 3, 4, 4)

    Reference: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
    """


class BatchNorm3d(_Batch3d, _BatchNorm):
    """:class:`BatchNorm1d` for volumes.

    Args:
        num_features (int): C.
        eps (float): added to the variance.
        momentum (float): how far the running statistics move; ``None`` for their plain mean.
        affine (bool): whether there are weight and bias.
        track_running_stats (bool): ``False`` uses the batch's statistics always.
        device: where parameters and buffers lie.
        dtype: their element type.
        bias (bool): whether there is a bias.

    Shape:
        ``(N, C, D, H, W)`` to the same.

    Raises:
        ValueError: the input has another number of dimensions.

    Example:
        >>> import kagari
        >>> y = kagari.nn.BatchNorm3d(2)(kagari.rand(4, 2, 3, 3, 3))
        >>> y.shape, y.mean().abs().item() < 1e-6
        (kagari.Size([4, 2, 3, 3, 3]), True)

    Reference: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
    """


class LazyBatchNorm1d(_Batch1d, _LazyNormBase, _BatchNorm):
    """A :class:`BatchNorm1d` that takes ``num_features`` from its first input.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.LazyBatchNorm1d()
        >>> y = m(kagari.randn(4, 3))
        >>> m.num_features
        3
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_Batch2d, _LazyNormBase, _BatchNorm):
    """A :class:`BatchNorm2d` that takes ``num_features`` from its first input.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.LazyBatchNorm2d()
        >>> _ = layer(kagari.rand(4, 3, 2, 2))
        >>> layer
        BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_Batch3d, _LazyNormBase, _BatchNorm):
    """A :class:`BatchNorm3d` that takes ``num_features`` from its first input.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.LazyBatchNorm3d()
        >>> _ = layer(kagari.rand(4, 3, 2, 2, 2))
        >>> layer
        BatchNorm3d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
    """

    cls_to_become = BatchNorm3d


class SyncBatchNorm(_BatchNorm):
    """Batch normalization over all processes; in one process the same as BatchNorm.

    Args:
        num_features (int): C.
        eps (float): added to the variance.
        momentum (float): how far the running statistics move; ``None`` for their plain mean.
        affine (bool): whether there are weight and bias.
        track_running_stats (bool): ``False`` uses the batch's statistics always.
        process_group: the processes that share statistics; there are none to share with yet.
        device: where parameters and buffers lie.
        dtype: their element type.
        bias (bool): whether there is a bias.

    Shape:
        ``(N, C, ...)`` to the same.

    Raises:
        ValueError: the input has fewer than 2 dimensions or no channels.
        NotImplementedError: a process group is given.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.SyncBatchNorm(3).eval()
        >>> layer(kagari.ones(4, 3, 2)).shape
        kagari.Size([4, 3, 2])
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        if process_group is not None:
            raise NotImplementedError(
                "SyncBatchNorm: expected process_group=None, got "
                f"{type(process_group).__name__}; statistics are not shared between processes yet"
            )
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")
        if input.size(1) == 0:
            raise ValueError("SyncBatchNorm number of input channels should be non-zero")

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """Replaces all BatchNorm layers of a module, sharing their parameters and buffers.

        Args:
            module (Module): the layer itself, or what contains it.
            process_group: see the class.

        Returns:
            The converted layer, or the module.

        Example:
            >>> from kagari import nn
            >>> net = nn.Sequential(nn.BatchNorm1d(3))
            >>> type(nn.SyncBatchNorm.convert_sync_batchnorm(net)[0]).__name__
            'SyncBatchNorm'
        """
        result = module
        if isinstance(module, _BatchNorm):
            result = cls(
                module.num_features,
                module.eps,
                module.momentum,
                module.affine,
                module.track_running_stats,
                process_group,
                bias=module.bias is not None,
            )
            if module.affine:
                result.weight = module.weight
                result.bias = module.bias
            result.running_mean = module.running_mean
            result.running_var = module.running_var
            result.num_batches_tracked = module.num_batches_tracked
            result.training = module.training
        for name, child in module.named_children():
            result.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return result
