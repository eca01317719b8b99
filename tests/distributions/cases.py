"""The distributions that the tests look at: a row each, built in any library with PyTorch's API."""

from __future__ import annotations

from typing import Any

# name, arguments: lists become float64 tensors, numbers stay numbers
CASES: list[tuple[str, dict[str, Any]]] = [
    ("Bernoulli", {"probs": [0.2, 0.5, 0.9]}),
    ("Bernoulli", {"logits": [[-1.0, 0.3, 4.0]]}),
    ("Bernoulli", {"probs": 0.3}),
    ("Beta", {"concentration1": [0.5, 1.5, 3.0], "concentration0": [2.0, 1.2, 0.7]}),
    ("Beta", {"concentration1": 2.0, "concentration0": [1.5, 3.0]}),
    ("Binomial", {"total_count": 6, "probs": [0.1, 0.5, 0.9]}),
    ("Binomial", {"total_count": [3.0, 5.0], "logits": [-0.4, 1.2]}),
    ("Categorical", {"probs": [[0.1, 0.2, 0.7], [0.5, 0.0, 0.5]]}),
    ("Categorical", {"logits": [0.3, -1.0, 2.0, 0.0]}),
    ("Cauchy", {"loc": [0.0, 1.0], "scale": [1.0, 0.3]}),
    ("Chi2", {"df": [1.0, 3.5]}),
    ("ContinuousBernoulli", {"probs": [0.1, 0.4999, 0.5, 0.8]}),
    ("ContinuousBernoulli", {"logits": [-2.0, 0.001, 1.5]}),
    ("Dirichlet", {"concentration": [[0.5, 1.5, 3.0], [2.0, 2.0, 2.0]]}),
    ("Exponential", {"rate": [0.5, 2.0]}),
    ("Exponential", {"rate": 3.0}),
    ("FisherSnedecor", {"df1": [3.0, 5.0, 2.0], "df2": [6.0, 3.0, 1.5]}),
    ("Gamma", {"concentration": [0.6, 2.0, 9.0], "rate": [1.0, 0.5, 3.0]}),
    (
        "GeneralizedPareto",
        {"loc": [0.0, 1.0, -1.0], "scale": [1.0, 2.0, 0.5], "concentration": [0.3, 0.0, -0.4]},
    ),
    ("Geometric", {"probs": [0.1, 0.6, 1.0]}),
    ("Geometric", {"logits": [-1.0, 0.7]}),
    ("Gumbel", {"loc": [0.0, -1.0], "scale": [1.0, 2.0]}),
    ("HalfCauchy", {"scale": [1.0, 0.3]}),
    ("HalfNormal", {"scale": [1.0, 2.5]}),
    ("InverseGamma", {"concentration": [3.0, 1.5], "rate": [1.0, 2.0]}),
    ("Kumaraswamy", {"concentration1": [0.8, 2.0], "concentration0": [1.5, 3.0]}),
    ("LKJCholesky", {"dim": 3, "concentration": [0.5, 2.0]}),
    ("Laplace", {"loc": [0.0, 1.0], "scale": [1.0, 0.4]}),
    ("LogNormal", {"loc": [0.0, 0.5], "scale": [1.0, 0.4]}),
    ("LogisticNormal", {"loc": [[0.1, -0.3]], "scale": [[1.0, 0.5]]}),
    (
        "LowRankMultivariateNormal",
        {
            "loc": [[0.5, -0.5, 1.0]],
            "cov_factor": [[1.0, 0.2], [0.0, 0.5], [-0.3, 1.0]],
            "cov_diag": [0.5, 1.0, 2.0],
        },
    ),
    ("Multinomial", {"total_count": 5, "probs": [[0.2, 0.3, 0.5], [0.6, 0.4, 0.0]]}),
    ("MultivariateNormal", {"loc": [0.0, 1.0], "covariance_matrix": [[2.0, 0.3], [0.3, 0.5]]}),
    (
        "MultivariateNormal",
        {"loc": [[0.0, 1.0], [1.0, 1.0]], "precision_matrix": [[2.0, 0.3], [0.3, 0.5]]},
    ),
    (
        "MultivariateNormal",
        {"loc": [0.0, 1.0], "scale_tril": [[[1.0, 0.0], [0.3, 0.5]], [[2.0, 0.0], [-1.0, 1.0]]]},
    ),
    ("NegativeBinomial", {"total_count": 3.0, "probs": [0.2, 0.7]}),
    ("NegativeBinomial", {"total_count": [2.0, 4.5], "logits": [-0.3, 0.6]}),
    ("Normal", {"loc": [0.0, 1.5], "scale": [1.0, 0.2]}),
    ("Normal", {"loc": 0.5, "scale": 2.0}),
    ("OneHotCategorical", {"probs": [[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]]}),
    ("OneHotCategoricalStraightThrough", {"logits": [0.3, -1.0, 2.0]}),
    ("Pareto", {"scale": [1.0, 0.5], "alpha": [3.0, 1.5]}),
    ("Poisson", {"rate": [0.5, 4.0]}),
    ("RelaxedBernoulli", {"temperature": [0.7], "probs": [0.2, 0.8]}),
    ("RelaxedBernoulli", {"temperature": [2.0], "logits": [0.1, -0.7]}),
    ("RelaxedOneHotCategorical", {"temperature": [0.7], "probs": [[0.2, 0.5, 0.3]]}),
    ("StudentT", {"df": [3.0, 1.5, 0.9], "loc": [0.0, 1.0, 2.0], "scale": [1.0, 0.5, 2.0]}),
    ("Uniform", {"low": [0.0, -1.0], "high": [1.0, 2.5]}),
    ("VonMises", {"loc": [0.0, 1.0, -2.0], "concentration": [0.5, 3.0, 8.0]}),
    ("Weibull", {"scale": [1.0, 0.5], "concentration": [1.5, 0.8]}),
    ("Wishart", {"df": [4.0], "covariance_matrix": [[2.0, 0.3], [0.3, 0.5]]}),
    ("Wishart", {"df": 3.5, "scale_tril": [[1.0, 0.0], [0.3, 0.5]]}),
]

