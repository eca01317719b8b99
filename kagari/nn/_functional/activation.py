"""Activation functions."""

from __future__ import annotations

import warnings
from typing import Any

import kagari
from kagari import Tensor
from kagari._core import ops
from kagari.nn._functional._primitive import primitive
from kagari.overrides import overridable

# Pointwise rows of the core; their docstrings come from there.
gelu = primitive("gelu")
hardshrink = primitive("hardshrink")
logsigmoid = primitive("log_sigmoid")
prelu = primitive("prelu")
softplus = primitive("softplus")
softshrink = primitive("softshrink")

celu_ = primitive("celu_")
elu_ = primitive("elu_")
hardtanh_ = primitive("hardtanh_")
leaky_relu_ = primitive("leaky_relu_")
relu_ = primitive("relu_")
selu_ = primitive("selu_")
threshold_ = primitive("threshold_")


@overridable
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    r"""Keeps what lies above a threshold: :math:`x` where :math:`x > t`, else ``value``.

    Args:
        input (Tensor): any shape.
        threshold (float): :math:`t`.
        value (float): put in place of the rest.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> threshold(kagari.tensor([0.1, 2.0]), 1.0, 0.0).tolist()
        [0.0, 2.0]
    """
    if inplace:
        return ops.threshold_(input, threshold, value)
    return ops.threshold(input, threshold, value)


