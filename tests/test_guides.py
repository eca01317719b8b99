"""The code in docs/*.md runs, and prints what the pages say."""

from __future__ import annotations

import doctest
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import kagari

PAGES = Path(__file__).parents[1] / "docs"
FENCE = re.compile(r"^( *)```python\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def code(page: Path) -> str:
    """The sessions of a page, one after the other: later ones use the names of earlier ones."""
    text = page.read_text(encoding="utf-8")
    return "\n".join(textwrap.dedent(block) for _, block in FENCE.findall(text))


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    before = kagari.get_num_threads()
    yield
    kagari.set_num_threads(before)


WITH_CODE = [page.name for page in sorted(PAGES.glob("*.md")) if code(page)]


@pytest.mark.parametrize("name", WITH_CODE)
def test_page(name: str) -> None:
    shown: list[str] = []
    session = doctest.DocTestParser().get_doctest(code(PAGES / name), {}, name, name, 0)
    assert session.examples, f"{name}: write python code as a session with >>>"
    kagari.manual_seed(0)
    doctest.DocTestRunner(verbose=False, optionflags=FLAGS).run(session, out=shown.append)
    assert not shown, "".join(shown)


def test_pages_have_code() -> None:
    assert {"coming-from-pytorch.md", "errors.md", "gradients.md", "reproducibility.md"} <= set(
        WITH_CODE
    )


@pytest.mark.parametrize("page", sorted(PAGES.rglob("*.md")), ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    local = [t for t in targets if "://" not in t]
    assert not [t for t in local if not (page.parent / t).exists()]
