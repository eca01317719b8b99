"""Computes the series of the special functions and prints `special_coefficients.h`.

Smooth factors of the functions are interpolated at Chebyshev nodes in 40 digits; the uniform
expansion of the incomplete gamma functions comes from its power series. Run from anywhere:
`python csrc/cpu/special_coefficients.py | clang-format > csrc/cpu/special_coefficients.h`
(needs mpmath).
"""

from collections.abc import Callable

import mpmath as mp  # type: ignore[import-untyped]

mp.mp.dps = 40
Function = Callable[[mp.mpf], mp.mpf]


def chebyshev(f: Function, lo: float | mp.mpf, hi: float | mp.mpf) -> list[mp.mpf]:
    """The Chebyshev series of f on [lo, hi], cut where its terms fall below 2^-58."""
    n = 56
    lo, hi = mp.mpf(lo), mp.mpf(hi)
    angles = [mp.pi * (2 * k + 1) / (2 * n) for k in range(n)]
    values = [f((lo + hi) / 2 + (hi - lo) / 2 * mp.cos(a)) for a in angles]
    c = [
        2 * sum(v * mp.cos(j * a) for v, a in zip(values, angles, strict=True)) / n
        for j in range(n)
    ]
    c[0] /= 2
    bound = max(abs(v) for v in c) / mp.mpf(2) ** 58
    while abs(c[-1]) < bound:
        c.pop()
    assert len(c) < n - 2, "the series needs more terms"
    return c


def emit(name: str, note: str, c: list[mp.mpf]) -> None:
    print(f"// {note}")
    print(f"inline constexpr double {name}[] = {{")
    print(",".join(float(v).hex() for v in c) + "};\n")


def modified_bessel() -> None:
    i = mp.besseli
    k = mp.besselk
    emit("kI0Near", "exp(-x) I0(x), x from 0 to 8", chebyshev(lambda x: mp.exp(-x) * i(0, x), 0, 8))
    emit(
        "kI1Near",
        "exp(-x) I1(x) / x, x from 0 to 8",
        chebyshev(lambda x: mp.exp(-x) * i(1, x) / x, 0, 8),
    )
    for order in (0, 1):
        emit(
            f"kI{order}Far",
            f"sqrt(x) exp(-x) I{order}(x) in 8 / x",
            chebyshev(lambda t, n=order: mp.sqrt(8 / t) * mp.exp(-8 / t) * i(n, 8 / t), 0, 1),
        )
        emit(
            f"kK{order}Far",
            f"sqrt(x) exp(x) K{order}(x) in 2 / x",
            chebyshev(lambda t, n=order: mp.sqrt(2 / t) * mp.exp(2 / t) * k(n, 2 / t), 0, 1),
        )
    emit(
        "kK0Near",
        "K0(x) + log(x / 2) I0(x) in x^2, x up to 2",
        chebyshev(lambda z: k(0, mp.sqrt(z)) + mp.log(mp.sqrt(z) / 2) * i(0, mp.sqrt(z)), 0, 4),
    )
    emit(
        "kK1Near",
        "x (K1(x) - log(x / 2) I1(x)) in x^2, x up to 2",
        chebyshev(
            lambda z: mp.sqrt(z) * (k(1, mp.sqrt(z)) - mp.log(mp.sqrt(z) / 2) * i(1, mp.sqrt(z))),
            0,
            4,
        ),
    )


def bessel() -> None:
    j = mp.besselj
    y = mp.bessely
    two_over_pi = 2 / mp.pi
    emit("kJ0Near", "J0(x) in x^2, x up to 8", chebyshev(lambda z: j(0, mp.sqrt(z)), 0, 64))
    emit(
        "kJ1Near",
        "J1(x) / x in x^2, x up to 8",
        chebyshev(lambda z: j(1, mp.sqrt(z)) / mp.sqrt(z), 0, 64),
    )
    emit(
        "kY0Near",
        "Y0(x) - 2 / pi log(x / 2) J0(x) in x^2, x up to 8",
        chebyshev(
            lambda z: y(0, mp.sqrt(z)) - two_over_pi * mp.log(mp.sqrt(z) / 2) * j(0, mp.sqrt(z)),
            0,
            64,
        ),
    )
    emit(
        "kY1Near",
        "x (Y1(x) - 2 / pi log(x / 2) J1(x)) in x^2, x up to 8",
        chebyshev(
            lambda z: (
                mp.sqrt(z)
                * (y(1, mp.sqrt(z)) - two_over_pi * mp.log(mp.sqrt(z) / 2) * j(1, mp.sqrt(z)))
            ),
            0,
            64,
        ),
    )
    for order in (0, 1):

        def amplitudes(t: mp.mpf, n: int = order) -> tuple[mp.mpf, mp.mpf]:
            x = 8 / mp.sqrt(t)
            phase = x - (2 * n + 1) * mp.pi / 4
            scale = mp.sqrt(mp.pi * x / 2)
            p = scale * (j(n, x) * mp.cos(phase) + y(n, x) * mp.sin(phase))
            q = scale * (y(n, x) * mp.cos(phase) - j(n, x) * mp.sin(phase))
            return p, q * x

        emit(
            f"kP{order}",
            f"the part of J{order} in phase, in 64 / x^2",
            chebyshev(lambda t: amplitudes(t)[0], 0, 1),
        )
        emit(
            f"kQ{order}",
            f"x times the part of J{order} out of phase, in 64 / x^2",
            chebyshev(lambda t: amplitudes(t)[1], 0, 1),
        )


