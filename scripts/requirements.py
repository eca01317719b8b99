"""Prints the requirements of a dependency group of pyproject.toml, a line each.

The group ``build`` includes what the build backend asks for, so that builds without isolation work.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any


def requirements(project: dict[str, Any], group: str) -> list[str]:
    """The lines of ``group``, with the groups it includes."""
    groups: dict[str, list[str | dict[str, str]]] = project["dependency-groups"]
    if group not in groups:
        raise SystemExit(f"requirements: no group {group!r}; there are {', '.join(groups)}")
    lines = list(project["build-system"]["requires"]) if group == "build" else []
    for entry in groups[group]:
        if isinstance(entry, str):
            lines.append(entry)
        else:
            lines += requirements(project, entry["include-group"])
    return lines


if __name__ == "__main__":
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    for name in sys.argv[1:]:
        print("\n".join(requirements(tomllib.loads(text), name)))
