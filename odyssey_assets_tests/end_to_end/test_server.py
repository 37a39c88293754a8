"""The real webserver and daemon: a partition materialized over GraphQL, and what follows it."""

import json
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from odyssey_assets_tests.end_to_end.small_market import LEARNED_WINDOWS, ODYSSEY, environment

CELL, NEWEST_WINDOW = (LEARNED_WINDOWS[0], "MSFT"), LEARNED_WINDOWS[1]
ENDED = ("SUCCESS", "FAILURE", "CANCELED")
LAUNCH = """
mutation Launch($params: ExecutionParams!) {
    launchRun(executionParams: $params) {
        __typename
        ... on LaunchRunSuccess { run { runId } }
        ... on PythonError { message }
        ... on RunConfigValidationInvalid { errors { message } }
    }
}
"""
RUNS = """
query Runs {
    runsOrError(limit: 20) {
        ... on Runs { results { runId jobName status tags { key value } } }
    }
}
"""
CELL_METADATA = """
query Cell($key: AssetKeyInput!, $cell: [String!]) {
    assetOrError(assetKey: $key) {
        ... on Asset {
            assetMaterializations(partitions: $cell, limit: 1) {
                runId
                metadataEntries { label ... on MarkdownMetadataEntry { mdStr } }
            }
        }
    }
}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, query: str, variables: Mapping[str, object] | None = None) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": query, "variables": variables or {}}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        content: dict[str, Any] = json.load(response)
    assert "errors" not in content, content
    return dict(content["data"])


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(1.0)
    pytest.fail(f"{what} did not happen within {seconds:.0f} s")


def is_up(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture
def server(finished_home: Path, tmp_path: Path) -> Iterator[int]:
    """Start `odyssey ui` on a copy of the finished home; yield its port."""
    home = tmp_path / "home"
    shutil.copytree(finished_home, home)
    port = free_port()
    with (
        (tmp_path / "ui.log").open("w") as log,
        subprocess.Popen(
            [ODYSSEY, "ui", "--port", str(port)],
            env=environment(home, ODYSSEY_REPORTS_PORT="0"),
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            wait_for(lambda: is_up(port), 120, "the webserver's start")
            yield port
        finally:
            family = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGINT)
            process.wait(timeout=90)
            assert not psutil.wait_procs(family, timeout=30)[1], "somebody was left behind"


@dataclass(frozen=True)
class Run:
    """A run as the server lists it."""

    job: str
    status: str
    tags: Mapping[str, str]


def runs(port: int) -> dict[str, Run]:
    """Return the newest runs by their ids."""
    results = ask(port, RUNS)["runsOrError"]["results"]
    return {
        run["runId"]: Run(
            run["jobName"], run["status"], {tag["key"]: tag["value"] for tag in run["tags"]}
        )
        for run in results
    }


def launch(port: int, job: str, tags: Mapping[str, str]) -> str:
    selector = {
        "repositoryLocationName": "odyssey",
        "repositoryName": "__repository__",
        "jobName": job,
    }
    metadata = {"tags": [{"key": key, "value": value} for key, value in tags.items()]}
    params = {"selector": selector, "executionMetadata": metadata, "mode": "default"}
    launched = ask(port, LAUNCH, {"params": params})["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    return str(launched["run"]["runId"])


@pytest.mark.timeout(1200)
def test_partition_materialized_over_graphql_is_followed_by_portfolio_and_published_marts(
    server: int,
) -> None:
    window, ticker = CELL
    before = set(runs(server))
    run_id = launch(
        server,
        "refresh_market",
        {
            "dagster/partition": f"{window}|{ticker}",
            "dagster/partition/date": window,
            "dagster/partition/ticker": ticker,
        },
    )
    wait_for(lambda: runs(server)[run_id].status in ENDED, 300, "the run's end")
    assert runs(server)[run_id].status == "SUCCESS"
    cell = ask(
        server,
        CELL_METADATA,
        {"key": {"path": ["market_data", "bars"]}, "cell": [f"{window}|{ticker}"]},
    )
    materialization = cell["assetOrError"]["assetMaterializations"][0]
    assert materialization["runId"] == run_id
    entries = {entry["label"]: entry for entry in materialization["metadataEntries"]}
    assert entries["price"]["mdStr"].startswith("![Price of MSFT](data:image/png;base64,")

    def followers() -> dict[str, Run]:
        found = {key: run for key, run in runs(server).items() if key not in {*before, run_id}}
        return {run.job: run for run in found.values()}

    def has_ended(job: str) -> bool:
        return job in followers() and followers()[job].status in ENDED

    for job in ("refresh_portfolio", "refresh_marts"):
        wait_for(partial(has_ended, job), 300, job)
        assert followers()[job].status == "SUCCESS"
    held = followers()["refresh_portfolio"].tags
    assert held["dagster/asset_partition_range_start"] == window
    assert held["dagster/asset_partition_range_end"] == NEWEST_WINDOW
