"""Measures PyTorch's CPU functions with the accuracy program's own references.

`python tests/csrc/simd/torch_accuracy.py PROGRAM [--step N] [names ...]` sends x and f(x) to
`accuracy --judge` and prints the largest error in units in the last place, for both types.
"""

import argparse
import subprocess

import numpy as np
import torch

NAMES = [
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sigmoid",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "erf",
    "erfc",
    "erfinv",
    "sqrt",
    "rsqrt",
    "reciprocal",
    "lgamma",
    "digamma",
    "mish",
    "bessel_i0",
    "bessel_i0e",
    "bessel_i1",
    "bessel_i1e",
]
ELSEWHERE = {"mish": torch.nn.functional.mish}


def judge(program: str, name: str, x: np.ndarray) -> str:
    """The largest error of torch's `name` over x."""
    f = ELSEWHERE.get(name) or getattr(torch, name, None)
    y = (f or getattr(torch.special, name.removeprefix("bessel_")))(torch.from_numpy(x)).numpy()
    kind = ["f64"] if x.dtype == np.float64 else []
    pairs = np.stack([x, y], axis=1).tobytes()
    done = subprocess.run(
        [program, "--judge", name, *kind], input=pairs, capture_output=True, check=False
    )
    return done.stdout.decode().strip() or f"accuracy knows no {name}"


def float_samples(step: int) -> np.ndarray:
    """Every step-th float32, NaN and infinities left out."""
    x = np.arange(0, 2**32, step, dtype=np.uint64).astype(np.uint32).view(np.float32)
    return x[np.isfinite(x)]


def double_samples(count: int) -> np.ndarray:
    """Doubles across the ranges where the functions are interesting."""
    rng = np.random.default_rng(0)
    parts = [rng.uniform(-a, a, count) for a in (1, 2, 10, 120, 760)]
    parts.append(np.ldexp(rng.uniform(-1, 1, count), rng.integers(-40, 40, count)))
    return np.concatenate(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--step", type=int, default=509)
    parser.add_argument("--doubles", type=int, default=10_000)
    options = parser.parse_args()
    x32, x64 = float_samples(options.step), double_samples(options.doubles)
    for name in options.names or NAMES:
        print(f"{name:10s} f32 {judge(options.program, name, x32)}", flush=True)
        print(f"{name:10s} f64 {judge(options.program, name, x64)}", flush=True)


if __name__ == "__main__":
    main()
