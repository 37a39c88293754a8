"""The deployed files as tests read them, and the names of metrics in their expressions."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import odyssey_assets

DEPLOY = Path(odyssey_assets.__file__).resolve().parents[1] / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
METRIC = re.compile(r"\bodyssey_\w+")


def load(path: Path) -> Any:
    """Return the content of a YAML file."""
    return yaml.safe_load(path.read_text())


def metric_names(expression: str) -> set[str]:
    """Return the Odyssey metrics that a PromQL expression reads."""
    return set(METRIC.findall(expression))


def alert_rules() -> Iterator[dict[str, Any]]:
    """Yield every alert rule."""
    for group in load(PROMETHEUS / "alerts.yml")["groups"]:
        yield from group["rules"]


def promtool(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run promtool beside the rules; skip the test where it is not installed."""
    beside = Path(sys.executable).parent / "promtool"
    program = str(beside) if beside.exists() else shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed; `make promtool` fetches Debian's")
    return subprocess.run(
        [program, *arguments],
        cwd=PROMETHEUS,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
