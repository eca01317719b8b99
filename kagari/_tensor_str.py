"""Tensors as text: what repr prints, in PyTorch's format."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import kagari

__all__ = ["get_printoptions", "printoptions", "set_printoptions"]

Tensor: TypeAlias = "kagari.Tensor"
Format: TypeAlias = Callable[[Any], str]


@dataclasses.dataclass
class _PrintOptions:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


PRINT_OPTS = _PrintOptions()
_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Sets how tensors are printed; what is None stays, but for `sci_mode`.

    Args:
        precision: digits after the point; 4 at first.
        threshold: number of elements above which the middle is left out; 1000 at first.
        edgeitems: elements shown at both ends then; 3 at first.
        linewidth: characters of a line; 80 at first.
        profile: ``'default'``, ``'short'`` or ``'full'``; the other options change it.
        sci_mode: whether numbers have an exponent; None: where their range asks for it.

    Raises:
        ValueError: an unknown profile.

    Example:
        >>> import kagari
        >>> kagari.set_printoptions(precision=2)
        >>> kagari.tensor([1.12345])
        tensor([1.12])
        >>> kagari.set_printoptions(threshold=5, edgeitems=1)
        >>> kagari.arange(10)
        tensor([0,  ..., 9])
        >>> kagari.set_printoptions(profile="default")
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(
                f"set_printoptions: expected profile 'default', 'short' or 'full', got {profile!r}"
            )
        for name, value in _PROFILES[profile].items():
            setattr(PRINT_OPTS, name, value)
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    for name, value in given.items():
        if value is not None:
            setattr(PRINT_OPTS, name, value)
    PRINT_OPTS.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """Returns the options as a dict that ``set_printoptions`` takes as keywords.

    Example:
        >>> get_printoptions()["precision"]
        4
    """
    return dataclasses.asdict(PRINT_OPTS)


@contextmanager
def printoptions(**kwargs: Any) -> Iterator[None]:
    """Sets options of ``set_printoptions`` for a while.

    Example:
        >>> import kagari
        >>> with printoptions(precision=1):
        ...     print(kagari.tensor([1.25]))
        tensor([1.2])
    """
    old = get_printoptions()
    set_printoptions(**kwargs)
    try:
        yield
    finally:
        set_printoptions(**old)


# ---- numbers -----------------------------------------------------------------------------------


def _format_integers(values: list[Any]) -> tuple[Format, int]:
    """How all of these are written, and how wide."""
    width = max((len(str(v)) for v in values), default=1)
    return (lambda v: str(v).rjust(width)), width


def _format_floats(values: list[float]) -> tuple[Format, int]:
    """How all of these are written, and how wide.

    Zeros, infinities and nans do not take part in the choice, nor in the width.
    """
    precision = PRINT_OPTS.precision
    seen = [v for v in values if v != 0 and math.isfinite(v)]
    whole = all(v == math.floor(v) for v in seen)
    scientific = False
    if seen:
        high, low = max(map(abs, seen)), min(map(abs, seen))
        scientific = (
            high / low > 1000.0 or high > 1.0e8 or low < 1.0e-4
            if PRINT_OPTS.sci_mode is None
            else PRINT_OPTS.sci_mode
        )

    if scientific:

        def write(v: float) -> str:
            return f"{v:.{precision}e}"
    elif whole:

        def write(v: float) -> str:
            return f"{v:.0f}." if math.isfinite(v) else f"{v:.0f}"
    else:

        def write(v: float) -> str:
            return f"{v:.{precision}f}"

    width = max((len(write(v)) for v in seen), default=1)
    return (lambda v: write(v).rjust(width)), width


def _format_complex(values: list[complex]) -> tuple[Format, int]:
    real, real_width = _format_floats([v.real for v in values])
    imag, imag_width = _format_floats([v.imag for v in values])

    def write(v: complex) -> str:
        tail = imag(v.imag).lstrip() + "j"
        return real(v.real) + ("" if tail[0] in "+-" else "+") + tail

    # The sign between the parts is not counted, as in PyTorch.
    return write, real_width + imag_width + 1


# ---- values ------------------------------------------------------------------------------------


class _Gap:
    """Stands in a nested list for the elements that are left out."""


_GAP = _Gap()

# float8: exponent bits, bias, and what the largest exponent means.
_FLOAT8 = {
    "float8_e4m3fn": (4, 7, "nan"),
    "float8_e5m2": (5, 15, "ieee"),
    "float8_e4m3fnuz": (4, 8, "unsigned zero"),
    "float8_e5m2fnuz": (5, 16, "unsigned zero"),
}


@functools.lru_cache
def _float8_values(name: str) -> list[float]:
    """The 256 numbers of a float8 format, by their bits."""
    if name == "float8_e8m0fnu":
        return [math.ldexp(1.0, i - 127) for i in range(255)] + [math.nan]
    exponent_bits, bias, kind = _FLOAT8[name]
    mantissa_bits = 7 - exponent_bits
    top = (1 << exponent_bits) - 1
    full = (1 << mantissa_bits) - 1

    def decode(bits: int) -> float:
        sign = -1.0 if bits & 0x80 else 1.0
        exponent, mantissa = (bits & 0x7F) >> mantissa_bits, bits & full
        if kind == "unsigned zero" and bits == 0x80:
            return math.nan
        if exponent == top and kind == "ieee":
            return math.nan if mantissa else sign * math.inf
        if exponent == top and mantissa == full and kind == "nan":
            return math.nan
        hidden = 0 if exponent == 0 else 1 << mantissa_bits
        return sign * math.ldexp(hidden + mantissa, max(exponent, 1) - bias - mantissa_bits)

    return [decode(bits) for bits in range(256)]


def _to_list(t: Tensor) -> Any:
    """The values of a tensor, also of dtypes that only store."""
    name = str(t.dtype).rpartition(".")[2]
    if name.startswith("float8"):
        table = _float8_values(name)
        return _map(table.__getitem__, t.view(kagari.uint8).tolist())
    if name in ("complex32", "chalf"):
        # A view as halves doubles the last dimension, so there has to be one, and dense.
        pairs = t.reshape(-1).contiguous().view(kagari.float16).tolist()
        values = [complex(*pairs[i : i + 2]) for i in range(0, len(pairs), 2)]
        return values if t.dim() == 1 else values[0]
    return t.tolist()


def _map(f: Callable[[Any], Any], values: Any) -> Any:
    return [_map(f, v) for v in values] if isinstance(values, list) else f(values)


def _values(t: Tensor, summarize: bool) -> Any:
    """The values as nested lists, with a gap where the middle is left out."""
    if t.dim() == 0:
        return _to_list(t)
    edge, n = PRINT_OPTS.edgeitems, t.shape[0]
    gap = summarize and n > 2 * edge
    if t.dim() == 1:
        if not gap:
            return _to_list(t)
        return [*_to_list(t[:edge]), _GAP, *_to_list(t[n - edge :])]
    if not gap:
        return [_values(t[i], summarize) for i in range(n)]
    ends = [_values(t[i], summarize) for i in (*range(edge), *range(n - edge, n))]
    return [*ends[:edge], _GAP, *ends[edge:]]


def _flatten(values: Any) -> Iterator[Any]:
    if isinstance(values, list):
        for v in values:
            yield from _flatten(v)
    elif values is not _GAP:
        yield values


# ---- layout ------------------------------------------------------------------------------------


def _lay_out(values: Any, dim: int, indent: int, write: Format, width: int) -> str:
    """Nested lists as text; `indent` is the column of the opening bracket."""
    if dim == 0:
        return write(values)
    if dim > 1:
        parts = [
            "..." if v is _GAP else _lay_out(v, dim - 1, indent + 1, write, width) for v in values
        ]
        return "[" + ("," + "\n" * (dim - 1) + " " * (indent + 1)).join(parts) + "]"
    if len(values) == 1 and values[0] is _GAP:
        return "[...]"
    words = [" ..." if v is _GAP else write(v) for v in values]
    per_line = max(1, (PRINT_OPTS.linewidth - indent) // (width + 2))
    lines = [", ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _tensor_str(t: Tensor, indent: int) -> str:
    """The values of a tensor, from a column on."""
    if t.numel() == 0:
        return "[]"
    values = _values(t, t.numel() > PRINT_OPTS.threshold)
    shown = list(_flatten(values))
    if t.dtype.is_complex:
        write, width = _format_complex(shown)
    elif t.dtype.is_floating_point:
        write, width = _format_floats(shown)
    else:
        write, width = _format_integers(shown)
    return _lay_out(values, t.dim(), indent, write, width)


def _add_suffixes(text: str, suffixes: list[str], indent: int, force_newline: bool = False) -> str:
    length = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if force_newline or length + len(suffix) + 2 > PRINT_OPTS.linewidth:
            text += ",\n" + " " * indent + suffix
            length = indent + len(suffix)
            force_newline = False
        else:
            text += ", " + suffix
            length += len(suffix) + 2
    return text + ")"


def _facts(t: Tensor) -> list[str]:
    """Device, size and dtype, as far as the values do not tell them."""
    facts = []
    default = kagari.get_default_dtype()
    size, dtype = f"size={tuple(t.shape)}", f"dtype={t.dtype}"
    if t.device.type != "cpu":
        facts.append(f"device='{t.device}'")
    if t.is_meta or t.numel() == 0:
        if t.is_meta or t.dim() != 1:
            facts.append(size)
        # Nothing is there from which int64 could be seen.
        if t.dtype != default:
            facts.append(dtype)
        return facts
    if not PRINT_OPTS.edgeitems:
        facts.append(size)
    default_complex = kagari.complex128 if default == kagari.float64 else kagari.complex64
    if t.dtype not in (default, default_complex, kagari.int64, kagari.bool):
        facts.append(dtype)
    return facts


def _parts(t: Tensor, indent: int) -> str:
    """The indices and the values of a sparse tensor, one under the other."""
    names = {
        kagari.sparse_coo: ("_indices", "_values"),
        kagari.sparse_csr: ("crow_indices", "col_indices", "values"),
        kagari.sparse_csc: ("ccol_indices", "row_indices", "values"),
    }[t.layout]
    texts = []
    for name in names:
        part = getattr(t, name)()
        prefix = f"{name.lstrip('_')}=tensor("
        text = _tensor_str(part, indent + len(prefix))
        empty = f", size={tuple(part.shape)}" if part.numel() == 0 else ""
        texts.append(f"{prefix}{text}{empty})")
    return (",\n" + " " * indent).join(texts)


def _sparse_facts(t: Tensor) -> list[str]:
    """Size, number of values and dtype."""
    facts = [f"size={tuple(t.shape)}", f"nnz={t._nnz()}"]
    default = kagari.get_default_dtype()
    default_complex = kagari.complex128 if default == kagari.float64 else kagari.complex64
    if t.dtype not in (default, default_complex, kagari.int64, kagari.bool):
        facts.append(f"dtype={t.dtype}")
    return facts


def _history(t: Tensor) -> list[str]:
    """The recorded operation, or that the tensor wants a gradient."""
    try:
        grad_fn = t.grad_fn
    except RuntimeError:
        # A view that was changed in place where nothing was recorded.
        return ["grad_fn=<Invalid>"]
    if grad_fn is not None:
        return [f"grad_fn=<{grad_fn.name().rpartition('::')[2]}>"]
    return ["requires_grad=True"] if t.requires_grad else []


def tensor_str(t: Tensor, *, tensor_contents: str | None = None) -> str:
    """Returns a tensor as text.

    Args:
        t: any tensor.
        tensor_contents: text in the place of the values.

    Example:
        >>> import kagari
        >>> tensor_str(kagari.zeros(2, dtype=kagari.int32))
        'tensor([0, 0], dtype=kagari.int32)'
    """
    plain = type(t) in (kagari.Tensor, kagari.nn.Parameter)
    prefix = "tensor(" if plain else f"{type(t).__name__}("
    with kagari.no_grad():
        try:
            # Methods of a subclass could print, and so come back here.
            bare = t.detach().as_subclass(kagari.Tensor)
            sparse = bare.layout != kagari.strided
            suffixes = _sparse_facts(bare) if sparse else _facts(bare)
            if tensor_contents is None and sparse:
                tensor_contents = _parts(bare, len(prefix))
            elif tensor_contents is None:
                tensor_contents = "..." if bare.is_meta else _tensor_str(bare, len(prefix))
        except Exception as e:
            # Printing serves debugging: it says why instead of raising on top of another error.
            tensor_contents = f"<{type(e).__name__}: {e}>"
            suffixes = [f"size={tuple(t.shape)}"]
    if t.layout != kagari.strided:
        suffixes.append(f"layout={t.layout}")
    suffixes += _history(t)
    # The size of a coordinate tensor begins a line.
    text = _add_suffixes(prefix + tensor_contents, suffixes, len(prefix), t.is_sparse)
    if isinstance(t, kagari.nn.Parameter) and not plain:
        text = f"Parameter({text})"
    return text


_str = tensor_str
