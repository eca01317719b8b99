"""The variational autoencoder: its bound falls below what the mean image leaves; it draws digits."""

from __future__ import annotations

from run_example import results, run_example

LAST = "at most # nats in an unseen scan; the mean image alone leaves #"


def test_learns_and_draws() -> None:
    lines = run_example("vae_digits.py", "--epochs", "4")
    reached, simple = results(LAST, lines[-1])
    assert reached < 0.8 * simple, lines[-1]
    picture = lines[-10:-2]
    assert all(len(line) == 6 * 16 + 5 * 2 and set(line) <= set(" .:-=+*%@") for line in picture)
    assert len(set("".join(picture))) > 4
