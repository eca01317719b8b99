"""Sparse tensors: not here."""

from __future__ import annotations

from kagari._absent import absent

__all__: list[str] = []

_REASON = "kagari holds dense tensors; use those, or scipy.sparse for what does not fit"

for _name in ("addmm", "log_softmax", "mm", "sampled_addmm", "softmax", "spdiags", "sum"):
    globals()[_name] = absent(f"kagari.sparse.{_name}", _REASON)
