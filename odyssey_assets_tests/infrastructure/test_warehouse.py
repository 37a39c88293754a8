"""The warehouse: what is stored comes back, all of it or nothing, whoever else writes or dies."""

import os
import resource
import signal
import time
from datetime import date
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from threading import Thread

import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from odyssey_assets.core.hashing import hash_frame
from odyssey_assets.core.slices import WHOLE_TABLE, Slice
from odyssey_assets.errors import ContractError, SqlProjectError, WarehouseError
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.settings_sections import WarehouseSettings
from odyssey_assets_tests.infrastructure.conftest import QUICK
from odyssey_assets_tests.infrastructure.price_table import (
    FIRST_HALF,
    PRICES,
    SECOND_HALF,
    TICKERS,
    VINTAGES,
    prices,
    rectangle,
)

WHOLE = (WHOLE_TABLE,)


def test_replace_then_read_returns_the_same_bits_and_types(warehouse: Warehouse) -> None:
    given_rows = prices()
    receipt = warehouse.replace(PRICES, given_rows.sample(frac=1, random_state=0), WHOLE)
    pd.testing.assert_frame_equal(warehouse.read(PRICES), given_rows)
    assert receipt.row_count == len(given_rows)
    assert receipt.content_sha256 == hash_frame(given_rows, PRICES.content_columns)
    assert receipt.content_sha256 == warehouse.table_hash(PRICES)
    assert receipt.duration_s > 0


def test_content_hash_with_other_audit_columns_stays_the_same(warehouse: Warehouse) -> None:
    later = prices().assign(stored_at=pd.Timestamp("2030-01-01").as_unit("us"))
    first = warehouse.replace(PRICES, prices(), WHOLE)
    assert warehouse.replace(PRICES, later, WHOLE).content_sha256 == first.content_sha256


def test_read_without_a_warehouse_or_table_returns_no_rows(warehouse: Warehouse) -> None:
    pd.testing.assert_frame_equal(warehouse.read(PRICES), PRICES.empty())
    warehouse.replace(PRICES, prices(), WHOLE)
    assert list(warehouse.read(VINTAGES, columns=["date", "close"]).columns) == ["date", "close"]


def test_read_of_slices_and_columns_returns_just_those(warehouse: Warehouse) -> None:
    rows = prices()
    warehouse.replace(PRICES, rows, WHOLE)
    slices = (rectangle(["BBB"], FIRST_HALF), rectangle(["CCC"], SECOND_HALF))
    found = warehouse.read(PRICES, slices, columns=["date", "ticker"])
    is_second = rows["date"] >= pd.Timestamp(SECOND_HALF[0])
    is_bbb, is_ccc = rows["ticker"] == "BBB", rows["ticker"] == "CCC"
    expected = rows.loc[(is_bbb & ~is_second) | (is_ccc & is_second), ["date", "ticker"]]
    pd.testing.assert_frame_equal(found, expected.reset_index(drop=True))


@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cells=st.sets(st.tuples(st.sampled_from(TICKERS), st.sampled_from([0, 1])), max_size=6))
def test_replace_of_any_set_of_cells_touches_only_those(
    warehouse: Warehouse, cells: set[tuple[str, int]]
) -> None:
    spans = (FIRST_HALF, SECOND_HALF)
    warehouse.replace(PRICES, prices(close=1.0), WHOLE)
    slices = [rectangle([ticker], spans[half]) for ticker, half in sorted(cells)]
    frames = [prices([ticker], *spans[half], close=2.0).fillna({"close": 2.0})
              for ticker, half in cells]  # fmt: skip
    warehouse.replace(PRICES, pd.concat([PRICES.empty(), *frames]), slices)
    stored = warehouse.read(PRICES)
    halves = (stored["date"] >= pd.Timestamp(SECOND_HALF[0])).astype(int)
    is_cell = [pair in cells for pair in zip(stored["ticker"], halves, strict=True)]
    assert (stored["close"] == 2.0).tolist() == is_cell


def test_replace_of_a_row_outside_the_slice_stores_nothing(
    warehouse: Warehouse, home: Home
) -> None:
    with pytest.raises(ContractError, match=r"outside the slice.*AAA.*'ticker': 'BBB'"):
        warehouse.replace(PRICES, prices(["AAA", "BBB"]), (Slice(("AAA",)),))
    assert not home.warehouse.exists()


def test_replace_of_a_frame_that_breaks_its_contract_never_opens_the_file(
    warehouse: Warehouse, home: Home
) -> None:
    with pytest.raises(ContractError, match="share their grain"):
        warehouse.replace(PRICES, pd.concat([prices(), prices()]), WHOLE)
    with pytest.raises(ContractError, match="append-only"):
        warehouse.replace(VINTAGES, prices(), WHOLE)
    assert not home.warehouse.exists()


