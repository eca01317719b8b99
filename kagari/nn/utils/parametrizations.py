"""Parametrizations in common use: weight and spectral normalization, orthogonal matrices."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import kagari
from kagari import Tensor
from kagari._core import functions
from kagari.nn import functional as F
from kagari.nn.modules.module import Module
from kagari.nn.utils import parametrize

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _tensor_of(module: Module, name: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


def _spectral_dim(module: Module, dim: int | None) -> int:
    """The dimension of a weight's outputs."""
    from kagari.nn import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d

    if dim is not None:
        return dim
    return 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0


# ---- orthogonal ---------------------------------------------------------------------------------


def _is_orthogonal(q: Tensor) -> bool:
    n, k = q.size(-2), q.size(-1)
    one = kagari.eye(k, dtype=q.dtype, device=q.device)
    return bool(kagari.allclose(q.mH @ q, one, atol=10.0 * n * kagari.finfo(q.dtype).eps))


def _make_orthogonal(a: Tensor) -> Tensor:
    """The orthogonal factor of a matrix, with the signs that make its R positive."""
    x, tau = kagari.geqrf(a)
    q: Tensor = kagari.linalg.householder_product(x, tau)
    result: Tensor = q * x.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)
    return result


class _OrthMaps(Enum):
    matrix_exp = auto()
    cayley = auto()
    householder = auto()


class _Orthogonal(Module):
    base: Any

    def __init__(
        self, weight: Tensor, orthogonal_map: _OrthMaps, *, use_trivialization: bool = True
    ) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == _OrthMaps.householder:
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        # Q = base @ f(X): near the base, f is near the identity.
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        n, k = x.size(-2), x.size(-1)
        wide = n < k
        if wide:
            x, n, k = x.mT, k, n
        if self.orthogonal_map == _OrthMaps.householder:
            a = x.tril(-1)
            tau = 2.0 / (1.0 + (a * a).sum(dim=-2))
            q = kagari.linalg.householder_product(a, tau)
            # The diagonal of X holds signs.
            q = q * x.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
        else:
            x = x.tril()
            if n != k:
                x = kagari.cat([x, x.new_zeros(n, n - k).expand(*x.shape[:-2], -1, -1)], dim=-1)
            a = x - x.mH
            if self.orthogonal_map == _OrthMaps.matrix_exp:
                q = kagari.matrix_exp(a)
            else:
                one = kagari.eye(n, dtype=a.dtype, device=a.device)
                q = kagari.linalg.solve(one - 0.5 * a, one + 0.5 * a)
            q = q[..., :k]
        if hasattr(self, "base"):
            q = self.base @ q
        result: Tensor = q.mT if wide else q
        return result

    @kagari.no_grad()  # type: ignore[untyped-decorator]
    def right_inverse(self, q: Tensor) -> Tensor:
        """X such that ``forward(X)`` is the orthogonal matrix nearest in the sense of QR."""
        if q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of "
                f"shape {q.shape}."
            )
        given = q
        n, k = q.size(-2), q.size(-1)
        wide = n < k
        if wide:
            q, n, k = q.mT, k, n
        if not hasattr(self, "base"):
            if self.orthogonal_map != _OrthMaps.householder:
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley "
                    "parametrizations when use_trivialization=False."
                )
            a, tau = kagari.geqrf(q)
            diagonal = a.diagonal(dim1=-2, dim2=-1)
            signs = diagonal.sign()
            # A reflection with tau = 0 is the identity.
            diagonal.copy_(kagari.where(tau == 0.0, -signs, signs))
            back: Tensor = a.mT if wide else a
            return back
        if n != k:
            more = kagari.randn(*q.shape[:-2], n, n - k, dtype=q.dtype, device=q.device)
            q = _make_orthogonal(kagari.cat([q, more], dim=-1))
        else:
            q = q.clone() if _is_orthogonal(q) else _make_orthogonal(q)
        self.base = q
        # f maps minus the identity to the identity.
        start = kagari.zeros_like(given)
        start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return start


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Module:
    r"""Keeps a matrix orthogonal: :math:`Q^T Q = 1`, or :math:`Q Q^T = 1` where it is wide.

    Args:
        module (Module): the module.
        name (str): the tensor's name.
        orthogonal_map (str, optional): ``"matrix_exp"`` (the default for square and complex
            matrices), ``"cayley"`` or ``"householder"``.
        use_trivialization (bool): multiply with the matrix that the tensor had first.

    Returns:
        The module.

    Raises:
        ValueError: no such tensor, one with fewer than 2 dimensions, or another map.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.utils.parametrizations.orthogonal(nn.Linear(3, 2))
        >>> kagari.allclose(m.weight @ m.weight.mT, kagari.eye(2), atol=1e-5)
        True

    Reference: Lezcano-Casado 2019, https://arxiv.org/abs/1909.09501
    """
    weight = _tensor_of(module, name)
    if weight.ndim < 2:
        raise ValueError(
            f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions."
        )
    if orthogonal_map is None:
        square = weight.size(-2) == weight.size(-1)
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    chosen = getattr(_OrthMaps, orthogonal_map, None)
    if chosen is None:
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". '
            f"Got: {orthogonal_map}"
        )
    function = _Orthogonal(weight, chosen, use_trivialization=use_trivialization)
    parametrize.register_parametrization(module, name, function, unsafe=True)
    return module


