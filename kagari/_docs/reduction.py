"""Reductions and running sums."""

from kagari._docs.entry import Family

NO_DIM = "IndexError: there is no such dimension."

doc = Family(
    "Reductions",
    returns="A tensor without the dimensions in ``dim``; 0-dimensional when all are reduced.",
    raises=NO_DIM,
    dim="the dimension or dimensions to reduce; None: all of them.",
)

doc(
    "sum",
    r"y = \sum_i x_i",
    """
    >>> x = kagari.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> kagari.sum(x)
    tensor(10.)
    >>> kagari.sum(x, dim=0)
    tensor([4., 6.])
    >>> kagari.sum(x, dim=1, keepdim=True)
    tensor([[3.],
            [7.]])
    """,
    summary="The sum over the given dimensions, or of all elements.",
    note="Sums by pairs of blocks, in an order that depends on the size alone. Integers and "
    "bools sum in int64.",
    dtype="to convert to before summing; None: the input's, int64 for integers.",
)
doc(
    "prod",
    r"y = \prod_i x_i",
    """
    >>> x = kagari.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> kagari.prod(x)
    tensor(24.)
    >>> kagari.prod(x, dim=0)
    tensor([3., 8.])
    """,
    summary="The product over one dimension, or of all elements.",
    dim="the dimension to reduce.",
    dtype="to convert to before multiplying; None: the input's, int64 for integers.",
)
doc(
    "mean",
    r"y = \frac{1}{n} \sum_{i = 1}^n x_i",
    """
    >>> x = kagari.tensor([[1.0, 2.0], [3.0, 6.0]])
    >>> kagari.mean(x)
    tensor(3.)
    >>> kagari.mean(x, dim=0)
    tensor([2., 4.])
    """,
    summary="The mean over the given dimensions, or of all elements.",
    dtype="to convert to first; None: the input's.",
    raises="RuntimeError: integers without ``dtype``. IndexError: there is no such dimension.",
    note="NaN over no elements.",
)
doc(
    "var",
    r"y = \frac{1}{n - c} \sum_{i = 1}^n (x_i - \bar{x})^2",
    """
    >>> x = kagari.tensor([[1.0, 3.0], [2.0, 8.0]])
    >>> kagari.var(x)
    tensor(9.6667)
    >>> kagari.var(x, dim=1, correction=0)
    tensor([1., 9.])
    """,
    raises="RuntimeError: the input is neither floating nor complex. IndexError: there is no "
    "such dimension.",
    correction="c; None: 1.",
    unbiased="True is a correction of 1, False of 0.",
)
doc(
    "std",
    r"y = \sqrt{\frac{1}{n - c} \sum_{i = 1}^n (x_i - \bar{x})^2}",
    """
    >>> x = kagari.tensor([[1.0, 3.0], [2.0, 8.0]])
    >>> kagari.std(x)
    tensor(3.1091)
    >>> kagari.std(x, dim=1, correction=0)
    tensor([1., 3.])
    """,
    raises="RuntimeError: the input is neither floating nor complex. IndexError: there is no "
    "such dimension.",
    correction="c; None: 1.",
    unbiased="True is a correction of 1, False of 0.",
)
doc(
    "linalg_vector_norm",
    r"y = \left( \sum_i |x_i|^p \right)^{1/p}",
    """
    >>> kagari.linalg.vector_norm(kagari.tensor([3.0, -4.0]))
    tensor(5.)
    >>> kagari.linalg.vector_norm(kagari.tensor([3.0, -4.0]), ord=float("inf"))
    tensor(4.)
    """,
    note="An ord of 0 counts the elements that are not zero. The gradient at zero is zero.",
    ord="the power p; inf and -inf give the largest and the smallest magnitude.",
    dtype="to convert to first; None: the input's.",
    raises="RuntimeError: the input is neither floating nor complex. IndexError: there is no "
    "such dimension.",
)
doc(
    "all",
    r"y = \bigwedge_i [x_i \ne 0]",
    """
    >>> x = kagari.tensor([[True, False], [True, True]])
    >>> kagari.all(x)
    tensor(False)
    >>> kagari.all(x, dim=1)
    tensor([False,  True])
    """,
    note="True over no elements. The result is bool, of uint8 uint8.",
)
doc(
    "any",
    r"y = \bigvee_i [x_i \ne 0]",
    """
    >>> x = kagari.tensor([[True, False], [False, False]])
    >>> kagari.any(x)
    tensor(True)
    >>> kagari.any(x, dim=1)
    tensor([ True, False])
    """,
    note="False over no elements. The result is bool, of uint8 uint8.",
)
doc(
    "count_nonzero",
    r"y = \sum_i [x_i \ne 0]",
    """
    >>> kagari.count_nonzero(kagari.tensor([[0, 1], [2, 3]]), dim=0)
    tensor([1, 2])
    """,
)

