"""Contracts as Great Expectations suites: what is expected of stored rows, and what was found.

Great Expectations takes seconds to import, so only bodies of checks import this module. A suite
is validated once without details; only expectations that failed are validated again in full.
How findings look in the Dagster UI belongs to `contract_checks`.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import great_expectations as gx
import pandas as pd
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.datasource.fluent.interfaces import Batch
from great_expectations.expectations.core.expect_column_values_to_be_between import (
    ExpectColumnValuesToBeBetween,
)
from great_expectations.expectations.core.expect_column_values_to_be_in_set import (
    ExpectColumnValuesToBeInSet,
)
from great_expectations.expectations.core.expect_column_values_to_be_unique import (
    ExpectColumnValuesToBeUnique,
)
from great_expectations.expectations.core.expect_column_values_to_not_be_null import (
    ExpectColumnValuesToNotBeNull,
)
from great_expectations.expectations.core.expect_compound_columns_to_be_unique import (
    ExpectCompoundColumnsToBeUnique,
)
from great_expectations.expectations.core.expect_table_columns_to_match_set import (
    ExpectTableColumnsToMatchSet,
)
from great_expectations.expectations.expectation import Expectation

from odyssey_assets.contracts import Column, TableContract

LARGEST_FLOAT = sys.float_info.max
ALL_COLUMNS = "(columns)"
NUMBER_TYPES = ("DOUBLE", "BIGINT")


@dataclass(frozen=True)
class Finding:
    """One expectation and what the rows said about it.

    Attributes:
        column: The column, or the columns joined by commas, that it is about.
        expected: What must hold, for people.
        found: What was found instead; "as expected" if it holds.
        failures: Rows that break it; for a wrong set of columns, their number.
        rows: The broken rows: grain, ticker and date columns and the column itself.
    """

    column: str
    expected: str
    found: str
    failures: int
    rows: pd.DataFrame

    @property
    def is_met(self) -> bool:
        """Whether the expectation holds."""
        return self.failures == 0


@dataclass(frozen=True)
class _Rule:
    """An expectation about some columns, in words and for the library; none: about the table."""

    columns: tuple[str, ...]
    expected: str
    expectation: Expectation

    @property
    def column(self) -> str:
        return ", ".join(self.columns) or ALL_COLUMNS


def findings(rows: pd.DataFrame, contract: TableContract) -> tuple[Finding, ...]:
    """Validate stored rows against their contract.

    Args:
        rows: Rows as stored, with whatever columns the table has.
        contract: Promises columns, unique grain, non-null columns, ranges (every number is
            finite) and vocabularies.

    Returns:
        One finding an expectation, in the order of the contract.
    """
    numbered = rows.reset_index(drop=True)
    rules = _rules(contract, tuple(map(str, rows.columns)))
    batch = _batch(numbered)
    met = {index: result.success for index, result in _validate(batch, rules, "BOOLEAN_ONLY")}
    failed = [index for index in range(len(rules)) if not met[index]]
    again = _validate(batch, [rules[index] for index in failed], "COMPLETE") if failed else []
    details = {failed[position]: result.result for position, result in again}
    named = (*contract.grain, contract.ticker_column, contract.date_column)
    shown = [name for name in dict.fromkeys(named) if name is not None and name in rows.columns]
    return tuple(
        _broken(rule, details[index], numbered, shown)
        if index in details
        else Finding(rule.column, rule.expected, "as expected", 0, pd.DataFrame())
        for index, rule in enumerate(rules)
    )


def _rules(contract: TableContract, stored: Sequence[str]) -> list[_Rule]:
    """Return the expectations; those about columns that are not stored are left to the first."""
    grain = list(contract.grain)
    rules = [
        _Rule(
            (),
            "the declared columns and no others",
            ExpectTableColumnsToMatchSet(column_set=list(contract.column_names), exact_match=True),
        )
    ]
    if set(grain) <= set(stored):
        unique = (
            ExpectColumnValuesToBeUnique(column=grain[0])
            if len(grain) == 1
            else ExpectCompoundColumnsToBeUnique(column_list=grain)
        )
        rules.append(_Rule(contract.grain, "one row a grain", unique))
    for column in contract.columns:
        if column.name in stored:
            rules += _column_rules(column, is_grain=column.name in grain)
    return rules


def _column_rules(column: Column, *, is_grain: bool) -> list[_Rule]:
    rules = []
    if is_grain or not column.is_nullable:
        rules.append(
            _Rule((column.name,), "no nulls", ExpectColumnValuesToNotBeNull(column=column.name))
        )
    if column.type in NUMBER_TYPES:
        rules.append(
            _Rule(
                (column.name,),
                _range_text(column),
                ExpectColumnValuesToBeBetween(
                    column=column.name,
                    min_value=-LARGEST_FLOAT if column.minimum is None else column.minimum,
                    max_value=LARGEST_FLOAT if column.maximum is None else column.maximum,
                ),
            )
        )
    if column.allowed:
        rules.append(
            _Rule(
                (column.name,),
                "one of " + ", ".join(column.allowed),
                ExpectColumnValuesToBeInSet(column=column.name, value_set=list(column.allowed)),
            )
        )
    return rules


def _range_text(column: Column) -> str:
    if column.minimum is None and column.maximum is None:
        return "finite"
    if column.maximum is None:
        return f"at least {column.minimum:g} and finite"
    if column.minimum is None:
        return f"at most {column.maximum:g} and finite"
    return f"{column.minimum:g} to {column.maximum:g}"


def _batch(rows: pd.DataFrame) -> Batch:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("warehouse").add_dataframe_asset("table")
    return asset.add_batch_definition_whole_dataframe("rows").get_batch({"dataframe": rows})


def _validate(
    batch: Batch, rules: Sequence[_Rule], result_format: Literal["BOOLEAN_ONLY", "COMPLETE"]
) -> list[tuple[int, Any]]:
    """Return the result of each rule with its position; the library keeps no order."""
    expectations = []
    for position, rule in enumerate(rules):
        rule.expectation.meta = {"position": position}
        expectations.append(rule.expectation)
    suite = gx.ExpectationSuite(name="contract", expectations=expectations)
    outcome = batch.validate(suite, result_format=result_format)
    configured = [(result.expectation_config, result) for result in outcome.results]
    return [(int(config.meta["position"]), result) for config, result in configured if config]


def _broken(
    rule: _Rule, details: dict[str, Any], rows: pd.DataFrame, shown: Sequence[str]
) -> Finding:
    if "mismatched" in details.get("details", {}):
        mismatched = details["details"]["mismatched"]
        missing, extra = mismatched.get("missing", []), mismatched.get("unexpected", [])
        found = f"not stored: {missing}, not declared: {extra}"
        return Finding(rule.column, rule.expected, found, len(missing) + len(extra), pd.DataFrame())
    count = int(details["unexpected_count"])
    names = dict.fromkeys([*shown, *rule.columns])
    return Finding(
        column=rule.column,
        expected=rule.expected,
        found=f"{count} of {len(rows)} rows break it",
        failures=count,
        rows=rows.loc[details["unexpected_index_list"], list(names)].reset_index(drop=True),
    )
