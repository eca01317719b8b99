"""Runs rows with one library, in a process of its own; run.py starts it.

    python worker.py LIBRARY THREADS            # reads row names, answers a JSON line for each
    python worker.py LIBRARY THREADS --once ROW # one row, measured from the start of the process

LIBRARY is kagari, torch, torch.compile, jax, numpy or onednn. THREADS is 0 for the library's own
default.
"""

from __future__ import annotations

import importlib
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from rows import Compiler, Row, load_all
from workloads.growth import POINTS

BATCHES = 5  # timed batches per visit; the median counts
BATCH_SECONDS = 0.02
VISIT_SECONDS = 1.2
FIRST_SECONDS = 5.0
SAMPLES = 256  # elements of a result that are compared


def leaves(value: Any) -> Iterator[Any]:
    """The tensors and numbers inside a result."""
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from leaves(item)
    elif value is not None:
        yield value


def fingerprint(m: Any, value: Any) -> list[dict[str, Any]]:
    """Shape, sum of magnitudes and some elements of everything in a result."""
    import numpy

    prints = []
    for leaf in leaves(value):
        if hasattr(leaf, "detach"):
            leaf = leaf.detach().to(m.float64).numpy()
        array = numpy.asarray(leaf)
        numbers = array.astype(numpy.float64).reshape(-1)
        some = numbers[:: max(1, len(numbers) // SAMPLES)]
        mean = float(abs(numbers).mean()) if len(numbers) else 0.0
        prints.append({"shape": list(array.shape), "mean": mean, "some": some.tolist()})
    return prints


def loop(work: Any) -> tuple[Callable[[int], float], Callable[[], Any]]:
    """A workload as two functions: one times n executions, the other gives a result."""
    if callable(work):
        source, names, expression = "work()", {"work": work}, None
    else:
        source, names, expression = (*work, None)[:3]
    names = dict(names)
    body = f"""
def timed(n, {", ".join(names)}):
    start = clock()
    for _ in range(n):
        {source}
    return clock() - start
"""
    scope: dict[str, Any] = {"clock": time.perf_counter}
    exec(body, scope)

    def result() -> Any:
        if expression is None:
            return eval(source, {}, names)
        exec(source, {}, names)
        return eval(expression, {}, names)

    return lambda n: scope["timed"](n, **names), result


def workload(m: Any, row: Row) -> Any:
    """What the library does for the row."""
    if m.__name__ in ("numpy", "jax"):
        from workloads import arrays

        make = arrays.numpy_work if m.__name__ == "numpy" else arrays.jax_work
        return make(m, row.name)
    if m.__name__ == "onednn":
        from workloads import onednn  # here, as above: rows of process.py time every import

        return onednn.work(m, row.name)
    m.manual_seed(0)
    if Compiler.compile is None:
        return row.setup(m)
    m._dynamo.reset()  # what other rows have left
    Compiler.used = 0
    work = row.setup(m)
    if not Compiler.used:
        raise RuntimeError("the row is marked as compiled, but compiles nothing")
    return work


def visit(m: Any, row: Row) -> dict[str, Any]:
    """Sets the row up, keeps its first result, times it."""
    import statistics  # here, as in main: rows of process.py time every import

    timed, result = loop(workload(m, row))
    start = time.perf_counter()
    prints = fingerprint(m, result())
    seconds = time.perf_counter() - start
    if row.family == "growth" and seconds > FIRST_SECONDS:  # long enough to be the measurement
        return {"value": seconds, "result": prints}
    n, seconds = 1, timed(1)
    while seconds < BATCH_SECONDS / 2 and n < 10**7:
        n *= 2 if seconds > BATCH_SECONDS / 50 else 8
        seconds = timed(n)
    batches = [seconds]
    spent = seconds
    while len(batches) < BATCHES and spent + (len(batches) >= 3) * seconds < VISIT_SECONDS:
        batches.append(timed(n))
        spent += batches[-1]
    return {"value": statistics.median(batches) / n, "result": prints}


def once(library: str, row: Row, threads: int) -> dict[str, Any]:
    """Executes the row once: seconds since the process was started, or its peak memory."""
    m = prepare(library, threads)
    value = loop(row.setup(m))[1]()
    seconds = time.monotonic() - float(os.environ["KAGARI_BENCH_START"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return {"value": seconds if row.unit == "s" else peak, "result": fingerprint(m, value)}


def prepare(library: str, threads: int) -> Any:
    """The library, with its threads set."""
    if library == "torch.compile":
        library = "torch"
        Compiler.compile = partial(importlib.import_module(library).compile, dynamic=False)
    elif library == "jax" and threads:
        # XLA has no switch for it: its pool has a thread per processor that it may run on.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    if library == "onednn":
        from workloads import onednn

        return onednn.Library()
    m = importlib.import_module(library)
    if library == "jax":
        m.config.update("jax_enable_x64", True)
    elif library != "numpy" and threads:
        m.set_num_threads(threads)
    return m


def about(m: Any, threads: int) -> dict[str, Any]:
    """Which library this is, and how many threads it runs."""
    if hasattr(m, "get_num_threads"):
        threads = m.get_num_threads()
    return {"version": m.__version__, "threads": threads or len(os.sched_getaffinity(0))}


def main() -> None:
    """Answers on the standard output; whatever a workload prints goes to standard error."""
    library, threads = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(what: Callable[[], dict[str, Any]]) -> None:
        try:
            reply = what()
        except Exception as error:  # a row that fails is reported in the table, the others go on
            reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:160]}
        import json  # when the time of a whole process is taken already

        print(json.dumps(reply), file=answers, flush=True)

    rows = load_all() | POINTS
    if len(sys.argv) > 3:
        answer(lambda: once(library, rows[sys.argv[4]], threads))
        return
    m = prepare(library, threads)
    answer(lambda: about(m, threads))
    for line in sys.stdin:
        answer(partial(visit, m, rows[line.strip()]))


if __name__ == "__main__":
    main()
