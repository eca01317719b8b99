"""Sums of products in Einstein's notation.

An equation and the operands' shapes make a program: views, sums and products of two operands each.
It is made once and kept, since making it takes longer than running it on small tensors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor

Labels = tuple[str, ...]
Shape = tuple[int, ...]


# ---- equations -----------------------------------------------------------------------------------


def _subscripts(text: str, operand: int) -> tuple[list[str], int | None]:
    """The labels of one term and where its ellipsis stands."""
    labels: list[str] = []
    ellipsis = None
    i = 0
    while i < len(text):
        c = text[i]
        if c == ".":
            if ellipsis is not None or text[i : i + 3] != "...":
                raise RuntimeError(
                    f"einsum(): found '.' for operand {operand} that is not part of any ellipsis"
                )
            ellipsis = len(labels)
            i += 3
            continue
        if not (c.isascii() and c.isalpha()):
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {i} in the equation string, "
                "subscripts must be in [a-zA-Z]"
            )
        labels.append(c)
        i += 1
    return labels, ellipsis


def _spread_ellipsis(labels: list[str], at: int | None, count: int) -> list[str]:
    """Names the dimensions that an ellipsis stands for, counted from the right."""
    if at is None:
        return labels
    return labels[:at] + [f".{count - 1 - i}" for i in range(count)] + labels[at:]


def _parse(equation: str, shapes: Sequence[Shape]) -> tuple[list[list[str]], list[str]]:
    """The labels of each operand's dimensions and of the result's."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        which = "fewer" if len(shapes) < len(terms) else "more"
        raise RuntimeError(
            f"einsum(): {which} operands were provided than specified in the equation"
        )
    inputs: list[list[str]] = []
    widest = 0
    for i, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        labels, at = _subscripts(term, i)
        count = len(shape) - len(labels)
        if count < 0 or (count > 0 and at is None):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(labels)}) "
                f"{'does not match' if at is None else 'is more than'} the number of dimensions "
                f"({len(shape)}) for operand {i}"
                + (" and no ellipsis was given" if at is None else "")
            )
        widest = max(widest, count if at is not None else 0)
        inputs.append(_spread_ellipsis(labels, at, count))
    dots = [f".{widest - 1 - i}" for i in range(widest)]
    seen = [label for labels in inputs for label in labels]
    if not arrow:  # those that occur once, in order, behind the ellipsis
        once = sorted(x for x in set(seen) if seen.count(x) == 1 and x[0] != ".")
        return inputs, dots + once
    labels, at = _subscripts(right, len(shapes))
    for label in labels:
        if label not in seen:
            raise RuntimeError(
                f"einsum(): output subscript {label} does not appear in the equation for any "
                "input operand"
            )
        if labels.count(label) > 1:
            raise RuntimeError(
                f"einsum(): output subscript {label} appears more than once in the output"
            )
    return inputs, _spread_ellipsis(labels, at, widest)


# ---- programs ------------------------------------------------------------------------------------


class _Term:
    """An operand, or what has been made of some: its place among the values, its dimensions."""

    __slots__ = ("index", "labels", "shape")

    def __init__(self, index: int, labels: Sequence[str], shape: Sequence[int]) -> None:
        self.index, self.labels, self.shape = index, tuple(labels), tuple(shape)

    def sizes(self) -> dict[str, int]:
        return dict(zip(self.labels, self.shape, strict=True))


