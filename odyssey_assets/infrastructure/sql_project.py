"""The folder of SQL files as a project: models in dependency order, and tests.

A file of `staging/`, `intermediate/` or `marts/` is a model, stored as `folder.stem`: one plain
DuckDB select that runs unchanged in the duckdb shell. Its header comments say what a row is
(`-- description:`, `-- grain:`) and, where the folder's way does not suit it, how it is kept
(`-- stored_as: view`); a column of the final select is described by the comment behind it, or by
the description of the stored column that it passes on unchanged. A file of `tests/` selects rows
that must not exist. Pure: how files become Dagster assets belongs to `sql_assets`, how columns are
traced to `sql_lineage`.
"""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from odyssey_assets.contracts import TableContract
from odyssey_assets.errors import SqlProjectError
from odyssey_assets.infrastructure.sql_files import SqlFile, read_sql_file
from odyssey_assets.infrastructure.sql_lineage import table_references, trace_columns
from odyssey_assets.infrastructure.sql_models import ModelKind
from odyssey_assets.infrastructure.sql_relations import TableKey, Trace
from odyssey_assets.infrastructure.sql_specs import (
    ProjectColumn,
    ProjectModel,
    ProjectTest,
    SqlProject,
)

KIND_BY_FOLDER: Mapping[str, ModelKind] = {
    "staging": "view",
    "intermediate": "view",
    "marts": "table",
}
TESTS_FOLDER = "tests"


_Tables = Mapping[TableKey, Mapping[str, ProjectColumn]]


def load_project(folder: Path, contracts: Sequence[TableContract]) -> SqlProject:
    """Read all models and tests below `folder`.

    Args:
        folder: Holds `staging/`, `intermediate/`, `marts/` and `tests/`; each may be absent.
        contracts: The tables that are not made by SQL.

    Raises:
        SqlProjectError: A file cannot be read as one select with its headers, reads an unknown
            table or column, leaves a column undescribed, or takes part in a cycle. Names file and
            line.
    """
    files = _model_files(folder, contracts)
    tables = {contract.key: _contract_columns(contract) for contract in contracts}
    references = {key: _references(file, {*files, *tables}) for key, file in files.items()}
    models: dict[TableKey, ProjectModel] = {}
    for key in _dependency_order(files, references):
        models[key] = _build_model(key, files[key], tables, references[key])
        tables[key] = {column.name: column for column in models[key].columns}
    tests = [
        _build_test(read_sql_file(path), tables, models)
        for path in sorted((folder / TESTS_FOLDER).glob("*.sql"))
    ]
    grain_tests = [_grain_test(model) for model in models.values() if model.kind == "table"]
    return SqlProject(tuple(models.values()), (*grain_tests, *tests), tuple(contracts))


def _model_files(folder: Path, contracts: Sequence[TableContract]) -> dict[TableKey, SqlFile]:
    paths = [path for name in KIND_BY_FOLDER for path in sorted((folder / name).glob("*.sql"))]
    if not paths:
        raise SqlProjectError(f"{folder} holds no models; expected {sorted(KIND_BY_FOLDER)}.")
    first_of = {contract.name: f"the table {contract.qualified_name}" for contract in contracts}
    for path in paths:
        if path.stem in first_of:
            raise SqlProjectError(
                f"{path} has the name of {first_of[path.stem]}: names are unique over all "
                "folders. Rename the file."
            )
        first_of[path.stem] = str(path)
    return {(path.parent.name, path.stem): read_sql_file(path) for path in paths}


def _contract_columns(contract: TableContract) -> dict[str, ProjectColumn]:
    return {
        column.name: ProjectColumn(column.name, column.type, column.description)
        for column in contract.columns
    }


def _references(file: SqlFile, known: set[TableKey]) -> tuple[TableKey, ...]:
    with file.naming_errors():
        found = table_references(file.query)
    unknown = {key: line for key, line in found.items() if key not in known}
    if unknown:
        key, line = next(iter(unknown.items()))
        near = sorted(".".join(each) for each in known if key[0] == each[0]) or sorted(
            {each[0] for each in known}
        )
        raise SqlProjectError(
            f"{file.path}, line {line}: unknown table {'.'.join(key)}. Known are: "
            f"{', '.join(near)}."
        )
    return tuple(sorted(found))


