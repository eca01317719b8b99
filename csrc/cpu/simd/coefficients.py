"""Fits the polynomials of the vectorised mathematics and prints `coefficients.h`.

Each polynomial interpolates its function, in 60 digits, at Chebyshev nodes of its interval, which
is within a small factor of the best possible maximum error. Run from anywhere:
`python csrc/cpu/simd/coefficients.py | clang-format > csrc/cpu/simd/coefficients.h` (needs mpmath).
"""

import struct
from collections.abc import Callable

import mpmath as mp  # type: ignore[import-untyped]

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
    note = "(erf(x) / x - 2 / sqrt(pi)) / x^2 in x^2, |x| <= 1, short"
    emit("kErfQuick", note, erf_tail, 0, 1, 8)

    def erfcx_map(t: mp.mpf) -> mp.mpf:
        x = 4 * (1 + t) / (1 - t)
        return erfcx(x) * (1 + 2 * x)

    emit("kErfFar", "-log(1 - erf(x)) in x - 2.5, 1 <= x <= 4, short",
         lambda v: -mp.log(mp.erfc(v + mp.mpf("2.5"))), -1.5, 1.5, 12)  # fmt: skip
    erf_far1 = -mp.log(mp.erfc(1))
    pair("kErfFar1", "-log(1 - erf(1))", erf_far1)
    slope = mp.diff(lambda v: -mp.log(mp.erfc(v)), 1)
    far_tail = series(lambda u: (-mp.log(mp.erfc(1 + u)) - erf_far1) / u, slope)
    emit("kErfFarFloat", "(-log(1 - erf(x)) - kErfFar1) / (x - 1) in x - 1, 1 <= x <= 4, short",
         far_tail, 0, 3, 8)  # fmt: skip
    lo, hi = (mp.mpf("0.74") - 4) / mp.mpf("4.74"), (mp.mpf(28) - 4) / 32
    note = "exp(x^2) erfc(x) (1 + 2x) in t = (x - 4) / (x + 4), 0.74 <= x <= 28"
    centre = erfcx_map(mp.mpf(0))
    pair("kErfcx0", note + ", at t = 0", centre)
    slope = mp.diff(erfcx_map, 0)
    tail = series(lambda t: (erfcx_map(t) - centre) / t, slope)
    emit("kErfcx", "the same less that, divided by t", tail, lo, hi, 22)
    hi = (mp.mpf(11) - 4) / 15
    emit("kErfcxQuick", note.replace("28", "11") + ", short", erfcx_map, lo, hi, 13)

    def normal_tail(t: mp.mpf) -> mp.mpf:
        s = t + mp.mpf("0.375")
        a = 4 * s / (1 - s)
        return erfcx(a / mp.sqrt(2)) / 2 * (a + 4)

    hi = mp.mpf("13.1") / mp.mpf("17.1") - mp.mpf("0.375")
    note = "exp(a^2 / 2) ncdf(-a) (a + 4) in s - 3/8, s = a / (a + 4), 0 <= a <= 13.1"
    emit("kNormalTail", note, normal_tail, -0.375, hi, 11)

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
    emit("kLgammaQuick", note + ", short", near_two, -0.5, 0.5, 13)

    def stirling(u: mp.mpf) -> mp.mpf:
        x = 1 / mp.sqrt(u)
        main_part = (x - mp.mpf(1) / 2) * mp.log(x) - x + mp.log(2 * mp.pi) / 2
        return (mp.loggamma(x) - main_part) * x

    series_at_zero = series(stirling, mp.mpf(1) / 12)
    emit("kStirling", "x times Stirling's rest of lgamma in 1 / x^2, x >= 8",
         series_at_zero, 0, mp.mpf(1) / 64, 9)  # fmt: skip
    emit("kStirlingQuick", "the same, short",
         series_at_zero, 0, mp.mpf(1) / 64, 5)  # fmt: skip

    def digamma_rest(u: mp.mpf) -> mp.mpf:
        x = 1 / mp.sqrt(u)
        return (mp.log(x) - 1 / (2 * x) - mp.digamma(x)) / u

    emit("kDigamma", "x^2 (log(x) - 1 / (2x) - digamma(x)) in 1 / x^2, x >= 10",
         series(digamma_rest, mp.mpf(1) / 12), 0, mp.mpf(1) / 100, 8)  # fmt: skip
    float_tables()
    print("}  // namespace kagari::coefficients")


def as_float(v: mp.mpf) -> mp.mpf:
    """v rounded to float32."""
    return mp.mpf(struct.unpack("f", struct.pack("f", float(v)))[0])


def float_pair(name: str, values: list[mp.mpf]) -> None:
    """A table of numbers, each as an unevaluated sum of two floats."""
    high = [as_float(v) for v in values]
    float_array(name + "_hi", high)
    float_array(name + "_lo", [as_float(v - h) for v, h in zip(values, high, strict=True)])


def float_array(name: str, values: list[mp.mpf]) -> None:
    print(f"alignas(64) inline constexpr float {name}[] = {{")
    for i in range(0, len(values), 4):
        print("    " + " ".join(float(as_float(v)).hex() + "f," for v in values[i : i + 4]))
    print("};")


