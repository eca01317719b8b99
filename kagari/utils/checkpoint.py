"""Activation checkpointing: what a block computes is not kept but computed again in backward."""

from __future__ import annotations

import contextlib
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import kagari
from kagari.autograd import Function
from kagari.autograd.graph import saved_tensors_hooks

__all__ = [
    "CheckpointError",
    "CheckpointFunction",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "detach_variable",
    "get_device_states",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
    "set_device_states",
]

Contexts = tuple[contextlib.AbstractContextManager[Any], contextlib.AbstractContextManager[Any]]

_debug_enabled: bool | None = None
_early_stop = True


class CheckpointError(RuntimeError):
    """The second run of a block saved other tensors than the first."""


class _Stop(Exception):
    """Raised in the second run when it has saved all that backward needs."""


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Chooses for all checkpoints inside whether mismatches are explained by the saved tensors.

    Args:
        enabled (bool or None): None leaves it to each call's ``debug``.

    Example:
        >>> import kagari
        >>> x = kagari.ones(2, requires_grad=True)
        >>> with kagari.utils.checkpoint.set_checkpoint_debug_enabled(False):
        ...     y = kagari.utils.checkpoint.checkpoint(lambda x: x.exp(), x, use_reentrant=False)
        ...
        >>> y.sum().backward()
    """
    global _debug_enabled
    before, _debug_enabled = _debug_enabled, enabled
    try:
        yield
    finally:
        _debug_enabled = before


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Chooses for all checkpoints inside whether the second run stops once all is there.

    Args:
        enable (bool): True, the default, stops.

    Example:
        >>> import kagari
        >>> x = kagari.ones(2, requires_grad=True)
        >>> with kagari.utils.checkpoint.set_checkpoint_early_stop(False):
        ...     y = kagari.utils.checkpoint.checkpoint(lambda x: x.exp(), x, use_reentrant=False)
        ...
        >>> y.sum().backward()
    """
    global _early_stop
    before, _early_stop = _early_stop, enable
    try:
        yield
    finally:
        _early_stop = before


def noop_context_fn() -> Contexts:
    """Two contexts that do nothing: the default of ``context_fn``."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments with tensors cut from their graph, each requiring gradients as before.

    Example:
        >>> import kagari
        >>> x = kagari.ones(2, requires_grad=True)
        >>> y, = kagari.utils.checkpoint.detach_variable((x * 2,))
        >>> y.is_leaf, y.requires_grad
        (True, True)
    """
    if not isinstance(inputs, tuple):
        raise RuntimeError(
            "Only tuple of tensors is supported. Got Unsupported input type: ",
            type(inputs).__name__,
        )
    cut = []
    for value in inputs:
        if isinstance(value, kagari.Tensor):
            leaf = value.detach()
            leaf.requires_grad = value.requires_grad
            value = leaf
        cut.append(value)
    return tuple(cut)


def check_backward_validity(inputs: Any) -> None:
    """Warns where no input requires a gradient, so that a reentrant block gets none.

    Example:
        >>> import kagari
        >>> kagari.utils.checkpoint.check_backward_validity([kagari.ones(1, requires_grad=True)])
    """
    if not any(isinstance(x, kagari.Tensor) and x.requires_grad for x in inputs):
        warnings.warn(
            "None of the inputs have requires_grad=True. Gradients will be None", stacklevel=3
        )


def get_device_states(*args: Any) -> tuple[list[int], list[Any]]:
    """The states of accelerators' generators that the arguments use: none.

    Example:
        >>> import kagari
        >>> kagari.utils.checkpoint.get_device_states()
        ([], [])
    """
    return [], []


def set_device_states(devices: Any, states: Any, *, device_type: str | None = None) -> None:
    """Restores what ``get_device_states`` gave: nothing."""
    if devices or states:
        raise RuntimeError(
            f"set_device_states: expected no accelerators, got {devices}; only the CPU is here"
        )


@contextlib.contextmanager
def _random_state(state: Any) -> Iterator[None]:
    """Random numbers as they were; afterwards the generator goes on from where it is now."""
    if state is None:
        yield
        return
    with kagari.random.fork_rng():
        kagari.set_rng_state(state)
        yield


