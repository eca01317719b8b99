"""Choosing, repeating and turning elements: composites of indexing primitives."""

from __future__ import annotations

from kagari._core import composite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor


@composite("nonzero.as_tuple(Tensor input, *, bool as_tuple) -> Any", method=True, out=True)
def nonzero(input: Tensor, as_tuple: bool) -> Any:
    """The positions of the elements that are not zero.

    Args:
        input (Tensor): any shape.
        as_tuple (bool): a 1-d index tensor per dimension, as indexing takes them, instead of one
            tensor of shape ``(count, input.dim())``.

    Returns:
        An int64 tensor with a row per element, or a tuple of 1-d tensors.

    Example:
        >>> import kagari
        >>> kagari.nonzero(kagari.tensor([0, 3, 5]), as_tuple=True)
        (tensor([1, 2]),)

    Reference: https://pytorch.org/docs/stable/generated/torch.nonzero.html
    """
    if not as_tuple:
        return input.nonzero()
    rows = (input.unsqueeze(0) if input.dim() == 0 else input).nonzero()
    return rows.unbind(1)


@composite("where.positions(Tensor condition) -> Any", method=False)
def where(condition: Tensor) -> Any:
    """``nonzero(condition, as_tuple=True)``.

    Example:
        >>> import kagari
        >>> kagari.where(kagari.tensor([True, False, True]))
        (tensor([0, 2]),)

    Reference: https://pytorch.org/docs/stable/generated/torch.where.html
    """
    return condition.nonzero(as_tuple=True)


@composite(
    "take_along_dim(Tensor input, Tensor indices, int? dim=None) -> Tensor", method=True, out=True
)
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None) -> Tensor:
    """Elements along a dimension by index, broadcasting the other dimensions.

    Args:
        input (Tensor): the values.
        indices (Tensor): int64, of as many dimensions as ``input``.
        dim (int, optional): the dimension; None takes both tensors as flat.

    Returns:
        A tensor of the broadcast shape of ``indices``.

    Raises:
        RuntimeError: indices are not int64, or the numbers of dimensions differ.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([[10, 30, 20]])
        >>> kagari.take_along_dim(x, x.argsort(dim=1), dim=1)
        tensor([[10, 20, 30]])

    Reference: https://pytorch.org/docs/stable/generated/torch.take_along_dim.html
    """
    import kagari

    if indices.dtype != kagari.int64:
        raise RuntimeError(
            f"take_along_dim(): dtype of indices should be Long but got {indices.dtype}; "
            "call indices.long() first"
        )
    if dim is None:
        input, indices, dim = input.reshape(-1), indices.reshape(-1), 0
    if input.dim() != indices.dim():
        raise RuntimeError(
            "take_along_dim(): input and indices should have the same number of dimensions, but "
            f"got {input.dim()} dimensions for input, and {indices.dim()} dimensions for indices"
        )
    n = input.dim()
    if not -max(n, 1) <= dim < max(n, 1):
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})"
        )
    dim %= max(n, 1)
    of_input, of_indices = list(input.shape), list(indices.shape)
    for d in range(n):
        if d != dim:
            both = of_indices[d] if of_input[d] == 1 else of_input[d]
            of_input[d] = of_indices[d] = both
    size = input.shape[dim] if n else 1
    indices = kagari.where(indices < 0, indices + size, indices)
    return input.expand(of_input).gather(dim, indices.expand(of_indices))


def _repeat_by(input: Tensor, repeats: Any, dim: int | None, output_size: int | None) -> Tensor:
    import kagari

    if dim is None:
        input, dim = input.reshape(-1), 0
    n = input.shape[dim]
    if isinstance(repeats, int):
        if repeats < 0:
            raise RuntimeError(f"repeat_interleave: repeats can not be negative, got {repeats}")
        if output_size is not None and output_size != n * repeats:
            raise RuntimeError(
                "repeat_interleave: allocated size does not match required size: expected "
                f"{n * repeats}, got {output_size}"
            )
        at = dim % input.dim() + 1
        wide = input.unsqueeze(at)
        shape = [*input.shape[:at], repeats, *input.shape[at:]]
        made = wide.expand(shape).clone(memory_format=kagari.contiguous_format)
        return made.flatten(at - 1, at)
    if repeats.dim() > 1:
        raise RuntimeError("repeat_interleave: repeats must be 0-dim or 1-dim tensor")
    counts = repeats.expand(n) if repeats.numel() == 1 else repeats
    if counts.shape[0] != n:
        raise RuntimeError(
            "repeat_interleave: repeats must have the same size as input along dim, but got "
            f"repeats.size(0) = {counts.shape[0]} and input.size({dim}) = {n}"
        )
    index = kagari.repeat_interleave(counts, output_size=output_size)
    return input.index_select(dim, index)


