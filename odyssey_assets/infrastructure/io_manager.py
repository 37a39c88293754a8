"""Frames between assets and the warehouse: the one way in which an asset stores and reads a table.

The contract is found by the asset's key, the slices are exactly the run's partitions (a range of
them in one run is one write; a set that is no rectangle is several deletes in one transaction).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import dagster as dg
import pandas as pd

from odyssey_assets.contracts import Column, TableContract
from odyssey_assets.core.slices import WHOLE_TABLE, Slice
from odyssey_assets.errors import ContractError
from odyssey_assets.infrastructure.partitions import slices_of
from odyssey_assets.infrastructure.warehouse import Warehouse

FROM_THE_BEGINNING: Mapping[str, str] = {"odyssey/reads_since": "the beginning"}
OF_EVERY_TICKER: Mapping[str, str] = {"odyssey/reads_tickers": "all"}


class WarehouseIOManager(dg.IOManager):
    """Stores the frames of assets as tables of the warehouse, and reads them for the next ones."""

    def __init__(self, warehouse: Warehouse, contracts: Iterable[TableContract]) -> None:
        self._warehouse = warehouse
        self._contracts = {contract.key: contract for contract in contracts}

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Check and store the frame of an asset; row count, hash and seconds become metadata.

        Raises:
            ContractError: No frame, no contract, or a frame that breaks it. Nothing was stored.
            WarehouseError: The warehouse cannot be written. The table is as it was.
        """
        contract = self._contract(context.asset_key)
        if not isinstance(obj, pd.DataFrame):
            raise ContractError(
                f"{contract.qualified_name}: the asset returned {type(obj).__name__}, expected a "
                "pandas DataFrame. Return the rows of the run's partitions, or an empty frame "
                "with the contract's columns (`contract.empty()`)."
            )
        if contract.is_append_only:
            receipt = self._warehouse.append(contract, obj)
        else:
            receipt = self._warehouse.replace(contract, obj, _slices(context))
        context.add_output_metadata(
            {
                "dagster/row_count": receipt.row_count,
                "content_sha256": receipt.content_sha256,
                "duration_s": receipt.duration_s,
            }
        )

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """Return the stored rows of the upstream partitions that the run's partitions map to.

        Rows are sorted by the contract's grain. An upstream asset without partitions is read
        whole; one that was never stored gives no rows. Input metadata widens what is read beyond
        the mapped partitions: `FROM_THE_BEGINNING` by everything before them, `OF_EVERY_TICKER` by
        all other tickers. (A partition mapping over all tickers says the same, but Dagster expands
        it cell by cell: 66 million keys for 240 tickers.)

        Raises:
            ContractError: The upstream asset has no contract.
            WarehouseError: The warehouse cannot be read.
        """
        slices = _slices(context)
        metadata = dict(context.definition_metadata).items()
        if FROM_THE_BEGINNING.items() <= metadata:
            slices = tuple(replace(part, start=None) for part in slices)
        if OF_EVERY_TICKER.items() <= metadata:
            slices = tuple({replace(part, tickers=None) for part in slices})
        return self._warehouse.read(self._contract(context.asset_key), slices)

    def _contract(self, key: dg.AssetKey) -> TableContract:
        contract = self._contracts.get((key.path[0], key.path[-1])) if len(key.path) == 2 else None
        if contract is None:
            raise ContractError(
                f"{'.'.join(key.path)} has no contract among {sorted(self._contracts)}. Declare it "
                "in the `tables.py` of its domain."
            )
        return contract


def asset_metadata(contract: TableContract) -> dict[str, Any]:
    """Return what the UI shows of a table before any run: columns, grain and table name."""
    columns = [
        dg.TableColumn(
            name=column.name,
            type=column.type,
            description=column.description,
            constraints=dg.TableColumnConstraints(
                nullable=column.is_nullable, other=_constraints(column)
            ),
        )
        for column in contract.columns
    ]
    return {
        "dagster/column_schema": dg.TableSchema(columns),
        "dagster/table_name": contract.qualified_name,
        "grain": ", ".join(contract.grain),
    }


def asset_outs(contracts: Iterable[TableContract], kinds: Iterable[str]) -> dict[str, dg.AssetOut]:
    """Return the outputs of an asset function that fills several tables, by table name."""
    return {
        contract.name: dg.AssetOut(
            key=list(contract.key),
            description=contract.description,
            metadata=asset_metadata(contract),
            kinds=set(kinds),
        )
        for contract in contracts
    }


def _slices(context: dg.OutputContext | dg.InputContext) -> tuple[Slice, ...]:
    if not context.has_asset_partitions:
        return (WHOLE_TABLE,)
    return slices_of(context.asset_partition_keys)


def _constraints(column: Column) -> list[str]:
    constraints = []
    if column.minimum is not None:
        constraints.append(f"at least {column.minimum:g}")
    if column.maximum is not None:
        constraints.append(f"at most {column.maximum:g}")
    if column.allowed:
        constraints.append("one of " + ", ".join(column.allowed))
    if column.is_audit:
        constraints.append("not part of the content hash")
    return constraints