# pairs whose divergence has a formula, beside each case with itself
PAIRS = [
    (
        ("Bernoulli", {"probs": [0.2, 0.0, 1.0]}),
        ("Bernoulli", {"probs": [0.4, 0.5, 0.5]}),
        ("Poisson", {"rate": [0.5, 1.0, 2.0]}),
    ),
    (
        ("Beta", {"concentration1": [1.5, 3.0], "concentration0": [2.0, 1.2]}),
        ("Beta", {"concentration1": [2.5, 1.0], "concentration0": [1.0, 2.2]}),
        ("ContinuousBernoulli", {"probs": [0.2, 0.7]}),
        ("Exponential", {"rate": [0.5, 2.0]}),
        ("Gamma", {"concentration": [2.0, 0.5], "rate": [1.0, 3.0]}),
        ("Normal", {"loc": [0.0, 1.0], "scale": [1.0, 0.4]}),
        ("Pareto", {"scale": [1.0, 0.5], "alpha": [3.0, 1.5]}),
        ("Uniform", {"low": [-1.0, 0.5], "high": [2.0, 2.0]}),
    ),
    (
        ("Binomial", {"total_count": 6, "probs": [0.1, 0.5]}),
        ("Binomial", {"total_count": [6.0, 4.0], "probs": [0.3, 0.6]}),
    ),
    (("Categorical", {"probs": [[0.1, 0.0, 0.9]]}), ("Categorical", {"probs": [[0.4, 0.4, 0.2]]})),
    (("Cauchy", {"loc": [0.0], "scale": [1.0]}), ("Cauchy", {"loc": [1.0], "scale": [2.0]})),
    (
        ("ContinuousBernoulli", {"probs": [0.2, 0.7]}),
        ("ContinuousBernoulli", {"probs": [0.6, 0.1]}),
        ("Exponential", {"rate": [0.5, 2.0]}),
        ("Normal", {"loc": [0.0, 1.0], "scale": [1.0, 0.4]}),
        ("Pareto", {"scale": [1.0, 0.5], "alpha": [3.0, 1.5]}),
        ("Uniform", {"low": [-1.0, 0.5], "high": [0.5, 2.0]}),
    ),
    (
        ("Dirichlet", {"concentration": [[0.5, 1.5, 3.0]]}),
        ("Dirichlet", {"concentration": [[1.5, 0.5, 1.0]]}),
    ),
    (
        ("Exponential", {"rate": [0.5, 2.0]}),
        ("Exponential", {"rate": [1.5, 1.0]}),
        ("Beta", {"concentration1": [1.5, 3.0], "concentration0": [2.0, 1.2]}),
        ("ContinuousBernoulli", {"probs": [0.2, 0.7]}),
        ("Gamma", {"concentration": [2.0, 0.5], "rate": [1.0, 3.0]}),
        ("Gumbel", {"loc": [0.0, -1.0], "scale": [1.0, 2.0]}),
        ("Normal", {"loc": [0.0, 1.0], "scale": [1.0, 0.4]}),
        ("Pareto", {"scale": [1.0, 0.5], "alpha": [3.0, 1.5]}),
        ("Uniform", {"low": [-1.0, 0.5], "high": [2.0, 2.0]}),
    ),
    (
        ("Gamma", {"concentration": [0.6, 2.0], "rate": [1.0, 0.5]}),
        ("Gamma", {"concentration": [2.0, 0.5], "rate": [1.0, 3.0]}),
        ("Beta", {"concentration1": [1.5, 3.0], "concentration0": [2.0, 1.2]}),
        ("ContinuousBernoulli", {"probs": [0.2, 0.7]}),
        ("Exponential", {"rate": [1.5, 1.0]}),
        ("Gumbel", {"loc": [0.0, -1.0], "scale": [1.0, 2.0]}),
        ("Normal", {"loc": [0.0, 1.0], "scale": [1.0, 0.4]}),
        ("Pareto", {"scale": [1.0, 0.5], "alpha": [3.0, 1.5]}),
        ("Uniform", {"low": [-1.0, 0.5], "high": [2.0, 2.0]}),
    ),
    (("Geometric", {"probs": [0.1, 0.6]}), ("Geometric", {"probs": [0.3, 0.4]})),
    (
        ("Gumbel", {"loc": [0.5, -1.0], "scale": [1.0, 2.0]}),
        ("Gumbel", {"loc": [0.0, 1.0], "scale": [1.5, 0.7]}),
        ("Beta", {"concentration1": [1.5, 3.0], "concentration0": [2.0, 1.2]}),
        ("Exponential", {"rate": [1.5, 1.0]}),
        ("Normal", {"loc": [0.0, 1.0], "scale": [1.0, 0.4]}),
    ),
    (("HalfNormal", {"scale": [1.0]}), ("HalfNormal", {"scale": [2.0]})),
    (
        ("Laplace", {"loc": [0.0, 1.0], "scale": [1.0, 0.4]}),
        ("Laplace", {"loc": [0.5, 1.5], "scale": [1.0, 0.8]}),
        ("Gamma", {"concentration": [2.0, 0.5], "rate": [1.0, 3.0]}),
        ("Normal", {"loc": [0.0, 1.0], "scale": [1.0, 0.4]}),
    ),
    (
        ("LogNormal", {"loc": [0.0, 0.5], "scale": [1.0, 0.4]}),
        ("LogNormal", {"loc": [1.0, 0.5], "scale": [0.5, 0.9]}),
    ),
    (
        (
            "MultivariateNormal",
            {"loc": [[0.0, 1.0]], "covariance_matrix": [[2.0, 0.3], [0.3, 0.5]]},
        ),
        ("MultivariateNormal", {"loc": [1.0, 1.0], "scale_tril": [[1.0, 0.0], [0.3, 0.5]]}),
        (
            "LowRankMultivariateNormal",
            {"loc": [0.5, -0.5], "cov_factor": [[1.0], [0.4]], "cov_diag": [0.5, 1.0]},
        ),
    ),
    (
        (
            "LowRankMultivariateNormal",
            {"loc": [0.5, -0.5], "cov_factor": [[1.0], [0.4]], "cov_diag": [0.5, 1.0]},
        ),
        (
            "LowRankMultivariateNormal",
            {"loc": [0.0, 0.0], "cov_factor": [[0.2], [-1.0]], "cov_diag": [0.8, 0.3]},
        ),
        ("MultivariateNormal", {"loc": [1.0, 1.0], "scale_tril": [[1.0, 0.0], [0.3, 0.5]]}),
    ),
    (
        ("Normal", {"loc": [0.0, 1.5], "scale": [1.0, 0.2]}),
        ("Normal", {"loc": [0.5, 1.0], "scale": [2.0, 0.4]}),
        ("Beta", {"concentration1": [1.5, 3.0], "concentration0": [2.0, 1.2]}),
        ("Gumbel", {"loc": [0.0, -1.0], "scale": [1.0, 2.0]}),
        ("Laplace", {"loc": [0.5, 1.5], "scale": [1.0, 0.8]}),
        ("Pareto", {"scale": [1.0, 0.5], "alpha": [3.0, 1.5]}),
    ),
    (
        ("OneHotCategorical", {"probs": [[0.1, 0.9]]}),
        ("OneHotCategorical", {"probs": [[0.4, 0.6]]}),
    ),
    (
        ("Pareto", {"scale": [1.0, 0.5], "alpha": [3.0, 1.5]}),
        ("Pareto", {"scale": [0.5, 0.8], "alpha": [2.0, 1.0]}),
        ("Exponential", {"rate": [1.5, 1.0]}),
        ("Gamma", {"concentration": [2.0, 0.5], "rate": [1.0, 3.0]}),
        ("Normal", {"loc": [0.0, 1.0], "scale": [1.0, 0.4]}),
        ("Uniform", {"low": [-1.0, 0.5], "high": [2.0, 2.0]}),
    ),
    (
        ("Poisson", {"rate": [0.5, 4.0]}),
        ("Poisson", {"rate": [1.5, 2.0]}),
        ("Bernoulli", {"probs": [0.2, 0.4]}),
        ("Binomial", {"total_count": 6, "probs": [0.1, 0.5]}),
    ),
    (
        ("Uniform", {"low": [0.1, 0.6], "high": [0.9, 2.5]}),
        ("Uniform", {"low": [-1.0, 0.7], "high": [2.0, 3.0]}),
        ("Beta", {"concentration1": [1.5, 3.0], "concentration0": [2.0, 1.2]}),
        ("ContinuousBernoulli", {"probs": [0.2, 0.7]}),
        ("Exponential", {"rate": [1.5, 1.0]}),
        ("Gamma", {"concentration": [2.0, 0.5], "rate": [1.0, 3.0]}),
        ("Gumbel", {"loc": [0.0, -1.0], "scale": [1.0, 2.0]}),
        ("Normal", {"loc": [0.0, 1.0], "scale": [1.0, 0.4]}),
        ("Pareto", {"scale": [0.05, 0.7], "alpha": [3.0, 1.5]}),
    ),
    (
        ("Wishart", {"df": [4.0], "covariance_matrix": [[2.0, 0.3], [0.3, 0.5]]}),
        ("Wishart", {"df": [5.0], "covariance_matrix": [[1.0, 0.1], [0.1, 0.5]]}),
    ),
]


def tensors(library: Any, case: tuple[str, dict[str, Any]], grad: bool = False) -> dict[str, Any]:
    """A row's arguments with lists as tensors: float64, but where PyTorch fails with that."""
    kind = library.float32 if case[0] == "GeneralizedPareto" else library.float64
    return {
        name: library.tensor(value, dtype=kind, requires_grad=grad)
        if isinstance(value, list)
        else value
        for name, value in case[1].items()
    }


def build(library: Any, case: tuple[str, dict[str, Any]], **more: Any) -> Any:
    """The distribution of a row in a library."""
    return getattr(library.distributions, case[0])(**tensors(library, case), **more)


def title(case: tuple[str, dict[str, Any]]) -> str:
    return f"{case[0]}-{'-'.join(case[1])}"
