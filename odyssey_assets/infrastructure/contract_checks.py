"""Blocking asset checks made from contracts, one a table, and how a red one reads in the UI.

What is expected and what was found is the business of `contract_findings`.
Claims that need more than one table belong to the `checks.py` of a domain.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import dagster as dg
import pandas as pd

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.core.windows import WINDOW_FORMAT, window_starts
from odyssey_assets.infrastructure.contract_findings import Finding, findings
from odyssey_assets.infrastructure.partitions import slices_of
from odyssey_assets.infrastructure.stored_rows import slice_condition
from odyssey_assets.infrastructure.table_layout import table_name
from odyssey_assets.infrastructure.warehouse import Warehouse

CHECK_NAME = "fulfils_its_contract"
MAX_EXAMPLES = 10
MAX_FAILURES = 1000


def build_contract_check(
    contract: TableContract, partitions_def: dg.PartitionsDefinition | None = None
) -> dg.AssetChecksDefinition:
    """Return the blocking check that the stored rows of a run fulfil their contract.

    Args:
        contract: The table; its asset key is `[schema, name]`.
        partitions_def: The partitions of the asset; a run over a range reads its rows once. None
            for an asset without partitions, which is checked whole.
    """

    @dg.asset_check(
        asset=list(contract.key),
        name=CHECK_NAME,
        description=(
            "Every stored row keeps the promise of its contract: declared columns, one row a "
            f"grain ({', '.join(contract.grain)}), no nulls where none are allowed, finite "
            "numbers inside their ranges, texts from their vocabularies."
        ),
        blocking=True,
        partitions_def=partitions_def,
    )
    def fulfils_its_contract(
        context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.AssetCheckResult:
        slices = (WHOLE_TABLE,) if partitions_def is None else slices_of(context.partition_keys)
        rows = warehouse.query(
            f"select * from {table_name(contract)} where {slice_condition(contract, slices)}"
        )
        return contract_result(contract, len(rows), findings(rows, contract))

    return fulfils_its_contract


def contract_result(
    contract: TableContract, row_count: int, found: Sequence[Finding]
) -> dg.AssetCheckResult:
    """Return the result of a contract check, with metadata for people and for sensors.

    `failed_partitions` lists (ticker, window, column, value, expected, failures), one entry a
    ticker, window and broken expectation, with the first broken value. A table with other columns
    than declared fails in no particular partition: its entry names neither ticker nor window.
    """
    broken = [finding for finding in found if not finding.is_met]
    metadata: dict[str, Any] = {
        "rows_checked": row_count,
        "expectations_checked": len(found),
        "expectations_broken": len(broken),
        "expectations": dg.MetadataValue.table(
            [_record(finding) for finding in sorted(found, key=lambda each: each.is_met)],
            schema=_text_schema("column", "expected", "found", "failures"),
        ),
    }
    if broken:
        metadata["failed_partitions"] = dg.MetadataValue.json(_failures(contract, broken))
        examples = _examples(contract, broken)
        if examples:
            metadata["examples"] = dg.MetadataValue.table(
                examples, schema=_text_schema("row", "column", "value", "expected")
            )
    return dg.AssetCheckResult(
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR,
        description=_summary(row_count, found, broken),
        metadata=metadata,
    )


def _summary(row_count: int, found: Sequence[Finding], broken: Sequence[Finding]) -> str:
    if not broken:
        return f"{row_count} rows meet {len(found)} expectations."
    first = broken[0]
    return (
        f"{len(broken)} of {len(found)} expectations are broken in {row_count} rows, first "
        f"{first.column}: expected {first.expected}, {first.found}."
    )


def _record(finding: Finding) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "column": finding.column,
            "expected": finding.expected,
            "found": finding.found,
            "failures": str(finding.failures),
        }
    )


def _failures(contract: TableContract, broken: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return the failed partitions: every one of them once, then further failures up to a limit."""
    entries = [entry for finding in broken for entry in _failed_partitions(contract, finding)]
    ranks: Counter[tuple[Any, Any]] = Counter()
    ranked = []
    for entry in entries:
        partition = (entry["ticker"], entry["window"])
        ranked.append((ranks[partition], entry))
        ranks[partition] += 1
    ranked.sort(key=lambda each: each[0])
    return [entry for _, entry in ranked[: max(MAX_FAILURES, len(ranks))]]


def _failed_partitions(contract: TableContract, finding: Finding) -> list[dict[str, Any]]:
    if finding.rows.empty:
        return [_failed_partition(None, None, finding, finding.found, finding.failures)]
    rows = finding.rows.reset_index(drop=True)
    keys = pd.DataFrame(index=rows.index, columns=["ticker", "window"], dtype=object)
    if contract.ticker_column in rows:
        keys["ticker"] = rows[contract.ticker_column]
    if contract.date_column in rows:
        starts = pd.Series(window_starts(rows[contract.date_column]))
        keys["window"] = starts.where(rows[contract.date_column].notna())
    grouped = keys.reset_index().groupby(["ticker", "window"], dropna=False)["index"]
    return [
        _failed_partition(ticker, window, finding, _value(finding, rows.loc[first].to_dict()), size)
        for (ticker, window), first, size in grouped.agg(["first", "size"]).itertuples()
    ]


def _failed_partition(
    ticker: Any, window: Any, finding: Finding, value: str, failures: int
) -> dict[str, Any]:
    return {
        "ticker": None if pd.isna(ticker) else str(ticker),
        "window": None if pd.isna(window) else window.strftime(WINDOW_FORMAT),
        "column": finding.column,
        "value": value,
        "expected": finding.expected,
        "failures": int(failures),
    }


def _examples(contract: TableContract, broken: Sequence[Finding]) -> list[dg.TableRecord]:
    """Return broken rows, one of each expectation before a second of any."""
    ranked = [
        (rank, finding, row)
        for finding in broken
        for rank, row in enumerate(finding.rows.head(MAX_EXAMPLES).to_dict("records"))
    ]
    ranked.sort(key=lambda each: each[0])
    return [
        dg.TableRecord(
            {
                "row": ", ".join(f"{name}={_text(row.get(name))}" for name in contract.grain),
                "column": finding.column,
                "value": _value(finding, row),
                "expected": finding.expected,
            }
        )
        for _, finding, row in ranked[:MAX_EXAMPLES]
    ]


def _value(finding: Finding, row: dict[Any, Any]) -> str:
    """Return the broken value; for a repeated grain, the grain."""
    names = finding.column.split(", ")
    return ", ".join(_text(row.get(name)) for name in names)


def _text(value: Any) -> str:
    if pd.isna(value):
        return "null"
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)


def _text_schema(*names: str) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(name, type="string") for name in names])
