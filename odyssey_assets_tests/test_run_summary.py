"""What `odyssey run` says at its end. Whole summaries are read in `end_to_end`."""

from io import StringIO
from pathlib import Path

import duckdb
import pandas as pd
from rich.console import Console

from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.infrastructure.driver import JobOutcome
from odyssey_assets.infrastructure.home import Home, home_of
from odyssey_assets.infrastructure.published import query_published
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import QUARANTINE
from odyssey_assets.run_summary import (
    COMPARED_DAYS,
    MAX_WARNING_LENGTH,
    STRATEGIES,
    quarantined,
    standing_line,
    summarise,
    warning_lines,
)
from odyssey_assets.settings import Settings
from odyssey_assets.settings_sections import WarehouseSettings
from odyssey_assets_tests.tiny_market import TinyHome, tiny_settings


def test_warning_gives_each_reason_a_line_and_leaves_empty_findings_out() -> None:
    lines = warning_lines(
        "market_data/raw_bars: every_ticker_was_delivered",
        {"expected": 3, "examples": [], "not_delivered": {"AAA": "is empty", "BBB": "is gone"}},
    )
    assert lines == [
        "warning   market_data/raw_bars: every_ticker_was_delivered: expected 3",
        "          AAA: is empty",
        "          BBB: is gone",
    ]


def test_warning_with_many_failed_partitions_is_cut() -> None:
    (line,) = warning_lines("a: b", {"failed_partitions": [{"ticker": "AAA"}] * 1000})
    assert len(line) == len("warning   a: b: ") + MAX_WARNING_LENGTH


def test_quarantined_counts_rows_by_ticker_and_reason(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()
    warehouse = Warehouse(home, WarehouseSettings())
    assert quarantined(warehouse).empty
    days = pd.to_datetime(["2024-01-02", "2024-01-04", "2024-01-03"])
    rows = pd.DataFrame({"ticker": ["A", "A", "B"], "date": days, "source": "files"}).assign(
        reason="stale_bar", row_sha256=["1" * 64, "2" * 64, "3" * 64], is_rejected=True,
        detail="flat", content="{}", quarantined_at=pd.Timestamp("2024-02-01"), is_simulated=False,
    )  # fmt: skip
    warehouse.replace(QUARANTINE, rows[list(QUARANTINE.column_names)], (WHOLE_TABLE,))
    found = quarantined(warehouse)
    assert found[["ticker", "reason", "rows"]].to_numpy().tolist() == [
        ["A", "stale_bar", 2],
        ["B", "stale_bar", 1],
    ]
    assert found["first"].tolist() == [days[0], days[2]]
    assert found["last"].tolist() == [days[1], days[2]]


def strategies(**seeds: str | None) -> pd.DataFrame:
    """Return ranked strategies, best first, with what is shown of their seeds."""
    count = len(seeds)
    return pd.DataFrame(
        {
            "rank": range(1, count + 1),
            "strategy": list(seeds),
            "sharpe": [1.25 - 0.5 * at for at in range(count)],
            "seeds": pd.Series(list(seeds.values()), dtype="str"),
        }
    )


def test_standing_names_the_best_and_where_the_learned_one_stands_with_its_spread() -> None:
    rows = strategies(momentum=None, ppo="0.50 to 0.90", equal_weight=None)
    assert standing_line(rows) == (
        "Best after costs: momentum, Sharpe ratio 1.25. "
        "ppo: rank 2 of 3, Sharpe ratio 0.75 (seeds 0.50 to 0.90)."
    )


def test_standing_of_rules_alone_names_the_best_only() -> None:
    line = standing_line(strategies(momentum=None, equal_weight=None))
    assert line == "Best after costs: momentum, Sharpe ratio 1.25."


def test_standing_of_a_learned_best_gives_its_spread_too() -> None:
    line = standing_line(strategies(ppo="0.50 to 0.90", momentum=None))
    assert line.startswith("Best after costs: ppo, Sharpe ratio 1.25. ppo: rank 1 of 2")


def test_standing_without_any_ratio_says_so() -> None:
    rows = strategies(momentum=None, equal_weight=None).assign(sharpe=float("nan"))
    assert standing_line(rows) == "No strategy has a Sharpe ratio yet."


def test_standing_of_a_learned_one_without_a_ratio_claims_none() -> None:
    rows = strategies(momentum=None, ppo="0.50 to 0.90")
    rows.loc[1, "sharpe"] = float("nan")
    assert standing_line(rows) == "Best after costs: momentum, Sharpe ratio 1.25."


def said(settings: Settings, **outcomes: JobOutcome) -> str:
    """Return what the summary prints."""
    console = Console(file=StringIO(), width=200)
    summarise(console, settings, outcomes, {"measure_performance": 1.5})
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_summary_ranks_strategies_after_costs_and_names_the_days_compared(
    tiny_home: TinyHome,
) -> None:
    settings = tiny_settings(tiny_home.root)
    shown = said(settings)
    ranked = query_published(home_of(settings).published, STRATEGIES)
    common = query_published(home_of(settings).published, COMPARED_DAYS).iloc[0]
    assert (
        f"Strategies after costs, {common['first']:%Y-%m-%d} to {common['last']:%Y-%m-%d}, "
        f"{common['sessions']} sessions (simulated data)"
    ) in shown
    places = [shown.index(f" {name} ") for name in ranked["strategy"]]
    assert places == sorted(places)
    assert standing_line(ranked) in shown
    assert f"Reports   {home_of(settings).tear_sheets}" in shown


def test_summary_before_any_strategy_has_a_return_says_so(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    with duckdb.connect(str(home_of(settings).published)) as connection:
        connection.execute("delete from marts.mart_strategy_comparison")
    shown = said(settings)
    assert "No strategy has a return yet." in shown
    assert "Strategies after costs" not in shown
    assert "Forecast quality" in shown


def test_summary_of_a_failed_run_names_the_error_and_claims_no_figures(tiny_home: TinyHome) -> None:
    failed = JobOutcome("run", is_success=False, errors=["train_policies: the model is altered"])
    shown = said(tiny_settings(tiny_home.root), refresh_portfolio=failed)
    assert "failed    train_policies: the model is altered" in shown
    assert "Strategies after costs" not in shown
    assert "(as it was before this run)" in shown


def test_summary_of_a_run_that_published_all_the_same_says_what_is_old(tiny_home: TinyHome) -> None:
    failed = JobOutcome("run", is_success=False, errors=["train_policies: the model is altered"])
    marts = JobOutcome("run", is_success=True, assets={"published/database"})
    shown = said(tiny_settings(tiny_home.root), refresh_portfolio=failed, refresh_marts=marts)
    assert "(what failed is in it as it was before)" in shown
    assert "(as it was before this run)" not in shown
