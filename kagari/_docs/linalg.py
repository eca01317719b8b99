"""Products of matrices and vectors, and solving with factors."""

from kagari._docs.entry import Family

doc = Family(
    "Products and solvers",
    returns="A tensor of the promoted dtype.",
    raises="RuntimeError: shapes or dtypes do not fit.",
    beta="the factor of ``input``; with 0 its content is not read.",
    alpha="the factor of the product.",
)

doc(
    "matmul",
    r"y_{\ldots ij} = \sum_k a_{\ldots ik} b_{\ldots kj}",
    """
    >>> a = kagari.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> kagari.matmul(a, a)
    tensor([[ 7., 10.],
            [15., 22.]])
    >>> a @ kagari.tensor([1.0, 10.0])
    tensor([21., 43.])
    """,
    returns="(..., M, N); a vector's own dimension is dropped.",
    input="a: (..., M, K) or (K,).",
    other="b: (..., K, N) or (K,).",
)
doc(
    "mm",
    r"y_{ij} = \sum_k a_{ik} b_{kj}",
    """
    >>> a = kagari.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> kagari.mm(a, a)
    tensor([[ 7., 10.],
            [15., 22.]])
    """,
    returns="(M, N).",
    input="a: (M, K).",
    mat2="b: (K, N).",
)
doc(
    "bmm",
    r"y_{nij} = \sum_k a_{nik} b_{nkj}",
    """
    >>> kagari.bmm(kagari.ones(2, 1, 3), kagari.ones(2, 3, 2)).squeeze(1)
    tensor([[3., 3.],
            [3., 3.]])
    """,
    returns="(B, M, N).",
    input="a: (B, M, K).",
    mat2="b: (B, K, N).",
)
doc(
    "mv",
    r"y_i = \sum_k a_{ik} b_k",
    """
    >>> kagari.mv(kagari.tensor([[1.0, 2.0], [3.0, 4.0]]), kagari.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """,
    returns="(M,).",
    input="a: (M, K).",
    vec="b: (K,).",
)
doc(
    "dot",
    r"y = \sum_k a_k b_k",
    """
    >>> kagari.dot(kagari.tensor([1.0, 2.0]), kagari.tensor([3.0, 4.0]))
    tensor(11.)
    """,
    returns="A 0-dimensional tensor.",
    note="Complex numbers are not conjugated; ``vdot`` does so.",
    input="a: (K,).",
    tensor="b: (K,).",
)
doc(
    "addmm",
    r"y_{ij} = \beta x_{ij} + \alpha \sum_k a_{ik} b_{kj}",
    """
    >>> a = kagari.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> kagari.addmm(kagari.tensor([100.0, 200.0]), a, a)
    tensor([[107., 210.],
            [115., 222.]])
    """,
    returns="(M, N).",
    input="x; broadcasts to (M, N).",
    mat1="a: (M, K).",
    mat2="b: (K, N).",
)
doc(
    "addmv",
    r"y_i = \beta x_i + \alpha \sum_k a_{ik} b_k",
    """
    >>> a = kagari.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> kagari.addmv(kagari.tensor([100.0, 200.0]), a, kagari.tensor([1.0, 10.0]))
    tensor([121., 243.])
    """,
    returns="(M,).",
    input="x; broadcasts to (M,).",
    mat="a: (M, K).",
    vec="b: (K,).",
)
doc(
    "baddbmm",
    r"y_{nij} = \beta x_{nij} + \alpha \sum_k a_{nik} b_{nkj}",
    """
    >>> x = kagari.full((2, 1, 2), 100.0)
    >>> kagari.baddbmm(x, kagari.ones(2, 1, 3), kagari.ones(2, 3, 2), alpha=2).squeeze(1)
    tensor([[106., 106.],
            [106., 106.]])
    """,
    returns="(B, M, N).",
    input="x; broadcasts to (B, M, N).",
    batch1="a: (B, M, K).",
    batch2="b: (B, K, N).",
)
doc(
    "geqrf",
    r"A = Q R, \quad Q = \prod_i (I - \tau_i v_i v_i^H)",
    """
    >>> a, tau = kagari.geqrf(kagari.tensor([[3.0, 1.0], [4.0, 2.0]]))
    >>> a.triu().abs()
    tensor([[5.0000, 2.2000],
            [0.0000, 0.4000]])
    """,
    returns="The named tuple ``(a, tau)``: (..., M, N) and (..., min(M, N)).",
    input="A: (..., M, N).",
)

# ---- solving ------------------------------------------------------------------------------------

SOLVED = {"returns": "X, of the shape of B with broadcast batches."}
doc(
    "linalg_solve_triangular",
    r"A X = B",
    """
    >>> a = kagari.tensor([[2.0, 0.0], [1.0, 4.0]])
    >>> kagari.linalg.solve_triangular(a, kagari.tensor([[2.0], [9.0]]), upper=False)
    tensor([[1.],
            [2.]])
    """,
    input="A: (..., N, N).",
    B="(..., N, K), or (..., K, N) when ``left`` is False.",
    upper="A is upper triangular; False: lower.",
    left="solves A X = B; False: X A = B.",
    unitriangular="the diagonal is taken as ones and not read.",
    **SOLVED,
)
doc(
    "linalg_lu_solve",
    r"A X = B",
    """
    >>> lu, pivots = kagari.linalg.lu_factor(kagari.tensor([[0.0, 2.0], [4.0, 1.0]]))
    >>> kagari.linalg.lu_solve(lu, pivots, kagari.tensor([[2.0], [5.0]]))
    tensor([[1.],
            [1.]])
    """,
    LU="(..., N, N), from ``lu_factor``.",
    pivots="(..., N), from ``lu_factor``.",
    B="(..., N, K), or (..., K, N) when ``left`` is False.",
    left="solves A X = B; False: X A = B.",
    adjoint="takes A's conjugate transpose for A.",
    **SOLVED,
)
doc(
    "linalg_ldl_solve",
    r"A X = B",
    """
    >>> ld, pivots = kagari.linalg.ldl_factor(kagari.tensor([[2.0, 1.0], [1.0, 3.0]]))
    >>> kagari.linalg.ldl_solve(ld, pivots, kagari.tensor([[3.0], [4.0]]))
    tensor([[1.],
            [1.]])
    """,
    LD="(..., N, N), from ``ldl_factor``.",
    pivots="(..., N), from ``ldl_factor``.",
    B="(..., N, K).",
    hermitian="A equals its conjugate transpose; False: its transpose.",
    **SOLVED,
)
