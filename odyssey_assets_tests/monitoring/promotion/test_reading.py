"""What is read of a home: the newest windows, the ledgers whole."""

from datetime import date
from pathlib import Path

import pandas as pd

from odyssey_assets.infrastructure.home import Home
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.monitoring.promotion.evidence import KNOWN_SINCE
from odyssey_assets.monitoring.promotion.reading import last_stored_session, read_evidence
from odyssey_assets_tests.monitoring.promotion.courthouse import TABLES, courthouse
from odyssey_assets_tests.monitoring.promotion.courtroom import Courtroom, settings_of
from odyssey_assets_tests.monitoring.promotion.policy_bench import OWN, PolicyBench

TODAY = date(2024, 10, 31)


def test_evidence_of_a_home_is_what_was_stored(tmp_path: Path) -> None:
    court = Courtroom(today=TODAY)
    court.serve("fold", 0.0)
    court.challenge("new", 0.9, as_of=TODAY)
    bench = PolicyBench(court)
    bench.plant(0.0)
    bench.serve()
    bench.challenge("policy", 0.0, as_of=TODAY)
    bench.decay(OWN, TODAY)
    house = courthouse(court, tmp_path)
    read, known = read_evidence(house.warehouse, house.settings), court.evidence.until(TODAY)
    for table in ("ledger", *KNOWN_SINCE):
        stored, expected = getattr(read, table), getattr(known, table).reset_index(drop=True)
        key = list(TABLES[table].grain)
        pd.testing.assert_frame_equal(
            stored.sort_values(key, ignore_index=True), expected.sort_values(key, ignore_index=True)
        )
    tables = ("policies", "policy_challengers", "policy_trials", "policy_quality", "daily")
    assert all(len(getattr(read, table)) for table in tables)
    assert last_stored_session(read) == TODAY


def test_evidence_leaves_out_windows_long_past(tmp_path: Path) -> None:
    court = Courtroom(today=TODAY)
    house = courthouse(court, tmp_path)
    later = house.settings.model_copy(update={"end": date(2025, 12, 31)})
    assert read_evidence(house.warehouse, house.settings).bars["date"].min().year == 2023
    assert read_evidence(house.warehouse, later).bars["date"].min().year == 2024


def test_evidence_of_an_empty_home_has_no_rows(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    read = read_evidence(Warehouse(Home(tmp_path), settings.warehouse), settings)
    assert all(getattr(read, table).empty for table in ("ledger", *KNOWN_SINCE))
    assert last_stored_session(read) is None
