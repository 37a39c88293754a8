import subprocess
import sys

import pytest

from odyssey_assets.errors import SettingsError
from odyssey_assets.forecasting.catalog import MODELS, build_forecasters, default_forecaster
from odyssey_assets.settings_sections import ForecastingSettings
from odyssey_assets_tests.forecasting.small_market import fast_settings


def test_forecasters_come_in_the_order_of_the_settings() -> None:
    config = fast_settings(forecasting={"models": ("ridge", "historical_mean")})
    assert [one.name for one in build_forecasters(config)] == ["ridge", "historical_mean"]


def test_every_entry_builds_a_forecaster_of_its_name() -> None:
    names = tuple(entry.name for entry in MODELS)
    assert ForecastingSettings().models == names
    assert [one.name for one in build_forecasters(fast_settings())] == list(names)


@pytest.mark.parametrize(
    ("models", "seen", "expected"),
    [
        (("ridge", "xgboost"), "xgboost", "xgboost"),
        (("ridge", "historical_mean"), "historical_mean", "historical_mean"),
        (("ridge", "historical_mean"), "xgboost", "ridge"),
    ],
)
def test_default_forecaster_is_the_one_that_policies_see_else_the_first(
    models: tuple[str, ...], seen: str, expected: str
) -> None:
    config = fast_settings(forecasting={"models": models}, portfolio={"forecast_model": seen})
    assert default_forecaster(config).name == expected


def test_unknown_model_is_refused_with_what_there_is() -> None:
    config = fast_settings(forecasting={"models": ("xgboost", "oracle")})
    with pytest.raises(SettingsError, match=r"\['oracle'\].*xgboost, historical_mean, ridge"):
        build_forecasters(config)


def test_catalog_and_training_load_without_the_model_libraries() -> None:
    code = (
        "import sys, odyssey_assets.forecasting.catalog, odyssey_assets.forecasting.training\n"
        "print(sorted({'xgboost', 'sklearn', 'mlflow', 'matplotlib'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
