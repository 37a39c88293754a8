"""What is asked for: a retraining of some tickers, or their market data once more.

A request is named by a run key that follows from its events, so that asking twice is asking once.
How the job `retrain` is configured for a request belongs here too; when to ask, to `planning`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from odyssey_assets.core.hashing import hash_mapping
from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.retraining.events import Event
from odyssey_assets.monitoring.retraining.findings import Cause

GATE = "gate"
RUN_KEY_LENGTH = 16


@dataclass(frozen=True)
class Batch:
    """A retraining to request: one run for all its tickers.

    Attributes:
        run_key: Its identity; the same events give the same one.
        tickers: In order, each once.
        cause: Of the first event.
        event_ids: The events that asked for it.
    """

    run_key: str
    tickers: tuple[str, ...]
    cause: Cause
    event_ids: tuple[str, ...]


@dataclass(frozen=True)
class Reingest:
    """Market data to fetch again, since what is stored breaks its promises.

    Attributes:
        run_key: Its identity; the same events give the same one.
        tickers: In order, each once.
        first_window: The earliest window concerned; what follows depends on it.
        event_ids: The events that asked for it.
    """

    run_key: str
    tickers: tuple[str, ...]
    first_window: Window
    event_ids: tuple[str, ...]


def batches_of(events: Iterable[Event]) -> tuple[Batch, ...]:
    """Return the retrainings that events ask for, one a run key."""
    return tuple(batch_of(own) for own in _by_batch(events).values())


def reingests_of(events: Iterable[Event]) -> tuple[Reingest, ...]:
    """Return the market data that events want fetched again, one request a run key."""
    return tuple(
        Reingest(
            run_key=run_key,
            tickers=tuple(dict.fromkeys(sorted(event.ticker for event in own))),
            first_window=min(event.window for event in own),
            event_ids=tuple(event.event_id for event in own),
        )
        for run_key, own in _by_batch(events).items()
    )


def run_config(batch: Batch) -> dict[str, Any]:
    """Return the configuration of the job `retrain` for a batch, asked for by the gate."""
    return retrain_config(batch.tickers, batch.cause, batch.run_key, GATE)


def retrain_config(
    tickers: Sequence[str], cause: Cause, batch: str | None, actor: str
) -> dict[str, Any]:
    """Return the configuration of the job `retrain`: models as of the last session stored."""
    return {
        "ops": {
            "fit_challengers": {"config": {"tickers": list(tickers), "as_of": None}},
            "judge": {"config": {"batch": batch, "cause": cause, "actor": actor}},
        }
    }


def key_of(requester: str, what: str, events: Iterable[Event]) -> str:
    """Return the run key of a request: the same events of the same requester give the same one."""
    ids = sorted(event.event_id for event in events)
    return f"{requester}-{what}-{hash_mapping({'events': ids})[:RUN_KEY_LENGTH]}"


def batch_of(events: Sequence[Event]) -> Batch:
    """Return the retraining that events of one run key ask for."""
    return Batch(
        run_key=str(events[0].batch),
        tickers=tuple(dict.fromkeys(sorted(event.ticker for event in events))),
        cause=events[0].cause,
        event_ids=tuple(event.event_id for event in events),
    )


def _by_batch(events: Iterable[Event]) -> Mapping[str, list[Event]]:
    grouped: dict[str, list[Event]] = {}
    for event in sorted(events, key=lambda each: (each.as_of, each.ticker, each.event_id)):
        grouped.setdefault(str(event.batch), []).append(event)
    return grouped
