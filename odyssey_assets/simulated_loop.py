"""The loop in accelerated time: what schedules and sensors would have done, day after day.

The clock moves over a home's stored history. On each session drift and decay are measured from what
was known at that close, retrainings planned, challengers fitted and judged, with the functions of
the nightly jobs, the sensors and the schedules; only Dagster's bookkeeping, Evidently's second
opinion (which gives the same verdict) and the portfolio are left out. What is known on a day is in
`replay`, what is found wrong on it to `nightly_findings`, how it is shown to `simulate`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.core.figure_text import count, ratio
from odyssey_assets.core.sessions import SATURDAY, closing_reason
from odyssey_assets.core.windows import window_of
from odyssey_assets.forecasting.challengers import fit_challengers
from odyssey_assets.forecasting.tables import CHALLENGERS, TRIALS
from odyssey_assets.infrastructure.schedules import MONTHLY_TIME, monthly_retraining
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.promotion.champions import reigns_of
from odyssey_assets.monitoring.promotion.evidence import Evidence
from odyssey_assets.monitoring.promotion.judging import judge
from odyssey_assets.monitoring.promotion.occasion import Occasion
from odyssey_assets.monitoring.retraining.planning import plan_retraining
from odyssey_assets.monitoring.retraining.requests import Batch
from odyssey_assets.monitoring.retraining.settlement import (
    finished,
    started,
    unasked,
    unsettled_batches,
)
from odyssey_assets.nightly_findings import NightlyFindings
from odyssey_assets.portfolio.tables import POLICIES
from odyssey_assets.replay import Books, History, LayeredStore
from odyssey_assets.settings import Settings
from odyssey_assets.simulated_trials import SimulatedTrials

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
        books: The simulation's own: ledgers, challengers, trials.
        store: Reads the home's models, writes to the simulation's.
        nightly: What a night finds wrong.
        trials: What every version says.
    """

    history: History
    settings: Settings
    books: Books
    store: LayeredStore
    nightly: NightlyFindings
    trials: SimulatedTrials

    def run(self, start: date, end: date) -> Iterator[LoopEvent]:
        """Yield what happens from `start` to `end`, day by day, while it happens."""
        stored = frozenset(self.history.sessions)
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
        now = _moment(day, time.fromisoformat(self.settings.schedules.nightly))
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
        tick, session = monthly_retraining(day, self.settings.schedules.monthly_day)
        if session == day:
            yield from self._retrain_everything(known, tick, day)

    def _retrain_everything(self, known: History, tick: str, day: date) -> Iterator[LoopEvent]:
        """Do what the monthly schedule does."""
        now = _moment(day, MONTHLY_TIME)
        tickers = [str(ticker) for ticker in sorted(known.bars["ticker"].unique())]
        yield LoopEvent(day, "monthly", "", f"{tick}: {count(len(tickers))} tickers retrain")
        rows = unasked(tick, tickers, "schedule", day, tick, now)
        self.books.append(RETRAINING_EVENTS, rows)
        for batch in unsettled_batches(self.books.read(RETRAINING_EVENTS)):
            yield from self._retrain(known, batch, day, now)

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
        said = self.trials.until(day, known.folds, challengers, now.replace(tzinfo=None))
        self.books.append(TRIALS, said)
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
            yield LoopEvent(day, row["decision"], row["subject"], _decided(row))

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


def _days(start: date, end: date) -> Iterator[date]:
    for offset in range((end - start).days + 1):
        yield start + timedelta(days=offset)


def _moment(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, NEW_YORK).astimezone(UTC)


def _why(row: Mapping[Any, Any]) -> str:
    """Return in words why an entry of the ledger of retrainings was made."""
    if not pd.isna(row["reason"]):
        return str(row["reason"])
    figures = f"value {row['value']:.4g}, threshold {row['threshold']:.4g}"
    return f"{row['cause']}: {row['check']}, {figures}"


def _decided(row: Mapping[Any, Any]) -> str:
    """Return the figures behind a decision, or its reason where there are none."""
    if pd.isna(row["p_value_worse"]):
        return str(row["reason"])
    words = ["Sharpe ratio", "rank correlation", "error"]
    names = ["sharpe", "information_coefficient", "rmse"]
    figures = [
        f"{word} {ratio(row[f'challenger_{name}'], decimals)} beside "
        f"{ratio(row[f'incumbent_{name}'], decimals)}"
        for word, name, decimals in zip(words, names, (2, 3, 5), strict=True)
    ]
    sessions = count(row["unseen_sessions"])
    return f"{', '.join(figures)}; {sessions} sessions, p-value {ratio(row['p_value_worse'], 3)}"
