"""A stored history cut at a day is what a home held on that day, and nothing later reaches it."""

from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.slices import Slice
from odyssey_assets.core.windows import parse_window
from odyssey_assets.definitions import build_defs
from odyssey_assets.errors import ModelError, SettingsError
from odyssey_assets.forecasting.tables import CHALLENGERS, FOLDS, PREDICTIONS, TRIALS
from odyssey_assets.headless import job_tags
from odyssey_assets.infrastructure.driver import open_instance, run_job
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.model_store import MANIFEST, PAYLOAD, ModelStore
from odyssey_assets.infrastructure.refresh import REFRESH_MACRO, REFRESH_MARKET
from odyssey_assets.portfolio.tables import POLICY_TRIALS
from odyssey_assets.replay import (
    MADE_BY_A_MODEL,
    Books,
    History,
    LayeredStore,
    read_history,
)
from odyssey_assets_tests.other_futures import with_other_future
from odyssey_assets_tests.tiny_market import (
    TICKERS,
    WINDOWS,
    TinyHome,
    tiny_settings,
    warehouse_of,
)

EARLIER_END = date(2022, 3, 15)
WINDOW = parse_window("2022-01-01")
RUN = "mlflow_run_id"
NAMES = ("xgboost", "SPY", "2022-01-01", "0123")


