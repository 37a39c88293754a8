"""The command as a person meets it: what it prints, where errors go, and its exit status."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from datetime import date
from io import StringIO
from pathlib import Path

import dagster as dg
import pytest
from rich.console import Console

from odyssey_assets.cli import FAILED, INTERRUPTED, PIPED_WIDTH, main
from odyssey_assets.infrastructure.console import StageProgress, print_frame
from odyssey_assets.infrastructure.driver import StepEvent
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.partitions import RANGE_END_TAG, RANGE_START_TAG
from odyssey_assets.what_if import FIGURES, Question, answer
from odyssey_assets_tests.samples import scrape
from odyssey_assets_tests.tiny_market import ENVIRONMENT, TICKERS, WINDOWS, TinyHome, invoke

SIGNALS = "select ticker from marts.mart_daily_signals order by ticker"
HOLD_RUN_LOCK = """
import sys
from pathlib import Path
from odyssey_assets.infrastructure.run_lock import hold_run_lock
with hold_run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
FAKE_DAGSTER = """#!/bin/sh
echo "$@" > "$(dirname "$0")/arguments"
echo "$DAGSTER_HOME" > "$(dirname "$0")/home"
exit 3
"""
FETCHING_DAGSTER = """
import os
from pathlib import Path
from urllib.request import urlopen
address = f"http://127.0.0.1:{os.environ['ODYSSEY_REPORTS_PORT']}/tear_sheets/ppo.html"
with urlopen(address, timeout=10) as response:
    Path(__file__).with_name("fetched").write_bytes(response.read())
"""


def test_run_from_nothing_shows_stages_tables_quality_and_what_to_do_next(
    tiny_home: TinyHome,
) -> None:
    shown = tiny_home.output
    for stage in (
        "market_data.raw_bars", "compute_features", "walk_forward", "train_policies",
        "hold_portfolios", "backtest_strategies", "write_tear_sheets", "published.database",
    ):  # fmt: skip
        assert f"done {stage}" in shown
    assert "market_data.bars" in shown
    assert "Forecast quality, out of sample (simulated data)" in shown
    assert "Strategies after costs" in shown
    assert "Best after costs: " in shown
    assert "ppo: no forecasts before" in shown
    assert f"--home {tiny_home.root}" in shown.replace("\n", "")
    assert (tiny_home.root / "published" / "odyssey.duckdb").exists()


def test_run_without_disk_space_is_refused_before_it_begins(tmp_path: Path) -> None:
    done = invoke(tmp_path / "home", "run", ODYSSEY_WAREHOUSE__MIN_FREE_GB="1e9")
    assert done.exit_code == FAILED
    assert "1000000000.00 GB are needed" in done.stderr
    assert "done" not in done.output


def test_run_whose_source_delivers_nothing_names_the_cause_and_fails(tmp_path: Path) -> None:
    prices = tmp_path / "prices"
    prices.mkdir()
    (prices / "AAPL.csv").write_text("nothing of use")
    arguments = ("--source", "files", "--price-dir", str(prices))
    done = invoke(tmp_path / "home", "run", *arguments, ODYSSEY_MACRO_SERIES="")
    assert done.exit_code == FAILED
    assert "market_data__raw_bars: The source files delivered none of 2 tickers" in done.output
    assert "Forecast quality" not in done.output
    assert not (tmp_path / "home" / "published" / "odyssey.duckdb").exists()


def test_nightly_run_of_an_empty_home_is_refused(tmp_path: Path) -> None:
    done = invoke(tmp_path / "home", "run", "--nightly")
    assert done.exit_code == FAILED
    assert "filled by: none" in done.stderr
    assert "without --nightly" in done.stderr


def test_nightly_run_of_another_source_is_refused(tiny_home: TinyHome, tmp_path: Path) -> None:
    arguments = ("--nightly", "--source", "files", "--price-dir", str(tmp_path))
    done = invoke(tiny_home.root, "run", *arguments)
    assert done.exit_code == FAILED
    assert "filled by: simulated" in done.stderr


