"""What-if backtests beside the stored run: nothing asked changes nothing, options are obeyed."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.backtesting.tables import DAILY
from odyssey_assets.core.slices import WHOLE_TABLE
from odyssey_assets.errors import ModelError, OdysseyError, SettingsError, WarehouseError
from odyssey_assets.infrastructure.home import home_of
from odyssey_assets.infrastructure.model_store import PAYLOAD
from odyssey_assets.portfolio.catalog import POLICIES
from odyssey_assets.portfolio.tables import POLICIES as POLICY_TABLE
from odyssey_assets.portfolio.tables import WEIGHTS
from odyssey_assets.what_if import ASKED, FIGURES, STORED, Answer, Question, answer
from odyssey_assets_tests.learned_market import COMPETITION
from odyssey_assets_tests.tiny_market import (
    ENVIRONMENT,
    WINDOWS,
    TinyHome,
    materialize,
    tiny_settings,
    warehouse_of,
)
from odyssey_assets_tests.written_reigns import write_reign

FREE: Mapping[str, Any] = {"commission_bps": 0.0, "slippage_bps": 0.0}


@pytest.fixture(autouse=True)
def tiny_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask as a person does whose environment is that of the stored run."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def figures(found: Answer) -> pd.DataFrame:
    """Return the figures by name."""
    return found.figures.set_index("figure")


def daily_of(home: TinyHome, policy: str) -> pd.DataFrame:
    rows = warehouse_of(tiny_settings(home.root)).read(DAILY)
    return rows[rows["strategy"] == policy].set_index("date")


@pytest.mark.parametrize("policy", [entry.name for entry in POLICIES])
def test_nothing_asked_gives_the_figures_of_the_stored_run(
    policy: str, learned_home: TinyHome
) -> None:
    found = figures(answer(Question(policy), learned_home.root))
    assert tuple(found.index) == FIGURES
    assert list(found.columns) == [STORED, ASKED]
    pd.testing.assert_series_equal(found[STORED], found[ASKED], check_names=False, check_exact=True)
    daily = daily_of(learned_home, policy)
    assert found.loc["sessions", STORED] == len(daily) > 50
    assert found.loc["end_date", STORED] == daily.index.max()
    equity = float(daily["equity"].iloc[-1])
    assert 1e6 * (1 + found.loc["total_return", ASKED]) == pytest.approx(equity, rel=1e-9)


def test_rolled_back_policy_is_asked_as_it_served(learned_copy: Path) -> None:
    settings = tiny_settings(learned_copy)
    warehouse, after = warehouse_of(settings), date(2022, 3, 14)
    trained = warehouse.read(POLICY_TABLE)
    trained = trained[(trained["status"] == "trained") & trained["is_main_seed"]]
    older, own = trained.sort_values("window")["model_sha256"].tail(2)
    before = warehouse.read(WEIGHTS)
    window = date.fromisoformat(WINDOWS[-1])
    row = trained[trained["model_sha256"] == older].iloc[0].to_dict()
    write_reign(warehouse, "policy", "ppo", window, after, row)
    assert materialize(settings, COMPETITION, WINDOWS[-1], WINDOWS[-1]).success
    warehouse.publish()
    weights = warehouse.read(WEIGHTS)
    ruled = weights[(weights["policy"] == "ppo") & (weights["window"] == WINDOWS[-1])]
    expected = np.where(ruled["date"] > pd.Timestamp(after), older, own)
    assert ruled["model_sha256"].tolist() == expected.tolist()
    is_early = weights["date"] <= pd.Timestamp(after)
    pd.testing.assert_frame_equal(weights[is_early], before[is_early])
    found = figures(answer(Question("ppo"), learned_copy))
    pd.testing.assert_series_equal(found[STORED], found[ASKED], check_names=False, check_exact=True)


@pytest.mark.parametrize("policy", ["ppo", "forecast_kelly"])
def test_last_day_alone_gives_the_stored_run_up_to_it(policy: str, learned_home: TinyHome) -> None:
    end = date(2022, 3, 31)
    found = figures(answer(Question(policy, end=end), learned_home.root))
    pd.testing.assert_series_equal(found[STORED], found[ASKED], check_names=False, check_exact=True)
    early = daily_of(learned_home, policy).loc[: str(end)]
    assert found.loc["end_date", ASKED] == pd.Timestamp(end)
    assert found.loc["sessions", ASKED] == len(early)


def test_first_day_starts_from_cash_and_is_compared_on_the_same_sessions(
    tiny_home: TinyHome,
) -> None:
    start = date(2021, 3, 10)
    answered = answer(Question("buy_and_hold", start=start), tiny_home.root)
    found = figures(answered)
    returns = daily_of(tiny_home, "buy_and_hold")["return"].loc["2021-03-11":]
    assert found.loc["start_date"].tolist() == [pd.Timestamp("2021-03-11")] * 2
    assert found.loc["sessions"].tolist() == [len(returns)] * 2
    assert found.loc["total_return", STORED] == pytest.approx((1 + returns).prod() - 1)
    assert found.loc["turnover", STORED] == 0
    bought = float(found.loc["turnover", ASKED]) / 252 * len(returns)
    assert bought == pytest.approx(0.8, abs=0.02), "it buys what the stored run held by then"
    assert any("starts from cash" in note for note in answered.notes)


def test_first_day_waits_for_the_next_day_on_which_the_policy_decides(tiny_home: TinyHome) -> None:
    found = figures(answer(Question("equal_weight", start=date(2021, 3, 10)), tiny_home.root))
    assert found.loc["start_date", ASKED] == pd.Timestamp("2021-04-05"), "decided on 1 April"
    asked = Question("equal_weight", start=date(2021, 3, 10), rebalance="daily")
    found = figures(answer(asked, tiny_home.root))
    assert found.loc["start_date", ASKED] == pd.Timestamp("2021-03-11")


@pytest.mark.parametrize("policy", ["ppo", "equal_weight"])
def test_costs_that_are_not_paid_make_no_policy_worse(policy: str, learned_home: TinyHome) -> None:
    free = figures(answer(Question(policy, **FREE), learned_home.root))
    dear = figures(answer(Question(policy, commission_bps=100), learned_home.root))
    assert free.loc["annual_cost", ASKED] == 0
    assert free.loc["total_return", ASKED] > free.loc["total_return", STORED]
    assert dear.loc["total_return", ASKED] < dear.loc["total_return", STORED]
    assert free[STORED].equals(dear[STORED])


@pytest.mark.parametrize(
    ("option", "share"), [("commission_bps", 5 / 15), ("slippage_bps", 10 / 15)]
)
def test_each_cost_is_changed_alone(option: str, share: float, tiny_home: TinyHome) -> None:
    without: dict[str, Any] = {option: 0.0}
    found = figures(answer(Question("equal_weight", **without), tiny_home.root))
    ratio = found.loc["annual_cost", ASKED] / found.loc["annual_cost", STORED]
    assert ratio == pytest.approx(share, rel=1e-3)


def test_policy_decides_when_it_is_asked_to(tiny_home: TinyHome) -> None:
    turnover = {
        rebalance: figures(
            answer(Question("equal_weight", rebalance=rebalance), tiny_home.root)
        ).loc["turnover", ASKED]
        for rebalance in ("daily", "weekly", "once")
    }
    stored = figures(answer(Question("equal_weight", rebalance="monthly"), tiny_home.root))
    assert stored[STORED].equals(stored[ASKED])
    monthly = stored.loc["turnover", STORED]
    assert turnover["daily"] > turnover["weekly"] > monthly > turnover["once"] > 0


def test_learned_policy_decides_when_it_is_asked_to(learned_home: TinyHome) -> None:
    found = figures(answer(Question("ppo", rebalance="monthly"), learned_home.root))
    assert found.loc["turnover", ASKED] < found.loc["turnover", STORED]
    assert found.loc["seed_count"].tolist() == [2, 2]


@pytest.fixture(scope="module")
def usual_gain(tiny_home: TinyHome) -> Mapping[str, float]:
    """Return what policies gain that buy once, under the usual limits and without costs."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        return {
            policy: figures(answer(Question(policy, rebalance="once", **FREE), tiny_home.root)).loc[
                "total_return", ASKED
            ]
            for policy in ("equal_weight", "buy_and_hold")
        }