def _dependency_order(
    files: Mapping[TableKey, SqlFile], references: Mapping[TableKey, Sequence[TableKey]]
) -> list[TableKey]:
    graph = {key: [each for each in references[key] if each in files] for key in files}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        cycle = " -> ".join(".".join(key) for key in error.args[1])
        first = files[error.args[1][0]].path
        raise SqlProjectError(
            f"{first}: models read each other in a circle: {cycle}. Move what they share into a "
            "model of its own."
        ) from error


def _build_model(
    key: TableKey, file: SqlFile, tables: _Tables, upstream: tuple[TableKey, ...]
) -> ProjectModel:
    lines = file.output_lines()
    with file.naming_errors():
        traces = trace_columns(file.query, {name: tuple(tables[name]) for name in upstream})
    columns = tuple(
        _build_column(file, name, line, traces[name], tables) for name, line in lines.items()
    )
    grain = tuple(name.strip() for name in file.header("grain").split(","))
    unknown = [name for name in grain if name not in traces]
    if unknown:
        raise SqlProjectError(
            f"{file.path}: the grain names {unknown}, but the columns are {list(traces)}."
        )
    return ProjectModel(
        key=key,
        kind=_kind(key[0], file),
        path=file.path,
        sql=file.statement,
        description=file.header("description"),
        grain=grain,
        columns=columns,
        upstream=upstream,
    )


def _kind(folder: str, file: SqlFile) -> ModelKind:
    """Return how a model is stored: as its folder has it, unless the file says otherwise."""
    if "stored_as" not in file.headers:
        return KIND_BY_FOLDER[folder]
    return "view" if file.choice("stored_as", ("view", "table")) == "view" else "table"


def _build_column(
    file: SqlFile, name: str, line: int, trace: Trace, tables: _Tables
) -> ProjectColumn:
    written = file.comment_at(line)
    sources = tuple(sorted(trace.sources))
    if trace.unchanged is not None:
        passed = tables[trace.unchanged.table][trace.unchanged.column]
        return ProjectColumn(name, passed.type, written or passed.description, sources)
    if not written:
        raise SqlProjectError(
            f"{file.path}, line {line}: column {name!r} is computed and has no description. "
            "Write `-- what it means` behind it."
        )
    return ProjectColumn(name, None, written, sources)


def _grain_test(model: ProjectModel) -> ProjectTest:
    names = ", ".join(f'"{name}"' for name in model.grain)
    table = ".".join(model.key)
    return ProjectTest(
        name=f"one_row_per_{'_and_'.join(model.grain)}",
        table=model.key,
        sql=f"select {names}, count(*) as row_count\nfrom {table}\ngroup by all\n"
        "having count(*) > 1\n",
        description=f"Every row of {table} has its own {', '.join(model.grain)}.",
        severity="error",
        is_blocking=True,
        upstream=(model.key,),
    )


def _build_test(
    file: SqlFile,
    tables: _Tables,
    models: Mapping[TableKey, ProjectModel],
) -> ProjectTest:
    upstream = _references(file, set(tables))
    file.output_lines()
    with file.naming_errors():
        trace_columns(file.query, {name: tuple(tables[name]) for name in upstream})
    schema, _, name = file.header("asset").partition(".")
    table = (schema, name)
    if table not in tables:
        raise SqlProjectError(f"{file.path}: `-- asset:` names {schema}.{name}, which is unknown.")
    is_blocking = file.choice("blocking", ("true", "false")) == "true"
    later = set(upstream) - {table} - _ancestors(table, models)
    if is_blocking and later & set(models):
        raise SqlProjectError(
            f"{file.path}: a blocking test of {schema}.{name} cannot read "
            f"{['.'.join(key) for key in sorted(later)]}, which are rebuilt after it. Name the "
            "last of the tables it reads in `-- asset:`."
        )
    return ProjectTest(
        name=file.path.stem,
        table=table,
        sql=file.statement,
        description=file.header("description"),
        severity="error" if file.choice("severity", ("error", "warn")) == "error" else "warn",
        is_blocking=is_blocking,
        upstream=upstream,
    )


def _ancestors(key: TableKey, models: Mapping[TableKey, ProjectModel]) -> set[TableKey]:
    found: set[TableKey] = set()
    pending = [key]
    while pending:
        current = pending.pop()
        upstream = models[current].upstream if current in models else ()
        pending.extend(each for each in upstream if each not in found)
        found.update(upstream)
    return found
