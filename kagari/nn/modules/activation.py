"""Activation layers."""

from __future__ import annotations

import warnings
from typing import Any

import kagari
from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn import init as _init
from kagari.nn.modules.linear import NonDynamicallyQuantizableLinear
from kagari.nn.modules.module import Module
from kagari.nn.parameter import Parameter

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "MultiheadAttention",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class _Inplace(Module):
    """An activation whose only setting is ``inplace``."""

    __constants__ = ["inplace"]  # noqa: RUF012
    inplace: bool

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


def _inplace_suffix(module: Any) -> str:
    return ", inplace=True" if module.inplace else ""


class Threshold(Module):
    r"""Keeps what lies above a threshold: :math:`x` where :math:`x > t`, else ``value``.

    Args:
        threshold (float): :math:`t`.
        value (float): put in place of the rest.
        inplace (bool): write into the input.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.Threshold(1.0, 0.0)(kagari.tensor([0.1, 2.0])).tolist()
        [0.0, 2.0]
    """

    __constants__ = ["threshold", "value", "inplace"]  # noqa: RUF012

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}{_inplace_suffix(self)}"


class ReLU(_Inplace):
    r"""Rectifies: :math:`\max(0, x)`.

    Args:
        inplace (bool): write into the input.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.ReLU()(kagari.tensor([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input, inplace=self.inplace)


class RReLU(Module):
    r"""Leaky relu whose slope is drawn from :math:`\mathcal U(\text{lower}, \text{upper})`.

    In evaluation the slope is the middle of the interval.

    Args:
        lower (float): lower end of the slopes.
        upper (float): upper end of the slopes.
        inplace (bool): write into the input.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.RReLU(0.5, 0.5)(kagari.tensor([-2.0, 2.0])).tolist()
        [-1.0, 2.0]

    Reference: Xu et al. 2015, https://arxiv.org/abs/1505.00853
    """

    __constants__ = ["lower", "upper", "inplace"]  # noqa: RUF012

    def __init__(
        self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False
    ) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}{_inplace_suffix(self)}"


class Hardtanh(Module):
    r"""Cuts to an interval: :math:`\min(\max(x, \text{min\_val}), \text{max\_val})`.

    Args:
        min_val (float): lower end.
        max_val (float): upper end.
        inplace (bool): write into the input.
        min_value (float): deprecated name of ``min_val``.
        max_value (float): deprecated name of ``max_val``.

    Raises:
        AssertionError: the interval is empty.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.Hardtanh()(kagari.tensor([-3.0, 0.5])).tolist()
        [-1.0, 0.5]
    """

    __constants__ = ["min_val", "max_val", "inplace"]  # noqa: RUF012

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        if min_value is not None:
            warnings.warn(
                "keyword argument `min_value` is deprecated and renamed to `min_val`",
                FutureWarning,
                stacklevel=2,
            )
            min_val = min_value
        if max_value is not None:
            warnings.warn(
                "keyword argument `max_value` is deprecated and renamed to `max_val`",
                FutureWarning,
                stacklevel=2,
            )
            max_val = max_value
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace
        if max_val <= min_val:
            raise AssertionError(f"max_val ({max_val}) must be greater than min_val ({min_val})")

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}{_inplace_suffix(self)}"


class ReLU6(Hardtanh):
    r"""Rectifies and cuts at six: :math:`\min(\max(0, x), 6)`.

    Args:
        inplace (bool): write into the input.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.ReLU6()(kagari.tensor([-1.0, 8.0])).tolist()
        [0.0, 6.0]
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Sigmoid(Module):
    r"""The logistic function: :math:`1 / (1 + e^{-x})`.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.Sigmoid()(kagari.zeros(1)).tolist()
        [0.5]
    """

    def forward(self, input: Tensor) -> Tensor:
        return kagari.sigmoid(input)


