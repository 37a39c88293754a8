from datetime import date, timedelta

import numpy as np
import pytest

from odyssey_assets.core.sessions import sessions_between
from odyssey_assets.core.windows import Window
from odyssey_assets.monitoring.drift.looks import Look, checkpoint_of, checkpoints, plan_looks
from odyssey_assets.monitoring.drift.panel import COLUMNS, TickerPanel
from odyssey_assets.monitoring.drift.serving_models import ServingModel

WINDOW = Window(date(2024, 1, 1))


def _panel(first: date, last: date) -> TickerPanel:
    days = sessions_between(first, last).to_numpy().astype("datetime64[D]")
    return TickerPanel(
        "AAA", days, np.zeros((len(days), len(COLUMNS))), np.full(len(days), "", dtype=object)
    )


def _model(sees_from: date, serves_from: date, serves_to: date, sha: str = "one") -> ServingModel:
    return ServingModel(
        WINDOW, sha, sha, "data", date(2020, 1, 2), date(2023, 6, 1), sees_from, serves_from,
        serves_to,
    )  # fmt: skip


OWN = _model(WINDOW.start, WINDOW.start, date(2024, 6, 30))


def test_checkpoints_of_a_minimum_begin_with_it_and_go_on_by_months() -> None:
    assert checkpoints(21) == (21, 42, 63, 84, 105)
    assert checkpoints(10) == (10, 21, 42, 63, 84, 105)
    assert checkpoints(110) == (110,)


@pytest.mark.parametrize(
    ("sessions", "place"), [(21, 0), (22, 0), (41, 0), (42, 1), (105, 4), (128, 4)]
)
def test_sample_is_compared_at_the_largest_checkpoint_it_reaches(sessions: int, place: int) -> None:
    assert checkpoint_of(sessions, checkpoints(21)) == place


def test_looks_of_a_whole_window_are_every_21st_session_and_its_last() -> None:
    panel = _panel(date(2023, 6, 1), date(2024, 12, 31))
    looks = plan_looks(panel, [OWN], 21)
    total = len(panel.rows_between(WINDOW.start, date(2024, 6, 30)))
    assert [look.sessions for look in looks] == [21, 42, 63, 84, 105, total]
    assert all(look.first == panel.position(WINDOW.start) for look in looks)
    assert looks[-1].as_of == date(2024, 6, 28)


def test_looks_of_a_window_that_begins_are_its_last_session_alone() -> None:
    looks = plan_looks(_panel(date(2023, 6, 1), date(2024, 1, 4)), [OWN], 21)
    assert [(look.sessions, look.as_of) for look in looks] == [(3, date(2024, 1, 4))]


def test_looks_on_a_checkpoint_day_are_not_doubled() -> None:
    panel = _panel(date(2023, 6, 1), date(2024, 1, 31))
    assert [look.sessions for look in plan_looks(panel, [OWN], 21)] == [21]


def test_looks_of_a_successor_count_the_sessions_it_had_not_seen() -> None:
    panel = _panel(date(2023, 6, 1), date(2024, 4, 30))
    taken_over, seen = date(2024, 2, 27), date(2024, 2, 15)
    first = _model(WINDOW.start, WINDOW.start, taken_over)
    second = _model(
        seen + timedelta(days=1), taken_over + timedelta(days=1), date(2024, 6, 30), "two"
    )
    looks = plan_looks(panel, [first, second], 21)
    by_model: dict[str, list[Look]] = {sha: [] for sha in ("one", "two")}
    for look in looks:
        by_model[look.model.model_sha256].append(look)
    assert [look.sessions for look in by_model["one"]] == [21]
    assert all(look.as_of > taken_over for look in by_model["two"])
    assert all(panel.days[look.first] > np.datetime64(seen) for look in by_model["two"])
    unseen = len(panel.rows_between(date(2024, 2, 16), date(2024, 4, 30)))
    assert [look.sessions for look in by_model["two"]] == [21, 42, unseen]
    assert looks[-1].as_of == date(2024, 4, 30)


def test_look_on_the_day_of_a_promotion_is_still_at_the_predecessor() -> None:
    last = date(2024, 3, 1)
    panel = _panel(date(2023, 6, 1), last)
    first = _model(WINDOW.start, WINDOW.start, last)
    second = _model(last + timedelta(days=1), last + timedelta(days=1), date(2024, 6, 30), "two")
    newest = plan_looks(panel, [first, second], 21)[-1]
    assert (newest.model.model_sha256, newest.as_of) == ("one", last)


def test_looks_without_a_session_in_the_window_are_none() -> None:
    assert plan_looks(_panel(date(2023, 6, 1), date(2023, 12, 29)), [OWN], 21) == ()
