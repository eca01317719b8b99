"""Parameters computed from others: a module's tensor as a function of what is trained."""

from __future__ import annotations

import copyreg
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from typing import Any

import kagari
from kagari import Tensor
from kagari.nn.modules.container import ModuleDict, ModuleList
from kagari.nn.modules.module import Module
from kagari.nn.parameter import Parameter

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

_cache_enabled = 0
_cache: dict[tuple[int, str], Any] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Computes each parametrized tensor once while the context lasts.

    Example:
        >>> from kagari import nn
        >>> from kagari.nn.utils import parametrizations, parametrize
        >>> m = parametrizations.weight_norm(nn.Linear(2, 3))
        >>> with parametrize.cached():
        ...     m.weight is m.weight
        True
    """
    global _cache_enabled
    _cache_enabled += 1
    try:
        yield
    finally:
        _cache_enabled -= 1
        if not _cache_enabled:
            _cache.clear()


def _register(module: Module, name: str, x: Any) -> None:
    if isinstance(x, Parameter):
        module.register_parameter(name, x)
    else:
        module.register_buffer(name, x)


def _replace(tensor: Tensor, by: Tensor) -> None:
    """Gives a tensor the memory, and so the shape, of another."""
    tensor.data = by.detach()


def _require_like(
    what: str, got: Any, wanted: Any, name: str, got_name: str, flag: str = "the `unsafe` flag"
) -> None:
    """Raises unless two tensors agree in dtype and shape; ``what`` may not change them."""
    for attribute in ("dtype", "shape"):
        a, b = getattr(wanted, attribute), getattr(got, attribute)
        if a != b:
            raise ValueError(
                f"{what.format(attribute)}, unless {flag} is enabled.\n"
                f"{name.format(attribute)}: {a}\n{got_name.format(attribute)}: {b}"
            )


_CHANGED = "Registering a parametrization may not change the {} of the tensor"


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, in the order they are applied, and what they act on.

    Args:
        modules (sequence of Module): the parametrizations.
        original (Tensor): the parameter or buffer that they replace.
        unsafe (bool): do not check that dtype and shape stay.

    Raises:
        ValueError: no modules, or one that does not give a tensor of the same dtype and shape.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.utils.parametrizations.orthogonal(kagari.nn.Linear(2, 2))
        >>> type(layer.parametrizations.weight).__name__, len(layer.parametrizations.weight)
        ('ParametrizationList', 1)
    """

    original: Any
    unsafe: bool

    def __init__(self, modules: Sequence[Module], original: Any, unsafe: bool = False) -> None:
        if len(modules) == 0:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        new: Any = original
        with kagari.no_grad():
            for module in self._backwards():
                if hasattr(module, "right_inverse"):
                    # A module that says it has none starts from the value as it is.
                    with suppress(NotImplementedError):
                        new = module.right_inverse(new)
        if not isinstance(new, Tensor) and not isinstance(new, Sequence):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if self.is_tensor else len(new)
        if isinstance(new, Tensor):
            for attribute in ("dtype", "device"):
                a, b = getattr(original, attribute), getattr(new, attribute)
                if a != b:
                    raise ValueError(
                        "When `right_inverse` outputs one tensor, it may not change the "
                        f"{attribute}.\noriginal.{attribute}: {a}\n"
                        f"right_inverse(original).{attribute}: {b}"
                    )
            _replace(original, new)
            _register(self, "original", original)
        else:
            for i, one in enumerate(new):
                if not isinstance(one, Tensor):
                    raise ValueError(
                        "'right_inverse' must return a Tensor or a Sequence of tensors (list, "
                        f"tuple...). Got element {i} of the sequence with type "
                        f"{type(one).__name__}."
                    )
                if isinstance(original, Parameter):
                    one = Parameter(one, original.requires_grad)
                one.requires_grad_(original.requires_grad)
                _register(self, f"original{i}", one)
        if not unsafe:
            result = self()
            if not isinstance(result, Tensor):
                raise ValueError(
                    f"A parametrization must return a tensor. Got {type(result).__name__}."
                )
            before = type("Original", (), {"dtype": dtype, "shape": shape})
            _require_like(
                _CHANGED, result, before, "unparametrized {}", "parametrized {}", "`unsafe` flag"
            )

    def _backwards(self) -> list[Any]:
        return [self[i] for i in range(len(self) - 1, -1, -1)]

    def right_inverse(self, value: Tensor) -> None:
        """Sets what is trained so that the parametrized tensor becomes ``value``.

        Args:
            value (Tensor): the value.

        Raises:
            RuntimeError: a parametrization has no ``right_inverse``.
            ValueError: a ``right_inverse`` gives something else than it should.
        """
        new: Any = value
        with kagari.no_grad():
            for module in self._backwards():
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement right_inverse."
                    )
                new = module.right_inverse(new)
        if self.is_tensor:
            if not isinstance(new, Tensor):
                raise ValueError(
                    f"`right_inverse` should return a tensor. Got {type(new).__name__}"
                )
            if new.dtype != self.original.dtype:
                raise ValueError(
                    f"The tensor returned by `right_inverse` has dtype {new.dtype} while "
                    f"`original` has dtype {self.original.dtype}"
                )
            _replace(self.original, new)
            return
        if not isinstance(new, Sequence):
            raise ValueError(
                f"'right_inverse' must return a sequence of tensors. Got {type(new).__name__}."
            )
        if len(new) != self.ntensors:
            raise ValueError(
                "'right_inverse' must return a sequence of tensors of length "
                f"{self.ntensors}. Got a sequence of length {len(new)}."
            )
        for i, tensor in enumerate(new):
            if not isinstance(tensor, Tensor):
                raise ValueError(
                    "'right_inverse' must return a sequence of tensors. Got element "
                    f"{i} of type {type(tensor).__name__}."
                )
            original = getattr(self, f"original{i}")
            if original.dtype != tensor.dtype:
                raise ValueError(
                    f"Tensor {i} returned by `right_inverse` has dtype {tensor.dtype} while "
                    f"`original{i}` has dtype {original.dtype}"
                )
            _replace(original, tensor)

    def forward(self) -> Any:
        if self.is_tensor:
            originals = (self.original,)
        else:
            originals = tuple(getattr(self, f"original{i}") for i in range(self.ntensors))
        x: Any = self[0](*originals)
        for i in range(1, len(self)):
            x = self[i](x)
        return x


