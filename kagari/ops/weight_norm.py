"""Weights as length and direction."""

from __future__ import annotations

from kagari._core import composite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kagari import Tensor


@composite("norm_except_dim(Tensor v, int pow=2, int dim=0) -> Tensor")
def norm_except_dim(v: Tensor, pow: int, dim: int) -> Tensor:
    r"""The norms of a tensor's slices along a dimension: :math:`(\sum |v|^p)^{1/p}` for each.

    Args:
        v (Tensor): floating point or complex.
        pow (int): p.
        dim (int): the dimension that stays; -1 for one norm of all elements.

    Returns:
        A tensor with size 1 in all other dimensions, or without dimensions for -1.

    Raises:
        RuntimeError: ``dim`` is neither -1 nor a dimension.

    Example:
        >>> import kagari
        >>> kagari.norm_except_dim(kagari.tensor([[3.0, 4.0], [0.0, 2.0]])).tolist()
        [[5.0], [2.0]]
    """
    if dim == -1:
        return v.norm(pow)
    if not 0 <= dim < max(v.dim(), 1):
        raise RuntimeError(f"norm_except_dim: expected dim -1 or in [0, {v.dim() - 1}], got {dim}")
    others = [d for d in range(v.dim()) if d != dim]
    return v.norm(pow, others, keepdim=True) if others else v.abs()


@composite("_weight_norm(Tensor v, Tensor g, int dim=0) -> Tensor")
def _weight_norm(v: Tensor, g: Tensor, dim: int) -> Tensor:
    r"""Weights of direction v and length g: :math:`g v / \|v\|`."""
    import kagari

    return v * (g / kagari.norm_except_dim(v, 2, dim))
