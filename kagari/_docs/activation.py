"""The nonlinearities between layers."""

from kagari._docs.entry import Family

doc = Family(
    "Activations",
    reference="generated/torch.nn.functional.{}.html",
    method_reference="nn.functional.html#non-linear-activation-functions",
    returns="A tensor of the input's shape and dtype.",
)

doc(
    "sigmoid",
    r"y_i = \frac{1}{1 + e^{-x_i}}",
    """
    >>> kagari.sigmoid(kagari.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """,
    returns="A tensor of the input's shape; integers become the default floating dtype.",
)
doc(
    "log_sigmoid",
    r"y_i = -\ln(1 + e^{-x_i})",
    """
    >>> kagari.nn.functional.logsigmoid(kagari.tensor([0.0, -100.0]))
    tensor([  -0.6931, -100.0000])
    """,
)
doc(
    "relu",
    r"y_i = \max(x_i, 0)",
    """
    >>> kagari.relu(kagari.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """,
    note="The derivative at zero is zero.",
)
doc(
    "relu6",
    r"y_i = \min(\max(x_i, 0), 6)",
    """
    >>> kagari.nn.functional.relu6(kagari.tensor([-1.0, 2.0, 8.0]))
    tensor([0., 2., 6.])
    """,
)
doc(
    "hardtanh",
    r"y_i = \min(\max(x_i, a), b)",
    """
    >>> kagari.nn.functional.hardtanh(kagari.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """,
    min_val="the lower limit a.",
    max_val="the upper limit b.",
)
doc(
    "leaky_relu",
    r"y_i = \begin{cases} x_i & x_i > 0 \\ s \, x_i & \mathrm{otherwise} \end{cases}",
    """
    >>> kagari.nn.functional.leaky_relu(kagari.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1000,  2.0000])
    """,
    negative_slope="the slope s below zero.",
)
doc(
    "threshold",
    r"y_i = \begin{cases} x_i & x_i > t \\ v & \mathrm{otherwise} \end{cases}",
    """
    >>> kagari.threshold(kagari.tensor([0.5, 2.0]), 1.0, -1.0)
    tensor([-1.,  2.])
    """,
    threshold="t.",
    value="v.",
)
doc(
    "elu",
    r"y_i = s \begin{cases} x_i & x_i > 0 \\ \alpha (e^{c \, x_i} - 1) & \mathrm{otherwise} "
    r"\end{cases}",
    """
    >>> kagari.nn.functional.elu(kagari.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """,
    alpha="the limit far below zero is -alpha.",
    scale="s, the factor of all.",
    input_scale="c, the factor of the exponent.",
)
doc(
    "selu",
    r"y_i = s \begin{cases} x_i & x_i > 0 \\ \alpha (e^{x_i} - 1) & \mathrm{otherwise} \end{cases}",
    """
    >>> kagari.selu(kagari.tensor([-1.0, 1.0]))
    tensor([-1.1113,  1.0507])
    """,
    note="s is about 1.0507 and α about 1.6733.",
)
doc(
    "celu",
    r"y_i = \max(x_i, 0) + \min(\alpha (e^{x_i / \alpha} - 1), 0)",
    """
    >>> kagari.celu(kagari.tensor([-1.0, 1.0]), alpha=2.0)
    tensor([-0.7869,  1.0000])
    """,
    alpha="the limit far below zero is -alpha.",
)
doc(
    "gelu",
    r"y_i = x_i \, \Phi(x_i)",
    """
    >>> kagari.nn.functional.gelu(kagari.tensor([-1.0, 1.0]))
    tensor([-0.1587,  0.8413])
    """,
    approximate="``'none'``, or ``'tanh'`` for x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))).",
    raises="RuntimeError: ``approximate`` is another word.",
)
doc(
    "silu",
    r"y_i = \frac{x_i}{1 + e^{-x_i}}",
    """
    >>> kagari.nn.functional.silu(kagari.tensor([-1.0, 1.0]))
    tensor([-0.2689,  0.7311])
    """,
)
doc(
    "mish",
    r"y_i = x_i \tanh(\ln(1 + e^{x_i}))",
    """
    >>> kagari.nn.functional.mish(kagari.tensor([-1.0, 1.0]))
    tensor([-0.3034,  0.8651])
    """,
)
doc(
    "softplus",
    r"y_i = \frac{1}{\beta} \ln(1 + e^{\beta x_i})",
    """
    >>> kagari.nn.functional.softplus(kagari.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])
    """,
    beta="β; a larger one bends more sharply.",
    threshold="where β x is above it, y is x.",
)
doc(
    "softshrink",
    r"y_i = \mathrm{sign}(x_i) \max(|x_i| - \lambda, 0)",
    """
    >>> kagari.nn.functional.softshrink(kagari.tensor([-1.0, 0.3, 2.0]))
    tensor([-0.5000,  0.0000,  1.5000])
    """,
    lambd="λ.",
    raises="RuntimeError: ``lambd`` is negative.",
)
doc(
    "hardshrink",
    r"y_i = \begin{cases} x_i & |x_i| > \lambda \\ 0 & \mathrm{otherwise} \end{cases}",
    """
    >>> kagari.hardshrink(kagari.tensor([-1.0, 0.3, 2.0]))
    tensor([-1.,  0.,  2.])
    """,
    lambd="λ.",
)
doc(
    "hardsigmoid",
    r"y_i = \min(\max(x_i + 3, 0), 6) / 6",
    """
    >>> kagari.nn.functional.hardsigmoid(kagari.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """,
)
doc(
    "hardswish",
    r"y_i = x_i \min(\max(x_i + 3, 0), 6) / 6",
    """
    >>> kagari.nn.functional.hardswish(kagari.tensor([-4.0, 1.0, 4.0]))
    tensor([-0.0000, 0.6667, 4.0000])
    """,
)
doc(
    "softmax",
    r"y_i = \frac{e^{x_i}}{\sum_j e^{x_j}}",
    """
    >>> kagari.softmax(kagari.tensor([[1.0, 2.0], [0.0, 0.0]]), dim=1)
    tensor([[0.2689, 0.7311],
            [0.5000, 0.5000]])
    """,
    note="The largest x is taken off first, so that nothing overflows.",
    dim="the dimension along which the results sum to one.",
    dtype="to compute in; None: the input's.",
    raises="RuntimeError: integers without ``dtype``. IndexError: there is no such dimension.",
)
doc(
    "log_softmax",
    r"y_i = x_i - \ln \sum_j e^{x_j}",
    """
    >>> kagari.log_softmax(kagari.tensor([[1.0, 2.0], [0.0, 0.0]]), dim=1)
    tensor([[-1.3133, -0.3133],
            [-0.6931, -0.6931]])
    """,
    dim="the dimension along which the exponentials of the results sum to one.",
    dtype="to compute in; None: the input's.",
    raises="RuntimeError: integers without ``dtype``. IndexError: there is no such dimension.",
)
