from datetime import date
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from odyssey_assets.core.slices import WHOLE_TABLE, Slice, rectangles
from odyssey_assets.core.windows import Window, window_of

_WINDOWS = st.dates(date(2010, 1, 1), date(2013, 12, 31)).map(window_of)
_CELLS = st.sets(st.tuples(st.sampled_from(["AAA", "BBB", "CCC"]), _WINDOWS), max_size=24)
FIRST = window_of(date(2020, 1, 1))


def _cells_of(part: Slice) -> set[tuple[str | None, Window]]:
    assert part.start is not None
    assert part.end is not None
    cells: set[tuple[str | None, Window]] = set()
    window = window_of(part.start)
    while window.start < part.end:
        cells |= {(ticker, window) for ticker in part.tickers or (None,)}
        window = window.shift(1)
    return cells


@given(cells=_CELLS)
def test_rectangles_are_disjoint_and_hold_exactly_the_cells(
    cells: set[tuple[str, Window]],
) -> None:
    parts = rectangles(cells)
    covered = [_cells_of(part) for part in parts]
    assert set().union(*covered) == cells
    assert all(one.isdisjoint(two) for one, two in combinations(covered, 2))


@given(
    tickers=st.sets(st.sampled_from("ABCDEF"), min_size=1),
    first=_WINDOWS,
    count=st.integers(1, 10),
)
def test_full_grid_is_one_rectangle(tickers: set[str], first: Window, count: int) -> None:
    cells = [(ticker, first.shift(shift)) for shift in range(count) for ticker in sorted(tickers)]
    (part,) = rectangles(cells)
    assert part == Slice(tuple(sorted(tickers)), first.start, first.shift(count).start)


def test_cells_that_form_no_rectangle_are_parted() -> None:
    second, third = FIRST.shift(1), FIRST.shift(2)
    parts = rectangles([("AAA", FIRST), ("AAA", third), ("BBB", FIRST), ("CCC", second)])
    assert parts == (
        Slice(("AAA", "BBB"), FIRST.start, FIRST.end),
        Slice(("CCC",), second.start, second.end),
        Slice(("AAA",), third.start, third.end),
    )


def test_windows_without_tickers_stand_for_all_tickers() -> None:
    assert rectangles([(None, FIRST), (None, FIRST.shift(1))]) == (
        Slice(None, FIRST.start, FIRST.shift(1).end),
    )


def test_no_cells_are_no_rectangles() -> None:
    assert rectangles([]) == ()


def test_slice_names_itself_for_messages() -> None:
    part = Slice(("AAA", "BBB"), date(2020, 1, 1), date(2020, 7, 1))
    assert str(part) == "AAA, BBB from 2020-01-01 to before 2020-07-01"
    assert str(WHOLE_TABLE) == "all tickers from the beginning to before the end"
