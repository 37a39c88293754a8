from collections.abc import Mapping

import pytest
from matplotlib.figure import Figure

from odyssey_assets.backtesting.gallery import drawn_alone, equity_gallery
from odyssey_assets.backtesting.tables import DAILY, PERFORMANCE
from odyssey_assets.infrastructure.pictures import png_bytes
from odyssey_assets.portfolio.tables import SEED_PATHS
from odyssey_assets_tests.backtesting.synthetic_results import SyntheticResults, synthetic_results

ALONE = ("ppo", "equal_weight", "buy_and_hold")
STRATEGIES = (*ALONE, "momentum")
SHARED = {"equity", "drawdown", "rolling_sharpe", "costs"}


@pytest.fixture(scope="module")
def results() -> SyntheticResults:
    return synthetic_results(STRATEGIES)


@pytest.fixture(scope="module")
def gallery(results: SyntheticResults) -> Mapping[str, tuple[Figure, str]]:
    return equity_gallery(results.daily, results.seed_paths, results.performance)


def test_what_was_learned_and_its_benchmarks_are_drawn_alone() -> None:
    assert drawn_alone(STRATEGIES) == ["buy_and_hold", "equal_weight", "ppo"]
    assert drawn_alone(["momentum", "ppo"]) == ["ppo"]
    assert drawn_alone([]) == []


def test_gallery_holds_the_shared_pictures_and_the_months_of_some_strategies(
    gallery: Mapping[str, tuple[Figure, str]],
) -> None:
    assert set(gallery) == SHARED | {f"months_{name}" for name in ALONE}
    assert len({id(figure) for figure, _ in gallery.values()}) == len(gallery)


def test_every_picture_can_be_drawn_and_has_a_text_of_its_own(
    gallery: Mapping[str, tuple[Figure, str]],
) -> None:
    texts = [text for _, text in gallery.values()]
    assert len(set(texts)) == len(texts)
    for name, (figure, text) in gallery.items():
        assert png_bytes(figure).startswith(b"\x89PNG"), name
        assert name.startswith("months_") is (name.removeprefix("months_") in text)


def test_months_are_those_of_the_strategy_they_are_named_after(
    gallery: Mapping[str, tuple[Figure, str]], results: SyntheticResults
) -> None:
    daily = results.daily
    own = daily[daily["strategy"] == "buy_and_hold"]
    alone = equity_gallery(own, SEED_PATHS.empty(), results.performance)
    assert set(alone) == SHARED | {"months_buy_and_hold"}
    month = "months_buy_and_hold"
    assert png_bytes(alone[month][0]) == png_bytes(gallery[month][0])
    assert png_bytes(gallery["months_ppo"][0]) != png_bytes(gallery[month][0])


def test_gallery_without_any_return_still_has_pictures() -> None:
    gallery = equity_gallery(DAILY.empty(), SEED_PATHS.empty(), PERFORMANCE.empty())
    assert set(gallery) == SHARED
    for figure, _ in gallery.values():
        said = " ".join(text.get_text() for axes in figure.axes for text in axes.texts)
        assert "no strategy has" in said
