"""Figures of the published file: read once a publication, whatever its age or who has it open."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from odyssey_assets.core.metrics import Metric, MetricQuery
from odyssey_assets.errors import WarehouseError
from odyssey_assets.infrastructure.published_metrics import PublishedMetrics
from odyssey_assets_tests.samples import Samples, samples_of

PRICES = MetricQuery(
    ("ticker",),
    (
        Metric("odyssey_price_usd", "Price.", "price"),
        Metric("odyssey_trades_total", "Trades.", "trades", kind="counter"),
    ),
    "select ticker, price, trades from prices order by ticker",
)
ROWS = "('A', 1.5, 7), ('B', null, 8), (null, 2.5, null)"
HOLD_OPEN = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def write(path: Path, rows: str = ROWS, columns: str = "ticker, price, trades") -> None:
    """Put a database in the place of another, as a publication does."""
    path.parent.mkdir(exist_ok=True)
    new = path.with_name("new.duckdb")
    with duckdb.connect(str(new)) as connection:
        connection.execute(f"create table prices as select * from (values {rows}) as t ({columns})")
    os.replace(new, path)  # noqa: PTH105 (the call that publishing is about)


class Folder:
    """A published file, its states, and the figures read from them."""

    def __init__(self, root: Path) -> None:
        self.published = root / "odyssey.duckdb"
        self.states = root / "states"
        self.queries: Sequence[MetricQuery] = (PRICES,)
        self.asked = 0
        self.metrics = PublishedMetrics(self.published, self.states, self._queries)

    def _queries(self) -> Sequence[MetricQuery]:
        self.asked += 1
        return self.queries

    def samples(self) -> Samples:
        return samples_of(self.metrics.families())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_rows_become_values_by_label_and_nulls_become_none(folder: Folder) -> None:
    write(folder.published)
    found = folder.samples()
    assert found["odyssey_price_usd"] == {"ticker=A": 1.5, "ticker=": 2.5}
    assert found["odyssey_trades_total"] == {"ticker=A": 7.0, "ticker=B": 8.0}
    assert found["odyssey_published_size_bytes"] == {"": folder.published.stat().st_size}
    assert found["odyssey_published_timestamp_seconds"] == {"": folder.published.stat().st_mtime}


def test_replaced_file_is_read_anew_and_an_unchanged_one_is_not(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder.published)
    folder.samples()
    opened: list[str] = []
    connect = duckdb.connect

    def counting(path: str, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        opened.append(path)
        return connect(path, read_only=read_only)

    monkeypatch.setattr(duckdb, "connect", counting)
    assert folder.samples()["odyssey_price_usd"]["ticker=A"] == 1.5
    assert opened == []
    monkeypatch.setattr(duckdb, "connect", connect)
    write(folder.published, "('A', 9.5, 7)")
    monkeypatch.setattr(duckdb, "connect", counting)
    assert folder.samples()["odyssey_price_usd"] == {"ticker=A": 9.5}
    assert opened == [str(folder.published)]


def test_file_is_closed_after_reading(folder: Folder) -> None:
    write(folder.published)
    folder.samples()
    program = "import sys, duckdb; duckdb.connect(sys.argv[1]).execute('drop table prices')"
    subprocess.run([sys.executable, "-c", program, str(folder.published)], check=True)


def test_figure_that_depends_on_the_hour_is_computed_at_every_scrape(folder: Folder) -> None:
    write(folder.published)
    values = [1.0, 2.0]

    def later(_: object) -> float:
        return values.pop(0)

    folder.queries = (
        MetricQuery((), (Metric("odyssey_age", "Age.", "one", convert=later),), "select 1 as one"),
    )
    assert [folder.samples()["odyssey_age"][""] for _ in range(2)] == [1.0, 2.0]


@pytest.mark.parametrize(
    "sql",
    ["select a from nowhere.at_all", "select a from nowhere", "select absent as a from prices"],
)
def test_metric_of_a_missing_table_or_column_is_empty_and_named(folder: Folder, sql: str) -> None:
    write(folder.published)
    newer = MetricQuery((), (Metric("odyssey_newer", "Newer.", "a"),), sql)
    folder.queries = (newer, PRICES)
    found = folder.samples()
    assert found["odyssey_newer"] == {}
    assert found["odyssey_metric_is_available"] == {
        "metric=odyssey_newer": 0.0,
        "metric=odyssey_price_usd": 1.0,
        "metric=odyssey_trades_total": 1.0,
    }
    assert found["odyssey_price_usd"]["ticker=A"] == 1.5


def test_nothing_published_says_what_to_do_until_there_is_something(folder: Folder) -> None:
    with pytest.raises(WarehouseError, match="Run `odyssey run`"):
        folder.metrics.families()
    write(folder.published)
    assert folder.samples()["odyssey_price_usd"]["ticker=A"] == 1.5


def test_damaged_file_is_refused_even_where_a_state_is_whole(folder: Folder) -> None:
    write(folder.states / "20240101T000000000000Z-aaaaaaaaaaaa.duckdb")
    folder.published.write_text("not a database, but long enough to be looked at" * 100)
    with pytest.raises(WarehouseError, match="cannot be read"):
        folder.metrics.families()


def test_statement_that_is_wrong_is_an_error_and_no_missing_table(folder: Folder) -> None:
    write(folder.published)
    folder.queries = (MetricQuery((), (Metric("odyssey_x", "X.", "x"),), "selec 1 as x"),)
    with pytest.raises(WarehouseError, match="syntax error"):
        folder.metrics.families()


def test_file_that_a_person_has_open_for_writing_is_read_from_the_newest_state(
    folder: Folder,
) -> None:
    write(folder.published)
    write(folder.states / "20240101T000000000000Z-aaaaaaaaaaaa.duckdb", "('A', 3.5, 1)")
    write(folder.states / "20240102T000000000000Z-bbbbbbbbbbbb.duckdb", "('A', 4.5, 1)")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_OPEN, str(folder.published)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as person:
        assert person.stdout is not None
        assert person.stdout.readline().strip() == "open"
        assert folder.samples()["odyssey_price_usd"] == {"ticker=A": 4.5}
        person.communicate("")


def test_overlapping_scrapes_get_the_same_values(folder: Folder) -> None:
    write(folder.published)
    together = threading.Barrier(4)
    found: list[Samples] = []

    def ask() -> None:
        together.wait()
        found.append(folder.samples())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(one == found[0] for one in found)
