"""No operation reads a sparse tensor as if it were strided: each answers or refuses by name."""

from __future__ import annotations

import warnings

import pytest
from sparse_cases import coo, csr, hybrid

import kagari

# Whatever is wrong with the other arguments may be said first.
REFUSALS = (NotImplementedError, RuntimeError, TypeError, ValueError, IndexError, AttributeError,
            BufferError, AssertionError, OverflowError)  # fmt: skip
# Names that are about no elements.
SKIP = {"manual_seed", "set_printoptions", "backward", "retain_grad", "register_hook"}
FUNCTIONS = sorted(
    name
    for name in dir(kagari._core.functions)
    if not name.startswith("__") and callable(getattr(kagari._core.functions, name))
)
METHODS = sorted(
    name for name in dir(kagari.Tensor) if callable(getattr(kagari.Tensor, name, None))
)
# Attributes every object has.
OBJECT = set(dir(object)) | {"__subclasshook__", "__class__", "__dir__"}


def arguments(x):
    d, i = kagari.ones(4, 5).double(), kagari.zeros(4, dtype=kagari.int64)
    yield from (
        (x,), (x, x), (x, d), (d, x), (x, 1), (x, 0, 1), (x, 0, i), (d, 0, x), (x, d, d), (d, x, d),
        (d, d, x), (x, x, x), ([x, x],), ([d, x],), (x, i), (x, (0,)), (x, 2.0), (x, d, d, d),
        (d, i, x), (x, 0, i, d), (d, 0, i, x), (x, 1, 1, 0), (d, d, d, x),
    )  # fmt: skip


def has_sparse(value):
    if isinstance(value, (tuple, list)):
        return any(has_sparse(v) for v in value)
    return isinstance(value, kagari.Tensor) and value.layout is not kagari.strided


@pytest.mark.parametrize("make", [coo, csr, hybrid])
@pytest.mark.parametrize("where", ["functions", "methods", "ops"])
def test_refuses_or_answers(make, where):
    from kagari.sparse._dispatch import known

    names = METHODS if where == "methods" else FUNCTIONS
    holder = {
        "functions": kagari._core.functions,
        "methods": kagari.Tensor,
        "ops": kagari._core.ops,
    }[where]
    facts = {*FACTS.split(), *OTHERS.split()}
    unknown = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            if name in SKIP or name in OBJECT:
                continue
            function = getattr(holder, name, None)
            if function is None:
                continue
            for args in arguments(make()):
                if where == "methods" and not isinstance(args[0], kagari.Tensor):
                    continue
                try:
                    function(*args)
                except REFUSALS:
                    continue
                if not known(name) and name not in facts:
                    unknown.append(name)
    assert not set(unknown)


# What a tensor knows whatever its layout.
FACTS = """
    as_subclass dim ndimension numel nelement element_size is_floating_point is_complex is_signed
    is_conj is_neg is_pinned is_shared get_device detach detach_ resolve_conj resolve_neg size
    is_same_size requires_grad_ is_inference register_post_accumulate_grad_hook
    _make_subclass is_tensor is_storage
"""
# Of a strided tensor that does not look at the sparse one, or what other names answer.
OTHERS = """
    __array_wrap__ new set_
    __abs__ __add__ __floordiv__ __iadd__ __ifloordiv__ __imul__ __ipow__ __isub__ __itruediv__
    __matmul__ __mul__ __neg__ __pos__ __pow__ __radd__ __rmatmul__ __rmul__ __rpow__ __rsub__
    __sub__ __truediv__
"""
