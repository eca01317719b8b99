"""Fits the polynomials of the vectorised mathematics and prints `coefficients.h`.

Each polynomial interpolates its function, in 60 digits, at Chebyshev nodes of its interval, which
is within a small factor of the best possible maximum error. Run from anywhere:
`python csrc/cpu/simd/coefficients.py > csrc/cpu/simd/coefficients.h` (needs mpmath).
"""

from collections.abc import Callable

import mpmath as mp

mp.mp.dps = 60
Function = Callable[[mp.mpf], mp.mpf]


def fit(f: Function, lo: float | mp.mpf, hi: float | mp.mpf, terms: int) -> list[mp.mpf]:
    """Coefficients, lowest power first, of the interpolant with `terms` coefficients."""
    lo, hi = mp.mpf(lo), mp.mpf(hi)
    nodes = [
        (lo + hi) / 2 + (hi - lo) / 2 * mp.cos(mp.pi * (2 * k + 1) / (2 * terms))
        for k in range(terms)
    ]
    matrix = mp.matrix(terms, terms)
    rhs = mp.matrix(terms, 1)
    for i, x in enumerate(nodes):
        rhs[i] = f(x)
        for j in range(terms):
            matrix[i, j] = x**j
    solution = mp.lu_solve(matrix, rhs)
    return [solution[i] for i in range(terms)]


def worst(f: Function, c: list[mp.mpf], lo: float | mp.mpf, hi: float | mp.mpf) -> float:
    """log2 of the largest absolute error of the rounded polynomial, seen at 300 points."""
    lo, hi = mp.mpf(lo), mp.mpf(hi)
    rounded = [mp.mpf(float(v)) for v in c]
    err = max(
        abs(mp.polyval(rounded[::-1], x) - f(x))
        for x in (lo + (hi - lo) * (k + mp.mpf("0.37")) / 300 for k in range(300))
    )
    return float(mp.log(err, 2)) if err else -999.0


def emit(name: str, note: str, f: Function, lo: float | mp.mpf, hi: float | mp.mpf, n: int) -> None:
    c = fit(f, lo, hi, n)
    print(f"// {note}; absolute error 2^{worst(f, c, lo, hi):.1f}.")
    emit_array(name, c)


def emit_array(name: str, c: list[mp.mpf]) -> None:
    print(f"inline constexpr double {name}[] = {{")
    line = "   "
    for v in c:
        item = f" {float(v).hex()},"
        if len(line) + len(item) > 100:
            print(line)
            line = "   "
        line += item
    print(line + "\n};\n")


def pair(name: str, note: str, v: mp.mpf) -> None:
    """A constant as an unevaluated sum of two doubles."""
    hi = float(v)
    print(f"// {note}.")
    print(f"inline constexpr double {name}_hi = {hi.hex()}, {name}_lo = {float(v - hi).hex()};\n")


def series(f: Function, at_zero: mp.mpf) -> Function:
    return lambda x: at_zero if abs(x) < mp.mpf("1e-13") else f(x)


def erfcx(x: mp.mpf) -> mp.mpf:
    return mp.erfc(x) * mp.exp(x * x)


