"""Claims of stored models: loaded, made anew, or lost; what is on record of a lost one stays."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.made_anew import MADE_ANEW
from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.windows import parse_window
from odyssey_assets.errors import ModelError
from odyssey_assets.infrastructure.model_store import PAYLOAD, ModelStore
from odyssey_assets.portfolio.contender import Stretch
from odyssey_assets.portfolio.deciders import (
    RECORD_COLUMNS,
    Claim,
    claim_of_reign,
    claim_of_row,
    complaints,
    load_stretch,
    stretches_of,
)
from odyssey_assets.portfolio.policies.recorded import RecordedPolicy
from odyssey_assets.portfolio.tables import WEIGHTS
from odyssey_assets_tests.portfolio.small_training import (
    WINDOWS,
    small_market,
    tiny_settings,
    train,
)

MARKET, SETTINGS = small_market(), tiny_settings(seeds_newest_window=1)
NOTHING = WEIGHTS.empty()[list(RECORD_COLUMNS)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelStore, tuple[Claim, ...]]:
    """Return a store and the claims of the three windows that were trained for."""
    store = ModelStore(tmp_path_factory.mktemp("models"))
    rows = train(store, MARKET, SETTINGS).policies
    own = rows[rows["status"] == "trained"].to_dict("records")
    return store, tuple(claim_of_row(row) for row in own)


@pytest.fixture
def claims(trained: tuple[ModelStore, tuple[Claim, ...]]) -> tuple[Claim, ...]:
    return trained[1]


@pytest.fixture
def store(trained: tuple[ModelStore, tuple[Claim, ...]]) -> ModelStore:
    return trained[0]


def gone(claim: Claim) -> Claim:
    """Return the claim with a model that is not there."""
    parts = (*claim.model.parts[:-1], "gone")
    return replace(claim, model=replace(claim.model, parts=parts))


def record(claim: Claim, days: Sequence[str], is_decision: bool = True) -> pd.DataFrame:
    """Return what a model decided on these days: 0.125 in T00 and 0.25 in T01."""
    rows = [
        (claim.policy, pd.Timestamp(day), ticker, is_decision, weight, claim.model.sha256)
        for day in days
        for ticker, weight in (("T01", 0.25), ("T00", 0.125))
    ]
    return pd.DataFrame(rows, columns=list(RECORD_COLUMNS))


def said(found: Sequence[Sequence[Stretch]]) -> list[list[tuple[date | None, str | None, bool]]]:
    """Return start, model and whether it is on record, of each claim's stretches."""
    return [
        [(one.start, one.model_sha256, isinstance(one.policy, RecordedPolicy)) for one in each]
        for each in found
    ]


def test_claims_of_models_that_are_there_are_one_stretch_each(
    store: ModelStore, claims: tuple[Claim, ...]
) -> None:
    expected = [[(one.window.start, one.model.sha256, False)] for one in claims]
    assert said(stretches_of(claims, store, SETTINGS, None)) == expected
    everything = record(claims[1], ["2016-08-01"])
    assert said(stretches_of(claims, store, SETTINGS, everything)) == expected


def test_lost_model_is_an_error_where_nothing_is_on_record(
    store: ModelStore, claims: tuple[Claim, ...]
) -> None:
    with pytest.raises(ModelError, match=r"seed-42/gone of ppo, .* is not in the model store"):
        stretches_of([claims[0], gone(claims[1])], store, SETTINGS, None)


def test_lost_model_keeps_what_it_decided_and_the_one_before_takes_over(
    store: ModelStore, claims: tuple[Claim, ...]
) -> None:
    one, two, three = claims
    stored = record(two, ["2016-07-04", "2016-07-05"])
    found = stretches_of([one, gone(two), three], store, SETTINGS, stored)
    assert said(found) == [
        [(date(2016, 1, 1), one.model.sha256, False)],
        [
            (date(2016, 7, 1), two.model.sha256, True),
            (date(2016, 7, 6), one.model.sha256, False),
        ],
        [(date(2017, 1, 1), three.model.sha256, False)],
    ]
    assert found[1][1].policy is found[0][0].policy
    policy = found[1][0].policy
    assert isinstance(policy, RecordedPolicy)
    assert list(policy.decisions) == [date(2016, 7, 4), date(2016, 7, 5)]
    for weights in policy.decisions.values():
        np.testing.assert_array_equal(weights, [0.125, 0.25])


def test_ticker_without_a_row_was_not_listed_and_has_no_weight(
    store: ModelStore, claims: tuple[Claim, ...]
) -> None:
    stored = record(claims[0], ["2016-01-04"])
    ((first,), *_) = stretches_of(
        [gone(claims[0])], store, SETTINGS, stored[stored["ticker"] == "T01"]
    )
    assert isinstance(first.policy, RecordedPolicy)
    np.testing.assert_array_equal(first.policy.decisions[date(2016, 1, 4)], [0.0, 0.25])


