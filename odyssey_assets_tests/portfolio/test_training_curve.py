import json

from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.portfolio.training_curve import CurvePoint, best_point

RATIOS = st.none() | st.floats(-3, 3, allow_nan=False)


def curve_of(ratios: list[float | None]) -> list[CurvePoint]:
    return [CurvePoint(10 * at, 0.1, ratio, 0.0, 0.0) for at, ratio in enumerate(ratios)]


@given(st.lists(RATIOS, min_size=1))
def test_best_point_has_the_highest_ratio_and_no_earlier_point_has_it(
    ratios: list[float | None],
) -> None:
    known = [ratio for ratio in ratios if ratio is not None]
    expected = ratios.index(max(known)) if known else 0
    assert best_point(curve_of(ratios)).steps == 10 * expected


def test_point_without_a_ratio_loses_to_the_worst_one() -> None:
    assert best_point(curve_of([None, -99.0, None])).validation_sharpe == -99.0


@given(st.none() | st.floats(allow_nan=False, allow_infinity=False), RATIOS)
def test_point_comes_back_from_json_to_the_last_bit(
    reward: float | None, ratio: float | None
) -> None:
    point = CurvePoint(64, reward, ratio, 0.1 + 0.2, 1 / 3)
    assert CurvePoint.of(json.loads(json.dumps(point.content))) == point
