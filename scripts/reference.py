"""Writes the documentation as static pages: the API reference from the docstrings, and docs/*.md.

    python scripts/reference.py                       # the site, into build/docs/html
    python scripts/reference.py --only kagari.nn.init # the pages of some modules, for a quick look

Needs a built kagari that can be imported, and Sphinx (``scripts/setup-venv docs``). The pages need
no network: formulas are MathML, the search is in the page.
"""

from __future__ import annotations

import argparse
import html
import importlib
import inspect
import os
import pkgutil
import re
import shutil
import sys
import types
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "build" / "docs"

# Pages of kagari's own functions, and the files that document or define what stands on them: those
# of kagari/_docs (rows of the table) and of kagari/ops (functions composed of them).
AREAS = {
    "creation": ("Creation", "_docs.creation"),
    "random": ("Random numbers", "_docs.random ops.random ops.dropout"),
    "pointwise": (
        "Pointwise functions",
        "_docs.pointwise _docs.comparison ops.pointwise ops.complex",
    ),
    "activation": ("Activations", "_docs.activation"),
    "special": ("Special functions", "_docs.special ops.special"),
    "reduction": ("Reductions and statistics", "_docs.reduction ops.reduce ops.statistics"),
    "sorting": ("Sorting and searching", "_docs.sorting ops.sorting"),
    "shape": ("Shapes", "_docs.shape ops.views"),
    "joining": ("Joining and splitting", "_docs.joining ops.joining"),
    "indexing": ("Indexing and writing", "_docs.indexing _docs.writing ops.indexing"),
    "linalg": ("Products and linear algebra", "_docs.linalg ops.linalg ops.matmul ops.einsum"),
    "layers": (
        "Layers as functions",
        "_docs.layers ops.attention ops.ctc ops.embedding ops.loss ops.native ops.resample ops.rnn "
        "ops.weight_norm",
    ),
    "signal": ("Signals and calculus", "ops.fft ops.signal ops.calculus"),
}

# What the front page lists first; the other modules follow in alphabetical order.
FIRST = (
    "kagari.nn",
    "kagari.nn.functional",
    "kagari.nn.init",
    "kagari.optim",
    "kagari.optim.lr_scheduler",
    "kagari.autograd",
    "kagari.utils.data",
    "kagari.distributions",
    "kagari.linalg",
    "kagari.fft",
    "kagari.special",
    "kagari.amp",
)


# ---- what there is ------------------------------------------------------------------------------


def public_modules() -> Iterator[types.ModuleType]:
    """kagari and its modules that say in ``__all__`` what they offer."""
    kagari = importlib.import_module("kagari")
    yield kagari
    for found in pkgutil.walk_packages(kagari.__path__, "kagari."):
        if any(part.startswith("_") for part in found.name.split(".")):
            continue
        module = importlib.import_module(found.name)
        if hasattr(module, "__all__"):
            yield module


@dataclass
class Names:
    """Every public name, and the address under which its object is described."""

    home: dict[str, str] = field(default_factory=dict)  # the full name -> that of the description
    objects: dict[str, Any] = field(default_factory=dict)  # the full name -> the object

    def described(self, module: str) -> list[str]:
        """The names that are described on the page of a module."""
        return sorted(
            (n for n, h in self.home.items() if n == h and n.rpartition(".")[0] == module),
            key=str.lower,
        )


def shares_identity(value: object) -> bool:
    """Whether two names for it are two names for one thing: not so for numbers and strings."""
    return callable(value) or isinstance(value, types.ModuleType)


def collect() -> Names:
    """The shortest address of an object is its home; among equals the first of the alphabet."""
    names = Names()
    homes: dict[int, str] = {}
    modules = sorted(public_modules(), key=lambda m: (m.__name__.count("."), m.__name__))
    for module in modules:
        for name in module.__all__:
            full = f"{module.__name__}.{name}"
            value = getattr(module, name)
            names.objects[full] = value
            if isinstance(value, types.ModuleType):
                names.home[full] = f"module {value.__name__}"
            elif shares_identity(value):
                names.home[full] = homes.setdefault(id(value), full)
            else:
                names.home[full] = full
    return names


# ---- signatures ---------------------------------------------------------------------------------


def op_signatures(facts: list[dict[str, Any]], form: str) -> list[str]:
    """The overloads of an op as Python would write them."""
    lines = []
    for o in facts:
        if not o[form]:
            continue
        parts, starred = [], False
        for i, p in enumerate(o["params"]):
            if form != "function" and i == o["self"]:
                continue
            if p["keyword_only"] and not starred:
                parts.append("*")
                starred = True
            default = "" if p["default"] is None else f"={p['default']}"
            parts.append(("*" if p["spread"] else "") + p["name"] + default)
        if o["out"] and form == "function":
            parts += ["out=None"] if starred else ["*", "out=None"]
        lines.append(f"({', '.join(parts)})")
    return sorted(dict.fromkeys(lines), key=len) or ["(...)"]


