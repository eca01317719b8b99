"""Names of features that are not here: they can be imported, and say so when they are called."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, NoReturn

__all__ = ["absent", "absent_modules"]


class _Absent(type):
    """The type of names of absent features.

    Each is a class without instances, so that ``isinstance(x, Name)`` is False and annotations
    work; calling it raises, and its attributes are absent too.
    """

    reason: str

    def __call__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(f"{cls.__qualname__}: {cls.reason}")

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"{cls.__qualname__} has no attribute {name!r}")
        return absent(f"{cls.__qualname__}.{name}", cls.reason)

    def __repr__(cls) -> str:
        return f"<absent {cls.__qualname__}>"


def absent(name: str, reason: str) -> Any:
    """A name that raises RuntimeError with the reason when it is called.

    Args:
        name (str): the full name, for the message.
        reason (str): what is missing, and the way out.
    """
    kind = _Absent(name.rpartition(".")[2], (), {"reason": reason, "__module__": "kagari"})
    kind.__qualname__ = name
    return kind


def absent_modules(package: str, names: Mapping[str, Sequence[str]], reason: str) -> None:
    """Puts modules of absent names below a package, so that import statements find them.

    Args:
        package (str): the package's full name.
        names: the public names of each module, by its path below the package.
        reason (str): see ``absent``.
    """
    for path, members in names.items():
        parent = sys.modules[package]
        full = package
        for part in path.split("."):
            full = f"{full}.{part}"
            module = sys.modules.get(full)
            if module is None:
                module = ModuleType(full, f"Not here: {reason}")
                module.__path__ = []
                sys.modules[full] = module
                setattr(parent, part, module)
            parent = module
        for member in members:
            setattr(parent, member, absent(f"{full}.{member}", reason))
