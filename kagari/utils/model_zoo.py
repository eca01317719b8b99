"""Weights from the network under their oldest name: see ``kagari.hub``."""

from __future__ import annotations

from kagari.hub import load_state_dict_from_url

__all__ = ["load_url"]

load_url = load_state_dict_from_url
