import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from odyssey_assets.portfolio.observations import (
    CLIP,
    fit_forecast_scale,
    observation_scale,
    raw_observation,
    scaled_observation,
    wanted_weights,
)

FORECASTS = st.one_of(st.floats(-1.0, 1.0), st.just(float("nan")))


def test_forecast_scale_is_the_root_mean_square_of_each_ticker() -> None:
    forecasts = np.array([[0.03, -0.1], [0.04, 0.1], [np.nan, 0.1]])
    expected = [np.sqrt((0.03**2 + 0.04**2) / 2), 0.1]
    np.testing.assert_allclose(fit_forecast_scale(forecasts), expected, rtol=1e-15)


def test_forecast_scale_of_equal_forecasts_brings_them_to_one() -> None:
    scale = fit_forecast_scale(np.full((5, 2), -0.02))
    np.testing.assert_allclose(-0.02 / scale, -1.0)


def test_forecast_scale_of_a_ticker_without_forecasts_is_that_of_all() -> None:
    forecasts = np.array([[0.01, np.nan, 0.0], [0.03, np.nan, 0.0]])
    pooled = np.sqrt((0.01**2 + 0.03**2) / 4)
    np.testing.assert_allclose(fit_forecast_scale(forecasts)[1:], pooled)


@pytest.mark.parametrize("forecast", [np.nan, 0.0, 1e-12])
def test_forecast_scale_without_anything_to_scale_is_one(forecast: float) -> None:
    assert fit_forecast_scale(np.full((3, 2), forecast)).tolist() == [1.0, 1.0]
    assert fit_forecast_scale(np.full((0, 2), forecast)).tolist() == [1.0, 1.0]


@given(arrays(np.float64, (6, 3), elements=FORECASTS))
def test_forecast_scale_is_always_positive_and_finite(forecasts: np.ndarray) -> None:
    scale = fit_forecast_scale(forecasts)
    assert np.isfinite(scale).all()
    assert (scale > 0).all()


def test_raw_observation_shows_forecasts_then_weights_and_zero_for_no_forecast() -> None:
    raw = raw_observation(np.array([0.01, np.nan]), np.array([0.2, 0.1]))
    assert raw.dtype == np.float32
    np.testing.assert_array_equal(raw, np.array([0.01, 0.0, 0.2, 0.1], dtype=np.float32))


def test_scaled_observation_divides_forecasts_by_scale_and_weights_by_their_cap() -> None:
    scale = observation_scale(np.array([0.01, 0.02]), 0.2)
    raw = raw_observation(np.array([0.02, -0.02]), np.array([0.2, 0.05]))
    np.testing.assert_allclose(scaled_observation(raw, scale), [2.0, -1.0, 1.0, 0.25], rtol=1e-6)


def test_scaled_observation_of_an_outlier_is_clipped() -> None:
    scale = observation_scale(np.array([0.01, 0.01]), 0.2)
    seen = scaled_observation(raw_observation(np.array([9.0, -9.0]), np.zeros(2)), scale)
    np.testing.assert_array_equal(seen[:2], [CLIP, -CLIP])


@given(
    forecast=arrays(np.float64, (4, 3), elements=FORECASTS),
    held=arrays(np.float64, (4, 3), elements=st.floats(0.0, 0.3)),
    scale=arrays(np.float64, 3, elements=st.floats(1e-3, 1.0)),
)
@settings(max_examples=50)
def test_observation_of_many_portfolios_equals_each_alone(
    forecast: np.ndarray, held: np.ndarray, scale: np.ndarray
) -> None:
    divisors = observation_scale(scale, 0.2)
    together = scaled_observation(raw_observation(forecast, held), divisors)
    alone = [
        scaled_observation(raw_observation(*row), divisors)
        for row in zip(forecast, held, strict=True)
    ]
    assert together.dtype == np.float32
    assert together.tobytes() == np.stack(alone).tobytes()


def test_wanted_weights_add_the_action_as_a_share_of_the_cap() -> None:
    held, action = np.array([0.1, 0.1, 0.1]), np.array([0.5, -1.0, 3.0], dtype=np.float32)
    np.testing.assert_allclose(wanted_weights(held, action, 0.2), [0.2, -0.1, 0.3])
