"""Why and when a judgement takes place, and the randomness of its tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from odyssey_assets.core.hashing import hash_mapping

SEED_DIGITS = 16


@dataclass(frozen=True)
class Occasion:
    """What led to a judgement.

    Attributes:
        now: This moment; with a time zone, or in UTC.
        cause: Why models were fitted.
        actor: Who decides.
        events: Entry in the ledger of retrainings by ticker.
    """

    now: datetime
    cause: str = "schedule"
    actor: str = "gate"
    events: Mapping[str, str] = field(default_factory=dict)


def generator_of(seed: int, subject: str, challenger: str, incumbent: str) -> np.random.Generator:
    """Return the generator of one comparison, whatever else is judged before or beside it.

    Args:
        seed: The seed of the settings.
        subject: Ticker or policy.
        challenger: SHA-256 of the model that is judged.
        incumbent: SHA-256 of what it is held against, or the baseline's name.
    """
    parties = hash_mapping({"parties": [subject, challenger, incumbent]})
    return np.random.default_rng([seed, int(parties[:SEED_DIGITS], 16)])
