"""Reading and writing elements by index or mask."""

from kagari._docs.entry import Family

doc = Family(
    "Indexing",
    returns="A copy of the input with the elements written.",
    raises="RuntimeError: shapes or dtypes do not fit. IndexError: an index is outside the "
    "dimension.",
    dim="the dimension that is indexed.",
    index="int64 indices.",
)

OUTSIDE = (
    "RuntimeError: shapes or dtypes do not fit, or an index is outside the dimension. "
    "IndexError: there is no such dimension."
)

# ---- reading ------------------------------------------------------------------------------------

doc(
    "gather",
    r"y_{ij} = x_{k_{ij}, j} \quad (\mathrm{dim} = 0)",
    """
    >>> x = kagari.tensor([[1, 2], [3, 4]])
    >>> kagari.gather(x, 1, kagari.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """,
    raises=OUTSIDE,
    returns="A tensor of the shape of ``index``.",
    index="int64 indices k, with as many dimensions as the input and no larger but along ``dim``.",
    sparse_grad="gives the input a gradient of layout ``sparse_coo``.",
)
doc(
    "index_select",
    r"y_{ij} = x_{k_i, j} \quad (\mathrm{dim} = 0)",
    """
    >>> kagari.index_select(kagari.tensor([[1, 2], [3, 4]]), 1, kagari.tensor([1, 1, 0]))
    tensor([[2, 2, 1],
            [4, 4, 3]])
    """,
    returns="A copy whose size along ``dim`` is the number of indices.",
    index="int32 or int64 indices k, (K,).",
)
doc(
    "take",
    r"y_i = \mathrm{flat}(x)_{k_i}",
    """
    >>> kagari.take(kagari.tensor([[1, 2], [3, 4]]), kagari.tensor([0, 3]))
    tensor([1, 4])
    """,
    returns="A tensor of the shape of ``index``.",
    index="int64 positions k, any shape.",
)
doc(
    "masked_select",
    "",
    """
    >>> x = kagari.tensor([[1, 2], [3, 4]])
    >>> kagari.masked_select(x, x > 2)
    tensor([3, 4])
    """,
    returns="A 1-dimensional tensor.",
    raises="RuntimeError: the mask is not bool, or the shapes do not broadcast.",
    mask="bool; broadcasts with ``input``.",
)
doc(
    "nonzero",
    "",
    """
    >>> x = kagari.tensor([[0, 5], [6, 0]])
    >>> kagari.nonzero(x)
    tensor([[0, 1],
            [1, 0]])
    >>> kagari.nonzero(x, as_tuple=True)
    (tensor([0, 1]), tensor([1, 0]))
    """,
    returns="int64: (N, D), a row of indices for each of N elements; or a tuple of D tensors (N,).",
    raises="",
    as_tuple="a tensor for each dimension, ready to index with.",
)
doc(
    "argwhere",
    "",
    """
    >>> kagari.argwhere(kagari.tensor([[0, 5], [6, 0]]))
    tensor([[0, 1],
            [1, 0]])
    """,
    returns="int64, (N, D): a row of indices for each of N elements.",
    raises="",
)

# ---- writing by mask ----------------------------------------------------------------------------

doc(
    "masked_fill",
    r"y_i = \begin{cases} v & m_i \\ x_i & \mathrm{otherwise} \end{cases}",
    """
    >>> x = kagari.tensor([1.0, -2.0, 3.0])
    >>> kagari.masked_fill(x, x < 0, 0.0)
    tensor([1., 0., 3.])
    """,
    reference="generated/torch.Tensor.masked_fill.html",
    raises="RuntimeError: the mask is not bool, or the shapes do not broadcast.",
    mask="the bool tensor m; broadcasts with ``input``.",
    value="v, a number or a 0-dimensional tensor.",
)
doc(
    "masked_scatter",
    "",
    """
    >>> x = kagari.zeros(4, dtype=kagari.int64)
    >>> kagari.masked_scatter(x, kagari.tensor([True, False, True, False]), kagari.tensor([7, 8]))
    tensor([7, 0, 8, 0])
    """,
    reference="generated/torch.Tensor.masked_scatter.html",
    raises="RuntimeError: the mask is not bool, the dtypes differ, or the source has too few "
    "elements.",
    mask="bool; broadcasts with ``input``.",
    source="at least as many elements as the mask has true ones.",
)

# ---- writing along a dimension ------------------------------------------------------------------

