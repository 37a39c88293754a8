from datetime import date

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.core.windows import windows_between
from odyssey_assets.features.catalog import FEATURES
from odyssey_assets.monitoring.drift.measurement import measure_drift
from odyssey_assets_tests.monitoring.drift.small_world import (
    START,
    small_settings,
    trained_windows,
    world_of,
)
from odyssey_assets_tests.no_lookahead.harness import ROWS, Market, leaking_columns

END = date(2014, 12, 31)
SETTINGS = small_settings()
DAYS = sessions_between(START, END)
NAMES = [spec.name for spec in FEATURES]
CUTS = [pd.Timestamp(day) for day in ("2013-02-01", "2014-01-02", "2014-07-01", "2014-10-15")]


def _market() -> Market:
    generator = np.random.default_rng(0)
    close = 50.0 * np.exp(np.cumsum(generator.normal(0.0, 0.01, len(DAYS))))
    bars = pd.DataFrame({"ticker": "AAA", "date": DAYS}).assign(
        **dict.fromkeys(("open", "high", "low", "close"), close)
    )
    volume = generator.lognormal(10.0, 0.5, len(DAYS))
    bars = bars.assign(volume=volume, split_factor=1.0, total_return_factor=1.0)
    return Market(bars, pd.DataFrame({"series": "VIX", "date": DAYS, "value": 20.0}))


def _features(bars: pd.DataFrame) -> pd.DataFrame:
    """Return one made-up feature a name, each row from bars up to it."""
    log_close, volume = np.log(bars["close"]), np.log(bars["volume"])
    columns = {
        name: (
            log_close.diff().rolling(2 + at, min_periods=1).mean()
            if at % 2
            else volume.rolling(2 + at, min_periods=1).mean()
        )
        for at, name in enumerate(NAMES)
    }
    frame = pd.DataFrame({"ticker": bars["ticker"].astype("str"), "date": bars["date"], **columns})
    return frame.reset_index(drop=True)


def _drift(market: Market, table: str) -> pd.DataFrame:
    world = world_of(_features(market.bars), SETTINGS)
    measured = measure_drift(
        world.features,
        world.folds,
        world.challengers,
        world.predictions,
        (),
        {"AAA": windows_between(START, END)},
        SETTINGS,
        None,
    )
    rows = measured.drift if table == "drift" else measured.summary
    if rows.empty:
        return rows
    # The last session so far is a look that the next night replaces: it is no row of the past.
    known = world.features["date"]
    is_running = rows["as_of"] == known.max()
    is_checkpoint = rows["sessions"].isin([21, 42, 63, 84, 105, 126])
    return rows[~is_running | is_checkpoint].reset_index(drop=True)


@pytest.mark.parametrize("table", ["drift", "summary"])
def test_drift_on_cut_and_scrambled_future_stays_as_measured(table: str) -> None:
    market = _market()
    assert len(_drift(market, table)) > 10

    def compute(given: Market) -> pd.DataFrame:
        return _drift(given, table)

    leaks = leaking_columns(compute, market, CUTS, date_column="as_of")
    assert leaks == {}


def test_thresholds_of_all_windows_together_are_caught() -> None:
    def compute(given: Market) -> pd.DataFrame:
        rows = _drift(given, "drift")
        usual = rows.groupby(["feature", "method"])["score"].transform("mean")
        return rows.assign(threshold=usual)

    leaks = leaking_columns(compute, _market(), CUTS, date_column="as_of")
    assert "threshold" in leaks
    assert ROWS not in leaks


def test_windows_of_the_look_ahead_test_rest_on_draws_and_on_windows() -> None:
    world = world_of(_features(_market().bars), SETTINGS)
    assert len(trained_windows(world)) > SETTINGS.drift.min_past_windows
