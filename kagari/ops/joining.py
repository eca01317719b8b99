"""Joining and taking apart: composites of cat, stack and the views that split."""

from __future__ import annotations

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor


def _at_least(tensors: tuple[Tensor, ...], ndim: int) -> list[Tensor]:
    import kagari

    one = {1: kagari.atleast_1d, 2: kagari.atleast_2d, 3: kagari.atleast_3d}[ndim]
    return [one(t) for t in tensors]


@composite("hstack(Tensor[] tensors) -> Tensor", out=True)
def hstack(tensors: tuple[Tensor, ...]) -> Tensor:
    """Joins tensors along their columns: dimension 1, or 0 for vectors.

    Args:
        tensors (sequence of Tensor): of equal shape but for that dimension.

    Returns:
        A new tensor of the promoted dtype.

    Example:
        >>> import kagari
        >>> kagari.hstack([kagari.tensor([1, 2]), kagari.tensor([3])])
        tensor([1, 2, 3])

    Reference: https://pytorch.org/docs/stable/generated/torch.hstack.html
    """
    import kagari

    if not tensors:
        raise RuntimeError("hstack expects a non-empty TensorList")
    parts = _at_least(tensors, 1)
    return kagari.cat(parts, 0 if parts[0].dim() == 1 else 1)


@composite("vstack(Tensor[] tensors) -> Tensor", out=True)
def vstack(tensors: tuple[Tensor, ...]) -> Tensor:
    """Joins tensors along their rows; vectors become rows.

    Args:
        tensors (sequence of Tensor): of equal shape but for the rows; vectors ``(n,)`` are rows
            ``(1, n)``.

    Returns:
        A new tensor of the promoted dtype.

    Example:
        >>> import kagari
        >>> kagari.vstack([kagari.tensor([1, 2]), kagari.tensor([3, 4])])
        tensor([[1, 2],
                [3, 4]])

    Reference: https://pytorch.org/docs/stable/generated/torch.vstack.html
    """
    import kagari

    if not tensors:
        raise RuntimeError("vstack expects a non-empty TensorList")
    return kagari.cat(_at_least(tensors, 2), 0)


@composite("row_stack(Tensor[] tensors) -> Tensor", out=True)
def row_stack(tensors: tuple[Tensor, ...]) -> Tensor:
    """Another name of :func:`kagari.vstack`.

    Args:
        tensors (sequence of Tensor): of equal shape but for the first dimension; vectors are rows.

    Returns:
        The rows of all, one below the other.

    Example:
        >>> import kagari
        >>> kagari.row_stack([kagari.tensor([1, 2]), kagari.tensor([3, 4])])
        tensor([[1, 2],
                [3, 4]])

    Reference: https://pytorch.org/docs/stable/generated/torch.row_stack.html
    """
    import kagari

    return kagari.vstack(list(tensors))


@composite("dstack(Tensor[] tensors) -> Tensor", out=True)
def dstack(tensors: tuple[Tensor, ...]) -> Tensor:
    """Joins tensors along their third dimension.

    Args:
        tensors (sequence of Tensor): of equal shape but for the third dimension; a matrix ``(m,
            n)`` becomes ``(m, n, 1)``, a vector ``(n,)`` ``(1, n, 1)``.

    Returns:
        A new tensor of the promoted dtype.

    Example:
        >>> import kagari
        >>> kagari.dstack([kagari.tensor([1, 2]), kagari.tensor([3, 4])]).shape
        kagari.Size([1, 2, 2])

    Reference: https://pytorch.org/docs/stable/generated/torch.dstack.html
    """
    import kagari

    if not tensors:
        raise RuntimeError("dstack expects a non-empty TensorList")
    return kagari.cat(_at_least(tensors, 3), 2)


