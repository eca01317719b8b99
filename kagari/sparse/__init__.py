"""Sparse tensors: products, sums and softmax whose gradients have the places of the values."""

from __future__ import annotations

from typing import Any, TypeAlias

import kagari
from kagari._absent import absent
from kagari.sparse import _convert, _matmul, _ops, _softmax
from kagari.sparse._construct import sparse_coo_tensor
from kagari.sparse._layout import COO, is_sparse
from kagari.sparse._table import Unsupported

Tensor: TypeAlias = "kagari.Tensor"

__all__ = [
    "BFloat16Tensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
    "addmm",
    "check_sparse_tensor_invariants",
    "log_softmax",
    "mm",
    "sampled_addmm",
    "softmax",
    "spdiags",
    "sum",
]


def mm(mat1: Tensor, mat2: Tensor, reduce: str = "sum") -> Tensor:
    """The product of two matrices of which one or both are sparse.

    Unlike ``kagari.mm`` it gives a sparse matrix a gradient that is sparse, with its own places.

    Args:
        mat1 (Tensor): ``(M, K)``.
        mat2 (Tensor): ``(K, N)``.
        reduce (str): ``"sum"``, ``"mean"``, ``"amax"`` or ``"amin"`` of the products of stored
            values, for a sparse ``mat1`` and a strided ``mat2``; rows without values give 0.

    Returns:
        ``(M, N)``, sparse when both matrices are.

    Raises:
        RuntimeError: shapes or dtypes do not fit, or neither matrix is sparse.

    Example:
        >>> import kagari
        >>> a = kagari.sparse_coo_tensor([[0, 1], [1, 0]], [2.0, 3.0], (2, 2))
        >>> kagari.sparse.mm(a, kagari.tensor([[1.0], [10.0]]))
        tensor([[20.],
                [ 3.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.sparse.mm.html
    """
    return _matmul.masked_mm(mat1, mat2, reduce)


def addmm(mat: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1.0, alpha: Any = 1.0) -> Tensor:
    """``beta * mat + alpha * (mat1 @ mat2)`` with a sparse ``mat1``, whose gradient is sparse.

    Args:
        mat (Tensor): ``(M, N)``, or a shape that broadcasts to it.
        mat1 (Tensor): sparse ``(M, K)``.
        mat2 (Tensor): ``(K, N)``.
        beta (Number): the factor of ``mat``.
        alpha (Number): the factor of the product.

    Returns:
        ``(M, N)``.

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    Example:
        >>> import kagari
        >>> a = kagari.eye(2).to_sparse()
        >>> kagari.sparse.addmm(kagari.ones(2, 2), a, kagari.ones(2, 2), beta=10)
        tensor([[11., 11.],
                [11., 11.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.sparse.addmm.html
    """
    return _matmul.masked_addmm(mat, mat1, mat2, beta, alpha)


def sampled_addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1.0, alpha: Any = 1.0, out: Any = None
) -> Tensor:
    """``alpha * (mat1 @ mat2) + beta * input`` at the places of ``input`` alone.

    Args:
        input (Tensor): ``(M, N)`` of layout ``sparse_csr``.
        mat1 (Tensor): strided ``(M, K)``.
        mat2 (Tensor): strided ``(K, N)``.
        beta (Number): the factor of ``input``.
        alpha (Number): the factor of the product.
        out (Tensor, optional): takes the result.

    Returns:
        A tensor with the places of ``input``.

    Raises:
        RuntimeError: the layout or the shapes do not fit.

    Example:
        >>> import kagari
        >>> a = kagari.eye(2).to_sparse_csr()
        >>> kagari.sparse.sampled_addmm(a, kagari.ones(2, 3), kagari.ones(3, 2)).values()
        tensor([4., 4.])

    Reference: https://pytorch.org/docs/stable/generated/torch.sparse.sampled_addmm.html
    """
    if not is_sparse(input) or is_sparse(mat1) or is_sparse(mat2):
        raise RuntimeError(
            "sampled_addmm: expected a sparse input and strided mat1 and mat2, got layouts "
            f"{input.layout}, {mat1.layout} and {mat2.layout}"
        )
    fits = mat1.dim() == mat2.dim() == 2 and mat1.shape[1] == mat2.shape[0]
    if not fits or tuple(input.shape) != (mat1.shape[0], mat2.shape[1]):
        raise RuntimeError(
            "sampled_addmm: expected shapes (M, N), (M, K) and (K, N), got "
            f"{tuple(input.shape)}, {tuple(mat1.shape)} and {tuple(mat2.shape)}"
        )
    made = _matmul.sampled_addmm(input, mat1, mat2, beta, alpha)
    if out is None:
        return made
    _convert.check_in_place(out, made)
    return _convert.replace(out, made, resize=True)


