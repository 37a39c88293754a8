"""Every version earns by its decisions what the portfolio would have earned had it served."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from odyssey_assets.core.execution import TradingCosts
from odyssey_assets.core.reigns import Reign
from odyssey_assets.errors import ModelError
from odyssey_assets.infrastructure.contract_findings import findings
from odyssey_assets.portfolio.competition import Holdings, compete
from odyssey_assets.portfolio.learned import learned_contenders
from odyssey_assets.portfolio.rollout import Rollout, roll_out
from odyssey_assets.portfolio.tables import POLICY_CHALLENGERS, POLICY_TRIALS, WEIGHTS
from odyssey_assets.portfolio.versions.trials import PolicyTrials, run_policy_trials
from odyssey_assets_tests.portfolio.small_training import NEWEST
from odyssey_assets_tests.portfolio.versions.small_versions import (
    MARKET,
    SETTINGS,
    Home,
    challenge,
    reign_of,
    reign_of_window,
    trained_home,
)

DAYS = MARKET.panel.dates
CHALLENGED = ("2017-02-01", "2017-03-15")
BEFORE_WINDOW = pd.Timestamp("2016-12-31")


@dataclass(frozen=True)
class Versions:
    """A home, and the rows of its challengers."""

    home: Home
    challengers: pd.DataFrame


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    home = trained_home(tmp_path_factory.mktemp("models"))
    parts = [challenge(home, day).rows for day in CHALLENGED]
    return Versions(home, POLICY_CHALLENGERS.conform(pd.concat(parts)))


@pytest.fixture(scope="module")
def reigns(versions: Versions) -> tuple[Reign, ...]:
    """Return a promotion of the first challenger, and a way back to the window's own policy."""
    first = versions.challengers[versions.challengers["requested_as_of"] == CHALLENGED[0]]
    back = reign_of_window(versions.home.policies, "2017-01-01", NEWEST, date(2017, 3, 10))
    return (reign_of(first), back)


def tried(versions: Versions, reigns: Sequence[Reign] = (), **changes: object) -> PolicyTrials:
    arguments = {
        "market": MARKET,
        "policies": versions.home.policies,
        "challengers": versions.challengers,
        "reigns": reigns,
        "settings": SETTINGS,
        "store": versions.home.store,
        **changes,
    }
    return run_policy_trials(**arguments)


def ruled(versions: Versions, reigns: Sequence[Reign]) -> Rollout:
    """Return the policy's portfolio alone, as it is served under these reigns."""
    home = versions.home
    main = learned_contenders(home.policies, home.store, SETTINGS, reigns)[:1]
    costs = TradingCosts(**SETTINGS.costs.model_dump())
    return roll_out(MARKET, main, costs, SETTINGS.portfolio.capital_usd)


def path(rollout: Rollout, days: pd.Series) -> pd.DataFrame:
    """Return what a portfolio earned on these days."""
    rows = np.searchsorted(DAYS, days.to_numpy().astype("datetime64[D]"))
    return pd.DataFrame(
        {
            "date": days.reset_index(drop=True),
            "return": rollout.returns[0, rows],
            "equity": rollout.equity[0, rows],
        }
    )


def of_role(
    rows: pd.DataFrame, role: str, after: date | pd.Timestamp | None = None
) -> pd.DataFrame:
    kept = rows[rows["role"] == role]
    if after is not None:
        kept = kept[kept["serves_after"] == pd.Timestamp(after)]
    return kept.reset_index(drop=True)


def sessions_after(day: date | pd.Timestamp) -> list[pd.Timestamp]:
    """Return the sessions whose return is of a decision taken after the day."""
    first = int(np.searchsorted(DAYS, np.datetime64(str(day)[:10]), side="right")) + 1
    return [pd.Timestamp(one) for one in DAYS[first:]]


def held(versions: Versions, reigns: Sequence[Reign] = ()) -> Holdings:
    """Return what the policy and a rule hold in the competition under these reigns."""
    home = versions.home
    chosen = SETTINGS.portfolio.model_copy(update={"policies": ("equal_weight", "ppo")})
    both = SETTINGS.model_copy(update={"portfolio": chosen})
    return compete(MARKET, home.policies, both, home.store, reigns)


