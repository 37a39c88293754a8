"""The baseline that every forecaster must beat: the mean of the training labels.

Its forecast is one constant a fold, so its information coefficient does not exist.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from odyssey_assets.errors import ModelError
from odyssey_assets.forecasting.models.forecaster import FeatureWeight, Sample

NAME = "historical_mean"


@dataclass(frozen=True)
class HistoricalMeanForecaster:
    """Forecasts what happened on average before."""

    name: str = field(default=NAME, init=False)
    relative_cost: float = field(default=0.1, init=False)

    @property
    def configuration(self) -> Mapping[str, object]:
        """Nothing can be tuned."""
        return {}

    def fit(self, train: Sample, valid: Sample) -> "HistoricalMeanModel":  # noqa: ARG002 (contract)
        """Take the mean of the training labels; `valid` is not used."""
        return HistoricalMeanModel(float(np.mean(train.target)))

    def load(self, payload: bytes) -> "HistoricalMeanModel":
        """Return the model that the JSON in `payload` holds."""
        try:
            return HistoricalMeanModel(float(json.loads(payload)["mean_return"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"The payload of {len(payload)} bytes is no historical mean: {error!r}. "
                "Delete the model; the next run fits it anew."
            ) from error


@dataclass(frozen=True)
class HistoricalMeanModel:
    """A constant forecast.

    Attributes:
        mean_return: Mean label of the training sessions, fraction over the horizon.
    """

    mean_return: float
    features: tuple[str, ...] = field(default=(), init=False)
    best_iteration: int | None = field(default=None, init=False)

    def predict(self, features: tuple[str, ...], values: np.ndarray) -> np.ndarray:  # noqa: ARG002 (contract)
        """Return the constant once a row."""
        return np.full(len(values), self.mean_return)

    def importance(self, sample: Sample) -> tuple[FeatureWeight, ...]:  # noqa: ARG002 (contract)
        """Return nothing: no feature is used."""
        return ()

    def to_bytes(self) -> bytes:
        """Return the constant as JSON; it reads back to the same bits."""
        return json.dumps({"mean_return": self.mean_return}).encode()
