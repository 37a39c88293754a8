"""SQL models: views and tables with comments, in place of each other, with repeatable hashes."""

from pathlib import Path

import duckdb
import pytest

from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.errors import SqlProjectError
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.sql_models import ModelKind, SqlModel, write_model
from odyssey_assets.infrastructure.warehouse import Warehouse, WriteReceipt
from odyssey_assets_tests.infrastructure.conftest import QUICK
from odyssey_assets_tests.infrastructure.price_table import PRICES, TICKERS, prices

SQL = "select ticker, avg(close) as mean_close from market.prices group by ticker"


def create(warehouse: Warehouse, kind: ModelKind, sql: str = SQL) -> WriteReceipt:
    return warehouse.create_model(
        "marts", "means", kind, sql, "Mean prices.", {"mean_close": "USD; it's a mean."}
    )


def stored_kinds(warehouse: Warehouse) -> list[str]:
    found = warehouse.query(
        "select table_type from information_schema.tables where table_name = 'means'"
    )
    return found["table_type"].tolist()


@pytest.mark.parametrize(("kind", "stored"), [("view", "VIEW"), ("table", "BASE TABLE")])
def test_model_is_stored_with_its_comments(
    warehouse: Warehouse, kind: ModelKind, stored: str
) -> None:
    warehouse.replace(PRICES, prices(), (WHOLE_TABLE,))
    receipt = create(warehouse, kind)
    assert receipt.row_count == len(TICKERS)
    assert stored_kinds(warehouse) == [stored]
    comments = warehouse.query(
        "select comment from duckdb_columns() where table_name = 'means' order by column_index"
    )
    assert comments["comment"].tolist()[1] == "USD; it's a mean."
    views = warehouse.query(
        "select comment from duckdb_views() where view_name = 'means' "
        "union all select comment from duckdb_tables() where table_name = 'means'"
    )
    assert views["comment"].tolist() == ["Mean prices."]


def test_view_becomes_a_table_and_a_view_again(warehouse: Warehouse) -> None:
    warehouse.replace(PRICES, prices(), (WHOLE_TABLE,))
    kinds: tuple[ModelKind, ...] = ("view", "table", "table", "view", "view")
    for kind in kinds:
        create(warehouse, kind)
    assert stored_kinds(warehouse) == ["VIEW"]


def test_hash_of_a_table_depends_on_its_rows_not_on_their_order(warehouse: Warehouse) -> None:
    warehouse.replace(PRICES, prices(), (WHOLE_TABLE,))
    ascending = create(warehouse, "table", SQL + " order by ticker")
    descending = create(warehouse, "table", SQL + " order by ticker desc")
    assert ascending.content_sha256 == descending.content_sha256
    other = create(warehouse, "table", SQL.replace("avg", "min") + " limit 2")
    assert other.content_sha256 != ascending.content_sha256


def test_model_on_a_replaced_table_follows_it(warehouse: Warehouse) -> None:
    warehouse.replace(PRICES, prices(close=1.0), (WHOLE_TABLE,))
    create(warehouse, "view")
    warehouse.replace(PRICES, prices(close=2.0), (WHOLE_TABLE,))
    found = warehouse.query("select distinct mean_close from marts.means")
    assert found["mean_close"].tolist() == [2.0]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select nothing from market.prices", "nothing"),
        ("select from where", "syntax"),
        ("select 'x'::integer as mean_close", "x"),
    ],
)
def test_statement_that_fails_names_the_model_and_keeps_the_stored_one(
    home: Home, sql: str, reason: str
) -> None:
    warehouse = Warehouse(home, QUICK)
    warehouse.replace(PRICES, prices(), (WHOLE_TABLE,))
    create(warehouse, "table")
    with pytest.raises(SqlProjectError, match=rf"(?s)marts\.means .*{reason}.*Fix its SQL"):
        create(warehouse, "table", sql)
    assert len(warehouse.query("select * from marts.means")) == len(TICKERS)


def test_write_model_of_a_file_that_cannot_grow_passes_the_io_error_on(tmp_path: Path) -> None:
    missing = tmp_path / "missing.parquet"
    model = SqlModel("marts", "m", "table", f"select * from '{missing}'", "Files.", {})
    with duckdb.connect() as connection, pytest.raises(duckdb.IOException, match="missing"):
        write_model(connection, model)
