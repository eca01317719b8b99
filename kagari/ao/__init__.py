"""Quantisation and pruning of models: not here but for ``nn.utils.prune``."""

from __future__ import annotations

from kagari._absent import absent_modules

_REASON = "kagari computes with the dtypes that tensors have; use bfloat16 for smaller models"

absent_modules(
    "kagari.ao",
    {
        "quantization": (
            "DeQuantStub",
            "QConfig",
            "QuantStub",
            "convert",
            "default_qconfig",
            "fuse_modules",
            "get_default_qconfig",
            "prepare",
            "prepare_qat",
            "quantize_dynamic",
        )
    },
    _REASON,
)
