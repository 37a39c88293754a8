"""Reading the published database the way an analyst does: read-only, without any lock."""

from pathlib import Path

import duckdb
import pandas as pd

from odyssey_assets.errors import WarehouseError


def query_published(published: Path, sql: str) -> pd.DataFrame:
    """Return the rows of a query over the published database.

    Raises:
        WarehouseError: Nothing is published yet, the query is empty, or DuckDB refuses it.
    """
    if not published.exists():
        raise WarehouseError(
            f"Nothing is published at {published} yet. Run `odyssey run`, or name the home with "
            "--home."
        )
    try:
        with duckdb.connect(str(published), read_only=True) as connection:
            if not connection.extract_statements(sql):
                raise WarehouseError("The query holds no statement, expected a select statement.")
            return connection.execute(sql).df()
    except duckdb.Error as error:
        raise WarehouseError(
            f"The query failed: {error}. `show all tables` lists what there is."
        ) from error
