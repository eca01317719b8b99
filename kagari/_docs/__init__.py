"""The documentation of the table's rows: formula, arguments, results, example; a family per file.

Nothing here is imported until ``help`` or ``__doc__`` asks. An entry says what the row's signature
and its one sentence do not: names, types and defaults of parameters come from the table, so they
cannot grow stale.
"""

from __future__ import annotations

import importlib
from functools import cache

from kagari._docs.entry import Entry, Family, written

FAMILIES = (
    "creation",
    "random",
    "pointwise",
    "comparison",
    "activation",
    "special",
    "reduction",
    "sorting",
    "shape",
    "joining",
    "indexing",
    "linalg",
    "layers",
    "writing",
)


@cache
def families() -> dict[str, Family]:
    """The families by the name of their file."""
    return {name: importlib.import_module(f"kagari._docs.{name}").doc for name in FAMILIES}


@cache
def entries() -> dict[str, Entry]:
    """The entries by the row's own name."""
    found: dict[str, Entry] = {}
    for family in families().values():
        for name, entry in family.entries.items():
            if name in found:
                raise ValueError(
                    f"{name} has entries in {found[name].family.title} and {family.title}"
                )
            found[name] = entry
    return found


def documentation(name: str, asked: str, function: bool) -> str:
    """The docstring of the row ``name``, asked for as ``asked``; empty where there is no entry.

    The forms that are not functions, methods and in-place ones, have no ``out``.
    """
    entry = entries().get(name)
    return "" if entry is None else written(entry, asked, function)
