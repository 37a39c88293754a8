"""Whoever reigns forecasts, and what was forecast stays as it was made."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.hashing import hash_frame
from odyssey_assets.core.reigns import Reign, reign_at, reigns_in
from odyssey_assets.core.windows import Window, parse_window
from odyssey_assets.forecasting.serving import unusable_reigns
from odyssey_assets.forecasting.tables import PREDICTIONS
from odyssey_assets.forecasting.tabulation import Forecasts
from odyssey_assets.forecasting.training import forecast_windows
from odyssey_assets.infrastructure.model_store import PAYLOAD, ModelStore
from odyssey_assets.settings import Settings
from odyssey_assets_tests.forecasting.small_market import SmallMarket, small_market
from odyssey_assets_tests.forecasting.versions import challenge, quick_settings, reign_of

MARKET = small_market()
WINDOWS = (parse_window("2018-01-01"), parse_window("2018-07-01"))
LAST = WINDOWS[-1]
FIRST_DAY, SECOND_DAY = "2018-07-31", "2018-08-31"
FIRST_NIGHT = np.datetime64("2018-07-26")


def forecast(
    folder: Path,
    reigns: tuple[Reign, ...] = (),
    market: SmallMarket = MARKET,
    windows: tuple[Window, ...] = WINDOWS,
    stored: pd.DataFrame | None = None,
    settings: Settings | None = None,
) -> Forecasts:
    return forecast_windows(
        market.features,
        market.labels,
        market.bars,
        {"AAA": windows, "BBB": windows},
        settings or quick_settings(),
        ModelStore(folder),
        None,
        reigns=reigns,
        stored=stored,
    )


def served(rows: pd.DataFrame, ticker: str = "AAA", model: str = "ridge") -> pd.DataFrame:
    """Return a model's rows of the last window, by date."""
    is_own = (
        (rows["ticker"] == ticker) & (rows["model"] == model) & (rows["window"] == "2018-07-01")
    )
    return rows[is_own].set_index("date").sort_index()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def own(models: Path) -> Forecasts:
    return forecast(models)


@pytest.fixture(scope="module")
def reigns(models: Path) -> tuple[Reign, ...]:
    """Two promotions of AAA, one after the other."""
    first, second = (
        reign_of(challenge(models, MARKET, day).challengers) for day in (FIRST_DAY, SECOND_DAY)
    )
    return first, second


@pytest.fixture
def damaged(models: Path, reigns: tuple[Reign, ...], tmp_path: Path) -> Path:
    """Return a copy of the store, for a test to damage."""
    assert reigns
    return Path(shutil.copytree(models, tmp_path / "models"))


def damage(folder: Path, reign: Reign, how: str) -> str:
    """Make a reign's model unusable; return the words that must say so."""
    path = folder.joinpath(*reign.model_name)
    if how == "missing":
        ModelStore(folder).remove(reign.model_name)
        return "is not in the model store"
    (path / PAYLOAD).write_bytes(b"another" + (path / PAYLOAD).read_bytes())
    return "does not carry this home's signature"


def test_sessions_after_each_promotion_are_forecast_by_the_promoted_model(
    own: Forecasts, reigns: tuple[Reign, ...], models: Path
) -> None:
    rows = served(forecast(models, reigns).predictions)
    assert rows.index.equals(served(own.predictions).index)
    first, second = reigns
    expected = np.select(
        [rows.index > SECOND_DAY, rows.index > FIRST_DAY],
        [second.model_sha256, first.model_sha256],
        served(own.predictions)["model_sha256"].iloc[0],
    )
    assert rows["model_sha256"].tolist() == expected.tolist()
    for reign, part in ((first, rows[expected == first.model_sha256]), (second, rows.iloc[-1:])):
        stored = ModelStore(models).load(reign.model_name)
        assert len(part) > 0
        assert set(part["trained_as_of"]) == {pd.Timestamp(str(stored.content["trained_as_of"]))}
        width = stored.content["conformal_width"]
        assert part["upper"].equals(part["prediction"] + width)
        assert part["lower"].equals(part["prediction"] - width)


