"""Recurrent layers: whole layers over sequences, and their cells, on the core's recurrence."""

from __future__ import annotations

from collections.abc import Sequence

from kagari._core import composite, ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kagari import Tensor

Sizes = Sequence[int]  # sequences at each step; empty where all have one length


# ---- one layer in one direction -----------------------------------------------------------------


def _projected(
    products: Tensor,
    h: Tensor,
    c: Tensor,
    weights: Sequence[Tensor | None],
    sizes: Sizes,
    reverse: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """An LSTM whose hidden state is projected, step by step."""
    import kagari

    w_hh, b_hh, w_hr = weights
    assert w_hh is not None
    assert w_hr is not None
    batch = h.size(0)
    if not sizes:
        sizes = [batch] * (products.size(0) // batch if batch else 0)
    order = list(range(len(sizes)))
    firsts = [sum(sizes[:t]) for t in order]
    outputs: list[Any] = [None] * len(sizes)
    for t in reversed(order) if reverse else order:
        n = sizes[t]
        gates = products.narrow(0, firsts[t], n) + ops.linear(h[:n], w_hh, b_hh)
        i, f, g, o = gates.chunk(4, 1)
        cell = f.sigmoid() * c[:n] + i.sigmoid() * g.tanh()
        hidden = ops.linear(o.sigmoid() * cell.tanh(), w_hr)
        outputs[t] = hidden
        h = hidden if n == batch else kagari.cat([hidden, h[n:]])
        c = cell if n == batch else kagari.cat([cell, c[n:]])
    return kagari.cat(outputs), h, c, h


def _last(states: Tensor, batch: int, sizes: Sizes, reverse: bool) -> Tensor:
    """The state of each sequence after its last step."""
    import kagari

    if reverse:
        return states.narrow(0, 0, batch)
    if not sizes or sizes[-1] == batch:
        return states.narrow(0, states.size(0) - batch, batch)
    parts, end, longer = [], states.size(0), 0
    for n in reversed(sizes):
        if n > longer:  # sequences longer .. n - 1 end here
            parts.append(states.narrow(0, end - n + longer, n - longer))
            longer = n
        end -= n
    return kagari.cat(parts)


def _direction(
    mode: str,
    x: Tensor,
    h: Tensor,
    c: Tensor | None,
    weights: Sequence[Tensor],
    has_biases: bool,
    sizes: Sizes,
    reverse: bool,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """The outputs of all steps, and the last hidden and cell states."""
    b_ih, b_hh = weights[2:4] if has_biases else (None, None)
    products = ops.linear(x, weights[0], b_ih)
    if len(weights) == (5 if has_biases else 3):
        assert c is not None
        output, h, c, _ = _projected(
            products, h, c, (weights[1], b_hh, weights[-1]), sizes, reverse
        )
        return output, h, c
    output, cells, _ = ops._rnn_scan(products, h, c, weights[1], b_hh, mode, sizes, reverse)
    batch = h.size(0)
    last = None if c is None else _last(cells, batch, sizes, reverse)
    return output, _last(output, batch, sizes, reverse), last


# ---- all layers ---------------------------------------------------------------------------------


def _layers(
    mode: str,
    x: Tensor,
    states: Sequence[Tensor],
    params: Sequence[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    sizes: Sizes,
    steps: Sequence[int],
) -> tuple[Tensor, ...]:
    """All layers on rows in the order of time; ``steps`` is the shape that dropout sees."""
    import kagari

    directions = 2 if bidirectional else 1
    count = num_layers * directions
    for state, name in zip(states, ("hx", "cx"), strict=False):
        if state.dim() != 3 or state.size(0) != count:
            raise RuntimeError(
                f"{mode}: expected {name} ({count}, batch, hidden), got {tuple(state.shape)}"
            )
    per = len(params) // count if count else 0
    expected = (4, 5) if has_biases else (2, 3)
    if per * count != len(params) or per not in (expected if mode == "lstm" else expected[:1]):
        raise RuntimeError(
            f"{mode}: got an incorrect number of RNN parameters: {len(params)} for {num_layers} "
            f"layers in {directions} directions"
        )
    lasts: list[list[Tensor]] = [[], []]
    for layer in range(num_layers):
        outputs = []
        for direction in range(directions):
            k = layer * directions + direction
            c = states[1][k] if len(states) > 1 else None
            output, h, c = _direction(
                mode,
                x,
                states[0][k],
                c,
                params[k * per : (k + 1) * per],
                has_biases,
                sizes,
                direction == 1,
            )
            outputs.append(output)
            lasts[0].append(h)
            if c is not None:
                lasts[1].append(c)
        x = outputs[0] if directions == 1 else kagari.cat(outputs, 1)
        if dropout > 0 and train and layer < num_layers - 1:
            x = kagari.dropout(x.reshape(*steps, -1), dropout, True).reshape(x.shape)
    return (x, *(kagari.stack(last) for last in lasts if last))


def _padded(
    mode: str,
    input: Tensor,
    states: Sequence[Tensor],
    params: Sequence[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Tensor, ...]:
    if input.dim() != 3:
        raise RuntimeError(f"{mode}: expected a 3-D input, got one of shape {tuple(input.shape)}")
    if batch_first:
        input = input.transpose(0, 1)
    length, batch, size = input.shape
    if length == 0:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    output, *last = _layers(
        mode,
        input.reshape(length * batch, size),
        states,
        params,
        has_biases,
        num_layers,
        dropout,
        train,
        bidirectional,
        (),
        (length, batch),
    )
    width = output.size(1)
    output = output.reshape(length, batch, width)
    return (output.transpose(0, 1) if batch_first else output, *last)


def _packed(
    mode: str,
    data: Tensor,
    batch_sizes: Tensor,
    states: Sequence[Tensor],
    params: Sequence[Tensor],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
) -> tuple[Tensor, ...]:
    sizes = batch_sizes.tolist()
    return _layers(
        mode,
        data,
        states,
        params,
        has_biases,
        num_layers,
        dropout,
        train,
        bidirectional,
        sizes,
        (data.size(0),),
    )


_REST = (
    "Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, "
    "bool bidirectional"
)


@composite(f"lstm.data(Tensor data, Tensor batch_sizes, Tensor[] hx, {_REST}) -> Any")
def _lstm_packed(
    data: Tensor,
    batch_sizes: Tensor,
    hx: tuple[Tensor, ...],
    params: tuple[Tensor, ...],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
) -> Any:
    """``lstm`` on packed sequences."""
    return _packed(
        "lstm",
        data,
        batch_sizes,
        hx,
        params,
        has_biases,
        num_layers,
        dropout,
        train,
        bidirectional,
    )


@composite(f"lstm.input(Tensor input, Tensor[] hx, {_REST}, bool batch_first) -> Any")
def lstm(
    input: Tensor,
    hx: tuple[Tensor, ...],
    params: tuple[Tensor, ...],
    has_biases: bool,
    num_layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> Any:
    r"""The layers of an LSTM on sequences.

    .. math::
        i, f, o = \sigma(W x_t + b + U h_{t-1} + d), \quad g = \tanh(W x_t + b + U h_{t-1} + d),
        \quad c_t = f c_{t-1} + i g, \quad h_t = o \tanh c_t

    Args:
        input (Tensor): ``(length, batch, size)``, or packed rows and ``batch_sizes``.
        hx (list of Tensor): the first hidden and cell states, ``(layers * directions, batch, _)``.
        params (list of Tensor): for each layer and direction W, U, b, d, and the projection.
        has_biases (bool): whether b and d are among them.
        num_layers (int): the number of layers.
        dropout (float): probability that an element falls between layers.
        train (bool): whether dropout happens.
        bidirectional (bool): whether each layer has a second direction.
        batch_first (bool): ``input`` and the output are ``(batch, length, size)``.

    Returns:
        The outputs of the last layer, and the last hidden and cell states.

    Raises:
        RuntimeError: a shape does not fit.

    Example:
        >>> import kagari
        >>> x, state = kagari.zeros(5, 3, 2), kagari.zeros(1, 3, 4)
        >>> weights = [kagari.zeros(16, 2), kagari.zeros(16, 4)]
        >>> y, h, c = kagari.lstm(x, [state, state], weights, False, 1, 0.0, False, False, False)
        >>> tuple(y.shape)
        (5, 3, 4)

    Reference: Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735
    """
    return _padded(
        "lstm",
        input,
        hx,
        params,
        has_biases,
        num_layers,
        dropout,
        train,
        bidirectional,
        batch_first,
    )


def _declare(name: str, mode: str, gates: int, formula: str) -> None:
    """Declares a recurrent function with one state, on padded and on packed sequences."""

    @composite(f"{name}.data(Tensor data, Tensor batch_sizes, Tensor hx, {_REST}) -> Any")
    def packed(
        data: Tensor,
        batch_sizes: Tensor,
        hx: Tensor,
        params: tuple[Tensor, ...],
        has_biases: bool,
        num_layers: int,
        dropout: float,
        train: bool,
        bidirectional: bool,
    ) -> Any:
        return _packed(
            mode,
            data,
            batch_sizes,
            (hx,),
            params,
            has_biases,
            num_layers,
            dropout,
            train,
            bidirectional,
        )

    @composite(
        f"{name}.input(Tensor input, Tensor hx, {_REST}, bool batch_first) -> Any",
        doc=f"""The layers of a recurrent network on sequences: {formula}.

Args:
    input (Tensor): ``(length, batch, size)``, or packed rows and ``batch_sizes``.
    hx (Tensor): the first hidden state, ``(layers * directions, batch, hidden)``; the other
        arguments are those of :func:`kagari.lstm`.

Returns:
    The outputs of the last layer, and the last hidden state.

Raises:
    RuntimeError: a shape does not fit.

Example:
    >>> import kagari
    >>> x, state = kagari.zeros(5, 3, 2), kagari.zeros(1, 3, 4)
    >>> weights = [kagari.zeros({gates} * 4, 2), kagari.zeros({gates} * 4, 4)]
    >>> y, h = kagari.{name}(x, state, weights, False, 1, 0.0, False, False, False)
    >>> tuple(y.shape), tuple(h.shape)
    ((5, 3, 4), (1, 3, 4))
""",
    )
    def padded(
        input: Tensor,
        hx: Tensor,
        params: tuple[Tensor, ...],
        has_biases: bool,
        num_layers: int,
        dropout: float,
        train: bool,
        bidirectional: bool,
        batch_first: bool,
    ) -> Any:
        return _padded(
            mode,
            input,
            (hx,),
            params,
            has_biases,
            num_layers,
            dropout,
            train,
            bidirectional,
            batch_first,
        )


_declare("gru", "gru", 3, "h = (1 - z) n + z h, n = tanh(W x + b + r (U h + d))")
_declare("rnn_tanh", "tanh", 1, "h = tanh(W x + b + U h + d)")
_declare("rnn_relu", "relu", 1, "h = max(0, W x + b + U h + d)")


# ---- cells --------------------------------------------------------------------------------------


def _check_cell(input: Tensor, states: Sequence[Tensor], w_ih: Tensor, w_hh: Tensor) -> None:
    if input.size(1) != w_ih.size(1):
        raise RuntimeError(
            f"input has inconsistent input_size: got {input.size(1)} expected {w_ih.size(1)}"
        )
    for i, h in enumerate(states):
        if h.size(0) != input.size(0):
            raise RuntimeError(
                f"Input batch size {input.size(0)} doesn't match hidden{i} batch size {h.size(0)}"
            )
        if h.size(1) != w_hh.size(1):
            raise RuntimeError(
                f"hidden{i} has inconsistent hidden_size: got {h.size(1)}, expected {w_hh.size(1)}"
            )


@composite(
    "lstm_cell(Tensor input, Tensor[] hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, "
    "Tensor? b_hh=None) -> Any"
)
def lstm_cell(
    input: Tensor,
    hx: tuple[Tensor, ...],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None,
    b_hh: Tensor | None,
) -> Any:
    """One step of :func:`lstm`.

    Args:
        input (Tensor): ``(batch, size)``.
        hx (list of Tensor): hidden and cell state, ``(batch, hidden)``.
        w_ih (Tensor): W, ``(4 * hidden, size)``.
        w_hh (Tensor): U, ``(4 * hidden, hidden)``.
        b_ih (Tensor, optional): b, ``(4 * hidden,)``.
        b_hh (Tensor, optional): d, ``(4 * hidden,)``.

    Returns:
        The new hidden and cell states.

    Raises:
        RuntimeError: a shape does not fit.

    Example:
        >>> import kagari
        >>> x, h = kagari.zeros(3, 2), kagari.zeros(3, 4)
        >>> h, c = kagari.lstm_cell(x, [h, h], kagari.zeros(16, 2), kagari.zeros(16, 4))
        >>> tuple(h.shape)
        (3, 4)
    """
    if len(hx) != 2:
        raise RuntimeError("lstm_cell expects two hidden states")
    _check_cell(input, hx, w_ih, w_hh)
    h, c, _ = ops._rnn_scan(
        ops.linear(input, w_ih, b_ih), hx[0], hx[1], w_hh, b_hh, "lstm", (), False
    )
    return h, c


def _declare_cell(name: str, mode: str, whole: str, gates: int) -> None:
    @composite(
        f"{name}(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, "
        "Tensor? b_hh=None) -> Tensor",
        doc=f"""One step of :func:`kagari.{whole}`.

Args:
    input (Tensor): ``(batch, size)``.
    hx (Tensor): the hidden state, ``(batch, hidden)``.
    w_ih (Tensor): W, ``({gates} * hidden, size)``.
    w_hh (Tensor): U, ``({gates} * hidden, hidden)``.
    b_ih (Tensor, optional): b, ``({gates} * hidden,)``.
    b_hh (Tensor, optional): d, ``({gates} * hidden,)``.

Returns:
    The new hidden state.

Raises:
    RuntimeError: a shape does not fit.

Example:
    >>> import kagari
    >>> x, h = kagari.zeros(3, 2), kagari.zeros(3, 4)
    >>> kagari.{name}(x, h, kagari.zeros({gates} * 4, 2), kagari.zeros({gates} * 4, 4)).shape
    kagari.Size([3, 4])
""",
    )
    def cell(
        input: Tensor,
        hx: Tensor,
        w_ih: Tensor,
        w_hh: Tensor,
        b_ih: Tensor | None,
        b_hh: Tensor | None,
    ) -> Tensor:
        _check_cell(input, (hx,), w_ih, w_hh)
        return ops._rnn_scan(ops.linear(input, w_ih, b_ih), hx, None, w_hh, b_hh, mode, (), False)[
            0
        ]


_declare_cell("gru_cell", "gru", "gru", 3)
_declare_cell("rnn_tanh_cell", "tanh", "rnn_tanh", 1)
_declare_cell("rnn_relu_cell", "relu", "rnn_relu", 1)