def signature(value: Any) -> str:
    """The parameters of a function or class; empty where Python cannot tell."""
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in found.parameters.values()]
    text = str(found.replace(parameters=plain, return_annotation=inspect.Signature.empty))
    # Objects as defaults print their address or their class; their name is what one writes.
    return re.sub(r"<(?:class|function|module) '?([\w.]+)'?[^>]*>", r"\1", text)


# ---- docstrings ---------------------------------------------------------------------------------

CODE = re.compile(r"(``.*?``|:\w+(?::\w+)?:`.*?`|`[^`]+`_{0,2}|https?://[^\s)>]+)", re.DOTALL)


def escaped(line: str) -> str:
    """Prose in which ``|x|``, ``*args`` and ``name_`` mean themselves, and addresses are links."""
    pieces = CODE.split(line)
    for i in range(0, len(pieces), 2):
        text = pieces[i].replace("\\", "\\\\").replace("|", "\\|")
        text = re.sub(r"(?<![\w*])\*(?=[\w(])(?![^*]*\w\*)", r"\\*", text)
        pieces[i] = re.sub(r"(\w)_(?!\w)", r"\1\\_", text)
    for i in range(1, len(pieces), 2):
        if pieces[i].startswith("http"):
            url = pieces[i].rstrip(".,")
            pieces[i] = f"`{url} <{url}>`__{pieces[i][len(url) :]}"
    return "".join(pieces)


def prose(text: str) -> str:
    """The docstring with its prose escaped; examples and displayed formulas stay as they are."""
    lines, verbatim, depth = [], False, 0
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if line.lstrip().startswith((".. math::", ".. code")) or line.rstrip().endswith("::"):
            verbatim, depth = True, indent
        elif verbatim and line.strip() and indent <= depth and not line.lstrip().startswith(">>> "):
            verbatim = False
        if line.lstrip().startswith(">>> "):
            verbatim, depth = True, indent - 1
        lines.append(line if verbatim else escaped(line))
    return "\n".join(lines)


def without_signatures(doc: str) -> str:
    """The documentation of an op begins with its overloads, up to the first empty line."""
    return doc.partition("\n\n")[2]


def body(doc: str) -> list[str]:
    """A docstring as reStructuredText: its sections are those of Google's style."""
    from sphinx.ext.napoleon import Config, GoogleDocstring

    config = Config(napoleon_use_param=False, napoleon_use_rtype=False, napoleon_use_ivar=True)
    return str(GoogleDocstring(prose(inspect.cleandoc(doc)), config)).splitlines()


def directive(kind: str, heads: list[str], doc: str, inner: Iterable[str] = ()) -> list[str]:
    """A Sphinx description of one object."""
    indent = " " * (len(kind) + 11)
    lines = [f".. py:{kind}:: {heads[0]}", *(indent[:-2] + h for h in heads[1:]), ""]
    lines += [f"   {line}".rstrip() for line in [*body(doc), "", *inner]]
    return [*lines, ""]


# ---- pages --------------------------------------------------------------------------------------