def test_rows_keep_their_contract_and_hold_each_version_after_its_training(
    versions: Versions,
) -> None:
    found = tried(versions)
    assert found.unreadable == {}
    rows = found.rows
    pd.testing.assert_frame_equal(POLICY_TRIALS.conform(rows), rows)
    assert all(finding.is_met for finding in findings(rows, POLICY_TRIALS))
    assert set(rows["window"]) == {pd.Timestamp("2017-01-01")}
    assert rows.groupby("role")["model_sha256"].nunique().to_dict() == {
        "challenger": 2,
        "serving": 1,
        "stand_in": 2,
    }
    expected = versions.challengers.set_index("model_sha256")["trained_as_of"]
    for (sha256, after), own in rows.groupby(["model_sha256", "serves_after"]):
        assert after == expected.get(sha256, BEFORE_WINDOW)
        assert own["date"].tolist() == sessions_after(after)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_serving_rows_are_the_portfolio_as_it_was_served(
    count: int, versions: Versions, reigns: tuple[Reign, ...]
) -> None:
    own = of_role(tried(versions, reigns[:count]).rows, "serving").sort_values("date")
    own = own.reset_index(drop=True)
    assert own["date"].tolist() == sessions_after(BEFORE_WINDOW)
    expected = path(ruled(versions, reigns[:count]), own["date"])
    pd.testing.assert_frame_equal(own[["date", "return", "equity"]], expected, check_exact=True)
    starts = [BEFORE_WINDOW, *(pd.Timestamp(one.serves_after) for one in reigns[:count])]
    assert own["serves_after"].unique().tolist() == starts
    window_own = versions.home.policies["model_sha256"].iloc[-1]
    models = [window_own, *(one.model_sha256 for one in reigns[:count])]
    for start, model in zip(starts, models, strict=True):
        assert set(of_role(own, "serving", start)["model_sha256"]) == {model}


def test_serving_rows_are_those_of_the_competition(
    versions: Versions, reigns: tuple[Reign, ...]
) -> None:
    own = of_role(tried(versions, reigns).rows, "serving").set_index("date").sort_index()
    holdings = held(versions, reigns)
    paths = holdings.seed_paths.set_index("date").loc[own.index]
    for name in ("equity", "return"):
        assert paths[name].tolist() == own[name].tolist()
    weights = holdings.weights[holdings.weights["policy"] == "ppo"]
    decider = weights.drop_duplicates("date").set_index("date")["model_sha256"]
    assert decider.shift(1).loc[own.index].tolist() == own["model_sha256"].tolist()


@pytest.mark.parametrize("role", ["challenger", "stand_in"])
@pytest.mark.parametrize("day", CHALLENGED)
@pytest.mark.parametrize("count", [0, 1, 2])
def test_trial_equals_what_a_promotion_on_that_day_would_have_earned(
    role: str, day: str, count: int, versions: Versions, reigns: tuple[Reign, ...]
) -> None:
    asked = versions.challengers[versions.challengers["requested_as_of"] == day]
    promoted = reign_of(asked, role)
    own = of_role(tried(versions, reigns[:count]).rows, role, promoted.serves_after)
    before = [one for one in reigns[:count] if one.serves_after < promoted.serves_after]
    expected = path(ruled(versions, (*before, promoted)), own["date"])
    pd.testing.assert_frame_equal(own[["date", "return", "equity"]], expected, check_exact=True)
    assert set(own["model_sha256"]) == {promoted.model_sha256}
    assert own["date"].tolist() == sessions_after(promoted.serves_after)


@pytest.mark.parametrize(("day", "is_part"), [(14, True), (15, False)])
def test_reign_that_began_before_the_training_day_is_part_of_the_trial(
    day: int, is_part: bool, versions: Versions, reigns: tuple[Reign, ...]
) -> None:
    """A reign after the 14th decides at the close of the 15th; one after the 15th never does."""
    asked = versions.challengers[versions.challengers["requested_as_of"] == "2017-03-15"]
    promoted = reign_of(asked)
    late = replace(reigns[0], serves_after=date(2017, 3, day))
    own = of_role(tried(versions, (late,)).rows, "challenger", promoted.serves_after)
    with_it, without = ruled(versions, (late, promoted)), ruled(versions, (promoted,))
    expected = with_it if is_part else without
    columns = ["date", "return", "equity"]
    pd.testing.assert_frame_equal(own[columns], path(expected, own["date"]), check_exact=True)
    assert np.array_equal(with_it.equity, without.equity, equal_nan=True) != is_part


def test_version_differs_from_what_served_from_its_first_return_on_and_not_before(
    versions: Versions,
) -> None:
    """It decides at the first close after its day, and is charged for the change at the open."""
    promoted = reign_of(
        versions.challengers[versions.challengers["requested_as_of"] == "2017-03-15"]
    )
    alone, changed = ruled(versions, ()), ruled(versions, (promoted,))
    own = of_role(tried(versions).rows, "challenger", promoted.serves_after)
    first = int(np.searchsorted(DAYS, np.datetime64(own["date"].min(), "D")))
    assert str(DAYS[first - 1]) == "2017-03-16"
    np.testing.assert_array_equal(changed.equity[0, :first], alone.equity[0, :first])
    np.testing.assert_array_equal(changed.targets[0, : first - 1], alone.targets[0, : first - 1])
    assert changed.returns[0, first] != alone.returns[0, first]
    assert own["return"].iloc[0] == changed.returns[0, first]


