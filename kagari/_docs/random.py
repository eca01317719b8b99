"""Random numbers: the same as PyTorch's on the processor, for the same seed."""

from kagari._docs.entry import Family

doc = Family(
    "Random numbers",
    returns="A new tensor.",
    raises="RuntimeError: a negative size, or parameters outside the distribution's range.",
    size="the shape.",
)

doc(
    "rand",
    r"y_i \sim U[0, 1)",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.rand(3)
    tensor([0.4963, 0.7682, 0.0885])
    """,
)
doc(
    "randn",
    r"y_i \sim N(0, 1)",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.randn(3)
    tensor([ 1.5410, -0.2934, -2.1788])
    """,
)
doc(
    "randint",
    r"y_i \sim U\{\mathrm{low}, \ldots, \mathrm{high} - 1\}",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.randint(10, (4,))
    tensor([4, 9, 3, 0])
    >>> kagari.randint(5, 10, (4,))
    tensor([8, 9, 7, 8])
    """,
    summary="Integers drawn uniformly from low to before high.",
    returns="A new int64 tensor, or one of ``dtype``.",
    low="the lowest; 0 where it is not given.",
    high="one above the highest.",
)
doc(
    "randperm",
    "",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.randperm(5)
    tensor([4, 0, 1, 3, 2])
    """,
    returns="A 1-dimensional int64 tensor, or one of ``dtype``.",
    raises="RuntimeError: ``n`` is negative.",
    n="how many.",
)
LIKE = {
    "returns": "A new tensor of the input's shape.",
    "input": "gives shape, dtype and device.",
    "dtype": "of the result; None: the input's.",
    "layout": "``kagari.strided``; None: the input's.",
    "device": "where the result lies; None: the input's.",
}
doc(
    "rand_like",
    r"y_i \sim U[0, 1)",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.rand_like(kagari.zeros(3))
    tensor([0.4963, 0.7682, 0.0885])
    """,
    **LIKE,
)
doc(
    "randn_like",
    r"y_i \sim N(0, 1)",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.randn_like(kagari.zeros(3))
    tensor([ 1.5410, -0.2934, -2.1788])
    """,
    **LIKE,
)
doc(
    "randint_like",
    r"y_i \sim U\{\mathrm{low}, \ldots, \mathrm{high} - 1\}",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.randint_like(kagari.zeros(3), 10)
    tensor([4., 9., 3.])
    """,
    low="the lowest; 0 where it is not given.",
    high="one above the highest.",
    **LIKE,
)
doc(
    "normal",
    r"y_i \sim N(\mu_i, \sigma_i^2)",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.normal(kagari.tensor([0.0, 100.0]), 1.0)
    tensor([ 1.5410, 99.7066])
    >>> kagari.normal(0.0, 1.0, (2,))
    tensor([-2.1788,  0.5684])
    """,
    raises="RuntimeError: a standard deviation is negative, or the shapes do not broadcast.",
    mean="μ, a number or a tensor.",
    std="σ, a number or a tensor that broadcasts with ``mean``.",
    size="the shape, where both are numbers.",
)
OF_INPUT = {"returns": "A tensor of the input's shape and dtype."}
doc(
    "bernoulli",
    r"P(y_i = 1) = p_i",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.bernoulli(kagari.tensor([0.0, 0.5, 1.0]))
    tensor([0., 0., 1.])
    """,
    input="the probabilities, any shape; where ``p`` is given, only the shape of the result.",
    p="the probability.",
    **OF_INPUT,
)
doc(
    "poisson",
    r"P(y_i = k) = \frac{\lambda_i^k e^{-\lambda_i}}{k!}",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.poisson(kagari.tensor([0.0, 1.0, 50.0]))
    tensor([ 0.,  2., 62.])
    """,
    input="the rates λ, floating, none negative.",
    **OF_INPUT,
)
doc(
    "binomial",
    r"P(y = k) = \binom{n}{k} p^k (1 - p)^{n - k}",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.binomial(kagari.tensor([10.0, 10.0]), kagari.tensor([0.0, 0.5]))
    tensor([0., 7.])
    """,
    reference="",
    returns="A floating tensor of the broadcast shape.",
    raises="RuntimeError: the shapes do not broadcast.",
    count="n, floating.",
    prob="p; broadcasts with ``count``.",
)

# ---- into a tensor ------------------------------------------------------------------------------

INTO = {"returns": "The tensor itself.", "input": "the tensor to fill."}
doc(
    "uniform",
    r"x_i \sim U[a, b)",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.empty(3).uniform_(-1, 1)
    tensor([-0.0075,  0.5364, -0.8230])
    """,
    **{"from": "a.", "to": "b."},
    **INTO,
)
doc(
    "random",
    r"x_i \sim U\{a, \ldots, b - 1\}",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.empty(3).random_(10)
    tensor([4., 9., 3.])
    """,
    **{
        "from": "a; 0 where it is not given.",
        "to": "b; None: all numbers that the dtype holds exactly.",
    },
    **INTO,
)
doc(
    "exponential",
    r"p(x) = \lambda e^{-\lambda x}",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.empty(3).exponential_()
    tensor([3.5083, 1.2304, 0.6150])
    """,
    lambd="the rate λ, positive.",
    **INTO,
)
doc(
    "geometric",
    r"P(x = k) = (1 - p)^{k - 1} p",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.empty(3).geometric_(0.25)
    tensor([1., 2., 3.])
    """,
    p="the probability of success, in (0, 1).",
    **INTO,
)
doc(
    "cauchy",
    r"p(x) = \frac{1}{\pi} \frac{\sigma}{(x - m)^2 + \sigma^2}",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.empty(3).cauchy_()
    tensor([10.5977,  0.7648, -0.1283])
    """,
    median="m.",
    sigma="the half width σ at half of the height, positive.",
    **INTO,
)
doc(
    "log_normal",
    r"\ln x \sim N(\mu, \sigma^2)",
    """
    >>> _ = kagari.manual_seed(0)
    >>> kagari.empty(3).log_normal_()
    tensor([5.9263e+01, 1.5116e+00, 3.4819e-02])
    """,
    mean="μ, of the logarithm.",
    std="σ, of the logarithm, positive.",
    **INTO,
)
