"""Names and days as people type them: taken in order, or refused by name."""

from datetime import date

import pytest

from odyssey_assets.errors import SettingsError
from odyssey_assets.infrastructure.typed_requests import day_or_none, known_names


def test_names_come_in_order_and_each_once() -> None:
    assert known_names("tickers", ["SPY", "AAPL", "SPY"], ("SPY", "QQQ", "AAPL")) == ("AAPL", "SPY")
    assert known_names("tickers", [], ("SPY",)) == ()


def test_unknown_names_are_refused_with_those_that_are_known() -> None:
    with pytest.raises(SettingsError, match=r"policies names \['a', 'sac'\]; .* settings: ppo\."):
        known_names("policies", ["sac", "ppo", "a"], ("ppo",))
    with pytest.raises(SettingsError, match="there are none"):
        known_names("policies", ["ppo"], ())


def test_day_is_parsed_and_what_is_none_is_refused() -> None:
    assert day_or_none("as_of", None) is None
    assert day_or_none("as_of", "2024-08-30") == date(2024, 8, 30)
    with pytest.raises(SettingsError, match=r"as_of is '30\.8\.2024', expected a day like"):
        day_or_none("as_of", "30.8.2024")
