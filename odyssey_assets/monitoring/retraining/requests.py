"""What is asked for: a retraining of some tickers and policies, or market data once more.

A request is named by a run key that follows from its events, so that asking twice is asking once.
Which of its subjects are policies is told by the settings and the catalog, not by their spelling.
How the job `retrain` is configured for a request belongs here too; when to ask, to `planning`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from odyssey_assets.core.hashing import hash_mapping
from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.retraining.events import Event
from odyssey_assets.monitoring.retraining.findings import Cause
from odyssey_assets.portfolio.catalog import learned_policies
from odyssey_assets.settings import Settings

GATE = "gate"
FIT, TRAIN, JUDGE = "fit_challengers", "train_policy_challengers", "judge"
RUN_KEY_LENGTH = 16


@dataclass(frozen=True)
class Batch:
    """A retraining to request: one run for all its tickers and policies.

    Attributes:
        run_key: Its identity; the same events give the same one.
        subjects: Tickers and names of policies, in order, each once.
        cause: Of the first event.
        event_ids: The events that asked for it.
    """

    run_key: str
    subjects: tuple[str, ...]
    cause: Cause
    event_ids: tuple[str, ...]

    def among(self, names: Collection[str]) -> tuple[str, ...]:
        """Return the subjects that are among `names`, in their order."""
        return tuple(subject for subject in self.subjects if subject in names)


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


def run_config(batch: Batch, settings: Settings) -> dict[str, Any]:
    """Return the configuration of the job `retrain` for a batch, asked for by the gate.

    What the settings name no longer is left out, so that it cannot fail the others' run.

    Args:
        batch: The request.
        settings: Its tickers, and which policies compete.

    Raises:
        SettingsError: A policy of the settings is not in the catalog.
    """
    return retrain_config(
        batch.among(settings.tickers),
        batch.among(learned_policies(settings)),
        batch.cause,
        batch.run_key,
        GATE,
    )


def retrain_config(
    tickers: Sequence[str],
    policies: Sequence[str],
    cause: Cause,
    batch: str | None,
    actor: str,
) -> dict[str, Any]:
    """Return the configuration of the job `retrain`: models as of the last session stored.

    Args:
        tickers: Whose forecaster is made anew; may be none.
        policies: Learned policies that are trained anew; may be none.
        cause: Why.
        batch: Run key of the request; None for a retraining that no finding asked for.
        actor: Who decides.
    """
    return {
        "ops": {
            FIT: {"config": {"tickers": list(tickers), "as_of": None}},
            TRAIN: {"config": {"policies": list(policies), "as_of": None}},
            JUDGE: {"config": {"batch": batch, "cause": cause, "actor": actor}},
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
        subjects=tuple(dict.fromkeys(sorted(event.ticker for event in events))),
        cause=events[0].cause,
        event_ids=tuple(event.event_id for event in events),
    )


def _by_batch(events: Iterable[Event]) -> Mapping[str, list[Event]]:
    grouped: dict[str, list[Event]] = {}
    for event in sorted(events, key=lambda each: (each.as_of, each.ticker, each.event_id)):
        grouped.setdefault(str(event.batch), []).append(event)
    return grouped
