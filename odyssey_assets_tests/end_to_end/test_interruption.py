"""What is left when `odyssey run` is killed, interrupted or started twice.

A home holds a finished market from which one ticker and the learned policies were taken away. Runs
that would bring them back are cut short: every table then holds its old or its new state, never
something between, people read what was published before, and the next run ends where an
undisturbed one does.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import psutil
import pytest

from odyssey_assets.backtesting.tables import WINDOW_TABLES
from odyssey_assets.definitions import TABLES
from odyssey_assets.portfolio.tables import TABLES as PORTFOLIO_TABLES
from odyssey_assets_tests.end_to_end.small_market import (
    LEARNED_WINDOWS,
    ODYSSEY,
    TICKERS,
    environment,
    odyssey,
    open_warehouse,
    table_hashes,
)

pytestmark = pytest.mark.timeout(1800)
MISSING = "MSFT"
LONG_AGO = date(1900, 1, 1)
FIRST_LEARNED = date.fromisoformat(LEARNED_WINDOWS[0])
TRAINING_STARTS_WITHIN_S = 120
ENDS_WITHIN_S = 60
FORECASTS, POLICIES = "forecasting.predictions", "portfolio.policies"


@dataclass(frozen=True)
class Unfinished:
    """A home that lacks a part of what a finished one holds.

    Attributes:
        root: Its folder.
        before: Content hash of each of its tables.
        after: Content hash of each table of the finished home.
        published: The database that people read.
    """

    root: Path
    before: Mapping[str, str]
    after: Mapping[str, str]
    published: bytes

    def check(self, *, old: Collection[str], new: Collection[str]) -> None:
        """Check that every table is as before or as it will be, and these are the one or other."""
        found = table_hashes(self.root)
        assert all(found[name] in (self.before[name], self.after[name]) for name in found)
        assert {name: found[name] for name in old} == {name: self.before[name] for name in old}
        assert {name: found[name] for name in new} == {name: self.after[name] for name in new}
        assert published_file(self.root).read_bytes() == self.published
        assert published_tickers(self.root) == set(TICKERS) - {MISSING}


@pytest.fixture(scope="module")
def unfinished(finished_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Unfinished:
    """Return a copy of the finished home without a ticker and without learned policies."""
    home = tmp_path_factory.mktemp("unfinished") / "home"
    shutil.copytree(finished_home, home, ignore=shutil.ignore_patterns(MISSING, "policies"))
    warehouse = open_warehouse(home)
    kept = tuple(ticker for ticker in TICKERS if ticker != MISSING)
    for table in TABLES:
        if not table.is_append_only and table.ticker_column:
            warehouse.prune(table, kept, LONG_AGO, None)
    for table in (*PORTFOLIO_TABLES, *WINDOW_TABLES):
        warehouse.prune(table, kept, LONG_AGO, FIRST_LEARNED)
    warehouse.publish()
    before, after = table_hashes(home), table_hashes(finished_home)
    assert {FORECASTS, POLICIES} < {name for name in before if before[name] != after[name]}
    return Unfinished(home, before, after, published_file(home).read_bytes())


@contextmanager
def started_run(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Start `odyssey run` as the leader of a group of processes; kill what is left at the end."""
    process = subprocess.Popen(
        [ODYSSEY, "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(home, PYTHONUNBUFFERED="1", ODYSSEY_WORKERS="2"),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a run as the system does for want of memory; the processes it started end too."""
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=ENDS_WITHIN_S) == -signal.SIGKILL
    _, alive = psutil.wait_procs(started, timeout=ENDS_WITHIN_S)
    assert alive == []


def interrupt(process: subprocess.Popen[str]) -> None:
    """Press Ctrl-C, which reaches every process of the run, and read what it says."""
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=ENDS_WITHIN_S)
    assert process.returncode == 130, said
    assert "Interrupted." in said
    assert "Run again to go on." in said
    assert "Traceback" not in said


def wait_for_step(process: subprocess.Popen[str], step: str) -> None:
    """Read what a run says until the step is done."""
    assert process.stdout is not None
    assert any(line.startswith(f"done {step} ") for line in process.stdout)


def wait_for_new(process: subprocess.Popen[str], folder: Path, pattern: str) -> None:
    """Wait until a run has stored something that was not there before."""
    known = set(folder.glob(pattern))
    deadline = time.monotonic() + TRAINING_STARTS_WITHIN_S
    while set(folder.glob(pattern)) <= known:
        assert time.monotonic() < deadline, f"no {pattern} was stored"
        assert process.poll() is None, "the run ended"
        time.sleep(0.005)


def checkpoints(home: Path) -> list[str]:
    return sorted(path.name for path in home.glob("models/checkpoints/*"))


def published_file(home: Path) -> Path:
    return home / "published" / "odyssey.duckdb"


def published_tickers(home: Path) -> set[str]:
    """Return who is in the published forecasts, as an analyst sees it."""
    with duckdb.connect(str(published_file(home)), read_only=True) as connection:
        rows = connection.execute(f"select distinct ticker from {FORECASTS}").fetchall()
    return {ticker for (ticker,) in rows}


def cut_short_before_forecasts(home: Unfinished) -> None:
    """Kill a run in the middle of the market data, interrupt another while models are fitted."""
    with started_run(home.root) as run:
        wait_for_step(run, "clean_bars")
        kill(run)
    home.check(old=[FORECASTS, POLICIES], new=["market_data.bars"])
    with started_run(home.root) as run:
        wait_for_step(run, "market_data.macro")
        second = odyssey(home.root, "run", is_success=False)
        assert f"process {run.pid}" in second.stderr
        assert second.stderr.count("\n") == 1
        assert second.stdout == ""
        wait_for_new(run, home.root / "models", f"*/{MISSING}/**/model.bin")
        interrupt(run)
    home.check(
        old=[FORECASTS, POLICIES],
        new=["market_data.bars", "features.features", "features.labels"],
    )


def cut_short_in_policy_training(home: Unfinished) -> None:
    """Kill a run after the first checkpoint of a policy, interrupt another after a later one."""
    portfolio = [table.qualified_name for table in (*PORTFOLIO_TABLES, *WINDOW_TABLES)]
    for stop in (kill, interrupt):
        with started_run(home.root) as run:
            wait_for_step(run, "walk_forward")
            wait_for_new(run, home.root / "models" / "checkpoints", "*")
            stop(run)
        home.check(old=portfolio, new=[FORECASTS, "forecasting.folds"])
        assert checkpoints(home.root), "the training had ended before it was cut short"


def test_runs_that_are_cut_short_leave_old_or_new_tables_and_the_next_one_finishes(
    unfinished: Unfinished,
) -> None:
    cut_short_before_forecasts(unfinished)
    cut_short_in_policy_training(unfinished)
    odyssey(unfinished.root, "run")
    assert table_hashes(unfinished.root) == unfinished.after
    assert published_tickers(unfinished.root) == set(TICKERS)
    assert checkpoints(unfinished.root) == []
    with dg.DagsterInstance.from_config(str(unfinished.root / "dagster")) as instance:
        statuses = {run.status for run in instance.get_runs()}
    assert statuses <= {
        dg.DagsterRunStatus.SUCCESS,
        dg.DagsterRunStatus.FAILURE,
        dg.DagsterRunStatus.CANCELED,
    }
