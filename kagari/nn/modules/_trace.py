"""The note an exception gains on its way out of modules: ``in Net.mlp[3] (Linear 64→128)``."""

from __future__ import annotations

from typing import Any

# The attributes that tell a layer's sizes, in the order they are looked for.
_IN_OUT = (
    ("in_features", "out_features"),
    ("in_channels", "out_channels"),
    ("num_embeddings", "embedding_dim"),
    ("input_size", "hidden_size"),
)
_SIZE = ("num_features", "num_channels", "normalized_shape", "embed_dim")


class _PathNote(str):
    """The text of the note, with what is needed to extend it by one more module.

    Modules are remembered by id, not by reference: an exception must stay picklable and must not
    keep a model alive.
    """

    head: int
    root: str
    path: str
    leaf: str


def _make(head: Any, path: str, leaf: str) -> _PathNote:
    root = type(head).__name__
    note = _PathNote(f"in {root}{path} ({leaf})" if path else f"in {leaf}")
    note.head, note.root, note.path, note.leaf = id(head), root, path, leaf
    return note


def _describe(module: Any) -> str:
    own = module.__dict__
    name = type(module).__name__
    for first, last in _IN_OUT:
        if first in own and last in own:
            return f"{name} {own[first]}→{own[last]}"
    for attribute in _SIZE:
        if attribute in own:
            return f"{name} {own[attribute]}"
    return name


def _path_to(module: Any, head: int) -> str | None:
    """The path from ``module`` to its descendant with this id, nearest first."""
    seen = {id(module)}
    level = [("", module)]
    for path, parent in level:
        for name, child in parent.__dict__.get("_modules", {}).items():
            if child is None or id(child) in seen:
                continue
            step = f"{path}[{name}]" if name.isdigit() else f"{path}.{name}"
            if id(child) == head:
                return step
            seen.add(id(child))
            level.append((step, child))
    return None


def annotate(error: BaseException, module: Any) -> None:
    """Adds ``module`` to the error's path note; the innermost module comes first."""
    notes = getattr(error, "__notes__", [])
    for i, note in enumerate(notes):
        if isinstance(note, _PathNote):
            if note.head != id(module):
                path = _path_to(module, note.head)
                if path is None:  # called, but not registered as a submodule
                    path = f" → {note.root}"
                notes[i] = _make(module, path + note.path, note.leaf)
            return
    error.add_note(_make(module, "", _describe(module)))
