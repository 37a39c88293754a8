"""The refresh jobs as `odyssey run` drives them: their ranges, their stages, what they leave."""

from collections.abc import Sequence
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from rich.console import Console

from odyssey_assets.core.windows import Window, parse_window
from odyssey_assets.definitions import TABLES, build_defs
from odyssey_assets.errors import TrainingError
from odyssey_assets.headless import (
    examine,
    job_tags,
    prune,
    refresh_tags,
    run_jobs,
    stages_by_step,
    with_fixed_break,
)
from odyssey_assets.infrastructure.driver import open_instance
from odyssey_assets.infrastructure.home import Home, home_of, remember_universe
from odyssey_assets.infrastructure.partitions import RANGE_END_TAG, RANGE_START_TAG
from odyssey_assets.infrastructure.refresh import (
    REFRESH_MACRO,
    REFRESH_MARKET,
    REFRESH_MARTS,
    REFRESH_MONITORING,
    REFRESH_PORTFOLIO,
    RETRAIN,
)
from odyssey_assets.infrastructure.stages import SQL_FOLDERS
from odyssey_assets.market_data.tables import RAW_BARS
from odyssey_assets.settings import Settings
from odyssey_assets_tests.tiny_market import (
    TICKERS,
    WINDOWS,
    TinyHome,
    invoke,
    tiny_settings,
    warehouse_of,
)

JOBS = (REFRESH_MACRO, REFRESH_MARKET, REFRESH_PORTFOLIO, REFRESH_MONITORING, REFRESH_MARTS)


def test_job_tags_cover_all_tickers_and_windows_in_order() -> None:
    tags = job_tags(("AAPL", "MSFT", "SPY"), [parse_window(key) for key in WINDOWS])
    assert tuple(tags) == JOBS
    assert tags[REFRESH_MACRO] == {RANGE_START_TAG: WINDOWS[0], RANGE_END_TAG: WINDOWS[-1]}
    assert tags[REFRESH_MARKET] == {
        RANGE_START_TAG: f"{WINDOWS[0]}|AAPL",
        RANGE_END_TAG: f"{WINDOWS[-1]}|SPY",
    }
    assert tags[REFRESH_PORTFOLIO] == tags[REFRESH_MACRO]
    assert tags[REFRESH_MONITORING] == tags[REFRESH_MARKET]
    assert tags[REFRESH_MARTS] == {}


def portfolio_range(settings: Settings, nightly: Sequence[Window]) -> tuple[str, str]:
    """Return the first and last window of the portfolio job of a nightly run."""
    tags = refresh_tags(settings, nightly)
    of_market = job_tags(settings.tickers, nightly)
    assert tuple(tags) == JOBS
    assert {name: tags[name] for name in JOBS if name != REFRESH_PORTFOLIO} == {
        name: of_market[name] for name in JOBS if name != REFRESH_PORTFOLIO
    }
    return tags[REFRESH_PORTFOLIO][RANGE_START_TAG], tags[REFRESH_PORTFOLIO][RANGE_END_TAG]


def test_portfolios_held_under_the_same_rules_get_the_windows_of_the_run(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path)
    home_of(settings).create()
    remember_universe(settings, is_filled=True)
    newest = (parse_window(WINDOWS[-1]),)
    assert portfolio_range(settings, newest) == (WINDOWS[-1], WINDOWS[-1])
    same = tiny_settings(tmp_path, workers=2, backtesting={"monte_carlo_paths": 10})
    assert portfolio_range(same, newest) == (WINDOWS[-1], WINDOWS[-1])


@pytest.mark.parametrize(
    "change", [{"costs": {"slippage_bps": 1.0}}, {"portfolio": {"max_weight": 0.1}}, {"seed": 3}]
)
def test_portfolios_held_under_other_rules_get_all_windows(
    change: dict[str, Any], tmp_path: Path
) -> None:
    settings = tiny_settings(tmp_path)
    home_of(settings).create()
    newest = (parse_window(WINDOWS[-1]),)
    assert portfolio_range(settings, newest) == (WINDOWS[0], WINDOWS[-1]), "never held"
    remember_universe(settings, is_filled=True)
    changed = tiny_settings(tmp_path, **change)
    assert portfolio_range(changed, newest) == (WINDOWS[0], WINDOWS[-1])
    remember_universe(changed)
    assert portfolio_range(changed, newest) == (WINDOWS[0], WINDOWS[-1]), "not until it succeeds"
    remember_universe(changed, is_filled=True)
    assert portfolio_range(changed, newest) == (WINDOWS[-1], WINDOWS[-1])


def test_settings_that_the_catalogs_refuse_are_not_remembered(tmp_path: Path) -> None:
    policies = '["equal_weight", "oracle"]'
    result = invoke(tmp_path, "run", ODYSSEY_PORTFOLIO__POLICIES=policies)
    assert result.exit_code != 0
    assert "oracle" in result.output
    assert not Home(tmp_path).universe.exists()


