"""The form of contracts in DuckDB: columns, comments, and what changed since."""

from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pytest

from odyssey_assets.contracts import Column
from odyssey_assets.errors import WarehouseError
from odyssey_assets.infrastructure.table_layout import (
    LAYOUT_VERSION,
    add_columns,
    comment_table,
    create_table,
    layout_difference,
    mark_layout,
    refuse_newer_layout,
    stored_columns,
    write_comments,
)
from odyssey_assets_tests.infrastructure.price_table import PRICES

COMMENTS = "select column_name, comment from duckdb_columns() where schema_name = 'market'"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def comments(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(connection.execute(COMMENTS).fetchall())


def test_created_table_has_every_column_with_type_and_comment(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    create_table(connection, PRICES)
    assert stored_columns(connection, "market", "prices") == {
        column.name: column.type for column in PRICES.columns
    }
    assert comments(connection) == {column.name: column.description for column in PRICES.columns}
    table = connection.execute("select comment from duckdb_tables()").fetchone()
    assert table == (PRICES.description,)


def test_changed_descriptions_reach_the_stored_table(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    create_table(connection, PRICES)
    columns = tuple(replace(column, description="Other.") for column in PRICES.columns)
    comment_table(connection, replace(PRICES, description="New.", columns=columns))
    assert set(comments(connection).values()) == {"Other."}
    table = connection.execute("select comment from duckdb_tables()").fetchone()
    assert table == ("New.",)


def test_added_columns_keep_the_rows(connection: duckdb.DuckDBPyConnection) -> None:
    create_table(connection, PRICES)
    connection.execute("insert into market.prices (ticker) values ('AAA')")
    new = Column("venue", "VARCHAR", "Where it trades.", is_nullable=True)
    add_columns(connection, replace(PRICES, columns=(*PRICES.columns, new)), (new,))
    found = connection.execute("select ticker, venue from market.prices").fetchall()
    assert found == [("AAA", None)]
    assert comments(connection)["venue"] == "Where it trades."


def test_names_that_are_words_of_sql_are_quoted(connection: duckdb.DuckDBPyConnection) -> None:
    odd = replace(
        PRICES,
        schema="select",
        name='ta"ble',
        grain=("window",),
        columns=(Column("window", "DATE", "It's; a -- word."),),
        date_column="window",
        ticker_column=None,
    )
    create_table(connection, odd)
    assert stored_columns(connection, "select", 'ta"ble') == {"window": "DATE"}


def test_layout_difference_names_each_kind_of_change() -> None:
    declared = {column.name: str(column.type) for column in PRICES.columns}
    assert layout_difference(PRICES, declared) == ""
    reordered = dict(reversed(declared.items()))
    assert layout_difference(PRICES, reordered) == ""
    del declared["lots"]
    stored = declared | {"close": "VARCHAR", "venue": "VARCHAR"}
    assert layout_difference(PRICES, stored) == (
        "not stored: lots; no longer declared: venue; "
        "of another type: close is VARCHAR, declared DOUBLE"
    )


def test_layout_version_is_written_once_and_a_newer_one_refused(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    refuse_newer_layout(connection)
    mark_layout(connection)
    mark_layout(connection)
    refuse_newer_layout(connection)
    assert connection.execute("select version from meta.layout").fetchall() == [(LAYOUT_VERSION,)]
    connection.execute("update meta.layout set version = version + 1")
    with pytest.raises(WarehouseError, match=f"layout {LAYOUT_VERSION + 1}.*--home"):
        refuse_newer_layout(connection)


def test_view_takes_comments_too(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema market; create view market.v as select 1 as a")
    write_comments(connection, "view", "market.v", "A view.", {"a": "One."})
    assert comments(connection) == {"a": "One."}
