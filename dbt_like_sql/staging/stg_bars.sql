-- description: Cleaned daily bars as traded, with the forward adjustment factors.
-- grain: ticker, date
select
    bars.ticker,
    bars.date,
    bars.open,
    bars.high,
    bars.low,
    bars.close,
    bars.volume,
    bars.dividend,
    bars.split_ratio,
    bars.split_factor,
    bars.total_return_factor,
    bars.source,
    bars.is_as_traded,
    bars.is_filled,
    bars.is_anomalous,
    bars.is_simulated
from market_data.bars as bars
