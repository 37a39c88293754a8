from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.reigns import Reign
from odyssey_assets.core.windows import parse_window
from odyssey_assets.errors import ModelError, SettingsError
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.portfolio.competition import Holdings, compete, contenders_of
from odyssey_assets.portfolio.tables import POLICIES, SEED_PATHS, WEIGHTS
from odyssey_assets.settings import Settings, build_settings
from odyssey_assets_tests.portfolio.markets import random_market
from odyssey_assets_tests.portfolio.small_training import TINY, small_market, train

MARKET = small_market(3)
NAMES = ("ppo", "equal_weight", "forecast_top_k", "buy_and_hold")


def settings_of(
    policies: Sequence[str] = NAMES, costs: Mapping[str, float] | None = None, **portfolio: object
) -> Settings:
    """Return settings of the small market in which these policies compete."""
    return build_settings(
        tickers=("T00", "T01", "T02"),
        proxy="T00",
        workers=1,
        costs=costs or {},
        portfolio={"ppo": TINY, "policies": tuple(policies), **portfolio},
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    return ModelStore(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def policies(store: ModelStore) -> pd.DataFrame:
    return train(store, MARKET, settings_of()).policies


@pytest.fixture(scope="module")
def held(policies: pd.DataFrame, store: ModelStore) -> Holdings:
    return compete(MARKET, policies, settings_of(), store)


def test_every_policy_and_every_seed_has_rows(policies: pd.DataFrame, held: Holdings) -> None:
    trained = policies[policies["status"] == "trained"]
    assert set(held.weights["policy"]) == set(NAMES)
    assert set(held.seed_paths["policy"]) == {"ppo"}
    assert set(held.seed_paths["seed"]) == set(trained["seed"]) == {42, 43}
    assert WEIGHTS.conform(held.weights).equals(held.weights)
    assert SEED_PATHS.conform(held.seed_paths).equals(held.seed_paths)


@pytest.mark.parametrize("name", NAMES)
def test_policy_holds_the_same_whoever_competes_beside_it(
    name: str, policies: pd.DataFrame, store: ModelStore, held: Holdings
) -> None:
    alone = compete(MARKET, policies, settings_of([name]), store)
    own = held.weights[held.weights["policy"] == name].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.weights, own)
    paths = held.seed_paths[held.seed_paths["policy"] == name].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.seed_paths, paths)


def test_targets_keep_the_limits_of_the_settings(policies: pd.DataFrame, store: ModelStore) -> None:
    settings = settings_of(max_weight=0.15, max_invested=0.3, min_cash=0.6)
    targets = compete(MARKET, policies, settings, store).weights
    of_ticker = targets.groupby("policy")["target_weight"].max()
    invested = targets.groupby(["policy", "date"])["target_weight"].sum()
    assert (of_ticker.drop("buy_and_hold") <= 0.15 + 1e-9).all()
    assert of_ticker["buy_and_hold"] == pytest.approx(0.3)
    assert invested.max() <= 0.3 + 1e-9
    assert invested["equal_weight"].max() == pytest.approx(0.3)


def test_capital_of_the_settings_scales_values_and_leaves_weights(
    policies: pd.DataFrame, store: ModelStore, held: Holdings
) -> None:
    twice = compete(MARKET, policies, settings_of(capital_usd=2e6), store)
    np.testing.assert_allclose(twice.seed_paths["equity"], 2 * held.seed_paths["equity"], rtol=1e-9)
    np.testing.assert_allclose(twice.weights["held_weight"], held.weights["held_weight"], atol=1e-9)


def test_costs_of_the_settings_are_paid(policies: pd.DataFrame, store: ModelStore) -> None:
    def final_equity(bps: float) -> float:
        settings = settings_of(["ppo"], {"commission_bps": bps, "slippage_bps": bps})
        paths = compete(MARKET, policies, settings, store).seed_paths
        return float(paths[paths["is_main_seed"]]["equity"].iloc[-1])

    assert final_equity(0.0) > final_equity(10.0) > final_equity(100.0)


def test_learned_policy_without_a_training_does_not_compete(store: ModelStore) -> None:
    held = compete(MARKET, POLICIES.empty(), settings_of(), store)
    assert set(held.weights["policy"]) == set(NAMES) - {"ppo"}
    assert held.seed_paths.empty


def test_learned_policy_alone_without_a_training_leaves_empty_tables(store: ModelStore) -> None:
    held = compete(MARKET, POLICIES.empty(), settings_of(["ppo"]), store)
    pd.testing.assert_frame_equal(held.weights, WEIGHTS.empty())
    pd.testing.assert_frame_equal(held.seed_paths, SEED_PATHS.empty())


