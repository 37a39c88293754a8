"""What a contract expects of stored rows, rule by rule, and whether rows clearly keep a rule.

Rules are plain data, so that they can be screened in microseconds here and validated in full, with
the rows that break them, by `expectations`. How findings look belongs to `contract_checks`.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from odyssey_assets.contracts import Column, TableContract

LARGEST_FLOAT = sys.float_info.max
ALL_COLUMNS = "(columns)"
NUMBER_TYPES = ("DOUBLE", "BIGINT")

RuleKind = Literal["columns", "unique", "not null", "range", "vocabulary"]


@dataclass(frozen=True)
class Rule:
    """One expectation of a contract.

    Attributes:
        kind: What is expected.
        columns: Columns that it is about; none: the table.
        expected: What must hold, for people.
        minimum: Smallest legal value of a range, inclusive.
        maximum: Largest legal value of a range, inclusive.
        allowed: Legal texts of a vocabulary; the declared names for `columns`.
    """

    kind: RuleKind
    columns: tuple[str, ...]
    expected: str
    minimum: float = -LARGEST_FLOAT
    maximum: float = LARGEST_FLOAT
    allowed: tuple[str, ...] = ()

    @property
    def column(self) -> str:
        """The columns in words."""
        return ", ".join(self.columns) or ALL_COLUMNS


def contract_rules(contract: TableContract, stored: Sequence[str]) -> tuple[Rule, ...]:
    """Return the rules; those about columns that are not stored are left to the first.

    Args:
        contract: Promises columns, unique grain, non-null columns, ranges (every number is
            finite) and vocabularies.
        stored: Names of the columns that the table has.
    """
    declared = "the declared columns and no others"
    rules = [Rule("columns", (), declared, allowed=contract.column_names)]
    if set(contract.grain) <= set(stored):
        rules.append(Rule("unique", contract.grain, "one row a grain"))
    for column in contract.columns:
        if column.name in stored:
            rules += _column_rules(column, is_grain=column.name in contract.grain)
    return tuple(rules)


def is_kept(rule: Rule, rows: pd.DataFrame) -> bool:
    """Return whether the rows clearly keep the rule.

    True is final. False is a suspicion: the rule is broken, or the column is of a kind that this
    screen does not judge.
    """
    return _SCREENS[rule.kind](rule, rows)


def _column_rules(column: Column, *, is_grain: bool) -> list[Rule]:
    rules = []
    if is_grain or not column.is_nullable:
        rules.append(Rule("not null", (column.name,), "no nulls"))
    if column.type in NUMBER_TYPES:
        low = -LARGEST_FLOAT if column.minimum is None else column.minimum
        high = LARGEST_FLOAT if column.maximum is None else column.maximum
        rules.append(Rule("range", (column.name,), _range_text(column), low, high))
    if column.allowed:
        expected = "one of " + ", ".join(column.allowed)
        rules.append(Rule("vocabulary", (column.name,), expected, allowed=column.allowed))
    return rules


def _range_text(column: Column) -> str:
    if column.minimum is None and column.maximum is None:
        return "finite"
    if column.maximum is None:
        return f"at least {column.minimum:g} and finite"
    if column.minimum is None:
        return f"at most {column.maximum:g} and finite"
    return f"{column.minimum:g} to {column.maximum:g}"


def _are_declared(rule: Rule, rows: pd.DataFrame) -> bool:
    return set(rows.columns) == set(rule.allowed)


def _are_unique(rule: Rule, rows: pd.DataFrame) -> bool:
    return not rows.duplicated(list(rule.columns)).any()


def _are_known(rule: Rule, rows: pd.DataFrame) -> bool:
    return not rows[rule.column].isna().any()


def _are_in_range(rule: Rule, rows: pd.DataFrame) -> bool:
    values = rows[rule.column]
    if not is_numeric_dtype(values.dtype) or is_bool_dtype(values.dtype):
        return False
    known = values.dropna()
    return bool(((known >= rule.minimum) & (known <= rule.maximum)).all())


def _are_in_vocabulary(rule: Rule, rows: pd.DataFrame) -> bool:
    return bool(rows[rule.column].dropna().isin(rule.allowed).all())


_SCREENS: Mapping[RuleKind, Callable[[Rule, pd.DataFrame], bool]] = {
    "columns": _are_declared,
    "unique": _are_unique,
    "not null": _are_known,
    "range": _are_in_range,
    "vocabulary": _are_in_vocabulary,
}
