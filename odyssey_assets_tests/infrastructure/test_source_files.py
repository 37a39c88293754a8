"""New files are taken in once, and not while they are being written."""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from odyssey_assets.infrastructure.home import home_of, remember_universe
from odyssey_assets.infrastructure.partitions import RANGE_END_TAG, RANGE_START_TAG
from odyssey_assets.infrastructure.run_tags import NIGHTLY_TAG
from odyssey_assets.infrastructure.source_files import (
    Memory,
    listing,
    market_files_sensor,
    memory_of,
)
from odyssey_assets.settings import Settings

JOB = dg.define_asset_job("refresh_macro")


@dataclass
class Folder:
    """A folder of prices that a sensor looks at."""

    settings: Settings
    cursor: str | None = None

    def write(self, name: str, content: str, at: int = 1_700_000_000) -> None:
        assert self.settings.price_dir is not None
        path = self.settings.price_dir / name
        path.write_text(content)
        os.utime(path, (at, at))

    def look(self) -> dg.RunRequest | str:
        context = dg.build_sensor_context(cursor=self.cursor)
        sensor = market_files_sensor(self.settings, JOB, longest_horizon=60)
        data: Any = sensor.evaluate_tick(context)
        self.cursor = data.cursor
        return data.run_requests[0] if data.run_requests else str(data.skip_message)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Return a folder with one file that was taken in."""
    (tmp_path / "prices").mkdir()
    (tmp_path / "home").mkdir()
    settings = Settings(
        home=tmp_path / "home", source="files", price_dir=tmp_path / "prices",
        start=date(2020, 1, 1), end=date(2024, 6, 28),
    )  # fmt: skip
    remember_universe(settings, is_filled=True)
    made = Folder(settings)
    made.write("SPY.csv", "1")
    assert made.look() == "The files are the ones that were taken in."
    return made


def test_files_that_stay_as_they_were_start_nothing(folder: Folder) -> None:
    assert [folder.look() for _ in range(2)] == ["The files are the ones that were taken in."] * 2


def test_changed_file_is_taken_in_once_over_the_open_windows(folder: Folder) -> None:
    folder.write("SPY.csv", "12")
    assert folder.look() == "Files are changing; the next look takes them in."
    request = folder.look()
    assert isinstance(request, dg.RunRequest)
    assert (request.tags[RANGE_START_TAG], request.tags[RANGE_END_TAG]) == (
        "2024-01-01", "2024-01-01",
    )  # fmt: skip
    assert request.tags[NIGHTLY_TAG] == request.run_key
    assert isinstance(folder.look(), str)


def test_file_rewritten_in_place_with_the_same_size_counts_as_changed(folder: Folder) -> None:
    folder.write("SPY.csv", "2", at=1_700_000_001)
    folder.look()
    assert isinstance(folder.look(), dg.RunRequest)


def test_new_file_is_taken_in_over_the_whole_history(folder: Folder) -> None:
    folder.write("QQQ.csv", "1")
    folder.look()
    request = folder.look()
    assert isinstance(request, dg.RunRequest)
    assert request.tags[RANGE_START_TAG] == "2020-01-01"


def test_file_that_is_being_written_is_waited_for(folder: Folder) -> None:
    for content in ("12", "123", "1234"):
        folder.write("SPY.csv", content)
        assert folder.look() == "Files are changing; the next look takes them in."
    assert isinstance(folder.look(), dg.RunRequest)


def test_request_that_was_lost_is_asked_for_again_with_the_same_key(folder: Folder) -> None:
    folder.write("SPY.csv", "12")
    folder.look()
    kept = folder.cursor
    first = folder.look()
    folder.cursor = kept
    again = folder.look()
    assert isinstance(first, dg.RunRequest)
    assert isinstance(again, dg.RunRequest)
    assert first.run_key == again.run_key


def test_folder_that_is_gone_is_named(folder: Folder) -> None:
    missing = folder.settings.home / "nowhere"
    folder.settings = folder.settings.model_copy(update={"price_dir": missing})
    assert str(missing) in str(folder.look())


def test_other_sources_and_empty_homes_are_left_alone(folder: Folder) -> None:
    simulated = folder.settings.model_copy(update={"source": "simulated"})
    sensor = market_files_sensor(simulated, JOB, longest_horizon=60)
    assert sensor.default_status == dg.DefaultSensorStatus.STOPPED
    home_of(folder.settings).universe.unlink()
    assert "No full run" in str(folder.look())


@pytest.mark.parametrize(
    "cursor", [None, "", "{", "[]", "{}", '{"taken_in": {"a": 1}, "seen": {}}']
)
def test_cursor_of_no_use_is_forgotten(cursor: str | None) -> None:
    assert memory_of(cursor) is None


def test_memory_comes_back_from_its_cursor(tmp_path: Path) -> None:
    (tmp_path / "SPY.csv").write_text("1")
    (tmp_path / ".hidden").write_text("1")
    (tmp_path / "folder").mkdir()
    found = listing([tmp_path])
    assert list(found) == [str(tmp_path / "SPY.csv")]
    memory = Memory(found, {})
    assert memory_of(memory.text()) == memory
