"""What a policy learned does not change when everything after its validation half year does."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from odyssey_assets.core.windows import Window
from odyssey_assets.infrastructure.model_store import ModelStore
from odyssey_assets.portfolio.market import PortfolioMarket
from odyssey_assets.portfolio.training_plan import plan_chains
from odyssey_assets.portfolio.window_plans import plan_windows
from odyssey_assets_tests.portfolio.small_training import (
    NEWEST,
    WINDOWS,
    small_market,
    tiny_settings,
    train,
)

MARKET, SETTINGS = small_market(), tiny_settings()
TRAINED = WINDOWS[2:]


def first_row_of(window: Window) -> int:
    return int(np.searchsorted(MARKET.panel.dates, np.datetime64(window.start)))


def scrambled(market: PortfolioMarket, start: int, seed: int = 9) -> PortfolioMarket:
    """Return the market with every array made up from row `start` on."""
    generator = np.random.default_rng(seed)

    def made_up(values: np.ndarray) -> np.ndarray:
        changed = values.copy()
        later = changed[start:]
        if values.dtype == bool:
            changed[start:] = generator.random(later.shape) > 0.1
        else:
            changed[start:] = later * np.exp(generator.normal(0.0, 0.3, later.shape)) + 1e-4
        return changed

    arrays = ("open", "close", "factor", "has_bar", "dollar_volume", "volatility", "cash_return")
    changes: dict[str, Any] = {name: made_up(getattr(market.panel, name)) for name in arrays}
    panel = replace(market.panel, **changes)
    return replace(
        market,
        panel=panel,
        forecasts=made_up(market.forecasts),
        half_widths=made_up(market.half_widths),
    )


def cut(market: PortfolioMarket, sessions: int) -> PortfolioMarket:
    """Return the market as it was known after so many sessions."""
    view = market.until(sessions - 1)
    return PortfolioMarket(view.panel, view.forecasts, view.half_widths, view.horizon)


def identities(market: PortfolioMarket) -> dict[tuple[str, int], object]:
    """Return what identifies the trainings of every window that can be trained, by seed."""
    chains = plan_chains(market, plan_windows(market, WINDOWS, 1), NEWEST, SETTINGS)
    return {
        (one.window.key, one.seed): (one.name_parts(None), one.spans, one.starts_from, one.steps)
        for chain in chains
        for one in chain.trainings
    }


@pytest.mark.parametrize("window", TRAINED, ids=lambda window: window.key)
def test_trainings_up_to_a_window_are_identified_without_anything_from_it_on(
    window: Window,
) -> None:
    known = identities(MARKET)
    start = first_row_of(window)
    for market in (scrambled(MARKET, start), cut(MARKET, start + 1)):
        found = identities(market)
        own = {key for key in found if key[0] <= window.key}
        assert own
        assert {key: found[key] for key in own} == {key: known[key] for key in own}


def test_session_before_the_window_does_matter() -> None:
    start = first_row_of(NEWEST)
    assert identities(scrambled(MARKET, start - 1)) != identities(MARKET)


def test_policies_trained_before_another_future_have_the_same_bytes(tmp_path: Path) -> None:
    start = first_row_of(NEWEST)
    rows = [
        train(ModelStore(tmp_path / name), market, SETTINGS)
        for name, market in (
            ("known", MARKET),
            ("scrambled", scrambled(MARKET, start)),
            ("cut", cut(MARKET, start + 1)),
        )
    ]
    for other in rows[1:]:
        assert other.policies["model_sha256"].equals(rows[0].policies["model_sha256"])
        assert other.training_curves.equals(rows[0].training_curves)
    assert rows[0].policies["model_sha256"].notna().sum() == 4


def test_training_on_a_market_that_leaks_is_caught(tmp_path: Path) -> None:
    """The proof can fail: with validation laid over the window, its future changes the model."""
    start = first_row_of(NEWEST)
    shifted = replace(MARKET, panel=replace(MARKET.panel, dates=MARKET.panel.dates - 30))
    other = scrambled(shifted, start)
    one = train(ModelStore(tmp_path / "one"), shifted, SETTINGS).policies
    two = train(ModelStore(tmp_path / "two"), other, SETTINGS).policies
    newest = one["window"] == np.datetime64(NEWEST.start)
    assert (one.loc[newest, "model_sha256"] != two.loc[newest, "model_sha256"]).all()
