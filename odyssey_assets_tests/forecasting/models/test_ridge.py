import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from odyssey_assets.forecasting.models.forecaster import Sample
from odyssey_assets.forecasting.models.ridge import PENALTIES, RidgeForecaster

NAMES = ("a", "b", "c")


def _sample(rows: int, seed: int, noise: float = 0.01) -> Sample:
    generator = np.random.default_rng(seed)
    values = (generator.normal(size=(rows, 3)) * [1, 50, 0.01] + [0, 9, 1]).astype(np.float32)
    target = 0.02 * values[:, 0] - 0.0005 * values[:, 1] + generator.normal(0, noise, rows)
    return Sample(NAMES, values, target)


def test_model_matches_the_closed_form() -> None:
    train, valid = _sample(300, 1), _sample(50, 2)
    model = RidgeForecaster().fit(train, valid)
    values = train.values.astype(np.float64)
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    centred = train.target - train.target.mean()
    gram = scaled.T @ scaled + model.penalty * np.eye(3)
    coefficients = np.linalg.solve(gram, scaled.T @ centred)
    assert model.coefficients == pytest.approx(coefficients, rel=1e-6)
    assert model.intercept == pytest.approx(train.target.mean(), rel=1e-9)


def test_model_with_unknown_values_matches_a_scikit_learn_pipeline() -> None:
    train, valid = _sample(300, 1), _sample(50, 2)
    is_unknown = np.random.default_rng(3).random(train.values.shape) < 0.1
    train.values[is_unknown] = np.nan
    valid.values[::7, 1] = np.nan
    model = RidgeForecaster().fit(train, valid)
    scaler = StandardScaler()
    oracle = make_pipeline(
        scaler, SimpleImputer(strategy="constant", fill_value=0.0), Ridge(model.penalty)
    ).fit(train.values.astype(np.float64), train.target)
    expected = oracle.predict(valid.values.astype(np.float64))
    assert model.predict(NAMES, valid.values) == pytest.approx(expected, abs=1e-12)


def test_penalty_is_the_one_with_the_least_validation_error() -> None:
    train, valid = _sample(300, 1, noise=1e-4), _sample(50, 2, noise=1e-4)
    assert RidgeForecaster().fit(train, valid).penalty == min(PENALTIES)
    against = Sample(NAMES, valid.values, -valid.target)
    assert RidgeForecaster().fit(train, against).penalty == max(PENALTIES)


def test_shap_values_add_up_to_the_distance_from_the_intercept() -> None:
    train, valid = _sample(300, 1), _sample(1, 2)
    model = RidgeForecaster().fit(train, valid)
    forecast = model.predict(NAMES, valid.values)[0]
    signs = np.sign((valid.values[0] - model.means) / model.scales * model.coefficients)
    shap = [weight.mean_abs_shap for weight in model.importance(valid)]
    assert model.intercept + float(np.dot(signs, shap)) == pytest.approx(forecast)
