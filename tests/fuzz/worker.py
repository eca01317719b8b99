"""Runs calls one after another, in a process of its own: what a call breaks, it breaks here.

    python tests/fuzz/worker.py SEED FIRST STOP PROGRESS

PROGRESS is a file that holds three numbers of eight bytes: the call in progress, how many returned, how many reached a
kernel. Findings and, at the end, the counts of exceptions are written to standard output, a line of JSON each. A call
that ends the process leaves its number behind.
"""

from __future__ import annotations

import gc
import json
import mmap
import re
import resource
import struct
import sys
import traceback
import warnings
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.cases import Case, case
from fuzz.runtime import BrokenResult, check, flat, grads, namespace, ran_kernel

import kagari

# What a caller may meet. Anything else, or one of these with the words of an accident, is a fault of the library.
EXPECTED = (
    TypeError, ValueError, RuntimeError, IndexError, NotImplementedError, LookupError, ArithmeticError,
    BufferError, AttributeError, StopIteration, Warning,
)  # fmt: skip
# Raised by a statement of the library itself, these tell of a check that is missing.
ACCIDENTS = (
    AttributeError, KeyError, NameError, AssertionError, ZeroDivisionError, RecursionError, SystemError,
)  # fmt: skip
WORDS = (
    "internal error",
    "there is no kernel",
    "unknown C++",
    "std::",
    "basic_string",
    "vector::",
    "announced but no",
)
FOREIGN = re.compile(
    r"(type object )?'(?!Tensor|Parameter|Sub|Size|dtype|device)[\w.]+' (object )?has no attribute|"
    r"(module|type object) '[\w.]+' has no attribute"
)
PACKAGE = str(Path(kagari.__file__).parent)


@dataclass
class Finding:
    """A call that did what no call may do. `what`: one line; calls of one fault share it."""

    number: int
    what: str
    text: str
    detail: str = ""


def accident(error: BaseException) -> str:
    """Why this exception is a fault of the library; empty where it is the caller's."""
    if isinstance(error, BrokenResult):
        return f"broken result: {error}"
    name, message = type(error).__name__, str(error)
    if isinstance(error, kagari.OutOfMemoryError):
        return ""
    if isinstance(error, AssertionError) and message:  # a check that PyTorch spells so
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    where = ""
    if frames and frames[-1].filename.startswith(PACKAGE):
        where = f" in {Path(frames[-1].filename).relative_to(PACKAGE)}:{frames[-1].name}"
    if isinstance(error, SystemError) or not isinstance(error, EXPECTED):
        return f"{name}{where}: {message}"
    if any(word in message for word in WORDS):
        return f"{name}{where}: {message}"
    unforeseen = isinstance(error, ACCIDENTS) and not deliberate(frames[-1].line or "")
    # Functions written in Python take what behaves like a tensor, and Python says what does not.
    if where and unforeseen and not FOREIGN.match(message):
        return f"{name}{where}: {message}"
    return ""


def deliberate(line: str) -> bool:
    """Whether the line that raised says so."""
    return line.lstrip().startswith(("raise ", "raise\n")) or "getattr" in line


class Worker:
    """Runs calls and keeps count."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.findings: list[Finding] = []

    def run(self, number: int, c: Case) -> None:
        """One call; every exception it may raise is counted and dropped."""
        kagari.set_grad_enabled(True)
        kagari.set_default_dtype(kagari.float32)
        names = namespace()
        names["sane"] = sane
        self.counts["calls"] += 1
        try:
            exec(compile(c.text, f"<call {number}>", "exec"), names)
            r = names.get("r")
            # A view's elements are computed by reading them: `check` copies what it is given.
            arguments = [v for k, v in names.items() if k[0] == "x" and k[1:].isdigit()]
            arguments = [t for t in arguments if isinstance(t, kagari.Tensor)]
            self.counts["returned"] += 1
            self.counts["kernels"] += ran_kernel(r, arguments, c.inplace)
            for t in [*flat(r), *arguments]:
                check(
                    t, thorough=number % 8 == 0, cut="storage()" in c.text and "resize_" in c.text
                )
            if c.tape:
                found = grads(r, arguments, twice=c.tape == 2)
                for t in flat(found):
                    check(t, thorough=False)
        except BaseException as error:
            self.counts[type(error).__name__] += 1
            why = accident(error)
            if why:
                detail = "".join(traceback.format_exception(error)[-6:])
                self.findings.append(Finding(number, f"{c.subject}: {why}", c.text, detail))


def sane(error: BaseException) -> None:
    """Lets a program go on after an exception that a caller may meet."""
    if accident(error):
        raise error


def main(seed: int, first: int, stop: int, progress: str) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    kagari.set_num_threads(2)
    worker = Worker()
    with open(progress, "r+b") as file, mmap.mmap(file.fileno(), 24) as shared:
        for number in range(first, stop):
            done = worker.counts["returned"], worker.counts["kernels"]
            shared[:24] = struct.pack("<3q", number, *done)
            worker.run(number, case(seed, number))
            for finding in worker.findings:
                print(json.dumps(asdict(finding)), flush=True)
            worker.findings.clear()
            if number % 500 == 0:
                gc.collect()
        gc.collect()  # what is freed late is still this range's fault
        kagari._core._empty_cache()
    print(json.dumps(dict(worker.counts)), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]), sys.argv[4])
