"""Odyssey: from daily prices to forecasts, one Dagster asset graph stored in DuckDB.

Importing the package sets, before any numeric library loads, the environment that every Odyssey
process relies on: one thread per numeric library (parallelism is over processes; threads inside
small fits only take the other core, and a fixed count keeps results repeatable), Dagster events
stored in batches, and no telemetry. A variable that a person has set already is left alone.
Nothing else belongs here.
"""

import os

_PROCESS_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "DAGSTER_EVENT_BATCH_SIZE": "1000",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}

for _name, _value in _PROCESS_ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)
