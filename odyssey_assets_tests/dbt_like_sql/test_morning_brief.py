"""The morning brief line by line, over nights made by hand."""

import pandas as pd
import pytest

from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS, QUARANTINE
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.monitoring.tables import DRIFT_SUMMARY, FORECAST_QUALITY
from odyssey_assets.portfolio.tables import WEIGHTS
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
from odyssey_assets_tests.dbt_like_sql.stored import read_mart

TICKERS = ("AAA", "BBB", "CCC")
SECTIONS = [
    "freshness", "quarantine", "drift", "decay", "retraining", "promotion", "portfolio", "warnings",
]  # fmt: skip
NOT_SERVING = {"decision": "rejected", "is_champion": False, "serves_after": None}


@pytest.fixture
def database() -> SmallDatabase:
    database = SmallDatabase()
    database.add_market(*TICKERS)
    return database


def test_brief_of_an_empty_home_says_so_in_every_section() -> None:
    rows = SmallDatabase().read("select * from marts.mart_morning_brief order by line")
    assert list(rows["section"].drop_duplicates()) == SECTIONS
    assert list(rows["line"]) == list(range(1, len(rows) + 1))
    assert rows["session"].isna().all()
    assert not rows["is_simulated"].any()
    summaries = rows[rows["subject"] == "(all)"].set_index("section")["text"]
    assert dict(summaries) == {
        "freshness": "No bar is stored yet.",
        "quarantine": "No row of the last 5 sessions was rejected or repaired.",
        "drift": "Drift has not been measured yet.",
        "decay": "Forecasts have not been watched yet.",
        "retraining": "Nothing asked for a retraining.",
        "promotion": "No decision about who serves.",
        "portfolio": "No policy has a portfolio yet.",
        "warnings": "Nothing else to warn of.",
    }
    assert rows.loc[0, "severity"] == "problem"


def test_brief_of_a_quiet_night_has_no_warning_but_absent_series(database: SmallDatabase) -> None:
    rows = database.read("select * from marts.mart_morning_brief")
    assert (rows["session"] == pd.Timestamp(NEWEST)).all()
    warned = rows[rows["severity"].isin(["warning", "problem"])]
    assert set(warned["section"]) == {"freshness"}
    assert list(warned["subject"]) == ["DXY", "GOLD", "TNX", "VIX"]


def test_brief_of_a_made_up_night_is_as_worked_out_by_hand(warehouse: Warehouse) -> None:
    rows = read_mart(warehouse, "mart_morning_brief")
    said = rows[rows["section"].isin(["drift", "decay", "retraining", "promotion", "warnings"])]
    assert said[["subject", "text", "severity"]].to_numpy().tolist() == [
        ["(all)", "1 of 3 tickers drifted; without a verdict yet: 1.", "note"],
        ["AAA", "1 of 3 inputs drifted (minor): rsi_14 (p 0.0030).", "warning"],
        [
            "(all)",
            "1 of 2 tickers are forecast worse than validation promised. 1 of 1 learned policies "
            "do worse than chance explains.",
            "note",
        ],
        ["BBB", "information coefficient 0.05, floor 0.16.", "warning"],
        [
            "ppo",
            "Sharpe ratio -2.50, floor -1.75, equal weight -0.25, its validation promised 0.90.",
            "warning",
        ],
        ["(all)", "Reasons to retrain: 2; settled 1, put off 1, failed 0, under way 0.", "note"],
        [
            "BBB",
            'decay: "forecasts have not decayed" found 0.05, threshold 0.16; rejected: worse',
            "note",
        ],
        [
            "BBB",
            'drift: "inputs have not drifted" found 0.003, threshold 0.02; over budget',
            "note",
        ],
        ["(all)", "1 rejected.", "note"],
        ["BBB", "version 3 rejected (decay, by gate): it was worse", "note"],
        ["(all)", "More to look at: 2.", "note"],
        [
            "forecasts",
            "1 of 2 tickers are forecast by a model that has not beaten its yardstick: BBB.",
            "warning",
        ],
        [
            "policies",
            "1 of 1 learned policies decide by a model that has not beaten its yardstick: ppo.",
            "warning",
        ],
    ]
    assert rows["is_simulated"].all()


