"""Models are made once, and an altered file neither forecasts nor stops the others."""

import json
from pathlib import Path

import numpy as np
import pytest

from odyssey_assets.core.made_anew import MADE_ANEW
from odyssey_assets.core.windows import parse_window
from odyssey_assets.errors import ModelError
from odyssey_assets.features.catalog import MODEL_FEATURES
from odyssey_assets.forecasting.catalog import build_forecasters
from odyssey_assets.forecasting.fitting import FoldTask, plan_task
from odyssey_assets.forecasting.folds import plan_folds
from odyssey_assets.forecasting.history import build_histories
from odyssey_assets.forecasting.making import make_models
from odyssey_assets.forecasting.run_log import RunLog
from odyssey_assets.forecasting.tabulation import DoneFold
from odyssey_assets.infrastructure.model_store import PAYLOAD, ModelStore
from odyssey_assets_tests.forecasting.small_market import fast_settings, small_market

MARKET = small_market(("AAA",))
CONFIG = fast_settings(forecasting={"models": ("ridge", "historical_mean")})
HISTORIES = build_histories(MARKET.features, MARKET.labels, MARKET.bars, ["AAA"], MODEL_FEATURES, 5)
HISTORY = HISTORIES["AAA"]
[FOLD] = plan_folds(HISTORY.sessions, [parse_window("2018-01-01")], CONFIG.forecasting)


def tasks() -> list[FoldTask]:
    return [
        plan_task(HISTORY, FOLD, forecaster, CONFIG.forecasting, "d" * 64)
        for forecaster in build_forecasters(CONFIG)
    ]


def make(folder: Path) -> tuple[dict[str, DoneFold], list[int]]:
    """Return the models by kind, and how many were fitted."""
    fitted: list[int] = []
    with RunLog(None, CONFIG, MARKET.bars) as log:
        done = make_models(
            tasks(), HISTORIES, 1, ModelStore(folder), log, lambda count, _: fitted.append(count)
        )
    return {str(one.content["model"]): one for one in done}, fitted


def alter(folder: Path, model: str, name: str = "*") -> None:
    [payload] = (folder / model).rglob(f"{name}/{PAYLOAD}")
    changed = json.loads(payload.read_bytes())
    changed["intercept"] = 0.5
    payload.write_bytes(json.dumps(changed).encode())


def test_second_call_fits_nothing_and_says_the_same(tmp_path: Path) -> None:
    first, fitted = make(tmp_path)
    second, again = make(tmp_path)
    assert fitted == [1, 2]
    assert again == []
    for model, one in first.items():
        assert one.model_name == second[model].model_name
        assert one.model_sha256 == second[model].model_sha256
        assert np.array_equal(one.forecast.prediction, second[model].forecast.prediction)


def test_altered_model_never_forecasts_and_the_same_one_is_made_anew_beside_it(
    tmp_path: Path,
) -> None:
    before, _ = make(tmp_path)
    alter(tmp_path, "ridge")
    mended, fitted = make(tmp_path)
    assert fitted == [1]
    one, two = before["ridge"], mended["ridge"]
    assert two.model_name == (*one.model_name[:-1], one.model_name[-1] + MADE_ANEW)
    assert two.model_sha256 == one.model_sha256
    assert np.array_equal(two.forecast.prediction, one.forecast.prediction)
    assert mended["historical_mean"].model_name == before["historical_mean"].model_name
    with pytest.raises(ModelError, match="does not carry this home's signature"):
        ModelStore(tmp_path).load(one.model_name)
    assert make(tmp_path)[1] == []


def test_altered_folder_that_is_deleted_gives_the_first_name_back(tmp_path: Path) -> None:
    before, _ = make(tmp_path)
    alter(tmp_path, "ridge")
    make(tmp_path)
    ModelStore(tmp_path).remove(before["ridge"].model_name)
    after, fitted = make(tmp_path)
    assert fitted == [1]
    assert after["ridge"].model_name == before["ridge"].model_name


def test_model_that_is_altered_a_second_time_stops_the_step(tmp_path: Path) -> None:
    make(tmp_path)
    alter(tmp_path, "ridge")
    make(tmp_path)
    alter(tmp_path, "ridge", f"*{MADE_ANEW}")
    with pytest.raises(ModelError, match=f"{MADE_ANEW} does not carry this home's signature"):
        make(tmp_path)


def test_missing_model_is_made_again_bit_by_bit(tmp_path: Path) -> None:
    before, _ = make(tmp_path)
    ModelStore(tmp_path).remove(before["ridge"].model_name)
    after, fitted = make(tmp_path)
    assert fitted == [1]
    assert after["ridge"].model_sha256 == before["ridge"].model_sha256
