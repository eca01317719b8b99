"""What lazy layers share: they take the input's sizes at their first call."""

from __future__ import annotations

from itertools import chain
from typing import Any

import kagari
from kagari import _core
from kagari.nn.parameter import is_lazy

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin(_core.ModuleBase):
    """Mixin for modules whose parameters get their shapes at the first call.

    Such a module holds :class:`~kagari.nn.UninitializedParameter` placeholders and defines
    ``initialize_parameters``, which a pre-hook calls with the first inputs. Afterwards the module
    becomes an instance of ``cls_to_become``.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.LazyLinear(3)
        >>> y = m(kagari.zeros(2, 5))
        >>> m
        Linear(in_features=5, out_features=3, bias=True)

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.modules.lazy.LazyModuleMixin.html
    """

    cls_to_become: Any = None

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(
            self._infer_parameters, with_kwargs=True
        )

    def _save_to_state_dict(self: Any, destination: Any, prefix: str, keep_vars: bool) -> None:
        # A placeholder is saved as it is: it cannot be detached.
        buffers = {
            k: b for k, b in self._buffers.items() if k not in self._non_persistent_buffers_set
        }
        for name, value in chain(self._parameters.items(), buffers.items()):
            if value is not None:
                kept = keep_vars or is_lazy(value)
                destination[prefix + name] = value if kept else value.detach()

    def _lazy_load_hook(self: Any, state_dict: Any, prefix: str, *args: Any, **kwargs: Any) -> None:
        for name, value in chain(self._parameters.items(), self._buffers.items()):
            given = state_dict.get(prefix + name)
            if given is not None and is_lazy(value) and not is_lazy(given):
                with kagari.no_grad():
                    value.materialize(given.shape)

    def initialize_parameters(self: Any, *args: Any, **kwargs: Any) -> None:
        """Gives the placeholders their shapes from the first call's arguments."""
        raise NotImplementedError(
            f"initialize_parameters is not implemented for {type(self).__name__}"
        )

    def has_uninitialized_params(self: Any) -> bool:
        """Whether a parameter or buffer still waits for its shape."""
        return any(is_lazy(v) for v in chain(self._parameters.values(), self._buffers.values()))

    def _infer_parameters(self: Any, module: Any, args: Any, kwargs: Any = None) -> None:
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {self._get_name()} has not been fully initialized")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook
        del module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    def _replicate_for_data_parallel(self) -> Any:
        raise RuntimeError(
            "Modules with uninitialized parameters can't be used with `DataParallel`. Run a dummy "
            "forward pass to correctly initialize the modules"
        )
