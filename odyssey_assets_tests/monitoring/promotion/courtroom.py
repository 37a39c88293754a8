"""A made-up market with models of chosen skill, as the tables that a judgement looks at.

One ticker walks at random from before a window into it; a model's forecast is its outcome times the
model's skill, and noise. Names of models say what they are; their hashes are those of the models
that `courthouse` stores. Learned policies join it in `policy_bench`.
"""

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.contracts import TableContract
from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.core.windows import Window, window_of, window_starts
from odyssey_assets.features.labels import compute_labels
from odyssey_assets.forecasting.tables import CHALLENGERS, FOLDS, PREDICTIONS, TRIALS
from odyssey_assets.market_data.tables import BARS
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.monitoring.promotion.evidence import Evidence
from odyssey_assets.monitoring.promotion.judging import judge
from odyssey_assets.monitoring.promotion.occasion import Occasion
from odyssey_assets.monitoring.tables import FORECAST_QUALITY, POLICY_QUALITY
from odyssey_assets.portfolio.tables import POLICIES, POLICY_CHALLENGERS, POLICY_TRIALS
from odyssey_assets.settings import Settings, build_settings
from odyssey_assets.settings_sections import LabelSettings

TICKER = "AAPL"
WINDOW = Window(date(2024, 7, 1))
START, END = date(2023, 7, 3), date(2024, 12, 31)
HORIZON = 5
NOW = datetime(2025, 1, 2, 3, tzinfo=UTC)
STEP = 0.02
LITTLE = STEP / 10
"""Noise of a challenger: with skill it beats a constant."""
BEFORE = date(2024, 6, 28)
"""Last session before the window."""


def content_of(name: str) -> dict[str, Any]:
    """Return what the stored model called `name` is."""
    return {"model": "xgboost", "ticker": TICKER, "horizon_sessions": HORIZON, "called": name}


def sha_of(name: str) -> str:
    """Return the SHA-256 that the model called `name` has in a store of signed models."""
    return signed_sha(content_of(name), name)


def signed_sha(content: dict[str, Any], payload: str) -> str:
    """Return the SHA-256 that a stored model of this content and payload has."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(len(text).to_bytes(8, "big") + text + payload.encode()).hexdigest()


def name_of(name: str) -> str:
    """Return the name in the model store of the model called `name`."""
    return f"xgboost/{TICKER}/{name}"


def settings_of(home: Path, **promotion: Any) -> Settings:
    """Return the default settings with a quick bootstrap; `promotion` changes that section."""
    return build_settings(home=home, promotion={"bootstrap_paths": 400, **promotion})


def filled(contract: TableContract, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return rows of a table, every column that is not given filled with something legal."""
    frame = pd.DataFrame(rows)
    for column in contract.columns:
        if column.name in frame.columns:
            continue
        if column.is_nullable:
            frame[column.name] = pd.Series([None] * len(frame), dtype=column.dtype)
        elif column.type == "VARCHAR":
            frame[column.name] = column.allowed[0] if column.allowed else "-"
        elif column.type in ("DATE", "TIMESTAMP"):
            frame[column.name] = pd.Timestamp("2020-01-02")
        else:
            frame[column.name] = False if column.type == "BOOLEAN" else column.minimum or 0
    typed = {column.name: frame[column.name].astype(column.dtype) for column in contract.columns}
    return contract.conform(pd.DataFrame(typed))


