"""Seconds that Dagster needs to load the code location, beside one that imports everything.

Run: `.venv/bin/python -m benchmarks.code_location`
"""

import statistics
import subprocess
import sys
import time

from benchmarks.measurement import print_conditions

REPEATS = 5
TARGET_S = 2.5
LOAD = "import odyssey_assets.definitions as d; d.build_defs().resolve_all_job_defs()"
EVERYTHING = (
    "import great_expectations, mlflow, xgboost, sklearn.cluster, matplotlib.figure, numba;"
    "import yfinance;" + LOAD
)


def median_seconds(script: str) -> float:
    """Return the median wall time of a fresh interpreter running `script`."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    """Print both times and their ratio."""
    print_conditions(["dagster", "pandas", "duckdb"])
    ours, everything = median_seconds(LOAD), median_seconds(EVERYTHING)
    print(f"code location           {ours:6.2f} s   (target {TARGET_S} s)")
    print(f"with everything imported {everything:5.2f} s")
    print(f"ratio                   {everything / ours:6.2f}")


if __name__ == "__main__":
    main()