class Tanh(Module):
    r"""Hyperbolic tangent: :math:`(e^x - e^{-x}) / (e^x + e^{-x})`.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.Tanh()(kagari.zeros(1)).tolist()
        [0.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        return kagari.tanh(input)


class Hardsigmoid(_Inplace):
    r"""A sigmoid of straight lines: :math:`\min(\max(0, x / 6 + 1/2), 1)`.

    Args:
        inplace (bool): write into the input.

    Example:
        >>> import kagari
        >>> kagari.nn.Hardsigmoid()(kagari.tensor([-4.0, 0.0, 1.5]))
        tensor([0.0000, 0.5000, 0.7500])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Hardswish(_Inplace):
    r"""Swish of straight lines: :math:`x \min(\max(0, x + 3), 6) / 6`.

    Args:
        inplace (bool): write into the input.

    Example:
        >>> import kagari
        >>> kagari.nn.Hardswish()(kagari.tensor([-4.0, 1.0, 4.0]))
        tensor([-0.0000, 0.6667, 4.0000])

    Reference: Howard et al. 2019, https://arxiv.org/abs/1905.02244
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class SiLU(_Inplace):
    r"""Sigmoid linear unit, also called swish: :math:`x \sigma(x)`.

    Args:
        inplace (bool): write into the input.

    Example:
        >>> import kagari
        >>> kagari.nn.SiLU()(kagari.tensor([-1.0, 2.0]))
        tensor([-0.2689,  1.7616])

    Reference: Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, inplace=self.inplace)


class Mish(_Inplace):
    r"""Self-regularized activation: :math:`x \tanh(\log(1 + e^x))`.

    Args:
        inplace (bool): write into the input.

    Example:
        >>> import kagari
        >>> kagari.nn.Mish()(kagari.tensor([-1.0, 2.0]))
        tensor([-0.3034,  1.9440])

    Reference: Misra 2019, https://arxiv.org/abs/1908.08681
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, inplace=self.inplace)


class SELU(_Inplace):
    r"""Self-normalizing unit: :math:`s\,(\max(0, x) + \min(0, \alpha (e^x - 1)))`.

    Args:
        inplace (bool): write into the input.

    Example:
        >>> import kagari
        >>> kagari.nn.SELU()(kagari.tensor([-1.0, 2.0]))
        tensor([-1.1113,  2.1014])

    Reference: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)


class ELU(Module):
    r"""Exponential linear unit: :math:`x` where :math:`x > 0`, else :math:`\alpha (e^x - 1)`.

    Args:
        alpha (float): :math:`\alpha`.
        inplace (bool): write into the input.

    Example:
        >>> import kagari
        >>> kagari.nn.ELU()(kagari.tensor([-1.0, 2.0]))
        tensor([-0.6321,  2.0000])

    Reference: Clevert et al. 2015, https://arxiv.org/abs/1511.07289
    """

    __constants__ = ["alpha", "inplace"]  # noqa: RUF012

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}{_inplace_suffix(self)}"


class CELU(Module):
    r"""Smooth ELU: :math:`\max(0, x) + \min(0, \alpha (e^{x / \alpha} - 1))`.

    Args:
        alpha (float): :math:`\alpha`.
        inplace (bool): write into the input.

    Example:
        >>> import kagari
        >>> kagari.nn.CELU()(kagari.tensor([-1.0, 2.0]))
        tensor([-0.6321,  2.0000])

    Reference: Barron 2017, https://arxiv.org/abs/1704.07483
    """

    __constants__ = ["alpha", "inplace"]  # noqa: RUF012

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}{_inplace_suffix(self)}"


class GLU(Module):
    r"""Gated linear unit: :math:`a \sigma(b)`, :math:`a` and :math:`b` the input's halves.

    Args:
        dim (int): the dimension that is halved.

    Example:
        >>> import kagari
        >>> kagari.nn.GLU()(kagari.tensor([1.0, 2.0, 0.0, 0.0]))
        tensor([0.5000, 1.0000])

    Reference: Dauphin et al. 2016, https://arxiv.org/abs/1612.08083
    """

    __constants__ = ["dim"]  # noqa: RUF012

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class GELU(Module):
    r"""Gaussian error linear unit: :math:`x \Phi(x)`.

    Args:
        approximate (str): ``"none"``, or ``"tanh"`` for
            :math:`x (1 + \tanh(\sqrt{2/\pi} (x + 0.044715 x^3))) / 2`.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.GELU()(kagari.zeros(1)).tolist()
        [0.0]

    Reference: Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415
    """

    __constants__ = ["approximate"]  # noqa: RUF012

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Hardshrink(Module):
    r"""Zeroes what lies near zero: :math:`x` where :math:`|x| > \lambda`, else 0.

    Args:
        lambd (float): :math:`\lambda`.

    Example:
        >>> import kagari
        >>> kagari.nn.Hardshrink()(kagari.tensor([-1.0, 0.3, 2.0]))
        tensor([-1.,  0.,  2.])
    """

    __constants__ = ["lambd"]  # noqa: RUF012

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Softshrink(Module):
    r"""Moves towards zero: :math:`x \mp \lambda` where :math:`|x| > \lambda`, else 0.

    Args:
        lambd (float): :math:`\lambda`.

    Example:
        >>> import kagari
        >>> kagari.nn.Softshrink()(kagari.tensor([-1.0, 0.3, 2.0]))
        tensor([-0.5000,  0.0000,  1.5000])
    """

    __constants__ = ["lambd"]  # noqa: RUF012

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class LeakyReLU(Module):
    r"""Rectifies leaving a slope: :math:`\max(0, x) + a \min(0, x)`.

    Args:
        negative_slope (float): :math:`a`.
        inplace (bool): write into the input.

    Example:
        >>> import kagari
        >>> kagari.nn.LeakyReLU(0.1)(kagari.tensor([-1.0, 2.0]))
        tensor([-0.1000,  2.0000])
    """

    __constants__ = ["inplace", "negative_slope"]  # noqa: RUF012

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}{_inplace_suffix(self)}"


