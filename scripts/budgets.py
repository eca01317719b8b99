"""Builds the wheel from nothing, installs it into an empty environment and holds it to the budgets.

    python scripts/budgets.py            # prints the table; exit status 1 when a budget is broken
    python scripts/budgets.py --write    # and puts it into README.md

Needs the build requirements of pyproject.toml (`scripts/setup-venv build` or `make budgets`).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
MEGABYTE = 1e6
BEGIN, END = "<!-- budgets -->", "<!-- end of budgets -->"

# Prints the seconds that the import took and what it brought in besides the standard library.
IMPORT = """
import json, sys, time
before = set(sys.modules)
start = time.perf_counter()
import kagari
seconds = time.perf_counter() - start
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
foreign = sorted(tops - sys.stdlib_module_names - {"kagari"})
print(json.dumps([seconds, foreign, len(set(sys.modules) - before)]))
"""


@dataclass
class Budget:
    """A row of the table."""

    what: str
    limit: str
    measured: str
    met: bool

    @classmethod
    def at_most(cls, what: str, limit: float, measured: float, unit: str, digits: int) -> Budget:
        """A budget that is a number."""
        return cls(what, f"≤ {limit:g} {unit}", f"{measured:.{digits}f} {unit}", measured <= limit)


def build_wheel(folder: Path) -> tuple[Path, float]:
    """Builds the wheel with nothing kept from earlier builds: its path and the seconds."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    command += [f"--config-settings=build-dir={folder / 'build'}", "-w", str(folder), str(ROOT)]
    scripts = Path(sys.executable).parent
    environment = os.environ | {
        "CCACHE_DISABLE": "1",
        "CMAKE_BUILD_PARALLEL_LEVEL": "2",
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
    }
    subprocess.run(command, check=True, env=environment)
    return next(folder.glob("kagari-*.whl")), time.perf_counter() - start


def install(wheel: Path, folder: Path) -> tuple[Path, float]:
    """Installs the wheel alone: the interpreter that has it, and its bytes on disk."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", str(wheel)], check=True)
    package = next(folder.glob("lib/python*/site-packages/kagari"))
    return python, sum(path.stat().st_size for path in package.rglob("*") if path.is_file())


def measure_import(python: Path, folder: Path, runs: int = 15) -> tuple[float, list[str], int]:
    """The median seconds of `import kagari` in fresh processes, and what it imports."""
    results = [
        json.loads(subprocess.check_output([python, "-I", "-c", IMPORT], cwd=folder))
        for _ in range(runs)
    ]
    return statistics.median(result[0] for result in results), results[-1][1], results[-1][2]


def measure() -> list[Budget]:
    """Measures every budget."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel, build_seconds = build_wheel(folder)
        python, installed = install(wheel, folder / "venv")
        import_seconds, foreign, count = measure_import(python, folder)
        wheel_bytes = wheel.stat().st_size
    return [
        Budget.at_most("wheel", 25, wheel_bytes / MEGABYTE, "MB", 1),
        Budget.at_most("installed, without NumPy", 90, installed / MEGABYTE, "MB", 1),
        Budget.at_most("`import kagari`", 0.15, import_seconds, "s", 3),
        Budget(
            "modules that the import brings in",
            "kagari's and the standard library's",
            ", ".join(foreign) or f"only those ({count})",
            not foreign,
        ),
        Budget.at_most("clean build, 2 jobs", 480, build_seconds, "s", 0),
    ]


def table(budgets: list[Budget]) -> str:
    """The budgets as Markdown."""
    lines = ["| what | budget | measured | |", "|---|---|---|---|"]
    for row in budgets:
        verdict = "met" if row.met else "**broken**"
        lines.append(f"| {row.what} | {row.limit} | {row.measured} | {verdict} |")
    return "\n".join(lines)


def write(text: str, path: Path) -> None:
    """Puts the table between the marks in ``path``."""
    page = path.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"budgets: {path} lacks the marks {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def main() -> int:
    """Measures, prints, and says by its exit status whether all budgets are met."""
    parser = argparse.ArgumentParser(description="Hold the package to its budgets.")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    budgets = measure()
    text = table(budgets)
    print(text)
    if options.write:
        write(text, ROOT / "README.md")
    return 0 if all(row.met for row in budgets) else 1


if __name__ == "__main__":
    sys.exit(main())
