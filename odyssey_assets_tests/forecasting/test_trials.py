"""Every version forecasts the sessions after its training, the same as if it had served."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from odyssey_assets.core.windows import parse_window
from odyssey_assets.forecasting.tables import TRIALS
from odyssey_assets.forecasting.training import forecast_windows
from odyssey_assets.forecasting.trials import Trials, run_trials, tried_windows
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets_tests.forecasting.small_market import SmallMarket, small_market
from odyssey_assets_tests.forecasting.versions import NOW, challenge, quick_settings, reign_of

MARKET = small_market()
LAST = parse_window("2018-07-01")
DAYS = ("2018-08-10", "2018-08-31")
AS_SERVED = ["date", "prediction", "lower", "upper", "model_sha256", "trained_as_of"]


@dataclass(frozen=True)
class Home:
    """A store with versions of AAA, and the rows that tell of them."""

    models: Path
    folds: pd.DataFrame
    predictions: pd.DataFrame
    challengers: pd.DataFrame


def forecast(folder: Path, reigns: tuple[Any, ...] = ()) -> Mapping[str, pd.DataFrame]:
    windows = (parse_window("2018-01-01"), LAST)
    return vars(
        forecast_windows(
            MARKET.features,
            MARKET.labels,
            MARKET.bars,
            {"AAA": windows, "BBB": windows},
            quick_settings(),
            ModelStore(folder),
            None,
            reigns=reigns,
        )
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("models")
    made = forecast(folder)
    challengers = pd.concat([challenge(folder, MARKET, day).challengers for day in DAYS])
    return Home(folder, made["folds"], made["predictions"], challengers)


def trials(home: Home, market: SmallMarket = MARKET, **changes: pd.DataFrame) -> Trials:
    tables = {"folds": home.folds, "challengers": home.challengers, **changes}
    return run_trials(
        market.features,
        tables["folds"],
        tables["challengers"],
        quick_settings(),
        ModelStore(home.models),
        NOW,
    )


def test_rows_keep_their_contract_and_hold_each_version_after_its_training(home: Home) -> None:
    found = trials(home)
    assert found.unreadable == {}
    rows = found.rows
    pd.testing.assert_frame_equal(TRIALS.conform(rows), rows)
    assert set(rows["ticker"]) == {"AAA"}
    assert (rows["date"] > rows["trained_as_of"]).all()
    roles = rows.groupby("model_sha256")["role"].agg(["nunique", "first"])
    assert (roles["nunique"] == 1).all()
    assert sorted(roles["first"]) == [
        "challenger", "challenger", "fold", "stand_in", "stand_in",
    ]  # fmt: skip
    last = MARKET.bars["date"].max()
    sessions = MARKET.bars.loc[MARKET.bars["ticker"] == "AAA", "date"]
    for (learned, _), own in rows.groupby(["trained_as_of", "model_sha256"]):
        expected = sessions[(sessions > learned) & (sessions >= "2018-07-01")]
        assert own["date"].tolist() == sorted(expected)
        assert own["date"].max() == last


def test_forecasts_of_the_fold_are_the_ones_that_served(home: Home) -> None:
    rows = trials(home).rows
    own = rows[rows["role"] == "fold"].reset_index(drop=True)
    served = home.predictions
    is_own = (served["ticker"] == "AAA") & (served["model"] == "ridge")
    expected = served[is_own & (served["window"] == "2018-07-01")].reset_index(drop=True)
    pd.testing.assert_frame_equal(own[AS_SERVED], expected[AS_SERVED], check_exact=True)


@pytest.mark.parametrize("role", ["challenger", "stand_in"])
def test_forecasts_of_a_version_are_the_ones_it_would_serve(role: str, home: Home) -> None:
    reign = reign_of(home.challengers[home.challengers["requested_as_of"] == DAYS[1]], role)
    served = forecast(home.models, (reign,))["predictions"]
    rows = trials(home).rows
    own = rows[rows["model_sha256"] == reign.model_sha256].reset_index(drop=True)
    expected = served[served["model_sha256"] == reign.model_sha256].reset_index(drop=True)
    assert len(own) > 0
    pd.testing.assert_frame_equal(own[AS_SERVED], expected[AS_SERVED], check_exact=True)


def test_past_rows_do_not_depend_on_later_sessions(home: Home) -> None:
    whole = trials(home).rows
    early = trials(home, MARKET.until("2018-09-07")).rows
    expected = whole[whole["date"] <= "2018-09-07"].reset_index(drop=True)
    pd.testing.assert_frame_equal(early, expected, check_exact=True)


def test_only_the_newest_window_of_a_challenged_ticker_is_tried(home: Home) -> None:
    assert tried_windows(home.folds, home.challengers) == {"AAA": LAST}
    older = home.folds[home.folds["window"] == "2018-01-01"]
    newer = older.assign(window=pd.Timestamp("2019-01-01"))
    folds = pd.concat([home.folds, newer])
    assert tried_windows(folds, home.challengers) == {}
    pd.testing.assert_frame_equal(trials(home, folds=folds).rows, TRIALS.empty())
    skipped = pd.concat([home.folds, newer.assign(status="skipped")])
    assert tried_windows(skipped, home.challengers) == {"AAA": LAST}


def test_no_challenger_no_trial(home: Home) -> None:
    none = home.challengers.iloc[:0]
    pd.testing.assert_frame_equal(trials(home, challengers=none).rows, TRIALS.empty())


def test_version_that_cannot_be_loaded_is_named_and_the_others_are_tried(home: Home) -> None:
    missing = home.challengers.assign(
        model_name=home.challengers["model_name"].where(
            home.challengers["requested_as_of"] != DAYS[0], "ridge/AAA/gone/k"
        )
    )
    found = trials(home, challengers=missing)
    assert list(found.unreadable) == ["ridge/AAA/gone/k"]
    assert "is not in the model store" in found.unreadable["ridge/AAA/gone/k"]
    kept = home.challengers.loc[home.challengers["requested_as_of"] == DAYS[1], "model_sha256"]
    rows = found.rows
    assert set(rows.loc[rows["role"] != "fold", "model_sha256"]) == set(kept)


def test_version_under_two_names_is_tried_once(home: Home) -> None:
    twice = pd.concat([home.challengers, home.challengers])
    pd.testing.assert_frame_equal(trials(home, challengers=twice).rows, trials(home).rows)


def test_window_without_a_session_after_the_training_gives_no_row(tmp_path: Path) -> None:
    known = MARKET.until(DAYS[1])
    settings = quick_settings(promotion={"mode": "shadow"})
    challengers = challenge(tmp_path, known, settings=settings).challengers
    fold_less = forecast(tmp_path)["folds"]
    fold_less = fold_less.assign(model_name="ridge/AAA/gone/k")
    found = run_trials(
        known.features, fold_less, challengers, quick_settings(), ModelStore(tmp_path), NOW
    )
    pd.testing.assert_frame_equal(found.rows, TRIALS.empty())
    assert reign_of(challengers).serves_after == date.fromisoformat(DAYS[1])
