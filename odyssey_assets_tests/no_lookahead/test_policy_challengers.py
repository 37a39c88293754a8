"""A policy challenger of a day, and trials up to a day, are the same whatever comes after the day.

Forecasts travel in the macro frame, series by ticker, so that they are cut and scrambled too.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.reigns import Reign
from odyssey_assets.portfolio.market import PortfolioMarket, build_market
from odyssey_assets.portfolio.tables import POLICY_CHALLENGERS
from odyssey_assets.portfolio.versions.trials import run_policy_trials
from odyssey_assets_tests.no_lookahead.harness import (
    Computation,
    Market,
    cut,
    leaking_columns,
    random_days,
    scrambled,
)
from odyssey_assets_tests.portfolio.small_training import train
from odyssey_assets_tests.portfolio.versions.small_versions import (
    MARKET,
    SETTINGS,
    Home,
    challenge,
    reign_of,
)

DAYS = ("2017-02-01", "2017-03-17")
NEXT_SESSION = {"2017-02-01": "2017-02-02", "2017-03-17": "2017-03-20"}
MADE_AT = {"recorded_at", "mlflow_run_id"}


def rows_of(values: np.ndarray, name: str, key: str) -> pd.DataFrame:
    """Return an array of sessions by tickers as rows."""
    dates = pd.DatetimeIndex(MARKET.panel.dates.astype("datetime64[us]"), name="date")
    wide = pd.DataFrame(values, index=dates, columns=pd.Index(MARKET.panel.tickers, name=key))
    return wide.stack().rename(name).reset_index()  # noqa: PD013 (series, not frame)


@pytest.fixture(scope="module")
def market() -> Market:
    """Return the small market of the versions as rows."""
    bars = rows_of(MARKET.panel.close, "close", "ticker")
    generator = np.random.default_rng(4)
    bars["open"] = bars["close"] * np.exp(generator.normal(0.0, 0.003, len(bars)))
    bars["high"] = bars[["open", "close"]].max(axis=1)
    bars["low"] = bars[["open", "close"]].min(axis=1)
    bars["volume"] = generator.integers(100_000, 200_000, len(bars))
    bars["split_factor"], bars["total_return_factor"] = 1.0, 1.0
    bars["is_filled"] = False
    return Market(bars, rows_of(MARKET.forecasts, "value", "series"))


def portfolio_market(market: Market) -> PortfolioMarket:
    made = market.macro.rename(columns={"series": "ticker", "value": "prediction"})
    made = made[made["date"].isin(market.bars["date"])]
    predictions = made.assign(
        model="xgboost", horizon=5, lower=made["prediction"] - 0.05, upper=made["prediction"] + 0.05
    )
    return build_market(market.bars, predictions, SETTINGS.tickers, "xgboost", 5)


@pytest.fixture(scope="module")
def home(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("models"), pd.DataFrame())
    trained = train(home.store, portfolio_market(market), SETTINGS)
    return replace(home, policies=trained.policies)


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    """Return folders that do not exist yet."""
    return (tmp_path / str(number) for number in count())


def challengers_as_of(day: str, home: Home, folders: Iterator[Path]) -> Computation:
    """Return how challengers of a day are trained, each time in a store that has none yet."""

    def compute(market: Market) -> pd.DataFrame:
        own = replace(home, folder=Path(shutil.copytree(home.folder, next(folders))))
        return challenge(own, day, market=portfolio_market(market)).rows

    return compute


@pytest.mark.parametrize("day", DAYS)
def test_models_of_a_day_on_cut_and_scrambled_future_stay_bit_by_bit(
    day: str, market: Market, home: Home, folders: Iterator[Path]
) -> None:
    compute = challengers_as_of(day, home, folders)
    rows = compute(market)
    assert sorted(rows["role"]) == ["challenger", "stand_in"]
    assert leaking_columns(compute, market, [pd.Timestamp(day)], "requested_as_of") == {}


@pytest.mark.parametrize("day", DAYS)
def test_challenger_that_saw_one_session_more_is_caught(
    day: str, market: Market, home: Home, folders: Iterator[Path]
) -> None:
    """The proof can fail."""
    peek = challengers_as_of(NEXT_SESSION[day], home, folders)

    def compute(market: Market) -> pd.DataFrame:
        return peek(market).assign(requested_as_of=pd.Timestamp(day))

    leaks = leaking_columns(compute, market, [pd.Timestamp(day)], "requested_as_of")
    assert {"trained_as_of", "data_sha256", "model_sha256"} <= set(leaks)


def test_challenger_of_the_last_session_is_the_one_of_that_day(
    market: Market, home: Home, folders: Iterator[Path]
) -> None:
    day = pd.Timestamp(DAYS[0])
    newest = replace(home, folder=Path(shutil.copytree(home.folder, next(folders))))
    for known in (cut(market, day), cut(scrambled(market, day, 3), day)):
        found = challenge(newest, None, market=portfolio_market(known)).rows
        expected = challengers_as_of(DAYS[0], home, folders)(market)
        columns = [name for name in POLICY_CHALLENGERS.column_names if name not in MADE_AT]
        pd.testing.assert_frame_equal(found[columns], expected[columns], check_exact=True)


@pytest.fixture(scope="module")
def challengers(home: Home, market: Market) -> pd.DataFrame:
    known = portfolio_market(market)
    parts = [challenge(home, day, market=known).rows for day in DAYS]
    return POLICY_CHALLENGERS.conform(pd.concat(parts))


@pytest.fixture(scope="module")
def reigns(challengers: pd.DataFrame) -> tuple[Reign, ...]:
    return (reign_of(challengers[challengers["requested_as_of"] == DAYS[0]]),)


@pytest.fixture(scope="module")
def cuts(market: Market) -> list[pd.Timestamp]:
    """Return days inside the newest window, the first session after each training among them."""
    dates = market.bars["date"]
    nexts = [pd.Timestamp(day) for day in NEXT_SESSION.values()]
    return [*random_days(dates[dates >= "2017-01-10"], count=3, seed=2), *nexts]


@pytest.mark.parametrize("is_ruled", [False, True])
def test_trials_up_to_a_day_on_cut_and_scrambled_future_stay_bit_by_bit(
    is_ruled: bool,
    market: Market,
    home: Home,
    challengers: pd.DataFrame,
    reigns: tuple[Reign, ...],
    cuts: list[pd.Timestamp],
) -> None:
    def compute(market: Market) -> pd.DataFrame:
        known = portfolio_market(market)
        ruling = reigns if is_ruled else ()
        return run_policy_trials(
            known, home.policies, challengers, ruling, SETTINGS, home.store
        ).rows

    roles = {"serving", "challenger", "stand_in", *(["predecessor"] if is_ruled else [])}
    assert set(compute(market)["role"]) == roles
    assert leaking_columns(compute, market, cuts) == {}


def test_trials_of_policies_that_see_forecasts_of_later_are_caught(
    market: Market, home: Home, challengers: pd.DataFrame, cuts: list[pd.Timestamp]
) -> None:
    """The proof can fail."""

    def compute(market: Market) -> pd.DataFrame:
        known = portfolio_market(market)
        early = np.vstack([known.forecasts[3:], known.forecasts[:3]])
        leaky = replace(known, forecasts=early)
        return run_policy_trials(leaky, home.policies, challengers, (), SETTINGS, home.store).rows

    assert {"return", "equity"} <= set(leaking_columns(compute, market, cuts))
