import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.findings import FINDING_COLUMNS, findings, together

ROWS = pd.DataFrame(
    {
        "strategy": ["a", "b", "c"],
        "date": pd.bdate_range("2015-01-05", periods=3),
        "ticker": ["X", "Y", "Z"],
        "size": [1.0, 2.0, 3.0],
    }
)


def test_findings_are_the_wrong_rows_with_value_and_expected() -> None:
    found = findings("small", ROWS, np.array([False, True, True]), ROWS["size"], 1.5)

    assert tuple(found.columns) == FINDING_COLUMNS
    assert found["strategy"].tolist() == ["b", "c"]
    assert found["ticker"].tolist() == ["Y", "Z"]
    assert found["value"].tolist() == [2.0, 3.0]
    assert found["expected"].tolist() == [1.5, 1.5]
    assert found["rule"].tolist() == ["small"] * 2
    assert found["date"].tolist() == ROWS["date"].tolist()[1:]


@pytest.mark.parametrize("is_wrong", [[True, False, False], [False, False, False]])
def test_findings_of_portfolios_name_no_ticker(is_wrong: list[bool]) -> None:
    rows = ROWS.drop(columns="ticker").rename(columns={"strategy": "policy"})
    found = findings("small", rows, np.array(is_wrong), 0.0, 1.0)

    assert found["ticker"].isna().all()
    assert found["strategy"].tolist() == ["a"] * sum(is_wrong)


def test_findings_of_several_rules_stand_together_in_order() -> None:
    one = findings("one", ROWS, np.array([True, False, False]), 0.0, 1.0)
    none = findings("none", ROWS.drop(columns="ticker"), np.zeros(3, dtype=bool), 0.0, 1.0)
    two = findings("two", ROWS, np.array([False, False, True]), 0.0, 1.0)

    assert together(none, two, one)["rule"].tolist() == ["two", "one"]
    assert together(none, none).empty
    assert tuple(together(none).columns) == FINDING_COLUMNS
