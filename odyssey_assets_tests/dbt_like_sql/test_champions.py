"""Who served which session, as the mart shows it: promotions, rollbacks, and nights without any."""

from datetime import date

import pandas as pd
import pytest

from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.portfolio.tables import POLICIES
from odyssey_assets_tests.dbt_like_sql.small_database import (
    NEWEST,
    SESSIONS,
    WINDOW,
    SmallDatabase,
    reign,
    session,
)
from odyssey_assets_tests.dbt_like_sql.stored import read_mart


@pytest.fixture
def database() -> SmallDatabase:
    database = SmallDatabase()
    database.add_market("AAA")
    return database


def _stretches(database: SmallDatabase, subject: str = "AAA") -> list[tuple[object, ...]]:
    rows = database.read(
        "select model_sha256, first_session::varchar as first_session, last_session::varchar as "
        "last_session, is_champion, is_current from marts.mart_champions "
        f"where subject = '{subject}' order by serves_after"
    )
    return [tuple(row) for row in rows.astype(object).where(rows.notna(), None).to_numpy()]


def test_champion_of_any_day_is_one_query(warehouse: Warehouse) -> None:
    def serving(day: str) -> list[object]:
        found = warehouse.query(
            "select model_sha256 from marts.mart_champions where subject = 'AAA' and "
            f"date '{day}' between first_session and last_session"
        )
        return list(found["model_sha256"])

    assert serving("2024-06-28") == ["xgboost AAA 2024-01-01"]
    assert serving("2024-07-29") == ["xgboost AAA 2024-07-01"], "the last session that it learned"
    assert serving("2024-07-30") == ["challenger AAA 2024-07-29"]
    assert serving("2024-08-16") == ["challenger AAA 2024-07-29"]
    assert serving("2025-01-02") == []


def test_champions_carry_the_decision_that_put_them_there(warehouse: Warehouse) -> None:
    rows = read_mart(warehouse, "mart_champions").set_index(["subject", "model_sha256"])
    promoted = rows.loc[("AAA", "challenger AAA 2024-07-29")]
    assert promoted["decision"] == "promoted"
    assert promoted["cause"] == "drift"
    assert promoted["model_version"] == 3
    assert promoted["predecessor_sha256"] == "xgboost AAA 2024-07-01"
    assert promoted["is_champion"]
    assert promoted["is_current"]
    assert promoted["sessions"] == 14
    unproven = rows.loc[("BBB", "xgboost BBB 2024-07-01")]
    assert unproven["is_unproven"]
    assert unproven["is_current"]
    assert not unproven["is_champion"]
    assert rows.loc[("ppo", "ppo 2024-07-01 42"), "is_unproven"]
    policy = rows.loc[("ppo", "challenger ppo 2024-07-29")]
    assert (policy["decision"], policy["model_version"]) == ("promoted", 3)
    assert policy["is_current"]
    assert policy["is_unproven"], "better than the one before, and not better than equal weight"
    assert rows["is_current"].sum() == 3


def test_champions_without_any_decision_are_the_windows_own_and_unjudged(
    database: SmallDatabase,
) -> None:
    own = database.add_own_model("AAA")
    assert _stretches(database) == [(own, WINDOW, NEWEST, False, True)]
    assert (
        database.read("select decision, model_version from marts.mart_champions")
        .isna()
        .all(axis=None)
    )


def test_rollback_gives_the_own_model_its_place_back(database: SmallDatabase) -> None:
    own = database.add_own_model("AAA")
    database.add(
        PROMOTIONS,
        reign(session(5), "better"),
        reign(session(9), own, decision="rolled_back", actor="a person"),
    )
    assert _stretches(database) == [
        (own, WINDOW, str(session(5)), False, False),
        ("better", str(session(6)), str(session(9)), True, False),
        (own, str(session(10)), NEWEST, True, True),
    ]


def test_of_two_decisions_of_one_night_the_later_one_rules(database: SmallDatabase) -> None:
    own = database.add_own_model("AAA")
    night = pd.Timestamp(session(5))
    database.add(
        PROMOTIONS,
        reign(session(5), "second", recorded_at=night + pd.Timedelta(hours=23)),
        reign(session(5), "first", recorded_at=night + pd.Timedelta(hours=22)),
    )
    assert [row[0] for row in _stretches(database)] == [own, "second"]


def test_model_promoted_tonight_serves_from_the_next_session(database: SmallDatabase) -> None:
    own = database.add_own_model("AAA")
    database.add(PROMOTIONS, reign(SESSIONS[-1], "new"))
    assert _stretches(database) == [
        (own, WINDOW, NEWEST, False, False),
        ("new", None, None, True, True),
    ]


def test_model_promoted_before_its_window_opened_serves_all_of_it(database: SmallDatabase) -> None:
    database.add_own_model("AAA")
    for day, sha in ((date(2024, 6, 27), "first"), (date(2024, 6, 28), "second")):
        database.add(PROMOTIONS, reign(day, sha))
    assert _stretches(database) == [("second", WINDOW, NEWEST, True, True)]


def test_reign_of_another_kind_of_model_leaves_the_default_forecast_alone(
    database: SmallDatabase,
) -> None:
    own = database.add_own_model("AAA")
    database.add(PROMOTIONS, reign(session(5), "ridge model", model_name="ridge/AAA/x/k"))
    assert [row[0] for row in _stretches(database)] == [own]


def test_rejected_and_pending_challengers_never_serve(database: SmallDatabase) -> None:
    own = database.add_own_model("AAA")
    for decision in ("rejected", "pending"):
        values = {"decision": decision, "is_champion": False, "serves_after": None}
        database.add(PROMOTIONS, reign(session(5), decision, **values))
    assert _stretches(database) == [(own, WINDOW, NEWEST, False, True)]


def test_policy_rolled_back_to_an_earlier_window_reigns(database: SmallDatabase) -> None:
    policy = {
        "window": WINDOW, "policy": "ppo", "seed": 42, "is_main_seed": True, "status": "trained",
        "model_name": "policies/ppo", "model_sha256": "new policy",
    }  # fmt: skip
    database.add(POLICIES, policy, {**policy, "seed": 43, "is_main_seed": False})
    database.add(
        PROMOTIONS,
        reign(session(3), "old policy", kind="policy", subject="ppo", decision="rolled_back"),
    )
    assert [row[0] for row in _stretches(database, "ppo")] == ["new policy", "old policy"]


@pytest.mark.parametrize("decision", ["promoted", "rolled_back"])
@pytest.mark.parametrize("is_champion", [True, False])
def test_policy_put_in_place_is_unproven_unless_it_is_champion(
    database: SmallDatabase, decision: str, is_champion: bool
) -> None:
    about = {"kind": "policy", "subject": "ppo", "decision": decision, "is_champion": is_champion}
    database.add(PROMOTIONS, reign(session(3), "new policy", **about))
    [row] = database.read("select * from marts.mart_champions").to_dict("records")
    assert (row["is_champion"], row["is_unproven"]) == (is_champion, not is_champion)


def test_what_was_said_of_the_own_model_stands_after_its_return(database: SmallDatabase) -> None:
    own = database.add_own_model("AAA")
    judged = {"decision": "unproven", "is_champion": False, "serves_after": None}
    database.add(
        PROMOTIONS,
        reign(session(1), own, **judged),
        reign(session(5), "better"),
        reign(session(9), own, decision="rolled_back", is_champion=False),
    )
    rows = database.read("select * from marts.mart_champions order by serves_after")
    assert list(rows["decision"]) == ["unproven", "promoted", "rolled_back"]
    assert list(rows["is_unproven"]) == [True, False, True]
