"""Normalization within an example: layer, group, root mean square, local response."""

from __future__ import annotations

import operator
from typing import Any

import kagari
from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn import init
from kagari.nn.modules.module import Module
from kagari.nn.parameter import Parameter

__all__ = [
    "CrossMapLRN2d",
    "GroupNorm",
    "LayerNorm",
    "LocalResponseNorm",
    "RMSNorm",
]
__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


def _shape(normalized_shape: Any) -> tuple[int, ...]:
    try:
        return (operator.index(normalized_shape),)
    except TypeError:
        return tuple(normalized_shape)


class LocalResponseNorm(Module):
    r"""Divides by the energy of near channels: :math:`x / (k + \alpha\,\overline{x^2})^\beta`.

    Args:
        size (int): number of channels in the mean.
        alpha (float): :math:`\alpha`.
        beta (float): :math:`\beta`.
        k (float): :math:`k`.

    Shape:
        ``(N, C, ...)`` to the same.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.LocalResponseNorm(2)(kagari.ones(1, 4, 3)).shape)
        (1, 4, 3)
    """

    __constants__ = ["size", "alpha", "beta", "k"]  # noqa: RUF012

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(Module):
    r"""Divides by the energy of near channels, as Torch 7 did: with a sum instead of a mean.

    .. math:: x_c / (k + \tfrac{\alpha}{n} \sum_{|c' - c| \le (n - 1) / 2} x_{c'}^2)^\beta

    As in PyTorch, the first channel counts for all channels that follow it. The gradient is that
    of this formula.

    Args:
        size (int): n.
        alpha (float): :math:`\alpha`.
        beta (float): :math:`\beta`.
        k (float): k.

    Shape:
        ``(N, C, H, W)`` to the same.

    Raises:
        ValueError: the input has another number of dimensions.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.CrossMapLRN2d(3)(kagari.ones(1, 4, 2, 2)).shape)
        (1, 4, 2, 2)
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() != 4:
            raise ValueError(f"CrossMapLRN2d: Expected input to be 4D, got {input.dim()}D instead.")
        reach = (self.size - 1) // 2
        squares = input * input
        energy = F.pad(squares, (0, 0, 0, 0, reach, reach)).unfold(1, 2 * reach + 1, 1).sum(-1)
        # The first channel never leaves the sum; PyTorch's results are so.
        late = squares[:, :1].expand(-1, max(input.size(1) - reach - 1, 0), -1, -1)
        energy = energy + F.pad(late, (0, 0, 0, 0, input.size(1) - late.size(1), 0))
        return input * (self.k + self.alpha / self.size * energy) ** -self.beta

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class LayerNorm(Module):
    r"""Normalizes over the last dimensions: :math:`\gamma (x - \mu) / \sqrt{v + \epsilon} + \beta`.

    Args:
        normalized_shape (int or sequence): the sizes of the last dimensions.
        eps (float): :math:`\epsilon`.
        elementwise_affine (bool): whether there are :math:`\gamma` and :math:`\beta`.
        bias (bool): whether there is :math:`\beta`.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        ``(..., *normalized_shape)`` to the same.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.LayerNorm(10)(kagari.randn(20, 5, 10)).shape)
        (20, 5, 10)

    Reference: Ba et al. 2016, https://arxiv.org/abs/1607.06450
    """

    __constants__ = ["normalized_shape", "eps", "elementwise_affine"]  # noqa: RUF012
    weight: Any
    bias: Any

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        affine = elementwise_affine
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            value = None
            if wanted:
                value = Parameter(kagari.empty(self.normalized_shape, device=device, dtype=dtype))
            self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the weight to 1 and the bias to 0."""
        if self.elementwise_affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class GroupNorm(Module):
    r"""Normalizes groups of channels: :math:`\gamma (x - \mu) / \sqrt{v + \epsilon} + \beta`.

    Args:
        num_groups (int): number of groups.
        num_channels (int): C.
        eps (float): :math:`\epsilon`.
        affine (bool): whether there are :math:`\gamma` and :math:`\beta`.
        device: where the parameters lie.
        dtype: their element type.
        bias (bool): whether there is :math:`\beta`.

    Shape:
        ``(N, C, ...)`` to the same.

    Raises:
        ValueError: the groups do not divide the channels.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.GroupNorm(3, 6)(kagari.randn(2, 6, 4)).shape)
        (2, 6, 4)

    Reference: Wu and He 2018, https://arxiv.org/abs/1803.08494
    """

    __constants__ = ["num_groups", "num_channels", "eps", "affine"]  # noqa: RUF012
    weight: Any
    bias: Any

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups != 0:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            value = None
            if wanted:
                value = Parameter(kagari.empty(num_channels, device=device, dtype=dtype))
            self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the weight to 1 and the bias to 0."""
        if self.affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    r"""Divides by the root mean square: :math:`\gamma x / \sqrt{\text{mean}(x^2) + \epsilon}`.

    Args:
        normalized_shape (int or sequence): the sizes of the last dimensions.
        eps (float): :math:`\epsilon`; the input dtype's machine epsilon by default.
        elementwise_affine (bool): whether there is :math:`\gamma`.
        device: where the parameter lies.
        dtype: its element type.

    Shape:
        ``(..., *normalized_shape)`` to the same.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.RMSNorm(4)(kagari.randn(2, 4)).shape)
        (2, 4)

    Reference: Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467
    """

    __constants__ = ["normalized_shape", "eps", "elementwise_affine"]  # noqa: RUF012
    weight: Any

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        if elementwise_affine:
            self.weight = Parameter(kagari.empty(self.normalized_shape, device=device, dtype=dtype))
        else:
            self.register_parameter("weight", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the weight to 1."""
        if self.elementwise_affine:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )
