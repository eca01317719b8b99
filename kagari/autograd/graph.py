"""Looking into and steering the recorded graph: saved-tensor hooks, gradient edges, nodes."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from kagari import _core
from kagari._core import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]


class saved_tensors_hooks:
    """Stores what backward needs in another form: pack(tensor) is kept, unpack(kept) used.

    Args:
        pack_hook: called with each tensor that is saved; returns any object.
        unpack_hook: called with that object; returns a tensor of the same content.

    Example:
        >>> import kagari
        >>> x = kagari.ones(2, requires_grad=True)
        >>> with kagari.autograd.graph.saved_tensors_hooks(lambda t: t.numpy(), kagari.from_numpy):
        ...     y = x.exp().sum()
        >>> y.backward()
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        _core._push_saved_tensors_hooks(self.pack_hook, self.unpack_hook)

    def __exit__(self, *exc: Any) -> None:
        _core._pop_saved_tensors_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Keeps saved tensors on the CPU and moves them back for backward.

    Example:
        >>> import kagari
        >>> x = kagari.ones(2, requires_grad=True)
        >>> with kagari.autograd.graph.save_on_cpu():
        ...     y = (x * x).sum()
        ...
        >>> y.backward()
        >>> x.grad
        tensor([2., 2.])
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(tensor: Any) -> Any:
            return (tensor.device, tensor.cpu())

        def unpack(packed: Any) -> Any:
            device, tensor = packed
            return tensor.to(device, non_blocking=pin_memory)

        super().__init__(pack, unpack)


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Makes setting saved-tensor hooks an error with the given message.

    Example:
        >>> import kagari
        >>> with kagari.autograd.graph.disable_saved_tensors_hooks("not here"):
        ...     y = kagari.ones(2, requires_grad=True).exp()
        ...
        >>> y.requires_grad
        True
    """
    _core._forbid_saved_tensors_hooks(error_message)
    try:
        yield
    finally:
        _core._forbid_saved_tensors_hooks(None)


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[None]:
    """Keeps a copy of every saved tensor, so that later in-place writes cannot hurt backward.

    Example:
        >>> import kagari
        >>> x = kagari.ones(2, requires_grad=True)
        >>> with kagari.autograd.graph.allow_mutation_on_saved_tensors():
        ...     y = x.clone()
        ...     z = (y * y).sum()
        ...     _ = y.zero_()
        ...     z.backward()
        ...
        >>> x.grad
        tensor([2., 2.])
    """
    with saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        yield


class GradientEdge(namedtuple("GradientEdge", ["node", "output_nr"])):
    """A place in the graph: gradient number `output_nr` that `node` receives."""

    __slots__ = ()

    node: Node
    output_nr: int


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """Returns the place where the gradient of `tensor` is computed.

    Example:
        >>> import kagari
        >>> x = kagari.ones(2, requires_grad=True)
        >>> edge = kagari.autograd.graph.get_gradient_edge(x * 2)
        >>> edge.output_nr
        0
    """
    if not tensor.requires_grad:
        raise RuntimeError(
            "get_gradient_edge: the tensor does not require grad, so it has no place in a graph"
        )
    fn = tensor.grad_fn
    if fn is None:
        # A view of the leaf leads to its AccumulateGrad node.
        with _grad_on():
            fn = tensor.view_as(tensor).grad_fn.next_functions[0][0]
        return GradientEdge(fn, 0)
    return GradientEdge(fn, tensor.output_nr)


@contextmanager
def _grad_on() -> Iterator[None]:
    before = _core.is_grad_enabled()
    _core._set_grad_enabled(True)
    try:
        yield
    finally:
        _core._set_grad_enabled(before)


def increment_version(tensor: Any) -> None:
    """Says that the data of `tensor` (or of each tensor of an iterable) was written elsewhere.

    Example:
        >>> import kagari
        >>> x = kagari.ones(2)
        >>> kagari.autograd.graph.increment_version(x)
        >>> x._version
        1
    """
    for one in (tensor,) if isinstance(tensor, _core.Tensor) else tensor:
        _core._bump_version(one)


class _MultiHandle:
    def __init__(self, handles: Sequence[Any]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()


def register_multi_grad_hook(
    tensors: Sequence[Any], fn: Callable[..., None], *, mode: str = "all"
) -> Any:
    """Calls fn when the gradients of all tensors were computed (mode "all"), or of any ("any").

    Example:
        >>> import kagari
        >>> x = kagari.ones(2, requires_grad=True)
        >>> _ = kagari.autograd.graph.register_multi_grad_hook([x], lambda grads: print(grads))
        >>> (3 * x).sum().backward()
        [tensor([3., 3.])]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"register_multi_grad_hook: expected mode 'all' or 'any', got {mode!r}")
    pending: dict[int, Any] = {}

    def seen(i: int) -> Callable[[Any], None]:
        def hook(gradient: Any) -> None:
            if mode == "any":
                if not pending:
                    pending[i] = gradient
                    fn(gradient)
                return
            pending[i] = gradient
            if len(pending) == len(tensors):
                gradients = [pending.get(k) for k in range(len(tensors))]
                pending.clear()
                fn(gradients)

        return hook

    return _MultiHandle([t.register_hook(seen(i)) for i, t in enumerate(tensors)])
