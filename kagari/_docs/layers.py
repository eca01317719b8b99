"""What layers compute: linear maps, convolutions, pooling, normalisation, embeddings."""

from kagari._docs.entry import Family

doc = Family(
    "Layers as functions",
    reference="generated/torch.nn.functional.{}.html",
    raises="RuntimeError: shapes, dtypes or sizes do not fit.",
    bias="(C_out,); None: none.",
    stride="from one window to the next.",
    dilation="from one element of the kernel to the next.",
    groups="into how many groups the channels are divided.",
)

doc(
    "linear",
    r"y_{\ldots o} = b_o + \sum_i x_{\ldots i} W_{oi}",
    """
    >>> x, weight = kagari.ones(2, 3), kagari.tensor([[1.0, 2.0, 3.0]])
    >>> kagari.nn.functional.linear(x, weight, kagari.tensor([0.5]))
    tensor([[6.5000],
            [6.5000]])
    """,
    returns="(..., out).",
    input="x: (..., in).",
    weight="W: (out, in), or (in,), which drops the last dimension.",
    bias="b: (out,); None: none.",
)
doc(
    "embedding",
    r"y_{\ldots d} = W_{k_{\ldots}, d}",
    """
    >>> weight = kagari.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> kagari.embedding(weight, kagari.tensor([[2, 0]]))
    tensor([[[5., 6.],
             [1., 2.]]])
    """,
    returns="(..., D).",
    raises="IndexError: an index is outside the table.",
    weight="W: (V, D).",
    indices="k: integers of any shape.",
    padding_idx="the row that receives no gradient; -1: none.",
    scale_grad_by_freq="divides a row's gradient by how often it occurs.",
    sparse="a sparse gradient of the weight.",
)

# ---- convolutions -------------------------------------------------------------------------------

CONV = {
    "padding": "zeros on both sides; ``'same'`` keeps the input's size, ``'valid'`` is none.",
    "summary": "The convolution (cross-correlation) of images with kernels.",
}
doc(
    "conv1d",
    r"y_{noi} = b_o + \sum_{c, k} x_{n, c, i s + k d - p} W_{ock}",
    """
    >>> x = kagari.tensor([[[1.0, 2.0, 3.0, 4.0]]])
    >>> kagari.nn.functional.conv1d(x, kagari.tensor([[[1.0, -1.0]]]))
    tensor([[[-1., -1., -1.]]])
    """,
    returns="(N, C_out, L_out), with L_out = (L + 2 padding - dilation (K - 1) - 1) // stride + 1.",
    input="x: (N, C, L) or (C, L).",
    weight="W: (C_out, C / groups, K).",
    **CONV,
)
doc(
    "conv2d",
    r"y_{noij} = b_o + \sum_{c, k, l} x_{n, c, i s + k d - p, j s + l d - p} W_{ockl}",
    """
    >>> x = kagari.arange(9.0).view(1, 1, 3, 3)
    >>> kagari.nn.functional.conv2d(x, kagari.ones(1, 1, 2, 2))
    tensor([[[[ 8., 12.],
              [20., 24.]]]])
    """,
    returns="(N, C_out, H_out, W_out), with H_out = (H + 2 padding - dilation (K - 1) - 1) // "
    "stride + 1.",
    input="x: (N, C, H, W) or (C, H, W).",
    weight="W: (C_out, C / groups, K_h, K_w).",
    **CONV,
)
doc(
    "conv3d",
    r"y_{noijh} = b_o + \sum_{c, k, l, m} x_{n, c, i s + k d - p, \ldots} W_{ocklm}",
    """
    >>> x, weight = kagari.ones(1, 1, 2, 2, 2), kagari.ones(1, 1, 2, 2, 1)
    >>> kagari.nn.functional.conv3d(x, weight).flatten()
    tensor([4., 4.])
    """,
    returns="(N, C_out, D_out, H_out, W_out), each size as that of conv1d.",
    input="x: (N, C, D, H, W) or (C, D, H, W).",
    weight="W: (C_out, C / groups, K_d, K_h, K_w).",
    **CONV,
)
TRANSPOSED = {
    "padding": "how much of the result's border is cut off.",
    "output_padding": "how much larger one side of the result is.",
    "stride": "from where one element of the input is written to the next.",
}
doc(
    "conv_transpose1d",
    r"y_{n, o, i s + k d - p} {+}{=} x_{nci} W_{cok}",
    """
    >>> x = kagari.tensor([[[1.0, 2.0]]])
    >>> kagari.nn.functional.conv_transpose1d(x, kagari.tensor([[[1.0, 10.0]]]), stride=2)
    tensor([[[ 1., 10.,  2., 20.]]])
    """,
    returns="(N, C_out, L_out), with L_out = (L - 1) stride - 2 padding + dilation (K - 1) + "
    "output_padding + 1.",
    input="x: (N, C, L) or (C, L).",
    weight="W: (C, C_out / groups, K).",
    **TRANSPOSED,
)
doc(
    "conv_transpose2d",
    r"y_{n, o, i s + k d - p, j s + l d - p} {+}{=} x_{ncij} W_{cokl}",
    """
    >>> x = kagari.tensor([[[[1.0, 2.0]]]])
    >>> kagari.nn.functional.conv_transpose2d(x, kagari.ones(1, 1, 1, 2))
    tensor([[[[1., 3., 2.]]]])
    """,
    returns="(N, C_out, H_out, W_out), each size as that of conv_transpose1d.",
    input="x: (N, C, H, W) or (C, H, W).",
    weight="W: (C, C_out / groups, K_h, K_w).",
    **TRANSPOSED,
)
doc(
    "conv_transpose3d",
    r"y_{n, o, i s + k d - p, \ldots} {+}{=} x_{ncijh} W_{coklm}",
    """
    >>> x = kagari.ones(1, 1, 1, 1, 2)
    >>> kagari.nn.functional.conv_transpose3d(x, x)
    tensor([[[[[1., 2., 1.]]]]])
    """,
    returns="(N, C_out, D_out, H_out, W_out), each size as that of conv_transpose1d.",
    input="x: (N, C, D, H, W) or (C, D, H, W).",
    weight="W: (C, C_out / groups, K_d, K_h, K_w).",
    **TRANSPOSED,
)
doc(
    "convolution",
    r"y_{noi} = b_o + \sum_{c, k} x_{n, c, i s + k d - p} W_{ock}",
    """
    >>> x, weight = kagari.ones(1, 1, 4), kagari.ones(1, 1, 2)
    >>> kagari.convolution(x, weight, None, (1,), (0,), (1,), False, (0,), 1)
    tensor([[[2., 2., 2.]]])
    """,
    reference="",
    note="What conv1d, conv2d, conv3d and their transposed forms call.",
    returns="(N, C_out, ...).",
    input="x: (N, C, ...), with one to three dimensions behind the channels.",
    weight="W: (C_out, C / groups, ...), transposed (C, C_out / groups, ...).",
    padding="zeros on both sides of each dimension.",
    transposed="the transposed convolution.",
    output_padding="how much larger one side of a transposed result is.",
)