@composite(
    "repeat_interleave.self_int(Tensor input, int repeats, int? dim=None, *, "
    "int? output_size=None) -> Tensor",
    method=True,
)
def repeat_interleave(
    input: Tensor, repeats: int, dim: int | None, output_size: int | None
) -> Tensor:
    """Repeats each element, or each slice along a dimension.

    Args:
        input (Tensor): the values.
        repeats (int or Tensor): how often, for all or for each slice.
        dim (int, optional): the dimension; None takes the input as flat.
        output_size (int, optional): the resulting size of that dimension, when it is known.

    Returns:
        A new tensor.

    Raises:
        RuntimeError: a negative count, or a number of counts that is not the dimension's size.

    Example:
        >>> import kagari
        >>> kagari.repeat_interleave(kagari.tensor([1, 2]), 2)
        tensor([1, 1, 2, 2])

    Reference: https://pytorch.org/docs/stable/generated/torch.repeat_interleave.html
    """
    return _repeat_by(input, repeats, dim, output_size)


@composite(
    "repeat_interleave.self_tensor(Tensor input, Tensor repeats, int? dim=None, *, "
    "int? output_size=None) -> Tensor",
    method=True,
)
def _repeat_interleave_tensor(
    input: Tensor, repeats: Tensor, dim: int | None, output_size: int | None
) -> Tensor:
    """Repeats each slice as often as its count says."""
    return _repeat_by(input, repeats, dim, output_size)


@composite(
    "tensor_split.tensor(Tensor input, Tensor tensor_indices_or_sections, int dim=0) -> Any",
    method=True,
)
def tensor_split(input: Tensor, tensor_indices_or_sections: Tensor, dim: int) -> Any:
    """Pieces along a dimension, cut at the indices that a tensor holds."""
    import kagari

    where = tensor_indices_or_sections
    if where.dtype != kagari.int64 or where.dim() > 1:
        raise RuntimeError(
            "tensor_split: expected tensor_indices_or_sections to be an int64 tensor of at most "
            f"one dimension, got {where.dtype} {tuple(where.shape)}"
        )
    return input.tensor_split(where.tolist(), dim)


@composite("rot90(Tensor input, int k=1, int[] dims=[0, 1]) -> Tensor", method=True)
def rot90(input: Tensor, k: int, dims: tuple[int, ...]) -> Tensor:
    """Turns the plane of two dimensions by ``k`` right angles, from the first towards the second.

    Args:
        input (Tensor): at least two dimensions.
        k (int): how many turns; negative ones go the other way.
        dims (tuple of two ints): the plane.

    Raises:
        RuntimeError: not two different dimensions.

    Example:
        >>> import kagari
        >>> kagari.rot90(kagari.tensor([[1, 2], [3, 4]]))
        tensor([[2, 4],
                [1, 3]])

    Reference: https://pytorch.org/docs/stable/generated/torch.rot90.html
    """
    if len(dims) != 2:
        raise RuntimeError(
            f"expected total rotation dims == 2, but got dims = {len(dims)}; name a plane"
        )
    n = input.dim()
    if n < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {n}")
    if any(not -n <= d < n for d in dims):
        raise RuntimeError(f"Rotation dims out of range, dims = {tuple(dims)}, got {n} dimensions")
    a, b = dims[0] % n, dims[1] % n
    if a == b:
        raise RuntimeError(
            f"expected rotation dims to be different, but got dim0 = {a}, dim1 = {b}"
        )
    turn = k % 4
    if turn == 1:
        return input.flip(b).transpose(a, b)
    if turn == 2:
        return input.flip(a, b)
    if turn == 3:
        return input.flip(a).transpose(a, b)
    return input.clone()


# ---- indexing that a mask guards ----------------------------------------------------------------


def _clamped(input: Tensor, indices: Any) -> tuple[Any, ...]:
    """Indices brought into range: where they were not, the mask is false."""
    sizes = input.shape
    return tuple(
        slice(None) if index is None else index.clamp(-sizes[d], sizes[d] - 1)
        for d, index in enumerate(indices)
    )


@composite(
    "_unsafe_masked_index(Tensor input, Tensor mask, Tensor?[] indices, Scalar fill) -> Tensor"
)
def _unsafe_masked_index(input: Tensor, mask: Tensor, indices: Any, fill: Any) -> Tensor:
    """``input[indices]`` where the mask is true, ``fill`` elsewhere, whatever the indices there."""
    import kagari

    if input.numel() == 0:
        shape = kagari.broadcast_shapes(*(i.shape for i in indices if i is not None))
        return kagari.full(shape, fill, dtype=input.dtype)
    return input[_clamped(input, indices)].masked_fill(mask.logical_not(), fill)


@composite(
    "_unsafe_masked_index_put_accumulate(Tensor input, Tensor mask, Tensor?[] indices, "
    "Tensor values) -> Tensor"
)
def _unsafe_masked_index_put_accumulate(
    input: Tensor, mask: Tensor, indices: Any, values: Tensor
) -> Tensor:
    """The input with the values added at the indices where the mask is true."""
    from kagari._core import ops

    if input.numel() == 0:
        return input.clone()
    places = tuple(
        None if index is None else place
        for index, place in zip(indices, _clamped(input, indices), strict=True)
    )
    added: Tensor = ops.index_put(input, places, values.masked_fill(mask.logical_not(), 0), True)
    return added
