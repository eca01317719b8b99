"""Nested tensors, batches of different shapes: not here."""

from __future__ import annotations

from kagari._absent import absent

__all__: list[str] = []

_REASON = "kagari's tensors have one shape; pad them with nn.utils.rnn.pad_sequence"

for _name in ("as_nested_tensor", "narrow", "nested_tensor", "to_padded_tensor"):
    globals()[_name] = absent(f"kagari.nested.{_name}", _REASON)
