"""Whether stored rows keep their contract: one finding an expectation, with the broken rows.

Every rule is screened first. Great Expectations takes seconds to import and a quarter of a
second a table, so only rules that the screen does not pass are validated by it, in full. How
findings look in the Dagster UI belongs to `contract_checks`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.infrastructure.contract_rules import Rule, contract_rules, is_kept


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
    found: str = "as expected"
    failures: int = 0
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def is_met(self) -> bool:
        """Whether the expectation holds."""
        return self.failures == 0


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
    rules = contract_rules(contract, tuple(map(str, rows.columns)))
    suspected = [index for index, rule in enumerate(rules) if not is_kept(rule, numbered)]
    found = [Finding(rule.column, rule.expected) for rule in rules]
    if not suspected:
        return tuple(found)

    from odyssey_assets.infrastructure.expectations import validate

    named = (*contract.grain, contract.ticker_column, contract.date_column)
    shown = [name for name in dict.fromkeys(named) if name is not None and name in rows.columns]
    details = validate(numbered, [rules[index] for index in suspected])
    for index, detail in zip(suspected, details, strict=True):
        if detail is not None:
            found[index] = _broken(rules[index], detail, numbered, shown)
    return tuple(found)


def _broken(
    rule: Rule, details: Mapping[str, Any], rows: pd.DataFrame, shown: Sequence[str]
) -> Finding:
    if "mismatched" in details.get("details", {}):
        mismatched = details["details"]["mismatched"]
        missing, extra = mismatched.get("missing", []), mismatched.get("unexpected", [])
        found = f"not stored: {missing}, not declared: {extra}"
        return Finding(rule.column, rule.expected, found, len(missing) + len(extra))
    count = int(details["unexpected_count"])
    names = dict.fromkeys([*shown, *rule.columns])
    return Finding(
        column=rule.column,
        expected=rule.expected,
        found=f"{count} of {len(rows)} rows break it",
        failures=count,
        rows=rows.loc[details["unexpected_index_list"], list(names)].reset_index(drop=True),
    )
