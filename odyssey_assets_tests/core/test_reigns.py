from datetime import date

from odyssey_assets.core.reigns import Reign, reign_at, reigns_in
from odyssey_assets.core.windows import parse_window

WINDOW, OTHER = parse_window("2024-07-01"), parse_window("2024-01-01")


def reign(after: date, sha256: str, subject: str = "AAA") -> Reign:
    return Reign(subject, WINDOW, after, ("xgboost", subject, sha256), sha256)


def test_reigns_in_keeps_subject_and_window_in_order_of_days() -> None:
    late, early = reign(date(2024, 9, 2), "b"), reign(date(2024, 8, 1), "a")
    decided = [late, early, reign(date(2024, 8, 5), "c", subject="BBB")]
    assert reigns_in(decided, "AAA", WINDOW) == (early, late)
    assert reigns_in(decided, "AAA", OTHER) == ()


def test_reigns_in_of_the_same_day_keeps_the_one_decided_last() -> None:
    first, second = reign(date(2024, 8, 1), "a"), reign(date(2024, 8, 1), "b")
    assert reigns_in([first, second], "AAA", WINDOW) == (second,)
    assert reigns_in([second, first], "AAA", WINDOW) == (first,)


def test_reign_at_serves_only_sessions_after_its_day() -> None:
    first, second = reign(date(2024, 8, 1), "a"), reign(date(2024, 9, 2), "b")
    assert reign_at((first, second), date(2024, 8, 1)) is None
    assert reign_at((first, second), date(2024, 8, 2)) == first
    assert reign_at((first, second), date(2024, 9, 2)) == first
    assert reign_at((first, second), date(2024, 9, 3)) == second
