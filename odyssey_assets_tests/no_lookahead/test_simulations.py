"""What happens in accelerated time up to a day does not depend on what is stored of later days."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from odyssey_assets.forecasting.tables import CHALLENGERS, TRIALS
from odyssey_assets.monitoring.ledgers import PROMOTIONS, RETRAINING_EVENTS
from odyssey_assets.portfolio.tables import POLICY_CHALLENGERS, POLICY_TRIALS
from odyssey_assets_tests.other_futures import simulation_with_other_future
from odyssey_assets_tests.simulated_home import Played, play_on
from odyssey_assets_tests.simulated_learner import learner_settings, open_learner, short_memory
from odyssey_assets_tests.tiny_market import TinyHome

START, DAY, END = date(2022, 2, 4), date(2022, 2, 9), date(2022, 2, 11)
MOMENT = pd.Timestamp(DAY) + pd.Timedelta(days=1, hours=12)


@pytest.fixture(scope="module")
def root(learner_home: TinyHome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of a home whose policy learns, in which simulations may be kept."""
    return learner_home.copy(tmp_path_factory.mktemp("learner"))


def played(root: Path, end: date, seed: int | None) -> Played:
    """Return what happens up to `end`; with a seed, over other rows after `DAY`."""
    simulation = open_learner(learner_settings(root), START, end)
    if seed is not None:
        simulation = simulation_with_other_future(simulation, DAY, seed)
    with short_memory():
        return play_on(simulation, START, end)


@pytest.fixture(scope="module")
def whole(root: Path) -> Played:
    """Return what happens over the whole span."""
    return played(root, END, None)


@pytest.mark.parametrize("seed", [1, 2])
def test_another_future_changes_no_event_and_no_entry_of_a_ledger(
    seed: int, root: Path, whole: Played
) -> None:
    other = played(root, END, seed)
    one, two = ([event for event in each.events if event.day <= DAY] for each in (whole, other))
    assert one == two
    assert {"ppo", "SPY"} <= {event.subject for event in one}
    assert list(whole.events) != list(other.events), "the other future must come"
    for table in (RETRAINING_EVENTS, PROMOTIONS, CHALLENGERS, TRIALS, POLICY_CHALLENGERS):
        expected, found = (
            rows[rows["recorded_at"] < MOMENT].reset_index(drop=True)
            for rows in (whole.of(table), other.of(table))
        )
        assert len(expected), table.name
        pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_trials_of_policies_are_known_up_to_the_day_and_no_further(
    root: Path, whole: Played
) -> None:
    shorter = played(root, DAY, None).of(POLICY_TRIALS)
    assert shorter["date"].max() == pd.Timestamp(DAY)
    rows = whole.of(POLICY_TRIALS)
    assert rows["date"].max() == pd.Timestamp(END)
    known = rows[rows["date"] <= pd.Timestamp(DAY)].merge(shorter[list(POLICY_TRIALS.grain)])
    pd.testing.assert_frame_equal(shorter, known, check_exact=True)