@pytest.mark.parametrize(
    ("policy", "limits", "ratio"),
    [
        ("equal_weight", {"max_weight": 0.4}, 0.4 / 0.2),
        ("equal_weight", {"min_cash": 0.7}, 0.15 / 0.2),
        ("equal_weight", {"min_cash": 0.96}, 0.02 / 0.2),
        ("equal_weight", {"min_cash": 0.7, "max_weight": 0.1}, 0.1 / 0.2),
        ("buy_and_hold", {"max_weight": 0.2}, 0.2 / 0.8),
        ("buy_and_hold", {"min_cash": 0.5}, 0.5 / 0.8),
        ("buy_and_hold", {"min_cash": 0.0}, 1.0 / 0.8),
    ],
)
def test_limits_are_kept(
    policy: str,
    limits: dict[str, Any],
    ratio: float,
    tiny_home: TinyHome,
    usual_gain: Mapping[str, float],
) -> None:
    """What is bought once, without costs, gains in proportion to what was bought."""
    asked = Question(policy, rebalance="once", **FREE, **limits)
    gain = figures(answer(asked, tiny_home.root)).loc["total_return", ASKED]
    assert abs(usual_gain[policy]) > 0.01
    assert gain / usual_gain[policy] == pytest.approx(ratio, rel=1e-6)


