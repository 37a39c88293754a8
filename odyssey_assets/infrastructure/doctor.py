"""What `odyssey doctor` looks at, and what to do about each finding.

Versions, variables, disk, locks, the databases and the Dagster instance of a home. What keeps a
source from delivering comes in from the source itself.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import metadata
from pathlib import Path
from typing import Literal

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from odyssey_assets.contracts import TableContract
from odyssey_assets.errors import OdysseyError
from odyssey_assets.infrastructure.database import Database
from odyssey_assets.infrastructure.home import Home, home_of
from odyssey_assets.infrastructure.model_store import KEY_VARIABLE
from odyssey_assets.infrastructure.run_lock import is_run_lock_free, run_lock_holder
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.settings import Settings

CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"
GIGABYTE = 1e9
PREFIX = str(Settings.model_config["env_prefix"])
Severity = Literal["ok", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: What was looked at.
        severity: `ok`, `warning` (works, but look at it) or `error` (will not work).
        found: What was found.
        remedy: What to do; empty when ok.
    """

    subject: str
    severity: Severity
    found: str
    remedy: str = ""


def examine_home(
    settings: Settings, contracts: Sequence[TableContract], source_problems: Sequence[str]
) -> list[Finding]:
    """Return a finding a subject, whatever state the home is in."""
    home = home_of(settings)
    return [
        Finding("settings", "ok", f"source {settings.source}, {len(settings.tickers)} tickers"),
        _variables(),
        _versions(),
        *_home(home),
        _disk(home, settings.warehouse.min_free_gb),
        _run_lock(home),
        _warehouse(home, settings, contracts),
        _published(home),
        _instance(home),
        *_source(settings, source_problems),
    ]


def print_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Print the findings as a table."""
    colours = {"ok": "green", "warning": "yellow", "error": "red"}
    table = Table("", "subject", "found", "what to do", title="odyssey doctor", show_lines=False)
    for finding in findings:
        colour = colours[finding.severity]
        table.add_row(
            f"[{colour}]{finding.severity}[/]",
            *(escape(text) for text in (finding.subject, finding.found, finding.remedy)),
        )
    console.print(table)


def installed_differences(constraints: Path) -> list[str]:
    """Return the installed distributions whose version differs from the constraints file."""
    differences = []
    for line in constraints.read_text().splitlines():
        name, _, wanted = line.partition("==")
        if not wanted:
            continue
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        if found.split("+")[0] != wanted:
            differences.append(f"{name} {found} (expected {wanted})")
    return differences


def unknown_variables(names: Iterable[str]) -> dict[str, str | None]:
    """Return the names with Odyssey's prefix that no setting reads, with the likeliest meant."""
    known = {KEY_VARIABLE, *_variable_names(Settings, PREFIX)}
    return {
        name: next(iter(get_close_matches(name.upper(), sorted(known), n=1)), None)
        for name in sorted(names)
        if name.upper().startswith(PREFIX) and name.upper() not in known
    }


def _variable_names(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}".upper()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _variable_names(field.annotation, f"{prefix}{name}__")


def _variables() -> Finding:
    unknown = unknown_variables(os.environ)
    if not unknown:
        return Finding("variables", "ok", f"every {PREFIX}* variable is a setting")
    meant = [f"{name} (meant {guess}?)" if guess else name for name, guess in unknown.items()]
    return Finding(
        "variables", "warning", f"{', '.join(meant)}: no setting reads it", "rename or unset it"
    )


def _versions() -> Finding:
    if not CONSTRAINTS.exists():
        return Finding("versions", "warning", f"{CONSTRAINTS} is missing", "run `make install`")
    differences = installed_differences(CONSTRAINTS)
    if differences:
        return Finding("versions", "warning", ", ".join(differences), "run `make install`")
    return Finding("versions", "ok", "as in constraints.txt")


def _home(home: Home) -> list[Finding]:
    try:
        home.create()
    except OdysseyError as error:
        return [Finding("home", "error", str(error), "choose another with --home")]
    return [Finding("home", "ok", str(home.root))]


def _disk(home: Home, min_free_gb: float) -> Finding:
    folder = next(path for path in (home.root, *home.root.parents) if path.exists())
    free = shutil.disk_usage(folder).free / GIGABYTE
    found = f"{free:.1f} GB free"
    if free < min_free_gb:
        return Finding("disk", "error", found, f"free {min_free_gb:.1f} GB or move the home")
    return Finding("disk", "ok", found)


def _run_lock(home: Home) -> Finding:
    if is_run_lock_free(home.run_lock):
        return Finding("run lock", "ok", "no run at work")
    return Finding(
        "run lock", "warning", run_lock_holder(home.run_lock), "wait until it ends or stop it"
    )


def _warehouse(home: Home, settings: Settings, contracts: Sequence[TableContract]) -> Finding:
    if not home.warehouse.exists():
        return Finding("warehouse", "warning", "nothing stored yet", "run `odyssey run`")
    writer = Database(home.warehouse, settings.warehouse).writer()
    if writer is not None:
        found = f"process {writer.pid} ({writer.command}) has been writing since {writer.since}"
        return Finding("warehouse", "warning", found, "look again when it has ended")
    warehouse = Warehouse(home, settings.warehouse)
    try:
        stored = warehouse.query(
            "select schema_name || '.' || table_name as name from duckdb_tables() "
            "where database_name = current_database()"
        )
    except OdysseyError as error:
        return Finding("warehouse", "error", str(error), "see the message")
    missing = sorted({each.qualified_name for each in contracts} - set(stored["name"]))
    if missing:
        return Finding("warehouse", "warning", f"no {', '.join(missing)}", "run `odyssey run`")
    return Finding("warehouse", "ok", f"{len(stored)} tables")


def _published(home: Home) -> Finding:
    if not home.published.exists():
        return Finding("published database", "warning", "none yet", "run `odyssey run`")
    size = home.published.stat().st_size / GIGABYTE
    return Finding("published database", "ok", f"{home.published} ({size:.2f} GB)")


def _instance(home: Home) -> Finding:
    if not (home.dagster / "dagster.yaml").exists():
        return Finding("Dagster instance", "warning", "not set up yet", "run `odyssey run`")
    for database in home.dagster.rglob("*.db"):
        try:
            location = f"{database.as_uri()}?mode=ro"
            with closing(sqlite3.connect(location, uri=True)) as connection:
                connection.execute("select count(*) from sqlite_master").fetchone()
        except sqlite3.Error as error:
            return Finding(
                "Dagster instance", "error", f"{database}: {error}", "move it away; runs are lost"
            )
    return Finding("Dagster instance", "ok", str(home.dagster))


def _source(settings: Settings, problems: Sequence[str]) -> list[Finding]:
    if not problems:
        return [Finding("source", "ok", f"{settings.source} can deliver")]
    return [Finding("source", "error", problem, "see the message") for problem in problems]