class Writer:
    """Writes the pages as reStructuredText into a folder that Sphinx reads."""

    def __init__(self, folder: Path, names: Names) -> None:
        kagari = importlib.import_module("kagari")
        self.folder, self.names = folder, names
        self.tensor, self.op = kagari.Tensor, type(kagari.add)
        self.rows: dict[str, list[dict[str, Any]]] = {}
        for row in importlib.import_module("kagari._core")._rows():
            self.rows.setdefault(row["name"], []).append(row)
        self.family = {
            entry: file
            for file, family in importlib.import_module("kagari._docs").families().items()
            for entry in family.entries
        }

    def page(self, name: str, title: str, lines: Iterable[str]) -> None:
        text = "\n".join([title, "=" * len(title), "", *lines, ""])
        (self.folder / f"{name}.rst").write_text(text, encoding="utf-8")

    # ---- one object

    def describe(self, full: str) -> list[str]:
        """The description of the object at this address."""
        value = self.names.objects[full]
        name = full.rpartition(".")[2]
        if isinstance(value, self.op):
            facts = self.rows[self.op_name(value)]
            form = "inplace" if not any(o["function"] for o in facts) else "function"
            form = "inplace" if value.__name__.endswith("_") and self.is_inplace(value) else form
            heads = op_signatures(facts, form)
            if form == "inplace":
                heads = [h.replace("(", "(input, ").replace(", )", ")") for h in heads]
            doc = self.short(value, form) or without_signatures(value.__doc__)
            return directive("function", [name + h for h in heads], doc)
        if isinstance(value, type):
            return self.describe_class(name, value)
        if callable(value):
            doc = inspect.getdoc(value) or ""
            return directive("function", [name + (signature(value) or "(...)")], doc)
        return directive("data", [name], f"``{value!r}``" if len(repr(value)) < 80 else "")

    def is_inplace(self, op: Any) -> bool:
        return op.__name__ not in self.rows

    def short(self, op: Any, form: str) -> str:
        """Of an in-place form or another name: a sentence, and where the rest stands."""
        name = self.op_name(op)
        row = self.rows[name][0]["row"] or name
        base = self.names.home.get(f"kagari.{row}")
        if not base or (form == "function" and row == name):
            return ""
        sentence = without_signatures(op.__doc__).partition("\n\n")[0]
        place = "In place; see" if form == "inplace" else "Another name of"
        return f"{sentence}\n\n{place} :func:`{base}`."

    def op_name(self, op: Any) -> str:
        """The op's name in the table: an in-place function goes with its op."""
        name = str(op.__name__)
        return name if name in self.rows else name.removesuffix("_")

    def describe_class(self, name: str, value: type) -> list[str]:
        inner: list[str] = []
        for member, held in sorted(vars(value).items()):
            plain = held.__func__ if isinstance(held, staticmethod | classmethod) else held
            doc = getattr(plain, "__doc__", None)
            if member.startswith("_") or not doc:
                continue
            if isinstance(plain, types.FunctionType):
                heads = [member + re.sub(r"\((self|cls)(, )?", "(", signature(plain) or "()")]
                inner += directive("method", heads, doc)
            elif isinstance(plain, property):
                inner += directive("property", [member], doc)
        kind = "exception" if issubclass(value, BaseException) else "class"
        head = "" if kind == "exception" else signature(value)
        doc = value.__doc__ or ""
        if doc.startswith(f"{value.__name__}("):  # a type of the core: its signature comes first
            doc = without_signatures(doc)
        return directive(kind, [name + head], doc, inner)

    # ---- pages of many

    def module(self, module: str) -> None:
        """The page of a module: what is described there, by the file that defines it."""
        doc = inspect.getdoc(importlib.import_module(module)) or ""
        lines = [f".. py:module:: {module}", *self.shadowed(module), "", *body(doc), ""]
        by_file: dict[str, list[str]] = {}
        for full in self.names.described(module):
            by_file.setdefault(self.file_of(self.names.objects[full]), []).append(full)
        for file in sorted(by_file):
            if len(by_file) > 1:
                title = file.rpartition(".")[2].lstrip("_").replace("_", " ").capitalize()
                lines += [title, "-" * len(title), ""]
            for full in by_file[file]:
                lines += self.describe(full)
        self.page(module, module, lines)

    def shadowed(self, module: str) -> list[str]:
        """An option for modules whose name is a function's too: the index names the function."""
        taken = module in self.names.home and callable(self.names.objects[module])
        return ["   :no-index:"] if taken else []

    def file_of(self, value: Any) -> str:
        if isinstance(value, self.op):
            return self.op_file(value)
        return str(getattr(value, "__module__", None) or "")

    def op_file(self, op: Any) -> str:
        """Where an op is documented or defined: ``_docs.shape``, ``ops.fft``."""
        facts = self.rows[self.op_name(op)]
        for o in facts:
            if o["row"] in self.family:
                return f"_docs.{self.family[o['row']]}"
        file = str(facts[0]["module"] or "_docs.writing").removeprefix("kagari.")
        return ".".join(file.split(".")[:2])

    def area_of(self, op: Any) -> str:
        file = self.op_file(op)
        for area, (_, files) in AREAS.items():
            if file in files.split():
                return area
        raise SystemExit(f"reference: name a page for the ops of kagari/{file} in AREAS")

    def areas(self) -> None:
        """The pages of kagari's own functions, and one for its other names."""
        pages: dict[str, list[str]] = {area: [] for area in AREAS}
        rest: dict[str, list[str]] = {}
        for full in self.names.described("kagari"):
            value = self.names.objects[full]
            if value is self.tensor:
                continue
            if isinstance(value, self.op):
                pages[self.area_of(value)].append(full)
            else:
                kind = "Functions" if not isinstance(value, type) else "Types"
                rest.setdefault(kind if callable(value) else "Constants", []).append(full)
        for area, (title, _) in AREAS.items():
            lines = [".. py:currentmodule:: kagari", ""]
            for full in pages[area]:
                lines += self.describe(full)
            self.page(f"kagari-{area}", title, lines)
        lines = [".. py:module:: kagari", ""]
        for kind in ("Functions", "Types", "Constants"):
            lines += [kind, "-" * len(kind), ""]
            for full in rest.get(kind, []):
                lines += self.describe(full)
        self.page("kagari", "kagari: settings, types, constants", lines)

    def tensors(self) -> None:
        """The page of Tensor: its members, with a link where a function of the same name exists."""
        inner: list[str] = []
        for member in sorted(dir(self.tensor)):
            if member.startswith("_"):
                continue
            held = inspect.getattr_static(self.tensor, member)
            doc = getattr(held, "__doc__", None) or ""
            if isinstance(held, types.GetSetDescriptorType | property):
                inner += directive("property", [member], doc)
                continue
            inner += self.tensor_method(member, held, doc)
        lines = [".. py:currentmodule:: kagari", ""]
        doc = self.tensor.__doc__ or ""
        doc = without_signatures(doc) if doc.startswith("Tensor(") else doc
        self.page("tensors", "Tensors", [*lines, *directive("class", ["Tensor"], doc, inner)])

    def tensor_method(self, member: str, held: Any, doc: str) -> list[str]:
        base = member if member in self.rows else member.removesuffix("_")
        if base not in self.rows or "OpMethod" not in type(held).__name__:
            heads = re.sub(r"^\((self|\$self)(, /)?(, )?", "(", signature(held)) or "(...)"
            return directive("method", [member + heads], doc)
        form = "method" if base == member else "inplace"
        heads = [member + h for h in op_signatures(self.rows[base], form)]
        text = without_signatures(doc)
        if f"kagari.{base}" in self.names.home:
            sentence = text.partition("\n\n")[0]
            where = self.names.home[f"kagari.{base}"]
            place = "In place; see" if form == "inplace" else "See"
            text = f"{sentence}\n\n{place} :func:`{where}`."
        return directive("method", heads, text)

    def addresses(self) -> None:
        """The names under which an object can be reached besides the one that describes it."""
        by_module: dict[str, list[str]] = {}
        for full, home in self.names.home.items():
            if full != home and not isinstance(self.names.objects[full], types.ModuleType):
                by_module.setdefault(full.rpartition(".")[0], []).append(full)
        lines = ["The same objects under the other names that programs use.", ""]
        for module in sorted(by_module):
            lines += [module, "-" * len(module), ""]
            lines += [
                f"- ``{full}``: :py:obj:`{self.names.home[full]}`"
                for full in sorted(by_module[module], key=str.lower)
            ]
            lines.append("")
        self.page("addresses", "Other addresses", lines)

    def index(self, modules: list[str]) -> list[str]:
        """The lists of pages by their captions."""
        first = [m for m in FIRST if m in modules]
        others = sorted(m for m in modules if m not in first)
        areas = ["tensors", *(f"kagari-{area}" for area in AREAS), "kagari"]
        return [
            *toctree("Tensors and their functions", areas),
            *toctree("Modules", first),
            *toctree("Further modules", [*others, "addresses"]),
        ]