class LogSigmoid(Module):
    r"""Logarithm of the logistic function: :math:`-\log(1 + e^{-x})`.

    Example:
        >>> import kagari
        >>> kagari.nn.LogSigmoid()(kagari.tensor([0.0, 2.0]))
        tensor([-0.6931, -0.1269])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)  # type: ignore[no-any-return]


class Softplus(Module):
    r"""Smooth relu: :math:`\log(1 + e^{\beta x}) / \beta`.

    Args:
        beta (float): :math:`\beta`.
        threshold (float): where :math:`\beta x` exceeds it, the function is :math:`x`.

    Example:
        >>> import kagari
        >>> kagari.nn.Softplus()(kagari.tensor([0.0, 30.0]))
        tensor([ 0.6931, 30.0000])
    """

    __constants__ = ["beta", "threshold"]  # noqa: RUF012

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class PReLU(Module):
    r"""Leaky relu with a trained slope: :math:`\max(0, x) + a \min(0, x)`.

    Args:
        num_parameters (int): 1, or the number of channels for a slope each.
        init (float): the slope's initial value.
        device: where the parameter lies.
        dtype: its element type.

    Example:
        >>> import kagari
        >>> kagari.nn.PReLU()(kagari.tensor([-1.0, 2.0])).tolist()
        [-0.25, 2.0]

    Reference: He et al. 2015, https://arxiv.org/abs/1502.01852
    """

    __constants__ = ["num_parameters"]  # noqa: RUF012
    weight: Tensor

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(kagari.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the slope back to its initial value."""
        _init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Softsign(Module):
    r"""A sigmoid without exponentials: :math:`x / (1 + |x|)`.

    Example:
        >>> import kagari
        >>> kagari.nn.Softsign()(kagari.tensor([-1.0, 3.0]))
        tensor([-0.5000,  0.7500])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class Tanhshrink(Module):
    r"""What tanh takes away: :math:`x - \tanh(x)`.

    Example:
        >>> import kagari
        >>> kagari.nn.Tanhshrink()(kagari.tensor([-1.0, 2.0]))
        tensor([-0.2384,  1.0360])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


class _Softmaxlike(Module):
    __constants__ = ["dim"]  # noqa: RUF012

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("dim", None)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_Softmaxlike):
    r"""Positive numbers that sum to one: :math:`e^{x_i} / \sum_j e^{x_j}` along ``dim``.

    Args:
        dim (int): the dimension of the sum.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.Softmax(dim=0)(kagari.zeros(2)).tolist()
        [0.5, 0.5]
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim, _stacklevel=5)


class Softmin(_Softmaxlike):
    r"""Softmax of the negative: :math:`e^{-x_i} / \sum_j e^{-x_j}` along ``dim``.

    Args:
        dim (int): the dimension of the sum.

    Example:
        >>> import kagari
        >>> kagari.nn.Softmin(dim=0)(kagari.tensor([1.0, 2.0]))
        tensor([0.7311, 0.2689])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim, _stacklevel=5)


