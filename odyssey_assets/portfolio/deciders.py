"""Who decides from when on: a stored model, verified; where it was lost, what it had decided.

A model that cannot be loaded stops no portfolio: its sessions keep the targets that it left, and
whoever served before it takes over from there. Which models have a claim belongs to
`portfolio.learned`, deciding to `portfolio.policies`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import zip_longest
from typing import Any

import pandas as pd

from odyssey_assets.core.collaborators import ModelStore
from odyssey_assets.core.made_anew import MADE_ANEW, find_whole
from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.windows import Window
from odyssey_assets.errors import ModelError
from odyssey_assets.portfolio.contender import Stretch
from odyssey_assets.portfolio.policies.ppo import PPOPolicy
from odyssey_assets.portfolio.policies.recorded import RecordedPolicy
from odyssey_assets.settings import Settings

RECORD_COLUMNS = ("policy", "date", "ticker", "is_decision", "target_weight", "model_sha256")
"""Columns of `portfolio.weights` that tell what a model decided."""


@dataclass(frozen=True)
class NamedModel:
    """A stored model as a row or a reign names it, with the words for when it is not there.

    Attributes:
        parts: Its name in the model store.
        sha256: SHA-256 that it must have.
        whose: What it is, behind its name.
        recorded_in: The table that says so.
        remedy: What to do, an order.
    """

    parts: tuple[str, ...]
    sha256: str
    whose: str
    recorded_in: str
    remedy: str


@dataclass(frozen=True)
class Claim:
    """A stored model that is to decide from a day on.

    Attributes:
        policy: Name of the policy in the catalog.
        window: The window it was trained for, or in which it reigns.
        start: First day.
        model: The model.
    """

    policy: str
    window: Window
    start: date
    model: NamedModel


def claim_of_row(row: Mapping[Any, Any]) -> Claim:
    """Return the claim of a trained row of `portfolio.policies`: from its window's first day on."""
    window = Window(row["window"].date())
    model = NamedModel(
        tuple(row["model_name"].split("/")),
        row["model_sha256"],
        f"of {row['policy']}, window {window.key}, seed {row['seed']},",
        "portfolio.policies",
        "materialize portfolio.policies for the window again",
    )
    return Claim(row["policy"], window, window.start, model)


def claim_of_reign(reign: Reign) -> Claim:
    """Return the claim of a reign: from the day after it begins on."""
    model = NamedModel(
        reign.model_name,
        reign.model_sha256,
        f"that serves {reign.subject} after {reign.serves_after}",
        "monitoring.promotions",
        "put it back, or roll back to another one",
    )
    start = max(reign.serves_after + timedelta(days=1), reign.window.start)
    return Claim(reign.subject, reign.window, start, model)


def stretches_of(
    claims: Sequence[Claim], store: ModelStore, settings: Settings, stored: pd.DataFrame | None
) -> list[tuple[Stretch, ...]]:
    """Return the stretches that come of each claim, up to the next claim.

    A claim whose model can be loaded is one stretch. Where it cannot, the sessions it decided are
    decided again as they were, and those after are left to the last model before that can; so a
    model that is lost changes nothing that was decided.

    Args:
        claims: Of one portfolio, oldest first.
        store: Holds the models.
        settings: Tickers and limits.
        stored: Rows of `portfolio.weights` as they were decided; None: nothing is made up for.

    Raises:
        ModelError: A model cannot be loaded, and `stored` is None.
    """
    former: Stretch | None = None
    found: list[tuple[Stretch, ...]] = []
    for claim, following in zip_longest(claims, claims[1:]):
        try:
            stretch = load_stretch(claim.start, claim.model, store, settings)
        except ModelError:
            if stored is None:
                raise
            end = None if following is None else following.start
            found.append(_without_model(claim, end, former, stored, settings))
        else:
            former = stretch
            found.append((stretch,))
    return found


def load_stretch(start: date, named: NamedModel, store: ModelStore, settings: Settings) -> Stretch:
    """Return the stretch from `start` in which the stored model decides, verified to be the one.

    Raises:
        ModelError: It is missing, was altered and not made anew, is another one, or is for another
            number of tickers.
    """
    _, policy = _load(named, store, settings)
    return Stretch(start, policy, named.sha256)


def _load(
    named: NamedModel, store: ModelStore, settings: Settings
) -> tuple[tuple[str, ...], PPOPolicy]:
    """Return the name that the model is kept under, which may be that of one made anew, and it."""
    parts, stored = find_whole(store, named.parts)
    if stored is None:
        parts, stored = named.parts, store.find(named.parts)
    name = "/".join(parts)
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
    return parts, policy


def complaints(
    claims: Sequence[Claim], store: ModelStore, settings: Settings
) -> list[dict[str, str]]:
    """Return policy, window, model and reason of every claim whose own file does not decide."""
    failed = []
    for claim in claims:
        name = "/".join(claim.model.parts)
        try:
            parts, _ = _load(claim.model, store, settings)
        except ModelError as error:
            reason = str(error)
        else:
            if not parts[-1].endswith(MADE_ANEW):
                continue
            name = "/".join(parts)
            reason = (
                f"The file of {name.removesuffix(MADE_ANEW)} does not carry this home's "
                "signature: the same policy was trained anew and serves. Find out who changed it; "
                "delete its folder."
            )
        failed.append(
            {"policy": claim.policy, "window": claim.window.key, "model": name, "reason": reason}
        )
    return failed


def _without_model(
    claim: Claim,
    end: date | None,
    former: Stretch | None,
    stored: pd.DataFrame,
    settings: Settings,
) -> tuple[Stretch, ...]:
    """Return what stands in for a lost model up to before `end`: its record, then `former`."""
    is_its = (stored["policy"] == claim.policy) & (stored["model_sha256"] == claim.model.sha256)
    is_its &= stored["date"] >= pd.Timestamp(claim.start)
    if end is not None:
        is_its &= stored["date"] < pd.Timestamp(end)
    record, stretches, takeover = stored[is_its], [], claim.start
    if len(record):
        policy = _recorded(record, settings.tickers)
        stretches.append(Stretch(claim.start, policy, claim.model.sha256))
        takeover = record["date"].max().date() + timedelta(days=1)
    if former is not None and (end is None or takeover < end):
        stretches.append(replace(former, start=takeover))
    return tuple(stretches)


def _recorded(record: pd.DataFrame, tickers: Sequence[str]) -> RecordedPolicy:
    """Return what the rows decided; a ticker that was not listed by then has weight 0."""
    decided = record[record["is_decision"]]
    table = decided.pivot(index="date", columns="ticker", values="target_weight")  # noqa: PD010
    weights = table.reindex(columns=list(tickers)).fillna(0.0).to_numpy(dtype="float64")
    return RecordedPolicy({day.date(): row for day, row in zip(table.index, weights, strict=True)})
