"""Stages: every step falls into one."""

import pytest

from odyssey_assets.infrastructure.stages import check_step, stage_of

CHECK_STEPS = {
    check_step(("market_data", "bars"), "bars_are_fresh"),
    check_step(("marts", "mart_daily_signals"), "signal_confidence_is_a_share"),
}


@pytest.mark.parametrize(
    ("step", "stage"),
    [
        ("walk_forward", "walk_forward"),
        ("market_data__raw_bars", "market_data.raw_bars"),
        ("staging__stg_bars", "staging"),
        ("marts__mart_daily_signals", "marts"),
        ("market_data__bars_bars_are_fresh", "checks"),
        ("marts__mart_daily_signals_signal_confidence_is_a_share", "checks"),
        ("staging_is_only_how_it_begins", "staging_is_only_how_it_begins"),
    ],
)
def test_step_counts_to_its_stage(step: str, stage: str) -> None:
    assert stage_of(step, CHECK_STEPS) == stage
