"""Construction of sparse tensors from indices and values, with checks of both."""

from __future__ import annotations

from typing import Any, TypeAlias

import kagari
from kagari._core import _is_sparse
from kagari.sparse._layout import COO, CSC, CSR, Pattern, assemble

Tensor: TypeAlias = "kagari.Tensor"

__all__ = [
    "sparse_bsc_tensor",
    "sparse_bsr_tensor",
    "sparse_compressed_tensor",
    "sparse_coo_tensor",
    "sparse_csc_tensor",
    "sparse_csr_tensor",
]


def _strided(name: str, what: str, x: Any) -> Any:
    if _is_sparse(x):
        raise RuntimeError(
            f"{name}: expected strided {what}, got layout {x.layout}; call .to_dense() first"
        )
    return x


def _index_tensor(name: str, what: str, x: Any, device: Any) -> Tensor:
    x = _strided(name, what, x)
    made: Tensor = x if isinstance(x, kagari.Tensor) else kagari.tensor(x, dtype=kagari.int64)
    if made.is_complex():
        raise TypeError(f"{name}: {what} must be integers, got {made.dtype}")
    return made.detach().to(device=device)


def _value_tensor(name: str, x: Any, dtype: Any, device: Any) -> Tensor:
    x = _strided(name, "values", x)
    made: Tensor = x if isinstance(x, kagari.Tensor) else kagari.tensor(x)
    made = made.to(device=device, dtype=dtype) if device is not None or dtype is not None else made
    if made.is_meta:
        raise NotImplementedError(
            f"{name}: sparse tensors hold data, and a meta tensor has none; keep the values on "
            "the CPU"
        )
    return made


def _finish(values: Tensor, pattern: Pattern, requires_grad: bool) -> Tensor:
    if requires_grad:
        return assemble(values.detach(), pattern).requires_grad_()
    return assemble(values, pattern)


def _is_size(x: Any) -> bool:
    return isinstance(x, (tuple, list, kagari.Size)) and all(isinstance(n, int) for n in x)


def sparse_coo_tensor(
    indices: Any = None,
    values: Any = None,
    size: Any = None,
    *,
    dtype: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
    is_coalesced: bool | None = None,
) -> Tensor:
    """A sparse tensor in coordinate format: values and where they lie; values at one place add up.

    It is differentiable in the values.

    Args:
        indices (array_like): the coordinates ``(sparse_dim, nnz)``. When ``values`` and ``size``
            are not given this is the size of a tensor without values.
        values (array_like): ``(nnz, *dense sizes)``.
        size (tuple of ints): the sizes of the sparse dimensions and then the dense ones; by default
            the smallest that holds the indices.
        dtype (dtype, optional): of the values.
        device (device, optional): of both.
        pin_memory (bool): has no effect on the CPU.
        requires_grad (bool): the tensor is a leaf that collects a sparse gradient.
        check_invariants (bool): has no effect: the indices are always checked.
        is_coalesced (bool): says that the indices are sorted and without duplicates.

    Raises:
        RuntimeError: shapes do not fit, or an index is out of range.

    Example:
        >>> import kagari
        >>> kagari.sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 3))
        tensor(indices=tensor([[0, 1],
                               [2, 0]]),
               values=tensor([3., 4.]),
               size=(2, 3), nnz=2, layout=kagari.sparse_coo)

    Reference: https://pytorch.org/docs/stable/generated/torch.sparse_coo_tensor.html
    """
    name = "sparse_coo_tensor"
    given = indices if size is None else size
    if values is None and (indices is None or size is None) and _is_size(given):
        size = tuple(given)
        places = kagari.zeros((len(size), 0), dtype=kagari.int64, device=device)
        empty = kagari.zeros(0, dtype=dtype, device=device)
        kagari.zeros(size, device="meta")  # raises for what is no size
        coalesced = True if is_coalesced is None else is_coalesced
        return _finish(empty, Pattern(COO, places, None, coalesced, size), requires_grad)
    if values is None or indices is None:
        raise TypeError(
            f"{name}: expected indices and values, or a size alone, got "
            f"{'neither' if indices is None and values is None else 'one of them'}"
        )
    made = _value_tensor(name, values, dtype, device)
    places = _index_tensor(name, "indices", indices, made.device).long()
    if places.dim() != 2:
        raise RuntimeError(f"indices must be sparse_dim x nnz, but got: {tuple(places.shape)}")
    if made.dim() == 0 or made.shape[0] != places.shape[1]:
        raise RuntimeError(
            "indices and values must have same nnz, but got nnz from indices: "
            f"{places.shape[1]}, nnz from values: {made.shape[0] if made.dim() else 1}"
        )
    sparse_dim = places.shape[0]
    low = places.amin(1).tolist() if places.shape[1] else [0] * sparse_dim
    high = places.amax(1).tolist() if places.shape[1] else [-1] * sparse_dim
    for d, n in enumerate(low):
        if n < 0:
            raise RuntimeError(f"found negative index {n} for dim {d}")
    if size is None:
        size = (*(n + 1 for n in high), *made.shape[1:])
    size = tuple(int(n) for n in size)
    if len(size) != sparse_dim + made.dim() - 1:
        raise RuntimeError(
            f"number of dimensions must be sparse_dim ({sparse_dim}) + dense_dim "
            f"({made.dim() - 1}), but got {len(size)}"
        )
    kagari.zeros(size, device="meta")
    for d, n in enumerate(high):
        if n >= size[d]:
            raise RuntimeError(
                f"size is inconsistent with indices: for dim {d}, size is {size[d]} but found "
                f"index {n}"
            )
    if size[sparse_dim:] != tuple(made.shape[1:]):
        raise RuntimeError(
            f"values has incorrect size, expected {(made.shape[0], *size[sparse_dim:])}, got "
            f"{tuple(made.shape)}"
        )
    pattern = Pattern(COO, places, None, False, size)
    if is_coalesced:
        from kagari.sparse._layout import flat_indices

        if not bool((flat_indices(pattern).diff() > 0).all()):
            raise RuntimeError(
                "cannot set is_coalesced to true if indices correspond to uncoalesced COO tensor: "
                "they must be sorted and differ; call .coalesce() on the tensor instead"
            )
        pattern = pattern._replace(coalesced=True)
    return _finish(made, pattern, requires_grad)


