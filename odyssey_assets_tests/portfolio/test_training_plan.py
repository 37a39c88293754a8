from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.training_plan import Chain, Training, plan_chain_inside, plan_chains
from odyssey_assets.portfolio.window_plans import plan_inside, plan_windows
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
SETTINGS = tiny_settings()


def seeds_by_window(settings: Settings, market: PortfolioMarket = MARKET) -> dict[str, list[int]]:
    plans = plan_windows(market, WINDOWS, settings.portfolio.ppo.min_train_windows)
    found: dict[str, list[int]] = {}
    for chain in plan_chains(market, plans, NEWEST, settings):
        for training in chain.trainings:
            found.setdefault(training.window.key, []).append(training.seed)
    return found


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


def inside(*days: str, market: PortfolioMarket = MARKET, settings: Settings = SETTINGS) -> Chain:
    """Return the chain of trainings as of these days."""
    least = settings.portfolio.ppo.min_train_windows
    plans = [plan_inside(market, date.fromisoformat(day), least) for day in days]
    return plan_chain_inside(market, plans, settings)


def test_training_inside_a_window_goes_on_from_the_window_before() -> None:
    chain = inside("2017-01-31", "2017-03-15")
    assert chain.seed == SETTINGS.seed
    assert [str(one.as_of) for one in chain.trainings] == ["2017-01-31", "2017-03-15"]
    own = first_training(MARKET, SETTINGS, 2)
    for one in chain.trainings:
        assert (one.window, one.seed, one.is_main_seed) == (NEWEST, 42, True)
        assert (one.starts_from, one.steps) == (own.starts_from, own.steps) == (WINDOWS[3], 256)
        assert one.random_seed == own.random_seed
        assert one.spans.stop > own.spans.stop


def test_training_inside_the_first_window_there_is_begins_from_nothing() -> None:
    (only,) = inside("2016-02-15").trainings
    assert (only.window, only.starts_from, only.steps) == (FIRST_TRAINED, None, 512)


def test_training_inside_a_window_has_names_of_its_own() -> None:
    own = first_training(MARKET, SETTINGS, 2)
    early, late = inside("2017-01-31", "2017-03-15").trainings
    assert early.label == "2017-01-01 as of 2017-01-31 seed 42"
    assert (own.slot, early.slot, late.slot) == (
        "2017-01-01",
        "2017-01-01-inside",
        "2017-01-01-inside",
    )
    assert early.log_parts == ("2017-01-01", "seed-42-as-of-2017-01-31")
    assert own.log_parts == ("2017-01-01", "seed-42")
    names = {one.name_parts("a") for one in (own, early, late)}
    assert len(names) == 3
    assert {name[:-1] for name in names} == {("policies", "ppo", "2017-01-01", "seed-42")}


def test_training_inside_a_window_is_identified_by_its_day_and_not_by_when_it_is_asked_for() -> (
    None
):
    (friday,) = inside("2017-03-17").trainings
    (sunday,) = inside("2017-03-19").trainings
    (monday,) = inside("2017-03-20").trainings
    assert sunday == friday
    assert monday.identity != friday.identity
    assert friday.identity["valid_end"] == str(friday.as_of) == "2017-03-17"
    assert inside("2017-01-31", "2017-03-17").trainings[1] == friday


def test_identity_is_the_same_whether_the_day_was_the_last_or_not() -> None:
    (known,) = inside("2017-03-17").trainings
    view = MARKET.until(known.spans.stop - 1)
    cut = PortfolioMarket(view.panel, view.forecasts, view.half_widths, view.horizon)
    (then,) = inside("2017-03-17", market=cut).trainings
    assert then == known


def test_day_that_cannot_be_trained_for_is_left_out_of_the_chain() -> None:
    chain = inside("2015-02-02", "2017-03-15")
    assert chain == inside("2017-03-15")
    assert inside("2015-02-02").trainings == ()
