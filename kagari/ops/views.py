"""Shapes, diagonals, and copies or writes of what the views name: composites of the view rows."""

from __future__ import annotations

import math

from kagari._core import Size, composite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor

__all__ = ["broadcast_shapes"]


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that tensors of these shapes broadcast to.

    Args:
        *shapes (tuple of ints, or int): the shapes.

    Returns:
        Size: aligned at the last dimension; ones stretch.

    Raises:
        RuntimeError: two sizes differ and neither is one.

    Example:
        >>> import kagari
        >>> kagari.broadcast_shapes((2,), (3, 1), (1, 1, 1))
        kagari.Size([1, 3, 2])

    Reference: https://pytorch.org/docs/stable/generated/torch.broadcast_shapes.html
    """
    out: list[int] = []
    for shape in shapes:
        sizes = [shape] if isinstance(shape, int) else list(shape)
        out = [1] * (len(sizes) - len(out)) + out
        for i in range(1, len(sizes) + 1):
            size = sizes[-i]
            if size < 0:
                raise RuntimeError(
                    f"Trying to create tensor with negative dimension ({size}): ({size})"
                )
            if size == 1 or size == out[-i]:
                continue
            if out[-i] != 1:
                raise RuntimeError(
                    "Shape mismatch: objects cannot be broadcast to a single shape: "
                    + ", ".join(str(tuple(s) if not isinstance(s, int) else (s,)) for s in shapes)
                )
            out[-i] = size
    return Size(out)


def _dim(dim: int, ndim: int) -> int:
    if not -max(ndim, 1) <= dim < max(ndim, 1):
        low, high = -max(ndim, 1), max(ndim, 1) - 1
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{low}, {high}], but got {dim})"
        )
    return dim % max(ndim, 1)


# ---- At least so many dimensions -----------------------------------------------------------------


@composite("atleast_1d(Tensor input) -> Tensor")
def atleast_1d(input: Tensor) -> Tensor:
    """The tensor, with one dimension if it had none.

    Args:
        tensors (Tensor or sequence of Tensor): any shape.

    Returns:
        Views; a tuple of them for several tensors.

    Example:
        >>> import kagari
        >>> kagari.atleast_1d(kagari.tensor(1.0)).shape
        kagari.Size([1])

    Reference: https://pytorch.org/docs/stable/generated/torch.atleast_1d.html
    """
    return input.reshape(1) if input.dim() == 0 else input


@composite("atleast_2d(Tensor input) -> Tensor")
def atleast_2d(input: Tensor) -> Tensor:
    """The tensor, with dimensions of one put in front up to two.

    Args:
        tensors (Tensor or sequence of Tensor): any shape.

    Returns:
        Views; a tuple of them for several tensors.

    Example:
        >>> import kagari
        >>> kagari.atleast_2d(kagari.zeros(3)).shape
        kagari.Size([1, 3])

    Reference: https://pytorch.org/docs/stable/generated/torch.atleast_2d.html
    """
    if input.dim() == 0:
        return input.reshape(1, 1)
    return input.unsqueeze(0) if input.dim() == 1 else input


@composite("atleast_3d(Tensor input) -> Tensor")
def atleast_3d(input: Tensor) -> Tensor:
    """The tensor, with dimensions of one added up to three.

    Args:
        tensors (Tensor or sequence of Tensor): any shape.

    Returns:
        Views; a tuple of them for several tensors.

    Example:
        >>> import kagari
        >>> kagari.atleast_3d(kagari.zeros(3)).shape
        kagari.Size([1, 3, 1])

    Reference: https://pytorch.org/docs/stable/generated/torch.atleast_3d.html
    """
    if input.dim() == 0:
        return input.reshape(1, 1, 1)
    if input.dim() == 1:
        return input.unsqueeze(0).unsqueeze(-1)
    return input.unsqueeze(-1) if input.dim() == 2 else input


def _each(tensors: Any, one: Any) -> tuple[Tensor, ...]:
    return tuple(one(t) for t in tensors)


@composite("atleast_1d.list(Tensor[*] tensors) -> Any")
def _atleast_1d_list(tensors: tuple[Tensor, ...]) -> Any:
    """Each tensor, with one dimension if it had none."""
    import kagari

    return _each(tensors, kagari.atleast_1d)


@composite("atleast_2d.list(Tensor[*] tensors) -> Any")
def _atleast_2d_list(tensors: tuple[Tensor, ...]) -> Any:
    """Each tensor, with dimensions of one put in front up to two."""
    import kagari

    return _each(tensors, kagari.atleast_2d)


@composite("atleast_3d.list(Tensor[*] tensors) -> Any")
def _atleast_3d_list(tensors: tuple[Tensor, ...]) -> Any:
    """Each tensor, with dimensions of one added up to three."""
    import kagari

    return _each(tensors, kagari.atleast_3d)


@composite("sum_to_size(Tensor input, int[*] size) -> Tensor", function=False, method=True)
def sum_to_size(input: Tensor, size: tuple[int, ...]) -> Tensor:
    """Sums the tensor down to a shape that broadcasts to its own.

    Raises:
        RuntimeError: ``size`` does not broadcast to the tensor's shape.

    Example:
        >>> import kagari
        >>> kagari.ones(2, 3).sum_to_size(1, 3)
        tensor([[2., 2., 2.]])
    """
    lead = input.dim() - len(size)
    fits = lead >= 0 and all(
        s in (1, n) for s, n in zip(size, input.shape[max(lead, 0) :], strict=True)
    )
    if not fits:
        raise RuntimeError(
            f"size {{{list(size)}}} is not expandable to size {{{list(input.shape)}}}; "
            "sizes must be equal or one"
        )
    if not size:
        return input.sum()  # also of a 0-d tensor: counts of booleans are integers
    over = [d for d in range(input.dim()) if d < lead or size[d - lead] != input.shape[d]]
    return input.sum(over, keepdim=True).reshape(size) if over else input


# ---- Matrices and diagonals ----------------------------------------------------------------------


@composite("adjoint(Tensor input) -> Tensor", method=True)
def adjoint(input: Tensor) -> Tensor:
    r"""The conjugate transposes of a batch of matrices.

    :math:`y_{\ldots ij} = \bar{x}_{\ldots ji}`.

    Args:
        input (Tensor): ``(..., m, n)``.

    Returns:
        ``(..., n, m)``: a view of real numbers.

    Example:
        >>> import kagari
        >>> kagari.adjoint(kagari.zeros(5, 2, 3)).shape
        kagari.Size([5, 3, 2])

    Reference: https://pytorch.org/docs/stable/generated/torch.adjoint.html
    """
    if input.dim() < 2:
        raise RuntimeError(
            "adjoint() is only supported on matrices or batches of matrices. Got "
            f"{input.dim()}-D tensor."
        )
    return input.mH


@composite(
    "diag_embed(Tensor input, int offset=0, int dim1=-2, int dim2=-1) -> Tensor", method=True
)
def diag_embed(input: Tensor, offset: int, dim1: int, dim2: int) -> Tensor:
    """Matrices with the last dimension's elements on a diagonal.

    Args:
        input (Tensor): ``(*, N)``.
        offset (int): which diagonal; positive ones lie above the main one.
        dim1, dim2 (int): where the matrices' dimensions go.

    Returns:
        A tensor with one dimension more.

    Raises:
        RuntimeError: ``dim1`` and ``dim2`` name the same dimension.

    Example:
        >>> import kagari
        >>> kagari.diag_embed(kagari.tensor([1, 2]))
        tensor([[1, 0],
                [0, 2]])

    Reference: https://pytorch.org/docs/stable/generated/torch.diag_embed.html
    """
    n = input.dim() + 1
    first, second = _dim(dim1, n), _dim(dim2, n)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    side = input.shape[-1] + abs(offset)
    sizes = list(input.shape[:-1])
    for d in sorted((first, second)):
        sizes.insert(d, side)
    return input.new_zeros(sizes).diagonal_scatter(input, offset, first, second)


@composite("diag(Tensor input, int diagonal=0) -> Tensor", method=True, out=True)
def diag(input: Tensor, diagonal: int) -> Tensor:
    """A vector as a diagonal matrix, or a copy of a matrix's diagonal.

    Args:
        input (Tensor): ``(n,)`` or ``(m, n)``.
        diagonal (int): above the main diagonal when positive.

    Returns:
        A matrix, or a vector.

    Raises:
        RuntimeError: neither one nor two dimensions.

    Example:
        >>> import kagari
        >>> kagari.diag(kagari.tensor([[1, 2], [3, 4]]))
        tensor([1, 4])

    Reference: https://pytorch.org/docs/stable/generated/torch.diag.html
    """
    if input.dim() == 1:
        return input.diag_embed(diagonal)
    if input.dim() == 2:
        return input.diagonal(diagonal).clone()
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.dim()}D")


@composite("diagflat(Tensor input, int offset=0) -> Tensor", method=True)
def diagflat(input: Tensor, offset: int) -> Tensor:
    """A matrix with all elements of the tensor on a diagonal.

    Args:
        input (Tensor): any shape.
        offset (int): above the main diagonal when positive.

    Returns:
        A matrix with room for the diagonal.

    Example:
        >>> import kagari
        >>> kagari.diagflat(kagari.tensor([[1], [2]]))
        tensor([[1, 0],
                [0, 2]])

    Reference: https://pytorch.org/docs/stable/generated/torch.diagflat.html
    """
    return input.reshape(-1).diag_embed(offset)


@composite(
    "fill_diagonal_(Tensor(a!) input, Scalar fill_value, bool wrap=False) -> Tensor",
    function=False,
    method=True,
)
def fill_diagonal_(input: Tensor, fill_value: Any, wrap: bool) -> Tensor:
    """Writes a value to the main diagonal; ``wrap`` starts again below it in tall matrices.

    Raises:
        RuntimeError: fewer than two dimensions, or more than two that are not equal.

    Example:
        >>> import kagari
        >>> kagari.zeros(2, 2).fill_diagonal_(5)
        tensor([[5., 0.],
                [0., 5.]])
    """
    n = input.dim()
    if n < 2:
        raise RuntimeError("dimensions must larger than 1")
    if n > 2 and len(set(input.shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    step = sum(input.stride())
    count = min(input.shape)
    diagonal = input.as_strided((count,), (step,), input.storage_offset())
    diagonal.fill_(fill_value)
    rows, cols = input.shape[0], input.shape[1]
    if wrap and n == 2 and rows > cols + 1:
        below = input[cols + 1 :]
        below.fill_diagonal_(fill_value, wrap=True)
    return input


# ---- Writes into a copy --------------------------------------------------------------------------


def _check_source(view: Tensor, src: Tensor) -> None:
    if view.shape != src.shape:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{list(src.shape)}, slice size = {list(view.shape)}"
        )


@composite(
    "diagonal_scatter(Tensor input, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor",
    method=True,
)
def diagonal_scatter(input: Tensor, src: Tensor, offset: int, dim1: int, dim2: int) -> Tensor:
    """A copy of the tensor with ``src`` on a diagonal.

    Args:
        input (Tensor): at least two dimensions.
        src (Tensor): of the shape of ``diagonal(offset, dim1, dim2)``.
        offset (int): above the main diagonal when positive.
        dim1 (int): the dimension of the rows.
        dim2 (int): the dimension of the columns.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> kagari.diagonal_scatter(kagari.zeros(2, 2), kagari.ones(2))
        tensor([[1., 0.],
                [0., 1.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.diagonal_scatter.html
    """
    made = input.clone()
    view = made.diagonal(offset, dim1, dim2)
    _check_source(view, src)
    view.copy_(src)
    return made


@composite("select_scatter(Tensor input, Tensor src, int dim, int index) -> Tensor", method=True)
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of the tensor with ``src`` at one index of a dimension.

    Args:
        input (Tensor): any shape but 0-dimensional.
        src (Tensor): of the shape of ``select(dim, index)``.
        dim (int): the dimension.
        index (int): the place along it.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> kagari.select_scatter(kagari.zeros(2, 2), kagari.ones(2), 0, 0)
        tensor([[1., 1.],
                [0., 0.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.select_scatter.html
    """
    made = input.clone()
    view = made.select(dim, index)
    _check_source(view, src)
    view.copy_(src)
    return made


@composite(
    "slice_scatter(Tensor input, Tensor src, int dim=0, int? start=None, int? end=None, "
    "int step=1) -> Tensor",
    method=True,
    out=True,
)
def slice_scatter(
    input: Tensor, src: Tensor, dim: int, start: int | None, end: int | None, step: int
) -> Tensor:
    """A copy of the tensor with ``src`` in a slice of a dimension.

    Args:
        input (Tensor): any shape but 0-dimensional.
        src (Tensor): of the shape of the slice.
        dim (int): the dimension.
        start (int, optional): the first place; the beginning by default.
        end (int, optional): the place behind the last; the end by default.
        step (int): from one place to the next.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> kagari.slice_scatter(kagari.zeros(4), kagari.ones(2), start=2)
        tensor([0., 0., 1., 1.])

    Reference: https://pytorch.org/docs/stable/generated/torch.slice_scatter.html
    """
    from kagari._core import ops

    made = input.clone()
    view = ops.slice(made, dim, start, end, step)
    _check_source(view, src)
    view.copy_(src)
    return made


@composite(
    "as_strided_scatter(Tensor input, Tensor src, int[] size, int[] stride, "
    "int? storage_offset=None) -> Tensor",
    method=True,
)
def as_strided_scatter(
    input: Tensor,
    src: Tensor,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    storage_offset: int | None,
) -> Tensor:
    """A copy of the tensor with ``src`` in a strided window.

    Args:
        input (Tensor): any shape.
        src (Tensor): of the shape ``size``.
        size (tuple of ints): the shape of the window.
        stride (tuple of ints): its strides, in elements.
        storage_offset (int, optional): where it begins; the input's own beginning by default.

    Returns:
        A tensor of the input's shape.

    Example:
        >>> import kagari
        >>> kagari.as_strided_scatter(kagari.zeros(4), kagari.ones(2), (2,), (2,))
        tensor([1., 0., 1., 0.])

    Reference: https://pytorch.org/docs/stable/generated/torch.as_strided_scatter.html
    """
    if input.is_contiguous() and input.storage_offset() == 0:
        made = input.clone()
    else:  # the window lies in the memory, gaps and all: the copy keeps the places
        reach = sum((n - 1) * s for n, s in zip(input.shape, input.stride(), strict=True))
        end = input.storage_offset() + reach + 1 if input.numel() else input.storage_offset()
        memory = input.as_strided((end,), (1,), 0).clone()
        made = memory.as_strided(input.shape, input.stride(), input.storage_offset())
    view = made.as_strided(size, stride, storage_offset)
    _check_source(view, src)
    view.copy_(src)
    return made


# ---- Copies of views -----------------------------------------------------------------------------

# The parameters, the view, and a call that shows what it is for.
_COPIES = {
    "alias_copy": ("Tensor input", "alias", "x"),
    "as_strided_copy": (
        "Tensor input, int[] size, int[] stride, int? storage_offset=None",
        "as_strided",
        "x, (2,), (1,)",
    ),
    "detach_copy": ("Tensor input", "detach", "x"),
    "diagonal_copy": ("Tensor input, int offset=0, int dim1=0, int dim2=1", "diagonal", "x"),
    "expand_copy": ("Tensor input, int[] size, *, bool implicit=False", "expand", "x, (3, 2, 2)"),
    "narrow_copy": ("Tensor input, int dim, int start, int length", "narrow", "x, 1, 0, 1"),
    "permute_copy": ("Tensor input, int[] dims", "permute", "x, (1, 0)"),
    "select_copy": ("Tensor input, int dim, int index", "select", "x, 0, 1"),
    "slice_copy": (
        "Tensor input, int dim=0, int? start=None, int? end=None, int step=1",
        "slice",
        "x, 0, 1",
    ),
    "squeeze_copy": ("Tensor input", "squeeze", "x"),
    "squeeze_copy.dim": ("Tensor input, int dim", "squeeze", "x, 0"),
    "squeeze_copy.dims": ("Tensor input, int[] dim", "squeeze", "x, (0, 1)"),
    "t_copy": ("Tensor input", "t", "x"),
    "transpose_copy": ("Tensor input, int dim0, int dim1", "transpose", "x, 0, 1"),
    "unfold_copy": ("Tensor input, int dimension, int size, int step", "unfold", "x, 0, 2, 1"),
    "unsqueeze_copy": ("Tensor input, int dim", "unsqueeze", "x, 0"),
    "view_as_complex_copy": ("Tensor input", "view_as_complex", "x"),
    "view_as_real_copy": ("Tensor input", "view_as_real", "x + 1j"),
    "view_copy": ("Tensor input, int[] size", "view", "x, (4,)"),
    "view_copy.dtype": ("Tensor input, ScalarType dtype", "view", "x, kagari.int32"),
}
_LIST_COPIES = {
    "split_copy": ("Tensor input, int split_size, int dim=0", "split", "x, 1"),
    "split_with_sizes_copy": (
        "Tensor input, int[] split_sizes, int dim=0",
        "split_with_sizes",
        "x, (1, 1)",
    ),
    "unbind_copy": ("Tensor input, int dim=0", "unbind", "x"),
}


def _copy_doc(name: str, view: str, call: str, pieces: bool) -> str:
    """The documentation of a copy: what differs from its view."""
    what = "pieces" if pieces else "elements"
    own = "each in memory of its own" if pieces else "in memory of their own"
    example = f"kagari.{name.partition('.')[0]}({call}){'[0]' if pieces else ''}"
    return f"""The {what} that {view}() shows, {own}.

Args:
    input (Tensor): any shape; the other arguments are those of {view}().

Returns:
    {"A tuple of new tensors" if pieces else "A new tensor"}, through which gradients flow.

Raises:
    What {view}() raises.

Example:
    >>> import kagari
    >>> x = kagari.ones(2, 2)
    >>> {example}.data_ptr() == x.data_ptr()
    False
"""


def _copy_of(view: str) -> Any:
    def copy(input: Tensor, *rest: Any) -> Tensor:
        from kagari import Tensor, contiguous_format
        from kagari._core import ops

        function = getattr(Tensor, view, None) or getattr(ops, view)
        if view == "expand":
            rest = rest[:1]
        made: Tensor = function(input, *rest).clone(memory_format=contiguous_format)
        return made

    return copy


def _list_copy_of(view: str) -> Any:
    def copy(input: Tensor, *rest: Any) -> Any:
        from kagari import contiguous_format

        *where, out = rest
        pieces = getattr(input, view)(*where)
        if out is None:
            return tuple(p.clone(memory_format=contiguous_format) for p in pieces)
        if len(out) != len(pieces):
            raise RuntimeError(
                f"{view}_copy: expected out= of {len(pieces)} tensors, got {len(out)}"
            )
        for place, piece in zip(out, pieces, strict=True):
            if place.requires_grad or piece.requires_grad:
                raise RuntimeError(
                    f"{view}_copy: functions with out=... arguments don't support automatic "
                    "differentiation, but one of the arguments requires grad"
                )
            place.resize_(piece.shape).copy_(piece)
        return None

    return copy


for _name, (_parameters, _view, _call) in _COPIES.items():
    composite(
        f"{_name}({_parameters}) -> Tensor",
        method=_name == "narrow_copy",
        out=True,
        doc=_copy_doc(_name, _view, _call, pieces=False),
    )(_copy_of(_view))
for _name, (_parameters, _view, _call) in _LIST_COPIES.items():
    composite(
        f"{_name}({_parameters}, *, Tensor[]? out=None) -> Any",
        doc=_copy_doc(_name, _view, _call, pieces=True),
    )(_list_copy_of(_view))


# ---- Positions -----------------------------------------------------------------------------------


@composite("unravel_index(Tensor indices, int[1] shape) -> Any")
def unravel_index(indices: Tensor, shape: tuple[int, ...]) -> Any:
    """Positions in a flattened tensor as one index tensor per dimension.

    Args:
        indices (Tensor): integers, any shape; negative ones count from the end.
        shape (tuple of ints): the shape that was flattened.

    Returns:
        A tuple of int64 tensors, one per dimension of ``shape``.

    Raises:
        RuntimeError: a negative size.
        TypeError: indices are not integers.

    Example:
        >>> import kagari
        >>> kagari.unravel_index(kagari.tensor(4), (3, 2))
        (tensor(2), tensor(0))

    Reference: https://pytorch.org/docs/stable/generated/torch.unravel_index.html
    """
    if indices.is_floating_point() or indices.is_complex() or str(indices.dtype).endswith("bool"):
        raise ValueError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    if any(s < 0 for s in shape):
        raise ValueError(f"'shape' cannot have negative values, but got {shape}")
    coefficients = [math.prod(shape[d + 1 :]) for d in range(len(shape))]
    indices = indices.long()
    return tuple(
        indices.div(c, rounding_mode="floor") % s for c, s in zip(coefficients, shape, strict=True)
    )