# ---- the largest and the smallest ---------------------------------------------------------------

EXTREME = {
    "returns": "Without ``dim`` a 0-dimensional tensor; with it the named tuple ``(values, "
    "indices)`` without "
    "that dimension; of two tensors one of the broadcast shape.",
    "raises": "RuntimeError: all of no elements. IndexError: there is no such dimension, or it "
    "is empty.",
    "dim": "the dimension to reduce.",
    "other": "of two tensors: broadcasts with ``input``.",
    "note": "NaN wins over every number. The gradient of all elements is shared by equal ones, "
    "that along a "
    "dimension goes to the one that the index names.",
}
doc(
    "max",
    r"y = \max_i x_i",
    """
    >>> x = kagari.tensor([[1.0, 5.0], [7.0, 2.0]])
    >>> kagari.max(x)
    tensor(7.)
    >>> kagari.max(x, dim=1)
    kagari.return_types.max(
    values=tensor([5., 7.]),
    indices=tensor([1, 0]))
    >>> kagari.max(x, kagari.tensor(3.0))
    tensor([[3., 5.],
            [7., 3.]])
    """,
    summary="The largest element: of all, along a dimension with its place, or of two tensors.",
    **EXTREME,
)
doc(
    "min",
    r"y = \min_i x_i",
    """
    >>> x = kagari.tensor([[1.0, 5.0], [7.0, 2.0]])
    >>> kagari.min(x)
    tensor(1.)
    >>> kagari.min(x, dim=1)
    kagari.return_types.min(
    values=tensor([1., 2.]),
    indices=tensor([0, 1]))
    >>> kagari.min(x, kagari.tensor(3.0))
    tensor([[1., 3.],
            [3., 2.]])
    """,
    summary="The smallest element: of all, along a dimension with its place, or of two tensors.",
    **EXTREME,
)
doc(
    "amax",
    r"y = \max_i x_i",
    """
    >>> kagari.amax(kagari.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([5., 7.])
    """,
    note="NaN wins over every number. Equal elements share the gradient.",
    dim="the dimension or dimensions to reduce; none given: all of them.",
)
doc(
    "amin",
    r"y = \min_i x_i",
    """
    >>> kagari.amin(kagari.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([1., 2.])
    """,
    note="NaN wins over every number. Equal elements share the gradient.",
    dim="the dimension or dimensions to reduce; none given: all of them.",
)
ARG = {
    "returns": "int64: positions along ``dim``, or in the flattened input when it is None.",
    "raises": "IndexError: there is no such dimension, or it is empty.",
    "dim": "the dimension to reduce; None: the flattened input.",
}
doc(
    "argmax",
    r"y = \mathrm{arg\,max}_i \, x_i",
    """
    >>> x = kagari.tensor([[1.0, 5.0], [7.0, 2.0]])
    >>> kagari.argmax(x)
    tensor(2)
    >>> kagari.argmax(x, dim=1)
    tensor([1, 0])
    """,
    **ARG,
)
doc(
    "argmin",
    r"y = \mathrm{arg\,min}_i \, x_i",
    """
    >>> x = kagari.tensor([[1.0, 5.0], [7.0, 2.0]])
    >>> kagari.argmin(x)
    tensor(0)
    >>> kagari.argmin(x, dim=1)
    tensor([0, 1])
    """,
    **ARG,
)
MIDDLE = {
    "returns": "Without ``dim`` a 0-dimensional tensor; with it the named tuple ``(values, "
    "indices)``.",
    "dim": "the dimension to reduce.",
}
doc(
    "median",
    r"y = x_{(\lceil n / 2 \rceil)}",
    """
    >>> kagari.median(kagari.tensor([4.0, 1.0, 3.0, 2.0]))
    tensor(2.)
    >>> kagari.median(kagari.tensor([[1.0, 5.0, 3.0]]), dim=1)
    kagari.return_types.median(
    values=tensor([3.]),
    indices=tensor([2]))
    """,
    summary="The median of all elements or along a dimension, the lower of two.",
    note="NaN when one element is.",
    **MIDDLE,
)
doc(
    "nanmedian",
    r"y = x_{(\lceil n / 2 \rceil)}",
    """
    >>> kagari.nanmedian(kagari.tensor([4.0, float("nan"), 3.0]))
    tensor(3.)
    """,
    summary="The median of the elements that are not NaN, of all or along a dimension.",
    **MIDDLE,
)
doc(
    "mode",
    "",
    """
    >>> kagari.mode(kagari.tensor([3, 1, 3, 1, 2]))
    kagari.return_types.mode(
    values=tensor(1),
    indices=tensor(3))
    """,
    returns="The named tuple ``(values, indices)`` without ``dim``.",
    dim="the dimension to reduce.",
)