def test_run_beside_another_run_of_the_home_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_RUN_LOCK, str(home.run_lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "held"
        done = invoke(home.root, "run")
        other.communicate("")
    assert done.exit_code == FAILED
    assert f"process {other.pid}" in done.stderr


def test_nightly_run_that_is_interrupted_says_so_and_leaves_all_in_order(
    tiny_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_step = StageProgress.on_step

    def interrupt(progress: StageProgress, event: StepEvent) -> None:
        show_step(progress, event)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(StageProgress, "on_step", interrupt)
    database = tiny_copy / "published" / "odyssey.duckdb"
    published = database.read_bytes()
    done = invoke(tiny_copy, "run", "--nightly")
    assert done.exit_code == INTERRUPTED
    assert "Run again to go on" in done.stderr
    assert database.read_bytes() == published
    runs = dg.DagsterInstance.from_config(str(tiny_copy / "dagster")).get_runs()
    assert all(run.is_finished for run in runs)
    assert runs[0].tags[RANGE_START_TAG] == runs[0].tags[RANGE_END_TAG] == WINDOWS[-1]


def test_run_with_a_malformed_option_says_which_in_one_message(tmp_path: Path) -> None:
    done = invoke(tmp_path / "home", "run", "--start", "nonsense")
    assert done.exit_code == FAILED
    assert "start" in done.stderr
    assert "'nonsense'" in done.stderr
    assert not (tmp_path / "home").exists()


def test_query_prints_the_same_rows_in_every_format(tiny_home: TinyHome) -> None:
    csv = invoke(tiny_home.root, "query", SIGNALS, "--format", "csv").output
    assert csv.splitlines() == ["ticker", *TICKERS]
    rows = json.loads(invoke(tiny_home.root, "query", SIGNALS, "--format", "json").output)
    assert [row["ticker"] for row in rows] == list(TICKERS)
    table = invoke(tiny_home.root, "query", SIGNALS).output
    assert "2 rows" in table
    assert all(ticker in table for ticker in TICKERS)


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("select '[/red] and [bold]' as markup", "[/red] and [bold]"),
        ("select [1, 2] as list, null as nothing", "[1 2]"),
        ("select 1 as a, 2 as a", "1"),
    ],
)
@pytest.mark.parametrize("output", ["table", "csv", "json"])
def test_query_prints_every_kind_of_value(
    tiny_home: TinyHome, sql: str, shown: str, output: str
) -> None:
    done = invoke(tiny_home.root, "query", sql, "--format", output)
    assert done.exit_code == 0, done.output
    if output == "table":
        assert shown in done.output


@pytest.mark.parametrize("sql", ["select nonsense", "", "drop table market_data.bars"])
def test_query_that_is_refused_says_why_and_fails(tiny_home: TinyHome, sql: str) -> None:
    done = invoke(tiny_home.root, "query", sql)
    assert done.exit_code == FAILED
    assert "The query" in done.stderr


def test_query_before_the_first_run_says_what_to_do(tmp_path: Path) -> None:
    done = invoke(tmp_path / "home", "query", SIGNALS)
    assert done.exit_code == FAILED
    assert "Run `odyssey run`" in done.stderr


def test_metrics_are_served_at_the_address_that_is_shown_until_interrupted(
    tiny_home: TinyHome,
) -> None:
    command = [
        str(Path(sys.executable).with_name("odyssey")), "metrics", "--port", "0",
        "--home", str(tiny_home.root),
    ]  # fmt: skip
    with subprocess.Popen(
        command, env={**os.environ, **ENVIRONMENT}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        shown = re.search(
            r"Metrics on http://127\.0\.0\.1:(\d+)/metrics", process.stdout.readline()
        )
        assert shown is not None
        assert scrape(int(shown.group(1)))["odyssey_up"] == {"": 1.0}
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_metrics_whose_port_is_taken_are_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = invoke(tmp_path / "home", "metrics", "--port", port)
    assert done.exit_code == FAILED
    assert "Choose another address with --host and --port" in done.stderr


def test_doctor_of_a_home_that_works_succeeds(tiny_home: TinyHome) -> None:
    done = invoke(tiny_home.root, "doctor")
    assert done.exit_code == 0, done.output
    assert "odyssey doctor" in done.output
    assert "error" not in done.output


def test_doctor_of_a_source_that_cannot_deliver_fails(tmp_path: Path) -> None:
    changes = {"ODYSSEY_SOURCE": "files", "ODYSSEY_PRICE_DIR": str(tmp_path / "absent")}
    done = invoke(tmp_path / "home", "doctor", **changes)
    assert done.exit_code == FAILED
    assert "error" in done.output


def test_ui_starts_dagster_on_the_instance_of_the_home_and_returns_its_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "dagster").write_text(FAKE_DAGSTER)
    (programs / "dagster").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    done = invoke(tmp_path / "home", "ui", "--port", "4000", ODYSSEY_REPORTS_PORT="0")
    assert done.exit_code == 3
    assert "Dagster on http://127.0.0.1:4000" in done.output
    assert re.search(r"Reports on http://127\.0\.0\.1:[1-9]\d+, folder", done.output)
    arguments = (programs / "arguments").read_text().split()
    assert arguments[0] == "dev"
    assert Path(arguments[arguments.index("--workspace") + 1]).exists()
    assert arguments[arguments.index("--port") + 1] == "4000"
    instance = Path((programs / "home").read_text().strip())
    assert instance == tmp_path / "home" / "dagster"
    assert "QueuedRunCoordinator" in (instance / "dagster.yaml").read_text()


