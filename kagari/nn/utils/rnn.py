"""Sequences of different lengths in one tensor: padded, or packed without gaps."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, NamedTuple

import kagari
from kagari import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence_(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(PackedSequence_):
    """Sequences packed step by step: all first elements, then all second ones, and so on.

    Made by :func:`pack_sequence` and :func:`pack_padded_sequence`, and taken by recurrent layers.

    Attributes:
        data (Tensor): ``(sum of lengths, ...)``.
        batch_sizes (Tensor): int64 on the CPU, how many sequences reach each step; never grows.
        sorted_indices (Tensor, optional): where each sequence, longest first, came from.
        unsorted_indices (Tensor, optional): the inverse of that permutation.

    Example:
        >>> import kagari
        >>> from kagari.nn.utils.rnn import pack_sequence
        >>> packed = pack_sequence([kagari.tensor([1, 2, 3]), kagari.tensor([4])])
        >>> packed.data.tolist(), packed.batch_sizes.tolist()
        ([1, 4, 2, 3], [2, 1, 1])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.PackedSequence.html
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        elif batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU; let pack_sequence or pack_padded_sequence "
                "make a PackedSequence"
            )
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """``data`` converted as by ``Tensor.to``; the permutations follow to its device."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        indices = [
            i if i is None else i.to(data.device)
            for i in (self.sorted_indices, self.unsorted_indices)
        ]
        return type(self)(data, self.batch_sizes, *indices)

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The sequences on the CPU."""
        return self.to(*args, **{**kwargs, "device": "cpu"})

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The sequences on a GPU."""
        return self.to(*args, **{"device": "cuda", **kwargs})

    def pin_memory(self) -> PackedSequence:
        """The sequences in pinned memory."""
        indices = [
            i if i is None else i.pin_memory() for i in (self.sorted_indices, self.unsorted_indices)
        ]
        return type(self)(self.data.pin_memory(), self.batch_sizes, *indices)

    def double(self) -> PackedSequence:
        return self.to(dtype=kagari.float64)

    def float(self) -> PackedSequence:
        return self.to(dtype=kagari.float32)

    def half(self) -> PackedSequence:
        return self.to(dtype=kagari.float16)

    def long(self) -> PackedSequence:
        return self.to(dtype=kagari.int64)

    def int(self) -> PackedSequence:
        return self.to(dtype=kagari.int32)

    def short(self) -> PackedSequence:
        return self.to(dtype=kagari.int16)

    def char(self) -> PackedSequence:
        return self.to(dtype=kagari.int8)

    def byte(self) -> PackedSequence:
        return self.to(dtype=kagari.uint8)

    @property
    def is_cuda(self) -> bool:
        """Whether ``data`` lies on a GPU."""
        return self.data.is_cuda

    def is_pinned(self) -> bool:
        """Whether ``data`` lies in pinned memory."""
        return bool(self.data.is_pinned())


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another; ``None`` for ``None``.

    Example:
        >>> import kagari
        >>> invert_permutation(kagari.tensor([2, 0, 1])).tolist()
        [1, 2, 0]
    """
    if permutation is None:
        return None
    places = kagari.arange(permutation.numel(), device=permutation.device)
    return kagari.empty_like(permutation).scatter_(0, permutation, places)


