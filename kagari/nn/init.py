"""Initial values of parameters; with the same generator state the numbers are PyTorch's."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import kagari
from kagari import Tensor
from kagari.overrides import overridable

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

_LINEAR = frozenset(
    ["linear"] + [f"conv{kind}{n}d" for kind in ("", "_transpose") for n in (1, 2, 3)]
)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    r"""The factor that keeps the variance through a nonlinearity.

    Linear maps and sigmoid 1, tanh 5/3, relu :math:`\sqrt 2`, leaky_relu
    :math:`\sqrt{2 / (1 + a^2)}`, selu 3/4.

    Args:
        nonlinearity (str): its name in ``nn.functional``.
        param (float): the negative slope ``a`` of leaky_relu; 0.01 by default.

    Returns:
        The factor.

    Raises:
        ValueError: the name is not known, or the slope is not a number.

    Example:
        >>> calculate_gain("leaky_relu", 0.0) == 2**0.5
        True

    Reference: He et al. 2015, https://arxiv.org/abs/1502.01852; Klambauer et al. 2017.
    """
    if nonlinearity in _LINEAR or nonlinearity == "sigmoid":
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


@overridable
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    r"""Fills with values from :math:`\mathcal U(a, b)`.

    Args:
        tensor (Tensor): any shape.
        a (float): lower bound.
        b (float): upper bound.
        generator (Generator): the source of randomness.

    Returns:
        The tensor.

    Example:
        >>> import kagari
        >>> w = uniform_(kagari.empty(3, 5))
        >>> bool(((w >= 0) & (w < 1)).all())
        True
    """
    with kagari.no_grad():
        return tensor.uniform_(a, b, generator=generator)


@overridable
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    r"""Fills with values from :math:`\mathcal N(\text{mean}, \text{std}^2)`.

    Args:
        tensor (Tensor): any shape.
        mean (float): the mean.
        std (float): the standard deviation.
        generator (Generator): the source of randomness.

    Returns:
        The tensor.

    Example:
        >>> import kagari
        >>> tuple(normal_(kagari.empty(3, 5)).shape)
        (3, 5)
    """
    with kagari.no_grad():
        return tensor.normal_(mean, std, generator=generator)


@overridable
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    r"""Fills with values from :math:`\mathcal N(\text{mean}, \text{std}^2)` cut to ``[a, b]``.

    Args:
        tensor (Tensor): any shape.
        mean (float): the mean before the cut.
        std (float): the standard deviation before the cut.
        a (float): lower bound.
        b (float): upper bound.
        generator (Generator): the source of randomness.

    Returns:
        The tensor.

    Example:
        >>> import kagari
        >>> w = trunc_normal_(kagari.empty(3, 5), std=0.02, a=-0.04, b=0.04)
        >>> w.abs().max().item() <= 0.04
        True
    """
    if tensor.is_meta:
        return tensor
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=2,
        )

    def below(x: float) -> float:
        return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0

    # Draws from the normal until all fit, unless so few would fit that draws from a uniform under
    # the density's peak are accepted more often. Drawing whole tensors keeps PyTorch's sequence.
    with kagari.no_grad():
        if below((b - mean) / std) - below((a - mean) / std) > 0.3:
            return _redraw_normal(tensor, mean, std, a, b, generator)
        return _reject_uniform(tensor, mean, std, a, b, generator)


def _redraw_normal(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> Tensor:
    # The bounds as the tensor's dtype rounds them.
    low, high = tensor.new_tensor([a, b], device="cpu").tolist()
    result = tensor.normal_(mean, std, generator=generator)
    while True:
        outside = (result < low) | (result > high)
        if not outside.any():
            break
        fresh = kagari.empty_like(result).normal_(mean, std, generator=generator)
        result = kagari.where(outside, fresh, result)
    if result is not tensor:
        tensor.copy_(result)
    return tensor


def _reject_uniform(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any
) -> Tensor:
    mode = max(a, min(mean, b))
    log_peak = -0.5 * ((mode - mean) / std) ** 2
    log_density = kagari.empty_like(tensor)
    dice = kagari.empty_like(tensor)

    def rejected(values: Tensor) -> Tensor:
        log_density.copy_(values)
        log_density.sub_(mean).div_(std).pow_(2).mul_(-0.5).sub_(log_peak)
        return dice.uniform_(generator=generator).log_().gt(log_density)

    tensor.uniform_(a, b, generator=generator)
    pending = rejected(tensor)
    candidates = kagari.empty_like(tensor)
    while pending.any():
        candidates.uniform_(a, b, generator=generator)
        tensor.copy_(kagari.where(pending, candidates, tensor))
        pending = pending & rejected(candidates)
    return tensor


@overridable
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fills with one value.

    Args:
        tensor (Tensor): any shape.
        val (float): the value.

    Returns:
        The tensor.

    Example:
        >>> import kagari
        >>> constant_(kagari.empty(2), 0.5).tolist()
        [0.5, 0.5]
    """
    with kagari.no_grad():
        return tensor.fill_(val)


