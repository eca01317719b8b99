"""The program in the README runs as it stands there."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import kagari

README = Path(__file__).parents[2] / "README.md"


def test_the_program_learns() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1
    kagari.manual_seed(0)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(blocks[0], str(README), "exec"), {"__name__": "readme"})
    found = re.fullmatch(r"(\d+\.\d)% of 297 unseen scans read correctly\n", out.getvalue())
    assert found, out.getvalue()
    assert float(found[1]) >= 90
