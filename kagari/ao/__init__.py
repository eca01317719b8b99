"""Quantisation and pruning of models: not here but for ``nn.utils.prune``."""

from __future__ import annotations

from kagari._absent import absent, absent_modules

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

qint8 = absent("kagari.qint8", _REASON)
qint32 = absent("kagari.qint32", _REASON)
quint8 = absent("kagari.quint8", _REASON)
quint4x2 = absent("kagari.quint4x2", _REASON)
