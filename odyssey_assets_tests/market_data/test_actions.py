from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odyssey_assets.market_data.actions import (
    MAX_SPLIT_TERM,
    Actions,
    believed_actions,
    snapped_split_ratio,
)
from odyssey_assets.market_data.adjustments import as_traded
from odyssey_assets.market_data.quarantine import rejected_mask
from odyssey_assets.settings_sections import CleaningSettings
from odyssey_assets_tests.market_data.raw_history import changed, raw_history, split_from

TOLERANCE = 1e-4


def _judged(raw: pd.DataFrame, rejected: tuple[int, ...] = ()) -> Actions:
    rows = raw.assign(last_session_over=pd.Timestamp("2024-12-31"))
    if "is_conflicting" not in rows:
        rows["is_conflicting"] = False
    is_kept = np.ones(len(rows), dtype=bool)
    is_kept[list(rejected)] = False
    return believed_actions(rows, as_traded(rows), is_kept, CleaningSettings())


def _found(actions: Actions) -> list[tuple[int, str, bool]]:
    return [(found.row, found.reason, found.is_rejected) for found in actions.findings]


_TERMS = st.one_of(
    st.tuples(st.just(1), st.integers(1, 200)),
    st.tuples(st.integers(1, MAX_SPLIT_TERM), st.integers(1, MAX_SPLIT_TERM)),
)


@given(terms=_TERMS, is_reverse=st.booleans(), error=st.floats(-0.9, 0.9))
def test_snapped_split_ratio_finds_the_whole_numbers_again(
    terms: tuple[int, int], is_reverse: bool, error: float
) -> None:
    exact = Fraction(*terms) if is_reverse else Fraction(*reversed(terms))
    assert snapped_split_ratio(float(exact) * (1 + error * TOLERANCE), TOLERANCE) == float(exact)


@given(ratio=st.floats(1e-3, 1e3))
def test_snapped_split_ratio_never_moves_further_than_the_tolerance(ratio: float) -> None:
    snapped = snapped_split_ratio(ratio, TOLERANCE)
    assert abs(ratio / snapped - 1) <= TOLERANCE
    assert snapped_split_ratio(snapped, TOLERANCE) == snapped


@pytest.mark.parametrize("ratio", [1.0027, 1.1318, 2.002002, 0.0367, 27.31])
def test_ratio_that_is_no_whole_split_stays_as_delivered(ratio: float) -> None:
    assert snapped_split_ratio(ratio, TOLERANCE) == ratio


def test_believed_actions_of_plausible_rows_are_those_delivered() -> None:
    raw = changed(split_from(raw_history(40), 20, 4.0), 10, dividend=0.75)
    actions = _judged(raw)
    assert actions.findings == []
    assert actions.dividend.nonzero()[0].tolist() == [10]
    assert actions.dividend[10] == 0.75
    assert (actions.split_ratio != 1).nonzero()[0].tolist() == [20]
    assert actions.split_ratio[20] == 4.0


def test_null_actions_are_none() -> None:
    actions = _judged(raw_history(5).assign(dividend=np.nan, split_ratio=np.nan))
    assert not actions.dividend.any()
    assert (actions.split_ratio == 1).all()


def test_inexact_split_ratio_is_repaired_and_recorded_with_both_values() -> None:
    actions = _judged(split_from(raw_history(40), 20, 7.00000700001))
    assert actions.split_ratio[20] == 7.0
    assert _found(actions) == [(20, "inexact_split_ratio", False)]
    assert actions.findings[0].detail == "found split ratio 7.00000700001, taken as 7.0"


@pytest.mark.parametrize("ratio", [0.0, -2.0, 1e-4, 1e4, np.inf])
def test_impossible_split_ratio_rejects_its_row_and_does_not_act(ratio: float) -> None:
    actions = _judged(changed(raw_history(40), 20, split_ratio=ratio))
    assert _found(actions) == [(20, "implausible_split", True)]
    assert actions.split_ratio[20] == 1.0


