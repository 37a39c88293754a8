import math

import numpy as np

from odyssey_assets.core.forecast_scores import information_coefficient
from odyssey_assets.core.windows import parse_window
from odyssey_assets.features.catalog import MODEL_FEATURES
from odyssey_assets.forecasting.catalog import build_forecasters
from odyssey_assets.forecasting.conformal import conformal_width
from odyssey_assets.forecasting.fitting import FoldTask, fit_fold, plan_task
from odyssey_assets.forecasting.folds import plan_folds
from odyssey_assets.forecasting.history import build_histories
from odyssey_assets_tests.forecasting.small_market import fast_settings, small_market

MARKET = small_market(("AAA",))
CONFIG = fast_settings()
HISTORIES = build_histories(MARKET.features, MARKET.labels, MARKET.bars, ["AAA"], MODEL_FEATURES, 5)
HISTORY = HISTORIES["AAA"]
[FOLD] = plan_folds(HISTORY.sessions, [parse_window("2018-01-01")], CONFIG.forecasting)


def _tasks(data_sha256: str = "d" * 64) -> list[FoldTask]:
    return [
        plan_task(HISTORY, FOLD, forecaster, CONFIG.forecasting, data_sha256)
        for forecaster in build_forecasters(CONFIG)
    ]


def test_identity_names_what_decides_the_model() -> None:
    [task, *_] = _tasks()
    assert task.identity["train_end"] == "2017-06-16"
    assert task.identity["valid_start"] == "2017-07-03"
    assert task.identity["trained_as_of"] == "2017-12-29"
    assert task.identity["train_rows"] == len(FOLD.train)
    assert task.identity["configuration"]["seed"] == CONFIG.seed
    assert task.name_parts[:3] == ("xgboost", "AAA", "2018-01-01")


def test_models_of_other_data_or_kind_have_other_names() -> None:
    names = {task.name_parts for task in (*_tasks(), *_tasks("e" * 64))}
    assert len(names) == 6


def test_same_fold_in_another_role_is_another_model() -> None:
    [task, *_] = _tasks()
    again = plan_task(HISTORY, FOLD, task.forecaster, CONFIG.forecasting, "d" * 64, role="stand_in")
    assert again.name_parts[:3] == task.name_parts[:3]
    assert again.name_parts != task.name_parts


def test_content_holds_width_and_rank_correlation_of_the_validation() -> None:
    for task in _tasks():
        forecast, payload = fit_fold(HISTORIES, task)
        model = task.forecaster.load(payload)
        valid = HISTORY.sample(FOLD.valid)
        residuals = valid.target - model.predict(valid.features, valid.values)
        assert forecast.content["conformal_width"] == conformal_width(residuals, 0.9)
        said = model.predict(valid.features, valid.values)
        promised = information_coefficient(said, valid.target)
        stated = forecast.content["valid_information_coefficient"]
        assert stated == (None if math.isnan(promised) else promised)
        assert (stated is None) == (task.forecaster.name == "historical_mean")
        expected = model.predict(HISTORY.features, HISTORY.values[FOLD.test.rows])
        assert np.array_equal(forecast.prediction, expected)
        assert forecast.content["features"] == list(model.features)


def test_importance_is_cut_to_the_number_in_the_settings() -> None:
    config = fast_settings(forecasting={"importance_features": 2})
    for forecaster in build_forecasters(config):
        task = plan_task(HISTORY, FOLD, forecaster, config.forecasting, "d" * 64)
        forecast, _ = fit_fold(HISTORIES, task)
        expected = 0 if forecaster.name == "historical_mean" else 2
        assert len(forecast.content["importance"]) == expected
