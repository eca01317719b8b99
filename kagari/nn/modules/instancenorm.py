"""Instance normalization."""

from __future__ import annotations

import warnings
from typing import Any

from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn.modules.batchnorm import _LazyNormBase, _NormBase

__all__ = [
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
]


class _InstanceNorm(_NormBase):
    _unbatched: int  # dimensions of an input without the batch

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def _get_no_batch_dim(self) -> int:
        return self._unbatched

    def _check_input_dim(self, input: Tensor) -> None:
        dims = self._unbatched
        if input.dim() not in (dims, dims + 1):
            raise ValueError(f"expected {dims}D or {dims + 1}D input (got {input.dim()}D input)")

    def _apply_instance_norm(self, input: Tensor) -> Tensor:
        return F.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        dim = input.dim() - self._unbatched
        if input.size(dim) != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={dim} to match num_features "
                    f"({self.num_features}), but got: {input.size(dim)}."
                )
            warnings.warn(
                f"input's size at dim={dim} does not match num_features. You can silence this "
                "warning by not passing in num_features, which is not used because affine=False",
                stacklevel=2,
            )
        if dim == 0:
            return self._apply_instance_norm(input.unsqueeze(0)).squeeze(0)
        return self._apply_instance_norm(input)

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *args: Any
    ) -> None:
        error_msgs = args[-1]
        if local_metadata.get("version") is None and not self.track_running_stats:
            names = [
                prefix + name
                for name in ("running_mean", "running_var")
                if prefix + name in state_dict
            ]
            if names:
                told = " and ".join(f'"{name}"' for name in names)
                kind = type(self).__name__
                error_msgs.append(
                    f"Unexpected running stats buffer(s) {told} for {kind} with "
                    "track_running_stats=False. If state_dict is a checkpoint saved before 0.4.0, "
                    "this may be expected: remove these keys, or set track_running_stats=True in "
                    f"{kind} to use them."
                )
                for name in names:
                    state_dict.pop(name)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


class InstanceNorm1d(_InstanceNorm):
    r"""Normalizes an example's channels: :math:`\gamma (x - \mu) / \sqrt{v + \epsilon} + \beta`.

    Args:
        num_features (int): C.
        eps (float): :math:`\epsilon`.
        momentum (float): how far the running statistics move.
        affine (bool): whether there are :math:`\gamma` and :math:`\beta`.
        track_running_stats (bool): keep running statistics for evaluation.
        device: where parameters and buffers lie.
        dtype: their element type.
        bias (bool): whether there is :math:`\beta`.

    Shape:
        ``(N, C, L)`` or ``(C, L)`` to the same.

    Raises:
        ValueError: the input has another number of dimensions, or other channels with ``affine``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.InstanceNorm1d(3)(kagari.randn(2, 3, 8)).shape)
        (2, 3, 8)

    Reference: Ulyanov et al. 2016, https://arxiv.org/abs/1607.08022
    """

    _unbatched = 2


class InstanceNorm2d(_InstanceNorm):
    """:class:`InstanceNorm1d` for pictures ``(N, C, H, W)`` or ``(C, H, W)``.

    Args:
        num_features (int): C.
        eps (float): added to the variance.
        momentum (float): how far the running statistics move.
        affine (bool): whether there are weight and bias.
        track_running_stats (bool): keep running statistics for evaluation.
        device: where parameters and buffers lie.
        dtype: their element type.
        bias (bool): whether there is a bias.

    Example:
        >>> import kagari
        >>> y = kagari.nn.InstanceNorm2d(2)(kagari.rand(4, 2, 3, 3))
        >>> y.mean((2, 3)).abs().max().item() < 1e-6
        True
    """

    _unbatched = 3


class InstanceNorm3d(_InstanceNorm):
    """:class:`InstanceNorm1d` for volumes ``(N, C, D, H, W)`` or ``(C, D, H, W)``.

    Args:
        num_features (int): C.
        eps (float): added to the variance.
        momentum (float): how far the running statistics move.
        affine (bool): whether there are weight and bias.
        track_running_stats (bool): keep running statistics for evaluation.
        device: where parameters and buffers lie.
        dtype: their element type.
        bias (bool): whether there is a bias.

    Example:
        >>> import kagari
        >>> y = kagari.nn.InstanceNorm3d(2)(kagari.rand(4, 2, 3, 3, 3))
        >>> y.mean((2, 3, 4)).abs().max().item() < 1e-6
        True
    """

    _unbatched = 4


class LazyInstanceNorm1d(_LazyNormBase, _InstanceNorm):
    """An :class:`InstanceNorm1d` that takes ``num_features`` from its first input.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.LazyInstanceNorm1d()
        >>> _ = layer(kagari.rand(4, 3, 2))
        >>> layer
        InstanceNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
    """

    _unbatched = 2
    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNormBase, _InstanceNorm):
    """An :class:`InstanceNorm2d` that takes ``num_features`` from its first input.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.LazyInstanceNorm2d()
        >>> _ = layer(kagari.rand(4, 3, 2, 2))
        >>> layer
        InstanceNorm2d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
    """

    _unbatched = 3
    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNormBase, _InstanceNorm):
    """An :class:`InstanceNorm3d` that takes ``num_features`` from its first input.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.LazyInstanceNorm3d()
        >>> _ = layer(kagari.rand(4, 3, 2, 2, 2))
        >>> layer
        InstanceNorm3d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
    """

    _unbatched = 4
    cls_to_become = InstanceNorm3d