class _Program:
    """Steps over a list of values, which begins with the operands. Each value is used once."""

    def __init__(self, operands: int) -> None:
        self.steps: list[tuple[Any, int, int, tuple[Any, ...]]] = []
        self.count = operands

    def _add(self, do: Any, one: int, other: int, *arguments: Any) -> int:
        self.steps.append((do, one, other, arguments))
        self.count += 1
        return self.count - 1

    def run(self, operands: Sequence[Tensor]) -> Tensor:
        values: list[Any] = list(operands)
        for do, one, other, arguments in self.steps:
            x, values[one] = values[one], None
            if other < 0:
                values.append(do(x, *arguments))
            else:
                y, values[other] = values[other], None
                values.append(do(x, y))
        made: Tensor = values[-1]
        return made

    # The steps; those that would change nothing are left out.

    def diagonal(self, x: _Term, first: int, second: int) -> _Term:
        """Over two dimensions of one label, which comes last."""
        rest = [k for k in range(len(x.shape)) if k not in (first, second)]
        return _Term(
            self._add(ops.diagonal, x.index, -1, 0, first, second),
            [x.labels[k] for k in [*rest, first]],
            [x.shape[k] for k in [*rest, first]],
        )

    def squeeze(self, x: _Term, dims: list[int]) -> _Term:
        if not dims:
            return x
        rest = [k for k in range(len(x.shape)) if k not in dims]
        return _Term(
            self._add(ops.squeeze, x.index, -1, dims),
            [x.labels[k] for k in rest],
            [x.shape[k] for k in rest],
        )

    def sum(self, x: _Term, keep: set[str]) -> _Term:
        over = [k for k, label in enumerate(x.labels) if label not in keep]
        if not over:
            return x
        rest = [k for k, label in enumerate(x.labels) if label in keep]
        return _Term(
            self._add(ops.sum, x.index, -1, over),
            [x.labels[k] for k in rest],
            [x.shape[k] for k in rest],
        )

    def permute(self, x: _Term, order: Sequence[str], always: bool = False) -> _Term:
        dims = [x.labels.index(label) for label in order]
        if dims == sorted(dims) and not always:
            return x
        return _Term(self._add(ops.permute, x.index, -1, dims), order, [x.shape[k] for k in dims])

    def reshape(self, x: _Term, shape: Shape, labels: Sequence[str]) -> _Term:
        if shape == x.shape:
            return _Term(x.index, labels, shape)
        return _Term(self._add(ops.reshape, x.index, -1, shape), labels, shape)

    def pair(self, a: _Term, b: _Term, keep: set[str]) -> _Term:
        """Two operands as one: labels of neither the result nor a later operand are summed."""
        a = self.sum(a, keep | set(b.labels))
        b = self.sum(b, keep | set(a.labels))
        both = [label for label in a.labels if label in b.labels]
        summed = [label for label in both if label not in keep]
        batch = [label for label in both if label in keep]
        rows = [label for label in a.labels if label not in b.labels]
        columns = [label for label in b.labels if label not in a.labels]
        order, size = batch + rows + columns, a.sizes() | b.sizes()
        shape = tuple(size[label] for label in order)
        if not summed:
            factors = []
            for x in (a, b):
                x = self.permute(x, [label for label in order if label in x.labels])
                spread = tuple(size[label] if label in x.labels else 1 for label in order)
                factors.append(self.reshape(x, spread, order))
            return _Term(self._add(ops.mul, factors[0].index, factors[1].index), order, shape)

        def count(labels: list[str]) -> int:
            return math.prod(size[label] for label in labels)

        batches = (count(batch),) if batch else ()
        left = self.permute(a, batch + rows + summed)
        right = self.permute(b, batch + summed + columns)
        # A dimension made of several carries no label: only the product reads these.
        names = ["b"] * len(batches) + ["i", "j"]
        left = self.reshape(left, (*batches, count(rows), count(summed)), names)
        right = self.reshape(right, (*batches, count(summed), count(columns)), names)
        product = _Term(
            self._add(ops.matmul, left.index, right.index),
            names,
            (*batches, count(rows), count(columns)),
        )
        return self.reshape(product, shape, order)


def _merge_repeated(program: _Program, x: _Term) -> _Term:
    """Takes the diagonal over dimensions of one label."""
    for label in dict.fromkeys(x.labels):
        while x.labels.count(label) > 1:
            first = x.labels.index(label)
            second = x.labels.index(label, first + 1)
            if x.shape[first] != x.shape[second]:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for an operand but the sizes don't "
                    f"match, {x.shape[second]} != {x.shape[first]}"
                )
            x = program.diagonal(x, first, second)
    return x


def _common_sizes(terms: Sequence[_Term]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for i, x in enumerate(terms):
        for label, size in zip(x.labels, x.shape, strict=True):
            if size != 1 and sizes.get(label, 1) not in (1, size):
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {size} for operand {i} which does not "
                    f"broadcast with previously seen size {sizes[label]}"
                )
            if label not in sizes or size != 1:
                sizes[label] = size
    return sizes


_EXHAUSTIVE = 5  # so many operands have at most 180 orders, which are all tried


