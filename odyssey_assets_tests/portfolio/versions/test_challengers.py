import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.made_anew import MADE_ANEW
from odyssey_assets.core.reigns import Reign
from odyssey_assets.errors import TrainingError
from odyssey_assets.infrastructure.contract_findings import findings
from odyssey_assets.infrastructure.model_store import PAYLOAD
from odyssey_assets.portfolio.checkpoint_store import FOLDER
from odyssey_assets.portfolio.tables import POLICIES, POLICY_CHALLENGERS
from odyssey_assets.portfolio.training_curve import CurvePoint, best_point
from odyssey_assets_tests.portfolio.small_training import NEWEST, WINDOWS, small_market, train
from odyssey_assets_tests.portfolio.versions.small_versions import (
    MARKET,
    NOW,
    SETTINGS,
    TICKERS,
    UNSEEN,
    Home,
    challenge,
    quick_settings,
    reign_of,
    reign_of_window,
    trained_home,
)
from odyssey_assets_tests.recording_tracker import RecordingTracker

DAYS = MARKET.panel.dates
DAY = "2017-03-15"
FIRST_WITH_STAND_IN = int(np.searchsorted(DAYS, np.datetime64(NEWEST.start))) + UNSEEN + 1
SAME = [name for name in POLICY_CHALLENGERS.content_columns if name != "model_name"]


def position(day: pd.Timestamp | date | str) -> int:
    return int(np.searchsorted(DAYS, np.datetime64(str(day)[:10])))