class LogSoftmax(_Softmaxlike):
    r"""Logarithm of softmax: :math:`x_i - \log \sum_j e^{x_j}` along ``dim``.

    Args:
        dim (int): the dimension of the sum.

    Example:
        >>> import kagari
        >>> kagari.nn.LogSoftmax(dim=0)(kagari.tensor([1.0, 2.0]))
        tensor([-1.3133, -0.3133])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim, _stacklevel=5)


class Softmax2d(Module):
    """Softmax over the channels of ``(N, C, H, W)`` or ``(C, H, W)``.

    Raises:
        ValueError: the input has another number of dimensions.

    Example:
        >>> import kagari
        >>> kagari.nn.Softmax2d()(kagari.zeros(2, 1, 1)).flatten()
        tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (3, 4):
            raise ValueError(
                f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead"
            )
        return F.softmax(input, -3, _stacklevel=5)


class MultiheadAttention(Module):
    r"""Attention with several heads: :math:`\text{softmax}(Q K^T / \sqrt d) V` for each.

    Args:
        embed_dim (int): E, size of queries and results.
        num_heads (int): number of heads; divides E.
        dropout (float): probability that a weight falls, in training.
        bias (bool): whether the projections have biases.
        add_bias_kv (bool): one more, trained, key and value.
        add_zero_attn (bool): one more key and value of zeros.
        kdim (int): size of keys; E by default.
        vdim (int): size of values; E by default.
        batch_first (bool): the batch is the first dimension, not the second.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        query ``(L, N, E)``, key ``(S, N, kdim)``, value ``(S, N, vdim)``, with ``batch_first``
        ``(N, L, E)`` and so on, or all without N. The call gives the output, of the query's
        shape, and the weights; its arguments are those of
        :func:`~kagari.nn.functional.multi_head_attention_forward`.

    Raises:
        ValueError: a size is not positive.
        AssertionError: the heads do not divide E.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.MultiheadAttention(8, 2, batch_first=True)
        >>> x = kagari.zeros(3, 5, 8)
        >>> output, weights = m(x, x, x)
        >>> tuple(output.shape), tuple(weights.shape)
        ((3, 5, 8), (3, 5, 5))

    Reference: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762
    """

    __constants__ = ["batch_first"]  # noqa: RUF012
    in_proj_weight: Any
    in_proj_bias: Any
    bias_k: Any
    bias_v: Any

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and "
                f"num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")

        def parameter(wanted: bool, *shape: int) -> Any:
            if not wanted:
                return None
            return Parameter(kagari.empty(shape, device=device, dtype=dtype))

        packed = self._qkv_same_embed_dim
        # The order of state_dict.
        if packed:
            self.in_proj_weight = parameter(True, 3 * embed_dim, embed_dim)
        for name, size in (("q", embed_dim), ("k", self.kdim), ("v", self.vdim)):
            self.register_parameter(f"{name}_proj_weight", parameter(not packed, embed_dim, size))
        if not packed:
            self.register_parameter("in_proj_weight", None)
        self.register_parameter("in_proj_bias", parameter(bias, 3 * embed_dim))
        self.out_proj = NonDynamicallyQuantizableLinear(
            embed_dim, embed_dim, bias=bias, device=device, dtype=dtype
        )
        self.bias_k = parameter(add_bias_kv, 1, 1, embed_dim)
        self.bias_v = parameter(add_bias_kv, 1, 1, embed_dim)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        if self._qkv_same_embed_dim:
            _init.xavier_uniform_(self.in_proj_weight)
        else:
            _init.xavier_uniform_(self.q_proj_weight)
            _init.xavier_uniform_(self.k_proj_weight)
            _init.xavier_uniform_(self.v_proj_weight)
        if self.in_proj_bias is not None:
            _init.constant_(self.in_proj_bias, 0.0)
            _init.constant_(self.out_proj.bias, 0.0)
        if self.bias_k is not None:
            _init.xavier_normal_(self.bias_k)
        if self.bias_v is not None:
            _init.xavier_normal_(self.bias_v)

    def __setstate__(self, state: dict[str, Any]) -> None:
        state.setdefault("_qkv_same_embed_dim", True)
        super().__setstate__(state)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        turned = self.batch_first and query.dim() == 3
        if turned:
            # Self-attention stays recognizable: the same tensor is turned once.
            same_key, same_value = key is query, value is key
            query = query.transpose(0, 1)
            key = query if same_key else key.transpose(0, 1)
            value = key if same_value else value.transpose(0, 1)
        output, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (output.transpose(0, 1) if turned else output), weights