class CheckpointFunction(Function):
    """The reentrant kind: forward without a graph, backward through a graph made then."""

    @staticmethod
    def forward(ctx: Any, run_function: Callable[..., Any], preserve: bool, *args: Any) -> Any:
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.state = kagari.get_rng_state() if preserve else None
        ctx.places = [i for i, a in enumerate(args) if isinstance(a, kagari.Tensor)]
        ctx.others = [None if isinstance(a, kagari.Tensor) else a for a in args]
        ctx.save_for_backward(*(args[i] for i in ctx.places))
        with kagari.no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        inputs = list(ctx.others)
        for i, tensor in zip(ctx.places, ctx.saved_tensors, strict=True):
            inputs[i] = tensor
        leaves = detach_variable(tuple(inputs))
        with _random_state(ctx.state), kagari.enable_grad():
            outputs = ctx.run_function(*leaves)
        if isinstance(outputs, kagari.Tensor):
            outputs = (outputs,)
        pairs = [
            (out, grad)
            for out, grad in zip(outputs, grads, strict=True)
            if isinstance(out, kagari.Tensor) and out.requires_grad
        ]
        if not pairs:
            raise RuntimeError(
                "none of output has requires_grad=True, this checkpoint() is not necessary"
            )
        kagari.autograd.backward([out for out, _ in pairs], [grad for _, grad in pairs])
        gradients = (x.grad if isinstance(x, kagari.Tensor) else None for x in leaves)
        return (None, None, *gradients)


class _Handle:
    """Stands in the graph for a saved tensor."""


class _Frame:
    """One checkpointed call: what its first run saved, and what later runs computed again."""

    def __init__(self, rerun: Callable[[], Any], early_stop: bool, check: bool, debug: bool):
        self.rerun = rerun
        self.early_stop = early_stop
        self.check = check
        self.debug = debug
        self.handles: list[weakref.ref[_Handle]] = []
        self.metadata: list[tuple[Any, ...]] = []
        # The tensors of the second run by place; kept for the handles that are still alive.
        self.again: weakref.WeakKeyDictionary[_Handle, Any] = weakref.WeakKeyDictionary()
        self.seen: list[tuple[Any, ...]] = []

    @staticmethod
    def _facts(x: Any) -> tuple[Any, ...]:
        return tuple(x.shape), x.dtype, x.device

    def pack(self, x: Any) -> _Handle:
        handle = _Handle()
        self.handles.append(weakref.ref(handle))
        self.metadata.append(self._facts(x))
        return handle

    def unpack(self, handle: _Handle) -> Any:
        if handle not in self.again:
            self._recompute()
            if handle not in self.again:
                raise CheckpointError(
                    "checkpoint: the second run saved fewer tensors than the first "
                    f"({len(self.seen)} of {len(self.handles)}); the function must do the same "
                    "each time it is called" + self._explained()
                )
        # Each handle is asked for once per backward: the tensor goes, the graph may come again.
        return self.again.pop(handle)

    def _recompute(self) -> None:
        self.seen = []

        def pack(x: Any) -> Any:
            place = len(self.seen)
            self.seen.append(self._facts(x))
            if place >= len(self.handles):
                # What the first run did not save is needed by nobody: more is a mismatch.
                return x.detach()
            handle = self.handles[place]()
            if handle is not None:
                self.again[handle] = x.detach()
            if self.early_stop and len(self.seen) == len(self.handles):
                raise _Stop
            return x.detach()

        with (
            saved_tensors_hooks(pack, lambda x: x),
            contextlib.suppress(_Stop),
            kagari.enable_grad(),
        ):
            self.rerun()
        self._compare()

    def _compare(self) -> None:
        if not self.check:
            return
        if len(self.seen) > len(self.handles):
            raise CheckpointError(
                "checkpoint: A different number of tensors was saved during the original forward "
                f"and recomputation. Number of tensors saved during forward: {len(self.handles)}, "
                f"during recomputation: {len(self.seen)}" + self._explained()
            )
        wrong = [
            i for i, (a, b) in enumerate(zip(self.metadata, self.seen, strict=False)) if a != b
        ]
        if wrong:
            i = wrong[0]
            raise CheckpointError(
                "checkpoint: Recomputed values for the following tensors have different metadata "
                f"than during the forward pass: tensor at position {i}: saved "
                f"{self.metadata[i]}, recomputed {self.seen[i]}" + self._explained()
            )

    def _explained(self) -> str:
        if not self.debug:
            return ""
        lines = [
            f"\n  {i}: forward {a}, recomputation {b}"
            for i, (a, b) in enumerate(
                zip(
                    self.metadata,
                    [*self.seen, *[None] * (len(self.metadata) - len(self.seen))],
                    strict=False,
                )
            )
        ]
        return "\nSaved tensors (shape, dtype, device):" + "".join(lines)