def toctree(caption: str, pages: Iterable[str], folder: str = "reference/") -> list[str]:
    head = [".. toctree::", "   :maxdepth: 1", f"   :caption: {caption}", ""]
    return [*head, *(f"   {folder}{page}" for page in pages), ""]


def write_reference(folder: Path, only: list[str] | None = None) -> list[str]:
    """Writes the pages of the API, or of the modules named; returns the lists of them."""
    folder.mkdir(parents=True, exist_ok=True)
    names = collect()
    writer = Writer(folder, names)
    modules = {h.rpartition(".")[0] for n, h in names.home.items() if n == h} - {"kagari"}
    chosen = sorted(modules if only is None else modules & set(only))
    for module in chosen:
        writer.module(module)
    if only is not None:
        return toctree("Modules", chosen)
    writer.areas()
    writer.tensors()
    writer.addresses()
    return writer.index(chosen)


# ---- Sphinx -------------------------------------------------------------------------------------

# The written pages lie beside what they link to, as in the repository.
COPIED = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "LICENSE",
    "docs/**/*.md",
    "docs/**/*.png",
    "docs/**/*.svg",
    "examples/*.py",
    "benchmarks/RESULTS.md",
)
HOME = """kagari
======

Tensors, automatic differentiation and neural networks with PyTorch's API. The :ref:`index of all
names <genindex>` lists what there is; the search finds names and words.

"""
CONFIG: dict[str, Any] = {
    "project": "kagari",
    "author": "kagari contributors",
    "copyright": "kagari contributors",
    "extensions": ["myst_parser", "reference"],
    "html_theme": "furo",
    "html_math_renderer": "mathml",
    "html_copy_source": False,
    "html_show_sphinx": False,
    "default_role": "literal",
    "myst_heading_anchors": 3,
    "add_module_names": False,
    "python_maximum_signature_line_length": 88,
    "toc_object_entries_show_parents": "hide",
    "suppress_warnings": ["toc.not_included", "myst.xref_missing", "ref.python"],
}


