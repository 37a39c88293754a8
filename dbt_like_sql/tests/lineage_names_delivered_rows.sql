-- asset: staging.stg_lineage
-- description: Every bar that a weight is said to rest on was delivered, in the answer that is named.
-- severity: error
-- blocking: false
with lineage as (
    select
        lineage.policy,
        lineage.ticker,
        lineage.date,
        lineage.bar_row_sha256,
        lineage.response_sha256
    from staging.stg_lineage as lineage
    where lineage.bar_row_sha256 is not null
),

raw_bars as (
    select
        raw_bars.ticker,
        raw_bars.date,
        raw_bars.row_sha256,
        raw_bars.response_sha256
    from market_data.raw_bars as raw_bars
)

select
    lineage.policy,
    lineage.ticker,
    lineage.date,
    lineage.bar_row_sha256,
    lineage.response_sha256
from lineage
anti join raw_bars
    on raw_bars.ticker = lineage.ticker
    and raw_bars.date = lineage.date
    and raw_bars.row_sha256 = lineage.bar_row_sha256
    and raw_bars.response_sha256 = lineage.response_sha256
