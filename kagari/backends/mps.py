"""Apple's GPUs: not here."""

from __future__ import annotations

__all__ = ["is_available", "is_built", "is_macos13_or_newer", "is_macos_or_newer"]


def is_built() -> bool:
    """False: kagari is built without Metal.

    Example:
        >>> import kagari
        >>> kagari.backends.mps.is_built()
        False
    """
    return False


def is_available() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.backends.mps.is_available()
        False
    """
    return False


def is_macos_or_newer(major: int, minor: int) -> bool:
    """Whether the system is macOS of at least this version.

    Example:
        >>> import kagari
        >>> kagari.backends.mps.is_macos_or_newer(99, 0)
        False
    """
    import platform

    version = platform.mac_ver()[0]
    if not version:
        return False
    return tuple(int(part) for part in version.split(".")[:2]) >= (major, minor)


def is_macos13_or_newer(minor: int = 0) -> bool:
    """Whether the system is macOS 13 or newer.

    Example:
        >>> import kagari
        >>> kagari.backends.mps.is_macos13_or_newer()
        False
    """
    return is_macos_or_newer(13, minor)
