"""What a terminal and a pipe show of a run: progress, seconds by stage, tables of any values."""

import math
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from odyssey_assets.infrastructure.console import (
    StageProgress,
    print_frame,
    print_lines,
    print_mapping,
)
from odyssey_assets.infrastructure.driver import StepEvent, StepKind

STAGES = {"market_data__bars": "market_data.bars", "stg_bars": "staging", "stg_macro": "staging"}


def piped() -> Console:
    return Console(file=StringIO(), width=120)


def shown(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def step(name: str, kind: StepKind, timestamp: float) -> StepEvent:
    return StepEvent("refresh", name, kind, timestamp)


def test_progress_adds_up_the_seconds_of_each_stage_in_order() -> None:
    with StageProgress(piped(), STAGES) as progress:
        for name, start, end in (("stg_bars", 0.0, 1.5), ("market_data__bars", 1.0, 4.0)):
            progress.on_step(step(name, "started", start))
            progress.on_step(step(name, "succeeded", end))
        progress.on_step(step("stg_macro", "started", 5.0))
        progress.on_step(step("stg_macro", "succeeded", 5.25))
    assert progress.seconds == {"staging": 1.75, "market_data.bars": 3.0}
    assert list(progress.seconds) == ["staging", "market_data.bars"]


def test_pipe_shows_assets_that_are_done_but_not_the_steps_of_a_folder() -> None:
    console = piped()
    with StageProgress(console, STAGES) as progress:
        for name in ("market_data__bars", "stg_bars"):
            progress.on_step(step(name, "started", 0.0))
            progress.on_step(step(name, "succeeded", 2.0))
    assert "done market_data.bars (2.0 s)" in shown(console)
    assert "stg_bars" not in shown(console)


def test_terminal_shows_a_bar_instead_of_lines() -> None:
    console = Console(file=StringIO(), width=120, force_terminal=True)
    with StageProgress(console, STAGES) as progress:
        progress.on_step(step("market_data__bars", "started", 0.0))
        progress.on_step(step("market_data__bars", "succeeded", 2.0))
    assert "steps" in shown(console)
    assert "done" not in shown(console)


@pytest.mark.parametrize("kind", ["failed", "skipped"])
@pytest.mark.parametrize("is_terminal", [True, False])
def test_step_that_did_not_succeed_is_always_shown(kind: StepKind, is_terminal: bool) -> None:
    console = Console(file=StringIO(), width=120, force_terminal=is_terminal, color_system=None)
    with StageProgress(console, STAGES) as progress:
        progress.on_step(step("unexpected_step", kind, 3.0))
    assert f"{kind} unexpected_step" in shown(console)
    assert progress.seconds == {"unexpected_step": 0.0}


def test_mapping_shows_whole_numbers_whole_and_seconds_with_one_digit() -> None:
    console = piped()
    print_mapping(console, "Rows", {"bars": 1234567, "seconds": 1234.56}, "rows")
    assert "1,234,567" in shown(console)
    assert "1,234.6" in shown(console)


def test_frame_shows_every_kind_of_value_as_it_is() -> None:
    frame = pd.DataFrame(
        {
            "[bold]": ["[/red] stays", "plain"],
            "number": [0.123456, math.nan],
            "day": [pd.Timestamp("2024-05-06"), pd.NaT],
            "list": [np.array([1, 2]), None],
            "flag": [True, False],
        }
    )
    console = piped()
    print_frame(console, "2 rows", frame, digits=2)
    text = shown(console)
    for value in ("[bold]", "[/red] stays", "0.12", "2024-05-06", "[1 2]", "True", "False"):
        assert value in text, value
    assert text.count(" - ") == 3
    assert "0.123" not in text


def test_lines_are_shown_without_reading_markup_in_them() -> None:
    console = piped()
    print_lines(console, "red", ["[/no] markup", "second"])
    assert shown(console).splitlines() == ["[/no] markup", "second"]
