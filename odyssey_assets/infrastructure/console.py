"""What `odyssey run` shows in a terminal: progress by stage, and findings as tables.

Wording of a command belongs to `cli`; figures come in as frames and dictionaries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from odyssey_assets.infrastructure.driver import StepEvent


@dataclass
class StageProgress:
    """A progress bar over the steps of a run that also adds up the seconds of each stage.

    Attributes:
        console: Where to draw.
        stages: Stage by step; every step that is expected.
        seconds: Seconds by stage, in order of first completion.
    """

    console: Console
    stages: Mapping[str, str]
    seconds: dict[str, float] = field(default_factory=dict)
    _started: dict[str, float] = field(default_factory=dict)

    def __enter__(self) -> Self:
        """Start drawing."""
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total} steps"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=len(self.stages))
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop drawing."""
        self._progress.stop()

    def on_step(self, event: StepEvent) -> None:
        """Take in that a step began or ended, and redraw."""
        stage = self.stages.get(event.step, event.step)
        if event.kind == "started":
            self._started[event.step] = event.timestamp
            self._progress.update(self._task, description=stage)
            return
        seconds = event.timestamp - self._started.get(event.step, event.timestamp)
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds
        self._progress.advance(self._task)
        if event.kind != "succeeded":
            self._progress.console.print(f"[red]{event.kind}[/] {event.step}")
        elif not self.console.is_terminal and stage == event.step.replace("__", "."):
            self._progress.console.print(f"[green]done[/] {stage} ({seconds:.1f} s)")


def print_mapping(
    console: Console, title: str, values: Mapping[str, int | float], unit: str
) -> None:
    """Print names and values as a two-column table."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    table.add_column(unit, justify="right")
    for name, value in values.items():
        table.add_row(name, f"{value:,.1f}" if isinstance(value, float) else f"{value:,}")
    console.print(table)


def print_frame(console: Console, title: str, frame: pd.DataFrame, digits: int = 4) -> None:
    """Print a frame as a table; floats with `digits` decimals, nulls as a dash."""
    table = Table(title=title, title_justify="left")
    for name in frame.columns:
        is_number = pd.api.types.is_numeric_dtype(frame[name])
        table.add_column(escape(str(name)), justify="right" if is_number else "left")
    for row in frame.itertuples(index=False):
        table.add_row(*(_cell(value, digits) for value in row))
    console.print(table)


def print_lines(console: Console, style: str, lines: Sequence[str]) -> None:
    """Print lines in a style, without reading markup in them."""
    for line in lines:
        console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


def _cell(value: object, digits: int) -> str:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "-"
    if isinstance(value, float):
        return f"{value:.{digits}f}"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return escape(str(value))
