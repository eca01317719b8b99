"""Prints where oneDNN, OpenBLAS and their licences lie, as KEY=VALUE lines for CMake."""

import importlib.metadata
import importlib.util
from pathlib import Path


def locate(package: str, suffix: str) -> Path | None:
    """The installed file of ``package`` whose path ends with ``suffix``."""
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.as_posix().endswith(suffix):
            path = Path(str(file.locate())).resolve()
            if path.exists():
                return path
    return None


def main() -> None:
    """Prints a line for each thing found and nothing for what is missing."""
    library = locate("onednn-cpu-gomp", "/libdnnl.so.3")
    header = locate("onednn-devel-cpu-gomp", "include/dnnl.hpp")
    if library and header:
        print(f"ONEDNN_LIBRARY={library}")
        print(f"ONEDNN_INCLUDE={header.parent}")
    licences = {
        "oneDNN.txt": locate("onednn-cpu-gomp", "doc/onednn/LICENSE"),
        "oneDNN-third-party.txt": locate("onednn-cpu-gomp", "doc/onednn/THIRD-PARTY-PROGRAMS"),
        # This one holds the licence and the exception of GCC's run-time libraries too.
        "OpenBLAS-and-libgomp.txt": locate("scipy-openblas32", "licenses/LICENSE.txt"),
    }
    for name, path in licences.items():
        if path:
            print(f"LICENCE={name}:{path}")
    if importlib.util.find_spec("scipy_openblas32"):
        import scipy_openblas32

        name = f"lib{scipy_openblas32.get_library()}.so"
        print(f"OPENBLAS_LIBRARY={Path(scipy_openblas32.get_lib_dir()) / name}")
        print(f"OPENBLAS_INCLUDE={scipy_openblas32.get_include_dir()}")


if __name__ == "__main__":
    main()
