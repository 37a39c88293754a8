import numpy as np

from odyssey_assets.forecasting.models.forecaster import Sample
from odyssey_assets.forecasting.models.historical_mean import HistoricalMeanForecaster


def test_forecast_is_the_mean_training_label_and_ignores_validation() -> None:
    train = Sample(("a",), np.zeros((4, 1), np.float32), np.array([0.01, 0.02, -0.01, 0.06]))
    valid = Sample(("a",), np.ones((2, 1), np.float32), np.array([9.0, 9.0]))
    model = HistoricalMeanForecaster().fit(train, valid)
    assert np.allclose(model.predict(("a",), valid.values), [0.02, 0.02], rtol=1e-15)
    assert model.features == ()
    assert model.importance(valid) == ()
    assert model.best_iteration is None
