"""Between frames and stored rows: which rows a slice selects, and lossless conversion.

Nulls in a frame (NaN, NaT, NA) are SQL nulls in the table and come back as they were. What a row
must fulfil belongs to `contracts`; opening the database belongs to `warehouse`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from odyssey_assets.contracts import TableContract
from odyssey_assets.core.slices import Slice
from odyssey_assets.errors import ContractError
from odyssey_assets.infrastructure.table_layout import identifier, literal


def slice_condition(contract: TableContract, slices: Sequence[Slice]) -> str:
    """Return the SQL condition that holds for the rows inside any of `slices`.

    Raises:
        ContractError: A slice selects by a ticker or date that the table does not have.
    """
    return " or ".join(f"({_condition(contract, part)})" for part in slices) or "false"


def is_inside(frame: pd.DataFrame, contract: TableContract, slices: Sequence[Slice]) -> np.ndarray:
    """Return for each row of a conforming frame whether it lies inside any of `slices`."""
    inside = np.zeros(len(frame), dtype=bool)
    for part in slices:
        _refuse_unselectable(contract, part)
        matches = np.ones(len(frame), dtype=bool)
        if part.tickers is not None:
            matches &= frame[contract.ticker_column].isin(part.tickers).to_numpy(dtype=bool)
        if part.start is not None:
            matches &= (frame[contract.date_column] >= pd.Timestamp(part.start)).to_numpy()
        if part.end is not None:
            matches &= (frame[contract.date_column] < pd.Timestamp(part.end)).to_numpy()
        inside |= matches
    return inside


def refuse_rows_outside(
    rows: pd.DataFrame, contract: TableContract, slices: Sequence[Slice]
) -> None:
    """Refuse rows that would land outside the slices that are replaced.

    Raises:
        ContractError: Names how many rows, one of them, and the slices.
    """
    outside = rows[~is_inside(rows, contract, slices)]
    if not outside.empty:
        example = outside.iloc[0][list(contract.grain)].to_dict()
        raise ContractError(
            f"{contract.qualified_name}: {len(outside)} of {len(rows)} rows lie outside the slice "
            f"that is replaced ({'; '.join(map(str, slices)) or 'no partition'}), for example "
            f"{example}. Return only the rows of the run's partitions."
        )


def to_arrow(rows: pd.DataFrame) -> pa.Table:
    """Return a conforming frame as an Arrow table that DuckDB scans without copying."""
    return pa.Table.from_pandas(rows, preserve_index=False)


def from_arrow(table: pa.Table, contract: TableContract) -> pd.DataFrame:
    """Return fetched columns with the contract's dtypes."""
    frame = table.to_pandas(date_as_object=False, types_mapper=_NULLABLE_INTEGER.get)
    declared = {name: contract.column(name).dtype for name in table.column_names}
    return frame.astype({name: to for name, to in declared.items() if frame[name].dtype != to})


_NULLABLE_INTEGER = {pa.int64(): pd.Int64Dtype()}


def _condition(contract: TableContract, part: Slice) -> str:
    _refuse_unselectable(contract, part)
    terms = []
    if part.tickers is not None:
        tickers = ", ".join(literal(ticker) for ticker in part.tickers) or "null"
        terms.append(f"{identifier(contract.ticker_column or '')} in ({tickers})")
    dates = identifier(contract.date_column or "")
    if part.start is not None:
        terms.append(f"{dates} >= date {literal(part.start.isoformat())}")
    if part.end is not None:
        terms.append(f"{dates} < date {literal(part.end.isoformat())}")
    return " and ".join(terms) or "true"


def _refuse_unselectable(contract: TableContract, part: Slice) -> None:
    has_dates = part.start is not None or part.end is not None
    if (part.tickers is not None and contract.ticker_column is None) or (
        has_dates and contract.date_column is None
    ):
        raise ContractError(
            f"{contract.qualified_name} cannot be cut into {part}: its contract names ticker "
            f"column {contract.ticker_column} and date column {contract.date_column}. Give the "
            "asset partitions that its table has, or declare the column in the contract."
        )
