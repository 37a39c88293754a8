"""What the brief says of versions: decisions about who serves, and policies that have decayed."""

import pytest

from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.tables import FORECAST_QUALITY, POLICY_QUALITY
from odyssey_assets_tests.dbt_like_sql.monitored import event
from odyssey_assets_tests.dbt_like_sql.small_database import (
    NEWEST,
    SESSIONS,
    WINDOW,
    SmallDatabase,
    brief_lines,
    reign,
    session,
)

NOT_SERVING = {"decision": "rejected", "is_champion": False, "serves_after": None}
OF_THE_POLICY = {"kind": "policy", "subject": "ppo"}


@pytest.fixture
def database() -> SmallDatabase:
    database = SmallDatabase()
    database.add_market("AAA", "BBB", "CCC")
    return database


@pytest.mark.parametrize(
    ("decision", "severity"),
    [
        ("promoted", "good"), ("succeeded", "good"), ("rejected", "note"), ("pending", "note"),
        ("rolled_back", "warning"), ("unproven", "warning"),
    ],
)  # fmt: skip
def test_decision_of_the_night_is_told_with_its_severity(
    database: SmallDatabase, decision: str, severity: str
) -> None:
    database.add(PROMOTIONS, reign(SESSIONS[-2], "yesterday's"))
    database.add(PROMOTIONS, reign(SESSIONS[-1], "new", decision=decision, actor="Ada"))
    words = decision.replace("_", " ")
    assert brief_lines(database, "promotion") == [
        ("(all)", f"1 {words}.", "note"),
        ("AAA", f"version 1 {words} (new window, by Ada): by its figures", severity),
    ]


def test_challenger_that_waits_for_a_person_is_warned_of_until_it_is_judged(
    database: SmallDatabase,
) -> None:
    waiting = {**NOT_SERVING, "decision": "pending", "mode": "manual"}
    database.add(PROMOTIONS, reign(session(9), "new", **waiting))
    expected = ("decisions", "Challengers that wait for a person to promote them: AAA.", "warning")
    assert expected in brief_lines(database, "warnings")
    assert brief_lines(database, "promotion")[0][1] == "No decision about who serves."
    database.add(PROMOTIONS, reign(session(12), "new", mode="manual", actor="Ada"))
    assert brief_lines(database, "warnings") == [("(all)", "Nothing else to warn of.", "good")]


@pytest.mark.parametrize(
    ("is_champion", "words", "severity"),
    [(True, "promoted", "good"), (False, "promoted without having beaten its yardstick", "note")],
)
def test_promotion_of_a_policy_says_whether_it_beats_more_than_who_was_there(
    database: SmallDatabase, is_champion: bool, words: str, severity: str
) -> None:
    promoted = reign(SESSIONS[-1], "new", **OF_THE_POLICY, is_champion=is_champion, cause="decay")
    database.add(PROMOTIONS, promoted)
    assert brief_lines(database, "promotion") == [
        ("(all)", "1 promoted.", "note"),
        ("ppo", f"version 1 {words} (decay, by gate): by its figures", severity),
    ]
    warned = brief_lines(database, "warnings")
    unproven = (
        "policies",
        "1 of 1 learned policies decide by a model that has not beaten its yardstick: ppo.",
        "warning",
    )
    assert (unproven in warned) == (not is_champion)


def test_policy_that_waits_for_a_person_is_named_beside_tickers(database: SmallDatabase) -> None:
    waiting = {**NOT_SERVING, "decision": "pending", "mode": "manual"}
    database.add(PROMOTIONS, reign(session(9), "new", **waiting))
    database.add(PROMOTIONS, reign(session(9), "new policy", **{**waiting, **OF_THE_POLICY}))
    expected = "Challengers that wait for a person to promote them: AAA, ppo."
    assert ("decisions", expected, "warning") in brief_lines(database, "warnings")


def test_retraining_of_a_policy_is_told_by_its_name(database: SmallDatabase) -> None:
    found = event(
        "e1", ["requested", "started", "finished"], ticker="ppo", window=WINDOW, as_of=NEWEST,
        cause="decay", check="monitoring.policy_quality.policies_have_not_decayed", value=-2.5,
        threshold=-1.75, outcome="pending", reason="too few returns",
    )  # fmt: skip
    database.add(RETRAINING_EVENTS, *found)
    assert brief_lines(database, "retraining")[1:] == [
        (
            "ppo",
            'decay: "policies have not decayed" found -2.5, threshold -1.75; pending: too few '
            "returns",
            "note",
        )
    ]


@pytest.mark.parametrize("has_forecasts", [True, False])
def test_decay_section_counts_tickers_and_policies_apart(
    database: SmallDatabase, has_forecasts: bool
) -> None:
    if has_forecasts:
        flags = ("is_correlation_decayed", "is_coverage_decayed", "is_sharpe_decayed")
        cell = {"ticker": "AAA", "date": NEWEST, "window": WINDOW, "known_60": 60}
        database.add(FORECAST_QUALITY, {**cell, **dict.fromkeys(flags, False)})
    for policy, ratio in (("ppo", -3.25), ("sac", 0.5)):
        quality = {"policy": policy, "date": NEWEST, "window": WINDOW, "sharpe_60": ratio}
        quality |= {"sharpe_floor": -1.5, "is_sharpe_decayed": ratio < -1.5}
        database.add(POLICY_QUALITY, quality)
    forecasts = (
        "0 of 1 tickers are forecast worse than validation promised."
        if has_forecasts
        else "Forecasts have not been watched yet."
    )
    assert brief_lines(database, "decay") == [
        ("(all)", f"{forecasts} 1 of 2 learned policies do worse than chance explains.", "note"),
        ("ppo", "Sharpe ratio -3.25, floor -1.50.", "warning"),
    ]


def test_policies_that_do_well_make_the_decay_section_good(database: SmallDatabase) -> None:
    quality = {"policy": "ppo", "date": NEWEST, "window": WINDOW, "is_sharpe_decayed": False}
    database.add(POLICY_QUALITY, quality)
    [(_, text, severity)] = brief_lines(database, "decay")
    assert text.endswith(" 0 of 1 learned policies do worse than chance explains.")
    assert severity == "good"
