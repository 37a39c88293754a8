"""The `odyssey` command: options and wording.

What a command does belongs to `infrastructure` and the domains; slow
libraries are imported by the command that needs them.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from enum import StrEnum
from functools import wraps
from pathlib import Path
from threading import Event
from typing import Annotated, ParamSpec

import typer
from rich.console import Console

from odyssey_assets.errors import OdysseyError, SettingsError

app = typer.Typer(
    name="odyssey",
    help="From daily prices to a portfolio that has to pay its way, in one Dagster asset graph.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
PIPED_WIDTH = 120
console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
error_console = Console(stderr=True)

P = ParamSpec("P")
FAILED = 1
INTERRUPTED = 130
HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Folder that holds all state [ODYSSEY_HOME].")
]

SubjectArgument = Annotated[str, typer.Argument(help="Ticker, or name of a policy.")]
VersionOption = Annotated[
    int | None, typer.Option("--to", help="Number of the version, as in monitoring.promotions.")
]


class OutputFormat(StrEnum):
    """How `odyssey query` prints rows."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def reports_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Turn an OdysseyError into one line on standard error and exit status 1."""

    @wraps(command)
    def reporting(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except OdysseyError as error:
            error_console.print(
                f"{error}", style="red", markup=False, highlight=False, soft_wrap=True
            )
            raise typer.Exit(FAILED) from error

    return reporting


@app.command()
@reports_errors
def run(
    source: Annotated[
        str | None, typer.Option(help="simulated, files or yfinance [ODYSSEY_SOURCE].")
    ] = None,
    price_dir: Annotated[
        Path | None, typer.Option(help="Folder of price files [ODYSSEY_PRICE_DIR].")
    ] = None,
    macro_dir: Annotated[
        Path | None, typer.Option(help="Folder of macro files [ODYSSEY_MACRO_DIR].")
    ] = None,
    start: Annotated[str | None, typer.Option(help="First day, ISO [ODYSSEY_START].")] = None,
    end: Annotated[str | None, typer.Option(help="Last day, ISO [ODYSSEY_END].")] = None,
    tickers: Annotated[
        str | None, typer.Option(help="Comma-separated tickers [ODYSSEY_TICKERS].")
    ] = None,
    home: HomeOption = None,
    nightly: Annotated[
        bool,
        typer.Option("--nightly", help="Only the windows whose outcomes are not all known yet."),
    ] = False,
) -> None:
    """Materialize the graph, from prices to backtests and published marts."""
    from odyssey_assets.headless import refresh

    overrides = {
        "source": source, "price_dir": price_dir, "macro_dir": macro_dir,
        "start": start, "end": end, "tickers": tickers, "home": home,
    }  # fmt: skip
    try:
        is_success = refresh(console, overrides, is_nightly=nightly)
    except KeyboardInterrupt as error:
        error_console.print(
            "Interrupted. Slices already stored are complete, the one under way was not stored, "
            "and the published database is as it was. Run again to go on.",
            soft_wrap=True,
        )
        raise typer.Exit(INTERRUPTED) from error
    if not is_success:
        raise typer.Exit(FAILED)


@app.command()
@reports_errors
def ui(
    home: HomeOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 3000,
) -> None:
    """Start Dagster (webserver and daemon) on the home's instance."""
    from odyssey_assets.infrastructure.dagster_server import serve_dagster
    from odyssey_assets.infrastructure.driver import prepare_instance
    from odyssey_assets.infrastructure.home import home_of, load_settings
    from odyssey_assets.infrastructure.report_server import serve_reports

    settings = load_settings(home=home)
    reports = home_of(settings).reports
    prepare_instance(home_of(settings))
    console.print(f"Dagster on http://{host}:{port}, home {home_of(settings).root}")
    with serve_reports(reports, host, settings.reports_port) as reports_port:
        console.print(f"Reports on http://{host}:{reports_port}, folder {reports}")
        status = serve_dagster(host, port)
    raise typer.Exit(status)


@app.command()
@reports_errors
def query(
    sql: Annotated[str, typer.Argument(help="A DuckDB query.")],
    output: Annotated[
        OutputFormat, typer.Option("--format", help="How rows are printed.")
    ] = OutputFormat.TABLE,
    home: HomeOption = None,
) -> None:
    """Read the published database."""
    from odyssey_assets.infrastructure.home import home_of, load_settings
    from odyssey_assets.infrastructure.published import query_published

    rows = query_published(home_of(load_settings(home=home)).published, sql)
    if output is OutputFormat.CSV:
        typer.echo(rows.to_csv(index=False), nl=False)
    elif output is OutputFormat.JSON:
        typer.echo(rows.to_json(orient="records", date_format="iso", indent=2))
    else:
        from odyssey_assets.infrastructure.console import print_frame

        print_frame(console, f"{len(rows):,} rows", rows)


@app.command()
@reports_errors
def backtest(
    policy: Annotated[str, typer.Option(help="Policy to backtest, by its name in the catalog.")],
    start: Annotated[
        str | None, typer.Option("--from", help="First day, ISO; from cash. Default: its first.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Last day, ISO. Default: the last.")
    ] = None,
    commission_bps: Annotated[
        float | None, typer.Option(help="Basis points of traded value.")
    ] = None,
    slippage_bps: Annotated[
        float | None, typer.Option(help="Basis points of traded value.")
    ] = None,
    max_weight: Annotated[
        float | None, typer.Option(help="Largest share of equity in one ticker.")
    ] = None,
    cash_reserve: Annotated[
        float | None, typer.Option(help="Least share of equity in cash.")
    ] = None,
    rebalance: Annotated[
        str | None, typer.Option(help="When it decides: daily, weekly, monthly or once.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Backtest a policy under other costs, limits or days, beside the stored run."""
    from odyssey_assets.infrastructure.console import print_frame, print_lines
    from odyssey_assets.what_if import Question, answer

    question = Question(
        policy,
        None if start is None else _day("--from", start),
        None if end is None else _day("--to", end),
        commission_bps,
        slippage_bps,
        max_weight,
        cash_reserve,
        rebalance,
    )
    found = answer(question, home)
    print_frame(console, f"{policy} after costs", found.figures)
    print_lines(console, "dim", found.notes)


@app.command()
@reports_errors
def drift(
    ticker: Annotated[str, typer.Argument(help="Ticker, as the settings name it.")],
    window: Annotated[
        str | None, typer.Argument(help="First day of a half year, ISO. Default: the newest.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Write Evidently's drift report of a ticker's window."""
    from odyssey_assets.drift_report import report_drift

    console.print(str(report_drift(ticker, window, home)), highlight=False, soft_wrap=True)


@app.command()
@reports_errors
def simulate(
    start: Annotated[str, typer.Option("--from", help="First day, ISO.")],
    end: Annotated[str, typer.Option("--to", help="Last day, ISO.")],
    home: HomeOption = None,
) -> None:
    """Run the loop over stored history, day by day: drift, retraining, promotion."""
    from odyssey_assets.simulate import play

    play(console, home, _day("--from", start), _day("--to", end))


@app.command()
@reports_errors
def metrics(
    home: HomeOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 9464,
) -> None:
    """Serve the published database's figures to Prometheus, until interrupted."""
    from odyssey_assets.metrics import serve_home

    with serve_home(home, host, port) as taken, suppress(KeyboardInterrupt):
        console.print(f"Metrics on http://{host}:{taken}/metrics")
        Event().wait()


@app.command()
@reports_errors
def promote(subject: SubjectArgument, to: VersionOption = None, home: HomeOption = None) -> None:
    """Let the challenger that waits serve, or the version named."""
    _hand_over("promote", subject, to, home)


@app.command()
@reports_errors
def rollback(subject: SubjectArgument, to: VersionOption = None, home: HomeOption = None) -> None:
    """Let the version that served before serve again, or the version named."""
    _hand_over("rollback", subject, to, home)


@app.command()
@reports_errors
def doctor(home: HomeOption = None) -> None:
    """Check versions, settings, disk, locks, the source and the instance."""
    from odyssey_assets.headless import examine
    from odyssey_assets.infrastructure.doctor import print_findings

    findings = examine(home)
    print_findings(console, findings)
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(FAILED)


def _hand_over(job: str, subject: str, to: int | None, home: Path | None) -> None:
    from odyssey_assets.hand_over import hand_over

    for sentence in hand_over(job, subject, to, home):
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{option} is a day like 2024-12-31; found {text!r}.") from error


def main() -> None:
    """Entry point of the `odyssey` command."""
    app()