def main() -> None:
    print("// Polynomial coefficients and constants of the vectorised mathematics.")
    print("// Written by coefficients.py; do not edit.\n#pragma once\n")
    print("namespace kagari::coefficients {\n")
    pair("kLn2", "ln 2", mp.log(2))
    pair("kInvLn2", "1 / ln 2", 1 / mp.log(2))
    pair("kInvLn10", "1 / ln 10", 1 / mp.log(10))
    pair("kLog10Of2", "log10 2", mp.log(2) / mp.log(10))
    pair("kPi", "pi", mp.pi)
    pair("kHalfPi", "pi / 2", mp.pi / 2)
    pair("kQuarterPi", "pi / 4", mp.pi / 4)
    pair("kTwoOverPi", "2 / pi", 2 / mp.pi)
    pair("kTwoThirds", "2 / 3", mp.mpf(2) / 3)
    pair("kTwoOverRootPi", "2 / sqrt(pi)", 2 / mp.sqrt(mp.pi))
    pair("kHalfRootPi", "sqrt(pi) / 2", mp.sqrt(mp.pi) / 2)
    pair("kHalfLog2Pi", "log(2 pi) / 2", mp.log(2 * mp.pi) / 2)
    pair("kLogPi", "log(pi)", mp.log(mp.pi))
    half_pi = mp.pi / 2
    hi = mp.mpf(float(half_pi))
    mid = mp.mpf(float(half_pi - hi))
    print("// pi / 2 to 161 bits: the third part after kHalfPi.")
    print(f"inline constexpr double kHalfPi_third = {float(half_pi - hi - mid).hex()};\n")
    bits = two_over_pi_bits(1280)
    print("// The fraction bits of 2 / pi, 64 to a word, most significant first.")
    print("inline constexpr unsigned long long kTwoOverPiBits[] = {")
    words = [(bits >> (1280 - 64 * (i + 1))) & (2**64 - 1) for i in range(20)]
    for i in range(0, 20, 4):
        print("    " + " ".join(f"0x{w:016x}ull," for w in words[i : i + 4]))
    print("};\n")

    r = mp.log(2) / 2 * mp.mpf("1.01")
    exp_tail = series(lambda x: (mp.expm1(x) - x) / x**2, mp.mpf(1) / 2)
    emit("kExp", "(exp(r) - 1 - r) / r^2, |r| <= ln2 / 2", exp_tail, -r, r, 11)
    exp_tail3 = series(lambda x: (mp.expm1(x) - x - x * x / 2) / x**3, mp.mpf(1) / 6)
    emit("kExp3", "(exp(r) - 1 - r - r^2 / 2) / r^3, |r| <= ln2 / 2", exp_tail3, -r, r, 11)
    emit("kExpQuick", "the same, short", exp_tail, -r, r, 6)

    def atanh_tail(z: mp.mpf) -> mp.mpf:
        s = mp.sqrt(z)
        return 2 * (mp.atanh(s) / s - 1) / z if z else mp.mpf(2) / 3

    def atanh_tail2(z: mp.mpf) -> mp.mpf:
        return (atanh_tail(z) - mp.mpf(2) / 3) / z if z else mp.mpf(2) / 5

    z = mp.mpf("0.0296")
    emit("kLog", "2 (atanh(s) - s - s^3 / 3) / s^5 in s^2, |s| <= 0.172", atanh_tail2, 0, z, 8)
    emit("kLogQuick", "2 (atanh(s) - s) / s^3 in s^2, |s| <= 0.172, short", atanh_tail, 0, z, 5)

    def sin_tail(z: mp.mpf) -> mp.mpf:
        x = mp.sqrt(z)
        return (mp.sin(x) - x) / x**3 if z else mp.mpf(-1) / 6

    def cos_tail(z: mp.mpf) -> mp.mpf:
        return (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z**2 if z else mp.mpf(1) / 24

    def cos_tail1(z: mp.mpf) -> mp.mpf:
        return (mp.cos(mp.sqrt(z)) - 1) / z if z else mp.mpf(-1) / 2

    z = (mp.pi / 4 * mp.mpf("1.001")) ** 2
    sin5 = series(lambda v: (sin_tail(v) + mp.mpf(1) / 6) / v, mp.mpf(1) / 120)
    cos6 = series(lambda v: (cos_tail(v) - mp.mpf(1) / 24) / v, mp.mpf(-1) / 720)
    sin7 = series(lambda v: (sin5(v) - mp.mpf(1) / 120) / v, mp.mpf(-1) / 5040)
    note = "(sin(r) - r + r^3 / 6 - r^5 / 120) / r^7 in r^2, |r| <= pi / 4"
    emit("kSin7", note, sin7, 0, z, 5)
    note = "(cos(r) - 1 + r^2 / 2 - r^4 / 24) / r^6 in r^2, |r| <= pi / 4"
    emit("kCos6", note, cos6, 0, z, 6)
    emit("kSinQuick", "(sin(r) - r) / r^3 in r^2, |r| <= pi / 4, short", sin_tail, 0, z, 4)
    emit("kCosQuick", "(cos(r) - 1) / r^2 in r^2, |r| <= pi / 4, short", cos_tail1, 0, z, 5)
    z = (mp.pi / 2 * mp.mpf("1.001")) ** 2
    emit("kSinWide", "(sin(r) - r) / r^3 in r^2, |r| <= pi / 2, short", sin_tail, 0, z, 6)

    def asin_tail(z: mp.mpf) -> mp.mpf:
        x = mp.sqrt(z)
        return (mp.asin(x) / x - 1) / z if z else mp.mpf(1) / 6

    emit("kAsin", "(asin(x) - x) / x^3 in x^2, |x| <= 1/2", asin_tail, 0, mp.mpf("0.2501"), 14)
    emit("kAsinQuick", "the same, short", asin_tail, 0, mp.mpf("0.2501"), 8)

    def atan_tail(z: mp.mpf) -> mp.mpf:
        x = mp.sqrt(z)
        return (mp.atan(x) / x - 1) / z if z else mp.mpf(-1) / 3

    z = (mp.sqrt(2) - 1) ** 2 * mp.mpf("1.001")
    emit("kAtan", "(atan(x) - x) / x^3 in x^2, |x| <= tan(pi / 8)", atan_tail, 0, z, 12)
    emit("kAtanQuick", "the same, short", atan_tail, 0, z, 7)

    def erf_ratio(z: mp.mpf) -> mp.mpf:
        x = mp.sqrt(z)
        return mp.erf(x) / x if z else 2 / mp.sqrt(mp.pi)

    first = erf_ratio(mp.mpf(0))

    def erf_tail(z: mp.mpf) -> mp.mpf:
        return (erf_ratio(z) - first) / z if z else -first / 3

    erf_tail2 = series(lambda z: (erf_tail(z) + first / 3) / z, first / 10)
    pair("kErf1", "-2 / (3 sqrt(pi))", -first / 3)
    note = "(erf(x) / x - 2 / sqrt(pi) (1 - x^2 / 3)) / x^4 in x^2, |x| <= 1"
    emit("kErf", note, erf_tail2, 0, 1, 12)
    emit("kErfQuick", "(erf(x) / x - 2 / sqrt(pi)) / x^2 in x^2, |x| <= 1, short", erf_tail, 0, 1, 8)

    def erfcx_map(t: mp.mpf) -> mp.mpf:
        x = 4 * (1 + t) / (1 - t)
        return erfcx(x) * (1 + 2 * x)

    lo, hi = (mp.mpf("0.74") - 4) / mp.mpf("4.74"), (mp.mpf(28) - 4) / 32
    note = "exp(x^2) erfc(x) (1 + 2x) in t = (x - 4) / (x + 4), 0.74 <= x <= 28"
    centre = erfcx_map(mp.mpf(0))
    pair("kErfcx0", note + ", at t = 0", centre)
    slope = mp.diff(erfcx_map, 0)
    tail = series(lambda t: (erfcx_map(t) - centre) / t, slope)
    emit("kErfcx", "the same less that, divided by t", tail, lo, hi, 22)
    hi = (mp.mpf(11) - 4) / 15
    emit("kErfcxQuick", note.replace("28", "11") + ", short", erfcx_map, lo, hi, 13)

    def erfinv_ratio(w: mp.mpf) -> mp.mpf:
        x2 = -mp.expm1(-w)
        return mp.erfinv(mp.sqrt(x2)) / mp.sqrt(x2) if w else mp.sqrt(mp.pi) / 2

    emit("kErfinv", "erfinv(x) / x in w - 2.5, w = -log(1 - x^2) <= 5",
         lambda v: erfinv_ratio(v + mp.mpf("2.5")), -2.5, 2.5, 15)  # fmt: skip
    emit("kErfinvFar", "erfinv(x) / x in sqrt(w) - 3, 5 <= w <= 17",
         lambda v: erfinv_ratio((v + 3) ** 2), mp.sqrt(5) - 3, mp.sqrt(17) - 3, 18)  # fmt: skip
    emit("kErfinvEnd", "erfinv(x) / x in sqrt(w) - 5, 16 <= w <= 38",
         lambda v: erfinv_ratio((v + 5) ** 2), -1, mp.sqrt(38) - 5, 12)  # fmt: skip

    pair("kLgamma0", "1 - Euler's constant, the slope of lgamma at 2", 1 - mp.euler)
    slope = mp.zeta(2) / 2 - mp.mpf(1) / 2
    near_two = series(lambda t: (mp.loggamma(2 + t) / t - (1 - mp.euler)) / t, slope)
    note = "(lgamma(2 + t) / t - kLgamma0) / t, |t| <= 1/2"
    emit("kLgamma", note, near_two, -0.5, 0.5, 22)

    def stirling(u: mp.mpf) -> mp.mpf:
        x = 1 / mp.sqrt(u)
        main_part = (x - mp.mpf(1) / 2) * mp.log(x) - x + mp.log(2 * mp.pi) / 2
        return (mp.loggamma(x) - main_part) * x

    series_at_zero = series(stirling, mp.mpf(1) / 12)
    emit("kStirling", "x times Stirling's rest of lgamma in 1 / x^2, x >= 8",
         series_at_zero, 0, mp.mpf(1) / 64, 9)  # fmt: skip

    def digamma_rest(u: mp.mpf) -> mp.mpf:
        x = 1 / mp.sqrt(u)
        return (mp.log(x) - 1 / (2 * x) - mp.digamma(x)) / u

    emit("kDigamma", "x^2 (log(x) - 1 / (2x) - digamma(x)) in 1 / x^2, x >= 10",
         series(digamma_rest, mp.mpf(1) / 12), 0, mp.mpf(1) / 100, 8)  # fmt: skip
    print("}  // namespace kagari::coefficients")


def two_over_pi_bits(n: int) -> int:
    """The first n fraction bits of 2 / pi as an integer."""
    with mp.workdps(n // 3 + 40):
        return int(mp.floor(mp.ldexp(2 / mp.pi, n)))


if __name__ == "__main__":
    main()
