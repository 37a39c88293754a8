from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.forecast_scores import information_coefficient
from odyssey_assets.core.windows import parse_window
from odyssey_assets.features.catalog import MODEL_FEATURES
from odyssey_assets.forecasting.catalog import default_forecaster
from odyssey_assets.forecasting.challengers import fit_challengers
from odyssey_assets.forecasting.history import build_histories
from odyssey_assets.forecasting.tables import CHALLENGERS
from odyssey_assets.infrastructure.model_store import MANIFEST, PAYLOAD, ModelStore
from odyssey_assets_tests.forecasting.small_market import small_market
from odyssey_assets_tests.forecasting.versions import NOW, challenge, quick_settings, reign_of
from odyssey_assets_tests.recording_tracker import RecordingTracker

MARKET = small_market()
SESSIONS = np.sort(MARKET.bars["date"].unique()).astype("datetime64[D]")
DAY = "2018-08-31"
HORIZON, UNSEEN = 5, 10


def position(day: pd.Timestamp | str) -> int:
    return int(np.searchsorted(SESSIONS, np.datetime64(str(day)[:10])))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def rows(models: Path) -> pd.DataFrame:
    return challenge(models, MARKET, DAY, ("BBB", "AAA")).challengers


def test_rows_keep_their_contract_and_name_models_by_the_day(
    rows: pd.DataFrame, models: Path
) -> None:
    pd.testing.assert_frame_equal(CHALLENGERS.conform(rows), rows)
    assert sorted(zip(rows["ticker"], rows["role"], strict=True)) == [
        ("AAA", "challenger"),
        ("AAA", "stand_in"),
        ("BBB", "challenger"),
        ("BBB", "stand_in"),
    ]
    for row in rows.to_dict("records"):
        forecaster, ticker, day, _ = row["model_name"].split("/")
        assert (forecaster, ticker, day) == (
            "ridge",
            row["ticker"],
            f"{row['trained_as_of']:%Y-%m-%d}",
        )
        stored = ModelStore(models).load(row["model_name"].split("/"))
        assert stored.model_sha256 == row["model_sha256"]


def test_challenger_learns_from_everything_whose_outcome_was_known(rows: pd.DataFrame) -> None:
    own = rows[rows["role"] == "challenger"].iloc[0]
    purged = quick_settings().forecasting.purge_sessions
    assert own["trained_as_of"] == own["requested_as_of"] == pd.Timestamp(DAY)
    assert own["window"] == pd.Timestamp("2018-07-01")
    assert position(own["valid_end"]) == position(DAY) - purged
    assert own["valid_start"] == pd.Timestamp("2018-03-01")
    assert position(own["train_end"]) == position(own["valid_start"]) - purged - 1


def test_stand_in_leaves_exactly_the_sessions_that_the_gate_needs(rows: pd.DataFrame) -> None:
    [stand_in] = rows[(rows["role"] == "stand_in") & (rows["ticker"] == "AAA")].to_dict("records")
    known = position(DAY) - HORIZON
    assert known - position(stand_in["trained_as_of"]) == UNSEEN
    assert stand_in["requested_as_of"] == pd.Timestamp(DAY)


def test_stated_rank_correlation_is_that_of_the_loaded_model(
    rows: pd.DataFrame, models: Path
) -> None:
    forecaster = default_forecaster(quick_settings())
    tables = (MARKET.features, MARKET.labels, MARKET.bars)
    history = build_histories(*tables, ["AAA"], MODEL_FEATURES, HORIZON)["AAA"]
    for row in rows[rows["ticker"] == "AAA"].to_dict("records"):
        model = forecaster.load(ModelStore(models).load(row["model_name"].split("/")).payload)
        part = slice(position(row["valid_start"]), position(row["valid_end"]) + 1)
        said = model.predict(history.features, history.values[part])  # noqa: PD011 (no pandas)
        expected = information_coefficient(said, history.target[part])
        assert row["valid_information_coefficient"] == expected


@pytest.mark.parametrize(
    ("day", "is_there"),
    [("2018-07-23", False), ("2018-07-24", True)],
)
def test_stand_in_needs_one_session_after_the_incumbents_training(
    day: str, is_there: bool, tmp_path: Path
) -> None:
    """The window's own model has seen 2018-06-29; 2018-07-02 is the first day it has not."""
    found = challenge(tmp_path, MARKET, day)
    assert (found.challengers["role"] == "stand_in").any() == is_there
    assert ("AAA" in found.without_stand_in) != is_there
    if is_there:
        stand_in = reign_of(found.challengers, "stand_in")
        assert stand_in.serves_after == date(2018, 7, 2)
    else:
        assert "has seen 2018-06-29" in found.without_stand_in["AAA"]
    assert (found.challengers["role"] == "challenger").sum() == 1
    assert found.skipped == {}


