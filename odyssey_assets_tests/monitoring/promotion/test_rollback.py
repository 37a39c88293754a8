"""What people ask for: fulfilled once, or refused with a reason."""

from copy import copy
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from odyssey_assets.core.returns import sharpe
from odyssey_assets.core.windows import Window
from odyssey_assets.errors import ModelError, PromotionError
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.monitoring.promotion.champions import (
    champion_on,
    in_order,
    reigns_of,
    serving_at_end,
)
from odyssey_assets.monitoring.promotion.rollback import Act, Wish, entry_of_wish
from odyssey_assets.settings import Settings
from odyssey_assets_tests.monitoring.promotion.courtroom import (
    HORIZON,
    NOW,
    TICKER,
    WINDOW,
    Courtroom,
    content_of,
    name_of,
    settings_of,
    sha_of,
)
from odyssey_assets_tests.monitoring.promotion.policy_bench import (
    LEAD,
    OLDER,
    OWN,
    POLICY,
    PolicyBench,
    policy_content,
    policy_name,
    policy_sha,
)

TODAY = date(2024, 10, 31)
FOLD, NEW, POOR = 1, 2, 3


@cache
def story(mode: str) -> Courtroom:
    """Return a courtroom whose ledger has three versions; who takes it takes a copy.

    Version 1 is the window's own, 2 was promoted, 3 was rejected.
    """
    court = Courtroom(today=TODAY)
    court.serve("old", 0.0, after=date(2023, 12, 29))
    court.serve("fold", 0.0)
    unseen = court.session_before(TODAY, 20 + HORIZON)
    court.challenge("new", 0.9, as_of=TODAY, stand_in_as_of=unseen)
    settings = settings_of(Path("nowhere"), mode=mode)
    court.judge(settings)
    court.today = court.session_before(date(2024, 12, 31), 2)
    unseen = court.session_before(court.today, 20 + HORIZON)
    court.challenge("poor", -0.9, as_of=court.today, stand_in_as_of=unseen)
    court.judge(settings)
    return court


class Desk:
    """Where a person's wishes are written into the ledger of the story."""

    def __init__(self, root: Path, mode: str = "automatic") -> None:
        self.court = copy(story(mode))
        self.settings: Settings = settings_of(root, mode=mode)
        self.store = ModelStore(root / "models")
        for name in ("old", "fold", "new", "poor"):
            self.store.save(name_of(name).split("/"), name.encode(), content_of(name), {})

    @property
    def ledger(self) -> pd.DataFrame:
        return in_order(self.court.evidence.ledger)

    def ask(self, act: Act, to: int | None = None, subject: str = TICKER) -> dict[str, Any]:
        """Ask, write the answer to the ledger, and return it."""
        known = self.court.evidence.until(self.court.today)
        row = entry_of_wish(Wish(act, subject, to, "ada", NOW), known, self.store, self.settings)
        self.court.extend("ledger", row)
        (found,) = row.to_dict("records")
        return found

    def serving(self) -> str:
        """Return the SHA-256 of who serves what is to come."""
        serving = serving_at_end(self.ledger, TICKER, WINDOW)
        assert serving is not None
        return serving.model.sha256


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_desk_has_three_versions_of_which_the_second_serves(desk: Desk) -> None:
    assert list(desk.ledger["decision"]) == ["unproven", "promoted", "rejected"]
    assert list(desk.ledger["model_version"]) == [FOLD, NEW, POOR]
    assert desk.serving() == sha_of("new")


def test_rollback_lets_the_model_before_serve_from_the_next_session_on(desk: Desk) -> None:
    row = desk.ask("rollback")
    assert (row["decision"], row["actor"], row["cause"]) == ("rolled_back", "ada", "person")
    assert (row["model_version"], row["model_sha256"]) == (FOLD, sha_of("fold"))
    assert row["predecessor_sha256"] == row["held_against"] == sha_of("new")
    assert row["serves_after"] == pd.Timestamp(desk.court.today)
    assert row["is_champion"]
    assert row["unseen_sessions"] > 20
    assert row["challenger_rmse"] > row["incumbent_rmse"]
    assert desk.serving() == sha_of("fold")
    before = champion_on(desk.ledger, TICKER, desk.court.today)
    assert before is not None
    assert before.model.sha256 == sha_of("new")


def test_rollback_to_a_named_version_and_promotion_back_is_three_reigns_in_order(
    desk: Desk,
) -> None:
    assert desk.ask("rollback", FOLD)["model_version"] == FOLD
    assert desk.ask("promote", NEW)["decision"] == "promoted"
    assert desk.ask("rollback", FOLD)["model_version"] == FOLD
    reigns = [one for one in reigns_of(desk.ledger, "forecaster") if one.window == WINDOW]
    assert [one.model_sha256 for one in reigns] == [
        sha_of("new"), sha_of("fold"), sha_of("new"), sha_of("fold"),
    ]  # fmt: skip
    assert desk.ledger["decision_id"].is_unique
    assert desk.serving() == sha_of("fold")


