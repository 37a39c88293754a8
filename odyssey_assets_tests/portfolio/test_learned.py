from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.execution import TradingCosts
from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.windows import parse_window
from odyssey_assets.errors import ModelError, SettingsError
from odyssey_assets.infrastructure.model_store import PAYLOAD, ModelStore
from odyssey_assets.portfolio.learned import learned_contenders, lost_policies
from odyssey_assets.portfolio.rollout import roll_out
from odyssey_assets.portfolio.tables import POLICIES, WEIGHTS
from odyssey_assets.settings import Settings, build_settings
from odyssey_assets_tests.portfolio.small_training import (
    WINDOWS,
    small_market,
    tiny_settings,
    train,
)

MARKET, SETTINGS = small_market(), tiny_settings(seeds_newest_window=3)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    return ModelStore(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def rows(store: ModelStore) -> pd.DataFrame:
    return train(store, MARKET, SETTINGS).policies


def test_main_seed_comes_first_and_decides_from_the_first_trained_window_on(
    rows: pd.DataFrame, store: ModelStore
) -> None:
    contenders = learned_contenders(rows, store, SETTINGS)
    assert [one.seed for one in contenders] == [42, 43, 44]
    assert [one.is_main_seed for one in contenders] == [True, False, False]
    assert {(one.strategy, one.rebalance) for one in contenders} == {("ppo", "daily")}
    assert {one.limits.max_weight for one in contenders} == {0.2}
    for one in contenders:
        starts = [stretch.start for stretch in one.stretches]
        assert starts == [date(2016, 1, 1), date(2016, 7, 1), date(2017, 1, 1)]


def test_other_seed_borrows_the_main_seeds_model_where_it_was_not_trained(
    rows: pd.DataFrame, store: ModelStore
) -> None:
    main, *others = learned_contenders(rows, store, SETTINGS)
    assert all(stretch.is_own_training for stretch in main.stretches)
    newest = rows[rows["window"] == "2017-01-01"].set_index("seed")["model_sha256"]
    assert main.stretches[-1].model_sha256 == newest[42]
    for other in others:
        assert [one.is_own_training for one in other.stretches] == [False, False, True]
        for own, lent in zip(other.stretches[:-1], main.stretches[:-1], strict=True):
            assert own.model_sha256 == lent.model_sha256
            assert own.policy is lent.policy
        assert other.stretches[-1].model_sha256 == newest[other.seed]


def test_order_of_the_rows_does_not_matter(rows: pd.DataFrame, store: ModelStore) -> None:
    def said(frame: pd.DataFrame) -> list[list[tuple[object, ...]]]:
        return [
            [(one.seed, part.start, part.model_sha256) for part in one.stretches]
            for one in learned_contenders(frame, store, SETTINGS)
        ]

    assert said(rows.iloc[::-1]) == said(rows)


def test_contenders_can_be_rolled_forward(rows: pd.DataFrame, store: ModelStore) -> None:
    contenders = learned_contenders(rows, store, SETTINGS)
    rollout = roll_out(MARKET, contenders, TradingCosts(10.0, 5.0, 0.0, 0.1), 1e6)
    first = int(np.searchsorted(MARKET.panel.dates, np.datetime64("2016-01-01")))
    assert (rollout.first == first).all()
    newest = int(np.searchsorted(MARKET.panel.dates, np.datetime64("2017-01-01")))
    assert (rollout.targets[0, first:newest] == rollout.targets[1, first:newest]).all()
    assert (rollout.targets[0, newest:] != rollout.targets[1, newest:]).any()


def test_rows_of_skipped_windows_only_give_no_contender(
    rows: pd.DataFrame, store: ModelStore
) -> None:
    skipped = rows[rows["status"] == "skipped"]
    assert len(skipped) == 2
    assert learned_contenders(skipped, store, SETTINGS) == ()
    assert learned_contenders(POLICIES.empty(), store, SETTINGS) == ()


def test_policy_that_does_not_compete_needs_no_models(rows: pd.DataFrame, tmp_path: Path) -> None:
    settings = build_settings(
        tickers=("T00", "T01"), proxy="T00", portfolio={"policies": ("equal_weight",)}
    )
    assert learned_contenders(rows, ModelStore(tmp_path), settings) == ()


def test_unknown_policy_is_refused(rows: pd.DataFrame, store: ModelStore) -> None:
    settings = build_settings(portfolio={"policies": ("ppo", "oracle")})
    with pytest.raises(SettingsError, match="oracle"):
        learned_contenders(rows, store, settings)


def test_missing_model_is_named(rows: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"policies/ppo/2016-01-01/seed-42/\w+ of ppo, .* not in the model store"
    ):
        learned_contenders(rows, ModelStore(tmp_path), SETTINGS)


def test_other_seed_whose_model_is_lost_borrows_the_main_seeds(
    rows: pd.DataFrame, store: ModelStore
) -> None:
    lost = rows.copy()
    lost.loc[lost["seed"] == 43, "model_name"] = "policies/ppo/gone"
    with pytest.raises(ModelError, match="policies/ppo/gone of ppo, window 2017-01-01, seed 43"):
        learned_contenders(lost, store, SETTINGS)
    main, borrower, other = learned_contenders(lost, store, SETTINGS, stored=WEIGHTS.empty())
    assert [one.is_own_training for one in borrower.stretches] == [False] * 3
    assert borrower.stretches[-1].policy is main.stretches[-1].policy
    assert other.stretches[-1].is_own_training


def test_every_model_lost_and_nothing_decided_leaves_no_contender(
    rows: pd.DataFrame, tmp_path: Path
) -> None:
    nothing = WEIGHTS.empty()
    assert learned_contenders(rows, ModelStore(tmp_path), SETTINGS, stored=nothing) == ()


def test_lost_policies_are_those_of_trained_windows_and_their_reigns(
    rows: pd.DataFrame, store: ModelStore, tmp_path: Path, back: Reign
) -> None:
    gone = replace(back, model_name=("policies", "ppo", "gone"))
    elsewhere = replace(gone, window=parse_window("2015-07-01"))
    another = replace(gone, subject="another")
    reigns = (back, gone, elsewhere, another)
    assert lost_policies(rows, store, SETTINGS, (back,)) == []
    [found] = lost_policies(rows, store, SETTINGS, reigns)
    assert (found["policy"], found["window"]) == ("ppo", "2016-07-01")
    assert found["model"] == "policies/ppo/gone"
    lost = lost_policies(rows, ModelStore(tmp_path), SETTINGS)
    trained = rows[rows["status"] == "trained"].sort_values(["window", "seed"])
    assert [one["model"] for one in lost] == trained["model_name"].tolist()
    rules = SETTINGS.model_copy(
        update={"portfolio": SETTINGS.portfolio.model_copy(update={"policies": ("equal_weight",)})}
    )
    assert lost_policies(rows, ModelStore(tmp_path), rules, reigns) == []


def test_altered_model_is_named(tmp_path: Path) -> None:
    rows = train(ModelStore(tmp_path), MARKET, SETTINGS, WINDOWS[:3]).policies
    (payload,) = (tmp_path / "policies").rglob(PAYLOAD)
    payload.write_bytes(b"another" + payload.read_bytes())
    with pytest.raises(ModelError, match=r"ppo/2016-01-01/seed-42/\w+ does not carry this home's"):
        learned_contenders(rows, ModelStore(tmp_path), SETTINGS)


def test_rightly_signed_model_that_is_not_the_rows_is_refused(
    rows: pd.DataFrame, store: ModelStore
) -> None:
    swapped = rows.assign(model_sha256=["0" * 64] * len(rows))
    with pytest.raises(ModelError, match=r"expected 0{64} as in portfolio\.policies"):
        learned_contenders(swapped, store, SETTINGS)


@pytest.mark.parametrize(
    "settings", [tiny_settings(3), tiny_settings(1)], ids=["a_ticker_more", "a_ticker_less"]
)
def test_model_of_other_tickers_is_refused_and_named(
    rows: pd.DataFrame, store: ModelStore, settings: Settings
) -> None:
    with pytest.raises(ModelError, match=r"seed-42/\w+ cannot decide\. .* tickers"):
        learned_contenders(rows, store, settings)


def test_windows_of_another_main_seed_are_joined_in_one_portfolio(
    rows: pd.DataFrame, store: ModelStore
) -> None:
    """A person changed the seed before the newest window was trained."""
    newest = rows["window"] == rows["window"].max()
    changed = rows.assign(is_main_seed=rows["is_main_seed"].where(~newest, rows["seed"] == 43))
    main, *others = learned_contenders(changed, store, SETTINGS)
    assert (main.seed, main.is_main_seed) == (43, True)
    shas = rows.set_index(["window", "seed"])["model_sha256"]
    assert [stretch.model_sha256 for stretch in main.stretches] == [
        shas[pd.Timestamp("2016-01-01"), 42],
        shas[pd.Timestamp("2016-07-01"), 42],
        shas[pd.Timestamp("2017-01-01"), 43],
    ]
    assert [one.seed for one in others] == [42, 44]


def reign_of(row: pd.Series, window: str, after: str) -> Reign:
    """Return the reign of a stored model in a window, from the day after `after`."""
    name = tuple(row["model_name"].split("/"))
    day = date.fromisoformat(after)
    return Reign("ppo", parse_window(window), day, name, row["model_sha256"])


@pytest.fixture(scope="module")
def back(rows: pd.DataFrame) -> Reign:
    """A rollback within the second window to the first window's model."""
    return reign_of(rows[rows["status"] == "trained"].iloc[0], "2016-07-01", "2016-09-14")


def test_reign_takes_the_main_seeds_place_from_the_next_day_to_the_end_of_the_window(
    rows: pd.DataFrame, store: ModelStore, back: Reign
) -> None:
    main, *others = learned_contenders(rows, store, SETTINGS, (back,))
    before, *_ = learned_contenders(rows, store, SETTINGS)
    assert [one.start for one in main.stretches] == [
        date(2016, 1, 1),
        date(2016, 7, 1),
        date(2016, 9, 15),
        date(2017, 1, 1),
    ]
    shas = [one.model_sha256 for one in before.stretches]
    assert [one.model_sha256 for one in main.stretches] == [shas[0], shas[1], shas[0], shas[2]]
    for other in others:
        starts = [one.start for one in other.stretches]
        assert starts == [one.start for one in main.stretches]
        assert [one.is_own_training for one in other.stretches] == [False] * 3 + [True]


def test_seed_that_was_trained_for_the_window_decides_on_under_a_reign(
    rows: pd.DataFrame, store: ModelStore
) -> None:
    reign = reign_of(rows[rows["status"] == "trained"].iloc[0], "2017-01-01", "2017-03-01")
    main, *others = learned_contenders(rows, store, SETTINGS, (reign,))
    assert main.stretches[-1].start == date(2017, 3, 2)
    assert {one.stretches[-1].start for one in others} == {date(2017, 1, 1)}


def test_reign_of_another_subject_or_window_changes_nothing(
    rows: pd.DataFrame, store: ModelStore, back: Reign
) -> None:
    def starts(*reigns: Reign) -> list[list[date | None]]:
        return [
            [part.start for part in one.stretches]
            for one in learned_contenders(rows, store, SETTINGS, reigns)
        ]

    others = (
        replace(back, subject="another"),
        replace(back, window=parse_window("2018-01-01")),
        replace(back, window=parse_window("2015-07-01")),
    )
    assert starts(*others) == starts()


def test_weights_before_a_reign_stay_and_after_it_are_the_other_models(
    rows: pd.DataFrame, store: ModelStore, back: Reign
) -> None:
    def weights(*reigns: Reign) -> np.ndarray:
        contenders = learned_contenders(rows, store, SETTINGS, reigns)
        rollout = roll_out(MARKET, contenders[:1], TradingCosts(10.0, 5.0, 0.0, 0.1), 1e6)
        return np.asarray(rollout.targets[0])

    without, ruled = weights(), weights(back)
    first = int(np.searchsorted(MARKET.panel.dates, np.datetime64("2016-09-15")))
    np.testing.assert_array_equal(ruled[:first], without[:first])
    assert not np.array_equal(ruled[first : first + 20], without[first : first + 20])


def test_missing_or_other_model_of_a_reign_is_named(
    rows: pd.DataFrame, store: ModelStore, back: Reign
) -> None:
    gone = replace(back, model_name=("policies", "ppo", "gone"))
    with pytest.raises(
        ModelError, match=r"policies/ppo/gone that serves ppo after 2016-09-14 is not in the model"
    ):
        learned_contenders(rows, store, SETTINGS, (gone,))
    other = replace(back, model_sha256="0" * 64)
    with pytest.raises(ModelError, match=r"expected 0{64} as in monitoring\.promotions"):
        learned_contenders(rows, store, SETTINGS, (other,))