@pytest.mark.parametrize("seed", range(5))
def test_every_session_is_forecast_by_whom_the_order_of_decisions_names(
    seed: int, own: Forecasts, reigns: tuple[Reign, ...], models: Path
) -> None:
    """Any sequence of promotions and rollbacks, some on the same day, some back to the fold's."""
    generator = np.random.default_rng(seed)
    before = served(own.predictions)
    fold = Reign("AAA", LAST, LAST.start, ("ridge", "own"), before["model_sha256"].iloc[0])
    decided: list[Reign] = []
    for number in generator.integers(3, size=6):
        model = (*reigns, fold)[number]
        possible = [day.date() for day in before.index if day.date() >= model.serves_after]
        decided.append(replace(model, serves_after=possible[generator.integers(len(possible))]))
    rows = served(forecast(models, tuple(decided)).predictions)
    ordered = reigns_in(decided, "AAA", LAST)
    for day, sha256 in rows["model_sha256"].items():
        ruling = reign_at(ordered, pd.Timestamp(str(day)).date())
        assert sha256 == (ruling or fold).model_sha256


def test_others_and_folds_stay_as_they_are(
    own: Forecasts, reigns: tuple[Reign, ...], models: Path
) -> None:
    found = forecast(models, reigns)
    pd.testing.assert_frame_equal(found.folds, own.folds)
    pd.testing.assert_frame_equal(found.feature_importance, own.feature_importance)
    changed = (found.predictions != own.predictions).any(axis=1)
    touched = found.predictions[changed]
    assert set(touched["ticker"]) == {"AAA"}
    assert set(touched["model"]) == {"ridge"}
    assert touched["date"].min() > pd.Timestamp(FIRST_DAY)
    assert set(touched["window"]) == {pd.Timestamp("2018-07-01")}


def test_rebuild_equals_what_was_forecast_night_by_night(tmp_path: Path) -> None:
    """Each night knows the day's data and the promotions up to it; the rebuild knows them all."""
    days = [str(day)[:10] for day in np.sort(MARKET.bars["date"].unique()) if day >= FIRST_NIGHT]
    ruling: list[Reign] = []
    nights: list[pd.DataFrame] = []
    for day in days:
        known = MARKET.until(day)
        rows = forecast(tmp_path, tuple(ruling), known, (LAST,)).predictions
        nights.append(rows[rows["date"] == day])
        if day in (FIRST_DAY, SECOND_DAY):
            ruling.append(reign_of(challenge(tmp_path, known, reigns=tuple(ruling)).challengers))
    assert len(ruling) == 2
    rebuilt = forecast(tmp_path, tuple(ruling), MARKET).predictions
    since = rebuilt[rebuilt["date"] >= days[0]]
    made = PREDICTIONS.conform(pd.concat(nights))
    columns = PREDICTIONS.content_columns
    assert hash_frame(made, columns) == hash_frame(PREDICTIONS.conform(since), columns)


@pytest.mark.parametrize("how", ["missing", "altered"])
def test_unreadable_model_leaves_its_sessions_to_the_last_one_before_it(
    how: str, own: Forecasts, reigns: tuple[Reign, ...], damaged: Path
) -> None:
    first, second = reigns
    damage(damaged, second, how)
    rows = served(forecast(damaged, reigns).predictions)
    assert set(rows.loc[rows.index > SECOND_DAY, "model_sha256"]) == {first.model_sha256}
    alone = served(forecast(damaged, (first,)).predictions)
    pd.testing.assert_frame_equal(rows, alone)
    damage(damaged, first, how)
    fallen = forecast(damaged, reigns).predictions
    pd.testing.assert_frame_equal(fallen, own.predictions)


