"""Pruning: masks on parameters, chosen by a method, kept up by a hook."""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

import kagari
from kagari import Tensor
from kagari.nn.utils.convert_parameters import parameters_to_vector

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]


# ---- what to prune ------------------------------------------------------------------------------


def _validate_pruning_amount_init(amount: Any) -> None:
    if not isinstance(amount, numbers.Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    whole = isinstance(amount, numbers.Integral)
    if amount < 0 or (not whole and float(amount) > 1.0):
        raise ValueError(
            f"amount={amount} should either be a float in the range [0, 1] or a non-negative "
            "integer"
        )


def _count(amount: Any, size: int) -> int:
    """How many of ``size`` things fall: a number of them, or a part."""
    if not isinstance(amount, numbers.Integral):
        part: int = round(amount * size)
        return part
    if int(amount) > size:
        raise ValueError(
            f"amount={amount} should be smaller than the number of parameters to prune={size}"
        )
    return int(amount)


def _validate_structured(t: Tensor, dim: int) -> None:
    if t.dim() <= 1:
        raise ValueError(
            "Structured pruning can only be applied to multidimensional tensors. Found tensor of "
            f"shape {t.shape} with {t.dim()} dims"
        )
    if dim >= t.dim():
        raise IndexError(f"Invalid index {dim} for tensor of size {t.shape}")


def _compute_norm(t: Tensor, n: Any, dim: int) -> Tensor:
    """The norm of each slice along a dimension."""
    others = [d for d in range(t.dim()) if d != dim % t.dim()]
    return t.norm(p=n, dim=others)


def _only(t: Tensor, dim: int, kept: Tensor) -> Tensor:
    """A mask of ones where an index or a mask along a dimension points to."""
    mask = kagari.zeros_like(t)
    place: list[Any] = [slice(None)] * t.dim()
    place[dim] = kept
    mask[tuple(place)] = 1
    return mask


# ---- methods ------------------------------------------------------------------------------------


class BasePruningMethod(ABC):
    """A way to choose what falls; subclasses define ``compute_mask`` and ``PRUNING_TYPE``.

    ``apply`` moves the parameter ``name`` to ``name_orig``, puts the mask into the buffer
    ``name_mask``, and computes ``name`` as their product before each call of the module.

    Example:
        >>> import kagari
        >>> class Half(kagari.nn.utils.prune.BasePruningMethod):
        ...     PRUNING_TYPE = "unstructured"
        ...     def compute_mask(self, t, default_mask):
        ...         mask = default_mask.clone()
        ...         mask.view(-1)[::2] = 0
        ...         return mask
        ...
        >>> layer = kagari.nn.Linear(4, 1)
        >>> _ = Half.apply(layer, "weight")
        >>> layer.weight_mask
        tensor([[0., 1., 0., 1.]])
    """

    _tensor_name: str
    PRUNING_TYPE: str

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask, with zeros also where ``default_mask`` has them.

        Args:
            t (Tensor): the importance of each element.
            default_mask (Tensor): what fell before.
        """

    def apply_mask(self, module: Any) -> Tensor:
        """The product of the parameter and its mask."""
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned")
        mask = getattr(module, self._tensor_name + "_mask")
        original = getattr(module, self._tensor_name + "_orig")
        pruned: Tensor = mask.to(dtype=original.dtype) * original
        return pruned

    @classmethod
    def apply(
        cls, module: Any, name: str, *args: Any, importance_scores: Any = None, **kwargs: Any
    ) -> Any:
        """Prunes a parameter, on top of what pruned it before.

        Args:
            module (Module): the module.
            name (str): the parameter's name.
            *args: for the method's constructor.
            importance_scores (Tensor, optional): of the parameter's shape, instead of its values.
            **kwargs: for the method's constructor.

        Returns:
            The method, or the container of all methods of this parameter.
        """
        method = cls._joined(module, name, cls(*args, **kwargs))
        original = getattr(module, name)
        if importance_scores is None:
            importance_scores = original
        elif importance_scores.shape != original.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, "
                f"got {importance_scores.shape} vs {original.shape}"
            )
        first = not isinstance(method, PruningContainer)
        if first:
            module.register_parameter(name + "_orig", original)
            del module._parameters[name]
            default_mask = kagari.ones_like(original).detach()
        else:
            default_mask = getattr(module, name + "_mask").detach().clone()
        try:
            with kagari.no_grad():
                mask = method.compute_mask(importance_scores, default_mask=default_mask)
            module.register_buffer(name + "_mask", mask)
            setattr(module, name, method.apply_mask(module))
            module.register_forward_pre_hook(method)
        except Exception:
            if first:
                module.register_parameter(name, getattr(module, name + "_orig"))
                del module._parameters[name + "_orig"]
            raise
        return method

    @staticmethod
    def _joined(module: Any, name: str, method: Any) -> Any:
        """The method alone, or in a container with those that pruned the parameter before."""
        method._tensor_name = name
        found = [
            k
            for k, hook in module._forward_pre_hooks.items()
            if isinstance(hook, BasePruningMethod) and hook._tensor_name == name
        ]
        if len(found) > 1:
            raise AssertionError(
                f"Avoid adding multiple pruning hooks to the same tensor {name} of module "
                f"{module}. Use a PruningContainer."
            )
        if not found:
            return method
        old = module._forward_pre_hooks.pop(found[0])
        container = old if isinstance(old, PruningContainer) else PruningContainer(old)
        container.add_pruning_method(method)
        return container

    def prune(
        self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Any = None
    ) -> Tensor:
        """A pruned copy of a tensor.

        Args:
            t (Tensor): the tensor.
            default_mask (Tensor, optional): what fell before.
            importance_scores (Tensor, optional): of t's shape, instead of its values.
        """
        if importance_scores is None:
            importance_scores = t
        elif importance_scores.shape != t.shape:
            raise AssertionError(
                "importance_scores should have the same shape as tensor t, got "
                f"{importance_scores.shape} vs {t.shape}"
            )
        if default_mask is None:
            default_mask = kagari.ones_like(t)
        return t * self.compute_mask(importance_scores, default_mask=default_mask)

    def remove(self, module: Any) -> None:
        """Makes the pruning permanent: the parameter keeps the zeros and loses the mask."""
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned before pruning can be removed")
        name = self._tensor_name
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original = module._parameters.pop(name + "_orig")
        original.data = weight.detach()
        del module._buffers[name + "_mask"]
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """The methods that pruned one parameter, one after the other.

    Args:
        *args (BasePruningMethod): the methods.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.Linear(4, 1)
        >>> _ = kagari.nn.utils.prune.l1_unstructured(layer, "weight", amount=1)
        >>> _ = kagari.nn.utils.prune.l1_unstructured(layer, "weight", amount=1)
        >>> layer.weight_mask.sum()
        tensor(2.)
    """

    def __init__(self, *args: Any) -> None:
        self._pruning_methods: tuple[Any, ...] = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Adds a method, of the same parameter.

        Raises:
            TypeError: it is no pruning method.
            ValueError: it is one of another parameter.
        """
        if method is not None and not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of the newest method, which sees only what is left."""
        method = self._pruning_methods[-1]
        place: Any
        if method.PRUNING_TYPE == "unstructured":
            place = default_mask == 1
        elif method.PRUNING_TYPE == "structured":
            if not hasattr(method, "dim"):
                raise AttributeError(
                    'Pruning methods of PRUNING_TYPE "structured" need to have the attribute '
                    "`dim` defined."
                )
            dim = method.dim if method.dim >= 0 else method.dim + t.dim()
            if dim < 0:
                raise IndexError(f"Index is out of bounds for tensor with dimensions {t.dim()}")
            others = [d for d in range(t.dim()) if d != dim]
            places: list[Any] = [slice(None)] * t.dim()
            places[dim] = default_mask.sum(dim=others) != 0
            place = tuple(places)
        elif method.PRUNING_TYPE == "global":
            place = (slice(None),) * t.dim()
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        mask = default_mask.to(dtype=t.dtype, copy=True)
        left = method.compute_mask(t[place], default_mask=default_mask[place])
        mask[place] = left.to(dtype=mask.dtype)
        return mask


class Identity(BasePruningMethod):
    """Prunes nothing, but brings mask and hook.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.Linear(2, 1)
        >>> _ = kagari.nn.utils.prune.Identity.apply(layer, "weight")
        >>> layer.weight_mask
        tensor([[1., 1.]])
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask

    @classmethod
    def apply(cls, module: Any, name: str) -> Any:  # type: ignore[override]
        return super().apply(module, name)


class _Amount(BasePruningMethod):
    def __init__(self, amount: Any) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount

    def _without(self, scores: Tensor, default_mask: Tensor, count: int, largest: bool) -> Tensor:
        """The mask without the elements of the largest or smallest scores."""
        mask = default_mask.clone(memory_format=kagari.contiguous_format)
        if count:
            indices = kagari.topk(scores.reshape(-1), k=count, largest=largest).indices
            mask.view(-1)[indices] = 0
        return mask


class RandomUnstructured(_Amount):
    """Prunes single elements by chance.

    Args:
        amount (int or float): how many, or which part.

    Example:
        >>> import kagari
        >>> method = kagari.nn.utils.prune.RandomUnstructured(amount=2)
        >>> method.prune(kagari.ones(5)).sum()
        tensor(3.)
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        count = _count(self.amount, t.numel())
        if not count:  # draws no numbers
            return default_mask.clone(memory_format=kagari.contiguous_format)
        return self._without(kagari.rand_like(t), default_mask, count, True)

    @classmethod
    def apply(cls, module: Any, name: str, amount: Any) -> Any:  # type: ignore[override]
        return super().apply(module, name, amount=amount)


class L1Unstructured(_Amount):
    """Prunes the single elements with the smallest absolute values.

    Args:
        amount (int or float): how many, or which part.

    Example:
        >>> import kagari
        >>> method = kagari.nn.utils.prune.L1Unstructured(amount=1)
        >>> t = kagari.tensor([3.0, -1.0, 2.0])
        >>> method.prune(t)
        tensor([3., -0., 2.])
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return self._without(t.abs(), default_mask, _count(self.amount, t.numel()), False)

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Any, name: str, amount: Any, importance_scores: Any = None
    ) -> Any:
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class RandomStructured(_Amount):
    """Prunes slices along a dimension by chance.

    Args:
        amount (int or float): how many, or which part.
        dim (int): the dimension.

    Example:
        >>> import kagari
        >>> method = kagari.nn.utils.prune.RandomStructured(amount=1, dim=0)
        >>> method.prune(kagari.ones(3, 2)).sum()
        tensor(4.)
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        _validate_structured(t, self.dim)
        size = t.shape[self.dim]
        count = _count(self.amount, size)
        if not count:
            return default_mask
        chance = kagari.rand(size)
        kept = chance > kagari.kthvalue(chance, k=count).values
        mask = _only(t, self.dim, kept)
        return mask * default_mask.to(dtype=mask.dtype)

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Any, name: str, amount: Any, dim: int = -1
    ) -> Any:
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_Amount):
    """Prunes the slices along a dimension with the smallest norms.

    Args:
        amount (int or float): how many, or which part.
        n (int, float or str): the norm's exponent, as ``kagari.norm`` takes it.
        dim (int): the dimension.

    Example:
        >>> import kagari
        >>> method = kagari.nn.utils.prune.LnStructured(amount=1, n=2, dim=0)
        >>> method.prune(kagari.tensor([[3.0, 1.0], [1.0, 0.0]]))
        tensor([[3., 1.],
                [0., 0.]])
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, n: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.n = n
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        _validate_structured(t, self.dim)
        size = t.shape[self.dim]
        count = _count(self.amount, size)
        if not count:
            return default_mask
        norms = _compute_norm(t, self.n, self.dim)
        kept = kagari.topk(norms, k=size - count, largest=True).indices
        mask = _only(t, self.dim, kept)
        return mask * default_mask.to(dtype=mask.dtype)

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Any, name: str, amount: Any, n: Any, dim: int, importance_scores: Any = None
    ) -> Any:
        return super().apply(
            module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores
        )


