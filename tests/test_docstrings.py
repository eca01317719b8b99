"""The examples of the public docstrings run, and print what they say."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import textwrap
import types
from collections.abc import Iterator

import pytest

import kagari
from kagari import _core
from kagari._core import functions, ops

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
IN_PLACE = "\n\nIn place: writes into the tensor itself."
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
    # Among kagari's own names are dtypes called float and int, which hide the built-in ones.
    globs = {"kagari": kagari} if module is kagari else None
    for example in FINDER.find(module, name, globs=globs):
        if example.examples:
            run(example)


def declared() -> dict[str, str]:
    """The documentation of the ops: objects of the core, which the finder passes over.

    Forms and other names of an op share its example, which runs once.
    """
    found: dict[str, str] = {}
    for holder in (functions, ops, _core):
        for name, op in sorted(vars(holder).items()):
            doc = getattr(op, "__doc__", None)
            if isinstance(op, types.ModuleType) or not isinstance(doc, str):
                continue
            _, is_there, example = doc.partition(">>> ")
            if is_there:
                found.setdefault(example.removesuffix(IN_PLACE), name)
    return {name: f">>> {example}" for example, name in found.items()}


@pytest.mark.parametrize(("name", "example"), declared().items())
def test_op(name: str, example: str) -> None:
    parser = doctest.DocTestParser()
    run(parser.get_doctest(textwrap.dedent(f"    {example}"), {"kagari": kagari}, name, None, None))


def test_every_public_op_has_an_example() -> None:
    missing = {
        name
        for holder in (functions, kagari.Tensor)
        for name, op in vars(holder).items()
        if "Op" in type(op).__name__ and name[0] != "_" and ">>> " not in op.__doc__
    }
    assert not missing


COMPLETE = (
    "kagari.autograd.functional",
    "kagari.distributions",
    "kagari.fft",
    "kagari.linalg",
    "kagari.masked",
    "kagari.nn",
    "kagari.nn.functional",
    "kagari.nn.grad",
    "kagari.nn.init",
    "kagari.nn.utils",
    "kagari.nn.utils.parametrize",
    "kagari.nn.utils.prune",
    "kagari.nn.utils.rnn",
    "kagari.optim",
    "kagari.optim.lr_scheduler",
    "kagari.optim.swa_utils",
    "kagari.signal.windows",
    "kagari.special",
    "kagari.utils.data",
)


@pytest.mark.parametrize("name", COMPLETE)
def test_every_name_of_these_modules_has_an_example(name: str) -> None:
    """Without exceptions and names that are there for old programs only."""
    module = importlib.import_module(name)
    missing = []
    for member in module.__all__:
        value = getattr(module, member)
        doc = inspect.getdoc(value) or ""
        exception = isinstance(value, type) and issubclass(value, BaseException)
        if callable(value) and not exception and not doc.startswith("Deprecated"):
            missing += [member] if ">>> " not in doc else []
    assert not missing
