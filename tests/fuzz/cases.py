"""Which call a number stands for: the same seed and number give the same call on the same table of ops."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cache
from typing import Any

from fuzz.functional import functional_call
from fuzz.model import Gen, render
from fuzz.mutate import mutate
from fuzz.ops import op_call
from fuzz.programs import data_call, index_call, member_call, operator_call, tape_program

import kagari
import kagari.nn.functional

KINDS = ("op", "functional", "index", "data", "operator", "member", "tape")
WEIGHTS = (58, 16, 8, 5, 6, 4, 3)

# Members that end or stop the process by what they are for, or wait for input.
SPARED = frozenset({"share_memory_", "__init_subclass__", "__subclasshook__"})


@dataclass
class Case:
    """A call as text; `subject` is the op or the kind of program, for the counts."""

    text: str
    subject: str
    inplace: bool = False
    tape: int = 0  # 1: first derivatives are asked for as well, 2: second ones too


@cache
def rows() -> list[dict[str, Any]]:
    """The rows that a program can call, one after another in the order of their names."""
    return sorted(kagari._core._rows(), key=lambda r: (r["name"], r["overload"], r["signature"]))


@cache
def functionals() -> list[tuple[str, dict[str, Any]]]:
    """The functions of nn.functional with the names and defaults of their parameters."""
    found = []
    for name in sorted(dir(kagari.nn.functional)):
        f = getattr(kagari.nn.functional, name)
        if name.startswith("_") or isinstance(f, type) or not callable(f):
            continue
        try:
            parameters = inspect.signature(f).parameters
        except (TypeError, ValueError):
            parameters = {}
        found.append((name, {k: p.default for k, p in parameters.items()}))
    return found


@cache
def members() -> list[str]:
    """What Tensor has besides the ops."""
    ops = {row["name"] for row in rows()}
    return [n for n in sorted(dir(kagari.Tensor)) if n.rstrip("_") not in ops and n not in SPARED]


def case(seed: int, number: int) -> Case:
    """The call of this number."""
    g = Gen(f"{seed}:{number}")
    kind = g.weighted(KINDS, WEIGHTS)
    if kind in ("op", "functional"):
        if kind == "op":
            row = g.pick(rows())
            call = op_call(g, row)
            if call.target.startswith("kagari.") and not hasattr(kagari, row["name"]):
                call.target = f"kagari._core.ops.{row['name']}"
        else:
            call = functional_call(g, *g.pick(functionals()))
        mutate(g, call)
        tape = g.weighted((0, 1, 2), (5, 3, 2)) if any(t.grad for t in call.tensors()) else 0
        return Case(render(call), call.target, call.inplace, tape)
    if kind == "index":
        return Case(index_call(g), kind, inplace=True)
    if kind == "data":
        return Case(data_call(g), kind)
    if kind == "operator":
        return Case(operator_call(g), kind, tape=g.pick((0, 1)))
    if kind == "member":
        return Case(member_call(g, members()), kind)
    return Case(tape_program(g), kind, inplace=True)
