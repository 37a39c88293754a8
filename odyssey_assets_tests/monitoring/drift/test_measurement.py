from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.windows import Window
from odyssey_assets.features.catalog import MODEL_FEATURES
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.monitoring.drift.measurement import DriftMeasured, measure_drift
from odyssey_assets.monitoring.drift.past_scores import PAST_COLUMNS
from odyssey_assets.monitoring.tables import METHODS, PREDICTION
from odyssey_assets_tests.monitoring.drift.small_world import (
    MODEL,
    NAMES,
    SmallWorld,
    small_settings,
    small_world,
    trained_windows,
    world_of,
)

SETTINGS = small_settings()
TICKERS = ("AAA", "BBB")
WORLD = small_world(SETTINGS, TICKERS)
WINDOWS = trained_windows(WORLD)
NEWEST = WINDOWS[-1]
METHOD = METHODS.index(SETTINGS.drift.method)


def _measure(
    world: SmallWorld = WORLD,
    windows: tuple[Window, ...] = (NEWEST,),
    tickers: tuple[str, ...] = ("AAA",),
    **arguments: object,
) -> DriftMeasured:
    given = {"reigns": (), "store": None, "past": None, "settings": SETTINGS, **arguments}
    return measure_drift(
        world.features,
        world.folds,
        world.challengers,
        world.predictions,
        windows_by_ticker=dict.fromkeys(tickers, windows),
        **given,  # type: ignore[arg-type]  # each of its own type
    )


@pytest.fixture(scope="module")
def everything() -> DriftMeasured:
    return _measure(windows=WINDOWS, tickers=TICKERS)


def _moved(features: pd.DataFrame, share: float, first: date) -> pd.DataFrame:
    """Return features of which every tenth or so lies two deviations off from a day on."""
    moved = features.copy()
    names = list(MODEL_FEATURES[:: round(1 / share)])
    moved.loc[moved["date"] >= pd.Timestamp(first), names] += 2.0
    return moved


def test_unchanged_windows_alarm_at_most_at_the_rate(everything: DriftMeasured) -> None:
    alarms = everything.summary.groupby(["ticker", "window"])["is_drifted"].any()
    assert len(alarms) == len(TICKERS) * len(WINDOWS)
    assert alarms.mean() <= 0.1
    assert (everything.summary["status"] == "measured").all()


def test_window_whose_features_moved_alarms_from_its_first_look() -> None:
    world = world_of(_moved(WORLD.features, 0.1, NEWEST.start), SETTINGS)
    summary = _measure(world).summary
    assert summary["is_drifted"].all()
    assert set(summary["severity"]) <= {"minor", "major"}
    assert summary["strongest_feature"].isin(MODEL_FEATURES[::10]).all()
    assert (summary["drifted_inputs"] >= 3).all()


def test_rows_of_a_night_equal_those_of_a_whole_history_to_the_bit(
    everything: DriftMeasured,
) -> None:
    stored = everything.drift[list(PAST_COLUMNS)]
    stored = stored[stored["window"] < pd.Timestamp(NEWEST.start)]
    expected = everything.drift[everything.drift["window"] == pd.Timestamp(NEWEST.start)]
    for past in (None, stored, stored.iloc[::2]):
        night = _measure(tickers=TICKERS, past=past)
        pd.testing.assert_frame_equal(
            night.drift, expected.reset_index(drop=True), check_exact=True
        )
        newest = everything.summary["window"] == pd.Timestamp(NEWEST.start)
        pd.testing.assert_frame_equal(
            night.summary, everything.summary[newest].reset_index(drop=True), check_exact=True
        )


def test_rows_of_one_ticker_do_not_depend_on_another(everything: DriftMeasured) -> None:
    alone = _measure(windows=WINDOWS, tickers=("BBB",))
    own = everything.drift[everything.drift["ticker"] == "BBB"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.drift, own, check_exact=True)


def test_summary_and_rows_of_each_look_say_the_same(everything: DriftMeasured) -> None:
    rows = everything.drift[everything.drift["method"] == SETTINGS.drift.method]
    key = ["ticker", "window", "as_of"]
    inputs = rows[rows["is_input"]].groupby(key)
    summary = everything.summary.set_index(key)
    assert inputs["is_drifted"].any().equals(summary["is_drifted"])
    assert (inputs["is_drifted"].sum() == summary["drifted_inputs"]).all()
    assert (inputs.size() == summary["inputs"]).all()
    np.testing.assert_array_equal(inputs["p_value"].min(), summary["smallest_p_value"])
    assert (summary["judged_by"] == "scores").all()
    assert (rows["is_drifted"] == (rows["score"] > rows["threshold"])).all()
    named = set(rows.loc[rows["is_input"], "feature"])
    assert named == {*MODEL_FEATURES, PREDICTION}


def test_first_windows_rest_on_draws_and_later_ones_on_windows(everything: DriftMeasured) -> None:
    rows = everything.drift[everything.drift["feature"] == NAMES[0]]
    by_window = rows.groupby("window")["past_scores"].max()
    needed = SETTINGS.drift.min_past_windows
    assert (by_window.iloc[:needed] == 20).all()
    assert by_window.iloc[needed:].tolist() == list(range(needed, len(WINDOWS)))


