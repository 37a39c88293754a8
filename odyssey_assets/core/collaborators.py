"""What training and serving need of whoever keeps models, records of runs, and decisions.

The implementations live in `infrastructure`, which knows no domain, and in `monitoring`, which
comes after those who ask; here are only the seams.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol

from odyssey_assets.core.reigns import Reign


class StoredModel(Protocol):
    """A model whose signature has been verified."""

    @property
    def payload(self) -> bytes:
        """The model as its forecaster wrote it."""
        ...

    @property
    def content(self) -> Mapping[str, object]:
        """What the model is: covered by its SHA-256."""
        ...

    @property
    def provenance(self) -> Mapping[str, object]:
        """Where and when it was made: signed, not part of its SHA-256."""
        ...

    @property
    def model_sha256(self) -> str:
        """SHA-256 of payload and content."""
        ...


class ModelStore(Protocol):
    """Keeps signed models by name."""

    def find(self, name_parts: Sequence[str]) -> StoredModel | None:
        """Return the verified model of that name; None if there is none.

        Raises:
            ModelError: It is there and has been altered.
        """
        ...

    def save(
        self,
        name_parts: Sequence[str],
        payload: bytes,
        content: Mapping[str, object],
        provenance: Mapping[str, object],
    ) -> StoredModel:
        """Sign and keep a model; one of that name that is there already stays.

        Raises:
            ModelError: It cannot be written.
        """
        ...

    def names(self, prefix: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Return the names that begin with these parts, in order."""
        ...

    def remove(self, name_parts: Sequence[str]) -> None:
        """Remove the model of that name, if it is there."""
        ...


class Tracker(Protocol):
    """Keeps a record of training runs for people."""

    def start_run(self, name: str, tags: Mapping[str, str]) -> str:
        """Open a run and return its identifier."""
        ...

    def finish_run(
        self,
        run_id: str,
        parameters: Mapping[str, object],
        metrics: Iterable[tuple[str, float, int]],
        *,
        is_complete: bool,
    ) -> None:
        """Record parameters and (name, value, step) metrics; close the run."""
        ...


class Champions(Protocol):
    """Knows which models were put in the place of a window's own."""

    def reigns(self, kind: Literal["forecaster", "policy"]) -> tuple[Reign, ...]:
        """Return all reigns of forecasters or of policies, in the order of their decision."""
        ...
