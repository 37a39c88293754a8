"""What the portfolio makes of a market at its worst, of a tampered policy and of a full disk.

Limits, equity and fills are checked by the graph itself, so a run that succeeds has kept them; the
tests look at what a person would see. Every piece alone belongs to the tests of its module.
"""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import Result

from odyssey_assets.core.made_anew import MADE_ANEW
from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.definitions import build_defs
from odyssey_assets.infrastructure.driver import open_instance, run_job
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.published import query_published
from odyssey_assets.infrastructure.refresh import REFRESH_MARTS
from odyssey_assets.settings_sections import PortfolioSettings
from odyssey_assets_tests.end_to_end.file_market import price_bars, run_here
from odyssey_assets_tests.end_to_end.small_market import (
    ENVIRONMENT,
    LEARNED_WINDOWS,
    environment,
    query,
    table_hashes,
)

pytestmark = pytest.mark.timeout(1200)
START, END = "2019-11-20", "2022-08-31"
TICKERS = ("CRASH", "DRY", "FLAT", "GAPPY", "SPY")
CRASHES = ("2021-10-06", "2022-08-10")
MISSING_DAYS = ("2021-08-02", "2022-07-01")
DRY_DAYS = ("2021-09-01", "2021-09-02", "2022-07-18", "2022-07-19", "2022-08-01")
HALTS = {("GAPPY", day) for day in MISSING_DAYS} | {("DRY", day) for day in DRY_DAYS}
NEWEST = LEARNED_WINDOWS[-1]
FULL_DISK = "/dev/full"  # writing to it fails as on a disk without space
PRICES = ["Open", "High", "Low", "Close"]


def write_worst_market(folder: Path) -> None:
    """Write a file a ticker, each with the defect that its name says; SPY has none."""
    sessions = sessions_between(pd.Timestamp(START).date(), pd.Timestamp(END).date())
    for seed, ticker in enumerate(TICKERS):
        bars = price_bars(seed, sessions)
        days = bars["Date"]
        if ticker == "CRASH":
            falls = sum((days >= day).astype(int) for day in CRASHES)
            bars[PRICES] = (bars[PRICES].mul(np.power(0.1, falls), axis=0)).round(4)
        elif ticker == "DRY":
            bars.loc[days.isin(DRY_DAYS), "Volume"] = 0
        elif ticker == "FLAT":
            bars[PRICES], bars["Volume"] = 50.0, 1_000_000
        elif ticker == "GAPPY":
            bars = bars[~days.isin(MISSING_DAYS)]
        bars.to_csv(folder / f"{ticker}.csv", index=False)


