"""Helpers around modules and their parameters."""

from __future__ import annotations

from kagari.nn.utils import rnn, stateless
from kagari.nn.utils.clip_grad import (
    clip_grad_norm,
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
)
from kagari.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters
from kagari.nn.utils.init import skip_init

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
    "parameters_to_vector",
    "rnn",
    "skip_init",
    "stateless",
    "vector_to_parameters",
]
