"""One SQL file: header, statement, columns and the comments behind them."""

from pathlib import Path

import pytest

from odyssey_assets.errors import SqlProjectError
from odyssey_assets.infrastructure.sql_files import read_sql_file

FILE = (
    "-- description: Some rows.\n-- grain: item\nselect\n    item,\n    price\nfrom shop.prices\n"
)


def test_header_may_go_on_over_several_lines(tmp_path: Path) -> None:
    text = "-- description: Some rows,\n--   and more.\n-- grain: item,\n-- price\n\n" + FILE
    file = read_sql_file(_written(tmp_path, text))
    assert file.header("description") == "Some rows, and more."
    assert file.header("grain") == "item, price"


def test_statement_loses_only_its_semicolon(tmp_path: Path) -> None:
    assert read_sql_file(_written(tmp_path, FILE.rstrip() + ";\n\n")).statement == FILE


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SqlProjectError, match="cannot be read"):
        read_sql_file(path)


@pytest.mark.parametrize(
    ("line", "comment"),
    [
        ("item -- What is sold.", "What is sold."),
        ("item --What -- was sold.", "What -- was sold."),
        ("'--' as item -- Dashes.", "Dashes."),
        ('"--" as item', ""),
        ("2 - -1 as item -- Three.", "Three."),
        ("item", ""),
    ],
)
def test_comment_is_what_stands_behind_the_code(tmp_path: Path, line: str, comment: str) -> None:
    file = read_sql_file(_written(tmp_path, f"select\n    {line}\nfrom shop.prices\n"))
    assert list(file.output_lines().values()) == [2]
    assert file.comment_at(2) == comment


def test_line_of_a_column_is_the_line_of_its_name(tmp_path: Path) -> None:
    text = "select\n    p.item,\n    case\n        when a then b\n    end as c,\n    d\n"
    text += "from s.p as p\n"
    assert read_sql_file(_written(tmp_path, text)).output_lines() == {"item": 2, "c": 5, "d": 6}


def test_columns_of_a_union_are_those_of_its_first_select(tmp_path: Path) -> None:
    text = "select\n    a\nfrom s.t\nunion all\nselect b\nfrom s.t\n"
    assert read_sql_file(_written(tmp_path, text)).output_lines() == {"a": 2}


def _written(folder: Path, text: str) -> Path:
    path = folder / "model.sql"
    path.write_text(text)
    return path
