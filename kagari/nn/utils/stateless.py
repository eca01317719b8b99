"""Calling a module with other parameters and buffers than its own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kagari import Tensor
from kagari.nn.modules.module import Module

__all__ = ["functional_call"]


def _place(module: Module, path: str) -> tuple[Module, str]:
    owner, _, name = path.rpartition(".")
    try:
        return module.get_submodule(owner), name
    except AttributeError as error:
        raise AttributeError(f"functional_call: {error} (for the name {path!r})") from None


def _swap(owner: Module, name: str, value: Any, missing: Any) -> Any:
    """Puts ``value`` where the owner keeps this name; gives what was there."""
    for registry in (owner._parameters, owner._buffers):
        if name in registry:
            old = registry[name]
            registry[name] = value
            return old
    old = owner.__dict__.get(name, missing)
    if value is missing:
        owner.__dict__.pop(name, None)
    else:
        owner.__dict__[name] = value
    return old


def _with_ties(module: Module, given: Mapping[str, Any]) -> dict[str, Any]:
    """The given tensors under all names of the parameters and buffers that they replace."""
    names: dict[int, set[str]] = {}
    for named in (module.named_parameters, module.named_buffers):
        for name, tensor in named(remove_duplicate=False):
            names.setdefault(id(tensor), set()).add(name)
    group = {name: tied for tied in names.values() for name in tied}
    result = dict(given)
    for name, tensor in given.items():
        for other in group.get(name, ()):
            if other in given and given[other] is not tensor:
                raise ValueError(
                    f"functional_call got multiple values for keys {sorted(group[name])}, which "
                    "are tied. Consider using tie_weights=False"
                )
            result[other] = tensor
    return result


@contextmanager
def _reparametrize_module(
    module: Module,
    parameters_and_buffers: Mapping[str, Any],
    tie_weights: bool = False,
    strict: bool = False,
) -> Iterator[None]:
    given = dict(parameters_and_buffers)
    if tie_weights:
        given = _with_ties(module, given)
    if strict:
        known = {name for name, _ in module.named_parameters(remove_duplicate=False)}
        known |= {name for name, _ in module.named_buffers(remove_duplicate=False)}
        unexpected, missing_keys = sorted(given.keys() - known), sorted(known - given.keys())
        if unexpected or missing_keys:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(module).__name__}: "
                f"unexpected key(s) {unexpected}, missing key(s) {missing_keys}"
            )
    missing = object()
    swapped: list[tuple[Module, str, Any, str]] = []
    try:
        for path, tensor in given.items():
            owner, name = _place(module, path)
            if not isinstance(tensor, Tensor) and tensor is not None:
                raise TypeError(f"functional_call: expected a Tensor for {path!r}, got {tensor!r}")
            if not hasattr(owner, name):
                raise AttributeError(
                    f"functional_call: {type(owner).__name__} has no attribute {name!r}"
                )
            swapped.append((owner, name, _swap(owner, name, tensor, missing), path))
        yield
    finally:
        # Backwards: a name that was swapped twice ends as it was.
        for owner, name, old, path in reversed(swapped):
            now = _swap(owner, name, old, missing)
            # What the module put in place of a tensor is the caller's to see.
            if path in parameters_and_buffers and isinstance(parameters_and_buffers, dict):
                parameters_and_buffers[path] = now


def functional_call(
    module: Module,
    parameters_and_buffers: Mapping[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Deprecated address of :func:`kagari.func.functional_call`.

    Args:
        module (Module): the module to call.
        parameters_and_buffers (dict): tensors by dotted name, used instead of the module's own.
        args (tuple): positional arguments; a single value stands for a tuple of one.
        kwargs (dict): keyword arguments.
        tie_weights (bool): a tensor given for one name of a shared parameter serves all its names.
        strict (bool): the names must be exactly those of the module.

    Returns:
        What the module returns.

    Raises:
        RuntimeError: ``strict`` and the names do not agree.
        ValueError: two tensors are given for one shared parameter.
    """
    warnings.warn(
        "nn.utils.stateless.functional_call is deprecated in favor of func.functional_call.",
        FutureWarning,
        stacklevel=2,
    )
    return _functional_call(
        module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict
    )


def _functional_call(
    module: Module,
    parameters_and_buffers: Mapping[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    with _reparametrize_module(module, parameters_and_buffers, tie_weights, strict):
        return module(*args, **(kwargs or {}))
