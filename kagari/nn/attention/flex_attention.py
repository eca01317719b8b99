"""Attention whose scores are a function of their places, and block masks for it."""

from __future__ import annotations

import inspect
import itertools
import math
import warnings
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, NamedTuple, NoReturn

import kagari
from kagari import Tensor

__all__ = [
    "AuxOutput",
    "AuxRequest",
    "BlockMask",
    "and_masks",
    "create_block_mask",
    "create_mask",
    "flex_attention",
    "noop_mask",
    "or_masks",
]

ScoreMod = Callable[..., Tensor]  # (score, b, h, q_idx, kv_idx)
MaskMod = Callable[..., Tensor]  # (b, h, q_idx, kv_idx)

_DEFAULT_SPARSE_BLOCK_SIZE = 128
_LARGE_SPARSE_BLOCK_SIZE = 1 << 30


class AuxRequest(NamedTuple):
    """What :func:`flex_attention` gives besides its result.

    Attributes:
        lse (bool): the logarithm of the sum of the scores' exponentials.
        max_scores (bool): the largest score of each query.
    """

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What was asked for by an :class:`AuxRequest`; ``None`` where nothing was.

    Attributes:
        lse (Tensor, optional): ``(B, H, L)``.
        max_scores (Tensor, optional): ``(B, H, L)``.
    """

    lse: Tensor | None = None
    max_scores: Tensor | None = None


class _ModificationType(Enum):
    SCORE_MOD = 1
    MASK_MOD = 2


def _get_mod_type(fn: Any) -> _ModificationType:
    if hasattr(fn, "__code__"):
        count = fn.__code__.co_argcount - len(getattr(fn, "__defaults__", None) or ())
    else:
        parameters = inspect.signature(fn).parameters.values()
        count = sum(p.default is inspect.Parameter.empty for p in parameters)
    if count not in (4, 5):
        raise AssertionError(f"Expected 4 or 5 positional args, got {count}")
    return _ModificationType.SCORE_MOD if count == 5 else _ModificationType.MASK_MOD


def _places(shape: Sequence[int], device: Any) -> tuple[Tensor, ...]:
    """The indices of batch, head, query and key, of shapes that broadcast to all scores."""
    return tuple(
        kagari.arange(size, device=device).reshape([-1 if i == d else 1 for i in range(4)])
        for d, size in enumerate(shape)
    )


# ---- masks --------------------------------------------------------------------------------------


def noop_mask(batch: Tensor, head: Tensor, token_q: Tensor, token_kv: Tensor) -> Tensor:
    """The mask that hides nothing."""
    return batch.new_ones((), dtype=kagari.bool)


def _identity(score: Tensor, *places: Tensor) -> Tensor:
    return score


def _sliced_mask_mod_error(*places: Tensor) -> NoReturn:
    raise RuntimeError(
        "Cannot use mask_mod from a sliced BlockMask. When you slice a BlockMask using [], the "
        "mask_mod attribute is reset: set it from the original BlockMask's mask_mod, such as "
        "sliced.mask_mod = shifted(block_mask.mask_mod)"
    )


def _combined(mask_mods: tuple[MaskMod, ...], start: bool) -> MaskMod:
    if not all(callable(mod) for mod in mask_mods):
        raise RuntimeError(f"All inputs should be callable mask_mods: {mask_mods}")

    def combined(b: Tensor, h: Tensor, q_idx: Tensor, kv_idx: Tensor) -> Tensor:
        result = b.new_full((), start, dtype=kagari.bool)
        for mod in mask_mods:
            mask = mod(b, h, q_idx, kv_idx)
            result = result & mask if start else result | mask
        return result

    return combined


def or_masks(*mask_mods: MaskMod) -> MaskMod:
    """The mask that shows what any of some masks shows.

    Args:
        *mask_mods (callable): functions of ``(b, h, q_idx, kv_idx)``.

    Returns:
        Such a function.

    Raises:
        RuntimeError: one is not callable.
    """
    return _combined(mask_mods, False)


def and_masks(*mask_mods: MaskMod) -> MaskMod:
    """The mask that shows what all of some masks show.

    Args:
        *mask_mods (callable): functions of ``(b, h, q_idx, kv_idx)``.

    Returns:
        Such a function.

    Raises:
        RuntimeError: one is not callable.
    """
    return _combined(mask_mods, True)


def create_mask(
    mod_fn: Callable[..., Tensor],
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Any = None,
) -> Tensor:
    """A mask function as a tensor.

    Args:
        mod_fn (callable): of ``(b, h, q_idx, kv_idx)``, or of ``(score, b, h, q_idx, kv_idx)``,
            which hides where it gives minus infinity.
        B (int, optional): the batch; 1 by default.
        H (int, optional): the heads; 1 by default.
        Q_LEN (int): the number of queries.
        KV_LEN (int): the number of keys.
        device: where the mask lies.

    Returns:
        A bool tensor ``(B, H, Q_LEN, KV_LEN)``.

    Raises:
        AssertionError: the function takes another number of arguments.

    Example:
        >>> from kagari.nn.attention.flex_attention import create_mask
        >>> create_mask(lambda b, h, q, kv: q >= kv, None, None, 2, 3).int().tolist()
        [[[[1, 0, 0], [1, 1, 0]]]]
    """
    shape = (1 if B is None else B, 1 if H is None else H, Q_LEN, KV_LEN)
    places = _places(shape, device)
    if _get_mod_type(mod_fn) == _ModificationType.SCORE_MOD:
        scores = mod_fn(kagari.zeros(shape, device=device), *places)
        return (scores == -math.inf).logical_not().expand(shape)
    return mod_fn(*places).expand(shape)


# ---- block masks --------------------------------------------------------------------------------


def _dense_to_ordered(dense: Tensor) -> tuple[Tensor, Tensor]:
    """For each row of zeros and ones how many ones there are, and their places, then the zeros'."""
    ones = dense != 0
    count = ones.sum(-1)
    rank = kagari.where(
        ones, ones.cumsum(-1) - 1, count.unsqueeze(-1) + ones.logical_not().cumsum(-1) - 1
    )
    columns = kagari.arange(dense.size(-1), device=dense.device).expand(dense.shape)
    places = kagari.zeros_like(rank).scatter_(-1, rank, columns)
    return count.to(kagari.int32), places.to(kagari.int32)