def sum(input: Tensor, dim: Any = None, dtype: Any = None) -> Tensor:
    """The sum over all or some dimensions, whose gradient has the places of the values.

    Args:
        input (Tensor): sparse.
        dim (int or tuple of ints): the dimensions to sum over; all by default.
        dtype (dtype, optional): of the result.

    Returns:
        A strided tensor when no sparse dimension is left, else a sparse one.

    Raises:
        NotImplementedError: some dimensions of a compressed layout.

    Example:
        >>> import kagari
        >>> kagari.sparse.sum(kagari.eye(3).to_sparse(), 0).to_dense()
        tensor([1., 1., 1.])

    Reference: https://pytorch.org/docs/stable/generated/torch.sparse.sum.html
    """
    if not is_sparse(input):
        raise RuntimeError(
            f"sparse.sum: expected a sparse tensor, got layout {input.layout}; call kagari.sum"
        )
    try:
        return _ops.total(input, dim, dtype)
    except Unsupported as e:
        raise NotImplementedError(f"sparse.sum: {e}") from None


def softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    r"""Softmax over the values that the tensor has along a dimension.

    .. math:: y_i = e^{x_i} / \sum_j e^{x_j}, \quad \text{over the places } j \text{ with a value}

    Args:
        input (Tensor): of layout ``sparse_coo``.
        dim (int): the dimension along which values sum to 1.
        dtype (dtype, optional): the input is converted to it first.

    Returns:
        A coalesced tensor with the input's places.

    Raises:
        RuntimeError: another layout, or no floating dtype.

    Example:
        >>> import kagari
        >>> x = kagari.sparse_coo_tensor([[0, 0, 1], [0, 2, 1]], [1.0, 1.0, 5.0], (2, 3))
        >>> kagari.sparse.softmax(x, 1).to_dense()
        tensor([[0.5000, 0.0000, 0.5000],
                [0.0000, 1.0000, 0.0000]])

    Reference: https://pytorch.org/docs/stable/generated/torch.sparse.softmax.html
    """
    return _softmax.softmax("softmax", input, dim, dtype, False)


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    r"""The logarithm of ``sparse.softmax``.

    .. math:: y_i = x_i - \log \sum_j e^{x_j}, \quad \text{over the places } j \text{ with a value}

    Args:
        input (Tensor): of layout ``sparse_coo``.
        dim (int): the dimension.
        dtype (dtype, optional): the input is converted to it first.

    Returns:
        A coalesced tensor with the input's places.

    Raises:
        RuntimeError: another layout, or no floating dtype.

    Example:
        >>> import kagari
        >>> kagari.sparse.log_softmax(kagari.eye(2).to_sparse(), 1).values()
        tensor([0., 0.])

    Reference: https://pytorch.org/docs/stable/generated/torch.sparse.log_softmax.html
    """
    return _softmax.softmax("log_softmax", input, dim, dtype, True)


