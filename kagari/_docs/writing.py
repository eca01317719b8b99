"""Writing into a tensor."""

from kagari._docs.entry import Family

doc = Family("Writing", returns="The tensor that was written.", input="the tensor to write.")

doc(
    "fill",
    r"y_i = v",
    """
    >>> kagari.zeros(3).fill_(7)
    tensor([7., 7., 7.])
    >>> kagari.fill(kagari.zeros(2), 1.5)
    tensor([1.5000, 1.5000])
    """,
    reference="generated/torch.Tensor.fill_.html",
    returns="In place the tensor itself, else a new one of its shape and dtype.",
    raises="RuntimeError: the value is a tensor with dimensions.",
    value="v, a number or a 0-dimensional tensor.",
)
doc(
    "zero",
    r"y_i = 0",
    """
    >>> kagari.ones(3).zero_()
    tensor([0., 0., 0.])
    """,
    reference="generated/torch.Tensor.zero_.html",
    returns="In place the tensor itself, else a new one of its shape and dtype.",
)
doc(
    "copy",
    r"x_i = s_i",
    """
    >>> kagari.zeros(2, 2).copy_(kagari.tensor([1, 2]))
    tensor([[1., 2.],
            [1., 2.]])
    """,
    returns="The tensor itself.",
    raises="RuntimeError: the source does not broadcast to the tensor's shape.",
    src="s, of any dtype; broadcasts to the tensor's shape.",
    non_blocking="has no effect on the processor.",
)
