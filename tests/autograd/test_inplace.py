"""In-place writes and views: histories, versions and the errors that protect gradients."""

import pytest

import kagari


def leaf(*shape):
    count = kagari.empty(shape).numel()
    values = kagari.arange(1.0, 1.0 + count, dtype=kagari.float64)
    return values.reshape(shape).clone().requires_grad_()


def test_write_to_a_leaf_is_refused():
    x = leaf(2)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad.*no_grad"):
        x.add_(1)
    with pytest.raises(RuntimeError, match="view of a leaf"):
        x[0].add_(1)
    with kagari.no_grad():
        x.add_(1)
    assert x.tolist() == [2.0, 3.0]


def test_in_place_history():
    x = leaf(3)
    y = x * 2
    y.mul_(3)
    y.add_(1)
    y.sum().backward()
    assert x.grad.tolist() == [6.0] * 3


def test_write_into_a_view_changes_the_base():
    x = leaf(2, 2)
    y = x * 1
    y[0].mul_(10)
    y.sum().backward()
    assert x.grad.tolist() == [[10.0, 10.0], [1.0, 1.0]]


def test_write_into_the_base_changes_the_view():
    x = leaf(2, 2)
    y = x * 1
    view = y[0]
    y.mul_(5)
    view.sum().backward()
    assert x.grad.tolist() == [[5.0, 5.0], [0.0, 0.0]]


def test_tensor_that_receives_a_history_through_its_view():
    base = kagari.zeros(3, dtype=kagari.float64)
    w = leaf(1)
    base[1] = w[0] * 2
    assert base.requires_grad
    (base * base).sum().backward()
    assert w.grad.tolist() == [8.0]


def test_views_of_views():
    x = leaf(2, 3)
    y = x.clone()
    y.view(3, 2).t()[0].mul_(2)
    y.sum().backward()
    assert x.grad.tolist() == [[2.0, 1.0, 2.0], [1.0, 2.0, 1.0]]


def test_copy_into_a_slice():
    x, w = leaf(4), leaf(2)
    y = x * 1
    y[1:3].copy_(w)
    (y * y).sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 0.0, 8.0]
    assert w.grad.tolist() == [2.0, 4.0]


def test_version_error_names_both_ops():
    x = leaf(2)
    y = x * 1
    z = y.exp() * y
    y.add_(1)
    with pytest.raises(RuntimeError, match=r"MulBackward0 saved.*last written by add_\."):
        z.sum().backward()


def test_output_written_after_being_saved():
    x = leaf(2)
    y = x.exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_write_that_nobody_saved_is_fine():
    x = leaf(2)
    y = x + 1
    y.mul_(2)
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_multi_output_views():
    x = leaf(4)
    a, _ = (x * 1).split(2)
    with pytest.raises(RuntimeError, match="multiple views"):
        a.add_(1)


def test_view_made_in_no_grad():
    x = leaf(4)
    y = x * 1
    with kagari.no_grad():
        v = y[0]
    with pytest.raises(RuntimeError, match="no_grad"):
        v.add_(x[0])


def test_expanded_tensor():
    x = kagari.zeros(1).expand(3)
    with pytest.raises(RuntimeError, match="single memory location.*clone"):
        x.add_(1)


def test_detach_shares_data_and_version():
    x = leaf(2)
    y = x * 1
    d = y.detach()
    assert not d.requires_grad and d.data_ptr() == y.data_ptr()
    before = y._version
    d.add_(1)
    assert y._version == before + 1


def test_data_does_not_share_the_version():
    x = leaf(2)
    y = x * x
    x.data.mul_(3)
    y.sum().backward()  # PyTorch lets .data hide the write
    assert x.grad.tolist() == [6.0, 12.0]


def test_in_place_on_the_argument_that_backward_needs():
    x, w = leaf(2), leaf(2)
    y = x * 1
    y.mul_(w)
    y.sum().backward()
    assert w.grad.tolist() == [1.0, 2.0] and x.grad.tolist() == [1.0, 2.0]


def test_shape_of_the_target_is_kept():
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        kagari.ones(2).add_(kagari.ones(3, 2))


def test_dtype_of_the_target_is_kept():
    with pytest.raises(RuntimeError, match="can't be cast to the desired output type"):
        kagari.ones(2, dtype=kagari.int64).add_(kagari.ones(2))


def test_double_backward_through_in_place():
    x = leaf(2)

    def f(a):
        b = a * 1
        b[0].mul_(a[1])
        return b.exp()

    assert kagari.autograd.gradcheck(f, x)
    assert kagari.autograd.gradgradcheck(f, x)
