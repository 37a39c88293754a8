from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.performance import measure_performance
from odyssey_assets.backtesting.tables import DAILY, PERFORMANCE
from odyssey_assets.core import drawdowns, returns, sharpe_uncertainty
from odyssey_assets.core.windows import window_starts
from odyssey_assets.portfolio.tables import SEED_PATHS
from odyssey_assets_tests.backtesting.replays import CAPITAL, market_panel, replayed, roll
from odyssey_assets_tests.features.markets import PROXY, small_market

BARS = small_market().bars
OF_RETURNS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "total_return": returns.total_return,
    "cagr": returns.cagr,
    "volatility": returns.volatility,
    "sharpe": returns.sharpe,
    "sharpe_standard_error": sharpe_uncertainty.sharpe_standard_error,
    "probabilistic_sharpe": sharpe_uncertainty.probabilistic_sharpe,
    "sortino": returns.sortino,
    "calmar": drawdowns.calmar,
    "max_drawdown": drawdowns.max_drawdown,
    "max_drawdown_sessions": drawdowns.max_drawdown_sessions,
    "win_rate": returns.win_rate,
    "profit_factor": returns.profit_factor,
    "value_at_risk_95": returns.value_at_risk,
    "expected_shortfall_95": returns.expected_shortfall,
}


@pytest.fixture(scope="module")
def daily() -> pd.DataFrame:
    panel = market_panel()
    starts = {"early": 30, "late": 400, "middle": 250}
    weights = [roll(name, panel, first=first).weights for name, first in starts.items()]
    return replayed(pd.concat(weights, ignore_index=True), panel).daily


@pytest.fixture(scope="module")
def performance(daily: pd.DataFrame) -> pd.DataFrame:
    return measure_performance(daily, seed_paths(daily), BARS, PROXY)


def seed_paths(daily: pd.DataFrame) -> pd.DataFrame:
    """Return three seeds of `late`; two of them are trained for its last window only."""
    own = daily[daily["strategy"] == "late"]
    is_newest = own["window"] == own["window"].max()
    frames = [
        pd.DataFrame(
            {
                "policy": "late",
                "seed": seed,
                "date": own["date"],
                "window": own["window"],
                "equity": own["equity"],
                "return": own["return"] + np.where(is_newest, shift, 0.0),
                "is_main_seed": shift == 0,
                "is_own_training": is_newest | (shift == 0),
            }
        )
        for seed, shift in ((42, 0.0), (43, 0.001), (44, -0.001))
    ]
    return SEED_PATHS.conform(pd.concat(frames))


