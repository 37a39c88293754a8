"""A tracker that keeps runs in memory; the real one is tested in `infrastructure.test_tracking`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass
class RecordingTracker:
    """Tags, parameters and metrics by run, and the runs that were closed as failed."""

    tags: dict[str, Mapping[str, str]] = field(default_factory=dict)
    parameters: dict[str, Mapping[str, object]] = field(default_factory=dict)
    metrics: dict[str, list[tuple[str, float, int]]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def start_run(self, name: str, tags: Mapping[str, str]) -> str:
        run_id = f"run-{len(self.tags)}-{name}"
        self.tags[run_id] = tags
        return run_id

    def finish_run(
        self,
        run_id: str,
        parameters: Mapping[str, object],
        metrics: Iterable[tuple[str, float, int]],
        *,
        is_complete: bool,
    ) -> None:
        self.parameters[run_id] = parameters
        self.metrics[run_id] = list(metrics)
        if not is_complete:
            self.failed.append(run_id)