@dataclass
class Courtroom:
    """The tables of one ticker; models are added to them one by one.

    Attributes:
        seed: Of prices and noise.
        evidence: The tables.
        today: Last session known.
    """

    seed: int = 0
    today: date = END
    evidence: Evidence = field(init=False)

    def __post_init__(self) -> None:
        """Let the prices walk."""
        bars = _bars(self.seed)
        self.evidence = Evidence(
            ledger=PROMOTIONS.empty(),
            challengers=CHALLENGERS.empty(),
            trials=TRIALS.empty(),
            predictions=PREDICTIONS.empty(),
            labels=compute_labels(bars, LabelSettings()),
            bars=bars,
            folds=FOLDS.empty(),
            quality=FORECAST_QUALITY.empty(),
            policies=POLICIES.empty(),
            policy_challengers=POLICY_CHALLENGERS.empty(),
            policy_trials=POLICY_TRIALS.empty(),
            policy_quality=POLICY_QUALITY.empty(),
            daily=DAILY.empty(),
        )

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """All sessions."""
        return pd.DatetimeIndex(self.evidence.bars["date"])

    def forecasts(self, name: str, skill: float, noise: float = STEP) -> pd.Series:
        """Return forecasts of every session; the same name has the same noise."""
        outcome = self.evidence.labels.set_index("date")[f"forward_return_{HORIZON}d"]
        digits = int(sha_of(name)[:8], 16)
        drawn = np.random.default_rng([self.seed, digits]).normal(0.0, noise, len(outcome))
        return skill * outcome.fillna(0.0) + drawn

    def serve(self, name: str, skill: float, *, after: date = BEFORE, noise: float = STEP) -> None:
        """Let a model fitted before the window serve its sessions; and a constant beside it."""
        window = window_of(after).shift(1)
        self._add("folds", FOLDS, [{
            "ticker": TICKER, "window": window.start, "model": "xgboost", "status": "trained",
            "horizon_sessions": HORIZON, "model_name": name_of(name),
            "model_sha256": sha_of(name), "data_sha256": sha_of(f"data of {name}"),
        }])  # fmt: skip
        for model, forecasts in (
            ("xgboost", self.forecasts(name, skill, noise)),
            ("historical_mean", self.forecasts("mean", 0.0, 0.0) + 0.001),
        ):
            rows = forecasts[
                (forecasts.index > pd.Timestamp(after))
                & (forecasts.index < pd.Timestamp(window.end))
            ]
            sha = sha_of(name) if model == "xgboost" else sha_of("mean")
            self._add("predictions", PREDICTIONS, _rows(rows, sha, after, model))

    def challenge(
        self,
        name: str,
        skill: float,
        *,
        as_of: date,
        stand_in_as_of: date | None = None,
        noise: float = LITTLE,
    ) -> None:
        """Fit a challenger as of a day, and a stand-in of the same skill, and try both."""
        self._fit(name, "challenger", as_of, as_of)
        self.try_out(name, "challenger", skill, as_of, noise)
        if stand_in_as_of is not None:
            self.add_stand_in(name, skill, as_of=stand_in_as_of, requested=as_of, noise=noise)

    def add_stand_in(
        self, name: str, skill: float, *, as_of: date, requested: date, noise: float = LITTLE
    ) -> None:
        """Fit the stand-in of a challenger and try it."""
        self._fit(f"{name}-stand-in", "stand_in", as_of, requested)
        self.try_out(f"{name}-stand-in", "stand_in", skill, as_of, noise)

    def try_out(
        self, name: str, role: str, skill: float, trained_as_of: date, noise: float = LITTLE
    ) -> None:
        """Add the forecasts of a model of the window to the trials."""
        forecasts = self.forecasts(name, skill, noise)
        is_later = forecasts.index > pd.Timestamp(max(trained_as_of, BEFORE))
        rows = _rows(forecasts[is_later], sha_of(name), trained_as_of, "xgboost")
        self._add("trials", TRIALS, [{**row, "role": role} for row in rows])

    def decay(self, name: str, day: date) -> None:
        """Let the figures of a serving model fail their check on a day."""
        self._add("quality", FORECAST_QUALITY, [{
            "ticker": TICKER, "date": day, "window": WINDOW.start, "is_sharpe_decayed": True,
            "model_sha256": sha_of(name),
        }])  # fmt: skip

    def judge(self, settings: Settings, **occasion: Any) -> pd.DataFrame:
        """Judge, add the rows to the ledger, and return them."""
        given = Occasion(**{"now": NOW, **occasion})
        rows = judge(self.evidence, self.today, given, settings)
        self.extend("ledger", rows)
        return rows

    def session_before(self, day: date, count: int) -> date:
        """Return the session `count` sessions before a session."""
        return self.sessions[self.sessions.get_loc(pd.Timestamp(day)) - count].date()

    def add(self, table: str, contract: TableContract, rows: list[dict[str, Any]]) -> None:
        """Add rows to a table, columns that are not given filled in."""
        self._add(table, contract, rows)

    def _fit(self, name: str, role: str, trained_as_of: date, requested_as_of: date) -> None:
        self._add("challengers", CHALLENGERS, [{
            "ticker": TICKER, "window": WINDOW.start, "model": "xgboost", "role": role,
            "trained_as_of": trained_as_of, "requested_as_of": requested_as_of,
            "horizon_sessions": HORIZON, "model_name": name_of(name),
            "model_sha256": sha_of(name), "data_sha256": sha_of(f"data of {name}"),
            "recorded_at": pd.Timestamp(requested_as_of),
        }])  # fmt: skip

    def _add(self, table: str, contract: TableContract, rows: list[dict[str, Any]]) -> None:
        self.extend(table, filled(contract, rows), contract)

    def extend(self, table: str, rows: pd.DataFrame, contract: TableContract = PROMOTIONS) -> None:
        """Add rows as they are."""
        together = pd.concat([getattr(self.evidence, table), rows], ignore_index=True)
        self.evidence = replace(self.evidence, **{table: contract.conform(together)})


def _bars(seed: int) -> pd.DataFrame:
    sessions = sessions_between(START, END)
    steps = np.random.default_rng(seed).normal(0.0, STEP / np.sqrt(HORIZON), (2, len(sessions)))
    close = 100.0 * np.exp(np.cumsum(steps.sum(axis=0)))
    opens = close * np.exp(-steps[1])
    rows = pd.DataFrame({"ticker": TICKER, "date": sessions, "open": opens, "close": close})
    rows["high"], rows["low"] = np.maximum(opens, close), np.minimum(opens, close)
    rows["volume"], rows["split_factor"], rows["total_return_factor"] = 1_000_000, 1.0, 1.0
    return filled(BARS, rows.to_dict("records"))


def _rows(
    forecasts: pd.Series, sha256: str, trained_as_of: date, model: str
) -> list[dict[str, Any]]:
    starts = window_starts(pd.DatetimeIndex(forecasts.index))
    return [
        {
            "ticker": TICKER, "date": day, "window": start, "model": model, "horizon": HORIZON,
            "prediction": value, "lower": value - 0.05, "upper": value + 0.05,
            "model_sha256": sha256, "trained_as_of": pd.Timestamp(trained_as_of),
        }
        for (day, value), start in zip(forecasts.items(), starts, strict=True)
    ]  # fmt: skip
