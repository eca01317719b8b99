"""A softmax over many classes whose rare ones are grouped."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from typing import Any

import kagari
from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn.modules.container import ModuleList, Sequential
from kagari.nn.modules.linear import Linear
from kagari.nn.modules.module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    r"""Negative log likelihood under a softmax of frequent classes and of clusters of rare ones.

    A rare class's probability is that of its cluster times its probability within the cluster,
    :math:`\log p(c) = \log p(k) + \log p(c \mid k)`; clusters use fewer and fewer features.

    Args:
        in_features (int): size of each input.
        n_classes (int): number of classes, ordered from frequent to rare.
        cutoffs (sequence of ints): the first class of each cluster, ascending.
        div_value (float): each cluster has this many times fewer features than the one before.
        head_bias (bool): whether the first softmax has a bias.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        inputs ``(N, in_features)`` and targets ``(N,)``, or ``(in_features,)`` and ``()``, to the
        log probabilities of the targets, of their shape, and the mean loss.

    Raises:
        ValueError: ``cutoffs`` does not ascend within the classes.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.AdaptiveLogSoftmaxWithLoss(4, 6, [2, 4], div_value=2)
        >>> output, loss = m(kagari.randn(3, 4), kagari.tensor([0, 3, 5]))
        >>> tuple(output.shape), tuple(m.log_prob(kagari.randn(3, 4)).shape)
        ((3,), (3, 6))

    Reference: Grave et al. 2016, https://arxiv.org/abs/1609.04309
    """

    in_features: int
    n_classes: int
    cutoffs: list[int]
    div_value: float
    head_bias: bool
    head: Linear
    tail: ModuleList

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if (
            cutoffs != sorted(set(cutoffs))
            or cutoffs[0] <= 0
            or cutoffs[-1] > n_classes - 1
            or any(int(c) != c for c in cutoffs)
        ):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing "
                "order, where each value is between 1 and n_classes-1"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, device=device, dtype=dtype)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            features = int(in_features // (div_value ** (i + 1)))
            classes = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(
                Sequential(
                    Linear(in_features, features, bias=False, device=device, dtype=dtype),
                    Linear(features, classes, bias=False, device=device, dtype=dtype),
                )
            )

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        self.head.reset_parameters()
        for down, up in self.tail:
            down.reset_parameters()
            up.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> Any:
        single = target_.dim() == 0
        if target_.dim() == 1:
            if input_.shape[0] != target_.shape[0]:
                raise RuntimeError(
                    "Input and target should have the same size in the batch dimension."
                )
            if input_.dim() != 2:
                raise RuntimeError(
                    f"1D target tensor expects 2D input tensors, but found inputs with size "
                    f"{tuple(input_.shape)}"
                )
        elif single:
            if input_.dim() != 1:
                raise RuntimeError(
                    f"0D target tensor expects 1D input tensors, but found inputs with size "
                    f"{tuple(input_.shape)}"
                )
        else:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        input = input_.unsqueeze(0) if single else input_
        target = target_.unsqueeze(0) if single else target_

        if target.numel():
            low, high = int(target.min()), int(target.max())
            if low < 0 or high >= self.n_classes:
                raise RuntimeError(
                    f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                    f"[{low}, {high}] were found. "
                )
        # What the first softmax predicts: a frequent class, or the cluster of a rare one.
        first = target
        within = kagari.zeros(target.shape, dtype=input.dtype, device=input.device)
        for i in range(self.n_clusters):
            low, high = self.cutoffs[i], self.cutoffs[i + 1]
            rows = ((target >= low) & (target < high)).nonzero().squeeze(1)
            if rows.numel() == 0:
                continue
            first = first.index_fill(0, rows, self.shortlist_size + i)
            logprob = F.log_softmax(self.tail[i](input.index_select(0, rows)), dim=1)
            classes = target.index_select(0, rows) - low
            within = within.index_copy(0, rows, logprob.gather(1, classes.unsqueeze(1)).squeeze(1))
        head = F.log_softmax(self.head(input), dim=1)
        output = within + head.gather(1, first.unsqueeze(1)).squeeze(1)
        loss = (-output).mean()
        return _ASMoutput(output.squeeze(0) if single else output, loss)

    def _get_full_log_prob(self, input: Tensor, head_output: Tensor) -> Tensor:
        head = F.log_softmax(head_output, dim=1)
        parts = [head[:, : self.shortlist_size]]
        for i in range(self.n_clusters):
            cluster = head[:, self.shortlist_size + i].unsqueeze(1)
            parts.append(F.log_softmax(self.tail[i](input), dim=1) + cluster)
        return kagari.cat(parts, 1)

    def log_prob(self, input: Tensor) -> Tensor:
        """The log probabilities of all classes.

        Args:
            input (Tensor): ``(N, in_features)``.

        Returns:
            ``(N, n_classes)``.
        """
        return self._get_full_log_prob(input, self.head(input))

    def predict(self, input: Tensor) -> Tensor:
        """The class of the largest probability; clusters are opened only where they may hold it.

        Args:
            input (Tensor): ``(N, in_features)``.

        Returns:
            int64 ``(N,)``.
        """
        head_output = self.head(input)
        output = head_output.argmax(dim=1)
        rare = output >= self.shortlist_size
        if not bool(rare.any()):
            return output  # type: ignore[no-any-return]
        if bool(rare.all()):
            return self._get_full_log_prob(input, head_output).argmax(dim=1)
        best = self._get_full_log_prob(input[rare], head_output[rare]).argmax(dim=1)
        output[rare] = best
        return output  # type: ignore[no-any-return]
