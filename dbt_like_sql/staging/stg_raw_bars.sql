-- description: Every distinct row a vendor ever sent, as delivered; the newest ingested_at of a
-- ticker, date and source is the vintage in force.
-- grain: ticker, date, source, row_sha256
select
    raw_bars.ticker,
    raw_bars.date,
    raw_bars.source,
    raw_bars.row_sha256,
    raw_bars.open,
    raw_bars.high,
    raw_bars.low,
    raw_bars.close,
    raw_bars.adj_close,
    raw_bars.volume,
    raw_bars.dividend,
    raw_bars.split_ratio,
    raw_bars.split_adjustment,
    raw_bars.is_as_traded,
    raw_bars.is_simulated,
    raw_bars.defect,
    raw_bars.content,
    raw_bars.ingested_at,
    raw_bars.response_sha256
from market_data.raw_bars as raw_bars
