"""Column lineage of hand-made statements, and of the stored models against sqlglot's own."""

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage

from odyssey_assets.errors import SqlProjectError
from odyssey_assets.infrastructure.sql_lineage import table_references, trace_columns
from odyssey_assets.infrastructure.sql_project import load_project
from odyssey_assets_tests.dbt_like_sql import market

SQL_FOLDER = Path(__file__).resolve().parents[2] / "dbt_like_sql"

TABLES = {("s", "t"): ("k", "a", "b", "c"), ("s", "u"): ("k", "x", "y")}

CASES = {
    "plain column": ("select a from s.t", {"a": {"t.a"}}),
    "renamed column": ("select t.a as z from s.t", {"z": {"t.a"}}),
    "upper case": ("select T.A as Z from S.T", {"z": {"t.a"}}),
    "quoted column": ('select "a" from s.t', {"a": {"t.a"}}),
    "expression": ("select a + 2 * b as z from s.t", {"z": {"t.a", "t.b"}}),
    "literal": ("select 1 as one, current_date as day from s.t", {"one": set(), "day": set()}),
    "count star": ("select count(*) as n from s.t", {"n": set()}),
    "case": (
        "select case when a > 0 then b else c end as z from s.t",
        {"z": {"t.a", "t.b", "t.c"}},
    ),
    "window function": (
        "select sum(a) over (partition by b order by c) as z from s.t",
        {"z": {"t.a", "t.b", "t.c"}},
    ),
    "aggregate with filter": (
        "select sum(a) filter (where b > 0) as z from s.t group by c",
        {"z": {"t.a", "t.b"}},
    ),
    "keys of joins and conditions do not count": (
        "select x from s.t join s.u on u.k = t.k where b > 0 group by c",
        {"x": {"u.x"}},
    ),
    "join of two tables": (
        "select l.a, r.x, l.a * r.y as z from s.t as l left join s.u as r using (k)",
        {"a": {"t.a"}, "x": {"u.x"}, "z": {"t.a", "u.y"}},
    ),
    "self join": (
        "select one.a, two.b from s.t as one cross join s.t as two",
        {"a": {"t.a"}, "b": {"t.b"}},
    ),
    "shared key comes from the left table": (
        "select k from s.u join s.t using (k)",
        {"k": {"u.k"}},
    ),
    "common table expressions": (
        "with one as (select a + b as p, c from s.t), two as (select p * 2 as q, c from one) "
        "select q, c from two",
        {"q": {"t.a", "t.b"}, "c": {"t.c"}},
    ),
    "expression that hides a table": (
        "with t as (select x as a from s.u) select a from t",
        {"a": {"u.x"}},
    ),
    "nested with": (
        "with o as (with i as (select a from s.t) select a as z from i) select z from o",
        {"z": {"t.a"}},
    ),
    "names behind a common table expression": (
        "with v(p, q) as (select a, b from s.t) select q, p from v",
        {"q": {"t.b"}, "p": {"t.a"}},
    ),
    "subquery": ("select z from (select a as z from s.t) as q", {"z": {"t.a"}}),
    "scalar subquery": (
        "select (select max(x) from s.u where u.k = t.k) as z from s.t",
        {"z": {"u.x"}},
    ),
    "correlated value": (
        "select (select max(u.x + t.a) from s.u) as z from s.t",
        {"z": {"u.x", "t.a"}},
    ),
    "in a subquery": ("select a in (select x from s.u) as z from s.t", {"z": {"t.a", "u.x"}}),
    "union": (
        "select a as z, b from s.t union all select x, y from s.u",
        {"z": {"t.a", "u.x"}, "b": {"t.b", "u.y"}},
    ),
    "star": (
        "with v as (select * from s.u) select v.x, v.k from v",
        {"x": {"u.x"}, "k": {"u.k"}},
    ),
    "star of one table, with exclude": (
        "with v as (select u.* exclude (x), t.a from s.t join s.u using (k)) select y, a from v",
        {"y": {"u.y"}, "a": {"t.a"}},
    ),
    "alias of the same select": (
        "select a + b as p, p * c as q from s.t",
        {"p": {"t.a", "t.b"}, "q": {"t.a", "t.b", "t.c"}},
    ),
    "lambda": (
        "select list_transform([a, b], lambda v: v + c) as z from s.t",
        {"z": {"t.a", "t.b", "t.c"}},
    ),
    "values": (
        "select n.name, t.a from (values ('p'), ('q')) as n(name) cross join s.t",
        {"name": set(), "a": {"t.a"}},
    ),
    "table function": (
        "select f.column_name, f.comment || a as z from duckdb_columns() as f cross join s.t",
        {"column_name": set(), "z": {"t.a"}},
    ),
    "unnest": (
        "select n.v from s.t, unnest([t.a, t.b]) as n(v)",
        {"v": {"t.a", "t.b"}},
    ),
    "unpivot of all but one": (
        "select p.k, p.name, p.v from s.t unpivot (v for name in (columns(* exclude (k)))) as p",
        {"k": {"t.k"}, "name": set(), "v": {"t.a", "t.b", "t.c"}},
    ),
    "unpivot of named columns": (
        "select c, name, v from s.t unpivot include nulls (v for name in (a, b))",
        {"c": {"t.c"}, "name": set(), "v": {"t.a", "t.b"}},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_trace_finds_the_stored_columns_behind_every_output(name: str) -> None:
    sql, expected = CASES[name]
    traces = trace_columns(sqlglot.parse_one(sql, dialect="duckdb"), TABLES)
    found = {
        column: {f"{source.table[1]}.{source.column}" for source in trace.sources}
        for column, trace in traces.items()
    }
    assert found == expected


@pytest.mark.parametrize(
    ("sql", "unchanged"),
    [
        ("select a as z from s.t", "a"),
        ("with v as (select a as p from s.t) select p as z from v", "a"),
        ("select a as z from s.t union all select a from s.t", "a"),
        ("select a as z from s.t union all select b from s.t", None),
        ("select -a as z from s.t", None),
        ("select max(a) as z from s.t", None),
        ("select a::integer as z from s.t", None),
    ],
)
def test_trace_says_which_column_is_passed_on_unchanged(sql: str, unchanged: str | None) -> None:
    trace = trace_columns(sqlglot.parse_one(sql, dialect="duckdb"), TABLES)["z"]
    assert (trace.unchanged.column if trace.unchanged else None) == unchanged


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select\n    d\nfrom s.t", "line 2: unknown column 'd'"),
        ("select a,\n    o.b\nfrom s.t", "line 2: unknown column 'o.b'"),
        ("select a\nfrom s.gone", r"line 2: unknown table s\.gone"),
        ("select a from gone", "unknown table 'gone'"),
        ("select a, b from s.t union all select x from s.u", "same columns in the same order"),
        ("select a from s.t union all by name select x as a from s.u", "both sides of union"),
        ("with v as (select * replace (1 as a) from s.t) select a from v", "one by one"),
        ("with v as (select o.* from s.t) select a from v", r"`o\.\*` cannot be read"),
        ("select v from s.t unpivot (v for n in (a, d))", r"unknown columns \['d'\]"),
        ("select k from s.t pivot (sum(a) for b in (1, 2))", "`pivot` hides its columns"),
    ],
)
def test_trace_of_what_cannot_be_resolved_names_line_and_remedy(sql: str, message: str) -> None:
    with pytest.raises(SqlProjectError, match=message):
        trace_columns(sqlglot.parse_one(sql, dialect="duckdb"), TABLES)


