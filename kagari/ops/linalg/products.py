"""Products of vectors, and matrices made of a vector's powers."""

from __future__ import annotations

from kagari._core import composite, int64, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kagari import Tensor


def _cross(name: str, a: Tensor, b: Tensor, dim: int) -> Tensor:
    import kagari

    if a.dim() != b.dim():
        raise RuntimeError(
            f"{name}: inputs must have the same number of dimensions, got shapes "
            f"{tuple(a.shape)} and {tuple(b.shape)}"
        )
    n = a.dim()
    if not -n <= dim < n:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})"
        )
    if a.shape[dim] != 3 or b.shape[dim] != 3:
        raise RuntimeError(
            f"{name}: inputs dimension {dim} must have length 3. Got {a.shape[dim]} and "
            f"{b.shape[dim]}"
        )
    a, b = kagari.broadcast_tensors(a, b)
    # (a × b)_i = a_{i+1} b_{i+2} - a_{i+2} b_{i+1}, counted around.
    return a.roll(-1, dim) * b.roll(-2, dim) - a.roll(-2, dim) * b.roll(-1, dim)


@composite("linalg_cross(Tensor input, Tensor other, *, int dim=-1) -> Tensor", out=True)
def linalg_cross(input: Tensor, other: Tensor, dim: int) -> Tensor:
    r"""The cross product of vectors of three elements: :math:`a \times b`.

    Args:
        input (Tensor): a; size 3 along ``dim``.
        other (Tensor): b, of as many dimensions; the others broadcast.
        dim (int): the vectors' dimension.

    Returns:
        The broadcast shape.

    Raises:
        RuntimeError: the vectors do not have three elements.

    Example:
        >>> import kagari
        >>> kagari.linalg.cross(kagari.tensor([1, 0, 0]), kagari.tensor([0, 1, 0]))
        tensor([0, 0, 1])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.cross.html
    """
    return _cross("linalg.cross", input, other, dim)


@composite("cross(Tensor input, Tensor other, int? dim=None) -> Tensor", method=True, out=True)
def cross(input: Tensor, other: Tensor, dim: int | None) -> Tensor:
    """The cross product of vectors of three elements.

    Args:
        input (Tensor): size 3 along ``dim``.
        other (Tensor): of as many dimensions; the others broadcast.
        dim (int, optional): the vectors' dimension; the first of size 3 by default.

    Returns:
        The broadcast shape.

    Raises:
        RuntimeError: no dimension has size 3.

    Example:
        >>> import kagari
        >>> kagari.cross(kagari.tensor([1, 0, 0]), kagari.tensor([0, 1, 0]))
        tensor([0, 0, 1])

    Reference: https://pytorch.org/docs/stable/generated/torch.cross.html
    """
    if dim is None:
        places = [d for d, size in enumerate(input.shape) if size == 3]
        if not places:
            raise RuntimeError(
                f"cross: no dimension of size 3 in input, got shape {tuple(input.shape)}"
            )
        dim = places[0]
    return _cross("linalg.cross", input, other, dim)


@composite("linalg_vecdot(Tensor x, Tensor y, *, int dim=-1) -> Tensor", out=True, autocast="lower")
def linalg_vecdot(x: Tensor, y: Tensor, dim: int) -> Tensor:
    r"""Inner products along a dimension, the first factor conjugated: :math:`\sum \bar x_i y_i`.

    Args:
        x (Tensor): any shape.
        y (Tensor): of the same dtype; the shapes broadcast.
        dim (int): the dimension that is summed.

    Returns:
        The broadcast shape without ``dim``.

    Raises:
        RuntimeError: the dtypes differ.

    Example:
        >>> import kagari
        >>> kagari.linalg.vecdot(kagari.tensor([[1, 2], [3, 4]]), kagari.tensor([1, 1]))
        tensor([3, 7])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.vecdot.html
    """
    if x.dtype != y.dtype:
        raise RuntimeError(
            "linalg.vecdot: Expected x and y to have the same dtype, but found x of type "
            f"{x.dtype} and y of type {y.dtype} instead"
        )
    return ((x.conj_physical() if x.is_complex() else x) * y).sum(dim, dtype=x.dtype)


