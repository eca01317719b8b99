"""Linear layers."""

from __future__ import annotations

import math
from typing import Any

import kagari
from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn import init
from kagari.nn.modules.lazy import LazyModuleMixin
from kagari.nn.modules.module import Module
from kagari.nn.parameter import Parameter, UninitializedParameter

__all__ = ["Bilinear", "Identity", "LazyLinear", "Linear"]


class Identity(Module):
    """Gives its input back; takes and ignores any arguments, to stand in for another layer.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.Identity(54, unused=True)(kagari.ones(2)).tolist()
        [1.0, 1.0]
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Linear(Module):
    r"""A linear map: :math:`y = x A^T + b`.

    Args:
        in_features (int): size of each input.
        out_features (int): size of each output.
        bias (bool): whether there is :math:`b`.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        ``(..., in_features)`` to ``(..., out_features)``. ``weight`` is
        ``(out_features, in_features)``, ``bias`` ``(out_features,)``; both start uniformly in
        :math:`\pm 1 / \sqrt{\text{in\_features}}`.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.Linear(20, 30)
        >>> tuple(m(kagari.zeros(128, 20)).shape)
        (128, 30)

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Linear.html
    """

    __constants__ = ["in_features", "out_features"]  # noqa: RUF012
    in_features: int
    out_features: int
    weight: Tensor
    bias: Any

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(
            kagari.empty((out_features, in_features), device=device, dtype=dtype)
        )
        if bias:
            self.bias = Parameter(kagari.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        # kaiming with a = sqrt(5) is uniform in +-1/sqrt(in_features).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class NonDynamicallyQuantizableLinear(Linear):
    """A Linear that quantization leaves alone; attention's output projection."""


class Bilinear(Module):
    r"""A form of two inputs for each output: :math:`y_k = x_1^T W_k x_2 + b_k`.

    Args:
        in1_features (int): size of the first input.
        in2_features (int): size of the second input.
        out_features (int): size of the output.
        bias (bool): whether there is :math:`b`.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        ``(..., in1_features)`` and ``(..., in2_features)`` to ``(..., out_features)``.

    Raises:
        ValueError: ``in1_features`` is not positive.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.Bilinear(2, 3, 4)
        >>> tuple(m(kagari.zeros(5, 2), kagari.zeros(5, 3)).shape)
        (5, 4)
    """

    __constants__ = ["in1_features", "in2_features", "out_features"]  # noqa: RUF012
    weight: Tensor
    bias: Any

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        shape = (out_features, in1_features, in2_features)
        self.weight = Parameter(kagari.empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(kagari.empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        if self.in1_features <= 0:
            raise ValueError(
                f"in1_features must be > 0, but got (in1_features={self.in1_features})"
            )
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class LazyLinear(LazyModuleMixin, Linear):
    """A :class:`Linear` that takes ``in_features`` from its first input.

    Args:
        out_features (int): size of each output.
        bias (bool): whether there is a bias.
        device: where the parameters lie.
        dtype: their element type.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.LazyLinear(3)
        >>> tuple(m(kagari.zeros(2, 5)).shape), tuple(m.weight.shape)
        ((2, 3), (3, 5))
    """

    cls_to_become = Linear

    def __init__(
        self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(0, 0, False)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        if not self.has_uninitialized_params() and self.in_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        if self.has_uninitialized_params():
            with kagari.no_grad():
                self.in_features = input.shape[-1]
                self.weight.materialize(  # type: ignore[attr-defined]
                    (self.out_features, self.in_features)
                )
                if self.bias is not None:
                    self.bias.materialize((self.out_features,))
                self.reset_parameters()
        elif self.in_features == 0:  # the parameters came from a state_dict
            features = self.weight.shape[-1]
            if input.shape[-1] != features:
                raise AssertionError(
                    f"The in_features inferred from input: {input.shape[-1]} is not equal to "
                    f"in_features from self.weight: {features}"
                )
            self.in_features = features
