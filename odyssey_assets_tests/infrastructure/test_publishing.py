"""Publishing: people see one complete state, old files stay open, and states expire in order."""

import os
import signal
import stat
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

import duckdb
import pytest

from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.errors import WarehouseError
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.publishing import (
    pin_state,
    publish_file,
    stored_states,
    unpin_state,
)
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets_tests.infrastructure.conftest import QUICK
from odyssey_assets_tests.infrastructure.price_table import PRICES, prices

WHOLE = (WHOLE_TABLE,)
NEWEST = "select max(close) from market.prices"


def publish(warehouse: Warehouse, close: float) -> Path:
    warehouse.replace(PRICES, prices(close=close), WHOLE)
    return warehouse.publish().state


def newest_close(path: Path) -> float:
    with duckdb.connect(str(path), read_only=True) as connection:
        row = connection.execute(NEWEST).fetchone()
    assert row is not None
    return float(row[0])


def answer_newest_close(path: Path, answer: Connection) -> None:
    answer.send(newest_close(path))


def test_publish_makes_a_file_for_people_and_a_state_like_it(
    warehouse: Warehouse, home: Home
) -> None:
    warehouse.replace(PRICES, prices(close=3.0), WHOLE)
    receipt = warehouse.publish()
    assert receipt.path == home.published
    assert receipt.path.read_bytes() == receipt.state.read_bytes()
    assert receipt.state.name.endswith(f"-{receipt.content_sha256[:12]}.duckdb")
    assert receipt.size_bytes == home.published.stat().st_size
    assert newest_close(home.published) == 3.0
    assert not receipt.state.stat().st_mode & stat.S_IWUSR
    assert home.published.stat().st_mode & stat.S_IWUSR


def test_published_view_works_under_any_file_and_catalog_name(
    warehouse: Warehouse, home: Home, tmp_path: Path
) -> None:
    warehouse.replace(PRICES, prices(close=3.0), WHOLE)
    sql = "select ticker, max(close) as close from market.prices group by ticker"
    warehouse.create_model("staging", "stg_prices", "view", sql, "Prices.", {"close": "USD."})
    state = warehouse.publish().state
    for path in (home.published, state):
        with duckdb.connect(str(path), read_only=True) as connection:
            assert connection.execute("select max(close) from staging.stg_prices").fetchall()
    with duckdb.connect(str(tmp_path / "own.duckdb")) as connection:
        connection.execute(f"attach '{home.published}' as shared (read_only)")
        found = connection.execute("select max(close) from shared.staging.stg_prices").fetchone()
    assert found == (3.0,)


def test_reader_with_the_file_open_keeps_the_old_state_and_the_next_sees_the_new(
    warehouse: Warehouse, home: Home, processes: ForkServerContext
) -> None:
    publish(warehouse, 1.0)
    with duckdb.connect(str(home.published), read_only=True) as reader:
        publish(warehouse, 2.0)
        receiver, sender = processes.Pipe(duplex=False)
        later = processes.Process(target=answer_newest_close, args=(home.published, sender))
        later.start()
        later.join(60)
        assert reader.execute(NEWEST).fetchone() == (1.0,)
        assert receiver.recv() == 2.0


def test_person_who_writes_into_the_published_file_changes_no_state(
    warehouse: Warehouse, home: Home
) -> None:
    state = publish(warehouse, 1.0)
    with duckdb.connect(str(home.published)) as person:
        person.execute("update market.prices set close = 99")
        person.execute("pragma disable_checkpoint_on_shutdown")
        person.execute("create table mine as select 1 as a")
    assert home.published.with_name("odyssey.duckdb.wal").exists()
    assert newest_close(state) == 1.0
    publish(warehouse, 2.0)
    assert newest_close(home.published) == 2.0


def test_old_states_expire_unless_pinned(warehouse: Warehouse, home: Home) -> None:
    first = publish(warehouse, 1.0)
    pin_state(first, "the champion learned from it")
    states = [publish(warehouse, close) for close in (2.0, 3.0, 4.0)]
    assert stored_states(home.published_states) == [first, *states[-QUICK.keep_published :]]
    assert newest_close(first) == 1.0
    unpin_state(first)
    last = publish(warehouse, 5.0)
    assert stored_states(home.published_states) == [states[-1], last]


def test_leftovers_of_a_killed_publication_are_removed(warehouse: Warehouse, home: Home) -> None:
    leftovers = [home.published_states / "new.tmp", home.published.with_name("odyssey.duckdb.tmp")]
    for leftover in leftovers:
        leftover.write_bytes(b"half a file")
        leftover.chmod(0o444)
    publish(warehouse, 1.0)
    assert not any(leftover.exists() for leftover in leftovers)
    assert newest_close(home.published) == 1.0


def publish_again_and_again(home: Home, acknowledge: Connection) -> None:
    warehouse = Warehouse(home, QUICK)
    while True:
        warehouse.publish()
        acknowledge.send(True)


def test_publisher_killed_at_any_moment_leaves_a_complete_file(
    warehouse: Warehouse, home: Home, processes: ForkServerContext
) -> None:
    publish(warehouse, 1.0)
    for _ in range(3):
        receiver, sender = processes.Pipe(duplex=False)
        process = processes.Process(target=publish_again_and_again, args=(home, sender))
        process.start()
        receiver.recv()
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join(30)
        assert newest_close(home.published) == 1.0
        assert all(newest_close(state) == 1.0 for state in stored_states(home.published_states))
    publish(warehouse, 2.0)
    assert newest_close(home.published) == 2.0


def publish_once(home: Home) -> None:
    Warehouse(home, QUICK).publish()


def test_two_processes_that_publish_at_once_both_succeed(
    warehouse: Warehouse, home: Home, processes: ForkServerContext
) -> None:
    warehouse.replace(PRICES, prices(close=7.0), WHOLE)
    publishers = [processes.Process(target=publish_once, args=(home,)) for _ in range(2)]
    for publisher in publishers:
        publisher.start()
    for publisher in publishers:
        publisher.join(60)
    assert [publisher.exitcode for publisher in publishers] == [0, 0]
    assert len(stored_states(home.published_states)) == 2
    assert newest_close(home.published) == 7.0


def test_publish_before_anything_is_stored_says_what_to_do(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="odyssey run"):
        warehouse.publish()


def test_publish_that_cannot_write_leaves_what_was_published(
    warehouse: Warehouse, home: Home
) -> None:
    publish(warehouse, 1.0)
    blocked = home.published_states / "new.tmp"
    blocked.mkdir()
    with pytest.raises(WarehouseError, match="cannot be published"):
        publish(warehouse, 2.0)
    assert newest_close(home.published) == 1.0


def test_publish_file_names_the_content_it_copied(tmp_path: Path) -> None:
    live = tmp_path / "live.duckdb"
    with duckdb.connect(str(live)) as connection:
        connection.execute("create table t as select 1 as a")
    published, states = tmp_path / "people" / "odyssey.duckdb", tmp_path / "people" / "states"
    state, content_sha256 = publish_file(live, published, states, keep=1)
    assert state.read_bytes() == live.read_bytes() == published.read_bytes()
    again, same_sha256 = publish_file(live, published, states, keep=1)
    assert content_sha256 == same_sha256
    assert stored_states(states) == [again]
