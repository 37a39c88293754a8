"""Checkpoints of one training in the store of signed models: the newest counts.

A checkpoint is arrays and JSON, so nothing is executed when it is read; an altered one is refused.
What is in it belongs to `portfolio.checkpoints`.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from odyssey_assets.core.collaborators import ModelStore, StoredModel
from odyssey_assets.core.hashing import hash_mapping
from odyssey_assets.errors import ModelError
from odyssey_assets.portfolio.training_plan import POLICY, Training

FOLDER = "checkpoints"


@dataclass(frozen=True)
class CheckpointStore:
    """The checkpoints of one training.

    Attributes:
        store: Where they are kept.
        training: The training.
        warm_start_sha256: The model it started from; None: it started from nothing.
    """

    store: ModelStore
    training: Training
    warm_start_sha256: str | None

    def save(
        self, steps: int, arrays: Mapping[str, np.ndarray], content: Mapping[str, Any]
    ) -> None:
        """Keep a checkpoint as a whole or not at all, then let go of those before.

        Raises:
            ModelError: It cannot be written.
        """
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle
        name = (FOLDER, f"{self._prefix}{self._key}-{steps:012d}")
        self.store.save(name, buffer.getvalue(), {**content, "identity": self._identity}, {})
        for former in self._names(self._prefix):
            if former != name:
                self.store.remove(former)

    def newest(self) -> tuple[dict[str, np.ndarray], Mapping[str, Any]] | None:
        """Return arrays and content of the newest checkpoint; None if there is none.

        Raises:
            ModelError: It was altered, or is of another training.
        """
        for name in reversed(self._names(f"{self._prefix}{self._key}-")):
            stored = self.store.find(name)
            if stored is not None:
                return self._arrays(name, stored), stored.content
        return None

    def discard(self) -> None:
        """Remove what is left of trainings of this slot and seed, on other data too."""
        for name in self._names(self._prefix):
            self.store.remove(name)

    def _arrays(self, name: tuple[str, ...], stored: StoredModel) -> dict[str, np.ndarray]:
        advice = f"Remove {'/'.join(name)} from the model store; the training then begins anew."
        if stored.content["identity"] != self._identity:
            raise ModelError(
                f"The checkpoint is of another training than {self.training.label}: data, "
                f"settings or software differ. {advice}"
            )
        try:
            with np.load(io.BytesIO(stored.payload), allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        except (ValueError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"The checkpoint cannot be read: {error}. {advice}") from error

    def _names(self, prefix: str) -> list[tuple[str, ...]]:
        return [name for name in self.store.names((FOLDER,)) if name[1].startswith(prefix)]

    @property
    def _identity(self) -> dict[str, Any]:
        return self.training.full_identity(self.warm_start_sha256)

    @property
    def _prefix(self) -> str:
        return f"{POLICY}-{self.training.slot}-seed-{self.training.seed}-"

    @property
    def _key(self) -> str:
        return hash_mapping(self._identity)[:16]
