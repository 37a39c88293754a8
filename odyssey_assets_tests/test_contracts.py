from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.contracts import Column, TableContract
from odyssey_assets.errors import ContractError
from odyssey_assets.features.tables import TABLES as FEATURES_TABLES
from odyssey_assets.forecasting.tables import TABLES as FORECASTING_TABLES
from odyssey_assets.market_data.tables import TABLES as MARKET_DATA_TABLES

ALL_TABLES = (*MARKET_DATA_TABLES, *FEATURES_TABLES, *FORECASTING_TABLES)

CONTRACT = TableContract(
    schema="market_data",
    name="things",
    description="A table of every type.",
    grain=("ticker", "date"),
    columns=(
        Column("ticker", "VARCHAR", "Ticker."),
        Column("date", "DATE", "Session."),
        Column("price", "DOUBLE", "USD.", is_nullable=True),
        Column("rows", "BIGINT", "Count."),
        Column("rank", "BIGINT", "Rank, if any.", is_nullable=True),
        Column("is_good", "BOOLEAN", "Flag."),
        Column("note", "VARCHAR", "Text, if any.", is_nullable=True),
        Column("stored_at", "TIMESTAMP", "Moment.", is_audit=True),
    ),
)


def _frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ticker": ["BBB", "AAA", "AAA"],
            "date": pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-02"]),
            "price": [1.5, np.nan, 2.5],
            "rows": [1, 2, 3],
            "rank": [None, 2, 3],
            "is_good": [True, False, True],
            "note": [None, "a", None],
            "stored_at": pd.Timestamp("2024-01-04 12:30:01.000002"),
        }
    )


def test_conform_sorts_by_grain_and_gives_the_declared_types() -> None:
    result = CONTRACT.conform(_frame().iloc[:, ::-1])
    assert list(result.columns) == list(CONTRACT.column_names)
    assert {name: str(dtype) for name, dtype in result.dtypes.items()} == {
        "ticker": "str",
        "date": "datetime64[us]",
        "price": "float64",
        "rows": "int64",
        "rank": "Int64",
        "is_good": "bool",
        "note": "str",
        "stored_at": "datetime64[us]",
    }
    assert result["rows"].tolist() == [3, 2, 1]
    assert result.index.tolist() == [0, 1, 2]
    assert result["note"].isna().tolist() == [True, False, True]
    assert result["rank"].isna().tolist() == [False, False, True]


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(3)))
def test_conform_of_any_row_order_is_the_same_and_conforming_again_changes_nothing(
    order: list[int],
) -> None:
    expected = CONTRACT.conform(_frame())
    shuffled = CONTRACT.conform(_frame().iloc[order])
    pd.testing.assert_frame_equal(shuffled, expected, check_exact=True)
    pd.testing.assert_frame_equal(CONTRACT.conform(expected), expected, check_exact=True)


def test_conform_accepts_casts_that_lose_nothing() -> None:
    frame = _frame().assign(
        price=np.array([1.5, np.nan, 2.5], dtype="float32"),
        rows=[1.0, 2.0, 3.0],
        rank=[np.nan, 2.0, 3.0],
        date=[date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 2)],
        is_good=pd.Series([True, False, True], dtype="object"),
    )
    pd.testing.assert_frame_equal(CONTRACT.conform(frame), CONTRACT.conform(_frame()))


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("rows", [1.5, 2.0, 3.0], "lose information"),
        ("rows", [1.0, np.nan, 3.0], "expected BIGINT"),
        ("rank", [1.5, 2.0, 3.0], "rank: found"),
        ("is_good", ["no", "yes", "no"], "lose information"),
        ("is_good", [True, None, True], "lose information"),
        ("is_good", [0, 1, 2], "lose information"),
        ("price", ["cheap", "dear", "1"], "expected DOUBLE"),
        ("price", ["1.5", "2.5", "3.5"], "lose information"),
        ("ticker", [1, 2, 3], "lose information"),
        ("date", ["soon", "late", "never"], "expected DATE"),
        ("date", pd.to_datetime(["2024-01-02 16:00"] * 3), "found times of day"),
    ],
)
def test_conform_refuses_casts_that_lose_something(column: str, values: object, words: str) -> None:
    with pytest.raises(ContractError, match=words) as caught:
        CONTRACT.conform(_frame().assign(**{column: values}))
    assert f"market_data.things.{column}" in str(caught.value)