def _inject_class(module: Module) -> None:
    """Gives a module a class of its own, where properties for it alone can live."""
    cls = module.__class__

    def __deepcopy__(self: Any, memo: Any) -> Any:  # noqa: N807
        found = memo.get(id(self))
        if found is not None:
            return found
        replica = self.__new__(self.__class__)
        memo[id(self)] = replica
        replica.__dict__ = deepcopy(self.__dict__, memo)
        for slot in copyreg._slotnames(self.__class__):  # type: ignore[attr-defined]
            if hasattr(self, slot):
                setattr(replica, slot, deepcopy(getattr(self, slot), memo))
        return replica

    def __getstate__(self: Any) -> Any:  # noqa: N807
        raise RuntimeError(
            "Serialization of parametrized modules is only supported through state_dict(): save "
            "module.state_dict(), and load it into a module parametrized in the same way"
        )

    members: dict[str, Any] = {"__getstate__": __getstate__}
    if not hasattr(cls, "__deepcopy__"):
        members["__deepcopy__"] = __deepcopy__
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), members)


def _inject_property(module: Module, tensor_name: str) -> None:
    def get(self: Any) -> Any:
        parametrization = self.parametrizations[tensor_name]
        if not _cache_enabled:
            return parametrization()
        key = (id(self), tensor_name)
        if _cache.get(key) is None:
            _cache[key] = parametrization()
        return _cache[key]

    def set(self: Any, value: Tensor) -> None:
        self.parametrizations[tensor_name].right_inverse(value)

    setattr(module.__class__, tensor_name, property(get, set))


def _check_appended(module: Any, tensor_name: str, parametrization: Any) -> None:
    """A parametrization on top of others keeps dtype and shape, and so does its inverse."""
    before = getattr(module, tensor_name)
    after = parametrization(before)
    if not isinstance(after, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(after).__name__}.")
    name = f"module.{tensor_name}"
    _require_like(_CHANGED, after, before, name + ".{}", f"parametrization({name}).{{}}")
    if not hasattr(parametrization, "right_inverse"):
        return
    try:
        back = parametrization.right_inverse(after)
    except NotImplementedError:
        return
    if not isinstance(back, Tensor):
        raise ValueError(
            f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}"
        )
    _require_like(
        "The tensor returned by parametrization.right_inverse must have the same {} as " + name,
        back,
        before,
        name + ".{}",
        "returned {}",
    )


