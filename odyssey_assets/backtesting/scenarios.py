"""Names and order of scenarios and regimes, as pictures and reports show them."""

import pandas as pd

from odyssey_assets.backtesting.shocks import (
    CORRELATIONS_TO_ONE,
    COSTS_TRIPLED,
    MARKET_MOVES,
    VOLATILITY_DOUBLED,
)

SHOCKS = (*MARKET_MOVES, VOLATILITY_DOUBLED, CORRELATIONS_TO_ONE, COSTS_TRIPLED)
REGIME_NAMES = {0: "calm", 1: "normal", 2: "stressed", -1: "not known yet"}


def ordered_scenarios(stress: pd.DataFrame) -> list[str]:
    """Return the scenarios: replays by date, then shocks, moves of the market first."""
    rows = stress.drop_duplicates("scenario").sort_values(["start_date", "scenario"])
    replays = [str(name) for name in rows.loc[rows["kind"] == "replay", "scenario"]]
    shocks = [str(name) for name in rows.loc[rows["kind"] == "shock", "scenario"]]
    place = {name: at for at, name in enumerate(SHOCKS)}
    return [*replays, *sorted(shocks, key=lambda name: place.get(name, len(place)))]
