"""The learned policy as contenders: which stored model decides in which window, a seed at a time.

Training belongs to `portfolio.training`, loading models, and what becomes of lost ones, to
`portfolio.deciders`.
"""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.core.reigns import Reign, reigns_in
from odyssey_assets.core.windows import Window
from odyssey_assets.portfolio.catalog import PolicyEntry, chosen_policies
from odyssey_assets.portfolio.contender import Contender, Stretch
from odyssey_assets.portfolio.deciders import (
    Claim,
    claim_of_reign,
    claim_of_row,
    complaints,
    stretches_of,
)
from odyssey_assets.settings import Settings


def learned_contenders(
    policy_rows: pd.DataFrame,
    store: ModelStore,
    settings: Settings,
    reigns: Sequence[Reign] = (),
    stored: pd.DataFrame | None = None,
) -> tuple[Contender, ...]:
    """Return one contender a trained seed of each learned policy that competes.

    The main seed comes first: it is the portfolio of the policy. Every other seed shows how far
    another training of the same kind would have come: where it was not trained, the main seed's
    model decides for it. A window without a model is left to the model before; before the first
    model there is only cash. A reign puts another model in the main seed's place from the day
    after it begins; the next window's own model takes over as usual.

    With `stored`, a model that is lost stops nobody: what it decided stays, and the model before
    it takes over from there; another seed whose model is lost borrows the main seed's.

    Args:
        policy_rows: Rows of `portfolio.policies` from the beginning.
        store: Holds the models that the rows name.
        settings: Tickers, limits, and which policies compete.
        reigns: Of policies, in the order of decision; those of windows that no model was trained
            for are passed over.
        stored: Rows of `portfolio.weights` as they were decided; None: a lost model is an error.

    Raises:
        ModelError: A model is missing, was altered and not made anew, is not the one of the row,
            or is for another number of tickers; only without `stored`.
        SettingsError: An unknown policy is configured.
    """
    contenders: list[Contender] = []
    for entry in chosen_policies(settings):
        rows = _trained_rows(policy_rows, entry)
        if len(rows):
            contenders += _contenders(entry, rows, store, settings, reigns, stored)
    return tuple(contenders)


def lost_policies(
    policy_rows: pd.DataFrame, store: ModelStore, settings: Settings, reigns: Sequence[Reign] = ()
) -> list[dict[str, str]]:
    """Return policy, window, model and reason of every model whose own file does not decide.

    Args: as `learned_contenders`.
    """
    claims: list[Claim] = []
    for entry in chosen_policies(settings):
        rows = _trained_rows(policy_rows, entry)
        claims += [claim_of_row(row) for row in rows.to_dict("records")]
        windows = {Window(start.date()) for start in rows["window"]}
        claims += [
            claim_of_reign(reign)
            for reign in reigns
            if reign.subject == entry.name and reign.window in windows
        ]
    return complaints(claims, store, settings)


def _trained_rows(policy_rows: pd.DataFrame, entry: PolicyEntry) -> pd.DataFrame:
    """Return the rows of an entry's trainings, oldest first; none for a rule."""
    is_its = (policy_rows["policy"] == entry.name) & (policy_rows["status"] == "trained")
    return policy_rows[is_its & entry.is_learned].sort_values(["window", "seed"])


def _contenders(
    entry: PolicyEntry,
    rows: pd.DataFrame,
    store: ModelStore,
    settings: Settings,
    reigns: Sequence[Reign],
    stored: pd.DataFrame | None,
) -> list[Contender]:
    deciding, others = rows[rows["is_main_seed"]], rows[~rows["is_main_seed"]]
    claims = _main_claims(deciding, reigns)
    main: dict[Window, tuple[Stretch, ...]] = {}
    for claim, found in zip(claims, stretches_of(claims, store, settings, stored), strict=True):
        main[claim.window] = (*main.get(claim.window, ()), *found)

    def of_seed(seed: int) -> dict[Window, tuple[Stretch, ...]]:
        """Return a seed's own stretches, and the main seed's where it has none."""
        own = {
            window: tuple(replace(stretch, is_own_training=False) for stretch in stretches)
            for window, stretches in main.items()
        }
        for row in rows[rows["seed"] == seed].to_dict("records"):
            claim = claim_of_row(row)
            (found,) = stretches_of([claim], store, settings, stored)
            own[claim.window] = found or own.get(claim.window, ())
        return own

    def contender(seed: int, *, is_main_seed: bool) -> Contender:
        own = main if is_main_seed else of_seed(seed)
        return Contender(
            strategy=entry.name,
            seed=int(seed),
            is_main_seed=is_main_seed,
            rebalance=entry.rebalance,
            limits=entry.limits(settings),
            stretches=tuple(stretch for window in sorted(own) for stretch in own[window]),
        )

    contenders = [
        contender(deciding["seed"].iloc[-1], is_main_seed=True),
        *(contender(seed, is_main_seed=False) for seed in sorted(others["seed"].unique())),
    ]
    return [one for one in contenders if one.stretches]


def _main_claims(deciding: pd.DataFrame, reigns: Sequence[Reign]) -> list[Claim]:
    """Return who is to decide for the main seed, oldest first: each window's own, then reigns."""
    claims: list[Claim] = []
    for row in deciding.to_dict("records"):
        own = claim_of_row(row)
        claims.append(own)
        claims += [claim_of_reign(one) for one in reigns_in(reigns, own.policy, own.window)]
    return claims