def spdiags(diagonals: Tensor, offsets: Tensor, shape: Any, layout: Any = None) -> Tensor:
    """A sparse matrix of diagonals.

    Args:
        diagonals (Tensor): a diagonal per row ``(D, N)``, or one ``(N,)``; element ``j`` stands in
            column ``j``.
        offsets (Tensor): distinct integers ``(D,)``: above the main diagonal where positive.
        shape (tuple of ints): of the matrix.
        layout (layout): ``sparse_coo`` by default, or ``sparse_csr``, ``sparse_csc``.

    Returns:
        The matrix.

    Raises:
        RuntimeError: offsets repeat, or shapes do not fit.

    Example:
        >>> import kagari
        >>> kagari.sparse.spdiags(kagari.tensor([1.0, 2.0]), kagari.tensor([0]), (2, 2)).to_dense()
        tensor([[1., 0.],
                [0., 2.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.sparse.spdiags.html
    """
    lines = diagonals.unsqueeze(0) if diagonals.dim() == 1 else diagonals
    offsets = offsets.reshape(1) if offsets.dim() == 0 else offsets
    if lines.dim() != 2 or len(shape) != 2:
        raise RuntimeError(
            "spdiags: expected diagonals of one or two dimensions and a shape of two, got "
            f"{tuple(diagonals.shape)} and {tuple(shape)}"
        )
    if offsets.dim() != 1 or offsets.shape[0] != lines.shape[0]:
        raise RuntimeError(
            f"spdiags: Number of diagonals ({lines.shape[0]}) does not match the number of offsets "
            f"({offsets.numel()})"
        )
    if offsets.dtype != kagari.int64:
        raise RuntimeError(f"spdiags: Offset Tensor must have dtype Long but got {offsets.dtype}")
    if offsets.unique().shape[0] != offsets.shape[0]:
        raise RuntimeError("spdiags: Offset tensor contains duplicate values")
    columns = kagari.arange(lines.shape[1]).expand(lines.shape)
    rows = columns - offsets.unsqueeze(1)
    inside = (rows >= 0) & (rows < shape[0]) & (columns < shape[1])
    which, at = inside.nonzero(as_tuple=True)
    places = kagari.stack([rows[which, at], at])
    made = sparse_coo_tensor(places, lines[which, at], tuple(shape))
    return made if layout in (None, COO) else _convert.to_sparse(made, layout=layout)


class check_sparse_tensor_invariants:
    """Says whether constructors check the indices of sparse tensors; here they always do.

    Example:
        >>> import kagari
        >>> kagari.sparse.check_sparse_tensor_invariants.is_enabled()
        True
    """

    def __init__(self, enable: bool = True) -> None:
        self._enable = enable

    @staticmethod
    def is_enabled() -> bool:
        """True: indices are always checked."""
        return True

    @staticmethod
    def enable() -> None:
        """Changes nothing: indices are always checked."""

    @staticmethod
    def disable() -> None:
        """Changes nothing: indices are always checked."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        return None

    def __call__(self, function: Any) -> Any:
        return function


# ---- Legacy types --------------------------------------------------------------------------------


class _SparseType(type):
    """A name such as ``kagari.sparse.FloatTensor``: makes tensors, and knows its instances."""

    dtype: Any

    def __call__(cls, *args: Any, device: Any = None) -> Tensor:
        if not args:
            return sparse_coo_tensor((0,), dtype=cls.dtype, device=device)
        if len(args) in (2, 3) and isinstance(args[0], kagari.Tensor):
            return sparse_coo_tensor(*args, dtype=cls.dtype, device=device)
        size = args if isinstance(args[0], int) else tuple(args[0])
        return sparse_coo_tensor(size, dtype=cls.dtype, device=device)

    def __instancecheck__(cls, instance: Any) -> bool:
        return is_sparse(instance) and instance.layout == COO and instance.dtype == cls.dtype


def _typed(name: str, dtype: Any) -> Any:
    """A legacy type of sparse tensors of a dtype: ``(indices, values[, size])`` or a size."""
    doc = f"Sparse tensors of {dtype}; see ``sparse_coo_tensor``."
    return _SparseType(name, (), {"dtype": dtype, "__module__": "kagari.sparse", "__doc__": doc})


BFloat16Tensor = _typed("BFloat16Tensor", kagari.bfloat16)
ByteTensor = _typed("ByteTensor", kagari.uint8)
CharTensor = _typed("CharTensor", kagari.int8)
DoubleTensor = _typed("DoubleTensor", kagari.float64)
FloatTensor = _typed("FloatTensor", kagari.float32)
HalfTensor = _typed("HalfTensor", kagari.float16)
IntTensor = _typed("IntTensor", kagari.int32)
LongTensor = _typed("LongTensor", kagari.int64)
ShortTensor = _typed("ShortTensor", kagari.int16)

for _name, _reason in (
    (
        "as_sparse_gradcheck",
        "gradcheck takes functions of strided tensors; build sparse ones in it",
    ),
    ("spsolve", "sparse systems are not solved here; call .to_dense() and linalg.solve"),
    ("to_sparse_semi_structured", "semi-structured layouts need a GPU of NVIDIA's"),
):
    globals()[_name] = absent(f"kagari.sparse.{_name}", _reason)