class CustomFromMask(BasePruningMethod):
    """Prunes where a mask is zero.

    Args:
        mask (Tensor): of the parameter's shape.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.Linear(2, 1)
        >>> from kagari.nn.utils import prune
        >>> _ = prune.CustomFromMask.apply(layer, "weight", kagari.tensor([[1.0, 0.0]]))
        >>> layer.weight_mask
        tensor([[1., 0.]])
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape "
                f"{self.mask.shape}"
            )
        return default_mask * self.mask.to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module: Any, name: str, mask: Tensor) -> Any:  # type: ignore[override]
        return super().apply(module, name, mask=mask)


# ---- as functions -------------------------------------------------------------------------------


def identity(module: Any, name: str) -> Any:
    """Gives a parameter a mask of ones.

    Example:
        >>> from kagari import nn
        >>> from kagari.nn.utils import prune
        >>> m = prune.identity(nn.Linear(2, 3), "bias")
        >>> m.bias_mask.tolist()
        [1.0, 1.0, 1.0]
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: Any, name: str, amount: Any) -> Any:
    """Prunes single elements of a parameter by chance.

    Args:
        module (Module): the module.
        name (str): the parameter's name.
        amount (int or float): how many, or which part.

    Returns:
        The module.

    Example:
        >>> from kagari import nn
        >>> from kagari.nn.utils import prune
        >>> m = prune.random_unstructured(nn.Linear(2, 3), "weight", amount=1)
        >>> int((m.weight_mask == 0).sum())
        1
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Any, name: str, amount: Any, importance_scores: Any = None) -> Any:
    """Prunes the elements of a parameter with the smallest absolute values.

    Args:
        module (Module): the module.
        name (str): the parameter's name.
        amount (int or float): how many, or which part.
        importance_scores (Tensor, optional): instead of the parameter's values.

    Returns:
        The module.

    Example:
        >>> from kagari import nn
        >>> from kagari.nn.utils import prune
        >>> m = prune.l1_unstructured(nn.Linear(2, 3), "weight", amount=0.5)
        >>> int((m.weight_mask == 0).sum())
        3
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Any, name: str, amount: Any, dim: int) -> Any:
    """Prunes slices of a parameter along a dimension by chance.

    Args:
        module (Module): the module.
        name (str): the parameter's name.
        amount (int or float): how many, or which part.
        dim (int): the dimension.

    Returns:
        The module.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.Linear(2, 4)
        >>> _ = kagari.nn.utils.prune.random_structured(layer, "weight", amount=1, dim=0)
        >>> layer.weight_mask.sum()
        tensor(6.)
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Any, name: str, amount: Any, n: Any, dim: int, importance_scores: Any = None
) -> Any:
    """Prunes the slices of a parameter along a dimension with the smallest norms.

    Args:
        module (Module): the module.
        name (str): the parameter's name.
        amount (int or float): how many, or which part.
        n (int, float or str): the norm's exponent, as ``kagari.norm`` takes it.
        dim (int): the dimension.
        importance_scores (Tensor, optional): instead of the parameter's values.

    Returns:
        The module.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.Linear(2, 4)
        >>> _ = kagari.nn.utils.prune.ln_structured(layer, "weight", amount=2, n=2, dim=0)
        >>> layer.weight_mask.sum()
        tensor(4.)
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def global_unstructured(
    parameters: Any, pruning_method: Any, importance_scores: Any = None, **kwargs: Any
) -> None:
    """Prunes several parameters as if they were one vector.

    Args:
        parameters (iterable): pairs of a module and a parameter's name.
        pruning_method: a class of an unstructured method.
        importance_scores (dict, optional): by pair, instead of the parameters' values.
        **kwargs: for the method, such as ``amount``.

    Raises:
        TypeError: ``parameters`` is not iterable, ``importance_scores`` not a dict, or the method
            not unstructured.

    Example:
        >>> from kagari import nn
        >>> from kagari.nn.utils import prune
        >>> a, b = nn.Linear(2, 3), nn.Linear(3, 2)
        >>> pairs = [(a, "weight"), (b, "weight")]
        >>> prune.global_unstructured(pairs, prune.L1Unstructured, amount=4)
        >>> int((a.weight == 0).sum() + (b.weight == 0).sum())
        4
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    parameters = list(parameters)
    scores_of = {} if importance_scores is None else importance_scores
    if not isinstance(scores_of, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    scores = parameters_to_vector(
        [scores_of.get((module, name), getattr(module, name)) for module, name in parameters]
    ).detach()
    masks = parameters_to_vector(
        [
            getattr(module, name + "_mask", kagari.ones_like(getattr(module, name)))
            for module, name in parameters
        ]
    ).detach()
    container = PruningContainer()
    method = pruning_method(**kwargs)
    container._tensor_name = method._tensor_name = "temp"
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    container.add_pruning_method(method)
    mask = container.compute_mask(scores, masks)
    sizes = [getattr(module, name).numel() for module, name in parameters]
    for (module, name), part in zip(parameters, mask.split(sizes), strict=True):
        custom_from_mask(module, name, mask=part.view_as(getattr(module, name)))


def custom_from_mask(module: Any, name: str, mask: Tensor) -> Any:
    """Prunes a parameter where a mask is zero.

    Args:
        module (Module): the module.
        name (str): the parameter's name.
        mask (Tensor): of the parameter's shape.

    Returns:
        The module.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> from kagari.nn.utils import prune
        >>> m = prune.custom_from_mask(nn.Linear(2, 2), "bias", kagari.tensor([0, 1]))
        >>> m.bias[0].item() == 0.0
        True
    """
    CustomFromMask.apply(module, name, mask)
    return module


def remove(module: Any, name: str) -> Any:
    """Makes a pruning permanent: the parameter keeps the zeros and loses mask and hook.

    Args:
        module (Module): the module.
        name (str): the parameter's name.

    Returns:
        The module.

    Raises:
        ValueError: the parameter is not pruned.

    Example:
        >>> from kagari import nn
        >>> from kagari.nn.utils import prune
        >>> m = prune.remove(prune.identity(nn.Linear(2, 3), "bias"), "bias")
        >>> sorted(m.state_dict())
        ['bias', 'weight']
    """
    for k, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            hook.remove(module)
            del module._forward_pre_hooks[k]
            return module
    raise ValueError(
        f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed"
    )


def is_pruned(module: Any) -> bool:
    """Whether a module or one in it is pruned.

    Example:
        >>> from kagari import nn
        >>> from kagari.nn.utils import prune
        >>> prune.is_pruned(nn.Sequential(prune.identity(nn.Linear(2, 3), "bias")))
        True
    """
    return any(
        isinstance(hook, BasePruningMethod)
        for child in module.modules()
        for hook in child._forward_pre_hooks.values()
    )