def test_conform_names_missing_and_undeclared_columns() -> None:
    frame = _frame().drop(columns=["price"]).assign(cost=1.0)
    with pytest.raises(ContractError, match=r"missing columns \['price'\].*\['cost'\]"):
        CONTRACT.conform(frame)


@pytest.mark.parametrize("column", ["ticker", "date", "stored_at"])
def test_conform_refuses_nulls_where_none_are_allowed(column: str) -> None:
    frame = _frame()
    frame[column] = frame[column].astype("object")
    frame.loc[1, column] = None
    with pytest.raises(ContractError, match=f"{column}: 1 nulls .* first at"):
        CONTRACT.conform(frame)


def test_conform_refuses_nulls_in_a_nullable_column_of_the_grain() -> None:
    columns = tuple(
        replace(column, is_nullable=True) if column.name == "ticker" else column
        for column in CONTRACT.columns
    )
    contract = replace(CONTRACT, columns=columns)
    with pytest.raises(ContractError, match="ticker: 1 nulls"):
        contract.conform(_frame().assign(ticker=["AAA", None, "BBB"]))


def test_conform_refuses_rows_that_share_their_grain() -> None:
    frame = _frame().assign(ticker="AAA")
    with pytest.raises(ContractError, match=r"2 rows share their grain \('ticker', 'date'\)"):
        CONTRACT.conform(frame)


def test_empty_frame_conforms_to_its_own_contract() -> None:
    empty = CONTRACT.empty()
    assert len(empty) == 0
    pd.testing.assert_frame_equal(CONTRACT.conform(empty), empty)


def test_contract_names_its_key_and_its_content_columns() -> None:
    assert CONTRACT.key == ("market_data", "things")
    assert CONTRACT.qualified_name == "market_data.things"
    assert set(CONTRACT.column_names) - set(CONTRACT.content_columns) == {"stored_at"}
    assert CONTRACT.column("price").description == "USD."
    with pytest.raises(ContractError, match="no column 'cost'"):
        CONTRACT.column("cost")


def test_contract_with_a_column_declared_twice_is_refused() -> None:
    with pytest.raises(ContractError, match=r"declares \['price'\] more than once"):
        replace(CONTRACT, columns=(*CONTRACT.columns, CONTRACT.column("price")))


@pytest.mark.parametrize(
    "change", [{"grain": ("nobody",)}, {"date_column": "nobody"}, {"ticker_column": "nobody"}]
)
def test_contract_that_uses_an_undeclared_column_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ContractError, match=r"uses \['nobody'\] but does not declare"):
        replace(CONTRACT, **change)  # type: ignore[arg-type]  # the fields vary by case


@pytest.mark.parametrize("contract", ALL_TABLES, ids=lambda contract: contract.qualified_name)
def test_declared_table_is_documented_and_consistent(contract: TableContract) -> None:
    assert contract.description.endswith(".")
    pd.testing.assert_frame_equal(contract.conform(contract.empty()), contract.empty())
    for column in contract.columns:
        assert column.name == column.name.lower()
        assert column.description
        assert (column.type == "BOOLEAN") == column.name.startswith(("is_", "has_"))
        assert (column.type == "TIMESTAMP") == column.name.endswith("_at")
        assert not column.allowed or column.type == "VARCHAR"
        if column.minimum is not None and column.maximum is not None:
            assert column.minimum <= column.maximum
    for name in contract.grain:
        assert not contract.column(name).is_audit


def test_declared_tables_have_different_names() -> None:
    names = [contract.qualified_name for contract in ALL_TABLES]
    assert len(set(names)) == len(names)