@pytest.mark.parametrize("ratio", [4.0, 0.25, 2.0])
def test_split_that_the_price_denies_rejects_its_row_and_does_not_act(ratio: float) -> None:
    actions = _judged(changed(raw_history(40), 20, split_ratio=ratio))
    assert _found(actions) == [(20, "implausible_split", True)]
    assert "expected about" in actions.findings[0].detail
    assert actions.split_ratio[20] == 1.0


def test_small_split_and_split_of_adjusted_prices_need_not_show_in_the_price() -> None:
    small = changed(raw_history(40), 20, split_ratio=1.05)
    assert _judged(small).split_ratio[20] == 1.05
    adjusted = changed(raw_history(40), 20, split_ratio=4.0).assign(is_as_traded=False)
    assert _judged(adjusted).split_ratio[20] == 4.0


def test_split_of_a_rejected_row_is_believed_whatever_its_price() -> None:
    actions = _judged(changed(raw_history(40), 20, split_ratio=4.0, close=-1.0), rejected=(20,))
    assert actions.findings == []
    assert actions.split_ratio[20] == 4.0


@pytest.mark.parametrize(
    ("share", "is_believed"), [(0.01, True), (0.49, True), (0.51, False), (1.2, False)]
)
def test_dividend_above_half_of_the_previous_close_rejects_its_row(
    share: float, is_believed: bool
) -> None:
    raw = raw_history(40)
    dividend = round(share * raw["close"][19], 6)
    actions = _judged(changed(raw, 20, dividend=dividend))
    assert actions.dividend[20] == (dividend if is_believed else 0.0)
    assert _found(actions) == ([] if is_believed else [(20, "implausible_dividend", True)])


def test_negative_dividend_rejects_its_row() -> None:
    actions = _judged(changed(raw_history(40), 20, dividend=-0.2))
    assert _found(actions) == [(20, "implausible_dividend", True)]
    assert "expected 0 to" in actions.findings[0].detail
    assert actions.dividend[20] == 0.0


def test_dividend_is_judged_on_the_split_basis_of_its_day() -> None:
    raw = split_from(raw_history(40), 20, 4.0)
    share_of_new_price = 0.6 * raw["close"][19] / 4
    actions = _judged(changed(raw, 20, dividend=share_of_new_price))
    assert _found(actions) == [(20, "implausible_dividend", True)]
    assert actions.split_ratio[20] == 4.0


def test_dividends_of_rejected_rows_count_together_until_a_good_close() -> None:
    raw = raw_history(40)
    dividend = 0.3 * raw["close"][19]
    raw = changed(changed(raw, 20, dividend=dividend), 21, dividend=dividend)
    assert _found(_judged(raw)) == []
    together = _judged(raw, rejected=(20, 21))
    assert _found(together) == [(21, "implausible_dividend", True)]
    assert together.dividend[20:22].tolist() == [dividend, 0.0]


def test_dividend_before_the_first_good_row_is_not_judged() -> None:
    actions = _judged(changed(raw_history(5), 0, dividend=900.0, close=np.nan), rejected=(0,))
    assert actions.findings == []


def test_dividend_of_the_first_row_is_judged_by_its_own_close() -> None:
    raw = raw_history(5)
    assert _found(_judged(changed(raw, 0, dividend=0.4 * raw["close"][0]))) == []
    found = _found(_judged(changed(raw, 0, dividend=0.6 * raw["close"][0])))
    assert found == [(0, "implausible_dividend", True)]


@pytest.mark.parametrize("whole", [2, 3, 5])
def test_split_booked_as_dividend_is_kept_as_the_days_split(whole: int) -> None:
    raw = split_from(raw_history(40), 20, float(whole))
    booked = raw["close"][19] * (1 - 1 / (whole * 1.002))
    actions = _judged(changed(raw, 20, split_ratio=1.0, dividend=booked))
    assert _found(actions) == [
        (20, "implausible_dividend", True),
        (20, "split_booked_as_dividend", False),
    ]
    assert actions.split_ratio[20] == whole
    assert actions.dividend[20] == 0.0
    assert f"taken as a split of {whole} for 1" in actions.findings[1].detail


