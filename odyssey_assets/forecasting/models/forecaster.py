"""What every forecaster promises, and the rows it learns from.

A forecaster is fitted inside one fold and never sees anything outside it: scalers, imputation,
feature selection and early stopping all happen in `fit`. Add one as a file in this folder and a
line in `forecasting.catalog`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Sample:
    """Rows of one ticker, oldest first.

    Attributes:
        features: Names of the columns of `values`.
        values: float32, shape (rows, features); NaN where a feature is not known.
        target: Forward return over the horizon as a fraction, float64, shape (rows,).
    """

    features: tuple[str, ...]
    values: np.ndarray
    target: np.ndarray


@dataclass(frozen=True)
class FeatureWeight:
    """How much one feature moved a model's forecasts.

    Attributes:
        feature: Name of the feature.
        gain: Mean training gain of the splits on it; 0 for a model without splits.
        mean_abs_shap: Mean absolute SHAP value over the rows asked about, in return units.
    """

    feature: str
    gain: float
    mean_abs_shap: float


class FittedForecaster(Protocol):
    """A model of one fold, able to forecast and to be stored."""

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features the model uses, in its own order."""
        ...

    @property
    def best_iteration(self) -> int | None:
        """Boosting round kept, from 0; None for a model without rounds."""
        ...

    def predict(self, features: tuple[str, ...], values: np.ndarray) -> np.ndarray:
        """Return the forecast return of each row, float64, shape (rows,).

        A row's forecast does not depend on which other rows are asked for, to the last bit.

        Args:
            features: Names of the columns of `values`; more than the model uses is fine.
            values: float32, shape (rows, features).
        """
        ...

    def importance(self, sample: Sample) -> tuple[FeatureWeight, ...]:
        """Return the weight of each feature the model uses, measured on `sample`."""
        ...

    def to_bytes(self) -> bytes:
        """Return the model in a format that holds data only, never code."""
        ...


class Forecaster(Protocol):
    """A way to learn forecasts from one fold."""

    @property
    def name(self) -> str:
        """Name in the catalog and in every table."""
        ...

    @property
    def relative_cost(self) -> float:
        """Seconds of a fit beside those of other kinds; decides only which fits start first."""
        ...

    @property
    def configuration(self) -> Mapping[str, object]:
        """Everything that decides the fit besides the data, JSON-like: hyperparameters, seed."""
        ...

    def fit(self, train: Sample, valid: Sample) -> FittedForecaster:
        """Learn from `train`, choosing what must be chosen on `valid`.

        The same samples and configuration give the same bytes.
        """
        ...

    def load(self, payload: bytes) -> FittedForecaster:
        """Return the model that `to_bytes` wrote; its forecasts are the same to the last bit.

        Raises:
            ModelError: The payload is no model of this kind.
        """
        ...


def columns_of(
    wanted: tuple[str, ...], features: tuple[str, ...], values: np.ndarray
) -> np.ndarray:
    """Return the columns of `values` called `wanted`, in that order, as contiguous rows."""
    positions = [features.index(name) for name in wanted]
    return np.ascontiguousarray(values[:, positions])