def test_forecasts_of_an_unreadable_model_stay_as_they_were_made(
    reigns: tuple[Reign, ...], damaged: Path
) -> None:
    known = MARKET.until("2018-09-14")
    stored = forecast(damaged, reigns, known).predictions
    stored["prediction"] = stored["prediction"].where(
        stored["model_sha256"] != reigns[1].model_sha256, stored["prediction"] + 1e-9
    )
    damage(damaged, reigns[1], "missing")
    rows = served(forecast(damaged, reigns, stored=stored).predictions)
    before = served(stored)
    pd.testing.assert_frame_equal(rows[rows.index <= "2018-09-14"], before)
    later = rows[rows.index > "2018-09-14"]
    assert len(later) > 0
    assert set(later["model_sha256"]) == {reigns[0].model_sha256}


def test_rollback_to_the_windows_own_model_needs_no_other_file(
    own: Forecasts, reigns: tuple[Reign, ...], models: Path
) -> None:
    [fold] = own.folds[
        (own.folds["ticker"] == "AAA")
        & (own.folds["model"] == "ridge")
        & (own.folds["window"] == "2018-07-01")
    ].to_dict("records")
    back = Reign(
        "AAA", LAST, date(2018, 8, 15), tuple(fold["model_name"].split("/")), fold["model_sha256"]
    )
    rows = served(forecast(models, (reigns[0], back)).predictions)
    before = served(own.predictions)
    is_own = (rows["model_sha256"] == fold["model_sha256"]).to_numpy()
    assert is_own.tolist() == [
        not FIRST_DAY < f"{day:%Y-%m-%d}" <= "2018-08-15" for day in rows.index
    ]
    pd.testing.assert_frame_equal(rows[is_own], before[is_own])
    gone = replace(back, model_name=("ridge", "AAA", "2018-07-01", "nowhere"))
    pd.testing.assert_frame_equal(served(forecast(models, (reigns[0], gone)).predictions), rows)


def test_reign_of_another_forecaster_is_not_followed(
    own: Forecasts, reigns: tuple[Reign, ...], models: Path
) -> None:
    other = replace(reigns[0], model_name=("xgboost", *reigns[0].model_name[1:]))
    pd.testing.assert_frame_equal(forecast(models, (other,)).predictions, own.predictions)
    assert unusable_reigns([other], quick_settings(), ModelStore(models)) == []


@pytest.mark.parametrize("how", ["missing", "altered"])
def test_unusable_reign_is_named_with_its_reason(
    how: str, reigns: tuple[Reign, ...], damaged: Path
) -> None:
    assert unusable_reigns(reigns, quick_settings(), ModelStore(damaged)) == []
    words = damage(damaged, reigns[1], how)
    [found] = unusable_reigns(reigns, quick_settings(), ModelStore(damaged))
    assert found["ticker"] == "AAA"
    assert found["window"] == "2018-07-01"
    assert found["model"] == "/".join(reigns[1].model_name)
    assert words in found["reason"]


def test_model_that_is_not_what_was_promoted_never_serves(
    own: Forecasts, reigns: tuple[Reign, ...], models: Path
) -> None:
    first, second = reigns
    wrong = {
        "expected 00": replace(first, model_sha256="00"),
        "has seen data up to 2018-08-31": replace(second, serves_after=date(2018, 8, 30)),
        "expected {'ticker': 'BBB'": replace(first, subject="BBB"),
    }
    for words, reign in wrong.items():
        [found] = unusable_reigns([reign], quick_settings(), ModelStore(models))
        assert words in found["reason"]
        pd.testing.assert_frame_equal(forecast(models, (reign,)).predictions, own.predictions)


def test_change_of_horizon_ends_the_reign(reigns: tuple[Reign, ...], models: Path) -> None:
    settings = quick_settings(forecasting={"horizon_sessions": 1})
    [found] = unusable_reigns(reigns[:1], settings, ModelStore(models))
    assert "'horizon_sessions': 5" in found["reason"]
