import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.comparison import BENCHMARKS
from odyssey_assets.backtesting.curves import days_by_strategy
from odyssey_assets.backtesting.tables import (
    MONTE_CARLO,
    PERFORMANCE,
    REGIMES,
    STRESS,
    TRADES,
)
from odyssey_assets.backtesting.tear_sheet_html import Table
from odyssey_assets.backtesting.tear_sheet_tables import (
    LARGEST_TRADES,
    key_figures,
    largest_trades,
    months,
    regimes,
    resampled,
    scenarios,
)
from odyssey_assets.core.figure_text import UNKNOWN, count, percent, ratio
from odyssey_assets_tests.backtesting.synthetic_results import synthetic_results

RESULTS = synthetic_results(("ppo", "equal_weight", "buy_and_hold"))


def _of(rows: pd.DataFrame, strategy: str = "ppo") -> pd.DataFrame:
    return rows[rows["strategy"] == strategy]


def _cells(table: Table) -> dict[str, list[str]]:
    return {name: [cell.text for cell in cells] for name, cells in table.rows}


def _figures(performance: pd.DataFrame, strategy: str = "ppo") -> dict[str, list[str]]:
    benchmarks = [name for name in BENCHMARKS if name != strategy]
    one, two = key_figures(performance, strategy, benchmarks)
    return _cells(one) | _cells(two)


def test_key_figures_are_the_stored_ones_beside_both_benchmarks() -> None:
    rows = RESULTS.performance[RESULTS.performance["period"] == "common"].set_index("strategy")
    cells = _figures(RESULTS.performance)
    for at, name in enumerate(("ppo", *BENCHMARKS)):
        row = rows.loc[name]
        expected = {
            "Sessions": count(row["sessions"]),
            "Total return": percent(row["total_return"]),
            "Growth a year": percent(row["cagr"]),
            "Sharpe ratio ± standard error": (
                f"{ratio(row['sharpe'])} ± {ratio(row['sharpe_standard_error'])}"
            ),
            "Calmar ratio": ratio(row["calmar"]),
            "Deepest fall": percent(row["max_drawdown"]),
            "Longest time under water": f"{count(row['max_drawdown_sessions'])} sessions",
            "Value at risk of a session, 95%": percent(row["value_at_risk_95"], 2),
            "Costs a year": percent(row["annual_cost"], 2),
        }
        assert {label: cells[label][at] for label in expected} == expected
    row = rows.loc["ppo"]
    spread = f"{ratio(row['sharpe_seed_low'])} to {ratio(row['sharpe_seed_high'])}"
    assert cells["Sharpe ratio over seeds"] == [spread, UNKNOWN, UNKNOWN]


def test_key_figures_show_the_whole_life_where_it_is_longer() -> None:
    (of_rule, _), (of_learned, _) = (
        key_figures(RESULTS.performance, name, ()) for name in ("equal_weight", "ppo")
    )
    assert list(of_rule.head) == ["", "equal weight", "equal weight, whole life"]
    assert list(of_learned.head) == ["", "PPO"]
    whole = RESULTS.performance.query("strategy == 'equal_weight' and period == 'whole'").iloc[0]
    assert _cells(of_rule)["Total return"][1] == percent(whole["total_return"])
    assert f"Whole life: since {whole['start_date']:%Y-%m-%d}" in of_rule.note


def test_key_figures_that_nobody_has_are_left_out() -> None:
    cells = _figures(RESULTS.performance[RESULTS.performance["strategy"] != "ppo"], "equal_weight")
    assert "Sharpe ratio over seeds" not in cells
    assert "Total return" in cells
    unknown = RESULTS.performance.select_dtypes("float64").columns
    nothing = RESULTS.performance.assign(**dict.fromkeys(unknown, np.nan))
    assert list(_figures(nothing)) == ["Sessions"]
    empty = key_figures(PERFORMANCE.empty(), "ppo", BENCHMARKS)
    assert [len(table.rows) for table in empty] == [0, 0]


def test_months_equal_the_stored_years() -> None:
    days = days_by_strategy(RESULTS.daily)["ppo"]
    cells = _cells(months(days))
    years = _of(RESULTS.performance).query("period_kind == 'year'")
    for period, value in zip(years["period"], years["total_return"], strict=True):
        assert cells[period][-1] == percent(value)
    assert months(None).rows == []


def test_months_shade_gains_and_losses_apart() -> None:
    days = days_by_strategy(RESULTS.daily)["ppo"]
    shades = [cell for _, cells in months(days).rows for cell in cells if cell.shade is not None]
    for cell in shades:
        is_loss = cell.text.startswith("\N{MINUS SIGN}")
        assert cell.shade is not None
        assert cell.shade < 0 if is_loss else cell.shade >= 0 or cell.text == "0.0%"


def test_resampled_quantiles_are_the_stored_ones() -> None:
    rows = _of(RESULTS.monte_carlo)
    table = resampled(rows)
    wealth = rows[rows["quantity"] == "terminal_wealth"].sort_values("quantile")["value"]
    assert _cells(table)["1 USD at the end"] == [ratio(value) for value in wealth]
    assert percent(rows["probability_of_loss"].iloc[0]) in table.note
    assert list(table.head)[1:3] == ["1%", "5%"]


def test_resampled_quantity_without_a_value_is_a_dash() -> None:
    rows = _of(RESULTS.monte_carlo).copy()
    rows.loc[rows["quantity"] == "sharpe", "value"] = np.nan
    assert set(_cells(resampled(rows))["Sharpe ratio"]) == {UNKNOWN}


def test_scenarios_say_how_and_why_not() -> None:
    table = scenarios(_of(RESULTS.stress), "SPY")
    cells = _cells(table)
    rows = _of(RESULTS.stress).set_index("scenario")
    assert table.head[2] == "SPY"
    assert cells["2022"][0] == percent(rows.loc["2022", "portfolio_return"])
    assert cells["2022"][-1] == "2022-01-03 to 2022-12-30, as it then held"
    assert cells["2008 Q4"][0] == "no data"
    assert cells["2008 Q4"][-1] == rows.loc["2008 Q4", "reason"]
    assert cells["market -20 %"][-1] == "its newest portfolio"


def test_regimes_are_named_and_carry_their_error() -> None:
    rows = _of(RESULTS.regimes).set_index("regime")
    cells = _cells(regimes(_of(RESULTS.regimes)))
    assert list(cells) == ["calm", "normal", "stressed", "not known yet"]
    row = rows.loc[2]
    assert cells["stressed"][4] == f"{ratio(row['sharpe'])} ± {ratio(row['sharpe_standard_error'])}"


def test_largest_trades_are_the_largest_either_way() -> None:
    rows = _of(RESULTS.trades)
    table = largest_trades(rows)
    largest = rows["traded_value"].abs().nlargest(LARGEST_TRADES)
    assert [cells[4].text for _, cells in table.rows] == [count(value) for value in largest]
    sides = {cells[1].text for _, cells in table.rows}
    assert sides == {"buy", "sell"}
    assert table.note.startswith(f"{len(rows)} fills")


@pytest.mark.parametrize(
    "table",
    [
        resampled(MONTE_CARLO.empty()),
        scenarios(STRESS.empty(), "SPY"),
        regimes(REGIMES.empty()),
        largest_trades(TRADES.empty()),
    ],
)
def test_table_of_nothing_has_no_rows(table: Table) -> None:
    assert table.rows == []