def _rows(batch_sizes: list[int], batch: int) -> Tensor:
    """Where the packed elements lie in ``(length * batch, ...)``."""
    steps = [kagari.arange(t * batch, t * batch + n) for t, n in enumerate(batch_sizes)]
    return kagari.cat(steps)


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | list[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Packs padded sequences.

    Args:
        input (Tensor): ``(length, batch, ...)``.
        lengths (Tensor or list of int): the sequences' lengths.
        batch_first (bool): ``input`` is ``(batch, length, ...)``.
        enforce_sorted (bool): the sequences come longest first; ``False`` sorts them.

    Returns:
        A :class:`PackedSequence`; gradients flow through it.

    Raises:
        RuntimeError: ``lengths`` has another size than the batch, is not sorted although it should
            be, holds a length that is not positive or that exceeds the input's.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([[1, 2, 3], [4, 0, 0]])
        >>> pack_padded_sequence(x, [3, 1], batch_first=True).data.tolist()
        [1, 4, 2, 3]
    """
    lengths = kagari.as_tensor(lengths, dtype=kagari.int64)
    sorted_indices = None
    if not enforce_sorted:
        given = lengths.tolist()
        order = sorted(range(len(given)), key=lambda i: -given[i])
        lengths = kagari.tensor([given[i] for i in order])
        sorted_indices = kagari.tensor(order, device=input.device)
        input = input.index_select(0 if batch_first else 1, sorted_indices)
    if batch_first:
        input = input.transpose(0, 1)
    if input.numel() == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    if lengths.device.type != "cpu" or lengths.dim() != 1:
        raise RuntimeError(
            "'lengths' argument should be a 1D CPU int64 tensor, but got "
            f"{lengths.dim()}D {lengths.device} Long tensor"
        )
    longest, batch = input.size(0), input.size(1)
    sizes = lengths.tolist()
    if len(sizes) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(sizes)} "
            f"(batch_size={batch})"
        )
    if sizes[-1] <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' "
            "that is <= 0"
        )
    if any(a < b for a, b in itertools.pairwise(sizes)):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. "
            "You can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to "
            "sidestep this requirement if you do not need ONNX exportability."
        )
    if sizes[0] > longest:
        raise RuntimeError(
            f"pack_padded_sequence: expected lengths up to the input's {longest}, got {sizes[0]}"
        )
    counts, reaching = [], batch
    for t in range(sizes[0]):
        while sizes[reaching - 1] <= t:
            reaching -= 1
        counts.append(reaching)
    flat = input.reshape(longest * batch, *input.shape[2:])
    data = flat.index_select(0, _rows(counts, batch).to(input.device))
    return PackedSequence(data, kagari.tensor(counts), sorted_indices, None)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Pads packed sequences: the inverse of :func:`pack_padded_sequence`.

    Args:
        sequence (PackedSequence): the sequences.
        batch_first (bool): give ``(batch, length, ...)``.
        padding_value (float): what follows the shorter sequences.
        total_length (int, optional): the length of the result; that of the longest by default.

    Returns:
        ``(length, batch, ...)``, and the lengths.

    Raises:
        ValueError: ``total_length`` is shorter than the longest sequence.

    Example:
        >>> import kagari
        >>> packed = pack_sequence([kagari.tensor([1, 2, 3]), kagari.tensor([4])])
        >>> x, lengths = pad_packed_sequence(packed, batch_first=True)
        >>> x.tolist(), lengths.tolist()
        ([[1, 2, 3], [4, 0, 0]], [3, 1])
    """
    data, counts = sequence.data, sequence.batch_sizes.tolist()
    longest = len(counts)
    if total_length is not None:
        if total_length < longest:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in "
                f"input, but got total_length={total_length} and max sequence length being "
                f"{longest}"
            )
        longest = total_length
    batch = counts[0]
    padded = kagari.full(
        (longest * batch, *data.shape[1:]), padding_value, dtype=data.dtype, device=data.device
    ).index_copy(0, _rows(counts, batch).to(data.device), data)
    padded = padded.reshape(longest, batch, *data.shape[1:])
    if batch_first:
        padded = padded.transpose(0, 1)
    ends: list[int] = []
    for t in range(len(counts), 0, -1):
        ends += [t] * (counts[t - 1] - len(ends))
    lengths = kagari.tensor(ends)
    if sequence.unsorted_indices is not None:
        back = sequence.unsorted_indices
        return padded.index_select(0 if batch_first else 1, back), lengths[back.cpu()]
    return padded, lengths


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Stacks sequences, padded to the length of the longest.

    Args:
        sequences (iterable of Tensor): ``(length, ...)`` each.
        batch_first (bool): give ``(batch, length, ...)``.
        padding_value (float): what fills the shorter sequences up.
        padding_side (str): ``"right"`` or ``"left"``.

    Returns:
        ``(length, batch, ...)``.

    Raises:
        RuntimeError: no sequences, sequences that differ in more than their length, or another
            ``padding_side``.

    Example:
        >>> import kagari
        >>> pad_sequence([kagari.tensor([1, 2]), kagari.tensor([3])], batch_first=True).tolist()
        [[1, 2], [3, 0]]
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    if padding_side not in ("left", "right"):
        raise RuntimeError(
            f"Expected padding_side to be one of left or right, but got {padding_side}"
        )
    parts = tuple(sequences)
    if not parts:
        raise RuntimeError("received an empty list of sequences")
    longest = max(s.size(0) for s in parts)
    padded = []
    for s in parts:
        if s.shape[1:] != parts[0].shape[1:]:
            raise RuntimeError(
                "pad_sequence: expected sequences that differ in length only, got "
                f"{tuple(parts[0].shape)} and {tuple(s.shape)}"
            )
        more = longest - s.size(0)
        sides = (more, 0) if padding_side == "left" else (0, more)
        s = s.to(parts[0].dtype)
        padded.append(
            kagari.constant_pad_nd(s, [0, 0] * (s.dim() - 1) + list(sides), padding_value)
            if more
            else s
        )
    return kagari.stack(padded, 0 if batch_first else 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """Cuts padded sequences back to their lengths.

    Args:
        padded_sequences (Tensor): ``(length, batch, ...)``.
        lengths (Tensor): the lengths.
        batch_first (bool): ``padded_sequences`` is ``(batch, length, ...)``.

    Returns:
        A list of ``(length, ...)``.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([[1, 2], [3, 0]])
        >>> [s.tolist() for s in unpad_sequence(x, kagari.tensor([2, 1]), batch_first=True)]
        [[1, 2], [3]]
    """
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [
        s[:n].clone() for s, n in zip(padded_sequences.unbind(0), lengths.tolist(), strict=True)
    ]


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Packs sequences of different lengths.

    Args:
        sequences (list of Tensor): ``(length, ...)`` each.
        enforce_sorted (bool): the sequences come longest first; ``False`` sorts them.

    Returns:
        A :class:`PackedSequence`.

    Example:
        >>> import kagari
        >>> pack_sequence([kagari.tensor([1, 2]), kagari.tensor([3])]).data.tolist()
        [1, 3, 2]
    """
    lengths = [s.size(0) for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that were packed.

    Example:
        >>> import kagari
        >>> packed = pack_sequence([kagari.tensor([1, 2]), kagari.tensor([3])])
        >>> [s.tolist() for s in unpack_sequence(packed)]
        [[1, 2], [3]]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
