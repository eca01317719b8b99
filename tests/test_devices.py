"""Devices and features that are not here: questions are answered, calls say what is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import kagari


@pytest.mark.parametrize("module", ["cuda", "mps", "xpu", "accelerator"])
def test_accelerators_are_not_available(module):
    m = getattr(kagari, module)
    assert m.is_available() is False
    assert m.device_count() == 0
    with pytest.raises((AssertionError, RuntimeError), match="guard the call"):
        m.synchronize()


def test_cuda_does_nothing_where_pytorch_without_a_gpu_does():
    cuda = kagari.cuda
    state = kagari.get_rng_state()
    cuda.manual_seed(1)
    cuda.manual_seed_all(1)
    cuda.seed_all()
    assert kagari.equal(kagari.get_rng_state(), state)
    cuda.empty_cache()
    assert cuda.memory_allocated() == cuda.max_memory_allocated() == cuda.memory_reserved() == 0
    assert cuda.get_rng_state_all() == [] and cuda.get_arch_list() == []
    assert not cuda.is_initialized() and not cuda.is_bf16_supported()
    with cuda.device(-1), cuda.device(None), cuda.stream(None):
        pass


CUDA_CALLS = {
    "current_device": (),
    "get_device_name": (0,),
    "get_device_properties": (0,),
    "get_device_capability": (),
    "mem_get_info": (),
    "init": (),
    "current_stream": (),
    "set_device": (0,),
    "ipc_collect": (),
    "reset_peak_memory_stats": (),
}


@pytest.mark.parametrize("name", CUDA_CALLS)
def test_cuda_calls_raise(name):
    with pytest.raises(AssertionError, match=f"not compiled with CUDA enabled: cuda.{name}"):
        getattr(kagari.cuda, name)(*CUDA_CALLS[name])


@pytest.mark.parametrize(
    "call",
    [
        lambda: kagari.zeros(1).cuda(),
        lambda: kagari.zeros(1).to("cuda:1"),
        lambda: kagari.ones(2, device="cuda"),
        lambda: kagari.nn.Linear(1, 1).cuda(),
    ],
)
def test_tensors_cannot_go_there(call):
    with pytest.raises(AssertionError, match="not compiled with CUDA enabled.*device='cpu'"):
        call()


def test_absent_names():
    with pytest.raises(RuntimeError, match=r"kagari\.cuda\.Stream: kagari is built without CUDA"):
        kagari.cuda.Stream()
    assert not isinstance(kagari.zeros(1), kagari.cuda.FloatTensor)
    from kagari.distributed.fsdp import FullyShardedDataParallel, StateDictType
    from kagari.distributed.tensor.parallel import parallelize_module

    assert not isinstance(kagari.nn.Linear(1, 1), FullyShardedDataParallel)
    assert repr(StateDictType.FULL_STATE_DICT).startswith("<absent")
    with pytest.raises(RuntimeError, match="kagari runs in one process"):
        parallelize_module()
    with pytest.raises(AttributeError):
        FullyShardedDataParallel.__wrapped__  # noqa: B018
    for name in (
        "fx.symbolic_trace",
        "onnx.export",
        "library.custom_op",
        "nested.nested_tensor",
    ):
        module, _, function = name.partition(".")
        with pytest.raises(RuntimeError, match=f"kagari.{name}: kagari"):
            getattr(getattr(kagari, module), function)(None)
    with pytest.raises(RuntimeError, match="no C\\+\\+ interface"):
        kagari.utils.cpp_extension.load("x")


def test_absent_dtypes_and_streams():
    for name in ("Stream", "Event", "qint8", "quint8", "qint32", "quint4x2"):
        kind = getattr(kagari, name)
        assert kagari.zeros(1).dtype != kind and not isinstance(kagari.zeros(1), kind)
        with pytest.raises(RuntimeError, match=f"kagari.{name}: kagari computes"):
            kind()
    with pytest.raises(TypeError):
        kagari.zeros(1).to(kagari.qint8)


def test_names_of_the_extension_module():
    c = kagari._C
    assert c._get_tracing_state() is None and c._log_api_usage_once("x") is None
    parsed = c._nn._parse_to("cpu", kagari.float64, non_blocking=True, copy=True)
    assert parsed == (kagari.device("cpu"), kagari.float64, True, None)
    assert c._nn._parse_to(kagari.ones(1).half())[1] is kagari.float16
    assert c.Tensor is kagari.Tensor
    from kagari.nn.parallel.distributed import DistributedDataParallel

    assert DistributedDataParallel is kagari.nn.parallel.DistributedDataParallel


def test_distributed():
    d = kagari.distributed
    assert not d.is_available() and not d.is_initialized() and not d.is_nccl_available()
    assert d.ReduceOp.SUM is not d.ReduceOp.MAX
    for function in (d.get_rank, d.get_world_size, d.get_backend):
        with pytest.raises(ValueError, match="has not been initialized"):
            function()
    with pytest.raises(RuntimeError, match="one process"):
        d.init_process_group("gloo")
    with pytest.raises(RuntimeError, match="one process"):
        d.all_reduce(kagari.zeros(1))


def test_cpu():
    cpu = kagari.cpu
    assert cpu.is_available() and cpu.device_count() == 1 and cpu.current_device() == "cpu"
    cpu.synchronize()
    with cpu.stream(cpu.current_stream()):
        event = cpu.Event()
        event.record()
        assert event.query()
    assert kagari.get_device_module("cuda") is kagari.cuda
    with pytest.raises(RuntimeError, match="get_device_module"):
        kagari.get_device_module("meta")


def test_backends_keep_what_they_are_given():
    b = kagari.backends
    assert not b.cuda.is_built() and not b.mps.is_available() and not b.mkl.is_available()
    assert b.openmp.is_available() and not b.nnpack.is_available() and not b.mkldnn.is_available()
    assert b.cpu.get_cpu_capability() in ("AVX512", "AVX2", "DEFAULT")
    assert b.cudnn.version() is None and not b.cudnn.is_available()
    with b.cudnn.flags(enabled=True, benchmark=True):
        assert b.cudnn.benchmark
    assert not b.cudnn.benchmark
    with b.mkldnn.flags(enabled=False), b.nnpack.flags(True):
        assert not b.mkldnn.enabled
    assert b.mkldnn.enabled
    with b.cuda.sdp_kernel(enable_flash=False):
        assert not b.cuda.flash_sdp_enabled()
    assert b.cuda.flash_sdp_enabled()
    b.cuda.matmul.allow_tf32 = True
    assert b.cuda.matmul.allow_tf32
    b.cuda.matmul.allow_tf32 = False
    with pytest.raises(RuntimeError, match="built without MKL"), b.mkl.verbose(1):
        pass


def test_jit_runs_eagerly():
    jit = kagari.jit

    class Net(kagari.nn.Module):
        @jit.export
        def twice(self, x):
            return self.helper(x) * 2

        @jit.ignore
        def helper(self, x):
            return x

        @jit.ignore(drop=True)
        def dropped(self, x):
            return x

        @jit.unused
        def forward(self, x):
            return self.twice(x) if x.sum() > 0 else x

    net = Net()
    assert jit.script(net) is net
    assert jit.trace(net, kagari.ones(2)) is net
    assert jit.trace(net, example_kwarg_inputs={"x": kagari.ones(2)}) is net
    assert jit.trace_module(net, {"twice": kagari.ones(1)}) is net
    with pytest.raises(RuntimeError, match="one of the two"):
        jit.trace(net)
    assert kagari.equal(net(kagari.ones(2)), kagari.full((2,), 2.0))
    assert issubclass(jit.ScriptModule, kagari.nn.Module)
    assert not jit.is_scripting() and not jit.is_tracing()
    assert jit.isinstance({"a": [1]}, dict[str, list[int]])
    assert not jit.isinstance((1, "a"), tuple[int, int])
    assert jit.isinstance(None, int | None)
    assert jit.Attribute(3, int) == 3
    assert jit.wait(jit.fork(lambda x: x + 1, 1)) == 2
    with pytest.raises(RuntimeError, match="eval mode"):
        jit.freeze(net)
    assert jit.freeze(net.eval()) is net
    with pytest.raises(RuntimeError, match="does not compile programs"):
        jit.save(net, "file")


def test_compiler_and_fx_change_nothing():
    def f(x):
        return x

    assert kagari.compile(f) is f and kagari.compiler.compile(f) is f
    assert kagari.compiler.disable(f) is f and kagari.compiler.disable(reason="x")(f) is f
    assert kagari.compiler.allow_in_graph([f]) == [f]
    assert not kagari.compiler.is_compiling()
    with kagari.compiler.set_stance("force_eager"):
        kagari._dynamo.reset()
    kagari._dynamo.config.suppress_errors = True
    assert kagari.fx.wrap(f) is f and kagari.fx.wrap("f") == "f"
    with pytest.raises(RuntimeError, match="Unsupported type"):
        kagari.fx.wrap(3)


def test_checks():
    kagari._assert(True, "fine")
    kagari._check(True)
    with pytest.raises(AssertionError, match="wrong"):
        kagari._assert(False, "wrong")
    with pytest.raises(RuntimeError, match="because"):
        kagari._check(False, lambda: "because")
    with pytest.raises(TypeError, match="cond must be a bool"):
        kagari._check(1)


def test_members_of_other_kinds_of_tensors():
    x = kagari.ones(2, 2)
    assert x.to_dense() is x
    for name in ("record_stream", "dequantize"):
        with pytest.raises(RuntimeError, match=rf"Tensor\.{name}: expected"):
            getattr(x, name)()
    with pytest.warns(UserWarning, match="call reshape"):
        assert x.resize(4).shape == (4,)


def test_older_mixed_precision_names():
    assert not kagari.cuda.amp.GradScaler(enabled=False).is_enabled()
    assert issubclass(kagari.cuda.amp.autocast, kagari.amp.autocast)
    with kagari.cpu.amp.autocast():
        x = kagari.ones(2, 2) @ kagari.ones(2, 2)
    assert x.dtype == kagari.bfloat16
    for module in (kagari.cuda.amp, kagari.cpu.amp):
        with pytest.raises(AttributeError, match="has no attribute 'other'"):
            module.other  # noqa: B018


def test_typed_storage():
    x = kagari.arange(6, dtype=kagari.int32).view(2, 3)
    s = x[1].storage()
    assert s.tolist() == list(s) == [0, 1, 2, 3, 4, 5] and len(s) == 6
    assert s.data_ptr() == x.data_ptr() and s.nbytes() == 24 and s.element_size() == 4
    s[0] = 7
    assert x[0, 0] == 7 and s[0] == 7 and s[:2] == [7, 1]
    assert kagari.ByteStorage.from_buffer(b"ab").tolist() == [97, 98]
    assert kagari.FloatStorage([1.0, 2.0]).dtype == kagari.float32
    assert kagari.TypedStorage(3, dtype=kagari.int64).fill_(2).clone().tolist() == [2, 2, 2]
    assert repr(kagari.IntStorage([1])).endswith("(dtype=kagari.int32) of size 1]")
    with pytest.raises(TypeError, match="got both"):
        kagari.TypedStorage(3, wrap_storage=s.untyped())
    with pytest.raises(ValueError, match="byte_order"):
        kagari.ByteStorage.from_buffer(b"ab", "big")


def test_import_stays_lazy():
    program = (
        "import sys, kagari; print([m for m in ('kagari.distributions', 'kagari.cuda', "
        "'kagari.testing', 'kagari.jit', 'kagari.distributed', 'multiprocessing', 'numpy', "
        "'typing', 're', 'enum', 'inspect', 'dataclasses') "
        "if m in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"