def _compressed(
    name: str,
    layout: Any,
    pointers: Any,
    plain: Any,
    values: Any,
    size: Any,
    dtype: Any,
    device: Any,
    requires_grad: bool,
) -> Tensor:
    c, r = ("crow", "col") if layout == CSR else ("ccol", "row")
    made = _value_tensor(name, values, dtype, device)
    starts = _index_tensor(name, f"{c}_indices", pointers, made.device)
    places = _index_tensor(name, f"{r}_indices", plain, made.device)
    if starts.dtype != places.dtype or starts.dtype not in (kagari.int32, kagari.int64):
        raise RuntimeError(
            f"{c}_indices and {r}_indices must be an int32 or int64 type, but got: "
            f"{starts.dtype} and {places.dtype}"
        )
    if starts.dim() != 1 or places.dim() != 1 or made.dim() != 1:
        raise NotImplementedError(
            f"{name}: expected one matrix without dense dimensions ({c}_indices, {r}_indices and "
            f"values of one dimension), got dimensions {starts.dim()}, {places.dim()} and "
            f"{made.dim()}; batches and dense dimensions have the layout sparse_coo"
        )
    if places.shape != made.shape:
        raise RuntimeError(
            f"number of {r}_indices ({places.shape[0]}) must equal the number of values "
            f"({made.shape[0]})"
        )
    if starts.shape[0] == 0:
        raise RuntimeError(f"{c}_indices must have at least one element, got none")
    nnz, along = places.shape[0], starts.shape[0] - 1
    if size is None:
        other = int(places.max()) + 1 if nnz else 0
        size = (along, other) if layout == CSR else (other, along)
    size = tuple(int(n) for n in size)
    if len(size) != 2:
        raise RuntimeError(f"{name}: expected a size of two dimensions, got {size}")
    kagari.zeros(size, device="meta")
    expected, bound = (size[0], size[1]) if layout == CSR else (size[1], size[0])
    if along != expected:
        raise RuntimeError(
            f"{c}_indices.shape[-1] must be {expected + 1} for size {size}, but got {along + 1}"
        )
    if int(starts[0]) != 0 or int(starts[-1]) != nnz:
        raise RuntimeError(
            f"{c}_indices must begin with 0 and end with nnz ({nnz}), got {int(starts[0])} and "
            f"{int(starts[-1])}"
        )
    steps = starts.diff()
    if along and int(steps.min()) < 0:
        raise RuntimeError(f"{c}_indices must not fall")
    if nnz and (int(places.min()) < 0 or int(places.max()) >= bound):
        raise RuntimeError(
            f"{r}_indices must be in [0, {bound}), got {int(places.min())} to {int(places.max())}"
        )
    if nnz > 1:
        rows = kagari.repeat_interleave(steps.long())
        if not bool(((places.diff() > 0) | (rows.diff() > 0)).all()):
            raise RuntimeError(
                f"{r}_indices must be sorted and distinct along all intervals between "
                f"{c}_indices; build a sparse_coo_tensor and convert it"
            )
    return _finish(made, Pattern(layout, starts, places, True, size), requires_grad)


