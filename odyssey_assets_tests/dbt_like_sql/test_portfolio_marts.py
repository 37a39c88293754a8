"""Portfolios, fills and months as marts show them, against pandas."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.tables import DAILY, PERFORMANCE, TRADES
from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.portfolio.tables import WEIGHTS
from odyssey_assets_tests.dbt_like_sql.stored import Tables, change_market, read_mart

PORTFOLIO = [("marts", "mart_current_portfolio")]
MONTHS = [("marts", "mart_monthly_returns")]
FORECAST = ["prediction", "lower", "upper", "horizon"]


def test_current_portfolio_is_the_newest_close_of_every_policy_with_cash(
    warehouse: Warehouse, tables: Tables
) -> None:
    found = read_mart(warehouse, "mart_current_portfolio")
    weights = tables[WEIGHTS]
    newest = weights[weights["date"] == weights["date"].max()].set_index(["policy", "ticker"])
    is_cash = found["ticker"] == "(cash)"
    assets = found[~is_cash].set_index(["policy", "ticker"]).sort_index()
    passed = ["target_weight", "held_weight", "is_decision", "is_halted", "seed_count", "window"]
    pd.testing.assert_frame_equal(assets[passed], newest[passed].sort_index())
    assert (assets["policy_model_sha256"].dropna() == "challenger ppo 2024-07-29").all()
    assert assets["policy_model_sha256"].notna().sum() == 3
    sums = found.groupby("policy")[["target_weight", "held_weight", "order_weight"]].sum()
    np.testing.assert_allclose(sums, [[1, 1, 0]] * 4, atol=1e-12)
    cash = found[is_cash].set_index("policy")
    daily = tables[DAILY].groupby("strategy").tail(1).set_index("strategy")
    assert (cash["held_weight"] == daily.loc[cash.index, "cash_weight"]).all()
    assert (found["sessions_behind"] == 0).all()
    assert found["is_simulated"].all()


def test_current_portfolio_orders_only_where_it_decided_at_this_close(
    warehouse: Warehouse,
) -> None:
    found = read_mart(warehouse, "mart_current_portfolio").set_index("policy")
    change = found["target_weight"] - found["held_weight"]
    assert (found.loc["ppo", "order_weight"] - change["ppo"]).abs().max() < 1e-12
    assert (change["ppo"].abs() > 1e-4).all()
    drifting = found.loc["equal_weight"]
    assert not drifting["is_decision"].any()
    assert (drifting["order_weight"] == 0).all()
    assert change["equal_weight"].abs().max() > 1e-4


def test_current_portfolio_names_the_forecast_behind_the_decision(
    warehouse: Warehouse, tables: Tables
) -> None:
    found = read_mart(warehouse, "mart_current_portfolio")
    weights = tables[WEIGHTS]
    decided = weights[weights["is_decision"]].groupby("policy")["date"].max()
    assert (found["decided_on"] == found["policy"].map(decided)).all()
    assert decided["equal_weight"] < decided["ppo"] == weights["date"].max()
    forecasts = tables[PREDICTIONS].query("model == 'xgboost'")
    merged = found.merge(
        forecasts[["ticker", "date", *FORECAST]],
        how="left",
        left_on=["ticker", "decided_on"],
        right_on=["ticker", "date"],
        suffixes=("", "_expected"),
    )
    for name in FORECAST:
        pd.testing.assert_series_equal(
            merged[name], merged[f"{name}_expected"], check_names=False, check_dtype=False
        )
    has_forecast = found["prediction"].notna()
    is_expected = found["ticker"].isin(["AAA", "BBB"]) & (found["policy"] != "buy_and_hold")
    assert (has_forecast == is_expected).all(), "none for cash, a late listing or before the first"
    half_width = (found["upper"] - found["lower"]) / 2
    confidence = (found["prediction"].abs() / half_width).clip(upper=1)
    pd.testing.assert_series_equal(found["confidence"], confidence, check_names=False)


def test_current_portfolio_carries_the_verdict_on_its_policy(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    comparison = read_mart(warehouse, "mart_strategy_comparison").set_index("strategy")
    found = read_mart(warehouse, "mart_current_portfolio")
    assert (found["verdict"] == found["policy"].map(comparison["verdict"])).all()
    assert (found["rank"] == found["policy"].map(comparison["rank"])).all()
    empty = {DAILY: DAILY.empty(), PERFORMANCE: PERFORMANCE.empty(), TRADES: TRADES.empty()}
    first_day = read_mart(
        change_market(warehouse, tmp_path, empty, PORTFOLIO), "mart_current_portfolio"
    )
    assert first_day["verdict"].isna().all()
    np.testing.assert_allclose(first_day.groupby("policy")["held_weight"].sum(), 1)
    assert len(first_day) == len(found)


def test_trade_blotter_shows_every_fill_with_its_decision(
    warehouse: Warehouse, tables: Tables
) -> None:
    grain = list(TRADES.grain)
    found = read_mart(warehouse, "mart_trade_blotter").sort_values(grain, ignore_index=True)
    trades = tables[TRADES].sort_values(grain, ignore_index=True)
    pd.testing.assert_frame_equal(found[list(TRADES.column_names)], trades)
    assert ((found["side"] == "sell") == (trades["shares"] < 0)).all()
    assert set(found["side"]) == {"buy", "sell"}
    np.testing.assert_allclose(found["cost_bps"], 15)
    decisions = tables[WEIGHTS].rename(columns={"policy": "strategy", "date": "decided_on"})
    decisions = decisions[["strategy", "decided_on", "ticker", "target_weight", "model_sha256"]]
    merged = trades.merge(decisions, how="left").sort_values(grain, ignore_index=True)
    assert (found["target_weight"] == merged["target_weight"]).all()
    assert found["policy_model_sha256"].equals(merged["model_sha256"])
    waited = found.set_index(["strategy", "ticker"])["sessions_waited"]
    assert sorted(waited[waited > 0]) == [1, 2]
    assert set(waited[waited > 0].index) == {("equal_weight", "BBB")}


def test_trade_blotter_names_the_forecast_at_the_decision(
    warehouse: Warehouse, tables: Tables
) -> None:
    found = read_mart(warehouse, "mart_trade_blotter")
    forecasts = tables[PREDICTIONS].query("model == 'xgboost'").set_index(["ticker", "date"])
    keys = pd.MultiIndex.from_frame(found[["ticker", "decided_on"]])
    expected = forecasts["prediction"].reindex(keys).to_numpy()
    np.testing.assert_array_equal(found["prediction"], expected)
    known = found[found["prediction"].notna()]
    assert 0 < len(known) < len(found)
    row = known.iloc[-1]
    did = "Sold" if row["shares"] < 0 else "Bought"
    assert row["words"] == (
        f"{did} {abs(row['shares']):,.2f} {row['ticker']} at {row['price']:,.2f} USD for "
        f"{abs(row['traded_value']):,.0f} USD, costs {row['costs']:,.2f} USD; decided at the close "
        f"of {row['decided_on']:%Y-%m-%d} on a forecast of {100 * row['prediction']:+.1f} % in "
        "5 sessions."
    )
    unknown = found.loc[found["prediction"].isna(), "words"]
    assert unknown.str.endswith(" without a forecast.").all()


def test_monthly_returns_match_pandas(warehouse: Warehouse, tables: Tables) -> None:
    keys = ["strategy", "year", "month"]
    found = read_mart(warehouse, "mart_monthly_returns").set_index(keys)
    daily = tables[DAILY].assign(
        year=lambda rows: rows["date"].dt.year, month=lambda rows: rows["date"].dt.month
    )
    proxy = daily[daily["strategy"] == "buy_and_hold"].set_index("date")["return"]
    daily["proxy"] = daily["date"].map(proxy)
    groups = daily.groupby(keys)
    expected = groups[["return", "proxy"]].agg(lambda returns: (1 + returns).prod() - 1)
    np.testing.assert_allclose(found["total_return"], expected["return"], rtol=1e-12)
    np.testing.assert_allclose(found["buy_and_hold_return"], expected["proxy"], rtol=1e-12)
    assert (found["sessions"] == groups.size()).all()
    assert (found["start_date"] == groups["date"].min()).all()
    assert (found["end_date"] == groups["date"].max()).all()
    own = found.loc["buy_and_hold"]
    assert (own["return_over_buy_and_hold"] == 0).all()


def test_monthly_returns_leave_out_a_proxy_that_missed_a_session(
    warehouse: Warehouse, tables: Tables, tmp_path: Path
) -> None:
    daily = tables[DAILY]
    is_gap = (daily["strategy"] == "buy_and_hold") & (daily["date"] == "2024-03-05")
    changed = change_market(warehouse, tmp_path, {DAILY: daily[~is_gap]}, MONTHS)
    found = read_mart(changed, "mart_monthly_returns").set_index(["strategy", "year", "month"])
    ppo = found.loc["ppo", "buy_and_hold_return"]
    assert np.isnan(ppo[2024, 3])
    assert ppo.drop((2024, 3)).notna().all()
    assert found.loc[("ppo", 2024, 3), "total_return"] == pytest.approx(
        read_mart(warehouse, "mart_monthly_returns")
        .set_index(["strategy", "year", "month"])
        .loc[("ppo", 2024, 3), "total_return"]
    )


def test_default_forecast_is_of_the_newest_window_and_the_shortest_horizon(
    warehouse: Warehouse, tables: Tables, tmp_path: Path
) -> None:
    predictions = tables[PREDICTIONS]
    chosen = predictions[predictions["model"] == "xgboost"].iloc[:2]
    older = chosen.iloc[:1].assign(window=pd.Timestamp("2023-07-01"), prediction=9.0, horizon=1)
    longer = chosen.iloc[1:].assign(horizon=20, prediction=9.0)
    more = PREDICTIONS.conform(pd.concat([predictions, older, longer]))
    changed = change_market(warehouse, tmp_path, {PREDICTIONS: more}, ())
    sql = "select * from intermediate.int_default_forecasts order by ticker, date"
    pd.testing.assert_frame_equal(changed.query(sql), warehouse.query(sql))