def test_promotion_of_what_was_rejected_is_a_persons_right(desk: Desk) -> None:
    row = desk.ask("promote", POOR)
    assert (row["decision"], row["predecessor_sha256"]) == ("promoted", sha_of("new"))
    assert desk.serving() == sha_of("poor")


def test_promotion_takes_the_challenger_that_waits(tmp_path: Path) -> None:
    desk = Desk(tmp_path, mode="manual")
    assert list(desk.ledger["decision"]) == ["unproven", "pending", "pending"]
    row = desk.ask("promote")
    assert (row["model_sha256"], row["mode"]) == (sha_of("poor"), "manual")
    assert desk.serving() == sha_of("poor")
    assert desk.ask("promote")["model_sha256"] == sha_of("new")
    with pytest.raises(PromotionError, match=r"No challenger of AAPL waits .*1 \(unproven"):
        desk.ask("promote")


@pytest.mark.parametrize("act", ["promote", "rollback"])
def test_version_that_serves_already_is_refused(desk: Desk, act: Act) -> None:
    before = len(desk.ledger)
    with pytest.raises(PromotionError, match="Version 2 of AAPL serves already"):
        desk.ask(act, NEW)
    assert len(desk.ledger) == before


def test_same_wish_twice_is_refused_the_second_time(desk: Desk) -> None:
    desk.ask("rollback", FOLD)
    with pytest.raises(PromotionError, match="Version 1 of AAPL serves already"):
        desk.ask("rollback", FOLD)


def test_two_people_with_the_same_wish_at_once_write_the_same_row(desk: Desk) -> None:
    known = desk.court.evidence.until(desk.court.today)
    one, two = (
        entry_of_wish(Wish("rollback", TICKER, FOLD, name, NOW), known, desk.store, desk.settings)
        for name in ("ada", "bob")
    )
    assert list(one["decision_id"]) == list(two["decision_id"])


def test_unknown_subject_is_refused_with_those_that_are_known(desk: Desk) -> None:
    with pytest.raises(PromotionError, match=r"knows no 'GOOG'. It knows: AAPL"):
        desk.ask("rollback", subject="GOOG")


def test_unknown_version_is_refused_with_those_that_are_known(desk: Desk) -> None:
    with pytest.raises(PromotionError, match=r"no version 9.*1 \(unproven.*3 \(rejected"):
        desk.ask("promote", 9)


def test_missing_model_is_refused(desk: Desk) -> None:
    desk.store.remove(name_of("fold").split("/"))
    with pytest.raises(ModelError, match=r"fold is not in the model store"):
        desk.ask("rollback")


def test_altered_model_is_refused(desk: Desk) -> None:
    folder = desk.store.folder.joinpath(*name_of("fold").split("/"))
    (folder / "model.bin").write_bytes(b"something else")
    with pytest.raises(ModelError, match="does not carry this home's signature"):
        desk.ask("rollback")


def test_other_model_under_the_name_is_refused(desk: Desk) -> None:
    parts = name_of("fold").split("/")
    desk.store.remove(parts)
    desk.store.save(parts, b"another", content_of("fold"), {})
    with pytest.raises(ModelError, match="it is another one"):
        desk.ask("rollback")


def test_model_of_another_kind_is_refused(desk: Desk) -> None:
    portfolio = desk.settings.portfolio.model_copy(update={"forecast_model": "ridge"})
    desk.settings = desk.settings.model_copy(update={"portfolio": portfolio})
    with pytest.raises(PromotionError, match="of another kind"):
        desk.ask("rollback")


def test_rollback_past_what_the_ledger_knows_is_refused(desk: Desk) -> None:
    desk.ask("rollback")
    with pytest.raises(PromotionError, match="no model of AAPL before the one that serves"):
        desk.ask("rollback")


def test_decision_after_a_windows_last_session_is_about_the_next_window(desk: Desk) -> None:
    desk.court.today = date(2024, 12, 31)
    row = desk.ask("rollback", FOLD)
    following = Window(date(2025, 1, 1))
    assert row["window"] == pd.Timestamp(following.start)
    serving = serving_at_end(desk.ledger, TICKER, following)
    assert serving is not None
    assert serving.model.sha256 == sha_of("fold")


def test_subject_without_recent_sessions_is_refused(desk: Desk) -> None:
    desk.court.today = date(2023, 6, 1)
    with pytest.raises(PromotionError, match="No recent session of AAPL"):
        desk.ask("rollback")


@pytest.fixture
def policies(desk: Desk) -> PolicyBench:
    """Return a policy beside the desk's ticker: its own model serves, a challenger waits."""
    bench = PolicyBench(desk.court)
    bench.plant(0.0)
    bench.serve(OWN, 0.0)
    unseen = desk.court.session_before(TODAY, 61)
    bench.challenge("fresh", LEAD, as_of=TODAY, stand_in_as_of=unseen)
    desk.settings = settings_of(desk.store.folder.parent, mode="manual", min_unseen_returns=20)
    for name in (OLDER, OWN, "fresh"):
        stored = desk.store.save(
            policy_name(name).split("/"), name.encode(), policy_content(name), {}
        )
        assert stored.model_sha256 == policy_sha(name)
    desk.court.judge(desk.settings)
    return bench