def jobs_of_which_one_fails(failing: str) -> dg.Definitions:
    """Return jobs named as the refresh jobs, each of one step that does nothing, or fails."""

    def job(name: str) -> dg.JobDefinition:
        @dg.op(name=f"step_of_{name}")
        def step() -> None:
            if name == failing:
                raise TrainingError(f"{name} cannot go on")

        @dg.job(name=name, executor_def=dg.in_process_executor)
        def steps() -> None:
            step()

        return steps

    return dg.Definitions(jobs=[job(name) for name in (*JOBS, RETRAIN)])


@pytest.mark.parametrize(
    ("failing", "begun"),
    [
        (REFRESH_MACRO, JOBS[:1]),
        (REFRESH_MARKET, JOBS[:2]),
        (REFRESH_PORTFOLIO, JOBS),
        (REFRESH_MONITORING, JOBS),
        (REFRESH_MARTS, JOBS),
    ],
)
def test_failure_of_portfolio_or_monitoring_does_not_hold_back_what_follows(
    failing: str, begun: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DAGSTER_HOME", "ODYSSEY_HOME"):  # the instance sets them
        monkeypatch.setenv(name, "")
    settings = tiny_settings(tmp_path)
    outcomes, seconds = run_jobs(
        Console(file=StringIO()),
        jobs_of_which_one_fails(failing),
        open_instance(home_of(settings)),
        settings,
        {name: {} for name in JOBS},
    )
    assert tuple(outcomes) == tuple(begun)
    assert [name for name in begun if not outcomes[name].is_success] == [failing]
    assert outcomes[failing].errors == [f"step_of_{failing}: {failing} cannot go on"]
    assert set(seconds) == {f"step_of_{name}" for name in begun}


def test_break_without_a_date_gets_the_last_window_and_a_named_one_stays(tmp_path: Path) -> None:
    named = tiny_settings(tmp_path)
    assert with_fixed_break(named) is named
    moving = named.model_copy(
        update={"simulated": named.simulated.model_copy(update={"break_start": None})}
    )
    fixed = with_fixed_break(moving)
    assert fixed.simulated.break_start == date(2022, 1, 1)
    assert fixed.model_copy(update={"simulated": moving.simulated}) == moving


def test_every_step_of_every_job_counts_to_one_stage(tiny_home: TinyHome) -> None:
    definitions = build_defs(home=tiny_home.root)
    stages = stages_by_step(definitions, JOBS)
    steps = {step for job in JOBS for step in definitions.resolve_job_def(job).graph.node_dict}
    assert set(stages) == steps
    assert {
        "checks", "walk_forward", "market_data.raw_bars", "train_policies", "hold_portfolios",
        "backtest_strategies", "measure_performance", "write_tear_sheets", "published.database",
    } <= set(stages.values())  # fmt: skip
    assert set(SQL_FOLDERS) <= set(stages.values())
    checks = {step for step, stage in stages.items() if stage == "checks"}
    assert "market_data__bars_bars_are_fresh" in checks
    assert not [step for step in steps - checks if step.endswith("_fulfils_its_contract")]


def test_prune_removes_other_tickers_and_dates_but_no_vintage(tiny_copy: Path) -> None:
    whole = tiny_settings(tiny_copy)
    warehouse = warehouse_of(whole)
    before = {table: len(warehouse.read(table)) for table in TABLES}
    assert before[RAW_BARS] > 0
    prune(tiny_settings(tiny_copy, tickers=("SPY",), end=date(2021, 12, 30)))
    for table in TABLES:
        stored = warehouse.read(table)
        if table.is_append_only:
            assert len(stored) == before[table], table.qualified_name
            continue
        if table.ticker_column is not None:
            assert set(stored["ticker"]) <= {"SPY"}, table.qualified_name
        if table.date_column is not None and len(stored):
            assert stored[table.date_column].max() < pd.Timestamp(WINDOWS[-1])
    assert len(warehouse.query("select 1 from market_data.bars")) > 0


@pytest.mark.parametrize("is_ready", [True, False])
def test_examine_lists_what_the_source_reports(
    is_ready: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prices = tmp_path / "prices"
    prices.mkdir()
    for ticker in TICKERS if is_ready else TICKERS[:1]:
        (prices / f"{ticker}.csv").touch()
    monkeypatch.setenv("ODYSSEY_SOURCE", "files")
    monkeypatch.setenv("ODYSSEY_PRICE_DIR", str(prices))
    monkeypatch.setenv("ODYSSEY_MACRO_DIR", str(prices))
    monkeypatch.setenv("ODYSSEY_TICKERS", ",".join(TICKERS))
    found = [each for each in examine(tmp_path / "home") if each.subject == "source"]
    if is_ready:
        assert [each.severity for each in found] == ["ok"]
    else:
        assert [each.severity for each in found] == ["error"]
        assert "No prices of SPY" in found[0].found
