"""Joining tensors and cutting them into pieces."""

from kagari._docs.entry import Family

NO_DIM = "IndexError: there is no such dimension."

doc = Family("Joining and splitting", raises=NO_DIM, returns="A tuple of views.")

CAT = {
    "returns": "A new tensor of the promoted dtype.",
    "raises": "ValueError: no tensors. RuntimeError: shapes that differ elsewhere than in ``dim``.",
    "tensors": "of equal shape but for ``dim``; empty 1-dimensional ones are passed over.",
    "dim": "the dimension to join along.",
}
doc(
    "cat",
    r"(a, n), (b, n) \to (a + b, n)",
    """
    >>> x = kagari.tensor([[1, 2]])
    >>> kagari.cat([x, x + 2])
    tensor([[1, 2],
            [3, 4]])
    >>> kagari.cat([x, x + 2], dim=1)
    tensor([[1, 2, 3, 4]])
    """,
    **CAT,
)
doc(
    "concat",
    r"(a, n), (b, n) \to (a + b, n)",
    """
    >>> kagari.concat([kagari.tensor([1, 2]), kagari.tensor([3])])
    tensor([1, 2, 3])
    """,
    note="The same as :func:`kagari.cat`.",
    **CAT,
)
doc(
    "concatenate",
    r"(a, n), (b, n) \to (a + b, n)",
    """
    >>> kagari.concatenate([kagari.tensor([1, 2]), kagari.tensor([3])])
    tensor([1, 2, 3])
    """,
    note="The same as :func:`kagari.cat`.",
    **CAT,
)
doc(
    "stack",
    r"k \times (n) \to (k, n)",
    """
    >>> x = kagari.tensor([1, 2])
    >>> kagari.stack([x, x + 2])
    tensor([[1, 2],
            [3, 4]])
    >>> kagari.stack([x, x + 2], dim=1)
    tensor([[1, 3],
            [2, 4]])
    """,
    returns="A new tensor of the promoted dtype.",
    raises="RuntimeError: no tensors, or shapes that differ.",
    tensors="of equal shape.",
    dim="where the new dimension stands in the result.",
)
doc(
    "split",
    r"(n) \to (s), (s), \ldots, (n \bmod s)",
    """
    >>> kagari.split(kagari.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> kagari.split(kagari.arange(5), [1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """,
    summary="Pieces of one size, the last one smaller, or of the given sizes.",
    raises="RuntimeError: a negative size, or sizes that do not add up to the dimension's.",
    tensor="any shape but 0-dimensional.",
    split_size_or_sections="the size s of each piece, or a list of sizes.",
)
doc(
    "split_with_sizes",
    r"(n) \to (s_0), (s_1), \ldots",
    """
    >>> kagari.split_with_sizes(kagari.arange(5), [1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """,
    reference="generated/torch.split.html",
    raises="RuntimeError: a negative size, or sizes that do not add up to the dimension's.",
    split_sizes="s; they add up to the dimension's size.",
)
doc(
    "chunk",
    r"(n) \to (s), (s), \ldots, \quad s = \lceil n / k \rceil",
    """
    >>> kagari.chunk(kagari.arange(5), 3)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """,
    raises="RuntimeError: ``chunks`` is not positive. IndexError: there is no such dimension.",
    chunks="k; there may be fewer pieces.",
)
doc(
    "tensor_split",
    "",
    """
    >>> kagari.tensor_split(kagari.arange(5), 3)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> kagari.tensor_split(kagari.arange(5), (1, 3))
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """,
    summary="Pieces along a dimension: a number of about equal ones, or cut at the given indices.",
    raises="RuntimeError: the number of pieces is not positive. IndexError: there is no such "
    "dimension.",
    indices="where to cut.",
    sections="how many pieces; the first ones are larger by one where they cannot be equal.",
    tensor_indices_or_sections="the same as a tensor of integers.",
)
doc(
    "unbind",
    r"(k, n) \to k \times (n)",
    """
    >>> kagari.unbind(kagari.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """,
    returns="A tuple of views without ``dim``.",
)
UNSAFE = "The tape does not watch over writes to the pieces; nobody may need the input's values."
doc(
    "unsafe_chunk",
    r"(n) \to (s), (s), \ldots, \quad s = \lceil n / k \rceil",
    """
    >>> kagari.unsafe_chunk(kagari.arange(4), 2)
    (tensor([0, 1]), tensor([2, 3]))
    """,
    note=UNSAFE,
    chunks="k; there may be fewer pieces.",
)
doc(
    "unsafe_split",
    r"(n) \to (s), (s), \ldots, (n \bmod s)",
    """
    >>> kagari.unsafe_split(kagari.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """,
    note=UNSAFE,
    split_size="the size s of each piece.",
)
doc(
    "unsafe_split_with_sizes",
    r"(n) \to (s_0), (s_1), \ldots",
    """
    >>> kagari.unsafe_split_with_sizes(kagari.arange(5), [1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """,
    reference="",
    note=UNSAFE,
    split_sizes="s; they add up to the dimension's size.",
)