def at(row: int) -> str:
    return str(DAYS[row])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return trained_home(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def rows(home: Home) -> pd.DataFrame:
    return challenge(home, DAY).rows


@pytest.fixture
def copy(home: Home, tmp_path: Path) -> Home:
    """Return a copy of the home, for tests that change it."""
    return replace(home, folder=Path(shutil.copytree(home.folder, tmp_path / "models")))


def checkpoints(home: Home) -> list[str]:
    folder = home.folder / FOLDER
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def refuse(*_args: object, **_options: object) -> None:
    pytest.fail("a stored model was trained again")


def test_rows_keep_their_contract_and_name_the_stored_models(
    rows: pd.DataFrame, home: Home
) -> None:
    pd.testing.assert_frame_equal(POLICY_CHALLENGERS.conform(rows), rows)
    assert all(finding.is_met for finding in findings(rows, POLICY_CHALLENGERS))
    assert sorted(rows["role"]) == ["challenger", "stand_in"]
    assert (rows["recorded_at"] == pd.Timestamp(NOW)).all()
    for row in rows.to_dict("records"):
        name = tuple(row["model_name"].split("/"))
        assert name[:4] == ("policies", "ppo", "2017-01-01", "seed-42")
        stored = home.store.find(name)
        assert stored is not None
        assert stored.model_sha256 == row["model_sha256"]
        assert stored.content["data_sha256"] == row["data_sha256"]
        curve: Any = stored.content["curve"]
        chosen = best_point([CurvePoint(**point) for point in curve])
        assert (row["selected_steps"], row["validation_sharpe"]) == (
            chosen.steps,
            chosen.validation_sharpe,
        )


def test_challenger_learns_from_everything_known_at_the_close_and_starts_as_its_window_did(
    rows: pd.DataFrame, home: Home
) -> None:
    [own] = rows[rows["role"] == "challenger"].to_dict("records")
    bounds = [own[name].date() for name in ("train_end", "valid_start", "valid_end")]
    assert bounds == [date(2016, 9, 15), date(2016, 9, 16), date(2017, 3, 15)]
    assert own["trained_as_of"] == own["requested_as_of"] == pd.Timestamp(DAY)
    policies = home.policies.set_index("window")
    assert own["warm_start_sha256"] == policies.loc["2016-07-01", "model_sha256"]
    assert own["warm_start_sha256"] == policies.loc["2017-01-01", "warm_start_sha256"]
    assert own["steps"] == policies.loc["2017-01-01", "steps"]
    assert own["model_sha256"] != policies.loc["2017-01-01", "model_sha256"]


def test_stand_in_leaves_exactly_the_returns_that_the_gate_needs(rows: pd.DataFrame) -> None:
    """A session's decision is traded at the next open: it first shows in the return after."""
    [stand_in] = rows[rows["role"] == "stand_in"].to_dict("records")
    assert position(DAY) - position(stand_in["trained_as_of"]) == UNSEEN + 1
    assert stand_in["requested_as_of"] == pd.Timestamp(DAY)
    assert stand_in["warm_start_sha256"] == rows["warm_start_sha256"].iloc[1]


def test_same_data_give_the_same_models_in_another_store(
    rows: pd.DataFrame, tmp_path: Path
) -> None:
    other = challenge(trained_home(tmp_path), DAY).rows
    columns = POLICY_CHALLENGERS.content_columns
    pd.testing.assert_frame_equal(other[list(columns)], rows[list(columns)], check_exact=True)


def test_stored_challenger_is_used_again(
    rows: pd.DataFrame, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("odyssey_assets.portfolio.training.run_tasks", refuse)
    pd.testing.assert_frame_equal(challenge(home, DAY).rows, rows)


def test_stand_in_of_one_day_is_recalled_as_the_challenger_of_its_own_day(
    rows: pd.DataFrame, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("odyssey_assets.portfolio.training.run_tasks", refuse)
    [stand_in] = rows[rows["role"] == "stand_in"].to_dict("records")
    shadow = quick_settings({"mode": "shadow"})
    again = challenge(home, str(stand_in["trained_as_of"].date()), settings=shadow).rows
    assert again["model_sha256"].tolist() == [stand_in["model_sha256"]]
    assert again["model_name"].tolist() == [stand_in["model_name"]]


def test_day_without_a_session_and_no_day_mean_the_session_before(home: Home) -> None:
    friday, sunday = (challenge(home, day).rows for day in ("2017-03-17", "2017-03-19"))
    pd.testing.assert_frame_equal(sunday, friday)
    shadow = quick_settings({"mode": "shadow"})
    newest = challenge(home, None, settings=shadow).rows
    assert newest["trained_as_of"].tolist() == [pd.Timestamp(DAYS[-1])]


def test_shadow_mode_makes_no_stand_in(rows: pd.DataFrame, home: Home) -> None:
    found = challenge(home, DAY, settings=quick_settings({"mode": "shadow"}))
    assert found.without_stand_in == "the challenger proves itself"
    assert found.skipped is None
    expected = rows[rows["role"] == "challenger"].reset_index(drop=True)
    pd.testing.assert_frame_equal(found.rows, expected)


@pytest.mark.parametrize(("later", "is_there"), [(-1, False), (0, True)])
def test_stand_in_needs_one_session_in_which_the_windows_own_policy_has_decided(
    later: int, is_there: bool, home: Home
) -> None:
    found = challenge(home, at(FIRST_WITH_STAND_IN + later))
    assert (found.rows["role"] == "stand_in").any() == is_there
    assert (found.rows["role"] == "challenger").sum() == 1
    assert found.skipped is None
    if is_there:
        assert found.without_stand_in is None
        assert reign_of(found.rows, "stand_in").serves_after == date(2017, 1, 2)
    else:
        assert found.without_stand_in == (
            "the incumbent decides after 2016-12-31, and 10 returns of decisions after a later "
            "session have not been earned by 2017-01-16"
        )


def test_stand_in_for_a_reigning_incumbent_has_seen_later_sessions_than_it_began_with(
    home: Home,
) -> None:
    shadow = quick_settings({"mode": "shadow"})
    reign = reign_of(challenge(home, "2017-02-01", settings=shadow).rows)
    early = challenge(home, at(position("2017-02-01") + UNSEEN + 1), reigns=(reign,))
    assert early.rows["role"].tolist() == ["challenger"]
    assert "the incumbent decides after 2017-02-01" in str(early.without_stand_in)
    day = at(position("2017-02-01") + UNSEEN + 2)
    later = challenge(home, day, reigns=(reign,)).rows
    assert reign_of(later, "stand_in").serves_after == date(2017, 2, 2)
    promoted_later = replace(reign, serves_after=date.fromisoformat(day))
    waiting = challenge(home, day, reigns=(promoted_later,))
    assert f"the incumbent decides after {day}" in str(waiting.without_stand_in)


def test_reign_that_begins_after_the_day_was_no_incumbent_yet(
    rows: pd.DataFrame, home: Home
) -> None:
    later = Reign("ppo", NEWEST, date(2017, 3, 16), ("policies", "ppo", "gone"), "0" * 64)
    pd.testing.assert_frame_equal(challenge(home, DAY, reigns=(later,)).rows, rows)


def test_stand_in_for_a_policy_that_was_rolled_back_to_has_seen_its_first_decisions(
    home: Home,
) -> None:
    """That policy has learned from less, but decides in the window only since the rollback."""
    older = reign_of_window(home.policies, "2016-07-01", NEWEST, date(2017, 1, 4))
    first = position("2017-01-04") + UNSEEN + 2
    early = challenge(home, at(first - 1), reigns=(older,))
    assert early.rows["role"].tolist() == ["challenger"]
    found = challenge(home, at(first), reigns=(older,)).rows
    assert set(found["window"]) == {pd.Timestamp("2017-01-01")}
    assert reign_of(found, "stand_in").serves_after == date(2017, 1, 5)


@pytest.mark.parametrize(
    ("as_of", "reason"),
    [
        ("2014-06-30", "no session up to 2014-06-30 is stored"),
        ("2015-03-02", "no forecasts before 2014-09-03"),
        (
            "2015-12-01",
            "its window has no policy to challenge: no forecasts before 2015-01-01",
        ),
    ],
)
def test_too_little_history_is_stated_and_no_error(as_of: str, reason: str, home: Home) -> None:
    found = challenge(home, as_of)
    assert found.skipped == reason
    assert found.without_stand_in == "there is no challenger"
    pd.testing.assert_frame_equal(found.rows, POLICY_CHALLENGERS.empty())


def test_window_that_no_policy_was_trained_for_yet_is_skipped(home: Home) -> None:
    before = home.policies[home.policies["window"] < "2017-01-01"]
    found = challenge(replace(home, policies=before), DAY)
    assert found.skipped == "its window has no policy to challenge: it was not trained"
    assert challenge(replace(home, policies=POLICIES.empty()), DAY).rows.empty


def test_policy_to_start_from_that_is_not_stored_is_named(home: Home, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"as of .* goes on from that of 2016-07-01, which is"):
        challenge(replace(home, folder=tmp_path), DAY)


def test_interrupted_training_goes_on_from_its_checkpoint(rows: pd.DataFrame, copy: Home) -> None:
    for name in rows["model_name"]:
        copy.store.remove(tuple(name.split("/")))
    said: list[str] = []

    def stop(message: str) -> None:
        said.append(message)
        if message.startswith(f"2017-01-01 as of {DAY} seed 42: 256"):
            raise KeyboardInterrupt

    tracker = RecordingTracker()
    with pytest.raises(KeyboardInterrupt):
        challenge(copy, DAY, tracker=tracker, progress=stop)
    first, second = tracker.tags
    assert tracker.failed == [second]
    assert len(checkpoints(copy)) == 1
    rest: list[str] = []
    again = challenge(copy, DAY, tracker=tracker, progress=rest.append).rows
    assert rest[0] == said[-1]
    assert not any("2017-02-28" in message for message in rest), "the stand-in was there already"
    columns = list(POLICY_CHALLENGERS.content_columns)
    pd.testing.assert_frame_equal(again[columns], rows[columns])
    assert again.set_index("role").loc["stand_in", "mlflow_run_id"] == first
    assert checkpoints(copy) == []


def test_challenger_leaves_the_checkpoints_of_its_window_alone(tmp_path: Path) -> None:
    """A window's own training was cut short; a challenger of it is trained meanwhile."""

    def stop(message: str) -> None:
        if message.startswith("2017-01-01 seed 42: 256"):
            raise KeyboardInterrupt

    whole = trained_home(tmp_path / "whole")
    parted = replace(whole, folder=tmp_path / "parted")
    train(parted.store, MARKET, SETTINGS, WINDOWS[:4])
    with pytest.raises(KeyboardInterrupt):
        train(parted.store, MARKET, SETTINGS, progress=stop)
    [kept] = checkpoints(parted)
    assert kept.startswith("ppo-2017-01-01-seed-42-")
    challenge(parted, DAY)
    assert checkpoints(parted) == [kept]
    rest: list[str] = []
    train(parted.store, MARKET, SETTINGS, progress=rest.append)
    assert rest[0].startswith("2017-01-01 seed 42: 256")


def test_altered_challenger_is_trained_anew_and_the_rows_name_that_one(
    rows: pd.DataFrame, copy: Home
) -> None:
    [name] = rows.loc[rows["role"] == "challenger", "model_name"]
    (copy.folder / name / PAYLOAD).write_bytes(b"another")
    again = challenge(copy, DAY).rows
    assert (copy.folder / name / PAYLOAD).read_bytes() == b"another"
    is_altered = rows["model_name"] == name
    expected = rows["model_name"].where(~is_altered, rows["model_name"] + MADE_ANEW)
    assert again["model_name"].tolist() == expected.tolist()
    pd.testing.assert_frame_equal(again[SAME], rows[SAME])


def test_restated_price_makes_another_challenger(rows: pd.DataFrame, home: Home) -> None:
    close = MARKET.panel.close.copy()
    close[position(DAY), 0] *= 1.01
    restated = replace(MARKET, panel=replace(MARKET.panel, close=close))
    again = challenge(home, DAY, market=restated).rows.set_index("role")
    known = rows.set_index("role")
    assert again.loc["stand_in", "model_sha256"] == known.loc["stand_in", "model_sha256"]
    assert again.loc["challenger", "model_sha256"] != known.loc["challenger", "model_sha256"]


def test_first_window_with_a_policy_has_challengers_that_begin_from_nothing(home: Home) -> None:
    shadow = quick_settings({"mode": "shadow"})
    [row] = challenge(home, "2016-02-15", settings=shadow).rows.to_dict("records")
    assert row["window"] == pd.Timestamp("2016-01-01")
    assert pd.isna(row["warm_start_sha256"])
    assert row["steps"] == 512


def test_trainings_are_tracked_one_by_one_and_log_apart(
    rows: pd.DataFrame, copy: Home, tmp_path: Path
) -> None:
    for name in rows["model_name"]:
        copy.store.remove(tuple(name.split("/")))
    tracker, logs = RecordingTracker(), tmp_path / "logs"
    again = challenge(copy, DAY, tracker=tracker, tensorboard_dir=logs).rows
    assert set(again["mlflow_run_id"]) == set(tracker.tags)
    assert len(tracker.tags) == 2
    folders = {path.parent.relative_to(logs).as_posix() for path in logs.rglob("events.out.*")}
    assert folders == {f"2017-01-01/seed-42-as-of-{day}" for day in (DAY, "2017-02-28")}


def test_market_without_forecasts_has_no_challenger(home: Home) -> None:
    found = challenge(home, DAY, market=small_market(TICKERS, first_forecast=10_000))
    assert found.skipped == "no forecasts before 2016-09-16"
