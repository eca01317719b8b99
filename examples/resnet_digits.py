"""Trains a small residual network (He et al., 2016) on handwritten digits.

    python examples/resnet_digits.py

The 1,797 scans of 8x8 pixels come with scikit-learn. One fifth is held out; the network's answers
for it are compared with those of the nearest class mean and of the nearest neighbour.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from sklearn.datasets import load_digits

import kagari
from kagari import Tensor, nn
from kagari.nn import functional as F
from kagari.utils.data import DataLoader, TensorDataset


class Residual(nn.Module):
    """Two 3x3 convolutions whose result is added to what came in, fitted by a 1x1 convolution."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class ResNet(nn.Module):
    """Images ``(N, 1, 8, 8)`` to scores ``(N, 10)`` through 8x8, 4x4 and 2x2 pixels."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.stages = nn.Sequential(
            Residual(width, width),
            Residual(width, 2 * width, stride=2),
            Residual(2 * width, 4 * width, stride=2),
        )
        self.head = nn.Linear(4 * width, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(x)).mean((2, 3)))


def shifted(images: Tensor) -> Tensor:
    """Each image moved by up to one pixel in each direction, at random."""
    count, size = images.shape[0], images.shape[-1]
    padded = F.pad(images[:, 0], (1, 1, 1, 1))
    each = kagari.arange(count).view(-1, 1, 1)
    rows = kagari.randint(3, (count, 1, 1)) + kagari.arange(size).view(1, -1, 1)
    columns = kagari.randint(3, (count, 1, 1)) + kagari.arange(size).view(1, 1, -1)
    return padded[each, rows, columns].unsqueeze(1)


def accuracy(guesses: Tensor, labels: Tensor) -> float:
    return (guesses == labels).float().mean().item()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30, help="rounds (%(default)s)")
    parser.add_argument("--batch-size", type=int, default=64, help="scans each (%(default)s)")
    parser.add_argument("--lr", type=float, default=0.1, help="highest rate (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all random numbers (%(default)s)")
    options = parser.parse_args(arguments)

    kagari.manual_seed(options.seed)
    scans = load_digits()
    images = kagari.tensor(scans.images, dtype=kagari.float32).unsqueeze(1) / 16
    labels = kagari.tensor(scans.target)
    order = kagari.randperm(len(labels), generator=kagari.Generator().manual_seed(0))
    test, learn = order[:360], order[360:]
    x, y, test_x, test_y = images[learn], labels[learn], images[test], labels[test]

    model = ResNet()
    loader = DataLoader(TensorDataset(x, y), options.batch_size, shuffle=True)
    optimizer = kagari.optim.SGD(
        model.parameters(), lr=options.lr, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    schedule = kagari.optim.lr_scheduler.OneCycleLR(
        optimizer, options.lr, epochs=options.epochs, steps_per_epoch=len(loader)
    )
    print(f"{len(y):,} scans, {sum(p.numel() for p in model.parameters()):,} parameters")
    for epoch in range(1, options.epochs + 1):
        model.train()
        total = 0.0
        for batch, answers in loader:
            loss = F.cross_entropy(model(shifted(batch)), answers, label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(answers)
        if epoch % max(1, options.epochs // 10) == 0:
            print(f"epoch {epoch:3d}/{options.epochs}  loss {total / len(y):.3f}", flush=True)

    model.eval()
    with kagari.no_grad():
        reached = accuracy(model(test_x).argmax(1), test_y)
    means = kagari.stack([x[y == digit].mean(0) for digit in range(10)]).flatten(1)
    simple = accuracy(kagari.cdist(test_x.flatten(1), means).argmin(1), test_y)
    nearest = kagari.cdist(test_x.flatten(1), x.flatten(1)).argmin(1)
    print(
        f"test accuracy {reached:.2%} on {len(test_y)} held-out scans; "
        f"nearest class mean {simple:.2%}, nearest neighbour {accuracy(y[nearest], test_y):.2%}"
    )


if __name__ == "__main__":
    main()
