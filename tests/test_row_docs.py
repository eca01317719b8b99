"""The documentation of the table's rows: complete, without strangers, loaded when it is asked for."""

from __future__ import annotations

import operator
import re
import subprocess
import sys
from typing import Any

import pytest

import kagari
from kagari._docs import documentation, entries, families
from kagari._docs.entry import Entry, Family, address, described, parameters, words, written
from kagari.nn import functional


def public_rows() -> set[str]:
    """The rows' own names, without those that begin with an underscore: kagari's and nn's."""
    rows = kagari._core._rows()
    nn = {op.__name__ for op in vars(functional).values() if type(op) is type(kagari.add)}
    return {
        r["row"]
        for r in rows
        if r["row"] and (r["function"] or r["method"] or r["inplace"] or r["name"] in nn)
    } - {r["row"] for r in rows if r["name"][0] == "_"}


def test_every_public_row_has_an_entry_and_every_entry_a_row() -> None:
    assert set(entries()) == public_rows()


@pytest.mark.parametrize("name", sorted(entries()))
def test_an_entry_speaks_of_its_parameters_alone(name: str) -> None:
    entry = entries()[name]
    known = parameters(name)
    assert all(words(entry, p) for p in known)
    assert not set(entry.words) - set(known)
    assert entry.returns and ">>> " in entry.example


@pytest.mark.parametrize("family", sorted(families()))
def test_a_family_speaks_of_parameters_that_occur(family: str) -> None:
    doc = families()[family]
    occurring = {p for name in doc.entries for p in parameters(name)}
    assert not set(doc.words) - occurring


def test_written_out() -> None:
    text = kagari.addmm.__doc__
    assert text.startswith("addmm(Tensor input, Tensor mat1, Tensor mat2, *, ")
    for part in (
        "\n.. math::\n\n    y_{ij} = ",
        "\n    alpha (Number, default 1): the factor of the product.\n",
        "\n    out (Tensor, optional): receives the result.\n",
        "\nReturns:\n    (M, N).\n",
        "\nRaises:\n    RuntimeError: ",
        "\nExample:\n    >>> import kagari\n",
        "\nReference: https://docs.pytorch.org/docs/2.13/generated/torch.addmm.html",
    ):
        assert part in text, part


def test_another_name_says_so() -> None:
    assert "Another name of :func:`kagari.abs`." in kagari.absolute.__doc__
    assert "Another name" not in kagari.abs.__doc__


def test_methods_have_no_out() -> None:
    assert "out (Tensor" in kagari.add.__doc__
    assert "out (Tensor" not in kagari.Tensor.add.__doc__
    assert kagari.Tensor.add_.__doc__.endswith("In place: writes into the tensor itself.")


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"type": "Scalar", "default": None}, "Number"),
        ({"type": "Operand", "default": "None"}, "Tensor or Number, optional"),
        ({"type": "int", "default": "-1"}, "int, default -1"),
        (
            {"type": "int[]", "default": "0", "repeat": 2, "spread": False},
            "int or tuple of ints, default 0",
        ),
        (
            {"type": "int[]", "default": "[]", "repeat": 0, "spread": False},
            "tuple of ints, optional",
        ),
    ],
)
def test_a_parameter_in_words(facts: dict[str, Any], text: str) -> None:
    assert described(facts) == text


def test_mistakes_are_named() -> None:
    family = Family("Test", returns="A tensor.")
    family("fmod", "", ">>> 1\n1")
    with pytest.raises(ValueError, match="fmod has two entries in the family 'Test'"):
        family("fmod", "", "")
    with pytest.raises(KeyError, match="lerp: the documentation has no words for .* 'end'"):
        written(Entry(family, "lerp", "", "", "", "", "", "", None, {}), "lerp", True)
    assert documentation("no such row", "x", True) == ""


def test_it_is_loaded_when_asked_for() -> None:
    program = """
import sys, kagari
loaded = lambda: any(name.startswith("kagari._docs") for name in sys.modules)
assert not loaded()
assert ">>> " in kagari.add.__doc__
assert loaded()
"""
    subprocess.run([sys.executable, "-P", "-c", program], check=True)


@pytest.mark.conformance
def test_references_name_what_pytorch_has() -> None:
    torch = pytest.importorskip("torch")
    named = re.compile(r"[/#]torch\.([\w.]+?)(?:\.html)?$")
    found = {m[1] for entry in entries().values() if (m := named.search(address(entry)))}
    assert len(found) > 200

    def there(name: str) -> bool:
        holder, _, last = name.rpartition(".")
        return hasattr(operator.attrgetter(holder)(torch) if holder else torch, last)

    assert not [name for name in sorted(found) if not there(name)]
