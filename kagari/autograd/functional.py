"""Jacobians, Hessians and their products with vectors, for functions of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import kagari

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Function = Callable[..., Any]
Tensors = tuple["Tensor", ...]


# ---- arguments and results -----------------------------------------------------------------------


def _as_tuple(value: Any, what: str, function: str) -> tuple[bool, Tensors]:
    """Whether several were given, and all as a tuple."""
    several = isinstance(value, tuple)
    values: tuple[Any, ...] = tuple(value) if several else (value,)
    for i, one in enumerate(values):
        if not isinstance(one, kagari.Tensor):
            where = f" at index {i}" if several else ""
            raise TypeError(
                f"The {what} given to {function} must be either a Tensor or a tuple of Tensors "
                f"but the value{where} has type {type(one)}."
            )
    return several, values


def _leaves(inputs: Tensors, create_graph: bool) -> Tensors:
    """Inputs to differentiate by: still part of the caller's graph, or cut from it."""
    if create_graph:
        return tuple(
            x.view_as(x) if x.requires_grad else x.detach().requires_grad_() for x in inputs
        )
    return tuple(x.detach().requires_grad_() for x in inputs)


def _outputs(func: Function, inputs: Tensors, function: str) -> tuple[bool, Tensors]:
    return _as_tuple(func(*inputs), "outputs of the user-provided function", function)


def _check_graph(outputs: Tensors, strict: bool, function: str) -> None:
    if not strict:
        return
    for i, out in enumerate(outputs):
        if not out.requires_grad:
            raise RuntimeError(
                f"Output {i} of the user-provided function does not require gradients. The "
                f"outputs must be computed in a differentiable manner from the input when "
                f"running in strict mode ({function})."
            )


def _grad(
    outputs: Sequence[Tensor],
    inputs: Tensors,
    grads: Sequence[Tensor | None] | None,
    create_graph: bool,
    retain_graph: bool = True,
) -> tuple[Tensor | None, ...]:
    """Gradients of those outputs that have a graph; None where nothing arrives."""
    pairs = [
        (out, None if grads is None else grads[i])
        for i, out in enumerate(outputs)
        if out is not None and out.requires_grad
    ]
    if not pairs:
        return (None,) * len(inputs)
    return kagari.autograd.grad(
        [out for out, _ in pairs],
        inputs,
        [grad for _, grad in pairs],
        retain_graph=retain_graph,
        create_graph=create_graph,
        allow_unused=True,
    )


def _filled(
    grads: Sequence[Tensor | None], like: Tensors, strict: bool, create_graph: bool, what: str
) -> Tensors:
    """Zeros in place of None; strict mode raises there, and where a gradient is constant."""
    filled = []
    for i, (grad, x) in enumerate(zip(grads, like, strict=True)):
        if grad is None:
            if strict:
                raise RuntimeError(
                    f"{what}: the output is independent of input {i}. This is not allowed in "
                    "strict mode."
                )
            filled.append(kagari.zeros_like(x))
            continue
        if strict and create_graph and not grad.requires_grad:
            raise RuntimeError(
                f"{what}: the derivative by input {i} is independent of it. This is not allowed "
                "in strict mode when create_graph=True."
            )
        filled.append(grad)
    return tuple(filled)


def _finished(values: Tensors, several: bool, create_graph: bool) -> Any:
    """The results as they were given: a tuple or one tensor, without graph if none is asked."""
    if not create_graph:
        values = tuple(v.detach() for v in values)
    return values if several else values[0]


def _vectors(v: Any, like: Tensors, several: bool, what: str, function: str) -> Tensors:
    """The vectors of a product; ones stand for the vector of a single element."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(
                f"The vector v can only be None if {what} is a single Tensor with a single element."
            )
        return tuple(kagari.ones_like(x) for x in like)
    _, vectors = _as_tuple(v, "v", function)
    if len(vectors) != len(like):
        raise RuntimeError(
            f"v is a tuple of invalid length: should be {len(like)} but got {len(vectors)}."
        )
    for i, (vector, x) in enumerate(zip(vectors, like, strict=True)):
        if vector.size() != x.size():
            prepend = f"Entry {i} in " if several else ""
            raise RuntimeError(
                f"{prepend}v has invalid size: should be {x.size()} but got {vector.size()}."
            )
    return vectors


def _scalar(outputs: Tensors, several: bool, function: str) -> None:
    if several or outputs[0].numel() != 1:
        raise RuntimeError(
            f"The function given to {function} should return a single Tensor with a single element"
        )


# ---- products ------------------------------------------------------------------------------------


def vjp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The function's value and the product of a vector with its Jacobian, vᵀ J.

    Args:
        func (callable): takes tensors, returns a tensor or a tuple of tensors.
        inputs (Tensor or tuple): where.
        v (Tensor or tuple, optional): of the outputs' shapes; one by default for one element.
        create_graph (bool): the result can be differentiated.
        strict (bool): raise where an output does not depend on an input, instead of zeros.

    Returns:
        The outputs, and products of the inputs' shapes.

    Example:
        >>> import kagari
        >>> kagari.autograd.functional.vjp(lambda x: x.exp(), kagari.zeros(2), kagari.ones(2))
        (tensor([1., 1.]), tensor([1., 1.]))

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.functional.vjp.html
    """
    with kagari.enable_grad():
        several, given = _as_tuple(inputs, "inputs", "vjp")
        xs = _leaves(given, create_graph)
        several_out, outputs = _outputs(func, xs, "vjp")
        _check_graph(outputs, strict, "vjp")
        vectors = _vectors(v, outputs, several_out, "the user-provided function returns", "vjp")
    with kagari.set_grad_enabled(create_graph or kagari.is_grad_enabled()):
        grads = _grad(outputs, xs, vectors, create_graph)
        result = _filled(grads, xs, strict, create_graph, "vjp")
    return (
        _finished(outputs, several_out, create_graph),
        _finished(result, several, create_graph),
    )


def jvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The function's value and the product of its Jacobian with a vector, J v.

    Backward twice: uᵀ J is linear in u, so the derivative of (uᵀ J) v by u is J v.

    Args:
        func (callable): takes tensors, returns a tensor or a tuple of tensors.
        inputs (Tensor or tuple): where.
        v (Tensor or tuple, optional): of the inputs' shapes; one by default for one element.
        create_graph (bool): the result can be differentiated.
        strict (bool): raise where an output does not depend on an input, instead of zeros.

    Returns:
        The outputs, and products of the outputs' shapes.

    Example:
        >>> import kagari
        >>> kagari.autograd.functional.jvp(lambda x: x.sum(), kagari.zeros(2), kagari.ones(2))
        (tensor(0.), tensor(2.))

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.functional.jvp.html
    """
    with kagari.enable_grad():
        several, given = _as_tuple(inputs, "inputs", "jvp")
        xs = _leaves(given, create_graph)
        vectors = _vectors(v, xs, several, "the input to the user-provided function", "jvp")
        several_out, outputs = _outputs(func, xs, "jvp")
        _check_graph(outputs, strict, "jvp")
        probes = tuple(kagari.zeros_like(out, requires_grad=True) for out in outputs)
        grads = _grad(outputs, xs, probes, create_graph=True)
        _filled(grads, xs, strict, False, "jvp")
    pairs = [(g, w) for g, w in zip(grads, vectors, strict=True) if g is not None]
    products = _grad([g for g, _ in pairs], probes, [w for _, w in pairs], create_graph)
    result = _filled(products, outputs, strict, create_graph, "jvp")
    return (
        _finished(outputs, several_out, create_graph),
        _finished(result, several_out, create_graph),
    )


def vhp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value of a function with one number and the product of a vector with its Hessian, vᵀ H.

    Args:
        func (callable): takes tensors, returns a tensor of one element.
        inputs (Tensor or tuple): where.
        v (Tensor or tuple, optional): of the inputs' shapes; one by default for one element.
        create_graph (bool): the result can be differentiated.
        strict (bool): raise where the gradient does not depend on an input, instead of zeros.

    Returns:
        The output, and products of the inputs' shapes.

    Example:
        >>> import kagari
        >>> cube = lambda x: (x**3).sum()
        >>> kagari.autograd.functional.vhp(cube, kagari.ones(2), kagari.ones(2))
        (tensor(2.), tensor([6., 6.]))

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.functional.vhp.html
    """
    with kagari.enable_grad():
        several, given = _as_tuple(inputs, "inputs", "vhp")
        xs = _leaves(given, create_graph)
        vectors = _vectors(v, xs, several, "the input to the user-provided function", "vhp")
        several_out, outputs = _outputs(func, xs, "vhp")
        _scalar(outputs, several_out, "vhp")
        _check_graph(outputs, strict, "vhp")
        gradient = _filled(_grad(outputs, xs, None, create_graph=True), xs, strict, strict, "vhp")
    result = _filled(_grad(gradient, xs, vectors, create_graph), xs, strict, create_graph, "vhp")
    return (
        _finished(outputs, several_out, create_graph),
        _finished(result, several, create_graph),
    )


def hvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value of a function with one number and the product of its Hessian with a vector, H v.

    The Hessian of a smooth function is symmetric, and ``vhp``, which takes one pass less, gives the
    same; this is the derivative of the gradient in the direction v, whatever the function.

    Args:
        func (callable): takes tensors, returns a tensor of one element.
        inputs (Tensor or tuple): where.
        v (Tensor or tuple, optional): of the inputs' shapes; one by default for one element.
        create_graph (bool): the result can be differentiated.
        strict (bool): raise where the gradient does not depend on an input, instead of zeros.

    Returns:
        The output, and products of the inputs' shapes.

    Example:
        >>> import kagari
        >>> cube = lambda x: (x**3).sum()
        >>> kagari.autograd.functional.hvp(cube, kagari.ones(2), kagari.ones(2))
        (tensor(2.), tensor([6., 6.]))

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.functional.hvp.html
    """
    with kagari.enable_grad():
        several, given = _as_tuple(inputs, "inputs", "hvp")
        xs = _leaves(given, create_graph)
        vectors = _vectors(v, xs, several, "the input to the user-provided function", "hvp")
        several_out, outputs = _outputs(func, xs, "hvp")
        _scalar(outputs, several_out, "hvp")
        _check_graph(outputs, strict, "hvp")
        gradient = _filled(_grad(outputs, xs, None, create_graph=True), xs, strict, strict, "hvp")
        probes = tuple(kagari.zeros_like(x, requires_grad=True) for x in xs)
        double = _grad(gradient, xs, probes, create_graph=True)
        _filled(double, xs, strict, False, "hvp")
    pairs = [(g, w) for g, w in zip(double, vectors, strict=True) if g is not None]
    products = _grad([g for g, _ in pairs], probes, [w for _, w in pairs], create_graph)
    result = _filled(products, xs, strict, create_graph, "hvp")
    return (
        _finished(outputs, several_out, create_graph),
        _finished(result, several, create_graph),
    )


# ---- matrices ------------------------------------------------------------------------------------


def _check_strategy(strategy: str, create_graph: bool, vectorize: bool, function: str) -> None:
    if strategy not in ("reverse-mode", "forward-mode"):
        raise ValueError(
            f"{function}: expected strategy 'reverse-mode' or 'forward-mode', got {strategy!r}"
        )
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError(
                f"{function}: create_graph=True is not supported with strategy='forward-mode'; "
                "leave the strategy out"
            )
        if not vectorize:
            raise NotImplementedError(
                f"{function}: strategy='forward-mode' asks for vectorize=True"
            )


def jacobian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The derivatives of each output by each input.

    Args:
        func (callable): takes tensors, returns a tensor or a tuple of tensors.
        inputs (Tensor or tuple): where.
        create_graph (bool): the result can be differentiated.
        strict (bool): raise where an output does not depend on an input, instead of zeros.
        vectorize (bool): the rows are computed one by one either way.
        strategy (str): ``"reverse-mode"``, or ``"forward-mode"``, which gives the same numbers.

    Returns:
        Tensors of the shape ``output.shape + input.shape``: one, or a tuple over the outputs, over
        the inputs, or of tuples over both.

    Raises:
        RuntimeError: ``strict`` and ``vectorize`` together, or independence in strict mode.

    Example:
        >>> import kagari
        >>> kagari.autograd.functional.jacobian(lambda x: x**2, kagari.tensor([1.0, 2.0]))
        tensor([[2., 0.],
                [0., 4.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.functional.jacobian.html
    """
    _check_strategy(strategy, create_graph, vectorize, "jacobian")
    if strict and vectorize:
        raise RuntimeError("jacobian: strict=True and vectorize=True are not supported together")
    with kagari.enable_grad():
        several, given = _as_tuple(inputs, "inputs", "jacobian")
        xs = _leaves(given, create_graph)
        several_out, outputs = _outputs(func, xs, "jacobian")
        _check_graph(outputs, strict, "jacobian")
        rows = []
        for out in outputs:
            parts: list[list[Tensor]] = [[] for _ in xs]
            for element in out.reshape(-1).unbind():
                grads = _grad([element], xs, None, create_graph)
                for part, grad in zip(
                    parts, _filled(grads, xs, strict, create_graph, "jacobian"), strict=True
                ):
                    part.append(grad)
            rows.append(
                tuple(
                    kagari.stack(part).reshape((*out.shape, *x.shape))
                    if part
                    else x.new_zeros((*out.shape, *x.shape))
                    for part, x in zip(parts, xs, strict=True)
                )
            )
    results = [_finished(row, several, create_graph) for row in rows]
    return tuple(results) if several_out else results[0]


def hessian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function with one number.

    Args:
        func (callable): takes tensors, returns a tensor of one element.
        inputs (Tensor or tuple): where.
        create_graph (bool): the result can be differentiated.
        strict (bool): raise where the gradient does not depend on an input, instead of zeros.
        vectorize (bool): the rows are computed one by one either way.
        outer_jacobian_strategy (str): see ``jacobian``.

    Returns:
        A tensor of the shape ``input.shape + input.shape``, or tuples of tuples over the inputs.

    Example:
        >>> import kagari
        >>> kagari.autograd.functional.hessian(lambda x: (x**3).sum(), kagari.ones(2))
        tensor([[6., 0.],
                [0., 6.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.functional.hessian.html
    """
    _check_strategy(outer_jacobian_strategy, create_graph, vectorize, "hessian")
    several, given = _as_tuple(inputs, "inputs", "hessian")

    def gradient(*xs: Tensor) -> Any:
        several_out, outputs = _outputs(func, xs, "hessian")
        _check_graph(outputs, strict, "hessian")
        _scalar(outputs, several_out, "hessian")
        grads = _grad(outputs, xs, [kagari.ones_like(outputs[0])], create_graph=True)
        return _filled(grads, xs, strict, strict, "hessian")

    result = jacobian(
        gradient,
        given,
        create_graph=create_graph,
        strict=strict,
        vectorize=vectorize,
        strategy=outer_jacobian_strategy,
    )
    return result if several else result[0][0]