def register_parametrization(
    module: Any, tensor_name: str, parametrization: Any, *, unsafe: bool = False
) -> Any:
    """Makes a tensor of a module a function of what is trained.

    ``module.parametrizations[tensor_name]`` then holds what is trained as ``original`` (or
    ``original0``, ``original1``, ... where ``parametrization.right_inverse`` gives several), and
    ``module.tensor_name`` computes the function at each access. Setting it goes through
    ``right_inverse``. Several parametrizations of one tensor follow each other.

    Args:
        module (Module): the module; its class becomes one of its own.
        tensor_name (str): name of a parameter or buffer.
        parametrization (Module): the function; may have ``right_inverse``.
        unsafe (bool): do not check that dtype and shape stay.

    Returns:
        The module.

    Raises:
        ValueError: there is no such tensor, or dtype or shape would change.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> class Symmetric(nn.Module):
        ...     def forward(self, x):
        ...         return x.triu() + x.triu(1).mT
        >>> m = nn.utils.parametrize.register_parametrization(
        ...     nn.Linear(3, 3), "weight", Symmetric()
        ... )
        >>> kagari.equal(m.weight, m.weight.mT)
        True

    Reference: https://pytorch.org/tutorials/intermediate/parametrizations.html
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_appended(module, tensor_name, parametrization)
        module.parametrizations[tensor_name].append(parametrization)
        module.parametrizations[tensor_name].unsafe |= unsafe
        return module
    if tensor_name not in module._buffers and tensor_name not in module._parameters:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element "
            f"with name '{tensor_name}'"
        )
    original = getattr(module, tensor_name)
    parametrizations = ParametrizationList([parametrization], original, unsafe=unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        _inject_class(module)
        module.parametrizations = ModuleDict()
    _inject_property(module, tensor_name)
    module.parametrizations[tensor_name] = parametrizations
    return module


def is_parametrized(module: Any, tensor_name: str | None = None) -> bool:
    """Whether a module has parametrizations, or one of the tensor of this name.

    Example:
        >>> from kagari import nn
        >>> nn.utils.parametrize.is_parametrized(nn.Linear(2, 3))
        False
    """
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(module: Any, tensor_name: str, leave_parametrized: bool = True) -> Any:
    """Takes the parametrizations of a tensor away again.

    Args:
        module (Module): the module.
        tensor_name (str): the tensor's name.
        leave_parametrized (bool): the tensor keeps its computed value; ``False`` leaves the
            original.

    Returns:
        The module.

    Raises:
        ValueError: the tensor is not parametrized, or there is no single original to leave.

    Example:
        >>> from kagari import nn
        >>> m = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
        >>> list(nn.utils.parametrize.remove_parametrizations(m, "weight").state_dict())
        ['bias', 'weight']
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    parametrizations = module.parametrizations[tensor_name]
    if parametrizations.is_tensor:
        original = parametrizations.original
        if leave_parametrized:
            with kagari.no_grad():
                _replace(original, getattr(module, tensor_name))
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value.detach()) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is "
            "parametrized in terms of a sequence of tensors."
        )
    delattr(module.__class__, tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        delattr(module, "parametrizations")
        module.__class__ = module.__class__.__bases__[0]
    return module


def type_before_parametrizations(module: Any) -> Any:
    """The class that a module had before its first parametrization.

    Example:
        >>> from kagari import nn
        >>> m = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
        >>> nn.utils.parametrize.type_before_parametrizations(m) is nn.Linear
        True
    """
    return module.__class__.__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Any, to_module: Any, tensor_name: str | None = None
) -> Any:
    """Parametrizes a module as another is, sharing what is trained.

    Args:
        from_module (Module): the parametrized module.
        to_module (Module): the module to parametrize.
        tensor_name (str, optional): one tensor; all of them by default.

    Returns:
        ``to_module``.

    Example:
        >>> from kagari import nn
        >>> m = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
        >>> n = nn.utils.parametrize.transfer_parametrizations_and_params(m, nn.Linear(2, 3))
        >>> (n.weight == m.weight).all().item()
        True
    """
    if not is_parametrized(from_module):
        return to_module
    names = list(from_module.parametrizations) if tensor_name is None else [tensor_name]
    for name in names:
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach()))
        source = from_module.parametrizations[name]
        for i in range(len(source)):
            register_parametrization(to_module, name, source[i])
        target = to_module.parametrizations[name]
        parts = (
            ["original"] if source.is_tensor else [f"original{i}" for i in range(source.ntensors)]
        )
        for part in parts:
            setattr(target, part, getattr(source, part))
    return to_module
