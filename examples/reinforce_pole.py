"""Learns to balance a pole on a cart from falls alone, with REINFORCE (Williams, 1992).

    python examples/reinforce_pole.py

The cart is that of Barto, Sutton and Anderson (1983): each fiftieth of a second it is pushed to the
left or to the right. A trial ends when the pole leans by more than 12 degrees, when the cart leaves
its track, or after 200 pushes. Many carts run side by side, as rows of one tensor.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence

import kagari
from kagari import Tensor, nn
from kagari.nn import functional as F

LIMIT = 200  # pushes in a trial
GRAVITY, CART, POLE, HALF_LENGTH, FORCE, TICK = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02  # SI units
TRACK, LEAN = 2.4, math.radians(12)


def push(state: Tensor, right: Tensor) -> Tensor:
    """States ``(N, 4)`` a tick later: place, speed, angle, spin; pushes ``(N,)`` of 0 or 1."""
    _, speed, angle, spin = state.unbind(1)
    sin, cos, mass = angle.sin(), angle.cos(), CART + POLE
    pull = (FORCE * (2 * right - 1) + POLE * HALF_LENGTH * spin.square() * sin) / mass
    turn = (GRAVITY * sin - cos * pull) / (HALF_LENGTH * (4 / 3 - POLE * cos.square() / mass))
    gain = pull - POLE * HALF_LENGTH * turn * cos / mass
    change = kagari.stack([speed, gain, spin, turn], 1)
    return state + TICK * change


def fallen(state: Tensor) -> Tensor:
    return (state[:, 0].abs() > TRACK) | (state[:, 2].abs() > LEAN)


@kagari.no_grad()
def trials(count: int, chance: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Runs ``count`` trials in which ``chance`` says how likely a push to the right is.

    Returns the states ``(T, count, 4)``, the pushes ``(T, count)`` and whether each trial was still
    going on then, ``(T, count)``.
    """
    state = kagari.rand(count, 4) * 0.1 - 0.05
    going = kagari.ones(count)
    states, pushes, alive = [], [], []
    while len(states) < LIMIT and going.any():
        right = kagari.bernoulli(chance(state))
        states.append(state)
        pushes.append(right)
        alive.append(going)
        state = push(state, right)
        going = going * ~fallen(state)
        state = state * going.unsqueeze(1)  # what has fallen waits upright and out of the count
    return kagari.stack(states), kagari.stack(pushes), kagari.stack(alive)


def returns(alive: Tensor, discount: float = 0.99) -> Tensor:
    """For each push, how many more ticks its trial lasted, nearer ones counting more."""
    total = kagari.zeros(alive.shape[1])
    result = []
    for reward in alive.flip(0):
        total = reward + discount * total
        result.append(total)
    return kagari.stack(result[::-1])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=100, help="updates (%(default)s)")
    parser.add_argument("--trials", type=int, default=16, help="for each update (%(default)s)")
    parser.add_argument("--lr", type=float, default=1e-2, help="learning rate (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all random numbers (%(default)s)")
    options = parser.parse_args(arguments)

    kagari.manual_seed(options.seed)
    policy = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1), nn.Flatten(-2))
    optimizer = kagari.optim.Adam(policy.parameters(), lr=options.lr)
    scale = kagari.tensor([1 / TRACK, 1.0, 1 / LEAN, 1.0])

    def logit(state: Tensor) -> Tensor:
        return policy(state * scale)

    for step in range(1, options.steps + 1):
        states, pushes, alive = trials(options.trials, lambda state: logit(state).sigmoid())
        worth = returns(alive)
        count = alive.sum()
        # A push is good when its trial lasted longer than the trials did on average.
        mean = (worth * alive).sum() / count
        deviation = (((worth - mean) * alive).square().sum() / count).sqrt()
        advantage = (worth - mean) / (deviation + 1e-6) * alive
        surprise = F.binary_cross_entropy_with_logits(logit(states), pushes, reduction="none")
        loss = (surprise * advantage).sum() / count
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % max(1, options.steps // 10) == 0:
            lasted = count.item() / options.trials
            print(f"step {step:3d}/{options.steps}  {lasted:5.1f} ticks", flush=True)

    def mean_length(chance: Callable[[Tensor], Tensor]) -> float:
        return trials(20, chance)[2].sum(0).mean().item()

    learned = mean_length(lambda state: (logit(state) > 0).float())
    chance = mean_length(lambda state: kagari.full((len(state),), 0.5))
    print(f"20 trials last {learned:.1f} of {LIMIT} ticks on average; random pushes {chance:.1f}")


if __name__ == "__main__":
    main()
