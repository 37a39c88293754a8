"""Findings: each promise of a contract is broken in turn, and only that one is found."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.contracts import Column, TableContract
from odyssey_assets.infrastructure.contract_findings import Finding, findings
from odyssey_assets_tests.infrastructure.price_table import PRICES, prices

SINGLE = TableContract(
    "market", "names", "Names.", ("name",), (Column("name", "VARCHAR", "Name."),), None, None
)
BOUNDED = replace(
    PRICES,
    columns=tuple(
        replace(column, minimum=0, maximum=50) if column.name == "lots" else column
        for column in PRICES.columns
    ),
)


def broken(rows: pd.DataFrame, contract: TableContract = PRICES) -> list[Finding]:
    return [finding for finding in findings(rows, contract) if not finding.is_met]


def with_null_ticker(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(ticker=[None, *rows["ticker"][1:]])


def test_rows_that_keep_every_promise_have_no_broken_finding() -> None:
    found = findings(prices(), PRICES)
    assert all(finding.is_met for finding in found)
    assert {finding.found for finding in found} == {"as expected"}
    assert [finding.column for finding in found[:3]] == ["(columns)", "ticker, date", "ticker"]


def test_no_rows_keep_every_promise() -> None:
    assert broken(PRICES.empty()) == []


@pytest.mark.parametrize(
    ("spoil", "column", "expected", "failures"),
    [
        (lambda rows: pd.concat([rows, rows.head(2)]), "ticker, date", "one row a grain", 4),
        (with_null_ticker, "ticker", "no nulls", 1),
        (lambda rows: rows.assign(close=-1.0), "close", "at least 0 and finite", None),
        (lambda rows: rows.assign(close=np.inf), "close", "at least 0 and finite", None),
        (lambda rows: rows.assign(state="closed"), "state", "one of open, shut", None),
        (lambda rows: rows.assign(lots=[51, *rows["lots"].clip(0, 50)[1:]]), "lots", "0 to 50", 1),
    ],
    ids=["grain", "null", "below", "infinite", "vocabulary", "above"],
)  # fmt: skip
def test_each_broken_promise_is_found_with_its_rows(
    spoil: Callable[[pd.DataFrame], pd.DataFrame],
    column: str,
    expected: str,
    failures: int | None,
) -> None:
    rows = spoil(prices().assign(lots=1))
    (finding,) = broken(rows, BOUNDED)
    count = len(rows) if failures is None else failures
    assert (finding.column, finding.expected, finding.failures) == (column, expected, count)
    assert finding.found == f"{count} of {len(rows)} rows break it"
    assert len(finding.rows) == count
    assert {"ticker", "date", *column.split(", ")} == set(finding.rows.columns)


def test_unbounded_number_must_be_finite() -> None:
    free = replace(PRICES, columns=(*PRICES.columns[:2], Column("x", "DOUBLE", "Any.")))
    rows = prices()[["ticker", "date"]].assign(x=0.0)
    rows.loc[3, "x"] = -np.inf
    (finding,) = broken(rows, free)
    assert (finding.column, finding.expected, finding.failures) == ("x", "finite", 1)
    assert finding.rows["x"].tolist() == [-np.inf]


def test_upper_bound_alone_is_named() -> None:
    column = Column("x", "DOUBLE", "At most one.", maximum=1)
    bounded = replace(PRICES, columns=(*PRICES.columns[:2], column))
    (finding,) = broken(prices()[["ticker", "date"]].assign(x=2.0), bounded)
    assert finding.expected == "at most 1 and finite"


def test_other_columns_than_declared_are_named_and_the_rest_still_checked() -> None:
    rows = prices().drop(columns=["lots", "date"]).assign(venue="N", close=-1.0)
    columns, close = broken(rows)
    assert columns.column == "(columns)"
    assert columns.failures == 3
    assert "lots" in columns.found
    assert "venue" in columns.found
    assert columns.rows.empty
    assert close.column == "close"
    assert list(close.rows.columns) == ["ticker", "close"]


def test_grain_of_one_column_must_be_unique() -> None:
    rows = pd.DataFrame({"name": ["a", "b", "b"]})
    (finding,) = broken(rows, SINGLE)
    assert (finding.column, finding.failures) == ("name", 2)
    assert finding.rows["name"].tolist() == ["b", "b"]