def sessions_of(daily: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
    is_inside = daily["date"].between(row["start_date"], row["end_date"])
    return daily[is_inside & (daily["strategy"] == row["strategy"])]


@pytest.mark.parametrize("name", OF_RETURNS)
def test_figure_of_every_period_is_that_of_its_own_returns(
    name: str, daily: pd.DataFrame, performance: pd.DataFrame
) -> None:
    for _, row in performance.iterrows():
        own = sessions_of(daily, row)["return"].to_numpy()
        expected = float(OF_RETURNS[name](own))
        assert row[name] == expected or (np.isnan(row[name]) and np.isnan(expected))
    assert performance[name].notna().any()


def test_trading_figures_of_every_period_are_those_of_its_own_sessions(
    daily: pd.DataFrame, performance: pd.DataFrame
) -> None:
    before = daily.groupby("strategy")["equity"].shift(1).fillna(CAPITAL)
    costs = daily[["commission", "slippage", "impact"]].sum(axis=1)
    known = daily.assign(
        costs=costs, cost_rate=costs / before, gain=daily["price_gain"] + daily["interest"]
    )
    for _, row in performance.iterrows():
        own = sessions_of(known, row)
        assert row["sessions"] == len(own)
        assert row["turnover"] == pytest.approx(own["turnover"].mean() * 252)
        assert row["annual_cost"] == pytest.approx(own["cost_rate"].mean() * 252)
        gain = own["gain"].sum()
        expected = own["costs"].sum() / gain if gain > 0 else np.nan
        assert row["cost_share"] == pytest.approx(expected, nan_ok=True)
    assert performance["cost_share"].isna().any()
    assert performance["cost_share"].notna().any()


def test_beta_and_correlation_are_those_with_the_proxys_closes(
    daily: pd.DataFrame, performance: pd.DataFrame
) -> None:
    own_bars = BARS[BARS["ticker"] == PROXY].set_index("date")
    market = (own_bars["close"] * own_bars["total_return_factor"]).pct_change()
    for _, row in performance[performance["sessions"] > 2].iterrows():
        own = sessions_of(daily, row)
        both = np.cov(own["return"], market[own["date"]])
        assert row["beta"] == pytest.approx(both[0, 1] / both[1, 1])
        assert row["correlation"] == pytest.approx(both[0, 1] / np.sqrt(both[0, 0] * both[1, 1]))


def test_strategy_that_is_the_proxy_has_beta_and_correlation_one(daily: pd.DataFrame) -> None:
    own_bars = BARS[BARS["ticker"] == PROXY].set_index("date")
    market = (own_bars["close"] * own_bars["total_return_factor"]).pct_change()
    mimic = daily.assign(**{"return": market[daily["date"]].to_numpy()})
    rows = measure_performance(mimic, SEED_PATHS.empty(), BARS, PROXY)

    assert rows["beta"].to_list() == pytest.approx([1.0] * len(rows))
    assert rows["correlation"].to_list() == pytest.approx([1.0] * len(rows))


def test_figures_of_three_sessions_are_those_of_a_pocket_calculator() -> None:
    dates = pd.DatetimeIndex(["2012-06-28", "2012-06-29", "2012-07-02"]).astype("datetime64[us]")
    gains = np.array([100.0, -55.0, 20.9])
    rows = DAILY.conform(
        pd.DataFrame(
            {
                "strategy": "one", "date": dates, "window": window_starts(dates),
                "equity": 1000 + np.cumsum(gains), "return": [0.1, -0.05, 0.02],
                "gross_exposure": 0.8, "cash_weight": 0.2, "turnover": [0.8, 0.0, 0.1],
                "price_gain": np.add(gains, [10.0, 0.0, 2.0]), "interest": 0.0,
                "commission": [6.0, 0.0, 1.0], "slippage": [3.0, 0.0, 0.5],
                "impact": [1.0, 0.0, 0.5], "unfilled_value": 0.0, "limit_excess": 0.0,
                "drawdown": [0.0, -0.05, -0.031], "is_simulated": [False, False, True],
            }
        )
    )  # fmt: skip
    found = measure_performance(rows, SEED_PATHS.empty(), BARS, PROXY).set_index("period")
    whole = found.loc["whole"]

    assert whole["total_return"] == pytest.approx(1.1 * 0.95 * 1.02 - 1)
    assert whole["cagr"] == pytest.approx((1.1 * 0.95 * 1.02) ** 84 - 1)
    assert whole["volatility"] == pytest.approx(
        np.sqrt(
            252 * ((0.1 - 0.07 / 3) ** 2 + (-0.05 - 0.07 / 3) ** 2 + (0.02 - 0.07 / 3) ** 2) / 2
        )
    )
    assert whole["sharpe"] == pytest.approx(0.07 / 3 * 252 / whole["volatility"])
    assert whole["max_drawdown"] == pytest.approx(-0.05)
    assert whole["max_drawdown_sessions"] == 2
    assert whole["win_rate"] == pytest.approx(2 / 3)
    assert whole["profit_factor"] == pytest.approx(2.4)
    assert whole["turnover"] == pytest.approx(0.3 * 252)
    assert whole["annual_cost"] == pytest.approx((10 / 1000 + 2 / 1045) / 3 * 252)
    assert whole["cost_share"] == pytest.approx(12 / (65.9 + 12))
    assert found["is_simulated"].to_dict() == {
        "whole": True, "common": True, "2012": True, "2012-01-01": False, "2012-07-01": True,
    }  # fmt: skip
    assert found.loc["2012-07-01", "start_date"] == pd.Timestamp("2012-07-02")
    assert found.loc["2012-01-01", "end_date"] == pd.Timestamp("2012-06-29")


def test_figures_that_one_session_does_not_have_are_null(daily: pd.DataFrame) -> None:
    first = daily.groupby("strategy").head(1)
    rows = measure_performance(first, SEED_PATHS.empty(), BARS, PROXY)
    whole = rows[rows["period"] == "whole"]

    for name in ("volatility", "sharpe", "sortino", "beta", "correlation"):
        assert whole[name].isna().all()
    assert whole["total_return"].notna().all()
    assert (whole["sessions"] == 1).all()


@pytest.mark.parametrize("kind", ["year", "window"])
def test_periods_of_a_kind_compound_to_the_whole(kind: str, performance: pd.DataFrame) -> None:
    whole = performance[performance["period"] == "whole"].set_index("strategy")
    pieces = performance[performance["period_kind"] == kind]
    compounded = (1 + pieces["total_return"]).groupby(pieces["strategy"]).prod() - 1

    assert compounded.to_numpy() == pytest.approx(whole["total_return"].to_numpy())
    sessions = pieces.groupby("strategy")["sessions"].sum()
    assert sessions.to_dict() == whole["sessions"].to_dict()


def test_common_period_begins_with_the_last_strategys_first_return(
    daily: pd.DataFrame, performance: pd.DataFrame
) -> None:
    common = performance[performance["period"] == "common"]
    late = daily.loc[daily["strategy"] == "late", "date"]

    assert set(common["strategy"]) == {"early", "late", "middle"}
    assert (common["start_date"] == late.min()).all()
    assert (common["end_date"] == late.max()).all()
    assert (common["sessions"] == len(late)).all()


def test_strategies_without_a_common_session_have_no_common_period(daily: pd.DataFrame) -> None:
    late = daily.loc[daily["strategy"] == "late", "date"].min()
    apart = daily[(daily["strategy"] == "late") | (daily["date"] < late)]
    rows = measure_performance(apart, SEED_PATHS.empty(), BARS, PROXY)

    assert "common" not in set(rows["period"])
    assert set(rows["strategy"]) == {"early", "late", "middle"}


def test_common_period_of_one_strategy_is_its_whole(daily: pd.DataFrame) -> None:
    alone = daily[daily["strategy"] == "early"]
    rows = measure_performance(alone, SEED_PATHS.empty(), BARS, PROXY).set_index("period")
    labels = ["period_kind"]

    pd.testing.assert_series_equal(
        rows.loc["common"].drop(labels), rows.loc["whole"].drop(labels), check_names=False
    )


def test_seeds_are_counted_by_the_windows_they_were_trained_for(
    daily: pd.DataFrame, performance: pd.DataFrame
) -> None:
    late = performance[performance["strategy"] == "late"].set_index("period")
    windows = late[late["period_kind"] == "window"]
    own = daily[daily["strategy"] == "late"]
    newest = own.loc[own["window"] == own["window"].max(), "return"].to_numpy()

    assert windows["seed_count"].tolist() == [1] * (len(windows) - 1) + [3]
    assert late.loc["whole", "seed_count"] == 3
    assert windows["sharpe_seed_low"].iloc[-1] == returns.sharpe(newest - 0.001)
    assert windows["sharpe_seed_high"].iloc[-1] == returns.sharpe(newest + 0.001)
    assert (windows["sharpe_seed_low"].iloc[:-1] == windows["sharpe"].iloc[:-1]).all()


def test_rules_have_no_seeds(performance: pd.DataFrame) -> None:
    rules = performance[performance["strategy"] != "late"]
    columns = [name for name in performance if "_seed_" in str(name)]

    assert (rules["seed_count"] == 0).all()
    assert len(columns) == 6
    assert rules[columns].isna().all().all()


def test_rows_keep_their_contract_and_ranges(performance: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(performance, PERFORMANCE.conform(performance))
    for column in PERFORMANCE.columns:
        values = performance[column.name].dropna()
        assert column.minimum is None or (values >= column.minimum).all(), column.name
        assert column.maximum is None or (values <= column.maximum).all(), column.name
        assert not column.allowed or set(values) == set(column.allowed), column.name


def test_order_of_the_rows_does_not_matter(daily: pd.DataFrame, performance: pd.DataFrame) -> None:
    shuffled = daily.sample(frac=1, random_state=3)
    paths = seed_paths(daily).sample(frac=1, random_state=4)
    found = measure_performance(shuffled, paths, BARS.sample(frac=1, random_state=5), PROXY)

    pd.testing.assert_frame_equal(found, performance, check_exact=True)


def test_without_proxy_bars_only_what_needs_them_is_null(
    daily: pd.DataFrame, performance: pd.DataFrame
) -> None:
    rows = measure_performance(daily, seed_paths(daily), BARS.iloc[:0], PROXY)
    needing = ["beta", "correlation"]

    assert rows[needing].isna().all().all()
    pd.testing.assert_frame_equal(rows.drop(columns=needing), performance.drop(columns=needing))


def test_no_rows_give_no_rows() -> None:
    rows = measure_performance(DAILY.empty(), SEED_PATHS.empty(), BARS, PROXY)
    pd.testing.assert_frame_equal(rows, PERFORMANCE.empty())
