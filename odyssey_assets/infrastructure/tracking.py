"""Training runs in MLflow: a SQLite database and an artifact folder, no server, no telemetry.

MLflow is imported when the first run starts: it takes seconds, and most calls fit nothing.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from odyssey_assets.errors import TrainingError

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "odyssey"
DATABASE = "mlflow.db"
ARTIFACTS = "artifacts"
# One `log_batch` call takes 1000 entries in all, of which 100 parameters (mlflow.utils.validation).
METRICS_A_BATCH = 900
PARAMETERS_A_BATCH = 100


class Tracker:
    """Records runs in the experiment `odyssey` of one home.

    Args:
        folder: Folder of the database and the artifacts; created by the first run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._opened: tuple[MlflowClient, str] | None = None

    @property
    def uri(self) -> str:
        """Tracking URI, as `mlflow ui --backend-store-uri` takes it."""
        return f"sqlite:///{self._folder / DATABASE}"

    def start_run(self, name: str, tags: Mapping[str, str]) -> str:
        """Open a run and return its identifier.

        Raises:
            TrainingError: The database cannot be opened or written.
        """
        with self._clear_errors():
            client, experiment = self._open()
            run = client.create_run(experiment, run_name=name, tags=dict(tags))
            return str(run.info.run_id)

    def finish_run(
        self,
        run_id: str,
        parameters: Mapping[str, object],
        metrics: Iterable[tuple[str, float, int]],
        *,
        is_complete: bool,
    ) -> None:
        """Record parameters and (name, value, step) metrics; close the run, failed if incomplete.

        Raises:
            TrainingError: The database cannot be written.
        """
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        left = (Metric(name, value, now, step) for name, value, step in metrics)
        params = (Param(name, str(value)) for name, value in parameters.items())
        with self._clear_errors():
            client, _ = self._open()
            while True:
                batch = list(islice(left, METRICS_A_BATCH))
                named = list(islice(params, PARAMETERS_A_BATCH))
                if not batch and not named:
                    break
                client.log_batch(run_id, metrics=batch, params=named)
            client.set_terminated(run_id, status="FINISHED" if is_complete else "FAILED")

    def _open(self) -> "tuple[MlflowClient, str]":
        if self._opened is None:
            self._opened = self._connect()
        return self._opened

    def _connect(self) -> "tuple[MlflowClient, str]":
        from mlflow import MlflowClient

        # It logs each step of making its tables.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
        (self._folder / ARTIFACTS).mkdir(parents=True, exist_ok=True)
        client = MlflowClient(tracking_uri=self.uri)
        found = client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            return client, str(found.experiment_id)
        location = (self._folder / ARTIFACTS).as_uri()
        return client, str(client.create_experiment(EXPERIMENT, artifact_location=location))

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, SQLAlchemyError, OSError) as error:
            first_line = str(error).splitlines()[0]
            raise TrainingError(
                f"MLflow cannot use {self._folder / DATABASE}: {first_line}. Is the disk full, or "
                "is another program holding the file? If it is damaged, move it away; the next "
                "run makes a new one."
            ) from error