def _contraction_path(
    terms: tuple[Labels, ...], sizes: tuple[tuple[str, int], ...], output: Labels
) -> tuple[tuple[int, int], ...]:
    """In which pairs to contract, each pair replaced by its result at the list's end.

    All orders are tried for few operands, for the fewest multiplications; with more, the pair is
    taken each time that frees most memory.
    """
    size = dict(sizes)

    def count(labels: frozenset[str]) -> int:
        return math.prod(size[label] for label in labels)

    def merged(rest: list[frozenset[str]], i: int, j: int) -> list[frozenset[str]]:
        others = [t for k, t in enumerate(rest) if k not in (i, j)]
        needed = frozenset(output).union(*others)
        return [*others, (rest[i] | rest[j]) & needed]

    def best(rest: list[frozenset[str]]) -> tuple[int, tuple[tuple[int, int], ...]]:
        if len(rest) == 1:
            return 0, ()
        found = []
        for i in range(len(rest)):
            for j in range(i + 1, len(rest)):
                cost, path = best(merged(rest, i, j))
                found.append((count(rest[i] | rest[j]) + cost, ((i, j), *path)))
        return min(found, key=lambda c: c[0])

    rest = [frozenset(t) for t in terms]
    path: list[tuple[int, int]] = []
    while len(rest) > _EXHAUSTIVE:
        choices = []
        for i in range(len(rest)):
            for j in range(i + 1, len(rest)):
                made = merged(rest, i, j)[-1]
                freed = count(rest[i]) + count(rest[j]) - count(made)
                choices.append((-freed, count(rest[i] | rest[j]), i, j))
        _, _, i, j = min(choices)
        path.append((i, j))
        rest = merged(rest, i, j)
    return (*path, *best(rest)[1])


@lru_cache(maxsize=1024)
def _program(equation: str, shapes: tuple[Shape, ...]) -> _Program:
    inputs, output = _parse(equation, shapes)
    program = _Program(len(shapes))
    terms = [
        _merge_repeated(program, _Term(i, labels, shape))
        for i, (labels, shape) in enumerate(zip(inputs, shapes, strict=True))
    ]
    sizes = _common_sizes(terms)
    # A dimension of one where others have more takes part by its absence.
    for i, x in enumerate(terms):
        ones = [k for k, n in enumerate(x.labels) if x.shape[k] == 1 and sizes[n] != 1]
        terms[i] = program.squeeze(x, ones)
    path: tuple[tuple[int, int], ...] = ((0, 1),) if len(terms) == 2 else ()
    if len(terms) > 2:
        path = _contraction_path(
            tuple(x.labels for x in terms), tuple(sizes.items()), tuple(output)
        )
    for i, j in path:
        one, other = terms[i], terms[j]
        terms = [t for k, t in enumerate(terms) if k not in (i, j)]
        later = {label for rest in terms for label in rest.labels}
        terms.append(program.pair(one, other, later | set(output)))
    result = program.sum(terms[0], set(output))
    program.permute(result, output, always=not program.steps)  # a view, never the operand itself
    return program


# ---- the ops -------------------------------------------------------------------------------------


@composite("einsum(str equation, Tensor[*] operands) -> Tensor")
def einsum(equation: str, operands: Sequence[Tensor]) -> Tensor:
    r"""Sums of products in Einstein's notation, taken in the pairs that cost least.

    A letter names a dimension; letters that the result lacks are summed. ``"ij,jk->ik"`` is a
    product of matrices, ``"ii"`` a trace, ``"...ij->...ji"`` a transposition. Numbers from 0 to 51
    may stand for the letters: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``.

    Args:
        equation (str): the letters of each operand, then ``->`` and those of the result; without
            it the result has the letters that occur once, sorted.
        *operands (Tensor): one for each term.

    Returns:
        The result.

    Raises:
        RuntimeError: the equation does not fit the operands.

    Example:
        >>> import kagari
        >>> kagari.einsum("ij,kj->ik", kagari.eye(2), kagari.ones(1, 2)).tolist()
        [[1.0], [1.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.einsum.html
    """
    if not operands:
        raise RuntimeError("einsum(): must provide at least one operand")
    return _program(equation, tuple([x.shape for x in operands])).run(operands)


def _letters(sublist: Any) -> str:
    """A list of numbers in the equation's letters: 0 is A, 26 is a."""
    text = ""
    for number in sublist:
        if number is Ellipsis:
            text += "..."
        elif isinstance(number, int) and 0 <= number < 52:
            text += chr(number + ord("A")) if number < 26 else chr(number - 26 + ord("a"))
        else:
            raise ValueError(f"einsum: subscript {number} in subscript list is not within [0, 52)")
    return text


@composite(
    "einsum.sublist(Tensor operand, Any sublist, "
    + ", ".join(f"Any? more_{i}=None" for i in range(18))
    + ") -> Tensor"
)
def _einsum_sublist(operand: Tensor, sublist: Any, *more: Any) -> Tensor:
    """Sums of products with a list of numbers after each operand, and one for the result last."""
    given = [operand, sublist, *more]
    while given[-1] is None:
        given.pop()
    output = _letters(given.pop()) if len(given) % 2 else None
    terms = ",".join(_letters(numbers) for numbers in given[1::2])
    operands: Any = tuple(given[::2])
    return einsum(terms if output is None else f"{terms}->{output}", operands)
