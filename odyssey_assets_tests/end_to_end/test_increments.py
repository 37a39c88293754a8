"""Ten nights, one session each, leave the same tables as one backfill at the end.

The nights cross a 7:1 split, a dividend and a window boundary, at which a policy is trained; every
night the vendor delivers the whole history again on that day's split basis, as vendors do.
"""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.definitions import TABLES, build_defs
from odyssey_assets.features.tables import HORIZONS_SESSIONS
from odyssey_assets.headless import job_tags
from odyssey_assets.infrastructure.driver import StepEvent, open_instance, run_job
from odyssey_assets.infrastructure.home import home_of, load_settings
from odyssey_assets.infrastructure.partitions import build_grid, open_windows
from odyssey_assets.infrastructure.refresh import REFRESH_MARTS
from odyssey_assets_tests.end_to_end.small_market import ENVIRONMENT, query, table_hashes

pytestmark = pytest.mark.timeout(1800)
TICKERS = ("AAPL", "SPY")
START, SPLIT_DAY, DIVIDEND_DAY = date(2019, 5, 20), date(2022, 6, 28), date(2022, 7, 5)
SESSIONS = sessions_between(START, date(2022, 7, 8))
NIGHTS = [day.date() for day in SESSIONS[-10:]]
FORECAST_WINDOWS, LEARNED_WINDOWS = 4, ("2022-01-01", "2022-07-01")
CHANGES = {
    "ODYSSEY_SOURCE": "files",
    "ODYSSEY_MACRO_SERIES": "",
    "ODYSSEY_TICKERS": ",".join(TICKERS),
    "ODYSSEY_START": START.isoformat(),
    "ODYSSEY_FORECASTING__WARMUP_SESSIONS": "20",
    "ODYSSEY_PORTFOLIO__PPO__FIRST_STEPS": "1024",
}
WITHOUT_ROWS = {
    "market_data.macro", "market_data.quarantine", "forecasting.challengers",
    "forecasting.trials", "portfolio.policy_challengers", "portfolio.policy_trials",
    "monitoring.retraining_events",
}  # fmt: skip


def as_traded_market() -> dict[str, pd.DataFrame]:
    """Return made-up as-traded bars by ticker, with a split of AAPL and a dividend of SPY."""
    rng = np.random.default_rng(5)
    shared = rng.normal(0.0003, 0.008, len(SESSIONS))
    market = {}
    for ticker in TICKERS:
        close = 400 * np.exp(np.cumsum(shared + rng.normal(0, 0.01, len(SESSIONS))))
        split = np.where((pd.Timestamp(SPLIT_DAY) == SESSIONS) & (ticker == "AAPL"), 7.0, 1.0)
        close = close / np.cumprod(split)
        opening = close * (1 + rng.normal(0, 0.003, len(close)))
        spread = np.abs(rng.normal(0.006, 0.002, len(close))) + 0.001
        paid = (pd.Timestamp(DIVIDEND_DAY) == SESSIONS) & (ticker == "SPY")
        market[ticker] = pd.DataFrame(
            {
                "Date": SESSIONS,
                "Open": opening.round(2),
                "High": (np.maximum(opening, close) * (1 + spread)).round(2),
                "Low": (np.minimum(opening, close) * (1 - spread)).round(2),
                "Close": close.round(2),
                "Volume": rng.integers(1_000_000, 9_000_000, len(close)) * np.cumprod(split),
                "Dividends": np.where(paid, 1.25, 0.0),
                "Stock Splits": np.where(split == 1.0, 0.0, split),
            }
        )
    return market


def deliver(market: dict[str, pd.DataFrame], night: date, folder: Path) -> None:
    """Write what the vendor sends on the evening of `night`: later splits are divided out."""
    for ticker, bars in market.items():
        known = bars[bars["Date"] <= pd.Timestamp(night)].copy()
        ratio = known["Stock Splits"].replace(0.0, 1.0)
        later = ratio[::-1].cumprod()[::-1] / ratio
        for name in ("Open", "High", "Low", "Close"):
            known[name] = (known[name] / later).round(6)
        known["Volume"] = (known["Volume"] * later).round()
        known["Adj Close"] = known["Close"]
        known.to_csv(folder / f"{ticker}.csv", index=False)


def ignore(event: StepEvent) -> None:
    """Take no notice of a step event."""
    del event


def refresh(home: Path, end: date, *, is_nightly: bool, is_summarised: bool = False) -> None:
    """Run the jobs that write windows, as `odyssey run` does, and the one over the whole history.

    The latter holds nothing that the others have not stored, so it may wait for the last night.
    """
    settings = load_settings(home=home, end=end)
    definitions = build_defs(home=home, end=end)
    instance = open_instance(home_of(settings))
    windows = build_grid(settings).window_list()
    if is_nightly:
        windows = open_windows(settings, max(HORIZONS_SESSIONS))
    for job, tags in job_tags(settings.tickers, windows).items():
        if job != REFRESH_MARTS or is_summarised:
            outcome = run_job(definitions, instance, job, tags, ignore)
            assert outcome.is_success, outcome.errors


@pytest.fixture
def prices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "prices"
    folder.mkdir()
    for name, value in {**ENVIRONMENT, **CHANGES}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ODYSSEY_PRICE_DIR", str(folder))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("ODYSSEY_HOME", str(tmp_path))
    monkeypatch.delenv("ODYSSEY_END")
    return folder


def test_ten_nights_equal_one_backfill_across_split_dividend_and_window(
    prices: Path, tmp_path: Path
) -> None:
    market, nightly, backfill = as_traded_market(), tmp_path / "nightly", tmp_path / "backfill"
    before = NIGHTS[0] - timedelta(days=1)
    deliver(market, before, prices)
    refresh(nightly, before, is_nightly=False)
    for night in NIGHTS:
        deliver(market, night, prices)
        refresh(nightly, night, is_nightly=True, is_summarised=night == NIGHTS[-1])
    refresh(backfill, NIGHTS[-1], is_nightly=False, is_summarised=True)
    assert table_hashes(nightly) == table_hashes(backfill)
    for name in {table.qualified_name for table in TABLES} - WITHOUT_ROWS:
        assert len(query(nightly, f"select 1 from {name} limit 1")) == 1, name
    folds = query(nightly, "select count(*) as n from forecasting.folds where status = 'trained'")
    assert folds["n"].item() == FORECAST_WINDOWS * len(TICKERS) * 3
    trained = query(
        nightly,
        """select strftime("window", '%Y-%m-%d') as first_day, seed, warm_start_sha256 is not null
        as is_warm from portfolio.policies where status = 'trained' order by all""",
    )
    older, newest = LEARNED_WINDOWS
    assert list(trained.itertuples(index=False, name=None)) == [
        (older, 42, False),
        (newest, 42, True),
        (newest, 43, False),
    ]