def _ordered_to_dense(count: Tensor, places: Tensor, columns: int) -> Tensor:
    valid = kagari.arange(places.size(-1), device=places.device) < count.unsqueeze(-1)
    # What is not valid goes into a column that is cut off.
    target = kagari.where(valid, places.long(), columns)
    dense = kagari.zeros((*places.shape[:-1], columns + 1), dtype=kagari.int32)
    dense = dense.to(places.device).scatter_(-1, target, 1)
    return dense[..., :columns].contiguous()


def _transposed(count: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    dense = _ordered_to_dense(count, places, places.size(-1))
    return _dense_to_ordered(dense.transpose(-2, -1))


def _block_size(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


class BlockMask:
    """A mask in blocks: which blocks of keys each block of queries sees, in part or in full.

    Made by :func:`create_block_mask` or ``BlockMask.from_kv_blocks``.

    Attributes:
        seq_lengths (tuple of int): the numbers of queries and keys.
        kv_num_blocks (Tensor): int32 ``(B, H, rows)``, how many blocks are seen in part.
        kv_indices (Tensor): int32 ``(B, H, rows, columns)``, which ones, those first.
        full_kv_num_blocks (Tensor, optional): the same of blocks that are seen in full.
        full_kv_indices (Tensor, optional): which ones.
        q_num_blocks, q_indices, full_q_num_blocks, full_q_indices: the same by blocks of keys.
        BLOCK_SIZE (tuple of int): queries and keys of a block.
        mask_mod (callable): the mask within blocks that are seen in part.
        dq_write_order, dq_write_order_full, dq_kv_order, dq_kv_order_spt: kept as given; they
            concern kernels of other devices.

    Raises:
        RuntimeError: the indices have fewer than 2 dimensions.
        AssertionError: only one of a count and its indices is given.

    Reference: https://pytorch.org/docs/stable/nn.attention.flex_attention.html
    """

    _TENSORS = (
        "kv_num_blocks",
        "kv_indices",
        "full_kv_num_blocks",
        "full_kv_indices",
        "q_num_blocks",
        "q_indices",
        "full_q_num_blocks",
        "full_q_indices",
        "dq_write_order",
        "dq_write_order_full",
        "dq_kv_order",
    )

    def __init__(
        self,
        seq_lengths: tuple[int, int],
        kv_num_blocks: Tensor,
        kv_indices: Tensor,
        full_kv_num_blocks: Tensor | None,
        full_kv_indices: Tensor | None,
        q_num_blocks: Tensor | None,
        q_indices: Tensor | None,
        full_q_num_blocks: Tensor | None,
        full_q_indices: Tensor | None,
        BLOCK_SIZE: tuple[int, int] = (_DEFAULT_SPARSE_BLOCK_SIZE, _DEFAULT_SPARSE_BLOCK_SIZE),
        mask_mod: MaskMod = noop_mask,
        *,
        dq_write_order: Tensor | None = None,
        dq_write_order_full: Tensor | None = None,
        dq_kv_order: Tensor | None = None,
        dq_kv_order_spt: bool | None = None,
    ) -> None:
        if kv_indices.dim() < 2:
            raise RuntimeError("BlockMask must have at least 2 dimensions")
        for name, count, places in (
            ("kv", full_kv_num_blocks, full_kv_indices),
            ("q", full_q_num_blocks, full_q_indices),
        ):
            if (count is None) != (places is None):
                raise AssertionError(
                    f"full_{name}_num_blocks and full_{name}_indices must be both provided or "
                    "omitted"
                )
        if dq_write_order_full is not None and dq_write_order is None:
            raise ValueError("dq_write_order_full requires dq_write_order")
        self.seq_lengths = seq_lengths
        self.kv_num_blocks = kv_num_blocks
        self.kv_indices = kv_indices
        self.full_kv_num_blocks = full_kv_num_blocks
        self.full_kv_indices = full_kv_indices
        self.q_num_blocks = q_num_blocks
        self.q_indices = q_indices
        self.full_q_num_blocks = full_q_num_blocks
        self.full_q_indices = full_q_indices
        self.dq_write_order = dq_write_order
        self.dq_write_order_full = dq_write_order_full
        self.dq_kv_order = dq_kv_order
        self.dq_kv_order_spt = dq_kv_order_spt
        self.BLOCK_SIZE = BLOCK_SIZE
        self.mask_mod = mask_mod

    @classmethod
    def from_kv_blocks(
        cls,
        kv_num_blocks: Tensor,
        kv_indices: Tensor,
        full_kv_num_blocks: Tensor | None = None,
        full_kv_indices: Tensor | None = None,
        BLOCK_SIZE: int | tuple[int, int] = _DEFAULT_SPARSE_BLOCK_SIZE,
        mask_mod: MaskMod | None = None,
        seq_lengths: tuple[int, int] | None = None,
        compute_q_blocks: bool = True,
        *,
        dq_write_order: Tensor | None = None,
        dq_write_order_full: Tensor | None = None,
        dq_kv_order: Tensor | bool | None = None,
    ) -> BlockMask:
        """A block mask from the blocks of keys that each block of queries sees.

        Args:
            kv_num_blocks (Tensor): int32 ``(B, H, rows)``, how many are seen in part.
            kv_indices (Tensor): int32 ``(B, H, rows, columns)``, which ones, those first.
            full_kv_num_blocks (Tensor, optional): the same of those seen in full.
            full_kv_indices (Tensor, optional): which ones.
            BLOCK_SIZE (int or tuple of int): queries and keys of a block.
            mask_mod (callable, optional): the mask; none by default.
            seq_lengths (tuple of int, optional): queries and keys; whole blocks by default.
            compute_q_blocks (bool): fill in the same by blocks of keys.
            dq_write_order, dq_write_order_full, dq_kv_order: kept as given.

        Raises:
            RuntimeError: the indices have fewer than 2 dimensions.
            AssertionError: only one of a count and its indices is given.
            ValueError: ``dq_kv_order`` is something else.
        """
        if kv_indices.dim() < 2:
            raise RuntimeError("BlockMask must have at least 2 dimensions")
        if (full_kv_num_blocks is None) != (full_kv_indices is None):
            raise AssertionError(
                "full_kv_num_blocks and full_kv_indices must be both provided or omitted"
            )
        if dq_kv_order is not None and not isinstance(dq_kv_order, (bool, Tensor)):
            raise ValueError("dq_kv_order must be a bool, Tensor, or None")
        size = _block_size(BLOCK_SIZE)
        q: tuple[Tensor | None, Tensor | None] = (None, None)
        full_q: tuple[Tensor | None, Tensor | None] = (None, None)
        if compute_q_blocks:
            q = _transposed(kv_num_blocks, kv_indices)
            if full_kv_num_blocks is not None and full_kv_indices is not None:
                full_q = _transposed(full_kv_num_blocks, full_kv_indices)
        if seq_lengths is None:
            seq_lengths = (kv_indices.size(-2) * size[0], kv_indices.size(-1) * size[1])
        return cls(
            seq_lengths,
            kv_num_blocks,
            kv_indices,
            full_kv_num_blocks,
            full_kv_indices,
            *q,
            *full_q,
            BLOCK_SIZE=size,
            mask_mod=noop_mask if mask_mod is None else mask_mod,
            dq_write_order=dq_write_order,
            dq_write_order_full=dq_write_order_full,
            dq_kv_order=dq_kv_order if isinstance(dq_kv_order, Tensor) else None,
            dq_kv_order_spt=dq_kv_order if isinstance(dq_kv_order, bool) else None,
        )

    def as_tuple(self, flatten: bool = True) -> tuple[Any, ...]:
        """All attributes; ``flatten`` spreads the pairs of lengths and block sizes."""
        lengths: tuple[Any, ...] = self.seq_lengths if flatten else (self.seq_lengths,)
        size: tuple[Any, ...] = self.BLOCK_SIZE if flatten else (self.BLOCK_SIZE,)
        tensors = (getattr(self, name) for name in self._TENSORS)
        return (*lengths, *tensors, self.dq_kv_order_spt, *size, self.mask_mod)

    @property
    def shape(self) -> tuple[int, ...]:
        """``(B, H, queries, keys)``."""
        return (*self.kv_indices.shape[:-2], *self.seq_lengths)

    def numel(self) -> int:
        """The number of scores."""
        return math.prod(self.shape)

    def sparsity(self) -> float:
        """How much of the scores lies in blocks that are not seen, in percent."""
        blocks = int(self.kv_num_blocks.sum())
        if self.full_kv_num_blocks is not None:
            blocks += int(self.full_kv_num_blocks.sum())
        return 100 * (1 - blocks * self.BLOCK_SIZE[0] * self.BLOCK_SIZE[1] / self.numel())

    def to_dense(self) -> Tensor:
        """The blocks as an int32 matrix: 1 where one is seen."""
        dense = _ordered_to_dense(self.kv_num_blocks, self.kv_indices, self.kv_indices.size(-1))
        if self.full_kv_num_blocks is not None and self.full_kv_indices is not None:
            dense = dense | _ordered_to_dense(
                self.full_kv_num_blocks, self.full_kv_indices, self.full_kv_indices.size(-1)
            )
        return dense

    def to_string(self, grid_size: int | tuple[int, int] = (20, 20), limit: int = 4) -> str:
        """The blocks drawn: full, in part, or empty.

        Args:
            grid_size (int or tuple of int): the most rows and columns of the drawing.
            limit (int): the most batches and heads.
        """
        dense = self.to_dense()
        *batch, rows, columns = dense.shape
        if grid_size == -1:
            grid_size = (rows, columns)
        most = _block_size(grid_size)
        row_step, column_step = max(1, -(-rows // most[0])), max(1, -(-columns // most[1]))
        drawings = []
        for number, index in enumerate(itertools.product(*map(range, batch))):
            if number == limit:
                drawings += [
                    "...",
                    "To print out more, set BlockMask.to_string(limit=N)",
                    "You can also index (BlockMask[batch, head]) to choose a specific batch or "
                    "head",
                ]
                break
            drawing = f"{index}\n"
            for r in range(0, rows, row_step):
                for c in range(0, columns, column_step):
                    part = dense[index][r : r + row_step, c : c + column_step].float().mean()
                    drawing += {0.0: " ", 1.0: "█"}.get(part.item(), "░") * 2
                drawing += "\n"
            drawings.append(drawing)
        return "\n".join(drawings)

    def to(self, device: Any) -> BlockMask:
        """The mask on another device."""
        moved: dict[str, Any] = {
            name: None if t is None else t.to(device)
            for name, t in ((name, getattr(self, name)) for name in self._TENSORS)
        }
        return BlockMask(
            self.seq_lengths,
            **moved,
            BLOCK_SIZE=self.BLOCK_SIZE,
            mask_mod=self.mask_mod,
            dq_kv_order_spt=self.dq_kv_order_spt,
        )

    def _no_order(self, what: str) -> None:
        if self.dq_kv_order is not None or self.dq_write_order is not None:
            raise NotImplementedError(
                f"{what} BlockMask with dq_write_order or a tensor dq_kv_order is not supported; "
                "construct a new BlockMask with matching precomputed metadata"
            )

    def _like(
        self, blocks: tuple[Any, ...], mask_mod: MaskMod, lengths: tuple[int, int]
    ) -> BlockMask:
        kv, kv_indices, full_kv, full_kv_indices = blocks
        return BlockMask.from_kv_blocks(
            kv,
            kv_indices,
            full_kv,
            full_kv_indices,
            BLOCK_SIZE=self.BLOCK_SIZE,
            mask_mod=mask_mod,
            seq_lengths=lengths,
            compute_q_blocks=self.q_indices is not None,
            dq_kv_order=self.dq_kv_order_spt,
        )

    def __getitem__(self, index: Any) -> BlockMask:
        """Part of the batch, heads or blocks of queries; its ``mask_mod`` must be set anew."""
        self._no_order("Slicing")
        index = index if isinstance(index, tuple) else (index,)
        index = (*index, slice(None), slice(None), slice(None))[:3]
        # An int keeps its dimension.
        index = tuple(
            (slice(i + n, i + n + 1) if -n <= i < 0 else slice(i, i + 1))
            if isinstance(i, int)
            else i
            for i, n in zip(index, self.kv_num_blocks.shape[:3], strict=True)
        )
        blocks = tuple(
            None if t is None else t[index]
            for t in (
                self.kv_num_blocks,
                self.kv_indices,
                self.full_kv_num_blocks,
                self.full_kv_indices,
            )
        )
        return self._like(blocks, _sliced_mask_mod_error, self.seq_lengths)

    def _adjust(self, new_q_len: int, new_kv_len: int) -> BlockMask:
        """The upper left part of the mask."""
        self._no_order("Adjusting")
        rows = -(-new_q_len // self.BLOCK_SIZE[0])
        columns = -(-new_kv_len // self.BLOCK_SIZE[1])

        def cut(count: Tensor | None, places: Tensor | None) -> tuple[Any, Any]:
            if count is None or places is None:
                return None, None
            dense = _ordered_to_dense(count, places, places.size(-1))
            return _dense_to_ordered(dense[..., :rows, :columns])

        blocks = (
            *cut(self.kv_num_blocks, self.kv_indices),
            *cut(self.full_kv_num_blocks, self.full_kv_indices),
        )
        return self._like(blocks, self.mask_mod, (new_q_len, new_kv_len))

    def __str__(self) -> str:
        drawing = self.to_string().strip()
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%, \n{drawing}\n)"

    def __repr__(self) -> str:
        shapes = "".join(
            f"    {name}={None if getattr(self, name) is None else getattr(self, name).shape},\n"
            for name in self._TENSORS[:8]
        )
        return (
            f"BlockMask(\n{shapes}    BLOCK_SIZE={self.BLOCK_SIZE},\n    shape={self.shape},\n"
            f"    sparsity={self.sparsity():.2f}%,\n"
            f"    mask_mod={getattr(self.mask_mod, '__name__', self.mask_mod)}\n)"
        )


def create_block_mask(
    mask_mod: MaskMod,
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Any = None,
    BLOCK_SIZE: int | tuple[int, int] = _DEFAULT_SPARSE_BLOCK_SIZE,
    _compile: bool = False,
    separate_full_blocks: bool = True,
    compute_dq_write_order: bool = False,
    dq_kv_order: bool = True,
) -> BlockMask:
    """The block mask of a mask function.

    Args:
        mask_mod (callable): ``(b, h, q_idx, kv_idx)`` to whether the query sees the key.
        B (int, optional): the batch; 1, for all alike, by default.
        H (int, optional): the heads; 1, for all alike, by default.
        Q_LEN (int): the number of queries.
        KV_LEN (int): the number of keys.
        device: where the mask lies.
        BLOCK_SIZE (int or tuple of int): queries and keys of a block.
        _compile (bool): accepted as in PyTorch; the result does not depend on it.
        separate_full_blocks (bool): blocks that are seen in full are listed apart.
        compute_dq_write_order (bool): not supported; it concerns kernels of other devices.
        dq_kv_order (bool): part of that.

    Returns:
        A :class:`BlockMask`.

    Raises:
        AssertionError: the function takes another number of arguments.
        NotImplementedError: ``compute_dq_write_order`` is set.

    Example:
        >>> from kagari.nn.attention.flex_attention import create_block_mask
        >>> mask = create_block_mask(lambda b, h, q, kv: q >= kv, None, None, 4, 4, BLOCK_SIZE=2)
        >>> mask.to_dense().tolist(), mask.sparsity()
        ([[[[1, 0], [1, 1]]]], 25.0)
    """
    if _get_mod_type(mask_mod) != _ModificationType.MASK_MOD:
        raise AssertionError(f"create-block_mask requires a mask_mod function! Got {mask_mod}")
    if not isinstance(dq_kv_order, bool):
        raise ValueError("dq_kv_order must be a bool when using create_block_mask")
    if compute_dq_write_order:
        raise NotImplementedError(
            "create_block_mask: expected compute_dq_write_order=False, got True; the order of "
            "writes belongs to kernels that this device does not have"
        )
    rows, columns = _block_size(BLOCK_SIZE)
    mask = create_mask(mask_mod, B, H, Q_LEN, KV_LEN, device)
    q, kv = -(-Q_LEN // rows), -(-KV_LEN // columns)
    whole = kagari.zeros(
        (*mask.shape[:2], q * rows, kv * columns), dtype=kagari.bool, device=mask.device
    )
    whole[..., :Q_LEN, :KV_LEN] = mask
    seen = whole.reshape(*mask.shape[:2], q, rows, kv, columns).sum((3, 5))
    full = seen == rows * columns
    some = (seen > 0) & full.logical_not() if separate_full_blocks else seen > 0
    count, places = _dense_to_ordered(some)
    full_blocks = _dense_to_ordered(full) if separate_full_blocks else (None, None)
    return BlockMask.from_kv_blocks(
        count,
        places,
        full_blocks[0],
        full_blocks[1],
        BLOCK_SIZE=(rows, columns),
        mask_mod=mask_mod,
        seq_lengths=(Q_LEN, KV_LEN),
    )


# ---- attention ----------------------------------------------------------------------------------


def _check_inputs(query: Tensor, key: Tensor, value: Tensor, enable_gqa: bool) -> None:
    if not (query.device == key.device == value.device):
        raise ValueError(
            "Expected query, key, and value to have the same device type, but got query.device: "
            f"{query.device} key.device: {key.device} and value.device: {value.device} instead."
        )
    if query.dim() < 2 or key.dim() < 2 or value.dim() < 2:
        raise ValueError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query.dim()}, key.dim: {key.dim()} and value.dim: {value.dim()} instead."
        )
    if query.size(-1) != key.size(-1):
        raise ValueError(
            "Expect query and key/value to have the same embedding dimension but got "
            f"E={query.size(-1)} and E={key.size(-1)}."
        )
    if query.dim() != 4 or key.dim() != 4 or value.dim() != 4:
        raise NotImplementedError("NYI: query, key, and value must be 4D tensors")
    heads, kv_heads = query.size(1), key.size(1)
    if not enable_gqa and heads != kv_heads:
        raise ValueError(
            "Expect query and key/value to have the same number of heads but got "
            f"Hq={heads} and Hkv={kv_heads}. Try setting enable_gqa=True for GQA."
        )
    if enable_gqa and heads % kv_heads != 0:
        raise ValueError(
            "Expect number of query heads to be a multiple of kv heads for GQA but got "
            f"Hq={heads} and Hkv={kv_heads}."
        )


def _check_block_mask(query: Tensor, key: Tensor, mask: BlockMask) -> None:
    if mask.mask_mod is _sliced_mask_mod_error:
        raise RuntimeError("Cannot use mask_mod from a sliced BlockMask")
    if query.device != mask.kv_num_blocks.device:
        raise RuntimeError(
            "Expect q/k/v and block_mask to be on the same device but got "
            f"{query.device} and {mask.kv_num_blocks.device}."
        )
    if mask.BLOCK_SIZE == (_LARGE_SPARSE_BLOCK_SIZE,) * 2:  # one block for any length
        return
    lengths = (query.size(-2), key.size(-2))
    if lengths != tuple(mask.shape[-2:]):
        smaller = any(a > b for a, b in zip(lengths, mask.shape[-2:], strict=True))
        way_out = (
            "As the block mask was created for a smaller length than you're using it for, you "
            "likely need to create a new block mask."
            if smaller
            else "As the block mask was created for a larger length than you're using it for, you "
            "can create a new block mask, or crop it by block_mask._adjust(q_len, kv_len), which "
            "does not work for all mask_mods."
        )
        raise ValueError(
            f"block_mask was created for block_mask.shape={mask.shape} but got "
            f"q_len={lengths[0]} and kv_len={lengths[1]}. {way_out}"
        )


def _check_batches(query: Tensor, key: Tensor, mask: BlockMask | None) -> None:
    batch, kv_batch = query.size(0), key.size(0)
    if batch == kv_batch:
        return
    if mask is None:
        raise ValueError(
            "Expect query and key/value to have the same batch size, or non-none block_mask, but "
            f"got block_mask=None, Bq={batch}, and Bkv={kv_batch}."
        )
    if mask.kv_num_blocks.size(0) != batch:
        raise ValueError(
            "Expect query and key/value to have the same batch size, or block_mask and query to "
            f"have the same batch size, but got Bq={batch}, Bkv={kv_batch}, "
            f"B_block_mask={mask.kv_num_blocks.size(0)}."
        )
    if kv_batch != 1:
        raise RuntimeError(f"Bq and Bkv must broadcast. Got Bq={batch} and Bkv={kv_batch}")


def flex_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    score_mod: ScoreMod | None = None,
    block_mask: BlockMask | None = None,
    scale: float | None = None,
    enable_gqa: bool = False,
    return_lse: bool = False,
    kernel_options: Any = None,
    *,
    return_aux: AuxRequest | None = None,
) -> Any:
    r"""Attention with a function of the scores: softmax(f(Q K^T s)) V.

    ``score_mod`` and the mask's ``mask_mod`` are called once, with the indices as tensors that
    broadcast to the shape of the scores, ``b`` as ``(B, 1, 1, 1)`` and so on: they are written
    for one score, from operations that broadcast and from indexing tensors by all of it.

    Args:
        query (Tensor): Q, ``(B, H, L, E)``.
        key (Tensor): K, ``(B, H, S, E)``.
        value (Tensor): V, ``(B, H, S, V)``.
        score_mod (callable, optional): ``(score, b, h, q_idx, kv_idx)`` to a score.
        block_mask (BlockMask, optional): what the queries see.
        scale (float, optional): s; :math:`1 / \sqrt E` by default.
        enable_gqa (bool): groups of heads of queries share heads of keys and values.
        return_lse (bool): deprecated: also give the logarithm of the scores' sums.
        kernel_options (dict, optional): accepted as in PyTorch; the result does not depend on it.
        return_aux (AuxRequest, optional): what to give besides.

    Returns:
        ``(B, H, L, V)``, or that and what was asked for. Queries that see nothing give zeros.

    Raises:
        ValueError: shapes or devices do not fit each other or the mask.
        NotImplementedError: an input has not 4 dimensions.
        RuntimeError: the mask is a slice whose ``mask_mod`` was not set.

    Example:
        >>> import kagari
        >>> from kagari.nn.attention.flex_attention import flex_attention
        >>> x = kagari.randn(1, 2, 5, 4)
        >>> y = flex_attention(x, x, x, lambda score, b, h, q, kv: score - (q - kv).abs())
        >>> tuple(y.shape)
        (1, 2, 5, 4)

    Reference: Dong et al. 2024, https://arxiv.org/abs/2412.05496
    """
    _check_inputs(query, key, value, enable_gqa)
    _check_batches(query, key, block_mask)
    if block_mask is not None:
        _check_block_mask(query, key, block_mask)
    if return_lse and return_aux is not None:
        raise ValueError(
            "Cannot specify both return_lse and return_aux. return_lse is deprecated, please use "
            "return_aux=AuxRequest(lse=True) instead."
        )
    if return_lse:
        warnings.warn(
            "return_lse is deprecated; use return_aux=AuxRequest(lse=True) instead.",
            FutureWarning,
            stacklevel=2,
        )
    if scale is None:
        scale = 1.0 / math.sqrt(query.size(-1))
    groups = query.size(1) // key.size(1)
    if groups != 1:
        key, value = (kagari.repeat_interleave(t, groups, dim=1) for t in (key, value))
    wide = kagari.float64 if query.dtype == kagari.float64 else kagari.float32
    scores = query.to(wide) @ key.to(wide).transpose(-2, -1) * scale
    places = _places(scores.shape, scores.device)
    if score_mod is not None:
        scores = score_mod(scores, *places).to(wide)
    if block_mask is not None:
        scores = scores.masked_fill(block_mask.mask_mod(*places).logical_not(), -math.inf)
    # Rows without a key: softmax of finite numbers instead of 0 / 0, then zeros.
    blind = (scores == -math.inf).all(-1, keepdim=True)
    weights = scores.masked_fill(blind, 0.0).softmax(-1).masked_fill(blind, 0.0)
    result = weights.to(query.dtype) @ value.to(query.dtype)
    if not return_lse and return_aux is None:
        return result
    lse = most = None
    if return_lse or (return_aux is not None and return_aux.lse):
        seen = scores.masked_fill(blind, 0.0)
        top = seen.amax(-1, keepdim=True).detach()
        lse = (seen - top).exp().sum(-1).log() + top.squeeze(-1)
        lse = lse.masked_fill(blind.squeeze(-1), -math.inf)
    if return_aux is None:
        return result, lse
    if return_aux.max_scores:
        most = scores.amax(-1)
    return result, AuxOutput(lse, most)
