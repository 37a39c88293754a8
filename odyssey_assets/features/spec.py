"""How a feature is declared.

The stored column, its range check, the look-ahead test, the documentation table and the choice of
model inputs all follow from this declaration; nothing about a feature is written twice.
"""

from dataclasses import dataclass
from typing import Literal

FeatureGroup = Literal[
    "price", "momentum", "volatility", "volume", "returns", "cross_asset", "regime"
]
FeatureInput = Literal["open", "high", "low", "close", "volume", "proxy", "universe", "macro"]


@dataclass(frozen=True)
class FeatureSpec:
    """One feature: a number a ticker and session, known at the close of that session.

    Attributes:
        name: Column name.
        group: Family; the file of the library that computes it.
        inputs: What it is computed from. `open high low close volume` are the ticker's adjusted
            bars; `proxy`, `universe` and `macro` are the same for all tickers.
        lookback: Sessions needed for the first value; the first `lookback - 1` rows are null.
        formula: Definition, with parameters.
        source: Paper, textbook or library function the formula is taken from.
        is_level: In price or share units: stored for people, never fed to a model by default.
        minimum: Smallest possible value by construction, inclusive; None is unbounded.
        maximum: Largest possible value by construction, inclusive; None is unbounded.
    """

    name: str
    group: FeatureGroup
    inputs: tuple[FeatureInput, ...]
    lookback: int
    formula: str
    source: str
    is_level: bool = False
    minimum: float | None = None
    maximum: float | None = None