@overridable
def ones_(tensor: Tensor) -> Tensor:
    """Fills with ones.

    Args:
        tensor (Tensor): any shape.

    Returns:
        The tensor.

    Example:
        >>> import kagari
        >>> kagari.nn.init.ones_(kagari.empty(2))
        tensor([1., 1.])
    """
    with kagari.no_grad():
        return tensor.fill_(1.0)


@overridable
def zeros_(tensor: Tensor) -> Tensor:
    """Fills with zeros.

    Args:
        tensor (Tensor): any shape.

    Returns:
        The tensor.

    Example:
        >>> import kagari
        >>> kagari.nn.init.zeros_(kagari.empty(2))
        tensor([0., 0.])
    """
    with kagari.no_grad():
        return tensor.zero_()


@overridable
def eye_(tensor: Tensor) -> Tensor:
    """Makes a matrix the identity, as far as it is square.

    Args:
        tensor (Tensor): ``(n, m)``.

    Returns:
        The tensor.

    Raises:
        ValueError: it does not have 2 dimensions.

    Example:
        >>> import kagari
        >>> eye_(kagari.empty(2, 3)).tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    with kagari.no_grad():
        tensor.zero_().diagonal().fill_(1.0)
    return tensor


@overridable
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Makes a convolution's weight hand its input channels through, as far as channels match.

    Args:
        tensor (Tensor): ``(out_channels, in_channels / groups, ...)`` with 1 to 3 spatial sizes.
        groups (int): the convolution's groups.

    Returns:
        The tensor.

    Raises:
        ValueError: the number of dimensions is not 3 to 5, or ``groups`` does not divide dim 0.

    Example:
        >>> import kagari
        >>> dirac_(kagari.empty(1, 1, 3)).tolist()
        [[[0.0, 1.0, 0.0]]]
    """
    if tensor.dim() not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    sizes = tuple(tensor.shape)
    if sizes[0] % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    if tensor.is_meta:
        return tensor
    per_group = sizes[0] // groups
    middle = tuple(s // 2 for s in sizes[2:])
    with kagari.no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(per_group, sizes[1])):
                tensor[(group * per_group + channel, channel, *middle)] = 1
    return tensor


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    if tensor.dim() < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        )
    out_maps, in_maps, *spatial = tensor.shape
    field = math.prod(spatial)
    return in_maps * field, out_maps * field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    fans = dict(zip(("fan_in", "fan_out"), _calculate_fan_in_and_fan_out(tensor), strict=True))
    if mode.lower() not in fans:
        raise ValueError(f"Mode {mode} not supported, please use one of {list(fans)}")
    return fans[mode.lower()]