def test_cash_reserve_lifts_no_other_limit(
    tiny_home: TinyHome, usual_gain: Mapping[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODYSSEY_PORTFOLIO__MAX_INVESTED", "0.4")
    asked = Question("buy_and_hold", rebalance="once", min_cash=0.3, **FREE)
    gain = figures(answer(asked, tiny_home.root)).loc["total_return", ASKED]
    assert gain / usual_gain["buy_and_hold"] == pytest.approx(0.4 / 0.8, rel=1e-6)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (Question("oracle"), "'oracle' is no policy of this home: ppo, equal_weight"),
        (Question("equal_weight", rebalance="hourly"), "daily, weekly, monthly.*'hourly'"),
        (Question("equal_weight", start=date(2022, 1, 2), end=date(2021, 1, 1)), "is not after"),
        (Question("equal_weight", start=date(2030, 1, 1)), "no backtest .* between 2030-01-01"),
        (Question("equal_weight", end=date(2010, 1, 1)), "the beginning and 2010-01-01"),
        (Question("equal_weight", start=date(2022, 6, 29)), "no return after it first decides"),
        (Question("forecast_kelly", end=date(2021, 6, 1)), "no backtest of 'forecast_kelly'"),
        (Question("ppo"), "no backtest of 'ppo'.*odyssey run"),
        (Question("equal_weight", min_cash=0.5, max_weight=0.6), "max_weight 0.6 exceeds"),
        (Question("equal_weight", max_weight=0.9), "max_weight 0.9 exceeds max_invested 0.8"),
        (Question("equal_weight", max_weight=0.0), "portfolio.max_weight"),
        (Question("equal_weight", min_cash=1.0), "portfolio.min_cash"),
        (Question("equal_weight", min_cash=-0.1), "portfolio.min_cash"),
        (Question("equal_weight", commission_bps=-1.0), "costs.commission_bps"),
        (Question("equal_weight", slippage_bps=9_999.0), "slippage_bps 9999"),
    ],
)
def test_question_that_makes_no_sense_is_refused_with_its_reason(
    question: Question, words: str, tiny_home: TinyHome
) -> None:
    with pytest.raises(SettingsError, match=words):
        answer(question, tiny_home.root)


def test_policy_that_does_not_compete_is_refused(
    tiny_home: TinyHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODYSSEY_PORTFOLIO__POLICIES", '["buy_and_hold"]')
    with pytest.raises(SettingsError, match="'momentum' is no policy of this home: buy_and_hold"):
        answer(Question("momentum"), tiny_home.root)


def test_home_that_published_nothing_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"Nothing is published .* Run `odyssey run`"):
        answer(Question("equal_weight"), tmp_path)


def test_home_in_which_nothing_was_backtested_is_refused(tiny_copy: Path) -> None:
    settings = tiny_settings(tiny_copy)
    warehouse = warehouse_of(settings)
    warehouse.replace(DAILY, DAILY.empty(), (WHOLE_TABLE,))
    warehouse.publish()
    with pytest.raises(OdysseyError, match=r"no backtest of 'equal_weight'"):
        answer(Question("equal_weight"), tiny_copy)


def test_altered_model_is_refused_where_it_decides_and_not_elsewhere(learned_copy: Path) -> None:
    models = home_of(tiny_settings(learned_copy)).models / "policies"
    payload = next(models.rglob(PAYLOAD))
    payload.write_bytes(b"another")
    with pytest.raises(ModelError, match="does not carry this home's signature"):
        answer(Question("ppo"), learned_copy)
    assert len(answer(Question("equal_weight"), learned_copy).figures) == len(FIGURES)


def test_notes_say_what_a_reader_must_know(learned_home: TinyHome) -> None:
    rule, learned, late = (
        " ".join(answer(question, learned_home.root).notes)
        for question in (
            Question("momentum"), Question("ppo"), Question("momentum", start=date(2021, 9, 1)),
        )
    )  # fmt: skip
    assert rule == "Simulated data."
    assert "not trained again" in learned
    assert "starts from cash" in late


def test_answer_changes_nothing(tiny_copy: Path) -> None:
    def state() -> dict[Path, tuple[int, int]]:
        files = [path for path in tiny_copy.rglob("*") if path.is_file()]
        return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in files}

    before = state()
    answer(Question("momentum", start=date(2021, 6, 1), **FREE), tiny_copy)
    assert state() == before
