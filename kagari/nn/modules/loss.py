"""Loss layers; the formulas stand with the functions of the same family in ``functional``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from kagari import Tensor
from kagari.nn import _reduction as _Reduction
from kagari.nn import functional as F
from kagari.nn.modules.distance import PairwiseDistance
from kagari.nn.modules.linear import Linear
from kagari.nn.modules.module import Module

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "CosineEmbeddingLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "LinearCrossEntropyLoss",
    "MSELoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "NLLLoss",
    "NLLLoss2d",
    "PoissonNLLLoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class _Loss(Module):
    __constants__ = ["reduction"]  # noqa: RUF012
    reduction: str

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = _Reduction.legacy_get_string(size_average, reduce)
        self.reduction = reduction


class _WeightedLoss(_Loss):
    weight: Any

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class L1Loss(_Loss):
    r"""Absolute error: :math:`|x - y|`.

    Args:
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.L1Loss()(kagari.tensor([1.0, 3.0]), kagari.zeros(2)).item()
        2.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    r"""Squared error: :math:`(x - y)^2`.

    Args:
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> nn.MSELoss()(kagari.tensor([1.0, 3.0]), kagari.zeros(2)).item()
        5.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """Squared error near zero, absolute error beyond; :func:`~kagari.nn.functional.smooth_l1_loss`.

    Args:
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.
        beta (float): where the two parts meet.

    Example:
        >>> import kagari
        >>> kagari.nn.SmoothL1Loss()(kagari.tensor([0.5, 3.0]), kagari.zeros(2))
        tensor(1.3125)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    r"""Squared error near zero, linear beyond; see :func:`~kagari.nn.functional.huber_loss`.

    Args:
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.
        delta (float): where the two parts meet.

    Raises:
        TypeError: ``delta`` is not a number.

    Example:
        >>> import kagari
        >>> kagari.nn.HuberLoss()(kagari.tensor([0.5, 3.0]), kagari.zeros(2))
        tensor(1.3125)
    """

    __constants__ = ["reduction", "delta"]  # noqa: RUF012

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        if not isinstance(delta, (float, int)):
            raise TypeError(f"delta must be a float or int, got: {type(delta)}")
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class NLLLoss(_WeightedLoss):
    r"""Negative log likelihood: :math:`-w_y x_y`.

    Args:
        weight (Tensor): weights of classes ``(C,)``.
        size_average: deprecated, see ``reduction``.
        ignore_index (int): a target that counts for nothing.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"`` (weighted), ``"sum"`` or ``"none"``.

    Shape:
        log probabilities ``(N, C, ...)`` and classes ``(N, ...)``.

    Example:
        >>> import kagari
        >>> scores = kagari.tensor([[2.0, 1.0, 0.0]]).log_softmax(1)
        >>> kagari.nn.NLLLoss()(scores, kagari.tensor([0]))
        tensor(0.4076)
    """

    __constants__ = ["ignore_index", "reduction"]  # noqa: RUF012

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class NLLLoss2d(NLLLoss):
    """Deprecated name of :class:`NLLLoss`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        import warnings

        warnings.warn(
            "NLLLoss2d has been deprecated. Please use NLLLoss instead as a drop-in replacement "
            "and see the docs of NLLLoss for more details.",
            FutureWarning,
            stacklevel=2,
        )
        super().__init__(*args, **kwargs)


class CrossEntropyLoss(_WeightedLoss):
    r"""Cross entropy of logits: :math:`-w_y \log(e^{x_y} / \sum_c e^{x_c})`.

    Args:
        weight (Tensor): weights of classes ``(C,)``.
        size_average: deprecated, see ``reduction``.
        ignore_index (int): a target that counts for nothing.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"`` (weighted), ``"sum"`` or ``"none"``.
        label_smoothing (float): the part of the target spread evenly over the classes.

    Shape:
        logits ``(N, C, ...)`` and classes ``(N, ...)`` or probabilities of the logits' shape.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> round(nn.CrossEntropyLoss()(kagari.zeros(1, 2), kagari.tensor([1])).item(), 4)
        0.6931
    """

    __constants__ = ["ignore_index", "reduction", "label_smoothing"]  # noqa: RUF012

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class LinearCrossEntropyLoss(_WeightedLoss):
    """Cross entropy of a linear layer's logits.

    Args:
        in_features (int): size of each input.
        num_classes (int): C.
        out_features (tuple): further sizes of the logits.
        bias (bool): whether the layer has a bias.
        device: where the parameters lie.
        dtype: their element type.
        reduction (str): ``"mean"`` (weighted), ``"sum"`` or ``"none"``.
        weight (Tensor): weights of classes ``(C,)``.
        ignore_index (int): a target class that counts for nothing.
        label_smoothing (float): the part of the target spread evenly over the classes.
        options (LinearCrossEntropyOptions): compute the logits of a few inputs at a time.

    Raises:
        RuntimeError: the weight's shape or the smoothing is not allowed.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.LinearCrossEntropyLoss(4, 3)
        >>> layer(kagari.zeros(2, 4), kagari.tensor([0, 2])).detach()
        tensor(1.0986)
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: Any = None,
    ) -> None:
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise RuntimeError(
                f"expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}"
            )
        if label_smoothing < 0 or label_smoothing > 1.0:
            raise RuntimeError(
                f"expected label_smoothing to be in range [0, 1], got {label_smoothing}"
            )
        super().__init__(weight=weight, reduction=reduction)
        self.num_classes = num_classes
        self.out_features = out_features
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        self.linear = Linear(
            in_features,
            math.prod(out_features, start=num_classes),
            bias=bias,
            device=device,
            dtype=dtype,
        )
        self.options = options

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        sizes = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape(*sizes, self.linear.in_features),
            target,
            linear_bias=None if bias is None else bias.reshape(sizes),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )


