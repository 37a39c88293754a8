"""Randomness of a comparison depends on who is compared, and on nothing else."""

import numpy as np

from odyssey_assets.monitoring.promotion.occasion import generator_of

PARTIES = (42, "AAPL", "challenger", "incumbent")


def first(*parties: object) -> float:
    generator: np.random.Generator = generator_of(*parties)  # type: ignore[arg-type]
    return float(generator.random())


def test_same_parties_draw_the_same_numbers() -> None:
    assert first(*PARTIES) == first(*PARTIES)


def test_every_party_and_the_seed_change_the_numbers() -> None:
    drawn = {first(*PARTIES)}
    for position in range(len(PARTIES)):
        other = list(PARTIES)
        other[position] = 43 if position == 0 else "another"
        drawn.add(first(*other))
    assert len(drawn) == 1 + len(PARTIES)
    assert first(42, "AAPL", "incumbent", "challenger") not in drawn
