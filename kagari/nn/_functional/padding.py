"""Padding of the last dimensions."""

from __future__ import annotations

from collections.abc import Sequence

from kagari import Tensor
from kagari._core import ops
from kagari.amp._precision import full_precision
from kagari.overrides import overridable


def _check(mode: str, before: int, after: int, dim: int, input: Tensor) -> None:
    shape = tuple(input.shape)
    size = shape[dim]
    if mode == "reflect" and max(before, after) >= size:
        raise RuntimeError(
            "Padding size should be less than the corresponding input dimension, but got: "
            f"padding ({before}, {after}) at dimension {dim} of input {list(shape)}"
        )
    if mode == "circular" and max(before, after) > size:
        raise RuntimeError(
            "Padding value causes wrapping around more than once: "
            f"padding ({before}, {after}) at dimension {dim} of input {list(shape)}"
        )
    if before + after + size < 0:
        raise RuntimeError(
            f"pad: expected a result of at least 0 elements at dimension {dim}, got "
            f"padding ({before}, {after}) of input {list(shape)}; cut less"
        )


_DIMENSIONS = {2: (2, 3), 4: (3, 4), 6: (4, 5)}


@overridable
def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    r"""Puts elements before and after the last dimensions.

    Args:
        input (Tensor): any shape for ``"constant"``; otherwise ``(N, C, ...)`` or ``(C, ...)``
            with as many spatial dimensions as are padded.
        pad (sequence of int): numbers before and after the last dimension, then the last but
            one, and so on; negative numbers cut.
        mode (str): ``"constant"``, ``"reflect"`` (mirrors without repeating the edge),
            ``"replicate"`` (repeats the edge) or ``"circular"`` (goes around).
        value (float): the constant; 0 by default.

    Returns:
        A tensor whose padded dimensions are larger.

    Raises:
        RuntimeError: the numbers do not fit the input.
        ValueError: a value is given to a mode without one.
        NotImplementedError: the mode is not known or not for this many dimensions.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([[1.0, 2.0, 3.0]])
        >>> pad(x, (1, 1)).tolist()
        [[0.0, 1.0, 2.0, 3.0, 0.0]]
        >>> pad(x, (2, 0), mode="reflect").tolist()
        [[3.0, 2.0, 1.0, 2.0, 3.0]]
    """
    if len(pad) % 2 != 0:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) > 2 * input.dim():
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but "
            f"got padding length {len(pad)} and input of dimension {input.dim()}"
        )
    if mode == "constant":
        return ops.constant_pad_nd(input, pad, 0.0 if value is None else value)
    if value is not None and value != 0:
        raise ValueError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if input.dim() not in _DIMENSIONS.get(len(pad), ()):
        raise NotImplementedError(
            "Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now"
        )
    return (
        _padded_from_inside(input, pad, mode) if mode == "circular" else _mirrored(input, pad, mode)
    )


def _padded_from_inside(input: Tensor, pad: Sequence[int], mode: str) -> Tensor:
    for i in range(0, len(pad), 2):
        if pad[i] or pad[i + 1]:
            _check(mode, pad[i], pad[i + 1], input.dim() - 1 - i // 2, input)
    return ops._pad_inside(input, pad, mode) if any(pad) else input


_mirrored = full_precision(_padded_from_inside)
