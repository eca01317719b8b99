"""What every function of linear algebra asks of its matrices, and the errors of those that fail."""

from __future__ import annotations

from kagari._core import LinAlgError, bfloat16, float16

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kagari import Tensor


def floating(name: str, a: Tensor, *, low: bool = False) -> None:
    """Floating point or complex numbers, of full precision unless ``low``."""
    if not (a.is_floating_point() or a.is_complex()):
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {a.dtype}; "
            "convert with .float()"
        )
    if not low and a.dtype in (float16, bfloat16):
        raise RuntimeError(
            f"{name}: Low precision dtypes not supported. Got {a.dtype}; convert with .float()"
        )


def matrices(name: str, a: Tensor, what: str = "A", *, low: bool = False) -> None:
    """At least two dimensions."""
    if a.dim() < 2:
        raise RuntimeError(
            f"{name}: The input tensor {what} must have at least 2 dimensions, "
            f"got shape {tuple(a.shape)}"
        )
    floating(name, a, low=low)


def square(name: str, a: Tensor, what: str = "A", *, low: bool = False) -> None:
    """Square matrices."""
    matrices(name, a, what, low=low)
    m, n = a.shape[-2:]
    if m != n:
        raise RuntimeError(
            f"{name}: {what} must be batches of square matrices, but they are {m} by {n} matrices"
        )


def same_dtype(name: str, a: Tensor, b: Tensor, first: str = "A", second: str = "B") -> None:
    """One dtype for both."""
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"{name}: Expected {first} and {second} to have the same dtype, but found {first} of "
            f"type {a.dtype} and {second} of type {b.dtype} instead"
        )


def succeeded(name: str, info: Tensor, failure: str) -> None:
    """Raises for the first matrix whose factorisation failed.

    ``failure`` is the text, with ``{k}`` for the step that failed.
    """
    if info.is_meta or not bool(info.any()):
        return
    codes = info.reshape(-1).tolist()
    i = next(i for i, code in enumerate(codes) if code)
    place = f"(Batch element {i}): " if info.dim() else ""
    raise LinAlgError(f"{name}: {place}{failure.format(k=codes[i])}")


SINGULAR = (
    "The diagonal element {k} is zero, the inversion could not be completed because the input "
    "matrix is singular."
)
UNSOLVABLE = "The solver failed because the input matrix is singular."
NOT_POSITIVE = (
    "The factorization could not be completed because the input is not positive-definite (the "
    "leading minor of order {k} is not positive-definite)."
)


def no_convergence(info: Tensor, what: str) -> str:
    """The text for an iteration over ``what`` that did not end."""
    if not info.is_meta and bool((info < 0).any()):
        return (
            "The algorithm failed to converge because the input matrix contained non-finite values."
        )
    return (
        "The algorithm failed to converge because the input matrix is ill-conditioned or has too "
        f"many repeated {what} (error code: {{k}})."
    )
