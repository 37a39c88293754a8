"""Rules of contracts as a Great Expectations suite: what breaks them, row by row.

Great Expectations takes seconds to import: `contract_findings` imports this module only for rules
that its screen does not pass.
"""

from collections.abc import Mapping, Sequence
from typing import Any

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

from odyssey_assets.infrastructure.contract_rules import Rule


def validate(rows: pd.DataFrame, rules: Sequence[Rule]) -> tuple[Mapping[str, Any] | None, ...]:
    """Validate rows in full against rules.

    Args:
        rows: With the row numbers as index.
        rules: About columns that the rows have.

    Returns:
        For each rule, in order, what the library says of it where it is broken: count and row
        numbers of the broken rows, or the columns that do not match. None where it holds.
    """
    expectations = []
    for position, rule in enumerate(rules):
        expectation = _expectation(rule)
        expectation.meta = {"position": position}
        expectations.append(expectation)
    suite = gx.ExpectationSuite(name="contract", expectations=expectations)
    details: list[Mapping[str, Any] | None] = [None] * len(rules)
    for result in _batch(rows).validate(suite, result_format="COMPLETE").results:
        config = result.expectation_config  # the library keeps no order
        if config is not None and not result.success:
            details[int(config.meta["position"])] = result.result
    return tuple(details)


def _expectation(rule: Rule) -> Expectation:
    match rule.kind:
        case "columns":
            return ExpectTableColumnsToMatchSet(column_set=list(rule.allowed), exact_match=True)
        case "unique" if len(rule.columns) == 1:
            return ExpectColumnValuesToBeUnique(column=rule.column)
        case "unique":
            return ExpectCompoundColumnsToBeUnique(column_list=list(rule.columns))
        case "not null":
            return ExpectColumnValuesToNotBeNull(column=rule.column)
        case "range":
            return ExpectColumnValuesToBeBetween(
                column=rule.column, min_value=rule.minimum, max_value=rule.maximum
            )
        case "vocabulary":
            return ExpectColumnValuesToBeInSet(column=rule.column, value_set=list(rule.allowed))


def _batch(rows: pd.DataFrame) -> Batch:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("warehouse").add_dataframe_asset("table")
    return asset.add_batch_definition_whole_dataframe("rows").get_batch({"dataframe": rows})
