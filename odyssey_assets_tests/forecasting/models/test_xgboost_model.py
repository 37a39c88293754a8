import numpy as np
import pytest
import xgboost as xgb

from odyssey_assets.forecasting.models.forecaster import Sample
from odyssey_assets.forecasting.models.xgboost_model import XGBoostForecaster
from odyssey_assets.settings_sections import XGBoostSettings

NAMES = tuple(f"f{number:02d}" for number in range(20))
FORECASTER = XGBoostForecaster(
    XGBoostSettings(
        learning_rate=0.2,
        max_depth=3,
        max_rounds=200,
        early_stopping_rounds=5,
        selected_features=4,
        selection_rounds=5,
    ),
    seed=42,
)


def _sample(rows: int, seed: int) -> Sample:
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(rows, len(NAMES))).astype(np.float32)
    signal = 0.03 * values[:, 11] + 0.02 * (values[:, 2] > 0)
    return Sample(NAMES, values, signal + generator.normal(0, 0.01, rows))


TRAIN, VALID = _sample(600, 1), _sample(150, 2)
MODEL = FORECASTER.fit(TRAIN, VALID)


def _squared_error(booster: xgb.Booster, rounds: int) -> float:
    predictions = booster[:rounds].inplace_predict(
        VALID.values[:, [NAMES.index(name) for name in MODEL.features]], validate_features=False
    )
    return float(np.mean((predictions - VALID.target) ** 2))


def test_selection_keeps_the_features_that_matter_in_stored_order() -> None:
    assert len(MODEL.features) == 4
    assert {"f02", "f11"} <= set(MODEL.features)
    assert list(MODEL.features) == sorted(MODEL.features)


def test_fewer_features_than_the_limit_are_all_kept() -> None:
    few = [Sample(NAMES[:3], one.values[:, :3], one.target) for one in (TRAIN, VALID)]
    assert FORECASTER.fit(*few).features == NAMES[:3]


def test_selection_without_any_gain_takes_the_first_names() -> None:
    flat = [Sample(NAMES, np.zeros_like(one.values), one.target) for one in (TRAIN, VALID)]
    assert FORECASTER.fit(*flat).features == NAMES[:4]


def test_selection_does_not_look_at_the_validation_rows() -> None:
    other = Sample(NAMES, VALID.values, -VALID.target)
    assert FORECASTER.fit(TRAIN, other).features == MODEL.features


def test_model_is_cut_where_the_validation_error_is_least() -> None:
    rounds = MODEL.booster.num_boosted_rounds()
    assert rounds == MODEL.best_iteration + 1
    errors = [_squared_error(MODEL.booster, count) for count in range(1, rounds + 1)]
    assert int(np.argmin(errors)) == MODEL.best_iteration
    assert 0 < MODEL.best_iteration < 199


def test_model_matches_the_scikit_learn_interface_on_the_selected_features() -> None:
    positions = [NAMES.index(name) for name in MODEL.features]
    oracle = xgb.XGBRegressor(
        n_estimators=200,
        learning_rate=0.2,
        max_depth=3,
        max_bin=64,
        early_stopping_rounds=5,
        random_state=42,
        n_jobs=1,
    ).fit(
        TRAIN.values[:, positions],
        TRAIN.target,
        eval_set=[(VALID.values[:, positions], VALID.target)],
        verbose=False,
    )
    assert oracle.best_iteration == MODEL.best_iteration
    expected = oracle.predict(VALID.values[:, positions])
    assert MODEL.predict(NAMES, VALID.values) == pytest.approx(expected, abs=1e-7)


def test_shap_values_add_up_to_the_forecast() -> None:
    positions = [NAMES.index(name) for name in MODEL.features]
    matrix = xgb.DMatrix(VALID.values[:, positions], feature_names=list(MODEL.features))
    contributions = MODEL.booster.predict(matrix, pred_contribs=True)
    expected = MODEL.predict(NAMES, VALID.values)
    assert contributions.sum(axis=1) == pytest.approx(expected, abs=1e-6)
    weights = {weight.feature: weight for weight in MODEL.importance(VALID)}
    for at, name in enumerate(MODEL.features):
        shap = np.abs(contributions[:, at]).mean()
        assert weights[name].mean_abs_shap == pytest.approx(shap, rel=1e-5)
    assert weights["f11"].gain == pytest.approx(
        MODEL.booster.get_score(importance_type="gain")["f11"]
    )


def test_payload_is_ubjson_that_xgboost_itself_reads() -> None:
    booster = xgb.Booster(model_file=bytearray(MODEL.to_bytes()))
    assert tuple(booster.feature_names or ()) == MODEL.features
    assert MODEL.to_bytes()[:1] == b"{"
