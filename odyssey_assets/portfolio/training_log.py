"""Who hears of trainings: the experiment tracker, one run a training, and the person who waits.

Trainings run in other processes; what they say travels to the process that started them, which
alone writes to the tracker. How a tracker stores runs belongs to `infrastructure.tracking`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Protocol, Self

from odyssey_assets.core.collaborators import ModelStore, Tracker
from odyssey_assets.core.parallel import interrupts_deferred
from odyssey_assets.portfolio.training_plan import POLICY, Training
from odyssey_assets.settings import Settings

_MEASURES = ("mean_reward", "validation_sharpe", "validation_return", "validation_turnover")


class Listener(Protocol):
    """Hears of the trainings of one chain."""

    def begin(self, training: Training) -> str | None:
        """Hear that a training begins; return its run in the tracker, None where there is none."""
        ...

    def say(self, message: str) -> None:
        """Hear a line for people."""
        ...

    def end(self, training: Training, name_parts: Sequence[str]) -> None:
        """Hear that a training's model is in the store."""
        ...


@dataclass
class TrainingLog:
    """The listener in the process that started the trainings.

    Used as a context manager: runs still open at the end are closed as failed. Ctrl-C is answered
    after what is being written: databases complain at length when a statement is cut off.

    Attributes:
        tracker: Keeps a record of the runs; None for no record.
        store: Holds the models that have been trained.
        settings: Says whether data are simulated.
        progress: Called with each line for people; None: nobody waits.
    """

    tracker: Tracker | None
    store: ModelStore
    settings: Settings
    progress: Callable[[str], None] | None
    _open: dict[str, str] = field(default_factory=dict)

    def begin(self, training: Training) -> str | None:
        """Open a run for the training."""
        if self.tracker is None:
            return None
        tags = {
            "policy": POLICY,
            "window": training.window.key,
            "seed": str(training.seed),
            "source": self.settings.source,
            "simulated": str(self.settings.source == "simulated").lower(),
        }
        with interrupts_deferred():
            run_id = self.tracker.start_run(f"{POLICY} {training.label}", tags)
            self._open[training.label] = run_id
        return run_id

    def say(self, message: str) -> None:
        """Pass the line on."""
        if self.progress is not None:
            with interrupts_deferred():
                self.progress(message)

    def end(self, training: Training, name_parts: Sequence[str]) -> None:
        """Record how the training went and close its run."""
        stored = self.store.find(name_parts)
        if self.tracker is None or training.label not in self._open or stored is None:
            return
        with interrupts_deferred():
            run_id = self._open.pop(training.label)
            self.tracker.finish_run(
                run_id, _parameters(stored.content), _metrics(stored.content), is_complete=True
            )

    def __enter__(self) -> Self:
        """Return the log."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close what is open as failed: those trainings have not come to their end."""
        with interrupts_deferred():
            while self.tracker is not None and self._open:
                _, run_id = self._open.popitem()
                self.tracker.finish_run(run_id, {}, (), is_complete=False)


@dataclass(frozen=True)
class DistantListener:
    """The listener in a process that trains: hands everything to the other end of a line.

    Attributes:
        line: Its end of the line; at the other one, somebody calls `answer` again and again.
    """

    line: Connection

    def begin(self, training: Training) -> str | None:
        """Tell that a training begins; wait for its run."""
        self.line.send(("begin", training, ""))
        run_id = self.line.recv()
        return None if run_id is None else str(run_id)

    def say(self, message: str) -> None:
        """Send the line."""
        self.line.send(("say", None, message))

    def end(self, training: Training, name_parts: Sequence[str]) -> None:
        """Tell that a training's model is in the store."""
        self.line.send(("end", training, "/".join(name_parts)))


def answer(lines: Sequence[Connection], listener: Listener) -> None:
    """Let `listener` hear what has come in over the lines of distant ones."""
    for line in lines:
        while line.poll():
            kind, training, text = line.recv()
            if kind == "begin":
                line.send(listener.begin(training))
            elif kind == "end":
                listener.end(training, text.split("/"))
            else:
                listener.say(text)


def _parameters(content: Mapping[str, Any]) -> dict[str, object]:
    named = ("train_start", "train_end", "valid_start", "valid_end", "steps_taken",
             "selected_steps", "data_sha256", "warm_start_sha256", "threads")  # fmt: skip
    learned_with = dict(content["hyperparameters"])
    costs = {f"costs.{name}": value for name, value in learned_with.pop("costs").items()}
    return {**{name: content[name] for name in named}, **learned_with, **costs}


def _metrics(content: Mapping[str, Any]) -> Iterator[tuple[str, float, int]]:
    for point in content["curve"]:
        for name in _MEASURES:
            if point[name] is not None:
                yield name, point[name], point["steps"]
