"""The loop in accelerated time: what schedules and sensors would have done, day after day.

`odyssey simulate` moves the clock over a home's stored history. On each session it measures drift
and decay from what was known at that close, plans retrainings, fits challengers and judges them,
with the functions of the nightly jobs and the sensors; only Dagster's bookkeeping, Evidently's
second opinion (which gives the same verdict) and the portfolio are left out. Ledgers and models go
to a home of their own, so that the real one stays as it is. What is known on a day belongs to
`replay`, what is found wrong on it to `nightly_findings`.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
from rich.console import Console

from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.core.sessions import SATURDAY, closing_reason
from odyssey_assets.core.windows import window_of
from odyssey_assets.errors import SettingsError
from odyssey_assets.forecasting.challengers import fit_challengers
from odyssey_assets.forecasting.tables import CHALLENGERS, TRIALS
from odyssey_assets.forecasting.trials import run_trials
from odyssey_assets.infrastructure.console import print_frame, print_lines
from odyssey_assets.infrastructure.home import Home, home_of, load_settings
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.promotion.champions import reigns_of
from odyssey_assets.monitoring.promotion.evidence import Evidence
from odyssey_assets.monitoring.promotion.judging import judge
from odyssey_assets.monitoring.promotion.occasion import Occasion
from odyssey_assets.monitoring.retraining.planning import plan_retraining
from odyssey_assets.monitoring.retraining.requests import Batch
from odyssey_assets.monitoring.retraining.settlement import finished, started
from odyssey_assets.nightly_findings import NightlyFindings
from odyssey_assets.portfolio.tables import POLICIES
from odyssey_assets.replay import History, LayeredStore, read_history
from odyssey_assets.settings import Settings

NEW_YORK = ZoneInfo("America/New_York")
REQUESTER = "simulate"
JUDGED_WINDOWS = 2


@dataclass(frozen=True)
class LoopEvent:
    """Something that happened.

    Attributes:
        day: Day of the simulated clock.
        kind: What happened, in a word.
        subject: Ticker; empty where all are meant.
        text: In words.
    """

    day: date
    kind: str
    subject: str
    text: str


@dataclass(frozen=True)
class Simulation:
    """One run of the clock over a stored history.

    Attributes:
        history: What is stored, whole.
        settings: Of the home.
        books: Warehouse of the simulation's own home: ledgers, challengers, trials.
        store: Reads the home's models, writes to the simulation's.
        nightly: What a night finds wrong.
    """

    history: History
    settings: Settings
    books: Warehouse
    store: LayeredStore
    nightly: NightlyFindings

    def run(self, start: date, end: date) -> Iterator[LoopEvent]:
        """Yield what happens from `start` to `end`, day by day, while it happens."""
        stored = set(self.history.sessions)
        for day in _days(start, end):
            if day.weekday() >= SATURDAY:
                continue
            closing = closing_reason(day)
            if closing is not None:
                yield LoopEvent(day, "no night", "", f"New York does not trade: {closing}")
            elif day not in stored:
                yield LoopEvent(day, "no data", "", "nothing is stored of this session")
            else:
                yield from self._night(day)

    def _night(self, day: date) -> Iterator[LoopEvent]:
        known = self._known(day)
        now = self._moment(day)
        if window_of(day).start > self.history.session_before(day):
            yield LoopEvent(day, "new window", "", f"models of {window_of(day).key} take over")
        reigns = reigns_of(self.books.read(PROMOTIONS), "forecaster")
        findings = self.nightly.find(known, self.books.read(CHALLENGERS), reigns, day)
        plan = plan_retraining(
            findings,
            self.books.read(RETRAINING_EVENTS),
            self.settings.retraining,
            known=day,
            now=now,
            requester=REQUESTER,
        )
        self.books.append(RETRAINING_EVENTS, plan.rows)
        for row in plan.rows.to_dict("records"):
            yield LoopEvent(day, row["state"], row["ticker"], _why(row))
        for batch in plan.batches:
            yield from self._retrain(known, batch, day, now)
        yield from self._judge(known, day, now, batch=None)

    def _retrain(
        self, known: History, batch: Batch, day: date, now: datetime
    ) -> Iterator[LoopEvent]:
        ledger = self.books.read(RETRAINING_EVENTS)
        self.books.append(RETRAINING_EVENTS, started(ledger, batch.run_key, REQUESTER, now))
        fitted = fit_challengers(
            known.features,
            known.labels,
            known.bars,
            batch.tickers,
            day,
            reigns_of(self.books.read(PROMOTIONS), "forecaster"),
            self.settings,
            self.store,
            None,
            now.replace(tzinfo=None),
        )
        self.books.append(CHALLENGERS, fitted.challengers)
        for ticker, why in fitted.skipped.items():
            yield LoopEvent(day, "skipped", ticker, why)
        yield from self._judge(known, day, now, batch)
        ledger, decided = self.books.read(RETRAINING_EVENTS), self.books.read(PROMOTIONS)
        rows = finished(ledger, batch.run_key, REQUESTER, decided, now)
        self.books.append(RETRAINING_EVENTS, rows)

    def _judge(
        self, known: History, day: date, now: datetime, batch: Batch | None
    ) -> Iterator[LoopEvent]:
        challengers = self.books.read(CHALLENGERS)
        tried = run_trials(
            known.features, known.folds, challengers, self.settings, self.store,
            now.replace(tzinfo=None),
        )  # fmt: skip
        self.books.append(TRIALS, tried.rows)
        since = pd.Timestamp(window_of(day).shift(-JUDGED_WINDOWS).start)
        evidence = Evidence(
            ledger=self.books.read(PROMOTIONS),
            challengers=challengers,
            trials=self.books.read(TRIALS),
            predictions=known.predictions[known.predictions["date"] >= since],
            labels=known.labels[known.labels["date"] >= since],
            bars=known.bars[known.bars["date"] >= since],
            folds=known.folds,
            quality=self.nightly.newest_quality,
            policies=POLICIES.empty(),
            daily=DAILY.empty(),
        )
        cause = "schedule" if batch is None else batch.cause
        rows = judge(evidence, day, Occasion(now, cause, events=self._events(batch)), self.settings)
        self.books.append(PROMOTIONS, rows)
        for row in rows.to_dict("records"):
            yield LoopEvent(day, row["decision"], row["subject"], row["reason"])

    def _known(self, day: date) -> History:
        """Return what was known at a close, forecasts by whoever had been promoted before."""
        known = self.history.until(day)
        reigns = reigns_of(self.books.read(PROMOTIONS), "forecaster")
        return known.served(self.books.read(TRIALS), reigns) if reigns else known

    def _events(self, batch: Batch | None) -> dict[str, str]:
        if batch is None:
            return {}
        ledger = self.books.read(RETRAINING_EVENTS)
        own = ledger[ledger["batch"] == batch.run_key].drop_duplicates("ticker")
        return dict(zip(own["ticker"], own["event_id"], strict=True))

    def _moment(self, day: date) -> datetime:
        clock = time.fromisoformat(self.settings.schedules.nightly)
        return datetime.combine(day, clock, NEW_YORK).astimezone(UTC)


def play(console: Console, root: Path | None, start: date, end: date) -> None:
    """Go through the days, print what happens on each, and sum it up.

    Args:
        console: Where to print.
        root: Folder of the home; None takes the one that the settings name.
        start: First day of the clock.
        end: Last day of the clock.

    Raises:
        OdysseyError: As `open_simulation`.
    """
    settings = load_settings(home=root)
    simulation, home = open_simulation(settings, start, end)
    suffix = " (simulated data)" if settings.source == "simulated" else ""
    console.print(f"The loop from {start} to {end}{suffix}")
    counts: dict[str, int] = {}
    for event in simulation.run(start, end):
        counts[event.kind] = counts.get(event.kind, 0) + 1
        print_lines(console, "", [f"{event.day}  {event.kind:<12} {event.subject:<6} {event.text}"])
    simulation.books.publish()
    print_frame(
        console,
        "What happened",
        pd.DataFrame({"event": sorted(counts), "times": [counts[kind] for kind in sorted(counts)]}),
    )
    query = "select * from monitoring.promotions"
    print_lines(console, "bold", [f'Ledgers   odyssey query "{query}" --home {home.root}'])


def open_simulation(settings: Settings, start: date, end: date) -> tuple[Simulation, Home]:
    """Return a simulation over the home's history, and the empty home of its ledgers.

    Args:
        settings: Of the home whose history is gone through.
        start: First day of the clock.
        end: Last day of the clock.

    Raises:
        SettingsError: The days are the wrong way round, or nothing was forecast between them.
        WarehouseError: The warehouse cannot be read, or the new home not be written.
    """
    if start > end:
        raise SettingsError(f"--from {start} lies after --to {end}. Swap them.")
    real = home_of(settings)
    history = read_history(Warehouse(real, settings.warehouse))
    forecast = history.predictions["date"]
    first, last = forecast.min().date(), forecast.max().date()
    if end < first or start > last:
        raise SettingsError(
            f"Forecasts are stored from {first} to {last}; asked for {start} to {end}. Choose days "
            "among them, or run `odyssey run` over more."
        )
    home = Home(_folder(real, start, end))
    shutil.rmtree(home.root, ignore_errors=True)
    home.create()
    books = Warehouse(home, settings.warehouse)
    books.create_missing((RETRAINING_EVENTS, PROMOTIONS, CHALLENGERS, TRIALS))
    store = LayeredStore(ModelStore(home.models), ModelStore(real.models))
    nightly = NightlyFindings(settings, store)
    return Simulation(history, settings, books, store, nightly), home


def _folder(home: Home, start: date, end: date) -> Path:
    return home.root / "simulations" / f"{start}_{end}"


def _days(start: date, end: date) -> Iterator[date]:
    for offset in range((end - start).days + 1):
        yield start + timedelta(days=offset)


def _why(row: dict[str, object]) -> str:
    """Return in words why an entry of the ledger of retrainings was made."""
    if not pd.isna(row["reason"]):
        return str(row["reason"])
    figures = f"value {row['value']:.4g}, threshold {row['threshold']:.4g}"
    return f"{row['cause']}: {row['check']}, {figures}"
