"""Yahoo is asked politely, a bounded number of times, and its failures say what to do."""

import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
import yfinance
from yfinance.exceptions import YFPricesMissingError, YFRateLimitError

from odyssey_assets.errors import SourceError
from odyssey_assets.market_data.sources.simulated import SimulatedSource
from odyssey_assets.market_data.sources.yfinance import (
    HOST,
    MACRO_SYMBOLS,
    YFinanceSource,
    download_history,
)
from odyssey_assets.settings import DEFAULT_MACRO_SERIES, build_settings
from odyssey_assets.settings_sections import YFinanceSettings
from odyssey_assets_tests.market_data.sources.yahoo_frames import history_frame

START, END = date(2023, 1, 1), date(2024, 6, 28)
NOW = datetime(2024, 6, 28, 21, 0, tzinfo=UTC)
SETTINGS = YFinanceSettings(attempts=4, backoff_s=2.0, pause_s=0.5, timeout_s=7.0)


class Yahoo:
    """Answers like Yahoo after failing as told; notes requests and waits on one clock."""

    def __init__(self, *failures: Exception, now: datetime = NOW) -> None:
        self.failures = list(failures)
        self.requests: list[tuple[str, date, float]] = []
        self.waits: list[float] = []
        self.now = now

    def source(self) -> YFinanceSource:
        """Return a source that asks this Yahoo."""
        return YFinanceSource(SETTINGS, self.download, self.sleep, lambda: self.now)

    def download(self, symbol: str, start: date, timeout_s: float) -> pd.DataFrame:
        """Fail as long as there are failures left, then answer from `start` to now."""
        self.requests.append((symbol, start, timeout_s))
        if self.failures:
            raise self.failures.pop(0)
        market = SimulatedSource(build_settings(start=START, end=END, tickers="SPY"))
        return history_frame(market.fetch_bars("SPY", start, END).rows)

    def sleep(self, seconds: float) -> None:
        """Let the clock run instead of waiting."""
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def no_network() -> Iterator[None]:
    """Send yfinance to a port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        before = yfinance.config.network.proxy
        yfinance.config.network.proxy = f"http://127.0.0.1:{taken.getsockname()[1]}"
        yield
        yfinance.config.network.proxy = before


def test_fetch_asks_from_the_start_to_now_and_cuts_to_the_end() -> None:
    yahoo = Yahoo()
    rows = yahoo.source().fetch_bars("SPY", date(2023, 3, 1), date(2023, 3, 31)).rows
    assert yahoo.requests == [("SPY", date(2023, 3, 1), 7.0)]
    assert rows["date"].min() == pd.Timestamp("2023-03-01")
    assert rows["date"].max() == pd.Timestamp("2023-03-31")


@pytest.mark.parametrize(
    ("moment", "last"),
    [
        (datetime(2024, 6, 28, 19, 59, tzinfo=UTC), "2024-06-27"),
        (datetime(2024, 6, 28, 20, 1, tzinfo=UTC), "2024-06-28"),
    ],
)
def test_fetch_during_a_session_leaves_its_partial_bar_out(moment: datetime, last: str) -> None:
    rows = Yahoo(now=moment).source().fetch_bars("SPY", START, END).rows
    assert rows["date"].iloc[-1] == pd.Timestamp(last)


def test_requests_are_a_pause_apart() -> None:
    yahoo = Yahoo()
    source = yahoo.source()
    for _ in range(3):
        source.fetch_bars("SPY", START, END)
    assert yahoo.waits == [0.5, 0.5]


@pytest.mark.parametrize(
    "failure",
    [YFRateLimitError(), ConnectionError("reset"), TimeoutError("slow"), ValueError("no JSON")],
)
def test_passing_failures_are_retried_with_doubling_waits(failure: Exception) -> None:
    yahoo = Yahoo(failure, failure, failure)
    assert len(yahoo.source().fetch_bars("SPY", START, END).rows)
    assert yahoo.waits == [2.0, 4.0, 8.0]
    assert len(yahoo.requests) == 4


def test_failures_beyond_the_last_attempt_are_reported_with_host_ticker_and_remedy() -> None:
    yahoo = Yahoo(*[ConnectionError("reset by peer")] * 9)
    with pytest.raises(SourceError) as caught:
        yahoo.source().fetch_bars("SPY", START, END)
    assert len(yahoo.requests) == SETTINGS.attempts
    message = str(caught.value)
    assert all(word in message for word in (HOST, "SPY", "4 attempts", "reset by peer", "`files`"))
    assert isinstance(caught.value.__cause__, ConnectionError)


def test_unknown_ticker_is_refused_without_a_retry() -> None:
    yahoo = Yahoo(YFPricesMissingError("XYZ", "", yahoo_reason="No data found, symbol delisted"))
    with pytest.raises(SourceError, match="Yahoo has no prices of XYZ"):
        yahoo.source().fetch_bars("XYZ", START, END)
    assert len(yahoo.requests) == 1


def test_macro_series_are_asked_by_their_symbols() -> None:
    yahoo = Yahoo()
    source = yahoo.source()
    for series in DEFAULT_MACRO_SERIES:
        values = source.fetch_macro(series, START, END)
        assert values.columns.tolist() == ["date", "value"]
        assert len(values) > 300
    assert [symbol for symbol, _, _ in yahoo.requests] == list(MACRO_SYMBOLS.values())
    with pytest.raises(SourceError, match="No Yahoo symbol is known for the macro series CPI"):
        source.fetch_macro("CPI", START, END)


def test_response_hash_follows_the_content() -> None:
    one, two = (Yahoo().source().fetch_bars("SPY", START, END).sha256 for _ in range(2))
    assert one == two
    assert Yahoo().source().fetch_bars("SPY", date(2023, 6, 1), END).sha256 != one


@pytest.mark.usefixtures("no_network")
def test_download_without_network_raises_what_the_source_retries() -> None:
    waits: list[float] = []
    source = YFinanceSource(
        YFinanceSettings(attempts=2, timeout_s=2.0), download_history, waits.append
    )
    with pytest.raises(SourceError, match=f"{HOST}.*SPY in 2 attempts"):
        source.fetch_bars("SPY", START, END)
    assert waits == [2.0]


def test_problems_say_whether_the_host_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> socket.socket:
        raise ConnectionRefusedError("refused")

    source = YFinanceSource(SETTINGS)
    monkeypatch.setattr(socket, "create_connection", refuse)
    assert HOST in source.problems()[0]
    one, other = socket.socketpair()
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: one)
    assert source.problems() == []
    other.close()
