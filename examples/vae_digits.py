"""Trains a variational autoencoder (Kingma and Welling, 2014) on digits and draws new ones.

    python examples/vae_digits.py

The 1,797 scans of handwritten digits come with scikit-learn. Each of their 8x8 pixels counts the
black points, 0 to 16, in a 4x4 square of the original, so the decoder gives each pixel a binomial
distribution. The bound on the information in an unseen scan is compared with that of a model that
knows the mean image alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from sklearn.datasets import load_digits

import kagari
from kagari import Tensor, nn
from kagari.distributions import Binomial, Normal, kl_divergence

LEVELS = 16
SHADES = " .:-=+*%@"  # for the picture in the terminal


class VAE(nn.Module):
    """Images ``(N, 64)`` to a few hidden numbers each, known with an uncertainty, and back."""

    def __init__(self, hidden: int = 8, width: int = 256) -> None:
        super().__init__()
        self.hidden = hidden
        self.encoder = nn.Sequential(
            nn.Linear(64, width), nn.GELU(), nn.Linear(width, width), nn.GELU()
        )
        self.mean, self.log_deviation = nn.Linear(width, hidden), nn.Linear(width, hidden)
        self.decoder = nn.Sequential(
            nn.Linear(hidden, width),
            nn.GELU(),
            nn.Linear(width, width),
            nn.GELU(),
            nn.Linear(width, 64),
        )

    def bound(self, counts: Tensor) -> Tensor:
        """At least the nats in each image: E[-log p(x | z)] + KL(q(z | x) | p(z))."""
        features = self.encoder(counts / LEVELS * 2 - 1)
        seen = Normal(self.mean(features), self.log_deviation(features).exp())
        z = seen.rsample()  # the gradient flows through it
        unlikely = -Binomial(LEVELS, logits=self.decoder(z)).log_prob(counts).sum(1)
        return unlikely + kl_divergence(seen, Normal(0.0, 1.0)).sum(1)

    def draw(self, count: int) -> Tensor:
        """New images ``(count, 64)``: the mean pixel values of random hidden numbers."""
        return LEVELS * self.decoder(kagari.randn(count, self.hidden)).sigmoid()


def show(images: Tensor) -> str:
    """Images side by side in letters, two for a pixel."""
    rows = images.view(-1, 8, 8).transpose(0, 1)  # row, image, column
    shade = (rows / LEVELS * (len(SHADES) - 1)).round().int().tolist()
    return "\n".join("  ".join("".join(SHADES[p] * 2 for p in i) for i in row) for row in shade)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--epochs", type=int, default=100, help="rounds (%(default)s)")
    parser.add_argument("--batch-size", type=int, default=64, help="scans each (%(default)s)")
    parser.add_argument("--lr", type=float, default=2e-3, help="highest rate (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all random numbers (%(default)s)")
    options = parser.parse_args(arguments)

    kagari.manual_seed(options.seed)
    scans = kagari.tensor(load_digits().data, dtype=kagari.float32)
    order = kagari.randperm(len(scans), generator=kagari.Generator().manual_seed(0))
    unseen, learn = scans[order[:360]], scans[order[360:]]
    model = VAE()
    optimizer = kagari.optim.Adam(model.parameters(), lr=options.lr)
    schedule = kagari.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs)
    print(f"{len(learn):,} scans to learn from, {len(unseen)} unseen")
    for epoch in range(1, options.epochs + 1):
        model.train()
        total = 0.0
        for batch in learn[kagari.randperm(len(learn))].split(options.batch_size):
            loss = model.bound(batch).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        schedule.step()
        if epoch % max(1, options.epochs // 10) == 0:
            print(f"epoch {epoch:3d}/{options.epochs}  {total / len(learn):.1f} nats", flush=True)

    model.eval()
    with kagari.no_grad():
        reached = kagari.stack([model.bound(unseen) for _ in range(20)]).mean().item()
        mean_image = (learn.mean(0) / LEVELS).clamp(1e-3, 1 - 1e-3)
        simple = -Binomial(LEVELS, mean_image).log_prob(unseen).sum(1).mean().item()
        print("\n" + show(model.draw(6)) + "\n")
    print(f"at most {reached:.1f} nats in an unseen scan; the mean image alone leaves {simple:.1f}")


if __name__ == "__main__":
    main()
