"""Sorting and searching."""

from kagari._docs.entry import Family

doc = Family(
    "Sorting and searching",
    returns="The named tuple ``(values, indices)``; the indices are int64.",
    raises="IndexError: there is no such dimension.",
)

doc(
    "sort",
    r"y_i = x_{k_i}, \quad y_0 \le y_1 \le \ldots",
    """
    >>> kagari.sort(kagari.tensor([[3.0, 1.0, 2.0]]))
    kagari.return_types.sort(
    values=tensor([[1., 2., 3.]]),
    indices=tensor([[1, 2, 0]]))
    >>> kagari.sort(kagari.tensor([1, 2, 1]), descending=True, stable=True).indices
    tensor([1, 0, 2])
    """,
    summary="The elements along a dimension in order, and where each stood.",
    returns="The named tuple ``(values, indices)``, both of the input's shape; the indices are "
    "int64.",
    note="Equal elements keep their order always. NaN counts as the largest.",
    stable="equal elements keep their order; they do so in any case.",
    descending="the largest first.",
)
doc(
    "topk",
    "",
    """
    >>> kagari.topk(kagari.tensor([1.0, 5.0, 3.0, 4.0]), 2)
    kagari.return_types.topk(
    values=tensor([5., 4.]),
    indices=tensor([1, 3]))
    """,
    raises="RuntimeError: ``k`` is negative or above the size. IndexError: there is no such "
    "dimension.",
    k="how many.",
    largest="the largest; False: the smallest.",
    sorted="in order; they are in order in any case.",
)
doc(
    "kthvalue",
    r"y = x_{(k)}",
    """
    >>> kagari.kthvalue(kagari.tensor([3.0, 1.0, 2.0]), 2)
    kagari.return_types.kthvalue(
    values=tensor(2.),
    indices=tensor(2))
    """,
    raises="RuntimeError: ``k`` is not in [1, size]. IndexError: there is no such dimension.",
    k="the rank, counted from 1.",
)
doc(
    "searchsorted",
    r"s_{y - 1} < v \le s_y",
    """
    >>> edges = kagari.tensor([1, 3, 5, 7])
    >>> kagari.searchsorted(edges, kagari.tensor([3, 6]))
    tensor([1, 3])
    >>> kagari.searchsorted(edges, kagari.tensor([3, 6]), right=True)
    tensor([2, 3])
    """,
    returns="Integers in the shape of ``input``.",
    raises="RuntimeError: the dimensions before the last differ, or ``side`` contradicts "
    "``right``.",
    sorted_sequence="s, (..., N): rising along its last dimension, or in the order of ``sorter``.",
    input="the values v: (..., M), or any shape when the sequence has one dimension.",
    out_int32="int32 indices; False: int64.",
    right="the last possible place; False: the first.",
    side="``'left'`` or ``'right'``, the same as ``right``.",
    sorter="int64 indices that sort the sequence, of its shape.",
)
doc(
    "bucketize",
    r"b_{y - 1} < v \le b_y",
    """
    >>> kagari.bucketize(kagari.tensor([[0.5, 2.0], [3.0, 9.0]]), kagari.tensor([1.0, 3.0]))
    tensor([[0, 1],
            [1, 2]])
    """,
    returns="Integers in the shape of ``input``.",
    raises="RuntimeError: the boundaries are not 1-dimensional.",
    input="the values v, any shape.",
    boundaries="b, (N,), rising.",
    out_int32="int32 indices; False: int64.",
    right="a value on a boundary belongs to the bucket above it.",
)
