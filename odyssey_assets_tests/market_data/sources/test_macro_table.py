"""Values of a series, or a refusal: macro series have no quarantine."""

from datetime import date

import pandas as pd
import pytest

from odyssey_assets.errors import SourceError
from odyssey_assets.market_data.sources.file_table import read_table
from odyssey_assets.market_data.sources.macro_table import macro_values


def read(text: str) -> pd.DataFrame:
    table = read_table(text.encode(), "VIX.csv", ("date",), date(2024, 6, 28), is_parquet=False)
    return macro_values(table)


@pytest.mark.parametrize("name", ["close", "value", "VALUE"])
def test_values_are_read_oldest_first_without_missing_days(name: str) -> None:
    values = read(f"DATE,{name}\n2024-01-04,13.1\n2024-01-03,.\n2024-01-03,\n2024-01-02,12.5\n")
    assert values["value"].tolist() == [12.5, 13.1]
    assert values["date"].tolist() == [pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-04")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,level\n2024-01-02,1\n", "expected date and value or close"),
        ("date,close\n2024-01-02,1\n2024-01-03,high\n", "unreadable_number"),
        ("date,close\n2024-01-02,1\n2024-01-03\n", "unreadable_number"),
        ("date,close\n2024-01-02,1\nsoon,2\n", "unreadable_date"),
        ("date,close\n2024-01-02,1\n2034-01-03,2\n", "future_date"),
        ("date,close\n2024-01-02,1\n2024-01-02,2\n", "two values for 2024-01-02"),
    ],
)
def test_table_that_cannot_be_trusted_is_refused(text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        read(text)
    assert "VIX.csv" in str(caught.value)


def test_row_delivered_twice_counts_once() -> None:
    assert len(read("date,close\n2024-01-02,1\n2024-01-02,1\n")) == 1
