"""What `odyssey run` and `odyssey doctor` do: the refresh jobs in order.

Sees all domains at once, as `definitions` does. Wording of options belongs to `cli`, what is said
at the end to `run_summary`, drawing to `infrastructure.console`.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from rich.console import Console

from odyssey_assets.core.windows import Window, window_of
from odyssey_assets.definitions import TABLES, build_defs
from odyssey_assets.errors import SettingsError
from odyssey_assets.features.tables import HORIZONS_SESSIONS
from odyssey_assets.infrastructure.console import StageProgress
from odyssey_assets.infrastructure.doctor import Finding, examine_home
from odyssey_assets.infrastructure.driver import (
    JobOutcome,
    close_interrupted_runs,
    open_instance,
    run_job,
)
from odyssey_assets.infrastructure.home import (
    held_rules,
    held_source,
    home_of,
    load_settings,
    remember_universe,
    restore_universe,
    rules_of,
)
from odyssey_assets.infrastructure.partitions import (
    build_grid,
    cell_key,
    last_session,
    open_windows,
    range_tags,
)
from odyssey_assets.infrastructure.refresh import (
    REFRESH_MACRO,
    REFRESH_MARKET,
    REFRESH_MARTS,
    REFRESH_MONITORING,
    REFRESH_PORTFOLIO,
    RETRAIN,
)
from odyssey_assets.infrastructure.run_lock import hold_run_lock
from odyssey_assets.infrastructure.stages import check_step, stage_of
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.loop import retrain_what_is_due
from odyssey_assets.market_data.catalog import build_source
from odyssey_assets.run_summary import summarise
from odyssey_assets.settings import Settings


def refresh(console: Console, overrides: Mapping[str, Any], *, is_nightly: bool = False) -> bool:
    """Materialize the graph, print a summary, and return whether every job succeeded.

    Args:
        console: Where to draw.
        overrides: Settings by name.
        is_nightly: Rewrite only the windows whose outcomes are not all known yet; stored models
            forecast without being fitted again.

    Raises:
        OdysseyError: Settings, home or source are not usable, or another run is at work.
    """
    settings = with_fixed_break(load_settings(**overrides))
    home = home_of(settings)
    home.create()
    if is_nightly and held_source(home) != settings.source:
        raise SettingsError(
            f"No full run of source {settings.source} has filled {home.root} (filled by: "
            f"{held_source(home) or 'none'}), so a nightly run has nothing to add to. Run "
            "`odyssey run` without --nightly first."
        )
    with hold_run_lock(home.run_lock):
        instance = open_instance(home)
        close_interrupted_runs(instance)
        Warehouse(home, settings.warehouse).refuse_unusable()
        definitions = build_defs(**dict(settings))  # before: what it refuses is not remembered
        former = remember_universe(settings)
        windows = _windows(settings, is_nightly=is_nightly)
        tags = refresh_tags(settings, windows)
        outcomes, seconds = run_jobs(console, definitions, instance, settings, tags)
        is_success = all(outcome.is_success for outcome in outcomes.values())
        if is_success:
            remember_universe(settings, is_filled=True)
        elif not any(outcomes[job].rows for job in outcomes if job != REFRESH_MACRO):
            restore_universe(home, former)
    summarise(console, settings, outcomes, seconds)
    return is_success


def with_fixed_break(settings: Settings) -> Settings:
    """Return settings whose simulated break has a date, so that later days do not move it."""
    if settings.simulated.break_start is not None:
        return settings
    start = window_of(last_session(settings)).start
    simulated = settings.simulated.model_copy(update={"break_start": start})
    return settings.model_copy(update={"simulated": simulated})


def examine(home: Path | None) -> list[Finding]:
    """Return what `odyssey doctor` found, the source's own findings included."""
    settings = load_settings(home=home)
    return examine_home(settings, TABLES, build_source(settings).problems())


def job_tags(tickers: Sequence[str], windows: Sequence[Window]) -> dict[str, dict[str, str]]:
    """Return each refresh job in order, with the tags that make it cover tickers and windows."""
    first, last = cell_key(windows[0], tickers[0]), cell_key(windows[-1], tickers[-1])
    of_windows = range_tags(windows[0].key, windows[-1].key)
    return {
        REFRESH_MACRO: of_windows,
        REFRESH_MARKET: range_tags(first, last),
        REFRESH_PORTFOLIO: of_windows,
        REFRESH_MONITORING: range_tags(first, last),
        REFRESH_MARTS: {},
    }


def refresh_tags(settings: Settings, windows: Sequence[Window]) -> dict[str, dict[str, str]]:
    """Return `job_tags`; all windows of portfolios that were never held under these rules."""
    tags = job_tags(settings.tickers, windows)
    if held_rules(home_of(settings)) != rules_of(settings):
        every = build_grid(settings).window_list()
        tags[REFRESH_PORTFOLIO] = range_tags(every[0].key, every[-1].key)
    return tags


def _windows(settings: Settings, *, is_nightly: bool) -> tuple[Window, ...]:
    if is_nightly:
        return open_windows(settings, max(HORIZONS_SESSIONS))
    return build_grid(settings).window_list()


def run_jobs(
    console: Console,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    settings: Settings,
    tags: Mapping[str, dict[str, str]],
) -> tuple[dict[str, JobOutcome], dict[str, float]]:
    """Run the jobs until one fails; return the outcomes by job and the seconds by stage.

    What monitoring finds retrains before the marts are built. Portfolio, monitoring and retraining
    do not hold back the marts when they fail: forecasts are published as they are.
    """
    outcomes: dict[str, JobOutcome] = {}
    warehouse = Warehouse(home_of(settings), settings.warehouse)
    with StageProgress(console, stages_by_step(definitions, (*tags, RETRAIN))) as progress:
        for job, job_range in tags.items():
            if job == REFRESH_MARTS:
                prune(settings)
            outcomes[job] = run_job(definitions, instance, job, job_range, progress.on_step)
            if not outcomes[job].is_success and job not in (REFRESH_PORTFOLIO, REFRESH_MONITORING):
                break
            if job == REFRESH_MONITORING:
                run_ids = [outcome.run_id for outcome in outcomes.values()]
                retrained = retrain_what_is_due(
                    definitions, instance, settings, warehouse, run_ids, progress.on_step
                )
                if retrained is not None:
                    outcomes[RETRAIN] = retrained
    return outcomes, progress.seconds


def stages_by_step(definitions: dg.Definitions, jobs: Iterable[str]) -> dict[str, str]:
    """Return the stage that each step of the jobs counts to: its asset, SQL folder, or checks."""
    checks = {
        check_step(key.asset_key.path, key.name)
        for key in definitions.resolve_asset_graph().asset_check_keys
    }
    return {
        step: stage_of(step, checks)
        for job in jobs
        for step in definitions.resolve_job_def(job).graph.node_dict
    }


def prune(settings: Settings) -> None:
    """Remove what an earlier universe of the home left outside this one's grid."""
    windows = build_grid(settings).window_list()
    warehouse = Warehouse(home_of(settings), settings.warehouse)
    for contract in TABLES:
        if not contract.is_append_only:
            warehouse.prune(contract, settings.tickers, windows[0].start, windows[-1].end)
