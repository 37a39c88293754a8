"""Simulated markets of growing size through the whole graph: seconds and peak memory by stage.

Run: `.venv/bin/python -m benchmarks.scale [15 60 240]`. Each size runs in a process of its own,
from an empty home. The baseline is linear growth from the smallest size.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from rich.console import Console

from benchmarks.measurement import MemorySampler, print_conditions
from odyssey_assets.definitions import build_defs
from odyssey_assets.headless import job_tags, with_fixed_break
from odyssey_assets.infrastructure.driver import StepEvent, open_instance, run_job
from odyssey_assets.infrastructure.home import home_of, load_settings, remember_universe
from odyssey_assets.infrastructure.partitions import build_grid
from odyssey_assets.settings import DEFAULT_TICKERS

SIZES = (15, 60, 240)
MEMORY_TARGET_MB = 8000


def market_of(size: int) -> str:
    """Return `size` tickers: the default ones first, then made-up names."""
    return ",".join([*DEFAULT_TICKERS, *(f"SIM{number:03d}" for number in range(size))][:size])


def measure(size: int, home: Path) -> list[dict[str, object]]:
    """Run the graph over a market of `size` tickers; return seconds and memory by stage."""
    settings = with_fixed_break(
        load_settings(home=home, source="simulated", tickers=market_of(size))
    )
    instance = open_instance(home_of(settings))
    remember_universe(settings)
    definitions = build_defs(home=home)
    began: dict[str, float] = {}
    seconds: dict[str, float] = {}
    with MemorySampler() as sampler:

        def on_step(event: StepEvent) -> None:
            sampler.stage = event.step
            if event.kind == "started":
                began[event.step] = event.timestamp
            else:
                seconds[event.step] = event.timestamp - began[event.step]

        started = time.perf_counter()
        windows = build_grid(settings).window_list()
        for job, tags in job_tags(settings.tickers, windows).items():
            outcome = run_job(definitions, instance, job, tags, on_step)
            if not outcome.is_success:
                sys.exit("\n".join(outcome.errors))
        seconds["all"] = time.perf_counter() - started
    peaks = {**sampler.peaks_mb, "all": max(sampler.peaks_mb.values())}
    return [
        {"tickers": size, "stage": stage, "seconds": value, "peak_mb": peaks.get(stage, 0.0)}
        for stage, value in seconds.items()
    ]


def main() -> None:
    """Measure every size and print the table."""
    print_conditions(["dagster", "duckdb", "pandas", "xgboost"])
    sizes = [int(size) for size in sys.argv[1:]] or list(SIZES)
    rows: list[dict[str, object]] = []
    for size in sizes:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.scale", "--one", str(size)],
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        rows += json.loads(done.stdout.splitlines()[-1])
    print_table(pd.DataFrame(rows), sizes)


def print_table(figures: pd.DataFrame, sizes: list[int]) -> None:
    """Print seconds and memory by stage and size, and growth against linear."""
    table = figures.pivot_table(
        index="stage", columns="tickers", values=["seconds", "peak_mb"], sort=False
    ).round(1)
    Console(width=160).print(table.to_string())
    total = figures[figures["stage"] == "all"].set_index("tickers")
    for size in sizes[1:]:
        growth = total["seconds"][size] / total["seconds"][sizes[0]]
        print(
            f"{size} tickers: {growth:.1f} times the time of {sizes[0]} "
            f"(linear: {size / sizes[0]:.1f}), peak {total['peak_mb'][size]:,.0f} MB "
            f"(target {MEMORY_TARGET_MB:,})"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(int(sys.argv[2]), Path(folder))))
    else:
        main()
