import numpy as np
import pytest

from odyssey_assets.backtesting.tear_sheet_figures import (
    fan_chart,
    portfolio_chart,
    weights_chart,
)
from odyssey_assets.core.figure_text import percent
from odyssey_assets.portfolio.tables import WEIGHTS
from odyssey_assets_tests.backtesting.synthetic_results import (
    TICKERS,
    synthetic_fan,
    synthetic_results,
)

RESULTS = synthetic_results(("ppo",))
FAN = synthetic_fan(RESULTS.daily)
NEWEST = RESULTS.weights[RESULTS.weights["date"] == RESULTS.weights["date"].max()]


def test_weights_stack_to_one_with_cash_and_end_at_the_newest_session() -> None:
    chart = weights_chart(RESULTS.weights)
    assert [trace["name"] for trace in chart.data][-1] == "cash"
    assert len(chart.data) == len(TICKERS) + 1
    stacked = np.sum([trace["y"] for trace in chart.data], axis=0)
    np.testing.assert_allclose(stacked, 1.0, atol=1e-3)
    dates = chart.data[0]["x"]
    assert isinstance(dates, list)
    assert dates == sorted(dates)
    assert dates[-1] == f"{NEWEST['date'].iloc[0]:%Y-%m-%d}"
    assert len(dates) == RESULTS.weights["date"].dt.to_period("M").nunique()
    newest = NEWEST.set_index("ticker")["held_weight"]
    assert f"AAPL {percent(newest['AAPL'])}" in chart.legend
    assert "cash 20.0%" in chart.legend


def test_weights_of_few_sessions_are_all_shown() -> None:
    last = RESULTS.weights["date"].drop_duplicates().nlargest(5)
    chart = weights_chart(RESULTS.weights[RESULTS.weights["date"].isin(last)])
    assert [len(trace["y"]) for trace in chart.data] == [5] * 16
    assert weights_chart(NEWEST).data[0]["mode"] == "markers"


def test_fan_has_a_band_a_pair_of_quantiles_and_the_median() -> None:
    chart = fan_chart(FAN)
    assert [trace["name"] for trace in chart.data] == [
        "1%", "99%", "5%", "95%", "25%", "75%", "median",
    ]  # fmt: skip
    own = FAN[FAN["quantile"] == 0.95].sort_values("session")["wealth"]
    np.testing.assert_allclose(chart.data[3]["y"], own, atol=1e-4)
    assert chart.data[3]["fill"] == "tonexty"
    assert list(chart.legend) == ["1% to 99%", "5% to 95%", "25% to 75%", "median"]


def test_portfolio_shows_targets_holdings_and_the_spread_of_seeds() -> None:
    chart = portfolio_chart(RESULTS.weights)
    bars, marks = chart.data
    rows = NEWEST.sort_values("target_weight")
    assert bars["y"] == marks["y"] == ["cash", *rows["ticker"]]
    assert bars["x"] == pytest.approx([0.2, *rows["target_weight"]], abs=1e-5)
    assert marks["x"] == pytest.approx([0.2, *rows["held_weight"]], abs=1e-5)
    assert bars["error_x"]["array"] == [None, *[0.02] * len(TICKERS)]
    assert "standard deviation over 3 seeds" in chart.legend
    largest = rows.iloc[-1]
    shown = chart.layout["yaxis"]["ticktext"][-1]
    assert shown == f"{largest['ticker']}  {percent(largest['target_weight'])}"


def test_portfolio_of_a_rule_has_no_spread() -> None:
    rows = RESULTS.weights.assign(seed_count=0, target_weight_seed_std=np.nan)
    chart = portfolio_chart(rows)
    assert "error_x" not in chart.data[0]
    assert list(chart.legend) == ["target", "held"]


def test_charts_of_nothing_have_no_traces() -> None:
    assert weights_chart(WEIGHTS.empty()).data == []
    assert portfolio_chart(WEIGHTS.empty()).data == []
    assert fan_chart(FAN.iloc[:0]).data == []
