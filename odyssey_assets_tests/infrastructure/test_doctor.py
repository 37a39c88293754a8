"""What the doctor finds in real homes: sound, empty, damaged, busy and misspelt ones."""

import os
import subprocess
import sys
from importlib import metadata
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from odyssey_assets.contracts import Column, TableContract
from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.infrastructure import doctor
from odyssey_assets.infrastructure.doctor import (
    Finding,
    examine_home,
    installed_differences,
    print_findings,
    unknown_variables,
)
from odyssey_assets.infrastructure.driver import open_instance
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.locks import WarehouseLock
from odyssey_assets.infrastructure.run_lock import hold_run_lock
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.settings import Settings, build_settings
from odyssey_assets.settings_sections import WarehouseSettings

PRICES = TableContract(
    schema="market",
    name="prices",
    description="Closing prices.",
    grain=("day",),
    columns=(Column("day", "DATE", "Session."),),
    date_column="day",
    ticker_column=None,
)
HOLD_RUN_LOCK = """
import sys
from pathlib import Path
from odyssey_assets.infrastructure.run_lock import hold_run_lock
with hold_run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def bare_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODYSSEY_HOME", "")  # opening an instance sets it
    for name in [name for name in os.environ if name.startswith("ODYSSEY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DAGSTER_HOME", "")


def settings_of(home: Home, **changes: object) -> Settings:
    return build_settings(home=home.root, warehouse={"min_free_gb": 0.0}, **changes)


def finding(settings: Settings, subject: str, *source_problems: str) -> Finding:
    """Return the one finding about `subject`."""
    found = [
        each
        for each in examine_home(settings, (PRICES,), source_problems)
        if each.subject == subject
    ]
    assert len(found) == 1
    return found[0]


def store_prices(home: Home) -> Warehouse:
    warehouse = Warehouse(home, WarehouseSettings(min_free_gb=0.0))
    rows = pd.DataFrame({"day": pd.to_datetime(["2024-01-02"]).astype("datetime64[us]")})
    warehouse.replace(PRICES, rows, (WHOLE_TABLE,))
    return warehouse


def test_sound_home_has_no_error_and_every_finding_that_is_not_ok_has_a_remedy(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODYSSEY_HOME", str(home.root))
    store_prices(home).publish()
    open_instance(home)
    findings = examine_home(settings_of(home), (PRICES,), ())
    assert {each.subject: each.severity for each in findings if each.subject != "versions"} == {
        "settings": "ok", "variables": "ok", "home": "ok", "disk": "ok", "run lock": "ok",
        "warehouse": "ok", "published database": "ok", "Dagster instance": "ok", "source": "ok",
    }  # fmt: skip
    assert all(bool(each.remedy) is (each.severity != "ok") for each in findings)


def test_home_that_is_missing_is_created_and_said_to_be_empty(tmp_path: Path) -> None:
    home = Home(tmp_path / "new")
    findings = {each.subject: each for each in examine_home(settings_of(home), (PRICES,), ())}
    assert home.warehouse.parent.is_dir()
    for subject in ("warehouse", "published database", "Dagster instance"):
        assert findings[subject].severity == "warning", subject
        assert findings[subject].remedy == "run `odyssey run`"


def test_home_that_cannot_be_created_is_an_error_and_the_rest_is_still_examined(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("in the way")
    findings = examine_home(settings_of(Home(tmp_path / "file" / "home")), (PRICES,), ())
    by_subject = {each.subject: each for each in findings}
    assert by_subject["home"].severity == "error"
    assert "cannot be created" in by_subject["home"].found
    assert by_subject["disk"].severity == "ok"


def test_disk_with_less_than_the_settings_demand_is_an_error(home: Home) -> None:
    settings = build_settings(home=home.root, warehouse={"min_free_gb": 1e9})
    found = finding(settings, "disk")
    assert found.severity == "error"
    assert "1000000000.0 GB" in found.remedy


def test_run_at_work_in_another_process_is_named(home: Home) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_RUN_LOCK, str(home.run_lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "held"
        busy = finding(settings_of(home), "run lock")
        home.run_lock.with_suffix(".holder.json").write_text("[]")
        unnamed = finding(settings_of(home), "run lock")
        other.communicate("")
    assert busy.severity == "warning"
    assert f"process {other.pid}" in busy.found
    assert unnamed.found == "holder unknown"
    assert finding(settings_of(home), "run lock").severity == "ok"


def test_run_that_is_over_leaves_the_lock_free(home: Home) -> None:
    with hold_run_lock(home.run_lock):
        pass
    assert home.run_lock.exists()
    assert finding(settings_of(home), "run lock").severity == "ok"


def test_warehouse_that_is_being_written_is_named_without_waiting_for_it(home: Home) -> None:
    store_prices(home)
    lock = WarehouseLock(home.warehouse.with_name(home.warehouse.name + ".lock"), 1.0)
    with lock.writing():
        busy = finding(settings_of(home), "warehouse")
    assert busy.severity == "warning"
    assert f"process {os.getpid()}" in busy.found
    assert finding(settings_of(home), "warehouse").severity == "ok"


def test_warehouse_without_a_declared_table_names_it(home: Home) -> None:
    store_prices(home)
    other = TableContract(**{**vars(PRICES), "name": "volumes"})
    (found,) = (
        each
        for each in examine_home(settings_of(home), (PRICES, other), ())
        if each.subject == "warehouse"
    )
    assert found.severity == "warning"
    assert found.found == "no market.volumes"


def test_warehouse_that_is_no_database_is_an_error(home: Home) -> None:
    home.warehouse.write_text("not a database, but long enough to be looked at" * 100)
    found = finding(settings_of(home), "warehouse")
    assert found.severity == "error"
    assert str(home.warehouse) in found.found


def test_instance_with_a_damaged_database_is_an_error_that_names_the_file(home: Home) -> None:
    open_instance(home).get_runs()
    databases = sorted(home.dagster.rglob("*.db"))
    assert databases
    assert finding(settings_of(home), "Dagster instance").severity == "ok"
    databases[0].write_bytes(b"damaged" * 1000)
    found = finding(settings_of(home), "Dagster instance")
    assert found.severity == "error"
    assert str(databases[0]) in found.found


def test_instance_in_a_folder_with_awkward_letters_is_examined(tmp_path: Path) -> None:
    home = Home(tmp_path / "100 % of #1?")
    open_instance(home).get_runs()
    assert finding(settings_of(home), "Dagster instance").severity == "ok"


def test_every_problem_of_the_source_is_an_error_of_its_own(home: Home) -> None:
    findings = examine_home(settings_of(home), (PRICES,), ("no file of AAPL", "no file of SPY"))
    found = [each for each in findings if each.subject == "source"]
    assert [(each.severity, each.found) for each in found] == [
        ("error", "no file of AAPL"),
        ("error", "no file of SPY"),
    ]


def test_installed_differences_name_what_differs_and_pass_over_the_rest(tmp_path: Path) -> None:
    constraints = tmp_path / "constraints.txt"
    installed = metadata.version("duckdb")
    constraints.write_text(
        f"# a comment\nduckdb=={installed}\nnumpy==0.0.1\nnot-installed-anywhere==1.0\n"
    )
    assert installed_differences(constraints) == [
        f"numpy {metadata.version('numpy')} (expected 0.0.1)"
    ]


@pytest.mark.parametrize(
    ("content", "severity", "found"),
    [
        (None, "warning", "is missing"),
        ("duckdb==0.0.1", "warning", "(expected 0.0.1)"),
        (f"duckdb=={metadata.version('duckdb')}", "ok", "as in constraints.txt"),
    ],
)
def test_versions_are_compared_with_the_constraints_file(
    content: str | None,
    severity: str,
    found: str,
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    constraints = tmp_path / "constraints.txt"
    if content is not None:
        constraints.write_text(content)
    monkeypatch.setattr(doctor, "CONSTRAINTS", constraints)
    versions = finding(settings_of(home), "versions")
    assert versions.severity == severity
    assert found in versions.found


def test_variables_that_settings_read_are_known() -> None:
    known = (
        "ODYSSEY_HOME", "ODYSSEY_COSTS", "ODYSSEY_COSTS__COMMISSION_BPS", "ODYSSEY_SIGNING_KEY",
        "ODYSSEY_FORECASTING__XGBOOST__MAX_ROUNDS", "odyssey_source", "PATH", "DAGSTER_HOME",
    )  # fmt: skip
    assert unknown_variables(known) == {}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ODYSSEY_TICKER", "ODYSSEY_TICKERS"),
        ("ODYSSEY_COST__COMMISSION_BPS", "ODYSSEY_COSTS__COMMISSION_BPS"),
        ("ODYSSEY_COSTS_COMMISSION_BPS", "ODYSSEY_COSTS__COMMISSION_BPS"),
        ("ODYSSEY_SIGNINGKEY", "ODYSSEY_SIGNING_KEY"),
        ("ODYSSEY_QQQQQQQQQQQQQQQQQQQQQ", None),
    ],
)
def test_variable_that_no_setting_reads_is_found_with_the_likeliest_meant(
    name: str, meant: str | None, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert unknown_variables([name]) == {name: meant}
    monkeypatch.setenv(name, "1")
    found = finding(settings_of(home), "variables")
    assert found.severity == "warning"
    assert name in found.found
    assert (meant or "no setting") in found.found


def test_findings_are_printed_as_they_are() -> None:
    console = Console(file=StringIO(), width=120)
    print_findings(
        console,
        [
            Finding("disk", "ok", "80 GB free"),
            Finding("warehouse", "error", "holds [/red] brackets", "mend it"),
        ],
    )
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    for part in ("ok", "80 GB free", "error", "holds [/red] brackets", "mend it"):
        assert part in text