def test_portfolio_lines_are_those_of_the_best_policy_and_the_learned_one(
    warehouse: Warehouse,
) -> None:
    rows = read_mart(warehouse, "mart_morning_brief").query("section == 'portfolio'")
    portfolio = read_mart(warehouse, "mart_current_portfolio")
    best = portfolio.loc[portfolio["rank"] == 1, "policy"].iloc[0]
    assert best != "ppo"
    assert list(rows["subject"].drop_duplicates()) == [best, "ppo"], "by rank"
    held = rows.dropna(subset="ticker").set_index(["subject", "ticker"])["value"]
    expected = portfolio[portfolio["policy"].isin([best, "ppo"])]
    expected = expected.set_index(["policy", "ticker"])["target_weight"]
    pd.testing.assert_series_equal(held.sort_index(), expected.sort_index(), check_names=False)
    assert held.groupby("subject").sum().to_numpy() == pytest.approx(1.0)
    last = rows.groupby("subject")["ticker"].last()
    assert (last == "(cash)").all()


def test_portfolio_line_says_what_to_do_and_what_cannot_be_done(database: SmallDatabase) -> None:
    base = {"policy": "ppo", "date": NEWEST, "window": WINDOW, "is_decision": True}
    for ticker, target, held, is_halted in (
        ("AAA", 0.2, 0.15, False), ("BBB", 0.1, 0.12, False), ("CCC", 0.3, 0.3, True),
        ("DDD", 0.0, 0.0, False),
    ):  # fmt: skip
        weights = {"target_weight": target, "held_weight": held, "is_halted": is_halted}
        database.add(WEIGHTS, {**base, "ticker": ticker, **weights, "seed_count": 0})
    lines = brief_lines(database, "portfolio")
    assert lines == [
        (
            "ppo",
            f"Wants 60.0 % invested, decided at the close of {NEWEST}. It has no return in common "
            "with the others yet.",
            "note",
        ),
        ("ppo", "target 30.0 %, held 30.0 %; no bar: it cannot be traded", "warning"),
        ("ppo", "target 20.0 %, held 15.0 %; buy 5.0 %", "note"),
        ("ppo", "target 10.0 %, held 12.0 %; sell 2.0 %", "note"),
        ("ppo", "target 40.0 %, held 43.0 %", "note"),
    ], "what is neither wanted nor held has no line"


def test_night_on_which_everything_was_rejected_leaves_the_champions_in_place(
    database: SmallDatabase,
) -> None:
    about = {"window": WINDOW, "as_of": NEWEST, "batch": "b"}
    for ticker in TICKERS:
        own = database.add_own_model(ticker)
        succeeded = {"subject": ticker, "decision": "succeeded", "serves_after": None}
        database.add(PROMOTIONS, reign(SESSIONS[0], own, **succeeded))
        done = ("requested", "started", "finished")
        found = event(f"e {ticker}", done, ticker=ticker, outcome="rejected", **about)
        database.add(RETRAINING_EVENTS, *found)
        judged = {**NOT_SERVING, "subject": ticker, "cause": "drift", "model_version": 2}
        database.add(PROMOTIONS, reign(SESSIONS[-1], f"new {ticker}", **judged))
    assert brief_lines(database, "promotion") == [
        ("(all)", "3 rejected.", "note"),
        *[
            (ticker, "version 2 rejected (drift, by gate): by its figures", "note")
            for ticker in TICKERS
        ],
    ]
    assert brief_lines(database, "retraining")[0] == (
        "(all)", "Reasons to retrain: 3; settled 3, put off 0, failed 0, under way 0.", "note",
    )  # fmt: skip
    assert brief_lines(database, "warnings") == [("(all)", "Nothing else to warn of.", "good")]
    current = database.read("select * from marts.mart_champions where is_current")
    assert list(current["model_sha256"]) == [f"own {ticker} {WINDOW}" for ticker in TICKERS]
    assert current["is_champion"].all()


def test_failed_retraining_is_a_problem_and_an_old_one_under_way_is_still_told(
    database: SmallDatabase,
) -> None:
    about = {"ticker": "AAA", "window": WINDOW}
    states = ("requested", "started", "finished")
    database.add(
        RETRAINING_EVENTS,
        *event("e1", states, **about, as_of=NEWEST, outcome="failed", reason="disk full"),
        *event("e2", states[:1], **{**about, "ticker": "BBB"}, as_of=session(3), cause="schedule"),
        *event("e3", states, **{**about, "ticker": "CCC"}, as_of=session(3), outcome="promoted"),
    )
    assert brief_lines(database, "retraining") == [
        ("(all)", "Reasons to retrain: 2; settled 0, put off 0, failed 1, under way 1.", "note"),
        ("AAA", "drift; failed: disk full", "problem"),
        ("BBB", "schedule; requested", "note"),
    ]