@overridable
def relu(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Rectifies: :math:`\max(0, x)`.

    Args:
        input (Tensor): any shape.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> relu(kagari.tensor([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """
    return ops.relu_(input) if inplace else ops.relu(input)


@overridable
def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Rectifies and cuts at six: :math:`\min(\max(0, x), 6)`.

    Args:
        input (Tensor): any shape.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> relu6(kagari.tensor([-1.0, 8.0])).tolist()
        [0.0, 6.0]
    """
    if inplace:
        return ops.relu6_(input)
    return ops.relu6(input)


@overridable
def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    r"""Cuts to an interval: :math:`\min(\max(x, \text{min\_val}), \text{max\_val})`.

    Args:
        input (Tensor): any shape.
        min_val (float): lower end.
        max_val (float): upper end.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Raises:
        ValueError: the interval is empty.

    Example:
        >>> import kagari
        >>> hardtanh(kagari.tensor([-3.0, 0.5])).tolist()
        [-1.0, 0.5]
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if inplace:
        return ops.hardtanh_(input, min_val, max_val)
    return ops.hardtanh(input, min_val, max_val)


@overridable
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    r"""Exponential linear unit: :math:`x` where :math:`x > 0`, else :math:`\alpha (e^x - 1)`.

    Args:
        input (Tensor): any shape.
        alpha (float): :math:`\alpha`.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> elu(kagari.tensor([0.0, 2.0])).tolist()
        [0.0, 2.0]

    Reference: Clevert et al. 2015, https://arxiv.org/abs/1511.07289
    """
    return ops.elu_(input, alpha) if inplace else ops.elu(input, alpha)


@overridable
def selu(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Self-normalizing unit: :math:`s\,(\max(0, x) + \min(0, \alpha (e^x - 1)))`.

    :math:`s = 1.0507009873554805`, :math:`\alpha = 1.6732632423543772`.

    Args:
        input (Tensor): any shape.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> selu(kagari.tensor([0.0])).tolist()
        [0.0]

    Reference: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515
    """
    return ops.selu_(input) if inplace else ops.selu(input)


@overridable
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    r"""Smooth ELU: :math:`\max(0, x) + \min(0, \alpha (e^{x / \alpha} - 1))`.

    Args:
        input (Tensor): any shape.
        alpha (float): :math:`\alpha`, not zero.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> celu(kagari.tensor([0.0, 3.0])).tolist()
        [0.0, 3.0]

    Reference: Barron 2017, https://arxiv.org/abs/1704.07483
    """
    return ops.celu_(input, alpha) if inplace else ops.celu(input, alpha)


@overridable
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    r"""Rectifies leaving a slope: :math:`\max(0, x) + a \min(0, x)`.

    Args:
        input (Tensor): any shape.
        negative_slope (float): :math:`a`.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> leaky_relu(kagari.tensor([-2.0, 2.0]), 0.5).tolist()
        [-1.0, 2.0]
    """
    if inplace:
        return ops.leaky_relu_(input, negative_slope)
    return ops.leaky_relu(input, negative_slope)


@overridable
def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    r"""Leaky relu whose slope is drawn from :math:`\mathcal U(\text{lower}, \text{upper})`.

    In evaluation the slope is the middle of the interval.

    Args:
        input (Tensor): any shape.
        lower (float): lower end of the slopes.
        upper (float): upper end of the slopes.
        training (bool): draw; one number for each element that is not positive.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Raises:
        RuntimeError: ``lower`` is greater than ``upper``.

    Example:
        >>> import kagari
        >>> rrelu(kagari.tensor([-2.0, 2.0]), 0.5, 0.5).tolist()
        [-1.0, 2.0]

    Reference: Xu et al. 2015, https://arxiv.org/abs/1505.00853
    """
    return (kagari.rrelu_ if inplace else kagari.rrelu)(input, lower, upper, training)


@overridable
def rrelu_(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False
) -> Tensor:
    """In-place form of :func:`rrelu`.

    Example:
        >>> import kagari
        >>> kagari.nn.functional.rrelu_(kagari.tensor([-24.0, 2.0]))  # the mean slope in evaluation
        tensor([-5.5000,  2.0000])
    """
    return rrelu(input, lower, upper, training, inplace=True)


@overridable
def glu(input: Tensor, dim: int = -1) -> Tensor:
    r"""Gated linear unit: :math:`a \sigma(b)`, :math:`a` and :math:`b` the input's halves.

    Args:
        input (Tensor): of even size in ``dim``.
        dim (int): the dimension that is halved.

    Returns:
        A tensor of half the size in ``dim``.

    Raises:
        RuntimeError: the input has no dimensions, or its size in ``dim`` is odd.

    Example:
        >>> import kagari
        >>> glu(kagari.tensor([2.0, 0.0])).tolist()
        [1.0]

    Reference: Dauphin et al. 2016, https://arxiv.org/abs/1612.08083
    """
    if input.dim() == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    size = input.size(dim)
    if size % 2 != 0:
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {dim % input.dim()} is size {size}"
        )
    value, gate = input.narrow(dim, 0, size // 2), input.narrow(dim, size // 2, size // 2)
    return ops._glu(value, gate)


@overridable
def tanhshrink(input: Tensor) -> Tensor:
    r"""What tanh takes away: :math:`x - \tanh(x)`.

    Args:
        input (Tensor): any shape.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> tanhshrink(kagari.zeros(1)).tolist()
        [0.0]
    """
    return input - input.tanh()


@overridable
def softsign(input: Tensor) -> Tensor:
    r"""A sigmoid without exponentials: :math:`x / (1 + |x|)`.

    Args:
        input (Tensor): any shape.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> softsign(kagari.tensor([1.0, -3.0])).tolist()
        [0.5, -0.75]
    """
    return input / (input.abs() + 1)


@overridable
def tanh(input: Tensor) -> Tensor:
    r"""Hyperbolic tangent: :math:`(e^x - e^{-x}) / (e^x + e^{-x})`.

    Args:
        input (Tensor): any shape.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> kagari.nn.functional.tanh(kagari.tensor([0.0, 1.0]))
        tensor([0.0000, 0.7616])
    """
    return ops.tanh(input)


@overridable
def sigmoid(input: Tensor) -> Tensor:
    r"""The logistic function: :math:`1 / (1 + e^{-x})`.

    Args:
        input (Tensor): any shape.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> kagari.nn.functional.sigmoid(kagari.tensor([0.0, 2.0]))
        tensor([0.5000, 0.8808])
    """
    return ops.sigmoid(input)


@overridable
def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    r"""A sigmoid of straight lines: :math:`\min(\max(0, x / 6 + 1/2), 1)`.

    Args:
        input (Tensor): any shape.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> hardsigmoid(kagari.tensor([-4.0, 0.0, 4.0])).tolist()
        [0.0, 0.5, 1.0]
    """
    return ops.hardsigmoid_(input) if inplace else ops.hardsigmoid(input)


@overridable
def silu(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Sigmoid linear unit, also called swish: :math:`x \sigma(x)`.

    Args:
        input (Tensor): any shape.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> silu(kagari.zeros(1)).tolist()
        [0.0]

    Reference: Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415
    """
    return ops.silu_(input) if inplace else ops.silu(input)


@overridable
def mish(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Self-regularized activation: :math:`x \tanh(\log(1 + e^x))`.

    Args:
        input (Tensor): any shape.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> mish(kagari.zeros(1)).tolist()
        [0.0]

    Reference: Misra 2019, https://arxiv.org/abs/1908.08681
    """
    return ops.mish_(input) if inplace else ops.mish(input)


@overridable
def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    r"""Swish of straight lines: :math:`x \min(\max(0, x + 3), 6) / 6`.

    Args:
        input (Tensor): any shape.
        inplace (bool): write into ``input``.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> hardswish(kagari.tensor([0.0, 3.0])).tolist()
        [0.0, 3.0]

    Reference: Howard et al. 2019, https://arxiv.org/abs/1905.02244
    """
    return ops.hardswish_(input) if inplace else ops.hardswish(input)


def _get_softmax_dim(name: str, ndim: int, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


@overridable
def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    r"""Positive numbers that sum to one: :math:`e^{x_i} / \sum_j e^{x_j}` along ``dim``.

    Args:
        input (Tensor): any shape.
        dim (int): the dimension of the sum.
        dtype: cast the input to this dtype first.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> softmax(kagari.zeros(2), dim=0).tolist()
        [0.5, 0.5]
    """
    if dim is None:
        dim = _get_softmax_dim("softmax", input.dim(), _stacklevel)
    return input.softmax(dim) if dtype is None else input.softmax(dim, dtype=dtype)


@overridable
def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    r"""Softmax of the negative: :math:`e^{-x_i} / \sum_j e^{-x_j}` along ``dim``.

    Args:
        input (Tensor): any shape.
        dim (int): the dimension of the sum.
        dtype: cast the input to this dtype first.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> softmin(kagari.zeros(2), dim=0).tolist()
        [0.5, 0.5]
    """
    if dim is None:
        dim = _get_softmax_dim("softmin", input.dim(), _stacklevel)
    return (-input).softmax(dim) if dtype is None else (-input).softmax(dim, dtype=dtype)


@overridable
def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    r"""Logarithm of softmax: :math:`x_i - \log \sum_j e^{x_j}` along ``dim``.

    Args:
        input (Tensor): any shape.
        dim (int): the dimension of the sum.
        dtype: cast the input to this dtype first.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> log_softmax(kagari.zeros(1), dim=0).tolist()
        [0.0]
    """
    if dim is None:
        dim = _get_softmax_dim("log_softmax", input.dim(), _stacklevel)
    return input.log_softmax(dim) if dtype is None else input.log_softmax(dim, dtype=dtype)


@overridable
def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    r"""Differentiable samples of a category: softmax of :math:`(x_i + g_i) / \tau`.

    :math:`g_i = -\log(-\log u_i)` with :math:`u_i` uniform.

    Args:
        logits (Tensor): unnormalized log probabilities ``(..., C)``.
        tau (float): temperature :math:`\tau`.
        hard (bool): give one-hot samples whose gradients are those of the soft ones.
        eps (float): deprecated, has no effect.
        dim (int): the dimension of the categories.

    Returns:
        A tensor of the logits' shape that sums to one along ``dim``.

    Example:
        >>> import kagari
        >>> gumbel_softmax(kagari.zeros(2, 3), hard=True).sum(-1).tolist()
        [1.0, 1.0]

    Reference: Jang et al. 2016, https://arxiv.org/abs/1611.01144
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    gumbels = -kagari.empty_like(logits).exponential_().log()
    soft = ((logits + gumbels) / tau).softmax(dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    one_hot = kagari.zeros_like(logits).scatter_(dim, index, 1.0)
    return one_hot - soft.detach() + soft
