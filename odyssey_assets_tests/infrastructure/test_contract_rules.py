"""Rules: what a contract expects in which order, and which rows clearly keep it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.infrastructure.contract_rules import Rule, contract_rules, is_kept
from odyssey_assets_tests.infrastructure.price_table import PRICES, prices


def test_rules_of_a_contract_are_the_table_the_grain_and_then_its_columns() -> None:
    rules = contract_rules(PRICES, PRICES.column_names)
    assert [(rule.column, rule.expected) for rule in rules] == [
        ("(columns)", "the declared columns and no others"),
        ("ticker, date", "one row a grain"),
        ("ticker", "no nulls"),
        ("date", "no nulls"),
        ("close", "at least 0 and finite"),
        ("trades", "finite"),
        ("lots", "no nulls"),
        ("lots", "finite"),
        ("is_filled", "no nulls"),
        ("state", "one of open, shut"),
        ("stored_at", "no nulls"),
    ]


def test_columns_that_are_not_stored_have_no_rules_of_their_own() -> None:
    rules = contract_rules(PRICES, ("ticker", "close"))
    assert [rule.column for rule in rules] == ["(columns)", "ticker", "close"]


def test_conforming_rows_and_no_rows_keep_every_rule() -> None:
    rules = contract_rules(PRICES, PRICES.column_names)
    assert all(is_kept(rule, prices()) for rule in rules)
    assert all(is_kept(rule, PRICES.empty()) for rule in rules)


@pytest.mark.parametrize(
    ("values", "low", "high", "expected"),
    [
        ([0.0, 1.0, np.nan], 0.0, 1.0, True),
        ([0.0, np.nextafter(1.0, 2.0)], 0.0, 1.0, False),
        ([np.nextafter(0.0, -1.0)], 0.0, 1.0, False),
        (pd.array([7, None], dtype="Int64"), 5.0, 6.0, False),
        (pd.array([None], dtype="Int64"), 5.0, 6.0, True),
    ],
)
def test_range_includes_its_bounds_and_leaves_out_nulls(
    values: list[float], low: float, high: float, expected: bool
) -> None:
    rule = Rule("range", ("x",), "in range", low, high)
    assert is_kept(rule, pd.DataFrame({"x": values})) is expected


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_unbounded_range_refuses_infinities(value: float) -> None:
    assert not is_kept(Rule("range", ("x",), "finite"), pd.DataFrame({"x": [0.0, value]}))


@pytest.mark.parametrize("values", [["1", "2"], [True, False], pd.to_datetime(["2020-01-01"])])
def test_range_of_what_is_no_number_is_suspected(values: list[object]) -> None:
    assert not is_kept(Rule("range", ("x",), "finite"), pd.DataFrame({"x": values}))


def test_every_kind_of_rule_suspects_rows_that_break_it() -> None:
    rows = prices()
    spoiled = {
        "columns": rows.drop(columns="lots"),
        "unique": pd.concat([rows, rows.tail(1)], ignore_index=True),
        "not null": rows.assign(ticker=[None, *rows["ticker"][1:]]),
        "range": rows.assign(close=-1.0),
        "vocabulary": rows.assign(state="closed"),
    }
    rules = contract_rules(PRICES, PRICES.column_names)
    for kind, broken in spoiled.items():
        suspected = {
            r.kind for r in rules if set(r.columns) <= set(broken) and not is_kept(r, broken)
        }
        assert suspected == {kind}


def test_grain_with_a_null_is_unique_only_once() -> None:
    rule = Rule("unique", ("a", "b"), "one row a grain")
    rows = pd.DataFrame({"a": ["x", "x", None], "b": [1, 2, 1]})
    assert is_kept(rule, rows)
    assert not is_kept(rule, pd.concat([rows, rows.tail(1)]))
    assert not is_kept(replace(rule, columns=("a",)), rows)
