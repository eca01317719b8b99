"""Views and other shapes of the same elements."""

from kagari._docs.entry import Family

NO_DIM = "IndexError: there is no such dimension."
VIEW = "A view: it shares the input's memory."

doc = Family("Shapes", returns=VIEW, raises=NO_DIM)

# ---- one shape as another -----------------------------------------------------------------------

doc(
    "view",
    "",
    """
    >>> x = kagari.arange(6)
    >>> x.view(2, 3)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    >>> x.view(-1, 2).shape
    kagari.Size([3, 2])
    >>> kagari.tensor([1.0]).view(kagari.int32)
    tensor([1065353216], dtype=kagari.int32)
    """,
    summary="The same memory under another shape, or its bits read as another dtype.",
    raises="RuntimeError: the numbers of elements differ, or the strides do not allow a view; "
    "call ``reshape``.",
    size="the new shape; one size may be -1 and follows from the others.",
    dtype="to read the bits as; the last dimension shrinks or grows with the size of the elements.",
)
doc(
    "reshape",
    "",
    """
    >>> kagari.reshape(kagari.arange(6), (2, 3))
    tensor([[0, 1, 2],
            [3, 4, 5]])
    >>> kagari.arange(6).reshape(3, -1).shape
    kagari.Size([3, 2])
    """,
    returns="A view where the strides allow one, else a copy.",
    raises="RuntimeError: the numbers of elements differ.",
    shape="the new shape; one size may be -1 and follows from the others.",
)
doc(
    "flatten",
    r"(d_0, \ldots, d_s, \ldots, d_e, \ldots) \to (d_0, \ldots, d_s \cdots d_e, \ldots)",
    """
    >>> kagari.flatten(kagari.zeros(2, 3, 4), start_dim=1).shape
    kagari.Size([2, 12])
    """,
    returns="A view where the strides allow one, else a copy.",
    start_dim="the first dimension that is merged.",
    end_dim="the last one.",
)
doc(
    "ravel",
    r"(d_0, \ldots, d_k) \to (d_0 \cdots d_k)",
    """
    >>> kagari.ravel(kagari.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """,
    returns="A view where the strides allow one, else a copy.",
)
doc(
    "unflatten",
    r"(\ldots, d, \ldots) \to (\ldots, s_0, \ldots, s_k, \ldots)",
    """
    >>> kagari.unflatten(kagari.zeros(2, 12), 1, (3, -1)).shape
    kagari.Size([2, 3, 4])
    """,
    raises="RuntimeError: the sizes do not multiply to that of the dimension.",
    dim="the dimension to split.",
    sizes="s; one may be -1 and follows from the others.",
)
doc(
    "unsqueeze",
    r"(d_0, d_1) \to (d_0, 1, d_1)",
    """
    >>> kagari.unsqueeze(kagari.tensor([1, 2]), 1)
    tensor([[1],
            [2]])
    """,
    dim="where the new dimension stands in the result.",
)
doc(
    "squeeze",
    r"(d_0, 1, d_1) \to (d_0, d_1)",
    """
    >>> kagari.squeeze(kagari.zeros(1, 3, 1)).shape
    kagari.Size([3])
    >>> kagari.squeeze(kagari.zeros(1, 3, 1), 0).shape
    kagari.Size([3, 1])
    """,
    summary="Drops dimensions whose size is one: all of them, or those named.",
    dim="the dimension or dimensions to drop; one of another size stays.",
)

# ---- dimensions in another order ----------------------------------------------------------------