def test_huge_dividend_that_the_price_does_not_show_is_no_split() -> None:
    raw = raw_history(40)
    actions = _judged(changed(raw, 20, dividend=raw["close"][19] * 0.5003))
    assert _found(actions) == [(20, "implausible_dividend", True)]
    assert actions.split_ratio[20] == 1.0


def test_huge_dividend_that_is_no_whole_ratio_is_no_split() -> None:
    raw = split_from(raw_history(40), 20, 2.5)
    booked = raw["close"][19] * (1 - 1 / 2.5)
    actions = _judged(changed(raw, 20, split_ratio=1.0, dividend=booked))
    assert _found(actions) == [(20, "implausible_dividend", True)]
    assert actions.split_ratio[20] == 1.0


@pytest.mark.parametrize(
    ("dividends", "believed"),
    [((0.3, 0.0), 0.3), ((0.0, 0.3), 0.3), ((0.3, 0.3), 0.3), ((0.3, 0.4), 0.0)],
)
def test_action_of_conflicting_rows_acts_once_if_they_agree_on_it(
    dividends: tuple[float, float], believed: float
) -> None:
    raw = raw_history(5)
    twins = pd.concat([raw.iloc[[2]], raw.iloc[[2]].assign(row_sha256="a twin")])
    twins["dividend"] = dividends
    raw = pd.concat([raw.iloc[:2], twins, raw.iloc[3:]], ignore_index=True)
    raw["is_conflicting"] = [False, False, True, True, False, False]
    actions = _judged(raw, rejected=(2, 3))
    assert actions.dividend.sum() == believed
    assert np.count_nonzero(actions.dividend) == (1 if believed else 0)


@pytest.mark.parametrize("order", [(2, 3), (3, 2)])
def test_dividend_and_split_of_two_conflicting_rows_act_together_in_any_order(
    order: tuple[int, int],
) -> None:
    raw = split_from(raw_history(6), 3, 2.0)
    raw.loc[2, ["date", "split_ratio", "dividend"]] = [raw["date"][3], 1.0, 0.6]
    raw["is_conflicting"] = [False, False, True, True, False, False]
    raw = raw.iloc[[0, 1, *order, 4, 5]].reset_index(drop=True)
    actions = _judged(raw, rejected=(2, 3))
    (row,) = actions.dividend.nonzero()[0]
    assert raw["dividend"][row] == 0.6
    assert actions.dividend[row] == 0.6
    assert actions.split_ratio[row] == 2.0
    assert actions.split_ratio.prod() == 2.0


@pytest.mark.parametrize("defect", ["unreadable_date", "future_date"])
def test_action_of_a_row_without_a_day_does_not_act(defect: str) -> None:
    raw = changed(raw_history(5), 2, defect=defect, content="{}", dividend=1.0, split_ratio=2.0)
    actions = _judged(raw, rejected=(2,))
    assert not actions.dividend.any()
    assert (actions.split_ratio == 1).all()


@settings(max_examples=20, deadline=None)
@given(
    events=st.lists(
        st.tuples(
            st.integers(1, 29),
            st.floats(-20, 120),
            st.sampled_from([1.0, 2.0, 0.5, 3.00001, 1.5, -1.0]),
            st.booleans(),
        ),
        max_size=6,
        unique_by=lambda event: event[0],
    )
)
def test_believed_actions_are_always_possible_and_judged_without_the_future(
    events: list[tuple[int, float, float, bool]],
) -> None:
    raw = raw_history(30)
    rejected = tuple(row for row, _, _, is_rejected in events if is_rejected)
    for row, dividend, ratio, _ in events:
        raw = changed(raw, row, dividend=dividend, split_ratio=ratio)
    actions = _judged(raw, rejected)
    assert (actions.dividend >= 0).all()
    assert (actions.split_ratio > 0).all()
    for cut in (10, 20):
        before = _judged(raw.iloc[:cut], tuple(row for row in rejected if row < cut))
        assert np.array_equal(before.dividend, actions.dividend[:cut])
        assert np.array_equal(before.split_ratio, actions.split_ratio[:cut])
        mask = rejected_mask(actions.findings, 30)[:cut]
        assert np.array_equal(rejected_mask(before.findings, cut), mask)
