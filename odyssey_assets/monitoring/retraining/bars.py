"""Whether fetching again brought other bars: content hashes before and after.

Bars after the day of the request are left out, so that a session that came in meanwhile does not
look like a repaired past.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from odyssey_assets.core.hashing import hash_frame
from odyssey_assets.core.slices import Slice
from odyssey_assets.infrastructure.warehouse import Warehouse
from odyssey_assets.market_data.tables import BARS


@dataclass(frozen=True)
class BarsAsOf:
    """What the bars of some tickers were.

    Attributes:
        as_of: Last day that is looked at.
        hashes: SHA-256 of each ticker's bars.
    """

    as_of: date
    hashes: Mapping[str, str]


def bars_as_of(warehouse: Warehouse, tickers: Iterable[str], as_of: date) -> BarsAsOf:
    """Return the hashes of the stored bars up to a day."""
    end = as_of + timedelta(days=1)
    hashes = {
        ticker: hash_frame(warehouse.read(BARS, (Slice((ticker,), None, end),)),
                           BARS.content_columns)
        for ticker in tickers
    }  # fmt: skip
    return BarsAsOf(as_of, hashes)


def changed_since(before: BarsAsOf, warehouse: Warehouse) -> dict[str, bool]:
    """Return by ticker whether its stored bars up to that day are others now."""
    now = bars_as_of(warehouse, before.hashes, before.as_of)
    return {ticker: now.hashes[ticker] != sha256 for ticker, sha256 in before.hashes.items()}


def noted(bars: BarsAsOf) -> str:
    """Return hashes as text, for the tag of a run."""
    return json.dumps({"as_of": bars.as_of.isoformat(), "hashes": dict(bars.hashes)})


def parsed(text: str) -> BarsAsOf:
    """Return what `noted` wrote."""
    content = json.loads(text)
    return BarsAsOf(date.fromisoformat(content["as_of"]), content["hashes"])
