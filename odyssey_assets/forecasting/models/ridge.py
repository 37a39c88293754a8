"""The linear baseline: ridge regression on standardised features.

Scaling, imputation and the penalty are all learned inside the fold: means and scales from its
training sessions, an unknown value counts as the mean, and the penalty is the one of `PENALTIES`
with the least validation error.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from odyssey_assets.errors import ModelError
from odyssey_assets.forecasting.models.forecaster import FeatureWeight, Sample, columns_of

NAME = "ridge"
PENALTIES = (10_000.0, 1_000.0, 100.0)


@dataclass(frozen=True)
class RidgeForecaster:
    """Linear regression with a quadratic penalty on standardised coefficients."""

    name: str = field(default=NAME, init=False)
    relative_cost: float = field(default=10.0, init=False)

    @property
    def configuration(self) -> Mapping[str, object]:
        """The penalties tried."""
        return {"penalties": PENALTIES}

    def fit(self, train: Sample, valid: Sample) -> "RidgeModel":
        """Fit one ridge a penalty and keep the best on `valid`; the larger penalty wins a tie."""
        values = train.values.astype(np.float64)
        # A feature that training never knew tells nothing: it counts as 0 everywhere.
        scaler = StandardScaler().fit(np.where(np.isnan(values).all(axis=0), 0.0, values))
        means, scales = scaler.mean_, scaler.scale_
        standardised = _standardised(train.values, means, scales)
        candidates = []
        for penalty in PENALTIES:
            ridge = Ridge(penalty, solver="cholesky").fit(standardised, train.target)
            candidates.append(
                RidgeModel(
                    features=train.features,
                    means=tuple(means.tolist()),
                    scales=tuple(scales.tolist()),
                    coefficients=tuple(ridge.coef_.tolist()),
                    intercept=float(ridge.intercept_),
                    penalty=penalty,
                )
            )
        errors = [
            float(np.mean((model.predict(valid.features, valid.values) - valid.target) ** 2))
            for model in candidates
        ]
        return candidates[int(np.argmin(errors))]

    def load(self, payload: bytes) -> "RidgeModel":
        """Return the model that the JSON in `payload` holds."""
        try:
            content = json.loads(payload)
            return RidgeModel(
                features=tuple(content["features"]),
                means=tuple(content["means"]),
                scales=tuple(content["scales"]),
                coefficients=tuple(content["coefficients"]),
                intercept=float(content["intercept"]),
                penalty=float(content["penalty"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"The payload of {len(payload)} bytes is no ridge model: {error!r}. "
                "Delete the model; the next run fits it anew."
            ) from error


@dataclass(frozen=True)
class RidgeModel:
    """A linear forecast and the preparation it was fitted with.

    Attributes:
        features: Names of the features.
        means: Subtracted from each feature; what an unknown value counts as.
        scales: What each centred feature is divided by.
        coefficients: Return per standard deviation of each feature.
        intercept: Forecast at the mean of all features, fraction.
        penalty: The penalty chosen on the validation sessions.
    """

    features: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float
    penalty: float

    @property
    def best_iteration(self) -> int | None:
        """None: there are no rounds."""
        return None

    def predict(self, features: tuple[str, ...], values: np.ndarray) -> np.ndarray:
        """Return the forecast return of each row, float64."""
        # Summed row by row: a matrix product may round a row differently beside other rows.
        contributions = self._contributions(features, values)
        return np.array([self.intercept + row.sum() for row in contributions], dtype=np.float64)

    def importance(self, sample: Sample) -> tuple[FeatureWeight, ...]:
        """Return the mean absolute SHAP value of each feature; a linear model has no gain.

        For a linear model and independent features the SHAP value is coefficient times distance
        from the mean (Lundberg and Lee, 2017, corollary 1).
        """
        shap = np.abs(self._contributions(sample.features, sample.values)).mean(axis=0)
        return tuple(
            FeatureWeight(name, 0.0, float(weight))
            for name, weight in zip(self.features, shap, strict=True)
        )

    def to_bytes(self) -> bytes:
        """Return the model as JSON; its numbers read back to the same bits."""
        return json.dumps(vars(self)).encode()

    def _contributions(self, features: tuple[str, ...], values: np.ndarray) -> np.ndarray:
        selected = columns_of(self.features, features, values)
        return (
            _standardised(selected, np.array(self.means), np.array(self.scales)) * self.coefficients
        )


def _standardised(values: np.ndarray, means: np.ndarray, scales: np.ndarray) -> np.ndarray:
    return np.nan_to_num((values.astype(np.float64) - means) / scales)