# ---- weight norm --------------------------------------------------------------------------------


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        w: Tensor = functions._weight_norm(weight_v, weight_g, self.dim)
        return w

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return kagari.norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    r"""Trains length and direction of weights apart: :math:`w = g v / \|v\|`.

    Args:
        module (Module): the module.
        name (str): the tensor's name.
        dim (int, optional): a norm for each slice along this dimension; ``None`` for one norm.

    Returns:
        The module.

    Raises:
        ValueError: no such tensor.

    Example:
        >>> from kagari import nn
        >>> m = nn.utils.parametrizations.weight_norm(nn.Linear(20, 40))
        >>> tuple(m.parametrizations.weight.original0.shape)
        (40, 1)

    Reference: Salimans and Kingma 2016, https://arxiv.org/abs/1602.07868
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(state_dict: Any, prefix: str, *_: Any) -> None:
        # What the older weight_norm saved.
        old = (f"{prefix}{name}_g", f"{prefix}{name}_v")
        if all(key in state_dict for key in old):
            for i, key in enumerate(old):
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(rename)
    return module


# ---- spectral norm ------------------------------------------------------------------------------


class _SpectralNorm(Module):
    _u: Any
    _v: Any

    def __init__(
        self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        super().__init__()
        ndim = weight.ndim
        if not -ndim <= dim < ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but "
                f"got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._matrix(weight)
            for buffer, size in zip(("_u", "_v"), matrix.shape, strict=True):
                start = matrix.detach().new_empty(size).normal_(0, 1)
                self.register_buffer(buffer, F.normalize(start, dim=0, eps=eps))
            # The start is random: 15 steps bring it near the first singular vectors.
            self._power_method(matrix, 15)

    def _matrix(self, weight: Tensor) -> Tensor:
        return weight.movedim(self.dim, 0).flatten(1)

    @kagari.no_grad()  # type: ignore[untyped-decorator]
    def _power_method(self, matrix: Tensor, steps: int) -> None:
        for _ in range(steps):
            self._u.copy_(F.normalize(matrix @ self._v, dim=0, eps=self.eps))
            self._v.copy_(F.normalize(matrix.mH @ self._u, dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        # Copies: the next call writes into the buffers, and backward needs these.
        u, v = self._u.clone(), self._v.clone()
        return weight / kagari.vdot(u, matrix @ v)

    def right_inverse(self, value: Tensor) -> Tensor:
        # The spectral norm of what is trained does not matter.
        return value


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    r"""Divides weights by their largest singular value: :math:`w / \sigma(w)`.

    The singular value comes from steps of the power method, which go on in training.

    Args:
        module (Module): the module.
        name (str): the tensor's name.
        n_power_iterations (int): steps at each access in training.
        eps (float): where norms are cut off.
        dim (int, optional): the dimension of the outputs; 0, or 1 for transposed convolutions.

    Returns:
        The module.

    Raises:
        ValueError: no such tensor, or ``n_power_iterations`` is not positive.
        IndexError: ``dim`` is out of range.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> m = nn.utils.parametrizations.spectral_norm(nn.Linear(20, 40))
        >>> tuple(m.weight.shape)
        (40, 20)

    Reference: Miyato et al. 2018, https://arxiv.org/abs/1802.05957
    """
    weight = _tensor_of(module, name)
    function = _SpectralNorm(weight, n_power_iterations, _spectral_dim(module, dim), eps)
    parametrize.register_parametrization(module, name, function)
    return module
