"""An entry of the rows' documentation: what it holds, and how it is put into words."""

from __future__ import annotations

import inspect
import re
import textwrap
from functools import cache
from typing import Any, NamedTuple

from kagari import _core

# Parameters that mean the same wherever they stand.
WORDS = {
    "input": "any shape.",
    "other": "broadcasts with ``input``.",
    "dim": "the dimension; negative ones count from the end.",
    "keepdim": "keep the reduced dimensions with size one.",
    "out": "receives the result.",
    "dtype": "of the result; None leaves it to the function's own rule.",
    "layout": "``kagari.strided``.",
    "device": "where the result lies; None: the default device.",
    "pin_memory": "must not be True: there is no device to pin memory for.",
    "requires_grad": "whether the tape records what is done with the result.",
    "memory_format": "the order of the result's strides; None keeps the input's.",
    "generator": "the source of random numbers; None: the one that ``manual_seed`` seeds.",
}

TYPES = {
    "Tensor[]": "sequence of Tensor",
    "Operand": "Tensor or Number",
    "Scalar": "Number",
    "ScalarType": "kagari.dtype",
    "Device": "kagari.device",
    "MemoryFormat": "kagari.memory_format",
    "Layout": "kagari.layout",
    "Any": "object",
}


class Entry(NamedTuple):
    """What the table of ops does not say of a row itself."""

    family: Family
    name: str
    formula: str
    example: str
    returns: str
    raises: str
    note: str
    summary: str
    reference: str | None
    words: dict[str, str]


class Family:
    """The entries of a file; called once for each row.

    ``reference`` is the address below ``docs.pytorch.org/docs/2.13``, with ``{}`` for the name, of
    functions, ``method_reference`` that of rows that are only methods. ``returns``, ``raises`` and
    ``words`` hold for every entry that says nothing else.
    """

    def __init__(
        self,
        title: str,
        reference: str = "generated/torch.{}.html",
        returns: str = "",
        raises: str = "",
        method_reference: str = "generated/torch.Tensor.{}.html",
        **words: str,
    ) -> None:
        self.title = title
        self.reference = reference
        self.method_reference = method_reference
        self.returns = returns
        self.raises = raises
        self.words = words
        self.entries: dict[str, Entry] = {}

    def __call__(
        self,
        name: str,
        formula: str,
        example: str,
        *,
        returns: str = "",
        raises: str | None = None,
        note: str = "",
        summary: str = "",
        reference: str | None = None,
        **words: str,
    ) -> None:
        """Adds the entry of the row ``name``; ``words`` describe its parameters.

        ``reference`` is another address than the family's, or empty where PyTorch has no page.
        """
        if name in self.entries:
            raise ValueError(f"{name} has two entries in the family {self.title!r}")
        self.entries[name] = Entry(
            self,
            name,
            inspect.cleandoc(formula),
            inspect.cleandoc(example),
            returns or self.returns,
            self.raises if raises is None else raises,
            inspect.cleandoc(note),
            summary,
            reference,
            words,
        )


@cache
def table() -> dict[str, list[dict[str, Any]]]:
    """The overloads that rows declare, by the row's own name."""
    found: dict[str, list[dict[str, Any]]] = {}
    for overload in _core._rows():
        if overload["row"] in (None, overload["name"]):
            found.setdefault(overload["name"], []).append(overload)
    return found


def parameters(name: str) -> dict[str, dict[str, Any]]:
    """The parameters of all overloads in their order: those of functions where there are any."""
    overloads = table()[name]
    shown = [o for o in overloads if o["function"]] or overloads
    found: dict[str, dict[str, Any]] = {}
    for overload in shown:
        for p in overload["params"]:
            found.setdefault(p["name"], p)
    if any(o["out"] for o in shown):
        out = {"name": "out", "type": "Tensor", "default": "None"}
        found.setdefault("out", out)
    return found


def described(p: dict[str, Any]) -> str:
    """A parameter's type and default in words."""
    kind = TYPES.get(p["type"], p["type"])
    if kind in ("int[]", "float[]"):
        item = kind[:-2]
        single = f"{item} or " if p["repeat"] or p["spread"] else ""
        kind = f"{single}tuple of {item}s"
    if p["default"] in (None, "[]"):
        return kind if p["default"] is None else f"{kind}, optional"
    if p["default"] == "None":
        return f"{kind}, optional"
    return f"{kind}, default {p['default']}"


def words(entry: Entry, name: str) -> str:
    """What the parameter means: the entry's words, the family's, or those for everyone."""
    for source in (entry.words, entry.family.words, WORDS):
        if name in source:
            return source[name]
    raise KeyError(f"{entry.name}: the documentation has no words for the parameter {name!r}")


def paragraph(text: str, first: str, rest: str) -> str:
    return textwrap.fill(
        " ".join(text.split()),
        96,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def address(entry: Entry) -> str:
    """The page of PyTorch that describes the same function; empty where there is none."""
    overloads = table()[entry.name]
    if entry.reference is not None:
        place = entry.reference
    elif entry.name.startswith("special_"):
        place = f"special.html#torch.special.{entry.name.removeprefix('special_')}"
    elif entry.name.startswith("linalg_"):
        place = f"generated/torch.linalg.{entry.name.removeprefix('linalg_')}.html"
    elif any(o["method"] or o["inplace"] for o in overloads) and not any(
        o["function"] for o in overloads
    ):
        method = any(o["method"] for o in overloads)
        place = entry.family.method_reference.format(entry.name if method else f"{entry.name}_")
    else:
        place = entry.family.reference.format(entry.name)
    return f"https://docs.pytorch.org/docs/2.13/{place}" if place else ""


def qualified(name: str) -> str:
    """The public address: ``special_i1`` is kagari.special.i1."""
    for module in ("special", "linalg"):
        if name.startswith(f"{module}_"):
            return f"kagari.{module}.{name.removeprefix(f'{module}_')}"
    return f"kagari.{name}"


def written(entry: Entry, asked: str, function: bool) -> str:
    """The docstring of the row, as asked for under one of its names and in one of its forms."""
    summaries = [o["doc"] for o in table()[entry.name] if o["primitive"] and o["doc"]]
    parts = [paragraph(entry.summary or summaries[0], "", "")]
    if asked != entry.name:
        parts.append(f"Another name of :func:`{qualified(entry.name)}`.")
    if entry.formula:
        parts.append(".. math::\n\n" + textwrap.indent(entry.formula, "    "))
    if entry.note:
        parts.append(paragraph(entry.note, "", ""))
    arguments = [
        paragraph(f"{name} ({described(p)}): {words(entry, name)}", "    ", "        ")
        for name, p in parameters(entry.name).items()
        if function or name != "out"
    ]
    if arguments:
        parts.append("Args:\n" + "\n".join(arguments))
    parts.append("Returns:\n" + paragraph(entry.returns, "    ", "    "))
    if entry.raises:
        each = re.split(r"(?<=\.) (?=\w+Error: )", entry.raises)
        parts.append("Raises:\n" + "\n".join(paragraph(r, "    ", "        ") for r in each))
    parts.append("Example:\n    >>> import kagari\n" + textwrap.indent(entry.example, "    "))
    if page := address(entry):
        parts.append(f"Reference: {page}")
    return "\n\n".join(parts)
