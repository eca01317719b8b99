"""What follows from sorting: orders, distinct elements, membership, positions."""

from __future__ import annotations

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor


# ---- orders -------------------------------------------------------------------------------------


@composite("argsort(Tensor input, int dim=-1, bool descending=False) -> Tensor", method=True)
def argsort(input: Tensor, dim: int, descending: bool) -> Tensor:
    """The indices that sort a dimension; equal elements keep their order, NaN come last.

    Args:
        input (Tensor): real numbers of any shape.
        dim (int): the dimension.
        descending (bool): the largest first.

    Returns:
        An int64 tensor of the input's shape.

    Raises:
        RuntimeError: complex numbers, which have no order.

    Example:
        >>> import kagari
        >>> kagari.argsort(kagari.tensor([3, 1, 2]))
        tensor([1, 2, 0])

    Reference: https://pytorch.org/docs/stable/generated/torch.argsort.html
    """
    order: Tensor = input.sort(dim, descending)[1]
    return order


@composite(
    "argsort.stable(Tensor input, *, bool stable, int dim=-1, bool descending=False) -> Tensor",
    method=True,
    out=True,
)
def _argsort_stable(input: Tensor, stable: bool, dim: int, descending: bool) -> Tensor:
    """As argsort, which is always stable."""
    order: Tensor = input.sort(stable=stable, dim=dim, descending=descending)[1]
    return order


@composite("msort(Tensor input) -> Tensor", method=True, out=True)
def msort(input: Tensor) -> Tensor:
    """The elements in ascending order along the first dimension.

    Example:
        >>> import kagari
        >>> kagari.msort(kagari.tensor([[3, 1], [2, 5]]))
        tensor([[2, 1],
                [3, 5]])

    Reference: https://pytorch.org/docs/stable/generated/torch.msort.html
    """
    values: Tensor = input.sort(0)[0]
    return values


# ---- distinct elements --------------------------------------------------------------------------


def _wanted(results: Any, return_inverse: bool, return_counts: bool) -> Any:
    values, inverse, counts = results
    if not (return_inverse or return_counts):
        return values
    return (values, *[inverse] * return_inverse, *[counts] * return_counts)


@composite(
    "unique(Tensor input, bool sorted=True, bool return_inverse=False, bool return_counts=False, "
    "int? dim=None) -> Any",
    method=True,
)
def unique(
    input: Tensor, sorted: bool, return_inverse: bool, return_counts: bool, dim: int | None
) -> Any:
    """The distinct elements, or the distinct slices along a dimension, in ascending order.

    Args:
        input (Tensor): real numbers of any shape.
        sorted (bool): accepted; the result is always sorted.
        return_inverse (bool): also where each element, or slice, is found in the result.
        return_counts (bool): also how often each occurs.
        dim (int, optional): the dimension whose slices are compared; None compares elements.

    Returns:
        A tensor, or a tuple of it and what was asked for.

    Raises:
        RuntimeError: with ``dim``, another dimension is empty.

    Example:
        >>> import kagari
        >>> kagari.unique(kagari.tensor([3, 1, 1]), return_counts=True)
        (tensor([1, 3]), tensor([2, 1]))

    Reference: https://pytorch.org/docs/stable/generated/torch.unique.html
    """
    if dim is None:
        results = ops._unique2(input, sorted, return_inverse, return_counts)
    else:
        results = ops.unique_dim(input, dim, sorted, return_inverse, return_counts)
    return _wanted(results, return_inverse, return_counts)


