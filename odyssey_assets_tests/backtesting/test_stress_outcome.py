from dataclasses import asdict

from odyssey_assets.backtesting.stress_outcome import Outcome
from odyssey_assets.backtesting.tables import STRESS


def test_outcome_has_the_columns_of_the_table() -> None:
    added = {"strategy", "status", "is_simulated"}
    assert {*asdict(Outcome("2022", "replay")), *added} == set(STRESS.column_names)


def test_status_of_outcome_with_a_reason_is_no_data() -> None:
    assert Outcome("2022", "replay").status == "computed"
    assert Outcome("2022", "replay", reason="No prices.").status == "no_data"
