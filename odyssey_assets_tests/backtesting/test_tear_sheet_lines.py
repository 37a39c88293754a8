from datetime import date

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.curves import ROLLING_SESSIONS, days_by_strategy
from odyssey_assets.backtesting.plotly_parts import SESSIONS
from odyssey_assets.backtesting.tear_sheet_html import Chart
from odyssey_assets.backtesting.tear_sheet_lines import (
    Curves,
    cost_chart,
    curves_of,
    drawdown_chart,
    growth_chart,
    rolling_chart,
    session_dates,
    turnover_chart,
)
from odyssey_assets_tests.backtesting.synthetic_results import synthetic_results

RESULTS = synthetic_results(("ppo", "equal_weight", "buy_and_hold"))


def _curves(daily: pd.DataFrame, *names: str) -> dict[str, Curves]:
    days = days_by_strategy(daily)
    return {name: curves_of(days[name]) for name in names}


CURVES = _curves(RESULTS.daily, "ppo", "equal_weight", "buy_and_hold")
DATES = session_dates(CURVES["ppo"])


def _line(chart: Chart, name: str) -> np.ndarray:
    [trace] = [trace for trace in chart.data if trace["name"] == name]
    assert trace["x"] == SESSIONS
    return np.array(trace["y"], dtype=np.float64)


def test_every_line_has_one_value_a_session_of_the_strategy() -> None:
    charts = [
        growth_chart(CURVES, RESULTS.seed_paths),
        drawdown_chart(CURVES),
        rolling_chart(CURVES),
        turnover_chart(CURVES),
        cost_chart(CURVES),
    ]
    for chart in charts:
        assert {len(_line(chart, str(trace["name"]))) for trace in chart.data} == {len(DATES)}
        assert chart.data[-1]["name"] == "PPO", "the strategy is drawn on top"
        assert [name.rsplit(" ", 1)[0] for name in chart.legend] == [
            "PPO", "equal weight", "buy and hold",
        ]  # fmt: skip
    assert DATES[0] == "2015-01-02"
    assert DATES[-1] == "2025-06-30"


def test_growth_begins_at_the_same_close_for_all_and_follows_stored_returns() -> None:
    chart = growth_chart(CURVES, RESULTS.seed_paths)
    for name, strategy in (("PPO", "ppo"), ("equal weight", "equal_weight")):
        own = RESULTS.daily[
            (RESULTS.daily["strategy"] == strategy) & (RESULTS.daily["date"] >= DATES[0])
        ]
        expected = np.cumprod(1 + own["return"])
        np.testing.assert_allclose(_line(chart, name), expected, atol=1e-5)
    assert chart.layout["yaxis"]["type"] == "log"
    assert "1.89" in chart.summary


def test_growth_of_a_strategy_older_than_a_benchmark_begins_with_the_benchmark() -> None:
    curves = _curves(RESULTS.daily, "equal_weight", "ppo")
    chart = growth_chart(curves, RESULTS.seed_paths)
    line = _line(chart, "equal weight")
    waiting = int(np.isnan(line).sum())
    assert session_dates(curves["equal_weight"])[waiting] == "2015-01-02"
    assert "2015-01-02" in chart.title


def test_growth_shows_the_band_of_seeds_only_where_there_are_several() -> None:
    with_band = growth_chart(CURVES, RESULTS.seed_paths)
    low, high = _line(with_band, "lowest seed"), _line(with_band, "highest seed")
    own = _line(with_band, "PPO")
    assert (low <= own + 1e-5).all()
    assert (high >= own - 1e-5).all()
    one = RESULTS.seed_paths[RESULTS.seed_paths["is_main_seed"]]
    assert len(growth_chart(CURVES, one).data) == 3


def test_drawdown_and_turnover_are_the_stored_days() -> None:
    own = RESULTS.daily[RESULTS.daily["strategy"] == "ppo"]
    np.testing.assert_allclose(_line(drawdown_chart(CURVES), "PPO"), own["drawdown"], atol=1e-5)
    turnover = _line(turnover_chart(CURVES), "PPO")
    assert turnover[-1] == pytest.approx(own["turnover"].tail(252).sum(), abs=1e-5)


def test_costs_of_an_older_benchmark_count_from_the_strategys_first_session() -> None:
    costs = _line(cost_chart(CURVES), "equal weight")
    own = RESULTS.daily[RESULTS.daily["strategy"] == "equal_weight"]
    own = own[own["date"] >= DATES[0]]
    np.testing.assert_allclose(costs, 0.0015 * own["turnover"].cumsum(), atol=2e-5)


def test_rolling_chart_before_a_year_has_no_data() -> None:
    short = synthetic_results(("equal_weight",), first=date(2020, 1, 2), last=date(2020, 6, 30))
    assert len(short.daily) < ROLLING_SESSIONS
    assert rolling_chart(_curves(short.daily, "equal_weight")).data == []


def test_charts_of_one_session_show_points() -> None:
    day = RESULTS.daily[RESULTS.daily["date"] == RESULTS.daily["date"].max()]
    curves = _curves(day, "ppo", "equal_weight")
    for chart in (growth_chart(curves, RESULTS.seed_paths), drawdown_chart(curves)):
        named = [trace for trace in chart.data if trace["name"] in ("PPO", "equal weight")]
        assert {trace["mode"] for trace in named} == {"markers"}


def test_growth_of_a_ruined_strategy_is_drawn_without_a_label_at_zero() -> None:
    ruined = RESULTS.daily.copy()
    ruined.loc[ruined["date"] >= "2020-01-02", "return"] = -1.0
    chart = growth_chart(_curves(ruined, "ppo"), RESULTS.seed_paths)
    assert min(chart.layout["yaxis"]["tickvals"]) > 0
