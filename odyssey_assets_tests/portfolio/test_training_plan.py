from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from odyssey_assets.core.windows import parse_window
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.training_plan import Training, plan_chains, plan_windows
from odyssey_assets.settings import Settings
from odyssey_assets_tests.portfolio.small_training import (
    FIRST_TRAINED,
    NEWEST,
    WINDOWS,
    first_training,
    small_market,
    tiny_settings,
)

MARKET = small_market()
DAYS = MARKET.panel.dates
SETTINGS = tiny_settings()


def seeds_by_window(settings: Settings, market: PortfolioMarket = MARKET) -> dict[str, list[int]]:
    plans = plan_windows(market, WINDOWS, settings.portfolio.ppo.min_train_windows)
    found: dict[str, list[int]] = {}
    for chain in plan_chains(market, plans, NEWEST, settings):
        for training in chain.trainings:
            found.setdefault(training.window.key, []).append(training.seed)
    return found


def test_spans_learn_before_the_half_year_that_validates_and_end_before_the_window() -> None:
    for plan in plan_windows(MARKET, WINDOWS, 1)[2:]:
        assert plan.spans is not None
        valid_start = np.datetime64(plan.window.shift(-1).start)
        learned = DAYS[plan.spans.first : plan.spans.valid_first]
        validated = DAYS[plan.spans.valid_first : plan.spans.stop]
        assert learned[0] == DAYS[0]
        assert learned[-1] < valid_start
        assert validated[0] >= valid_start
        assert validated[-1] < np.datetime64(plan.window.start)
        assert np.isin(DAYS[np.datetime64(plan.window.start) > DAYS], [*learned, *validated]).all()


def test_learning_begins_with_the_first_forecast() -> None:
    plan = plan_windows(small_market(first_forecast=40), [NEWEST], 1)[0]
    assert plan.spans is not None
    assert plan.spans.first == 40


@pytest.mark.parametrize(
    ("windows", "minimum", "reason"),
    [
        (("2015-01-01",), 1, "no forecasts before 2014-07-01"),
        (("2015-07-01",), 1, "no forecasts before 2015-01-01"),
        (("2016-07-01",), 3, "2 half years with forecasts before 2016-01-01, needs 3"),
        (("2018-01-01",), 1, "no session from 2018-01-01 to before 2018-07-01 is stored"),
    ],
)
def test_window_that_cannot_be_trained_says_why(
    windows: tuple[str, ...], minimum: int, reason: str
) -> None:
    (plan,) = plan_windows(MARKET, [parse_window(key) for key in windows], minimum)
    assert (plan.spans, plan.reason) == (None, reason)


def test_market_without_forecasts_trains_nothing() -> None:
    plans = plan_windows(small_market(first_forecast=10_000), WINDOWS, 1)
    assert all(plan.reason is not None for plan in plans)
    assert all((plan.reason or "").startswith("no forecasts before") for plan in plans)


def test_half_year_without_forecasts_cannot_validate() -> None:
    forecasts = MARKET.forecasts.copy()
    forecasts[(np.datetime64("2016-07-01") <= DAYS) & (np.datetime64("2017-01-01") > DAYS)] = np.nan
    (plan,) = plan_windows(replace(MARKET, forecasts=forecasts), [NEWEST], 1)
    assert plan.reason == "no forecasts to validate on from 2016-07-01 to before 2017-01-01"


def test_single_session_with_forecasts_is_too_little() -> None:
    last_of_half_year = int(np.searchsorted(DAYS, np.datetime64("2015-07-01"))) - 1
    market = small_market(first_forecast=last_of_half_year)
    (plan,) = plan_windows(market, [FIRST_TRAINED], 1)
    assert plan.reason == "only one session with forecasts before 2015-07-01"


def test_further_seeds_are_trained_for_the_newest_window_only() -> None:
    assert seeds_by_window(tiny_settings(seeds_newest_window=3)) == {
        "2016-01-01": [42],
        "2016-07-01": [42],
        "2017-01-01": [42, 43, 44],
    }