@composite("linalg_vander(Tensor x, *, int? N=None) -> Tensor")
def linalg_vander(x: Tensor, N: int | None) -> Tensor:
    r"""Vandermonde matrices: :math:`V_{ij} = x_i^j`.

    Args:
        x (Tensor): ``(*, n)``.
        N (int, optional): the number of powers; n by default.

    Returns:
        ``(*, n, N)``; integers give int64.

    Raises:
        RuntimeError: a bool input, or ``N`` below 2.

    Example:
        >>> import kagari
        >>> kagari.linalg.vander(kagari.tensor([1, 2, 3]))
        tensor([[1, 1, 1],
                [1, 2, 4],
                [1, 3, 9]])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.vander.html
    """
    import kagari

    if x.dtype == kagari.bool:
        raise RuntimeError("linalg.vander: Expected a number type, got bool")
    x = kagari.atleast_1d(x)
    count = x.shape[-1] if N is None else N
    if count <= 1:
        raise RuntimeError(f"N must be greater than 1, got {count}")
    if not (x.is_floating_point() or x.is_complex()):
        x = x.to(int64)
    repeated = x.unsqueeze(-1).expand(*x.shape, count - 1).cumprod(-1)
    return kagari.cat([x.new_ones(*x.shape, 1), repeated], -1)


@composite("vander(Tensor x, int? N=None, bool increasing=False) -> Tensor")
def vander(x: Tensor, N: int | None, increasing: bool) -> Tensor:
    r"""The Vandermonde matrix of a vector, with the powers descending unless ``increasing``.

    Args:
        x (Tensor): ``(n,)``.
        N (int, optional): the number of powers; n by default.
        increasing (bool): the powers ascend from 0.

    Returns:
        ``(n, N)``.

    Raises:
        RuntimeError: the input is not a vector, or ``N`` is negative.

    Example:
        >>> import kagari
        >>> kagari.vander(kagari.tensor([1, 2, 3]), N=2)
        tensor([[1, 1],
                [2, 1],
                [3, 1]])

    Reference: https://pytorch.org/docs/stable/generated/torch.vander.html
    """
    import kagari

    if x.dim() != 1:
        raise RuntimeError(f"x must be a one-dimensional tensor, got shape {tuple(x.shape)}")
    count = x.shape[0] if N is None else N
    if count < 0:
        raise RuntimeError(f"N must be non-negative, got {count}")
    if not (x.is_floating_point() or x.is_complex()):
        x = x.to(int64)
    powers = x.new_ones(x.shape[0], min(count, 1))
    if count > 1:
        rest = x.unsqueeze(-1).expand(x.shape[0], count - 1).cumprod(-1)
        powers = kagari.cat([powers, rest], -1)
    return powers if increasing else powers.flip(1)


@composite("linalg_diagonal(Tensor A, *, int offset=0, int dim1=-2, int dim2=-1) -> Tensor")
def linalg_diagonal(A: Tensor, offset: int, dim1: int, dim2: int) -> Tensor:
    """The diagonals of matrices, a view.

    Args:
        A (Tensor): ``(*, m, n)``.
        offset (int): which diagonal; positive ones lie above the main one.
        dim1, dim2 (int): the matrices' dimensions.

    Returns:
        The other dimensions, then the diagonal.

    Example:
        >>> import kagari
        >>> kagari.linalg.diagonal(kagari.ones(5, 2, 3)).shape
        kagari.Size([5, 2])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.diagonal.html
    """
    return A.diagonal(offset, dim1, dim2)


@composite("linalg_matmul(Tensor input, Tensor other) -> Tensor", out=True)
def linalg_matmul(input: Tensor, other: Tensor) -> Tensor:
    """Another name of ``matmul``.

    Example:
        >>> import kagari
        >>> kagari.linalg.matmul(kagari.eye(2), kagari.ones(2))
        tensor([1., 1.])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.matmul.html
    """
    return ops.matmul(input, other)