def airy() -> None:
    root_pi = mp.sqrt(mp.pi)
    for derivative, name in ((0, "Airy"), (1, "AiryPrime")):

        def ai(x: mp.mpf, d: int = derivative) -> mp.mpf:
            return mp.airyai(x, derivative=d)

        def bi(x: mp.mpf, d: int = derivative) -> mp.mpf:
            return mp.airybi(x, derivative=d)

        emit(f"k{name}Low", f"{name} from -5 to -2", chebyshev(ai, -5, -2))
        emit(f"k{name}Mid", f"{name} from -2 to 2", chebyshev(ai, -2, 2))
        quarter = mp.mpf(1 - 2 * derivative) / 4

        def right(t: mp.mpf, f: Function = ai, q: mp.mpf = quarter) -> mp.mpf:
            zeta = mp.mpf("1.75") / t
            x = (3 * zeta / 2) ** (mp.mpf(2) / 3)
            return 2 * root_pi * x**q * mp.exp(zeta) * f(x)

        def left(
            t: mp.mpf, d: int = derivative, f: Function = ai, g: Function = bi, q: mp.mpf = quarter
        ) -> tuple[mp.mpf, mp.mpf]:
            zeta = 7 / mp.sqrt(t)
            z = (3 * zeta / 2) ** (mp.mpf(2) / 3)
            theta = zeta - mp.pi / 4
            s, c = mp.sin(theta), mp.cos(theta)
            a, b = root_pi * z**q * f(-z), root_pi * z**q * g(-z)
            if d == 0:
                return a * c - b * s, (a * s + b * c) * zeta
            return a * s + b * c, (b * s - a * c) * zeta

        emit(
            f"k{name}Right",
            f"2 sqrt(pi) x^(1/4) exp(z) {name}(x) in 1.75 / z, z = 2 x^(3/2) / 3",
            chebyshev(right, 0, 1),
        )
        emit(
            f"k{name}P",
            f"the part of {name}(-x) in phase, in 49 / z^2",
            chebyshev(lambda t: left(t)[0], 0, 1),
        )
        emit(
            f"k{name}Q",
            f"z times the part of {name}(-x) out of phase, in 49 / z^2",
            chebyshev(lambda t: left(t)[1], 0, 1),
        )


def gamma() -> None:
    def scaled_erfcx(t: mp.mpf) -> mp.mpf:
        x = 3 * (1 + t) / (1 - t)
        return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)

    emit(
        "kErfcx",
        "(1 + 2 x) exp(x^2) erfc(x) in (x - 3) / (x + 3)",
        chebyshev(scaled_erfcx, -1, 1),
    )
    emit(
        "kLgamma1p",
        "lgamma(1 + a) / a, a from 0 to 1",
        chebyshev(lambda a: mp.loggamma(1 + a) / a, 0, 1),
    )
    # P(a, x) = erfc(-eta sqrt(a / 2)) / 2 - R, R = exp(-a eta^2 / 2) / sqrt(2 pi a) sum c_k a^-k,
    # eta^2 / 2 = m - log(1 + m), m = x / a - 1. c_0 = 1 / m - 1 / eta and
    # c_k = c_{k-1}' / eta + (-1)^k g_k / m; gamma(a) ~ sqrt(2 pi / a) (a / e)^a sum g_k / a^k.
    rows, terms = 14, 18
    n = terms + 2 * rows + 4
    m = [mp.mpf(0), mp.mpf(1)]
    for k in range(2, n):  # m m' = eta (1 + m)
        rest = m[k - 1] - sum(i * m[i] * m[k + 1 - i] for i in range(2, k))
        m.append(rest / (k + 1))
    inverse = [mp.mpf(1)]  # eta / m
    for k in range(1, n - 1):
        inverse.append(-sum(m[i + 1] * inverse[k - i] for i in range(1, k + 1)))
    stirling = [mp.mpf(1)]  # from the exponential of Stirling's series
    logs = [mp.mpf(0)] * (rows + 1)
    for k in range(1, rows // 2 + 2):
        if 2 * k - 1 <= rows:
            logs[2 * k - 1] = mp.bernoulli(2 * k) / (2 * k * (2 * k - 1))
    for k in range(1, rows + 1):
        stirling.append(sum(i * logs[i] * stirling[k - i] for i in range(1, k + 1)) / k)
    c = inverse[1:]
    print("// Temme's expansion: row k, column n is the coefficient of eta^n in c_k.")
    print(f"inline constexpr double kTemme[{rows}][{terms}] = {{")
    for k in range(rows):
        print("{" + ",".join(float(v).hex() for v in c[:terms]) + "},")
        sign_g = (-1) ** (k + 1) * stirling[k + 1]
        slope = [(i + 1) * c[i + 1] for i in range(len(c) - 1)]  # of eta^i
        laurent = [sign_g * inverse[i] for i in range(len(slope))]  # of eta^(i - 1)
        assert abs(slope[0] + laurent[0]) < mp.mpf(10) ** -25, "the pole must cancel"
        c = [slope[i] + laurent[i] for i in range(1, len(slope))]
    print("};\n")


def main() -> None:
    print("// Series of the special functions. Computed by special_coefficients.py; do not edit.")
    print("#pragma once\n\nnamespace kagari::scalar::series {\n")
    modified_bessel()
    bessel()
    airy()
    gamma()
    print("}  // namespace kagari::scalar::series")


if __name__ == "__main__":
    main()
