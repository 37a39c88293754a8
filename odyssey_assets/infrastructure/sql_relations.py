"""The columns of a relation and where their values come from; how naming changes them.

Stars, column aliases and `unpivot` only rearrange columns that are known already. Walking a query
belongs to `sql_lineage`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from odyssey_assets.errors import SqlProjectError

TableKey = tuple[str, str]


@dataclass(frozen=True, order=True)
class ColumnRef:
    """A column of a stored table."""

    table: TableKey
    column: str


@dataclass(frozen=True)
class Trace:
    """Where a column's values come from.

    Attributes:
        sources: Every stored column that enters the value.
        unchanged: The stored column that is passed on as it is, under whatever name; None where
            the value is computed or comes from several columns.
    """

    sources: frozenset[ColumnRef] = frozenset()
    unchanged: ColumnRef | None = None


@dataclass(frozen=True)
class Relation:
    """Columns of something after `from`; `others` stands for columns that are not listed."""

    columns: Mapping[str, Trace]
    others: Trace | None = None


def unpivoted(pivot: exp.Pivot, relation: Relation) -> Relation:
    """Rows instead of columns: the name column has no source, the value column has all of them."""
    if not pivot.args.get("unpivot"):
        raise SqlProjectError(
            f"line {line_of(pivot)}: `pivot` hides its columns from lineage. Write one aggregate "
            "with `filter (where ...)` a column."
        )
    columns = dict(relation.columns)
    for field in pivot.args["fields"]:
        star = next(field.find_all(exp.Star), None)
        listed = {column.name.lower() for column in field.find_all(exp.Column)}
        unknown = sorted(listed - set(columns))
        if unknown:
            raise SqlProjectError(
                f"line {line_of(field)}: `unpivot` names unknown columns {unknown}; known are "
                f"{list(columns)}."
            )
        chosen = listed if star is None else set(columns) - listed
        sources = frozenset[ColumnRef]().union(*(columns.pop(name).sources for name in chosen))
        columns[field.this.name.lower()] = Trace()
        columns |= {value.name.lower(): Trace(sources) for value in pivot.expressions}
    return Relation(columns)


def named_columns(relation: Relation, node: exp.Expr) -> Relation:
    """Apply the column names of `as t(a, b)`; names of a table function are its only columns."""
    names = [name.lower() for name in node.alias_column_names]
    if not names:
        return relation
    if relation.others is not None:
        return Relation(dict.fromkeys(names, relation.others))
    traces = list(relation.columns.values())
    named = dict(zip(names, traces, strict=False))
    rest = list(relation.columns.items())[len(names) :]
    return Relation(named | dict(rest))


def star_of(projection: exp.Expr) -> exp.Star | None:
    """Return the star of `*` or `table.*`, None for any other projection."""
    if isinstance(projection, exp.Star):
        return projection
    if isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star):
        return projection.this
    return None


def expand_star(
    projection: exp.Expr, star: exp.Star, visible: Mapping[str, Relation]
) -> dict[str, Trace]:
    """Return the columns that `*` or `table.*` stands for, those of `exclude` left out.

    Raises:
        SqlProjectError: The table is unknown, or the star renames or replaces columns.
    """
    table = projection.args.get("table")
    name = "" if table is None else table.name.lower()
    if star.args.get("replace") or star.args.get("rename") or (name and name not in visible):
        raise SqlProjectError(
            f"`{projection.sql(dialect='duckdb')}` cannot be read: name its columns one by one. "
            f"Tables in reach are {list(visible)}."
        )
    chosen = [visible[name]] if name else list(visible.values())
    left_out = {column.name.lower() for column in star.args.get("except_") or ()}
    expanded: dict[str, Trace] = {}
    for relation in chosen:
        for name, trace in relation.columns.items():
            if name not in left_out:
                expanded.setdefault(name, trace)
    return expanded


def line_of(node: exp.Expr) -> int:
    """Return the line of the first identifier in `node`; 0 where it has none."""
    lines = (part.meta.get("line", 0) for part in node.find_all(exp.Identifier))
    return next((int(line) for line in lines if line), 0)