def test_predecessor_earns_what_the_portfolio_would_have_without_the_promotion(
    versions: Versions, reigns: tuple[Reign, ...]
) -> None:
    rows = tried(versions, reigns).rows
    for number, reign in enumerate(reigns):
        own = of_role(rows, "predecessor", reign.serves_after)
        assert own["date"].tolist() == sessions_after(reign.serves_after)
        expected = path(ruled(versions, reigns[:number]), own["date"])
        pd.testing.assert_frame_equal(own[["date", "return", "equity"]], expected, check_exact=True)
    own_model = versions.home.policies["model_sha256"].iloc[-1]
    models = [set(of_role(rows, "predecessor", one.serves_after)["model_sha256"]) for one in reigns]
    assert models == [{own_model}, {reigns[0].model_sha256}]


def test_predecessor_of_a_reign_from_the_windows_first_day_on_is_the_windows_own_policy(
    versions: Versions,
) -> None:
    """A person rolled back at the last close before the window, whose policy was trained later."""
    policies = versions.home.policies
    back = reign_of_window(policies, "2016-07-01", NEWEST, date(2016, 12, 30))
    rows = tried(versions, (back,), challengers=POLICY_CHALLENGERS.empty()).rows
    serving, own = of_role(rows, "serving"), of_role(rows, "predecessor", back.serves_after)
    assert set(serving["model_sha256"]) == {back.model_sha256}
    assert set(own["model_sha256"]) == {policies["model_sha256"].iloc[-1]}
    for part, reigns in ((serving, (back,)), (own, ())):
        assert part["date"].tolist() == sessions_after(BEFORE_WINDOW)
        expected = path(ruled(versions, reigns), part["date"])
        pd.testing.assert_frame_equal(
            part[["date", "return", "equity"]], expected, check_exact=True
        )
    assert serving["equity"].iloc[-1] != own["equity"].iloc[-1]


