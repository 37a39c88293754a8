"""Writing under a contract that changed: made anew where nothing is lost, refused elsewhere."""

from dataclasses import replace

import pandas as pd
import pytest

from odyssey_assets.contracts import Column, TableContract
from odyssey_assets.core.slices import WHOLE_TABLE, Slice
from odyssey_assets.errors import WarehouseError
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets_tests.infrastructure.price_table import PRICES, TICKERS, VINTAGES, prices

WHOLE = (WHOLE_TABLE,)
VENUE = Column("venue", "VARCHAR", "Where it trades.", is_nullable=True)


def with_venue(contract: TableContract) -> TableContract:
    return replace(contract, columns=(*contract.columns, VENUE))


def venues(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(venue=pd.Series(["N"] * len(frame), dtype="str", index=frame.index))


@pytest.mark.parametrize("slices", [WHOLE, (Slice(TICKERS),)])
def test_replacing_all_rows_under_another_layout_makes_the_table_anew(
    warehouse: Warehouse, slices: tuple[Slice, ...]
) -> None:
    warehouse.replace(PRICES, prices(), WHOLE)
    warehouse.replace(with_venue(PRICES), venues(prices()), slices)
    assert set(warehouse.read(with_venue(PRICES))["venue"]) == {"N"}
    warehouse.replace(PRICES, prices(), slices)
    pd.testing.assert_frame_equal(warehouse.read(PRICES), prices())
    assert "venue" not in warehouse.query("select * from market.prices").columns


def test_replacing_some_rows_under_another_layout_is_refused(warehouse: Warehouse) -> None:
    warehouse.replace(PRICES, prices(), WHOLE)
    with pytest.raises(WarehouseError, match=r"not stored: venue.*`odyssey run`"):
        warehouse.replace(with_venue(PRICES), venues(prices(["AAA"])), (Slice(("AAA",)),))
    pd.testing.assert_frame_equal(warehouse.read(PRICES), prices())


def test_replacing_a_slice_of_a_table_that_cannot_be_cut_is_refused(warehouse: Warehouse) -> None:
    warehouse.create_model("market", "prices", "table", "select 1 as close", "Old.", {})
    with pytest.raises(WarehouseError, match="not stored: ticker"):
        warehouse.replace(PRICES, prices(["AAA"]), (Slice(("AAA",)),))
    warehouse.replace(PRICES, prices(), WHOLE)
    pd.testing.assert_frame_equal(warehouse.read(PRICES), prices())


def test_append_takes_a_new_nullable_column_and_keeps_all_rows(warehouse: Warehouse) -> None:
    warehouse.append(VINTAGES, prices(["AAA"]))
    warehouse.append(with_venue(VINTAGES), venues(prices(["BBB"])))
    stored = warehouse.read(with_venue(VINTAGES))
    known = stored.groupby("ticker")["venue"].count().to_dict()
    assert known == {"AAA": 0, "BBB": len(prices(["BBB"]))}


@pytest.mark.parametrize(
    "columns",
    [
        (*VINTAGES.columns, replace(VENUE, is_nullable=False)),
        VINTAGES.columns[:-1],
        tuple(
            replace(each, type="DOUBLE") if each.name == "lots" else each
            for each in VINTAGES.columns
        ),
    ],
    ids=["new and not nullable", "removed", "other type"],
)
def test_append_under_a_layout_that_would_lose_rows_is_refused(
    warehouse: Warehouse, columns: tuple[Column, ...]
) -> None:
    warehouse.append(VINTAGES, prices(["AAA"]))
    changed = replace(VINTAGES, columns=columns)
    frame = venues(prices(["BBB"]))[[column.name for column in columns]]
    with pytest.raises(WarehouseError, match="cannot be fetched again"):
        warehouse.append(changed, frame)
    pd.testing.assert_frame_equal(warehouse.read(VINTAGES), prices(["AAA"]))
