"""ONNX files: not here."""

from __future__ import annotations

from kagari._absent import absent, absent_modules

__all__ = ["is_in_onnx_export"]

_REASON = (
    "kagari writes no ONNX files; save the weights with kagari.save or as safetensors and export "
    "them from a library that does"
)


def is_in_onnx_export() -> bool:
    """False: nothing is exported.

    Example:
        >>> import kagari
        >>> kagari.onnx.is_in_onnx_export()
        False
    """
    return False


for _name in (
    "ExportOptions",
    "ONNXProgram",
    "TrainingMode",
    "dynamo_export",
    "export",
    "register_custom_op_symbolic",
):
    globals()[_name] = absent(f"kagari.onnx.{_name}", _REASON)

absent_modules("kagari.onnx", {"utils": ("export",)}, _REASON)
