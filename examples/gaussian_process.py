"""Fits a Gaussian process to medical data by gradient descent on the marginal likelihood.

    python examples/gaussian_process.py

The 442 patients (Efron et al., 2004) come with scikit-learn: how far diabetes progressed in a year,
here from the body mass index and a blood value. A quarter is held out; the forecasts for it are
compared with the mean of the others and with a linear regression. The formulas are those of
Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, sections 2.2 and 5.4.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

from sklearn.datasets import load_diabetes

import kagari
from kagari import Tensor, nn

FEATURES = ["bmi", "s5"]  # s5: the logarithm of the triglycerides in the serum


class GaussianProcess(nn.Module):
    """A prior over functions whose values vary together the more, the nearer their inputs are.

    k(a, b) = scale^2 exp(-|(a - b) / lengths|^2 / 2), seen through noise of variance noise^2.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.log_lengths = nn.Parameter(kagari.zeros(features))
        self.log_scale = nn.Parameter(kagari.tensor(0.0))
        self.log_noise = nn.Parameter(kagari.tensor(0.0))

    def kernel(self, a: Tensor, b: Tensor) -> Tensor:
        lengths = self.log_lengths.exp()
        apart = ((a / lengths).unsqueeze(1) - (b / lengths).unsqueeze(0)).square().sum(-1)
        return (2 * self.log_scale - apart / 2).exp()

    def factor(self, x: Tensor) -> Tensor:
        """The Cholesky factor of the covariance of noisy values at ``x``."""
        noise = (2 * self.log_noise).exp() * kagari.eye(len(x))
        return kagari.linalg.cholesky(self.kernel(x, x) + noise)

    def surprise(self, x: Tensor, y: Tensor) -> Tensor:
        """-log p(y | x) = y' K^-1 y / 2 + log |K| / 2 + n log(2 pi) / 2."""
        factor = self.factor(x)
        white = kagari.linalg.solve_triangular(factor, y.unsqueeze(1), upper=False)
        log_volume = factor.diagonal().log().sum()
        return white.square().sum() / 2 + log_volume + len(y) * math.log(2 * math.pi) / 2

    def predict(self, x: Tensor, y: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of noisy values ``at``, given the values ``y`` at ``x``."""
        factor, across = self.factor(x), self.kernel(x, at)
        mean = across.T @ kagari.cholesky_solve(y.unsqueeze(1), factor)
        known = kagari.linalg.solve_triangular(factor, across, upper=False).square().sum(0)
        variance = (2 * self.log_scale).exp() + (2 * self.log_noise).exp() - known
        return mean.squeeze(1), variance.sqrt()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=200, help="of Adam (%(default)s)")
    parser.add_argument("--lr", type=float, default=0.05, help="learning rate (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of who is held out (%(default)s)")
    options = parser.parse_args(arguments)

    kagari.manual_seed(options.seed)
    kagari.set_default_dtype(kagari.float64)  # a covariance matrix is nearly singular
    patients = load_diabetes(scaled=False)
    columns = [patients.feature_names.index(name) for name in FEATURES]
    inputs, progress = kagari.tensor(patients.data[:, columns]), kagari.tensor(patients.target)
    order = kagari.randperm(len(progress))
    test, learn = order[:110], order[110:]
    centre, spread = inputs[learn].mean(0), inputs[learn].std(0)
    x, at = (inputs[learn] - centre) / spread, (inputs[test] - centre) / spread
    mean, deviation = progress[learn].mean(), progress[learn].std()
    y, truth = (progress[learn] - mean) / deviation, progress[test]

    model = GaussianProcess(len(FEATURES))
    optimizer = kagari.optim.Adam(model.parameters(), lr=options.lr)
    print(f"{len(y)} patients to learn from, {len(test)} held out")
    for step in range(1, options.steps + 1):
        loss = model.surprise(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % max(1, options.steps // 10) == 0:
            lengths = " ".join(f"{v:.2f}" for v in model.log_lengths.exp().tolist())
            print(
                f"step {step:4d}/{options.steps}  -log likelihood {loss.item():.2f}  "
                f"lengths {lengths}  noise {model.log_noise.exp().item():.2f}",
                flush=True,
            )

    with kagari.no_grad():
        guess, sure = model.predict(x, y, at)
    guess, sure = guess * deviation + mean, sure * deviation
    within = ((truth - guess).abs() < 1.96 * sure).double().mean().item()
    design = kagari.cat([x, kagari.ones(len(x), 1)], 1)
    weights = kagari.linalg.lstsq(design, progress[learn].unsqueeze(1)).solution
    line = (kagari.cat([at, kagari.ones(len(at), 1)], 1) @ weights).squeeze(1)

    def error(forecast: Tensor) -> float:
        return (forecast - truth).square().mean().sqrt().item()

    print(
        f"error {error(guess):.1f} on held-out patients ({within:.0%} within the 95% band); "
        f"linear regression {error(line):.1f}, mean of the others {error(mean):.1f}"
    )


if __name__ == "__main__":
    main()
