"""Random numbers whose parameters are tensors: normal distributions and draws of classes."""

from __future__ import annotations

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kagari import Generator, Tensor


def _fresh(mean: Tensor | float, std: Tensor | float) -> Tensor:
    """Room for the result, recorded where a parameter needs a gradient (which is zero)."""
    import kagari

    tensors = [t for t in (mean, std) if isinstance(t, kagari.Tensor)]
    shape = kagari.broadcast_tensors(*tensors)[0].shape
    if kagari.is_grad_enabled() and any(t.requires_grad for t in tensors):
        joined = tensors[0] if len(tensors) == 1 else tensors[0] + tensors[1]
        return joined.to(tensors[0].dtype).clone(memory_format=kagari.contiguous_format)
    return kagari.empty(shape, dtype=tensors[0].dtype, device=tensors[0].device)


def _normal(mean: Tensor | float, std: Tensor | float, generator: Generator | None) -> Tensor:
    import kagari

    if isinstance(std, kagari.Tensor):
        if std.is_complex():
            raise RuntimeError("normal expects standard deviation to be non-complex")
        if std.numel() and bool((std < 0).any()):
            raise RuntimeError("normal expects all elements of std >= 0.0")
    elif std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    out = _fresh(mean, std)
    given = out.detach()  # the same memory: what follows the draw is not recorded
    if isinstance(std, kagari.Tensor):
        out.normal_(0, 1, generator=generator)
        given.mul_(std.detach())
    else:
        out.normal_(0, std, generator=generator)
    if isinstance(mean, kagari.Tensor):
        given.add_(mean.detach())
    else:
        given.add_(kagari.tensor(mean, dtype=out.dtype, device=out.device))
    return out


@composite(
    "normal.tensor_tensor(Tensor mean, Tensor std, *, Generator? generator=None) -> Tensor",
    out=True,
)
def normal(mean: Tensor, std: Tensor, generator: Generator | None) -> Tensor:
    """Numbers drawn from normal distributions, one for each element of the parameters.

    Args:
        mean (Tensor or float): the means.
        std (Tensor or float): the standard deviations; broadcasts with ``mean``.
        generator (Generator, optional): the source of random numbers.

    Raises:
        RuntimeError: a negative standard deviation.

    Example:
        >>> import kagari
        >>> kagari.normal(kagari.tensor([1.0, 5.0]), kagari.zeros(2))
        tensor([1., 5.])

    Reference: https://pytorch.org/docs/stable/generated/torch.normal.html
    """
    return _normal(mean, std, generator)


@composite(
    "normal.tensor_float(Tensor mean, float std=1, *, Generator? generator=None) -> Tensor",
    out=True,
)
def _normal_tensor_float(mean: Tensor, std: float, generator: Generator | None) -> Tensor:
    """Numbers drawn from normal distributions around several means."""
    return _normal(mean, std, generator)


@composite(
    "normal.float_tensor(float mean, Tensor std, *, Generator? generator=None) -> Tensor", out=True
)
def _normal_float_tensor(mean: float, std: Tensor, generator: Generator | None) -> Tensor:
    """Numbers drawn from normal distributions of several widths."""
    return _normal(mean, std, generator)


@composite(
    "multinomial(Tensor input, int num_samples, bool replacement=False, *, "
    "Generator? generator=None, Tensor? out=None) -> Tensor",
    method=True,
)
def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool,
    generator: Generator | None,
    out: Tensor | None,
) -> Tensor:
    """Draws indices with the probabilities that each row gives.

    Args:
        input (Tensor): weights ``(C,)`` or ``(N, C)``, not negative; they need not sum to one.
        num_samples (int): how many indices to draw for each row.
        replacement (bool): whether an index may be drawn again.
        generator (Generator, optional): the source of random numbers.
        out (Tensor, optional): an int64 tensor to write the indices to.

    Returns:
        An int64 tensor ``(num_samples,)`` or ``(N, num_samples)``.

    Raises:
        RuntimeError: weights that are no distribution, or too many draws without replacement.

    Example:
        >>> import kagari
        >>> kagari.multinomial(kagari.tensor([0.0, 1.0]), 3, replacement=True)
        tensor([1, 1, 1])

    Reference: https://pytorch.org/docs/stable/generated/torch.multinomial.html
    """
    import kagari

    if input.dim() not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if not input.is_floating_point():
        raise RuntimeError(
            "multinomial only supports floating-point dtypes for input, got: "
            f"{input.dtype}; convert with .float()"
        )
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    classes = input.shape[-1]
    if not replacement and num_samples > classes:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement"
        )
    if classes == 0:
        raise RuntimeError(
            f"multinomial: expected at least one class, got an input of shape {tuple(input.shape)}"
        )
    if out is None:
        return _draw_classes(input.detach(), num_samples, replacement, generator)
    if out.dtype != kagari.int64:
        raise RuntimeError(f"multinomial expects Long tensor out, got: {out.dtype}")
    drawn = _draw_classes(input.detach(), num_samples, replacement, generator)
    filled: Tensor = out.resize_(drawn.shape).copy_(drawn)
    return filled


def _draw_classes(
    input: Tensor, num_samples: int, replacement: bool, generator: Generator | None
) -> Tensor:
    import kagari

    if input.numel() == 0:
        return kagari.empty((*input.shape[:-1], num_samples), dtype=kagari.int64)
    if not bool(((input >= 0) & (input < kagari.inf)).all()):
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if bool((input.sum(-1) == 0).any()):
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    if replacement and num_samples > 1:
        return ops._multinomial(input, num_samples, generator=generator)
    # The class of the largest p / q, q drawn from the exponential distribution, is drawn with
    # probability p; the next largest are draws without replacement.
    q = input / kagari.empty_like(input).exponential_(1, generator=generator)
    if num_samples == 1:
        return q.argmax(-1, keepdim=True)
    return q.topk(num_samples).indices


@composite(
    "bernoulli.probability(Tensor input, float p, *, Generator? generator=None) -> Tensor",
    method=True,
)
def _bernoulli(input: Tensor, p: float, generator: Generator | None) -> Tensor:
    """Ones with probability p and zeros, of the input's shape and dtype."""
    import kagari

    return kagari.empty_like(input).bernoulli_(p, generator=generator)
