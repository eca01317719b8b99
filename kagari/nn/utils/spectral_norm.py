"""Spectral normalization by a hook: the older form of ``parametrizations.spectral_norm``."""

from __future__ import annotations

from typing import Any, TypeVar

import kagari
from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn.modules.module import Module
from kagari.nn.parameter import Parameter, UninitializedParameter
from kagari.nn.utils.parametrizations import _spectral_dim

__all__ = [
    "SpectralNorm",
    "SpectralNormLoadStateDictPreHook",
    "SpectralNormStateDictHook",
    "remove_spectral_norm",
    "spectral_norm",
]

M = TypeVar("M", bound=Module)


class SpectralNorm:
    """The hook that computes the weight before each call.

    Raises:
        ValueError: ``n_power_iterations`` is not positive.
    """

    # Of what is saved: version 1 keeps v beside u.
    _version: int = 1

    def __init__(
        self,
        name: str = "weight",
        n_power_iterations: int = 1,
        dim: int = 0,
        eps: float = 1e-12,
    ) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def reshape_weight_to_matrix(self, weight: Tensor) -> Tensor:
        """The weight as a matrix whose rows are outputs."""
        return weight.movedim(self.dim, 0).reshape(weight.size(self.dim), -1)

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """The weight over its largest singular value."""
        weight = getattr(module, self.name + "_orig")
        u, v = getattr(module, self.name + "_u"), getattr(module, self.name + "_v")
        matrix = self.reshape_weight_to_matrix(weight)
        if do_power_iteration:
            with kagari.no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(matrix.t() @ u, dim=0, eps=self.eps))
                    u.copy_(F.normalize(matrix @ v, dim=0, eps=self.eps))
                # Copies: the next call writes into the buffers, and backward needs these.
                u, v = u.clone(), v.clone()
        result: Tensor = weight / kagari.dot(u, matrix @ v)
        return result

    def remove(self, module: Module) -> None:
        """Makes the weight a parameter again."""
        with kagari.no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for suffix in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + suffix)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))

    def _solve_v_and_rescale(self, matrix: Tensor, u: Tensor, sigma: Tensor) -> Tensor:
        """v with ``u^T W v = sigma``, for states that were saved without it."""
        gram: Any = matrix.t().mm(matrix)
        v = (gram.pinverse() @ (matrix.t() @ u.unsqueeze(1))).squeeze(1)
        result: Tensor = v * (sigma / kagari.dot(u, matrix @ v))
        return result

    @staticmethod
    def apply(
        module: Module, name: str, n_power_iterations: int, dim: int, eps: float
    ) -> SpectralNorm:
        """Replaces a parameter by what it is divided from."""
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, SpectralNorm) and hook.name == name:
                raise RuntimeError(
                    f"Cannot register two spectral_norm hooks on the same parameter {name}"
                )
        fn = SpectralNorm(name, n_power_iterations, dim, eps)
        weight: Any = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if isinstance(weight, UninitializedParameter):
            raise ValueError(
                "The module passed to `SpectralNorm` can't have uninitialized parameters. Make "
                "sure to run the dummy forward before applying spectral normalization"
            )
        with kagari.no_grad():
            u, v = (
                F.normalize(weight.new_empty(size).normal_(0, 1), dim=0, eps=eps)
                for size in fn.reshape_weight_to_matrix(weight).shape
            )
        delattr(module, name)
        module.register_parameter(name + "_orig", weight)
        # The weight stays an attribute, so that initialisation through it goes on working.
        setattr(module, name, weight.detach())
        module.register_buffer(name + "_u", u)
        module.register_buffer(name + "_v", v)
        module.register_forward_pre_hook(fn)
        module._register_state_dict_hook(SpectralNormStateDictHook(fn))
        module._register_load_state_dict_pre_hook(SpectralNormLoadStateDictPreHook(fn))
        return fn


class SpectralNormLoadStateDictPreHook:
    """Brings states that older versions saved into today's form."""

    def __init__(self, fn: SpectralNorm) -> None:
        self.fn = fn

    def __call__(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        fn, key = self.fn, prefix + self.fn.name
        version = local_metadata.get("spectral_norm", {}).get(fn.name + ".version")
        if version is not None and version >= 1:
            return
        complete = all(key + s in state_dict for s in ("_orig", "_u", "_v"))
        if version is None and complete and key not in state_dict:
            return  # saved without metadata
        missing = [key + s for s in ("_orig", "", "_u") if key + s not in state_dict]
        if missing:
            if strict:
                missing_keys.extend(missing)
            return
        with kagari.no_grad():
            original, weight = state_dict[key + "_orig"], state_dict.pop(key)
            sigma = (original / weight).mean()
            matrix = fn.reshape_weight_to_matrix(original)
            state_dict[key + "_v"] = fn._solve_v_and_rescale(matrix, state_dict[key + "_u"], sigma)


class SpectralNormStateDictHook:
    """Notes the version of what is saved."""

    def __init__(self, fn: SpectralNorm) -> None:
        self.fn = fn

    def __call__(self, module: Module, state_dict: Any, prefix: str, local_metadata: Any) -> None:
        versions = local_metadata.setdefault("spectral_norm", {})
        key = self.fn.name + ".version"
        if key in versions:
            raise RuntimeError(f"Unexpected key in metadata['spectral_norm']: {key}")
        versions[key] = self.fn._version


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    r"""Divides weights by their largest singular value, by a hook.

    ``parametrizations.spectral_norm`` is the newer form.

    Args:
        module (Module): the module; gains the parameter ``name_orig``.
        name (str): the parameter's name.
        n_power_iterations (int): steps of the power method at each call in training.
        eps (float): where norms are cut off.
        dim (int, optional): the dimension of the outputs; 0, or 1 for transposed convolutions.

    Returns:
        The module.

    Raises:
        RuntimeError: the parameter has the hook already.
        ValueError: the parameter is missing or has no shape yet.

    Example:
        >>> from kagari import nn
        >>> m = nn.utils.spectral_norm(nn.Linear(20, 40))
        >>> tuple(m.weight_u.shape)
        (40,)

    Reference: Miyato et al. 2018, https://arxiv.org/abs/1802.05957
    """
    SpectralNorm.apply(module, name, n_power_iterations, _spectral_dim(module, dim), eps)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Takes :func:`spectral_norm` away again.

    Raises:
        ValueError: the parameter has no such hook.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.utils.spectral_norm(kagari.nn.Linear(2, 2))
        >>> sorted(dict(kagari.nn.utils.remove_spectral_norm(layer).named_parameters()))
        ['bias', 'weight']
    """
    for k, hook in module._forward_pre_hooks.items():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[k]
            break
    else:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    registries: tuple[tuple[Any, type], ...] = (
        (module._state_dict_hooks, SpectralNormStateDictHook),
        (module._load_state_dict_pre_hooks, SpectralNormLoadStateDictPreHook),
    )
    for registry, kind in registries:
        for k, hook in list(registry.items()):
            hook = getattr(hook, "hook", hook)
            if isinstance(hook, kind) and hook.fn.name == name:  # type: ignore[attr-defined]
                del registry[k]
                break
    return module
