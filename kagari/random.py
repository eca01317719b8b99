"""Seeding and saving the state of the default generator."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from kagari._core import default_generator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import kagari

__all__ = [
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]


def set_rng_state(new_state: kagari.Tensor) -> None:
    """Sets the state of the default generator.

    Args:
        new_state: as ``get_rng_state`` has returned it.

    Example:
        >>> import kagari
        >>> state = kagari.get_rng_state()
        >>> first = kagari.rand(3)
        >>> kagari.set_rng_state(state)
        >>> kagari.equal(first, kagari.rand(3))
        True
    """
    default_generator.set_state(new_state)


def get_rng_state() -> kagari.Tensor:
    """Returns the state of the default generator, a tensor of bytes.

    Example:
        >>> import kagari
        >>> state = kagari.get_rng_state()
        >>> first = kagari.rand(2)
        >>> kagari.set_rng_state(state)
        >>> kagari.equal(first, kagari.rand(2))
        True
    """
    return default_generator.get_state()


def manual_seed(seed: int) -> kagari.Generator:
    """Seeds the default generator.

    Args:
        seed: any integer of 64 bits; negative ones count from the end.

    Returns:
        The default generator.

    Example:
        >>> import kagari
        >>> kagari.manual_seed(7).initial_seed()
        7
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Seeds the default generator with a number from the system, and returns it.

    Example:
        >>> import kagari
        >>> kagari.seed() == kagari.initial_seed()
        True
    """
    return int(default_generator.seed())


def initial_seed() -> int:
    """Returns the number that the default generator was seeded with.

    Example:
        >>> import kagari
        >>> _ = kagari.manual_seed(7)
        >>> kagari.initial_seed()
        7
    """
    return int(default_generator.initial_seed())


@contextlib.contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str | None = None,
) -> Iterator[None]:
    """Lets random numbers be drawn inside without changing those that come afterwards.

    Args:
        devices: accelerators whose generators are kept too; none is known, so none or an empty
            list.
        enabled: False does nothing.
        device_type: kind of these devices.

    Raises:
        RuntimeError: a device that has no generator here.

    Example:
        >>> import kagari
        >>> _ = kagari.manual_seed(0)
        >>> with fork_rng():
        ...     inside = kagari.rand(2)
        >>> kagari.equal(inside, kagari.rand(2))
        True
    """
    others = [d for d in devices or () if str(d) not in ("cpu", "meta")]
    if enabled and others:
        raise RuntimeError(
            f"{_caller}: expected no accelerators, got {others}; only the CPU's generator is "
            f"here, leave {_devices_kw} out"
        )
    if not enabled or device_type == "meta":
        yield
        return
    state = default_generator.get_state()
    try:
        yield
    finally:
        default_generator.set_state(state)