def test_rejected_rows_of_the_last_five_sessions_are_counted(database: SmallDatabase) -> None:
    for ticker, day, reason, is_rejected in (
        ("BBB", SESSIONS[-5], "stale_bar", True),
        ("BBB", SESSIONS[-1], "stale_bar", True),
        ("BBB", SESSIONS[-1], "zero_volume", True),
        ("CCC", SESSIONS[-2], "inexact_split_ratio", False),
        ("AAA", SESSIONS[-6], "stale_bar", True),
    ):
        row = {"ticker": ticker, "date": day, "reason": reason, "is_rejected": is_rejected}
        database.add(QUARANTINE, row)
    assert brief_lines(database, "quarantine") == [
        ("(all)", "Last 5 sessions: rows rejected: 3, values repaired: 1.", "note"),
        (
            "BBB",
            "last 5 sessions, rows rejected: 3, values repaired: 0; stale_bar 2, zero_volume 1.",
            "warning",
        ),
        (
            "CCC",
            "last 5 sessions, rows rejected: 0, values repaired: 1; inexact_split_ratio 1.",
            "note",
        ),
    ]


def test_ticker_that_ends_early_is_not_fresh() -> None:
    database = SmallDatabase()
    database.add_market("AAA")
    database.add_market("BBB", until=session(20))
    lines = brief_lines(database, "freshness")
    behind = len(SESSIONS) - 20
    assert lines[0] == (
        "(all)", f"1 of 2 tickers end at the newest session, {NEWEST}.", "warning",
    )  # fmt: skip
    text = f"ends {behind} sessions before the newest; last value of {session(20)}"
    assert ("BBB", text, "warning") in lines


def test_drift_that_was_not_measured_lately_is_warned_of(database: SmallDatabase) -> None:
    base = {"window": WINDOW, "status": "measured", "inputs": 3, "drifted_inputs": 0}
    sound = {**base, "is_drifted": False, "severity": "none"}
    database.add(DRIFT_SUMMARY, {"ticker": "AAA", "as_of": NEWEST, **sound})
    database.add(DRIFT_SUMMARY, {"ticker": "BBB", "as_of": session(20), **sound})
    assert brief_lines(database, "drift") == [
        ("(all)", "0 of 2 tickers drifted; without a verdict yet: 0.", "good")
    ]
    assert (
        "monitoring", "Drift was not measured at the newest session: BBB.", "warning",
    ) in brief_lines(database, "warnings")  # fmt: skip


def test_window_that_is_too_short_is_no_alarm(database: SmallDatabase) -> None:
    short = {"status": "too_few_sessions", "reason": "3 of 21 sessions", "is_drifted": False}
    for ticker in TICKERS:
        cell = {"ticker": ticker, "window": WINDOW, "as_of": NEWEST}
        database.add(DRIFT_SUMMARY, {**cell, **short, "severity": "none", "drifted_inputs": 0})
        flags = ("is_correlation_decayed", "is_coverage_decayed", "is_sharpe_decayed")
        quality = {"ticker": ticker, "date": NEWEST, "window": WINDOW, "known_60": 0}
        database.add(FORECAST_QUALITY, {**quality, **dict.fromkeys(flags, False)})
    assert brief_lines(database, "drift") == [
        ("(all)", "0 of 3 tickers drifted; without a verdict yet: 3.", "good")
    ]
    assert brief_lines(database, "decay") == [
        ("(all)", "0 of 3 tickers are forecast worse than validation promised.", "good")
    ]


def test_simulated_bar_makes_the_brief_say_so(database: SmallDatabase) -> None:
    ask = "select bool_and(is_simulated) as said from marts.mart_morning_brief"
    assert not database.read(ask)["said"].iloc[0]
    bar = {"ticker": "AAA", "date": "2024-06-28", "source": "files", "is_simulated": True}
    database.add(BARS, {**bar, "is_filled": False, "is_anomalous": False})
    assert database.read(ask)["said"].iloc[0]