@composite("column_stack(Tensor[] tensors) -> Tensor", out=True)
def column_stack(tensors: tuple[Tensor, ...]) -> Tensor:
    """Joins tensors along their columns; vectors become columns.

    Args:
        tensors (sequence of Tensor): of equal shape but for the columns; vectors ``(n,)`` become
            columns ``(n, 1)``.

    Returns:
        A new tensor of the promoted dtype.

    Example:
        >>> import kagari
        >>> kagari.column_stack([kagari.tensor([1, 2]), kagari.tensor([3, 4])])
        tensor([[1, 3],
                [2, 4]])

    Reference: https://pytorch.org/docs/stable/generated/torch.column_stack.html
    """
    import kagari

    if not tensors:
        raise RuntimeError("column_stack expects a non-empty TensorList")
    return kagari.hstack([t.reshape(t.numel(), 1) if t.dim() <= 1 else t for t in tensors])


@composite("block_diag(Tensor[*] tensors) -> Tensor")
def block_diag(tensors: tuple[Tensor, ...]) -> Tensor:
    """A matrix with the given matrices along its diagonal and zeros elsewhere.

    Args:
        *tensors (Tensor): of at most two dimensions; vectors become rows.

    Returns:
        A matrix with as many rows and columns as all of them together.

    Raises:
        RuntimeError: a tensor has more than two dimensions.

    Example:
        >>> import kagari
        >>> kagari.block_diag(kagari.tensor([[1, 2]]), kagari.tensor(3))
        tensor([[1, 2, 0],
                [0, 0, 3]])

    Reference: https://pytorch.org/docs/stable/generated/torch.block_diag.html
    """
    import kagari

    if not tensors:
        return kagari.empty(1, 0)
    for i, t in enumerate(tensors):
        if t.dim() > 2:
            raise RuntimeError(
                "block_diag: Input tensors must have 2 or fewer dimensions. Input "
                f"{i} has {t.dim()} dimensions"
            )
    matrix: Tensor = ops._block_diag(tensors)
    return matrix