def test_samples_are_the_newest_looks_with_their_own_columns(everything: DriftMeasured) -> None:
    sample = everything.samples["AAA", NEWEST]
    assert sample.names == (*(name for name in NAMES if name in MODEL_FEATURES), PREDICTION)
    assert sample.sample.shape == (len(sample.sessions), len(sample.names))
    newest = everything.drift[
        (everything.drift["ticker"] == "AAA")
        & (everything.drift["as_of"] == pd.Timestamp(sample.look.as_of))
        & (everything.drift["method"] == SETTINGS.drift.method)
    ].set_index("feature")
    np.testing.assert_array_equal(newest.loc[list(sample.names), "score"], sample.scores[:, METHOD])
    np.testing.assert_array_equal(
        newest.loc[list(sample.names), "threshold"], sample.thresholds[:, METHOD]
    )


def test_only_samples_asked_for_are_given_back(everything: DriftMeasured) -> None:
    measured = _measure(windows=WINDOWS, sampled=[("AAA", NEWEST), ("BBB", NEWEST)])
    assert list(measured.samples) == [("AAA", NEWEST)]
    assert len(everything.samples) == len(WINDOWS) * len(TICKERS)


def test_window_of_three_sessions_says_so_and_does_not_alarm() -> None:
    cut = WORLD.features[WORLD.features["date"] < "2018-07-06"]
    measured = _measure(world_of(_moved(cut, 1.0, NEWEST.start), SETTINGS))
    (row,) = measured.summary.to_dict("records")
    assert (row["status"], row["sessions"], row["is_drifted"]) == ("too_few_sessions", 3, False)
    assert row["reason"] == "3 sessions that its model had not seen, and a verdict needs 21"
    assert measured.drift.empty
    assert measured.samples == {}


def test_windows_without_a_model_say_why_and_those_without_sessions_nothing() -> None:
    first, late = Window(date(2010, 1, 1)), Window(date(2019, 1, 1))
    summary = _measure(windows=(first, late)).summary
    (row,) = summary.to_dict("records")
    assert (row["status"], row["window"]) == ("no_model", pd.Timestamp(first.start))
    assert "training needs" in row["reason"]
    assert row["as_of"] == pd.Timestamp("2010-06-30")


def test_feature_that_is_all_null_has_null_scores_and_no_part_in_the_verdict() -> None:
    name = MODEL_FEATURES[3]
    measured = _measure(world_of(WORLD.features.assign(**{name: np.nan}), SETTINGS))
    rows = measured.drift[measured.drift["feature"] == name]
    assert rows[["score", "p_value", "threshold"]].isna().all(axis=None)
    assert not rows["is_drifted"].any()
    assert rows["is_input"].all()
    assert (rows["reference_rows"] == 0).all()
    others = measured.drift[measured.drift["feature"] == MODEL_FEATURES[4]]
    assert others["p_value"].notna().all()


def test_feature_that_becomes_null_in_the_window_has_null_scores() -> None:
    features = WORLD.features.copy()
    name = MODEL_FEATURES[3]
    features.loc[features["date"] >= pd.Timestamp(NEWEST.start), name] = np.nan
    rows = _measure(world_of(features, SETTINGS)).drift.query("feature == @name")
    assert rows["score"].isna().all()
    assert (rows["reference_rows"] > 0).all()


def test_late_listing_is_measured_from_its_first_model_on() -> None:
    late = WORLD.features[WORLD.features["date"] >= "2015-03-02"]
    world = world_of(late, SETTINGS)
    summary = _measure(world, windows=trained_windows(world)).summary
    assert (summary["status"] == "measured").all()
    assert summary["window"].min() == pd.Timestamp(trained_windows(world)[0].start)


def test_ticker_without_any_row_has_none() -> None:
    measured = _measure(tickers=("ZZZ",))
    assert measured.drift.empty
    assert measured.summary.empty


def test_promoted_model_is_measured_on_what_it_had_not_seen(everything: DriftMeasured) -> None:
    after, seen = date(2018, 9, 28), date(2018, 8, 31)
    challenger = {
        "ticker": "AAA", "model": MODEL, "model_sha256": "challenger",
        "model_name": "xgboost/AAA/2018-08-31/1", "data_sha256": "data",
        "trained_as_of": pd.Timestamp(seen), "train_start": pd.Timestamp("2011-01-03"),
        "train_end": pd.Timestamp("2018-02-01"),
    }  # fmt: skip
    world = SmallWorld(WORLD.features, WORLD.folds, WORLD.predictions, pd.DataFrame([challenger]))
    reign = Reign("AAA", NEWEST, after, (MODEL, "AAA", "2018-08-31", "1"), "challenger")
    summary = _measure(world, reigns=(reign,)).summary.set_index("as_of")
    assert summary.loc[: pd.Timestamp(after), "sessions"].tolist() == [21, 42, 63]
    own = everything.summary.query("ticker == 'AAA'").set_index("as_of").loc["2018-07-01":after]
    pd.testing.assert_frame_equal(summary.loc[: pd.Timestamp(after)], own)
    later = summary.loc[pd.Timestamp(after) + pd.Timedelta(days=1) :]
    assert (later["model_sha256"] == "challenger").all()
    unseen = (WORLD.features.query("ticker == 'AAA'")["date"] > pd.Timestamp(seen)).sum()
    assert later["sessions"].tolist() == [21, 42, 63, int(unseen)]


def test_night_with_a_store_keeps_references_and_finds_the_same(
    tmp_path: Path, everything: DriftMeasured
) -> None:
    store = ModelStore(tmp_path)
    expected = everything.drift[
        (everything.drift["window"] == pd.Timestamp(NEWEST.start))
        & (everything.drift["ticker"] == "AAA")
    ].reset_index(drop=True)
    for _ in range(2):
        night = _measure(store=store)
        pd.testing.assert_frame_equal(night.drift, expected, check_exact=True)
    assert len(store.names(("drift-reference", "AAA"))) == 1