def test_stand_in_for_a_reigning_incumbent_has_seen_later_sessions(tmp_path: Path) -> None:
    first = challenge(tmp_path, MARKET, "2018-07-24").challengers
    reign = reign_of(first)
    early = challenge(tmp_path, MARKET, "2018-08-14", reigns=(reign,))
    assert "has seen 2018-07-24" in early.without_stand_in["AAA"]
    later = challenge(tmp_path, MARKET, "2018-08-15", reigns=(reign,)).challengers
    assert reign_of(later, "stand_in").serves_after == date(2018, 7, 25)
    [payload] = tmp_path.joinpath(*reign.model_name).rglob(PAYLOAD)
    payload.write_bytes(b"another")
    unreadable = challenge(tmp_path, MARKET, "2018-08-15", reigns=(reign,)).challengers
    pd.testing.assert_frame_equal(unreadable, later)


def test_incumbent_rolled_back_to_has_seen_only_what_it_learned(tmp_path: Path) -> None:
    older = reign_of(challenge(tmp_path, MARKET, "2018-07-10").challengers)
    back = replace(older, serves_after=date(2018, 8, 10))
    found = challenge(tmp_path, MARKET, "2018-08-15", reigns=(older, back))
    assert reign_of(found.challengers, "stand_in").serves_after == date(2018, 7, 25)


def test_stand_in_for_the_model_of_an_older_window_is_of_the_challengers_window(
    tmp_path: Path,
) -> None:
    """That model has seen months less, but what serves in a window is fitted inside it."""
    older = reign_of(challenge(tmp_path, MARKET, "2018-05-31").challengers)
    back = replace(older, window=parse_window("2018-07-01"), serves_after=date(2018, 7, 3))
    early = challenge(tmp_path, MARKET, "2018-07-23", reigns=(back,))
    assert early.challengers["role"].tolist() == ["challenger"]
    assert "has seen 2018-05-31" in early.without_stand_in["AAA"]
    found = challenge(tmp_path, MARKET, "2018-07-24", reigns=(back,)).challengers
    assert reign_of(found, "stand_in").serves_after == date(2018, 7, 2)


def test_shadow_mode_makes_no_stand_in(tmp_path: Path) -> None:
    settings = quick_settings(promotion={"mode": "shadow"})
    found = challenge(tmp_path, MARKET, DAY, settings=settings)
    assert found.challengers["role"].tolist() == ["challenger"]
    assert found.without_stand_in == {"AAA": "the challenger proves itself"}


def test_same_data_give_the_same_models_whatever_comes_after_or_beside(
    rows: pd.DataFrame, tmp_path: Path
) -> None:
    alone = challenge(tmp_path, MARKET.until(DAY), tickers=("AAA",)).challengers
    pd.testing.assert_frame_equal(alone, rows[rows["ticker"] == "AAA"].reset_index(drop=True))


def test_second_request_of_a_day_fits_nothing(rows: pd.DataFrame, models: Path) -> None:
    written = {path: path.stat().st_mtime_ns for path in models.rglob(MANIFEST)}
    again = challenge(models, MARKET, DAY, ("AAA", "BBB")).challengers
    pd.testing.assert_frame_equal(again, rows)
    assert {path: path.stat().st_mtime_ns for path in models.rglob(MANIFEST)} == written


def test_day_without_a_session_stands_for_the_session_before(tmp_path: Path) -> None:
    [row] = challenge(tmp_path, MARKET, "2018-07-15").challengers.to_dict("records")
    assert row["trained_as_of"] == row["requested_as_of"] == pd.Timestamp("2018-07-13")


@pytest.mark.parametrize(
    ("ticker", "as_of", "reason"),
    [
        ("AAA", "2016-03-01", "training needs 1 years before 2015-09-02"),
        ("AAA", "2015-03-01", "no session of this ticker is stored up to 2015-03-01"),
        ("ZZZ", None, "no session of this ticker is stored"),
        ("AAA", "2017-12-01", "its window has no model to challenge: training needs 1 years"),
    ],
)
def test_too_little_history_is_stated_and_no_error(
    ticker: str, as_of: str | None, reason: str, tmp_path: Path
) -> None:
    found = challenge(tmp_path, MARKET, as_of, (ticker,))
    assert found.skipped[ticker].startswith(reason)
    assert found.without_stand_in[ticker] == "there is no challenger"
    pd.testing.assert_frame_equal(found.challengers, CHALLENGERS.empty())


def test_run_is_tracked_with_one_step_a_day_and_role(tmp_path: Path) -> None:
    tracker = RecordingTracker()
    found = fit_challengers(
        *(MARKET.features, MARKET.labels, MARKET.bars),
        ("AAA",),
        date.fromisoformat(DAY),
        (),
        quick_settings(),
        ModelStore(tmp_path),
        tracker,
        NOW,
    ).challengers
    [run_id] = tracker.metrics
    assert set(found["mlflow_run_id"]) == {run_id}
    steps = {(name, step) for name, _, step in tracker.metrics[run_id]}
    stand_in = int(reign_of(found, "stand_in").serves_after.strftime("%Y%m%d"))
    assert ("ridge.challenger.train_rows", 20180831) in steps
    assert ("ridge.stand_in.rmse", stand_in) in steps
    assert parse_window("2018-07-01") == reign_of(found).window
