"""Where prices can come from: one line a source.

A source's own imports may be slow, so each entry imports its module when it is built.
"""

from collections.abc import Callable
from dataclasses import dataclass

from odyssey_assets.errors import SettingsError
from odyssey_assets.market_data.source import PriceSource
from odyssey_assets.settings import Settings


@dataclass(frozen=True)
class SourceEntry:
    """One source that settings can name.

    Attributes:
        name: As in `settings.source`, and in the column `source` of every row it delivers.
        description: One line for people.
        build: Makes the source from the settings; imports nothing slow before it is called.
    """

    name: str
    description: str
    build: Callable[[Settings], PriceSource]


def _simulated(settings: Settings) -> PriceSource:
    from odyssey_assets.market_data.sources.simulated import SimulatedSource

    return SimulatedSource(settings)


def _files(settings: Settings) -> PriceSource:
    from odyssey_assets.market_data.sources.files import FileSource

    return FileSource(settings)


def _yfinance(settings: Settings) -> PriceSource:
    from odyssey_assets.market_data.sources.yfinance import YFinanceSource

    return YFinanceSource(settings.yfinance)


SOURCES: tuple[SourceEntry, ...] = (
    SourceEntry("simulated", "A seeded market; needs neither files nor network.", _simulated),
    SourceEntry("files", "A folder of CSV or Parquet, one file a ticker.", _files),
    SourceEntry("yfinance", "Yahoo Finance over the network.", _yfinance),
)


def build_source(settings: Settings) -> PriceSource:
    """Return the source that the settings name.

    Raises:
        SettingsError: No entry has that name.
    """
    for entry in SOURCES:
        if entry.name == settings.source:
            return entry.build(settings)
    raise SettingsError(
        f"No source is called {settings.source!r}; choose one of "
        f"{', '.join(entry.name for entry in SOURCES)}."
    )
