import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from odyssey_assets.infrastructure.software import git_commit, library_versions


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@t", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_versions_are_those_of_the_installed_libraries() -> None:
    assert library_versions()["xgboost"] == version("xgboost")


def test_commit_of_a_checkout_is_its_head(tmp_path: Path) -> None:
    _git(tmp_path, "init")
    _git(tmp_path, "commit", "--allow-empty", "-m", "first")
    assert git_commit(tmp_path) == _git(tmp_path, "rev-parse", "HEAD")


def test_folder_without_commit_or_git_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert git_commit(tmp_path / "installed") is None
    unborn = tmp_path / "unborn"
    unborn.mkdir()
    _git(unborn, "init")
    assert git_commit(unborn) is None
    without_git = tmp_path / "without_git"
    (without_git / ".git").mkdir(parents=True)
    monkeypatch.setenv("PATH", "")
    assert git_commit(without_git) is None
