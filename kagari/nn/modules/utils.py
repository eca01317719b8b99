"""Small helpers for layers' arguments and for state dictionaries."""

from __future__ import annotations

from typing import Any

from kagari.nn._sizes import (  # noqa: F401  (their address in PyTorch)
    _list_with_default,
    _ntuple,
    _pair,
    _quadruple,
    _reverse_repeat_tuple,
    _single,
    _triple,
)

__all__ = ["consume_prefix_in_state_dict_if_present"]


def consume_prefix_in_state_dict_if_present(state_dict: Any, prefix: str) -> None:
    """Takes ``prefix`` off the names of a ``state_dict``, in place.

    Args:
        state_dict (dict): for example of a model that was wrapped when it was saved.
        prefix (str): for example ``"module."``.

    Example:
        >>> state = {"module.weight": 1, "bias": 2}
        >>> consume_prefix_in_state_dict_if_present(state, "module.")
        >>> state
        {'bias': 2, 'weight': 1}
    """
    for key in list(state_dict):
        if key.startswith(prefix):
            state_dict[key[len(prefix) :]] = state_dict.pop(key)
    metadata: dict[str, Any] = getattr(state_dict, "_metadata", None) or {}
    for key in list(metadata):
        # Metadata knows modules, "module" for the wrapper itself.
        if key and (key == prefix.replace(".", "") or key.startswith(prefix)):
            metadata[key[len(prefix) :]] = metadata.pop(key)