def test_references_are_the_stored_tables_with_their_lines() -> None:
    sql = "with v as (\n    select a from s.t\n)\nselect a\nfrom v\njoin s.u using (k)"
    sql += "\nwhere k in (select k from s.t) and exists (from range(3))"
    query = sqlglot.parse_one(sql, dialect="duckdb")
    assert table_references(query) == {("s", "t"): 2, ("s", "u"): 6}


def test_references_without_schema_are_refused() -> None:
    with pytest.raises(SqlProjectError, match=r"line 2: table 't' has no schema.*schema\.table"):
        table_references(sqlglot.parse_one("select a\nfrom t", dialect="duckdb"))


@pytest.mark.parametrize(
    "name",
    [
        "int_ticker_sessions",
        "int_forecast_outcomes",
        "int_yardstick_comparisons",
        "mart_daily_signals",
        "mart_current_portfolio",
    ],
)
def test_trace_of_the_stored_models_equals_the_lineage_of_sqlglot(name: str) -> None:
    project = load_project(SQL_FOLDER, market.TABLES)
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for contract in market.TABLES:
        columns = {column.name: column.type for column in contract.columns}
        schema.setdefault(contract.schema, {})[contract.name] = dict(columns)
    for model in project.models:
        types = {column.name: column.type or "DOUBLE" for column in model.columns}
        schema.setdefault(model.key[0], {})[model.key[1]] = types
    model = next(model for model in project.models if model.key[1] == name)
    for column in model.columns:
        node = lineage(column.name, model.sql, schema=schema, dialect="duckdb")
        expected = {
            (leaf.expression.db, leaf.expression.name, leaf.name.split(".")[-1].strip('"'))
            for leaf in node.walk()
            if isinstance(leaf.expression, exp.Table) and not leaf.downstream
        }
        assert {(*source.table, source.column) for source in column.sources} == expected