# ---- running reductions -------------------------------------------------------------------------

RUNNING = {
    "returns": "A tensor of the input's shape.",
    "dim": "the dimension to run along; negative ones count from the end.",
}
doc(
    "cumsum",
    r"y_i = \sum_{j \le i} x_j",
    """
    >>> kagari.cumsum(kagari.tensor([[1, 2, 3], [4, 5, 6]]), dim=1)
    tensor([[ 1,  3,  6],
            [ 4,  9, 15]])
    """,
    dtype="to convert to first; None: the input's, int64 for integers.",
    **RUNNING,
)
doc(
    "cumprod",
    r"y_i = \prod_{j \le i} x_j",
    """
    >>> kagari.cumprod(kagari.tensor([1.0, 2.0, 3.0, 4.0]), dim=0)
    tensor([ 1.,  2.,  6., 24.])
    """,
    dtype="to convert to first; None: the input's, int64 for integers.",
    **RUNNING,
)
doc(
    "logcumsumexp",
    r"y_i = \ln \sum_{j \le i} e^{x_j}",
    """
    >>> kagari.logcumsumexp(kagari.tensor([0.0, 0.0, 1000.0]), dim=0)
    tensor([0.0000e+00, 6.9315e-01, 1.0000e+03])
    """,
    **RUNNING,
)
RUNNING_EXTREME = RUNNING | {
    "returns": "The named tuple ``(values, indices)``, both of the input's shape.",
}
doc(
    "cummax",
    r"y_i = \max_{j \le i} x_j",
    """
    >>> kagari.cummax(kagari.tensor([1.0, 3.0, 2.0, 3.0]), dim=0)
    kagari.return_types.cummax(
    values=tensor([1., 3., 3., 3.]),
    indices=tensor([0, 1, 1, 3]))
    """,
    **RUNNING_EXTREME,
)
doc(
    "cummin",
    r"y_i = \min_{j \le i} x_j",
    """
    >>> kagari.cummin(kagari.tensor([3.0, 1.0, 2.0, 1.0]), dim=0)
    kagari.return_types.cummin(
    values=tensor([3., 1., 1., 1.]),
    indices=tensor([0, 1, 1, 3]))
    """,
    **RUNNING_EXTREME,
)

# ---- counting -----------------------------------------------------------------------------------

doc(
    "bincount",
    r"y_k = \sum_i w_i [x_i = k]",
    """
    >>> kagari.bincount(kagari.tensor([0, 2, 2, 3]))
    tensor([1, 0, 2, 1])
    >>> weights = kagari.tensor([0.5, 1.0, 2.0])
    >>> kagari.bincount(kagari.tensor([0, 2, 2]), weights, minlength=5)
    tensor([0.5000, 0.0000, 3.0000, 0.0000, 0.0000])
    """,
    returns="A 1-dimensional tensor of max(input.max() + 1, minlength) counts: int64, or the "
    "weights' floating dtype.",
    raises="RuntimeError: the input is not 1-dimensional, not of integers or has negative ones.",
    input="integers, (N,), none negative.",
    weights="w, (N,); None: ones.",
    minlength="the least number of counts.",
)
doc(
    "histc",
    r"y_k = \sum_i [e_k \le x_i < e_{k + 1}]",
    """
    >>> kagari.histc(kagari.tensor([1.0, 2.0, 1.0, 4.0]), bins=4, min=0, max=4)
    tensor([0., 2., 1., 1.])
    """,
    returns="A 1-dimensional tensor of ``bins`` counts in the input's dtype.",
    raises="RuntimeError: ``bins`` is not positive, ``max`` is below ``min``, or the range is "
    "not finite.",
    note="Elements outside the range count nowhere; the last bin includes its upper edge.",
    bins="how many.",
    min="the lower end of the range.",
    max="the upper end of the range.",
)