def float_tables() -> None:
    """What float lanes look up in registers: powers of two for exp, pieces of erf."""
    for bits in (4, 3):
        count = 2**bits
        r = mp.log(2) / 2 / count * mp.mpf("1.01")
        tail = series(lambda x: (mp.expm1(x) - x) / x**2, mp.mpf(1) / 2)
        note = f"(exp(r) - 1 - r) / r^2, |r| <= ln2 / {2 * count}, for float lanes"
        emit(f"kExpFloat{count}", note, tail, -r, r, 3)
        print(f"// 2^(j / {count}).")
        float_pair(f"kPower{count}", [mp.mpf(2) ** (mp.mpf(j) / count) for j in range(count)])
        print()
    # erf(k / 8 + r) for |r| <= 1/16: the value, the slope and four more terms.
    rows = []
    for k in range(32):
        centre = mp.mpf(k) / 8
        value, slope = mp.erf(centre), 2 / mp.sqrt(mp.pi) * mp.exp(-centre * centre)

        def rest(r: mp.mpf, c: mp.mpf = centre, v: mp.mpf = value, s: mp.mpf = slope) -> mp.mpf:
            return (mp.erf(c + r) - v - s * r) / r**2 if abs(r) > 1e-13 else -c * s

        if k == 0:  # odd: only odd powers, so that the relative error stays small
            odd = fit(lambda z: (mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 2 / mp.sqrt(mp.pi)) / z,
                      mp.mpf("1e-12"), mp.mpf(1) / 256, 2)  # fmt: skip
            terms4 = [mp.mpf(0), odd[0], mp.mpf(0), odd[1]]
        else:
            terms4 = fit(rest, mp.mpf(-1) / 16, mp.mpf(1) / 16, 4)
        rows.append([value, slope, *terms4])
    print("// erf(k / 8 + r) = value + r (slope + r (c2 + r (c3 + r (c4 + r c5)))), |r| <= 1 / 16.")
    float_pair("kErfValue", [row[0] for row in rows])
    float_pair("kErfSlope", [row[1] for row in rows])
    for n in range(2, 6):
        float_array(f"kErfC{n}", [row[n] for row in rows])
    print()
    tanh_tables()
    log_tables()


def tanh_tables() -> None:
    """Pieces of tanh over the eighths of the octaves of |x| + 3/4, from 3/4 to 10 and a little."""
    rows = []
    for k in range(32):
        if k == 0:
            odd = fit(lambda z: (mp.tanh(mp.sqrt(z)) / mp.sqrt(z) - 1) / z,
                      mp.mpf("1e-12"), mp.mpf(1) / 256, 2)  # fmt: skip
            rows.append([mp.mpf(v) for v in (0, 1, 0, odd[0], 0, odd[1], 0, 0)])
            continue
        octave, eighth = divmod(k + 4, 8)
        half = mp.mpf(2) ** (octave - 1) / 16
        centre = mp.mpf(2) ** (octave - 1) * (1 + mp.mpf(eighth) / 8) + half - mp.mpf("0.75")
        value, slope = mp.tanh(centre), mp.sech(centre) ** 2

        def rest(r: mp.mpf, c: mp.mpf = centre, v: mp.mpf = value, s: mp.mpf = slope) -> mp.mpf:
            return (mp.tanh(c + r) - v - s * r) / r**2 if abs(r) > 1e-13 else -v * s

        rows.append([value, slope, *fit(rest, -half, half, 6)])
    print("// tanh(centre + r), as erf above, with two terms more.")
    float_pair("kTanhValue", [row[0] for row in rows])
    float_pair("kTanhSlope", [row[1] for row in rows])
    for n in range(2, 8):
        float_array(f"kTanhC{n}", [row[n] for row in rows])
    print()


def log_tables() -> None:
    """log(m) = -log(c) + log(1 + r), r = m c - 1, for sixteen pieces of [3/4, 3/2)."""
    inverse = []
    for j in range(16):
        lo = mp.mpf("0.75") + mp.mpf(j) / 32 if j < 8 else 1 + mp.mpf(j - 8) / 16
        width = mp.mpf(1) / 32 if j < 8 else mp.mpf(1) / 16
        centre = lo + width / 2
        inverse.append(mp.mpf(1) if j in (7, 8) else mp.nint(32 / centre) / 32)
    logs = [-mp.log(c) for c in inverse]
    high = [mp.nint(v * 2**16) / 2**16 for v in logs]
    print("// Few-bit reciprocals c of sixteen pieces of [3/4, 3/2), and -log(c), its first part")
    print("// and that of ln 2 multiples of 2^-16, so that sums of them are exact.")
    float_array("kLogInverse", inverse)
    float_array("kLogPiece_hi", high)
    float_array("kLogPiece_lo", [v - h for v, h in zip(logs, high, strict=True)])
    ln2 = mp.nint(mp.log(2) * 2**16) / 2**16
    print(f"inline constexpr float kLn2Short_hi = {float(ln2).hex()}f;")
    print(f"inline constexpr float kLn2Short_lo = {float(as_float(mp.log(2) - ln2)).hex()}f;")
    tail = series(lambda r: (mp.log1p(r) - r) / r**2, mp.mpf(-1) / 2)
    emit("kLogFloat", "(log(1 + r) - r) / r^2 for the pieces", tail, -0.05, 0.0626, 6)


def two_over_pi_bits(n: int) -> int:
    """The first n fraction bits of 2 / pi as an integer."""
    with mp.workdps(n // 3 + 40):
        return int(mp.floor(mp.ldexp(2 / mp.pi, n)))


if __name__ == "__main__":
    main()