def test_person_promotes_the_policy_that_waits_with_the_figures_of_its_trial(
    policies: PolicyBench, desk: Desk
) -> None:
    row = desk.ask("promote", subject=POLICY)
    assert (row["kind"], row["decision"], row["actor"]) == ("policy", "promoted", "ada")
    assert (row["model_version"], row["model_sha256"]) == (2, policy_sha("fresh"))
    assert row["predecessor_sha256"] == row["held_against"] == policy_sha(OWN)
    assert row["serves_after"] == pd.Timestamp(desk.court.today)
    assert row["is_champion"]
    trial = policies.earned("fresh", LEAD, TODAY)[: desk.court.today]
    assert (row["unseen_sessions"], row["first_unseen"]) == (len(trial), trial.index[0])
    assert row["challenger_sharpe"] == pytest.approx(float(sharpe(trial.to_numpy())), rel=1e-12)
    assert row["p_value_worse"] > 0.5
    assert pd.isna(row["challenger_rmse"])
    with pytest.raises(PromotionError, match="No challenger of ppo waits"):
        desk.ask("promote", subject=POLICY)
    with pytest.raises(PromotionError, match="Version 2 of ppo serves already"):
        desk.ask("promote", 2, POLICY)


def test_person_rolls_a_policy_back_with_the_figures_of_the_portfolio_without_it(
    policies: PolicyBench, desk: Desk
) -> None:
    desk.court.today = changed = date(2024, 11, 15)
    desk.ask("promote", subject=POLICY)
    policies.serve("fresh", 0.0, after=changed)
    policies.try_out(OWN, "predecessor", LEAD, changed)
    desk.court.today = date(2024, 12, 20)
    row = desk.ask("rollback", subject=POLICY)
    assert (row["decision"], row["model_sha256"]) == ("rolled_back", policy_sha(OWN))
    assert row["serves_after"] == pd.Timestamp(desk.court.today)
    without = policies.earned(OWN, LEAD, changed)[: desk.court.today]
    assert row["unseen_sessions"] == len(without)
    assert row["challenger_sharpe"] == pytest.approx(float(sharpe(without.to_numpy())), rel=1e-12)
    reigns = reigns_of(desk.ledger, "policy")
    assert [one.model_sha256 for one in reigns] == [policy_sha("fresh"), policy_sha(OWN)]


def test_policy_rolls_back_to_the_model_of_an_earlier_window(
    policies: PolicyBench, desk: Desk
) -> None:
    past = policies.court.evidence.ledger.iloc[-1:].assign(
        decision_id="past", decision="succeeded", window=pd.Timestamp("2024-01-01"),
        model_name=policy_name(OLDER), model_sha256=policy_sha(OLDER), model_version=7,
    )  # fmt: skip
    desk.court.extend("ledger", past)
    row = desk.ask("rollback", 7, POLICY)
    assert (row["kind"], row["decision"]) == ("policy", "rolled_back")
    assert row["predecessor_sha256"] == policy_sha(OWN)
    assert row["unseen_sessions"] == 0
    (reign,) = reigns_of(desk.ledger, "policy")
    assert (reign.subject, reign.model_name) == (POLICY, tuple(policy_name(OLDER).split("/")))
    assert reign.window == WINDOW


@pytest.mark.parametrize(
    "content", [{"tickers": ["AAPL"]}, {"policy": "other"}], ids=["tickers", "policy"]
)
def test_policy_of_another_kind_is_refused(
    content: dict[str, Any], policies: PolicyBench, desk: Desk
) -> None:
    parts = policy_name("fresh").split("/")
    desk.store.remove(parts)
    stored = desk.store.save(parts, b"fresh", {**policy_content("fresh"), **content}, {})
    ledger = policies.court.evidence.ledger
    is_its = ledger["model_sha256"] == policy_sha("fresh")
    ledger.loc[is_its, "model_sha256"] = stored.model_sha256
    with pytest.raises(PromotionError, match="of another kind"):
        desk.ask("promote", subject=POLICY)


def test_policy_hands_over_after_the_last_session_that_it_may_have_seen(
    policies: PolicyBench, desk: Desk
) -> None:
    evidence = policies.court.evidence
    behind = evidence.daily[evidence.daily["date"] <= pd.Timestamp(TODAY)]
    policies.court.evidence = replace(evidence, daily=behind)
    assert desk.ask("promote", subject=POLICY)["serves_after"] == pd.Timestamp(desk.court.today)
    policies.court.evidence = replace(policies.court.evidence, daily=behind.iloc[:0])
    with pytest.raises(PromotionError, match="No recent session of ppo"):
        desk.ask("rollback", subject=POLICY)
