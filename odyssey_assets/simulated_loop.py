"""The loop in accelerated time: what schedules and sensors would have done, day after day.

The clock moves over a home's stored history. On each session drift and decay are measured from what
was known at that close, retrainings planned, challengers fitted and judged, with the functions of
the nightly jobs, the sensors and the schedules, for forecasters and learned policies; only
Dagster's bookkeeping and Evidently's second opinion (which gives the same verdict) are left out.
What is known on a day is in `replay` and `simulated_portfolio`, what is found wrong on it belongs
to `nightly_findings`, how it is shown to `simulate`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.core.figure_text import count, ratio
from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.sessions import SATURDAY, closing_reason
from odyssey_assets.core.windows import window_of
from odyssey_assets.forecasting.challengers import fit_challengers
from odyssey_assets.forecasting.tables import CHALLENGERS, TRIALS
from odyssey_assets.infrastructure.schedules import MONTHLY_TIME, monthly_retraining
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.promotion.champions import Kind, reigns_of
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
from odyssey_assets.monitoring.tables import POLICY_QUALITY
from odyssey_assets.nightly_findings import NightlyFindings
from odyssey_assets.portfolio.catalog import learned_policies
from odyssey_assets.portfolio.tables import POLICIES, POLICY_CHALLENGERS, POLICY_TRIALS
from odyssey_assets.replay import Books, History, LayeredStore
from odyssey_assets.settings import Settings
from odyssey_assets.simulated_portfolio import Rulers, SimulatedPortfolio, Standing
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
        subject: Ticker, or name of a policy; empty where all are meant.
        text: In words.
    """

    day: date
    kind: str
    subject: str
    text: str


@dataclass(frozen=True)
class _Night:
    """What a night knows.

    Attributes:
        day: The session that is over.
        now: The moment, UTC.
        known: What was known at its close, forecasts by whoever served.
        held: What was known of the learned policies; None where none had learned yet.
    """

    day: date
    now: datetime
    known: History
    held: Standing | None

    @property
    def recorded_at(self) -> datetime:
        """The moment as tables hold it, without time zone."""
        return self.now.replace(tzinfo=None)


