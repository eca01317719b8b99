"""Faults that long fuzz runs found, so that they stay mended."""

from __future__ import annotations

import math
from typing import Any

import pytest

import kagari
import kagari.nn.functional as F

ops = kagari._core.ops


@pytest.mark.parametrize(
    ("grad", "size"),
    [
        ((1, 2, 3, 5), [1, 2, 5, 4]),
        ((1, 2, 3, 4), [5, 4]),
        ((1, 2, 3, 5), [5, 0]),
        ((1, 2, 3, 5), []),
    ],
)
def test_a_grid_splat_checks_its_sizes(grad: tuple[int, ...], size: list[int]) -> None:
    with pytest.raises(RuntimeError, match="expected"):
        ops._grid_splat(kagari.ones(grad), kagari.ones(1, 3, 5, 2), size, 0, 2, False, [0, 0])


@pytest.mark.parametrize(
    ("grad", "order"),
    [((1, 2, 3, 4), [0, 0]), ((1, 3, 3, 5), [0, 0]), ((1, 2, 3, 5), []), ((1, 2, 3, 5), [0, -1])],
)
def test_a_grid_slope_checks_its_sizes(grad: tuple[int, ...], order: list[int]) -> None:
    x, grid = kagari.ones(1, 2, 4, 4), kagari.ones(1, 3, 5, 2)
    with pytest.raises(RuntimeError, match="expected") as caught:
        ops._grid_slope(kagari.ones(grad), x, grid, 0, 0, False, order)
    assert "internal error" not in str(caught.value)


@pytest.mark.parametrize("count", [2**62, 2**61 + 1, 3])
def test_a_buffer_is_asked_for_no_more_than_it_has(count: int) -> None:
    with pytest.raises(ValueError, match="requested buffer length"):
        kagari.frombuffer(bytearray(8), dtype=kagari.float32, count=count)
    with pytest.raises(ValueError, match="requested buffer length"):
        kagari.frombuffer(bytearray(8), dtype=kagari.float32, count=count, offset=4)


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(RuntimeError, match="repeat it less often"):
        kagari.ones(4).repeat(2**62)
    with pytest.raises(RuntimeError, match="pad less"):
        F.pad(kagari.ones(4), (2**62, 2**62))


def test_integers_wrap_around() -> None:
    low, high = -(2**63), 2**63 - 1
    x = kagari.tensor([low, low, high, 3])
    assert x[:2].sum().item() == 0
    assert x[1:].sum().item() == 2
    assert x[2:].prod().item() == high - 2
    assert F.avg_pool1d(x.reshape(1, 1, 4), 2, stride=2).tolist() == [[[0, -(2**62) + 1]]]
    product = kagari.ones(1, 1, dtype=kagari.int64)
    assert kagari.addmm(x[:1].reshape(1, 1), product, product, beta=3).item() == low + 1


def test_polygamma_far_below_zero_takes_no_step_for_each_pole() -> None:
    x = kagari.tensor([0.25, -0.75, -1.75, -9.75, -(2.0**40) + 0.25], dtype=kagari.float64)
    steps = [math.fsum((k + 0.25) ** -4.0 for k in range(-m, 2000)) for m in (0, 1, 2, 10, 4000)]
    expected = kagari.tensor([6 * s for s in steps], dtype=kagari.float64)
    kagari.testing.assert_close(kagari.special.polygamma(3, x), expected, rtol=1e-9, atol=0.0)
    odd = kagari.special.polygamma(2, x[:2])  # the steps of odd powers change sign
    assert odd[1].item() - odd[0].item() == pytest.approx(2 / 0.75**3, rel=1e-12)


def test_a_pool_of_power_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="norm_type other than 0"):
        F.lp_pool1d(kagari.ones(1, 1, 4), 0, 2)


def test_an_empty_pool_of_a_huge_output_is_empty() -> None:
    got = F.adaptive_max_pool3d(kagari.ones(0, 1, 2, 7, 6), [3, 2**62, 3])
    assert got.shape == (0, 1, 3, 2**62, 3)


@pytest.mark.parametrize(
    ("name", "next_of"),
    [
        ("legendre_polynomial_p", lambda n, x, p, q: ((2 * n + 1) * x * p - n * q) / (n + 1)),
        ("laguerre_polynomial_l", lambda n, x, p, q: ((2 * n + 1 - x) * p - n * q) / (n + 1)),
    ],
)
@pytest.mark.parametrize("x", [-1.0, -0.3, 0.0, 0.01, 0.5, 0.97, 1.0])
def test_polynomials_of_huge_degrees(name: str, next_of: Any, x: float) -> None:
    f = getattr(kagari.special, name)
    at = kagari.tensor([x], dtype=kagari.float64)
    n = 2**20  # the last degree that the recurrence computes
    want = next_of(n, x, f(at, float(n)).item(), f(at, float(n - 1)).item())
    got = f(at, float(n + 1)).item()
    assert (
        got == pytest.approx(want, rel=1e-4, abs=1e-7)
        or (math.isinf(got) and math.isinf(want))
        or (math.isinf(got) and math.isnan(want))
    )
    assert math.isfinite(f(at, 3e38).item()) or x < 0


def test_derivatives_of_polynomials_of_huge_degrees_are_refused() -> None:
    x = kagari.tensor([0.5], requires_grad=True)
    with pytest.raises(RuntimeError, match="up to degree"):
        kagari.special.legendre_polynomial_p(x, 3e38).sum().backward()


def test_frequencies_of_samples_without_time_between() -> None:
    got = kagari.fft.fftfreq(4, d=0.0).tolist()
    assert math.isnan(got[0]) and got[1:] == [math.inf, -math.inf, -math.inf]
    assert math.isinf(kagari.fft.rfftfreq(4, d=0.0)[1].item())


def test_least_squares_without_right_hand_sides_says_nothing(capfd: Any) -> None:
    a = kagari.eye(3, 2)
    solution, _, rank, values = kagari.linalg.lstsq(a, kagari.ones(3, 0), driver="gelsd")
    assert solution.shape == (2, 0) and rank.item() == 2 and values.shape == (2,)
    assert capfd.readouterr() == ("", "")


def test_counts_over_no_dimensions_are_over_all() -> None:
    x = kagari.ones(33, 2)
    assert kagari.count_nonzero(x, []).item() == 66 and kagari.count_nonzero(x, dim=()).item() == 66


@pytest.mark.parametrize("name", ["found_inf", "grad_scale"])
def test_a_fused_step_wants_one_number(name: str) -> None:
    many = [[kagari.ones(3)] for _ in range(4)]
    with pytest.raises(RuntimeError, match="one number"):
        kagari._fused_adamw_(
            *many, [], [kagari.ones(())], lr=0.1, beta1=0.9, beta2=0.99, weight_decay=0.0, eps=1e-8,
            amsgrad=False, maximize=False, **{name: kagari.empty(0)},
        )  # fmt: skip


def test_in_place_results_keep_their_shape() -> None:
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        kagari.tensor(1.0).masked_fill_(kagari.ones(3, 4, 1, dtype=kagari.bool), 0.5)
