import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from odyssey_assets.backtesting.feasibility import halted_positions, infeasible_targets
from odyssey_assets.core.constraints import Limits
from odyssey_assets.errors import ContractError
from odyssey_assets.portfolio.tables import WEIGHTS
from odyssey_assets_tests.backtesting.replays import LIMITS, roll, weight_rows
from odyssey_assets_tests.portfolio.markets import random_market

DAYS = pd.bdate_range("2015-01-05", periods=4).astype("datetime64[us]")
ONE = {"one": Limits(max_weight=0.3, max_invested=0.8, min_cash=0.2)}


def stored(*targets: float, is_halted: tuple[bool, ...] = (), held: float = 0.0) -> pd.DataFrame:
    """Return a decision on the first day and what is left of it on the others."""
    names = [f"T{column}" for column in range(len(targets))]
    rows = weight_rows("one", DAYS, {0: dict(zip(names, targets, strict=True))})
    stopped = [name for name, halted in zip(names, is_halted, strict=False) if halted]
    is_stopped = rows["ticker"].isin(stopped) & (rows["date"] == DAYS[0])
    return rows.assign(is_halted=is_stopped, held_weight=np.where(is_stopped, held, 0.0))


@hypothesis_settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), every=st.integers(1, 6), halts=st.sampled_from([0.0, 0.3]))
def test_targets_of_random_portfolios_are_feasible(seed: int, every: int, halts: float) -> None:
    panel = random_market(50, 4, seed, halt_share=halts, volatility=0.2, listed_from={1: 20}).panel
    weights = roll("one", panel, every=every, seed=seed).weights

    assert infeasible_targets(weights, {"one": LIMITS}).empty


def test_halts_do_bring_held_weights_over_their_limits() -> None:
    panel = random_market(60, 4, 3, halt_share=0.3, volatility=0.2).panel
    weights = roll("one", panel, every=1, seed=3).weights
    kept = halted_positions(weights)

    assert (kept["value"] > LIMITS.max_weight).any()
    assert infeasible_targets(weights, {"one": LIMITS}).empty
    is_kept = weights["is_halted"] & (weights["held_weight"] > 0)
    assert len(kept) == int(is_kept.sum())
    assert np.abs(kept["value"] - kept["expected"]).max() < 1e-12


def test_target_over_its_cap_is_found_on_every_date() -> None:
    found = infeasible_targets(stored(0.3 + 1e-6, 0.1), ONE)

    assert found["rule"].tolist() == ["targets keep their cap"] * 4
    assert found["ticker"].tolist() == ["T0"] * 4
    assert found["date"].tolist() == list(DAYS)
    assert found["value"].tolist() == [0.3 + 1e-6] * 4
    assert found["expected"].tolist() == [0.3] * 4


def test_target_within_rounding_of_its_cap_is_feasible() -> None:
    assert infeasible_targets(stored(0.3 + 1e-10, 0.3, 0.2), ONE).empty


def test_short_target_is_found() -> None:
    found = infeasible_targets(stored(-0.01, 0.1), ONE)
    assert found["rule"].unique().tolist() == ["targets keep their cap"]


def test_sum_over_the_budget_is_found_for_the_portfolio() -> None:
    found = infeasible_targets(stored(0.3, 0.3, 0.3), ONE)

    assert found["rule"].tolist() == ["targets keep the budget"] * 4
    assert found["ticker"].isna().all()
    assert found["value"].tolist() == pytest.approx([0.9] * 4)
    assert found["expected"].tolist() == pytest.approx([0.8] * 4)


def test_limits_of_each_policy_are_its_own() -> None:
    two = stored(0.6).assign(policy="two")
    limits = {**ONE, "two": Limits(max_weight=0.8, max_invested=0.8, min_cash=0.2)}

    assert infeasible_targets(pd.concat([two, stored(0.2)]), limits).empty
    found = infeasible_targets(pd.concat([two, stored(0.6)]), limits)
    assert set(found["strategy"]) == {"one"}


def test_halted_ticker_over_its_cap_is_allowed_and_named() -> None:
    weights = stored(0.5, 0.3, is_halted=(True,), held=0.5)

    assert infeasible_targets(weights, ONE).empty
    kept = halted_positions(weights)
    assert kept["ticker"].tolist() == ["T0"]
    assert kept["value"].tolist() == [0.5]


def test_others_share_what_a_halted_ticker_leaves_of_the_budget() -> None:
    found = infeasible_targets(stored(0.6, 0.3, is_halted=(True,), held=0.6), ONE)

    assert found["rule"].unique().tolist() == ["targets keep the budget"]
    assert found["value"].tolist() == pytest.approx([0.3] * 4)
    assert found["expected"].tolist() == pytest.approx([0.2] * 4)


def test_halted_ticker_with_another_target_than_its_weight_is_found() -> None:
    found = infeasible_targets(stored(0.1, is_halted=(True,), held=0.2), ONE)
    assert found["rule"].unique().tolist() == ["halted tickers keep their weight"]
    assert found["expected"].tolist() == [0.2] * 4


def test_halt_after_the_decision_excuses_nothing() -> None:
    weights = stored(0.4)
    later = weights.assign(is_halted=weights["date"] > DAYS[0])
    assert len(infeasible_targets(later, ONE)) == 4


def test_target_that_changes_without_a_decision_is_found() -> None:
    weights = stored(0.1, 0.2)
    weights.loc[(weights["ticker"] == "T1") & (weights["date"] == DAYS[2]), "target_weight"] = 0.25
    found = infeasible_targets(weights, ONE)

    assert found["rule"].tolist() == ["targets change only at decisions"]
    assert found["date"].tolist() == [DAYS[2]]
    assert found[["value", "expected"]].to_numpy().tolist() == [[0.25, 0.2]]


def test_ticker_listed_since_the_decision_is_wanted_at_zero() -> None:
    weights = stored(0.1, 0.0)
    is_early = (weights["ticker"] == "T1") & (weights["date"] < DAYS[2])

    assert infeasible_targets(weights[~is_early], ONE).empty
    wanted = weights.assign(
        target_weight=weights["target_weight"].mask(weights["ticker"] == "T1", 0.1)
    )
    found = infeasible_targets(wanted[~is_early], ONE)
    assert found["rule"].unique().tolist() == ["targets change only at decisions"]
    assert found["expected"].tolist() == [0.0, 0.0]


def test_target_that_is_no_number_is_found() -> None:
    weights = stored(0.1, 0.1)
    unknown = weights.assign(target_weight=weights["target_weight"].where(weights.index > 0))

    assert infeasible_targets(weights, ONE).empty
    assert not infeasible_targets(unknown, ONE).empty


def test_policy_without_limits_is_refused() -> None:
    with pytest.raises(ContractError, match="weights of one; known policies are two"):
        infeasible_targets(stored(0.1), {"two": LIMITS})


def test_no_weights_are_feasible() -> None:
    assert infeasible_targets(WEIGHTS.empty(), ONE).empty
    assert halted_positions(WEIGHTS.empty()).empty
