"""Solutions of optimisers in the store of signed models, from one run to the next.

One entry holds all that the last run asked for. What a solution is belongs to
`portfolio.policies.solutions`.
"""

import hashlib
import json

import numpy as np

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.portfolio.policies.solutions import Solutions

FOLDER = "solutions"


def load_solutions(store: ModelStore) -> Solutions:
    """Return what earlier runs solved; nothing before the first.

    Raises:
        ModelError: An entry has been altered.
    """
    known: dict[str, np.ndarray] = {}
    for name in store.names((FOLDER,)):
        stored = store.find(name)
        if stored is not None:
            solved = json.loads(stored.payload)
            known |= {key: np.array(weights, dtype=np.float64) for key, weights in solved.items()}
    return Solutions(known)


def save_solutions(store: ModelStore, solutions: Solutions) -> None:
    """Keep what this run asked for, and let go of the rest; nothing new is written nowhere.

    Raises:
        ModelError: It cannot be written.
    """
    # A number in JSON is read back as the very float that was written.
    solved = {key: weights.tolist() for key, weights in solutions.asked.items()}
    payload = json.dumps(solved, sort_keys=True, allow_nan=False).encode()
    name = (FOLDER, hashlib.sha256(payload).hexdigest())
    former = store.names((FOLDER,))
    if solved and name not in former:
        store.save(name, payload, {"solutions": len(solved)}, {})
    for other in former:
        if other != name:
            store.remove(other)