def test_replace_by_an_empty_frame_empties_the_slice(warehouse: Warehouse) -> None:
    warehouse.replace(PRICES, prices(), WHOLE)
    warehouse.replace(PRICES, PRICES.empty(), (Slice(("AAA",)),))
    assert set(warehouse.read(PRICES)["ticker"]) == {"BBB", "CCC"}


def test_append_of_known_and_new_rows_stores_the_new_ones_only(warehouse: Warehouse) -> None:
    first = warehouse.append(VINTAGES, prices(["AAA"], close=1.0))
    both = warehouse.append(VINTAGES, prices(["AAA", "BBB"], close=2.0))
    assert first.row_count == both.row_count == len(prices(["AAA"]))
    stored = warehouse.read(VINTAGES)
    assert stored.groupby("ticker")["close"].max().to_dict() == {"AAA": 1.0, "BBB": 2.0}
    assert warehouse.append(VINTAGES, prices(["AAA", "BBB"], close=3.0)).row_count == 0


def test_prune_keeps_the_named_tickers_and_dates(warehouse: Warehouse) -> None:
    assert warehouse.prune(PRICES, TICKERS, FIRST_HALF[0], None) == 0
    warehouse.replace(PRICES, prices(), WHOLE)
    deleted = warehouse.prune(PRICES, ["AAA", "BBB"], *SECOND_HALF)
    stored = warehouse.read(PRICES)
    assert deleted == len(prices()) - len(stored)
    assert set(stored["ticker"]) == {"AAA", "BBB"}
    assert stored["date"].min() >= pd.Timestamp(SECOND_HALF[0])
    with pytest.raises(ContractError, match="append-only"):
        warehouse.prune(VINTAGES, TICKERS, date(2020, 1, 1), None)


def test_query_returns_rows_and_names_what_is_wrong(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="run `odyssey run`"):
        warehouse.query("select 1")
    warehouse.replace(PRICES, prices(), WHOLE)
    counted = warehouse.query("select count(*) as n from market.prices")
    assert counted["n"].tolist() == [len(prices())]
    with pytest.raises(WarehouseError, match="nowhere"):
        warehouse.query("select * from nowhere")
    with pytest.raises(WarehouseError, match="read-only"):
        warehouse.query("create table market.mine (a integer)")


def test_query_while_a_slice_is_written_in_another_thread_waits(warehouse: Warehouse) -> None:
    warehouse.replace(PRICES, prices(close=1.0), WHOLE)
    closes: list[set[float]] = []
    readers = [
        Thread(target=lambda: closes.append(set(warehouse.read(PRICES)["close"].dropna())))
        for _ in range(4)
    ]
    writer = Thread(target=lambda: warehouse.replace(PRICES, prices(close=2.0), WHOLE))
    for thread in (*readers[:2], writer, *readers[2:]):
        thread.start()
    for thread in (*readers, writer):
        thread.join()
    assert len(closes) == 4
    assert all(seen in ({1.0}, {2.0}) for seen in closes)
    assert set(warehouse.read(PRICES)["close"].dropna()) == {2.0}


def test_model_that_fails_leaves_the_stored_one(warehouse: Warehouse) -> None:
    warehouse.create_model("marts", "m", "table", "select 1 as a", "One.", {"a": "A."})
    with pytest.raises(SqlProjectError, match=r"marts\.m .*nowhere"):
        warehouse.create_model("marts", "m", "table", "select * from nowhere", "None.", {})
    assert warehouse.query("select a from marts.m")["a"].tolist() == [1]


def test_write_with_too_little_free_disk_is_refused(home: Home) -> None:
    greedy = Warehouse(home, WarehouseSettings(min_free_gb=1e9))
    with pytest.raises(WarehouseError, match=r"GB free.*MIN_FREE_GB"):
        greedy.replace(PRICES, prices(), WHOLE)
    Warehouse(home, QUICK).replace(PRICES, prices(), WHOLE)
    with pytest.raises(WarehouseError, match="GB free"):
        greedy.publish()
    assert not home.published.exists()


