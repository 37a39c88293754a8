"""The learned policy as contenders: which stored model decides in which window, a seed at a time.

Training belongs to `portfolio.training`, deciding to `portfolio.policies.ppo`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.core.reigns import Reign, reigns_in
from odyssey_assets.core.windows import Window
from odyssey_assets.errors import ModelError
from odyssey_assets.portfolio.catalog import PolicyEntry, chosen_policies
from odyssey_assets.portfolio.contender import Contender, Stretch
from odyssey_assets.portfolio.policies.ppo import PPOPolicy
from odyssey_assets.settings import Settings


def learned_contenders(
    policy_rows: pd.DataFrame,
    store: ModelStore,
    settings: Settings,
    reigns: Sequence[Reign] = (),
) -> tuple[Contender, ...]:
    """Return one contender a trained seed of each learned policy that competes.

    The main seed comes first: it is the portfolio of the policy. Every other seed shows how far
    another training of the same kind would have come: where it was not trained, the main seed's
    model decides for it. A window without a model is left to the model before; before the first
    model there is only cash. A reign puts another model in the main seed's place from the day
    after it begins; the next window's own model takes over as usual.

    Args:
        policy_rows: Rows of `portfolio.policies` from the beginning.
        store: Holds the models that the rows name.
        settings: Tickers, limits, and which policies compete.
        reigns: Of policies, in the order of decision; those of windows that no model was trained
            for are passed over.

    Raises:
        ModelError: A model is missing, was altered, is not the one of the row, or is for another
            number of tickers.
        SettingsError: An unknown policy is configured.
    """
    contenders: list[Contender] = []
    for entry in chosen_policies(settings):
        rows = policy_rows[
            (policy_rows["policy"] == entry.name) & (policy_rows["status"] == "trained")
        ]
        if entry.is_learned and len(rows):
            ordered = rows.sort_values(["window", "seed"])
            contenders += _contenders(entry, ordered, store, settings, reigns)
    return tuple(contenders)


def _contenders(
    entry: PolicyEntry,
    rows: pd.DataFrame,
    store: ModelStore,
    settings: Settings,
    reigns: Sequence[Reign],
) -> list[Contender]:
    trained = {
        (row["window"], row["seed"]): (_stretch(row, store, settings),)
        for row in rows.to_dict("records")
    }
    deciding, others = rows[rows["is_main_seed"]], rows[~rows["is_main_seed"]]
    main = {
        window: (
            *trained[window, seed],
            *_reigning(reigns_in(reigns, entry.name, Window(window.date())), store, settings),
        )
        for window, seed in zip(deciding["window"], deciding["seed"], strict=True)
    }

    def contender(seed: int, *, is_main_seed: bool) -> Contender:
        borrowed = {
            window: tuple(replace(stretch, is_own_training=False) for stretch in stretches)
            for window, stretches in main.items()
        }
        own = main if is_main_seed else {**borrowed, **_of_seed(trained, seed)}
        return Contender(
            strategy=entry.name,
            seed=int(seed),
            is_main_seed=is_main_seed,
            rebalance=entry.rebalance,
            limits=entry.limits(settings),
            stretches=tuple(stretch for window in sorted(own) for stretch in own[window]),
        )

    return [
        contender(deciding["seed"].iloc[-1], is_main_seed=True),
        *(contender(seed, is_main_seed=False) for seed in sorted(others["seed"].unique())),
    ]


def _of_seed(
    trained: Mapping[tuple[pd.Timestamp, int], tuple[Stretch, ...]], seed: int
) -> dict[pd.Timestamp, tuple[Stretch, ...]]:
    return {window: stretches for (window, own), stretches in trained.items() if own == seed}


@dataclass(frozen=True)
class _Named:
    """A stored model as a row or a reign names it, with the words for when it is not there."""

    parts: tuple[str, ...]
    sha256: str
    whose: str
    recorded_in: str
    remedy: str


def _stretch(row: Mapping[Any, Any], store: ModelStore, settings: Settings) -> Stretch:
    window = row["window"].date()
    named = _Named(
        tuple(row["model_name"].split("/")),
        row["model_sha256"],
        f"of {row['policy']}, window {window}, seed {row['seed']},",
        "portfolio.policies",
        "materialize portfolio.policies for the window again",
    )
    return _loaded(window, named, store, settings)


def _reigning(
    reigns: Sequence[Reign], store: ModelStore, settings: Settings
) -> tuple[Stretch, ...]:
    stretches = []
    for reign in reigns:
        named = _Named(
            reign.model_name,
            reign.model_sha256,
            f"that serves {reign.subject} after {reign.serves_after}",
            "monitoring.promotions",
            "put it back, or roll back to another one",
        )
        start = reign.serves_after + timedelta(days=1)
        stretches.append(_loaded(start, named, store, settings))
    return tuple(stretches)


def _loaded(start: date, named: _Named, store: ModelStore, settings: Settings) -> Stretch:
    """Return the stretch from `start` in which the stored model decides, verified to be the one."""
    name = "/".join(named.parts)
    stored = store.find(named.parts)
    if stored is None:
        raise ModelError(
            f"The model {name} {named.whose} is not in the model store. To mend it, {named.remedy}."
        )
    if stored.model_sha256 != named.sha256:
        raise ModelError(
            f"The model {name} has SHA-256 {stored.model_sha256}, expected {named.sha256} as in "
            f"{named.recorded_in}: it is another one. Find out who changed it; {named.remedy}."
        )
    try:
        policy = PPOPolicy(stored.payload, len(settings.tickers), settings.portfolio.max_weight)
    except ModelError as error:
        raise ModelError(f"The model {name} cannot decide. {error}") from error
    return Stretch(start, policy, stored.model_sha256)
