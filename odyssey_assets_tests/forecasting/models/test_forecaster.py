"""What every entry of the catalog must keep to."""

import numpy as np
import pytest

from odyssey_assets.errors import ModelError
from odyssey_assets.forecasting.catalog import MODELS, ForecasterEntry
from odyssey_assets.forecasting.models.forecaster import Forecaster, Sample, columns_of
from odyssey_assets_tests.forecasting.small_market import fast_settings

NAMES = tuple(f"f{number:02d}" for number in range(12))


def _sample(rows: int, seed: int, nan_share: float = 0.05) -> Sample:
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(rows, len(NAMES))).astype(np.float32)
    target = 0.001 + 0.02 * values[:, 3] + generator.normal(0, 0.01, rows)
    values[generator.random(values.shape) < nan_share] = np.nan
    values[:, 7] = np.nan  # a feature that is never known
    return Sample(NAMES, values, target)


TRAIN, VALID, TEST = _sample(400, 1), _sample(100, 2), _sample(60, 3)


@pytest.fixture(params=MODELS, ids=lambda entry: entry.name)
def forecaster(request: pytest.FixtureRequest) -> Forecaster:
    entry: ForecasterEntry = request.param
    return entry.build(fast_settings())


def test_fit_on_the_same_samples_gives_the_same_bytes(forecaster: Forecaster) -> None:
    one, two = forecaster.fit(TRAIN, VALID), forecaster.fit(TRAIN, VALID)
    assert one.to_bytes() == two.to_bytes()


def test_loaded_model_forecasts_the_same_bits(forecaster: Forecaster) -> None:
    model = forecaster.fit(TRAIN, VALID)
    loaded = forecaster.load(model.to_bytes())
    assert loaded.features == model.features
    assert loaded.best_iteration == model.best_iteration
    expected = model.predict(NAMES, TEST.values)
    assert np.array_equal(loaded.predict(NAMES, TEST.values), expected)
    assert loaded.to_bytes() == model.to_bytes()


def test_forecast_of_a_row_does_not_depend_on_the_rows_beside_it(forecaster: Forecaster) -> None:
    model = forecaster.fit(TRAIN, VALID)
    together = model.predict(NAMES, TEST.values)
    for rows in (slice(0, 1), slice(5, 6), slice(1, 18), slice(59, 60)):
        assert np.array_equal(model.predict(NAMES, TEST.values[rows]), together[rows])


def test_features_are_found_by_name_wherever_they_stand(forecaster: Forecaster) -> None:
    model = forecaster.fit(TRAIN, VALID)
    names = ("other", *NAMES[::-1])
    values = np.column_stack([np.ones(60, np.float32), TEST.values[:, ::-1]])
    expected = model.predict(NAMES, TEST.values)
    assert np.array_equal(model.predict(names, values), expected)


def test_row_without_any_known_feature_gets_a_finite_forecast(forecaster: Forecaster) -> None:
    model = forecaster.fit(TRAIN, VALID)
    unknown = np.full((2, len(NAMES)), np.nan, dtype=np.float32)
    predictions = model.predict(NAMES, unknown)
    assert predictions.dtype == np.float64
    assert np.isfinite(predictions).all()


def test_importance_names_used_features_with_weights_of_at_least_zero(
    forecaster: Forecaster,
) -> None:
    model = forecaster.fit(TRAIN, VALID)
    weights = model.importance(VALID)
    assert tuple(weight.feature for weight in weights) == model.features
    assert all(weight.gain >= 0 and weight.mean_abs_shap >= 0 for weight in weights)


def test_damaged_payload_is_refused(forecaster: Forecaster) -> None:
    for payload in (b"", b"\x80\x04pickle?", b'{"learner": 3}', b"[]"):
        with pytest.raises(ModelError, match=f"payload of {len(payload)} bytes is no"):
            forecaster.load(payload)


def test_columns_are_returned_in_the_wanted_order() -> None:
    values = np.array([[1, 2, 3]], dtype=np.float32)
    assert columns_of(("c", "a"), ("a", "b", "c"), values).tolist() == [[3, 1]]