@pytest.fixture(scope="module")
def history(tiny_home: TinyHome) -> History:
    """Return the history of the home that knows more than half a year of its last window."""
    return read_history(warehouse_of(tiny_settings(tiny_home.root)))


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Return the history of a home whose market ended in the middle of the last window."""
    settings = tiny_settings(tmp_path_factory.mktemp("earlier") / "home", end=EARLIER_END)
    definitions = build_defs(**dict(settings))
    tags = job_tags(TICKERS, [parse_window(key) for key in WINDOWS])
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DAGSTER_HOME", "ODYSSEY_HOME"):  # Opening an instance names its home there.
            patch.setenv(name, "")
        with open_instance(home_of(settings)) as instance:
            for job in (REFRESH_MACRO, REFRESH_MARKET):
                outcome = run_job(definitions, instance, job, tags[job], lambda _: None)
                assert outcome.is_success, outcome.errors
    return read_history(warehouse_of(settings))


def assert_same(one: History, other: History) -> None:
    for each in fields(History):
        left, right = (getattr(history, each.name) for history in (one, other))
        left, right = (rows.drop(columns=RUN, errors="ignore") for rows in (left, right))
        pd.testing.assert_frame_equal(
            left.reset_index(drop=True), right.reset_index(drop=True), check_exact=True
        )


def test_cut_is_what_a_home_held_whose_market_ended_there(
    history: History, earlier: History
) -> None:
    cut = history.until(EARLIER_END)
    assert len(cut.predictions) < len(history.predictions), "the cut must cut"
    assert_same(cut, earlier)


def test_cut_of_a_cut_is_the_earlier_cut(history: History) -> None:
    for day in (date(2020, 3, 2), date(2021, 7, 4), date(2022, 2, 28)):
        assert_same(history.until(EARLIER_END).until(day), history.until(day))


@pytest.mark.parametrize("day", [date(2021, 6, 30), date(2021, 7, 1), date(2022, 4, 3)])
def test_scrambled_future_reaches_no_cut(history: History, day: date) -> None:
    other = with_other_future(history, day, np.random.default_rng(3))
    assert not other.features.equals(history.features), "something must be scrambled"
    assert not other.labels.equals(history.labels)
    assert_same(other.until(day), history.until(day))


def test_session_before_is_the_last_one_that_is_stored(history: History) -> None:
    assert history.session_before(date(2022, 1, 3)) == date(2021, 12, 31)
    assert history.session_before(date(1999, 1, 1)) == date.min
    assert list(history.sessions) == sorted(set(history.sessions))


def trials_of(history: History, ticker: str, sha256: str) -> pd.DataFrame:
    """Return what another model says of every session of the last window."""
    rows = history.predictions
    is_own = (rows["ticker"] == ticker) & (rows["model"] == "xgboost")
    own = rows[is_own & (rows["window"] == pd.Timestamp(WINDOW.start))]
    return own.assign(
        prediction=own["prediction"] + 1.0,
        lower=own["lower"] + 1.0,
        upper=own["upper"] + 1.0,
        model_sha256=sha256,
        trained_as_of=pd.Timestamp("2021-06-30"),
        role="challenger",
        recorded_at=pd.Timestamp("2022-03-01"),
    )[list(TRIALS.column_names)]


def test_reigning_models_made_exactly_the_forecasts_after_their_decision(history: History) -> None:
    trials = pd.concat([trials_of(history, "SPY", sha256) for sha256 in ("one", "two")])
    days = (date(2022, 2, 10), date(2022, 4, 1))
    reigns = [
        Reign("SPY", WINDOW, day, NAMES, sha256)
        for day, sha256 in zip(days, ("one", "two"), strict=True)
    ]
    served = history.served(trials, reigns).predictions
    made, dates = history.predictions, history.predictions["date"].dt.date
    is_reigned = (made["ticker"] == "SPY") & (made["model"] == "xgboost")
    after = [is_reigned & (dates > day) for day in days]
    assert after[1].any()
    assert (after[0] & ~after[1]).any()
    pd.testing.assert_frame_equal(served[~after[0]], made[~after[0]], check_exact=True)
    assert set(served.loc[after[0] & ~after[1], "model_sha256"]) == {"one"}
    assert set(served.loc[after[1], "model_sha256"]) == {"two"}
    difference = served.loc[after[0], "prediction"] - made.loc[after[0], "prediction"]
    assert np.allclose(difference, 1.0)
    others = [name for name in made if name not in MADE_BY_A_MODEL]
    pd.testing.assert_frame_equal(served[others], made[others], check_exact=True)


def test_reign_without_forecasts_leaves_what_was_forecast(history: History) -> None:
    reign = Reign("SPY", WINDOW, date(2022, 2, 10), NAMES, "unknown")
    assert_same(history.served(TRIALS.empty(), [reign]), history)


def test_forecasts_of_promoted_models_are_taken_back_from_the_trials(
    history: History, tiny_copy: Path
) -> None:
    warehouse = warehouse_of(tiny_settings(tiny_copy))
    stored, folds = warehouse.read(PREDICTIONS), warehouse.read(FOLDS)
    is_own = stored["model_sha256"].isin(folds["model_sha256"])
    assert is_own.all()
    promoted = trials_of(history, "SPY", "promoted").set_index("date")
    is_after = (
        (stored["ticker"] == "SPY")
        & (stored["model"] == "xgboost")
        & (stored["date"] > pd.Timestamp(2022, 3, 1))
    )
    own = stored[is_after].assign(role="fold", recorded_at=pd.Timestamp("2022-06-30"))
    warehouse.append(TRIALS, own[list(TRIALS.column_names)])
    for name in MADE_BY_A_MODEL:
        stored.loc[is_after, name] = promoted[name].reindex(stored.loc[is_after, "date"]).to_numpy()
    warehouse.replace(PREDICTIONS, stored, (Slice(),))
    again = read_history(warehouse)
    order = ["date", "ticker", "model"]
    pd.testing.assert_frame_equal(
        again.predictions.sort_values(order, ignore_index=True),
        history.predictions.sort_values(order, ignore_index=True),
        check_exact=True,
    )


def test_home_without_forecasts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"holds no forecasts to go through. Run `odyssey run`"):
        read_history(warehouse_of(tiny_settings(tmp_path)))


@pytest.fixture
def stores(tmp_path: Path) -> LayeredStore:
    """Return a store over another one."""
    return LayeredStore(ModelStore(tmp_path / "upper"), ModelStore(tmp_path / "lower"))


def test_layered_store_reads_both_and_writes_above(stores: LayeredStore) -> None:
    below = stores.lower.save(("a", "1"), b"below", {}, {})
    assert stores.find(("a", "1")) == below
    made = stores.save(("a", "2"), b"above", {}, {})
    assert stores.find(("a", "2")) == made
    assert stores.lower.find(("a", "2")) is None
    assert stores.names(("a",)) == (("a", "1"), ("a", "2"))
    over = stores.save(("a", "1"), b"over", {"x": 1}, {})
    assert stores.find(("a", "1")) == over
    stores.remove(("a", "1"))
    stores.remove(("a", "1"))
    assert stores.find(("a", "1")) == below, "what lies below stays"
    assert stores.find(("b",)) is None


@pytest.mark.parametrize("layer", ["upper", "lower"])
def test_layered_store_refuses_altered_models(
    stores: LayeredStore, tmp_path: Path, layer: str
) -> None:
    store = stores.upper if layer == "upper" else stores.lower
    store.save(("a", "1"), b"payload", {}, {})
    [payload] = (tmp_path / layer).glob(f"**/{PAYLOAD}")
    payload.write_bytes(b"altered")
    assert list((tmp_path / layer).glob(f"**/{MANIFEST}"))
    with pytest.raises(ModelError):
        stores.find(("a", "1"))


def test_books_are_read_as_they_are_stored(tmp_path: Path, history: History) -> None:
    warehouse = warehouse_of(tiny_settings(tmp_path))
    books = Books(warehouse)
    assert books.read(TRIALS).empty
    trials = TRIALS.conform(trials_of(history, "SPY", "one"))
    books.append(TRIALS, trials)
    books.append(TRIALS, trials)
    pd.testing.assert_frame_equal(books.read(TRIALS), warehouse.read(TRIALS))
    assert len(books.read(TRIALS)) == len(trials)
    books.append(CHALLENGERS, CHALLENGERS.empty())
    assert books.read(CHALLENGERS).empty


def test_books_hold_what_was_put_in_the_place_of_a_table(tmp_path: Path) -> None:
    warehouse = warehouse_of(tiny_settings(tmp_path))
    books = Books(warehouse)
    books.replace(POLICY_TRIALS, POLICY_TRIALS.empty())
    assert books.read(POLICY_TRIALS).empty
    for days in (3, 1, 0):
        rows = policy_trials(days)
        books.replace(POLICY_TRIALS, rows)
        assert len(books.read(POLICY_TRIALS)) == days
        pd.testing.assert_frame_equal(books.read(POLICY_TRIALS), warehouse.read(POLICY_TRIALS))


def policy_trials(days: int) -> pd.DataFrame:
    """Return trials of a policy on so many days."""
    dates = pd.date_range("2022-02-01", periods=days).as_unit("us")
    rows = pd.DataFrame({"date": dates}).assign(
        policy="ppo", window=pd.Timestamp(WINDOW.start), role="serving", model_sha256="one",
        serves_after=pd.Timestamp("2021-12-31"), equity=1.0, **{"return": 0.0},
    )  # fmt: skip
    return POLICY_TRIALS.conform(rows)


def test_history_stays_as_it_is_when_forecasts_are_replaced(history: History) -> None:
    before = replace(history, predictions=history.predictions.copy())
    reign = Reign("SPY", WINDOW, date(2022, 2, 10), NAMES, "one")
    history.served(trials_of(history, "SPY", "one"), [reign])
    assert_same(history, before)