# ---- pooling ------------------------------------------------------------------------------------

POOL = {
    "kernel_size": "of the window.",
    "stride": "from one window to the next; None: the window's size.",
    "padding": "on both sides, at most half of the window.",
    "ceil_mode": "rounds the number of windows up.",
}
MAX = POOL | {"note": "Padding never wins; NaN does."}
doc(
    "max_pool1d",
    r"y_{nci} = \max_k x_{n, c, i s + k d - p}",
    """
    >>> kagari.max_pool1d(kagari.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2)
    tensor([[[3., 2.]]])
    """,
    returns="(N, C, L_out).",
    input="x: (N, C, L) or (C, L).",
    **MAX,
)
doc(
    "max_pool1d_with_indices",
    r"y_{nci} = \max_k x_{n, c, i s + k d - p}",
    """
    >>> values, indices = kagari.max_pool1d_with_indices(kagari.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2)
    >>> indices
    tensor([[[1, 2]]])
    """,
    returns="The named tuple ``(output, indices)``, both (N, C, L_out).",
    input="x: (N, C, L) or (C, L).",
    **MAX,
)
doc(
    "max_pool2d",
    r"y_{ncij} = \max_{k, l} x_{n, c, i s + k d - p, j s + l d - p}",
    """
    >>> kagari.max_pool2d(kagari.arange(16.0).view(1, 1, 4, 4), 2)
    tensor([[[[ 5.,  7.],
              [13., 15.]]]])
    """,
    returns="(N, C, H_out, W_out).",
    input="x: (N, C, H, W) or (C, H, W).",
    **MAX,
)
doc(
    "max_pool3d",
    r"y_{ncijh} = \max_{k, l, m} x_{n, c, i s + k d - p, \ldots}",
    """
    >>> kagari.max_pool3d(kagari.arange(8.0).view(1, 1, 2, 2, 2), 2)
    tensor([[[[[7.]]]]])
    """,
    returns="(N, C, D_out, H_out, W_out).",
    input="x: (N, C, D, H, W) or (C, D, H, W).",
    **MAX,
)
doc(
    "avg_pool1d",
    r"y_{nci} = \frac{1}{K} \sum_k x_{n, c, i s + k - p}",
    """
    >>> kagari.avg_pool1d(kagari.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2)
    tensor([[[2., 1.]]])
    """,
    returns="(N, C, L_out).",
    input="x: (N, C, L) or (C, L).",
    count_include_pad="zeros of the padding count in the mean.",
    **POOL,
)
AVERAGE = POOL | {
    "count_include_pad": "zeros of the padding count in the mean.",
    "divisor_override": "divides the sums by this instead of the number of elements.",
}
doc(
    "avg_pool2d",
    r"y_{ncij} = \frac{1}{K_h K_w} \sum_{k, l} x_{n, c, i s + k - p, j s + l - p}",
    """
    >>> kagari.nn.functional.avg_pool2d(kagari.arange(16.0).view(1, 1, 4, 4), 2)
    tensor([[[[ 2.5000,  4.5000],
              [10.5000, 12.5000]]]])
    """,
    returns="(N, C, H_out, W_out).",
    input="x: (N, C, H, W) or (C, H, W).",
    **AVERAGE,
)
doc(
    "avg_pool3d",
    r"y_{ncijh} = \frac{1}{K_d K_h K_w} \sum_{k, l, m} x_{n, c, i s + k - p, \ldots}",
    """
    >>> kagari.nn.functional.avg_pool3d(kagari.arange(8.0).view(1, 1, 2, 2, 2), 2)
    tensor([[[[[3.5000]]]]])
    """,
    returns="(N, C, D_out, H_out, W_out).",
    input="x: (N, C, D, H, W) or (C, D, H, W).",
    **AVERAGE,
)
ADAPTIVE = {
    "input": "x: (N, C, L) or (C, L).",
    "output_size": "how many windows; they may overlap by one element.",
}
doc(
    "adaptive_avg_pool1d",
    r"y_{nci} = \mathrm{mean}(x_{n, c, \lfloor i L / m \rfloor}, \ldots, x_{n, c, \lceil (i + 1) "
    r"L / m \rceil - 1})",
    """
    >>> kagari.adaptive_avg_pool1d(kagari.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2)
    tensor([[[2., 1.]]])
    """,
    returns="(N, C, output_size).",
    **ADAPTIVE,
)
doc(
    "adaptive_max_pool1d",
    r"y_{nci} = \max(x_{n, c, \lfloor i L / m \rfloor}, \ldots, x_{n, c, \lceil (i + 1) L / m "
    r"\rceil - 1})",
    """
    >>> kagari.adaptive_max_pool1d(kagari.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2)
    kagari.return_types.adaptive_max_pool1d(
    output=tensor([[[3., 2.]]]),
    indices=tensor([[[1, 2]]]))
    """,
    returns="The named tuple ``(output, indices)``, both (N, C, output_size).",
    **ADAPTIVE,
)

