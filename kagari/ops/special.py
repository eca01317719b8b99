"""Special functions composed of others: orthogonal polynomials, the multivariate gamma function."""

from __future__ import annotations

import math

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor, dtype

# ---- orthogonal polynomials ---------------------------------------------------------------------

# In the order of `enum class Polynomial` (csrc/cpu/pointwise_scalar.h): name, its title, and the
# recurrence from p_0 = 1 that defines it.
_SECOND = r"p_1 = {}, \quad p_{{k+1}} = 2 x p_k - p_{{k-1}}"
_SHIFTED = r"p_1 = {}, \quad p_{{k+1}} = 2 (2 x - 1) p_k - p_{{k-1}}"
_POLYNOMIALS = (
    ("chebyshev_polynomial_t", "Chebyshev polynomials of the first kind", _SECOND.format("x")),
    ("chebyshev_polynomial_u", "Chebyshev polynomials of the second kind", _SECOND.format("2 x")),
    (
        "chebyshev_polynomial_v",
        "Chebyshev polynomials of the third kind",
        _SECOND.format("2 x - 1"),
    ),
    (
        "chebyshev_polynomial_w",
        "Chebyshev polynomials of the fourth kind",
        _SECOND.format("2 x + 1"),
    ),
    (
        "hermite_polynomial_h",
        "physicist's Hermite polynomials",
        r"p_1 = 2 x, \quad p_{k+1} = 2 x p_k - 2 k p_{k-1}",
    ),
    (
        "hermite_polynomial_he",
        "probabilist's Hermite polynomials",
        r"p_1 = x, \quad p_{k+1} = x p_k - k p_{k-1}",
    ),
    (
        "laguerre_polynomial_l",
        "Laguerre polynomials",
        r"p_1 = 1 - x, \quad (k + 1) p_{k+1} = (2 k + 1 - x) p_k - k p_{k-1}",
    ),
    (
        "legendre_polynomial_p",
        "Legendre polynomials",
        r"p_1 = x, \quad (k + 1) p_{k+1} = (2 k + 1) x p_k - k p_{k-1}",
    ),
    (
        "shifted_chebyshev_polynomial_t",
        "Chebyshev polynomials of the first kind on [0, 1]",
        _SHIFTED.format("2 x - 1"),
    ),
    (
        "shifted_chebyshev_polynomial_u",
        "Chebyshev polynomials of the second kind on [0, 1]",
        _SHIFTED.format("4 x - 2"),
    ),
    (
        "shifted_chebyshev_polynomial_v",
        "Chebyshev polynomials of the third kind on [0, 1]",
        _SHIFTED.format("4 x - 3"),
    ),
    (
        "shifted_chebyshev_polynomial_w",
        "Chebyshev polynomials of the fourth kind on [0, 1]",
        _SHIFTED.format("4 x - 1"),
    ),
)


def _declare(kind: int, name: str, title: str, formula: str) -> None:
    def polynomial(x: Tensor | float, n: Tensor | float) -> Tensor:
        made: Tensor = ops._special_polynomial(x, n, kind)
        return made

    composite(
        f"special_{name}(Operand x, Operand n) -> Tensor",
        out=True,
        doc=f"""The {title}, element by element.

.. math:: p_0 = 1, \\quad {formula}

Args:
    x (Tensor or number): where.
    n (Tensor or number): the degrees; a negative degree gives 0. Shapes broadcast.

Returns:
    A floating point tensor, differentiable by ``x``.

Raises:
    TypeError: neither argument is a tensor.

Example:
    >>> import kagari
    >>> kagari.special.{name}(kagari.tensor([1.0]), 0)
    tensor([1.])

Reference: https://pytorch.org/docs/stable/special.html
""",
    )(polynomial)


for _kind, _row in enumerate(_POLYNOMIALS):
    _declare(_kind, *_row)


# ---- the gamma function -------------------------------------------------------------------------


