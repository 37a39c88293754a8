"""DuckDB binds the SQL project to empty tables."""

from pathlib import Path

import pytest

from odyssey_assets.contracts import Column, TableContract
from odyssey_assets.errors import SqlProjectError
from odyssey_assets.infrastructure.sql_binding import bind_project
from odyssey_assets.infrastructure.sql_project import load_project
from odyssey_assets.infrastructure.sql_specs import SqlProject

PRICES = TableContract(
    schema="shop",
    name="prices",
    description="Prices.",
    grain=("item",),
    columns=(
        Column("item", "VARCHAR", "What is sold."),
        Column("price", "DOUBLE", "Price, USD."),
    ),
    date_column=None,
    ticker_column=None,
)
MODEL, TEST = "marts/mart_prices.sql", "tests/prices_are_positive.sql"
FILES = {
    MODEL: "-- description: Prices.\n-- grain: item\n"
    "select\n    item,\n    price,\n    price > 1 as is_dear -- Above a dollar.\n"
    "from shop.prices\n",
    TEST: "-- asset: marts.mart_prices\n-- description: Prices are positive.\n"
    "-- severity: warn\n-- blocking: false\n"
    "select item from marts.mart_prices where price <= 0\n",
}


def _load(folder: Path, files: dict[str, str]) -> SqlProject:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return load_project(folder, (PRICES,))


def test_binding_returns_the_types_of_all_columns_in_order(tmp_path: Path) -> None:
    types = bind_project(_load(tmp_path, FILES))
    assert {key: list(columns.items()) for key, columns in types.items()} == {
        ("marts", "mart_prices"): [
            ("item", "VARCHAR"), ("price", "DOUBLE"), ("is_dear", "BOOLEAN"),
        ]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (MODEL, ("price > 1", "dear(price)"), r"mart_prices\.sql: DuckDB.*Function.*dear"),
        (MODEL, ("from shop.prices", "from shop.prices where gone"), r"mart_prices\.sql: .*gone"),
        (TEST, ("price <= 0", "gone <= 0"), "test prices_are_positive: DuckDB cannot run it.*gone"),
    ],
)
def test_binding_names_what_duckdb_refuses(
    tmp_path: Path, name: str, change: tuple[str, str], message: str
) -> None:
    project = _load(tmp_path, {**FILES, name: FILES[name].replace(*change)})
    with pytest.raises(SqlProjectError, match=message):
        bind_project(project)
