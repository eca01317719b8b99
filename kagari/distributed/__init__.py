"""Process groups: not here, and ``is_available()`` says so; what programs ask of one process works.

Programs that guard themselves by ``is_available()`` or ``is_initialized()`` run. The names of the
rest can be imported and raise RuntimeError when they are called.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, NoReturn

from kagari._absent import absent, absent_modules

__all__ = [
    "ReduceOp",
    "get_backend",
    "get_rank",
    "get_world_size",
    "init_process_group",
    "is_available",
    "is_gloo_available",
    "is_initialized",
    "is_mpi_available",
    "is_nccl_available",
    "is_torchelastic_launched",
    "is_ucc_available",
    "is_xccl_available",
]

_REASON = (
    "kagari runs in one process; guard the call by kagari.distributed.is_available(), "
    "which is False"
)


def is_available() -> bool:
    """False: there are no process groups.

    Example:
        >>> import kagari
        >>> kagari.distributed.is_available()
        False
    """
    return False


def is_initialized() -> bool:
    """False: no process group can be made.

    Example:
        >>> import kagari
        >>> kagari.distributed.is_initialized()
        False
    """
    return False


def is_mpi_available() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.distributed.is_mpi_available()
        False
    """
    return False


def is_nccl_available() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.distributed.is_nccl_available()
        False
    """
    return False


def is_gloo_available() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.distributed.is_gloo_available()
        False
    """
    return False


def is_ucc_available() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.distributed.is_ucc_available()
        False
    """
    return False


def is_xccl_available() -> bool:
    """False.

    Example:
        >>> import kagari
        >>> kagari.distributed.is_xccl_available()
        False
    """
    return False


def is_torchelastic_launched() -> bool:
    """False: nothing launches kagari's processes.

    Example:
        >>> import kagari
        >>> kagari.distributed.is_torchelastic_launched()
        False
    """
    return False


def _no_group(group: Any) -> NoReturn:
    raise ValueError(
        "Default process group has not been initialized, please make sure to call "
        f"init_process_group; but {_REASON}"
    )


def get_rank(group: Any = None) -> int:
    """The number of this process in a group.

    Raises:
        ValueError: always, as there is no group.
    """
    _no_group(group)


def get_world_size(group: Any = None) -> int:
    """The number of processes of a group.

    Raises:
        ValueError: always, as there is no group.
    """
    _no_group(group)


def get_backend(group: Any = None) -> str:
    """The name of what carries a group's messages.

    Raises:
        ValueError: always, as there is no group.
    """
    _no_group(group)


def init_process_group(*args: Any, **kwargs: Any) -> None:
    """Makes the default process group.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(f"distributed.init_process_group: {_REASON}")


class ReduceOp(Enum):
    """How a reduction over processes combines values."""

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7
    PREMUL_SUM = 8


_COLLECTIVES = [
    "P2POp",
    "ProcessGroup",
    "Store",
    "FileStore",
    "HashStore",
    "TCPStore",
    "PrefixStore",
    "Work",
    "Backend",
    "GradBucket",
    "all_gather",
    "all_gather_into_tensor",
    "all_gather_object",
    "all_reduce",
    "all_to_all",
    "all_to_all_single",
    "barrier",
    "batch_isend_irecv",
    "broadcast",
    "broadcast_object_list",
    "destroy_process_group",
    "gather",
    "gather_object",
    "get_global_rank",
    "get_group_rank",
    "get_process_group_ranks",
    "irecv",
    "isend",
    "monitored_barrier",
    "new_group",
    "new_subgroups",
    "recv",
    "reduce",
    "reduce_scatter",
    "reduce_scatter_tensor",
    "scatter",
    "scatter_object_list",
    "send",
    "split_group",
    "group",
]

for _name in _COLLECTIVES:
    globals()[_name] = absent(f"kagari.distributed.{_name}", _REASON)

_FSDP = (
    "BackwardPrefetch CPUOffload FullOptimStateDictConfig FullStateDictConfig"
    " FullyShardedDataParallel LocalOptimStateDictConfig LocalStateDictConfig MixedPrecision"
    " OptimStateDictConfig"
    " OptimStateKeyType ShardedOptimStateDictConfig ShardedStateDictConfig ShardingStrategy"
    " StateDictConfig StateDictSettings StateDictType"
)
_FSDP2 = " CPUOffloadPolicy FSDPModule MixedPrecisionPolicy OffloadPolicy fully_shard"
_TENSOR = (
    "DTensor DeviceMesh Partial Placement Replicate Shard distribute_module distribute_tensor empty"
    " full init_device_mesh ones rand randn zeros"
)
_CHECKPOINT = (
    "DefaultLoadPlanner DefaultSavePlanner FileSystemReader FileSystemWriter LoadPlan LoadPlanner"
    " SavePlan SavePlanner StorageReader StorageWriter async_save load load_state_dict save"
    " save_state_dict"
)
_STATE_DICT = (
    "StateDictOptions get_model_state_dict get_optimizer_state_dict get_state_dict"
    " set_model_state_dict set_optimizer_state_dict set_state_dict"
)
_WRAPPERS = (
    "CheckpointImpl CheckpointWrapper apply_activation_checkpointing checkpoint_wrapper"
    " offload_wrapper"
)

absent_modules(
    "kagari.distributed",
    {
        "_composable.fsdp": ("MixedPrecisionPolicy", "fully_shard"),
        "_tensor": _TENSOR.split(),
        "algorithms._checkpoint.checkpoint_wrapper": _WRAPPERS.split(),
        "algorithms.join": ("Join", "Joinable"),
        "checkpoint": _CHECKPOINT.split(),
        "checkpoint.default_planner": ("DefaultLoadPlanner", "DefaultSavePlanner"),
        "checkpoint.state_dict": _STATE_DICT.split(),
        "device_mesh": ("DeviceMesh", "init_device_mesh"),
        "distributed_c10d": ("ProcessGroup", "_get_default_group", "all_reduce", "broadcast"),
        "elastic.multiprocessing.errors": ("record",),
        "fsdp": (_FSDP + _FSDP2).split(),
        "fsdp.api": _FSDP.split(),
        "fsdp.fully_sharded_data_parallel": _FSDP.split(),
        "fsdp.sharded_grad_scaler": ("ShardedGradScaler",),
        "fsdp.wrap": (
            "ModuleWrapPolicy",
            "CustomPolicy",
            "always_wrap_policy",
            "enable_wrap",
            "lambda_auto_wrap_policy",
            "size_based_auto_wrap_policy",
            "transformer_auto_wrap_policy",
            "wrap",
        ),
        "nn": ("RemoteModule",),
        "nn.functional": ("all_gather", "all_reduce", "broadcast", "gather", "reduce", "scatter"),
        "optim": ("DistributedOptimizer", "PostLocalSGDOptimizer", "ZeroRedundancyOptimizer"),
        "pipelining": ("PipelineStage", "ScheduleGPipe", "Schedule1F1B", "pipeline"),
        "rpc": (
            "TensorPipeRpcBackendOptions",
            "get_worker_info",
            "init_rpc",
            "remote",
            "rpc_async",
            "rpc_sync",
            "shutdown",
        ),
        "tensor": _TENSOR.split(),
        "tensor.parallel": (
            "ColwiseParallel",
            "ParallelStyle",
            "PrepareModuleInput",
            "PrepareModuleOutput",
            "RowwiseParallel",
            "SequenceParallel",
            "loss_parallel",
            "parallelize_module",
        ),
    },
    _REASON,
)