def test_ui_serves_the_reports_for_as_long_as_dagster_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = Home(tmp_path / "home").tear_sheets / "ppo.html"
    report.parent.mkdir(parents=True)
    report.write_text("a report")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "dagster").write_text(f"#!{sys.executable}\n{FETCHING_DAGSTER}")
    (programs / "dagster").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    port = free_port()
    done = invoke(tmp_path / "home", "ui", ODYSSEY_REPORTS_PORT=str(port))
    assert done.exit_code == 0, done.output
    assert (programs / "fetched").read_text() == "a report"
    with socket.socket() as afterwards:
        afterwards.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        afterwards.bind(("127.0.0.1", port))


def test_ui_whose_reports_cannot_be_served_is_refused_before_dagster_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no_dagster_here" / "python"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = invoke(tmp_path / "home", "ui", ODYSSEY_REPORTS_PORT=port)
    assert done.exit_code == FAILED
    assert "Set another port with ODYSSEY_REPORTS_PORT" in done.stderr


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_backtest_without_options_shows_the_stored_run_twice(tiny_home: TinyHome) -> None:
    done = invoke(tiny_home.root, "backtest", "--policy", "equal_weight")
    assert done.exit_code == 0, done.output
    assert "equal_weight after costs" in done.output
    assert "Simulated data." in done.output
    rows = [line.split("│")[1:-1] for line in done.output.splitlines() if "│" in line]
    cells = {name.strip(): (one.strip(), two.strip()) for name, one, two in rows}
    assert set(cells) == set(FIGURES)
    assert all(one == two for one, two in cells.values())


def test_backtest_passes_every_option_on(
    tiny_home: TinyHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {
        "--policy": "momentum", "--from": "2021-08-10", "--to": "2022-03-31",
        "--commission-bps": "1", "--slippage-bps": "2", "--max-weight": "0.15",
        "--cash-reserve": "0.5", "--rebalance": "weekly",
    }  # fmt: skip
    done = invoke(tiny_home.root, "backtest", *(each for pair in options.items() for each in pair))
    assert done.exit_code == 0, done.output
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    question = Question(
        "momentum", date(2021, 8, 10), date(2022, 3, 31), 1.0, 2.0, 0.15, 0.5, "weekly"
    )
    found = answer(question, tiny_home.root)
    console = Console(width=PIPED_WIDTH, file=StringIO())
    print_frame(console, "momentum after costs", found.figures)
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue() in done.output
    assert all(note in done.output for note in found.notes)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--policy", "oracle"), "'oracle' is no policy of this home"),
        (("--policy", "momentum", "--from", "soon"), "--from is a day like 2024-12-31; found"),
        (("--policy", "momentum", "--to", "2022-02-30"), "--to is a day like"),
        (("--policy", "momentum", "--rebalance", "hourly"), "found 'hourly'"),
        (("--policy", "momentum", "--commission-bps", "-1"), "costs.commission_bps"),
    ],
)
def test_backtest_that_makes_no_sense_says_why_and_fails(
    options: tuple[str, ...], words: str, tiny_home: TinyHome
) -> None:
    done = invoke(tiny_home.root, "backtest", *options)
    assert done.exit_code == FAILED
    assert words in done.stderr


def test_backtest_before_the_first_run_says_what_to_do(tmp_path: Path) -> None:
    done = invoke(tmp_path / "home", "backtest", "--policy", "momentum")
    assert done.exit_code == FAILED
    assert "Run `odyssey run`" in done.stderr
    assert not (tmp_path / "home").exists()


def test_command_without_arguments_lists_its_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["odyssey", "--help"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in ("run", "ui", "query", "backtest", "doctor"))