@composite("mvlgamma(Tensor input, int p) -> Tensor", method=True, inplace=True, out=True)
def mvlgamma(input: Tensor, p: int) -> Tensor:
    r"""The logarithm of the multivariate gamma function.

    .. math:: \log \Gamma_p(a) = \frac{p (p - 1)}{4} \log \pi
        + \sum_{i=1}^p \log \Gamma(a - \frac{i - 1}{2})

    Args:
        input (Tensor): a, any shape.
        p (int): the dimension, at least 1.

    Returns:
        A floating point tensor of the input's shape.

    Raises:
        RuntimeError: ``p`` is below 1, or the input is complex.

    Example:
        >>> import kagari
        >>> kagari.mvlgamma(kagari.tensor([2.0]), 1)
        tensor([0.])

    Reference: https://pytorch.org/docs/stable/generated/torch.mvlgamma.html
    """
    import kagari

    if p < 1:
        raise RuntimeError(f"mvlgamma: p has to be greater than or equal to 1, got {p}")
    if input.is_complex():
        raise RuntimeError(f"mvlgamma: expected real numbers, got {input.dtype}")
    x = input if input.is_floating_point() else input.to(kagari.get_default_dtype())
    steps = kagari.arange(p, dtype=x.dtype, device=x.device) * -0.5
    return (x.unsqueeze(-1) + steps).lgamma().sum(-1) + p * (p - 1) / 4 * math.log(math.pi)


# ---- other names --------------------------------------------------------------------------------


@composite("special_multigammaln(Tensor input, int p) -> Tensor", out=True)
def multigammaln(input: Tensor, p: int) -> Tensor:
    r"""Another name of :func:`kagari.mvlgamma`, the logarithm of the multivariate gamma function.

    Args:
        input (Tensor): above (p - 1) / 2, any shape.
        p (int): the number of dimensions.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> kagari.special.multigammaln(kagari.tensor([2.0, 3.0]), 2)
        tensor([0.4516, 1.5502])

    Reference: https://pytorch.org/docs/stable/special.html#torch.special.multigammaln
    """
    return input.mvlgamma(p)


@composite("special_softmax(Tensor input, int dim, ScalarType? dtype=None) -> Tensor")
def softmax(input: Tensor, dim: int, dtype: dtype | None) -> Tensor:
    r"""Another name of :func:`kagari.softmax`: :math:`y_i = e^{x_i} / \sum_j e^{x_j}`.

    Args:
        input (Tensor): any shape.
        dim (int): the dimension that is normalised.
        dtype (dtype, optional): to compute in.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> kagari.special.softmax(kagari.tensor([0.0, 0.0]), 0)
        tensor([0.5000, 0.5000])

    Reference: https://pytorch.org/docs/stable/special.html#torch.special.softmax
    """
    return input.softmax(dim, dtype=dtype)


@composite("special_log_softmax(Tensor input, int dim, *, ScalarType? dtype=None) -> Tensor")
def log_softmax(input: Tensor, dim: int, dtype: dtype | None) -> Tensor:
    r"""Another name of :func:`kagari.log_softmax`: :math:`y_i = x_i - \ln \sum_j e^{x_j}`.

    Args:
        input (Tensor): any shape.
        dim (int): the dimension that is normalised.
        dtype (dtype, optional): to compute in.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> kagari.special.log_softmax(kagari.tensor([0.0, 0.0]), 0)
        tensor([-0.6931, -0.6931])

    Reference: https://pytorch.org/docs/stable/special.html#torch.special.log_softmax
    """
    return input.log_softmax(dim, dtype=dtype)


@composite("special_logsumexp(Tensor input, int[1] dim, bool keepdim=False) -> Tensor", out=True)
def logsumexp(input: Tensor, dim: tuple[int, ...], keepdim: bool) -> Any:
    r"""Another name of :func:`kagari.logsumexp`: :math:`y = \ln \sum_i e^{x_i}`.

    Args:
        input (Tensor): any shape.
        dim (int or tuple of ints): the dimensions that are reduced.
        keepdim (bool): keep them with size one.

    Returns:
        A tensor without the reduced dimensions.

    Example:
        >>> import kagari
        >>> kagari.special.logsumexp(kagari.tensor([0.0, 0.0]), 0)
        tensor(0.6931)

    Reference: https://pytorch.org/docs/stable/special.html#torch.special.logsumexp
    """
    return input.logsumexp(dim, keepdim)
