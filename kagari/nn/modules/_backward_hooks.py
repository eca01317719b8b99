"""Backward hooks of modules: identity nodes around a call tell when its gradients pass."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import kagari
from kagari import Tensor
from kagari.autograd import Function

Gradients = tuple[Any, ...]


class _Boundary(Function):
    """Identity on several tensors whose backward lets ``fire`` see and change the gradients."""

    @staticmethod
    def forward(ctx: Any, fire: Callable[[Gradients], Gradients], *tensors: Tensor) -> Any:
        ctx.fire = fire
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*(t for t in tensors if not t.requires_grad))
        return tuple(t.view_as(t) for t in tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return None, *ctx.fire(grads)


class ModuleBackward:
    """The backward hooks of one call of one module.

    ``wrap_inputs`` goes around the arguments, ``wrap_outputs`` around the results. In backward
    the outputs' node fires first and keeps the output gradients, the inputs' node then hands
    both to the hooks.
    """

    def __init__(self, module: Any, hooks: Sequence[Any], pre_hooks: Sequence[Any]) -> None:
        self.module = module
        self.hooks = hooks
        self.pre_hooks = pre_hooks
        self.grad_outputs: Gradients | None = None
        self.input_places: list[int] | None = None
        self.output_places: list[int] | None = None
        self.input_count = 0
        self.output_count = 0

    def wrap_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.input_count = len(args)
        wrapped, self.input_places = _wrap(self._inputs_reached, args)
        return wrapped

    def wrap_outputs(self, result: Any) -> Any:
        results = result if isinstance(result, tuple) else (result,)
        self.output_count = len(results)
        wrapped, self.output_places = _wrap(self._outputs_reached, results)
        return wrapped if isinstance(result, tuple) else wrapped[0]

    def _inputs_reached(self, grads: Gradients) -> Gradients:
        if self.grad_outputs is None:  # these inputs' gradients came around the outputs
            return grads
        assert self.input_places is not None
        grad_inputs = _spread(self.input_places, grads, self.input_count)
        for hook in self.hooks:
            changed = hook(self.module, grad_inputs, self.grad_outputs)
            if changed is None:
                continue
            changed = changed if isinstance(changed, (tuple, list)) else (changed,)
            if len(changed) != self.input_count:
                raise RuntimeError(
                    "Backward hook returned an invalid number of grad_input, "
                    f"got {len(changed)}, but expected {self.input_count}"
                )
            grad_inputs = tuple(changed)
        self.grad_outputs = None
        return tuple(grad_inputs[i] for i in self.input_places)

    def _outputs_reached(self, grads: Gradients) -> Gradients:
        assert self.output_places is not None
        outputs = _spread(self.output_places, grads, self.output_count)
        for hook in self.pre_hooks:
            changed = hook(self.module, outputs)
            if changed is None:
                continue
            changed = changed if isinstance(changed, (tuple, list)) else (changed,)
            if len(changed) != self.output_count:
                raise RuntimeError(
                    "Backward pre hook returned an invalid number of grad_output, "
                    f"got {len(changed)}, but expected {self.output_count}"
                )
            outputs = tuple(changed)
        if self.input_places is None:
            self._fire_without_inputs(outputs)
        else:
            self.grad_outputs = outputs
        return tuple(outputs[i] for i in self.output_places)

    def _fire_without_inputs(self, outputs: Gradients) -> None:
        if self.hooks:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module "
                "outputs since no inputs require gradients.",
                stacklevel=3,
            )
        nothing = (None,) * self.input_count
        for hook in self.hooks:
            changed = hook(self.module, nothing, outputs)
            if changed is not None and not (
                isinstance(changed, tuple) and all(g is None for g in changed)
            ):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always "
                    "return None or None for all gradients."
                )


def _wrap(
    fire: Callable[[Gradients], Gradients], values: tuple[Any, ...]
) -> tuple[tuple[Any, ...], list[int] | None]:
    """Puts a boundary around the tensors among ``values``; None where none needs a gradient."""
    places = [i for i, v in enumerate(values) if isinstance(v, Tensor)]
    if not kagari.is_grad_enabled() or not any(values[i].requires_grad for i in places):
        return values, None
    tensors = _Boundary.apply(fire, *(values[i] for i in places))
    result = list(values)
    for place, tensor in zip(places, tensors, strict=True):
        result[place] = tensor
    if type(values) is tuple:
        return tuple(result), places
    return type(values)(*result), places  # a named tuple


def _spread(places: list[int], grads: Gradients, count: int) -> Gradients:
    result: list[Any] = [None] * count
    for place, grad in zip(places, grads, strict=True):
        result[place] = grad
    return tuple(result)


def warn_if_legacy_hook_sees_less(inputs: Any, result: Any, grad_fn: Any) -> None:
    """Warns where a non-full backward hook will not see all the gradients of the call."""
    problem = _legacy_problem(inputs, result, grad_fn)
    if problem:
        what, missing = problem
        warnings.warn(
            f"Using a non-full backward hook when {what} is deprecated; the hook will be missing "
            f"some {missing}. Use register_full_backward_hook instead.",
            FutureWarning,
            stacklevel=4,
        )


def _legacy_problem(inputs: Any, result: Any, grad_fn: Any) -> tuple[str, str] | None:
    results = (result,) if isinstance(result, Tensor) else result
    if not isinstance(results, tuple) or not all(isinstance(r, Tensor) for r in results):
        return "the module does not return a Tensor or a tuple of Tensors", "grad_output"
    if not isinstance(inputs, tuple) or not all(isinstance(i, Tensor) for i in inputs):
        return "the module does not take only Tensors", "grad_input"
    nodes = {r.grad_fn for r in results if r.grad_fn is not None}
    if grad_fn not in nodes:
        return "outputs are nested in python data structure", "grad_output"
    if len(nodes) > 1:
        return "outputs are generated by different autograd Nodes", "grad_output"
    sources = {i.grad_fn for i in inputs if i.grad_fn is not None}
    if sources != {edge[0] for edge in grad_fn.next_functions}:
        return "the forward contains multiple autograd Nodes", "grad_input"
    return None