@overridable
def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    r"""Fills uniformly in :math:`\pm\,\text{gain}\sqrt{6 / (\text{fan\_in} + \text{fan\_out})}`.

    Args:
        tensor (Tensor): ``(out, in, ...)``.
        gain (float): see :func:`calculate_gain`.
        generator (Generator): the source of randomness.

    Returns:
        The tensor.

    Raises:
        ValueError: it has fewer than 2 dimensions.

    Example:
        >>> import kagari
        >>> w = xavier_uniform_(kagari.empty(3, 3))
        >>> w.abs().max().item() <= 1.0
        True

    Reference: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward
    neural networks".
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    # In this order the bound rounds as PyTorch's does.
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    bound = math.sqrt(3.0) * std
    with kagari.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@overridable
def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    r"""Fills from :math:`\mathcal N(0, \text{gain}^2\,2 / (\text{fan\_in} + \text{fan\_out}))`.

    Args:
        tensor (Tensor): ``(out, in, ...)``.
        gain (float): see :func:`calculate_gain`.
        generator (Generator): the source of randomness.

    Returns:
        The tensor.

    Raises:
        ValueError: it has fewer than 2 dimensions.

    Example:
        >>> import kagari
        >>> tuple(xavier_normal_(kagari.empty(3, 3)).shape)
        (3, 3)

    Reference: Glorot and Bengio 2010.
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    with kagari.no_grad():
        return tensor.normal_(0.0, std, generator=generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float | None:
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return None
    fan = _calculate_correct_fan(tensor, mode)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


@overridable
def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    r"""Fills uniformly in :math:`\pm\,\text{gain}\sqrt{3 / \text{fan}}`.

    Args:
        tensor (Tensor): ``(out, in, ...)``.
        a (float): negative slope of leaky_relu.
        mode (str): ``"fan_in"`` keeps the variance forward, ``"fan_out"`` backward.
        nonlinearity (str): see :func:`calculate_gain`.
        generator (Generator): the source of randomness.

    Returns:
        The tensor.

    Raises:
        ValueError: it has fewer than 2 dimensions, or a name is not known.

    Example:
        >>> import kagari
        >>> w = kaiming_uniform_(kagari.empty(2, 6), nonlinearity="relu")
        >>> w.abs().max().item() <= 1.0
        True

    Reference: He et al. 2015, https://arxiv.org/abs/1502.01852
    """
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    if std is None:
        return tensor
    bound = math.sqrt(3.0) * std
    with kagari.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


@overridable
def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    r"""Fills from :math:`\mathcal N(0, \text{gain}^2 / \text{fan})`.

    Args:
        tensor (Tensor): ``(out, in, ...)``.
        a (float): negative slope of leaky_relu.
        mode (str): ``"fan_in"`` keeps the variance forward, ``"fan_out"`` backward.
        nonlinearity (str): see :func:`calculate_gain`.
        generator (Generator): the source of randomness.

    Returns:
        The tensor.

    Raises:
        ValueError: it has fewer than 2 dimensions, or a name is not known.

    Example:
        >>> import kagari
        >>> tuple(kaiming_normal_(kagari.empty(3, 5), mode="fan_out").shape)
        (3, 5)

    Reference: He et al. 2015, https://arxiv.org/abs/1502.01852
    """
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    if std is None:
        return tensor
    with kagari.no_grad():
        return tensor.normal_(0, std, generator=generator)


@overridable
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Makes the tensor, as a matrix ``(out, rest)``, orthogonal: the Q of a random matrix.

    Args:
        tensor (Tensor): 2 dimensions or more.
        gain (float): factor on the result.
        generator (Generator): the source of randomness.

    Returns:
        The tensor.

    Raises:
        ValueError: it has fewer than 2 dimensions.

    Example:
        >>> import kagari
        >>> w = orthogonal_(kagari.empty(3, 5))
        >>> kagari.allclose(w @ w.T, kagari.eye(3), atol=1e-5)
        True

    Reference: Saxe et al. 2013, https://arxiv.org/abs/1312.6120
    """
    if tensor.dim() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0 or tensor.is_meta:
        return tensor
    rows = tensor.size(0)
    columns = tensor.numel() // rows
    with kagari.no_grad():
        random = tensor.new_empty((rows, columns)).normal_(0, 1, generator=generator)
        wide = rows < columns
        q, r = kagari.linalg.qr(random.t() if wide else random)
        # QR leaves the signs open; these make Q uniformly distributed (Mezzadri 2006).
        q = q * kagari.diag(r, 0).sign()
        tensor.view(rows, columns).copy_(q.t() if wide else q)
        tensor.mul_(gain)
    return tensor


@overridable
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    r"""Fills from :math:`\mathcal N(0, \text{std}^2)` and zeroes a part of every column.

    Args:
        tensor (Tensor): ``(n, m)``.
        sparsity (float): the part of each column that is zero.
        std (float): the standard deviation of the rest.
        generator (Generator): the source of the values; the places come from the default one.

    Returns:
        The tensor.

    Raises:
        ValueError: it does not have 2 dimensions.

    Example:
        >>> import kagari
        >>> w = sparse_(kagari.empty(10, 2), sparsity=0.3)
        >>> int((w == 0).sum())
        6

    Reference: Martens 2010, "Deep learning via Hessian-free optimization".
    """
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    if tensor.is_meta:
        return tensor
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with kagari.no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[kagari.randperm(rows)[:zeros], column] = 0
    return tensor


def _deprecated(function: Callable[..., Tensor], old_name: str) -> Callable[..., Tensor]:
    def deprecated(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(
            f"`nn.init.{old_name}` is now deprecated in favor of `nn.init.{old_name}_`.",
            FutureWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    deprecated.__name__ = deprecated.__qualname__ = old_name
    deprecated.__doc__ = f"Deprecated; use :func:`{old_name}_`."
    return deprecated


uniform = _deprecated(uniform_, "uniform")
normal = _deprecated(normal_, "normal")
constant = _deprecated(constant_, "constant")
eye = _deprecated(eye_, "eye")
dirac = _deprecated(dirac_, "dirac")
xavier_uniform = _deprecated(xavier_uniform_, "xavier_uniform")
xavier_normal = _deprecated(xavier_normal_, "xavier_normal")
kaiming_uniform = _deprecated(kaiming_uniform_, "kaiming_uniform")
kaiming_normal = _deprecated(kaiming_normal_, "kaiming_normal")
orthogonal = _deprecated(orthogonal_, "orthogonal")
sparse = _deprecated(sparse_, "sparse")
