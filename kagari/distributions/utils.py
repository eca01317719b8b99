"""What distributions share: broadcasting, probabilities beside logits, lazy values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from math import isqrt
from numbers import Number
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import kagari
from kagari.overrides import is_tensor_like

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = [
    "Shape",
    "broadcast_all",
    "clamp_probs",
    "euler_constant",
    "is_lazy",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
    "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]

Shape = Sequence[int]
T = TypeVar("T")

euler_constant = 0.57721566490153286060  # Euler and Mascheroni's γ


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """The values as tensors of one shape.

    Numbers take the dtype and device of the first tensor, or the default dtype.

    Args:
        *values (Tensor or number): shapes that broadcast.

    Raises:
        ValueError: a value is neither a number nor like a tensor.

    Example:
        >>> import kagari
        >>> from kagari.distributions.utils import broadcast_all
        >>> broadcast_all(1.0, kagari.zeros(2))
        (tensor([1., 1.]), tensor([0., 0.]))
    """
    if not all(is_tensor_like(v) or isinstance(v, Number) for v in values):
        raise ValueError(
            "Input arguments must all be instances of Number, kagari.Tensor or objects "
            "implementing __torch_function__."
        )
    if all(is_tensor_like(v) for v in values):
        return tuple(kagari.broadcast_tensors(*values))
    kind: dict[str, Any] = {"dtype": kagari.get_default_dtype()}
    for value in values:
        if isinstance(value, kagari.Tensor):
            kind = {"dtype": value.dtype, "device": value.device}
            break
    tensors = [v if is_tensor_like(v) else kagari.tensor(v, **kind) for v in values]
    return tuple(kagari.broadcast_tensors(*tensors))


def _standard_normal(shape: Shape, dtype: Any, device: Any) -> Tensor:
    return kagari.empty(tuple(shape), dtype=dtype, device=device).normal_()


def _sum_rightmost(value: Tensor, dim: int) -> Tensor:
    """The sum over the last ``dim`` dimensions."""
    if dim == 0:
        return value
    return value.reshape((*value.shape[: value.dim() - dim], -1)).sum(-1)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities from log-odds (binary), or from unnormalised logarithms along the last dim.

    Example:
        >>> import kagari
        >>> from kagari.distributions.utils import logits_to_probs
        >>> logits_to_probs(kagari.zeros(2))
        tensor([0.5000, 0.5000])
    """
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities kept one machine epsilon away from 0 and 1.

    Example:
        >>> import kagari
        >>> kagari.distributions.utils.clamp_probs(kagari.tensor([0.0, 0.5])) > 0
        tensor([True, True])
    """
    eps = kagari.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Log-odds of probabilities (binary), or their logarithms; the inverse of logits_to_probs.

    Example:
        >>> import kagari
        >>> kagari.distributions.utils.probs_to_logits(kagari.tensor([0.5, 0.9]), is_binary=True)
        tensor([0.0000, 2.1972])
    """
    p = clamp_probs(probs)
    return p.log() - (-p).log1p() if is_binary else p.log()


class lazy_property(Generic[T]):
    """A property computed when first asked for, then kept as a plain attribute.

    The value is computed with gradients on, whoever asks first.

    Args:
        wrapped: the method that computes it.
    """

    def __init__(self, wrapped: Callable[[Any], T]) -> None:
        self.wrapped = wrapped
        update_wrapper(self, wrapped)  # type: ignore[arg-type]

    @overload
    def __get__(self, instance: None, owner: Any = None) -> _LazyProperty: ...
    @overload
    def __get__(self, instance: object, owner: Any = None) -> T: ...
    def __get__(self, instance: object | None, owner: Any = None) -> T | _LazyProperty:
        if instance is None:
            return _LazyProperty(self.wrapped)
        with kagari.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


class _LazyProperty(property):
    """What the class itself shows: a property, so that documentation tools see one."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        super().__init__(wrapped)


def is_lazy(owner: type, name: str) -> bool:
    """Whether the class computes the attribute by a ``lazy_property``."""
    return isinstance(getattr(owner, name), _LazyProperty)


class ProbsOrLogits:
    """Two ways to give the same parameter; each is derived from the other when asked for.

    ``_param`` is the one that was given. ``_binary`` says whether logits are log-odds of one
    outcome, or logarithms of a vector of probabilities.
    """

    _binary = True

    def _take(self, probs: Any, logits: Any) -> Any:
        """Checks that one of the two is given, and returns it."""
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        return logits if probs is None else probs

    def _set(self, probs: Any, value: Tensor) -> None:
        setattr(self, "logits" if probs is None else "probs", value)
        self._given = "logits" if probs is None else "probs"

    @property
    def _param(self) -> Tensor:
        value: Tensor = self.__dict__[self._given]
        return value

    @lazy_property
    def logits(self) -> Tensor:
        return probs_to_logits(self.probs, is_binary=self._binary)

    @lazy_property
    def probs(self) -> Tensor:
        return logits_to_probs(self.logits, is_binary=self._binary)


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The entries on and below a diagonal, row by row.

    Args:
        mat (Tensor): ``(..., D, D)``.
        diag (int): the diagonal, between -D and D - 1.

    Example:
        >>> import kagari
        >>> from kagari.distributions.utils import tril_matrix_to_vec
        >>> tril_matrix_to_vec(kagari.tensor([[1, 2], [3, 4]]))
        tensor([1, 3, 4])
    """
    n = mat.shape[-1]
    if not (-n <= diag < n):
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = kagari.tril_indices(n, n, diag)
    return mat[..., rows, columns]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """The lower triangular matrix whose entries, row by row, are the vector's.

    Args:
        vec (Tensor): ``(..., D (D + 1) / 2)`` for ``diag=0``.
        diag (int): the diagonal up to which the matrix is filled.

    Example:
        >>> import kagari
        >>> from kagari.distributions.utils import vec_to_tril_matrix
        >>> vec_to_tril_matrix(kagari.tensor([1, 3, 4]))
        tensor([[1, 0],
                [3, 4]])
    """
    # n rows hold L = (n + d)(n + d + 1) / 2 entries where d = diag <= 0, and n² less those above
    # the diagonal where d > 0: either way a quadratic equation for n.
    count = vec.shape[-1]
    square = (1 + 2 * diag) ** 2 + 8 * count + 4 * abs(diag) * (diag + 1)
    root = isqrt(square)
    n, odd = divmod(root - 1 - 2 * diag, 2)
    if root * root != square or odd:
        raise ValueError(
            f"The size of last dimension is {count} which cannot be expressed as "
            "the lower triangular part of a square D x D matrix."
        )
    mat = vec.new_zeros((*vec.shape[:-1], n, n))
    rows, columns = kagari.tril_indices(n, n, diag)
    mat[..., rows, columns] = vec
    return mat