# Symbols that docstrings write as themselves, for readers of help().
SYMBOLS = {
    "≤": r"\le",
    "≥": r"\ge",
    "∈": r"\in",
    "⟨": r"\langle",
    "⟩": r"\rangle",
    "‖": r"\|",
    "∂": r"\partial",
    "∝": r"\propto",
    "∼": r"\sim",
    "½": r"\frac{1}{2}",
    "…": r"\ldots",
    "∇": r"\nabla",
}
LATEX = str.maketrans({symbol: f" {command} " for symbol, command in SYMBOLS.items()})


MATHML = "{http://www.w3.org/1998/Math/MathML}"
ElementTree.register_namespace("", MATHML[1:-1])


def accented(markup: str) -> str:
    """An index of a letter with an accent stands beside both, not below like the limit of a sum."""
    named = re.sub(r"&(?!lt;|gt;|amp;|#)\w+;", lambda m: html.unescape(m[0]), markup)
    root = ElementTree.fromstring(named)
    for node in root.iter(f"{MATHML}munderover"):
        letter, index, accent = node
        if letter.tag != f"{MATHML}mo" and accent.tag == f"{MATHML}mo":
            over = ElementTree.Element(f"{MATHML}mover")
            over.extend([letter, accent])
            node.tag, node[:] = f"{MATHML}msub", [over, index]
    return ElementTree.tostring(root, encoding="unicode")


def setup(app: Any) -> dict[str, Any]:
    """Sphinx calls this: formulas become MathML, which browsers draw without a script."""
    from docutils import nodes
    from docutils.utils.math import MathError
    from docutils.utils.math.latex2mathml import tex2mathml
    from sphinx.util import logging

    log = logging.getLogger("reference")

    def mathml(node: Any, block: bool) -> str:
        try:
            tex = node.astext().translate(LATEX)
            return accented(str(tex2mathml(tex, as_block=block)))
        except MathError as error:
            log.warning("cannot draw the formula %r: %s", node.astext(), error, location=node)
            return f"<code>{node.astext()}</code>"

    def inline(writer: Any, node: Any) -> None:
        writer.body.append(mathml(node, False))
        raise nodes.SkipNode

    def block(writer: Any, node: Any) -> None:
        writer.body.append(f'<div class="formula">{mathml(node, True)}</div>')
        raise nodes.SkipNode

    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def build(target: Path, only: list[str] | None = None, jobs: int = 1) -> int:
    """Writes the pages and has Sphinx render them; returns its exit status, 1 after a warning."""
    from sphinx.application import Sphinx

    source = target / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    pages = write_reference(source / "reference", only)
    if only is None:
        for pattern in COPIED:
            for file in ROOT.glob(pattern):
                copy = source / file.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, copy)
        guides = sorted(p.stem for p in (source / "docs").glob("*.md") if p.stem != "index")
        written = ["README", *(f"docs/{name}" for name in ["index", *guides, "design/primitives"])]
        pages = [*toctree("Guides", written, folder=""), *pages]
    (source / "index.rst").write_text(HOME + "\n".join(pages) + "\n", encoding="utf-8")
    sys.path.insert(0, str(Path(__file__).parent))
    app = Sphinx(
        str(source),
        None,
        str(target / "html"),
        str(target / "doctrees"),
        "html",
        confoverrides=CONFIG,
        parallel=jobs,
        status=None,
        freshenv=True,
    )
    app.build()
    return int(app.statuscode) or int(app._warncount > 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=inspect.cleandoc(__doc__).partition("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="MODULE", help="the pages of these modules")
    parser.add_argument("--target", type=Path, default=TARGET, help="default: build/docs")
    jobs = len(os.sched_getaffinity(0))
    parser.add_argument("--jobs", type=int, default=jobs, help="processes; default: one a core")
    args = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)  # old names warn when they are looked at
    status = build(args.target, args.only, args.jobs)
    print(f"{args.target / 'html' / 'index.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
