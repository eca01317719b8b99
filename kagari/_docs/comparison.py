"""Comparisons, tests of numbers, logic and the larger or smaller of two."""

from kagari._docs.entry import Family

doc = Family(
    "Comparisons and logic",
    returns="A bool tensor of the broadcast shape.",
    raises="RuntimeError: the shapes do not broadcast.",
)

doc(
    "eq",
    r"y_i = [x_i = z_i]",
    """
    >>> kagari.eq(kagari.tensor([1, 2, 3]), 2)
    tensor([False,  True, False])
    """,
    note="NaN equals nothing.",
)
doc(
    "ne",
    r"y_i = [x_i \ne z_i]",
    """
    >>> kagari.ne(kagari.tensor([1, 2, 3]), 2)
    tensor([ True, False,  True])
    """,
)
doc(
    "lt",
    r"y_i = [x_i < z_i]",
    """
    >>> kagari.lt(kagari.tensor([1, 2, 3]), 2)
    tensor([ True, False, False])
    """,
    raises="RuntimeError: the shapes do not broadcast, or the numbers are complex.",
)
doc(
    "le",
    r"y_i = [x_i \le z_i]",
    """
    >>> kagari.le(kagari.tensor([1, 2, 3]), 2)
    tensor([ True,  True, False])
    """,
    raises="RuntimeError: the shapes do not broadcast, or the numbers are complex.",
)
doc(
    "gt",
    r"y_i = [x_i > z_i]",
    """
    >>> kagari.gt(kagari.tensor([1, 2, 3]), 2)
    tensor([False, False,  True])
    """,
    raises="RuntimeError: the shapes do not broadcast, or the numbers are complex.",
)
doc(
    "ge",
    r"y_i = [x_i \ge z_i]",
    """
    >>> kagari.ge(kagari.tensor([1, 2, 3]), 2)
    tensor([False,  True,  True])
    """,
    raises="RuntimeError: the shapes do not broadcast, or the numbers are complex.",
)
doc(
    "logical_and",
    r"y_i = [x_i \ne 0 \wedge z_i \ne 0]",
    """
    >>> kagari.logical_and(kagari.tensor([True, True, False]), kagari.tensor([1, 0, 1]))
    tensor([ True, False, False])
    """,
)
doc(
    "logical_or",
    r"y_i = [x_i \ne 0 \vee z_i \ne 0]",
    """
    >>> kagari.logical_or(kagari.tensor([True, False]), kagari.tensor([0, 0]))
    tensor([ True, False])
    """,
)
doc(
    "logical_xor",
    r"y_i = [x_i \ne 0] \oplus [z_i \ne 0]",
    """
    >>> kagari.logical_xor(kagari.tensor([True, True]), kagari.tensor([1, 0]))
    tensor([False,  True])
    """,
)

# ---- of one tensor ------------------------------------------------------------------------------

of_one = {"returns": "A bool tensor of the input's shape."}
real = of_one | {"raises": "RuntimeError: the input is complex."}
doc(
    "logical_not",
    r"y_i = [x_i = 0]",
    """
    >>> kagari.logical_not(kagari.tensor([0.0, 2.0]))
    tensor([ True, False])
    """,
    **of_one,
)
doc(
    "isnan",
    r"y_i = [x_i \ne x_i]",
    """
    >>> kagari.isnan(kagari.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """,
    note="A complex number is NaN when one of its parts is.",
    **of_one,
)
doc(
    "isinf",
    r"y_i = [|x_i| = \infty]",
    """
    >>> kagari.isinf(kagari.tensor([1.0, float("-inf"), float("nan")]))
    tensor([False,  True, False])
    """,
    **of_one,
)
doc(
    "isfinite",
    r"y_i = [|x_i| < \infty]",
    """
    >>> kagari.isfinite(kagari.tensor([1.0, float("inf"), float("nan")]))
    tensor([ True, False, False])
    """,
    note="False for NaN.",
    **of_one,
)
doc(
    "isposinf",
    r"y_i = [x_i = \infty]",
    """
    >>> kagari.isposinf(kagari.tensor([float("inf"), float("-inf")]))
    tensor([ True, False])
    """,
    **real,
)
doc(
    "isneginf",
    r"y_i = [x_i = -\infty]",
    """
    >>> kagari.isneginf(kagari.tensor([float("inf"), float("-inf")]))
    tensor([False,  True])
    """,
    **real,
)
doc(
    "signbit",
    "",
    """
    >>> kagari.signbit(kagari.tensor([-1.0, -0.0, 0.0]))
    tensor([ True,  True, False])
    """,
    note="True for -0.0 too.",
    **real,
)

# ---- the larger and the smaller -----------------------------------------------------------------

pair = {"returns": "A tensor of the broadcast shape and the promoted dtype."}
doc(
    "maximum",
    r"y_i = \max(x_i, z_i)",
    """
    >>> kagari.maximum(kagari.tensor([1.0, 5.0]), kagari.tensor([3.0, float("nan")]))
    tensor([3., nan])
    """,
    note="Where both are equal, each receives half of the gradient.",
    **pair,
)
doc(
    "minimum",
    r"y_i = \min(x_i, z_i)",
    """
    >>> kagari.minimum(kagari.tensor([1.0, 5.0]), kagari.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """,
    note="Where both are equal, each receives half of the gradient.",
    **pair,
)
doc(
    "fmax",
    r"y_i = \max(x_i, z_i)",
    """
    >>> kagari.fmax(kagari.tensor([1.0, 5.0]), kagari.tensor([3.0, float("nan")]))
    tensor([3., 5.])
    """,
    **pair,
)
doc(
    "fmin",
    r"y_i = \min(x_i, z_i)",
    """
    >>> kagari.fmin(kagari.tensor([1.0, 5.0]), kagari.tensor([3.0, float("nan")]))
    tensor([1., 5.])
    """,
    **pair,
)
doc(
    "where",
    r"y_i = \begin{cases} a_i & c_i \\ b_i & \mathrm{otherwise} \end{cases}",
    """
    >>> x = kagari.tensor([-1.0, 2.0])
    >>> kagari.where(x > 0, x, 0.0)
    tensor([0., 2.])
    >>> kagari.where(x > 0)
    (tensor([1]),)
    """,
    returns="A tensor of the broadcast shape and the promoted dtype; of the condition alone the "
    "tuple "
    "of its true positions, as ``nonzero(as_tuple=True)``.",
    note="The branch that is not taken receives a gradient of zero.",
    condition="the bool tensor c, of any shape.",
    input="a; broadcasts with the condition.",
    other="b; broadcasts with the condition.",
)
