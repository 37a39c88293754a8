"""`odyssey simulate`: which days it takes, what it prints, and where it writes."""

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from odyssey_assets.errors import SettingsError
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.simulate import open_simulation, play
from odyssey_assets_tests.simulated_home import eager_settings, file_hashes
from odyssey_assets_tests.tiny_market import ENVIRONMENT, TinyHome, tiny_settings


def test_days_the_wrong_way_round_are_refused(tiny_home: TinyHome) -> None:
    with pytest.raises(SettingsError, match=r"--from 2022-02-02 lies after --to 2022-02-01. Swap"):
        open_simulation(tiny_settings(tiny_home.root), date(2022, 2, 2), date(2022, 2, 1))


@pytest.mark.parametrize("day", [date(2019, 1, 2), date(2024, 1, 2)])
def test_days_without_forecasts_are_refused(tiny_home: TinyHome, day: date) -> None:
    with pytest.raises(
        SettingsError, match=rf"stored from 2022-01-03 to 2022-06-30; asked for {day}"
    ):
        open_simulation(tiny_settings(tiny_home.root), day, day)


def test_home_that_was_never_filled_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Run `odyssey run` first"):
        open_simulation(tiny_settings(tmp_path), date(2022, 2, 1), date(2022, 2, 2))


def test_ledgers_lie_in_a_home_of_their_own_which_begins_empty(tiny_copy: Path) -> None:
    settings, span = eager_settings(tiny_copy), (date(2022, 2, 1), date(2022, 2, 1))
    simulation, home = open_simulation(settings, *span)
    assert home.root == tiny_copy / "simulations" / "2022-02-01_2022-02-01"
    assert list(simulation.run(*span))
    assert len(Warehouse(home, settings.warehouse).read(PROMOTIONS))
    again, home = open_simulation(settings, *span)
    assert again.books.read(PROMOTIONS).empty


def test_what_happens_is_printed_and_the_real_home_stays_as_it_is(
    tiny_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    before = file_hashes(tiny_copy)
    output = StringIO()
    console = Console(file=output, width=60)
    play(console, tiny_copy, date(2022, 2, 18), date(2022, 2, 22))
    lines = output.getvalue().splitlines()
    assert lines[0] == "The loop from 2022-02-18 to 2022-02-22 (simulated data)"
    holiday = next(line for line in lines if line.startswith("2022-02-21"))
    assert "no night" in holiday
    assert "President" in holiday
    assert "What happened" in output.getvalue()
    assert f"--home {tiny_copy / 'simulations'}" in lines[-1]
    assert file_hashes(tiny_copy) == before
    published = tiny_copy / "simulations" / "2022-02-18_2022-02-22" / "published"
    assert (published / "odyssey.duckdb").exists()


def test_findings_that_come_again_every_night_are_said_once_and_counted(
    tiny_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {
        "ODYSSEY_RETRAINING__IS_AUTOMATIC": "false",
        "ODYSSEY_DRIFT__FALSE_ALARM_RATE": "0.99",
        "ODYSSEY_TICKERS": "AAPL,SPY",
    }
    for name, value in {**ENVIRONMENT, **changes}.items():
        monkeypatch.setenv(name, value)
    output = StringIO()
    play(Console(file=output, width=60), tiny_copy, date(2022, 2, 16), date(2022, 2, 18))
    lines = [line for line in output.getvalue().splitlines() if "suppressed" in line]
    *said, counted = lines
    tickers = [line.split()[2] for line in said]
    assert tickers
    assert len(tickers) == len(set(tickers))
    assert counted.split()[-2] == str(3 * len(tickers))