doc(
    "transpose",
    r"y_{\ldots i \ldots j \ldots} = x_{\ldots j \ldots i \ldots}",
    """
    >>> kagari.transpose(kagari.tensor([[1, 2], [3, 4]]), 0, 1)
    tensor([[1, 3],
            [2, 4]])
    """,
    dim0="one dimension.",
    dim1="the other.",
)
doc(
    "swapdims",
    r"y_{\ldots i \ldots j \ldots} = x_{\ldots j \ldots i \ldots}",
    """
    >>> kagari.swapdims(kagari.zeros(2, 3, 4), 0, 2).shape
    kagari.Size([4, 3, 2])
    """,
    note="The same as :func:`kagari.transpose`.",
    dim0="one dimension.",
    dim1="the other.",
)
doc(
    "swapaxes",
    r"y_{\ldots i \ldots j \ldots} = x_{\ldots j \ldots i \ldots}",
    """
    >>> kagari.swapaxes(kagari.zeros(2, 3, 4), 0, 2).shape
    kagari.Size([4, 3, 2])
    """,
    note="The same as :func:`kagari.transpose`.",
    axis0="one dimension.",
    axis1="the other.",
)
doc(
    "t",
    r"y_{ij} = x_{ji}",
    """
    >>> kagari.t(kagari.tensor([[1, 2], [3, 4]]))
    tensor([[1, 3],
            [2, 4]])
    """,
    note="A vector or a single number stays as it is.",
    raises="RuntimeError: more than two dimensions; use ``transpose`` or ``mT``.",
    input="at most two dimensions.",
)
doc(
    "permute",
    r"\mathrm{shape}(y)_i = \mathrm{shape}(x)_{p_i}",
    """
    >>> kagari.permute(kagari.zeros(2, 3, 4), (2, 0, 1)).shape
    kagari.Size([4, 2, 3])
    """,
    raises="RuntimeError: ``dims`` does not name each dimension once.",
    dims="the order p.",
)
MOVED = {
    "source": "where the dimensions are.",
    "destination": "where they go; the others keep their order.",
    "raises": "RuntimeError: a dimension is named twice. IndexError: there is no such dimension.",
}
doc(
    "movedim",
    "",
    """
    >>> kagari.movedim(kagari.zeros(2, 3, 4), 0, -1).shape
    kagari.Size([3, 4, 2])
    """,
    summary="Moves dimensions to new places.",
    **MOVED,
)
doc(
    "moveaxis",
    "",
    """
    >>> kagari.moveaxis(kagari.zeros(2, 3, 4), 0, -1).shape
    kagari.Size([3, 4, 2])
    """,
    summary="Moves dimensions to new places.",
    note="The same as :func:`kagari.movedim`.",
    **MOVED,
)
COPY = "A copy: it has its own memory."
doc(
    "flip",
    r"y_i = x_{n - 1 - i}",
    """
    >>> kagari.flip(kagari.tensor([[1, 2], [3, 4]]), (1,))
    tensor([[2, 1],
            [4, 3]])
    """,
    returns=COPY,
    dims="the dimensions to reverse.",
)
doc(
    "fliplr",
    r"y_{ij} = x_{i, n - 1 - j}",
    """
    >>> kagari.fliplr(kagari.tensor([[1, 2], [3, 4]]))
    tensor([[2, 1],
            [4, 3]])
    """,
    returns=COPY,
    raises="RuntimeError: fewer than two dimensions.",
    input="(M, N, ...).",
)
doc(
    "flipud",
    r"y_{ij} = x_{m - 1 - i, j}",
    """
    >>> kagari.flipud(kagari.tensor([[1, 2], [3, 4]]))
    tensor([[3, 4],
            [1, 2]])
    """,
    returns=COPY,
    raises="RuntimeError: no dimension.",
    input="(M, ...).",
)
doc(
    "roll",
    r"y_i = x_{(i - s) \bmod n}",
    """
    >>> kagari.roll(kagari.tensor([1, 2, 3, 4]), 1)
    tensor([4, 1, 2, 3])
    >>> kagari.roll(kagari.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([[3, 4],
            [1, 2]])
    """,
    returns=COPY,
    shifts="s, how far along each dimension.",
    dims="the dimensions; none given: the flattened input.",
)

# ---- repeats and windows ------------------------------------------------------------------------

doc(
    "expand",
    r"(1, d) \to (n, d)",
    """
    >>> kagari.tensor([[1], [2]]).expand(2, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    >>> kagari.tensor([1, 2]).expand(2, -1).stride()
    (0, 1)
    """,
    note="The copies share one memory: call ``clone`` before writing.",
    raises="RuntimeError: a size that is not one differs.",
    size="the new shape, with new dimensions first; -1 keeps a size.",
    implicit="has no effect.",
)
doc(
    "broadcast_to",
    r"(1, d) \to (n, d)",
    """
    >>> kagari.broadcast_to(kagari.tensor([1, 2, 3]), (2, 3))
    tensor([[1, 2, 3],
            [1, 2, 3]])
    """,
    raises="RuntimeError: the input does not broadcast to that shape.",
    size="the new shape.",
)
doc(
    "repeat",
    r"(d_0, d_1) \to (r_0 d_0, r_1 d_1)",
    """
    >>> kagari.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """,
    returns=COPY,
    raises="RuntimeError: fewer repeats than dimensions, or a negative one.",
    repeats="r, how often along each dimension; more than there are add dimensions in front.",
)
doc(
    "tile",
    r"(d_0, d_1) \to (r_0 d_0, r_1 d_1)",
    """
    >>> kagari.tile(kagari.tensor([1, 2]), (2,))
    tensor([1, 2, 1, 2])
    """,
    returns=COPY,
    dims="r, how often along each of the last dimensions.",
)
doc(
    "repeat_interleave",
    r"(a, b) \to (a, a, b, b)",
    """
    >>> kagari.repeat_interleave(kagari.tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
    >>> kagari.repeat_interleave(kagari.tensor([[1], [2]]), kagari.tensor([1, 2]), dim=0)
    tensor([[1],
            [2],
            [2]])
    >>> kagari.repeat_interleave(kagari.tensor([1, 2]))
    tensor([0, 1, 1])
    """,
    summary="Each element or slice as often as its count says; of counts alone the positions.",
    returns=COPY,
    raises="RuntimeError: a count is negative, or their number is not the dimension's.",
    repeats="one count, or one for each slice.",
    dim="the dimension to repeat along; None: the flattened input.",
    output_size="the sum of the counts, where it is known.",
)
doc(
    "unfold",
    r"y_{k, j} = x_{k s + j}",
    """
    >>> kagari.arange(5).unfold(0, 3, 1)
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """,
    raises="RuntimeError: a window larger than the dimension, or a step that is not positive.",
    returns="A view with the windows along ``dimension`` and their elements along a new last "
    "dimension.",
    dimension="the dimension to cut.",
    size="the length of a window.",
    step="s, from the start of one window to that of the next.",
)
doc(
    "as_strided",
    r"y_{ij} = \mathrm{storage}_{o + i s_0 + j s_1}",
    """
    >>> kagari.as_strided(kagari.arange(6), (2, 2), (1, 2))
    tensor([[0, 2],
            [1, 3]])
    """,
    raises="RuntimeError: the geometry leaves the storage, or a stride is negative.",
    size="the shape.",
    stride="s, in elements.",
    storage_offset="o, in elements; None: the input's.",
)
doc(
    "constant_pad_nd",
    r"(d_0, d_1) \to (d_0, l + d_1 + r)",
    """
    >>> kagari.constant_pad_nd(kagari.tensor([[1, 2]]), (1, 2), 9)
    tensor([[9, 1, 2, 9, 9]])
    """,
    reference="generated/torch.nn.functional.pad.html",
    returns=COPY,
    raises="RuntimeError: an odd number of widths, or more than two for a dimension.",
    pad="(l, r) of the last dimension, then of the one before, ...",
    value="what stands in the padding.",
)

