"""What Prometheus gets of a home: of one that has run, of an older one, while it changes."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from prometheus_client.parser import text_string_to_metric_families

from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.published import query_published
from odyssey_assets.market_data.tables import QUARANTINE
from odyssey_assets.metrics import serve_home
from odyssey_assets_tests.contract_rows import frame_of
from odyssey_assets_tests.exposition import empty_exposition
from odyssey_assets_tests.samples import Samples, samples_of, scrape
from odyssey_assets_tests.tiny_market import (
    ENVIRONMENT,
    TICKERS,
    WINDOWS,
    TinyHome,
    tiny_settings,
    warehouse_of,
)

LOCAL_HOST = "127.0.0.1"


@pytest.fixture(autouse=True)
def _tiny_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the settings be those of the tiny market."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def scraped(root: Path) -> Samples:
    with serve_home(root, LOCAL_HOST, 0) as port:
        return scrape(port)


def test_figures_of_a_home_that_has_run_agree_with_its_published_database(
    tiny_home: TinyHome,
) -> None:
    found = scraped(tiny_home.root)
    published = home_of(tiny_settings(tiny_home.root)).published

    def ask(sql: str) -> dict[str, float]:
        rows = query_published(published, f"select label, value from ({sql})")
        return dict(zip(rows["label"], rows["value"].astype(float), strict=True))

    assert found["odyssey_up"] == {"": 1.0}
    assert found["odyssey_source_up"] == {"source=published": 1.0, "source=runs": 1.0}
    assert found["odyssey_data_sessions_behind"] == {f"ticker={each}": 0.0 for each in TICKERS}
    assert found["odyssey_data_is_simulated"] == {"": 1.0}
    for table in ("market_data.bars", "portfolio.weights", "marts.mart_daily_signals"):
        count = ask(f"select 'n' as label, count(*) as value from {table}")["n"]
        assert found["odyssey_table_rows"][f"table={table}"] == count
    assert found["odyssey_portfolio_equity_usd"] == ask(
        "select 'strategy=' || strategy as label, arg_max(equity, date) as value "
        "from backtesting.daily group by strategy"
    )
    assert found["odyssey_portfolio_sharpe"] == ask(
        "select 'period=' || period || ',strategy=' || strategy as label, sharpe as value "
        "from backtesting.performance where period in ('whole', 'common') and sharpe is not null"
    )
    jobs = {"refresh_macro", "refresh_market", "refresh_portfolio", "refresh_marts"}
    failed = found["odyssey_run_is_failed"]
    assert {f"job_name={job}" for job in jobs} <= set(failed)
    assert set(failed.values()) == {0.0}
    assert all(seconds > 0 for seconds in found["odyssey_run_duration_seconds"].values())
    stages = found["odyssey_stage_duration_seconds"]
    assert {
        "job_name=refresh_market,stage=walk_forward", "job_name=refresh_marts,stage=marts",
        "job_name=refresh_marts,stage=checks",
    } <= set(stages)  # fmt: skip
    fresh = "asset=market_data.bars,check=bars_are_fresh"
    assert any(labels.startswith(fresh) for labels in found["odyssey_check_is_passed"])


def test_publication_of_every_table_makes_every_metric_available(tmp_path: Path) -> None:
    found = samples_of(text_string_to_metric_families(empty_exposition(tmp_path / "home")))
    assert found["odyssey_up"] == {"": 1.0}
    assert set(found["odyssey_metric_is_available"].values()) == {1.0}
    named = {label.removeprefix("metric=") for label in found["odyssey_metric_is_available"]}
    assert named <= set(found)
    assert all(name.startswith("odyssey_") for name in found)


def test_older_publication_gives_what_it_has(tiny_copy: Path) -> None:
    published = home_of(tiny_settings(tiny_copy)).published
    with duckdb.connect(str(published)) as connection:
        connection.execute("drop schema if exists monitoring cascade")
        connection.execute("alter table backtesting.performance drop column volatility")
    found = scraped(tiny_copy)
    available = found["odyssey_metric_is_available"]
    assert found["odyssey_up"] == {"": 1.0}
    assert available["metric=odyssey_drift_is_drifted"] == 0.0
    assert available["metric=odyssey_forecast_known_outcomes"] == 0.0
    assert available["metric=odyssey_portfolio_sharpe"] == 0.0
    assert available["metric=odyssey_portfolio_equity_usd"] == 1.0
    assert found["odyssey_data_sessions_behind"] == {f"ticker={each}": 0.0 for each in TICKERS}


def test_publication_while_serving_shows_at_the_next_scrape(tiny_copy: Path) -> None:
    warehouse = warehouse_of(tiny_settings(tiny_copy))
    bad = {"ticker": "SPY", "reason": "stale_bar", "is_rejected": True}
    labels = "reason=stale_bar,ticker=SPY,treatment=rejected"
    with serve_home(tiny_copy, LOCAL_HOST, 0) as port, ThreadPoolExecutor(2) as threads:
        assert labels not in scrape(port)["odyssey_quarantined_rows"]
        for count in (1, 2, 3):
            rows = [{**bad, "date": f"2022-01-{3 + day:02d}"} for day in range(count)]
            warehouse.replace(QUARANTINE, frame_of(QUARANTINE, rows), (WHOLE_TABLE,))
            meanwhile = threads.map(scrape, [port] * 4)
            warehouse.publish()
            for found in meanwhile:
                assert found["odyssey_up"] == {"": 1.0}
                assert found["odyssey_quarantined_rows"].get(labels, 0.0) in (count - 1, count)
            assert scrape(port)["odyssey_quarantined_rows"][labels] == count


def test_home_before_its_first_run_is_served_and_says_what_to_do(tmp_path: Path) -> None:
    found = scraped(tmp_path / "home")
    assert found["odyssey_up"] == {"": 0.0}
    assert found["odyssey_source_up"] == {"source=published": 0.0, "source=runs": 1.0}
    (problem,) = found["odyssey_source_problem_info"]
    assert "Run `odyssey run`" in problem
    assert not (tmp_path / "home").exists()


def test_settings_that_break_while_serving_are_reported_and_recovered_from(tiny_copy: Path) -> None:
    universe = home_of(tiny_settings(tiny_copy)).universe
    content = universe.read_text()
    with serve_home(tiny_copy, LOCAL_HOST, 0) as port:
        universe.write_text("not json")
        found = scrape(port)
        assert found["odyssey_up"] == {"": 0.0}
        assert any("universe.json" in each for each in found["odyssey_source_problem_info"])
        assert set(found["odyssey_run_is_failed"].values()) == {0.0}
        universe.write_text(json.dumps({**json.loads(content), "end": f"{WINDOWS[-1][:4]}-06-29"}))
        assert scrape(port)["odyssey_up"] == {"": 1.0}
