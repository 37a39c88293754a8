"""Figures of policies use returns known at their row's close, and their limits earlier windows.

Equity travels as the closing prices of the strategies, who decides as a macro series by policy, so
that both are cut and scrambled.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.windows import window_starts
from odyssey_assets.monitoring.quality.policies import judge_policy_decay, measure_policy_quality
from odyssey_assets.portfolio.tables import POLICY_CHALLENGERS
from odyssey_assets.settings_sections import DecaySettings
from odyssey_assets_tests.no_lookahead.harness import (
    ROWS,
    Market,
    leaking_columns,
    random_days,
)

LEARNED = ("one", "other")
FIRST, LAST = "2015-01-02", "2019-12-31"


@pytest.fixture(scope="module")
def market() -> Market:
    days = pd.bdate_range(FIRST, LAST).as_unit("us")
    generator = np.random.default_rng(2)
    equity = pd.concat(
        [
            pd.DataFrame({"ticker": name, "date": days}).assign(
                close=np.cumprod(1.0 + generator.normal(0.0, 0.01, len(days)))
            )
            for name in (*LEARNED, "equal_weight")
        ],
        ignore_index=True,
    )
    unused = ("open", "high", "low", "volume", "split_factor", "total_return_factor")
    bars = equity.assign(**dict.fromkeys(unused, 1.0))
    # A model decides for a quarter; its number is also what its validation promised.
    quarter = 4.0 * days.year + days.quarter
    deciders = [pd.DataFrame({"series": name, "date": days, "value": quarter}) for name in LEARNED]
    return Market(bars, pd.concat(deciders, ignore_index=True))


@pytest.fixture(scope="module")
def days(market: Market) -> list[pd.Timestamp]:
    around_a_window = [pd.Timestamp("2018-12-31"), pd.Timestamp("2019-01-01")]
    known = market.bars.loc[market.bars["date"] > "2017-12-31", "date"]
    return [*random_days(known, count=4, seed=5), *around_a_window]


def quality_of(market: Market) -> pd.DataFrame:
    equity = market.bars.rename(columns={"ticker": "strategy"}).sort_values(["strategy", "date"])
    earned = equity.groupby("strategy")["close"].pct_change()
    daily = equity.assign(**{"return": earned}).dropna()[["strategy", "date", "return"]]
    daily["window"] = window_starts(daily["date"])
    weights = market.macro.rename(columns={"series": "policy", "value": "validation_sharpe"})
    weights["model_sha256"] = weights["validation_sharpe"].map("{:.17g}".format)
    first = weights.sort_values("date").drop_duplicates(["policy", "model_sha256"])
    policies = first.rename(columns={"date": "window"}).assign(is_main_seed=True)
    rows = measure_policy_quality(daily, weights, policies, POLICY_CHALLENGERS.empty())
    judged = judge_policy_decay(rows, DecaySettings())
    return judged.astype({"is_sharpe_decayed": float})


def test_figures_and_limits_on_cut_and_scrambled_future_keep_every_bit(
    market: Market, days: list[pd.Timestamp]
) -> None:
    assert leaking_columns(quality_of, market, days) == {}


def test_every_figure_and_limit_is_known_before_the_days(
    market: Market, days: list[pd.Timestamp]
) -> None:
    before = quality_of(market)
    before = before[before["date"] <= min(days)]
    assert [name for name in before if before[name].isna().all()] == []


@pytest.mark.parametrize(
    ("column", "leak"),
    [
        ("sharpe_60", lambda rows: rows.groupby("policy")["sharpe_60"].shift(-1)),
        (
            "sharpe_floor",
            lambda rows: rows.groupby(["policy", "window"])["sharpe_60"].transform("min"),
        ),
    ],
)
def test_figure_of_the_next_session_or_limit_of_the_window_itself_is_caught(
    column: str,
    leak: Callable[[pd.DataFrame], pd.Series],
    market: Market,
    days: list[pd.Timestamp],
) -> None:
    def leaking(market: Market) -> pd.DataFrame:
        rows = quality_of(market)
        return rows.assign(**{column: leak(rows)})

    leaks = leaking_columns(leaking, market, days)
    assert set(leaks) == {column}
    assert ROWS not in leaks
