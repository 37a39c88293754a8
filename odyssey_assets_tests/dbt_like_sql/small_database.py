"""The whole SQL project over a few rows in memory: every model a view over tables filled by hand.

For cases that a made-up market does not have. What a test does not add is not there.
"""

from collections.abc import Mapping
from datetime import date
from itertools import groupby

import duckdb
import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.forecasting.tables import FOLDS
from odyssey_assets.market_data.tables import BARS, RAW_BARS
from odyssey_assets_tests.dbt_like_sql.market import TABLES
from odyssey_assets_tests.dbt_like_sql.monitored import promotion
from odyssey_assets_tests.dbt_like_sql.stored import PROJECT

Row = Mapping[str, object]
WINDOW = "2024-07-01"
SESSIONS = [day.date() for day in pd.bdate_range("2024-07-01", "2024-07-31")]
NEWEST = str(SESSIONS[-1])


class SmallDatabase:
    """An in-memory database with all tables and models; empty at first."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config={"threads": 1})
        for schema in {table.schema for table in TABLES} | {m.key[0] for m in PROJECT.models}:
            self._connection.execute(f"create schema {schema}")
        for table in TABLES:
            columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
            self._connection.execute(f"create table {table.qualified_name} ({columns})")
        for model in PROJECT.models:
            self._connection.execute(f"create view {'.'.join(model.key)} as {model.sql}")

    def add(self, contract: TableContract, *rows: Row) -> None:
        """Insert rows; columns that they leave out are null."""
        for names, alike in groupby(rows, key=tuple):
            values = [list(row.values()) for row in alike]
            columns = ", ".join(f'"{name}"' for name in names)
            places = ", ".join(f"({', '.join('?' for _ in names)})" for _ in values)
            self._connection.execute(
                f"insert into {contract.qualified_name} ({columns}) values {places}",
                [value for row in values for value in row],
            )

    def read(self, sql: str) -> pd.DataFrame:
        """Return the rows of a query."""
        return self._connection.execute(sql).df()

    def add_market(self, *tickers: str, until: date = SESSIONS[-1]) -> None:
        """Insert bars of the sessions of July 2024, for each ticker, with their delivery."""
        rows = [
            {"ticker": ticker, "date": day, "source": "files", "close": 10.0, "is_simulated": False}
            for ticker in tickers
            for day in SESSIONS
            if day <= until
        ]
        self.add(BARS, *({**row, "is_filled": False, "is_anomalous": False} for row in rows))
        self.add(RAW_BARS, *({**row, "row_sha256": "d", "ingested_at": NEWEST} for row in rows))

    def add_own_model(self, ticker: str, window: str = WINDOW) -> str:
        """Insert a trained fold and return the SHA-256 of its model."""
        sha = f"own {ticker} {window}"
        fold = {
            "ticker": ticker, "window": window, "model": "xgboost", "status": "trained",
            "model_name": f"xgboost/{ticker}/{window}/k", "model_sha256": sha,
        }  # fmt: skip
        self.add(FOLDS, fold)
        return sha


def session(number: int) -> date:
    """Return the session of July 2024 with that number, from 1."""
    return SESSIONS[number - 1]


def reign(day: date, sha: str, **values: object) -> dict[str, object]:
    """Return a row of the ledger of promotions: a model that serves AAA after `day`."""
    row = {
        "subject": "AAA", "window": WINDOW, "as_of": day, "decision": "promoted",
        "is_champion": True, "serves_after": day, "model_sha256": sha, **values,
    }  # fmt: skip
    return promotion(**row)


def brief_lines(database: SmallDatabase, section: str) -> list[tuple[str, str, str]]:
    """Return subject, text and severity of the lines of a section of the brief."""
    rows = database.read(
        "select subject, text, severity from marts.mart_morning_brief "
        f"where section = '{section}' order by line"
    )
    return [(row.subject, row.text, row.severity) for row in rows.itertuples()]