@composite(
    "unique_consecutive(Tensor input, bool return_inverse=False, bool return_counts=False, "
    "int? dim=None) -> Any",
    method=True,
)
def unique_consecutive(
    input: Tensor, return_inverse: bool, return_counts: bool, dim: int | None
) -> Any:
    """The first of each run of equal elements, or of equal slices along a dimension.

    Args:
        input (Tensor): real numbers of any shape.
        return_inverse (bool): also which run each element, or slice, belongs to.
        return_counts (bool): also how long each run is.
        dim (int, optional): the dimension whose slices are compared; None compares elements.

    Returns:
        A tensor, or a tuple of it and what was asked for.

    Example:
        >>> import kagari
        >>> kagari.unique_consecutive(kagari.tensor([1, 1, 2, 1]))
        tensor([1, 2, 1])

    Reference: https://pytorch.org/docs/stable/generated/torch.unique_consecutive.html
    """
    results = ops._unique_consecutive(input, return_inverse, return_counts, dim)
    return _wanted(results, return_inverse, return_counts)


# ---- membership and positions -------------------------------------------------------------------


def _is_member(elements: Tensor, tests: Tensor, invert: bool) -> Tensor:
    import kagari

    for t in (elements, tests):
        if t.is_complex() or t.dtype == kagari.bool:
            raise RuntimeError(
                f"Unsupported input type encountered for isin(): {t.dtype}; expected real numbers"
            )
    common = kagari.result_type(elements, tests)
    found: Tensor = ops._isin(elements.to(common), tests.to(common), invert)
    return found


@composite(
    "isin(Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool invert=False)"
    " -> Tensor",
    out=True,
)
def isin(elements: Tensor, test_elements: Tensor, assume_unique: bool, invert: bool) -> Tensor:
    """Whether each element occurs among others.

    Args:
        elements (Tensor or number): the elements to look for.
        test_elements (Tensor or number): what they are looked for in.
        assume_unique (bool): a promise that neither repeats an element; it changes nothing.
        invert (bool): whether it does not occur.

    Returns:
        A bool tensor of the shape of ``elements``.

    Raises:
        RuntimeError: bool or complex tensors.

    Example:
        >>> import kagari
        >>> kagari.isin(kagari.tensor([1, 2, 3]), kagari.tensor([2, 5]))
        tensor([False,  True, False])

    Reference: https://pytorch.org/docs/stable/generated/torch.isin.html
    """
    return _is_member(elements, test_elements, invert)


@composite(
    "isin.Tensor_Scalar(Tensor elements, Scalar test_element, *, bool assume_unique=False, "
    "bool invert=False) -> Tensor",
    out=True,
)
def _isin_number(elements: Tensor, test_element: Any, assume_unique: bool, invert: bool) -> Tensor:
    """Whether each element equals a number."""
    import kagari

    return _is_member(elements, kagari.tensor(test_element), invert)


@composite(
    "isin.Scalar_Tensor(Scalar element, Tensor test_elements, *, bool assume_unique=False, "
    "bool invert=False) -> Tensor",
    out=True,
)
def _number_isin(element: Any, test_elements: Tensor, assume_unique: bool, invert: bool) -> Tensor:
    """Whether a number occurs among the elements."""
    import kagari

    return _is_member(kagari.tensor(element), test_elements, invert)


@composite(
    "nonzero_static(Tensor input, *, int size, int fill_value=-1) -> Tensor", method=True, out=True
)
def nonzero_static(input: Tensor, size: int, fill_value: int) -> Tensor:
    """The positions of the first elements that are not zero, a given number of rows.

    Args:
        input (Tensor): any shape.
        size (int): how many rows the result has.
        fill_value (int): what fills the rows that are left.

    Returns:
        An int64 tensor of shape ``(size, input.dim())``.

    Raises:
        RuntimeError: a negative size.

    Example:
        >>> import kagari
        >>> kagari.nonzero_static(kagari.tensor([0, 3, 5]), size=3)
        tensor([[ 1],
                [ 2],
                [-1]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nonzero_static.html
    """
    import kagari

    if size < 0:
        raise RuntimeError(f"nonzero_static: 'size' must be an non-negative integer, got {size}")
    found = input.nonzero()[:size]
    rest = kagari.full((size - found.shape[0], input.dim()), fill_value, dtype=kagari.int64)
    return kagari.cat([found, rest])
