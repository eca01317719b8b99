"""Tensors made from sizes and numbers."""

from kagari._docs.entry import Family

doc = Family(
    "Creation",
    returns="A new tensor.",
    size="the shape.",
    fill_value="the value.",
    raises="RuntimeError: a negative size.",
)

doc(
    "empty",
    "",
    """
    >>> kagari.empty(2, 3).shape
    kagari.Size([2, 3])
    """,
    memory_format="the order of the strides; None: rows first.",
)
doc(
    "zeros",
    r"y_i = 0",
    """
    >>> kagari.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """,
)
doc(
    "ones",
    r"y_i = 1",
    """
    >>> kagari.ones(2, dtype=kagari.int64)
    tensor([1, 1])
    """,
)
doc(
    "full",
    r"y_i = v",
    """
    >>> kagari.full((2, 2), 7)
    tensor([[7, 7],
            [7, 7]])
    """,
    fill_value="v; its kind gives the dtype where none is named.",
)
doc(
    "scalar_tensor",
    r"y = s",
    """
    >>> kagari.scalar_tensor(3.5)
    tensor(3.5000)
    """,
    reference="",
    s="the number.",
    raises="",
)
doc(
    "arange",
    r"y_i = \mathrm{start} + i \cdot \mathrm{step}, \quad 0 \le i < \lceil (\mathrm{end} - "
    r"\mathrm{start}) / \mathrm{step} \rceil",
    """
    >>> kagari.arange(4)
    tensor([0, 1, 2, 3])
    >>> kagari.arange(1, 2, 0.5)
    tensor([1.0000, 1.5000])
    """,
    returns="A 1-dimensional tensor; int64 when all three are integers and no dtype is named.",
    raises="RuntimeError: the step is zero or leads away from the end.",
    start="the first number; 0 where only the end is given.",
    end="the limit, which is not reached.",
    step="from one number to the next.",
)
doc(
    "linspace",
    r"y_i = \mathrm{start} + i \, \frac{\mathrm{end} - \mathrm{start}}{\mathrm{steps} - 1}",
    """
    >>> kagari.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """,
    returns="A 1-dimensional tensor.",
    raises="RuntimeError: ``steps`` is negative.",
    start="the first number.",
    end="the last number.",
    steps="how many.",
)
doc(
    "logspace",
    r"y_i = \mathrm{base}^{\mathrm{start} + i (\mathrm{end} - \mathrm{start}) / (\mathrm{steps} "
    r"- 1)}",
    """
    >>> kagari.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """,
    returns="A 1-dimensional tensor.",
    raises="RuntimeError: ``steps`` is negative.",
    start="the first exponent.",
    end="the last exponent.",
    steps="how many.",
    base="of the powers.",
)
doc(
    "eye",
    r"y_{ij} = [i = j]",
    """
    >>> kagari.eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """,
    returns="A matrix, (n, m).",
    n="rows.",
    m="columns; as many as rows where they are not given.",
)
TRIANGLE = {
    "returns": "int64, (2, N): the rows, then the columns, of N positions in row order.",
    "row": "rows of the matrix.",
    "col": "columns of the matrix.",
}
doc(
    "tril_indices",
    r"\{(i, j) : j - i \le k\}",
    """
    >>> kagari.tril_indices(3, 3)
    tensor([[0, 1, 1, 2, 2, 2],
            [0, 0, 1, 0, 1, 2]])
    """,
    offset="k, the highest diagonal of the triangle.",
    **TRIANGLE,
)
doc(
    "triu_indices",
    r"\{(i, j) : j - i \ge k\}",
    """
    >>> kagari.triu_indices(3, 3, 1)
    tensor([[0, 0, 1],
            [1, 2, 2]])
    """,
    offset="k, the lowest diagonal of the triangle.",
    **TRIANGLE,
)
doc(
    "empty_strided",
    "",
    """
    >>> kagari.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """,
    stride="in elements, none negative.",
)
doc(
    "empty_permuted",
    "",
    """
    >>> kagari.empty_permuted((2, 3, 4), (0, 2, 1)).stride()
    (12, 1, 3)
    """,
    raises="RuntimeError: a negative size, or an order that does not name each dimension once.",
    physical_layout="the dimensions from the outermost to the innermost.",
)

# ---- like another tensor ------------------------------------------------------------------------

LIKE = {
    "returns": "A new tensor of the input's shape.",
    "raises": "",
    "input": "gives shape, dtype and device.",
    "dtype": "of the result; None: the input's.",
    "layout": "``kagari.strided``; None: the input's.",
    "device": "where the result lies; None: the input's.",
}
doc(
    "empty_like",
    "",
    """
    >>> kagari.empty_like(kagari.ones(2, 3)).shape
    kagari.Size([2, 3])
    """,
    **LIKE,
)
doc(
    "zeros_like",
    r"y_i = 0",
    """
    >>> kagari.zeros_like(kagari.tensor([1, 2]))
    tensor([0, 0])
    """,
    **LIKE,
)
doc(
    "ones_like",
    r"y_i = 1",
    """
    >>> kagari.ones_like(kagari.tensor([0.5, 2.0]))
    tensor([1., 1.])
    """,
    **LIKE,
)
doc(
    "full_like",
    r"y_i = v",
    """
    >>> kagari.full_like(kagari.tensor([0.5, 2.0]), 7)
    tensor([7., 7.])
    """,
    fill_value="v.",
    **LIKE,
)
NEW = {
    "returns": "A new tensor.",
    "input": "gives dtype and device.",
    "dtype": "of the result; None: the input's.",
    "layout": "``kagari.strided``; None: the input's.",
    "device": "where the result lies; None: the input's.",
}
doc(
    "new_empty",
    "",
    """
    >>> kagari.tensor([1, 2]).new_empty(3).dtype
    kagari.int64
    """,
    **NEW,
)
doc(
    "new_zeros",
    r"y_i = 0",
    """
    >>> kagari.tensor([1, 2]).new_zeros(3)
    tensor([0, 0, 0])
    """,
    **NEW,
)
doc(
    "new_ones",
    r"y_i = 1",
    """
    >>> kagari.tensor([0.5]).new_ones(2, 2)
    tensor([[1., 1.],
            [1., 1.]])
    """,
    **NEW,
)
doc(
    "new_full",
    r"y_i = v",
    """
    >>> kagari.tensor([0.5]).new_full((2,), 7)
    tensor([7., 7.])
    """,
    fill_value="v.",
    **NEW,
)
doc(
    "new_empty_strided",
    "",
    """
    >>> kagari.tensor([0.5]).new_empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """,
    stride="in elements, none negative.",
    **NEW,
)
doc(
    "clone",
    r"y_i = x_i",
    """
    >>> x = kagari.tensor([1.0, 2.0])
    >>> kagari.clone(x).zero_()
    tensor([0., 0.])
    >>> x
    tensor([1., 2.])
    """,
    returns="A tensor of the input's shape and dtype, through which gradients flow to the input.",
    raises="",
)