class BCELoss(_WeightedLoss):
    r"""Cross entropy of probabilities: :math:`-w (y \log x + (1 - y) \log(1 - x))`.

    Args:
        weight (Tensor): weights, broadcast to the target's shape.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> import kagari
        >>> kagari.nn.BCELoss()(kagari.tensor([0.9, 0.2]), kagari.tensor([1.0, 0.0]))
        tensor(0.1643)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    r"""Cross entropy of logits for two classes, more exact than :class:`BCELoss` of a sigmoid.

    Args:
        weight (Tensor): weights, broadcast to the target's shape.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight (Tensor): the weight of positive examples, broadcast.

    Example:
        >>> import kagari
        >>> kagari.nn.BCEWithLogitsLoss()(kagari.tensor([2.0, -1.0]), kagari.tensor([1.0, 0.0]))
        tensor(0.2201)
    """

    weight: Any
    pos_weight: Any

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input,
            target,
            self.weight,
            pos_weight=self.pos_weight,
            reduction=self.reduction,
        )


class KLDivLoss(_Loss):
    r"""Kullback-Leibler divergence, pointwise: :math:`y (\log y - x)`.

    Args:
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"batchmean"`` (the divergence), ``"mean"``, ``"sum"`` or ``"none"``.
        log_target (bool): the target holds log probabilities.

    Example:
        >>> import kagari
        >>> p, q = kagari.tensor([[0.5, 0.5]]), kagari.tensor([[0.25, 0.75]])
        >>> kagari.nn.KLDivLoss(reduction="batchmean")(q.log(), p)
        tensor(0.1438)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(_Loss):
    r"""Negative log likelihood of counts: :math:`e^x - y x`.

    Args:
        log_input (bool): the input is the logarithm of the expected counts.
        full (bool): add the term of the counts alone.
        size_average: deprecated, see ``reduction``.
        eps (float): added in the logarithm without ``log_input``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> import kagari
        >>> kagari.nn.PoissonNLLLoss()(kagari.tensor([0.0, 1.0]), kagari.tensor([1.0, 2.0]))
        tensor(0.8591)
    """

    __constants__ = ["log_input", "full", "eps", "reduction"]  # noqa: RUF012

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return F.poisson_nll_loss(
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(_Loss):
    r"""Negative log likelihood of a normal: :math:`(\log v + (x - y)^2 / v) / 2`.

    Args:
        full (bool): add :math:`\log(2 \pi) / 2`.
        eps (float): the variances are raised to this.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> import kagari
        >>> kagari.nn.GaussianNLLLoss()(kagari.zeros(2), kagari.ones(2), kagari.ones(2))
        tensor(0.5000)
    """

    __constants__ = ["full", "eps", "reduction"]  # noqa: RUF012

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(None, None, reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )


class HingeEmbeddingLoss(_Loss):
    r"""A distance for alike pairs, a hinge for others.

    Args:
        margin (float): the distance that unlike pairs shall have.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> import kagari
        >>> kagari.nn.HingeEmbeddingLoss()(kagari.tensor([0.5, 0.5]), kagari.tensor([1.0, -1.0]))
        tensor(0.5000)
    """

    __constants__ = ["margin", "reduction"]  # noqa: RUF012

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class MarginRankingLoss(_Loss):
    r"""Ranks pairs: :math:`\max(0, -y (x_1 - x_2) + \text{margin})`.

    Args:
        margin (float): by how much the right one shall be greater.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> import kagari
        >>> a, b = kagari.tensor([1.0, 1.0]), kagari.tensor([0.0, 2.0])
        >>> kagari.nn.MarginRankingLoss()(a, b, kagari.ones(2))
        tensor(0.5000)
    """

    __constants__ = ["margin", "reduction"]  # noqa: RUF012

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.margin_ranking_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class CosineEmbeddingLoss(_Loss):
    r"""Brings alike pairs together by angle and unlike ones apart.

    Args:
        margin (float): the cosine that unlike pairs may have, between -1 and 1.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> import kagari
        >>> a, b = kagari.tensor([[1.0, 0.0]]), kagari.tensor([[0.0, 1.0]])
        >>> kagari.nn.CosineEmbeddingLoss()(a, b, kagari.tensor([1.0]))
        tensor(1.)
    """

    __constants__ = ["margin", "reduction"]  # noqa: RUF012

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.cosine_embedding_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class SoftMarginLoss(_Loss):
    r"""Logistic loss: :math:`\log(1 + e^{-y x})`.

    Args:
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> import kagari
        >>> kagari.nn.SoftMarginLoss()(kagari.zeros(2), kagari.tensor([1.0, -1.0]))
        tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    r"""Mean over classes of the binary cross entropy of logits.

    Args:
        weight (Tensor): weights of classes ``(C,)``.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> import kagari
        >>> kagari.nn.MultiLabelSoftMarginLoss()(kagari.zeros(1, 2), kagari.tensor([[1.0, 0.0]]))
        tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_soft_margin_loss(
            input, target, weight=self.weight, reduction=self.reduction
        )


class MultiLabelMarginLoss(_Loss):
    r"""Hinge loss for several classes; see :func:`~kagari.nn.functional.multilabel_margin_loss`.

    Args:
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> import kagari
        >>> x, y = kagari.tensor([[0.1, 0.2, 0.4, 0.8]]), kagari.tensor([[3, 0, -1, 1]])
        >>> kagari.nn.MultiLabelMarginLoss()(x, y)
        tensor(0.8500)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiMarginLoss(_WeightedLoss):
    r"""Hinge loss for classes: :math:`\sum_{c \ne y} w_y \max(0, m - x_y + x_c)^p / C`.

    Args:
        p (int): 1 or 2.
        margin (float): :math:`m`.
        weight (Tensor): weights of classes ``(C,)``.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: ``p`` or the weight's dimensions are not allowed.

    Example:
        >>> import kagari
        >>> kagari.nn.MultiMarginLoss()(kagari.tensor([[0.1, 0.2, 0.7]]), kagari.tensor([2]))
        tensor(0.3000)
    """

    __constants__ = ["p", "margin", "reduction"]  # noqa: RUF012

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p != 1 and p != 2:
            raise ValueError("only p == 1 and p == 2 supported")
        if weight is not None and weight.dim() != 1:
            raise ValueError(
                "MultiMarginLoss: expected weight to be None or 1D tensor, "
                f"got {weight.dim()}D instead"
            )
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multi_margin_loss(
            input,
            target,
            p=self.p,
            margin=self.margin,
            weight=self.weight,
            reduction=self.reduction,
        )


class TripletMarginLoss(_Loss):
    r"""Brings an anchor nearer to the positive than to the negative example.

    Args:
        margin (float): by how much; positive.
        p (float): the norm's exponent.
        eps (float): added to the differences.
        swap (bool): take the nearer of anchor and positive for the distance to the negative.
        size_average: deprecated, see ``reduction``.
        reduce: deprecated, see ``reduction``.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the margin is not positive.

    Example:
        >>> import kagari
        >>> a, p, n = kagari.zeros(1, 2), kagari.tensor([[0.0, 1.0]]), kagari.tensor([[3.0, 4.0]])
        >>> kagari.nn.TripletMarginLoss(margin=5.0)(a, p, n)
        tensor(1.0000)
    """

    __constants__ = ["margin", "p", "eps", "swap", "reduction"]  # noqa: RUF012

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if margin <= 0:
            raise ValueError(
                f"TripletMarginLoss: expected margin to be greater than 0, got {margin} instead"
            )
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(_Loss):
    """:class:`TripletMarginLoss` with a distance of one's own.

    Args:
        distance_function: of two tensors; :class:`PairwiseDistance` by default.
        margin (float): by how much; positive.
        swap (bool): take the nearer of anchor and positive for the distance to the negative.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the margin is not positive.

    Example:
        >>> import kagari
        >>> loss = kagari.nn.TripletMarginWithDistanceLoss(
        ...     distance_function=lambda x, y: (x - y).abs().sum(1), margin=5.0
        ... )
        >>> loss(kagari.zeros(1, 2), kagari.ones(1, 2), kagari.ones(1, 2) * 2)
        tensor(3.)
    """

    __constants__ = ["margin", "swap", "reduction"]  # noqa: RUF012

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        if margin <= 0:
            raise ValueError(
                "TripletMarginWithDistanceLoss: expected margin to be greater than 0, "
                f"got {margin} instead"
            )
        self.distance_function = (
            PairwiseDistance() if distance_function is None else distance_function
        )
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


class CTCLoss(_Loss):
    """Negative log likelihood of a label sequence over all its alignments with the input.

    Args:
        blank (int): the class of no label.
        reduction (str): ``"mean"``, ``"sum"`` or ``"none"``.
        zero_infinity (bool): count impossible alignments as zero.

    Example:
        >>> import kagari
        >>> scores = kagari.zeros(4, 1, 3).log_softmax(2)  # length, batch, classes; 0 is blank
        >>> kagari.nn.CTCLoss()(scores, kagari.tensor([[1, 2]]), [4], [2])
        tensor(0.8432)

    Reference: Graves et al. 2006, "Connectionist temporal classification".
    """

    __constants__ = ["blank", "reduction"]  # noqa: RUF012

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any
    ) -> Tensor:
        return F.ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            self.blank,
            self.reduction,
            self.zero_infinity,
        )