def test_contenders_are_the_rules_and_then_the_seeds(
    policies: pd.DataFrame, store: ModelStore
) -> None:
    found = [(one.strategy, one.seed) for one in contenders_of(policies, settings_of(), store)]
    assert found == [
        ("equal_weight", None),
        ("forecast_top_k", None),
        ("buy_and_hold", None),
        ("ppo", 42),
        ("ppo", 43),
    ]


def test_model_that_is_missing_stops_the_competition(
    policies: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="not in the model store"):
        compete(MARKET, policies, settings_of(), ModelStore(tmp_path))


WILD = random_market(600, 3, 1, halt_share=0.1, listed_from={2: 340})
"""Halts that cut orders, and a ticker that is listed while learned policies compete."""


def reign_of(row: pd.Series) -> Reign:
    """Return the reign of a trained model in the second window that was trained for."""
    name, window = tuple(row["model_name"].split("/")), parse_window("2016-07-01")
    return Reign("ppo", window, date(2016, 9, 14), name, row["model_sha256"])


def lose(what: str, policies: pd.DataFrame, reign: Reign) -> tuple[pd.DataFrame, tuple[Reign, ...]]:
    """Return the rows and reigns with one or all models where nothing is."""
    gone = policies.copy()
    if what != "reigning":
        is_lost = gone["is_main_seed"] & (gone["status"] == "trained")
        if what == "older":
            is_lost &= gone["window"] < "2017-01-01"
        gone.loc[is_lost, "model_name"] += "-gone"
    if what == "older":
        return gone, (reign,)
    return gone, (replace(reign, model_name=("policies", "ppo", "gone")),)


@pytest.mark.parametrize("what", ["reigning", "older", "every"])
def test_lost_models_change_nothing_that_was_decided(
    what: str, policies: pd.DataFrame, store: ModelStore
) -> None:
    settings = settings_of(["ppo", "equal_weight"])
    reign = reign_of(policies[policies["status"] == "trained"].iloc[0])
    held = compete(WILD, policies, settings, store, (reign,))
    assert held.weights["is_halted"].any()
    assert set(held.weights.loc[held.weights["date"] < "2016-04-01", "ticker"]) == {"T00", "T01"}
    assert "T02" in set(held.weights["ticker"])
    rows, reigns = lose(what, policies, reign)
    with pytest.raises(ModelError, match="not in the model store"):
        compete(WILD, rows, settings, store, reigns)
    kept = compete(WILD, rows, settings, store, reigns, held.weights)
    pd.testing.assert_frame_equal(kept.weights, held.weights, check_exact=True)
    pd.testing.assert_frame_equal(kept.seed_paths, held.seed_paths, check_exact=True)


def test_one_before_a_lost_model_takes_over_from_what_is_held(
    policies: pd.DataFrame, store: ModelStore
) -> None:
    settings, day = settings_of(["ppo"]), pd.Timestamp("2016-10-31")
    own = policies[(policies["status"] == "trained") & policies["is_main_seed"]]
    held = compete(WILD, policies, settings, store, (reign_of(own.iloc[0]),)).weights
    rows, reigns = lose("reigning", policies, reign_of(own.iloc[0]))
    known = held[held["date"] <= day]
    kept = compete(WILD, rows, settings, store, reigns, known).weights
    pd.testing.assert_frame_equal(kept[kept["date"] <= day], known, check_exact=True)
    after = kept["date"].between(day, "2016-12-31", inclusive="right")
    assert set(kept.loc[after, "model_sha256"]) == {own["model_sha256"].iloc[1]}
    assert not kept.loc[after, "target_weight"].equals(held.loc[after, "target_weight"])
    again = compete(WILD, rows, settings, store, reigns, kept).weights
    pd.testing.assert_frame_equal(again, kept, check_exact=True)


def test_unknown_policy_is_refused(policies: pd.DataFrame, store: ModelStore) -> None:
    with pytest.raises(SettingsError, match="oracle"):
        compete(MARKET, policies, settings_of(["equal_weight", "oracle"]), store)


def test_second_run_recalls_what_optimising_rules_solved(
    policies: pd.DataFrame, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("minimum_variance", "hierarchical_risk_parity")
    settings = settings_of(names, lookback_sessions=20, max_weight=0.5)
    solved = compete(MARKET, policies, settings, store)
    assert solved.weights["policy"].nunique() == 2

    def never(*_: object) -> None:
        raise AssertionError("solved again")

    monkeypatch.setattr("skfolio.optimization.HierarchicalRiskParity.fit", never)
    monkeypatch.setattr("skfolio.optimization.MeanRisk.fit", never)
    recalled = compete(MARKET, policies, settings, store)
    pd.testing.assert_frame_equal(recalled.weights, solved.weights, check_exact=True)