@composite("cartesian_prod(Tensor[*] tensors) -> Tensor")
def cartesian_prod(tensors: tuple[Tensor, ...]) -> Tensor:
    """All combinations of one element from each vector, a row each.

    Args:
        tensors (Tensor): vectors, ``(n_1,)``, ``(n_2,)``, ...

    Returns:
        ``(n_1 n_2 ..., k)`` for k vectors; of one vector the vector itself.

    Example:
        >>> import kagari
        >>> kagari.cartesian_prod(kagari.tensor([1, 2]), kagari.tensor([3, 4]))
        tensor([[1, 3],
                [1, 4],
                [2, 3],
                [2, 4]])

    Reference: https://pytorch.org/docs/stable/generated/torch.cartesian_prod.html
    """
    import kagari

    for t in tensors:
        if t.dim() != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(t.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    grids = kagari.meshgrid(list(tensors), indexing="ij")
    return kagari.stack([g.flatten() for g in grids], 1)


@composite("combinations(Tensor input, int r=2, bool with_replacement=False) -> Tensor")
def combinations(input: Tensor, r: int, with_replacement: bool) -> Tensor:
    """All ways to choose ``r`` elements of a vector, a row each.

    Args:
        input (Tensor): a vector, ``(n,)``.
        r (int): how many elements are chosen.
        with_replacement (bool): an element may be chosen again.

    Returns:
        A matrix with ``r`` columns.

    Raises:
        RuntimeError: the input is no vector, or ``r`` is negative.

    Example:
        >>> import kagari
        >>> kagari.combinations(kagari.tensor([1, 2, 3]))
        tensor([[1, 2],
                [1, 3],
                [2, 3]])

    Reference: https://pytorch.org/docs/stable/generated/torch.combinations.html
    """
    import kagari

    if input.dim() != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return input.new_empty(0)
    # Each row is followed by all that may stand behind its last element, in order.
    n = input.shape[0]
    index = kagari.arange(n).unsqueeze(1)
    for _ in range(r - 1):
        first = index[:, -1] if with_replacement else index[:, -1] + 1
        counts = n - first
        rows = kagari.repeat_interleave(counts)
        begins = counts.cumsum(0) - counts
        added = kagari.arange(rows.shape[0]) + (first - begins)[rows]
        index = kagari.cat([index[rows], added.unsqueeze(1)], 1)
    return input[index]


# ---- Taking apart --------------------------------------------------------------------------------


def _split_checks(input: Tensor, name: str, least: int, dim: int, sections: Any) -> None:
    if input.dim() < least:
        raise RuntimeError(
            f"{name} requires a tensor with at least {least} dimension"
            f"{'s' if least > 1 else ''}, but got a tensor with {input.dim()} dimensions!"
        )
    if not isinstance(sections, int):
        return
    if sections == 0 or input.shape[dim] % sections:
        raise RuntimeError(
            f"{name} attempted to split along dimension {dim}, but the size of the dimension "
            f"{input.shape[dim]} is not divisible by the split_size {sections}!"
        )


def _hsplit(input: Tensor, sections: Any) -> Any:
    dim = 0 if input.dim() == 1 else 1
    _split_checks(input, "hsplit", 1, dim, sections)
    return input.tensor_split(sections, dim)


def _vsplit(input: Tensor, sections: Any) -> Any:
    _split_checks(input, "vsplit", 2, 0, sections)
    return input.tensor_split(sections, 0)


def _dsplit(input: Tensor, sections: Any) -> Any:
    _split_checks(input, "dsplit", 3, 2, sections)
    return input.tensor_split(sections, 2)


for _name, _function, _what, _shape in (
    ("hsplit", _hsplit, "columns", "2, 4"),
    ("vsplit", _vsplit, "rows", "4, 2"),
    ("dsplit", _dsplit, "third dimension", "2, 2, 4"),
):
    _doc = f"""Pieces along the {_what}: equal ones, or cut at the given indices.

    Args:
        input (Tensor): with that dimension; a vector's columns are its elements.
        sections (int): how many pieces; they must be equal.
        indices (sequence of ints): where to cut instead.

    Returns:
        A tuple of views.

    Raises:
        RuntimeError: the dimension is missing, or does not divide into equal pieces.

    Example:
        >>> import kagari
        >>> x = kagari.zeros({_shape})
        >>> len(kagari.{_name}(x, 2)), len(kagari.{_name}(x, (1, 3)))
        (2, 3)

    Reference: https://pytorch.org/docs/stable/generated/torch.{_name}.html
    """
    for _overload, _kind in ((".int", "int sections"), (".array", "int[] indices")):
        composite(f"{_name}{_overload}(Tensor input, {_kind}) -> Any", method=True, doc=_doc)(
            _function
        )


@composite("_chunk_cat(Tensor[] tensors, int dim, int num_chunks) -> Tensor", out=True)
def _chunk_cat(tensors: tuple[Tensor, ...], dim: int, num_chunks: int) -> Tensor:
    """Each tensor cut into so many chunks, padded with zeros, and chunks of equal number joined."""
    import kagari

    if not tensors:
        raise RuntimeError("_chunk_cat expects a non-empty input tensor list")
    if num_chunks < 1:
        raise RuntimeError(f"_chunk_cat expects positive num_chunks, got {num_chunks}")
    first = tensors[0]
    if not -first.dim() <= dim < first.dim():
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-first.dim()}, "
            f"{first.dim() - 1}], but got {dim})"
        )
    dim %= first.dim()
    parts = []
    for t in tensors:
        if t.numel() == 0:
            raise RuntimeError("_chunk_cat expects non-empty tensor")
        if t.dim() <= dim:
            raise RuntimeError(
                f"_chunk_cat expects dim < ndim for all input tensors, got dim {dim} and {t.dim()}"
            )
        if t.shape[:dim] != first.shape[:dim]:
            raise RuntimeError(
                "_chunk_cat expects same sizes of 0,...,dim-1 dimensions for all tensors, got "
                f"{tuple(t.shape)} and {tuple(first.shape)}"
            )
        lacking = -t.shape[dim] % num_chunks
        if lacking:
            more = list(t.shape)
            more[dim] = lacking
            t = kagari.cat([t, kagari.zeros(more, dtype=t.dtype)], dim)
        parts.append(t.reshape([*t.shape[:dim], num_chunks, -1]))
    return kagari.cat(parts, dim + 1)
