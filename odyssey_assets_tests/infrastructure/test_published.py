"""Reading the published file: rows, and a reason for every refusal."""

import multiprocessing
from pathlib import Path

import duckdb
import pytest

from odyssey_assets.errors import WarehouseError
from odyssey_assets.infrastructure.published import query_published


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "odyssey.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table days as select * from range(3) as t (day)")
    return path


def test_query_returns_the_rows_and_leaves_the_file_as_it_was(published: Path) -> None:
    before = published.read_bytes()
    rows = query_published(published, "select day from days order by day desc")
    assert rows["day"].tolist() == [2, 1, 0]
    assert published.read_bytes() == before
    assert sorted(path.name for path in published.parent.iterdir()) == [published.name]


def test_query_works_beside_another_process_that_keeps_the_file_open(published: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with duckdb.connect(str(published), read_only=True), context.Pool(1) as pool:
        rows = pool.apply(query_published, (published, "select count(*) as days from days"))
    assert rows["days"].tolist() == [3]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select nonsense from days", "nonsense"),
        ("selec 1", "syntax error"),
        ("delete from days", "read-only"),
        ("", "no statement"),
        ("-- only a comment", "no statement"),
    ],
)
def test_query_that_cannot_be_run_is_refused_with_the_reason(
    published: Path, sql: str, reason: str
) -> None:
    with pytest.raises(WarehouseError, match=reason):
        query_published(published, sql)


def test_query_before_anything_is_published_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="Run `odyssey run`"):
        query_published(tmp_path / "odyssey.duckdb", "select 1")
    assert list(tmp_path.iterdir()) == []


def test_query_of_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odyssey.duckdb"
    path.write_text("not a database, but long enough to be looked at" * 100)
    with pytest.raises(WarehouseError, match="The query failed"):
        query_published(path, "select 1")