# ---- parts --------------------------------------------------------------------------------------

doc(
    "select",
    r"y_{\ldots} = x_{\ldots k \ldots}",
    """
    >>> kagari.select(kagari.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([1, 3])
    """,
    raises="IndexError: there is no such dimension or index.",
    index="k; negative ones count from the end.",
)
doc(
    "narrow",
    r"y_i = x_{a + i}, \quad 0 \le i < n",
    """
    >>> kagari.narrow(kagari.arange(5), 0, 1, 3)
    tensor([1, 2, 3])
    """,
    raises="RuntimeError: the stretch leaves the dimension.",
    start="a; negative ones count from the end.",
    length="n.",
)
doc(
    "diagonal",
    r"y_{\ldots i} = x_{\ldots i, i + k}",
    """
    >>> x = kagari.tensor([[1, 2, 3], [4, 5, 6]])
    >>> kagari.diagonal(x)
    tensor([1, 5])
    >>> kagari.diagonal(x, offset=1)
    tensor([2, 6])
    """,
    returns="A view with the diagonals along a new last dimension.",
    offset="k; above the main diagonal when positive.",
    dim1="the dimension of the rows.",
    dim2="the dimension of the columns.",
)
TRIANGLE = {
    "returns": "A copy of the input's shape.",
    "raises": "RuntimeError: fewer than two dimensions.",
    "input": "(..., M, N).",
}
doc(
    "triu",
    r"y_{ij} = x_{ij} [j - i \ge k]",
    """
    >>> kagari.triu(kagari.ones(3, 3), diagonal=1)
    tensor([[0., 1., 1.],
            [0., 0., 1.],
            [0., 0., 0.]])
    """,
    diagonal="k, the lowest diagonal that is kept.",
    **TRIANGLE,
)
doc(
    "tril",
    r"y_{ij} = x_{ij} [j - i \le k]",
    """
    >>> kagari.tril(kagari.ones(3, 3))
    tensor([[1., 0., 0.],
            [1., 1., 0.],
            [1., 1., 1.]])
    """,
    diagonal="k, the highest diagonal that is kept.",
    **TRIANGLE,
)

# ---- complex and real ---------------------------------------------------------------------------

doc(
    "real",
    r"y_i = \mathrm{Re}\, x_i",
    """
    >>> kagari.real(kagari.tensor([1 + 2j]))
    tensor([1.])
    """,
    note="A real input comes back itself.",
    raises="",
)
doc(
    "imag",
    r"y_i = \mathrm{Im}\, x_i",
    """
    >>> kagari.imag(kagari.tensor([1 + 2j]))
    tensor([2.])
    """,
    raises="RuntimeError: the input is not complex.",
)
doc(
    "view_as_real",
    r"(d) \to (d, 2)",
    """
    >>> kagari.view_as_real(kagari.tensor([1 + 2j]))
    tensor([[1., 2.]])
    """,
    raises="RuntimeError: the input is not complex.",
)
doc(
    "view_as_complex",
    r"(d, 2) \to (d)",
    """
    >>> kagari.view_as_complex(kagari.tensor([[1.0, 2.0]]))
    tensor([1.+2.j])
    """,
    raises="RuntimeError: the last dimension is not two adjacent floating numbers.",
    input="(..., 2), floating.",
)