# ---- normalisation ------------------------------------------------------------------------------

NORM = {"returns": "A tensor of the input's shape.", "eps": "ε, keeps the divisor from zero."}
LAST = {
    "input": "x: (..., *normalized_shape).",
    "normalized_shape": "the sizes of the last dimensions, over which is normalised.",
    "weight": "the factor γ, of the normalised shape; None: ones.",
}
doc(
    "layer_norm",
    r"y = \frac{x - \bar{x}}{\sqrt{\sigma^2 + \varepsilon}} \gamma + \beta",
    """
    >>> kagari.layer_norm(kagari.tensor([[1.0, 2.0, 3.0]]), (3,))
    tensor([[-1.2247,  0.0000,  1.2247]])
    """,
    note="The variance is over n.",
    cudnn_enable="has no effect on the processor.",
    bias="the shift β, of the normalised shape; None: zeros.",
    **(NORM | LAST),
)
doc(
    "rms_norm",
    r"y = \frac{x}{\sqrt{\mathrm{mean}(x^2) + \varepsilon}} \gamma",
    """
    >>> kagari.rms_norm(kagari.tensor([[3.0, 4.0]]), (2,))
    tensor([[0.8485, 1.1314]])
    """,
    **(NORM | LAST | {"eps": "ε; None: the dtype's precision."}),
)
doc(
    "group_norm",
    r"y = \frac{x - \bar{x}}{\sqrt{\sigma^2 + \varepsilon}} \gamma + \beta",
    """
    >>> kagari.group_norm(kagari.tensor([[[1.0], [3.0], [10.0], [30.0]]]), 2).flatten()
    tensor([-1.0000,  1.0000, -1.0000,  1.0000])
    """,
    note="The variance is over n.",
    input="x: (N, C, ...).",
    num_groups="into how many groups the C channels are divided.",
    cudnn_enabled="has no effect on the processor.",
    weight="the factor γ, (C,); None: ones.",
    bias="the shift β, (C,); None: zeros.",
    **NORM,
)
