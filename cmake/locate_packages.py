"""Prints where OpenBLAS and its licence lie, as KEY=VALUE lines for CMake."""

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
    licence = locate("scipy-openblas32", "licenses/LICENSE.txt")
    if licence:
        print(f"LICENCE=OpenBLAS.txt:{licence}")
    if importlib.util.find_spec("scipy_openblas32"):
        import scipy_openblas32

        name = f"lib{scipy_openblas32.get_library()}.so"
        print(f"OPENBLAS_LIBRARY={Path(scipy_openblas32.get_lib_dir()) / name}")
        print(f"OPENBLAS_INCLUDE={scipy_openblas32.get_include_dir()}")


if __name__ == "__main__":
    main()
