"""The tables of `market_data`: what vendors sent, what survived cleaning, and what did not."""

from odyssey_assets.contracts import Column, TableContract

_TICKER = Column("ticker", "VARCHAR", "Ticker symbol as the settings name it.")
_DATE = Column("date", "DATE", "Session in New York; the row is known at its close.")
_SOURCE = Column("source", "VARCHAR", "Name of the source that delivered the row.")

REJECTION_REASONS = (
    "unreadable_date",
    "unreadable_number",
    "missing_price",
    "future_date",
    "not_a_session",
    "non_positive_price",
    "high_below_low",
    "close_outside_range",
    "open_outside_range",
    "negative_volume",
    "zero_volume",
    "stale_bar",
    "conflicting_duplicate",
    "implausible_dividend",
    "implausible_split",
)
REPAIR_REASONS = ("inexact_split_ratio", "split_booked_as_dividend")

RAW_BARS = TableContract(
    schema="market_data",
    name="raw_bars",
    description=(
        "Every distinct row a vendor ever sent, as delivered; append-only. A restated row is a "
        "new vintage beside the old one."
    ),
    grain=("ticker", "date", "source", "row_sha256"),
    columns=(
        _TICKER,
        Column(
            "date",
            "DATE",
            "Day the vendor dated the row; for a row whose date cannot be read, the day of the "
            "readable row before it in the response.",
        ),
        _SOURCE,
        Column("row_sha256", "VARCHAR", "SHA-256 of the row as delivered; names the vintage."),
        Column("open", "DOUBLE", "Opening price, USD, as delivered.", is_nullable=True),
        Column("high", "DOUBLE", "Highest price, USD, as delivered.", is_nullable=True),
        Column("low", "DOUBLE", "Lowest price, USD, as delivered.", is_nullable=True),
        Column("close", "DOUBLE", "Closing price, USD, as delivered.", is_nullable=True),
        Column(
            "adj_close",
            "DOUBLE",
            "Close adjusted by the vendor as of the fetch, USD; null where it sends none.",
            is_nullable=True,
        ),
        Column("volume", "DOUBLE", "Shares traded, as delivered.", is_nullable=True),
        Column(
            "dividend",
            "DOUBLE",
            "Cash dividend with this ex-date, USD a share on the basis of the delivered prices; "
            "implied by adj_close / close where the vendor sends no dividends.",
            is_nullable=True,
        ),
        Column(
            "split_ratio",
            "DOUBLE",
            "Shares after for one share before, effective this day; 1 without a split.",
            is_nullable=True,
        ),
        Column(
            "split_adjustment",
            "DOUBLE",
            "Product of the split ratios after this day up to the fetch by which the vendor had "
            "divided the delivered prices; as-traded price = delivered price x this.",
        ),
        Column("is_as_traded", "BOOLEAN", "Whether as-traded prices follow from this row."),
        Column("is_simulated", "BOOLEAN", "Whether the row comes from the simulated market."),
        Column(
            "defect",
            "VARCHAR",
            "Why the row could not be read, a reason of `quarantine`; null for a readable row.",
            is_nullable=True,
            allowed=REJECTION_REASONS,
        ),
        Column(
            "content",
            "VARCHAR",
            "The unreadable row as delivered, JSON; null for a readable row.",
            is_nullable=True,
        ),
        Column("ingested_at", "TIMESTAMP", "UTC moment the row was first received.", is_audit=True),
        Column(
            "response_sha256",
            "VARCHAR",
            "SHA-256 of the vendor's response the row first came in.",
            is_audit=True,
        ),
    ),
    is_append_only=True,
)

BARS = TableContract(
    schema="market_data",
    name="bars",
    description=(
        "Cleaned daily bars as traded, one a ticker and session, with forward adjustment factors "
        "that use only events up to the row's own date."
    ),
    grain=("ticker", "date"),
    columns=(
        _TICKER,
        _DATE,
        Column("open", "DOUBLE", "Opening price as traded, USD.", minimum=1e-6),
        Column("high", "DOUBLE", "Highest price as traded, USD.", minimum=1e-6),
        Column("low", "DOUBLE", "Lowest price as traded, USD.", minimum=1e-6),
        Column("close", "DOUBLE", "Closing price as traded, USD.", minimum=1e-6),
        Column("volume", "DOUBLE", "Shares traded, as traded; 0 on filled sessions.", minimum=0),
        Column("dividend", "DOUBLE", "Cash dividend with this ex-date, USD a share.", minimum=0),
        Column(
            "split_ratio",
            "DOUBLE",
            "Shares after for one before, effective this session; 1 without a split.",
            minimum=1e-3,
            maximum=1e3,
        ),
        Column(
            "split_factor",
            "DOUBLE",
            "Product of the split ratios since the ticker's first session; volume / split_factor "
            "is on the first session's share basis.",
            minimum=1e-6,
        ),
        Column(
            "total_return_factor",
            "DOUBLE",
            "Product of split ratio / (1 - dividend / previous close) since the first session; "
            "price x total_return_factor is the adjusted price.",
            minimum=1e-6,
        ),
        _SOURCE,
        Column(
            "is_as_traded",
            "BOOLEAN",
            "False where the vendor only sends adjusted prices, kept as delivered.",
        ),
        Column("is_filled", "BOOLEAN", "Carried forward from the last session; nothing traded."),
        Column(
            "is_anomalous",
            "BOOLEAN",
            "The adjusted log return lies beyond the set number of standard deviations of the "
            "ticker's own past.",
        ),
        Column("is_simulated", "BOOLEAN", "Whether the bar comes from the simulated market."),
    ),
)

QUARANTINE = TableContract(
    schema="market_data",
    name="quarantine",
    description=(
        "Every row that cleaning rejected, and every value it repaired, with the reason and the "
        "content as delivered."
    ),
    grain=("ticker", "date", "source", "reason", "row_sha256"),
    columns=(
        _TICKER,
        Column("date", "DATE", "Day of the row, as in `raw_bars`."),
        _SOURCE,
        Column(
            "reason",
            "VARCHAR",
            "Rule that the row broke.",
            allowed=REJECTION_REASONS + REPAIR_REASONS,
        ),
        Column("row_sha256", "VARCHAR", "Vintage of the row in `raw_bars`."),
        Column(
            "is_rejected",
            "BOOLEAN",
            "True: the row never reached `bars`. False: one value of it was repaired.",
        ),
        Column("detail", "VARCHAR", "Value found and value expected, for people."),
        Column("content", "VARCHAR", "The row as delivered, JSON."),
        Column("quarantined_at", "TIMESTAMP", "UTC moment of the cleaning run.", is_audit=True),
    ),
)

MACRO = TableContract(
    schema="market_data",
    name="macro",
    description="Macro and market-wide series, one value a series and day, as delivered.",
    grain=("series", "date"),
    columns=(
        Column("series", "VARCHAR", "VIX, TNX (10-year yield), DXY (dollar index), GOLD, ..."),
        Column("date", "DATE", "Day of the value; series may trade on days when stocks do not."),
        Column(
            "value", "DOUBLE", "Level at the close: index points, percent for TNX, USD an ounce."
        ),
        Column("is_simulated", "BOOLEAN", "Whether the value comes from the simulated market."),
    ),
    ticker_column=None,
)

TABLES = (RAW_BARS, BARS, QUARANTINE, MACRO)
