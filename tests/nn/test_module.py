"""Module: registration, state, hooks, iteration, conversion, printing, and its errors."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from collections import OrderedDict

import pytest

import kagari
from kagari import nn
from kagari.nn.modules import module as module_file


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(4, 2))

    def forward(self, x):
        return self.rest(self.norm(self.first(x)))


class Failing(nn.Module):
    def forward(self, x):
        raise ValueError("no")


def notes(function, *args):
    with pytest.raises(Exception) as caught:
        function(*args)
    return getattr(caught.value, "__notes__", [])


# ---- registration ----


def test_attributes_sort_themselves():
    m = nn.Module()
    m.weight = nn.Parameter(kagari.zeros(2))
    m.child = nn.ReLU()
    m.mean = nn.Buffer(kagari.zeros(2), persistent=False)
    m.plain = 3
    assert list(m._parameters) == ["weight"]
    assert list(m._modules) == ["child"]
    assert list(m._buffers) == ["mean"]
    assert m._non_persistent_buffers_set == {"mean"}
    assert m.__dict__["plain"] == 3
    assert {"weight", "child", "mean", "plain"} <= set(dir(m))


def test_assignment_moves_a_name_between_kinds():
    m = nn.Module()
    m.x = 3
    m.x = nn.Parameter(kagari.zeros(2))
    assert "x" not in m.__dict__
    m.z = nn.ReLU()
    m.z = nn.Parameter(kagari.zeros(2))
    assert "z" not in m._modules
    with pytest.raises(TypeError, match="as parameter 'z'"):
        m.z = nn.ReLU()
    del m.z
    m.register_buffer("z", None)
    m.z = nn.ReLU()
    assert "z" not in m._buffers
    del m.z
    m.x = None
    assert m._parameters == {"x": None}
    m.y = nn.Buffer(kagari.zeros(2), persistent=False)
    m.y = kagari.ones(2)  # a buffer stays one, and as persistent as it was
    assert m._buffers["y"].tolist() == [1.0, 1.0]
    assert m._non_persistent_buffers_set == {"y"}
    m.y = nn.Parameter(kagari.zeros(1))
    assert not m._non_persistent_buffers_set


def test_delattr():
    m = Net()
    del m.first.bias
    del m.norm.running_mean
    del m.rest
    assert "bias" not in m.first._parameters
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'rest'"):
        _ = m.rest
    m.plain = 1
    del m.plain
    assert not hasattr(m, "plain")


class Before(nn.Module):
    def __init__(self, value):
        self.value = value


def set_on_linear(name, value):
    setattr(nn.Linear(2, 2), name, value)


REGISTRATION_ERRORS = [
    (
        lambda: Before(nn.Parameter(kagari.zeros(1))),
        AttributeError,
        "cannot assign parameters before",
    ),
    (lambda: Before(nn.ReLU()), AttributeError, "cannot assign module before"),
    (
        lambda: nn.Module.register_buffer(nn.Module.__new__(nn.Module), "a", None),
        AttributeError,
        "cannot assign buffer before",
    ),
    (lambda: nn.Module().register_buffer("a.b", None), KeyError, "buffer name can't contain"),
    (lambda: nn.Module().register_buffer("", None), KeyError, "buffer name can't be empty"),
    (
        lambda: nn.Module().register_buffer(3, None),
        TypeError,
        "buffer name should be a string. Got int",
    ),
    (
        lambda: nn.Module().register_buffer("train", None),
        KeyError,
        "attribute 'train' already exists",
    ),
    (
        lambda: nn.Module().register_buffer("a", 3),
        TypeError,
        "cannot assign 'int' object to buffer 'a'",
    ),
    (lambda: nn.Module().register_parameter("a.b", None), KeyError, "parameter name can't contain"),
    (
        lambda: nn.Module().register_parameter("a", kagari.zeros(1)),
        TypeError,
        "object to parameter 'a'",
    ),
    (lambda: nn.Module().add_module("a", 3), TypeError, "int is not a Module subclass"),
    (lambda: nn.Module().add_module(3, None), TypeError, "module name should be a string"),
    (
        lambda: nn.Module().add_module("a.b", None),
        KeyError,
        'module name can\'t contain ".", got: a.b',
    ),
    (lambda: nn.Module().add_module("", None), KeyError, "module name can't be empty"),
    (lambda: nn.Module().add_module("train", None), KeyError, "attribute 'train' already exists"),
    (lambda: set_on_linear("weight", kagari.zeros(2)), TypeError, "as parameter 'weight'"),
    (
        lambda: setattr(nn.BatchNorm1d(2), "running_mean", 3),
        TypeError,
        "cannot assign 'int' as buffer 'running_mean'",
    ),
    (lambda: setattr(Net(), "first", 3), TypeError, "cannot assign 'int' as child module 'first'"),
    (lambda: nn.Module(3), TypeError, "takes 1 positional argument but 2 were given"),
    (lambda: nn.Module(a=3), TypeError, "unexpected keyword argument 'a'"),
    (
        lambda: nn.Module()(1),
        NotImplementedError,
        'Module .Module. is missing the required "forward"',
    ),
    (lambda: Net().train("yes"), ValueError, "training mode is expected to be boolean"),
    (lambda: Net().to(kagari.int64), TypeError, "only accepts floating point or complex dtypes"),
    (lambda: Net().get_submodule("rest.7"), AttributeError, "Sequential has no attribute `7`"),
    (lambda: Net().get_submodule("first.weight"), AttributeError, "`weight` is not an nn.Module"),
    (lambda: Net().get_parameter("first.in_features"), AttributeError, "is not an nn.Parameter"),
    (lambda: Net().get_buffer("first.weight"), AttributeError, "`weight` is not a buffer"),
    (lambda: Net().set_submodule("", nn.ReLU()), ValueError, "without a target name"),
    (lambda: Net().set_submodule("rest.0", 3), ValueError, "is not an nn.Module, found"),
    (
        lambda: Net().set_submodule("rest.9", nn.ReLU(), strict=True),
        AttributeError,
        "no attribute `9`",
    ),
    (lambda: Net().load_state_dict(3), TypeError, "Expected state_dict to be dict-like"),
]


@pytest.mark.parametrize(("call", "kind", "text"), REGISTRATION_ERRORS)
def test_errors(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert re.search(text, str(caught.value.args[0]))


def test_non_leaf_parameter():
    m = nn.Module()
    grown = nn.Parameter(kagari.ones(2)) * 2
    grown._is_param = True
    with pytest.raises(ValueError, match="Cannot assign non-leaf Tensor to parameter 'a'"):
        m.a = grown


def test_registration_hooks():
    seen = []
    hooks = [
        module_file.register_module_module_registration_hook(lambda m, n, c: seen.append(n)),
        module_file.register_module_parameter_registration_hook(lambda m, n, p: seen.append(n)),
        module_file.register_module_buffer_registration_hook(lambda m, n, b: kagari.ones(2)),
    ]
    try:
        m = nn.Module()
        m.child = nn.ReLU()
        m.weight = nn.Parameter(kagari.zeros(1))
        m.register_buffer("mean", kagari.zeros(2))
    finally:
        for hook in hooks:
            hook.remove()
    assert seen == ["child", "weight"]
    assert m.mean.tolist() == [1.0, 1.0]


def test_call_super_init():
    class Mixin:
        def __init__(self, value):
            self.value = value

    class Both(nn.Module, Mixin):
        call_super_init = True

        def __init__(self, value):
            super().__init__(value)

    assert Both(3).value == 3


def test_register_buffer_overridden_without_persistent():
    class Old(nn.Module):
        def register_buffer(self, name, tensor):
            super().register_buffer(name, tensor)

    m = Old()
    m.a = nn.Buffer(kagari.zeros(1))
    assert "a" in m._buffers
    with pytest.raises(RuntimeError, match="non-persistent buffer"):
        m.b = nn.Buffer(kagari.zeros(1), persistent=False)


# ---- look-up and iteration ----


def test_named_iterators():
    net = Net()
    net.tied = net.first
    assert [n for n, _ in net.named_modules()] == ["", "first", "norm", "rest", "rest.0", "rest.1"]
    assert "tied" in [n for n, _ in net.named_modules(remove_duplicate=False)]
    assert [n for n, _ in net.named_children()] == ["first", "norm", "rest"]
    assert [n for n, _ in net.named_parameters(prefix="net")] == [
        "net.first.weight",
        "net.first.bias",
        "net.norm.weight",
        "net.norm.bias",
        "net.rest.1.weight",
        "net.rest.1.bias",
    ]
    assert "tied.weight" in [n for n, _ in net.named_parameters(remove_duplicate=False)]
    assert list(net.parameters(recurse=False)) == []
    assert [n for n, _ in net.named_buffers()] == [
        "norm.running_mean",
        "norm.running_var",
        "norm.num_batches_tracked",
    ]
    assert len(list(net.modules())) == 6
    assert len(list(net.buffers())) == 3


def test_look_up_by_path():
    net = Net()
    assert net.get_submodule("") is net
    assert net.get_submodule("rest.1") is net.rest[1]
    assert net.get_parameter("rest.1.weight") is net.rest[1].weight
    assert net.get_buffer("norm.running_mean") is net.norm.running_mean
    net.set_submodule("rest.0", nn.Tanh())
    assert isinstance(net.rest[0], nn.Tanh)
    net.set_submodule("extra", nn.ReLU())
    assert isinstance(net.extra, nn.ReLU)


def test_apply_and_modes():
    order = []
    net = Net().apply(lambda m: order.append(type(m).__name__))
    assert order == ["Linear", "BatchNorm1d", "ReLU", "Linear", "Sequential", "Net"]
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    assert net.train().training
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())


def test_zero_grad():
    net = Net()
    net(kagari.randn(5, 3)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert all(p.grad is not None and not p.grad.any() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


# ---- conversion ----


def test_conversion_keeps_parameters_and_gradients():
    net = Net()
    weight = net.first.weight
    net(kagari.randn(5, 3)).sum().backward()
    assert net.double() is net
    assert net.first.weight is weight
    assert weight.dtype == kagari.float64
    assert weight.grad.dtype == kagari.float64
    assert net.norm.running_mean.dtype == kagari.float64
    assert net.norm.num_batches_tracked.dtype == kagari.int64
    assert weight.is_leaf
    assert weight.requires_grad


TO = [
    (lambda m: m.to(kagari.float64), "float64"),
    (lambda m: m.to("cpu", kagari.float64), "float64"),
    (lambda m: m.to(device="cpu", dtype=kagari.float64), "float64"),
    (lambda m: m.to(kagari.device("cpu"), kagari.float64, non_blocking=True), "float64"),
    (lambda m: m.to(kagari.float64, True), "float64"),
    (lambda m: m.to(kagari.zeros(1, dtype=kagari.float64)), "float64"),
    (lambda m: m.to("cpu"), "float32"),
    (lambda m: m.double().float(), "float32"),
    (lambda m: m.half(), "float16"),
    (lambda m: m.bfloat16(), "bfloat16"),
    (lambda m: m.cpu(), "float32"),
    (lambda m: m.type(kagari.float64), "float64"),
    (lambda m: m.to_empty(device="cpu"), "float32"),
]


@pytest.mark.parametrize(("convert", "dtype"), TO)
def test_to(convert, dtype):
    m = nn.Linear(2, 2)
    assert convert(m) is m
    assert m.weight.dtype == getattr(kagari, dtype)


def test_to_rejects_a_second_dtype():
    with pytest.raises(TypeError, match=r"expected to\(device, dtype\)"):
        nn.Linear(2, 2).to(kagari.float32, kagari.float64)


def test_meta_needs_to_empty():
    m = nn.Linear(2, 3, device="meta")
    with pytest.raises(NotImplementedError, match="to_empty"):
        m.to("cpu")
    m.to_empty(device="cpu")
    assert m.weight.device.type == "cpu"
    assert isinstance(m.weight, nn.Parameter)


# ---- state ----


def test_state_dict_shares_memory_and_takes_a_prefix():
    net = Net()
    state = net.state_dict(prefix="net.")
    assert next(iter(state)) == "net.first.weight"
    assert not state["net.first.weight"].requires_grad
    with kagari.no_grad():
        net.first.weight.fill_(3)
    assert state["net.first.weight"][0, 0].item() == 3
    assert net.state_dict(keep_vars=True)["first.weight"] is net.first.weight
    assert net.state_dict()._metadata["norm"] == {"version": 2}
    mine = {"a": 1}
    assert net.state_dict(destination=mine) is mine
    with pytest.warns(FutureWarning, match="Positional args"):
        state = net.state_dict(OrderedDict(), "p.", True)
    assert next(iter(state)) == "p.first.weight"


def test_non_persistent_buffers_are_left_out():
    m = nn.Module()
    m.register_buffer("a", kagari.zeros(1), persistent=False)
    m.register_buffer("b", None)
    assert list(m.state_dict()) == []
    m.register_buffer("a", kagari.zeros(1))
    assert list(m.state_dict()) == ["a"]


def test_load_state_dict_tells_all_that_is_wrong():
    net = Net()
    state = net.state_dict()
    del state["first.bias"]
    state["first.other"] = kagari.zeros(1)
    state["gone.weight"] = kagari.zeros(1)
    state["rest.1.weight"] = kagari.zeros(7, 7)
    state["rest.1.bias"] = "text"
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(state)
    lines = str(caught.value).split("\n\t")
    assert lines[0] == "Error(s) in loading state_dict for Net:"
    assert lines[1] == 'Missing key(s) in state_dict: "first.bias". '
    assert lines[2].startswith("Unexpected key(s) in state_dict: ")
    assert '"first.other"' in lines[2]
    assert '"gone.weight"' in lines[2]
    assert lines[3].startswith("size mismatch for rest.1.weight: copying a param with shape")
    assert 'parameter named "rest.1.bias", expected kagari.Tensor' in lines[4]
    with pytest.raises(RuntimeError, match="size mismatch"):
        net.load_state_dict(state, strict=False)


def test_load_state_dict_not_strict():
    net = Net()
    state = {"first.bias": kagari.ones(4), "what": kagari.zeros(1)}
    result = net.load_state_dict(state, strict=False)
    assert result.unexpected_keys == ["what"]
    assert "first.weight" in result.missing_keys
    assert net.first.bias.tolist() == [1.0] * 4
    assert "missing_keys" in repr(result)


def test_load_state_dict_assign():
    net = nn.Linear(2, 2)
    net.weight.requires_grad_(False)
    given = {"weight": kagari.ones(2, 2), "bias": nn.Parameter(kagari.ones(2))}
    net.load_state_dict(given, assign=True)
    assert isinstance(net.weight, nn.Parameter)
    assert not net.weight.requires_grad
    assert net.bias is given["bias"]


def test_load_state_dict_takes_old_scalars():
    m = nn.Module()
    m.register_buffer("count", kagari.tensor(0))
    m.load_state_dict({"count": kagari.tensor([3])})
    assert m.count.item() == 3


def test_extra_state():
    class Extra(nn.Module):
        value = 1

        def get_extra_state(self):
            return {"value": self.value}

        def set_extra_state(self, state):
            self.value = state["value"]

    a, b = Extra(), Extra()
    a.value = 5
    assert list(a.state_dict()) == ["_extra_state"]
    b.load_state_dict(a.state_dict())
    assert b.value == 5
    with pytest.raises(RuntimeError, match=r'Missing key.*"_extra_state"'):
        b.load_state_dict({})
    with pytest.raises(RuntimeError, match=r'Unexpected key.*"_extra_state"'):
        nn.ReLU().load_state_dict(a.state_dict())
    with pytest.raises(RuntimeError, match="get_extra_state: ReLU does not define it"):
        nn.ReLU().get_extra_state()


def test_state_dict_hooks():
    m = nn.Linear(2, 2)
    m.register_state_dict_pre_hook(lambda module, prefix, keep: setattr(module, "asked", prefix))
    m.register_state_dict_post_hook(lambda module, state, prefix, meta: state.update(extra=1))
    assert "extra" in m.state_dict(prefix="p.")
    assert m.asked == "p."
    m._register_state_dict_hook(lambda module, state, prefix, meta: {"only": 2})
    assert m.state_dict() == {"only": 2}

    def bad(module, state, prefix, meta):
        return state

    m.register_state_dict_post_hook(bad)
    with pytest.raises(RuntimeError, match="post-hook must return None"):
        m.state_dict()
    with pytest.raises(RuntimeError, match="Cannot register the same function"):
        m._register_state_dict_hook(bad)


def test_load_state_dict_hooks():
    m = nn.Linear(2, 2)
    state = {"w": kagari.ones(2, 2), "bias": kagari.ones(2)}

    def rename(module, state_dict, prefix, *rest):
        assert module is m
        state_dict[prefix + "weight"] = state_dict.pop(prefix + "w")

    m.register_load_state_dict_pre_hook(rename)
    m._register_load_state_dict_pre_hook(lambda state_dict, *rest: None)
    m.register_load_state_dict_post_hook(lambda module, keys: keys.missing_keys.clear())
    m.load_state_dict(state)
    assert m.weight.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert "w" in state  # the caller's dictionary stays as it is
    m.register_load_state_dict_post_hook(lambda module, keys: keys)
    with pytest.raises(AssertionError, match="not expected to return new values"):
        m.load_state_dict(state)


def test_old_batchnorm_states_lack_the_count():
    m = nn.BatchNorm1d(2)
    state = {k: v for k, v in m.state_dict().items() if k != "num_batches_tracked"}
    m.load_state_dict(state)
    current = m.state_dict()
    del current["num_batches_tracked"]
    with pytest.raises(RuntimeError, match="num_batches_tracked"):
        m.load_state_dict(current)


# ---- hooks of a call ----


def test_forward_hooks_in_order():
    seen = []
    m = nn.Identity()
    m.register_forward_pre_hook(lambda mod, args: seen.append("pre") or (args[0] + 1,))
    m.register_forward_pre_hook(lambda mod, args: seen.append("first") or args[0], prepend=True)
    m.register_forward_hook(lambda mod, args, out: seen.append("post") or out * 2)
    m.register_forward_hook(lambda mod, args, out: seen.append("early"), prepend=True)
    assert m(kagari.ones(1)).item() == 4.0
    assert seen == ["first", "pre", "early", "post"]


def test_forward_hooks_with_kwargs():
    class Scale(nn.Module):
        def forward(self, x, by=1):
            return x * by

    m = Scale()
    handle = m.register_forward_pre_hook(
        lambda mod, args, kwargs: (args, {"by": kwargs["by"] + 1}), with_kwargs=True
    )
    m.register_forward_hook(lambda mod, args, kwargs, out: out + kwargs["by"], with_kwargs=True)
    assert m(kagari.ones(1), by=2).item() == 6.0
    handle.remove()
    m.register_forward_pre_hook(lambda mod, args, kwargs: args, with_kwargs=True)
    with pytest.raises(RuntimeError, match="must return None or a tuple"):
        m(kagari.ones(1), by=2)


def test_a_call_without_hooks_takes_the_flag_back():
    m = nn.Identity()
    handle = m.register_forward_hook(lambda mod, args, out: out + 1)
    assert m._hooked
    assert m(1) == 2
    handle.remove()
    assert m(1) == 1
    assert not m._hooked
    with m.register_forward_hook(lambda mod, args, out: out + 1):
        assert m(1) == 2
    assert m(1) == 1


def test_global_hooks():
    seen = []
    hooks = [
        module_file.register_module_forward_pre_hook(lambda mod, args: seen.append("pre")),
        module_file.register_module_forward_hook(
            lambda mod, args, kwargs, out: out + 1, with_kwargs=True
        ),
    ]
    try:
        assert nn.Identity()(1) == 2
    finally:
        for hook in hooks:
            hook.remove()
    assert seen == ["pre"]
    assert nn.Identity()(1) == 1
    assert not nn.Module._hooked


def test_always_call():
    seen = []
    m = Failing()
    m.register_forward_hook(lambda mod, args, out: seen.append("plain"))
    m.register_forward_hook(lambda mod, args, out: seen.append(out), always_call=True)
    m.register_forward_hook(lambda mod, args, out: 1 / 0, always_call=True)
    with (
        pytest.warns(UserWarning, match="always_call=True.*division by zero"),
        pytest.raises(ValueError, match="no"),
    ):
        m(1)
    assert seen == [None]


def test_full_backward_hooks():
    m = nn.Tanh()
    seen = []
    m.register_full_backward_pre_hook(lambda mod, grad_output: (grad_output[0] * 2,))
    m.register_full_backward_hook(lambda mod, gi, go: seen.append((gi[0].item(), go[0].item())))
    m.register_full_backward_hook(lambda mod, gi, go: (gi[0] + 1,), prepend=True)
    x = kagari.zeros(1, requires_grad=True)
    m(x).backward()
    assert seen == [(3.0, 2.0)]
    assert x.grad.item() == 3.0


def test_full_backward_hook_without_input_gradients():
    m = nn.Linear(2, 1)
    seen = []
    handle = m.register_full_backward_hook(lambda mod, gi, go: seen.append((gi, go[0].item())))
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        m(kagari.ones(1, 2)).sum().backward()
    assert seen == [((None,), 1.0)]
    assert m.weight.grad is not None
    handle.remove()
    m.register_full_backward_hook(lambda mod, gi, go: (go[0],))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(RuntimeError, match="should always return None"):
            m(kagari.ones(1, 2)).sum().backward()


def test_backward_hook_lengths():
    m = nn.Tanh()
    handle = m.register_full_backward_hook(lambda mod, gi, go: (gi[0], gi[0]))
    x = kagari.zeros(1, requires_grad=True)
    with pytest.raises(RuntimeError, match="invalid number of grad_input, got 2, but expected 1"):
        m(x).backward()
    handle.remove()
    m.register_full_backward_pre_hook(lambda mod, go: (go[0], go[0]))
    with pytest.raises(RuntimeError, match="invalid number of grad_output, got 2, but expected 1"):
        m(x).backward()


def test_two_kinds_of_backward_hooks_exclude_each_other():
    m = nn.Tanh()
    m.register_backward_hook(lambda mod, gi, go: None)
    with pytest.raises(RuntimeError, match="on a single Module"):
        m.register_full_backward_hook(lambda mod, gi, go: None)


def test_legacy_backward_hook():
    seen = []
    m = nn.Tanh()
    m.register_backward_hook(lambda mod, gi, go: seen.append((mod, go[0].item())))
    x = kagari.zeros(1, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        m(x).backward()
    assert seen == [(m, 1.0)]


# ---- the note on errors ----


def test_errors_tell_the_path():
    net = Net()
    outer = nn.ModuleDict({"nets": nn.ModuleList([net])})

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = outer

        def forward(self, x):
            return self.parts["nets"][0](x)

    assert notes(Outer(), kagari.zeros(2, 7)) == ["in Outer.parts.nets[0].first (Linear 3→4)"]
    assert notes(nn.Linear(3, 4), kagari.zeros(2, 7)) == ["in Linear 3→4"]
    assert notes(Failing(), 1) == ["in Failing"]


def test_errors_tell_a_module_that_is_not_registered():
    inner = Failing()

    class Outer(nn.Module):
        def forward(self, x):
            return [inner][0](x)

    assert notes(Outer(), 1) == ["in Outer → Failing (Failing)"]


def test_errors_with_a_path_can_be_pickled():
    with pytest.raises(ValueError, match="no") as caught:
        nn.Sequential(Failing())(1)
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.__notes__ == ["in Sequential[0] (Failing)"]


# ---- copying, pickling, printing ----


def test_deepcopy_and_pickle():
    net = Net().eval()
    net.first.register_forward_hook(print)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert other.first.weight is not net.first.weight
        assert isinstance(other.first.weight, nn.Parameter)
        assert (other.first.weight == net.first.weight).all()
        assert not other.training
        assert other.first._hooked
        assert other.first._forward_hooks.keys() == net.first._forward_hooks.keys()


def test_setstate_fills_in_what_old_states_lack():
    m = nn.ReLU()
    state = m.__getstate__()
    del state["_forward_hooks_always_called"], state["_non_persistent_buffers_set"]
    old = nn.ReLU.__new__(nn.ReLU)
    old.__setstate__(state)
    assert old(kagari.ones(1)).item() == 1.0


def test_repr():
    assert repr(nn.Module()) == "Module()"
    assert repr(nn.ReLU(inplace=True)) == "ReLU(inplace=True)"

    class Named(nn.Module):
        def extra_repr(self):
            return "one\n\ntwo"

    named = Named()
    assert repr(named) == "Named(\n  one\n  \n  two\n)"
    named.child = Named()
    lines = repr(named).split("\n")
    assert lines[-6:] == ["  (child): Named(", "    one", "", "    two", "  )", ")"]


def test_compile_changes_nothing():
    m = nn.Linear(2, 2)
    x = kagari.ones(1, 2)
    before = m(x)
    m.compile(fullgraph=True)
    assert (m(x) == before).all()


def test_share_memory_and_type_chain():
    m = nn.Linear(2, 2)
    assert m.share_memory() is m
    assert m.weight.is_shared()