SCATTERED = {
    "raises": OUTSIDE,
    "index": "int64 indices k, with as many dimensions as the input; no larger than ``src``.",
    "src": "what is written; any shape that is at least as large as ``index``.",
}
doc(
    "scatter",
    r"y_{k_{ij}, j} = s_{ij} \quad (\mathrm{dim} = 0)",
    """
    >>> x = kagari.zeros(2, 3, dtype=kagari.int64)
    >>> kagari.scatter(x, 1, kagari.tensor([[0, 2], [1, 0]]), kagari.tensor([[1, 2], [3, 4]]))
    tensor([[1, 0, 2],
            [4, 3, 0]])
    >>> kagari.scatter(x, 1, kagari.tensor([[0], [1]]), 9)
    tensor([[9, 0, 0],
            [0, 9, 0]])
    """,
    summary="Writes a source or a value to the places along a dimension that an index tensor "
    "names.",
    note="Where an index occurs twice without ``reduce``, the later one wins.",
    value="a number that is written everywhere.",
    reduce="``'add'`` or ``'multiply'`` instead of writing.",
    **SCATTERED,
)
doc(
    "scatter_add",
    r"y_{k_{ij}, j} {+}{=} s_{ij} \quad (\mathrm{dim} = 0)",
    """
    >>> x = kagari.zeros(3)
    >>> kagari.scatter_add(x, 0, kagari.tensor([0, 2, 0]), kagari.tensor([1.0, 2.0, 3.0]))
    tensor([4., 0., 2.])
    """,
    note="Added in the order of the source, for any number of threads.",
    **SCATTERED,
)
doc(
    "scatter_reduce",
    r"y_{k_{ij}, j} = \mathrm{reduce}(y_{k_{ij}, j}, s_{ij}) \quad (\mathrm{dim} = 0)",
    """
    >>> x = kagari.tensor([1.0, 2.0])
    >>> src = kagari.tensor([5.0, 3.0, 4.0])
    >>> kagari.scatter_reduce(x, 0, kagari.tensor([0, 1, 1]), src, reduce="amax")
    tensor([5., 4.])
    """,
    reduce="``'sum'``, ``'prod'``, ``'mean'``, ``'amax'`` or ``'amin'``.",
    include_self="the input's own elements take part.",
    **SCATTERED,
)
SLICES = {
    "index": "int32 or int64 indices k, (K,).",
    "source": "K slices: the input's shape but for ``dim``.",
}
doc(
    "index_add",
    r"y_{k_i, j} {+}{=} \alpha \, s_{ij} \quad (\mathrm{dim} = 0)",
    """
    >>> x = kagari.zeros(3)
    >>> kagari.index_add(x, 0, kagari.tensor([0, 2, 0]), kagari.tensor([1.0, 2.0, 3.0]))
    tensor([4., 0., 2.])
    """,
    raises=OUTSIDE,
    alpha="the factor of ``source``.",
    **SLICES,
)
doc(
    "index_copy",
    r"y_{k_i, j} = s_{ij} \quad (\mathrm{dim} = 0)",
    """
    >>> x = kagari.zeros(3)
    >>> kagari.index_copy(x, 0, kagari.tensor([0, 2]), kagari.tensor([5.0, 6.0]))
    tensor([5., 0., 6.])
    """,
    raises="IndexError: an index is outside the dimension, or sizes differ. RuntimeError: the "
    "dtypes do.",
    **SLICES,
)
doc(
    "index_fill",
    r"y_{k_i, j} = v \quad (\mathrm{dim} = 0)",
    """
    >>> kagari.index_fill(kagari.zeros(2, 3), 1, kagari.tensor([0, 2]), 1.0)
    tensor([[1., 0., 1.],
            [1., 0., 1.]])
    """,
    reference="generated/torch.Tensor.index_fill.html",
    raises="IndexError: an index is outside the dimension or not an integer.",
    index="int32 or int64 indices k, (K,).",
    value="v, a number or a 0-dimensional tensor.",
)
doc(
    "index_reduce",
    r"y_{k_i, j} = \mathrm{reduce}(y_{k_i, j}, s_{ij}) \quad (\mathrm{dim} = 0)",
    """
    >>> x = kagari.tensor([1.0, 2.0])
    >>> kagari.index_reduce(x, 0, kagari.tensor([0, 0]), kagari.tensor([3.0, 4.0]), "prod")
    tensor([12.,  2.])
    """,
    reduce="``'prod'``, ``'mean'``, ``'amax'`` or ``'amin'``.",
    include_self="the input's own elements take part.",
    **SLICES,
)
doc(
    "index_put",
    r"y_{k_i, l_i} = v_i",
    """
    >>> rows, columns = kagari.tensor([0, 1]), kagari.tensor([1, 0])
    >>> kagari.index_put(kagari.zeros(2, 2), (rows, columns), kagari.tensor([5.0, 6.0]))
    tensor([[0., 5.],
            [6., 0.]])
    """,
    reference="generated/torch.Tensor.index_put.html",
    note="``x[rows, columns] = values`` in place.",
    indices="int64 or bool tensors that broadcast, one for each dimension; None takes all of it.",
    values="broadcasts to what the indices name.",
    accumulate="add; False: write.",
)
doc(
    "put",
    r"\mathrm{flat}(y)_{k_i} = s_i",
    """
    >>> x = kagari.zeros(2, 2)
    >>> kagari.put(x, kagari.tensor([0, 3]), kagari.tensor([5.0, 6.0]))
    tensor([[5., 0.],
            [0., 6.]])
    """,
    reference="generated/torch.Tensor.put.html",
    raises="IndexError: a position is outside, or the numbers of elements differ. RuntimeError: "
    "the dtypes do.",
    index="int64 positions k, any shape.",
    source="as many elements as ``index``.",
    accumulate="add; False: write.",
)
