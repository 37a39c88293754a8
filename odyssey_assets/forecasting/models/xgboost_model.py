"""Gradient-boosted trees: the default forecaster.

Each fold is fitted twice: a short fit on all features ranks them by total training gain, and the
early-stopped fit uses the best of them. Histograms have few bins and one thread serves a fit,
because the cost of small fits follows bins times nodes and not rows; folds run side by side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import xgboost as xgb

from odyssey_assets.errors import ModelError
from odyssey_assets.forecasting.models.forecaster import FeatureWeight, Sample, columns_of
from odyssey_assets.settings_sections import XGBoostSettings

NAME = "xgboost"
_UBJSON_OBJECT = b"{"


@dataclass(frozen=True)
class XGBoostForecaster:
    """Squared-error regression trees with feature selection and early stopping in the fold."""

    settings: XGBoostSettings
    seed: int
    name: str = field(default=NAME, init=False)
    relative_cost: float = field(default=100.0, init=False)

    @property
    def configuration(self) -> Mapping[str, object]:
        """Hyperparameters and seed."""
        return {**self.settings.model_dump(), "seed": self.seed}

    def fit(self, train: Sample, valid: Sample) -> "XGBoostModel":
        """Select features by training gain, then boost until `valid` stops improving.

        The model is cut at its best round, so what is stored is what forecasts.
        """
        selected = self._select(train)
        training = self._matrix(train, selected)
        booster = xgb.train(
            self._parameters,
            training,
            self.settings.max_rounds,
            evals=[(self._matrix(valid, selected, training), "valid")],
            early_stopping_rounds=self.settings.early_stopping_rounds,
            verbose_eval=False,
        )
        best = booster[: booster.best_iteration + 1]
        best.feature_names = list(selected)
        return XGBoostModel(best)

    def load(self, payload: bytes) -> "XGBoostModel":
        """Return the model that the UBJSON in `payload` holds."""
        # An empty payload would make XGBoost end the process instead of raising.
        if not payload.startswith(_UBJSON_OBJECT):
            raise ModelError(_no_model(payload, f"it begins with {payload[:8]!r}"))
        try:
            booster = xgb.Booster({"nthread": 1}, model_file=bytearray(payload))
        except xgb.core.XGBoostError as error:
            raise ModelError(_no_model(payload, str(error).splitlines()[0])) from error
        return XGBoostModel(booster)

    @property
    def _parameters(self) -> dict[str, object]:
        return {
            "objective": "reg:squarederror",
            "eval_metric": "rmse",
            "tree_method": "hist",
            "learning_rate": self.settings.learning_rate,
            "max_depth": self.settings.max_depth,
            "max_bin": self.settings.max_bin,
            "seed": self.seed,
            "nthread": 1,
        }

    def _matrix(
        self,
        sample: Sample,
        features: tuple[str, ...],
        reference: xgb.QuantileDMatrix | None = None,
    ) -> xgb.QuantileDMatrix:
        # Without names: XGBoost compares those of the matrix and the booster before every round.
        return xgb.QuantileDMatrix(
            columns_of(features, sample.features, sample.values),
            label=sample.target,
            max_bin=self.settings.max_bin,
            ref=reference,
            nthread=1,
        )

    def _select(self, train: Sample) -> tuple[str, ...]:
        if len(train.features) <= self.settings.selected_features:
            return train.features
        matrix = self._matrix(train, train.features)
        # Shallow trees: ranking features takes no deep interactions, and over all features these
        # rounds are the dearest of the fold.
        shallow = {**self._parameters, "max_depth": self.settings.selection_depth}
        booster = xgb.train(shallow, matrix, self.settings.selection_rounds)
        booster.feature_names = list(train.features)
        gain = _gain(booster, "total_gain")
        ranked = sorted(train.features, key=lambda name: (-gain.get(name, 0.0), name))
        kept = set(ranked[: self.settings.selected_features])
        return tuple(name for name in train.features if name in kept)


@dataclass(frozen=True)
class XGBoostModel:
    """A booster cut at its best round; it carries the names of its features."""

    booster: xgb.Booster

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the selected features."""
        return tuple(self.booster.feature_names or ())

    @property
    def best_iteration(self) -> int:
        """Round with the least validation error, from 0."""
        return int(self.booster.num_boosted_rounds()) - 1

    def predict(self, features: tuple[str, ...], values: np.ndarray) -> np.ndarray:
        """Return the forecast return of each row, float64."""
        selected = columns_of(self.features, features, values)
        predictions = self.booster.inplace_predict(selected, validate_features=False)
        return np.asarray(predictions, dtype=np.float64)

    def importance(self, sample: Sample) -> tuple[FeatureWeight, ...]:
        """Return mean gain and mean absolute SHAP value of each selected feature.

        SHAP values are exact for trees (Lundberg et al., 2020, Nature Machine Intelligence 2),
        computed by XGBoost's `pred_contribs`.
        """
        matrix = xgb.DMatrix(
            columns_of(self.features, sample.features, sample.values),
            feature_names=list(self.features),
            nthread=1,
        )
        contributions = self.booster.predict(matrix, pred_contribs=True)[:, :-1]
        shap = np.abs(contributions.astype(np.float64)).mean(axis=0)
        gain = _gain(self.booster, "gain")
        return tuple(
            FeatureWeight(name, gain.get(name, 0.0), float(weight))
            for name, weight in zip(self.features, shap, strict=True)
        )

    def to_bytes(self) -> bytes:
        """Return the booster as UBJSON."""
        return bytes(self.booster.save_raw("ubj"))


def _gain(booster: xgb.Booster, kind: Literal["gain", "total_gain"]) -> dict[str, float]:
    return {
        str(name): float(np.sum(value))
        for name, value in booster.get_score(importance_type=kind).items()
    }


def _no_model(payload: bytes, why: str) -> str:
    return (
        f"The payload of {len(payload)} bytes is no XGBoost model in UBJSON: {why}. Delete the "
        "model; the next run fits it anew."
    )
