-- asset: staging.stg_bars
-- description: Every bar that was not filled has a delivered row of its source, for its day, that
-- cleaning did not reject.
-- severity: error
-- blocking: true
with bars as (
    select
        bars.ticker,
        bars.date,
        bars.source
    from staging.stg_bars as bars
    where not bars.is_filled
),

raw_bars as (
    select
        raw_bars.ticker,
        raw_bars.date,
        raw_bars.source,
        raw_bars.row_sha256
    from market_data.raw_bars as raw_bars
),

rejected as (
    select
        quarantine.ticker,
        quarantine.date,
        quarantine.source,
        quarantine.row_sha256
    from market_data.quarantine as quarantine
    where quarantine.is_rejected
),

accepted as (
    select
        raw_bars.ticker,
        raw_bars.date,
        raw_bars.source
    from raw_bars
    anti join rejected
        on rejected.ticker = raw_bars.ticker
        and rejected.date = raw_bars.date
        and rejected.source = raw_bars.source
        and rejected.row_sha256 = raw_bars.row_sha256
)

select
    bars.ticker,
    bars.date,
    bars.source
from bars
anti join accepted
    on accepted.ticker = bars.ticker
    and accepted.date = bars.date
    and accepted.source = bars.source