def _without_reentrant(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    preserve: bool,
    context_fn: Callable[[], Contexts],
    determinism_check: str,
    debug: bool,
    early_stop: bool,
) -> Any:
    if determinism_check not in ("default", "none"):
        raise ValueError(
            "checkpoint: expected determinism_check to be 'default' or 'none', "
            f"got {determinism_check!r}"
        )
    forward_context, again_context = context_fn()
    state = kagari.get_rng_state() if preserve else None

    def rerun() -> None:
        with _random_state(state), again_context:
            function(*args, **kwargs)

    if not kagari.is_grad_enabled():
        with forward_context:
            return function(*args, **kwargs)
    frame = _Frame(rerun, early_stop, determinism_check == "default", debug)
    with saved_tensors_hooks(frame.pack, frame.unpack), forward_context:
        return function(*args, **kwargs)


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], Contexts] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Calls a function whose intermediate results are computed again in backward.

    Memory is saved for one more forward. The function must do the same both times.

    Args:
        function (callable): the block.
        *args: its arguments.
        use_reentrant (bool): False, recommended, keeps the graph with handles in place of saved
            tensors: it takes keyword arguments, nested structures and ``autograd.grad``. True, an
            older way, runs forward without a graph and backward inside of backward. PyTorch asks
            callers to choose; without it True is used, with a warning.
        preserve_rng_state (bool): draw the same random numbers both times; True by default.
        context_fn (callable): returns two contexts, for the first run and for the second.
        determinism_check (str): ``"default"`` compares the shapes, dtypes and devices of saved
            tensors, ``"none"`` does not.
        debug (bool): list all saved tensors where they differ.
        early_stop (bool): end the second run when all saved tensors are there.
        **kwargs: more arguments; with ``use_reentrant=False`` only.

    Returns:
        What the function returns.

    Raises:
        ValueError: arguments that the chosen kind does not take.
        CheckpointError: in backward, where the second run differs from the first.

    Example:
        >>> import kagari
        >>> from kagari.utils.checkpoint import checkpoint
        >>> x = kagari.ones(2, requires_grad=True)
        >>> checkpoint(lambda x: (x.exp() * x).sum(), x, use_reentrant=False).backward()

    Reference: https://pytorch.org/docs/stable/checkpoint.html
    """
    if use_reentrant is None:
        warnings.warn(
            "checkpoint: the use_reentrant parameter should be passed explicitly; "
            "use_reentrant=False is recommended, True is taken now",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(arg for arg in kwargs))
        if context_fn is not noop_context_fn or debug is not False:
            raise ValueError(
                "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
            )
        return CheckpointFunction.apply(function, preserve, *args)
    return _without_reentrant(
        function,
        args,
        kwargs,
        preserve,
        context_fn,
        determinism_check,
        debug if _debug_enabled is None else _debug_enabled,
        early_stop and _early_stop,
    )


def checkpoint_sequential(
    functions: Any,
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    **kwargs: Any,
) -> Any:
    """Runs a chain of functions in segments, each of them checkpointed but for the last.

    Args:
        functions (Sequential or list of callables): the chain.
        segments (int): how many pieces of about the same length.
        input: the argument of the first.
        use_reentrant (bool): see ``checkpoint``.
        preserve_rng_state (bool): see ``checkpoint``.

    Returns:
        What the last function returns.

    Raises:
        ValueError: other keyword arguments.

    Example:
        >>> import kagari
        >>> from kagari.utils.checkpoint import checkpoint_sequential
        >>> x = kagari.ones(1, requires_grad=True)
        >>> checkpoint_sequential([kagari.square, kagari.sqrt], 2, x, use_reentrant=False).item()
        1.0

    Reference: https://pytorch.org/docs/stable/checkpoint.html
    """
    if use_reentrant is None:
        warnings.warn(
            "checkpoint_sequential: the use_reentrant parameter should be passed explicitly; "
            "use_reentrant=False is recommended, True is taken now",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(arg for arg in kwargs))
    if isinstance(functions, kagari.nn.Sequential):
        functions = list(functions.children())

    def piece(start: int, end: int) -> Callable[[Any], Any]:
        def forward(value: Any) -> Any:
            for function in functions[start:end]:
                value = function(value)
            return value

        return forward

    length = len(functions) // segments
    end = 0
    for start in range(0, length * (segments - 1), length):
        end = start + length
        input = checkpoint(
            piece(start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve
        )
    return piece(end, len(functions))(input)
