"""Recurrent layers and their cells."""

from __future__ import annotations

import math
import numbers
import warnings
from typing import Any, ClassVar

import kagari
from kagari import Tensor
from kagari.nn import init
from kagari.nn.modules.module import Module
from kagari.nn.parameter import Parameter
from kagari.nn.utils.rnn import PackedSequence

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def apply_permutation(tensor: Tensor, permutation: Tensor, dim: int = 1) -> Tensor:
    """Deprecated: use ``tensor.index_select(dim, permutation)``."""
    warnings.warn(
        "`apply_permutation` is deprecated, please use `tensor.index_select(dim, permutation)` "
        "instead",
        FutureWarning,
        stacklevel=2,
    )
    return tensor.index_select(dim, permutation)


class RNNBase(Module):
    """What RNN, LSTM and GRU share: parameters, their names and checks.

    Args:
        mode (str): ``"LSTM"``, ``"GRU"``, ``"RNN_TANH"`` or ``"RNN_RELU"``.
        input_size (int): size of an input.
        hidden_size (int): size of the hidden state.
        num_layers (int): layers, each on the outputs of the one before.
        bias (bool): whether there are biases.
        batch_first (bool): inputs and outputs are ``(batch, length, size)``.
        dropout (float): probability that an element falls between layers, in training.
        bidirectional (bool): each layer reads the sequence in both directions.
        proj_size (int): size of the projected hidden state of an LSTM; 0 for none.
        device: where the parameters lie.
        dtype: their element type.

    Raises:
        TypeError, ValueError: an argument is out of its range.

    Example:
        >>> import kagari
        >>> layer = kagari.nn.GRU(2, 3)
        >>> isinstance(layer, kagari.nn.RNNBase), layer.mode
        (True, 'GRU')
    """

    __constants__ = [  # noqa: RUF012
        "mode",
        "input_size",
        "hidden_size",
        "num_layers",
        "bias",
        "batch_first",
        "dropout",
        "bidirectional",
        "proj_size",
    ]
    _name: ClassVar[str] = "RNN"
    _states: ClassVar[int] = 1

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check_arguments(dropout)
        self._all_weights: list[list[str]] = []
        directions = 2 if bidirectional else 1
        state = proj_size or hidden_size
        wide = _GATES[mode] * hidden_size
        for layer in range(num_layers):
            for direction in range(directions):
                size = input_size if layer == 0 else state * directions
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (wide, size),
                    "weight_hh": (wide, state),
                }
                if bias:
                    shapes.update(bias_ih=(wide,), bias_hh=(wide,))
                if proj_size > 0:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                suffix = f"_l{layer}" + ("_reverse" if direction else "")
                for name, shape in shapes.items():
                    value = Parameter(kagari.empty(shape, device=device, dtype=dtype))
                    self.register_parameter(name + suffix, value)
                self._all_weights.append([name + suffix for name in shapes])
        self.reset_parameters()

    def _check_arguments(self, dropout: Any) -> None:
        if (
            not isinstance(dropout, numbers.Number)
            or not 0 <= self.dropout <= 1
            or isinstance(dropout, bool)
        ):
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an "
                "element being zeroed"
            )
        if self.dropout > 0 and self.num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero "
                f"dropout expects num_layers greater than 1, but got dropout={dropout} and "
                f"num_layers={self.num_layers}",
                stacklevel=4,
            )
        for name, kind in (
            ("bias", bool),
            ("batch_first", bool),
            ("input_size", int),
            ("hidden_size", int),
        ):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise TypeError(
                    f"{name} should be of type {kind.__name__}, got: {type(value).__name__}"
                )
        for name in ("input_size", "hidden_size", "num_layers"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if self.proj_size < 0:
            raise ValueError(
                "proj_size should be a positive integer or zero to disable projections"
            )
        if self.proj_size >= self.hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if self.mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + self.mode)

    def reset_parameters(self) -> None:
        r"""Draws new initial values, uniform in :math:`\pm 1 / \sqrt{\text{hidden\_size}}`."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Any]:
        return [getattr(self, name) for names in self._all_weights for name in names]

    def flatten_parameters(self) -> None:
        """Does nothing: the CPU reads the parameters where they lie."""

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raises unless the input has the layer's dtype, dimensions and size."""
        dtype = getattr(self, self._all_weights[0][0]).dtype
        if input.dtype != dtype and not _autocast(input):
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). "
                f"Convert input: input.to({dtype}), or convert model: model.to({input.dtype})"
            )
        expected = 3 if batch_sizes is None else 2
        if input.dim() != expected:
            raise RuntimeError(f"input must have {expected} dimensions, got {input.dim()}")
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                "input.size(-1) must be equal to input_size. "
                f"Expected {self.input_size}, got {input.size(-1)}"
            )

    def _expected_size(
        self, input: Tensor, batch_sizes: Tensor | None, size: int
    ) -> tuple[int, int, int]:
        if batch_sizes is not None:
            batch = int(batch_sizes[0])
        else:
            batch = input.size(0 if self.batch_first else 1)
        return self.num_layers * (2 if self.bidirectional else 1), batch, size

    def get_expected_hidden_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """The shape that the hidden state must have."""
        return self._expected_size(input, batch_sizes, self.proj_size or self.hidden_size)

    def check_hidden_size(
        self,
        hx: Tensor,
        expected_hidden_size: tuple[int, int, int],
        msg: str = "Expected hidden size {}, got {}",
    ) -> None:
        """Raises unless a state has its shape."""
        if hx.size() != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raises unless input and state fit."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The states in the order of a permutation of the batch; ``None`` leaves them."""
        return hx if permutation is None else hx.index_select(1, permutation)

    def _zero_state(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        shape = self.get_expected_hidden_size(input, batch_sizes)
        return kagari.zeros(shape, dtype=input.dtype, device=input.device)

    def _unbatched_state(self, hx: Any, batched: bool) -> Any:
        """The given state with a batch; its dimensions must be as the input's."""
        words = ("batched 3-D", 3) if batched else ("unbatched 2-D", 2)
        if hx.dim() != words[1]:
            raise RuntimeError(
                f"For {words[0]} input, hx should also be {words[1]}-D but got {hx.dim()}-D tensor"
            )
        return hx if batched else hx.unsqueeze(1)

    def _run(self, *args: Any) -> tuple[Any, Any]:
        """The functional form: its output, and its states as ``forward`` gives them."""
        run = {"GRU": kagari.gru, "RNN_TANH": kagari.rnn_tanh, "RNN_RELU": kagari.rnn_relu}
        output, hidden = run[self.mode](*args)
        return output, hidden

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        packed = input if isinstance(input, PackedSequence) else None
        batch_sizes = order = back = None
        batched, batch_dim = True, 0 if self.batch_first else 1
        if packed is not None:
            input, batch_sizes, order, back = packed
        else:
            if input.dim() not in (2, 3):
                end = "D tensor instead" if self._name == "RNN" else "D instead"
                raise ValueError(
                    f"{self._name}: Expected input to be 2D or 3D, got {input.dim()}{end}"
                )
            batched = input.dim() == 3
            if not batched:
                input = input.unsqueeze(batch_dim)
        if hx is None:
            hx = self._zero_state(input, batch_sizes)
        else:
            if packed is None:
                hx = self._unbatched_state(hx, batched)
            hx = self.permute_hidden(hx, order)
        self.check_forward_args(input, hx, batch_sizes)
        settings = (
            self._flat_weights,
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
        )
        if packed is not None:
            output, hidden = self._run(input, batch_sizes, hx, *settings)
            output = PackedSequence(output, batch_sizes, order, back)
            return output, self.permute_hidden(hidden, back)
        output, hidden = self._run(input, hx, *settings, self.batch_first)
        if not batched:
            output = output.squeeze(batch_dim)
            hidden = _each(hidden, lambda h: h.squeeze(1))
        return output, hidden

    def extra_repr(self) -> str:
        s = f"{self.input_size}, {self.hidden_size}"
        for name, default in (
            ("proj_size", 0),
            ("num_layers", 1),
            ("bias", True),
            ("batch_first", False),
            ("dropout", 0),
            ("bidirectional", False),
        ):
            value = getattr(self, name)
            if value != default:
                s += f", {name}={value}"
        return s

    def __setstate__(self, state: dict[str, Any]) -> None:
        # What PyTorch's modules keep in caches follows from the names here.
        for name in ("_flat_weights", "_flat_weights_names", "_flat_weight_refs"):
            state.pop(name, None)
        super().__setstate__(state)
        self.__dict__.setdefault("proj_size", 0)


def _each(states: Any, f: Any) -> Any:
    return tuple(map(f, states)) if isinstance(states, tuple) else f(states)


def _autocast(input: Tensor) -> bool:
    enabled = getattr(kagari, "is_autocast_enabled", None)
    return enabled is not None and bool(enabled(input.device.type))


class RNN(RNNBase):
    r"""The plain recurrent network: :math:`h_t = \tanh(W x_t + b + U h_{t-1} + d)`.

    Args:
        input_size (int): size of an input.
        hidden_size (int): H, size of the hidden state.
        num_layers (int): layers, each on the outputs of the one before.
        nonlinearity (str): ``"tanh"`` or ``"relu"``.
        bias (bool): whether there are b and d.
        batch_first (bool): inputs and outputs are ``(N, L, _)``, not ``(L, N, _)``.
        dropout (float): probability that an element falls between layers, in training.
        bidirectional (bool): D = 2: each layer reads the sequence in both directions.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        input ``(L, N, input_size)``, ``(L, input_size)`` or a ``PackedSequence``; state
        ``(D * num_layers, N, H)``, zeros by default. The call gives the outputs
        ``(L, N, D * H)`` and the last state.

    Raises:
        TypeError, ValueError: an argument is out of its range.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> y, h = nn.RNN(10, 20, 2)(kagari.zeros(5, 3, 10))
        >>> tuple(y.shape), tuple(h.shape)
        ((5, 3, 20), (2, 3, 20))

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.RNN.html
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if len(args) > 3:
            nonlinearity, args = args[3], args[:3] + args[4:]
        else:
            nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__("RNN_TANH" if nonlinearity == "tanh" else "RNN_RELU", *args, **kwargs)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    r"""Long short-term memory.

    .. math::
        i, f, o = \sigma(W x_t + b + U h_{t-1} + d), \quad g = \tanh(W x_t + b + U h_{t-1} + d),
        \quad c_t = f c_{t-1} + i g, \quad h_t = o \tanh c_t

    with weights of their own for each gate, and :math:`h_t = V (o \tanh c_t)` with ``proj_size``.

    Args:
        input_size (int): size of an input.
        hidden_size (int): H, size of the cell state.
        num_layers (int): layers, each on the outputs of the one before.
        bias (bool): whether there are b and d.
        batch_first (bool): inputs and outputs are ``(N, L, _)``, not ``(L, N, _)``.
        dropout (float): probability that an element falls between layers, in training.
        bidirectional (bool): D = 2: each layer reads the sequence in both directions.
        proj_size (int): P, size of the hidden state; H where it is 0.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        input ``(L, N, input_size)``, ``(L, input_size)`` or a ``PackedSequence``; states, a pair,
        ``(D * num_layers, N, P)`` and ``(D * num_layers, N, H)``, zeros by default. The call gives
        the outputs ``(L, N, D * P)`` and the pair of last states.

    Raises:
        TypeError, ValueError: an argument is out of its range.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> y, (h, c) = nn.LSTM(10, 20, 2)(kagari.zeros(5, 3, 10))
        >>> tuple(y.shape), tuple(c.shape)
        ((5, 3, 20), (2, 3, 20))

    Reference: Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735
    """

    _name = "LSTM"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """The shape that the cell state must have."""
        return self._expected_size(input, batch_sizes, self.hidden_size)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raises unless input and states fit."""
        self.check_input(input, batch_sizes)
        sizes = (
            self.get_expected_hidden_size(input, batch_sizes),
            self.get_expected_cell_size(input, batch_sizes),
        )
        for i, (state, size) in enumerate(zip(hidden, sizes, strict=True)):
            self.check_hidden_size(state, size, f"Expected hidden[{i}] size {{}}, got {{}}")

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The states in the order of a permutation of the batch; ``None`` leaves them."""
        if permutation is None:
            return hx
        return tuple(h.index_select(1, permutation) for h in hx)

    def _zero_state(self, input: Tensor, batch_sizes: Tensor | None) -> Any:
        return tuple(
            kagari.zeros(shape, dtype=input.dtype, device=input.device)
            for shape in (
                self.get_expected_hidden_size(input, batch_sizes),
                self.get_expected_cell_size(input, batch_sizes),
            )
        )

    def _unbatched_state(self, hx: Any, batched: bool) -> Any:
        words = ("batched 3-D", 3) if batched else ("unbatched 2-D", 2)
        if hx[0].dim() != words[1] or hx[1].dim() != words[1]:
            raise RuntimeError(
                f"For {words[0]} input, hx and cx should also be {words[1]}-D but got "
                f"({hx[0].dim()}-D, {hx[1].dim()}-D) tensors"
            )
        return tuple(hx) if batched else (hx[0].unsqueeze(1), hx[1].unsqueeze(1))

    def _run(self, *args: Any) -> tuple[Any, Any]:
        output, hidden, cell = kagari.lstm(*args)
        return output, (hidden, cell)


class GRU(RNNBase):
    r"""Gated recurrent units.

    .. math::
        r, z = \sigma(W x_t + b + U h_{t-1} + d), \quad
        n = \tanh(W x_t + b + r (U h_{t-1} + d)), \quad h_t = (1 - z) n + z h_{t-1}

    with weights of their own for each gate.

    Args:
        input_size (int): size of an input.
        hidden_size (int): H, size of the hidden state.
        num_layers (int): layers, each on the outputs of the one before.
        bias (bool): whether there are b and d.
        batch_first (bool): inputs and outputs are ``(N, L, _)``, not ``(L, N, _)``.
        dropout (float): probability that an element falls between layers, in training.
        bidirectional (bool): D = 2: each layer reads the sequence in both directions.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        As :class:`RNN`'s.

    Raises:
        TypeError, ValueError: an argument is out of its range.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> y, h = nn.GRU(10, 20, bidirectional=True)(kagari.zeros(5, 3, 10))
        >>> tuple(y.shape), tuple(h.shape)
        ((5, 3, 40), (2, 3, 20))

    Reference: Cho et al. 2014, https://arxiv.org/abs/1406.1078
    """

    _name = "GRU"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)


# ---- cells --------------------------------------------------------------------------------------


class RNNCellBase(Module):
    """What the cells share: parameters and checks.

    Args:
        input_size (int): size of an input.
        hidden_size (int): size of the hidden state.
        bias (bool): whether there are biases.
        num_chunks (int): the number of gates.
        device: where the parameters lie.
        dtype: their element type.

    Example:
        >>> import kagari
        >>> isinstance(kagari.nn.LSTMCell(2, 3), kagari.nn.RNNCellBase)
        True
    """

    __constants__ = ["input_size", "hidden_size", "bias"]  # noqa: RUF012
    weight_ih: Any
    weight_hh: Any
    bias_ih: Any
    bias_hh: Any

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        wide = num_chunks * hidden_size

        def parameter(*shape: int) -> Any:
            return Parameter(kagari.empty(shape, device=device, dtype=dtype))

        self.weight_ih = parameter(wide, input_size)
        self.weight_hh = parameter(wide, hidden_size)
        self.register_parameter("bias_ih", parameter(wide) if bias else None)
        self.register_parameter("bias_hh", parameter(wide) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        r"""Draws new initial values, uniform in :math:`\pm 1 / \sqrt{\text{hidden\_size}}`."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        s = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            s += f", bias={self.bias}"
        nonlinearity = self.__dict__.get("nonlinearity", "tanh")
        if nonlinearity != "tanh":
            s += f", nonlinearity={nonlinearity}"
        return s

    def _check(self, input: Tensor, hx: Tensor | None) -> None:
        name = type(self).__name__
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        if hx is not None and hx.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected hidden to be 1D or 2D, got {hx.dim()}D instead")

    def _step(self, cell: Any, input: Tensor, hx: Tensor | None) -> Any:
        """One step of a cell with one state."""
        self._check(input, hx)
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
        if hx is None:
            shape = (input.size(0), self.hidden_size)
            hx = kagari.zeros(shape, dtype=input.dtype, device=input.device)
        elif not batched:
            hx = hx.unsqueeze(0)
        h: Any = cell(input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return h if batched else h.squeeze(0)


class RNNCell(RNNCellBase):
    r"""One step of :class:`RNN`: :math:`h' = \tanh(W x + b + U h + d)`.

    Args:
        input_size (int): size of an input.
        hidden_size (int): H, size of the hidden state.
        bias (bool): whether there are b and d.
        nonlinearity (str): ``"tanh"`` or ``"relu"``.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        input ``(N, input_size)`` or ``(input_size,)`` and state ``(N, H)`` or ``(H,)``, zeros by
        default, to the new state.

    Raises:
        ValueError: the input or the state has another number of dimensions.
        RuntimeError: ``nonlinearity`` is another one.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.RNNCell(10, 20)(kagari.zeros(3, 10)).shape)
        (3, 20)
    """

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]  # noqa: RUF012

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, num_chunks=1, device=device, dtype=dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity == "tanh":
            h: Tensor = self._step(kagari.rnn_tanh_cell, input, hx)
            return h
        if self.nonlinearity == "relu":
            h = self._step(kagari.rnn_relu_cell, input, hx)
            return h
        raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")


class LSTMCell(RNNCellBase):
    """One step of :class:`LSTM`.

    Args:
        input_size (int): size of an input.
        hidden_size (int): H, size of the states.
        bias (bool): whether there are biases.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        input ``(N, input_size)`` or ``(input_size,)`` and a pair of states ``(N, H)`` or ``(H,)``,
        zeros by default, to the pair of new states.

    Raises:
        ValueError: the input or a state has another number of dimensions.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> h, c = nn.LSTMCell(10, 20)(kagari.zeros(3, 10))
        >>> tuple(h.shape)
        (3, 20)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, num_chunks=4, device=device, dtype=dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        self._check(input, None)
        for i, state in enumerate(hx or ()):
            if state.dim() not in (1, 2):
                raise ValueError(
                    f"LSTMCell: Expected hx[{i}] to be 1D or 2D, got {state.dim()}D instead"
                )
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
        if hx is None:
            shape = (input.size(0), self.hidden_size)
            zeros = kagari.zeros(shape, dtype=input.dtype, device=input.device)
            hx = (zeros, zeros)
        elif not batched:
            hx = (hx[0].unsqueeze(0), hx[1].unsqueeze(0))
        h, c = kagari.lstm_cell(
            input, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        )
        return (h, c) if batched else (h.squeeze(0), c.squeeze(0))


class GRUCell(RNNCellBase):
    """One step of :class:`GRU`.

    Args:
        input_size (int): size of an input.
        hidden_size (int): H, size of the hidden state.
        bias (bool): whether there are biases.
        device: where the parameters lie.
        dtype: their element type.

    Shape:
        As :class:`RNNCell`'s.

    Raises:
        ValueError: the input or the state has another number of dimensions.

    Example:
        >>> import kagari
        >>> from kagari import nn
        >>> tuple(nn.GRUCell(10, 20)(kagari.zeros(3, 10)).shape)
        (3, 20)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, num_chunks=3, device=device, dtype=dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        h: Tensor = self._step(kagari.gru_cell, input, hx)
        return h
