"""Reading a folder of SQL files: order, headers, descriptions, and what bad files get."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from odyssey_assets.contracts import Column, TableContract
from odyssey_assets.errors import SqlProjectError
from odyssey_assets.infrastructure.sql_project import load_project
from odyssey_assets.infrastructure.sql_specs import SqlProject

REAL_FOLDER = Path(__file__).resolve().parents[2] / "dbt_like_sql"
PRICES = TableContract(
    schema="shop",
    name="prices",
    description="Prices.",
    grain=("item", "date"),
    columns=(
        Column("item", "VARCHAR", "What is sold."),
        Column("date", "DATE", "Day of sale."),
        Column("price", "DOUBLE", "Price, USD."),
    ),
    ticker_column=None,
)
HEADER = "-- description: Some rows.\n-- grain: item\n"
STAGING = HEADER + "select\n    item,\n    price\nfrom shop.prices\n"
MART = HEADER + (
    "select\n    p.item,\n    sum(p.price) as total -- All that was paid, USD.\n"
    "from staging.stg_prices as p\ngroup by p.item\n"
)
TEST = (
    "-- asset: marts.mart_totals\n-- description: Totals are positive.\n"
    "-- severity: warn\n-- blocking: false\n"
    "select t.item from marts.mart_totals as t where t.total <= 0\n"
)
FILES = {
    "staging/stg_prices.sql": STAGING,
    "marts/mart_totals.sql": MART,
    "tests/totals_are_positive.sql": TEST,
}


def _load(folder: Path, files: Mapping[str, str]) -> SqlProject:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return load_project(folder, (PRICES,))


def test_project_orders_models_after_what_they_read(tmp_path: Path) -> None:
    early = HEADER + "select t.item from marts.mart_totals as t\n"
    project = _load(tmp_path, {**FILES, "marts/a_first_by_name.sql": early})
    keys = [model.key for model in project.models]
    assert keys == [
        ("staging", "stg_prices"), ("marts", "mart_totals"), ("marts", "a_first_by_name"),
    ]  # fmt: skip
    assert [model.kind for model in project.models] == ["view", "table", "table"]
    assert project.models[1].upstream == (("staging", "stg_prices"),)


def test_model_is_stored_as_its_header_says_and_else_as_its_folder_does(tmp_path: Path) -> None:
    as_view = MART.replace("-- grain: item\n", "-- grain: item\n-- stored_as: view\n")
    project = _load(tmp_path, {**FILES, "marts/mart_totals.sql": as_view})
    assert [model.kind for model in project.models] == ["view", "view"]
    assert [test.name for test in project.tests] == ["totals_are_positive"], (
        "a view has no rows of its own to count"
    )
    as_nothing = as_view.replace("stored_as: view", "stored_as: cube")
    with pytest.raises(SqlProjectError, match="'cube'; expected view or table"):
        _load(tmp_path, {**FILES, "marts/mart_totals.sql": as_nothing})


def test_column_description_is_written_or_inherited(tmp_path: Path) -> None:
    mart = _load(tmp_path, FILES).models[1]
    assert mart.column_descriptions == {
        "item": "What is sold.",
        "total": "All that was paid, USD.",
    }
    assert [column.type for column in mart.columns] == ["VARCHAR", None]
    assert [(ref.table, ref.column) for ref in mart.columns[1].sources] == [
        (("staging", "stg_prices"), "price")
    ]


def test_written_description_wins_over_the_inherited_one_and_may_go_on(tmp_path: Path) -> None:
    text = STAGING.replace("    item,", "    item, -- What -- was 'sold',\n    -- and to whom.")
    model = _load(tmp_path, {"staging/stg_prices.sql": text}).models[0]
    assert model.column_descriptions["item"] == "What -- was 'sold', and to whom."
    assert model.column_descriptions["price"] == "Price, USD."


def test_dashes_inside_a_string_are_no_description(tmp_path: Path) -> None:
    text = STAGING.replace("    price", "    price || ' -- no' as label")
    with pytest.raises(SqlProjectError, match="line 5: column 'label' is computed"):
        _load(tmp_path, {"staging/stg_prices.sql": text})


def test_mart_has_a_test_of_its_grain_and_a_view_has_none(tmp_path: Path) -> None:
    tests = _load(tmp_path, FILES).tests
    assert [test.name for test in tests] == ["one_row_per_item", "totals_are_positive"]
    assert tests[0].table == ("marts", "mart_totals")
    assert tests[0].is_blocking
    assert (tests[1].severity, tests[1].is_blocking) == ("warn", False)


def test_blocking_test_may_read_what_comes_before_its_table(tmp_path: Path) -> None:
    text = TEST.replace("blocking: false", "blocking: true").replace(
        "where",
        "join staging.stg_prices as p using (item) join shop.prices as q using (item) where",
    )
    assert _load(tmp_path, {**FILES, "tests/totals_are_positive.sql": text}).tests[1].is_blocking


def test_blocking_test_that_reads_a_later_model_is_refused(tmp_path: Path) -> None:
    text = TEST.replace("blocking: false", "blocking: true").replace("asset: marts.mart_totals",
        "asset: staging.stg_prices")  # fmt: skip
    with pytest.raises(SqlProjectError, match=r"\['marts.mart_totals'\], which are rebuilt after"):
        _load(tmp_path, {**FILES, "tests/totals_are_positive.sql": text})


BAD_MODELS = {
    "not sql": ("select from from\n", r"stg_prices\.sql, line 3: .*Expected table name"),
    "open string": ("select 'a as item\n", r"stg_prices\.sql: Missing '"),
    "two statements": ("select 1 as item; select 2 as item\n", "expected one select, found select"),
    "no statement": ("", "expected one select, found nothing"),
    "no select": ("create table a as select 1 as b\n", "expected one select, found create"),
    "star": ("select * from shop.prices\n", r"the final select says `\*`. Name its columns"),
    "star of a table": ("select p.* from shop.prices as p\n", "the final select says"),
    "unnamed column": ("select item, count(*) from shop.prices\n", "needs a name of its own"),
    "name twice": ("select item, price as item from shop.prices\n", "needs a name of its own"),
    "unknown table": (
        "select item\nfrom shop.sales\n",
        r"line 4: unknown table shop\.sales. Known are: shop\.prices",
    ),
    "unknown schema": ("select item from shops.prices\n", "Known are: shop, staging"),
    "no schema": ("select item from prices\n", "line 3: table 'prices' has no schema"),
    "unknown column": ("select item, cost from shop.prices\n", "line 3: unknown column 'cost'"),
    "undescribed": ("select item, 2 * price as p from shop.prices\n", "'p' is computed and has no"),
    "grain": ("select price from shop.prices\n", r"the grain names \['item'\], but the columns"),
}


@pytest.mark.parametrize("name", BAD_MODELS)
def test_bad_model_gets_an_error_that_names_file_and_remedy(tmp_path: Path, name: str) -> None:
    sql, message = BAD_MODELS[name]
    with pytest.raises(SqlProjectError, match=message) as caught:
        _load(tmp_path, {"staging/stg_prices.sql": HEADER + sql})
    assert str(tmp_path / "staging" / "stg_prices.sql") in str(caught.value)


@pytest.mark.parametrize("key", ["description", "grain"])
def test_model_without_a_header_is_refused(tmp_path: Path, key: str) -> None:
    text = STAGING.replace(f"-- {key}:", "-- ")
    with pytest.raises(SqlProjectError, match=f"the header `-- {key}:` is missing"):
        _load(tmp_path, {"staging/stg_prices.sql": text})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("-- severity: warn\n", ""), "the header `-- severity:` is missing"),
        (("severity: warn", "severity: fatal"), "'fatal'; expected error or warn"),
        (("blocking: false", "blocking: no"), "'no'; expected true or false"),
        (("asset: marts.mart_totals", "asset: marts.gone"), "marts.gone, which is unknown"),
        (("select t.item", "select t.name"), "unknown column 't.name'"),
    ],
)
def test_bad_test_file_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    files = {**FILES, "tests/totals_are_positive.sql": TEST.replace(*change)}
    with pytest.raises(SqlProjectError, match=message):
        _load(tmp_path, files)


def test_models_that_read_each_other_are_refused_with_the_circle(tmp_path: Path) -> None:
    files = {
        "marts/one.sql": HEADER + "select item from marts.two\n",
        "marts/two.sql": HEADER + "select item from marts.one\n",
    }
    with pytest.raises(SqlProjectError, match=r"circle: marts\.\w+ -> marts\.\w+ -> marts\.\w+"):
        _load(tmp_path, files)


@pytest.mark.parametrize("name", ["marts/stg_prices.sql", "marts/prices.sql"])
def test_name_that_is_taken_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SqlProjectError, match="names are unique over all folders"):
        _load(tmp_path, {**FILES, name: STAGING})


def test_folder_without_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SqlProjectError, match="holds no models"):
        load_project(tmp_path, (PRICES,))
