"""The forecasters to choose from. Add a model as one file in `models/` and one line here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from odyssey_assets.errors import SettingsError
from odyssey_assets.forecasting.models.forecaster import Forecaster
from odyssey_assets.settings import Settings


@dataclass(frozen=True)
class ForecasterEntry:
    """One kind of model.

    Attributes:
        name: Name in settings and tables.
        description: One line for people.
        build: Makes the forecaster; imports its library only when called.
    """

    name: str
    description: str
    build: Callable[[Settings], Forecaster]


def _xgboost(settings: Settings) -> Forecaster:
    from odyssey_assets.forecasting.models.xgboost_model import XGBoostForecaster

    return XGBoostForecaster(settings.forecasting.xgboost, settings.seed)


def _historical_mean(settings: Settings) -> Forecaster:  # noqa: ARG001 (one signature for all)
    from odyssey_assets.forecasting.models.historical_mean import HistoricalMeanForecaster

    return HistoricalMeanForecaster()


def _ridge(settings: Settings) -> Forecaster:  # noqa: ARG001 (one signature for all)
    from odyssey_assets.forecasting.models.ridge import RidgeForecaster

    return RidgeForecaster()


MODELS: tuple[ForecasterEntry, ...] = (
    ForecasterEntry(
        "xgboost", "Gradient-boosted trees, selected features, early stopping.", _xgboost
    ),
    ForecasterEntry("historical_mean", "Mean of the training labels.", _historical_mean),
    ForecasterEntry("ridge", "Ridge regression on standardised features.", _ridge),
)


def build_forecasters(settings: Settings) -> tuple[Forecaster, ...]:
    """Build the models that the settings name, in their order.

    Raises:
        SettingsError: A name is not in the catalog.
    """
    entries = {entry.name: entry for entry in MODELS}
    unknown = [name for name in settings.forecasting.models if name not in entries]
    if unknown:
        raise SettingsError(
            f"forecasting.models names {unknown}; the catalog has {_listed(list(entries))}."
        )
    return tuple(entries[name].build(settings) for name in settings.forecasting.models)


def default_forecaster(settings: Settings) -> Forecaster:
    """Build the forecaster whose models are challenged, promoted and watched.

    It is the one that the policies see, where it is configured, else the first that is.

    Raises:
        SettingsError: A name is not in the catalog.
    """
    configured = build_forecasters(settings)
    seen = (one for one in configured if one.name == settings.portfolio.forecast_model)
    return next(seen, configured[0])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
