"""Exported programs: not here."""

from __future__ import annotations

from kagari._absent import absent

__all__: list[str] = []

_REASON = "kagari records no graphs of programs; call the function or module as it is"

for _name in ("Dim", "ExportedProgram", "export", "load", "register_dataclass", "save"):
    globals()[_name] = absent(f"kagari.export.{_name}", _REASON)
