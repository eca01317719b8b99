"""The tape from Python: backward, grad, Function, modes and checks."""

from __future__ import annotations

from collections.abc import Sequence

from kagari import _core
from kagari.autograd import graph
from kagari.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly
from kagari.autograd.function import Function
from kagari.autograd.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from kagari.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from kagari.autograd.variable import Variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari.autograd import functional, profiler

__all__ = [
    "Function",
    "GradcheckError",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "no_grad",
    "profiler",
    "set_detect_anomaly",
    "set_grad_enabled",
]


def _tensors(x: Any) -> tuple[Any, ...]:
    return (x,) if isinstance(x, _core.Tensor) else tuple(x)


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Adds the gradients of `tensors` to the `.grad` of the leaves they were computed from.

    Args:
        tensors: a Tensor or a sequence of Tensors.
        grad_tensors: their gradients (the vector of the vector-Jacobian product); None stands for
            one where a tensor has one element.
        retain_graph: keeps what was saved for another backward; defaults to create_graph.
        create_graph: records the backward itself, for higher derivatives.
        inputs: only these leaves receive gradients.

    Raises:
        RuntimeError: a tensor does not require grad, or has no gradient given and several elements.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([1.0, 2.0], requires_grad=True)
        >>> kagari.autograd.backward((x * x).sum())
        >>> x.grad
        tensor([2., 4.])
    """
    if grad_variables is not None:
        if grad_tensors is not None:
            raise RuntimeError(
                "backward: got both grad_tensors and the older grad_variables; pass grad_tensors"
            )
        grad_tensors = grad_variables
    roots = _tensors(tensors)
    if inputs is not None:
        inputs = _tensors(inputs)
        if not inputs:
            raise RuntimeError("backward: inputs must not be empty; leave it out for all leaves")
    if grad_tensors is None:
        grads: tuple[Any, ...] = (None,) * len(roots)
    else:
        grads = _tensors(grad_tensors)
    keep = create_graph if retain_graph is None else retain_graph
    _core._run_backward(roots, grads, keep, create_graph, inputs or (), True, True)


def _tensor_backward(
    tensor: Any,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    backward(tensor, gradient, retain_graph, create_graph, inputs=inputs)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """Returns the gradients of `outputs` with respect to `inputs`, leaving `.grad` alone.

    Args:
        outputs: a Tensor or a sequence of Tensors.
        inputs: the Tensors to differentiate by.
        grad_outputs: the vector of the vector-Jacobian product; None stands for one where an
            output has one element.
        retain_graph: keeps what was saved for another backward; defaults to create_graph.
        create_graph: records the computation, for higher derivatives.
        allow_unused: returns None for inputs that were not used instead of raising.
        materialize_grads: returns zeros instead of None.

    Returns:
        One gradient per input, of its shape.

    Example:
        >>> import kagari
        >>> x = kagari.tensor(3.0, requires_grad=True)
        >>> (d,) = kagari.autograd.grad(x**3, x, create_graph=True)
        >>> kagari.autograd.grad(d, x)
        (tensor(18.),)
    """
    if is_grads_batched:
        raise NotImplementedError(
            "grad: is_grads_batched needs vmap, which kagari does not have yet; call grad once per "
            "row with retain_graph=True"
        )
    if not only_inputs:
        raise ValueError(
            "grad: only_inputs=False is not supported; use backward() to add to the leaves' .grad"
        )
    if materialize_grads:
        if allow_unused is False:
            raise ValueError("grad: materialize_grads=True asks for allow_unused=True")
        allow_unused = True
    roots, targets = _tensors(outputs), _tensors(inputs)
    if grad_outputs is None:
        grads: Sequence[Any] = (None,) * len(roots)
    else:
        grads = _tensors(grad_outputs)
    keep = create_graph if retain_graph is None else retain_graph
    results: tuple[Any, ...] = _core._run_backward(
        roots, grads, keep, create_graph, targets, bool(allow_unused), False
    )
    if materialize_grads and any(r is None for r in results):
        import kagari

        results = tuple(
            kagari.zeros_like(t, requires_grad=create_graph) if r is None else r
            for r, t in zip(results, targets, strict=True)
        )
    return results


def __getattr__(name: str) -> Any:
    # Few programs use these: they are imported when first asked for.
    if name in ("functional", "profiler"):
        from importlib import import_module

        return import_module(f"kagari.autograd.{name}")
    raise AttributeError(f"module 'kagari.autograd' has no attribute {name!r}")
