"""L-BFGS: quasi-Newton steps from a short history, with an optional strong Wolfe line search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import kagari
from kagari.optim.optimizer import (
    Number,
    Optimizer,
    ParamsT,
    State,
    Tensor,
    _check_lr,
    _real,
    _scalar,
)

__all__ = ["LBFGS"]


@dataclass
class _Point:
    """Where a line search has been: the position, the loss, the gradient, its slope along d."""

    t: float
    loss: float
    grad: Tensor
    slope: float


def _minimum_of_cubic(a: _Point, b: _Point, bounds: tuple[float, float] | None = None) -> float:
    """Where the cubic through two points with slopes is smallest, within the bounds."""
    low, high = bounds if bounds is not None else (min(a.t, b.t), max(a.t, b.t))
    if a.t == b.t:
        return a.t
    if a.t > b.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    # Also false for nan.
    if not square >= 0:
        return (low + high) / 2.0
    d2 = square**0.5
    denominator = b.slope - a.slope + 2 * d2
    if denominator == 0:
        return (low + high) / 2.0
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / denominator)
    return float(min(max(t, low), high))


class _WolfeSearch:
    """Finds a step with enough decrease (c1) and a flat enough slope (c2)."""

    c1, c2 = 1e-4, 0.9

    def __init__(
        self,
        evaluate: Callable[[float], tuple[float, Tensor]],
        d: Tensor,
        start: _Point,
        tolerance: float,
        max_iter: int,
    ) -> None:
        self.evaluate = evaluate
        self.d = d
        self.start = start
        self.tolerance = tolerance
        self.max_iter = max_iter
        self.evaluations = 0
        self.iterations = 0

    def at(self, t: float) -> _Point:
        loss, grad = self.evaluate(t)
        self.evaluations += 1
        return _Point(t, loss, grad, grad.dot(self.d).item())

    def too_high(self, p: _Point) -> bool:
        return p.loss > self.start.loss + self.c1 * p.t * self.start.slope

    def flat(self, p: _Point) -> bool:
        return abs(p.slope) <= -self.c2 * self.start.slope

    def run(self, t: float) -> _Point:
        bracket = self.find_bracket(t)
        return bracket[0] if len(bracket) == 1 else self.narrow(bracket)

    def find_bracket(self, t: float) -> list[_Point]:
        """Walks on until a minimum lies behind; one point alone is the answer."""
        last, new = self.start, self.at(t)
        while self.iterations < self.max_iter:
            if self.too_high(new) or (self.iterations > 1 and new.loss >= last.loss):
                return [last, new]
            if self.flat(new):
                return [new]
            if new.slope >= 0:
                return [last, new]
            bounds = (new.t + 0.01 * (new.t - last.t), new.t * 10)
            t = _minimum_of_cubic(last, new, bounds)
            last, new = new, self.at(t)
            self.iterations += 1
        return [self.start, new]

    def narrow(self, bracket: list[_Point]) -> _Point:
        d_norm = self.d.abs().max().item()
        stuck = done = False
        low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
        while not done and self.iterations < self.max_iter:
            left, right = sorted((bracket[0].t, bracket[1].t))
            if (right - left) * d_norm < self.tolerance:
                break
            t, stuck = self.choose(_minimum_of_cubic(bracket[0], bracket[1]), left, right, stuck)
            new = self.at(t)
            self.iterations += 1
            if self.too_high(new) or new.loss >= bracket[low].loss:
                bracket[high] = new
                low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
                continue
            done = self.flat(new)
            if not done and new.slope * (bracket[high].t - bracket[low].t) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = new
        return bracket[low]

    @staticmethod
    def choose(t: float, left: float, right: float, stuck: bool) -> tuple[float, bool]:
        """Keeps the new point off the ends of the bracket, where it would change little."""
        margin = 0.1 * (right - left)
        if min(right - t, t - left) >= margin:
            return t, False
        if stuck or t >= right or t <= left:
            return (right - margin if abs(t - right) < abs(t - left) else left + margin), False
        return t, True


class LBFGS(Optimizer):
    r"""L-BFGS: steps along :math:`-H_t \nabla f`, with H built from the last few steps.

    .. math::
        \theta_t = \theta_{t-1} - \gamma_t H_t \nabla f(\theta_{t-1})

    Takes one group of parameters only, and a closure that recomputes the loss.

    Args:
        params: parameters or ``(name, parameter)`` pairs.
        lr: learning rate γ; the line search starts from it.
        max_iter: iterations per step.
        max_eval: evaluations of the closure per step; default ``max_iter * 5 // 4``.
        tolerance_grad: stops when no gradient is larger.
        tolerance_change: stops when neither the parameters nor the loss change by more.
        history_size: steps that H remembers.
        line_search_fn: ``'strong_wolfe'`` or None.

    Raises:
        ValueError: more than one group; a negative learning rate.
        RuntimeError: an unknown line search.

    Example:
        >>> import kagari
        >>> w = kagari.nn.Parameter(kagari.tensor([4.0, -1.0]))
        >>> opt = kagari.optim.LBFGS([w], line_search_fn="strong_wolfe")
        >>> def closure():
        ...     opt.zero_grad()
        ...     loss = ((w - 1) ** 2).sum()
        ...     loss.backward()
        ...     return loss
        >>> loss = opt.step(closure)
        >>> [round(x, 4) for x in w.tolist()]
        [1.0, 1.0]

    Reference:
        Nocedal and Wright, Numerical optimization, 2006, algorithms 3.5, 3.6, 7.4, 7.5.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        _check_lr(lr)
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @property
    def _params(self) -> list[Tensor]:
        return self.param_groups[0]["params"]  # type: ignore[no-any-return]

    def _flat_grad(self) -> Tensor:
        flat = [
            _real(kagari.zeros_like(p) if p.grad is None else p.grad.to_dense()).reshape(-1)
            for p in self._params
        ]
        return kagari.cat(flat)

    def _move(self, t: float, d: Tensor) -> None:
        offset = 0
        for p in map(_real, self._params):
            n = p.numel()
            p.add_(d[offset : offset + n].view(p.shape), alpha=t)
            offset += n

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Runs up to ``max_iter`` iterations.

        Args:
            closure: clears the gradients, recomputes the loss, calls ``backward`` and returns the
                loss.

        Returns:
            The loss before the first iteration.
        """

        def evaluate() -> Any:
            with kagari.enable_grad():
                return closure()

        with kagari.no_grad():
            return self._iterate(evaluate)

    def _iterate(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        lr, max_iter, max_eval = _scalar(group["lr"]), group["max_iter"], group["max_eval"]
        change = group["tolerance_change"]
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        first_loss = closure()
        loss, grad = float(first_loss), self._flat_grad()
        evaluations = 1
        state["func_evals"] += 1
        if grad.abs().max().item() <= group["tolerance_grad"]:
            return first_loss

        for i in range(1, max_iter + 1):
            d = self._direction(state, grad, group["history_size"])
            last_loss = state["prev_loss"] = loss
            t = lr
            if state["n_iter"] == 1:
                t *= min(1.0, 1.0 / grad.abs().sum().item())
            state["t"] = t
            slope = grad.dot(d).item()
            if slope > -change:
                break
            used = 0
            if group["line_search_fn"] is not None:
                start = _Point(0.0, loss, grad, slope)
                found, used = self._search(closure, d, t, start, max_eval - evaluations)
                t, loss, grad = found.t, found.loss, found.grad
                state["t"] = t
                self._move(t, d)
            else:
                self._move(t, d)
                # After the last iteration nothing would use another evaluation.
                if i != max_iter:
                    loss, grad = float(closure()), self._flat_grad()
                    used = 1
            evaluations += used
            state["func_evals"] += used
            if (
                i == max_iter
                or evaluations >= max_eval
                or grad.abs().max().item() <= group["tolerance_grad"]
                or (d * t).abs().max().item() <= change
                or abs(loss - last_loss) < change
            ):
                break
        return first_loss

    @staticmethod
    def _direction(state: State, grad: Tensor, history_size: int) -> Tensor:
        """Takes the last step into the history and multiplies -gradient with H."""
        state["n_iter"] += 1
        if state["n_iter"] == 1:
            state.update(d=grad.neg(), old_dirs=[], old_stps=[], ro=[], H_diag=1)
            state["prev_flat_grad"] = grad.clone()
            d: Tensor = state["d"]
            return d
        dirs, steps, ro = state["old_dirs"], state["old_stps"], state["ro"]
        y = grad - state["prev_flat_grad"]
        s = state["d"] * state["t"]
        ys = y.dot(s).item()
        if ys > 1e-10:
            if len(dirs) == history_size:
                for values in (dirs, steps, ro):
                    values.pop(0)
            dirs.append(y)
            steps.append(s)
            ro.append(1.0 / ys)
            state["H_diag"] = ys / y.dot(y).item()
        # Two loops over the history, from the newest back and forth again.
        al = state.setdefault("al", [None] * history_size)
        d = grad.neg()
        for i in reversed(range(len(dirs))):
            al[i] = steps[i].dot(d).item() * float(ro[i])
            d.add_(dirs[i], alpha=-al[i])
        d = d * state["H_diag"]
        for i in range(len(dirs)):
            beta = dirs[i].dot(d).item() * float(ro[i])
            d.add_(steps[i], alpha=al[i] - beta)
        state["d"] = d
        state["prev_flat_grad"] = grad.clone()
        return d

    def _search(
        self, closure: Callable[[], Any], d: Tensor, t: float, start: _Point, max_iter: int
    ) -> tuple[_Point, int]:
        group = self.param_groups[0]
        if group["line_search_fn"] != "strong_wolfe":
            raise RuntimeError(
                f"only 'strong_wolfe' is supported, got line_search_fn={group['line_search_fn']!r}"
            )
        origin = [p.clone() for p in self._params]

        def evaluate(t: float) -> tuple[float, Tensor]:
            self._move(t, d)
            loss, grad = float(closure()), self._flat_grad()
            for p, old in zip(self._params, origin, strict=True):
                p.copy_(old)
            return loss, grad

        search = _WolfeSearch(evaluate, d, start, group["tolerance_change"], max_iter)
        return search.run(t), search.evaluations
