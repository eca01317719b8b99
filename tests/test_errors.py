"""What a newcomer reads: each error names the op, what was expected, what came, and the way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import kagari
import kagari.nn.functional as F
from kagari import nn


def _in_place_on_a_leaf() -> None:
    kagari.ones(2, requires_grad=True).add_(1)


def _backward_twice() -> None:
    x = kagari.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    y.backward()


def _saved_tensor_modified() -> None:
    x = kagari.ones(2, requires_grad=True)
    y = x.exp()
    z = (y * y).sum()
    y.add_(1)
    z.backward()


def _deep_in_a_model() -> None:
    nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(16, 2))(kagari.ones(3, 4))


ones = kagari.ones
MISTAKES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "matmul of shapes that do not fit": (
        lambda: ones(2, 3) @ ones(4, 5), RuntimeError, r"matmul: .*\(2x3 and 4x5\).*3.*4"),
    "cross_entropy of a class that is not there": (
        lambda: F.cross_entropy(ones(2, 3), kagari.tensor([0, 3])), IndexError,
        r"^cross_entropy: Target 3 is out of bounds: classes run from 0 to 2"),
    "bmm": (lambda: kagari.bmm(ones(2, 3, 4), ones(3, 4, 5)), RuntimeError,
        r"bmm: Expected .*\[2, 4\] but got: \[3, 4\]"),
    "linear with other features": (lambda: nn.Linear(128, 10)(ones(32, 64)), RuntimeError,
        r"linear: .*input has 64 features, the weight expects 128 \(input \(32, 64\), weight \(10, 128\)\)"),
    "linear of another dtype": (lambda: nn.Linear(4, 2)(ones(3, 4).double()), RuntimeError,
        r"linear: expected .*float64 != float32.*\.to\(dtype\)"),
    "conv with other channels": (lambda: nn.Conv2d(3, 8, 3)(ones(1, 4, 9, 9)), RuntimeError,
        r"conv2d: .*\[8, 3, 3, 3\], expected input\[1, 4, 9, 9\] to have 3 channels, but got 4"),
    "conv of a small image": (lambda: nn.Conv2d(3, 8, 5)(ones(1, 3, 3, 3)), RuntimeError,
        r"conv2d: .*\(3 x 3\)\. Kernel size: \(5 x 5\)"),
    "conv without a batch or channels": (lambda: nn.Conv2d(3, 8, 3)(ones(3, 9)), RuntimeError,
        r"conv2d: Expected 3D .* or 4D .* but got input of size: \[3, 9\]"),
    "index of a float dtype": (lambda: ones(3)[ones(1)], IndexError,
        r"must be long, int, byte or bool tensors, got float32; convert with \.long\(\)"),
    "float index": (lambda: ones(3)[1.5], IndexError, r"only integers, slices .* \(got float\)"),
    "index_select by floats": (lambda: ones(3).index_select(0, ones(1)), RuntimeError,
        r"index_select: .*int64 for index but got: float32; convert with \.long\(\)"),
    "gather by floats": (lambda: ones(3).gather(0, ones(1)), RuntimeError,
        r"gather: .*int64 for index but got: float32; convert with \.long\(\)"),
    "index out of range": (lambda: ones(3)[5], IndexError, "index 5 is out of bounds for dimension 0 with size 3"),
    "too many indices": (lambda: ones(3)[0, 1], IndexError, "too many indices for tensor of dimension 1"),
    "in-place on a leaf": (_in_place_on_a_leaf, RuntimeError,
        r"add_: a leaf Variable that requires grad.*no_grad\(\), or clone\(\)"),
    "backward twice": (_backward_twice, RuntimeError, r"backward: .*second time.*retain_graph=True"),
    "saved tensor modified": (_saved_tensor_modified, RuntimeError,
        r"modified by an inplace operation: \[float32 \(2,\)\], which MulBackward0 saved, is at version 1; "
        r"expected version 0 .*last written by add_\..*clone\(\)"),
    "nothing to differentiate": (lambda: ones(2).sum().backward(), RuntimeError,
        r"backward: element 0 .*does not require grad.*requires_grad=True"),
    "backward of a vector": (lambda: (ones(2, requires_grad=True) * 2).backward(), RuntimeError,
        r"only for scalar outputs; got an output of shape \(2,\).*sum\(\)\.backward\(\)"),
    "unused input": (
        lambda: kagari.autograd.grad(ones(2, requires_grad=True).sum(), ones(1, requires_grad=True)),
        RuntimeError, r"not have been used in the graph \(input 0\).*allow_unused=True"),
    "wrong keyword": (lambda: ones(2).sum(dimm=0), TypeError,
        r"sum: .*got \(dimm=int\), but expected one of:[\s\S]*unexpected keyword argument 'dimm'"),
    "missing argument": (lambda: kagari.softmax(ones(2)), TypeError,
        r"softmax: missing required argument 'dim'\n    softmax\(Tensor input, int dim"),
    "too many arguments": (lambda: kagari.exp(ones(2), 3), TypeError,
        r"exp: takes at most 1 positional argument, got 2"),
    "a list where a tensor is expected": (lambda: kagari.exp([1, 2]), TypeError,
        r"exp: argument 'input' \(position 1\) must be Tensor, not list of int; convert it with kagari\.tensor"),
    "dtype by name": (lambda: ones(2, dtype="float32"), TypeError,
        r"ones: argument 'dtype' must be kagari\.dtype or None, not str; write kagari\.float32"),
    "devices mixed": (lambda: ones(2) + ones(2, device="meta"), RuntimeError,
        r"add: .*same device, but found at least two devices, cpu and meta; move one with \.to\(device\)"),
    "no such device": (lambda: ones(2).cuda(), AssertionError, r"not compiled with CUDA .*device='cpu'"),
    "cat of other shapes": (lambda: kagari.cat([ones(2, 3), ones(3, 4)]), RuntimeError,
        r"cat: Sizes of tensors must match except in dimension 0\. Expected size 3 but got size 4 for tensor number 1"),
    "stack of other shapes": (lambda: kagari.stack([ones(2), ones(3)]), RuntimeError,
        r"stack: .*equal size, but got \(2,\) at entry 0 and \(3,\) at entry 1"),
    "view of other strides": (lambda: ones(2, 3).t().view(6), RuntimeError,
        r"view: view size is not compatible .*Use \.reshape\(\.\.\.\) instead"),
    "view of another size": (lambda: ones(2, 3).view(4, 2), RuntimeError, r"view: shape '\[4, 2\]' is invalid for input of size 6"),
    "shapes that do not broadcast": (lambda: ones(2, 3) + ones(4), RuntimeError,
        r"add: .*\(3\) must match .*\(4\) at non-singleton dimension 1: shapes \(2, 3\) and \(4,\) do not broadcast"),
    "dimension out of range": (lambda: ones(2, 3).sum(2), IndexError,
        r"sum: Dimension out of range \(expected to be in range of \[-2, 1\], but got 2\)"),
    "numpy of a tensor with a gradient": (lambda: ones(2, requires_grad=True).numpy(), RuntimeError,
        r"numpy: .*requires grad.*detach\(\)\.numpy\(\)"),
    "item of several": (lambda: ones(2).item(), RuntimeError, r"item: a Tensor with 2 elements cannot be converted to Scalar"),
    "truth of several": (lambda: bool(ones(2)), RuntimeError, r"ambiguous; ask for x\.any\(\) or x\.all\(\)"),
    "integers that require grad": (lambda: kagari.zeros(2, dtype=kagari.int64, requires_grad=True), RuntimeError,
        r"floating point and complex dtype can require gradients, got int64; convert it with \.float\(\)"),
    "mean of integers": (lambda: kagari.arange(3).mean(), RuntimeError,
        r"mean: .*Got: int64; pass dtype=kagari\.float32"),
    "targets of floats": (lambda: F.nll_loss(ones(4, 3), ones(4)), RuntimeError,
        r"nll_loss: expected scalar type Long but found float32: targets are class indices; convert with \.long\(\)"),
    "target out of range": (lambda: F.cross_entropy(ones(1, 3), kagari.tensor([3])), IndexError,
        r"cross_entropy: Target 3 is out of bounds: classes run from 0 to 2"),
    "embedding index out of range": (lambda: nn.Embedding(4, 2)(kagari.tensor([4])), IndexError,
        r"embedding: index out of range in self: 4 in a table of 4 rows"),
    "probabilities that are none": (
        lambda: F.binary_cross_entropy(kagari.tensor([1.5]), kagari.tensor([1.0])), RuntimeError,
        r"between 0 and 1; apply sigmoid first, or use binary_cross_entropy_with_logits"),
    "in-place into another dtype": (lambda: kagari.zeros(2, dtype=kagari.int64).add_(0.5), RuntimeError,
        r"add_: result type float32 can't be cast to the desired output type int64"),
    "in-place into another shape": (lambda: ones(2).add_(ones(3, 2)), RuntimeError,
        r"add_: output with shape \(2,\) doesn't match the broadcast shape \(3, 2\)"),
    "condition of floats": (lambda: kagari.where(ones(2), ones(2), ones(2)), RuntimeError,
        r"where: .*boolean tensor, but got a tensor with dtype float32; convert with \.bool\(\)"),
    "layer_norm of another width": (lambda: nn.LayerNorm(5)(ones(2, 4)), RuntimeError,
        r"layer_norm: Given normalized_shape=\(5,\).*got input of size \(2, 4\)"),
    "ragged list": (lambda: kagari.tensor([[1, 2], [3]]), ValueError,
        r"tensor: expected sequence of length 2 at dim 1 \(got 1\)"),
    "splits that do not add up": (lambda: ones(5).split([2, 2]), RuntimeError,
        r"split: .*sum exactly to 5 .*got split_sizes=\[2, 2\]"),
    "negative size": (lambda: ones(-1), RuntimeError, r"ones: .*negative dimension -1"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_text(name: str) -> None:
    call, error, text = MISTAKES[name]
    with pytest.raises(error, match=text):
        call()


def test_the_way_through_the_modules_is_noted() -> None:
    with pytest.raises(RuntimeError) as caught:
        _deep_in_a_model()
    notes = "\n".join(getattr(caught.value, "__notes__", []))
    assert "Linear 16→2" in notes and "2" in notes
