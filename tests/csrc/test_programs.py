"""Builds and runs the provider's own test programs, which reach strides, epilogues and kinds that no op asks for."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROVIDER = ROOT / "csrc" / "cpu" / "provider"
CXX = shlex.split(os.environ.get("CXX", "c++"))
# Little optimisation: the compiler's time is the test's.
FLAGS = ["-std=gnu++20", "-O1", "-ffp-contract=off", "-fno-math-errno", "-w", "-pthread"]
PRODUCTS = ["gemm", "blocks", "kernels_base", "kernels_v3", "kernels_v4", "kernels_v4_bf16"]
CONVOLUTIONS = [
    "conv",
    "depthwise",
    "direct",
    "lanes",
    "unfold",
    "winograd",
    "winograd_tiles",
    "winograd_weight",
    "winograd_window",
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which(CXX[0]) is None, reason="needs a C++ compiler"),
]


class Builder:
    """Compiles each source once, however many programs want it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects: dict[Path, Path] = {}

    def compile(self, source: Path, *words: str) -> None:
        target = self.folder / f"{source.parent.name}-{source.stem}.o"
        baseline = ["-march=x86-64-v2"] if os.uname().machine == "x86_64" else []
        command = [*CXX, *FLAGS, *baseline, f"-I{ROOT / 'csrc'}", *words, "-c", str(source)]
        done = subprocess.run([*command, "-o", str(target)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        self.objects[source] = target

    def program(
        self, name: str, sources: list[str], *words: str, link: tuple[str, ...] = ()
    ) -> Path:
        core = [ROOT / "csrc" / "core" / f"{name}.cpp" for name in ("parallel", "error")]
        paths = [Path(__file__).parent / "provider" / f"{name}.cpp"]
        paths += [PROVIDER / f"{source}.cpp" for source in sources] + core
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda p: self.compile(p, *words), set(paths) - set(self.objects)))
        target = self.folder / name
        objects = [str(self.objects[path]) for path in paths]
        done = subprocess.run(
            [*CXX, "-pthread", *objects, *link, "-o", str(target)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return target


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    return Builder(tmp_path_factory.mktemp("programs"))


def run(program: Path) -> None:
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "checks, 0 failed" in done.stdout


def test_products(builder):
    run(builder.program("test_gemm", PRODUCTS))


def test_convolutions(builder):
    run(builder.program("test_conv", PRODUCTS + CONVOLUTIONS))


def test_factorisations(builder):
    if importlib.util.find_spec("scipy_openblas32") is None:
        pytest.skip("needs OpenBLAS's headers: pip install scipy-openblas32")
    import scipy_openblas32 as openblas

    library = Path(openblas.get_lib_dir())
    words = (f"-I{openblas.get_include_dir()}", "-DBLAS_SYMBOL_PREFIX=scipy_")
    link = (str(library / f"lib{openblas.get_library()}.so"), f"-Wl,-rpath,{library}")
    run(builder.program("test_lapack", [*PRODUCTS, "lapack"], *words, link=link))