def sparse_csr_tensor(
    crow_indices: Any,
    col_indices: Any,
    values: Any,
    size: Any = None,
    *,
    dtype: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
) -> Tensor:
    """A sparse matrix by compressed rows.

    It is differentiable in the values.

    Args:
        crow_indices (array_like): where each row begins, and the number of values, ``(rows + 1,)``.
        col_indices (array_like): the column of each value, ``(nnz,)``, rising within a row.
        values (array_like): ``(nnz,)``.
        size (tuple of ints): by default the smallest that holds the indices.
        dtype (dtype, optional): of the values.
        device (device, optional): of all three.
        pin_memory (bool): has no effect on the CPU.
        requires_grad (bool): the tensor is a leaf that collects a sparse gradient.
        check_invariants (bool): has no effect: the indices are always checked.

    Raises:
        RuntimeError: shapes do not fit, or the indices are not those of a matrix.
        NotImplementedError: batches of matrices.

    Example:
        >>> import kagari
        >>> kagari.sparse_csr_tensor([0, 1, 2], [2, 0], [3.0, 4.0]).to_dense()
        tensor([[0., 0., 3.],
                [4., 0., 0.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.sparse_csr_tensor.html
    """
    return _compressed(
        "sparse_csr_tensor", CSR, crow_indices, col_indices, values, size, dtype, device,
        requires_grad,
    )  # fmt: skip


def sparse_csc_tensor(
    ccol_indices: Any,
    row_indices: Any,
    values: Any,
    size: Any = None,
    *,
    dtype: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
) -> Tensor:
    """A sparse matrix by compressed columns; see ``sparse_csr_tensor``.

    Args:
        ccol_indices (array_like): where each column begins, and the number of values.
        row_indices (array_like): the row of each value, rising within a column.
        values (array_like): ``(nnz,)``.
        size (tuple of ints): by default the smallest that holds the indices.
        dtype (dtype, optional): of the values.
        device (device, optional): of all three.
        pin_memory (bool): has no effect on the CPU.
        requires_grad (bool): the tensor is a leaf that collects a sparse gradient.
        check_invariants (bool): has no effect: the indices are always checked.

    Raises:
        RuntimeError: shapes do not fit, or the indices are not those of a matrix.

    Example:
        >>> import kagari
        >>> kagari.sparse_csc_tensor([0, 1, 2], [1, 0], [3.0, 4.0]).to_dense()
        tensor([[0., 4.],
                [3., 0.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.sparse_csc_tensor.html
    """
    return _compressed(
        "sparse_csc_tensor", CSC, ccol_indices, row_indices, values, size, dtype, device,
        requires_grad,
    )  # fmt: skip


def sparse_compressed_tensor(
    compressed_indices: Any,
    plain_indices: Any,
    values: Any,
    size: Any = None,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
) -> Tensor:
    """A sparse matrix of the layout ``sparse_csr`` or ``sparse_csc``.

    Args:
        compressed_indices (array_like): where each row (column) begins, and the number of values.
        plain_indices (array_like): the column (row) of each value.
        values (array_like): ``(nnz,)``.
        size (tuple of ints): by default the smallest that holds the indices.
        dtype (dtype, optional): of the values.
        layout (layout): ``kagari.sparse_csr`` or ``kagari.sparse_csc``.
        device (device, optional): of all three.
        pin_memory (bool): has no effect on the CPU.
        requires_grad (bool): the tensor is a leaf that collects a sparse gradient.
        check_invariants (bool): has no effect: the indices are always checked.

    Raises:
        NotImplementedError: layouts of blocks.

    Example:
        >>> import kagari
        >>> x = kagari.sparse_compressed_tensor([0, 1], [0], [2.0], layout=kagari.sparse_csr)
        >>> x.layout
        kagari.sparse_csr

    Reference: https://pytorch.org/docs/stable/generated/torch.sparse_compressed_tensor.html
    """
    name = "sparse_compressed_tensor"
    if layout is None:
        raise RuntimeError(f"{name}: expected layout=kagari.sparse_csr or kagari.sparse_csc")
    if layout in (kagari.sparse_bsr, kagari.sparse_bsc):
        raise NotImplementedError(f"{name}: {_BLOCKS}, got {layout}")
    if layout not in (CSR, CSC):
        raise RuntimeError(
            f"{name}: expected layout kagari.sparse_csr or kagari.sparse_csc, got {layout}"
        )
    return _compressed(
        name, layout, compressed_indices, plain_indices, values, size, dtype, device, requires_grad
    )


_BLOCKS = (
    "layouts of blocks are not supported; expected kagari.sparse_csr or kagari.sparse_csc, whose "
    "values are single elements"
)


def sparse_bsr_tensor(*args: Any, **kwargs: Any) -> Tensor:
    """Raises NotImplementedError: matrices of blocks are not supported; use CSR.

    Example:
        >>> kagari.sparse_bsr_tensor([0, 1], [0], [[[1.0]]])
        Traceback (most recent call last):
        NotImplementedError: sparse_bsr_tensor: layouts of blocks are not supported; expected ...
    """
    raise NotImplementedError(f"sparse_bsr_tensor: {_BLOCKS}")


def sparse_bsc_tensor(*args: Any, **kwargs: Any) -> Tensor:
    """Raises NotImplementedError: matrices of blocks are not supported; use CSC.

    Example:
        >>> kagari.sparse_bsc_tensor([0, 1], [0], [[[1.0]]])
        Traceback (most recent call last):
        NotImplementedError: sparse_bsc_tensor: layouts of blocks are not supported; expected ...
    """
    raise NotImplementedError(f"sparse_bsc_tensor: {_BLOCKS}")
