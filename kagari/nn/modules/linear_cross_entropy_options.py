"""How a linear layer's cross entropy is computed in chunks."""

from __future__ import annotations

import math
import re

import kagari

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

__all__ = ["LinearCrossEntropyOptions"]

_FIELDS = (
    "allow_retain_graph",
    "batch_chunk_size",
    "chunking_method",
    "acc_policy",
    "acc_dtype",
)


# Written out: a dataclass would cost the start of every program a tenth of its time.
class LinearCrossEntropyOptions:
    """Asks :func:`linear_cross_entropy` to compute the logits of a few inputs at a time.

    All logits together never exist, and are computed a second time for the gradient. Higher
    derivatives are those of the computation at once.

    Args:
        allow_retain_graph (bool): has no effect: gradients may be asked for more than once.
        batch_chunk_size (int): inputs of a chunk; by ``chunking_method`` where None.
        chunking_method (str): ``"aspect_ratio:r"`` takes chunks whose logits are about r times as
            many as the inputs' features; ``"auto"`` is ``"aspect_ratio:2"``; None is one chunk.
        acc_policy (str): ``"compact"`` adds the weight's gradient up in its own dtype; the others,
            ``"accurate"``, ``"balanced"`` and ``"auto"``, do so in at least float32.
        acc_dtype (dtype): the dtype to add up in, before ``acc_policy``.

    Raises:
        ValueError: a value that is not allowed.

    Example:
        >>> from kagari import nn
        >>> nn.LinearCrossEntropyOptions(batch_chunk_size=2).batch_chunk_size
        2
    """

    allow_retain_graph: bool
    batch_chunk_size: int | None
    chunking_method: str | None
    acc_policy: Literal["accurate", "balanced", "compact", "auto"]
    acc_dtype: kagari.dtype | None

    __slots__ = _FIELDS

    def __init__(
        self,
        allow_retain_graph: bool = False,
        batch_chunk_size: int | None = None,
        chunking_method: str | None = "auto",
        acc_policy: Literal["accurate", "balanced", "compact", "auto"] = "auto",
        acc_dtype: kagari.dtype | None = None,
    ) -> None:
        size, method = batch_chunk_size, chunking_method
        if size is not None and (not isinstance(size, int) or size <= 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size}")
        if method not in (None, "auto") and not re.fullmatch(r"aspect_ratio:[1-9]\d*", str(method)):
            raise ValueError(f"invalid chunking_method: {method!r}")
        if acc_policy not in ("accurate", "balanced", "compact", "auto"):
            raise ValueError(f"invalid acc_policy: {acc_policy!r}")
        allowed = (None, kagari.float16, kagari.bfloat16, kagari.float32, kagari.float64)
        if acc_dtype not in allowed:
            raise ValueError(
                f"acc_dtype must be one of {{{', '.join(map(str, allowed))}}}, got "
                f"{acc_dtype}. Pass acc_dtype=None to let the op pick automatically."
            )
        given = (allow_retain_graph, size, method, acc_policy, acc_dtype)
        for name, value in zip(_FIELDS, given, strict=True):
            object.__setattr__(self, name, value)

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in _FIELDS)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"cannot assign to field {name!r}; make new options")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self._values()

    def __repr__(self) -> str:
        pairs = zip(_FIELDS, self._values(), strict=True)
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in pairs)})"

    def _chunk(self, batch: int, features: int, classes: int) -> int:
        if self.batch_chunk_size is not None:
            return self.batch_chunk_size
        if self.chunking_method is None:
            return max(batch, 1)
        ratio = 2 if self.chunking_method == "auto" else int(self.chunking_method.split(":")[1])
        chunks = math.ceil(classes / max(ratio * features, 1))
        return max(math.ceil(batch / max(chunks, 1)), 1)

    def _sum_dtype(self, dtype: kagari.dtype) -> kagari.dtype:
        if self.acc_dtype is not None:
            return self.acc_dtype
        if self.acc_policy == "compact" or dtype == kagari.float64:
            return dtype
        return kagari.float32