def _write_with_a_full_disk(home: Home, answer: Connection) -> None:
    """Let no file grow beyond what it is plus a little, then write a large slice."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = home.warehouse.stat().st_size + 20_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    large = prices([f"T{index}" for index in range(2000)])
    try:
        Warehouse(home, QUICK).replace(PRICES, large, WHOLE)
    except WarehouseError as error:
        answer.send(str(error))


def test_write_that_fails_for_want_of_disk_leaves_the_table_as_it_was(
    warehouse: Warehouse, home: Home, processes: ForkServerContext
) -> None:
    warehouse.replace(PRICES, prices(), WHOLE)
    receiver, sender = processes.Pipe(duplex=False)
    process = processes.Process(target=_write_with_a_full_disk, args=(home, sender))
    process.start()
    process.join(60)
    assert receiver.poll(), "the write went through although no file could grow"
    assert "odyssey.duckdb" in receiver.recv()
    pd.testing.assert_frame_equal(warehouse.read(PRICES), prices())


def _overwrite(home: Home, ticker: str, times: int) -> None:
    warehouse = Warehouse(home, QUICK)
    for turn in range(times):
        warehouse.replace(PRICES, prices([ticker], close=float(turn)), (Slice((ticker,)),))


def test_eight_processes_that_overwrite_slices_lose_none(
    warehouse: Warehouse, home: Home, processes: ForkServerContext
) -> None:
    tickers = [f"T{index}" for index in range(8)]
    writers = [processes.Process(target=_overwrite, args=(home, each, 5)) for each in tickers]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0] * 8
    stored = warehouse.read(PRICES)
    assert stored.groupby("ticker")["close"].max().to_dict() == dict.fromkeys(tickers, 4.0)
    assert len(stored) == sum(len(prices([each])) for each in tickers)


def _overwrite_until_killed(home: Home, acknowledge: Connection) -> None:
    warehouse = Warehouse(home, QUICK)
    tickers = [f"T{index}" for index in range(100)]
    turn = 0.0
    while True:
        turn += 1
        warehouse.replace(PRICES, prices(tickers, close=turn).fillna({"close": turn}), WHOLE)
        acknowledge.send(turn)


def test_writer_killed_at_any_moment_leaves_the_old_or_the_new_slice(
    warehouse: Warehouse, home: Home, processes: ForkServerContext
) -> None:
    for delay_s in (0.0, 0.013, 0.029, 0.051):
        receiver, sender = processes.Pipe(duplex=False)
        writer = processes.Process(target=_overwrite_until_killed, args=(home, sender))
        writer.start()
        acknowledged = receiver.recv()
        time.sleep(delay_s)
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join(30)
        while receiver.poll():
            acknowledged = receiver.recv()
        stored = warehouse.read(PRICES)
        assert len(stored) == 100 * len(prices(["T0"]))
        values = set(stored["close"])
        assert values in ({acknowledged}, {acknowledged + 1})


def test_read_of_a_table_with_another_layout_says_what_to_do(warehouse: Warehouse) -> None:
    warehouse.create_model("market", "prices", "table", "select 'AAA' as ticker", "Old.", {})
    with pytest.raises(WarehouseError, match=r"not stored: date.*odyssey run"):
        warehouse.read(PRICES)


def test_create_missing_makes_empty_tables_and_leaves_the_others(warehouse: Warehouse) -> None:
    warehouse.replace(PRICES, prices(), WHOLE)
    warehouse.create_missing((PRICES, VINTAGES))
    pd.testing.assert_frame_equal(warehouse.read(PRICES), prices())
    assert warehouse.query("select * from market.vintages").empty
    described = warehouse.query("describe market.vintages")
    assert described["column_name"].tolist() == list(VINTAGES.column_names)
    assert warehouse.append(VINTAGES, prices(["AAA"])).row_count == len(prices(["AAA"]))


def test_create_missing_of_a_warehouse_that_does_not_exist_creates_it(
    warehouse: Warehouse, home: Home
) -> None:
    warehouse.create_missing((PRICES,))
    assert home.warehouse.exists()
    assert warehouse.query("select * from market.prices").empty


def test_create_missing_of_nothing_missing_writes_nothing(warehouse: Warehouse, home: Home) -> None:
    warehouse.create_missing(())
    assert not home.warehouse.exists()
    warehouse.replace(PRICES, prices(), WHOLE)
    before = home.warehouse.stat()
    warehouse.create_missing((PRICES,))
    assert (home.warehouse.stat().st_mtime_ns, home.warehouse.stat().st_size) == (
        before.st_mtime_ns,
        before.st_size,
    )


def test_model_of_tables_that_were_never_filled_is_empty_and_says_its_types(
    warehouse: Warehouse,
) -> None:
    sql = "select ticker, close * 2 as twice from market.prices"
    receipt = warehouse.create_model("marts", "m", "view", sql, "Two.", {}, (PRICES,))
    assert receipt.row_count == 0
    assert list(receipt.column_types.items()) == [("ticker", "VARCHAR"), ("twice", "DOUBLE")]
    assert warehouse.read(PRICES).empty


def test_model_leaves_the_rows_of_the_tables_it_reads(warehouse: Warehouse) -> None:
    warehouse.replace(PRICES, prices(), WHOLE)
    sql = "select count(*) as rows from market.prices"
    warehouse.create_model("marts", "m", "table", sql, "Rows.", {}, (PRICES,))
    assert warehouse.query("select rows from marts.m")["rows"].tolist() == [len(prices())]


def test_refused_model_creates_no_tables(warehouse: Warehouse) -> None:
    warehouse.replace(PRICES, prices(), WHOLE)
    with pytest.raises(SqlProjectError):
        warehouse.create_model("marts", "m", "view", "select nothing", "None.", {}, (VINTAGES,))
    assert warehouse.query("from duckdb_tables() where table_name = 'vintages'").empty