def test_reign_without_challengers_is_tried_against_its_predecessor(
    versions: Versions, reigns: tuple[Reign, ...]
) -> None:
    rows = tried(versions, reigns[:1], challengers=POLICY_CHALLENGERS.empty()).rows
    assert set(rows["role"]) == {"serving", "predecessor"}
    whole = tried(versions, reigns[:1]).rows
    expected = whole[whole["role"].isin(["serving", "predecessor"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, expected, check_exact=True)


def test_nothing_is_tried_without_challengers_or_reigns(
    versions: Versions, reigns: tuple[Reign, ...]
) -> None:
    none = POLICY_CHALLENGERS.empty()
    other = replace(reigns[0], subject="another")
    for found in (
        tried(versions, challengers=none),
        tried(versions, (other,), challengers=none),
        tried(versions, policies=versions.home.policies.iloc[:0]),
    ):
        pd.testing.assert_frame_equal(found.rows, POLICY_TRIALS.empty())


def test_only_the_newest_window_is_tried(versions: Versions) -> None:
    older = challenge(versions.home, "2016-10-03").rows
    both = POLICY_CHALLENGERS.conform(pd.concat([older, versions.challengers]))
    pd.testing.assert_frame_equal(tried(versions, challengers=both).rows, tried(versions).rows)
    pd.testing.assert_frame_equal(tried(versions, challengers=older).rows, POLICY_TRIALS.empty())
    former = reign_of(older)
    ruled_before = tried(versions, (former,), challengers=older).rows
    pd.testing.assert_frame_equal(ruled_before, POLICY_TRIALS.empty())
    later = replace(MARKET, panel=replace(MARKET.panel, dates=DAYS + 120))
    pd.testing.assert_frame_equal(tried(versions, market=later).rows, POLICY_TRIALS.empty())


def test_reign_of_the_window_before_is_part_of_every_portfolio(versions: Versions) -> None:
    older = challenge(versions.home, "2016-10-03").rows
    former = reign_of(older)
    own = of_role(tried(versions, (former,)).rows, "serving")
    expected = path(ruled(versions, (former,)), own["date"])
    pd.testing.assert_frame_equal(own[["date", "return", "equity"]], expected, check_exact=True)
    assert own["equity"].iloc[0] != of_role(tried(versions).rows, "serving")["equity"].iloc[0]


def test_window_that_no_policy_was_trained_for_is_not_tried(
    versions: Versions, reigns: tuple[Reign, ...]
) -> None:
    policies = versions.home.policies[versions.home.policies["window"] < "2017-01-01"]
    found = tried(versions, reigns, policies=policies)
    pd.testing.assert_frame_equal(found.rows, POLICY_TRIALS.empty())


def test_version_that_cannot_be_loaded_is_named_and_the_others_are_tried(
    versions: Versions,
) -> None:
    names = versions.challengers["model_name"]
    [gone] = names[versions.challengers["requested_as_of"] == CHALLENGED[0]].iloc[[0]]
    missing = versions.challengers.assign(model_name=names.where(names != gone, "policies/x/gone"))
    found = tried(versions, challengers=missing)
    assert list(found.unreadable) == ["policies/x/gone"]
    assert "is not in the model store" in found.unreadable["policies/x/gone"]
    whole = tried(versions).rows
    lost = versions.challengers.loc[names == gone, "model_sha256"].item()
    expected = whole[whole["model_sha256"] != lost].reset_index(drop=True)
    pd.testing.assert_frame_equal(found.rows, expected, check_exact=True)


def test_model_under_two_requests_is_tried_once(versions: Versions) -> None:
    again = versions.challengers.assign(
        requested_as_of=versions.challengers["requested_as_of"] + pd.Timedelta(days=1)
    )
    twice = pd.concat([versions.challengers, again], ignore_index=True)
    pd.testing.assert_frame_equal(tried(versions, challengers=twice).rows, tried(versions).rows)


def test_challenger_of_the_last_session_has_earned_nothing_yet(versions: Versions) -> None:
    newest = challenge(versions.home, None).rows
    rows = tried(versions, challengers=newest).rows
    assert set(rows["role"]) == {"serving", "stand_in"}
    assert len(of_role(rows, "stand_in")) == SETTINGS.promotion.min_unseen_returns


def test_first_session_of_a_window_gives_no_rows_yet(versions: Versions) -> None:
    """Its return was decided at the close before the window."""
    first = int(np.searchsorted(DAYS, np.datetime64(NEWEST.start)))
    view = MARKET.until(first)
    known = replace(
        MARKET, panel=view.panel, forecasts=view.forecasts, half_widths=view.half_widths
    )
    found = tried(versions, market=known)
    pd.testing.assert_frame_equal(found.rows, POLICY_TRIALS.empty())


def test_lost_model_that_serves_is_an_error_without_a_record(
    versions: Versions, reigns: tuple[Reign, ...]
) -> None:
    gone = replace(reigns[0], model_name=("policies", "ppo", "gone"))
    with pytest.raises(ModelError, match="policies/ppo/gone"):
        tried(versions, (gone,))


def test_lost_champion_keeps_what_it_earned(versions: Versions, reigns: tuple[Reign, ...]) -> None:
    weights = held(versions, reigns[:1]).weights
    whole = tried(versions, reigns[:1]).rows
    gone = replace(reigns[0], model_name=("policies", "ppo", "gone"))
    none = POLICY_CHALLENGERS.empty()
    rows = tried(versions, (gone,), challengers=none, stored=weights).rows
    expected = whole[whole["role"].isin(["serving", "predecessor"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, expected, check_exact=True)


def test_lost_predecessor_is_named_and_not_tried(
    versions: Versions, reigns: tuple[Reign, ...]
) -> None:
    """Nobody knows what it would have decided after its last session."""
    weights = held(versions, reigns).weights
    gone = replace(reigns[0], model_name=("policies", "ppo", "gone"))
    found = tried(versions, (gone, reigns[1]), stored=weights)
    whole = tried(versions, reigns).rows
    is_its = (whole["role"] == "predecessor") & (
        whole["serves_after"] == pd.Timestamp(reigns[1].serves_after)
    )
    expected = whole[~is_its].reset_index(drop=True)
    pd.testing.assert_frame_equal(found.rows, expected, check_exact=True)
    assert list(found.unreadable) == ["policies/ppo/gone"]


def test_reign_of_a_window_whose_own_policy_is_lost_unheard_serves_alone(
    versions: Versions, reigns: tuple[Reign, ...]
) -> None:
    newest = versions.home.policies.iloc[[-1]].assign(model_name="policies/ppo/gone")
    none, nothing = POLICY_CHALLENGERS.empty(), WEIGHTS.empty()
    found = tried(versions, reigns[:1], policies=newest, challengers=none, stored=nothing)
    assert set(found.rows["role"]) == {"serving"}
    assert set(found.rows["model_sha256"]) == {reigns[0].model_sha256}
    assert list(found.unreadable) == ["policies/ppo/gone"]
