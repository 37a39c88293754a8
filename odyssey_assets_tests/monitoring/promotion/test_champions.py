"""What the ledger tells: reigns, who serves a session, what must be kept."""

import threading
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from odyssey_assets.core.windows import Window
from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.ledgers import PROMOTIONS
from odyssey_assets.monitoring.promotion.champions import (
    ChampionBook,
    champion_on,
    reigns_of,
    serving_at_end,
)
from odyssey_assets.settings_sections import WarehouseSettings
from odyssey_assets_tests.monitoring.promotion.courtroom import filled

WINDOW = date(2024, 7, 1)
QUICK = WarehouseSettings(lock_timeout_s=30.0, min_free_gb=0.0)


def row(
    minute: int,
    decision: str,
    model: str,
    after: date | None = None,
    *,
    window: date = WINDOW,
    subject: str = "SPY",
    kind: str = "forecaster",
) -> dict[str, Any]:
    """Return a row recorded at a minute, whose model's hash is its name."""
    return {
        "decision_id": f"{subject} {minute:04d}",
        "recorded_at": datetime(2024, 7, 1, 20) + timedelta(minutes=minute),
        "kind": kind,
        "subject": subject,
        "window": window,
        "decision": decision,
        "is_champion": decision in ("promoted", "rolled_back", "succeeded"),
        "serves_after": after,
        "model_name": f"xgboost/{subject}/{model}",
        "model_sha256": model,
    }


def ledger_of(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return the rows in an order that says nothing about time."""
    return filled(PROMOTIONS, list(rows)).sort_values("model_sha256", ignore_index=True)


STORY = ledger_of(
    row(1, "succeeded", "fold"),
    row(2, "pending", "early"),
    row(3, "promoted", "good", date(2024, 8, 1)),
    row(4, "rejected", "bad"),
    row(5, "promoted", "hasty", date(2024, 9, 3)),
    row(6, "rolled_back", "good", date(2024, 9, 3)),
    row(7, "rolled_back", "fold", date(2024, 11, 1)),
    row(8, "unproven", "next", window=date(2025, 1, 1)),
    row(9, "promoted", "policy-model", date(2024, 8, 1), subject="ppo", kind="policy"),
)


@pytest.mark.parametrize(
    ("day", "model", "is_champion"),
    [
        (date(2024, 7, 1), "fold", True),
        (date(2024, 8, 1), "fold", True),
        (date(2024, 8, 2), "good", True),
        (date(2024, 9, 4), "good", True),
        (date(2024, 11, 1), "good", True),
        (date(2024, 11, 4), "fold", True),
        (date(2024, 12, 31), "fold", True),
        (date(2025, 1, 2), "next", False),
    ],
)
def test_champion_on_a_day_is_the_reign_that_began_before_it(
    day: date, model: str, is_champion: bool
) -> None:
    serving = champion_on(STORY, "SPY", day)
    assert serving is not None
    assert (serving.model.sha256, serving.is_champion) == (model, is_champion)


@pytest.mark.parametrize(
    ("subject", "day"), [("SPY", date(2024, 6, 28)), ("QQQ", date(2024, 8, 2))]
)
def test_champion_where_the_ledger_does_not_reach_is_nobody(subject: str, day: date) -> None:
    assert champion_on(STORY, subject, day) is None


def test_later_decision_of_a_day_rules_whatever_the_order_of_the_rows() -> None:
    for rows in (STORY, STORY[::-1]):
        reigns = [one for one in reigns_of(rows, "forecaster") if one.window == Window(WINDOW)]
        assert [one.model_sha256 for one in reigns] == ["good", "hasty", "good", "fold"]
    assert reigns[0].model_name == ("xgboost", "SPY", "good")
    assert reigns[0].serves_after == date(2024, 8, 1)


def test_reigns_of_policies_are_told_apart_from_those_of_forecasters() -> None:
    assert [one.subject for one in reigns_of(STORY, "policy")] == ["ppo"]


def test_who_serves_what_is_to_come_is_the_last_reign_of_the_window() -> None:
    serving = serving_at_end(STORY, "SPY", Window(WINDOW))
    assert serving is not None
    assert (serving.model.sha256, serving.decision) == ("fold", "rolled_back")
    assert serving.serves_after == date(2024, 11, 1)


def test_book_of_a_home_without_warehouse_or_ledger_is_empty(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert ChampionBook(Warehouse(home, QUICK)).reigns("forecaster") == ()
    home.create()
    warehouse = Warehouse(home, QUICK)
    warehouse.create_missing([PROMOTIONS])
    assert ChampionBook(warehouse).reigns("policy") == ()


def test_book_reads_what_was_appended(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()
    warehouse = Warehouse(home, QUICK)
    warehouse.append(PROMOTIONS, STORY)
    book = ChampionBook(warehouse)
    assert book.reigns("forecaster") == reigns_of(STORY, "forecaster")
    assert book.reigns("policy") == reigns_of(STORY, "policy")


def test_ledger_read_while_it_is_written_is_whole_batches(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create()
    warehouse = Warehouse(home, QUICK)
    batches, of_batch = 6, 5

    def write() -> None:
        for batch in range(batches):
            minutes = range(batch * of_batch, (batch + 1) * of_batch)
            rows = [row(at, "promoted", f"m{at}", WINDOW + timedelta(days=at)) for at in minutes]
            warehouse.append(PROMOTIONS, ledger_of(*rows))

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while writer.is_alive():
        seen.append(len(ChampionBook(warehouse).reigns("forecaster")))
    writer.join()
    seen.append(len(ChampionBook(warehouse).reigns("forecaster")))
    assert seen == sorted(seen)
    assert all(count % of_batch == 0 for count in seen)
    assert seen[-1] == batches * of_batch
