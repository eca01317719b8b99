"""Embedding layers."""

from __future__ import annotations

from typing import Any

import kagari
from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn import init
from kagari.nn.modules.module import Module
from kagari.nn.parameter import Parameter

__all__ = ["Embedding", "EmbeddingBag"]


class Embedding(Module):
    r"""A table of vectors, looked up by integers.

    Args:
        num_embeddings (int): V, number of vectors.
        embedding_dim (int): D, their size.
        padding_idx (int): a row that starts at zero and gets no gradient.
        max_norm (float): rows that are used and longer than this are shortened, in place.
        norm_type (float): the exponent of that length.
        scale_grad_by_freq (bool): divide a row's gradient by how often the batch uses it.
        sparse (bool): give the table a sparse gradient.
        device: where the table lies.
        dtype: its element type.

    Shape:
        integers of any shape to ``(..., D)``. ``weight`` is ``(V, D)`` and starts from
        :math:`\mathcal N(0, 1)`.

    Raises:
        AssertionError: ``padding_idx`` is not a row.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.Embedding(10, 3)
        >>> tuple(m(kagari.tensor([[1, 2, 4, 5], [4, 3, 2, 9]])).shape)
        (2, 4, 3)

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Embedding.html
    """

    __constants__ = [  # noqa: RUF012
        "num_embeddings",
        "embedding_dim",
        "padding_idx",
        "max_norm",
        "norm_type",
        "scale_grad_by_freq",
        "sparse",
    ]
    weight: Tensor

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise AssertionError("Padding_idx must be within num_embeddings")
            padding_idx %= num_embeddings
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        if _weight is None:
            table = kagari.empty((num_embeddings, embedding_dim), device=device, dtype=dtype)
            self.weight = Parameter(table, requires_grad=not _freeze)
            self.reset_parameters()
        else:
            if list(_weight.shape) != [num_embeddings, embedding_dim]:
                raise AssertionError(
                    "Shape of weight does not match num_embeddings and embedding_dim"
                )
            self.weight = Parameter(_weight, requires_grad=not _freeze)
        self.sparse = sparse

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        init.normal_(self.weight)
        self._fill_padding_idx_with_zero()

    def _fill_padding_idx_with_zero(self) -> None:
        if self.padding_idx is not None:
            with kagari.no_grad():
                self.weight[self.padding_idx].fill_(0)

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq is not False:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        if self.sparse is not False:
            text += ", sparse=True"
        return text

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """An embedding with a given table.

        Args:
            embeddings (Tensor): ``(V, D)``; the layer shares its memory.
            freeze (bool): compute no gradient for it.
            padding_idx (int): see the class.
            max_norm (float): see the class.
            norm_type (float): see the class.
            scale_grad_by_freq (bool): see the class.
            sparse (bool): see the class.

        Raises:
            AssertionError: the table does not have 2 dimensions.

        Example:
            >>> import kagari
            >>> from kagari import nn
            >>> m = nn.Embedding.from_pretrained(kagari.eye(2))
            >>> m(kagari.tensor([1])).tolist(), m.weight.requires_grad
            ([[0.0, 1.0]], False)
        """
        if embeddings.dim() != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, columns = embeddings.shape
        return cls(
            num_embeddings=rows,
            embedding_dim=columns,
            _weight=embeddings,
            _freeze=freeze,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
        )


class EmbeddingBag(Module):
    r"""Sums, means or maxima of a table's rows over bags of integers.

    Args:
        num_embeddings (int): V, number of vectors.
        embedding_dim (int): D, their size.
        max_norm (float): rows that are used and longer than this are shortened, in place.
        norm_type (float): the exponent of that length.
        scale_grad_by_freq (bool): divide a row's gradient by how often the batch uses it; not for
            ``"max"``.
        mode (str): ``"sum"``, ``"mean"`` or ``"max"``.
        sparse (bool): give the table a sparse gradient; not for ``"max"``.
        include_last_offset (bool): ``offsets`` ends with the end of the last bag.
        padding_idx (int): a row that starts at zero and counts for nothing.
        device: where the table lies.
        dtype: its element type.

    Shape:
        integers ``(B, L)``, or ``(L,)`` with offsets ``(B,)``, to ``(B, D)``. ``weight`` is
        ``(V, D)`` and starts from :math:`\mathcal N(0, 1)`.

    Raises:
        AssertionError: ``padding_idx`` is not a row.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.EmbeddingBag(10, 3, mode="sum")
        >>> tuple(m(kagari.tensor([1, 2, 4, 5]), kagari.tensor([0, 3])).shape)
        (2, 3)

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.EmbeddingBag.html
    """

    __constants__ = [  # noqa: RUF012
        "num_embeddings",
        "embedding_dim",
        "max_norm",
        "norm_type",
        "scale_grad_by_freq",
        "mode",
        "sparse",
        "include_last_offset",
        "padding_idx",
    ]

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise AssertionError("padding_idx must be within num_embeddings")
            padding_idx %= num_embeddings
        self.padding_idx = padding_idx
        if _weight is None:
            table = kagari.empty((num_embeddings, embedding_dim), device=device, dtype=dtype)
            self.weight = Parameter(table)
            self.reset_parameters()
        else:
            if list(_weight.shape) != [num_embeddings, embedding_dim]:
                raise AssertionError(
                    "Shape of weight does not match num_embeddings and embedding_dim"
                )
            self.weight = Parameter(_weight)
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset

    def reset_parameters(self) -> None:
        """Draws new initial values."""
        init.normal_(self.weight)
        self._fill_padding_idx_with_zero()

    def _fill_padding_idx_with_zero(self) -> None:
        if self.padding_idx is not None:
            with kagari.no_grad():
                self.weight[self.padding_idx].fill_(0)

    def forward(
        self,
        input: Tensor,
        offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
    ) -> Tensor:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq is not False:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        text += f", mode={self.mode!r}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        return text

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """A layer with a given table.

        Args:
            embeddings (Tensor): ``(V, D)``; the layer shares its memory.
            freeze (bool): compute no gradient for it.
            max_norm (float): see the class.
            norm_type (float): see the class.
            scale_grad_by_freq (bool): see the class.
            mode (str): see the class.
            sparse (bool): see the class.
            include_last_offset (bool): see the class.
            padding_idx (int): see the class.

        Raises:
            AssertionError: the table does not have 2 dimensions.

        Example:
            >>> import kagari
            >>> from kagari import nn
            >>> m = nn.EmbeddingBag.from_pretrained(kagari.eye(2), mode="sum")
            >>> m(kagari.tensor([[1, 0]])).tolist(), m.weight.requires_grad
            ([[1.0, 1.0]], False)
        """
        if embeddings.dim() != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, columns = embeddings.shape
        bag = cls(
            num_embeddings=rows,
            embedding_dim=columns,
            _weight=embeddings,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            mode=mode,
            sparse=sparse,
            include_last_offset=include_last_offset,
            padding_idx=padding_idx,
        )
        bag.weight.requires_grad = not freeze
        return bag
