"""Products of tensors: composites of matrix products, multiplication and views."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kagari._core import composite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor


def _vectors(name: str, a: Tensor, b: Tensor) -> None:
    if a.dim() != 1 or b.dim() != 1:
        raise RuntimeError(
            f"{name}: Expected 1-D arguments, got {a.dim()}-D of shape {tuple(a.shape)} and "
            f"{b.dim()}-D of shape {tuple(b.shape)}; flatten them first"
        )


@composite("outer(Tensor input, Tensor vec2) -> Tensor", method=True, out=True)
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    r"""The outer product: :math:`y_{ij} = a_i b_j`.

    Args:
        input (Tensor): a, ``(n,)``.
        vec2 (Tensor): b, ``(m,)``.

    Returns:
        ``(n, m)``, of the promoted dtype.

    Raises:
        RuntimeError: an argument is not a vector.

    Example:
        >>> import kagari
        >>> kagari.outer(kagari.tensor([1, 2]), kagari.tensor([3, 4])).tolist()
        [[3, 4], [6, 8]]

    Reference: https://pytorch.org/docs/stable/generated/torch.outer.html
    """
    _vectors("outer", input, vec2)
    return input.unsqueeze(1) * vec2


@composite("ger(Tensor input, Tensor vec2) -> Tensor", method=True, out=True)
def ger(input: Tensor, vec2: Tensor) -> Tensor:
    r"""Another name of :func:`kagari.outer`: :math:`y_{ij} = a_i b_j`.

    Args:
        input (Tensor): a, ``(n,)``.
        vec2 (Tensor): b, ``(m,)``.

    Returns:
        A matrix, ``(n, m)``.

    Raises:
        RuntimeError: an argument has another number of dimensions.

    Example:
        >>> import kagari
        >>> kagari.ger(kagari.tensor([1.0, 2.0]), kagari.tensor([3.0, 4.0]))
        tensor([[3., 4.],
                [6., 8.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.ger.html
    """
    _vectors("ger", input, vec2)
    return input.unsqueeze(1) * vec2


@composite("vdot(Tensor input, Tensor other) -> Tensor", method=True, out=True)
def vdot(input: Tensor, other: Tensor) -> Tensor:
    r"""The product of two vectors, the first conjugated: :math:`\sum_i \bar a_i b_i`.

    Args:
        input (Tensor): a, ``(n,)``.
        other (Tensor): b, ``(n,)``.

    Returns:
        A tensor without dimensions.

    Raises:
        RuntimeError: the vectors differ in length or dtype.

    Example:
        >>> import kagari
        >>> kagari.vdot(kagari.tensor([1j]), kagari.tensor([1j])).item()
        (1+0j)

    Reference: https://pytorch.org/docs/stable/generated/torch.vdot.html
    """
    return (input.conj_physical() if input.is_complex() else input).dot(other)


@composite("inner(Tensor input, Tensor other) -> Tensor", method=True, out=True)
def inner(input: Tensor, other: Tensor) -> Tensor:
    r"""Sums of products over the last dimensions: :math:`y_{ij} = \sum_k a_{ik} b_{jk}`.

    Args:
        input (Tensor): a, ``(..., k)``.
        other (Tensor): b, ``(..., k)``.

    Returns:
        The leading sizes of a, then those of b.

    Raises:
        RuntimeError: the last sizes differ.

    Example:
        >>> import kagari
        >>> kagari.inner(kagari.tensor([1, 2, 3]), kagari.tensor([0, 2, 1])).item()
        7

    Reference: https://pytorch.org/docs/stable/generated/torch.inner.html
    """
    if input.dim() == 0 or other.dim() == 0:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    return _contract(input, other, [input.dim() - 1], [other.dim() - 1])


@composite(
    "addr(Tensor input, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
    method=True,
    inplace=True,
    out=True,
)
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, beta: Any, alpha: Any) -> Tensor:
    r"""A matrix plus an outer product: :math:`\beta\,M + \alpha\,a b^T`.

    Args:
        input (Tensor): M, broadcasts to ``(n, m)``; ignored where ``beta`` is 0.
        vec1 (Tensor): a, ``(n,)``.
        vec2 (Tensor): b, ``(m,)``.
        beta (Number): factor of M.
        alpha (Number): factor of the product.

    Returns:
        ``(n, m)``.

    Raises:
        RuntimeError: an argument is not a vector.

    Example:
        >>> import kagari
        >>> kagari.addr(kagari.zeros(2, 2), kagari.ones(2), kagari.ones(2), alpha=2).tolist()
        [[2.0, 2.0], [2.0, 2.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.addr.html
    """
    import kagari

    _vectors("addr", vec1, vec2)
    result = kagari.promote_types(kagari.promote_types(input.dtype, vec1.dtype), vec2.dtype)
    if result == kagari.bool:
        product = vec1.unsqueeze(1) & vec2 & bool(alpha)
        return (input & bool(beta)) | product
    if not (result.is_floating_point or result.is_complex):
        for name, factor in (("beta", beta), ("alpha", alpha)):
            if not isinstance(factor, int):
                raise RuntimeError(
                    f"addr: For integral input tensors, argument {name} must not be a floating "
                    f"point number, got {factor}"
                )
    product = vec1.unsqueeze(1) * vec2
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product.expand_as(input + product) if input.dim() > 2 else product
    return (input if beta == 1 else input * beta) + product


@composite(
    "addbmm(Tensor input, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1)"
    " -> Tensor",
    method=True,
    inplace=True,
    out=True,
    autocast="lower",
)
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, beta: Any, alpha: Any) -> Tensor:
    r"""A matrix plus a sum of products: :math:`\beta\,M + \alpha \sum_b A_b B_b`.

    Args:
        input (Tensor): M, broadcasts to ``(n, p)``.
        batch1 (Tensor): A, ``(b, n, m)``.
        batch2 (Tensor): B, ``(b, m, p)``.
        beta (Number): factor of M; 0 ignores it.
        alpha (Number): factor of the sum.

    Returns:
        ``(n, p)``.

    Raises:
        RuntimeError: the shapes do not fit.

    Example:
        >>> import kagari
        >>> a = kagari.ones(3, 1, 2)
        >>> kagari.addbmm(kagari.zeros(1, 1), a, a.transpose(1, 2)).tolist()
        [[6.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.addbmm.html
    """
    if batch1.dim() != 3 or batch2.dim() != 3:
        raise RuntimeError(
            f"addbmm: expected batches of matrices, got shapes {tuple(batch1.shape)} and "
            f"{tuple(batch2.shape)}"
        )
    if batch1.shape[0] != batch2.shape[0] or batch1.shape[2] != batch2.shape[1]:
        raise RuntimeError(
            "addbmm: Expected size for first two dimensions of batch2 tensor to be: "
            f"[{batch1.shape[0]}, {batch1.shape[2]}] but got: "
            f"[{batch2.shape[0]}, {batch2.shape[1]}]."
        )
    # The sum over the batch is a sum over longer rows.
    b, n, m = batch1.shape
    rows = batch1.permute(1, 0, 2).reshape(n, b * m)
    columns = batch2.reshape(b * m, batch2.shape[2])
    return input.addmm(rows, columns, beta=beta, alpha=alpha)


@composite("bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor")
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    r"""A form of two vectors for each output: :math:`y_k = x_1^T W_k x_2 + b_k`.

    Args:
        input1 (Tensor): ``(..., in1)``.
        input2 (Tensor): ``(..., in2)`` with the same leading sizes.
        weight (Tensor): ``(out, in1, in2)``.
        bias (Tensor): ``(out,)``.

    Returns:
        ``(..., out)``.

    Raises:
        RuntimeError: the shapes do not fit.

    Example:
        >>> import kagari
        >>> one = kagari.ones(1, 2)
        >>> kagari.bilinear(one, one, kagari.ones(1, 2, 2)).tolist()
        [[4.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Bilinear.html
    """
    shapes = (
        f"input1 {tuple(input1.shape)}, input2 {tuple(input2.shape)}, weight {tuple(weight.shape)}"
    )
    if input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(f"bilinear: expected inputs of the same leading sizes, got {shapes}")
    if weight.dim() != 3 or (input1.shape[-1], input2.shape[-1]) != tuple(weight.shape[1:]):
        raise RuntimeError(f"bilinear: expected weight (out, in1, in2), got {shapes}")
    count, in1, in2 = weight.shape
    left = input1 @ weight.permute(1, 0, 2).reshape(in1, count * in2)
    left = left.reshape(*input1.shape[:-1], count, in2)
    result = (left @ input2.unsqueeze(-1)).squeeze(-1)
    return result if bias is None else result + bias


_SHORT_ROW = 128
_MANY_PRODUCTS = 512


@composite("kron(Tensor input, Tensor other) -> Tensor", method=True, out=True)
def kron(input: Tensor, other: Tensor) -> Tensor:
    r"""The Kronecker product: each element of ``input`` times all of ``other``.

    Args:
        input (Tensor): any shape.
        other (Tensor): any shape; the shorter shape is led by ones.

    Returns:
        Each size is the product of the two tensors' sizes.

    Example:
        >>> import kagari
        >>> kagari.kron(kagari.eye(2), kagari.ones(1, 2)).tolist()
        [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.kron.html
    """
    dims = max(input.dim(), other.dim())
    a = (1,) * (dims - input.dim()) + tuple(input.shape)
    b = (1,) * (dims - other.dim()) + tuple(other.shape)
    left = input.reshape([n for size in a for n in (size, 1)])
    right = other.reshape([n for size in b for n in (1, size)])
    if dims and 1 < b[-1] <= _SHORT_ROW and input.numel() * other.numel() >= _MANY_PRODUCTS:
        # Both as long rows: products of short ones would be slow.
        left = left.expand(*left.shape[:-1], b[-1]).flatten(-2)
        right = right.expand(*right.shape[:-2], a[-1], b[-1]).flatten(-2)
    return (left * right).reshape([m * n for m, n in zip(a, b, strict=True)])


# ---- contractions --------------------------------------------------------------------------------


def _contract(a: Tensor, b: Tensor, over_a: Sequence[int], over_b: Sequence[int]) -> Tensor:
    """Sums over pairs of dimensions, as one product of matrices."""
    keep_a = [d for d in range(a.dim()) if d not in over_a]
    keep_b = [d for d in range(b.dim()) if d not in over_b]
    k = math.prod(a.shape[d] for d in over_a)
    sizes = [a.shape[d] for d in keep_a] + [b.shape[d] for d in keep_b]
    rows = math.prod(a.shape[d] for d in keep_a)
    columns = math.prod(b.shape[d] for d in keep_b)
    left = a.permute(*keep_a, *over_a).reshape(rows, k)
    right = b.permute(*over_b, *keep_b).reshape(k, columns)
    return left.mm(right).reshape(sizes)


@composite("tensordot(Tensor a, Tensor b, Any dims=2) -> Tensor", out=True)
def tensordot(a: Tensor, b: Tensor, dims: Any) -> Tensor:
    r"""Sums of products over several dimensions of each.

    Args:
        a (Tensor): left tensor.
        b (Tensor): right tensor.
        dims (int or two lists of int): how many dimensions, the last of ``a`` and the first of
            ``b``, or which ones of each.

    Returns:
        The sizes of ``a`` that are left, then those of ``b``.

    Raises:
        RuntimeError: the dimensions do not match.

    Example:
        >>> import kagari
        >>> kagari.tensordot(kagari.ones(2, 3), kagari.ones(3, 4), dims=1).tolist()[0]
        [3.0, 3.0, 3.0, 3.0]

    Reference: https://pytorch.org/docs/stable/generated/torch.tensordot.html
    """
    if hasattr(dims, "tolist"):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(
                f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims} "
                f"(shapes {tuple(a.shape)} and {tuple(b.shape)})"
            )
        over_a, over_b = list(range(a.dim() - dims, a.dim())), list(range(dims))
    else:
        first, second = dims
        over_a = [first] if isinstance(first, int) else list(first)
        over_b = [second] if isinstance(second, int) else list(second)
    if len(over_a) != len(over_b):
        raise RuntimeError(
            "both dimension lists should have the same length, got "
            f"{len(over_a)} and {len(over_b)} dimensions"
        )
    over_a = [d + a.dim() if d < 0 else d for d in over_a]
    over_b = [d + b.dim() if d < 0 else d for d in over_b]
    for i, j in zip(over_a, over_b, strict=True):
        if a.shape[i] == b.shape[j]:
            continue
        # A size of one is broadcast: the other's dimension is summed.
        if a.shape[i] == 1:
            b = b.sum(j, keepdim=True, dtype=b.dtype)
        elif b.shape[j] == 1:
            a = a.sum(i, keepdim=True, dtype=a.dtype)
        else:
            raise RuntimeError(
                "contracted dimensions need to match, but first has size "
                f"{a.shape[i]} in dim {i} and second has size {b.shape[j]} in dim {j}"
            )
    return _contract(a, b, over_a, over_b)


def _multiply_in_best_order(matrices: Sequence[Tensor]) -> Tensor:
    """The product of a chain in the order of the fewest multiplications."""
    n = len(matrices)
    sizes = [matrices[0].shape[0]] + [m.shape[1] for m in matrices]
    cost = [[0] * n for _ in range(n)]
    cut = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            choices = [
                (cost[i][c] + cost[c + 1][j] + sizes[i] * sizes[c + 1] * sizes[j + 1], c)
                for c in range(i, j)
            ]
            cost[i][j], cut[i][j] = min(choices)

    def product(i: int, j: int) -> Tensor:
        if i == j:
            return matrices[i]
        c = cut[i][j]
        return product(i, c).mm(product(c + 1, j))

    return product(0, n - 1)


@composite("linalg_multi_dot(Tensor[] tensors) -> Tensor", function=False, out=True)
def linalg_multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    r"""The product of matrices in the order that costs least; the first and last may be vectors.

    Args:
        tensors (sequence of Tensor): two or more; 2-d but for the first and last.

    Returns:
        Their product; a vector at an end leaves no dimension there.

    Raises:
        RuntimeError: fewer than two tensors, or shapes that do not fit.

    Example:
        >>> import kagari
        >>> parts = [kagari.ones(2, 3), kagari.ones(3, 1), kagari.ones(1, 2)]
        >>> kagari.linalg.multi_dot(parts).tolist()
        [[3.0, 3.0], [3.0, 3.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.multi_dot.html
    """
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    parts = list(tensors)
    row, column = parts[0].dim() == 1, parts[-1].dim() == 1
    if row:
        parts[0] = parts[0].unsqueeze(0)
    if column:
        parts[-1] = parts[-1].unsqueeze(1)
    for i, part in enumerate(parts):
        if part.dim() != 2:
            kind = "1D or 2D" if i in (0, len(parts) - 1) else "2D"
            raise RuntimeError(
                f"multi_dot(): tensor {i} must be {kind} but got {tensors[i].dim()}D"
            )
        if i and parts[i - 1].shape[1] != part.shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i - 1} and {i} with shapes {list(tensors[i - 1].shape)} "
                f"and {list(tensors[i].shape)} cannot be multiplied"
            )
    result = _multiply_in_best_order(parts)
    if row:
        result = result.squeeze(0)
    return result.squeeze(-1) if column else result


@composite("chain_matmul(Tensor[*] matrices) -> Tensor", out=True)
def chain_matmul(matrices: Sequence[Tensor]) -> Tensor:
    """The product of one or more matrices in the order that costs least.

    Args:
        *matrices (Tensor): 2-d.

    Returns:
        Their product.

    Raises:
        RuntimeError: no matrix, or shapes that do not fit.

    Example:
        >>> import kagari
        >>> kagari.chain_matmul(kagari.ones(1, 2), kagari.ones(2, 3), kagari.ones(3, 1)).tolist()
        [[6.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.chain_matmul.html
    """
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for i, m in enumerate(matrices):
        if m.dim() != 2:
            raise RuntimeError(f"chain_matmul(): expected matrices, got {m.dim()}-D at {i}")
    return matrices[0] if len(matrices) == 1 else linalg_multi_dot(matrices)