def test_several_seeds_of_older_windows_are_chains_of_their_own() -> None:
    settings = tiny_settings(seeds_newest_window=3, seeds_older_windows=2)
    assert seeds_by_window(settings) == {
        "2016-01-01": [42, 43],
        "2016-07-01": [42, 43],
        "2017-01-01": [42, 43, 44],
    }
    plans = plan_windows(MARKET, WINDOWS, 1)
    main, second, third = plan_chains(MARKET, plans, NEWEST, settings)
    for chain in (main, second):
        starts = [one.starts_from for one in chain.trainings]
        assert starts == [None, *(one.window for one in chain.trainings[:-1])]
        assert [one.steps for one in chain.trainings] == [512, 256, 256]
    (only,) = third.trainings
    assert (only.starts_from, only.steps, only.is_main_seed) == (None, 512, False)
    assert [one.is_main_seed for one in (*main.trainings, *second.trainings)] == [True] * 3 + [
        False
    ] * 3


def test_start_of_a_window_is_the_same_when_it_is_planned_alone() -> None:
    for number, window in enumerate(WINDOWS[2:]):
        plans = plan_windows(MARKET, [window], 1)
        (alone,) = plan_chains(MARKET, plans, NEWEST, SETTINGS)[0].trainings
        assert alone == first_training(MARKET, SETTINGS, number)


def test_order_of_the_windows_does_not_matter() -> None:
    one = plan_chains(MARKET, plan_windows(MARKET, WINDOWS, 1), NEWEST, SETTINGS)
    two = plan_chains(MARKET, plan_windows(MARKET, WINDOWS[::-1], 1), NEWEST, SETTINGS)
    assert one == two


def _name(settings: Settings, market: PortfolioMarket = MARKET, start: str | None = "a") -> str:
    return "/".join(first_training(market, settings).name_parts(start))


def test_name_changes_with_everything_that_decides_the_bytes() -> None:
    forecasts = MARKET.forecasts.copy()
    forecasts[3, 0] += 1e-9
    names = [
        _name(SETTINGS),
        _name(SETTINGS, start=None),
        _name(SETTINGS, start="b"),
        _name(SETTINGS, replace(MARKET, forecasts=forecasts)),
        _name(tiny_settings(learning_rate=0.002)),
        _name(tiny_settings(first_steps=513)),
        _name(tiny_settings(checkpoint_steps=64)),
        _name(tiny_settings(hidden_units=(8, 9))),
        _name(SETTINGS.model_copy(update={"seed": 43})),
        _name(SETTINGS.model_copy(update={"costs": SETTINGS.costs.model_copy(
            update={"slippage_bps": 6.0})})),
        _name(SETTINGS.model_copy(update={"portfolio": SETTINGS.portfolio.model_copy(
            update={"max_weight": 0.3})})),
    ]  # fmt: skip
    assert len(set(names)) == len(names)


def test_name_stays_when_other_windows_other_seeds_or_processes_change() -> None:
    others = tiny_settings(seeds_newest_window=5, steps_per_window=1024)
    assert _name(others) == _name(SETTINGS)
    assert _name(SETTINGS.model_copy(update={"workers": 7})) == _name(SETTINGS)


def test_name_depends_on_the_libraries_that_change_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = _name(SETTINGS)
    monkeypatch.setattr("odyssey_assets.portfolio.training_plan.version", lambda _name: "99.0")
    assert _name(SETTINGS) != before


@given(seed=st.integers(0, 2**70), at=st.integers(2, 4))
@hypothesis_settings(max_examples=50, deadline=None)
def test_random_seed_is_one_that_every_generator_takes(seed: int, at: int) -> None:
    training = replace(first_training(MARKET, SETTINGS), seed=seed, window=WINDOWS[at])
    assert 0 <= training.random_seed < 2**32
    other = replace(training, window=WINDOWS[at - 1])
    assert training.random_seed != other.random_seed


def test_label_names_window_and_seed() -> None:
    training: Training = first_training(MARKET, SETTINGS)
    assert training.label == "2016-01-01 seed 42"
