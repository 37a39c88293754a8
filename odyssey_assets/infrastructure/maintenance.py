"""The weekly maintenance: what grows without anybody needing it goes.

Published states beyond the bound, models that no table names, leftovers of killed processes, what
a person deleted in MLflow, old runs of Dagster, marks of old alerts. Which models are named is for
whoever knows the tables to say.
"""

import shutil
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from odyssey_assets.errors import OdysseyError, TrainingError
from odyssey_assets.infrastructure.alerting import ON_WARNING, outbox_of
from odyssey_assets.infrastructure.home import Home, home_of
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.infrastructure.notifier import forget_sent
from odyssey_assets.infrastructure.publishing import expire_states
from odyssey_assets.infrastructure.run_retention import remove_old_runs
from odyssey_assets.infrastructure.tracking import DATABASE, Tracker
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.settings import Settings

MAINTENANCE = "maintenance"
LEFTOVERS = (".saving-*", ".removing-*", ".key-*")
SHORT_TIME = timedelta(days=1)
SENT_MARKS_KEPT = timedelta(days=30)

Name = tuple[str, ...]
NamedModels = Callable[[Warehouse], Collection[Name]]


def maintenance_job(named_models: NamedModels, readers: Collection[str]) -> dg.JobDefinition:
    """Return the job.

    Args:
        named_models: Gives the names of all models that a table or a ledger names.
        readers: Names of the sensors that read results of checks, besides the alerting one.
    """

    @dg.op(description="Remove what nobody needs any more, and say how much of it there was.")
    def tidy(
        context: dg.OpExecutionContext,
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> None:
        home, now = home_of(settings), datetime.now(UTC)
        kept = timedelta(days=settings.schedules.events_kept_days)
        store = ModelStore(home.models)
        works: Mapping[str, Callable[[], int]] = {
            "published_states": lambda: expire_states(
                home.published_states, settings.warehouse.keep_published
            ),
            "orphan_models": lambda: remove_orphans(store, named_models(warehouse), now),
            "leftovers": lambda: remove_leftovers(home.models, now),
            "mlflow_runs": lambda: remove_deleted_runs(home),
            "dagster_runs": lambda: remove_old_runs(
                context.instance, now - kept, (*readers, ON_WARNING)
            ),
            "alert_marks": lambda: forget_sent(outbox_of(home), now - SENT_MARKS_KEPT),
        }
        removed, problems = _each(works)
        for problem in problems:
            context.log.warning(problem)
        context.add_output_metadata({**removed, "problems": problems})

    @dg.job(
        name=MAINTENANCE,
        description="Removes old copies, orphan models, deleted MLflow runs, and old events.",
    )
    def maintenance() -> None:
        tidy()

    return maintenance


def _each(works: Mapping[str, Callable[[], int]]) -> tuple[dict[str, int], list[str]]:
    """Do every work, whether or not another one fails; return the counts and what went wrong."""
    removed: dict[str, int] = {}
    problems = []
    for kind, work in works.items():
        try:
            removed[kind] = work()
        except (OdysseyError, OSError) as error:
            problems.append(f"{kind}: {error}")
    return removed, problems


def remove_orphans(store: ModelStore, named: Collection[Name], now: datetime) -> int:
    """Remove models that nothing names; return how many there were.

    A model younger than a day stays: the row that will name it may not be written yet. So does
    whatever lies in a folder of which nothing is named, such as checkpoints and references: it is
    not models that the tables know.

    Args:
        store: The models.
        named: Names of the models that are needed.
        now: The moment, UTC.
    """
    if not store.folder.is_dir():
        return 0
    tops = sorted({name[0] for name in named})
    orphans = [
        name
        for top in tops
        for name in store.names((top,))
        if name not in named and _is_old(store.folder.joinpath(*name), now)
    ]
    for name in orphans:
        store.remove(name)
    return len(orphans)


def remove_leftovers(folder: Path, now: datetime) -> int:
    """Remove hidden folders and files that killed processes left; return how many."""
    found = [path for pattern in LEFTOVERS for path in folder.glob(pattern) if _is_old(path, now)]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(found)


def remove_deleted_runs(home: Home) -> int:
    """Remove for good what a person deleted in MLflow, artifacts included; return how many runs.

    Raises:
        TrainingError: MLflow's database cannot be read or written.
    """
    if not (home.mlflow / DATABASE).exists():
        return 0
    from click import ClickException
    from mlflow import MlflowClient
    from mlflow.cli import gc
    from mlflow.entities import ViewType
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    uri = Tracker(home.mlflow).uri
    try:
        client = MlflowClient(tracking_uri=uri)
        experiments = [
            each.experiment_id for each in client.search_experiments(view_type=ViewType.ALL)
        ]
        runs = client.search_runs(experiments, run_view_type=ViewType.DELETED_ONLY)
        if not runs:
            return 0
        gc.main(
            ["--backend-store-uri", uri, "--tracking-uri", uri,
             "--run-ids", ",".join(run.info.run_id for run in runs)],
            standalone_mode=False,
        )  # fmt: skip
    except (MlflowException, SQLAlchemyError, ClickException) as error:
        first_line = str(error).splitlines()[0]
        raise TrainingError(
            f"MLflow's database {home.mlflow / DATABASE} cannot be tidied up: {first_line}. Close "
            "what holds it, or free disk space; the next maintenance tries again."
        ) from error
    return len(runs)


def _is_old(path: Path, now: datetime) -> bool:
    try:
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return False  # Another process removed it meanwhile.
    return now - changed > SHORT_TIME
