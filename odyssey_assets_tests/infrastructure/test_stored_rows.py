"""Frames and rows: condition and mask agree, and values survive the way there and back."""

from datetime import date

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from odyssey_assets.contracts import Column, TableContract
from odyssey_assets.core.slices import WHOLE_TABLE, Slice
from odyssey_assets.errors import ContractError
from odyssey_assets.infrastructure.stored_rows import (
    from_arrow,
    is_inside,
    refuse_rows_outside,
    slice_condition,
    to_arrow,
)
from odyssey_assets_tests.infrastructure.price_table import FIRST_HALF, PRICES, TICKERS, prices

UNCUT = TableContract(
    "market", "uncut", "No slices.", ("name",), (Column("name", "VARCHAR", "Name."),), None, None
)
DAYS = st.one_of(st.none(), st.dates(date(2019, 12, 1), date(2021, 2, 1)))
SLICES = st.builds(
    Slice,
    st.one_of(st.none(), st.lists(st.sampled_from([*TICKERS, "O'NE"]), max_size=3).map(tuple)),
    DAYS,
    DAYS,
)


@hypothesis_settings(deadline=None, max_examples=40)
@given(slices=st.lists(SLICES, max_size=3))
def test_condition_and_mask_of_any_slices_select_the_same_rows(slices: list[Slice]) -> None:
    rows = prices()
    with duckdb.connect() as connection:
        connection.register("rows", to_arrow(rows))
        selected = connection.execute(
            f"select lots, ticker from rows where {slice_condition(PRICES, slices)} "
            "order by ticker, date"
        ).fetchall()
    inside = rows[is_inside(rows, PRICES, slices)]
    assert [row[0] for row in selected] == inside["lots"].tolist()


def test_condition_of_the_whole_table_holds_and_of_no_slice_does_not() -> None:
    assert slice_condition(PRICES, (WHOLE_TABLE,)) == "(true)"
    assert slice_condition(PRICES, ()) == "false"


@pytest.mark.parametrize("part", [Slice(("AAA",)), Slice(None, *FIRST_HALF)])
def test_slice_of_a_table_that_cannot_be_cut_is_refused(part: Slice) -> None:
    with pytest.raises(ContractError, match=r"market\.uncut cannot be cut into"):
        slice_condition(UNCUT, (part,))
    with pytest.raises(ContractError, match="declare the column"):
        is_inside(UNCUT.empty(), UNCUT, (part,))


def test_rows_outside_are_refused_with_an_example() -> None:
    part = Slice(("AAA",), *FIRST_HALF)
    refuse_rows_outside(prices(["AAA"], *FIRST_HALF), PRICES, (part,))
    with pytest.raises(ContractError, match=r"of \d+ rows lie outside .*AAA from 2020-01-01"):
        refuse_rows_outside(prices(["AAA"]), PRICES, (part,))


def test_values_of_every_type_survive_the_way_through_arrow() -> None:
    rows = prices().assign(close=[float("inf"), -0.0] + [float("nan")] * (len(prices()) - 2))
    found = from_arrow(to_arrow(rows), PRICES)
    pd.testing.assert_frame_equal(found, rows)
    empty = from_arrow(to_arrow(PRICES.empty()), PRICES)
    pd.testing.assert_frame_equal(empty, PRICES.empty())
