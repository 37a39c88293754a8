"""The learned policy as contenders: which stored model decides in which window, a seed at a time.

Training belongs to `portfolio.training`, deciding to `portfolio.policies.ppo`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.errors import ModelError
from odyssey_assets.portfolio.catalog import PolicyEntry, chosen_policies
from odyssey_assets.portfolio.contender import Contender, Stretch
from odyssey_assets.portfolio.policies.ppo import PPOPolicy
from odyssey_assets.settings import Settings


def learned_contenders(
    policy_rows: pd.DataFrame, store: ModelStore, settings: Settings
) -> tuple[Contender, ...]:
    """Return one contender a trained seed of each learned policy that competes.

    The main seed comes first: it is the portfolio of the policy. Every other seed shows how far
    another training of the same kind would have come: where it was not trained, the main seed's
    model decides for it. A window without a model is left to the model before; before the first
    model there is only cash.

    Args:
        policy_rows: Rows of `portfolio.policies` from the beginning.
        store: Holds the models that the rows name.
        settings: Tickers, limits, and which policies compete.

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
            contenders += _contenders(entry, rows.sort_values(["window", "seed"]), store, settings)
    return tuple(contenders)


def _contenders(
    entry: PolicyEntry, rows: pd.DataFrame, store: ModelStore, settings: Settings
) -> list[Contender]:
    trained = {
        (row["window"], row["seed"]): _stretch(row, store, settings)
        for row in rows.to_dict("records")
    }
    deciding, others = rows[rows["is_main_seed"]], rows[~rows["is_main_seed"]]
    main = {
        window: trained[window, seed]
        for window, seed in zip(deciding["window"], deciding["seed"], strict=True)
    }

    def contender(seed: int, *, is_main_seed: bool) -> Contender:
        borrowed = {
            window: replace(stretch, is_own_training=False) for window, stretch in main.items()
        }
        own = main if is_main_seed else {**borrowed, **_of_seed(trained, seed)}
        return Contender(
            strategy=entry.name,
            seed=int(seed),
            is_main_seed=is_main_seed,
            rebalance=entry.rebalance,
            limits=entry.limits(settings),
            stretches=tuple(own[window] for window in sorted(own)),
        )

    return [
        contender(deciding["seed"].iloc[-1], is_main_seed=True),
        *(contender(seed, is_main_seed=False) for seed in sorted(others["seed"].unique())),
    ]


def _of_seed(
    trained: Mapping[tuple[pd.Timestamp, int], Stretch], seed: int
) -> dict[pd.Timestamp, Stretch]:
    return {window: stretch for (window, own), stretch in trained.items() if own == seed}


def _stretch(row: Mapping[Any, Any], store: ModelStore, settings: Settings) -> Stretch:
    name, expected = row["model_name"], row["model_sha256"]
    stored = store.find(name.split("/"))
    if stored is None:
        raise ModelError(
            f"The model {name} of {row['policy']}, window {row['window']:%Y-%m-%d}, seed "
            f"{row['seed']}, is not in the model store. Materialize portfolio.policies for the "
            "window again."
        )
    if stored.model_sha256 != expected:
        raise ModelError(
            f"The model {name} has SHA-256 {stored.model_sha256}, expected {expected} as in "
            "portfolio.policies: it is another one. Find out who changed it; materialize "
            "portfolio.policies for the window again."
        )
    try:
        policy = PPOPolicy(stored.payload, len(settings.tickers), settings.portfolio.max_weight)
    except ModelError as error:
        raise ModelError(f"The model {name} cannot decide. {error}") from error
    return Stretch(row["window"].date(), policy, stored.model_sha256)