def test_session_at_which_it_did_not_decide_is_its_own_all_the_same(
    store: ModelStore, claims: tuple[Claim, ...]
) -> None:
    one, two, _ = claims
    stored = pd.concat(
        [record(two, ["2016-07-04"]), record(two, ["2016-07-05"], is_decision=False)]
    )
    _, found = stretches_of([one, gone(two)], store, SETTINGS, stored)
    assert [stretch.start for stretch in found] == [date(2016, 7, 1), date(2016, 7, 6)]
    assert isinstance(found[0].policy, RecordedPolicy)
    assert list(found[0].policy.decisions) == [date(2016, 7, 4)]


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.assign(policy="another"),
        lambda rows: rows.assign(model_sha256="0" * 64),
        lambda rows: rows.assign(date=pd.Timestamp("2016-06-30")),
        lambda rows: rows.assign(date=pd.Timestamp("2017-01-02")),
    ],
    ids=["another_policy", "another_model", "before_its_claim", "after_its_claim"],
)
def test_only_what_the_model_decided_under_its_claim_is_on_record(
    change: Callable[[pd.DataFrame], pd.DataFrame], store: ModelStore, claims: tuple[Claim, ...]
) -> None:
    one, two, three = claims
    stored = change(record(two, ["2016-07-04"]))
    _, found, _ = stretches_of([one, gone(two), three], store, SETTINGS, stored)
    assert said([found]) == [[(date(2016, 7, 1), one.model.sha256, False)]]


def test_record_up_to_the_next_claim_leaves_nothing_to_the_one_before(
    store: ModelStore, claims: tuple[Claim, ...]
) -> None:
    one, two, three = claims
    stored = record(two, ["2016-07-04", "2016-12-31"])
    found = stretches_of([one, gone(two), three], store, SETTINGS, stored)
    assert [len(each) for each in found] == [1, 1, 1]


def test_two_lost_models_are_followed_by_the_last_that_is_there(
    store: ModelStore, claims: tuple[Claim, ...]
) -> None:
    one, two, three = claims
    stored = pd.concat([record(two, ["2016-07-04"]), record(three, ["2017-01-03"])])
    found = stretches_of([one, gone(two), gone(three)], store, SETTINGS, stored)
    assert said(found)[2] == [
        (date(2017, 1, 1), three.model.sha256, True),
        (date(2017, 1, 4), one.model.sha256, False),
    ]
    starts = [stretch.start for each in found for stretch in each]
    assert all(before < after for before, after in pairwise(starts) if before and after)


def test_first_model_lost_leaves_its_record_or_nothing(
    store: ModelStore, claims: tuple[Claim, ...]
) -> None:
    lost = gone(claims[0])
    assert stretches_of([lost], store, SETTINGS, NOTHING) == [()]
    stored = record(claims[0], ["2016-01-04"])
    assert said(stretches_of([lost], store, SETTINGS, stored)) == [
        [(date(2016, 1, 1), lost.model.sha256, True)]
    ]


def test_reign_claims_from_the_day_after_it_begins_and_not_before_its_window(
    claims: tuple[Claim, ...],
) -> None:
    model = claims[0].model
    reign = Reign("ppo", WINDOWS[3], date(2016, 9, 14), model.parts, model.sha256)
    claim = claim_of_reign(reign)
    assert (claim.start, claim.policy, claim.window) == (date(2016, 9, 15), "ppo", WINDOWS[3])
    assert (claim.model.parts, claim.model.sha256) == (model.parts, model.sha256)
    early = replace(reign, window=parse_window("2017-01-01"), serves_after=date(2016, 12, 30))
    assert claim_of_reign(early).start == date(2017, 1, 1)


def test_altered_model_is_stood_in_for_by_the_one_made_anew(
    store: ModelStore, claims: tuple[Claim, ...]
) -> None:
    claim = claims[2]
    whole, parts = store.load(claim.model.parts), claim.model.parts
    payload = store.folder.joinpath(*parts, PAYLOAD)
    payload.write_bytes(b"another")
    try:
        [altered] = complaints([claim], store, SETTINGS)
        assert altered["model"] == "/".join(parts)
        assert "does not carry this home's signature" in altered["reason"]
        anew = (*parts[:-1], parts[-1] + MADE_ANEW)
        store.save(anew, whole.payload, whole.content, {})
        stretch = load_stretch(claim.start, claim.model, store, SETTINGS)
        assert stretch.model_sha256 == whole.model_sha256
        [mended] = complaints(claims, store, SETTINGS)
        assert mended["model"] == "/".join(anew)
        assert "trained anew and serves" in mended["reason"]
    finally:
        payload.write_bytes(whole.payload)
    assert complaints(claims, store, SETTINGS) == []


def test_complaints_name_policy_window_model_and_reason(
    store: ModelStore, claims: tuple[Claim, ...]
) -> None:
    other = replace(claims[1], model=replace(claims[1].model, sha256="0" * 64))
    lost, swapped = complaints([gone(claims[0]), other, claims[2]], store, SETTINGS)
    assert lost["policy"] == "ppo"
    assert lost["window"] == "2016-01-01"
    assert lost["model"].endswith("/seed-42/gone")
    assert "is not in the model store" in lost["reason"]
    assert swapped["window"] == "2016-07-01"
    assert "it is another one" in swapped["reason"]


def test_model_of_other_tickers_counts_as_lost(
    store: ModelStore, claims: tuple[Claim, ...]
) -> None:
    three = tiny_settings(3)
    assert stretches_of([claims[0]], store, three, NOTHING) == [()]
    [complaint] = complaints([claims[0]], store, three)
    assert "cannot decide" in complaint["reason"]


def test_more_days_on_record_change_nothing_before_them(
    store: ModelStore, claims: tuple[Claim, ...]
) -> None:
    one, two = claims[0], gone(claims[1])
    days = [date(2016, 7, 4) + timedelta(days=at) for at in range(5)]
    for known in range(1, 5):
        stored = record(two, [day.isoformat() for day in days[:known]])
        _, (kept, after) = stretches_of([one, two], store, SETTINGS, stored)
        assert isinstance(kept.policy, RecordedPolicy)
        assert list(kept.policy.decisions) == days[:known]
        assert after.start == days[known]
