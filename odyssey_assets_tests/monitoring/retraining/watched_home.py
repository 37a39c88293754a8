"""A home whose checks fail on demand, its instance, and sensors that look at them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from odyssey_assets.infrastructure.home import Home, remember_universe
from odyssey_assets.infrastructure.partitions import PartitionGrid, build_grid
from odyssey_assets.infrastructure.refresh import REFRESH_MARKET, RETRAIN
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import RETRAINING_EVENTS
from odyssey_assets.monitoring.retraining.automation import RequestedJobs, retraining_sensors
from odyssey_assets.monitoring.retraining.findings import Cause
from odyssey_assets.monitoring.retraining.settling.automation import settling_sensor
from odyssey_assets.settings import Settings
from odyssey_assets_tests.monitoring.retraining.found_events import (
    ASSETS,
    KNOWN,
    POLICY_QUALITY_CHECK,
    failure,
    policy_failure,
)

ANYTHING = dg.Permissive()  # type: ignore[no-untyped-call]  # of Dagster
TICKERS = ("AAPL", "HYG", "INTC", "SPY")
JOBS = RequestedJobs(dg.define_asset_job(REFRESH_MARKET), dg.define_asset_job(RETRAIN))


def job_of(name: str, *, fails: bool = False) -> dg.JobDefinition:
    """Return a job that does nothing, or fails, whatever its configuration."""

    @dg.op(config_schema=ANYTHING)
    def fit_challengers() -> None:
        if fails:
            raise RuntimeError("The disk is full.")

    @dg.op(config_schema=ANYTHING, ins={"after": dg.In(dg.Nothing)})
    def train_policy_challengers() -> None:
        """Train nothing."""

    @dg.op(config_schema=ANYTHING, ins={"after": dg.In(dg.Nothing)})
    def judge() -> None:
        """Decide nothing."""

    @dg.job(name=name)
    def job() -> None:
        judge(train_policy_challengers(fit_challengers()))

    return job


@dataclass(frozen=True)
class WatchedHome:
    """A home, its universe, and its instance."""

    settings: Settings
    instance: dg.DagsterInstance

    @property
    def grid(self) -> PartitionGrid:
        return build_grid(self.settings)

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(Home(self.settings.home), self.settings.warehouse)

    @property
    def ledger(self) -> pd.DataFrame:
        return self.warehouse.read(RETRAINING_EVENTS)

    def states(self) -> list[tuple[str, str, str]]:
        """Return ticker, state and outcome of every entry, in order."""
        rows = self.ledger.fillna({"outcome": ""}).sort_values(["ticker", "recorded_at"])
        return list(zip(rows["ticker"], rows["state"], rows["outcome"], strict=True))

    def check(self, cause: Cause, *tickers: str | None, **changes: Any) -> None:
        """Run the check of a cause; it fails for the tickers, and passes without any."""
        severity = "ERROR" if cause == "data_quality" else "WARN"
        self.evaluate(*ASSETS[cause], severity, [failure(each, **changes) for each in tickers])

    def check_policies(self, *policies: str, **changes: Any) -> None:
        """Run the check of policies; it fails for those named, and passes without any."""
        failures = [policy_failure(each, **changes) for each in policies]
        self.evaluate(*POLICY_QUALITY_CHECK, "WARN", failures)

    def evaluate(
        self, table: str, name: str, severity: str, failures: Sequence[Mapping[str, Any]]
    ) -> None:
        """Run a check of a table that lists failures, and passes where there are none."""
        key = dg.AssetKey(table.split("."))

        @dg.asset(key=key)
        def stored() -> None:
            """Stand for a table."""

        @dg.asset_check(asset=key, name=name)
        def check() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(
                passed=not failures,
                severity=dg.AssetCheckSeverity(severity),
                metadata={"failed_partitions": [dict(each) for each in failures]},
            )

        dg.materialize([stored, check], instance=self.instance)

    def tick(self, name: str, cursor: str | None = None) -> "Tick":
        """Evaluate a sensor as the daemon does, without launching what it asks for."""
        sensors = [*retraining_sensors(self.grid, JOBS), settling_sensor(self.grid)]
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=cursor,
            resources={"settings": self.settings, "warehouse": self.warehouse},
        )
        data: Any = {each.name: each for each in sensors}[name].evaluate_tick(context)
        return Tick(tuple(data.run_requests or ()), data.cursor, data.skip_message)

    def launch(self, request: dg.RunRequest, *, fails: bool = False) -> str:
        """Run what was asked for; return the run."""
        result = job_of(str(request.job_name or REFRESH_MARKET), fails=fails).execute_in_process(
            instance=self.instance,
            run_config=dict(request.run_config or {}),
            tags=dict(request.tags),
            raise_on_error=False,
        )
        return result.run_id


@dataclass(frozen=True)
class Tick:
    """What a sensor answered."""

    requests: Sequence[dg.RunRequest]
    cursor: str | None
    skipped: str | None


def watched_home(root: Path, **changes: Any) -> WatchedHome:
    """Return a home that a full run has filled, as of `KNOWN`."""
    values: dict[str, Any] = {
        "home": root, "start": date(2022, 1, 1), "end": KNOWN, "tickers": TICKERS, **changes,
    }  # fmt: skip
    settings = Settings(**values)
    Home(root).create()
    remember_universe(settings, is_filled=True)
    return WatchedHome(settings, dg.DagsterInstance.ephemeral())


def config_of(request: dg.RunRequest) -> Mapping[str, Any]:
    """Return tickers, policies, cause, batch and actor of a request to retrain."""
    ops: Mapping[str, Any] = request.run_config["ops"]
    asked = ("fit_challengers", "train_policy_challengers", "judge")
    assert set(ops) == set(asked)
    return {key: value for op in asked for key, value in ops[op]["config"].items()}
