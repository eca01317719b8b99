"""The names under which PyTorch's own functions call its kernels, for programs that use them.

Each is a thin composite of ops that stand elsewhere.
"""

from __future__ import annotations

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor

Three = tuple["Tensor", "Tensor", "Tensor"]


# ---- norms with their statistics ----------------------------------------------------------------


def _widened(x: Tensor) -> Tensor:
    """Halves as float32, in which a formula of several steps rounds once, at its end."""
    return x.float() if x.dtype.is_floating_point and x.dtype.itemsize < 4 else x


def _mean_and_rstd(x: Tensor, dims: tuple[int, ...], eps: float) -> tuple[Tensor, Tensor]:
    """The statistics beside a result."""
    wide = _widened(x)
    mean = wide.mean(dims, keepdim=True)
    rstd = (wide.var(dims, correction=0, keepdim=True) + eps).rsqrt()
    return mean.to(x.dtype), rstd.to(x.dtype)


@composite(
    "native_layer_norm(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, "
    "float eps) -> (Tensor, Tensor, Tensor)",
    out=True,
)
def native_layer_norm(
    input: Tensor,
    normalized_shape: tuple[int, ...],
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> Three:
    """Layer norm with the mean and the inverse standard deviation that it used.

    Args:
        input (Tensor): ``(..., *normalized_shape)``.
        normalized_shape (tuple of ints): the last dimensions, normalised together.
        weight (Tensor, optional): the scale, of shape ``normalized_shape``.
        bias (Tensor, optional): the shift, of the same shape.
        eps (float): added to the variance.

    Returns:
        A tuple (output, mean, rstd).

    Raises:
        RuntimeError: the shapes do not fit.

    Example:
        >>> import kagari
        >>> kagari.native_layer_norm(kagari.tensor([[1.0, 3.0]]), (2,), None, None, 0.0)[1]
        tensor([[2.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html
    """
    output = ops.layer_norm(input, normalized_shape, weight, bias, eps)
    dims = tuple(range(input.dim() - len(normalized_shape), input.dim()))
    mean, rstd = _mean_and_rstd(input.detach(), dims, eps)  # gradients flow through the result
    return output, mean, rstd


@composite(
    "native_group_norm(Tensor input, Tensor? weight, Tensor? bias, int N, int C, int HxW, "
    "int group, float eps) -> (Tensor, Tensor, Tensor)",
    out=True,
)
def native_group_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    N: int,
    C: int,
    HxW: int,
    group: int,
    eps: float,
) -> Three:
    """Group norm with the mean and the inverse standard deviation that it used.

    Args:
        input (Tensor): ``(N, C, ...)`` of ``N * C * HxW`` elements.
        weight (Tensor, optional): the scale, ``(C,)``.
        bias (Tensor, optional): the shift, ``(C,)``.
        N (int): the number of examples.
        C (int): the number of channels.
        HxW (int): the number of elements of a channel.
        group (int): the number of groups.
        eps (float): added to the variance.

    Returns:
        A tuple (output, mean, rstd), the latter two ``(N, group)``; all have gradients.

    Raises:
        RuntimeError: the sizes do not fit.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([[1.0, 3.0]])
        >>> kagari.native_group_norm(x, None, None, 1, 2, 1, 1, 0.0)[1]
        tensor([[2.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.group_norm.html
    """
    if input.numel() != N * C * HxW:
        raise RuntimeError(
            f"native_group_norm: expected N * C * HxW = {N * C * HxW} elements, got an input of "
            f"shape {tuple(input.shape)}"
        )
    output = ops.group_norm(input, group, weight, bias, eps)
    mean, rstd = _mean_and_rstd(input.reshape(N, group, C // group * HxW), (2,), eps)
    return output, mean.squeeze(2), rstd.squeeze(2)


def _batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> Three:
    import kagari

    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError(
                "batch_norm: expected running_mean and running_var when training=False, got None; "
                "pass them or set training=True"
            )
        output = ops.batch_norm_eval(input, weight, bias, running_mean, running_var, eps)
        nothing = kagari.empty(0, dtype=running_mean.dtype, device=input.device)
        return output, nothing, nothing.clone()
    output, mean, var = ops.batch_norm_train(input, weight, bias, eps)
    kind = input.dtype if weight is None else weight.dtype  # halves keep statistics in halves
    mean, var = mean.detach(), var.detach()
    with kagari.no_grad():
        if running_mean is not None:
            running_mean.copy_(_widened(running_mean) * (1 - momentum) + mean * momentum)
        if running_var is not None:
            count = input.numel() // max(input.size(1), 1)
            unbiased = var * (count / (count - 1)) if count > 1 else var * kagari.inf
            running_var.copy_(_widened(running_var) * (1 - momentum) + unbiased * momentum)
    return output, mean.to(kind), (var + eps).rsqrt().to(kind)


_BATCH_NORM = (
    "Tensor input, Tensor? weight, Tensor? bias, Tensor{a}{q} running_mean, "
    "Tensor{a}{q} running_var, bool training, float momentum, float eps) "
    "-> (Tensor, Tensor, Tensor)"
)


@composite("native_batch_norm(" + _BATCH_NORM.format(a="", q="?"), out=True)
def native_batch_norm(*args: Any) -> Three:
    """Batch norm with the mean and the inverse standard deviation of the batch.

    Args:
        input (Tensor): ``(N, C, ...)``.
        weight (Tensor, optional): the scale, ``(C,)``.
        bias (Tensor, optional): the shift, ``(C,)``.
        running_mean (Tensor, optional): moved towards the batch's mean in training.
        running_var (Tensor, optional): moved towards the batch's variance in training.
        training (bool): normalise by the batch's statistics, else by the running ones.
        momentum (float): the share of the batch's statistics in the running ones.
        eps (float): added to the variance.

    Returns:
        A tuple (output, mean, invstd); out of training the latter two are empty.

    Raises:
        RuntimeError: the shapes do not fit, or running statistics are missing.

    Example:
        >>> import kagari
        >>> x = kagari.tensor([[1.0], [3.0]])
        >>> kagari.native_batch_norm(x, None, None, None, None, True, 0.1, 0.0)[1]
        tensor([2.])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html
    """
    return _batch_norm(*args)


@composite("_native_batch_norm_legit(" + _BATCH_NORM.format(a="", q=""), out=True)
def _native_batch_norm_legit(*args: Any) -> Three:
    """``native_batch_norm`` with running statistics."""
    return _batch_norm(*args)


@composite(
    "_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, bool training, "
    "float momentum, float eps) -> (Tensor, Tensor, Tensor)",
    out=True,
)
def _native_batch_norm_no_stats(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> Three:
    """``native_batch_norm`` without running statistics."""
    return _batch_norm(input, weight, bias, None, None, training, momentum, eps)


@composite(
    "_batch_norm_with_update(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, "
    "Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor, Tensor)",
    function=False,
)
def _batch_norm_with_update(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor,
    running_var: Tensor,
    momentum: float,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """``native_batch_norm`` in training, and the memory that a backward pass would reserve."""
    import kagari

    made = _batch_norm(input, weight, bias, running_mean, running_var, True, momentum, eps)
    return (*made, kagari.empty(0, dtype=kagari.uint8, device=input.device))


# ---- pooling ------------------------------------------------------------------------------------


@composite(
    "max_pool2d_with_indices_backward(Tensor grad_output, Tensor input, int[2] kernel_size, "
    "int[2] stride, int[2] padding, int[2] dilation, bool ceil_mode, Tensor indices) -> Tensor",
    function=False,
)
def max_pool2d_with_indices_backward(
    grad_output: Tensor,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    indices: Tensor,
) -> Tensor:
    """The gradient of max pooling: each result's gradient goes where its maximum was."""
    if grad_output.shape != indices.shape:
        raise RuntimeError(
            "max_pool2d_with_indices_backward: expected a gradient of the indices' shape "
            f"{tuple(indices.shape)}, got {tuple(grad_output.shape)}"
        )
    flat = grad_output.new_zeros(input.shape).flatten(-2)
    return flat.scatter_add(-1, indices.flatten(-2), grad_output.flatten(-2)).view(input.shape)


# ---- softmax ------------------------------------------------------------------------------------


@composite(
    "_softmax_backward_data(Tensor grad_output, Tensor output, int dim, ScalarType input_dtype) "
    "-> Tensor",
    function=False,
)
def _softmax_backward_data(
    grad_output: Tensor, output: Tensor, dim: int, input_dtype: Any
) -> Tensor:
    """The gradient of softmax from its result: y * (g - sum(g * y))."""
    wide = _widened(output)
    weighted = grad_output * wide
    return (weighted - wide * weighted.sum(dim, keepdim=True)).to(input_dtype)


@composite("_safe_softmax(Tensor input, int dim, ScalarType? dtype=None) -> Tensor", function=False)
def _safe_softmax(input: Tensor, dim: int, dtype: Any) -> Tensor:
    """Softmax that gives zeros where a whole line is masked by -inf."""
    masked = (input == float("-inf")).all(dim, keepdim=True)
    # Such lines are filled before, too: their softmax is NaN, and so would be its gradient.
    return input.masked_fill(masked, 0.0).softmax(dim, dtype=dtype).masked_fill(masked, 0.0)


# ---- pieces -------------------------------------------------------------------------------------


@composite("_chunk_cat(Tensor[] tensors, int dim, int num_chunks) -> Tensor", out=True)
def _chunk_cat(tensors: tuple[Tensor, ...], dim: int, num_chunks: int) -> Tensor:
    """Cuts each tensor into chunks along a dimension, filled up with zeros, and joins the chunks.

    Chunk i of the result holds the i-th chunks of all tensors, each flattened from ``dim`` on.
    """
    import kagari

    if num_chunks < 1:
        raise RuntimeError(f"_chunk_cat expects positive num_chunks, got {num_chunks}")
    if not tensors:
        raise RuntimeError("_chunk_cat expects a non-empty input tensor list")
    first = tensors[0]
    at = dim % first.dim() if first.dim() else 0
    parts = []
    for t in tensors:
        if t.numel() == 0:
            raise RuntimeError("_chunk_cat expects non-empty tensor")
        if t.dtype != first.dtype or t.device != first.device:
            raise RuntimeError("_chunk_cat expects input tensors with the same dtype and device")
        if t.dim() <= at or t.shape[:at] != first.shape[:at]:
            raise RuntimeError(
                "_chunk_cat expects same sizes of 0,...,dim-1 dimensions for all tensors, got "
                f"{tuple(first.shape)} and {tuple(t.shape)} at dim {at}"
            )
        size = -(-t.shape[at] // num_chunks)
        missing = size * num_chunks - t.shape[at]
        if missing:
            t = kagari.cat([t, t.new_zeros((*t.shape[:at], missing, *t.shape[at + 1 :]))], at)
        parts.append(t.reshape(*t.shape[:at], num_chunks, -1))
    return kagari.cat(parts, at + 1)


def _within(indices: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Indices moved into the range of their dimensions; None selects a whole dimension."""
    return tuple(
        slice(None) if i is None else i.clamp(-n, n - 1)
        for i, n in zip(indices, shape, strict=False)
    )


@composite(
    "_unsafe_masked_index(Tensor input, Tensor mask, Tensor?[] indices, Scalar fill) -> Tensor"
)
def _unsafe_masked_index(input: Tensor, mask: Tensor, indices: Any, fill: Any) -> Tensor:
    """``input[indices]`` where the mask is true, ``fill`` elsewhere, whatever the index there."""
    if input.numel() == 0:
        return mask.new_full(mask.shape, fill, dtype=input.dtype)
    result: Tensor = input[_within(indices, tuple(input.shape))]
    return result.masked_fill(~mask, fill)


@composite(
    "_unsafe_masked_index_put_accumulate(Tensor input, Tensor mask, Tensor?[] indices, "
    "Tensor values) -> Tensor"
)
def _unsafe_masked_index_put_accumulate(
    input: Tensor, mask: Tensor, indices: Any, values: Tensor
) -> Tensor:
    """Adds values at indices where the mask is true, whatever the index elsewhere."""
    if input.numel() == 0:
        return input.clone()
    at = _within(indices, tuple(input.shape))
    if any(isinstance(i, slice) for i in at):
        raise NotImplementedError(
            "_unsafe_masked_index_put_accumulate: expected an index for each dimension, got None"
        )
    return input.index_put(at, values.masked_fill(~mask, 0), accumulate=True)


# ---- segments -----------------------------------------------------------------------------------

_IDENTITY = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": float("-inf"), "min": float("inf")}


@composite(
    "_segment_reduce(Tensor data, str reduce, *, Tensor? lengths=None, Tensor? indices=None, "
    "Tensor? offsets=None, int axis=0, bool unsafe=False, Scalar? initial=None) -> Tensor"
)
def _segment_reduce(
    data: Tensor,
    reduce: str,
    lengths: Tensor | None,
    indices: Tensor | None,
    offsets: Tensor | None,
    axis: int,
    unsafe: bool,
    initial: Any,
) -> Tensor:
    """Reduces runs of elements along a dimension, given by their lengths or their bounds.

    Args:
        data (Tensor): ``(..., L, ...)``.
        reduce (str): ``"sum"``, ``"mean"``, ``"prod"``, ``"max"`` or ``"min"``.
        lengths (Tensor): ``(..., S)``: the lengths of the segments.
        offsets (Tensor): ``(..., S + 1)``: where the segments begin, and where the last ends.
        axis (int): the dimension of L.
        initial (Number, optional): where each reduction starts; empty segments give it.
    """
    import kagari

    if reduce not in _IDENTITY:
        raise RuntimeError(f"segment_reduce(): unsupported reduction {reduce!r}")
    if indices is not None:
        raise RuntimeError("segment_reduce(): indices based reduction is not supported yet.")
    if (lengths is None) == (offsets is None):
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined.")
    axis %= data.dim()
    size = data.shape[axis]
    if offsets is None:
        assert lengths is not None
        if not unsafe and bool((lengths < 0).any()):
            raise RuntimeError("lengths contains negative value!")
        if not unsafe and bool((lengths.sum(-1) != size).any()):
            raise RuntimeError(
                "segment_reduce(): Expected all rows of lengths along axis to sum to "
                f"data.size(lengths.dim()-1) = {size}"
            )
        ends = lengths.cumsum(-1)
    else:
        ends, lengths = offsets[..., 1:], offsets.diff(dim=-1)
    count = ends.shape[-1]
    # The segment of each place; places behind the last fall into one more, which is cut off.
    places = kagari.arange(size, device=data.device)
    segment = (places.unsqueeze(-1) >= ends.unsqueeze(-2)).sum(-1)
    trailing = (1,) * (data.dim() - axis - 1)
    index = segment.reshape(*segment.shape, *trailing).expand(data.shape)
    shape = (*data.shape[:axis], count + 1, *data.shape[axis + 1 :])
    start = _IDENTITY[reduce] if initial is None else initial
    how = {"mean": "sum", "max": "amax", "min": "amin"}.get(reduce, reduce)
    result = data.new_full(shape, start).scatter_reduce(axis, index, data, how)
    result = result.narrow(axis, 0, count)
    if reduce == "mean":
        number = lengths.reshape(*lengths.shape, *trailing).to(data.dtype)
        empty = number == 0
        nothing = float("nan") if initial is None else initial
        result = (result / number.masked_fill(empty, 1)).masked_fill(empty, nothing)
    return result
