"""Profiles: written ones for the default tickers, derived ones for every other name."""

from datetime import date

from odyssey_assets.market_data.sources.simulation.profiles import SECTORS, profile_of
from odyssey_assets.settings import DEFAULT_TICKERS


def test_profiles_of_default_tickers_hold_two_late_listings() -> None:
    listed = {ticker: profile_of(ticker).listed for ticker in DEFAULT_TICKERS}
    late = {ticker: day for ticker, day in listed.items() if day is not None}
    assert late == {"TSLA": date(2010, 6, 29), "META": date(2012, 5, 18)}


def test_profile_of_a_cash_fund_is_far_calmer_than_a_stock() -> None:
    assert profile_of("BIL").own_volatility < 0.05 * profile_of("AAPL").own_volatility
    assert profile_of("BIL").beta == 0.0


def test_profiles_from_names_are_plausible_stable_and_differ() -> None:
    tickers = [f"S{number:03d}" for number in range(240)]
    profiles = [profile_of(ticker) for ticker in tickers]
    assert profiles == [profile_of(ticker) for ticker in tickers]
    assert {profile.sector for profile in profiles} == set(SECTORS)
    assert all(0.6 <= profile.beta <= 1.6 for profile in profiles)
    assert all(15.0 <= profile.first_price <= 180.0 for profile in profiles)
    assert all(
        (profile.dividend_yield > 0) == (profile.dividend_months > 0) for profile in profiles
    )
    late = [profile.listed for profile in profiles if profile.listed is not None]
    assert 2 <= len(late) <= 20
    assert all(date(2011, 1, 3) <= day <= date(2015, 12, 31) for day in late)
