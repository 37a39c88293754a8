-- description: Every session expected of a ticker: all days on which any ticker has a bar, from
-- the ticker's own first bar on. A late listing is not missing data; a delisting is.
-- grain: ticker, date
with bars as (
    select
        bars.ticker,
        bars.date,
        bars.is_filled,
        bars.is_anomalous
    from staging.stg_bars as bars
),

sessions as (
    select distinct bars.date
    from bars
),

listings as (
    select
        bars.ticker,
        min(bars.date) as first_date
    from bars
    group by bars.ticker
),

expected as (
    select
        listings.ticker,
        sessions.date
    from listings
    inner join sessions
        on sessions.date >= listings.first_date
)

select
    expected.ticker,
    expected.date, -- Session expected of the ticker.
    bars.ticker is not null and not bars.is_filled as is_present, -- Whether a delivered bar is
    -- stored.
    coalesce(bars.is_filled, false) as is_filled, -- Whether the bar was carried forward.
    coalesce(bars.is_anomalous, false) as is_anomalous, -- Whether the bar's move is flagged.
    bars.ticker is null as is_missing -- Whether no bar is stored, not even a filled one.
from expected
left join bars
    on bars.ticker = expected.ticker
    and bars.date = expected.date
