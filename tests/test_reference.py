"""The generated reference: every public name is on a page, and pages are drawn without a warning."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "reference.py"


def load() -> types.ModuleType:
    """The script as a module; Sphinx finds it under this name, too."""
    spec = importlib.util.spec_from_file_location("reference", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference"] = module
    spec.loader.exec_module(module)
    return module


reference = load()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All pages as they go to Sphinx, by name."""
    pytest.importorskip("sphinx", reason="the reference needs Sphinx: scripts/setup-venv docs")
    folder = tmp_path_factory.mktemp("reference")
    lists = reference.write_reference(folder)
    found = {path.stem: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    listed = {line.strip().removeprefix("reference/") for line in lists if "reference/" in line}
    assert listed == set(found)
    return found


def test_every_name_has_a_home() -> None:
    names = reference.collect()
    for module in reference.public_modules():
        for name in module.__all__:
            home = names.home[f"{module.__name__}.{name}"]
            assert home.startswith("module ") or home in names.described(home.rpartition(".")[0])


def test_every_name_is_on_a_page(pages: dict[str, str]) -> None:
    names = reference.collect()
    areas = [text for page, text in pages.items() if page.startswith("kagari-")]
    own = "\n".join([pages["kagari"], pages["tensors"], *areas])
    missing = []
    for full, home in names.home.items():
        module, _, name = full.rpartition(".")
        if home.startswith("module "):
            continue
        if home != full:
            there = f"- ``{full}``: :py:obj:`{home}`" in pages["addresses"]
        else:
            text = own if module == "kagari" else pages[module]
            there = any(
                f"\n.. py:{kind}:: {name}{end}" in text
                for kind in ("function", "class", "exception", "data")
                for end in ("\n", "(")
            )
        if not there:
            missing.append(full)
    assert not missing


def test_forms_and_other_names_are_short(pages: dict[str, str]) -> None:
    text = pages["kagari-pointwise"]
    start = text.index(".. py:function:: absolute_(input)")
    assert "In place; see :func:`kagari.abs`." in text[start : text.index("\n.. py:", start + 1)]
    start = text.index(".. py:function:: absolute(")
    assert "Another name of :func:`kagari.abs`." in text[start : text.index("\n.. py:", start + 1)]


def test_overloads(pages: dict[str, str]) -> None:
    head = pages["kagari-reduction"].split(".. py:function:: max(")[1].split("\n\n")[0]
    assert [line.strip() for line in head.splitlines()] == [
        "input, *, out=None)",
        "max(input, other, *, out=None)",
        "max(input, dim, keepdim=False, *, out=None)",
    ]


def test_drawn(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="the reference needs Sphinx: scripts/setup-venv docs")
    assert reference.build(tmp_path, only=["kagari.special", "kagari.nn.init"]) == 0
    page = (tmp_path / "html" / "reference" / "kagari.special.html").read_text(encoding="utf-8")
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in page
    assert 'id="kagari.special.erfcx"' in page
    scripts = [part.split('"')[0] for part in page.split('src="')[1:]]
    assert not [src for src in scripts if src.startswith(("http", "//"))]  # works without a network
    assert "erfcx" in (tmp_path / "html" / "searchindex.js").read_text(encoding="utf-8")


def test_index_of_an_accented_letter() -> None:
    xmlns = 'xmlns="http://www.w3.org/1998/Math/MathML"'
    letter, index, accent = "<mi>m</mi>", "<mi>t</mi>", "<mo>ˆ</mo>"
    below = f"<math {xmlns}><munderover>{letter}{index}{accent}</munderover></math>"
    beside = f"<math {xmlns}><msub><mover>{letter}{accent}</mover>{index}</msub></math>"
    assert reference.accented(below) == beside
    limits = f"<math {xmlns}><munderover><mo>∑</mo>{index}<mi>n</mi></munderover></math>"
    assert reference.accented(limits) == limits
    assert reference.accented(f"<math {xmlns}><mi>a&nbsp;&lt;</mi></math>").count("\xa0&lt;") == 1


@pytest.mark.parametrize(
    ("written", "drawn"),
    [
        ("the norm |x| of *args", r"the norm \|x\| of \*args"),
        ("calls add_ in place", r"calls add\_ in place"),
        ("``|x|`` and :math:`|x|_2`", "``|x|`` and :math:`|x|_2`"),
        ("see https://a.b/c_.", "see `https://a.b/c_ <https://a.b/c_>`__."),
        (">>> x | y", ">>> x | y"),
    ],
)
def test_prose(written: str, drawn: str) -> None:
    assert reference.prose(written) == drawn
