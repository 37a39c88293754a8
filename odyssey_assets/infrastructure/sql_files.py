"""One SQL file: its header, its one select, and the comments behind its columns.

Header comments stand above the statement, `-- key: text`, and may go on over several comment
lines. What the keys mean belongs to `sql_project`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from odyssey_assets.errors import SqlProjectError

DIALECT = "duckdb"
HEADER_KEYS = ("description", "grain", "stored_as", "asset", "severity", "blocking")

_HEADER_LINE = re.compile(rf"--\s*({'|'.join(HEADER_KEYS)}):\s*(.*)")
_COMMENT_LINE = re.compile(r"\s*--\s*(.*)")
_TRAILING_COMMENT = re.compile(r"(?:[^'\"-]|'[^']*'|\"[^\"]*\"|-(?!-))*--\s*(.*)")


@dataclass(frozen=True)
class SqlFile:
    """A parsed file.

    Attributes:
        path: Where it was read from.
        lines: Its text, line by line.
        headers: Header texts by key.
        query: The parsed select or set operation.
    """

    path: Path
    lines: tuple[str, ...]
    headers: Mapping[str, str]
    query: exp.Query

    @property
    def statement(self) -> str:
        """The text as written, without a closing semicolon, ending with a line break."""
        return "\n".join(self.lines).rstrip().removesuffix(";") + "\n"

    def header(self, key: str) -> str:
        """Return the header text of `key`.

        Raises:
            SqlProjectError: The file does not have it.
        """
        if not self.headers.get(key):
            raise SqlProjectError(
                f"{self.path}: the header `-- {key}:` is missing. Write it above the statement."
            )
        return self.headers[key]

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        """Return the header text of `key`, one of `allowed`.

        Raises:
            SqlProjectError: The header is missing or says something else.
        """
        found = self.header(key)
        if found not in allowed:
            raise SqlProjectError(
                f"{self.path}: `-- {key}:` is {found!r}; expected {' or '.join(allowed)}."
            )
        return found

    def output_lines(self) -> dict[str, int]:
        """Return the names of the final select's columns in order, each with its line.

        Raises:
            SqlProjectError: A column is `*`, has no name or has the name of another.
        """
        lines: dict[str, int] = {}
        for projection in self.query.selects:
            name = projection.output_name.lower()
            if projection.is_star:
                raise SqlProjectError(
                    f"{self.path}: the final select says `*`. Name its columns, so that a new "
                    "column upstream changes nothing unseen."
                )
            if not name or name in lines:
                raise SqlProjectError(
                    f"{self.path}: `{projection.sql(dialect=DIALECT)}` in the final select needs "
                    f"a name of its own: write `as name`."
                )
            identifier = projection.args.get("alias") or projection.this
            lines[name] = int(identifier.meta["line"])
        return lines

    def comment_at(self, line: int) -> str:
        """Return the comment behind `line` (from 1) and on the comment lines below it, or ''."""
        match = _TRAILING_COMMENT.match(self.lines[line - 1])
        if match is None:
            return ""
        parts = [match.group(1)]
        for text in self.lines[line:]:
            continued = _COMMENT_LINE.match(text)
            if continued is None:
                break
            parts.append(continued.group(1))
        return " ".join(part.strip() for part in parts).strip()

    @contextmanager
    def naming_errors(self) -> Iterator[None]:
        """Put the path before the message of an SqlProjectError raised inside."""
        try:
            yield
        except SqlProjectError as error:
            raise SqlProjectError(f"{self.path}, {error}") from error


def read_sql_file(path: Path) -> SqlFile:
    """Read and parse one file.

    Raises:
        SqlProjectError: It cannot be read or parsed, or is not exactly one select.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SqlProjectError(f"{path} cannot be read: {error}.") from error
    statements = [each for each in _parse(path, text) if not isinstance(each, exp.Semicolon)]
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        found = ", ".join(each.key for each in statements) or "nothing"
        raise SqlProjectError(f"{path}: expected one select, found {found}.")
    lines = tuple(text.splitlines())
    return SqlFile(path, lines, _read_headers(lines), statements[0])


def _parse(path: Path, text: str) -> list[exp.Expr]:
    try:
        return [each for each in sqlglot.parse(text, dialect=DIALECT) if each is not None]
    except ParseError as error:
        first = error.errors[0]
        raise SqlProjectError(
            f"{path}, line {first['line']}: {first['description']} near {first['highlight']!r}."
        ) from error
    except SqlglotError as error:
        raise SqlProjectError(f"{path}: {error.__cause__ or error}.") from error


def _read_headers(lines: Sequence[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    key = ""
    for line in lines:
        comment = _COMMENT_LINE.fullmatch(line)
        if comment is None:
            break
        named = _HEADER_LINE.fullmatch(line)
        if named is not None:
            key = named.group(1)
            headers[key] = named.group(2).strip()
        elif key:
            headers[key] = f"{headers[key]} {comment.group(1).strip()}".strip()
    return headers
