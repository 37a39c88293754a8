"""Which stored columns each column of a select comes from, read from the SQL itself.

One walk over sqlglot's tree: common table expressions, joins, unions, subqueries, windows, stars
and `unpivot`. Lineage is about values: the columns of an expression count (with those of its
window or filter), the columns of `join`, `where` and `group by` do not. Checking that the SQL can
run belongs to `sql_binding`; files and headers belong to `sql_project`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from odyssey_assets.errors import SqlProjectError
from odyssey_assets.infrastructure.sql_relations import (
    ColumnRef,
    Relation,
    TableKey,
    Trace,
    expand_star,
    line_of,
    named_columns,
    star_of,
    unpivoted,
)


@dataclass(frozen=True)
class _Scope:
    """What a query can see: stored tables, its CTEs, and the relations of enclosing queries."""

    tables: Mapping[TableKey, Sequence[str]]
    ctes: Mapping[str, Relation]
    outer: Mapping[str, Relation]


def trace_columns(query: exp.Expr, tables: Mapping[TableKey, Sequence[str]]) -> dict[str, Trace]:
    """Return the output columns of `query` in order, each with its trace.

    Args:
        query: A parsed select or set operation, DuckDB dialect.
        tables: Column names of every table the query may read.

    Raises:
        SqlProjectError: A table or column is unknown; names the line, not the file.
    """
    return dict(_trace_query(query, _Scope(tables, {}, {})).columns)


def table_references(query: exp.Expr) -> dict[TableKey, int]:
    """Return the stored tables that `query` names, each with the line of its first mention.

    Raises:
        SqlProjectError: A table has no schema and is no common table expression.
    """
    names = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
    found: dict[TableKey, int] = {}
    for table in query.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            continue
        if table.db:
            found.setdefault(_table_key(table), line_of(table.this))
        elif table.name.lower() not in names:
            raise SqlProjectError(
                f"line {line_of(table.this)}: table {table.name!r} has no schema and is no common "
                "table expression above it. Write `schema.table`."
            )
    return found


def _trace_query(query: exp.Expr, scope: _Scope) -> Relation:
    if isinstance(query, exp.Query):
        for cte in query.ctes:
            traced = named_columns(_trace_query(cte.this, scope), cte)
            scope = replace(scope, ctes={**scope.ctes, cte.alias.lower(): traced})
    if isinstance(query, exp.Subquery):
        return _trace_query(query.this, scope)
    if isinstance(query, exp.SetOperation):
        return _trace_set_operation(query, scope)
    if isinstance(query, exp.Select):
        return _trace_select(query, scope)
    return Relation({}, Trace(_sources_of(query, {}, scope)))


def _trace_set_operation(query: exp.SetOperation, scope: _Scope) -> Relation:
    left, right = _trace_query(query.this, scope), _trace_query(query.expression, scope)
    if query.args.get("by_name") or len(left.columns) != len(right.columns):
        raise SqlProjectError(
            f"line {line_of(query)}: both sides of {query.key} need the same columns in the same "
            f"order; found {list(left.columns)} and {list(right.columns)}."
        )
    pairs = zip(left.columns.items(), right.columns.values(), strict=True)
    return Relation(
        {
            name: Trace(
                one.sources | two.sources,
                one.unchanged if one.unchanged == two.unchanged else None,
            )
            for (name, one), two in pairs
        }
    )


def _trace_select(select: exp.Select, scope: _Scope) -> Relation:
    visible: dict[str, Relation] = {}
    for node in _from_nodes(select):
        name, relation = _relation_of(node, replace(scope, outer={**scope.outer, **visible}))
        visible[name] = relation
    columns: dict[str, Trace] = {}
    for projection in select.expressions:
        star = star_of(projection)
        if star is not None:
            columns |= expand_star(projection, star, visible)
            continue
        value = projection.unalias()
        reach = {**visible, "": Relation(dict(columns))}
        if isinstance(value, exp.Column):
            columns[projection.alias_or_name.lower()] = _resolve(value, reach, scope)
        else:
            columns[projection.alias_or_name.lower()] = Trace(_sources_of(value, reach, scope))
    return Relation(columns)


def _from_nodes(select: exp.Select) -> Iterable[exp.Expr]:
    from_clause = select.args.get("from_")
    if from_clause is not None:
        yield from_clause.this
    for join in select.args.get("joins") or ():
        yield join.this
    yield from select.args.get("laterals") or ()


def _relation_of(node: exp.Expr, scope: _Scope) -> tuple[str, Relation]:
    name = node.alias_or_name.lower()
    if not isinstance(node, exp.Table):
        return name, named_columns(_trace_query(node, scope), node)
    if not isinstance(node.this, exp.Identifier):
        return name, named_columns(Relation({}, Trace(_sources_of(node, {}, scope))), node)
    if node.db:
        relation = _stored(_table_key(node), line_of(node.this), scope)
    elif node.name.lower() in scope.ctes:
        relation = scope.ctes[node.name.lower()]
    else:
        raise SqlProjectError(f"line {line_of(node.this)}: unknown table {node.name!r}.")
    for pivot in node.args.get("pivots") or ():
        relation = unpivoted(pivot, relation)
        name = pivot.alias.lower() or name
    return name, named_columns(relation, node)


def _stored(key: TableKey, line: int, scope: _Scope) -> Relation:
    if key not in scope.tables:
        raise SqlProjectError(f"line {line}: unknown table {'.'.join(key)}.")
    refs = {column: ColumnRef(key, column) for column in scope.tables[key]}
    return Relation({name: Trace(frozenset({ref}), ref) for name, ref in refs.items()})


def _sources_of(
    expression: exp.Expr, visible: Mapping[str, Relation], scope: _Scope
) -> frozenset[ColumnRef]:
    """Return the sources of every column in an expression, those of its subqueries included."""
    sources: set[ColumnRef] = set()
    pending = [expression]
    while pending:
        node = pending.pop()
        if isinstance(node, exp.Query):
            inner = replace(scope, outer={**scope.outer, **visible})
            for trace in _trace_query(node, inner).columns.values():
                sources |= trace.sources
        elif isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
            sources |= _resolve(node, visible, scope).sources
        else:
            pending.extend(node.iter_expressions())
    return frozenset(sources)


def _resolve(column: exp.Column, visible: Mapping[str, Relation], scope: _Scope) -> Trace:
    """Find a column as DuckDB does: in the tables of the query, then outside of it."""
    name, table = column.name.lower(), column.table.lower()
    for relations in (visible, scope.outer):
        chosen = (
            relations.values() if not table else [relations[t] for t in (table,) if t in relations]
        )
        for relation in chosen:
            if name in relation.columns:
                return relation.columns[name]
        for relation in chosen:
            if relation.others is not None:
                return relation.others
    raise SqlProjectError(
        f"line {line_of(column.this)}: unknown column {column.sql(dialect='duckdb')!r}."
    )


def _table_key(table: exp.Table) -> TableKey:
    return table.db.lower(), table.name.lower()
