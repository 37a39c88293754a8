"""Whether the policies that the table names are the ones that are stored.

Signing belongs to whoever keeps models.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.errors import ModelError


@dataclass(frozen=True)
class Unverified:
    """A policy that must not be used.

    Attributes:
        window: Its window, ISO.
        seed: Its seed.
        reason: What was found, and what was expected.
    """

    window: str
    seed: int
    reason: str


def unverified(policies: pd.DataFrame, store: ModelStore) -> Sequence[Unverified]:
    """Return the trained policies that are missing, altered, or not the ones that the rows name.

    Args:
        policies: Rows of `portfolio.policies`.
        store: Verifies what it loads.
    """
    trained = policies[policies["status"] == "trained"]
    found = []
    for row in trained.itertuples():
        reason = _reason(str(row.model_name), str(row.model_sha256), store)
        if reason is not None:
            found.append(Unverified(f"{row.window:%Y-%m-%d}", int(row.seed), reason))
    return found


def _reason(name: str, sha256: str, store: ModelStore) -> str | None:
    try:
        stored = store.find(name.split("/"))
    except ModelError as error:
        return str(error)
    if stored is None:
        return f"{name} is not stored. Train the window again."
    if stored.model_sha256 != sha256:
        return f"{name} has SHA-256 {stored.model_sha256}, expected {sha256}. Train it again."
    return None