@dataclass(frozen=True)
class Simulation:
    """One run of the clock over a stored history.

    Attributes:
        history: What is stored, whole.
        settings: Of the home.
        books: The simulation's own: ledgers, challengers, trials.
        store: Reads the home's models, writes to the simulation's.
        nightly: What a night finds wrong.
        trials: What every version of a forecaster says.
        portfolio: What the learned policies hold and earn.
    """

    history: History
    settings: Settings
    books: Books
    store: LayeredStore
    nightly: NightlyFindings
    trials: SimulatedTrials
    portfolio: SimulatedPortfolio

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
        night = self._known(day)
        if window_of(day).start > self.history.session_before(day):
            yield LoopEvent(day, "new window", "", f"models of {window_of(day).key} take over")
        findings = self.nightly.find(
            night.known,
            self.books.read(CHALLENGERS),
            self._reigns("forecaster"),
            day,
            None if night.held is None else night.held.quality,
        )
        plan = plan_retraining(
            findings,
            self.books.read(RETRAINING_EVENTS),
            self.settings.retraining,
            known=day,
            now=night.now,
            requester=REQUESTER,
        )
        self.books.append(RETRAINING_EVENTS, plan.rows)
        for row in plan.rows.to_dict("records"):
            yield LoopEvent(day, row["state"], row["ticker"], _why(row))
        for batch in plan.batches:
            yield from self._retrain(night, batch)
        yield from self._judge(night, batch=None)
        tick, session = monthly_retraining(day, self.settings.schedules.monthly_day)
        if session == day:
            yield from self._retrain_everything(night, tick)

    def _retrain_everything(self, earlier: _Night, tick: str) -> Iterator[LoopEvent]:
        """Do what the monthly schedule does."""
        night = replace(earlier, now=_moment(earlier.day, MONTHLY_TIME))
        tickers = [str(ticker) for ticker in sorted(night.known.bars["ticker"].unique())]
        policies = () if night.held is None else night.held.names
        who = " and ".join([f"{count(len(tickers))} tickers", *policies])
        yield LoopEvent(night.day, "monthly", "", f"{tick}: {who} retrain")
        rows = unasked(tick, [*tickers, *policies], "schedule", night.day, tick, night.now)
        self.books.append(RETRAINING_EVENTS, rows)
        for batch in unsettled_batches(self.books.read(RETRAINING_EVENTS)):
            yield from self._retrain(night, batch)

    def _retrain(self, night: _Night, batch: Batch) -> Iterator[LoopEvent]:
        ledger = self.books.read(RETRAINING_EVENTS)
        self.books.append(RETRAINING_EVENTS, started(ledger, batch.run_key, REQUESTER, night.now))
        known = night.known
        fitted = fit_challengers(
            known.features,
            known.labels,
            known.bars,
            batch.among(set(known.bars["ticker"])),
            night.day,
            self._reigns("forecaster"),
            self.settings,
            self.store,
            None,
            night.recorded_at,
        )
        self.books.append(CHALLENGERS, fitted.challengers)
        for ticker, why in fitted.skipped.items():
            yield LoopEvent(night.day, "skipped", ticker, why)
        yield from self._train(night, batch)
        yield from self._judge(night, batch)
        ledger, decided = self.books.read(RETRAINING_EVENTS), self.books.read(PROMOTIONS)
        policies = learned_policies(self.settings)
        rows = finished(ledger, batch.run_key, REQUESTER, decided, night.now, policies=policies)
        self.books.append(RETRAINING_EVENTS, rows)

    def _train(self, night: _Night, batch: Batch) -> Iterator[LoopEvent]:
        """Train the policies of a batch."""
        if night.held is None:
            return
        for policy in batch.among(night.held.names):
            reigns = self._reigns("policy")
            trained = self.portfolio.train(night.held, reigns, night.recorded_at)
            self.books.append(POLICY_CHALLENGERS, trained.rows)
            if trained.skipped is not None:
                yield LoopEvent(night.day, "skipped", policy, trained.skipped)

    def _judge(self, night: _Night, batch: Batch | None) -> Iterator[LoopEvent]:
        cause = "schedule" if batch is None else batch.cause
        occasion = Occasion(night.now, cause, events=self._events(batch))
        rows = judge(self._evidence(night), night.day, occasion, self.settings)
        self.books.append(PROMOTIONS, rows)
        for row in rows.to_dict("records"):
            yield LoopEvent(night.day, row["decision"], row["subject"], _decided(row))

    def _evidence(self, night: _Night) -> Evidence:
        """Let everybody's versions be tried, and return what a judgement rests on."""
        day, known, held = night.day, night.known, night.held
        challengers, of_policies = self.books.read(CHALLENGERS), self.books.read(POLICY_CHALLENGERS)
        said = self.trials.until(day, known.folds, challengers, night.recorded_at)
        self.books.append(TRIALS, said)
        if held is not None:
            tried = self.portfolio.tried(held, self._reigns("policy"), of_policies)
            self.books.replace(POLICY_TRIALS, tried)
        since = pd.Timestamp(window_of(day).shift(-JUDGED_WINDOWS).start)
        return Evidence(
            ledger=self.books.read(PROMOTIONS),
            challengers=challengers,
            trials=self.books.read(TRIALS),
            predictions=known.predictions[known.predictions["date"] >= since],
            labels=known.labels[known.labels["date"] >= since],
            bars=known.bars[known.bars["date"] >= since],
            folds=known.folds,
            quality=self.nightly.newest_quality,
            policies=POLICIES.empty() if held is None else held.policies,
            policy_challengers=of_policies,
            policy_trials=self.books.read(POLICY_TRIALS),
            policy_quality=POLICY_QUALITY.empty() if held is None else held.quality,
            daily=DAILY.empty() if held is None else held.daily,
        )

    def _known(self, day: date) -> _Night:
        """Return what was known at a close, forecasts by whoever had been promoted before."""
        said, rulers = self.books.read(TRIALS), self._reigns("forecaster")
        held = self.portfolio.standing(
            day,
            Rulers(rulers, self._reigns("policy")),
            (said, self.trials.of_whole_window),
            self.books.read(POLICY_CHALLENGERS),
        )
        now = _moment(day, time.fromisoformat(self.settings.schedules.nightly))
        return _Night(day, now, self.history.until(day).served(said, rulers), held)

    def _reigns(self, kind: Kind) -> tuple[Reign, ...]:
        return reigns_of(self.books.read(PROMOTIONS), kind)

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
    judged = slice(1) if row["kind"] == "policy" else slice(None)
    figures = [
        f"{word} {ratio(row[f'challenger_{name}'], decimals)} beside "
        f"{ratio(row[f'incumbent_{name}'], decimals)}"
        for word, name, decimals in list(zip(words, names, (2, 3, 5), strict=True))[judged]
    ]
    sessions = count(row["unseen_sessions"])
    return f"{', '.join(figures)}; {sessions} sessions, p-value {ratio(row['p_value_worse'], 3)}"
