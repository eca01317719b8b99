"""The examples of the public docstrings run, and print what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import types
from collections.abc import Iterator
from typing import Any

import pytest

import kagari
from kagari._core import functions, ops

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
FINDER = doctest.DocTestFinder(exclude_empty=True)


def modules() -> Iterator[str]:
    """Every Python module of the package that imports by itself."""
    yield "kagari"
    for found in pkgutil.walk_packages(kagari.__path__, "kagari."):
        if "._core" not in found.name and not found.name.endswith("__main__"):
            yield found.name


def run(example: doctest.DocTest) -> None:
    """Runs one docstring; its output is shown when it differs."""
    shown: list[str] = []
    kagari.manual_seed(0)
    example.globs.setdefault("kagari", kagari)
    doctest.DocTestRunner(verbose=False, optionflags=FLAGS).run(example, out=shown.append)
    assert not shown, "".join(shown)


@pytest.mark.parametrize("name", sorted(modules()))
def test_module(name: str) -> None:
    module = importlib.import_module(name)
    for example in FINDER.find(module, name):
        if example.examples:
            run(example)


def declared() -> dict[str, Any]:
    """The ops whose documentation has examples: objects of the core, which the finder passes over."""
    found: dict[str, Any] = {}
    for holder in (functions, ops):
        for name, op in vars(holder).items():
            doc = "" if isinstance(op, types.ModuleType) else getattr(op, "__doc__", None) or ""
            if ">>> " in doc:
                found[name] = op
    return found


@pytest.mark.parametrize("name", sorted(declared()))
def test_op(name: str) -> None:
    op = declared()[name]
    globs = {"kagari": kagari}
    parser = doctest.DocTestParser()
    run(parser.get_doctest(op.__doc__, globs, name, None, None))
