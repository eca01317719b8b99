"""Products of tensors: composites of matrix products, multiplication and views."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from kagari._core import composite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor


def _vectors(name: str, a: Tensor, b: Tensor) -> None:
    if a.dim() != 1 or b.dim() != 1:
        raise RuntimeError(
            f"{name}: Expected 1-D arguments, got {a.dim()}-D of shape {tuple(a.shape)} and "
            f"{b.dim()}-D of shape {tuple(b.shape)}; flatten them first"
        )


@composite("outer(Tensor input, Tensor vec2) -> Tensor", method=True, out=True)
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    r"""The outer product: :math:`y_{ij} = a_i b_j`.

    Args:
        input (Tensor): a, ``(n,)``.
        vec2 (Tensor): b, ``(m,)``.

    Returns:
        ``(n, m)``, of the promoted dtype.

    Raises:
        RuntimeError: an argument is not a vector.

    Example:
        >>> import kagari
        >>> kagari.outer(kagari.tensor([1, 2]), kagari.tensor([3, 4])).tolist()
        [[3, 4], [6, 8]]

    Reference: https://pytorch.org/docs/stable/generated/torch.outer.html
    """
    _vectors("outer", input, vec2)
    return input.unsqueeze(1) * vec2


@composite("ger(Tensor input, Tensor vec2) -> Tensor", method=True, out=True)
def ger(input: Tensor, vec2: Tensor) -> Tensor:
    r"""Another name of :func:`kagari.outer`: :math:`y_{ij} = a_i b_j`.

    Args:
        input (Tensor): a, ``(n,)``.
        vec2 (Tensor): b, ``(m,)``.

    Returns:
        A matrix, ``(n, m)``.

    Raises:
        RuntimeError: an argument has another number of dimensions.

    Example:
        >>> import kagari
        >>> kagari.ger(kagari.tensor([1.0, 2.0]), kagari.tensor([3.0, 4.0]))
        tensor([[3., 4.],
                [6., 8.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.ger.html
    """
    _vectors("ger", input, vec2)
    return input.unsqueeze(1) * vec2


@composite("vdot(Tensor input, Tensor other) -> Tensor", method=True, out=True)
def vdot(input: Tensor, other: Tensor) -> Tensor:
    r"""The product of two vectors, the first conjugated: :math:`\sum_i \bar a_i b_i`.

    Args:
        input (Tensor): a, ``(n,)``.
        other (Tensor): b, ``(n,)``.

    Returns:
        A tensor without dimensions.

    Raises:
        RuntimeError: the vectors differ in length or dtype.

    Example:
        >>> import kagari
        >>> kagari.vdot(kagari.tensor([1j]), kagari.tensor([1j])).item()
        (1+0j)

    Reference: https://pytorch.org/docs/stable/generated/torch.vdot.html
    """
    return (input.conj_physical() if input.is_complex() else input).dot(other)


@composite("inner(Tensor input, Tensor other) -> Tensor", method=True, out=True)
def inner(input: Tensor, other: Tensor) -> Tensor:
    r"""Sums of products over the last dimensions: :math:`y_{ij} = \sum_k a_{ik} b_{jk}`.

    Args:
        input (Tensor): a, ``(..., k)``.
        other (Tensor): b, ``(..., k)``.

    Returns:
        The leading sizes of a, then those of b.

    Raises:
        RuntimeError: the last sizes differ.

    Example:
        >>> import kagari
        >>> kagari.inner(kagari.tensor([1, 2, 3]), kagari.tensor([0, 2, 1])).item()
        7

    Reference: https://pytorch.org/docs/stable/generated/torch.inner.html
    """
    if input.dim() == 0 or other.dim() == 0:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    return _contract(input, other, [input.dim() - 1], [other.dim() - 1])


@composite(
    "addr(Tensor input, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
    method=True,
    inplace=True,
    out=True,
)
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, beta: Any, alpha: Any) -> Tensor:
    r"""A matrix plus an outer product: :math:`\beta\,M + \alpha\,a b^T`.

    Args:
        input (Tensor): M, broadcasts to ``(n, m)``; ignored where ``beta`` is 0.
        vec1 (Tensor): a, ``(n,)``.
        vec2 (Tensor): b, ``(m,)``.
        beta (Number): factor of M.
        alpha (Number): factor of the product.

    Returns:
        ``(n, m)``.

    Raises:
        RuntimeError: an argument is not a vector.

    Example:
        >>> import kagari
        >>> kagari.addr(kagari.zeros(2, 2), kagari.ones(2), kagari.ones(2), alpha=2).tolist()
        [[2.0, 2.0], [2.0, 2.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.addr.html
    """
    import kagari

    _vectors("addr", vec1, vec2)
    result = kagari.promote_types(kagari.promote_types(input.dtype, vec1.dtype), vec2.dtype)
    if result == kagari.bool:
        product = vec1.unsqueeze(1) & vec2 & bool(alpha)
        return (input & bool(beta)) | product
    if not (result.is_floating_point or result.is_complex):
        for name, factor in (("beta", beta), ("alpha", alpha)):
            if not isinstance(factor, int):
                raise RuntimeError(
                    f"addr: For integral input tensors, argument {name} must not be a floating "
                    f"point number, got {factor}"
                )
    product = vec1.unsqueeze(1) * vec2
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product.expand_as(input + product) if input.dim() > 2 else product
    return (input if beta == 1 else input * beta) + product


@composite(
    "addbmm(Tensor input, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1)"
    " -> Tensor",
    method=True,
    inplace=True,
    out=True,
    autocast="lower",
)
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, beta: Any, alpha: Any) -> Tensor:
    r"""A matrix plus a sum of products: :math:`\beta\,M + \alpha \sum_b A_b B_b`.

    Args:
        input (Tensor): M, broadcasts to ``(n, p)``.
        batch1 (Tensor): A, ``(b, n, m)``.
        batch2 (Tensor): B, ``(b, m, p)``.
        beta (Number): factor of M; 0 ignores it.
        alpha (Number): factor of the sum.

    Returns:
        ``(n, p)``.

    Raises:
        RuntimeError: the shapes do not fit.

    Example:
        >>> import kagari
        >>> a = kagari.ones(3, 1, 2)
        >>> kagari.addbmm(kagari.zeros(1, 1), a, a.transpose(1, 2)).tolist()
        [[6.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.addbmm.html
    """
    if batch1.dim() != 3 or batch2.dim() != 3:
        raise RuntimeError(
            f"addbmm: expected batches of matrices, got shapes {tuple(batch1.shape)} and "
            f"{tuple(batch2.shape)}"
        )
    if batch1.shape[0] != batch2.shape[0] or batch1.shape[2] != batch2.shape[1]:
        raise RuntimeError(
            "addbmm: Expected size for first two dimensions of batch2 tensor to be: "
            f"[{batch1.shape[0]}, {batch1.shape[2]}] but got: "
            f"[{batch2.shape[0]}, {batch2.shape[1]}]."
        )
    # The sum over the batch is a sum over longer rows.
    b, n, m = batch1.shape
    rows = batch1.permute(1, 0, 2).reshape(n, b * m)
    columns = batch2.reshape(b * m, batch2.shape[2])
    return input.addmm(rows, columns, beta=beta, alpha=alpha)


@composite("bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor")
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    r"""A form of two vectors for each output: :math:`y_k = x_1^T W_k x_2 + b_k`.

    Args:
        input1 (Tensor): ``(..., in1)``.
        input2 (Tensor): ``(..., in2)`` with the same leading sizes.
        weight (Tensor): ``(out, in1, in2)``.
        bias (Tensor): ``(out,)``.

    Returns:
        ``(..., out)``.

    Raises:
        RuntimeError: the shapes do not fit.

    Example:
        >>> import kagari
        >>> one = kagari.ones(1, 2)
        >>> kagari.bilinear(one, one, kagari.ones(1, 2, 2)).tolist()
        [[4.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Bilinear.html
    """
    shapes = (
        f"input1 {tuple(input1.shape)}, input2 {tuple(input2.shape)}, weight {tuple(weight.shape)}"
    )
    if input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(f"bilinear: expected inputs of the same leading sizes, got {shapes}")
    if weight.dim() != 3 or (input1.shape[-1], input2.shape[-1]) != tuple(weight.shape[1:]):
        raise RuntimeError(f"bilinear: expected weight (out, in1, in2), got {shapes}")
    count, in1, in2 = weight.shape
    left = input1 @ weight.permute(1, 0, 2).reshape(in1, count * in2)
    left = left.reshape(*input1.shape[:-1], count, in2)
    result = (left @ input2.unsqueeze(-1)).squeeze(-1)
    return result if bias is None else result + bias


@composite("kron(Tensor input, Tensor other) -> Tensor", method=True, out=True)
def kron(input: Tensor, other: Tensor) -> Tensor:
    r"""The Kronecker product: each element of ``input`` times all of ``other``.

    Args:
        input (Tensor): any shape.
        other (Tensor): any shape; the shorter shape is led by ones.

    Returns:
        Each size is the product of the two tensors' sizes.

    Example:
        >>> import kagari
        >>> kagari.kron(kagari.eye(2), kagari.ones(1, 2)).tolist()
        [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.kron.html
    """
    dims = max(input.dim(), other.dim())
    a = (1,) * (dims - input.dim()) + tuple(input.shape)
    b = (1,) * (dims - other.dim()) + tuple(other.shape)
    left = input.reshape([n for size in a for n in (size, 1)])
    right = other.reshape([n for size in b for n in (1, size)])
    return (left * right).reshape([m * n for m, n in zip(a, b, strict=True)])


# ---- contractions --------------------------------------------------------------------------------


def _contract(a: Tensor, b: Tensor, over_a: Sequence[int], over_b: Sequence[int]) -> Tensor:
    """Sums over pairs of dimensions, as one product of matrices."""
    keep_a = [d for d in range(a.dim()) if d not in over_a]
    keep_b = [d for d in range(b.dim()) if d not in over_b]
    k = math.prod(a.shape[d] for d in over_a)
    sizes = [a.shape[d] for d in keep_a] + [b.shape[d] for d in keep_b]
    rows = math.prod(a.shape[d] for d in keep_a)
    columns = math.prod(b.shape[d] for d in keep_b)
    left = a.permute(*keep_a, *over_a).reshape(rows, k)
    right = b.permute(*over_b, *keep_b).reshape(k, columns)
    return left.mm(right).reshape(sizes)


@composite("tensordot(Tensor a, Tensor b, Any dims=2) -> Tensor", out=True)
def tensordot(a: Tensor, b: Tensor, dims: Any) -> Tensor:
    r"""Sums of products over several dimensions of each.

    Args:
        a (Tensor): left tensor.
        b (Tensor): right tensor.
        dims (int or two lists of int): how many dimensions, the last of ``a`` and the first of
            ``b``, or which ones of each.

    Returns:
        The sizes of ``a`` that are left, then those of ``b``.

    Raises:
        RuntimeError: the dimensions do not match.

    Example:
        >>> import kagari
        >>> kagari.tensordot(kagari.ones(2, 3), kagari.ones(3, 4), dims=1).tolist()[0]
        [3.0, 3.0, 3.0, 3.0]

    Reference: https://pytorch.org/docs/stable/generated/torch.tensordot.html
    """
    if hasattr(dims, "tolist"):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(
                f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims} "
                f"(shapes {tuple(a.shape)} and {tuple(b.shape)})"
            )
        over_a, over_b = list(range(a.dim() - dims, a.dim())), list(range(dims))
    else:
        first, second = dims
        over_a = [first] if isinstance(first, int) else list(first)
        over_b = [second] if isinstance(second, int) else list(second)
    if len(over_a) != len(over_b):
        raise RuntimeError(
            "both dimension lists should have the same length, got "
            f"{len(over_a)} and {len(over_b)} dimensions"
        )
    over_a = [d + a.dim() if d < 0 else d for d in over_a]
    over_b = [d + b.dim() if d < 0 else d for d in over_b]
    for i, j in zip(over_a, over_b, strict=True):
        if a.shape[i] == b.shape[j]:
            continue
        # A size of one is broadcast: the other's dimension is summed.
        if a.shape[i] == 1:
            b = b.sum(j, keepdim=True, dtype=b.dtype)
        elif b.shape[j] == 1:
            a = a.sum(i, keepdim=True, dtype=a.dtype)
        else:
            raise RuntimeError(
                "contracted dimensions need to match, but first has size "
                f"{a.shape[i]} in dim {i} and second has size {b.shape[j]} in dim {j}"
            )
    return _contract(a, b, over_a, over_b)


def _multiply_in_best_order(matrices: Sequence[Tensor]) -> Tensor:
    """The product of a chain in the order of the fewest multiplications."""
    n = len(matrices)
    sizes = [matrices[0].shape[0]] + [m.shape[1] for m in matrices]
    cost = [[0] * n for _ in range(n)]
    cut = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            choices = [
                (cost[i][c] + cost[c + 1][j] + sizes[i] * sizes[c + 1] * sizes[j + 1], c)
                for c in range(i, j)
            ]
            cost[i][j], cut[i][j] = min(choices)

    def product(i: int, j: int) -> Tensor:
        if i == j:
            return matrices[i]
        c = cut[i][j]
        return product(i, c).mm(product(c + 1, j))

    return product(0, n - 1)


@composite("linalg_multi_dot(Tensor[] tensors) -> Tensor", function=False, out=True)
def linalg_multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    r"""The product of matrices in the order that costs least; the first and last may be vectors.

    Args:
        tensors (sequence of Tensor): two or more; 2-d but for the first and last.

    Returns:
        Their product; a vector at an end leaves no dimension there.

    Raises:
        RuntimeError: fewer than two tensors, or shapes that do not fit.

    Example:
        >>> import kagari
        >>> parts = [kagari.ones(2, 3), kagari.ones(3, 1), kagari.ones(1, 2)]
        >>> kagari.linalg.multi_dot(parts).tolist()
        [[3.0, 3.0], [3.0, 3.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.multi_dot.html
    """
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    parts = list(tensors)
    row, column = parts[0].dim() == 1, parts[-1].dim() == 1
    if row:
        parts[0] = parts[0].unsqueeze(0)
    if column:
        parts[-1] = parts[-1].unsqueeze(1)
    for i, part in enumerate(parts):
        if part.dim() != 2:
            kind = "1D or 2D" if i in (0, len(parts) - 1) else "2D"
            raise RuntimeError(
                f"multi_dot(): tensor {i} must be {kind} but got {tensors[i].dim()}D"
            )
        if i and parts[i - 1].shape[1] != part.shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i - 1} and {i} with shapes {list(tensors[i - 1].shape)} "
                f"and {list(tensors[i].shape)} cannot be multiplied"
            )
    result = _multiply_in_best_order(parts)
    if row:
        result = result.squeeze(0)
    return result.squeeze(-1) if column else result


@composite("chain_matmul(Tensor[*] matrices) -> Tensor", out=True)
def chain_matmul(matrices: Sequence[Tensor]) -> Tensor:
    """The product of one or more matrices in the order that costs least.

    Args:
        *matrices (Tensor): 2-d.

    Returns:
        Their product.

    Raises:
        RuntimeError: no matrix, or shapes that do not fit.

    Example:
        >>> import kagari
        >>> kagari.chain_matmul(kagari.ones(1, 2), kagari.ones(2, 3), kagari.ones(3, 1)).tolist()
        [[6.0]]

    Reference: https://pytorch.org/docs/stable/generated/torch.chain_matmul.html
    """
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for i, m in enumerate(matrices):
        if m.dim() != 2:
            raise RuntimeError(f"chain_matmul(): expected matrices, got {m.dim()}-D at {i}")
    return matrices[0] if len(matrices) == 1 else linalg_multi_dot(matrices)


# ---- einsum --------------------------------------------------------------------------------------


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


def _parse_einsum(equation: str, operands: Sequence[Tensor]) -> tuple[list[list[str]], list[str]]:
    """The labels of each operand's dimensions and of the result's."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        which = "fewer" if len(operands) < len(terms) else "more"
        raise RuntimeError(
            f"einsum(): {which} operands were provided than specified in the equation"
        )
    inputs: list[list[str]] = []
    widest = 0
    for i, (term, operand) in enumerate(zip(terms, operands, strict=True)):
        labels, at = _subscripts(term, i)
        count = operand.dim() - len(labels)
        if count < 0 or (count > 0 and at is None):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(labels)}) "
                f"{'does not match' if at is None else 'is more than'} the number of dimensions "
                f"({operand.dim()}) for operand {i}"
                + (" and no ellipsis was given" if at is None else "")
            )
        widest = max(widest, count if at is not None else 0)
        inputs.append(_spread_ellipsis(labels, at, count))
    dots = [f".{widest - 1 - i}" for i in range(widest)]
    seen = [label for labels in inputs for label in labels]
    if not arrow:  # those that occur once, in order, behind the ellipsis
        once = sorted(x for x in set(seen) if seen.count(x) == 1 and x[0] != ".")
        return inputs, dots + once
    labels, at = _subscripts(right, len(operands))
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


def _merge_repeated(x: Tensor, labels: list[str]) -> tuple[Tensor, list[str]]:
    """Takes the diagonal over dimensions of one label."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            if x.shape[first] != x.shape[second]:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for an operand but the sizes don't "
                    f"match, {x.shape[second]} != {x.shape[first]}"
                )
            x = x.diagonal(0, first, second)  # puts the diagonal last
            labels = [n for i, n in enumerate(labels) if i not in (first, second)] + [label]
    return x, labels


def _sum_labels(x: Tensor, labels: list[str], keep: set[str]) -> tuple[Tensor, list[str]]:
    over = [i for i, label in enumerate(labels) if label not in keep]
    if not over:
        return x, labels
    return x.sum(over), [label for label in labels if label in keep]


def _arrange(x: Tensor, labels: list[str], order: list[str]) -> Tensor:
    """Dimensions in the given order, with ones for labels that x lacks."""
    x = x.permute([labels.index(label) for label in order if label in labels])
    for i, label in enumerate(order):
        if label not in labels:
            x = x.unsqueeze(i)
    return x


def _pair(
    a: Tensor, a_labels: list[str], b: Tensor, b_labels: list[str], keep: set[str]
) -> tuple[Tensor, list[str]]:
    """Two operands as one: labels of neither the result nor a later operand are summed."""
    a, a_labels = _sum_labels(a, a_labels, keep | set(b_labels))
    b, b_labels = _sum_labels(b, b_labels, keep | set(a_labels))
    both = [label for label in a_labels if label in b_labels]
    summed = [label for label in both if label not in keep]
    batch = [label for label in both if label in keep]
    rows = [label for label in a_labels if label not in b_labels]
    columns = [label for label in b_labels if label not in a_labels]
    order = batch + rows + columns
    if not summed:
        return _arrange(a, a_labels, order) * _arrange(b, b_labels, order), order
    size = {
        **dict(zip(a_labels, a.shape, strict=True)),
        **dict(zip(b_labels, b.shape, strict=True)),
    }

    def count(labels: list[str]) -> int:
        return math.prod(size[label] for label in labels)

    shape = (count(batch),) if batch else ()
    left = _arrange(a, a_labels, batch + rows + summed)
    right = _arrange(b, b_labels, batch + summed + columns)
    left = left.reshape(*shape, count(rows), count(summed))
    right = right.reshape(*shape, count(summed), count(columns))
    return (left @ right).reshape([size[label] for label in order]), order


Labels = tuple[str, ...]
_EXHAUSTIVE = 5  # so many operands have at most 180 orders, which are all tried


@lru_cache(maxsize=512)
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
    inputs, output = _parse_einsum(equation, operands)
    terms = [_merge_repeated(x, n) for x, n in zip(operands, inputs, strict=True)]
    sizes: dict[str, int] = {}
    for i, (x, labels) in enumerate(terms):
        for label, size in zip(labels, x.shape, strict=True):
            if size != 1 and sizes.get(label, 1) not in (1, size):
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {size} for operand {i} which does not "
                    f"broadcast with previously seen size {sizes[label]}"
                )
            if label not in sizes or size != 1:
                sizes[label] = size
    # A dimension of one where others have more takes part by its absence.
    for i, (x, labels) in enumerate(terms):
        ones = [k for k, n in enumerate(labels) if x.shape[k] == 1 and sizes[n] != 1]
        if ones:
            terms[i] = (x.squeeze(ones), [n for k, n in enumerate(labels) if k not in ones])
    path: tuple[tuple[int, int], ...] = ((0, 1),) if len(terms) == 2 else ()
    if len(terms) > 2:
        path = _contraction_path(
            tuple(tuple(labels) for _, labels in terms), tuple(sizes.items()), tuple(output)
        )
    for i, j in path:
        one, other = terms[i], terms[j]
        terms = [t for k, t in enumerate(terms) if k not in (i, j)]
        later = {label for _, rest in terms for label in rest}
        terms.append(_pair(*one, *other, later | set(output)))
    result, labels = _sum_labels(*terms[0], set(output))
    return result.permute([labels.index(label) for label in output])


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
