"""The registry follows what is wanted, mends what differs, and never stands in the way."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from odyssey_assets.infrastructure.model_registry import ModelRegistry, WantedVersion
from odyssey_assets.infrastructure.tracking import Tracker


def version(subject: str, model: str, alias: str | None = None, **tags: str) -> WantedVersion:
    return WantedVersion(
        f"odyssey-{subject}",
        ("xgboost", subject, model),
        {"sha256": f"sha-{model}", "model_name": f"xgboost/{subject}/{model}", **tags},
        alias=alias,
    )


WANTED = (
    version("AAPL", "fold"),
    version("AAPL", "new", "champion"),
    version("AAPL", "newer", "challenger"),
    version("SPY", "fold", "champion"),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a registry that shows what is wanted; tests only read it."""
    folder = tmp_path_factory.mktemp("made")
    assert registry_of(folder).sync(WANTED) == []
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder that a test may change."""
    (tmp_path / "mlflow.db").write_bytes((made / "mlflow.db").read_bytes())
    return tmp_path


def registry_of(folder: Path, wait_s: float = 0.2) -> ModelRegistry:
    return ModelRegistry(folder, folder / "models", wait_s)


def client_of(folder: Path) -> MlflowClient:
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def shown(folder: Path) -> dict[str, Any]:
    """Return everything the registry shows, by model: aliases and tags of each version."""
    client = client_of(folder)
    return {
        model.name: (
            {alias: int(number) for alias, number in model.aliases.items()},
            {
                int(one.version): (dict(one.tags), one.source, one.last_updated_timestamp)
                for one in client.search_model_versions(f"name = '{model.name}'")
            },
        )
        for model in client.search_registered_models()
    }


def test_registry_shows_every_version_with_its_tags_and_aliases(made: Path) -> None:
    models = shown(made)
    assert set(models) == {"odyssey-AAPL", "odyssey-SPY"}
    aliases, versions = models["odyssey-AAPL"]
    assert aliases == {"champion": 2, "challenger": 3}
    assert [versions[number][0]["sha256"] for number in (1, 2, 3)] == [
        "sha-fold", "sha-new", "sha-newer",
    ]  # fmt: skip
    assert versions[1][1] == (made / "models" / "xgboost" / "AAPL" / "fold").as_uri()
    assert registry_of(made).differences(WANTED) == []


def test_second_sync_changes_nothing(folder: Path) -> None:
    before = shown(folder)
    assert registry_of(folder).sync(WANTED) == []
    assert shown(folder) == before


def test_aliases_move_with_the_champion_and_go_when_nobody_has_them(folder: Path) -> None:
    moved = (
        version("AAPL", "fold", "champion"),
        version("AAPL", "new"),
        version("AAPL", "newer"),
        version("SPY", "fold"),
    )
    registry = registry_of(folder)
    assert len(registry.differences(moved)) == 2
    assert registry.sync(moved) == []
    models = shown(folder)
    assert models["odyssey-AAPL"][0] == {"champion": 1}
    assert models["odyssey-SPY"][0] == {}
    assert registry.differences(moved) == []


def test_what_somebody_changed_by_hand_is_mended(folder: Path) -> None:
    client = client_of(folder)
    client.set_registered_model_alias("odyssey-AAPL", "champion", "1")
    client.set_registered_model_alias("odyssey-AAPL", "favourite", "1")
    client.delete_model_version("odyssey-AAPL", "3")
    client.set_model_version_tag("odyssey-AAPL", "2", "model_name", "something else")
    client.delete_registered_model("odyssey-SPY")
    registry = registry_of(folder)
    assert len(registry.differences(WANTED)) == 4
    assert registry.sync(WANTED) == []
    assert registry.differences(WANTED) == []
    aliases, versions = shown(folder)["odyssey-AAPL"]
    assert aliases["favourite"] == 1
    assert versions[aliases["champion"]][0]["sha256"] == "sha-new"
    assert versions[aliases["challenger"]][0]["sha256"] == "sha-newer"


def test_new_version_is_added_beside_the_old_ones(folder: Path) -> None:
    wanted = (*WANTED[:2], version("AAPL", "newer"), version("AAPL", "latest", "challenger"))
    assert registry_of(folder).sync(wanted) == []
    aliases, versions = shown(folder)["odyssey-AAPL"]
    assert aliases == {"champion": 2, "challenger": 4}
    assert len(versions) == 4


def test_registry_shares_the_database_of_the_runs_and_links_them(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path)
    run_id = tracker.start_run("AAPL", {})
    wanted = WantedVersion("odyssey-AAPL", ("a",), {"sha256": "a"}, run_id, "champion")
    assert registry_of(tmp_path).sync([wanted]) == []
    (one,) = client_of(tmp_path).search_model_versions("name = 'odyssey-AAPL'")
    assert one.run_id == run_id


def test_database_that_is_gone_is_made_anew(folder: Path) -> None:
    (folder / "mlflow.db").unlink()
    registry = registry_of(folder)
    assert "does not exist" in registry.differences(WANTED)[0]
    assert registry.sync(WANTED) == []
    assert shown(folder)["odyssey-AAPL"][0] == {"champion": 2, "challenger": 3}


@pytest.mark.parametrize("lock", ["immediate", "exclusive"])
def test_locked_database_is_a_problem_in_words_after_a_bounded_wait(
    folder: Path, lock: str
) -> None:
    with closing(sqlite3.connect(folder / "mlflow.db")) as other:
        other.execute(f"begin {lock}")
        started = time.monotonic()
        problems = [*registry_of(folder).sync(WANTED), *registry_of(folder).differences(WANTED)]
        waited = time.monotonic() - started
    assert len(problems) == 2
    assert all("database is locked" in problem for problem in problems)
    assert all("does not depend on it" in problem for problem in problems)
    assert waited < 30
    assert registry_of(folder).sync(WANTED) == []


def test_damaged_database_is_a_problem_in_words(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("this is no database, but a text of some length" * 100)
    for found in (registry_of(tmp_path).sync(WANTED), registry_of(tmp_path).differences(WANTED)):
        (problem,) = found
        assert "not a database" in problem


def test_folder_that_cannot_be_made_is_a_problem_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (problem,) = registry_of(tmp_path / "file").sync(WANTED)
    assert "cannot be brought into line" in problem


def test_nothing_wanted_needs_no_database(tmp_path: Path) -> None:
    assert registry_of(tmp_path).sync([]) == []
    assert registry_of(tmp_path).differences([]) == []
    assert list(tmp_path.iterdir()) == []
