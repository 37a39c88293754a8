"""Which part of a table a run reads or replaces: rectangles of tickers and dates.

A run's partitions need not form one rectangle; `rectangles` splits them into the fewest groups
that are, so that a write never touches a partition that is not the run's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from odyssey_assets.core.windows import Window


@dataclass(frozen=True)
class Slice:
    """A rectangle of a table: some tickers (None: all) by the dates `[start, end)` (None: open)."""

    tickers: tuple[str, ...] | None = None
    start: date | None = None
    end: date | None = None

    def __str__(self) -> str:
        """Name the slice as error messages and logs show it."""
        tickers = "all tickers" if self.tickers is None else ", ".join(self.tickers)
        return f"{tickers} from {self.start or 'the beginning'} to before {self.end or 'the end'}"


WHOLE_TABLE = Slice()


def rectangles(partitions: Iterable[tuple[str | None, Window]]) -> tuple[Slice, ...]:
    """Group (ticker, window) pairs into rectangles; a None ticker stands for all tickers.

    Tickers that share the same run of adjacent windows share a rectangle. The rectangles are
    disjoint and together hold exactly the given pairs.
    """
    windows_by_ticker: dict[str | None, list[Window]] = {}
    for ticker, window in partitions:
        windows_by_ticker.setdefault(ticker, []).append(window)
    tickers_by_span: dict[tuple[date, date], list[str | None]] = {}
    for ticker, windows in windows_by_ticker.items():
        for span in _adjacent_spans(sorted(set(windows))):
            tickers_by_span.setdefault(span, []).append(ticker)
    return tuple(
        Slice(_tickers(tickers), start, end)
        for (start, end), tickers in sorted(tickers_by_span.items())
    )


def _tickers(tickers: Sequence[str | None]) -> tuple[str, ...] | None:
    named = tuple(ticker for ticker in tickers if ticker is not None)
    return named or None


def _adjacent_spans(windows: Sequence[Window]) -> list[tuple[date, date]]:
    breaks = [0] + [
        index + 1 for index, (one, two) in enumerate(pairwise(windows)) if one.end != two.start
    ]
    breaks.append(len(windows))
    return [(windows[i].start, windows[j - 1].end) for i, j in pairwise(breaks)]
