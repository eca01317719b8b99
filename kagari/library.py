"""Operators made by programs: not here; ``autograd.Function`` defines differentiable functions."""

from __future__ import annotations

from kagari._absent import absent

__all__: list[str] = []

_REASON = (
    "kagari has no registry of operators; define a kagari.autograd.Function, or call the Python "
    "function as it is"
)

for _name in [
    "Library",
    "custom_op",
    "define",
    "fallthrough_kernel",
    "get_ctx",
    "impl",
    "impl_abstract",
    "infer_schema",
    "opcheck",
    "register_autocast",
    "register_autograd",
    "register_fake",
    "register_kernel",
    "register_torch_dispatch",
    "register_vmap",
    "triton_op",
    "wrap_triton",
]:
    globals()[_name] = absent(f"kagari.library.{_name}", _REASON)