@pytest.fixture(scope="module")
def worst(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Return the home and the outcome of a run over the worst market."""
    root = tmp_path_factory.mktemp("worst")
    (root / "prices").mkdir()
    write_worst_market(root / "prices")
    variables = {
        **ENVIRONMENT,
        "ODYSSEY_HOME": str(root / "home"),
        "ODYSSEY_SOURCE": "files",
        "ODYSSEY_PRICE_DIR": str(root / "prices"),
        "ODYSSEY_MACRO_SERIES": "",
        "ODYSSEY_TICKERS": ",".join(TICKERS),
        "ODYSSEY_START": START,
        "ODYSSEY_END": END,
        "ODYSSEY_FORECASTING__WARMUP_SESSIONS": "20",
        "ODYSSEY_FORECASTING__MODELS": '["xgboost", "historical_mean"]',
        "ODYSSEY_PORTFOLIO__PPO__FIRST_STEPS": "1024",
    }
    return root / "home", run_here(variables, "run")


def test_run_over_the_worst_market_trains_and_lets_every_policy_compete(
    worst: tuple[Path, Result],
) -> None:
    home, result = worst
    assert result.exit_code == 0, result.output
    assert "every_policy_competes" not in result.output
    compared = query(home, "select strategy, sharpe from marts.mart_strategy_comparison")
    assert set(compared["strategy"]) == set(PortfolioSettings().policies)
    assert np.isfinite(compared["sharpe"]).all()
    trained = query(
        home,
        """select strftime("window", '%Y-%m-%d') as first_day, seed from portfolio.policies
        where status = 'trained' order by seed""",
    )
    assert list(trained.itertuples(index=False, name=None)) == [(NEWEST, 42), (NEWEST, 43)]


def test_missing_day_and_day_without_volume_halt_a_ticker_and_nobody_trades_it(
    worst: tuple[Path, Result],
) -> None:
    home = worst[0]
    halted = query(
        home,
        """select distinct ticker, strftime(date, '%Y-%m-%d') as day from portfolio.weights
        where is_halted""",
    )
    assert set(halted.itertuples(index=False, name=None)) == HALTS
    traded = query(
        home, "select distinct ticker, strftime(date, '%Y-%m-%d') as day from backtesting.trades"
    )
    assert not HALTS & set(traded.itertuples(index=False, name=None))
    moved = query(
        home,
        """select count(*) as n from portfolio.weights
        where is_halted and is_decision and target_weight <> held_weight""",
    )
    assert moved["n"].item() == 0


@pytest.mark.parametrize("day", CRASHES)
def test_crash_of_nine_tenths_costs_what_was_held_and_no_more(
    day: str, worst: tuple[Path, Result]
) -> None:
    days = query(
        worst[0],
        f"""select daily.strategy, daily.return, before.held_weight
        from backtesting.daily as daily
        asof inner join portfolio.weights as before
            on before.policy = daily.strategy and before.date < daily.date
        where daily.date = date '{day}' and before.ticker = 'CRASH'""",
    )
    assert days["held_weight"].max() > 0.1
    lost = -days["return"] - 0.9 * days["held_weight"]
    assert (lost.abs() < 0.05).all(), days


def test_price_that_never_moves_is_held_only_where_its_risk_does_not_count(
    worst: tuple[Path, Result],
) -> None:
    held = query(
        worst[0],
        """select policy, max(held_weight) as most from portfolio.weights where ticker = 'FLAT'
        group by policy""",
    ).set_index("policy")["most"]
    assert held["equal_weight"] > 0.1
    assert (held[["inverse_volatility", "minimum_variance", "forecast_kelly"]] == 0).all()


def tamper(home: Path, name: str) -> tuple[Path, bytes]:
    """Turn a bit of the newest window's deciding policy; return its file and what it holds now."""
    seed = home / "models" / "policies" / "ppo" / NEWEST / "seed-42"
    (payload,) = seed.glob(f"{name}/model.bin")
    content = bytearray(payload.read_bytes())
    content[len(content) // 2] ^= 1
    payload.write_bytes(content)
    return payload, bytes(content)


def test_night_with_a_tampered_policy_trains_it_anew_and_one_with_another_keeps_every_table(
    finished_home: Path, tmp_path: Path
) -> None:
    home = shutil.copytree(finished_home, tmp_path / "home")
    payload, content = tamper(home, "*")
    mended = run_here(environment(home), "run", "--nightly")
    assert mended.exit_code == 0, mended.output
    lines = mended.output.splitlines()
    (warned,) = (line for line in lines if "reigning_policies_are_loadable" in line)
    assert warned.startswith("warning")
    assert payload.parent.name in warned
    assert payload.read_bytes() == content, "kept, for whoever finds out who changed it"
    before, hashes = table_hashes(finished_home), table_hashes(home)
    changed = {name for name, sha256 in hashes.items() if sha256 != before[name]}
    assert changed == {"portfolio.policies"}, "which name the model that was trained anew"

    anew, _ = tamper(home, f"*{MADE_ANEW}")
    result = run_here(environment(home), "run", "--nightly")
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    (said,) = (line for line in result.output.splitlines() if line.startswith("failed    "))
    assert said.startswith("failed    train_policies: ")
    assert str(anew.parent) in said
    assert "signature" in said
    assert "done published.database" in result.output
    assert "(what failed is in it as it was before)" in result.output
    assert table_hashes(home) == hashes
    newest = "select policy, max(date) as day from portfolio.weights group by policy order by all"
    published = query_published(home / "published" / "odyssey.duckdb", newest)
    pd.testing.assert_frame_equal(published, query(finished_home, newest))


def test_disk_that_is_full_while_reports_are_written_leaves_old_reports_and_the_published_state(
    finished_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = shutil.copytree(finished_home, tmp_path / "home")
    sheets, database = home / "reports" / "tear_sheets", home / "published" / "odyssey.duckdb"
    before = {path.name: path.read_bytes() for path in sheets.iterdir()}
    published = database.read_bytes()
    assert set(before) == {f"{policy}.html" for policy in PortfolioSettings().policies}
    (sheets / "momentum.html.tmp").symlink_to(FULL_DISK)
    for name, value in environment(home, DAGSTER_HOME=str(home)).items():
        monkeypatch.setenv(name, value)
    instance = open_instance(Home(home))
    outcome = run_job(build_defs(), instance, REFRESH_MARTS, {}, lambda _: None)
    assert not outcome.is_success
    (said,) = outcome.errors
    assert said.startswith("write_tear_sheets: Reports cannot be written")
    assert "No space left on device" in said
    assert "Free disk space" in said
    assert "marts/mart_daily_signals" in outcome.assets
    assert {path.name: path.read_bytes() for path in sheets.iterdir()} == before
    assert database.read_bytes() == published
    assert table_hashes(home) == table_hashes(finished_home)
