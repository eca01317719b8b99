"""assert_close: tensors, numbers and nests of them, compared with tolerances by dtype."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Number
from typing import TYPE_CHECKING, Any

import kagari

if TYPE_CHECKING:
    from kagari import Tensor

__all__ = ["assert_allclose", "assert_close", "default_tolerances"]

# The relative tolerance is the root of the machine epsilon, but tighter for float64.
_TOLERANCES = {
    kagari.float16: (1e-3, 1e-5),
    kagari.bfloat16: (1.6e-2, 1e-5),
    kagari.float32: (1.3e-6, 1e-5),
    kagari.float64: (1e-7, 1e-7),
    kagari.complex32: (1e-3, 1e-5),
    kagari.complex64: (1.3e-6, 1e-5),
    kagari.complex128: (1e-7, 1e-7),
}

Message = str | Callable[[str], str] | None


def default_tolerances(*inputs: Any) -> tuple[float, float]:
    """The largest (rtol, atol) of the dtypes of tensors, or of the dtypes themselves."""
    dtypes = [x.dtype if isinstance(x, kagari.Tensor) else x for x in inputs]
    pairs = [_TOLERANCES.get(dtype, (0.0, 0.0)) for dtype in dtypes]
    return max(r for r, _ in pairs), max(a for _, a in pairs)


class _Comparison:
    """One call's options, and the place in a nest that is being looked at."""

    def __init__(
        self,
        rtol: float | None,
        atol: float | None,
        equal_nan: bool,
        allow_subclasses: bool,
        check_device: bool,
        check_dtype: bool,
        check_layout: bool,
        check_stride: bool,
        msg: Message,
    ) -> None:
        if (rtol is None) != (atol is None):
            given, missing = ("atol", "rtol") if rtol is None else ("rtol", "atol")
            raise ValueError(
                "rtol and atol must both be specified or both be unspecified, "
                f"but only {given} was; give {missing} too"
            )
        self.rtol, self.atol = rtol, atol
        self.equal_nan = equal_nan
        self.allow_subclasses = allow_subclasses
        self.check_device = check_device
        self.check_dtype = check_dtype
        self.check_layout = check_layout
        self.check_stride = check_stride
        self.msg = msg

    def fail(
        self, text: str, path: tuple[Any, ...], kind: type[Exception] = AssertionError
    ) -> None:
        if path:
            text = f"{text}\n\nThe failure occurred for item {''.join(f'[{p!r}]' for p in path)}"
        if callable(self.msg):
            text = self.msg(text)
        elif self.msg is not None:
            text = self.msg
        raise kind(text)

    def compare(self, actual: Any, expected: Any, path: tuple[Any, ...] = ()) -> None:
        if isinstance(actual, Mapping) and isinstance(expected, Mapping):
            self._mappings(actual, expected, path)
        elif _is_list(actual) and _is_list(expected):
            self._sequences(actual, expected, path)
        elif actual is None or expected is None:
            if actual is not expected:
                self.fail(f"None mismatch: {actual} is not {expected}", path)
        else:
            self._values(actual, expected, path)

    def _sequences(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> None:
        if len(actual) != len(expected):
            self.fail(
                f"The length of the sequences mismatch: {len(actual)} != {len(expected)}",
                path,
            )
        for i, (a, e) in enumerate(zip(actual, expected, strict=True)):
            self.compare(a, e, (*path, i))

    def _mappings(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> None:
        if actual.keys() != expected.keys():
            missing = sorted(expected.keys() - actual.keys(), key=str)
            additional = sorted(actual.keys() - expected.keys(), key=str)
            self.fail(
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: {missing}\n"
                f"Additional keys in the actual mapping: {additional}",
                path,
            )
        for key in actual:
            self.compare(actual[key], expected[key], (*path, key))

    def _values(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> None:
        numbers = isinstance(actual, Number) and isinstance(expected, Number)
        related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
        if not numbers and not (
            related if self.allow_subclasses else type(actual) is type(expected)
        ):
            self.fail(
                "Except for scalars, type equality is required if `allow_subclasses=False`: "
                f"{type(actual)} and {type(expected)}"
                if related
                else f"expected values of the same type, got {type(actual)} and {type(expected)}",
                path,
                AssertionError if related or path else TypeError,
            )
        try:
            a, e = kagari.as_tensor(actual), kagari.as_tensor(expected)
        except (TypeError, ValueError, RuntimeError):
            self.fail(
                f"No comparison is defined for {type(actual)} and {type(expected)}", path, TypeError
            )
        if numbers:
            self._numbers(actual, expected, path)
            return
        self._attributes(a, e, path)
        self._tensors(a.detach(), e.detach(), path)

    def _numbers(self, actual: Any, expected: Any, path: tuple[Any, ...]) -> None:
        if (
            self.check_dtype
            and type(actual) is not type(expected)
            and not self._same_kind(actual, expected)
        ):
            self.fail(f"The (d)types do not match: {type(actual)} != {type(expected)}.", path)
        rtol, atol = self.rtol, self.atol
        if rtol is None or atol is None:
            kinds = {bool: kagari.bool, int: kagari.int64, float: kagari.float64}
            rtol, atol = default_tolerances(
                kinds.get(type(actual), kagari.complex128),
                kinds.get(type(expected), kagari.complex128),
            )
        if actual == expected or (self.equal_nan and actual != actual and expected != expected):
            return
        difference = abs(actual - expected)
        if math.isfinite(difference) and difference <= atol + rtol * abs(expected):
            return
        exact = rtol == 0 and atol == 0
        text = f"Expected {expected!r} but got {actual!r}.\nAbsolute difference: {difference}"
        if not exact:
            text += f" (up to {atol} allowed)"
        relative = difference / abs(expected) if expected else math.inf
        text += f"\nRelative difference: {relative}"
        if not exact:
            text += f" (up to {rtol} allowed)"
        self.fail(f"Scalars are not {'equal' if exact else 'close'}!\n\n{text}", path)

    @staticmethod
    def _same_kind(a: Any, b: Any) -> bool:
        return bool(kagari.as_tensor(a).dtype == kagari.as_tensor(b).dtype)

    def _attributes(self, a: Tensor, e: Tensor, path: tuple[Any, ...]) -> None:
        def differ(name: str, mine: Any, its: Any) -> None:
            self.fail(f"The values for attribute '{name}' do not match: {mine} != {its}.", path)

        if a.shape != e.shape:
            differ("shape", a.shape, e.shape)
        if self.check_layout and a.layout != e.layout:
            differ("layout", a.layout, e.layout)
        if self.check_stride and a.stride() != e.stride():
            differ("stride()", a.stride(), e.stride())
        if self.check_device and a.device != e.device:
            differ("device", a.device, e.device)
        if self.check_dtype and a.dtype != e.dtype:
            differ("dtype", a.dtype, e.dtype)

    def _tensors(self, a: Tensor, e: Tensor, path: tuple[Any, ...]) -> None:
        rtol, atol = self.rtol, self.atol
        if rtol is None or atol is None:
            rtol, atol = default_tolerances(a, e)
        a, e = a.to_dense(), e.to_dense()
        if a.dtype != e.dtype:
            common = kagari.promote_types(a.dtype, e.dtype)
            a, e = a.to(common), e.to(common)
        close = kagari.isclose(a, e, rtol=rtol, atol=atol, equal_nan=self.equal_nan)
        if bool(close.all()):
            return
        wrong = ~close
        count, total = int(wrong.sum()), a.numel()
        exact = rtol == 0 and atol == 0
        if a.dtype == kagari.bool:
            a, e = a.to(kagari.int64), e.to(kagari.int64)
        elif not (a.is_floating_point() or a.is_complex()):
            a, e = a.to(kagari.float64), e.to(kagari.float64)
        difference = (a - e).abs()
        difference = difference.masked_fill(close, 0)
        relative = (difference / e.abs()).masked_fill(close, 0)
        text = (
            f"Tensor-likes are not {'equal' if exact else 'close'}!\n\n"
            f"Mismatched elements: {count} / {total} ({100 * count / total:.1f}%)"
        )
        for name, values, allowed in (
            ("absolute", difference, atol),
            ("relative", relative, rtol),
        ):
            worst = int(values.reshape(-1).argmax())
            where = []
            for size in reversed(values.shape):
                worst, place = divmod(worst, size)
                where.append(place)
            index = tuple(reversed(where))
            value = float(values[index].item())
            text += f"\nGreatest {name} difference: {value} at index {index}"
            if not exact:
                text += f" (up to {allowed} allowed)"
        self.fail(text, path)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: Message = None,
) -> None:
    r"""Raises unless :math:`|actual - expected| ≤ atol + rtol |expected|` everywhere.

    Args:
        actual: a tensor, a number, what ``as_tensor`` takes, or a sequence or mapping of them.
        expected: of the same kind.
        allow_subclasses (bool): a type may be the other's subclass.
        rtol (float, optional): the relative tolerance; by default by dtype, 1.3e-6 for float32.
        atol (float, optional): the absolute one, 1e-5 for float32; both or neither are given.
        equal_nan (bool): two NaN are close.
        check_device (bool): devices must be the same.
        check_dtype (bool): dtypes must be the same.
        check_layout (bool): layouts must be the same.
        check_stride (bool): strides must be the same.
        msg (str or callable, optional): the message, or a function of the usual one.

    Raises:
        AssertionError: they differ.
        TypeError: they cannot be compared.
        ValueError: one tolerance without the other.

    Example:
        >>> import kagari
        >>> kagari.testing.assert_close(kagari.tensor([1.0]), kagari.tensor([1.0 + 1e-7]))

    Reference: https://pytorch.org/docs/stable/testing.html
    """
    comparison = _Comparison(
        rtol,
        atol,
        equal_nan,
        allow_subclasses,
        check_device,
        check_dtype,
        check_layout,
        check_stride,
        msg,
    )
    comparison.compare(actual, expected)


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """``assert_close`` in an older form: NaN are close, dtypes and devices may differ."""
    if not isinstance(actual, kagari.Tensor):
        actual = kagari.tensor(actual)
    if not isinstance(expected, kagari.Tensor):
        expected = kagari.tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        rtol, atol = default_tolerances(actual, expected)
    assert_close(
        actual,
        expected,
        rtol=rtol,
        atol=atol,
        equal_nan=equal_nan,
        check_device=False,
        check_dtype=False,
        msg=msg or None,
    )
