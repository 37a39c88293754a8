"""MLflow's model registry as a mirror: one registered model a subject, its versions and aliases.

The mirror is for people and tools that look there; nothing here is ever read to decide who serves.
So it is brought into line as a whole, whatever it was before, and a database that is locked,
damaged or gone is a problem in words, not an error. Signed models themselves belong to
`model_store`, runs to `tracking`; who ought to be champion belongs to whoever asks.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odyssey_assets.errors import TrainingError
from odyssey_assets.infrastructure.tracking import DATABASE

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

ALIASES = ("champion", "challenger")
IDENTITY = "sha256"
NOISY_LOGGERS = ("mlflow.store.db.utils", "mlflow.store.model_registry.sqlalchemy_store")


@dataclass(frozen=True)
class WantedVersion:
    """A stored model as the registry should show it.

    Attributes:
        registered_model: Name of the registered model, such as `odyssey-AAPL`.
        name_parts: Name in the model store.
        tags: What people should see; holds `sha256`, by which the version is recognised.
        run_id: MLflow run that made it; None where there is none.
        alias: `champion`, `challenger` or None.
    """

    registered_model: str
    name_parts: tuple[str, ...]
    tags: Mapping[str, str]
    run_id: str | None = None
    alias: str | None = None


class ModelRegistry:
    """The registry in the MLflow database of one home.

    Args:
        folder: Folder of the database.
        models: Folder of the signed models, which versions point to.
        wait_s: Seconds to wait for a database that another program has locked.
    """

    def __init__(self, folder: Path, models: Path, wait_s: float) -> None:
        self._database = folder.resolve() / DATABASE
        self._models = models.resolve()
        self._wait_s = wait_s

    def sync(self, wanted: Sequence[WantedVersion]) -> list[str]:
        """Bring the registry into line and return what stood in the way, in words.

        Missing models, versions, tags and aliases are added, aliases that point elsewhere are
        moved, and those that nobody should have are taken away. Doing it twice changes nothing. A
        database that is gone is made anew.

        Args:
            wanted: All versions of the registered models concerned, in the order of their numbers.
        """
        if not wanted:
            return []
        return self._carefully(lambda client: _mend(client, wanted, self._models))

    def differences(self, wanted: Sequence[WantedVersion]) -> list[str]:
        """Return in words what `sync` would change, and what would stand in its way."""
        if not wanted:
            return []
        if not self._database.exists():
            return [f"{self._database} does not exist."]
        return self._carefully(lambda client: _compare(client, wanted))

    def _carefully(self, work: "Callable[[MlflowClient], list[str]]") -> list[str]:
        try:
            self._refuse_locked()
            with _wrapped_errors(self._database), _quiet():
                from mlflow import MlflowClient

                self._database.parent.mkdir(parents=True, exist_ok=True)
                uri = f"sqlite:///{self._database}"
                return work(MlflowClient(tracking_uri=uri, registry_uri=uri))
        except TrainingError as error:
            return [str(error)]

    def _refuse_locked(self) -> None:
        """Wait for the lock for a while: MLflow itself would try for minutes.

        Raises:
            TrainingError: Another program holds the database, or it is none.
        """
        if not self._database.exists():
            return
        with (
            _wrapped_errors(self._database),
            closing(sqlite3.connect(self._database, timeout=self._wait_s)) as connection,
        ):
            connection.execute("begin immediate")
            connection.rollback()


def _mend(client: "MlflowClient", wanted: Sequence[WantedVersion], models: Path) -> list[str]:
    for name, versions in _by_model(wanted).items():
        registered = _found(client, name) or client.create_registered_model(name)
        present = _versions(client, name)
        numbers = {}
        for version in versions:
            identity = version.tags[IDENTITY]
            if identity not in present:
                source = models.joinpath(*version.name_parts).as_uri()
                present[identity] = client.create_model_version(
                    name, source, run_id=version.run_id, tags=dict(version.tags),
                    await_creation_for=0,
                )  # fmt: skip
            for key, value in _other_tags(present[identity], version).items():
                client.set_model_version_tag(name, present[identity].version, key, value)
            numbers[identity] = str(present[identity].version)
        _mend_aliases(client, registered, _aliases(versions, numbers))
    return []


def _mend_aliases(
    client: "MlflowClient", registered: "RegisteredModel", wanted: Mapping[str, str]
) -> None:
    for alias in ALIASES:
        held = registered.aliases.get(alias)
        if alias not in wanted and held is not None:
            client.delete_registered_model_alias(registered.name, alias)
        elif alias in wanted and str(held) != wanted[alias]:
            client.set_registered_model_alias(registered.name, alias, wanted[alias])


def _compare(client: "MlflowClient", wanted: Sequence[WantedVersion]) -> list[str]:
    found = []
    for name, versions in _by_model(wanted).items():
        registered = _found(client, name)
        if registered is None:
            found.append(f"{name} is not registered.")
            continue
        present = _versions(client, name)
        for version in versions:
            shown = "/".join(version.name_parts)
            if version.tags[IDENTITY] not in present:
                found.append(f"{name} has no version of {shown}.")
            elif _other_tags(present[version.tags[IDENTITY]], version):
                found.append(f"{name} shows other tags of {shown}.")
        numbers = {identity: str(one.version) for identity, one in present.items()}
        expected = _aliases(versions, numbers)
        held = {key: str(value) for key, value in registered.aliases.items() if key in ALIASES}
        if held != expected:
            found.append(f"{name} has the aliases {held}, expected {expected}.")
    return found


def _by_model(wanted: Sequence[WantedVersion]) -> dict[str, list[WantedVersion]]:
    models: dict[str, list[WantedVersion]] = {}
    for version in wanted:
        models.setdefault(version.registered_model, []).append(version)
    return models


def _found(client: "MlflowClient", name: str) -> "RegisteredModel | None":
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode

    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            return None
        raise


def _versions(client: "MlflowClient", name: str) -> "dict[str, ModelVersion]":
    """Return the versions by the SHA-256 of their model; of two of one model the newer."""
    found: dict[str, Any] = {}
    token = None
    while True:
        page = client.search_model_versions(
            f"name = '{name}'", order_by=["version_number ASC"], page_token=token
        )
        found |= {one.tags[IDENTITY]: one for one in page if IDENTITY in one.tags}
        token = page.token
        if not token:
            return found


def _other_tags(present: "ModelVersion", wanted: WantedVersion) -> dict[str, str]:
    return {key: value for key, value in wanted.tags.items() if present.tags.get(key) != value}


def _aliases(wanted: Sequence[WantedVersion], numbers: Mapping[str, str]) -> dict[str, str]:
    return {
        one.alias: numbers[one.tags[IDENTITY]]
        for one in wanted
        if one.alias is not None and one.tags[IDENTITY] in numbers
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the tracebacks that MLflow logs of errors which are reported in words."""
    loggers = [logging.getLogger(name) for name in NOISY_LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _wrapped_errors(database: Path) -> Iterator[None]:
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError) as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise TrainingError(
            f"MLflow's registry in {database} cannot be brought into line: {first_line}. Who "
            "serves does not depend on it, and the next judgement tries again. Is another program "
            "holding the file, or the disk full? If it is damaged, move it away."
        ) from error
