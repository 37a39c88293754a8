"""What a training call leaves in the experiment tracker: one run a ticker, one step a model.

A call that fits nothing leaves nothing. How a tracker stores runs belongs to
`infrastructure.tracking`.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict
from types import TracebackType
from typing import Self

import pandas as pd

from odyssey_assets.core.collaborators import Tracker
from odyssey_assets.core.hashing import hash_mapping
from odyssey_assets.forecasting.tabulation import DoneFold
from odyssey_assets.settings import Settings


class RunLog:
    """Opens a ticker's run at its first fit and closes all runs at the end of the call.

    Used as a context manager: an exception inside closes the open runs as failed, with what was
    fitted before it.
    """

    def __init__(self, tracker: Tracker | None, settings: Settings, bars: pd.DataFrame) -> None:
        self._tracker = tracker
        self._settings = settings
        self._simulated = set(bars.loc[bars["is_simulated"], "ticker"].unique())
        self._run_ids: dict[str, str] = {}
        self._fitted: dict[str, list[DoneFold]] = {}

    def run_id(self, ticker: str) -> str | None:
        """Return the run of `ticker`, opening it if needed; None where nothing is tracked."""
        if self._tracker is None:
            return None
        if ticker not in self._run_ids:
            tags = {
                "ticker": ticker,
                "source": self._settings.source,
                "simulated": str(ticker in self._simulated).lower(),
            }
            self._run_ids[ticker] = self._tracker.start_run(ticker, tags)
        return self._run_ids[ticker]

    def add(self, fold: DoneFold) -> None:
        """Take in a fold that has just been fitted."""
        self._fitted.setdefault(fold.history.ticker, []).append(fold)

    def __enter__(self) -> Self:
        """Return the log."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Record and close every open run, as failed if the call failed."""
        if self._tracker is None:
            return
        for ticker, run_id in self._run_ids.items():
            folds = sorted(self._fitted.get(ticker, []), key=lambda one: one.model_name)
            self._tracker.finish_run(
                run_id, self._parameters(folds), self._metrics(folds), is_complete=kind is None
            )

    def _parameters(self, folds: list[DoneFold]) -> dict[str, object]:
        configurations = {
            f"{one.content['model']}.{name}": value
            for one in folds
            for name, value in one.content["configuration"].items()
        }
        learned = {"/".join(one.model_name): one.content["data_sha256"] for one in folds}
        return {
            "folds": len({one.fold.window for one in folds}),
            "data_sha256": hash_mapping(learned),
            **self._settings.forecasting.model_dump(exclude={"xgboost", "models"}),
            **configurations,
        }

    def _metrics(self, folds: list[DoneFold]) -> Iterator[tuple[str, float, int]]:
        costs = self._settings.costs.proportional
        for one in folds:
            step, kind = _step(one), one.content["model"]
            if one.content["role"] != "fold":
                kind = f"{kind}.{one.content['role']}"
            figures = {**asdict(one.scores(costs)), "train_rows": one.content["train_rows"]}
            if one.content["best_iteration"] is not None:
                figures["best_iteration"] = one.content["best_iteration"]
            for name, value in figures.items():
                if not math.isnan(value):
                    yield f"{kind}.{name}", float(value), step


def _step(one: DoneFold) -> int:
    """Return the month of a window's own model, the day up to which any other learned."""
    if one.content["role"] == "fold":
        return int(one.fold.window.start.strftime("%Y%m"))
    return int(str(one.content["trained_as_of"]).replace("-", ""))
